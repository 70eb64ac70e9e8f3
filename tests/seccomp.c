// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filters of system calls: what they forbade stays forbidden, to each thread
 * what was forbidden to it, and in the same way.
 */
#include "ckpt_test.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "ckpt_image.h"
#include "ckpt_proc.h"

/* <sys/ptrace.h> does not go with <linux/ptrace.h>. */
static long tracer(long request, pid_t pid, long addr, void *data)
{
	return syscall(SYS_ptrace, request, pid, addr, data);
}

CKPT_FIXTURE(seccomp);

/* A filter that does something about one system call. */
static long filter_add(int nr, unsigned int action, unsigned int flags)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(insns) / sizeof(insns[0]), insns };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

static void filter(int nr, unsigned int action)
{
	NEED(!filter_add(nr, action, 0));
}

/* What a system call that nobody else makes fails with. */
static int error_of(int nr)
{
	errno = 0;
	return syscall(nr, 0, 0) < 0 ? errno : 0;
}

static long status_number(pid_t pid, const char *key)
{
	char path[64], text[4096], *line;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	ckpt_read(path, text, sizeof(text));
	line = strstr(text, key);
	return line ? strtol(line + strlen(key), NULL, 10) : -1;
}

CKPT_TEST(seccomp, error)
{
	NEED(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	filter(SYS_getpgid, SECCOMP_RET_ERRNO | 77);
	ckpt_point();
	CHECK_EQ(error_of(SYS_getpgid), 77);
	CHECK_EQ(error_of(SYS_getsid), 0);
	CHECK_EQ(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), SECCOMP_MODE_FILTER);
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	CHECK_EQ(status_number(getpid(), "Seccomp_filters:"), 1);
}

/* It was put in place by one who had the capability. */
CKPT_TEST(seccomp, privileged)
{
	filter(SYS_getpgid, SECCOMP_RET_ERRNO | 78);
	ckpt_point();
	CHECK_EQ(error_of(SYS_getpgid), 78);
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
}

/* None by default, and one can still be added. */
CKPT_TEST(seccomp, none)
{
	ckpt_point();
	CHECK_EQ(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), SECCOMP_MODE_DISABLED);
	CHECK_EQ(error_of(SYS_getpgid), 0);
	filter(SYS_getpgid, SECCOMP_RET_ERRNO | 79);
	CHECK_EQ(error_of(SYS_getpgid), 79);
}

/* Of two that say the same kind of thing the one on top counts. */
CKPT_TEST(seccomp, order)
{
	filter(SYS_getpgid, SECCOMP_RET_ERRNO | 80);
	filter(SYS_getpgid, SECCOMP_RET_ERRNO | 81);
	filter(SYS_getsid, SECCOMP_RET_ERRNO | 82);
	ckpt_point();
	CHECK_EQ(error_of(SYS_getpgid), 81);
	CHECK_EQ(error_of(SYS_getsid), 82);
	CHECK_EQ(status_number(getpid(), "Seccomp_filters:"), 3);
	filter(SYS_getpgid, SECCOMP_RET_ERRNO | 83);
	CHECK_EQ(error_of(SYS_getpgid), 83);
	CHECK_EQ(status_number(getpid(), "Seccomp_filters:"), 4);
}

static int end_of_child(void)
{
	int status = -1;
	pid_t pid = fork();

	NEED(pid >= 0);
	if (!pid)
		_exit(error_of(SYS_getpgid));
	NEED(waitpid(pid, &status, 0) == pid);
	return status;
}

CKPT_TEST(seccomp, kill)
{
	int status;

	filter(SYS_getpgid, SECCOMP_RET_KILL_PROCESS);
	ckpt_point();
	status = end_of_child();
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGSYS);
}

static volatile sig_atomic_t trapped;

static void on_trap(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	trapped = info->si_errno;
}

CKPT_TEST(seccomp, trap)
{
	struct sigaction action = { .sa_sigaction = on_trap,
				    .sa_flags = SA_SIGINFO };

	NEED(!sigaction(SIGSYS, &action, NULL));
	filter(SYS_getpgid, SECCOMP_RET_TRAP | 1234);
	ckpt_point();
	error_of(SYS_getpgid);
	CHECK_EQ(trapped, 1234);
}

