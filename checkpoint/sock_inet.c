// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP and UDP sockets, of IPv4 and IPv6, that are bound or connected or listen. What
 * was sent to one by UDP is in sock_udp.c, connections of TCP are in sock_tcp.c.
 * What waits at any other is lost: sockets of UDP-Lite, those for pings, raw ones.
 */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/igmp.h>
#include <linux/net.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/inet_connection_sock.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/raw.h>
#include <net/route.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/transp_v6.h>

#include "checkpoint.h"
#include "restart.h"
#include "sock.h"
#include "sock_inet.h"

/* Checkpoint. */

/* What an address that was chosen is marked with. */
#define CKPT_INET_LOCKS	(SOCK_BINDADDR_LOCK | SOCK_BINDPORT_LOCK)
#define CKPT_INET_LOCKS_KNOWN	(CKPT_INET_LOCKS | CKPT_SOCK_FOREIGN)

/* Of datagrams other than UDP's. */
static bool ckpt_inet_is_datagram(int family, int protocol)
{
	return protocol == IPPROTO_UDPLITE ||
	       protocol == (family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static bool ckpt_inet_is_raw(const struct sock *sk)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_prot == &rawv6_prot)
		return true;
#endif
	return sk->sk_prot == &raw_prot;
}

static bool ckpt_inet_match(const void *obj)
{
	const struct sock *sk = obj;

	if (!sk_is_inet(sk))
		return false;
	if (sk->sk_type == SOCK_RAW)
		return ckpt_inet_is_raw(sk);
	if (sk->sk_type == SOCK_STREAM)
		return sk->sk_protocol == IPPROTO_TCP;
	return sk->sk_type == SOCK_DGRAM &&
	       (sk->sk_protocol == IPPROTO_UDP ||
		ckpt_inet_is_datagram(sk->sk_family, sk->sk_protocol));
}

/**
 * ckpt_inet_address() - an address of a socket
 * @sk: the socket
 * @addr: where it goes
 * @peer: that of the other end, not its own
 */
void ckpt_inet_address(const struct sock *sk, struct ckpt_rec_inet_addr *addr,
		       bool peer)
{
	const struct inet_sock *inet = inet_sk(sk);

	memset(addr, 0, sizeof(*addr));
	addr->port = cpu_to_le32(ntohs(peer ? inet->inet_dport :
				       htons(inet->inet_num)));
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		memcpy(addr->addr, peer ? &sk->sk_v6_daddr :
					  &sk->sk_v6_rcv_saddr, 16);
		if (__ipv6_addr_needs_scope_id(ipv6_addr_type((void *)addr->addr)))
			addr->scope = cpu_to_le32(sk->sk_bound_dev_if);
		return;
	}
#endif
	memcpy(addr->addr, peer ? &inet->inet_daddr : &inet->inet_rcv_saddr, 4);
}

/**
 * ckpt_inet_describe() - name the addresses of a socket
 * @sk: the socket
 * @buf: where
 * @len: its size
 */
void ckpt_inet_describe(const struct sock *sk, char *buf, size_t len)
{
	struct sockaddr_storage own, peer;
	struct ckpt_rec_inet_addr addr;

	ckpt_inet_address(sk, &addr, false);
	ckpt_inet_sockaddr(sk->sk_family, &addr, &own);
	ckpt_inet_address(sk, &addr, true);
	ckpt_inet_sockaddr(sk->sk_family, &addr, &peer);
	if (inet_sk(sk)->inet_dport && sk->sk_state != TCP_CLOSE)
		snprintf(buf, len, " %pISpc -> %pISpc", &own, &peer);
	else if (inet_sk(sk)->inet_num)
		snprintf(buf, len, " %pISpc", &own);
}

static const char *ckpt_udp_has(const struct sock *sk)
{
	if (READ_ONCE(udp_sk(sk)->pending))
		return "with a datagram that is being made";
	if (READ_ONCE(udp_sk(sk)->encap_type))
		return "that encapsulates";
	return NULL;
}

