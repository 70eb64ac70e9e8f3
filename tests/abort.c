// SPDX-License-Identifier: GPL-2.0-only
/*
 * Restarts that are broken off. The image comes through a pipe and ends before
 * its pages, so that the tasks are there, and wait, as the caller does.
 */
#include "ckpt_test.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

#include "ckpt_fuse.h"
#include "ckpt_image.h"
#include "ckpt_proc.h"
#include "ckpt_tiny.h"

#define ABORT_ROOM	(256 * 1024)
/* What the caller has to say by its status. */
#define ABORT_CLEAN	10
#define ABORT_CHILD	11
#define ABORT_OTHER	12

/* The caller, and the task that is to be. */
FIXTURE(abort) {
	pid_t caller;
	pid_t task;
	int pipe[2];
};

static void abort_handler(int sig)
{
	(void)sig;
}

/* Returns what to exit with. */
static int abort_call(int fd)
{
	struct sigaction action = { .sa_handler = abort_handler };
	long ret;

	sigaction(SIGUSR1, &action, NULL);
	ret = syscall(__NR_restart, 0, fd, 0);
	if (ret != -1 || errno != EINTR)
		return ABORT_OTHER;
	if (waitpid(-1, NULL, WNOHANG | __WALL) != -1 || errno != ECHILD)
		return ABORT_CHILD;
	return ABORT_CLEAN;
}

static void *abort_thread(void *arg)
{
	return (void *)(long)abort_call(*(int *)arg);
}

/* In a thread, which is the one that takes signals. */
static pthread_t abort_call_in_thread(int *fd)
{
	pthread_t thread;
	sigset_t set;

	NEED(!pthread_create(&thread, NULL, abort_thread, fd));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	NEED(!pthread_sigmask(SIG_BLOCK, &set, NULL));
	return thread;
}

/* Until the caller sleeps, and the task as well. */
static bool abort_wait(pid_t caller, pid_t task)
{
	char path[64], text[512];

	for (int i = 0; i < 5000; i++) {
		snprintf(path, sizeof(path), "/proc/%d/wchan", task);
		if (!access(path, F_OK)) {
			int fd;

			snprintf(path, sizeof(path), "/proc/%d/stat", caller);
			fd = open(path, O_RDONLY | O_CLOEXEC);
			text[0] = 0;
			if (read(fd, text, sizeof(text) - 1) > 0 &&
			    strstr(text, ") S ")) {
				close(fd);
				/* Let the task get to where it waits. */
				ckpt_msleep(50);
				return true;
			}
			close(fd);
		}
		ckpt_msleep(1);
	}
	return false;
}

