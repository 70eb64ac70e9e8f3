// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fanotify groups: what they have marked, and what they have to tell. Built as a
 * part of fs/notify/fanotify/fanotify_user.c, which alone knows what one is made of.
 *
 * As with inotify, marks are put in place with all else and notice nothing before
 * the restart comes about. An event that waits is not joined by one that is alike
 * any more. What asks for permission has somebody outside wait for the answer.
 */
#ifdef CONFIG_CHECKPOINT
#include "../fs/notify/fsnotify.h"
#include "checkpoint.h"
#include "file.h"
#include "limits.h"
#include "restart.h"
#include "stop.h"
#include "tree.h"

#ifdef CONFIG_AUDITSYSCALL
#define CKPT_FANOTIFY_INIT	(FANOTIFY_INIT_FLAGS | FAN_ENABLE_AUDIT)
#else
#define CKPT_FANOTIFY_INIT	FANOTIFY_INIT_FLAGS
#endif
#define CKPT_FANOTIFY_MASK	(FANOTIFY_EVENTS | FANOTIFY_PERM_EVENTS | \
				 FANOTIFY_EVENT_FLAGS)
#define CKPT_FANOTIFY_MARK	(FANOTIFY_MARK_TYPE_BITS | FAN_MARK_EVICTABLE | \
				 FAN_MARK_IGNORED_SURV_MODIFY | FAN_MARK_IGNORE)
#define CKPT_FANOTIFY_EVENT	(FANOTIFY_EVENTS | FANOTIFY_EVENT_FLAGS)
#define CKPT_FANOTIFY_FLAGS	(O_ACCMODE | O_NONBLOCK | O_APPEND | O_NOATIME)

/* Checkpoint. */

/**
 * struct ckpt_fanotify_mark - a mark, as found while it could not go away
 * @flags: FAN_MARK_*
 * @mask: of what is to be told
 * @ignored: of what is not to be
 * @inode: what is marked, or the root of the filesystem that is; held
 * @mnt: the mount, a reference held
 * @deleted: reference to what is marked, if it was deleted; or 0
 */
struct ckpt_fanotify_mark {
	u32		flags;
	u32		mask;
	u32		ignored;
	struct inode	*inode;
	struct vfsmount	*mnt;
	u32		deleted;
};

/**
 * struct ckpt_fanotify - all that a group has
 * @nr: how many of @mark are in use, or would be
 * @max: how many there are
 * @lost: some can't be had
 * @nr_events: how many of @path are in use
 * @max_events: how many there are
 * @permission: there is an event of a kind that can't be kept
 * @size: of @events, in bytes
 * @mark: kvmalloc'ed
 * @path: of each event; all zero where it has none
 * @events: struct ckpt_rec_fanotify_event, with their data, one after the other
 */
struct ckpt_fanotify {
	u32				nr;
	u32				max;
	bool				lost;
	u32				nr_events;
	u32				max_events;
	bool				permission;
	size_t				size;
	struct ckpt_fanotify_mark	*mark;
	struct path			*path;
	void				*events;
};

static bool ckpt_file_fanotify_match(const void *obj)
{
	const struct file *file = obj;

	return file->f_op == &fanotify_fops;
}

/* One that the caller sees; what is about to be unmounted is none. */
static struct vfsmount *ckpt_fanotify_mount(struct vfsmount *mnt)
{
	struct vfsmount *found = NULL;

	read_seqlock_excl(&mount_lock);
	if (real_mount(mnt)->mnt_ns == current->nsproxy->mnt_ns)
		found = mntget(mnt);
	read_sequnlock_excl(&mount_lock);
	return found;
}

static bool ckpt_fanotify_mark_hold(struct fsnotify_mark_connector *conn,
				    struct ckpt_fanotify_mark *mark)
{
	switch (conn->type) {
	case FSNOTIFY_OBJ_TYPE_VFSMOUNT:
		mark->flags |= FAN_MARK_MOUNT;
		mark->mnt = ckpt_fanotify_mount(conn->obj);
		return mark->mnt;
	case FSNOTIFY_OBJ_TYPE_SB:
		mark->flags |= FAN_MARK_FILESYSTEM;
		mark->inode = ckpt_root_hold(fsnotify_conn_sb(conn));
		return mark->inode;
	}
	if (ckpt_inode_hold(fsnotify_conn_inode(conn)))
		mark->inode = fsnotify_conn_inode(conn);
	return mark->inode;
}

static void ckpt_fanotify_mark_get(struct fsnotify_mark *fsn_mark,
				   struct ckpt_fanotify *all)
{
	struct ckpt_fanotify_mark *mark = &all->mark[all->nr];

	mark->flags = fanotify_mark_user_flags(fsn_mark);
	mark->mask = fsn_mark->mask;
	mark->ignored = fsn_mark->ignore_mask;
	if (ckpt_fanotify_mark_hold(fsn_mark->connector, mark))
		all->nr++;
	else
		all->lost |= mark->flags & FAN_MARK_MOUNT;
}

/* All there are; those beyond @max are only counted. */
static void ckpt_fanotify_list(struct fsnotify_group *group,
			       struct ckpt_fanotify *all)
{
	struct fsnotify_mark *mark;

	all->nr = 0;
	fsnotify_group_lock(group);
	list_for_each_entry(mark, &group->marks_list, g_list) {
		if (!fsnotify_valid_obj_type(mark->connector->type))
			continue;
		if (all->nr < all->max)
			ckpt_fanotify_mark_get(mark, all);
		else
			all->nr++;
	}
	fsnotify_group_unlock(group);
}

static int ckpt_fanotify_marks(struct ckpt_ctx *ctx, struct file *file,
			       struct ckpt_fanotify *all)
{
	ckpt_fanotify_list(file->private_data, all);
	all->mark = kvcalloc(all->nr, sizeof(*all->mark), GFP_KERNEL_ACCOUNT);
	if (all->nr && !all->mark)
		return -ENOMEM;
	all->max = all->nr;
	ckpt_fanotify_list(file->private_data, all);
	if (all->nr > all->max || all->nr > CKPT_WATCHES_MAX)
		return ckpt_refuse(&ctx->log, -E2BIG, "%pD: %u marks", file,
				   all->nr);
	if (all->lost)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "%pD: marks a mount that is not seen here: not supported",
				   file);
	return 0;
}

static size_t ckpt_fanotify_event_size(struct fanotify_event *event)
{
	struct fanotify_info *info = fanotify_event_info(event);
	size_t size = sizeof(struct ckpt_rec_fanotify_event);

	size += fanotify_event_object_fh_len(event);
	if (!info)
		return size;
	return size + fanotify_event_dir_fh_len(event) +
	       fanotify_event_dir2_fh_len(event) + info->name_len +
	       info->name2_len;
}

