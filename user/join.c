// SPDX-License-Identifier: GPL-2.0-only
/*
 * Joining a chain: the records of the youngest image, with page maps in which a run
 * of the parent's is replaced by whatever the parent has there, which may in turn be
 * its parent's; and the pages from wherever they are. Those that several address
 * spaces have are written once if the youngest image has them so.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chain.h"
#include "crc32c.h"

/* What is copied at a time. */
#define COPY_SIZE	(1U << 20)

/**
 * struct piece - pages that lie side by side, in memory and in an image
 * @run: as the joined page map has it
 * @from: the image that has them
 * @first: the first one's number in the page section of that
 * @to: and in the joined page section
 */
struct piece {
	struct ckpt_page_run	run;
	size_t			from;
	__u64			first;
	__u64			to;
};

/**
 * struct join - what is being joined
 * @chain: out of what
 * @out: where it goes
 * @pieces: the pages, in the order in which they will be in the page section
 * @nr_pieces: how many there are
 * @own: which of them are the youngest image's own pages, in their order there
 * @nr_own: how many these are
 * @nr_placed: pages that have a place in the page section
 * @meta: the metadata
 * @meta_size: bytes that there are
 * @meta_room: bytes that there is room for
 * @nr_records: how many records these are
 * @nr_pages: how many pages will be in the page section
 * @sums: of those that have been written, if the youngest has checksums
 */
struct join {
	struct chain	*chain;
	int		out;
	struct piece	*pieces;
	size_t		nr_pieces;
	size_t		*own;
	size_t		nr_own;
	__u64		nr_placed;
	unsigned char	*meta;
	size_t		meta_size;
	size_t		meta_room;
	__u64		nr_records;
	__u64		nr_pages;
	struct sums	sums;
};

static struct link *link_at(const struct join *join, size_t level)
{
	return &join->chain->links[level];
}

static __u64 page_size(const struct join *join)
{
	return le32toh(link_at(join, 0)->image.header.page_size);
}

/* ---- pieces -------------------------------------------------------------- */

/* Room for one more, which is added whenever all powers of two are used up. */
static void *add_room(void *array, size_t nr, size_t size)
{
	if (nr & (nr - 1))
		return array;
	array = reallocarray(array, nr ? 2 * nr : 1, size);
	if (!array)
		warn(NULL);
	return array;
}

static int add_own(struct join *join)
{
	size_t *own = add_room(join->own, join->nr_own, sizeof(*own));

	if (!own)
		return -1;
	join->own = own;
	own[join->nr_own++] = join->nr_pieces;
	return 0;
}

/* One that has pages has them behind those of all before it. */
static int add_piece(struct join *join, struct piece *piece)
{
	struct piece *pieces = add_room(join->pieces, join->nr_pieces,
					sizeof(*pieces));

	if (!pieces)
		return -1;
	join->pieces = pieces;
	if (!piece->run.flags) {
		if (!piece->from && add_own(join))
			return -1;
		piece->to = join->nr_placed;
		join->nr_placed += le32toh(piece->run.nr);
	}
	pieces[join->nr_pieces++] = *piece;
	return 0;
}

/* That of the youngest image's own which has the page with this number in there. */
static const struct piece *find_own(const struct join *join, __u64 page)
{
	size_t low = 0, high = join->nr_own;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (join->pieces[join->own[middle]].first <= page)
			low = middle;
		else
			high = middle;
	}
	return &join->pieces[join->own[low]];
}

/* All of its own pages are in what is joined, but maybe not side by side. */
static int add_same(struct join *join, const struct piece *all)
{
	__u32 left = le32toh(all->run.nr);
	struct piece piece = *all;

	while (left) {
		const struct piece *own = find_own(join, piece.first);
		__u64 skip = piece.first - own->first;
		__u64 nr = le32toh(own->run.nr) - skip;

		nr = nr < left ? nr : left;
		piece.run.nr = htole32(nr);
		piece.to = own->to + skip;
		if (add_piece(join, &piece))
			return -1;
		piece.run.start = htole64(le64toh(piece.run.start) +
					  nr * page_size(join));
		piece.first += nr;
		left -= nr;
	}
	return 0;
}

