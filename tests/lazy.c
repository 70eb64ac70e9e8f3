// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that a restart leaves in the image until it is touched: to the process
 * it is the anonymous memory that it was, whatever is done to it.
 */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <pthread.h>
#include <sys/resource.h>

#define PAGE		4096UL
#define PAGES		1024UL
#define LEN		(PAGES * PAGE)
#define RW		(PROT_READ | PROT_WRITE)

#ifndef MADV_FREE
#define MADV_FREE	8
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#define POPULATE_READ	22
#define POPULATE_WRITE	23
#define DONTNEED_LOCKED	24

CKPT_FIXTURE(lazy);

/* By the place that a page had when it was filled, which goes with it. */
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

static char *map_at(void *addr, size_t len, int flags)
{
	char *p = mmap(addr, len, RW, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1,
		       0);

	NEED(p != MAP_FAILED);
	return p;
}

/* All of it filled, and room above that nobody else takes. */
static char *make(void)
{
	char *p = map_at(NULL, 4 * LEN, MAP_NORESERVE);

	NEED(!munmap(p, 4 * LEN));
	NEED(map_at(p + LEN, LEN, MAP_FIXED) == p + LEN);
	fill(p + LEN, 0, PAGES);
	return p + LEN;
}

/* It is in the image; not so where the image was still being written to. */
static bool is_lazy(const char *p)
{
	if (ckpt_mode != CKPT_KILLED && ckpt_mode != CKPT_BECOME)
		return false;
	return CHECK_EQ(ckpt_smaps(p, "Rss:"), 0);
}

/* In a child; returns whether all was well there. */
static bool in_child(void (*fn)(char *p), char *p)
{
	pid_t pid = fork();
	int status;

	NEED(pid >= 0);
	if (!pid) {
		fn(p);
		fflush(NULL);
		_exit(0);
	}
	return waitpid(pid, &status, 0) == pid && !status;
}

#define CHILD(condition)						\
	do {								\
		if (!CHECK(condition))					\
			_exit(1);					\
	} while (0)

CKPT_TEST(lazy, read_and_write)
{
	char *p = make();

	memset(p + 10 * PAGE, 0, 5 * PAGE);
	CHECK(!madvise(p + 20 * PAGE, 5 * PAGE, MADV_DONTNEED));
	ckpt_point();
	is_lazy(p);
	CHECK(filled(p, 500, 501));
	fill(p, 600, 601);
	CHECK(filled(p, 0, 10));
	CHECK(zero(p, 10, 15));
	CHECK(filled(p, 15, 20));
	CHECK(zero(p, 20, 25));
	CHECK(filled(p, 25, PAGES));
	fill(p, 0, PAGES);
	CHECK(filled(p, 0, PAGES));
	CHECK(!munmap(p, LEN));
}

/* Written to where nothing had been, before anything was read. */
CKPT_TEST(lazy, holes)
{
	char *p = make();

	CHECK(!madvise(p, 512 * PAGE, MADV_DONTNEED));
	ckpt_point();
	p[7 * PAGE + 5] = 1;
	CHECK(zero(p, 0, 7));
	CHECK_EQ(p[7 * PAGE + 5], 1);
	p[7 * PAGE + 5] = 0;
	CHECK(zero(p, 7, 512));
	CHECK(filled(p, 512, PAGES));
}

/* Every other page: runs of one page. */
CKPT_TEST(lazy, sparse)
{
	char *p = map_at(NULL, 2 * LEN, 0);

	for (size_t i = 0; i < 2 * PAGES; i += 2)
		fill(p, i, i + 1);
	ckpt_point();
	is_lazy(p);
	for (size_t i = 0; i < 2 * PAGES; i += 2) {
		CHECK(filled(p, i, i + 1));
		CHECK(zero(p, i + 1, i + 2));
	}
}

static long faults(void)
{
	struct rusage usage;

	NEED(!getrusage(RUSAGE_SELF, &usage));
	return usage.ru_minflt;
}

static void read_pages(const char *p, size_t from, size_t to)
{
	for (; from < to; from++)
		(void)*(const volatile char *)(p + from * PAGE);
}

