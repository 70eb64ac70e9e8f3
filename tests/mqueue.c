// SPDX-License-Identifier: GPL-2.0-only
/*
 * POSIX message queues: messages by priority, attributes, notification, and who
 * waits; and what a restart makes of a queue that is still there.
 */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <linux/mqueue.h>
#include <poll.h>
#include <signal.h>

#define SIZE	256

static char out[SIZE], in[SIZE];

static int queue_open(const char *name, int flags, long max, long size)
{
	struct mq_attr attr = { .mq_maxmsg = max, .mq_msgsize = size };

	return syscall(SYS_mq_open, name, flags, 0640, max ? &attr : NULL);
}

static int make_queue(const char *name, int flags)
{
	int fd = queue_open(name, O_CREAT | O_EXCL | O_RDWR | flags, 8, SIZE);

	NEED(fd >= 0);
	return fd;
}

static int queue_unlink(const char *name)
{
	return syscall(SYS_mq_unlink, name);
}

static const char *own_name(void)
{
	static char name[32];

	/* As it was when it began: who becomes it has another pid. */
	if (!name[0])
		snprintf(name, sizeof(name), "q-%d", getpid());
	return name;
}

static int sends(int fd, unsigned int prio, int len)
{
	memset(out, 'a' + prio % 26, len);
	return syscall(SYS_mq_timedsend, fd, out, len, prio, NULL);
}

static void received(int fd, unsigned int prio, int len)
{
	unsigned int is = -1;

	CHECK_EQ(syscall(SYS_mq_timedreceive, fd, in, SIZE, &is, NULL), len);
	CHECK_EQ(is, prio);
	for (int i = 0; i < len; i++)
		NEED(in[i] == (char)('a' + prio % 26));
}

static struct mq_attr attributes(int fd)
{
	struct mq_attr attr = {};

	CHECK(!syscall(SYS_mq_getsetattr, fd, NULL, &attr));
	return attr;
}

CKPT_FIXTURE(mqueue);

CKPT_TEST(mqueue, messages)
{
	int fd = make_queue(own_name(), 0);

	NEED(!sends(fd, 5, 10) && !sends(fd, 7, 20) && !sends(fd, 5, 30));
	NEED(!sends(fd, 32767, 0) && !sends(fd, 0, SIZE));
	ckpt_point();
	CHECK_EQ(attributes(fd).mq_curmsgs, 5);
	received(fd, 32767, 0);
	received(fd, 7, 20);
	received(fd, 5, 10);
	received(fd, 5, 30);
	received(fd, 0, SIZE);
	CHECK_EQ(attributes(fd).mq_curmsgs, 0);
	CHECK(!queue_unlink(own_name()));
}

CKPT_TEST(mqueue, attributes)
{
	int fd = make_queue(own_name(), O_NONBLOCK), again;
	int reader = queue_open(own_name(), O_RDONLY, 0, 0);
	int writer = queue_open(own_name(), O_WRONLY, 0, 0);
	struct stat before, after;
	struct mq_attr attr;

	NEED(reader >= 0 && writer >= 0);
	NEED(!fchown(fd, 1234, 567) && !fchmod(fd, 0604));
	NEED(!fstat(fd, &before));
	ckpt_point();
	attr = attributes(fd);
	CHECK_EQ(attr.mq_flags, O_NONBLOCK);
	CHECK_EQ(attr.mq_maxmsg, 8);
	CHECK_EQ(attr.mq_msgsize, SIZE);
	CHECK_EQ(attributes(reader).mq_flags, 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK(!fstat(fd, &after));
	CHECK_EQ(after.st_mode, before.st_mode);
	CHECK_EQ(after.st_uid, 1234);
	CHECK_EQ(after.st_gid, 567);
	CHECK_EQ(sends(reader, 1, 1), -1);
	CHECK_EQ(errno, EBADF);
	for (int i = 0; i < 8; i++)
		CHECK(!sends(writer, i, i));
	CHECK_EQ(sends(fd, 1, 1), -1);
	CHECK_EQ(errno, EAGAIN);
	received(reader, 7, 7);
	again = queue_open(own_name(), O_RDONLY, 0, 0);
	CHECK(again >= 0);
	received(again, 6, 6);
	CHECK(!queue_unlink(own_name()));
}

CKPT_TEST(mqueue, unlinked)
{
	int fd = make_queue(own_name(), 0), other;
	char path[32], name[64] = "", before[64] = "";

	NEED(!sends(fd, 3, 33) && !queue_unlink(own_name()));
	other = make_queue(own_name(), 0);
	NEED(!sends(other, 4, 44));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	NEED(readlink(path, before, sizeof(before) - 1) > 0);
	ckpt_point();
	CHECK(readlink(path, name, sizeof(name) - 1) > 0);
	CHECK_TEXT("name", name, before);
	received(fd, 3, 33);
	received(other, 4, 44);
	CHECK(!queue_unlink(own_name()));
	CHECK_EQ(queue_open(own_name(), O_RDONLY, 0, 0), -1);
}

static volatile int told;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	told = info->si_code == SI_MESGQ ? info->si_value.sival_int : -1;
}

