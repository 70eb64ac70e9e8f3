// SPDX-License-Identifier: GPL-2.0-only
/*
 * A storm: processes that fork and exit all the time, several levels deep, some
 * waited for and others left behind. A checkpoint of it gives an image that
 * restarts, or says that it could not follow; and the storm goes on.
 */
#include "ckpt_test.h"

#include <signal.h>
#include <sys/prctl.h>

#define STORM_WORKERS	2
#define STORM_DEPTH	3
#define STORM_TIMES	200
/* On a debug kernel, where each takes twenty times as long. */
#define STORM_FEWER	30
/* One image in so many is restarted. */
#define STORM_SAMPLE	10
/* How many more processes a copy makes before it ends. */
#define STORM_COPY	20

CKPT_FIXTURE_ONLY(tree);
CKPT_VARIANT(tree, live, CKPT_LIVE);

/* A page that all of a tree share, and each copy of the tree has one. */
struct board {
	volatile int	ready;
	volatile int	go;
	volatile long	nr;
};

static struct board *board;

static void storm_fork(int depth)
{
	pid_t pid = fork();

	if (pid < 0)
		_exit(KSFT_FAIL);
	if (!pid) {
		__atomic_fetch_add(&board->nr, 1, __ATOMIC_RELAXED);
		for (int i = 0; depth && i < 1 + (depth & 1); i++)
			storm_fork(depth - 1);
		_exit(0);
	}
	/* Every other one is not waited for, and goes to the root. */
	if ((board->nr + depth) & 1)
		wait(NULL);
}

static void storm_worker(void)
{
	__atomic_fetch_add(&board->ready, 1, __ATOMIC_SEQ_CST);
	while (!board->go) {
		storm_fork(STORM_DEPTH);
		while (wait(NULL) > 0)
			;
	}
	_exit(0);
}

static void storm_begin(void)
{
	board = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(board != MAP_FAILED);
	NEED(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (int i = 0; i < STORM_WORKERS; i++) {
		pid_t pid = fork();

		NEED(pid >= 0);
		if (!pid)
			storm_worker();
	}
	while (board->ready < STORM_WORKERS)
		ckpt_msleep(1);
}

/* A copy sees that it is one by its pid, and comes to an end soon. */
CKPT_TARGET(storm)
{
	pid_t self = getpid();
	long begin = 0;

	storm_begin();
	ckpt_ready();
	while (!board->go) {
		if (waitpid(-1, NULL, WNOHANG) <= 0)
			ckpt_msleep(1);
		if (!begin && getpid() != self)
			begin = board->nr + 1;
		if (begin ? board->nr > begin + STORM_COPY : ckpt_gone())
			board->go = 1;
	}
	while (wait(NULL) > 0)
		;
	CHECK_EQ(errno, ECHILD);
}

/* Returns 0 if it ended well, in time. */
static int storm_copy_end(pid_t pid)
{
	int status = -1;

	for (int i = 0; i < 20000; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		ckpt_msleep(1);
	}
	return -1;
}

static int storm_times(void)
{
	char line[4096] = "";
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && read(fd, line, sizeof(line) - 1) < 0)
		line[0] = 0;
	close(fd);
	return strstr(line, "ckpt.debug=1") ? STORM_FEWER : STORM_TIMES;
}

TEST_F_TIMEOUT(tree, storm, 250)
{
	struct ckpt_target *target = &self->target;
	int images = 0, copies = 0, times = storm_times();
	pid_t original;
	long ret;

	ASSERT_EQ(0, ckpt_start(target, "storm", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	original = target->pid;
	for (int i = 0; i < times; i++) {
		ret = ckpt_checkpoint(target, 0);
		ASSERT_TRUE(ret > 0 || ret == -EAGAIN) {
			TH_LOG("number %d: %ld: %s", i, ret, target->log);
		}
		images += ret > 0;
		if (ret < 0 || i % STORM_SAMPLE)
			continue;
		ret = ckpt_restart(target, RESTART_NEW_PIDS);
		ASSERT_LT(0, ret) {
			TH_LOG("copy %d: %ld: %s", copies, ret, target->log);
		}
		ASSERT_EQ(0, storm_copy_end(target->pid));
		target->pid = original;
		copies++;
	}
	EXPECT_LT(0, images);
	EXPECT_LT(0, copies);
	TH_LOG("%d images, %d copies restarted", images, copies);
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

CKPT_TEST_MAIN
