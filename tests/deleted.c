// SPDX-License-Identifier: GPL-2.0-only
/* Files and directories that have no name any more, or never had one. */
#include "ckpt_test.h"
#include "ckpt_loop.h"
#include "ckpt_proc.h"

#include <linux/capability.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#define MIB	(1024 * 1024)
#define TEXT	"abcdefghijklmnopqrst"

static int make(const char *name, int flags)
{
	int fd = open(name, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0640);

	NEED(fd >= 0 && write(fd, TEXT, 20) == 20);
	close(fd);
	fd = open(name, flags);
	NEED(fd >= 0);
	return fd;
}

static int make_deleted(const char *name, int flags)
{
	int fd = make(name, flags);

	NEED(!unlink(name));
	return fd;
}

static bool holds(int fd, const char *text, off_t at)
{
	char buf[64] = "";
	size_t len = strlen(text);

	return pread(fd, buf, len, at) == (ssize_t)len && !strcmp(buf, text);
}

static struct stat stat_of(int fd)
{
	struct stat stat;

	NEED(!fstat(fd, &stat));
	return stat;
}

static int again(int fd, int flags)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags);
}

static bool is_deleted(const char *link)
{
	char text[512] = "";
	ssize_t len = readlink(link, text, sizeof(text) - 1);

	return len > 10 && !strcmp(text + len - 10, " (deleted)");
}

/* What there is to see, on whatever filesystem. */

static void contents(const char *dir)
{
	char name[64], link[32];
	struct stat stat;
	int fd;

	snprintf(name, sizeof(name), "%s/file", dir);
	fd = make_deleted(name, O_RDWR);
	NEED(lseek(fd, 5, SEEK_SET) == 5);
	ckpt_point();
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 5);
	CHECK(holds(fd, TEXT, 0));
	CHECK_EQ(write(fd, "123", 3), 3);
	CHECK(holds(fd, "abcde123ijklmnopqrst", 0));
	stat = stat_of(fd);
	CHECK_EQ(stat.st_nlink, 0);
	CHECK_EQ(stat.st_size, 20);
	CHECK_EQ(stat.st_mode, S_IFREG | 0640);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	CHECK(is_deleted(link));
	CHECK_EQ(access(name, F_OK), -1);
}

/* Several descriptions of one, and one of another that had the same name. */
static void descriptions(const char *dir)
{
	int a, b, c, d, other;
	char name[64];

	snprintf(name, sizeof(name), "%s/file", dir);
	a = make(name, O_RDWR);
	b = open(name, O_RDONLY | O_CLOEXEC);
	c = open(name, O_WRONLY | O_APPEND);
	d = dup(a);
	NEED(b >= 0 && c >= 0 && d >= 0 && !unlink(name));
	other = make_deleted(name, O_RDONLY);
	ckpt_point();
	CHECK_EQ(stat_of(a).st_ino, stat_of(b).st_ino);
	CHECK_EQ(stat_of(a).st_ino, stat_of(c).st_ino);
	CHECK(stat_of(a).st_ino != stat_of(other).st_ino);
	CHECK_EQ(write(c, "+", 1), 1);
	CHECK_EQ(pwrite(a, "A", 1, 0), 1);
	CHECK(holds(b, "Abcdefghijklmnopqrst+", 0));
	CHECK(holds(other, TEXT, 0));
	CHECK_EQ(lseek(d, 7, SEEK_SET), 7);
	CHECK_EQ(lseek(a, 0, SEEK_CUR), 7);
	CHECK_EQ(write(b, "x", 1), -1);
	CHECK_EQ(read(c, name, 1), -1);
	CHECK_EQ(fcntl(b, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(c, F_GETFL) & (O_ACCMODE | O_APPEND),
		 O_WRONLY | O_APPEND);
}

/* By mappings that outlive the descriptor, too. */
static void mapped(const char *dir)
{
	char *shared, *private, *only, name[64];
	int fd;

	snprintf(name, sizeof(name), "%s/file", dir);
	fd = make_deleted(name, O_RDWR);
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	private = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	NEED(shared != MAP_FAILED && private != MAP_FAILED);
	memcpy(shared, "SHARED", 6);
	memcpy(private + 10, "PRIVATE", 7);
	only = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
		    make_deleted(name, O_RDWR), 0);
	NEED(only != MAP_FAILED && !close(fd + 1));
	memcpy(only, "ONLY", 4);
	ckpt_point();
	CHECK(holds(fd, "SHAREDghijklmnopqrst", 0));
	CHECK(!memcmp(private, "SHAREDghijPRIVATErst", 20));
	CHECK(!memcmp(only, "ONLYefghijklmnopqrst", 20));
	CHECK_EQ(pwrite(fd, "written", 7, 0), 7);
	CHECK(!memcmp(shared, "written", 7));
	memcpy(shared, "mapped", 6);
	CHECK(holds(fd, "mappedn", 0));
	CHECK(!munmap(shared, 4096) && !munmap(private, 4096) &&
	      !munmap(only, 4096));
}

