// SPDX-License-Identifier: GPL-2.0-only
/* Tasks and thread groups: what ties all else together. */
#include <linux/compat.h>
#include <linux/cred.h>
#include <linux/fdtable.h>
#include <linux/fs_struct.h>
#include <linux/nsproxy.h>
#include <linux/oom.h>
#include <linux/personality.h>
#include <linux/posix-timers.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "arch.h"
#include "checkpoint.h"
#include "file.h"
#include "limits.h"
#include "mm.h"
#include "namespaces.h"
#include "process.h"
#include "ptrace.h"
#include "restart.h"
#include "stop.h"
#include "task.h"
#include "tree.h"
#include "tty.h"

/* Thread groups. */

/* It is held by the checkpoint, as are all tasks of the tree. */
static struct task_struct *ckpt_signal_leader(struct signal_struct *signal)
{
	guard(rcu)();
	return pid_task(signal->pids[PIDTYPE_TGID], PIDTYPE_TGID);
}

static bool ckpt_task_is_dead(struct task_struct *task)
{
	return READ_ONCE(task->exit_state);
}

static u32 ckpt_signal_what(struct task_struct *leader)
{
	struct signal_struct *signal = leader->signal;
	u32 what = 0;

	if (signal->flags & SIGNAL_STOP_STOPPED)
		what |= CKPT_SIGNAL_STOPPED;
	if (signal->flags & SIGNAL_STOP_CONTINUED)
		what |= CKPT_SIGNAL_CONTINUED;
	if (signal->is_child_subreaper)
		what |= CKPT_SIGNAL_SUBREAPER;
	/* What waits to be reaped is neither of these. */
	if (ckpt_task_is_dead(leader) && thread_group_empty(leader))
		what = CKPT_SIGNAL_ZOMBIE;
	return what;
}

static void ckpt_signal_ids_save(struct ckpt_ctx *ctx,
				 struct task_struct *leader,
				 struct ckpt_rec_signal *rec)
{
	u32 pgid, sid;

	ckpt_tree_groups(ctx, leader, &pgid, &sid);
	rec->pid = cpu_to_le32(task_tgid_vnr(leader));
	rec->ppid = cpu_to_le32(ckpt_tree_ppid(ctx, leader));
	rec->pgid = cpu_to_le32(pgid);
	rec->sid = cpu_to_le32(sid);
}

static int ckpt_signal_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct signal_struct *signal = obj;
	struct task_struct *leader = ckpt_signal_leader(signal);
	u32 what = ckpt_signal_what(leader);
	struct ckpt_rec_signal *rec;
	int err = 0;

	if (!(what & CKPT_SIGNAL_ZOMBIE))
		err = ckpt_ctty_prepare(ctx, leader);
	if (err)
		return err;
	rec = ckpt_object_add(ctx, CKPT_REC_SIGNAL, signal, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	ckpt_signal_ids_save(ctx, leader, rec);
	rec->what = cpu_to_le32(what);
	rec->exit_signal = cpu_to_le32(leader->exit_signal);
	rec->oom_score_adj = cpu_to_le32(signal->oom_score_adj);
	rec->oom_score_adj_min = cpu_to_le32(signal->oom_score_adj_min);
	rec->nr_threads = cpu_to_le32(signal->nr_threads);
	if (what & CKPT_SIGNAL_STOPPED)
		rec->stop_signal = cpu_to_le32(signal->group_exit_code);
	return ckpt_parts_save(ctx, &ckpt_signal_kind, leader,
			       what & CKPT_SIGNAL_ZOMBIE);
}

static int ckpt_signal_check_oom(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_signal *rec = rstr_payload(obj->rec);
	int adj = (int)le32_to_cpu(rec->oom_score_adj);
	int min = (int)le32_to_cpu(rec->oom_score_adj_min);

	if (adj < OOM_SCORE_ADJ_MIN || adj > OOM_SCORE_ADJ_MAX ||
	    min < OOM_SCORE_ADJ_MIN || min > OOM_SCORE_ADJ_MAX)
		return rstr_bad(ctx, obj->rec, "oom_score_adj %d, %d", adj,
				min);
	if ((adj < current->signal->oom_score_adj_min ||
	     min < current->signal->oom_score_adj_min) &&
	    !capable(CAP_SYS_RESOURCE))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "oom_score_adj %d: not permitted", adj);
	return 0;
}

