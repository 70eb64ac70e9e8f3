// SPDX-License-Identifier: GPL-2.0-only
/* Resource limits. */
#include <linux/capability.h>
#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/posix-timers.h>
#include <linux/resource.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/security.h>

#include "checkpoint.h"
#include "process.h"
#include "restart.h"

static_assert(ARRAY_SIZE(((struct ckpt_rec_rlimits *)NULL)->rlim) ==
	      RLIM_NLIMITS);
static_assert(RLIM_INFINITY == U64_MAX);

static int ckpt_rlimits_checkpoint(struct ckpt_ctx *ctx,
				   struct task_struct *task)
{
	struct ckpt_rec_rlimits *p;

	p = ckpt_part_add(ctx, CKPT_REC_RLIMITS, sizeof(*p));
	if (IS_ERR(p))
		return PTR_ERR(p);

	/* prlimit(2) may change them at any time, under this lock. */
	task_lock(task->group_leader);
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		p->rlim[i].cur = cpu_to_le64(task->signal->rlim[i].rlim_cur);
		p->rlim[i].max = cpu_to_le64(task->signal->rlim[i].rlim_max);
	}
	task_unlock(task->group_leader);
	return 0;
}

static int ckpt_rlimit_permit(struct rstr_ctx *ctx, unsigned int i, u64 max)
{
	if (i == RLIMIT_NOFILE && max > sysctl_nr_open)
		return ckpt_refuse(&ctx->log, -EPERM,
				   "limit %u (files): %llu is above fs.nr_open",
				   i, max);
	if (max > rlimit_max(i) && !capable(CAP_SYS_RESOURCE))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "limit %u: not permitted to raise it to %llu",
				   i, max);
	return 0;
}

static int ckpt_rlimits_check(struct rstr_ctx *ctx,
			      const struct ckpt_record *rec)
{
	const struct ckpt_rec_rlimits *p = rstr_payload(rec);
	int err = 0;

	for (int i = 0; i < RLIM_NLIMITS && !err; i++) {
		u64 max = le64_to_cpu(p->rlim[i].max);

		if (le64_to_cpu(p->rlim[i].cur) > max)
			return rstr_bad(ctx, rec, "limit %d: above its maximum",
					i);
		err = ckpt_rlimit_permit(ctx, i, max);
	}
	return err;
}

/* Signals and timers that are queued stay so when the limit is lowered: until
 * they are queued again the limit is as high as it could be set.
 */
static void ckpt_rlimit_relax(struct rlimit *new, const struct rlimit *old)
{
	new->rlim_max = max(new->rlim_max, old->rlim_max);
	new->rlim_cur = new->rlim_max;
}

static int ckpt_rlimits_restore(struct rstr_ctx *ctx,
				const struct ckpt_record *rec)
{
	const struct ckpt_rec_rlimits *p = rstr_payload(rec);
	int err = 0;

	task_lock(current->group_leader);
	for (int i = 0; i < RLIM_NLIMITS && !err; i++) {
		struct rlimit new = {
			.rlim_cur = le64_to_cpu(p->rlim[i].cur),
			.rlim_max = le64_to_cpu(p->rlim[i].max),
		};

		err = security_task_setrlimit(current, i, &new);
		if (i == RLIMIT_SIGPENDING)
			ckpt_rlimit_relax(&new, &current->signal->rlim[i]);
		if (!err)
			current->signal->rlim[i] = new;
	}
	task_unlock(current->group_leader);
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "limits: refused by a security module");

	return 0;
}

static void ckpt_rlimits_resume(struct rstr_ctx *ctx,
				const struct ckpt_record *rec)
{
	const struct ckpt_rec_rlimits *p = rstr_payload(rec);
	struct rlimit *rlim = &current->signal->rlim[RLIMIT_SIGPENDING];

	task_lock(current->group_leader);
	rlim->rlim_cur = le64_to_cpu(p->rlim[RLIMIT_SIGPENDING].cur);
	rlim->rlim_max = le64_to_cpu(p->rlim[RLIMIT_SIGPENDING].max);
	task_unlock(current->group_leader);
	/* Now that the CPU time is known that the threads have used. */
	if (rlimit(RLIMIT_CPU) != RLIM_INFINITY)
		update_rlimit_cpu(current, rlimit(RLIMIT_CPU));
}

const struct ckpt_part ckpt_rlimits_part = {
	.type		= CKPT_REC_RLIMITS,
	.name		= "resource limits",
	.size		= sizeof(struct ckpt_rec_rlimits),
	.min		= 1,
	.max		= 1,
	.checkpoint	= ckpt_rlimits_checkpoint,
	.check		= ckpt_rlimits_check,
	.restore	= ckpt_rlimits_restore,
	.resume		= ckpt_rlimits_resume,
};
