// SPDX-License-Identifier: GPL-2.0-only
/*
 * The FPU's state, all of it, in the format that ptrace(2) has it in
 * (NT_X86_XSTATE): standard XSAVE, so that no kernel's or CPU's choice of a
 * compacted format shows.
 */
#include <linux/checkpoint.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/regset.h>
#include <linux/slab.h>
#include <asm/fpu/api.h>
#include <asm/fpu/regset.h>
#include <asm/fpu/sched.h>
#include <asm/fpu/signal.h>
#include <asm/fpu/xcr.h>
#include <asm/pkru.h>

#include "../../../checkpoint/arch.h"
#include "../../../checkpoint/checkpoint.h"
#include "../../../checkpoint/restart.h"
#include "../kernel/fpu/internal.h"
#include "../kernel/fpu/legacy.h"
#include "../kernel/fpu/context.h"
#include "../kernel/fpu/xstate.h"

static int ckpt_xstate_checkpoint(struct ckpt_ctx *ctx,
				  struct task_struct *task)
{
	unsigned int size = fpu_user_cfg.max_size;
	struct membuf to;
	void *xstate;

	xstate = ckpt_part_add(ctx, CKPT_REC_XSTATE, size);
	if (IS_ERR(xstate))
		return PTR_ERR(xstate);
	to = (struct membuf){ .p = xstate, .left = size };
	/* That of another task was noted when it left the CPU. */
	if (task == current)
		current->thread.pkru = read_pkru();
	return xstateregs_get(task, NULL, to);
}

static int ckpt_xstate_check(struct rstr_ctx *ctx,
			     const struct ckpt_record *rec)
{
	const struct xregs_state *xsave = rstr_payload(rec);
	const struct xstate_header *hdr = &xsave->header;

	/* The image header's features were found to be ours as well. */
	if (rstr_size(rec) > fpu_user_cfg.max_size)
		return rstr_bad(ctx, rec, "%u bytes", rstr_size(rec));
	if (hdr->xfeatures & ~le64_to_cpu(ctx->header->xfeatures) ||
	    hdr->xfeatures & ~fpu_user_cfg.default_features)
		return rstr_bad(ctx, rec, "features %#llx", hdr->xfeatures);
	if (hdr->xcomp_bv || memchr_inv(hdr->reserved, 0,
					sizeof(hdr->reserved)))
		return rstr_bad(ctx, rec, "not in the standard format");
	if (xsave->i387.mxcsr & ~mxcsr_feature_mask)
		return rstr_bad(ctx, rec, "MXCSR %#x", xsave->i387.mxcsr);
	return 0;
}

/*
 * The state waits in memory until user mode is entered: TIF_NEED_FPU_LOAD
 * keeps whatever is in the registers from being saved over it.
 */
static int ckpt_xstate_load(const void *xstate)
{
	struct fpu *fpu = &current->thread.fpu;
	u32 pkru;
	int err;

	fpregs_lock();
	set_thread_flag(TIF_NEED_FPU_LOAD);
	__fpu_invalidate_fpregs_state(fpu);
	err = copy_uabi_from_kernel_to_xstate(fpu->fpstate, xstate, &pkru);
	fpregs_unlock();
	return err;
}

static int ckpt_xstate_restore(struct rstr_ctx *ctx,
			       const struct ckpt_record *rec)
{
	void *xstate = kvzalloc(fpu_user_cfg.max_size, GFP_KERNEL_ACCOUNT);
	int err;

	if (!xstate)
		return -ENOMEM;
	/* A CPU with fewer states had less; none of what it lacked is in use. */
	memcpy(xstate, rstr_payload(rec), rstr_size(rec));
	err = ckpt_xstate_load(xstate);
	kvfree(xstate);
	return err ? rstr_bad(ctx, rec, "refused") : 0;
}

/* Protection keys hold for the kernel's accesses too: not before the end. */
static void ckpt_xstate_resume(struct rstr_ctx *ctx,
			       const struct ckpt_record *rec)
{
	struct fpstate *fpstate = current->thread.fpu.fpstate;
	const struct pkru_state *pkru;

	if (!cpu_feature_enabled(X86_FEATURE_OSPKE))
		return;
	pkru = get_xsave_addr(&fpstate->regs.xsave, XFEATURE_PKRU);
	write_pkru(pkru ? pkru->pkru : 0);
}

const struct ckpt_part ckpt_xstate_part = {
	.type		= CKPT_REC_XSTATE,
	.name		= "FPU state",
	.size		= sizeof(struct fxregs_state) +
			  sizeof(struct xstate_header),
	.open_ended	= true,
	.min		= 1,
	.max		= 1,
	.checkpoint	= ckpt_xstate_checkpoint,
	.check		= ckpt_xstate_check,
	.restore	= ckpt_xstate_restore,
	.resume		= ckpt_xstate_resume,
};
