// SPDX-License-Identifier: GPL-2.0-only
/* What prctl(2) sets for a thread and has no place elsewhere. */
#include <linux/capability.h>
#include <linux/cpufeature.h>
#include <linux/nospec.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/seccomp.h>
#include <linux/syscall_user_dispatch.h>
#include <linux/thread_info.h>
#include <asm/prctl.h>
#include <asm/proto.h>

#include "checkpoint.h"
#include "process.h"
#include "restart.h"

/* What PR_SET_IO_FLUSHER stands for. */
#define CKPT_PF_IO_FLUSHER	(PF_MEMALLOC_NOIO | PF_LOCAL_THROTTLE)

/* What a task may control, in the order of the image. */
static const unsigned long ckpt_speculation[] = {
	PR_SPEC_STORE_BYPASS,
	PR_SPEC_INDIRECT_BRANCH,
	PR_SPEC_L1D_FLUSH,
};

static_assert(ARRAY_SIZE(ckpt_speculation) ==
	      ARRAY_SIZE(((struct ckpt_rec_prctl *)NULL)->speculation));

static u32 ckpt_mce_kill(const struct task_struct *task)
{
	if (!(task->flags & PF_MCE_PROCESS))
		return PR_MCE_KILL_DEFAULT;
	return task->flags & PF_MCE_EARLY ? PR_MCE_KILL_EARLY :
					    PR_MCE_KILL_LATE;
}

static bool ckpt_io_flusher(const struct task_struct *task)
{
	return (task->flags & CKPT_PF_IO_FLUSHER) == CKPT_PF_IO_FLUSHER;
}

static void ckpt_speculation_put(struct ckpt_rec_prctl *p,
				 struct task_struct *task)
{
	int value;

	for (size_t i = 0; i < ARRAY_SIZE(ckpt_speculation); i++) {
		value = arch_prctl_spec_ctrl_get(task, ckpt_speculation[i]);
		p->speculation[i] = cpu_to_le32(max(value, 0));
	}
}

static void ckpt_dispatch_put(struct ckpt_rec_prctl *p,
			      const struct task_struct *task)
{
	const struct syscall_user_dispatch *sd = &task->syscall_dispatch;

	if (!test_task_syscall_work(task, SYSCALL_USER_DISPATCH))
		return;
	p->what |= cpu_to_le32(CKPT_PRCTL_SYSCALL_DISPATCH);
	p->dispatch_start = cpu_to_le64(sd->offset);
	p->dispatch_len = cpu_to_le64(sd->len);
	p->dispatch_selector = cpu_to_le64((uintptr_t)sd->selector);
}

static u32 ckpt_prctl_flags(struct task_struct *task)
{
	u32 what = 0;

	if (task_no_new_privs(task))
		what |= CKPT_PRCTL_NO_NEW_PRIVS;
	if (ckpt_io_flusher(task))
		what |= CKPT_PRCTL_IO_FLUSHER;
	if (test_tsk_thread_flag(task, TIF_NOTSC))
		what |= CKPT_PRCTL_TSC_SIGSEGV;
	if (test_tsk_thread_flag(task, TIF_NOCPUID))
		what |= CKPT_PRCTL_NO_CPUID;
	if (seccomp_mode(&task->seccomp) == SECCOMP_MODE_STRICT)
		what |= CKPT_PRCTL_SECCOMP_STRICT;
	return what;
}

static int ckpt_prctl_checkpoint(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_rec_prctl *p;

	p = ckpt_part_add(ctx, CKPT_REC_PRCTL, sizeof(*p));
	if (IS_ERR(p))
		return PTR_ERR(p);
	p->what = cpu_to_le32(ckpt_prctl_flags(task));
	p->mce_kill = cpu_to_le32(ckpt_mce_kill(task));
	ckpt_speculation_put(p, task);
	ckpt_dispatch_put(p, task);
	return 0;
}

/*
 * Whether a control can be as the task had set it, if it had: not so where the
 * task was protected from something that nothing can be done about here, or
 * where the caller can't be rid of a protection.
 */
