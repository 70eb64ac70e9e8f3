// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tasks have used: CPU time, page faults, context switches, I/O; what those
 * threads had used that have ended, and children that were waited for. All of it
 * goes on from where it was, and with it the clocks that count CPU time, and
 * RLIMIT_CPU.
 *
 * These are numbers that a process has no other way to set. None of them gives it
 * anything: whoever wants to have used nothing calls fork(2), and whoever wants
 * to have used much need only use it.
 *
 * Times are in place before any task runs, as a process's are the sum of its
 * threads', and its timers depend on it. What a restart adds to the rest up to
 * the moment that a task runs is taken back then.
 */
#include <linux/mmu_context.h>
#include <linux/posix-timers.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/seqlock.h>

#include "../kernel/sched/sched.h"
#include "checkpoint.h"
#include "limits.h"
#include "process.h"
#include "restart.h"
#include "tree.h"

static_assert(BITS_PER_LONG == 64);

/* Numbers that a task has, its process for threads that have ended, and for
 * children: where they are.
 */
#define CKPT_USAGE(field) {						\
	offsetof(struct ckpt_rec_usage, field),				\
	offsetof(struct task_struct, field),				\
	offsetof(struct signal_struct, field),				\
	offsetof(struct signal_struct, c##field),			\
}

static const struct ckpt_usage_field {
	size_t	image;
	size_t	task;
	size_t	ended;
	size_t	children;
} ckpt_usage_times[] = {
	CKPT_USAGE(utime),
	CKPT_USAGE(stime),
	CKPT_USAGE(gtime),
}, ckpt_usage_counts[] = {
	CKPT_USAGE(nvcsw),
	CKPT_USAGE(nivcsw),
	CKPT_USAGE(min_flt),
	CKPT_USAGE(maj_flt),
};

/* What a process has and a task has not. */
#define CKPT_USAGE_GROUP(field) {					\
	offsetof(struct ckpt_rec_usage, field), 0,			\
	offsetof(struct signal_struct, field),				\
	offsetof(struct signal_struct, c##field),			\
}

static const struct ckpt_usage_field ckpt_usage_group[] = {
	CKPT_USAGE_GROUP(inblock),
	CKPT_USAGE_GROUP(oublock),
	CKPT_USAGE_GROUP(maxrss),
};

#define CKPT_USAGE_IO(field) \
	{ offsetof(struct ckpt_rec_usage, field), \
	  offsetof(struct task_io_accounting, field) }

static const struct {
	size_t	image;
	size_t	kernel;
} ckpt_usage_io[] = {
#ifdef CONFIG_TASK_XACCT
	CKPT_USAGE_IO(rchar),
	CKPT_USAGE_IO(wchar),
	CKPT_USAGE_IO(syscr),
	CKPT_USAGE_IO(syscw),
#endif
#ifdef CONFIG_TASK_IO_ACCOUNTING
	CKPT_USAGE_IO(read_bytes),
	CKPT_USAGE_IO(write_bytes),
	CKPT_USAGE_IO(cancelled_write_bytes),
#endif
};

static void ckpt_usage_put_one(struct ckpt_rec_usage *p, size_t image,
			       const void *from, size_t kernel)
{
	*(__le64 *)((void *)p + image) = cpu_to_le64(*(u64 *)(from + kernel));
}

static void ckpt_usage_get_one(const struct ckpt_rec_usage *p, size_t image,
			       void *to, size_t kernel)
{
	*(u64 *)(to + kernel) = le64_to_cpu(*(__le64 *)((void *)p + image));
}

#define ckpt_usage_put(p, table, from, column)				\
	do {								\
		for (size_t i = 0; i < ARRAY_SIZE(table); i++)		\
			ckpt_usage_put_one(p, (table)[i].image, from,	\
					   (table)[i].column);		\
	} while (0)

#define ckpt_usage_get(p, table, to, column)				\
	do {								\
		for (size_t i = 0; i < ARRAY_SIZE(table); i++)		\
			ckpt_usage_get_one(p, (table)[i].image, to,	\
					   (table)[i].column);		\
	} while (0)

/* What was shown is shown again: what is exact goes up, but not its parts. */
static void ckpt_shown_put(struct ckpt_rec_usage *p,
			   const struct prev_cputime *prev)
{
	p->shown_utime = cpu_to_le64(prev->utime);
	p->shown_stime = cpu_to_le64(prev->stime);
}

