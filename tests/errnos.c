// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every error of the two calls, as sys_checkpoint() and sys_restart() list them.
 * After each the target goes on, nothing is left behind, and the caller is what
 * it was.
 */
#include "ckpt_test.h"
#include "ckpt_fuse.h"
#include "ckpt_proc.h"

#include <linux/checkpoint_image.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>

/* The caller: what it has. */

struct caller {
	char	maps[65536];
	char	children[256];
	int	fds;
	int	umask;
	long	sigmask;
};

static struct caller before, after;

/* With nothing that takes memory. */
static int count_fds(void)
{
	int nr = 0;

	for (int fd = 0; fd < 1024; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

static void caller_note(struct caller *caller)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	ckpt_read("/proc/self/maps", caller->maps, sizeof(caller->maps));
	ckpt_read(path, caller->children, sizeof(caller->children));
	caller->fds = count_fds();
	caller->umask = umask(0);
	umask(caller->umask);
	syscall(SYS_rt_sigprocmask, 0, NULL, &caller->sigmask, 8);
}

#define CALLER_SAME()							\
	do {								\
		caller_note(&after);					\
		EXPECT_STREQ(before.maps, after.maps);			\
		EXPECT_STREQ(before.children, after.children);		\
		EXPECT_EQ(before.fds, after.fds);			\
		EXPECT_EQ(before.umask, after.umask);			\
		EXPECT_EQ(before.sigmask, after.sigmask);		\
	} while (0)

/* The calls, with a log. */

static char log_text[4096];
static int log_fd = -1;

static void log_start(void)
{
	if (log_fd < 0)
		log_fd = syscall(SYS_memfd_create, "log", 1);
	NEED(log_fd >= 0 && !ftruncate(log_fd, 0));
	NEED(!lseek(log_fd, 0, SEEK_SET));
}

static long log_end(long ret)
{
	long result = ret < 0 ? -errno : ret;
	ssize_t len = pread(log_fd, log_text, sizeof(log_text) - 1, 0);

	NEED(len >= 0);
	log_text[len] = 0;
	return result;
}

static long checkpoint(pid_t pid, int fd, unsigned int flags)
{
	log_start();
	return log_end(syscall(__NR_checkpoint, pid, fd,
			       flags | CHECKPOINT_LOGFD, log_fd));
}

static long restart(pid_t pid, int fd, unsigned int flags)
{
	log_start();
	return log_end(syscall(__NR_restart, pid, fd, flags | RESTART_LOGFD,
			       log_fd));
}

static bool says(const char *text)
{
	if (strstr(log_text, text))
		return true;
	printf("# \"%s\" does not say \"%s\"\n", log_text, text);
	return false;
}

FIXTURE(checkpoint) {
	struct ckpt_target target;
	int image;
	pid_t pid;
};

#define BUSY_SIZE	(400 * 1024)

CKPT_TARGET(busy)
{
	char *p = mmap(NULL, BUSY_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(p != MAP_FAILED);
	memset(p, 'm', BUSY_SIZE);
	ckpt_ready();
	while (!ckpt_gone())
		sched_yield();
	for (int i = 0; i < BUSY_SIZE; i++)
		NEED(p[i] == 'm');
}

FIXTURE_SETUP(checkpoint)
{
	memset(self, 0, sizeof(*self));
	ASSERT_EQ(0, ckpt_start(&self->target, "busy", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(&self->target));
	self->pid = self->target.pid;
	self->image = open(ckpt_path(&self->target, "image"),
			   O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	ASSERT_LE(0, self->image);
	log_start();
	caller_note(&before);
}

/* Whatever was tried, the target is well. */
FIXTURE_TEARDOWN(checkpoint)
{
	CALLER_SAME();
	EXPECT_EQ(0, ckpt_go(&self->target));
	EXPECT_EQ(0, ckpt_end(&self->target));
	ckpt_clean(&self->target);
}

/* That nothing was begun. */
static long size_of(int fd)
{
	struct stat stat_buf;

	NEED(!fstat(fd, &stat_buf));
	return stat_buf.st_size;
}

#define REFUSED_AT_ONCE(err, pid, fd, flags)				\
	do {								\
		EXPECT_EQ(-(err), checkpoint(pid, fd, flags));		\
		EXPECT_EQ(0, size_of(self->image));			\
	} while (0)

TEST_F(checkpoint, succeeds)
{
	EXPECT_LT(0, checkpoint(self->pid, self->image, 0));
	EXPECT_STREQ("", log_text);
}

TEST_F(checkpoint, bad_descriptor)
{
	int fd;

	REFUSED_AT_ONCE(EBADF, self->pid, -1, 0);
	REFUSED_AT_ONCE(EBADF, self->pid, 1000, 0);
	fd = open("/dev/null", O_RDONLY);
	REFUSED_AT_ONCE(EBADF, self->pid, fd, 0);
	close(fd);
	fd = open("/tmp", O_PATH);
	REFUSED_AT_ONCE(EBADF, self->pid, fd, CHECKPOINT_KILL);
	close(fd);
}

TEST_F(checkpoint, bad_log)
{
	int fd = open("/dev/null", O_RDONLY);

	EXPECT_EQ(-1, syscall(__NR_checkpoint, self->pid, self->image,
			      CHECKPOINT_LOGFD, -1));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, syscall(__NR_checkpoint, self->pid, self->image,
			      CHECKPOINT_LOGFD, fd));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(0, size_of(self->image));
	close(fd);
}

TEST_F(checkpoint, bad_flags)
{
	for (int i = 0; i < 32; i++)
		if (!(CHECKPOINT_FLAGS & (1U << i)))
			REFUSED_AT_ONCE(EINVAL, self->pid, self->image,
					1U << i);
	REFUSED_AT_ONCE(EINVAL, self->pid, self->image,
			CHECKPOINT_KILL | CHECKPOINT_STOP);
	REFUSED_AT_ONCE(EINVAL, self->pid, self->image,
			CHECKPOINT_LZ4 | CHECKPOINT_ZSTD);
	REFUSED_AT_ONCE(EINVAL, getpid(), self->image, CHECKPOINT_KILL);
	REFUSED_AT_ONCE(EINVAL, getpid(), self->image, CHECKPOINT_STOP);
}

TEST_F(checkpoint, bad_pid)
{
	REFUSED_AT_ONCE(EINVAL, 0, self->image, 0);
	REFUSED_AT_ONCE(EINVAL, -1, self->image, 0);
	REFUSED_AT_ONCE(EINVAL, -self->pid, self->image, 0);
}

TEST_F(checkpoint, no_such_process)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	/* A zombie, and then nothing. */
	EXPECT_EQ(0, waitid(P_PID, pid, NULL, WEXITED | WNOWAIT));
	REFUSED_AT_ONCE(ESRCH, pid, self->image, 0);
	EXPECT_TRUE(says("exits"));
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
	REFUSED_AT_ONCE(ESRCH, pid, self->image, 0);
	EXPECT_TRUE(says("no such process"));
	REFUSED_AT_ONCE(ESRCH, 0x7fffffff, self->image, 0);
}

static char thread_stack[65536] __attribute__((aligned(16)));
static volatile int thread_end;
static volatile pid_t thread_id;

static int thread_main(void *arg)
{
	(void)arg;
	while (!thread_end)
		syscall(SYS_sched_yield);
	return 0;
}

static pid_t thread_start(int (*body)(void *arg))
{
	thread_end = 0;
	return clone(body, thread_stack + sizeof(thread_stack),
		     CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
		     CLONE_THREAD | CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID,
		     NULL, (void *)&thread_id, NULL, (void *)&thread_id);
}

static void thread_join(void)
{
	thread_end = 1;
	while (thread_id)
		syscall(SYS_sched_yield);
}

TEST_F(checkpoint, thread)
{
	char text[64];
	pid_t tid = thread_start(thread_main);

	ASSERT_LT(0, tid);
	snprintf(text, sizeof(text), "is a thread of process %d", getpid());
	REFUSED_AT_ONCE(ESRCH, tid, self->image, 0);
	EXPECT_TRUE(says(text));
	thread_join();
}

CKPT_TARGET(threads)
{
	char text[16];
	int fd;

	NEED(thread_start(thread_main) > 0);
	fd = open("thread", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	NEED(fd >= 0);
	snprintf(text, sizeof(text), "%d", thread_id);
	NEED(write(fd, text, strlen(text)) > 0);
	ckpt_ready();
	ckpt_wait();
	thread_join();
}

TEST_F(checkpoint, thread_of_another)
{
	struct ckpt_target target;
	char text[64];

	ASSERT_EQ(0, ckpt_start(&target, "threads", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	ckpt_read(ckpt_path(&target, "thread"), text, sizeof(text));
	REFUSED_AT_ONCE(ESRCH, atoi(text), self->image, 0);
	snprintf(text, sizeof(text), "is a thread of process %d", target.pid);
	EXPECT_TRUE(says(text));
	EXPECT_EQ(0, ckpt_go(&target));
	EXPECT_EQ(0, ckpt_end(&target));
	ckpt_clean(&target);
}

TEST_F(checkpoint, kernel_thread)
{
	REFUSED_AT_ONCE(EPERM, 2, self->image, 0);
	EXPECT_TRUE(says("is a kernel thread"));
}

/* In a process that is not root any more. */
static int as_user(pid_t pid, int fd, int flags)
{
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		syscall(SYS_setgroups, 0, NULL);
		syscall(SYS_setresgid, 1000, 1000, 1000);
		syscall(SYS_setresuid, 1000, 1000, 1000);
		_exit(-checkpoint(pid, fd, flags) | (says("not permitted") ?
						     0 : 128));
	}
	waitpid(child, &status, 0);
	return status;
}

TEST_F(checkpoint, not_permitted)
{
	EXPECT_EQ(EPERM << 8, as_user(self->pid, self->image, 0));
	EXPECT_EQ(EPERM << 8, as_user(self->pid, self->image, CHECKPOINT_KILL));
	EXPECT_EQ(0, size_of(self->image));
}

/* A process of the same user, that does not want to be looked into. */
CKPT_TARGET(secretive)
{
	NEED(!chmod(".", 0777));
	NEED(!syscall(SYS_setresuid, 1000, 1000, 1000));
	NEED(!prctl(PR_SET_DUMPABLE, 0));
	ckpt_ready();
	ckpt_wait();
}

TEST_F(checkpoint, not_dumpable)
{
	struct ckpt_target target;

	ASSERT_EQ(0, ckpt_start(&target, "secretive", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	EXPECT_EQ(EPERM << 8, as_user(target.pid, self->image, 0));
	EXPECT_EQ(0, ckpt_go(&target));
	EXPECT_EQ(0, ckpt_end(&target));
	ckpt_clean(&target);
}

#define BROKEN_DIR	"/tmp/errnos-broken"

/* Who waits for an answer that does not come can be killed, and nothing else. */
CKPT_TARGET(sleeper)
{
	int fd = open(BROKEN_DIR "/file", O_RDONLY | O_CLOEXEC);

	NEED(fd >= 0);
	close(fd);
	ckpt_ready();
	CHECK_EQ(open(BROKEN_DIR "/file", O_RDONLY | O_CLOEXEC), -1);
	ckpt_wait();
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void alarm_in(int ms)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval it = { .it_value = { 0, ms * 1000 } };

	NEED(!sigaction(SIGALRM, &action, NULL));
	NEED(!setitimer(ITIMER_REAL, &it, NULL));
}

static void alarm_off(void)
{
	struct itimerval it = {};

	NEED(!setitimer(ITIMER_REAL, &it, NULL));
}

TEST_F(checkpoint, uninterruptible)
{
	struct ckpt_fuse *fs = ckpt_fuse_start(BROKEN_DIR, CKPT_FUSE_STUCK);
	struct ckpt_target target;
	long long start;
	char text[64];

	if (!fs)
		SKIP(return, "no FUSE");
	ASSERT_EQ(0, ckpt_start(&target, "sleeper", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	for (int i = 0; i < 10000 && fs->opened < 2; i++)
		ckpt_msleep(1);
	/* A signal ends the wait. */
	alarm_in(100);
	REFUSED_AT_ONCE(EINTR, target.pid, self->image, 0);
	start = ckpt_now();
	REFUSED_AT_ONCE(EBUSY, target.pid, self->image, CHECKPOINT_KILL);
	EXPECT_GT(15000, ckpt_now() - start);
	snprintf(text, sizeof(text),
		 "pid %d (errnos): does not come to a stop", target.pid);
	EXPECT_TRUE(says(text));
	ckpt_fuse_stop(fs, BROKEN_DIR);
	EXPECT_EQ(0, ckpt_go(&target));
	EXPECT_EQ(0, ckpt_end(&target));
	ckpt_clean(&target);
}

/* The first writes to a pipe from which nobody reads. */
TEST_F(checkpoint, held_by_another)
{
	int fd[2], written = 0, status = 0;
	pid_t child;

	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(0, pipe(fd));
	child = fork();
	if (!child) {
		close(fd[0]);
		_exit(-checkpoint(self->pid, fd[1], CHECKPOINT_KILL));
	}
	for (int i = 0; i < 5000 && written < 65536; i++) {
		ckpt_msleep(1);
		ASSERT_EQ(0, ioctl(fd[0], FIONREAD, &written));
	}
	REFUSED_AT_ONCE(EBUSY, self->pid, self->image, 0);
	EXPECT_TRUE(says("does not come to a stop: another checkpoint holds it"));
	close(fd[0]);
	EXPECT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(EPIPE << 8, status);
	close(fd[1]);
}

/* One signal more than an image may have. */
#define SIGNALS_MAX	262144

CKPT_TARGET(flooded)
{
	struct rlimit limit = { 2 * SIGNALS_MAX, 2 * SIGNALS_MAX };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	NEED(!sigprocmask(SIG_BLOCK, &set, NULL));
	NEED(!setrlimit(RLIMIT_SIGPENDING, &limit));
	ckpt_ready();
	ckpt_wait();
}

TEST_F_TIMEOUT(checkpoint, too_many_signals, 200)
{
	union sigval value = { .sival_int = 0 };
	static char line[4096];
	struct ckpt_target target;

	ckpt_read("/proc/cmdline", line, sizeof(line));
	if (strstr(line, "ckpt.debug=1"))
		SKIP(return, "a debug kernel queues signals for minutes");
	ASSERT_EQ(0, ckpt_start(&target, "flooded", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	for (int i = 0; i <= SIGNALS_MAX; i++)
		ASSERT_EQ(0, sigqueue(target.pid, SIGRTMIN, value));
	REFUSED_AT_ONCE(E2BIG, target.pid, self->image, 0);
	EXPECT_TRUE(says("too many"));
	EXPECT_EQ(0, ckpt_go(&target));
	EXPECT_EQ(0, ckpt_end(&target));
	ckpt_clean(&target);
}

TEST_F(checkpoint, unsupported)
{
	/* A descriptor of the caller's is of no matter. */
	int fd[2];

	ASSERT_EQ(0, pipe(fd));
	EXPECT_LT(0, checkpoint(self->pid, self->image, 0));
	close(fd[0]);
	close(fd[1]);
}

/* Writing fails, early or late; the target is not killed. */

static void write_fails(struct __test_metadata *_metadata, pid_t pid, int fd,
			int err)
{
	static const unsigned int flags[] = {
		0, CHECKPOINT_KILL, CHECKPOINT_STOP,
	};

	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(-err, checkpoint(pid, fd, flags[i]));
		EXPECT_EQ(0, kill(pid, 0));
		EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG | WUNTRACED));
	}
}

/* A file that takes what it is given from user memory only. */
TEST_F(checkpoint, not_from_the_kernel)
{
	int fd = open("/dev/full", O_WRONLY);

	ASSERT_LE(0, fd);
	write_fails(_metadata, self->pid, fd, EINVAL);
	EXPECT_TRUE(says("the image can't be written"));
	close(fd);
}

TEST_F(checkpoint, filesystem_full)
{
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "%s/small", self->target.dir);
	ASSERT_EQ(0, mkdir(path, 0700));
	ASSERT_EQ(0, mount("none", path, "tmpfs", 0, "size=200k"));
	strcat(path, "/image");
	fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	EXPECT_LE(0, fd);
	write_fails(_metadata, self->pid, fd, ENOSPC);
	/* What was written is no image. */
	lseek(fd, 0, SEEK_SET);
	EXPECT_EQ(-EBADMSG, restart(0, fd, RESTART_NEW_PIDS));
	close(fd);
	path[strlen(path) - 6] = 0;
	EXPECT_EQ(0, umount(path));
}

TEST_F(checkpoint, io_error)
{
	struct ckpt_fuse *fs = ckpt_fuse_start(BROKEN_DIR, CKPT_FUSE_EIO);
	int fd;

	if (!fs)
		SKIP(return, "no FUSE");
	fd = open(BROKEN_DIR "/file", O_WRONLY | O_CLOEXEC);
	EXPECT_LE(0, fd);
	write_fails(_metadata, self->pid, fd, EIO);
	EXPECT_TRUE(says("the image can't be written: -EIO"));
	close(fd);
	ckpt_fuse_stop(fs, BROKEN_DIR);
}

TEST_F(checkpoint, file_too_big)
{
	struct rlimit old, limit;

	ASSERT_EQ(0, getrlimit(RLIMIT_FSIZE, &old));
	limit = old;
	limit.rlim_cur = 100000;
	signal(SIGXFSZ, SIG_IGN);
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &limit));
	write_fails(_metadata, self->pid, self->image, EFBIG);
	EXPECT_EQ(100000, size_of(self->image));
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, &old));
}

TEST_F(checkpoint, pipe_closed)
{
	int fd[2];

	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(0, pipe(fd));
	close(fd[0]);
	write_fails(_metadata, self->pid, fd[1], EPIPE);
	close(fd[1]);
}

TEST_F(checkpoint, socket_closed)
{
	int fd[2];

	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	close(fd[0]);
	write_fails(_metadata, self->pid, fd[1], EPIPE);
	close(fd[1]);
}

TEST_F(checkpoint, pipe_would_block)
{
	int fd[2];

	ASSERT_EQ(0, pipe2(fd, O_NONBLOCK));
	write_fails(_metadata, self->pid, fd[1], EAGAIN);
	close(fd[0]);
	close(fd[1]);
}

TEST_F(checkpoint, interrupted)
{
	int fd[2];

	ASSERT_EQ(0, pipe(fd));
	alarm_in(50);
	EXPECT_EQ(-EINTR, checkpoint(self->pid, fd[1], 0));
	alarm_in(50);
	EXPECT_EQ(-EINTR, checkpoint(self->pid, fd[1], CHECKPOINT_KILL));
	alarm_in(50);
	EXPECT_EQ(-EINTR, checkpoint(self->pid, fd[1], CHECKPOINT_STOP));
	alarm_off();
	EXPECT_EQ(0, waitpid(self->pid, NULL, WNOHANG | WUNTRACED));
	close(fd[0]);
	close(fd[1]);
}

/* Whoever was to kill it is itself killed. */
TEST_F(checkpoint, caller_killed)
{
	int fd[2], status = 0;
	pid_t child;

	ASSERT_EQ(0, pipe(fd));
	child = fork();
	if (!child)
		_exit(checkpoint(self->pid, fd[1], CHECKPOINT_KILL) > 0);
	ckpt_msleep(100);
	EXPECT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(0, waitpid(self->pid, NULL, WNOHANG));
	close(fd[0]);
	close(fd[1]);
}

/* Restart. The image, in memory, to be tampered with. */

static __u8 *image, *tampered;
static size_t image_len;

static __u32 crc32c(__u32 crc, const void *data, size_t len)
{
	static __u32 table[256];
	const __u8 *p = data;

	for (int i = 0; !table[255] && i < 256; i++) {
		table[i] = i;
		for (int j = 0; j < 8; j++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0x82f63b78 :
								   0);
	}
	for (; len--; p++)
		crc = crc >> 8 ^ table[(crc ^ *p) & 255];
	return crc;
}

static struct ckpt_image_header *header(void)
{
	return (void *)tampered;
}

static void seal_header(void)
{
	header()->crc = ~crc32c(~0U, tampered,
				offsetof(struct ckpt_image_header, crc));
}

/* And the checksum over all of the metadata, which is the header's as well. */
static void seal_all(void)
{
	struct ckpt_record *rec;
	struct ckpt_rec_end *end;

	seal_header();
	rec = (void *)tampered + sizeof(*header()) + header()->meta_size -
	      sizeof(*rec) - sizeof(*end);
	end = (void *)(rec + 1);
	end->crc = ~crc32c(~0U, tampered, (__u8 *)rec - tampered);
	rec->crc = crc32c(~0U, rec, offsetof(struct ckpt_record, crc));
	rec->crc = ~crc32c(rec->crc, end, sizeof(*end));
}

FIXTURE(restart) {
	struct ckpt_target target;
	int image;
	pid_t pid;
};

FIXTURE_SETUP(restart)
{
	int fd;

	memset(self, 0, sizeof(*self));
	ASSERT_EQ(0, ckpt_start(&self->target, "busy", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(&self->target));
	self->pid = self->target.pid;
	ASSERT_LT(0, ckpt_checkpoint(&self->target, CHECKPOINT_KILL));
	ckpt_kill(&self->target);
	fd = open(ckpt_path(&self->target, "image"), O_RDONLY | O_CLOEXEC);
	image_len = size_of(fd);
	image = mmap(NULL, image_len, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd,
		     0);
	ASSERT_NE(MAP_FAILED, image);
	close(fd);
	tampered = mmap(NULL, image_len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, tampered);
	memcpy(tampered, image, image_len);
	self->image = syscall(SYS_memfd_create, "image", 1);
	ASSERT_LE(0, self->image);
	log_start();
	caller_note(&before);
}

/* Whatever was tried, it was tried on an image that is good. */
FIXTURE_TEARDOWN(restart)
{
	CALLER_SAME();
	EXPECT_EQ(-1, kill(self->pid, 0));
	ASSERT_EQ(self->pid, ckpt_restart(&self->target, 0));
	EXPECT_EQ(0, ckpt_go(&self->target));
	EXPECT_EQ(0, ckpt_end(&self->target));
	ckpt_clean(&self->target);
}

/* Restart what is in memory, from a file of so many bytes. */
static long restart_tampered(int fd, pid_t pid, size_t len, unsigned int flags)
{
	NEED(!ftruncate(fd, 0));
	for (size_t at = 0; at < len;) {
		ssize_t ret = pwrite(fd, tampered + at, len - at, at);

		NEED(ret > 0);
		at += ret;
	}
	NEED(!lseek(fd, 0, SEEK_SET));
	return restart(pid, fd, flags);
}

/* As children, and as oneself. */
#define REFUSED(err, len, text)						\
	do {								\
		EXPECT_EQ(-(err), restart_tampered(self->image, 0, len, 0)); \
		EXPECT_TRUE(says(text));				\
		EXPECT_EQ(-(err), restart_tampered(self->image, getpid(), \
						   len, 0));		\
		EXPECT_TRUE(says(text));				\
	} while (0)

TEST_F(restart, bad_descriptor)
{
	int fd = open("/dev/null", O_WRONLY);

	EXPECT_EQ(-EBADF, restart(0, -1, 0));
	EXPECT_EQ(-EBADF, restart(0, 1000, 0));
	EXPECT_EQ(-EBADF, restart(0, fd, 0));
	EXPECT_EQ(-EBADF, restart(getpid(), fd, 0));
	close(fd);
	fd = open("/dev/null", O_RDONLY);
	EXPECT_EQ(-1, syscall(__NR_restart, 0, self->image, RESTART_LOGFD, fd));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, syscall(__NR_restart, 0, self->image, RESTART_LOGFD, -1));
	EXPECT_EQ(EBADF, errno);
	close(fd);
}

TEST_F(restart, bad_flags)
{
	for (int i = 0; i < 32; i++)
		if (!(RESTART_FLAGS & (1U << i)))
			EXPECT_EQ(-EINVAL, restart(0, self->image, 1U << i));
	EXPECT_EQ(-EINVAL, restart(getpid(), self->image, RESTART_NEW_PIDS));
	EXPECT_EQ(-EINVAL, restart(getpid(), self->image, RESTART_STOPPED));
}

TEST_F(restart, bad_pid)
{
	EXPECT_EQ(-EINVAL, restart(1, self->image, 0));
	EXPECT_EQ(-EINVAL, restart(-1, self->image, 0));
	EXPECT_EQ(-EINVAL, restart(getppid(), self->image, 0));
}

TEST_F(restart, no_image)
{
	int fd = open("/proc/self/exe", O_RDONLY);

	EXPECT_EQ(-ENOEXEC, restart(0, fd, 0));
	EXPECT_TRUE(says("not the image of a checkpoint"));
	close(fd);
	fd = open("/dev/null", O_RDONLY);
	EXPECT_EQ(-ENOEXEC, restart(0, fd, 0));
	close(fd);
	REFUSED(ENOEXEC, 0, "");
	REFUSED(ENOEXEC, 7, "");
	tampered[0] ^= 1;
	REFUSED(ENOEXEC, image_len, "not the image");
}

/* Not from the beginning: a descriptor has an offset. */
TEST_F(restart, not_at_the_start)
{
	int fd = open(ckpt_path(&self->target, "image"), O_RDONLY | O_CLOEXEC);

	ASSERT_EQ(1, lseek(fd, 1, SEEK_SET));
	EXPECT_EQ(-ENOEXEC, restart(0, fd, 0));
	close(fd);
}

TEST_F(restart, directory)
{
	int fd = open("/tmp", O_RDONLY);
	long ret = restart(0, fd, 0);

	EXPECT_TRUE(ret == -EISDIR || ret == -EINVAL || ret == -EBADF);
	close(fd);
}

TEST_F(restart, io_error)
{
	struct ckpt_fuse *fs = ckpt_fuse_start(BROKEN_DIR, CKPT_FUSE_EIO);
	int fd;

	if (!fs)
		SKIP(return, "no FUSE");
	fd = open(BROKEN_DIR "/file", O_RDONLY | O_CLOEXEC);
	EXPECT_LE(0, fd);
	EXPECT_EQ(-EIO, restart(0, fd, 0));
	EXPECT_TRUE(says("image: can't be read: -EIO"));
	EXPECT_EQ(-EIO, restart(getpid(), fd, 0));
	close(fd);
	ckpt_fuse_stop(fs, BROKEN_DIR);
}

TEST_F(restart, cut)
{
	size_t meta = header()->pages_offset;

	REFUSED(EBADMSG, 8, "cut, ends in the header");
	REFUSED(EBADMSG, sizeof(*header()) - 1, "cut, ends in the header");
	REFUSED(EBADMSG, sizeof(*header()), "cut, ends in the metadata");
	for (int i = 1; i < 10; i++)
		REFUSED(EBADMSG, meta * i / 10, "cut, ends in the metadata");
	REFUSED(EBADMSG, meta - 1, "cut, ends in the metadata");
	REFUSED(EBADMSG, meta, "ends in the");
	REFUSED(EBADMSG, meta + 1, "ends in the");
	REFUSED(EBADMSG, (image_len + meta) / 2, "ends in the");
	REFUSED(EBADMSG, image_len - 24, "cut, ends in the trailer");
	REFUSED(EBADMSG, image_len - 1, "cut, ends in the trailer");
}

TEST_F(restart, bit_flipped)
{
	size_t meta = sizeof(*header()) + header()->meta_size;

	/* Behind the magic, and then all over the metadata and the padding. */
	for (int i = 0; i < 40; i++) {
		size_t at = 8 + (meta - 8) / 40 * i + (i * 7) % 11;

		tampered[at] ^= 1 << (i % 8);
		REFUSED(EBADMSG, image_len, "image: ");
		tampered[at] ^= 1 << (i % 8);
	}
	for (size_t at = image_len - 32; at < image_len; at += 3) {
		tampered[at] ^= 0x10;
		REFUSED(EBADMSG, image_len, "image: the trailer");
		tampered[at] ^= 0x10;
	}
}

/* What this kernel or this machine does not have; the checksums are right. */

#define PATCHED(name, change, text)					\
	TEST_F(restart, name)						\
	{								\
		change;							\
		seal_all();						\
		REFUSED(EOPNOTSUPP, image_len, text);			\
	}

PATCHED(version, header()->version++, "format version 2, known is 1")
PATCHED(version_0, header()->version = 0, "format version 0")
PATCHED(incompatible, header()->incompat = 1ULL << 63, "are not known")
PATCHED(page_size, header()->page_size = 65536, "pages of 65536 bytes")
PATCHED(architecture, header()->arch = 183, "of architecture 183, not x86-64")
PATCHED(fpu_states, header()->xfeatures |= 1ULL << 62, "this CPU lacks FPU")
PATCHED(vdso, header()->vdso_build_id[3] ^= 1, "vDSO")

TEST_F(restart, cpu)
{
	for (int i = 0; i < CKPT_CPU_UNUSED; i++) {
		memcpy(tampered, image, sizeof(*header()));
		header()->cpu[i] = ~0U;
		seal_all();
		REFUSED(EOPNOTSUPP, image_len, "this CPU lacks");
	}
}

/* That another kernel wrote it, or that it says more, is of no matter. */
TEST_F(restart, taken_all_the_same)
{
	pid_t pid;

	header()->kernel_build_id[0] ^= 1;
	memcpy(header()->release, "6.12.999-other", 15);
	header()->compat = ~0ULL;
	for (int i = 0; i < CKPT_CPU_WORDS; i++)
		header()->cpu[i] = 0;
	seal_all();
	pid = restart_tampered(self->image, 0, image_len, 0);
	EXPECT_EQ(self->pid, pid);
	EXPECT_STREQ("", log_text);
	if (pid > 0) {
		EXPECT_EQ(0, kill(pid, SIGKILL));
		EXPECT_EQ(pid, waitpid(pid, NULL, 0));
	}
}

TEST_F(restart, pid_taken)
{
	char text[80];
	int fd = open(ckpt_path(&self->target, "image"), O_RDONLY | O_CLOEXEC);

	ASSERT_EQ(self->pid, restart(0, fd, 0));
	lseek(fd, 0, SEEK_SET);
	EXPECT_EQ(-EEXIST, restart(0, fd, 0));
	snprintf(text, sizeof(text), "pid %d: taken by errnos", self->pid);
	EXPECT_TRUE(says(text));
	EXPECT_EQ(0, kill(self->pid, SIGKILL));
	EXPECT_EQ(self->pid, waitpid(self->pid, NULL, 0));
	close(fd);
}

TEST_F(restart, caller_has_threads)
{
	ASSERT_LT(0, thread_start(thread_main));
	EXPECT_EQ(-EBUSY, restart_tampered(self->image, getpid(), image_len,
					   0));
	EXPECT_TRUE(says("the caller has other threads"));
	EXPECT_EQ(0, thread_end);
	thread_join();
}

/* Of an image that comes through a pipe so many bytes are there. */
static long restart_part(size_t len, pid_t pid, int ms)
{
	int fd[2];
	pid_t writer;
	long ret;

	NEED(!pipe(fd));
	writer = fork();
	NEED(writer >= 0);
	if (!writer) {
		close(fd[0]);
		while (len && write(fd[1], tampered, len < 4096 ? len : 4096) > 0) {
			tampered += len < 4096 ? len : 4096;
			len -= len < 4096 ? len : 4096;
		}
		pause();
	}
	close(fd[1]);
	alarm_in(ms);
	ret = restart(pid, fd[0], 0);
	alarm_off();
	close(fd[0]);
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	return ret;
}

TEST_F(restart, interrupted)
{
	size_t meta = header()->pages_offset;

	EXPECT_EQ(-EINTR, restart_part(0, 0, 50));
	EXPECT_EQ(-EINTR, restart_part(100, 0, 50));
	EXPECT_EQ(-EINTR, restart_part(meta / 2, 0, 50));
	EXPECT_EQ(-EINTR, restart_part(meta, 0, 300));
	EXPECT_EQ(-1, kill(self->pid, 0));
	EXPECT_EQ(-EINTR, restart_part(meta + 40960, 0, 300));
	EXPECT_EQ(-1, kill(self->pid, 0));
	EXPECT_EQ(-EINTR, restart_part(image_len - 1, 0, 500));
	EXPECT_EQ(-1, kill(self->pid, 0));
	EXPECT_EQ(-EINTR, restart_part(meta + 40960, getpid(), 300));
}

TEST_F(restart, caller_killed)
{
	int fd[2];
	pid_t child;

	ASSERT_EQ(0, pipe(fd));
	child = fork();
	if (!child) {
		close(fd[1]);
		_exit(restart(0, fd[0], 0) > 0);
	}
	ASSERT_EQ(header()->pages_offset,
		  write(fd[1], tampered, header()->pages_offset));
	for (int i = 0; i < 3000 && kill(self->pid, 0); i++)
		ckpt_msleep(1);
	EXPECT_EQ(0, kill(self->pid, 0));
	EXPECT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(child, waitpid(child, NULL, 0));
	for (int i = 0; i < 3000 && !kill(self->pid, 0); i++)
		ckpt_msleep(1);
	EXPECT_EQ(-1, kill(self->pid, 0));
	close(fd[0]);
	close(fd[1]);
}

/* Someone who is in no position to be restarted as is killed from outside. */
TEST_F(restart, target_killed)
{
	int fd[2], status = 0;
	pid_t child;

	ASSERT_EQ(0, pipe(fd));
	child = fork();
	if (!child) {
		close(fd[1]);
		_exit(-restart(0, fd[0], 0));
	}
	close(fd[0]);
	ASSERT_EQ(header()->pages_offset,
		  write(fd[1], tampered, header()->pages_offset));
	for (int i = 0; i < 3000 && kill(self->pid, 0); i++)
		ckpt_msleep(1);
	EXPECT_EQ(0, kill(self->pid, SIGKILL));
	signal(SIGPIPE, SIG_IGN);
	for (size_t at = header()->pages_offset; at < image_len;) {
		ssize_t ret = write(fd[1], tampered + at, image_len - at);

		if (ret <= 0)
			break;
		at += ret;
	}
	close(fd[1]);
	EXPECT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(EINTR, WEXITSTATUS(status));
	EXPECT_EQ(-1, kill(self->pid, 0));
	for (int i = 0; i < 3000 && !kill(self->pid, 0); i++)
		ckpt_msleep(1);
	EXPECT_EQ(-1, kill(self->pid, 0));
}

/* As a user, who may have no more processes than there are. */
TEST_F(restart, too_many_processes)
{
	struct rlimit limit = { 1, 1 };
	int status = -1;
	pid_t child;

	NEED(restart_tampered(self->image, 1, image_len, 0) == -EINVAL);
	fflush(stdout);
	child = fork();
	if (!child) {
		syscall(SYS_setresuid, 1000, 1000, 1000);
		setrlimit(RLIMIT_NPROC, &limit);
		_exit(-restart(0, self->image, RESTART_NEW_PIDS));
	}
	EXPECT_EQ(child, waitpid(child, &status, 0));
	/* Raising the limit again would come first. */
	EXPECT_TRUE(status == EAGAIN << 8 || status == EPERM << 8);
}

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	NEED(fd >= 0 && write(fd, text, strlen(text)) > 0);
	close(fd);
}

#define CGROUP		"/sys/fs/cgroup"

/* In a control group that may have one task, who calls. */
TEST_F(restart, too_many_tasks)
{
	if (access(CGROUP "/cgroup.subtree_control", W_OK))
		SKIP(return, "no cgroup v2");
	NEED(restart_tampered(self->image, 1, image_len, 0) == -EINVAL);
	write_to(CGROUP "/cgroup.subtree_control", "+pids");
	ASSERT_EQ(0, mkdir(CGROUP "/errnos", 0755));
	write_to(CGROUP "/errnos/cgroup.procs", "0");
	write_to(CGROUP "/errnos/pids.max", "1");
	EXPECT_EQ(-EAGAIN, restart(0, self->image, 0));
	EXPECT_TRUE(says("the task can't be created: -EAGAIN"));
	write_to(CGROUP "/cgroup.procs", "0");
	EXPECT_EQ(0, rmdir(CGROUP "/errnos"));
	write_to(CGROUP "/cgroup.subtree_control", "-pids");
}

TEST_F(restart, too_little_memory)
{
	struct rlimit old, limit;

	ASSERT_EQ(0, getrlimit(RLIMIT_AS, &old));
	limit = old;
	limit.rlim_cur = 65536;
	NEED(restart_tampered(self->image, 1, image_len, 0) == -EINVAL);
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limit));
	EXPECT_EQ(-ENOMEM, restart(0, self->image, 0));
	lseek(self->image, 0, SEEK_SET);
	EXPECT_EQ(-ENOMEM, restart(getpid(), self->image, 0));
	EXPECT_EQ(0, setrlimit(RLIMIT_AS, &old));
}

