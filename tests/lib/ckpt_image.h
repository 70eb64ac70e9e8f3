/* SPDX-License-Identifier: GPL-2.0-only */
/* An image in memory: its records, and how to make them right again. */
#ifndef CKPT_IMAGE_H
#define CKPT_IMAGE_H

#include <linux/checkpoint_image.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * struct ckpt_image - an image
 * @bytes: all of it, with room for more
 * @room: how much there is
 * @len: of it
 * @meta: where the records end, %CKPT_REC_END included
 * @tail: where pages and trailer begin
 */
struct ckpt_image {
	__u8	*bytes;
	size_t	room;
	size_t	len;
	size_t	meta;
	size_t	tail;
};

#define CKPT_IMAGE_FIRST	sizeof(struct ckpt_image_header)
/* More records than an image has that somebody wants to change. */
#define CKPT_IMAGE_RECORDS	2048

/* Read a whole image from a descriptor. Returns false if it is none. */
bool ckpt_image_load(struct ckpt_image *image, int fd);
void ckpt_image_copy(struct ckpt_image *to, const struct ckpt_image *from);

/* The record there, and the bytes it takes up. */
struct ckpt_record *ckpt_image_record(const struct ckpt_image *image,
				      size_t at);
size_t ckpt_record_len(const struct ckpt_record *rec);

/* Where the records begin. Returns how many there are, the last one included. */
unsigned int ckpt_image_records(const struct ckpt_image *image, size_t *at,
				unsigned int max);

/* Put bytes, zeros if @from is NULL, in between the records; take some away. */
bool ckpt_image_insert(struct ckpt_image *image, size_t at, const void *from,
		       size_t len);
void ckpt_image_remove(struct ckpt_image *image, size_t at, size_t len);

/* Make lengths and counts right, number the objects anew. */
void ckpt_image_recount(struct ckpt_image *image, bool renumber);

/* Make the checksums right. Damage that hides a record's end is left alone. */
void ckpt_image_reseal(struct ckpt_image *image);

__u32 ckpt_crc32c(const void *data, size_t len);

/* The frame of that number, from 0 on, of compressed pages; NULL if there is none. */
struct ckpt_frame *ckpt_image_frame(const struct ckpt_image *image,
				    unsigned int nr);

/* Make its checksum right, if it has so many bytes. */
void ckpt_frame_seal(const struct ckpt_image *image, struct ckpt_frame *frame);

#endif /* CKPT_IMAGE_H */
