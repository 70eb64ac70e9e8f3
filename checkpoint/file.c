// SPDX-License-Identifier: GPL-2.0-only
/* Open file descriptions: what all kinds of them have in common. */
#include <linux/anon_inodes.h>
#include <linux/cred.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <net/sock.h>

#include "checkpoint.h"
#include "file.h"
#include "limits.h"
#include "restart.h"
#include "sock.h"

/* What f_flags may have besides CKPT_O_KNOWN, and what becomes of it elsewhere. */
#define CKPT_O_IGNORED	(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC | \
			 FASYNC | __O_TMPFILE | __FMODE_EXEC)

/* Checkpoint. */

/**
 * ckpt_file_supported() - look for what any open description may have
 * @ctx: the checkpoint
 * @file: the file
 *
 * Return: 0 or -EOPNOTSUPP.
 */
int ckpt_file_supported(struct ckpt_ctx *ctx, struct file *file)
{
	if (file->f_flags & ~(CKPT_O_KNOWN | CKPT_O_IGNORED))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "%pD: flags %#o: not supported", file,
				   file->f_flags &
				   ~(CKPT_O_KNOWN | CKPT_O_IGNORED));
	return 0;
}

/**
 * ckpt_file_users() - how many references a description has
 * @obj: the file
 *
 * For kinds whose state is that of the description or of what is behind it: a
 * process outside the tree that has it too would go on with another one.
 *
 * Return: the number, the caller's included.
 */
int ckpt_file_users(void *obj)
{
	return file_count((struct file *)obj);
}

/**
 * ckpt_file_add() - start the object of a description
 * @ctx: the checkpoint
 * @file: the file
 * @type: CKPT_REC_FILE_*
 * @size: of its payload
 *
 * Return: the payload, which begins as struct ckpt_rec_file_flags, with @flags
 * set; or an ERR_PTR.
 */
void *ckpt_file_add(struct ckpt_ctx *ctx, struct file *file, u32 type,
		    size_t size)
{
	struct ckpt_rec_file_flags *rec;
	int err;

	err = ckpt_file_supported(ctx, file);
	if (!err && ckpt_file_has_locks(file))
		err = ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				  "%pD: locked: not supported", file);
	if (err)
		return ERR_PTR(err);
	rec = ckpt_object_add(ctx, type, file, size);
	if (!IS_ERR(rec))
		rec->flags = cpu_to_le32(file->f_flags & CKPT_O_KNOWN);
	return rec;
}

/**
 * ckpt_file_add_stat() - start the object of a description that has a path
 * @ctx: the checkpoint
 * @file: the file
 * @type: CKPT_REC_FILE_*
 * @size: of its payload
 *
 * Return: the payload, which begins as struct ckpt_rec_file, with that filled in;
 * or an ERR_PTR.
 */
void *ckpt_file_add_stat(struct ckpt_ctx *ctx, struct file *file, u32 type,
			 size_t size)
{
	struct ckpt_rec_stat stat = {};
	u32 what = 0, flags = file->f_flags;
	struct ckpt_rec_file *rec;
	int err;

	err = ckpt_file_supported(ctx, file);
	if (err)
		return ERR_PTR(err);
	err = ckpt_file_stat(file, &stat);
	if (err)
		return ERR_PTR(ckpt_refuse(&ctx->log, err, "%pD: stat: %pe",
					   file, ERR_PTR(err)));
	rec = ckpt_object_add(ctx, type, file, size);
	if (IS_ERR(rec))
		return rec;
	/* What O_TMPFILE made, and has got a name since. */
	if (!S_ISDIR(le32_to_cpu(stat.mode)))
		flags &= ~O_DIRECTORY;
	if (flags & __FMODE_EXEC)
		what |= CKPT_FILE_EXEC;
	if (file_inode(file) == file_inode(ctx->file) ||
	    (ctx->log.file && file_inode(file) == file_inode(ctx->log.file)))
		what |= CKPT_FILE_IMAGE;
	if (mapping_writably_mapped(file->f_mapping))
		what |= CKPT_FILE_MAPPED;
	rec->flags = cpu_to_le32(flags & CKPT_O_KNOWN);
	rec->what = cpu_to_le32(what);
	rec->pos = cpu_to_le64(file->f_pos);
	rec->stat = stat;
	return rec;
}

