// SPDX-License-Identifier: GPL-2.0-only
/* Signals: handlers, masks, stacks, what is pending, and stopped processes. */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <signal.h>
#include <sys/resource.h>

#define NSIG_ALL	64
#define STACK_SIZE	(64 * 1024)
#define RT_FIRST	34	/* SIGRTMIN, as a constant */

#ifndef SS_AUTODISARM
#define SS_AUTODISARM	(1U << 31)
#endif

/* As the kernel has them; those of the C library hide two signals. */
struct action {
	void		(*handler)(int sig, siginfo_t *info, void *context);
	unsigned long	flags;
	void		(*restorer)(void);
	__u64		mask;
};

#define RESTORER	0x04000000UL
#define EXPOSE_TAGBITS	0x00000800UL

static __u64 bit(int sig)
{
	return 1ULL << (sig - 1);
}

static int action_set(int sig, const struct action *action)
{
	return syscall(SYS_rt_sigaction, sig, action, NULL, 8);
}

static void action_get(int sig, struct action *action)
{
	NEED(!syscall(SYS_rt_sigaction, sig, NULL, action, 8));
}

static __u64 mask_set(__u64 mask)
{
	__u64 old;

	NEED(!syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &old, 8));
	return old;
}

static __u64 mask_get(void)
{
	__u64 mask;

	NEED(!syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &mask, 8));
	return mask;
}

static __u64 pending(void)
{
	__u64 mask;

	NEED(!syscall(SYS_rt_sigpending, &mask, 8));
	return mask;
}

/* The next signal of a set that is pending; or 0 */
static int take(__u64 set, siginfo_t *info)
{
	struct timespec none = {};
	int sig;

	memset(info, 0xee, sizeof(*info));
	sig = syscall(SYS_rt_sigtimedwait, &set, info, &none, 8);
	return sig < 0 ? 0 : sig;
}

static int send_info(int sig, siginfo_t *info, bool shared)
{
	if (shared)
		return syscall(SYS_rt_sigqueueinfo, getpid(), sig, info);
	return syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), sig, info);
}

static void send_value(int sig, int value, bool shared)
{
	siginfo_t info = { .si_code = SI_QUEUE };

	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_int = value;
	NEED(!send_info(sig, &info, shared));
}

static void expect_value(int sig, int value)
{
	siginfo_t info;

	if (!CHECK_EQ(take(bit(sig), &info), sig))
		return;
	CHECK_EQ(info.si_code, SI_QUEUE);
	/* The process itself, whatever its pid is by now. */
	CHECK_EQ(info.si_pid, getpid());
	CHECK_EQ(info.si_uid, getuid());
	CHECK_EQ(info.si_int, value);
	CHECK_EQ(info.si_errno, 0);
}

static void expect_none(__u64 set)
{
	siginfo_t info;

	CHECK_EQ(take(set, &info), 0);
}

/* One of the masks in /proc/self/status, by its name. */
static __u64 status_mask(const char *name)
{
	static char text[4096];
	char *line;

	ckpt_read("/proc/self/status", text, sizeof(text));
	line = strstr(text, name);
	NEED(line);
	return strtoull(line + strlen(name) + 1, NULL, 16);
}

CKPT_FIXTURE(signals);

/* Handlers. */

static volatile int handled, handled_value;
static volatile __u64 handled_mask;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)context;
	handled = sig;
	handled_value = info->si_int;
	handled_mask = mask_get();
}

static void other_handler(int sig, siginfo_t *info, void *context)
{
	handler(-sig, info, context);
}

static const unsigned long action_flags[] = {
	SA_NOCLDSTOP, SA_NOCLDWAIT, SA_SIGINFO, SA_ONSTACK, SA_RESTART,
	SA_NODEFER, SA_RESETHAND, EXPOSE_TAGBITS,
};

