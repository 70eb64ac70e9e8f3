// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "crc32c.h"
#include "image.h"

/* No more memory at a time than there were bytes to fill it. */
#define READ_CHUNK	(1U << 20)

int image_bad(struct image *image, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(image->error, sizeof(image->error), fmt, args);
	va_end(args);
	return -1;
}

int image_bad_record(struct image *image, const struct image_record *record,
		     const char *fmt, ...)
{
	char reason[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	if (!record->type)
		return image_bad(image, "record %u at byte %llu: %s",
				 record->nr, record->offset, reason);
	return image_bad(image, "record %u (%s) at byte %llu: %s", record->nr,
			 record->type->name, record->offset, reason);
}

int image_read_exactly(struct image *image, void *buf, size_t len,
		       const char *what)
{
	char *p = buf;

	while (len) {
		ssize_t n = read(image->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return image_bad(image, "byte %llu: %s", image->pos,
					 strerror(errno));
		if (!n)
			return image_bad(image,
					 "cut short at byte %llu, in the %s",
					 image->pos, what);
		p += n;
		len -= n;
		image->pos += n;
	}
	return 0;
}

static int check_magic(struct image *image)
{
	const __u8 *magic = image->header.magic;

	if (!memcmp(magic, CKPT_IMAGE_MAGIC, sizeof(image->header.magic)))
		return 0;
	if (!memcmp(magic, CKPT_IMAGE_MAGIC, 5))
		return image_bad(image, "changed by a transfer in text mode");
	return image_bad(image, "not the image of a checkpoint");
}

/* Limits come first, so that no sum of what follows can overflow. */
static int check_layout(struct image *image)
{
	const struct ckpt_image_header *h = &image->header;
	__u32 page_size = le32toh(h->page_size);
	__u64 meta_size = le64toh(h->meta_size);
	__u64 offset = le64toh(h->pages_offset);

	if (page_size < 4096 || page_size > 65536 || page_size & (page_size - 1))
		return image_bad(image, "header: pages of %u bytes", page_size);
	if (meta_size > IMAGE_META_MAX || meta_size % 8)
		return image_bad(image, "header: metadata of %llu bytes",
				 meta_size);
	if (le64toh(h->nr_pages) > IMAGE_PAGES_MAX)
		return image_bad(image, "header: %llu pages",
				 (__u64)le64toh(h->nr_pages));
	if (offset < sizeof(*h) + meta_size || offset % page_size ||
	    offset > 2 * IMAGE_META_MAX)
		return image_bad(image, "header: pages at byte %llu", offset);
	return 0;
}

const char *image_uuid(char buf[IMAGE_UUID_LEN], const __u8 *uuid)
{
	int i, at = 0;

	for (i = 0; i < CKPT_UUID_LEN; i++)
		at += sprintf(buf + at, "%s%02x", i == 4 || i == 6 || i == 8 ||
			      i == 10 ? "-" : "", uuid[i]);
	return buf;
}

int image_check_header(struct image *image)
{
	const struct ckpt_image_header *h = &image->header;

	if (check_magic(image))
		return -1;
	if (le32toh(h->version) != CKPT_IMAGE_VERSION)
		return image_bad(image, "format %u, this program knows %u",
				 le32toh(h->version), CKPT_IMAGE_VERSION);
	if (le32toh(h->size) != sizeof(*h))
		return image_bad(image, "header: of %u bytes, expected %zu",
				 le32toh(h->size), sizeof(*h));
	if (crc32c(0, h, offsetof(struct ckpt_image_header, crc)) !=
	    le32toh(h->crc))
		return image_bad(image, "header: checksum mismatch");
	if (le64toh(h->incompat) & ~CKPT_INCOMPAT_KNOWN)
		return image_bad(image, "header: unknown features %#llx",
				 (__u64)le64toh(h->incompat));
	if (__builtin_popcountll(le64toh(h->incompat) & CKPT_INCOMPAT_EITHER) > 1)
		return image_bad(image, "header: features %#llx exclude each other",
				 (__u64)le64toh(h->incompat));
	if (bytes_are_zero(h->parent, sizeof(h->parent)) ==
	    image_is_child(image))
		return image_bad(image, "header: a parent, or none, against its features");
	if (!bytes_are_zero(h->reserved, sizeof(h->reserved)))
		return image_bad(image, "header: reserved bytes are not zero");
	return check_layout(image);
}

__u64 image_sums_size(const struct ckpt_image_header *header)
{
	if (!(le64toh(header->incompat) & CKPT_INCOMPAT_CHECKSUM))
		return 0;
	return (le64toh(header->nr_pages) + CKPT_SUM_PAGES - 1) /
	       CKPT_SUM_PAGES * sizeof(__le64);
}

__u64 image_size(const struct ckpt_image_header *header)
{
	if (le64toh(header->incompat) & CKPT_INCOMPAT_COMPRESSED)
		return 0;
	return le64toh(header->pages_offset) +
	       le64toh(header->nr_pages) * le32toh(header->page_size) +
	       image_sums_size(header) + sizeof(struct ckpt_image_trailer);
}

static int read_header(struct image *image)
{
	struct stat st;

	if (fstat(image->fd, &st))
		return image_bad(image, "%s", strerror(errno));
	image->regular = S_ISREG(st.st_mode);
	image->file_size = st.st_size;
	image->start = lseek(image->fd, 0, SEEK_CUR);
	if (image_read_exactly(image, &image->header, sizeof(image->header),
			       "header"))
		return image->pos ? -1 : image_bad(image, "empty");
	return image_check_header(image);
}

static int read_meta(struct image *image)
{
	size_t want = le64toh(image->header.meta_size);

	while (image->meta_size < want) {
		size_t n = want - image->meta_size;
		unsigned char *meta;

		if (n > READ_CHUNK)
			n = READ_CHUNK;
		meta = realloc(image->meta, image->meta_size + n);
		if (!meta)
			return image_bad(image, "%s", strerror(errno));
		image->meta = meta;
		if (image_read_exactly(image, meta + image->meta_size, n, "metadata"))
			return -1;
		image->meta_size += n;
	}
	return 0;
}

static size_t padded(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

static __u32 record_crc(const struct ckpt_record *head, size_t payload)
{
	__u32 crc = crc32c(0, head, offsetof(struct ckpt_record, crc));

	return crc32c(crc, head + 1, payload);
}

static int check_size(struct image *image, const struct image_record *record)
{
	const struct record_type *type = record->type;
	const struct field *tail = type->tail;

	if (!tail && record->size != type->size)
		return image_bad_record(image, record,
					"%u bytes of payload, expected %zu",
					record->size, type->size);
	if (record->size < type->size)
		return image_bad_record(image, record,
					"%u bytes of payload, expected %zu or more",
					record->size, type->size);
	if (tail && tail->stride &&
	    (record->size - type->size) % tail->stride)
		return image_bad_record(image, record,
					"%u bytes of payload do not end with one of %s",
					record->size, tail->name);
	return 0;
}

/* An object has the next number; a part that of the object before it. */
static int check_owner(struct image *image, const struct image_record *record)
{
	const struct record_type *type = record->type;
	__u32 flags = le32toh(record->head->flags);
	const struct image_record *owner;
	__u32 expected = 0;

	if (flags != (type->owners ? CKPT_RECORD_PART : 0))
		return image_bad_record(image, record, "flags %#x", flags);
	if (type->family)
		expected = image->nr_objects + 1;
	else if (type->owners)
		expected = image->nr_objects;
	if (le32toh(record->head->ref) != expected)
		return image_bad_record(image, record,
					"reference %u, expected %u",
					le32toh(record->head->ref), expected);
	if (!type->owners)
		return 0;
	owner = &image->records[image->last_object];
	if (!(owner->type->family & type->owners))
		return image_bad_record(image, record, "part of %s",
					owner->type->name);
	return 0;
}

/* The record at byte @at of the metadata, on its own. */
static int check_frame(struct image *image, struct image_record *record,
		       size_t at)
{
	const struct ckpt_record *head = (void *)(image->meta + at);
	size_t room = image->meta_size - at - sizeof(*head);
	size_t payload;

	record->head = head;
	record->size = le32toh(head->size);
	record->type = record_type_of(le32toh(head->type));
	payload = padded(record->size);
	if (payload > room)
		return image_bad_record(image, record,
					"%u bytes of payload, but %zu bytes of metadata are left",
					record->size, room);
	if (record_crc(head, payload) != le32toh(head->crc))
		return image_bad_record(image, record, "checksum mismatch");
	if (!record->type)
		return image_bad_record(image, record, "unknown type %#x",
					le32toh(head->type));
	if (head->reserved ||
	    !bytes_are_zero((const char *)(head + 1) + record->size,
		      payload - record->size))
		return image_bad_record(image, record,
					"padding is not zero");
	return check_size(image, record);
}

static struct image_record *new_record(struct image *image)
{
	size_t nr = image->nr_records;
	struct image_record *record;

	/* Room is added whenever all powers of two are used up. */
	if (!(nr & (nr - 1))) {
		record = reallocarray(image->records, nr ? 2 * nr : 1,
				      sizeof(*record));
		if (!record) {
			image_bad(image, "%s", strerror(errno));
			return NULL;
		}
		image->records = record;
	}
	record = &image->records[nr];
	memset(record, 0, sizeof(*record));
	record->nr = nr + 1;
	return record;
}

/* Returns the size of the record at byte @at of the metadata. */
static ssize_t add_record(struct image *image, size_t at)
{
	struct image_record *record = new_record(image);

	if (!record)
		return -1;
	record->offset = sizeof(image->header) + at;
	if (image->meta_size - at < sizeof(struct ckpt_record))
		return image_bad_record(image, record,
					"%zu bytes of metadata are left",
					image->meta_size - at);
	if (check_frame(image, record, at) || check_owner(image, record))
		return -1;
	image->nr_records++;
	if (record->type->family) {
		image->nr_objects++;
		image->last_object = record->nr - 1;
	}
	if (record->type->family || record->type->owners)
		record->owner = image->nr_objects;
	return sizeof(struct ckpt_record) + padded(record->size);
}

static int check_end(struct image *image)
{
	const struct image_record *record;
	const struct ckpt_rec_end *end;
	size_t before;
	__u32 crc;

	if (!image->nr_records)
		return image_bad(image, "no records");
	record = &image->records[image->nr_records - 1];
	if (record->type->type != CKPT_REC_END)
		return image_bad_record(image, record,
					"the metadata ends with this one");
	end = image_payload(record);
	before = (unsigned char *)record->head - image->meta;
	crc = crc32c(0, &image->header, sizeof(image->header));
	crc = crc32c(crc, image->meta, before);
	if (crc != le32toh(end->crc))
		return image_bad_record(image, record,
					"checksum mismatch of all before it");
	if (le64toh(end->nr_records) != image->nr_records - 1)
		return image_bad_record(image, record,
					"%llu records announced",
					(__u64)le64toh(end->nr_records));
	return 0;
}

static int split_meta(struct image *image)
{
	const struct image_record *last;
	size_t at = 0;
	ssize_t n;

	while (at < image->meta_size) {
		n = add_record(image, at);
		if (n < 0)
			return -1;
		at += n;
		last = &image->records[image->nr_records - 1];
		if (last->type->type == CKPT_REC_END && at < image->meta_size)
			return image_bad_record(image, last,
						"%zu bytes of metadata follow it",
						image->meta_size - at);
	}
	return check_end(image);
}

static int index_objects(struct image *image)
{
	size_t room = image->nr_objects + 1;
	size_t i;

	image->objects = calloc(room, sizeof(image->objects[0]));
	image->pagemaps = calloc(room, sizeof(image->pagemaps[0]));
	image->leaders = calloc(room, sizeof(image->leaders[0]));
	image->live = calloc(room, sizeof(image->live[0]));
	if (!image->objects || !image->pagemaps || !image->leaders ||
	    !image->live)
		return image_bad(image, "%s", strerror(errno));
	for (i = 0; i < image->nr_records; i++) {
		const struct image_record *record = &image->records[i];

		if (record->type->family)
			image->objects[record->owner - 1] = record;
	}
	return 0;
}

/* What lies between the metadata and the pages. */
static int read_gap(struct image *image)
{
	__u64 end = le64toh(image->header.pages_offset);
	char buf[4096];

	while (image->pos < end) {
		__u64 start = image->pos;
		size_t n = sizeof(buf);

		if (n > end - start)
			n = end - start;
		if (image_read_exactly(image, buf, n, "padding before the pages"))
			return -1;
		if (!bytes_are_zero(buf, n))
			return image_bad(image,
					 "byte %llu and on: padding before the pages is not zero",
					 start);
	}
	return 0;
}

int image_read_trailer(struct image *image)
{
	struct ckpt_image_trailer trailer;
	__u64 start = image->pos;

	if (image_read_exactly(image, &trailer, sizeof(trailer), "trailer"))
		return -1;
	if (memcmp(trailer.magic, CKPT_TRAILER_MAGIC, sizeof(trailer.magic)))
		return image_bad(image, "no trailer at byte %llu", start);
	if (crc32c(0, &trailer, offsetof(struct ckpt_image_trailer, crc)) !=
	    le32toh(trailer.crc))
		return image_bad(image,
				 "trailer at byte %llu: checksum mismatch",
				 start);
	if (trailer.id != image->header.id ||
	    trailer.nr_pages != image->header.nr_pages)
		return image_bad(image,
				 "trailer at byte %llu: is of another image",
				 start);
	image->stopped = le32toh(trailer.stopped);
	return 0;
}

int image_read_meta(struct image *image, int fd)
{
	memset(image, 0, sizeof(*image));
	image->fd = fd;
	if (read_header(image) || read_meta(image) || split_meta(image) ||
	    index_objects(image) || image_check(image) || read_gap(image))
		return -1;
	return 0;
}

int image_read(struct image *image, int fd, bool check)
{
	if (image_read_meta(image, fd) || image_read_pages(image, check) ||
	    image_read_trailer(image))
		return -1;
	image->size = image->pos;
	return 0;
}

void image_free(struct image *image)
{
	free(image->meta);
	free(image->records);
	free(image->objects);
	free(image->pagemaps);
	free(image->leaders);
	free(image->live);
	free(image->sums.table);
	frames_free(&image->frames);
}

const struct image_record *image_part(const struct image *image,
				      const struct image_record *record,
				      __u32 type)
{
	const struct image_record *end = image->records + image->nr_records;

	while (++record < end && record->type->owners)
		if (record->type->type == type)
			return record;
	return NULL;
}
