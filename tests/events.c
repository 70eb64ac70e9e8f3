// SPDX-License-Identifier: GPL-2.0-only
/* Descriptors of events: eventfd, signalfd, timerfd. */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>

#define MS	1000000LL
#define SECOND	(1000 * MS)

static bool readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	NEED(poll(&poll_fd, 1, 0) >= 0);
	return poll_fd.revents & POLLIN;
}

/* -1 if there is nothing, or reading says why. */
static long long number_in(int fd)
{
	uint64_t nr;

	return read(fd, &nr, sizeof(nr)) == sizeof(nr) ? (long long)nr : -1;
}

static void add(int fd, uint64_t nr)
{
	NEED(write(fd, &nr, sizeof(nr)) == sizeof(nr));
}

CKPT_FIXTURE(events);

/* eventfd */

CKPT_TEST(events, counter)
{
	int fd = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);

	NEED(fd >= 0);
	add(fd, 4);
	ckpt_point();
	CHECK_EQ(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK(readable(fd));
	CHECK_EQ(number_in(fd), 7);
	CHECK_EQ(number_in(fd), -1);
	CHECK_EQ(errno, EAGAIN);
	add(fd, 5);
	CHECK_EQ(number_in(fd), 5);
}

CKPT_TEST(events, counter_empty)
{
	int fd = eventfd(0, 0);

	NEED(fd >= 0);
	ckpt_point();
	CHECK(!readable(fd));
	CHECK_EQ(fcntl(fd, F_GETFL), O_RDWR);
	add(fd, 1);
	CHECK_EQ(number_in(fd), 1);
}

CKPT_TEST(events, counter_full)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	uint64_t one = 1;

	NEED(fd >= 0);
	add(fd, -2);
	ckpt_point();
	CHECK_EQ(write(fd, &one, sizeof(one)), -1);
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(number_in(fd), -2);
}

CKPT_TEST(events, semaphore)
{
	int fd = eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK);

	NEED(fd >= 0);
	ckpt_point();
	CHECK_EQ(number_in(fd), 1);
	CHECK_EQ(number_in(fd), 1);
	CHECK_EQ(number_in(fd), 1);
	CHECK_EQ(number_in(fd), -1);
}

CKPT_TEST(events, counters)
{
	int fd[100];

	for (int i = 0; i < 100; i++)
		NEED((fd[i] = eventfd(i, EFD_NONBLOCK)) >= 0);
	ckpt_point();
	for (int i = 0; i < 100; i++)
		CHECK_EQ(number_in(fd[i]), i ?: -1);
}

/* signalfd */

static int get_signalfd(int first, int second, int flags)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, first);
	sigaddset(&set, second);
	fd = signalfd(-1, &set, flags);
	NEED(fd >= 0 && !sigprocmask(SIG_BLOCK, &set, NULL));
	return fd;
}

static int signal_in(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof(info)) == sizeof(info) ?
	       (int)info.ssi_signo : -1;
}

