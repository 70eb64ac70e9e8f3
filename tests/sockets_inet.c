// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets of TCP and UDP, by IPv4 and IPv6, of which both ends are in the tree; those
 * of netlink, and packet sockets.
 */
#include "ckpt_test.h"
#include "ckpt_inet.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#ifndef UDPLITE_SEND_CSCOV
#define UDPLITE_SEND_CSCOV	10
#endif
#ifndef SOL_RAW
#define SOL_RAW			255
#endif
#ifndef ICMP_FILTER
#define ICMP_FILTER		1
#endif
#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND		78
#endif
#ifndef IP_NODEFRAG
#define IP_NODEFRAG		22
#endif

static char data[1 << 20], back[1 << 20];

static void make_data(void)
{
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i * 7 + i / 251;
}

static int port_of(int fd, bool peer)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	if (peer ? getpeername(fd, (void *)&addr, &len) :
		   getsockname(fd, (void *)&addr, &len))
		return -1;
	/* It is at the same place in both. */
	return ntohs(((struct sockaddr_in *)&addr)->sin_port);
}

static int bound(int family, int type, int port)
{
	struct sockaddr_storage addr;
	socklen_t len = ckpt_loopback(&addr, family, port);
	int fd = socket(family, type, 0), on = 1;

	if (port)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	NEED(fd >= 0 && !bind(fd, (void *)&addr, len));
	return fd;
}

/* Both ends of a connection, the one that called first; and who listened. */
static int connection(int family, int *fd)
{
	int server = bound(family, SOCK_STREAM, 0);

	NEED(!listen(server, 5));
	fd[0] = socket(family, SOCK_STREAM, 0);
	NEED(!ckpt_connect(fd[0], family, port_of(server, false)));
	fd[1] = accept(server, NULL, NULL);
	NEED(fd[1] >= 0);
	return server;
}

CKPT_FIXTURE(inet);

static void udp(int family)
{
	int a, b, c, port;

	ckpt_loopback_up();
	a = bound(family, SOCK_DGRAM, 0);
	b = socket(family, SOCK_DGRAM, 0);
	c = socket(family, SOCK_DGRAM, 0);
	port = port_of(a, false);
	NEED(!ckpt_connect(b, family, port));
	ckpt_put(b, "first");
	ckpt_put(b, "second");
	ckpt_point();
	CHECK_EQ(port_of(a, false), port);
	CHECK_EQ(port_of(b, true), port);
	CHECK_EQ(port_of(c, false), 0);
	CHECK(ckpt_gets(a, "first"));
	CHECK(ckpt_gets(a, "second"));
	CHECK(!ckpt_connect(a, family, port_of(b, false)));
	ckpt_put(a, "answer");
	CHECK(ckpt_gets(b, "answer"));
	ckpt_put(b, "more");
	CHECK(ckpt_gets(a, "more"));
}

CKPT_TEST(inet, udp4)
{
	udp(AF_INET);
}

CKPT_TEST(inet, udp6)
{
	udp(AF_INET6);
}

/* Who sent them, and where to. */
CKPT_TEST(inet, udp_from)
{
	char control[256], buf[16];
	struct sockaddr_in from;
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct in_pktinfo info;
	struct cmsghdr *cmsg;
	int a, b, port;

	ckpt_loopback_up();
	a = bound(AF_INET, SOCK_DGRAM, 0);
	b = bound(AF_INET, SOCK_DGRAM, 0);
	ckpt_set_option(a, SOL_IP, IP_PKTINFO, 1);
	NEED(!ckpt_connect(b, AF_INET, port_of(a, false)));
	ckpt_put(b, "text");
	ckpt_put(b, "");
	port = port_of(b, false);
	close(b);
	ckpt_point();
	CHECK_EQ(recvmsg(a, &msg, MSG_DONTWAIT), 4);
	CHECK_EQ(ntohs(from.sin_port), port);
	CHECK_EQ(ntohl(from.sin_addr.s_addr), INADDR_LOOPBACK);
	cmsg = CMSG_FIRSTHDR(&msg);
	if (CHECK(cmsg && cmsg->cmsg_type == IP_PKTINFO)) {
		memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
		CHECK_EQ(ntohl(info.ipi_addr.s_addr), INADDR_LOOPBACK);
		CHECK_EQ(info.ipi_ifindex, if_nametoindex("lo"));
	}
	CHECK_EQ(recv(a, buf, sizeof(buf), MSG_DONTWAIT), 0);
	CHECK_EQ(recv(a, buf, sizeof(buf), MSG_DONTWAIT), -1);
	CHECK_EQ(errno, EAGAIN);
}

