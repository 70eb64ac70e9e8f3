// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks that something else holds already: stopped by a signal, frozen by either
 * freezer of control groups. They are taken where they are, and stay there. And
 * restartable sequences, which a checkpoint cuts short.
 */
#include "ckpt_test.h"

#include <linux/rseq.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/rseq.h>

/* What is held: in user mode, in a system call that sleeps. */

CKPT_TARGET(runs)
{
	volatile int *flag;
	int fd = open("flag", O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	NEED(fd >= 0 && !ftruncate(fd, 4096));
	flag = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(flag != MAP_FAILED);
	close(fd);
	ckpt_ready();
	while (!flag[0])
		flag[1]++;
}

CKPT_TARGET(sleeps)
{
	struct timespec time = { 0, 300000000 };
	long long began = ckpt_now();

	ckpt_ready();
	CHECK(!syscall(SYS_nanosleep, &time, NULL));
	CHECK(ckpt_now() - began >= 299);
}

struct held {
	const char	*target;
	long		nr;	/* system call to sleep in, or -1 */
};

static void start(struct __test_metadata *_metadata, struct ckpt_target *target,
		  const struct held *held, enum ckpt_mode mode)
{
	ASSERT_EQ(0, ckpt_start(target, held->target, mode));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	if (held->nr >= 0)
		ASSERT_EQ(0, ckpt_wait_syscall(target, held->nr));
}

static void set_flag(struct ckpt_target *target)
{
	int fd = open(ckpt_path(target, "flag"), O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (pwrite(fd, "x", 1, 0) != 1)
		perror("flag");
	close(fd);
}

/* The letter that ps(1) shows. */
static char state(pid_t pid)
{
	char path[32], text[512] = "", *p;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		text[0] = 0;
	close(fd);
	p = strrchr(text, ')');
	return p ? p[2] : 0;
}

/* Whether what "runs" does so; it counts. */
static bool counts(struct ckpt_target *target)
{
	int fd = open(ckpt_path(target, "flag"), O_RDONLY | O_CLOEXEC);
	int was = 0, is = 0;

	if (pread(fd, &was, 4, 4) != 4)
		perror("flag");
	ckpt_msleep(10);
	if (pread(fd, &is, 4, 4) != 4)
		perror("flag");
	close(fd);
	return is != was;
}

FIXTURE(stopped) {
	struct ckpt_target target;
};

FIXTURE_VARIANT(stopped) {
	struct held	held;
	enum ckpt_mode	mode;
};

#define HELD(fixture, name, how, held_target, held_nr)			\
	FIXTURE_VARIANT_ADD(fixture, name) {				\
		.mode = how,						\
		.held = { held_target, held_nr },			\
	}

#define HELD_FOUR(fixture)						\
	HELD(fixture, running_live, CKPT_LIVE, "runs", -1);		\
	HELD(fixture, running_killed, CKPT_KILLED, "runs", -1);		\
	HELD(fixture, asleep_live, CKPT_LIVE, "sleeps", SYS_nanosleep);	\
	HELD(fixture, asleep_killed, CKPT_KILLED, "sleeps", SYS_nanosleep)

HELD_FOUR(stopped);

FIXTURE_SETUP(stopped)
{
	memset(self, 0, sizeof(*self));
	(void)variant;
}

FIXTURE_TEARDOWN(stopped)
{
	ckpt_clean(&self->target);
}

static void stop(struct __test_metadata *_metadata, struct ckpt_target *target)
{
	int status;

	ASSERT_EQ(0, kill(target->pid, SIGSTOP));
	ASSERT_EQ(target->pid, waitpid(target->pid, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
}

/* Stopped before and after, and nobody is told that it moved. */
TEST_F(stopped, by_signal)
{
	struct ckpt_target *target = &self->target;
	int status;

	start(_metadata, target, &variant->held, variant->mode);
	stop(_metadata, target);
	ASSERT_EQ(0, ckpt_cycle(target)) TH_LOG("%s", target->log);
	ckpt_msleep(30);
	EXPECT_EQ('T', state(target->pid));
	if (variant->mode == CKPT_LIVE)
		EXPECT_EQ(0, waitpid(target->pid, &status,
				     WUNTRACED | WCONTINUED | WNOHANG));
	ASSERT_EQ(0, kill(target->pid, SIGCONT));
	set_flag(target);
	EXPECT_EQ(0, ckpt_end(target));
}

/* Asked to stop it, so it is; and what is restarted to be stopped. */
TEST_F(stopped, by_flag)
{
	struct ckpt_target *target = &self->target;
	int status;

	start(_metadata, target, &variant->held, variant->mode);
	if (variant->mode == CKPT_LIVE) {
		ASSERT_GT(ckpt_checkpoint(target, CHECKPOINT_STOP), 0);
	} else {
		ASSERT_GT(ckpt_checkpoint(target, CHECKPOINT_KILL), 0);
		ckpt_kill(target);
		ASSERT_GT(ckpt_restart(target, RESTART_STOPPED), 0);
	}
	ASSERT_EQ(target->pid, waitpid(target->pid, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(SIGSTOP, WSTOPSIG(status));
	EXPECT_EQ('T', state(target->pid));
	ASSERT_EQ(0, kill(target->pid, SIGCONT));
	set_flag(target);
	EXPECT_EQ(0, ckpt_end(target));
}

/* Control groups. */

FIXTURE(frozen) {
	struct ckpt_target	target;
	char			group[64];
	char			mount[32];
};

FIXTURE_VARIANT(frozen) {
	struct held	held;
	enum ckpt_mode	mode;
};

HELD_FOUR(frozen);

FIXTURE_SETUP(frozen)
{
	memset(self, 0, sizeof(*self));
	(void)variant;
}

static int write_file(const char *dir, const char *name, const char *text)
{
	char path[128];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
	close(fd);
	return ret;
}

static bool file_has(const char *dir, const char *name, const char *text)
{
	char path[128], buf[256];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	len = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	buf[len < 0 ? 0 : len] = 0;
	return strstr(buf, text);
}

static bool wait_has(const char *dir, const char *name, const char *text)
{
	for (int i = 0; i < 1000; i++) {
		if (file_has(dir, name, text))
			return true;
		ckpt_msleep(2);
	}
	return false;
}

static int enter(const char *group, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return write_file(group, "cgroup.procs", text);
}

FIXTURE_TEARDOWN(frozen)
{
	if (self->group[0]) {
		write_file(self->group, "cgroup.freeze", "0");
		write_file(self->group, "freezer.state", "THAWED");
	}
	ckpt_clean(&self->target);
	/* A group is busy until all that was in it is gone for good. */
	for (int i = 0; self->group[0] && i < 100; i++) {
		if (!rmdir(self->group))
			break;
		ckpt_msleep(5);
	}
	if (self->mount[0]) {
		umount2(self->mount, MNT_DETACH);
		rmdir(self->mount);
	}
}

/* Still as it was; if it was killed the new one is in no such group. */
static void thaw(struct __test_metadata *_metadata, struct ckpt_target *target,
		 const char *group, const char *file, const char *how)
{
	if (target->mode == CKPT_LIVE && !strcmp(file, "cgroup.freeze"))
		EXPECT_TRUE(file_has(group, "cgroup.events", "frozen 1"));
	if (target->mode == CKPT_LIVE && !strcmp(file, "freezer.state"))
		EXPECT_TRUE(file_has(group, file, "FROZEN"));
	if (target->mode == CKPT_LIVE && !access(ckpt_path(target, "flag"), F_OK))
		EXPECT_FALSE(counts(target));
	ASSERT_EQ(0, write_file(group, file, how));
}

TEST_F(frozen, by_v2)
{
	struct ckpt_target *target = &self->target;

	snprintf(self->group, sizeof(self->group), "/sys/fs/cgroup/frozen");
	if (mkdir(self->group, 0755)) {
		self->group[0] = 0;
		SKIP(return, "no control group: errno %d", errno);
	}
	start(_metadata, target, &variant->held, variant->mode);
	ASSERT_EQ(0, enter(self->group, target->pid));
	ASSERT_EQ(0, write_file(self->group, "cgroup.freeze", "1"));
	ASSERT_TRUE(wait_has(self->group, "cgroup.events", "frozen 1"));
	ASSERT_EQ(0, ckpt_cycle(target)) TH_LOG("%s", target->log);
	thaw(_metadata, target, self->group, "cgroup.freeze", "0");
	set_flag(target);
	EXPECT_EQ(0, ckpt_end(target));
}

/* One that is killed has to be thawed to die of it. */
static void cycle_v1(struct __test_metadata *_metadata,
		     struct ckpt_target *target, const char *group)
{
	if (target->mode == CKPT_LIVE) {
		ASSERT_GT(ckpt_checkpoint(target, 0), 0)
			TH_LOG("%s", target->log);
		return;
	}
	ASSERT_GT(ckpt_checkpoint(target, CHECKPOINT_KILL), 0)
		TH_LOG("%s", target->log);
	ASSERT_EQ(0, write_file(group, "freezer.state", "THAWED"));
	ckpt_kill(target);
	ASSERT_GT(ckpt_restart(target, 0), 0) TH_LOG("%s", target->log);
}

TEST_F(frozen, by_v1)
{
	struct ckpt_target *target = &self->target;

	snprintf(self->mount, sizeof(self->mount), "/tmp/freezer-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->mount));
	if (mount("freezer", self->mount, "cgroup", 0, "freezer")) {
		rmdir(self->mount);
		self->mount[0] = 0;
		SKIP(return, "no freezer: errno %d", errno);
	}
	snprintf(self->group, sizeof(self->group), "%s/frozen", self->mount);
	ASSERT_EQ(0, mkdir(self->group, 0755));
	start(_metadata, target, &variant->held, variant->mode);
	ASSERT_EQ(0, enter(self->group, target->pid));
	ASSERT_EQ(0, write_file(self->group, "freezer.state", "FROZEN"));
	ASSERT_TRUE(wait_has(self->group, "freezer.state", "FROZEN"));
	cycle_v1(_metadata, target, self->group);
	thaw(_metadata, target, self->group, "freezer.state", "THAWED");
	set_flag(target);
	EXPECT_EQ(0, ckpt_end(target));
}

/* Stopped by a signal and frozen as well: both are so afterwards. */
TEST_F(frozen, and_stopped)
{
	struct ckpt_target *target = &self->target;

	snprintf(self->group, sizeof(self->group), "/sys/fs/cgroup/both");
	if (mkdir(self->group, 0755)) {
		self->group[0] = 0;
		SKIP(return, "no control group: errno %d", errno);
	}
	start(_metadata, target, &variant->held, variant->mode);
	stop(_metadata, target);
	ASSERT_EQ(0, enter(self->group, target->pid));
	ASSERT_EQ(0, write_file(self->group, "cgroup.freeze", "1"));
	ASSERT_TRUE(wait_has(self->group, "cgroup.events", "frozen 1"));
	ASSERT_EQ(0, ckpt_cycle(target)) TH_LOG("%s", target->log);
	thaw(_metadata, target, self->group, "cgroup.freeze", "0");
	ckpt_msleep(20);
	EXPECT_EQ('T', state(target->pid));
	ASSERT_EQ(0, kill(target->pid, SIGCONT));
	set_flag(target);
	EXPECT_EQ(0, ckpt_end(target));
}

/* Restartable sequences. */

CKPT_FIXTURE(sequence);

static struct rseq *own_rseq(void)
{
	if (!__rseq_size)
		ckpt_skip("the C library has not registered any");
	return (void *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

/* The kernel goes on to say there which CPU it is. */
CKPT_TEST(sequence, registered)
{
	volatile struct rseq *rseq = own_rseq();
	cpu_set_t one;
	unsigned int cpu;

	ckpt_point();
	for (unsigned int i = 0; i < 2; i++) {
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		if (sched_setaffinity(0, sizeof(one), &one))
			continue;
		syscall(SYS_getcpu, &cpu, NULL, NULL);
		CHECK_EQ(cpu, i);
		CHECK_EQ(rseq->cpu_id, cpu);
		CHECK_EQ(rseq->cpu_id_start, cpu);
	}
	/* It is registered, and by these: 16 is EBUSY, 22 is EINVAL. */
	CHECK(syscall(SYS_rseq, rseq, 32, 0, RSEQ_SIG) && errno == EBUSY);
	CHECK(!syscall(SYS_rseq, rseq, 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG));
	CHECK(syscall(SYS_rseq, rseq, 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG) &&
	      errno == EINVAL);
}

CKPT_TEST(sequence, unregistered)
{
	volatile struct rseq *rseq = own_rseq();

	CHECK(!syscall(SYS_rseq, rseq, 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG));
	ckpt_point();
	CHECK(syscall(SYS_rseq, rseq, 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG) &&
	      errno == EINVAL);
	CHECK(!syscall(SYS_rseq, rseq, 32, 0, RSEQ_SIG));
}

/*
 * A sequence that takes note of what is in the flag and ends by itself when that
 * changes. The flag is changed while there is no process. So if the sequence
 * ends, rather than being aborted, it went on where it was.
 */
static volatile int *flag;

static bool sequence_ended(struct rseq *rseq, int began)
{
	static struct rseq_cs cs __attribute__((aligned(32)));

	asm goto("lea 1f(%%rip), %%rax\n"
		 "mov %%rax, 8(%[cs])\n"
		 "lea 2f(%%rip), %%rcx\n"
		 "sub %%rax, %%rcx\n"
		 "mov %%rcx, 16(%[cs])\n"
		 "lea 4f(%%rip), %%rax\n"
		 "mov %%rax, 24(%[cs])\n"
		 "mov %[cs], 8(%[rseq])\n"
		 "1: cmp %[began], (%[flag])\n"
		 "je 1b\n"
		 "2: jmp 3f\n"
		 /* A signature is to come before where an abort goes. */
		 ".byte 0x0f, 0xb9, 0x3d\n"
		 ".long 0x53053053\n"
		 "4: jmp %l[aborted]\n"
		 "3:\n"
		 : : [cs] "r" (&cs), [rseq] "r" (rseq), [began] "r" (began),
		     [flag] "r" (flag)
		 : "rax", "rcx", "memory", "cc" : aborted);
	return true;
aborted:
	return false;
}

CKPT_TARGET(in_sequence)
{
	struct rseq *rseq = own_rseq();
	int fd = open("flag", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	int aborted = 0;

	NEED(fd >= 0 && !ftruncate(fd, 4096));
	flag = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	NEED(flag != MAP_FAILED);
	close(fd);
	ckpt_ready();
	while (!*flag) {
		if (sequence_ended(rseq, 0))
			ckpt_fail(__FILE__, __LINE__, "it was not aborted");
		else
			aborted++;
	}
	CHECK(aborted > 0);
}

CKPT_FIXTURE_ONLY(sequence_cut);
CKPT_VARIANT(sequence_cut, killed, CKPT_KILLED);

TEST_F(sequence_cut, is_aborted)
{
	struct ckpt_target *target = &self->target;
	int ret;

	ASSERT_EQ(0, ckpt_start(target, "in_sequence", CKPT_KILLED));
	ret = ckpt_wait_ready(target);
	if (ret > 0 && ckpt_end(target) == KSFT_SKIP)
		SKIP(return, "%s", target->log);
	ASSERT_EQ(0, ret);
	ckpt_msleep(10);
	ASSERT_GT(ckpt_checkpoint(target, CHECKPOINT_KILL), 0)
		TH_LOG("%s", target->log);
	ckpt_kill(target);
	set_flag(target);
	ASSERT_GT(ckpt_restart(target, 0), 0) TH_LOG("%s", target->log);
	EXPECT_EQ(0, ckpt_end(target));
}

CKPT_TEST_MAIN
