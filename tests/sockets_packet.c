// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packet sockets: rings, which are memory that packets go by, groups, memberships and
 * options. All that goes by here is of a protocol of its own, and comes back by the
 * loopback interface.
 */
#include "ckpt_test.h"
#include "ckpt_inet.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING	23
#endif
#ifndef PACKET_VNET_HDR_SZ
#define PACKET_VNET_HDR_SZ	24
#endif

#define PROTOCOL	ETH_P_802_EX1
#define BLOCK		8192
#define FRAME		2048
#define PER_BLOCK	(BLOCK / FRAME)

CKPT_FIXTURE(packet);

static struct sockaddr_ll address(void)
{
	return (struct sockaddr_ll){
		.sll_family = AF_PACKET, .sll_protocol = htons(PROTOCOL),
		.sll_ifindex = if_nametoindex("lo"), .sll_halen = ETH_ALEN,
	};
}

static void bind_to_lo(int fd)
{
	struct sockaddr_ll addr = address();

	NEED(!bind(fd, (void *)&addr, sizeof(addr)));
}

static int packet(void)
{
	int fd = socket(AF_PACKET, SOCK_DGRAM, 0);

	ckpt_loopback_up();
	NEED(fd >= 0);
	return fd;
}

/* By a socket that stays open, as it takes long to close one. */
static void send_text(const char *text)
{
	struct sockaddr_ll addr = address();
	static int fd = -1;

	if (fd < 0)
		fd = packet();
	NEED(sendto(fd, text, strlen(text) + 1, 0, (void *)&addr,
		    sizeof(addr)) > 0);
}

static int add_ring(int fd, int which, int blocks)
{
	struct tpacket_req req = {
		.tp_block_size = BLOCK, .tp_block_nr = blocks,
		.tp_frame_size = FRAME, .tp_frame_nr = blocks * PER_BLOCK,
	};

	return setsockopt(fd, SOL_PACKET, which, &req, sizeof(req));
}

static char *map(int fd, int blocks)
{
	void *ring = mmap(NULL, blocks * BLOCK, PROT_READ | PROT_WRITE,
			  MAP_SHARED, fd, 0);

	NEED(ring != MAP_FAILED);
	return ring;
}

/* With a ring of that version, and bound. */
static int receiver(int version, int blocks)
{
	int fd = packet();

	ckpt_set_option(fd, SOL_PACKET, PACKET_VERSION, version);
	NEED(!add_ring(fd, PACKET_RX_RING, blocks));
	bind_to_lo(fd);
	return fd;
}

static struct tpacket2_hdr *frame(char *ring, int nr)
{
	return (void *)(ring + nr * FRAME);
}

static const char *text2(char *ring, int nr)
{
	return (char *)frame(ring, nr) + frame(ring, nr)->tp_net;
}

static void give_back(char *ring, int nr)
{
	__atomic_store_n(&frame(ring, nr)->tp_status, TP_STATUS_KERNEL,
			 __ATOMIC_SEQ_CST);
}

/* Whether that is what is in a frame, for the process to read. */
static bool holds(char *ring, int nr, const char *text)
{
	struct tpacket2_hdr *hdr = frame(ring, nr);

	return (__atomic_load_n(&hdr->tp_status, __ATOMIC_SEQ_CST) &
		TP_STATUS_USER) && !strcmp(text2(ring, nr), text);
}

static bool is_free(char *ring, int nr)
{
	return frame(ring, nr)->tp_status == TP_STATUS_KERNEL;
}

static bool is_readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) == 1;
}

/* Read and not read, around the end of a ring; what has been there is there still. */
CKPT_TEST(packet, ring)
{
	int fd = receiver(TPACKET_V2, 2), first = 0;
	char *ring = map(fd, 2), was[2 * BLOCK], text[8];

	for (int i = 0; i < 10; i++) {
		snprintf(text, sizeof(text), "text %d", i);
		send_text(text);
		if (i < 3)
			give_back(ring, first++);
	}
	memcpy(was, ring, sizeof(was));
	NEED(holds(ring, 3, "text 3") && holds(ring, 1, "text 9"));
	NEED(is_free(ring, 2));
	ckpt_point();
	CHECK(!memcmp(was, ring, sizeof(was)));
	CHECK(is_readable(fd));
	for (int i = 3; i < 10; i++) {
		snprintf(text, sizeof(text), "text %d", i);
		CHECK(holds(ring, i % 8, text));
		/* The first is kept for a while. */
		if (i > 3)
			give_back(ring, i % 8);
	}
	send_text("more");
	CHECK(holds(ring, 2, "more"));
	send_text("no room for that");
	CHECK(is_free(ring, 4));
	give_back(ring, 3);
	send_text("last");
	CHECK(holds(ring, 3, "last"));
}

