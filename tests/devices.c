// SPDX-License-Identifier: GPL-2.0-only
/* Devices, by their numbers: of blocks, and of characters if they have no state. */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#define BLOCKS	16

CKPT_FIXTURE(devices);

/* A loop device of one's own, with a number in each of its blocks. */
static int make_device(char *name, size_t size)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int file = open("backing", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	char block[512] = "";
	int nr, fd;

	if (control < 0)
		ckpt_skip("no /dev/loop-control");
	NEED(file >= 0);
	for (int i = 0; i < BLOCKS; i++) {
		block[0] = 'a' + i;
		NEED(write(file, block, 512) == 512);
	}
	nr = ioctl(control, LOOP_CTL_GET_FREE);
	NEED(nr >= 0);
	snprintf(name, size, "/dev/loop%d", nr);
	fd = open(name, O_RDWR | O_CLOEXEC);
	NEED(fd >= 0 && !ioctl(fd, LOOP_SET_FD, file));
	close(control);
	close(file);
	return fd;
}

static void end_device(int fd)
{
	CHECK(!ioctl(fd, LOOP_CLR_FD, 0));
	close(fd);
}

static char block_at(int fd)
{
	char block[512];

	return read(fd, block, 512) == 512 ? block[0] : 0;
}

CKPT_TEST(devices, block)
{
	struct stat stat[2];
	char name[32], byte = 'X';
	int fd = make_device(name, sizeof(name)), reader, same;

	reader = open(name, O_RDONLY | O_NONBLOCK);
	same = dup(reader);
	NEED(reader >= 0 && lseek(reader, 512 * 3, SEEK_SET) == 512 * 3);
	NEED(pwrite(fd, &byte, 1, 512 * 5) == 1);
	NEED(!fstat(reader, stat));
	ckpt_point();
	CHECK(!fstat(reader, stat + 1));
	CHECK_EQ(stat[1].st_rdev, stat[0].st_rdev);
	CHECK_EQ(fcntl(reader, F_GETFL) & (O_ACCMODE | O_NONBLOCK),
		 O_RDONLY | O_NONBLOCK);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	CHECK_EQ(block_at(reader), 'd');
	CHECK_EQ(block_at(same), 'e');
	CHECK_EQ(block_at(reader), 'X');
	CHECK_EQ(lseek(fd, 0, SEEK_END), 512 * BLOCKS);
	close(reader);
	close(same);
	end_device(fd);
}

static const struct {
	const char *name;
	unsigned int major, minor;
} known[] = {
	{ "/dev/mem", 1, 1 }, { "/dev/port", 1, 4 }, { "/dev/hwrng", 10, 183 },
	{ "/dev/kvm", 10, 232 }, { "/dev/loop-control", 10, 237 },
	{ "/dev/cpu/0/msr", 202, 0 }, { "/dev/cpu/0/cpuid", 203, 0 },
};

#define NR_KNOWN ((int)(sizeof(known) / sizeof(known[0])))

/* Those of them that there are here. */
CKPT_TEST(devices, characters)
{
	int fd[NR_KNOWN], nr = 0;
	struct stat stat;

	for (int i = 0; i < NR_KNOWN; i++) {
		fd[i] = open(known[i].name, O_RDONLY);
		if (fd[i] < 0)
			continue;
		NEED(!fstat(fd[i], &stat));
		CHECK_EQ(major(stat.st_rdev), known[i].major);
		CHECK_EQ(minor(stat.st_rdev), known[i].minor);
		nr++;
	}
	if (!nr)
		ckpt_skip("none of them");
	ckpt_point();
	for (int i = 0; i < NR_KNOWN; i++) {
		if (fd[i] < 0)
			continue;
		CHECK(!fstat(fd[i], &stat));
		CHECK_EQ(major(stat.st_rdev), known[i].major);
		CHECK_EQ(minor(stat.st_rdev), known[i].minor);
	}
}

/* By number, wherever the node is. */
CKPT_TEST(devices, node_elsewhere)
{
	char name[32];
	int fd = make_device(name, sizeof(name)), other;
	struct stat stat;

	NEED(!fstat(fd, &stat) && !mknod("node", S_IFBLK | 0600, stat.st_rdev));
	other = open("node", O_RDONLY);
	NEED(other >= 0 && block_at(other) == 'a');
	ckpt_point();
	CHECK_EQ(block_at(other), 'b');
	close(other);
	end_device(fd);
}

/* The same name, and another device by now; or something else. */

CKPT_TARGET(opener)
{
	char name[32];
	int fd = make_device(name, sizeof(name));
	struct stat stat;

	NEED(!fstat(fd, &stat) && !mknod("node", S_IFBLK | 0600, stat.st_rdev));
	end_device(fd);
	NEED(open("node", O_RDONLY | O_NONBLOCK) >= 0);
	ckpt_point();
}

FIXTURE(changed) {
	struct ckpt_target target;
};

FIXTURE_SETUP(changed)
{
	memset(self, 0, sizeof(*self));
	ASSERT_EQ(0, ckpt_start(&self->target, "opener", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(&self->target));
	ASSERT_LT(0, ckpt_checkpoint(&self->target, CHECKPOINT_KILL)) {
		TH_LOG("\"%s\"", self->target.log);
	}
	ckpt_kill(&self->target);
}

FIXTURE_TEARDOWN(changed)
{
	ckpt_clean(&self->target);
}

static bool is_stale(struct ckpt_target *target)
{
	long ret = ckpt_restart(target, 0);

	if (ret == -ESTALE && strstr(target->log, "/node: -ESTALE"))
		return true;
	printf("# %ld: \"%s\"\n", ret, target->log);
	return false;
}

TEST_F(changed, number)
{
	ASSERT_EQ(0, unlink(ckpt_path(&self->target, "node")));
	ASSERT_EQ(0, mknod(ckpt_path(&self->target, "node"), S_IFBLK | 0600,
			   makedev(7, 7)));
	EXPECT_TRUE(is_stale(&self->target));
}

TEST_F(changed, type)
{
	ASSERT_EQ(0, unlink(ckpt_path(&self->target, "node")));
	ASSERT_EQ(0, mknod(ckpt_path(&self->target, "node"), S_IFCHR | 0600,
			   makedev(1, 3)));
	EXPECT_TRUE(is_stale(&self->target));
}

TEST_F(changed, file)
{
	int fd;

	ASSERT_EQ(0, unlink(ckpt_path(&self->target, "node")));
	fd = open(ckpt_path(&self->target, "node"), O_CREAT | O_WRONLY, 0600);
	ASSERT_LE(0, fd);
	close(fd);
	EXPECT_TRUE(is_stale(&self->target));
}

TEST_F(changed, not)
{
	EXPECT_LT(0, ckpt_restart(&self->target, 0));
	ASSERT_EQ(0, ckpt_go(&self->target));
	EXPECT_EQ(0, ckpt_end(&self->target));
}

CKPT_TEST_MAIN
