// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was sent to a socket of AF_UNIX and is still to be read, message by message,
 * with the descriptors and credentials in it. Built as a part of
 * net/unix/af_unix.c, after sock_unix_name.c.
 */
#ifdef CONFIG_CHECKPOINT
#include "checkpoint.h"
#include "file.h"
#include "limits.h"
#include "restart.h"
#include "sock.h"
#include "tree.h"

/* Checkpoint. */

/**
 * struct ckpt_unix_message - a message, as found while nobody could read it
 * @skb: the message, a reference held
 * @fpl: the files in it, with references of our own; or NULL
 * @sender: reference to the socket that it was sent from
 * @consumed: what had been read of it
 * @oob: it is the urgent one
 */
struct ckpt_unix_message {
	struct sk_buff		*skb;
	struct scm_fp_list	*fpl;
	u32			sender;
	u32			consumed;
	bool			oob;
};

struct ckpt_unix_queue {
	u32				nr;
	u32				max;
	struct ckpt_unix_message	*message;
};

static void ckpt_unix_queue_release(struct ckpt_unix_queue *queue)
{
	for (u32 i = 0; i < queue->nr; i++) {
		struct scm_cookie scm = { .fp = queue->message[i].fpl };

		scm_destroy(&scm);
		consume_skb(queue->message[i].skb);
	}
	kvfree(queue->message);
}

static bool ckpt_unix_is_oob(const struct sock *sk, const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_AF_UNIX_OOB)
	return unix_sk(sk)->oob_skb == skb;
#else
	return false;
#endif
}

/* More may come from outside meanwhile; these are later than the checkpoint. */
static void ckpt_unix_queue_list(struct sock *sk, struct ckpt_unix_queue *queue)
{
	struct sk_buff *skb;

	spin_lock(&sk->sk_receive_queue.lock);
	skb_queue_walk(&sk->sk_receive_queue, skb) {
		if (queue->nr == queue->max)
			break;
		queue->message[queue->nr++] = (struct ckpt_unix_message){
			.skb = skb_get(skb),
			.consumed = UNIXCB(skb).consumed,
			.oob = ckpt_unix_is_oob(sk, skb),
		};
	}
	spin_unlock(&sk->sk_receive_queue.lock);
}

/* As MSG_PEEK has it, which the garbage collector has to know of. */
static int ckpt_unix_queue_files(struct ckpt_unix_queue *queue)
{
	for (u32 i = 0; i < queue->nr; i++) {
		struct ckpt_unix_message *message = &queue->message[i];
		struct scm_cookie scm = {};

		if (!UNIXCB(message->skb).fp)
			continue;
		unix_peek_fds(&scm, message->skb);
		if (!scm.fp)
			return -ENOMEM;
		message->fpl = scm.fp;
	}
	return 0;
}

/* Who reads has to have the lock, but for messages of what waits to be accepted. */
static int ckpt_unix_queue_get(struct ckpt_ctx *ctx, struct sock *sk,
			       struct ckpt_unix_queue *queue)
{
	struct unix_sock *u = unix_sk(sk);

	if (READ_ONCE(sk->sk_state) == TCP_LISTEN)
		return 0;
	guard(mutex)(&u->iolock);
	queue->max = skb_queue_len_lockless(&sk->sk_receive_queue);
	if (queue->max > CKPT_SOCK_MESSAGES_MAX)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "unix socket: %u messages wait to be read: not supported",
				   queue->max);
	queue->message = kvcalloc(queue->max + 1, sizeof(*queue->message),
				  GFP_KERNEL_ACCOUNT);
	if (!queue->message)
		return -ENOMEM;
	ckpt_unix_queue_list(sk, queue);
	return ckpt_unix_queue_files(queue);
}

/* One that nobody refers to any more lives on by what it has sent; it is written
 * once for messages that follow each other.
 */
static int ckpt_unix_sender_save(struct ckpt_ctx *ctx,
				 struct ckpt_unix_queue *queue, u32 i)
{
	struct ckpt_unix_message *message = &queue->message[i];
	struct sock *sk = message->skb->sk;
	int err = 0;

	if (refcount_inc_not_zero(&sk->sk_refcnt)) {
		err = ckpt_mention(ctx, CKPT_SOCK, sk, &message->sender);
		sock_put(sk);
	} else if (i && message[-1].skb->sk == sk) {
		message->sender = message[-1].sender;
	} else {
		err = ckpt_unix_dead_write(ctx, sk);
		message->sender = ctx->last_ref;
	}
	return err;
}

