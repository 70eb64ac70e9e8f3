// SPDX-License-Identifier: GPL-2.0-only
/* Memory: what is in it, and that it goes on as it was. */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <sys/auxv.h>

#define PAGE		4096UL
#define HUGE		(2UL << 20)

/* What a word of memory is to be: different everywhere, and never 0. */
static __u64 pattern(const void *addr, __u64 seed)
{
	__u64 x = (uintptr_t)addr + seed * 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 31)) * 0xbf58476d1ce4e5b9ULL;
	return x | 1;
}

static void fill(void *start, size_t len, __u64 seed)
{
	__u64 *p = start;

	for (; p < (__u64 *)(start + len); p++)
		*p = pattern(p, seed);
}

static bool filled(const void *start, size_t len, __u64 seed)
{
	const __u64 *p = start;

	for (; p < (const __u64 *)(start + len); p++)
		if (*p != pattern(p, seed))
			return false;
	return true;
}

static bool zero(const void *start, size_t len)
{
	const __u64 *p = start;

	for (; p < (const __u64 *)(start + len); p++)
		if (*p)
			return false;
	return true;
}

static void *map(size_t len, int prot, int flags)
{
	void *p = mmap(NULL, len, prot, flags, -1, 0);

	NEED(p != MAP_FAILED);
	return p;
}

