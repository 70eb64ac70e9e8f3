// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every allocation of both calls fails once. A call then fails, and has not
 * happened: the target runs on, no child is left, the caller is as before. Or
 * it could do without, and succeeds.
 *
 * By /proc/thread-self/fail-nth where the caller does the work; what the tasks
 * that restart(2) creates do, by failslab and fail_page_alloc, which they are
 * subject to as their creator is.
 */
#include "ckpt_test.h"

#include <linux/checkpoint_image.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "ckpt_leak.h"
#include "ckpt_proc.h"
#include "ckpt_tiny.h"

#ifndef FAULTS_START
#define FAULTS_START	ckpt_tiny_start
/* Bytes between one allocation to fail in a task that is made, and the next. */
#define FAULTS_STEP	160
#endif
/* What all have in common need not fail as often in each. */
#ifndef FAULTS_STEP
#define FAULTS_STEP	480
#endif

/* What else stands for a lack of memory, one or several. */
#ifndef FAULTS_MEMORY
#define FAULTS_MEMORY	ENOMEM
#endif

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define DEBUGFS		"/sys/kernel/debug"
/* More allocations than any call has. */
#define FAULTS_MAX	20000

/* Where the kernel is told to fail. */

static bool faults_set(const char *what, const char *value)
{
	char path[128];
	int fd, ret;

	snprintf(path, sizeof(path), DEBUGFS "/%s", what);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ret = write(fd, value, strlen(value));
	close(fd);
	return ret > 0;
}

static long faults_get(const char *what)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), DEBUGFS "/%s", what);
	ckpt_read(path, text, sizeof(text));
	return atol(text);
}

