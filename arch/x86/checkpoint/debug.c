// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debug registers of a task, as its tracer has set them: hardware breakpoints and
 * watchpoints. What is traced from outside the tree has lost them with its tracer.
 */
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/user.h>
#include <asm/debugreg.h>

#include "../../../checkpoint/arch.h"
#include "../../../checkpoint/checkpoint.h"
#include "../../../checkpoint/ptrace.h"
#include "../../../checkpoint/restart.h"

#define CKPT_DEBUG_ADDRESSES	ARRAY_SIZE(((struct ckpt_rec_debug *)NULL)->address)

static_assert(CKPT_DEBUG_ADDRESSES == HBP_NUM);

/* Only the tracer changes them, and it is at rest as well. */
static bool ckpt_debug_put(struct ckpt_rec_debug *p, struct task_struct *task)
{
	struct thread_struct *thread = &task->thread;
	bool any = thread->virtual_dr6 || thread->ptrace_dr7;

	for (size_t i = 0; i < CKPT_DEBUG_ADDRESSES; i++) {
		struct perf_event *bp = thread->ptrace_bps[i];

		any |= !!bp;
		p->address[i] = cpu_to_le64(bp ? bp->hw.info.address : 0);
	}
	p->status = cpu_to_le64(thread->virtual_dr6 ^ DR6_RESERVED);
	p->control = cpu_to_le64(thread->ptrace_dr7);
	return any;
}

static int ckpt_debug_checkpoint(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_rec_debug rec, *p;

	if (!ckpt_ptrace_is_inside(ctx, task) || !ckpt_debug_put(&rec, task))
		return 0;
	p = ckpt_part_add(ctx, CKPT_REC_DEBUG, sizeof(*p));
	if (IS_ERR(p))
		return PTR_ERR(p);
	*p = rec;
	return 0;
}

/* As by PTRACE_POKEUSER, which looks at what it is given. */
static int ckpt_debug_poke(size_t nr, __le64 value)
{
	return arch_ptrace(current, PTRACE_POKEUSR,
			   offsetof(struct user, u_debugreg) +
			   nr * sizeof(unsigned long), le64_to_cpu(value));
}

static int ckpt_debug_restore(struct rstr_ctx *ctx,
			      const struct ckpt_record *rec)
{
	const struct ckpt_rec_debug *p = rstr_payload(rec);
	int err = 0;

	for (size_t i = 0; i < CKPT_DEBUG_ADDRESSES && !err; i++)
		if (p->address[i])
			err = ckpt_debug_poke(i, p->address[i]);
	if (!err)
		err = ckpt_debug_poke(7, p->control);
	if (err == -EINVAL || err == -EIO)
		return rstr_bad(ctx, rec, "control %#llx, or an address",
				le64_to_cpu(p->control));
	return err ? ckpt_refuse(&ctx->log, err,
				 "hardware breakpoints: %pe", ERR_PTR(err)) : 0;
}

/* What the kernel did in memory meanwhile is no hit of the task's. */
static void ckpt_debug_resume(struct rstr_ctx *ctx,
			      const struct ckpt_record *rec)
{
	const struct ckpt_rec_debug *p = rstr_payload(rec);

	ckpt_debug_poke(6, p->status);
}

const struct ckpt_part ckpt_debug_part = {
	.type		= CKPT_REC_DEBUG,
	.name		= "debug registers",
	.size		= sizeof(struct ckpt_rec_debug),
	.max		= 1,
	.checkpoint	= ckpt_debug_checkpoint,
	.restore	= ckpt_debug_restore,
	.resume		= ckpt_debug_resume,
};
