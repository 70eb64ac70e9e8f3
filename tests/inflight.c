// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls in flight: after a checkpoint they go on as after a stop and a
 * continue. So the same targets are stopped and continued, for comparison.
 */
#include "ckpt_test.h"

#include <linux/futex.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/time.h>
#include <termios.h>

/* i386 has an older call by that name, whose arguments are in memory. */
#ifdef SYS__newselect
#undef SYS_select
#define SYS_select	SYS__newselect
#endif

/*
 * A call that ends by a time-out takes TOTAL. It is interrupted after BEFORE,
 * for GAP or, as the machine may be busy, a while longer; of which the target is
 * told. All in milliseconds. What then takes less than SOON more is on time: had
 * a call begun anew that would be BEFORE more.
 */
#define TOTAL	600
#define BEFORE	470
#define GAP	60
#define SOON	440
/* The clocks of two emulated CPUs may disagree by so much. */
#define APART	3

/* How often to try to be in time for the interruption. */
#define TRIES	5

/* How long a target was gone: at least, and at most. */
struct lost {
	long long	least;
	long long	most;
};

FIXTURE(inflight) {
	struct ckpt_target	target;
	int			terminal;
};

FIXTURE_VARIANT(inflight) {
	enum ckpt_mode	mode;
};

#define STOPPED	CKPT_NEVER

CKPT_VARIANT(inflight, stopped, STOPPED);
CKPT_VARIANT(inflight, live, CKPT_LIVE);
CKPT_VARIANT(inflight, killed, CKPT_KILLED);

FIXTURE_SETUP(inflight)
{
	memset(self, 0, sizeof(*self));
	self->terminal = -1;
	(void)variant;
}

FIXTURE_TEARDOWN(inflight)
{
	ckpt_clean(&self->target);
	if (self->terminal >= 0)
		close(self->terminal);
}

/* In the target. */

static long long began;

static void begin(void)
{
	began = ckpt_now();
	ckpt_ready();
}

static struct lost read_lost(void)
{
	struct lost lost;
	int fd;

	while ((fd = open("lost", O_RDONLY | O_CLOEXEC)) < 0)
		ckpt_msleep(1);
	NEED(read(fd, &lost, sizeof(lost)) == sizeof(lost));
	close(fd);
	return lost;
}

static void was_to_take(long long least, long long most)
{
	long long passed = ckpt_now() - began;

	if (passed < least - APART || passed > most + SOON)
		ckpt_fail(__FILE__, __LINE__, "%lld ms, not %lld to %lld",
			  passed, least, most);
}

/* A point in time is what it is. */
static void took_until(void)
{
	was_to_take(TOTAL, TOTAL);
}

/* Some calls note how much time is left as they are interrupted. */
static void took_interrupted(void)
{
	struct lost lost = read_lost();

	was_to_take(TOTAL + lost.least, TOTAL + lost.most);
}

/* The clock goes on while a task is stopped, but not while there is none. */
static void took_running(void)
{
	if (ckpt_mode == CKPT_KILLED)
		took_interrupted();
	else
		took_until();
}

static struct timespec total(void)
{
	return (struct timespec){ TOTAL / 1000, TOTAL % 1000 * 1000000L };
}

/* After begin(), before which nothing may have begun. */
static struct timespec total_from(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	time.tv_nsec += TOTAL % 1000 * 1000000L;
	time.tv_sec += TOTAL / 1000 + time.tv_nsec / 1000000000;
	time.tv_nsec %= 1000000000;
	return time;
}

static volatile int handled;

static void handler(int sig)
{
	(void)sig;
	handled++;
}

static void handle(void)
{
	struct sigaction action = { .sa_handler = handler };

	CHECK(!sigaction(SIGUSR1, &action, NULL));
}

static sigset_t only(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	if (sig)
		sigaddset(&set, sig);
	return set;
}

