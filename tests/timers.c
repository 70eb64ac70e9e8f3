// SPDX-License-Identifier: GPL-2.0-only
/* Timers: those of setitimer(2) and of timer_create(2), and the time left. */
#include "ckpt_test.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>

#define MS		1000000LL
#define SEC		1000000000LL

/* What a checkpoint and a restart may take, on a slow machine, of a clock. */
#define SLACK		(20 * SEC)

/* From <linux/time.h>, which does not go with the C library's. */
#define CLOCK_TAI_	11

static sigset_t everything;

static void block_all(void)
{
	sigfillset(&everything);
	NEED(!sigprocmask(SIG_BLOCK, &everything, NULL));
}

/* Wait for a signal, so many seconds; or 0 */
static int wait_signal(int sig, siginfo_t *info, int seconds)
{
	struct timespec limit = { seconds, 0 };
	long long end = ckpt_now() + seconds * 1000;
	sigset_t set;
	int got;

	sigemptyset(&set);
	sigaddset(&set, sig);
	memset(info, 0, sizeof(*info));
	do
		got = sigtimedwait(&set, info, &limit);
	while (got < 0 && errno == EINTR && ckpt_now() < end);
	return got < 0 ? 0 : got;
}

static bool is_pending(int sig)
{
	sigset_t set;

	NEED(!sigpending(&set));
	return sigismember(&set, sig);
}

/* Use up CPU time. */
static void burn(long long ns)
{
	struct timespec now;
	long long end = 0;

	do {
		for (volatile int i = 0; i < 10000; i++)
			;
		NEED(!clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now));
		if (!end)
			end = now.tv_sec * SEC + now.tv_nsec + ns;
	} while (now.tv_sec * SEC + now.tv_nsec < end);
}

/* Interval timers. */

static long long tv_ns(const struct timeval *tv)
{
	return tv->tv_sec * SEC + tv->tv_usec * 1000;
}

static void itimer_set(int which, long long value, long long interval)
{
	struct itimerval it = {
		.it_value = { value / SEC, value % SEC / 1000 },
		.it_interval = { interval / SEC, interval % SEC / 1000 },
	};

	NEED(!setitimer(which, &it, NULL));
}

static long long itimer_left(int which, long long *interval)
{
	struct itimerval it;

	NEED(!getitimer(which, &it));
	if (interval)
		*interval = tv_ns(&it.it_interval);
	return tv_ns(&it.it_value);
}

/* No more than there was, and not much less. */
static void check_left(long long now, long long before)
{
	/* Times are rounded up to a tick or a microsecond. */
	CHECK(now <= before + 10 * MS);
	CHECK(now > before - SLACK);
	if (now > before + 10 * MS || now <= before - SLACK)
		ckpt_fail(__FILE__, __LINE__, "%lld ns left, of %lld", now,
			  before);
}

CKPT_FIXTURE(itimers);

static void itimer_same(int which)
{
	long long before, interval;

	itimer_set(which, 1000 * SEC, 70 * SEC + 5 * MS);
	if (which != ITIMER_REAL)
		burn(20 * MS);
	before = itimer_left(which, NULL);
	ckpt_point();
	check_left(itimer_left(which, &interval), before);
	CHECK_EQ(interval, 70 * SEC + 5 * MS);
}

CKPT_TEST(itimers, real)
{
	itimer_same(ITIMER_REAL);
}

CKPT_TEST(itimers, virtual)
{
	itimer_same(ITIMER_VIRTUAL);
}

CKPT_TEST(itimers, prof)
{
	itimer_same(ITIMER_PROF);
}

CKPT_TEST(itimers, none)
{
	ckpt_point();
	for (int which = 0; which < 3; which++) {
		long long interval;

		CHECK_EQ(itimer_left(which, &interval), 0);
		CHECK_EQ(interval, 0);
	}
}

