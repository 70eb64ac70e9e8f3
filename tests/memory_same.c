// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that a process, its child and that one's child have in common since they were
 * forked, as far as none of them has written to it.
 */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <sys/uio.h>

#define PAGE		4096UL
#define PAGES		2048UL
#define LEN		(PAGES * PAGE)
#define AT		((char *)0x200000000000UL)
#define RW		(PROT_READ | PROT_WRITE)
/* Whatever else they have. */
#define REST		700UL

/* What a process finds out of step with the others. */
struct shared {
	volatile int	ready;
	volatile int	go;
	volatile int	pid[2];
};

static struct shared *shared;

static __u64 word(unsigned int version, size_t page, size_t i)
{
	return ((version * PAGES + page) * 512 + i) * 0x9e3779b97f4a7c15ULL | 1;
}

static void fill(unsigned int version, size_t page)
{
	for (size_t i = 0; i < 512; i++)
		((__u64 *)(AT + page * PAGE))[i] = word(version, page, i);
}

static bool filled(unsigned int version, size_t page)
{
	for (size_t i = 0; i < 512; i++)
		if (((__u64 *)(AT + page * PAGE))[i] != word(version, page, i))
			return false;
	return true;
}

/* The last one of the line who wrote to a page, as seen by number @who of it. */
static unsigned int version_of(unsigned int who, size_t page)
{
	if (who >= 2 && page % 16 == 3)
		return 2;
	return who >= 1 && page % 8 < 2 ? 1 : 0;
}

static bool as_it_was(unsigned int who)
{
	for (size_t page = 0; page < PAGES; page++)
		if (!filled(version_of(who, page), page))
			return false;
	return true;
}

static bool is_its_own(unsigned int who)
{
	if (!as_it_was(who))
		return false;
	for (size_t page = 0; page < PAGES; page += 3)
		fill(10 + who, page);
	shared->ready++;
	/* All have written to it by then. */
	while (shared->ready < 3)
		ckpt_msleep(1);
	for (size_t page = 0; page < PAGES; page++)
		if (!filled(page % 3 ? version_of(who, page) : 10 + who, page))
			return false;
	return true;
}

static pid_t descend(unsigned int who)
{
	pid_t child = fork(), next = 0;
	int status = 0;

	NEED(child >= 0);
	if (child)
		return child;
	for (size_t page = 0; page < PAGES; page++)
		if (version_of(who, page) == who)
			fill(who, page);
	shared->pid[who - 1] = getpid();
	if (who < 2)
		next = descend(who + 1);
	else
		shared->ready = 1;
	while (!shared->go)
		ckpt_msleep(1);
	if (!is_its_own(who))
		_exit(1);
	_exit(next && (waitpid(next, &status, 0) != next || status));
}

static pid_t make(void)
{
	pid_t child;

	shared = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(shared != MAP_FAILED);
	NEED(mmap(AT, LEN, RW, MAP_PRIVATE | MAP_ANONYMOUS |
		  MAP_FIXED_NOREPLACE, -1, 0) == AT);
	for (size_t page = 0; page < PAGES; page++)
		fill(0, page);
	child = descend(1);
	while (!shared->ready)
		ckpt_msleep(1);
	shared->ready = 0;
	return child;
}

CKPT_FIXTURE(memory_same);

CKPT_TEST(memory_same, line)
{
	pid_t child = make();
	int status;

	ckpt_point();
	shared->go = 1;
	CHECK(is_its_own(0));
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
}

/* What is read is as what is mapped; and so is what is not writable by then. */
CKPT_TEST(memory_same, protected)
{
	pid_t child;
	int status;

	NEED(mmap(AT, LEN, RW, MAP_PRIVATE | MAP_ANONYMOUS |
		  MAP_FIXED_NOREPLACE, -1, 0) == AT);
	for (size_t page = 0; page < PAGES; page++)
		fill(0, page);
	NEED(!mprotect(AT, LEN / 2, PROT_NONE));
	child = fork();
	if (!child) {
		if (mprotect(AT, LEN, PROT_READ))
			_exit(2);
		while (!ckpt_gone())
			ckpt_msleep(1);
		_exit(!as_it_was(0));
	}
	ckpt_point();
	NEED(!mprotect(AT, LEN, PROT_READ));
	CHECK(as_it_was(0));
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
}

