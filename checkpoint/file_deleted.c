// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was deleted while it was in use, whatever its type, and files that never had
 * a name. The image holds what is in them. They are made anew where they were, and
 * have no name for longer than it takes to open them; all descriptions of one are
 * opened together, but for the ends of a fifo, which are for file_pipe.c to open.
 */
#include <linux/cred.h>
#include <linux/filelock.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/random.h>
#include <linux/security.h>
#include <linux/stat.h>

#include "checkpoint.h"
#include "file.h"
#include "pages.h"
#include "restart.h"

/* All that a description with O_PATH keeps of open(2)'s flags. */
#define CKPT_DELETED_PATH	(O_PATH | O_DIRECTORY | O_NOFOLLOW)
#define CKPT_DELETED_FLAGS	(CKPT_O_KNOWN | __O_TMPFILE)

/* What was deleted. */

/**
 * ckpt_path_is_deleted() - whether a file has no name any more
 * @path: as it was opened
 *
 * Return: true if it is a directory or file that nothing leads to.
 */
bool ckpt_path_is_deleted(const struct path *path)
{
	const struct inode *inode = d_backing_inode(path->dentry);

	if (!d_unlinked(path->dentry) || (inode->i_sb->s_flags & SB_NOUSER))
		return false;
	switch (inode->i_mode & S_IFMT) {
	case S_IFDIR:
		return true;
	case S_IFREG:
	case S_IFIFO:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFLNK:
		return !inode->i_nlink;
	}
	return false;
}

/* On overlayfs a regular file that is open is open twice. */
static int ckpt_deleted_use(struct ckpt_ctx *ctx, const struct file *file,
			    u32 *ref)
{
	struct inode *inode = d_inode(file_user_path(file)->dentry);
	int err;

	err = ckpt_save(ctx, CKPT_DELETED, inode, ref);
	if (!err && S_ISREG(inode->i_mode) &&
	    inode->i_sb->s_magic == OVERLAYFS_SUPER_MAGIC)
		err = ckpt_save(ctx, CKPT_DELETED, inode, ref);
	return err;
}

/* The description that led here, by which the tree may read it; or the caller. */
static bool ckpt_deleted_may_read(const struct file *via)
{
	const struct path *path = file_user_path(via);
	struct inode *inode = d_inode(path->dentry);
	struct mnt_idmap *idmap = mnt_idmap(path->mnt);

	return (via->f_mode & FMODE_READ) ||
	       inode_owner_or_capable(idmap, inode) ||
	       !inode_permission(idmap, inode, MAY_READ);
}

/*
 * One of its own, by which nobody sees it being read. To open it would break a
 * lease, and a server by the name of a file may not find it any more: then it is
 * the one that led here.
 */
static struct file *ckpt_deleted_reader(struct file *via)
{
	struct file *file = ERR_PTR(-EBUSY);

	if (!ckpt_deleted_may_read(via))
		return ERR_PTR(-EACCES);
	if (!ckpt_file_has_lease(via))
		file = dentry_open(file_user_path(via),
				   O_RDONLY | O_LARGEFILE | O_NOATIME |
				   __FMODE_NONOTIFY, current_cred());
	if (IS_ERR(file) && file != ERR_PTR(-ENOMEM) &&
	    (via->f_mode & FMODE_READ) && !(via->f_flags & O_DIRECT))
		file = get_file(via);
	return file;
}

/* The reader is a user, too. */
static int ckpt_deleted_keep(struct ckpt_ctx *ctx, struct file *via,
			     struct file *reader)
{
	u32 ref;

	if (reader == via)
		return ckpt_save(ctx, CKPT_FILE, via, &ref);
	return ckpt_deleted_use(ctx, reader, &ref);
}

static int ckpt_deleted_contents(struct ckpt_ctx *ctx, struct file *via)
{
	bool live = !(ctx->flags & (CHECKPOINT_KILL | CHECKPOINT_STOP));
	struct file *reader = ckpt_deleted_reader(via);
	int err;

	if (reader == ERR_PTR(-ENOMEM))
		return -ENOMEM;
	if (IS_ERR(reader))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "%pD: deleted, and can't be read: %pe: not supported",
				   via, reader);
	err = ckpt_contents_add(ctx, reader, live);
	if (!err)
		err = ckpt_deleted_keep(ctx, via, reader);
	__fput_sync(reader);
	return err;
}

