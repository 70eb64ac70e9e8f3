// SPDX-License-Identifier: GPL-2.0-only
/* Threads: what each has of its own, what they wait for, and who is whose. */
#define _GNU_SOURCE
#include "ckpt_test.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

CKPT_FIXTURE(threads);

static pid_t own_tid(void)
{
	return syscall(SYS_gettid);
}

static pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	NEED(!pthread_create(&thread, NULL, fn, arg));
	return thread;
}

static void wait_for(volatile int *value)
{
	while (!*value)
		ckpt_msleep(1);
}

/* Three that count, as in the program of 2013. */

static volatile unsigned long counts[3];
static volatile pid_t tids[3];
static volatile int counters_end;

static void *counter(void *arg)
{
	long i = (long)arg;

	tids[i] = own_tid();
	while (!counters_end) {
		counts[i]++;
		ckpt_msleep(1);
	}
	CHECK_EQ(own_tid(), tids[i]);
	return (void *)(i + 100);
}

CKPT_TEST(threads, count)
{
	pthread_t thread[3];
	unsigned long before[3];
	void *end;

	for (long i = 1; i < 3; i++)
		thread[i] = start(counter, (void *)i);
	for (long i = 1; i < 3; i++)
		while (counts[i] < 5)
			ckpt_msleep(1);
	ckpt_point();
	for (long i = 1; i < 3; i++)
		before[i] = counts[i];
	for (long i = 1; i < 3; i++)
		while (counts[i] < before[i] + 5)
			ckpt_msleep(1);
	counters_end = 1;
	for (long i = 1; i < 3; i++) {
		CHECK_EQ(pthread_join(thread[i], &end), 0);
		CHECK_EQ((long)end, i + 100);
	}
}

/* Registers, FPU and thread-local storage of threads that never sleep. */

static __thread unsigned long local;
static volatile int spinning;

static void *spin(void *arg)
{
	long seed = (long)arg;
	double x = seed;
	unsigned long sum = 0, n = 0;

	local = seed;
	__atomic_fetch_add(&spinning, 1, __ATOMIC_SEQ_CST);
	while (!counters_end) {
		x = x + 0.5;
		sum += seed;
		n++;
	}
	CHECK_EQ(local, seed);
	CHECK_EQ(sum, n * seed);
	CHECK(x == seed + n * 0.5);
	return NULL;
}

CKPT_TEST(threads, registers)
{
	pthread_t a = start(spin, (void *)3), b = start(spin, (void *)5);

	while (spinning < 2)
		ckpt_msleep(1);
	local = 7;
	ckpt_point();
	CHECK_EQ(local, 7);
	counters_end = 1;
	CHECK_EQ(pthread_join(a, NULL), 0);
	CHECK_EQ(pthread_join(b, NULL), 0);
}

/* Blocked on each other. */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static volatile int waiting, told;

static void *wait_cond(void *arg)
{
	pthread_mutex_lock(&mutex);
	waiting++;
	while (!told)
		pthread_cond_wait(&cond, &mutex);
	pthread_mutex_unlock(&mutex);
	pthread_barrier_wait(&barrier);
	return arg;
}

static void *wait_mutex(void *arg)
{
	__atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
	pthread_mutex_lock(&mutex);
	told++;
	pthread_mutex_unlock(&mutex);
	return arg;
}

CKPT_TEST(threads, condition)
{
	pthread_t thread[4];

	pthread_barrier_init(&barrier, NULL, 5);
	for (int i = 0; i < 4; i++)
		thread[i] = start(wait_cond, NULL);
	while (waiting < 4)
		ckpt_msleep(1);
	ckpt_point();
	pthread_mutex_lock(&mutex);
	told = 1;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&mutex);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_join(thread[i], NULL), 0);
}

CKPT_TEST(threads, lock)
{
	pthread_t thread[3];

	pthread_mutex_lock(&mutex);
	for (int i = 0; i < 3; i++)
		thread[i] = start(wait_mutex, NULL);
	while (waiting < 3)
		ckpt_msleep(1);
	ckpt_msleep(20);
	ckpt_point();
	CHECK_EQ(told, 0);
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(thread[i], NULL), 0);
	CHECK_EQ(told, 3);
}

/* A robust mutex whose owner dies afterwards. */

static pthread_mutex_t robust;
static volatile int taken, leave;

static void *take_and_die(void *arg)
{
	pthread_mutex_lock(&robust);
	taken = 1;
	wait_for(&leave);
	return arg;
}

CKPT_TEST(threads, robust)
{
	pthread_mutexattr_t attr;
	pthread_t thread;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &attr);
	thread = start(take_and_die, NULL);
	wait_for(&taken);
	ckpt_point();
	leave = 1;
	CHECK_EQ(pthread_mutex_lock(&robust), EOWNERDEAD);
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

/* Signals of one thread's own. */

static volatile int set, go, handled_by;

static void handler(int sig)
{
	(void)sig;
	handled_by = own_tid();
}

