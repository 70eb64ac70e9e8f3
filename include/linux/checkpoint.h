/* SPDX-License-Identifier: GPL-2.0-only */
/* What the rest of the kernel needs to know of checkpoint and restart. */
#ifndef _LINUX_CHECKPOINT_H
#define _LINUX_CHECKPOINT_H

#include <uapi/linux/checkpoint.h>
#include <uapi/linux/checkpoint_image.h>

struct kernel_siginfo;

#ifdef CONFIG_CHECKPOINT
int ckpt_pty_index(void);
int __ckpt_signal_passed(struct kernel_siginfo *info);

/*
 * Whether a tracer of the tree has let a signal pass, in a stop that current was
 * in when it was checkpointed. It is not to stop for that once more.
 */
#define ckpt_signal_passed(signr, info)					\
	(unlikely(current->ptrace) && ((signr) = __ckpt_signal_passed(info)))
#else
#define ckpt_signal_passed(signr, info)	\
	((void)(signr), (void)(info), false)

/* The least number that a new pseudo terminal may have. */
static inline int ckpt_pty_index(void)
{
	return 0;
}
#endif

#endif /* _LINUX_CHECKPOINT_H */
