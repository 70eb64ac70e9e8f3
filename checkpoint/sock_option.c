// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options of sockets. One is stored as getsockopt(2) tells it and given back by what
 * setsockopt(2) does, so that it takes the same rights; and only where a new socket
 * has it otherwise.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_packet.h>
#include <linux/net.h>
#include <linux/sockptr.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/raw.h>
#include <net/rawv6.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/udp.h>
#include <net/udplite.h>

#include "../net/packet/internal.h"
#include "checkpoint.h"
#include "limits.h"
#include "restart.h"
#include "sock.h"

/* The longest of them: a struct icmp6_filter. */
#define CKPT_SOCK_OPTION_LEN	32

/**
 * struct ckpt_sock_option - an option that is kept
 * @level: as of setsockopt(2)
 * @name: likewise
 * @size: of its value
 * @set: gives it to a socket; NULL if setsockopt(2) does
 * @get: what a socket has; NULL if getsockopt(2) tells the kernel
 * @zero: a new socket has zero, which then need not be stored
 */
struct ckpt_sock_option {
	int	level;
	int	name;
	u32	size;
	int	(*set)(struct sock *sk, const void *value);
	int	(*get)(struct sock *sk);
	bool	zero;
};

/*
 * setsockopt(2) doubles what it gets, and marks it as locked. TCP goes beyond what
 * that lets others have, by itself.
 */
static int ckpt_sock_buf_set(int *buf, const void *value, u32 max, u32 limit,
			     int min)
{
	int size = *(const int *)value;

	if (size < min)
		return -EINVAL;
	if (size > max_t(u64, 2ULL * max, limit) && !capable(CAP_NET_ADMIN))
		return -EPERM;
	WRITE_ONCE(*buf, size);
	return 0;
}

static int ckpt_sock_sndbuf_set(struct sock *sk, const void *value)
{
	u32 limit = 0;

	if (sk_is_tcp(sk))
		limit = READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_wmem[2]);
	return ckpt_sock_buf_set(&sk->sk_sndbuf, value,
				 READ_ONCE(sysctl_wmem_max), limit,
				 SOCK_MIN_SNDBUF);
}

static int ckpt_sock_rcvbuf_set(struct sock *sk, const void *value)
{
	u32 limit = 0;

	if (sk_is_tcp(sk))
		limit = READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_rmem[2]);
	return ckpt_sock_buf_set(&sk->sk_rcvbuf, value,
				 READ_ONCE(sysctl_rmem_max), limit,
				 SOCK_MIN_RCVBUF);
}

static int ckpt_udp_segment(struct sock *sk)
{
	return READ_ONCE(udp_sk(sk)->gso_size);
}

static int ckpt_udp_gro(struct sock *sk)
{
	return udp_test_bit(GRO_ENABLED, sk);
}

static int ckpt_udp_no_check6_tx(struct sock *sk)
{
	return udp_get_no_check6_tx(sk);
}

static int ckpt_udp_no_check6_rx(struct sock *sk)
{
	return udp_get_no_check6_rx(sk);
}

static int ckpt_udplite_send(struct sock *sk)
{
	return READ_ONCE(udp_sk(sk)->pcslen);
}

static int ckpt_udplite_recv(struct sock *sk)
{
	return READ_ONCE(udp_sk(sk)->pcrlen);
}

static int ckpt_raw_hdrincl(struct sock *sk)
{
	return inet_test_bit(HDRINCL, sk);
}

static int ckpt_raw_nodefrag(struct sock *sk)
{
	return inet_test_bit(NODEFRAG, sk);
}

static int ckpt_raw_filter(struct sock *sk)
{
	return raw_sk(sk)->filter.data;
}

#if IS_ENABLED(CONFIG_IPV6)
static int ckpt_raw6_checksum(struct sock *sk)
{
	const struct raw6_sock *raw = raw6_sk(sk);

	return raw->checksum ? raw->offset : -1;
}

static int ckpt_raw6_filter(struct sock *sk, void *value)
{
	memcpy(value, &raw6_sk(sk)->filter, sizeof(struct icmp6_filter));
	return 0;
}
#else
static int ckpt_raw6_filter(struct sock *sk, void *value)
{
	return -ENOPROTOOPT;
}
#endif

static int ckpt_packet_version(struct sock *sk)
{
	return pkt_sk(sk)->tp_version;
}

static int ckpt_packet_reserve(struct sock *sk)
{
	return pkt_sk(sk)->tp_reserve;
}

