/* SPDX-License-Identifier: GPL-2.0-only */
/* Compressed pages: what writer and reader share. */
#ifndef _CHECKPOINT_FRAMES_H
#define _CHECKPOINT_FRAMES_H

#include <linux/types.h>

struct ckpt_batch;
struct ckpt_codec;
struct ckpt_ctx;
struct ckpt_frame;
struct rstr_ctx;

/**
 * struct ckpt_frames - a frame in the making, or as it is read
 * @codec: how it is compressed
 * @work: memory that @codec takes, @work_size bytes
 * @work_size: see there
 * @raw: its pages, room for %CKPT_FRAME_PAGES
 * @frame: the same as the image has it
 * @nr: how many pages there are in @raw
 * @used: how many of them have been read
 * @before: reader: pages in the frames before this one
 */
struct ckpt_frames {
	const struct ckpt_codec	*codec;
	void			*work;
	size_t			work_size;
	void			*raw;
	struct ckpt_frame	*frame;
	u32			nr;
	u32			used;
	u64			before;
};

int ckpt_frames_begin(struct ckpt_ctx *ctx);
int ckpt_frames_add(struct ckpt_ctx *ctx, const struct ckpt_batch *batch);
int ckpt_frames_end(struct ckpt_ctx *ctx);

int rstr_frames_begin(struct rstr_ctx *ctx);
int rstr_frames_read(struct rstr_ctx *ctx, const struct ckpt_batch *batch);

void ckpt_frames_free(struct ckpt_frames *frames);

#endif
