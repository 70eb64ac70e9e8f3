/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What restarted processes need of their image at first: it is recorded once, and
 * read ahead whenever the image is restarted after that.
 *
 * A record is a file of text. Its first line has AHEAD_MAGIC and the UUID of the
 * image; each of the others a range of the image, by its offset and its length in
 * bytes. They are in the order in which they were needed, as far as that is known.
 */
#ifndef AHEAD_H
#define AHEAD_H

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "image.h"

#define AHEAD_MAGIC	"rstr-ahead-1"

/**
 * struct ahead - a record that is being made
 * @image: the image, of which only the header was read
 * @name: of the record
 * @out: the record
 * @map: the file with the image, never looked into
 * @pages: of @map
 * @seen: by page, whether it was in memory the last time
 * @now: the same, and how it is by now
 * @pid: of the process that looks from time to time; 0 if there is none yet
 * @end: to be closed for it to end
 */
struct ahead {
	struct image	image;
	const char	*name;
	FILE		*out;
	void		*map;
	size_t		pages;
	unsigned char	*seen;
	unsigned char	*now;
	pid_t		pid;
	int		end;
};

/**
 * ahead_read() - have read ahead what a record says
 * @name: of the record
 * @fd: the image that it is of
 *
 * Does not wait for what is read.
 *
 * Return: 0; or -1, and has said why.
 */
int ahead_read(const char *name, int fd);

/**
 * ahead_open() - get ready to make a record
 * @ahead: to be filled in
 * @name: of the record
 * @fd: the image, to be restarted next; what is in memory of it is dropped
 *
 * Return: 0; or -1, and has said why
 */
int ahead_open(struct ahead *ahead, const char *name, int fd);

/* The image has been restarted: record from now on. As ahead_open(). */
int ahead_start(struct ahead *ahead, int fd);

/* Wait until enough is recorded; or, @now, let that be all. As ahead_open(). */
int ahead_finish(struct ahead *ahead, bool now);

#endif
