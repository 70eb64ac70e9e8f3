// SPDX-License-Identifier: GPL-2.0-only
/*
 * Controlling terminals, and the jobs that are on them: of a session that is in
 * the tree with both ends of its terminal, and of a tree that is a job itself.
 */
#define _GNU_SOURCE
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <termios.h>

/* A page that all of the tree share, to tell each other things. */
struct board {
	volatile int	ready;
	volatile int	go;
	volatile int	failed;
	volatile int	ints;
	volatile int	hups;
	volatile int	winches;
	volatile pid_t	shell;
	volatile pid_t	front;
	volatile pid_t	back;
};

static struct board *board;
static int master, slave, number;

#define CHILD_CHECK(condition)						\
	do {								\
		if (!CHECK(condition))					\
			board->failed = 1;				\
	} while (0)

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

/* For a condition to come true, and not for ever. */
#define AWAIT(condition)						\
	({								\
		int tries_ = 0;						\
									\
		while (!(condition) && tries_++ < 2000)			\
			ckpt_msleep(2);					\
		(condition);						\
	})

static void board_wait(int nr)
{
	NEED(AWAIT(board->ready >= nr));
}

static void open_master(void)
{
	int unlock = 0;

	master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	NEED(master >= 0);
	NEED(!ioctl(master, TIOCGPTN, &number));
	NEED(!ioctl(master, TIOCSPTLCK, &unlock));
}

static int open_slave(int flags)
{
	char name[32];

	snprintf(name, sizeof(name), "/dev/pts/%d", number);
	return open(name, flags);
}

static void press(const char *keys)
{
	NEED(write(master, keys, strlen(keys)) == (ssize_t)strlen(keys));
}

static void note_signal(int sig)
{
	if (sig == SIGINT)
		board->ints++;
	if (sig == SIGHUP)
		board->hups++;
	if (sig == SIGWINCH)
		board->winches++;
}

static void note_signals(void)
{
	struct sigaction action = { .sa_handler = note_signal };

	NEED(!sigaction(SIGINT, &action, NULL));
	NEED(!sigaction(SIGHUP, &action, NULL));
	NEED(!sigaction(SIGWINCH, &action, NULL));
}

/* A job, in a process group of its own. */
static pid_t job_new(void (*body)(void))
{
	pid_t pid = fork();

	NEED(pid >= 0);
	if (!pid) {
		setpgid(0, 0);
		signal(SIGTTOU, SIG_DFL);
		body();
		_exit(0);
	}
	NEED(!setpgid(pid, pid) || errno == EACCES);
	return pid;
}

static void give_terminal(pid_t pgrp)
{
	CHILD_CHECK(!tcsetpgrp(slave, pgrp));
}

/* The shell, on a terminal whose other end its parent has. */
static pid_t shell_new(void (*body)(void))
{
	pid_t pid = fork();

	NEED(pid >= 0);
	if (!pid) {
		close(master);
		NEED(setsid() == getpid());
		slave = open_slave(O_RDWR);
		NEED(slave >= 0);
		signal(SIGTTOU, SIG_IGN);
		body();
		_exit(0);
	}
	board->shell = pid;
	return pid;
}

static void end_of(pid_t pid, int status)
{
	int got = -1;

	CHECK_EQ(waitpid(pid, &got, 0), pid);
	CHECK_EQ(got, status);
}

/* All who wait go on when they are told, or are killed. */
static void loiter(void)
{
	child_ready();
	while (!board->go)
		ckpt_msleep(5);
}

CKPT_FIXTURE(jobs);

static void two_jobs_shell(void)
{
	int tty;

	board->front = job_new(loiter);
	board->back = job_new(loiter);
	give_terminal(board->front);
	tty = open("/dev/tty", O_RDWR);
	CHILD_CHECK(tty >= 0);
	loiter();
	CHILD_CHECK(getsid(0) == getpid());
	CHILD_CHECK(tcgetpgrp(slave) == board->front);
	CHILD_CHECK(tcgetsid(slave) == getpid());
	CHILD_CHECK(tcgetpgrp(tty) == board->front);
	close(tty);
	tty = open("/dev/tty", O_RDWR);
	CHILD_CHECK(tty >= 0 && tcgetsid(tty) == getpid());
	CHILD_CHECK(waitpid(board->front, NULL, 0) == board->front);
	CHILD_CHECK(waitpid(board->back, NULL, 0) == board->back);
}