static void listens(int family)
{
	int server, fd, client, port;

	ckpt_loopback_up();
	server = bound(family, SOCK_STREAM, 0);
	NEED(!listen(server, 3));
	port = port_of(server, false);
	ckpt_point();
	CHECK_EQ(port_of(server, false), port);
	CHECK_EQ(ckpt_option(server, SOL_SOCKET, SO_ACCEPTCONN), 1);
	client = socket(family, SOCK_STREAM, 0);
	CHECK(!ckpt_connect(client, family, port));
	fd = accept(server, NULL, NULL);
	ckpt_put(fd, "text");
	CHECK(ckpt_gets(client, "text"));
}

CKPT_TEST(inet, listen4)
{
	listens(AF_INET);
}

CKPT_TEST(inet, listen6)
{
	listens(AF_INET6);
}

CKPT_TEST(inet, unconnected)
{
	int tcp = socket(AF_INET, SOCK_STREAM, 0);
	int tcp6 = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int only, port;

	ckpt_loopback_up();
	only = bound(AF_INET, SOCK_STREAM, 0);
	port = port_of(only, false);
	ckpt_set_option(tcp6, SOL_IPV6, IPV6_V6ONLY, 1);
	ckpt_point();
	CHECK_EQ(recv(tcp, back, 1, 0), -1);
	CHECK_EQ(errno, ENOTCONN);
	CHECK_EQ(fcntl(tcp6, F_GETFL), O_RDWR | O_NONBLOCK);
	CHECK_EQ(ckpt_option(tcp6, SOL_IPV6, IPV6_V6ONLY), 1);
	CHECK_EQ(ckpt_option(tcp6, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
	CHECK(!listen(only, 1) && !ckpt_connect(tcp, AF_INET, port));
}

static void established(int family)
{
	int fd[2], server, port;

	ckpt_loopback_up();
	server = connection(family, fd);
	port = port_of(fd[0], false);
	ckpt_put(fd[0], "to be read");
	ckpt_put(fd[1], "the other way");
	NEED(ckpt_gets(fd[1], "to be "));
	ckpt_point();
	CHECK_EQ(port_of(fd[0], false), port);
	CHECK_EQ(port_of(fd[1], true), port);
	CHECK_EQ(port_of(fd[0], true), port_of(server, false));
	CHECK(ckpt_gets(fd[1], "read"));
	CHECK(ckpt_gets(fd[0], "the other way"));
	ckpt_put(fd[0], "more");
	ckpt_put(fd[1], "answer");
	CHECK(ckpt_gets(fd[1], "more") && ckpt_gets(fd[0], "answer"));
	NEED(!shutdown(fd[0], SHUT_WR));
	CHECK(ckpt_at_end(fd[1]));
	ckpt_put(fd[1], "last");
	CHECK(ckpt_gets(fd[0], "last"));
	close(fd[1]);
	CHECK(ckpt_at_end(fd[0]));
}

CKPT_TEST(inet, tcp4)
{
	established(AF_INET);
}

CKPT_TEST(inet, tcp6)
{
	established(AF_INET6);
}

/* Who listens for IPv6 takes IPv4 as well. */
CKPT_TEST(inet, tcp_mixed)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	int server = socket(AF_INET6, SOCK_STREAM, 0), client, fd;

	ckpt_loopback_up();
	NEED(!bind(server, (void *)&any, sizeof(any)) && !listen(server, 1));
	client = socket(AF_INET, SOCK_STREAM, 0);
	NEED(!ckpt_connect(client, AF_INET, port_of(server, false)));
	fd = accept(server, NULL, NULL);
	ckpt_put(fd, "before");
	ckpt_point();
	CHECK(ckpt_gets(client, "before"));
	ckpt_put(client, "after");
	CHECK(ckpt_gets(fd, "after"));
}

/* More than the other end takes, so that some is still to be sent. */
CKPT_TEST(inet, tcp_full)
{
	ssize_t sent, all = 0, at = 0;
	int fd[2];

	ckpt_loopback_up();
	make_data();
	connection(AF_INET, fd);
	ckpt_set_option(fd[1], SOL_SOCKET, SO_RCVBUF, 20000);
	ckpt_set_option(fd[0], SOL_SOCKET, SO_SNDBUF, 50000);
	NEED(!fcntl(fd[0], F_SETFL, O_NONBLOCK));
	while ((sent = send(fd[0], data + all, sizeof(data) - all, 0)) > 0)
		all += sent;
	NEED(all > 20000 && all < (ssize_t)sizeof(data));
	ckpt_point();
	CHECK_EQ(ckpt_option(fd[0], SOL_SOCKET, SO_SNDBUF), 100000);
	CHECK_EQ(ckpt_option(fd[1], SOL_SOCKET, SO_RCVBUF), 40000);
	while (at < all) {
		sent = recv(fd[1], back + at, all - at, 0);
		NEED(sent > 0);
		at += sent;
	}
	CHECK(!memcmp(data, back, all));
	ckpt_put(fd[0], "more");
	CHECK(ckpt_gets(fd[1], "more"));
}

CKPT_TEST(inet, tcp_half_closed)
{
	int fd[2];

	ckpt_loopback_up();
	connection(AF_INET, fd);
	ckpt_put(fd[0], "last words");
	NEED(!shutdown(fd[0], SHUT_WR));
	ckpt_msleep(20);
	ckpt_point();
	CHECK(ckpt_gets(fd[1], "last words") && ckpt_at_end(fd[1]));
	CHECK_EQ(send(fd[0], "x", 1, MSG_NOSIGNAL), -1);
	CHECK_EQ(errno, EPIPE);
	ckpt_put(fd[1], "answer");
	CHECK(ckpt_gets(fd[0], "answer"));
	close(fd[1]);
	CHECK(ckpt_at_end(fd[0]));
}

/* The other end is nobody's any more. */
CKPT_TEST(inet, tcp_peer_closed)
{
	int fd[2], read_up[2];

	ckpt_loopback_up();
	connection(AF_INET, fd);
	connection(AF_INET6, read_up);
	ckpt_put(fd[0], "last words");
	close(fd[0]);
	close(read_up[1]);
	ckpt_msleep(20);
	NEED(ckpt_at_end(read_up[0]));
	ckpt_point();
	CHECK(ckpt_gets(fd[1], "last words") && ckpt_at_end(fd[1]));
	CHECK(ckpt_at_end(read_up[0]));
	CHECK_EQ(send(fd[1], "x", 1, MSG_NOSIGNAL), 1);
}

CKPT_TEST(inet, tcp_options)
{
	char name[16] = "";
	socklen_t len = sizeof(name);
	int fd[2], server;

	ckpt_loopback_up();
	server = connection(AF_INET, fd);
	ckpt_set_option(fd[0], SOL_TCP, TCP_NODELAY, 1);
	ckpt_set_option(fd[0], SOL_TCP, TCP_KEEPIDLE, 77);
	ckpt_set_option(fd[0], SOL_SOCKET, SO_KEEPALIVE, 1);
	ckpt_set_option(fd[0], SOL_IP, IP_TOS, 0x10);
	ckpt_set_option(fd[0], SOL_SOCKET, SO_PRIORITY, 3);
	ckpt_set_option(fd[1], SOL_TCP, TCP_USER_TIMEOUT, 12345);
	ckpt_set_option(server, SOL_SOCKET, SO_REUSEPORT, 1);
	NEED(!setsockopt(fd[1], SOL_TCP, TCP_CONGESTION, "reno", 4));
	ckpt_point();
	CHECK_EQ(ckpt_option(fd[0], SOL_TCP, TCP_NODELAY), 1);
	CHECK_EQ(ckpt_option(fd[0], SOL_TCP, TCP_KEEPIDLE), 77);
	CHECK_EQ(ckpt_option(fd[0], SOL_SOCKET, SO_KEEPALIVE), 1);
	CHECK_EQ(ckpt_option(fd[0], SOL_IP, IP_TOS), 0x10);
	CHECK_EQ(ckpt_option(fd[0], SOL_SOCKET, SO_PRIORITY), 3);
	CHECK_EQ(ckpt_option(fd[0], SOL_SOCKET, SO_REUSEADDR), 0);
	CHECK_EQ(ckpt_option(fd[1], SOL_TCP, TCP_USER_TIMEOUT), 12345);
	CHECK_EQ(ckpt_option(server, SOL_SOCKET, SO_REUSEPORT), 1);
	NEED(!getsockopt(fd[1], SOL_TCP, TCP_CONGESTION, name, &len));
	CHECK(!strcmp(name, "reno"));
}

CKPT_TEST(inet, tcp_watched)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int fd[2], epoll = epoll_create1(0);

	ckpt_loopback_up();
	connection(AF_INET, fd);
	NEED(!epoll_ctl(epoll, EPOLL_CTL_ADD, fd[1], &event));
	ckpt_point();
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 0);
	ckpt_put(fd[0], "text");
	CHECK_EQ(epoll_wait(epoll, &event, 1, 1000), 1);
	CHECK(ckpt_gets(fd[1], "text"));
}

