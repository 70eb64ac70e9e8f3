// SPDX-License-Identifier: GPL-2.0-only
/*
 * POSIX message queues: what is in them, who is to be told of a message, and the
 * descriptions that refer to them. Built as part of ipc/mqueue.c, which alone
 * knows what one is made of.
 *
 * A queue that has a name outlives whoever has it open, so that a restart may
 * meet it. It is taken over if nobody has it open, its attributes are the same
 * and it belongs to the caller; but not before the restart is bound to come
 * about. Whoever waits for a queue has left it when he is at rest, and calls
 * again when he goes on: where he was in it is found out before.
 */
#ifdef CONFIG_CHECKPOINT
#include "../checkpoint/checkpoint.h"
#include "../checkpoint/file.h"
#include "../checkpoint/image.h"
#include "../checkpoint/limits.h"
#include "../checkpoint/restart.h"
#include "../checkpoint/sysvipc.h"
#include "../checkpoint/turn.h"

#define CKPT_MQUEUE_FLAGS	(CKPT_O_KNOWN & ~O_DIRECTORY)

/* Queues. */

static struct mqueue_inode_info *ckpt_mqueue_info(const void *obj)
{
	return MQUEUE_I(d_inode((struct dentry *)obj));
}

/* The last one is served first. */
static u32 ckpt_mqueue_place(struct list_head *waiters,
			     const struct task_struct *task)
{
	struct ext_wait_queue *waiter;
	u32 nr = 0;

	list_for_each_entry_reverse(waiter, waiters, list) {
		nr++;
		if (waiter->task == task)
			return nr;
	}
	return 0;
}

/**
 * ckpt_mqueue_turn() - the place of a task among those that wait for messages
 * @file: the queue, or any other file
 * @task: the task; it may run
 *
 * Return: from 1 on; or 0 if it is not among them.
 */
u32 ckpt_mqueue_turn(struct file *file, const struct task_struct *task)
{
	struct mqueue_inode_info *info;

	if (file->f_op != &mqueue_file_operations)
		return 0;
	info = MQUEUE_I(file_inode(file));
	guard(spinlock)(&info->lock);
	return ckpt_mqueue_place(&info->e_wait_q[RECV].list, task) ?:
	       ckpt_mqueue_place(&info->e_wait_q[SEND].list, task);
}

/* Each description has a share in it; and its name, while it has one. */
static int ckpt_mqueue_users(void *obj)
{
	struct dentry *dentry = obj;

	return d_count(dentry) - !d_unlinked(dentry);
}

static void ckpt_mqueue_notify_save(struct ckpt_ctx *ctx,
				    const struct mqueue_inode_info *info,
				    struct ckpt_rec_mqueue *rec)
{
	struct task_struct *owner;
	bool same = false;

	if (!info->notify_owner)
		return;
	rec->what |= cpu_to_le32(CKPT_MQUEUE_NOTIFY);
	rec->owner = ckpt_ipc_pid_save(ctx, info->notify_owner);
	rec->notify = cpu_to_le32(info->notify.sigev_notify);
	if (info->notify.sigev_notify != SIGEV_SIGNAL)
		return;
	rec->value = cpu_to_le64((uintptr_t)info->notify.sigev_value.sival_ptr);
	scoped_guard(rcu) {
		owner = pid_task(info->notify_owner, PIDTYPE_TGID);
		same = owner &&
		       owner->self_exec_id == info->notify_self_exec_id;
	}
	/* To a program that its process does not run any more none is sent. */
	if (same)
		rec->signo = cpu_to_le32(info->notify.sigev_signo);
}

static void ckpt_mqueue_fields_save(struct ckpt_ctx *ctx,
				    struct dentry *dentry,
				    struct ckpt_rec_mqueue *rec)
{
	const struct mqueue_inode_info *info = ckpt_mqueue_info(dentry);
	struct user_namespace *ns = current_user_ns();
	const struct inode *inode = d_inode(dentry);