CKPT_FIXTURE(deleted);

CKPT_TEST(deleted, contents)
{
	contents(".");
}

CKPT_TEST(deleted, descriptions)
{
	descriptions(".");
}

CKPT_TEST(deleted, mapped)
{
	mapped(".");
}

CKPT_TEST(deleted, empty)
{
	int fd = open("file", O_CREAT | O_WRONLY, 0200);

	NEED(fd >= 0 && !unlink("file"));
	ckpt_point();
	CHECK_EQ(stat_of(fd).st_size, 0);
	CHECK_EQ(stat_of(fd).st_mode, S_IFREG | 0200);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(stat_of(fd).st_size, 1);
}

/* Holes take no room, in the image or on the disk; nor does the end. */
CKPT_TEST(deleted, sparse)
{
	int fd = open("file", O_CREAT | O_RDWR, 0600);
	struct stat image;

	NEED(fd >= 0 && !unlink("file"));
	NEED(pwrite(fd, "start", 5, 0) == 5);
	NEED(pwrite(fd, "middle", 6, 512LL * MIB - 3) == 6);
	NEED(!ftruncate(fd, 1024LL * MIB + 1));
	ckpt_point();
	CHECK_EQ(stat_of(fd).st_size, 1024LL * MIB + 1);
	CHECK_EQ(stat_of(fd).st_blocks, 3 * 8);
	CHECK(holds(fd, "start", 0));
	CHECK(holds(fd, "middle", 512LL * MIB - 3));
	CHECK_EQ(lseek(fd, 4096, SEEK_DATA), 512LL * MIB - 4096);
	if (!stat("image", &image))
		CHECK(image.st_size < 16LL * MIB);
}

static unsigned char pattern(size_t i)
{
	return (i * 2654435761U) >> 13;
}

CKPT_TEST(deleted, large)
{
	static unsigned char buf[8 * MIB + 123];
	int fd = open("file", O_CREAT | O_RDWR, 0600);
	size_t wrong = 0;

	NEED(fd >= 0 && !unlink("file"));
	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = pattern(i);
	NEED(write(fd, buf, sizeof(buf)) == sizeof(buf));
	memset(buf, 0, sizeof(buf));
	ckpt_point();
	CHECK_EQ(stat_of(fd).st_size, sizeof(buf));
	CHECK_EQ(pread(fd, buf, sizeof(buf), 0), sizeof(buf));
	for (size_t i = 0; i < sizeof(buf); i++)
		wrong += buf[i] != pattern(i);
	CHECK_EQ(wrong, 0);
}

CKPT_TEST(deleted, opened_again)
{
	int fd = make_deleted("file", O_RDONLY), other;

	ckpt_point();
	other = again(fd, O_RDWR);
	CHECK(other >= 0);
	CHECK_EQ(write(other, "other", 5), 5);
	CHECK(holds(fd, "otherfgh", 0));
	CHECK_EQ(linkat(AT_FDCWD, "/proc/self/fd/3", AT_FDCWD, "linked",
			AT_SYMLINK_FOLLOW), -1);
	CHECK_EQ(errno, ENOENT);
}

/* Something else has the name by now. */
CKPT_TEST(deleted, replaced)
{
	int fd = make("file", O_RDWR), other = make("other", O_RDONLY);

	NEED(pwrite(other, "x", 1, 0) == -1);
	NEED(pwrite(fd, "old", 3, 0) == 3 && !rename("other", "file"));
	ckpt_point();
	CHECK(holds(fd, "olddefgh", 0));
	CHECK(holds(other, TEXT, 0));
	CHECK_EQ(stat_of(other).st_nlink, 1);
	CHECK_EQ(stat_of(fd).st_nlink, 0);
}

static bool link_by_fd(int fd, const char *name)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return !linkat(AT_FDCWD, path, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
}