/* Something different for each signal; nobody calls these. */
static void action_make(int sig, struct action *action)
{
	memset(action, 0, sizeof(*action));
	if (sig % 5 == 1)
		action->handler = (void *)SIG_IGN;
	else if (sig % 5)
		action->handler = sig & 1 ? handler : other_handler;
	for (unsigned int i = 0; i < 8; i++)
		if ((sig * 37) & (1 << i))
			action->flags |= action_flags[i];
	if (sig % 3) {
		action->flags |= RESTORER;
		action->restorer = (void (*)(void))(0x10000UL * sig);
	}
	action->mask = 0x9e3779b97f4a7c15ULL * sig;
	action->mask &= ~(bit(SIGKILL) | bit(SIGSTOP));
}

static bool can_be_handled(int sig)
{
	return sig != SIGKILL && sig != SIGSTOP;
}

CKPT_TEST(signals, handlers)
{
	static struct action before[NSIG_ALL + 1], after;

	for (int sig = 1; sig <= NSIG_ALL; sig++) {
		action_make(sig, &before[sig]);
		if (can_be_handled(sig))
			NEED(!action_set(sig, &before[sig]));
		action_get(sig, &before[sig]);
	}
	ckpt_point();
	for (int sig = 1; sig <= NSIG_ALL; sig++) {
		action_get(sig, &after);
		if (memcmp(&after, &before[sig], sizeof(after)))
			ckpt_fail(__FILE__, __LINE__,
				  "signal %d: handler %p flags %#lx restorer %p mask %#llx",
				  sig, after.handler, after.flags,
				  after.restorer, after.mask);
	}
}

static void handle(int sig, int flags, void (*how)(int, siginfo_t *, void *))
{
	struct sigaction action = { .sa_flags = flags | SA_SIGINFO };

	action.sa_sigaction = how;
	sigaddset(&action.sa_mask, SIGUSR2);
	NEED(!sigaction(sig, &action, NULL));
}

/* They are called, with what they are to be called with. */
CKPT_TEST(signals, handler_runs)
{
	handle(SIGUSR1, 0, handler);
	handle(SIGHUP, SA_NODEFER, other_handler);
	handle(SIGTERM, SA_RESETHAND, handler);
	ckpt_point();
	send_value(SIGUSR1, 5, false);
	CHECK_EQ(handled, SIGUSR1);
	CHECK_EQ(handled_value, 5);
	CHECK_EQ(handled_mask, bit(SIGUSR1) | bit(SIGUSR2));
	send_value(SIGHUP, 6, true);
	CHECK_EQ(handled, -SIGHUP);
	CHECK_EQ(handled_mask, bit(SIGUSR2));
	send_value(SIGTERM, 7, true);
	CHECK_EQ(handled, SIGTERM);
	CHECK(signal(SIGTERM, SIG_DFL) == SIG_DFL);
}

CKPT_TEST(signals, ignored)
{
	__u64 ignored, caught;

	signal(SIGTERM, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGRTMIN + 4, SIG_IGN);
	handle(SIGUSR1, 0, handler);
	ignored = status_mask("SigIgn:");
	caught = status_mask("SigCgt:");
	ckpt_point();
	CHECK_EQ(status_mask("SigIgn:"), ignored);
	CHECK_EQ(status_mask("SigCgt:"), caught);
	CHECK(!raise(SIGTERM));
	CHECK(!raise(SIGRTMIN + 4));
	CHECK_EQ(pending(), 0);
}

/* Masks. */

CKPT_TEST(signals, mask)
{
	__u64 mask = 0xa5a55a5af00f0ff0ULL;

	mask |= bit(32) | bit(64) | bit(SIGSEGV);
	mask &= ~(bit(SIGKILL) | bit(SIGSTOP));
	mask_set(mask);
	ckpt_point();
	CHECK_EQ(mask_get(), mask);
	CHECK_EQ(status_mask("SigBlk:"), mask);
}

CKPT_TEST(signals, mask_empty)
{
	mask_set(0);
	ckpt_point();
	CHECK_EQ(mask_get(), 0);
}

CKPT_TEST(signals, mask_full)
{
	mask_set(~0ULL);
	ckpt_point();
	CHECK_EQ(mask_get(), ~(bit(SIGKILL) | bit(SIGSTOP)));
}

/* What is pending. */

static void same_pending(void)
{
	__u64 private = status_mask("SigPnd:"), shared = status_mask("ShdPnd:");

	NEED(private | shared);
	ckpt_point();
	CHECK_EQ(status_mask("SigPnd:"), private);
	CHECK_EQ(status_mask("ShdPnd:"), shared);
}

