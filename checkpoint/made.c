// SPDX-License-Identifier: GPL-2.0-only
/* What a restart makes in the file system, for a restart that fails to remove. */
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mount.h>
#include <linux/path.h>
#include <linux/slab.h>

#include "restart.h"

/**
 * struct rstr_made - something that was not there before
 * @node: in ctx->made
 * @path: where it is; held
 */
struct rstr_made {
	struct list_head	node;
	struct path		path;
};

/* Unless somebody has moved it, or was faster. */
static void rstr_made_remove(const struct path *path)
{
	struct dentry *dentry = path->dentry;
	struct dentry *parent;
	struct inode *dir;

	if (mnt_want_write(path->mnt))
		return;
	parent = dget_parent(dentry);
	dir = d_inode(parent);
	inode_lock_nested(dir, I_MUTEX_PARENT);
	if (dentry->d_parent == parent && !d_unhashed(dentry))
		vfs_unlink(mnt_idmap(path->mnt), dir, dentry, NULL);
	inode_unlock(dir);
	dput(parent);
	mnt_drop_write(path->mnt);
}

/**
 * rstr_made_add() - take note of something that was made
 * @ctx: the restart
 * @path: where it is; on failure it is gone again
 *
 * Return: 0 or -ENOMEM.
 */
int rstr_made_add(struct rstr_ctx *ctx, const struct path *path)
{
	struct rstr_made *made = kmalloc(sizeof(*made), GFP_KERNEL_ACCOUNT);

	if (!made) {
		rstr_made_remove(path);
		return -ENOMEM;
	}
	made->path = *path;
	path_get(&made->path);
	list_add(&made->node, &ctx->made);
	return 0;
}

/**
 * rstr_made_end() - forget what was made
 * @ctx: the restart
 * @keep: it is to stay; otherwise it is removed, the last first
 */
void rstr_made_end(struct rstr_ctx *ctx, bool keep)
{
	struct rstr_made *made, *next;

	list_for_each_entry_safe(made, next, &ctx->made, node) {
		list_del(&made->node);
		if (!keep)
			rstr_made_remove(&made->path);
		path_put(&made->path);
		kfree(made);
	}
}
