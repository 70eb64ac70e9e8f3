// SPDX-License-Identifier: GPL-2.0-only
/* What else a process has: limits, directories, scheduling, prctl(2) settings. */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <linux/ioprio.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER	57
#define PR_GET_IO_FLUSHER	58
#endif

/* By its number: <sys/resource.h> knows two names less. */
#define NR_LIMITS	16

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	NEED(fd >= 0 && write(fd, text, strlen(text)) > 0);
	close(fd);
}

static long read_number(const char *path)
{
	char text[32];

	ckpt_read(path, text, sizeof(text));
	return strtol(text, NULL, 10);
}

CKPT_FIXTURE(process);

/* Limits. */

static void limit_make(int i, struct rlimit *limit)
{
	limit->rlim_cur = 100000 + 4096UL * i;
	limit->rlim_max = limit->rlim_cur + 77 + i;
	switch (i) {
	case RLIMIT_AS:
	case RLIMIT_DATA:
	case RLIMIT_STACK:
		limit->rlim_cur = (1UL << 30) + 4096 * i;
		limit->rlim_max = RLIM_INFINITY;
		break;
	case RLIMIT_NOFILE:
		limit->rlim_cur = 333;
		limit->rlim_max = 999;
		break;
	case RLIMIT_NICE:
	case RLIMIT_RTPRIO:
		limit->rlim_cur = i;
		limit->rlim_max = i + 3;
		break;
	}
}

CKPT_TEST(process, limits)
{
	struct rlimit before[NR_LIMITS], after;

	for (int i = 0; i < NR_LIMITS; i++) {
		limit_make(i, &before[i]);
		NEED(!setrlimit(i, &before[i]));
	}
	ckpt_point();
	for (int i = 0; i < NR_LIMITS; i++) {
		NEED(!getrlimit(i, &after));
		CHECK_EQ(after.rlim_cur, before[i].rlim_cur);
		CHECK_EQ(after.rlim_max, before[i].rlim_max);
	}
}

CKPT_TEST(process, no_limits)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	for (int i = 0; i < NR_LIMITS; i++)
		if (i != RLIMIT_NOFILE)
			NEED(!setrlimit(i, &limit));
	ckpt_point();
	for (int i = 0; i < NR_LIMITS; i++) {
		NEED(!getrlimit(i, &limit));
		if (i != RLIMIT_NOFILE) {
			CHECK_EQ(limit.rlim_cur, RLIM_INFINITY);
			CHECK_EQ(limit.rlim_max, RLIM_INFINITY);
		}
	}
}

/* Directories and such. */

static bool same_inode(const char *path, const struct stat *before)
{
	struct stat now;

	return CHECK(!stat(path, &now)) && CHECK_EQ(now.st_ino, before->st_ino) &&
	       CHECK_EQ(now.st_dev, before->st_dev);
}

CKPT_TEST(process, umask)
{
	umask(0137);
	ckpt_point();
	CHECK_EQ(umask(0), 0137);
}

/* The files by which a target and its test speak, elsewhere. */
static void link_files(const char *dir, const char *to)
{
	static const char *const names[] = { "ready", "go", "image", "log" };
	char from[64], name[64];

	for (unsigned int i = 0; i < 4; i++) {
		snprintf(from, sizeof(from), "%s/%s", dir, names[i]);
		snprintf(name, sizeof(name), "%s/%s", to, names[i]);
		NEED(!symlink(name, from));
	}
}

static void unlink_files(const char *dir)
{
	static const char *const names[] = { "ready", "go", "image", "log" };
	char name[64];

	for (unsigned int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%s/%s", dir, names[i]);
		unlink(name);
	}
	rmdir(dir);
}

CKPT_TEST(process, current_directory)
{
	struct stat before;
	char name[128];

	NEED(!mkdir("sub directory", 0700));
	link_files("sub directory", "..");
	NEED(!chdir("sub directory"));
	NEED(!stat(".", &before));
	ckpt_point();
	same_inode(".", &before);
	CHECK(getcwd(name, sizeof(name)));
	CHECK(strstr(name, "/sub directory"));
	CHECK(!chdir(".."));
	unlink_files("sub directory");
}