/* A name that came later. */
CKPT_TEST(deleted, named_since)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);

	NEED(fd >= 0 && write(fd, TEXT, 20) == 20);
	NEED(link_by_fd(fd, "file"));
	ckpt_point();
	CHECK_EQ(pwrite(fd, "still", 5, 0), 5);
	CHECK(holds(open("file", O_RDONLY), "stillfgh", 0));
}

/* It has a name still, though not that by which it was opened. */
CKPT_TEST(deleted, linked_elsewhere)
{
	struct stat stat_buf;
	int fd = make("file", O_RDWR), path;

	path = open("file", O_PATH);
	NEED(path >= 0 && !link("file", "other") && !unlink("file"));
	ckpt_point();
	CHECK_EQ(pwrite(fd, "still", 5, 0), 5);
	CHECK(!stat("other", &stat_buf));
	CHECK_EQ(stat_buf.st_ino, stat_of(fd).st_ino);
	CHECK_EQ(stat_buf.st_ino, stat_of(path).st_ino);
	CHECK_EQ(stat_buf.st_nlink, 1);
	CHECK(holds(open("other", O_RDONLY), "stillfgh", 0));
}

CKPT_TEST(deleted, never_had_a_name)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);
	int excl = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);

	int flags = fcntl(fd, F_GETFL);

	NEED(fd >= 0 && excl >= 0 && write(fd, TEXT, 20) == 20);
	ckpt_point();
	CHECK_EQ(fcntl(fd, F_GETFL), flags);
	CHECK(holds(fd, TEXT, 0));
	CHECK_EQ(stat_of(fd).st_nlink, 0);
	CHECK(!link_by_fd(excl, "excl"));
	CHECK(link_by_fd(fd, "file"));
	CHECK(holds(open("file", O_RDONLY), TEXT, 0));
}

CKPT_TEST(deleted, with_its_directory)
{
	int fd;

	NEED(!mkdir("a", 0700) && !mkdir("a/b", 0700));
	fd = make_deleted("a/b/file", O_RDWR);
	NEED(!rmdir("a/b") && !rmdir("a"));
	ckpt_point();
	CHECK(holds(fd, TEXT, 0));
	CHECK_EQ(access("a", F_OK), -1);
}

CKPT_TEST(deleted, path_only)
{
	int path, fd = make("file", O_RDWR), other;

	path = open("file", O_PATH);
	NEED(path >= 0 && !unlink("file"));
	ckpt_point();
	CHECK_EQ(fcntl(path, F_GETFL), O_PATH);
	CHECK_EQ(stat_of(path).st_ino, stat_of(fd).st_ino);
	other = again(path, O_RDONLY);
	CHECK(holds(other, TEXT, 0));
}

static bool lock_is_free(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	NEED(!fcntl(fd, F_OFD_GETLK, &lock));
	return lock.l_type == F_UNLCK;
}

CKPT_TEST(deleted, locked)
{
	struct flock lock = { .l_type = F_WRLCK, .l_len = 10 };
	int flocked = make("file", O_RDWR), ofd = open("file", O_RDWR);
	int other = open("file", O_RDWR);

	NEED(ofd >= 0 && other >= 0 && !unlink("file"));
	NEED(!flock(flocked, LOCK_EX) && !fcntl(ofd, F_OFD_SETLK, &lock));
	lock = (struct flock){ .l_type = F_RDLCK, .l_start = 50 };
	NEED(!fcntl(flocked, F_SETLK, &lock));
	ckpt_point();
	CHECK_EQ(flock(other, LOCK_SH | LOCK_NB), -1);
	CHECK(!lock_is_free(other));
	CHECK(!flock(flocked, LOCK_UN));
	CHECK(!flock(other, LOCK_EX | LOCK_NB));
	lock = (struct flock){ .l_type = F_UNLCK, .l_len = 10 };
	CHECK(!fcntl(ofd, F_OFD_SETLK, &lock));
	CHECK(!lock_is_free(other));
	lock = (struct flock){ .l_type = F_UNLCK };
	CHECK(!fcntl(flocked, F_SETLK, &lock));
	CHECK(lock_is_free(other));
}

CKPT_TEST(deleted, directory)
{
	int fd, path, sub;

	NEED(!mkdir("dir", 0750));
	fd = open("dir", O_RDONLY | O_DIRECTORY);
	path = open("dir", O_PATH);
	NEED(fd >= 0 && path >= 0 && !rmdir("dir"));
	ckpt_point();
	CHECK_EQ(stat_of(fd).st_mode, S_IFDIR | 0750);
	CHECK_EQ(stat_of(fd).st_ino, stat_of(path).st_ino);
	CHECK(is_deleted("/proc/self/fd/3"));
	sub = openat(fd, "file", O_CREAT | O_WRONLY, 0600);
	CHECK_EQ(sub, -1);
	CHECK_EQ(errno, ENOENT);
	CHECK_EQ(access("dir", F_OK), -1);
}

