// SPDX-License-Identifier: GPL-2.0-only
/*
 * Message queues of System V. Built as part of ipc/msg.c, which keeps to itself
 * what one is.
 *
 * Who waits to send or to receive has left the queue when he is at rest, and
 * calls again when he goes on: where he was in it is found out before.
 */
#ifdef CONFIG_CHECKPOINT
#include "../checkpoint/checkpoint.h"
#include "../checkpoint/image.h"
#include "../checkpoint/limits.h"
#include "../checkpoint/restart.h"
#include "../checkpoint/sysvipc.h"
#include "../checkpoint/turn.h"

#define CKPT_MSG_NAME	"System V message queue"

static struct msg_queue *ckpt_msg_queue(const void *obj)
{
	return container_of(obj, struct msg_queue, q_perm);
}

void ckpt_msg_queue_put(void *obj)
{
	ipc_rcu_putref(obj, msg_rcu_free);
}

void ckpt_msg_queue_describe(const void *obj, char *buf, size_t len)
{
	const struct kern_ipc_perm *perm = obj;

	snprintf(buf, len, CKPT_MSG_NAME " %d", perm->id);
}

static u32 ckpt_msg_queue_turn(struct msg_queue *msq,
			       const struct task_struct *task)
{
	struct msg_receiver *receiver;
	struct msg_sender *sender;
	u32 nr = 0;

	list_for_each_entry(receiver, &msq->q_receivers, r_list) {
		nr++;
		if (receiver->r_tsk == task)
			return nr;
	}
	list_for_each_entry(sender, &msq->q_senders, list) {
		nr++;
		if (sender->tsk == task)
			return nr;
	}
	return 0;
}

/**
 * ckpt_msg_turn() - the place of a task among those that wait for messages
 * @id: of the queue
 * @task: the task; it may run
 *
 * Return: from 1 on; or 0 if it is not among them.
 */
u32 ckpt_msg_turn(int id, const struct task_struct *task)
{
	struct msg_queue *msq;
	u32 nr;

	guard(rcu)();
	msq = msq_obtain_object_check(current->nsproxy->ipc_ns, id);
	if (IS_ERR(msq))
		return 0;
	ipc_lock_object(&msq->q_perm);
	nr = ckpt_msg_queue_turn(msq, task);
	ipc_unlock_object(&msq->q_perm);
	return nr;
}

static bool ckpt_msg_has_waiters(const struct msg_queue *msq)
{
	return !list_empty(&msq->q_receivers) || !list_empty(&msq->q_senders);
}

static bool ckpt_msg_has_others(struct ckpt_ctx *ctx,
				const struct msg_queue *msq)
{
	return ckpt_ipc_whose(ctx, msq->q_lspid) == CKPT_OTHERS ||
	       ckpt_ipc_whose(ctx, msq->q_lrpid) == CKPT_OTHERS ||
	       ckpt_msg_has_waiters(msq);
}

static void ckpt_msg_queue_fields_save(struct ckpt_ctx *ctx,
				       const struct msg_queue *msq,
				       struct ckpt_rec_msg_queue *rec)
{
	ckpt_ipc_save(&msq->q_perm, &rec->ipc);
	rec->ipc.ctime = cpu_to_le64(msq->q_ctime);
	rec->stime = cpu_to_le64(msq->q_stime);
	rec->rtime = cpu_to_le64(msq->q_rtime);
	rec->max_bytes = cpu_to_le64(msq->q_qbytes);
	rec->lspid = ckpt_ipc_pid_save(ctx, msq->q_lspid);
	rec->lrpid = ckpt_ipc_pid_save(ctx, msq->q_lrpid);
	rec->nr_msgs = cpu_to_le32(msq->q_qnum);
}

static int ckpt_msg_save(struct ckpt_ctx *ctx, struct msg_msg *msg)
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

