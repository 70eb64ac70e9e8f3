// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections of TCP of which both ends are in the tree. They are captured together,
 * while neither end takes in anything. What is on its way by then is left out: it is
 * what one end has sent and the other has not got, and is sent again.
 *
 * One end may have been closed, and is then nobody's. At restart there is one again,
 * for as long as it takes to be closed. One may wait to be accepted, see
 * sock_tcp_accept.c. Where there has been no answer to a call, one calls again.
 *
 * A connection that leads outside can't be had again. It is closed by restart if the
 * caller says so.
 */
#include <linux/inetdevice.h>
#include <linux/net.h>
#include <linux/tcp.h>
#include <net/addrconf.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "checkpoint.h"
#include "limits.h"
#include "restart.h"
#include "sock.h"
#include "sock_inet.h"

/* Checkpoint. */

/* That speaks IPv4, as some of AF_INET6 do. */
static bool ckpt_tcp_is_v4(const struct sock *sk)
{
	if (sk->sk_family == AF_INET)
		return true;
#if IS_ENABLED(CONFIG_IPV6)
	return ipv6_addr_v4mapped(&sk->sk_v6_daddr);
#else
	return false;
#endif
}

/* Whether the other end is on this machine. */
static bool ckpt_tcp_is_local(struct sock *sk)
{
	if (ckpt_tcp_is_v4(sk))
		return inet_addr_type(sock_net(sk), sk->sk_daddr) == RTN_LOCAL;
#if IS_ENABLED(CONFIG_IPV6)
	return ipv6_chk_addr(sock_net(sk), &sk->sk_v6_daddr, NULL, 0);
#else
	return false;
#endif
}

static void ckpt_tcp_addr(int family, const struct ckpt_rec_inet_addr *rec,
			  struct ckpt_tcp_addr *addr)
{
	__be32 in;

	addr->port = le32_to_cpu(rec->port);
	if (family == AF_INET) {
		memcpy(&in, rec->addr, sizeof(in));
		ipv6_addr_set_v4mapped(in, &addr->addr);
	} else {
		memcpy(&addr->addr, rec->addr, sizeof(addr->addr));
	}
}

/*
 * The other end, a reference to it; NULL if it is not here, or as good as gone, and
 * an ERR_PTR if it has not seen so far that it is one.
 */
static struct sock *ckpt_tcp_peer(struct ckpt_ctx *ctx, struct sock *sk)
{
	struct ckpt_tcp_addr own, other;
	struct ckpt_rec_inet_addr addr;
	struct sock *peer;
	bool early = false;
	int err;

	ckpt_inet_address(sk, &addr, false);
	ckpt_tcp_addr(sk->sk_family, &addr, &own);
	ckpt_inet_address(sk, &addr, true);
	ckpt_tcp_addr(sk->sk_family, &addr, &other);
	local_bh_disable();
	peer = ckpt_tcp_lookup(sock_net(sk), &other, &own);
	if (peer && !sk_fullsock(peer)) {
		early = peer->sk_state == TCP_NEW_SYN_RECV;
		sock_gen_put(peer);
		peer = NULL;
	}
	local_bh_enable();
	if (!early)
		return peer;
	err = ckpt_inet_refuse(ctx, sk,
			       "whose other end has not taken it (TCP_DEFER_ACCEPT, or its queue is full)");
	return ERR_PTR(err);
}

/* Whether it has got all that the other end had to say. */
static bool ckpt_tcp_has_fin(const struct sock *sk)
{
	return (1 << sk->sk_state) &
	       (TCPF_CLOSE_WAIT | TCPF_LAST_ACK | TCPF_CLOSING);
}

static void ckpt_tcp_end_get(struct sock *sk, u32 ref,
			     struct ckpt_rec_tcp_end *end)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 next = tp->rcv_nxt - ckpt_tcp_has_fin(sk), what = 0;
	u32 copied = before(next, tp->copied_seq) ? next : tp->copied_seq;

	if (tcp_is_sack(tp))
		what |= CKPT_TCP_SACK;
	if (tp->rx_opt.tstamp_ok)
		what |= CKPT_TCP_TIMESTAMPS;
	if (sk->sk_shutdown & SEND_SHUTDOWN)
		what |= CKPT_TCP_SHUTDOWN;
	end->sock = cpu_to_le32(ref);
	end->what = cpu_to_le32(what);
	end->copied_seq = cpu_to_le32(copied);
	end->rcv_nxt = cpu_to_le32(next);
	end->rcv_wnd = cpu_to_le32(tcp_receive_window(tp));
	end->max_window = cpu_to_le32(tp->max_window);
	end->mss = cpu_to_le32(tp->rx_opt.mss_clamp);
	end->scales = cpu_to_le32(tp->rx_opt.snd_wscale |
				  tp->rx_opt.rcv_wscale << 16);
}