static int ckpt_packet_vnet_hdr_sz(struct sock *sk)
{
	return READ_ONCE(pkt_sk(sk)->vnet_hdr_sz);
}

static int ckpt_packet_copy_thresh(struct sock *sk)
{
	return READ_ONCE(pkt_sk(sk)->copy_thresh);
}

static int ckpt_packet_timestamp(struct sock *sk)
{
	return READ_ONCE(pkt_sk(sk)->tp_tstamp);
}

static int ckpt_packet_ignore_outgoing(struct sock *sk)
{
	return READ_ONCE(pkt_sk(sk)->prot_hook.ignore_outgoing);
}

static int ckpt_packet_loss(struct sock *sk)
{
	return packet_sock_flag(pkt_sk(sk), PACKET_SOCK_TP_LOSS);
}

static int ckpt_packet_tx_has_off(struct sock *sk)
{
	return packet_sock_flag(pkt_sk(sk), PACKET_SOCK_TX_HAS_OFF);
}

static int ckpt_packet_qdisc_bypass(struct sock *sk)
{
	return packet_sock_flag(pkt_sk(sk), PACKET_SOCK_QDISC_BYPASS);
}

#define CKPT_OPTION(level, option)	{ level, option, sizeof(int) }
#define CKPT_ZERO_OPTION(option)	\
	{ SOL_SOCKET, option, sizeof(int), .zero = true }
#define CKPT_UDP_OPTION(option, how)	\
	{ SOL_UDP, option, sizeof(int), NULL, how }
#define CKPT_PACKET_OPTION(option, how)	\
	{ SOL_PACKET, option, sizeof(int), NULL, how, .zero = true }

/* In the order in which they are given back: what changes or locks others is before
 * or after these.
 */