CKPT_TEST(packet, ring_version_1)
{
	int fd = receiver(TPACKET_V1, 1);
	char *ring = map(fd, 1);
	struct tpacket_hdr *hdr = (void *)ring;

	send_text("first");
	ckpt_point();
	CHECK_EQ(ckpt_option(fd, SOL_PACKET, PACKET_VERSION), TPACKET_V1);
	CHECK(hdr->tp_status & TP_STATUS_USER);
	CHECK(!strcmp(ring + hdr->tp_net, "first"));
	send_text("second");
	hdr = (void *)(ring + FRAME);
	CHECK(hdr->tp_status & TP_STATUS_USER);
	CHECK(!strcmp((char *)hdr + hdr->tp_net, "second"));
}

static struct tpacket_stats statistics(int fd)
{
	struct tpacket_stats stats = {};
	socklen_t len = sizeof(stats);

	CHECK(!getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len));
	return stats;
}

/* Full: nothing comes in, and that is counted. */
CKPT_TEST(packet, ring_full)
{
	int fd = receiver(TPACKET_V2, 1);
	char *ring = map(fd, 1);
	struct tpacket_stats stats;

	for (int i = 0; i < PER_BLOCK + 2; i++)
		send_text("text");
	ckpt_point();
	stats = statistics(fd);
	CHECK_EQ(stats.tp_packets, PER_BLOCK + 2);
	CHECK_EQ(stats.tp_drops, 2);
	for (int i = 0; i < PER_BLOCK; i++)
		CHECK(holds(ring, i, "text"));
	send_text("lost");
	give_back(ring, 0);
	send_text("new");
	CHECK(holds(ring, 0, "new"));
	CHECK(holds(ring, 1, "text"));
	stats = statistics(fd);
	CHECK_EQ(stats.tp_packets, 2);
	CHECK_EQ(stats.tp_drops, 1);
}

/* What was too long for a frame waits as a whole in the queue, and is lost. */
CKPT_TEST(packet, ring_copies)
{
	int fd = receiver(TPACKET_V2, 1), sent;
	struct sockaddr_ll addr = address();
	char *ring = map(fd, 1), text[2 * FRAME], back[2 * FRAME];

	memset(text, 'x', sizeof(text));
	ckpt_set_option(fd, SOL_PACKET, PACKET_COPY_THRESH, 1);
	sent = packet();
	NEED(sendto(sent, text, sizeof(text), 0, (void *)&addr,
		    sizeof(addr)) == sizeof(text));
	NEED(frame(ring, 0)->tp_status & TP_STATUS_COPY);
	ckpt_point();
	CHECK(frame(ring, 0)->tp_status & TP_STATUS_USER);
	CHECK_EQ(frame(ring, 0)->tp_len, sizeof(text));
	/* There is one if it says so. */
	if (frame(ring, 0)->tp_status & TP_STATUS_COPY)
		CHECK_EQ(recv(fd, back, sizeof(back), MSG_DONTWAIT),
			 sizeof(text));
	else
		CHECK_EQ(recv(fd, back, sizeof(back), MSG_DONTWAIT), -1);
	NEED(sendto(sent, text, sizeof(text), 0, (void *)&addr,
		    sizeof(addr)) == sizeof(text));
	CHECK(frame(ring, 1)->tp_status & TP_STATUS_COPY);
	CHECK_EQ(recv(fd, back, sizeof(back), MSG_DONTWAIT), sizeof(text));
}

/* One that nobody maps any more. */
CKPT_TEST(packet, ring_not_mapped)
{
	int fd = receiver(TPACKET_V2, 2);
	char *ring = map(fd, 2);

	send_text("first");
	NEED(!munmap(ring, 2 * BLOCK));
	send_text("second");
	ckpt_point();
	ring = map(fd, 2);
	CHECK(holds(ring, 0, "first"));
	CHECK(holds(ring, 1, "second"));
	send_text("third");
	CHECK(holds(ring, 2, "third"));
}

