// SPDX-License-Identifier: GPL-2.0-only
/*
 * What sockets of AF_UNIX have to do with each other: who is connected to whom, and
 * what was sent and is still to be read. Built as a part of net/unix/af_unix.c,
 * before sock_unix.c.
 *
 * All of this may go round in circles, by descriptors that are under way above all.
 * So it is written when all sockets have been, and put in place when all have been
 * made. Nobody is woken by that: no task runs, and what is ready in an epoll
 * instance is stored with it.
 */
#ifdef CONFIG_CHECKPOINT
#include "checkpoint.h"
#include "file.h"
#include "limits.h"
#include "restart.h"
#include "sock.h"
#include "tree.h"

/* Checkpoint. */

/* The one that it hangs on, a reference to which is taken; or NULL. It goes on to
 * live as long as those that hang on it are not dead.
 */
static struct sock *ckpt_unix_listener(struct sock *sk)
{
	struct sock *listener = NULL;

	unix_state_lock(sk);
	if (!sock_flag(sk, SOCK_DEAD))
		listener = unix_sk(sk)->listener;
	if (listener)
		sock_hold(listener);
	unix_state_unlock(sk);
	return listener;
}

/*
 * What a socket is connected to has to be in the tree, unless it is no more, or can
 * be connected to again by its name.
 */
static int ckpt_unix_peer_save(struct ckpt_ctx *ctx, struct sock *sk,
			       struct sock *peer, u32 *ref)
{
	struct sock *listener;
	int bound, err;

	if (sock_flag(peer, SOCK_DEAD))
		return ckpt_mention(ctx, CKPT_SOCK, peer, ref);
	if (sk->sk_type == SOCK_DGRAM && unix_peer(peer) != sk) {
		bound = ckpt_unix_is_bound(ctx, peer);
		if (bound < 0)
			return bound;
		if (bound)
			return ckpt_mention(ctx, CKPT_SOCK, peer, ref);
	}
	/* With which those that wait to be accepted come in their order. */
	listener = ckpt_unix_listener(peer);
	if (listener) {
		err = ckpt_mention(ctx, CKPT_SOCK, listener, ref);
		sock_put(listener);
		if (err)
			return err;
	}
	return ckpt_refer(ctx, CKPT_SOCK, peer, ref);
}

/* Whom SO_PEERCRED tells of. */
static int ckpt_unix_cred_save(struct ckpt_ctx *ctx, struct sock *sk,
			       struct ckpt_rec_unix_link *link)
{
	const struct cred *cred;
	u32 ref = 0;
	int err = 0;

	spin_lock(&sk->sk_peer_lock);
	cred = sk->sk_peer_cred ? get_cred(sk->sk_peer_cred) : NULL;
	link->pid = cpu_to_le32(pid_vnr(sk->sk_peer_pid));
	spin_unlock(&sk->sk_peer_lock);
	if (!cred)
		return 0;
	err = ckpt_save(ctx, CKPT_CRED, (void *)cred, &ref);
	link->cred = cpu_to_le32(ref);
	put_cred(cred);
	return err;
}

static int ckpt_unix_link_save(struct ckpt_ctx *ctx, struct sock *sk,
			       struct ckpt_unix_queue *queue)
{
	struct sock *peer = unix_peer_get(sk);
	struct ckpt_rec_unix_link link = {}, *rec;
	u32 ref = 0;
	int err = 0;

	if (peer) {
		err = ckpt_unix_peer_save(ctx, sk, peer, &ref);
		sock_put(peer);
	}
	link.peer = cpu_to_le32(ref);
	if (!err)
		err = ckpt_unix_cred_save(ctx, sk, &link);
	if (!err)
		err = ckpt_mention(ctx, CKPT_SOCK, sk, &ref);
	if (!err)
		err = ckpt_unix_queue_save(ctx, queue);
	if (err)
		return err;
	link.sock = cpu_to_le32(ref);
	link.nr_messages = cpu_to_le32(queue->nr);
	if (peer && READ_ONCE(unix_sk(sk)->peer_wake.private) == peer)
		link.what = cpu_to_le32(CKPT_UNIX_WAITS);
	rec = ckpt_object_add(ctx, CKPT_REC_UNIX_LINK, NULL, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	*rec = link;
	return ckpt_unix_queue_write(ctx, queue);
}

static int ckpt_unix_link_write(struct ckpt_ctx *ctx, struct sock *sk)
{
	struct ckpt_unix_queue queue = {};
	int err;

	err = ckpt_unix_queue_get(ctx, sk, &queue);
	if (!err)
		err = ckpt_unix_link_save(ctx, sk, &queue);
	ckpt_unix_queue_release(&queue);
	return err;
}

/* Restart. */

static const struct ckpt_rec_sock_unix *ckpt_unix_rec(struct rstr_ctx *ctx,
						      __le32 ref)
{
	return rstr_payload(rstr_obj(ctx, ref)->rec);
}

static int ckpt_unix_link_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_unix_link *p = rstr_payload(obj->rec);
	const struct ckpt_rec_sock_unix *sock, *other;
	struct rstr_obj *own, *peer;