static const struct ckpt_sock_option ckpt_sock_options[] = {
	{ SOL_SOCKET, SO_SNDBUF, sizeof(int), ckpt_sock_sndbuf_set },
	{ SOL_SOCKET, SO_RCVBUF, sizeof(int), ckpt_sock_rcvbuf_set },
	CKPT_ZERO_OPTION(SO_BUF_LOCK),
	CKPT_ZERO_OPTION(SO_DEBUG),
	CKPT_ZERO_OPTION(SO_REUSEADDR),
	CKPT_ZERO_OPTION(SO_REUSEPORT),
	CKPT_ZERO_OPTION(SO_KEEPALIVE),
	CKPT_ZERO_OPTION(SO_DONTROUTE),
	CKPT_ZERO_OPTION(SO_BROADCAST),
	CKPT_ZERO_OPTION(SO_OOBINLINE),
	CKPT_ZERO_OPTION(SO_NO_CHECK),
	CKPT_ZERO_OPTION(SO_MARK),
	CKPT_ZERO_OPTION(SO_RCVMARK),
	CKPT_OPTION(SOL_SOCKET, SO_RCVLOWAT),
	CKPT_ZERO_OPTION(SO_PASSCRED),
	CKPT_ZERO_OPTION(SO_PASSSEC),
	CKPT_ZERO_OPTION(SO_PASSPIDFD),
	CKPT_ZERO_OPTION(SO_TIMESTAMP_OLD),
	CKPT_ZERO_OPTION(SO_TIMESTAMPNS_OLD),
	CKPT_ZERO_OPTION(SO_TIMESTAMP_NEW),
	CKPT_ZERO_OPTION(SO_TIMESTAMPNS_NEW),
	{ SOL_SOCKET, SO_TIMESTAMPING_OLD, 8, .zero = true },
	{ SOL_SOCKET, SO_TIMESTAMPING_NEW, 8, .zero = true },
	CKPT_ZERO_OPTION(SO_RXQ_OVFL),
	CKPT_ZERO_OPTION(SO_WIFI_STATUS),
	CKPT_ZERO_OPTION(SO_NOFCS),
	CKPT_ZERO_OPTION(SO_SELECT_ERR_QUEUE),
	CKPT_ZERO_OPTION(SO_ZEROCOPY),
	CKPT_OPTION(SOL_SOCKET, SO_TXREHASH),
	CKPT_OPTION(SOL_SOCKET, SO_BUSY_POLL),
	CKPT_ZERO_OPTION(SO_PREFER_BUSY_POLL),
	CKPT_ZERO_OPTION(SO_RESERVE_MEM),
	CKPT_OPTION(SOL_SOCKET, SO_PEEK_OFF),
	CKPT_ZERO_OPTION(SO_BINDTOIFINDEX),
	{ SOL_SOCKET, SO_MAX_PACING_RATE, sizeof(long) },
	{ SOL_SOCKET, SO_LINGER, sizeof(struct linger), .zero = true },
	{ SOL_SOCKET, SO_RCVTIMEO_NEW, 16, .zero = true },
	{ SOL_SOCKET, SO_SNDTIMEO_NEW, 16, .zero = true },
	CKPT_OPTION(SOL_IP, IP_TOS),
	CKPT_OPTION(SOL_IP, IP_TTL),
	CKPT_OPTION(SOL_IP, IP_PKTINFO),
	CKPT_OPTION(SOL_IP, IP_RECVTTL),
	CKPT_OPTION(SOL_IP, IP_RECVOPTS),
	CKPT_OPTION(SOL_IP, IP_RETOPTS),
	CKPT_OPTION(SOL_IP, IP_RECVTOS),
	CKPT_OPTION(SOL_IP, IP_RECVERR),
	CKPT_OPTION(SOL_IP, IP_RECVERR_RFC4884),
	CKPT_OPTION(SOL_IP, IP_PASSSEC),
	CKPT_OPTION(SOL_IP, IP_RECVORIGDSTADDR),
	CKPT_OPTION(SOL_IP, IP_CHECKSUM),
	CKPT_OPTION(SOL_IP, IP_FREEBIND),
	CKPT_OPTION(SOL_IP, IP_TRANSPARENT),
	CKPT_OPTION(SOL_IP, IP_BIND_ADDRESS_NO_PORT),
	CKPT_OPTION(SOL_IP, IP_MINTTL),
	CKPT_OPTION(SOL_IP, IP_MULTICAST_TTL),
	CKPT_OPTION(SOL_IP, IP_MULTICAST_LOOP),
	CKPT_OPTION(SOL_IP, IP_MULTICAST_ALL),
	CKPT_OPTION(SOL_IP, IP_MTU_DISCOVER),
	CKPT_OPTION(SOL_IP, IP_UNICAST_IF),
	CKPT_OPTION(SOL_IP, IP_RECVFRAGSIZE),
	CKPT_OPTION(SOL_IP, IP_LOCAL_PORT_RANGE),
#if IS_ENABLED(CONFIG_IPV6)
	CKPT_OPTION(SOL_IPV6, IPV6_V6ONLY),
	CKPT_OPTION(SOL_IPV6, IPV6_RECVPKTINFO),
	CKPT_OPTION(SOL_IPV6, IPV6_RECVHOPLIMIT),
	CKPT_OPTION(SOL_IPV6, IPV6_RECVRTHDR),
	CKPT_OPTION(SOL_IPV6, IPV6_RECVHOPOPTS),
	CKPT_OPTION(SOL_IPV6, IPV6_RECVDSTOPTS),
	CKPT_OPTION(SOL_IPV6, IPV6_RECVTCLASS),
	CKPT_OPTION(SOL_IPV6, IPV6_TCLASS),
	CKPT_OPTION(SOL_IPV6, IPV6_UNICAST_HOPS),
	CKPT_OPTION(SOL_IPV6, IPV6_MULTICAST_HOPS),
	CKPT_OPTION(SOL_IPV6, IPV6_MULTICAST_LOOP),
	CKPT_OPTION(SOL_IPV6, IPV6_MULTICAST_ALL),
	CKPT_OPTION(SOL_IPV6, IPV6_MTU_DISCOVER),
	CKPT_OPTION(SOL_IPV6, IPV6_RECVERR),
	CKPT_OPTION(SOL_IPV6, IPV6_RECVERR_RFC4884),
	CKPT_OPTION(SOL_IPV6, IPV6_FLOWINFO_SEND),
	CKPT_OPTION(SOL_IPV6, IPV6_RECVPATHMTU),
	CKPT_OPTION(SOL_IPV6, IPV6_TRANSPARENT),
	CKPT_OPTION(SOL_IPV6, IPV6_FREEBIND),
	CKPT_OPTION(SOL_IPV6, IPV6_RECVORIGDSTADDR),
	CKPT_OPTION(SOL_IPV6, IPV6_MINHOPCOUNT),
	CKPT_OPTION(SOL_IPV6, IPV6_DONTFRAG),
	CKPT_OPTION(SOL_IPV6, IPV6_AUTOFLOWLABEL),
	CKPT_OPTION(SOL_IPV6, IPV6_RECVFRAGSIZE),
	CKPT_OPTION(SOL_IPV6, IPV6_UNICAST_IF),
#endif
	CKPT_OPTION(SOL_TCP, TCP_NODELAY),
	CKPT_OPTION(SOL_TCP, TCP_KEEPIDLE),
	CKPT_OPTION(SOL_TCP, TCP_KEEPINTVL),
	CKPT_OPTION(SOL_TCP, TCP_KEEPCNT),
	CKPT_OPTION(SOL_TCP, TCP_SYNCNT),
	CKPT_OPTION(SOL_TCP, TCP_LINGER2),
	CKPT_OPTION(SOL_TCP, TCP_DEFER_ACCEPT),
	CKPT_OPTION(SOL_TCP, TCP_USER_TIMEOUT),
	CKPT_OPTION(SOL_TCP, TCP_NOTSENT_LOWAT),
	CKPT_OPTION(SOL_TCP, TCP_FASTOPEN),
	CKPT_OPTION(SOL_TCP, TCP_FASTOPEN_CONNECT),
	CKPT_OPTION(SOL_TCP, TCP_FASTOPEN_NO_COOKIE),
	CKPT_OPTION(SOL_TCP, TCP_THIN_LINEAR_TIMEOUTS),
	CKPT_OPTION(SOL_TCP, TCP_SAVE_SYN),
	CKPT_OPTION(SOL_TCP, TCP_INQ),
	CKPT_OPTION(SOL_TCP, TCP_TX_DELAY),
	{ SOL_TCP, TCP_CONGESTION, TCP_CA_NAME_MAX },
	CKPT_OPTION(SOL_TCP, TCP_CORK),
	CKPT_UDP_OPTION(UDP_SEGMENT, ckpt_udp_segment),
	CKPT_UDP_OPTION(UDP_GRO, ckpt_udp_gro),
	CKPT_UDP_OPTION(UDP_NO_CHECK6_TX, ckpt_udp_no_check6_tx),
	CKPT_UDP_OPTION(UDP_NO_CHECK6_RX, ckpt_udp_no_check6_rx),
	{ SOL_UDPLITE, UDPLITE_SEND_CSCOV, sizeof(int), NULL, ckpt_udplite_send },
	{ SOL_UDPLITE, UDPLITE_RECV_CSCOV, sizeof(int), NULL, ckpt_udplite_recv },
	{ SOL_IP, IP_HDRINCL, sizeof(int), NULL, ckpt_raw_hdrincl },
	{ SOL_IP, IP_NODEFRAG, sizeof(int), NULL, ckpt_raw_nodefrag },
	{ SOL_RAW, ICMP_FILTER, sizeof(int), NULL, ckpt_raw_filter },
#if IS_ENABLED(CONFIG_IPV6)
	{ SOL_IPV6, IPV6_HDRINCL, sizeof(int), NULL, ckpt_raw_hdrincl },
	{ SOL_IPV6, IPV6_CHECKSUM, sizeof(int), NULL, ckpt_raw6_checksum },
	{ SOL_ICMPV6, ICMPV6_FILTER, sizeof(struct icmp6_filter) },
#endif
	CKPT_PACKET_OPTION(PACKET_VERSION, ckpt_packet_version),
	CKPT_PACKET_OPTION(PACKET_RESERVE, ckpt_packet_reserve),
	CKPT_PACKET_OPTION(PACKET_VNET_HDR_SZ, ckpt_packet_vnet_hdr_sz),
	CKPT_PACKET_OPTION(PACKET_COPY_THRESH, ckpt_packet_copy_thresh),
	CKPT_PACKET_OPTION(PACKET_TIMESTAMP, ckpt_packet_timestamp),
	CKPT_PACKET_OPTION(PACKET_IGNORE_OUTGOING, ckpt_packet_ignore_outgoing),
	CKPT_PACKET_OPTION(PACKET_LOSS, ckpt_packet_loss),
	CKPT_PACKET_OPTION(PACKET_TX_HAS_OFF, ckpt_packet_tx_has_off),
	CKPT_PACKET_OPTION(PACKET_QDISC_BYPASS, ckpt_packet_qdisc_bypass),
	/* Which IP_TOS changes. */
	CKPT_ZERO_OPTION(SO_PRIORITY),
	CKPT_ZERO_OPTION(SO_LOCK_FILTER),
};

