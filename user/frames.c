// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <lz4.h>
#include <zstd.h>

#include "image.h"
#include "sums.h"

const char *frames_method(const struct image *image)
{
	if (image_has(image, CKPT_INCOMPAT_LZ4))
		return "lz4";
	return image_has(image, CKPT_INCOMPAT_ZSTD) ? "zstd" : NULL;
}

static size_t page_size(const struct image *image)
{
	return le32toh(image->header.page_size);
}

static int get_room(struct image *image)
{
	struct frames *frames = &image->frames;
	size_t room = CKPT_FRAME_PAGES * page_size(image);

	if (!frames->raw)
		frames->raw = malloc(room);
	if (!frames->frame)
		frames->frame = malloc(sizeof(*frames->frame) + room);
	if (frames->raw && frames->frame)
		return 0;
	return image_bad(image, "%s", strerror(errno));
}

static int note_place(struct image *image)
{
	struct frames *frames = &image->frames;
	struct frame_at *at = frames->at;
	size_t nr = frames->nr;

	/* Room is added whenever all powers of two are used up. */
	if (!(nr & (nr - 1))) {
		at = reallocarray(at, nr ? 2 * nr : 1, sizeof(*at));
		if (!at)
			return image_bad(image, "%s", strerror(errno));
		frames->at = at;
	}
	at[nr].page = frames->pages;
	at[nr].offset = image->pos;
	frames->nr++;
	return 0;
}

static int check_head(struct image *image, __u64 page)
{
	const struct ckpt_frame *frame = image->frames.frame;
	__u64 left = le64toh(image->header.nr_pages) - page;
	__u32 nr = le32toh(frame->nr_pages), size = le32toh(frame->size);

	if (nr && nr <= CKPT_FRAME_PAGES && nr <= left && size &&
	    size <= nr * page_size(image))
		return 0;
	return image_bad(image,
			 "frame at byte %llu, page %llu: %u bytes for %u pages, of which %llu are left",
			 image->pos - sizeof(*frame), page, size, nr, left);
}

/* The head of the next frame, which has not been met before. */
static int read_head(struct image *image)
{
	struct frames *frames = &image->frames;

	if (get_room(image) || note_place(image) ||
	    image_read_exactly(image, frames->frame, sizeof(*frames->frame),
			       "pages") ||
	    check_head(image, frames->pages))
		return -1;
	frames->pages += le32toh(frames->frame->nr_pages);
	frames->stored += sizeof(*frames->frame) + le32toh(frames->frame->size);
	return 0;
}

static bool unpack(struct image *image, size_t size, size_t len)
{
	struct frames *frames = &image->frames;
	const void *data = frames->frame + 1;

	if (size == len) {
		memcpy(frames->raw, data, len);
		return true;
	}
	if (image_has(image, CKPT_INCOMPAT_LZ4))
		return LZ4_decompress_safe(data, (char *)frames->raw, size,
					   len) == (int)len;
	return ZSTD_decompress(frames->raw, len, data, size) == len;
}

/* What follows the head of a frame that is of so many pages from @page on. */
static int read_body(struct image *image, __u64 page)
{
	struct frames *frames = &image->frames;
	struct ckpt_frame *frame = frames->frame;
	__u32 size = le32toh(frame->size), nr = le32toh(frame->nr_pages);
	XXH64_state_t sum;

	frames->nr_raw = 0;
	if (image_read_exactly(image, frame + 1, size, "pages"))
		return -1;
	XXH64_reset(&sum, 0);
	XXH64_update(&sum, frame, offsetof(struct ckpt_frame, sum));
	XXH64_update(&sum, frame + 1, size);
	if (XXH64_digest(&sum) != le64toh(frame->sum))
		return image_bad_pages(image, page, nr, "checksum mismatch");
	if (!unpack(image, size, nr * page_size(image)))
		return image_bad_pages(image, page, nr, "can't be decompressed");
	frames->first = page;
	frames->nr_raw = nr;
	frames->used = 0;
	return 0;
}

static int read_next(struct image *image)
{
	__u64 page = image->frames.pages;

	return read_head(image) || read_body(image, page) ? -1 : 0;
}

int frames_check(struct image *image)
{
	while (image->frames.pages < le64toh(image->header.nr_pages))
		if (read_next(image))
			return -1;
	image->checked = true;
	return 0;
}

int frames_skip(struct image *image)
{
	while (image->frames.pages < le64toh(image->header.nr_pages)) {
		__u32 size;

		if (read_head(image))
			return -1;
		size = le32toh(image->frames.frame->size);
		image->pos += size;
		if (image->start + image->pos > image->file_size)
			return image_bad(image,
					 "cut short at byte %llu, in the pages",
					 image->file_size - image->start);
		if (lseek(image->fd, size, SEEK_CUR) < 0)
			return image_bad(image, "byte %llu: %s", image->pos,
					 strerror(errno));
	}
	return 0;
}

int frames_take(struct image *image, void *buf, __u64 nr)
{
	struct frames *frames = &image->frames;
	unsigned char *to = buf;

	for (; nr; nr--, to += page_size(image)) {
		if (frames->used == frames->nr_raw) {
			if (frames->first + frames->nr_raw < frames->pages ?
			    frames_seek(image, frames->first + frames->nr_raw) :
			    read_next(image))
				return -1;
		}
		memcpy(to, frames->raw + frames->used++ * page_size(image),
		       page_size(image));
	}
	return 0;
}

static size_t find(const struct frames *frames, __u64 page)
{
	size_t low = 0, high = frames->nr;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (frames->at[middle].page <= page)
			low = middle;
		else
			high = middle;
	}
	return low;
}

int frames_seek(struct image *image, __u64 page)
{
	struct frames *frames = &image->frames;
	const struct frame_at *at;

	if (page < frames->first || page - frames->first >= frames->nr_raw) {
		at = &frames->at[find(frames, page)];
		image->pos = at->offset;
		if (lseek(image->fd, image->start + at->offset, SEEK_SET) < 0)
			return image_bad(image, "byte %llu: %s", image->pos,
					 strerror(errno));
		/* It may have changed since. */
		if (image_read_exactly(image, frames->frame,
				       sizeof(*frames->frame), "pages") ||
		    check_head(image, at->page) || read_body(image, at->page))
			return -1;
		if (page - frames->first >= frames->nr_raw)
			return image_bad(image, "changes as it is read");
	}
	frames->used = page - frames->first;
	return 0;
}

void frames_free(struct frames *frames)
{
	free(frames->at);
	free(frames->frame);
	free(frames->raw);
}
