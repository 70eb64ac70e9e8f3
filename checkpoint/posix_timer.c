// SPDX-License-Identifier: GPL-2.0-only
/*
 * POSIX timers. Built as a part of kernel/time/posix-timers.c, which alone knows
 * how they are found and made.
 *
 * They go into the image as time left, as timer_gettime(2) tells it, and so an
 * absolute timer of CLOCK_REALTIME becomes a relative one: whoever restarts a
 * process an hour later wants its timers an hour later, not all at once. It
 * takes no notice any more if that clock is set.
 *
 * The signal that a timer has pending is the timer's own: it holds the overrun
 * count, and the timer starts again when it is taken. It is restored with the
 * timer, behind other pending signals.
 */
#ifdef CONFIG_CHECKPOINT
#include <linux/capability.h>
#include <linux/sched/signal.h>

#include "checkpoint.h"
#include "limits.h"
#include "process.h"
#include "restart.h"
#include "stop.h"
#include "tree.h"

static __le32 ckpt_overrun_put(s64 overrun)
{
	return cpu_to_le32(clamp_t(s64, overrun, 0, INT_MAX));
}

static bool ckpt_timer_is_cpu(const struct k_itimer *timr)
{
	return timr->it_clock < 0;
}

/* The id of a thread of a process, or 0 if it is none, or not any more. */
static u32 ckpt_timer_thread(struct pid *pid, struct task_struct *task)
{
	struct task_struct *thread = pid_task(pid, PIDTYPE_PID);

	return thread && thread->signal == task->signal ? pid_vnr(pid) : 0;
}

/*
 * Whose CPU time the timer counts, unless it is that of its process. Under RCU.
 * Returns the name of what is wrong.
 */
static const char *ckpt_timer_counts_put(struct ckpt_ctx *ctx,
					 struct ckpt_rec_posix_timer *p,
					 const struct k_itimer *timr,
					 struct task_struct *task)
{
	bool thread = CPUCLOCK_PERTHREAD(timr->it_clock);
	struct pid *pid = timr->it.cpu.pid;
	struct task_struct *target;

	target = pid_task(pid, thread ? PIDTYPE_PID : PIDTYPE_TGID);
	if (!target || READ_ONCE(target->exit_state) == EXIT_DEAD) {
		p->what &= ~cpu_to_le32(CKPT_TIMER_ARMED);
		p->what |= cpu_to_le32(CKPT_TIMER_CLOCK_GONE);
		p->left = 0;
		return NULL;
	}
	if (!ckpt_stop_has(ctx->stop, target))
		return "on the CPU time of a process outside the tree";
	if (thread || pid != task_tgid(task))
		p->counts = cpu_to_le32(pid_vnr(pid));
	return NULL;
}

static const char *ckpt_timer_clock_put(struct ckpt_ctx *ctx,
					struct ckpt_rec_posix_timer *p,
					const struct k_itimer *timr,
					struct task_struct *task)
{
	clockid_t clock = timr->it_clock;

	p->clock = cpu_to_le32(clock);
	if (!ckpt_timer_is_cpu(timr))
		return NULL;
	p->clock = cpu_to_le32(make_process_cpuclock(0, clock & CLOCKFD_MASK));
	return ckpt_timer_counts_put(ctx, p, timr, task);
}

/* What the timer counts, and whom it notifies; the name of what is wrong. */
static const char *ckpt_timer_target_put(struct ckpt_ctx *ctx,
					 struct ckpt_rec_posix_timer *p,
					 const struct k_itimer *timr,
					 struct task_struct *task)
{
	p->notify = cpu_to_le32(timr->it_sigev_notify);
	if (timr->it_sigev_notify & SIGEV_THREAD_ID)
		p->thread = cpu_to_le32(ckpt_timer_thread(timr->it_pid, task));
	p->signo = cpu_to_le32(timr->sigq->info.si_signo);
	p->value = cpu_to_le64((uintptr_t)timr->sigq->info.si_value.sival_ptr);
	return ckpt_timer_clock_put(ctx, p, timr, task);
}