/* All of an image but its pages, and the rest of it never comes. */
static bool abort_image(int fd, pid_t *task)
{
	struct ckpt_image image = { .room = ABORT_ROOM };
	int file = open("image", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool good;

	unlink("image");
	image.bytes = malloc(ABORT_ROOM);
	*task = ckpt_tiny_start();
	good = !ckpt_tiny_wait(*task) &&
	       syscall(__NR_checkpoint, *task, file, CHECKPOINT_KILL) > 0;
	waitpid(*task, NULL, 0);
	lseek(file, 0, SEEK_SET);
	good = good && ckpt_image_load(&image, file) &&
	       write(fd, image.bytes, image.tail) == (ssize_t)image.tail;
	close(file);
	free(image.bytes);
	return good;
}

/* Have the task built, by a caller of that kind. Returns his pid, or -1. */
static pid_t abort_begin(const int *pipe, pid_t task, int (*call)(int fd))
{
	pid_t caller;

	fflush(stdout);
	caller = fork();
	if (!caller) {
		close(pipe[1]);
		_exit(call(pipe[0]));
	}
	if (abort_wait(caller, task))
		return caller;
	kill(caller, SIGKILL);
	waitpid(caller, NULL, 0);
	return -1;
}

#define ABORT_BEGIN(call)						\
	do {								\
		self->caller = abort_begin(self->pipe, self->task, call); \
		ASSERT_LT(0, self->caller);				\
	} while (0)

FIXTURE_SETUP(abort)
{
	memset(self, 0, sizeof(*self));
	ASSERT_EQ(0, pipe2(self->pipe, O_CLOEXEC));
	ASSERT_TRUE(abort_image(self->pipe[1], &self->task));
}

FIXTURE_TEARDOWN(abort)
{
	if (self->caller > 0) {
		kill(self->caller, SIGKILL);
		waitpid(self->caller, NULL, 0);
	}
}

/* Its status, or -1 if it does not end. */
static int abort_status(pid_t caller)
{
	int status;

	for (int i = 0; i < 10000; i++) {
		if (waitpid(caller, &status, WNOHANG) == caller)
			return WIFEXITED(status) ? WEXITSTATUS(status) :
						   -WTERMSIG(status);
		ckpt_msleep(1);
	}
	return -1;
}

/* Nobody has that pid, not even a zombie; at once, or after a while. */
static bool abort_gone(pid_t pid, int ms)
{
	while (!kill(pid, 0) && ms--)
		ckpt_msleep(1);
	return kill(pid, 0) == -1;
}

TEST_F(abort, image_ends)
{
	ABORT_BEGIN(abort_call);
	/* The caller has the only other end. */
	close(self->pipe[0]);
	close(self->pipe[1]);
	EXPECT_EQ(ABORT_OTHER, abort_status(self->caller));
	EXPECT_TRUE(abort_gone(self->task, 0));
}

TEST_F(abort, signal)
{
	ABORT_BEGIN(abort_call);
	kill(self->caller, SIGUSR1);
	EXPECT_EQ(ABORT_CLEAN, abort_status(self->caller));
	EXPECT_TRUE(abort_gone(self->task, 0));
}

/* Whoever inherits what a caller leaves may well never bury it. */
TEST_F(abort, killed)
{
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	ABORT_BEGIN(abort_call);
	kill(self->caller, SIGKILL);
	EXPECT_EQ(-SIGKILL, abort_status(self->caller));
	EXPECT_TRUE(abort_gone(self->task, 0));
}

/* What stops a caller for a checkpoint is no signal that he could block. */
TEST_F(abort, checkpointed)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	ABORT_BEGIN(abort_call);
	syscall(__NR_checkpoint, self->caller, fd, 0);
	EXPECT_EQ(ABORT_CLEAN, abort_status(self->caller));
	EXPECT_TRUE(abort_gone(self->task, 0));
}

/* A task that somebody traces stays a zombie until he has seen it. */
TEST_F(abort, traced)
{
	ABORT_BEGIN(abort_call);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, self->task, 0, 0));
	kill(self->caller, SIGUSR1);
	ckpt_msleep(200);
	EXPECT_EQ(0, waitpid(self->caller, NULL, WNOHANG));
	kill(self->caller, SIGKILL);
	EXPECT_EQ(-SIGKILL, abort_status(self->caller));
	EXPECT_EQ(self->task, waitpid(self->task, NULL, __WALL));
	EXPECT_TRUE(abort_gone(self->task, 5000));
}

/* Callers with another thread. */

static int abort_other_execs(int fd)
{
	sigset_t set;
	int sig;

	abort_call_in_thread(&fd);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigwait(&set, &sig);
	execl("/bin/sleep", "sleep", "1000", NULL);
	return ABORT_OTHER;
}

/* The thread that restarts is ended by an exec of another, and alone. */
TEST_F(abort, exec)
{
	char path[32], comm[32] = "";

	ABORT_BEGIN(abort_other_execs);
	kill(self->caller, SIGUSR2);
	snprintf(path, sizeof(path), "/proc/%d/comm", self->caller);
	for (int i = 0; i < 10000 && strcmp(comm, "sleep\n"); i++) {
		ckpt_msleep(1);
		ckpt_read(path, comm, sizeof(comm));
	}
	EXPECT_STREQ("sleep\n", comm);
	EXPECT_TRUE(abort_gone(self->task, 0));
}

static int abort_other_waits(int fd)
{
	pthread_t thread = abort_call_in_thread(&fd);
	void *status;

	/* Until there is one. */
	while (waitpid(-1, NULL, __WALL) < 0)
		ckpt_msleep(1);
	pthread_join(thread, &status);
	return (long)status;
}

/* The task is killed, and another thread reaps it. */
TEST_F(abort, reaped)
{
	ABORT_BEGIN(abort_other_waits);
	kill(self->task, SIGKILL);
	EXPECT_TRUE(abort_gone(self->task, 5000));
	kill(self->caller, SIGUSR1);
	EXPECT_EQ(ABORT_CLEAN, abort_status(self->caller));
}

