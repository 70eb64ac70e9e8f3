// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inotify instances: what they watch, and what they have to tell. Built as a part
 * of fs/notify/inotify/inotify_user.c, which alone knows what one is made of.
 *
 * What is watched is an inode, which is had again by a name that leads to it; or
 * one that was deleted and is in use all the same, since else it is not watched. A
 * watch is put in place with all others, but notices nothing until the restart
 * comes about: that files are opened again is nothing to be told of.
 */
#ifdef CONFIG_CHECKPOINT
#include "../fs/notify/fsnotify.h"
#include "checkpoint.h"
#include "file.h"
#include "limits.h"
#include "restart.h"

/* What fsnotify_event has of bits, but that something was lost. */
#define CKPT_INOTIFY_EVENTS	(ALL_FSNOTIFY_BITS & ~FS_Q_OVERFLOW)
#define CKPT_INOTIFY_MASK	(INOTIFY_USER_MASK | IN_EXCL_UNLINK | IN_ONESHOT)
#define CKPT_INOTIFY_FLAGS	(O_ACCMODE | O_NONBLOCK | O_APPEND | O_NOATIME)

/* Checkpoint. */

/**
 * struct ckpt_inotify_watch - a watch, as found while it could not go away
 * @inode: what is watched, held by ckpt_inode_hold()
 * @wd: its number
 * @mask: IN_* of inotify_add_watch(2)
 * @deleted: reference to it, if it was deleted; or 0
 */
struct ckpt_inotify_watch {
	struct inode	*inode;
	u32		wd;
	u32		mask;
	u32		deleted;
};

/**
 * struct ckpt_inotify - all that an instance has
 * @nr: how many of @watch are in use, or would be
 * @max: how many there are
 * @nr_events: how many of them @events holds
 * @size: of @events, in bytes
 * @watch: kvmalloc'ed
 * @events: struct ckpt_rec_inotify_event, with their names, one after the other
 */
struct ckpt_inotify {
	u32				nr;
	u32				max;
	u32				nr_events;
	size_t				size;
	struct ckpt_inotify_watch	*watch;
	void				*events;
};

static bool ckpt_file_inotify_match(const void *obj)
{
	const struct file *file = obj;

	return file->f_op == &inotify_fops;
}

/* What is just going away is watched no more. */
static void ckpt_inotify_watch_get(struct fsnotify_mark *mark,
				   struct ckpt_inotify *all)
{
	struct ckpt_inotify_watch *watch = &all->watch[all->nr];

	if (!ckpt_inode_hold(fsnotify_conn_inode(mark->connector)))
		return;
	watch->inode = fsnotify_conn_inode(mark->connector);
	watch->wd = container_of(mark, struct inotify_inode_mark,
				 fsn_mark)->wd;
	watch->mask = inotify_mark_user_mask(mark);
	all->nr++;
}

/* All there are; those beyond @max are only counted. */
static void ckpt_inotify_list(struct fsnotify_group *group,
			      struct ckpt_inotify *all)
{
	struct fsnotify_mark *mark;

	all->nr = 0;
	fsnotify_group_lock(group);
	list_for_each_entry(mark, &group->marks_list, g_list) {
		if (mark->connector->type != FSNOTIFY_OBJ_TYPE_INODE)
			continue;
		if (all->nr < all->max)
			ckpt_inotify_watch_get(mark, all);
		else
			all->nr++;
	}
	fsnotify_group_unlock(group);
}

static int ckpt_inotify_watches(struct ckpt_ctx *ctx, struct file *file,
				struct ckpt_inotify *all)
{
	ckpt_inotify_list(file->private_data, all);
	all->watch = kvcalloc(all->nr, sizeof(*all->watch),
			      GFP_KERNEL_ACCOUNT);
	if (all->nr && !all->watch)
		return -ENOMEM;
	all->max = all->nr;
	ckpt_inotify_list(file->private_data, all);
	if (all->nr > all->max || all->nr > CKPT_WATCHES_MAX)
		return ckpt_refuse(&ctx->log, -E2BIG, "%pD: %u watches", file,
				   all->nr);
	return 0;
}

