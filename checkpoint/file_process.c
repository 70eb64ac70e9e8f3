// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files and directories of one process, in proc. They are opened again by their
 * path, in which stands the number that the process has now, once it is there.
 *
 * Some are tied to what a process had when they were opened: its memory, its root
 * directory. When they are opened again it has those of the restarter still, and
 * gets its own later; then these files are tied to that.
 */
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/magic.h>
#include <linux/mnt_namespace.h>
#include <linux/namei.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "../fs/mount.h"
#include "../fs/proc/internal.h"
#include "checkpoint.h"
#include "file.h"
#include "restart.h"
#include "stop.h"
#include "tree.h"

/* The directory of a process that a place in proc is below, or is itself. */
static struct dentry *ckpt_process_dentry(struct dentry *dentry)
{
	struct dentry *root = dentry->d_sb->s_root, *parent;

	while ((parent = READ_ONCE(dentry->d_parent)) != root) {
		if (parent == dentry)
			return NULL;
		dentry = parent;
	}
	return dentry;
}

/* Whose it is; NULL if it is nobody's. Under RCU. */
static struct pid *ckpt_process_pid(const struct file *file)
{
	struct dentry *dentry = file->f_path.dentry;

	if (dentry == dentry->d_sb->s_root)
		return NULL;
	dentry = ckpt_process_dentry(dentry);
	return dentry && d_inode_rcu(dentry) ? proc_pid(d_inode_rcu(dentry)) :
					       NULL;
}

/* Files that are tied to something; which, is told by how they are opened. */

static bool ckpt_process_is_mounts(const struct file *file)
{
	return file->f_op == &proc_mounts_operations ||
	       file->f_op == &proc_mountinfo_operations ||
	       file->f_op == &proc_mountstats_operations;
}

static bool ckpt_process_is_maps(const struct file *file)
{
#ifdef CONFIG_NUMA
	if (file->f_op == &proc_pid_numa_maps_operations)
		return true;
#endif
#ifdef CONFIG_PROC_PAGE_MONITOR
	if (file->f_op == &proc_pid_smaps_operations ||
	    file->f_op == &proc_pid_smaps_rollup_operations)
		return true;
#endif
	return file->f_op == &proc_pid_maps_operations;
}

/*
 * What has no operations that are known elsewhere is known by its name. Those of
 * the network, which may have any, are of no process themselves.
 */
static bool ckpt_process_is_memory(const struct file *file)
{
	static const char *const names[] = { "mem", "environ", "auxv" };
	struct dentry *dentry = file->f_path.dentry;
	struct dentry *top = ckpt_process_dentry(dentry);

	if (!S_ISREG(file_inode(file)->i_mode) || !proc_pid(file_inode(file)))
		return false;
#ifdef CONFIG_PROC_PAGE_MONITOR
	if (file->f_op == &proc_pagemap_operations)
		return true;
#endif
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(dentry->d_name.name, names[i]))
			return true;
	for (; dentry != top; dentry = READ_ONCE(dentry->d_parent))
		if (!strcmp(dentry->d_name.name, "attr"))
			return true;
	return false;
}

/* Where a file keeps the address space that it is tied to; NULL if to none. */
static struct mm_struct **ckpt_process_mm(struct file *file)
{
	struct proc_maps_private *maps;

	if (ckpt_process_is_maps(file)) {
		maps = ((struct seq_file *)file->private_data)->private;
		return &maps->mm;
	}
	return ckpt_process_is_memory(file) ?
	       (struct mm_struct **)&file->private_data : NULL;
}

static struct proc_mounts *ckpt_process_mounts(struct file *file)
{
	return ckpt_process_is_mounts(file) ?
	       ((struct seq_file *)file->private_data)->private : NULL;
}

/*
 * Of init there is one wherever a proc is, by the same path: what tells of it tells of
 * the machine. Another kind has that.
 */
static bool ckpt_process_is_init(const struct file *file)
{
	struct inode *inode = file_inode(file);
	struct pid *pid = proc_pid(inode) ?: ckpt_process_pid(file);

	return pid_nr_ns(pid, proc_pid_ns(inode->i_sb)) == 1;
}

static bool ckpt_file_process_match(const void *obj)
{
	struct file *file = (struct file *)obj;
	struct inode *inode = file_inode(file);

	if (inode->i_sb->s_magic != PROC_SUPER_MAGIC ||
	    (!S_ISREG(inode->i_mode) && !S_ISDIR(inode->i_mode)))
		return false;
	guard(rcu)();
	return ckpt_process_pid(file) &&
	       (!ckpt_process_is_init(file) || ckpt_process_mm(file) ||
		ckpt_process_mounts(file));
}

