// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets of AF_UNIX: what each is by itself. Built as a part of
 * net/unix/af_unix.c, which alone knows how one is bound and accepted.
 *
 * Their names are a matter of sock_unix_name.c, and what they have to do with each
 * other is one of sock_unix_link.c. There are more sockets than descriptions:
 *
 *  - one that has been closed stays what others are connected to, and what they
 *    have messages from;
 *  - one that waits to be accepted hangs on the one that listens, is written when
 *    that is and made with it. At restart they are a list, the last one first;
 *  - one of a process outside, to which a datagram socket is connected by name.
 *
 * ->private is the description; of the first two, which have none, themselves.
 */
#ifdef CONFIG_CHECKPOINT
#include "checkpoint.h"
#include "file.h"
#include "limits.h"
#include "restart.h"
#include "sock.h"
#include "sock_unix_name.c"
#include "sock_unix_queue.c"
#include "sock_unix_link.c"

/* Checkpoint. */

static u32 ckpt_unix_state(const struct sock *sk)
{
	switch (READ_ONCE(sk->sk_state)) {
	case TCP_ESTABLISHED:
		return CKPT_SOCK_ESTABLISHED;
	case TCP_LISTEN:
		return CKPT_SOCK_LISTEN;
	}
	return CKPT_SOCK_CLOSED;
}

static int ckpt_unix_write(struct ckpt_ctx *ctx, struct sock *sk, u32 listener,
			   bool bound)
{
	const struct unix_address *addr = ckpt_unix_addr(sk);
	size_t len = addr ? addr->len - CKPT_UNIX_NAME : 0;
	struct path path = ckpt_unix_path(sk);
	struct ckpt_rec_sock_unix *rec;
	int err = 0;

	rec = ckpt_object_add(ctx, CKPT_REC_SOCK_UNIX, sk, sizeof(*rec) + len);
	if (IS_ERR(rec)) {
		err = PTR_ERR(rec);
		goto out;
	}
	rec->type = cpu_to_le32(sk->sk_type);
	rec->state = cpu_to_le32(ckpt_unix_state(sk));
	rec->shutdown = cpu_to_le32(READ_ONCE(sk->sk_shutdown));
	rec->error = cpu_to_le32(READ_ONCE(sk->sk_err));
	rec->listener = cpu_to_le32(listener);
	if (rec->state == cpu_to_le32(CKPT_SOCK_LISTEN))
		rec->backlog = cpu_to_le32(sk->sk_max_ack_backlog);
	if (sock_flag(sk, SOCK_DEAD))
		rec->what = cpu_to_le32(CKPT_UNIX_DEAD);
	else if (bound)
		rec->what = cpu_to_le32(CKPT_UNIX_BOUND);
	if (len)
		memcpy(rec->name, addr->name->sun_path, len);
	if (bound && path.dentry)
		err = ckpt_unix_path_save(ctx, &path, rec);
out:
	if (path.dentry)
		path_put(&path);
	return err;
}

/* Those that wait to be accepted, a reference to each. */
static struct sock **ckpt_unix_waiting(struct sock *sk, u32 *nr)
{
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	u32 max = skb_queue_len_lockless(queue);
	struct sock **waiting;
	struct sk_buff *skb;

	*nr = 0;
	waiting = kvcalloc(max + 1, sizeof(struct sock *), GFP_KERNEL_ACCOUNT);
	if (!waiting)
		return NULL;
	spin_lock(&queue->lock);
	skb_queue_walk(queue, skb) {
		if (*nr == max)
			break;
		sock_hold(skb->sk);
		waiting[(*nr)++] = skb->sk;
	}
	spin_unlock(&queue->lock);
	return waiting;
}

/* They are written with it, and are in use if it is. */
static int ckpt_unix_waiting_save(struct ckpt_ctx *ctx, struct sock *sk,
				  int (*save)(struct ckpt_ctx *ctx,
					      enum ckpt_family family,
					      void *obj, u32 *ref))
{
	struct sock **waiting;
	u32 nr, ref;
	int err = 0;

	waiting = ckpt_unix_waiting(sk, &nr);
	if (!waiting)
		return -ENOMEM;
	for (u32 i = 0; i < nr && !err; i++)
		err = save(ctx, CKPT_SOCK, waiting[i], &ref);
	for (u32 i = 0; i < nr; i++)
		sock_put(waiting[i]);
	kvfree(waiting);
	return err;
}

