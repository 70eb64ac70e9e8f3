// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets of AF_UNIX in every state: how they are bound, who is connected to whom,
 * what waits to be read and to be accepted, options.
 */
#include "ckpt_test.h"

#include <linux/kcmp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static char data[1 << 18], back[1 << 18];

static void make_data(void)
{
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i * 7 + i / 251;
}

static void put(int fd, const char *text)
{
	NEED(send(fd, text, strlen(text), MSG_NOSIGNAL) ==
	     (ssize_t)strlen(text));
}

/* One read finds exactly that. */
static bool gets(int fd, const char *text)
{
	char buf[256] = "";

	return recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT) ==
	       (ssize_t)strlen(text) && !strcmp(buf, text);
}

static bool is_empty(int fd)
{
	return recv(fd, back, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN;
}

/* Soon: what a restart had a hand in may have it a little longer. */
static bool at_end(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, 2000) == 1 &&
	       recv(fd, back, 1, MSG_DONTWAIT) == 0;
}

static int polls(int fd)
{
	struct pollfd poll_fd = {
		.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP
	};

	NEED(poll(&poll_fd, 1, 0) >= 0);
	return poll_fd.revents;
}

static void pair(int type, int *fd)
{
	NEED(!socketpair(AF_UNIX, type, 0, fd));
}

/* A name that begins with '@' is an abstract one. */
static socklen_t address(struct sockaddr_un *sun, const char *name)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	snprintf(sun->sun_path, sizeof(sun->sun_path), "%s", name);
	if (name[0] != '@')
		return sizeof(*sun);
	sun->sun_path[0] = '\0';
	return offsetof(struct sockaddr_un, sun_path) + strlen(name);
}

static int bound(int type, const char *name)
{
	int fd = socket(AF_UNIX, type, 0);
	struct sockaddr_un sun;
	socklen_t len = address(&sun, name);

	NEED(fd >= 0 && !bind(fd, (struct sockaddr *)&sun, len));
	return fd;
}

static int listening(int type, const char *name)
{
	int fd = bound(type, name);

	NEED(!listen(fd, 5));
	return fd;
}

static int connects(int fd, const char *name)
{
	struct sockaddr_un sun;
	socklen_t len = address(&sun, name);

	return connect(fd, (struct sockaddr *)&sun, len);
}

static int connected(int type, const char *name)
{
	int fd = socket(AF_UNIX, type, 0);

	NEED(fd >= 0 && !connects(fd, name));
	return fd;
}

/* As it is written above; "" for none. */
static const char *name_of(const struct sockaddr_un *sun, socklen_t len)
{
	static char name[128];

	memset(name, 0, sizeof(name));
	if (len > offsetof(struct sockaddr_un, sun_path))
		memcpy(name, sun->sun_path,
		       len - offsetof(struct sockaddr_un, sun_path));
	if (len > offsetof(struct sockaddr_un, sun_path) && !name[0])
		name[0] = '@';
	return name;
}

static bool has_name(int fd, const char *name)
{
	struct sockaddr_un sun;
	socklen_t len = sizeof(sun);

	NEED(!getsockname(fd, (struct sockaddr *)&sun, &len));
	return !strcmp(name_of(&sun, len), name);
}

static bool has_peer(int fd, const char *name)
{
	struct sockaddr_un sun;
	socklen_t len = sizeof(sun);

	return !getpeername(fd, (struct sockaddr *)&sun, &len) &&
	       !strcmp(name_of(&sun, len), name);
}

static bool gets_from(int fd, const char *text, const char *name)
{
	struct sockaddr_un sun;
	socklen_t len = sizeof(sun);
	char buf[256] = "";
	ssize_t got;

	got = recvfrom(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT,
		       (struct sockaddr *)&sun, &len);
	return got == (ssize_t)strlen(text) && !strcmp(buf, text) &&
	       !strcmp(name_of(&sun, len), name);
}