static void ckpt_deleted_save(const struct path *path,
			      struct ckpt_rec_deleted *rec)
{
	struct inode *inode = d_inode(path->dentry);
	struct user_namespace *ns = current_user_ns();

	if (S_ISREG(inode->i_mode))
		rec->size = cpu_to_le64(i_size_read(inode));
	rec->atime_sec = cpu_to_le64(inode_get_atime_sec(inode));
	rec->atime_nsec = cpu_to_le32(inode_get_atime_nsec(inode));
	rec->mtime_sec = cpu_to_le64(inode_get_mtime_sec(inode));
	rec->mtime_nsec = cpu_to_le32(inode_get_mtime_nsec(inode));
	rec->mode = cpu_to_le32(inode->i_mode);
	rec->uid = cpu_to_le32(from_kuid_munged(ns, inode->i_uid));
	rec->gid = cpu_to_le32(from_kgid_munged(ns, inode->i_gid));
	if (READ_ONCE(inode->i_state) & I_LINKABLE)
		rec->what = cpu_to_le32(CKPT_DELETED_LINKABLE);
}

static int ckpt_deleted_node_write(struct ckpt_ctx *ctx,
				   const struct inode *inode, const char *target)
{
	size_t len = target ? strlen(target) + 1 : 0;
	struct ckpt_rec_deleted_node *rec;

	rec = ckpt_part_add(ctx, CKPT_REC_DELETED_NODE, sizeof(*rec) + len);
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	if (target) {
		memcpy(rec->target, target, len);
		return 0;
	}
	rec->major = cpu_to_le32(imajor(inode));
	rec->minor = cpu_to_le32(iminor(inode));
	return 0;
}

static int ckpt_deleted_link_write(struct ckpt_ctx *ctx, struct dentry *dentry)
{
	DEFINE_DELAYED_CALL(done);
	const char *target;
	int err;

	target = vfs_get_link(dentry, &done);
	if (IS_ERR(target))
		return ckpt_refuse(&ctx->log, PTR_ERR(target),
				   "%pd: deleted, and can't be read: %pe",
				   dentry, target);
	err = ckpt_deleted_node_write(ctx, d_inode(dentry), target);
	do_delayed_call(&done);
	return err;
}

static int ckpt_deleted_what(struct ckpt_ctx *ctx, struct file *via)
{
	struct dentry *dentry = file_user_path(via)->dentry;

	switch (d_inode(dentry)->i_mode & S_IFMT) {
	case S_IFREG:
		return ckpt_deleted_contents(ctx, via);
	case S_IFCHR:
	case S_IFBLK:
		return ckpt_deleted_node_write(ctx, d_inode(dentry), NULL);
	case S_IFLNK:
		return ckpt_deleted_link_write(ctx, dentry);
	}
	return 0;
}

static int ckpt_deleted_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct file *via = ctx->via;
	const struct path *path = file_user_path(via);
	struct ckpt_rec_deleted *rec;
	struct inode *inode = obj;
	struct name_snapshot name;
	int err;

	take_dentry_name_snapshot(&name, path->dentry);
	rec = ckpt_object_add(ctx, CKPT_REC_DELETED, inode,
			      sizeof(*rec) + name.name.len + 1);
	if (!IS_ERR(rec)) {
		ckpt_deleted_save(path, rec);
		memcpy(rec->name, name.name.name, name.name.len);
	}
	release_dentry_name_snapshot(&name);
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	err = ckpt_path_add_deleted(ctx, path);
	return err ?: ckpt_deleted_what(ctx, via);
}

static int ckpt_deleted_supported(struct ckpt_ctx *ctx, struct file *via)
{
	if (ckpt_file_has_home(via))
		return 0;
	return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
			   "%pD: deleted, of %s: not supported", via,
			   file_user_inode(via)->i_sb->s_type->name);
}

/**
 * ckpt_deleted_by() - save what was deleted, as a description of it has it
 * @ctx: the checkpoint
 * @via: the description
 * @ref: where its reference goes
 *
 * Return: as ckpt_save().
 */
int ckpt_deleted_by(struct ckpt_ctx *ctx, struct file *via, u32 *ref)
{
	int err = ckpt_deleted_supported(ctx, via);

	if (err)
		return err;
	ctx->via = via;
	err = ckpt_deleted_use(ctx, via, ref);
	ctx->via = NULL;
	return err;
}

