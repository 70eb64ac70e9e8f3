// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compressed pages. The page section is a sequence of frames then, of some pages each,
 * which are the same pages in the same order. What a frame holds is compressed on its
 * own, so that memory that is taken for it is bounded; or it is raw, where that is no
 * longer than what would come out.
 *
 * A frame is compared with its checksum before it is decompressed.
 */
#include <linux/highmem.h>
#include <linux/lz4.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/xxhash.h>
#include <linux/zstd.h>

#include "frames.h"
#include "limits.h"
#include "pages.h"
#include "restart.h"

#define CKPT_FRAME_RAW	(CKPT_FRAME_PAGES << PAGE_SHIFT)

/**
 * struct ckpt_codec - a way to compress
 * @flag: CHECKPOINT_* that asks for it
 * @feature: CKPT_INCOMPAT_* that says it was
 * @compress_work: bytes of memory that compressing takes
 * @decompress_work: and the opposite
 * @compress: returns how many bytes came out, 0 if they would be more than @room
 * @decompress: returns how many bytes came out, 0 if they would be more than @room,
 *	or it is not what compress() makes
 */
struct ckpt_codec {
	unsigned int	flag;
	u64		feature;
	size_t		(*compress_work)(void);
	size_t		(*decompress_work)(void);
	size_t		(*compress)(struct ckpt_frames *frames, void *to,
				    size_t room, const void *from, size_t len);
	size_t		(*decompress)(struct ckpt_frames *frames, void *to,
				      size_t room, const void *from, size_t len);
};

/* LZ4. */

static size_t ckpt_lz4_compress_work(void)
{
	return LZ4_MEM_COMPRESS;
}

static size_t ckpt_lz4_decompress_work(void)
{
	return 0;
}

static size_t ckpt_lz4_compress(struct ckpt_frames *frames, void *to,
				size_t room, const void *from, size_t len)
{
	return LZ4_compress_default(from, to, len, room, frames->work);
}

static size_t ckpt_lz4_decompress(struct ckpt_frames *frames, void *to,
				  size_t room, const void *from, size_t len)
{
	return max(LZ4_decompress_safe(from, to, len, room), 0);
}

/* Zstandard. */

static zstd_parameters ckpt_zstd_params(void)
{
	return zstd_get_params(CKPT_ZSTD_LEVEL, CKPT_FRAME_RAW);
}

static size_t ckpt_zstd_compress_work(void)
{
	zstd_parameters params = ckpt_zstd_params();

	return zstd_cctx_workspace_bound(&params.cParams);
}

static size_t ckpt_zstd_compress(struct ckpt_frames *frames, void *to,
				 size_t room, const void *from, size_t len)
{
	zstd_parameters params = ckpt_zstd_params();
	zstd_cctx *cctx;
	size_t ret;

	cctx = zstd_init_cctx(frames->work, frames->work_size);
	if (!cctx)
		return 0;
	ret = zstd_compress_cctx(cctx, to, room, from, len, &params);
	return zstd_is_error(ret) ? 0 : ret;
}

static size_t ckpt_zstd_decompress(struct ckpt_frames *frames, void *to,
				   size_t room, const void *from, size_t len)
{
	zstd_dctx *dctx;
	size_t ret;

	dctx = zstd_init_dctx(frames->work, frames->work_size);
	if (!dctx)
		return 0;
	ret = zstd_decompress_dctx(dctx, to, room, from, len);
	return zstd_is_error(ret) ? 0 : ret;
}

static const struct ckpt_codec ckpt_codecs[] = {
	{
		.flag			= CHECKPOINT_LZ4,
		.feature		= CKPT_INCOMPAT_LZ4,
		.compress_work		= ckpt_lz4_compress_work,
		.decompress_work	= ckpt_lz4_decompress_work,
		.compress		= ckpt_lz4_compress,
		.decompress		= ckpt_lz4_decompress,
	},
	{
		.flag			= CHECKPOINT_ZSTD,
		.feature		= CKPT_INCOMPAT_ZSTD,
		.compress_work		= ckpt_zstd_compress_work,
		.decompress_work	= zstd_dctx_workspace_bound,
		.compress		= ckpt_zstd_compress,
		.decompress		= ckpt_zstd_decompress,
	},
};

