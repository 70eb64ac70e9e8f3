/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XXH64_H
#define XXH64_H

#include <stddef.h>
#include <linux/types.h>

/**
 * struct xxh64 - a checksum in the making
 * @lane: one of each eight bytes in 32
 * @len: how many bytes there were
 * @rest: those of them that no lane has got yet
 */
struct xxh64 {
	__u64		lane[4];
	__u64		len;
	unsigned char	rest[32];
};

void xxh64_begin(struct xxh64 *x);
void xxh64_add(struct xxh64 *x, const void *data, size_t len);

/* The checksum of all that was added. */
__u64 xxh64_end(const struct xxh64 *x);

#endif
