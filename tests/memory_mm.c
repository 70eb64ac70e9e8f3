// SPDX-License-Identifier: GPL-2.0-only
/* What belongs to an address space as a whole. */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <linux/membarrier.h>
#include <sys/auxv.h>
#include <sys/prctl.h>

#define PAGE		4096UL

#ifndef PR_SET_MDWE
#define PR_SET_MDWE	65
#define PR_GET_MDWE	66
#endif
#define MDWE_REFUSE_EXEC_GAIN	1

#define MEMBARRIER_GET_REGISTRATIONS	(1 << 9)

static char before[2 * PAGE], after[2 * PAGE];

static void *map(size_t len, int prot)
{
	void *p = mmap(NULL, len, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(p != MAP_FAILED);
	return p;
}

CKPT_FIXTURE(mm);

static void same_file(const char *path)
{
	size_t len = ckpt_read(path, before, sizeof(before));

	ckpt_point();
	CHECK_EQ(ckpt_read(path, after, sizeof(after)), len);
	CHECK(!memcmp(before, after, len));
	CHECK(len > 0);
}

CKPT_TEST(mm, cmdline)
{
	same_file("/proc/self/cmdline");
	CHECK_TEXT("argv", before, "target");
}

CKPT_TEST(mm, environ)
{
	same_file("/proc/self/environ");
}

CKPT_TEST(mm, auxv)
{
	char random[16];

	memcpy(random, (void *)getauxval(AT_RANDOM), sizeof(random));
	same_file("/proc/self/auxv");
	CHECK(!memcmp(random, (void *)getauxval(AT_RANDOM), sizeof(random)));
}

CKPT_TEST(mm, core_dump_filter)
{
	int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);

	NEED(fd >= 0 && write(fd, "0x15", 4) == 4);
	close(fd);
	same_file("/proc/self/coredump_filter");
	CHECK_TEXT("filter", before, "00000015\n");
}

/* As programs do it that show their state there. */
CKPT_TEST(mm, cmdline_written)
{
	memcpy(program_invocation_name, "other!", 6);
	same_file("/proc/self/cmdline");
	CHECK_TEXT("argv", after, "other!");
}

CKPT_TEST(mm, exe)
{
	ssize_t len = readlink("/proc/self/exe", before, sizeof(before) - 1);
	struct stat was, is;

	NEED(len > 0);
	NEED(!stat("/proc/self/exe", &was));
	ckpt_point();
	CHECK_EQ(readlink("/proc/self/exe", after, sizeof(after) - 1), len);
	CHECK(!memcmp(before, after, len));
	NEED(!stat("/proc/self/exe", &is));
	CHECK_EQ(is.st_ino, was.st_ino);
}

/* Fields of /proc/PID/stat from number 'from' on, as proc(5) counts. */
static char *stat_field(char *text, int from)
{
	char *p;

	ckpt_read("/proc/self/stat", text, sizeof(before));
	p = strrchr(text, ')');
	for (int i = 2; p && i < from; i++)
		p = strchr(p + 1, ' ');
	NEED(p);
	return p + 1;
}

static void same_addresses(void)
{
	char *was, *is;

	was = stat_field(before, 45);
	ckpt_point();
	is = stat_field(after, 45);
	/* start_data to env_end */
	*strrchr(was, ' ') = 0;
	*strrchr(is, ' ') = 0;
	CHECK_TEXT("stat", is, was);
	was = stat_field(before, 26);
	is = stat_field(after, 26);
	CHECK_EQ(strtoul(is, NULL, 10), strtoul(was, NULL, 10));
}

CKPT_TEST(mm, addresses)
{
	same_addresses();
}

static struct prctl_mm_map mm_map(void)
{
	struct prctl_mm_map map = { .exe_fd = -1 };
	char *p;