static void ckpt_fanotify_events_count(struct fsnotify_group *group,
				       struct ckpt_fanotify *all)
{
	struct fsnotify_event *entry;
	struct fanotify_event *event;

	spin_lock(&group->notification_lock);
	all->permission = !list_empty(&group->fanotify_data.access_list);
	list_for_each_entry(entry, &group->notification_list, list) {
		event = FANOTIFY_E(entry);
		all->permission |= event->type == FANOTIFY_EVENT_TYPE_PATH_PERM;
		all->max_events++;
		all->size += ckpt_fanotify_event_size(event);
	}
	spin_unlock(&group->notification_lock);
}

/* That of one of the tree; of all others it is forgotten. */
static __le32 ckpt_fanotify_pid(struct ckpt_ctx *ctx, struct pid *pid)
{
	struct task_struct *task;

	guard(rcu)();
	task = pid_task(pid, PIDTYPE_PID);
	if (!task || !ckpt_stop_has(ctx->stop, task))
		return 0;
	return cpu_to_le32(pid_vnr(pid));
}

static void *ckpt_fanotify_put_fh(void *data, struct fanotify_fh *fh,
				  struct ckpt_fanotify_handle *handle)
{
	handle->type = fh->type;
	handle->len = fh->len;
	memcpy(data, fanotify_fh_buf(fh), fh->len);
	return data + fh->len;
}

static void ckpt_fanotify_put_info(struct fanotify_info *info,
				   struct ckpt_rec_fanotify_event *rec)
{
	void *data = rec->data;

	if (info->dir_fh_totlen)
		data = ckpt_fanotify_put_fh(data, fanotify_info_dir_fh(info),
					    &rec->dir);
	if (info->dir2_fh_totlen)
		data = ckpt_fanotify_put_fh(data, fanotify_info_dir2_fh(info),
					    &rec->dir2);
	if (info->file_fh_totlen)
		data = ckpt_fanotify_put_fh(data, fanotify_info_file_fh(info),
					    &rec->object);
	rec->name_len = cpu_to_le16(info->name_len);
	rec->name2_len = cpu_to_le16(info->name2_len);
	memcpy(data, FANOTIFY_NAME_BUF(info), info->name_len);
	memcpy(data + info->name_len, FANOTIFY_NAME2_BUF(info),
	       info->name2_len);
}

static void ckpt_fanotify_event_get(struct ckpt_ctx *ctx,
				    struct fanotify_event *event,
				    struct ckpt_rec_fanotify_event *rec)
{
	__kernel_fsid_t *fsid = fanotify_event_fsid(event);

	rec->mask = cpu_to_le32(event->mask);
	rec->pid = ckpt_fanotify_pid(ctx, event->pid);
	if (fsid) {
		rec->fsid[0] = cpu_to_le32(fsid->val[0]);
		rec->fsid[1] = cpu_to_le32(fsid->val[1]);
	}
	switch (event->type) {
	case FANOTIFY_EVENT_TYPE_FID_NAME:
		rec->type = cpu_to_le32(CKPT_FANOTIFY_NAME);
		ckpt_fanotify_put_info(fanotify_event_info(event), rec);
		break;
	case FANOTIFY_EVENT_TYPE_FS_ERROR:
		rec->type = cpu_to_le32(CKPT_FANOTIFY_ERROR);
		rec->error = cpu_to_le32(FANOTIFY_EE(event)->error);
		rec->nr_errors = cpu_to_le32(FANOTIFY_EE(event)->err_count);
		ckpt_fanotify_put_fh(rec->data, fanotify_event_object_fh(event),
				     &rec->object);
		break;
	case FANOTIFY_EVENT_TYPE_FID:
		rec->type = cpu_to_le32(CKPT_FANOTIFY_FID);
		ckpt_fanotify_put_fh(rec->data, fanotify_event_object_fh(event),
				     &rec->object);
		break;
	case FANOTIFY_EVENT_TYPE_PATH:
		rec->type = cpu_to_le32(CKPT_FANOTIFY_PATH);
		break;
	default:
		rec->type = cpu_to_le32(CKPT_FANOTIFY_OVERFLOW);
		break;
	}
}

/*
 * What has come since they were counted came after the checkpoint; nothing but
 * what asks for permission goes away while the reader is at rest.
 */
static void ckpt_fanotify_events_fill(struct ckpt_ctx *ctx,
				      struct fsnotify_group *group,
				      struct ckpt_fanotify *all)
{
	struct fsnotify_event *entry;
	struct fanotify_event *event;
	size_t at = 0;

	spin_lock(&group->notification_lock);
	list_for_each_entry(entry, &group->notification_list, list) {
		event = FANOTIFY_E(entry);
		if (all->nr_events == all->max_events ||
		    at + ckpt_fanotify_event_size(event) > all->size)
			break;
		ckpt_fanotify_event_get(ctx, event, all->events + at);
		at += ckpt_fanotify_event_size(event);
		if (event->type == FANOTIFY_EVENT_TYPE_PATH) {
			all->path[all->nr_events] = FANOTIFY_PE(event)->path;
			path_get(&FANOTIFY_PE(event)->path);
		}
		all->nr_events++;
	}
	spin_unlock(&group->notification_lock);
}

static int ckpt_fanotify_events(struct ckpt_ctx *ctx, struct file *file,
				struct ckpt_fanotify *all)
{
	ckpt_fanotify_events_count(file->private_data, all);
	if (all->permission)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "%pD: somebody waits for a permission: not supported",
				   file);
	if (all->max_events > CKPT_EVENTS_MAX)
		return ckpt_refuse(&ctx->log, -E2BIG, "%pD: %u events", file,
				   all->max_events);
	if (!all->max_events)
		return 0;
	all->path = kvcalloc(all->max_events, sizeof(*all->path),
			     GFP_KERNEL_ACCOUNT);
	all->events = kvzalloc(all->size, GFP_KERNEL_ACCOUNT);
	if (!all->path || !all->events)
		return -ENOMEM;
	ckpt_fanotify_events_fill(ctx, file->private_data, all);
	return 0;
}

static void ckpt_fanotify_release(struct ckpt_fanotify *all)
{
	for (u32 i = 0; i < min(all->nr, all->max); i++) {
		if (all->mark[i].inode)
			ckpt_inode_release(all->mark[i].inode);
		mntput(all->mark[i].mnt);
	}
	for (u32 i = 0; i < all->nr_events; i++)
		path_put(&all->path[i]);
	kvfree(all->mark);
	kvfree(all->path);
	kvfree(all->events);
}

