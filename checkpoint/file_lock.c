// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks on files: those of fcntl(2) that belong to a descriptor table (POSIX) or
 * to a description (OFD), and those of flock(2), which belong to a description.
 * Restart takes each again, or fails and says who has it; it does not wait.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/filelock.h>
#include <linux/fs.h>
#include <linux/pid_namespace.h>
#include <linux/sched/task.h>
#include <linux/security.h>
#include <linux/slab.h>

#include "checkpoint.h"
#include "file.h"
#include "limits.h"
#include "restart.h"

static const struct file_lock *ckpt_lock_of(const struct file_lock_core *core)
{
	return container_of(core, struct file_lock, c);
}

/* POSIX locks and OFD locks are in one list. */
static u32 ckpt_lock_what(const struct file_lock_core *core)
{
	if (core->flc_flags & FL_FLOCK)
		return CKPT_LOCK_FLOCK;
	return core->flc_flags & FL_OFDLCK ? CKPT_LOCK_OFD : CKPT_LOCK_POSIX;
}

/* Checkpoint. */

/**
 * struct ckpt_locks - locks of one owner by way of one description
 * @nr: how many there are
 * @max: how many @lock has room for
 * @lock: as they go into the image
 */
struct ckpt_locks {
	u32			nr;
	u32			max;
	struct ckpt_rec_lock	*lock;
};

static void ckpt_locks_walk(struct ckpt_locks *locks, struct list_head *head,
			    const struct file *file, const void *owner)
{
	const struct file_lock_core *core;

	list_for_each_entry(core, head, flc_list) {
		if (core->flc_file != file || core->flc_owner != owner)
			continue;
		if (locks->nr++ >= locks->max)
			continue;
		locks->lock[locks->nr - 1] = (struct ckpt_rec_lock){
			.what = cpu_to_le32(ckpt_lock_what(core)),
			.type = cpu_to_le32(core->flc_type),
			.start = cpu_to_le64(ckpt_lock_of(core)->fl_start),
			.end = cpu_to_le64(ckpt_lock_of(core)->fl_end),
		};
	}
}

/* All there are; those beyond @max are only counted. */
static void ckpt_locks_list(struct ckpt_locks *locks, const struct file *file,
			    const void *owner)
{
	struct file_lock_context *ctx = locks_inode_context(file_inode(file));

	locks->nr = 0;
	if (!ctx)
		return;
	spin_lock(&ctx->flc_lock);
	ckpt_locks_walk(locks, &ctx->flc_posix, file, owner);
	ckpt_locks_walk(locks, &ctx->flc_flock, file, owner);
	spin_unlock(&ctx->flc_lock);
}

static int ckpt_locks_write(struct ckpt_ctx *ctx, u32 type, unsigned int fd,
			    const struct ckpt_locks *locks)
{
	struct ckpt_rec_lock *rec;

	for (u32 i = 0; i < min(locks->nr, locks->max); i++) {
		rec = ckpt_part_add(ctx, type, sizeof(*rec));
		if (IS_ERR(rec))
			return PTR_ERR(rec);
		*rec = locks->lock[i];
		rec->fd = cpu_to_le32(fd);
	}
	return 0;
}

/* With no lock held, as that takes memory; the owner is stopped. */
static int ckpt_locks_save(struct ckpt_ctx *ctx, u32 type, struct file *file,
			   const void *owner, unsigned int fd)
{
	struct ckpt_locks locks = {};
	int err;

	ckpt_locks_list(&locks, file, owner);
	if (!locks.nr)
		return 0;
	if (locks.nr > CKPT_LOCKS_MAX)
		return ckpt_refuse(&ctx->log, -E2BIG, "%pD: %u locks: too many",
				   file, locks.nr);
	locks.max = locks.nr;
	locks.lock = kvcalloc(locks.max, sizeof(*locks.lock),
			      GFP_KERNEL_ACCOUNT);
	if (!locks.lock)
		return -ENOMEM;
	ckpt_locks_list(&locks, file, owner);
	err = ckpt_locks_write(ctx, type, fd, &locks);
	kvfree(locks.lock);
	return err;
}