/* Netlink. */

static int netlink(unsigned int groups, unsigned int *port)
{
	struct sockaddr_nl addr = { AF_NETLINK, .nl_groups = groups };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	NEED(fd >= 0 && !bind(fd, (void *)&addr, sizeof(addr)));
	NEED(!getsockname(fd, (void *)&addr, &len));
	*port = addr.nl_pid;
	return fd;
}

/* Ask for a link, of which there is one at least. */
static bool answers(int fd)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg info;
	} ask = {
		{ sizeof(ask), RTM_GETLINK, NLM_F_REQUEST, 1, 0 },
		{ .ifi_index = 1 },
	};
	struct nlmsghdr *head = (void *)back;

	return send(fd, &ask, sizeof(ask), 0) == sizeof(ask) &&
	       recv(fd, back, sizeof(back), MSG_DONTWAIT) > 0 &&
	       head->nlmsg_type == RTM_NEWLINK;
}

CKPT_TEST(inet, netlink)
{
	struct sockaddr_nl addr;
	socklen_t len = sizeof(addr);
	unsigned int port, other;
	int fd = netlink(RTMGRP_LINK, &port), second = netlink(0, &other);
	int group = RTNLGRP_IPV6_MROUTE_R, none;

	none = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	ckpt_set_option(second, SOL_NETLINK, NETLINK_EXT_ACK, 1);
	ckpt_set_option(second, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group);
	ckpt_point();
	CHECK(!getsockname(fd, (void *)&addr, &len));
	CHECK_EQ(addr.nl_pid, port);
	CHECK_EQ(addr.nl_groups, RTMGRP_LINK);
	CHECK(!getsockname(second, (void *)&addr, &len));
	CHECK_EQ(addr.nl_pid, other);
	CHECK_EQ(ckpt_option(second, SOL_NETLINK, NETLINK_EXT_ACK), 1);
	CHECK(answers(second));
	CHECK(!getsockname(none, (void *)&addr, &len) && !addr.nl_pid);
}