static void ckpt_shown_get(const struct ckpt_rec_usage *p,
			   struct prev_cputime *prev)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&prev->lock, flags);
	prev->utime = le64_to_cpu(p->shown_utime);
	prev->stime = le64_to_cpu(p->shown_stime);
	raw_spin_unlock_irqrestore(&prev->lock, flags);
}

static bool ckpt_usage_fits(const struct ckpt_rec_usage *p)
{
	return le64_to_cpu(p->utime) <= CKPT_CPUTIME_MAX &&
	       le64_to_cpu(p->stime) <= CKPT_CPUTIME_MAX &&
	       le64_to_cpu(p->gtime) <= CKPT_CPUTIME_MAX &&
	       le64_to_cpu(p->runtime) <= CKPT_CPUTIME_MAX &&
	       le64_to_cpu(p->shown_utime) <= CKPT_CPUTIME_MAX &&
	       le64_to_cpu(p->shown_stime) <= CKPT_CPUTIME_MAX;
}

/* Of a task. */

static int ckpt_usage_checkpoint(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_rec_usage *p;

	p = ckpt_part_add(ctx, CKPT_REC_USAGE, sizeof(*p));
	if (IS_ERR(p))
		return PTR_ERR(p);
	ckpt_usage_put(p, ckpt_usage_times, task, task);
	ckpt_usage_put(p, ckpt_usage_counts, task, task);
	ckpt_usage_put(p, ckpt_usage_io, &task->ioac, kernel);
	ckpt_shown_put(p, &task->prev_cputime);
	p->runtime = cpu_to_le64(task_sched_runtime(task));
	return 0;
}

static int ckpt_usage_check(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	const struct ckpt_rec_usage *p = rstr_payload(rec);

	if (!ckpt_usage_fits(p))
		return rstr_bad(ctx, rec, "impossible time");
	if (p->inblock || p->oublock || p->maxrss)
		return rstr_bad(ctx, rec, "what only a process has");
	return 0;
}

/* The task is current, or has ended. */
static void ckpt_usage_set_times(struct task_struct *task,
				 const struct ckpt_rec_usage *p)
{
	/* What it has used so far and was not counted yet would be added. */
	task_sched_runtime(task);
	scoped_guard(task_rq_lock, task) {
		u64 runtime = le64_to_cpu(p->runtime);
		struct sched_entity *se = &task->se;

		/* How long its present turn has lasted is another matter. */
		se->prev_sum_exec_runtime += runtime - se->sum_exec_runtime;
		se->sum_exec_runtime = runtime;
		/* Interrupts are off, as one may count a tick. */
		ckpt_usage_get(p, ckpt_usage_times, task, task);
	}
	ckpt_shown_get(p, &task->prev_cputime);
}

static void ckpt_usage_set_counts(struct task_struct *task,
				  const struct ckpt_rec_usage *p)
{
	ckpt_usage_get(p, ckpt_usage_counts, task, task);
	ckpt_usage_get(p, ckpt_usage_io, &task->ioac, kernel);
}

static int ckpt_usage_restore(struct rstr_ctx *ctx,
			      const struct ckpt_record *rec)
{
	ckpt_usage_set_times(current, rstr_payload(rec));
	return 0;
}

static void ckpt_usage_resume(struct rstr_ctx *ctx,
			      const struct ckpt_record *rec)
{
	ckpt_usage_set_counts(current, rstr_payload(rec));
}

const struct ckpt_part ckpt_usage_part = {
	.type		= CKPT_REC_USAGE,
	.name		= "resource usage",
	.size		= sizeof(struct ckpt_rec_usage),
	.of_dead	= true,
	.min		= 1,
	.max		= 1,
	.checkpoint	= ckpt_usage_checkpoint,
	.check		= ckpt_usage_check,
	.restore	= ckpt_usage_restore,
	.resume		= ckpt_usage_resume,
};

/* Of a process: of its threads that have ended. */

static int ckpt_ended_usage_checkpoint(struct ckpt_ctx *ctx,
				       struct task_struct *task)
{
	struct signal_struct *signal = task->signal;
	struct ckpt_rec_usage *p;
	unsigned long flags;

