// SPDX-License-Identifier: GPL-2.0-only
/*
 * Restarts with other pids: beside another copy of the tree, and by those who may
 * not choose; and old pids for those who may, in a namespace of their own.
 */
#define _GNU_SOURCE
#include "ckpt_test.h"

#include <linux/prctl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

CKPT_FIXTURE_ONLY(newpids);
CKPT_VARIANT(newpids, copy, CKPT_LIVE);
CKPT_VARIANT(newpids, killed, CKPT_KILLED);

struct board {
	volatile int	ready;
	volatile int	failed;
	volatile pid_t	pid[8];
	volatile pid_t	parent[8];
	volatile pid_t	group[8];
	volatile pid_t	session[8];
};

enum { ROOT, CHILD, GRANDCHILD, MEMBER, LEADER, NR };

static struct board *board;

static void board_make(void)
{
	board = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(board != MAP_FAILED);
}

static void note(int who)
{
	board->pid[who] = syscall(SYS_getpid);
	board->parent[who] = getppid();
	board->group[who] = getpgrp();
	board->session[who] = getsid(0);
}

/* As it was, and once more when all has been said. */
static void member(int who)
{
	note(who);
	__atomic_fetch_add(&board->ready, 1, __ATOMIC_SEQ_CST);
	ckpt_wait();
	note(who);
	__atomic_fetch_add(&board->ready, 1, __ATOMIC_SEQ_CST);
}

static pid_t start(void (*body)(void))
{
	pid_t pid = fork();

	NEED(pid >= 0);
	if (!pid) {
		body();
		_exit(board->failed);
	}
	return pid;
}

static void grandchild(void)
{
	member(GRANDCHILD);
}

static void child(void)
{
	setpgid(0, 0);
	start(grandchild);
	member(CHILD);
	while (wait(NULL) > 0)
		;
}

static void group_body(void)
{
	setpgid(0, board->pid[CHILD]);
	member(MEMBER);
}

static void session_leader(void)
{
	setsid();
	member(LEADER);
}

static void board_wait(int nr)
{
	while (board->ready < nr)
		ckpt_msleep(1);
}

/* Whoever was whose is so still, whatever they are called. */
static void check_family(void)
{
	CHECK_EQ(board->parent[CHILD], board->pid[ROOT]);
	CHECK_EQ(board->parent[MEMBER], board->pid[ROOT]);
	CHECK_EQ(board->parent[LEADER], board->pid[ROOT]);
	CHECK_EQ(board->parent[GRANDCHILD], board->pid[CHILD]);
	CHECK_EQ(board->group[CHILD], board->pid[CHILD]);
	CHECK_EQ(board->group[GRANDCHILD], board->pid[CHILD]);
	CHECK_EQ(board->group[MEMBER], board->pid[CHILD]);
	CHECK_EQ(board->session[LEADER], board->pid[LEADER]);
	CHECK_EQ(board->session[CHILD], board->session[ROOT]);
}

CKPT_TARGET(family)
{
	int status;

	board_make();
	note(ROOT);
	start(child);
	board_wait(2);
	start(group_body);
	start(session_leader);
	board_wait(4);
	check_family();
	ckpt_ready();
	ckpt_wait();
	board_wait(8);
	note(ROOT);
	check_family();
	for (int i = 0; i < 3; i++) {
		CHECK(wait(&status) > 0);
		CHECK_EQ(status, 0);
	}
	CHECK_EQ(wait(NULL), -1);
}

/* Who notifies whom: a thread by a timer, and a child who has ended. */

static volatile pid_t notified, sender;
static pthread_t threads[2];
static volatile int go;

static void on_timer(int sig)
{
	(void)sig;
	notified = syscall(SYS_gettid);
}

static void *timed(void *arg)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID,
				  .sigev_signo = SIGUSR1 };
	struct itimerspec spec = { .it_value.tv_nsec = 300000000 };
	timer_t timer;

	event._sigev_un._tid = syscall(SYS_gettid);
	NEED(!timer_create(CLOCK_MONOTONIC, &event, &timer));
	NEED(!timer_settime(timer, 0, &spec, NULL));
	go = 1;
	while (!notified)
		ckpt_msleep(5);
	CHECK_EQ(notified, syscall(SYS_gettid));
	return arg;
}

