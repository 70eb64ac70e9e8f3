// SPDX-License-Identifier: GPL-2.0-only
/*
 * What goes with the messages of AF_UNIX sockets: descriptors under way, in circles
 * too, and credentials.
 */
#include "ckpt_test.h"
#include "ckpt_leak.h"

#include <grp.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#define FDS_MAX	32

static void pair(int type, int *fd)
{
	NEED(!socketpair(AF_UNIX, type, 0, fd));
}

/* A message of one byte with so many descriptors. */
static void give(int sock, char byte, const int *fd, int nr)
{
	char control[CMSG_SPACE(FDS_MAX * sizeof(int))] = "";
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = CMSG_SPACE(nr * sizeof(int)),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(nr * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fd, nr * sizeof(int));
	NEED(sendmsg(sock, &msg, 0) == 1);
}

/* Returns how many there are; the byte goes to @byte. */
static int take(int sock, char *byte, int *fd)
{
	char control[CMSG_SPACE(FDS_MAX * sizeof(int))] = "";
	struct iovec iov = { byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;

	if (recvmsg(sock, &msg, MSG_DONTWAIT) != 1)
		return -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg)
		return 0;
	if (!CHECK(cmsg->cmsg_type == SCM_RIGHTS))
		return -1;
	memcpy(fd, CMSG_DATA(cmsg), cmsg->cmsg_len - CMSG_LEN(0));
	return (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
}

static bool takes_one(int sock, char byte, int *fd)
{
	char got = 0;

	return CHECK_EQ(take(sock, &got, fd), 1) && CHECK_EQ(got, byte);
}

static bool works(int from, int to)
{
	char byte = 0;

	return write(from, "y", 1) == 1 && read(to, &byte, 1) == 1 &&
	       byte == 'y';
}

static bool same_description(int a, int b)
{
	int ret = syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, a, b);

	NEED(ret >= 0);
	return !ret;
}

/* Make the kernel look for what goes in circles. */
static void collect(void)
{
	int fd[2];

	pair(SOCK_STREAM, fd);
	give(fd[0], 'x', fd, 1);
	close(fd[0]);
	close(fd[1]);
	ckpt_msleep(50);
}

CKPT_FIXTURE(unix_rights);

CKPT_TEST(unix_rights, file)
{
	int fd[2], file = open("file", O_RDWR | O_CREAT, 0600), got = -1;
	char text[8] = "";

	pair(SOCK_STREAM, fd);
	NEED(write(file, "contents", 8) == 8 && lseek(file, 3, SEEK_SET) == 3);
	give(fd[0], 'a', &file, 1);
	close(file);
	ckpt_point();
	NEED(takes_one(fd[1], 'a', &got));
	CHECK_EQ(read(got, text, 7), 5);
	CHECK(!memcmp(text, "tents", 5));
	CHECK_EQ(fcntl(got, F_GETFL) & O_ACCMODE, O_RDWR);
}

/* Of all kinds, some in the table as well, others not; with and without bytes. */
CKPT_TEST(unix_rights, several)
{
	int fd[2], pipes[2], epoll = epoll_create1(0), other[2], got[FDS_MAX];
	char byte;

	pair(SOCK_DGRAM, fd);
	pair(SOCK_STREAM, other);
	NEED(!pipe(pipes));
	give(fd[0], '1', (int[]){ pipes[0], pipes[1], pipes[0] }, 3);
	NEED(write(fd[0], "2", 1) == 1);
	give(fd[0], '3', (int[]){ epoll, other[0] }, 2);
	close(pipes[1]);
	close(epoll);
	close(other[0]);
	ckpt_point();
	CHECK_EQ(take(fd[1], &byte, got), 3);
	CHECK_EQ(byte, '1');
	CHECK(same_description(got[0], pipes[0]));
	CHECK(same_description(got[0], got[2]));
	CHECK(works(got[1], pipes[0]));
	CHECK_EQ(take(fd[1], &byte, got), 0);
	CHECK_EQ(byte, '2');
	CHECK_EQ(take(fd[1], &byte, got), 2);
	CHECK_EQ(byte, '3');
	CHECK(!epoll_ctl(got[0], EPOLL_CTL_ADD, other[1],
			 &(struct epoll_event){ .events = EPOLLIN }));
	CHECK(works(got[1], other[1]));
	CHECK_EQ(epoll_wait(got[0], &(struct epoll_event){}, 1, 0), 0);
}

/* What is in a socket that is itself under way. */
CKPT_TEST(unix_rights, nested)
{
	int outer[2], inner[2], file = open("/dev/null", O_WRONLY), got = -1;
	int last = -1;
	char byte;

	pair(SOCK_STREAM, outer);
	pair(SOCK_STREAM, inner);
	give(inner[0], 'i', &file, 1);
	give(outer[0], 'o', &inner[1], 1);
	close(inner[1]);
	close(inner[0]);
	close(file);
	ckpt_point();
	NEED(takes_one(outer[1], 'o', &got));
	NEED(takes_one(got, 'i', &last));
	CHECK_EQ(write(last, "x", 1), 1);
	CHECK_EQ(recv(got, &byte, 1, 0), 0);
}

/* In its own queue; and two in that of each other. */
CKPT_TEST(unix_rights, circles)
{
	int own[2], a[2], b[2], got = -1;

	pair(SOCK_STREAM, own);
	pair(SOCK_STREAM, a);
	pair(SOCK_SEQPACKET, b);
	give(own[0], 's', &own[1], 1);
	give(a[0], 'a', &b[1], 1);
	give(b[0], 'b', &a[1], 1);
	close(b[1]);
	ckpt_point();
	collect();
	NEED(takes_one(own[1], 's', &got));
	CHECK(same_description(own[1], got));
	NEED(takes_one(a[1], 'a', &got));
	NEED(takes_one(got, 'b', &got));
	CHECK(same_description(a[1], got));
	CHECK(works(a[0], got) && works(own[0], own[1]));
}