/* One that packets are shown to which are to be forwarded; a routing daemon's. */
static bool ckpt_raw_is_alerted(const struct sock *sk)
{
	struct ip_ra_chain *ra;

	guard(rcu)();
	for (ra = rcu_dereference(sock_net(sk)->ipv4.ra_chain); ra;
	     ra = rcu_dereference(ra->next))
		if (ra->sk == sk)
			return true;
	return false;
}

#if IS_ENABLED(CONFIG_IPV6)
static bool ckpt_raw6_is_alerted(const struct sock *sk)
{
	struct ip6_ra_chain *ra;

	guard(read_lock)(&ip6_ra_lock);
	for (ra = ip6_ra_chain; ra; ra = ra->next)
		if (ra->sk == sk)
			return true;
	return false;
}
#else
static bool ckpt_raw6_is_alerted(const struct sock *sk)
{
	return false;
}
#endif

static const char *ckpt_raw_has(const struct sock *sk)
{
	if (ckpt_raw_is_alerted(sk) || ckpt_raw6_is_alerted(sk))
		return "that is shown what is routed (IP_ROUTER_ALERT)";
	return NULL;
}

static const char *ckpt_tcp_has(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (inet_csk_has_ulp(sk))
		return "with an upper protocol";
	if (tp->repair)
		return "in repair";
#ifdef CONFIG_TCP_MD5SIG
	if (rcu_access_pointer(tp->md5sig_info))
		return "with signatures";
#endif
	if (tp->urg_data & TCP_URG_NOTYET)
		return "with urgent data that has not come";
	if (tp->fastopen_req || inet_test_bit(DEFER_CONNECT, sk))
		return "that is connected as it sends (TCP_FASTOPEN)";
	return NULL;
}

#if IS_ENABLED(CONFIG_IPV6)
static const char *ckpt_inet6_has(const struct sock *sk)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);

	if (!np)
		return NULL;
	if (rcu_access_pointer(np->ipv6_mc_list) || np->ipv6_ac_list)
		return "in a multicast group";
	if (np->mcast_oif && !sk_is_tcp(sk))
		return "with an interface for multicasts";
	if (rcu_access_pointer(np->opt) || rcu_access_pointer(inet_sk(sk)->ipv6_fl_list))
		return "with IP options";
	return NULL;
}
#else
static const char *ckpt_inet6_has(const struct sock *sk)
{
	return NULL;
}
#endif

static const char *ckpt_inet_has(const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);
	const char *has;

	if (rcu_access_pointer(inet->mc_list))
		return "in a multicast group";
	/* Of TCP it is the one that the connection came by. */
	if ((inet->mc_index || inet->mc_addr) && !sk_is_tcp(sk))
		return "with an interface for multicasts";
	if (rcu_access_pointer(inet->inet_opt))
		return "with IP options";
#ifdef CONFIG_XFRM
	if (rcu_access_pointer(sk->sk_policy[0]) ||
	    rcu_access_pointer(sk->sk_policy[1]))
		return "with a policy of IPsec";
#endif
	has = ckpt_inet6_has(sk);
	if (has)
		return has;
	if (sk_is_tcp(sk))
		return ckpt_tcp_has(sk);
	if (sk->sk_type == SOCK_RAW)
		return ckpt_raw_has(sk);
	return sk_is_udp(sk) || sk->sk_protocol == IPPROTO_UDPLITE ?
	       ckpt_udp_has(sk) : NULL;
}

static int ckpt_inet_state(const struct sock *sk)
{
	switch (inet_sk_state_load(sk)) {
	case TCP_CLOSE:
		return CKPT_SOCK_CLOSED;
	case TCP_LISTEN:
		return CKPT_SOCK_LISTEN;
	case TCP_SYN_RECV:
		return -EINPROGRESS;
	}
	return CKPT_SOCK_ESTABLISHED;
}

/**
 * ckpt_inet_refuse() - refuse a socket for what it has
 * @ctx: the checkpoint
 * @sk: the socket
 * @has: what that is, in words
 *
 * Return: -EOPNOTSUPP
 */