/* From one end to the other: of 16 pages a fault, that would be 64 faults. */
CKPT_TEST(lazy, read_on)
{
	char *p = make();
	long before;
	bool lazy;

	ckpt_point();
	lazy = is_lazy(p);
	before = faults();
	read_pages(p, 0, PAGES);
	if (lazy)
		CHECK(faults() - before <= 3 * 8);
	CHECK(filled(p, 0, PAGES));
}

/* Neither does who reads here and there get more, nor is anything passed over. */
CKPT_TEST(lazy, read_here_and_there)
{
	char *p = make();
	bool lazy;

	ckpt_point();
	lazy = is_lazy(p);
	for (size_t i = 0; i < PAGES; i += 128)
		read_pages(p, i, i + 1);
	if (lazy)
		CHECK(ckpt_smaps(p, "Rss:") <= (long)PAGES / 128 * 64);
	fill(p, 40, 41);
	memset(p + 70 * PAGE, 0, PAGE);
	CHECK(!madvise(p + 90 * PAGE, PAGE, MADV_DONTNEED));
	read_pages(p, 0, PAGES);
	CHECK(filled(p, 0, 70));
	CHECK(zero(p, 70, 71));
	CHECK(filled(p, 71, 90));
	CHECK(zero(p, 90, 91));
	CHECK(filled(p, 91, PAGES));
}

/* Who said that it would is not given more. */
CKPT_TEST(lazy, read_at_random)
{
	char *p = make();
	long before;
	bool lazy;

	NEED(!madvise(p, LEN, MADV_RANDOM));
	ckpt_point();
	lazy = is_lazy(p);
	before = faults();
	read_pages(p, 0, PAGES);
	if (lazy)
		CHECK(faults() - before >= (long)PAGES / 16);
	CHECK(filled(p, 0, PAGES));
}

/* More than a program has in /proc/PID/maps is seen by nobody. */
CKPT_TEST(lazy, maps)
{
	static struct ckpt_proc before;
	char *p = make();

	ckpt_proc_note(&before);
	ckpt_point();
	CHECK_PROC(&before);
	CHECK(filled(p, 0, PAGES));
	CHECK_PROC(&before);
}

static void child_writes(char *p)
{
	CHILD(zero(p, 0, 10));
	CHILD(filled(p, 10, 20));
	fill(p, 0, 10);
	memset(p + 20 * PAGE, 0, 10 * PAGE);
	CHILD(!madvise(p + 30 * PAGE, 10 * PAGE, MADV_DONTNEED));
	CHILD(filled(p, 0, 20));
	CHILD(zero(p, 20, 40));
	CHILD(filled(p, 40, PAGES));
}

CKPT_TEST(lazy, fork)
{
	char *p = make();

	ckpt_point();
	is_lazy(p);
	CHECK(!madvise(p, 10 * PAGE, MADV_DONTNEED));
	CHECK(in_child(child_writes, p));
	CHECK(zero(p, 0, 10));
	CHECK(filled(p, 10, PAGES));
	CHECK(in_child(child_writes, p));
}

/* Never touched, read, and written to. */
CKPT_TEST(lazy, dontneed)
{
	char *p = make();

	ckpt_point();
	is_lazy(p);
	CHECK(filled(p, 100, 200));
	fill(p, 200, 300);
	CHECK(!madvise(p + 50 * PAGE, 200 * PAGE, MADV_DONTNEED));
	CHECK(filled(p, 0, 50));
	CHECK(zero(p, 50, 250));
	CHECK(filled(p, 250, PAGES));
	fill(p, 50, 100);
	CHECK(filled(p, 0, 100));
	CHECK(zero(p, 100, 250));
	CHECK(!madvise(p, LEN, MADV_DONTNEED));
	CHECK(zero(p, 0, PAGES));
}

CKPT_TEST(lazy, free)
{
	char *p = make();

	ckpt_point();
	CHECK(filled(p, 100, 200));
	fill(p, 200, 300);
	CHECK(!madvise(p, LEN, MADV_FREE));
	for (size_t i = 0; i < PAGES; i++)
		if (!zero(p, i, i + 1) && !CHECK(filled(p, i, i + 1)))
			break;
	fill(p, 0, PAGES);
	CHECK(filled(p, 0, PAGES));
}

