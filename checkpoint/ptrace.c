// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks that are traced.
 *
 * A tracer outside the tree is no part of what is taken: a task that it holds goes
 * on after a restart as if the tracer had let it go, and here stays held. What a
 * stop keeps back is put where it would have gone.
 *
 * Where one of the tree is the tracer both are taken as they are. All are related
 * again before any of them runs, and who was held is held again, by a stop of our own
 * of which nobody is told, since the tracer knows of it or is still to ask: the last
 * thing before user mode, as the stop was. Nobody gets there before all are held. When
 * the tracer lets it go, it does what was left to do behind the stop that it was in.
 * That may be to make the system call which it had begun.
 */
#include <linux/capability.h>
#include <linux/cgroup.h>
#include <linux/entry-common.h>
#include <linux/ptrace.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/seccomp.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <asm/syscall.h>

#include "arch.h"
#include "checkpoint.h"
#include "process.h"
#include "ptrace.h"
#include "restart.h"
#include "stop.h"
#include "task.h"
#include "tree.h"

/* In sigqueue.flags: the tracer has seen it. */
#define CKPT_SIGQUEUE_PASSED	0x40000000

/**
 * struct rstr_traps - those who are to be held before anybody is in user mode
 * @users: the restart, and each of them
 * @missing: how many are not
 * @wait: for @missing to come down
 */
struct rstr_traps {
	refcount_t		users;
	atomic_t		missing;
	wait_queue_head_t	wait;
};

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

/* Where one who is held is, CKPT_STOP_*; or CKPT_STOP_NONE if it is not known. */
static u32 ckpt_stop_of(const struct kernel_siginfo *info, unsigned long message)
{
	if (ckpt_is_syscall_stop(info, message))
		return message == PTRACE_EVENTMSG_SYSCALL_ENTRY ?
		       CKPT_STOP_CALL : CKPT_STOP_CALL_DONE;
	switch (ckpt_ptrace_event(info)) {
	case 0:
		return CKPT_STOP_SIGNAL;
	case PTRACE_EVENT_STOP:
		return CKPT_STOP_TRAP;
	case PTRACE_EVENT_EXEC:
		return CKPT_STOP_EXEC;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_CLONE:
	case PTRACE_EVENT_VFORK_DONE:
		return CKPT_STOP_FORK;
	case PTRACE_EVENT_VFORK:
		return CKPT_STOP_VFORK;
	case PTRACE_EVENT_SECCOMP:
		return CKPT_STOP_SECCOMP;
	case PTRACE_EVENT_EXIT:
		return CKPT_STOP_EXIT;
	default:
		return CKPT_STOP_NONE;
	}
}