	rec->max_msgs = cpu_to_le64(info->attr.mq_maxmsg);
	rec->msg_size = cpu_to_le64(info->attr.mq_msgsize);
	rec->nr_msgs = cpu_to_le32(info->attr.mq_curmsgs);
	rec->mode = cpu_to_le32(inode->i_mode & S_IALLUGO);
	rec->uid = cpu_to_le32(from_kuid_munged(ns, inode->i_uid));
	rec->gid = cpu_to_le32(from_kgid_munged(ns, inode->i_gid));
	if (d_unlinked(dentry))
		rec->what = cpu_to_le32(CKPT_MQUEUE_UNLINKED);
	ckpt_mqueue_notify_save(ctx, info, rec);
	/* Nobody renames one. */
	memcpy(rec->name, dentry->d_name.name, dentry->d_name.len);
}

static int ckpt_mqueue_msg_save(struct ckpt_ctx *ctx, struct msg_msg *msg)
{
	struct ckpt_rec_msg *rec;

	rec = ckpt_part_add(ctx, CKPT_REC_MSG,
			    struct_size(rec, data, msg->m_ts));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->type = cpu_to_le64(msg->m_type);
	ckpt_msg_store(msg, rec->data);
	return 0;
}

/* In the order in which they will be received. */
static int ckpt_mqueue_msgs_save(struct ckpt_ctx *ctx,
				 struct mqueue_inode_info *info)
{
	struct posix_msg_tree_node *leaf;
	struct rb_node *node;
	struct msg_msg *msg;
	int err;

	for (node = info->msg_tree_rightmost; node; node = rb_prev(node)) {
		leaf = rb_entry(node, struct posix_msg_tree_node, rb_node);
		list_for_each_entry(msg, &leaf->msg_list, m_list) {
			err = ckpt_mqueue_msg_save(ctx, msg);
			if (err)
				return err;
		}
	}
	return 0;
}

/* What the messages take up as records. */
static size_t ckpt_mqueue_room(const struct mqueue_inode_info *info)
{
	return info->qsize + info->attr.mq_curmsgs *
	       (sizeof(struct ckpt_record) + sizeof(struct ckpt_rec_msg) + 8);
}

static int ckpt_mqueue_locked_save(struct ckpt_ctx *ctx, struct dentry *dentry,
				   size_t room, struct ckpt_rec_mqueue *rec)
{
	struct mqueue_inode_info *info = ckpt_mqueue_info(dentry);

	/* Changed by someone outside, as we look. */
	if (ckpt_mqueue_room(info) > room)
		return -EAGAIN;
	if (info->notify_owner && info->notify.sigev_notify == SIGEV_THREAD)
		return -EOPNOTSUPP;
	if (ckpt_ipc_whose(ctx, info->notify_owner) == CKPT_OTHERS)
		return -EXDEV;
	ckpt_mqueue_fields_save(ctx, dentry, rec);
	return ckpt_mqueue_msgs_save(ctx, info);
}

static int ckpt_mqueue_save(struct ckpt_ctx *ctx, struct dentry *dentry,
			    size_t room)
{
	struct mqueue_inode_info *info = ckpt_mqueue_info(dentry);
	struct ckpt_rec_mqueue *rec;
	int err;

	rec = ckpt_object_add(ctx, CKPT_REC_MQUEUE, dentry,
			      sizeof(*rec) + dentry->d_name.len + 1);
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	spin_lock(&info->lock);
	err = ckpt_mqueue_locked_save(ctx, dentry, room, rec);
	spin_unlock(&info->lock);
	return err;
}

static int ckpt_mqueue_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct mqueue_inode_info *info = ckpt_mqueue_info(obj);
	struct dentry *dentry = obj;
	size_t room;
	int err;

	spin_lock(&info->lock);
	room = ckpt_mqueue_room(info);
	spin_unlock(&info->lock);
	/* Under the lock nothing can be allocated. */
	err = ckpt_buf_reserve(&ctx->meta, sizeof(struct ckpt_record) +
			       sizeof(struct ckpt_rec_mqueue) + NAME_MAX + 8 +
			       room);
	if (!err)
		err = ckpt_mqueue_save(ctx, dentry, room);
	if (err == -EOPNOTSUPP)
		return ckpt_refuse(&ctx->log, err,
				   "message queue /%pd: tells a thread of messages (SIGEV_THREAD): not supported",
				   dentry);
	if (err == -EXDEV)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "message queue /%pd: tells a process outside the tree of messages",
				   dentry);
	return err;
}