/* One that there is no more, as it must have been: it has got all, and said all. */
static void ckpt_tcp_end_invent(struct sock *sk,
				const struct ckpt_rec_tcp_end *other,
				struct ckpt_rec_tcp_end *end)
{
	u32 scales = le32_to_cpu(other->scales);

	*end = *other;
	end->sock = 0;
	end->what = other->what | cpu_to_le32(CKPT_TCP_SHUTDOWN);
	end->copied_seq = cpu_to_le32(tcp_sk(sk)->snd_nxt);
	end->rcv_nxt = end->copied_seq;
	end->rcv_wnd = cpu_to_le32(tcp_sk(sk)->snd_wnd);
	end->scales = cpu_to_le32(scales >> 16 | scales << 16);
}

/**
 * struct ckpt_tcp_queue - a queue that is being written
 * @from: sequence number of the next byte
 * @end: index of the end that has it
 * @what: %CKPT_TCP_SENT or 0
 * @nr: how many pieces there are so far
 */
struct ckpt_tcp_queue {
	u32	from;
	u32	end;
	u32	what;
	u32	nr;
};

static int ckpt_tcp_piece_add(struct ckpt_ctx *ctx, struct ckpt_tcp_queue *queue,
			      struct sk_buff *skb, u32 at, u32 len, u32 what)
{
	struct ckpt_rec_tcp_data *rec;

	if (!len)
		return 0;
	rec = ckpt_part_add(ctx, CKPT_REC_TCP_DATA, sizeof(*rec) + len);
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	queue->nr++;
	queue->from += len;
	rec->end = cpu_to_le32(queue->end);
	rec->what = cpu_to_le32(queue->what | what);
	return skb_copy_bits(skb, at, rec->data, len);
}

/* Where there is urgent data in it, that is a piece of its own. */
static int ckpt_tcp_data_add(struct ckpt_ctx *ctx, struct ckpt_tcp_queue *queue,
			     const struct tcp_sock *tp, struct sk_buff *skb)
{
	u32 seq = TCP_SKB_CB(skb)->seq, at, urgent = 0;
	u32 what = CKPT_TCP_URGENT;
	int err = 0;

	if (TCP_SKB_CB(skb)->tcp_flags & TCPHDR_SYN)
		seq++;
	at = before(seq, queue->from) ? queue->from - seq : 0;
	if (at >= skb->len)
		return 0;
	if (!skb_frags_readable(skb))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "TCP socket: memory of a device: not supported");
	if (!queue->what && tp->urg_data)
		urgent = tp->urg_seq - seq + 1;
	if (tp->urg_data & TCP_URG_READ)
		what |= CKPT_TCP_URGENT_READ;
	if (urgent > at && urgent <= skb->len) {
		err = ckpt_tcp_piece_add(ctx, queue, skb, at, urgent - 1 - at,
					 0);
		if (!err)
			err = ckpt_tcp_piece_add(ctx, queue, skb, urgent - 1, 1,
						 what);
		at = urgent;
	}
	return err ?: ckpt_tcp_piece_add(ctx, queue, skb, at, skb->len - at, 0);
}

/* What @sk has to read, and what it has sent that did not come to @to. */
static int ckpt_tcp_queues_save(struct ckpt_ctx *ctx, struct sock *sk, u32 end,
				u32 copied, u32 to, u32 *nr)
{
	struct ckpt_tcp_queue in = { .from = copied, .end = end };
	struct ckpt_tcp_queue out = {
		.from = to, .end = end, .what = CKPT_TCP_SENT
	};
	const struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;
	int err = 0;

	if (tp->snd_up != tp->snd_una && after(tp->snd_up, to))
		return ckpt_inet_refuse(ctx, sk, "with urgent data under way");
	skb_queue_walk(&sk->sk_receive_queue, skb) {
		err = err ?: ckpt_tcp_data_add(ctx, &in, tp, skb);
	}
	skb_rbtree_walk(skb, &sk->tcp_rtx_queue) {
		err = err ?: ckpt_tcp_data_add(ctx, &out, tp, skb);
	}
	skb_queue_walk(&sk->sk_write_queue, skb) {
		err = err ?: ckpt_tcp_data_add(ctx, &out, tp, skb);
	}
	*nr += in.nr + out.nr;
	return err;
}

