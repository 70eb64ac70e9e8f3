// SPDX-License-Identifier: GPL-2.0-only
/* What open(2) made with O_PATH: a place in the file system, nothing opened. */
#include <linux/fs.h>
#include <linux/namei.h>

#include "checkpoint.h"
#include "file.h"
#include "restart.h"

/* All that such a description keeps of open(2)'s flags. */
#define CKPT_PATH_FLAGS	(O_DIRECTORY | O_NOFOLLOW)

static bool ckpt_file_path_match(const void *obj)
{
	const struct file *file = obj;

	return file->f_mode & FMODE_PATH;
}

static int ckpt_file_path_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	const struct file *file = obj;
	const struct inode *inode = file_inode(file);
	struct ckpt_rec_file_path *rec;

	if (!ckpt_file_has_home(obj))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "%pD: O_PATH in %s: not supported", file,
				   inode->i_sb->s_type->name);
	rec = ckpt_object_add(ctx, CKPT_REC_FILE_PATH, obj, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->flags = cpu_to_le32(file->f_flags & CKPT_PATH_FLAGS);
	rec->mode = cpu_to_le32(inode->i_mode);
	return ckpt_path_add(ctx, &file->f_path);
}

static int ckpt_file_path_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_path *rec = rstr_payload(obj->rec);

	if (le32_to_cpu(rec->flags) & ~CKPT_PATH_FLAGS || rec->what ||
	    rec->reserved)
		return rstr_bad(ctx, obj->rec, "flags %#o",
				le32_to_cpu(rec->flags));
	return rstr_path_check(ctx, rstr_part_first(obj, CKPT_REC_PATH));
}

/* A symbolic link itself, if that is what it was. */
static struct file *ckpt_file_path_open(const struct ckpt_rec_file_path *rec,
					const char *name)
{
	struct file *file = ERR_PTR(-ESTALE);
	struct path path;
	int err;

	err = kern_path(name, 0, &path);
	if (err)
		return ERR_PTR(err);
	if (!((d_backing_inode(path.dentry)->i_mode ^ le32_to_cpu(rec->mode)) &
	      S_IFMT))
		file = file_open_root(&path, "",
				      O_PATH | le32_to_cpu(rec->flags), 0);
	path_put(&path);
	return file;
}

static int ckpt_file_path_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const char *name = rstr_path(rstr_part_first(obj, CKPT_REC_PATH));
	struct file *file = ckpt_file_path_open(rstr_payload(obj->rec), name);

	if (IS_ERR(file))
		return ckpt_refuse(&ctx->log, PTR_ERR(file), "path %s: %pe",
				   name, file);
	obj->ptr = file;
	return 0;
}

const struct ckpt_kind ckpt_file_path_kind = {
	.type		= CKPT_REC_FILE_PATH,
	.family		= CKPT_FILE,
	.name		= "O_PATH",
	.size		= sizeof(struct ckpt_rec_file_path),
	.parts		= ckpt_file_path_parts,
	.match		= ckpt_file_path_match,
	.checkpoint	= ckpt_file_path_checkpoint,
	.check		= ckpt_file_path_check,
	.restore	= ckpt_file_path_restore,
};