static void become_user(void)
{
	static const gid_t groups[] = { 1000, 1002, 1003, 70000 };

	NEED(!chmod(".", 0777));
	NEED(!fchmod(1, 0666));
	NEED(!syscall(SYS_setgroups, 4, groups));
	NEED(!syscall(SYS_setresgid, 1000, 1000, 1000));
	NEED(!syscall(SYS_setresuid, 1000, 1000, 1000));
}

/* A directory that the process itself could not enter any more. */
CKPT_TEST(process, current_directory_closed)
{
	struct stat before;

	become_user();
	NEED(!mkdir("closed", 0700));
	link_files("closed", "..");
	NEED(!chdir("closed"));
	NEED(!stat(".", &before));
	ckpt_point();
	same_inode(".", &before);
	CHECK(!chdir(".."));
	unlink_files("closed");
}

/* Scheduling. */

CKPT_TEST(process, nice)
{
	NEED(nice(7) == 7);
	ckpt_point();
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 7);
}

CKPT_TEST(process, nice_raised)
{
	NEED(nice(-11) == -11);
	ckpt_point();
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), -11);
}

struct attr {
	__u32	size;
	__u32	policy;
	__u64	flags;
	__s32	nice;
	__u32	priority;
	__u64	runtime;
	__u64	deadline;
	__u64	period;
};

static void same_policy(struct attr attr)
{
	struct attr before, after;

	attr.size = sizeof(attr);
	NEED(!syscall(SYS_sched_setattr, 0, &attr, 0));
	NEED(!syscall(SYS_sched_getattr, 0, &before, sizeof(before), 0));
	NEED(before.policy == attr.policy);
	ckpt_point();
	CHECK(!syscall(SYS_sched_getattr, 0, &after, sizeof(after), 0));
	CHECK_EQ(after.policy, before.policy);
	CHECK_EQ(after.flags, before.flags);
	CHECK_EQ(after.nice, before.nice);
	CHECK_EQ(after.priority, before.priority);
	CHECK_EQ(after.runtime, before.runtime);
	CHECK_EQ(after.deadline, before.deadline);
	CHECK_EQ(after.period, before.period);
}

CKPT_TEST(process, sched_normal)
{
	same_policy((struct attr){
		.policy = SCHED_OTHER, .nice = 3,
		.flags = SCHED_FLAG_RESET_ON_FORK,
	});
}

/* A time slice of its own. */
CKPT_TEST(process, sched_slice)
{
	same_policy((struct attr){
		.policy = SCHED_OTHER, .runtime = 5000000,
	});
}

CKPT_TEST(process, sched_batch)
{
	same_policy((struct attr){ .policy = SCHED_BATCH, .nice = -3 });
}

CKPT_TEST(process, sched_idle)
{
	same_policy((struct attr){ .policy = SCHED_IDLE, .nice = 5 });
}

CKPT_TEST(process, sched_fifo)
{
	same_policy((struct attr){ .policy = SCHED_FIFO, .priority = 10 });
}

CKPT_TEST(process, sched_rr)
{
	same_policy((struct attr){
		.policy = SCHED_RR, .priority = 33,
		.flags = SCHED_FLAG_RESET_ON_FORK,
	});
}

CKPT_TEST(process, sched_deadline)
{
	same_policy((struct attr){
		.policy = SCHED_DEADLINE, .runtime = 20000000,
		.deadline = 80000000, .period = 100000000,
		.flags = SCHED_FLAG_RESET_ON_FORK,
	});
}

/* The nice value comes back once a real-time policy ends. */
CKPT_TEST(process, nice_below_fifo)
{
	struct sched_param param = { .sched_priority = 5 };

	NEED(nice(9) == 9);
	NEED(!sched_setscheduler(0, SCHED_FIFO, &param));
	ckpt_point();
	CHECK_EQ(sched_getscheduler(0), SCHED_FIFO);
	param.sched_priority = 0;
	CHECK(!sched_setscheduler(0, SCHED_OTHER, &param));
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 9);
}

static unsigned long affinity(void)
{
	unsigned long mask[16] = {};

	NEED(syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask) > 0);
	return mask[0];
}