/*
 * Whether the timer's signal is queued, and how often it was to be queued again
 * since. Under siglock, as the signal may just be taken.
 */
static bool ckpt_timer_pending(const struct k_itimer *timr,
			       struct task_struct *task, s64 *missed)
{
	struct sighand_struct *sighand;
	unsigned long flags;
	bool pending;

	sighand = lock_task_sighand(task, &flags);
	if (!sighand)
		return false;
	pending = !list_empty(&timr->sigq->list);
	if (pending)
		*missed += timr->sigq->info.si_overrun;
	spin_unlock_irqrestore(&sighand->siglock, flags);
	return pending;
}

static void ckpt_timer_state_put(struct ckpt_rec_posix_timer *p,
				 const struct k_itimer *timr,
				 struct task_struct *task)
{
	s64 missed = timr->it_overrun + 1;
	u32 what = 0;

	if (timr->it_active)
		what |= CKPT_TIMER_ARMED;
	if (ckpt_timer_pending(timr, task, &missed))
		what |= CKPT_TIMER_PENDING;
	p->what = cpu_to_le32(what);
	p->overrun = ckpt_overrun_put(timr->it_overrun_last);
	p->missed = ckpt_overrun_put(missed);
}

static const char *ckpt_timer_put(struct ckpt_ctx *ctx,
				  struct ckpt_rec_posix_timer *p,
				  struct k_itimer *timr,
				  struct task_struct *task)
{
	struct itimerspec64 setting = {};

	/* This may count overruns: it comes before they are looked at. */
	timr->kclock->timer_get(timr, &setting);
	p->id = cpu_to_le32(timr->it_id);
	p->left = cpu_to_le64(timespec64_to_ns(&setting.it_value));
	p->interval = cpu_to_le64(timr->it_interval);
	ckpt_timer_state_put(p, timr, task);
	return ckpt_timer_target_put(ctx, p, timr, task);
}

/*
 * Look a timer up and write it. A task that is killed meanwhile takes its
 * timers with it; they stay readable under RCU.
 */
static const char *ckpt_timer_snapshot(struct ckpt_ctx *ctx,
				       struct ckpt_rec_posix_timer *p,
				       struct task_struct *task, int id)
{
	struct signal_struct *signal = task->signal;
	const char *wrong = "that is gone";
	struct k_itimer *timr;
	unsigned long flags;

	rcu_read_lock();
	timr = __posix_timers_find(&posix_timers_hashtable[hash(signal, id)],
				   signal, id);
	if (timr) {
		spin_lock_irqsave(&timr->it_lock, flags);
		if (timr->it_signal == signal)
			wrong = ckpt_timer_put(ctx, p, timr, task);
		spin_unlock_irqrestore(&timr->it_lock, flags);
	}
	rcu_read_unlock();
	return wrong;
}

/*
 * The ids of all timers, up to @max, the one made last coming first; returns
 * how many there are. Only the task itself makes timers, and it does not run.
 */
static size_t ckpt_timer_ids(struct task_struct *task, int *ids, size_t max)
{
	struct sighand_struct *sighand;
	struct k_itimer *timr;
	unsigned long flags;
	size_t nr = 0;

	sighand = lock_task_sighand(task, &flags);
	if (!sighand)
		return 0;
	hlist_for_each_entry(timr, &task->signal->posix_timers, list)
		if (nr++ < max)
			ids[nr - 1] = timr->it_id;
	spin_unlock_irqrestore(&sighand->siglock, flags);
	return nr;
}

static int ckpt_timer_write(struct ckpt_ctx *ctx, struct task_struct *task,
			    int id)
{
	struct ckpt_rec_posix_timer *p;
	const char *wrong;

	p = ckpt_part_add(ctx, CKPT_REC_POSIX_TIMER, sizeof(*p));
	if (IS_ERR(p))
		return PTR_ERR(p);
	wrong = ckpt_timer_snapshot(ctx, p, task, id);
	if (wrong)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "timer %d: one %s: not supported", id,
				   wrong);
	return 0;
}