static bool put_to(int fd, const char *text, const char *name)
{
	struct sockaddr_un sun;
	socklen_t len = address(&sun, name);

	return sendto(fd, text, strlen(text), 0, (struct sockaddr *)&sun,
		      len) == (ssize_t)strlen(text);
}

static int option(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	NEED(!getsockopt(fd, SOL_SOCKET, name, &value, &len));
	return value;
}

static void set_option(int fd, int name, int value)
{
	NEED(!setsockopt(fd, SOL_SOCKET, name, &value, sizeof(value)));
}

/* How many messages of so many bytes fit in. */
static int room(int fd, size_t len)
{
	int nr = 0;

	while (send(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		nr++;
	NEED(errno == EAGAIN);
	return nr;
}

CKPT_FIXTURE(unix_sockets);

CKPT_TEST(unix_sockets, pair_stream)
{
	int fd[2];

	pair(SOCK_STREAM, fd);
	ckpt_point();
	put(fd[0], "there");
	put(fd[1], "back");
	CHECK(gets(fd[1], "there"));
	CHECK(gets(fd[0], "back"));
	CHECK_EQ(polls(fd[0]), POLLOUT);
	CHECK_EQ(option(fd[0], SO_TYPE), SOCK_STREAM);
	CHECK(has_name(fd[0], "") && has_peer(fd[0], ""));
	close(fd[0]);
	CHECK(at_end(fd[1]));
}

CKPT_TEST(unix_sockets, stream_contents)
{
	int fd[2];

	make_data();
	pair(SOCK_STREAM, fd);
	put(fd[0], "one");
	put(fd[0], "two");
	NEED(send(fd[0], data, 100000, 0) == 100000);
	NEED(recv(fd[1], back, 2, 0) == 2);
	put(fd[1], "other way");
	ckpt_point();
	put(fd[0], "end");
	CHECK(gets(fd[0], "other way"));
	CHECK_EQ(recv(fd[1], back, 4, 0), 4);
	CHECK(!memcmp(back, "etwo", 4));
	CHECK_EQ(recv(fd[1], back, 100000, MSG_WAITALL), 100000);
	CHECK(!memcmp(back, data, 100000));
	CHECK(gets(fd[1], "end"));
	CHECK(is_empty(fd[1]));
}

/* To the message: what is under way takes the room that it took. */
CKPT_TEST(unix_sockets, room_left)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };
	int here[3][2], twin[2], left[3];

	make_data();
	for (int i = 0; i < 3; i++) {
		pair(types[i], here[i]);
		pair(types[i], twin);
		for (int j = 0; j < 2; j++) {
			int fd = j ? twin[0] : here[i][0];

			NEED(send(fd, data, 7000, 0) == 7000);
			NEED(send(fd, data, 60000, 0) == 60000);
			NEED(send(fd, data, 100, 0) == 100);
			if (!i)
				NEED(recv(j ? twin[1] : here[i][1], back, 6000,
					  0) == 6000);
		}
		left[i] = room(twin[0], 3000);
		NEED(left[i] > 0);
		close(twin[0]);
		close(twin[1]);
	}
	ckpt_point();
	for (int i = 0; i < 3; i++)
		CHECK_EQ(room(here[i][0], 3000), left[i]);
}

CKPT_TEST(unix_sockets, seqpacket_messages)
{
	int fd[2];

	pair(SOCK_SEQPACKET, fd);
	put(fd[0], "first");
	put(fd[0], "second");
	NEED(send(fd[0], "", 0, 0) == 0);
	put(fd[0], "last");
	ckpt_point();
	CHECK(gets(fd[1], "first"));
	/* What does not fit is lost. */
	CHECK_EQ(recv(fd[1], back, 3, 0), 3);
	CHECK_EQ(recv(fd[1], back, 3, MSG_DONTWAIT), 0);
	CHECK(gets(fd[1], "last"));
	CHECK(is_empty(fd[1]));
}

