// SPDX-License-Identifier: GPL-2.0-only
/* Descriptors of processes, and of namespaces. */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#ifndef PIDFD_NONBLOCK
#define PIDFD_NONBLOCK	O_NONBLOCK
#endif
#ifndef PIDFD_THREAD
#define PIDFD_THREAD	O_EXCL
#endif

static int pidfd_open(pid_t pid, unsigned int flags)
{
	return syscall(SYS_pidfd_open, pid, flags);
}

static int tell(int fd, int sig)
{
	return syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
}

static short events(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	NEED(poll(&poll_fd, 1, 0) >= 0);
	return poll_fd.revents;
}

/* What /proc says which process it is of. */
static pid_t process_of(int fd)
{
	char path[64], text[512], *line;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	ckpt_read(path, text, sizeof(text));
	line = strstr(text, "Pid:");
	return line ? atoi(line + 4) : 0;
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

	NEED(pid >= 0);
	if (!pid)
		for (;;)
			pause();
	return pid;
}

/* It is there, and ends when it is told to. */
static void ends(int fd, pid_t pid)
{
	siginfo_t info = {};

	CHECK_EQ(process_of(fd), pid);
	CHECK_EQ(events(fd), 0);
	CHECK_EQ(tell(fd, SIGKILL), 0);
	CHECK_EQ(waitid(P_PIDFD, fd, &info, WEXITED), 0);
	CHECK_EQ(info.si_pid, pid);
	CHECK_EQ(info.si_status, SIGKILL);
	CHECK_EQ(events(fd), POLLIN | POLLHUP);
}

CKPT_FIXTURE(pidfd);

CKPT_TEST(pidfd, myself)
{
	int fd = pidfd_open(getpid(), 0);

	NEED(fd >= 0);
	ckpt_point();
	CHECK_EQ(fcntl(fd, F_GETFL), O_RDWR);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(process_of(fd), getpid());
	CHECK_EQ(events(fd), 0);
	CHECK_EQ(tell(fd, 0), 0);
}

CKPT_TEST(pidfd, child)
{
	pid_t pid = sleeper();
	int fd = pidfd_open(pid, 0), dup_fd = dup(fd);

	NEED(fd >= 0 && dup_fd >= 0);
	ckpt_point();
	CHECK_EQ(process_of(dup_fd), pid);
	ends(fd, pid);
}

/* A child that has one of its parent, and one of its sibling, made later. */
CKPT_TEST(pidfd, family)
{
	pid_t parent = getpid(), pid[2];
	int fds[2], status, fd;

	NEED(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds));
	pid[0] = fork();
	if (!pid[0]) {
		int of_parent = pidfd_open(parent, 0), of_sibling;

		NEED(read(fds[0], pid + 1, sizeof(pid_t)) == sizeof(pid_t));
		of_sibling = pidfd_open(pid[1], 0);
		NEED(of_parent >= 0 && of_sibling >= 0);
		NEED(write(fds[0], "x", 1) == 1);
		NEED(read(fds[0], &status, sizeof(status)) > 0);
		if (process_of(of_parent) != getppid() ||
		    process_of(of_sibling) != pid[1] || tell(of_sibling, SIGKILL))
			_exit(1);
		_exit(42);
	}
	pid[1] = sleeper();
	NEED(write(fds[1], pid + 1, sizeof(pid_t)) == sizeof(pid_t));
	NEED(read(fds[1], &status, 1) == 1);
	fd = pidfd_open(pid[0], 0);
	ckpt_point();
	CHECK_EQ(write(fds[1], "go", 2), 2);
	CHECK(waitpid(pid[0], &status, 0) == pid[0]);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	CHECK_EQ(events(fd), POLLIN | POLLHUP);
	CHECK(waitpid(pid[1], &status, 0) == pid[1]);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Of descendants further down, before they have been made again. */
CKPT_TEST(pidfd, grandchild)
{
	int fds[2], fd, status;
	pid_t pid[2];

	NEED(!pipe(fds));
	pid[0] = fork();
	if (!pid[0]) {
		pid[1] = sleeper();
		NEED(write(fds[1], pid + 1, sizeof(pid_t)) == sizeof(pid_t));
		waitpid(pid[1], &status, 0);
		_exit(WTERMSIG(status));
	}
	NEED(read(fds[0], pid + 1, sizeof(pid_t)) == sizeof(pid_t));
	fd = pidfd_open(pid[1], 0);
	ckpt_point();
	CHECK_EQ(process_of(fd), pid[1]);
	CHECK_EQ(tell(fd, SIGTERM), 0);
	CHECK(waitpid(pid[0], &status, 0) == pid[0]);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == SIGTERM);
}

