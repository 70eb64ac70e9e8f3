// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks that are traced from outside the tree. Held in whatever stop, one is taken
 * as if its tracer let it go, and is held as it was by the tracer that it has.
 */
#define _GNU_SOURCE
#include "ckpt_test.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <linux/ptrace.h>

CKPT_FIXTURE_ONLY(held);
CKPT_VARIANT(held, live, CKPT_LIVE);
CKPT_VARIANT(held, killed, CKPT_KILLED);

/* Each waits to be seized, and then gets itself held. */

static volatile int handled;

static void wait_traced(void)
{
	ckpt_ready();
	while (access("traced", F_OK))
		ckpt_msleep(1);
}

static void handler(int sig)
{
	(void)sig;
	handled++;
}

CKPT_TARGET(signalled)
{
	signal(SIGUSR1, handler);
	wait_traced();
	raise(SIGUSR1);
	CHECK_EQ(handled, 1);
	ckpt_wait();
	CHECK_EQ(handled, 1);
}

/* Interrupted by it, with time left. */
CKPT_TARGET(interrupted)
{
	struct timespec time = { 10, 0 };

	signal(SIGUSR1, handler);
	wait_traced();
	CHECK(nanosleep(&time, &time) == -1 && errno == EINTR);
	CHECK_EQ(handled, 1);
	ckpt_wait();
}

CKPT_TARGET(writes)
{
	int fd = open("written", O_CREAT | O_WRONLY | O_APPEND, 0600);
	struct stat stat;

	NEED(fd >= 0);
	wait_traced();
	CHECK_EQ(syscall(SYS_write, fd, "once", 4), 4);
	CHECK(!fstat(fd, &stat));
	CHECK_EQ(stat.st_size, 4);
	ckpt_wait();
}

CKPT_TARGET(waits)
{
	wait_traced();
	ckpt_wait();
}

CKPT_TARGET(forks)
{
	pid_t pid;
	int status;

	wait_traced();
	pid = fork();
	if (!pid)
		_exit(3);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 3 << 8);
	ckpt_wait();
}

CKPT_TARGET(executes)
{
	char mode[] = { '0' + ckpt_mode, 0 };

	wait_traced();
	execl("/proc/self/exe", "target", "--target", "executed", mode, NULL);
}

CKPT_TARGET(executed)
{
	ckpt_wait();
}

static void say_traced(struct ckpt_target *target)
{
	int fd = open(ckpt_path(target, "traced"), O_CREAT | O_WRONLY, 0600);

	close(fd);
}

static int next_stop(pid_t pid)
{
	int status = 0;

	return waitpid(pid, &status, __WALL | WUNTRACED) == pid ? status : -1;
}

/* Go on until a system call of that number begins, or ends. */
static void until_call(struct __test_metadata *_metadata, pid_t pid, long nr,
		       bool end)
{
	struct user_regs_struct regs;
	bool inside = false;

	for (;;) {
		ASSERT_EQ(0, ptrace(PTRACE_SYSCALL, pid, 0, 0));
		ASSERT_EQ((SIGTRAP | 0x80) << 8 | 0x7f, next_stop(pid));
		inside = !inside;
		ASSERT_EQ(0, ptrace(PTRACE_GETREGS, pid, 0, &regs));
		if ((long)regs.orig_rax == nr && inside != end)
			return;
	}
}

static void seize(struct __test_metadata *_metadata,
		  struct ckpt_target *target, const char *name,
		  enum ckpt_mode mode, unsigned long options)
{
	ASSERT_EQ(0, ckpt_start(target, name, mode));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, target->pid, 0, options));
}

static void interrupt(struct __test_metadata *_metadata, pid_t pid)
{
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	ASSERT_EQ(SIGTRAP | PTRACE_EVENT_STOP << 8, next_stop(pid) >> 8);
}

/* It is where it was, for its tracer. */
static void still_held(struct __test_metadata *_metadata, pid_t pid)
{
	struct user_regs_struct regs;
	int status = 0;

	EXPECT_EQ(0, ptrace(PTRACE_GETREGS, pid, 0, &regs));
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG | __WALL));
}

/*
 * Take it. Live, the tracer lets it go with what it was held for; or it is killed,
 * and goes on without a tracer.
 */
static void take(struct __test_metadata *_metadata, struct ckpt_target *target,
		 enum ckpt_mode mode, int sig)
{
	ASSERT_LT(0, ckpt_checkpoint(target, 0)) {
		printf("# %s\n", target->log);
	}
	still_held(_metadata, target->pid);
	if (mode == CKPT_LIVE) {
		ASSERT_EQ(0, ptrace(PTRACE_DETACH, target->pid, 0, sig));
		return;
	}
	ckpt_kill(target);
	ASSERT_LT(0, ckpt_restart(target, 0)) {
		printf("# %s\n", target->log);
	}
}

