// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of proc, sysfs and cgroup filesystems: they tell of the machine that they
 * are on, so that they are opened again by their paths, and read on from where
 * they were. What tells of one process is another kind.
 */
#include <linux/fs.h>
#include <linux/magic.h>

#include "checkpoint.h"
#include "file.h"
#include "restart.h"

static bool ckpt_file_pseudo_match(const void *obj)
{
	const struct inode *inode = file_inode(obj);

	if (!S_ISREG(inode->i_mode) && !S_ISDIR(inode->i_mode))
		return false;
	switch (inode->i_sb->s_magic) {
	case PROC_SUPER_MAGIC:
	case SYSFS_MAGIC:
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
		return true;
	}
	return false;
}

static int ckpt_file_pseudo_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	return ckpt_file_save(ctx, obj, CKPT_REC_FILE_PSEUDO);
}

static int ckpt_file_pseudo_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file *rec = rstr_payload(obj->rec);

	return ckpt_file_check(ctx, obj, S_ISDIR(le32_to_cpu(rec->stat.mode)) ?
					 S_IFDIR : S_IFREG);
}

const struct ckpt_kind ckpt_file_pseudo_kind = {
	.type		= CKPT_REC_FILE_PSEUDO,
	.family		= CKPT_FILE,
	.name		= "file of a pseudo filesystem",
	.size		= sizeof(struct ckpt_rec_file),
	.parts		= ckpt_file_parts,
	.match		= ckpt_file_pseudo_match,
	.users		= ckpt_file_lock_users,
	.checkpoint	= ckpt_file_pseudo_checkpoint,
	.check		= ckpt_file_pseudo_check,
	.restore	= ckpt_file_restore,
};