CKPT_TEST(pidfd, zombie)
{
	pid_t pid = fork();
	siginfo_t info;
	int fd;

	if (!pid)
		_exit(7);
	fd = pidfd_open(pid, PIDFD_NONBLOCK);
	NEED(fd >= 0 && !waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	ckpt_point();
	CHECK_EQ(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
	CHECK_EQ(events(fd), POLLIN);
	CHECK_EQ(process_of(fd), pid);
	CHECK_EQ(waitid(P_PIDFD, fd, &info, WEXITED), 0);
	CHECK_EQ(info.si_status, 7);
	CHECK_EQ(events(fd), POLLIN | POLLHUP);
}

/* It has been waited for. */
CKPT_TEST(pidfd, ended)
{
	pid_t pid = fork();
	int fd;

	if (!pid)
		_exit(7);
	fd = pidfd_open(pid, 0);
	NEED(fd >= 0 && waitpid(pid, NULL, 0) == pid);
	ckpt_point();
	CHECK_EQ(events(fd), POLLIN | POLLHUP);
	CHECK_EQ(process_of(fd), -1);
	CHECK_EQ(tell(fd, 0), -1);
	CHECK_EQ(errno, ESRCH);
}

static ino_t inode_of(int fd)
{
	struct stat stat;

	NEED(!fstat(fd, &stat));
	return stat.st_ino;
}

static pid_t ended_process(int fd[2])
{
	pid_t pid = fork();

	if (!pid)
		_exit(7);
	fd[0] = pidfd_open(pid, 0);
	fd[1] = pidfd_open(pid, PIDFD_NONBLOCK);
	NEED(fd[0] >= 0 && fd[1] >= 0 && waitpid(pid, NULL, 0) == pid);
	return pid;
}

/* By the number of the inode one knows whether two are of the same process. */
CKPT_TEST(pidfd, ended_twice)
{
	int a[2], b[2], from, status;
	pid_t pid;

	ended_process(a);
	ended_process(b);
	pid = fork();
	NEED(pid >= 0);
	if (!pid)
		for (;;)
			pause();
	from = pidfd_open(pid, 0);
	ckpt_point();
	CHECK_EQ(inode_of(a[0]), inode_of(a[1]));
	CHECK_EQ(inode_of(b[0]), inode_of(b[1]));
	CHECK(inode_of(a[0]) != inode_of(b[0]));
	CHECK(inode_of(a[0]) != inode_of(from));
	CHECK_EQ(process_of(a[0]), -1);
	CHECK_EQ(process_of(b[1]), -1);
	CHECK_EQ(fcntl(a[1], F_GETFL), O_RDWR | O_NONBLOCK);
	CHECK_EQ(events(a[1]), POLLIN | POLLHUP);
	CHECK_EQ(tell(from, SIGKILL), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
}

CKPT_TEST(pidfd, non_blocking)
{
	pid_t pid = sleeper();
	int fd = pidfd_open(pid, PIDFD_NONBLOCK);
	siginfo_t info;

	NEED(fd >= 0);
	ckpt_point();
	CHECK_EQ(waitid(P_PIDFD, fd, &info, WEXITED), -1);
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(tell(fd, SIGKILL), 0);
	while (!events(fd))
		ckpt_msleep(1);
	CHECK_EQ(waitid(P_PIDFD, fd, &info, WEXITED), 0);
}

static volatile pid_t thread_id;
static volatile bool thread_ends;

static void *thread_main(void *arg)
{
	thread_id = gettid();
	while (!thread_ends)
		ckpt_msleep(1);
	return arg;
}

CKPT_TEST(pidfd, thread)
{
	pthread_t thread;
	int fd;

	NEED(!pthread_create(&thread, NULL, thread_main, NULL));
	while (!thread_id)
		ckpt_msleep(1);
	fd = pidfd_open(thread_id, PIDFD_THREAD);
	if (fd < 0)
		ckpt_skip("no PIDFD_THREAD");
	ckpt_point();
	CHECK_EQ(process_of(fd), thread_id);
	CHECK_EQ(fcntl(fd, F_GETFL) & PIDFD_THREAD, PIDFD_THREAD);
	CHECK_EQ(events(fd), 0);
	CHECK_EQ(tell(fd, 0), 0);
	CHECK_EQ(pidfd_open(thread_id, 0), -1);
	thread_ends = true;
	pthread_join(thread, NULL);
	while (!(events(fd) & POLLHUP))
		ckpt_msleep(1);
	CHECK_EQ(events(fd), POLLIN | POLLHUP);
}

CKPT_TEST(pidfd, polled)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(0), fd;
	pid_t pid = sleeper();

	fd = pidfd_open(pid, 0);
	NEED(!epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	ckpt_point();
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 0);
	CHECK(!kill(pid, SIGKILL));
	CHECK_EQ(epoll_wait(epoll, &event, 1, 5000), 1);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

/* On its way through a socket. */
CKPT_TEST(pidfd, in_flight)
{
	union {
		struct cmsghdr hdr;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { "x", 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	pid_t pid = sleeper();
	int fds[2], fd;
	char byte;

	NEED(!socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
	fd = pidfd_open(pid, 0);
	control.hdr = (struct cmsghdr){
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
		.cmsg_len = CMSG_LEN(sizeof(int)),
	};
	memcpy(CMSG_DATA(&control.hdr), &fd, sizeof(fd));
	NEED(sendmsg(fds[0], &msg, 0) == 1);
	close(fd);
	ckpt_point();
	iov.iov_base = &byte;
	CHECK_EQ(recvmsg(fds[1], &msg, 0), 1);
	memcpy(&fd, CMSG_DATA(&control.hdr), sizeof(fd));
	ends(fd, pid);
}

/* With other ids than before. */

CKPT_TARGET(renumbered)
{
	pid_t pid = sleeper();
	siginfo_t info = {};
	int fd = pidfd_open(pid, 0), own = pidfd_open(getpid(), 0);

	ckpt_point();
	CHECK_EQ(process_of(own), getpid());
	pid = process_of(fd);
	CHECK_EQ(tell(fd, SIGKILL), 0);
	CHECK_EQ(waitid(P_PIDFD, fd, &info, WEXITED), 0);
	CHECK_EQ(info.si_pid, pid);
}

TEST(new_pids)
{
	struct ckpt_target target;
	pid_t copy;

	ASSERT_EQ(0, ckpt_start(&target, "renumbered", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	ASSERT_LT(0, ckpt_checkpoint(&target, 0));
	copy = ckpt_restart_as(&target, 0, RESTART_NEW_PIDS);
	ASSERT_LT(0, copy);
	ASSERT_EQ(0, ckpt_go(&target));
	EXPECT_EQ(0, ckpt_end(&target));
	target.pid = copy;
	EXPECT_EQ(0, ckpt_end(&target));
	ckpt_clean(&target);
}

/* A restart that fails where some wait for others to be there. */
TEST(pid_taken)
{
	struct ckpt_target target;

	ASSERT_EQ(0, ckpt_start(&target, "renumbered", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	ASSERT_LT(0, ckpt_checkpoint(&target, 0));
	EXPECT_EQ(-EEXIST, ckpt_restart_as(&target, 0, 0));
	ASSERT_EQ(0, ckpt_go(&target));
	EXPECT_EQ(0, ckpt_end(&target));
	ckpt_clean(&target);
}

static pid_t child_of(pid_t pid)
{
	char path[64], text[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	ckpt_read(path, text, sizeof(text));
	return atoi(text);
}

/* The root is there again, and its child can't be. */
TEST(childs_pid_taken)
{
	struct ckpt_target target;
	pid_t child, other, taken;

	ASSERT_EQ(0, ckpt_start(&target, "renumbered", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	child = child_of(target.pid);
	ASSERT_LT(0, child);
	ASSERT_LT(0, ckpt_checkpoint(&target, CHECKPOINT_KILL));
	ckpt_kill(&target);
	other = 0;
	for (int i = 0; i < 1000 && !other; i++) {
		struct clone_args args = {
			.exit_signal = SIGCHLD,
			.set_tid = (uintptr_t)&taken, .set_tid_size = 1,
		};

		taken = child;
		other = syscall(SYS_clone3, &args, sizeof(args));
		if (!other)
			for (;;)
				pause();
		if (other < 0) {
			other = 0;
			ckpt_msleep(1);
		}
	}
	ASSERT_EQ(child, other);
	EXPECT_EQ(-EEXIST, ckpt_restart(&target, 0));
	EXPECT_EQ(-1, waitpid(-1, NULL, WNOHANG) - 1);
	target.pid = fork();
	if (!target.pid) {
		ckpt_restart_as(&target, getpid(), 0);
		_exit(target.ret == -EEXIST ? 0 : 1);
	}
	EXPECT_EQ(0, ckpt_end(&target));
	kill(other, SIGKILL);
	EXPECT_EQ(other, waitpid(other, NULL, 0));
	ckpt_clean(&target);
}

/* Namespaces. */

static const char *const names[] = {
	"mnt", "net", "uts", "ipc", "pid", "pid_for_children", "user", "cgroup",
};

#define NR_NAMES (sizeof(names) / sizeof(names[0]))

CKPT_TEST(pidfd, namespaces)
{
	struct stat before[NR_NAMES], after;
	int fd[NR_NAMES];
	char path[64];

	for (size_t i = 0; i < NR_NAMES; i++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		fd[i] = open(path, O_RDONLY);
		if (fd[i] < 0 && errno == ENOENT)
			fd[i] = -2;
		NEED(fd[i] != -1);
		if (fd[i] >= 0)
			NEED(!fstat(fd[i], before + i));
	}
	ckpt_point();
	for (size_t i = 0; i < NR_NAMES; i++) {
		if (fd[i] < 0)
			continue;
		CHECK(!fstat(fd[i], &after));
		CHECK_EQ(after.st_ino, before[i].st_ino);
		CHECK_EQ(fcntl(fd[i], F_GETFL) & O_ACCMODE, O_RDONLY);
	}
	CHECK_EQ(setns(fd[2], CLONE_NEWUTS), 0);
	CHECK_EQ(setns(fd[2], CLONE_NEWIPC), -1);
}

/* One that nobody of the tree is in. */
CKPT_TARGET(other_namespace)
{
	int own = open("/proc/self/ns/uts", O_RDONLY), other;

	NEED(own >= 0 && !unshare(CLONE_NEWUTS));
	other = open("/proc/self/ns/uts", O_RDONLY);
	NEED(other >= 0 && !setns(own, CLONE_NEWUTS));
	ckpt_point();
	CHECK_EQ(setns(other, CLONE_NEWUTS), 0);
}

CKPT_REFUSED(namespace_refused, "other_namespace", EOPNOTSUPP,
	     "a namespace that is not the caller's")

/* What the restarter has supplied is any process. */
CKPT_TARGET(external)
{
	int fd = pidfd_open(getppid(), 0);

	ckpt_point();
	CHECK_EQ(process_of(fd), getppid());
}

TEST(supplied)
{
	struct checkpoint_external ext = {
		.name = (uintptr_t)"anon_inode:[pidfd]", .fd = -1,
	};
	struct ckpt_target target;
	int fd, log;

	ASSERT_EQ(0, ckpt_start(&target, "external", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	fd = open(ckpt_path(&target, "image"), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	log = open(ckpt_path(&target, "log"), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	ASSERT_LT(0, syscall(__NR_checkpoint, target.pid, fd,
			     CHECKPOINT_KILL | CHECKPOINT_LOGFD |
			     CHECKPOINT_EXTERNAL, log, &ext, 1));
	ckpt_kill(&target);
	ext.fd = pidfd_open(getpid(), 0);
	ASSERT_LE(0, ext.fd);
	lseek(fd, 0, SEEK_SET);
	target.pid = syscall(__NR_restart, 0, fd,
			     RESTART_LOGFD | RESTART_EXTERNAL, log, &ext, 1);
	ASSERT_LT(0, target.pid);
	ASSERT_EQ(0, ckpt_go(&target));
	EXPECT_EQ(0, ckpt_end(&target));
	ckpt_clean(&target);
}

CKPT_TEST_MAIN
