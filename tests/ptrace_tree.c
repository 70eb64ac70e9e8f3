// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks that are traced by one of the tree. Held in whatever stop, or running, they
 * go on under their tracer, who can't tell that anything has happened.
 */
#define _GNU_SOURCE
#include "ckpt_test.h"

#include <elf.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/user.h>

CKPT_FIXTURE(traced);

/* <sys/ptrace.h> does not go with <linux/ptrace.h>. */
static long trace(long request, pid_t pid, uintptr_t addr, uintptr_t data)
{
	return syscall(SYS_ptrace, request, pid, addr, data);
}

#define CALL_STOP	(SIGTRAP | 0x80)

static volatile int handled[65];
static volatile siginfo_t handled_info;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)context;
	handled[sig]++;
	memcpy((void *)&handled_info, info, sizeof(*info));
}

static void handle(int sig)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	sigaction(sig, &sa, NULL);
}

/* In what stop it is next: the bytes above the 0x7f, or -1. */
static int next_stop(pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, __WALL) != pid || (status & 0xff) != 0x7f)
		return -1;
	return status >> 8;
}

static int next_end(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, __WALL);
	return status;
}

/* It is held, and its tracer has been told. */
static void still_held(pid_t pid)
{
	struct user_regs_struct regs;
	int status;

	CHECK_EQ(trace(PTRACE_GETREGS, pid, 0, (uintptr_t)&regs), 0);
	CHECK_EQ(waitpid(pid, &status, WNOHANG | __WALL), 0);
}

static void cont(pid_t pid, int sig)
{
	CHECK_EQ(trace(PTRACE_CONT, pid, 0, sig), 0);
}

static void to_call(pid_t pid)
{
	CHECK_EQ(trace(PTRACE_SYSCALL, pid, 0, 0), 0);
	CHECK_EQ(next_stop(pid), CALL_STOP);
}

static unsigned long long reg(pid_t pid, size_t offset)
{
	struct user_regs_struct regs = {};

	CHECK_EQ(trace(PTRACE_GETREGS, pid, 0, (uintptr_t)&regs), 0);
	return *(unsigned long long *)((char *)&regs + offset);
}

#define REG(pid, name)	((long)reg(pid, offsetof(struct user_regs_struct, name)))

static void set_reg(pid_t pid, size_t offset, unsigned long long value)
{
	CHECK_EQ(trace(PTRACE_POKEUSR, pid, offset, value), 0);
}

#define SET_REG(pid, name, value) \
	set_reg(pid, offsetof(struct user_regs_struct, name), value)

/* A child that is traced, and stops at once; options are set. */
static pid_t traced(void (*body)(void), unsigned long options)
{
	pid_t pid = fork();

	if (!pid) {
		trace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		body();
		_exit(99);
	}
	CHECK_EQ(next_stop(pid), SIGSTOP);
	CHECK_EQ(trace(PTRACE_SETOPTIONS, pid, 0, options), 0);
	return pid;
}

static pid_t seized(void (*body)(void), unsigned long options)
{
	pid_t pid = fork();

	if (!pid) {
		raise(SIGSTOP);
		body();
		_exit(99);
	}
	waitpid(pid, NULL, WUNTRACED);
	CHECK_EQ(trace(PTRACE_SEIZE, pid, 0, options), 0);
	CHECK_EQ(next_stop(pid), SIGSTOP | PTRACE_EVENT_STOP << 8);
	kill(pid, SIGCONT);
	for (int i = 0; i < 2; i++) {
		int stop;

		cont(pid, 0);
		stop = next_stop(pid);
		if (stop == SIGCONT)
			break;
		CHECK_EQ(stop, SIGTRAP | PTRACE_EVENT_STOP << 8);
	}
	return pid;
}

/* Signals. */

static void signals(void)
{
	handle(SIGUSR1);
	handle(SIGUSR2);
	raise(SIGUSR1);
	_exit(handled[SIGUSR1] | handled[SIGUSR2] << 1);
}

static pid_t held_for_signal(void)
{
	pid_t pid = traced(signals, 0);

	cont(pid, 0);
	CHECK_EQ(next_stop(pid), SIGUSR1);
	return pid;
}

CKPT_TEST(traced, signal)
{
	pid_t pid = held_for_signal();
	siginfo_t info = {};

	ckpt_point();
	still_held(pid);
	CHECK_EQ(trace(PTRACE_GETSIGINFO, pid, 0, (uintptr_t)&info), 0);
	CHECK_EQ(info.si_signo, SIGUSR1);
	CHECK_EQ(info.si_pid, pid);
	cont(pid, SIGUSR1);
	CHECK_EQ(next_end(pid), 1 << 8);
}

CKPT_TEST(traced, signal_dropped)
{
	pid_t pid = held_for_signal();

	ckpt_point();
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 0);
}

CKPT_TEST(traced, signal_replaced)
{
	pid_t pid = held_for_signal();

	ckpt_point();
	cont(pid, SIGUSR2);
	CHECK_EQ(next_end(pid), 2 << 8);
}