	p = stat_field(before, 26);
	map.start_code = strtoul(p, &p, 10);
	map.end_code = strtoul(p, &p, 10);
	map.start_stack = strtoul(p, &p, 10);
	p = stat_field(before, 45);
	map.start_data = strtoul(p, &p, 10);
	map.end_data = strtoul(p, &p, 10);
	map.start_brk = strtoul(p, &p, 10);
	map.arg_start = strtoul(p, &p, 10);
	map.arg_end = strtoul(p, &p, 10);
	map.env_start = strtoul(p, &p, 10);
	map.env_end = strtoul(p, &p, 10);
	map.brk = (unsigned long)sbrk(0);
	return map;
}

CKPT_TEST(mm, prctl_set)
{
	struct prctl_mm_map map_new = mm_map();
	char *p = map(PAGE, PROT_READ | PROT_WRITE);

	memcpy(p, "moved", 6);
	map_new.arg_start = (unsigned long)p;
	map_new.arg_end = (unsigned long)p + 6;
	map_new.env_start = (unsigned long)p + 100;
	map_new.env_end = (unsigned long)p + 200;
	map_new.start_data++;
	if (prctl(PR_SET_MM, PR_SET_MM_MAP, &map_new, sizeof(map_new), 0))
		ckpt_skip("PR_SET_MM: errno %d", errno);
	same_addresses();
	CHECK_EQ(ckpt_read("/proc/self/cmdline", after, sizeof(after)), 6);
	CHECK_TEXT("argv", after, "moved");
}

CKPT_TEST(mm, dumpable)
{
	CHECK(!prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
	ckpt_point();
	CHECK_EQ(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
	CHECK(!prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

CKPT_TEST(mm, still_dumpable)
{
	CHECK_EQ(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
	ckpt_point();
	CHECK_EQ(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
}

CKPT_TEST(mm, no_huge_pages)
{
	CHECK(!prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	ckpt_point();
	CHECK_EQ(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1);
	CHECK(!prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0));
}

/* What was writable before the prctl, and what is to be after it. */
CKPT_TEST(mm, memory_deny_write_execute)
{
	char *both = map(PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	char *data = map(PAGE, PROT_READ | PROT_WRITE);
	char *code = map(PAGE, PROT_READ | PROT_EXEC);

	*both = 1;
	if (prctl(PR_SET_MDWE, MDWE_REFUSE_EXEC_GAIN, 0, 0, 0))
		ckpt_skip("PR_SET_MDWE: errno %d", errno);
	ckpt_point();
	CHECK_EQ(prctl(PR_GET_MDWE, 0, 0, 0, 0), MDWE_REFUSE_EXEC_GAIN);
	CHECK(mprotect(data, PAGE, PROT_READ | PROT_EXEC) && errno == EACCES);
	CHECK(mmap(NULL, PAGE, PROT_WRITE | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	CHECK_EQ(*both, 1);
	*both = 2;
	CHECK(!mprotect(code, PAGE, PROT_READ | PROT_EXEC));
}

static long membarrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0);
}

CKPT_TEST(mm, membarrier)
{
	if (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
		ckpt_skip("membarrier: errno %d", errno);
	CHECK(!membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED));
	CHECK(!membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ));
	ckpt_point();
	CHECK_EQ(membarrier(MEMBARRIER_GET_REGISTRATIONS),
		 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |
		 MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED |
		 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ);
	CHECK(!membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED));
	CHECK(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE) &&
	      errno == EPERM);
}

CKPT_TEST(mm, no_membarrier)
{
	ckpt_point();
	CHECK_EQ(membarrier(MEMBARRIER_GET_REGISTRATIONS), 0);
	CHECK(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) && errno == EPERM);
}

CKPT_TEST(mm, children_have_it)
{
	char *p = map(16 * PAGE, PROT_READ | PROT_WRITE);
	int status;
	pid_t child;

	memset(p, 7, 16 * PAGE);
	ckpt_point();
	child = fork();
	if (!child) {
		p[3] = 8;
		execl("/proc/self/exe", "target", "--target", "mm_child", "0",
		      NULL);
		_exit(1);
	}
	NEED(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
	CHECK_EQ(p[3], 7);
}

CKPT_TARGET(mm_child)
{
}

CKPT_TEST_MAIN