/**
 * ckpt_deleted_directory() - save a directory that was deleted
 * @ctx: the checkpoint
 * @path: the directory, to which a reference is held
 * @ref: where its reference goes
 *
 * Return: as ckpt_save().
 */
int ckpt_deleted_directory(struct ckpt_ctx *ctx, const struct path *path,
			   u32 *ref)
{
	struct file *via = dentry_open(path, O_PATH | O_DIRECTORY,
				       current_cred());
	int err;

	if (IS_ERR(via))
		return PTR_ERR(via);
	err = ckpt_deleted_by(ctx, via, ref);
	fput(via);
	return err;
}

/**
 * ckpt_deleted_refer() - refer to what was deleted, which somebody else has open
 * @ctx: the checkpoint
 * @path: where it was, to which a reference is held
 * @ref: where its reference goes
 *
 * Return: as ckpt_refer().
 */
int ckpt_deleted_refer(struct ckpt_ctx *ctx, const struct path *path, u32 *ref)
{
	struct file *via = dentry_open(path, O_PATH, current_cred());
	int err;

	if (IS_ERR(via))
		return PTR_ERR(via);
	err = ckpt_deleted_supported(ctx, via);
	if (!err) {
		ctx->via = via;
		err = ckpt_refer(ctx, CKPT_DELETED, d_inode(path->dentry), ref);
		ctx->via = NULL;
	}
	/* At once, as it would be counted among those who have it. */
	__fput_sync(via);
	return err;
}

/* Each description is one; a directory holds nothing that could be shared. */
static int ckpt_deleted_users(void *obj)
{
	struct inode *inode = obj;
	struct dentry *dentry;
	int nr = 1;

	if (S_ISDIR(inode->i_mode))
		return 0;
	spin_lock(&inode->i_lock);
	hlist_for_each_entry(dentry, &inode->i_dentry, d_u.d_alias)
		nr += d_count(dentry);
	spin_unlock(&inode->i_lock);
	return nr;
}

static const struct ckpt_rec_deleted_node *ckpt_deleted_node(struct rstr_obj *obj)
{
	const struct ckpt_record *part;

	part = rstr_part_first(obj, CKPT_REC_DELETED_NODE);
	return part ? rstr_payload(part) : NULL;
}

/* A device has a number, and a symbolic link a target; nothing else has either. */
static int ckpt_deleted_check_node(struct rstr_ctx *ctx, struct rstr_obj *obj,
				   umode_t mode)
{
	const struct ckpt_record *part;
	const struct ckpt_rec_deleted_node *node;
	size_t len;

	part = rstr_part_first(obj, CKPT_REC_DELETED_NODE);
	switch (mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFIFO:
		return part ? rstr_bad(ctx, part, "of mode %#o", mode) : 0;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFLNK:
		break;
	default:
		return rstr_bad(ctx, obj->rec, "mode %#o", mode);
	}
	if (!part)
		return rstr_bad(ctx, obj->rec, "mode %#o, and nothing more",
				mode);
	node = rstr_payload(part);
	len = rstr_size(part) - sizeof(*node);
	if (le32_to_cpu(node->major) >> (32 - MINORBITS) ||
	    le32_to_cpu(node->minor) > MINORMASK ||
	    (S_ISLNK(mode) && (node->major || node->minor)))
		return rstr_bad(ctx, part, "device %u:%u",
				le32_to_cpu(node->major),
				le32_to_cpu(node->minor));
	if (S_ISLNK(mode) ? len < 2 || len > PATH_MAX ||
	    strnlen((const char *)node->target, len) != len - 1 : len)
		return rstr_bad(ctx, part, "target");
	return 0;
}

