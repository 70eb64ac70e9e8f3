// SPDX-License-Identifier: GPL-2.0-only
/* Signals that tell of files: F_SETOWN, F_SETSIG, O_ASYNC, and leases. */
#define _GNU_SOURCE
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

static sig_atomic_t got_signal, got_fd, got_pid;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)context;
	got_signal = sig;
	got_fd = info->si_fd;
	got_pid = getpid();
}

static void handle(int sig)
{
	struct sigaction action = { .sa_sigaction = handler,
				    .sa_flags = SA_SIGINFO };

	NEED(!sigaction(sig, &action, NULL));
}

static void wait_signal(void)
{
	for (int i = 0; i < 1000 && !got_signal; i++)
		ckpt_msleep(1);
}

static struct f_owner_ex owner_of(int fd)
{
	struct f_owner_ex owner = { .pid = -1 };

	NEED(!fcntl(fd, F_GETOWN_EX, &owner));
	return owner;
}

static bool is_owned(int fd, int type, pid_t pid)
{
	struct f_owner_ex owner = owner_of(fd);

	return CHECK_EQ(owner.type, type) && CHECK_EQ(owner.pid, pid);
}

static int make(void)
{
	int fd = open("file", O_CREAT | O_RDWR, 0600);

	NEED(fd >= 0);
	return fd;
}

static void set_owner(int fd, int type, pid_t pid)
{
	struct f_owner_ex owner = { type, pid };

	NEED(!fcntl(fd, F_SETOWN_EX, &owner));
}

CKPT_FIXTURE(owners);

CKPT_TEST(owners, pipe)
{
	int fd[2];

	handle(SIGRTMIN);
	NEED(!pipe(fd) && !fcntl(fd[0], F_SETOWN, getpid()));
	NEED(!fcntl(fd[0], F_SETSIG, SIGRTMIN));
	NEED(!fcntl(fd[0], F_SETFL, O_ASYNC | O_NONBLOCK));
	ckpt_point();
	CHECK_EQ(fcntl(fd[0], F_GETFL), O_RDONLY | O_ASYNC | O_NONBLOCK);
	CHECK_EQ(fcntl(fd[0], F_GETOWN), getpid());
	CHECK_EQ(fcntl(fd[0], F_GETSIG), SIGRTMIN);
	CHECK(!got_signal);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	wait_signal();
	CHECK_EQ(got_signal, SIGRTMIN);
	CHECK_EQ(got_fd, fd[0]);
	got_signal = 0;
	CHECK(!fcntl(fd[0], F_SETFL, 0));
	CHECK_EQ(write(fd[1], "x", 1), 1);
	ckpt_msleep(10);
	CHECK(!got_signal);
}

/* Nothing happens to it that it would have to tell. */
CKPT_TEST(owners, file)
{
	int fd = make(), none = dup(fd), sig = open("file", O_RDONLY);

	NEED(none >= 0 && sig >= 0);
	set_owner(fd, F_OWNER_TID, getpid());
	NEED(!fcntl(sig, F_SETSIG, SIGUSR2));
	ckpt_point();
	is_owned(fd, F_OWNER_TID, getpid());
	is_owned(none, F_OWNER_TID, getpid());
	CHECK_EQ(fcntl(fd, F_GETSIG), 0);
	CHECK_EQ(fcntl(sig, F_GETSIG), SIGUSR2);
	CHECK_EQ(fcntl(sig, F_GETOWN), 0);
}

CKPT_TEST(owners, group)
{
	int fd[2], status;
	pid_t pid;

	NEED(!pipe(fd));
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		handle(SIGIO);
		NEED(!setpgid(0, 0));
		NEED(write(fd[1], "x", 1) == 1);
		wait_signal();
		for (int i = 0; i < 60 && !got_signal; i++)
			wait_signal();
		_exit(got_signal == SIGIO ? 0 : 1);
	}
	NEED(read(fd[0], &status, 1) == 1);
	set_owner(fd[0], F_OWNER_PGRP, pid);
	NEED(!fcntl(fd[0], F_SETFL, O_ASYNC));
	ckpt_point();
	is_owned(fd[0], F_OWNER_PGRP, pid);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