/**
 * ckpt_file_save() - write a description that restart opens by its path
 * @ctx: the checkpoint
 * @file: the file
 * @type: CKPT_REC_FILE_*
 *
 * Return: 0 or a negative errno.
 */
int ckpt_file_save(struct ckpt_ctx *ctx, struct file *file, u32 type)
{
	struct ckpt_rec_file *rec;
	int err;

	rec = ckpt_file_add_stat(ctx, file, type, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	err = ckpt_path_add(ctx, file_user_path(file));
	return err ?: ckpt_file_locks_save(ctx, file);
}

/**
 * ckpt_file_has_home() - whether a file is of a filesystem that keeps it
 * @file: the file
 *
 * Pseudo filesystems make files up as they are opened; each such file is a
 * matter of its own.
 *
 * Return: true if it can be had again by its path.
 */
bool ckpt_file_has_home(struct file *file)
{
	const struct super_block *sb = file_user_inode(file)->i_sb;

	if (sb->s_flags & SB_NOUSER)
		return false;
	if (sb->s_type->fs_flags & FS_REQUIRES_DEV)
		return true;
	switch (sb->s_magic) {
	case TMPFS_MAGIC:
	case RAMFS_MAGIC:
	case OVERLAYFS_SUPER_MAGIC:
	case V9FS_MAGIC:
	case FUSE_SUPER_MAGIC:
	case NFS_SUPER_MAGIC:
		return true;
	}
	return false;
}

/**
 * ckpt_file_describe() - say what a file of no known kind is
 * @obj: the file
 * @buf: where
 * @len: its size
 */
void ckpt_file_describe(const void *obj, char *buf, size_t len)
{
	const struct file *file = obj;
	const struct inode *inode = file_inode(file);
	umode_t mode = inode->i_mode;

	if (S_ISSOCK(mode) && inode->i_sb->s_magic == SOCKFS_MAGIC)
		ckpt_sock_describe(SOCKET_I((struct inode *)inode)->sk, buf, len);
	else if (S_ISFIFO(mode) && inode->i_sb->s_magic == PIPEFS_MAGIC)
		snprintf(buf, len, "pipe:[%lu]", inode->i_ino);
	else if (S_ISFIFO(mode))
		snprintf(buf, len, "fifo %pD", file);
	else if (S_ISCHR(mode) || S_ISBLK(mode))
		snprintf(buf, len, "%s device %u:%u (%pD)",
			 S_ISCHR(mode) ? "character" : "block", imajor(inode),
			 iminor(inode), file);
	else
		/* [eventfd], [io_uring] and so on */
		snprintf(buf, len, "%pD of %s", file,
			 inode->i_sb->s_type->name);
}

/**
 * ckpt_file_remarks() - write what any description may have besides
 * @ctx: the checkpoint, all whose tasks and objects have been saved
 * @obj: the file
 * @ref: its reference
 *
 * Return: 0 or a negative errno.
 */
int ckpt_file_remarks(struct ckpt_ctx *ctx, void *obj, u32 ref)
{
	int err = ckpt_file_is_external(ctx, obj);

	/* It goes on outside, as it is. */
	if (err)
		return min(err, 0);
	err = ckpt_file_owner_save(ctx, obj, ref);
	return err ?: ckpt_file_lease_save(ctx, obj, ref);
}

/* Restart. */

/**
 * ckpt_file_check() - check the record of a description with a path
 * @ctx: the restart
 * @obj: the description
 * @type: what its inode is to be, S_IFREG and so on
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_file_check(struct rstr_ctx *ctx, struct rstr_obj *obj, umode_t type)
{
	const struct ckpt_rec_file *rec = rstr_payload(obj->rec);
	u32 flags = le32_to_cpu(rec->flags);

	if (flags & ~CKPT_O_KNOWN || (flags & O_ACCMODE) == O_ACCMODE)
		return rstr_bad(ctx, obj->rec, "flags %#o", flags);
	if (le32_to_cpu(rec->what) & ~CKPT_FILE_WHAT_KNOWN ||
	    rec->stat.reserved)
		return rstr_bad(ctx, obj->rec, "what %#x",
				le32_to_cpu(rec->what));
	if ((le32_to_cpu(rec->stat.mode) & S_IFMT) != type)
		return rstr_bad(ctx, obj->rec, "mode %#o",
				le32_to_cpu(rec->stat.mode));
	return rstr_path_check(ctx, rstr_part_first(obj, CKPT_REC_PATH));
}

/**
 * ckpt_file_open() - open what is by now where a description was opened
 * @obj: the description, whose payload begins as struct ckpt_rec_file
 * @name: the path
 *
 * Look before opening: to open something that the path by now leads to (a
 * device, a fifo) may have effects of its own. What was looked at is opened.
 *
 * Return: the file, or an ERR_PTR: -ESTALE if it is of another type.
 */
struct file *ckpt_file_open(struct rstr_obj *obj, const char *name)
{
	const struct ckpt_rec_file *rec = rstr_payload(obj->rec);
	umode_t type = le32_to_cpu(rec->stat.mode) & S_IFMT;
	struct inode *inode;
	struct file *file;
	struct path path;
	int err;

	err = kern_path(name, LOOKUP_FOLLOW, &path);
	if (err)
		return ERR_PTR(err);
	inode = d_backing_inode(path.dentry);
	if ((inode->i_mode & S_IFMT) != type ||
	    ((S_ISCHR(type) || S_ISBLK(type)) &&
	     inode->i_rdev != MKDEV(le32_to_cpu(rec->stat.rdev_major),
				    le32_to_cpu(rec->stat.rdev_minor))))
		file = ERR_PTR(-ESTALE);
	else
		file = file_open_root(&path, "", le32_to_cpu(rec->flags) |
						 O_NOCTTY, 0);
	path_put(&path);
	return file;
}

/**
 * ckpt_file_open_at() - open a file again, and lock it as it was
 * @ctx: the restart
 * @obj: the description
 *
 * Return: 0 or a negative errno.
 */
int ckpt_file_open_at(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const char *name = rstr_path(rstr_part_first(obj, CKPT_REC_PATH));
	struct file *file = ckpt_file_open(obj, name);

	if (IS_ERR(file))
		return ckpt_refuse(&ctx->log, PTR_ERR(file), "file %s: %pe",
				   name, file);
	obj->ptr = file;
	return ckpt_file_locks_restore(ctx, obj);
}

/**
 * ckpt_file_restore() - open a file again, and go to where it was
 * @ctx: the restart
 * @obj: the description
 *
 * Return: 0 or a negative errno.
 */
int ckpt_file_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file *rec = rstr_payload(obj->rec);
	loff_t pos = le64_to_cpu(rec->pos);
	int err;

	err = ckpt_file_open_at(ctx, obj);
	if (err || !pos || vfs_llseek(obj->ptr, pos, SEEK_SET) == pos)
		return err;
	return ckpt_refuse(&ctx->log, -ESTALE, "file %s: can't seek to %lld",
			   rstr_path(rstr_part_first(obj, CKPT_REC_PATH)), pos);
}

