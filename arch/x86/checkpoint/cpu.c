// SPDX-License-Identifier: GPL-2.0-only
/* The integer registers and the segments of a task, 64-bit or 32-bit. */
#include <linux/checkpoint.h>
#include <linux/err.h>
#include <linux/mmu_context.h>
#include <linux/ptrace.h>
#include <linux/regset.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <asm/desc.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xstate.h>
#include <asm/fsgsbase.h>
#include <asm/segment.h>
#include <asm/syscall.h>

#include "../../../checkpoint/arch.h"
#include "../../../checkpoint/checkpoint.h"
#include "../../../checkpoint/ptrace.h"
#include "../../../checkpoint/restart.h"
#include "../kernel/tls.h"

/* What user mode can change by itself: that of ptrace(2), on 64-bit. */
#define CKPT_CPU_FLAGS							\
	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF |\
	 X86_EFLAGS_SF | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_OF |\
	 X86_EFLAGS_RF | X86_EFLAGS_AC | X86_EFLAGS_NT | X86_EFLAGS_ID)

static bool ckpt_code_segment_known(u64 cs)
{
	return cs == __USER_CS ||
	       (IS_ENABLED(CONFIG_IA32_EMULATION) && cs == __USER32_CS);
}

static const char *ckpt_mm_refused(struct task_struct *task)
{
	struct mm_struct *mm = get_task_mm(task);
	const char *what = NULL;

	if (!mm)
		return "no address space";
	if (test_tsk_thread_flag(task, TIF_ADDR32) !=
	    test_bit(MM_CONTEXT_UPROBE_IA32, &mm->context.flags))
		what = "x32 task";
#ifdef CONFIG_MODIFY_LDT_SYSCALL
	if (mm->context.ldt)
		what = "local descriptor table (modify_ldt)";
#endif
#ifdef CONFIG_ADDRESS_MASKING
	if (mm->context.lam_cr3_mask)
		what = "linear address masking";
#endif
	mmput(mm);
	return what;
}

static const char *ckpt_thread_refused(struct task_struct *task)
{
	struct thread_struct __maybe_unused *thread = &task->thread;

	if (!ckpt_code_segment_known(task_pt_regs(task)->cs))
		return "code segment of its own";
	if (!cpu_feature_enabled(X86_FEATURE_XSAVE))
		return "a CPU without XSAVE";
#ifdef CONFIG_X86_IOPL_IOPERM
	if (thread->io_bitmap || thread->iopl_emul)
		return "I/O ports (ioperm, iopl)";
#endif
#ifdef CONFIG_X86_USER_SHADOW_STACK
	if (thread->features)
		return "shadow stack";
#endif
	if (test_tsk_thread_flag(task, TIF_NOCPUID))
		return "CPUID faulting (arch_prctl)";
	if (task->group_leader->thread.fpu.perm.__state_perm &
	    XFEATURE_MASK_USER_DYNAMIC)
		return "AMX state";
	return NULL;
}

int ckpt_arch_supported(struct ckpt_ctx *ctx, struct task_struct *task)
{
	const char *what = ckpt_thread_refused(task);

	if (!what)
		what = ckpt_mm_refused(task);
	if (!what)
		return 0;
	return ckpt_refuse(&ctx->log, -EOPNOTSUPP, "%s: not supported", what);
}

/* Registers. */

static void ckpt_cpu_save_segments(struct task_struct *task,
				   struct ckpt_rec_cpu *rec)
{
	u16 ds = task->thread.ds, es = task->thread.es;

	if (task == current) {
		current_save_fsgs();
		savesegment(ds, ds);
		savesegment(es, es);
	}
	rec->fs_base = cpu_to_le64(x86_fsbase_read_task(task));
	rec->gs_base = cpu_to_le64(x86_gsbase_read_task(task));
	rec->ds = cpu_to_le64(ds);
	rec->es = cpu_to_le64(es);
	rec->fs = cpu_to_le64(task->thread.fsindex);
	rec->gs = cpu_to_le64(task->thread.gsindex);
}

static void ckpt_cpu_save_regs(struct task_struct *task,
			       struct ckpt_rec_cpu *rec)
{
	const struct pt_regs *regs = task_pt_regs(task);
	unsigned long flags = regs->flags;

