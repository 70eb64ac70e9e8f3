// SPDX-License-Identifier: GPL-2.0-only
/* Tables of descriptors. */
#include <linux/capability.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "checkpoint.h"
#include "file.h"
#include "limits.h"
#include "restart.h"

/**
 * struct ckpt_fd - a descriptor, as found while the table could not change
 * @fd: its number
 * @ref: reference to @file
 * @cloexec: whether it is closed by execve(2)
 * @file: a reference held
 */
struct ckpt_fd {
	unsigned int	fd;
	u32		ref;
	bool		cloexec;
	struct file	*file;
};

struct ckpt_fds {
	u32		nr;
	u32		max;
	struct ckpt_fd	*fd;
};

static void ckpt_fds_release(struct ckpt_fds *fds)
{
	for (u32 i = 0; i < fds->nr; i++)
		fput(fds->fd[i].file);
	kvfree(fds->fd);
}

static u32 ckpt_fds_count(struct files_struct *files)
{
	struct fdtable *fdt;
	u32 nr = 0;

	spin_lock(&files->file_lock);
	fdt = files_fdtable(files);
	for (unsigned int fd = 0; fd < fdt->max_fds; fd++)
		if (rcu_access_pointer(fdt->fd[fd]))
			nr++;
	spin_unlock(&files->file_lock);
	return nr;
}

static int ckpt_fds_fill(struct files_struct *files, struct ckpt_fds *fds)
{
	struct fdtable *fdt;
	struct file *file;
	int err = 0;

	spin_lock(&files->file_lock);
	fdt = files_fdtable(files);
	for (unsigned int fd = 0; fd < fdt->max_fds; fd++) {
		file = rcu_dereference_check_fdtable(files, fdt->fd[fd]);
		if (!file)
			continue;
		if (fds->nr == fds->max) {
			err = -EAGAIN;
			break;
		}
		fds->fd[fds->nr++] = (struct ckpt_fd){
			.fd = fd,
			.cloexec = close_on_exec(fd, files),
			.file = get_file(file),
		};
	}
	spin_unlock(&files->file_lock);
	return err;
}

/* With no lock held, since looking up paths sleeps. */
static int ckpt_fds_objects(struct ckpt_ctx *ctx, struct ckpt_fds *fds)
{
	int err;

	for (u32 i = 0; i < fds->nr; i++) {
		ckpt_log_detail(&ctx->log, "fd %u", fds->fd[i].fd);
		err = ckpt_save(ctx, CKPT_FILE, fds->fd[i].file,
				&fds->fd[i].ref);
		if (err)
			return err;
	}
	ckpt_log_detail(&ctx->log, "%s", "");
	return 0;
}

static int ckpt_fds_save(struct ckpt_ctx *ctx, const struct ckpt_fds *fds)
{
	struct ckpt_rec_fd *rec;

	for (u32 i = 0; i < fds->nr; i++) {
		rec = ckpt_part_add(ctx, CKPT_REC_FD, sizeof(*rec));
		if (IS_ERR(rec))
			return PTR_ERR(rec);
		rec->fd = cpu_to_le32(fds->fd[i].fd);
		rec->file = cpu_to_le32(fds->fd[i].ref);
		rec->flags = cpu_to_le32(fds->fd[i].cloexec ? FD_CLOEXEC : 0);
	}
	return 0;
}

static bool ckpt_fd_is_dup(const struct ckpt_fds *fds, u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		if (fds->fd[i].file == fds->fd[nr].file)
			return true;
	return false;
}

/* Each lock once, whatever number of descriptors its description has. */
static int ckpt_fds_save_locks(struct ckpt_ctx *ctx, struct files_struct *files,
			       const struct ckpt_fds *fds)
{
	int err = 0;

	for (u32 i = 0; i < fds->nr && !err; i++)
		if (ckpt_file_has_posix_locks(files, fds->fd[i].file) &&
		    !ckpt_fd_is_dup(fds, i))
			err = ckpt_posix_locks_save(ctx, files, fds->fd[i].file,
						    fds->fd[i].fd);
	return err;
}

static int ckpt_fds_collect(struct ckpt_ctx *ctx, struct files_struct *files,
			    struct ckpt_fds *fds)
{
	int err;

	fds->max = ckpt_fds_count(files);
	fds->fd = kvcalloc(fds->max, sizeof(*fds->fd), GFP_KERNEL_ACCOUNT);
	if (!fds->fd)
		return -ENOMEM;
	err = ckpt_fds_fill(files, fds);
	if (err)
		return err;
	return ckpt_fds_objects(ctx, fds);
}

static int ckpt_files_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct ckpt_rec_files *rec;
	struct ckpt_fds fds = {};
	int err;

	err = ckpt_fds_collect(ctx, obj, &fds);
	if (err)
		goto out;
	rec = ckpt_object_add(ctx, CKPT_REC_FILES, obj, sizeof(*rec));
	err = PTR_ERR_OR_ZERO(rec);
	if (err)
		goto out;
	rec->nr_fds = cpu_to_le32(fds.nr);
	err = ckpt_fds_save(ctx, &fds);
	if (!err)
		err = ckpt_fds_save_locks(ctx, obj, &fds);
out:
	ckpt_fds_release(&fds);
	return err;
}

