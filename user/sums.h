/* SPDX-License-Identifier: GPL-2.0-only */
/* Checksums of pages, as an image may have them behind its pages. */
#ifndef SUMS_H
#define SUMS_H

#include <stddef.h>
#include <linux/types.h>

/* All of it is in there, so that there is nothing to be linked. */
#define XXH_INLINE_ALL
#include <xxhash.h>

/**
 * struct sums - checksums, as the pages go by
 * @table: one of each %CKPT_SUM_PAGES pages, @nr of them
 * @nr: see there
 * @len: bytes since the last of these
 * @sum: over them
 */
struct sums {
	__le64		*table;
	size_t		nr;
	size_t		len;
	XXH64_state_t	sum;
};

/**
 * sums_add() - have bytes counted in
 * @sums: the checksums so far; all zero at first
 * @group: how many bytes one of them is of
 * @bytes: what comes next in the page section
 * @len: how many
 *
 * Return: 0; -1 and errno
 */
int sums_add(struct sums *sums, size_t group, const void *bytes, size_t len);

/* As no more come. Returns 0; or -1 and errno. */
int sums_end(struct sums *sums);

#endif
