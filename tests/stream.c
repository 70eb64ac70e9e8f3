// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an image goes out to: pipes, sockets and files that get its pages by
 * reference. The target writes to all of its memory meanwhile, over and over, and
 * the reader takes its time: what is on its way must be what it was.
 */
#define _GNU_SOURCE
#include "ckpt_test.h"
#include "ckpt_loop.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>

#define PAGE	4096UL
#define PAGES	2048UL

static unsigned long *word(char *memory, unsigned long page)
{
	return (unsigned long *)(memory + page * PAGE);
}

static char *get(int flags)
{
	char *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		       MAP_ANONYMOUS | flags, -1, 0);

	NEED(p != MAP_FAILED);
	return p;
}

/* Each page in turn: those before have the new number, those behind the old. */
static void write_all(char *memory)
{
	unsigned long nr = 1;

	/* So that an image has more pages than anybody takes at once. */
	for (unsigned long i = 0; i < PAGES; i++)
		*word(memory, i) = nr;
	ckpt_ready();
	do {
		nr++;
		for (unsigned long i = 0; i < PAGES; i++) {
			NEED(*word(memory, i) == nr - 1);
			*word(memory, i) = nr;
		}
	} while (!ckpt_gone());
}

CKPT_TARGET(private)
{
	write_all(get(MAP_PRIVATE));
}

CKPT_TARGET(shared)
{
	write_all(get(MAP_SHARED));
}

/* Deleted, so that its contents are in the image. */
CKPT_TARGET(file)
{
	int fd = open("file", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	char *p;

	NEED(fd >= 0 && !ftruncate(fd, PAGES * PAGE) && !unlink("file"));
	p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(p != MAP_FAILED);
	write_all(p);
}

/* Two ends, the first to be written to. */

static int make_pipe(int fd[2])
{
	int end[2];

	if (pipe2(end, O_CLOEXEC))
		return -1;
	fd[0] = end[1];
	fd[1] = end[0];
	return 0;
}

/* As much is on its way as can be. */
static int make_large_pipe(int fd[2])
{
	return make_pipe(fd) || fcntl(fd[0], F_SETPIPE_SZ, 1 << 20) < 0;
}

static int make_packet_pipe(int fd[2])
{
	return make_pipe(fd) || fcntl(fd[0], F_SETFL, O_DIRECT);
}

static int make_local(int fd[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd);
}

static int make_tcp(int fd[2])
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);

	if (bind(listener, (void *)&addr, len) || listen(listener, 1) ||
	    getsockname(listener, (void *)&addr, &len))
		return -1;
	fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd[0], (void *)&addr, len))
		return -1;
	fd[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	return fd[1] < 0 ? -1 : 0;
}

FIXTURE(stream) {
	struct ckpt_target target;
	int fd[2];
};

FIXTURE_VARIANT(stream) {
	int (*make)(int fd[2]);
};

#define WAY(name)							\
	FIXTURE_VARIANT_ADD(stream, name) { .make = make_##name }

WAY(pipe);
WAY(large_pipe);
WAY(packet_pipe);
WAY(local);
WAY(tcp);

FIXTURE_SETUP(stream)
{
	memset(self, 0, sizeof(*self));
	ASSERT_EQ(0, variant->make(self->fd));
}

FIXTURE_TEARDOWN(stream)
{
	ckpt_clean(&self->target);
}

static long checkpoint(struct ckpt_target *target, int fd, unsigned int flags)
{
	long ret = syscall(__NR_checkpoint, target->pid, fd, flags);

	return ret < 0 ? -errno : ret;
}

/* In a child, since somebody has to read. */
static pid_t checkpointer(struct ckpt_target *target, int fd[2],
			  unsigned int flags)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid) {
		close(fd[0]);
		return pid;
	}
	close(fd[1]);
	signal(SIGPIPE, SIG_IGN);
	_exit(checkpoint(target, fd[0], flags) > 0 ? 0 : errno);
}

static int create(struct ckpt_target *target, int flags)
{
	return open(ckpt_path(target, "image"),
		    O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC | flags, 0600);
}

