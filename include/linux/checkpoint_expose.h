/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is static to its file, as checkpoint and restart know it: the functions
 * that a restart block may name, the ones that make a filter's program and wait in vfork(2),
 * and binary formats. An alias leaves each what it is in its own file, and costs nothing where
 * checkpoint and restart are not built.
 */
#ifndef _LINUX_CHECKPOINT_EXPOSE_H
#define _LINUX_CHECKPOINT_EXPOSE_H

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/restart_block.h>

struct bpf_prog;
struct completion;
struct linux_binfmt;
struct sock_filter;
struct task_struct;

typedef int (*ckpt_check_classic_t)(struct sock_filter *insns,
				    unsigned int nr);

#ifdef CONFIG_CHECKPOINT
#define CKPT_EXPOSE_RESTART(fn) \
	long ckpt_##fn(struct restart_block *restart) __alias(fn)
#define CKPT_EXPOSE_PREPARE_FILTER(fn)					\
	struct bpf_prog *ckpt_##fn(struct bpf_prog *prog,		\
				   ckpt_check_classic_t check) __alias(fn)
#define CKPT_EXPOSE_VFORK(fn)						\
	int ckpt_##fn(struct task_struct *child, struct completion *vfork) \
		__alias(fn)
#define __CKPT_EXPOSE_BINFMT(name) \
	extern struct linux_binfmt ckpt_##name __alias(name)
#else
/* Nothing, but that there is such a function, of that type. */
#define CKPT_EXPOSE_RESTART(fn)	\
	static_assert(__same_type(fn, do_no_restart_syscall))
#define CKPT_EXPOSE_PREPARE_FILTER(fn)	\
	static_assert(__same_type(fn, ckpt_##fn))
#define CKPT_EXPOSE_VFORK(fn)	\
	static_assert(__same_type(fn, ckpt_##fn))
#define __CKPT_EXPOSE_BINFMT(name)	\
	static_assert(__same_type(name, struct linux_binfmt))
#endif
/* One file may give another name to it, and include the one that has it. */
#define CKPT_EXPOSE_BINFMT(name)	__CKPT_EXPOSE_BINFMT(name)

extern struct linux_binfmt ckpt_elf_format;
extern struct linux_binfmt ckpt_compat_elf_format;

struct bpf_prog *ckpt_bpf_prepare_filter(struct bpf_prog *prog,
					 ckpt_check_classic_t check);
int ckpt_wait_for_vfork_done(struct task_struct *child,
			     struct completion *vfork);
long ckpt_hrtimer_nanosleep_restart(struct restart_block *restart);
long ckpt_posix_cpu_nsleep_restart(struct restart_block *restart);
long ckpt_alarm_timer_nsleep_restart(struct restart_block *restart);
long ckpt_do_restart_poll(struct restart_block *restart);
long ckpt_futex_wait_restart(struct restart_block *restart);

#endif