static int ckpt_mqueue_check_notify(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_mqueue *rec = rstr_payload(obj->rec);
	u32 notify = le32_to_cpu(rec->notify);

	if (!(rec->what & cpu_to_le32(CKPT_MQUEUE_NOTIFY)))
		return rec->notify || rec->signo || rec->value || rec->owner ?
		       rstr_bad(ctx, obj->rec, "tells nobody, and yet someone") :
		       0;
	if ((notify != SIGEV_SIGNAL && notify != SIGEV_NONE) ||
	    !valid_signal(le32_to_cpu(rec->signo)))
		return rstr_bad(ctx, obj->rec, "notification %u, signal %u",
				notify, le32_to_cpu(rec->signo));
	return 0;
}

static int ckpt_mqueue_check_msgs(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_mqueue *rec = rstr_payload(obj->rec);
	const struct ckpt_record *part;
	u32 nr = 0;

	rstr_for_each_part(part, obj, CKPT_REC_MSG) {
		const struct ckpt_rec_msg *msg = rstr_payload(part);

		nr++;
		if (le64_to_cpu(msg->type) >= MQ_PRIO_MAX ||
		    rstr_size(part) - sizeof(*msg) > le64_to_cpu(rec->msg_size))
			return rstr_bad(ctx, part, "%zu bytes, priority %llu",
					rstr_size(part) - sizeof(*msg),
					le64_to_cpu(msg->type));
	}
	if (nr != le32_to_cpu(rec->nr_msgs) || nr > le64_to_cpu(rec->max_msgs))
		return rstr_bad(ctx, obj->rec, "%u messages, not %u of %llu",
				nr, le32_to_cpu(rec->nr_msgs),
				le64_to_cpu(rec->max_msgs));
	return 0;
}

static int ckpt_mqueue_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_mqueue *rec = rstr_payload(obj->rec);
	size_t len = rstr_size(obj->rec) - sizeof(*rec);
	int err;

	if (!rec->max_msgs || le64_to_cpu(rec->max_msgs) > HARD_MSGMAX ||
	    !rec->msg_size || le64_to_cpu(rec->msg_size) > HARD_MSGSIZEMAX)
		return rstr_bad(ctx, obj->rec, "%llu messages of %llu bytes",
				le64_to_cpu(rec->max_msgs),
				le64_to_cpu(rec->msg_size));
	if (le32_to_cpu(rec->what) & ~CKPT_MQUEUE_KNOWN ||
	    le32_to_cpu(rec->mode) & ~S_IALLUGO)
		return rstr_bad(ctx, obj->rec, "flags %#x, mode %#o",
				le32_to_cpu(rec->what), le32_to_cpu(rec->mode));
	if (len < 2 || len > NAME_MAX + 1 ||
	    strnlen((const char *)rec->name, len) != len - 1)
		return rstr_bad(ctx, obj->rec, "name");
	err = ckpt_mqueue_check_notify(ctx, obj);
	return err ?: ckpt_mqueue_check_msgs(ctx, obj);
}

/**
 * struct ckpt_mqueue - what a queue is to have once the restart comes about
 * @made: the queue was not there before, and goes if nothing comes of it
 * @info: holds the messages meanwhile; a part of no inode
 */
struct ckpt_mqueue {
	bool				made;
	struct mqueue_inode_info	info;
};

static void ckpt_mqueue_staged_free(struct ckpt_mqueue *staged)
{
	struct msg_msg *msg;

	while ((msg = msg_get(&staged->info)))
		free_msg(msg);
	kfree(staged->info.node_cache);
	kfree(staged);
}

static int ckpt_mqueue_stage_one(struct mqueue_inode_info *info,
				 const struct ckpt_record *rec)
{
	const struct ckpt_rec_msg *p = rstr_payload(rec);
	struct msg_msg *msg;
	int err;

	if (!info->node_cache) {
		info->node_cache = kmalloc(sizeof(*info->node_cache),
					   GFP_KERNEL_ACCOUNT);
		if (!info->node_cache)
			return -ENOMEM;
		INIT_LIST_HEAD(&info->node_cache->msg_list);
	}
	msg = ckpt_msg_load(p->data, rstr_size(rec) - sizeof(*p));
	if (IS_ERR(msg))
		return PTR_ERR(msg);
	msg->m_type = le64_to_cpu(p->type);
	err = msg_insert(msg, info);
	if (err)
		free_msg(msg);
	return err;
}

