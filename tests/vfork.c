// SPDX-License-Identifier: GPL-2.0-only
/* A vfork(2) in flight: the parent waits until the child executes or ends. */
#define _GNU_SOURCE
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

CKPT_FIXTURE_ONLY(vfork);
CKPT_VARIANT(vfork, live, CKPT_LIVE);
CKPT_VARIANT(vfork, killed, CKPT_KILLED);
CKPT_VARIANT(vfork, become, CKPT_BECOME);

/* In memory that both have: the child is not to touch much. */
static volatile int said[4];
static volatile pid_t child_saw;

/* What the child does, on its own stack, in the memory of its parent. */
static int wait_and_exit(void *arg)
{
	(void)arg;
	said[0] = 1;
	ckpt_ready();
	child_saw = getpid();
	while (!ckpt_gone()) {
		ckpt_msleep(2);
		/* The parent has not gone on. */
		if (said[1])
			_exit(1);
	}
	said[2] = 1;
	_exit(42);
}

static int wait_and_exec(void *arg)
{
	(void)arg;
	said[0] = 1;
	ckpt_ready();
	ckpt_wait();
	if (said[1])
		_exit(1);
	execl("/bin/busybox", "sh", "-c", "sleep 0.2; exit 43", NULL);
	_exit(2);
}

static char stack[2][65536] __attribute__((aligned(16)));

static pid_t vfork_by(int (*fn)(void *), unsigned long flags)
{
	return clone(fn, stack[0] + sizeof(stack[0]), CLONE_VFORK | flags, NULL);
}

CKPT_TARGET(ends)
{
	pid_t pid = vfork_by(wait_and_exit, CLONE_VM | SIGCHLD);
	int status = -1;

	said[1] = 1;
	CHECK(pid > 0 && said[2]);
	/* What the child saw of itself; it may have been restarted since. */
	CHECK_EQ(pid, child_saw);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 42 << 8);
}

CKPT_TARGET(executes)
{
	pid_t pid = vfork_by(wait_and_exec, CLONE_VM | SIGCHLD);
	int status = -1;

	CHECK(pid > 0);
	/* It runs, and has not ended. */
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 43 << 8);
}

/* With memory of its own, which is a copy. */
CKPT_TARGET(apart)
{
	pid_t pid = vfork_by(wait_and_exit, SIGCHLD);
	int status = -1;

	CHECK(pid > 0 && !said[2]);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 42 << 8);
}

/* One in the other. */

static int vfork_inner(void *arg)
{
	pid_t pid;
	int status = -1;

	(void)arg;
	pid = clone(wait_and_exit, stack[1] + sizeof(stack[1]),
		    CLONE_VFORK | CLONE_VM | SIGCHLD, NULL);
	if (pid != child_saw || waitpid(pid, &status, 0) != pid ||
	    status != 42 << 8 || said[3])
		_exit(3);
	_exit(44);
}

CKPT_TARGET(nested)
{
	pid_t pid = vfork_by(vfork_inner, CLONE_VM | SIGCHLD);
	int status = -1;

	said[3] = 1;
	CHECK(pid > 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 44 << 8);
}

/* While another thread of the parent goes on; and one that is a thread itself. */

static volatile int counted;

static void *count(void *arg)
{
	while (!said[1]) {
		counted++;
		ckpt_msleep(1);
	}
	return arg;
}

CKPT_TARGET(threads)
{
	pthread_t thread;
	int before, status = -1;
	pid_t pid;

	NEED(!pthread_create(&thread, NULL, count, NULL));
	pid = vfork_by(wait_and_exit, CLONE_VM | SIGCHLD);
	before = counted;
	CHECK(before > 0);
	said[1] = 1;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 42 << 8);
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

static int thread_waits(void *arg)
{
	(void)arg;
	said[0] = 1;
	ckpt_ready();
	ckpt_wait();
	said[2] = 1;
	syscall(SYS_exit, 0);
	return 0;
}

CKPT_TARGET(thread)
{
	pid_t tid = vfork_by(thread_waits, CLONE_VM | CLONE_THREAD |
				   CLONE_SIGHAND | CLONE_FS | CLONE_FILES);

	CHECK(tid > 0 && tid != getpid());
	CHECK_EQ(said[2], 1);
}