static void *map_anon(size_t len)
{
	return map(len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
}

/* A file of so many bytes, each page with a pattern of its own. */
static int make_file(const char *name, size_t len)
{
	int fd = open(name, O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0700);
	__u64 page[PAGE / 8];

	NEED(fd >= 0);
	for (size_t i = 0; i < len; i += PAGE) {
		for (size_t j = 0; j < PAGE / 8; j++)
			page[j] = i + j + 1;
		NEED(write(fd, page, PAGE) == (ssize_t)PAGE);
	}
	NEED(!ftruncate(fd, len));
	return fd;
}

static bool file_page(const __u64 *p, size_t offset)
{
	for (size_t j = 0; j < PAGE / 8; j++)
		if (p[j] != offset + j + 1)
			return false;
	return true;
}

static void *map_file(const char *name, size_t len, int prot, int flags)
{
	int fd = make_file(name, len);
	void *p = mmap(NULL, len, prot, flags, fd, 0);

	NEED(p != MAP_FAILED);
	close(fd);
	return p;
}

CKPT_FIXTURE(memory);

CKPT_TEST(memory, anonymous)
{
	size_t len = 300 * PAGE;
	char *p = map_anon(len);

	fill(p, len, 1);
	ckpt_point();
	CHECK(filled(p, len, 1));
	fill(p, len, 2);
	CHECK(filled(p, len, 2));
	CHECK(!munmap(p, len));
}

CKPT_TEST(memory, sparse)
{
	size_t len = 4096 * PAGE;
	char *p = map_anon(len);

	for (size_t i = 0; i < len; i += 97 * PAGE)
		fill(p + i, PAGE, i);
	ckpt_point();
	for (size_t i = 0; i < len; i += 97 * PAGE) {
		CHECK(filled(p + i, PAGE, i));
		CHECK(zero(p + i + PAGE, PAGE));
	}
}

/* What was a zero page, or became one, is zero and can be written. */
CKPT_TEST(memory, zero_pages)
{
	char *p = map_anon(64 * PAGE);

	fill(p, 16 * PAGE, 1);
	memset(p, 0, 8 * PAGE);
	CHECK(zero(p + 32 * PAGE, PAGE));
	CHECK(!madvise(p + 12 * PAGE, PAGE, MADV_DONTNEED));
	ckpt_point();
	CHECK(zero(p, 8 * PAGE));
	CHECK(filled(p + 8 * PAGE, 4 * PAGE, 1));
	CHECK(zero(p + 12 * PAGE, PAGE));
	CHECK(filled(p + 13 * PAGE, 3 * PAGE, 1));
	CHECK(zero(p + 16 * PAGE, 48 * PAGE));
	fill(p, 64 * PAGE, 3);
	CHECK(filled(p, 64 * PAGE, 3));
}

CKPT_TEST(memory, heap_grows)
{
	char *start = sbrk(0), *end;

	NEED(sbrk(10 * PAGE + 24) == start);
	end = start + 10 * PAGE + 24;
	fill(start, 10 * PAGE, 1);
	ckpt_point();
	CHECK(sbrk(0) == end);
	CHECK(filled(start, 10 * PAGE, 1));
	CHECK(sbrk(100 * PAGE) == end);
	CHECK(zero(end, 100 * PAGE));
	fill(start, 110 * PAGE, 2);
	CHECK(filled(start, 110 * PAGE, 2));
	CHECK(sbrk(-105 * (long)PAGE) == end + 100 * PAGE);
	CHECK(filled(start, 5 * PAGE, 2));
}

static __attribute__((noinline)) __u64 deeper(int depth)
{
	volatile __u64 page[PAGE / 8];

	page[0] = depth;
	page[PAGE / 8 - 1] = depth ? deeper(depth - 1) : 0;
	return page[0] + page[PAGE / 8 - 1];
}

CKPT_TEST(memory, stack_grows)
{
	__u64 here[64];

	fill(here, sizeof(here), 1);
	CHECK(deeper(8) == 8 * 9 / 2);
	ckpt_point();
	CHECK(filled(here, sizeof(here), 1));
	CHECK(deeper(500) == 500 * 501 / 2);
	CHECK(filled(here, sizeof(here), 1));
}

CKPT_TEST(memory, grows_down)
{
	size_t gap = 300 * PAGE;
	char *all = map(gap + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS);
	char *p;

	NEED(!munmap(all, gap + 2 * PAGE));
	p = mmap(all + gap, 2 * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	NEED(p == all + gap);
	fill(p, 2 * PAGE, 1);
	ckpt_point();
	CHECK(filled(p, 2 * PAGE, 1));
	CHECK(ckpt_vm_flag(p, "gd"));
	fill(p - 8 * PAGE, 8 * PAGE, 2);
	CHECK(filled(p - 8 * PAGE, 8 * PAGE, 2));
}

CKPT_TEST(memory, file_private)
{
	char *p = map_file("file", 8 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE);

	fill(p + PAGE, PAGE, 1);
	memset(p + 3 * PAGE, 0, PAGE);
	fill(p + 7 * PAGE, PAGE, 2);
	ckpt_point();
	CHECK(file_page((void *)p, 0));
	CHECK(filled(p + PAGE, PAGE, 1));
	CHECK(file_page((void *)p + 2 * PAGE, 2 * PAGE));
	CHECK(zero(p + 3 * PAGE, PAGE));
	CHECK(file_page((void *)p + 6 * PAGE, 6 * PAGE));
	CHECK(filled(p + 7 * PAGE, PAGE, 2));
	fill(p, 8 * PAGE, 3);
	CHECK(!madvise(p, 8 * PAGE, MADV_DONTNEED));
	for (size_t i = 0; i < 8; i++)
		CHECK(file_page((void *)p + i * PAGE, i * PAGE));
}

/* Modified, then made read-only: still not what the file has. */
CKPT_TEST(memory, file_private_readonly)
{
	char *p = map_file("file", 4 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE);

	fill(p + PAGE, PAGE, 1);
	CHECK(!mprotect(p, 4 * PAGE, PROT_READ));
	ckpt_point();
	CHECK(file_page((void *)p, 0));
	CHECK(filled(p + PAGE, PAGE, 1));
	CHECK(!mprotect(p, 4 * PAGE, PROT_READ | PROT_WRITE));
	fill(p, PAGE, 2);
	CHECK(filled(p, PAGE, 2));
}

/* The last page of the file, and what lies behind it in the mapping. */
CKPT_TEST(memory, file_end)
{
	int fd = make_file("file", 2 * PAGE);
	char *p;

	NEED(!ftruncate(fd, PAGE + 100));
	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	NEED(p != MAP_FAILED);
	p[PAGE + 200] = 7;
	ckpt_point();
	CHECK(file_page((void *)p, 0));
	CHECK_EQ(p[PAGE + 200], 7);
	CHECK_EQ(*(__u64 *)(p + PAGE), PAGE + 1);
	CHECK(!ftruncate(fd, 3 * PAGE));
	CHECK(zero(p + 2 * PAGE, PAGE));
}

CKPT_TEST(memory, file_shared)
{
	int fd = make_file("file", 8 * PAGE);
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		       2 * PAGE);
	__u64 word;

	NEED(p != MAP_FAILED);
	fill(p + PAGE, PAGE, 1);
	ckpt_point();
	CHECK(file_page((void *)p, 2 * PAGE));
	CHECK(filled(p + PAGE, PAGE, 1));
	fill(p, PAGE, 2);
	CHECK_EQ(pread(fd, &word, 8, 2 * PAGE), 8);
	CHECK_EQ(word, pattern(p, 2));
	word = 77;
	CHECK_EQ(pwrite(fd, &word, 8, 5 * PAGE), 8);
	CHECK_EQ(*(__u64 *)(p + 3 * PAGE), 77);
}

/* A file that can only be read, mapped shared. */
CKPT_TEST(memory, file_shared_readonly)
{
	int fd = make_file("file", 2 * PAGE), ro;
	char *p;

	ro = open("file", O_RDONLY | O_CLOEXEC);
	p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, ro, 0);
	NEED(p != MAP_FAILED);
	close(ro);
	ckpt_point();
	CHECK(file_page((void *)p, 0));
	CHECK(mprotect(p, PAGE, PROT_READ | PROT_WRITE) && errno == EACCES);
	CHECK_EQ(pwrite(fd, "x", 1, 0), 1);
	CHECK_EQ(p[0], 'x');
}