/* Both are locked, or there is no @peer. */
static int ckpt_tcp_link_write(struct ckpt_ctx *ctx, struct sock *sk, u32 ref,
			       struct sock *peer, u32 peer_ref)
{
	struct ckpt_rec_tcp_link link = {}, *rec;
	size_t at;
	u32 nr = 0;
	int err;

	ckpt_tcp_end_get(sk, ref, &link.end[0]);
	if (peer)
		ckpt_tcp_end_get(peer, peer_ref, &link.end[1]);
	else
		ckpt_tcp_end_invent(sk, &link.end[0], &link.end[1]);
	at = ctx->meta.len + sizeof(struct ckpt_record);
	rec = ckpt_object_add(ctx, CKPT_REC_TCP_LINK, NULL, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	*rec = link;
	err = ckpt_tcp_queues_save(ctx, sk, 0,
				   le32_to_cpu(link.end[0].copied_seq),
				   le32_to_cpu(link.end[1].rcv_nxt), &nr);
	if (!err && peer)
		err = ckpt_tcp_queues_save(ctx, peer, 1,
					   le32_to_cpu(link.end[1].copied_seq),
					   le32_to_cpu(link.end[0].rcv_nxt),
					   &nr);
	rec = ctx->meta.data + at;
	rec->nr_data = cpu_to_le32(nr);
	return err;
}

static int ckpt_tcp_link_save(struct ckpt_ctx *ctx, struct sock *sk,
			      struct sock *peer)
{
	u32 ref, peer_ref = 0;
	int err;

