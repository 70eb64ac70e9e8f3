// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is told by a signal that a description is ready, or that a lease on it is
 * to be given up, and by which: fcntl(2) F_SETOWN, F_SETSIG and O_ASYNC. Any
 * description may have that; it is said of it once all tasks are known.
 */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/user_namespace.h>

#include "checkpoint.h"
#include "file.h"
#include "restart.h"
#include "stop.h"
#include "tree.h"

/* Checkpoint. */

/* As F_GETOWN shows it: nobody, once they have ended. */
static struct pid *ckpt_owner_pid(struct fown_struct *owner,
				  enum pid_type *type)
{
	struct pid *pid;

	read_lock_irq(&owner->lock);
	pid = get_pid(owner->pid);
	*type = owner->pid_type;
	read_unlock_irq(&owner->lock);
	rcu_read_lock();
	if (pid && !pid_task(pid, *type)) {
		put_pid(pid);
		pid = NULL;
	}
	rcu_read_unlock();
	return pid;
}

/* Whether the tree has a member of a process group. */
static bool ckpt_owner_has_group(struct ckpt_ctx *ctx, struct pid *pid)
{
	struct task_struct *task;
	bool has = false;

	read_lock(&tasklist_lock);
	do_each_pid_task(pid, PIDTYPE_PGID, task) {
		has |= ckpt_stop_has(ctx->stop, task);
	} while_each_pid_task(pid, PIDTYPE_PGID, task);
	read_unlock(&tasklist_lock);
	return has;
}

static int ckpt_owner_outside(struct ckpt_ctx *ctx, struct file *file,
			      struct pid *pid)
{
	return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
			   "%pD: its signals go to %d, outside the tree: not supported",
			   file, pid_vnr(pid));
}

static int ckpt_owner_find(struct ckpt_ctx *ctx, struct file *file,
			   struct pid *pid, struct ckpt_rec_file_owner *rec)
{
	struct task_struct *task;
	bool known = false;
	u32 nr;

	if (le32_to_cpu(rec->type) == CKPT_OWNER_GROUP) {
		if (!ckpt_owner_has_group(ctx, pid))
			return ckpt_owner_outside(ctx, file, pid);
		nr = ckpt_tree_group(ctx, pid);
	} else {
		nr = pid_vnr(pid);
		rcu_read_lock();
		task = pid_task(pid, PIDTYPE_PID);
		known = task && ckpt_stop_has(ctx->stop, task);
		rcu_read_unlock();
		if (!known)
			return ckpt_owner_outside(ctx, file, pid);
	}
	rec->pid = cpu_to_le32(nr);
	return 0;
}

static u32 ckpt_owner_type(enum pid_type type)
{
	switch (type) {
	case PIDTYPE_PID:
		return CKPT_OWNER_THREAD;
	case PIDTYPE_PGID:
		return CKPT_OWNER_GROUP;
	default:
		return CKPT_OWNER_PROCESS;
	}
}

static int ckpt_owner_fill(struct ckpt_ctx *ctx, struct file *file,
			   struct ckpt_rec_file_owner *rec)
{
	struct fown_struct *owner = file_f_owner(file);
	struct user_namespace *ns = current_user_ns();
	enum pid_type type;
	struct pid *pid;
	int err;

	/* A lease sets the flag as well, of files that never have news. */
	if ((file->f_flags & FASYNC) && file->f_op->fasync)
		rec->what = cpu_to_le32(CKPT_OWNER_ASYNC);
	if (!owner)
		return 0;
	rec->signal = cpu_to_le32(owner->signum);
	pid = ckpt_owner_pid(owner, &type);
	if (!pid)
		return 0;
	rec->type = cpu_to_le32(ckpt_owner_type(type));
	rec->uid = cpu_to_le32(from_kuid_munged(ns, owner->uid));
	rec->euid = cpu_to_le32(from_kuid_munged(ns, owner->euid));
	err = ckpt_owner_find(ctx, file, pid, rec);
	put_pid(pid);
	return err;
}

/**
 * ckpt_file_owner_save() - write who gets the signals of a description
 * @ctx: the checkpoint, all whose tasks and objects have been saved
 * @file: the description
 * @ref: its reference
 *
 * Return: 0 or a negative errno.
 */
