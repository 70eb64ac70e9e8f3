// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals: handlers, masks, the alternate stack, and what is pending.
 *
 * Pending signals are queued again in the order of their arrival, each with its
 * siginfo, by the task itself. rt_sigqueueinfo(2) lets a process send itself
 * any si_code, those that only the kernel sends included, and so does restart.
 * SIGKILL is never in an image.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "checkpoint.h"
#include "limits.h"
#include "process.h"
#include "ptrace.h"
#include "restart.h"
#include "tree.h"

/* What the kernel keeps in sa_flags: what sigaction(2) lets pass, and which ABI
 * the handler was set with.
 */
#define CKPT_SA_KNOWN	(UAPI_SA_FLAGS | SA_IA32_ABI | SA_X32_ABI)

static_assert(ARRAY_SIZE(((struct ckpt_rec_sighand *)NULL)->action) == _NSIG);
static_assert(sizeof(siginfo_t) == sizeof(struct ckpt_rec_siginfo));
static_assert(sizeof(sigset_t) == sizeof(u64));

static void ckpt_sigset_get(sigset_t *set, __le64 mask)
{
	set->sig[0] = le64_to_cpu(mask);
	sigdelsetmask(set, sigmask(SIGKILL) | sigmask(SIGSTOP));
}

static void ckpt_sigaction_put(struct ckpt_rec_sigaction *p,
			       const struct sigaction *sa)
{
	p->handler = cpu_to_le64((uintptr_t)sa->sa_handler);
	p->flags = cpu_to_le64(sa->sa_flags & CKPT_SA_KNOWN);
	p->restorer = cpu_to_le64((uintptr_t)sa->sa_restorer);
	p->mask = cpu_to_le64(sa->sa_mask.sig[0]);
}

static void ckpt_sigaction_get(struct sigaction *sa,
			       const struct ckpt_rec_sigaction *p)
{
	sa->sa_handler = (__sighandler_t)(uintptr_t)le64_to_cpu(p->handler);
	sa->sa_flags = le64_to_cpu(p->flags);
	sa->sa_restorer = (__sigrestore_t)(uintptr_t)le64_to_cpu(p->restorer);
	ckpt_sigset_get(&sa->sa_mask, p->mask);
}

static int ckpt_sighand_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct sighand_struct *sighand = obj;
	struct ckpt_rec_sighand *p;

	p = ckpt_object_add(ctx, CKPT_REC_SIGHAND, obj, sizeof(*p));
	if (IS_ERR(p))
		return PTR_ERR(p);

	spin_lock_irq(&sighand->siglock);
	for (int i = 0; i < _NSIG; i++)
		ckpt_sigaction_put(&p->action[i], &sighand->action[i].sa);
	spin_unlock_irq(&sighand->siglock);
	return 0;
}

static int ckpt_sighand_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_sighand *p = rstr_payload(obj->rec);

	for (int sig = 1; sig <= _NSIG; sig++) {
		const struct ckpt_rec_sigaction *action = &p->action[sig - 1];

		if (le64_to_cpu(action->flags) & ~(u64)CKPT_SA_KNOWN)
			return rstr_bad(ctx, obj->rec,
					"signal %d: unknown flags", sig);
		if (sig_kernel_only(sig) && action->handler)
			return rstr_bad(ctx, obj->rec,
					"signal %d: cannot be handled", sig);
	}
	return 0;
}

/* Both locks, as whoever finds a task's table does so under either. */
static void ckpt_sighand_switch(struct sighand_struct *new)
{
	struct sighand_struct *old;

	old = rcu_dereference_protected(current->sighand, true);
	write_lock_irq(&tasklist_lock);
	spin_lock(&old->siglock);
	rcu_assign_pointer(current->sighand, new);
	spin_unlock(&old->siglock);
	write_unlock_irq(&tasklist_lock);
	__cleanup_sighand(old);
}

/*
 * The table that current has anyway becomes that of the image: the threads that
 * it will have are created with it. It is not shared with anyone at the start;
 * what is in it comes later, by ckpt_sighand_fill().
 */
