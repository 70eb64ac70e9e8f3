// SPDX-License-Identifier: GPL-2.0-only
/* When and where a task runs: policy, affinity, I/O priority, timer slack. */
#include <linux/capability.h>
#include <linux/cpumask.h>
#include <linux/iocontext.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <linux/sched/prio.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/security.h>
#include <uapi/linux/sched/types.h>

#include "checkpoint.h"
#include "process.h"
#include "restart.h"

#define CKPT_SCHED_FLAGS_DL	(SCHED_FLAG_RECLAIM | SCHED_FLAG_DL_OVERRUN)
#define CKPT_SCHED_FLAGS_KNOWN	(SCHED_FLAG_RESET_ON_FORK | CKPT_SCHED_FLAGS_DL)

/* No I/O priority was ever set. */
#define CKPT_IOPRIO_NEVER	U32_MAX

#define CKPT_CPUS_WORDS	ARRAY_SIZE(((struct ckpt_rec_sched *)NULL)->cpus)
#define CKPT_CPUS_BITS	(64 * CKPT_CPUS_WORDS)

static_assert(CONFIG_NR_CPUS <= CKPT_CPUS_BITS);
static_assert(BITS_PER_LONG == 64);

static bool ckpt_policy_is_fair(u32 policy)
{
	return policy == SCHED_NORMAL || policy == SCHED_BATCH ||
	       policy == SCHED_IDLE;
}

static bool ckpt_policy_is_rt(u32 policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

/* By clone(2) CLONE_IO, with threads or with other processes. */
static bool ckpt_io_context_shared(struct task_struct *task)
{
	bool shared = false;

#ifdef CONFIG_BLOCK
	task_lock(task);
	if (task->io_context)
		shared = atomic_read(&task->io_context->active_ref) > 1;
	task_unlock(task);
#endif
	return shared;
}

/* The name of what the task has that is not supported, or NULL. */
static const char *ckpt_sched_unsupported(struct task_struct *task)
{
	if (!ckpt_policy_is_fair(task->policy) &&
	    !ckpt_policy_is_rt(task->policy) && task->policy != SCHED_DEADLINE)
		return "scheduling policy";
	if (ckpt_io_context_shared(task))
		return "an I/O context that it shares (CLONE_IO)";
#ifdef CONFIG_SCHED_CORE
	if (task->core_cookie)
		return "core scheduling";
#endif
#ifdef CONFIG_UCLAMP_TASK
	for (int i = 0; i < UCLAMP_CNT; i++)
		if (task->uclamp_req[i].user_defined)
			return "utilization clamp";
#endif
#ifdef CONFIG_NUMA
	if (task->mempolicy)
		return "NUMA memory policy";
#endif
	return NULL;
}

static void ckpt_policy_put(struct ckpt_rec_sched *p,
			    const struct task_struct *task)
{
	u32 flags = task->sched_reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0;

	p->policy = cpu_to_le32(task->policy);
	p->nice = cpu_to_le32(task_nice(task));
	p->priority = cpu_to_le32(task->rt_priority);
	if (task->policy == SCHED_DEADLINE) {
		flags |= task->dl.flags & CKPT_SCHED_FLAGS_DL;
		p->runtime = cpu_to_le64(task->dl.dl_runtime);
		p->deadline = cpu_to_le64(task->dl.dl_deadline);
		p->period = cpu_to_le64(task->dl.dl_period);
	} else if (task->se.custom_slice) {
		p->runtime = cpu_to_le64(task->se.slice);
	}
	p->flags = cpu_to_le32(flags);
}

static void ckpt_cpus_put(struct ckpt_rec_sched *p, struct task_struct *task)
{
	unsigned long flags;

	/* sched_setaffinity(2) of another process may exchange the mask. */
	raw_spin_lock_irqsave(&task->pi_lock, flags);
	if (task->user_cpus_ptr) {
		const unsigned long *bits = cpumask_bits(task->user_cpus_ptr);

		for (int i = 0; i < BITS_TO_LONGS(nr_cpu_ids); i++)
			p->cpus[i] = cpu_to_le64(bits[i]);
		p->nr_cpus = cpu_to_le32(nr_cpu_ids);
	}
	raw_spin_unlock_irqrestore(&task->pi_lock, flags);
}

static u32 ckpt_ioprio(struct task_struct *task)
{
	u32 ioprio = CKPT_IOPRIO_NEVER;

	task_lock(task);
	if (task->io_context)
		ioprio = task->io_context->ioprio;
	task_unlock(task);
	return ioprio;
}

static int ckpt_sched_checkpoint(struct ckpt_ctx *ctx, struct task_struct *task)
{
	const char *unsupported = ckpt_sched_unsupported(task);
	struct ckpt_rec_sched *p;

	if (unsupported)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP, "%s: not supported",
				   unsupported);

	p = ckpt_part_add(ctx, CKPT_REC_SCHED, sizeof(*p));
	if (IS_ERR(p))
		return PTR_ERR(p);
	ckpt_policy_put(p, task);
	ckpt_cpus_put(p, task);
	p->ioprio = cpu_to_le32(ckpt_ioprio(task));
	p->timer_slack = cpu_to_le64(task->timer_slack_ns);
	p->default_timer_slack = cpu_to_le64(task->default_timer_slack_ns);
	return 0;
}