CKPT_TEST(process, affinity)
{
	unsigned long all = affinity(), one = 1UL << 1;

	if (!(all & one))
		ckpt_skip("there is but one CPU");
	NEED(!syscall(SYS_sched_setaffinity, 0, sizeof(one), &one));
	ckpt_point();
	CHECK_EQ(affinity(), one);
	CHECK_EQ(sched_getcpu(), 1);
	CHECK(!syscall(SYS_sched_setaffinity, 0, sizeof(all), &all));
	CHECK_EQ(affinity(), all);
}

static int ioprio(void)
{
	return syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);
}

static void same_ioprio(int value)
{
	NEED(!syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, value));
	ckpt_point();
	CHECK_EQ(ioprio(), value);
}

CKPT_TEST(process, ioprio_best_effort)
{
	same_ioprio(IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 7));
}

CKPT_TEST(process, ioprio_idle)
{
	same_ioprio(IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
}

CKPT_TEST(process, ioprio_real_time)
{
	same_ioprio(IOPRIO_PRIO_VALUE(IOPRIO_CLASS_RT, 3));
}

CKPT_TEST(process, ioprio_never_set)
{
	int before = ioprio();

	ckpt_point();
	CHECK_EQ(ioprio(), before);
}

/* Names and numbers. */

CKPT_TEST(process, personality)
{
	unsigned long flags = ADDR_NO_RANDOMIZE | UNAME26 | STICKY_TIMEOUTS;

	NEED(personality(flags) == 0);
	ckpt_point();
	CHECK_EQ(personality(0xffffffff), flags);
}

CKPT_TEST(process, comm)
{
	char name[16];

	NEED(!prctl(PR_SET_NAME, "a name: (x) y\1z"));
	ckpt_point();
	CHECK(!prctl(PR_GET_NAME, name));
	CHECK(!strcmp(name, "a name: (x) y\1z"));
}

CKPT_TEST(process, pid)
{
	pid_t before = getpid();

	ckpt_point();
	if (ckpt_mode != CKPT_BECOME)
		CHECK_EQ(getpid(), before);
	CHECK_EQ(syscall(SYS_gettid), getpid());
	CHECK_EQ(read_number("/proc/self/stat"), getpid());
}

static void same_oom_score(const char *text, const char *path)
{
	write_text(path, text);
	ckpt_point();
	CHECK_EQ(read_number(path), strtol(text, NULL, 10));
}

CKPT_TEST(process, oom_score_raised)
{
	same_oom_score("300", "/proc/self/oom_score_adj");
}

CKPT_TEST(process, oom_score_lowered)
{
	same_oom_score("-777", "/proc/self/oom_score_adj");
}

CKPT_TEST(process, timer_slack)
{
	NEED(!prctl(PR_SET_TIMERSLACK, 123456));
	ckpt_point();
	CHECK_EQ(prctl(PR_GET_TIMERSLACK), 123456);
	/* Back to what it was by default. */
	CHECK(!prctl(PR_SET_TIMERSLACK, 0));
	CHECK_EQ(prctl(PR_GET_TIMERSLACK), 50000);
}

/* prctl(2). */

CKPT_TEST(process, no_new_privs)
{
	NEED(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	ckpt_point();
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
}

CKPT_TEST(process, parent_death_signal)
{
	int sig = 0;

	NEED(!prctl(PR_SET_PDEATHSIG, SIGUSR2));
	ckpt_point();
	CHECK(!prctl(PR_GET_PDEATHSIG, &sig));
	CHECK_EQ(sig, SIGUSR2);
}

CKPT_TEST(process, io_flusher)
{
	NEED(!prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0));
	ckpt_point();
	CHECK_EQ(prctl(PR_GET_IO_FLUSHER, 0, 0, 0, 0), 1);
	CHECK(!prctl(PR_SET_IO_FLUSHER, 0, 0, 0, 0));
}

CKPT_TEST(process, no_time_stamp_counter)
{
	int mode = 0;

	NEED(!prctl(PR_SET_TSC, PR_TSC_SIGSEGV));
	ckpt_point();
	NEED(!prctl(PR_GET_TSC, &mode));
	NEED(!prctl(PR_SET_TSC, PR_TSC_ENABLE));
	CHECK_EQ(mode, PR_TSC_SIGSEGV);
}

CKPT_TEST(process, memory_failure_early)
{
	NEED(!prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0));
	ckpt_point();
	CHECK_EQ(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_EARLY);
}