CKPT_TEST(jobs, two)
{
	pid_t pgrp = 0, sid = 0;

	board_make();
	open_master();
	shell_new(two_jobs_shell);
	board_wait(3);
	ckpt_point();
	CHECK(!ioctl(master, TIOCGPGRP, &pgrp));
	CHECK_EQ(pgrp, board->front);
	CHECK(!ioctl(master, TIOCGSID, &sid));
	CHECK_EQ(sid, board->shell);
	board->go = 1;
	end_of(board->shell, 0);
	CHECK_EQ(board->failed, 0);
}

/* /dev/tty is what it was opened as, and goes on to be. */
static void by_name_shell(void)
{
	int tty = open("/dev/tty", O_RDWR | O_NONBLOCK), again;
	char link[32], name[32] = "";
	struct stat st;

	loiter();
	snprintf(link, sizeof(link), "/proc/self/fd/%d", tty);
	CHILD_CHECK(readlink(link, name, sizeof(name) - 1) > 0);
	CHILD_CHECK(!strcmp(name, "/dev/tty"));
	CHILD_CHECK(!fstat(tty, &st) && st.st_rdev == 0x500);
	CHILD_CHECK(fcntl(tty, F_GETFL) & O_NONBLOCK);
	CHILD_CHECK(write(tty, "here", 4) == 4);
	again = open("/dev/tty", O_RDWR);
	CHILD_CHECK(again >= 0);
	CHILD_CHECK(write(again, "there", 5) == 5);
}

CKPT_TEST(jobs, by_name)
{
	char buf[32] = "";

	board_make();
	open_master();
	shell_new(by_name_shell);
	board_wait(1);
	ckpt_point();
	board->go = 1;
	end_of(board->shell, 0);
	CHECK_EQ(read(master, buf, sizeof(buf)), 9);
	CHECK_TEXT("output", buf, "herethere");
	CHECK_EQ(board->failed, 0);
}

/* Keys go to those in the foreground, and to nobody else. */
static void front_job(void)
{
	struct winsize size;

	note_signals();
	loiter();
	CHILD_CHECK(!ioctl(slave, TIOCGWINSZ, &size) && size.ws_row == 17);
}

static void keys_shell(void)
{
	board->front = job_new(front_job);
	board->back = job_new(loiter);
	give_terminal(board->front);
	loiter();
	CHILD_CHECK(waitpid(board->front, NULL, 0) == board->front);
	CHILD_CHECK(waitpid(board->back, NULL, 0) == board->back);
}

CKPT_TEST(jobs, keys)
{
	struct winsize size = { 17, 40, 0, 0 };

	board_make();
	open_master();
	shell_new(keys_shell);
	board_wait(3);
	ckpt_point();
	press("\3");
	CHECK(AWAIT(board->ints == 1));
	CHECK(!ioctl(master, TIOCSWINSZ, &size));
	CHECK(AWAIT(board->winches == 1));
	board->go = 1;
	end_of(board->shell, 0);
	CHECK_EQ(board->ints, 1);
	CHECK_EQ(board->failed, 0);
}

/* One is stopped by ^Z, and is brought back by the shell. */
static void reading_job(void)
{
	char line[16] = "";

	child_ready();
	CHILD_CHECK(read(slave, line, sizeof(line)) == 5);
	CHILD_CHECK(!strcmp(line, "word\n"));
}

static void front_reading_job(void)
{
	CHILD_CHECK(AWAIT(tcgetpgrp(slave) == getpgrp()));
	reading_job();
}

static void stopped_shell(void)
{
	int status;

	board->front = job_new(front_reading_job);
	give_terminal(board->front);
	child_ready();
	CHILD_CHECK(waitpid(board->front, &status, WUNTRACED) == board->front);
	CHILD_CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
	give_terminal(getpgrp());
	loiter();
	give_terminal(board->front);
	CHILD_CHECK(!kill(-board->front, SIGCONT));
	CHILD_CHECK(waitpid(board->front, &status, WUNTRACED) == board->front);
	CHILD_CHECK(!status);
}