CKPT_TEST(traced, signal_kills)
{
	pid_t pid = held_for_signal();

	ckpt_point();
	cont(pid, SIGTERM);
	CHECK_EQ(next_end(pid), SIGTERM);
}

CKPT_TEST(traced, signal_detached)
{
	pid_t pid = held_for_signal();

	ckpt_point();
	CHECK_EQ(trace(PTRACE_DETACH, pid, 0, SIGUSR1), 0);
	CHECK_EQ(next_end(pid), 1 << 8);
}

static void says_value(void)
{
	handle(SIGUSR1);
	raise(SIGUSR1);
	_exit(handled_info.si_code == SI_QUEUE ? handled_info.si_value.sival_int : 0);
}

CKPT_TEST(traced, siginfo_changed)
{
	pid_t pid = traced(says_value, 0);
	siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };

	cont(pid, 0);
	CHECK_EQ(next_stop(pid), SIGUSR1);
	info.si_value.sival_int = 42;
	CHECK_EQ(trace(PTRACE_SETSIGINFO, pid, 0, (uintptr_t)&info), 0);
	ckpt_point();
	cont(pid, SIGUSR1);
	CHECK_EQ(next_end(pid), 42 << 8);
}

/* Others of a lower number that are pending come after it, and stop it. */
CKPT_TEST(traced, signal_first)
{
	pid_t pid = held_for_signal();

	kill(pid, SIGHUP);
	ckpt_point();
	cont(pid, SIGUSR1);
	CHECK_EQ(next_stop(pid), SIGHUP);
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 1 << 8);
}

/* The tracer has yet to ask, and has had its SIGCHLD. */
CKPT_TEST(traced, unreported)
{
	pid_t pid = traced(signals, 0);
	siginfo_t info;

	handle(SIGCHLD);
	cont(pid, 0);
	CHECK_EQ(waitid(P_PID, pid, &info, WSTOPPED | WEXITED | WNOWAIT), 0);
	CHECK_EQ(handled[SIGCHLD], 1);
	ckpt_point();
	CHECK_EQ(handled[SIGCHLD], 1);
	CHECK_EQ(next_stop(pid), SIGUSR1);
	CHECK_EQ(handled[SIGCHLD], 1);
	cont(pid, SIGUSR1);
	CHECK_EQ(next_end(pid), 1 << 8);
}

/* System calls. */

static int out[2];

static void writes(void)
{
	long ret = syscall(SYS_write, out[1], "once", 4);

	_exit(ret == 4 ? 0 : ret == 2 ? 2 : ret == getppid() ? 3 : 4);
}

static pid_t held_before(void (*body)(void), long nr)
{
	pid_t pid = traced(body, PTRACE_O_TRACESYSGOOD);

	do {
		to_call(pid);
	} while (REG(pid, orig_rax) != nr);
	return pid;
}

static pid_t held_at_call(long nr, bool end)
{
	pid_t pid;

	NEED(!pipe(out));
	pid = held_before(writes, nr);
	if (end)
		to_call(pid);
	return pid;
}

static int written(void)
{
	char text[16];

	fcntl(out[0], F_SETFL, O_NONBLOCK);
	return read(out[0], text, sizeof(text));
}

CKPT_TEST(traced, call)
{
	pid_t pid = held_at_call(SYS_write, false);

	ckpt_point();
	still_held(pid);
	CHECK_EQ(written(), -1);
	CHECK_EQ(REG(pid, orig_rax), SYS_write);
	CHECK_EQ(REG(pid, rax), -ENOSYS);
	to_call(pid);
	CHECK_EQ(REG(pid, rax), 4);
	CHECK_EQ(REG(pid, orig_rax), SYS_write);
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 0);
	CHECK_EQ(written(), 4);
}

static void naps(void)
{
	struct timespec time = { 0, 1000000 };

	_exit(syscall(SYS_nanosleep, &time, NULL) ? 1 : 0);
}

/* It can be interrupted, and nothing is there that does. */
CKPT_TEST(traced, call_sleeps)
{
	pid_t pid = held_before(naps, SYS_nanosleep);

	ckpt_point();
	still_held(pid);
	to_call(pid);
	CHECK_EQ(REG(pid, orig_rax), SYS_nanosleep);
	CHECK_EQ(REG(pid, rax), 0);
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 0);
}

CKPT_TEST(traced, call_continued)
{
	pid_t pid = held_at_call(SYS_write, false);

	ckpt_point();
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 0);
	CHECK_EQ(written(), 4);
}

CKPT_TEST(traced, call_detached)
{
	pid_t pid = held_at_call(SYS_write, false);

	ckpt_point();
	CHECK_EQ(trace(PTRACE_DETACH, pid, 0, 0), 0);
	CHECK_EQ(next_end(pid), 0);
	CHECK_EQ(written(), 4);
}

CKPT_TEST(traced, call_arguments)
{
	pid_t pid = held_at_call(SYS_write, false);

	SET_REG(pid, rdx, 2);
	ckpt_point();
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 2 << 8);
	CHECK_EQ(written(), 2);
}

