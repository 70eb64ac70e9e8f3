// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections of TCP that wait to be accepted. Each is a socket that has no description
 * so far, and hangs on the one that listens. It is made with its options and put there,
 * in the order in which they will be accepted; connected it is when the other end is
 * there, see sock_tcp.c.
 */
#include <linux/in.h>
#include <linux/memcontrol.h>
#include <linux/net.h>
#include <net/inet_common.h>
#include <net/inet_connection_sock.h>
#include <net/ipv6.h>
#include <net/request_sock.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "checkpoint.h"
#include "restart.h"
#include "sock.h"
#include "sock_inet.h"

/* Checkpoint. */

/* Those that wait, a reference to each. */
static struct sock **ckpt_tcp_waiting(struct sock *sk, u32 *nr)
{
	struct request_sock_queue *queue = &inet_csk(sk)->icsk_accept_queue;
	u32 max = READ_ONCE(sk->sk_ack_backlog);
	struct request_sock *req;
	struct sock **waiting;

	*nr = 0;
	waiting = kvcalloc(max + 1, sizeof(struct sock *), GFP_KERNEL_ACCOUNT);
	if (!waiting)
		return NULL;
	spin_lock_bh(&queue->rskq_lock);
	for (req = queue->rskq_accept_head; req && *nr < max;
	     req = req->dl_next) {
		sock_hold(req->sk);
		waiting[(*nr)++] = req->sk;
	}
	spin_unlock_bh(&queue->rskq_lock);
	return waiting;
}

static int ckpt_tcp_waiting_write(struct ckpt_ctx *ctx, struct sock *sk,
				  u32 listener)
{
	struct ckpt_rec_tcp_waiting *rec;
	u32 ref;
	int err;

	err = ckpt_save(ctx, CKPT_SOCK, sk, &ref);
	if (err)
		return err;
	rec = ckpt_object_add(ctx, CKPT_REC_TCP_WAITING, NULL, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->listener = cpu_to_le32(listener);
	rec->sock = cpu_to_le32(ref);
	return 0;
}

/**
 * ckpt_tcp_waiting_save() - write the connections that wait to be accepted
 * @ctx: the checkpoint
 * @sk: the socket that listens, which is in use
 *
 * Return: 0 or a negative errno.
 */
int ckpt_tcp_waiting_save(struct ckpt_ctx *ctx, struct sock *sk)
{
	struct sock **waiting;
	u32 nr, ref;
	int err;

	err = ckpt_mention(ctx, CKPT_SOCK, sk, &ref);
	if (err)
		return err;
	waiting = ckpt_tcp_waiting(sk, &nr);
	if (!waiting)
		return -ENOMEM;
	for (u32 i = 0; i < nr && !err; i++)
		err = ckpt_tcp_waiting_write(ctx, waiting[i], ref);
	for (u32 i = 0; i < nr; i++)
		sock_put(waiting[i]);
	kvfree(waiting);
	return err;
}

/* Restart. */

static int ckpt_tcp_waiting_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_tcp_waiting *p = rstr_payload(obj->rec);
	const struct ckpt_rec_sock_inet *listener, *rec;
	struct rstr_obj *own, *sock;

	own = rstr_ref(ctx, obj->rec, p->listener, CKPT_SOCK);
	sock = own ? rstr_ref(ctx, obj->rec, p->sock, CKPT_SOCK) : NULL;
	if (!sock)
		return -EBADMSG;
	listener = rstr_payload(own->rec);
	rec = rstr_payload(sock->rec);
	/* Whose is set already has a description, or waits elsewhere. */
	if (own->kind != &ckpt_sock_inet_kind || sock->kind != own->kind ||
	    listener->state != cpu_to_le32(CKPT_SOCK_LISTEN) ||
	    rec->state == cpu_to_le32(CKPT_SOCK_LISTEN) ||
	    rec->type != cpu_to_le32(SOCK_STREAM) ||
	    rec->family != listener->family || sock->private)
		return rstr_bad(ctx, obj->rec, "can't wait to be accepted");
	sock->private = obj;
	return 0;
}

/**
 * ckpt_tcp_lend() - have a socket that waits to be accepted be one like others
 * @sk: the socket, which nothing has open
 * @lent: what it is open by, for ckpt_tcp_return()
 *
 * Return: 0 or a negative errno.
 */
int ckpt_tcp_lend(struct sock *sk, struct socket **lent)
{
	struct socket *sock;
	int err;

	err = sock_create_lite(sk->sk_family, SOCK_STREAM, IPPROTO_TCP, &sock);
	if (err)
		return err;
	sock->ops = &inet_stream_ops;
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6)
		sock->ops = &inet6_stream_ops;
#endif
	sock_graft(sk, sock);
	*lent = sock;
	return 0;
}