static __u64 run_end(const struct join *join, const struct ckpt_page_run *run)
{
	return le64toh(run->start) + le32toh(run->nr) * page_size(join);
}

/* Where the runs of a page map are that others have as well. */
static const __le64 *same_firsts(const struct link *link,
				 const struct image_record *record)
{
	const struct ckpt_rec_pagemap_same *same;

	record = image_part(&link->image, record, CKPT_REC_PAGEMAP_SAME);
	same = record ? image_payload(record) : NULL;
	return same ? same->first : NULL;
}

/* Where the pages of each run of a page map begin in the page section. */
static const __u64 *run_firsts(struct link *link,
			       const struct image_record *record)
{
	const struct ckpt_rec_pagemap *map = image_payload(record);
	__u32 nr = le32toh(map->nr_runs), owner = le32toh(map->owner), i;
	__u64 *firsts = link->firsts[owner - 1], at = 0;
	const __le64 *same = same_firsts(link, record);
	size_t object;

	if (firsts)
		return firsts;
	for (object = 0; object + 1 < record->owner; object++) {
		const struct image_record *other = link->image.objects[object];
		const struct ckpt_rec_pagemap *before = image_payload(other);

		if (other->type->type == CKPT_REC_PAGEMAP)
			at += le64toh(before->nr_pages);
	}
	firsts = calloc(nr + 1, sizeof(*firsts));
	if (!firsts) {
		warn(NULL);
		return NULL;
	}
	for (i = 0; i < nr; i++) {
		if (le32toh(map->runs[i].flags) & CKPT_RUN_SAME)
			firsts[i] = le64toh(*same++);
		else
			firsts[i] = at;
		at += map->runs[i].flags ? 0 : le32toh(map->runs[i].nr);
	}
	link->firsts[owner - 1] = firsts;
	return firsts;
}

/* The page map of an object; NULL, having said why, if there is none. */
static const struct image_record *find_map(const struct link *link, __u32 owner)
{
	const struct image *image = &link->image;

	if (owner && owner <= image->nr_objects && image->pagemaps[owner - 1])
		return image->pagemaps[owner - 1];
	warnx("%s: object %u has no memory, and a child of this image says so",
	      link->name, owner);
	return NULL;
}

/* The object of the parent that a page map has its other pages from. */
static __u32 parent_owner(const struct image *image,
			  const struct image_record *record)
{
	const struct ckpt_rec_pagemap_parent *parent;

	record = image_part(image, record, CKPT_REC_PAGEMAP_PARENT);
	parent = image_payload(record);
	return le32toh(parent->owner);
}