CKPT_TEST(traced, call_replaced)
{
	pid_t pid = held_at_call(SYS_write, false);

	SET_REG(pid, orig_rax, SYS_getppid);
	ckpt_point();
	to_call(pid);
	CHECK_EQ(REG(pid, rax), getpid());
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 3 << 8);
	CHECK_EQ(written(), -1);
}

CKPT_TEST(traced, call_off)
{
	pid_t pid = held_at_call(SYS_write, false);

	SET_REG(pid, orig_rax, -1);
	SET_REG(pid, rax, 2);
	ckpt_point();
	to_call(pid);
	CHECK_EQ(REG(pid, rax), 2);
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 2 << 8);
	CHECK_EQ(written(), -1);
}

CKPT_TEST(traced, call_done)
{
	pid_t pid = held_at_call(SYS_write, true);

	ckpt_point();
	still_held(pid);
	CHECK_EQ(REG(pid, rax), 4);
	SET_REG(pid, rax, 2);
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 2 << 8);
	CHECK_EQ(written(), 4);
}

/* Signals that come in between wait until the call has ended. */
CKPT_TEST(traced, call_signalled)
{
	pid_t pid = held_at_call(SYS_write, false);

	kill(pid, SIGTERM);
	ckpt_point();
	to_call(pid);
	CHECK_EQ(REG(pid, rax), 4);
	CHECK_EQ(trace(PTRACE_SYSCALL, pid, 0, 0), 0);
	CHECK_EQ(next_stop(pid), SIGTERM);
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 0);
}

static void exits(void)
{
	syscall(SYS_write, -1, "", 0);
	_exit(7);
}

/* The rest of the call is the end. */
CKPT_TEST(traced, call_exits)
{
	pid_t pid = traced(exits, PTRACE_O_TRACESYSGOOD);

	do {
		to_call(pid);
	} while (REG(pid, orig_rax) != SYS_exit_group);
	ckpt_point();
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 7 << 8);
}

static void emulated(void)
{
	_exit(syscall(SYS_write, -1, "", 0) == 5 ? 0 : 1);
}

CKPT_TEST(traced, call_emulated)
{
	pid_t pid = traced(emulated, PTRACE_O_TRACESYSGOOD);

	do {
		CHECK_EQ(trace(PTRACE_SYSEMU, pid, 0, 0), 0);
		CHECK_EQ(next_stop(pid), CALL_STOP);
	} while (REG(pid, orig_rax) != SYS_write);
	SET_REG(pid, rax, 5);
	ckpt_point();
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 0);
}

#define I386_GETPPID	64

static void calls_i386(void)
{
	long ret = I386_GETPPID;

	syscall(SYS_write, -1, "", 0);
	asm volatile("int $0x80" : "+a"(ret) : : "memory");
	_exit(ret == getppid() ? 0 : 1);
}

CKPT_TEST(traced, call_i386)
{
	pid_t pid = traced(calls_i386, PTRACE_O_TRACESYSGOOD);
	int stop;

	do {
		to_call(pid);
	} while (REG(pid, orig_rax) != SYS_write);
	to_call(pid);
	CHECK_EQ(trace(PTRACE_SYSCALL, pid, 0, 0), 0);
	stop = next_stop(pid);
	if (stop == SIGSEGV)
		ckpt_skip("no system calls as of i386");
	CHECK_EQ(stop, CALL_STOP);
	CHECK_EQ(REG(pid, orig_rax), I386_GETPPID);
	ckpt_point();
	to_call(pid);
	CHECK_EQ(REG(pid, rax), getpid());
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 0);
}

/* A tracer that counts, whenever the checkpoint comes. */

#define PADDED	200

static void calls(void)
{
	unsigned int nr = 0;

	for (int i = 0; i < 100000; i++) {
		bool gone = ckpt_gone();

		for (int j = 0; j < PADDED; j++, nr++)
			syscall(SYS_getppid);
		usleep(1000);
		if (gone)
			break;
	}
	syscall(SYS_write, out[1], &nr, sizeof(nr));
	_exit(0);
}

static void count(pid_t pid)
{
	struct __ptrace_syscall_info { __u8 op; __u8 pad[3]; __u32 arch; __u64 ip, sp, v[7]; } info;
	unsigned int nr = 0, told = 0;
	int want = PTRACE_SYSCALL_INFO_ENTRY, status;

	for (;;) {
		CHECK_EQ(trace(PTRACE_SYSCALL, pid, 0, 0), 0);
		if (waitpid(pid, &status, __WALL) != pid || WIFEXITED(status))
			break;
		if (!CHECK_EQ(status >> 8, CALL_STOP))
			break;
		CHECK(trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info),
			    (uintptr_t)&info) > 0);
		if (!CHECK_EQ(info.op, want))
			break;
		nr += info.op == PTRACE_SYSCALL_INFO_ENTRY &&
		      info.v[0] == SYS_getppid;
		if (info.op == PTRACE_SYSCALL_INFO_EXIT)
			CHECK((__s64)info.v[0] > -512 || (__s64)info.v[0] < -520);
		want = want == PTRACE_SYSCALL_INFO_ENTRY ?
		       PTRACE_SYSCALL_INFO_EXIT : PTRACE_SYSCALL_INFO_ENTRY;
	}
	CHECK_EQ(status, 0);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	CHECK_EQ(read(out[0], &told, sizeof(told)), sizeof(told));
	CHECK_EQ(nr, told);
}

