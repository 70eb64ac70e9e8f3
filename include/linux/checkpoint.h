/* SPDX-License-Identifier: GPL-2.0-only */
/* What the rest of the kernel needs to know of checkpoint and restart. */
#ifndef _LINUX_CHECKPOINT_H
#define _LINUX_CHECKPOINT_H

#include <uapi/linux/checkpoint.h>
#include <uapi/linux/checkpoint_image.h>

#ifdef CONFIG_CHECKPOINT
int ckpt_pty_index(void);
#else
/* The least number that a new pseudo terminal may have. */
static inline int ckpt_pty_index(void)
{
	return 0;
}
#endif

#endif /* _LINUX_CHECKPOINT_H */