CKPT_TEST(itimers, real_goes_off)
{
	siginfo_t info;

	block_all();
	itimer_set(ITIMER_REAL, 300 * MS, 0);
	ckpt_point();
	CHECK_EQ(wait_signal(SIGALRM, &info, 10), SIGALRM);
	CHECK_EQ(info.si_code, SI_KERNEL);
	CHECK_EQ(itimer_left(ITIMER_REAL, NULL), 0);
	ckpt_msleep(20);
	CHECK(!is_pending(SIGALRM));
}

CKPT_TEST(itimers, real_goes_on)
{
	siginfo_t info;

	block_all();
	itimer_set(ITIMER_REAL, 20 * MS, 20 * MS);
	ckpt_point();
	for (int i = 0; i < 4; i++)
		CHECK_EQ(wait_signal(SIGALRM, &info, 10), SIGALRM);
	CHECK(itimer_left(ITIMER_REAL, NULL) <= 20 * MS);
}

/* The signal is pending: the timer goes on once it is taken. */
CKPT_TEST(itimers, real_waits)
{
	long long interval;
	siginfo_t info;

	block_all();
	itimer_set(ITIMER_REAL, 10 * MS, 50 * MS);
	while (!is_pending(SIGALRM))
		ckpt_msleep(1);
	ckpt_point();
	CHECK(is_pending(SIGALRM));
	CHECK_EQ(wait_signal(SIGALRM, &info, 1), SIGALRM);
	CHECK(itimer_left(ITIMER_REAL, &interval) <= 50 * MS);
	CHECK_EQ(interval, 50 * MS);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(wait_signal(SIGALRM, &info, 10), SIGALRM);
}

CKPT_TEST(itimers, real_is_over)
{
	siginfo_t info;

	block_all();
	itimer_set(ITIMER_REAL, 5 * MS, 0);
	while (!is_pending(SIGALRM))
		ckpt_msleep(1);
	ckpt_point();
	CHECK_EQ(wait_signal(SIGALRM, &info, 1), SIGALRM);
	CHECK_EQ(itimer_left(ITIMER_REAL, NULL), 0);
	ckpt_msleep(20);
	CHECK(!is_pending(SIGALRM));
}

static void itimer_cpu_goes_on(int which, int sig)
{
	siginfo_t info;

	block_all();
	itimer_set(which, 60 * MS, 40 * MS);
	ckpt_point();
	for (int i = 0; i < 3; i++) {
		for (int j = 0; j < 200 && !is_pending(sig); j++)
			burn(5 * MS);
		CHECK_EQ(wait_signal(sig, &info, 1), sig);
	}
}

CKPT_TEST(itimers, virtual_goes_on)
{
	itimer_cpu_goes_on(ITIMER_VIRTUAL, SIGVTALRM);
}

CKPT_TEST(itimers, prof_goes_on)
{
	itimer_cpu_goes_on(ITIMER_PROF, SIGPROF);
}

/* POSIX timers, without what the C library puts before them. */

static const struct {
	const char	*name;
	clockid_t	clock;
} clocks[] = {
	{ "REALTIME",		CLOCK_REALTIME },
	{ "MONOTONIC",		CLOCK_MONOTONIC },
	{ "BOOTTIME",		CLOCK_BOOTTIME },
	{ "TAI",		CLOCK_TAI_ },
	{ "PROCESS_CPUTIME",	CLOCK_PROCESS_CPUTIME_ID },
	{ "THREAD_CPUTIME",	CLOCK_THREAD_CPUTIME_ID },
	{ "REALTIME_ALARM",	CLOCK_REALTIME_ALARM },
	{ "BOOTTIME_ALARM",	CLOCK_BOOTTIME_ALARM },
};

#define NR_CLOCKS	(sizeof(clocks) / sizeof(clocks[0]))

static bool is_cpu_clock(clockid_t clock)
{
	return clock == CLOCK_PROCESS_CPUTIME_ID ||
	       clock == CLOCK_THREAD_CPUTIME_ID;
}

/* The id, or -1 */
static int make(clockid_t clock, int notify, int sig, unsigned long value)
{
	struct sigevent event = {};
	int id = -1;

	event.sigev_notify = notify;
	event.sigev_signo = sig;
	event.sigev_value.sival_ptr = (void *)value;
	if (notify & SIGEV_THREAD_ID)
		event._sigev_un._tid = getpid();
	if (syscall(SYS_timer_create, clock, &event, &id))
		return -1;
	return id;
}