	own = ckpt_unix_ref(ctx, obj->rec, p->sock);
	if (!own)
		return -EBADMSG;
	if (!own->private || ckpt_unix_is(own, CKPT_UNIX_DEAD))
		return rstr_bad(ctx, obj->rec, "of a socket that is not there");
	if (p->cred && !rstr_ref(ctx, obj->rec, p->cred, CKPT_CRED))
		return -EBADMSG;
	sock = rstr_payload(own->rec);
	if (le32_to_cpu(p->what) & ~CKPT_UNIX_WAITS || (p->what && !p->peer) ||
	    (p->nr_messages && sock->state == cpu_to_le32(CKPT_SOCK_LISTEN)))
		return rstr_bad(ctx, obj->rec, "what %#x",
				le32_to_cpu(p->what));
	if (p->peer) {
		peer = ckpt_unix_ref(ctx, obj->rec, p->peer);
		if (!peer)
			return -EBADMSG;
		other = rstr_payload(peer->rec);
		if (other->type != sock->type ||
		    sock->state == cpu_to_le32(CKPT_SOCK_LISTEN) ||
		    other->state == cpu_to_le32(CKPT_SOCK_LISTEN))
			return rstr_bad(ctx, obj->rec, "connected to what it can't be");
	}
	return ckpt_unix_queue_check(ctx, obj,
				     sock->type == cpu_to_le32(SOCK_STREAM));
}

static int ckpt_unix_cred_restore(struct rstr_ctx *ctx, struct sock *sk,
				  const struct ckpt_rec_unix_link *p)
{
	const struct cred *cred = NULL;
	struct pid *pid;

	if (p->cred) {
		cred = rstr_get(ctx, rstr_obj(ctx, p->cred));
		if (IS_ERR(cred))
			return PTR_ERR(cred);
		get_cred(cred);
	}
	pid = rstr_process_pid(ctx, le32_to_cpu(p->pid));
	spin_lock(&sk->sk_peer_lock);
	swap(sk->sk_peer_pid, pid);
	swap(sk->sk_peer_cred, cred);
	spin_unlock(&sk->sk_peer_lock);
	put_pid(pid);
	put_cred(cred);
	return 0;
}

/* Whether the two may be put together, as connect(2) would see it. Locked. */
static int ckpt_unix_peer_check(struct sock *sk, struct sock *peer, bool outside)
{
	if (unix_peer(sk))
		return -EISCONN;
	if (sk->sk_type != SOCK_DGRAM && !sock_flag(peer, SOCK_DEAD) &&
	    unix_peer(peer) && unix_peer(peer) != sk)
		return -EISCONN;
	if (!outside)
		return 0;
	if (sock_flag(peer, SOCK_DEAD))
		return -ECONNREFUSED;
	if (!unix_may_send(sk, peer))
		return -EPERM;
	return security_unix_may_send(sk->sk_socket, peer->sk_socket);
}

static int ckpt_unix_peer_set(struct sock *sk, struct sock *peer, bool outside)
{
	int err;

	unix_state_double_lock(sk, peer);
	err = ckpt_unix_peer_check(sk, peer, outside);
	if (!err) {
		sock_hold(peer);
		unix_peer(sk) = peer;
		if (outside)
			WRITE_ONCE(peer->sk_state, TCP_ESTABLISHED);
	}
	unix_state_double_unlock(sk, peer);
	return err;
}

static int ckpt_unix_peer_restore(struct rstr_ctx *ctx, struct rstr_obj *obj,
				  struct sock *sk)
{
	const struct ckpt_rec_unix_link *p = rstr_payload(obj->rec);
	struct sock *peer;
	int err;

	if (!p->peer)
		return 0;
	peer = rstr_get(ctx, rstr_obj(ctx, p->peer));
	if (IS_ERR(peer))
		return PTR_ERR(peer);
	err = ckpt_unix_peer_set(sk, peer,
				 ckpt_unix_is_outside(rstr_obj(ctx, p->peer)));
	if (err == -EISCONN)
		return rstr_bad(ctx, obj->rec, "connected to what it can't be");
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "unix socket of a process outside the tree: can't be connected to: %pe",
				   ERR_PTR(err));
	if (p->what)
		unix_dgram_peer_wake_connect(sk, peer);
	return 0;
}

static void ckpt_unix_state_restore(struct sock *sk,
				    const struct ckpt_rec_sock_unix *p)
{
	unix_state_lock(sk);
	WRITE_ONCE(sk->sk_shutdown, le32_to_cpu(p->shutdown));
	WRITE_ONCE(sk->sk_err, le32_to_cpu(p->error));
	if (p->state == cpu_to_le32(CKPT_SOCK_ESTABLISHED)) {
		WRITE_ONCE(sk->sk_state, TCP_ESTABLISHED);
		if (sk->sk_socket && sk->sk_type != SOCK_DGRAM)
			sk->sk_socket->state = SS_CONNECTED;
	}
	unix_state_unlock(sk);
}

static int ckpt_unix_link(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_unix_link *p = rstr_payload(obj->rec);
	struct sock *sk = rstr_get(ctx, rstr_obj(ctx, p->sock));
	int err;

	if (IS_ERR(sk))
		return PTR_ERR(sk);
	err = ckpt_unix_peer_restore(ctx, obj, sk);
	if (!err)
		err = ckpt_unix_cred_restore(ctx, sk, p);
	if (!err)
		err = ckpt_unix_queue_restore(ctx, obj, sk);
	if (!err)
		ckpt_unix_state_restore(sk, ckpt_unix_rec(ctx, p->sock));
	return err;
}

static const struct ckpt_part *const ckpt_unix_link_parts[] = {
	&ckpt_unix_message_part,
	&ckpt_unix_right_part,
	NULL
};

const struct ckpt_kind ckpt_unix_link_kind = {
	.type		= CKPT_REC_UNIX_LINK,
	.family		= CKPT_SOCK_LINK,
	.name		= "unix connection",
	.size		= sizeof(struct ckpt_rec_unix_link),
	.parts		= ckpt_unix_link_parts,
	.check		= ckpt_unix_link_check,
	.link		= ckpt_unix_link,
};
#endif
