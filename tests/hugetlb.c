// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory in huge pages: of memfd_create(2), mmap(2) and shmget(2).
 */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <sys/ipc.h>
#include <sys/shm.h>

#define PAGE	4096
#define HUGE	(2L << 20)

#ifndef MFD_HUGE_2MB
#define MFD_HUGE_2MB	(21U << 26)
#endif
#ifndef F_SEAL_SHRINK
#define F_SEAL_SHRINK	0x0002
#endif

static void pool(unsigned int nr)
{
	if (!ckpt_huge_pages(nr))
		ckpt_skip("no huge pages");
}

static char pattern(long at)
{
	return at * 7 + at / 4099;
}

static void fill(char *p, long from, long to)
{
	for (long i = from; i < to; i++)
		p[i] = pattern(i);
}

static void is_filled(const char *p, long from, long to)
{
	for (long i = from; i < to; i++)
		NEED(p[i] == pattern(i));
}

static char *map(int fd, long size, int prot)
{
	int flags = MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS | MAP_HUGETLB : 0);
	char *p = mmap(NULL, size, prot, flags, fd, 0);

	NEED(p != MAP_FAILED);
	return p;
}

static int make_memfd(unsigned int flags, long size)
{
	int fd = memfd_create("huge", MFD_HUGETLB | flags);

	NEED(fd >= 0 && !ftruncate(fd, size));
	return fd;
}

CKPT_FIXTURE(hugetlb);

CKPT_TEST(hugetlb, memfd)
{
	char *p, *q;
	int fd;

	pool(8);
	fd = make_memfd(MFD_CLOEXEC, 4 * HUGE);
	p = map(fd, 4 * HUGE, PROT_READ | PROT_WRITE);
	q = map(fd, HUGE, PROT_READ);
	fill(p, 0, HUGE);
	/* One that is not there, and one of which only a part was used. */
	fill(p, 2 * HUGE + 5 * PAGE, 2 * HUGE + 7 * PAGE);
	ckpt_point();
	CHECK_EQ(ckpt_smaps(p, "Size:"), 4 * HUGE / 1024);
	CHECK_EQ(ckpt_smaps(p, "KernelPageSize:"), HUGE / 1024);
	is_filled(p, 0, HUGE);
	CHECK_EQ(p[HUGE], 0);
	CHECK_EQ(p[2 * HUGE], 0);
	is_filled(p, 2 * HUGE + 5 * PAGE, 2 * HUGE + 7 * PAGE);
	p[3] = 'x';
	CHECK_EQ(q[3], 'x');
	p[3 * HUGE] = 'y';
	CHECK_EQ(ftruncate(fd, HUGE + PAGE), -1);
	CHECK(!ftruncate(fd, 5 * HUGE));
}

CKPT_TEST(hugetlb, memfd_unmapped)
{
	char buf[PAGE];
	int fd;
	char *p;

	pool(8);
	fd = make_memfd(MFD_HUGE_2MB | MFD_ALLOW_SEALING, 2 * HUGE);
	p = map(fd, 2 * HUGE, PROT_READ | PROT_WRITE);
	fill(p, HUGE, HUGE + 3 * PAGE);
	NEED(!munmap(p, 2 * HUGE) && !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	ckpt_point();
	CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK);
	CHECK_EQ(pread(fd, buf, PAGE, HUGE + PAGE), PAGE);
	for (int i = 0; i < PAGE; i++)
		NEED(buf[i] == pattern(HUGE + PAGE + i));
	CHECK_EQ(ftruncate(fd, HUGE), -1);
}

CKPT_TEST(hugetlb, anonymous)
{
	char *p;

	pool(8);
	p = map(-1, 2 * HUGE, PROT_READ | PROT_WRITE);
	fill(p, 0, 100);
	fill(p, HUGE, 2 * HUGE);
	ckpt_point();
	CHECK_EQ(ckpt_smaps(p, "Size:"), 2 * HUGE / 1024);
	CHECK_EQ(ckpt_smaps(p, "KernelPageSize:"), HUGE / 1024);
	is_filled(p, 0, 100);
	is_filled(p, HUGE, 2 * HUGE);
	p[0] = 'z';
}

/* A process and its child. */
CKPT_TEST(hugetlb, processes)
{
	volatile char *p;
	pid_t pid;
	int status;

	pool(8);
	p = map(-1, HUGE, PROT_READ | PROT_WRITE);
	pid = fork();
	if (!pid) {
		for (p[0] = 1; p[1] != 2; ckpt_msleep(1))
			;
		p[2] = 3;
		_exit(0);
	}
	while (p[0] != 1)
		ckpt_msleep(1);
	ckpt_point();
	p[1] = 2;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(p[2], 3);
}

static char *map_private(int fd, long size)
{
	int flags = MAP_PRIVATE | (fd < 0 ? MAP_ANONYMOUS | MAP_HUGETLB : 0);
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	NEED(p != MAP_FAILED);
	return p;
}

