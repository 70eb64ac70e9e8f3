// SPDX-License-Identifier: GPL-2.0-only
/* Mappings: /proc/PID/{maps,smaps,status} are the same before and after. */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <linux/mman.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define PAGE		4096UL
#define HUGE		(2UL << 20)

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE	0x08
#endif
#ifndef __NR_mseal
#define __NR_mseal	462
#endif

#define ANON		(MAP_PRIVATE | MAP_ANONYMOUS)
#define RW		(PROT_READ | PROT_WRITE)

static struct ckpt_proc before;

static char *map(size_t pages, int prot, int flags)
{
	char *p = mmap(NULL, pages * PAGE, prot, flags, -1, 0);

	NEED(p != MAP_FAILED);
	return p;
}

static void touch(char *p, size_t pages, char with)
{
	for (size_t i = 0; i < pages; i++)
		memset(p + i * PAGE, with + i, PAGE);
}

static void check_touched(const char *p, size_t pages, char with)
{
	for (size_t i = 0; i < pages; i++)
		for (size_t j = 0; j < PAGE; j += 64)
			NEED(p[i * PAGE + j] == (char)(with + i));
}

/* The stack grows for what is called in between: let it be large already. */
static __attribute__((noinline)) void reserve_stack(void)
{
	volatile char stack[256 * 1024];

	for (size_t i = 0; i < sizeof(stack); i += PAGE)
		stack[i] = 1;
}

static void point(void)
{
	reserve_stack();
	ckpt_proc_note(&before);
	ckpt_point();
	CHECK_PROC(&before);
}

CKPT_FIXTURE(maps);

/* As a program is that did nothing yet. */
CKPT_TEST(maps, plain)
{
	point();
}

/* Names, of pieces that nothing else tells from each other. */
CKPT_TEST(maps, names)
{
	char *p = map(16, RW, ANON), *q = map(4, RW, MAP_SHARED | MAP_ANONYMOUS);

	touch(p, 16, 1);
	if (prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p, 2 * PAGE, "one") &&
	    errno == EINVAL)
		ckpt_skip("no names of mappings");
	CHECK(!prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p + 2 * PAGE, PAGE,
		     "another one, of sorts"));
	CHECK(!prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p + 8 * PAGE, PAGE,
		     "one"));
	CHECK(!prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, q, 4 * PAGE, "shared"));
	CHECK(!prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, q, PAGE, NULL));
	point();
	check_touched(p, 16, 1);
	/* All of one again. */
	CHECK(!prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p, 16 * PAGE, NULL));
	CHECK(!munmap(p, 16 * PAGE));
}

/* Side by side, each with content: all that mprotect(2) can make. */
CKPT_TEST(maps, protections)
{
	char *p = map(32, RW, ANON);

	touch(p, 32, 1);
	for (int prot = 0; prot < 8; prot++) {
		CHECK(!mprotect(p + prot * 2 * PAGE, 2 * PAGE, prot));
		CHECK(!mprotect(p + (31 - prot) * PAGE, PAGE, prot));
	}
	point();
	CHECK(!mprotect(p, 32 * PAGE, RW));
	check_touched(p, 32, 1);
}

/* Never writable, then made so; and the other way round. */
CKPT_TEST(maps, protections_of_files)
{
	int fd = open("file", O_CREAT | O_RDWR | O_CLOEXEC, 0700);
	int ro;
	char *p, *q, *r;

	NEED(fd >= 0 && !ftruncate(fd, 16 * PAGE));
	ro = open("file", O_RDONLY | O_CLOEXEC);
	p = mmap(NULL, 16 * PAGE, RW, MAP_SHARED, fd, 0);
	q = mmap(NULL, 16 * PAGE, PROT_READ, MAP_PRIVATE, ro, 0);
	r = mmap(NULL, 16 * PAGE, PROT_READ, MAP_SHARED, ro, 0);
	NEED(p != MAP_FAILED && q != MAP_FAILED && r != MAP_FAILED);
	for (int prot = 0; prot < 8; prot++) {
		CHECK(!mprotect(p + prot * 2 * PAGE, PAGE, prot));
		CHECK(!mprotect(q + prot * 2 * PAGE, PAGE, prot));
		if (!(prot & PROT_WRITE))
			CHECK(!mprotect(r + prot * 2 * PAGE, PAGE, prot));
	}
	CHECK(mprotect(r, PAGE, RW) && errno == EACCES);
	close(fd);
	close(ro);
	point();
	CHECK(mprotect(r, PAGE, RW) && errno == EACCES);
	CHECK(!mprotect(p, 16 * PAGE, RW));
	CHECK(!mprotect(q, 16 * PAGE, RW));
	touch(q, 16, 1);
	check_touched(q, 16, 1);
	CHECK(!p[0]);
}