int ckpt_inet_refuse(struct ckpt_ctx *ctx, const struct sock *sk,
		     const char *has)
{
	char what[160];

	ckpt_sock_describe(sk, what, sizeof(what));
	return ckpt_refuse(&ctx->log, -EOPNOTSUPP, "%s %s: not supported", what,
			   has);
}

static int ckpt_inet_supported(struct ckpt_ctx *ctx, struct sock *sk)
{
	const char *has = ckpt_inet_has(sk);
	int err;

	err = ckpt_sock_supported(ctx, sk);
	if (err)
		return err;
	if (has)
		return ckpt_inet_refuse(ctx, sk, has);
	if (ckpt_inet_state(sk) < 0)
		return ckpt_inet_refuse(ctx, sk, "that is being connected");
	return 0;
}

#if IS_BUILTIN(CONFIG_IPV6)
static bool ckpt_inet6_is_foreign(const struct sock *sk)
{
	const struct in6_addr *addr = &sk->sk_v6_rcv_saddr;

	return ipv6_addr_type(addr) & IPV6_ADDR_UNICAST &&
	       !ipv6_chk_addr(sock_net(sk), addr, NULL, 0);
}
#else
static bool ckpt_inet6_is_foreign(const struct sock *sk)
{
	return false;
}
#endif

/* What bind(2) would not take by itself. */
static bool ckpt_inet_is_foreign(const struct sock *sk)
{
	__be32 addr = inet_sk(sk)->inet_rcv_saddr;

	if (sk_is_tcp(sk) && ckpt_inet_state(sk) == CKPT_SOCK_ESTABLISHED)
		return false;
	if (sk->sk_family == AF_INET6 && !ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr))
		return ckpt_inet6_is_foreign(sk);
	return addr && inet_addr_type(sock_net(sk), addr) == RTN_UNICAST;
}

static int ckpt_inet_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct ckpt_rec_sock_inet *rec;
	struct sock *sk = obj;
	int err;

	err = ckpt_inet_supported(ctx, sk);
	if (err)
		return err;
	rec = ckpt_object_add(ctx, CKPT_REC_SOCK_INET, sk, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->family = cpu_to_le32(sk->sk_family);
	rec->type = cpu_to_le32(sk->sk_type);
	rec->state = cpu_to_le32(ckpt_inet_state(sk));
	rec->shutdown = cpu_to_le32(READ_ONCE(sk->sk_shutdown));
	rec->error = cpu_to_le32(READ_ONCE(sk->sk_err));
	if (sk->sk_state == TCP_LISTEN)
		rec->backlog = cpu_to_le32(READ_ONCE(sk->sk_max_ack_backlog));
	rec->locks = cpu_to_le32(sk->sk_userlocks & CKPT_INET_LOCKS);
	if (ckpt_inet_is_foreign(sk))
		rec->locks |= cpu_to_le32(CKPT_SOCK_FOREIGN);
	if (!sk_is_tcp(sk) && !sk_is_udp(sk))
		rec->protocol = cpu_to_le32(sk->sk_protocol);
	ckpt_inet_address(sk, &rec->own, false);
	ckpt_inet_address(sk, &rec->peer, true);
	return ckpt_sock_options_save(ctx, sk);
}

/* Restart. */

/**
 * ckpt_inet_sockaddr() - an address as bind(2) and connect(2) have it
 * @family: AF_INET or AF_INET6
 * @addr: the address
 * @storage: where it goes
 *
 * Return: its length
 */
int ckpt_inet_sockaddr(int family, const struct ckpt_rec_inet_addr *addr,
		       struct sockaddr_storage *storage)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storage;
	struct sockaddr_in *in = (struct sockaddr_in *)storage;
	__be16 port = htons(le32_to_cpu(addr->port));

	memset(storage, 0, sizeof(*storage));
	if (family == AF_INET) {
		in->sin_family = AF_INET;
		in->sin_port = port;
		memcpy(&in->sin_addr, addr->addr, sizeof(in->sin_addr));
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = port;
	in6->sin6_scope_id = le32_to_cpu(addr->scope);
	memcpy(&in6->sin6_addr, addr->addr, sizeof(in6->sin6_addr));
	return sizeof(*in6);
}