static void *pend(void *arg)
{
	sigset_t mask, old;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	tids[1] = own_tid();
	set = 1;
	wait_for(&go);
	pthread_sigmask(SIG_SETMASK, NULL, &old);
	CHECK(sigismember(&old, SIGUSR2) && !sigismember(&old, SIGUSR1));
	sigpending(&old);
	CHECK(sigismember(&old, SIGUSR2));
	sigemptyset(&mask);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	CHECK_EQ(handled_by, tids[1]);
	return arg;
}

CKPT_TEST(threads, signals)
{
	struct sigaction action = { .sa_handler = handler };
	pthread_t thread;
	sigset_t pending;

	sigaction(SIGUSR2, &action, NULL);
	thread = start(pend, NULL);
	wait_for(&set);
	pthread_kill(thread, SIGUSR2);
	ckpt_point();
	sigpending(&pending);
	CHECK(!sigismember(&pending, SIGUSR2));
	CHECK_EQ(handled_by, 0);
	go = 1;
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

/* What the scheduler and ps know it by. */

static void *odd_one(void *arg)
{
	char name[16];
	cpu_set_t cpus, got;

	prctl(PR_SET_NAME, "odd-one");
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	NEED(!sched_setaffinity(0, sizeof(cpus), &cpus));
	NEED(!setpriority(PRIO_PROCESS, own_tid(), 7));
	set = 1;
	wait_for(&go);
	prctl(PR_GET_NAME, name);
	CHECK(!strcmp(name, "odd-one"));
	CHECK_EQ(sched_getaffinity(0, sizeof(got), &got), 0);
	CHECK(CPU_EQUAL(&got, &cpus));
	CHECK_EQ(getpriority(PRIO_PROCESS, own_tid()), 7);
	return arg;
}

CKPT_TEST(threads, scheduling)
{
	pthread_t thread = start(odd_one, NULL);
	char name[16];

	wait_for(&set);
	prctl(PR_SET_NAME, "first");
	ckpt_point();
	prctl(PR_GET_NAME, name);
	CHECK(!strcmp(name, "first"));
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 0);
	go = 1;
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

/* Not all that a process has is its threads' in common. */

/* That of i386 which takes ids of 32 bits. */
#ifdef SYS_setresuid32
#undef SYS_setresuid
#define SYS_setresuid	SYS_setresuid32
#undef SYS_geteuid
#define SYS_geteuid	SYS_geteuid32
#endif

static void *apart(void *arg)
{
	char path[64];

	NEED(!unshare(CLONE_FS | CLONE_FILES));
	NEED(!chdir("/"));
	NEED(dup2(1, 77) == 77);
	/* As setresuid(2) does it without glibc's help. */
	NEED(!syscall(SYS_setresuid, -1, 1234, -1));
	set = 1;
	wait_for(&go);
	CHECK(getcwd(path, sizeof(path)) && !strcmp(path, "/"));
	CHECK_EQ(fcntl(77, F_GETFD), 0);
	CHECK_EQ(syscall(SYS_geteuid), 1234);
	CHECK_EQ(syscall(SYS_setresuid, -1, 0, -1), 0);
	return arg;
}

CKPT_TEST(threads, unshared)
{
	pthread_t thread = start(apart, NULL);
	char before[128], after[128];

	wait_for(&set);
	NEED(getcwd(before, sizeof(before)));
	NEED(dup2(1, 78) == 78);
	ckpt_point();
	CHECK(getcwd(after, sizeof(after)) && !strcmp(before, after));
	CHECK_EQ(fcntl(77, F_GETFD), -1);
	CHECK_EQ(fcntl(78, F_GETFD), 0);
	CHECK_EQ(geteuid(), 0);
	go = 1;
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

/* Timers that are a thread's. */

static volatile int ticks, ticked;

static void tick(int sig)
{
	(void)sig;
	ticked = own_tid();
	ticks++;
}

static void *ticking(void *arg)
{
	struct itimerspec every = { { 0, 5000000 }, { 0, 5000000 } };
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM,
	};
	timer_t wall, cpu;

	tids[1] = own_tid();
	event._sigev_un._tid = tids[1];
	NEED(!timer_create(CLOCK_MONOTONIC, &event, &wall));
	event.sigev_notify = SIGEV_SIGNAL;
	event.sigev_signo = SIGURG;
	NEED(!timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &cpu));
	NEED(!timer_settime(wall, 0, &every, NULL));
	every.it_value.tv_sec = 1000;
	NEED(!timer_settime(cpu, 0, &every, NULL));
	set = 1;
	wait_for(&go);
	ticks = 0;
	while (ticks < 3)
		ckpt_msleep(1);
	CHECK_EQ(ticked, tids[1]);
	CHECK_EQ(timer_gettime(cpu, &every), 0);
	CHECK(every.it_value.tv_sec >= 990 && every.it_value.tv_sec <= 1000);
	return arg;
}