CKPT_TEST(unix_sockets, dgram_pair)
{
	int fd[2];

	pair(SOCK_DGRAM, fd);
	put(fd[0], "a message");
	put(fd[0], "another");
	ckpt_point();
	put(fd[1], "answer");
	CHECK(gets(fd[1], "a message"));
	CHECK(gets(fd[1], "another"));
	CHECK(gets(fd[0], "answer"));
}

CKPT_TEST(unix_sockets, unconnected)
{
	int stream = socket(AF_UNIX, SOCK_STREAM, 0);
	int dgram = socket(AF_UNIX, SOCK_DGRAM, 0);
	int packet = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	ckpt_point();
	CHECK_EQ(recv(stream, back, 1, 0), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(send(dgram, back, 1, 0), -1);
	CHECK_EQ(errno, ENOTCONN);
	CHECK_EQ(fcntl(packet, F_GETFL), O_RDWR | O_NONBLOCK);
	listening(SOCK_STREAM, "listens");
	CHECK(!connects(stream, "listens"));
}

static void serve(int type, const char *name)
{
	int server = listening(type, name), client, other, fd;
	struct stat before, after;

	NEED(stat(name, &before) || !chmod(name, 0640));
	client = connected(type, name);
	fd = accept(server, NULL, NULL);
	NEED(fd >= 0);
	put(fd, "greeting");
	ckpt_point();
	CHECK(has_name(server, name) && has_name(fd, name));
	CHECK(has_peer(client, name) && has_peer(fd, ""));
	CHECK_EQ(option(server, SO_ACCEPTCONN), 1);
	CHECK(gets(client, "greeting"));
	other = connected(type, name);
	close(fd);
	fd = accept(server, NULL, NULL);
	put(other, "more");
	CHECK(gets(fd, "more"));
	CHECK(at_end(client));
	if (name[0] != '@')
		CHECK(!stat(name, &after) && after.st_mode == (S_IFSOCK | 0640));
}

CKPT_TEST(unix_sockets, listens_by_path)
{
	serve(SOCK_STREAM, "socket");
}

CKPT_TEST(unix_sockets, listens_by_name)
{
	serve(SOCK_STREAM, "@ckpt_listens_by_name");
}

CKPT_TEST(unix_sockets, listens_seqpacket)
{
	serve(SOCK_SEQPACKET, "socket");
}

/* Whatever the current directory has become. */
CKPT_TEST(unix_sockets, dgram_by_path)
{
	int fd, sender, again;
	char cwd[64], path[80];

	NEED(!mkdir("directory", 0700) && !chdir("directory"));
	fd = bound(SOCK_DGRAM, "socket");

	NEED(getcwd(cwd, sizeof(cwd)));
	snprintf(path, sizeof(path), "%s/%s", cwd, "other");
	again = bound(SOCK_DGRAM, path);
	NEED(!chdir(".."));
	ckpt_point();
	CHECK(has_name(fd, "socket") && has_name(again, path));
	NEED(!chdir(cwd));
	sender = connected(SOCK_DGRAM, "socket");
	put(sender, "text");
	CHECK(gets(fd, "text"));
	CHECK(!connects(sender, "other"));
	put(sender, "text");
	CHECK(gets(again, "text"));
}

CKPT_TEST(unix_sockets, autobound)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0), sender;
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(sun);
	char name[128];

	NEED(!bind(fd, (struct sockaddr *)&sun, sizeof(sa_family_t)));
	NEED(!getsockname(fd, (struct sockaddr *)&sun, &len));
	snprintf(name, sizeof(name), "%s", name_of(&sun, len));
	ckpt_point();
	CHECK(has_name(fd, name));
	sender = connected(SOCK_DGRAM, name);
	put(sender, "text");
	CHECK(gets(fd, "text"));
}

