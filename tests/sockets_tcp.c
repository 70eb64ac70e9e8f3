// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections of TCP that are not all there: they wait to be accepted, have not been
 * answered, or have urgent data.
 */
#include "ckpt_test.h"
#include "ckpt_inet.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* It is at the same place in both. */
static int port_in(const struct sockaddr_storage *addr)
{
	return ntohs(((const struct sockaddr_in *)addr)->sin_port);
}

static int port_of(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	NEED(!getsockname(fd, (void *)&addr, &len));
	return port_in(&addr);
}

/* One that listens, as many may wait for it as @backlog says and one. */
static int listens(int family, int backlog)
{
	struct sockaddr_storage addr;
	socklen_t len = ckpt_loopback(&addr, family, 0);
	int fd = socket(family, SOCK_STREAM, 0);

	NEED(fd >= 0 && !bind(fd, (void *)&addr, len) && !listen(fd, backlog));
	return fd;
}

static int connected(int family, int server)
{
	int fd = socket(family, SOCK_STREAM, 0);

	NEED(!ckpt_connect(fd, family, port_of(server)));
	return fd;
}

/*
 * Accept what comes, from the port that it has to come from if not 0. Who has no answer
 * calls again after a second, and then after two.
 */
static int accepts(int server, int port)
{
	struct pollfd poll_fd = { .fd = server, .events = POLLIN };
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	int fd;

	if (!CHECK_EQ(poll(&poll_fd, 1, 10000), 1))
		return -1;
	fd = accept(server, (void *)&addr, &len);
	if (CHECK(fd >= 0) && port)
		CHECK_EQ(port_in(&addr), port);
	return fd;
}

static bool accepts_no_more(int server)
{
	return fcntl(server, F_SETFL, O_NONBLOCK) ||
	       (accept(server, NULL, NULL) == -1 && errno == EAGAIN);
}

/* How many wait, of how many. */
static void backlog_is(int server, unsigned int waiting, unsigned int most)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	NEED(!getsockopt(server, SOL_TCP, TCP_INFO, &info, &len));
	CHECK_EQ(info.tcpi_unacked, waiting);
	CHECK_EQ(info.tcpi_sacked, most);
}

CKPT_FIXTURE(tcp);

/* Waiting to be accepted. */

static void accepted(int family)
{
	static const char *const text[] = { "first", "second", "", "last" };
	int server, client[4], fd;

	ckpt_loopback_up();
	server = listens(family, 7);
	for (int i = 0; i < 4; i++) {
		client[i] = connected(family, server);
		ckpt_put(client[i], text[i]);
	}
	ckpt_point();
	backlog_is(server, 4, 7);
	for (int i = 0; i < 4; i++) {
		fd = accepts(server, port_of(client[i]));
		CHECK(ckpt_gets(fd, text[i]));
		CHECK_EQ(port_of(fd), port_of(server));
		ckpt_put(client[i], "more");
		ckpt_put(fd, "answer");
		CHECK(ckpt_gets(fd, "more") && ckpt_gets(client[i], "answer"));
		if (i & 1) {
			close(client[i]);
			CHECK(ckpt_at_end(fd));
		} else {
			close(fd);
			CHECK(ckpt_at_end(client[i]));
		}
	}
	CHECK(accepts_no_more(server));
	fcntl(server, F_SETFL, 0);
	client[0] = connected(family, server);
	CHECK(accepts(server, port_of(client[0])) >= 0);
}

CKPT_TEST(tcp, accept4)
{
	accepted(AF_INET);
}

CKPT_TEST(tcp, accept6)
{
	accepted(AF_INET6);
}

/* Who listens for IPv6 takes IPv4 as well. */
CKPT_TEST(tcp, accept_mixed)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	int server = socket(AF_INET6, SOCK_STREAM, 0), client, fd;

	ckpt_loopback_up();
	NEED(!bind(server, (void *)&any, sizeof(any)) && !listen(server, 1));
	client = connected(AF_INET, server);
	ckpt_put(client, "before");
	ckpt_point();
	fd = accepts(server, port_of(client));
	CHECK(ckpt_gets(fd, "before"));
	ckpt_put(client, "after");
	CHECK(ckpt_gets(fd, "after"));
}