/* Where nobody may have such a socket by the group, raise the right to. */
static void allow_pings(void)
{
	int fd = open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY);

	NEED(fd >= 0 && write(fd, "0 65536", 7) == 7);
	close(fd);
}

/* An echo of the loopback's, of either kind of socket. */
static void echo(int fd, char with)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct icmphdr icmp = { .type = ICMP_ECHO };
	char out[sizeof(icmp) + 4], in[128] = "";
	struct pollfd poll_fd = { fd, POLLIN, 0 };
	ssize_t len;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	memcpy(out, &icmp, sizeof(icmp));
	memset(out + sizeof(icmp), with, 4);
	NEED(sendto(fd, out, sizeof(out), 0, (void *)&to, sizeof(to)) ==
	     (ssize_t)sizeof(out));
	CHECK_EQ(poll(&poll_fd, 1, 10000), 1);
	len = read(fd, in, sizeof(in));
	CHECK(len == (ssize_t)sizeof(out));
	CHECK_EQ(in[0], ICMP_ECHOREPLY);
	CHECK_EQ(in[sizeof(icmp)], with);
}

CKPT_TEST(inet, ping)
{
	int fd, port;

	ckpt_loopback_up();
	allow_pings();
	fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	NEED(fd >= 0);
	echo(fd, 1);
	port = port_of(fd, false);
	CHECK(port > 0);
	ckpt_point();
	CHECK_EQ(port_of(fd, false), port);
	echo(fd, 2);
}

static int int_of(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int value = -77;

	CHECK(!getsockopt(fd, level, name, &value, &len));
	return value;
}

