/* SPDX-License-Identifier: GPL-2.0-only */
/* Tasks that are traced, by who is not part of the tree. */
#ifndef _CHECKPOINT_PTRACE_H
#define _CHECKPOINT_PTRACE_H

struct ckpt_ctx;
struct kernel_siginfo;
struct task_struct;

/* Where a task is held by its tracer. */
enum ckpt_trap {
	CKPT_TRAP_NONE,		/* it is not */
	CKPT_TRAP_BARE,		/* where nothing is kept back */
	CKPT_TRAP_SIGNAL,	/* a signal is about to take effect */
	CKPT_TRAP_CALL,		/* a system call is about to begin */
	CKPT_TRAP_EVENT,	/* in the middle of one */
};

enum ckpt_trap ckpt_ptrace_trap(struct task_struct *task,
				struct kernel_siginfo *info);
int ckpt_ptrace_supported(struct ckpt_ctx *ctx, struct task_struct *task);

#endif
