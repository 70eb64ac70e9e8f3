// SPDX-License-Identifier: GPL-2.0-only
/* Root directory, current directory, umask. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/sched/task.h>

#include "checkpoint.h"
#include "file.h"
#include "restart.h"

static int ckpt_fs_save(struct ckpt_ctx *ctx, struct fs_struct *fs,
			const struct path *root, const struct path *pwd)
{
	struct ckpt_rec_fs *rec;
	u32 deleted = 0;
	int err = 0;

	ckpt_log_detail(&ctx->log, "current directory");
	if (ckpt_path_is_deleted(pwd))
		err = ckpt_deleted_directory(ctx, pwd, &deleted);
	if (err)
		return err;
	rec = ckpt_object_add(ctx, CKPT_REC_FS, fs, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->umask = cpu_to_le32(fs->umask);
	rec->deleted = cpu_to_le32(deleted);
	ckpt_log_detail(&ctx->log, "root directory");
	err = ckpt_path_add(ctx, root);
	if (err || deleted)
		return err;
	ckpt_log_detail(&ctx->log, "current directory");
	return ckpt_path_add(ctx, pwd);
}

static int ckpt_fs_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct fs_struct *fs = obj;
	struct path root, pwd;
	int err;

	get_fs_root(fs, &root);
	get_fs_pwd(fs, &pwd);
	err = ckpt_fs_save(ctx, fs, &root, &pwd);
	path_put(&pwd);
	path_put(&root);
	if (!err)
		ckpt_log_detail(&ctx->log, "%s", "");
	return err;
}

static int ckpt_fs_check_deleted(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_fs *rec = rstr_payload(obj->rec);
	const struct ckpt_rec_deleted *dir;
	struct rstr_obj *deleted;

	if (!rec->deleted)
		return 0;
	deleted = rstr_ref(ctx, obj->rec, rec->deleted, CKPT_DELETED);
	if (!deleted)
		return -EBADMSG;
	dir = rstr_payload(deleted->rec);
	if (!S_ISDIR(le32_to_cpu(dir->mode)))
		return rstr_bad(ctx, obj->rec, "in a file");
	return 0;
}

static int ckpt_fs_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_fs *rec = rstr_payload(obj->rec);
	const struct ckpt_record *path;
	u32 nr = 0;
	int err;

	if (le32_to_cpu(rec->umask) & ~0777)
		return rstr_bad(ctx, obj->rec, "umask %#o",
				le32_to_cpu(rec->umask));
	rstr_for_each_part(path, obj, CKPT_REC_PATH) {
		err = rstr_path_check(ctx, path);
		if (err)
			return err;
		nr++;
	}
	if (nr != (rec->deleted ? 1 : 2))
		return rstr_bad(ctx, obj->rec, "%u paths", nr);
	return ckpt_fs_check_deleted(ctx, obj);
}

static int ckpt_fs_directory(struct rstr_ctx *ctx,
			     const struct ckpt_record *rec, struct path *path)
{
	int err;

	err = kern_path(rstr_path(rec), LOOKUP_FOLLOW | LOOKUP_DIRECTORY, path);
	if (err)
		return ckpt_refuse(&ctx->log, err, "directory %s: %pe",
				   rstr_path(rec), ERR_PTR(err));
	err = path_permission(path, MAY_EXEC | MAY_CHDIR);
	if (!err)
		return 0;
	path_put(path);
	return ckpt_refuse(&ctx->log, err, "directory %s: not permitted",
			   rstr_path(rec));
}

/* As chroot(2) would, if it is another one at all. */
static int ckpt_fs_root(struct rstr_ctx *ctx, const struct ckpt_record *rec,
			struct fs_struct *fs)
{
	struct path path;
	int err;

	err = ckpt_fs_directory(ctx, rec, &path);
	if (err)
		return err;
	if (!path_equal(&path, &fs->root)) {
		if (ns_capable(current_user_ns(), CAP_SYS_CHROOT))
			set_fs_root(fs, &path);
		else
			err = ckpt_refuse(&ctx->log, -EPERM,
					  "root directory %s: not permitted",
					  rstr_path(rec));
	}
	path_put(&path);
	return err;
}

static int ckpt_fs_pwd_deleted(struct rstr_ctx *ctx, struct rstr_obj *deleted,
			       struct fs_struct *fs)
{
	struct file *dir = rstr_get(ctx, deleted);
	int err;

	if (IS_ERR(dir))
		return PTR_ERR(dir);
	err = file_permission(dir, MAY_EXEC | MAY_CHDIR);
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "current directory, which was deleted: not permitted");
	set_fs_pwd(fs, &dir->f_path);
	return 0;
}

static int ckpt_fs_build(struct rstr_ctx *ctx, struct rstr_obj *obj,
			 struct fs_struct *fs)
{
	const struct ckpt_rec_fs *rec = rstr_payload(obj->rec);
	const struct ckpt_record *part;
	struct path pwd;
	int err;

	fs->umask = le32_to_cpu(rec->umask);
	part = rstr_part_first(obj, CKPT_REC_PATH);
	err = ckpt_fs_root(ctx, part, fs);
	if (err)
		return err;
	if (rec->deleted)
		return ckpt_fs_pwd_deleted(ctx, rstr_obj(ctx, rec->deleted),
					   fs);
	err = ckpt_fs_directory(ctx, rstr_part_next(obj, part), &pwd);
	if (err)
		return err;
	set_fs_pwd(fs, &pwd);
	path_put(&pwd);
	return 0;
}

static int ckpt_fs_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	struct fs_struct *fs = copy_fs_struct(current->fs);
	int err;

	if (!fs)
		return -ENOMEM;
	err = ckpt_fs_build(ctx, obj, fs);
	if (err) {
		free_fs_struct(fs);
		return err;
	}
	obj->ptr = fs;
	return 0;
}

/**
 * ckpt_fs_install() - give up root and current directory for new ones
 * @fs: the new ones; a reference is taken
 */
void ckpt_fs_install(struct fs_struct *fs)
{
	struct fs_struct *old;

	ckpt_families[CKPT_FS].get(fs);
	task_lock(current);
	old = current->fs;
	current->fs = fs;
	task_unlock(current);
	ckpt_families[CKPT_FS].put(old);
}

static const struct ckpt_part ckpt_fs_path_part = {
	.type		= CKPT_REC_PATH,
	.name		= "path",
	.size		= 2,
	.open_ended	= true,
	.min		= 1,
	.max		= 2,
};

static const struct ckpt_part *const ckpt_fs_parts[] = {
	&ckpt_fs_path_part,
	NULL
};

const struct ckpt_kind ckpt_fs_kind = {
	.type		= CKPT_REC_FS,
	.family		= CKPT_FS,
	.name		= "root and current directory",
	.size		= sizeof(struct ckpt_rec_fs),
	.parts		= ckpt_fs_parts,
	.checkpoint	= ckpt_fs_checkpoint,
	.check		= ckpt_fs_check,
	.restore	= ckpt_fs_restore,
};
