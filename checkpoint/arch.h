/* SPDX-License-Identifier: GPL-2.0-only */
/* What an architecture has to say of a task. */
#ifndef _CHECKPOINT_ARCH_H
#define _CHECKPOINT_ARCH_H

#include "kind.h"

struct mm_struct;

/* Refuse what of a task's machine state can't be had again. */
int ckpt_arch_supported(struct ckpt_ctx *ctx, struct task_struct *task);

/* What of CKPT_MM_* is the architecture's business. */
u32 ckpt_arch_mm_save(const struct mm_struct *mm);
int ckpt_arch_mm_check(struct rstr_ctx *ctx, const struct ckpt_record *rec);
void ckpt_arch_mm_restore(struct mm_struct *mm, u32 what);
/* To be told when current has gone over to another address space for good. */
void ckpt_arch_mm_installed(void);

/* The ABI that current is in; what it is set to is that of 64-bit programs. */
u32 ckpt_arch_abi_suspend(void);
void ckpt_arch_abi_resume(u32 abi);

/* What of CKPT_TASK_* is the architecture's business; and set it for current. */
u32 ckpt_arch_call_save(const struct task_struct *task);
void ckpt_arch_call_resume(u32 what);
/* Make the system call that current's registers say, as if it had just entered. */
void ckpt_arch_call_make(void);

/* Descriptors for segments, then the FPU, then the registers that use both. */
extern const struct ckpt_part ckpt_tls_part;
extern const struct ckpt_part ckpt_xstate_part;
extern const struct ckpt_part ckpt_cpu_part;
/* As a tracer of the tree has set them. */
extern const struct ckpt_part ckpt_debug_part;

#endif
