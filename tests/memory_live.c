// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that changes while it is being checkpointed. A target goes on for as long
 * as it is let, and knows at each step what it must find; it is checkpointed live,
 * killed and restarted from that a few times, at whatever step it is then. What is
 * in an image must be what was there at one moment.
 */
#define _GNU_SOURCE
#include "ckpt_test.h"

#include <pthread.h>

#define PAGE	4096UL
#define HUGE	(2UL << 20)
/* Enough to be duplicated before the target is stopped. */
#define PAGES	2048UL
#define SIZE	(PAGES * PAGE)
#define ROUNDS	4

#define RW	(PROT_READ | PROT_WRITE)

FIXTURE(memory_live) {
	struct ckpt_target target;
};

FIXTURE_SETUP(memory_live)
{
	memset(self, 0, sizeof(*self));
}

FIXTURE_TEARDOWN(memory_live)
{
	ckpt_clean(&self->target);
}

static int round_of(struct ckpt_target *target)
{
	ckpt_msleep(5 + random() % 60);
	if (ckpt_checkpoint(target, 0) <= 0)
		return -1;
	ckpt_kill(target);
	return ckpt_restart(target, 0) > 0 ? 0 : -1;
}

static int rounds_of(struct ckpt_target *target, const char *name)
{
	if (ckpt_start(target, name, CKPT_NEVER) || ckpt_wait_ready(target))
		return -1;
	for (int i = 0; i < ROUNDS; i++)
		if (round_of(target))
			return -1;
	if (ckpt_go(target))
		return -1;
	return ckpt_end(target);
}