CKPT_TEST(process, memory_failure_late)
{
	NEED(!prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_LATE, 0, 0));
	ckpt_point();
	CHECK_EQ(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_LATE);
}

CKPT_TEST(process, subreaper)
{
	int is = 0;

	NEED(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	ckpt_point();
	CHECK(!prctl(PR_GET_CHILD_SUBREAPER, &is));
	CHECK_EQ(is, 1);
}

static void same_dumpable(int value)
{
	NEED(!prctl(PR_SET_DUMPABLE, value));
	ckpt_point();
	CHECK_EQ(prctl(PR_GET_DUMPABLE), value);
}

CKPT_TEST(process, dumpable)
{
	same_dumpable(1);
}

CKPT_TEST(process, not_dumpable)
{
	same_dumpable(0);
}

/* By default none of all that, whatever the restarter had. */
CKPT_TEST(process, prctl_defaults)
{
	int tsc = 0, sig = 1, reaper = 1;

	ckpt_point();
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	CHECK(!prctl(PR_GET_PDEATHSIG, &sig));
	CHECK_EQ(sig, 0);
	CHECK_EQ(prctl(PR_GET_IO_FLUSHER, 0, 0, 0, 0), 0);
	CHECK(!prctl(PR_GET_TSC, &tsc));
	CHECK_EQ(tsc, PR_TSC_ENABLE);
	CHECK_EQ(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_DEFAULT);
	CHECK(!prctl(PR_GET_CHILD_SUBREAPER, &reaper));
	CHECK_EQ(reaper, 0);
	CHECK_EQ(prctl(PR_GET_KEEPCAPS), 0);
	CHECK_EQ(prctl(PR_GET_SECUREBITS), 0);
	CHECK_EQ(prctl(PR_GET_TIMERSLACK), 50000);
}

/* What the kernel writes to when the process ends. */

CKPT_TEST(process, robust_list)
{
	static void *head[3] = { head, NULL, NULL };
	void *now = NULL;
	size_t len = 0;

	NEED(!syscall(SYS_set_robust_list, head, sizeof(head)));
	ckpt_point();
	CHECK(!syscall(SYS_get_robust_list, 0, &now, &len));
	CHECK(now == head);
	CHECK_EQ(len, sizeof(head));
}

CKPT_TEST(process, clear_child_tid)
{
	static int tid;
	int *now = NULL;

	NEED(syscall(SYS_set_tid_address, &tid) == getpid());
	ckpt_point();
	CHECK(!prctl(PR_GET_TID_ADDRESS, &now));
	CHECK(now == &tid);
}

/* A root directory of its own: it can't look at itself from outside then. */

CKPT_FIXTURE_ONLY(process_chroot);
CKPT_VARIANT(process_chroot, live, CKPT_LIVE);
CKPT_VARIANT(process_chroot, killed, CKPT_KILLED);
CKPT_VARIANT(process_chroot, become, CKPT_BECOME);

CKPT_TEST(process_chroot, root_directory)
{
	struct stat before;
	char name[64];

	NEED(!stat(".", &before));
	NEED(!chroot(".") && !mkdir("/below", 0700));
	link_files("/below", "..");
	NEED(!chdir("/below"));
	ckpt_point();
	same_inode("/", &before);
	same_inode("/../..", &before);
	CHECK(getcwd(name, sizeof(name)));
	CHECK(!strcmp(name, "/below"));
	unlink_files("/below");
}

CKPT_TEST(process_chroot, current_directory_outside)
{
	struct stat before, outside;

	NEED(!stat(".", &outside));
	NEED(!mkdir("root", 0700));
	NEED(!stat("root", &before));
	NEED(!chroot("root"));
	ckpt_point();
	same_inode("/", &before);
	same_inode(".", &outside);
	CHECK(!rmdir("root"));
}

CKPT_TEST_MAIN
