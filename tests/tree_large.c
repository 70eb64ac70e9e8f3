// SPDX-License-Identifier: GPL-2.0-only
/* A thousand processes, and a thousand threads of one: there and back. */
#define _GNU_SOURCE
#include "ckpt_test.h"

#include <pthread.h>
#include <signal.h>

#define LARGE_NR	1000
/* Below each of these are as many more. */
#define LARGE_WIDE	40

CKPT_FIXTURE_ONLY(large);
CKPT_VARIANT(large, live, CKPT_LIVE);
CKPT_VARIANT(large, killed, CKPT_KILLED);

struct board {
	volatile int	ready;
	volatile int	right;
};

static struct board *board;
static int gate[2];

/* Until the root lets go of its end; nobody has to look. */
static void at_gate(void)
{
	char c;

	__atomic_fetch_add(&board->ready, 1, __ATOMIC_SEQ_CST);
	if (!read(gate[0], &c, 1))
		__atomic_fetch_add(&board->right, 1, __ATOMIC_SEQ_CST);
}

static void make_board(void)
{
	board = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(board != MAP_FAILED && !pipe(gate));
}

static void leaf(pid_t parent)
{
	pid_t self = getpid();

	at_gate();
	_exit(getpid() == self && getppid() == parent ? 1 : 0);
}

static int reap(int nr)
{
	int right = 0, status;

	while (nr-- && wait(&status) > 0)
		right += status == 1 << 8;
	return right;
}

static void branch(void)
{
	pid_t self = getpid();

	close(gate[1]);
	for (int i = 1; i < LARGE_NR / LARGE_WIDE; i++)
		if (!fork())
			leaf(self);
	at_gate();
	_exit(reap(LARGE_NR / LARGE_WIDE - 1) == LARGE_NR / LARGE_WIDE - 1);
}

CKPT_TARGET(processes)
{
	make_board();
	for (int i = 0; i < LARGE_WIDE; i++) {
		pid_t pid = fork();

		NEED(pid >= 0);
		if (!pid)
			branch();
	}
	while (board->ready < LARGE_NR)
		ckpt_msleep(5);
	ckpt_ready();
	ckpt_wait();
	close(gate[1]);
	CHECK_EQ(reap(LARGE_WIDE), LARGE_WIDE);
	CHECK_EQ(board->right, LARGE_NR);
}

static void *thread(void *arg)
{
	pid_t tid = syscall(SYS_gettid);

	at_gate();
	return syscall(SYS_gettid) == tid ? arg : NULL;
}

CKPT_TARGET(threads)
{
	static pthread_t threads[LARGE_NR];
	pthread_attr_t attr;
	void *end;

	make_board();
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 32768);
	for (long i = 0; i < LARGE_NR; i++)
		NEED(!pthread_create(&threads[i], &attr, thread,
				     (void *)(i + 1)));
	while (board->ready < LARGE_NR)
		ckpt_msleep(5);
	ckpt_ready();
	ckpt_wait();
	close(gate[1]);
	for (long i = 0; i < LARGE_NR; i++)
		CHECK(!pthread_join(threads[i], &end) && end == (void *)(i + 1));
	CHECK_EQ(board->right, LARGE_NR);
}

static void there_and_back(struct __test_metadata *_metadata,
			   struct ckpt_target *target, const char *name,
			   enum ckpt_mode mode)
{
	long long start;

	ASSERT_EQ(0, ckpt_start(target, name, mode));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	start = ckpt_now();
	ASSERT_LT(0, ckpt_checkpoint(target, mode == CKPT_KILLED ?
					     CHECKPOINT_KILL : 0));
	TH_LOG("taken in %lld ms", ckpt_now() - start);
	if (mode == CKPT_KILLED) {
		ckpt_kill(target);
		start = ckpt_now();
		ASSERT_LT(0, ckpt_restart(target, 0)) {
			TH_LOG("%s", target->log);
		}
		TH_LOG("restarted in %lld ms", ckpt_now() - start);
	}
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

TEST_F_TIMEOUT(large, processes, 120)
{
	there_and_back(_metadata, &self->target, "processes", variant->mode);
}

TEST_F_TIMEOUT(large, threads, 120)
{
	there_and_back(_metadata, &self->target, "threads", variant->mode);
}

CKPT_TEST_MAIN