/* Those that were deleted come before the group. */
static int ckpt_fanotify_deleted(struct ckpt_ctx *ctx, struct ckpt_fanotify *all)
{
	struct ckpt_fanotify_mark *mark;
	struct path path;
	int err = 0;

	for (u32 i = 0; i < all->nr && !err; i++) {
		mark = &all->mark[i];
		if (!mark->inode || !ckpt_path_of_deleted(mark->inode, &path))
			continue;
		err = ckpt_deleted_refer(ctx, &path, &mark->deleted);
		path_put(&path);
	}
	return err;
}

static int ckpt_fanotify_deleted_write(struct ckpt_ctx *ctx,
				       const struct ckpt_fanotify_mark *mark)
{
	struct ckpt_rec_fanotify_deleted *rec;

	rec = ckpt_part_add(ctx, CKPT_REC_FANOTIFY_DELETED, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->flags = cpu_to_le32(mark->flags);
	rec->mask = cpu_to_le32(mark->mask);
	rec->ignored = cpu_to_le32(mark->ignored);
	rec->mode = cpu_to_le32(mark->inode->i_mode & S_IFMT);
	rec->deleted = cpu_to_le32(mark->deleted);
	return 0;
}

static char *ckpt_fanotify_mark_name(struct ckpt_ctx *ctx,
				     const struct ckpt_fanotify_mark *mark,
				     char *buf)
{
	struct path path = { .mnt = mark->mnt };

	if (!mark->mnt)
		return ckpt_path_of_inode(ctx, mark->inode, buf);
	path.dentry = mark->mnt->mnt_root;
	return ckpt_path_find(ctx, &path, buf);
}

static int ckpt_fanotify_mark_write(struct ckpt_ctx *ctx,
				    const struct ckpt_fanotify_mark *mark,
				    char *buf)
{
	struct ckpt_rec_fanotify_mark *rec;
	size_t size;
	char *name;

	if (mark->deleted)
		return ckpt_fanotify_deleted_write(ctx, mark);
	name = ckpt_fanotify_mark_name(ctx, mark, buf);
	if (IS_ERR(name))
		return PTR_ERR(name);
	size = strlen(name) + 1;
	rec = ckpt_part_add(ctx, CKPT_REC_FANOTIFY_MARK, sizeof(*rec) + size);
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->flags = cpu_to_le32(mark->flags);
	rec->mask = cpu_to_le32(mark->mask);
	rec->ignored = cpu_to_le32(mark->ignored);
	if (mark->inode)
		rec->mode = cpu_to_le32(mark->inode->i_mode & S_IFMT);
	memcpy(rec->path, name, size);
	return 0;
}

/* What is at @event is followed by the next, or by a path that is not there. */
static int ckpt_fanotify_event_write(struct ckpt_ctx *ctx,
				     const struct ckpt_rec_fanotify_event *event,
				     size_t len, const struct path *path,
				     char *buf)
{
	struct ckpt_rec_fanotify_event *rec;
	char *name = NULL;
	size_t size = 0;

	if (path->dentry) {
		name = ckpt_path_find(ctx, path, buf);
		if (IS_ERR(name))
			return PTR_ERR(name);
		size = strlen(name) + 1;
	}
	rec = ckpt_part_add(ctx, CKPT_REC_FANOTIFY_EVENT, len + size);
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	memcpy(rec, event, len);
	if (size)
		memcpy(rec->data, name, size);
	return 0;
}

static size_t ckpt_fanotify_event_len(const struct ckpt_rec_fanotify_event *event)
{
	return sizeof(*event) + event->dir.len + event->dir2.len +
	       event->object.len + le16_to_cpu(event->name_len) +
	       le16_to_cpu(event->name2_len);
}

static int ckpt_fanotify_parts_write(struct ckpt_ctx *ctx,
				     const struct ckpt_fanotify *all)
{
	char *buf __free(kfree) = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	const struct ckpt_rec_fanotify_event *event = all->events;
	size_t len;
	int err = 0;

	if (!buf)
		return -ENOMEM;
	for (u32 i = 0; i < all->nr && !err; i++)
		err = ckpt_fanotify_mark_write(ctx, &all->mark[i], buf);
	for (u32 i = 0; i < all->nr_events && !err; i++) {
		len = ckpt_fanotify_event_len(event);
		err = ckpt_fanotify_event_write(ctx, event, len, &all->path[i],
						buf);
		event = (const void *)event + len;
	}
	return err;
}

static int ckpt_fanotify_write(struct ckpt_ctx *ctx, struct file *file,
			       const struct ckpt_fanotify *all)
{
	struct fsnotify_group *group = file->private_data;
	struct ckpt_rec_fanotify *rec;

	if (ckpt_file_has_locks(file))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "%pD: locked: not supported", file);
	rec = ckpt_object_add(ctx, CKPT_REC_FILE_FANOTIFY, file, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->flags = cpu_to_le32(file->f_flags & CKPT_FANOTIFY_FLAGS);
	rec->init_flags = cpu_to_le32(group->fanotify_data.flags);
	rec->event_flags = cpu_to_le32(group->fanotify_data.f_flags);
	rec->max_events = cpu_to_le32(group->max_events);
	rec->nr_marks = cpu_to_le32(all->nr);
	rec->nr_events = cpu_to_le32(all->nr_events);
	return ckpt_fanotify_parts_write(ctx, all);
}

static int ckpt_file_fanotify_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct ckpt_fanotify all = {};
	int err;

	err = ckpt_fanotify_marks(ctx, obj, &all);
	if (!err)
		err = ckpt_fanotify_events(ctx, obj, &all);
	if (!err)
		err = ckpt_fanotify_deleted(ctx, &all);
	if (!err)
		err = ckpt_fanotify_write(ctx, obj, &all);
	ckpt_fanotify_release(&all);
	return err;
}

/* Restart. */