/* Where that it was deleted can be told from is the name that it had. */
static bool has_name(int fd, const char *name)
{
	char link[32], text[512] = "", cwd[256], want[512];

	NEED(getcwd(cwd, sizeof(cwd)));
	snprintf(want, sizeof(want), "%s/%s (deleted)", cwd, name);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return readlink(link, text, sizeof(text) - 1) > 0 &&
	       !strcmp(text, want);
}

CKPT_TEST(deleted, directory_name)
{
	int fd, other;

	NEED(!mkdir("dir", 0750) && !mkdir("two", 0700));
	fd = open("dir", O_RDONLY | O_DIRECTORY);
	other = open("two", O_PATH);
	NEED(fd >= 0 && other >= 0 && !rmdir("dir") && !rmdir("two"));
	ckpt_point();
	CHECK(has_name(fd, "dir"));
	CHECK(has_name(other, "two"));
	CHECK_EQ(access("dir", F_OK), -1);
}

/* Somebody has it by now, and keeps it. */
CKPT_TEST(deleted, name_taken)
{
	int fd, again, fifo;

	NEED(!mkdir("dir", 0700) && !mkfifo("fifo", 0600));
	fd = open("dir", O_RDONLY | O_DIRECTORY);
	fifo = open("fifo", O_RDWR);
	NEED(fd >= 0 && fifo >= 0 && !rmdir("dir") && !unlink("fifo"));
	NEED(!mkdir("dir", 0700));
	again = make("fifo", O_RDWR);
	ckpt_point();
	CHECK_EQ(stat_of(fd).st_mode, S_IFDIR | 0700);
	CHECK(is_deleted("/proc/self/fd/3"));
	CHECK_EQ(write(fifo, "x", 1), 1);
	CHECK(S_ISFIFO(stat_of(fifo).st_mode));
	CHECK(!rmdir("dir"));
	CHECK(holds(again, TEXT, 0));
	CHECK_EQ(stat_of(again).st_nlink, 1);
}

/* Fifos: their ends, and what is in between. */

static void make_fifo(int fd[2], int flags)
{
	NEED(!mkfifo("fifo", 0640));
	fd[0] = open("fifo", O_RDONLY | O_NONBLOCK);
	fd[1] = open("fifo", O_WRONLY | flags);
	NEED(fd[0] >= 0 && fd[1] >= 0 && !fcntl(fd[0], F_SETFL, 0));
	NEED(!unlink("fifo"));
}

static bool reads(int fd, const char *text)
{
	char buf[64] = "";
	size_t len = strlen(text);

	return read(fd, buf, sizeof(buf) - 1) == (ssize_t)len &&
	       !strcmp(buf, text);
}

static short polls(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	NEED(poll(&pfd, 1, 0) >= 0);
	return pfd.revents;
}

