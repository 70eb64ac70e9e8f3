// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks that are traced. A tracer outside the tree is no part of what is taken:
 * a task that it holds goes on after a restart as if the tracer had let it go,
 * and here stays held. What a stop keeps back is put where it would have gone.
 */
#include <linux/ptrace.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>

#include "checkpoint.h"
#include "ptrace.h"
#include "stop.h"

/* What ptrace_notify() has for siginfo: the event is in the second byte. */
static int ckpt_ptrace_event(const struct kernel_siginfo *info)
{
	return info->si_code > 0 ? info->si_code >> 8 : 0;
}

static bool ckpt_is_syscall_stop(const struct kernel_siginfo *info,
				 unsigned long message)
{
	return info->si_signo == SIGTRAP && !ckpt_ptrace_event(info) &&
	       (info->si_code & 0x7f) == SIGTRAP &&
	       (message == PTRACE_EVENTMSG_SYSCALL_ENTRY ||
		message == PTRACE_EVENTMSG_SYSCALL_EXIT);
}

/*
 * A signal that is there because of the tracer alone: the stop that it attaches
 * with, a single step, the execve(2) that it waits for.
 */
static bool ckpt_is_tracers(struct task_struct *task,
			    const struct kernel_siginfo *info)
{
	if (info->si_signo == SIGSTOP)
		return info->si_code == SI_KERNEL;
	if (info->si_signo != SIGTRAP)
		return false;
	if (info->si_code == SI_USER)
		return !(task->ptrace & PT_SEIZED) &&
		       info->si_pid == task_tgid_vnr(task);
	/* An instruction that is a breakpoint has another code, and is in memory. */
	return info->si_code == TRAP_TRACE || info->si_code == TRAP_BRKPT ||
	       info->si_code == TRAP_BRANCH || info->si_code == TRAP_HWBKPT;
}

static enum ckpt_trap ckpt_trap_of(struct task_struct *task,
				   const struct kernel_siginfo *info,
				   unsigned long message)
{
	int event = ckpt_ptrace_event(info);

	if (ckpt_is_syscall_stop(info, message))
		return message == PTRACE_EVENTMSG_SYSCALL_ENTRY ?
		       CKPT_TRAP_CALL : CKPT_TRAP_BARE;
	if (event == PTRACE_EVENT_STOP || event == PTRACE_EVENT_EXEC)
		return CKPT_TRAP_BARE;
	if (event)
		return CKPT_TRAP_EVENT;
	return ckpt_is_tracers(task, info) ? CKPT_TRAP_BARE : CKPT_TRAP_SIGNAL;
}

/**
 * ckpt_ptrace_trap() - where a task is held by its tracer
 * @task: the task, at rest
 * @info: the signal, with %CKPT_TRAP_SIGNAL; in any case written to
 *
 * Return: what kind of stop that is; %CKPT_TRAP_NONE if it is not held.
 */
enum ckpt_trap ckpt_ptrace_trap(struct task_struct *task,
				struct kernel_siginfo *info)
{
	enum ckpt_trap trap = CKPT_TRAP_NONE;
	unsigned long flags;

	if (!task_is_traced(task) || !lock_task_sighand(task, &flags))
		return CKPT_TRAP_NONE;
	if (task_is_traced(task)) {
		trap = CKPT_TRAP_BARE;
		/* It lies on the stack of who waits; a group stop has none. */
		if (task->last_siginfo) {
			copy_siginfo(info, task->last_siginfo);
			trap = ckpt_trap_of(task, info, task->ptrace_message);
		}
	}
	unlock_task_sighand(task, &flags);
	return trap;
}

static pid_t ckpt_tracer_inside(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct task_struct *tracer;

	guard(rcu)();
	tracer = ptrace_parent(task);
	return tracer && ckpt_stop_has(ctx->stop, tracer) ?
	       task_pid_vnr(tracer) : 0;
}

/**
 * ckpt_ptrace_supported() - refuse what can't be had without the tracer
 * @ctx: the checkpoint
 * @task: the task, at rest
 *
 * Return: 0 or -EOPNOTSUPP.
 */
int ckpt_ptrace_supported(struct ckpt_ctx *ctx, struct task_struct *task)
{
	pid_t tracer = ckpt_tracer_inside(ctx, task);
	struct kernel_siginfo info;

	if (tracer)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "is traced by pid %d of the tree: not supported",
				   tracer);
	if (ckpt_ptrace_trap(task, &info) == CKPT_TRAP_EVENT)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "is held by its tracer at event %d: not supported",
				   ckpt_ptrace_event(&info));
	return 0;
}
