// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process has used goes on from where it was: its own, that of its
 * threads, of those that have ended, and of children; and whatever counts CPU time
 * goes by it.
 */
#define _GNU_SOURCE
#include "ckpt_test.h"
#include "ckpt_image.h"
#include "ckpt_proc.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>

CKPT_FIXTURE(rusage);

/*
 * The clock of ITIMER_PROF and RLIMIT_CPU, user and system time as ticks tell it: in
 * an emulated machine that is another thing than what the scheduler says.
 */
#define PROFILING_CLOCK	((clockid_t)~0 * 8)

/* How much more than it was a time may be, for what the test itself does. */
#define SLACK_NS	(1000LL * 1000 * 1000)

static long long clock_ns(clockid_t clock)
{
	struct timespec t;

	NEED(!clock_gettime(clock, &t));
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long ns(struct timeval t)
{
	return t.tv_sec * 1000000000LL + t.tv_usec * 1000LL;
}

/* Use so much CPU time, some of it in the kernel. */
static void use(clockid_t clock, int ms)
{
	long long end = clock_ns(clock) + ms * 1000000LL;

	while (clock_ns(clock) < end)
		for (int i = 0; i < 100; i++)
			syscall(SYS_getppid);
}

#define goes_on(is, was, slack)						\
	do {								\
		long long _is = (is), _was = (was);			\
									\
		CHECK(_is >= _was);					\
		if (!CHECK(_is <= _was + (slack)))			\
			CHECK_EQ(_is, _was);				\
	} while (0)

CKPT_TEST(rusage, cpu_clocks)
{
	long long process, thread, profiling;

	use(CLOCK_PROCESS_CPUTIME_ID, 300);
	process = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	thread = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	profiling = clock_ns(PROFILING_CLOCK);
	ckpt_point();
	goes_on(clock_ns(CLOCK_PROCESS_CPUTIME_ID), process, SLACK_NS);
	goes_on(clock_ns(CLOCK_THREAD_CPUTIME_ID), thread, SLACK_NS);
	goes_on(clock_ns(PROFILING_CLOCK), profiling, SLACK_NS);
}

static struct rusage usage_of(int who)
{
	struct rusage usage;

	NEED(!getrusage(who, &usage));
	return usage;
}

static long io_of(const char *key)
{
	char text[512], *line;

	ckpt_read("/proc/self/io", text, sizeof(text));
	line = strstr(text, key);
	return line ? atol(line + strlen(key)) : -1;
}

CKPT_TEST(rusage, own)
{
	char *p = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct rusage was, is;
	long rchar;

	NEED(p != MAP_FAILED);
	memset(p, 1, 8 << 20);
	NEED(!munmap(p, 8 << 20));
	for (int i = 0; i < 100; i++)
		ckpt_msleep(1);
	use(CLOCK_PROCESS_CPUTIME_ID, 300);
	rchar = io_of("rchar: ");
	was = usage_of(RUSAGE_SELF);
	NEED(was.ru_minflt > 1900 && was.ru_nvcsw >= 20 &&
	     was.ru_maxrss > 7 << 10);
	ckpt_point();
	is = usage_of(RUSAGE_SELF);
	goes_on(ns(is.ru_utime), ns(was.ru_utime), SLACK_NS);
	goes_on(ns(is.ru_stime), ns(was.ru_stime), SLACK_NS);
	goes_on(is.ru_minflt, was.ru_minflt, 500);
	goes_on(is.ru_majflt, was.ru_majflt, 500);
	goes_on(is.ru_nvcsw, was.ru_nvcsw, 2000);
	goes_on(is.ru_nivcsw, was.ru_nivcsw, 2000);
	goes_on(is.ru_inblock, was.ru_inblock, 0);
	goes_on(is.ru_oublock, was.ru_oublock, 0);
	goes_on(is.ru_maxrss, was.ru_maxrss, 512);
	goes_on(io_of("rchar: "), rchar, 65536);
}

static long status_kb(const char *key)
{
	char text[4096], *line;

	ckpt_read("/proc/self/status", text, sizeof(text));
	line = strstr(text, key);
	return line ? atol(line + strlen(key)) : -1;
}

CKPT_TEST(rusage, peaks)
{
	char *p = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long peak, hwm;

	NEED(p != MAP_FAILED);
	memset(p, 1, 8 << 20);
	NEED(!munmap(p, 8 << 20));
	peak = status_kb("VmPeak:");
	hwm = status_kb("VmHWM:");
	ckpt_point();
	CHECK_EQ(status_kb("VmPeak:"), peak);
	CHECK_EQ(status_kb("VmHWM:"), hwm);
}

/* Threads: each has its own, and those that have ended count for the process. */

static volatile int threads_ready, threads_go;
static long long thread_was[2];

static void *using_thread(void *arg)
{
	long i = (long)arg;

	use(CLOCK_THREAD_CPUTIME_ID, 100 + 100 * i);
	thread_was[i] = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	__atomic_fetch_add(&threads_ready, 1, __ATOMIC_SEQ_CST);
	while (!threads_go)
		ckpt_msleep(1);
	goes_on(clock_ns(CLOCK_THREAD_CPUTIME_ID), thread_was[i], SLACK_NS);
	CHECK(usage_of(RUSAGE_THREAD).ru_nvcsw > 0);
	return NULL;
}

static void *ending_thread(void *arg)
{
	use(CLOCK_THREAD_CPUTIME_ID, 200);
	return arg;
}

CKPT_TEST(rusage, threads)
{
	pthread_t thread[2], ended;
	long long was;

	NEED(!pthread_create(&ended, NULL, ending_thread, NULL));
	NEED(!pthread_join(ended, NULL));
	for (long i = 0; i < 2; i++)
		NEED(!pthread_create(&thread[i], NULL, using_thread,
				     (void *)i));
	while (threads_ready < 2)
		ckpt_msleep(1);
	was = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	NEED(was > 500000000);
	ckpt_point();
	goes_on(clock_ns(CLOCK_PROCESS_CPUTIME_ID), was, SLACK_NS);
	threads_go = 1;
	for (int i = 0; i < 2; i++)
		NEED(!pthread_join(thread[i], NULL));
}

/* What times(2) says does not go back by a tick. */
CKPT_TEST(rusage, times)
{
	struct tms was, is;

	use(CLOCK_PROCESS_CPUTIME_ID, 300);
	for (int i = 0; i < 5; i++)
		NEED(times(&was) != -1);
	ckpt_point();
	NEED(times(&is) != -1);
	CHECK(is.tms_utime >= was.tms_utime);
	CHECK(is.tms_stime >= was.tms_stime);
	CHECK(is.tms_utime + is.tms_stime < was.tms_utime + was.tms_stime + 50);
}

/* Children: those that were waited for, and one that will be. */

static pid_t child_that_uses(int ms, int pages)
{
	pid_t pid = fork();
	char *p;

	NEED(pid >= 0);
	if (pid)
		return pid;
	p = mmap(NULL, pages * 4096L, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		_exit(1);
	memset(p, 1, pages * 4096L);
	use(CLOCK_PROCESS_CPUTIME_ID, ms);
	_exit(7);
}

CKPT_TEST(rusage, children)
{
	struct rusage was, is;
	struct tms times_was, times_is;
	int status;

	child_that_uses(200, 3000);
	NEED(wait(&status) > 0);
	was = usage_of(RUSAGE_CHILDREN);
	NEED(times(&times_was) != -1);
	NEED(ns(was.ru_utime) + ns(was.ru_stime) >= 190000000LL);
	ckpt_point();
	is = usage_of(RUSAGE_CHILDREN);
	NEED(times(&times_is) != -1);
	CHECK(!memcmp(&is, &was, sizeof(is)));
	CHECK_EQ(times_is.tms_cutime, times_was.tms_cutime);
	CHECK_EQ(times_is.tms_cstime, times_was.tms_cstime);
}

/* As waitid(2) tells without waiting, by the kernel's own. */
static struct rusage usage_of_zombie(pid_t pid)
{
	struct rusage usage;
	siginfo_t info;

	NEED(!syscall(SYS_waitid, P_PID, pid, &info, WEXITED | WNOWAIT, &usage));
	return usage;
}

/* Who has ended has to leave its CPU still, and that counts, too. */
static struct rusage usage_in_the_end(pid_t pid)
{
	struct rusage usage, before;

	usage = usage_of_zombie(pid);
	do {
		before = usage;
		ckpt_msleep(100);
		usage = usage_of_zombie(pid);
	} while (memcmp(&usage, &before, sizeof(usage)));
	return usage;
}

/* In a process of its own, so that its parent has not waited for it. */
CKPT_TEST(rusage, zombie)
{
	struct rusage was, is, all;
	int status;
	pid_t pid;

	pid = child_that_uses(200, 3000);
	was = usage_in_the_end(pid);
	ckpt_point();
	NEED(wait4(pid, &status, 0, &is) == pid);
	CHECK_EQ(WEXITSTATUS(status), 7);
	CHECK_EQ(ns(is.ru_utime), ns(was.ru_utime));
	CHECK_EQ(ns(is.ru_stime), ns(was.ru_stime));
	CHECK_EQ(is.ru_minflt, was.ru_minflt);
	CHECK_EQ(is.ru_nvcsw, was.ru_nvcsw);
	CHECK_EQ(is.ru_nivcsw, was.ru_nivcsw);
	CHECK_EQ(is.ru_maxrss, was.ru_maxrss);
	all = usage_of(RUSAGE_CHILDREN);
	CHECK_EQ(ns(all.ru_utime), ns(was.ru_utime));
	CHECK_EQ(all.ru_maxrss, was.ru_maxrss);
}

/* Timers that go by CPU time. */

static volatile sig_atomic_t fired;

static void on_signal(int sig)
{
	fired = sig;
}

/* Use CPU time until a signal comes; returns how much. */
static long long use_until_fired(clockid_t clock)
{
	long long start = clock_ns(clock);

	while (!fired && clock_ns(clock) < start + 5000000000LL)
		syscall(SYS_getppid);
	return clock_ns(clock) - start;
}

CKPT_TEST(rusage, profiling_timer)
{
	struct itimerval timer = { .it_value.tv_usec = 600000 };
	struct itimerval left;

	signal(SIGPROF, on_signal);
	NEED(!setitimer(ITIMER_PROF, &timer, NULL));
	use(PROFILING_CLOCK, 300);
	NEED(!fired);
	ckpt_point();
	CHECK(!getitimer(ITIMER_PROF, &left));
	CHECK(ns(left.it_value) <= 310000000LL);
	CHECK(ns(left.it_value) > 0);
	CHECK(use_until_fired(PROFILING_CLOCK) < 400000000LL);
	CHECK_EQ(fired, SIGPROF);
}

/* An absolute time on the process's clock is one as well. */
CKPT_TEST(rusage, posix_timer)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGUSR1 };
	struct itimerspec spec = {};
	timer_t timer;
	long long end;

	signal(SIGUSR1, on_signal);
	use(CLOCK_PROCESS_CPUTIME_ID, 300);
	NEED(!timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer));
	end = clock_ns(CLOCK_PROCESS_CPUTIME_ID) + 300000000;
	spec.it_value.tv_sec = end / 1000000000;
	spec.it_value.tv_nsec = end % 1000000000;
	NEED(!timer_settime(timer, TIMER_ABSTIME, &spec, NULL));
	ckpt_point();
	use_until_fired(CLOCK_PROCESS_CPUTIME_ID);
	CHECK_EQ(fired, SIGUSR1);
	goes_on(clock_ns(CLOCK_PROCESS_CPUTIME_ID), end, SLACK_NS);
}