/* A system call that is restarted is looked at once more. */
CKPT_TEST(seccomp, looks_at_arguments)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 84),
	};
	struct sock_fprog prog = { sizeof(insns) / sizeof(insns[0]), insns };

	NEED(!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog));
	ckpt_point();
	CHECK_EQ(error_of(SYS_getpgid), 0);
	CHECK(syscall(SYS_getpgid, getpid()) < 0);
	CHECK_EQ(errno, 84);
}

/* More than would fit on a stack of the kernel's, one calling the next. */
CKPT_TEST(seccomp, hundreds)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog prog = { 1, &allow };
	long nr = 0;

	while (nr < 150 &&
	       !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog))
		nr++;
	filter(SYS_getpgid, SECCOMP_RET_ERRNO | 85);
	ckpt_point();
	CHECK_EQ(status_number(getpid(), "Seccomp_filters:"), nr + 1);
	CHECK_EQ(error_of(SYS_getpgid), 85);
}

/* Threads, which have what they have in common, and what each added. */

static volatile int threads_ready, threads_go;

static void *filtered_thread(void *arg)
{
	long error = (long)arg;

	if (error)
		filter(SYS_getpgid, SECCOMP_RET_ERRNO | error);
	__atomic_fetch_add(&threads_ready, 1, __ATOMIC_SEQ_CST);
	while (!threads_go)
		ckpt_msleep(1);
	return (void *)(long)error_of(SYS_getpgid);
}

static void threads_start(pthread_t *thread, long first, int nr)
{
	for (int i = 0; i < nr; i++)
		NEED(!pthread_create(&thread[i], NULL, filtered_thread,
				     (void *)(first ? first + i : 0)));
	while (threads_ready < nr)
		ckpt_msleep(1);
}

static long thread_end(pthread_t thread)
{
	void *error;

	threads_go = 1;
	NEED(!pthread_join(thread, &error));
	return (long)error;
}

CKPT_TEST(seccomp, threads)
{
	pthread_t thread[3];

	threads_start(thread, 90, 3);
	ckpt_point();
	CHECK_EQ(error_of(SYS_getpgid), 0);
	CHECK_EQ(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), SECCOMP_MODE_DISABLED);
	for (long i = 0; i < 3; i++)
		CHECK_EQ(thread_end(thread[i]), 90 + i);
}

CKPT_TEST(seccomp, synchronised)
{
	pthread_t thread[2];

	threads_start(thread, 0, 2);
	NEED(!filter_add(SYS_getpgid, SECCOMP_RET_ERRNO | 95,
			 SECCOMP_FILTER_FLAG_TSYNC));
	ckpt_point();
	/* What they have is still the same, or this fails. */
	CHECK_EQ(filter_add(SYS_getsid, SECCOMP_RET_ERRNO | 96,
			    SECCOMP_FILTER_FLAG_TSYNC), 0);
	CHECK_EQ(error_of(SYS_getsid), 96);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(thread_end(thread[i]), 95);
}

/* One has filters of its own: those of others are not put on top. */
CKPT_TEST(seccomp, not_synchronised)
{
	pthread_t thread;

	threads_start(&thread, 97, 1);
	ckpt_point();
	CHECK(filter_add(SYS_getsid, SECCOMP_RET_ERRNO | 98,
			 SECCOMP_FILTER_FLAG_TSYNC) > 0);
	CHECK_EQ(thread_end(thread), 97);
}

/* What is seen from outside. */

FIXTURE(outside) {
	struct ckpt_target target;
};

FIXTURE_SETUP(outside)
{
	memset(self, 0, sizeof(*self));
}

FIXTURE_TEARDOWN(outside)
{
	ckpt_clean(&self->target);
}

static void there_and_back(struct __test_metadata *_metadata,
			   struct ckpt_target *target)
{
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	ASSERT_LT(0, ckpt_restart(target, 0));
}

CKPT_TARGET(outside_program)
{
	filter(SYS_getpgid, SECCOMP_RET_ERRNO | 3);
	NEED(!filter_add(SYS_getsid, SECCOMP_RET_ERRNO | 4,
			 SECCOMP_FILTER_FLAG_LOG));
	ckpt_ready();
	for (;;)
		pause();
}