static int make_signal(clockid_t clock, int sig, unsigned long value)
{
	int id = make(clock, SIGEV_SIGNAL, sig, value);

	NEED(id >= 0);
	return id;
}

static void timer_set(int id, int flags, long long value, long long interval)
{
	struct itimerspec it = {
		.it_value = { value / SEC, value % SEC },
		.it_interval = { interval / SEC, interval % SEC },
	};

	NEED(!syscall(SYS_timer_settime, id, flags, &it, NULL));
}

static long long timer_left(int id, long long *interval)
{
	struct itimerspec it = {};

	if (!CHECK(!syscall(SYS_timer_gettime, id, &it)))
		return -1;
	if (interval)
		*interval = it.it_interval.tv_sec * SEC + it.it_interval.tv_nsec;
	return it.it_value.tv_sec * SEC + it.it_value.tv_nsec;
}

static bool timer_exists(int id)
{
	struct itimerspec it;

	return !syscall(SYS_timer_gettime, id, &it);
}

static int overrun(int id)
{
	return syscall(SYS_timer_getoverrun, id);
}

static void expect_timer(int sig, int id, unsigned long value, siginfo_t *info)
{
	if (!CHECK_EQ(wait_signal(sig, info, 10), sig))
		return;
	CHECK_EQ(info->si_code, SI_TIMER);
	CHECK_EQ(info->si_timerid, id);
	CHECK_EQ((unsigned long)info->si_ptr, value);
}

CKPT_FIXTURE(timers);

/* One of each clock that there is here. */
CKPT_TEST(timers, clocks)
{
	long long before[NR_CLOCKS], interval;
	int id[NR_CLOCKS], nr = 0;

	for (unsigned int i = 0; i < NR_CLOCKS; i++) {
		id[i] = make(clocks[i].clock, SIGEV_SIGNAL, SIGRTMIN, i);
		if (id[i] < 0)
			continue;
		timer_set(id[i], 0, (1000 + i) * SEC, (500 + i) * SEC);
		nr++;
	}
	NEED(nr >= 6);
	burn(30 * MS);
	for (unsigned int i = 0; i < NR_CLOCKS; i++)
		before[i] = id[i] < 0 ? 0 : timer_left(id[i], NULL);
	ckpt_point();
	for (unsigned int i = 0; i < NR_CLOCKS; i++) {
		if (id[i] < 0)
			continue;
		check_left(timer_left(id[i], &interval), before[i]);
		CHECK_EQ(interval, (500 + i) * SEC);
	}
}

/* An absolute time is so much time left. */
CKPT_TEST(timers, absolute)
{
	long long left[4];
	int id[4];

	for (int i = 0; i < 4; i++) {
		struct timespec now;

		NEED(!clock_gettime(clocks[i].clock, &now));
		id[i] = make_signal(clocks[i].clock, SIGRTMIN, i);
		timer_set(id[i], TIMER_ABSTIME, (now.tv_sec + 300) * SEC, 0);
		left[i] = timer_left(id[i], NULL);
		NEED(left[i] > 0 && left[i] <= 300 * SEC);
	}
	ckpt_point();
	for (int i = 0; i < 4; i++)
		check_left(timer_left(id[i], NULL), left[i]);
}

static void goes_off(clockid_t clock, int notify)
{
	unsigned long value = 0x123456789abcdefUL;
	siginfo_t info;
	int id;

	block_all();
	id = make(clock, notify, SIGRTMIN + 3, value);
	NEED(id >= 0);
	timer_set(id, 0, 150 * MS, 0);
	ckpt_point();
	if (is_cpu_clock(clock))
		for (int i = 0; i < 200 && !is_pending(SIGRTMIN + 3); i++)
			burn(5 * MS);
	expect_timer(SIGRTMIN + 3, id, value, &info);
	CHECK_EQ(info.si_overrun, 0);
	CHECK_EQ(timer_left(id, NULL), 0);
	CHECK(!is_pending(SIGRTMIN + 3));
}

