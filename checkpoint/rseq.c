// SPDX-License-Identifier: GPL-2.0-only
/*
 * Restartable sequences. A critical section in which a task was when it was
 * captured is aborted by the restart, as it would be by preemption: another CPU
 * may be the one where it goes on.
 */
#include <linux/align.h>
#include <linux/preempt.h>
#include <linux/rseq.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <uapi/linux/rseq.h>

#include "checkpoint.h"
#include "process.h"
#include "restart.h"

/* What struct rseq was at first; a length that stands for that alone. */
#define CKPT_RSEQ_ORIG_SIZE	32

#ifdef CONFIG_RSEQ
static void ckpt_rseq_put(struct ckpt_rec_rseq *p, struct task_struct *task)
{
	p->addr = cpu_to_le64((uintptr_t)task->rseq);
	p->len = cpu_to_le32(task->rseq_len);
	p->sig = cpu_to_le32(task->rseq_sig);
}

static void ckpt_rseq_get(const struct ckpt_rec_rseq *p)
{
	current->rseq = u64_to_user_ptr(le64_to_cpu(p->addr));
	current->rseq_len = le32_to_cpu(p->len);
	current->rseq_sig = le32_to_cpu(p->sig);
}

static void ckpt_rseq_abort(void)
{
	preempt_disable();
	rseq_preempt(current);
	preempt_enable();
}
#else
static void ckpt_rseq_put(struct ckpt_rec_rseq *p, struct task_struct *task)
{
}

static void ckpt_rseq_get(const struct ckpt_rec_rseq *p)
{
}

static void ckpt_rseq_abort(void)
{
}
#endif

static int ckpt_rseq_checkpoint(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_rec_rseq *p;

	p = ckpt_part_add(ctx, CKPT_REC_RSEQ, sizeof(*p));
	if (IS_ERR(p))
		return PTR_ERR(p);

	/* Held by a tracer in execve(2), which takes it away as its last step. */
	if (!task->in_execve)
		ckpt_rseq_put(p, task);
	return 0;
}

/* What rseq(2) takes. */
static bool ckpt_rseq_valid(u64 addr, u32 len)
{
	if (!access_ok(u64_to_user_ptr(addr), len))
		return false;
	if (len == CKPT_RSEQ_ORIG_SIZE)
		return IS_ALIGNED(addr, CKPT_RSEQ_ORIG_SIZE);
	return len >= offsetof(struct rseq, end) &&
	       IS_ALIGNED(addr, __alignof__(struct rseq));
}

static int ckpt_rseq_check(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	const struct ckpt_rec_rseq *p = rstr_payload(rec);
	u64 addr = le64_to_cpu(p->addr);

	if (!addr)
		return p->len || p->sig ?
		       rstr_bad(ctx, rec, "not registered, yet has a size") : 0;
	if (!IS_ENABLED(CONFIG_RSEQ))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "restartable sequences: not in this kernel");
	if (!ckpt_rseq_valid(addr, le32_to_cpu(p->len)))
		return rstr_bad(ctx, rec, "impossible address or size");
	return 0;
}

static int ckpt_rseq_restore(struct rstr_ctx *ctx,
			     const struct ckpt_record *rec)
{
	ckpt_rseq_get(rstr_payload(rec));
	return 0;
}

static void ckpt_rseq_resume(struct rstr_ctx *ctx,
			     const struct ckpt_record *rec)
{
	ckpt_rseq_abort();
}

const struct ckpt_part ckpt_rseq_part = {
	.type		= CKPT_REC_RSEQ,
	.name		= "restartable sequences",
	.size		= sizeof(struct ckpt_rec_rseq),
	.min		= 1,
	.max		= 1,
	.checkpoint	= ckpt_rseq_checkpoint,
	.check		= ckpt_rseq_check,
	.restore	= ckpt_rseq_restore,
	.resume		= ckpt_rseq_resume,
};