CKPT_TEST(threads, timers)
{
	struct sigaction action = { .sa_handler = tick };
	pthread_t thread;

	sigaction(SIGALRM, &action, NULL);
	thread = start(ticking, NULL);
	wait_for(&set);
	ckpt_point();
	go = 1;
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

/* A leader that has gone before the rest. */

static pthread_t leader;

static void *left_alone(void *arg)
{
	char path[64], text[256] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", getpid());
	do {
		fd = open(path, O_RDONLY);
		NEED(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
		close(fd);
	} while (!strstr(text, ") Z "));
	ckpt_point();
	CHECK_EQ(own_tid(), tids[1]);
	snprintf(path, sizeof(path), "/proc/%d/stat", getpid());
	fd = open(path, O_RDONLY);
	NEED(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	CHECK(strstr(text, ") Z "));
	NEED(pthread_join(leader, NULL) == 0);
	_exit(0);
	return arg;
}

static void *remember(void *arg)
{
	tids[1] = own_tid();
	return left_alone(arg);
}

CKPT_TEST(threads, dead_leader)
{
	leader = pthread_self();
	start(remember, NULL);
	/* In a static program pthread_exit(3) would want a shared library. */
	syscall(SYS_exit, 0);
}

/* Many. */

#define MANY	100

static volatile int many;

static void *one_of_many(void *arg)
{
	int id = own_tid();

	__atomic_fetch_add(&many, 1, __ATOMIC_SEQ_CST);
	pthread_mutex_lock(&mutex);
	while (!told)
		pthread_cond_wait(&cond, &mutex);
	pthread_mutex_unlock(&mutex);
	CHECK_EQ(own_tid(), id);
	return arg;
}

CKPT_TEST(threads, many)
{
	static pthread_t thread[MANY];
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 32768);
	for (int i = 0; i < MANY; i++)
		NEED(!pthread_create(&thread[i], &attr, one_of_many, NULL));
	while (many < MANY)
		ckpt_msleep(1);
	ckpt_point();
	pthread_mutex_lock(&mutex);
	told = 1;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < MANY; i++)
		CHECK_EQ(pthread_join(thread[i], NULL), 0);
}

/* A process checkpoints itself by a thread that is not its first. */

static volatile int selves;

static void *by_thread(void *arg)
{
	ckpt_point();
	selves++;
	return arg;
}

CKPT_TEST(threads, by_another)
{
	pthread_t other = start(counter, (void *)2);
	pthread_t thread = start(by_thread, NULL);

	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(selves, 1);
	counters_end = 1;
	CHECK_EQ(pthread_join(other, NULL), 0);
}

/* From outside. */

CKPT_FIXTURE_ONLY(process);
CKPT_VARIANT(process, live, CKPT_LIVE);

CKPT_TARGET(two_counters)
{
	pthread_t thread = start(counter, (void *)1);

	while (counts[1] < 2)
		ckpt_msleep(1);
	ckpt_ready();
	ckpt_wait();
	counters_end = 1;
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

static pid_t other_thread(pid_t pid)
{
	char path[64];
	struct dirent {
		__u64		ino, off;
		unsigned short	len;
		char		type, name[];
	} *entry;
	char buf[1024] __attribute__((aligned(8)));
	pid_t tid = 0;
	long len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	len = syscall(SYS_getdents64, fd, buf, sizeof(buf));
	for (long at = 0; at < len; at += entry->len) {
		char *name = buf + at + 19;

		entry = (void *)(buf + at);
		if (atoi(name) && atoi(name) != pid)
			tid = atoi(name);
	}
	close(fd);
	return tid;
}

TEST_F(process, by_thread_id)
{
	pid_t pid;

	ASSERT_EQ(0, ckpt_start(&self->target, "two_counters", variant->mode));
	ASSERT_EQ(0, ckpt_wait_ready(&self->target));
	pid = self->target.pid;
	self->target.pid = other_thread(pid);
	ASSERT_LT(0, self->target.pid);
	EXPECT_EQ(-ESRCH, ckpt_checkpoint(&self->target, 0));
	EXPECT_NE(NULL, strstr(self->target.log, "is a thread of process"));
	self->target.pid = pid;
	EXPECT_EQ(0, ckpt_go(&self->target));
	EXPECT_EQ(0, ckpt_end(&self->target));
}

TEST_F(process, stopped)
{
	int status;

	ASSERT_EQ(0, ckpt_start(&self->target, "two_counters", variant->mode));
	ASSERT_EQ(0, ckpt_wait_ready(&self->target));
	ASSERT_EQ(0, kill(self->target.pid, SIGSTOP));
	ASSERT_EQ(self->target.pid, waitpid(self->target.pid, &status,
					    WUNTRACED));
	ASSERT_LT(0, ckpt_checkpoint(&self->target, CHECKPOINT_KILL));
	ckpt_kill(&self->target);
	ASSERT_LT(0, ckpt_restart(&self->target, 0));
	EXPECT_EQ(self->target.pid, waitpid(self->target.pid, &status,
					    WUNTRACED));
	EXPECT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(0, ckpt_go(&self->target));
	EXPECT_EQ(0, kill(self->target.pid, SIGCONT));
	EXPECT_EQ(0, ckpt_end(&self->target));
}

CKPT_TEST_MAIN