/* One that is open no more, but mapped, once where it was moved to. */
CKPT_TEST(packet, ring_not_open)
{
	int fd = receiver(TPACKET_V2, 2);
	char *ring = map(fd, 2), *other = map(fd, 2), *moved;
	char *to = mmap(NULL, 4 * BLOCK, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	moved = mremap(other, 2 * BLOCK, 2 * BLOCK,
		       MREMAP_MAYMOVE | MREMAP_FIXED, to + BLOCK);
	NEED(moved == to + BLOCK && !mprotect(moved, 2 * BLOCK, PROT_READ));
	close(fd);
	send_text("first");
	ckpt_point();
	CHECK(holds(ring, 0, "first"));
	CHECK(holds(moved, 0, "first"));
	send_text("second");
	CHECK(holds(ring, 1, "second"));
	CHECK(holds(moved, 1, "second"));
	give_back(ring, 0);
	CHECK(is_free(moved, 0));
}

/* A private mapping has the same pages as long as nobody writes to it. */
CKPT_TEST(packet, ring_private)
{
	int fd = receiver(TPACKET_V2, 1);
	char *ring = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE,
			  fd, 0);

	NEED(ring != MAP_FAILED);
	send_text("first");
	ckpt_point();
	CHECK(holds(ring, 0, "first"));
	send_text("second");
	CHECK(holds(ring, 1, "second"));
}

static bool came(char *ring, int nr)
{
	for (int i = 0; i < 1000 && is_free(ring, nr); i++)
		ckpt_msleep(1);
	return !is_free(ring, nr);
}

/* The child reads what comes in; both have the ring since fork(2). */
CKPT_TEST(packet, ring_of_child)
{
	int fd = receiver(TPACKET_V2, 1), status;
	char *ring = map(fd, 1);
	pid_t child = fork();

	if (!child) {
		CHECK(came(ring, 0));
		while (is_free(ring, 1))
			ckpt_msleep(1);
		CHECK(holds(ring, 1, "second"));
		give_back(ring, 1);
		_exit(0);
	}
	send_text("first");
	ckpt_point();
	CHECK(holds(ring, 0, "first"));
	send_text("second");
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK(is_free(ring, 1));
}

/* Rings to send by. */

static void to_send(char *ring, int nr, const char *text)
{
	struct tpacket2_hdr *hdr = frame(ring, nr);

	NEED(hdr->tp_status == TP_STATUS_AVAILABLE);
	memcpy((char *)hdr + TPACKET2_HDRLEN - sizeof(struct sockaddr_ll), text,
	       strlen(text) + 1);
	hdr->tp_len = strlen(text) + 1;
	__atomic_store_n(&hdr->tp_status, TP_STATUS_SEND_REQUEST,
			 __ATOMIC_SEQ_CST);
}

/* Some has been sent, and some is in the ring and has not. */
CKPT_TEST(packet, ring_to_send)
{
	struct sockaddr_ll addr = address();
	char *in, *out, back[16];
	int fd = receiver(TPACKET_V2, 1), sender = packet();

	ckpt_set_option(sender, SOL_PACKET, PACKET_VERSION, TPACKET_V2);
	NEED(!add_ring(sender, PACKET_TX_RING, 1));
	in = map(fd, 1);
	out = map(sender, 1);
	for (int i = 0; i < 3; i++)
		to_send(out, i, "sent");
	NEED(sendto(sender, NULL, 0, 0, (void *)&addr, sizeof(addr)) == 15);
	for (int i = 0; i < 3; i++) {
		NEED(came(in, i) && holds(in, i, "sent"));
		give_back(in, i);
	}
	to_send(out, 3, "first");
	to_send(out, 0, "second");
	ckpt_point();
	CHECK_EQ(frame(out, 3)->tp_status, TP_STATUS_SEND_REQUEST);
	CHECK_EQ(sendto(sender, NULL, 0, 0, (void *)&addr, sizeof(addr)), 13);
	CHECK(holds(in, 3, "first"));
	CHECK(holds(in, 0, "second"));
	CHECK(is_free(out, 3) && is_free(out, 0));
	CHECK_EQ(recv(fd, back, sizeof(back), MSG_DONTWAIT), -1);
}

/* One mapping of both, the one to receive by first. */
CKPT_TEST(packet, rings)
{
	struct sockaddr_ll addr = address();
	int fd = receiver(TPACKET_V2, 1);
	char *ring;

	NEED(!add_ring(fd, PACKET_TX_RING, 2));
	ring = map(fd, 3);
	send_text("first");
	to_send(ring, PER_BLOCK, "of its own");
	ckpt_point();
	CHECK(holds(ring, 0, "first"));
	CHECK_EQ(sendto(fd, NULL, 0, 0, (void *)&addr, sizeof(addr)), 11);
	CHECK(is_free(ring, PER_BLOCK));
	send_text("second");
	CHECK(came(ring, 2));
	/* As it is bound to a protocol, it does not see what it sends go out. */
	CHECK(holds(ring, 1, "of its own"));
	CHECK(holds(ring, 2, "second"));
}