/* Whether a socket has options of that level at all. */
static bool ckpt_sock_has_level(const struct sock *sk, int level)
{
	switch (level) {
	case SOL_SOCKET:
		return true;
	case SOL_IP:
		/* A raw one of IPv6 can't be given them. */
		return sk_is_inet(sk) && (sk->sk_family == AF_INET ||
					  sk->sk_type != SOCK_RAW);
	case SOL_IPV6:
		return sk->sk_family == AF_INET6;
	case SOL_TCP:
		return sk_is_tcp(sk);
	case SOL_UDP:
		return sk_is_udp(sk);
	case SOL_UDPLITE:
		return sk_is_inet(sk) && sk->sk_protocol == IPPROTO_UDPLITE &&
		       sk->sk_type == SOCK_DGRAM;
	case SOL_RAW:
		return sk->sk_family == AF_INET && sk->sk_type == SOCK_RAW &&
		       inet_sk(sk)->inet_num == IPPROTO_ICMP;
	case SOL_PACKET:
		/* One of SOCK_PACKET can't be given them. */
		return sk->sk_family == AF_PACKET && sk->sk_type != SOCK_PACKET;
	case SOL_ICMPV6:
		return sk->sk_family == AF_INET6 && sk->sk_type == SOCK_RAW &&
		       inet_sk(sk)->inet_num == IPPROTO_ICMPV6;
	}
	return false;
}

