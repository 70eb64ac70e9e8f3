/* SPDX-License-Identifier: GPL-2.0-only */
/* An image that is joined while it is read. */
#ifndef FEED_H
#define FEED_H

#include <stdbool.h>
#include <sys/types.h>

#include "chain.h"

/**
 * struct feed - a child that joins a chain into a pipe
 * @pid: of the child
 * @fd: to be read from
 */
struct feed {
	pid_t	pid;
	int	fd;
};

/* Whether a restart from @fd needs a chain to be joined; a pipe is not looked into. */
bool feed_is_needed(int fd);

/* Returns 0; or -1 and has said why. feed_stop() is to follow the former. */
int feed_start(struct feed *feed, struct chain *chain);

/* Returns whether all went well, or nothing did because nobody read it. */
bool feed_stop(struct feed *feed);

#endif