static int ckpt_unix_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct sock *sk = obj, *listener;
	u32 ref = 0;
	int err, bound;

	err = ckpt_sock_supported(ctx, sk);
	if (err)
		return err;
	listener = ckpt_unix_listener(sk);
	if (listener) {
		err = ckpt_mention(ctx, CKPT_SOCK, listener, &ref);
		sock_put(listener);
		if (err)
			return err;
	}
	bound = ckpt_unix_is_bound(ctx, sk);
	if (bound < 0)
		return bound;
	err = ckpt_unix_write(ctx, sk, ref, bound);
	if (!err && sk->sk_socket && !sock_flag(sk, SOCK_DEAD))
		err = ckpt_sock_options_save(ctx, sk);
	if (!err && READ_ONCE(sk->sk_state) == TCP_LISTEN)
		err = ckpt_unix_waiting_save(ctx, sk, ckpt_mention);
	return err;
}

/* Restart. */

static int ckpt_unix_check_listener(struct rstr_ctx *ctx, struct rstr_obj *obj,
				    const struct ckpt_rec_sock_unix *rec)
{
	const struct ckpt_rec_sock_unix *other;
	struct rstr_obj *listener;

	listener = rstr_ref(ctx, obj->rec, rec->listener, CKPT_SOCK);
	if (!listener)
		return -EBADMSG;
	other = rstr_payload(listener->rec);
	if (listener->kind != obj->kind ||
	    other->state != cpu_to_le32(CKPT_SOCK_LISTEN) ||
	    other->type != rec->type || rec->what ||
	    rec->state != cpu_to_le32(CKPT_SOCK_ESTABLISHED) ||
	    rstr_part_first(obj, CKPT_REC_SOCK_OPTION) ||
	    rstr_part_first(obj, CKPT_REC_SOCK_FILTER))
		return rstr_bad(ctx, obj->rec, "can't wait to be accepted");
	obj->private = obj;
	obj->list = listener->list;
	listener->list = obj;
	return 0;
}

static bool ckpt_unix_type_known(u32 type)
{
	return type == SOCK_STREAM || type == SOCK_DGRAM ||
	       type == SOCK_SEQPACKET;
}

static int ckpt_unix_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_sock_unix *rec = rstr_payload(obj->rec);
	u32 type = le32_to_cpu(rec->type), state = le32_to_cpu(rec->state);
	int err;

	if (!ckpt_unix_type_known(type) || state > CKPT_SOCK_LISTEN ||
	    (state == CKPT_SOCK_LISTEN &&
	     (type == SOCK_DGRAM || !ckpt_unix_name_len(obj))))
		return rstr_bad(ctx, obj->rec, "type %u, state %u", type,
				state);
	if (le32_to_cpu(rec->what) & ~CKPT_UNIX_WHAT_KNOWN ||
	    le32_to_cpu(rec->what) == CKPT_UNIX_WHAT_KNOWN ||
	    le32_to_cpu(rec->shutdown) & ~SHUTDOWN_MASK ||
	    le32_to_cpu(rec->error) > MAX_ERRNO ||
	    le32_to_cpu(rec->backlog) > INT_MAX)
		return rstr_bad(ctx, obj->rec, "what %#x, shutdown %#x",
				le32_to_cpu(rec->what),
				le32_to_cpu(rec->shutdown));
	err = ckpt_unix_check_name(ctx, obj, rec);
	if (!err && rec->listener)
		err = ckpt_unix_check_listener(ctx, obj, rec);
	/* Nor can it be opened. */
	if (!err && ckpt_unix_is(obj, CKPT_UNIX_DEAD))
		obj->private = obj;
	return err;
}

/* As unix_stream_connect() makes one, but for who is at the other end. */
static int ckpt_unix_waiting_restore(struct rstr_obj *obj, struct sock *sk)
{
	struct unix_sock *u = unix_sk(sk), *newu;
	struct sock *newsk;
	struct sk_buff *skb;

	newsk = unix_create1(sock_net(sk), NULL, 0, sk->sk_type);
	if (IS_ERR(newsk))
		return PTR_ERR(newsk);
	skb = sock_wmalloc(newsk, 1, 0, GFP_KERNEL_ACCOUNT);
	if (!skb) {
		unix_release_sock(newsk, 0);
		return -ENOMEM;
	}
	newu = unix_sk(newsk);
	newsk->sk_state = TCP_ESTABLISHED;
	newsk->sk_type = sk->sk_type;
	newu->listener = sk;
	RCU_INIT_POINTER(newsk->sk_wq, &newu->peer_wq);
	if (u->path.dentry) {
		path_get(&u->path);
		newu->path = u->path;
	}
	refcount_inc(&u->addr->refcnt);
	/* Pairs with ckpt_unix_addr() and its like. */
	smp_store_release(&newu->addr, u->addr);
	sock_hold(newsk);
	obj->ptr = newsk;
	/* The last is the first to be made. */
	spin_lock(&sk->sk_receive_queue.lock);
	__skb_queue_head(&sk->sk_receive_queue, skb);
	spin_unlock(&sk->sk_receive_queue.lock);
	return 0;
}