/* Of a tracer outside. */

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
				   const struct kernel_siginfo *info)
{
	switch (ckpt_stop_of(info, task->ptrace_message)) {
	case CKPT_STOP_CALL:
		return CKPT_TRAP_CALL;
	case CKPT_STOP_CALL_DONE:
	case CKPT_STOP_TRAP:
	case CKPT_STOP_EXEC:
		return CKPT_TRAP_BARE;
	case CKPT_STOP_SIGNAL:
		return ckpt_is_tracers(task, info) ? CKPT_TRAP_BARE :
						     CKPT_TRAP_SIGNAL;
	default:
		return CKPT_TRAP_EVENT;
	}
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
 * ckpt_ptrace_is_inside() - whether one of the tree traces a task
 * @ctx: the checkpoint
 * @task: the task, at rest
 *
 * Return: true if so.
 */
bool ckpt_ptrace_is_inside(struct ckpt_ctx *ctx, struct task_struct *task)
{
	return ckpt_tracer_inside(ctx, task);
}

/**
 * ckpt_ptrace_trap() - where a task is held by a tracer outside the tree
 * @ctx: the checkpoint
 * @task: the task, at rest
 * @info: the signal, with %CKPT_TRAP_SIGNAL; in any case written to
 *
 * Return: what kind of stop that is; %CKPT_TRAP_NONE if it is not held.
 */
enum ckpt_trap ckpt_ptrace_trap(struct ckpt_ctx *ctx, struct task_struct *task,
				struct kernel_siginfo *info)
{
	enum ckpt_trap trap = CKPT_TRAP_NONE;
	unsigned long flags;

	if (!task_is_traced(task) || ckpt_tracer_inside(ctx, task) ||
	    !lock_task_sighand(task, &flags))
		return CKPT_TRAP_NONE;
	if (task_is_traced(task)) {
		trap = CKPT_TRAP_BARE;
		/* It lies on the stack of who waits; a group stop has none. */
		if (task->last_siginfo) {
			copy_siginfo(info, task->last_siginfo);
			trap = ckpt_trap_of(task, info);
		}
	}
	unlock_task_sighand(task, &flags);
	return trap;
}

/* Who parks. */

/**
 * ckpt_ptrace_moves() - whether current is about to be held
 *
 * It is traced. Where its tracer is to hear of something, or has let a signal pass,
 * that comes first.
 *
 * Return: true if so.
 */
bool ckpt_ptrace_moves(void)
{
	struct sigqueue *first;
	bool moves;

	spin_lock_irq(ckpt_siglock());
	first = list_first_entry_or_null(&current->pending.list,
					 struct sigqueue, list);
	moves = (current->jobctl & (JOBCTL_PENDING_MASK | JOBCTL_TRAPPING)) ||
		(first && (first->flags & CKPT_SIGQUEUE_PASSED));
	spin_unlock_irq(ckpt_siglock());
	return moves;
}

/* Whether the system call that current is in was interrupted, and can go on. */
static bool ckpt_call_interrupted(void)
{
	struct pt_regs *regs = current_pt_regs();

	if (syscall_get_nr(current, regs) == -1)
		return false;
	switch (syscall_get_error(current, regs)) {
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
		return true;
	default:
		return false;
	}
}

/**
 * ckpt_ptrace_stays() - current was turned away, but nobody will tell it again
 *
 * It is traced. The call that it may be about to make is not interrupted.
 */
void ckpt_ptrace_stays(void)
{
	if (!ckpt_call_interrupted())
		clear_notify_signal();
}

/**
 * ckpt_ptrace_leaves_call() - whether current was woken from a system call to park
 *
 * It is traced, and in ptrace_notify(). What ends for no other reason has not come to
 * its end.
 *
 * Return: true if it is in a call that ckpt_ptrace_call_again() can make again.
 */
bool ckpt_ptrace_leaves_call(void)
{
	return !task_sigpending(current) && !fatal_signal_pending(current) &&
	       ckpt_call_interrupted();
}

/**
 * ckpt_ptrace_call_again() - go on with a system call that was left to park
 *
 * As the kernel does where it goes on with one by itself, but that it is not
 * entered anew.
 */
void ckpt_ptrace_call_again(void)
{
	struct pt_regs *regs = current_pt_regs();
	struct restart_block *block = &current->restart_block;
	long ret;

	/* Whoever has added one may have told before that was cleared. */
	for (clear_notify_signal(); task_work_pending(current);
	     clear_notify_signal()) {
		set_notify_signal(current);
		task_work_run();
	}
	if (task_sigpending(current) || !ckpt_call_interrupted())
		return;
	restore_saved_sigmask();
	if (syscall_get_error(current, regs) != -ERESTART_RESTARTBLOCK) {
		ckpt_arch_call_make();
		return;
	}
	ret = block->fn(block);
	syscall_set_return_value(current, regs, 0, ret);
}

/* Where the next that it does is to make a system call; under its siglock. */
static bool ckpt_ptrace_before_call(struct task_struct *task)
{
	if (!task_is_traced(task) || !task->last_siginfo)
		return false;
	switch (ckpt_stop_of(task->last_siginfo, task->ptrace_message)) {
	case CKPT_STOP_CALL:
	case CKPT_STOP_SECCOMP:
		return true;
	default:
		return false;
	}
}

/**
 * ckpt_ptrace_unnotify() - a task that was told to park will not be asked to
 * @task: the task; it may have gone on
 *
 * If it is held before a system call that would end at once, for a work that is not
 * there any more, and its tracer would see how.
 */
void ckpt_ptrace_unnotify(struct task_struct *task)
{
	unsigned long flags;

	if (!lock_task_sighand(task, &flags))
		return;
	if (ckpt_ptrace_before_call(task)) {
		clear_tsk_thread_flag(task, TIF_NOTIFY_SIGNAL);
		/* Who adds a work says so after that. */
		smp_mb__after_atomic();
		if (task_work_pending(task))
			set_tsk_thread_flag(task, TIF_NOTIFY_SIGNAL);
	}
	unlock_task_sighand(task, &flags);
}

/* Checkpoint. */

static void ckpt_ptrace_put_jobctl(struct ckpt_rec_ptrace *p,
				   unsigned long jobctl)
{
	u32 what = 0;

	if (jobctl & JOBCTL_LISTENING)
		what |= CKPT_PTRACE_LISTENED;
	if (jobctl & JOBCTL_TRAP_STOP)
		what |= CKPT_PTRACE_TRAP_STOP;
	if (jobctl & JOBCTL_TRAP_NOTIFY)
		what |= CKPT_PTRACE_TRAP_NOTIFY;
	p->what |= cpu_to_le32(what);
	p->stop_signal = cpu_to_le32(jobctl & JOBCTL_STOP_SIGMASK);
}

static void ckpt_ptrace_put_flags(struct ckpt_rec_ptrace *p,
				  struct task_struct *task)
{
	u32 what = 0;

	if (test_task_syscall_work(task, SYSCALL_TRACE))
		what |= CKPT_PTRACE_CALLS;
	if (test_task_syscall_work(task, SYSCALL_EMU))
		what |= CKPT_PTRACE_EMULATES;
	if (test_task_syscall_work(task, SYSCALL_EXIT_TRAP))
		what |= test_tsk_thread_flag(task, TIF_BLOCKSTEP) ?
			CKPT_PTRACE_BLOCKS : CKPT_PTRACE_STEPS;
	p->what |= cpu_to_le32(what);
}

/**
 * ckpt_ptrace_at_exit() - whether a process ends, and has not done anything of that
 * @task: its only thread; the caller has its siglock
 *
 * Return: true if so: its tracer holds it at PTRACE_EVENT_EXIT.
 */
bool ckpt_ptrace_at_exit(struct task_struct *task)
{
	return task_is_traced(task) && task->last_siginfo &&
	       ckpt_stop_of(task->last_siginfo, task->ptrace_message) ==
	       CKPT_STOP_EXIT && thread_group_empty(task);
}

/* One of several that end; under siglock. */
static bool ckpt_ptrace_all_end(struct task_struct *task)
{
	return (task->signal->flags & SIGNAL_GROUP_EXIT) &&
	       !thread_group_empty(task);
}

/* Returns the event that it is held at, where that is not supported. */
static int ckpt_ptrace_put_stop(struct ckpt_rec_ptrace *p,
				struct task_struct *task)
{
	u32 stop = CKPT_STOP_GROUP;

	p->exit_code = cpu_to_le32(task->exit_code);
	p->message = cpu_to_le64(task->ptrace_message);
	if (task->last_siginfo) {
		ckpt_siginfo_put((struct ckpt_rec_siginfo *)p->info,
				 task->last_siginfo);
		stop = ckpt_stop_of(task->last_siginfo, task->ptrace_message);
	}
	p->stop = cpu_to_le32(stop);
	return stop == CKPT_STOP_NONE ||
	       (stop == CKPT_STOP_EXIT && ckpt_ptrace_all_end(task)) ?
	       ckpt_ptrace_event(task->last_siginfo) : 0;
}

/* The task may be killed at any time, and then is another one. */
static int ckpt_ptrace_snapshot(struct ckpt_ctx *ctx, struct task_struct *task,
				struct ckpt_rec_ptrace *p)
{
	unsigned long flags, jobctl;
	int event = 0;

	if (!lock_task_sighand(task, &flags))
		return -EAGAIN;
	jobctl = task->jobctl;
	ckpt_ptrace_put_jobctl(p, jobctl);
	if (task_is_traced(task))
		event = ckpt_ptrace_put_stop(p, task);
	unlock_task_sighand(task, &flags);
	if (event)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "is held by its tracer at event %d: not supported",
				   event);
	if (jobctl & JOBCTL_STOP_PENDING)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "is traced, and about to stop with its process: not supported");
	return 0;
}