CKPT_TEST(deleted, fifo)
{
	int fd[2], other;

	make_fifo(fd, O_NONBLOCK | O_CLOEXEC);
	NEED(write(fd[1], "text", 4) == 4);
	NEED(fcntl(fd[1], F_SETPIPE_SZ, 8192) == 8192);
	ckpt_point();
	CHECK_EQ(stat_of(fd[0]).st_ino, stat_of(fd[1]).st_ino);
	CHECK_EQ(stat_of(fd[0]).st_mode, S_IFIFO | 0640);
	CHECK_EQ(stat_of(fd[0]).st_nlink, 0);
	CHECK(has_name(fd[0], "fifo"));
	CHECK_EQ(access("fifo", F_OK), -1);
	CHECK_EQ(fcntl(fd[0], F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDONLY);
	CHECK_EQ(fcntl(fd[1], F_GETFL) & (O_ACCMODE | O_NONBLOCK),
		 O_WRONLY | O_NONBLOCK);
	CHECK_EQ(fcntl(fd[1], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fd[0], F_GETPIPE_SZ), 8192);
	CHECK_EQ(write(fd[1], "more", 4), 4);
	CHECK(reads(fd[0], "textmore"));
	other = again(fd[0], O_WRONLY);
	CHECK_EQ(write(other, "other", 5), 5);
	CHECK(reads(fd[0], "other"));
	close(other);
	close(fd[1]);
	CHECK_EQ(read(fd[0], &other, 1), 0);
}

CKPT_TEST(deleted, fifo_reader_only)
{
	int fd[2];

	make_fifo(fd, 0);
	NEED(write(fd[1], "text", 4) == 4 && !close(fd[1]));
	ckpt_point();
	CHECK(reads(fd[0], "text"));
	CHECK_EQ(polls(fd[0]), POLLHUP);
}

CKPT_TEST(deleted, fifo_no_writer_yet)
{
	int fd, other;

	NEED(!mkfifo("fifo", 0600));
	fd = open("fifo", O_RDONLY | O_NONBLOCK);
	NEED(fd >= 0 && !unlink("fifo"));
	ckpt_point();
	CHECK_EQ(polls(fd), 0);
	other = again(fd, O_WRONLY);
	CHECK_EQ(write(other, "x", 1), 1);
	close(other);
	CHECK(reads(fd, "x"));
	CHECK_EQ(polls(fd), POLLHUP);
}

CKPT_TEST(deleted, fifo_writer_only)
{
	int fd[2];

	make_fifo(fd, 0);
	NEED(write(fd[1], "text", 4) == 4 && !close(fd[0]));
	signal(SIGPIPE, SIG_IGN);
	ckpt_point();
	CHECK_EQ(write(fd[1], "x", 1), -1);
	CHECK_EQ(errno, EPIPE);
	fd[0] = again(fd[1], O_RDONLY | O_NONBLOCK);
	CHECK(reads(fd[0], "text"));
}

/* By which nobody could open it any more; with another one of the same name. */
CKPT_TEST(deleted, fifo_two_of_a_name)
{
	int a, b, path;

	NEED(!mkfifo("fifo", 0600));
	a = open("fifo", O_RDWR);
	path = open("fifo", O_PATH);
	NEED(a >= 0 && path >= 0 && !chmod("fifo", 0) && !unlink("fifo"));
	NEED(!mkfifo("fifo", 0600));
	b = open("fifo", O_RDWR);
	NEED(b >= 0 && !unlink("fifo"));
	NEED(write(a, "a", 1) == 1 && write(b, "b", 1) == 1);
	ckpt_point();
	CHECK(reads(a, "a"));
	CHECK(reads(b, "b"));
	CHECK_EQ(stat_of(a).st_mode, S_IFIFO);
	CHECK_EQ(stat_of(path).st_ino, stat_of(a).st_ino);
	CHECK(stat_of(a).st_ino != stat_of(b).st_ino);
	CHECK_EQ(fcntl(path, F_GETFL), O_PATH);
}

CKPT_TEST(deleted, fifo_times)
{
	struct timespec times[2] = {
		{ .tv_sec = 1000000000, .tv_nsec = 123456789 },
		{ .tv_sec = 1234567890, .tv_nsec = 987654321 },
	};
	int fd[2];

	make_fifo(fd, 0);
	NEED(write(fd[1], "x", 1) == 1 && !futimens(fd[0], times));
	ckpt_point();
	CHECK_EQ(stat_of(fd[0]).st_mtim.tv_sec, times[1].tv_sec);
	CHECK_EQ(stat_of(fd[0]).st_mtim.tv_nsec, times[1].tv_nsec);
	CHECK_EQ(stat_of(fd[0]).st_atim.tv_sec, times[0].tv_sec);
}

/* Nodes of devices, and symbolic links. */

CKPT_TEST(deleted, device)
{
	int null, zero, path;
	char c = 'x';

	if (mknod("null", S_IFCHR | 0640, makedev(1, 3)))
		ckpt_skip("no right to make a node");
	NEED(!mknod("zero", S_IFCHR | 0600, makedev(1, 5)));
	NEED(!mknod("tty", S_IFCHR | 0600, makedev(4, 64)));
	null = open("null", O_WRONLY | O_APPEND);
	zero = open("zero", O_RDWR);
	path = open("tty", O_PATH);
	NEED(null >= 0 && zero >= 0 && path >= 0);
	NEED(!unlink("null") && !unlink("zero") && !unlink("tty"));
	ckpt_point();
	CHECK_EQ(write(null, "x", 1), 1);
	CHECK_EQ(fcntl(null, F_GETFL) & (O_ACCMODE | O_APPEND),
		 O_WRONLY | O_APPEND);
	CHECK_EQ(stat_of(null).st_mode, S_IFCHR | 0640);
	CHECK_EQ(stat_of(null).st_rdev, makedev(1, 3));
	CHECK_EQ(stat_of(null).st_nlink, 0);
	CHECK(has_name(null, "null"));
	CHECK_EQ(read(zero, &c, 1), 1);
	CHECK_EQ(c, 0);
	CHECK_EQ(stat_of(path).st_rdev, makedev(4, 64));
	CHECK_EQ(access("null", F_OK), -1);
}

CKPT_TEST(deleted, block_device)
{
	int fd, path;

	if (mknod("loop", S_IFBLK | 0600, makedev(7, 0)))
		ckpt_skip("no right to make a node");
	fd = open("loop", O_RDONLY);
	path = open("loop", O_PATH);
	NEED(path >= 0 && !unlink("loop"));
	if (fd < 0)
		ckpt_skip("no loop device");
	ckpt_point();
	CHECK_EQ(stat_of(fd).st_mode, S_IFBLK | 0600);
	CHECK_EQ(stat_of(fd).st_rdev, makedev(7, 0));
	CHECK_EQ(stat_of(path).st_ino, stat_of(fd).st_ino);
}

CKPT_TEST(deleted, symbolic_link)
{
	char target[64] = "";
	int fd;

	NEED(!symlink("/no/where", "link"));
	fd = open("link", O_PATH | O_NOFOLLOW);
	NEED(fd >= 0 && !unlink("link"));
	ckpt_point();
	CHECK_EQ(readlinkat(fd, "", target, sizeof(target)), 9);
	CHECK(!strcmp(target, "/no/where"));
	CHECK(S_ISLNK(stat_of(fd).st_mode));
	CHECK_EQ(stat_of(fd).st_nlink, 0);
	CHECK_EQ(fcntl(fd, F_GETFL), O_PATH | O_NOFOLLOW);
	CHECK(has_name(fd, "link"));
}

/* A child, whose own current directory it is; it says what it finds. */
static void in_deleted_directory(int in, int out)
{
	char c = 'y', cwd[64], before[256] = "", after[256] = "";

	if (read(in, &c, 1) != 1 ||
	    readlink("/proc/self/cwd", before, sizeof(before) - 1) < 0 ||
	    write(out, &c, 1) != 1 || read(in, &c, 1) != 1 ||
	    readlink("/proc/self/cwd", after, sizeof(after) - 1) < 0 ||
	    strcmp(before, after) || getcwd(cwd, sizeof(cwd)) ||
	    errno != ENOENT || !is_deleted("/proc/self/cwd") ||
	    mkdir("sub", 0700) != -1)
		c = 'n';
	if (write(out, &c, 1) != 1)
		_exit(1);
	_exit(0);
}

CKPT_TEST(deleted, current_directory)
{
	int to[2], from[2], status;
	pid_t pid;
	char c;

	NEED(!mkdir("dir", 0700) && !pipe(to) && !pipe(from));
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		NEED(!chdir("dir"));
		NEED(write(from[1], "", 1) == 1);
		in_deleted_directory(to[0], from[1]);
	}
	NEED(read(from[0], &c, 1) == 1 && !rmdir("dir"));
	NEED(write(to[1], "y", 1) == 1 && read(from[0], &c, 1) == 1);
	ckpt_point();
	CHECK_EQ(write(to[1], "y", 1), 1);
	CHECK_EQ(read(from[0], &c, 1), 1);
	CHECK_EQ(c, 'y');
	CHECK_EQ(waitpid(pid, &status, 0), pid);
}