	/* A debugger's single step is not the task's. */
	if (test_tsk_thread_flag(task, TIF_FORCED_TF))
		flags &= ~X86_EFLAGS_TF;
	rec->r15 = cpu_to_le64(regs->r15);
	rec->r14 = cpu_to_le64(regs->r14);
	rec->r13 = cpu_to_le64(regs->r13);
	rec->r12 = cpu_to_le64(regs->r12);
	rec->bp = cpu_to_le64(regs->bp);
	rec->bx = cpu_to_le64(regs->bx);
	rec->r11 = cpu_to_le64(regs->r11);
	rec->r10 = cpu_to_le64(regs->r10);
	rec->r9 = cpu_to_le64(regs->r9);
	rec->r8 = cpu_to_le64(regs->r8);
	rec->ax = cpu_to_le64(regs->ax);
	rec->cx = cpu_to_le64(regs->cx);
	rec->dx = cpu_to_le64(regs->dx);
	rec->si = cpu_to_le64(regs->si);
	rec->di = cpu_to_le64(regs->di);
	rec->orig_ax = cpu_to_le64(regs->orig_ax);
	rec->ip = cpu_to_le64(regs->ip);
	rec->cs = cpu_to_le64(regs->cs);
	rec->flags = cpu_to_le64(flags & CKPT_CPU_FLAGS);
	rec->sp = cpu_to_le64(regs->sp);
	rec->ss = cpu_to_le64(regs->ss);
}