/* Their clients have said all there is to say, or are gone. */
CKPT_TEST(tcp, accept_half_closed)
{
	int server, half, gone, fd;

	ckpt_loopback_up();
	server = listens(AF_INET, 7);
	half = connected(AF_INET, server);
	gone = connected(AF_INET, server);
	ckpt_put(half, "half");
	ckpt_put(gone, "gone");
	NEED(!shutdown(half, SHUT_WR) && !close(gone));
	ckpt_msleep(20);
	ckpt_point();
	fd = accepts(server, port_of(half));
	CHECK(ckpt_gets(fd, "half") && ckpt_at_end(fd));
	ckpt_put(fd, "answer");
	CHECK(ckpt_gets(half, "answer"));
	close(fd);
	CHECK(ckpt_at_end(half));
	fd = accepts(server, 0);
	CHECK(ckpt_gets(fd, "gone") && ckpt_at_end(fd));
	CHECK_EQ(send(fd, "x", 1, MSG_NOSIGNAL), 1);
}

/* One that its client has reset is accepted, and tells of it. */
CKPT_TEST(tcp, accept_reset)
{
	struct linger linger = { 1, 0 };
	int server, first, second, fd;

	ckpt_loopback_up();
	server = listens(AF_INET, 7);
	first = connected(AF_INET, server);
	second = connected(AF_INET, server);
	NEED(!setsockopt(first, SOL_SOCKET, SO_LINGER, &linger,
			 sizeof(linger)));
	close(first);
	ckpt_put(second, "text");
	ckpt_msleep(20);
	ckpt_point();
	backlog_is(server, 2, 7);
	fd = accepts(server, 0);
	CHECK_EQ(ckpt_option(fd, SOL_SOCKET, SO_ERROR), ECONNRESET);
	CHECK_EQ(ckpt_option(fd, SOL_SOCKET, SO_ERROR), 0);
	fd = accepts(server, port_of(second));
	CHECK(ckpt_gets(fd, "text"));
}

/* They have the options that who listens had, as they came. */
CKPT_TEST(tcp, accept_options)
{
	int server, client, fd;

	ckpt_loopback_up();
	server = listens(AF_INET, 1);
	ckpt_set_option(server, SOL_TCP, TCP_NODELAY, 1);
	ckpt_set_option(server, SOL_TCP, TCP_KEEPIDLE, 77);
	ckpt_set_option(server, SOL_SOCKET, SO_RCVBUF, 20000);
	ckpt_set_option(server, SOL_SOCKET, SO_PASSCRED, 1);
	client = connected(AF_INET, server);
	ckpt_set_option(server, SOL_TCP, TCP_NODELAY, 0);
	ckpt_point();
	fd = accepts(server, port_of(client));
	CHECK_EQ(ckpt_option(fd, SOL_TCP, TCP_NODELAY), 1);
	CHECK_EQ(ckpt_option(fd, SOL_TCP, TCP_KEEPIDLE), 77);
	CHECK_EQ(ckpt_option(fd, SOL_SOCKET, SO_RCVBUF), 40000);
	CHECK_EQ(ckpt_option(fd, SOL_SOCKET, SO_PASSCRED), 0);
	CHECK_EQ(ckpt_option(server, SOL_SOCKET, SO_PASSCRED), 1);
	CHECK_EQ(ckpt_option(server, SOL_TCP, TCP_NODELAY), 0);
}

/* More than it takes, so that some is still to be sent to it. */
CKPT_TEST(tcp, accept_full)
{
	static char data[1 << 20], back[1 << 20];
	ssize_t sent, all = 0, at = 0;
	int server, client, fd;

	ckpt_loopback_up();
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i * 7 + i / 251;
	server = listens(AF_INET, 1);
	ckpt_set_option(server, SOL_SOCKET, SO_RCVBUF, 20000);
	client = connected(AF_INET, server);
	ckpt_set_option(client, SOL_SOCKET, SO_SNDBUF, 50000);
	NEED(!fcntl(client, F_SETFL, O_NONBLOCK));
	while ((sent = send(client, data + all, sizeof(data) - all, 0)) > 0)
		all += sent;
	NEED(all > 20000 && all < (ssize_t)sizeof(data));
	ckpt_point();
	fd = accepts(server, port_of(client));
	while (at < all) {
		sent = recv(fd, back + at, all - at, 0);
		NEED(sent > 0);
		at += sent;
	}
	CHECK(!memcmp(data, back, all));
}