static int ckpt_speculation_permit(struct rstr_ctx *ctx, unsigned long which,
				   u32 want)
{
	u32 now = arch_prctl_spec_ctrl_get(current, which);
	bool l1d = which == PR_SPEC_L1D_FLUSH;
	bool exposed = now == (l1d ? PR_SPEC_FORCE_DISABLE : PR_SPEC_ENABLE);

	if (!(want & PR_SPEC_PRCTL) || want == now)
		return 0;
	if (now == (PR_SPEC_PRCTL | PR_SPEC_FORCE_DISABLE))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "speculation control %lu: not permitted to be other than disabled",
				   which);
	if (exposed && l1d == !!(want & PR_SPEC_ENABLE))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "speculation control %lu: not to be had on this machine",
				   which);
	return 0;
}

static bool ckpt_speculation_valid(unsigned long which, u32 value)
{
	u32 ctrl = value & ~PR_SPEC_PRCTL;

	if (!(value & PR_SPEC_PRCTL))
		return value < 2 * PR_SPEC_DISABLE_NOEXEC;
	return ctrl == PR_SPEC_ENABLE || ctrl == PR_SPEC_DISABLE ||
	       (ctrl == PR_SPEC_FORCE_DISABLE && which != PR_SPEC_L1D_FLUSH) ||
	       (ctrl == PR_SPEC_DISABLE_NOEXEC && which == PR_SPEC_STORE_BYPASS);
}

static int ckpt_speculation_check(struct rstr_ctx *ctx,
				  const struct ckpt_record *rec)
{
	const struct ckpt_rec_prctl *p = rstr_payload(rec);
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ckpt_speculation) && !err; i++) {
		u32 value = le32_to_cpu(p->speculation[i]);

		if (!ckpt_speculation_valid(ckpt_speculation[i], value))
			return rstr_bad(ctx, rec, "speculation control %#x",
					value);
		err = ckpt_speculation_permit(ctx, ckpt_speculation[i], value);
	}
	return err;
}

static int ckpt_dispatch_check(struct rstr_ctx *ctx,
			       const struct ckpt_record *rec)
{
	const struct ckpt_rec_prctl *p = rstr_payload(rec);
	u64 start = le64_to_cpu(p->dispatch_start);
	u64 len = le64_to_cpu(p->dispatch_len);

	if (le32_to_cpu(p->what) & CKPT_PRCTL_SYSCALL_DISPATCH ?
	    (start && start + len <= start) ||
	    le64_to_cpu(p->dispatch_selector) >= TASK_SIZE_MAX :
	    start || len || p->dispatch_selector)
		return rstr_bad(ctx, rec, "syscall user dispatch");
	return 0;
}

static int ckpt_prctl_permit(struct rstr_ctx *ctx, u32 what)
{
	if (task_no_new_privs(current) && !(what & CKPT_PRCTL_NO_NEW_PRIVS))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "no_new_privs: not permitted to be without it");
	if (ckpt_io_flusher(current) != !!(what & CKPT_PRCTL_IO_FLUSHER) &&
	    !capable(CAP_SYS_RESOURCE))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "I/O flusher state: not permitted to change it");
	if (what & CKPT_PRCTL_NO_CPUID && !boot_cpu_has(X86_FEATURE_CPUID_FAULT))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "CPUID faulting: not to be had on this machine");
	return 0;
}

static int ckpt_prctl_check(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	const struct ckpt_rec_prctl *p = rstr_payload(rec);

	if (le32_to_cpu(p->what) & ~CKPT_PRCTL_KNOWN || p->reserved)
		return rstr_bad(ctx, rec, "unknown flags");
	if (le32_to_cpu(p->mce_kill) > PR_MCE_KILL_DEFAULT)
		return rstr_bad(ctx, rec, "unknown memory failure policy");
	return ckpt_dispatch_check(ctx, rec) ?: ckpt_speculation_check(ctx, rec) ?:
	       ckpt_prctl_permit(ctx, le32_to_cpu(p->what));
}

