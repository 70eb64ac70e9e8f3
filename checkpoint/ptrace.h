/* SPDX-License-Identifier: GPL-2.0-only */
/* Tasks that are traced: by one of the tree, or by who is not part of it. */
#ifndef _CHECKPOINT_PTRACE_H
#define _CHECKPOINT_PTRACE_H

#include <linux/signal_types.h>
#include <linux/types.h>

struct ckpt_ctx;
struct rstr_run;
struct rstr_task;
struct rstr_traps;
struct sigqueue;
struct task_struct;

/* Where a task is held by its tracer. */
enum ckpt_trap {
	CKPT_TRAP_NONE,		/* it is not */
	CKPT_TRAP_BARE,		/* where nothing is kept back */
	CKPT_TRAP_SIGNAL,	/* a signal is about to take effect */
	CKPT_TRAP_CALL,		/* a system call is about to begin */
	CKPT_TRAP_EVENT,	/* in the middle of one */
};

enum ckpt_trap ckpt_ptrace_trap(struct ckpt_ctx *ctx, struct task_struct *task,
				struct kernel_siginfo *info);
int ckpt_ptrace_supported(struct ckpt_ctx *ctx, struct task_struct *task);
bool ckpt_ptrace_is_inside(struct ckpt_ctx *ctx, struct task_struct *task);

/* Of current, who is traced and about to park. */
bool ckpt_ptrace_moves(void);
bool ckpt_ptrace_leaves_call(void);
void ckpt_ptrace_stays(void);
void ckpt_ptrace_call_again(void);
void ckpt_ptrace_unnotify(struct task_struct *task);

/**
 * struct rstr_held - what a restarted task that is traced goes on with; on its stack
 * @stop: CKPT_STOP_*, which it is to be held in
 * @exit_code: as of task_struct, while it is
 * @signal: that it is held for
 * @message: as of PTRACE_GETEVENTMSG
 * @listened: it was told to PTRACE_LISTEN
 * @emulates: the call that it is about to begin is not to be made
 * @in_call: it is in a system call, which it is to make again
 * @info: as of PTRACE_GETSIGINFO
 * @queue: where @info is to go when @signal is let pass
 * @traps: to be told of that it is held, or that it is not going to be; or NULL
 */
struct rstr_held {
	u32			stop;
	int			exit_code;
	int			signal;
	unsigned long		message;
	bool			listened;
	bool			emulates;
	bool			in_call;
	struct kernel_siginfo	info;
	struct sigqueue		*queue;
	struct rstr_traps	*traps;
};

int rstr_trace_check(struct rstr_run *run);
void rstr_trace(struct rstr_run *run);
void rstr_traps_put(struct rstr_traps *traps);
void rstr_held_forget(struct rstr_task *task);
bool ckpt_ptrace_at_exit(struct task_struct *task);
bool rstr_held_exits(struct rstr_task *task);
void rstr_held_begin(struct rstr_task *task, struct rstr_held *held);
void rstr_held_wait(struct rstr_task *task, const struct rstr_held *held);
void rstr_held_end(struct rstr_held *held);
void rstr_held_stop(struct rstr_held *held);
void rstr_held_vforked(pid_t pid);

#endif