static void *counts(void *arg)
{
	pid_t *pid = arg;

	*pid = traced(calls, PTRACE_O_TRACESYSGOOD);
	count(*pid);
	return NULL;
}

CKPT_TEST(traced, counted)
{
	pid_t pid;

	NEED(!pipe(out));
	pid = traced(calls, PTRACE_O_TRACESYSGOOD);
	if (ckpt_mode == CKPT_SELF)
		ckpt_point();
	else
		ckpt_ready();
	count(pid);
}

/* By a thread, while its leader looks on. */
CKPT_TEST(traced, counted_by_thread)
{
	pthread_t thread;
	pid_t pid = 0;

	NEED(!pipe(out));
	NEED(!pthread_create(&thread, NULL, counts, &pid));
	while (!pid)
		ckpt_msleep(1);
	ckpt_msleep(20);
	ckpt_point();
	pthread_join(thread, NULL);
}

/* It sleeps in a call, and its tracer waits for it. */

static void reads(void)
{
	char c;

	_exit(syscall(SYS_read, out[0], &c, 1) == 1 ? 0 : 1);
}

static void sleeps(void)
{
	struct timespec time = { 0, 300000000 };

	_exit(syscall(SYS_nanosleep, &time, NULL) ? 1 : 0);
}

static void sleeps_in(void (*body)(void), long nr, long ret)
{
	pid_t pid, other;

	NEED(!pipe(out));
	pid = traced(body, PTRACE_O_TRACESYSGOOD);
	other = fork();
	if (!other) {
		ckpt_wait();
		ckpt_msleep(20);
		_exit(write(out[1], "", 1) != 1);
	}
	do {
		to_call(pid);
	} while (REG(pid, orig_rax) != nr);
	CHECK_EQ(trace(PTRACE_SYSCALL, pid, 0, 0), 0);
	ckpt_msleep(50);
	if (ckpt_mode == CKPT_SELF)
		ckpt_point();
	else
		ckpt_ready();
	CHECK_EQ(next_stop(pid), CALL_STOP);
	CHECK_EQ(REG(pid, orig_rax), nr);
	CHECK_EQ(REG(pid, rax), ret);
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 0);
	CHECK_EQ(next_end(other), 0);
}

CKPT_TEST(traced, reads)
{
	sleeps_in(reads, SYS_read, 1);
}

CKPT_TEST(traced, sleeps)
{
	sleeps_in(sleeps, SYS_nanosleep, 0);
}

/* PTRACE_SEIZE. */

static void waits(void)
{
	ckpt_wait();
	_exit(5);
}

CKPT_TEST(traced, interrupted)
{
	pid_t pid = seized(waits, 0);

	cont(pid, 0);
	CHECK_EQ(trace(PTRACE_INTERRUPT, pid, 0, 0), 0);
	CHECK_EQ(next_stop(pid), SIGTRAP | PTRACE_EVENT_STOP << 8);
	ckpt_point();
	still_held(pid);
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 5 << 8);
}

static pid_t group_stopped(void)
{
	pid_t pid = seized(waits, 0);

	cont(pid, 0);
	kill(pid, SIGSTOP);
	CHECK_EQ(next_stop(pid), SIGSTOP);
	cont(pid, SIGSTOP);
	CHECK_EQ(next_stop(pid), SIGSTOP | PTRACE_EVENT_STOP << 8);
	return pid;
}

CKPT_TEST(traced, group_stop)
{
	pid_t pid = group_stopped();

	ckpt_point();
	still_held(pid);
	kill(pid, SIGCONT);
	cont(pid, 0);
	CHECK_EQ(next_stop(pid), SIGTRAP | PTRACE_EVENT_STOP << 8);
	cont(pid, 0);
	CHECK_EQ(next_stop(pid), SIGCONT);
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 5 << 8);
}

CKPT_TEST(traced, listens)
{
	pid_t pid = group_stopped();
	int status;

	CHECK_EQ(trace(PTRACE_LISTEN, pid, 0, 0), 0);
	ckpt_point();
	CHECK_EQ(waitpid(pid, &status, WNOHANG | __WALL), 0);
	CHECK(trace(PTRACE_CONT, pid, 0, 0) == -1 && errno == ESRCH);
	kill(pid, SIGCONT);
	CHECK_EQ(next_stop(pid), SIGTRAP | PTRACE_EVENT_STOP << 8);
	cont(pid, 0);
	CHECK_EQ(next_stop(pid), SIGCONT);
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 5 << 8);
}

