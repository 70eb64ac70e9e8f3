// SPDX-License-Identifier: GPL-2.0-only
/* Descriptors: files, directories, devices without state, terminals. */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <dirent.h>
#include <linux/fs.h>
#include <linux/kcmp.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <termios.h>

/* A file of so many bytes, of the letters in turn. */
static int make_file(const char *name, int flags, int len)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);

	NEED(fd >= 0);
	for (int i = 0; i < len; i++)
		NEED(write(fd, &"abcdefghijklmnopqrstuvwxyz"[i % 26], 1) == 1);
	close(fd);
	fd = open(name, flags);
	NEED(fd >= 0);
	return fd;
}

static long long offset(int fd)
{
	return lseek(fd, 0, SEEK_CUR);
}

static int file_flags(int fd)
{
	return fcntl(fd, F_GETFL);
}

static bool reads(int fd, const char *text)
{
	char buf[64] = "";
	size_t len = strlen(text);

	return read(fd, buf, len) == (ssize_t)len && !strcmp(buf, text);
}

static void file_is(const char *name, const char *text)
{
	char buf[256];

	ckpt_read(name, buf, sizeof(buf));
	CHECK_TEXT(name, buf, text);
}

/* The kernel's own word for what is the same. */
static bool same_description(int a, int b)
{
	int ret = syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, a, b);

	NEED(ret >= 0);
	return !ret;
}

CKPT_FIXTURE(files);

CKPT_TEST(files, offset)
{
	int fd = make_file("file", O_RDWR, 20);

	NEED(reads(fd, "abcde"));
	ckpt_point();
	CHECK_EQ(offset(fd), 5);
	CHECK(reads(fd, "fgh"));
	CHECK_EQ(write(fd, "12", 2), 2);
	file_is("file", "abcdefgh12klmnopqrst");
	CHECK_EQ(fcntl(fd, F_GETFD), 0);
}

CKPT_TEST(files, offset_behind_the_end)
{
	int fd = make_file("file", O_RDWR, 3);

	NEED(lseek(fd, 1LL << 40, SEEK_SET) == 1LL << 40);
	ckpt_point();
	CHECK_EQ(offset(fd), 1LL << 40);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 3);
}

static const int open_flags[] = {
	O_RDONLY, O_WRONLY, O_RDWR, O_WRONLY | O_APPEND, O_RDWR | O_NONBLOCK,
	O_WRONLY | O_DSYNC, O_RDWR | O_SYNC, O_RDONLY | O_NOATIME,
	O_RDONLY | O_NOFOLLOW, O_WRONLY | O_TRUNC, O_RDWR | O_CREAT,
	O_RDWR | O_APPEND | O_NONBLOCK | O_NOATIME,
};

#define NR_OPEN_FLAGS	((int)(sizeof(open_flags) / sizeof(open_flags[0])))

CKPT_TEST(files, flags)
{
	int fd[NR_OPEN_FLAGS], before[NR_OPEN_FLAGS];

	for (int i = 0; i < NR_OPEN_FLAGS; i++) {
		fd[i] = make_file("file", open_flags[i], 5);
		before[i] = file_flags(fd[i]);
		NEED((before[i] & O_ACCMODE) == (open_flags[i] & O_ACCMODE));
	}
	ckpt_point();
	for (int i = 0; i < NR_OPEN_FLAGS; i++)
		CHECK_EQ(file_flags(fd[i]), before[i]);
	file_is("file", "abcde");
}