/* Nobody finds it any more; those who have, have. */
CKPT_TEST(unix_sockets, path_deleted)
{
	int server = listening(SOCK_STREAM, "gone");
	int client = connected(SOCK_STREAM, "gone"), fd;

	NEED(!unlink("gone"));
	ckpt_point();
	CHECK(has_name(server, "gone") && has_peer(client, "gone"));
	CHECK_EQ(access("gone", F_OK), -1);
	put(client, "text");
	fd = accept(server, NULL, NULL);
	CHECK(gets(fd, "text"));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_EQ(connects(fd, "gone"), -1);
	CHECK_EQ(errno, ENOENT);
}

/* The name leads to another one by now. */
CKPT_TEST(unix_sockets, path_replaced)
{
	int old = listening(SOCK_STREAM, "name"), new, fd;

	NEED(!unlink("name"));
	new = listening(SOCK_STREAM, "name");
	ckpt_point();
	CHECK(has_name(old, "name") && has_name(new, "name"));
	fd = connected(SOCK_STREAM, "name");
	put(fd, "text");
	CHECK_EQ(polls(old), 0);
	CHECK_EQ(polls(new), POLLIN);
}

CKPT_TEST(unix_sockets, path_renamed)
{
	int server = listening(SOCK_STREAM, "first");

	NEED(!rename("first", "second"));
	ckpt_point();
	CHECK(has_name(server, "first"));
	connected(SOCK_STREAM, "second");
	CHECK_EQ(polls(server), POLLIN);
}

/* They come in their order, with what they have sent. */
CKPT_TEST(unix_sockets, not_accepted)
{
	int server = listening(SOCK_STREAM, "socket"), client[4], fd[4];
	char text[2] = "0";

	for (int i = 0; i < 4; i++) {
		client[i] = connected(SOCK_STREAM, "socket");
		text[0] = '0' + i;
		put(client[i], text);
	}
	NEED(!close(client[1]));
	NEED(!shutdown(client[2], SHUT_WR));
	ckpt_point();
	CHECK_EQ(polls(server), POLLIN);
	for (int i = 0; i < 4; i++) {
		fd[i] = accept(server, NULL, NULL);
		NEED(fd[i] >= 0);
		text[0] = '0' + i;
		CHECK(gets(fd[i], text));
		CHECK(has_name(fd[i], "socket"));
	}
	CHECK_EQ(polls(server), 0);
	CHECK(at_end(fd[1]) && at_end(fd[2]) && is_empty(fd[3]));
	put(fd[3], "answer");
	CHECK(gets(client[3], "answer"));
	CHECK_EQ(send(fd[1], "x", 1, MSG_NOSIGNAL), -1);
	CHECK_EQ(errno, EPIPE);
	put(fd[2], "answer");
	CHECK(gets(client[2], "answer"));
}

/* The backlog is full, and one waits for his turn. */
CKPT_TEST(unix_sockets, backlog)
{
	int server = bound(SOCK_STREAM, "socket"), fd;

	NEED(!listen(server, 1));
	connected(SOCK_STREAM, "socket");
	connected(SOCK_STREAM, "socket");
	ckpt_point();
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_EQ(connects(fd, "socket"), -1);
	CHECK_EQ(errno, EAGAIN);
	CHECK(accept(server, NULL, NULL) >= 0);
	CHECK(!connects(fd, "socket"));
}