/**
 * ckpt_file_set_flags() - give a description those flags that it had
 * @file: the file, which nobody else knows so far
 * @flags: checked; the access mode is what it was opened for
 */
void ckpt_file_set_flags(struct file *file, u32 flags)
{
	spin_lock(&file->f_lock);
	file->f_flags &= ~CKPT_O_KNOWN;
	file->f_flags |= flags;
	file->f_iocb_flags = iocb_flags(file);
	spin_unlock(&file->f_lock);
}

/**
 * ckpt_file_anon_check() - check flags of a description of an anonymous inode
 * @ctx: the restart
 * @obj: the description
 * @what: bits of its @what that there may be
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_file_anon_check(struct rstr_ctx *ctx, struct rstr_obj *obj, u32 what)
{
	const struct ckpt_rec_file_flags *rec = rstr_payload(obj->rec);
	u32 flags = le32_to_cpu(rec->flags);

	if (flags & ~(O_ACCMODE | O_NONBLOCK | O_APPEND | O_NOATIME) ||
	    (flags & O_ACCMODE) != O_RDWR)
		return rstr_bad(ctx, obj->rec, "flags %#o", flags);
	if (le32_to_cpu(rec->what) & ~what)
		return rstr_bad(ctx, obj->rec, "what %#x",
				le32_to_cpu(rec->what));
	return 0;
}

/**
 * ckpt_file_anon_restore() - make a description of an anonymous inode
 * @obj: the description, checked
 * @name: as in /proc/PID/fd
 * @fops: of its kind
 * @private: its state, which belongs to the description if this succeeds
 *
 * Return: 0 or a negative errno.
 */