/**
 * ckpt_file_locks_save() - write the locks of a description, as parts of it
 * @ctx: the checkpoint, whose last object it is
 * @file: the description
 *
 * Return: 0 or a negative errno.
 */
int ckpt_file_locks_save(struct ckpt_ctx *ctx, struct file *file)
{
	return ckpt_locks_save(ctx, CKPT_REC_FILE_LOCK, file, file, 0);
}

/**
 * ckpt_posix_locks_save() - write the locks that a descriptor table has by way
 *	of one description, as parts of the table
 * @ctx: the checkpoint, whose last object that is
 * @files: the table
 * @file: the description
 * @fd: a descriptor of that
 *
 * Return: 0 or a negative errno.
 */
int ckpt_posix_locks_save(struct ckpt_ctx *ctx, struct files_struct *files,
			  struct file *file, unsigned int fd)
{
	return ckpt_locks_save(ctx, CKPT_REC_POSIX_LOCK, file, files, fd);
}

/**
 * ckpt_file_has_locks() - whether a description itself has locks
 * @file: the file
 *
 * Return: true if it has one of flock(2), or an OFD lock.
 */
bool ckpt_file_has_locks(const struct file *file)
{
	struct ckpt_locks locks = {};

	ckpt_locks_list(&locks, file, file);
	return locks.nr;
}

/**
 * ckpt_file_has_posix_locks() - whether a table has locks by a description
 * @files: the table
 * @file: the file
 *
 * Return: true if it has.
 */
bool ckpt_file_has_posix_locks(struct files_struct *files,
			       const struct file *file)
{
	struct ckpt_locks locks = {};

	ckpt_locks_list(&locks, file, files);
	return locks.nr;
}

/**
 * ckpt_file_lock_users() - how many users a description has, if it matters
 * @obj: the file
 *
 * A description may be shared with a process outside the tree, but not its lock.
 *
 * Return: the number, or 0 if it has no lock.
 */
int ckpt_file_lock_users(void *obj)
{
	return ckpt_file_has_locks(obj) ? ckpt_file_users(obj) : 0;
}

/* Restart. */

static int ckpt_lock_check_range(struct rstr_ctx *ctx,
				 const struct ckpt_record *rec)
{
	const struct ckpt_rec_lock *lock = rstr_payload(rec);
	u64 start = le64_to_cpu(lock->start), end = le64_to_cpu(lock->end);

	if (start > end || end > OFFSET_MAX || lock->reserved)
		return rstr_bad(ctx, rec, "from %llu to %llu", start, end);
	if (le32_to_cpu(lock->what) == CKPT_LOCK_FLOCK &&
	    (start || end != OFFSET_MAX))
		return rstr_bad(ctx, rec, "of flock(2), on a part");
	if (le32_to_cpu(lock->type) != F_RDLCK &&
	    le32_to_cpu(lock->type) != F_WRLCK)
		return rstr_bad(ctx, rec, "type %u", le32_to_cpu(lock->type));
	return 0;
}

static int ckpt_file_lock_check(struct rstr_ctx *ctx,
				const struct ckpt_record *rec)
{
	const struct ckpt_rec_lock *lock = rstr_payload(rec);
	u32 what = le32_to_cpu(lock->what);

	if ((what != CKPT_LOCK_FLOCK && what != CKPT_LOCK_OFD) || lock->fd)
		return rstr_bad(ctx, rec, "of kind %u", what);
	return ckpt_lock_check_range(ctx, rec);
}

static int ckpt_posix_lock_check(struct rstr_ctx *ctx,
				 const struct ckpt_record *rec)
{
	const struct ckpt_rec_lock *lock = rstr_payload(rec);

	if (le32_to_cpu(lock->what) != CKPT_LOCK_POSIX)
		return rstr_bad(ctx, rec, "of kind %u",
				le32_to_cpu(lock->what));
	return ckpt_lock_check_range(ctx, rec);
}