/* All that the messages refer to. */
static int ckpt_unix_queue_save(struct ckpt_ctx *ctx,
				struct ckpt_unix_queue *queue)
{
	struct scm_fp_list *fpl;
	u32 ref;
	int err;

	for (u32 i = 0; i < queue->nr; i++) {
		err = ckpt_unix_sender_save(ctx, queue, i);
		if (err)
			return err;
		fpl = queue->message[i].fpl;
		for (int j = 0; fpl && j < fpl->count; j++) {
			err = ckpt_save(ctx, CKPT_FILE, fpl->fp[j], &ref);
			if (err)
				return err;
		}
	}
	return 0;
}

static int ckpt_unix_message_write(struct ckpt_ctx *ctx,
				   const struct ckpt_unix_message *message)
{
	struct user_namespace *ns = current_user_ns();
	struct sk_buff *skb = message->skb;
	struct ckpt_rec_unix_message *rec;

	if (skb->len > CKPT_SOCK_MESSAGE_MAX)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "unix socket: message of %u bytes: not supported",
				   skb->len);
	rec = ckpt_part_add(ctx, CKPT_REC_UNIX_MESSAGE,
			    sizeof(*rec) + skb->len);
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->sender = cpu_to_le32(message->sender);
	rec->what = cpu_to_le32(message->oob ? CKPT_MESSAGE_OOB : 0);
	rec->pid = cpu_to_le32(pid_vnr(UNIXCB(skb).pid));
	rec->uid = cpu_to_le32(from_kuid(ns, UNIXCB(skb).uid));
	rec->gid = cpu_to_le32(from_kgid(ns, UNIXCB(skb).gid));
	rec->nr_rights = cpu_to_le32(message->fpl ? message->fpl->count : 0);
	rec->consumed = cpu_to_le32(message->consumed);
	rec->linear = cpu_to_le32(skb_headlen(skb));
	rec->time = cpu_to_le64(skb->tstamp);
	return skb_copy_bits(skb, 0, rec->data, skb->len);
}

static int ckpt_unix_rights_write(struct ckpt_ctx *ctx,
				  const struct scm_fp_list *fpl)
{
	struct ckpt_rec_unix_right *rec;
	u32 ref;
	int err;

	for (int i = 0; fpl && i < fpl->count; i++) {
		err = ckpt_mention(ctx, CKPT_FILE, fpl->fp[i], &ref);
		if (err)
			return err;
		rec = ckpt_part_add(ctx, CKPT_REC_UNIX_RIGHT, sizeof(*rec));
		if (IS_ERR(rec))
			return PTR_ERR(rec);
		rec->file = cpu_to_le32(ref);
	}
	return 0;
}

static int ckpt_unix_queue_write(struct ckpt_ctx *ctx,
				 const struct ckpt_unix_queue *queue)
{
	int err = 0;

	for (u32 i = 0; i < queue->nr && !err; i++) {
		err = ckpt_unix_message_write(ctx, &queue->message[i]);
		if (!err)
			err = ckpt_unix_rights_write(ctx,
						     queue->message[i].fpl);
	}
	return err;
}

/* Restart. */

/* A reference to a socket of this family; or NULL. */
static struct rstr_obj *ckpt_unix_ref(struct rstr_ctx *ctx,
				      const struct ckpt_record *rec, __le32 ref)
{
	struct rstr_obj *obj = rstr_ref(ctx, rec, ref, CKPT_SOCK);

	if (obj && obj->kind != &ckpt_sock_unix_kind) {
		rstr_bad(ctx, rec, "refers to a %s", obj->kind->name);
		return NULL;
	}
	return obj;
}

static int ckpt_unix_message_check(struct rstr_ctx *ctx,
				   const struct ckpt_record *rec)
{
	const struct ckpt_rec_unix_message *p = rstr_payload(rec);
	u32 len = rstr_size(rec) - sizeof(*p);

	if (len > CKPT_SOCK_MESSAGE_MAX || le32_to_cpu(p->consumed) > len ||
	    le32_to_cpu(p->linear) > min_t(u32, len, SKB_MAX_ALLOC) ||
	    le32_to_cpu(p->nr_rights) > SCM_MAX_FD ||
	    le32_to_cpu(p->what) & ~CKPT_MESSAGE_OOB ||
	    (p->what && len != 1))
		return rstr_bad(ctx, rec, "%u bytes, %u in one piece", len,
				le32_to_cpu(p->linear));
	return ckpt_unix_ref(ctx, rec, p->sender) ? 0 : -EBADMSG;
}