CKPT_TEST(timers, realtime_goes_off)
{
	goes_off(CLOCK_REALTIME, SIGEV_SIGNAL);
}

CKPT_TEST(timers, monotonic_goes_off)
{
	goes_off(CLOCK_MONOTONIC, SIGEV_SIGNAL);
}

CKPT_TEST(timers, boottime_goes_off)
{
	goes_off(CLOCK_BOOTTIME, SIGEV_SIGNAL);
}

CKPT_TEST(timers, tai_goes_off)
{
	goes_off(CLOCK_TAI_, SIGEV_SIGNAL);
}

CKPT_TEST(timers, process_cputime_goes_off)
{
	goes_off(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL);
}

CKPT_TEST(timers, thread_cputime_goes_off)
{
	goes_off(CLOCK_THREAD_CPUTIME_ID, SIGEV_SIGNAL);
}

/* To the C library's thread, which for the kernel is another word for it. */
CKPT_TEST(timers, notify_thread)
{
	goes_off(CLOCK_MONOTONIC, SIGEV_THREAD);
}

CKPT_TEST(timers, notify_thread_id)
{
	goes_off(CLOCK_MONOTONIC, SIGEV_THREAD_ID);
}

CKPT_TEST(timers, notify_thread_id_is_private)
{
	siginfo_t info;
	int id;

	block_all();
	id = make(CLOCK_MONOTONIC, SIGEV_THREAD_ID, SIGRTMIN, 3);
	NEED(id >= 0);
	timer_set(id, 0, 1 * MS, 1 * MS);
	while (!is_pending(SIGRTMIN))
		ckpt_msleep(1);
	ckpt_point();
	for (int i = 0; i < 4; i++)
		expect_timer(SIGRTMIN, id, 3, &info);
}