CKPT_TEST(rusage, limit)
{
	struct rlimit limit = { .rlim_max = RLIM_INFINITY };
	long long end;

	signal(SIGXCPU, on_signal);
	use(PROFILING_CLOCK, 600);
	limit.rlim_cur = 1;
	NEED(!setrlimit(RLIMIT_CPU, &limit));
	ckpt_point();
	use_until_fired(PROFILING_CLOCK);
	end = clock_ns(PROFILING_CLOCK);
	CHECK_EQ(fired, SIGXCPU);
	goes_on(end, limit.rlim_cur * 1000000000LL, SLACK_NS);
}

/* One that is restarted over has what the image says, whatever it had used. */

FIXTURE(over) {
	struct ckpt_target target;
};

FIXTURE_SETUP(over)
{
	memset(self, 0, sizeof(*self));
}

FIXTURE_TEARDOWN(over)
{
	ckpt_clean(&self->target);
}

CKPT_TARGET(over_used)
{
	struct itimerval timer = { .it_value.tv_sec = 1 };

	signal(SIGPROF, on_signal);
	NEED(!setitimer(ITIMER_PROF, &timer, NULL));
	ckpt_point();
	CHECK(clock_ns(CLOCK_PROCESS_CPUTIME_ID) < 1000000000LL);
	CHECK(ns(usage_of(RUSAGE_CHILDREN).ru_utime) < 100000000LL);
	goes_on(use_until_fired(PROFILING_CLOCK), 500000000LL, 600000000LL);
}