/* What the messages take up as records. */
static size_t ckpt_msgs_size(const struct msg_queue *msq)
{
	return msq->q_cbytes + msq->q_qnum *
	       (sizeof(struct ckpt_record) + sizeof(struct ckpt_rec_msg) + 8);
}

/* There is room for all of them, as there can be none made under the lock. */
static int ckpt_msgs_save(struct ckpt_ctx *ctx, struct msg_queue *msq)
{
	struct msg_msg *msg;
	int err = 0;

	list_for_each_entry(msg, &msq->q_messages, m_list) {
		err = ckpt_msg_save(ctx, msg);
		if (err)
			break;
	}
	return err;
}

static int ckpt_msg_queue_locked_save(struct ckpt_ctx *ctx,
				      struct msg_queue *msq, size_t room,
				      struct ckpt_rec_msg_queue *rec)
{
	/* Changed by someone outside, as we look. */
	if (!ipc_valid_object(&msq->q_perm) || ckpt_msgs_size(msq) > room)
		return -EAGAIN;
	if (ckpt_msg_has_others(ctx, msq))
		return -EOPNOTSUPP;
	if (msq->q_qnum > CKPT_MSGS_MAX)
		return -E2BIG;
	ckpt_msg_queue_fields_save(ctx, msq, rec);
	return ckpt_msgs_save(ctx, msq);
}

static int ckpt_msg_queue_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct msg_queue *msq = ckpt_msg_queue(obj);
	struct ckpt_rec_msg_queue *rec;
	size_t room;
	int err;

	ipc_lock_object(obj);
	room = ckpt_msgs_size(msq);
	ipc_unlock_object(obj);
	err = ckpt_buf_reserve(&ctx->meta, sizeof(struct ckpt_record) +
					   sizeof(*rec) + room);
	if (err)
		return err;
	rec = ckpt_object_add(ctx, CKPT_REC_MSG_QUEUE, obj, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	ipc_lock_object(obj);
	err = ckpt_msg_queue_locked_save(ctx, msq, room, rec);
	ipc_unlock_object(obj);
	if (err == -E2BIG)
		return ckpt_refuse(&ctx->log, err,
				   CKPT_MSG_NAME " %d: more than %u messages",
				   msq->q_perm.id, CKPT_MSGS_MAX);
	if (err == -EOPNOTSUPP)
		return ckpt_refuse(&ctx->log, err,
				   CKPT_MSG_NAME " %d is shared with a process outside the tree",
				   msq->q_perm.id);
	return err;
}

static bool ckpt_msg_queue_is_ours(struct ckpt_ctx *ctx,
				   struct kern_ipc_perm *perm)
{
	struct msg_queue *msq = ckpt_msg_queue(perm);
	bool ours;

	ipc_lock_object(perm);
	ours = ckpt_ipc_whose(ctx, msq->q_lspid) == CKPT_OURS ||
	       ckpt_ipc_whose(ctx, msq->q_lrpid) == CKPT_OURS;
	if (!msq->q_lspid && !msq->q_lrpid && !ckpt_msg_has_waiters(msq))
		ours = ckpt_ipc_is_mine(ctx, perm);
	ipc_unlock_object(perm);
	return ours;
}

static int ckpt_msg_queue_collect(struct ckpt_ctx *ctx)
{
	struct ipc_ids *ids = &msg_ids(current->nsproxy->ipc_ns);
	struct kern_ipc_perm *perm;
	int from = 0, err;
	u32 ref;

	while ((perm = ckpt_ipc_next(ctx, ids, &from, ckpt_msg_queue_is_ours))) {
		err = ckpt_refer(ctx, CKPT_MSG_QUEUE, perm, &ref);
		ckpt_msg_queue_put(perm);
		if (err)
			return err;
	}
	return 0;
}