/* As fanotify_init(2) has it. */
static bool ckpt_fanotify_check_init(u32 flags, u32 event_flags)
{
	u32 fid_mode = flags & FANOTIFY_FID_BITS;
	u32 class = flags & FANOTIFY_CLASS_BITS;

	if (flags & ~(CKPT_FANOTIFY_INIT | FANOTIFY_UNPRIV) ||
	    event_flags & ~FANOTIFY_INIT_ALL_EVENT_F_BITS ||
	    (event_flags & O_ACCMODE) == O_ACCMODE)
		return false;
	if (class != FAN_CLASS_NOTIF && class != FAN_CLASS_CONTENT &&
	    class != FAN_CLASS_PRE_CONTENT)
		return false;
	if (((flags & FAN_REPORT_PIDFD) && (flags & FAN_REPORT_TID)) ||
	    (fid_mode && class != FAN_CLASS_NOTIF))
		return false;
	if ((fid_mode & FAN_REPORT_NAME) && !(fid_mode & FAN_REPORT_DIR_FID))
		return false;
	return !(fid_mode & FAN_REPORT_TARGET_FID) ||
	       ((fid_mode & FAN_REPORT_NAME) && (fid_mode & FAN_REPORT_FID));
}

static bool ckpt_fanotify_may_init(u32 flags)
{
	if ((flags & FAN_ENABLE_AUDIT) && !capable(CAP_AUDIT_WRITE))
		return false;
	return capable(CAP_SYS_ADMIN) ||
	       ((flags & FANOTIFY_UNPRIV) && (flags & FANOTIFY_FID_BITS) &&
		!(flags & FANOTIFY_ADMIN_INIT_FLAGS));
}

/* As fanotify_mark(2) has it, of both masks alike. */
static bool ckpt_fanotify_check_masks(u32 init, u32 flags, u32 mask)
{
	u32 type = flags & FANOTIFY_MARK_TYPE_BITS;
	u32 fid_mode = init & FANOTIFY_FID_BITS;

	if (mask & ~CKPT_FANOTIFY_MASK)
		return false;
	if ((mask & FANOTIFY_PERM_EVENTS) &&
	    (!IS_ENABLED(CONFIG_FANOTIFY_ACCESS_PERMISSIONS) ||
	     (init & FANOTIFY_CLASS_BITS) == FAN_CLASS_NOTIF))
		return false;
	if ((mask & FAN_FS_ERROR) && type != FAN_MARK_FILESYSTEM)
		return false;
	if (mask & ~(FANOTIFY_FD_EVENTS | FANOTIFY_EVENT_FLAGS) &&
	    (!fid_mode || type == FAN_MARK_MOUNT))
		return false;
	return !(mask & FAN_RENAME) || (fid_mode & FAN_REPORT_NAME);
}

static bool ckpt_fanotify_check_path(const char *path, size_t len)
{
	return len >= 2 && len <= PATH_MAX && path[0] == '/' &&
	       strnlen(path, len) == len - 1;
}

/* What both kinds of mark begin with. */
static int ckpt_fanotify_check_how(struct rstr_ctx *ctx, u32 init,
				   const struct ckpt_record *rec)
{
	const struct ckpt_rec_fanotify_mark *mark = rstr_payload(rec);
	u32 flags = le32_to_cpu(mark->flags);
	u32 type = flags & FANOTIFY_MARK_TYPE_BITS;

	if (flags & ~CKPT_FANOTIFY_MARK || type == FANOTIFY_MARK_TYPE_BITS ||
	    ((flags & FAN_MARK_EVICTABLE) && type != FAN_MARK_INODE) ||
	    le32_to_cpu(mark->mode) & ~S_IFMT)
		return rstr_bad(ctx, rec, "flags %#x", flags);
	if (!ckpt_fanotify_check_masks(init, flags, le32_to_cpu(mark->mask)) ||
	    !ckpt_fanotify_check_masks(init, flags, le32_to_cpu(mark->ignored)))
		return rstr_bad(ctx, rec, "masks %#x, %#x",
				le32_to_cpu(mark->mask),
				le32_to_cpu(mark->ignored));
	return 0;
}

static int ckpt_fanotify_check_mark(struct rstr_ctx *ctx, u32 init,
				    const struct ckpt_record *rec)
{
	const struct ckpt_rec_fanotify_mark *mark = rstr_payload(rec);
	int err;

	err = ckpt_fanotify_check_how(ctx, init, rec);
	if (err)
		return err;
	if (!ckpt_fanotify_check_path((const char *)mark->path,
				      rstr_size(rec) - sizeof(*mark)))
		return rstr_bad(ctx, rec, "path");
	return 0;
}

static int ckpt_fanotify_check_deleted(struct rstr_ctx *ctx, u32 init,
				       const struct ckpt_record *rec)
{
	const struct ckpt_rec_fanotify_deleted *mark = rstr_payload(rec);
	int err;

	err = ckpt_fanotify_check_how(ctx, init, rec);
	if (err)
		return err;
	if ((le32_to_cpu(mark->flags) & FANOTIFY_MARK_TYPE_BITS) !=
	    FAN_MARK_INODE || mark->reserved)
		return rstr_bad(ctx, rec, "flags %#x", le32_to_cpu(mark->flags));
	return rstr_ref(ctx, rec, mark->deleted, CKPT_DELETED) ? 0 : -EBADMSG;
}

static bool ckpt_fanotify_check_handle(const struct ckpt_fanotify_handle *handle,
				       bool may)
{
	return may ? handle->len <= MAX_HANDLE_SZ && handle->len % 4 == 0 :
		     !handle->len && !handle->type;
}

/* What of an event there may be, by its type. */
static bool ckpt_fanotify_check_type(u32 init,
				     const struct ckpt_rec_fanotify_event *event)
{
	u32 type = le32_to_cpu(event->type), mask = le32_to_cpu(event->mask);
	bool fid_mode = init & FANOTIFY_FID_BITS;
	bool has_path = type == CKPT_FANOTIFY_PATH;

	if (type == CKPT_FANOTIFY_OVERFLOW)
		return mask == FAN_Q_OVERFLOW && !event->pid;
	if (!mask || mask & ~CKPT_FANOTIFY_EVENT ||
	    fid_mode == has_path)
		return false;
	return !(mask & FAN_FS_ERROR) == (type != CKPT_FANOTIFY_ERROR);
}

/* Whoever has both names is told of both, with the directories that they are in. */
static bool ckpt_fanotify_check_names(const struct ckpt_rec_fanotify_event *event)
{
	const u8 *names = event->data + event->dir.len + event->dir2.len +
			  event->object.len;
	u32 len = le16_to_cpu(event->name_len);
	u32 len2 = le16_to_cpu(event->name2_len);
	bool rename = event->mask & cpu_to_le32(FAN_RENAME);

	if (len >= PATH_MAX || len2 >= PATH_MAX ||
	    (rename && event->dir.len && !len) || (event->dir2.len && !len2))
		return false;
	return strnlen((const char *)names, len) == len &&
	       strnlen((const char *)names + len, len2) == len2;
}