static int ckpt_sighand_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	struct sighand_struct *old, *new;

	old = rcu_dereference_protected(current->sighand, true);
	if (refcount_read(&old->count) != 1) {
		new = kmem_cache_alloc(sighand_cachep, GFP_KERNEL);
		if (!new)
			return -ENOMEM;
		refcount_set(&new->count, 1);
		memcpy(new->action, old->action, sizeof(new->action));
		ckpt_sighand_switch(new);
		old = new;
	}
	refcount_inc(&old->count);
	obj->ptr = old;
	return 0;
}

/**
 * ckpt_sighand_share() - have current use a table of signal handlers
 * @sighand: the table
 *
 * Current is the only thread of its group so far.
 */
void ckpt_sighand_share(struct sighand_struct *sighand)
{
	if (sighand == rcu_access_pointer(current->sighand))
		return;
	refcount_inc(&sighand->count);
	ckpt_sighand_switch(sighand);
}

/**
 * ckpt_sighand_fill() - set the handlers that the image says
 * @obj: the table, restored
 */
void ckpt_sighand_fill(struct rstr_obj *obj)
{
	const struct ckpt_rec_sighand *p = rstr_payload(obj->rec);
	struct sighand_struct *sighand = obj->ptr;

	spin_lock_irq(&sighand->siglock);
	for (int i = 0; i < _NSIG; i++)
		ckpt_sigaction_get(&sighand->action[i].sa, &p->action[i]);
	spin_unlock_irq(&sighand->siglock);
}

const struct ckpt_kind ckpt_sighand_kind = {
	.type		= CKPT_REC_SIGHAND,
	.family		= CKPT_SIGHAND,
	.name		= "signal handlers",
	.size		= sizeof(struct ckpt_rec_sighand),
	.checkpoint	= ckpt_sighand_checkpoint,
	.check		= ckpt_sighand_check,
	.restore	= ckpt_sighand_restore,
};

static int ckpt_sigmask_checkpoint(struct ckpt_ctx *ctx,
				   struct task_struct *task)
{
	struct ckpt_rec_sigmask *p;

	p = ckpt_part_add(ctx, CKPT_REC_SIGMASK, sizeof(*p));
	if (IS_ERR(p))
		return PTR_ERR(p);

	/* A task changes these itself and does not run now. */
	p->blocked = cpu_to_le64(task->blocked.sig[0]);
	if (test_tsk_restore_sigmask(task)) {
		p->saved = cpu_to_le64(task->saved_sigmask.sig[0]);
		p->what = cpu_to_le32(CKPT_SIGMASK_SAVED);
	}
	p->altstack_flags = cpu_to_le32(task->sas_ss_flags);
	p->altstack = cpu_to_le64(task->sas_ss_sp);
	p->altstack_size = cpu_to_le64(task->sas_ss_size);
	return 0;
}

/* A stack of no size is none, whatever its flags: execve(2) leaves it so. */
static bool ckpt_altstack_valid(u32 flags, u64 size)
{
	u32 mode = flags & ~SS_FLAG_BITS;

	if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE)
		return false;
	return !size || (mode != SS_DISABLE && size >= MINSIGSTKSZ);
}

static int ckpt_sigmask_check(struct rstr_ctx *ctx,
			      const struct ckpt_record *rec)
{
	const struct ckpt_rec_sigmask *p = rstr_payload(rec);

	if (le32_to_cpu(p->what) & ~CKPT_SIGMASK_SAVED)
		return rstr_bad(ctx, rec, "unknown flags");
	if (!ckpt_altstack_valid(le32_to_cpu(p->altstack_flags),
				 le64_to_cpu(p->altstack_size)))
		return rstr_bad(ctx, rec, "impossible signal stack");
	return 0;
}

/**
 * ckpt_signals_hold() - block whatever can be
 *
 * So that signals may be queued without their being lost because they are
 * ignored, or taking effect before all is restored.
 */
void ckpt_signals_hold(void)
{
	sigset_t all;

	sigfillset(&all);
	set_current_blocked(&all);
}

static int ckpt_sigmask_restore(struct rstr_ctx *ctx,
				const struct ckpt_record *rec)
{
	const struct ckpt_rec_sigmask *p = rstr_payload(rec);

	ckpt_signals_hold();
	clear_restore_sigmask();
	if (le32_to_cpu(p->what) & CKPT_SIGMASK_SAVED) {
		ckpt_sigset_get(&current->saved_sigmask, p->saved);
		set_restore_sigmask();
	}
	current->sas_ss_flags = le32_to_cpu(p->altstack_flags);
	current->sas_ss_sp = le64_to_cpu(p->altstack);
	current->sas_ss_size = le64_to_cpu(p->altstack_size);
	return 0;
}

