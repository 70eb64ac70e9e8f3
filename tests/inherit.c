// SPDX-License-Identifier: GPL-2.0-only
/* Files that lead outside of the tree: named at checkpoint, supplied at restart. */
#include "ckpt_test.h"

#include <netinet/in.h>
#include "ckpt_proc.h"

#include <sys/socket.h>

/* An end of a pipe that a process outside has, and another kind of file. */
CKPT_TARGET(writer)
{
	char path[64];
	int fd, sock, on = 1;

	snprintf(path, sizeof(path), "/proc/%d/fd/50", getppid());
	fd = open(path, O_WRONLY);
	sock = socket(AF_INET, SOCK_RAW, 1);
	NEED(fd == 3 && sock == 4);
	NEED(!setsockopt(sock, SOL_IP, IP_ROUTER_ALERT, &on, sizeof(on)));
	NEED(dup2(fd, 60) == 60);
	ckpt_point();
	CHECK_EQ(write(fd, "three", 5), 5);
	CHECK_EQ(write(60, "sixty", 5), 5);
	CHECK(fcntl(sock, F_GETFD) >= 0);
}

CKPT_TARGET(opener)
{
	NEED(open("file", O_CREAT | O_RDWR, 0600) == 3);
	NEED(write(3, "own", 3) == 3);
	ckpt_point();
	CHECK_EQ(write(3, "more", 4), 4);
}

FIXTURE(inherit) {
	struct ckpt_target target;
	int pipe[2];
	int image;
	int log;
	char names[2][128];
	struct checkpoint_external ext[4];
};