	p = ckpt_part_add(ctx, CKPT_REC_ENDED_USAGE, sizeof(*p));
	if (IS_ERR(p))
		return PTR_ERR(p);
	/* The last of a thread that has ended is added under siglock. */
	if (!lock_task_sighand(task, &flags))
		return -ESRCH;
	ckpt_usage_put(p, ckpt_usage_times, signal, ended);
	ckpt_usage_put(p, ckpt_usage_counts, signal, ended);
	ckpt_usage_put(p, ckpt_usage_group, signal, ended);
	ckpt_usage_put(p, ckpt_usage_io, &signal->ioac, kernel);
	ckpt_shown_put(p, &signal->prev_cputime);
	p->runtime = cpu_to_le64(signal->sum_sched_runtime);
	unlock_task_sighand(task, &flags);
	return 0;
}

static int ckpt_ended_usage_check(struct rstr_ctx *ctx,
				  const struct ckpt_record *rec)
{
	return ckpt_usage_fits(rstr_payload(rec)) ? 0 :
	       rstr_bad(ctx, rec, "impossible time");
}

/* What a process has used in all, without its going round and below itself. */
struct ckpt_usage_sum {
	u64	time;
	u64	runtime;
};

static bool ckpt_usage_add(struct ckpt_usage_sum *sum,
			   const struct ckpt_record *rec)
{
	const struct ckpt_rec_usage *p = rstr_payload(rec);

	/* Each is at most CKPT_CPUTIME_MAX, and so is what they were added to. */
	sum->time += le64_to_cpu(p->utime);
	if (sum->time > CKPT_CPUTIME_MAX)
		return false;
	sum->time += le64_to_cpu(p->stime);
	sum->runtime += le64_to_cpu(p->runtime);
	return sum->time <= CKPT_CPUTIME_MAX &&
	       sum->runtime <= CKPT_CPUTIME_MAX;
}

static int ckpt_ended_usage_check_tree(struct rstr_ctx *ctx,
				       const struct ckpt_record *rec)
{
	const struct rstr_task *leader = rstr_obj(ctx, rec->ref)->private;
	struct ckpt_usage_sum sum = {};
	const struct rstr_task *thread;
	bool fits;

	if (!leader)
		return rstr_bad(ctx, rec, "of a process without threads");
	fits = ckpt_usage_add(&sum, rec) &&
	       ckpt_usage_add(&sum, rstr_part_first(leader->obj,
						    CKPT_REC_USAGE));
	list_for_each_entry(thread, &leader->threads, sibling)
		fits = fits && ckpt_usage_add(&sum,
					      rstr_part_first(thread->obj,
							      CKPT_REC_USAGE));
	return fits ? 0 : rstr_bad(ctx, rec, "impossible time in all");
}

static void ckpt_ended_usage_set(struct signal_struct *signal,
				 const struct ckpt_rec_usage *p)
{
	write_seqlock(&signal->stats_lock);
	ckpt_usage_get(p, ckpt_usage_times, signal, ended);
	ckpt_usage_get(p, ckpt_usage_counts, signal, ended);
	ckpt_usage_get(p, ckpt_usage_group, signal, ended);
	ckpt_usage_get(p, ckpt_usage_io, &signal->ioac, kernel);
	signal->sum_sched_runtime = le64_to_cpu(p->runtime);
	write_sequnlock(&signal->stats_lock);
	ckpt_shown_get(p, &signal->prev_cputime);
}

/*
 * The sums by which timers go are made anew by the first that is started. None is
 * running: those that there were have been deleted.
 */
static void ckpt_cputimer_reset(struct signal_struct *signal)
{
	struct task_cputime_atomic *sum = &signal->cputimer.cputime_atomic;

	posix_cputimers_init(&signal->posix_cputimers);
	atomic64_set(&sum->utime, 0);
	atomic64_set(&sum->stime, 0);
	atomic64_set(&sum->sum_exec_runtime, 0);
}

static int ckpt_ended_usage_restore(struct rstr_ctx *ctx,
				    const struct ckpt_record *rec)
{
	spin_lock_irq(ckpt_siglock());
	ckpt_cputimer_reset(current->signal);
	ckpt_ended_usage_set(current->signal, rstr_payload(rec));
	spin_unlock_irq(ckpt_siglock());
	return 0;
}

