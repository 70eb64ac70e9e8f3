// SPDX-License-Identifier: GPL-2.0-only
/* The two calls: their numbers, arguments and results, and ways to use them. */
#include "ckpt_test.h"
#include "ckpt_proc.h"
#include "ckpt_slab.h"

#include <sched.h>
#include <signal.h>
#include <sys/socket.h>

/* By all six registers; the result as the kernel returns it. */
static long call6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 asm("r10") = d;
	register long r8 asm("r8") = e;
	register long r9 asm("r9") = f;
	long ret;

	asm volatile("syscall"
		     : "=a" (ret)
		     : "a" (nr), "D" (a), "S" (b), "d" (c), "r" (r10), "r" (r8),
		       "r" (r9)
		     : "rcx", "r11", "memory");
	return ret;
}

/* By the i386 table, as 64-bit code can reach it as well. */
static long call_i386(int nr, int a, int b, int c, int d)
{
	int ret;

	asm volatile("int $0x80"
		     : "=a" (ret)
		     : "a" (nr), "b" (a), "c" (b), "d" (c), "S" (d)
		     : "r8", "r9", "r10", "r11", "memory");
	return ret;
}

TEST(numbers)
{
	EXPECT_EQ(500, __NR_checkpoint);
	EXPECT_EQ(501, __NR_restart);
	EXPECT_EQ(-EINVAL, call6(__NR_checkpoint, getpid(), 1, ~0, 0, 0, 0));
	EXPECT_EQ(-EINVAL, call6(__NR_restart, getpid(), 1, ~0, 0, 0, 0));
	EXPECT_EQ(-EBADF, call6(__NR_checkpoint, getpid(), -1, 0, 0, 0, 0));
	EXPECT_EQ(-EBADF, call6(__NR_restart, getpid(), -1, 0, 0, 0, 0));
}

TEST(numbers_i386)
{
	EXPECT_EQ(-EINVAL, call_i386(__NR_checkpoint, getpid(), 1, ~0, 0));
	EXPECT_EQ(-EINVAL, call_i386(__NR_restart, getpid(), 1, ~0, 0));
	EXPECT_EQ(-EBADF, call_i386(__NR_checkpoint, getpid(), -1, 0, 0));
	EXPECT_EQ(-EBADF, call_i386(__NR_restart, getpid(), -1, 0, 0));
}

/* What comes between them and those of the base is nobody's. */
TEST(numbers_around)
{
	for (int nr = 475; nr < 512; nr++) {
		if (nr == __NR_checkpoint || nr == __NR_restart)
			continue;
		EXPECT_EQ(-ENOSYS, call6(nr, 0, -1, ~0, 0, 0, 0));
		EXPECT_EQ(-ENOSYS, call_i386(nr, 0, -1, ~0, 0));
	}
}

FIXTURE(calls) {
	struct ckpt_target target;
	int image;
};

FIXTURE_SETUP(calls)
{
	memset(self, 0, sizeof(*self));
	self->image = syscall(SYS_memfd_create, "image", 1);
	ASSERT_LE(0, self->image);
}

FIXTURE_TEARDOWN(calls)
{
	ckpt_clean(&self->target);
}

/* Counts in memory and in a file, which tell whether it runs. */
static void count_up(int fd, volatile long *count)
{
	++*count;
	NEED(pwrite(fd, (void *)count, sizeof(*count), 0) == sizeof(*count));
}