FIXTURE_SETUP(inherit)
{
	memset(self, 0, sizeof(*self));
	ASSERT_EQ(0, pipe2(self->pipe, O_CLOEXEC));
	ASSERT_EQ(50, dup3(self->pipe[1], 50, O_CLOEXEC));
	self->image = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	self->log = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	ASSERT_LE(0, self->image);
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(inherit)
{
	ckpt_clean(&self->target);
}

static bool says(int log, const char *text)
{
	char buf[1024] = "";

	if (pread(log, buf, sizeof(buf) - 1, 0) > 0 && strstr(buf, text))
		return true;
	printf("# \"%s\" does not say \"%s\"\n", buf, text);
	return false;
}

static void name_of(pid_t pid, int fd, char *name)
{
	char path[64];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	len = readlink(path, name, 127);
	name[len > 0 ? len : 0] = 0;
}

static void name_both(struct checkpoint_external *ext, char names[2][128],
		      pid_t pid)
{
	for (int i = 0; i < 2; i++) {
		name_of(pid, 3 + i, names[i]);
		ext[i] = (struct checkpoint_external){
			.name = (uintptr_t)names[i], .fd = -1,
		};
	}
}

static long call(long nr, long pid, int image, unsigned int flags, int log,
		 const struct checkpoint_external *ext, unsigned int count)
{
	lseek(image, 0, SEEK_SET);
	lseek(log, 0, SEEK_SET);
	if (ftruncate(log, 0))
		return -1;
	return syscall(nr, pid, image, flags | CHECKPOINT_EXTERNAL |
		       CHECKPOINT_LOGFD, log, ext, count) < 0 ? -errno : 1;
}

static long take(long pid, int image, unsigned int flags, int log,
		 const struct checkpoint_external *ext, unsigned int count)
{
	return call(__NR_checkpoint, pid, image, flags, log, ext, count);
}

static long bring(int image, unsigned int flags, int log,
		  const struct checkpoint_external *ext, unsigned int count)
{
	lseek(image, 0, SEEK_SET);
	lseek(log, 0, SEEK_SET);
	if (ftruncate(log, 0))
		return -1;
	long ret = syscall(__NR_restart, 0, image, flags | RESTART_EXTERNAL |
			   RESTART_LOGFD, log, ext, count);

	return ret < 0 ? -errno : ret;
}

TEST_F(inherit, pipe_and_socket)
{
	struct ckpt_target *target = &self->target;
	int other[2], sock = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 1);
	char buf[16] = "";

	if (sock < 0)
		SKIP(return, "no raw sockets");
	ASSERT_EQ(0, ckpt_start(target, "writer", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	EXPECT_EQ(-EOPNOTSUPP, take(target->pid, self->image, 0, self->log,
				    NULL, 0));
	name_both(self->ext, self->names, target->pid);
	EXPECT_EQ(-EOPNOTSUPP, take(target->pid, self->image, 0, self->log,
				    self->ext, 1));
	EXPECT_EQ(-EOPNOTSUPP, take(target->pid, self->image, 0, self->log,
				    self->ext + 1, 1));
	EXPECT_TRUE(says(self->log, self->names[0]));
	EXPECT_TRUE(says(self->log, "--external"));
	ASSERT_EQ(1, take(target->pid, self->image, CHECKPOINT_KILL, self->log,
			  self->ext, 2));
	ckpt_kill(target);

	ASSERT_EQ(0, pipe2(other, O_CLOEXEC));
	/* Supplied to be read, where it has to be written, and then as it is. */
	self->ext[0].fd = other[0];
	self->ext[1].fd = sock;
	EXPECT_EQ(-ENXIO, bring(self->image, 0, self->log, self->ext, 2));
	EXPECT_TRUE(says(self->log, "to be written, has to be supplied"));
	EXPECT_EQ(-ENXIO, bring(self->image, 0, self->log, self->ext, 0));
	self->ext[2] = self->ext[0];
	self->ext[2].fd = other[1];
	target->pid = bring(self->image, 0, self->log, self->ext, 3);
	ASSERT_LT(0, target->pid);
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
	close(other[1]);
	EXPECT_EQ(10, read(other[0], buf, 10));
	EXPECT_EQ(0, memcmp(buf, "threesixty", 10));
	EXPECT_EQ(0, read(other[0], buf, 1));
}

/* By its path, with a file and an offset of the restarter's. */
TEST_F(inherit, file)
{
	struct ckpt_target *target = &self->target;
	char buf[16] = "";
	int fd;

	ASSERT_EQ(0, ckpt_start(target, "opener", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	name_of(target->pid, 3, self->names[0]);
	self->ext[0] = (struct checkpoint_external){
		.name = (uintptr_t)self->names[0], .fd = -1,
	};
	ASSERT_EQ(1, take(target->pid, self->image, CHECKPOINT_KILL, self->log,
			  self->ext, 1));
	ckpt_kill(target);
	fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	ASSERT_EQ(5, write(fd, "12345", 5));
	self->ext[0].fd = fd;
	target->pid = bring(self->image, 0, self->log, self->ext, 1);
	ASSERT_LT(0, target->pid);
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
	EXPECT_EQ(9, pread(fd, buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, "12345more", 9));
}

TEST_F(inherit, arguments)
{
	struct ckpt_target *target = &self->target;
	struct checkpoint_external ext = {
		.name = (uintptr_t)"pipe:[1]", .fd = -1,
	};
	static char long_name[5000];

	ASSERT_EQ(0, ckpt_start(target, "opener", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	EXPECT_EQ(-ENOENT, take(target->pid, self->image, 0, self->log, &ext,
				1));
	EXPECT_TRUE(says(self->log, "nothing is called pipe:[1]"));
	EXPECT_EQ(-E2BIG, take(target->pid, self->image, 0, self->log, &ext,
			       100000));
	EXPECT_EQ(-EFAULT, take(target->pid, self->image, 0, self->log,
				(void *)8, 1));
	ext.reserved = 1;
	EXPECT_EQ(-EINVAL, take(target->pid, self->image, 0, self->log, &ext,
				1));
	ext.reserved = 0;
	ext.fd = 0;
	EXPECT_EQ(-EINVAL, take(target->pid, self->image, 0, self->log, &ext,
				1));
	ext.fd = -1;
	EXPECT_EQ(-EBADF, bring(self->image, 0, self->log, &ext, 1));
	ext.name = 8;
	EXPECT_EQ(-EFAULT, take(target->pid, self->image, 0, self->log, &ext,
				1));
	memset(long_name, 'x', sizeof(long_name) - 1);
	ext.name = (uintptr_t)long_name;
	EXPECT_EQ(-EINVAL, take(target->pid, self->image, 0, self->log, &ext,
				1));
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

CKPT_TEST_MAIN