/* When nobody has it any more, it goes. */
CKPT_TEST(unix_rights, circles_go)
{
	struct ckpt_leak leak;
	bool gone = false;
	int fd[2];

	ckpt_point();
	ckpt_leak_note(&leak);
	for (int i = 0; i < 300; i++) {
		pair(SOCK_STREAM, fd);
		give(fd[0], 's', fd, 2);
		close(fd[0]);
		close(fd[1]);
	}
	for (int i = 0; i < 100 && !gone; i++) {
		collect();
		gone = ckpt_leak_none(&leak);
	}
	CHECK(gone);
}

CKPT_TEST(unix_rights, not_accepted)
{
	struct sockaddr_un sun = { AF_UNIX, "socket" };
	int server = socket(AF_UNIX, SOCK_STREAM, 0), got = -1, again = -1, fd;
	int client = socket(AF_UNIX, SOCK_STREAM, 0);

	NEED(!bind(server, (struct sockaddr *)&sun, sizeof(sun)));
	NEED(!listen(server, 5));
	NEED(!connect(client, (struct sockaddr *)&sun, sizeof(sun)));
	/* Which goes round by way of the one who is to accept it. */
	give(client, 'l', &server, 1);
	give(client, 'c', &client, 1);
	ckpt_point();
	collect();
	fd = accept(server, NULL, NULL);
	NEED(takes_one(fd, 'l', &got) && takes_one(fd, 'c', &again));
	CHECK(same_description(got, server));
	CHECK(same_description(again, client));
	CHECK(works(client, fd));
}

/* Credentials. */

static void say(int sock, char byte, const struct ucred *cred)
{
	char control[CMSG_SPACE(sizeof(*cred))] = "";
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_CREDENTIALS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(*cred));
	memcpy(CMSG_DATA(cmsg), cred, sizeof(*cred));
	NEED(sendmsg(sock, &msg, 0) == 1);
}

static void check_says(int sock, char byte, pid_t pid, uid_t uid, gid_t gid)
{
	char control[CMSG_SPACE(sizeof(struct ucred))] = "", got = 0;
	struct iovec iov = { &got, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	struct ucred cred;

	CHECK_EQ(recvmsg(sock, &msg, MSG_DONTWAIT), 1);
	CHECK_EQ(got, byte);
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!CHECK(cmsg && cmsg->cmsg_type == SCM_CREDENTIALS))
		return;
	memcpy(&cred, CMSG_DATA(cmsg), sizeof(cred));
	CHECK_EQ(cred.pid, pid);
	CHECK_EQ(cred.uid, uid);
	CHECK_EQ(cred.gid, gid);
}

CKPT_TEST(unix_rights, credentials)
{
	struct ucred other = { getpid(), 12, 34 };
	int fd[2], on = 1;

	pair(SOCK_STREAM, fd);
	NEED(write(fd[0], "0", 1) == 1);
	NEED(!setsockopt(fd[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	say(fd[0], '1', &other);
	NEED(write(fd[0], "2", 1) == 1);
	ckpt_point();
	check_says(fd[1], '0', 0, 65534, 65534);
	check_says(fd[1], '1', getpid(), 12, 34);
	check_says(fd[1], '2', getpid(), 0, 0);
	NEED(write(fd[0], "3", 1) == 1);
	check_says(fd[1], '3', getpid(), 0, 0);
}

static struct ucred peer(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	NEED(!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len));
	return cred;
}

/* A child with other ids is at the other end, and by one of two has ended. */
CKPT_TEST(unix_rights, peer_credentials)
{
	struct sockaddr_un sun = { AF_UNIX, "\0ckpt_peers" };
	int server = socket(AF_UNIX, SOCK_STREAM, 0), fd, last;
	gid_t groups[3] = {};
	socklen_t len = sizeof(groups);
	struct ucred cred;
	char byte;
	pid_t pid;

	NEED(!bind(server, (struct sockaddr *)&sun, sizeof(sun)));
	NEED(!listen(server, 5));
	for (int i = 0; i < 2; i++) {
		pid = fork();
		if (!pid) {
			gid_t own[2] = { 7, 8 };

			fd = socket(AF_UNIX, SOCK_STREAM, 0);
			NEED(!setgroups(2, own) && !setgid(22) && !setuid(21));
			NEED(!connect(fd, (struct sockaddr *)&sun, sizeof(sun)));
			if (!i)
				_exit(0);
			for (;;)
				pause();
		}
		NEED(pid > 0);
		if (!i)
			NEED(waitpid(pid, NULL, 0) == pid);
	}
	last = accept(server, NULL, NULL);
	fd = accept(server, NULL, NULL);
	ckpt_point();
	cred = peer(fd);
	CHECK_EQ(cred.pid, pid);
	CHECK_EQ(cred.uid, 21);
	CHECK_EQ(cred.gid, 22);
	CHECK(!getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len));
	CHECK_EQ(len, 2 * sizeof(gid_t));
	CHECK(groups[0] == 7 && groups[1] == 8);
	CHECK_EQ(peer(last).uid, 21);
	NEED(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
	CHECK_EQ(recv(fd, &byte, 1, 0), 0);
}

CKPT_TEST_MAIN