static int ckpt_msg_check(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	const struct ckpt_rec_msg *msg = rstr_payload(rec);
	struct ipc_namespace *ns = current->nsproxy->ipc_ns;

	if ((s64)le64_to_cpu(msg->type) < 1)
		return rstr_bad(ctx, rec, "type %lld", le64_to_cpu(msg->type));
	if (rstr_size(rec) - sizeof(*msg) > ns->msg_ctlmax)
		return ckpt_refuse(&ctx->log, -EINVAL,
				   "message of %zu bytes: too large (kernel.msgmax)",
				   rstr_size(rec) - sizeof(*msg));
	return 0;
}

/* What msgctl(2) IPC_SET takes, and msgsnd(2) would have let pass. */
static int ckpt_msg_queue_check_room(struct rstr_ctx *ctx,
				     struct rstr_obj *obj, u64 bytes, u64 nr)
{
	const struct ckpt_rec_msg_queue *rec = rstr_payload(obj->rec);
	u64 room = le64_to_cpu(rec->max_bytes);
	u64 max = max_t(u64, current->nsproxy->ipc_ns->msg_ctlmnb, room);

	if (room > current->nsproxy->ipc_ns->msg_ctlmnb &&
	    !capable(CAP_SYS_RESOURCE))
		return ckpt_refuse(&ctx->log, -EPERM,
				   CKPT_MSG_NAME " %u: room for %llu bytes: not permitted",
				   le32_to_cpu(rec->ipc.id), room);
	if (bytes > max || nr > max)
		return ckpt_refuse(&ctx->log, -EINVAL,
				   CKPT_MSG_NAME " %u: %llu bytes in %llu messages: too large",
				   le32_to_cpu(rec->ipc.id), bytes, nr);
	return 0;
}

static int ckpt_msg_queue_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_msg_queue *rec = rstr_payload(obj->rec);
	const struct ckpt_record *part;
	u64 bytes = 0;
	u32 nr = 0;
	int err;

	rstr_for_each_part(part, obj, CKPT_REC_MSG) {
		bytes += rstr_size(part) - sizeof(struct ckpt_rec_msg);
		nr++;
	}
	if (nr != le32_to_cpu(rec->nr_msgs) || rec->reserved)
		return rstr_bad(ctx, obj->rec, "%u messages, not %u", nr,
				le32_to_cpu(rec->nr_msgs));
	err = ckpt_ipc_check(ctx, obj->rec, &rec->ipc, 0);
	if (!err)
		err = ckpt_msg_queue_check_room(ctx, obj, bytes, nr);
	return err;
}

static int ckpt_msg_queue_new(struct ipc_namespace *ns, const void *obj)
{
	const struct ckpt_rec_msg_queue *rec = obj;
	struct ipc_params params = { .key = le32_to_cpu(rec->ipc.key) };

	return newque(ns, &params);
}

/* Whether nobody has used it, so that there is nothing in it that matters. */
static bool ckpt_msg_queue_is_unused(const struct ckpt_rec_msg_queue *rec)
{
	return !rec->nr_msgs && !rec->lspid && !rec->lrpid;
}

/* Whether a queue is the one of the image, and nobody who lives uses it. */
static bool ckpt_msg_queue_is_left(const struct msg_queue *msq,
				   const struct ckpt_rec_msg_queue *rec)
{
	if (!rec->ipc.key && msq->q_ctime != le64_to_cpu(rec->ipc.ctime))
		return false;
	return ckpt_msg_queue_is_unused(rec) ||
	       (!ckpt_msg_has_waiters(msq) &&
		!ckpt_ipc_pid_lives(msq->q_lspid) &&
		!ckpt_ipc_pid_lives(msq->q_lrpid));
}

static int ckpt_msg_queue_take_over(struct rstr_ctx *ctx,
				    const struct ckpt_rec_msg_queue *rec,
				    struct kern_ipc_perm *perm)
{
	bool left;