static int ckpt_signal_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_signal *rec = rstr_payload(obj->rec);
	u32 pid = le32_to_cpu(rec->pid);

	if (!pid || pid >= PID_MAX_LIMIT)
		return rstr_bad(ctx, obj->rec, "pid %u", pid);
	if (!valid_signal(le32_to_cpu(rec->exit_signal)) ||
	    le32_to_cpu(rec->exit_signal) == SIGKILL ||
	    le32_to_cpu(rec->exit_signal) == SIGSTOP)
		return rstr_bad(ctx, obj->rec, "exit signal %u",
				le32_to_cpu(rec->exit_signal));
	if (le32_to_cpu(rec->what) & ~CKPT_SIGNAL_WHAT_KNOWN || rec->reserved)
		return rstr_bad(ctx, obj->rec, "flags %#x",
				le32_to_cpu(rec->what));
	if (!valid_signal(le32_to_cpu(rec->stop_signal)))
		return rstr_bad(ctx, obj->rec, "stopped by signal %u",
				le32_to_cpu(rec->stop_signal));
	if (le32_to_cpu(rec->pgid) >= PID_MAX_LIMIT ||
	    le32_to_cpu(rec->sid) >= PID_MAX_LIMIT)
		return rstr_bad(ctx, obj->rec, "process group %u, session %u",
				le32_to_cpu(rec->pgid), le32_to_cpu(rec->sid));
	return ckpt_signal_check_oom(ctx, obj);
}

/* What of a thread group is set in it as it is, rather than in an object. */
static void ckpt_signal_install(struct rstr_obj *obj)
{
	const struct ckpt_rec_signal *rec = rstr_payload(obj->rec);
	struct signal_struct *signal = current->signal;

	signal->oom_score_adj = (int)le32_to_cpu(rec->oom_score_adj);
	signal->oom_score_adj_min = (int)le32_to_cpu(rec->oom_score_adj_min);
	signal->is_child_subreaper =
		!!(rec->what & cpu_to_le32(CKPT_SIGNAL_SUBREAPER));
}

static const struct ckpt_part *const ckpt_signal_parts[] = {
	&ckpt_rlimits_part,
	&ckpt_itimers_part,
	&ckpt_posix_timer_part,
	&ckpt_shared_siginfo_part,
	&ckpt_ended_usage_part,
	&ckpt_children_usage_part,
	&ckpt_ctty_part,
	NULL
};

static bool ckpt_signal_is_bare(const struct rstr_obj *obj)
{
	const struct ckpt_rec_signal *rec = rstr_payload(obj->rec);

	return rec->what & cpu_to_le32(CKPT_SIGNAL_ZOMBIE);
}

const struct ckpt_kind ckpt_signal_kind = {
	.type		= CKPT_REC_SIGNAL,
	.family		= CKPT_SIGNAL,
	.name		= "thread group",
	.size		= sizeof(struct ckpt_rec_signal),
	.parts		= ckpt_signal_parts,
	.is_bare	= ckpt_signal_is_bare,
	.checkpoint	= ckpt_signal_checkpoint,
	.check		= ckpt_signal_check,
};

/* Threads. */

static int ckpt_task_supported(struct ckpt_ctx *ctx, struct task_struct *task)
{
	int err;

#ifdef CONFIG_IO_URING
	if (task->io_uring)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "io_uring: not supported");
#endif
	err = ckpt_ptrace_supported(ctx, task);
	return err ?: ckpt_namespaces_check(ctx, task);
}

/* What a task shares with others, each with a reference held. */
struct ckpt_shared {
	struct mm_struct	*mm;
	struct files_struct	*files;
	struct fs_struct	*fs;
	struct sighand_struct	*sighand;
	const struct cred	*cred;
};

static struct sighand_struct *ckpt_sighand_get(struct task_struct *task)
{
	struct sighand_struct *sighand;
	unsigned long flags;

