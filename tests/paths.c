// SPDX-License-Identifier: GPL-2.0-only
/* Descriptors of open(2) with O_PATH, whatever they lead to. */
#include "ckpt_test.h"

#include <sys/sysmacros.h>

static void make(const char *name)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	NEED(fd >= 0 && write(fd, "text", 4) == 4);
	close(fd);
}

/* It is nothing more than it was. */
static void is_a_path(int fd, int flags)
{
	char c;

	CHECK_EQ(fcntl(fd, F_GETFL), O_PATH | flags);
	CHECK_EQ(read(fd, &c, 1), -1);
	CHECK_EQ(errno, EBADF);
}

CKPT_FIXTURE(paths);

CKPT_TEST(paths, file)
{
	struct stat before, after;
	int fd, again;
	char name[32];

	make("file");
	fd = open("file", O_PATH | O_CLOEXEC);
	NEED(fd >= 0 && !fstat(fd, &before));
	ckpt_point();
	is_a_path(fd, 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK(!fstat(fd, &after));
	CHECK_EQ(after.st_ino, before.st_ino);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	again = open(name, O_RDONLY);
	CHECK(again >= 0);
	CHECK_EQ(read(again, name, 10), 4);
}

CKPT_TEST(paths, directory)
{
	int fd;

	NEED(!mkdir("dir", 0700));
	make("dir/file");
	fd = open("dir", O_PATH | O_DIRECTORY);
	NEED(fd >= 0);
	ckpt_point();
	is_a_path(fd, O_DIRECTORY);
	CHECK(!faccessat(fd, "file", R_OK, 0));
	CHECK(!unlinkat(fd, "file", 0));
}

CKPT_TEST(paths, symlink)
{
	char text[16] = "";
	struct stat stat;
	int fd, leads;

	make("file");
	NEED(!symlink("file", "link"));
	fd = open("link", O_PATH | O_NOFOLLOW);
	leads = open("link", O_PATH);
	NEED(fd >= 0 && leads >= 0);
	ckpt_point();
	is_a_path(fd, O_NOFOLLOW);
	CHECK_EQ(readlinkat(fd, "", text, sizeof(text)), 4);
	CHECK(!strcmp(text, "file"));
	CHECK(!fstat(leads, &stat));
	CHECK(S_ISREG(stat.st_mode));
}

/* Nothing happens to what is there. */
CKPT_TEST(paths, specials)
{
	struct stat stat;
	int fifo, device;

	NEED(!mkfifo("fifo", 0600));
	fifo = open("fifo", O_PATH);
	device = open("/dev/tty", O_PATH);
	NEED(fifo >= 0 && device >= 0);
	ckpt_point();
	is_a_path(fifo, 0);
	is_a_path(device, 0);
	CHECK(!fstat(fifo, &stat));
	CHECK(S_ISFIFO(stat.st_mode));
	CHECK(!fstat(device, &stat));
	CHECK_EQ(stat.st_rdev, makedev(5, 0));
}

CKPT_TEST(paths, no_rights)
{
	int fd;

	make("file");
	NEED(!chmod("file", 0));
	fd = open("file", O_PATH);
	NEED(fd >= 0);
	ckpt_point();
	is_a_path(fd, 0);
}

CKPT_TARGET(has_path)
{
	make("file");
	NEED(open("file", O_PATH) == 3);
	ckpt_point();
}

TEST(changed)
{
	struct ckpt_target target;

	ASSERT_EQ(0, ckpt_start(&target, "has_path", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	ASSERT_LT(0, ckpt_checkpoint(&target, CHECKPOINT_KILL));
	ckpt_kill(&target);
	ASSERT_EQ(0, unlink(ckpt_path(&target, "file")));
	EXPECT_EQ(-ENOENT, ckpt_restart(&target, 0));
	EXPECT_NE(NULL, strstr(target.log, "fd 3: path /tmp/"));
	ASSERT_EQ(0, mkdir(ckpt_path(&target, "file"), 0700));
	EXPECT_EQ(-ESTALE, ckpt_restart(&target, 0));
	target.pid = 0;
	ckpt_clean(&target);
}

CKPT_TEST_MAIN