CKPT_TEST(unix_sockets, half_closed)
{
	int fd[2], none[2];

	pair(SOCK_STREAM, fd);
	pair(SOCK_STREAM, none);
	put(fd[0], "last words");
	NEED(!shutdown(fd[0], SHUT_WR));
	NEED(!shutdown(none[0], SHUT_RDWR));
	ckpt_point();
	CHECK_EQ(polls(fd[1]), POLLIN | POLLOUT | POLLRDHUP);
	CHECK(gets(fd[1], "last words"));
	CHECK(at_end(fd[1]));
	CHECK_EQ(send(fd[0], "x", 1, MSG_NOSIGNAL), -1);
	CHECK_EQ(errno, EPIPE);
	put(fd[1], "answer");
	CHECK(gets(fd[0], "answer"));
	CHECK(at_end(none[0]) && at_end(none[1]));
	CHECK_EQ(polls(none[1]), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
}

CKPT_TEST(unix_sockets, peer_closed)
{
	int fd[2], reset[2], packet[2], client;
	int server = listening(SOCK_STREAM, "socket");

	client = connected(SOCK_STREAM, "socket");
	close(accept(server, NULL, NULL));
	close(server);
	pair(SOCK_STREAM, fd);
	pair(SOCK_STREAM, reset);
	pair(SOCK_SEQPACKET, packet);
	put(fd[0], "last words");
	put(packet[0], "last words");
	put(reset[1], "never read");
	close(fd[0]);
	close(reset[0]);
	close(packet[0]);
	ckpt_point();
	CHECK_EQ(polls(fd[1]), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
	CHECK(gets(fd[1], "last words") && at_end(fd[1]));
	CHECK(gets(packet[1], "last words") && at_end(packet[1]));
	CHECK_EQ(send(fd[1], "x", 1, MSG_NOSIGNAL), -1);
	CHECK_EQ(errno, EPIPE);
	CHECK_EQ(recv(reset[1], back, 1, 0), -1);
	CHECK_EQ(errno, ECONNRESET);
	CHECK(at_end(reset[1]));
	CHECK(has_peer(client, "socket") && at_end(client));
	CHECK(has_peer(fd[1], ""));
}

CKPT_TEST(unix_sockets, dgram_many_to_one)
{
	int server = bound(SOCK_DGRAM, "server");
	int a = bound(SOCK_DGRAM, "a"), b = bound(SOCK_DGRAM, "@ckpt_b");
	int c = socket(AF_UNIX, SOCK_DGRAM, 0), d = bound(SOCK_DGRAM, "d");

	NEED(!connects(a, "server") && !connects(b, "server"));
	put(a, "from a");
	put(b, "from b");
	NEED(put_to(c, "from c", "server") && put_to(d, "from d", "server"));
	close(d);
	ckpt_point();
	CHECK(gets_from(server, "from a", "a"));
	CHECK(gets_from(server, "from b", "@ckpt_b"));
	CHECK(gets_from(server, "from c", ""));
	CHECK(gets_from(server, "from d", "d"));
	CHECK(has_peer(a, "server") && has_peer(b, "server"));
	CHECK(put_to(server, "answer", "@ckpt_b"));
	CHECK(gets_from(b, "answer", "server"));
	put(a, "again");
	CHECK(gets_from(server, "again", "a"));
	/* Whose server is gone. */
	close(server);
	CHECK_EQ(send(a, "x", 1, 0), -1);
	CHECK_EQ(errno, ECONNREFUSED);
}

CKPT_TEST(unix_sockets, dgram_peer_closed)
{
	int server = bound(SOCK_DGRAM, "server");
	int fd = connected(SOCK_DGRAM, "server"), own = bound(SOCK_DGRAM, "own");

	close(server);
	NEED(!connects(own, "own"));
	put(own, "to myself");
	ckpt_point();
	CHECK(has_peer(fd, "server"));
	CHECK_EQ(send(fd, "x", 1, 0), -1);
	CHECK_EQ(errno, ECONNREFUSED);
	CHECK(gets_from(own, "to myself", "own"));
}

CKPT_TEST(unix_sockets, dgram_full)
{
	int server = bound(SOCK_DGRAM, "server");
	int fd = connected(SOCK_DGRAM, "server"), nr = room(fd, 10);
	struct epoll_event event = { .events = EPOLLOUT | EPOLLET };
	int epoll = epoll_create1(0);

	CHECK(!(polls(fd) & POLLOUT));
	NEED(!epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	NEED(!epoll_wait(epoll, &event, 1, 0));
	ckpt_point();
	CHECK(!(polls(fd) & POLLOUT));
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 0);
	for (int i = 0; i < nr; i++)
		CHECK_EQ(recv(server, back, 20, 0), 10);
	CHECK(polls(fd) & POLLOUT);
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 1);
}

CKPT_TEST(unix_sockets, urgent)
{
	int fd[2], mark = -1;

	pair(SOCK_STREAM, fd);
	put(fd[0], "before");
	NEED(send(fd[0], "!", 1, MSG_OOB) == 1);
	put(fd[0], "after");
	ckpt_point();
	CHECK_EQ(recv(fd[1], back, 1, MSG_OOB), 1);
	CHECK_EQ(back[0], '!');
	CHECK(gets(fd[1], "before"));
	CHECK(!ioctl(fd[1], SIOCATMARK, &mark) && mark == 1);
	CHECK(gets(fd[1], "after"));
}

CKPT_TEST(unix_sockets, options)
{
	struct linger linger = { 1, 42 }, got_linger;
	struct timeval in = { 7, 500000 }, out = { 0, 40000 }, got;
	socklen_t len = sizeof(got);
	int fd[2];

	pair(SOCK_DGRAM, fd);
	set_option(fd[0], SO_SNDBUF, 30000);
	set_option(fd[0], SO_RCVBUFFORCE, 5000000);
	set_option(fd[0], SO_PASSCRED, 1);
	set_option(fd[0], SO_REUSEADDR, 1);
	set_option(fd[0], SO_BROADCAST, 1);
	set_option(fd[0], SO_PRIORITY, 5);
	set_option(fd[0], SO_TIMESTAMPNS, 1);
	set_option(fd[0], SO_PEEK_OFF, 3);
	set_option(fd[1], SO_MARK, 77);
	NEED(!setsockopt(fd[0], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	NEED(!setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &in, sizeof(in)));
	NEED(!setsockopt(fd[0], SOL_SOCKET, SO_SNDTIMEO, &out, sizeof(out)));
	ckpt_point();
	CHECK_EQ(option(fd[0], SO_SNDBUF), 60000);
	CHECK_EQ(option(fd[0], SO_RCVBUF), 10000000);
	CHECK_EQ(option(fd[0], SO_PASSCRED), 1);
	CHECK_EQ(option(fd[1], SO_PASSCRED), 0);
	CHECK_EQ(option(fd[0], SO_REUSEADDR), 1);
	CHECK_EQ(option(fd[0], SO_BROADCAST), 1);
	CHECK_EQ(option(fd[0], SO_PRIORITY), 5);
	CHECK_EQ(option(fd[0], SO_TIMESTAMPNS), 1);
	CHECK_EQ(option(fd[0], SO_TIMESTAMP), 0);
	CHECK_EQ(option(fd[0], SO_PEEK_OFF), 3);
	CHECK_EQ(option(fd[1], SO_MARK), 77);
	NEED(!getsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &got, &len));
	CHECK_EQ(got.tv_sec * 1000000 + got.tv_usec, 7500000);
	NEED(!getsockopt(fd[0], SOL_SOCKET, SO_SNDTIMEO, &got, &len));
	CHECK_EQ(got.tv_usec, 40000);
	len = sizeof(got_linger);
	NEED(!getsockopt(fd[0], SOL_SOCKET, SO_LINGER, &got_linger, &len));
	CHECK_EQ(got_linger.l_linger, 42);
	CHECK_EQ(got_linger.l_onoff, 1);
}

CKPT_TEST(unix_sockets, file)
{
	struct stat stat;
	int fd[2], copy;

	pair(SOCK_STREAM, fd);
	NEED(!fchown(fd[0], 12, 34) && !fchmod(fd[0], 0600));
	copy = dup(fd[0]);
	NEED(!fcntl(fd[1], F_SETFL, O_NONBLOCK));
	NEED(!fcntl(fd[1], F_SETFD, FD_CLOEXEC));
	ckpt_point();
	CHECK_EQ(syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, fd[0], copy),
		 0);
	CHECK(!fstat(copy, &stat));
	CHECK(S_ISSOCK(stat.st_mode) && (stat.st_mode & 0777) == 0600);
	CHECK(stat.st_uid == 12 && stat.st_gid == 34);
	CHECK_EQ(fcntl(fd[0], F_GETFL), O_RDWR);
	CHECK_EQ(fcntl(fd[1], F_GETFL), O_RDWR | O_NONBLOCK);
	CHECK_EQ(fcntl(fd[1], F_GETFD), FD_CLOEXEC);
	close(fd[0]);
	put(copy, "text");
	CHECK(gets(fd[1], "text"));
}