CKPT_TEST(deleted, of_two_processes)
{
	int fd = make("file", O_RDWR), to[2], status;
	pid_t pid;
	char c;

	NEED(!pipe(to));
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		int own = open("file", O_RDWR | O_APPEND);

		if (read(to[0], &c, 1) != 1 || write(own, "child", 5) != 5)
			_exit(1);
		_exit(0);
	}
	ckpt_msleep(100);
	NEED(!unlink("file"));
	ckpt_point();
	CHECK_EQ(write(to[1], "", 1), 1);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK(holds(fd, TEXT "child", 0));
}

/* As after an upgrade: the program is this one, copied. */
static void become_a_copy(void)
{
	char *argv[8] = {}, args[512];
	size_t len = ckpt_read("/proc/self/cmdline", args, sizeof(args));
	int nr = 0;

	for (char *p = args; p < args + len && nr < 7; p += strlen(p) + 1)
		argv[nr++] = p;
	NEED(!system("/bin/cp /proc/$PPID/exe ./program"));
	setenv("IS_A_COPY", "1", 1);
	execv("./program", argv);
	NEED(!"exec");
}

CKPT_TEST(deleted, executable)
{
	if (!getenv("IS_A_COPY"))
		become_a_copy();
	NEED(!unlink("program"));
	ckpt_point();
	CHECK(is_deleted("/proc/self/exe"));
	CHECK_EQ(open("/proc/self/exe", O_RDWR), -1);
	CHECK_EQ(errno, ETXTBSY);
	CHECK(!system("/bin/true"));
}