static struct ckpt_mqueue *ckpt_mqueue_stage(struct rstr_obj *obj)
{
	const struct ckpt_record *rec;
	struct ckpt_mqueue *staged;
	int err;

	staged = kzalloc(sizeof(*staged), GFP_KERNEL_ACCOUNT);
	if (!staged)
		return ERR_PTR(-ENOMEM);
	rstr_for_each_part(rec, obj, CKPT_REC_MSG) {
		err = ckpt_mqueue_stage_one(&staged->info, rec);
		if (err) {
			ckpt_mqueue_staged_free(staged);
			return ERR_PTR(err);
		}
		cond_resched();
	}
	return staged;
}

/* Whether a queue of that name is the one of the image, and nobody has it open.
 * One reference is the name's, and one the caller's.
 */
static int ckpt_mqueue_take_over(struct rstr_ctx *ctx,
				 const struct ckpt_rec_mqueue *rec,
				 struct dentry *dentry)
{
	const struct mqueue_inode_info *info = ckpt_mqueue_info(dentry);
	struct user_namespace *ns = current_user_ns();
	const struct inode *inode = d_inode(dentry);

	if (info->attr.mq_maxmsg != le64_to_cpu(rec->max_msgs) ||
	    info->attr.mq_msgsize != le64_to_cpu(rec->msg_size) ||
	    from_kuid_munged(ns, inode->i_uid) != le32_to_cpu(rec->uid) ||
	    from_kgid_munged(ns, inode->i_gid) != le32_to_cpu(rec->gid))
		return ckpt_refuse(&ctx->log, -EEXIST,
				   "message queue /%pd: there is another one of that name",
				   dentry);
	if (!inode_owner_or_capable(&nop_mnt_idmap, inode))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "message queue /%pd: there is one, and not permitted to remove it",
				   dentry);
	if (d_count(dentry) > 2)
		return ckpt_refuse(&ctx->log, -EBUSY,
				   "message queue /%pd: there is one, and it is in use",
				   dentry);
	return 0;
}

/* As mq_open(2); but one that was unlinked never has a name. */
static int ckpt_mqueue_make(struct rstr_ctx *ctx,
			    const struct ckpt_rec_mqueue *rec,
			    struct dentry *dentry)
{
	umode_t mode = le32_to_cpu(rec->mode);
	struct mq_attr attr = {
		.mq_maxmsg	= le64_to_cpu(rec->max_msgs),
		.mq_msgsize	= le64_to_cpu(rec->msg_size),
	};
	int err;

	if (d_unhashed(dentry)) {
		err = mqueue_create_attr(dentry, S_IFREG | mode, &attr);
		if (!err)
			mqueue_unlink(d_inode(dentry->d_parent), dentry);
	} else {
		err = vfs_mkobj(dentry, mode, mqueue_create_attr, &attr);
	}
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "message queue /%pd: can't be made: %pe",
				   dentry, ERR_PTR(err));
	return 0;
}

static int ckpt_mqueue_obtain(struct rstr_ctx *ctx,
			      const struct ckpt_rec_mqueue *rec,
			      struct dentry *dentry, struct ckpt_mqueue *staged)
{
	if (d_really_is_positive(dentry))
		return ckpt_mqueue_take_over(ctx, rec, dentry);
	staged->made = true;
	return ckpt_mqueue_make(ctx, rec, dentry);
}

static struct dentry *ckpt_mqueue_lookup(const struct ckpt_rec_mqueue *rec,
					 struct dentry *root)
{
	const char *name = (const char *)rec->name;
	struct dentry *dentry;

	if (!(rec->what & cpu_to_le32(CKPT_MQUEUE_UNLINKED)))
		return lookup_one_len(name, root, strlen(name));
	dentry = d_alloc_name(root, name);
	return dentry ?: ERR_PTR(-ENOMEM);
}

/* Leaves the queue in obj->ptr even where what comes after it fails. */
static int ckpt_mqueue_find(struct rstr_ctx *ctx, struct rstr_obj *obj,
			    struct ckpt_mqueue *staged)
{
	struct vfsmount *mnt = current->nsproxy->ipc_ns->mq_mnt;
	const struct ckpt_rec_mqueue *rec = rstr_payload(obj->rec);
	struct dentry *dentry;
	int err;