static void ckpt_sigmask_resume(struct rstr_ctx *ctx,
				const struct ckpt_record *rec)
{
	const struct ckpt_rec_sigmask *p = rstr_payload(rec);
	sigset_t blocked;

	ckpt_sigset_get(&blocked, p->blocked);
	set_current_blocked(&blocked);
}

const struct ckpt_part ckpt_sigmask_part = {
	.type		= CKPT_REC_SIGMASK,
	.name		= "signal mask",
	.size		= sizeof(struct ckpt_rec_sigmask),
	.min		= 1,
	.max		= 1,
	.checkpoint	= ckpt_sigmask_checkpoint,
	.check		= ckpt_sigmask_check,
	.restore	= ckpt_sigmask_restore,
	.resume		= ckpt_sigmask_resume,
};

/**
 * ckpt_siginfo_put() - put siginfo into an image
 * @p: where to
 * @info: the siginfo
 */
void ckpt_siginfo_put(struct ckpt_rec_siginfo *p,
		      const struct kernel_siginfo *info)
{
	siginfo_t *to = (siginfo_t *)p->info;

	copy_siginfo_to_external(to, info);
	/* Of no meaning but to the timer that sent it. */
	if (siginfo_layout(info->si_signo, info->si_code) == SIL_TIMER)
		to->si_sys_private = 0;
}

/* The siginfo of a signal that had none, as whoever takes it would get it. */
static void ckpt_siginfo_put_bare(struct ckpt_rec_siginfo *p, int sig)
{
	struct kernel_siginfo info;

	clear_siginfo(&info);
	info.si_signo = sig;
	info.si_code = SI_USER;
	ckpt_siginfo_put(p, &info);
}

/*
 * Copy what is pending in @queue, up to @max, and return how many there are.
 * A timer's own entry is left to the timer.
 */
static size_t ckpt_siginfos_collect(const struct sigpending *queue,
				    struct ckpt_rec_siginfo *to, size_t max)
{
	sigset_t bare = queue->signal;
	struct sigqueue *q;
	size_t nr = 0;

	list_for_each_entry(q, &queue->list, list) {
		sigdelset(&bare, q->info.si_signo);
		if (q->flags & SIGQUEUE_PREALLOC)
			continue;
		if (nr++ < max)
			ckpt_siginfo_put(&to[nr - 1], &q->info);
	}
	for (int sig = 1; sig <= _NSIG; sig++)
		if (sigismember(&bare, sig) && nr++ < max)
			ckpt_siginfo_put_bare(&to[nr - 1], sig);
	return nr;
}

/**
 * struct ckpt_siginfos - what was pending at one moment
 * @shared: of the thread group, rather than of one thread
 * @nr: signals there were
 * @max: room in @info
 * @info: the signals, kvmalloc'ed
 * @itimers: of the thread group at the same moment, where @shared: otherwise a
 *	timer could fire in between and be found both armed and pending
 */
struct ckpt_siginfos {
	bool			shared;
	size_t			nr;
	size_t			max;
	struct ckpt_rec_siginfo	*info;
	struct ckpt_rec_itimers	itimers;
};

static int ckpt_siginfos_snapshot(struct ckpt_siginfos *all,
				  struct task_struct *task)
{
	const struct sigpending *queue;
	struct sighand_struct *sighand;
	unsigned long flags;
	bool dying;

	sighand = lock_task_sighand(task, &flags);
	if (!sighand)
		return -EAGAIN;
	dying = sigismember(&task->pending.signal, SIGKILL) ||
		((task->signal->flags & SIGNAL_GROUP_EXIT) &&
		 !ckpt_ptrace_at_exit(task));
	queue = all->shared ? &task->signal->shared_pending : &task->pending;
	all->nr = ckpt_siginfos_collect(queue, all->info, all->max);
	if (all->shared)
		ckpt_itimers_get(task, &all->itimers);
	spin_unlock_irqrestore(&sighand->siglock, flags);
	return dying ? -EAGAIN : 0;
}

/*
 * Signals go on arriving meanwhile: ask again until all had room. One who is being
 * killed will have ended when the tree is captured again.
 */