	err = ckpt_mention(ctx, CKPT_SOCK, sk, &ref);
	if (!err && peer && !sock_flag(peer, SOCK_DEAD))
		err = ckpt_mention(ctx, CKPT_SOCK, peer, &peer_ref);
	if (err)
		return err;
	lock_sock(sk);
	if (peer)
		lock_sock_nested(peer, SINGLE_DEPTH_NESTING);
	err = ckpt_tcp_link_write(ctx, sk, ref, peer, peer_ref);
	if (peer)
		release_sock(peer);
	release_sock(sk);
	return err;
}

static int ckpt_tcp_single_save(struct ckpt_ctx *ctx, struct sock *sk,
				u32 what)
{
	struct ckpt_rec_tcp_link *rec;
	u32 ref;
	int err;

	err = ckpt_mention(ctx, CKPT_SOCK, sk, &ref);
	if (err)
		return err;
	rec = ckpt_object_add(ctx, CKPT_REC_TCP_LINK, NULL, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->what = cpu_to_le32(what);
	rec->end[0].sock = cpu_to_le32(ref);
	return 0;
}

/* Of two that are in the tree, one of them writes for both. */
static int ckpt_tcp_peer_save(struct ckpt_ctx *ctx, struct sock *sk,
			      struct sock *peer)
{
	if (peer == sk)
		return ckpt_inet_refuse(ctx, sk, "connected to itself");
	if (peer && !sock_flag(peer, SOCK_DEAD)) {
		if (!ckpt_in_use(ctx, peer))
			return ckpt_tcp_single_save(ctx, sk,
						    CKPT_TCP_OUTSIDE);
		if (peer < sk)
			return 0;
	} else if (!peer && !ckpt_tcp_is_local(sk)) {
		return ckpt_tcp_single_save(ctx, sk, CKPT_TCP_OUTSIDE);
	}
	return ckpt_tcp_link_save(ctx, sk, peer);
}

/**
 * ckpt_tcp_conclude() - write what a socket is connected to
 * @ctx: the checkpoint
 * @sk: the socket
 *
 * Return: 0 or a negative errno.
 */
int ckpt_tcp_conclude(struct ckpt_ctx *ctx, struct sock *sk)
{
	struct sock *peer;
	int err;

	switch (inet_sk_state_load(sk)) {
	case TCP_LISTEN:
		return 0;
	case TCP_SYN_SENT:
		return ckpt_tcp_single_save(ctx, sk, CKPT_TCP_CONNECTING);
	case TCP_CLOSE:
		if (skb_queue_empty_lockless(&sk->sk_receive_queue))
			return 0;
		return ckpt_inet_refuse(ctx, sk, "closed by both ends, with data to be read");
	}
	peer = ckpt_tcp_peer(ctx, sk);
	if (IS_ERR(peer))
		return PTR_ERR(peer);
	err = ckpt_tcp_peer_save(ctx, sk, peer);
	if (peer)
		sock_put(peer);
	return err;
}

/* Restart. */

static const struct ckpt_rec_sock_inet *ckpt_tcp_rec(struct rstr_ctx *ctx,
						     __le32 ref)
{
	return rstr_payload(rstr_obj(ctx, ref)->rec);
}

/* A socket that is connected, and is no other connection's end. */
static int ckpt_tcp_end_check(struct rstr_ctx *ctx, struct rstr_obj *obj,
			      const struct ckpt_rec_tcp_end *end)
{
	const struct ckpt_rec_sock_inet *rec;
	u32 scales = le32_to_cpu(end->scales);
	struct rstr_obj *sock;

	if (le32_to_cpu(end->what) & ~CKPT_TCP_WHAT_KNOWN ||
	    (scales & 0xffff) > TCP_MAX_WSCALE ||
	    scales >> 16 > TCP_MAX_WSCALE ||
	    le32_to_cpu(end->mss) > U16_MAX ||
	    le32_to_cpu(end->rcv_wnd) > MAX_TCP_WINDOW << TCP_MAX_WSCALE)
		return rstr_bad(ctx, obj->rec, "what %#x, scales %#x",
				le32_to_cpu(end->what), scales);
	sock = rstr_ref(ctx, obj->rec, end->sock, CKPT_SOCK);
	if (!sock)
		return -EBADMSG;
	rec = rstr_payload(sock->rec);
	if (sock->kind != &ckpt_sock_inet_kind || sock->list ||
	    rec->type != cpu_to_le32(SOCK_STREAM) ||
	    rec->state != cpu_to_le32(CKPT_SOCK_ESTABLISHED))
		return rstr_bad(ctx, obj->rec, "of a socket that is not connected, or elsewhere");
	sock->list = obj;
	return 0;
}

/* Whether the one is where the other is connected to. */
static bool ckpt_tcp_meets(const struct ckpt_rec_sock_inet *a,
			   const struct ckpt_rec_sock_inet *b)
{
	struct ckpt_tcp_addr from, to;

	ckpt_tcp_addr(le32_to_cpu(a->family), &a->peer, &from);
	ckpt_tcp_addr(le32_to_cpu(b->family), &b->own, &to);
	return from.port == to.port && ipv6_addr_equal(&from.addr, &to.addr);
}

/* Not to be had, but as one that is closed. */
static int ckpt_tcp_outside_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_tcp_link *p = rstr_payload(obj->rec);
	const struct ckpt_rec_sock_inet *rec;
	struct sockaddr_storage own, peer;

	if (ctx->flags & RESTART_TCP_CLOSE)
		return 0;
	rec = ckpt_tcp_rec(ctx, p->end[0].sock);
	ckpt_inet_sockaddr(le32_to_cpu(rec->family), &rec->own, &own);
	ckpt_inet_sockaddr(le32_to_cpu(rec->family), &rec->peer, &peer);
	return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
			   "TCP connection %pISpc -> %pISpc leads outside the tree: it can only be closed (--tcp-close)",
			   &own, &peer);
}

static int ckpt_tcp_data_check(struct rstr_ctx *ctx,
			       const struct ckpt_record *rec)
{
	const struct ckpt_rec_tcp_data *p = rstr_payload(rec);
	u32 what = le32_to_cpu(p->what);

	if (le32_to_cpu(p->end) > 1 || what & ~CKPT_TCP_DATA_KNOWN ||
	    (what & CKPT_TCP_SENT && what != CKPT_TCP_SENT) ||
	    what == CKPT_TCP_URGENT_READ ||
	    (what & CKPT_TCP_URGENT && rstr_size(rec) != sizeof(*p) + 1) ||
	    rstr_size(rec) == sizeof(*p) ||
	    rstr_size(rec) - sizeof(*p) > CKPT_SOCK_MESSAGE_MAX)
		return rstr_bad(ctx, rec, "end %u, what %#x",
				le32_to_cpu(p->end), what);
	return 0;
}