/* What both sides do. */

/**
 * ckpt_frames_free() - release what frames took
 * @frames: from ckpt_frames_begin() or rstr_frames_begin(), or NULL
 */
void ckpt_frames_free(struct ckpt_frames *frames)
{
	if (!frames)
		return;
	kvfree(frames->work);
	kvfree(frames->raw);
	kvfree(frames->frame);
	kfree(frames);
}

static struct ckpt_frames *ckpt_frames_alloc(const struct ckpt_codec *codec,
					     size_t work_size)
{
	struct ckpt_frames *frames;

	frames = kzalloc(sizeof(*frames), GFP_KERNEL_ACCOUNT);
	if (!frames)
		return NULL;
	frames->codec = codec;
	frames->work_size = work_size;
	frames->raw = kvmalloc(CKPT_FRAME_RAW, GFP_KERNEL_ACCOUNT);
	frames->frame = kvmalloc(sizeof(*frames->frame) + CKPT_FRAME_RAW,
				 GFP_KERNEL_ACCOUNT);
	if (work_size)
		frames->work = kvmalloc(work_size, GFP_KERNEL_ACCOUNT);
	if (frames->raw && frames->frame && (frames->work || !work_size))
		return frames;
	ckpt_frames_free(frames);
	return NULL;
}

static void *ckpt_frame_data(struct ckpt_frames *frames)
{
	return frames->frame + 1;
}

static u64 ckpt_frame_sum(const struct ckpt_frame *frame, size_t size)
{
	struct xxh64_state state;

	xxh64_reset(&state, 0);
	xxh64_update(&state, frame, offsetof(typeof(*frame), sum));
	xxh64_update(&state, frame + 1, size);
	return xxh64_digest(&state);
}

/* The writer. */

/**
 * ckpt_frames_begin() - get ready to compress, if the pages are to be compressed
 * @ctx: the checkpoint
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_frames_begin(struct ckpt_ctx *ctx)
{
	const struct ckpt_codec *codec = ckpt_codecs;

	if (!(ctx->flags & CHECKPOINT_COMPRESS))
		return 0;
	while (!(ctx->flags & codec->flag))
		codec++;
	ctx->frames = ckpt_frames_alloc(codec, codec->compress_work());
	return ctx->frames ? 0 : -ENOMEM;
}

static int ckpt_frame_write(struct ckpt_ctx *ctx)
{
	struct ckpt_frames *frames = ctx->frames;
	struct ckpt_frame *frame = frames->frame;
	size_t len = (size_t)frames->nr << PAGE_SHIFT, size;

	size = frames->codec->compress(frames, ckpt_frame_data(frames), len - 1,
				       frames->raw, len);
	if (!size) {
		memcpy(ckpt_frame_data(frames), frames->raw, len);
		size = len;
	}
	frame->nr_pages = cpu_to_le32(frames->nr);
	frame->size = cpu_to_le32(size);
	frame->sum = cpu_to_le64(ckpt_frame_sum(frame, size));
	frames->nr = 0;
	cond_resched();
	return ckpt_write(ctx, frame, sizeof(*frame) + size);
}

/**
 * ckpt_frames_add() - write pages, a frame whenever there are enough of them
 * @ctx: the checkpoint
 * @batch: the pages that come next
 *
 * Return: 0 or a negative errno.
 */
int ckpt_frames_add(struct ckpt_ctx *ctx, const struct ckpt_batch *batch)
{
	struct ckpt_frames *frames = ctx->frames;
	int err = 0;

	for (unsigned int i = 0; i < batch->nr && !err; i++) {
		memcpy_from_page(frames->raw + (frames->nr << PAGE_SHIFT),
				 batch->pages[i], 0, PAGE_SIZE);
		if (++frames->nr == CKPT_FRAME_PAGES)
			err = ckpt_frame_write(ctx);
	}
	return err;
}

/**
 * ckpt_frames_end() - write what is left, as no more pages come
 * @ctx: the checkpoint
 *
 * Return: 0 or a negative errno.
 */