CKPT_TEST(signals, pending_private)
{
	siginfo_t info;

	mask_set(~0ULL);
	NEED(!syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1));
	send_value(SIGUSR2, 0x12345, false);
	same_pending();
	CHECK_EQ(status_mask("ShdPnd:"), 0);
	CHECK_EQ(take(bit(SIGUSR1), &info), SIGUSR1);
	CHECK_EQ(info.si_code, SI_TKILL);
	CHECK_EQ(info.si_pid, getpid());
	CHECK_EQ(info.si_uid, getuid());
	expect_value(SIGUSR2, 0x12345);
	expect_none(~0ULL);
}

CKPT_TEST(signals, pending_shared)
{
	siginfo_t info;

	mask_set(~0ULL);
	NEED(!kill(getpid(), SIGTERM));
	send_value(SIGUSR2, -7, true);
	same_pending();
	CHECK_EQ(status_mask("SigPnd:"), 0);
	CHECK_EQ(take(bit(SIGTERM), &info), SIGTERM);
	CHECK_EQ(info.si_code, SI_USER);
	CHECK_EQ(info.si_pid, getpid());
	expect_value(SIGUSR2, -7);
	expect_none(~0ULL);
}

/* Of standard signals there is one, the first; of the others, as many as came. */
CKPT_TEST(signals, pending_order)
{
	mask_set(~0ULL);
	for (int i = 0; i < 20; i++) {
		send_value(SIGRTMIN + 2, 100 + i, true);
		send_value(SIGRTMIN + 1, 200 + i, true);
		send_value(SIGRTMIN + 1, 300 + i, false);
		send_value(SIGUSR1, 400 + i, true);
		send_value(SIGUSR1, 500 + i, false);
	}
	same_pending();
	expect_value(SIGUSR1, 500);
	expect_value(SIGUSR1, 400);
	for (int i = 0; i < 20; i++)
		expect_value(SIGRTMIN + 1, 300 + i);
	for (int i = 0; i < 20; i++)
		expect_value(SIGRTMIN + 1, 200 + i);
	for (int i = 0; i < 20; i++)
		expect_value(SIGRTMIN + 2, 100 + i);
	expect_none(~0ULL);
}

CKPT_TEST(signals, pending_many)
{
	mask_set(~0ULL);
	for (int i = 0; i < 1000; i++)
		send_value(SIGRTMIN + i % 7, i, i & 1);
	same_pending();
	for (int sig = 0; sig < 7; sig++) {
		for (int i = 0; i < 1000; i++)
			if (i % 7 == sig && !(i & 1))
				expect_value(SIGRTMIN + sig, i);
		for (int i = 0; i < 1000; i++)
			if (i % 7 == sig && (i & 1))
				expect_value(SIGRTMIN + sig, i);
	}
	expect_none(~0ULL);
}

/* Every byte of the siginfo, whoever it seems to come from. */
static const struct {
	int	sig;
	int	code;
} pending_codes[] = {
	{ RT_FIRST, SI_QUEUE }, { RT_FIRST, SI_MESGQ },
	{ RT_FIRST, SI_ASYNCIO }, { RT_FIRST, -60 }, { RT_FIRST, SI_USER },
	{ RT_FIRST, SI_KERNEL }, { SIGSEGV, SEGV_MAPERR }, { SIGBUS, 2 },
	{ SIGFPE, FPE_INTDIV }, { SIGILL, ILL_ILLOPN }, { SIGTRAP, 1 },
	{ SIGCHLD, CLD_EXITED }, { SIGPOLL, 1 }, { SIGSYS, 1 }, { RT_FIRST, 7 },
	{ SIGSEGV, SEGV_PKUERR }, { SIGBUS, 4 }, { SIGTERM, 3 },
};

#define NR_CODES	(sizeof(pending_codes) / sizeof(pending_codes[0]))

/* One, of those whose signals are the same, at a time, so that none is lost. */
static void pending_code(unsigned int i, siginfo_t *sent, bool shared)
{
	__u8 *bytes = (__u8 *)sent;

	memset(sent, 0, sizeof(*sent));
	for (int j = 16; j < 48; j++)
		bytes[j] = i * 7 + j;
	sent->si_signo = pending_codes[i].sig;
	sent->si_code = pending_codes[i].code;
	NEED(!send_info(sent->si_signo, sent, shared));
}