static size_t ckpt_inotify_event_size(const struct inotify_event_info *event)
{
	return sizeof(struct ckpt_rec_inotify_event) + event->name_len;
}

/* Only whoever reads takes away from a queue, and that is at rest. */
static void ckpt_inotify_events_count(struct fsnotify_group *group,
				      struct ckpt_inotify *all)
{
	struct fsnotify_event *event;

	spin_lock(&group->notification_lock);
	list_for_each_entry(event, &group->notification_list, list) {
		all->nr_events++;
		all->size += ckpt_inotify_event_size(INOTIFY_E(event));
	}
	spin_unlock(&group->notification_lock);
}

static void ckpt_inotify_event_get(const struct inotify_event_info *event,
				   struct ckpt_rec_inotify_event *rec)
{
	rec->wd = cpu_to_le32(event->wd);
	rec->mask = cpu_to_le32(event->mask);
	rec->cookie = cpu_to_le32(event->sync_cookie);
	rec->name_len = cpu_to_le32(event->name_len);
	memcpy(rec->name, event->name, event->name_len);
}

/* What has come since they were counted came after the checkpoint. */
static void ckpt_inotify_events_fill(struct fsnotify_group *group,
				     struct ckpt_inotify *all)
{
	struct inotify_event_info *event;
	struct fsnotify_event *entry;
	size_t at = 0;

	spin_lock(&group->notification_lock);
	list_for_each_entry(entry, &group->notification_list, list) {
		event = INOTIFY_E(entry);
		if (at + ckpt_inotify_event_size(event) > all->size)
			break;
		ckpt_inotify_event_get(event, all->events + at);
		at += ckpt_inotify_event_size(event);
	}
	spin_unlock(&group->notification_lock);
}

static int ckpt_inotify_events(struct ckpt_ctx *ctx, struct file *file,
			       struct ckpt_inotify *all)
{
	ckpt_inotify_events_count(file->private_data, all);
	if (all->nr_events > CKPT_EVENTS_MAX)
		return ckpt_refuse(&ctx->log, -E2BIG, "%pD: %u events", file,
				   all->nr_events);
	if (!all->size)
		return 0;
	all->events = kvzalloc(all->size, GFP_KERNEL_ACCOUNT);
	if (!all->events)
		return -ENOMEM;
	ckpt_inotify_events_fill(file->private_data, all);
	return 0;
}

static void ckpt_inotify_release(struct ckpt_inotify *all)
{
	for (u32 i = 0; i < min(all->nr, all->max); i++)
		ckpt_inode_release(all->watch[i].inode);
	kvfree(all->watch);
	kvfree(all->events);
}

/* Those that were deleted come before the instance. */
static int ckpt_inotify_deleted(struct ckpt_ctx *ctx, struct ckpt_inotify *all)
{
	struct path path;
	int err = 0;

	for (u32 i = 0; i < all->nr && !err; i++) {
		if (!ckpt_path_of_deleted(all->watch[i].inode, &path))
			continue;
		err = ckpt_deleted_refer(ctx, &path, &all->watch[i].deleted);
		path_put(&path);
	}
	return err;
}

static int ckpt_inotify_watch_write(struct ckpt_ctx *ctx,
				    const struct ckpt_inotify_watch *watch,
				    char *buf)
{
	struct ckpt_rec_inotify_watch *rec;
	char *name = "";
	size_t size = 0;

	if (!watch->deleted) {
		name = ckpt_path_of_inode(ctx, watch->inode, buf);
		if (IS_ERR(name))
			return PTR_ERR(name);
		size = strlen(name) + 1;
	}
	rec = ckpt_part_add(ctx, CKPT_REC_INOTIFY_WATCH, sizeof(*rec) + size);
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->wd = cpu_to_le32(watch->wd);
	rec->mask = cpu_to_le32(watch->mask);
	rec->mode = cpu_to_le32(watch->inode->i_mode & S_IFMT);
	rec->deleted = cpu_to_le32(watch->deleted);
	memcpy(rec->path, name, size);
	return 0;
}

