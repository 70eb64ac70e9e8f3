// SPDX-License-Identifier: GPL-2.0-only
/* Trees of processes: who is whose, what they share, and those who have ended. */
#define _GNU_SOURCE
#include "ckpt_test.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

CKPT_FIXTURE(tree);

/* A page that all of the tree share, to tell each other things. */
struct board {
	volatile int	ready;
	volatile int	go;
	volatile int	failed;
	volatile int	said[16];
};

static struct board *board;

static void board_make(void)
{
	board = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(board != MAP_FAILED);
}

/* In a child, whose CHECK()s nobody would see: say that there was one. */
#define CHILD_CHECK(condition)						\
	do {								\
		if (!CHECK(condition))					\
			board->failed = 1;				\
	} while (0)

static void child_ready(void)
{
	__atomic_fetch_add(&board->ready, 1, __ATOMIC_SEQ_CST);
}

/* Seldom enough that a hundred of them leave time for others. */
static void child_wait(void)
{
	child_ready();
	while (!board->go)
		ckpt_msleep(20);
}

static void board_wait(int nr)
{
	while (board->ready < nr)
		ckpt_msleep(1);
}

static void board_end(void)
{
	CHECK_EQ(board->failed, 0);
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

static void end_of(pid_t pid, int status)
{
	int got = -1;

	CHECK_EQ(waitpid(pid, &got, __WALL), pid);
	CHECK_EQ(got, status);
}

/* Parents and children. */

static void grandchild_body(void)
{
	pid_t parent = getppid(), self = getpid();

	child_wait();
	CHILD_CHECK(getppid() == parent);
	CHILD_CHECK(getpid() == self);
	_exit(7);
}

static void child_body(void)
{
	pid_t first = child(grandchild_body), second = child(grandchild_body);
	int status;

	child_wait();
	CHILD_CHECK(waitpid(first, &status, 0) == first &&
		    WEXITSTATUS(status) == 7);
	CHILD_CHECK(waitpid(second, &status, 0) == second &&
		    WEXITSTATUS(status) == 7);
	_exit(42);
}

CKPT_TEST(tree, family)
{
	pid_t pid;

	board_make();
	pid = child(child_body);
	board_wait(3);
	ckpt_point();
	board->go = 1;
	end_of(pid, 42 << 8);
	board_end();
}

/* Those who have ended and were not waited for; nobody is told again. */

static volatile int chld;

static void on_chld(int sig)
{
	(void)sig;
	chld++;
}

static void exit_body(void)
{
	_exit(9);
}

static void killed_body(void)
{
	raise(SIGKILL);
}

static void zombie_wait(pid_t pid)
{
	siginfo_t info;

	NEED(!waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
}

CKPT_TEST(tree, zombies)
{
	pid_t exited, killed, group;

	exited = child(exit_body);
	killed = child(killed_body);
	zombie_wait(exited);
	zombie_wait(killed);
	NEED(!setpgid(killed, killed) || errno == ESRCH || errno == EACCES);
	group = getpgid(killed);
	signal(SIGCHLD, on_chld);
	ckpt_point();
	CHECK_EQ(chld, 0);
	if (ckpt_mode == CKPT_LIVE)
		CHECK_EQ(getpgid(killed), group);
	end_of(exited, 9 << 8);
	end_of(killed, SIGKILL);
	CHECK_EQ(waitpid(-1, NULL, 0), -1);
	CHECK_EQ(errno, ECHILD);
}

/* A SIGCHLD that is pending stays so, once. */
CKPT_TEST(tree, pending_chld)
{
	sigset_t mask, pending;
	pid_t pid;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	signal(SIGCHLD, on_chld);
	pid = child(exit_body);
	zombie_wait(pid);
	ckpt_point();
	sigpending(&pending);
	CHECK(sigismember(&pending, SIGCHLD));
	CHECK_EQ(chld, 0);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	CHECK_EQ(chld, 1);
	end_of(pid, 9 << 8);
}

/* Process groups and sessions, with and without their leaders. */

static void group_body(void)
{
	CHILD_CHECK(!setpgid(0, 0));
	child_wait();
	CHILD_CHECK(getpgrp() == getpid());
}

static void member_body(void)
{
	pid_t group = board->said[0];

	CHILD_CHECK(!setpgid(0, group));
	child_wait();
	CHILD_CHECK(getpgrp() == group);
}

static void sessions_inner(void)
{
	pid_t sid = getsid(0), pgid = getpgrp();

	child_wait();
	CHILD_CHECK(getsid(0) == sid && getpgrp() == pgid);
}

static void session_body(void)
{
	CHILD_CHECK(setsid() == getpid());
	board->said[2] = child(sessions_inner);
	child_wait();
	CHILD_CHECK(getsid(0) == getpid() && getpgrp() == getpid());
	end_of(board->said[2], 0);
}

CKPT_TEST(tree, groups)
{
	pid_t leader, member, session;

	board_make();
	leader = child(group_body);
	board_wait(1);
	board->said[0] = leader;
	member = child(member_body);
	session = child(session_body);
	board_wait(4);
	ckpt_point();
	CHECK_EQ(getpgid(leader), leader);
	CHECK_EQ(getpgid(member), leader);
	CHECK_EQ(getsid(session), session);
	CHECK_EQ(getsid(leader), getsid(0));
	CHECK(getpgrp() != leader);
	board->go = 1;
	end_of(leader, 0);
	end_of(member, 0);
	end_of(session, 0);
	board_end();
}

/*
 * The root leads a session; or is put in the place of one who leads none, and
 * those who were with it are so still.
 */
CKPT_TEST(tree, root_leads)
{
	pid_t with, leader;

	board_make();
	NEED(setsid() == getpid());
	with = child(child_wait);
	leader = child(group_body);
	board_wait(2);
	ckpt_point();
	if (ckpt_mode != CKPT_BECOME)
		CHECK_EQ(getsid(0), getpid());
	CHECK_EQ(getsid(with), getsid(0));
	CHECK_EQ(getpgid(with), getpgrp());
	CHECK_EQ(getsid(leader), getsid(0));
	CHECK_EQ(getpgid(leader), leader);
	board->go = 1;
	end_of(with, 0);
	end_of(leader, 0);
	board_end();
}

/* The leader of group and session ends; who is left keeps both. */

static void orphan_body(void)
{
	pid_t sid = getsid(0);

	while (getppid() == sid)
		ckpt_msleep(1);
	child_wait();
	CHILD_CHECK(getsid(0) == sid);
	CHILD_CHECK(getpgrp() == sid);
}

static void leave_body(void)
{
	CHILD_CHECK(setsid() == getpid());
	board->said[0] = child(orphan_body);
}

CKPT_TEST(tree, leaders_gone)
{
	pid_t pid;

	board_make();
	NEED(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid = child(leave_body);
	end_of(pid, 0);
	board_wait(1);
	ckpt_point();
	CHECK_EQ(getsid(board->said[0]), pid);
	CHECK_EQ(getpgid(board->said[0]), pid);
	board->go = 1;
	end_of(board->said[0], 0);
	board_end();
}

/* A subreaper goes on to be one, for those below it too. */

static void deep_body(void)
{
	child_wait();
	if (child(sessions_inner))
		_exit(0);
}

CKPT_TEST(tree, subreaper)
{
	pid_t pid;
	int on = 0;

	board_make();
	NEED(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid = child(deep_body);
	board_wait(1);
	ckpt_point();
	CHECK_EQ(prctl(PR_GET_CHILD_SUBREAPER, &on), 0);
	CHECK_EQ(on, 1);
	board->go = 1;
	end_of(pid, 0);
	CHECK(wait(NULL) > 0);
	board_end();
}

/* Stopped by a signal: stays so, and its parent is not told of it again. */
CKPT_TEST(tree, stopped_child)
{
	siginfo_t info = {};
	pid_t pid;
	int status;

	board_make();
	pid = child(child_wait);
	board_wait(1);
	NEED(!kill(pid, SIGSTOP));
	NEED(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	signal(SIGCHLD, on_chld);
	ckpt_point();
	board->go = 1;
	ckpt_msleep(100);
	CHECK_EQ(chld, 0);
	CHECK_EQ(waitid(P_PID, pid, &info, WSTOPPED | WEXITED | WNOHANG), 0);
	CHECK_EQ(info.si_pid, 0);
	CHECK_EQ(kill(pid, SIGCONT), 0);
	end_of(pid, 0);
	board_end();
}

/* Stopped, and the parent has yet to ask. */
CKPT_TEST(tree, stop_untold)
{
	siginfo_t info = {};
	pid_t pid;
	int status;

	board_make();
	pid = child(child_wait);
	board_wait(1);
	NEED(!kill(pid, SIGTSTP));
	NEED(!waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT));
	ckpt_point();
	CHECK_EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
	board->go = 1;
	CHECK_EQ(kill(pid, SIGCONT), 0);
	end_of(pid, 0);
	board_end();
}

/* What clone(2) lets processes share, without their being threads. */

static int shared_value;

static int sharer(void *arg)
{
	(void)arg;
	shared_value = 1;
	child_wait();
	/* All these are seen by the other one. */
	shared_value = 2;
	board->said[1] = dup2(1, 66);
	board->said[2] = chdir("/");
	board->said[3] = signal(SIGUSR1, on_chld) == SIG_ERR;
	_exit(3);
}

static void share(unsigned long flags)
{
	static char stack[65536] __attribute__((aligned(16)));
	struct sigaction action;
	char path[128];
	pid_t pid;

	board_make();
	pid = clone(sharer, stack + sizeof(stack), flags | SIGCHLD, NULL);
	NEED(pid > 0);
	board_wait(1);
	ckpt_point();
	board->go = 1;
	end_of(pid, 3 << 8);
	CHECK_EQ(shared_value, flags & CLONE_VM ? 2 : 0);
	CHECK_EQ(fcntl(66, F_GETFD), flags & CLONE_FILES ? 0 : -1);
	CHECK(getcwd(path, sizeof(path)));
	CHECK_EQ(!strcmp(path, "/"), !!(flags & CLONE_FS));
	sigaction(SIGUSR1, NULL, &action);
	CHECK_EQ(action.sa_handler == on_chld, !!(flags & CLONE_SIGHAND));
	board_end();
}

CKPT_TEST(tree, share_none)
{
	share(0);
}

CKPT_TEST(tree, share_vm)
{
	share(CLONE_VM);
}

CKPT_TEST(tree, share_files)
{
	share(CLONE_FILES);
}

CKPT_TEST(tree, share_fs)
{
	share(CLONE_FS);
}

CKPT_TEST(tree, share_handlers)
{
	share(CLONE_VM | CLONE_SIGHAND);
}

CKPT_TEST(tree, share_all)
{
	share(CLONE_VM | CLONE_SIGHAND | CLONE_FS | CLONE_FILES |
	      CLONE_SYSVSEM);
}

/* Descriptions that were open before fork(2) have one offset. */

static void reader_body(void)
{
	char c;

	child_wait();
	CHILD_CHECK(read(50, &c, 1) == 1 && c == 'c');
}

CKPT_TEST(tree, offset)
{
	pid_t pid;
	char c;

	board_make();
	NEED(dup2(open("letters", O_RDWR | O_CREAT, 0600), 50) == 50);
	NEED(write(50, "abcdef", 6) == 6 && lseek(50, 1, SEEK_SET) == 1);
	pid = child(reader_body);
	board_wait(1);
	ckpt_point();
	CHECK(read(50, &c, 1) == 1 && c == 'b');
	board->go = 1;
	end_of(pid, 0);
	CHECK(read(50, &c, 1) == 1 && c == 'd');
	board_end();
}

/* The parent's end is a signal. */

static void pdeath_middle(void);

static void pdeath_body(void)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	child_ready();
	while (1)
		pause();
}

static void pdeath_middle(void)
{
	board->said[0] = child(pdeath_body);
	child_wait();
}

CKPT_TEST(tree, parent_death)
{
	pid_t pid;

	board_make();
	NEED(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid = child(pdeath_middle);
	board_wait(2);
	ckpt_point();
	board->go = 1;
	end_of(pid, 0);
	end_of(board->said[0], SIGTERM);
	board_end();
}

/* Children are a thread's own where __WNOTHREAD asks. */

static int parent_thread(void *arg)
{
	int status;
	pid_t pid;

	(void)arg;
	pid = fork();
	if (!pid) {
		child_wait();
		_exit(5);
	}
	child_wait();
	board->said[0] = waitpid(pid, &status, __WNOTHREAD | __WALL) == pid;
	board->said[1] = status;
	board->said[2] = 1;
	syscall(SYS_exit, 0);
	return 0;
}

CKPT_TEST(tree, threads_child)
{
	static char stack[65536] __attribute__((aligned(16)));

	board_make();
	NEED(clone(parent_thread, stack + sizeof(stack),
		   CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_FS |
		   CLONE_FILES, NULL) > 0);
	board_wait(2);
	ckpt_point();
	CHECK_EQ(waitpid(-1, NULL, __WNOTHREAD | __WALL | WNOHANG), -1);
	board->go = 1;
	while (!board->said[2])
		ckpt_msleep(1);
	CHECK_EQ(board->said[0], 1);
	CHECK_EQ(board->said[1], 5 << 8);
	board_end();
}

/* Exit signals other than SIGCHLD. */
CKPT_TEST(tree, exit_signal)
{
	struct clone_args args = { .exit_signal = SIGUSR2 };
	pid_t pid;

	board_make();
	signal(SIGUSR2, on_chld);
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (!pid) {
		child_wait();
		_exit(0);
	}
	board_wait(1);
	ckpt_point();
	CHECK_EQ(chld, 0);
	board->go = 1;
	while (!chld)
		ckpt_msleep(1);
	end_of(pid, 0);
}

/* Many. */

#define MANY	60

CKPT_TEST(tree, many)
{
	pid_t pid[MANY];

	board_make();
	for (int i = 0; i < MANY; i++)
		pid[i] = child(child_wait);
	board_wait(MANY);
	ckpt_point();
	board->go = 1;
	for (int i = 0; i < MANY; i++)
		end_of(pid[i], 0);
}

/* One below the other. */

static int depth;

static void chain_body(void)
{
	if (depth++ < 40)
		board->said[0] = child(chain_body);
	else
		board->said[1] = 1;
	child_wait();
	if (depth <= 40)
		CHILD_CHECK(wait(NULL) > 0);
}

CKPT_TEST(tree, deep)
{
	pid_t pid;

	board_make();
	pid = child(chain_body);
	board_wait(41);
	ckpt_point();
	board->go = 1;
	end_of(pid, 0);
	board_end();
}

/* Some are on their way to their end: they are seen to have come to it. */

#define VICTIMS	12

static void spin_body(void)
{
	child_ready();
	for (;;)
		;
}

CKPT_TEST(tree, killed_meanwhile)
{
	pid_t pid[VICTIMS];
	int status;

	board_make();
	for (int i = 0; i < VICTIMS; i++)
		pid[i] = child(spin_body);
	board_wait(VICTIMS);
	for (int i = 0; i < VICTIMS; i++)
		NEED(!kill(pid[i], SIGKILL));
	ckpt_point();
	for (int i = 0; i < VICTIMS; i++) {
		CHECK_EQ(waitpid(pid[i], &status, 0), pid[i]);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
}

CKPT_TEST_MAIN