/* Nobody could tell from another file when it was read or written to last. */
CKPT_TEST(deleted, times)
{
	struct timespec times[2] = {
		{ .tv_sec = 1000000000, .tv_nsec = 123456789 },
		{ .tv_sec = 1234567890, .tv_nsec = 987654321 },
	};
	int fd = make_deleted("file", O_RDWR);
	struct stat stat;

	NEED(!futimens(fd, times));
	ckpt_point();
	NEED(!fstat(fd, &stat));
	CHECK_EQ(stat.st_mtim.tv_sec, times[1].tv_sec);
	CHECK_EQ(stat.st_mtim.tv_nsec, times[1].tv_nsec);
	CHECK_EQ(stat.st_atim.tv_sec, times[0].tv_sec);
	CHECK_EQ(stat.st_atim.tv_nsec, times[0].tv_nsec);
}

/* What is no file, on whatever filesystem. */
static void nodes(const char *dir)
{
	char name[3][64];
	int fifo, sub, link;

	snprintf(name[0], sizeof(name[0]), "%s/fifo", dir);
	snprintf(name[1], sizeof(name[1]), "%s/sub", dir);
	snprintf(name[2], sizeof(name[2]), "%s/link", dir);
	NEED(!mkfifo(name[0], 0600) && !mkdir(name[1], 0700));
	NEED(!symlink("to", name[2]));
	fifo = open(name[0], O_RDWR);
	sub = open(name[1], O_RDONLY | O_DIRECTORY);
	link = open(name[2], O_PATH | O_NOFOLLOW);
	NEED(fifo >= 0 && write(fifo, "text", 4) == 4 && sub >= 0 && link >= 0);
	NEED(!unlink(name[0]) && !rmdir(name[1]) && !unlink(name[2]));
	ckpt_point();
	CHECK(reads(fifo, "text"));
	CHECK(has_name(fifo, name[0]));
	CHECK(has_name(sub, name[1]));
	CHECK(has_name(link, name[2]));
	CHECK(S_ISLNK(stat_of(link).st_mode));
	CHECK_EQ(access(name[0], F_OK), -1);
	CHECK_EQ(access(name[1], F_OK), -1);
}

/* On filesystems of which each has its own ways. */

CKPT_FIXTURE_ONLY(filesystem);
CKPT_VARIANT(filesystem, live, CKPT_LIVE);
CKPT_VARIANT(filesystem, killed, CKPT_KILLED);

static void mount_ext4(void)
{
	NEED(!mkdir("mnt", 0700));
	if (ckpt_loop_mount("disk", 16 * MIB, "mnt"))
		ckpt_skip("no mke2fs");
}

static void mount_overlay(void)
{
	NEED(!mkdir("lower", 0700) && !mkdir("upper", 0700));
	NEED(!mkdir("work", 0700) && !mkdir("mnt", 0700));
	if (mount("overlay", "mnt", "overlay", 0,
		  "lowerdir=lower,upperdir=upper,workdir=work"))
		ckpt_skip("no overlayfs");
}