CKPT_TEST(hugetlb, private)
{
	char *p;

	pool(8);
	p = map_private(-1, 4 * HUGE);
	fill(p, 0, HUGE);
	fill(p, 2 * HUGE + 5 * PAGE, 2 * HUGE + 7 * PAGE);
	ckpt_point();
	CHECK_EQ(ckpt_smaps(p, "Size:"), 4 * HUGE / 1024);
	CHECK_EQ(ckpt_smaps(p, "KernelPageSize:"), HUGE / 1024);
	CHECK_EQ(ckpt_smaps(p, "Private_Hugetlb:"), 2 * HUGE / 1024);
	is_filled(p, 0, HUGE);
	is_filled(p, 2 * HUGE + 5 * PAGE, 2 * HUGE + 7 * PAGE);
	CHECK_EQ(p[2 * HUGE], 0);
	CHECK_EQ(p[HUGE], 0);
	fill(p, 0, 4 * HUGE);
	is_filled(p, 0, 4 * HUGE);
}

/* Pages of its own, of the file's, and the file written to behind it. */
CKPT_TEST(hugetlb, private_memfd)
{
	char *p, *q;
	int fd;

	pool(8);
	fd = make_memfd(MFD_CLOEXEC, 3 * HUGE);
	p = map(fd, 3 * HUGE, PROT_READ | PROT_WRITE);
	q = map_private(fd, 3 * HUGE);
	fill(p, 0, 2 * HUGE);
	q[HUGE] = 'q';
	q[2 * HUGE + 3] = 'r';
	CHECK_EQ(q[0], p[0]);
	ckpt_point();
	is_filled(p, 0, 2 * HUGE);
	is_filled(q, 0, HUGE);
	CHECK_EQ(q[HUGE], 'q');
	CHECK_EQ(q[2 * HUGE + 3], 'r');
	is_filled(q, HUGE + 1, 2 * HUGE);
	p[HUGE] = 'p';
	p[0] = 'p';
	CHECK_EQ(q[HUGE], 'q');
	CHECK_EQ(q[0], 'p');
	CHECK_EQ(p[2 * HUGE + 3], 0);
}

/* What both had, and what one has written to since. */
CKPT_TEST(hugetlb, private_child)
{
	volatile char *shared = map(-1, PAGE, PROT_READ | PROT_WRITE), *p;
	pid_t pid;
	int status;

	pool(8);
	p = map_private(-1, HUGE);
	p[0] = 1;
	p[1] = 2;
	pid = fork();
	if (!pid) {
		p[0] = 3;
		shared[0] = 1;
		while (shared[0] != 2)
			ckpt_msleep(1);
		_exit(p[0] == 3 && p[1] == 2 ? 0 : 1);
	}
	while (shared[0] != 1)
		ckpt_msleep(1);
	ckpt_point();
	CHECK_EQ(p[0], 1);
	CHECK_EQ(p[1], 2);
	shared[0] = 2;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

CKPT_TEST(hugetlb, segment)
{
	struct shmid_ds ds;
	char *p, *q;
	int id;

	pool(8);
	/* There is more of it than was asked for. */
	id = shmget(IPC_PRIVATE, HUGE + 5000, SHM_HUGETLB | 0600);
	NEED(id >= 0);
	p = shmat(id, NULL, 0);
	q = shmat(id, NULL, SHM_RDONLY);
	NEED(p != (void *)-1 && q != (void *)-1);
	fill(p, 0, 2 * HUGE);
	ckpt_point();
	is_filled(p, 0, 2 * HUGE);
	p[9] = 's';
	CHECK_EQ(q[9], 's');
	CHECK(!shmctl(id, IPC_STAT, &ds));
	CHECK_EQ(ds.shm_segsz, HUGE + 5000);
	CHECK_EQ(ds.shm_nattch, 2);
	CHECK(!shmdt(p) && !shmdt(q));
	CHECK(!shmctl(id, IPC_RMID, NULL));
}

/* Where there are not as many huge pages. */

CKPT_FIXTURE_ONLY(fewer);
CKPT_VARIANT(fewer, killed, CKPT_KILLED);

static void has_two(char *p)
{
	fill(p, 0, 2 * HUGE);
	ckpt_ready();
	ckpt_wait();
	is_filled(p, 0, 2 * HUGE);
}

CKPT_TARGET(shared)
{
	pool(8);
	has_two(map(-1, 2 * HUGE, PROT_READ | PROT_WRITE));
}

CKPT_TARGET(private)
{
	pool(8);
	has_two(map_private(-1, 2 * HUGE));
}

static void fewer(struct __test_metadata *_metadata, struct ckpt_target *target,
		  const char *name, long error, const char *why)
{
	if (!ckpt_huge_pages(0))
		SKIP(return, "no huge pages");
	ASSERT_EQ(0, ckpt_start(target, name, CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	pool(1);
	EXPECT_EQ(-error, ckpt_restart(target, 0));
	EXPECT_NE(NULL, strstr(target->log, why)) {
		TH_LOG("\"%s\"", target->log);
	}
	pool(8);
	EXPECT_LT(0, ckpt_restart(target, 0));
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
	pool(0);
}

TEST_F(fewer, shared)
{
	fewer(_metadata, &self->target, "shared", ENOSPC,
	      "huge pages can't be had");
}

TEST_F(fewer, private)
{
	fewer(_metadata, &self->target, "private", ENOMEM, "can't be made");
}

CKPT_TEST_MAIN
