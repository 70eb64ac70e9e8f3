// SPDX-License-Identifier: GPL-2.0-only
/* The page section of an image, and what it has by way of checksums. */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image.h"

/* What is read at a time: as much as several checksums are of, whatever a page is. */
#define READ_CHUNK	(1024 * 1024)

static __u64 pages_size(const struct image *image)
{
	return le64toh(image->header.nr_pages) *
	       le32toh(image->header.page_size);
}

size_t image_sum_group(const struct image *image)
{
	return CKPT_SUM_PAGES * le32toh(image->header.page_size);
}

int image_sum(struct image *image, const void *pages, size_t len)
{
	if (!image_has(image, CKPT_INCOMPAT_CHECKSUM) ||
	    !sums_add(&image->sums, image_sum_group(image), pages, len))
		return 0;
	return image_bad(image, "%s", strerror(errno));
}

/* Whom a page belongs to, in words. */
static void name_owner(const struct image *image, __u64 page, char *buf,
		       size_t size)
{
	__u64 at = 0;
	size_t i;
	__u32 j;

	*buf = 0;
	for (i = 0; i < image->nr_objects; i++) {
		const struct image_record *record = image->objects[i];
		const struct ckpt_rec_pagemap *map = image_payload(record);
		__u32 owner = le32toh(map->owner);

		if (record->type->type != CKPT_REC_PAGEMAP)
			continue;
		for (j = 0; j < le32toh(map->nr_runs); j++) {
			const struct ckpt_page_run *run = &map->runs[j];

			if (run->flags)
				continue;
			if (page - at < le32toh(run->nr)) {
				snprintf(buf, size, ", of %s, object %u, from %#llx on",
					 image_object(image, owner)->type->name,
					 owner, (__u64)le64toh(run->start) +
					 (page - at) *
					 le32toh(image->header.page_size));
				return;
			}
			at += le32toh(run->nr);
		}
	}
}

int image_bad_pages(struct image *image, __u64 page, __u64 nr, const char *what)
{
	__u64 all = le64toh(image->header.nr_pages);
	__u64 end = page + nr < all ? page + nr : all;
	char owner[96];

	name_owner(image, page, owner, sizeof(owner));
	return image_bad(image, "pages %llu to %llu%s: %s", page, end - 1,
			 owner, what);
}

static int compare_sums(struct image *image)
{
	__le64 stored[512];
	size_t at, n, i;

	if (sums_end(&image->sums))
		return image_bad(image, "%s", strerror(errno));
	for (at = 0; at < image->sums.nr; at += n) {
		n = image->sums.nr - at;
		n = n < 512 ? n : 512;
		if (image_read_exactly(image, stored, n * sizeof(*stored),
				       "checksums"))
			return -1;
		for (i = 0; i < n; i++)
			if (stored[i] != image->sums.table[at + i])
				return image_bad_pages(image, (at + i) *
						       CKPT_SUM_PAGES,
						       CKPT_SUM_PAGES,
						       "checksum mismatch");
	}
	image->checked = true;
	return 0;
}

int image_read_sums(struct image *image)
{
	return image_has(image, CKPT_INCOMPAT_CHECKSUM) ?
	       compare_sums(image) : 0;
}

static int read_all(struct image *image)
{
	__u64 len = pages_size(image);
	char *buf = malloc(READ_CHUNK);
	int ret = 0;

	if (!buf)
		return image_bad(image, "%s", strerror(errno));
	while (len && !ret) {
		size_t n = len < READ_CHUNK ? len : READ_CHUNK;

		ret = image_read_exactly(image, buf, n, "pages");
		if (!ret)
			ret = image_sum(image, buf, n);
		len -= n;
	}
	free(buf);
	return ret ? -1 : image_read_sums(image);
}

/* In a file there is no need to read what is not looked at. */
static int skip(struct image *image, off_t here)
{
	__u64 len = pages_size(image) + image_sums_size(&image->header);

	if (image->file_size < here + len) {
		image->pos += image->file_size - here;
		return image_bad(image, "cut short at byte %llu, in the pages",
				 image->pos);
	}
	if (lseek(image->fd, len, SEEK_CUR) < 0)
		return image_bad(image, "byte %llu: %s", image->pos,
				 strerror(errno));
	image->pos += len;
	return 0;
}

int image_read_pages(struct image *image, bool check)
{
	off_t here = image->regular ? lseek(image->fd, 0, SEEK_CUR) : -1;

	if (image_has(image, CKPT_INCOMPAT_COMPRESSED))
		return here < 0 || check ? frames_check(image) :
					   frames_skip(image);
	if (here < 0 || (check && image_has(image, CKPT_INCOMPAT_CHECKSUM)))
		return read_all(image);
	return skip(image, here);
}
