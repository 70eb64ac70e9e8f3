// SPDX-License-Identifier: GPL-2.0-only
/*
 * Putting two sockets of TCP together without a word between them, by what the kernel
 * has for CRIU: see TCP_REPAIR. That takes rights, since one end alone could be made
 * to speak to a machine that knows of nothing. Here both ends are of this machine and
 * of the same image, and so there is nothing that connect(2) would not give as well;
 * ports are bound by the ordinary rules.
 */
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/tcp.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/inet_timewait_sock.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "restart.h"
#include "sock.h"
#include "sock_inet.h"

static int ckpt_tcp_option_set(struct sock *sk, int name, void *value, int len)
{
	return tcp_setsockopt(sk, SOL_TCP, name, KERNEL_SOCKPTR(value), len);
}

static int ckpt_tcp_queue_choose(struct sock *sk, int queue)
{
	return ckpt_tcp_option_set(sk, TCP_REPAIR_QUEUE, &queue, sizeof(queue));
}

static int ckpt_tcp_seq_set(struct sock *sk, int queue, u32 seq)
{
	int err = ckpt_tcp_queue_choose(sk, queue);

	return err ?: ckpt_tcp_option_set(sk, TCP_QUEUE_SEQ, &seq, sizeof(seq));
}

/* What both had agreed on. */
static int ckpt_tcp_agree(struct sock *sk, const struct ckpt_rec_tcp_end *end)
{
	u32 what = le32_to_cpu(end->what);
	struct tcp_repair_opt options[4] = {
		{ TCPOPT_MSS, le32_to_cpu(end->mss) },
		{ TCPOPT_WINDOW, le32_to_cpu(end->scales) },
	};
	int nr = 2;

	if (what & CKPT_TCP_SACK)
		options[nr++].opt_code = TCPOPT_SACK_PERM;
	if (what & CKPT_TCP_TIMESTAMPS)
		options[nr++].opt_code = TCPOPT_TIMESTAMP;
	return ckpt_tcp_option_set(sk, TCP_REPAIR_OPTIONS, options,
				   nr * sizeof(options[0]));
}

/* How much each may send; all that was sent has come. */
static int ckpt_tcp_windows(struct sock *sk, const struct ckpt_rec_tcp_end *end,
			    const struct ckpt_rec_tcp_end *other)
{
	struct tcp_repair_window window = {
		.snd_wl1 = le32_to_cpu(end->rcv_nxt),
		.snd_wnd = le32_to_cpu(other->rcv_wnd),
		.max_window = max(le32_to_cpu(end->max_window),
				  le32_to_cpu(other->rcv_wnd)),
		.rcv_wnd = le32_to_cpu(end->rcv_wnd),
		.rcv_wup = le32_to_cpu(end->rcv_nxt),
	};

	return ckpt_tcp_option_set(sk, TCP_REPAIR_WINDOW, &window,
				   sizeof(window));
}

static int ckpt_tcp_send(struct sock *sk, const void *data, u32 len)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct kvec vec;
	int ret;

	for (u32 at = 0; at < len; at += ret) {
		vec.iov_base = (void *)data + at;
		vec.iov_len = len - at;
		ret = kernel_sendmsg(sk->sk_socket, &msg, &vec, 1, len - at);
		/* What it says for want of memory. */
		if (ret == -ENOBUFS)
			return -ENOMEM;
		if (ret <= 0)
			return ret ?: -EIO;
	}
	return 0;
}

/* The byte that comes next is urgent, and where it is. */
static void ckpt_tcp_urgent(struct sock *sk, const struct ckpt_rec_tcp_data *data)
{
	bool read = data->what & cpu_to_le32(CKPT_TCP_URGENT_READ);
	struct tcp_sock *tp = tcp_sk(sk);

	lock_sock(sk);
	WRITE_ONCE(tp->urg_seq, tp->rcv_nxt);
	WRITE_ONCE(tp->urg_data, read ? TCP_URG_READ :
					TCP_URG_VALID | data->data[0]);
	tp->pred_flags = 0;
	release_sock(sk);
}

