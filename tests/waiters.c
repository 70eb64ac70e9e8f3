// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who waits for what is given to one after the other is served in its turn.
 */
#define _GNU_SOURCE
#include "ckpt_test.h"

#include <mqueue.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>

#include "ckpt_proc.h"

CKPT_FIXTURE(waiters);

#define NR	6

/* When each begins to wait; it is not the order of their pids. */
static const int rank[NR] = { 3, 0, 5, 4, 1, 2 };

/**
 * struct board - what those who wait and who serves them have in common
 * @rank: whose time it is to begin
 * @nr: how many were served
 * @served: by rank, in the order in which they were
 */
static volatile struct board {
	int	rank;
	int	nr;
	int	served[NR];
} *board;

static pid_t child[NR];

static bool in_call(pid_t pid, long nr)
{
	char path[48], text[64];

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	ckpt_read(path, text, sizeof(text));
	return !strncmp(text, "running", 7) ? false : atol(text) == nr;
}

static void await_call(pid_t pid, long nr)
{
	for (int i = 0; i < 10000 && !in_call(pid, nr); i++)
		ckpt_msleep(1);
	CHECK(in_call(pid, nr));
}

static void served(int who)
{
	board->served[board->nr] = who;
	board->nr++;
}

/* Children that wait, one after the other, in a call of that number. */
static void line_up(void (*wait)(int who), long nr)
{
	board = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(board != MAP_FAILED);
	board->rank = -1;
	for (int i = 0; i < NR; i++) {
		child[rank[i]] = fork();
		if (child[rank[i]])
			continue;
		while (board->rank < rank[i])
			usleep(500);
		wait(rank[i]);
		_exit(0);
	}
	for (int i = 0; i < NR; i++) {
		board->rank = i;
		await_call(child[i], nr);
		ckpt_msleep(2);
	}
}

/* They all do so again. */
static void still_in_line(long nr)
{
	CHECK_EQ(board->nr, 0);
	for (int i = 0; i < NR; i++)
		await_call(child[i], nr);
	ckpt_msleep(20);
}

static void await_served(int nr)
{
	for (int i = 0; i < 10000 && board->nr < nr; i++)
		ckpt_msleep(1);
	CHECK_EQ(board->nr, nr);
}

static void in_their_turn(void)
{
	await_served(NR);
	for (int i = 0; i < NR; i++) {
		CHECK_EQ(board->served[i], i);
		waitpid(child[i], NULL, 0);
	}
}

static int fd;

static void wait_posix(int who)
{
	struct flock lock = { .l_type = F_WRLCK };

	NEED(!fcntl(fd, F_SETLKW, &lock));
	served(who);
	lock.l_type = F_UNLCK;
	NEED(!fcntl(fd, F_SETLK, &lock));
}

CKPT_TEST(waiters, posix)
{
	struct flock lock = { .l_type = F_WRLCK };

	fd = open("file", O_RDWR | O_CREAT, 0600);
	NEED(!fcntl(fd, F_SETLK, &lock));
	line_up(wait_posix, SYS_fcntl);
	ckpt_point();
	still_in_line(SYS_fcntl);
	lock.l_type = F_UNLCK;
	CHECK_EQ(fcntl(fd, F_SETLK, &lock), 0);
	in_their_turn();
}

static void wait_ofd(int who)
{
	struct flock lock = { .l_type = F_WRLCK };
	int own = open("file", O_RDWR);

	NEED(!fcntl(own, F_OFD_SETLKW, &lock));
	served(who);
	close(own);
}

CKPT_TEST(waiters, ofd)
{
	struct flock lock = { .l_type = F_WRLCK };

	fd = open("file", O_RDWR | O_CREAT, 0600);
	NEED(!fcntl(fd, F_SETLK, &lock));
	line_up(wait_ofd, SYS_fcntl);
	ckpt_point();
	still_in_line(SYS_fcntl);
	lock.l_type = F_UNLCK;
	CHECK_EQ(fcntl(fd, F_SETLK, &lock), 0);
	in_their_turn();
}

static void wait_flock(int who)
{
	int own = open("file", O_RDWR);

	NEED(!flock(own, LOCK_EX));
	served(who);
	close(own);
}

CKPT_TEST(waiters, flock)
{
	fd = open("file", O_RDWR | O_CREAT, 0600);
	NEED(!flock(fd, LOCK_EX));
	line_up(wait_flock, SYS_flock);
	ckpt_point();
	still_in_line(SYS_flock);
	CHECK_EQ(flock(fd, LOCK_UN), 0);
	in_their_turn();
}

static int id;

static void wait_sem(int who)
{
	struct sembuf buf = { .sem_op = -1 };

	NEED(!semop(id, &buf, 1));
	served(who);
}

CKPT_TEST(waiters, sem)
{
	struct sembuf buf = { .sem_op = 1 };

	id = semget(IPC_PRIVATE, 1, 0600);
	NEED(id >= 0);
	line_up(wait_sem, SYS_semtimedop);
	ckpt_point();
	still_in_line(SYS_semtimedop);
	for (int i = 0; i < NR; i++) {
		CHECK_EQ(semop(id, &buf, 1), 0);
		await_served(i + 1);
	}
	in_their_turn();
	semctl(id, 0, IPC_RMID);
}

static void wait_msg(int who)
{
	struct { long type; char text[8]; } msg;

	NEED(msgrcv(id, &msg, sizeof(msg.text), 0, 0) >= 0);
	served(who);
}

CKPT_TEST(waiters, msg)
{
	struct { long type; char text[8]; } msg = { .type = 1 };

	id = msgget(IPC_PRIVATE, 0600);
	NEED(id >= 0);
	line_up(wait_msg, SYS_msgrcv);
	ckpt_point();
	still_in_line(SYS_msgrcv);
	for (int i = 0; i < NR; i++) {
		CHECK_EQ(msgsnd(id, &msg, sizeof(msg.text), 0), 0);
		await_served(i + 1);
	}
	in_their_turn();
	msgctl(id, IPC_RMID, NULL);
}

static void wait_mqueue(int who)
{
	char text[64];

	NEED(mq_receive(fd, text, sizeof(text), NULL) >= 0);
	served(who);
}

CKPT_TEST(waiters, mqueue)
{
	struct mq_attr attr = { .mq_maxmsg = NR, .mq_msgsize = 64 };

	fd = mq_open("/waiters", O_RDWR | O_CREAT, 0600, &attr);
	if (fd < 0)
		ckpt_skip("no message queues");
	mq_unlink("/waiters");
	line_up(wait_mqueue, SYS_mq_timedreceive);
	ckpt_point();
	still_in_line(SYS_mq_timedreceive);
	for (int i = 0; i < NR; i++) {
		CHECK_EQ(mq_send(fd, "text", 4, 0), 0);
		await_served(i + 1);
	}
	in_their_turn();
}

CKPT_TEST_MAIN