/* As fcntl(2) and flock(2) see to it. */
static bool ckpt_lock_fits(const struct file_lock *lock)
{
	fmode_t mode = lock->c.flc_file->f_mode;

	if (lock->c.flc_flags & FL_FLOCK)
		return mode & (FMODE_READ | FMODE_WRITE);
	return mode & (lock->c.flc_type == F_WRLCK ? FMODE_WRITE : FMODE_READ);
}

static bool ckpt_lock_is_in_the_way(const struct file_lock *lock,
				    const struct file_lock_core *other)
{
	const struct file_lock *range = ckpt_lock_of(other);

	return other->flc_owner != lock->c.flc_owner &&
	       (lock->c.flc_type == F_WRLCK || other->flc_type == F_WRLCK) &&
	       range->fl_end >= lock->fl_start &&
	       range->fl_start <= lock->fl_end;
}

/* The pid of whoever has what is in the way, in the first namespace; 0 if it is
 * not to be found, as when it was just given up, or is on another machine.
 */
static pid_t ckpt_lock_holder(const struct file_lock *lock)
{
	struct file_lock_context *ctx =
		locks_inode_context(file_inode(lock->c.flc_file));
	struct file_lock_core *other;
	struct list_head *head;
	pid_t pid = 0;

	if (!ctx)
		return 0;
	head = lock->c.flc_flags & FL_FLOCK ? &ctx->flc_flock : &ctx->flc_posix;
	spin_lock(&ctx->flc_lock);
	list_for_each_entry(other, head, flc_list) {
		if (ckpt_lock_is_in_the_way(lock, other)) {
			pid = other->flc_pid;
			break;
		}
	}
	spin_unlock(&ctx->flc_lock);
	return pid;
}

static void ckpt_lock_holder_name(const struct file_lock *lock, char *buf,
				  size_t len)
{
	pid_t pid = ckpt_lock_holder(lock);
	char comm[TASK_COMM_LEN];
	struct task_struct *task;

	strscpy(buf, "somebody", len);
	rcu_read_lock();
	task = find_task_by_pid_ns(pid, &init_pid_ns);
	if (task) {
		get_task_comm(comm, task);
		snprintf(buf, len, "pid %d (%s)", task_tgid_vnr(task), comm);
	}
	rcu_read_unlock();
}

static int ckpt_lock_conflict(struct rstr_ctx *ctx, const struct file_lock *lock)
{
	char holder[48];

	ckpt_lock_holder_name(lock, holder, sizeof(holder));
	if (lock->c.flc_flags & FL_FLOCK)
		return ckpt_refuse(&ctx->log, -EBUSY,
				   "%pD: is locked by %s (flock)",
				   lock->c.flc_file, holder);
	if (lock->fl_end == OFFSET_MAX)
		return ckpt_refuse(&ctx->log, -EBUSY,
				   "%pD: from byte %lld on is locked by %s",
				   lock->c.flc_file, lock->fl_start, holder);
	return ckpt_refuse(&ctx->log, -EBUSY,
			   "%pD: bytes %lld to %lld are locked by %s",
			   lock->c.flc_file, lock->fl_start, lock->fl_end,
			   holder);
}

/* For want of memory, fcntl(2) and flock(2) speak of locks. */
static int ckpt_lock_local(int err)
{
	return err == -ENOLCK ? -ENOMEM : err;
}

static int ckpt_lock_take(struct file_lock *lock)
{
	struct file *file = lock->c.flc_file;
	bool flock = lock->c.flc_flags & FL_FLOCK;
	int err;

	err = security_file_lock(file, lock->c.flc_type);
	if (err)
		return err;
	if (flock && file->f_op->flock)
		return file->f_op->flock(file, F_SETLK, lock);
	if (flock)
		return ckpt_lock_local(locks_lock_file_wait(file, lock));
	err = vfs_lock_file(file, F_SETLK, lock, NULL);
	return file->f_op->lock ? err : ckpt_lock_local(err);
}