/* Set later, and not when the file was opened. */
CKPT_TEST(files, flags_set_later)
{
	int fd = make_file("file", O_WRONLY, 5);

	NEED(!fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
	ckpt_point();
	CHECK_EQ(file_flags(fd) & (O_APPEND | O_NONBLOCK),
		 O_APPEND | O_NONBLOCK);
	CHECK_EQ(write(fd, "X", 1), 1);
	file_is("file", "abcdeX");
	CHECK(!fcntl(fd, F_SETFL, 0));
	CHECK_EQ(file_flags(fd) & (O_APPEND | O_NONBLOCK), 0);
}

/* Neither truncated nor made again. */
CKPT_TEST(files, truncate_once)
{
	int fd = open("file", O_CREAT | O_EXCL | O_TRUNC | O_RDWR, 0400);

	NEED(fd >= 0 && write(fd, "text", 4) == 4);
	ckpt_point();
	CHECK_EQ(write(fd, "+", 1), 1);
	file_is("file", "text+");
}

CKPT_TEST(files, close_on_exec)
{
	int a = make_file("file", O_RDONLY | O_CLOEXEC, 5);
	int b = make_file("file", O_RDONLY, 5);
	int c = fcntl(b, F_DUPFD_CLOEXEC, 0);

	ckpt_point();
	CHECK_EQ(fcntl(a, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(b, F_GETFD), 0);
	CHECK_EQ(fcntl(c, F_GETFD), FD_CLOEXEC);
	CHECK(same_description(b, c));
}

CKPT_TEST(files, shared_description)
{
	int a = make_file("file", O_RDWR, 20), b = dup(a);
	int c = open("file", O_RDWR);

	NEED(b >= 0 && c >= 0 && dup2(a, 50) == 50);
	ckpt_point();
	CHECK(same_description(a, b));
	CHECK(same_description(a, 50));
	CHECK(!same_description(a, c));
	CHECK(reads(a, "abc"));
	CHECK_EQ(offset(b), 3);
	CHECK(reads(50, "de"));
	CHECK_EQ(offset(c), 0);
	CHECK(!fcntl(b, F_SETFL, O_APPEND));
	CHECK(file_flags(a) & O_APPEND);
	CHECK(!(file_flags(c) & O_APPEND));
}

/* No descriptor but those that there were. */
CKPT_TEST(files, which_there_are)
{
	static const int there[] = { 3, 17, 63, 64, 127, 128, 255, 700, 1023 };
	int fd = make_file("file", O_RDONLY, 10), next = 0;

	for (unsigned int i = 1; i < 9; i++)
		NEED(dup2(fd, there[i]) == there[i]);
	NEED(fd == 3);
	ckpt_point();
	for (fd = 3; fd < 1024; fd++) {
		bool is = next < 9 && fd == there[next];

		CHECK_EQ(fcntl(fd, F_GETFD) >= 0, is);
		next += is;
	}
	CHECK_EQ(dup(3), 4);
}

CKPT_TEST(files, high_number)
{
	struct rlimit limit = { 200000, 200000 };
	int fd = make_file("file", O_RDONLY, 10);

	NEED(!setrlimit(RLIMIT_NOFILE, &limit));
	NEED(dup2(fd, 199999) == 199999);
	ckpt_point();
	CHECK(same_description(fd, 199999));
	CHECK(reads(199999, "abc"));
	CHECK_EQ(fcntl(199998, F_GETFD), -1);
}

/* A limit that was lowered closes nothing. */
CKPT_TEST(files, beyond_limit)
{
	struct rlimit limit = { 20, 20 };
	int fd = make_file("file", O_RDONLY, 10);

	NEED(dup2(fd, 100) == 100);
	NEED(!setrlimit(RLIMIT_NOFILE, &limit));
	ckpt_point();
	CHECK(reads(100, "abc"));
	CHECK(!getrlimit(RLIMIT_NOFILE, &limit));
	CHECK_EQ(limit.rlim_cur, 20);
}

CKPT_TEST(files, many)
{
	char name[16];
	int fd[500];

	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		fd[i] = open(name, O_CREAT | O_RDWR, 0600);
		NEED(fd[i] >= 0 && write(fd[i], name, 8) == 8);
	}
	ckpt_point();
	for (int i = 0; i < 500; i++) {
		char text[16] = "";

		snprintf(name, sizeof(name), "f%d", i);
		CHECK_EQ(offset(fd[i]), 8);
		CHECK_EQ(pread(fd[i], text, 8, 0), 8);
		CHECK(!strcmp(text, name));
	}
}

/* By another name in the meantime. */
CKPT_TEST(files, renamed)
{
	int fd = make_file("before", O_RDWR, 10);

	NEED(reads(fd, "ab") && !rename("before", "after"));
	ckpt_point();
	CHECK(reads(fd, "cd"));
	CHECK_EQ(write(fd, "!", 1), 1);
	file_is("after", "abcd!fghij");
}

CKPT_TEST(files, odd_names)
{
	static const char *const names[] = {
		" ", "a\nb", "\\", "\"'", "\xff\xfe", "(deleted)",
	};
	int fd[6];

	for (int i = 0; i < 6; i++)
		fd[i] = make_file(names[i], O_RDONLY, i + 1);
	ckpt_point();
	for (int i = 0; i < 6; i++)
		CHECK_EQ(lseek(fd[i], 0, SEEK_END), i + 1);
}

CKPT_TEST(files, long_name)
{
	char name[256];
	int fd;

	memset(name, 'n', 255);
	name[255] = 0;
	for (int i = 0; i < 8; i++)
		NEED(!mkdir(name, 0700) && !chdir(name));
	fd = make_file("file", O_RDONLY, 7);
	for (int i = 0; i < 8; i++)
		NEED(!chdir(".."));
	ckpt_point();
	CHECK_EQ(lseek(fd, 0, SEEK_END), 7);
	for (int i = 0; i < 8; i++)
		NEED(!chdir(name));
	unlink("file");
	for (int i = 0; i < 8; i++)
		NEED(!chdir("..") && !rmdir(name));
}

/* What is open for reading only stays so though it could be written. */
CKPT_TEST(files, read_only)
{
	int fd = make_file("file", O_RDONLY, 5);

	ckpt_point();
	CHECK_EQ(write(fd, "x", 1), -1);
	CHECK_EQ(errno, EBADF);
}

CKPT_TEST(files, direct_io)
{
	static char page[4096] __attribute__((aligned(4096)));
	int fd = open("file", O_CREAT | O_RDWR | O_DIRECT, 0600);

	if (fd < 0 && errno == EINVAL)
		ckpt_skip("no direct I/O here");
	NEED(fd >= 0);
	memset(page, 'd', sizeof(page));
	NEED(write(fd, page, sizeof(page)) == sizeof(page));
	ckpt_point();
	CHECK(file_flags(fd) & O_DIRECT);
	CHECK_EQ(offset(fd), 4096);
	CHECK_EQ(write(fd, page, sizeof(page)), 4096);
}

/* Standard output and error as they are: appended to, by two descriptors. */
CKPT_TEST(files, report)
{
	ckpt_point();
	CHECK(same_description(1, 2));
	CHECK(file_flags(1) & O_APPEND);
	CHECK_EQ(file_flags(0) & O_ACCMODE, O_RDONLY);
}

/* No descriptor at all: the standard ones are not special. */
CKPT_TEST(files, none)
{
	int report = fcntl(2, F_DUPFD_CLOEXEC, 10);

	NEED(report == 10);
	for (int fd = 0; fd < 3; fd++)
		NEED(!close(fd));
	ckpt_point();
	CHECK_EQ(fcntl(0, F_GETFD), -1);
	CHECK_EQ(fcntl(1, F_GETFD), -1);
	CHECK_EQ(fcntl(2, F_GETFD), -1);
	NEED(dup2(report, 2) == 2);
}

/* Directories. */

static int read_names(int fd, char names[][16], int nr)
{
	char buf[96];
	ssize_t len;
	int got = 0;

	while (got < nr) {
		struct dirent64 *entry;

		/* Room for few of them, so that the offset moves on slowly. */
		len = syscall(SYS_getdents64, fd, buf, sizeof(buf));
		NEED(len >= 0);
		if (!len)
			break;
		for (char *p = buf; p < buf + len; p += entry->d_reclen) {
			entry = (void *)p;
			if (entry->d_name[0] == 'e' && got < nr)
				snprintf(names[got++], 16, "%.15s",
					 entry->d_name);
		}
	}
	return got;
}

CKPT_TEST(files, directory_offset)
{
	static char all[64][16], part[64][16];
	long long middle;
	int fd, nr;

	NEED(!mkdir("dir", 0700) && !chdir("dir"));
	for (int i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof(name), "e%02d", i);
		close(open(name, O_CREAT | O_WRONLY, 0600));
	}
	NEED(!chdir(".."));
	fd = open("dir", O_RDONLY | O_DIRECTORY);
	NEED(fd >= 0);
	NEED(read_names(fd, all, 64) == 40);
	NEED(lseek(fd, 0, SEEK_SET) == 0);
	NEED(read_names(fd, part, 12) == 12);
	middle = offset(fd);
	ckpt_point();
	CHECK_EQ(offset(fd), middle);
	nr = 12 + read_names(fd, part + 12, 50);
	/* A buffer may have held more names than were asked for. */
	CHECK(nr >= 38);
	for (int i = 0; i < 40 - 12; i++)
		CHECK(!strcmp(all[39 - i], part[nr - 1 - i]) || i > nr - 13);
	for (int i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof(name), "dir/e%02d", i);
		unlink(name);
	}
}

