// SPDX-License-Identifier: GPL-2.0-only
/* Locks on files: POSIX and OFD locks with their ranges, flock(2). */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <signal.h>
#include <sys/file.h>

#define END	0	/* as l_len: to the end, whatever that will be */

static int make_file(const char *name, int flags)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	NEED(fd >= 0 && !ftruncate(fd, 1000));
	close(fd);
	fd = open(name, flags);
	NEED(fd >= 0);
	return fd;
}

static int lock(int fd, int command, int type, long start, long len)
{
	struct flock flock = {
		.l_type = type, .l_start = start, .l_len = len,
	};

	return fcntl(fd, command, &flock);
}

/*
 * What another would find in the way who wanted to write there: "r 10+20 pid".
 * Asks for an OFD lock of a description of its own, which nobody has to do with.
 */
static const char *found(const char *name, long start, long len)
{
	struct flock flock = {
		.l_type = F_WRLCK, .l_start = start, .l_len = len,
	};
	static char text[64];
	int fd = open(name, O_RDWR | O_CLOEXEC);

	/* To close it would release all POSIX locks: leave it open. */
	NEED(fd >= 0 && !fcntl(fd, F_OFD_GETLK, &flock));
	if (flock.l_type == F_UNLCK)
		return "none";
	snprintf(text, sizeof(text), "%c %ld+%ld %s",
		 flock.l_type == F_RDLCK ? 'r' : 'w', (long)flock.l_start,
		 (long)flock.l_len,
		 flock.l_pid < 0 ? "ofd" :
		 flock.l_pid == getpid() ? "self" : "other");
	return text;
}