static bool ckpt_inet_addr_bad(const struct ckpt_rec_inet_addr *addr, u32 family)
{
	return le32_to_cpu(addr->port) > U16_MAX ||
	       (family == AF_INET &&
		(memchr_inv(addr->addr + 4, 0, 12) || addr->scope));
}

static bool ckpt_inet_is_known(u32 family, u32 type, u32 protocol)
{
	if (family != AF_INET && family != AF_INET6)
		return false;
	switch (type) {
	case SOCK_STREAM:
		return !protocol;
	case SOCK_DGRAM:
		return !protocol || ckpt_inet_is_datagram(family, protocol);
	case SOCK_RAW:
		return protocol && protocol < IPPROTO_MAX;
	}
	return false;
}

static int ckpt_inet_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_sock_inet *rec = rstr_payload(obj->rec);
	u32 family = le32_to_cpu(rec->family), type = le32_to_cpu(rec->type);
	u32 state = le32_to_cpu(rec->state);

	if (!ckpt_inet_is_known(family, type, le32_to_cpu(rec->protocol)) ||
	    state > CKPT_SOCK_LISTEN ||
	    (state == CKPT_SOCK_LISTEN && type != SOCK_STREAM))
		return rstr_bad(ctx, obj->rec,
				"family %u, type %u, protocol %u, state %u",
				family, type, le32_to_cpu(rec->protocol), state);
	if (le32_to_cpu(rec->shutdown) & ~SHUTDOWN_MASK ||
	    le32_to_cpu(rec->error) > MAX_ERRNO ||
	    le32_to_cpu(rec->backlog) > INT_MAX ||
	    le32_to_cpu(rec->locks) & ~CKPT_INET_LOCKS_KNOWN)
		return rstr_bad(ctx, obj->rec, "shutdown %#x, error %u",
				le32_to_cpu(rec->shutdown),
				le32_to_cpu(rec->error));
	if (ckpt_inet_addr_bad(&rec->own, family) ||
	    ckpt_inet_addr_bad(&rec->peer, family) ||
	    (state == CKPT_SOCK_ESTABLISHED && !rec->peer.port && !rec->protocol))
		return rstr_bad(ctx, obj->rec, "not an address");
	return 0;
}

static int ckpt_inet_failed(struct rstr_ctx *ctx, struct sock *sk,
			    const struct sockaddr_storage *storage, int err,
			    const char *what)
{
	const char *name = sk_is_udp(sk) ? "UDP" : sk->sk_prot->name;

	return ckpt_refuse(&ctx->log, err, "%s socket %pISpc: can't be %s: %pe",
			   sk_is_tcp(sk) ? "TCP" : name, storage, what,
			   ERR_PTR(err));
}

/* As IP_FREEBIND has it for as long as it takes, which everybody may set. */
static int ckpt_inet_bind_to(struct sock *sk, struct sockaddr_storage *storage,
			     int len, bool foreign)
{
	bool was = inet_test_bit(FREEBIND, sk);
	int err;

	if (foreign)
		inet_set_bit(FREEBIND, sk);
	err = kernel_bind(sk->sk_socket, (struct sockaddr *)storage, len);
	inet_assign_bit(FREEBIND, sk, was);
	return err;
}

/**
 * ckpt_inet_bind() - give a socket the address that it had
 * @ctx: the restart
 * @sk: the socket
 * @rec: its record
 *
 * Of one that is connected only if it was asked for: else it follows from the
 * connection. Of a raw one that is not known.
 *
 * Return: 0 or what bind(2) fails with.
 */
