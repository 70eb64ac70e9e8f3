// SPDX-License-Identifier: GPL-2.0-only
/* Filters of sockets (SO_ATTACH_FILTER): that they are there, and that they filter. */
#include "ckpt_test.h"
#include "ckpt_inet.h"

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Lets through what has an 'y' there, as much of it as it is told. */
#define FILTER_LEN	4

static void filter_of(struct sock_filter *insns, unsigned int at,
		      unsigned int len)
{
	struct sock_filter filter[FILTER_LEN] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, at),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'y', 0, 1),
		BPF_STMT(BPF_RET | BPF_K, len),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	memcpy(insns, filter, sizeof(filter));
}

static int attach_insns(int fd, struct sock_filter *insns, unsigned short len)
{
	struct sock_fprog prog = { len, insns };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			  sizeof(prog));
}

static int attach(int fd, unsigned int at, unsigned int len)
{
	struct sock_filter insns[FILTER_LEN];

	filter_of(insns, at, len);
	return attach_insns(fd, insns, FILTER_LEN);
}

static int detach(int fd)
{
	int unused = 0;

	return setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused,
			  sizeof(unused));
}

static bool has(int fd, unsigned int at, unsigned int len)
{
	struct sock_filter insns[FILTER_LEN], got[16] = {};
	socklen_t nr = 16;

	filter_of(insns, at, len);
	return !getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, got, &nr) &&
	       nr == FILTER_LEN && !memcmp(insns, got, sizeof(insns));
}

static int filter_len(int fd)
{
	socklen_t nr = 0;

	return getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, NULL, &nr) ? -1 :
	       (int)nr;
}

/* A socket at a port of its own, and the address to reach it by. */
static int bound(int type, struct sockaddr_in *addr)
{
	int fd = socket(AF_INET, type, 0);
	socklen_t len = sizeof(*addr);

	*addr = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	NEED(fd >= 0 && !bind(fd, (void *)addr, len) &&
	     !getsockname(fd, (void *)addr, &len));
	return fd;
}

static bool gets(int fd, const char *text)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	char buf[64] = "";

	return poll(&poll_fd, 1, 1000) == 1 &&
	       recv(fd, buf, sizeof(buf), MSG_DONTWAIT) ==
	       (ssize_t)strlen(text) && !strcmp(buf, text);
}

static bool gets_nothing(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN;
}

CKPT_FIXTURE(filter);

/* Of UDP they see the header as well. */
CKPT_TEST(filter, udp)
{
	struct sockaddr_in addr;
	int fd, sender;

	ckpt_loopback_up();
	fd = bound(SOCK_DGRAM, &addr);
	sender = socket(AF_INET, SOCK_DGRAM, 0);
	NEED(!connect(sender, (void *)&addr, sizeof(addr)));
	ckpt_put(sender, "no, but was there before");
	NEED(!attach(fd, 8, 8 + 3));
	ckpt_put(sender, "no");
	ckpt_put(sender, "yes and more");
	ckpt_point();
	CHECK(has(fd, 8, 11));
	CHECK_EQ(filter_len(sender), 0);
	CHECK(gets(fd, "no, but was there before"));
	CHECK(gets(fd, "yes") && gets_nothing(fd));
	ckpt_put(sender, "no");
	ckpt_put(sender, "yet another");
	CHECK(gets(fd, "yet") && gets_nothing(fd));
	CHECK(!detach(fd));
	CHECK_EQ(filter_len(fd), 0);
	ckpt_put(sender, "no");
	CHECK(gets(fd, "no"));
}

CKPT_TEST(filter, unix_datagram)
{
	int fd[2];

	NEED(!socketpair(AF_UNIX, SOCK_DGRAM, 0, fd));
	ckpt_put(fd[0], "no, but was there before");
	NEED(!attach(fd[1], 0, 100));
	ckpt_point();
	CHECK(gets(fd[1], "no, but was there before"));
	ckpt_put(fd[0], "no");
	ckpt_put(fd[0], "yes");
	CHECK(gets(fd[1], "yes") && gets_nothing(fd[1]));
	CHECK(has(fd[1], 0, 100));
}

/* Where it means nothing. */
CKPT_TEST(filter, unix_stream)
{
	int fd[2];

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	NEED(!attach(fd[0], 7, 100));
	ckpt_point();
	CHECK(has(fd[0], 7, 100));
	ckpt_put(fd[1], "text");
	CHECK(gets(fd[0], "text"));
}

/* Behind a header of 32 bytes it has to begin with an 'y', if there is anything. */
static struct sock_filter tcp_filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 32, 0, 2),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 32),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'y', 0, 1),
	BPF_STMT(BPF_RET | BPF_K, -1U),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