static int ckpt_deleted_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_deleted *rec = rstr_payload(obj->rec);
	size_t len = rstr_size(obj->rec) - sizeof(*rec);
	u32 mode = le32_to_cpu(rec->mode);

	if (mode & ~(S_IFMT | S_IALLUGO) ||
	    le32_to_cpu(rec->what) & ~CKPT_DELETED_LINKABLE)
		return rstr_bad(ctx, obj->rec, "mode %#o, what %#x", mode,
				le32_to_cpu(rec->what));
	if (le64_to_cpu(rec->size) > (S_ISREG(mode) ? MAX_LFS_FILESIZE : 0))
		return rstr_bad(ctx, obj->rec, "size %llu",
				le64_to_cpu(rec->size));
	if (le32_to_cpu(rec->atime_nsec) >= NSEC_PER_SEC ||
	    le32_to_cpu(rec->mtime_nsec) >= NSEC_PER_SEC)
		return rstr_bad(ctx, obj->rec, "nanoseconds %u, %u",
				le32_to_cpu(rec->atime_nsec),
				le32_to_cpu(rec->mtime_nsec));
	if (len < 2 || len > NAME_MAX + 1 ||
	    strnlen((const char *)rec->name, len) != len - 1)
		return rstr_bad(ctx, obj->rec, "name");
	return ckpt_deleted_check_node(ctx, obj, mode) ?:
	       rstr_path_check(ctx, rstr_part_first(obj, CKPT_REC_PATH));
}

/**
 * struct ckpt_deleted_work - what is being made
 * @path: leads to it
 * @dir: and to the directory in which it has a name for now; else there is none
 * @file: a description of it
 */
struct ckpt_deleted_work {
	struct path	path;
	struct path	dir;
	struct file	*file;
};

static int ckpt_deleted_create_in(struct path *dir, struct dentry *dentry,
				  umode_t mode,
				  const struct ckpt_rec_deleted_node *node)
{
	umode_t type = mode & S_IFMT, own = type | 0600;
	struct mnt_idmap *idmap = mnt_idmap(dir->mnt);
	struct inode *inode = d_inode(dir->dentry);
	unsigned int dev = 0;
	int err;

	if (type == S_IFDIR) {
		err = security_path_mkdir(dir, dentry, 0700);
		return err ?: vfs_mkdir(idmap, inode, dentry, 0700);
	}
	if (type == S_IFLNK) {
		err = security_path_symlink(dir, dentry, node->target);
		return err ?: vfs_symlink(idmap, inode, dentry, node->target);
	}
	if (node)
		dev = MKDEV(le32_to_cpu(node->major), le32_to_cpu(node->minor));
	err = security_path_mknod(dir, dentry, own, new_encode_dev(dev));
	if (err)
		return err;
	if (type == S_IFREG)
		return vfs_create(idmap, inode, dentry, 0600, true);
	return vfs_mknod(idmap, inode, dentry, own, dev);
}

static int ckpt_deleted_create_as(char *name, umode_t mode,
				  const struct ckpt_rec_deleted_node *node,
				  struct ckpt_deleted_work *work)
{
	unsigned int lookup = S_ISDIR(mode) ? LOOKUP_DIRECTORY : 0;
	struct dentry *dentry;
	struct path dir;
	int err;

	if (!name)
		return -ENOMEM;
	dentry = kern_path_create(AT_FDCWD, name, &dir, lookup);
	kfree(name);
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	err = ckpt_deleted_create_in(&dir, dentry, mode, node);
	if (!err) {
		work->path.mnt = mntget(dir.mnt);
		work->path.dentry = dget(dentry);
		work->dir = dir;
		path_get(&work->dir);
	}
	done_path_create(&dir, dentry);
	return err;
}

/* Only what is whole as soon as it is there may be seen by the name that it had. */
static bool ckpt_deleted_may_have_name(const struct ckpt_rec_deleted *rec)
{
	const char *name = (const char *)rec->name;

	return !S_ISREG(le32_to_cpu(rec->mode)) && !strchr(name, '/') &&
	       strcmp(name, ".") && strcmp(name, "..");
}

/*
 * By the name that it had, which /proc shows, if nobody has that now; or else by one
 * that nobody has. It goes again once all is open.
 */
static int ckpt_deleted_create(struct rstr_obj *obj, const char *where,
			       struct ckpt_deleted_work *work)
{
	const struct ckpt_rec_deleted_node *node = ckpt_deleted_node(obj);
	const struct ckpt_rec_deleted *rec = rstr_payload(obj->rec);
	umode_t mode = le32_to_cpu(rec->mode);
	int err = -EEXIST;

