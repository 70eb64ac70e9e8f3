// SPDX-License-Identifier: GPL-2.0-only
/*
 * AF_UNIX sockets that have to do with processes outside the tree, or with names
 * that others have by now.
 */
#include "ckpt_test.h"

#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

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
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	struct sockaddr_un sun;
	socklen_t len = address(&sun, name);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sun, len))
		return -1;
	if (type != SOCK_DGRAM && listen(fd, 5))
		return -1;
	return fd;
}

static int connected(int type, const char *name)
{
	int fd = socket(AF_UNIX, type, 0);
	struct sockaddr_un sun;
	socklen_t len = address(&sun, name);

	if (fd < 0 || connect(fd, (struct sockaddr *)&sun, len))
		return -1;
	return fd;
}

static bool has_log(const struct ckpt_target *target, const char *text)
{
	if (strstr(target->log, text))
		return true;
	printf("# the log says: %s", target->log);
	fflush(stdout);
	return false;
}

FIXTURE(unix_outside) {
	struct ckpt_target target;
};

FIXTURE_SETUP(unix_outside)
{
	memset(self, 0, sizeof(*self));
}

FIXTURE_TEARDOWN(unix_outside)
{
	ckpt_clean(&self->target);
}

/* Refused, and nothing has happened to the target. */
static void refused(struct __test_metadata *_metadata,
		    struct ckpt_target *target, const char *text)
{
	EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint(target, 0));
	EXPECT_TRUE(has_log(target, text));
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