static int ckpt_inotify_watches_write(struct ckpt_ctx *ctx,
				      const struct ckpt_inotify *all)
{
	char *buf __free(kfree) = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	int err = 0;

	if (!buf)
		return -ENOMEM;
	for (u32 i = 0; i < all->nr && !err; i++)
		err = ckpt_inotify_watch_write(ctx, &all->watch[i], buf);
	return err;
}

static int ckpt_inotify_events_write(struct ckpt_ctx *ctx,
				     const struct ckpt_inotify *all)
{
	const struct ckpt_rec_inotify_event *event = all->events;
	size_t size;
	void *rec;

	for (u32 i = 0; i < all->nr_events; i++) {
		size = sizeof(*event) + le32_to_cpu(event->name_len);
		rec = ckpt_part_add(ctx, CKPT_REC_INOTIFY_EVENT, size);
		if (IS_ERR(rec))
			return PTR_ERR(rec);
		memcpy(rec, event, size);
		event = (const void *)event + size;
	}
	return 0;
}

static int ckpt_inotify_write(struct ckpt_ctx *ctx, struct file *file,
			      const struct ckpt_inotify *all)
{
	struct fsnotify_group *group = file->private_data;
	struct ckpt_rec_inotify *rec;
	int err;

	rec = ckpt_file_add(ctx, file, CKPT_REC_FILE_INOTIFY, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->next_wd = cpu_to_le32(idr_get_cursor(&group->inotify_data.idr));
	rec->max_events = cpu_to_le32(group->max_events);
	rec->nr_watches = cpu_to_le32(all->nr);
	rec->nr_events = cpu_to_le32(all->nr_events);
	err = ckpt_inotify_watches_write(ctx, all);
	return err ?: ckpt_inotify_events_write(ctx, all);
}

static int ckpt_file_inotify_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct ckpt_inotify all = {};
	int err;

	err = ckpt_inotify_watches(ctx, obj, &all);
	if (!err)
		err = ckpt_inotify_events(ctx, obj, &all);
	if (!err)
		err = ckpt_inotify_deleted(ctx, &all);
	if (!err)
		err = ckpt_inotify_write(ctx, obj, &all);
	ckpt_inotify_release(&all);
	return err;
}

/* Restart. */

static int ckpt_inotify_check_watch(struct rstr_ctx *ctx,
				    const struct ckpt_record *rec)
{
	const struct ckpt_rec_inotify_watch *watch = rstr_payload(rec);
	size_t len = rstr_size(rec) - sizeof(*watch);
	const char *path = (const char *)watch->path;

	if (!watch->wd || le32_to_cpu(watch->wd) > INT_MAX ||
	    le32_to_cpu(watch->mask) & ~CKPT_INOTIFY_MASK ||
	    le32_to_cpu(watch->mode) & ~S_IFMT)
		return rstr_bad(ctx, rec, "watch %u, mask %#x, mode %#o",
				le32_to_cpu(watch->wd),
				le32_to_cpu(watch->mask),
				le32_to_cpu(watch->mode));
	if (watch->deleted && !len)
		return rstr_ref(ctx, rec, watch->deleted, CKPT_DELETED) ?
		       0 : -EBADMSG;
	if (watch->deleted || len < 2 || len > PATH_MAX || path[0] != '/' ||
	    strnlen(path, len) != len - 1)
		return rstr_bad(ctx, rec, "path");
	return 0;
}

static bool ckpt_inotify_event_is_overflow(const struct ckpt_rec_inotify_event *event)
{
	return event->mask == cpu_to_le32(FS_Q_OVERFLOW);
}

static int ckpt_inotify_check_event(struct rstr_ctx *ctx,
				    const struct ckpt_record *rec)
{
	const struct ckpt_rec_inotify_event *event = rstr_payload(rec);
	size_t len = rstr_size(rec) - sizeof(*event);
	u32 mask = le32_to_cpu(event->mask);

	if (len != le32_to_cpu(event->name_len) || len >= PATH_MAX ||
	    strnlen((const char *)event->name, len) != len)
		return rstr_bad(ctx, rec, "name");
	if (ckpt_inotify_event_is_overflow(event) ?
	    event->wd != cpu_to_le32(-1) || event->cookie || len :
	    !event->wd || le32_to_cpu(event->wd) > INT_MAX || !mask ||
	    mask & ~CKPT_INOTIFY_EVENTS)
		return rstr_bad(ctx, rec, "watch %u, mask %#x",
				le32_to_cpu(event->wd), mask);
	return 0;
}