#define FOUND(name, start, len, ought)					\
	CHECK_TEXT(name ", " #start "+" #len, found(name, start, len), ought)

CKPT_FIXTURE(locks);

CKPT_TEST(locks, posix)
{
	int fd = make_file("file", O_RDWR);

	NEED(!lock(fd, F_SETLK, F_WRLCK, 10, 20));
	NEED(!lock(fd, F_SETLK, F_RDLCK, 100, 1));
	NEED(!lock(fd, F_SETLK, F_WRLCK, 500, END));
	ckpt_point();
	FOUND("file", 0, END, "w 10+20 self");
	FOUND("file", 0, 10, "none");
	FOUND("file", 29, 1, "w 10+20 self");
	FOUND("file", 30, 70, "none");
	FOUND("file", 30, 71, "r 100+1 self");
	FOUND("file", 101, 399, "none");
	FOUND("file", 1L << 60, 1, "w 500+0 self");
	CHECK(!lock(fd, F_SETLK, F_UNLCK, 0, END));
	FOUND("file", 0, END, "none");
}

/* They are the process's: gone with the first descriptor of the file. */
CKPT_TEST(locks, posix_closed)
{
	int fd = make_file("file", O_RDWR), other = open("file", O_RDONLY);

	NEED(other >= 0 && !lock(fd, F_SETLK, F_WRLCK, 0, END));
	ckpt_point();
	FOUND("file", 0, END, "w 0+0 self");
	CHECK(!close(other));
	FOUND("file", 0, END, "none");
}

CKPT_TEST(locks, posix_dup)
{
	int fd = make_file("file", O_RDWR), copy = dup(fd);

	NEED(copy >= 0 && !lock(copy, F_SETLK, F_WRLCK, 7, 7));
	ckpt_point();
	FOUND("file", 0, END, "w 7+7 self");
	CHECK(!lock(fd, F_SETLK, F_UNLCK, 7, 7));
	FOUND("file", 0, END, "none");
}

/* By two descriptions, and not to be had again by the first of them. */
CKPT_TEST(locks, posix_by_two)
{
	int reader = make_file("file", O_RDONLY);
	int writer = open("file", O_WRONLY);

	NEED(writer >= 0 && !lock(reader, F_SETLK, F_RDLCK, 0, 10));
	NEED(!lock(writer, F_SETLK, F_WRLCK, 20, 10));
	ckpt_point();
	FOUND("file", 0, 15, "r 0+10 self");
	FOUND("file", 15, END, "w 20+10 self");
}

CKPT_TEST(locks, posix_many)
{
	int fd = make_file("file", O_RDWR);
	char text[32];

	for (int i = 0; i < 500; i++)
		NEED(!lock(fd, F_SETLK, i & 1 ? F_WRLCK : F_RDLCK, i * 10, 5));
	ckpt_point();
	for (int i = 0; i < 500; i += 7) {
		snprintf(text, sizeof(text), "%c %d+5 self", i & 1 ? 'w' : 'r',
			 i * 10);
		CHECK_TEXT("lock", found("file", i * 10, 10), text);
	}
}

/* A child has none of them, and sees them. */
CKPT_TEST(locks, posix_child)
{
	int fd = make_file("file", O_RDWR), status;
	pid_t pid;

	NEED(!lock(fd, F_SETLK, F_WRLCK, 0, 10));
	ckpt_point();
	pid = fork();
	if (!pid)
		_exit(lock(fd, F_SETLK, F_RDLCK, 5, 1) == -1 &&
		      errno == EAGAIN &&
		      !lock(fd, F_SETLK, F_WRLCK, 10, 10) ? 0 : 1);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

CKPT_TEST(locks, ofd)
{
	int a = make_file("file", O_RDWR), b = open("file", O_RDWR);

	NEED(b >= 0 && !lock(a, F_OFD_SETLK, F_WRLCK, 10, 20));
	NEED(!lock(b, F_OFD_SETLK, F_RDLCK, 50, 50));
	ckpt_point();
	FOUND("file", 0, 40, "w 10+20 ofd");
	FOUND("file", 40, END, "r 50+50 ofd");
	/* Each is its own description's. */
	CHECK_EQ(lock(b, F_OFD_SETLK, F_WRLCK, 15, 1), -1);
	CHECK_EQ(errno, EAGAIN);
	CHECK(!lock(a, F_OFD_SETLK, F_RDLCK, 15, 1));
	CHECK(!close(a));
	FOUND("file", 0, 40, "none");
	FOUND("file", 40, END, "r 50+50 ofd");
}

CKPT_TEST(locks, ofd_and_posix)
{
	int fd = make_file("file", O_RDWR);

	NEED(!lock(fd, F_OFD_SETLK, F_WRLCK, 0, 10));
	NEED(!lock(fd, F_SETLK, F_WRLCK, 10, 10));
	ckpt_point();
	FOUND("file", 0, 5, "w 0+10 ofd");
	FOUND("file", 10, END, "w 10+10 self");
}

CKPT_TEST(locks, ofd_dup)
{
	int fd = make_file("file", O_RDWR), copy = dup(fd);

	NEED(copy >= 0 && !lock(fd, F_OFD_SETLK, F_WRLCK, 0, END));
	ckpt_point();
	CHECK(!close(fd));
	FOUND("file", 0, END, "w 0+0 ofd");
	CHECK(!close(copy));
	FOUND("file", 0, END, "none");
}

/* Whether another could have it so. */
static bool can_flock(const char *name, int how)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	bool can = !flock(fd, how | LOCK_NB);

	NEED(fd >= 0 && (can || errno == EWOULDBLOCK));
	close(fd);
	return can;
}

CKPT_TEST(locks, flock_exclusive)
{
	int fd = make_file("file", O_RDONLY);

	NEED(!flock(fd, LOCK_EX));
	ckpt_point();
	CHECK(!can_flock("file", LOCK_SH));
	CHECK(!can_flock("file", LOCK_EX));
	CHECK(!flock(fd, LOCK_UN));
	CHECK(can_flock("file", LOCK_EX));
}

CKPT_TEST(locks, flock_shared)
{
	int a = make_file("file", O_RDONLY), b = open("file", O_RDWR);

	NEED(b >= 0 && !flock(a, LOCK_SH) && !flock(b, LOCK_SH));
	ckpt_point();
	CHECK(can_flock("file", LOCK_SH));
	CHECK(!can_flock("file", LOCK_EX));
	CHECK(!close(a));
	CHECK(!can_flock("file", LOCK_EX));
	CHECK(!close(b));
	CHECK(can_flock("file", LOCK_EX));
}

CKPT_TEST(locks, flock_directory)
{
	int fd;

	NEED(!mkdir("dir", 0700));
	fd = open("dir", O_RDONLY | O_DIRECTORY);
	NEED(fd >= 0 && !flock(fd, LOCK_EX));
	ckpt_point();
	CHECK(!can_flock("dir", LOCK_SH));
}

/* flock(2) and fcntl(2) know nothing of each other. */
CKPT_TEST(locks, all_kinds)
{
	int fd = make_file("file", O_RDWR);

	NEED(!flock(fd, LOCK_EX) && !lock(fd, F_SETLK, F_WRLCK, 0, 1));
	NEED(!lock(fd, F_OFD_SETLK, F_WRLCK, 1, 1));
	ckpt_point();
	CHECK(!can_flock("file", LOCK_SH));
	/* That released the POSIX lock, as it closed the file. */
	FOUND("file", 0, 1, "none");
	FOUND("file", 0, END, "w 1+1 ofd");
}

/* Others. */

FIXTURE(others) {
	struct ckpt_target target;
	int fd;
};

FIXTURE_SETUP(others)
{
	memset(self, 0, sizeof(*self));
	self->fd = -1;
}

FIXTURE_TEARDOWN(others)
{
	close(self->fd);
	ckpt_clean(&self->target);
}

CKPT_TARGET(has_posix)
{
	int fd = make_file("file", O_RDWR);

	NEED(!lock(fd, F_SETLK, F_WRLCK, 10, 20));
	ckpt_point();
	FOUND("file", 0, END, "w 10+20 self");
}

CKPT_TARGET(has_flock)
{
	NEED(!flock(make_file("file", O_RDWR), LOCK_SH));
	ckpt_point();
	CHECK(!can_flock("file", LOCK_EX));
}

CKPT_TARGET(has_ofd)
{
	NEED(!lock(make_file("file", O_RDWR), F_OFD_SETLK, F_RDLCK, 3, END));
	ckpt_point();
	FOUND("file", 0, END, "r 3+0 ofd");
}

static int take(struct ckpt_target *target, const char *name)
{
	if (ckpt_start(target, name, CKPT_KILLED) || ckpt_wait_ready(target) ||
	    ckpt_checkpoint(target, CHECKPOINT_KILL) < 0)
		return -1;
	ckpt_kill(target);
	return open(ckpt_path(target, "file"), O_RDWR | O_CLOEXEC);
}

static bool has_log(struct ckpt_target *target, const char *text)
{
	if (strstr(target->log, text))
		return true;
	printf("# \"%s\" does not say \"%s\"\n", target->log, text);
	return false;
}

static void refused(struct __test_metadata *_metadata,
		    struct ckpt_target *target, const char *text)
{
	char name[64];

	EXPECT_EQ(-EBUSY, ckpt_restart(target, 0));
	EXPECT_TRUE(has_log(target, text));
	snprintf(name, sizeof(name), "by pid %d (locks)", getpid());
	EXPECT_TRUE(has_log(target, name));
	EXPECT_EQ(-1, waitpid(-1, NULL, __WALL));
	EXPECT_EQ(ECHILD, errno);
	target->pid = 0;
}

/* Who has what is needed keeps it; and when he has given it up, all is well. */
static void goes_on(struct __test_metadata *_metadata,
		    struct ckpt_target *target)
{
	ASSERT_LT(0, ckpt_restart(target, 0));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

TEST_F(others, posix)
{
	self->fd = take(&self->target, "has_posix");
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, lock(self->fd, F_SETLK, F_RDLCK, 29, 1));
	refused(_metadata, &self->target, "file: bytes 10 to 29 are locked by");
	ASSERT_EQ(0, lock(self->fd, F_SETLK, F_UNLCK, 0, END));
	ASSERT_EQ(0, lock(self->fd, F_SETLK, F_WRLCK, 30, END));
	ASSERT_EQ(0, lock(self->fd, F_SETLK, F_WRLCK, 0, 10));
	ASSERT_LT(0, ckpt_restart(&self->target, 0));
	EXPECT_EQ(-1, lock(self->fd, F_SETLK, F_RDLCK, 10, 1));
	ASSERT_EQ(0, lock(self->fd, F_SETLK, F_UNLCK, 0, END));
	ASSERT_EQ(0, ckpt_go(&self->target));
	EXPECT_EQ(0, ckpt_end(&self->target));
	EXPECT_EQ(0, lock(self->fd, F_SETLK, F_WRLCK, 0, END));
}

TEST_F(others, ofd)
{
	self->fd = take(&self->target, "has_ofd");
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, lock(self->fd, F_SETLK, F_WRLCK, 1000, 1));
	refused(_metadata, &self->target, "file: from byte 3 on is locked by");
	ASSERT_EQ(0, lock(self->fd, F_SETLK, F_RDLCK, 1000, 1));
	ASSERT_LT(0, ckpt_restart(&self->target, 0));
	ASSERT_EQ(0, lock(self->fd, F_SETLK, F_UNLCK, 0, END));
	ASSERT_EQ(0, ckpt_go(&self->target));
	EXPECT_EQ(0, ckpt_end(&self->target));
}