/* A descriptor beyond the limit, and beyond what that can be raised to. */
CKPT_TARGET(beyond)
{
	struct rlimit limit = { 64, 64 };

	NEED(dup2(0, 99) == 99 && !setrlimit(RLIMIT_NOFILE, &limit));
	ckpt_ready();
	ckpt_wait();
	CHECK(fcntl(99, F_GETFD) >= 0);
}

TEST(restart_too_many_files)
{
	struct ckpt_target target;
	char nr_open[32];

	ASSERT_EQ(0, ckpt_start(&target, "beyond", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	ASSERT_LT(0, ckpt_checkpoint(&target, CHECKPOINT_KILL));
	ckpt_kill(&target);
	ckpt_read("/proc/sys/fs/nr_open", nr_open, sizeof(nr_open));
	write_to("/proc/sys/fs/nr_open", "64");
	EXPECT_EQ(-EMFILE, ckpt_restart(&target, 0));
	EXPECT_NE(NULL, strstr(target.log, "fd 99: beyond the limit"));
	EXPECT_EQ(-EMFILE, ckpt_restart_as(&target, getpid(), 0));
	write_to("/proc/sys/fs/nr_open", nr_open);
	ASSERT_LT(0, ckpt_restart(&target, 0));
	EXPECT_EQ(0, ckpt_go(&target));
	EXPECT_EQ(0, ckpt_end(&target));
	ckpt_clean(&target);
}

/* A mapped file that is not what it was. */
CKPT_TARGET(mapped)
{
	int fd = open("file", O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	NEED(fd >= 0 && write(fd, "text", 4) == 4);
	NEED(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	close(fd);
	ckpt_ready();
	ckpt_wait();
}

FIXTURE(restart_file) {
	struct ckpt_target target;
};

FIXTURE_SETUP(restart_file)
{
	memset(self, 0, sizeof(*self));
	ASSERT_EQ(0, ckpt_start(&self->target, "mapped", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(&self->target));
	ASSERT_LT(0, ckpt_checkpoint(&self->target, CHECKPOINT_KILL));
	ckpt_kill(&self->target);
	caller_note(&before);
}

FIXTURE_TEARDOWN(restart_file)
{
	CALLER_SAME();
	ckpt_clean(&self->target);
}

TEST_F(restart_file, stale)
{
	int fd = open(ckpt_path(&self->target, "file"), O_WRONLY | O_APPEND);

	ASSERT_EQ(1, write(fd, "+", 1));
	close(fd);
	EXPECT_EQ(-ESTALE, ckpt_restart(&self->target, 0));
	EXPECT_EQ(-ESTALE, ckpt_restart_as(&self->target, getpid(), 0));
	EXPECT_NE(NULL, strstr(self->target.log, "has changed: "));
	/* It can be had all the same. */
	ASSERT_LT(0, ckpt_restart(&self->target, RESTART_FORCE_FILES));
	EXPECT_EQ(0, ckpt_go(&self->target));
	EXPECT_EQ(0, ckpt_end(&self->target));
}

TEST_F(restart_file, missing)
{
	ASSERT_EQ(0, unlink(ckpt_path(&self->target, "file")));
	EXPECT_EQ(-ENOENT, ckpt_restart(&self->target, 0));
	EXPECT_EQ(-ENOENT, ckpt_restart_as(&self->target, getpid(), 0));
	EXPECT_NE(NULL, strstr(self->target.log, "/file"));
}

CKPT_TEST_MAIN