/* What had been told of an edge is not told of it again. */
CKPT_TEST(unix_sockets, watched)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int fd[2], epoll = epoll_create1(0);

	pair(SOCK_STREAM, fd);
	NEED(!epoll_ctl(epoll, EPOLL_CTL_ADD, fd[1], &event));
	put(fd[0], "text");
	NEED(epoll_wait(epoll, &event, 1, 0) == 1);
	ckpt_point();
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 0);
	put(fd[0], "more");
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 1);
	CHECK(gets(fd[1], "textmore"));
}

/* A child that is in a system call by then, which ends well later. */
static pid_t blocked(bool (*call)(int fd), int fd)
{
	pid_t pid = fork();

	if (!pid)
		_exit(!call(fd));
	NEED(pid > 0);
	return pid;
}

static bool accepts(int fd)
{
	char buf[5];

	return recv(accept(fd, NULL, NULL), buf, 5, MSG_WAITALL) == 5 &&
	       !memcmp(buf, "hello", 5);
}

/* Either may be stopped half way, as by a signal. */
static bool receives(int fd)
{
	ssize_t got, at = 0;
	char buf[16];

	while (at < 10) {
		got = recv(fd, buf + at, 10 - at, MSG_WAITALL);
		if (got <= 0)
			return false;
		at += got;
	}
	return !memcmp(buf, "halfwhole.", 10);
}