int ckpt_inet_bind(struct rstr_ctx *ctx, struct sock *sk,
		   const struct ckpt_rec_sock_inet *rec)
{
	u32 locks = le32_to_cpu(rec->locks);
	struct ckpt_rec_inet_addr own = rec->own;
	struct sockaddr_storage storage;
	int len, err;

	if (!rec->own.port)
		return 0;
	if (!(locks & SOCK_BINDADDR_LOCK) && sk->sk_type != SOCK_RAW &&
	    rec->state == cpu_to_le32(CKPT_SOCK_ESTABLISHED))
		memset(own.addr, 0, sizeof(own.addr));
	len = ckpt_inet_sockaddr(sk->sk_family, &own, &storage);
	err = ckpt_inet_bind_to(sk, &storage, len, locks & CKPT_SOCK_FOREIGN);
	if (err)
		return ckpt_inet_failed(ctx, sk, &storage, err, "bound");
	lock_sock(sk);
	sk->sk_userlocks &= ~CKPT_INET_LOCKS;
	sk->sk_userlocks |= locks & CKPT_INET_LOCKS;
	release_sock(sk);
	return 0;
}

/**
 * ckpt_inet_connect() - connect a socket to what it was connected to
 * @ctx: the restart
 * @sk: the socket
 * @rec: its record
 *
 * Return: 0 or what connect(2) fails with.
 */
int ckpt_inet_connect(struct rstr_ctx *ctx, struct sock *sk,
		      const struct ckpt_rec_sock_inet *rec)
{
	struct sockaddr_storage storage;
	int len, err;

	len = ckpt_inet_sockaddr(sk->sk_family, &rec->peer, &storage);
	err = kernel_connect(sk->sk_socket, (struct sockaddr *)&storage, len,
			     0);
	/* What connect(2) says for want of memory. */
	if (err == -ENOBUFS)
		err = -ENOMEM;
	if (err)
		return ckpt_inet_failed(ctx, sk, &storage, err, "connected to");
	return 0;
}

/* As listen(2) bounds it. */
static int ckpt_inet_listen(struct rstr_ctx *ctx, struct sock *sk,
			    const struct ckpt_rec_sock_inet *rec)
{
	u32 max = READ_ONCE(sock_net(sk)->core.sysctl_somaxconn);
	struct sockaddr_storage storage;
	int err;

	err = kernel_listen(sk->sk_socket, min(le32_to_cpu(rec->backlog), max));
	if (!err)
		return 0;
	ckpt_inet_sockaddr(sk->sk_family, &rec->own, &storage);
	return ckpt_inet_failed(ctx, sk, &storage, err, "listened at");
}

static int ckpt_inet_bind_stream(struct rstr_ctx *ctx, struct sock *sk,
				 const struct ckpt_rec_sock_inet *rec)
{
	unsigned char reuse = sk->sk_reuse;
	struct sockaddr_storage storage;
	int err;

	if (!rec->own.port)
		return 0;
	ckpt_inet_sockaddr(sk->sk_family, &rec->own, &storage);
	sk->sk_reuse = SK_FORCE_REUSE;
	err = ckpt_inet_bind(ctx, sk, rec);
	if (!err && ckpt_port_is_taken(sk, reuse))
		err = ckpt_inet_failed(ctx, sk, &storage, -EADDRINUSE, "bound");
	if (!err && rec->state == cpu_to_le32(CKPT_SOCK_LISTEN)) {
		err = ckpt_inet_listen(ctx, sk, rec);
		if (!err && ckpt_port_is_taken(sk, reuse))
			err = ckpt_inet_failed(ctx, sk, &storage, -EADDRINUSE,
					       "listened at");
	}
	sk->sk_reuse = reuse;
	return err;
}

/* It is known still who had called, which accept(2) wants to tell. */
static void ckpt_inet_peer_set(struct sock *sk,
			       const struct ckpt_rec_inet_addr *peer)
{
	inet_sk(sk)->inet_dport = htons(le32_to_cpu(peer->port));
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		memcpy(&sk->sk_v6_daddr, peer->addr, 16);
		return;
	}