	err = mnt_want_write(mnt);
	if (err)
		return err;
	inode_lock(d_inode(mnt->mnt_root));
	dentry = ckpt_mqueue_lookup(rec, mnt->mnt_root);
	if (IS_ERR(dentry)) {
		err = PTR_ERR(dentry);
	} else {
		err = ckpt_mqueue_obtain(ctx, rec, dentry, staged);
		if (err)
			dput(dentry);
		else
			obj->ptr = dentry;
	}
	inode_unlock(d_inode(mnt->mnt_root));
	mnt_drop_write(mnt);
	return err;
}

static struct file *ckpt_mqueue_open(struct dentry *dentry, u32 flags)
{
	struct path path = {
		.mnt	= current->nsproxy->ipc_ns->mq_mnt,
		.dentry	= dentry,
	};

	return dentry_open(&path, flags, current_cred());
}

static int ckpt_mqueue_own(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_mqueue *rec = rstr_payload(obj->rec);
	struct file *file = ckpt_mqueue_open(obj->ptr, O_RDONLY);
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	err = ckpt_file_owner(ctx, file, le32_to_cpu(rec->uid),
			      le32_to_cpu(rec->gid), le32_to_cpu(rec->mode));
	fput(file);
	return err;
}

static int ckpt_mqueue_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	struct ckpt_mqueue *staged = ckpt_mqueue_stage(obj);
	int err;

	if (IS_ERR(staged))
		return PTR_ERR(staged);
	err = ckpt_mqueue_find(ctx, obj, staged);
	if (err) {
		ckpt_mqueue_staged_free(staged);
		return err;
	}
	obj->private = staged;
	return staged->made ? ckpt_mqueue_own(ctx, obj) : 0;
}

/* As mq_notify(2), for another process. */
static void ckpt_mqueue_notify_restore(struct rstr_ctx *ctx,
				       struct mqueue_inode_info *info,
				       const struct ckpt_rec_mqueue *rec)
{
	struct pid *pid = ckpt_ipc_pid(ctx, rec->owner);
	struct task_struct *task;

	if (info->notify_owner)
		remove_notification(info);
	if (!(rec->what & cpu_to_le32(CKPT_MQUEUE_NOTIFY)) || !pid)
		return;
	guard(rcu)();
	task = pid_task(pid, PIDTYPE_TGID);
	if (!task)
		return;
	info->notify = (struct sigevent){
		.sigev_notify	= le32_to_cpu(rec->notify),
		.sigev_signo	= le32_to_cpu(rec->signo),
		.sigev_value.sival_ptr =
			(void __user *)(uintptr_t)le64_to_cpu(rec->value),
	};
	info->notify_self_exec_id = task->self_exec_id;
	info->notify_owner = get_pid(pid);
	info->notify_user_ns = get_user_ns(current_user_ns());
}

/* What was in it comes back in @staged. */
static void ckpt_mqueue_swap(struct mqueue_inode_info *info,
			     struct mqueue_inode_info *staged)
{
	swap(info->msg_tree, staged->msg_tree);
	swap(info->msg_tree_rightmost, staged->msg_tree_rightmost);
	swap(info->node_cache, staged->node_cache);
	swap(info->attr.mq_curmsgs, staged->attr.mq_curmsgs);
	swap(info->qsize, staged->qsize);
}

static void ckpt_mqueue_fill(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_mqueue *rec = rstr_payload(obj->rec);
	struct mqueue_inode_info *info = ckpt_mqueue_info(obj->ptr);
	struct inode *inode = d_inode((struct dentry *)obj->ptr);
	struct ckpt_mqueue *staged = obj->private;

	inode_lock(inode);
	inode->i_mode = S_IFREG | le32_to_cpu(rec->mode);
	inode_unlock(inode);
	spin_lock(&info->lock);
	ckpt_mqueue_swap(info, &staged->info);
	ckpt_mqueue_notify_restore(ctx, info, rec);
	spin_unlock(&info->lock);
}

/* As mq_unlink(2), if nobody did. */
static void ckpt_mqueue_undo(struct dentry *dentry)
{
	struct inode *dir = d_inode(dentry->d_parent);

	inode_lock(dir);
	if (!d_unlinked(dentry)) {
		d_drop(dentry);
		mqueue_unlink(dir, dentry);
	}
	inode_unlock(dir);
}

