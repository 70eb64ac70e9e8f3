/* SPDX-License-Identifier: GPL-2.0-only */
/* Taking one image, to standard output. */
#ifndef TAKE_H
#define TAKE_H

#include <stdbool.h>
#include <sys/types.h>
#include <linux/types.h>
#include <linux/checkpoint_image.h>

#include "call.h"

/**
 * struct request - what is asked for
 * @pid: of the root
 * @flags: CHECKPOINT_*
 * @quiet: say nothing but why it failed
 * @verbose: tell size and time
 * @externals: what is left to the restarter
 * @parent: the file that the parent is in, or NULL
 * @uuid: of the parent
 */
struct request {
	pid_t		pid;
	unsigned int	flags;
	bool		quiet;
	bool		verbose;
	struct externals externals;
	const char	*parent;
	__u8		uuid[CKPT_UUID_LEN];
};

/**
 * struct taken - what came of it
 * @error: errno of the call, if it failed
 * @seconds: how long it took
 * @stopped: for how long the processes were stopped, in microseconds; 0 if that is
 *	not known, or they did not run on
 * @written: bytes; 0 if there is no telling
 */
struct taken {
	int	error;
	double	seconds;
	__u32	stopped;
	__u64	written;
};

/**
 * take_image() - write an image, and what is to be said of it
 * @request: what is asked for
 * @taken: to be filled in
 *
 * Signals that end programs are caught from then on, see take_caught().
 *
 * Return: 0; or EXIT_FAILED, and has said why, and nothing is left of it
 */
int take_image(const struct request *request, struct taken *taken);

/* The signal that is to end the program, 0 if there was none. */
int take_caught(void);

#endif