static int ckpt_inotify_check_parts(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_inotify *inotify = rstr_payload(obj->rec);
	u32 watches = 0, events = 0, overflows = 0;
	const struct ckpt_record *rec;
	int err;

	rstr_for_each_part(rec, obj, CKPT_REC_INOTIFY_WATCH) {
		err = ckpt_inotify_check_watch(ctx, rec);
		if (err)
			return err;
		watches++;
	}
	rstr_for_each_part(rec, obj, CKPT_REC_INOTIFY_EVENT) {
		err = ckpt_inotify_check_event(ctx, rec);
		if (err)
			return err;
		overflows += ckpt_inotify_event_is_overflow(rstr_payload(rec));
		events++;
	}
	if (watches != le32_to_cpu(inotify->nr_watches) ||
	    events != le32_to_cpu(inotify->nr_events) || overflows > 1)
		return rstr_bad(ctx, obj->rec,
				"%u watches, %u events, %u times lost some",
				watches, events, overflows);
	return 0;
}

static int ckpt_file_inotify_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_inotify *rec = rstr_payload(obj->rec);
	u32 flags = le32_to_cpu(rec->flags);

	if (flags & ~CKPT_INOTIFY_FLAGS || (flags & O_ACCMODE) != O_RDONLY ||
	    rec->what)
		return rstr_bad(ctx, obj->rec, "flags %#o", flags);
	if (le32_to_cpu(rec->next_wd) > INT_MAX + 1U ||
	    le32_to_cpu(rec->max_events) > INT_MAX)
		return rstr_bad(ctx, obj->rec, "next watch %u, at most %u events",
				le32_to_cpu(rec->next_wd),
				le32_to_cpu(rec->max_events));
	return ckpt_inotify_check_parts(ctx, obj);
}

/* As inotify_add_to_idr(), under the number that it had. */
static int ckpt_inotify_add_to_idr(struct fsnotify_group *group,
				   struct inotify_inode_mark *mark, int wd)
{
	struct inotify_group_private_data *data = &group->inotify_data;
	u32 id = wd;
	int ret;

	idr_preload(GFP_KERNEL);
	spin_lock(&data->idr_lock);
	ret = idr_alloc_u32(&data->idr, mark, &id, wd, GFP_NOWAIT);
	if (!ret) {
		mark->wd = wd;
		fsnotify_get_mark(&mark->fsn_mark);
	}
	spin_unlock(&data->idr_lock);
	idr_preload_end();
	return ret == -ENOSPC ? -EEXIST : ret;
}

/* As inotify_new_watch(), of one that is blind so far. */
static int ckpt_inotify_mark_add(struct fsnotify_group *group,
				 struct inotify_inode_mark *mark,
				 struct inode *inode, int wd)
{
	int err = ckpt_inotify_add_to_idr(group, mark, wd);

	if (err)
		return err;
	if (!inc_inotify_watches(group->inotify_data.ucounts)) {
		inotify_remove_from_idr(group, mark);
		return -ENOSPC;
	}
	fsnotify_group_lock(group);
	err = fsnotify_add_inode_mark_locked(&mark->fsn_mark, inode, 0);
	fsnotify_group_unlock(group);
	if (err) {
		inotify_remove_from_idr(group, mark);
		dec_inotify_watches(group->inotify_data.ucounts);
	}
	return err;
}

