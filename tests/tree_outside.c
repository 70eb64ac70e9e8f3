// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trees, seen from outside: who may not have one, whose pids are taken, copies
 * beside the original, and checkpoints from within.
 */
#define _GNU_SOURCE
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

CKPT_FIXTURE_ONLY(tree);
CKPT_VARIANT(tree, outside, CKPT_LIVE);

/* A page that all of a tree share, and each copy of the tree has one. */
struct board {
	volatile int	ready;
	volatile int	go;
	volatile pid_t	pid[4];
};

static struct board *board;

static void board_make(void)
{
	board = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(board != MAP_FAILED);
}

static void child_ready(void)
{
	__atomic_fetch_add(&board->ready, 1, __ATOMIC_SEQ_CST);
}

static void child_wait(void)
{
	child_ready();
	while (!board->go)
		ckpt_msleep(2);
}

static void board_wait(int nr)
{
	while (board->ready < nr)
		ckpt_msleep(1);
}

static pid_t child(void (*body)(void))
{
	pid_t pid = fork();

	NEED(pid >= 0);
	if (!pid) {
		body();
		_exit(0);
	}
	return pid;
}

/* A CHECK() of a child shows in how it ends. */
#define CHILD_CHECK(condition)						\
	do {								\
		if (!CHECK(condition))					\
			_exit(1);					\
	} while (0)

/* By no pid, which may be another one in a copy. */
static void children_end(int nr)
{
	int status;

	while (nr--) {
		CHECK(wait(&status) > 0);
		CHECK_EQ(status, 0);
	}
	CHECK_EQ(wait(NULL), -1);
	CHECK_EQ(errno, ECHILD);
}

/* The pids go to the test by way of a file. */
static void tell_pids(void)
{
	int fd = open("pids", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	NEED(write(fd, (void *)board->pid, sizeof(board->pid)) ==
	     sizeof(board->pid));
	close(fd);
}

static void pids_of(const struct ckpt_target *target, pid_t *pid)
{
	int fd = open(ckpt_path(target, "pids"), O_RDONLY | O_CLOEXEC);

	memset(pid, 0, sizeof(board->pid));
	if (read(fd, pid, sizeof(board->pid)) != sizeof(board->pid))
		printf("# no pids\n");
	close(fd);
}

static bool says(const struct ckpt_target *target, const char *format, pid_t pid)
{
	char text[64];

	snprintf(text, sizeof(text), format, pid);
	if (strstr(target->log, text))
		return true;
	printf("# not \"%s\" in: %s\n", text, target->log);
	return false;
}

/* Letter of its state in /proc, or 0 if there is no such task. */
static char state_of(pid_t pid)
{
	char path[32], text[256] = "", *state;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (access(path, F_OK))
		return 0;
	ckpt_read(path, text, sizeof(text));
	state = strrchr(text, ')');
	return state ? state[2] : 0;
}

static bool comes_to(pid_t pid, char state)
{
	for (int i = 0; i < 2000 && state_of(pid) != state; i++)
		ckpt_msleep(1);
	return state_of(pid) == state;
}

/* One of whom the caller may not trace. */

static void become_user(uid_t uid)
{
	NEED(!syscall(SYS_setresgid, uid, uid, uid));
	NEED(!syscall(SYS_setresuid, uid, uid, uid));
	NEED(!prctl(PR_SET_DUMPABLE, 1));
}

static void same_user_body(void)
{
	become_user(1000);
	child_wait();
}

static void other_user_body(void)
{
	become_user(1001);
	child_wait();
}

CKPT_TARGET(other_user)
{
	board_make();
	NEED(!chmod(".", 0777));
	board->pid[0] = child(same_user_body);
	board->pid[1] = child(other_user_body);
	become_user(1000);
	board_wait(2);
	tell_pids();
	ckpt_ready();
	ckpt_wait();
	board->go = 1;
	children_end(2);
}

static long checkpoint_as_user(struct ckpt_target *target)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		become_user(1000);
		_exit(-ckpt_checkpoint(target, 0));
	}
	waitpid(pid, &status, 0);
	return -WEXITSTATUS(status);
}

static size_t file_text(struct ckpt_target *target, const char *name)
{
	return ckpt_read(ckpt_path(target, name), target->log,
			 sizeof(target->log));
}

