// SPDX-License-Identifier: GPL-2.0-only
/* Directories. */
#include <linux/fs.h>

#include "checkpoint.h"
#include "file.h"
#include "restart.h"

static bool ckpt_file_directory_match(const void *obj)
{
	return S_ISDIR(file_inode(obj)->i_mode);
}

static int ckpt_file_directory_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct file *file = obj;

	if (!ckpt_file_has_home(file))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "%pD: directory of %s: not supported", file,
				   file_inode(file)->i_sb->s_type->name);
	return ckpt_file_save(ctx, file, CKPT_REC_FILE_DIRECTORY);
}

static int ckpt_file_directory_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	return ckpt_file_check(ctx, obj, S_IFDIR);
}

const struct ckpt_kind ckpt_file_directory_kind = {
	.type		= CKPT_REC_FILE_DIRECTORY,
	.family		= CKPT_FILE,
	.name		= "directory",
	.size		= sizeof(struct ckpt_rec_file),
	.parts		= ckpt_file_parts,
	.match		= ckpt_file_directory_match,
	.users		= ckpt_file_lock_users,
	.checkpoint	= ckpt_file_directory_checkpoint,
	.check		= ckpt_file_directory_check,
	.restore	= ckpt_file_restore,
};