static int ckpt_unix_right_check(struct rstr_ctx *ctx,
				 const struct ckpt_record *rec)
{
	const struct ckpt_rec_unix_right *p = rstr_payload(rec);

	if (p->reserved)
		return rstr_bad(ctx, rec, "reserved field in use");
	return rstr_ref(ctx, rec, p->file, CKPT_FILE) ? 0 : -EBADMSG;
}

static int ckpt_unix_queue_check(struct rstr_ctx *ctx, struct rstr_obj *obj,
				 bool stream)
{
	const struct ckpt_rec_unix_link *p = rstr_payload(obj->rec);
	const struct ckpt_rec_unix_message *message;
	u64 nr = 0, oob = 0, rights = 0;
	const struct ckpt_record *rec;

	rstr_for_each_part(rec, obj, CKPT_REC_UNIX_MESSAGE) {
		message = rstr_payload(rec);
		rights += le32_to_cpu(message->nr_rights);
		oob += !!message->what;
		nr++;
	}
	rstr_for_each_part(rec, obj, CKPT_REC_UNIX_RIGHT)
		rights--;
	if (nr != le32_to_cpu(p->nr_messages) || rights || oob > stream)
		return rstr_bad(ctx, obj->rec, "%llu messages, not %u", nr,
				le32_to_cpu(p->nr_messages));
	return 0;
}

/* No more than who sends it can have under way. */
static int ckpt_unix_message_room(struct rstr_ctx *ctx, struct sock *sender)
{
	u64 max = max_t(u64, READ_ONCE(sender->sk_sndbuf),
			2ULL * READ_ONCE(sysctl_wmem_max));

	if (sk_wmem_alloc_get(sender) < max || capable(CAP_NET_ADMIN))
		return 0;
	return ckpt_refuse(&ctx->log, -ENOBUFS,
			   "unix socket: more messages under way than may (net.core.wmem_max)");
}

static struct sk_buff *ckpt_unix_message_make(struct rstr_ctx *ctx,
					      const struct ckpt_record *rec,
					      struct sock *sender)
{
	const struct ckpt_rec_unix_message *p = rstr_payload(rec);
	u32 len = rstr_size(rec) - sizeof(*p), linear = le32_to_cpu(p->linear);
	struct sk_buff *skb;
	int err;

	err = ckpt_unix_message_room(ctx, sender);
	if (err)
		return ERR_PTR(err);
	skb = alloc_skb_with_frags(linear, len - linear,
				   get_order(UNIX_SKB_FRAGS_SZ), &err,
				   GFP_KERNEL_ACCOUNT);
	if (!skb)
		return ERR_PTR(err == -ENOBUFS ? -ENOMEM : err);
	skb_set_owner_w(skb, sender);
	skb_put(skb, linear);
	skb->data_len = len - linear;
	skb->len = len;
	skb->tstamp = le64_to_cpu(p->time);
	err = skb_store_bits(skb, 0, p->data, len);
	if (err) {
		kfree_skb(skb);
		return ERR_PTR(err);
	}
	return skb;
}

/* As scm_check_creds() has it; the process is one of the tree's, or none. */
static int ckpt_unix_scm_cred(struct rstr_ctx *ctx, struct scm_cookie *scm,
			      const struct ckpt_rec_unix_message *p)
{
	const struct cred *cred = current_cred();
	kuid_t uid = make_kuid(cred->user_ns, le32_to_cpu(p->uid));
	kgid_t gid = make_kgid(cred->user_ns, le32_to_cpu(p->gid));

	if ((uid_valid(uid) && !uid_eq(uid, cred->uid) &&
	     !uid_eq(uid, cred->euid) && !uid_eq(uid, cred->suid) &&
	     !ns_capable(cred->user_ns, CAP_SETUID)) ||
	    (gid_valid(gid) && !gid_eq(gid, cred->gid) &&
	     !gid_eq(gid, cred->egid) && !gid_eq(gid, cred->sgid) &&
	     !ns_capable(cred->user_ns, CAP_SETGID)))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "unix socket: message of uid %u, gid %u: not permitted to send it",
				   le32_to_cpu(p->uid), le32_to_cpu(p->gid));
	scm->creds.uid = uid;
	scm->creds.gid = gid;
	scm->pid = rstr_process_pid(ctx, le32_to_cpu(p->pid));
	return 0;
}

/* As scm_fp_copy() has it. */
static struct scm_fp_list *ckpt_unix_fpl_alloc(void)
{
	struct scm_fp_list *fpl = kmalloc(sizeof(*fpl), GFP_KERNEL_ACCOUNT);