/**
 * ckpt_ptrace_supported() - refuse a stop that can't be had again, or without the tracer
 * @ctx: the checkpoint
 * @task: the task, at rest
 *
 * Return: 0; -EOPNOTSUPP; -EAGAIN if it ends.
 */
int ckpt_ptrace_supported(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_rec_ptrace rec = {};
	struct kernel_siginfo info;

	if (ckpt_tracer_inside(ctx, task))
		return ckpt_ptrace_snapshot(ctx, task, &rec);
	if (ckpt_ptrace_trap(ctx, task, &info) == CKPT_TRAP_EVENT)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "is held by its tracer at event %d: not supported",
				   ckpt_ptrace_event(&info));
	return 0;
}

static int ckpt_ptrace_checkpoint(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_rec_ptrace rec = {}, *p;
	pid_t tracer = ckpt_tracer_inside(ctx, task);
	u32 ptrace = READ_ONCE(task->ptrace);
	int err = 0;

	if (!tracer)
		return 0;
	rec.tracer = cpu_to_le32(tracer);
	if (ptrace & PT_SEIZED)
		rec.what = cpu_to_le32(CKPT_PTRACE_SEIZED);
	rec.options = cpu_to_le32((ptrace >> PT_OPT_FLAG_SHIFT) & PTRACE_O_MASK);
	if (!task->exit_state) {
		ckpt_ptrace_put_flags(&rec, task);
		err = ckpt_ptrace_snapshot(ctx, task, &rec);
		/* The call that takes the image ends in the incarnation. */
		if (task == current || ckpt_stop_in_call(ctx->stop, task))
			rec.what |= cpu_to_le32(CKPT_PTRACE_IN_CALL);
	}
	if (err)
		return err;
	p = ckpt_part_add(ctx, CKPT_REC_PTRACE, sizeof(*p));
	if (IS_ERR(p))
		return PTR_ERR(p);
	*p = rec;
	return 0;
}