CKPT_TEST(jobs, stopped)
{
	board_make();
	open_master();
	shell_new(stopped_shell);
	board_wait(2);
	ckpt_msleep(20);
	press("\32");
	board_wait(3);
	ckpt_point();
	board->go = 1;
	press("word\n");
	end_of(board->shell, 0);
	CHECK_EQ(board->failed, 0);
}

/* Who reads in the background is stopped. */
static void background_job(void)
{
	loiter();
	reading_job();
}

static void background_shell(void)
{
	int status;

	board->back = job_new(background_job);
	loiter();
	CHILD_CHECK(waitpid(board->back, &status, WUNTRACED) == board->back);
	CHILD_CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
	give_terminal(board->back);
	CHILD_CHECK(!kill(-board->back, SIGCONT));
	CHILD_CHECK(waitpid(board->back, &status, WUNTRACED) == board->back);
	CHILD_CHECK(!status);
}

CKPT_TEST(jobs, background)
{
	board_make();
	open_master();
	shell_new(background_shell);
	board_wait(2);
	ckpt_point();
	board->go = 1;
	board_wait(3);
	ckpt_msleep(50);
	press("word\n");
	end_of(board->shell, 0);
	CHECK_EQ(board->failed, 0);
}

/* The terminal hangs up, and who leads the session is told. */
static void told_shell(void)
{
	note_signals();
	loiter();
	CHILD_CHECK(AWAIT(board->hups == 1));
	CHILD_CHECK(open("/dev/tty", O_RDWR) < 0 && errno == ENXIO);
}

CKPT_TEST(jobs, hangs_up)
{
	board_make();
	open_master();
	shell_new(told_shell);
	board_wait(1);
	ckpt_point();
	close(master);
	board->go = 1;
	end_of(board->shell, 0);
	CHECK_EQ(board->hups, 1);
	CHECK_EQ(board->failed, 0);
}

/* It has, and when he ends those who were in the foreground are told. */
static void survives_shell(void)
{
	signal(SIGHUP, SIG_IGN);
	board->front = job_new(front_job);
	give_terminal(board->front);
	child_ready();
	while (!board->go)
		ckpt_msleep(5);
}

