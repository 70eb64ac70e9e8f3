/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a process has besides memory and files. The tables that list these parts
 * have ckpt_rlimits_part first, as all else is charged against it, and
 * ckpt_itimers_part before ckpt_posix_timer_part, as its restore() does away
 * with the timers that there are, and before ckpt_ended_usage_part, which needs
 * that done.
 */
#ifndef _CHECKPOINT_PROCESS_H
#define _CHECKPOINT_PROCESS_H

#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "kind.h"

struct cred;
struct kernel_siginfo;
struct sighand_struct;

/* Of a thread group. */
extern const struct ckpt_part ckpt_rlimits_part;
extern const struct ckpt_part ckpt_itimers_part;
extern const struct ckpt_part ckpt_posix_timer_part;
extern const struct ckpt_part ckpt_shared_siginfo_part;
extern const struct ckpt_part ckpt_ended_usage_part;
extern const struct ckpt_part ckpt_children_usage_part;

/* Of a thread. */
extern const struct ckpt_part ckpt_sigmask_part;
extern const struct ckpt_part ckpt_siginfo_part;
extern const struct ckpt_part ckpt_restart_block_part;
extern const struct ckpt_part ckpt_sched_part;
extern const struct ckpt_part ckpt_rseq_part;
extern const struct ckpt_part ckpt_prctl_part;
extern const struct ckpt_part ckpt_usage_part;
extern const struct ckpt_part ckpt_label_part;
extern const struct ckpt_part ckpt_vfork_part;
extern const struct ckpt_part ckpt_ptrace_part;

/* The lock over current's signals. Only current itself changes ->sighand. */
static inline spinlock_t *ckpt_siglock(void)
{
	return &rcu_dereference_protected(current->sighand, true)->siglock;
}

void ckpt_itimers_get(struct task_struct *task, struct ckpt_rec_itimers *p);
void ckpt_siginfo_put(struct ckpt_rec_siginfo *p,
		      const struct kernel_siginfo *info);
void ckpt_siginfo_sender(struct rstr_ctx *ctx, struct kernel_siginfo *info);
int ckpt_shared_signals_checkpoint(struct ckpt_ctx *ctx,
				   struct task_struct *task);

#ifdef CONFIG_SYSVIPC
void ckpt_sem_undo_get(void *obj);
void ckpt_sem_undo_put(void *obj);
int ckpt_sem_undo_users(void *obj);
void ckpt_sem_undo_install(void *list);
#else
static inline void ckpt_sem_undo_install(void *list)
{
}
#endif

#ifdef CONFIG_SECCOMP_FILTER
void ckpt_seccomp_get(void *obj);
void ckpt_seccomp_put(void *obj);
int ckpt_seccomp_save(struct ckpt_ctx *ctx, struct task_struct *task, u32 *ref);
int ckpt_seccomp_build(struct rstr_ctx *ctx, __le32 ref, u32 prctl);
void ckpt_seccomp_install(void *filter);
bool ckpt_seccomp_goes_on(void);
#else
static inline int ckpt_seccomp_save(struct ckpt_ctx *ctx,
				    struct task_struct *task, u32 *ref)
{
	*ref = 0;
	return 0;
}

/* No reference was found to be good. */
static inline int ckpt_seccomp_build(struct rstr_ctx *ctx, __le32 ref, u32 prctl)
{
	return 0;
}

static inline void ckpt_seccomp_install(void *filter)
{
}

static inline bool ckpt_seccomp_goes_on(void)
{
	return false;
}
#endif

void ckpt_usage_of_dead(const struct rstr_obj *group, const struct rstr_obj *obj,
			struct task_struct *task);
u32 ckpt_prctl_what(const struct rstr_obj *task);
void ckpt_signals_hold(void);
void ckpt_sighand_share(struct sighand_struct *sighand);
void ckpt_sighand_fill(struct rstr_obj *obj);
int ckpt_cred_install(const struct cred *new);

#endif