	sighand = lock_task_sighand(task, &flags);
	if (!sighand)
		return NULL;
	refcount_inc(&sighand->count);
	unlock_task_sighand(task, &flags);
	return sighand;
}

static int ckpt_shared_get(struct task_struct *task, struct ckpt_shared *shared)
{
	shared->cred = get_task_cred(task);
	shared->mm = get_task_mm(task);
	task_lock(task);
	if (task->files) {
		shared->files = task->files;
		atomic_inc(&shared->files->count);
	}
	if (task->fs) {
		shared->fs = task->fs;
		ckpt_families[CKPT_FS].get(shared->fs);
	}
	task_unlock(task);
	shared->sighand = ckpt_sighand_get(task);
	return shared->mm && shared->files && shared->fs && shared->sighand ?
	       0 : -ESRCH;
}

static void ckpt_shared_put(struct ckpt_shared *shared)
{
	put_cred(shared->cred);
	if (shared->mm)
		mmput(shared->mm);
	if (shared->files)
		put_files_struct(shared->files);
	if (shared->fs)
		ckpt_families[CKPT_FS].put(shared->fs);
	if (shared->sighand)
		__cleanup_sighand(shared->sighand);
}

static int ckpt_shared_save(struct ckpt_ctx *ctx, struct task_struct *task,
			    const struct ckpt_shared *shared,
			    struct ckpt_rec_task *rec)
{
	const struct {
		enum ckpt_family	family;
		const void		*obj;
		__le32			*ref;
	} objs[] = {
		{ CKPT_CRED,	shared->cred,		&rec->cred },
		{ CKPT_SIGHAND,	shared->sighand,	&rec->sighand },
		{ CKPT_SIGNAL,	task->signal,		&rec->signal },
		{ CKPT_FS,	shared->fs,		&rec->fs },
		{ CKPT_FILES,	shared->files,		&rec->files },
		/* Last, as it takes the longest to undo. */
		{ CKPT_MM,	shared->mm,		&rec->mm },
	};
	u32 ref;
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(objs); i++) {
		err = ckpt_save(ctx, objs[i].family, (void *)objs[i].obj, &ref);
		if (err)
			return err;
		*objs[i].ref = cpu_to_le32(ref);
	}
	return 0;
}

static void ckpt_task_fields_save(struct task_struct *task,
				  struct ckpt_rec_task *rec)
{
	rec->personality = cpu_to_le32(task->personality);
	rec->pdeath_signal = cpu_to_le32(task->pdeath_signal);
	rec->clear_child_tid = cpu_to_le64((unsigned long)task->clear_child_tid);
	rec->robust_list = cpu_to_le64((unsigned long)task->robust_list);
#ifdef CONFIG_COMPAT
	rec->robust_list_ia32 =
		cpu_to_le64((unsigned long)task->compat_robust_list);
#endif
	rec->what = cpu_to_le32(ckpt_arch_call_save(task));
}

static int ckpt_task_live_save(struct ckpt_ctx *ctx, struct task_struct *task,
			       struct ckpt_rec_task *rec)
{
	struct ckpt_shared shared = {};
	u32 ref = 0;
	int err;

	err = ckpt_task_supported(ctx, task);
	if (!err)
		err = ckpt_arch_supported(ctx, task);
	if (!err)
		err = ckpt_seccomp_save(ctx, task, &ref);
	if (err)
		return err;
	rec->seccomp = cpu_to_le32(ref);
	ref = 0;
	ckpt_task_fields_save(task, rec);
	err = ckpt_shared_get(task, &shared);
	if (!err)
		err = ckpt_shared_save(ctx, task, &shared, rec);
	ckpt_shared_put(&shared);
#ifdef CONFIG_SYSVIPC
	/* Only the task itself changes this. */
	if (!err && task->sysvsem.undo_list)
		err = ckpt_save(ctx, CKPT_SEM_UNDO, task->sysvsem.undo_list,
				&ref);
#endif
	rec->sem_undo = cpu_to_le32(ref);
	rec->turn = cpu_to_le32(ckpt_stop_turn(ctx->stop, task));
	return err;
}