/* Whether a new task starts with what the caller has, or with defaults. */
static bool ckpt_sched_inherits(const struct rstr_ctx *ctx)
{
	return ctx->self || !current->sched_reset_on_fork;
}

static bool ckpt_nice_allowed(const struct rstr_ctx *ctx, s32 nice)
{
	s32 start = task_nice(current);

	if (!ckpt_sched_inherits(ctx))
		start = max(start, 0);
	return nice >= start || nice_to_rlimit(nice) <= rlimit(RLIMIT_NICE);
}

static bool ckpt_rtprio_allowed(const struct rstr_ctx *ctx, u32 policy, u32 prio)
{
	unsigned long limit = rlimit(RLIMIT_RTPRIO);

	if (ckpt_sched_inherits(ctx) && (limit || policy == current->policy))
		limit = max_t(unsigned long, limit, current->rt_priority);
	return prio <= limit;
}

/* What sched_setattr(2) would let the caller do without CAP_SYS_NICE. */
static bool ckpt_policy_allowed(const struct rstr_ctx *ctx,
				const struct ckpt_rec_sched *p)
{
	u32 policy = le32_to_cpu(p->policy);

	if (!ckpt_nice_allowed(ctx, (s32)le32_to_cpu(p->nice)))
		return false;
	if (policy == SCHED_DEADLINE)
		return false;
	if (ckpt_policy_is_rt(policy) &&
	    !ckpt_rtprio_allowed(ctx, policy, le32_to_cpu(p->priority)))
		return false;
	if (current->policy == SCHED_IDLE && policy != SCHED_IDLE &&
	    nice_to_rlimit(task_nice(current)) > rlimit(RLIMIT_NICE))
		return false;
	return !(ctx->self && current->sched_reset_on_fork) ||
	       le32_to_cpu(p->flags) & SCHED_FLAG_RESET_ON_FORK;
}

static int ckpt_policy_check(struct rstr_ctx *ctx,
			     const struct ckpt_record *rec)
{
	const struct ckpt_rec_sched *p = rstr_payload(rec);
	u32 policy = le32_to_cpu(p->policy);
	u32 prio = le32_to_cpu(p->priority);
	s32 nice = le32_to_cpu(p->nice);

	if (!ckpt_policy_is_fair(policy) && !ckpt_policy_is_rt(policy) &&
	    policy != SCHED_DEADLINE)
		return rstr_bad(ctx, rec, "unknown policy %u", policy);
	if (le32_to_cpu(p->flags) & ~(u32)CKPT_SCHED_FLAGS_KNOWN)
		return rstr_bad(ctx, rec, "unknown flags");
	if (nice < MIN_NICE || nice > MAX_NICE)
		return rstr_bad(ctx, rec, "impossible nice value %d", nice);
	if (prio >= MAX_RT_PRIO || ckpt_policy_is_rt(policy) != !!prio)
		return rstr_bad(ctx, rec, "impossible priority %u", prio);
	if (!ckpt_policy_allowed(ctx, p) && !capable(CAP_SYS_NICE))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "scheduling policy %u, nice %d, priority %u: not permitted",
				   policy, nice, prio);
	return 0;
}

/* The CPUs of an image that this machine could have. */
static void ckpt_cpus_get(struct cpumask *mask, const struct ckpt_rec_sched *p)
{
	u32 nr = min(le32_to_cpu(p->nr_cpus), nr_cpu_ids);

	cpumask_clear(mask);
	for (u32 cpu = 0; cpu < nr; cpu++)
		if (le64_to_cpu(p->cpus[cpu / 64]) & BIT_ULL(cpu % 64))
			cpumask_set_cpu(cpu, mask);
	cpumask_and(mask, mask, cpu_possible_mask);
}

