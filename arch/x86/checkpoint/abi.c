// SPDX-License-Identifier: GPL-2.0-only
/*
 * 64-bit and 32-bit programs. An address space belongs to one of the two, as
 * execve(2) made it; its threads go with it, in what the kernel takes for an
 * address. A system call is of one of the two as well, whoever makes it.
 */
#include <linux/binfmts.h>
#include <linux/checkpoint.h>
#include <linux/checkpoint_expose.h>
#include <linux/mm_types.h>
#include <linux/nospec.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/thread_info.h>
#include <asm/ia32.h>
#include <asm/mmu.h>
#include <asm/syscall.h>
#include <asm/unistd.h>
#include <asm/vdso.h>

#include "../../../checkpoint/arch.h"
#include "../../../checkpoint/restart.h"

#define CKPT_ABI_ADDR32		0x1U
#define CKPT_ABI_CALL32		0x2U

static const struct {
	int	bit;
	u32	what;
} ckpt_context_flags[] = {
	{ MM_CONTEXT_UPROBE_IA32,	CKPT_MM_IA32 },
	{ MM_CONTEXT_HAS_VSYSCALL,	CKPT_MM_VSYSCALL },
};

u32 ckpt_arch_mm_save(const struct mm_struct *mm)
{
	u32 what = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ckpt_context_flags); i++)
		if (test_bit(ckpt_context_flags[i].bit, &mm->context.flags))
			what |= ckpt_context_flags[i].what;
#ifdef CONFIG_IA32_EMULATION
	if (mm->context.vdso && mm->context.vdso_image == &vdso_image_32)
		what |= CKPT_MM_VDSO_IA32;
#endif
	return what;
}

int ckpt_arch_mm_check(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	const struct ckpt_rec_mm *mm = rstr_payload(rec);
	u32 what = le32_to_cpu(mm->what);

	if ((what & CKPT_MM_VDSO_IA32) && !mm->vdso)
		return rstr_bad(ctx, rec, "a 32-bit vDSO nowhere");
	if ((what & (CKPT_MM_IA32 | CKPT_MM_VDSO_IA32)) && !ia32_enabled())
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "32-bit program: this kernel runs none");
	return 0;
}

/* Who dumps its core goes with the width, too. */
static struct linux_binfmt *ckpt_binfmt(u32 what)
{
#ifdef CONFIG_IA32_EMULATION
	if (what & CKPT_MM_IA32)
		return &ckpt_compat_elf_format;
#endif
	return &ckpt_elf_format;
}

/* Current runs in it, and nobody else does. */
void ckpt_arch_mm_restore(struct mm_struct *mm, u32 what)
{
	for (size_t i = 0; i < ARRAY_SIZE(ckpt_context_flags); i++)
		if (what & ckpt_context_flags[i].what)
			set_bit(ckpt_context_flags[i].bit, &mm->context.flags);
	set_binfmt(ckpt_binfmt(what));
}

void ckpt_arch_mm_installed(void)
{
	update_thread_flag(TIF_ADDR32, test_bit(MM_CONTEXT_UPROBE_IA32,
						&current->mm->context.flags));
}

/* Only current itself looks at and changes this. */
static void ckpt_call32_set(bool on)
{
	current_thread_info()->status &= ~(TS_COMPAT | TS_I386_REGS_POKED);
	if (on)
		current_thread_info()->status |= TS_COMPAT;
}

u32 ckpt_arch_abi_suspend(void)
{
	u32 abi = 0;

	if (test_and_clear_thread_flag(TIF_ADDR32))
		abi |= CKPT_ABI_ADDR32;
	if (current_thread_info()->status & TS_COMPAT)
		abi |= CKPT_ABI_CALL32;
	ckpt_call32_set(false);
	return abi;
}

void ckpt_arch_abi_resume(u32 abi)
{
	update_thread_flag(TIF_ADDR32, abi & CKPT_ABI_ADDR32);
	ckpt_call32_set(abi & CKPT_ABI_CALL32);
}

/* It says how what is in ax is to be read. */
u32 ckpt_arch_call_save(const struct task_struct *task)
{
	return task->thread_info.status & (TS_COMPAT | TS_I386_REGS_POKED) ?
	       CKPT_TASK_IA32_CALL : 0;
}

void ckpt_arch_call_resume(u32 what)
{
	ckpt_call32_set(what & CKPT_TASK_IA32_CALL);
}

/* As the entry of a call; of number -1 is what its tracer has called off. */
void ckpt_arch_call_make(void)
{
	struct pt_regs *regs = current_pt_regs();
	unsigned int nr = syscall_get_nr(current, regs);

	if (nr == -1U)
		return;
#ifdef CONFIG_IA32_EMULATION
	if (in_ia32_syscall()) {
		regs->ax = nr < IA32_NR_syscalls ?
			   ia32_sys_call(regs, array_index_nospec(nr, IA32_NR_syscalls)) :
			   __x64_sys_ni_syscall(regs);
		return;
	}
#endif
	regs->ax = nr < NR_syscalls ?
		   x64_sys_call(regs, array_index_nospec(nr, NR_syscalls)) :
		   __x64_sys_ni_syscall(regs);
}
