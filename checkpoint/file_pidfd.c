// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors of processes: pidfd_open(2). The process is named by
 * its number, as it comes later in the image; and has to be there first. One that
 * has ended has none; but all that are of it are of the same.
 */
#include <linux/fs.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/pidfs.h>
#include <linux/sched.h>
#include <uapi/linux/pidfd.h>

#include "checkpoint.h"
#include "file.h"
#include "restart.h"
#include "stop.h"
#include "tree.h"

static bool ckpt_file_pidfd_match(const void *obj)
{
	return !IS_ERR(pidfd_pid(obj));
}

/* The number of one of the tree; 0 for one that has ended and was reaped. */
static int ckpt_pidfd_number(struct ckpt_ctx *ctx, struct file *file, u32 *nr)
{
	struct pid *pid = pidfd_pid(file);
	struct task_struct *task;
	bool known = false;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_PID);
	*nr = task ? pid_vnr(pid) : 0;
	known = !task || ckpt_stop_has(ctx->stop, task);
	rcu_read_unlock();
	if (known)
		return 0;
	return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
			   "%pD: of process %u, outside the tree: not supported",
			   file, *nr);
}

static int ckpt_file_pidfd_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct ckpt_rec_pidfd *rec;
	struct file *file = obj;
	u32 nr, ended = 0;
	int err;

	err = ckpt_pidfd_number(ctx, file, &nr);
	if (!err && !nr)
		err = ckpt_save(ctx, CKPT_ENDED_PID, pidfd_pid(file), &ended);
	if (err)
		return err;
	rec = ckpt_file_add(ctx, file, CKPT_REC_FILE_PIDFD, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	if (file->f_flags & PIDFD_THREAD)
		rec->what = cpu_to_le32(CKPT_FILE_THREAD);
	rec->pid = cpu_to_le32(nr);
	rec->ended = cpu_to_le32(ended);
	return 0;
}

static int ckpt_ended_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	const struct pid *pid = obj;
	struct ckpt_rec_ended *rec;

	rec = ckpt_object_add(ctx, CKPT_REC_ENDED, obj, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->ino = cpu_to_le64(pid->ino);
	return 0;
}

static int ckpt_file_pidfd_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_pidfd *rec = rstr_payload(obj->rec);

	if (le32_to_cpu(rec->pid) > INT_MAX || (rec->pid && rec->ended))
		return rstr_bad(ctx, obj->rec, "process %u",
				le32_to_cpu(rec->pid));
	if (rec->ended && !rstr_ref(ctx, obj->rec, rec->ended, CKPT_ENDED_PID))
		return -EBADMSG;
	ctx->needs_tasks = true;
	return ckpt_file_anon_check(ctx, obj, CKPT_FILE_THREAD);
}

/* A pid that nobody has, nor has a number: of one that has ended. */
static struct pid *ckpt_ended_make(void)
{
	struct pid *pid = alloc_pid(task_active_pid_ns(current), NULL, 0);

	if (!IS_ERR(pid)) {
		get_pid(pid);
		free_pid(pid);
	}
	return pid;
}

static int ckpt_ended_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	struct pid *pid = ckpt_ended_make();

	if (IS_ERR(pid))
		return PTR_ERR(pid);
	obj->ptr = pid;
	return 0;
}

static struct pid *ckpt_pidfd_find(struct rstr_ctx *ctx,
				   const struct ckpt_rec_pidfd *rec)
{
	struct pid *pid;

	if (rec->pid)
		return rstr_tree_pid_get(ctx->run, le32_to_cpu(rec->pid),
					 rec->what ? PIDTYPE_PID : PIDTYPE_TGID);
	if (!rec->ended)
		return ckpt_ended_make();
	pid = rstr_get(ctx, rstr_obj(ctx, rec->ended));
	return IS_ERR(pid) ? pid : get_pid(pid);
}

static struct file *ckpt_pidfd_open(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_pidfd *rec = rstr_payload(obj->rec);
	struct pid *pid = ckpt_pidfd_find(ctx, rec);
	struct file *file;

	if (IS_ERR(pid))
		return ERR_CAST(pid);
	if (!pid)
		return ERR_PTR(rstr_bad(ctx, obj->rec, "process %u is nobody",
					le32_to_cpu(rec->pid)));
	file = pidfs_alloc_file(pid, O_RDWR);
	put_pid(pid);
	return file;
}

static int ckpt_file_pidfd_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_pidfd *rec = rstr_payload(obj->rec);
	struct file *file = ckpt_pidfd_open(ctx, obj);

	if (IS_ERR(file))
		return PTR_ERR(file);
	ckpt_file_set_flags(file, le32_to_cpu(rec->flags));
	/* As pidfd_open(2) does it, since opening takes it away. */
	if (rec->what)
		file->f_flags |= PIDFD_THREAD;
	obj->ptr = file;
	return 0;
}

const struct ckpt_kind ckpt_ended_kind = {
	.type		= CKPT_REC_ENDED,
	.family		= CKPT_ENDED_PID,
	.name		= "ended process",
	.size		= sizeof(struct ckpt_rec_ended),
	.checkpoint	= ckpt_ended_checkpoint,
	.restore	= ckpt_ended_restore,
};

const struct ckpt_kind ckpt_file_pidfd_kind = {
	.type		= CKPT_REC_FILE_PIDFD,
	.family		= CKPT_FILE,
	.name		= "pidfd",
	.size		= sizeof(struct ckpt_rec_pidfd),
	.match		= ckpt_file_pidfd_match,
	.checkpoint	= ckpt_file_pidfd_checkpoint,
	.check		= ckpt_file_pidfd_check,
	.restore	= ckpt_file_pidfd_restore,
};