/* What @end has to read must be what it says. */
static bool ckpt_tcp_data_adds_up(struct rstr_obj *obj, u32 end)
{
	const struct ckpt_rec_tcp_link *p = rstr_payload(obj->rec);
	u32 len = le32_to_cpu(p->end[end].rcv_nxt) -
		  le32_to_cpu(p->end[end].copied_seq);
	const struct ckpt_rec_tcp_data *data;
	const struct ckpt_record *rec;
	u32 urgent = 0;
	u64 sum = 0;

	rstr_for_each_part(rec, obj, CKPT_REC_TCP_DATA) {
		data = rstr_payload(rec);
		if (le32_to_cpu(data->end) != end ||
		    data->what & cpu_to_le32(CKPT_TCP_SENT))
			continue;
		sum += rstr_size(rec) - sizeof(*data);
		urgent += !!data->what;
	}
	return sum == len && urgent <= 1;
}

static int ckpt_tcp_link_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_tcp_link *p = rstr_payload(obj->rec);
	const struct ckpt_rec_sock_inet *a, *b;
	const struct ckpt_record *rec;
	u32 nr = 0;
	int err;

	err = ckpt_tcp_end_check(ctx, obj, &p->end[0]);
	if (!err && p->end[1].sock)
		err = ckpt_tcp_end_check(ctx, obj, &p->end[1]);
	if (err)
		return err;
	rstr_for_each_part(rec, obj, CKPT_REC_TCP_DATA)
		nr++;
	if (nr != le32_to_cpu(p->nr_data) ||
	    le32_to_cpu(p->what) > CKPT_TCP_CONNECTING ||
	    (p->what && (nr || p->end[1].sock)))
		return rstr_bad(ctx, obj->rec, "%u pieces of data, what %#x",
				nr, le32_to_cpu(p->what));
	if (p->what == cpu_to_le32(CKPT_TCP_OUTSIDE))
		return ckpt_tcp_outside_check(ctx, obj);
	if (p->what)
		return 0;
	a = ckpt_tcp_rec(ctx, p->end[0].sock);
	b = p->end[1].sock ? ckpt_tcp_rec(ctx, p->end[1].sock) : NULL;
	if (b && (!ckpt_tcp_meets(a, b) || !ckpt_tcp_meets(b, a)))
		return rstr_bad(ctx, obj->rec, "ends that do not meet");
	if (!ckpt_tcp_data_adds_up(obj, 0) || !ckpt_tcp_data_adds_up(obj, 1))
		return rstr_bad(ctx, obj->rec, "data that does not add up");
	return 0;
}

/**
 * struct ckpt_tcp_work - a connection that is being put together
 * @sk: its ends
 * @lent: what each that waits to be accepted is open by for as long; or NULL
 * @reuse: sk_reuse of each
 * @closed: one that is there for as long as it takes to be closed; or NULL
 */
struct ckpt_tcp_work {
	struct sock	*sk[2];
	struct socket	*lent[2];
	unsigned char	reuse[2];
	struct socket	*closed;
};

static int ckpt_tcp_ends_get(struct rstr_ctx *ctx, struct rstr_obj *obj,
			     struct ckpt_tcp_work *work)
{
	const struct ckpt_rec_tcp_link *p = rstr_payload(obj->rec);
	const struct ckpt_rec_sock_inet *rec;
	int err;

	for (int i = 0; i < 2 && p->end[i].sock; i++) {
		work->sk[i] = rstr_get(ctx, rstr_obj(ctx, p->end[i].sock));
		if (IS_ERR(work->sk[i]))
			return PTR_ERR(work->sk[i]);
		if (work->sk[i]->sk_socket)
			continue;
		if (p->end[i].what & cpu_to_le32(CKPT_TCP_SHUTDOWN))
			return rstr_bad(ctx, obj->rec, "shut down, and not accepted");
		err = ckpt_tcp_lend(work->sk[i], &work->lent[i]);
		if (err)
			return err;
	}
	if (!work->sk[1]) {
		rec = ckpt_tcp_rec(ctx, p->end[0].sock);
		err = sock_create(le32_to_cpu(rec->family), SOCK_STREAM,
				  IPPROTO_TCP, &work->closed);
		if (err)
			return err == -ENOBUFS ? -ENOMEM : err;
		work->sk[1] = work->closed->sk;
	}
	return 0;
}