static void pending_info(bool shared)
{
	static siginfo_t sent, before[NR_CODES], after;

	mask_set(~0ULL);
	/* What the kernel makes of it is known from one that was taken. */
	for (unsigned int i = 0; i < NR_CODES; i++) {
		pending_code(i, &sent, shared);
		CHECK_EQ(take(~0ULL, &before[i]), sent.si_signo);
	}
	for (unsigned int i = 0; i < NR_CODES; i++)
		pending_code(i, &sent, shared);
	same_pending();
	for (unsigned int i = 0; i < NR_CODES; i++) {
		if (pending_codes[i].code == SEGV_PKUERR ||
		    (pending_codes[i].sig == SIGBUS &&
		     pending_codes[i].code == 4))
			continue;	/* coalesced with an earlier one */
		CHECK_EQ(take(bit(pending_codes[i].sig), &after),
			 pending_codes[i].sig);
		if (!CHECK(!memcmp(&after, &before[i], sizeof(after))))
			ckpt_fail(__FILE__, __LINE__, "signal %d, code %d",
				  pending_codes[i].sig, pending_codes[i].code);
	}
	expect_none(~0ULL);
}

CKPT_TEST(signals, pending_info_private)
{
	pending_info(false);
}

CKPT_TEST(signals, pending_info_shared)
{
	pending_info(true);
}

CKPT_TEST(signals, pending_child)
{
	siginfo_t info;
	pid_t child;

	mask_set(bit(SIGCHLD));
	child = fork();
	NEED(child >= 0);
	if (!child)
		_exit(7);
	NEED(waitpid(child, NULL, 0) == child);
	same_pending();
	CHECK_EQ(take(bit(SIGCHLD), &info), SIGCHLD);
	CHECK_EQ(info.si_code, CLD_EXITED);
	CHECK_EQ(info.si_status, 7);
	CHECK_EQ(info.si_pid, child);
}

/* Where there was no room for a siginfo the signal comes without. */
CKPT_TEST(signals, pending_bare)
{
	struct rlimit none = {};
	siginfo_t info;

	mask_set(~0ULL);
	NEED(!setrlimit(RLIMIT_SIGPENDING, &none));
	NEED(!kill(getpid(), SIGRTMIN));
	NEED(!kill(getpid(), SIGRTMIN + 1));
	same_pending();
	CHECK_EQ(take(bit(SIGRTMIN + 1), &info), SIGRTMIN + 1);
	CHECK_EQ(info.si_code, SI_USER);
	CHECK_EQ(info.si_pid, 0);
	CHECK_EQ(take(bit(SIGRTMIN), &info), SIGRTMIN);
	CHECK_EQ(info.si_pid, 0);
}

/* A limit that was lowered takes away nothing that is there. */
CKPT_TEST(signals, pending_beyond_limit)
{
	struct rlimit some = { 2, 2 };

	mask_set(~0ULL);
	for (int i = 0; i < 5; i++)
		send_value(SIGRTMIN, i, false);
	NEED(!setrlimit(RLIMIT_SIGPENDING, &some));
	same_pending();
	for (int i = 0; i < 5; i++)
		expect_value(SIGRTMIN, i);
}

/* A signal that is ignored may be pending if it was blocked before. */
CKPT_TEST(signals, pending_ignored)
{
	mask_set(bit(SIGUSR1) | bit(SIGRTMIN));
	send_value(SIGRTMIN, 1, false);
	send_value(SIGCONT, 2, false);
	ckpt_point();
	expect_value(SIGRTMIN, 1);
	CHECK_EQ(pending(), 0);
}

/* Those that were pending take effect when they are let. */
CKPT_TEST(signals, pending_handled)
{
	mask_set(~0ULL);
	handle(SIGUSR1, 0, handler);
	send_value(SIGUSR1, 99, true);
	ckpt_point();
	CHECK_EQ(handled, 0);
	mask_set(0);
	CHECK_EQ(handled, SIGUSR1);
	CHECK_EQ(handled_value, 99);
	CHECK_EQ(mask_get(), 0);
}