/* How large it is, and that it is shared again. */

FIXTURE(sharing) {
	struct ckpt_target target;
};

FIXTURE_SETUP(sharing)
{
	memset(self, 0, sizeof(*self));
}

FIXTURE_TEARDOWN(sharing)
{
	ckpt_clean(&self->target);
}

static unsigned long image_pages(const struct ckpt_target *target)
{
	struct stat st;

	return stat(ckpt_path(target, "image"), &st) ? 0 : st.st_size / PAGE;
}

/* Clean or dirty, as the file system has it. */
static long shared_of(pid_t pid)
{
	return ckpt_smaps_of(pid, AT, "Shared_Clean:") +
	       ckpt_smaps_of(pid, AT, "Shared_Dirty:");
}

static void take(struct __test_metadata *_metadata, struct ckpt_target *target,
		 unsigned int flags)
{
	ASSERT_EQ(0, ckpt_start(target, "memory_same_line", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_LT(0, ckpt_checkpoint(target, flags)) {
		TH_LOG("\"%s\"", target->log);
	}
}

/* 256 + 256 pages of the one child, 128 more of the other. */
static const unsigned long all = PAGES + PAGES / 4 + PAGES / 16;

TEST_F(sharing, written_once)
{
	struct ckpt_target *target = &self->target;

	take(_metadata, target, 0);
	EXPECT_GE(image_pages(target), all);
	EXPECT_LT(image_pages(target), all + REST);
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

TEST_F(sharing, written_once_killed)
{
	struct ckpt_target *target = &self->target;

	take(_metadata, target, CHECKPOINT_KILL);
	ckpt_kill(target);
	EXPECT_GE(image_pages(target), all);
	EXPECT_LT(image_pages(target), all + REST);
}

TEST_F(sharing, shared_again)
{
	struct ckpt_target *target = &self->target;
	char *buf = malloc(LEN);
	struct iovec to = { buf, LEN }, from = { AT, LEN };
	pid_t pid;

	take(_metadata, target, CHECKPOINT_KILL);
	ckpt_kill(target);
	ASSERT_LT(0, ckpt_restart(target, 0));
	for (pid = target->pid; pid; pid = ckpt_child_of(pid))
		EXPECT_EQ((ssize_t)LEN,
			  process_vm_readv(pid, &to, 1, &from, 1, 0));
	/* Of that of the first the others have 3 of 4. */
	EXPECT_EQ((long)(LEN / 1024 * 3 / 4), shared_of(target->pid));
	/* Of that of the last its own is 1 of 16. */
	pid = ckpt_child_of(ckpt_child_of(target->pid));
	EXPECT_EQ((long)(LEN / 1024 * 15 / 16), shared_of(pid));
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
	free(buf);
}

/* Have pages be moved, for which all that have them have to be found. */
static void compact(void)
{
	int fd = open("/proc/sys/vm/compact_memory", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "1", 1) != 1)
		perror("compact_memory");
	close(fd);
}

/* Read as from a pipe: what one has read in the others have as well. */
TEST_F(sharing, eager)
{
	struct ckpt_target *target = &self->target;
	pid_t pid;

	take(_metadata, target, CHECKPOINT_KILL);
	ckpt_kill(target);
	ASSERT_LT(0, ckpt_restart(target, RESTART_EAGER));
	EXPECT_EQ((long)(LEN / 1024 * 3 / 4), shared_of(target->pid));
	pid = ckpt_child_of(ckpt_child_of(target->pid));
	EXPECT_EQ((long)(LEN / 1024 * 15 / 16), shared_of(pid));
	compact();
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* Those are found to be the same by the next checkpoint, as any that are forked. */
TEST_F(sharing, eager_again)
{
	struct ckpt_target *target = &self->target;

	take(_metadata, target, CHECKPOINT_KILL);
	ckpt_kill(target);
	ASSERT_LT(0, ckpt_restart(target, RESTART_EAGER));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	EXPECT_LT(image_pages(target), all + REST);
	ASSERT_LT(0, ckpt_restart(target, RESTART_EAGER));
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/*
 * Mappings that are small, so that they are read whatever the image is: one as it was,
 * of which either has written to a part; a file's; and some that can't be shared, since
 * the child has it elsewhere, executable, or locked.
 */
#define FEW		(16 * PAGE)

static char *few(int i)
{
	return AT + i * 2 * FEW;
}

static void fill_few(char *at, char with)
{
	NEED(at != MAP_FAILED);
	memset(at, with, FEW);
}

static bool has_few(const char *at, char with, size_t from, size_t to)
{
	for (size_t i = from * PAGE; i < to * PAGE; i++)
		if (at[i] != with)
			return false;
	return true;
}

static bool few_of_child(char own)
{
	return has_few(few(0), own, 0, 4) && has_few(few(0), 'a', 4, 16) &&
	       has_few(few(1), 'b', 0, 16) && has_few(few(5), 'c', 0, 16) &&
	       has_few(few(3), 'd', 0, 16) && has_few(few(4), 'e', 0, 16);
}

static bool few_of_parent(char own)
{
	return has_few(few(0), 'a', 0, 12) && has_few(few(0), own, 12, 16) &&
	       has_few(few(1), 'b', 0, 16) && has_few(few(2), 'c', 0, 16) &&
	       has_few(few(3), 'd', 0, 16) && has_few(few(4), 'e', 0, 16);
}

static void few_child(void)
{
	memset(few(0), 'B', 4 * PAGE);
	NEED(mremap(few(2), FEW, FEW, MREMAP_MAYMOVE | MREMAP_FIXED, few(5)) ==
	     few(5));
	NEED(!mprotect(few(3), FEW, RW | PROT_EXEC) && !mlock(few(4), FEW));
	shared->ready = 1;
	while (!shared->go)
		ckpt_msleep(1);
	if (!few_of_child('B'))
		_exit(1);
	for (int i = 0; i < 5; i++)
		memset(few(i == 2 ? 5 : i), 'X', FEW);
	_exit(0);
}

CKPT_TEST(memory_same, few)
{
	int fd = open("file", O_CREAT | O_RDWR, 0600), status;
	pid_t child;

	shared = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(shared != MAP_FAILED && !ftruncate(fd, FEW));
	for (int i = 0; i < 5; i++)
		fill_few(mmap(few(i), FEW, RW, MAP_PRIVATE | MAP_FIXED_NOREPLACE |
			      (i == 1 ? 0 : MAP_ANONYMOUS), i == 1 ? fd : -1, 0),
			 'a' + i);
	child = fork();
	if (!child)
		few_child();
	while (!shared->ready)
		ckpt_msleep(1);
	memset(few(0) + 12 * PAGE, 'A', 4 * PAGE);
	ckpt_point();
	shared->go = 1;
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK(few_of_parent('A'));
}

static long few_shared(pid_t pid, int i)
{
	return ckpt_smaps_of(pid, few(i), "Shared_Clean:") +
	       ckpt_smaps_of(pid, few(i), "Shared_Dirty:");
}

TEST_F(sharing, few)
{
	struct ckpt_target *target = &self->target;
	pid_t child;

	ASSERT_EQ(0, ckpt_start(target, "memory_same_few", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	ASSERT_LT(0, ckpt_restart(target, 0));
	child = ckpt_child_of(target->pid);
	for (pid_t pid = target->pid; pid; pid = pid == child ? 0 : child) {
		EXPECT_EQ(8 * (long)PAGE / 1024, few_shared(pid, 0));
		EXPECT_EQ((long)FEW / 1024, few_shared(pid, 1));
	}
	compact();
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* A checkpoint of what was restarted, whose pages are in the image. */
TEST_F(sharing, again)
{
	struct ckpt_target *target = &self->target;

	take(_metadata, target, CHECKPOINT_KILL);
	ckpt_kill(target);
	ASSERT_LT(0, ckpt_restart(target, 0));
	ASSERT_EQ(0, unlink(ckpt_path(target, "image")));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	EXPECT_LT(image_pages(target), all + REST);
	ASSERT_LT(0, ckpt_restart(target, 0));
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

CKPT_TEST_MAIN