/* Checkpoint. */

/* Whether it has what the process has now. */
static bool ckpt_process_is_current(struct task_struct *task, struct file *file)
{
	struct proc_mounts *mounts = ckpt_process_mounts(file);
	struct mm_struct **mm = ckpt_process_mm(file);
	bool same = true;
	struct path root;

	task_lock(task);
	if (mm)
		same = *mm && *mm == task->mm;
	if (mounts && task->fs) {
		get_fs_root(task->fs, &root);
		same = path_equal(&root, &mounts->root);
		task_unlock(task);
		path_put(&root);
		return same;
	}
	task_unlock(task);
	return same && !mounts;
}

/* One of the tree. */
static struct task_struct *ckpt_process_task(struct ckpt_ctx *ctx,
					     struct pid *pid)
{
	struct task_struct *task;

	guard(rcu)();
	task = pid_task(pid, PIDTYPE_PID);
	if (task && !ckpt_stop_has(ctx->stop, task))
		task = NULL;
	return task ? get_task_struct(task) : NULL;
}

/* A number of the path that begins at @at; 0 if there is none. */
static u32 ckpt_process_number(const char *name, u32 at)
{
	const char *end = name + at;
	u64 nr = 0;

	while (*end >= '0' && *end <= '9' && nr <= INT_MAX)
		nr = nr * 10 + *end++ - '0';
	return (*end && *end != '/') || nr > INT_MAX ? 0 : nr;
}

static u32 ckpt_process_digits(u32 nr)
{
	u32 digits = 1;

	while (nr /= 10)
		digits++;
	return digits;
}

/* Where the numbers of the process, which @at is of, and of the thread are. */
static int ckpt_process_parse(const char *name, u32 at,
			      struct ckpt_rec_file_process *rec)
{
	u32 pid = ckpt_process_number(name, at), tid_at;

	if (!pid)
		return -ENOENT;
	rec->pid = cpu_to_le32(pid);
	rec->pid_at = cpu_to_le32(at);
	tid_at = at + ckpt_process_digits(pid);
	if (strncmp(name + tid_at, "/task/", 6))
		return 0;
	tid_at += 6;
	rec->tid = cpu_to_le32(ckpt_process_number(name, tid_at));
	rec->tid_at = cpu_to_le32(tid_at);
	return rec->tid ? 0 : -ENOENT;
}

/*
 * The path of the directory of the process, and what comes below that. It is not
 * looked up: some of that is made anew each time that it is.
 */
static char *ckpt_process_path(struct ckpt_ctx *ctx, struct file *file,
			       char *buf, u32 *at)
{
	char *below __free(kfree) = kmalloc(PATH_MAX, GFP_KERNEL_ACCOUNT);
	struct path top = { .mnt = file->f_path.mnt };
	char *name, *rest;
	size_t len;

	if (!below)
		return ERR_PTR(-ENOMEM);
	rest = dentry_path_raw(file->f_path.dentry, below, PATH_MAX);
	if (IS_ERR(rest))
		return rest;
	top.dentry = dget(ckpt_process_dentry(file->f_path.dentry));
	name = ckpt_path_find(ctx, &top, buf);
	dput(top.dentry);
	if (IS_ERR(name))
		return name;
	*at = strrchr(name, '/') + 1 - name;
	rest = strchrnul(rest + 1, '/');
	len = strlen(name);
	if (len + strlen(rest) >= PATH_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	memmove(buf, name, len);
	strscpy(buf + len, rest, PATH_MAX - len);
	return buf;
}

static bool ckpt_process_has(struct ckpt_ctx *ctx, __le32 nr)
{
	struct task_struct *task;

	guard(rcu)();
	task = find_task_by_vpid(le32_to_cpu(nr));
	return task && ckpt_stop_has(ctx->stop, task);
}

static int ckpt_process_locate(struct ckpt_ctx *ctx, struct file *file,
			       struct ckpt_rec_file_process *rec, char *buf)
{
	char *name;
	u32 at = 0;

	name = ckpt_process_path(ctx, file, buf, &at);
	if (IS_ERR(name))
		return PTR_ERR(name);
	if (ckpt_process_parse(name, at, rec) ||
	    !ckpt_process_has(ctx, rec->pid) ||
	    (rec->tid && !ckpt_process_has(ctx, rec->tid)))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "%s: its process is not known by that: not supported",
				   name);
	return 0;
}