/* The alternate stack. */

static char stack[STACK_SIZE] __attribute__((aligned(16)));
static stack_t stack_inside;
static void *volatile stack_at;

static void stack_handler(int sig, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	stack_at = __builtin_frame_address(0);
	NEED(!sigaltstack(NULL, &stack_inside));
	handled = sig;
}

static bool on_stack(const void *p)
{
	return (const char *)p >= stack && (const char *)p < stack + STACK_SIZE;
}

static void stack_set(int flags)
{
	stack_t new = { .ss_sp = stack, .ss_size = STACK_SIZE };

	new.ss_flags = flags;
	NEED(!sigaltstack(&new, NULL));
	handle(SIGUSR1, SA_ONSTACK, stack_handler);
}

static void same_stack(int flags)
{
	stack_t now;

	NEED(!sigaltstack(NULL, &now));
	CHECK(now.ss_sp == stack);
	CHECK_EQ(now.ss_size, STACK_SIZE);
	CHECK_EQ(now.ss_flags, flags);
}

CKPT_TEST(signals, altstack)
{
	stack_set(0);
	ckpt_point();
	same_stack(0);
	raise(SIGUSR1);
	CHECK_EQ(handled, SIGUSR1);
	CHECK(on_stack(stack_at));
	CHECK_EQ(stack_inside.ss_flags, SS_ONSTACK);
	same_stack(0);
}

CKPT_TEST(signals, altstack_autodisarm)
{
	stack_set(SS_AUTODISARM);
	ckpt_point();
	same_stack(SS_AUTODISARM);
	raise(SIGUSR1);
	CHECK(on_stack(stack_at));
	CHECK_EQ(stack_inside.ss_flags, SS_DISABLE);
	same_stack(SS_AUTODISARM);
}

CKPT_TEST(signals, altstack_none)
{
	stack_t now;

	ckpt_point();
	NEED(!sigaltstack(NULL, &now));
	CHECK_EQ(now.ss_flags, SS_DISABLE);
	CHECK_EQ(now.ss_size, 0);
}

/* Being checkpointed inside a handler. */

static volatile int depth_reached, depth_left;

static void point_handler(int sig, siginfo_t *info, void *context)
{
	volatile int local = info->si_int;

	(void)context;
	stack_at = __builtin_frame_address(0);
	NEED(!sigaltstack(NULL, &stack_inside));
	ckpt_point();
	CHECK_EQ(local, 31);
	CHECK_EQ(info->si_int, 31);
	CHECK_EQ(mask_get(), bit(sig) | bit(SIGUSR2) | bit(SIGHUP));
	handled = sig;
}

CKPT_TEST(signals, inside_handler)
{
	handle(SIGUSR1, 0, point_handler);
	mask_set(bit(SIGHUP));
	send_value(SIGUSR1, 31, false);
	CHECK_EQ(handled, SIGUSR1);
	CHECK_EQ(mask_get(), bit(SIGHUP));
	CHECK(!on_stack(stack_at));
}

CKPT_TEST(signals, inside_handler_on_altstack)
{
	stack_set(0);
	handle(SIGUSR1, SA_ONSTACK, point_handler);
	mask_set(bit(SIGHUP));
	send_value(SIGUSR1, 31, false);
	CHECK_EQ(handled, SIGUSR1);
	CHECK(on_stack(stack_at));
	CHECK_EQ(stack_inside.ss_flags, SS_ONSTACK);
	CHECK_EQ(mask_get(), bit(SIGHUP));
	same_stack(0);
}

/* The stack is disarmed while it is in use, and armed on return. */
CKPT_TEST(signals, inside_handler_autodisarmed)
{
	stack_set(SS_AUTODISARM);
	handle(SIGUSR1, SA_ONSTACK, point_handler);
	mask_set(bit(SIGHUP));
	send_value(SIGUSR1, 31, false);
	CHECK_EQ(stack_inside.ss_flags, SS_DISABLE);
	same_stack(SS_AUTODISARM);
}