static bool ckpt_fanotify_check_data(const struct ckpt_rec_fanotify_event *event,
				     size_t size)
{
	size_t len = ckpt_fanotify_event_len(event);
	u32 type = le32_to_cpu(event->type);
	bool name = type == CKPT_FANOTIFY_NAME;
	bool fid = name || type == CKPT_FANOTIFY_FID ||
		   type == CKPT_FANOTIFY_ERROR;

	if (type > CKPT_FANOTIFY_OVERFLOW || event->reserved ||
	    !ckpt_fanotify_check_handle(&event->dir, name) ||
	    !ckpt_fanotify_check_handle(&event->dir2, name) ||
	    !ckpt_fanotify_check_handle(&event->object, fid) ||
	    (!name && (event->name_len || event->name2_len)))
		return false;
	if (type == CKPT_FANOTIFY_PATH)
		return ckpt_fanotify_check_path((const char *)event->data,
						size - sizeof(*event));
	return size == len && (!name || ckpt_fanotify_check_names(event));
}

static int ckpt_fanotify_check_event(struct rstr_ctx *ctx, u32 init,
				     const struct ckpt_record *rec)
{
	const struct ckpt_rec_fanotify_event *event = rstr_payload(rec);

	if (!ckpt_fanotify_check_type(init, event) ||
	    !ckpt_fanotify_check_data(event, rstr_size(rec)) ||
	    le32_to_cpu(event->pid) > INT_MAX)
		return rstr_bad(ctx, rec, "type %u, mask %#x, process %u",
				le32_to_cpu(event->type),
				le32_to_cpu(event->mask),
				le32_to_cpu(event->pid));
	if (event->pid)
		ctx->needs_tasks = true;
	return 0;
}

static int ckpt_fanotify_check_parts(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_fanotify *fanotify = rstr_payload(obj->rec);
	u32 init = le32_to_cpu(fanotify->init_flags), marks = 0, events = 0;
	const struct ckpt_record *rec;
	int err;

	rstr_for_each_part(rec, obj, CKPT_REC_FANOTIFY_MARK) {
		err = ckpt_fanotify_check_mark(ctx, init, rec);
		if (err)
			return err;
		marks++;
	}
	rstr_for_each_part(rec, obj, CKPT_REC_FANOTIFY_DELETED) {
		err = ckpt_fanotify_check_deleted(ctx, init, rec);
		if (err)
			return err;
		marks++;
	}
	rstr_for_each_part(rec, obj, CKPT_REC_FANOTIFY_EVENT) {
		err = ckpt_fanotify_check_event(ctx, init, rec);
		if (err)
			return err;
		events++;
	}
	if (marks != le32_to_cpu(fanotify->nr_marks) ||
	    events != le32_to_cpu(fanotify->nr_events))
		return rstr_bad(ctx, obj->rec, "%u marks, %u events", marks,
				events);
	return 0;
}

static int ckpt_file_fanotify_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_fanotify *rec = rstr_payload(obj->rec);
	u32 flags = le32_to_cpu(rec->flags);
	u32 init = le32_to_cpu(rec->init_flags);

	if (flags & ~CKPT_FANOTIFY_FLAGS || (flags & O_ACCMODE) != O_RDWR ||
	    rec->what || rec->reserved)
		return rstr_bad(ctx, obj->rec, "flags %#o", flags);
	if (!ckpt_fanotify_check_init(init, le32_to_cpu(rec->event_flags)))
		return rstr_bad(ctx, obj->rec, "flags %#x, %#o", init,
				le32_to_cpu(rec->event_flags));
	if (!ckpt_fanotify_may_init(init))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "fanotify group of flags %#x: not permitted (CAP_SYS_ADMIN)",
				   init);
	return ckpt_fanotify_check_parts(ctx, obj);
}

static enum fsnotify_group_prio ckpt_fanotify_priority(u32 init)
{
	switch (init & FANOTIFY_CLASS_BITS) {
	case FAN_CLASS_CONTENT:
		return FSNOTIFY_PRIO_CONTENT;
	case FAN_CLASS_PRE_CONTENT:
		return FSNOTIFY_PRIO_PRE_CONTENT;
	default:
		return FSNOTIFY_PRIO_NORMAL;
	}
}

/* The rest of what fanotify_init(2) does. */
static int ckpt_fanotify_group_fill(struct fsnotify_group *group,
				    const struct ckpt_rec_fanotify *rec)
{
	u32 init = le32_to_cpu(rec->init_flags);

	init_waitqueue_head(&group->fanotify_data.access_waitq);
	INIT_LIST_HEAD(&group->fanotify_data.access_list);
	group->fanotify_data.flags = init;
	group->fanotify_data.f_flags = le32_to_cpu(rec->event_flags);
	group->priority = ckpt_fanotify_priority(init);
	group->max_events = init & FAN_UNLIMITED_QUEUE ? UINT_MAX :
			    min_t(u32, le32_to_cpu(rec->max_events),
				  fanotify_max_queued_events);
	group->memcg = get_mem_cgroup_from_mm(current->mm);
	group->fanotify_data.ucounts = inc_ucount(current_user_ns(),
						  current_euid(),
						  UCOUNT_FANOTIFY_GROUPS);
	if (!group->fanotify_data.ucounts)
		return -EMFILE;
	group->fanotify_data.merge_hash = fanotify_alloc_merge_hash();
	group->overflow_event = fanotify_alloc_overflow_event();
	if (!group->fanotify_data.merge_hash || !group->overflow_event)
		return -ENOMEM;
	return 0;
}

static struct fsnotify_group *ckpt_fanotify_group_make(const struct ckpt_rec_fanotify *rec)
{
	struct fsnotify_group *group;
	int err;

	group = fsnotify_alloc_group(&fanotify_fsnotify_ops,
				     FSNOTIFY_GROUP_USER);
	if (IS_ERR(group))
		return group;
	err = ckpt_fanotify_group_fill(group, rec);
	if (!err)
		return group;
	fsnotify_destroy_group(group);
	return ERR_PTR(err);
}

static int ckpt_fanotify_open(struct rstr_obj *obj, struct fsnotify_group *group)
{
	const struct ckpt_rec_fanotify *rec = rstr_payload(obj->rec);
	struct file *file;

	file = anon_inode_getfile("[fanotify]", &fanotify_fops, group,
				  O_RDWR | __FMODE_NONOTIFY);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ckpt_file_set_flags(file, le32_to_cpu(rec->flags));
	obj->ptr = file;
	return 0;
}

/* Marks. */

