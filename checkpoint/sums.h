/* SPDX-License-Identifier: GPL-2.0-only */
/* Checksums of pages: what writer and reader share. */
#ifndef _CHECKPOINT_SUMS_H
#define _CHECKPOINT_SUMS_H

#include <linux/types.h>
#include <linux/xxhash.h>

#include "image.h"

struct ckpt_batch;
struct rstr_ctx;

/**
 * struct ckpt_sums - checksums of pages, as they go by
 * @table: __le64, one of each %CKPT_SUM_PAGES pages
 * @nr: pages since the last of these
 * @state: over them
 */
struct ckpt_sums {
	struct ckpt_buf	table;
	u32		nr;
	struct xxh64_state state;
};

int ckpt_sums_add(struct ckpt_sums *sums, const struct ckpt_batch *batch);
int ckpt_sums_end(struct ckpt_sums *sums);
int rstr_sums_check(struct rstr_ctx *ctx);

#endif