#endif
	memcpy(&inet_sk(sk)->inet_daddr, peer->addr, 4);
}

/* One that has been closed, or is connected when the other end is there. */
static int ckpt_inet_restore_waiting(struct rstr_ctx *ctx, struct rstr_obj *obj,
				     struct rstr_obj *waits)
{
	const struct ckpt_rec_sock_inet *rec = rstr_payload(obj->rec);
	struct sock *sk;
	int err;

	err = ckpt_tcp_waiting_restore(ctx, obj, waits);
	if (err || rec->state == cpu_to_le32(CKPT_SOCK_ESTABLISHED))
		return err;
	sk = obj->ptr;
	ckpt_inet_peer_set(sk, &rec->peer);
	WRITE_ONCE(sk->sk_shutdown, le32_to_cpu(rec->shutdown));
	WRITE_ONCE(sk->sk_err, le32_to_cpu(rec->error));
	return 0;
}

static int ckpt_inet_protocol(const struct ckpt_rec_sock_inet *rec)
{
	if (rec->protocol)
		return le32_to_cpu(rec->protocol);
	return rec->type == cpu_to_le32(SOCK_STREAM) ? IPPROTO_TCP : IPPROTO_UDP;
}

static int ckpt_inet_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_sock_inet *rec = rstr_payload(obj->rec);
	int type = le32_to_cpu(rec->type), err;
	struct rstr_obj *end = obj->private;
	struct sock *sk;

	if (!end)
		return rstr_bad(ctx, obj->rec, "is nobody's");
	if (end->kind == &ckpt_tcp_waiting_kind)
		return ckpt_inet_restore_waiting(ctx, obj, end);
	err = ckpt_socket_create(ctx, obj, le32_to_cpu(rec->family), type,
				 ckpt_inet_protocol(rec));
	if (err)
		return err;
	sk = obj->ptr;
	/* Connections of TCP are made when both ends are there. */
	if (type == SOCK_STREAM &&
	    rec->state == cpu_to_le32(CKPT_SOCK_ESTABLISHED))
		return 0;
	if (type == SOCK_STREAM) {
		err = ckpt_inet_bind_stream(ctx, sk, rec);
	} else {
		err = ckpt_inet_bind(ctx, sk, rec);
		if (!err && rec->state == cpu_to_le32(CKPT_SOCK_ESTABLISHED))
			err = ckpt_inet_connect(ctx, sk, rec);
	}
	if (err)
		return err;
	WRITE_ONCE(sk->sk_shutdown, le32_to_cpu(rec->shutdown));
	WRITE_ONCE(sk->sk_err, le32_to_cpu(rec->error));
	return 0;
}

static int ckpt_inet_finish(struct ckpt_ctx *ctx, void *obj)
{
	struct sock *sk = obj;

	return sk->sk_state == TCP_LISTEN ? ckpt_tcp_waiting_save(ctx, sk) : 0;
}

static int ckpt_inet_conclude(struct ckpt_ctx *ctx, void *obj)
{
	struct sock *sk = obj;

	if (sk_is_tcp(sk))
		return ckpt_tcp_conclude(ctx, sk);
	return sk_is_udp(sk) ? ckpt_udp_conclude(ctx, sk) : 0;
}

static const struct ckpt_part *const ckpt_inet_parts[] = {
	&ckpt_sock_option_part,
	&ckpt_sock_filter_part,
	NULL
};

const struct ckpt_kind ckpt_sock_inet_kind = {
	.type		= CKPT_REC_SOCK_INET,
	.family		= CKPT_SOCK,
	.name		= "internet socket",
	.size		= sizeof(struct ckpt_rec_sock_inet),
	.parts		= ckpt_inet_parts,
	.match		= ckpt_inet_match,
	.checkpoint	= ckpt_inet_checkpoint,
	.finish		= ckpt_inet_finish,
	.conclude	= ckpt_inet_conclude,
	.check		= ckpt_inet_check,
	.restore	= ckpt_inet_restore,
};