CKPT_TARGET(counter)
{
	int fd = open("count", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	volatile long count = 0;

	NEED(fd >= 0);
	count_up(fd, &count);
	ckpt_ready();
	while (!ckpt_gone()) {
		count_up(fd, &count);
		ckpt_msleep(1);
	}
}

static long counted(struct ckpt_target *target)
{
	long count = -1;
	int fd = open(ckpt_path(target, "count"), O_RDONLY | O_CLOEXEC);

	NEED(fd >= 0 && read(fd, &count, sizeof(count)) == sizeof(count));
	close(fd);
	return count;
}

/* It makes progress, or in so much time none. */
static bool runs(struct ckpt_target *target)
{
	long was = counted(target);

	for (int i = 0; i < 5000; i++) {
		if (counted(target) != was)
			return true;
		ckpt_msleep(1);
	}
	return false;
}

static bool rests(struct ckpt_target *target)
{
	long was;

	ckpt_msleep(20);
	was = counted(target);
	ckpt_msleep(60);
	return counted(target) == was;
}

static int start(struct ckpt_target *target, const char *name)
{
	int ret = ckpt_start(target, name, CKPT_LIVE);

	return ret ? ret : ckpt_wait_ready(target);
}

/* A pid that has to be reaped, and is not the helpers'. */
static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* What follows after three arguments is whatever was in the registers. */
TEST_F(calls, three_arguments)
{
	static const long junk[] = { -1, 0, 77, 0x7fffffff, 1L << 40 };
	pid_t pid;

	ASSERT_EQ(0, start(&self->target, "counter"));
	for (int i = 0; i < 5; i++) {
		lseek(self->image, 0, SEEK_SET);
		EXPECT_LT(0, call6(__NR_checkpoint, self->target.pid,
				   self->image, 0, junk[i], junk[4 - i],
				   junk[i]));
		lseek(self->image, 0, SEEK_SET);
		pid = call6(__NR_restart, 0, self->image,
			    RESTART_NEW_PIDS | RESTART_FORCE_FILES,
			    junk[i], junk[4 - i], junk[i]);
		EXPECT_LT(0, pid);
		if (pid > 0)
			end(pid);
	}
}

/* The upper halves of arguments that have but a lower one. */
TEST_F(calls, upper_halves)
{
	long junk = 0x5a5a5a5aL << 32;

	ASSERT_EQ(0, start(&self->target, "counter"));
	EXPECT_LT(0, call6(__NR_checkpoint, junk | self->target.pid,
			   junk | self->image, junk, junk, junk, junk));
}

TEST_F(calls, by_i386_table)
{
	pid_t pid;

	ASSERT_EQ(0, start(&self->target, "counter"));
	EXPECT_LT(0, call_i386(__NR_checkpoint, self->target.pid, self->image,
			       CHECKPOINT_KILL, -1));
	ckpt_kill(&self->target);
	lseek(self->image, 0, SEEK_SET);
	pid = call_i386(__NR_restart, 0, self->image, 0, -1);
	EXPECT_LT(0, pid);
	self->target.pid = pid;
	EXPECT_TRUE(runs(&self->target));
}

TEST_F(calls, ids)
{
	long id[20];

	ASSERT_EQ(0, start(&self->target, "counter"));
	for (int i = 0; i < 20; i++) {
		lseek(self->image, 0, SEEK_SET);
		id[i] = syscall(__NR_checkpoint, self->target.pid, self->image,
				0);
		EXPECT_LT(0, id[i]);
		for (int j = 0; j < i; j++)
			EXPECT_NE(id[j], id[i]);
	}
}

/* Once N, and 0 in each of those that are made of it. */
static void tell_result(long ret)
{
	char text[32];
	int fd = open("results", O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC,
		      0600);

	snprintf(text, sizeof(text), "%s\n", ret > 0 ? "N" : ret ? "-" : "0");
	NEED(fd >= 0 && write(fd, text, 2) == 2);
	close(fd);
}

CKPT_TARGET(itself)
{
	int fd = open("image", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	NEED(fd >= 0);
	tell_result(syscall(__NR_checkpoint, getpid(), fd, 0));
	ckpt_wait();
}

CKPT_TARGET(itself_by_i386)
{
	int fd = open("image", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	NEED(fd >= 0);
	tell_result(call_i386(__NR_checkpoint, getpid(), fd, 0, 0));
	ckpt_wait();
}

static bool results_are(struct ckpt_target *target, const char *text)
{
	char is[64] = "";

	for (int i = 0; i < 5000; i++) {
		if (!access(ckpt_path(target, "results"), F_OK))
			ckpt_read(ckpt_path(target, "results"), is, sizeof(is));
		if (strlen(is) >= strlen(text))
			break;
		ckpt_msleep(1);
	}
	if (strcmp(is, text))
		printf("# results: %s\n", is);
	return !strcmp(is, text);
}

static void itself(struct __test_metadata *_metadata,
		   struct ckpt_target *target, const char *name)
{
	pid_t first;

	ASSERT_EQ(0, ckpt_start(target, name, CKPT_LIVE));
	ASSERT_TRUE(results_are(target, "N\n"));
	first = target->pid;
	/* Of an image as many can be made as one likes. */
	ASSERT_LT(0, ckpt_restart(target, RESTART_NEW_PIDS));
	EXPECT_TRUE(results_are(target, "N\n0\n"));
	end(target->pid);
	ASSERT_LT(0, ckpt_restart(target, RESTART_NEW_PIDS));
	EXPECT_TRUE(results_are(target, "N\n0\n0\n"));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
	target->pid = first;
	EXPECT_EQ(0, ckpt_end(target));
}

TEST_F(calls, itself)
{
	itself(_metadata, &self->target, "itself");
}

TEST_F(calls, itself_by_i386_table)
{
	itself(_metadata, &self->target, "itself_by_i386");
}

/* What becomes of the target. */

TEST_F(calls, live)
{
	ASSERT_EQ(0, start(&self->target, "counter"));
	EXPECT_LT(0, ckpt_checkpoint(&self->target, 0));
	EXPECT_TRUE(runs(&self->target));
	/* It was stopped, but nobody saw that. */
	EXPECT_EQ(0, waitpid(self->target.pid, NULL, WNOHANG | WUNTRACED |
						     WCONTINUED));
}

TEST_F(calls, stop)
{
	struct ckpt_target *target = &self->target;
	int status = 0;

	ASSERT_EQ(0, start(target, "counter"));
	EXPECT_LT(0, ckpt_checkpoint(target, CHECKPOINT_STOP));
	EXPECT_EQ(target->pid, waitpid(target->pid, &status, WUNTRACED));
	EXPECT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(SIGSTOP, WSTOPSIG(status));
	EXPECT_TRUE(rests(target));
	EXPECT_EQ(0, kill(target->pid, SIGCONT));
	EXPECT_TRUE(runs(target));
	/* In the image it runs. */
	ckpt_kill(target);
	ASSERT_LT(0, ckpt_restart(target, RESTART_FORCE_FILES));
	EXPECT_TRUE(runs(target));
}

TEST_F(calls, kill)
{
	struct ckpt_target *target = &self->target;
	int status = 0;

	ASSERT_EQ(0, start(target, "counter"));
	EXPECT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	EXPECT_EQ(target->pid, waitpid(target->pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	target->pid = 0;
}

/* Between capture and end it does nothing that the image does not know of. */
TEST_F(calls, kill_is_final)
{
	struct ckpt_target *target = &self->target;
	long last;

	ASSERT_EQ(0, start(target, "counter"));
	EXPECT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	last = counted(target);
	ASSERT_LT(0, ckpt_restart(target, RESTART_STOPPED));
	EXPECT_EQ(last, counted(target));
	EXPECT_EQ(0, kill(target->pid, SIGCONT));
	EXPECT_TRUE(runs(target));
	EXPECT_LE(last + 1, counted(target));
}

TEST_F(calls, restart_stopped)
{
	struct ckpt_target *target = &self->target;
	int status = 0;

	ASSERT_EQ(0, start(target, "counter"));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	ASSERT_LT(0, ckpt_restart(target, RESTART_STOPPED));
	EXPECT_EQ(target->pid, waitpid(target->pid, &status, WUNTRACED));
	EXPECT_TRUE(WIFSTOPPED(status));
	EXPECT_TRUE(rests(target));
	EXPECT_EQ(0, kill(target->pid, SIGCONT));
	EXPECT_TRUE(runs(target));
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

TEST_F(calls, same_image_twice)
{
	struct ckpt_target *target = &self->target;
	pid_t pid;

	ASSERT_EQ(0, start(target, "counter"));
	pid = target->pid;
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	for (int i = 0; i < 3; i++) {
		ckpt_kill(target);
		EXPECT_EQ(pid, ckpt_restart(target, RESTART_FORCE_FILES));
		EXPECT_TRUE(runs(target));
	}
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* Beside the original; they have nothing to do with each other. */
TEST_F(calls, new_pids)
{
	struct ckpt_target *target = &self->target;
	pid_t pid[4];

	ASSERT_EQ(0, start(target, "counter"));
	pid[0] = target->pid;
	ASSERT_LT(0, ckpt_checkpoint(target, 0));
	for (int i = 1; i < 4; i++) {
		pid[i] = ckpt_restart(target, RESTART_NEW_PIDS |
						RESTART_FORCE_FILES);
		ASSERT_LT(0, pid[i]);
		for (int j = 0; j < i; j++)
			EXPECT_NE(pid[j], pid[i]);
	}
	for (int i = 0; i < 3; i++) {
		end(pid[i]);
		EXPECT_TRUE(runs(target));
	}
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* A chosen pid is its own again, as that of the next process is not. */
TEST_F(calls, old_pid)
{
	struct ckpt_target *target = &self->target;
	pid_t pid;

	ASSERT_EQ(0, start(target, "counter"));
	pid = target->pid;
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	EXPECT_EQ(-1, kill(pid, 0));
	EXPECT_EQ(pid, ckpt_restart(target, 0));
	EXPECT_EQ(0, kill(pid, 0));
}

/* Images on their way. */

static pid_t checkpoint_into(pid_t pid, int fd, int other, unsigned int flags)
{
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		close(other);
		_exit(syscall(__NR_checkpoint, pid, fd, flags) <= 0);
	}
	close(fd);
	return child;
}

static void through(struct __test_metadata *_metadata,
		    struct ckpt_target *target, int in, int out)
{
	int status = -1;
	pid_t writer, pid;

	writer = checkpoint_into(target->pid, in, out, CHECKPOINT_KILL);
	/* The old pid is in use until all has been written. */
	pid = syscall(__NR_restart, 0, out, RESTART_NEW_PIDS);
	EXPECT_LT(0, pid);
	EXPECT_EQ(writer, waitpid(writer, &status, 0));
	EXPECT_EQ(0, status);
	ckpt_kill(target);
	target->pid = pid > 0 ? pid : 0;
	EXPECT_TRUE(runs(target));
	close(out);
}

TEST_F(calls, through_pipe)
{
	int fd[2];

	ASSERT_EQ(0, start(&self->target, "counter"));
	ASSERT_EQ(0, pipe(fd));
	through(_metadata, &self->target, fd[1], fd[0]);
}

TEST_F(calls, through_stream_socket)
{
	int fd[2];

	ASSERT_EQ(0, start(&self->target, "counter"));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	through(_metadata, &self->target, fd[1], fd[0]);
}

/* Behind the image there may be more, which is left alone. */
TEST_F(calls, reads_no_further)
{
	struct ckpt_target *target = &self->target;
	char text[5] = "";
	off_t end_of_image;

	ASSERT_EQ(0, start(target, "counter"));
	EXPECT_EQ(3, write(self->image, "abc", 3));
	EXPECT_LT(0, syscall(__NR_checkpoint, target->pid, self->image,
			     CHECKPOINT_KILL));
	ckpt_kill(target);
	end_of_image = lseek(self->image, 0, SEEK_CUR);
	EXPECT_EQ(4, write(self->image, "more", 4));
	lseek(self->image, 3, SEEK_SET);
	target->pid = syscall(__NR_restart, 0, self->image, 0);
	EXPECT_LT(0, target->pid);
	EXPECT_EQ(end_of_image, lseek(self->image, 0, SEEK_CUR));
	EXPECT_EQ(4, read(self->image, text, 4));
	EXPECT_STREQ("more", text);
}

/* Killed while it is written: the image is of a moment before. */
static void killed_meanwhile(struct __test_metadata *_metadata,
			     struct ckpt_target *target, int image,
			     unsigned int flags)
{
	static char buf[65536];
	int fd[2], status = -1;
	pid_t writer;
	ssize_t len;

	ASSERT_EQ(0, pipe(fd));
	writer = checkpoint_into(target->pid, fd[1], fd[0], flags);
	len = read(fd[0], buf, sizeof(buf));
	ASSERT_LT(0, len);
	EXPECT_EQ(0, kill(target->pid, SIGKILL));
	EXPECT_EQ(target->pid, waitpid(target->pid, NULL, 0));
	do {
		ASSERT_EQ(len, write(image, buf, len));
	} while ((len = read(fd[0], buf, sizeof(buf))) > 0);
	EXPECT_EQ(writer, waitpid(writer, &status, 0));
	EXPECT_EQ(0, status);
	close(fd[0]);
	lseek(image, 0, SEEK_SET);
	EXPECT_EQ(target->pid, syscall(__NR_restart, 0, image,
				       RESTART_FORCE_FILES));
	EXPECT_TRUE(runs(target));
}

TEST_F(calls, live_and_killed_meanwhile)
{
	ASSERT_EQ(0, start(&self->target, "counter"));
	killed_meanwhile(_metadata, &self->target, self->image, 0);
}

TEST_F(calls, kill_and_killed_meanwhile)
{
	ASSERT_EQ(0, start(&self->target, "counter"));
	killed_meanwhile(_metadata, &self->target, self->image,
			 CHECKPOINT_KILL);
}

TEST_F(calls, stop_and_killed_meanwhile)
{
	ASSERT_EQ(0, start(&self->target, "counter"));
	killed_meanwhile(_metadata, &self->target, self->image,
			 CHECKPOINT_STOP);
}

/* Several who want the same. */
TEST_F(calls, at_the_same_time)
{
	struct ckpt_target *target = &self->target;
	int status, null = open("/dev/null", O_WRONLY);
	pid_t pid[4];

	ASSERT_EQ(0, start(target, "counter"));
	fflush(stdout);
	for (int i = 0; i < 4; i++) {
		pid[i] = fork();
		for (int j = 0; !pid[i] && j < 10; j++)
			if (syscall(__NR_checkpoint, target->pid, null, 0) <= 0)
				_exit(1);
		if (!pid[i])
			_exit(0);
	}
	for (int i = 0; i < 4; i++) {
		EXPECT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	EXPECT_TRUE(runs(target));
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/*
 * Two who want each other: each is told that it was disturbed, or, once it has
 * all, that the other shares memory with it.
 */
static int checkpoint_each_other(volatile pid_t *pid, int me)
{
	int null = open("/dev/null", O_WRONLY), bad = 0;

	while (!pid[!me])
		sched_yield();
	for (int i = 0; i < 20; i++)
		if (syscall(__NR_checkpoint, pid[!me], null, 0) <= 0)
			bad |= errno != EINTR && errno != ESRCH &&
			       errno != EOPNOTSUPP;
	return bad;
}

TEST_F(calls, each_other)
{
	volatile pid_t *pid = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t child[2];

	ASSERT_NE(MAP_FAILED, pid);
	fflush(stdout);
	for (int i = 0; i < 2; i++) {
		child[i] = fork();
		if (!child[i]) {
			/* What they can't be checkpointed with. */
			close(self->image);
			pid[i] = getpid();
			_exit(checkpoint_each_other(pid, i));
		}
	}
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(child[i], waitpid(child[i], &status, 0));
		EXPECT_EQ(0, status);
	}
}

/* After a key, in a file of lines. */
static long number_in(const char *path, const char *key)
{
	static char text[8192];
	char *line;

	ckpt_read(path, text, sizeof(text));
	line = strstr(text, key);
	return line ? strtol(line + strlen(key), NULL, 10) : 0;
}

/* What is written counts as the caller's, who may be asked how far he is. */
TEST_F(calls, accounted)
{
	static const char *const io = "/proc/thread-self/io";
	struct ckpt_target *target = &self->target;
	struct stat stat_buf;
	long before;

	ASSERT_EQ(0, start(target, "counter"));
	before = number_in(io, "wchar:");
	ASSERT_LT(0, ckpt_checkpoint(target, 0));
	ASSERT_EQ(0, stat(ckpt_path(target, "image"), &stat_buf));
	EXPECT_LE(before + stat_buf.st_size, number_in(io, "wchar:"));
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* Over and over. */

static unsigned long step(unsigned long x)
{
	return x * 6364136223846793005UL + 1442695040888963407UL;
}

CKPT_TARGET(worker)
{
	int fd = open("count", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	volatile unsigned long x = 1;
	volatile long count = 0;
	unsigned long y = 1;

	NEED(fd >= 0 && dup2(fd, 99) == 99);
	signal(SIGUSR1, SIG_IGN);
	count_up(fd, &count);
	x = step(x);
	ckpt_ready();
	while (!ckpt_gone()) {
		count_up(fd, &count);
		x = step(x);
		ckpt_msleep(1);
	}
	for (long i = 0; i < count; i++)
		y = step(y);
	CHECK_EQ(x, y);
	CHECK(fcntl(99, F_GETFD) >= 0);
	CHECK(signal(SIGUSR1, SIG_DFL) == SIG_IGN);
}

/**
 * struct growth - what could grow by being done again and again
 * @image: size of the image
 * @maps: lines in /proc/PID/maps
 * @slabs: objects in the kernel's caches
 * @stacks: kB of kernel stacks
 * @tasks: processes and threads of the system
 */
struct growth {
	long	image;
	long	maps;
	long	stacks;
	long	tasks;
	struct ckpt_slabs slabs;
};

static long count_tasks(void)
{
	char text[64];
	char *slash;

	ckpt_read("/proc/loadavg", text, sizeof(text));
	slash = strchr(text, '/');
	return slash ? strtol(slash + 1, NULL, 10) : 0;
}

/*
 * Caches fill up at first, so that what is compared are the last 60 cycles. One
 * object a cycle shows where objects are counted, as in the debug kernel; the
 * size of all slabs is never quite the same.
 */
#define GROWTH_WARM	40
#define GROWTH_OBJECTS	50
#define GROWTH_KB	200

static void growth_note(struct ckpt_target *target, struct growth *growth)
{
	static char text[65536];
	struct stat stat_buf;
	char path[32];

	NEED(!stat(ckpt_path(target, "image"), &stat_buf));
	growth->image = stat_buf.st_size;
	snprintf(path, sizeof(path), "/proc/%d/maps", target->pid);
	ckpt_read(path, text, sizeof(text));
	growth->maps = 0;
	for (char *p = text; (p = strchr(p, '\n')); p++)
		growth->maps++;
	/* What ends a little later is to have. */
	ckpt_msleep(200);
	/* Twice, as the first time caches what looking takes. */
	ckpt_slabs_note(&growth->slabs);
	ckpt_slabs_note(&growth->slabs);
	growth->stacks = number_in("/proc/meminfo", "KernelStack:");
	growth->tasks = count_tasks();
}

static int cycle(struct ckpt_target *target)
{
	if (ckpt_checkpoint(target, CHECKPOINT_KILL) < 0)
		return -1;
	ckpt_kill(target);
	return ckpt_restart(target, 0) < 0 ? -1 : 0;
}

TEST_F_TIMEOUT(calls, a_hundred_times, 120)
{
	struct ckpt_target *target = &self->target;
	struct growth early, late;
	pid_t pid;

	ASSERT_EQ(0, start(target, "worker"));
	pid = target->pid;
	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(0, cycle(target)) {
			printf("# cycle %d: %s\n", i, target->log);
		}
		ASSERT_EQ(pid, target->pid);
		if (i == GROWTH_WARM - 1)
			growth_note(target, &early);
	}
	growth_note(target, &late);
	EXPECT_TRUE(runs(target));
	EXPECT_EQ(early.image, late.image);
	EXPECT_EQ(early.maps, late.maps);
	EXPECT_TRUE(ckpt_slabs_same(&early.slabs, &late.slabs, GROWTH_OBJECTS,
				    GROWTH_KB));
	EXPECT_GT(early.stacks + 300, late.stacks);
	EXPECT_GT(early.tasks + 20, late.tasks);
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* And each time a live one, of which nobody takes notice. */
TEST_F_TIMEOUT(calls, live_a_hundred_times, 120)
{
	struct ckpt_target *target = &self->target;
	struct growth early, late;

	ASSERT_EQ(0, start(target, "worker"));
	for (int i = 0; i < 100; i++) {
		ASSERT_LT(0, ckpt_checkpoint(target, 0));
		if (i == GROWTH_WARM - 1)
			growth_note(target, &early);
	}
	growth_note(target, &late);
	EXPECT_GT(early.image + 16384, late.image);
	EXPECT_EQ(early.maps, late.maps);
	EXPECT_TRUE(ckpt_slabs_same(&early.slabs, &late.slabs, GROWTH_OBJECTS,
				    GROWTH_KB));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* The programs of 2008. */

FIXTURE(hello) {
	pid_t pid;
	char dir[32];
};

FIXTURE_SETUP(hello)
{
	memset(self, 0, sizeof(*self));
	if (access("/hello/ckpt", X_OK))
		SKIP(return, "/hello is missing");
	memcpy(self->dir, "/tmp/hello-XXXXXX", 18);
	ASSERT_NE(NULL, mkdtemp(self->dir));
	ASSERT_EQ(0, chdir(self->dir));
}

FIXTURE_TEARDOWN(hello)
{
	if (self->pid)
		end(self->pid);
	unlink("out.1");
	unlink("said");
	rmdir(self->dir);
}

static pid_t hello_run(const char *program, int flags)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	dup2(open("said", O_CREAT | O_WRONLY | O_APPEND, 0600), 2);
	dup2(open(flags ? "out.1" : "/dev/null",
		  flags | O_TRUNC * !!flags, 0600), 1);
	dup2(open(flags ? "/dev/null" : "out.1", O_RDONLY), 0);
	syscall(SYS_close_range, 3, ~0U, 0);
	execl(program, strrchr(program, '/') + 1, NULL);
	_exit(126);
}

/* The ret= of the last line, of so many; or -1 */
static long hello_said(int lines)
{
	char text[256] = "", *last = text;
	int nr = 0;

	for (int i = 0; i < 10000 && nr < lines; i++) {
		ckpt_msleep(1);
		if (access("said", F_OK))
			continue;
		ckpt_read("said", text, sizeof(text));
		nr = 0;
		for (char *p = text; (p = strchr(p, '\n')); p++)
			nr++;
	}
	for (char *p = text; (p = strstr(p, "hello, world! (ret=")); p++)
		last = p;
	return nr == lines && last[0] == 'h' ? strtol(last + 19, NULL, 10) : -1;
}

TEST_F(hello, programs)
{
	char path[32], comm[32];
	long first, second;

	self->pid = hello_run("/hello/ckpt", O_CREAT | O_WRONLY);
	first = hello_said(1);
	EXPECT_LT(0, first);
	/* It goes on spinning. */
	EXPECT_EQ(0, waitpid(self->pid, NULL, WNOHANG));
	end(self->pid);
	self->pid = hello_run("/hello/ckpt", O_CREAT | O_WRONLY);
	second = hello_said(2);
	EXPECT_LT(0, second);
	EXPECT_NE(first, second);
	end(self->pid);

	self->pid = hello_run("/hello/rstr", 0);
	EXPECT_EQ(0, hello_said(3));
	EXPECT_EQ(0, waitpid(self->pid, NULL, WNOHANG));
	snprintf(path, sizeof(path), "/proc/%d/comm", self->pid);
	ckpt_read(path, comm, sizeof(comm));
	EXPECT_STREQ("ckpt\n", comm);
}

CKPT_TEST_MAIN