/* As PTRACE_ATTACH has it: without siginfo. */
CKPT_TEST(traced, group_stop_attached)
{
	pid_t pid = traced(waits, 0);
	siginfo_t info;

	cont(pid, SIGSTOP);
	CHECK_EQ(next_stop(pid), SIGSTOP);
	ckpt_point();
	still_held(pid);
	CHECK(trace(PTRACE_GETSIGINFO, pid, 0, (uintptr_t)&info) == -1 &&
	      errno == EINVAL);
	kill(pid, SIGCONT);
	cont(pid, 0);
	CHECK_EQ(next_stop(pid), SIGCONT);
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 5 << 8);
}

/* Let go in its stop it stays stopped. */
CKPT_TEST(traced, group_stop_detached)
{
	pid_t pid = group_stopped();
	int status;

	ckpt_point();
	CHECK_EQ(trace(PTRACE_DETACH, pid, 0, 0), 0);
	ckpt_msleep(20);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGCONT);
	CHECK_EQ(next_end(pid), 5 << 8);
}

CKPT_TEST(traced, runs)
{
	pid_t pid = traced(waits, 0);

	cont(pid, 0);
	ckpt_point();
	CHECK_EQ(next_end(pid), 5 << 8);
}

/* Events. */

static void executes(void)
{
	execl("/proc/self/exe", "target", "--target", "executed", "4", NULL);
}

CKPT_TARGET(executed)
{
	_exit(6);
}

static void executes_traced(unsigned long options, int stop)
{
	pid_t pid = traced(executes, options);
	unsigned long message = 0;

	cont(pid, 0);
	CHECK_EQ(next_stop(pid), stop);
	ckpt_point();
	still_held(pid);
	if (options & PTRACE_O_TRACEEXEC) {
		CHECK_EQ(trace(PTRACE_GETEVENTMSG, pid, 0, (uintptr_t)&message), 0);
		CHECK_EQ(message, pid);
		to_call(pid);
		CHECK_EQ(REG(pid, orig_rax), SYS_execve);
		CHECK_EQ(REG(pid, rax), 0);
	}
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 6 << 8);
}

CKPT_TEST(traced, exec)
{
	executes_traced(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC,
			SIGTRAP | PTRACE_EVENT_EXEC << 8);
}

CKPT_TEST(traced, exec_trap)
{
	executes_traced(0, SIGTRAP);
}

static void forked(pid_t pid)
{
	int status = 0;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		_exit(1);
	_exit(status == 3 << 8 ? 4 : 2);
}

static void forks(void)
{
	pid_t pid = syscall(SYS_fork);

	if (!pid)
		_exit(3);
	forked(pid);
}

static void vforks(void)
{
	pid_t pid = vfork();

	if (!pid)
		_exit(3);
	forked(pid);
}

static void forks_traced(void (*body)(void), unsigned long options, int event)
{
	pid_t pid = traced(body, options | PTRACE_O_TRACESYSGOOD);
	unsigned long child = 0, message = 0;

	cont(pid, 0);
	CHECK_EQ(next_stop(pid), SIGTRAP | event << 8);
	CHECK_EQ(trace(PTRACE_GETEVENTMSG, pid, 0, (uintptr_t)&child), 0);
	CHECK_EQ(next_stop(child), SIGSTOP);
	ckpt_point();
	still_held(pid);
	still_held(child);
	CHECK_EQ(trace(PTRACE_GETEVENTMSG, pid, 0, (uintptr_t)&message), 0);
	CHECK_EQ(message, child);
	if (event == PTRACE_EVENT_VFORK) {
		CHECK_EQ(trace(PTRACE_SYSCALL, pid, 0, 0), 0);
		cont(child, 0);
		CHECK_EQ(next_end(child), 3 << 8);
		CHECK_EQ(next_stop(pid), CALL_STOP);
	} else {
		to_call(pid);
		cont(child, 0);
		CHECK_EQ(next_end(child), 3 << 8);
	}
	CHECK_EQ(REG(pid, orig_rax), event == PTRACE_EVENT_VFORK ? SYS_vfork :
						      SYS_fork);
	CHECK_EQ(REG(pid, rax), child);
	CHECK_EQ(trace(PTRACE_DETACH, pid, 0, 0), 0);
	CHECK_EQ(next_end(pid), 4 << 8);
}

CKPT_TEST(traced, fork)
{
	forks_traced(forks, PTRACE_O_TRACEFORK, PTRACE_EVENT_FORK);
}

CKPT_TEST(traced, vfork)
{
	forks_traced(vforks, PTRACE_O_TRACEVFORK, PTRACE_EVENT_VFORK);
}