static int ckpt_process_supported(struct ckpt_ctx *ctx, struct file *file)
{
	struct task_struct *task;
	struct pid *pid;
	bool same;

	rcu_read_lock();
	/* Of a thread, where it is a thread's. */
	pid = get_pid(proc_pid(file_inode(file)) ?: ckpt_process_pid(file));
	rcu_read_unlock();
	task = ckpt_process_task(ctx, pid);
	put_pid(pid);
	if (!task)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "%pD: of a process outside the tree, in proc: not supported",
				   file);
	same = ckpt_process_is_current(task, file);
	put_task_struct(task);
	if (same)
		return 0;
	return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
			   "%pD: of what its process had before, in proc: not supported",
			   file);
}

static int ckpt_file_process_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	char *buf __free(kfree) = kmalloc(PATH_MAX, GFP_KERNEL_ACCOUNT);
	struct ckpt_rec_file_process where = {}, *rec;
	struct file *file = obj;
	int err;

	if (!buf)
		return -ENOMEM;
	err = ckpt_process_supported(ctx, file);
	if (!err)
		err = ckpt_process_locate(ctx, file, &where, buf);
	if (err)
		return err;
	rec = ckpt_file_add_stat(ctx, file, CKPT_REC_FILE_PROCESS, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->pid = where.pid;
	rec->tid = where.tid;
	rec->pid_at = where.pid_at;
	rec->tid_at = where.tid_at;
	err = ckpt_path_write(ctx, buf);
	return err ?: ckpt_file_locks_save(ctx, file);
}

/* Restart. */

static bool ckpt_process_check_number(const char *name, u32 from, __le32 at,
				      __le32 nr)
{
	u32 where = le32_to_cpu(at);

	return where > from && where < strlen(name) && name[where - 1] == '/' &&
	       le32_to_cpu(nr) && name[where] != '0' &&
	       ckpt_process_number(name, where) == le32_to_cpu(nr);
}

static bool ckpt_process_is_mem(const char *name)
{
	const char *last = strrchr(name, '/');

	return last && !strcmp(last, "/mem");
}

static int ckpt_file_process_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_process *rec = rstr_payload(obj->rec);
	u32 mode = le32_to_cpu(rec->file.stat.mode);
	const char *name;
	int err;

	err = ckpt_file_check(ctx, obj, S_ISDIR(mode) ? S_IFDIR : S_IFREG);
	if (err)
		return err;
	name = rstr_path(rstr_part_first(obj, CKPT_REC_PATH));
	if (!ckpt_process_check_number(name, 0, rec->pid_at, rec->pid) ||
	    ((rec->tid_at || rec->tid) &&
	     !ckpt_process_check_number(name, le32_to_cpu(rec->pid_at),
					rec->tid_at, rec->tid)))
		return rstr_bad(ctx, obj->rec, "process %u, thread %u in %s",
				le32_to_cpu(rec->pid), le32_to_cpu(rec->tid),
				name);
	/* Of what is in memory there is more than half of all numbers. */
	if (le64_to_cpu(rec->file.pos) > LLONG_MAX && !ckpt_process_is_mem(name))
		return rstr_bad(ctx, obj->rec, "offset");
	ctx->needs_tasks = true;
	return 0;
}