TEST_F(others, flock)
{
	self->fd = take(&self->target, "has_flock");
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, flock(self->fd, LOCK_EX));
	refused(_metadata, &self->target, "file: is locked by");
	ASSERT_EQ(0, flock(self->fd, LOCK_SH));
	goes_on(_metadata, &self->target);
}

/* While it lives, and a checkpoint is taken, the lock stays where it is. */
TEST_F(others, live)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, ckpt_start(target, "has_posix", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	EXPECT_LT(0, ckpt_checkpoint(target, 0));
	EXPECT_EQ(-EEXIST, ckpt_restart(target, 0));
	EXPECT_EQ(-EBUSY, ckpt_restart(target, RESTART_NEW_PIDS));
	self->fd = open(ckpt_path(target, "file"), O_RDWR | O_CLOEXEC);
	EXPECT_EQ(-1, lock(self->fd, F_SETLK, F_RDLCK, 10, 1));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* Who waits for one waits again. */
CKPT_TARGET(waits)
{
	int fd = make_file("file", O_RDWR);

	ckpt_ready();
	while (access("locked", F_OK))
		ckpt_msleep(2);
	NEED(!lock(fd, F_SETLKW, F_WRLCK, 0, 10));
	FOUND("file", 0, END, "w 0+10 self");
}

static void waiter(struct __test_metadata *_metadata,
		   struct ckpt_target *target, int *fd, enum ckpt_mode mode)
{
	ASSERT_EQ(0, ckpt_start(target, "waits", mode));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	*fd = open(ckpt_path(target, "file"), O_RDWR | O_CLOEXEC);
	ASSERT_EQ(0, lock(*fd, F_OFD_SETLK, F_WRLCK, 5, 1));
	close(open(ckpt_path(target, "locked"), O_CREAT | O_WRONLY, 0600));
	ASSERT_EQ(0, ckpt_wait_syscall(target, SYS_fcntl));
	ASSERT_EQ(0, ckpt_cycle(target));
	ASSERT_EQ(0, ckpt_wait_syscall(target, SYS_fcntl));
	ASSERT_EQ(0, lock(*fd, F_OFD_SETLK, F_UNLCK, 0, END));
	EXPECT_EQ(0, ckpt_end(target));
}

TEST_F(others, waits_live)
{
	waiter(_metadata, &self->target, &self->fd, CKPT_LIVE);
}

TEST_F(others, waits_killed)
{
	waiter(_metadata, &self->target, &self->fd, CKPT_KILLED);
}

/* A description, and with it its lock, that a process outside has as well. */

CKPT_TARGET(inherited)
{
	ckpt_ready();
	ckpt_wait();
}

static void inherit(struct __test_metadata *_metadata,
		    struct ckpt_target *target, int fd)
{
	target->pid = fork();
	ASSERT_LE(0, target->pid);
	if (target->pid)
		return;
	NEED(dup2(fd, 100) == 100 && !chdir(target->dir));
	syscall(SYS_close_range, 0, 99, 0);
	syscall(SYS_close_range, 101, ~0U, 0);
	execl("/proc/self/exe", "target", "--target", "inherited", "0", NULL);
	_exit(126);
}

static void from_outside(struct __test_metadata *_metadata,
			 struct ckpt_target *target, int fd, bool locked)
{
	inherit(_metadata, target, fd);
	ASSERT_EQ(0, ckpt_wait_ready(target));
	if (locked) {
		EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint(target, 0));
		EXPECT_TRUE(has_log(target, "is shared with a process outside"));
		EXPECT_TRUE(has_log(target, "file"));
		close(fd);
	}
	EXPECT_LT(0, ckpt_checkpoint(target, 0));
}

static int file_outside(struct ckpt_target *target)
{
	snprintf(target->dir, sizeof(target->dir), "/tmp/ckpt-XXXXXX");
	NEED(mkdtemp(target->dir));
	return make_file(ckpt_path(target, "file"), O_RDWR | O_CLOEXEC);
}

TEST_F(others, flock_shared_outside)
{
	int fd = file_outside(&self->target);

	ASSERT_EQ(0, flock(fd, LOCK_EX));
	from_outside(_metadata, &self->target, fd, true);
}

TEST_F(others, ofd_shared_outside)
{
	int fd = file_outside(&self->target);

	ASSERT_EQ(0, lock(fd, F_OFD_SETLK, F_WRLCK, 0, 1));
	from_outside(_metadata, &self->target, fd, true);
}

/* That is not the child's at all. */
TEST_F(others, posix_outside)
{
	int fd = file_outside(&self->target);

	ASSERT_EQ(0, lock(fd, F_SETLK, F_WRLCK, 0, 1));
	from_outside(_metadata, &self->target, fd, false);
	close(fd);
}

CKPT_TEST_MAIN