/**
 * ckpt_prctl_what() - what of prctl(2) a task has that is on or off
 * @task: a task that is not dead
 *
 * Return: CKPT_PRCTL_*
 */
u32 ckpt_prctl_what(const struct rstr_obj *task)
{
	const struct ckpt_record *rec = rstr_part_first(task, CKPT_REC_PRCTL);
	const struct ckpt_rec_prctl *p = rstr_payload(rec);

	return le32_to_cpu(p->what);
}

static void ckpt_flags_set(u32 flags, bool on)
{
	if (on)
		current->flags |= flags;
	else
		current->flags &= ~flags;
}

/* Where nothing can be done about it here, all is as good as it was. */
static int ckpt_speculation_restore(const struct ckpt_rec_prctl *p)
{
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ckpt_speculation) && !err; i++) {
		unsigned long which = ckpt_speculation[i];
		u32 want = le32_to_cpu(p->speculation[i]);
		int now = arch_prctl_spec_ctrl_get(current, which);

		if (want & now & PR_SPEC_PRCTL && want != now)
			err = arch_prctl_spec_ctrl_set(current, which,
						       want & ~PR_SPEC_PRCTL);
	}
	return err;
}

static int ckpt_dispatch_restore(const struct ckpt_rec_prctl *p)
{
	bool on = le32_to_cpu(p->what) & CKPT_PRCTL_SYSCALL_DISPATCH;

	return set_syscall_user_dispatch(on ? PR_SYS_DISPATCH_ON :
					      PR_SYS_DISPATCH_OFF,
					 le64_to_cpu(p->dispatch_start),
					 le64_to_cpu(p->dispatch_len),
					 u64_to_user_ptr(le64_to_cpu(p->dispatch_selector)));
}

static int ckpt_cpuid_restore(bool on)
{
	if (on == !test_thread_flag(TIF_NOCPUID))
		return 0;
	return do_arch_prctl_common(ARCH_SET_CPUID, on);
}

/* What brings others with it comes before these. */
static int ckpt_prctl_set(const struct ckpt_rec_prctl *p)
{
	u32 what = le32_to_cpu(p->what);
	int err = 0;

	if (what & CKPT_PRCTL_SECCOMP_STRICT)
		err = prctl_set_seccomp(SECCOMP_MODE_STRICT, NULL);
	return err ?: ckpt_speculation_restore(p) ?: ckpt_dispatch_restore(p) ?:
	       ckpt_cpuid_restore(!(what & CKPT_PRCTL_NO_CPUID));
}

static int ckpt_prctl_restore(struct rstr_ctx *ctx,
			      const struct ckpt_record *rec)
{
	const struct ckpt_rec_prctl *p = rstr_payload(rec);
	u32 mce_kill = le32_to_cpu(p->mce_kill);
	u32 what = le32_to_cpu(p->what);
	int err = ckpt_prctl_set(p);

	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "prctl settings: can't be set: %pe",
				   ERR_PTR(err));
	if (what & CKPT_PRCTL_NO_NEW_PRIVS)
		task_set_no_new_privs(current);
	ckpt_flags_set(CKPT_PF_IO_FLUSHER, what & CKPT_PRCTL_IO_FLUSHER);
	set_tsc_mode(what & CKPT_PRCTL_TSC_SIGSEGV ? PR_TSC_SIGSEGV :
						     PR_TSC_ENABLE);
	ckpt_flags_set(PF_MCE_PROCESS, mce_kill != PR_MCE_KILL_DEFAULT);
	ckpt_flags_set(PF_MCE_EARLY, mce_kill == PR_MCE_KILL_EARLY);
	return 0;
}

const struct ckpt_part ckpt_prctl_part = {
	.type		= CKPT_REC_PRCTL,
	.name		= "prctl settings",
	.size		= sizeof(struct ckpt_rec_prctl),
	.min		= 1,
	.max		= 1,
	.checkpoint	= ckpt_prctl_checkpoint,
	.check		= ckpt_prctl_check,
	.restore	= ckpt_prctl_restore,
};