static int ckpt_siginfos_get(struct ckpt_ctx *ctx, struct ckpt_siginfos *all,
			     struct task_struct *task)
{
	for (;;) {
		int err = ckpt_siginfos_snapshot(all, task);

		if (err)
			return err;
		if (all->nr <= all->max)
			return 0;
		if (all->nr > CKPT_SIGINFO_MAX)
			return ckpt_refuse(&ctx->log, -E2BIG,
					   "%zu pending signals: too many",
					   all->nr);

		all->max = all->nr + all->nr / 8 + 8;
		kvfree(all->info);
		all->info = kvmalloc_array(all->max, sizeof(*all->info),
					   GFP_KERNEL_ACCOUNT);
		if (!all->info)
			return -ENOMEM;
	}
}

static int ckpt_siginfos_write(struct ckpt_ctx *ctx,
			       const struct ckpt_siginfos *all)
{
	u32 type = all->shared ? CKPT_REC_SHARED_SIGINFO : CKPT_REC_SIGINFO;

	if (all->shared) {
		struct ckpt_rec_itimers *p;

		p = ckpt_part_add(ctx, CKPT_REC_ITIMERS, sizeof(*p));
		if (IS_ERR(p))
			return PTR_ERR(p);
		*p = all->itimers;
	}
	for (size_t i = 0; i < all->nr; i++) {
		struct ckpt_rec_siginfo *p;

		p = ckpt_part_add(ctx, type, sizeof(*p));
		if (IS_ERR(p))
			return PTR_ERR(p);
		*p = all->info[i];
	}
	return 0;
}

static int ckpt_siginfos_checkpoint(struct ckpt_ctx *ctx,
				    struct task_struct *task, bool shared)
{
	struct ckpt_siginfos all = { .shared = shared };
	int err;

	err = ckpt_siginfos_get(ctx, &all, task);
	if (!err)
		err = ckpt_siginfos_write(ctx, &all);
	kvfree(all.info);
	return err;
}

/* A signal that a tracer keeps back was taken from the queue, and comes first. */
static int ckpt_siginfo_held_checkpoint(struct ckpt_ctx *ctx,
					struct task_struct *task)
{
	struct kernel_siginfo info;
	struct ckpt_rec_siginfo *p;

	if (ckpt_ptrace_trap(ctx, task, &info) != CKPT_TRAP_SIGNAL)
		return 0;
	p = ckpt_part_add(ctx, CKPT_REC_SIGINFO, sizeof(*p));
	if (IS_ERR(p))
		return PTR_ERR(p);
	ckpt_siginfo_put(p, &info);
	return 0;
}

static int ckpt_siginfo_checkpoint(struct ckpt_ctx *ctx,
				   struct task_struct *task)
{
	int err;

	err = ckpt_siginfo_held_checkpoint(ctx, task);
	return err ?: ckpt_siginfos_checkpoint(ctx, task, false);
}

/**
 * ckpt_shared_signals_checkpoint() - write interval timers and pending signals
 * @ctx: the checkpoint
 * @task: of the process whose they are
 *
 * Return: 0, or a negative error whose reason is in the log
 */
int ckpt_shared_signals_checkpoint(struct ckpt_ctx *ctx,
				   struct task_struct *task)
{
	return ckpt_siginfos_checkpoint(ctx, task, true);
}

/* The image's bytes, which are aligned to 8, as what sends a signal takes. */
static void ckpt_siginfo_get(struct kernel_siginfo *info,
			     const struct ckpt_record *rec)
{
	const struct ckpt_rec_siginfo *p = rstr_payload(rec);

	memcpy(info, p->info, sizeof(*info));
}

static int ckpt_siginfo_check(struct rstr_ctx *ctx,
			      const struct ckpt_record *rec)
{
	const struct ckpt_rec_siginfo *p = rstr_payload(rec);
	struct kernel_siginfo info;

	ckpt_siginfo_get(&info, rec);
	if (info.si_signo < 1 || !valid_signal(info.si_signo) ||
	    info.si_signo == SIGKILL)
		return rstr_bad(ctx, rec, "signal %d cannot be pending",
				info.si_signo);
	if (memchr_inv(p->info + sizeof(info), 0, SI_EXPANSION_SIZE))
		return rstr_bad(ctx, rec, "signal %d: unknown siginfo",
				info.si_signo);
	if (siginfo_layout(info.si_signo, info.si_code) == SIL_TIMER &&
	    info.si_sys_private)
		return rstr_bad(ctx, rec, "signal %d: siginfo of a timer's own",
				info.si_signo);
	return 0;
}