/* What is marked; its lifetime is that of @path. */
static void *ckpt_fanotify_object(const struct ckpt_rec_fanotify_mark *rec,
				  const struct path *path, u32 *obj_type)
{
	u32 type = le32_to_cpu(rec->flags) & FANOTIFY_MARK_TYPE_BITS;

	if (type == FAN_MARK_MOUNT) {
		*obj_type = FSNOTIFY_OBJ_TYPE_VFSMOUNT;
		return path->dentry == path->mnt->mnt_root ? path->mnt : NULL;
	}
	if ((d_inode(path->dentry)->i_mode & S_IFMT) != le32_to_cpu(rec->mode))
		return NULL;
	if (type == FAN_MARK_FILESYSTEM) {
		*obj_type = FSNOTIFY_OBJ_TYPE_SB;
		return path->mnt->mnt_sb;
	}
	*obj_type = FSNOTIFY_OBJ_TYPE_INODE;
	return d_inode(path->dentry);
}

/* As fanotify_mark(2), so that it takes the same rights. */
static int ckpt_fanotify_may_mark(struct fsnotify_group *group,
				  const struct ckpt_rec_fanotify_mark *rec,
				  const struct path *path, u32 obj_type)
{
	u32 flags = le32_to_cpu(rec->flags);
	u32 mask = le32_to_cpu(rec->mask) | le32_to_cpu(rec->ignored);
	int err;

	if (obj_type != FSNOTIFY_OBJ_TYPE_INODE &&
	    (!capable(CAP_SYS_ADMIN) || FAN_GROUP_FLAG(group, FANOTIFY_UNPRIV)))
		return -EPERM;
	/* Which is there for the parent's sake, whatever was asked for. */
	if (obj_type != FSNOTIFY_OBJ_TYPE_INODE || !d_is_dir(path->dentry))
		mask &= ~FAN_EVENT_ON_CHILD;
	err = fanotify_events_supported(group, path, mask,
					flags & (FANOTIFY_MARK_TYPE_BITS |
						 FAN_MARK_IGNORE));
	if (!err)
		err = path_permission(path, MAY_READ);
	if (!err)
		err = security_path_notify(path, mask & ALL_FSNOTIFY_EVENTS,
					   obj_type);
	return err;
}

/* One that is blind so far. */
static struct fsnotify_mark *ckpt_fanotify_mark_add(struct fsnotify_group *group,
						    const struct ckpt_rec_fanotify_mark *rec,
						    const struct path *path)
{
	u32 flags = le32_to_cpu(rec->flags), obj_type;
	struct fan_fsid id, *fsid = NULL;
	struct fsnotify_mark *mark;
	void *object;
	int err;

	object = ckpt_fanotify_object(rec, path, &obj_type);
	if (!object)
		return ERR_PTR(-ESTALE);
	err = ckpt_fanotify_may_mark(group, rec, path, obj_type);
	if (!err && FAN_GROUP_FLAG(group, FANOTIFY_FID_BITS)) {
		fsid = &id;
		err = fanotify_test_fsid(path->dentry, flags, fsid);
		if (!err)
			err = fanotify_test_fid(path->dentry, flags);
	}
	if (!err && (rec->mask & cpu_to_le32(FAN_FS_ERROR)))
		err = fanotify_group_init_error_pool(group);
	if (err)
		return ERR_PTR(err);
	fsnotify_group_lock(group);
	mark = fanotify_add_new_mark(group, object, obj_type, flags, fsid);
	fsnotify_group_unlock(group);
	return mark;
}

static struct fsnotify_mark *ckpt_fanotify_mark_path(struct fsnotify_group *group,
						     const struct ckpt_rec_fanotify_mark *rec)
{
	struct fsnotify_mark *mark;
	struct path path;
	int err;

	err = kern_path((const char *)rec->path, 0, &path);
	if (err)
		return ERR_PTR(err);
	mark = ckpt_fanotify_mark_add(group, rec, &path);
	path_put(&path);
	return mark;
}

/* Which has been made anew, and is what it was. */
static struct fsnotify_mark *ckpt_fanotify_mark_deleted(struct rstr_ctx *ctx,
							struct fsnotify_group *group,
							const struct ckpt_rec_fanotify_deleted *rec)
{
	struct file *file = rstr_get(ctx, rstr_obj(ctx, rec->deleted));

	/* They begin alike. */
	static_assert(offsetof(struct ckpt_rec_fanotify_deleted, deleted) ==
		      sizeof(struct ckpt_rec_fanotify_mark));
	if (IS_ERR(file))
		return ERR_CAST(file);
	return ckpt_fanotify_mark_add(group, (const void *)rec, &file->f_path);
}

/* Each is remembered, to have it see when the time comes; by name, then others. */
static int ckpt_fanotify_marks_restore(struct rstr_ctx *ctx,
				       struct rstr_obj *obj,
				       struct fsnotify_group *group)
{
	const struct ckpt_rec_fanotify *fanotify = rstr_payload(obj->rec);
	u32 nr = le32_to_cpu(fanotify->nr_marks), i = 0;
	const struct ckpt_rec_fanotify_mark *rec;
	const struct ckpt_record *part;
	struct fsnotify_mark **marks;

	marks = kvcalloc(nr, sizeof(*marks), GFP_KERNEL_ACCOUNT);
	if (nr && !marks)
		return -ENOMEM;
	obj->private = marks;
	rstr_for_each_part(part, obj, CKPT_REC_FANOTIFY_MARK) {
		struct fsnotify_mark *mark;

		rec = rstr_payload(part);
		mark = ckpt_fanotify_mark_path(group, rec);
		if (IS_ERR(mark))
			return ckpt_refuse(&ctx->log, PTR_ERR(mark),
					   "fanotify: mark of %s: %pe",
					   rec->path, mark);
		marks[i++] = mark;
	}
	rstr_for_each_part(part, obj, CKPT_REC_FANOTIFY_DELETED) {
		struct fsnotify_mark *mark;

		mark = ckpt_fanotify_mark_deleted(ctx, group, rstr_payload(part));
		if (IS_ERR(mark))
			return ckpt_refuse(&ctx->log, PTR_ERR(mark),
					   "fanotify: mark of what was deleted: %pe",
					   mark);
		marks[i++] = mark;
	}
	return 0;
}

