/* SPDX-License-Identifier: GPL-2.0-only */
/* Bases: what address spaces were when they were checkpointed last. */
#ifndef _CHECKPOINT_BASE_H
#define _CHECKPOINT_BASE_H

#include <linux/list.h>
#include <linux/types.h>
#include <uapi/linux/checkpoint_image.h>

#include "checkpoint.h"

struct ckpt_digests;
struct mm_struct;

/**
 * struct ckpt_range - addresses that lie side by side
 * @start: of the first
 * @end: behind the last
 */
struct ckpt_range {
	unsigned long	start;
	unsigned long	end;
};

/**
 * struct ckpt_base - what an address space was when an image of it was written
 * @node: in the table of all, by @src
 * @list: in ckpt_ctx.bases, while a checkpoint has it
 * @src: the address space; a reference to the structure is held while a checkpoint
 *	has it, and none is needed while it is in the table
 * @dup: the duplicate of its private memory
 * @uuid: of the image
 * @ref: reference to the address space in that
 * @digests: what there was in the image besides address spaces; or NULL
 * @changed: struct ckpt_range, where @dup has been renewed since then
 */
struct ckpt_base {
	struct hlist_node	node;
	struct list_head	list;
	struct mm_struct	*src;
	struct mm_struct	*dup;
	u8			uuid[CKPT_UUID_LEN];
	u32			ref;
	struct ckpt_digests	*digests;
	struct ckpt_buf		changed;
};

struct ckpt_base *ckpt_base_use(struct ckpt_ctx *ctx, struct mm_struct *mm);
int ckpt_bases_check(struct ckpt_ctx *ctx);
void ckpt_bases_keep(struct ckpt_ctx *ctx);
void ckpt_bases_release(struct ckpt_ctx *ctx);

/* Ranges, in the order in which they are added. */
int ckpt_range_add(struct ckpt_buf *ranges, unsigned long start,
		   unsigned long end);
/* By ascending address, and none that touches another. */
void ckpt_ranges_sort(struct ckpt_buf *ranges);

/* In mm_dup.c. */
int ckpt_base_renew(struct ckpt_base *base);
void ckpt_base_strip(struct mm_struct *dup);

#endif
