/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A reader of images. It takes nothing on trust: a struct image that
 * image_read() filled is whole, and all its records are what they should be.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <linux/types.h>
#include <linux/checkpoint_image.h>

#include "frames.h"
#include "record.h"
#include "sums.h"

/* As the kernel has it: all records of an image together, and its pages. */
#define IMAGE_META_MAX		(1ULL << 30)
#define IMAGE_PAGES_MAX		(1ULL << 32)

/**
 * struct image_record - where a record is
 * @type: what it is
 * @head: the record, in struct image's @meta
 * @size: of its payload
 * @nr: its number, from 1 on
 * @offset: where in the stream it starts
 * @owner: reference to the object that it is or belongs to; 0 for the end
 */
struct image_record {
	const struct record_type	*type;
	const struct ckpt_record	*head;
	__u32				size;
	__u32				nr;
	__u64				offset;
	__u32				owner;
};

/**
 * struct image - an image, the pages left out
 * @header: its header
 * @meta: all records, @meta_size bytes
 * @records: the same, @nr_records, with the end
 * @objects: those that are objects, @nr_objects, by reference less one
 * @pagemaps: the page map of each object, by its reference less one, or NULL
 * @leaders: the leading task of each thread group, by its reference less one
 * @live: the first of its tasks that is not dead, likewise; NULL of a zombie
 * @nr_pages: of the page maps that were checked so far
 * @last_object: index of the object that was read last
 * @size: of the image, trailer included
 * @stopped: for how long the tasks were stopped, in microseconds
 * @frames: what has been read of its frames, if its pages are compressed
 * @sums: checksums of the pages that have been read, if it has such
 * @checked: they were compared, and are as they should be
 * @error: what is wrong with it
 * @fd: where it is read from
 * @start: where in a file it starts
 * @pos: how far
 * @regular: it is a regular file
 * @file_size: of such a file
 */
struct image {
	struct ckpt_image_header	header;
	unsigned char			*meta;
	size_t				meta_size;
	struct image_record		*records;
	size_t				nr_records;
	const struct image_record	**objects;
	const struct image_record	**pagemaps;
	const struct image_record	**leaders;
	const struct image_record	**live;
	size_t				nr_objects;
	__u64				nr_pages;
	size_t				last_object;
	__u64				size;
	__u32				stopped;
	struct frames			frames;
	struct sums			sums;
	bool				checked;
	char				error[256];
	int				fd;
	off_t				start;
	__u64				pos;
	bool				regular;
	__u64				file_size;
};

/**
 * image_read() - read an image from front to back and check it
 * @image: to be filled in
 * @fd: where it is
 * @check: compare the checksums of the pages, if it has such, and decompress them, if
 *	they are compressed
 *
 * Works on a pipe as on a file; of a file the pages are not read, unless they are to
 * be checked.
 *
 * Return: 0; -1 if the image is damaged or cannot be read, and then @error says
 * what is wrong and where. Either way image_free() is to follow.
 */
int image_read(struct image *image, int fd, bool check);

/**
 * image_read_meta() - the same, up to the pages
 * @image: to be filled in
 * @fd: where it is; at the first page afterwards
 *
 * image_read_pages() goes on, or who reads them himself and then calls
 * image_read_sums(), having called image_sum() as they came; and then
 * image_read_trailer().
 *
 * Return: as image_read()
 */
int image_read_meta(struct image *image, int fd);
int image_read_pages(struct image *image, bool check);
int image_sum(struct image *image, const void *pages, size_t len);
int image_read_sums(struct image *image);
int image_read_trailer(struct image *image);

/* Read @len bytes of @what, all of them. */
int image_read_exactly(struct image *image, void *buf, size_t len,
		       const char *what);
void image_free(struct image *image);

/* Tell what is wrong with a header; 0 if nothing. Needs only @header. */
int image_check_header(struct image *image);

/* How large an image with this header, found good, will be; 0 if it is compressed, as
 * that is not known then.
 */
__u64 image_size(const struct ckpt_image_header *header);

/* Set @error; returns -1. The second one names a record. */
__attribute__((format(printf, 2, 3)))
int image_bad(struct image *image, const char *fmt, ...);
__attribute__((format(printf, 3, 4)))
int image_bad_record(struct image *image, const struct image_record *record,
		     const char *fmt, ...);

/* Tell what is wrong with @nr pages, from @page of the page section on; -1. */
int image_bad_pages(struct image *image, __u64 page, __u64 nr,
		    const char *what);

/* How large the checksums of all pages are; and how many bytes one is of. */
__u64 image_sums_size(const struct ckpt_image_header *header);
size_t image_sum_group(const struct image *image);

/* Whether it has a feature, of CKPT_INCOMPAT_*. */
static inline bool image_has(const struct image *image, __u64 feature)
{
	return le64toh(image->header.incompat) & feature;
}

/* Whether it needs a parent. */
static inline bool image_is_child(const struct image *image)
{
	return image_has(image, CKPT_INCOMPAT_PARENT);
}

/* As text, with its NUL. */
#define IMAGE_UUID_LEN	37

/* Returns @buf. */
const char *image_uuid(char buf[IMAGE_UUID_LEN], const __u8 *uuid);

static inline const void *image_payload(const struct image_record *record)
{
	return record->head + 1;
}

/* The object that @ref, found good, refers to. */
static inline const struct image_record *
image_object(const struct image *image, __u32 ref)
{
	return image->objects[ref - 1];
}

/**
 * image_part() - the next part of an object
 * @image: the image
 * @record: the object, or a part of it
 * @type: CKPT_REC_*
 *
 * Return: the first such part after @record, or NULL
 */
const struct image_record *image_part(const struct image *image,
				      const struct image_record *record,
				      __u32 type);

/* Whether what the records say makes sense; check.c. */
int image_check(struct image *image);

#endif