static int ckpt_posix_timer_checkpoint(struct ckpt_ctx *ctx,
				       struct task_struct *task)
{
	size_t nr = ckpt_timer_ids(task, NULL, 0);
	int *ids, err = 0;

	if (!nr)
		return 0;
	if (nr > CKPT_SIGINFO_MAX)
		return ckpt_refuse(&ctx->log, -E2BIG, "%zu timers: too many",
				   nr);

	ids = kvmalloc_array(nr, sizeof(*ids), GFP_KERNEL_ACCOUNT);
	if (!ids)
		return -ENOMEM;
	/* Oldest first, which leaves the same order and the same next id. */
	nr = min(nr, ckpt_timer_ids(task, ids, nr));
	while (nr-- && !err)
		err = ckpt_timer_write(ctx, task, ids[nr]);
	kvfree(ids);
	return err;
}

static bool ckpt_timer_clock_valid(clockid_t clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_TAI:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
		return true;
	default:
		return clock < 0 && CPUCLOCK_WHICH(clock) < CPUCLOCK_MAX &&
		       clock == make_process_cpuclock(0, clock & CLOCKFD_MASK);
	}
}

static int ckpt_timer_clock_check(struct rstr_ctx *ctx,
				  const struct ckpt_record *rec)
{
	const struct ckpt_rec_posix_timer *p = rstr_payload(rec);
	clockid_t clock = le32_to_cpu(p->clock);

	if (!ckpt_timer_clock_valid(clock))
		return rstr_bad(ctx, rec, "unknown clock %d", clock);
	if (clock != CLOCK_REALTIME_ALARM && clock != CLOCK_BOOTTIME_ALARM)
		return 0;
	if (!alarmtimer_get_rtcdev())
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "timer %u: there is no alarm clock here",
				   le32_to_cpu(p->id));
	if (!capable(CAP_WAKE_ALARM))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "timer %u: not permitted to use the alarm clock",
				   le32_to_cpu(p->id));
	return 0;
}

static int ckpt_timer_notify_check(struct rstr_ctx *ctx,
				   const struct ckpt_record *rec)
{
	const struct ckpt_rec_posix_timer *p = rstr_payload(rec);
	u32 signo = le32_to_cpu(p->signo);

	switch (le32_to_cpu(p->notify)) {
	case SIGEV_NONE:
		if (p->what & ~cpu_to_le32(CKPT_TIMER_CLOCK_GONE))
			return rstr_bad(ctx, rec, "has no signal to send");
		return 0;
	case SIGEV_THREAD_ID:
	case SIGEV_SIGNAL:
	case SIGEV_THREAD:
		if (!signo || !valid_signal(signo))
			return rstr_bad(ctx, rec, "unknown signal %u", signo);
		return 0;
	default:
		return rstr_bad(ctx, rec, "unknown kind of notification");
	}
}

static int ckpt_posix_timer_check(struct rstr_ctx *ctx,
				  const struct ckpt_record *rec)
{
	const struct ckpt_rec_posix_timer *p = rstr_payload(rec);
	u32 what = le32_to_cpu(p->what);

	if (le32_to_cpu(p->id) > INT_MAX)
		return rstr_bad(ctx, rec, "impossible id");
	if (what & ~CKPT_TIMER_WHAT_KNOWN)
		return rstr_bad(ctx, rec, "unknown flags");
	if (le64_to_cpu(p->left) > KTIME_MAX ||
	    le64_to_cpu(p->interval) > KTIME_MAX)
		return rstr_bad(ctx, rec, "impossible time");
	if (what & CKPT_TIMER_ARMED && !p->left)
		return rstr_bad(ctx, rec, "armed with no time left");
	if (what & CKPT_TIMER_CLOCK_GONE &&
	    ((clockid_t)le32_to_cpu(p->clock) >= 0 || p->left || p->counts))
		return rstr_bad(ctx, rec, "goes on without a clock");
	if (le32_to_cpu(p->overrun) > INT_MAX ||
	    le32_to_cpu(p->missed) > INT_MAX)
		return rstr_bad(ctx, rec, "impossible overrun");
	if (p->reserved)
		return rstr_bad(ctx, rec, "reserved field");
	return ckpt_timer_clock_check(ctx, rec) ?:
	       ckpt_timer_notify_check(ctx, rec);
}

