// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block devices, by their path and number. What is on one is left as it is, and
 * not looked at.
 */
#include <linux/blkdev.h>
#include <linux/fs.h>

#include "checkpoint.h"
#include "file.h"
#include "restart.h"

static bool ckpt_file_block_match(const void *obj)
{
	return S_ISBLK(file_inode(obj)->i_mode);
}

static int ckpt_file_block_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct file *file = obj;

	/* It keeps who has it for himself there. */
	if (file->private_data)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "block device %u:%u (%pD): opened for exclusive use (O_EXCL): not supported",
				   imajor(file_inode(file)),
				   iminor(file_inode(file)), file);
	return ckpt_file_save(ctx, file, CKPT_REC_FILE_BLOCK);
}

static int ckpt_file_block_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	return ckpt_file_check(ctx, obj, S_IFBLK);
}

const struct ckpt_kind ckpt_file_block_kind = {
	.type		= CKPT_REC_FILE_BLOCK,
	.family		= CKPT_FILE,
	.name		= "block device",
	.size		= sizeof(struct ckpt_rec_file),
	.parts		= ckpt_file_parts,
	.match		= ckpt_file_block_match,
	.users		= ckpt_file_lock_users,
	.checkpoint	= ckpt_file_block_checkpoint,
	.check		= ckpt_file_block_check,
	.restore	= ckpt_file_restore,
};