static void ckpt_fanotify_mark_start(struct fsnotify_mark *mark,
				     const struct ckpt_rec_fanotify_mark *rec)
{
	u32 flags = le32_to_cpu(rec->flags);

	fsnotify_group_lock(mark->group);
	if (mark->flags & FSNOTIFY_MARK_FLAG_ATTACHED) {
		spin_lock(&mark->lock);
		mark->mask = le32_to_cpu(rec->mask);
		mark->ignore_mask = le32_to_cpu(rec->ignored);
		if (flags & FAN_MARK_IGNORED_SURV_MODIFY)
			mark->flags |= FSNOTIFY_MARK_FLAG_IGNORED_SURV_MODIFY;
		if (flags & FAN_MARK_IGNORE)
			mark->flags |= FSNOTIFY_MARK_FLAG_HAS_IGNORE_FLAGS;
		spin_unlock(&mark->lock);
		fsnotify_recalc_mask(mark->connector);
	}
	fsnotify_group_unlock(mark->group);
}

/* Returns behind the last one. */
static struct fsnotify_mark **ckpt_fanotify_marks_settle(struct rstr_obj *obj,
							 u32 type,
							 struct fsnotify_mark **mark,
							 bool done)
{
	const struct ckpt_record *rec;

	rstr_for_each_part(rec, obj, type) {
		/* There it failed. */
		if (!*mark)
			break;
		if (done)
			ckpt_fanotify_mark_start(*mark, rstr_payload(rec));
		fsnotify_put_mark(*mark++);
	}
	return mark;
}

static void ckpt_file_fanotify_settle(struct rstr_ctx *ctx,
				      struct rstr_obj *obj, bool done)
{
	struct fsnotify_mark **marks = obj->private, **next;

	if (!marks)
		return;
	next = ckpt_fanotify_marks_settle(obj, CKPT_REC_FANOTIFY_MARK, marks,
					  done);
	ckpt_fanotify_marks_settle(obj, CKPT_REC_FANOTIFY_DELETED, next, done);
	kvfree(marks);
	obj->private = NULL;
}

/* Events. */

static struct fanotify_event *ckpt_fanotify_path_event(const struct ckpt_rec_fanotify_event *rec)
{
	struct fanotify_path_event *event;
	int err;

	event = kmem_cache_alloc(fanotify_path_event_cachep,
				 GFP_KERNEL_ACCOUNT);
	if (!event)
		return ERR_PTR(-ENOMEM);
	err = kern_path((const char *)rec->data, 0, &event->path);
	if (err) {
		kmem_cache_free(fanotify_path_event_cachep, event);
		return ERR_PTR(err);
	}
	event->fae.type = FANOTIFY_EVENT_TYPE_PATH;
	return &event->fae;
}

static const void *ckpt_fanotify_get_fh(struct fanotify_fh *fh,
					const struct ckpt_fanotify_handle *handle,
					const void *data)
{
	fh->type = handle->type;
	fh->len = handle->len;
	memcpy(fanotify_fh_buf(fh), data, handle->len);
	return data + handle->len;
}

static void ckpt_fanotify_get_fsid(__kernel_fsid_t *fsid,
				   const struct ckpt_rec_fanotify_event *rec)
{
	fsid->val[0] = le32_to_cpu(rec->fsid[0]);
	fsid->val[1] = le32_to_cpu(rec->fsid[1]);
}

static struct fanotify_event *ckpt_fanotify_fid_event(const struct ckpt_rec_fanotify_event *rec)
{
	struct fanotify_fid_event *event;
	struct fanotify_fh *fh;
	void *buf = NULL;

	event = kmem_cache_alloc(fanotify_fid_event_cachep, GFP_KERNEL_ACCOUNT);
	if (!event)
		return ERR_PTR(-ENOMEM);
	fh = &event->object_fh;
	fh->flags = 0;
	if (rec->object.len > FANOTIFY_INLINE_FH_LEN) {
		buf = kmalloc(rec->object.len, GFP_KERNEL_ACCOUNT);
		if (!buf) {
			kmem_cache_free(fanotify_fid_event_cachep, event);
			return ERR_PTR(-ENOMEM);
		}
		fh->flags = FANOTIFY_FH_FLAG_EXT_BUF;
		*fanotify_fh_ext_buf_ptr(fh) = buf;
	}
	ckpt_fanotify_get_fh(fh, &rec->object, rec->data);
	ckpt_fanotify_get_fsid(&event->fsid, rec);
	event->fae.type = FANOTIFY_EVENT_TYPE_FID;
	return &event->fae;
}

static size_t ckpt_fanotify_fh_size(const struct ckpt_fanotify_handle *handle)
{
	return handle->len ? FANOTIFY_FH_HDR_LEN + handle->len : 0;
}

/* In this order, as each says where the next one begins. */
static void ckpt_fanotify_get_info(struct fanotify_info *info,
				   const struct ckpt_rec_fanotify_event *rec)
{
	const void *data = rec->data;

	fanotify_info_init(info);
	info->dir_fh_totlen = ckpt_fanotify_fh_size(&rec->dir);
	info->dir2_fh_totlen = ckpt_fanotify_fh_size(&rec->dir2);
	info->file_fh_totlen = ckpt_fanotify_fh_size(&rec->object);
	info->name_len = le16_to_cpu(rec->name_len);
	info->name2_len = le16_to_cpu(rec->name2_len);
	if (rec->dir.len)
		data = ckpt_fanotify_get_fh(fanotify_info_dir_fh(info),
					    &rec->dir, data);
	if (rec->dir2.len)
		data = ckpt_fanotify_get_fh(fanotify_info_dir2_fh(info),
					    &rec->dir2, data);
	if (rec->object.len)
		data = ckpt_fanotify_get_fh(fanotify_info_file_fh(info),
					    &rec->object, data);
	memcpy(FANOTIFY_NAME_BUF(info), data, info->name_len);
	memcpy(FANOTIFY_NAME2_BUF(info), data + info->name_len,
	       info->name2_len);
}

static struct fanotify_event *ckpt_fanotify_name_event(const struct ckpt_rec_fanotify_event *rec)
{
	struct fanotify_name_event *event;
	size_t size;

	size = sizeof(*event) + ckpt_fanotify_fh_size(&rec->dir) +
	       ckpt_fanotify_fh_size(&rec->dir2) +
	       ckpt_fanotify_fh_size(&rec->object) +
	       le16_to_cpu(rec->name_len) + le16_to_cpu(rec->name2_len) + 2;
	/* No handle is kept elsewhere, and each name has a NUL. */
	event = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!event)
		return ERR_PTR(-ENOMEM);
	ckpt_fanotify_get_info(&event->info, rec);
	ckpt_fanotify_get_fsid(&event->fsid, rec);
	event->fae.type = FANOTIFY_EVENT_TYPE_FID_NAME;
	return &event->fae;
}

