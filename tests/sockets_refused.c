// SPDX-License-Identifier: GPL-2.0-only
/* What sockets may have, and is refused by name; and nothing happens to them. */
#include "ckpt_test.h"
#include "ckpt_inet.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#ifndef TCP_FASTOPEN_NO_COOKIE
#define TCP_FASTOPEN_NO_COOKIE	34
#endif

/* The body makes it; what becomes of it later is no matter here. */
#define REFUSED(name, text)						\
	static void make_##name(void);					\
	CKPT_TARGET(refused_##name)					\
	{								\
		make_##name();						\
		ckpt_ready();						\
		ckpt_wait();						\
	}								\
	CKPT_REFUSED(name, "refused_" #name, EOPNOTSUPP,		\
		     text ": not supported")				\
	static void make_##name(void)

static void set(int fd, int level, int name, const void *value, socklen_t len)
{
	NEED(!setsockopt(fd, level, name, value, len));
}

static void set_int(int fd, int level, int name, int value)
{
	set(fd, level, name, &value, sizeof(value));
}

/* At a port of its own, by which others call it. */
static int bound(int type, struct sockaddr_in *addr)
{
	int fd = socket(AF_INET, type, 0);
	socklen_t len = sizeof(*addr);

	ckpt_loopback_up();
	*addr = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	NEED(fd >= 0 && !bind(fd, (void *)addr, len) &&
	     !getsockname(fd, (void *)addr, &len));
	return fd;
}

/* Any. */

REFUSED(txtime, "with SO_TXTIME")
{
	struct sock_txtime txtime = { .clockid = CLOCK_MONOTONIC };

	set(socket(AF_INET, SOCK_DGRAM, 0), SOL_SOCKET, SO_TXTIME, &txtime,
	    sizeof(txtime));
}

REFUSED(errors, "with errors that wait to be read")
{
	struct pollfd poll_fd = { .fd = socket(AF_INET, SOCK_DGRAM, 0) };
	struct sockaddr_in addr;

	/* Where nobody is any more. */
	close(bound(SOCK_DGRAM, &addr));
	set_int(poll_fd.fd, SOL_IP, IP_RECVERR, 1);
	NEED(!connect(poll_fd.fd, (void *)&addr, sizeof(addr)));
	NEED(send(poll_fd.fd, "text", 4, 0) == 4);
	NEED(poll(&poll_fd, 1, 1000) == 1 && poll_fd.revents & POLLERR);
}

REFUSED(chooser, "with a program that chooses among sockets")
{
	struct sock_filter first = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog prog = { 1, &first };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in any = { .sin_family = AF_INET };

	set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	NEED(!bind(fd, (void *)&any, sizeof(any)));
	set(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog, sizeof(prog));
}

REFUSED(namespace, "of another network namespace")
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	NEED(own >= 0 && !unshare(CLONE_NEWNET));
	NEED(socket(AF_INET, SOCK_DGRAM, 0) >= 0);
	NEED(!setns(own, CLONE_NEWNET) && !close(own));
}

/* UDP. */

REFUSED(corked, "with a datagram that is being made")
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in addr;

	bound(SOCK_DGRAM, &addr);
	NEED(!connect(fd, (void *)&addr, sizeof(addr)));
	NEED(send(fd, "text", 4, MSG_MORE) == 4);
}

REFUSED(encapsulates, "that encapsulates")
{
	/* L2TP. */
	set_int(socket(AF_INET, SOCK_DGRAM, 0), SOL_UDP, UDP_ENCAP, 3);
}

REFUSED(alerted, "that is shown what is routed (IP_ROUTER_ALERT)")
{
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RSVP), on = 1;

	NEED(fd >= 0);
	NEED(!setsockopt(fd, SOL_IP, IP_ROUTER_ALERT, &on, sizeof(on)));
}

REFUSED(alerted6, "that is shown what is routed (IP_ROUTER_ALERT)")
{
	int fd = socket(AF_INET6, SOCK_RAW, IPPROTO_RAW), value = 5;

	NEED(fd >= 0);
	NEED(!setsockopt(fd, SOL_IPV6, IPV6_ROUTER_ALERT, &value,
			 sizeof(value)));
}

/* IP. */