/* Restart: what the image says. */

static bool ckpt_ptrace_exit_code_valid(u32 stop, u32 code)
{
	switch (stop) {
	case CKPT_STOP_NONE:
		return !code;
	case CKPT_STOP_SIGNAL:
	case CKPT_STOP_GROUP:
		return valid_signal(code);
	default:
		return code <= 0xffff;
	}
}

static int ckpt_ptrace_check_options(struct rstr_ctx *ctx,
				     const struct ckpt_record *rec)
{
	const struct ckpt_rec_ptrace *p = rstr_payload(rec);
	u32 options = le32_to_cpu(p->options);

	if (options & ~(u32)PTRACE_O_MASK)
		return rstr_bad(ctx, rec, "options %#x", options);
	if (!(options & PTRACE_O_SUSPEND_SECCOMP))
		return 0;
	if (!IS_ENABLED(CONFIG_CHECKPOINT_RESTORE) ||
	    !IS_ENABLED(CONFIG_SECCOMP))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "PTRACE_O_SUSPEND_SECCOMP: not in this kernel");
	if (!capable(CAP_SYS_ADMIN) ||
	    seccomp_mode(&current->seccomp) != SECCOMP_MODE_DISABLED ||
	    (current->ptrace & PT_SUSPEND_SECCOMP))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "PTRACE_O_SUSPEND_SECCOMP: not permitted");
	return 0;
}

static int ckpt_ptrace_check(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	const struct ckpt_rec_ptrace *p = rstr_payload(rec);
	u32 what = le32_to_cpu(p->what), stop = le32_to_cpu(p->stop);

	if ((what & ~CKPT_PTRACE_KNOWN) || stop > CKPT_STOP_LAST)
		return rstr_bad(ctx, rec, "flags %#x, held at %u", what, stop);
	if (!ckpt_ptrace_exit_code_valid(stop, le32_to_cpu(p->exit_code)) ||
	    !valid_signal(le32_to_cpu(p->stop_signal)))
		return rstr_bad(ctx, rec, "wait status %#x, stopped by %u",
				le32_to_cpu(p->exit_code),
				le32_to_cpu(p->stop_signal));
	if (stop == CKPT_STOP_EXIT && le64_to_cpu(p->message) > 0xffff)
		return rstr_bad(ctx, rec, "exit code %#llx",
				le64_to_cpu(p->message));
	if ((what & CKPT_PTRACE_LISTENED) &&
	    (stop != CKPT_STOP_TRAP || !(what & CKPT_PTRACE_SEIZED) ||
	     (what & CKPT_PTRACE_TRAP_NOTIFY)))
		return rstr_bad(ctx, rec, "listens where nobody can");
	if ((what & CKPT_PTRACE_IN_CALL) && stop)
		return rstr_bad(ctx, rec, "in a call, and held at %u", stop);
	if ((what & CKPT_PTRACE_BLOCKS) && !arch_has_block_step())
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "PTRACE_SINGLEBLOCK: this CPU can't");
	if (memchr_inv(p->info + sizeof(struct kernel_siginfo), 0,
		       SI_EXPANSION_SIZE))
		return rstr_bad(ctx, rec, "unknown siginfo");
	return ckpt_ptrace_check_options(ctx, rec);
}

static int rstr_traps_add(struct rstr_run *run)
{
	struct rstr_traps *traps = run->traps;

	if (!traps) {
		traps = kzalloc(sizeof(*traps), GFP_KERNEL_ACCOUNT);
		if (!traps)
			return -ENOMEM;
		refcount_set(&traps->users, 1);
		init_waitqueue_head(&traps->wait);
		run->traps = traps;
	}
	atomic_inc(&traps->missing);
	return 0;
}

