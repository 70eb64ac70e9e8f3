// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process shares with one that is not part of the checkpoint: refused,
 * since it could not be shared again. The child is forked and not executed, so
 * that it shares what its parent has.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/checkpoint.h>

#include "kselftest_harness.h"

#define PAGE 4096

FIXTURE(outside) {
	char	*shared;
	int	log;
	pid_t	child;
};

FIXTURE_SETUP(outside)
{
	self->shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->shared);
	self->log = memfd_create("log", MFD_CLOEXEC);
	ASSERT_LE(0, self->log);
	self->child = 0;
}

FIXTURE_TEARDOWN(outside)
{
	if (self->child > 0) {
		kill(self->child, SIGKILL);
		waitpid(self->child, NULL, __WALL);
	}
}

/* A child with no descriptors, that counts in the first byte it shares. */
static pid_t child_new(unsigned long flags, char *shared)
{
	pid_t pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid) {
		while (pid > 0 && !*(volatile char *)shared)
			usleep(1000);
		return pid;
	}
	if (!(flags & CLONE_FILES))
		close_range(0, ~0U, 0);
	/* Never 0 again, which says that there are no descriptors any more. */
	for (;; usleep(1000))
		shared[0] = shared[0] % 100 + 1;
}

static long checkpoint_child(struct __test_metadata *_metadata, pid_t pid,
			     int log)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	long ret;

	ASSERT_LE(0, fd);
	ret = syscall(__NR_checkpoint, pid, fd, CHECKPOINT_LOGFD, log);
	if (ret < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static bool log_says(int log, const char *text)
{
	char buf[4097] = "";

	return pread(log, buf, sizeof(buf) - 1, 0) > 0 && strstr(buf, text);
}

static bool goes_on(volatile char *shared)
{
	char before = shared[0];

	usleep(100000);
	return shared[0] != before;
}

TEST_F(outside, memory)
{
	self->child = child_new(0, self->shared);
	ASSERT_LT(0, self->child);
	EXPECT_EQ(-EOPNOTSUPP,
		  checkpoint_child(_metadata, self->child, self->log));
	EXPECT_TRUE(log_says(self->log,
			     "shared memory is shared with a process outside"));
	EXPECT_TRUE(goes_on(self->shared));
}

TEST_F(outside, descriptors)
{
	self->child = child_new(CLONE_FILES, self->shared);
	ASSERT_LT(0, self->child);
	EXPECT_EQ(-EOPNOTSUPP,
		  checkpoint_child(_metadata, self->child, self->log));
	EXPECT_TRUE(goes_on(self->shared));
}

TEST_F(outside, directory)
{
	self->child = child_new(CLONE_FS, self->shared);
	ASSERT_LT(0, self->child);
	EXPECT_EQ(-EOPNOTSUPP,
		  checkpoint_child(_metadata, self->child, self->log));
	EXPECT_TRUE(log_says(self->log, "shared with a process outside"));
	EXPECT_TRUE(goes_on(self->shared));
}

TEST_HARNESS_MAIN