/* All allocations are meant; and to say so each time would take too long. */
static bool faults_setup(void)
{
	static const char *const settings[][2] = {
		{ "failslab/ignore-gfp-wait", "N" },
		{ "failslab/cache-filter", "N" },
		{ "failslab/task-filter", "Y" },
		{ "failslab/interval", "1" },
		{ "failslab/verbose", "0" },
		{ "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ "fail_page_alloc/min-order", "0" },
		{ "fail_page_alloc/task-filter", "Y" },
		{ "fail_page_alloc/interval", "1" },
		{ "fail_page_alloc/verbose", "0" },
	};

	if (access(DEBUGFS "/failslab", F_OK))
		mount("debugfs", DEBUGFS, "debugfs", 0, NULL);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (!faults_set(settings[i][0], settings[i][1]))
			return false;
	return true;
}

/*
 * The descriptor is closed in between, since it is of a kind that can't be
 * checkpointed. Where nothing has failed by then, to open it again does.
 */
static bool faults_arm(unsigned int nr)
{
	int fd = open(FAIL_NTH, O_WRONLY | O_CLOEXEC);
	bool armed = dprintf(fd, "%u", nr) > 0;

	close(fd);
	return armed;
}

/* Whether what was armed has come to pass. */
static bool faults_disarm(void)
{
	int fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	char text[16] = "1";
	bool failed;

	if (fd < 0)
		return false;
	failed = read(fd, text, sizeof(text) - 1) > 0 && !atol(text);
	if (pwrite(fd, "0", 1, 0) != 1)
		failed = false;
	close(fd);
	return failed;
}

/* The same call again and again, each time with another allocation that fails. */

/**
 * struct faults - what there is to call with
 * @target: a process that is checkpointed, a child; 0 if there is none
 * @image: a file with its image
 * @out: where the next image goes
 * @log: where the next log goes
 */
struct faults {
	pid_t	target;
	int	image;
	int	out;
	int	log;
};

typedef long (*faults_call)(struct faults *f);
typedef bool (*faults_look)(struct faults *f, long ret);

static void faults_show_log(struct faults *f)
{
	char text[512];
	ssize_t len = pread(f->log, text, sizeof(text) - 1, 0);

	if (len > 0)
		printf("# %.*s", (int)len, text);
	fflush(stdout);
}

/* ENFILE is what pipe(2) has for it, and ENOSPC a file system in memory. */
static bool faults_of_memory(long err)
{
	static const int all[] = {
		ENOMEM, EAGAIN, ENFILE, ENOSPC, FAULTS_MEMORY
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (err == all[i])
			return true;
	return false;
}

/* Returns what went wrong, or NULL. */
static const char *faults_one(struct faults *f, unsigned int nr,
			      faults_call call, faults_look look, bool *failed,
			      long *ret)
{
	lseek(f->out, 0, SEEK_SET);
	lseek(f->log, 0, SEEK_SET);
	if (ftruncate(f->log, 0) || !faults_arm(nr))
		return "it can't be said what is to fail";
	*ret = call(f);
	*failed = faults_disarm();
	if (*ret < 0 && !*failed)
		return "it fails though nothing did";
	if (*ret < 0 && !faults_of_memory(-*ret))
		return "not for lack of memory";
	return look(f, *ret) ? NULL : "it left something behind";
}

/* Until nothing failed any more. */
static bool faults_run(struct faults *f, const char *name, faults_call call,
		       faults_look look)
{
	unsigned int nr, errors = 0, bad = 0;
	bool failed = true;
	const char *wrong;
	long ret = 0;

	for (nr = 1; failed && nr < FAULTS_MAX && bad < 20; nr++) {
		wrong = faults_one(f, nr, call, look, &failed, &ret);
		errors += ret < 0;
		if (!wrong)
			continue;
		printf("# %s: fault %u: %ld (%s): %s\n", name, nr, ret,
		       ret < 0 ? strerrorname_np(-ret) : "", wrong);
		faults_show_log(f);
		bad++;
	}
	printf("# %s: %u faults, of which %u were not got over\n", name, nr - 2,
	       errors);
	fflush(stdout);
	return !bad && !failed && errors > 10;
}

/* What can be called. */

static long faults_checkpoint(struct faults *f, unsigned int flags)
{
	long ret = syscall(__NR_checkpoint, f->target, f->out,
			   flags | CHECKPOINT_LOGFD, f->log);

	return ret < 0 ? -errno : ret;
}

static long faults_live(struct faults *f)
{
	return faults_checkpoint(f, 0);
}

static long faults_kill(struct faults *f)
{
	return faults_checkpoint(f, CHECKPOINT_KILL);
}

static long faults_checksum(struct faults *f)
{
	return faults_checkpoint(f, CHECKPOINT_CHECKSUM);
}

static long faults_zstd(struct faults *f)
{
	return faults_checkpoint(f, CHECKPOINT_ZSTD);
}

static long faults_restart(struct faults *f)
{
	long ret;

	lseek(f->image, 0, SEEK_SET);
	lseek(f->log, 0, SEEK_SET);
	if (ftruncate(f->log, 0))
		return -errno;
	ret = syscall(__NR_restart, 0, f->image, RESTART_LOGFD, f->log);
	return ret < 0 ? -errno : ret;
}

static long faults_track(struct faults *f)
{
	return faults_checkpoint(f, CHECKPOINT_TRACK);
}

/* What changed since the image that there is; it stays the parent. */
static long faults_parent(struct faults *f)
{
	struct ckpt_image_header header = {};
	struct checkpoint_args args = {};
	long ret;

	if (pread(f->image, &header, sizeof(header), 0) != sizeof(header))
		return -errno;
	memcpy(args.parent, header.uuid, sizeof(args.parent));
	ret = syscall(__NR_checkpoint, f->target, f->out,
		      CHECKPOINT_PARENT | CHECKPOINT_LOGFD, f->log, &args,
		      sizeof(args));
	return ret < 0 ? -errno : ret;
}

/* Who was to end may be about to. */
static bool faults_no_child(void)
{
	long long end = ckpt_now() + 10000;
	pid_t pid;

	while (ckpt_now() < end) {
		pid = waitpid(-1, NULL, WNOHANG | __WALL);
		if (pid < 0)
			return errno == ECHILD;
		if (!pid)
			ckpt_msleep(1);
	}
	return false;
}

static bool faults_target_lives(struct faults *f, long ret)
{
	(void)ret;
	return !ckpt_tiny_wait(f->target);
}

static bool faults_target_killed(struct faults *f, long ret)
{
	if (ret > 0) {
		waitpid(f->target, NULL, 0);
		f->target = FAULTS_START();
	}
	return !ckpt_tiny_wait(f->target);
}

static bool faults_self_lives(struct faults *f, long ret)
{
	(void)f;
	(void)ret;
	return faults_no_child();
}

static bool faults_child_ends(struct faults *f, long ret)
{
	(void)f;
	if (ret > 0) {
		kill(ret, SIGKILL);
		if (waitpid(ret, NULL, __WALL) != ret)
			return false;
	}
	return faults_no_child();
}

static int faults_file(const char *name)
{
	return open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static void faults_target_ends(struct faults *f)
{
	if (f->target > 0) {
		kill(f->target, SIGKILL);
		waitpid(f->target, NULL, 0);
	}
	f->target = 0;
}

/* Make a target, and an image of it, on a kernel that can fail. */
static const char *faults_begin(struct faults *f)
{
	if (access(FAIL_NTH, W_OK))
		return "no " FAIL_NTH ": this kernel does not fail on purpose";
	/* Whose parent ends is left to whoever asks whether anybody is. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
#ifdef FAULTS_HUGE
	ckpt_huge_pages(FAULTS_HUGE);
#endif
	if (!faults_setup())
		return "no failslab or no fail_page_alloc in " DEBUGFS;
	f->image = faults_file("image");
	f->out = faults_file("out");
	f->log = faults_file("log");
	f->target = FAULTS_START();
	return NULL;
}

/* To be restarted under its old pid, it has to be gone. */
static bool faults_image_with(struct faults *f, unsigned int flags)
{
	int out = f->out;
	long ret;

	f->out = f->image;
	ret = faults_checkpoint(f, CHECKPOINT_KILL | flags);
	f->out = out;
	if (ret > 0)
		faults_target_ends(f);
	return ret > 0 && faults_no_child();
}

static bool faults_image(struct faults *f)
{
	return faults_image_with(f, 0);
}

FIXTURE(fault) {
	struct faults f;
	struct ckpt_leak before;
};

FIXTURE_SETUP(fault)
{
	const char *missing;

	memset(self, 0, sizeof(*self));
	missing = faults_begin(&self->f);
	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, ckpt_tiny_wait(self->f.target));
	ckpt_leak_note(&self->before);
}

FIXTURE_TEARDOWN(fault)
{
	faults_set("failslab/probability", "0");
	faults_set("fail_page_alloc/probability", "0");
	faults_target_ends(&self->f);
#ifdef FAULTS_HUGE
	ckpt_huge_pages(0);
#endif
	if (self->before.files)
		EXPECT_TRUE(ckpt_leak_none(&self->before));
	unlink("image");
	unlink("out");
	unlink("log");
}

#define FAULTS_TEST(name) TEST_F_TIMEOUT(fault, name, 600)

FAULTS_TEST(live)
{
	EXPECT_TRUE(faults_run(&self->f, "live", faults_live,
			       faults_target_lives));
}

FAULTS_TEST(live_null)
{
	self->f.out = open("/dev/null", O_WRONLY | O_CLOEXEC);
	EXPECT_TRUE(faults_run(&self->f, "live, to /dev/null", faults_live,
			       faults_target_lives));
}

FAULTS_TEST(killed)
{
	EXPECT_TRUE(faults_run(&self->f, "killed", faults_kill,
			       faults_target_killed));
}

FAULTS_TEST(tracked)
{
	EXPECT_TRUE(faults_run(&self->f, "tracked", faults_track,
			       faults_target_lives));
}

FAULTS_TEST(parent)
{
	int out = self->f.out;

	self->f.out = self->f.image;
	ASSERT_LT(0, faults_track(&self->f));
	self->f.out = out;
	EXPECT_TRUE(faults_run(&self->f, "parent", faults_parent,
			       faults_target_lives));
}

FAULTS_TEST(checksum)
{
	EXPECT_TRUE(faults_run(&self->f, "checksum", faults_checksum,
			       faults_target_lives));
}

FAULTS_TEST(zstd)
{
	EXPECT_TRUE(faults_run(&self->f, "zstd", faults_zstd,
			       faults_target_lives));
}

FAULTS_TEST(restart_zstd)
{
	ASSERT_TRUE(faults_image_with(&self->f, CHECKPOINT_ZSTD));
	EXPECT_TRUE(faults_run(&self->f, "restart, zstd", faults_restart,
			       faults_child_ends));
}

FAULTS_TEST(restart_checksum)
{
	ASSERT_TRUE(faults_image_with(&self->f, CHECKPOINT_CHECKSUM));
	EXPECT_TRUE(faults_run(&self->f, "restart, checksum", faults_restart,
			       faults_child_ends));
}

FAULTS_TEST(restart)
{
	ASSERT_TRUE(faults_image(&self->f));
	EXPECT_TRUE(faults_run(&self->f, "restart", faults_restart,
			       faults_child_ends));
}

/* What the harness shares with its children would be refused. */
static void faults_unshare(void)
{
	static char maps[16384];
	char *line, *next = maps, *rest;
	unsigned long start, end;

	ckpt_read("/proc/self/maps", maps, sizeof(maps));
	while ((line = strsep(&next, "\n"))) {
		if (!strstr(line, "/dev/zero (deleted)"))
			continue;
		start = strtoul(line, &rest, 16);
		end = strtoul(rest + 1, NULL, 16);
		munmap((void *)start, end - start);
	}
}

/* Run in a child, as there is no target but itself. */
static int faults_self_main(struct faults f)
{
	faults_unshare();
	f.target = getpid();
	return !faults_run(&f, "self", faults_live, faults_self_lives);
}

FAULTS_TEST(self)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(faults_self_main(self->f));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* Becoming the target. */

/**
 * struct faults_me - what a caller finds unchanged where he did not become another
 * @maps: /proc/self/maps
 * @comm: his name
 * @mask: blocked signals
 * @fd: the lowest descriptor that is free
 */
struct faults_me {
	char		maps[16384];
	char		comm[32];
	sigset_t	mask;
	int		fd;
};

static void faults_me_note(struct faults_me *me)
{
	memset(me, 0, sizeof(*me));
	me->fd = dup(0);
	close(me->fd);
	sigprocmask(SIG_BLOCK, NULL, &me->mask);
	ckpt_read("/proc/self/comm", me->comm, sizeof(me->comm));
	ckpt_read("/proc/self/maps", me->maps, sizeof(me->maps));
}

enum {
	BECOME_REFUSED,		/* it failed, and the caller is as before */
	BECOME_WRONG,		/* it failed otherwise */
	BECOME_KILLED,		/* it failed too late, and is gone */
	BECOME_DONE,		/* it is another, but something failed */
	BECOME_UNDISTURBED,	/* it is another, and nothing failed */
};

static int faults_become_main(struct faults *f, unsigned int nr)
{
	static struct faults_me before, after;
	bool failed;
	long ret;

	faults_me_note(&before);
	lseek(f->image, 0, SEEK_SET);
	lseek(f->log, 0, SEEK_SET);
	if (ftruncate(f->log, 0) || !faults_arm(nr))
		return BECOME_WRONG;
	syscall(__NR_restart, getpid(), f->image, RESTART_LOGFD, f->log);
	ret = errno;
	failed = faults_disarm();
	faults_me_note(&after);
	if (failed && faults_of_memory(ret) &&
	    !memcmp(&before, &after, sizeof(before)))
		return BECOME_REFUSED;
	printf("# become: fault %u: %s%s\n", nr, strerrorname_np(ret),
	       memcmp(&before, &after, sizeof(before)) ? ", changed" : "");
	faults_show_log(f);
	return BECOME_WRONG;
}

/* What is left of the number in one that is another by now. */
static int faults_became(pid_t pid)
{
	char path[48], text[32];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/fail-nth", pid, pid);
	ckpt_read(path, text, sizeof(text));
	kill(pid, SIGKILL);
	faults_no_child();
	return atol(text) ? BECOME_UNDISTURBED : BECOME_DONE;
}

static bool faults_is_tiny(pid_t pid)
{
	char path[48], text[32];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	ckpt_read(path, text, sizeof(text));
	return !strcmp(text, "tiny\n");
}

static int faults_become(struct faults *f, unsigned int nr)
{
	long long end = ckpt_now() + 20000;
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(faults_become_main(f, nr));
	while (ckpt_now() < end) {
		if (waitpid(pid, &status, WNOHANG) == pid) {
			if (WIFEXITED(status))
				return WEXITSTATUS(status);
			return WTERMSIG(status) == SIGKILL ? BECOME_KILLED :
							     BECOME_WRONG;
		}
		if (faults_is_tiny(pid) && !ckpt_tiny_wait(pid))
			return faults_became(pid);
		ckpt_msleep(1);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return BECOME_WRONG;
}

FAULTS_TEST(become)
{
	unsigned int nr, count[BECOME_UNDISTURBED + 1] = {};
	int what = BECOME_REFUSED;

	ASSERT_TRUE(faults_image(&self->f));
	fflush(stdout);
	for (nr = 1; nr < FAULTS_MAX && what != BECOME_UNDISTURBED &&
	     count[BECOME_WRONG] < 20; nr++) {
		what = faults_become(&self->f, nr);
		ASSERT_TRUE(faults_no_child());
		ASSERT_GE(BECOME_UNDISTURBED, what);
		count[what]++;
	}
	TH_LOG("refused %u times, killed %u, got over %u",
	       count[BECOME_REFUSED], count[BECOME_KILLED],
	       count[BECOME_DONE]);
	EXPECT_EQ(0, count[BECOME_WRONG]);
	EXPECT_EQ(BECOME_UNDISTURBED, what);
	EXPECT_LT(10, count[BECOME_REFUSED]);
}

/*
 * In the tasks that are created. An allocator's faults are told off by the
 * memory that is had before the one that fails.
 */
static bool faults_created(struct faults *f, const char *what,
			   unsigned int step)
{
	int filter = open("/proc/self/make-it-fail", O_RDWR | O_CLOEXEC);
	unsigned int nr, errors = 0;
	bool good = true, failed;
	char name[64], text[16];
	long ret;

	for (nr = 0; good && nr < FAULTS_MAX; nr++) {
		snprintf(name, sizeof(name), "%s/space", what);
		snprintf(text, sizeof(text), "%u", nr * step);
		good = faults_set(name, text);
		snprintf(name, sizeof(name), "%s/times", what);
		good &= faults_set(name, "1");
		snprintf(name, sizeof(name), "%s/probability", what);
		good &= faults_set(name, "100");
		good &= write(filter, "1", 1) == 1;
		ret = faults_restart(f);
		good &= write(filter, "0", 1) == 1;
		snprintf(name, sizeof(name), "%s/times", what);
		failed = !faults_get(name);
		good &= ret > 0 || (failed && faults_of_memory(-ret));
		if (!good) {
			printf("# %s, number %u: %ld (%s)\n", what, nr, ret,
			       ret < 0 ? strerrorname_np(-ret) : "");
			faults_show_log(f);
		}
		good &= faults_child_ends(f, ret);
		errors += ret < 0;
		if (!failed)
			break;
	}
	close(filter);
	printf("# %s: %u faults, of which %u were not got over\n", what, nr,
	       errors);
	fflush(stdout);
	return good && errors;
}

FAULTS_TEST(created_slab)
{
	ASSERT_TRUE(faults_image(&self->f));
	EXPECT_TRUE(faults_created(&self->f, "failslab", FAULTS_STEP));
}

FAULTS_TEST(created_pages)
{
	ASSERT_TRUE(faults_image(&self->f));
	EXPECT_TRUE(faults_created(&self->f, "fail_page_alloc", 1));
}

CKPT_TEST_MAIN
