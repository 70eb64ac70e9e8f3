/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames, that an image has in place of its pages if these are compressed. */
#ifndef FRAMES_H
#define FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

struct image;

/**
 * struct frame_at - where a frame is
 * @page: its first page's number in the page section
 * @offset: in the image
 */
struct frame_at {
	__u64	page;
	__u64	offset;
};

/**
 * struct frames - the frames of an image, as far as they have been read
 * @nr: how many there were
 * @stored: bytes that they take
 * @pages: and how many pages they have
 * @at: where each of them is
 * @frame: the last one, with room for the largest
 * @raw: its pages
 * @first: number of the first of these
 * @nr_raw: how many there are
 * @used: how many of them have been taken
 */
struct frames {
	size_t			nr;
	__u64			stored;
	__u64			pages;
	struct frame_at		*at;
	struct ckpt_frame	*frame;
	unsigned char		*raw;
	__u64			first;
	__u32			nr_raw;
	__u32			used;
};

/* What it is that compressed the pages of an image; NULL if nothing did. */
const char *frames_method(const struct image *image);

/*
 * Go to the end of all frames, the image being at the first: read and decompress
 * them, or only look at what they say of themselves, which works in a file. Return 0;
 * or -1 and @error of the image.
 */
int frames_check(struct image *image);
int frames_skip(struct image *image);

/* Take the pages that come next. Returns as the above. */
int frames_take(struct image *image, void *buf, __u64 nr);

/* Have some page come next, in a file all frames of which have been read. */
int frames_seek(struct image *image, __u64 page);

void frames_free(struct frames *frames);

#endif