/* Take it from its struct socket, which is left with nothing. */
static void ckpt_tcp_detach(struct sock *sk, struct socket *sock)
{
	lock_sock(sk);
	write_lock_bh(&sk->sk_callback_lock);
	sk_set_socket(sk, NULL);
	RCU_INIT_POINTER(sk->sk_wq, NULL);
	write_unlock_bh(&sk->sk_callback_lock);
	release_sock(sk);
	sock->sk = NULL;
}

/**
 * ckpt_tcp_return() - take back what ckpt_tcp_lend() gave
 * @sk: the socket
 * @lent: what it is open by
 */
void ckpt_tcp_return(struct sock *sk, struct socket *lent)
{
	ckpt_tcp_detach(sk, lent);
	lent->ops = NULL;
	sock_release(lent);
}

/* accept(2) charges it to who accepts it, and finds it charged to nobody. */
static void ckpt_tcp_uncharge(struct sock *sk)
{
#ifdef CONFIG_MEMCG
	mem_cgroup_sk_free(sk);
	sk->sk_memcg = NULL;
#endif
}

/* What the third packet of a connection leaves for accept(2). */
static struct request_sock *ckpt_tcp_request(struct sock *sk)
{
	const struct request_sock_ops *ops = &tcp_request_sock_ops;
	struct request_sock *req;

#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6)
		ops = &tcp6_request_sock_ops;
#endif
	req = inet_reqsk_alloc(ops, sk, true);
	if (!req)
		return NULL;
	tcp_rsk(req)->tfo_listener = false;
#if IS_ENABLED(CONFIG_MPTCP)
	tcp_rsk(req)->is_mptcp = 0;
#endif
	refcount_set(&req->rsk_refcnt, 1);
	return req;
}

/* The queue has it from then on; or it is closed, and gone. */
static int ckpt_tcp_enqueue(struct sock *sk, struct request_sock *req,
			    struct sock *child)
{
	local_bh_disable();
	child = inet_csk_reqsk_queue_add(sk, req, child);
	local_bh_enable();
	if (child)
		return 0;
	reqsk_put(req);
	return -EINVAL;
}

static struct sock *ckpt_tcp_listener(struct rstr_ctx *ctx,
				      struct rstr_obj *waits)
{
	const struct ckpt_rec_tcp_waiting *p = rstr_payload(waits->rec);
	struct sock *sk = rstr_get(ctx, rstr_obj(ctx, p->listener));
	u32 max;
	int err;

	if (IS_ERR(sk))
		return sk;
	if (sk->sk_state != TCP_LISTEN)
		return ERR_PTR(rstr_bad(ctx, waits->rec, "nobody listens"));
	max = READ_ONCE(sock_net(sk)->core.sysctl_somaxconn);
	/* One more than that may wait. */
	if (READ_ONCE(sk->sk_ack_backlog) <= max)
		return sk;
	err = ckpt_refuse(&ctx->log, -ENOBUFS,
			  "TCP socket: more wait to be accepted than may (net.core.somaxconn)");
	return ERR_PTR(err);
}

/**
 * ckpt_tcp_waiting_restore() - make a socket that waits to be accepted
 * @ctx: the restart
 * @obj: the socket; obj->ptr is set
 * @waits: where it waits
 *
 * Return: 0 or a negative errno.
 */
int ckpt_tcp_waiting_restore(struct rstr_ctx *ctx, struct rstr_obj *obj,
			     struct rstr_obj *waits)
{
	struct sock *listener = ckpt_tcp_listener(ctx, waits), *sk;
	struct request_sock *req;
	struct socket *sock;
	int err;

	if (IS_ERR(listener))
		return PTR_ERR(listener);
	err = sock_create(listener->sk_family, SOCK_STREAM, IPPROTO_TCP, &sock);
	if (err)
		return err == -ENOBUFS ? -ENOMEM : err;
	sk = sock->sk;
	ckpt_tcp_uncharge(sk);
	err = ckpt_sock_filter_restore(ctx, obj, sk);
	if (!err)
		err = ckpt_sock_options_restore(ctx, obj, sock);
	req = err ? NULL : ckpt_tcp_request(listener);
	if (req) {
		sock_hold(sk);
		ckpt_tcp_detach(sk, sock);
		err = ckpt_tcp_enqueue(listener, req, sk);
		obj->ptr = sk;
	}
	sock_release(sock);
	return req ? err : err ?: -ENOMEM;
}

static int ckpt_tcp_waiting_link(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_tcp_waiting *p = rstr_payload(obj->rec);

	return PTR_ERR_OR_ZERO(rstr_get(ctx, rstr_obj(ctx, p->sock)));
}

const struct ckpt_kind ckpt_tcp_waiting_kind = {
	.type		= CKPT_REC_TCP_WAITING,
	.family		= CKPT_SOCK_LINK,
	.name		= "TCP connection to be accepted",
	.size		= sizeof(struct ckpt_rec_tcp_waiting),
	.check		= ckpt_tcp_waiting_check,
	.link		= ckpt_tcp_waiting_link,
};
