// SPDX-License-Identifier: GPL-2.0-only
/* XXH64 with a seed of 0, by its specification, version 0.1.1. */
#include <endian.h>
#include <string.h>

#include "xxh64.h"

#define P1	0x9e3779b185ebca87ULL
#define P2	0xc2b2ae3d27d4eb4fULL
#define P3	0x165667b19e3779f9ULL
#define P4	0x85ebca77c2b2ae63ULL
#define P5	0x27d4eb2f165667c5ULL

static __u64 rotate(__u64 value, int by)
{
	return value << by | value >> (64 - by);
}

static __u64 get8(const unsigned char *p)
{
	__u64 value;

	memcpy(&value, p, sizeof(value));
	return le64toh(value);
}

static __u64 get4(const unsigned char *p)
{
	__u32 value;

	memcpy(&value, p, sizeof(value));
	return le32toh(value);
}

static __u64 mix(__u64 lane, __u64 input)
{
	return rotate(lane + input * P2, 31) * P1;
}

static void add_stripe(struct xxh64 *x, const unsigned char *p)
{
	int i;

	for (i = 0; i < 4; i++)
		x->lane[i] = mix(x->lane[i], get8(p + 8 * i));
}

void xxh64_begin(struct xxh64 *x)
{
	*x = (struct xxh64){ .lane = { P1 + P2, P2, 0, -P1 } };
}

void xxh64_add(struct xxh64 *x, const void *data, size_t len)
{
	const unsigned char *p = data;
	size_t have = x->len % 32;

	x->len += len;
	if (have + len < 32) {
		memcpy(x->rest + have, p, len);
		return;
	}
	if (have) {
		memcpy(x->rest + have, p, 32 - have);
		add_stripe(x, x->rest);
		p += 32 - have;
		len -= 32 - have;
	}
	for (; len >= 32; p += 32, len -= 32)
		add_stripe(x, p);
	memcpy(x->rest, p, len);
}

static __u64 merge(const struct xxh64 *x)
{
	__u64 sum;
	int i;

	if (x->len < 32)
		return P5;
	sum = rotate(x->lane[0], 1) + rotate(x->lane[1], 7) +
	      rotate(x->lane[2], 12) + rotate(x->lane[3], 18);
	for (i = 0; i < 4; i++)
		sum = (sum ^ mix(0, x->lane[i])) * P1 + P4;
	return sum;
}

__u64 xxh64_end(const struct xxh64 *x)
{
	const unsigned char *p = x->rest, *end = p + x->len % 32;
	__u64 sum = merge(x) + x->len;

	for (; end - p >= 8; p += 8)
		sum = rotate(sum ^ mix(0, get8(p)), 27) * P1 + P4;
	for (; end - p >= 4; p += 4)
		sum = rotate(sum ^ get4(p) * P1, 23) * P2 + P3;
	for (; p < end; p++)
		sum = rotate(sum ^ *p * P5, 11) * P1;
	sum = (sum ^ sum >> 33) * P2;
	sum = (sum ^ sum >> 29) * P3;
	return sum ^ sum >> 32;
}