static void ckpt_mqueue_settle(struct rstr_ctx *ctx, struct rstr_obj *obj,
			       bool done)
{
	struct ckpt_mqueue *staged = obj->private;

	if (done)
		ckpt_mqueue_fill(ctx, obj);
	else if (staged->made)
		ckpt_mqueue_undo(obj->ptr);
	ckpt_mqueue_staged_free(staged);
	obj->private = NULL;
}

static const struct ckpt_part ckpt_mqueue_msg_part = {
	.type		= CKPT_REC_MSG,
	.name		= "message",
	.size		= sizeof(struct ckpt_rec_msg),
	.open_ended	= true,
	.max		= HARD_MSGMAX,
};

static const struct ckpt_part *const ckpt_mqueue_parts[] = {
	&ckpt_mqueue_msg_part,
	NULL
};

const struct ckpt_kind ckpt_mqueue_kind = {
	.type		= CKPT_REC_MQUEUE,
	.family		= CKPT_MQUEUE,
	.name		= "message queue",
	.size		= sizeof(struct ckpt_rec_mqueue),
	.open_ended	= true,
	.parts		= ckpt_mqueue_parts,
	.users		= ckpt_mqueue_users,
	.checkpoint	= ckpt_mqueue_checkpoint,
	.check		= ckpt_mqueue_check,
	.restore	= ckpt_mqueue_restore,
	.settle		= ckpt_mqueue_settle,
};

/* Descriptions. */

static bool ckpt_file_mqueue_match(const void *obj)
{
	const struct file *file = obj;

	return file->f_op == &mqueue_file_operations;
}

static int ckpt_file_mqueue_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct file *file = obj;
	struct dentry *dentry = file->f_path.dentry;
	struct ckpt_rec_file_mqueue *rec;
	u32 ref;
	int err;

	/* By way of a mount in another place. */
	if (dentry->d_sb != current->nsproxy->ipc_ns->mq_mnt->mnt_sb)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "message queue /%pd of another IPC namespace: not supported",
				   dentry);
	err = ckpt_save(ctx, CKPT_MQUEUE, dentry, &ref);
	if (err)
		return err;
	rec = ckpt_file_add(ctx, file, CKPT_REC_FILE_MQUEUE, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->queue = cpu_to_le32(ref);
	rec->pos = cpu_to_le64(file->f_pos);
	return 0;
}

static int ckpt_file_mqueue_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_mqueue *rec = rstr_payload(obj->rec);
	u32 flags = le32_to_cpu(rec->flags);

	if (flags & ~CKPT_MQUEUE_FLAGS || (flags & O_ACCMODE) == O_ACCMODE)
		return rstr_bad(ctx, obj->rec, "flags %#o", flags);
	if (rec->what || rec->reserved || le64_to_cpu(rec->pos) > LLONG_MAX)
		return rstr_bad(ctx, obj->rec, "what %#x, offset %lld",
				le32_to_cpu(rec->what), le64_to_cpu(rec->pos));
	return rstr_ref(ctx, obj->rec, rec->queue, CKPT_MQUEUE) ? 0 : -EBADMSG;
}

static int ckpt_file_mqueue_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_mqueue *rec = rstr_payload(obj->rec);
	u32 flags = le32_to_cpu(rec->flags);
	struct dentry *dentry;
	struct file *file;

	dentry = rstr_get(ctx, rstr_obj(ctx, rec->queue));
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	file = ckpt_mqueue_open(dentry, flags & O_ACCMODE);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ckpt_file_set_flags(file, flags);
	file->f_pos = le64_to_cpu(rec->pos);
	obj->ptr = file;
	return 0;
}

const struct ckpt_kind ckpt_file_mqueue_kind = {
	.type		= CKPT_REC_FILE_MQUEUE,
	.family		= CKPT_FILE,
	.name		= "open message queue",
	.size		= sizeof(struct ckpt_rec_file_mqueue),
	.match		= ckpt_file_mqueue_match,
	.users		= ckpt_file_users,
	.checkpoint	= ckpt_file_mqueue_checkpoint,
	.check		= ckpt_file_mqueue_check,
	.restore	= ckpt_file_mqueue_restore,
};
#endif /* CONFIG_CHECKPOINT */