/* What wait(2) would say of it. */
static u32 ckpt_task_status(struct task_struct *task)
{
	struct signal_struct *signal = task->signal;

	if (thread_group_leader(task) && (signal->flags & SIGNAL_GROUP_EXIT))
		return signal->group_exit_code;
	return task->exit_code;
}

/*
 * The dead have nothing but a share in the table of handlers: in that of their
 * process if they led it, so that it counts among those who use it.
 */
static int ckpt_dead_sighand_save(struct ckpt_ctx *ctx,
				  struct task_struct *task, u32 *ref)
{
	struct sighand_struct *sighand = ckpt_sighand_get(task);
	int err = 0;

	*ref = 0;
	if (!sighand)
		return 0;
	if (refcount_read(&sighand->count) > 2)
		err = ckpt_save(ctx, CKPT_SIGHAND, sighand, ref);
	__cleanup_sighand(sighand);
	return err;
}

static int ckpt_task_dead_save(struct ckpt_ctx *ctx, struct task_struct *task,
			       struct ckpt_rec_task *rec)
{
	const struct cred *cred;
	u32 ref;
	int err;

	if (!thread_group_leader(task))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "a dead thread that its tracer has not waited for: not supported");
	cred = get_task_cred(task);
	err = ckpt_save(ctx, CKPT_CRED, (void *)cred, &ref);
	put_cred(cred);
	if (err)
		return err;
	rec->cred = cpu_to_le32(ref);
	err = ckpt_save(ctx, CKPT_SIGNAL, task->signal, &ref);
	if (err)
		return err;
	rec->signal = cpu_to_le32(ref);
	err = ckpt_dead_sighand_save(ctx, task, &ref);
	if (err)
		return err;
	rec->sighand = cpu_to_le32(ref);
	rec->what = cpu_to_le32(CKPT_TASK_DEAD);
	rec->exit_code = cpu_to_le32(ckpt_task_status(task));
	return 0;
}

static int ckpt_task_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct task_struct *task = obj;
	bool dead = ckpt_task_is_dead(task);
	struct ckpt_rec_task rec = {}, *out;
	int err;

	if (dead)
		err = ckpt_task_dead_save(ctx, task, &rec);
	else
		err = ckpt_task_live_save(ctx, task, &rec);
	if (err)
		return err;
	rec.tid = cpu_to_le32(task_pid_vnr(task));
	get_task_comm(rec.comm, task);
	out = ckpt_object_add(ctx, CKPT_REC_TASK, task, sizeof(*out));
	if (IS_ERR(out))
		return PTR_ERR(out);
	*out = rec;
	return ckpt_parts_save(ctx, &ckpt_task_kind, task, dead);
}

static bool ckpt_task_is_bare(const struct rstr_obj *obj)
{
	const struct ckpt_rec_task *rec = rstr_payload(obj->rec);

	return rec->what & cpu_to_le32(CKPT_TASK_DEAD);
}

static int ckpt_task_check_refs(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_task *rec = rstr_payload(obj->rec);

	if (!rstr_ref(ctx, obj->rec, rec->signal, CKPT_SIGNAL) ||
	    !rstr_ref(ctx, obj->rec, rec->cred, CKPT_CRED))
		return -EBADMSG;
	if (rec->sighand &&
	    !rstr_ref(ctx, obj->rec, rec->sighand, CKPT_SIGHAND))
		return -EBADMSG;
	if (ckpt_task_is_bare(obj))
		return rec->mm || rec->files || rec->fs || rec->seccomp ||
		       rec->sem_undo || rec->clear_child_tid || rec->robust_list ||
		       rec->robust_list_ia32 || rec->turn ?
		       rstr_bad(ctx, obj->rec, "dead, yet has memory or files") :
		       0;
	if (!rstr_ref(ctx, obj->rec, rec->sighand, CKPT_SIGHAND) ||
	    !rstr_ref(ctx, obj->rec, rec->mm, CKPT_MM) ||
	    !rstr_ref(ctx, obj->rec, rec->files, CKPT_FILES) ||
	    !rstr_ref(ctx, obj->rec, rec->fs, CKPT_FS))
		return -EBADMSG;
	if (rec->sem_undo &&
	    !rstr_ref(ctx, obj->rec, rec->sem_undo, CKPT_SEM_UNDO))
		return -EBADMSG;
	if (rec->seccomp &&
	    !rstr_ref(ctx, obj->rec, rec->seccomp, CKPT_SECCOMP))
		return -EBADMSG;
	return 0;
}

