/* SPDX-License-Identifier: GPL-2.0-only */
/* checkpoint(2) and restart(2), for which the C library has no functions. */
#ifndef CALL_H
#define CALL_H

#include <sys/types.h>
#include <linux/checkpoint.h>

/**
 * struct externals - files that the restarter supplies
 * @nr: how many
 * @ext: their names, and descriptors for restart()
 */
struct externals {
	unsigned int			nr;
	struct checkpoint_external	*ext;
};

/* Exits if there is no memory. @name goes on to be used. */
void externals_add(struct externals *externals, const char *name, int fd);

/* With the flags that say which arguments there are; @parent may be NULL. */
long call_checkpoint(pid_t pid, int fd, unsigned int flags, int logfd,
		     const struct externals *externals, const __u8 *parent);
long call_restart(pid_t pid, int fd, unsigned int flags, int logfd,
		  const struct externals *externals);

#endif