int ckpt_file_owner_save(struct ckpt_ctx *ctx, struct file *file, u32 ref)
{
	struct ckpt_rec_file_owner owner = { .file = cpu_to_le32(ref) };
	struct ckpt_rec_file_owner *rec;
	int err;

	err = ckpt_owner_fill(ctx, file, &owner);
	if (err)
		return err;
	if (!owner.what && !owner.type && !owner.signal)
		return 0;
	rec = ckpt_object_add(ctx, CKPT_REC_FILE_OWNER, NULL, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	*rec = owner;
	return 0;
}

/* Restart. */

static int ckpt_file_owner_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_owner *rec = rstr_payload(obj->rec);
	u32 type = le32_to_cpu(rec->type);

	if (!rstr_ref(ctx, obj->rec, rec->file, CKPT_FILE))
		return -EBADMSG;
	if (type > CKPT_OWNER_GROUP || (!type && rec->pid) ||
	    le32_to_cpu(rec->pid) > INT_MAX)
		return rstr_bad(ctx, obj->rec, "type %u, id %u", type,
				le32_to_cpu(rec->pid));
	if (le32_to_cpu(rec->what) & ~CKPT_OWNER_ASYNC || rec->reserved ||
	    !valid_signal(le32_to_cpu(rec->signal)))
		return rstr_bad(ctx, obj->rec, "what %#x, signal %u",
				le32_to_cpu(rec->what),
				le32_to_cpu(rec->signal));
	return 0;
}

static const enum pid_type ckpt_owner_types[] = {
	[CKPT_OWNER_THREAD]	= PIDTYPE_PID,
	[CKPT_OWNER_PROCESS]	= PIDTYPE_TGID,
	[CKPT_OWNER_GROUP]	= PIDTYPE_PGID,
};

/* Whose name it is in is looked at when there is something to be told. */
static int ckpt_owner_ids(struct rstr_ctx *ctx, struct fown_struct *owner,
			  const struct ckpt_rec_file_owner *rec)
{
	kuid_t uid = make_kuid(current_user_ns(), le32_to_cpu(rec->uid));
	kuid_t euid = make_kuid(current_user_ns(), le32_to_cpu(rec->euid));

	if (uid_eq(uid, current_uid()) && uid_eq(euid, current_euid()))
		return 0;
	if (!uid_valid(uid) || !uid_valid(euid) ||
	    !ns_capable(current_user_ns(), CAP_SETUID))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "signals in the name of uid %u: not permitted",
				   le32_to_cpu(rec->uid));
	write_lock_irq(&owner->lock);
	owner->uid = uid;
	owner->euid = euid;
	write_unlock_irq(&owner->lock);
	return 0;
}

static int ckpt_owner_set(struct rstr_ctx *ctx, struct rstr_obj *obj,
			  struct file *file)
{
	const struct ckpt_rec_file_owner *rec = rstr_payload(obj->rec);
	enum pid_type type = ckpt_owner_types[le32_to_cpu(rec->type)];
	struct pid *pid = NULL;
	int err;

	err = file_f_owner_allocate(file);
	if (err)
		return err;
	file_f_owner(file)->signum = le32_to_cpu(rec->signal);
	if (!rec->type)
		return 0;
	pid = rstr_tree_pid_get(ctx->run, le32_to_cpu(rec->pid), type);
	if (!pid)
		return rstr_bad(ctx, obj->rec, "id %u is nobody's",
				le32_to_cpu(rec->pid));
	__f_setown(file, pid, type, 1);
	put_pid(pid);
	return ckpt_owner_ids(ctx, file_f_owner(file), rec);
}

/**
 * ckpt_file_fd() - the least descriptor of a file, as a signal is to name one
 * @ctx: the restart
 * @file: reference to the file
 *
 * Return: the descriptor, or -1 if there is none.
 */
int ckpt_file_fd(struct rstr_ctx *ctx, __le32 file)
{
	const struct ckpt_rec_fd *fd;
	const struct ckpt_record *rec;
	u32 least = U32_MAX;

	for (u32 i = 0; i < ctx->nr_objs; i++) {
		if (ctx->objs[i].kind->family != CKPT_FILES)
			continue;
		rstr_for_each_part(rec, &ctx->objs[i], CKPT_REC_FD) {
			fd = rstr_payload(rec);
			if (fd->file == file)
				least = min(least, le32_to_cpu(fd->fd));
		}
	}
	return least;
}

static int ckpt_owner_async(struct rstr_ctx *ctx, struct file *file, int fd)
{
	int err = -EINVAL;

	if (file->f_op->fasync)
		err = file->f_op->fasync(fd, file, 1);
	if (err < 0)
		return ckpt_refuse(&ctx->log, err, "%pD: O_ASYNC: %pe", file,
				   ERR_PTR(err));
	return 0;
}

static int ckpt_file_owner_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_owner *rec = rstr_payload(obj->rec);
	struct file *file = rstr_obj(ctx, rec->file)->ptr;
	int err;

	/* Nobody has it; or it is the caller's own. */
	if (!file || file == ctx->tty)
		return 0;
	err = ckpt_owner_set(ctx, obj, file);
	if (err || !rec->what)
		return err;
	return ckpt_owner_async(ctx, file, ckpt_file_fd(ctx, rec->file));
}

const struct ckpt_kind ckpt_file_owner_kind = {
	.type		= CKPT_REC_FILE_OWNER,
	.family		= CKPT_REMARK,
	.name		= "owner of a file",
	.size		= sizeof(struct ckpt_rec_file_owner),
	.check		= ckpt_file_owner_check,
	.apply		= ckpt_file_owner_restore,
};