static int ckpt_task_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_task *rec = rstr_payload(obj->rec);
	u32 tid = le32_to_cpu(rec->tid);
	int err;

	err = ckpt_task_check_refs(ctx, obj);
	if (err)
		return err;
	if (!tid || tid >= PID_MAX_LIMIT)
		return rstr_bad(ctx, obj->rec, "thread id %u", tid);
	if (le32_to_cpu(rec->what) & ~CKPT_TASK_WHAT_KNOWN ||
	    le32_to_cpu(rec->exit_code) & ~0xffffU ||
	    (rec->exit_code && !ckpt_task_is_bare(obj)))
		return rstr_bad(ctx, obj->rec, "flags %#x, exit code %#x",
				le32_to_cpu(rec->what),
				le32_to_cpu(rec->exit_code));
	if (!valid_signal(le32_to_cpu(rec->pdeath_signal)))
		return rstr_bad(ctx, obj->rec, "parent death signal %u",
				le32_to_cpu(rec->pdeath_signal));
	if (rec->seccomp && ckpt_prctl_what(obj) & CKPT_PRCTL_SECCOMP_STRICT)
		return rstr_bad(ctx, obj->rec, "strict seccomp and filters");
	if (rec->comm[sizeof(rec->comm) - 1] ||
	    le64_to_cpu(rec->clear_child_tid) > TASK_SIZE_MAX ||
	    le64_to_cpu(rec->robust_list) > TASK_SIZE_MAX ||
	    le64_to_cpu(rec->robust_list_ia32) > U32_MAX)
		return rstr_bad(ctx, obj->rec, "name or addresses");
	return 0;
}

pid_t ckpt_task_tid(const struct rstr_obj *obj)
{
	const struct ckpt_rec_task *rec = rstr_payload(obj->rec);

	return le32_to_cpu(rec->tid);
}

/* What a task that is dead ends with. */
int ckpt_task_exit_code(const struct rstr_obj *obj)
{
	const struct ckpt_rec_task *rec = rstr_payload(obj->rec);

	return le32_to_cpu(rec->exit_code);
}

static bool ckpt_task_is_root(struct rstr_ctx *ctx, const struct rstr_obj *obj)
{
	const struct ckpt_rec_task *rec = rstr_payload(obj->rec);
	const struct ckpt_rec_signal *signal =
		rstr_payload(rstr_obj(ctx, rec->signal)->rec);

	return !signal->ppid;
}

/**
 * ckpt_task_to_be_stopped() - whether a task is to stop before it goes on
 * @ctx: the restart
 * @obj: the task
 *
 * Return: true if it was stopped, or is to be by %RESTART_STOPPED.
 */
bool ckpt_task_to_be_stopped(struct rstr_ctx *ctx, const struct rstr_obj *obj)
{
	const struct ckpt_rec_task *rec = rstr_payload(obj->rec);
	const struct ckpt_rec_signal *signal =
		rstr_payload(rstr_obj(ctx, rec->signal)->rec);

	return (ctx->flags & RESTART_STOPPED) ||
	       (signal->what & cpu_to_le32(CKPT_SIGNAL_STOPPED));
}

/**
 * ckpt_task_share() - take up what the threads of a process are created with
 * @ctx: the restart
 * @obj: a thread of the process that is not dead; current is the only one so far
 *
 * Return: 0 or a negative errno.
 */
int ckpt_task_share(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_task *rec = rstr_payload(obj->rec);
	void *sighand = rstr_get(ctx, rstr_obj(ctx, rec->sighand));

	if (IS_ERR(sighand))
		return PTR_ERR(sighand);
	ckpt_sighand_share(sighand);
	return 0;
}