void rstr_traps_put(struct rstr_traps *traps)
{
	if (traps && refcount_dec_and_test(&traps->users))
		kfree(traps);
}

static bool rstr_task_traces(const struct rstr_task *tracer,
			     const struct rstr_task *task)
{
	for (; tracer; tracer = tracer->tracer)
		if (tracer == task)
			return true;
	return false;
}

static int ckpt_ptrace_check_tree(struct rstr_ctx *ctx,
				  const struct ckpt_record *rec)
{
	const struct ckpt_rec_ptrace *p = rstr_payload(rec);
	struct rstr_task *task, *tracer;

	task = rstr_tree_find(ctx->run, ckpt_task_tid(rstr_obj(ctx, rec->ref)));
	tracer = rstr_tree_find(ctx->run, le32_to_cpu(p->tracer));
	/* There is no circle so far, and who goes up comes to an end. */
	if (!tracer || tracer->leader == task->leader ||
	    rstr_task_is_dead(tracer) || rstr_task_traces(tracer, task))
		return rstr_bad(ctx, rec, "traced by %u, who can't be its tracer",
				le32_to_cpu(p->tracer));
	if (rstr_task_is_dead(task) &&
	    ((p->what & ~cpu_to_le32(CKPT_PTRACE_SEIZED)) || p->stop ||
	     p->stop_signal))
		return rstr_bad(ctx, rec, "dead, yet held");
	/* Who waits in vfork(2) does nothing else. */
	if (rstr_part_first(task->obj, CKPT_REC_VFORK) ?
	    (le32_to_cpu(p->stop) != CKPT_STOP_VFORK && p->stop) ||
	    (p->what & cpu_to_le32(CKPT_PTRACE_IN_CALL)) :
	    le32_to_cpu(p->stop) == CKPT_STOP_VFORK)
		return rstr_bad(ctx, rec, "held at %u in vfork",
				le32_to_cpu(p->stop));
	task->tracer = tracer;
	task->traced = rec;
	return p->stop ? rstr_traps_add(ctx->run) : 0;
}

/* Which the signal is put into again, when its tracer lets it pass. */
static int ckpt_ptrace_restore(struct rstr_ctx *ctx,
			       const struct ckpt_record *rec)
{
	const struct ckpt_rec_ptrace *p = rstr_payload(rec);
	struct rstr_task *task;

	if (p->stop != cpu_to_le32(CKPT_STOP_SIGNAL))
		return 0;
	task = rstr_tree_find(ctx->run, ckpt_task_tid(rstr_obj(ctx, rec->ref)));
	task->held_signal = sigqueue_alloc();
	if (!task->held_signal)
		return ckpt_refuse(&ctx->log, -EAGAIN,
				   "a signal that its tracer holds: cannot be queued, see RLIMIT_SIGPENDING");
	return 0;
}

const struct ckpt_part ckpt_ptrace_part = {
	.type		= CKPT_REC_PTRACE,
	.name		= "tracer",
	.size		= sizeof(struct ckpt_rec_ptrace),
	.of_dead	= true,
	.max		= 1,
	.checkpoint	= ckpt_ptrace_checkpoint,
	.check		= ckpt_ptrace_check,
	.check_tree	= ckpt_ptrace_check_tree,
	.restore	= ckpt_ptrace_restore,
};

/* Restart: who traces whom. */

/**
 * rstr_trace_check() - whether the caller may have tasks of the image traced
 * @run: the restart, all of whose tasks are what they are to be; but for the
 *	caller, who may become one
 *
 * He is to be one who could trace them himself.
 *
 * Return: 0 or -EPERM.
 */
int rstr_trace_check(struct rstr_run *run)
{
	struct rstr_task *task;

	rstr_for_each_task(task, run)
		if (task->tracer && !rstr_task_is_dead(task) &&
		    !ptrace_may_access(task->task,
				       PTRACE_MODE_ATTACH_REALCREDS))
			return ckpt_refuse(&run->ctx.log, -EPERM,
					   "pid %u: not permitted to trace it",
					   task->tid);
	return 0;
}

static u32 rstr_ptrace_flags(const struct ckpt_rec_ptrace *p)
{
	u32 flags = PT_PTRACED;

	if (p->what & cpu_to_le32(CKPT_PTRACE_SEIZED))
		flags |= PT_SEIZED;
	return flags | le32_to_cpu(p->options) << PT_OPT_FLAG_SHIFT;
}