int ckpt_file_anon_restore(struct rstr_obj *obj, const char *name,
			   const struct file_operations *fops, void *private)
{
	const struct ckpt_rec_file_flags *rec = rstr_payload(obj->rec);
	struct file *file;

	file = anon_inode_getfile(name, fops, private, O_RDWR);
	if (IS_ERR(file))
		return PTR_ERR(file);
	file->f_mode |= FMODE_NOWAIT;
	ckpt_file_set_flags(file, le32_to_cpu(rec->flags));
	obj->ptr = file;
	return 0;
}

/**
 * ckpt_file_owner() - give an inode that has no place its owner and permissions
 * @ctx: the restart
 * @file: a description of it
 * @uid: owner, as the caller sees it
 * @gid: likewise
 * @mode: permissions
 *
 * As fchown(2) and fchmod(2), so that it takes the same rights.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_file_owner(struct rstr_ctx *ctx, struct file *file, uid_t uid,
		    gid_t gid, umode_t mode)
{
	const struct inode *inode = file_inode(file);
	int err = 0;

	if (uid != from_kuid_munged(current_user_ns(), inode->i_uid) ||
	    gid != from_kgid_munged(current_user_ns(), inode->i_gid))
		err = vfs_fchown(file, uid, gid);
	if (!err && mode != (inode->i_mode & S_IALLUGO))
		err = vfs_fchmod(file, mode);
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "owner %u:%u and mode %#o can't be had: %pe",
				   uid, gid, mode, ERR_PTR(err));
	return 0;
}

/**
 * ckpt_files_close() - undo what was opened of a list of descriptions
 * @list: descriptions, linked by @private
 */
void ckpt_files_close(struct rstr_obj *list)
{
	for (; list; list = list->private) {
		if (list->ptr)
			fput(list->ptr);
		list->ptr = NULL;
	}
}

/**
 * ckpt_file_may_exec() - as prctl(2) PR_SET_MM_EXE_FILE would see it
 * @file: the file
 *
 * Return: 0 or -EACCES.
 */
int ckpt_file_may_exec(struct file *file)
{
	if (!S_ISREG(file_inode(file)->i_mode) || path_noexec(&file->f_path))
		return -EACCES;
	return file_permission(file, MAY_EXEC);
}

/* What leads to a file, or did; also to one that was deleted. */
const struct ckpt_part ckpt_file_path_part = {
	.type		= CKPT_REC_PATH,
	.name		= "path",
	.size		= 2,
	.open_ended	= true,
	.min		= 1,
	.max		= 1,
};

const struct ckpt_part *const ckpt_file_path_parts[] = {
	&ckpt_file_path_part,
	NULL
};

const struct ckpt_part *const ckpt_file_parts[] = {
	&ckpt_file_path_part,
	&ckpt_file_lock_part,
	NULL
};