	if (!fpl)
		return NULL;
	fpl->count = 0;
	fpl->count_unix = 0;
	fpl->max = SCM_MAX_FD;
	fpl->inflight = false;
	fpl->dead = false;
	fpl->edges = NULL;
	INIT_LIST_HEAD(&fpl->vertices);
	fpl->user = get_uid(current_user());
	return fpl;
}

/* Those of the descriptors that go with this message; @right is the first. */
static int ckpt_unix_scm_files(struct rstr_ctx *ctx, struct rstr_obj *obj,
			       struct scm_cookie *scm, u32 nr,
			       const struct ckpt_record **right)
{
	const struct ckpt_rec_unix_right *p;
	struct file *file;

	if (!nr)
		return 0;
	scm->fp = ckpt_unix_fpl_alloc();
	if (!scm->fp)
		return -ENOMEM;
	for (; nr; nr--, *right = rstr_part_next(obj, *right)) {
		p = rstr_payload(*right);
		file = rstr_get(ctx, rstr_obj(ctx, p->file));
		if (IS_ERR(file))
			return PTR_ERR(file);
		if (unix_get_socket(file))
			scm->fp->count_unix++;
		scm->fp->fp[scm->fp->count++] = get_file(file);
	}
	return 0;
}

static void ckpt_unix_message_queue(struct sock *sk, struct sk_buff *skb,
				    bool oob)
{
	unix_state_lock(sk);
	scm_stat_add(sk, skb);
	spin_lock(&sk->sk_receive_queue.lock);
	__skb_queue_tail(&sk->sk_receive_queue, skb);
#if IS_ENABLED(CONFIG_AF_UNIX_OOB)
	if (oob)
		WRITE_ONCE(unix_sk(sk)->oob_skb, skb);
#endif
	spin_unlock(&sk->sk_receive_queue.lock);
	unix_state_unlock(sk);
}

/* Of one who is not in the tree only the name is told. Returns a reference. */
static struct sock *ckpt_unix_sender(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	struct sock *sk;

	if (ckpt_unix_is_outside(obj))
		return ckpt_unix_dead_make(obj);
	sk = rstr_get(ctx, obj);
	if (!IS_ERR(sk))
		sock_hold(sk);
	return sk;
}

static int ckpt_unix_message_restore(struct rstr_ctx *ctx, struct rstr_obj *obj,
				     struct sock *sk,
				     const struct ckpt_record *rec,
				     const struct ckpt_record **right)
{
	const struct ckpt_rec_unix_message *p = rstr_payload(rec);
	struct scm_cookie scm = {};
	struct sk_buff *skb;
	struct sock *sender;
	int err;

	sender = ckpt_unix_sender(ctx, rstr_obj(ctx, p->sender));
	if (IS_ERR(sender))
		return PTR_ERR(sender);
	skb = ckpt_unix_message_make(ctx, rec, sender);
	sock_put(sender);
	if (IS_ERR(skb))
		return PTR_ERR(skb);
	err = ckpt_unix_scm_files(ctx, obj, &scm, le32_to_cpu(p->nr_rights),
				  right);
	if (!err)
		err = ckpt_unix_scm_cred(ctx, &scm, p);
	if (!err)
		err = unix_scm_to_skb(&scm, skb, true);
	if (!err) {
		UNIXCB(skb).consumed = le32_to_cpu(p->consumed);
		ckpt_unix_message_queue(sk, skb, p->what);
	} else {
		kfree_skb(skb);
	}
	scm_destroy(&scm);
	return err;
}

static int ckpt_unix_queue_restore(struct rstr_ctx *ctx, struct rstr_obj *obj,
				   struct sock *sk)
{
	const struct ckpt_record *rec, *right;
	int err;

	right = rstr_part_first(obj, CKPT_REC_UNIX_RIGHT);
	rstr_for_each_part(rec, obj, CKPT_REC_UNIX_MESSAGE) {
		err = ckpt_unix_message_restore(ctx, obj, sk, rec, &right);
		if (err)
			return err;
	}
	return 0;
}

static const struct ckpt_part ckpt_unix_message_part = {
	.type		= CKPT_REC_UNIX_MESSAGE,
	.name		= "message",
	.size		= sizeof(struct ckpt_rec_unix_message),
	.open_ended	= true,
	.max		= CKPT_SOCK_MESSAGES_MAX,
	.check		= ckpt_unix_message_check,
};

static const struct ckpt_part ckpt_unix_right_part = {
	.type		= CKPT_REC_UNIX_RIGHT,
	.name		= "descriptor under way",
	.size		= sizeof(struct ckpt_rec_unix_right),
	.max		= CKPT_FDS_MAX,
	.check		= ckpt_unix_right_check,
};
#endif