static void block(void)
{
	sigset_t set = only(SIGUSR1);

	CHECK(!sigprocmask(SIG_BLOCK, &set, NULL));
	handle();
}

static bool blocked(void)
{
	sigset_t set;

	CHECK(!sigprocmask(SIG_BLOCK, NULL, &set));
	return sigismember(&set, SIGUSR1);
}

/* The other side. */

static int write_lost(struct ckpt_target *target, struct lost lost)
{
	int fd = open(ckpt_path(target, "lost.new"),
		      O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	char name[128];
	ssize_t len;

	if (fd < 0)
		return -1;
	len = write(fd, &lost, sizeof(lost));
	close(fd);
	snprintf(name, sizeof(name), "%s/lost", target->dir);
	if (len != sizeof(lost) || rename(ckpt_path(target, "lost.new"), name))
		return -1;
	return 0;
}

/* Have it not run; and again, later. */
static int interrupt_begin(struct ckpt_target *target)
{
	int status;

	if (target->mode == CKPT_LIVE)
		return ckpt_checkpoint(target, 0) > 0 ? 0 : -1;
	if (target->mode == CKPT_KILLED) {
		if (ckpt_checkpoint(target, CHECKPOINT_KILL) <= 0)
			return -1;
		ckpt_kill(target);
		return 0;
	}
	kill(target->pid, SIGSTOP);
	return waitpid(target->pid, &status, WUNTRACED) == target->pid &&
	       WIFSTOPPED(status) ? 0 : -1;
}

static int interrupt_end(struct ckpt_target *target)
{
	if (target->mode == CKPT_LIVE)
		return 0;
	if (target->mode == CKPT_KILLED)
		return ckpt_restart(target, 0) > 0 ? 0 : -1;
	return kill(target->pid, SIGCONT);
}

static int interrupt(struct ckpt_target *target)
{
	long long from = ckpt_now(), stopped;
	struct lost lost = {};

	if (interrupt_begin(target))
		return -1;
	stopped = ckpt_now();
	if (target->mode != CKPT_LIVE) {
		ckpt_msleep(GAP);
		/* The clock of milliseconds may be one ahead. */
		lost.least = ckpt_now() - stopped - 1;
	}
	if (interrupt_end(target))
		return -1;
	lost.most = ckpt_now() - from + 1;
	return write_lost(target, lost);
}

/* Have the target get into a call, and interrupt it there. */
static int in_call_once(struct ckpt_target *target, const char *name,
			enum ckpt_mode mode, long nr, int before)
{
	long long now;

	if (ckpt_start(target, name, mode) || ckpt_wait_ready(target))
		return -1;
	now = ckpt_now();
	if (ckpt_wait_syscall(target, nr))
		return -1;
	now = ckpt_now() - now;
	if (now < before)
		ckpt_msleep(before - now);
	return interrupt(target);
}

/* On a machine that is busy with other things the call may be over by then. */
static void in_call(struct __test_metadata *_metadata,
		    struct ckpt_target *target, const char *name,
		    enum ckpt_mode mode, long nr, int before)
{
	long long from;
	int err;

	for (int i = 0; i < TRIES; i++) {
		from = ckpt_now();
		err = in_call_once(target, name, mode, nr, before);
		if (!err || ckpt_now() - from < TOTAL)
			break;
		TH_LOG("too late, again");
		ckpt_clean(target);
	}
	ASSERT_EQ(0, err)
		TH_LOG("%ld: %s", target->ret, target->log);
}

/* What ends by itself, in time. */
#define TIMED(name, nr)							\
	TEST_F(inflight, name)						\
	{								\
		in_call(_metadata, &self->target, #name, variant->mode,	\
			nr, BEFORE);					\
		EXPECT_EQ(0, ckpt_end(&self->target));			\
	}								\
	CKPT_TARGET(name)

/* What is ended from outside. It must not end before that. */
#define ENDED(name, nr, how)						\
	TEST_F(inflight, name)						\
	{								\
		in_call(_metadata, &self->target, #name, variant->mode,	\
			nr, 5);						\
		ckpt_msleep(30);					\
		ckpt_go(&self->target);					\
		how(&self->target);					\
		EXPECT_EQ(0, ckpt_end(&self->target));			\
	}								\
	CKPT_TARGET(name)

static void by_signal(struct ckpt_target *target)
{
	kill(target->pid, SIGUSR1);
}

static void by_wake(struct ckpt_target *target)
{
	int fd = open(ckpt_path(target, "futex"), O_RDWR | O_CLOEXEC);
	int *futex = mmap(NULL, 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	close(fd);
	*futex = 1;
	syscall(SYS_futex, futex, FUTEX_WAKE, 1, NULL, NULL, 0);
	munmap(futex, 4);
}

TIMED(nanosleep, SYS_nanosleep)
{
	struct timespec time = total(), left = { 77, 77 };

	begin();
	CHECK(!syscall(SYS_nanosleep, &time, &left));
	took_running();
}

static void sleep_on(clockid_t clock)
{
	struct timespec time = total();

	begin();
	CHECK(!syscall(SYS_clock_nanosleep, clock, 0, &time, NULL));
	took_running();
}

TIMED(clock_realtime, SYS_clock_nanosleep)
{
	sleep_on(CLOCK_REALTIME);
}

TIMED(clock_monotonic, SYS_clock_nanosleep)
{
	sleep_on(CLOCK_MONOTONIC);
}

TIMED(clock_boottime, SYS_clock_nanosleep)
{
	sleep_on(CLOCK_BOOTTIME);
}

static void sleep_until(clockid_t clock)
{
	struct timespec time;

	begin();
	time = total_from(clock);
	CHECK(!syscall(SYS_clock_nanosleep, clock, TIMER_ABSTIME, &time, NULL));
	took_until();
}

TIMED(until_realtime, SYS_clock_nanosleep)
{
	sleep_until(CLOCK_REALTIME);
}

TIMED(until_monotonic, SYS_clock_nanosleep)
{
	sleep_until(CLOCK_MONOTONIC);
}

/* What a handler cuts short, some time later, tells of the time that was left. */
TIMED(nanosleep_left, SYS_nanosleep)
{
	struct itimerval timer = { .it_value = { 0, TOTAL * 1000 } };
	struct timespec time = { 10, 0 }, left = { 77, 77 };
	struct lost lost = {};
	long long rest;

	signal(SIGALRM, handler);
	begin();
	CHECK(!setitimer(ITIMER_REAL, &timer, NULL));
	CHECK(syscall(SYS_nanosleep, &time, &left) && errno == EINTR);
	CHECK_EQ(handled, 1);
	rest = 10000 - (ckpt_now() - began);
	rest -= left.tv_sec * 1000 + left.tv_nsec / 1000000;
	if (ckpt_mode == CKPT_KILLED)
		lost = read_lost();
	if (rest + lost.least > 5 || rest + lost.most < -SOON)
		ckpt_fail(__FILE__, __LINE__, "%lld ms more are left",
			  rest);
}

TIMED(poll_time, SYS_poll)
{
	begin();
	CHECK_EQ(syscall(SYS_poll, NULL, 0, TOTAL), 0);
	took_running();
}

TIMED(ppoll_time, SYS_ppoll)
{
	struct timespec time = total();

	begin();
	CHECK_EQ(syscall(SYS_ppoll, NULL, 0, &time, NULL, 0), 0);
	took_interrupted();
	CHECK_EQ(time.tv_sec * 1000000000 + time.tv_nsec, 0);
}

TIMED(select_time, SYS_select)
{
	struct timeval time = { TOTAL / 1000, TOTAL % 1000 * 1000 };

	begin();
	CHECK_EQ(syscall(SYS_select, 0, NULL, NULL, NULL, &time), 0);
	took_interrupted();
}

TIMED(pselect_time, SYS_pselect6)
{
	struct timespec time = total();

	begin();
	CHECK_EQ(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &time, NULL), 0);
	took_interrupted();
}

TIMED(futex_time, SYS_futex)
{
	struct timespec time = total();
	int futex = 7;

	begin();
	CHECK(syscall(SYS_futex, &futex, FUTEX_WAIT_PRIVATE, 7, &time, NULL,
		      0) == -1 && errno == ETIMEDOUT);
	took_running();
}

TIMED(futex_until, SYS_futex)
{
	struct timespec time;
	int futex = 7;

	begin();
	time = total_from(CLOCK_MONOTONIC);
	CHECK(syscall(SYS_futex, &futex, FUTEX_WAIT_BITSET_PRIVATE, 7, &time,
		      NULL, 0x10) == -1 && errno == ETIMEDOUT);
	took_running();
}

TIMED(futex_until_realtime, SYS_futex)
{
	struct timespec time;
	int futex = 7;

	begin();
	time = total_from(CLOCK_REALTIME);
	CHECK(syscall(SYS_futex, &futex, FUTEX_WAIT_BITSET_PRIVATE |
		      FUTEX_CLOCK_REALTIME, 7, &time, NULL, ~0) == -1 &&
	      errno == ETIMEDOUT);
	took_running();
}

/* The value has changed by the time that it looks again. */
ENDED(futex_changed, SYS_futex, by_signal)
{
	int fd = open("futex", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	int *futex;

	NEED(fd >= 0 && !ftruncate(fd, 4096));
	futex = mmap(NULL, 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(futex != MAP_FAILED);
	close(fd);
	handle();
	ckpt_ready();
	CHECK(syscall(SYS_futex, futex, FUTEX_WAIT, 0, NULL, NULL, 0) == -1);
	CHECK_EQ(errno, EINTR);
	CHECK_EQ(handled, 1);
	CHECK(ckpt_gone());
}

ENDED(futex_woken, SYS_futex, by_wake)
{
	int fd = open("futex", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	struct timespec time = { 10, 0 };
	int *futex;

	NEED(fd >= 0 && !ftruncate(fd, 4096));
	futex = mmap(NULL, 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(futex != MAP_FAILED);
	close(fd);
	ckpt_ready();
	CHECK_EQ(syscall(SYS_futex, futex, FUTEX_WAIT, 0, &time, NULL, 0), 0);
	CHECK_EQ(*futex, 1);
	CHECK(ckpt_gone());
}

ENDED(poll_for_ever, SYS_poll, by_signal)
{
	handle();
	ckpt_ready();
	CHECK(syscall(SYS_poll, NULL, 0, -1) == -1 && errno == EINTR);
	CHECK_EQ(handled, 1);
	CHECK(ckpt_gone());
}

ENDED(ppoll_mask, SYS_ppoll, by_signal)
{
	sigset_t none = only(0);

	block();
	ckpt_ready();
	CHECK(ppoll(NULL, 0, NULL, &none) == -1 && errno == EINTR);
	CHECK_EQ(handled, 1);
	CHECK(blocked());
	CHECK(ckpt_gone());
}

ENDED(pselect_mask, SYS_pselect6, by_signal)
{
	sigset_t none = only(0);

	block();
	ckpt_ready();
	CHECK(pselect(0, NULL, NULL, NULL, NULL, &none) == -1 &&
	      errno == EINTR);
	CHECK_EQ(handled, 1);
	CHECK(blocked());
	CHECK(ckpt_gone());
}

ENDED(pause, SYS_pause, by_signal)
{
	handle();
	ckpt_ready();
	CHECK(syscall(SYS_pause) == -1 && errno == EINTR);
	CHECK_EQ(handled, 1);
	CHECK(ckpt_gone());
}

ENDED(sigsuspend, SYS_rt_sigsuspend, by_signal)
{
	sigset_t none = only(0);

	block();
	ckpt_ready();
	CHECK(sigsuspend(&none) == -1 && errno == EINTR);
	CHECK_EQ(handled, 1);
	CHECK(blocked());
	CHECK(ckpt_gone());
}

/* One of the few that a stop and continue ends: with EINTR, see signal(7). */
ENDED(sigwait, SYS_rt_sigtimedwait, by_signal)
{
	sigset_t set = only(SIGUSR1);
	siginfo_t info = {};
	int ret;

	block();
	ckpt_ready();
	do
		ret = sigwaitinfo(&set, &info);
	while (ret < 0 && errno == EINTR && !ckpt_gone());
	if (ret < 0 && errno == EINTR)
		ret = sigwaitinfo(&set, &info);
	CHECK_EQ(ret, SIGUSR1);
	CHECK_EQ(info.si_pid, getppid());
	CHECK_EQ(handled, 0);
}

/* A handler that was there to have calls restarted. */
ENDED(restarting_handler, SYS_futex, by_signal)
{
	struct sigaction action = {
		.sa_handler = handler,
		.sa_flags = SA_RESTART,
	};
	struct timespec time = { 0, 300000000 };
	int futex = 7;

	CHECK(!sigaction(SIGUSR1, &action, NULL));
	ckpt_ready();
	CHECK(syscall(SYS_futex, &futex, FUTEX_WAIT_PRIVATE, 7, &time, NULL,
		      0) == -1);
	/* With a time-out it is not restarted after a handler. */
	CHECK_EQ(errno, EINTR);
	CHECK_EQ(handled, 1);
}

/* A terminal, of which the test has the other end, and the same at 0. */
static void terminal(struct __test_metadata *_metadata, int *master)
{
	int slave;

	ASSERT_EQ(0, openpty(master, &slave, NULL, NULL, NULL));
	ASSERT_EQ(0, dup2(slave, 0));
	ASSERT_EQ(0, fcntl(*master, F_SETFD, FD_CLOEXEC));
	close(slave);
}

static void in_terminal_call(struct __test_metadata *_metadata,
			     struct ckpt_target *target, const char *name,
			     enum ckpt_mode mode, long nr, int *master)
{
	terminal(_metadata, master);
	ASSERT_EQ(0, setenv("TERMINAL", ttyname(0), 1));
	in_call(_metadata, target, name, mode, nr, 5);
	ckpt_msleep(30);
	ASSERT_EQ(6, write(*master, "hello\n", 6));
	EXPECT_EQ(0, ckpt_end(target));
}

static int open_terminal(void)
{
	int fd = open(getenv("TERMINAL"), O_RDWR | O_NOCTTY);

	NEED(fd >= 0);
	return fd;
}

#define TERMINAL(name, nr)						\
	TEST_F(inflight, name)						\
	{								\
		in_terminal_call(_metadata, &self->target, #name,	\
				 variant->mode, nr, &self->terminal);	\
	}								\
	CKPT_TARGET(name)

static void read_hello(int fd)
{
	char line[16] = "";

	CHECK_EQ(read(fd, line, sizeof(line) - 1), 6);
	CHECK(!strcmp(line, "hello\n"));
}

TERMINAL(terminal_read, SYS_read)
{
	int fd = open_terminal();

	ckpt_ready();
	read_hello(fd);
}

TERMINAL(terminal_poll, SYS_poll)
{
	struct pollfd poll = { open_terminal(), POLLIN, 0 };

	ckpt_ready();
	CHECK_EQ(syscall(SYS_poll, &poll, 1, 10000), 1);
	CHECK_EQ(poll.revents, POLLIN);
	read_hello(poll.fd);
}

TERMINAL(terminal_select, SYS_select)
{
	int fd = open_terminal();
	struct timeval time = { 10, 0 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	ckpt_ready();
	CHECK_EQ(syscall(SYS_select, fd + 1, &set, NULL, NULL, &time), 1);
	CHECK(FD_ISSET(fd, &set));
	read_hello(fd);
}

CKPT_TEST_MAIN