/* Options. */

CKPT_TEST(packet, options)
{
	static const struct {
		int name;
		int value;
	} options[] = {
		{ PACKET_VERSION, TPACKET_V3 }, { PACKET_RESERVE, 48 },
		{ PACKET_VNET_HDR_SZ, 12 }, { PACKET_COPY_THRESH, 100 },
		{ PACKET_TIMESTAMP, 1 << 6 }, { PACKET_IGNORE_OUTGOING, 1 },
		{ PACKET_LOSS, 1 }, { PACKET_TX_HAS_OFF, 1 },
		{ PACKET_QDISC_BYPASS, 1 }, { PACKET_AUXDATA, 1 },
		{ PACKET_ORIGDEV, 1 },
	};
	const int nr = sizeof(options) / sizeof(options[0]);
	int fd = socket(AF_PACKET, SOCK_RAW, 0), other = packet();

	for (int i = 0; i < nr; i++) {
		NEED(ckpt_option(fd, SOL_PACKET, options[i].name) !=
		     options[i].value);
		ckpt_set_option(fd, SOL_PACKET, options[i].name,
				options[i].value);
	}
	ckpt_point();
	for (int i = 0; i < nr; i++) {
		CHECK_EQ(ckpt_option(fd, SOL_PACKET, options[i].name),
			 options[i].value);
		CHECK(ckpt_option(other, SOL_PACKET, options[i].name) !=
		      options[i].value);
	}
}

/* With room in front of each packet, which changes where it lies. */
CKPT_TEST(packet, ring_reserve)
{
	int fd = packet();
	char *ring;

	ckpt_set_option(fd, SOL_PACKET, PACKET_VERSION, TPACKET_V2);
	ckpt_set_option(fd, SOL_PACKET, PACKET_RESERVE, 512);
	NEED(!add_ring(fd, PACKET_RX_RING, 1));
	bind_to_lo(fd);
	ring = map(fd, 1);
	send_text("first");
	ckpt_point();
	send_text("second");
	CHECK(holds(ring, 0, "first"));
	CHECK(holds(ring, 1, "second"));
	CHECK_EQ(frame(ring, 0)->tp_net, frame(ring, 1)->tp_net);
	CHECK(frame(ring, 1)->tp_net >= 512);
}

/* Memberships. */

static void member(int fd, int what, const unsigned char *addr)
{
	struct packet_mreq mreq = {
		.mr_ifindex = if_nametoindex("lo"),
		.mr_type = PACKET_MR_MULTICAST, .mr_alen = ETH_ALEN,
	};

	memcpy(mreq.mr_address, addr, ETH_ALEN);
	CHECK(!setsockopt(fd, SOL_PACKET, what, &mreq, sizeof(mreq)));
}

/* Whether the interface listens to an address, which is written as /proc does. */
static bool listens_to(const char *addr)
{
	FILE *file = fopen("/proc/net/dev_mcast", "r");
	char line[256];
	bool found = false;

	NEED(file);
	while (fgets(line, sizeof(line), file))
		found |= strstr(line, addr) && strstr(line, "lo ");
	fclose(file);
	return found;
}

CKPT_TEST(packet, memberships)
{
	static const unsigned char one[ETH_ALEN] = { 1, 0, 0x5e, 1, 2, 3 };
	static const unsigned char two[ETH_ALEN] = { 1, 0, 0x5e, 1, 2, 4 };
	int fd = packet();

	for (int i = 0; i < 3; i++)
		member(fd, PACKET_ADD_MEMBERSHIP, one);
	member(fd, PACKET_ADD_MEMBERSHIP, two);
	ckpt_point();
	CHECK(listens_to("01005e010203"));
	CHECK(listens_to("01005e010204"));
	member(fd, PACKET_DROP_MEMBERSHIP, two);
	CHECK(!listens_to("01005e010204"));
	for (int i = 0; i < 3; i++) {
		CHECK(listens_to("01005e010203"));
		member(fd, PACKET_DROP_MEMBERSHIP, one);
	}
	CHECK(!listens_to("01005e010203"));
}

