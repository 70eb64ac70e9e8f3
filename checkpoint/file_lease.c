// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leases on files: fcntl(2) F_SETLEASE, also one that somebody else's open(2)
 * waits to see given up.
 */
#include <linux/filelock.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>

#include "checkpoint.h"
#include "file.h"
#include "limits.h"
#include "restart.h"
#include "stop.h"
#include "tree.h"

static struct file_lease *ckpt_lease_of(struct file_lock_core *core)
{
	return container_of(core, struct file_lease, c);
}

/* A description has no more than one. The lock over leases is held. */
static struct file_lease *ckpt_lease_find(struct file_lock_context *ctx,
					  const struct file *file)
{
	struct file_lock_core *core;

	list_for_each_entry(core, &ctx->flc_lease, flc_list)
		if (core->flc_file == file)
			return ckpt_lease_of(core);
	return NULL;
}

/**
 * ckpt_file_has_lease() - whether a description has one of fcntl(2)
 * @file: the file
 *
 * Return: true if it has.
 */
bool ckpt_file_has_lease(const struct file *file)
{
	struct file_lock_context *ctx = locks_inode_context(file_inode(file));
	bool has;

	if (!ctx)
		return false;
	spin_lock(&ctx->flc_lock);
	has = ckpt_lease_find(ctx, file);
	spin_unlock(&ctx->flc_lock);
	return has;
}

/* Checkpoint. */

static u64 ckpt_lease_left(unsigned long time)
{
	if (!time)
		return 0;
	/* It is over, and nobody has looked since. */
	if (time_before_eq(time, jiffies))
		return 1;
	return jiffies_to_nsecs(time - jiffies);
}

static pid_t ckpt_lease_fill(const struct file_lease *lease,
			     struct ckpt_rec_file_lease *rec)
{
	u32 what = 0;

	if (lease->c.flc_flags & FL_UNLOCK_PENDING)
		what |= CKPT_LEASE_UNLOCK;
	if (lease->c.flc_flags & FL_DOWNGRADE_PENDING)
		what |= CKPT_LEASE_DOWNGRADE;
	rec->type = cpu_to_le32(lease->c.flc_type);
	rec->what = cpu_to_le32(what);
	if (what & CKPT_LEASE_UNLOCK)
		rec->left_unlock =
			cpu_to_le64(ckpt_lease_left(lease->fl_break_time));
	if (what & CKPT_LEASE_DOWNGRADE)
		rec->left_downgrade =
			cpu_to_le64(ckpt_lease_left(lease->fl_downgrade_time));
	return lease->c.flc_pid;
}

/* Who took it, if that is one of the tree. */
static u32 ckpt_lease_pid(struct ckpt_ctx *ctx, pid_t pid)
{
	struct task_struct *task;

	guard(rcu)();
	task = find_task_by_pid_ns(pid, &init_pid_ns);
	return task && ckpt_stop_has(ctx->stop, task) ? task_pid_vnr(task) : 0;
}

/**
 * ckpt_file_lease_save() - write the lease that a description has
 * @ctx: the checkpoint, all whose tasks and objects have been saved
 * @file: the description
 * @ref: its reference
 *
 * Return: 0 or a negative errno.
 */