	if (ckpt_deleted_may_have_name(rec))
		err = ckpt_deleted_create_as(kasprintf(GFP_KERNEL_ACCOUNT, "%s/%s",
						       where, rec->name),
					     mode, node, work);
	if (err != -EEXIST && err != -ENAMETOOLONG)
		return err;
	return ckpt_deleted_create_as(kasprintf(GFP_KERNEL_ACCOUNT,
						"%s/.restart-%016llx", where,
						get_random_u64()),
				      mode, node, work);
}

static void ckpt_deleted_remove(struct ckpt_deleted_work *work)
{
	struct mnt_idmap *idmap = mnt_idmap(work->dir.mnt);
	struct inode *dir = d_inode(work->dir.dentry);
	struct dentry *dentry = work->path.dentry;

	if (mnt_want_write(work->dir.mnt))
		return;
	inode_lock_nested(dir, I_MUTEX_PARENT);
	/* Unless somebody else has moved or removed it. */
	if (dentry->d_parent == work->dir.dentry && !d_unhashed(dentry)) {
		if (d_is_dir(dentry))
			vfs_rmdir(idmap, dir, dentry);
		else
			vfs_unlink(idmap, dir, dentry, NULL);
	}
	inode_unlock(dir);
	mnt_drop_write(work->dir.mnt);
}

static int ckpt_deleted_named(struct rstr_obj *obj, const char *where,
			      struct ckpt_deleted_work *work)
{
	const struct ckpt_rec_deleted *rec = rstr_payload(obj->rec);
	umode_t mode = le32_to_cpu(rec->mode);
	int flags = O_PATH;
	int err;

	err = ckpt_deleted_create(obj, where, work);
	if (err)
		return err;
	if (S_ISDIR(mode))
		flags = O_RDONLY | O_DIRECTORY | O_LARGEFILE;
	else if (S_ISREG(mode))
		flags = O_RDWR | O_LARGEFILE;
	work->file = file_open_root(&work->path, "", flags, 0);
	return PTR_ERR_OR_ZERO(work->file);
}

static int ckpt_deleted_make(struct rstr_obj *obj, const char *where,
			     struct ckpt_deleted_work *work)
{
	const struct ckpt_rec_deleted *rec = rstr_payload(obj->rec);
	int flags = O_TMPFILE | O_RDWR | O_LARGEFILE;

	if (!S_ISREG(le32_to_cpu(rec->mode)))
		return ckpt_deleted_named(obj, where, work);
	if (!rec->what)
		flags |= O_EXCL;
	work->file = filp_open(where, flags, 0600);
	if (work->file == ERR_PTR(-EOPNOTSUPP))
		return ckpt_deleted_named(obj, where, work);
	if (IS_ERR(work->file))
		return PTR_ERR(work->file);
	work->path = work->file->f_path;
	path_get(&work->path);
	return 0;
}

static void ckpt_deleted_finish(struct ckpt_deleted_work *work)
{
	if (work->dir.dentry) {
		ckpt_deleted_remove(work);
		path_put(&work->dir);
	}
	if (work->path.dentry)
		path_put(&work->path);
}

/*
 * The contents come later than anything that could keep them from being written,
 * as being executed does. So it is a writer that nobody counts; nor does anybody
 * who watches the file hear of it.
 */
static void ckpt_deleted_uncount(struct file *file)
{
	file->f_mode |= FMODE_NONOTIFY;
	if (!(file->f_mode & FMODE_WRITER))
		return;
	file->f_mode &= ~FMODE_WRITER;
	put_write_access(file_inode(file));
	mnt_put_write_access(file->f_path.mnt);
}