static void nested_handler(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (++depth_reached < 4)
		send_value(sig + 1, info->si_int + 1, false);
	else
		ckpt_point();
	CHECK_EQ(info->si_signo, sig);
	CHECK_EQ(info->si_int, SIGRTMIN + 10 - sig + 3 +
			       2 * (sig - SIGRTMIN - 10));
	depth_left++;
}

CKPT_TEST(signals, inside_nested_handlers)
{
	for (int i = 0; i < 4; i++)
		handle(SIGRTMIN + 10 + i, 0, nested_handler);
	send_value(SIGRTMIN + 10, 3, false);
	CHECK_EQ(depth_reached, 4);
	CHECK_EQ(depth_left, 4);
	CHECK_EQ(mask_get(), 0);
}

/* What needs somebody outside. */

CKPT_FIXTURE_ONLY(signals_outside);
CKPT_VARIANT(signals_outside, live, CKPT_LIVE);
CKPT_VARIANT(signals_outside, killed, CKPT_KILLED);
CKPT_VARIANT(signals_outside, become, CKPT_BECOME);

/* Wait for a state, as /proc/PID/stat names it. */
static bool wait_state(pid_t pid, char state)
{
	char path[32], text[512], *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int i = 0; i < 3000; i++) {
		ckpt_read(path, text, sizeof(text));
		p = strrchr(text, ')');
		if (p && p[2] == state)
			return true;
		ckpt_msleep(1);
	}
	return false;
}

/* In sigsuspend() the mask is another one, and comes back after it. */
CKPT_TARGET(suspended)
{
	sigset_t none;

	handle(SIGUSR1, 0, handler);
	mask_set(bit(SIGUSR1) | bit(SIGTERM));
	sigemptyset(&none);
	sigaddset(&none, SIGHUP);
	ckpt_ready();
	CHECK_EQ(sigsuspend(&none), -1);
	CHECK_EQ(errno, EINTR);
	CHECK_EQ(handled, SIGUSR1);
	CHECK_EQ(handled_mask, bit(SIGHUP) | bit(SIGUSR1) | bit(SIGUSR2));
	CHECK_EQ(mask_get(), bit(SIGUSR1) | bit(SIGTERM));
	CHECK(ckpt_gone());
}

TEST_F(signals_outside, sigsuspend)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, ckpt_start(target, "suspended", variant->mode));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_EQ(0, ckpt_wait_syscall(target, SYS_rt_sigsuspend));
	ASSERT_EQ(0, ckpt_cycle(target));
	ASSERT_EQ(0, ckpt_wait_syscall(target, SYS_rt_sigsuspend));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, kill(target->pid, SIGUSR1));
	EXPECT_EQ(0, ckpt_end(target));
}

CKPT_TARGET(waiting)
{
	siginfo_t info;
	sigset_t set;

	mask_set(bit(SIGRTMIN));
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	ckpt_ready();
	/* As with a stop: it may have to be called again. */
	while (sigwaitinfo(&set, &info) < 0)
		NEED(errno == EINTR);
	CHECK_EQ(info.si_int, 44);
}

TEST_F(signals_outside, sigwaitinfo)
{
	union sigval value = { .sival_int = 44 };
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, ckpt_start(target, "waiting", variant->mode));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_EQ(0, ckpt_wait_syscall(target, SYS_rt_sigtimedwait));
	ASSERT_EQ(0, ckpt_cycle(target));
	ASSERT_EQ(0, ckpt_wait_syscall(target, SYS_rt_sigtimedwait));
	EXPECT_EQ(0, sigqueue(target->pid, SIGRTMIN, value));
	EXPECT_EQ(0, ckpt_end(target));
}

CKPT_TARGET(stopped)
{
	handle(SIGCONT, 0, handler);
	handle(SIGTSTP, 0, handler);
	ckpt_ready();
	ckpt_wait();
	CHECK_EQ(handled, SIGCONT);
}

static void stop_by(struct __test_metadata *_metadata,
		    struct ckpt_target *target, enum ckpt_mode mode, int sig)
{
	int status = 0;