static void set_int(int fd, int level, int name, int value)
{
	NEED(!setsockopt(fd, level, name, &value, sizeof(value)));
}

/* Bound, connected and with options; and one that is none of it. */
CKPT_TEST(inet, raw)
{
	struct sockaddr_in own = { .sin_family = AF_INET }, is;
	socklen_t len = sizeof(is);
	int fd, plain, headers;
	char buf[128];

	ckpt_loopback_up();
	fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	plain = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
	headers = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	NEED(fd >= 0 && plain >= 0 && headers >= 0);
	own.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	NEED(!bind(fd, (void *)&own, sizeof(own)));
	/* Without a port, getpeername(2) does not take it as connected. */
	own.sin_port = htons(77);
	NEED(!connect(fd, (void *)&own, sizeof(own)));
	set_int(fd, SOL_RAW, ICMP_FILTER, 1 << ICMP_ECHO);
	set_int(plain, SOL_IP, IP_HDRINCL, 1);
	set_int(headers, SOL_IP, IP_HDRINCL, 0);
	set_int(headers, SOL_IP, IP_NODEFRAG, 1);
	ckpt_point();
	CHECK(!getsockname(fd, (void *)&is, &len));
	CHECK_EQ(is.sin_addr.s_addr, own.sin_addr.s_addr);
	CHECK(!getpeername(fd, (void *)&is, &len));
	CHECK_EQ(is.sin_addr.s_addr, own.sin_addr.s_addr);
	CHECK_EQ(int_of(fd, SOL_RAW, ICMP_FILTER), 1 << ICMP_ECHO);
	CHECK_EQ(int_of(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_ICMP);
	CHECK_EQ(int_of(plain, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
	CHECK_EQ(int_of(plain, SOL_IP, IP_HDRINCL), 1);
	CHECK_EQ(int_of(headers, SOL_IP, IP_HDRINCL), 0);
	CHECK_EQ(int_of(headers, SOL_IP, IP_NODEFRAG), 1);
	/* What it sends to itself, with the header of IP; the filter hides the rest. */
	NEED(send(fd, "\x55payload", 8, 0) == 8);
	CHECK_EQ(recv(fd, buf, sizeof(buf), 0), 28);
	CHECK(!memcmp(buf + 20, "\x55payload", 8));
}

CKPT_TEST(inet, raw6)
{
	struct icmp6_filter filter = { { 1, 2, 3, 4, 5, 6, 7, 8 } }, is;
	socklen_t len = sizeof(is);
	int fd, other;

	ckpt_loopback_up();
	fd = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
	other = socket(AF_INET6, SOCK_RAW, 99);
	NEED(fd >= 0 && other >= 0);
	NEED(!setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, len));
	set_int(other, IPPROTO_IPV6, IPV6_CHECKSUM, 4);
	/* Which shows as an option of IPv4, too. */
	set_int(other, IPPROTO_IPV6, IPV6_FREEBIND, 1);
	ckpt_point();
	CHECK_EQ(int_of(other, IPPROTO_IPV6, IPV6_FREEBIND), 1);
	CHECK(!getsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &is, &len));
	CHECK(!memcmp(&is, &filter, sizeof(is)));
	CHECK_EQ(int_of(fd, SOL_RAW, IPV6_CHECKSUM), 2);
	CHECK_EQ(int_of(other, SOL_RAW, IPV6_CHECKSUM), 4);
	CHECK_EQ(int_of(other, SOL_SOCKET, SO_PROTOCOL), 99);
}

/* Bound to an address that is not of this machine, by an option that is gone. */
static int bound_to(int type, const char *text)
{
	struct sockaddr_in6 addr6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in addr = { .sin_family = AF_INET };
	bool is_6 = strchr(text, ':');
	int fd = socket(is_6 ? AF_INET6 : AF_INET, type, 0), ret;

	NEED(fd >= 0);
	set_int(fd, IPPROTO_IP, IP_FREEBIND, 1);
	if (is_6) {
		NEED(inet_pton(AF_INET6, text, &addr6.sin6_addr) == 1);
		ret = bind(fd, (void *)&addr6, sizeof(addr6));
	} else {
		NEED(inet_pton(AF_INET, text, &addr.sin_addr) == 1);
		ret = bind(fd, (void *)&addr, sizeof(addr));
	}
	NEED(!ret && port_of(fd, false));
	return fd;
}

static bool is_bound_to(int fd, const char *text)
{
	char name[INET6_ADDRSTRLEN] = "";
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	struct sockaddr_in6 *addr6 = (void *)&addr;
	struct sockaddr_in *addr4 = (void *)&addr;

	NEED(!getsockname(fd, (void *)&addr, &len));
	inet_ntop(addr.ss_family, addr.ss_family == AF_INET ?
		  (void *)&addr4->sin_addr : (void *)&addr6->sin6_addr, name,
		  sizeof(name));
	return !strcmp(name, text);
}

CKPT_TEST(inet, foreign_address)
{
	static const struct {
		const char *name;
		int type;
	} all[] = {
		{ "192.0.2.1", SOCK_DGRAM }, { "192.0.2.1", SOCK_STREAM },
		{ "2001:db8::1", SOCK_DGRAM }, { "2001:db8::1", SOCK_STREAM },
		{ "::ffff:192.0.2.7", SOCK_DGRAM },
	};
	int fd[5], port[5];

	for (int i = 0; i < 5; i++) {
		fd[i] = bound_to(all[i].type, all[i].name);
		port[i] = port_of(fd[i], false);
		if (i)
			set_int(fd[i], IPPROTO_IP, IP_FREEBIND, 0);
	}
	NEED(!listen(fd[1], 3));
	ckpt_point();
	for (int i = 0; i < 5; i++) {
		CHECK(is_bound_to(fd[i], all[i].name));
		CHECK_EQ(port_of(fd[i], false), port[i]);
		CHECK_EQ(int_of(fd[i], IPPROTO_IP, IP_FREEBIND), !i);
	}
	CHECK_EQ(int_of(fd[1], SOL_SOCKET, SO_ACCEPTCONN), 1);
}

CKPT_TEST(inet, udp_lite)
{
	struct sockaddr_storage addr;
	socklen_t len;
	int a, b, port;

	ckpt_loopback_up();
	a = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
	b = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
	if (a < 0)
		ckpt_skip("no UDP-Lite");
	len = ckpt_loopback(&addr, AF_INET, 0);
	NEED(!bind(a, (void *)&addr, len));
	port = port_of(a, false);
	NEED(!ckpt_connect(b, AF_INET, port));
	set_int(b, IPPROTO_UDPLITE, UDPLITE_SEND_CSCOV, 20);
	ckpt_point();
	CHECK_EQ(port_of(a, false), port);
	CHECK_EQ(port_of(b, true), port);
	CHECK_EQ(int_of(b, IPPROTO_UDPLITE, UDPLITE_SEND_CSCOV), 20);
	ckpt_put(b, "more");
	CHECK(ckpt_gets(a, "more"));
}

CKPT_TEST(inet, packet)
{
	int fd = socket(AF_PACKET, SOCK_DGRAM, 0), sender;
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = if_nametoindex("lo"),
	};
	socklen_t len = sizeof(addr);

	ckpt_loopback_up();
	NEED(fd >= 0 && !bind(fd, (void *)&addr, sizeof(addr)));
	ckpt_point();
	CHECK(!getsockname(fd, (void *)&addr, &len));
	CHECK_EQ(ntohs(addr.sll_protocol), ETH_P_IP);
	CHECK_EQ(addr.sll_ifindex, if_nametoindex("lo"));
	sender = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(!ckpt_connect(sender, AF_INET, 9999));
	ckpt_put(sender, "text");
	CHECK_EQ(recv(fd, back, sizeof(back), 0), 32);
	CHECK(!memcmp(back + 28, "text", 4));
}

