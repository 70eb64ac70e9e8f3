// SPDX-License-Identifier: GPL-2.0-only
/* Paths: what leads to a file, and still will when it is opened again. */
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/exportfs.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/nsproxy.h>
#include <linux/slab.h>

#include "../fs/mount.h"
#include "checkpoint.h"
#include "file.h"

/* So many places in which a filesystem is mounted are looked at for a name. */
#define CKPT_MOUNTS_MAX	64U

/* The path of a file as the caller sees it; ERR_PTR if he can't. */
static char *ckpt_path_name(const struct path *path, char *buf)
{
	char *name = d_path(path, buf, PAGE_SIZE);

	/* "(unreachable)/..." or no path at all */
	if (!IS_ERR(name) && name[0] != '/')
		return ERR_PTR(-ENOENT);
	return name;
}

/* A name that leads elsewhere, by now, would bring back another file. */
static int ckpt_path_leads_to(const char *name, const struct inode *inode)
{
	struct path path;
	int err;

	err = kern_path(name, 0, &path);
	if (err == -ERESTARTSYS)
		err = -EINTR;
	if (err)
		return err;
	if (d_backing_inode(path.dentry) != inode)
		err = -ENOENT;
	path_put(&path);
	return err;
}

/**
 * ckpt_path_find() - the name that leads to a place
 * @ctx: the checkpoint
 * @path: the place
 * @buf: a page
 *
 * Return: the name, in @buf; or an ERR_PTR: -EOPNOTSUPP if there is none,
 * -ENOMEM, -EINTR.
 */
char *ckpt_path_find(struct ckpt_ctx *ctx, const struct path *path, char *buf)
{
	char *name = ckpt_path_name(path, buf);
	int err;

	if (IS_ERR(name))
		return ERR_PTR(ckpt_refuse(&ctx->log, -EOPNOTSUPP,
					   "%pd: has no path here: not supported",
					   path->dentry));
	err = ckpt_path_leads_to(name, d_backing_inode(path->dentry));
	if (err && err != -ENOMEM && err != -EINTR)
		err = ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				  "%s: leads to another file by now: not supported",
				  name);
	return err ? ERR_PTR(err) : name;
}

/**
 * ckpt_path_reaches() - whether a place can still be had by its name
 * @path: the place
 *
 * Return: 0; -ENOENT if there is no name by which the caller gets there, or it
 * leads to another file by now; -ENOMEM; or what looking it up fails with.
 */
int ckpt_path_reaches(const struct path *path)
{
	char *buf __free(kfree) = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	char *name;

	if (!buf)
		return -ENOMEM;
	if (d_unlinked(path->dentry))
		return -ENOENT;
	name = ckpt_path_name(path, buf);
	if (IS_ERR(name))
		return PTR_ERR(name);
	return ckpt_path_leads_to(name, d_backing_inode(path->dentry));
}

static struct dentry *ckpt_dentry_alias(struct inode *inode)
{
	struct dentry *alias, *found = NULL;

	spin_lock(&inode->i_lock);
	hlist_for_each_entry(alias, &inode->i_dentry, d_u.d_alias) {
		if (d_unhashed(alias) || IS_ROOT(alias))
			continue;
		found = dget(alias);
		break;
	}
	spin_unlock(&inode->i_lock);
	return found;
}

/**
 * ckpt_path_alias() - another name of a file that was deleted under one
 * @path: as it was opened
 * @other: where the other goes; to be released
 *
 * Only what the kernel remembers can be found.
 *
 * Return: whether there is one.
 */
static bool ckpt_path_alias(const struct path *path, struct path *other)
{
	struct inode *inode = d_backing_inode(path->dentry);

	if (S_ISDIR(inode->i_mode) || !inode->i_nlink)
		return false;
	other->dentry = ckpt_dentry_alias(inode);
	if (!other->dentry)
		return false;
	other->mnt = mntget(path->mnt);
	return true;
}

/**
 * ckpt_inode_hold() - keep an inode that nothing but a watch keeps
 * @inode: the inode, which can't go away meanwhile
 *
 * With its filesystem, which would not wait for it otherwise.
 *
 * Return: true if it stays until ckpt_inode_release().
 */
bool ckpt_inode_hold(struct inode *inode)
{
	if (!atomic_inc_not_zero(&inode->i_sb->s_active))
		return false;
	if (igrab(inode))
		return true;
	deactivate_super(inode->i_sb);
	return false;
}

/**
 * ckpt_root_hold() - the same for the root of a filesystem
 * @sb: the filesystem, which may be about to be unmounted
 *
 * Return: the inode, or NULL.
 */