TEST_F(tree, not_permitted)
{
	struct ckpt_target *target = &self->target;
	struct stat stat;
	pid_t pid[4];

	ASSERT_EQ(0, ckpt_start(target, "other_user", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	pids_of(target, pid);
	EXPECT_EQ(-EPERM, checkpoint_as_user(target));
	file_text(target, "log");
	EXPECT_TRUE(says(target, "not permitted", 0));
	EXPECT_TRUE(says(target, "pid %d ", pid[1]));
	EXPECT_EQ(0, lstat(ckpt_path(target, "image"), &stat));
	EXPECT_EQ(0, stat.st_size);
	EXPECT_TRUE(comes_to(target->pid, 'S'));
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* The pid of one who is not the root is taken. */

static void *thread_main(void *arg)
{
	board->pid[1] = syscall(SYS_gettid);
	child_wait();
	return arg;
}

static void orphan_body(void)
{
	while (getppid() == board->pid[3])
		ckpt_msleep(1);
	child_wait();
}

static void session_body(void)
{
	board->pid[3] = setsid();
	child(orphan_body);
}

/* A child, a thread, a zombie, and one who was a session. */
CKPT_TARGET(taken)
{
	pthread_t thread;
	int status;

	board_make();
	NEED(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	child(session_body);
	NEED(wait(&status) > 0);
	board->pid[0] = child(child_wait);
	NEED(!pthread_create(&thread, NULL, thread_main, NULL));
	board->pid[2] = child(child_ready);
	board_wait(4);
	NEED(!waitid(P_PID, board->pid[2], NULL, WEXITED | WNOWAIT));
	tell_pids();
	ckpt_ready();
	ckpt_wait();
	board->go = 1;
	CHECK_EQ(pthread_join(thread, NULL), 0);
	children_end(3);
}

/* Returns a process that has that pid, or not. */
static pid_t hold(pid_t pid)
{
	struct clone_args args = {
		.exit_signal	= SIGCHLD,
		.set_tid	= (uintptr_t)&pid,
		.set_tid_size	= 1,
	};
	pid_t holder;

	for (int i = 0; i < 1000; i++) {
		holder = syscall(SYS_clone3, &args, sizeof(args));
		if (!holder) {
			prctl(PR_SET_NAME, "holder");
			while (1)
				pause();
		}
		if (holder > 0 || errno != EEXIST)
			break;
		/* It is killed, and somebody has yet to reap it. */
		ckpt_msleep(1);
	}
	return holder;
}

static void refused_pid(struct __test_metadata *_metadata,
			struct ckpt_target *target,
			int who)
{
	pid_t pid[4], holder;

	ASSERT_EQ(0, ckpt_start(target, "taken", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	pids_of(target, pid);
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	holder = hold(pid[who]);
	ASSERT_EQ(pid[who], holder);
	EXPECT_TRUE(comes_to(holder, 'S'));
	EXPECT_EQ(-EEXIST, ckpt_restart(target, 0));
	EXPECT_TRUE(says(target, "pid %d: taken by holder", pid[who]));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(i == who ? 'S' : 0, state_of(pid[i]));
	EXPECT_EQ(0, waitpid(-1, NULL, WNOHANG | __WALL));
	kill(holder, SIGKILL);
	EXPECT_EQ(holder, waitpid(holder, NULL, 0));
	EXPECT_EQ(-1, waitpid(-1, NULL, WNOHANG | __WALL));
	/* The very same caller can have it now. */
	ASSERT_LT(0, ckpt_restart(target, 0));
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

TEST_F(tree, child_taken)
{
	refused_pid(_metadata, &self->target, 0);
}

TEST_F(tree, thread_taken)
{
	refused_pid(_metadata, &self->target, 1);
}

TEST_F(tree, zombie_taken)
{
	refused_pid(_metadata, &self->target, 2);
}

TEST_F(tree, session_taken)
{
	refused_pid(_metadata, &self->target, 3);
}

/* A copy beside the original: everything that is asked for is by its pids. */

static void copy_grandchild(void)
{
	child_wait();
	CHILD_CHECK(getppid() == board->pid[1]);
	CHILD_CHECK(getpgrp() == board->pid[1]);
	CHILD_CHECK(getsid(0) == board->pid[1]);
	_exit(0);
}

static void copy_session(void)
{
	NEED(setsid() == getpid());
	child(copy_grandchild);
	child_ready();
	while (!board->go) {
		board->pid[1] = getpid();
		ckpt_msleep(1);
	}
	CHILD_CHECK(getppid() == board->pid[0]);
	CHILD_CHECK(getsid(0) == getpid());
	children_end(1);
}

static void copy_group(void)
{
	NEED(!setpgid(0, 0));
	child_wait();
	CHILD_CHECK(getppid() == board->pid[0]);
	CHILD_CHECK(getpgrp() == getpid());
	CHILD_CHECK(getsid(0) == getsid(board->pid[0]));
}

CKPT_TARGET(copy)
{
	board_make();
	child(copy_session);
	child(copy_group);
	board_wait(3);
	ckpt_ready();
	ckpt_wait();
	board->pid[0] = getpid();
	/* Until the child has noted its own. */
	ckpt_msleep(50);
	board->go = 1;
	children_end(2);
}

TEST_F(tree, new_pids_beside)
{
	struct ckpt_target *target = &self->target;
	pid_t original, status;

	ASSERT_EQ(0, ckpt_start(target, "copy", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	original = target->pid;
	ASSERT_LT(0, ckpt_checkpoint(target, 0));
	EXPECT_EQ(-EEXIST, ckpt_restart(target, 0));
	ASSERT_LT(0, ckpt_restart(target, RESTART_NEW_PIDS));
	EXPECT_NE(original, target->pid);
	EXPECT_NE('Z', state_of(original));
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(original, waitpid(original, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, ckpt_end(target));
}

/* By the program: it ends as the root of the copy ends. */
TEST_F(tree, new_pids_by_rstr)
{
	struct ckpt_target *target = &self->target;
	pid_t rstr;
	int status;

	ASSERT_EQ(0, ckpt_start(target, "copy", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_LT(0, ckpt_checkpoint(target, 0));
	fflush(stdout);
	rstr = fork();
	if (!rstr) {
		dup2(open(ckpt_path(target, "image"), O_RDONLY), 0);
		execlp("rstr", "rstr", "--new-pids", NULL);
		_exit(126);
	}
	/* It is there when rstr has a child that is. */
	EXPECT_TRUE(comes_to(rstr, 'S'));
	ckpt_msleep(500);
	EXPECT_EQ(0, waitpid(rstr, NULL, WNOHANG));
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(rstr, waitpid(rstr, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, ckpt_end(target));
}

/* From inside: a child asks for its parent. Only it was in the call. */

static void asking_child(void)
{
	int fd = open("image", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	long ret = syscall(__NR_checkpoint, getppid(), fd, 0);

	CHILD_CHECK(ret >= 0);
	close(fd);
	_exit(ret > 0 ? 1 : 2);
}

CKPT_TARGET(inside)
{
	int status;

	board_make();
	child(asking_child);
	CHECK(wait(&status) > 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status));
	ckpt_ready();
	ckpt_wait();
	/* In the copy the call returned 0. */
	_exit(WEXITSTATUS(status) == 1 ? KSFT_PASS : KSFT_SKIP);
}

TEST_F(tree, from_inside)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, ckpt_start(target, "inside", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(KSFT_PASS, ckpt_end(target));
	ASSERT_LT(0, ckpt_restart(target, RESTART_NEW_PIDS));
	EXPECT_EQ(KSFT_SKIP, ckpt_end(target));
}

/* One that goes down with its tree, leaving a complete image. */

static void killing_child(void)
{
	int fd = open("image", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	child_ready();
	if (!syscall(__NR_checkpoint, getppid(), fd, CHECKPOINT_KILL))
		_exit(2);
	/* There is nobody to return to. */
	NEED(0);
}

CKPT_TARGET(inside_kill)
{
	int status;

	board_make();
	child(killing_child);
	board_wait(1);
	ckpt_ready();
	CHECK(wait(&status) > 0);
	CHECK_EQ(status, 2 << 8);
}

TEST_F(tree, killed_from_inside)
{
	struct ckpt_target *target = &self->target;
	int status;

	ASSERT_EQ(0, ckpt_start(target, "inside_kill", CKPT_LIVE));
	ASSERT_EQ(target->pid, waitpid(target->pid, &status, 0));
	EXPECT_EQ(SIGKILL, status);
	ASSERT_LT(0, ckpt_restart(target, RESTART_NEW_PIDS));
	EXPECT_EQ(0, ckpt_end(target));
}

/* All are stopped, and each goes on when it is told to. */

static void stop_child(void)
{
	board->pid[1] = child(child_wait);
	child_wait();
	children_end(1);
}

CKPT_TARGET(stop)
{
	board_make();
	board->pid[0] = child(stop_child);
	board_wait(2);
	board->pid[2] = getpid();
	tell_pids();
	ckpt_ready();
	ckpt_wait();
	board->go = 1;
	children_end(1);
}

TEST_F(tree, stopped)
{
	struct ckpt_target *target = &self->target;
	pid_t pid[4];

	ASSERT_EQ(0, ckpt_start(target, "stop", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	pids_of(target, pid);
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_STOP));
	for (int i = 0; i < 3; i++)
		EXPECT_TRUE(comes_to(pid[i], 'T'));
	EXPECT_EQ(0, ckpt_go(target));
	ckpt_msleep(50);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ('T', state_of(pid[i]));
		EXPECT_EQ(0, kill(pid[i], SIGCONT));
	}
	EXPECT_EQ(0, ckpt_end(target));
}

CKPT_TEST_MAIN
