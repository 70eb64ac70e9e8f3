// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "ckpt_image.h"

/* As RFC 3720, appendix B.4, has it. */
static __u32 ckpt_crc_table[256];

static void ckpt_crc_init(void)
{
	for (__u32 i = 0; i < 256; i++) {
		__u32 crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
		ckpt_crc_table[i] = crc;
	}
}

static __u32 ckpt_crc_more(__u32 crc, const void *data, size_t len)
{
	const __u8 *p = data;

	while (len--)
		crc = crc >> 8 ^ ckpt_crc_table[(crc ^ *p++) & 0xff];
	return crc;
}

__u32 ckpt_crc32c(const void *data, size_t len)
{
	if (!ckpt_crc_table[1])
		ckpt_crc_init();
	return ~ckpt_crc_more(~0U, data, len);
}

static struct ckpt_image_header *ckpt_image_header(const struct ckpt_image *image)
{
	return (struct ckpt_image_header *)image->bytes;
}

bool ckpt_image_load(struct ckpt_image *image, int fd)
{
	struct ckpt_image_header *hdr = ckpt_image_header(image);
	ssize_t ret;

	for (image->len = 0; image->len < image->room; image->len += ret) {
		ret = read(fd, image->bytes + image->len,
			   image->room - image->len);
		if (ret <= 0)
			break;
	}
	image->meta = sizeof(*hdr) + hdr->meta_size;
	image->tail = hdr->pages_offset;
	return image->len > image->tail && image->meta <= image->tail &&
	       !memcmp(hdr->magic, CKPT_IMAGE_MAGIC, sizeof(hdr->magic));
}

void ckpt_image_copy(struct ckpt_image *to, const struct ckpt_image *from)
{
	memcpy(to->bytes, from->bytes, from->len);
	to->len = from->len;
	to->meta = from->meta;
	to->tail = from->tail;
}

struct ckpt_record *ckpt_image_record(const struct ckpt_image *image, size_t at)
{
	return (struct ckpt_record *)(image->bytes + at);
}

size_t ckpt_record_len(const struct ckpt_record *rec)
{
	return sizeof(*rec) + (((size_t)rec->size + 7) & ~(size_t)7);
}

unsigned int ckpt_image_records(const struct ckpt_image *image, size_t *at,
				unsigned int max)
{
	size_t pos = CKPT_IMAGE_FIRST, len;
	unsigned int nr = 0;

	while (nr < max && image->meta - pos >= sizeof(struct ckpt_record)) {
		len = ckpt_record_len(ckpt_image_record(image, pos));
		if (len > image->meta - pos)
			break;
		at[nr++] = pos;
		pos += len;
	}
	return nr;
}

/* The pages stay where a page begins. */
static void ckpt_image_move_tail(struct ckpt_image *image)
{
	size_t tail = (image->meta + 4095) & ~(size_t)4095;
	size_t len = image->len - image->tail;

	if (tail != image->tail)
		memmove(image->bytes + tail, image->bytes + image->tail, len);
	memset(image->bytes + image->meta, 0, tail - image->meta);
	image->tail = tail;
	image->len = tail + len;
}

bool ckpt_image_insert(struct ckpt_image *image, size_t at, const void *from,
		       size_t len)
{
	__u8 *p = image->bytes + at;
	__u8 copy[len];

	if (image->len + len + 4096 > image->room)
		return false;
	if (from)
		memcpy(copy, from, len);
	else
		memset(copy, 0, len);
	/* First make room behind the records, then shift them. */
	image->meta += len;
	if (image->meta > image->tail) {
		size_t old = image->meta - len;
		size_t end = (image->meta + 4095) & ~(size_t)4095;

		memmove(image->bytes + end, image->bytes + image->tail,
			image->len - image->tail);
		memset(image->bytes + old, 0, end - old);
		image->len += end - image->tail;
		image->tail = end;
	}
	memmove(p + len, p, image->meta - len - at);
	memcpy(p, copy, len);
	return true;
}