CKPT_TEST(filter, tcp)
{
	struct sockaddr_in addr;
	int server, client, fd;

	ckpt_loopback_up();
	server = bound(SOCK_STREAM, &addr);
	client = socket(AF_INET, SOCK_STREAM, 0);
	NEED(!attach(server, 1000, 77) && !detach(server));
	NEED(!listen(server, 1));
	NEED(!connect(client, (void *)&addr, sizeof(addr)));
	fd = accept(server, NULL, NULL);
	NEED(fd >= 0 && !attach_insns(fd, tcp_filter, 6));
	ckpt_point();
	CHECK_EQ(filter_len(fd), 6);
	CHECK_EQ(filter_len(server), 0);
	ckpt_put(client, "yes");
	CHECK(gets(fd, "yes"));
	ckpt_put(client, "no");
	ckpt_msleep(20);
	CHECK(gets_nothing(fd));
	CHECK(!detach(fd));
	CHECK(gets(fd, "no"));
}

/* Who listens hands it on to those that are accepted. */
CKPT_TEST(filter, listener)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, -1U);
	struct sockaddr_in addr;
	int server, client, fd;

	ckpt_loopback_up();
	server = bound(SOCK_STREAM, &addr);
	NEED(!listen(server, 1) && !attach_insns(server, &all, 1));
	ckpt_point();
	client = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(!connect(client, (void *)&addr, sizeof(addr)));
	fd = accept(server, NULL, NULL);
	CHECK_EQ(filter_len(fd), 1);
	CHECK_EQ(filter_len(server), 1);
	CHECK_EQ(filter_len(client), 0);
}

CKPT_TEST(filter, locked)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
	int none = socket(AF_INET6, SOCK_DGRAM, 0);

	NEED(!attach(fd, 8, 11));
	NEED(!setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)));
	NEED(!setsockopt(none, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)));
	ckpt_point();
	CHECK(has(fd, 8, 11));
	CHECK_EQ(detach(fd), -1);
	CHECK_EQ(errno, EPERM);
	CHECK_EQ(attach(fd, 8, 12), -1);
	CHECK_EQ(errno, EPERM);
	CHECK_EQ(attach(none, 8, 12), -1);
	CHECK_EQ(errno, EPERM);
}

CKPT_TEST(filter, packet)
{
	int fd = socket(AF_PACKET, SOCK_DGRAM, 0), sender;
	struct sockaddr_ll any = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = if_nametoindex("lo"),
	};
	struct sockaddr_in addr;
	char buf[64];

	ckpt_loopback_up();
	/* Behind the headers of IPv4 and UDP. */
	NEED(fd >= 0 && !attach(fd, 28, 31));
	NEED(!bind(fd, (void *)&any, sizeof(any)));
	bound(SOCK_DGRAM, &addr);
	sender = socket(AF_INET, SOCK_DGRAM, 0);
	NEED(!connect(sender, (void *)&addr, sizeof(addr)));
	ckpt_point();
	CHECK(has(fd, 28, 31));
	ckpt_put(sender, "no");
	ckpt_put(sender, "yes and more");
	CHECK_EQ(recv(fd, buf, sizeof(buf), 0), 31);
	CHECK(!memcmp(buf + 28, "yes", 3));
}

CKPT_TEST(filter, netlink)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg info;
	} ask = {
		{ sizeof(ask), RTM_GETLINK, NLM_F_REQUEST, 1, 0 },
		{ .ifi_index = 1 },
	};
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	NEED(!attach_insns(fd, &none, 1));
	ckpt_point();
	CHECK_EQ(filter_len(fd), 1);
	CHECK_EQ(send(fd, &ask, sizeof(ask), 0), sizeof(ask));
	CHECK(gets_nothing(fd));
	CHECK(!detach(fd));
	CHECK_EQ(send(fd, &ask, sizeof(ask), 0), sizeof(ask));
	CHECK(!gets_nothing(fd));
}

#define LONG	3000

CKPT_TEST(filter, large)
{
	static struct sock_filter insns[LONG], got[LONG];
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t nr = LONG;

	for (int i = 0; i < LONG - 1; i++)
		insns[i] = (struct sock_filter)
			BPF_STMT(BPF_LD | BPF_W | BPF_IMM, i);
	insns[LONG - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
	NEED(!attach_insns(fd, insns, LONG));
	ckpt_point();
	CHECK(!getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, got, &nr));
	CHECK(nr == LONG && !memcmp(got, insns, sizeof(got)));
}

/* One of eBPF. */

FIXTURE(filter_refused) {
	struct ckpt_target target;
};

FIXTURE_SETUP(filter_refused)
{
	memset(self, 0, sizeof(*self));
}

FIXTURE_TEARDOWN(filter_refused)
{
	ckpt_clean(&self->target);
}

CKPT_TARGET(filter_ebpf)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = (uintptr_t)insns, .insn_cnt = 2,
		.license = (uintptr_t)"GPL",
	};
	int prog = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	NEED(prog >= 0);
	NEED(!setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &prog, sizeof(prog)));
	close(prog);
	ckpt_ready();
	ckpt_wait();
}

TEST_F(filter_refused, ebpf)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, ckpt_start(target, "filter_ebpf", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint(target, 0));
	EXPECT_NE(NULL, strstr(target->log,
			       "with a filter of eBPF (SO_ATTACH_BPF): not supported")) {
		TH_LOG("\"%s\"", target->log);
	}
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

CKPT_TEST_MAIN