/* What raw sockets have, those of one family at a time. */
static bool ckpt_sock_is_raw(const struct ckpt_sock_option *option)
{
	if (option->level == SOL_IP)
		return option->name == IP_HDRINCL ||
		       option->name == IP_NODEFRAG;
	return option->level == SOL_IPV6 && (option->name == IPV6_HDRINCL ||
					     option->name == IPV6_CHECKSUM);
}

static bool ckpt_sock_has_raw(const struct sock *sk,
			      const struct ckpt_sock_option *option)
{
	return sk_is_inet(sk) && sk->sk_type == SOCK_RAW &&
	       sk->sk_family == (option->level == SOL_IP ? AF_INET : AF_INET6);
}

static int ckpt_sock_option_ask(struct sock *sk,
				const struct ckpt_sock_option *option,
				sockptr_t value, sockptr_t len)
{
	switch (option->level) {
	case SOL_SOCKET:
		return sk_getsockopt(sk, SOL_SOCKET, option->name, value, len);
	case SOL_IP:
		return do_ip_getsockopt(sk, SOL_IP, option->name, value, len);
#if IS_ENABLED(CONFIG_IPV6)
	case SOL_IPV6:
		return do_ipv6_getsockopt(sk, SOL_IPV6, option->name, value,
					  len);
#endif
	case SOL_TCP:
		return do_tcp_getsockopt(sk, SOL_TCP, option->name, value, len);
	}
	return -ENOPROTOOPT;
}

static const struct ckpt_sock_option *ckpt_sock_option_find(u32 level, u32 name)
{
	for (size_t i = 0; i < ARRAY_SIZE(ckpt_sock_options); i++)
		if (ckpt_sock_options[i].level == level &&
		    ckpt_sock_options[i].name == name)
			return &ckpt_sock_options[i];
	return NULL;
}

/* Streams have these for nothing, and may not set them. */
static bool ckpt_sock_is_multicast(const struct ckpt_sock_option *option)
{
	if (option->level == SOL_IP)
		return option->name == IP_MULTICAST_TTL ||
		       option->name == IP_MULTICAST_LOOP ||
		       option->name == IP_MULTICAST_ALL;
	if (option->level == SOL_IPV6)
		return option->name == IPV6_MULTICAST_HOPS ||
		       option->name == IPV6_MULTICAST_LOOP ||
		       option->name == IPV6_MULTICAST_ALL;
	return false;
}

/* What the socket has by its description, of which there may be none so far. */
static bool ckpt_sock_is_described(const struct ckpt_sock_option *option)
{
	return option->level == SOL_SOCKET &&
	       (option->name == SO_PASSCRED || option->name == SO_PASSSEC ||
		option->name == SO_PASSPIDFD || option->name == SO_PEEK_OFF);
}