int ckpt_frames_end(struct ckpt_ctx *ctx)
{
	return ctx->frames && ctx->frames->nr ? ckpt_frame_write(ctx) : 0;
}

/* The reader. */

/**
 * rstr_frames_begin() - get ready to decompress, if the pages are compressed
 * @ctx: the restart, whose metadata has been read
 *
 * Return: 0 or -ENOMEM.
 */
int rstr_frames_begin(struct rstr_ctx *ctx)
{
	const struct ckpt_codec *codec = ckpt_codecs;

	if (!rstr_image_has(ctx, CKPT_INCOMPAT_COMPRESSED))
		return 0;
	while (!rstr_image_has(ctx, codec->feature))
		codec++;
	ctx->frames = ckpt_frames_alloc(codec, codec->decompress_work());
	return ctx->frames ? 0 : -ENOMEM;
}

static int rstr_frame_bad(struct rstr_ctx *ctx, const char *what)
{
	return rstr_pages_bad(ctx, ctx->frames->before,
			      le32_to_cpu(ctx->frames->frame->nr_pages), what);
}

/* What it says of itself, before that is relied on. */
static int rstr_frame_check(struct rstr_ctx *ctx)
{
	const struct ckpt_frame *frame = ctx->frames->frame;
	u64 left = le64_to_cpu(ctx->header->nr_pages) - ctx->frames->before;
	u32 nr = le32_to_cpu(frame->nr_pages), size = le32_to_cpu(frame->size);

	if (nr && nr <= CKPT_FRAME_PAGES && nr <= left &&
	    size && size <= nr << PAGE_SHIFT)
		return 0;
	return ckpt_refuse(&ctx->log, -EBADMSG,
			   "image: frame at page %llu: %u bytes for %u pages, of which %llu are left",
			   ctx->frames->before, size, nr, left);
}

/* Decompress, or take what is as long as the pages are. */
static int rstr_frame_unpack(struct rstr_ctx *ctx)
{
	struct ckpt_frames *frames = ctx->frames;
	size_t size = le32_to_cpu(frames->frame->size);
	size_t len = (size_t)frames->nr << PAGE_SHIFT;

	if (size == len) {
		memcpy(frames->raw, ckpt_frame_data(frames), len);
		return 0;
	}
	if (frames->codec->decompress(frames, frames->raw, len,
				      ckpt_frame_data(frames), size) != len)
		return rstr_frame_bad(ctx, "can't be decompressed");
	return 0;
}

static int rstr_frame_read(struct rstr_ctx *ctx)
{
	struct ckpt_frames *frames = ctx->frames;
	struct ckpt_frame *frame = frames->frame;
	int err;

	frames->before += frames->nr;
	frames->nr = 0;
	frames->used = 0;
	err = rstr_read(ctx, frame, sizeof(*frame), "pages");
	if (!err)
		err = rstr_frame_check(ctx);
	if (!err)
		err = rstr_read(ctx, ckpt_frame_data(frames),
				le32_to_cpu(frame->size), "pages");
	if (err)
		return err;
	if (le64_to_cpu(frame->sum) !=
	    ckpt_frame_sum(frame, le32_to_cpu(frame->size)))
		return rstr_frame_bad(ctx, "checksum mismatch");
	frames->nr = le32_to_cpu(frame->nr_pages);
	return rstr_frame_unpack(ctx);
}

/**
 * rstr_frames_read() - read pages out of frames
 * @ctx: the restart
 * @batch: where the pages that come next go
 *
 * Return: 0 or a negative errno.
 */
int rstr_frames_read(struct rstr_ctx *ctx, const struct ckpt_batch *batch)
{
	struct ckpt_frames *frames = ctx->frames;
	int err;

	for (unsigned int i = 0; i < batch->nr; i++) {
		if (frames->used == frames->nr) {
			err = rstr_frame_read(ctx);
			if (err)
				return err;
		}
		memcpy_to_page(batch->pages[i], 0, frames->raw +
			       (frames->used++ << PAGE_SHIFT), PAGE_SIZE);
	}
	return 0;
}