/* The thread that the image calls so, if it is one of the timer's process. */
static struct rstr_task *ckpt_timer_find(struct rstr_ctx *ctx,
					 const struct ckpt_record *rec,
					 __le32 tid)
{
	struct rstr_task *task = rstr_tree_find(ctx->run, le32_to_cpu(tid));

	if (task && task->leader == rstr_obj(ctx, rec->ref)->private &&
	    task->leader->live)
		return task;
	return NULL;
}

static bool ckpt_timer_is_thread_cpu(const struct ckpt_rec_posix_timer *p)
{
	clockid_t clock = le32_to_cpu(p->clock);

	return clock < 0 && CPUCLOCK_PERTHREAD(clock);
}

/* That of a thread of its own process, or that of any process. */
static bool ckpt_timer_counts_valid(struct rstr_ctx *ctx,
				    const struct ckpt_record *rec)
{
	const struct ckpt_rec_posix_timer *p = rstr_payload(rec);
	struct rstr_task *task;

	if (le32_to_cpu(p->what) & CKPT_TIMER_CLOCK_GONE)
		return true;
	if (ckpt_timer_is_thread_cpu(p))
		return ckpt_timer_find(ctx, rec, p->counts);
	if (!p->counts)
		return true;
	task = rstr_tree_find(ctx->run, le32_to_cpu(p->counts));
	return task && task->leader == task &&
	       (clockid_t)le32_to_cpu(p->clock) < 0;
}

static int ckpt_posix_timer_check_tree(struct rstr_ctx *ctx,
				       const struct ckpt_record *rec)
{
	const struct ckpt_rec_posix_timer *p = rstr_payload(rec);

	/* One who was to be notified may be gone. */
	if (p->thread && (le32_to_cpu(p->notify) != SIGEV_THREAD_ID ||
			  !ckpt_timer_find(ctx, rec, p->thread)))
		return rstr_bad(ctx, rec, "notifies thread %u",
				le32_to_cpu(p->thread));
	if (!ckpt_timer_counts_valid(ctx, rec))
		return rstr_bad(ctx, rec, "counts the time of task %u",
				le32_to_cpu(p->counts));
	return 0;
}

/* A new timer in the hash table, not valid yet, under the id it had. */
static struct k_itimer *ckpt_timer_alloc(int id)
{
	struct k_itimer *timr = alloc_posix_timer();
	int new_id;

	if (!timr)
		return ERR_PTR(-EAGAIN);
	spin_lock_init(&timr->it_lock);

	spin_lock(&hash_lock);
	current->signal->next_posix_timer_id = id;
	spin_unlock(&hash_lock);
	new_id = posix_timer_add(timr);
	if (new_id < 0) {
		posix_timer_free(timr);
		return ERR_PTR(new_id);
	}
	if (new_id != id) {
		posix_timer_unhash_and_free(timr);
		return ERR_PTR(-EEXIST);
	}
	timr->it_id = id;
	return timr;
}

/* What stands for a task that is gone: a pid that nobody has any more. */
static struct pid *ckpt_timer_nobody(void)
{
	struct pid *pid = alloc_pid(task_active_pid_ns(current), NULL, 0);

	if (IS_ERR(pid))
		return pid;
	get_pid(pid);
	free_pid(pid);
	return pid;
}

static struct task_struct *ckpt_timer_task(struct rstr_ctx *ctx, __le32 tid)
{
	return rstr_tree_find(ctx->run, le32_to_cpu(tid))->task;
}

