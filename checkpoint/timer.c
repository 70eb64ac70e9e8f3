// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interval timers of setitimer(2). They go into the image as time left; POSIX
 * timers are in posix_timer.c.
 */
#include <linux/hrtimer.h>
#include <linux/posix-timers.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/time.h>

#include "checkpoint.h"
#include "process.h"
#include "restart.h"

/* The clock of an interval timer that counts CPU time, by ITIMER_*. */
static const unsigned int ckpt_itimer_clocks[] = {
	[ITIMER_VIRTUAL]	= CPUCLOCK_VIRT,
	[ITIMER_PROF]		= CPUCLOCK_PROF,
};

/*
 * Once ITIMER_REAL has sent its signal it may still look active for a moment;
 * under siglock, a pending SIGALRM tells.
 */
static bool ckpt_itimer_real_armed(struct signal_struct *signal)
{
	if (hrtimer_is_queued(&signal->real_timer))
		return true;
	return hrtimer_active(&signal->real_timer) &&
	       !sigismember(&signal->shared_pending.signal, SIGALRM);
}

static void ckpt_itimer_real_get(struct signal_struct *signal,
				 struct ckpt_rec_itimers *p)
{
	s64 left = __hrtimer_get_remaining(&signal->real_timer, true);
	s64 interval = signal->it_real_incr;

	if (ckpt_itimer_real_armed(signal)) {
		left = max(left, 1);
	} else if (interval) {
		/* When it would go off next had its signal been taken. */
		if (left <= 0)
			left = interval - -left % interval;
		left = min(left, interval);
		p->what = cpu_to_le32(CKPT_ITIMERS_REAL_WAITS);
	} else {
		left = 0;
	}
	p->timer[ITIMER_REAL].value = cpu_to_le64(left);
	p->timer[ITIMER_REAL].interval = cpu_to_le64(interval);
}

static void ckpt_itimer_cpu_get(struct task_struct *task, int which,
				struct ckpt_rec_itimers *p)
{
	unsigned int clock = ckpt_itimer_clocks[which];
	const struct cpu_itimer *it = &task->signal->it[clock];
	u64 left = 0;

	if (it->expires) {
		u64 samples[CPUCLOCK_MAX];

		thread_group_sample_cputime(task, samples);
		left = it->expires > samples[clock] ?
		       it->expires - samples[clock] : 1;
	}
	p->timer[which].value = cpu_to_le64(left);
	p->timer[which].interval = cpu_to_le64(it->incr);
}

/**
 * ckpt_itimers_get() - how the interval timers of a process stand
 * @task: of the process
 * @p: where to write it, zeroed
 *
 * The caller holds siglock, under which it looks at pending signals as well.
 */
void ckpt_itimers_get(struct task_struct *task, struct ckpt_rec_itimers *p)
{
	ckpt_itimer_real_get(task->signal, p);
	ckpt_itimer_cpu_get(task, ITIMER_VIRTUAL, p);
	ckpt_itimer_cpu_get(task, ITIMER_PROF, p);
}

static int ckpt_itimers_check(struct rstr_ctx *ctx,
			      const struct ckpt_record *rec)
{
	const struct ckpt_rec_itimers *p = rstr_payload(rec);

	for (int i = 0; i < ARRAY_SIZE(p->timer); i++)
		if (le64_to_cpu(p->timer[i].value) > KTIME_MAX ||
		    le64_to_cpu(p->timer[i].interval) > KTIME_MAX)
			return rstr_bad(ctx, rec, "timer %d: impossible time",
					i);
	if (le32_to_cpu(p->what) & ~CKPT_ITIMERS_WHAT_KNOWN || p->reserved)
		return rstr_bad(ctx, rec, "unknown flags");
	if (le32_to_cpu(p->what) & CKPT_ITIMERS_REAL_WAITS &&
	    (!p->timer[0].interval || le64_to_cpu(p->timer[0].value) >
				      le64_to_cpu(p->timer[0].interval)))
		return rstr_bad(ctx, rec, "timer 0: waits for more than it has");
	return 0;
}

/* None of the timers that current has had so far is the image's. */
static int ckpt_itimers_restore(struct rstr_ctx *ctx,
				const struct ckpt_record *rec)
{
	struct signal_struct *signal = current->signal;

	exit_itimers(current);
	flush_itimer_signals();
	hrtimer_cancel(&signal->real_timer);

	spin_lock_irq(ckpt_siglock());
	signal->it_real_incr = 0;
	memset(signal->it, 0, sizeof(signal->it));
	spin_unlock_irq(ckpt_siglock());
	return 0;
}

static void ckpt_itimer_real_start(struct signal_struct *signal,
				   const struct ckpt_rec_itimers *p)
{
	struct hrtimer *timer = &signal->real_timer;
	ktime_t left = le64_to_cpu(p->timer[ITIMER_REAL].value);

	signal->it_real_incr = le64_to_cpu(p->timer[ITIMER_REAL].interval);
	if (le32_to_cpu(p->what) & CKPT_ITIMERS_REAL_WAITS) {
		/* One interval back: what takes SIGALRM adds one. */
		left = ktime_sub(left, signal->it_real_incr);
		hrtimer_set_expires(timer, ktime_add(ktime_get(), left));
	} else if (left) {
		hrtimer_start(timer, left, HRTIMER_MODE_REL);
	}
}

static void ckpt_itimer_cpu_start(int which, const struct ckpt_rec_itimers *p)
{
	unsigned int clock = ckpt_itimer_clocks[which];
	struct cpu_itimer *it = &current->signal->it[clock];
	u64 expires = le64_to_cpu(p->timer[which].value);
	u64 old = 0;

	/* From time left to time of expiry. */
	if (expires)
		set_process_cpu_timer(current, clock, &expires, &old);
	it->expires = expires;
	it->incr = le64_to_cpu(p->timer[which].interval);
}

static void ckpt_itimers_resume(struct rstr_ctx *ctx,
				const struct ckpt_record *rec)
{
	const struct ckpt_rec_itimers *p = rstr_payload(rec);

	spin_lock_irq(ckpt_siglock());
	ckpt_itimer_real_start(current->signal, p);
	ckpt_itimer_cpu_start(ITIMER_VIRTUAL, p);
	ckpt_itimer_cpu_start(ITIMER_PROF, p);
	spin_unlock_irq(ckpt_siglock());
}

/* Pending signals of the process are written along with them. */
const struct ckpt_part ckpt_itimers_part = {
	.type		= CKPT_REC_ITIMERS,
	.name		= "interval timers",
	.size		= sizeof(struct ckpt_rec_itimers),
	.min		= 1,
	.max		= 1,
	.checkpoint	= ckpt_shared_signals_checkpoint,
	.check		= ckpt_itimers_check,
	.restore	= ckpt_itimers_restore,
	.resume		= ckpt_itimers_resume,
};
