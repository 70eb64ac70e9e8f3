/* SPDX-License-Identifier: GPL-2.0-only */
/* The image as bytes: what writer and reader share. */
#ifndef _CHECKPOINT_IMAGE_H
#define _CHECKPOINT_IMAGE_H

#include <linux/align.h>
#include <linux/checkpoint_image.h>

struct ckpt_ctx;
struct rstr_ctx;

/**
 * struct ckpt_buf - bytes as they grow
 * @data: kvmalloc'ed
 * @len: bytes in use
 * @cap: bytes there are
 */
struct ckpt_buf {
	void	*data;
	size_t	len;
	size_t	cap;
};

u32 ckpt_crc(const void *data, size_t len);
u32 ckpt_record_crc(const struct ckpt_record *rec);

static inline void *ckpt_record_next(const struct ckpt_record *rec)
{
	return (void *)(rec + 1) + ALIGN((size_t)le32_to_cpu(rec->size), 8);
}

int ckpt_buf_reserve(struct ckpt_buf *buf, size_t len);
void *ckpt_buf_add(struct ckpt_buf *buf, size_t len);
void ckpt_buf_free(struct ckpt_buf *buf);

int ckpt_image_start(struct ckpt_ctx *ctx);
int ckpt_image_seal(struct ckpt_ctx *ctx);
void ckpt_trailer_make(struct ckpt_ctx *ctx,
		       struct ckpt_image_trailer *trailer);

/* What the architecture adds to the header, and checks in it. */
void ckpt_machine_describe(struct ckpt_image_header *hdr);
int ckpt_machine_check(struct rstr_ctx *ctx,
		       const struct ckpt_image_header *hdr);

#endif