/* A reader who is slow: the target gets around to all of its memory meanwhile. */
static bool receive(struct ckpt_target *target, int from)
{
	int to = create(target, 0);
	static char buf[1 << 20];
	ssize_t len;

	for (int i = 0; (len = read(from, buf, sizeof(buf))) > 0; i++) {
		if (write(to, buf, len) != len)
			return false;
		if (i < 8)
			ckpt_msleep(20);
	}
	close(to);
	close(from);
	return !len;
}

static int ended(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define THERE_AND_BACK(name)						\
	TEST_F_TIMEOUT(stream, name, 100)				\
	{								\
		struct ckpt_target *target = &self->target;		\
		pid_t pid;						\
									\
		ASSERT_EQ(0, ckpt_start(target, #name, CKPT_LIVE));	\
		ASSERT_EQ(0, ckpt_wait_ready(target));			\
		pid = checkpointer(target, self->fd, 0);		\
		EXPECT_TRUE(receive(target, self->fd[1]));		\
		ASSERT_EQ(0, ended(pid));				\
		ckpt_kill(target);					\
		ASSERT_LT(0, ckpt_restart(target, 0));			\
		ASSERT_EQ(0, ckpt_go(target));				\
		EXPECT_EQ(0, ckpt_end(target));				\
	}

THERE_AND_BACK(private)
THERE_AND_BACK(shared)
THERE_AND_BACK(file)

/* The reader has enough of it. */
TEST_F(stream, not_wanted)
{
	struct ckpt_target *target = &self->target;
	char buf[10000];
	pid_t pid;

	ASSERT_EQ(0, ckpt_start(target, "private", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	pid = checkpointer(target, self->fd, CHECKPOINT_KILL);
	EXPECT_LT(0, read(self->fd[1], buf, sizeof(buf)));
	close(self->fd[1]);
	EXPECT_LT(0, ended(pid));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* A reader who does not read, and a writer who may not wait for it. */
TEST_F(stream, nonblocking)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, ckpt_start(target, "private", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_EQ(0, fcntl(self->fd[0], F_SETFL, O_NONBLOCK |
			   fcntl(self->fd[0], F_GETFL)));
	EXPECT_EQ(-EAGAIN, checkpoint(target, self->fd[0], 0));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* Whoever waits for a reader can be killed. */
TEST_F(stream, killed)
{
	struct ckpt_target *target = &self->target;
	pid_t pid;

	ASSERT_EQ(0, ckpt_start(target, "private", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	pid = checkpointer(target, self->fd, CHECKPOINT_KILL);
	ckpt_msleep(100);
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(-1, ended(pid));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* Past the page cache. */

FIXTURE(direct) {
	struct ckpt_target target;
	char mnt[64];
};

FIXTURE_SETUP(direct)
{
	char disk[96];

	memset(self, 0, sizeof(*self));
	ASSERT_EQ(0, ckpt_start(&self->target, "private", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(&self->target));
	snprintf(self->mnt, sizeof(self->mnt), "/tmp/direct-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->mnt));
	snprintf(disk, sizeof(disk), "%s", ckpt_path(&self->target, "disk"));
	if (ckpt_loop_mount(disk, 64 << 20, self->mnt))
		SKIP(return, "no mke2fs");
}

FIXTURE_TEARDOWN(direct)
{
	umount2(self->mnt, MNT_DETACH);
	rmdir(self->mnt);
	ckpt_clean(&self->target);
}

static void direct(struct __test_metadata *_metadata,
		   struct ckpt_target *target, const char *mnt,
		   unsigned int flags)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "%s/image", mnt);
	ASSERT_EQ(0, symlink(path, ckpt_path(target, "image")));
	fd = create(target, O_DIRECT);
	ASSERT_LE(0, fd);
	EXPECT_LT(0, checkpoint(target, fd, flags));
	close(fd);
	ckpt_kill(target);
	ASSERT_LT(0, ckpt_restart(target, 0));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

TEST_F_TIMEOUT(direct, file, 100)
{
	direct(_metadata, &self->target, self->mnt, 0);
}

TEST_F_TIMEOUT(direct, checksum, 100)
{
	direct(_metadata, &self->target, self->mnt, CHECKPOINT_CHECKSUM);
}

/* Whose pages begin anywhere. */
TEST_F_TIMEOUT(direct, compressed, 100)
{
	direct(_metadata, &self->target, self->mnt, CHECKPOINT_LZ4);
}

CKPT_TEST_MAIN