static void done(struct __test_metadata *_metadata, struct ckpt_target *target)
{
	ckpt_msleep(20);
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

TEST_F(held, signal)
{
	struct ckpt_target *target = &self->target;

	seize(_metadata, target, "signalled", variant->mode, 0);
	say_traced(target);
	ASSERT_EQ(SIGUSR1 << 8 | 0x7f, next_stop(target->pid));
	take(_metadata, target, variant->mode, SIGUSR1);
	done(_metadata, target);
}

TEST_F(held, signal_in_call)
{
	struct ckpt_target *target = &self->target;

	seize(_metadata, target, "interrupted", variant->mode, 0);
	say_traced(target);
	ckpt_msleep(50);
	ASSERT_EQ(0, kill(target->pid, SIGUSR1));
	ASSERT_EQ(SIGUSR1 << 8 | 0x7f, next_stop(target->pid));
	take(_metadata, target, variant->mode, SIGUSR1);
	done(_metadata, target);
}

/* What a tracer does not pass on does not come by way of an image. */
TEST_F(held, attach)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, ckpt_start(target, "waits", variant->mode));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_EQ(0, ptrace(PTRACE_ATTACH, target->pid, 0, 0));
	ASSERT_EQ(SIGSTOP << 8 | 0x7f, next_stop(target->pid));
	say_traced(target);
	take(_metadata, target, variant->mode, 0);
	done(_metadata, target);
}

TEST_F(held, step)
{
	struct ckpt_target *target = &self->target;

	seize(_metadata, target, "waits", variant->mode, 0);
	interrupt(_metadata, target->pid);
	ASSERT_EQ(0, ptrace(PTRACE_SINGLESTEP, target->pid, 0, 0));
	ASSERT_EQ(SIGTRAP << 8 | 0x7f, next_stop(target->pid));
	say_traced(target);
	take(_metadata, target, variant->mode, 0);
	done(_metadata, target);
}

TEST_F(held, interrupt)
{
	struct ckpt_target *target = &self->target;

	seize(_metadata, target, "waits", variant->mode, 0);
	interrupt(_metadata, target->pid);
	say_traced(target);
	take(_metadata, target, variant->mode, 0);
	done(_metadata, target);
}

TEST_F(held, group_stop)
{
	struct ckpt_target *target = &self->target;

	seize(_metadata, target, "waits", variant->mode, 0);
	ASSERT_EQ(0, kill(target->pid, SIGSTOP));
	ASSERT_EQ(SIGSTOP << 8 | 0x7f, next_stop(target->pid));
	ASSERT_EQ(0, ptrace(PTRACE_CONT, target->pid, 0, SIGSTOP));
	ASSERT_EQ(SIGSTOP | PTRACE_EVENT_STOP << 8, next_stop(target->pid) >> 8);
	say_traced(target);
	take(_metadata, target, variant->mode, 0);
	/* It is stopped still, of which a restart tells. */
	if (variant->mode == CKPT_KILLED)
		EXPECT_EQ(SIGSTOP << 8 | 0x7f, next_stop(target->pid));
	ASSERT_EQ(0, kill(target->pid, SIGCONT));
	done(_metadata, target);
}

TEST_F(held, call)
{
	struct ckpt_target *target = &self->target;

	seize(_metadata, target, "writes", variant->mode,
	      PTRACE_O_TRACESYSGOOD);
	interrupt(_metadata, target->pid);
	say_traced(target);
	until_call(_metadata, target->pid, SYS_write, false);
	take(_metadata, target, variant->mode, 0);
	done(_metadata, target);
}

TEST_F(held, call_done)
{
	struct ckpt_target *target = &self->target;

	seize(_metadata, target, "writes", variant->mode,
	      PTRACE_O_TRACESYSGOOD);
	interrupt(_metadata, target->pid);
	say_traced(target);
	until_call(_metadata, target->pid, SYS_write, true);
	take(_metadata, target, variant->mode, 0);
	done(_metadata, target);
}

TEST_F(held, exec)
{
	struct ckpt_target *target = &self->target;

	seize(_metadata, target, "executes", variant->mode, PTRACE_O_TRACEEXEC);
	say_traced(target);
	ASSERT_EQ(SIGTRAP | PTRACE_EVENT_EXEC << 8, next_stop(target->pid) >> 8);
	take(_metadata, target, variant->mode, 0);
	done(_metadata, target);
}

/* Half-way through a call, of which the rest is the kernel's alone. */
TEST_F(held, fork_event)
{
	struct ckpt_target *target = &self->target;
	unsigned long child;

	if (variant->mode != CKPT_LIVE)
		return;
	seize(_metadata, target, "forks", CKPT_LIVE, PTRACE_O_TRACEFORK);
	say_traced(target);
	ASSERT_EQ(SIGTRAP | PTRACE_EVENT_FORK << 8, next_stop(target->pid) >> 8);
	EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint(target, 0));
	EXPECT_NE(NULL, strstr(target->log, "held by its tracer at event 1"));
	ASSERT_EQ(0, ptrace(PTRACE_GETEVENTMSG, target->pid, 0, &child));
	ASSERT_LT(0, next_stop(child));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, (pid_t)child, 0, 0));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, target->pid, 0, 0));
	done(_metadata, target);
}

CKPT_TEST_MAIN
