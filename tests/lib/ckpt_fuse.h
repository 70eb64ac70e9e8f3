/* SPDX-License-Identifier: GPL-2.0-only */
/* A filesystem with one file, of the name `file`, that does no good. */
#ifndef CKPT_FUSE_H
#define CKPT_FUSE_H

#include <sys/types.h>

enum ckpt_fuse_mode {
	CKPT_FUSE_STUCK,	/* an open is answered the first time only */
	CKPT_FUSE_EIO,		/* all I/O fails */
	CKPT_FUSE_COPY,		/* it is another file, as long as that is wanted */
};

/**
 * struct ckpt_fuse - the filesystem
 * @mode: what is bad about it
 * @server: the process that it is
 * @opened: how often its file was, or was to be
 * @source: CKPT_FUSE_COPY: path of the other file, set before it is looked at
 * @size: and how much of it there is; may change
 * @broken: and that it can't be read; may change
 */
struct ckpt_fuse {
	enum ckpt_fuse_mode	mode;
	pid_t			server;
	volatile unsigned int	opened;
	char			source[96];
	volatile long long	size;
	volatile int		broken;
};

/* Make a directory and mount it there. Returns NULL where there is no FUSE. */
struct ckpt_fuse *ckpt_fuse_start(const char *dir, enum ckpt_fuse_mode mode);

/* Whoever waits for an answer gets an error. */
void ckpt_fuse_stop(struct ckpt_fuse *fs, const char *dir);

#endif /* CKPT_FUSE_H */