/* Killed at any moment, a caller leaves a whole process or none. */

static void abort_hurry(struct __test_metadata *_metadata, pid_t task,
			unsigned int us)
{
	pid_t caller = fork();

	if (!caller) {
		int fd = open("whole", O_RDONLY | O_CLOEXEC);

		syscall(__NR_restart, 0, fd, 0);
		pause();
	}
	usleep(us);
	kill(caller, SIGKILL);
	EXPECT_EQ(caller, waitpid(caller, NULL, 0));
	if (abort_gone(task, 0))
		return;
	EXPECT_EQ(0, waitpid(task, NULL, WNOHANG));
	EXPECT_EQ(0, ckpt_tiny_wait(task));
	kill(task, SIGKILL);
	EXPECT_EQ(task, waitpid(task, NULL, 0));
}

TEST(abort_hurried)
{
	int fd = open("whole", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	pid_t task = ckpt_tiny_start();

	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	ASSERT_EQ(0, ckpt_tiny_wait(task));
	ASSERT_LT(0, syscall(__NR_checkpoint, task, fd, CHECKPOINT_KILL));
	waitpid(task, NULL, 0);
	close(fd);
	fflush(stdout);
	for (int i = 0; i < 100; i++)
		abort_hurry(_metadata, task, i * 200);
	unlink("whole");
}

/* The same with a tree of processes and threads. */

#define FAMILY_MAX	16

static void *family_thread(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* So many processes below each other, two of them each, and a thread in each. */
static void family_member(int fd, int depth)
{
	pid_t pid = getpid();
	pthread_t thread;

	NEED(!pthread_create(&thread, NULL, family_thread, NULL));
	for (int i = 0; depth && i < 2; i++)
		if (!fork()) {
			family_member(fd, depth - 1);
			_exit(0);
		}
	NEED(write(fd, &pid, sizeof(pid)) == sizeof(pid));
	ckpt_wait();
}

static int family_size(int fd)
{
	return lseek(fd, 0, SEEK_END) / sizeof(pid_t);
}

CKPT_TARGET(family)
{
	int fd = open("pids", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	pthread_t thread;

	NEED(fd >= 0 && !pthread_create(&thread, NULL, family_thread, NULL));
	for (int i = 0; i < 2; i++)
		if (!fork())
			family_member(fd, 1);
	while (family_size(fd) < 6)
		ckpt_msleep(1);
	ckpt_ready();
	ckpt_wait();
}

FIXTURE(family) {
	struct ckpt_target target;
	pid_t pid[FAMILY_MAX];
	int nr;
};

FIXTURE_SETUP(family)
{
	int fd;

	memset(self, 0, sizeof(*self));
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	ASSERT_EQ(0, ckpt_start(&self->target, "family", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(&self->target));
	fd = open(ckpt_path(&self->target, "pids"), O_RDONLY | O_CLOEXEC);
	self->nr = read(fd, self->pid, sizeof(self->pid)) / sizeof(pid_t);
	close(fd);
	ASSERT_EQ(6, self->nr);
	self->pid[self->nr++] = self->target.pid;
	ASSERT_LT(0, ckpt_checkpoint(&self->target, CHECKPOINT_KILL)) {
		printf("# %s\n", self->target.log);
	}
	while (waitpid(-1, NULL, 0) > 0)
		;
	self->target.pid = 0;
}

FIXTURE_TEARDOWN(family)
{
	ckpt_clean(&self->target);
}

static bool family_lives(pid_t pid)
{
	char path[32], text[512] = "";

	if (kill(pid, 0))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	ckpt_read(path, text, sizeof(text));
	return !strstr(text, ") Z");
}

static int family_count(const pid_t *pid, int nr)
{
	int alive = 0;

	for (int i = 0; i < nr; i++)
		alive += family_lives(pid[i]);
	return alive;
}

static int family_hurry(struct ckpt_target *target, const pid_t *pid, int nr,
			unsigned int us)
{
	pid_t caller = fork();
	int alive;

	if (!caller) {
		ckpt_restart(target, 0);
		pause();
	}
	usleep(us);
	kill(caller, SIGKILL);
	waitpid(caller, NULL, 0);
	alive = family_count(pid, nr);
	for (int i = 0; alive && i < nr; i++)
		kill(pid[i], SIGKILL);
	while (alive && waitpid(-1, NULL, 0) > 0)
		;
	return alive;
}

TEST_F_TIMEOUT(family, hurried, 120)
{
	int alive, whole = 0;

	fflush(stdout);
	for (int i = 0; i < 100; i++) {
		alive = family_hurry(&self->target, self->pid, self->nr,
				     i * 600);
		EXPECT_TRUE(!alive || alive == self->nr) {
			printf("# after %d us: %d alive\n", i * 600, alive);
		}
		whole += !!alive;
		for (int j = 0; j < self->nr; j++)
			EXPECT_TRUE(abort_gone(self->pid[j], 0));
		/* Nothing was left to be reaped, unless there was a whole one. */
		EXPECT_EQ(-1, waitpid(-1, NULL, WNOHANG | __WALL));
	}
	TH_LOG("%d of 100 were whole", whole);
}

/*
 * A task that can't even be killed: it opens a file of a filesystem that does
 * not answer.
 */

#define STUCK_DIR	"/tmp/abort-fuse"

CKPT_TARGET(stuck)
{
	NEED(open(STUCK_DIR "/file", O_RDONLY) >= 0);
	ckpt_ready();
	ckpt_wait();
}

FIXTURE(stuck) {
	struct ckpt_target target;
	struct ckpt_fuse *fs;
	pid_t caller;
	pid_t task;
};

static void stuck_call(struct ckpt_target *target)
{
	struct sigaction action = { .sa_handler = abort_handler };

	sigaction(SIGUSR1, &action, NULL);
	ckpt_restart(target, 0);
	_exit(ABORT_OTHER);
}

FIXTURE_SETUP(stuck)
{
	memset(self, 0, sizeof(*self));
	self->fs = ckpt_fuse_start(STUCK_DIR, CKPT_FUSE_STUCK);
	if (!self->fs)
		SKIP(return, "no FUSE");
	ASSERT_EQ(0, ckpt_start(&self->target, "stuck", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(&self->target));
	self->task = self->target.pid;
	ASSERT_LT(0, ckpt_checkpoint(&self->target, CHECKPOINT_KILL)) {
		printf("# %s\n", self->target.log);
	}
	ckpt_kill(&self->target);
	fflush(stdout);
	self->caller = fork();
	if (!self->caller)
		stuck_call(&self->target);
	for (int i = 0; i < 10000 && self->fs->opened < 2; i++)
		ckpt_msleep(1);
	ASSERT_EQ(2, self->fs->opened);
}

FIXTURE_TEARDOWN(stuck)
{
	if (self->fs)
		ckpt_fuse_stop(self->fs, STUCK_DIR);
	if (self->caller > 0) {
		kill(self->caller, SIGKILL);
		waitpid(self->caller, NULL, 0);
	}
	ckpt_clean(&self->target);
}

/* A caller who is killed does not wait for it. */
TEST_F(stuck, killed)
{
	kill(self->caller, SIGKILL);
	EXPECT_EQ(-SIGKILL, abort_status(self->caller));
	EXPECT_EQ(0, kill(self->task, 0));
	ckpt_fuse_stop(self->fs, STUCK_DIR);
	self->fs = NULL;
	EXPECT_TRUE(abort_gone(self->task, 5000));
}

/* One who is told to stop does, and can be killed meanwhile. */
TEST_F(stuck, signal)
{
	kill(self->caller, SIGUSR1);
	ckpt_msleep(300);
	EXPECT_EQ(0, waitpid(self->caller, NULL, WNOHANG));
	kill(self->caller, SIGKILL);
	EXPECT_EQ(-SIGKILL, abort_status(self->caller));
	ckpt_fuse_stop(self->fs, STUCK_DIR);
	self->fs = NULL;
	EXPECT_TRUE(abort_gone(self->task, 5000));
}

TEST_F(stuck, answered)
{
	kill(self->caller, SIGUSR1);
	ckpt_msleep(100);
	ckpt_fuse_stop(self->fs, STUCK_DIR);
	self->fs = NULL;
	EXPECT_EQ(ABORT_OTHER, abort_status(self->caller));
	EXPECT_TRUE(abort_gone(self->task, 0));
}

CKPT_TEST_MAIN
