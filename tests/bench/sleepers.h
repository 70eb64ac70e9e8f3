/* SPDX-License-Identifier: GPL-2.0-only */
/* A small tree of tasks that all sleep, to be taken by system call and by CRIU. */
#ifndef BENCH_SLEEPERS_H
#define BENCH_SLEEPERS_H

#include <stdint.h>
#include <sys/types.h>

#include "table.h"

/* What the root does before it sleeps; exits if it can't. */
typedef void (*sleepers_make)(const void *what, unsigned int nr);

/**
 * struct sleepers_cost - what one of a number of things costs, in nanoseconds
 * @make: to make it
 * @ckpt: checkpoint() to a file on tmpfs
 * @rstr: restart() from there, with other pids
 * @dump: of CRIU, the start of its program included
 * @restore: likewise
 */
struct sleepers_cost {
	struct samples	make;
	struct samples	ckpt;
	struct samples	rstr;
	struct samples	dump;
	struct samples	restore;
};

/* Whoever starts some is to be the one to whom orphans are left. */
int sleepers_begin(void);

/* Sleep for ever; for whom the root makes. */
int sleepers_sleep(void *unused);

/*
 * Start a root that makes @nr of @what, of which @tasks come to sleep beside it, take
 * it and what is restarted from it, and end it. Returns 0, or -1 after something was
 * said.
 */
int sleepers_take(sleepers_make make, const void *what, unsigned int nr,
		  unsigned int tasks, struct sleepers_cost *cost);

/* The same by CRIU. */
int sleepers_take_criu(sleepers_make make, const void *what, unsigned int nr,
		       unsigned int tasks, struct sleepers_cost *cost);

#endif /* BENCH_SLEEPERS_H */