int ckpt_file_lease_save(struct ckpt_ctx *ctx, struct file *file, u32 ref)
{
	struct file_lock_context *locks = locks_inode_context(file_inode(file));
	struct ckpt_rec_file_lease lease = { .file = cpu_to_le32(ref) };
	struct ckpt_rec_file_lease *rec;
	struct file_lease *found;
	pid_t pid = 0;

	if (!locks)
		return 0;
	spin_lock(&locks->flc_lock);
	found = ckpt_lease_find(locks, file);
	if (found)
		pid = ckpt_lease_fill(found, &lease);
	spin_unlock(&locks->flc_lock);
	if (!found)
		return 0;
	lease.pid = cpu_to_le32(ckpt_lease_pid(ctx, pid));
	rec = ckpt_object_add(ctx, CKPT_REC_FILE_LEASE, NULL, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	*rec = lease;
	return 0;
}

/* Restart. */

static int ckpt_file_lease_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_lease *rec = rstr_payload(obj->rec);
	u32 type = le32_to_cpu(rec->type), what = le32_to_cpu(rec->what);

	if (!rstr_ref(ctx, obj->rec, rec->file, CKPT_FILE))
		return -EBADMSG;
	if ((type != F_RDLCK && type != F_WRLCK) ||
	    what & ~CKPT_LEASE_WHAT_KNOWN ||
	    (type == F_RDLCK && (what & CKPT_LEASE_DOWNGRADE)))
		return rstr_bad(ctx, obj->rec, "type %u, what %#x", type, what);
	if ((rec->left_unlock && !(what & CKPT_LEASE_UNLOCK)) ||
	    (rec->left_downgrade && !(what & CKPT_LEASE_DOWNGRADE)) ||
	    rec->reserved)
		return rstr_bad(ctx, obj->rec, "time left of what is not broken");
	return 0;
}

static unsigned long ckpt_lease_time(__le64 left)
{
	unsigned long time = nsecs_to_jiffies(le64_to_cpu(left));

	if (!left)
		return 0;
	return (jiffies + min(time, CKPT_LEASE_TIME_MAX)) ?: 1;
}

static pid_t ckpt_lease_holder(struct rstr_ctx *ctx, __le32 pid)
{
	struct rstr_task *task = rstr_tree_find(ctx->run, le32_to_cpu(pid));

	return task && task->task ? task->task->tgid : current->tgid;
}

/* As it is when somebody has opened the file, which he has: he waits. */
static void ckpt_lease_set(struct rstr_ctx *ctx, struct file *file,
			   const struct ckpt_rec_file_lease *rec)
{
	struct file_lock_context *locks = locks_inode_context(file_inode(file));
	struct file_lease *lease;

	spin_lock(&locks->flc_lock);
	lease = ckpt_lease_find(locks, file);
	if (lease) {
		lease->c.flc_pid = ckpt_lease_holder(ctx, rec->pid);
		if (rec->what & cpu_to_le32(CKPT_LEASE_UNLOCK))
			lease->c.flc_flags |= FL_UNLOCK_PENDING;
		if (rec->what & cpu_to_le32(CKPT_LEASE_DOWNGRADE))
			lease->c.flc_flags |= FL_DOWNGRADE_PENDING;
		lease->fl_break_time = ckpt_lease_time(rec->left_unlock);
		lease->fl_downgrade_time = ckpt_lease_time(rec->left_downgrade);
	}
	spin_unlock(&locks->flc_lock);
}

static int ckpt_file_lease_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_lease *rec = rstr_payload(obj->rec);
	struct file *file = rstr_obj(ctx, rec->file)->ptr;
	int err;

	if (!file)
		return 0;
	err = fcntl_setlease(max(ckpt_file_fd(ctx, rec->file), 0), file,
			     le32_to_cpu(rec->type));
	if (err == -EAGAIN)
		err = ckpt_refuse(&ctx->log, -EBUSY,
				  "%pD: lease: somebody else has it open", file);
	else if (err && err != -ENOMEM)
		err = ckpt_refuse(&ctx->log, err, "%pD: lease: %pe", file,
				  ERR_PTR(err));
	if (!err)
		ckpt_lease_set(ctx, file, rec);
	return err;
}

const struct ckpt_kind ckpt_file_lease_kind = {
	.type		= CKPT_REC_FILE_LEASE,
	.family		= CKPT_REMARK,
	.name		= "lease on a file",
	.size		= sizeof(struct ckpt_rec_file_lease),
	.check		= ckpt_file_lease_check,
	.apply		= ckpt_file_lease_restore,
};