CKPT_TEST(files, directory_used)
{
	struct stat before, after;
	int fd;

	NEED(!mkdir("dir", 0700));
	fd = open("dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	NEED(fd >= 0 && !fstat(fd, &before));
	ckpt_point();
	CHECK(!fstat(fd, &after));
	CHECK_EQ(after.st_ino, before.st_ino);
	CHECK(file_flags(fd) & O_DIRECTORY);
	CHECK(!mkdirat(fd, "below", 0700));
	CHECK(!unlinkat(fd, "below", AT_REMOVEDIR));
}

/* Devices without state. */

CKPT_TEST(files, memory_devices)
{
	static const char *const names[] = {
		"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
		"/dev/urandom",
	};
	static const unsigned int minors[] = { 3, 5, 7, 8, 9 };
	static char buf[64], zero[64];
	int fd[5];

	for (int i = 0; i < 5; i++)
		NEED((fd[i] = open(names[i], O_RDWR | O_NONBLOCK)) >= 0);
	ckpt_point();
	CHECK_EQ(read(fd[0], buf, 64), 0);
	CHECK_EQ(write(fd[0], buf, 64), 64);
	memset(buf, 1, 64);
	CHECK_EQ(read(fd[1], buf, 64), 64);
	CHECK(!memcmp(buf, zero, 64));
	CHECK_EQ(write(fd[2], buf, 64), -1);
	CHECK_EQ(errno, ENOSPC);
	CHECK(read(fd[3], buf, 64) == 64 || errno == EAGAIN);
	CHECK_EQ(read(fd[4], buf, 64), 64);
	CHECK(memcmp(buf, zero, 64));
	for (int i = 0; i < 5; i++) {
		struct stat stat;

		CHECK(!fstat(fd[i], &stat));
		CHECK_EQ(minor(stat.st_rdev), minors[i]);
		CHECK_EQ(file_flags(fd[i]) & (O_ACCMODE | O_NONBLOCK),
			 O_RDWR | O_NONBLOCK);
	}
}

/* They have an offset, for what it is worth. */
CKPT_TEST(files, memory_device_offset)
{
	int fd = open("/dev/zero", O_RDONLY);
	char buf[10];

	NEED(fd >= 0 && read(fd, buf, 10) == 10);
	NEED(!ftruncate(1, 0));
	ckpt_point();
	CHECK_EQ(read(fd, buf, 10), 10);
}

/* They tell of the machine, and are read on from where they were. */
CKPT_TEST(files, of_pseudo_filesystems)
{
	static const char *const names[] = {
		"/proc/cpuinfo", "/proc/sys/kernel/osrelease", "/proc/sys",
		"/sys/kernel/mm/ksm/run", "/sys/kernel",
		"/sys/fs/cgroup/cgroup.controllers",
	};
	char first[2][256] = {}, rest[256] = "";
	int fd[6], again;

	for (int i = 0; i < 6; i++) {
		fd[i] = open(names[i], O_RDONLY);
		NEED(fd[i] >= 0);
	}
	again = open(names[0], O_RDONLY);
	NEED(read(again, first[0], 20) == 20 && read(again, first[1], 20) == 20);
	NEED(read(fd[0], rest, 20) == 20 && !strcmp(rest, first[0]));
	ckpt_point();
	CHECK_EQ(offset(fd[0]), 20);
	CHECK_EQ(read(fd[0], rest, 20), 20);
	CHECK(!strcmp(rest, first[1]));
	CHECK(read(fd[1], rest, 20) > 0);
	CHECK(!faccessat(fd[2], "kernel", F_OK, 0));
	CHECK_EQ(read(fd[3], rest, 20), 2);
	CHECK(!faccessat(fd[4], "mm", F_OK, 0));
	CHECK(read(fd[5], rest, 20) >= 0);
}

/* What has changed by the time of the restart. */

FIXTURE(changed) {
	struct ckpt_target target;
};

FIXTURE_SETUP(changed)
{
	memset(self, 0, sizeof(*self));
}

FIXTURE_TEARDOWN(changed)
{
	ckpt_clean(&self->target);
}

/* Bytes written since are there, and the offset may be beyond the end. */
CKPT_TARGET(reader)
{
	int fd = make_file("file", O_RDONLY, 20);

	NEED(reads(fd, "abcdefghij"));
	ckpt_point();
	CHECK_EQ(offset(fd), 10);
	CHECK(reads(fd, "0123"));
}

CKPT_TARGET(appender)
{
	int fd = make_file("file", O_WRONLY | O_APPEND, 20);

	ckpt_point();
	CHECK_EQ(write(fd, "+", 1), 1);
}

/* Nothing else can be said of when it was written to. */
CKPT_TARGET(mapper)
{
	int fd = make_file("file", O_RDWR, 20);
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	NEED(p != MAP_FAILED);
	p[0] = 'A';
	ckpt_point();
	CHECK_EQ(p[0], 'A');
}

static int take(struct ckpt_target *target, const char *name)
{
	if (ckpt_start(target, name, CKPT_KILLED) || ckpt_wait_ready(target) ||
	    ckpt_checkpoint(target, CHECKPOINT_KILL) < 0)
		return -1;
	ckpt_kill(target);
	return 0;
}

static bool has_log(struct ckpt_target *target, const char *text)
{
	if (strstr(target->log, text))
		return true;
	printf("# \"%s\" does not say \"%s\"\n", target->log, text);
	return false;
}

static void refused(struct __test_metadata *_metadata,
		    struct ckpt_target *target, int err, const char *text)
{
	EXPECT_EQ(-err, ckpt_restart(target, 0));
	EXPECT_TRUE(has_log(target, text));
	EXPECT_EQ(-1, waitpid(-1, NULL, __WALL));
	EXPECT_EQ(ECHILD, errno);
	target->pid = 0;
}

static void goes_on(struct __test_metadata *_metadata,
		    struct ckpt_target *target)
{
	ASSERT_LT(0, ckpt_restart(target, 0));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* Refused, and taken as it is if that is asked for. */
static void forced(struct __test_metadata *_metadata,
		   struct ckpt_target *target, const char *text)
{
	refused(_metadata, target, ESTALE, "/file has changed: ");
	EXPECT_TRUE(has_log(target, text));
	ASSERT_LT(0, ckpt_restart(target, RESTART_FORCE_FILES));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

static void change(struct __test_metadata *_metadata,
		   struct ckpt_target *target, const char *text, off_t at)
{
	int fd = open(ckpt_path(target, "file"), O_WRONLY | O_CLOEXEC);
	ssize_t len = strlen(text);

	/* Times are as coarse as the tick. */
	ckpt_msleep(20);
	ASSERT_LE(0, fd);
	ASSERT_EQ(len, pwrite(fd, text, len, at));
	close(fd);
}

TEST_F(changed, written_to)
{
	ASSERT_EQ(0, take(&self->target, "reader"));
	change(_metadata, &self->target, "0123456789", 10);
	forced(_metadata, &self->target, "written to since");
}

TEST_F(changed, longer)
{
	ASSERT_EQ(0, take(&self->target, "reader"));
	change(_metadata, &self->target, "0123456789+", 10);
	forced(_metadata, &self->target, "21 bytes, not 20");
}

TEST_F(changed, appended_to)
{
	ASSERT_EQ(0, take(&self->target, "appender"));
	change(_metadata, &self->target, "more", 20);
	goes_on(_metadata, &self->target);
}

TEST_F(changed, appended_to_and_cut)
{
	ASSERT_EQ(0, take(&self->target, "appender"));
	ASSERT_EQ(0, truncate(ckpt_path(&self->target, "file"), 19));
	forced(_metadata, &self->target, "19 bytes, not 20");
}

TEST_F(changed, mapped_and_written_to)
{
	ASSERT_EQ(0, take(&self->target, "mapper"));
	change(_metadata, &self->target, "other", 10);
	goes_on(_metadata, &self->target);
}

/* A copy that has kept the time is as good; and one that has not is not. */
TEST_F(changed, copied)
{
	struct ckpt_target *target = &self->target;
	char cmd[256];

	ASSERT_EQ(0, take(target, "reader"));
	snprintf(cmd, sizeof(cmd),
		 "cd %s && cp -p file copy && printf 0123 >patch && dd if=patch of=copy bs=1 seek=10 conv=notrunc 2>/dev/null && touch -r file copy && mv copy file",
		 target->dir);
	ASSERT_EQ(0, system(cmd));
	ASSERT_LT(0, ckpt_restart(target, 0));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

TEST_F(changed, missing)
{
	ASSERT_EQ(0, take(&self->target, "reader"));
	ASSERT_EQ(0, unlink(ckpt_path(&self->target, "file")));
	refused(_metadata, &self->target, ENOENT, "fd 3: file /tmp/");
	EXPECT_TRUE(has_log(&self->target, "ENOENT"));
}

TEST_F(changed, is_a_directory)
{
	ASSERT_EQ(0, take(&self->target, "reader"));
	ASSERT_EQ(0, unlink(ckpt_path(&self->target, "file")));
	ASSERT_EQ(0, mkdir(ckpt_path(&self->target, "file"), 0700));
	refused(_metadata, &self->target, ESTALE, "/file");
}

/* To open it would wait for someone to write. */
TEST_F(changed, is_a_fifo)
{
	ASSERT_EQ(0, take(&self->target, "reader"));
	ASSERT_EQ(0, unlink(ckpt_path(&self->target, "file")));
	ASSERT_EQ(0, mkfifo(ckpt_path(&self->target, "file"), 0600));
	refused(_metadata, &self->target, ESTALE, "/file");
}

TEST_F(changed, is_a_device)
{
	ASSERT_EQ(0, take(&self->target, "reader"));
	ASSERT_EQ(0, unlink(ckpt_path(&self->target, "file")));
	ASSERT_EQ(0, symlink("/dev/zero", ckpt_path(&self->target, "file")));
	refused(_metadata, &self->target, ESTALE, "/file");
}

TEST_F(changed, is_a_symlink_to_it)
{
	int fd;

	ASSERT_EQ(0, take(&self->target, "reader"));
	fd = open(ckpt_path(&self->target, "other"),
		  O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	ASSERT_EQ(20, write(fd, "abcdefghij0123456789", 20));
	close(fd);
	ASSERT_EQ(0, unlink(ckpt_path(&self->target, "file")));
	ASSERT_EQ(0, symlink("other", ckpt_path(&self->target, "file")));
	forced(_metadata, &self->target, "is another one");
}

TEST_F(changed, directory_missing)
{
	struct ckpt_target *target = &self->target, moved;

	ASSERT_EQ(0, take(target, "reader"));
	moved = *target;
	memcpy(moved.dir, "/tmp/MOVE", 9);
	ASSERT_EQ(0, rename(target->dir, moved.dir));
	/* The image is to be where the helpers want it. */
	refused(_metadata, &moved, ENOENT, "/tmp/ckpt-");
	ckpt_clean(&moved);
}

/* Of the task, the limit is the image's. */
TEST_F(changed, limit_of_files)
{
	struct rlimit limit = { 64, 64 };

	ASSERT_EQ(0, take(&self->target, "files_high_number"));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	/* Root may raise it. */
	goes_on(_metadata, &self->target);
}

TEST_F(changed, limit_of_files_is_hard)
{
	struct rlimit limit = { 64, 64 };

	ASSERT_EQ(0, take(&self->target, "files_which_there_are"));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	ASSERT_EQ(0, chmod(ckpt_path(&self->target, ""), 0777));
	ASSERT_EQ(0, chmod(ckpt_path(&self->target, "image"), 0644));
	ASSERT_EQ(0, chmod(ckpt_path(&self->target, "log"), 0666));
	ASSERT_EQ(0, syscall(SYS_setresuid, 1000, 1000, 0));
	refused(_metadata, &self->target, EPERM, "limit 7");
	ASSERT_EQ(0, syscall(SYS_setresuid, 0, 0, 0));
}

/* Terminals: whatever it was, it is the restarter's now. */

static int open_terminal(int *master, int flags)
{
	char name[32];
	int nr, unlock = 0;

	*master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	NEED(*master >= 0);
	NEED(!ioctl(*master, TIOCSPTLCK, &unlock));
	NEED(!ioctl(*master, TIOCGPTN, &nr));
	snprintf(name, sizeof(name), "/dev/pts/%d", nr);
	return open(name, flags | O_NOCTTY);
}

/* The terminal by its number, as the target is to find it. */
static unsigned int terminal_of(int fd)
{
	unsigned int nr = -1;

	NEED(!ioctl(fd, TIOCGDEV, &nr));
	return nr;
}

static void note_terminal(struct ckpt_target *target, int fd)
{
	FILE *file = fopen(ckpt_path(target, "terminal"), "w");

	NEED(file);
	fprintf(file, "%u", terminal_of(fd));
	fclose(file);
}

static unsigned int noted_terminal(void)
{
	char text[32];

	ckpt_read("terminal", text, sizeof(text));
	return strtoul(text, NULL, 10);
}

/* With the console, as the pseudo terminal's master would have to be elsewhere. */
CKPT_TARGET(on_terminal)
{
	int in = open("/dev/ttyS0", O_RDONLY | O_NOCTTY);
	int out = open("/dev/ttyS0", O_WRONLY | O_NOCTTY | O_NONBLOCK);
	int both = open("/dev/ttyS0", O_RDWR | O_NOCTTY | O_CLOEXEC);
	int console = open("/dev/console", O_RDWR | O_NOCTTY);

	NEED(in >= 0 && out >= 0 && both >= 0 && console >= 0);
	ckpt_point();
	CHECK(isatty(in) && isatty(out) && isatty(both));
	CHECK_EQ(terminal_of(in), noted_terminal());
	CHECK_EQ(terminal_of(out), noted_terminal());
	CHECK_EQ(terminal_of(both), noted_terminal());
	CHECK_EQ(terminal_of(console), noted_terminal());
	CHECK_EQ(fcntl(both, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(write(out, "written\n", 8), 8);
}

TEST_F(changed, terminal)
{
	int master, terminal;
	char text[16] = "";

	terminal = open_terminal(&master, O_RDWR);
	ASSERT_LE(0, terminal);
	ASSERT_EQ(0, take(&self->target, "on_terminal"));
	note_terminal(&self->target, terminal);
	ASSERT_EQ(0, dup2(terminal, 0));
	goes_on(_metadata, &self->target);
	EXPECT_EQ(9, read(master, text, sizeof(text)));
	EXPECT_STREQ("written\r\n", text);
}

TEST_F(changed, terminal_on_standard_error)
{
	int master, terminal, err = dup(2);

	terminal = open_terminal(&master, O_RDWR);
	ASSERT_LE(0, terminal);
	ASSERT_EQ(0, take(&self->target, "on_terminal"));
	note_terminal(&self->target, terminal);
	ASSERT_EQ(2, dup2(terminal, 2));
	goes_on(_metadata, &self->target);
	dup2(err, 2);
}

/* One that can only be written to is opened anew for what is read. */
TEST_F(changed, terminal_for_writing)
{
	int master, terminal;

	terminal = open_terminal(&master, O_WRONLY);
	ASSERT_LE(0, terminal);
	ASSERT_EQ(0, take(&self->target, "on_terminal"));
	note_terminal(&self->target, terminal);
	ASSERT_EQ(0, dup2(terminal, 0));
	goes_on(_metadata, &self->target);
}

TEST_F(changed, controlling_terminal)
{
	int master, terminal;

	ASSERT_LT(0, setsid());
	terminal = open_terminal(&master, O_RDWR);
	ASSERT_LE(0, terminal);
	ASSERT_EQ(0, ioctl(terminal, TIOCSCTTY, 0));
	ASSERT_EQ(0, take(&self->target, "on_terminal"));
	note_terminal(&self->target, terminal);
	goes_on(_metadata, &self->target);
}

TEST_F(changed, no_terminal)
{
	ASSERT_EQ(0, take(&self->target, "on_terminal"));
	ASSERT_LT(0, setsid());
	refused(_metadata, &self->target, ENXIO,
		"fd 3: a terminal is needed, and the caller has none");
}

/* In live mode it keeps the one it has. */
TEST_F(changed, terminal_kept)
{
	struct ckpt_target *target = &self->target;
	int console = open("/dev/ttyS0", O_RDWR | O_NOCTTY | O_CLOEXEC);

	ASSERT_LE(0, console);
	ASSERT_EQ(0, ckpt_start(target, "on_terminal", CKPT_LIVE));
	note_terminal(target, console);
	ASSERT_EQ(0, ckpt_wait_ready(target));
	EXPECT_LT(0, ckpt_checkpoint(target, 0));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

CKPT_TEST_MAIN
