/* SPDX-License-Identifier: GPL-2.0-only */
/* Where an image goes: what has come of it, and taking it back. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <sys/types.h>
#include <linux/types.h>

/**
 * struct output - standard output, as it was at first
 * @regular: it is a regular file
 * @begin: where in the file the image starts
 * @size: of the file
 * @appends: each write goes to the end
 */
struct output {
	bool	regular;
	off_t	begin;
	off_t	size;
	bool	appends;
};

/* Look at standard output; on failure says so and returns -1. */
int output_open(struct output *output);

/**
 * output_written() - how much has been written so far
 * @output: as it was at first
 * @writer: the process that writes
 *
 * Return: bytes; 0 if there is no telling
 */
__u64 output_written(const struct output *output, pid_t writer);

/* How much there will be, once the header of the image is there; or 0. */
__u64 output_expected(const struct output *output);

/* For how long the tasks were stopped, in microseconds, once all is written; or 0. */
__u32 output_stopped(const struct output *output);

/* Make a file what it was before; what goes into a pipe can't be taken back. */
void output_undo(const struct output *output);

#endif