CKPT_TEST(lazy, moved)
{
	char *p = make(), *q = p + 2 * LEN;

	ckpt_point();
	is_lazy(p);
	fill(p, 20, 21);
	CHECK(!madvise(p + 21 * PAGE, PAGE, MADV_DONTNEED));
	NEED(mremap(p + 10 * PAGE, 100 * PAGE, 100 * PAGE,
		    MREMAP_MAYMOVE | MREMAP_FIXED, q) == q);
	CHECK(filled(q - 10 * PAGE, 10, 21));
	CHECK(zero(q - 10 * PAGE, 21, 22));
	CHECK(filled(q - 10 * PAGE, 22, 110));
	CHECK(filled(p, 0, 10));
	/* What is mapped in its place has nothing of it. */
	NEED(map_at(p + 10 * PAGE, 100 * PAGE, MAP_FIXED));
	CHECK(zero(p, 10, 110));
	CHECK(filled(p, 110, PAGES));
}

static void child_sees_nothing(char *p)
{
	CHILD(zero(p, 0, 512));
}

CKPT_TEST(lazy, moved_and_left)
{
	char *p = make(), *q = p + 2 * LEN;

	ckpt_point();
	fill(p, 20, 21);
	NEED(mremap(p, 256 * PAGE, 256 * PAGE,
		    MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, q) == q);
	NEED(mremap(p + 256 * PAGE, 256 * PAGE, 256 * PAGE,
		    MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
		    q + 256 * PAGE) == q + 256 * PAGE);
	CHECK(filled(q, 0, 512));
	CHECK(in_child(child_sees_nothing, p));
	CHECK(zero(p, 0, 512));
	CHECK(filled(p, 512, PAGES));
	fill(p, 0, PAGES);
	CHECK(filled(p, 0, PAGES));
	/* And now the whole, however many mappings that is. */
	NEED(!munmap(q, 512 * PAGE));
	NEED(mremap(p, 512 * PAGE, 512 * PAGE,
		    MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, q) == q);
	CHECK(zero(p, 0, 512));
}

CKPT_TEST(lazy, all_moved_and_left)
{
	char *p = make(), *q = p + LEN;

	ckpt_point();
	is_lazy(p);
	NEED(mremap(p, LEN, LEN,
		    MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, q) == q);
	CHECK(zero(p, 0, PAGES));
	CHECK(in_child(child_sees_nothing, p));
	CHECK(filled(q, 0, PAGES));
	fill(p, 0, PAGES);
	CHECK(filled(p, 0, PAGES));
}

/* Cut and grown again, where it is: what was cut off does not come back. */
CKPT_TEST(lazy, shrunk_and_grown)
{
	char *p = make();

	ckpt_point();
	is_lazy(p);
	NEED(mremap(p, LEN, 100 * PAGE, 0) == p);
	NEED(mremap(p, 100 * PAGE, LEN, 0) == p);
	CHECK(zero(p, 100, PAGES));
	CHECK(filled(p, 0, 100));
	NEED(mremap(p, LEN, 2 * LEN, 0) == p);
	CHECK(zero(p, 100, 2 * PAGES));
	fill(p, 0, 2 * PAGES);
	CHECK(filled(p, 0, 2 * PAGES));
}

CKPT_TEST(lazy, grown_elsewhere)
{
	char *p = make(), *q;

	ckpt_point();
	NEED(!munmap(p + 200 * PAGE, LEN - 200 * PAGE));
	NEED(map_at(p + 200 * PAGE, PAGE, MAP_FIXED));
	q = mremap(p, 200 * PAGE, 400 * PAGE, MREMAP_MAYMOVE);
	NEED(q != MAP_FAILED && q != p);
	CHECK(filled(q, 0, 200));
	CHECK(zero(q, 200, 400));
}