/* A child that is its brother. */

static int brother_maker(void *arg)
{
	(void)arg;
	if (vfork_by(wait_and_exit, CLONE_VM | CLONE_PARENT | SIGCHLD) < 0 ||
	    !said[2])
		_exit(4);
	_exit(45);
}

CKPT_TARGET(brother)
{
	pid_t maker = clone(brother_maker, stack[1] + sizeof(stack[1]),
			    CLONE_VM | SIGCHLD, NULL);
	int status = -1;

	CHECK_EQ(waitpid(maker, &status, 0), maker);
	CHECK_EQ(status, 45 << 8);
	CHECK_EQ(waitpid(-1, &status, 0), child_saw);
	CHECK_EQ(status, 42 << 8);
}

/* Once it is there the parent sleeps; that takes it no time. */
static void settle(struct __test_metadata *_metadata,
		   struct ckpt_target *target, const char *name,
		   enum ckpt_mode mode)
{
	ASSERT_EQ(0, ckpt_start(target, name, mode));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ckpt_msleep(10);
}

#define IN_FLIGHT(name)							\
	TEST_F(vfork, name)						\
	{								\
		settle(_metadata, &self->target, #name, variant->mode);	\
		ASSERT_EQ(0, ckpt_cycle(&self->target));		\
		ckpt_msleep(50);					\
		ASSERT_EQ(0, ckpt_go(&self->target));			\
		EXPECT_EQ(0, ckpt_end(&self->target));			\
	}

IN_FLIGHT(ends)
IN_FLIGHT(executes)
IN_FLIGHT(apart)
IN_FLIGHT(nested)
IN_FLIGHT(threads)
IN_FLIGHT(thread)
IN_FLIGHT(brother)

/* From an image of a restarted one: it is in the same place as ever. */
TEST_F(vfork, again)
{
	struct ckpt_target *target = &self->target;

	/* Who becomes it takes his time. */
	if (variant->mode == CKPT_BECOME)
		return;
	settle(_metadata, target, "ends", variant->mode);
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, ckpt_cycle(target));
		ckpt_msleep(20);
	}
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* The child is killed while nobody looks; and the parent is. */

TEST_F(vfork, child_killed)
{
	struct ckpt_target *target = &self->target;
	pid_t child;

	/* Who becomes it takes his time. */
	if (variant->mode == CKPT_BECOME)
		return;
	settle(_metadata, target, "killed", variant->mode);
	ASSERT_EQ(0, ckpt_cycle(target));
	ckpt_msleep(20);
	child = ckpt_child_of(target->pid);
	ASSERT_LT(0, child);
	ASSERT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(0, ckpt_end(target));
}

CKPT_TARGET(killed)
{
	pid_t pid = vfork_by(wait_and_exit, CLONE_VM | SIGCHLD);
	int status = -1;

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, SIGKILL);
}

TEST_F(vfork, parent_killed)
{
	struct ckpt_target *target = &self->target;
	pid_t child;

	if (variant->mode == CKPT_BECOME)
		return;
	settle(_metadata, target, "ends", variant->mode);
	ASSERT_EQ(0, ckpt_cycle(target));
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	ckpt_msleep(20);
	child = ckpt_child_of(target->pid);
	ASSERT_LT(0, child);
	ASSERT_EQ(0, kill(target->pid, SIGKILL));
	EXPECT_EQ(target->pid, waitpid(target->pid, NULL, 0));
	target->pid = 0;
	/* The child goes on, as one whose parent is gone. */
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(child, waitpid(child, NULL, 0));
}

/* Who waits for one that is not of the tree can't be taken, and is named. */
TEST_F(vfork, outside)
{
	struct ckpt_target *target = &self->target;
	pid_t root = 0, maker;

	if (variant->mode != CKPT_LIVE)
		return;
	settle(_metadata, target, "brother", CKPT_LIVE);
	root = target->pid;
	maker = ckpt_child_of(root);
	ASSERT_LT(0, maker);
	target->pid = maker;
	EXPECT_GT(0, ckpt_checkpoint(target, 0));
	target->pid = root;
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

CKPT_TEST_MAIN