/* To give up the address space of the caller has made a difference to it. */
static void ckpt_ended_usage_resume(struct rstr_ctx *ctx,
				    const struct ckpt_record *rec)
{
	const struct ckpt_rec_usage *p = rstr_payload(rec);

	WRITE_ONCE(current->signal->maxrss, le64_to_cpu(p->maxrss));
}

const struct ckpt_part ckpt_ended_usage_part = {
	.type		= CKPT_REC_ENDED_USAGE,
	.name		= "resource usage of threads that have ended",
	.size		= sizeof(struct ckpt_rec_usage),
	.of_dead	= true,
	.min		= 1,
	.max		= 1,
	.checkpoint	= ckpt_ended_usage_checkpoint,
	.check		= ckpt_ended_usage_check,
	.check_tree	= ckpt_ended_usage_check_tree,
	.restore	= ckpt_ended_usage_restore,
	.resume		= ckpt_ended_usage_resume,
};

/* Of a process: of its children that it has waited for. */

static int ckpt_children_usage_checkpoint(struct ckpt_ctx *ctx,
					  struct task_struct *task)
{
	struct ckpt_rec_usage *p;

	p = ckpt_part_add(ctx, CKPT_REC_CHILDREN_USAGE, sizeof(*p));
	if (IS_ERR(p))
		return PTR_ERR(p);
	/* Its own threads alone wait for children, and they are at rest. */
	ckpt_usage_put(p, ckpt_usage_times, task->signal, children);
	ckpt_usage_put(p, ckpt_usage_counts, task->signal, children);
	ckpt_usage_put(p, ckpt_usage_group, task->signal, children);
	return 0;
}

static int ckpt_children_usage_check(struct rstr_ctx *ctx,
				     const struct ckpt_record *rec)
{
	const struct ckpt_rec_usage *p = rstr_payload(rec);

	if (!ckpt_usage_fits(p))
		return rstr_bad(ctx, rec, "impossible time");
	if (memchr_inv(&p->runtime, 0,
		       sizeof(*p) - offsetof(struct ckpt_rec_usage, runtime)))
		return rstr_bad(ctx, rec, "what only a process has");
	return 0;
}

static void ckpt_children_usage_set(struct signal_struct *signal,
				    const struct ckpt_rec_usage *p)
{
	write_seqlock_irq(&signal->stats_lock);
	ckpt_usage_get(p, ckpt_usage_times, signal, children);
	ckpt_usage_get(p, ckpt_usage_counts, signal, children);
	ckpt_usage_get(p, ckpt_usage_group, signal, children);
	write_sequnlock_irq(&signal->stats_lock);
}

static int ckpt_children_usage_restore(struct rstr_ctx *ctx,
				       const struct ckpt_record *rec)
{
	ckpt_children_usage_set(current->signal, rstr_payload(rec));
	return 0;
}

const struct ckpt_part ckpt_children_usage_part = {
	.type		= CKPT_REC_CHILDREN_USAGE,
	.name		= "resource usage of children",
	.size		= sizeof(struct ckpt_rec_usage),
	.of_dead	= true,
	.min		= 1,
	.max		= 1,
	.checkpoint	= ckpt_children_usage_checkpoint,
	.check		= ckpt_children_usage_check,
	.restore	= ckpt_children_usage_restore,
};

static const struct ckpt_rec_usage *ckpt_usage_of(const struct rstr_obj *obj,
						  u32 type)
{
	return rstr_payload(rstr_part_first(obj, type));
}

/**
 * ckpt_usage_of_dead() - have a task that has ended have used what it had, and no
 *	more
 * @group: its process, if no thread of that is alive; or NULL
 * @obj: the task as it is in the image
 * @task: the task, which nobody has waited for yet
 *
 * To end was work, and was done in the address space of the caller.
 */
void ckpt_usage_of_dead(const struct rstr_obj *group, const struct rstr_obj *obj,
			struct task_struct *task)
{
	const struct ckpt_rec_usage *p = ckpt_usage_of(obj, CKPT_REC_USAGE);
	unsigned long flags;

	/* Until it is off its CPU it is counted there. */
	wait_task_inactive(task, 0);
	ckpt_usage_set_times(task, p);
	ckpt_usage_set_counts(task, p);
	if (!group || !lock_task_sighand(task, &flags))
		return;
	ckpt_ended_usage_set(task->signal,
			     ckpt_usage_of(group, CKPT_REC_ENDED_USAGE));
	unlock_task_sighand(task, &flags);
}