static __u32 first_run(const struct join *join,
		       const struct ckpt_rec_pagemap *map, __u64 start)
{
	__u32 low = 0, high = le32toh(map->nr_runs);

	while (low < high) {
		__u32 middle = low + (high - low) / 2;

		if (run_end(join, &map->runs[middle]) > start)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static int look_up(struct join *join, size_t level, __u32 owner, __u64 start,
		   __u64 end);

/* That part of a run of an ancestor which is wanted. */
static int add_part(struct join *join, size_t level,
		    const struct image_record *record, __u64 first,
		    const struct ckpt_page_run *run, __u64 start, __u64 end)
{
	__u64 from = le64toh(run->start), to = run_end(join, run);
	struct piece piece = { .from = level };
	__u64 size = page_size(join);

	start = start > from ? start : from;
	end = end < to ? end : to;
	if (le32toh(run->flags) & CKPT_RUN_PARENT)
		return look_up(join, level + 1,
			       parent_owner(&link_at(join, level)->image,
					    record), start, end);
	piece.run.start = htole64(start);
	piece.run.nr = htole32((end - start) / size);
	piece.run.flags = run->flags;
	piece.first = first + (start - from) / size;
	if (!(le32toh(run->flags) & CKPT_RUN_SAME))
		return add_piece(join, &piece);
	if (!level)
		return add_same(join, &piece);
	/* What an ancestor has in common need not be so any more. */
	piece.run.flags = 0;
	return add_piece(join, &piece);
}

/* Whatever an ancestor has of an object from @start to @end. */
static int look_up(struct join *join, size_t level, __u32 owner, __u64 start,
		   __u64 end)
{
	struct link *link = link_at(join, level);
	const struct image_record *record = find_map(link, owner);
	const struct ckpt_rec_pagemap *map;
	const __u64 *firsts;
	__u32 i;

	firsts = record ? run_firsts(link, record) : NULL;
	if (!firsts)
		return -1;
	map = image_payload(record);
	for (i = first_run(join, map, start); i < le32toh(map->nr_runs); i++) {
		if (le64toh(map->runs[i].start) >= end)
			break;
		if (add_part(join, level, record, firsts[i], &map->runs[i],
			     start, end))
			return -1;
	}
	return 0;
}

/* ---- metadata ------------------------------------------------------------ */

static size_t padded(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

/* A record whose payload is zeros; NULL, having said why, if there is no room. */
static struct ckpt_record *add_record(struct join *join, __u32 type, __u32 ref,
				      __u32 flags, size_t size)
{
	size_t len = sizeof(struct ckpt_record) + padded(size);
	struct ckpt_record *record;
	unsigned char *meta;

	if (size > UINT32_MAX || join->meta_size + len > IMAGE_META_MAX) {
		warnx("the page maps would be larger than an image may have them");
		return NULL;
	}
	if (join->meta_size + len > join->meta_room) {
		join->meta_room = 2 * (join->meta_size + len);
		meta = realloc(join->meta, join->meta_room);
		if (!meta) {
			warn(NULL);
			return NULL;
		}
		join->meta = meta;
	}
	record = (void *)(join->meta + join->meta_size);
	memset(record, 0, len);
	record->type = htole32(type);
	record->size = htole32(size);
	record->ref = htole32(ref);
	record->flags = htole32(flags);
	join->meta_size += len;
	join->nr_records++;
	return record;
}

static void seal_record(struct ckpt_record *record)
{
	__u32 crc = crc32c(0, record, offsetof(struct ckpt_record, crc));

	record->crc = htole32(crc32c(crc, record + 1,
				     padded(le32toh(record->size))));
}

static int copy_record(struct join *join, const struct image_record *record)
{
	struct ckpt_record *copy;

	copy = add_record(join, record->type->type,
			  le32toh(record->head->ref),
			  le32toh(record->head->flags), record->size);
	if (!copy)
		return -1;
	memcpy(copy + 1, record->head + 1, record->size);
	seal_record(copy);
	return 0;
}

/* Where those pieces from number @from on are that others have as well. */
static int add_pagemap_same(struct join *join, const struct image_record *record,
			    size_t from, __u32 nr)
{
	struct ckpt_rec_pagemap_same *same;
	struct ckpt_record *copy;
	size_t i;

	if (!nr)
		return 0;
	copy = add_record(join, CKPT_REC_PAGEMAP_SAME, record->owner,
			  CKPT_RECORD_PART,
			  sizeof(*same) + nr * sizeof(same->first[0]));
	if (!copy)
		return -1;
	same = (void *)(copy + 1);
	same->nr = htole32(nr);
	nr = 0;
	for (i = from; i < join->nr_pieces; i++)
		if (le32toh(join->pieces[i].run.flags) & CKPT_RUN_SAME)
			same->first[nr++] = htole64(join->pieces[i].to);
	seal_record(copy);
	return 0;
}

/* The pieces from number @from on, as a page map. */
static int add_pagemap(struct join *join, const struct image_record *record,
		       size_t from)
{
	const struct ckpt_rec_pagemap *old = image_payload(record);
	size_t nr = join->nr_pieces - from, i;
	struct ckpt_rec_pagemap *map;
	struct ckpt_record *copy;
	__u64 pages = 0;
	__u32 nr_same = 0;

	copy = add_record(join, CKPT_REC_PAGEMAP, record->owner, 0,
			  sizeof(*map) + nr * sizeof(map->runs[0]));
	if (!copy)
		return -1;
	map = (void *)(copy + 1);
	for (i = 0; i < nr; i++) {
		map->runs[i] = join->pieces[from + i].run;
		if (!map->runs[i].flags)
			pages += le32toh(map->runs[i].nr);
		if (le32toh(map->runs[i].flags) & CKPT_RUN_SAME)
			nr_same++;
	}
	map->owner = old->owner;
	map->nr_runs = htole32(nr);
	map->nr_pages = htole64(pages);
	join->nr_pages += pages;
	seal_record(copy);
	return add_pagemap_same(join, record, from, nr_same);
}

static int join_pagemap(struct join *join, const struct image_record *record)
{
	const struct ckpt_rec_pagemap *map = image_payload(record);
	struct link *link = link_at(join, 0);
	const __u64 *firsts = run_firsts(link, record);
	size_t from = join->nr_pieces;
	__u32 i;

	if (!firsts)
		return -1;
	for (i = 0; i < le32toh(map->nr_runs); i++)
		if (add_part(join, 0, record, firsts[i], &map->runs[i],
			     0, UINT64_MAX))
			return -1;
	return add_pagemap(join, record, from);
}

static int join_records(struct join *join)
{
	const struct image *image = &link_at(join, 0)->image;
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i + 1 < image->nr_records; i++) {
		const struct image_record *record = &image->records[i];

		switch (record->type->type) {
		case CKPT_REC_PAGEMAP:
			ret = join_pagemap(join, record);
			break;
		case CKPT_REC_PAGEMAP_PARENT:
		case CKPT_REC_PAGEMAP_SAME:
			break;
		default:
			ret = copy_record(join, record);
		}
	}
	return ret;
}

static void make_header(const struct join *join, size_t meta_size,
			struct ckpt_image_header *header)
{
	__u64 size = page_size(join);

	*header = link_at(join, 0)->image.header;
	/* It comes out raw; with checksums if there have been any. */
	if (header->incompat & htole64(CKPT_INCOMPAT_COMPRESSED))
		header->incompat |= htole64(CKPT_INCOMPAT_CHECKSUM);
	header->incompat &= ~htole64(CKPT_INCOMPAT_PARENT |
				     CKPT_INCOMPAT_COMPRESSED);
	memset(header->parent, 0, sizeof(header->parent));
	header->meta_size = htole64(meta_size);
	header->pages_offset = htole64((sizeof(*header) + meta_size + size - 1) /
				       size * size);
	header->nr_pages = htole64(join->nr_pages);
	header->crc = htole32(crc32c(0, header, offsetof(typeof(*header), crc)));
}

/* The end has a checksum of the header, and that knows how long it all is. */
static int add_end(struct join *join, struct ckpt_image_header *header)
{
	size_t before = join->meta_size;
	__u64 nr_records = join->nr_records;
	struct ckpt_record *record;
	struct ckpt_rec_end *end;
	__u32 crc;

	record = add_record(join, CKPT_REC_END, 0, 0, sizeof(*end));
	if (!record)
		return -1;
	make_header(join, join->meta_size, header);
	crc = crc32c(0, header, sizeof(*header));
	end = (void *)(record + 1);
	end->nr_records = htole64(nr_records);
	end->crc = htole32(crc32c(crc, join->meta, before));
	seal_record(record);
	return 0;
}

/* ---- out to the stream --------------------------------------------------- */

static int write_all(const struct join *join, const void *buf, size_t len)
{
	const char *p = buf;
	ssize_t n;

	while (len) {
		n = write(join->out, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			/* Who does not read on has a reason of his own. */
			if (errno != EPIPE)
				warn("the joined image");
			return -1;
		}
		p += n;
		len -= n;
	}
	return 0;
}

static int write_meta(struct join *join, const struct ckpt_image_header *header)
{
	static const char zeros[65536];

	if (write_all(join, header, sizeof(*header)) ||
	    write_all(join, join->meta, join->meta_size))
		return -1;
	return write_all(join, zeros, le64toh(header->pages_offset) -
			 sizeof(*header) - join->meta_size);
}

/* The next ones of the youngest; of all others any, as these are in files. */
static int unpack_pages(struct image *image, bool youngest, void *buf,
			__u64 first, __u64 nr)
{
	return (!youngest && frames_seek(image, first)) ||
	       frames_take(image, buf, nr) ? -1 : 0;
}

static int read_pages(struct link *link, void *buf, size_t len, __u64 first)
{
	struct image *image = &link->image;
	__u64 size = le32toh(image->header.page_size);
	off_t at = image->start + le64toh(image->header.pages_offset) +
		   first * size;
	char *p = buf;
	ssize_t n;

	if (image_has(image, CKPT_INCOMPAT_COMPRESSED)) {
		if (!unpack_pages(image, link->youngest, buf, first, len / size))
			return 0;
		warnx("%s: %s", link->name, image->error);
		return -1;
	}

	if (!image->regular) {
		if (!image_read_exactly(image, buf, len, "pages"))
			return 0;
		warnx("%s: %s", link->name, image->error);
		return -1;
	}
	while (len) {
		n = pread(image->fd, p, len, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			warnx("%s: %s", link->name, n ? strerror(errno) :
			      "cut short, in the pages");
			return -1;
		}
		p += n;
		at += n;
		len -= n;
	}
	return 0;
}

/* All that the youngest has are read, in order; the others have been checked. */
static int sum_pages(struct join *join, const struct piece *piece,
		     const char *buf, size_t len)
{
	struct image *youngest = &link_at(join, 0)->image;

	if (!image_has(youngest, CKPT_INCOMPAT_EITHER))
		return 0;
	if (!sums_add(&join->sums, image_sum_group(youngest), buf, len) &&
	    (piece->from || !image_sum(youngest, buf, len)))
		return 0;
	warn(NULL);
	return -1;
}

static int write_piece(struct join *join, const struct piece *piece, char *buf)
{
	struct link *link = link_at(join, piece->from);
	__u64 len = le32toh(piece->run.nr) * page_size(join);
	__u64 first = piece->first;

	while (len) {
		size_t n = len < COPY_SIZE ? len : COPY_SIZE;

		if (read_pages(link, buf, n, first) ||
		    sum_pages(join, piece, buf, n) || write_all(join, buf, n))
			return -1;
		len -= n;
		first += n / page_size(join);
	}
	return 0;
}

static int write_pages(struct join *join)
{
	char *buf = malloc(COPY_SIZE);
	int ret = 0;
	size_t i;

	if (!buf) {
		warn(NULL);
		return -1;
	}
	for (i = 0; !ret && i < join->nr_pieces; i++)
		if (!join->pieces[i].run.flags)
			ret = write_piece(join, &join->pieces[i], buf);
	free(buf);
	return ret;
}

/* The youngest has been read up to its own trailer, or is to be. */
static int check_youngest(struct link *link)
{
	struct image *image = &link->image;
	__u64 end = le64toh(image->header.pages_offset) +
		    le64toh(image->header.nr_pages) *
		    le32toh(image->header.page_size);

	if (image->regular && !image_has(image, CKPT_INCOMPAT_COMPRESSED)) {
		image->pos = end;
		if (lseek(image->fd, image->start + end, SEEK_SET) < 0) {
			warn("%s", link->name);
			return -1;
		}
	}
	if (!image_read_sums(image) && !image_read_trailer(image))
		return 0;
	warnx("%s: %s", link->name, image->error);
	return -1;
}

static int write_end(struct join *join, const struct ckpt_image_header *header)
{
	struct ckpt_image_trailer trailer = {
		.id = header->id, .nr_pages = header->nr_pages,
	};

	memcpy(trailer.magic, CKPT_TRAILER_MAGIC, sizeof(trailer.magic));
	trailer.crc = htole32(crc32c(0, &trailer,
				     offsetof(typeof(trailer), crc)));
	if (sums_end(&join->sums)) {
		warn(NULL);
		return -1;
	}
	if (write_all(join, join->sums.table,
		      join->sums.nr * sizeof(*join->sums.table)))
		return -1;
	return write_all(join, &trailer, sizeof(trailer));
}

int chain_join(struct chain *chain, int out)
{
	struct join join = { .chain = chain, .out = out };
	struct ckpt_image_header header;
	int ret;

	ret = join_records(&join);
	if (!ret)
		ret = add_end(&join, &header);
	if (!ret)
		ret = write_meta(&join, &header);
	if (!ret)
		ret = write_pages(&join);
	if (!ret)
		ret = check_youngest(&chain->links[0]);
	if (!ret)
		ret = write_end(&join, &header);
	free(join.pieces);
	free(join.own);
	free(join.meta);
	free(join.sums.table);
	return ret;
}