/* Bind it where it was and connect it, which nobody hears of. */
static int ckpt_tcp_end_connect(struct rstr_ctx *ctx,
				const struct ckpt_rec_tcp_link *p,
				struct ckpt_tcp_work *work, int i)
{
	struct sock *sk = work->sk[i];
	struct ckpt_tcp_addr own, peer;
	struct ckpt_rec_sock_inet rec;
	u32 locks;
	int err;

	rec = *ckpt_tcp_rec(ctx, p->end[p->end[i].sock ? i : 0].sock);
	if (!p->end[i].sock)
		swap(rec.own, rec.peer);
	locks = le32_to_cpu(rec.locks) &
		(SOCK_BINDADDR_LOCK | SOCK_BINDPORT_LOCK);
	/* It has to be that address, chosen or not. */
	rec.locks = cpu_to_le32(SOCK_BINDADDR_LOCK | SOCK_BINDPORT_LOCK);
	work->reuse[i] = sk->sk_reuse;
	ckpt_tcp_addr(sk->sk_family, &rec.own, &own);
	ckpt_tcp_addr(sk->sk_family, &rec.peer, &peer);
	ckpt_tcp_forget(sock_net(sk), &own, &peer);
	err = ckpt_tcp_repair_begin(sk, &p->end[i], &p->end[!i]);
	if (!err)
		err = ckpt_inet_bind(ctx, sk, &rec);
	if (!err)
		err = ckpt_inet_connect(ctx, sk, &rec);
	if (err)
		return err;
	if (!ckpt_tcp_is_local(sk) && !ns_capable(sock_net(sk)->user_ns, CAP_NET_ADMIN))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "TCP socket: its other end is not of this machine");
	lock_sock(sk);
	sk->sk_userlocks &= ~(SOCK_BINDADDR_LOCK | SOCK_BINDPORT_LOCK);
	sk->sk_userlocks |= locks;
	release_sock(sk);
	return 0;
}

/* Who has no more to say is heard to have none, and who has closed is closed. */
static int ckpt_tcp_ends_finish(struct rstr_ctx *ctx, struct rstr_obj *obj,
				struct ckpt_tcp_work *work)
{
	const struct ckpt_rec_tcp_link *p = rstr_payload(obj->rec);
	const struct ckpt_rec_sock_inet *rec;
	int err = 0;

	for (int i = 0; i < 2 && !err; i++)
		err = ckpt_tcp_queue_restore(obj, work->sk[i], i,
					     CKPT_TCP_SENT);
	for (int i = 0; i < 2 && !err; i++)
		if (p->end[i].what & cpu_to_le32(CKPT_TCP_SHUTDOWN))
			err = kernel_sock_shutdown(work->sk[i]->sk_socket,
						   SHUT_WR);
	for (int i = 0; i < 2 && !err && p->end[i].sock; i++) {
		rec = ckpt_tcp_rec(ctx, p->end[i].sock);
		lock_sock(work->sk[i]);
		work->sk[i]->sk_shutdown |= le32_to_cpu(rec->shutdown);
		WRITE_ONCE(work->sk[i]->sk_err, le32_to_cpu(rec->error));
		release_sock(work->sk[i]);
	}
	return err;
}

static int ckpt_tcp_connect(struct rstr_ctx *ctx, struct rstr_obj *obj,
			    struct ckpt_tcp_work *work)
{
	const struct ckpt_rec_tcp_link *p = rstr_payload(obj->rec);
	int err;

	err = ckpt_tcp_ends_get(ctx, obj, work);
	for (int i = 0; i < 2 && !err; i++)
		err = ckpt_tcp_end_connect(ctx, p, work, i);
	for (int i = 0; i < 2 && !err; i++)
		err = ckpt_tcp_repair_fill(obj, work->sk[i], i);
	if (err)
		return err;
	for (int i = 0; i < 2; i++)
		ckpt_tcp_repair_end(work->sk[i], work->reuse[i]);
	return ckpt_tcp_ends_finish(ctx, obj, work);
}