/**
 * ckpt_tcp_queue_restore() - give a socket what it has to read, or has sent
 * @obj: the connection
 * @sk: the socket
 * @end: which end it is
 * @what: %CKPT_TCP_SENT or 0
 *
 * It fitted in before, as may be seen from the sizes of its buffers.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_tcp_queue_restore(struct rstr_obj *obj, struct sock *sk, u32 end,
			   u32 what)
{
	int sndbuf = READ_ONCE(sk->sk_sndbuf), rcvbuf = READ_ONCE(sk->sk_rcvbuf);
	u8 locks = sk->sk_userlocks;
	const struct ckpt_rec_tcp_data *data;
	const struct ckpt_record *rec;
	int err = 0;

	WRITE_ONCE(sk->sk_sndbuf, max(sndbuf, INT_MAX / 4));
	WRITE_ONCE(sk->sk_rcvbuf, max(rcvbuf, INT_MAX / 4));
	sk->sk_userlocks |= SOCK_SNDBUF_LOCK | SOCK_RCVBUF_LOCK;
	rstr_for_each_part(rec, obj, CKPT_REC_TCP_DATA) {
		data = rstr_payload(rec);
		if (le32_to_cpu(data->end) != end ||
		    (le32_to_cpu(data->what) & CKPT_TCP_SENT) != what)
			continue;
		if (data->what & cpu_to_le32(CKPT_TCP_URGENT))
			ckpt_tcp_urgent(sk, data);
		err = ckpt_tcp_send(sk, data->data,
				    rstr_size(rec) - sizeof(*data));
		if (err)
			break;
	}
	WRITE_ONCE(sk->sk_sndbuf, sndbuf);
	WRITE_ONCE(sk->sk_rcvbuf, rcvbuf);
	sk->sk_userlocks = locks;
	return err;
}

/**
 * ckpt_tcp_lookup() - find an end of a connection, by its addresses
 * @net: where
 * @own: its address, of IPv6 or mapped to that
 * @peer: that of the other end, likewise
 *
 * Return: the socket, a reference to it, which need not be a full one; or NULL.
 */
struct sock *ckpt_tcp_lookup(struct net *net, const struct ckpt_tcp_addr *own,
			     const struct ckpt_tcp_addr *peer)
{
	struct inet_hashinfo *hash = net->ipv4.tcp_death_row.hashinfo;
	int dif = net->loopback_dev->ifindex;

	if (ipv6_addr_v4mapped(&own->addr))
		return __inet_lookup_established(net, hash,
						 peer->addr.s6_addr32[3],
						 htons(peer->port),
						 own->addr.s6_addr32[3],
						 own->port, dif, 0);
#if IS_ENABLED(CONFIG_IPV6)
	return __inet6_lookup_established(net, hash, &peer->addr,
					  htons(peer->port), &own->addr,
					  own->port, dif, 0);
#else
	return NULL;
#endif
}

/**
 * ckpt_tcp_forget() - have no more to do with a connection that has ended
 * @net: where
 * @own: address of one end
 * @peer: address of the other
 *
 * The connection of a killed process is remembered for a while, in order that late
 * packets do no harm. There are none on the way to oneself.
 */
void ckpt_tcp_forget(struct net *net, const struct ckpt_tcp_addr *own,
		     const struct ckpt_tcp_addr *peer)
{
	struct sock *sk;

	/* The locks of the tables are taken where packets come in as well. */
	local_bh_disable();
	sk = ckpt_tcp_lookup(net, own, peer);
	if (sk && sk->sk_state == TCP_TIME_WAIT)
		inet_twsk_deschedule_put(inet_twsk(sk));
	else if (sk)
		sock_gen_put(sk);
	local_bh_enable();
}

/**
 * ckpt_tcp_repair_begin() - let a socket be set up by hand
 * @sk: the socket, new
 * @own: what is known of it
 * @other: what is known of the other end
 *
 * Return: 0 or a negative errno.
 */
int ckpt_tcp_repair_begin(struct sock *sk, const struct ckpt_rec_tcp_end *own,
			  const struct ckpt_rec_tcp_end *other)
{
	int err;

	lock_sock(sk);
	tcp_sk(sk)->repair = 1;
	sk->sk_reuse = SK_FORCE_REUSE;
	release_sock(sk);
	err = ckpt_tcp_seq_set(sk, TCP_SEND_QUEUE, le32_to_cpu(other->rcv_nxt));
	return err ?: ckpt_tcp_seq_set(sk, TCP_RECV_QUEUE,
				       le32_to_cpu(own->copied_seq));
}

/**
 * ckpt_tcp_repair_fill() - complete the state of one that has been connected
 * @obj: the connection
 * @sk: the socket
 * @end: which end it is
 *
 * Return: 0 or a negative errno.
 */
int ckpt_tcp_repair_fill(struct rstr_obj *obj, struct sock *sk, u32 end)
{
	const struct ckpt_rec_tcp_link *p = rstr_payload(obj->rec);
	int err;

	err = ckpt_tcp_agree(sk, &p->end[end]);
	if (!err)
		err = ckpt_tcp_queue_choose(sk, TCP_RECV_QUEUE);
	if (!err)
		err = ckpt_tcp_queue_restore(obj, sk, end, 0);
	if (!err)
		err = ckpt_tcp_windows(sk, &p->end[end], &p->end[!end]);
	return err ?: ckpt_tcp_queue_choose(sk, TCP_NO_QUEUE);
}

/**
 * ckpt_tcp_repair_end() - let a socket go its way
 * @sk: the socket
 * @reuse: sk_reuse, as it was
 */
void ckpt_tcp_repair_end(struct sock *sk, unsigned char reuse)
{
	lock_sock(sk);
	tcp_sk(sk)->repair = 0;
	sk->sk_reuse = reuse;
	release_sock(sk);
}