CKPT_TEST(events, signals)
{
	int fd = get_signalfd(SIGUSR1, SIGRTMIN + 3, SFD_NONBLOCK);
	sigset_t set;

	ckpt_point();
	CHECK_EQ(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
	CHECK(!readable(fd));
	raise(SIGUSR1);
	CHECK(readable(fd));
	CHECK_EQ(signal_in(fd), SIGUSR1);
	raise(SIGRTMIN + 3);
	CHECK_EQ(signal_in(fd), SIGRTMIN + 3);
	/* Of others it knows nothing. */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	NEED(!sigprocmask(SIG_BLOCK, &set, NULL));
	raise(SIGUSR2);
	CHECK_EQ(signal_in(fd), -1);
	CHECK_EQ(errno, EAGAIN);
}

CKPT_TEST(events, signal_pending)
{
	int fd = get_signalfd(SIGUSR1, SIGUSR2, SFD_CLOEXEC);
	struct signalfd_siginfo info;

	sigqueue(getpid(), SIGUSR2, (union sigval){ .sival_int = 77 });
	ckpt_point();
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK(readable(fd));
	CHECK_EQ(read(fd, &info, sizeof(info)), sizeof(info));
	CHECK_EQ(info.ssi_signo, SIGUSR2);
	CHECK_EQ(info.ssi_int, 77);
}

/* timerfd */

static int get_timer(int clock, int flags, long long first, long long interval)
{
	struct itimerspec spec = {
		.it_value = { first / SECOND, first % SECOND },
		.it_interval = { interval / SECOND, interval % SECOND },
	};
	struct timespec now;
	int fd = timerfd_create(clock, TFD_NONBLOCK);

	NEED(fd >= 0);
	if (flags & TFD_TIMER_ABSTIME) {
		clock_gettime(clock == CLOCK_REALTIME_ALARM ? CLOCK_REALTIME :
			      clock == CLOCK_BOOTTIME_ALARM ? CLOCK_BOOTTIME :
			      clock, &now);
		first += now.tv_sec * SECOND + now.tv_nsec;
		spec.it_value.tv_sec = first / SECOND;
		spec.it_value.tv_nsec = first % SECOND;
	}
	NEED(!timerfd_settime(fd, flags, &spec, NULL));
	return fd;
}

static long long left(int fd)
{
	struct itimerspec spec;

	NEED(!timerfd_gettime(fd, &spec));
	return spec.it_value.tv_sec * SECOND + spec.it_value.tv_nsec;
}

static long long interval(int fd)
{
	struct itimerspec spec;

	NEED(!timerfd_gettime(fd, &spec));
	return spec.it_interval.tv_sec * SECOND + spec.it_interval.tv_nsec;
}

/* What /proc says of the way in which it was set. */
static bool info_says(int fd, const char *text)
{
	static char buf[1024];
	char name[64];

	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
	ckpt_read(name, buf, sizeof(buf));
	return strstr(buf, text);
}

static const int clocks[] = {
	CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME_ALARM,
	CLOCK_BOOTTIME_ALARM,
};

CKPT_TEST(events, timers)
{
	char text[32];
	int fd[5][2];

	for (int i = 0; i < 5; i++) {
		fd[i][0] = get_timer(clocks[i], 0, 1000 * SECOND, 5 * SECOND);
		fd[i][1] = get_timer(clocks[i], TFD_TIMER_ABSTIME,
				     2000 * SECOND, 0);
	}
	ckpt_point();
	for (int i = 0; i < 5; i++) {
		CHECK(left(fd[i][0]) <= 1000 * SECOND);
		CHECK(left(fd[i][0]) > 980 * SECOND);
		CHECK(left(fd[i][1]) <= 2000 * SECOND);
		CHECK(left(fd[i][1]) > 1980 * SECOND);
		CHECK_EQ(interval(fd[i][0]), 5 * SECOND);
		CHECK_EQ(interval(fd[i][1]), 0);
		CHECK(!readable(fd[i][0]) && !readable(fd[i][1]));
		snprintf(text, sizeof(text), "clockid: %d\n", clocks[i]);
		CHECK(info_says(fd[i][0], text) && info_says(fd[i][1], text));
		CHECK(info_says(fd[i][0], "settime flags: 00"));
		CHECK(info_says(fd[i][1], "settime flags: 01"));
		CHECK_EQ(number_in(fd[i][0]), -1);
		CHECK_EQ(errno, EAGAIN);
	}
}

CKPT_TEST(events, timer_off)
{
	int never = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	int fd = get_timer(CLOCK_MONOTONIC, 0, 100 * SECOND, SECOND);
	struct itimerspec none = {};

	NEED(never >= 0 && !timerfd_settime(fd, 0, &none, NULL));
	ckpt_point();
	CHECK_EQ(left(never), 0);
	CHECK_EQ(left(fd), 0);
	CHECK(!readable(never) && !readable(fd));
	CHECK_EQ(fcntl(never, F_GETFD), FD_CLOEXEC);
}

/* It goes off afterwards, again and again. */
CKPT_TEST(events, timer_ticks)
{
	int fd[5];

	for (int i = 0; i < 5; i++)
		fd[i] = get_timer(clocks[i], i & 1 ? TFD_TIMER_ABSTIME : 0,
				  200 * MS, 50 * MS);
	ckpt_point();
	for (int i = 0; i < 5; i++) {
		struct pollfd poll_fd = { .fd = fd[i], .events = POLLIN };

		CHECK_EQ(poll(&poll_fd, 1, 5000), 1);
		CHECK(number_in(fd[i]) >= 1);
		CHECK_EQ(poll(&poll_fd, 1, 5000), 1);
		CHECK(number_in(fd[i]) >= 1);
	}
}

/* It went off before, once or often, and nobody has read that yet. */
CKPT_TEST(events, timer_due)
{
	int once = get_timer(CLOCK_MONOTONIC, 0, MS, 0);
	int often = get_timer(CLOCK_BOOTTIME, 0, MS, 1000 * SECOND);

	ckpt_msleep(20);
	ckpt_point();
	CHECK(readable(once) && readable(often));
	CHECK_EQ(left(once), 0);
	CHECK_EQ(number_in(once), 1);
	CHECK_EQ(number_in(once), -1);
	CHECK(left(often) > 980 * SECOND);
	CHECK_EQ(number_in(often), 1);
	CHECK_EQ(number_in(often), -1);
}

/*
 * While nobody looks, a tick stands for all that there should have been. Before the
 * kernel trusts its clock no timer has an interval of less than one of its own ticks,
 * 10 ms at most.
 */
CKPT_TEST(events, timer_overrun)
{
	int fd = get_timer(CLOCK_MONOTONIC, 0, MS, 10 * MS);
	long long nr;

	ckpt_msleep(500);
	ckpt_point();
	nr = number_in(fd);
	CHECK(nr >= 45);
	CHECK(readable(fd) || left(fd) <= 10 * MS);
}

CKPT_TEST(events, timer_read)
{
	int fd = get_timer(CLOCK_MONOTONIC, 0, MS, 0);

	ckpt_msleep(20);
	NEED(number_in(fd) == 1);
	ckpt_point();
	CHECK(!readable(fd));
	CHECK_EQ(left(fd), 0);
}

/* Somebody sets the clock. */

FIXTURE(clock_set) {
	struct ckpt_target target;
};

FIXTURE_VARIANT(clock_set) {
	enum ckpt_mode mode;
};

FIXTURE_VARIANT_ADD(clock_set, live) { .mode = CKPT_LIVE };
FIXTURE_VARIANT_ADD(clock_set, killed) { .mode = CKPT_KILLED };

FIXTURE_SETUP(clock_set)
{
	memset(self, 0, sizeof(*self));
	(void)variant;
}

FIXTURE_TEARDOWN(clock_set)
{
	ckpt_clean(&self->target);
}

static int set_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec++;
	return clock_settime(CLOCK_REALTIME, &now);
}