/* Groups. */

static int join(int type, int id)
{
	struct fanout_args args = {
		.id = id, .type_flags = type, .max_num_members = 3,
	};
	int fd = packet();

	bind_to_lo(fd);
	NEED(!setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &args, sizeof(args)));
	return fd;
}

/* They take turns. */
CKPT_TEST(packet, fanout)
{
	const int id = 4711, type = PACKET_FANOUT_LB | PACKET_FANOUT_FLAG_DEFRAG;
	const int any = id | type << 16;
	int fd[3], alone = packet();
	char back[16];

	for (int i = 0; i < 3; i++)
		fd[i] = join(type, id);
	ckpt_point();
	for (int i = 0; i < 3; i++)
		CHECK_EQ(ckpt_option(fd[i], SOL_PACKET, PACKET_FANOUT), any);
	CHECK_EQ(ckpt_option(alone, SOL_PACKET, PACKET_FANOUT), 0);
	for (int i = 0; i < 6; i++)
		send_text("text");
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(recv(fd[i], back, sizeof(back), MSG_DONTWAIT), 5);
		CHECK_EQ(recv(fd[i], back, sizeof(back), MSG_DONTWAIT), 5);
		CHECK_EQ(recv(fd[i], back, sizeof(back), MSG_DONTWAIT), -1);
	}
	/* There may be three of them. */
	bind_to_lo(alone);
	CHECK_EQ(setsockopt(alone, SOL_PACKET, PACKET_FANOUT, &any, sizeof(any)),
		 -1);
	CHECK_EQ(errno, ENOSPC);
}

/* Packets come in all the time. */

FIXTURE(packet_busy) {
	struct ckpt_target target;
	pid_t sender;
};

/* Number after number, as fast as it can. */
static void send_numbers(void)
{
	struct sockaddr_ll addr = address();
	int fd = packet();

	for (__u64 nr = 1; getppid() != 1; nr++)
		sendto(fd, &nr, sizeof(nr), 0, (void *)&addr, sizeof(addr));
	_exit(0);
}

FIXTURE_SETUP(packet_busy)
{
	memset(self, 0, sizeof(*self));
}

FIXTURE_TEARDOWN(packet_busy)
{
	if (self->sender) {
		kill(self->sender, SIGKILL);
		waitpid(self->sender, NULL, 0);
	}
	ckpt_clean(&self->target);
}

#define BUSY_BLOCKS	1024
#define BUSY_FRAMES	(BUSY_BLOCKS * PER_BLOCK)
/* What came in while the ring was copied is less; all takes too long when debugging. */
#define BUSY_MORE	1000

static __u64 number(char *ring, int nr)
{
	__u64 value;

	memcpy(&value, text2(ring, nr), sizeof(value));
	return value;
}

/* Take what is there, in the order in which it was sent. Returns where that ends. */
static int take_numbers(char *ring, int at)
{
	__u64 last = 0;

	while (!is_free(ring, at)) {
		if (!CHECK(number(ring, at) > last))
			break;
		last = number(ring, at);
		give_back(ring, at);
		at = (at + 1) % BUSY_FRAMES;
	}
	return at;
}

/* As it is restarted, nothing comes in but what it sends. */
CKPT_TARGET(busy)
{
	int fd = receiver(TPACKET_V2, BUSY_BLOCKS), at = 0;
	char *ring = map(fd, BUSY_BLOCKS);

	ckpt_ready();
	while (!ckpt_gone()) {
		if (is_free(ring, at))
			continue;
		give_back(ring, at);
		at = (at + 1) % BUSY_FRAMES;
	}
	at = take_numbers(ring, at);
	for (int i = 0; i < BUSY_MORE; i++) {
		send_text("more");
		if (!CHECK(holds(ring, at, "more")))
			break;
		give_back(ring, at);
		at = (at + 1) % BUSY_FRAMES;
	}
}

TEST_F(packet_busy, live)
{
	struct ckpt_target *target = &self->target;

	self->sender = fork();
	if (!self->sender)
		send_numbers();
	ASSERT_EQ(0, ckpt_start(target, "busy", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ckpt_msleep(300);
	ASSERT_LT(0, ckpt_checkpoint(target, 0));
	ckpt_kill(target);
	kill(self->sender, SIGKILL);
	waitpid(self->sender, NULL, 0);
	self->sender = 0;
	ASSERT_LT(0, ckpt_restart(target, 0));
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

CKPT_TEST_MAIN
