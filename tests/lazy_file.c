// SPDX-License-Identifier: GPL-2.0-only
/* Memory that stays in the image: what that means for the file that has it. */
#include "ckpt_test.h"
#include "ckpt_fuse.h"
#include "ckpt_loop.h"
#include "ckpt_proc.h"

#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/statfs.h>
#include <sys/uio.h>

#define PAGE		4096UL
#define PAGES		2048UL
#define LEN		(PAGES * PAGE)
#define AT		((char *)0x200000000000UL)
#define DISK		(64UL << 20)
#define DISK_NAME	64

static __u64 word(size_t page, size_t i)
{
	return (page * 512 + i) * 0x9e3779b97f4a7c15ULL | 1;
}

static void fill(char *p, size_t from, size_t to)
{
	for (; from < to; from++)
		for (size_t i = 0; i < 512; i++)
			((__u64 *)(p + from * PAGE))[i] = word(from, i);
}

static bool filled(const char *p, size_t from, size_t to)
{
	for (; from < to; from++)
		for (size_t i = 0; i < 512; i++)
			if (((const __u64 *)(p + from * PAGE))[i] !=
			    word(from, i))
				return false;
	return true;
}

static bool zero(const char *p, size_t from, size_t to)
{
	const __u64 *q = (const void *)(p + from * PAGE);

	for (; q < (const __u64 *)(p + to * PAGE); q++)
		if (*q)
			return false;
	return true;
}

static void make(void)
{
	NEED(mmap(AT, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
		  MAP_FIXED_NOREPLACE, -1, 0) == AT);
	fill(AT, 0, PAGES);
}

CKPT_TARGET(has_memory)
{
	make();
	ckpt_point();
	CHECK(filled(AT, 0, PAGES));
}

/* What it finds in one page is told by how it ends. */
CKPT_TARGET(touches_last)
{
	make();
	ckpt_point();
	CHECK(filled(AT, 0, 1));
	CHECK(filled(AT, PAGES - 1, PAGES));
}