CKPT_TEST(memory, shared_anonymous)
{
	size_t len = 64 * PAGE;
	char *p = map(len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
	char *q = mremap(p + 8 * PAGE, 0, 8 * PAGE, MREMAP_MAYMOVE);

	/* The same memory twice: so it has to be afterwards. */
	NEED(q != MAP_FAILED);
	fill(p, 16 * PAGE, 1);
	CHECK(!memcmp(p + 8 * PAGE, q, 8 * PAGE));
	ckpt_point();
	CHECK(filled(p, 16 * PAGE, 1));
	CHECK(zero(p + 16 * PAGE, 48 * PAGE));
	CHECK(!memcmp(p + 8 * PAGE, q, 8 * PAGE));
	fill(q, PAGE, 2);
	CHECK(filled(q, PAGE, 2));
	CHECK(!memcmp(p + 8 * PAGE, q, PAGE));
	CHECK(!madvise(p, len, MADV_REMOVE));
	CHECK(zero(p, len));
}

CKPT_TEST(memory, dev_zero)
{
	int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	char *private = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE, fd, 0);
	char *shared = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			    fd, 0);

	NEED(private != MAP_FAILED && shared != MAP_FAILED);
	close(fd);
	fill(private, PAGE, 1);
	fill(shared, PAGE, 2);
	ckpt_point();
	CHECK(filled(private, PAGE, 1));
	CHECK(zero(private + PAGE, 3 * PAGE));
	CHECK(filled(shared, PAGE, 2));
	CHECK(zero(shared + PAGE, 3 * PAGE));
}

/* Content that no access can reach is content all the same. */
CKPT_TEST(memory, no_access)
{
	char *p = map_anon(8 * PAGE);

	fill(p, 8 * PAGE, 1);
	CHECK(!mprotect(p + 2 * PAGE, 4 * PAGE, PROT_NONE));
	ckpt_point();
	CHECK(filled(p, 2 * PAGE, 1));
	CHECK(filled(p + 6 * PAGE, 2 * PAGE, 1));
	CHECK(!mprotect(p, 8 * PAGE, PROT_READ | PROT_WRITE));
	CHECK(filled(p, 8 * PAGE, 1));
	fill(p, 8 * PAGE, 2);
	CHECK(filled(p, 8 * PAGE, 2));
}

/* Code made at run time, and run from a page that can't be written. */
CKPT_TEST(memory, code)
{
	/* mov $0x12345678,%eax; ret */
	static const unsigned char code[] = {
		0xb8, 0x78, 0x56, 0x34, 0x12, 0xc3
	};
	char *p = map_anon(PAGE);

	memcpy(p, code, sizeof(code));
	CHECK(!mprotect(p, PAGE, PROT_READ | PROT_EXEC));
	CHECK_EQ(((int (*)(void))p)(), 0x12345678);
	ckpt_point();
	CHECK_EQ(((int (*)(void))p)(), 0x12345678);
}