CKPT_TEST(tcp, accept_watched)
{
	struct epoll_event event = { .events = EPOLLIN };
	int server, epoll = epoll_create1(0);

	ckpt_loopback_up();
	server = listens(AF_INET, 1);
	NEED(!epoll_ctl(epoll, EPOLL_CTL_ADD, server, &event));
	connected(AF_INET, server);
	ckpt_point();
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 1);
	CHECK(accepts(server, 0) >= 0);
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 0);
}

/* Nobody accepts them, and who has called hears of it. */
CKPT_TEST(tcp, accept_never)
{
	int server, client;

	ckpt_loopback_up();
	server = listens(AF_INET, 1);
	client = connected(AF_INET, server);
	ckpt_put(client, "text");
	ckpt_point();
	close(server);
	ckpt_msleep(20);
	CHECK_EQ(recv(client, &server, 1, MSG_DONTWAIT), -1);
	CHECK_EQ(errno, ECONNRESET);
}

/* Not answered. */

static int calls(int server)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	CHECK_EQ(ckpt_connect(fd, AF_INET, port_of(server)), -1);
	CHECK_EQ(errno, EINPROGRESS);
	return fd;
}

/* As no more may wait; once they may it goes on. */
CKPT_TEST(tcp, connecting)
{
	struct pollfd poll_fd = { .events = POLLOUT };
	int server, client, caller, port, fd;

	ckpt_loopback_up();
	server = listens(AF_INET, 0);
	client = connected(AF_INET, server);
	caller = calls(server);
	port = port_of(caller);
	poll_fd.fd = caller;
	NEED(!poll(&poll_fd, 1, 0));
	ckpt_point();
	CHECK_EQ(port_of(caller), port);
	CHECK_EQ(ckpt_option(caller, SOL_SOCKET, SO_ERROR), 0);
	CHECK_EQ(ckpt_connect(caller, AF_INET, port_of(server)), -1);
	CHECK_EQ(errno, EALREADY);
	fd = accepts(server, port_of(client));
	CHECK(fd >= 0);
	CHECK_EQ(poll(&poll_fd, 1, 10000), 1);
	CHECK_EQ(ckpt_option(caller, SOL_SOCKET, SO_ERROR), 0);
	fd = accepts(server, port);
	ckpt_put(caller, "text");
	CHECK(ckpt_gets(fd, "text"));
}