/* Each time another part of it is read, written to and dropped. */
CKPT_TARGET(goes_on)
{
	volatile __u64 *turn = (void *)(AT + LEN);

	NEED(mmap(AT + LEN, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED |
		  MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == AT + LEN);
	make();
	ckpt_ready();
	while (!ckpt_gone()) {
		size_t i = *turn % (PAGES / 8) * 2;

		memset(AT + (PAGES / 2 + i) * PAGE, 0, PAGE);
		NEED(!madvise(AT + (PAGES / 2 + i + 1) * PAGE, PAGE,
			      MADV_DONTNEED));
		NEED(filled(AT, i, i + 2));
		fill(AT, i, i + 1);
		++*turn;
		ckpt_msleep(1);
	}
	CHECK(filled(AT, 0, PAGES / 2));
	CHECK(*turn < PAGES / 8);
	CHECK(zero(AT, PAGES / 2, PAGES / 2 + *turn * 2));
	CHECK(filled(AT, PAGES / 2 + *turn * 2, PAGES));
}

FIXTURE(lazy_file) {
	struct ckpt_target	target;
	struct ckpt_target	second;
	char			disk[DISK_NAME];
	char			mount[DISK_NAME];
};

FIXTURE_SETUP(lazy_file)
{
	memset(self, 0, sizeof(*self));
}

FIXTURE_TEARDOWN(lazy_file)
{
	ckpt_kill(&self->target);
	ckpt_kill(&self->second);
	if (self->mount[0]) {
		umount2(self->mount, MNT_DETACH);
		rmdir(self->mount);
		unlink(self->disk);
	}
	ckpt_clean(&self->target);
}

#define IS_LAZY(pid)	EXPECT_EQ(0, ckpt_smaps_of(pid, AT, "Rss:"))
#define IS_EAGER(pid)							\
	EXPECT_EQ((long)(LEN / 1024), ckpt_smaps_of(pid, AT, "Anonymous:"))

static void take(struct __test_metadata *_metadata, struct ckpt_target *target,
		 const char *name)
{
	ASSERT_EQ(0, ckpt_start(target, name, CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_GT(ckpt_checkpoint(target, CHECKPOINT_KILL), 0)
		TH_LOG("%s", target->log);
	ckpt_kill(target);
}

static void finish(struct __test_metadata *_metadata,
		   struct ckpt_target *target)
{
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

static int open_image(struct ckpt_target *target, int flags)
{
	return open(ckpt_path(target, "image"), flags | O_CLOEXEC);
}

/* Restart from a file that is not the target's own. */
static pid_t restart_from(int fd, unsigned int flags)
{
	return syscall(__NR_restart, 0, fd, flags);
}

TEST_F(lazy_file, busy)
{
	struct ckpt_target *target = &self->target;
	int fd;

	take(_metadata, target, "has_memory");
	ASSERT_GT(ckpt_restart(target, 0), 0) TH_LOG("%s", target->log);
	IS_LAZY(target->pid);
	EXPECT_EQ(-1, open_image(target, O_WRONLY));
	EXPECT_EQ(ETXTBSY, errno);
	EXPECT_EQ(-1, open_image(target, O_WRONLY | O_TRUNC));
	EXPECT_EQ(ETXTBSY, errno);
	EXPECT_EQ(-1, truncate(ckpt_path(target, "image"), 0));
	EXPECT_EQ(ETXTBSY, errno);
	finish(_metadata, target);
	fd = open_image(target, O_WRONLY);
	EXPECT_GE(fd, 0);
	close(fd);
}

TEST_F(lazy_file, removed)
{
	struct ckpt_target *target = &self->target;

	take(_metadata, target, "has_memory");
	ASSERT_GT(ckpt_restart(target, 0), 0) TH_LOG("%s", target->log);
	EXPECT_EQ(0, unlink(ckpt_path(target, "image")));
	IS_LAZY(target->pid);
	finish(_metadata, target);
}

/* What somebody may still write to is read. */
TEST_F(lazy_file, being_written)
{
	struct ckpt_target *target = &self->target;
	int fd;

	take(_metadata, target, "has_memory");
	fd = open_image(target, O_WRONLY);
	ASSERT_GE(fd, 0);
	ASSERT_GT(ckpt_restart(target, 0), 0) TH_LOG("%s", target->log);
	IS_EAGER(target->pid);
	EXPECT_EQ(0, ftruncate(fd, 0));
	close(fd);
	finish(_metadata, target);
}

TEST_F(lazy_file, eager)
{
	struct ckpt_target *target = &self->target;
	int fd;

	take(_metadata, target, "has_memory");
	ASSERT_GT(ckpt_restart(target, RESTART_EAGER), 0)
		TH_LOG("%s", target->log);
	IS_EAGER(target->pid);
	fd = open_image(target, O_WRONLY | O_TRUNC);
	EXPECT_GE(fd, 0);
	close(fd);
	finish(_metadata, target);
}

/* Behind other things in a file: pages have to be where pages can be. */
static void at_offset(struct __test_metadata *_metadata,
		      struct ckpt_target *target, off_t at, bool lazy)
{
	static char buf[1 << 16];
	int in, out;
	ssize_t n;

	take(_metadata, target, "has_memory");
	in = open_image(target, O_RDONLY);
	out = open(ckpt_path(target, "copy"), O_CREAT | O_WRONLY | O_CLOEXEC,
		   0600);
	ASSERT_GE(out, 0);
	ASSERT_EQ(at, lseek(out, at, SEEK_SET));
	while ((n = read(in, buf, sizeof(buf))) > 0)
		ASSERT_EQ(n, write(out, buf, n));
	close(in);
	close(out);
	in = open(ckpt_path(target, "copy"), O_RDONLY | O_CLOEXEC);
	ASSERT_EQ(at, lseek(in, at, SEEK_SET));
	target->pid = restart_from(in, 0);
	ASSERT_GT(target->pid, 0);
	/* All of it was read, so to speak. */
	EXPECT_EQ(lseek(in, 0, SEEK_CUR), lseek(in, 0, SEEK_END));
	close(in);
	EXPECT_EQ(lazy ? 0 : (long)(LEN / 1024),
		  ckpt_smaps_of(target->pid, AT, "Rss:"));
	finish(_metadata, target);
}

TEST_F(lazy_file, at_page)
{
	at_offset(_metadata, &self->target, 3 * PAGE, true);
}

TEST_F(lazy_file, between_pages)
{
	at_offset(_metadata, &self->target, 100, false);
}

/* It has no end, and that is found out before anything runs. */
TEST_F(lazy_file, cut)
{
	struct ckpt_target *target = &self->target;
	struct stat st;

	take(_metadata, target, "has_memory");
	ASSERT_EQ(0, stat(ckpt_path(target, "image"), &st));
	ASSERT_EQ(0, truncate(ckpt_path(target, "image"), st.st_size - 1));
	EXPECT_EQ(-EBADMSG, ckpt_restart(target, 0));
	ASSERT_EQ(0, truncate(ckpt_path(target, "image"), st.st_size / 2));
	EXPECT_EQ(-EBADMSG, ckpt_restart(target, 0));
	/* And nobody keeps it from being written to. */
	EXPECT_EQ(0, truncate(ckpt_path(target, "image"), 0));
}

/* One who may but read it can't keep others from writing to it. */
TEST_F(lazy_file, of_another)
{
	struct ckpt_target *target = &self->target;
	int status, fd;
	pid_t pid;

	take(_metadata, target, "has_memory");
	ASSERT_EQ(0, chmod(target->dir, 0777));
	ASSERT_EQ(0, chmod(ckpt_path(target, "image"), 0644));
	fd = open_image(target, O_RDONLY);
	pid = fork();
	if (!pid) {
		/* Not enough to be root in the image; that is noticed later. */
		if (setresuid(1000, 1000, 1000))
			_exit(1);
		_exit(restart_from(fd, RESTART_NEW_PIDS) > 0 ? 2 : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(fd);
	fd = open_image(target, O_WRONLY);
	EXPECT_GE(fd, 0);
	close(fd);
}

/* Two of them have the same pages, as long as they do not write to them. */
TEST_F(lazy_file, shared)
{
	struct ckpt_target *target = &self->target, *second = &self->second;
	long rss, pss;

	take(_metadata, target, "has_memory");
	ASSERT_GT(ckpt_restart(target, 0), 0) TH_LOG("%s", target->log);
	*second = *target;
	second->pid = 0;
	ASSERT_GT(ckpt_restart(second, RESTART_NEW_PIDS), 0)
		TH_LOG("%s", second->log);
	for (size_t i = 0; i < PAGES; i += 2) {
		__u64 x;
		struct iovec to = { &x, sizeof(x) };
		struct iovec from = { AT + i * PAGE, sizeof(x) };

		ASSERT_EQ(8, process_vm_readv(target->pid, &to, 1, &from, 1, 0));
		ASSERT_EQ(word(i, 0), x);
		ASSERT_EQ(8, process_vm_readv(second->pid, &to, 1, &from, 1, 0));
		ASSERT_EQ(word(i, 0), x);
	}
	rss = ckpt_smaps_of(target->pid, AT, "Rss:");
	pss = ckpt_smaps_of(target->pid, AT, "Pss:");
	EXPECT_GE(rss, (long)(LEN / 1024 / 2));
	EXPECT_EQ(0, ckpt_smaps_of(target->pid, AT, "Anonymous:"));
	EXPECT_LE(pss, rss / 2 + 64);
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
	EXPECT_EQ(0, ckpt_end(second));
	second->dir[0] = 0;
}

/* As a debugger does. */
TEST_F(lazy_file, traced)
{
	struct ckpt_target *target = &self->target;
	int status;

	take(_metadata, target, "has_memory");
	ASSERT_GT(ckpt_restart(target, 0), 0) TH_LOG("%s", target->log);
	ASSERT_EQ(0, ptrace(PTRACE_ATTACH, target->pid, 0, 0));
	ASSERT_EQ(target->pid, waitpid(target->pid, &status, __WALL));
	EXPECT_EQ((long)word(5, 3), ptrace(PTRACE_PEEKDATA, target->pid,
					   AT + 5 * PAGE + 24, 0));
	EXPECT_EQ(0, ptrace(PTRACE_POKEDATA, target->pid, AT + 6 * PAGE, 1));
	EXPECT_EQ(1, ptrace(PTRACE_PEEKDATA, target->pid, AT + 6 * PAGE, 0));
	EXPECT_EQ((long)word(6, 1), ptrace(PTRACE_PEEKDATA, target->pid,
					   AT + 6 * PAGE + 8, 0));
	EXPECT_EQ(0, ptrace(PTRACE_POKEDATA, target->pid, AT + 6 * PAGE,
			    word(6, 0)));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, target->pid, 0, 0));
	finish(_metadata, target);
}

/* Over and over again, with whatever is in the image before, and gone then. */
TEST_F(lazy_file, again)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, ckpt_start(target, "goes_on", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	for (int i = 0; i < 20; i++) {
		ckpt_msleep(2);
		ASSERT_GT(ckpt_checkpoint(target, i % 3 ? CHECKPOINT_KILL : 0),
			  0) TH_LOG("%s", target->log);
		ckpt_kill(target);
		ASSERT_GT(ckpt_restart(target, 0), 0)
			TH_LOG("%s", target->log);
	}
	finish(_metadata, target);
}

/* A disk, as it were, with an image on it that nothing of is in memory. */
static bool on_disk(struct __test_metadata *_metadata,
		    struct ckpt_target *target, char *disk, char *mnt)
{
	char command[160];
	int fd;

	snprintf(disk, DISK_NAME, "/tmp/disk-XXXXXX");
	snprintf(mnt, DISK_NAME, "/tmp/mount-XXXXXX");
	fd = mkstemp(disk);
	if (fd < 0 || !mkdtemp(mnt))
		return false;
	close(fd);
	if (ckpt_loop_mount(disk, DISK, mnt))
		return false;
	snprintf(command, sizeof(command), "cp %s %s/image",
		 ckpt_path(target, "image"), mnt);
	ASSERT_EQ(0, system(command));
	sync();
	fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	EXPECT_EQ(1, write(fd, "3", 1));
	close(fd);
	return true;
}

static void restart_on_disk(struct __test_metadata *_metadata,
			    struct ckpt_target *target, const char *mnt)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "%s/image", mnt);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	target->pid = restart_from(fd, 0);
	ASSERT_GT(target->pid, 0);
	close(fd);
	IS_LAZY(target->pid);
}

TEST_F(lazy_file, disk)
{
	struct ckpt_target *target = &self->target;

	take(_metadata, target, "has_memory");
	if (!on_disk(_metadata, target, self->disk, self->mount))
		SKIP(return, "no disk: errno %d", errno);
	restart_on_disk(_metadata, target, self->mount);
	finish(_metadata, target);
}

/* Where the page cache has many pages in one, and the memory has not. */
TEST_F(lazy_file, large_pages)
{
	struct ckpt_target *target = &self->target;
	char command[160], text[4096];
	const char *huge;

	take(_metadata, target, "has_memory");
	snprintf(self->mount, DISK_NAME, "/tmp/mount-XXXXXX");
	ASSERT_TRUE(mkdtemp(self->mount));
	if (mount("none", self->mount, "tmpfs", 0, "huge=always"))
		SKIP(return, "no tmpfs of huge pages: errno %d", errno);
	snprintf(command, sizeof(command), "cp %s %s/image",
		 ckpt_path(target, "image"), self->mount);
	ASSERT_EQ(0, system(command));
	ckpt_read("/proc/meminfo", text, sizeof(text));
	huge = strstr(text, "ShmemHugePages:");
	ASSERT_TRUE(huge);
	EXPECT_GT(atol(strchr(huge, ':') + 1), 0);
	restart_on_disk(_metadata, target, self->mount);
	finish(_metadata, target);
}

/* Pages in use are moved about, and are where they were for the process. */
TEST_F(lazy_file, compacted)
{
	struct ckpt_target *target = &self->target;
	char *buf = malloc(LEN);
	struct iovec to = { buf, LEN }, from = { AT, LEN };
	int fd;

	take(_metadata, target, "has_memory");
	if (!on_disk(_metadata, target, self->disk, self->mount))
		SKIP(return, "no disk: errno %d", errno);
	restart_on_disk(_metadata, target, self->mount);
	ASSERT_EQ((ssize_t)LEN,
		  process_vm_readv(target->pid, &to, 1, &from, 1, 0));
	fd = open("/proc/sys/vm/compact_memory", O_WRONLY | O_CLOEXEC);
	EXPECT_EQ(1, write(fd, "1", 1));
	close(fd);
	finish(_metadata, target);
	free(buf);
}

/* Pages of the image are given back where memory is short. */
TEST_F(lazy_file, reclaimed)
{
	struct ckpt_target *target = &self->target;
	char *buf = malloc(LEN);
	struct iovec to = { buf, LEN }, from = { AT, LEN };
	long rss;
	int fd;

	take(_metadata, target, "has_memory");
	if (!on_disk(_metadata, target, self->disk, self->mount))
		SKIP(return, "no disk: errno %d", errno);
	fd = open("/sys/fs/cgroup/memory.reclaim", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		SKIP(return, "memory can't be reclaimed: errno %d", errno);
	restart_on_disk(_metadata, target, self->mount);
	ASSERT_EQ((ssize_t)LEN,
		  process_vm_readv(target->pid, &to, 1, &from, 1, 0));
	rss = ckpt_smaps_of(target->pid, AT, "Rss:");
	EXPECT_EQ((long)(LEN / 1024), rss);
	/* As much as there is: EAGAIN is what it says to that. */
	for (int i = 0; i < 10 && rss > (long)(LEN / 1024 / 2); i++) {
		if (write(fd, "1G", 2) < 0)
			EXPECT_EQ(EAGAIN, errno);
		rss = ckpt_smaps_of(target->pid, AT, "Rss:");
	}
	EXPECT_LE(rss, (long)(LEN / 1024 / 2));
	close(fd);
	finish(_metadata, target);
	free(buf);
}

/* The same where a process and its child have them in common. */
CKPT_TARGET(has_child)
{
	pid_t child;
	int status;

	make();
	child = fork();
	if (!child) {
		fill(AT, 0, PAGES / 4);
		ckpt_point();
		_exit(!filled(AT, 0, PAGES));
	}
	while (!ckpt_gone())
		ckpt_msleep(1);
	CHECK(filled(AT, 0, PAGES));
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
}

TEST_F(lazy_file, reclaimed_from_all)
{
	struct ckpt_target *target = &self->target;
	char *buf = malloc(LEN);
	struct iovec to = { buf, LEN }, from = { AT, LEN };
	pid_t pids[2];
	int fd;

	take(_metadata, target, "has_child");
	if (!on_disk(_metadata, target, self->disk, self->mount))
		SKIP(return, "no disk: errno %d", errno);
	fd = open("/sys/fs/cgroup/memory.reclaim", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		SKIP(return, "memory can't be reclaimed: errno %d", errno);
	restart_on_disk(_metadata, target, self->mount);
	pids[0] = target->pid;
	pids[1] = ckpt_child_of(target->pid);
	ASSERT_LT(0, pids[1]);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ((ssize_t)LEN, process_vm_readv(pids[i], &to, 1, &from,
							 1, 0));
		EXPECT_EQ((long)(LEN / 1024),
			  ckpt_smaps_of(pids[i], AT, "Rss:"));
	}
	for (int i = 0; i < 10; i++)
		if (write(fd, "1G", 2) < 0)
			EXPECT_EQ(EAGAIN, errno);
	for (int i = 0; i < 2; i++)
		EXPECT_LE(ckpt_smaps_of(pids[i], AT, "Rss:"),
			  (long)(LEN / 1024 / 2));
	close(fd);
	finish(_metadata, target);
	free(buf);
}

#define SERVED		"/tmp/served"

/* A server has the file, and may do what nobody may do who opens it. */
static struct ckpt_fuse *served(struct __test_metadata *_metadata,
				struct ckpt_target *target)
{
	struct ckpt_fuse *fs = ckpt_fuse_start(SERVED, CKPT_FUSE_COPY);
	struct stat st;

	if (!fs)
		return NULL;
	snprintf(fs->source, sizeof(fs->source), "%s",
		 ckpt_path(target, "image"));
	ASSERT_EQ(0, stat(fs->source, &st));
	fs->size = st.st_size;
	return fs;
}

static void restart_served(struct __test_metadata *_metadata,
			   struct ckpt_target *target)
{
	int fd = open(SERVED "/file", O_RDONLY | O_CLOEXEC);

	ASSERT_GE(fd, 0);
	target->pid = restart_from(fd, 0);
	ASSERT_GT(target->pid, 0);
	close(fd);
	IS_LAZY(target->pid);
}

static int ended_by(struct ckpt_target *target)
{
	int status = 0;

	ckpt_go(target);
	waitpid(target->pid, &status, 0);
	target->pid = 0;
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST_F(lazy_file, served)
{
	struct ckpt_target *target = &self->target;
	struct ckpt_fuse *fs;

	take(_metadata, target, "has_memory");
	fs = served(_metadata, target);
	if (!fs)
		SKIP(return, "no FUSE");
	restart_served(_metadata, target);
	finish(_metadata, target);
	ckpt_fuse_stop(fs, SERVED);
}

/* It can't be read any more. */
TEST_F(lazy_file, unreadable)
{
	struct ckpt_target *target = &self->target;
	struct ckpt_fuse *fs;

	take(_metadata, target, "touches_last");
	fs = served(_metadata, target);
	if (!fs)
		SKIP(return, "no FUSE");
	restart_served(_metadata, target);
	fs->broken = 1;
	EXPECT_EQ(SIGBUS, ended_by(target));
	ckpt_fuse_stop(fs, SERVED);
}

/* It is cut, and pages are gone that the process had been using. */
TEST_F(lazy_file, cut_meanwhile)
{
	struct ckpt_target *target = &self->target;
	char *buf = malloc(LEN);
	struct iovec to = { buf, LEN }, from = { AT, LEN };
	struct ckpt_fuse *fs;
	struct stat st;

	take(_metadata, target, "touches_last");
	fs = served(_metadata, target);
	if (!fs)
		SKIP(return, "no FUSE");
	restart_served(_metadata, target);
	ASSERT_EQ((ssize_t)LEN,
		  process_vm_readv(target->pid, &to, 1, &from, 1, 0));
	EXPECT_EQ((long)(LEN / 1024),
		  ckpt_smaps_of(target->pid, AT, "Rss:"));
	fs->size /= 2;
	ASSERT_EQ(0, stat(SERVED "/file", &st));
	EXPECT_EQ(fs->size, st.st_size);
	EXPECT_LE(ckpt_smaps_of(target->pid, AT, "Rss:"),
		  (long)(LEN / 1024 / 2));
	EXPECT_EQ(SIGBUS, ended_by(target));
	ckpt_fuse_stop(fs, SERVED);
	free(buf);
}

TEST_HARNESS_MAIN