static int ckpt_inotify_watch_inode(struct fsnotify_group *group,
				    struct inode *inode,
				    const struct ckpt_rec_inotify_watch *rec)
{
	struct inotify_inode_mark *mark;
	int err;

	if ((inode->i_mode & S_IFMT) != le32_to_cpu(rec->mode))
		return -ESTALE;
	mark = kmem_cache_alloc(inotify_inode_mark_cachep, GFP_KERNEL);
	if (!mark)
		return -ENOMEM;
	fsnotify_init_mark(&mark->fsn_mark, group);
	mark->fsn_mark.flags = inotify_arg_to_flags(le32_to_cpu(rec->mask));
	mark->wd = -1;
	err = ckpt_inotify_mark_add(group, mark, inode, le32_to_cpu(rec->wd));
	fsnotify_put_mark(&mark->fsn_mark);
	return err;
}

static int ckpt_inotify_watch_find(struct rstr_ctx *ctx,
				   const struct ckpt_rec_inotify_watch *rec,
				   struct path *path)
{
	struct file *file;

	if (!rec->deleted)
		return kern_path((const char *)rec->path, 0, path);
	file = rstr_get(ctx, rstr_obj(ctx, rec->deleted));
	if (IS_ERR(file))
		return PTR_ERR(file);
	*path = file->f_path;
	path_get(path);
	return 0;
}

/* As inotify_add_watch(2), so that it takes the same rights. */
static int ckpt_inotify_watch_path(struct rstr_ctx *ctx,
				   struct fsnotify_group *group,
				   const struct ckpt_rec_inotify_watch *rec)
{
	u32 mask = le32_to_cpu(rec->mask) & IN_ALL_EVENTS;
	struct path path;
	int err;

	err = ckpt_inotify_watch_find(ctx, rec, &path);
	if (err)
		return err;
	err = path_permission(&path, MAY_READ);
	if (!err)
		err = security_path_notify(&path, mask,
					   FSNOTIFY_OBJ_TYPE_INODE);
	if (!err)
		err = ckpt_inotify_watch_inode(group, d_inode(path.dentry),
					       rec);
	path_put(&path);
	return err;
}

static int ckpt_inotify_watches_restore(struct rstr_ctx *ctx,
					struct rstr_obj *obj,
					struct fsnotify_group *group)
{
	const struct ckpt_rec_inotify_watch *watch;
	const struct ckpt_record *rec;
	int err;

	rstr_for_each_part(rec, obj, CKPT_REC_INOTIFY_WATCH) {
		watch = rstr_payload(rec);
		err = ckpt_inotify_watch_path(ctx, group, watch);
		if (err)
			return ckpt_refuse(&ctx->log, err,
					   "inotify: watch %u, of %s: %pe",
					   le32_to_cpu(watch->wd),
					   watch->deleted ? "what was deleted" :
					   (const char *)watch->path,
					   ERR_PTR(err));
	}
	return 0;
}

static struct fsnotify_event *ckpt_inotify_event_make(const struct ckpt_rec_inotify_event *rec)
{
	u32 len = le32_to_cpu(rec->name_len);
	struct inotify_event_info *event;

	event = kmalloc(struct_size(event, name, len + 1), GFP_KERNEL_ACCOUNT);
	if (!event)
		return NULL;
	fsnotify_init_event(&event->fse);
	event->mask = le32_to_cpu(rec->mask);
	event->wd = le32_to_cpu(rec->wd);
	event->sync_cookie = le32_to_cpu(rec->cookie);
	event->name_len = len;
	memcpy(event->name, rec->name, len);
	event->name[len] = 0;
	return &event->fse;
}

/* Where there is no more room for all of them the reader learns of that. */
static int ckpt_inotify_events_restore(struct rstr_obj *obj,
				       struct fsnotify_group *group)
{
	const struct ckpt_rec_inotify_event *rec;
	const struct ckpt_record *part;
	struct fsnotify_event *event;

	rstr_for_each_part(part, obj, CKPT_REC_INOTIFY_EVENT) {
		rec = rstr_payload(part);
		if (ckpt_inotify_event_is_overflow(rec)) {
			fsnotify_queue_overflow(group);
			continue;
		}
		event = ckpt_inotify_event_make(rec);
		if (!event)
			return -ENOMEM;
		if (fsnotify_add_event(group, event, NULL))
			fsnotify_destroy_event(group, event);
	}
	return 0;
}