/* Equal neighbours that are two because each has an anon_vma of its own. */
CKPT_TEST(maps, unmerged)
{
	char *p = map(8, RW, ANON);

	CHECK(!madvise(p + 4 * PAGE, 4 * PAGE, MADV_DONTFORK));
	touch(p, 8, 1);
	CHECK(!madvise(p + 4 * PAGE, 4 * PAGE, MADV_DOFORK));
	CHECK_EQ(ckpt_mappings(p, 8 * PAGE), 2);
	point();
	check_touched(p, 8, 1);
	CHECK(!munmap(p + 3 * PAGE, 2 * PAGE));
	check_touched(p, 3, 1);
}

/* Where one ends that goes on in the file, another begins. */
CKPT_TEST(maps, file_offsets)
{
	int fd = open("file", O_CREAT | O_RDWR | O_CLOEXEC, 0700);
	char *p = map(12, PROT_NONE, ANON);

	NEED(fd >= 0 && !ftruncate(fd, 16 * PAGE));
	for (int i = 0; i < 4; i++) {
		NEED(mmap(p + i * PAGE, PAGE, PROT_READ,
			  MAP_SHARED | MAP_FIXED, fd, i * PAGE) != MAP_FAILED);
		NEED(mmap(p + (4 + i) * PAGE, PAGE, PROT_READ,
			  MAP_SHARED | MAP_FIXED, fd, (9 - i) * PAGE) !=
		     MAP_FAILED);
	}
	NEED(mmap(p + 8 * PAGE, 4 * PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd,
		  0) != MAP_FAILED);
	close(fd);
	point();
}

/* Mapped twice by descriptions that differ: two mappings, not one. */
CKPT_TEST(maps, file_descriptions)
{
	int fd = open("file", O_CREAT | O_RDWR | O_CLOEXEC, 0700);
	int other = open("file", O_RDWR | O_CLOEXEC);
	char *p = map(4, PROT_NONE, ANON);

	NEED(fd >= 0 && other >= 0 && !ftruncate(fd, 4 * PAGE));
	NEED(mmap(p, 2 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0) !=
	     MAP_FAILED);
	NEED(mmap(p + 2 * PAGE, 2 * PAGE, RW, MAP_SHARED | MAP_FIXED, other,
		  2 * PAGE) != MAP_FAILED);
	CHECK_EQ(ckpt_mappings(p, 4 * PAGE), 2);
	close(fd);
	close(other);
	point();
}