static int ckpt_cpus_check(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	const struct ckpt_rec_sched *p = rstr_payload(rec);
	cpumask_var_t mask;
	bool runs;

	if (!p->nr_cpus)
		return 0;
	if (le32_to_cpu(p->nr_cpus) > CKPT_CPUS_BITS)
		return rstr_bad(ctx, rec, "affinity: too many CPUs");

	if (!alloc_cpumask_var(&mask, GFP_KERNEL))
		return -ENOMEM;
	ckpt_cpus_get(mask, p);
	runs = cpumask_intersects(mask, cpu_online_mask);
	free_cpumask_var(mask);
	if (!runs)
		return ckpt_refuse(&ctx->log, -EINVAL,
				   "affinity: none of its CPUs is here");
	return 0;
}

static int ckpt_ioprio_check(struct rstr_ctx *ctx, u32 ioprio)
{
	int err;

	if (ioprio == CKPT_IOPRIO_NEVER)
		return 0;
	err = ioprio > U16_MAX ? -EINVAL : ioprio_check_cap(ioprio);
	if (err)
		return ckpt_refuse(&ctx->log, err, "I/O priority %#x: %s",
				   ioprio, err == -EPERM ? "not permitted" :
							   "not supported");
	return 0;
}

static int ckpt_sched_check(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	const struct ckpt_rec_sched *p = rstr_payload(rec);

	return ckpt_policy_check(ctx, rec) ?: ckpt_cpus_check(ctx, rec) ?:
	       ckpt_ioprio_check(ctx, le32_to_cpu(p->ioprio));
}

/*
 * The caller was found to be allowed this by ckpt_policy_check(); the task may
 * have fewer rights by now.
 */
static int ckpt_policy_restore(const struct ckpt_rec_sched *p)
{
	struct sched_attr attr = {
		.size		= sizeof(attr),
		.sched_policy	= le32_to_cpu(p->policy),
		.sched_flags	= le32_to_cpu(p->flags),
		.sched_nice	= le32_to_cpu(p->nice),
		.sched_priority	= le32_to_cpu(p->priority),
		.sched_runtime	= le64_to_cpu(p->runtime),
		.sched_deadline	= le64_to_cpu(p->deadline),
		.sched_period	= le64_to_cpu(p->period),
	};
	int err = security_task_setscheduler(current);

	if (err)
		return err;
	/* What a real-time policy hides has its effect when that ends. */
	set_user_nice(current, attr.sched_nice);
	return sched_setattr_nocheck(current, &attr);
}

static int ckpt_cpus_restore(const struct ckpt_rec_sched *p)
{
	cpumask_var_t mask;
	int err;

	if (!p->nr_cpus)
		return current->user_cpus_ptr ?
		       sched_setaffinity(0, cpu_possible_mask) : 0;

	if (!alloc_cpumask_var(&mask, GFP_KERNEL))
		return -ENOMEM;
	ckpt_cpus_get(mask, p);
	err = sched_setaffinity(0, mask);
	free_cpumask_var(mask);
	return err;
}

static int ckpt_ioprio_restore(u32 ioprio)
{
	if (ioprio == ckpt_ioprio(current))
		return 0;
#ifdef CONFIG_BLOCK
	return set_task_ioprio(current, ioprio == CKPT_IOPRIO_NEVER ?
					IOPRIO_DEFAULT : ioprio);
#else
	return 0;
#endif
}

static int ckpt_sched_restore(struct rstr_ctx *ctx,
			      const struct ckpt_record *rec)
{
	const struct ckpt_rec_sched *p = rstr_payload(rec);
	int err;

	err = ckpt_policy_restore(p);
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "scheduling policy %u: cannot be set",
				   le32_to_cpu(p->policy));
	err = ckpt_cpus_restore(p);
	if (err)
		return ckpt_refuse(&ctx->log, err, "affinity: cannot be set");
	err = ckpt_ioprio_restore(le32_to_cpu(p->ioprio));
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "I/O priority: cannot be set");

	/* Last, as a change of policy changes them. */
	current->default_timer_slack_ns = le64_to_cpu(p->default_timer_slack);
	current->timer_slack_ns = le64_to_cpu(p->timer_slack);
	return 0;
}

const struct ckpt_part ckpt_sched_part = {
	.type		= CKPT_REC_SCHED,
	.name		= "scheduling",
	.size		= sizeof(struct ckpt_rec_sched),
	.min		= 1,
	.max		= 1,
	.checkpoint	= ckpt_sched_checkpoint,
	.check		= ckpt_sched_check,
	.restore	= ckpt_sched_restore,
};