CKPT_TEST(jobs, hung_up)
{
	board_make();
	NEED(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	open_master();
	shell_new(survives_shell);
	board_wait(2);
	close(master);
	ckpt_msleep(20);
	ckpt_point();
	CHECK_EQ(board->hups, 0);
	kill(board->shell, SIGKILL);
	end_of(board->shell, SIGKILL);
	CHECK(AWAIT(board->hups == 1));
	board->go = 1;
	CHECK_EQ(waitpid(board->front, NULL, 0), board->front);
}

/* One who gave up his terminal has none, though others of the session do. */
static void gave_up(void)
{
	NEED(!ioctl(slave, TIOCNOTTY));
	loiter();
	CHILD_CHECK(open("/dev/tty", O_RDWR) < 0 && errno == ENXIO);
}

static void gave_up_shell(void)
{
	board->back = job_new(gave_up);
	loiter();
	CHILD_CHECK(open("/dev/tty", O_RDWR) >= 0);
	CHILD_CHECK(waitpid(board->back, NULL, 0) == board->back);
}

CKPT_TEST(jobs, without_terminal)
{
	board_make();
	open_master();
	shell_new(gave_up_shell);
	board_wait(2);
	ckpt_point();
	board->go = 1;
	end_of(board->shell, 0);
	CHECK_EQ(board->failed, 0);
}

/* Whoever was in the foreground has ended, and nobody has noticed yet. */
static void nothing(void)
{
}

static void nobody_shell(void)
{
	board->front = job_new(nothing);
	give_terminal(board->front);
	CHILD_CHECK(waitpid(board->front, NULL, 0) == board->front);
	loiter();
	give_terminal(getpgrp());
	CHILD_CHECK(tcgetpgrp(slave) == getpgrp());
}

CKPT_TEST(jobs, nobody_in_front)
{
	board_make();
	open_master();
	shell_new(nobody_shell);
	board_wait(1);
	ckpt_point();
	board->go = 1;
	end_of(board->shell, 0);
	CHECK_EQ(board->failed, 0);
}

/* A terminal within a terminal, as of a multiplexer. */
static void inner_shell(void)
{
	loiter();
	CHILD_CHECK(tcgetsid(slave) == getpid());
	CHILD_CHECK(write(slave, "inner", 5) == 5);
}

static void outer_shell(void)
{
	char buf[16] = "";

	open_master();
	shell_new(inner_shell);
	loiter();
	CHILD_CHECK(read(master, buf, sizeof(buf)) == 5);
	CHILD_CHECK(write(slave, buf, 5) == 5);
}

CKPT_TEST(jobs, nested)
{
	char buf[16] = "";
	pid_t outer;

	board_make();
	open_master();
	outer = shell_new(outer_shell);
	board_wait(2);
	ckpt_point();
	board->go = 1;
	CHECK_EQ(read(master, buf, sizeof(buf)), 5);
	CHECK_TEXT("output", buf, "inner");
	end_of(outer, 0);
	CHECK_EQ(board->failed, 0);
}

/*
 * The tree is a job itself: of the test, which has a terminal, and is the shell.
 * Targets tell what they are by their status.
 */
CKPT_FIXTURE_ONLY(job);
CKPT_VARIANT(job, killed, CKPT_KILLED);

static struct termios settings(int fd)
{
	struct termios termios = {};

	NEED(!tcgetattr(fd, &termios));
	return termios;
}

static void set(int fd, const struct termios *termios)
{
	NEED(!tcsetattr(fd, TCSANOW, termios));
}

static void be_shell(struct __test_metadata *_metadata)
{
	ASSERT_LT(0, setsid());
	open_master();
	slave = open_slave(O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, slave);
	signal(SIGTTOU, SIG_IGN);
}

/* Started as a shell starts it: but it is still in our process group. */
static void start_job(struct __test_metadata *_metadata,
		      struct ckpt_target *target, const char *name)
{
	signal(SIGTTOU, SIG_DFL);
	ASSERT_EQ(0, ckpt_start(target, name, CKPT_KILLED));
	signal(SIGTTOU, SIG_IGN);
	ASSERT_EQ(0, ckpt_wait_ready(target));
}

static void take_job(struct __test_metadata *_metadata,
		     struct ckpt_target *target)
{
	struct winsize size = { 50, 100, 0, 0 };
	struct termios termios;

	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	/* Now the terminal is the shell's, and looks different. */
	ASSERT_EQ(0, tcsetpgrp(slave, getpgrp()));
	termios = settings(slave);
	termios.c_lflag |= ECHO | ICANON;
	set(slave, &termios);
	ASSERT_EQ(0, ioctl(master, TIOCSWINSZ, &size));
}

static void let_go(struct __test_metadata *_metadata, struct ckpt_target *target)
{
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* An editor, say: it has the foreground, and the terminal is raw. */
CKPT_TARGET(editor)
{
	struct termios termios;
	int tty = open("/dev/tty", O_RDWR), sid = getsid(0);

	board_make();
	NEED(tty >= 0);
	signal(SIGTTOU, SIG_IGN);
	NEED(!setpgid(0, 0));
	NEED(!tcsetpgrp(tty, getpid()));
	signal(SIGTTOU, SIG_DFL);
	termios = settings(tty);
	termios.c_lflag &= ~(ECHO | ICANON);
	set(tty, &termios);
	note_signals();
	ckpt_ready();
	ckpt_wait();
	CHECK(getpgrp() != getpid());
	CHECK_EQ(getpgrp(), getpgid(getppid()));
	CHECK_EQ(getsid(0), sid);
	CHECK_EQ(tcgetpgrp(tty), getpgrp());
	CHECK_EQ(settings(tty).c_lflag & (ECHO | ICANON), 0);
	CHECK_EQ(board->winches, 1);
}

TEST_F(job, foreground)
{
	be_shell(_metadata);
	start_job(_metadata, &self->target, "editor");
	take_job(_metadata, &self->target);
	ASSERT_LT(0, ckpt_restart(&self->target, 0));
	let_go(_metadata, &self->target);
}

/* In the background nothing of the terminal changes. */
CKPT_TARGET(in_background)
{
	struct termios termios;
	int tty = open("/dev/tty", O_RDWR);

	NEED(tty >= 0);
	NEED(!setpgid(0, 0));
	NEED(tcgetpgrp(tty) != getpgrp());
	ckpt_ready();
	ckpt_wait();
	termios = settings(tty);
	CHECK_EQ(termios.c_lflag & (ECHO | ICANON), ECHO | ICANON);
}

TEST_F(job, background)
{
	struct termios termios;

	be_shell(_metadata);
	start_job(_metadata, &self->target, "in_background");
	termios = settings(slave);
	termios.c_lflag &= ~ECHO;
	set(slave, &termios);
	take_job(_metadata, &self->target);
	ASSERT_LT(0, ckpt_restart(&self->target, 0));
	let_go(_metadata, &self->target);
}

/* A shell of its own: it knows its process group, and its job's, by number. */
CKPT_TARGET(inner)
{
	pid_t sid = getsid(0);

	board_make();
	slave = open("/dev/tty", O_RDWR);
	NEED(slave >= 0);
	signal(SIGTTOU, SIG_IGN);
	NEED(!setpgid(0, 0));
	board->front = job_new(loiter);
	NEED(!tcsetpgrp(slave, board->front));
	board_wait(1);
	ckpt_ready();
	ckpt_wait();
	CHECK_EQ(getsid(0), sid);
	CHECK_EQ(getpgrp(), getpid());
	CHECK_EQ(tcgetpgrp(slave), board->front);
	CHECK_EQ(getpgid(board->front), board->front);
	CHECK(!tcsetpgrp(slave, getpid()));
	CHECK_EQ(tcgetpgrp(slave), getpid());
	board->go = 1;
	end_of(board->front, 0);
}

TEST_F(job, with_jobs)
{
	be_shell(_metadata);
	start_job(_metadata, &self->target, "inner");
	take_job(_metadata, &self->target);
	ASSERT_LT(0, ckpt_restart(&self->target, 0));
	let_go(_metadata, &self->target);
}

/* It led the session of a terminal that is elsewhere. */
CKPT_TARGET(leader)
{
	pid_t sid;
	int tty;

	number = atoi(getenv("JOBS_NUMBER") ?: "-1");
	NEED(setsid() == getpid());
	slave = open_slave(O_RDWR);
	NEED(slave >= 0 && tcgetsid(slave) == getpid());
	signal(SIGTTOU, SIG_IGN);
	ckpt_ready();
	ckpt_wait();
	sid = getsid(0);
	tty = open("/dev/tty", O_RDWR);
	if (getenv("JOBS_ALONE")) {
		CHECK_EQ(sid, getpid());
		CHECK_EQ(tty, -1);
		return;
	}
	CHECK_EQ(getpgrp(), getpid());
	CHECK_EQ(sid, getsid(getppid()));
	CHECK_EQ(tcgetsid(slave), sid);
	CHECK_EQ(tcgetpgrp(tty), getpgrp());
}

static void start_leader(struct __test_metadata *_metadata,
			 struct ckpt_target *target)
{
	char text[16];

	open_master();
	snprintf(text, sizeof(text), "%d", number);
	setenv("JOBS_NUMBER", text, 1);
	ASSERT_EQ(0, ckpt_start(target, "leader", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
}

TEST_F(job, led_a_session)
{
	start_leader(_metadata, &self->target);
	be_shell(_metadata);
	ASSERT_LT(0, ckpt_restart(&self->target, 0));
	EXPECT_EQ(self->target.pid, tcgetpgrp(slave));
	let_go(_metadata, &self->target);
}

/* Nobody is there to take its place with. */
TEST_F(job, leads_a_session)
{
	setenv("JOBS_ALONE", "1", 1);
	start_leader(_metadata, &self->target);
	ASSERT_LT(0, setsid());
	ASSERT_EQ(0, dup2(open_slave(O_RDWR | O_NOCTTY), 0));
	ASSERT_LT(0, ckpt_restart(&self->target, 0));
	let_go(_metadata, &self->target);
}

CKPT_TEST_MAIN