CKPT_TEST(maps, advice)
{
	static const int advice[] = {
		MADV_DONTFORK, MADV_DONTDUMP, MADV_WIPEONFORK, MADV_SEQUENTIAL,
		MADV_RANDOM, MADV_HUGEPAGE, MADV_NOHUGEPAGE,
	};
	char *p = map(2 * ARRAY_SIZE(advice), RW, ANON);
	char *q = map(2 * ARRAY_SIZE(advice), RW, ANON);
	char *at = q;
	pid_t child;
	int status;

	touch(p, 2 * ARRAY_SIZE(advice), 1);
	touch(q, 2 * ARRAY_SIZE(advice), 1);
	for (size_t i = 0; i < ARRAY_SIZE(advice); i++, at += 2 * PAGE) {
		/* One with a neighbour that has none, one alone with it. */
		CHECK(!madvise(p + i * 2 * PAGE, PAGE, advice[i]));
		CHECK(!madvise(at, 2 * PAGE, advice[i]));
	}
	point();
	check_touched(p, 2 * ARRAY_SIZE(advice), 1);
	check_touched(q, 2 * ARRAY_SIZE(advice), 1);
	child = fork();
	if (!child)
		_exit(p[5 * PAGE - 1] == 0 && p[5 * PAGE] == 6 &&
		      msync(p, PAGE, MS_ASYNC) && errno == ENOMEM ? 0 : 1);
	NEED(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

/* Advice of more than one kind, and of both signs. */
CKPT_TEST(maps, advice_together)
{
	char *p = map(8, RW, ANON);

	CHECK(!madvise(p, 4 * PAGE, MADV_DONTFORK));
	CHECK(!madvise(p + 2 * PAGE, 4 * PAGE, MADV_DONTDUMP));
	CHECK(!madvise(p + 3 * PAGE, 4 * PAGE, MADV_WIPEONFORK));
	CHECK(!madvise(p + PAGE, 6 * PAGE, MADV_RANDOM));
	CHECK(!mprotect(p + PAGE, 3 * PAGE, PROT_READ));
	point();
}

CKPT_TEST(maps, locked)
{
	char *p = map(40, RW, ANON);

	touch(p, 16, 1);
	CHECK(!mlock(p, 8 * PAGE));
	CHECK(!syscall(SYS_mlock2, p + 8 * PAGE, 8 * PAGE, MLOCK_ONFAULT));
	/* Never touched: the one is populated, of the other one page. */
	CHECK(!mlock(p + 16 * PAGE, 8 * PAGE));
	CHECK(!syscall(SYS_mlock2, p + 24 * PAGE, 8 * PAGE, MLOCK_ONFAULT));
	p[26 * PAGE] = 1;
	CHECK(!mlock(p + 32 * PAGE, 4 * PAGE));
	CHECK(!mprotect(p + 33 * PAGE, PAGE, PROT_NONE));
	CHECK(!mprotect(p + 34 * PAGE, PAGE, PROT_READ));
	CHECK_EQ(ckpt_smaps(p + 16 * PAGE, "Locked:"), 32);
	point();
	check_touched(p, 16, 1);
	CHECK(ckpt_vm_flag(p, "lo"));
	CHECK(!munlock(p, 40 * PAGE));
	CHECK(!ckpt_vm_flag(p, "lo"));
}

CKPT_TEST(maps, locked_shared)
{
	char *p = map(8, RW, MAP_SHARED | MAP_ANONYMOUS);
	int fd = open("file", O_CREAT | O_RDWR | O_CLOEXEC, 0700);
	char *q;

	NEED(fd >= 0 && !ftruncate(fd, 8 * PAGE));
	q = mmap(NULL, 8 * PAGE, RW, MAP_SHARED, fd, 0);
	NEED(q != MAP_FAILED);
	close(fd);
	touch(p, 4, 1);
	touch(q, 4, 1);
	CHECK(!mlock(p, 8 * PAGE));
	CHECK(!mlock(q, 8 * PAGE));
	point();
	check_touched(p, 4, 1);
	check_touched(q, 4, 1);
}

CKPT_TEST(maps, locked_all)
{
	char *p;

	CHECK(!mlockall(MCL_CURRENT | MCL_FUTURE));
	point();
	p = map(4, RW, ANON);
	CHECK(ckpt_vm_flag(p, "lo"));
	CHECK_EQ(ckpt_smaps(p, "Locked:"), 4 * PAGE / 1024);
	CHECK(!munlockall());
	p = map(4, RW, ANON | MAP_POPULATE);
	CHECK(!ckpt_vm_flag(p, "lo"));
}

CKPT_TEST(maps, locked_on_fault)
{
	char *p;

	CHECK(!mlockall(MCL_FUTURE | MCL_ONFAULT));
	point();
	p = map(4, RW, ANON);
	CHECK(ckpt_vm_flag(p, "lo"));
	CHECK_EQ(ckpt_smaps(p, "Locked:"), 0);
	*p = 1;
	CHECK_EQ(ckpt_smaps(p, "Locked:"), 4);
}

/* Before the lock on it was taken off, more was locked than may be now. */
CKPT_TEST(maps, locked_beyond_limit)
{
	struct rlimit none = { 0, 0 };
	char *p = map(4, RW, ANON);

	touch(p, 4, 1);
	CHECK(!mlock(p, 4 * PAGE));
	CHECK(!setrlimit(RLIMIT_MEMLOCK, &none));
	point();
	check_touched(p, 4, 1);
}

CKPT_TEST(maps, sealed)
{
	char *p = map(6, RW, ANON);

	touch(p, 6, 1);
	CHECK(!mprotect(p + 4 * PAGE, PAGE, PROT_READ));
	if (syscall(__NR_mseal, p, 2 * PAGE, 0))
		ckpt_skip("no mseal: errno %d", errno);
	CHECK(!syscall(__NR_mseal, p + 4 * PAGE, PAGE, 0));
	point();
	check_touched(p, 6, 1);
	CHECK(mprotect(p, PAGE, PROT_READ) && errno == EPERM);
	CHECK(munmap(p + 4 * PAGE, PAGE) && errno == EPERM);
	CHECK(!munmap(p + 2 * PAGE, PAGE));
}

CKPT_TEST(maps, droppable)
{
	char *p = map(4, RW, MAP_DROPPABLE | MAP_ANONYMOUS);

	touch(p, 4, 1);
	CHECK(ckpt_vm_flag(p, "dp"));
	point();
	if (ckpt_mode != CKPT_LIVE)
		for (size_t i = 0; i < 4 * PAGE; i++)
			NEED(!p[i]);
	touch(p, 4, 1);
	check_touched(p, 4, 1);
}

static char *map_again(char *p, size_t pages, int access, int prot, int flags)
{
	char path[64], *q;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx",
		 (unsigned long)p, (unsigned long)(p + pages * PAGE));
	fd = open(path, access);
	NEED(fd >= 0);
	q = mmap(NULL, PAGE, prot, flags, fd, PAGE);
	NEED(q != MAP_FAILED);
	NEED(!close(fd));
	return q;
}

/* The same memory by way of a file of its own. */
CKPT_TEST(maps, shared_again)
{
	char *p = map(4, RW, MAP_SHARED | MAP_ANONYMOUS);
	char *q = map_again(p, 4, O_RDWR, RW, MAP_SHARED);

	touch(p, 4, 1);
	CHECK(!munmap(p + 2 * PAGE, PAGE));
	point();
	CHECK_EQ(q[0], 2);
	q[0] = 7;
	CHECK_EQ(p[PAGE], 7);
	CHECK_EQ(p[3 * PAGE], 4);
}

CKPT_TEST(maps, not_reserved)
{
	char *p = map(64, RW, ANON | MAP_NORESERVE);
	char *q = map(64, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE);
	/* More than there is. */
	char *r = map(1UL << 24, RW, ANON | MAP_NORESERVE);

	touch(p, 4, 1);
	touch(q, 4, 1);
	touch(r + (1UL << 34), 4, 1);
	CHECK(!mprotect(p + 8 * PAGE, PAGE, PROT_READ));
	CHECK(ckpt_vm_flag(p, "nr") && ckpt_vm_flag(q, "nr"));
	point();
	check_touched(p, 4, 1);
	check_touched(q, 4, 1);
	check_touched(r + (1UL << 34), 4, 1);
}

/* Accounted only since it was made writable. */
CKPT_TEST(maps, accounted)
{
	char *p = map(16, PROT_READ, ANON);

	CHECK(!ckpt_vm_flag(p, "ac"));
	CHECK(!mprotect(p + 4 * PAGE, 4 * PAGE, RW));
	CHECK(ckpt_vm_flag(p + 4 * PAGE, "ac"));
	touch(p + 4 * PAGE, 1, 1);
	CHECK(!mprotect(p + 4 * PAGE, 4 * PAGE, PROT_READ));
	CHECK(ckpt_vm_flag(p + 4 * PAGE, "ac"));
	point();
}

static sigjmp_buf jump;
static int fault_code, fault_key;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	fault_code = info->si_code;
	fault_key = info->si_pkey;
	siglongjmp(jump, 1);
}