static int ckpt_unix_listen(struct rstr_ctx *ctx, struct rstr_obj *obj,
			    struct socket *sock)
{
	const struct ckpt_rec_sock_unix *rec = rstr_payload(obj->rec);
	u32 max = READ_ONCE(sock_net(sock->sk)->core.sysctl_somaxconn), nr = 0;
	u32 backlog = min(le32_to_cpu(rec->backlog), max);
	struct rstr_obj *waiting;
	int err;

	/* As listen(2) bounds it. */
	err = security_socket_listen(sock, backlog);
	if (!err)
		err = unix_listen(sock, backlog);
	for (waiting = obj->list; !err && waiting; waiting = waiting->list) {
		if (nr++ > max)
			return ckpt_refuse(&ctx->log, -ENOBUFS,
					   "unix socket: more wait to be accepted than may (net.core.somaxconn)");
		err = ckpt_unix_waiting_restore(waiting, sock->sk);
	}
	return err;
}

static int ckpt_unix_outside_restore(struct rstr_ctx *ctx,
				     struct rstr_obj *obj)
{
	const struct ckpt_record *path = rstr_part_first(obj, CKPT_REC_PATH);
	const struct ckpt_rec_sock_unix *rec = rstr_payload(obj->rec);
	struct sock *sk;

	if (rec->type != cpu_to_le32(SOCK_DGRAM) ||
	    !ckpt_unix_is(obj, CKPT_UNIX_BOUND))
		return rstr_bad(ctx, obj->rec, "is nobody's");
	sk = ckpt_unix_find(obj);
	if (!IS_ERR(sk) && sk->sk_type != SOCK_DGRAM) {
		sock_put(sk);
		sk = ERR_PTR(-EPROTOTYPE);
	}
	if (IS_ERR(sk))
		return ckpt_refuse(&ctx->log, PTR_ERR(sk),
				   "unix socket %s, of a process outside the tree: %pe",
				   path ? rstr_path(path) : "of an abstract name",
				   sk);
	obj->ptr = sk;
	return 0;
}

static int ckpt_unix_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_sock_unix *rec = rstr_payload(obj->rec);
	struct rstr_obj *end = obj->private;
	struct sock *sk;
	int err;

	if (rec->listener)
		return PTR_ERR_OR_ZERO(rstr_get(ctx, rstr_obj(ctx,
							      rec->listener)));
	if (ckpt_unix_is(obj, CKPT_UNIX_DEAD)) {
		sk = ckpt_unix_dead_make(obj);
		if (IS_ERR(sk))
			return PTR_ERR(sk);
		obj->ptr = sk;
		return 0;
	}
	if (!end)
		return ckpt_unix_outside_restore(ctx, obj);
	err = ckpt_socket_create(ctx, obj, PF_UNIX, le32_to_cpu(rec->type), 0);
	if (err)
		return err;
	sk = obj->ptr;
	err = ckpt_unix_bind(ctx, obj, sk);
	if (!err && rec->state == cpu_to_le32(CKPT_SOCK_LISTEN))
		err = ckpt_unix_listen(ctx, obj, sk->sk_socket);
	return err;
}

static const struct ckpt_part ckpt_unix_path_part = {
	.type		= CKPT_REC_PATH,
	.name		= "path",
	.size		= 2,
	.open_ended	= true,
	.max		= 1,
};

static const struct ckpt_part *const ckpt_unix_parts[] = {
	&ckpt_unix_path_part,
	&ckpt_sock_option_part,
	&ckpt_sock_filter_part,
	NULL
};

static int ckpt_unix_finish(struct ckpt_ctx *ctx, void *obj)
{
	struct sock *sk = obj;
	int err = 0;

	if (READ_ONCE(sk->sk_state) == TCP_LISTEN)
		err = ckpt_unix_waiting_save(ctx, sk, ckpt_save);
	return err ?: ckpt_unix_link_write(ctx, sk);
}

static bool ckpt_unix_match(const void *obj)
{
	const struct sock *sk = obj;

	return sk->sk_family == AF_UNIX;
}

const struct ckpt_kind ckpt_sock_unix_kind = {
	.type		= CKPT_REC_SOCK_UNIX,
	.family		= CKPT_SOCK,
	.name		= "unix socket",
	.size		= sizeof(struct ckpt_rec_sock_unix),
	.open_ended	= true,
	.parts		= ckpt_unix_parts,
	.match		= ckpt_unix_match,
	.checkpoint	= ckpt_unix_checkpoint,
	.finish		= ckpt_unix_finish,
	.check		= ckpt_unix_check,
	.restore	= ckpt_unix_restore,
};
#endif
