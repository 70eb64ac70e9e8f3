# SPDX-License-Identifier: GPL-2.0-only
#
# Something that takes a while and comes out the same every time: whatever the
# interpreter has in memory decides about what is printed last.
import hashlib
import random

ROUNDS = 40


def shuffle(words, draw):
    """Count words in an order that depends on all that was drawn before."""
    draw.shuffle(words)
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + len(counts)
    return counts


def main():
    with open("/input/text", encoding="utf-8", errors="replace") as text:
        words = text.read(250000).split()
    draw = random.Random(2008)
    digest = hashlib.sha256()
    number = 1
    for turn in range(ROUNDS):
        for word, count in shuffle(words, draw).items():
            digest.update(f"{word} {count}\n".encode())
        number = number * 3 ** 500 + draw.getrandbits(800)
        digest.update(str(number % 10 ** 3000).encode())
        print(turn, digest.hexdigest(), flush=True)
    print(number.bit_length(), digest.hexdigest())


main()