/**
 * ckpt_siginfo_sender() - who sent it, if of the tree, may have another pid by now
 * @ctx: the restart, all of whose tasks are there
 * @info: the siginfo, as it was
 */
void ckpt_siginfo_sender(struct rstr_ctx *ctx, struct kernel_siginfo *info)
{
	switch (siginfo_layout(info->si_signo, info->si_code)) {
	case SIL_KILL:
	case SIL_CHLD:
	case SIL_RT:
		info->si_pid = rstr_tree_pid_now(ctx->run, info->si_pid);
		break;
	default:
		break;
	}
}

static int ckpt_siginfo_queue(struct rstr_ctx *ctx,
			      const struct ckpt_record *rec, enum pid_type type)
{
	struct kernel_siginfo info;
	int err;

	ckpt_siginfo_get(&info, rec);
	ckpt_siginfo_sender(ctx, &info);
	spin_lock_irq(ckpt_siglock());
	err = send_signal_locked(info.si_signo, &info, current, type);
	spin_unlock_irq(ckpt_siglock());
	return err;
}

/*
 * Signals are queued here, where there is still a way to say that
 * RLIMIT_SIGPENDING does not allow it; the mask that ckpt_sigmask_resume() puts
 * in place lets them take effect. SIGSTOP alone would not wait for that.
 */
static int ckpt_siginfo_requeue(struct rstr_ctx *ctx,
				const struct ckpt_record *rec,
				enum pid_type type)
{
	struct kernel_siginfo info;
	int err;

	ckpt_siginfo_get(&info, rec);
	if (info.si_signo == SIGSTOP)
		return 0;
	ckpt_signals_hold();
	err = ckpt_siginfo_queue(ctx, rec, type);
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "signal %d: cannot be queued, see RLIMIT_SIGPENDING",
				   info.si_signo);
	return 0;
}

/* Whatever else SIGSTOP needs, it needs no memory: it is not lost. */
static void ckpt_siginfo_stop(struct rstr_ctx *ctx,
			      const struct ckpt_record *rec, enum pid_type type)
{
	struct kernel_siginfo info;

	ckpt_siginfo_get(&info, rec);
	if (info.si_signo == SIGSTOP)
		ckpt_siginfo_queue(ctx, rec, type);
}

static int ckpt_siginfo_restore(struct rstr_ctx *ctx,
				const struct ckpt_record *rec)
{
	return ckpt_siginfo_requeue(ctx, rec, PIDTYPE_PID);
}

static void ckpt_siginfo_resume(struct rstr_ctx *ctx,
				const struct ckpt_record *rec)
{
	ckpt_siginfo_stop(ctx, rec, PIDTYPE_PID);
}

const struct ckpt_part ckpt_siginfo_part = {
	.type		= CKPT_REC_SIGINFO,
	.name		= "pending signal",
	.size		= sizeof(struct ckpt_rec_siginfo),
	.max		= CKPT_SIGINFO_MAX,
	.checkpoint	= ckpt_siginfo_checkpoint,
	.check		= ckpt_siginfo_check,
	.restore	= ckpt_siginfo_restore,
	.resume		= ckpt_siginfo_resume,
};

static int ckpt_shared_siginfo_restore(struct rstr_ctx *ctx,
				       const struct ckpt_record *rec)
{
	return ckpt_siginfo_requeue(ctx, rec, PIDTYPE_TGID);
}

static void ckpt_shared_siginfo_resume(struct rstr_ctx *ctx,
				       const struct ckpt_record *rec)
{
	ckpt_siginfo_stop(ctx, rec, PIDTYPE_TGID);
}

/* Written along with the interval timers, by ckpt_itimers_part. */
const struct ckpt_part ckpt_shared_siginfo_part = {
	.type		= CKPT_REC_SHARED_SIGINFO,
	.name		= "pending signal of the process",
	.size		= sizeof(struct ckpt_rec_siginfo),
	.max		= CKPT_SIGINFO_MAX,
	.check		= ckpt_siginfo_check,
	.restore	= ckpt_shared_siginfo_restore,
	.resume		= ckpt_shared_siginfo_resume,
};