#define LIVE_TEST(name)							\
	TEST_F_TIMEOUT(memory_live, name, 200)				\
	{								\
		int status = rounds_of(&self->target, #name);		\
									\
		if (status == KSFT_SKIP)				\
			SKIP(return, "%s", self->target.log);		\
		EXPECT_EQ(0, status) {					\
			TH_LOG("%s", self->target.log);			\
		}							\
	}								\
	CKPT_TARGET(name)

static char *get(size_t size)
{
	char *p = mmap(NULL, size, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(p != MAP_FAILED);
	return p;
}

static unsigned long *word(char *memory, unsigned long page)
{
	return (unsigned long *)(memory + page * PAGE);
}

static void fill(char *memory, unsigned long from, unsigned long to,
		 unsigned long value)
{
	for (unsigned long i = from; i < to; i++)
		*word(memory, i) = value + i;
}

static void check(char *memory, unsigned long from, unsigned long to,
		  unsigned long value)
{
	for (unsigned long i = from; i < to; i++)
		if (!CHECK_EQ(*word(memory, i), value ? value + i : 0))
			_exit(KSFT_FAIL);
}

/* Each page in turn: those before have the new number, those behind the old. */
static void write_all(char *memory, unsigned long pages)
{
	unsigned long nr = 0;

	ckpt_ready();
	do {
		nr++;
		for (unsigned long i = 0; i < pages; i++) {
			NEED(*word(memory, i) == nr - 1);
			*word(memory, i) = nr;
		}
	} while (!ckpt_gone());
}

LIVE_TEST(written)
{
	write_all(get(SIZE), PAGES);
}

LIVE_TEST(written_huge)
{
	char *memory = get(SIZE + HUGE);

	memory += -(unsigned long)memory & (HUGE - 1);
	madvise(memory, SIZE, MADV_HUGEPAGE);
	write_all(memory, PAGES);
}

/* What does not change comes from before the stop, what does from after it. */
LIVE_TEST(written_in_part)
{
	char *memory = get(SIZE);

	fill(memory, 0, PAGES - 16, 1);
	write_all(memory + (PAGES - 16) * PAGE, 16);
	check(memory, 0, PAGES - 16, 1);
}

static void *write_thread(void *memory)
{
	write_all(memory, PAGES / 2);
	return NULL;
}

LIVE_TEST(threads)
{
	char *memory = get(SIZE);
	pthread_t thread;

	NEED(!pthread_create(&thread, NULL, write_thread, memory));
	write_all(memory + SIZE / 2, PAGES / 2);
	pthread_join(thread, NULL);
}

LIVE_TEST(grown_and_shrunk)
{
	char *memory = get(2 * SIZE);
	unsigned long pages = PAGES;

	munmap(memory + SIZE, SIZE);
	fill(memory, 0, PAGES, 1);
	ckpt_ready();
	do {
		memory = mremap(memory, pages * PAGE, (pages + 256) * PAGE,
				MREMAP_MAYMOVE);
		NEED(memory != MAP_FAILED);
		check(memory, pages, pages + 256, 0);
		fill(memory, pages, pages + 256, 1);
		pages += 256;
		if (pages < 2 * PAGES)
			continue;
		check(memory, 0, pages, 1);
		munmap(memory + SIZE, (pages - PAGES) * PAGE);
		pages = PAGES;
	} while (!ckpt_gone());
	check(memory, 0, pages, 1);
}

LIVE_TEST(heap)
{
	char *start = sbrk(0), *top;
	unsigned long pages;

	start += -(unsigned long)start & (PAGE - 1);
	NEED(!brk(start + SIZE));
	fill(start, 0, PAGES, 1);
	ckpt_ready();
	do {
		for (pages = PAGES; pages < PAGES + 1024; pages += 64) {
			top = start + (pages + 64) * PAGE;
			NEED(!brk(top));
			check(start, pages, pages + 64, 0);
			fill(start, pages, pages + 64, 1);
		}
		check(start, 0, pages, 1);
		NEED(!brk(start + SIZE));
	} while (!ckpt_gone());
	check(start, 0, PAGES, 1);
}

/* A hole that opens and closes elsewhere each time, what was in it is zero. */
LIVE_TEST(unmapped)
{
	char *memory = get(SIZE), *hole;
	unsigned long from = 0;

	fill(memory, 0, PAGES, 1);
	ckpt_ready();
	do {
		hole = memory + from * PAGE;
		NEED(!munmap(hole, 64 * PAGE));
		NEED(mmap(hole, 64 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS |
			  MAP_FIXED, -1, 0) == hole);
		check(memory, from, from + 64, 0);
		fill(memory, from, from + 64, 1);
		from = (from + 192) % (PAGES - 64);
	} while (!ckpt_gone());
	check(memory, 0, PAGES, 1);
}

LIVE_TEST(forgotten)
{
	char *memory = get(SIZE);
	unsigned long from = 0;

	fill(memory, 0, PAGES, 1);
	ckpt_ready();
	do {
		NEED(!madvise(memory + from * PAGE, 96 * PAGE, MADV_DONTNEED));
		check(memory, from, from + 96, 0);
		fill(memory, from, from + 96, 1);
		from = (from + 224) % (PAGES - 96);
	} while (!ckpt_gone());
	check(memory, 0, PAGES, 1);
}

LIVE_TEST(protected)
{
	char *memory = get(SIZE);
	unsigned long from = 0;

	fill(memory, 0, PAGES, 1);
	ckpt_ready();
	do {
		NEED(!mprotect(memory + from * PAGE, 128 * PAGE, PROT_READ));
		check(memory, from, from + 128, 1);
		NEED(!mprotect(memory + from * PAGE, 128 * PAGE, RW));
		fill(memory, from, from + 128, 1);
		from = (from + 160) % (PAGES - 128);
	} while (!ckpt_gone());
	check(memory, 0, PAGES, 1);
}

/* Two mappings change places, so that each has what the other had. */
LIVE_TEST(moved)
{
	char *one = get(SIZE), *other = get(SIZE), *third = get(SIZE), *was;

	fill(one, 0, PAGES, 1);
	fill(other, 0, PAGES, PAGES + 1);
	ckpt_ready();
	do {
		was = third;
		NEED(mremap(one, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
			    third) == third);
		third = one;
		NEED(mmap(third, SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS |
			  MAP_FIXED, -1, 0) == third);
		one = other;
		other = was;
		check(one, 0, 16, *word(one, 0));
		check(other, PAGES - 16, PAGES, *word(other, 0));
		check(third, 0, 16, 0);
	} while (!ckpt_gone());
	check(one, 0, PAGES, *word(one, 0));
	check(other, 0, PAGES, *word(other, 0));
	CHECK(*word(one, 0) != *word(other, 0));
}

/* A child that shares all of it writes, and its parent does. */
LIVE_TEST(forked)
{
	char *memory = get(SIZE);
	unsigned long nr = 0;
	int status;
	pid_t pid;

	ckpt_ready();
	do {
		nr += PAGES;
		fill(memory, 0, PAGES, nr);
		pid = fork();
		NEED(pid >= 0);
		if (!pid) {
			check(memory, 0, PAGES, nr);
			fill(memory, 0, PAGES, 1);
			check(memory, 0, PAGES, 1);
			_exit(0);
		}
		check(memory, 0, PAGES, nr);
		NEED(waitpid(pid, &status, 0) == pid);
		CHECK_EQ(status, 0);
	} while (!ckpt_gone());
}

/* Much room and little in it: what is empty takes no time. */
LIVE_TEST(sparse)
{
	size_t size = 1UL << 40;
	char *memory = mmap(NULL, size, RW, MAP_PRIVATE | MAP_ANONYMOUS |
			    MAP_NORESERVE, -1, 0);

	NEED(memory != MAP_FAILED);
	fill(memory + size / 2, 0, PAGES, 1);
	*memory = 1;
	memory[size - 1] = 2;
	write_all(memory + size / 4, 16);
	check(memory + size / 2, 0, PAGES, 1);
	CHECK_EQ(*memory, 1);
	CHECK_EQ(memory[size - 1], 2);
}

/* Shared memory */

static char *get_shared(int fd)
{
	char *p = mmap(NULL, SIZE, RW, MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0),
		       fd, 0);

	NEED(p != MAP_FAILED);
	return p;
}

LIVE_TEST(shared)
{
	write_all(get_shared(-1), PAGES);
}

LIVE_TEST(shared_in_part)
{
	char *memory = get_shared(-1);

	fill(memory, 0, PAGES - 16, 1);
	write_all(memory + (PAGES - 16) * PAGE, 16);
	check(memory, 0, PAGES - 16, 1);
}

/* Parent and child, each of which has it mapped elsewhere. */
LIVE_TEST(shared_by_two)
{
	int fd = memfd_create("shared", 0);
	int status;
	pid_t pid;

	NEED(fd >= 0 && !ftruncate(fd, SIZE));
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		write_all(get_shared(fd), PAGES / 2);
		_exit(0);
	}
	write_all(get_shared(fd) + SIZE / 2, PAGES / 2);
	NEED(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
}

/* By the kernel, which leaves no trace in a page table. */
LIVE_TEST(shared_by_calls)
{
	int fd = memfd_create("shared", 0);
	unsigned long nr = 0, was;
	char *memory;

	NEED(fd >= 0 && !ftruncate(fd, SIZE));
	memory = get_shared(fd);
	for (unsigned long i = 0; i < PAGES; i++)
		NEED(pwrite(fd, &nr, sizeof(nr), i * PAGE) == sizeof(nr));
	/* What nobody has touched is not copied ahead. */
	check(memory, 0, PAGES, 0);
	ckpt_ready();
	do {
		nr++;
		for (unsigned long i = 0; i < PAGES; i++) {
			NEED(pread(fd, &was, sizeof(was), i * PAGE) ==
			     sizeof(was));
			if (!CHECK_EQ(was, nr - 1))
				_exit(KSFT_FAIL);
			NEED(pwrite(fd, &nr, sizeof(nr), i * PAGE) ==
			     sizeof(nr));
		}
	} while (!ckpt_gone());
}

LIVE_TEST(shared_punched)
{
	int fd = memfd_create("shared", 0);
	char *memory;
	unsigned long from = 0;

	NEED(fd >= 0 && !ftruncate(fd, SIZE));
	memory = get_shared(fd);
	fill(memory, 0, PAGES, 1);
	ckpt_ready();
	do {
		NEED(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				from * PAGE, 96 * PAGE));
		check(memory, from, from + 96, 0);
		fill(memory, from, from + 96, 1);
		from = (from + 224) % (PAGES - 96);
	} while (!ckpt_gone());
	check(memory, 0, PAGES, 1);
}

CKPT_TEST_MAIN