#define ON(fs, body)							\
	CKPT_TEST(filesystem, fs##_##body)				\
	{								\
		mount_##fs();						\
		body("mnt");						\
		close_range(3, ~0U, 0);					\
		CHECK(!umount("mnt"));					\
	}

ON(ext4, contents)
ON(ext4, descriptions)
ON(ext4, mapped)
ON(ext4, nodes)
ON(overlay, contents)
ON(overlay, descriptions)
ON(overlay, mapped)
ON(overlay, nodes)

/* What else may be in the way. */

CKPT_TARGET(has_deleted)
{
	int fd;

	NEED(!mkdir("dir", 0700));
	fd = make_deleted("dir/gone", O_RDWR);
	ckpt_point();
	CHECK(holds(fd, TEXT, 0));
}

static int take(struct ckpt_target *target)
{
	if (ckpt_start(target, "has_deleted", CKPT_KILLED) ||
	    ckpt_wait_ready(target) ||
	    ckpt_checkpoint(target, CHECKPOINT_KILL) <= 0)
		return -1;
	ckpt_kill(target);
	return 0;
}

TEST(no_place)
{
	struct ckpt_target target;

	ASSERT_EQ(0, take(&target));
	ASSERT_EQ(0, rmdir(ckpt_path(&target, "dir")));
	EXPECT_EQ(-ENOENT, ckpt_restart(&target, 0));
	EXPECT_NE(NULL, strstr(target.log, "fd 3: deleted file gone, in /tmp/"));
	ASSERT_EQ(0, mkdir(ckpt_path(&target, "dir"), 0700));
	ASSERT_LT(0, ckpt_restart(&target, 0));
	EXPECT_EQ(0, ckpt_go(&target));
	EXPECT_EQ(0, ckpt_end(&target));
	ckpt_clean(&target);
}

/* A fifo that a process outside has as well is one with two of them. */
CKPT_TARGET(has_deleted_fifo)
{
	int fd[2];

	make_fifo(fd, 0);
	ckpt_point();
	CHECK_EQ(write(fd[1], "text", 4), 4);
	CHECK(reads(fd[0], "text"));
}

TEST(fifo_shared_outside)
{
	struct ckpt_target target;
	char path[64];
	int fd;

	ASSERT_EQ(0, ckpt_start(&target, "has_deleted_fifo", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	snprintf(path, sizeof(path), "/proc/%d/fd/3", target.pid);
	for (int i = 0; i < 2; i++) {
		fd = open(path, (i ? O_PATH : O_WRONLY) | O_CLOEXEC);
		ASSERT_LE(0, fd);
		EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint(&target, 0));
		EXPECT_NE(NULL, strstr(target.log,
				       "is shared with a process outside"));
		close(fd);
	}
	EXPECT_LT(0, ckpt_checkpoint(&target, 0));
	EXPECT_EQ(0, ckpt_go(&target));
	EXPECT_EQ(0, ckpt_end(&target));
	ckpt_clean(&target);
}

/* A device that is not known to have no state is refused whatever its name. */
CKPT_TARGET(has_deleted_device)
{
	int fd;

	if (mknod("fuse", S_IFCHR | 0600, makedev(10, 229)))
		ckpt_skip("no right to make a node");
	fd = open("fuse", O_RDWR);
	if (fd < 0)
		ckpt_skip("no fuse");
	NEED(!unlink("fuse"));
	ckpt_point();
}

CKPT_REFUSED(other_device, "has_deleted_device", EOPNOTSUPP,
	     "character device 10:229 (fuse): not supported")

CKPT_TARGET(has_deleted_null)
{
	int fd;

	NEED(!mknod("null", S_IFCHR | 0600, makedev(1, 3)));
	fd = open("null", O_RDWR);
	NEED(fd >= 0 && !unlink("null"));
	ckpt_point();
	CHECK_EQ(write(fd, "x", 1), 1);
}

static int drop_mknod(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -1;
	data[0].effective &= ~(1U << CAP_MKNOD);
	return syscall(SYS_capset, &header, data);
}

/* Who may not make one does not get one. */
TEST(may_not_make_device)
{
	struct ckpt_target target;

	if (ckpt_start(&target, "has_deleted_null", CKPT_KILLED) ||
	    ckpt_wait_ready(&target))
		SKIP(return, "no right to make a node");
	ASSERT_LT(0, ckpt_checkpoint(&target, CHECKPOINT_KILL));
	ckpt_kill(&target);
	ASSERT_EQ(0, drop_mknod());
	EXPECT_EQ(-EPERM, ckpt_restart(&target, 0));
	EXPECT_NE(NULL, strstr(target.log, "fd 3: deleted file null, in /tmp/"));
	ckpt_clean(&target);
}

/* A process outside would go on with another file than the tree. */
TEST(shared_outside)
{
	struct ckpt_target target;
	char path[64];
	int fd;

	ASSERT_EQ(0, ckpt_start(&target, "has_deleted", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	snprintf(path, sizeof(path), "/proc/%d/fd/3", target.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint(&target, 0));
	EXPECT_NE(NULL, strstr(target.log,
			       "gone (deleted) is shared with a process outside"));
	close(fd);
	EXPECT_LT(0, ckpt_checkpoint(&target, 0));
	EXPECT_EQ(0, ckpt_go(&target));
	EXPECT_EQ(0, ckpt_end(&target));
	ckpt_clean(&target);
}

CKPT_TEST_MAIN