/**
 * ckpt_task_build() - make all that a task needs, without its taking effect
 * @ctx: the restart
 * @obj: the task, which current is to become
 *
 * Return: 0 or a negative errno.
 */
int ckpt_task_build(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_task *rec = rstr_payload(obj->rec);
	const __le32 refs[] = {
		rec->cred, rec->fs, rec->files, rec->sem_undo, rec->mm,
	};
	void *ptr;

	for (size_t i = 0; i < ARRAY_SIZE(refs); i++) {
		if (!refs[i])
			continue;
		ptr = rstr_get(ctx, rstr_obj(ctx, refs[i]));
		if (IS_ERR(ptr))
			return PTR_ERR(ptr);
	}
	if (ckpt_task_is_bare(obj))
		return 0;
	return ckpt_seccomp_build(ctx, rec->seccomp, ckpt_prctl_what(obj));
}

static int ckpt_parts_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_part *const *part;
	const struct ckpt_record *rec;
	int err;

	for (part = obj->kind->parts; *part; part++) {
		if (!(*part)->restore)
			continue;
		rstr_for_each_part(rec, obj, (*part)->type) {
			err = (*part)->restore(ctx, rec);
			if (err)
				return err;
		}
	}
	return 0;
}

static void ckpt_parts_resume(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_part *const *part;
	const struct ckpt_record *rec;

	for (part = obj->kind->parts; *part; part++)
		if ((*part)->resume)
			rstr_for_each_part(rec, obj, (*part)->type)
				(*part)->resume(ctx, rec);
}

/* What execve(2) also gives up, in a process that had a life before. */
static void ckpt_group_forget(void)
{
	exit_itimers(current);
	flush_itimer_signals();
}

static void ckpt_task_install_shared(struct rstr_ctx *ctx,
				     const struct ckpt_rec_task *rec)
{
	ckpt_fs_install(rstr_obj(ctx, rec->fs)->ptr);
	ckpt_files_install(rstr_obj(ctx, rec->files)->ptr);
	ckpt_sem_undo_install(rec->sem_undo ?
			      rstr_obj(ctx, rec->sem_undo)->ptr : NULL);
	ckpt_mm_install(rstr_obj(ctx, rec->mm)->ptr);
}

/*
 * A C library that has the kernel clear a thread's id when it ends keeps it there
 * and goes by it. A thread that has another id now finds that.
 */
static void ckpt_task_set_tid(const struct ckpt_rec_task *rec)
{
	pid_t was = le32_to_cpu(rec->tid), tid = task_pid_vnr(current), is;

	if (was != tid && current->clear_child_tid &&
	    !get_user(is, current->clear_child_tid) && is == was)
		put_user(tid, current->clear_child_tid);
}

/* What commit_creds() would take back is set after it. */
static void ckpt_task_install_fields(struct rstr_ctx *ctx,
				     const struct ckpt_rec_task *rec)
{
	char comm[TASK_COMM_LEN];

	memcpy(comm, rec->comm, sizeof(comm));
	set_task_comm(current, comm);
	current->personality = le32_to_cpu(rec->personality);
	current->pdeath_signal = le32_to_cpu(rec->pdeath_signal);
	current->clear_child_tid =
		(int __user *)(unsigned long)le64_to_cpu(rec->clear_child_tid);
	ckpt_task_set_tid(rec);
	current->robust_list = (struct robust_list_head __user *)
			       (unsigned long)le64_to_cpu(rec->robust_list);
#ifdef CONFIG_COMPAT
	current->compat_robust_list =
		compat_ptr(le64_to_cpu(rec->robust_list_ia32));
#endif
	if (rec->mm)
		ckpt_mm_finish(rstr_obj(ctx, rec->mm));
	if (rec->seccomp)
		ckpt_seccomp_install(rstr_obj(ctx, rec->seccomp)->ptr);
}

static int ckpt_group_install(struct rstr_ctx *ctx, struct rstr_obj *group)
{
	ckpt_group_forget();
	ckpt_signal_install(group);
	return ckpt_parts_restore(ctx, group);
}