static int ckpt_deleted_open(struct rstr_ctx *ctx, struct rstr_obj *obj,
			     const struct path *path)
{
	const struct ckpt_rec_file_deleted *rec = rstr_payload(obj->rec);
	u32 flags = le32_to_cpu(rec->flags), open = flags;
	struct file *file;

	/* Made with O_TMPFILE it shows the flags of the open directory. */
	if (!d_is_dir(path->dentry))
		open &= ~O_TMPFILE;
	file = file_open_root(path, "", open, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	if (!(flags & O_PATH)) {
		ckpt_file_set_flags(file, flags);
		file->f_pos = le64_to_cpu(rec->pos);
	}
	obj->ptr = file;
	return ckpt_file_locks_restore(ctx, obj);
}

static int ckpt_deleted_open_all(struct rstr_ctx *ctx,
				 struct rstr_obj *deleted,
				 const struct path *path)
{
	struct rstr_obj *obj;
	int err;

	for (obj = deleted->private; obj; obj = obj->private) {
		err = ckpt_deleted_open(ctx, obj, path);
		if (err)
			return err;
	}
	return 0;
}

static int ckpt_deleted_protect(struct rstr_ctx *ctx,
				const struct ckpt_rec_deleted *rec,
				struct file *file)
{
	return ckpt_file_owner(ctx, file, le32_to_cpu(rec->uid),
			       le32_to_cpu(rec->gid),
			       le32_to_cpu(rec->mode) & S_IALLUGO);
}

static int ckpt_deleted_build(struct rstr_ctx *ctx, struct rstr_obj *obj,
			      struct ckpt_deleted_work *work)
{
	const char *where = rstr_path(rstr_part_first(obj, CKPT_REC_PATH));
	const struct ckpt_rec_deleted *rec = rstr_payload(obj->rec);
	int err;

	err = ckpt_deleted_make(obj, where, work);
	if (!err && rec->size)
		err = vfs_truncate(&work->path, le64_to_cpu(rec->size));
	if (!err)
		err = ckpt_deleted_open_all(ctx, obj, &work->path);
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "deleted file %s, in %s: %pe", rec->name,
				   where, ERR_PTR(err));
	if (S_ISFIFO(le32_to_cpu(rec->mode)))
		return 0;
	return ckpt_deleted_protect(ctx, rec, work->file);
}

static int ckpt_deleted_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	struct ckpt_deleted_work work = {};
	int err;

	err = ckpt_deleted_build(ctx, obj, &work);
	ckpt_deleted_finish(&work);
	if (!err) {
		ckpt_deleted_uncount(work.file);
		obj->ptr = work.file;
		return 0;
	}
	ckpt_files_close(obj->private);
	if (!IS_ERR_OR_NULL(work.file))
		fput(work.file);
	return err;
}

/* Who may not set them goes without. */
static void ckpt_deleted_times(const struct ckpt_rec_deleted *rec,
			       const struct path *path)
{
	struct timespec64 times[] = {
		{ le64_to_cpu(rec->atime_sec), le32_to_cpu(rec->atime_nsec) },
		{ le64_to_cpu(rec->mtime_sec), le32_to_cpu(rec->mtime_nsec) },
	};

	vfs_utimes(path, times);
}

/*
 * Now that it holds what it held; and that the ends of a fifo are open, which they
 * might not be any more.
 */
static int ckpt_deleted_apply(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_deleted *rec = rstr_payload(obj->rec);
	struct file *file = obj->ptr;
	int err = 0;

	if (!file)
		return 0;
	if (S_ISFIFO(le32_to_cpu(rec->mode)))
		err = ckpt_deleted_protect(ctx, rec, file);
	if (!err)
		ckpt_deleted_times(rec, &file->f_path);
	return err;
}

/* Its descriptions. */

/* What has more to it than that it was deleted is of another kind. */
static bool ckpt_deleted_is_all(const struct file *file)
{
	const struct inode *inode = file_inode(file);

	if (file->f_mode & FMODE_PATH)
		return true;
	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
		return true;
	case S_IFCHR:
		return ckpt_memdev_is_known(imajor(inode), iminor(inode));
	case S_IFBLK:
		/* It keeps who has it for himself there. */
		return !file->private_data;
	}
	return false;
}

static bool ckpt_file_deleted_match(const void *obj)
{
	struct file *file = (struct file *)obj;

	return ckpt_path_is_deleted(file_user_path(file)) &&
	       ckpt_file_has_home(file) && ckpt_deleted_is_all(file);
}

static int ckpt_file_deleted_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct ckpt_rec_file_deleted *rec;
	struct file *file = obj;
	int err = 0;
	u32 ref;

	if (!(file->f_mode & FMODE_PATH))
		err = ckpt_file_supported(ctx, file);
	if (!err)
		err = ckpt_deleted_by(ctx, file, &ref);
	if (err)
		return err;
	rec = ckpt_object_add(ctx, CKPT_REC_FILE_DELETED, file, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->deleted = cpu_to_le32(ref);
	if (file->f_mode & FMODE_PATH) {
		rec->flags = cpu_to_le32(file->f_flags & CKPT_DELETED_PATH);
		return 0;
	}
	rec->flags = cpu_to_le32(file->f_flags & CKPT_DELETED_FLAGS);
	if (!S_ISDIR(file_inode(file)->i_mode))
		rec->pos = cpu_to_le64(file->f_pos);
	return ckpt_file_locks_save(ctx, file);
}