	ipc_lock_object(perm);
	left = ckpt_msg_queue_is_left(ckpt_msg_queue(perm), rec);
	ipc_unlock_object(perm);
	return left ? 0 : ckpt_ipc_in_use(ctx, &rec->ipc, CKPT_MSG_NAME);
}

/**
 * struct ckpt_msgs - what a queue is to have once the restart comes about
 * @made: the queue was not there before, and goes if nothing comes of it
 * @list: the messages
 */
struct ckpt_msgs {
	bool			made;
	struct list_head	list;
};

static void ckpt_msgs_free(struct list_head *list)
{
	struct msg_msg *msg, *next;

	list_for_each_entry_safe(msg, next, list, m_list)
		free_msg(msg);
	INIT_LIST_HEAD(list);
}

static int ckpt_msgs_load(struct rstr_obj *obj, struct list_head *list)
{
	const struct ckpt_rec_msg *p;
	const struct ckpt_record *rec;
	struct msg_msg *msg;

	rstr_for_each_part(rec, obj, CKPT_REC_MSG) {
		p = rstr_payload(rec);
		msg = ckpt_msg_load(p->data, rstr_size(rec) - sizeof(*p));
		if (IS_ERR(msg))
			return PTR_ERR(msg);
		msg->m_type = le64_to_cpu(p->type);
		list_add_tail(&msg->m_list, list);
		cond_resched();
	}
	return 0;
}

static int ckpt_msg_queue_obtain(struct rstr_ctx *ctx, struct rstr_obj *obj,
				 struct ckpt_msgs *msgs)
{
	struct ipc_ids *ids = &msg_ids(current->nsproxy->ipc_ns);
	const struct ckpt_rec_msg_queue *rec = rstr_payload(obj->rec);
	struct kern_ipc_perm *perm;
	int err = 0;

	perm = ckpt_ipc_find(ctx, ids, &rec->ipc, CKPT_MSG_NAME);
	if (perm && !IS_ERR(perm))
		err = ckpt_msg_queue_take_over(ctx, rec, perm);
	msgs->made = !perm;
	if (!perm)
		perm = ckpt_ipc_make(ctx, ids, &rec->ipc, CKPT_MSG_NAME,
				     ckpt_msg_queue_new, rec);
	if (IS_ERR(perm))
		return PTR_ERR(perm);
	if (err)
		return err;
	ckpt_ipc_get(perm);
	obj->ptr = perm;
	obj->private = msgs;
	return 0;
}

static int ckpt_msg_queue_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	struct ipc_ids *ids = &msg_ids(current->nsproxy->ipc_ns);
	struct ckpt_msgs *msgs;
	int err;

	msgs = kzalloc(sizeof(*msgs), GFP_KERNEL_ACCOUNT);
	if (!msgs)
		return -ENOMEM;
	INIT_LIST_HEAD(&msgs->list);
	err = ckpt_msgs_load(obj, &msgs->list);
	if (!err) {
		down_write(&ids->rwsem);
		err = ckpt_msg_queue_obtain(ctx, obj, msgs);
		up_write(&ids->rwsem);
	}
	if (err) {
		ckpt_msgs_free(&msgs->list);
		kfree(msgs);
	}
	return err;
}

static void ckpt_msg_queue_count(struct ipc_namespace *ns,
				 struct msg_queue *msq, int sign)
{
	percpu_counter_add_local(&ns->percpu_msg_bytes,
				 sign * (s64)msq->q_cbytes);
	percpu_counter_add_local(&ns->percpu_msg_hdrs,
				 sign * (s64)msq->q_qnum);
}

/* What was in it comes back in @list. */
static void ckpt_msg_queue_swap(struct msg_queue *msq, struct list_head *list)
{
	struct msg_msg *msg;
	LIST_HEAD(old);

	ckpt_msg_queue_count(current->nsproxy->ipc_ns, msq, -1);
	list_splice_init(&msq->q_messages, &old);
	list_splice_init(list, &msq->q_messages);
	list_splice(&old, list);
	msq->q_cbytes = 0;
	msq->q_qnum = 0;
	list_for_each_entry(msg, &msq->q_messages, m_list) {
		msq->q_cbytes += msg->m_ts;
		msq->q_qnum++;
	}
	ckpt_msg_queue_count(current->nsproxy->ipc_ns, msq, 1);
}