static void on_child(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	sender = info->si_pid;
}

CKPT_TARGET(told)
{
	struct sigaction on_chld = { .sa_sigaction = on_child,
				     .sa_flags = SA_SIGINFO };
	siginfo_t info;
	sigset_t set;
	int status;
	pid_t pid;

	signal(SIGUSR1, on_timer);
	sigaction(SIGCHLD, &on_chld, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pid = fork();
	if (!pid)
		_exit(5);
	NEED(!waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	NEED(!pthread_create(&threads[0], NULL, timed, NULL));
	while (!go)
		ckpt_msleep(1);
	ckpt_ready();
	ckpt_wait();
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	CHECK(sender > 0);
	/* That is who is to be waited for. */
	CHECK_EQ(waitpid(sender, &status, 0), sender);
	CHECK_EQ(status, 5 << 8);
	/* Locked by ids that the C library has taken note of. */
	CHECK_EQ(pthread_join(threads[0], NULL), 0);
}

/* The C library knows its threads by the ids that they have now. */

static volatile int killed_by, end_threads;
static pthread_mutex_t robust;

static void on_usr2(int sig)
{
	(void)sig;
	killed_by = 1;
}

static void *waiter(void *arg)
{
	while (!end_threads)
		ckpt_msleep(2);
	CHECK_EQ(pthread_mutex_lock(&robust), 0);
	return arg;
}

CKPT_TARGET(library)
{
	pthread_mutexattr_t attr;
	pthread_t thread;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &attr);
	signal(SIGUSR2, on_usr2);
	NEED(!pthread_create(&thread, NULL, waiter, NULL));
	ckpt_ready();
	ckpt_wait();
	CHECK_EQ(pthread_kill(thread, SIGUSR2), 0);
	for (int i = 0; i < 2000 && !killed_by; i++)
		ckpt_msleep(1);
	CHECK_EQ(killed_by, 1);
	/* Whoever dies with it is told of by the kernel, who knows its id. */
	end_threads = 1;
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(pthread_mutex_lock(&robust), EOWNERDEAD);
}

/* A signal for who is orphaned, and a vfork(2) that returns the new pid. */

static volatile pid_t child_is;
static char stack[65536] __attribute__((aligned(16)));

static int vforked(void *arg)
{
	(void)arg;
	ckpt_ready();
	ckpt_wait();
	child_is = syscall(SYS_getpid);
	_exit(6);
}

CKPT_TARGET(vfork)
{
	pid_t pid = clone(vforked, stack + sizeof(stack),
			  CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	int status;

	CHECK_EQ(pid, child_is);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 6 << 8);
}

static void orphan(void)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	__atomic_fetch_add(&board->ready, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
}

static void parent_of_orphan(void)
{
	start(orphan);
	__atomic_fetch_add(&board->ready, 1, __ATOMIC_SEQ_CST);
	ckpt_wait();
	_exit(0);
}

CKPT_TARGET(orphaned)
{
	int status;
	pid_t pid;

	board_make();
	NEED(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid = start(parent_of_orphan);
	(void)pid;
	board_wait(2);
	ckpt_ready();
	ckpt_wait();
	CHECK(wait(&status) > 0);
	CHECK_EQ(status, 0);
	CHECK(wait(&status) > 0);
	CHECK_EQ(status, SIGTERM);
	CHECK_EQ(wait(NULL), -1);
}

/*
 * Restart it beside the one that is there, or in its place; both come to their
 * end as the one would have.
 */
static void both(struct __test_metadata *_metadata, struct ckpt_target *target,
		 enum ckpt_mode mode, const char *name)
{
	struct ckpt_target copy;
	pid_t first;

	ASSERT_EQ(0, ckpt_start(target, name, mode));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	first = target->pid;
	ASSERT_LT(0, ckpt_checkpoint(target, mode == CKPT_KILLED ?
					     CHECKPOINT_KILL : 0));
	if (mode == CKPT_KILLED)
		ckpt_kill(target);
	copy = *target;
	ASSERT_LT(0, ckpt_restart(&copy, RESTART_NEW_PIDS)) {
		printf("# %s\n", copy.log);
	}
	EXPECT_NE(first, copy.pid);
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(&copy));
	if (mode != CKPT_KILLED)
		EXPECT_EQ(0, ckpt_end(target));
}

#define BOTH(name)							\
	TEST_F(newpids, name)						\
	{								\
		both(_metadata, &self->target, variant->mode, #name);	\
	}

BOTH(family)
BOTH(told)
BOTH(library)
BOTH(vfork)
BOTH(orphaned)

/* Ten at once, of one image. */
TEST_F(newpids, many)
{
	struct ckpt_target copy[10];

	ASSERT_EQ(0, ckpt_start(&self->target, "family", variant->mode));
	ASSERT_EQ(0, ckpt_wait_ready(&self->target));
	ASSERT_LT(0, ckpt_checkpoint(&self->target, CHECKPOINT_KILL));
	ckpt_kill(&self->target);
	for (int i = 0; i < 10; i++) {
		copy[i] = self->target;
		ASSERT_LT(0, ckpt_restart(&copy[i], RESTART_NEW_PIDS));
	}
	ASSERT_EQ(0, ckpt_go(&self->target));
	for (int i = 0; i < 10; i++)
		EXPECT_EQ(0, ckpt_end(&copy[i]));
}

/* By who has no privilege whatever. */

static void become_user(void)
{
	if (syscall(SYS_setresgid, 1000, 1000, 1000) ||
	    syscall(SYS_setresuid, 1000, 1000, 1000) ||
	    prctl(PR_SET_DUMPABLE, 1))
		_exit(120);
}

/* Exits with 0, or says where it ended. */
static void user_cycle(struct ckpt_target *target, unsigned int flags,
		       long expected)
{
	if (ckpt_wait_ready(target))
		_exit(101);
	if (ckpt_checkpoint(target, CHECKPOINT_KILL) <= 0) {
		printf("# %s\n", target->log);
		_exit(102);
	}
	ckpt_kill(target);
	/* Who is the first of his namespace is whose orphans they are. */
	while (wait(NULL) > 0)
		;
	if (expected < 0)
		_exit(ckpt_restart(target, flags) == expected ? 0 : 103);
	if (ckpt_restart(target, flags) <= 0) {
		printf("# %s\n", target->log);
		_exit(104);
	}
	if (ckpt_go(target))
		_exit(105);
	_exit(ckpt_end(target) ? 106 : 0);
}

static int as_user(void (*prepare)(void), unsigned int flags, long expected)
{
	struct ckpt_target target;
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		become_user();
		prepare();
		if (ckpt_start(&target, "family", CKPT_KILLED))
			_exit(100);
		user_cycle(&target, flags, expected);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void nothing(void)
{
}

TEST_F(newpids, unprivileged)
{
	if (variant->mode == CKPT_KILLED)
		EXPECT_EQ(0, as_user(nothing, RESTART_NEW_PIDS, 0));
}

TEST_F(newpids, unprivileged_old)
{
	if (variant->mode == CKPT_KILLED)
		EXPECT_EQ(0, as_user(nothing, 0, -EPERM));
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t len = strlen(text);

	if (fd < 0 || write(fd, text, len) != len)
		_exit(123);
	close(fd);
}

/* The first process of a pid namespace has children of its own to look after. */
static void own_namespaces(void)
{
	int status = -1;
	pid_t pid;

	if (unshare(CLONE_NEWUSER | CLONE_NEWPID))
		_exit(121);
	put("/proc/self/setgroups", "deny");
	put("/proc/self/uid_map", "1000 1000 1");
	put("/proc/self/gid_map", "1000 1000 1");
	pid = fork();
	if (pid) {
		waitpid(pid, &status, 0);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 122);
	}
}

TEST_F(newpids, own_namespaces)
{
	if (variant->mode == CKPT_KILLED)
		EXPECT_EQ(0, as_user(own_namespaces, 0, 0));
}

CKPT_TEST_MAIN