/* Returns -ENOPROTOOPT where a socket has no such option. */
static int ckpt_sock_option_get(struct sock *sk,
				const struct ckpt_sock_option *option,
				void *value)
{
	int len = option->size, err;

	if (!ckpt_sock_has_level(sk, option->level) ||
	    (sk->sk_type == SOCK_STREAM && ckpt_sock_is_multicast(option)) ||
	    (ckpt_sock_is_raw(option) && !ckpt_sock_has_raw(sk, option)) ||
	    (!sk->sk_socket && ckpt_sock_is_described(option)))
		return -ENOPROTOOPT;
	if (option->get) {
		*(int *)value = option->get(sk);
		return 0;
	}
	if (option->level == SOL_ICMPV6)
		return ckpt_raw6_filter(sk, value);
	memset(value, 0, len);
	err = ckpt_sock_option_ask(sk, option, KERNEL_SOCKPTR(value),
				   KERNEL_SOCKPTR(&len));
	if (err == -EOPNOTSUPP || (!err && len != option->size))
		err = -ENOPROTOOPT;
	return err;
}

static int ckpt_sock_option_set(struct socket *sock,
				const struct ckpt_sock_option *option,
				void *value)
{
	if (option->set)
		return option->set(sock->sk, value);
	return do_sock_setsockopt(sock, false, option->level, option->name,
				  KERNEL_SOCKPTR(value), option->size);
}

/**
 * ckpt_sock_options_save() - write options and filter as parts of the last object
 * @ctx: the checkpoint
 * @sk: the socket, which is open or will be
 *
 * Return: 0 or a negative errno.
 */
int ckpt_sock_options_save(struct ckpt_ctx *ctx, struct sock *sk)
{
	const struct ckpt_sock_option *option;
	u8 value[CKPT_SOCK_OPTION_LEN] __aligned(8);
	struct ckpt_rec_sock_option *rec;
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(ckpt_sock_options); i++) {
		option = &ckpt_sock_options[i];
		err = ckpt_sock_option_get(sk, option, value);
		if (err == -ENOPROTOOPT ||
		    (!err && option->zero && !memchr_inv(value, 0, option->size)))
			continue;
		if (err)
			return err;
		rec = ckpt_part_add(ctx, CKPT_REC_SOCK_OPTION,
				    sizeof(*rec) + option->size);
		if (IS_ERR(rec))
			return PTR_ERR(rec);
		rec->level = cpu_to_le32(option->level);
		rec->name = cpu_to_le32(option->name);
		memcpy(rec->value, value, option->size);
	}
	return ckpt_sock_filter_save(ctx, sk);
}

static int ckpt_sock_option_check(struct rstr_ctx *ctx,
				  const struct ckpt_record *rec)
{
	const struct ckpt_rec_sock_option *p = rstr_payload(rec);
	const struct ckpt_sock_option *option;

	option = ckpt_sock_option_find(le32_to_cpu(p->level),
				       le32_to_cpu(p->name));
	if (!option || rstr_size(rec) != sizeof(*p) + option->size)
		return rstr_bad(ctx, rec, "option %u of level %u, %zu bytes",
				le32_to_cpu(p->name), le32_to_cpu(p->level),
				rstr_size(rec) - sizeof(*p));
	return 0;
}

static int ckpt_sock_option_restore(struct rstr_ctx *ctx, struct socket *sock,
				    const struct ckpt_rec_sock_option *rec)
{
	const struct ckpt_sock_option *option;
	u8 value[CKPT_SOCK_OPTION_LEN] __aligned(8);
	int err;

	option = ckpt_sock_option_find(le32_to_cpu(rec->level),
				       le32_to_cpu(rec->name));
	err = ckpt_sock_option_get(sock->sk, option, value);
	if (!err && memcmp(value, rec->value, option->size)) {
		memcpy(value, rec->value, option->size);
		err = ckpt_sock_option_set(sock, option, value);
	}
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "socket option %d of level %d: %pe",
				   option->name, option->level, ERR_PTR(err));
	return 0;
}

/**
 * ckpt_sock_options_restore() - give a new socket its options
 * @ctx: the restart
 * @obj: the socket
 * @sock: the same
 *
 * Return: 0 or what setsockopt(2) fails with.
 */
int ckpt_sock_options_restore(struct rstr_ctx *ctx, struct rstr_obj *obj,
			      struct socket *sock)
{
	const struct ckpt_record *rec;
	int err;

	rstr_for_each_part(rec, obj, CKPT_REC_SOCK_OPTION) {
		err = ckpt_sock_option_restore(ctx, sock, rstr_payload(rec));
		if (err)
			return err;
	}
	return 0;
}

const struct ckpt_part ckpt_sock_option_part = {
	.type		= CKPT_REC_SOCK_OPTION,
	.name		= "option",
	.size		= sizeof(struct ckpt_rec_sock_option),
	.open_ended	= true,
	.max		= CKPT_SOCK_OPTIONS_MAX,
	.check		= ckpt_sock_option_check,
};