CKPT_TEST(timers, notify_none)
{
	int id = make(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
	int over = make(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
	long long before, interval;

	NEED(id >= 0 && over >= 0);
	block_all();
	timer_set(id, 0, 100 * SEC, 3 * SEC);
	timer_set(over, 0, 1 * MS, 0);
	ckpt_msleep(5);
	before = timer_left(id, NULL);
	ckpt_point();
	check_left(timer_left(id, &interval), before);
	CHECK_EQ(interval, 3 * SEC);
	CHECK_EQ(timer_left(over, NULL), 0);
}

CKPT_TEST(timers, disarmed)
{
	int never = make_signal(CLOCK_MONOTONIC, SIGRTMIN, 1);
	int stopped = make_signal(CLOCK_PROCESS_CPUTIME_ID, SIGRTMIN, 2);
	siginfo_t info;

	block_all();
	timer_set(stopped, 0, 1 * SEC, 1 * SEC);
	timer_set(stopped, 0, 0, 0);
	ckpt_point();
	CHECK_EQ(timer_left(never, NULL), 0);
	CHECK_EQ(timer_left(stopped, NULL), 0);
	CHECK_EQ(overrun(never), 0);
	timer_set(never, 0, 1 * MS, 0);
	expect_timer(SIGRTMIN, never, 1, &info);
}

CKPT_TEST(timers, ids)
{
	int id[8], next;

	for (int i = 0; i < 8; i++)
		id[i] = make_signal(clocks[i % 6].clock, SIGRTMIN, i);
	for (int i = 0; i < 8; i += 3)
		NEED(!syscall(SYS_timer_delete, id[i]));
	ckpt_point();
	for (int i = 0; i < 8; i++)
		CHECK_EQ(timer_exists(id[i]), i % 3 != 0);
	next = make_signal(CLOCK_MONOTONIC, SIGRTMIN, 0);
	CHECK(next > id[7]);
	for (int i = 0; i < 8; i++)
		if (i % 3)
			CHECK(!syscall(SYS_timer_delete, id[i]));
	CHECK(!timer_exists(id[1]));
	CHECK(timer_exists(next));
}

CKPT_TEST(timers, many)
{
	int id[300];

	for (int i = 0; i < 300; i++) {
		id[i] = make_signal(CLOCK_MONOTONIC, SIGRTMIN, i);
		timer_set(id[i], 0, (1000 + i) * SEC, 0);
	}
	ckpt_point();
	for (int i = 0; i < 300; i++)
		check_left(timer_left(id[i], NULL), (1000 + i) * SEC);
}

/* Goes on at its interval. */
CKPT_TEST(timers, periodic)
{
	long long interval;
	siginfo_t info;
	int id;

	block_all();
	id = make_signal(CLOCK_MONOTONIC, SIGRTMIN, 5);
	timer_set(id, 0, 10 * MS, 10 * MS);
	ckpt_point();
	for (int i = 0; i < 5; i++)
		expect_timer(SIGRTMIN, id, 5, &info);
	CHECK(timer_left(id, &interval) <= 10 * MS);
	CHECK_EQ(interval, 10 * MS);
}

static void wait_pending(int sig)
{
	for (int i = 0; i < 5000 && !is_pending(sig); i++)
		ckpt_msleep(1);
	NEED(is_pending(sig));
}

CKPT_TEST(timers, pending_once)
{
	siginfo_t info;
	int id;

	block_all();
	id = make_signal(CLOCK_MONOTONIC, SIGRTMIN, 6);
	timer_set(id, 0, 1 * MS, 0);
	wait_pending(SIGRTMIN);
	ckpt_point();
	CHECK_EQ(timer_left(id, NULL), 0);
	expect_timer(SIGRTMIN, id, 6, &info);
	CHECK_EQ(info.si_overrun, 0);
	CHECK(!is_pending(SIGRTMIN));
	timer_set(id, 0, 1 * MS, 0);
	expect_timer(SIGRTMIN, id, 6, &info);
}

/* How often a timer of one millisecond goes off in so many. */
static int in_ms(int ms)
{
	struct timespec res;

	NEED(!clock_getres(CLOCK_MONOTONIC, &res));
	return res.tv_nsec > MS ? ms * MS / res.tv_nsec : ms;
}

/* How often it went off before somebody took the signal. */
static void overruns(clockid_t clock)
{
	siginfo_t info;
	int id;

	block_all();
	id = make_signal(clock, SIGRTMIN, 7);
	timer_set(id, 0, 1 * MS, 1 * MS);
	if (is_cpu_clock(clock))
		burn(60 * MS);
	else
		ckpt_msleep(60);
	NEED(is_pending(SIGRTMIN));
	ckpt_point();
	expect_timer(SIGRTMIN, id, 7, &info);
	/* A CPU clock's timer is looked at with the tick. */
	CHECK(info.si_overrun >= (is_cpu_clock(clock) ? 40 : in_ms(60) - 2));
	CHECK(info.si_overrun < SLACK / MS);
	CHECK_EQ(overrun(id), info.si_overrun);
	if (is_cpu_clock(clock))
		burn(30 * MS);
	expect_timer(SIGRTMIN, id, 7, &info);
}

CKPT_TEST(timers, overruns_monotonic)
{
	overruns(CLOCK_MONOTONIC);
}

CKPT_TEST(timers, overruns_cputime)
{
	overruns(CLOCK_PROCESS_CPUTIME_ID);
}

/* What timer_getoverrun() says is about the signal that was taken last. */
CKPT_TEST(timers, overrun_last)
{
	siginfo_t info;
	int id, last;

	block_all();
	id = make_signal(CLOCK_MONOTONIC, SIGRTMIN, 8);
	timer_set(id, 0, 1 * MS, 1 * MS);
	ckpt_msleep(60);
	expect_timer(SIGRTMIN, id, 8, &info);
	last = overrun(id);
	NEED(last >= in_ms(60) - 2 && last > 0);
	ckpt_point();
	CHECK_EQ(overrun(id), last);
}

/* Nobody takes a signal that is ignored; the timer goes on all the same. */
CKPT_TEST(timers, ignored)
{
	siginfo_t info;
	int id;

	signal(SIGUSR1, SIG_IGN);
	id = make_signal(CLOCK_MONOTONIC, SIGUSR1, 9);
	timer_set(id, 0, 5 * MS, 5 * MS);
	ckpt_msleep(20);
	ckpt_point();
	block_all();
	signal(SIGUSR1, SIG_DFL);
	for (int i = 0; i < 3; i++)
		expect_timer(SIGUSR1, id, 9, &info);
}

/* More than one, each with the same signal. */
CKPT_TEST(timers, pending_several)
{
	int id[5], seen[5] = {};
	siginfo_t info;

	block_all();
	for (int i = 0; i < 5; i++) {
		id[i] = make_signal(CLOCK_MONOTONIC, SIGRTMIN, i);
		timer_set(id[i], 0, (i + 1) * MS, 0);
	}
	ckpt_msleep(30);
	ckpt_point();
	for (int i = 0; i < 5; i++) {
		unsigned int which;

		if (!CHECK_EQ(wait_signal(SIGRTMIN, &info, 1), SIGRTMIN))
			break;
		which = info.si_int;
		NEED(which < 5);
		CHECK_EQ(info.si_timerid, id[which]);
		seen[which]++;
	}
	for (int i = 0; i < 5; i++)
		CHECK_EQ(seen[i], 1);
	CHECK(!is_pending(SIGRTMIN));
}

/* A limit that was lowered takes no timer away. */
CKPT_TEST(timers, beyond_limit)
{
	struct rlimit none = {};
	int id[4];

	for (int i = 0; i < 4; i++) {
		id[i] = make_signal(CLOCK_MONOTONIC, SIGRTMIN, i);
		timer_set(id[i], 0, 1000 * SEC, 0);
	}
	NEED(!setrlimit(RLIMIT_SIGPENDING, &none));
	ckpt_point();
	for (int i = 0; i < 4; i++)
		check_left(timer_left(id[i], NULL), 1000 * SEC);
	NEED(!getrlimit(RLIMIT_SIGPENDING, &none));
	CHECK_EQ(none.rlim_cur, 0);
	CHECK_EQ(none.rlim_max, 0);
}

/* The time between checkpoint and restart is no time for a timer. */

CKPT_FIXTURE_ONLY(timers_apart);
CKPT_VARIANT(timers_apart, killed, CKPT_KILLED);
CKPT_VARIANT(timers_apart, become, CKPT_BECOME);

CKPT_TARGET(apart)
{
	int id[4];

	for (int i = 0; i < 4; i++) {
		id[i] = make_signal(clocks[i].clock, SIGRTMIN, i);
		timer_set(id[i], 0, 100 * SEC, 0);
	}
	itimer_set(ITIMER_REAL, 100 * SEC, 0);
	ckpt_ready();
	ckpt_wait();
	for (int i = 0; i < 4; i++)
		CHECK(timer_left(id[i], NULL) > 98500 * MS);
	CHECK(itimer_left(ITIMER_REAL, NULL) > 98500 * MS);
}

static int restart_by_mode(struct ckpt_target *target)
{
	if (target->mode == CKPT_BECOME)
		return ckpt_become(target);
	return ckpt_restart(target, 0) < 0 ? -1 : 0;
}

TEST_F(timers_apart, time_left)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, ckpt_start(target, "apart", variant->mode));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	ckpt_msleep(2000);
	ASSERT_EQ(0, restart_by_mode(target));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* On the CPU clocks of others, which are there or not any more. */

static clockid_t clock_of(pid_t pid)
{
	clockid_t clock;

	NEED(!clock_getcpuclockid(pid, &clock));
	return clock;
}

static pid_t child_that_burns(void)
{
	pid_t pid = fork();

	NEED(pid >= 0);
	if (!pid)
		for (;;)
			burn(10 * MS);
	return pid;
}

CKPT_TEST(timers, clock_of_child)
{
	siginfo_t info;
	pid_t pid;
	int id;

	block_all();
	pid = child_that_burns();
	id = make_signal(clock_of(pid), SIGRTMIN, 9);
	timer_set(id, 0, 100 * SEC, 7 * SEC);
	ckpt_point();
	CHECK(timer_left(id, NULL) <= 100 * SEC);
	CHECK(timer_left(id, NULL) > 90 * SEC);
	timer_set(id, 0, 100 * MS, 0);
	expect_timer(SIGRTMIN, id, 9, &info);
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

/* It goes off as time is used there and not here. */
CKPT_TEST(timers, clock_of_child_runs)
{
	siginfo_t info;
	pid_t pid;
	int id;

	block_all();
	pid = child_that_burns();
	id = make_signal(clock_of(pid), SIGRTMIN, 8);
	timer_set(id, 0, 400 * MS, 0);
	ckpt_point();
	expect_timer(SIGRTMIN, id, 8, &info);
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

CKPT_TEST(timers, clock_of_nobody)
{
	int id, silent;
	pid_t pid;

	block_all();
	pid = child_that_burns();
	id = make_signal(clock_of(pid), SIGRTMIN, 7);
	silent = make(clock_of(pid), SIGEV_NONE, 0, 0);
	timer_set(id, 0, 1 * SEC, 1 * SEC);
	kill(pid, SIGKILL);
	NEED(waitpid(pid, NULL, 0) == pid);
	ckpt_point();
	CHECK_EQ(timer_left(id, NULL), 0);
	CHECK_EQ(timer_left(silent, NULL), 0);
	CHECK(syscall(SYS_timer_settime, id, 0, &(struct itimerspec){}, NULL));
	CHECK_EQ(errno, ESRCH);
	CHECK(!syscall(SYS_timer_delete, id));
	CHECK(!syscall(SYS_timer_delete, silent));
}

static volatile int thread_go;

static void *sleep_on(void *arg)
{
	*(volatile pid_t *)arg = syscall(SYS_gettid);
	while (!thread_go)
		ckpt_msleep(1);
	return NULL;
}

/* Whom it would notify is gone, so that it does not. */
CKPT_TEST(timers, thread_that_ended)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID,
				  .sigev_signo = SIGRTMIN };
	pthread_t thread;
	pid_t tid = 0;
	int id;

	block_all();
	NEED(!pthread_create(&thread, NULL, sleep_on, &tid));
	while (!*(volatile pid_t *)&tid)
		ckpt_msleep(1);
	event._sigev_un._tid = tid;
	NEED(!syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id));
	timer_set(id, 0, 100 * SEC, 50 * SEC);
	thread_go = 1;
	NEED(!pthread_join(thread, NULL));
	while (!syscall(SYS_tgkill, getpid(), tid, 0))
		ckpt_msleep(1);
	ckpt_point();
	CHECK(timer_left(id, NULL) > 50 * SEC);
	timer_set(id, 0, 10 * MS, 10 * MS);
	ckpt_msleep(50);
	CHECK(!is_pending(SIGRTMIN));
	CHECK(!syscall(SYS_timer_delete, id));
}

/* What the caller of restart() had is not the image's. */
CKPT_TARGET(plain)
{
	long long interval;

	ckpt_ready();
	ckpt_wait();
	CHECK(!timer_exists(0));
	CHECK_EQ(itimer_left(ITIMER_REAL, &interval), 0);
	CHECK_EQ(interval, 0);
	CHECK_EQ(itimer_left(ITIMER_PROF, &interval), 0);
	CHECK(!is_pending(SIGRTMIN));
}

TEST_F(timers_apart, none_of_the_restarter)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, ckpt_start(target, "plain", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	target->pid = fork();
	if (!target->pid) {
		block_all();
		timer_set(make_signal(CLOCK_MONOTONIC, SIGRTMIN, 1), 0,
			  1 * MS, 1 * MS);
		itimer_set(ITIMER_REAL, 100 * SEC, 10 * SEC);
		itimer_set(ITIMER_PROF, 100 * SEC, 10 * SEC);
		ckpt_msleep(5);
		ckpt_turn_into(target);
	}
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

CKPT_TEST_MAIN