static void become_used(struct ckpt_target *target)
{
	struct itimerval timer = { .it_value.tv_sec = 3 };
	int status;

	signal(SIGPROF, on_signal);
	setitimer(ITIMER_PROF, &timer, NULL);
	child_that_uses(300, 10);
	wait(&status);
	use(PROFILING_CLOCK, 1100);
	ckpt_turn_into(target);
}

TEST_F(over, used)
{
	struct ckpt_target *target = &self->target;
	pid_t pid;

	ASSERT_EQ(0, ckpt_start(target, "over_used", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	pid = fork();
	if (!pid)
		become_used(target);
	target->pid = pid;
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* Images that somebody has changed: nothing adds up to more than there is. */

static struct ckpt_image image;
static size_t records[256];

static void *load(struct ckpt_target *target, __u32 type)
{
	int fd = open(ckpt_path(target, "image"), O_RDONLY | O_CLOEXEC);
	struct ckpt_record *rec;
	unsigned int nr;

	image.room = 4 << 20;
	image.bytes = image.bytes ?: malloc(image.room);
	if (!image.bytes || !ckpt_image_load(&image, fd))
		return NULL;
	close(fd);
	nr = ckpt_image_records(&image, records, 256);
	for (unsigned int i = 0; i < nr; i++) {
		rec = ckpt_image_record(&image, records[i]);
		if (rec->type == type)
			return rec + 1;
	}
	return NULL;
}

static long restart_changed(struct ckpt_target *target)
{
	int fd = open(ckpt_path(target, "image"), O_WRONLY | O_CLOEXEC);
	long ret = -EIO;

	ckpt_image_reseal(&image);
	if (write(fd, image.bytes, image.len) == (ssize_t)image.len)
		ret = ckpt_restart(target, 0);
	close(fd);
	return ret;
}

CKPT_TARGET(over_changed)
{
	ckpt_point();
	CHECK(clock_ns(CLOCK_PROCESS_CPUTIME_ID) >= 1LL << 62);
	CHECK(ns(usage_of(RUSAGE_SELF).ru_stime) > 1LL << 60);
}

TEST_F(over, changed)
{
	struct ckpt_target *target = &self->target;
	struct ckpt_rec_usage *task, *ended;

	ASSERT_EQ(0, ckpt_start(target, "over_changed", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	task = load(target, CKPT_REC_USAGE);
	ended = load(target, CKPT_REC_ENDED_USAGE);
	ASSERT_NE(NULL, task);
	ASSERT_NE(NULL, ended);

	task->utime = ~0ULL;
	EXPECT_EQ(-EBADMSG, restart_changed(target));
	task->utime = 1ULL << 61;
	ended->stime = 1ULL << 62;
	EXPECT_EQ(-EBADMSG, restart_changed(target));
	task->stime = 0;
	task->utime = 0;
	ended->utime = 0;
	ended->stime = 1ULL << 62;
	task->runtime = 1ULL << 62;
	ended->runtime = 1;
	EXPECT_EQ(-EBADMSG, restart_changed(target));
	ended->runtime = 0;
	task->maxrss = 1;
	EXPECT_EQ(-EBADMSG, restart_changed(target));
	task->maxrss = 0;
	ASSERT_LT(0, restart_changed(target));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

CKPT_TEST_MAIN