/* Who was killed meanwhile, or is traced by somebody else, is left alone. */
static void rstr_task_trace(struct rstr_task *task)
{
	struct task_struct *tracee = task->task, *tracer = task->tracer->task;
	const struct cred *cred;

	if (tracee->ptrace || (tracer->flags & PF_EXITING) ||
	    (tracee->exit_state && tracee->exit_state != EXIT_ZOMBIE))
		return;
	cred = get_task_cred(tracer);
	tracee->ptrace = rstr_ptrace_flags(rstr_payload(task->traced));
	__ptrace_link(tracee, tracer, cred);
	put_cred(cred);
}

/**
 * rstr_trace() - have tasks be traced by those who traced them
 * @run: the restart, none of whose tasks runs yet
 */
void rstr_trace(struct rstr_run *run)
{
	struct rstr_task *task;

	write_lock_irq(&tasklist_lock);
	rstr_for_each_task(task, run)
		if (task->tracer)
			rstr_task_trace(task);
	write_unlock_irq(&tasklist_lock);
}

/* Restart: who is held. */

static void rstr_traps_tell(struct rstr_traps *traps)
{
	if (traps && atomic_dec_and_test(&traps->missing))
		wake_up_all(&traps->wait);
}

/**
 * rstr_held_forget() - a task that was to be held does not get there
 * @task: the task, which ends
 */
void rstr_held_forget(struct rstr_task *task)
{
	const struct ckpt_rec_ptrace *p;

	if (!task->traced)
		return;
	p = rstr_payload(task->traced);
	if (p->stop)
		rstr_traps_tell(task->ctx->run->traps);
}

static void rstr_held_get(struct rstr_task *task, struct rstr_held *held)
{
	const struct ckpt_rec_ptrace *p = rstr_payload(task->traced);

	held->stop = le32_to_cpu(p->stop);
	held->exit_code = le32_to_cpu(p->exit_code);
	held->message = le64_to_cpu(p->message);
	held->listened = p->what & cpu_to_le32(CKPT_PTRACE_LISTENED);
	held->emulates = p->what & cpu_to_le32(CKPT_PTRACE_EMULATES);
	held->in_call = p->what & cpu_to_le32(CKPT_PTRACE_IN_CALL);
	memcpy(&held->info, p->info, sizeof(held->info));
	ckpt_siginfo_sender(task->ctx, &held->info);
	swap(held->queue, task->held_signal);
	if (held->stop == CKPT_STOP_SIGNAL && held->info.si_signo > 0 &&
	    valid_signal(held->info.si_signo))
		held->signal = held->info.si_signo;
	/* They tell of a task. */
	if ((held->stop == CKPT_STOP_FORK || held->stop == CKPT_STOP_VFORK ||
	     held->stop == CKPT_STOP_EXEC) && held->message < PID_MAX_LIMIT)
		held->message = rstr_tree_pid_now(task->ctx->run,
						  held->message);
	if (!held->stop)
		return;
	held->traps = task->ctx->run->traps;
	refcount_inc(&held->traps->users);
}

/* Under siglock, so that there still is the tracer for whom that is. */
static void rstr_held_set_flags(const struct ckpt_rec_ptrace *p)
{
	u32 what = le32_to_cpu(p->what);

	if (what & CKPT_PTRACE_CALLS)
		set_task_syscall_work(current, SYSCALL_TRACE);
	if (what & CKPT_PTRACE_EMULATES)
		set_task_syscall_work(current, SYSCALL_EMU);
	/* Whoever traps is to have a signal to name. */
	current->jobctl &= ~JOBCTL_STOP_SIGMASK;
	current->jobctl |= le32_to_cpu(p->stop_signal) ?: SIGSTOP;
	if (what & CKPT_PTRACE_TRAP_STOP)
		task_set_jobctl_pending(current, JOBCTL_TRAP_STOP);
	if (what & CKPT_PTRACE_TRAP_NOTIFY)
		task_set_jobctl_pending(current, JOBCTL_TRAP_NOTIFY);
	recalc_sigpending();
}

/**
 * rstr_held_begin() - current is traced again as it was
 * @task: the task, whose registers have been loaded
 * @held: what it is to go on with; on the stack of current
 */
void rstr_held_begin(struct rstr_task *task, struct rstr_held *held)
{
	const struct ckpt_rec_ptrace *p;
	bool traced;

	*held = (struct rstr_held){};
	if (!task->traced || rstr_task_is_dead(task))
		return;
	p = rstr_payload(task->traced);
	rstr_held_get(task, held);
	spin_lock_irq(ckpt_siglock());
	traced = current->ptrace;
	if (traced)
		rstr_held_set_flags(p);
	spin_unlock_irq(ckpt_siglock());
	if (traced && (p->what & cpu_to_le32(CKPT_PTRACE_BLOCKS)))
		user_enable_block_step(current);
	else if (traced && (p->what & cpu_to_le32(CKPT_PTRACE_STEPS)))
		user_enable_single_step(current);
}

