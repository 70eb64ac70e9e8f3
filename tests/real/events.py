#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
An event loop of asyncio with what programs put into one: a server on loopback and
one on a unix socket, with clients; children that are talked to by pipes and waited
for by pidfds; a signal, a thread, and timers. What each round comes to goes to
standard output.

    events.py SOCKET
"""

import asyncio
import hashlib
import signal
import sys
import warnings

ROUNDS = 60


async def serve(reader, writer):
    """Each line comes back in capitals."""
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()


async def ask(reader, writer, text):
    writer.write(text.encode() + b"\n")
    await writer.drain()
    return (await reader.readline()).decode().strip()


async def square(number):
    """By a child of its own that is told the number."""
    child = await asyncio.create_subprocess_exec(
        "sh", "-c", "read n; echo $((n * n)); exit $((n % 7))",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    out, _ = await child.communicate(f"{number}\n".encode())
    return int(out), child.returncode


async def in_order():
    """What is due later comes later."""
    loop = asyncio.get_running_loop()
    now = loop.time()
    order = []
    last = loop.create_future()
    for number in (3, 1, 2):
        loop.call_at(now + 0.05 * number, order.append, number)
    loop.call_at(now + 0.2, last.set_result, None)
    await last
    return order


def digest(number):
    return hashlib.sha256(str(number).encode() * 20000).hexdigest()[:8]


async def main():
    loop = asyncio.get_running_loop()
    by_port = await asyncio.start_server(serve, "127.0.0.1", 0)
    by_path = await asyncio.start_unix_server(serve, sys.argv[1])
    port = by_port.sockets[0].getsockname()[1]
    inet = await asyncio.open_connection("127.0.0.1", port)
    unix = await asyncio.open_unix_connection(sys.argv[1])
    signalled = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, signalled.set)
    for number in range(ROUNDS):
        results = await asyncio.gather(
            ask(*inet, f"inet {number}"), ask(*unix, f"unix {number}"),
            square(number), square(number + 1), in_order(),
            loop.run_in_executor(None, digest, number))
        signal.raise_signal(signal.SIGUSR1)
        await signalled.wait()
        signalled.clear()
        print(number, *results, flush=True)
    for _, writer in (inet, unix):
        writer.close()
        await writer.wait_closed()
    for server in (by_port, by_path):
        server.close()
        await server.wait_closed()


# Later versions have it so by themselves, and warn of who asks for it.
warnings.simplefilter("ignore", DeprecationWarning)
asyncio.set_child_watcher(asyncio.PidfdChildWatcher())
asyncio.run(main())