static bool sends(int fd)
{
	ssize_t sent, at = 0;

	while (at < (ssize_t)sizeof(data)) {
		sent = send(fd, data + at, sizeof(data) - at, 0);
		if (sent <= 0)
			return false;
		at += sent;
	}
	return true;
}

static bool polls_in(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, 20000) == 1 && poll_fd.revents == POLLIN;
}

static bool gets_in(int fd)
{
	return connects(fd, "full") == 0;
}

CKPT_TEST(unix_sockets, blocked)
{
	int server = listening(SOCK_STREAM, "socket"), full, fd[4][2], status;
	ssize_t got, at = 0;
	pid_t pid[5];

	make_data();
	for (int i = 0; i < 4; i++)
		pair(SOCK_STREAM, fd[i]);
	full = bound(SOCK_STREAM, "full");
	NEED(!listen(full, 0));
	connected(SOCK_STREAM, "full");
	put(fd[0][0], "half");
	pid[0] = blocked(accepts, server);
	pid[1] = blocked(receives, fd[0][1]);
	pid[2] = blocked(sends, fd[1][0]);
	pid[3] = blocked(polls_in, fd[2][1]);
	pid[4] = blocked(gets_in, socket(AF_UNIX, SOCK_STREAM, 0));
	ckpt_msleep(100);
	ckpt_point();
	put(connected(SOCK_STREAM, "socket"), "hello");
	put(fd[0][0], "whole.");
	put(fd[2][0], "x");
	while (at < (ssize_t)sizeof(data)) {
		got = recv(fd[1][1], back + at, sizeof(data) - at, 0);
		NEED(got > 0);
		at += got;
	}
	CHECK(!memcmp(data, back, sizeof(data)));
	NEED(accept(full, NULL, NULL) >= 0);
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(waitpid(pid[i], &status, 0), pid[i]);
		CHECK_EQ(status, 0);
	}
}

CKPT_TEST_MAIN
