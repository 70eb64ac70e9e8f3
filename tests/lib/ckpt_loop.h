/* SPDX-License-Identifier: GPL-2.0-only */
/* A filesystem on a disk, as it were. */
#ifndef CKPT_LOOP_H
#define CKPT_LOOP_H

#include <sys/types.h>

/**
 * ckpt_loop_mount() - make a file, an ext4 filesystem in it, and mount that
 * @disk: the file, which may be unlinked afterwards
 * @size: of it, in bytes
 * @dir: the mount point, a directory; what is made goes when it is unmounted
 *
 * Return: 0; -1 if there is no mke2fs or anything else that it takes.
 */
int ckpt_loop_mount(const char *disk, off_t size, const char *dir);

#endif /* CKPT_LOOP_H */