static int ckpt_cpu_checkpoint(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct kernel_siginfo info;
	struct ckpt_rec_cpu *rec;

	rec = ckpt_part_add(ctx, CKPT_REC_CPU, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	ckpt_cpu_save_regs(task, rec);
	ckpt_cpu_save_segments(task, rec);
	/* A call that its tracer holds up has not begun, and is to. */
	if (task_pt_regs(task)->orig_ax != -1UL &&
	    ckpt_ptrace_trap(ctx, task, &info) == CKPT_TRAP_CALL)
		rec->ax = cpu_to_le64(-ERESTARTNOINTR);
	if (task == current) {
		/* The call that we are in returns 0 in the incarnation. */
		rec->ax = 0;
		rec->orig_ax = cpu_to_le64(-1);
	}
	return 0;
}

static bool ckpt_selector_valid(__le64 selector)
{
	u64 value = le64_to_cpu(selector);

	return !value ||
	       (value <= U16_MAX && (value & SEGMENT_RPL_MASK) == USER_RPL);
}

/* What arch_prctl(2) takes, and what the instructions do. */
static bool ckpt_base_valid(__le64 base)
{
	u64 addr = le64_to_cpu(base);

	if (addr < TASK_SIZE_MAX)
		return true;
	return cpu_feature_enabled(X86_FEATURE_FSGSBASE) &&
	       __is_canonical_address(addr, boot_cpu_data.x86_virt_bits);
}

static int ckpt_cpu_check(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	const struct ckpt_rec_cpu *cpu = rstr_payload(rec);

	if (!ckpt_code_segment_known(le64_to_cpu(cpu->cs)) ||
	    le64_to_cpu(cpu->ss) != __USER_DS)
		return rstr_bad(ctx, rec, "code segment %#llx, stack %#llx",
				le64_to_cpu(cpu->cs), le64_to_cpu(cpu->ss));
	if (!ckpt_selector_valid(cpu->ds) || !ckpt_selector_valid(cpu->es) ||
	    !ckpt_selector_valid(cpu->fs) || !ckpt_selector_valid(cpu->gs))
		return rstr_bad(ctx, rec, "segment selectors");
	if (le64_to_cpu(cpu->ip) >= TASK_SIZE_MAX ||
	    !ckpt_base_valid(cpu->fs_base) || !ckpt_base_valid(cpu->gs_base))
		return rstr_bad(ctx, rec, "instruction at %#llx, bases %#llx, %#llx",
				le64_to_cpu(cpu->ip), le64_to_cpu(cpu->fs_base),
				le64_to_cpu(cpu->gs_base));
	if (le64_to_cpu(cpu->flags) & ~CKPT_CPU_FLAGS)
		return rstr_bad(ctx, rec, "flags %#llx",
				le64_to_cpu(cpu->flags));
	return 0;
}

/*
 * A selector brings its descriptor's base along. Where user mode can set the base
 * by itself that need not be the one that is there; as when switching tasks.
 */
static bool ckpt_base_is_own(__le64 selector)
{
	return !selector || cpu_feature_enabled(X86_FEATURE_FSGSBASE);
}

static void ckpt_cpu_load_fs(const struct ckpt_rec_cpu *rec)
{
	loadsegment(fs, le64_to_cpu(rec->fs));
	current->thread.fsindex = le64_to_cpu(rec->fs);
	current->thread.fsbase = le64_to_cpu(rec->fs_base);
	if (ckpt_base_is_own(rec->fs))
		x86_fsbase_write_cpu(current->thread.fsbase);
}

static void ckpt_cpu_load_gs(const struct ckpt_rec_cpu *rec)
{
	load_gs_index(le64_to_cpu(rec->gs));
	current->thread.gsindex = le64_to_cpu(rec->gs);
	current->thread.gsbase = le64_to_cpu(rec->gs_base);
	if (ckpt_base_is_own(rec->gs))
		x86_gsbase_write_cpu_inactive(current->thread.gsbase);
}

static void ckpt_cpu_load_segments(const struct ckpt_rec_cpu *rec)
{
	preempt_disable();
	ckpt_cpu_load_fs(rec);
	ckpt_cpu_load_gs(rec);
	loadsegment(ds, le64_to_cpu(rec->ds));
	loadsegment(es, le64_to_cpu(rec->es));
	preempt_enable();
}

static void ckpt_cpu_load_regs(struct pt_regs *regs,
			       const struct ckpt_rec_cpu *rec)
{
	regs->r15 = le64_to_cpu(rec->r15);
	regs->r14 = le64_to_cpu(rec->r14);
	regs->r13 = le64_to_cpu(rec->r13);
	regs->r12 = le64_to_cpu(rec->r12);
	regs->bp = le64_to_cpu(rec->bp);
	regs->bx = le64_to_cpu(rec->bx);
	regs->r11 = le64_to_cpu(rec->r11);
	regs->r10 = le64_to_cpu(rec->r10);
	regs->r9 = le64_to_cpu(rec->r9);
	regs->r8 = le64_to_cpu(rec->r8);
	regs->ax = le64_to_cpu(rec->ax);
	regs->cx = le64_to_cpu(rec->cx);
	regs->dx = le64_to_cpu(rec->dx);
	regs->si = le64_to_cpu(rec->si);
	regs->di = le64_to_cpu(rec->di);
	regs->orig_ax = le64_to_cpu(rec->orig_ax);
	regs->ip = le64_to_cpu(rec->ip);
	regs->cs = le64_to_cpu(rec->cs);
	regs->flags = le64_to_cpu(rec->flags) | X86_EFLAGS_IF |
		      X86_EFLAGS_FIXED;
	regs->sp = le64_to_cpu(rec->sp);
	regs->ss = le64_to_cpu(rec->ss);
}

static void ckpt_cpu_resume(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	ckpt_cpu_load_segments(rstr_payload(rec));
	ckpt_cpu_load_regs(current_pt_regs(), rstr_payload(rec));
}

const struct ckpt_part ckpt_cpu_part = {
	.type		= CKPT_REC_CPU,
	.name		= "registers",
	.size		= sizeof(struct ckpt_rec_cpu),
	.min		= 1,
	.max		= 1,
	.checkpoint	= ckpt_cpu_checkpoint,
	.check		= ckpt_cpu_check,
	.resume		= ckpt_cpu_resume,
};

/* Segment descriptors of set_thread_area(2). */

static int ckpt_tls_checkpoint(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_rec_tls *rec;
	struct membuf to;

	BUILD_BUG_ON(sizeof(rec->desc) !=
		     GDT_ENTRY_TLS_ENTRIES * sizeof(struct user_desc));
	if (regset_tls_active(task, NULL) <= 0)
		return 0;
	rec = ckpt_part_add(ctx, CKPT_REC_TLS, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	to = (struct membuf){ .p = rec->desc, .left = sizeof(rec->desc) };
	return regset_tls_get(task, NULL, to) < 0 ? -EIO : 0;
}

static int ckpt_tls_restore(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	const struct ckpt_rec_tls *tls = rstr_payload(rec);
	int err;

	/* Checks each descriptor as set_thread_area(2) does. */
	err = regset_tls_set(current, NULL, 0, sizeof(tls->desc), tls->desc,
			     NULL);
	return err ? rstr_bad(ctx, rec, "not permitted") : 0;
}

const struct ckpt_part ckpt_tls_part = {
	.type		= CKPT_REC_TLS,
	.name		= "segment descriptors",
	.size		= sizeof(struct ckpt_rec_tls),
	.max		= 1,
	.checkpoint	= ckpt_tls_checkpoint,
	.restore	= ckpt_tls_restore,
};