static bool ckpt_file_deleted_flags_known(u32 flags)
{
	if (flags & O_PATH)
		return !(flags & ~CKPT_DELETED_PATH);
	return !(flags & ~CKPT_DELETED_FLAGS) && (flags & O_ACCMODE) != O_ACCMODE;
}

/* To open any other might have effects of its own. */
static bool ckpt_deleted_may_open(struct rstr_obj *deleted)
{
	const struct ckpt_rec_deleted *rec = rstr_payload(deleted->rec);
	const struct ckpt_rec_deleted_node *node = ckpt_deleted_node(deleted);

	switch (le32_to_cpu(rec->mode) & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFBLK:
		return true;
	case S_IFCHR:
		return ckpt_memdev_is_known(le32_to_cpu(node->major),
					    le32_to_cpu(node->minor));
	}
	return false;
}

static int ckpt_file_deleted_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_deleted *rec = rstr_payload(obj->rec);
	u32 flags = le32_to_cpu(rec->flags);
	struct rstr_obj *deleted;

	if (!ckpt_file_deleted_flags_known(flags))
		return rstr_bad(ctx, obj->rec, "flags %#o", flags);
	if (rec->what || rec->reserved || le64_to_cpu(rec->pos) > LLONG_MAX)
		return rstr_bad(ctx, obj->rec, "what %#x, offset %lld",
				le32_to_cpu(rec->what), le64_to_cpu(rec->pos));
	if ((flags & O_PATH) &&
	    (rec->pos || rstr_part_first(obj, CKPT_REC_FILE_LOCK)))
		return rstr_bad(ctx, obj->rec, "O_PATH, and in use");
	deleted = rstr_ref(ctx, obj->rec, rec->deleted, CKPT_DELETED);
	if (!deleted)
		return -EBADMSG;
	if (!(flags & O_PATH) && !ckpt_deleted_may_open(deleted))
		return rstr_bad(ctx, obj->rec, "open, without O_PATH");
	/* The descriptions of it are a list, which begins there. */
	obj->private = deleted->private;
	deleted->private = obj;
	return 0;
}

static int ckpt_file_deleted_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_deleted *rec = rstr_payload(obj->rec);

	/* Which opens this one with the others. */
	return PTR_ERR_OR_ZERO(rstr_get(ctx, rstr_obj(ctx, rec->deleted)));
}

static const struct ckpt_part *const ckpt_file_deleted_parts[] = {
	&ckpt_file_lock_part,
	NULL
};

static const struct ckpt_part ckpt_deleted_node_part = {
	.type		= CKPT_REC_DELETED_NODE,
	.name		= "device or symbolic link",
	.size		= sizeof(struct ckpt_rec_deleted_node),
	.open_ended	= true,
	.max		= 1,
};

static const struct ckpt_part *const ckpt_deleted_parts[] = {
	&ckpt_file_path_part,
	&ckpt_deleted_node_part,
	NULL
};

const struct ckpt_kind ckpt_deleted_kind = {
	.type		= CKPT_REC_DELETED,
	.family		= CKPT_DELETED,
	.name		= "deleted file",
	.size		= sizeof(struct ckpt_rec_deleted),
	.open_ended	= true,
	.parts		= ckpt_deleted_parts,
	.users		= ckpt_deleted_users,
	.checkpoint	= ckpt_deleted_checkpoint,
	.check		= ckpt_deleted_check,
	.restore	= ckpt_deleted_restore,
	.apply		= ckpt_deleted_apply,
};

const struct ckpt_kind ckpt_file_deleted_kind = {
	.type		= CKPT_REC_FILE_DELETED,
	.family		= CKPT_FILE,
	.name		= "open deleted file",
	.size		= sizeof(struct ckpt_rec_file_deleted),
	.parts		= ckpt_file_deleted_parts,
	.match		= ckpt_file_deleted_match,
	.users		= ckpt_file_lock_users,
	.checkpoint	= ckpt_file_deleted_checkpoint,
	.check		= ckpt_file_deleted_check,
	.restore	= ckpt_file_deleted_restore,
};