static unsigned int rdpkru(void)
{
	unsigned int pkru, high;

	asm volatile("rdpkru" : "=a" (pkru), "=d" (high) : "c" (0));
	return pkru;
}

static void wrpkru(unsigned int pkru)
{
	asm volatile("wrpkru" : : "a" (pkru), "c" (0), "d" (0) : "memory");
}

/* The code of the fault that reading there gives, or 0. */
static int fault_at(volatile char *p)
{
	struct sigaction action = {
		.sa_sigaction = on_fault,
		.sa_flags = SA_SIGINFO | SA_RESETHAND,
	};
	volatile unsigned int pkru = rdpkru();

	sigaction(SIGSEGV, &action, NULL);
	fault_code = 0;
	if (!sigsetjmp(jump, 1))
		(void)*p;
	else
		wrpkru(pkru);	/* a handler begins with another one */
	signal(SIGSEGV, SIG_DFL);
	return fault_code;
}

CKPT_TEST(maps, protection_keys)
{
	int read, none = pkey_alloc(0, 0), freed;
	char *p = map(8, RW, ANON);

	if (none < 0)
		ckpt_skip("no protection keys: errno %d", errno);
	freed = pkey_alloc(0, 0);
	read = pkey_alloc(0, 0);
	touch(p, 8, 1);
	CHECK(!pkey_mprotect(p + 2 * PAGE, 2 * PAGE, RW, none));
	CHECK(!pkey_mprotect(p + 4 * PAGE, 2 * PAGE, PROT_READ, read));
	CHECK(!pkey_free(freed));
	CHECK(!pkey_set(none, PKEY_DISABLE_ACCESS));
	CHECK(!pkey_set(read, PKEY_DISABLE_WRITE));
	CHECK_EQ(fault_at(p + 2 * PAGE), SEGV_PKUERR);
	point();
	CHECK_EQ(fault_at(p + 2 * PAGE), SEGV_PKUERR);
	CHECK_EQ(fault_key, none);
	CHECK_EQ(fault_at(p + 4 * PAGE), 0);
	CHECK_EQ(pkey_get(none), PKEY_DISABLE_ACCESS);
	CHECK_EQ(pkey_get(read), PKEY_DISABLE_WRITE);
	CHECK_EQ(pkey_alloc(0, 0), freed);
	CHECK_EQ(pkey_alloc(0, 0), read + 1);
	CHECK(!pkey_set(none, 0));
	check_touched(p, 8, 1);
}

