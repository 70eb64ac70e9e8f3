/* SPDX-License-Identifier: GPL-2.0-only */
/* Images made by hand, to be read where no kernel makes any. */
#ifndef SYNTHETIC_H
#define SYNTHETIC_H

#include <stddef.h>
#include <linux/checkpoint_image.h>

/**
 * struct synthetic - an image in the making
 * @data: all of it, @len bytes
 * @len: see there
 * @room: what there is room for
 * @last_ref: reference of the last object
 * @nr_records: how many there are
 * @nr_tasks: how many of them are tasks
 * @nr_pages: how many pages are to follow
 * @child: it is of what changed in part of its memory; set after the start
 * @sums: it has checksums of its pages; set after the start
 * @compressed: CKPT_INCOMPAT_* of how its pages are, or 0; likewise
 * @uuid: the first byte of its UUID, to be set likewise; of its parent one less
 */
struct synthetic {
	unsigned char	*data;
	size_t		len;
	size_t		room;
	__u32		last_ref;
	__u64		nr_records;
	__u32		nr_tasks;
	__u64		nr_pages;
	int		child;
	int		sums;
	__u64		compressed;
	unsigned char	uuid;
};

void synthetic_start(struct synthetic *s);

/*
 * Add an object, and return its payload, zeroed, good until the next is added;
 * add a part of the last object.
 */
void *synthetic_object(struct synthetic *s, __u32 type, size_t size);
void *synthetic_part(struct synthetic *s, __u32 type, size_t size);

/* Add one process with an id, with all it takes and a path of one's choice. */
void synthetic_process(struct synthetic *s, __u32 pid, const char *path);

/* End the records, and add the pages and the trailer. */
void synthetic_finish(struct synthetic *s);

/* Make good all checksums of an image which was changed, as far as it can be
 * read for that.
 */
void synthetic_mend(unsigned char *data, size_t len);

#endif