/* As F_GETOWN has it, that is nobody. */
CKPT_TEST(owners, dead)
{
	int fd = make();
	pid_t pid = fork();

	if (!pid)
		pause();
	NEED(pid > 0 && !fcntl(fd, F_SETOWN, pid));
	NEED(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
	ckpt_point();
	CHECK_EQ(fcntl(fd, F_GETOWN), 0);
}

CKPT_TEST(owners, lease_read)
{
	int fd = make(), other;

	close(fd);
	fd = open("file", O_RDONLY);
	handle(SIGUSR1);
	NEED(!fcntl(fd, F_SETSIG, SIGUSR1));
	NEED(!fcntl(fd, F_SETLEASE, F_RDLCK));
	ckpt_point();
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_RDLCK);
	CHECK_EQ(fcntl(fd, F_GETOWN), getpid());
	CHECK(!got_signal);
	other = open("file", O_RDONLY);
	CHECK(other >= 0);
	CHECK(!got_signal);
	CHECK_EQ(open("file", O_WRONLY | O_NONBLOCK), -1);
	CHECK_EQ(errno, EWOULDBLOCK);
	wait_signal();
	CHECK_EQ(got_signal, SIGUSR1);
	CHECK_EQ(got_fd, fd);
	CHECK(!fcntl(fd, F_SETLEASE, F_UNLCK));
	CHECK(open("file", O_WRONLY | O_NONBLOCK) >= 0);
}

CKPT_TEST(owners, lease_write)
{
	char locks[4096], line[64];
	int fd = make();

	close(fd);
	fd = open("file", O_RDONLY);
	handle(SIGIO);
	NEED(!fcntl(fd, F_SETLEASE, F_WRLCK));
	ckpt_point();
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_WRLCK);
	ckpt_read("/proc/locks", locks, sizeof(locks));
	snprintf(line, sizeof(line), "ACTIVE    WRITE %d ", getpid());
	CHECK(strstr(locks, line));
	CHECK_EQ(open("file", O_RDONLY | O_NONBLOCK), -1);
	CHECK_EQ(errno, EWOULDBLOCK);
	wait_signal();
	CHECK_EQ(got_signal, SIGIO);
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_RDLCK);
	CHECK(!fcntl(fd, F_SETLEASE, F_RDLCK));
	CHECK(open("file", O_RDONLY | O_NONBLOCK) >= 0);
}

/* Somebody waits in open(2), and goes on to. */
static void broken(int lease, int flags, int target)
{
	int fd = make(), pipes[2], status;
	struct pollfd poll_fd;
	pid_t pid;
	char c;

	close(fd);
	fd = open("file", O_RDONLY);
	handle(SIGIO);
	NEED(!pipe(pipes) && !fcntl(fd, F_SETLEASE, lease));
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		close(fd);
		c = open("file", flags) >= 0 ? 'y' : 'n';
		_exit(write(pipes[1], &c, 1) != 1);
	}
	wait_signal();
	NEED(got_signal == SIGIO && fcntl(fd, F_GETLEASE) == target);
	got_signal = 0;
	ckpt_point();
	CHECK_EQ(fcntl(fd, F_GETLEASE), target);
	poll_fd = (struct pollfd){ pipes[0], POLLIN, 0 };
	CHECK_EQ(poll(&poll_fd, 1, 20), 0);
	CHECK(!fcntl(fd, F_SETLEASE, target));
	CHECK_EQ(read(pipes[0], &c, 1), 1);
	CHECK_EQ(c, 'y');
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK(!got_signal);
}

CKPT_TEST(owners, lease_broken)
{
	broken(F_RDLCK, O_WRONLY, F_UNLCK);
}

CKPT_TEST(owners, lease_downgraded)
{
	broken(F_WRLCK, O_RDONLY, F_RDLCK);
}

CKPT_TARGET(has_lease)
{
	int fd = make();

	NEED(!fcntl(fd, F_SETLEASE, F_WRLCK));
	ckpt_point();
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_WRLCK);
}

TEST(lease_in_the_way)
{
	struct ckpt_target target;
	int fd;

	ASSERT_EQ(0, ckpt_start(&target, "has_lease", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	ASSERT_LT(0, ckpt_checkpoint(&target, CHECKPOINT_KILL));
	ckpt_kill(&target);
	fd = open(ckpt_path(&target, "file"), O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBUSY, ckpt_restart(&target, 0));
	EXPECT_NE(NULL, strstr(target.log, "file: lease: somebody else"));
	close(fd);
	ASSERT_LT(0, ckpt_restart(&target, 0));
	EXPECT_EQ(0, ckpt_go(&target));
	EXPECT_EQ(0, ckpt_end(&target));
	ckpt_clean(&target);
}

CKPT_TEST_MAIN