CKPT_TEST(mqueue, notification)
{
	struct sigaction action = {
		.sa_sigaction = handler, .sa_flags = SA_SIGINFO,
	};
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1,
		.sigev_value.sival_int = 4711,
	};
	int fd = make_queue(own_name(), 0);

	NEED(!sigaction(SIGUSR1, &action, NULL));
	NEED(!syscall(SYS_mq_notify, fd, &event));
	ckpt_point();
	CHECK_EQ(syscall(SYS_mq_notify, fd, &event), -1);
	CHECK_EQ(errno, EBUSY);
	CHECK_EQ(told, 0);
	CHECK(!sends(fd, 1, 1));
	CHECK_EQ(told, 4711);
	CHECK(!syscall(SYS_mq_notify, fd, &event));
	CHECK(!syscall(SYS_mq_notify, fd, NULL));
	CHECK(!queue_unlink(own_name()));
}

/* A child is told, and in silence. */
CKPT_TEST(mqueue, notification_none)
{
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	int fd = make_queue(own_name(), 0), ready[2], go[2];
	pid_t pid;
	char c;

	NEED(!pipe(ready) && !pipe(go));
	pid = fork();
	if (!pid) {
		NEED(!syscall(SYS_mq_notify, fd, &event));
		NEED(write(ready[1], "r", 1) == 1 && read(go[0], &c, 1) == 1);
		_exit(0);
	}
	NEED(read(ready[0], &c, 1) == 1);
	ckpt_point();
	CHECK_EQ(syscall(SYS_mq_notify, fd, &event), -1);
	CHECK_EQ(errno, EBUSY);
	CHECK_EQ(write(go[1], "g", 1), 1);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	CHECK(!syscall(SYS_mq_notify, fd, &event));
	CHECK(!queue_unlink(own_name()));
}

static bool sleeps_in(pid_t pid, long nr)
{
	char path[32], text[64] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	NEED(fd >= 0 && read(fd, text, sizeof(text) - 1) >= 0);
	close(fd);
	return text[0] != 'r' && atol(text) == nr;
}

CKPT_TEST(mqueue, waiting)
{
	int empty = make_queue("empty", 0), full = make_queue("full", 0);
	struct timespec until = { .tv_sec = time(NULL) + 100 };
	unsigned int prio;
	pid_t a, b;
	int status;

	for (int i = 0; i < 8; i++)
		NEED(!sends(full, i, i));
	a = fork();
	if (!a)
		_exit(syscall(SYS_mq_timedreceive, empty, in, SIZE, &prio,
			      &until) == 9 && prio == 9 ? 0 : 1);
	b = fork();
	if (!b)
		_exit(!!sends(full, 20, 20));
	while (!sleeps_in(a, SYS_mq_timedreceive) ||
	       !sleeps_in(b, SYS_mq_timedsend))
		ckpt_msleep(1);
	ckpt_point();
	CHECK(!sends(empty, 9, 9));
	CHECK_EQ(waitpid(a, &status, 0), a);
	CHECK_EQ(status, 0);
	received(full, 7, 7);
	CHECK_EQ(waitpid(b, &status, 0), b);
	CHECK_EQ(status, 0);
	received(full, 20, 20);
	CHECK(!queue_unlink("empty") && !queue_unlink("full"));
}