static int ckpt_fd_check(struct rstr_ctx *ctx, const struct ckpt_record *rec,
			 u64 *next)
{
	const struct ckpt_rec_fd *fd = rstr_payload(rec);
	u32 nr = le32_to_cpu(fd->fd);

	if (nr < *next || nr >= CKPT_FDS_MAX)
		return rstr_bad(ctx, rec, "descriptor %u", nr);
	*next = (u64)nr + 1;
	if (le32_to_cpu(fd->flags) & ~FD_CLOEXEC || fd->reserved)
		return rstr_bad(ctx, rec, "descriptor %u: flags %#x", nr,
				le32_to_cpu(fd->flags));
	return rstr_ref(ctx, rec, fd->file, CKPT_FILE) ? 0 : -EBADMSG;
}

static int ckpt_files_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_files *files = rstr_payload(obj->rec);
	const struct ckpt_record *rec;
	u64 next = 0;
	u32 nr = 0;
	int err;

	rstr_for_each_part(rec, obj, CKPT_REC_FD) {
		err = ckpt_fd_check(ctx, rec, &next);
		if (err)
			return err;
		nr++;
	}
	if (nr != le32_to_cpu(files->nr_fds) || files->reserved)
		return rstr_bad(ctx, obj->rec, "%u descriptors, not %u", nr,
				le32_to_cpu(files->nr_fds));
	return 0;
}

static struct files_struct *ckpt_files_switch(struct files_struct *files)
{
	struct files_struct *old;

	task_lock(current);
	old = current->files;
	current->files = files;
	task_unlock(current);
	return old;
}

/* The current table is a new copy: close what dup_fd() takes over in any case. */
static void ckpt_files_empty(void)
{
	for (unsigned int fd = 0; fd < NR_OPEN_DEFAULT; fd++)
		close_fd(fd);
}

/* In the new table. */
static int ckpt_fd_restore(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	const struct ckpt_rec_fd *fd = rstr_payload(rec);
	unsigned int nr = le32_to_cpu(fd->fd);
	struct file *file;
	int err;

	ckpt_log_detail(&ctx->log, "fd %u", nr);
	file = rstr_get(ctx, rstr_obj(ctx, fd->file));
	if (IS_ERR(file))
		return PTR_ERR(file);
	err = replace_fd(nr, file,
			 fd->flags & cpu_to_le32(FD_CLOEXEC) ? O_CLOEXEC : 0);
	if (err < 0)
		return ckpt_refuse(&ctx->log, -EMFILE,
				   "beyond the limit of open files (RLIMIT_NOFILE)");
	return 0;
}

/*
 * The limit of the image comes later, and descriptors may lie beyond it if it
 * was lowered. They are held against what the caller could have raised his to.
 */
static unsigned long ckpt_nofile_highest(void)
{
	return capable(CAP_SYS_RESOURCE) ? sysctl_nr_open :
					   rlimit_max(RLIMIT_NOFILE);
}

static unsigned long ckpt_nofile_set(unsigned long limit)
{
	task_lock(current->group_leader);
	swap(current->signal->rlim[RLIMIT_NOFILE].rlim_cur, limit);
	task_unlock(current->group_leader);
	return limit;
}

/* In the new table, too. */
static int ckpt_fds_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	unsigned long limit = ckpt_nofile_set(ckpt_nofile_highest());
	const struct ckpt_record *rec;
	int err = 0;

	rstr_for_each_part(rec, obj, CKPT_REC_FD) {
		err = ckpt_fd_restore(ctx, rec);
		if (err)
			break;
	}
	ckpt_nofile_set(limit);
	return err;
}

static int ckpt_files_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	/* A copy of ours, but of no more of what is in it than must be. */
	struct fd_range all = { .from = 0, .to = ~0U };
	struct files_struct *files, *old;
	int err;

	files = dup_fd(current->files, &all);
	if (IS_ERR(files))
		return PTR_ERR(files);
	old = ckpt_files_switch(files);
	ckpt_files_empty();
	err = ckpt_fds_restore(ctx, obj);
	if (!err)
		err = ckpt_posix_locks_restore(ctx, obj);
	ckpt_files_switch(old);
	if (err) {
		put_files_struct(files);
		return err;
	}
	ckpt_log_detail(&ctx->log, "%s", "");
	obj->ptr = files;
	return 0;
}

/**
 * ckpt_files_install() - give up the table of descriptors for a new one
 * @files: the new one; a reference is taken
 */
void ckpt_files_install(struct files_struct *files)
{
	atomic_inc(&files->count);
	put_files_struct(ckpt_files_switch(files));
}

static const struct ckpt_part ckpt_fd_part = {
	.type	= CKPT_REC_FD,
	.name	= "descriptor",
	.size	= sizeof(struct ckpt_rec_fd),
	.max	= CKPT_FDS_MAX,
};

static const struct ckpt_part *const ckpt_files_parts[] = {
	&ckpt_fd_part,
	&ckpt_posix_lock_part,
	NULL
};

const struct ckpt_kind ckpt_files_kind = {
	.type		= CKPT_REC_FILES,
	.family		= CKPT_FILES,
	.name		= "descriptor table",
	.size		= sizeof(struct ckpt_rec_files),
	.parts		= ckpt_files_parts,
	.checkpoint	= ckpt_files_checkpoint,
	.check		= ckpt_files_check,
	.restore	= ckpt_files_restore,
};