/* Its other end goes on without it: it is reset, as far as this one can tell. */
static int ckpt_tcp_outside_restore(struct rstr_ctx *ctx,
				    const struct ckpt_rec_tcp_link *p)
{
	struct sock *sk = rstr_get(ctx, rstr_obj(ctx, p->end[0].sock));

	if (IS_ERR(sk))
		return PTR_ERR(sk);
	lock_sock(sk);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	WRITE_ONCE(sk->sk_err, ECONNRESET);
	release_sock(sk);
	return 0;
}

/* What connect(2) may have to say later on; it is said as it would be then. */
static int ckpt_tcp_call(struct sock *sk, const struct ckpt_rec_sock_inet *rec)
{
	struct sockaddr_storage storage;
	int len = ckpt_inet_sockaddr(sk->sk_family, &rec->peer, &storage), err;

	err = kernel_connect(sk->sk_socket, (struct sockaddr *)&storage, len,
			     O_NONBLOCK);
	switch (err) {
	case -ECONNREFUSED:
	case -ENETUNREACH:
	case -EHOSTUNREACH:
		WRITE_ONCE(sk->sk_err, -err);
		fallthrough;
	case -EINPROGRESS:
		return 0;
	case -ENOBUFS:
		return -ENOMEM;
	}
	return err;
}

/* Nobody has answered so far, and whoever it is does not know of the socket. */
static int ckpt_tcp_connecting_restore(struct rstr_ctx *ctx,
				       struct rstr_obj *obj)
{
	const struct ckpt_rec_tcp_link *p = rstr_payload(obj->rec);
	const struct ckpt_rec_sock_inet *rec = ckpt_tcp_rec(ctx, p->end[0].sock);
	struct sock *sk = rstr_get(ctx, rstr_obj(ctx, p->end[0].sock));
	struct ckpt_tcp_addr own, peer;
	unsigned char reuse;
	int err;

	if (IS_ERR(sk))
		return PTR_ERR(sk);
	if (!sk->sk_socket)
		return rstr_bad(ctx, obj->rec, "calls, and waits to be accepted");
	reuse = sk->sk_reuse;
	ckpt_tcp_addr(sk->sk_family, &rec->own, &own);
	ckpt_tcp_addr(sk->sk_family, &rec->peer, &peer);
	ckpt_tcp_forget(sock_net(sk), &own, &peer);
	sk->sk_reuse = SK_FORCE_REUSE;
	err = ckpt_inet_bind(ctx, sk, rec);
	sk->sk_reuse = reuse;
	if (err)
		return err;
	err = ckpt_tcp_call(sk, rec);
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "TCP socket that was being connected: can't be again: %pe",
				   ERR_PTR(err));
	return 0;
}

static int ckpt_tcp_link(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_tcp_link *p = rstr_payload(obj->rec);
	struct ckpt_tcp_work work = {};
	int err;

	if (p->what == cpu_to_le32(CKPT_TCP_OUTSIDE))
		return ckpt_tcp_outside_restore(ctx, p);
	if (p->what)
		return ckpt_tcp_connecting_restore(ctx, obj);
	err = ckpt_tcp_connect(ctx, obj, &work);
	for (int i = 0; i < 2; i++)
		if (work.lent[i])
			ckpt_tcp_return(work.sk[i], work.lent[i]);
	if (work.closed)
		sock_release(work.closed);
	return err;
}

static const struct ckpt_part ckpt_tcp_data_part = {
	.type		= CKPT_REC_TCP_DATA,
	.name		= "data",
	.size		= sizeof(struct ckpt_rec_tcp_data),
	.open_ended	= true,
	.max		= CKPT_SOCK_MESSAGES_MAX,
	.check		= ckpt_tcp_data_check,
};

static const struct ckpt_part *const ckpt_tcp_link_parts[] = {
	&ckpt_tcp_data_part,
	NULL
};

const struct ckpt_kind ckpt_tcp_link_kind = {
	.type		= CKPT_REC_TCP_LINK,
	.family		= CKPT_SOCK_LINK,
	.name		= "TCP connection",
	.size		= sizeof(struct ckpt_rec_tcp_link),
	.parts		= ckpt_tcp_link_parts,
	.check		= ckpt_tcp_link_check,
	.link		= ckpt_tcp_link,
};