/* The path by the numbers that they have now. */
static int ckpt_process_name(struct rstr_ctx *ctx, struct rstr_obj *obj,
			     char *buf)
{
	const char *name = rstr_path(rstr_part_first(obj, CKPT_REC_PATH));
	const struct ckpt_rec_file_process *rec = rstr_payload(obj->rec);
	u32 pid_at = le32_to_cpu(rec->pid_at), tid_at = le32_to_cpu(rec->tid_at);
	const char *middle = name + pid_at +
			     ckpt_process_digits(le32_to_cpu(rec->pid));
	struct rstr_task *task, *thread;
	int len;

	task = rstr_tree_find(ctx->run, le32_to_cpu(rec->pid));
	thread = rstr_tree_find(ctx->run, le32_to_cpu(rec->tid));
	if (!task || (rec->tid && !thread))
		return rstr_bad(ctx, obj->rec, "%s is of nobody", name);
	/* Whoever has created one may not have taken note of its number yet. */
	if (!rec->tid)
		len = snprintf(buf, PATH_MAX, "%.*s%d%s", pid_at, name,
			       task_pid_vnr(task->task), middle);
	else
		len = snprintf(buf, PATH_MAX, "%.*s%d%.*s%d%s", pid_at, name,
			       task_pid_vnr(task->task),
			       (int)(name + tid_at - middle), middle,
			       task_pid_vnr(thread->task), name + tid_at +
			       ckpt_process_digits(le32_to_cpu(rec->tid)));
	return len < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static bool ckpt_process_is_of(struct file *file, struct rstr_task *task)
{
	guard(rcu)();
	return ckpt_process_pid(file) == task_pid(task->task);
}

/*
 * It has to be of that process, whatever the path leads to: what one of another
 * is tied to later on nobody has been asked for. And one that has ended has
 * nothing that a file could be tied to.
 */
static int ckpt_process_check_tie(struct rstr_ctx *ctx, struct rstr_obj *obj,
				  struct file *file)
{
	const struct ckpt_rec_file_process *rec = rstr_payload(obj->rec);
	__le32 nr = rec->tid ?: rec->pid;
	struct rstr_task *task = rstr_tree_find(ctx->run, le32_to_cpu(nr));

	if (!ckpt_file_process_match(file) ||
	    !ckpt_process_is_of(file, rstr_tree_find(ctx->run,
						     le32_to_cpu(rec->pid))))
		return -ESTALE;
	if (!ckpt_process_mm(file) && !ckpt_process_mounts(file))
		return 0;
	if (proc_pid(file_inode(file)) != task_pid(task->task))
		return -ESTALE;
	return rstr_task_is_dead(task) ? -ESRCH : 0;
}

/*
 * To seek there would have it read now, and for nothing: it goes on from where
 * it was when it is read.
 */
static int ckpt_file_process_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	char *buf __free(kfree) = kmalloc(PATH_MAX, GFP_KERNEL_ACCOUNT);
	const struct ckpt_rec_file_process *rec = rstr_payload(obj->rec);
	struct file *file;
	int err;

	if (!buf)
		return -ENOMEM;
	err = ckpt_process_name(ctx, obj, buf);
	if (err)
		return err;
	file = ckpt_file_open(obj, buf);
	if (IS_ERR(file))
		return ckpt_refuse(&ctx->log, PTR_ERR(file), "file %s: %pe",
				   buf, file);
	obj->ptr = file;
	err = ckpt_process_check_tie(ctx, obj, file);
	if (err)
		return ckpt_refuse(&ctx->log, err, "file %s: %pe", buf,
				   ERR_PTR(err));
	file->f_pos = le64_to_cpu(rec->file.pos);
	return ckpt_file_locks_restore(ctx, obj);
}

/* Whom it is of; none of those who are in the tree has been reaped so far. */
static struct task_struct *ckpt_process_of(const struct file *file)
{
	struct task_struct *task;

	guard(rcu)();
	task = pid_task(proc_pid(file_inode(file)), PIDTYPE_PID);
	return task ? get_task_struct(task) : NULL;
}

/*
 * Who was killed meanwhile has none, and what its memory was is no more to be
 * read: that of the restarter least of all.
 */
static void ckpt_process_set_mm(struct file *file, struct task_struct *task)
{
	struct mm_struct **mm = ckpt_process_mm(file), *old = *mm;
	struct mm_struct *new = NULL;

	if (task) {
		task_lock(task);
		new = task->mm;
		if (new)
			mmgrab(new);
		task_unlock(task);
	}
	if (!new) {
		file->f_mode &= ~(FMODE_READ | FMODE_WRITE | FMODE_PREAD |
				  FMODE_PWRITE);
		return;
	}
	*mm = new;
	if (old)
		mmdrop(old);
}

static void ckpt_process_set_root(struct file *file, struct task_struct *task)
{
	struct proc_mounts *mounts = ckpt_process_mounts(file);
	struct path root = {}, old = mounts->root;

	if (!task)
		return;
	task_lock(task);
	if (task->fs)
		get_fs_root(task->fs, &root);
	task_unlock(task);
	if (!root.mnt)
		return;
	mounts->root = root;
	path_put(&old);
}

static void ckpt_file_process_settle(struct rstr_ctx *ctx, struct rstr_obj *obj,
				     bool done)
{
	struct file *file = obj->ptr;
	struct task_struct *task;

	if (!done || (!ckpt_process_mm(file) && !ckpt_process_mounts(file)))
		return;
	task = ckpt_process_of(file);
	if (ckpt_process_mm(file))
		ckpt_process_set_mm(file, task);
	else
		ckpt_process_set_root(file, task);
	if (task)
		put_task_struct(task);
}

const struct ckpt_kind ckpt_file_process_kind = {
	.type		= CKPT_REC_FILE_PROCESS,
	.family		= CKPT_FILE,
	.name		= "file of a process",
	.size		= sizeof(struct ckpt_rec_file_process),
	.parts		= ckpt_file_parts,
	.match		= ckpt_file_process_match,
	.users		= ckpt_file_lock_users,
	.checkpoint	= ckpt_file_process_checkpoint,
	.check		= ckpt_file_process_check,
	.restore	= ckpt_file_process_restore,
	.settle		= ckpt_file_process_settle,
};