/* Who waits by now looks again, as after msgctl(2) IPC_SET. */
static void ckpt_msg_queue_fill(struct rstr_ctx *ctx, struct rstr_obj *obj,
				struct msg_queue *msq)
{
	const struct ckpt_rec_msg_queue *rec = rstr_payload(obj->rec);
	struct ckpt_msgs *msgs = obj->private;
	DEFINE_WAKE_Q(wake_q);

	ipc_lock_object(&msq->q_perm);
	ckpt_ipc_restore(&msq->q_perm, &rec->ipc);
	msq->q_ctime = le64_to_cpu(rec->ipc.ctime);
	msq->q_stime = le64_to_cpu(rec->stime);
	msq->q_rtime = le64_to_cpu(rec->rtime);
	msq->q_qbytes = le64_to_cpu(rec->max_bytes);
	ipc_update_pid(&msq->q_lspid, ckpt_ipc_pid(ctx, rec->lspid));
	ipc_update_pid(&msq->q_lrpid, ckpt_ipc_pid(ctx, rec->lrpid));
	ckpt_msg_queue_swap(msq, &msgs->list);
	expunge_all(msq, -EAGAIN, &wake_q);
	ss_wakeup(msq, &wake_q, false);
	ipc_unlock_object(&msq->q_perm);
	wake_up_q(&wake_q);
}

static void ckpt_msg_queue_settle(struct rstr_ctx *ctx, struct rstr_obj *obj,
				  bool done)
{
	struct ipc_namespace *ns = current->nsproxy->ipc_ns;
	struct msg_queue *msq = ckpt_msg_queue(obj->ptr);
	struct ckpt_msgs *msgs = obj->private;
	bool valid;

	down_write(&msg_ids(ns).rwsem);
	/* Unless someone removed it meanwhile, who was free to do so. */
	valid = ipc_valid_object(&msq->q_perm);
	if (valid && done &&
	    (msgs->made || !ckpt_msg_queue_is_unused(rstr_payload(obj->rec)))) {
		ckpt_msg_queue_fill(ctx, obj, msq);
	} else if (valid && !done && msgs->made) {
		rcu_read_lock();
		ipc_lock_object(&msq->q_perm);
		freeque(ns, &msq->q_perm);
	}
	up_write(&msg_ids(ns).rwsem);
	ckpt_msgs_free(&msgs->list);
	kfree(msgs);
	obj->private = NULL;
}

static const struct ckpt_part ckpt_msg_part = {
	.type		= CKPT_REC_MSG,
	.name		= "message",
	.size		= sizeof(struct ckpt_rec_msg),
	.open_ended	= true,
	.max		= CKPT_MSGS_MAX,
	.check		= ckpt_msg_check,
};

static const struct ckpt_part *const ckpt_msg_queue_parts[] = {
	&ckpt_msg_part,
	NULL
};

const struct ckpt_kind ckpt_msg_queue_kind = {
	.type		= CKPT_REC_MSG_QUEUE,
	.family		= CKPT_MSG_QUEUE,
	.name		= CKPT_MSG_NAME,
	.size		= sizeof(struct ckpt_rec_msg_queue),
	.parts		= ckpt_msg_queue_parts,
	.checkpoint	= ckpt_msg_queue_checkpoint,
	.check		= ckpt_msg_queue_check,
	.restore	= ckpt_msg_queue_restore,
	.collect	= ckpt_msg_queue_collect,
	.settle		= ckpt_msg_queue_settle,
};
#endif /* CONFIG_CHECKPOINT */