/* Two that lie side by side, of which one takes the place of the other. */
CKPT_TEST(lazy, neighbours)
{
	char *p = make();

	CHECK(!mprotect(p + 512 * PAGE, 512 * PAGE, PROT_READ));
	ckpt_point();
	CHECK(!munmap(p + 512 * PAGE, 512 * PAGE));
	NEED(mremap(p, 512 * PAGE, LEN, 0) == p);
	CHECK(filled(p, 0, 512));
	CHECK(zero(p, 512, PAGES));
}

CKPT_TEST(lazy, unmapped_and_mapped)
{
	char *p = make();

	ckpt_point();
	CHECK(!munmap(p + 100 * PAGE, 100 * PAGE));
	NEED(map_at(p + 100 * PAGE, 100 * PAGE, MAP_FIXED));
	NEED(map_at(p + 300 * PAGE, 100 * PAGE, MAP_FIXED));
	NEED(map_at(p + LEN, LEN, MAP_FIXED));
	CHECK(filled(p, 0, 100));
	CHECK(zero(p, 100, 200));
	CHECK(filled(p, 200, 300));
	CHECK(zero(p, 300, 400));
	CHECK(filled(p, 400, PAGES));
	CHECK(zero(p, PAGES, 2 * PAGES));
}

CKPT_TEST(lazy, protected)
{
	char *p = make();

	ckpt_point();
	fill(p, 110, 120);
	CHECK(!mprotect(p + 100 * PAGE, 100 * PAGE, PROT_NONE));
	CHECK(!mprotect(p + 150 * PAGE, 100 * PAGE, PROT_READ));
	CHECK(filled(p, 150, 300));
	CHECK(!mprotect(p, LEN, RW));
	CHECK(filled(p, 0, PAGES));
	fill(p, 0, PAGES);
	CHECK_EQ(ckpt_mappings(p, LEN), 1);
}

CKPT_TEST(lazy, heap)
{
	char *p = sbrk(0);

	p += -(uintptr_t)p % PAGE;
	NEED(!brk(p + LEN));
	fill(p, 0, PAGES);
	ckpt_point();
	CHECK(sbrk(0) == p + LEN);
	CHECK(filled(p, 0, 100));
	CHECK(!brk(p + LEN + 10 * PAGE));
	CHECK(zero(p, PAGES, PAGES + 10));
	CHECK(!brk(p + LEN / 2));
	CHECK(!brk(p + LEN));
	CHECK(zero(p, PAGES / 2, PAGES));
	CHECK(filled(p, 0, PAGES / 2));
	CHECK(!brk(p));
	CHECK(!brk(p + LEN));
	CHECK(zero(p, 0, PAGES));
}

CKPT_TEST(lazy, locked_later)
{
	char *p = make();

	ckpt_point();
	is_lazy(p);
	CHECK(!madvise(p, 10 * PAGE, MADV_DONTNEED));
	CHECK(!mlock(p, 256 * PAGE));
	CHECK_EQ(ckpt_smaps(p, "Locked:"), 1024);
	CHECK(!syscall(SYS_mlock2, p + 512 * PAGE, 256 * PAGE,
		       MLOCK_ONFAULT));
	CHECK(zero(p, 0, 10));
	CHECK(filled(p, 10, PAGES));
	errno = 0;
	CHECK(madvise(p, PAGE, MADV_DONTNEED) && errno == EINVAL);
	if (!madvise(p, 20 * PAGE, DONTNEED_LOCKED))
		CHECK(zero(p, 0, 20));
	CHECK(!munlock(p, LEN));
	CHECK(filled(p, 20, PAGES));
	CHECK(!mlockall(MCL_CURRENT));
	CHECK(!munlockall());
	CHECK(filled(p, 20, PAGES));
}

/* What was locked is read at once. */
CKPT_TEST(lazy, locked_before)
{
	char *p = make();

	CHECK(!mlock(p, LEN));
	ckpt_point();
	CHECK_EQ(ckpt_smaps(p, "Locked:"), LEN / 1024);
	CHECK(filled(p, 0, PAGES));
}