/* It waits for the child that its tracer holds. */
CKPT_TEST(traced, vfork_waits)
{
	pid_t pid = traced(vforks, PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE |
				   PTRACE_O_TRACESYSGOOD);
	unsigned long child = 0, message = 0;

	cont(pid, 0);
	CHECK_EQ(next_stop(pid), SIGTRAP | PTRACE_EVENT_VFORK << 8);
	CHECK_EQ(trace(PTRACE_GETEVENTMSG, pid, 0, (uintptr_t)&child), 0);
	CHECK_EQ(next_stop(child), SIGSTOP);
	CHECK_EQ(trace(PTRACE_SYSCALL, pid, 0, 0), 0);
	ckpt_msleep(20);
	ckpt_point();
	still_held(child);
	cont(child, 0);
	CHECK_EQ(next_end(child), 3 << 8);
	CHECK_EQ(next_stop(pid), SIGTRAP | PTRACE_EVENT_VFORK_DONE << 8);
	CHECK_EQ(trace(PTRACE_GETEVENTMSG, pid, 0, (uintptr_t)&message), 0);
	CHECK_EQ(message, child);
	to_call(pid);
	CHECK_EQ(REG(pid, rax), child);
	cont(pid, 0);
	CHECK_EQ(next_stop(pid), SIGCHLD);
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 4 << 8);
}

static void filter(unsigned int nr)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 17),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		_exit(1);
}

static void filtered(void)
{
	filter(SYS_getppid);
	_exit(syscall(SYS_getppid) == getpid() ? 8 : 9);
}

CKPT_TEST(traced, seccomp)
{
	pid_t pid = traced(filtered, PTRACE_O_TRACESECCOMP);
	unsigned long message = 0;

	cont(pid, 0);
	CHECK_EQ(next_stop(pid), SIGTRAP | PTRACE_EVENT_SECCOMP << 8);
	ckpt_point();
	still_held(pid);
	CHECK_EQ(trace(PTRACE_GETEVENTMSG, pid, 0, (uintptr_t)&message), 0);
	CHECK_EQ(message, 17);
	SET_REG(pid, orig_rax, SYS_getpid);
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 8 << 8);
}

static void filtered_naps(void)
{
	filter(SYS_nanosleep);
	naps();
}

CKPT_TEST(traced, seccomp_sleeps)
{
	pid_t pid = traced(filtered_naps,
			   PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD);

	cont(pid, 0);
	CHECK_EQ(next_stop(pid), SIGTRAP | PTRACE_EVENT_SECCOMP << 8);
	ckpt_point();
	still_held(pid);
	to_call(pid);
	CHECK_EQ(REG(pid, rax), 0);
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 0);
}

/* Steps and hardware breakpoints. */

static void steps(void)
{
	int n = 50;

	/* An instruction that is known, and some more. */
	asm volatile("int3\n1: nop\n dec %0\n jnz 1b\n int3" : "+r"(n) : : "cc");
	_exit(0);
}

CKPT_TEST(traced, steps)
{
	pid_t pid = traced(steps, 0);
	int nr = 0;

	cont(pid, 0);
	CHECK_EQ(next_stop(pid), SIGTRAP);
	for (; nr < 151; nr++) {
		if (nr == 70)
			ckpt_point();
		CHECK_EQ(trace(PTRACE_SINGLESTEP, pid, 0, 0), 0);
		CHECK_EQ(next_stop(pid), SIGTRAP);
	}
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 0);
}

static volatile long watched;

static void stores(void)
{
	ckpt_msleep(1);
	watched = 1;
	watched = 2;
	_exit(0);
}

static uintptr_t debug_reg(int nr)
{
	return offsetof(struct user, u_debugreg) + nr * sizeof(long);
}

CKPT_TEST(traced, watchpoint)
{
	pid_t pid = traced(stores, 0);
	long value = 0;

	if (trace(PTRACE_POKEUSR, pid, debug_reg(0), (uintptr_t)&watched))
		ckpt_skip("no hardware breakpoints: %s", strerror(errno));
	/* Writes of 8 bytes, locally enabled. */
	CHECK_EQ(trace(PTRACE_POKEUSR, pid, debug_reg(7), 0x90001), 0);
	ckpt_point();
	CHECK_EQ(trace(PTRACE_PEEKUSR, pid, debug_reg(7), (uintptr_t)&value), 0);
	CHECK_EQ(value, 0x90001);
	CHECK_EQ(trace(PTRACE_PEEKUSR, pid, debug_reg(0), (uintptr_t)&value), 0);
	CHECK_EQ(value, (long)&watched);
	for (int i = 1; i <= 2; i++) {
		cont(pid, 0);
		CHECK_EQ(next_stop(pid), SIGTRAP);
		CHECK_EQ(trace(PTRACE_PEEKUSR, pid, debug_reg(6),
			       (uintptr_t)&value), 0);
		CHECK(value & 1);
		CHECK_EQ(trace(PTRACE_PEEKDATA, pid, (uintptr_t)&watched,
			       (uintptr_t)&value), 0);
		CHECK_EQ(value, i);
	}
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 0);
}

/* Who traces whom. */

static void wait_byte(void)
{
	char c;

	CHECK_EQ(read(out[0], &c, 1), 1);
}