/* They are few, as those of one filesystem are told of together. */
static struct fanotify_event *ckpt_fanotify_error_event(struct fsnotify_group *group,
							const struct ckpt_rec_fanotify_event *rec)
{
	struct fanotify_error_event *event;
	int err;

	err = fanotify_group_init_error_pool(group);
	if (err)
		return ERR_PTR(err);
	event = mempool_alloc(&group->fanotify_data.error_events_pool,
			      GFP_NOWAIT);
	if (!event)
		return ERR_PTR(-ENOMEM);
	event->error = le32_to_cpu(rec->error);
	event->err_count = le32_to_cpu(rec->nr_errors);
	event->object_fh.flags = 0;
	ckpt_fanotify_get_fh(&event->object_fh, &rec->object, rec->data);
	ckpt_fanotify_get_fsid(&event->fsid, rec);
	event->fae.type = FANOTIFY_EVENT_TYPE_FS_ERROR;
	return &event->fae;
}

static struct fanotify_event *ckpt_fanotify_event_make(struct fsnotify_group *group,
						       const struct ckpt_rec_fanotify_event *rec)
{
	switch (le32_to_cpu(rec->type)) {
	case CKPT_FANOTIFY_PATH:
		return ckpt_fanotify_path_event(rec);
	case CKPT_FANOTIFY_FID:
		return ckpt_fanotify_fid_event(rec);
	case CKPT_FANOTIFY_NAME:
		return ckpt_fanotify_name_event(rec);
	default:
		return ckpt_fanotify_error_event(group, rec);
	}
}

/* As fanotify_insert_event(): what is taken out of the queue is looked for there. */
static void ckpt_fanotify_insert(struct fsnotify_group *group,
				 struct fsnotify_event *fsn_event)
{
	struct fanotify_event *event = FANOTIFY_E(fsn_event);
	u32 bucket = fanotify_event_hash_bucket(group, event);

	if (fanotify_is_hashed_event(event->mask))
		hlist_add_head(&event->merge_list,
			       &group->fanotify_data.merge_hash[bucket]);
}

static int ckpt_fanotify_event_restore(struct rstr_ctx *ctx,
				       const struct ckpt_record *part,
				       struct fsnotify_group *group)
{
	const struct ckpt_rec_fanotify_event *rec = rstr_payload(part);
	struct fanotify_event *event;
	struct pid *pid = NULL;

	if (rec->type == cpu_to_le32(CKPT_FANOTIFY_OVERFLOW)) {
		fsnotify_queue_overflow(group);
		return 0;
	}
	if (rec->pid) {
		pid = rstr_tree_pid_get(ctx->run, le32_to_cpu(rec->pid),
					PIDTYPE_PID);
		if (!pid)
			return rstr_bad(ctx, part, "process %u is nobody",
					le32_to_cpu(rec->pid));
	}
	event = ckpt_fanotify_event_make(group, rec);
	if (IS_ERR(event)) {
		put_pid(pid);
		return PTR_ERR(event);
	}
	fanotify_init_event(event, 0, le32_to_cpu(rec->mask));
	event->pid = pid;
	if (fsnotify_insert_event(group, &event->fse, NULL,
				  ckpt_fanotify_insert))
		fsnotify_destroy_event(group, &event->fse);
	return 0;
}

/* Where there is no more room for all of them the reader learns of that. */
static int ckpt_fanotify_events_restore(struct rstr_ctx *ctx,
					struct rstr_obj *obj,
					struct fsnotify_group *group)
{
	const struct ckpt_rec_fanotify_event *event;
	const struct ckpt_record *rec;
	int err;

	rstr_for_each_part(rec, obj, CKPT_REC_FANOTIFY_EVENT) {
		event = rstr_payload(rec);
		err = ckpt_fanotify_event_restore(ctx, rec, group);
		if (err && event->type == cpu_to_le32(CKPT_FANOTIFY_PATH))
			return ckpt_refuse(&ctx->log, err,
					   "fanotify: event of %s: %pe",
					   event->data, ERR_PTR(err));
		if (err)
			return err;
	}
	return 0;
}

static int ckpt_file_fanotify_restore(struct rstr_ctx *ctx,
				      struct rstr_obj *obj)
{
	struct fsnotify_group *group;
	int err;

	group = ckpt_fanotify_group_make(rstr_payload(obj->rec));
	if (IS_ERR(group))
		return ckpt_refuse(&ctx->log, PTR_ERR(group), "fanotify: %pe",
				   group);
	err = ckpt_fanotify_open(obj, group);
	if (err) {
		fsnotify_destroy_group(group);
		return err;
	}
	/* From here on it goes with its file. */
	err = ckpt_fanotify_events_restore(ctx, obj, group);
	return err ?: ckpt_fanotify_marks_restore(ctx, obj, group);
}

static const struct ckpt_part ckpt_fanotify_mark_part = {
	.type		= CKPT_REC_FANOTIFY_MARK,
	.name		= "mark",
	.size		= sizeof(struct ckpt_rec_fanotify_mark),
	.open_ended	= true,
	.max		= CKPT_WATCHES_MAX,
};

static const struct ckpt_part ckpt_fanotify_deleted_part = {
	.type		= CKPT_REC_FANOTIFY_DELETED,
	.name		= "mark of what was deleted",
	.size		= sizeof(struct ckpt_rec_fanotify_deleted),
	.max		= CKPT_WATCHES_MAX,
};

static const struct ckpt_part ckpt_fanotify_event_part = {
	.type		= CKPT_REC_FANOTIFY_EVENT,
	.name		= "event",
	.size		= sizeof(struct ckpt_rec_fanotify_event),
	.open_ended	= true,
	.max		= CKPT_EVENTS_MAX,
};

static const struct ckpt_part *const ckpt_file_fanotify_parts[] = {
	&ckpt_fanotify_mark_part,
	&ckpt_fanotify_deleted_part,
	&ckpt_fanotify_event_part,
	NULL
};

const struct ckpt_kind ckpt_file_fanotify_kind = {
	.type		= CKPT_REC_FILE_FANOTIFY,
	.family		= CKPT_FILE,
	.name		= "fanotify",
	.size		= sizeof(struct ckpt_rec_fanotify),
	.parts		= ckpt_file_fanotify_parts,
	.match		= ckpt_file_fanotify_match,
	.users		= ckpt_file_users,
	.checkpoint	= ckpt_file_fanotify_checkpoint,
	.check		= ckpt_file_fanotify_check,
	.restore	= ckpt_file_fanotify_restore,
	.settle		= ckpt_file_fanotify_settle,
};
#endif