CKPT_TEST(lazy, advised)
{
	static const int advice[] = {
		MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED, MADV_RANDOM,
		MADV_SEQUENTIAL, MADV_NORMAL, MADV_DONTDUMP, MADV_DODUMP,
		MADV_DONTFORK, MADV_DOFORK, MADV_MERGEABLE, MADV_UNMERGEABLE,
		MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_KEEPONFORK, POPULATE_READ,
		POPULATE_WRITE,
	};
	char *p = make();

	ckpt_point();
	is_lazy(p);
	fill(p, 100, 200);
	for (size_t i = 0; i < sizeof(advice) / sizeof(*advice); i++) {
		size_t at = 7 * i * PAGE;

		if (!CHECK(!madvise(p + at, 300 * PAGE, advice[i])))
			ckpt_fail(__FILE__, __LINE__, "advice %d", advice[i]);
		CHECK(filled(p, 7 * i, 7 * i + 10));
	}
	errno = 0;
	CHECK(madvise(p, LEN, MADV_REMOVE) && errno == EINVAL);
	CHECK(filled(p, 0, PAGES));
}

CKPT_TEST(lazy, wiped_on_fork)
{
	char *p = make();

	ckpt_point();
	is_lazy(p);
	CHECK(filled(p, 5, 6));
	CHECK(!madvise(p, 512 * PAGE, MADV_WIPEONFORK));
	CHECK(in_child(child_sees_nothing, p));
	CHECK(filled(p, 0, PAGES));
}

/* Collapsed into huge pages, or not: that is all one. */
CKPT_TEST(lazy, huge)
{
	char *p = make();

	ckpt_point();
	CHECK(!madvise(p, LEN, MADV_HUGEPAGE));
	CHECK(!madvise(p + 300 * PAGE, 300 * PAGE, MADV_DONTNEED));
	madvise(p, LEN, 25 /* MADV_COLLAPSE */);
	CHECK(filled(p, 0, 300));
	CHECK(zero(p, 300, 600));
	CHECK(filled(p, 600, PAGES));
}

/* System calls that read from there, and write to there. */
CKPT_TEST(lazy, by_system_calls)
{
	char *p = make();
	int fds[2], fd;

	ckpt_point();
	is_lazy(p);
	NEED(!pipe(fds));
	NEED(write(fds[1], p + 100 * PAGE, 2 * PAGE) == 2 * PAGE);
	NEED(read(fds[0], p + 200 * PAGE, PAGE) == PAGE);
	NEED(read(fds[0], p + 300 * PAGE, PAGE) == PAGE);
	CHECK(!memcmp(p + 200 * PAGE, p + 100 * PAGE, PAGE));
	CHECK(!memcmp(p + 300 * PAGE, p + 101 * PAGE, PAGE));
	fill(p, 200, 201);
	fill(p, 300, 301);
	fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	NEED(fd >= 0);
	NEED(pread(fd, p, PAGE, (uintptr_t)p + 400 * PAGE) == PAGE);
	CHECK(!memcmp(p, p + 400 * PAGE, PAGE));
	NEED(pwrite(fd, p, PAGE, (uintptr_t)p + 401 * PAGE) == PAGE);
	CHECK(!memcmp(p + 401 * PAGE, p, PAGE));
	fill(p, 0, 1);
	fill(p, 401, 402);
	CHECK(filled(p, 0, PAGES));
}

static void *reads_odd_pages(void *arg)
{
	char *p = arg;

	for (size_t i = 1; i < PAGES; i += 2)
		if (*(volatile __u64 *)(p + i * PAGE) != word(i, 0))
			return p;
	return NULL;
}

/* Pages in between are read meanwhile, which brings neighbours in. */
CKPT_TEST(lazy, dropped_while_read)
{
	char *p = make();
	pthread_t thread;
	void *bad = p;

	ckpt_point();
	is_lazy(p);
	NEED(!pthread_create(&thread, NULL, reads_odd_pages, p));
	for (size_t i = 0; i < PAGES; i += 2)
		CHECK(!madvise(p + i * PAGE, PAGE, MADV_DONTNEED));
	NEED(!pthread_join(thread, &bad));
	CHECK(!bad);
	for (size_t i = 0; i < PAGES; i += 2) {
		CHECK(zero(p, i, i + 1));
		CHECK(filled(p, i + 1, i + 2));
	}
}

CKPT_TEST_MAIN