CKPT_TEST(mqueue, polled)
{
	struct pollfd poll_fd = {
		.fd = make_queue(own_name(), 0), .events = POLLIN | POLLOUT,
	};

	ckpt_point();
	CHECK_EQ(poll(&poll_fd, 1, 0), 1);
	CHECK_EQ(poll_fd.revents, POLLOUT);
	CHECK(!sends(poll_fd.fd, 1, 1));
	CHECK_EQ(poll(&poll_fd, 1, 0), 1);
	CHECK_EQ(poll_fd.revents, POLLIN | POLLOUT);
	CHECK(!queue_unlink(own_name()));
}

/* Around the restart. */

CKPT_FIXTURE_ONLY(around);
CKPT_VARIANT(around, killed, CKPT_KILLED);

CKPT_TARGET(named)
{
	int fd = make_queue("named", 0);

	NEED(!sends(fd, 1, 10) && !sends(fd, 2, 20));
	ckpt_ready();
	ckpt_wait();
	received(fd, 2, 20);
	received(fd, 1, 10);
	CHECK_EQ(attributes(fd).mq_curmsgs, 0);
	CHECK(!queue_unlink("named"));
}

static void killed(struct __test_metadata *_metadata,
		   struct ckpt_target *target, const char *name)
{
	ASSERT_EQ(0, ckpt_start(target, name, CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
}

#define EXPECT_REFUSED(error, text)					\
	do {								\
		EXPECT_EQ(-(error), ckpt_restart(&self->target, 0));	\
		EXPECT_NE(NULL, strstr(self->target.log, text)) {	\
			TH_LOG("\"%s\"", self->target.log);		\
		}							\
	} while (0)

/* What was sent meanwhile is gone. */
TEST_F(around, taken_over)
{
	int fd;

	killed(_metadata, &self->target, "named");
	fd = queue_open("named", O_RDWR, 0, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, sends(fd, 9, 9));
	EXPECT_REFUSED(EBUSY, "message queue /named: there is one, and it is in use");
	close(fd);
	EXPECT_LT(0, ckpt_restart(&self->target, 0));
	EXPECT_EQ(0, ckpt_go(&self->target));
	EXPECT_EQ(0, ckpt_end(&self->target));
	EXPECT_EQ(-1, queue_open("named", O_RDWR, 0, 0));
}

/* A restart that fails changes nothing, and leaves none that was not there. */
TEST_F(around, fails)
{
	const char *image;
	struct stat stat;
	int fd;

	killed(_metadata, &self->target, "named");
	image = ckpt_path(&self->target, "image");
	ASSERT_EQ(0, lstat(image, &stat));
	ASSERT_EQ(0, truncate(image, stat.st_size - 100));
	fd = queue_open("named", O_RDWR, 0, 0);
	received(fd, 2, 20);
	close(fd);
	EXPECT_REFUSED(EBADMSG, "");
	fd = queue_open("named", O_RDWR, 0, 0);
	EXPECT_EQ(1, attributes(fd).mq_curmsgs);
	close(fd);
	EXPECT_EQ(0, queue_unlink("named"));
	EXPECT_REFUSED(EBADMSG, "");
	EXPECT_EQ(-1, queue_open("named", O_RDWR, 0, 0));
	EXPECT_EQ(ENOENT, errno);
}

TEST_F(around, another)
{
	killed(_metadata, &self->target, "named");
	EXPECT_EQ(0, queue_unlink("named"));
	close(queue_open("named", O_RDWR | O_CREAT, 5, SIZE));
	EXPECT_REFUSED(EEXIST, "message queue /named: there is another one");
	EXPECT_EQ(0, queue_unlink("named"));
	EXPECT_LT(0, ckpt_restart(&self->target, 0));
	EXPECT_EQ(0, ckpt_go(&self->target));
	EXPECT_EQ(0, ckpt_end(&self->target));
}

TEST(outside)
{
	struct ckpt_target target = { .mode = CKPT_LIVE };
	int fd;

	ASSERT_EQ(0, ckpt_start(&target, "named", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	fd = queue_open("named", O_RDONLY, 0, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint(&target, 0));
	EXPECT_NE(NULL, strstr(target.log, "message queue /named is shared with a process outside")) {
		TH_LOG("\"%s\"", target.log);
	}
	close(fd);
	EXPECT_LT(0, ckpt_checkpoint(&target, 0));
	EXPECT_EQ(0, ckpt_go(&target));
	EXPECT_EQ(0, ckpt_end(&target));
	ckpt_clean(&target);
}

CKPT_TEST_MAIN