static void ckpt_timer_clock_get(struct rstr_ctx *ctx, struct k_itimer *timr,
				 const struct ckpt_rec_posix_timer *p)
{
	clockid_t clock = le32_to_cpu(p->clock);
	pid_t pid;

	timr->it_clock = clock;
	/* The clocks of the caller's own are those of any task by its id. */
	if (p->counts) {
		pid = task_pid_vnr(ckpt_timer_task(ctx, p->counts));
		timr->it_clock = CPUCLOCK_PERTHREAD(clock) ?
			make_thread_cpuclock(pid, clock & CLOCKFD_MASK) :
			make_process_cpuclock(pid, clock & CLOCKFD_MASK);
	}
	timr->kclock = clockid_to_kclock(timr->it_clock);
}

static int ckpt_timer_notify_get(struct rstr_ctx *ctx, struct k_itimer *timr,
				 const struct ckpt_rec_posix_timer *p)
{
	struct kernel_siginfo *info = &timr->sigq->info;
	struct pid *pid;

	timr->it_sigev_notify = le32_to_cpu(p->notify);
	if (!(timr->it_sigev_notify & SIGEV_THREAD_ID))
		pid = get_pid(task_tgid(current));
	else if (p->thread)
		pid = get_pid(task_pid(ckpt_timer_task(ctx, p->thread)));
	else
		pid = ckpt_timer_nobody();
	if (IS_ERR(pid))
		return PTR_ERR(pid);
	timr->it_pid = pid;
	info->si_signo = le32_to_cpu(p->signo);
	info->si_value.sival_ptr = u64_to_user_ptr(le64_to_cpu(p->value));
	info->si_tid = timr->it_id;
	info->si_code = SI_TIMER;
	return 0;
}

/* One whose clock is gone is made on that of the process first. */
static int ckpt_timer_make(struct rstr_ctx *ctx, struct k_itimer *timr,
			   const struct ckpt_rec_posix_timer *p)
{
	struct pid *nobody = NULL;
	int err;

	timr->it_overrun = -1LL;
	ckpt_timer_clock_get(ctx, timr, p);
	err = ckpt_timer_notify_get(ctx, timr, p);
	if (err)
		return err;
	if (le32_to_cpu(p->what) & CKPT_TIMER_CLOCK_GONE)
		nobody = ckpt_timer_nobody();
	if (IS_ERR(nobody))
		return PTR_ERR(nobody);
	err = timr->kclock->timer_create(timr);
	if (err) {
		put_pid(nobody);
	} else if (nobody) {
		put_pid(timr->it.cpu.pid);
		timr->it.cpu.pid = nobody;
	}
	return err;
}

/* Make the timer, without starting it. */
static int ckpt_posix_timer_restore(struct rstr_ctx *ctx,
				    const struct ckpt_record *rec)
{
	const struct ckpt_rec_posix_timer *p = rstr_payload(rec);
	struct k_itimer *timr;
	int err;

	timr = ckpt_timer_alloc(le32_to_cpu(p->id));
	if (IS_ERR(timr))
		return ckpt_refuse(&ctx->log, PTR_ERR(timr),
				   "timer %u: cannot be made, see RLIMIT_SIGPENDING",
				   le32_to_cpu(p->id));
	err = ckpt_timer_make(ctx, timr, p);
	if (err) {
		posix_timer_unhash_and_free(timr);
		return ckpt_refuse(&ctx->log, err, "timer %u: cannot be made",
				   le32_to_cpu(p->id));
	}

	/* Valid from here on: both locks, as do_timer_create() does it. */
	spin_lock_irq(&timr->it_lock);
	spin_lock(ckpt_siglock());
	WRITE_ONCE(timr->it_signal, current->signal);
	hlist_add_head(&timr->list, &current->signal->posix_timers);
	spin_unlock(ckpt_siglock());
	spin_unlock_irq(&timr->it_lock);
	return 0;
}

/*
 * Leave the timer as it is while it does not run: it knows when it would go off
 * next, for timer_gettime(2) and for when its pending signal is taken.
 */