/* Neither is the other's parent; and the tracer ends. */
static void tracer_ends(unsigned long options, int status)
{
	pid_t pid = fork(), tracer;

	if (!pid) {
		ckpt_wait();
		ckpt_msleep(100);
		_exit(5);
	}
	NEED(!pipe(out));
	tracer = fork();
	if (!tracer) {
		trace(PTRACE_SEIZE, pid, 0, options);
		if (write(out[1], "", 1) != 1)
			_exit(1);
		ckpt_wait();
		_exit(0);
	}
	wait_byte();
	ckpt_point();
	CHECK_EQ(next_end(tracer), 0);
	CHECK_EQ(next_end(pid), status);
}

CKPT_TEST(traced, tracer_ends)
{
	tracer_ends(0, 5 << 8);
}

CKPT_TEST(traced, tracer_ends_exitkill)
{
	tracer_ends(PTRACE_O_EXITKILL, SIGKILL);
}

/* Dead, and not waited for by the tracer: nor can the parent. */
CKPT_TEST(traced, dead)
{
	pid_t pid = fork(), tracer;
	siginfo_t info;
	int status;

	if (!pid) {
		while (access("die", F_OK))
			ckpt_msleep(1);
		_exit(5);
	}
	NEED(!pipe(out));
	tracer = fork();
	if (!tracer) {
		trace(PTRACE_SEIZE, pid, 0, 0);
		close(open("die", O_CREAT | O_WRONLY, 0600));
		waitid(P_PID, pid, &info, WEXITED | WNOWAIT | __WALL);
		if (write(out[1], "", 1) != 1)
			_exit(1);
		ckpt_wait();
		ckpt_msleep(50);
		_exit(waitpid(pid, &status, __WALL) != pid || status != 5 << 8);
	}
	wait_byte();
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	ckpt_point();
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_EQ(next_end(tracer), 0);
	CHECK_EQ(next_end(pid), 5 << 8);
}

static void traces(void)
{
	pid_t pid = held_for_signal();

	raise(SIGUSR2);
	cont(pid, SIGUSR1);
	_exit(next_end(pid) == 1 << 8 ? 10 : 11);
}

/* A tracer that is held itself. */
CKPT_TEST(traced, nested)
{
	pid_t pid = traced(traces, 0);
	int stop;

	cont(pid, 0);
	while ((stop = next_stop(pid)) == SIGCHLD)
		cont(pid, 0);
	CHECK_EQ(stop, SIGUSR2);
	ckpt_point();
	still_held(pid);
	cont(pid, 0);
	CHECK_EQ(next_stop(pid), SIGCHLD);
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 10 << 8);
}

/* At its end, of which its tracer is told once. */
static void held_at_exit(void (*body)(void), int sig, unsigned long code)
{
	pid_t pid = traced(body, PTRACE_O_TRACEEXIT);
	unsigned long message = 0;

	cont(pid, sig);
	CHECK_EQ(next_stop(pid), SIGTRAP | PTRACE_EVENT_EXIT << 8);
	ckpt_point();
	still_held(pid);
	CHECK_EQ(trace(PTRACE_GETEVENTMSG, pid, 0, (uintptr_t)&message), 0);
	CHECK_EQ(message, code);
	errno = 0;
	trace(PTRACE_PEEKDATA, pid, (uintptr_t)out, (uintptr_t)&message);
	CHECK_EQ(errno, 0);
	cont(pid, 0);
	CHECK_EQ(next_end(pid), code);
}

CKPT_TEST(traced, exit_event)
{
	held_at_exit(exits, 0, 7 << 8);
}

CKPT_TEST(traced, exit_event_killed)
{
	held_at_exit(waits, SIGTERM, SIGTERM);
}

static void *exits_alone(void *arg)
{
	(void)arg;
	syscall(SYS_exit, 0);
	return NULL;
}

static void thread_exits(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, exits_alone, NULL))
		_exit(1);
	ckpt_msleep(50);
	_exit(5);
}

/* A thread, the others go on. */
CKPT_TEST(traced, exit_event_thread)
{
	pid_t pid = traced(thread_exits, PTRACE_O_TRACECLONE);
	unsigned long thread = 0;

	cont(pid, 0);
	CHECK_EQ(next_stop(pid), SIGTRAP | PTRACE_EVENT_CLONE << 8);
	CHECK_EQ(trace(PTRACE_GETEVENTMSG, pid, 0, (uintptr_t)&thread), 0);
	CHECK_EQ(next_stop(thread), SIGSTOP);
	CHECK_EQ(trace(PTRACE_SETOPTIONS, thread, 0, PTRACE_O_TRACEEXIT), 0);
	cont(thread, 0);
	CHECK_EQ(next_stop(thread), SIGTRAP | PTRACE_EVENT_EXIT << 8);
	ckpt_point();
	still_held(thread);
	still_held(pid);
	cont(thread, 0);
	CHECK_EQ(next_end(thread), 0);
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 5 << 8);
}

/* What is refused. */

static void *waits_alone(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

static void exit_together(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, waits_alone, NULL))
		_exit(1);
	_exit(7);
}