static int ckpt_task_install_locked(struct rstr_ctx *ctx, struct rstr_obj *obj,
				    bool leads)
{
	const struct ckpt_rec_task *rec = rstr_payload(obj->rec);
	bool dead = ckpt_task_is_bare(obj);
	int err = 0;

	current->sas_ss_sp = 0;
	current->sas_ss_size = 0;
	if (!dead) {
		ckpt_sighand_fill(rstr_obj(ctx, rec->sighand));
		ckpt_task_install_shared(ctx, rec);
	}
	if (leads)
		err = ckpt_group_install(ctx, rstr_obj(ctx, rec->signal));
	if (!err)
		err = ckpt_parts_restore(ctx, obj);
	if (!err)
		err = ckpt_cred_install(rstr_obj(ctx, rec->cred)->ptr);
	if (!err)
		ckpt_task_install_fields(ctx, rec);
	return err;
}

/**
 * ckpt_task_install() - give up what current was, for what was built
 * @ctx: the restart
 * @obj: the task, built
 * @leads: it does so for its process as well, whose first thread it is
 *
 * Return: 0; or a negative errno, after which current is neither.
 */
int ckpt_task_install(struct rstr_ctx *ctx, struct rstr_obj *obj, bool leads)
{
	int err;

	err = down_write_killable(&current->signal->exec_update_lock);
	if (err)
		return err;
	err = ckpt_task_install_locked(ctx, obj, leads);
	up_write(&current->signal->exec_update_lock);
	return err;
}

/**
 * ckpt_task_resume() - the last steps of a task before it is in user mode
 * @ctx: the restart
 * @obj: the task, installed
 * @group: it takes those of its process, too
 *
 * The registers are loaded here, so that what follows in get_signal() restarts
 * the system call that the task was in, if it was.
 */
void ckpt_task_resume(struct rstr_ctx *ctx, struct rstr_obj *obj, bool group)
{
	const struct ckpt_rec_task *rec = rstr_payload(obj->rec);

	if (group)
		ckpt_parts_resume(ctx, rstr_obj(ctx, rec->signal));
	ckpt_parts_resume(ctx, obj);
	ckpt_arch_call_resume(le32_to_cpu(rec->what));
	if (group && ctx->self && ckpt_task_is_root(ctx, obj) &&
	    ckpt_task_to_be_stopped(ctx, obj))
		send_sig_info(SIGSTOP, SEND_SIG_PRIV, current);
}

/**
 * ckpt_task_bury() - what is left to do for a task that has ended once more
 * @ctx: the restart
 * @obj: the task, which is dead
 * @task: the same, which nobody has waited for yet; not current
 */
void ckpt_task_bury(struct rstr_ctx *ctx, const struct rstr_obj *obj,
		    struct task_struct *task)
{
	const struct ckpt_rec_task *rec = rstr_payload(obj->rec);
	const struct rstr_obj *group = rstr_obj(ctx, rec->signal);

	ckpt_usage_of_dead(ckpt_signal_is_bare(group) ? group : NULL, obj, task);
}

static const struct ckpt_part *const ckpt_task_parts[] = {
	&ckpt_sched_part,
	&ckpt_prctl_part,
	&ckpt_label_part,
	&ckpt_rseq_part,
	&ckpt_restart_block_part,
	&ckpt_vfork_part,
	&ckpt_ptrace_part,
	&ckpt_debug_part,
	&ckpt_sigmask_part,
	&ckpt_siginfo_part,
	&ckpt_tls_part,
	&ckpt_xstate_part,
	&ckpt_cpu_part,
	&ckpt_usage_part,
	NULL
};

const struct ckpt_kind ckpt_task_kind = {
	.type		= CKPT_REC_TASK,
	.family		= CKPT_TASK,
	.name		= "task",
	.size		= sizeof(struct ckpt_rec_task),
	.parts		= ckpt_task_parts,
	.is_bare	= ckpt_task_is_bare,
	.checkpoint	= ckpt_task_checkpoint,
	.check		= ckpt_task_check,
};
