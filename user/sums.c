// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <stdlib.h>

#include "sums.h"

static int push(struct sums *sums)
{
	size_t nr = sums->nr;
	__le64 *table = sums->table;

	/* Room is added whenever all powers of two are used up. */
	if (!(nr & (nr - 1))) {
		table = reallocarray(table, nr ? 2 * nr : 1, sizeof(*table));
		if (!table)
			return -1;
		sums->table = table;
	}
	table[nr] = htole64(XXH64_digest(&sums->sum));
	sums->nr++;
	sums->len = 0;
	return 0;
}

int sums_add(struct sums *sums, size_t group, const void *bytes, size_t len)
{
	const char *p = bytes;
	size_t n;

	for (; len; p += n, len -= n) {
		n = group - sums->len;
		n = n < len ? n : len;
		if (!sums->len)
			XXH64_reset(&sums->sum, 0);
		XXH64_update(&sums->sum, p, n);
		sums->len += n;
		if (sums->len == group && push(sums))
			return -1;
	}
	return 0;
}

int sums_end(struct sums *sums)
{
	return sums->len ? push(sums) : 0;
}