struct inode *ckpt_root_hold(struct super_block *sb)
{
	if (!atomic_inc_not_zero(&sb->s_active))
		return NULL;
	ihold(d_inode(sb->s_root));
	return d_inode(sb->s_root);
}

/**
 * ckpt_inode_release() - let go of an inode
 * @inode: one that ckpt_inode_hold() or ckpt_root_hold() has kept
 */
void ckpt_inode_release(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;

	iput(inode);
	deactivate_super(sb);
}

/* The one of that number among the mounts of a filesystem that the caller sees. */
static struct vfsmount *ckpt_mount_of(struct super_block *sb, u32 nr)
{
	struct vfsmount *found = NULL;
	struct mount *mnt;

	read_seqlock_excl(&mount_lock);
	list_for_each_entry(mnt, &sb->s_mounts, mnt_instance) {
		if (mnt->mnt_ns != current->nsproxy->mnt_ns || nr--)
			continue;
		found = mntget(&mnt->mnt);
		break;
	}
	read_sequnlock_excl(&mount_lock);
	return found;
}

/**
 * ckpt_path_of_deleted() - where an inode was which was deleted, and is in use
 * @inode: the inode, held with its filesystem
 * @path: where it goes; to be released
 *
 * Return: true if ckpt_path_is_deleted() is true of it, and the caller sees its
 * filesystem.
 */
bool ckpt_path_of_deleted(struct inode *inode, struct path *path)
{
	if (S_ISDIR(inode->i_mode) ? !IS_DEADDIR(inode) : inode->i_nlink)
		return false;
	path->dentry = d_find_any_alias(inode);
	if (!path->dentry)
		return false;
	for (u32 nr = 0; nr < CKPT_MOUNTS_MAX; nr++) {
		path->mnt = ckpt_mount_of(inode->i_sb, nr);
		if (!path->mnt)
			break;
		if (is_subdir(path->dentry, path->mnt->mnt_root) &&
		    ckpt_path_is_deleted(path))
			return true;
		mntput(path->mnt);
	}
	dput(path->dentry);
	return false;
}

/* Whether a name leads there by this mount; the name is in @buf. */
static char *ckpt_path_by_mount(struct vfsmount *mnt, struct dentry *dentry,
				char *buf)
{
	struct path path = { .mnt = mnt, .dentry = dentry };
	char *name;
	int err;

	if (!is_subdir(dentry, mnt->mnt_root))
		return ERR_PTR(-ENOENT);
	name = ckpt_path_name(&path, buf);
	if (IS_ERR(name))
		return name;
	err = ckpt_path_leads_to(name, d_backing_inode(dentry));
	return err ? ERR_PTR(err) : name;
}

#if IS_BUILTIN(CONFIG_EXPORTFS)
static int ckpt_dentry_acceptable(void *context, struct dentry *dentry)
{
	return 1;
}

/* By the handle of a directory its filesystem finds out where it is. */
static struct dentry *ckpt_dentry_by_handle(struct vfsmount *mnt,
					    struct inode *inode)
{
	struct fid *fid __free(kfree) = kzalloc(MAX_HANDLE_SZ,
						GFP_KERNEL_ACCOUNT);
	int len = MAX_HANDLE_SZ >> 2, type;

	if (!fid)
		return ERR_PTR(-ENOMEM);
	type = exportfs_encode_inode_fh(inode, fid, &len, NULL, 0);
	if (type < 0 || type == FILEID_INVALID)
		return NULL;
	return exportfs_decode_fh(mnt, fid, len, type, ckpt_dentry_acceptable,
				  NULL);
}
#else
static struct dentry *ckpt_dentry_by_handle(struct vfsmount *mnt,
					    struct inode *inode)
{
	return NULL;
}
#endif

/*
 * A directory of which no name is remembered, as nobody is in it nor has used it
 * for long. Returns NULL if there is no way to find it.
 */
static struct dentry *ckpt_dentry_find(struct inode *inode)
{
	struct dentry *dentry;
	struct vfsmount *mnt;

	if (!S_ISDIR(inode->i_mode) || !inode->i_nlink)
		return NULL;
	mnt = ckpt_mount_of(inode->i_sb, 0);
	if (!mnt)
		return NULL;
	dentry = ckpt_dentry_by_handle(mnt, inode);
	mntput(mnt);
	if (IS_ERR(dentry) && PTR_ERR(dentry) != -ENOMEM)
		return NULL;
	return dentry;
}

static struct dentry *ckpt_dentry_of_inode(struct inode *inode)
{
	struct dentry *root = inode->i_sb->s_root, *dentry;