REFUSED(group, "in a multicast group")
{
	struct ip_mreqn mreq = {
		.imr_multiaddr.s_addr = htonl(0xe00000fb),
		.imr_ifindex = if_nametoindex("lo"),
	};

	ckpt_loopback_up();
	set(socket(AF_INET, SOCK_DGRAM, 0), SOL_IP, IP_ADD_MEMBERSHIP, &mreq,
	    sizeof(mreq));
}

REFUSED(group6, "in a multicast group")
{
	struct ipv6_mreq mreq = { .ipv6mr_interface = if_nametoindex("lo") };

	ckpt_loopback_up();
	NEED(inet_pton(AF_INET6, "ff02::fb", &mreq.ipv6mr_multiaddr) == 1);
	set(socket(AF_INET6, SOCK_DGRAM, 0), SOL_IPV6, IPV6_JOIN_GROUP, &mreq,
	    sizeof(mreq));
}

REFUSED(interface, "with an interface for multicasts")
{
	struct ip_mreqn mreq = { .imr_ifindex = if_nametoindex("lo") };

	ckpt_loopback_up();
	set(socket(AF_INET, SOCK_DGRAM, 0), SOL_IP, IP_MULTICAST_IF, &mreq,
	    sizeof(mreq));
}

REFUSED(options, "with IP options")
{
	set(socket(AF_INET, SOCK_DGRAM, 0), SOL_IP, IP_OPTIONS, "\1\1\1\0", 4);
}

/* TCP. */

REFUSED(itself, "connected to itself")
{
	struct sockaddr_in addr;
	int fd = bound(SOCK_STREAM, &addr);

	NEED(!connect(fd, (void *)&addr, sizeof(addr)));
}

REFUSED(closed, "closed by both ends, with data to be read")
{
	struct sockaddr_in addr;
	int server = bound(SOCK_STREAM, &addr), fd[2];

	NEED(!listen(server, 1));
	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	NEED(!connect(fd[0], (void *)&addr, sizeof(addr)));
	fd[1] = accept(server, NULL, NULL);
	NEED(send(fd[0], "text", 4, 0) == 4 && !shutdown(fd[0], SHUT_WR));
	ckpt_msleep(20);
	NEED(!shutdown(fd[1], SHUT_WR));
	ckpt_msleep(20);
}

REFUSED(fastopen, "that is connected as it sends (TCP_FASTOPEN)")
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in addr;

	NEED(!listen(bound(SOCK_STREAM, &addr), 1));
	set_int(fd, SOL_TCP, TCP_FASTOPEN_CONNECT, 1);
	set_int(fd, SOL_TCP, TCP_FASTOPEN_NO_COOKIE, 1);
	NEED(!connect(fd, (void *)&addr, sizeof(addr)));
}

REFUSED(repair, "in repair")
{
	set_int(socket(AF_INET, SOCK_STREAM, 0), SOL_TCP, TCP_REPAIR, 1);
}

/* Netlink. */

REFUSED(netlink, "with an answer to be read")
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg info;
	} ask = {
		{ sizeof(ask), RTM_GETLINK, NLM_F_REQUEST, 1, 0 },
		{ .ifi_index = 1 },
	};
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	NEED(send(fd, &ask, sizeof(ask), 0) == sizeof(ask));
}

/* Packet. */

static int packet(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));

	ckpt_loopback_up();
	NEED(fd >= 0);
	return fd;
}

static int ring(int version, int blocks)
{
	struct tpacket_req3 req = {
		.tp_block_size = 4096, .tp_block_nr = blocks,
		.tp_frame_size = 2048, .tp_frame_nr = 2 * blocks,
	};
	int fd = packet();

	set_int(fd, SOL_PACKET, PACKET_VERSION, version);
	set(fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req));
	return fd;
}

REFUSED(ring_version_3, "with a ring of TPACKET_V3")
{
	ring(TPACKET_V3, 1);
}

REFUSED(ring_in_part, "memory of a socket, in part or changed")
{
	int fd = ring(TPACKET_V2, 2);
	char *p = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);

	NEED(p != MAP_FAILED && !munmap(p, 4096));
}

REFUSED(ring_changed, "memory of a socket, in part or changed")
{
	int fd = ring(TPACKET_V2, 1);
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	NEED(p != MAP_FAILED);
	*p = 1;
}

REFUSED(fanout_program, "of a group that has a program (PACKET_FANOUT_DATA)")
{
	set_int(packet(), SOL_PACKET, PACKET_FANOUT, PACKET_FANOUT_CBPF << 16 | 1);
}

CKPT_TEST_MAIN