/* The C library has the function's address in a table by now. */
CKPT_TEST(memory, vdso)
{
	unsigned long vdso = getauxval(AT_SYSINFO_EHDR);
	struct timespec before, after, kernel;
	char ident[PAGE];

	NEED(vdso);
	memcpy(ident, (void *)vdso, PAGE);
	clock_gettime(CLOCK_MONOTONIC, &before);
	ckpt_point();
	CHECK_EQ(getauxval(AT_SYSINFO_EHDR), vdso);
	CHECK(!memcmp(ident, (void *)vdso, PAGE));
	clock_gettime(CLOCK_MONOTONIC, &after);
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &kernel);
	CHECK(after.tv_sec >= before.tv_sec);
	CHECK(kernel.tv_sec - after.tv_sec <= 1);
	CHECK(time(NULL) > 0);
}

static void vdso_range(const char *name, char **start, char **end)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long from, to;
	char line[256];

	NEED(maps);
	*start = NULL;
	*end = NULL;
	while (fgets(line, sizeof(line), maps)) {
		if (!strstr(line, name) ||
		    sscanf(line, "%lx-%lx", &from, &to) != 2)
			continue;
		*start = *start ?: (char *)from;
		*end = (char *)to;
	}
	fclose(maps);
}

/* What is left, and what there is instead; the C library does without. */
CKPT_TEST(memory, vdso_in_part)
{
	char *start, *end, *vvar, *vvar_end, ident[PAGE], *p, *q;

	vdso_range("[vdso]", &start, &end);
	vdso_range("[vvar]", &vvar, &vvar_end);
	NEED(start && vvar && vvar_end == start);
	memcpy(ident, start, PAGE);
	NEED(!munmap(vvar, vvar_end - vvar));
	p = mmap(vvar + PAGE, PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	NEED(p == vvar + PAGE);
	memcpy(p, "instead", 8);
	ckpt_point();
	CHECK(!memcmp(ident, start, PAGE));
	CHECK(!strcmp(p, "instead"));
	vdso_range("[vdso]", &p, &q);
	CHECK(p == start && q == end);
	vdso_range("[vvar]", &p, &q);
	CHECK(!p);
	CHECK_EQ(madvise(vvar, PAGE, MADV_NORMAL), -1);
	CHECK_EQ(errno, ENOMEM);
	CHECK_EQ(getauxval(AT_SYSINFO_EHDR), (unsigned long)start);
}

CKPT_TEST(memory, vdso_unmapped)
{
	char *start, *end, *vvar, *vvar_end, *p, *q;

	vdso_range("[vdso]", &start, &end);
	vdso_range("[vvar]", &vvar, &vvar_end);
	NEED(start && vvar && vvar_end == start);
	NEED(!munmap(vvar, end - vvar));
	ckpt_point();
	vdso_range("[vdso]", &p, &q);
	CHECK(!p);
	vdso_range("[vvar]", &p, &q);
	CHECK(!p);
	CHECK_EQ(madvise(vvar, PAGE, MADV_NORMAL), -1);
	CHECK_EQ(errno, ENOMEM);
}

static size_t huge_kb(const void *p)
{
	return ckpt_smaps(p, "AnonHugePages:");
}

CKPT_TEST(memory, huge_page)
{
	char *all = map_anon(4 * HUGE);
	char *p = (char *)(((uintptr_t)all + HUGE - 1) & ~(HUGE - 1));

	CHECK(!madvise(p, 3 * HUGE, MADV_HUGEPAGE));
	fill(p, 2 * HUGE, 1);
	if (huge_kb(p) != 2 * HUGE / 1024)
		ckpt_skip("no transparent huge pages");
	memset(p + 10 * PAGE, 0, 5 * PAGE);
	CHECK(!madvise(p + HUGE + 5 * PAGE, PAGE, MADV_DONTNEED));
	ckpt_point();
	CHECK(filled(p, 10 * PAGE, 1));
	CHECK(zero(p + 10 * PAGE, 5 * PAGE));
	CHECK(filled(p + 15 * PAGE, HUGE - 10 * PAGE, 1));
	CHECK(zero(p + HUGE + 5 * PAGE, PAGE));
	CHECK(filled(p + HUGE + 6 * PAGE, HUGE - 6 * PAGE, 1));
	CHECK(zero(p + 2 * HUGE, HUGE));
	/* What comes in huge pages goes out and back in as such. */
	CHECK(huge_kb(p) >= HUGE / 1024);
}

/* Moved and cut after its pages were made. */
CKPT_TEST(memory, moved)
{
	char *p = map_anon(16 * PAGE), *q;

	fill(p, 16 * PAGE, 1);
	q = mremap(p + 4 * PAGE, 8 * PAGE, 32 * PAGE, MREMAP_MAYMOVE);
	NEED(q != MAP_FAILED);
	NEED(q != p + 4 * PAGE);
	ckpt_point();
	for (size_t i = 0; i < 8 * PAGE; i += 8)
		NEED(*(__u64 *)(q + i) == pattern(p + 4 * PAGE + i, 1));
	CHECK(zero(q + 8 * PAGE, 24 * PAGE));
	CHECK(filled(p, 4 * PAGE, 1));
	CHECK(filled(p + 12 * PAGE, 4 * PAGE, 1));
	CHECK(msync(p + 4 * PAGE, PAGE, MS_ASYNC) && errno == ENOMEM);
}

/* What the image costs. */

CKPT_TARGET(costs_nothing)
{
	size_t len = 256UL << 20;
	char *p = map_anon(len);
	volatile char sum = 0;

	/* Read, never written; and written, with zeros. */
	for (size_t i = 0; i < len / 8; i += PAGE)
		sum += p[i];
	memset(p + len / 2, 0, 4 << 20);
	ckpt_point();
	CHECK(zero(p + len / 2, 4 << 20));
	CHECK(!p[len - 1]);
}

CKPT_TARGET(costs_little)
{
	ckpt_point();
}

static off_t image_size(struct __test_metadata *_metadata,
			struct ckpt_target *target, const char *name)
{
	struct stat st = {};

	EXPECT_EQ(0, ckpt_run(target, name, CKPT_KILLED));
	EXPECT_EQ(0, stat(ckpt_path(target, "image"), &st));
	ckpt_clean(target);
	return st.st_size;
}

CKPT_FIXTURE_ONLY(image);
CKPT_VARIANT(image, killed, CKPT_KILLED);

/* Never touched, only read, or zero: not in the image. */
TEST_F(image, zero_pages_cost_nothing)
{
	off_t little = image_size(_metadata, &self->target, "costs_little");
	off_t nothing = image_size(_metadata, &self->target, "costs_nothing");

	EXPECT_GT(little, 0);
	EXPECT_LT(little, 400 * 1024);
	EXPECT_LT(nothing, little + 32 * 1024);
}

/* The image is of one moment, though the target runs on as it is written. */

#define COUNTERS	(16UL << 20)

CKPT_TARGET(counts_on)
{
	__u64 *p = map_anon(COUNTERS), n = 0;
	size_t step = PAGE / 8, nr = COUNTERS / 8;

	memset(p, 0xff, COUNTERS);
	for (size_t i = 0; i < nr; i += step)
		p[i] = 0;
	ckpt_ready();
	do {
		n++;
		for (size_t i = 0; i < nr; i += step) {
			if (p[i] != n - 1)
				ckpt_fail(__FILE__, __LINE__,
					  "page %zu has %llu in round %llu",
					  i / step, (long long)p[i],
					  (long long)n);
			p[i] = n;
		}
	} while (!ckpt_gone());
}

TEST_F(image, is_of_one_moment)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, ckpt_start(target, "counts_on", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_GT(ckpt_checkpoint(target, 0), 0) TH_LOG("%s", target->log);
	ASSERT_EQ(0, ckpt_go(target));
	ASSERT_EQ(0, ckpt_end(target));
	ASSERT_EQ(0, unlink(ckpt_path(target, "go")));
	ASSERT_GT(ckpt_restart(target, 0), 0) TH_LOG("%s", target->log);
	ckpt_msleep(20);
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

CKPT_TEST_MAIN