static void start(struct __test_metadata *_metadata,
		  struct ckpt_target *target, const char *name)
{
	ASSERT_EQ(0, ckpt_start(target, name, CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
}

static void restart(struct __test_metadata *_metadata,
		    struct ckpt_target *target)
{
	ASSERT_LT(0, ckpt_restart(target, 0));
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

static void checkpoint_and_kill(struct __test_metadata *_metadata,
				struct ckpt_target *target)
{
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
}

CKPT_TARGET(stream_to_outside)
{
	int fd = connected(SOCK_STREAM, "@ckpt_outside");

	NEED(fd >= 0);
	ckpt_ready();
	ckpt_wait();
	CHECK_EQ(send(fd, "text", 4, 0), 4);
}

TEST_F(unix_outside, stream)
{
	char text[16] = "";
	int server, fd;

	server = bound(SOCK_STREAM, "@ckpt_outside");
	ASSERT_LE(0, server);
	start(_metadata, &self->target, "stream_to_outside");
	fd = accept(server, NULL, NULL);
	refused(_metadata, &self->target,
		" fd 3: unix socket bound to @ckpt_outside is connected to, and only a process outside the tree has it open");
	EXPECT_EQ(4, recv(fd, text, sizeof(text), 0));
	close(fd);
	close(server);
}

/* Not accepted yet, and with it nobody's. */
TEST_F(unix_outside, stream_waits)
{
	int server = bound(SOCK_STREAM, "@ckpt_outside");

	ASSERT_LE(0, server);
	start(_metadata, &self->target, "stream_to_outside");
	refused(_metadata, &self->target,
		"only a process outside the tree has it open");
	close(server);
}

CKPT_TARGET(serves_outside)
{
	int server = bound(SOCK_STREAM, "@ckpt_serves"), fd;

	NEED(server >= 0);
	ckpt_ready();
	ckpt_wait();
	fd = accept(server, NULL, NULL);
	CHECK_EQ(send(fd, "text", 4, 0), 4);
}

/* Who waits for the target to accept him is outside. */
TEST_F(unix_outside, client)
{
	char text[16] = "";
	int fd;

	start(_metadata, &self->target, "serves_outside");
	fd = connected(SOCK_STREAM, "@ckpt_serves");
	ASSERT_LE(0, fd);
	refused(_metadata, &self->target,
		"unix socket is connected to, and only a process outside the tree has it open");
	EXPECT_EQ(4, recv(fd, text, sizeof(text), 0));
	close(fd);
}

/* Send a descriptor to the test. */
static void hand_over(int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct sockaddr_un sun;
	struct msghdr msg = {
		.msg_name = &sun, .msg_namelen = address(&sun, "@ckpt_taker"),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int sock = socket(AF_UNIX, SOCK_DGRAM, 0);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	NEED(sendmsg(sock, &msg, 0) == 1);
	close(sock);
}

/* The other end is the test's, or both of them have this one. */
static void with_pair(int type, bool shared)
{
	int fd[2];

	NEED(!socketpair(AF_UNIX, type, 0, fd));
	hand_over(fd[!shared]);
	if (!shared)
		close(fd[1]);
	ckpt_ready();
	ckpt_wait();
	CHECK_EQ(send(fd[0], "text", 4, 0), 4);
}

CKPT_TARGET(has_shared_end)
{
	with_pair(SOCK_STREAM, true);
}

CKPT_TARGET(has_dgram_end)
{
	with_pair(SOCK_DGRAM, false);
}

CKPT_TARGET(has_stream_end)
{
	with_pair(SOCK_STREAM, false);
}

/* The test need not take it to have it. */
static void refused_with(struct __test_metadata *_metadata,
			 struct ckpt_target *target, const char *name,
			 const char *text)
{
	int taker = bound(SOCK_DGRAM, "@ckpt_taker");

	ASSERT_LE(0, taker);
	start(_metadata, target, name);
	refused(_metadata, target, text);
	close(taker);
}

TEST_F(unix_outside, shared)
{
	refused_with(_metadata, &self->target, "has_shared_end",
		     "unix socket is shared with a process outside the tree");
}

TEST_F(unix_outside, dgram_pair)
{
	refused_with(_metadata, &self->target, "has_dgram_end",
		     "only a process outside the tree has it open");
}

TEST_F(unix_outside, stream_pair)
{
	refused_with(_metadata, &self->target, "has_stream_end",
		     "only a process outside the tree has it open");
}

CKPT_TARGET(logs)
{
	int fd = connected(SOCK_DGRAM, "@ckpt_log");
	int own = bound(SOCK_DGRAM, "@ckpt_logs_own");
	struct sockaddr_un sun;
	socklen_t len = sizeof(sun);
	char text[16] = "";

	NEED(fd >= 0 && own >= 0);
	CHECK_EQ(send(fd, "before", 6, 0), 6);
	ckpt_ready();
	ckpt_wait();
	CHECK_EQ(send(fd, "after", 5, 0), 5);
	CHECK_EQ(recvfrom(own, text, sizeof(text), MSG_DONTWAIT,
			  (struct sockaddr *)&sun, &len), 7);
	CHECK(!strcmp(sun.sun_path + 1, "ckpt_log"));
}

/* As with /dev/log: connected by name, and so again. */
TEST_F(unix_outside, datagrams)
{
	struct ckpt_target *target = &self->target;
	int server = bound(SOCK_DGRAM, "@ckpt_log");
	char text[16] = "";
	struct sockaddr_un sun;
	socklen_t len;

	ASSERT_LE(0, server);
	start(_metadata, target, "logs");
	EXPECT_EQ(6, recv(server, text, sizeof(text), 0));
	len = address(&sun, "@ckpt_logs_own");
	EXPECT_EQ(7, sendto(server, "message", 7, 0, (struct sockaddr *)&sun,
			    len));
	checkpoint_and_kill(_metadata, target);
	restart(_metadata, target);
	EXPECT_EQ(5, recv(server, text, sizeof(text), 0));
	/* And not, if there is none. */
	close(server);
	EXPECT_EQ(-ECONNREFUSED, ckpt_restart(target, 0));
	EXPECT_TRUE(has_log(target, "of a process outside the tree"));
}

CKPT_TARGET(two_names)
{
	int file = bound(SOCK_STREAM, "socket");
	int name = bound(SOCK_STREAM, "@ckpt_two_names");

	NEED(file >= 0 && name >= 0);
	NEED(!chown("socket", 12, 34) && !chmod("socket", 0600));
	ckpt_ready();
	ckpt_wait();
	CHECK(connected(SOCK_STREAM, "socket") >= 0);
	CHECK(accept(file, NULL, NULL) >= 0);
}

TEST_F(unix_outside, path_removed)
{
	struct ckpt_target *target = &self->target;
	struct stat stat_buf;
	char path[128];

	start(_metadata, target, "two_names");
	checkpoint_and_kill(_metadata, target);
	snprintf(path, sizeof(path), "%s", ckpt_path(target, "socket"));
	ASSERT_EQ(0, unlink(path));
	ASSERT_LT(0, ckpt_restart(target, 0));
	EXPECT_EQ(0, stat(path, &stat_buf));
	EXPECT_EQ(S_IFSOCK | 0600, stat_buf.st_mode);
	EXPECT_EQ(12, stat_buf.st_uid);
	EXPECT_EQ(34, stat_buf.st_gid);
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* What was made of it is not left. */
TEST_F(unix_outside, name_in_use)
{
	struct ckpt_target *target = &self->target;
	char path[128];
	int fd;

	start(_metadata, target, "two_names");
	checkpoint_and_kill(_metadata, target);
	snprintf(path, sizeof(path), "%s", ckpt_path(target, "socket"));
	ASSERT_EQ(0, unlink(path));
	fd = bound(SOCK_STREAM, "@ckpt_two_names");
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EADDRINUSE, ckpt_restart(target, 0));
	EXPECT_TRUE(has_log(target, "@ckpt_two_names"));
	EXPECT_EQ(-1, access(path, F_OK));
	close(fd);
	restart(_metadata, target);
}

TEST_F(unix_outside, path_in_use)
{
	struct ckpt_target *target = &self->target;
	char path[128];
	int fd;

	start(_metadata, target, "two_names");
	checkpoint_and_kill(_metadata, target);
	snprintf(path, sizeof(path), "%s", ckpt_path(target, "socket"));
	ASSERT_EQ(0, unlink(path));
	fd = bound(SOCK_STREAM, path);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EADDRINUSE, ckpt_restart(target, 0));
	EXPECT_TRUE(has_log(target, path));
	EXPECT_EQ(0, access(path, F_OK));
	/* Once that is dead its file will do. */
	close(fd);
	restart(_metadata, target);
}

TEST_F(unix_outside, path_of_a_file)
{
	struct ckpt_target *target = &self->target;
	char path[128];
	int fd;

	start(_metadata, target, "two_names");
	checkpoint_and_kill(_metadata, target);
	snprintf(path, sizeof(path), "%s", ckpt_path(target, "socket"));
	ASSERT_EQ(0, unlink(path));
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	ASSERT_LE(0, fd);
	close(fd);
	EXPECT_EQ(-EADDRINUSE, ckpt_restart(target, 0));
}

CKPT_TEST_MAIN