/* The kernel takes a key of its own for what can be executed only. */
CKPT_TEST(maps, execute_only)
{
	char *p = map(2, RW, ANON);

	if (pkey_alloc(0, 0) < 0)
		ckpt_skip("no protection keys: errno %d", errno);
	memset(p, 0xc3, 2 * PAGE);
	CHECK(!mprotect(p, PAGE, PROT_EXEC));
	if (fault_at(p) != SEGV_PKUERR)
		ckpt_skip("memory can't be made to be executed only");
	point();
	((void (*)(void))p)();
	CHECK_EQ(fault_at(p), SEGV_PKUERR);
	CHECK(!mprotect(p + PAGE, PAGE, PROT_EXEC));
	CHECK_EQ(fault_at(p + PAGE), SEGV_PKUERR);
	CHECK_EQ(ckpt_smaps(p + PAGE, "ProtectionKey:"),
		 ckpt_smaps(p, "ProtectionKey:"));
}

/* What pages there are, in smaps, of what has content everywhere. */
CKPT_TEST(maps, anonymous_counted)
{
	char *p = map(100, RW, ANON);

	touch(p + 10 * PAGE, 50, 1);
	CHECK_EQ(ckpt_smaps(p, "Anonymous:"), 200);
	point();
	CHECK_EQ(ckpt_smaps(p, "Anonymous:"), 200);
	CHECK_EQ(ckpt_smaps(p, "Rss:"), 200);
}

CKPT_TEST(maps, many)
{
	char *p = map(1000, RW, ANON);

	for (size_t i = 0; i < 1000; i += 2) {
		touch(p + i * PAGE, 1, i);
		CHECK(!mprotect(p + i * PAGE, PAGE, PROT_READ));
	}
	point();
	for (size_t i = 0; i < 1000; i += 2)
		check_touched(p + i * PAGE, 1, i);
}

/* New mappings go where they would have gone. */
CKPT_TEST(maps, next_address)
{
	char *p = map(3, RW, ANON), *q;

	CHECK(!munmap(p, 3 * PAGE));
	point();
	q = map(3, RW, ANON);
	CHECK_EQ(q, p);
}

CKPT_TEST_MAIN