	if (inode == d_inode(root))
		return dget(root);
	dentry = ckpt_dentry_alias(inode);
	return dentry ?: ckpt_dentry_find(inode);
}

static char *ckpt_path_by_mounts(struct dentry *dentry, char *buf)
{
	char *name = ERR_PTR(-ENOENT);
	struct vfsmount *mnt;

	for (u32 nr = 0; nr < CKPT_MOUNTS_MAX; nr++) {
		mnt = ckpt_mount_of(dentry->d_sb, nr);
		if (!mnt)
			break;
		name = ckpt_path_by_mount(mnt, dentry, buf);
		mntput(mnt);
		if (!IS_ERR(name) || PTR_ERR(name) == -ENOMEM ||
		    PTR_ERR(name) == -EINTR)
			break;
	}
	return name;
}

/**
 * ckpt_path_of_inode() - a name that leads to an inode
 * @ctx: the checkpoint
 * @inode: the inode, held with its filesystem
 * @buf: a page
 *
 * Of files only what the kernel remembers can be found.
 *
 * Return: the name, in @buf; or an ERR_PTR: -EOPNOTSUPP if there is none,
 * -ENOMEM, -EINTR.
 */
char *ckpt_path_of_inode(struct ckpt_ctx *ctx, struct inode *inode, char *buf)
{
	struct dentry *dentry = ckpt_dentry_of_inode(inode);
	char *name;

	if (IS_ERR(dentry))
		return ERR_CAST(dentry);
	if (!dentry)
		return ERR_PTR(ckpt_refuse(&ctx->log, -EOPNOTSUPP,
					   "inode %lu of %s is watched, %s: not supported",
					   inode->i_ino, inode->i_sb->s_type->name,
					   inode->i_nlink ? "and has no name that is known" :
							    "and was deleted"));
	name = ckpt_path_by_mounts(dentry, buf);
	if (IS_ERR(name) && PTR_ERR(name) != -ENOMEM && PTR_ERR(name) != -EINTR)
		name = ERR_PTR(ckpt_refuse(&ctx->log, -EOPNOTSUPP,
					   "%pd is watched, and no path leads there: not supported",
					   dentry));
	dput(dentry);
	return name;
}

/**
 * ckpt_path_write() - add a name as a part of the last object
 * @ctx: the checkpoint
 * @name: the name, absolute
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_path_write(struct ckpt_ctx *ctx, const char *name)
{
	size_t size = strlen(name) + 1;
	char *payload;

	payload = ckpt_part_add(ctx, CKPT_REC_PATH, size);
	if (IS_ERR(payload))
		return PTR_ERR(payload);
	memcpy(payload, name, size);
	return 0;
}

static int ckpt_path_save(struct ckpt_ctx *ctx, const struct path *path,
			  char *buf)
{
	char *name = ckpt_path_find(ctx, path, buf);

	return IS_ERR(name) ? PTR_ERR(name) : ckpt_path_write(ctx, name);
}

/**
 * ckpt_path_add() - add a path as a part of the last object
 * @ctx: the checkpoint
 * @path: the path
 *
 * Return: 0; -EOPNOTSUPP if there is no name that leads there; -ENOMEM; -EINTR.
 */
int ckpt_path_add(struct ckpt_ctx *ctx, const struct path *path)
{
	char *buf __free(kfree) = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	struct path other;
	int err;

	if (!buf)
		return -ENOMEM;
	if (!d_unlinked(path->dentry))
		return ckpt_path_save(ctx, path, buf);
	if (!ckpt_path_alias(path, &other))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "%pd: deleted%s: not supported",
				   path->dentry,
				   d_backing_inode(path->dentry)->i_nlink ?
				   ", and its other name is not known" : "");
	err = ckpt_path_save(ctx, &other, buf);
	path_put(&other);
	return err;
}

/**
 * ckpt_path_add_deleted() - the same for what was deleted: where it was
 * @ctx: the checkpoint
 * @path: the path
 *
 * If its directory was deleted as well, then it is the next one above.
 *
 * Return: as ckpt_path_add().
 */
int ckpt_path_add_deleted(struct ckpt_ctx *ctx, const struct path *path)
{
	char *buf __free(kfree) = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	struct path dir = { .mnt = path->mnt };
	struct dentry *child;
	char *name;

	if (!buf)
		return -ENOMEM;
	dir.dentry = dget_parent(path->dentry);
	while (d_unlinked(dir.dentry)) {
		child = dir.dentry;
		dir.dentry = dget_parent(child);
		dput(child);
	}
	name = ckpt_path_find(ctx, &dir, buf);
	dput(dir.dentry);
	return IS_ERR(name) ? PTR_ERR(name) : ckpt_path_write(ctx, name);
}
