/* SPDX-License-Identifier: GPL-2.0-only */
/* One image after another, in files of a directory. */
#ifndef EVERY_H
#define EVERY_H

#include "take.h"

/* How many images are kept unless it is said. */
#define EVERY_KEEP	2

/**
 * struct every - how often, how many and where
 * @seconds: from the beginning of one to that of the next; 0 if that is not wanted
 * @keep: how many are kept, the last ones, at least 1
 * @directory: which has them, or NULL
 */
struct every {
	double		seconds;
	unsigned long	keep;
	const char	*directory;
};

/* Both say what is wrong and return -1. */
int every_parse_time(const char *arg, double *seconds);
int every_parse_keep(const char *arg, unsigned long *keep);

/**
 * every_run() - take images until the process ends, or this one is told to end
 * @every: how often, how many and where
 * @request: what is asked for
 *
 * Return: 0 once the process has ended; or EXIT_FAILED, and has said why.
 */
int every_run(const struct every *every, const struct request *request);

#endif