/* The kind that is bound to an interface by its name; and one that is not bound. */
CKPT_TEST(inet, packet_by_name)
{
	int fd = socket(AF_INET, SOCK_PACKET, htons(ETH_P_IP)), sender;
	int any = socket(AF_INET, SOCK_PACKET, htons(ETH_P_IP));
	struct sockaddr name = { .sa_family = AF_PACKET, .sa_data = "lo" };
	struct sockaddr addr;
	socklen_t len = sizeof(addr);

	ckpt_loopback_up();
	NEED(fd >= 0 && any >= 0 && !bind(fd, &name, sizeof(name)));
	ckpt_point();
	CHECK(!getsockname(fd, &addr, &len));
	CHECK(!strcmp(addr.sa_data, "lo"));
	len = sizeof(addr);
	CHECK(!getsockname(any, &addr, &len));
	CHECK(!addr.sa_data[0]);
	sender = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(!ckpt_connect(sender, AF_INET, 9999));
	ckpt_put(sender, "text");
	for (int i = 0; i < 2; i++) {
		/* With the header of the Ethernet frame that it would be. */
		CHECK_EQ(recv(i ? any : fd, back, sizeof(back), 0), 46);
		CHECK(!memcmp(back + 42, "text", 4));
	}
}

/* A connection to somebody outside. */