	ASSERT_EQ(0, ckpt_start(target, "stopped", mode));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_EQ(0, kill(target->pid, sig));
	ASSERT_EQ(target->pid, waitpid(target->pid, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
	ASSERT_EQ(sig, WSTOPSIG(status));
}

static void continued(struct __test_metadata *_metadata,
		      struct ckpt_target *target)
{
	EXPECT_TRUE(wait_state(target->pid, 'T'));
	ASSERT_EQ(0, ckpt_go(target));
	ckpt_msleep(20);
	EXPECT_TRUE(wait_state(target->pid, 'T'));
	EXPECT_EQ(0, kill(target->pid, SIGCONT));
	EXPECT_EQ(0, ckpt_end(target));
}

TEST_F(signals_outside, stopped)
{
	stop_by(_metadata, &self->target, variant->mode, SIGSTOP);
	ASSERT_EQ(0, ckpt_cycle(&self->target));
	continued(_metadata, &self->target);
}

TEST_F(signals_outside, stopped_from_terminal)
{
	stop_by(_metadata, &self->target, variant->mode, SIGTTIN);
	ASSERT_EQ(0, ckpt_cycle(&self->target));
	continued(_metadata, &self->target);
}

/* Whoever waits for a process that stopped is told once, by now by another. */
TEST_F(signals_outside, stopped_is_reported)
{
	struct ckpt_target *target = &self->target;
	int status = 0;

	stop_by(_metadata, target, variant->mode, SIGSTOP);
	ASSERT_EQ(0, ckpt_cycle(target));
	EXPECT_TRUE(wait_state(target->pid, 'T'));
	if (variant->mode == CKPT_LIVE) {
		EXPECT_EQ(0, waitpid(target->pid, &status,
				     WUNTRACED | WNOHANG));
	} else {
		EXPECT_EQ(target->pid, waitpid(target->pid, &status,
					       WUNTRACED));
		EXPECT_EQ(SIGSTOP, WSTOPSIG(status));
	}
	continued(_metadata, target);
}

/* It is pending while stopped, and does what it does once continued. */
TEST_F(signals_outside, stopped_with_signal)
{
	struct ckpt_target *target = &self->target;
	int status = 0;

	stop_by(_metadata, target, variant->mode, SIGSTOP);
	ASSERT_EQ(0, kill(target->pid, SIGTERM));
	ASSERT_EQ(0, ckpt_cycle(target));
	EXPECT_TRUE(wait_state(target->pid, 'T'));
	ckpt_msleep(20);
	EXPECT_TRUE(wait_state(target->pid, 'T'));
	EXPECT_EQ(0, kill(target->pid, SIGCONT));
	EXPECT_EQ(target->pid, waitpid(target->pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGTERM, WTERMSIG(status));
	target->pid = 0;
}

CKPT_TARGET(doomed)
{
	mask_set(bit(SIGTERM) | bit(SIGRTMIN));
	raise(SIGTERM);
	ckpt_ready();
	ckpt_wait();
	CHECK_EQ(pending(), bit(SIGTERM));
	mask_set(0);
}

/* Its parent learns what it died of. */
TEST_F(signals_outside, pending_and_fatal)
{
	struct ckpt_target *target = &self->target;
	int status = 0;

	ASSERT_EQ(0, ckpt_start(target, "doomed", variant->mode));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_EQ(0, ckpt_cycle(target));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(target->pid, waitpid(target->pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGTERM, WTERMSIG(status));
	target->pid = 0;
}

/* And by SIGCHLD. */
CKPT_TARGET(short_lived)
{
	ckpt_ready();
	ckpt_wait();
}

TEST_F(signals_outside, parent_is_told)
{
	struct ckpt_target *target = &self->target;
	struct timespec limit = { 10, 0 };
	siginfo_t info = {};
	sigset_t set;

	ASSERT_EQ(0, ckpt_start(target, "short_lived", variant->mode));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_EQ(0, ckpt_cycle(target));
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	/* Of those that died before. */
	while (sigtimedwait(&set, &info, &(struct timespec){}) > 0)
		;
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(SIGCHLD, sigtimedwait(&set, &info, &limit));
	EXPECT_EQ(target->pid, info.si_pid);
	EXPECT_EQ(CLD_EXITED, info.si_code);
	EXPECT_EQ(0, ckpt_end(target));
}

CKPT_TEST_MAIN