/* In connect(2) itself, which goes on. */
CKPT_TEST(tcp, connecting_waits)
{
	int server, client, caller, fd;
	pid_t pid;

	ckpt_loopback_up();
	server = listens(AF_INET, 0);
	client = connected(AF_INET, server);
	caller = socket(AF_INET, SOCK_STREAM, 0);
	pid = fork();
	if (!pid) {
		ckpt_msleep(100);
		ckpt_ready();
		ckpt_wait();
		fd = accepts(server, port_of(client));
		fd = accepts(server, 0);
		ckpt_put(fd, "text");
		pause();
	}
	if (ckpt_mode == CKPT_SELF) {
		/* Nobody else is there to say it while this one waits. */
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		ckpt_point();
		return;
	}
	CHECK(!ckpt_connect(caller, AF_INET, port_of(server)));
	CHECK(ckpt_gets(caller, "text"));
	CHECK(ckpt_gone());
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

/* Urgent data. */

static bool at_mark(int fd)
{
	int at = -1;

	NEED(!ioctl(fd, SIOCATMARK, &at));
	return at;
}

static void pair(int *fd)
{
	int server;

	ckpt_loopback_up();
	server = listens(AF_INET, 1);
	fd[0] = connected(AF_INET, server);
	fd[1] = accepts(server, 0);
	close(server);
}

CKPT_TEST(tcp, urgent)
{
	char byte = 0;
	int fd[2];

	pair(fd);
	ckpt_put(fd[0], "before");
	NEED(send(fd[0], "!", 1, MSG_OOB) == 1);
	ckpt_put(fd[0], "after");
	NEED(ckpt_gets(fd[1], "be"));
	ckpt_point();
	CHECK(!at_mark(fd[1]));
	CHECK_EQ(recv(fd[1], &byte, 1, MSG_OOB), 1);
	CHECK_EQ(byte, '!');
	CHECK_EQ(recv(fd[1], &byte, 1, MSG_OOB), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK(ckpt_gets(fd[1], "fore"));
	CHECK(at_mark(fd[1]));
	CHECK(ckpt_gets(fd[1], "after") && !at_mark(fd[1]));
	CHECK_EQ(send(fd[0], "?", 1, MSG_OOB), 1);
	ckpt_msleep(20);
	CHECK_EQ(recv(fd[1], &byte, 1, MSG_OOB), 1);
	CHECK_EQ(byte, '?');
	ckpt_put(fd[0], "more");
	CHECK(ckpt_gets(fd[1], "more"));
}

/* It was read, and what is before it was not; or it is the first. */
CKPT_TEST(tcp, urgent_read)
{
	char byte = 0;
	int fd[2];

	pair(fd);
	ckpt_put(fd[0], "before");
	NEED(send(fd[0], "!", 1, MSG_OOB) == 1);
	ckpt_put(fd[0], "after");
	ckpt_msleep(20);
	NEED(recv(fd[1], &byte, 1, MSG_OOB) == 1 && byte == '!');
	ckpt_point();
	CHECK_EQ(recv(fd[1], &byte, 1, MSG_OOB), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK(ckpt_gets(fd[1], "before"));
	CHECK(at_mark(fd[1]));
	CHECK(ckpt_gets(fd[1], "after"));
}

/* In its place, as SO_OOBINLINE has it. */
CKPT_TEST(tcp, urgent_inline)
{
	int fd[2];

	pair(fd);
	ckpt_set_option(fd[1], SOL_SOCKET, SO_OOBINLINE, 1);
	NEED(send(fd[0], "!", 1, MSG_OOB) == 1);
	ckpt_put(fd[0], "after");
	ckpt_msleep(20);
	ckpt_point();
	CHECK(at_mark(fd[1]));
	CHECK(ckpt_gets(fd[1], "!") && ckpt_gets(fd[1], "after"));
	CHECK(!at_mark(fd[1]));
}

/* Of a connection that waits to be accepted. */
CKPT_TEST(tcp, urgent_accept)
{
	int server, client, fd;
	char byte = 0;

	ckpt_loopback_up();
	server = listens(AF_INET, 1);
	client = connected(AF_INET, server);
	ckpt_put(client, "before");
	NEED(send(client, "!", 1, MSG_OOB) == 1);
	ckpt_point();
	fd = accepts(server, port_of(client));
	CHECK_EQ(recv(fd, &byte, 1, MSG_OOB), 1);
	CHECK_EQ(byte, '!');
	CHECK(ckpt_gets(fd, "before"));
}

/* What remains refused. */

/* Who has called takes it for a connection, who was called does not so far. */
CKPT_TARGET(tcp_deferred)
{
	int server, client;

	ckpt_loopback_up();
	server = listens(AF_INET, 1);
	ckpt_set_option(server, SOL_TCP, TCP_DEFER_ACCEPT, 30);
	client = connected(AF_INET, server);
	ckpt_ready();
	ckpt_wait();
	ckpt_put(client, "text");
	CHECK(ckpt_gets(accepts(server, port_of(client)), "text"));
}

CKPT_REFUSED(deferred, "tcp_deferred", EOPNOTSUPP,
	     "whose other end has not taken it (TCP_DEFER_ACCEPT, or its queue is full): not supported")

/* There is no room for it. */
CKPT_TARGET(tcp_urgent_under_way)
{
	static char data[1 << 20];
	int fd[2];

	pair(fd);
	ckpt_set_option(fd[1], SOL_SOCKET, SO_RCVBUF, 20000);
	ckpt_set_option(fd[0], SOL_SOCKET, SO_SNDBUF, 20000);
	NEED(!fcntl(fd[0], F_SETFL, O_NONBLOCK));
	while (send(fd[0], data, sizeof(data), 0) > 0)
		;
	ckpt_set_option(fd[0], SOL_SOCKET, SO_SNDBUFFORCE, 1 << 24);
	NEED(send(fd[0], "!", 1, MSG_OOB) == 1);
	ckpt_ready();
	ckpt_wait();
}

CKPT_REFUSED(urgent, "tcp_urgent_under_way", EOPNOTSUPP, "with urgent data ")

CKPT_TEST_MAIN