#define CANCELS	(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)

CKPT_TARGET(set_before)
{
	int fd = get_timer(CLOCK_REALTIME, CANCELS, 1000 * SECOND, 0);

	NEED(!set_clock());
	ckpt_point();
	CHECK(readable(fd));
	CHECK_EQ(number_in(fd), -1);
	CHECK_EQ(errno, ECANCELED);
	CHECK_EQ(number_in(fd), -1);
	CHECK_EQ(errno, EAGAIN);
}

CKPT_TARGET(set_after)
{
	int fd = get_timer(CLOCK_REALTIME, CANCELS, 1000 * SECOND, 0);

	ckpt_point();
	CHECK(!readable(fd));
	CHECK(info_says(fd, "settime flags: 03"));
	NEED(!set_clock());
	CHECK_EQ(number_in(fd), -1);
	CHECK_EQ(errno, ECANCELED);
}

TEST_F(clock_set, before)
{
	EXPECT_EQ(0, ckpt_run(&self->target, "set_before", variant->mode));
}

TEST_F(clock_set, after)
{
	EXPECT_EQ(0, ckpt_run(&self->target, "set_after", variant->mode));
}

/* Who may not wake the machine may not have such a timer made. */
CKPT_TARGET(wakes)
{
	get_timer(CLOCK_BOOTTIME_ALARM, 0, 1000 * SECOND, 0);
	ckpt_point();
}

TEST(wake_alarm)
{
	struct ckpt_target target;

	ASSERT_EQ(0, ckpt_start(&target, "wakes", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	EXPECT_LT(0, ckpt_checkpoint(&target, CHECKPOINT_KILL));
	ckpt_kill(&target);
	ASSERT_EQ(0, chmod(target.dir, 0755));
	ASSERT_EQ(0, chmod(ckpt_path(&target, "image"), 0644));
	ASSERT_EQ(0, chmod(ckpt_path(&target, "log"), 0666));
	ASSERT_EQ(0, syscall(SYS_setresuid, 1000, 1000, 0));
	EXPECT_EQ(-EPERM, ckpt_restart(&target, RESTART_NEW_PIDS));
	EXPECT_NE(NULL, strstr(target.log, "CAP_WAKE_ALARM"));
	ASSERT_EQ(0, syscall(SYS_setresuid, 0, 0, 0));
	ckpt_clean(&target);
}

/* A counter that a process outside has too. */

CKPT_TARGET(inherited)
{
	ckpt_ready();
	ckpt_wait();
}

static void from_outside(struct __test_metadata *_metadata, int fd)
{
	struct ckpt_target target = { .mode = CKPT_LIVE };

	snprintf(target.dir, sizeof(target.dir), "/tmp/ckpt-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(target.dir));
	target.pid = fork();
	ASSERT_LE(0, target.pid);
	if (!target.pid) {
		NEED(dup2(fd, 100) == 100 && !chdir(target.dir));
		syscall(SYS_close_range, 0, 99, 0);
		syscall(SYS_close_range, 101, ~0U, 0);
		execl("/proc/self/exe", "target", "--target", "inherited", "0",
		      NULL);
		_exit(126);
	}
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint(&target, 0));
	EXPECT_NE(NULL, strstr(target.log, "fd] of anon_inodefs is shared")) {
		TH_LOG("\"%s\"", target.log);
	}
	close(fd);
	EXPECT_LT(0, ckpt_checkpoint(&target, 0));
	EXPECT_EQ(0, ckpt_go(&target));
	EXPECT_EQ(0, waitpid(target.pid, NULL, 0) != target.pid);
	target.pid = 0;
	ckpt_clean(&target);
}

TEST(shared_counter)
{
	from_outside(_metadata, eventfd(0, 0));
}

TEST(shared_timer)
{
	from_outside(_metadata, timerfd_create(CLOCK_MONOTONIC, 0));
}

CKPT_TEST_MAIN