/**
 * rstr_held_exits() - whether a task ends where it is held
 * @task: the task that is current
 *
 * Return: true if so: what it has left to do is to be done before.
 */
bool rstr_held_exits(struct rstr_task *task)
{
	const struct ckpt_rec_ptrace *p;

	if (!task->traced)
		return false;
	p = rstr_payload(task->traced);
	return p->stop == cpu_to_le32(CKPT_STOP_EXIT);
}

/**
 * rstr_held_wait() - wait until all are held that are to be
 * @task: the task that is current
 * @held: what rstr_held_begin() said
 */
void rstr_held_wait(struct rstr_task *task, const struct rstr_held *held)
{
	struct rstr_traps *traps = task->ctx->run->traps;

	if (traps && !held->stop)
		wait_event_killable(traps->wait, !atomic_read(&traps->missing));
}

/* It is held, or is not going to be. What it does next may never return: exit(2). */
static void rstr_held_tell(struct rstr_held *held)
{
	rstr_traps_tell(held->traps);
	rstr_traps_put(held->traps);
	held->traps = NULL;
}

/* As ptrace_stop(), but that nobody is told. Under siglock, as what it returns is. */
static int rstr_held_sleep(struct rstr_held *held)
	__must_hold(ckpt_siglock())
{
	int code;

	if (!current->ptrace || __fatal_signal_pending(current) ||
	    (current->flags & PF_EXITING)) {
		rstr_held_tell(held);
		return held->signal;
	}
	set_special_state(TASK_TRACED);
	current->jobctl |= JOBCTL_TRACED;
	if (held->listened)
		current->jobctl |= JOBCTL_LISTENING;
	current->ptrace_message = held->message;
	if (held->stop != CKPT_STOP_GROUP)
		current->last_siginfo = &held->info;
	current->exit_code = held->exit_code;
	spin_unlock_irq(ckpt_siglock());
	rstr_held_tell(held);
	cgroup_enter_frozen();
	schedule();
	cgroup_leave_frozen(true);
	spin_lock_irq(ckpt_siglock());
	code = current->exit_code;
	current->last_siginfo = NULL;
	current->ptrace_message = 0;
	current->exit_code = 0;
	current->jobctl &= ~(JOBCTL_LISTENING | JOBCTL_PTRACE_FROZEN);
	recalc_sigpending();
	return code;
}

/* Another one than it was told of: as if it had sent that itself. */
static void rstr_signal_of_tracer(int sig, struct kernel_siginfo *info)
{
	struct task_struct *tracer;

	clear_siginfo(info);
	info->si_signo = sig;
	info->si_code = SI_USER;
	guard(rcu)();
	tracer = rcu_dereference(current->parent);
	info->si_pid = task_pid_vnr(tracer);
	info->si_uid = from_kuid_munged(current_user_ns(), task_uid(tracer));
}

/*
 * A signal comes back from the tracer, under siglock: what it is to be is in @info.
 * Returns whether it goes first of all that are pending.
 */
static bool rstr_signal_goes_first(int sig, struct kernel_siginfo *info)
{
	const struct sigaction *sa =
		&rcu_dereference_protected(current->sighand, true)->action[sig - 1].sa;

	/* SIGCONT came while it was held. */
	if (sig_kernel_stop(sig) && sa->sa_handler == SIG_DFL &&
	    !(current->jobctl & JOBCTL_STOP_DEQUEUED))
		return false;
	if (sig != info->si_signo)
		rstr_signal_of_tracer(sig, info);
	if (!sigismember(&current->blocked, sig) && sig != SIGKILL)
		return true;
	send_signal_locked(sig, info, current, PIDTYPE_PID);
	return false;
}

static void rstr_held_for_signal(struct rstr_held *held)
{
	struct sigqueue *queue = held->queue;
	int sig;

	spin_lock_irq(ckpt_siglock());
	current->jobctl |= JOBCTL_STOP_DEQUEUED;
	sig = rstr_held_sleep(held);
	if (sig > 0 && valid_signal(sig) && queue &&
	    rstr_signal_goes_first(sig, &held->info)) {
		copy_siginfo(&queue->info, &held->info);
		queue->flags &= ~SIGQUEUE_PREALLOC;
		if (current->ptrace)
			queue->flags |= CKPT_SIGQUEUE_PASSED;
		list_add(&queue->list, &current->pending.list);
		sigaddset(&current->pending.signal, sig);
		set_thread_flag(TIF_SIGPENDING);
		held->queue = NULL;
	}
	spin_unlock_irq(ckpt_siglock());
}