struct seen {
	struct sock_filter	insns[2][64];
	long			len[2];
	__u64			flags[2];
};

/* The program of each filter and its flags, as its tracer may see them. */
static bool look_at(pid_t pid, struct seen *seen)
{
	struct seccomp_metadata data;
	bool good;

	memset(seen, 0, sizeof(*seen));
	if (tracer(PTRACE_SEIZE, pid, 0, NULL) ||
	    tracer(PTRACE_INTERRUPT, pid, 0, NULL) ||
	    waitpid(pid, NULL, __WALL) != pid)
		return false;
	good = true;
	for (int i = 0; i < 2 && good; i++) {
		seen->len[i] = tracer(PTRACE_SECCOMP_GET_FILTER, pid, i,
				      seen->insns[i]);
		data = (struct seccomp_metadata){ .filter_off = i };
		good = seen->len[i] > 0 &&
		       tracer(PTRACE_SECCOMP_GET_METADATA, pid, sizeof(data),
			      &data) > 0;
		seen->flags[i] = data.flags;
	}
	tracer(PTRACE_DETACH, pid, 0, NULL);
	return good;
}

TEST_F(outside, program)
{
	struct ckpt_target *target = &self->target;
	struct seen before, after;

	ASSERT_EQ(0, ckpt_start(target, "outside_program", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_TRUE(look_at(target->pid, &before));
	EXPECT_EQ(before.flags[1], SECCOMP_FILTER_FLAG_LOG);
	there_and_back(_metadata, target);
	ASSERT_TRUE(look_at(target->pid, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
}

/* Whoever may do little more than look at a byte of memory looks at a file. */
CKPT_TARGET(outside_strict)
{
	int fd = open("flag", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	volatile char *flag;

	NEED(fd >= 0 && !ftruncate(fd, 4096));
	flag = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(flag != MAP_FAILED);
	NEED(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0));
	*flag = 'r';
	while (*flag == 'r')
		;
	/* The first is allowed. */
	syscall(SYS_write, fd, "w", 1);
	syscall(SYS_getppid);
	syscall(SYS_exit, 1);
}

static char get_flag(struct ckpt_target *target)
{
	int fd = open(ckpt_path(target, "flag"), O_RDONLY | O_CLOEXEC);
	char c = 0;

	if (fd >= 0 && read(fd, &c, 1) < 0)
		c = 0;
	close(fd);
	return c;
}

static void set_flag(struct ckpt_target *target, char c)
{
	int fd = open(ckpt_path(target, "flag"), O_WRONLY | O_CLOEXEC);

	NEED(write(fd, &c, 1) == 1);
	close(fd);
}

TEST_F(outside, strict)
{
	struct ckpt_target *target = &self->target;
	int status = 0;

	ASSERT_EQ(0, ckpt_start(target, "outside_strict", CKPT_KILLED));
	for (int i = 0; i < 5000 && get_flag(target) != 'r'; i++)
		ckpt_msleep(1);
	there_and_back(_metadata, target);
	EXPECT_EQ(SECCOMP_MODE_STRICT, status_number(target->pid, "Seccomp:"));
	set_flag(target, '1');
	ASSERT_EQ(target->pid, waitpid(target->pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	EXPECT_EQ('w', get_flag(target));
	target->pid = 0;
	unlink(ckpt_path(target, "flag"));
}

/* A filter is in the image once, whoever has it. */
CKPT_TARGET(outside_shared)
{
	filter(SYS_getpgid, SECCOMP_RET_ERRNO | 5);
	for (int i = 0; i < 2; i++) {
		if (fork())
			continue;
		for (;;)
			pause();
	}
	filter(SYS_getsid, SECCOMP_RET_ERRNO | 6);
	ckpt_ready();
	for (;;)
		pause();
}

static struct ckpt_image image;
static size_t records[256];

static unsigned int load(struct ckpt_target *target)
{
	int fd = open(ckpt_path(target, "image"), O_RDONLY | O_CLOEXEC);
	bool loaded;

	image.room = 4 << 20;
	image.bytes = malloc(image.room);
	loaded = image.bytes && ckpt_image_load(&image, fd);
	close(fd);
	return loaded ? ckpt_image_records(&image, records, 256) : 0;
}

TEST_F(outside, shared)
{
	struct ckpt_target *target = &self->target;
	unsigned int nr, filters = 0;

	ASSERT_EQ(0, ckpt_start(target, "outside_shared", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	nr = load(target);
	for (unsigned int i = 0; i < nr; i++)
		filters += ckpt_image_record(&image, records[i])->type ==
			   CKPT_REC_SECCOMP;
	EXPECT_EQ(2, filters);
}

/* The restarter's own filters. */

CKPT_TARGET(outside_inherited)
{
	filter(SYS_getsid, SECCOMP_RET_ERRNO | 8);
	ckpt_point();
	CHECK_EQ(error_of(SYS_getpgid), 7);
	CHECK_EQ(error_of(SYS_getsid), 8);
	CHECK_EQ(status_number(getpid(), "Seccomp_filters:"), 2);
}

/* He may be under those that the image begins with, or under none. */
TEST_F(outside, inherited)
{
	struct ckpt_target *target = &self->target;

	filter(SYS_getpgid, SECCOMP_RET_ERRNO | 7);
	ASSERT_EQ(0, ckpt_run(target, "outside_inherited", CKPT_KILLED));
	ckpt_clean(target);
	EXPECT_EQ(0, ckpt_run(target, "outside_inherited", CKPT_BECOME));
}

static bool has_log(struct ckpt_target *target, const char *text)
{
	if (strstr(target->log, text))
		return true;
	printf("# \"%s\" does not say \"%s\"\n", target->log, text);
	return false;
}

/* But not under one that it does not begin with: that would be lost, or new. */
TEST_F(outside, caller_has_another)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, ckpt_start(target, "outside_program", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	filter(SYS_getpgid, SECCOMP_RET_ERRNO | 9);
	EXPECT_EQ(-EPERM, ckpt_restart(target, 0));
	EXPECT_TRUE(has_log(target, "without the filters of the caller"));
	EXPECT_EQ(-1, waitpid(-1, NULL, __WALL));
	EXPECT_EQ(-EPERM, ckpt_restart_as(target, getpid(), 0));
	target->pid = 0;
}

/* Images that somebody has changed. */

static struct ckpt_rec_seccomp *find_filter(unsigned int nr, unsigned int which)
{
	for (unsigned int i = 0; i < nr; i++) {
		struct ckpt_record *rec = ckpt_image_record(&image, records[i]);

		if (rec->type == CKPT_REC_SECCOMP && !which--)
			return (void *)(rec + 1);
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

TEST_F(outside, changed)
{
	struct ckpt_target *target = &self->target;
	struct ckpt_rec_seccomp *rec;
	unsigned int nr;

	ASSERT_EQ(0, ckpt_start(target, "outside_program", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	nr = load(target);
	rec = find_filter(nr, 1);
	ASSERT_NE(NULL, rec);

	/* What only the kernel's own programs have. */
	rec->insns[0].code = BPF_LD | BPF_B | BPF_ABS;
	EXPECT_EQ(-EBADMSG, restart_changed(target));
	EXPECT_TRUE(has_log(target, "not a filter's program"));
	rec->insns[0].code = BPF_LD | BPF_W | BPF_ABS;
	rec->insns[1].jf = 200;
	EXPECT_EQ(-EBADMSG, restart_changed(target));
	rec->insns[1].jf = 1;
	rec->nr_insns++;
	EXPECT_EQ(-EBADMSG, restart_changed(target));
	EXPECT_TRUE(has_log(target, "instructions do not fit"));
	rec->nr_insns--;
	/* On top of itself. */
	rec->prev++;
	EXPECT_EQ(-EBADMSG, restart_changed(target));
	EXPECT_TRUE(has_log(target, "refers to object"));
	rec->prev = 0;
	ASSERT_LT(0, restart_changed(target));
	EXPECT_EQ(1, status_number(target->pid, "Seccomp_filters:"));
}

CKPT_TEST_MAIN