static void ckpt_timer_place(struct k_itimer *timr, ktime_t left,
			     ktime_t interval)
{
	timr->it_interval = interval;
	if (!left)
		return;
	if (ckpt_timer_is_cpu(timr)) {
		struct timespec64 now;

		if (!timr->kclock->clock_get_timespec(timr->it_clock, &now))
			cpu_timer_setexpires(&timr->it.cpu,
					     timespec64_to_ns(&now) + left);
		return;
	}
	/* To arm it as if it had no signal sets its time and starts nothing. */
	timr->kclock->timer_arm(timr, left, false, true);
}

/*
 * Queue the signal of a periodic timer that goes on when it is taken; if it is
 * ignored, so that nobody will, the timer goes on now.
 */
static void ckpt_timer_queue_rearming(struct k_itimer *timr)
{
	if (!posix_timer_queue_signal(timr))
		return;
	timr->kclock->timer_rearm(timr);
	timr->it_active = 1;
	++timr->it_requeue_pending;
}

/* Queue the signal of a timer that takes no notice of when it is taken. */
static void ckpt_timer_queue(struct k_itimer *timr, int overrun)
{
	enum pid_type type = timr->it_sigev_notify & SIGEV_THREAD_ID ?
			     PIDTYPE_PID : PIDTYPE_TGID;

	timr->sigq->info.si_sys_private = 0;
	if (send_sigqueue(timr->sigq, timr->it_pid, type))
		return;
	spin_lock(ckpt_siglock());
	timr->sigq->info.si_overrun = overrun;
	spin_unlock(ckpt_siglock());
}

static void ckpt_timer_state_get(struct k_itimer *timr,
				 const struct ckpt_rec_posix_timer *p)
{
	bool pending = le32_to_cpu(p->what) & CKPT_TIMER_PENDING;
	bool armed = le32_to_cpu(p->what) & CKPT_TIMER_ARMED;
	int missed = le32_to_cpu(p->missed);

	timr->it_overrun_last = le32_to_cpu(p->overrun);
	if (!armed)
		ckpt_timer_place(timr, le64_to_cpu(p->left),
				 le64_to_cpu(p->interval));
	if (pending && (armed || !timr->it_interval)) {
		ckpt_timer_queue(timr, missed);
		return;
	}

	timr->it_overrun += missed;
	if (pending)
		ckpt_timer_queue_rearming(timr);
	else if (!armed && timr->it_interval)
		timr->it_requeue_pending |= REQUEUE_PENDING;
}

static void ckpt_posix_timer_resume(struct rstr_ctx *ctx,
				    const struct ckpt_record *rec)
{
	const struct ckpt_rec_posix_timer *p = rstr_payload(rec);
	int id = le32_to_cpu(p->id);
	struct k_itimer *timr;
	unsigned long flags;

	if (le32_to_cpu(p->what) & CKPT_TIMER_ARMED) {
		struct itimerspec64 setting = {
			.it_value	= ns_to_timespec64(le64_to_cpu(p->left)),
			.it_interval	= ns_to_timespec64(le64_to_cpu(p->interval)),
		};

		do_timer_settime(id, 0, &setting, NULL);
	}

	timr = lock_timer(id, &flags);
	if (!timr)
		return;
	ckpt_timer_state_get(timr, p);
	unlock_timer(timr, flags);
}

const struct ckpt_part ckpt_posix_timer_part = {
	.type		= CKPT_REC_POSIX_TIMER,
	.name		= "timer",
	.size		= sizeof(struct ckpt_rec_posix_timer),
	.max		= CKPT_SIGINFO_MAX,
	.checkpoint	= ckpt_posix_timer_checkpoint,
	.check		= ckpt_posix_timer_check,
	.check_tree	= ckpt_posix_timer_check_tree,
	.restore	= ckpt_posix_timer_restore,
	.resume		= ckpt_posix_timer_resume,
};
#endif /* CONFIG_CHECKPOINT */