FIXTURE(inet_outside) {
	struct ckpt_target target;
};

FIXTURE_SETUP(inet_outside)
{
	memset(self, 0, sizeof(*self));
}

FIXTURE_TEARDOWN(inet_outside)
{
	ckpt_clean(&self->target);
}

#define OUTSIDE_PORT	7654

CKPT_TARGET(tcp_to_outside)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	NEED(!ckpt_connect(fd, AF_INET, OUTSIDE_PORT));
	ckpt_ready();
	ckpt_wait();
	CHECK_EQ(recv(fd, back, 1, 0), -1);
	CHECK_EQ(errno, ECONNRESET);
	CHECK_EQ(recv(fd, back, 1, 0), 0);
	CHECK_EQ(send(fd, "x", 1, MSG_NOSIGNAL), -1);
	CHECK_EQ(errno, EPIPE);
}

TEST_F(inet_outside, tcp)
{
	struct ckpt_target *target = &self->target;
	int server, fd;

	ckpt_loopback_up();
	server = bound(AF_INET, SOCK_STREAM, OUTSIDE_PORT);
	ASSERT_EQ(0, fcntl(server, F_SETFD, FD_CLOEXEC));
	ASSERT_EQ(0, listen(server, 1));
	ASSERT_EQ(0, ckpt_start(target, "tcp_to_outside", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	fd = accept(server, NULL, NULL);
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	close(fd);
	close(server);
	EXPECT_EQ(-EOPNOTSUPP, ckpt_restart(target, 0));
	EXPECT_NE(NULL, strstr(target->log, " -> 127.0.0.1:7654 leads outside the tree"));
	ASSERT_LT(0, ckpt_restart(target, RESTART_TCP_CLOSE));
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* Not accepted yet, and never to be more than that. */
CKPT_TARGET(tcp_waits)
{
	int server = bound(AF_INET, SOCK_STREAM, OUTSIDE_PORT), fd;

	NEED(!listen(server, 1));
	ckpt_ready();
	ckpt_wait();
	fd = accept(server, NULL, NULL);
	CHECK(fd >= 0);
	CHECK_EQ(recv(fd, back, 1, 0), -1);
	CHECK_EQ(errno, ECONNRESET);
}

CKPT_TARGET(tcp_serves)
{
	int server = bound(AF_INET, SOCK_STREAM, OUTSIDE_PORT);

	NEED(!listen(server, 1));
	ckpt_ready();
	ckpt_wait();
	CHECK(accept(server, NULL, NULL) >= 0);
}

TEST_F(inet_outside, waits)
{
	struct ckpt_target *target = &self->target;
	int fd;

	ckpt_loopback_up();
	ASSERT_EQ(0, ckpt_start(target, "tcp_waits", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(0, ckpt_connect(fd, AF_INET, OUTSIDE_PORT));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	close(fd);
	EXPECT_EQ(-EOPNOTSUPP, ckpt_restart(target, 0));
	EXPECT_NE(NULL, strstr(target->log, "leads outside the tree"));
	ASSERT_LT(0, ckpt_restart(target, RESTART_TCP_CLOSE));
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* Somebody has the port by now. */
TEST_F(inet_outside, port_in_use)
{
	struct ckpt_target *target = &self->target;
	int fd;

	ckpt_loopback_up();
	ASSERT_EQ(0, ckpt_start(target, "tcp_serves", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	fd = bound(AF_INET, SOCK_STREAM, OUTSIDE_PORT);
	ASSERT_EQ(0, listen(fd, 1));
	EXPECT_EQ(-EADDRINUSE, ckpt_restart(target, 0));
	EXPECT_NE(NULL, strstr(target->log, "127.0.0.1:7654"));
	close(fd);
	ASSERT_LT(0, ckpt_restart(target, 0));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	EXPECT_EQ(0, ckpt_connect(fd, AF_INET, OUTSIDE_PORT));
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
	close(fd);
}

CKPT_TEST_MAIN