static int ckpt_inotify_open(struct rstr_obj *obj, struct fsnotify_group *group)
{
	const struct ckpt_rec_inotify *rec = rstr_payload(obj->rec);
	struct file *file;

	file = anon_inode_getfile("inotify", &inotify_fops, group, O_RDONLY);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ckpt_file_set_flags(file, le32_to_cpu(rec->flags));
	obj->ptr = file;
	return 0;
}

static int ckpt_file_inotify_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_inotify *rec = rstr_payload(obj->rec);
	struct fsnotify_group *group;
	int err;

	group = inotify_new_group(min_t(u32, le32_to_cpu(rec->max_events),
					inotify_max_queued_events));
	if (IS_ERR(group))
		return ckpt_refuse(&ctx->log, PTR_ERR(group), "inotify: %pe",
				   group);
	err = ckpt_inotify_open(obj, group);
	if (err) {
		fsnotify_destroy_group(group);
		return err;
	}
	/* From here on it goes with its file. */
	err = ckpt_inotify_events_restore(obj, group);
	if (!err)
		err = ckpt_inotify_watches_restore(ctx, obj, group);
	idr_set_cursor(&group->inotify_data.idr, le32_to_cpu(rec->next_wd));
	return err;
}

/* It may have gone since, with what it watched. */
static void ckpt_inotify_watch_start(struct fsnotify_group *group,
				     const struct ckpt_rec_inotify_watch *rec)
{
	struct inotify_inode_mark *mark;
	struct fsnotify_mark *fsn_mark;
	u32 mask = FS_UNMOUNT | (le32_to_cpu(rec->mask) & INOTIFY_USER_MASK);

	mark = inotify_idr_find(group, le32_to_cpu(rec->wd));
	if (!mark)
		return;
	if (S_ISDIR(le32_to_cpu(rec->mode)))
		mask |= FS_EVENT_ON_CHILD;
	fsn_mark = &mark->fsn_mark;
	fsnotify_group_lock(group);
	if (fsn_mark->flags & FSNOTIFY_MARK_FLAG_ATTACHED) {
		spin_lock(&fsn_mark->lock);
		fsn_mark->mask = mask;
		spin_unlock(&fsn_mark->lock);
		fsnotify_recalc_mask(fsn_mark->connector);
	}
	fsnotify_group_unlock(group);
	fsnotify_put_mark(fsn_mark);
}

static void ckpt_file_inotify_settle(struct rstr_ctx *ctx, struct rstr_obj *obj,
				     bool done)
{
	struct file *file = obj->ptr;
	const struct ckpt_record *rec;

	if (!done)
		return;
	rstr_for_each_part(rec, obj, CKPT_REC_INOTIFY_WATCH)
		ckpt_inotify_watch_start(file->private_data, rstr_payload(rec));
}

static const struct ckpt_part ckpt_inotify_watch_part = {
	.type		= CKPT_REC_INOTIFY_WATCH,
	.name		= "watch",
	.size		= sizeof(struct ckpt_rec_inotify_watch),
	.open_ended	= true,
	.max		= CKPT_WATCHES_MAX,
};

static const struct ckpt_part ckpt_inotify_event_part = {
	.type		= CKPT_REC_INOTIFY_EVENT,
	.name		= "event",
	.size		= sizeof(struct ckpt_rec_inotify_event),
	.open_ended	= true,
	.max		= CKPT_EVENTS_MAX,
};

static const struct ckpt_part *const ckpt_file_inotify_parts[] = {
	&ckpt_inotify_watch_part,
	&ckpt_inotify_event_part,
	NULL
};

const struct ckpt_kind ckpt_file_inotify_kind = {
	.type		= CKPT_REC_FILE_INOTIFY,
	.family		= CKPT_FILE,
	.name		= "inotify",
	.size		= sizeof(struct ckpt_rec_inotify),
	.parts		= ckpt_file_inotify_parts,
	.match		= ckpt_file_inotify_match,
	.users		= ckpt_file_users,
	.checkpoint	= ckpt_file_inotify_checkpoint,
	.check		= ckpt_file_inotify_check,
	.restore	= ckpt_file_inotify_restore,
	.settle		= ckpt_file_inotify_settle,
};
#endif
