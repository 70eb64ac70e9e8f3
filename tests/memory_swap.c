// SPDX-License-Identifier: GPL-2.0-only
/* Memory that is swapped out when it is captured. */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/swap.h>

#define PAGE		4096UL
#define HUGE		(2UL << 20)
#define SWAP_PAGES	4096UL

#define RW		(PROT_READ | PROT_WRITE)

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

/* As mkswap(8) does it. */
struct swap_header {
	char	boot[1024];
	__u32	version;
	__u32	last_page;
	__u32	nr_bad;
	char	rest[PAGE - 1024 - 12 - 10];
	char	magic[10];
};

static const char *make_swap(int fd)
{
	static struct swap_header header = { .version = 1 };

	header.last_page = SWAP_PAGES - 1;
	memcpy(header.magic, "SWAPSPACE2", sizeof(header.magic));
	if (posix_fallocate(fd, 0, SWAP_PAGES * PAGE))
		return "no room for a swap file";
	if (pwrite(fd, &header, sizeof(header), 0) != sizeof(header))
		return "can't write a swap file";
	return NULL;
}

static const char *loop_swap(int fd, char *path, size_t size)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int nr = ioctl(control, LOOP_CTL_GET_FREE), loop;
	const char *why = NULL;

	close(control);
	snprintf(path, size, "/dev/loop%d", nr);
	loop = open(path, O_RDWR | O_CLOEXEC);
	if (nr < 0 || loop < 0)
		return "no loop device";
	if (ioctl(loop, LOOP_SET_FD, fd))
		return "can't set up a loop device";
	if (swapon(path, 0)) {
		why = "can't swap";
		ioctl(loop, LOOP_CLR_FD);
	}
	close(loop);
	return why;
}

FIXTURE(swap) {
	struct ckpt_target	target;
	char			device[32];
	char			file[32];
};

FIXTURE_VARIANT(swap) {
	enum ckpt_mode	mode;
};

CKPT_VARIANT(swap, live, CKPT_LIVE);
CKPT_VARIANT(swap, killed, CKPT_KILLED);
CKPT_VARIANT(swap, self, CKPT_SELF);

/* On a file in memory: it is swapping that matters here, not what it gains. */
FIXTURE_SETUP(swap)
{
	const char *why;
	int fd;

	memset(self, 0, sizeof(*self));
	(void)variant;
	snprintf(self->file, sizeof(self->file), "/tmp/swap-XXXXXX");
	fd = mkstemp(self->file);
	ASSERT_GE(fd, 0);
	why = make_swap(fd);
	if (!why)
		why = loop_swap(fd, self->device, sizeof(self->device));
	close(fd);
	if (why) {
		unlink(self->file);
		SKIP(return, "%s: errno %d", why, errno);
	}
}

FIXTURE_TEARDOWN(swap)
{
	int loop = open(self->device, O_RDWR | O_CLOEXEC);

	ckpt_clean(&self->target);
	EXPECT_EQ(0, swapoff(self->device));
	ioctl(loop, LOOP_CLR_FD);
	close(loop);
	unlink(self->file);
}

static void *map(size_t len, int flags)
{
	void *p = mmap(NULL, len, RW, flags | MAP_ANONYMOUS, -1, 0);

	NEED(p != MAP_FAILED);
	return p;
}

static void fill(char *p, size_t len)
{
	for (size_t i = 0; i < len; i += 8)
		*(size_t *)(p + i) = i + 1;
}

static bool filled(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i += 8)
		if (*(size_t *)(p + i) != i + 1)
			return false;
	return true;
}

/* Pages are let alone that have just been used by another CPU, and the like. */
static void page_out(char *p, size_t len)
{
	for (int i = 0; i < 100; i++) {
		CHECK(!madvise(p, len, MADV_PAGEOUT));
		if (ckpt_smaps(p, "Swap:") >= (long)(len / 1024 / 2))
			return;
		ckpt_msleep(5);
	}
	ckpt_fail(__FILE__, __LINE__, "not swapped out");
}

CKPT_TEST(swap, private)
{
	char *p = map(512 * PAGE, MAP_PRIVATE);

	fill(p, 512 * PAGE);
	page_out(p, 512 * PAGE);
	ckpt_point();
	CHECK(filled(p, 512 * PAGE));
	CHECK(!munmap(p, 512 * PAGE));
}

CKPT_TEST(swap, shared)
{
	char *p = map(512 * PAGE, MAP_SHARED);

	fill(p, 512 * PAGE);
	page_out(p, 512 * PAGE);
	ckpt_point();
	CHECK(filled(p, 512 * PAGE));
}

CKPT_TEST(swap, huge)
{
	char *all = map(2 * HUGE, MAP_PRIVATE);
	char *p = (char *)(((uintptr_t)all + HUGE - 1) & ~(HUGE - 1));

	CHECK(!madvise(p, HUGE, MADV_HUGEPAGE));
	fill(p, HUGE);
	page_out(p, HUGE);
	ckpt_point();
	CHECK(filled(p, HUGE));
}

/* No access, and yet to be had from swap. */
CKPT_TEST(swap, no_access)
{
	char *p = map(64 * PAGE, MAP_PRIVATE);

	fill(p, 64 * PAGE);
	page_out(p, 64 * PAGE);
	CHECK(!mprotect(p, 64 * PAGE, PROT_NONE));
	ckpt_point();
	CHECK(!mprotect(p, 64 * PAGE, PROT_READ));
	CHECK(filled(p, 64 * PAGE));
}

CKPT_TEST_MAIN