CKPT_TARGET(at_exit)
{
	pid_t pid = traced(exit_together, PTRACE_O_TRACEEXIT |
			   PTRACE_O_TRACECLONE);
	unsigned long thread = 0;

	cont(pid, 0);
	CHECK_EQ(next_stop(pid), SIGTRAP | PTRACE_EVENT_CLONE << 8);
	CHECK_EQ(trace(PTRACE_GETEVENTMSG, pid, 0, (uintptr_t)&thread), 0);
	CHECK_EQ(next_stop(thread), SIGSTOP);
	cont(thread, 0);
	ckpt_msleep(20);
	cont(pid, 0);
	CHECK_EQ(next_stop(pid), SIGTRAP | PTRACE_EVENT_EXIT << 8);
	CHECK_EQ(next_stop(thread), SIGTRAP | PTRACE_EVENT_EXIT << 8);
	ckpt_point();
	still_held(pid);
	cont(thread, 0);
	CHECK_EQ(next_end(thread), 7 << 8);
	cont(pid, 0);
	CHECK_EQ(next_end(pid), 7 << 8);
}

CKPT_REFUSED(exit_event, "at_exit", EOPNOTSUPP, "held by its tracer at event 6")

static void drop_sys_ptrace(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	syscall(SYS_capget, &header, data);
	data[0].effective &= ~(1U << CAP_SYS_PTRACE);
	data[0].permitted &= ~(1U << CAP_SYS_PTRACE);
	syscall(SYS_capset, &header, data);
}

static void hides(void)
{
	prctl(PR_SET_DUMPABLE, 0);
	waits();
}

CKPT_TARGET(hidden)
{
	pid_t pid;

	drop_sys_ptrace();
	pid = traced(hides, 0);
	cont(pid, 0);
	ckpt_msleep(50);
	ckpt_point();
	CHECK_EQ(next_end(pid), 5 << 8);
}

/* Which has other ids than before. */
CKPT_TARGET(renamed)
{
	pid_t pid = traced(forks, PTRACE_O_TRACEFORK | PTRACE_O_TRACESYSGOOD);
	unsigned long child = 0, message = 0;
	siginfo_t info;
	pid_t first;
	int status;

	cont(pid, 0);
	waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT | __WALL);
	CHECK_EQ(trace(PTRACE_GETEVENTMSG, pid, 0, (uintptr_t)&child), 0);
	waitid(P_PID, child, &info, WSTOPPED | WNOWAIT | __WALL);
	ckpt_point();
	first = waitpid(-1, &status, __WALL);
	pid = waitpid(-1, &status, __WALL);
	if (status >> 8 == SIGSTOP) {
		child = pid;
		pid = first;
	} else {
		child = first;
	}
	CHECK_EQ(trace(PTRACE_GETEVENTMSG, pid, 0, (uintptr_t)&message), 0);
	CHECK_EQ(message, child);
	to_call(pid);
	CHECK_EQ(REG(pid, rax), child);
	cont(child, 0);
	CHECK_EQ(next_end(child), 3 << 8);
	CHECK_EQ(trace(PTRACE_DETACH, pid, 0, 0), 0);
	CHECK_EQ(next_end(pid), 4 << 8);
}

CKPT_TARGET(counts)
{
	pid_t pid;

	NEED(!pipe(out));
	pid = traced(calls, PTRACE_O_TRACESYSGOOD);
	ckpt_ready();
	count(pid);
}

CKPT_FIXTURE_ONLY(tracer);
CKPT_VARIANT(tracer, killed, CKPT_KILLED);

TEST_F(tracer, renamed)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, ckpt_start(target, "renamed", variant->mode));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_LT(0, ckpt_checkpoint(target, 0)) {
		printf("# %s\n", target->log);
	}
	ckpt_kill(target);
	ASSERT_LT(0, ckpt_restart(target, RESTART_NEW_PIDS)) {
		printf("# %s\n", target->log);
	}
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* What the caller may not trace is traced by nobody whom he makes. */
TEST_F(tracer, not_permitted)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, ckpt_start(target, "hidden", variant->mode));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ckpt_msleep(50);
	ASSERT_LT(0, ckpt_checkpoint(target, 0)) {
		printf("# %s\n", target->log);
	}
	ckpt_kill(target);
	drop_sys_ptrace();
	EXPECT_EQ(-EPERM, ckpt_restart(target, 0));
	EXPECT_NE(NULL, strstr(target->log, "not permitted to trace it")) {
		printf("# %s\n", target->log);
	}
}

/* Wherever it is at that moment. */
TEST_F(tracer, counts_often)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, ckpt_start(target, "counts", variant->mode));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	for (int i = 0; i < 60; i++) {
		ckpt_msleep(i % 7);
		ASSERT_LT(0, ckpt_checkpoint(target, 0)) {
			printf("# %s\n", target->log);
		}
		if (i % 3)
			continue;
		ckpt_kill(target);
		ASSERT_LT(0, ckpt_restart(target, 0)) {
			printf("# %s\n", target->log);
		}
	}
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

CKPT_TEST_MAIN