static void ckpt_lock_make(struct file_lock *lock,
			   const struct ckpt_rec_lock *rec, struct file *file,
			   fl_owner_t owner)
{
	lock->c.flc_file = file;
	lock->c.flc_owner = owner;
	lock->c.flc_pid = current->tgid;
	lock->c.flc_type = le32_to_cpu(rec->type);
	lock->fl_start = le64_to_cpu(rec->start);
	lock->fl_end = le64_to_cpu(rec->end);
	switch (le32_to_cpu(rec->what)) {
	case CKPT_LOCK_FLOCK:
		lock->c.flc_flags = FL_FLOCK;
		break;
	case CKPT_LOCK_OFD:
		lock->c.flc_flags = FL_POSIX | FL_OFDLCK;
		break;
	default:
		lock->c.flc_flags = FL_POSIX;
	}
}

static int ckpt_lock_restore(struct rstr_ctx *ctx,
			     const struct ckpt_record *rec, struct file *file,
			     fl_owner_t owner)
{
	struct file_lock *lock = locks_alloc_lock();
	int err;

	if (!lock)
		return -ENOMEM;
	ckpt_lock_make(lock, rstr_payload(rec), file, owner);
	if (ckpt_lock_fits(lock))
		err = ckpt_lock_take(lock);
	else
		err = rstr_bad(ctx, rec, "on a file that is not open for it");
	if (err == -EAGAIN)
		err = ckpt_lock_conflict(ctx, lock);
	locks_free_lock(lock);
	return err;
}

/**
 * ckpt_file_locks_restore() - take the locks of a description
 * @ctx: the restart
 * @obj: the description, opened
 *
 * Return: 0; -EBUSY if another has one; or a negative errno.
 */
int ckpt_file_locks_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_record *rec;
	int err;

	rstr_for_each_part(rec, obj, CKPT_REC_FILE_LOCK) {
		err = ckpt_lock_restore(ctx, rec, obj->ptr, obj->ptr);
		if (err)
			return err;
	}
	return 0;
}

/* By a descriptor that there is: with the last of these the lock goes. */
static int ckpt_posix_lock_restore(struct rstr_ctx *ctx,
				   const struct ckpt_record *rec)
{
	const struct ckpt_rec_lock *lock = rstr_payload(rec);
	struct file *file = fget(le32_to_cpu(lock->fd));
	int err;

	if (!file)
		return rstr_bad(ctx, rec, "by descriptor %u, which is not open",
				le32_to_cpu(lock->fd));
	ckpt_log_detail(&ctx->log, "fd %u", le32_to_cpu(lock->fd));
	err = ckpt_lock_restore(ctx, rec, file, current->files);
	fput(file);
	return err;
}

/**
 * ckpt_posix_locks_restore() - take the locks of a descriptor table
 * @ctx: the restart
 * @obj: the table, which is the current one, with all its files
 *
 *
 * Return: as ckpt_file_locks_restore().
 */
int ckpt_posix_locks_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_record *rec;
	int err;

	rstr_for_each_part(rec, obj, CKPT_REC_POSIX_LOCK) {
		err = ckpt_posix_lock_restore(ctx, rec);
		if (err)
			return err;
	}
	return 0;
}

const struct ckpt_part ckpt_file_lock_part = {
	.type	= CKPT_REC_FILE_LOCK,
	.name	= "lock",
	.size	= sizeof(struct ckpt_rec_lock),
	.max	= CKPT_LOCKS_MAX,
	.check	= ckpt_file_lock_check,
};

const struct ckpt_part ckpt_posix_lock_part = {
	.type	= CKPT_REC_POSIX_LOCK,
	.name	= "lock",
	.size	= sizeof(struct ckpt_rec_lock),
	.max	= CKPT_FDS_MAX,
	.check	= ckpt_posix_lock_check,
};