void ckpt_image_remove(struct ckpt_image *image, size_t at, size_t len)
{
	memmove(image->bytes + at, image->bytes + at + len,
		image->meta - at - len);
	image->meta -= len;
	ckpt_image_move_tail(image);
}

void ckpt_image_recount(struct ckpt_image *image, bool renumber)
{
	struct ckpt_image_header *hdr = ckpt_image_header(image);
	struct ckpt_rec_end *end;
	struct ckpt_record *rec;
	unsigned int nr, ref = 0;
	size_t at[CKPT_IMAGE_RECORDS];

	hdr->meta_size = image->meta - sizeof(*hdr);
	hdr->pages_offset = image->tail;
	nr = ckpt_image_records(image, at, CKPT_IMAGE_RECORDS);
	for (unsigned int i = 0; i < nr; i++) {
		rec = ckpt_image_record(image, at[i]);
		if (rec->type == CKPT_REC_END && rec->size == sizeof(*end)) {
			end = (struct ckpt_rec_end *)(rec + 1);
			end->nr_records = i;
		} else if (renumber) {
			ref += !(rec->flags & CKPT_RECORD_PART);
			rec->ref = ref;
		}
	}
}

static void ckpt_record_seal(struct ckpt_record *rec)
{
	__u32 crc;

	ckpt_crc32c(NULL, 0);
	crc = ckpt_crc_more(~0U, rec, offsetof(struct ckpt_record, crc));
	rec->crc = ~ckpt_crc_more(crc, rec + 1,
				  ckpt_record_len(rec) - sizeof(*rec));
}

void ckpt_image_reseal(struct ckpt_image *image)
{
	struct ckpt_image_header *hdr = ckpt_image_header(image);
	struct ckpt_image_trailer *trailer;
	struct ckpt_rec_end *end;
	struct ckpt_record *rec;
	size_t at[CKPT_IMAGE_RECORDS];
	unsigned int nr;

	hdr->crc = ckpt_crc32c(hdr, offsetof(typeof(*hdr), crc));
	nr = ckpt_image_records(image, at, CKPT_IMAGE_RECORDS);
	for (unsigned int i = 0; i < nr; i++) {
		rec = ckpt_image_record(image, at[i]);
		end = (struct ckpt_rec_end *)(rec + 1);
		if (rec->type == CKPT_REC_END && rec->size == sizeof(*end))
			end->crc = ckpt_crc32c(image->bytes, at[i]);
		ckpt_record_seal(rec);
	}
	trailer = (void *)(image->bytes + image->len - sizeof(*trailer));
	if (image->len >= image->tail + sizeof(*trailer)) {
		trailer->id = hdr->id;
		trailer->nr_pages = hdr->nr_pages;
		trailer->crc = ckpt_crc32c(trailer,
					   offsetof(typeof(*trailer), crc));
	}
}

/* Frames. */

static size_t ckpt_frame_room(const struct ckpt_image *image, size_t at)
{
	size_t end = image->len - sizeof(struct ckpt_image_trailer);

	return at <= end ? end - at : 0;
}

struct ckpt_frame *ckpt_image_frame(const struct ckpt_image *image,
				    unsigned int nr)
{
	struct ckpt_frame *frame;
	size_t at = image->tail;

	for (;; at += sizeof(*frame) + frame->size) {
		frame = (struct ckpt_frame *)(image->bytes + at);
		if (ckpt_frame_room(image, at) < sizeof(*frame))
			return NULL;
		if (!nr--)
			return frame;
	}
}

void ckpt_frame_seal(const struct ckpt_image *image, struct ckpt_frame *frame)
{
	size_t len = sizeof(*frame) + (size_t)frame->size;
	__u8 *bytes;

	if (len > ckpt_frame_room(image, (__u8 *)frame - image->bytes))
		return;
	/* What is summed up is not in one piece. */
	bytes = malloc(len);
	memcpy(bytes, frame, offsetof(struct ckpt_frame, sum));
	memcpy(bytes + offsetof(struct ckpt_frame, sum), frame + 1, frame->size);
	frame->sum = XXH64(bytes, len - sizeof(frame->sum), 0);
	free(bytes);
}