/*
 * The hook in get_signal(), under siglock: what was put first by
 * rstr_held_for_signal() is taken now, whatever else is pending.
 */
int __ckpt_signal_passed(struct kernel_siginfo *info)
{
	struct sigqueue *first;
	enum pid_type type;
	sigset_t others;

	first = list_first_entry_or_null(&current->pending.list,
					 struct sigqueue, list);
	if (!first || !(first->flags & CKPT_SIGQUEUE_PASSED))
		return 0;
	sigfillset(&others);
	sigdelset(&others, first->info.si_signo);
	return dequeue_signal(&others, info, &type);
}

/* The call that current is in has ended: as the kernel does then. */
static void rstr_call_end(void)
{
	unsigned long work = READ_ONCE(current_thread_info()->syscall_work);
	bool step = (work & SYSCALL_WORK_SYSCALL_EXIT_TRAP) &&
		    !(work & SYSCALL_WORK_SYSCALL_EMU);

	if (step || (work & SYSCALL_WORK_SYSCALL_TRACE))
		ptrace_report_syscall_exit(current_pt_regs(), step);
}

static void rstr_call_returns(long ret)
{
	syscall_set_return_value(current, current_pt_regs(), 0, ret);
	rstr_call_end();
}

static bool rstr_call_permitted(void)
{
	unsigned long work = READ_ONCE(current_thread_info()->syscall_work);

	return !(work & SYSCALL_WORK_SECCOMP) ||
	       __secure_computing(NULL) != -1;
}

/* Its tracer has heard of its end. */
static void __noreturn rstr_held_exit(struct rstr_held *held)
{
	spin_lock_irq(ckpt_siglock());
	current->ptrace &= ~PT_EVENT_FLAG(PTRACE_EVENT_EXIT);
	spin_unlock_irq(ckpt_siglock());
	do_exit(held->message);
}

/* What a system call has left to do at the place where it was held. */
static void rstr_held_go_on(struct rstr_held *held, int sig)
{
	switch (held->stop) {
	case CKPT_STOP_CALL:
	case CKPT_STOP_CALL_DONE:
		/* As ptrace_report_syscall(). */
		if (sig)
			send_sig(sig, current, 1);
		if (held->stop == CKPT_STOP_CALL_DONE)
			return;
		if (!held->emulates && !fatal_signal_pending(current) &&
		    rstr_call_permitted())
			ckpt_arch_call_make();
		rstr_call_end();
		break;
	case CKPT_STOP_SECCOMP:
		if (ckpt_seccomp_goes_on())
			ckpt_arch_call_make();
		rstr_call_end();
		break;
	case CKPT_STOP_EXIT:
		rstr_held_exit(held);
	case CKPT_STOP_EXEC:
		rstr_call_returns(0);
		break;
	case CKPT_STOP_FORK:
		rstr_call_returns(held->message);
		break;
	default:
		break;
	}
}

/**
 * rstr_held_stop() - be held
 * @held: what rstr_held_begin() said
 *
 * Others may go on once that is so.
 */
void rstr_held_stop(struct rstr_held *held)
{
	int sig;

	if (held->stop == CKPT_STOP_SIGNAL) {
		rstr_held_for_signal(held);
		return;
	}
	spin_lock_irq(ckpt_siglock());
	sig = rstr_held_sleep(held);
	spin_unlock_irq(ckpt_siglock());
	if (current->flags & PF_EXITING)
		return;
	rstr_held_go_on(held, sig);
}

/**
 * rstr_held_end() - current has been held, if it was to be; or ends
 * @held: what rstr_held_begin() said
 */
void rstr_held_end(struct rstr_held *held)
{
	if (held->queue)
		sigqueue_free(held->queue);
	if (!held->in_call || (current->flags & PF_EXITING))
		return;
	ckpt_ptrace_call_again();
	rstr_call_end();
}

/**
 * rstr_held_vforked() - the wait of a vfork(2) has ended
 * @pid: of the child, which the call returns
 */
void rstr_held_vforked(pid_t pid)
{
	if (!current->ptrace)
		return;
	if (!fatal_signal_pending(current))
		ptrace_event(PTRACE_EVENT_VFORK_DONE, pid);
	rstr_call_end();
}
