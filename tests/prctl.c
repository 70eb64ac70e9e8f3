// SPDX-License-Identifier: GPL-2.0-only
/*
 * What prctl(2) sets and is seen by what it does: dispatch of system calls,
 * merging of memory, controls of speculation. process.c has the rest.
 */
#include "ckpt_test.h"
#include "ckpt_image.h"
#include "ckpt_proc.h"

#include <asm/prctl.h>
#include <linux/prctl.h>
#include <signal.h>

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE	67
#define PR_GET_MEMORY_MERGE	68
#endif

#ifndef SYS_USER_DISPATCH
#define SYS_USER_DISPATCH	2
#endif

/* Of <sys/prctl.h>, which does not go with <linux/prctl.h>. */
int prctl(int option, ...);

CKPT_FIXTURE(prctl);

/* System calls that a handler is told of. */

static volatile char selector = SYSCALL_DISPATCH_FILTER_ALLOW;
static volatile sig_atomic_t dispatched;

static void on_dispatch(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	selector = SYSCALL_DISPATCH_FILTER_ALLOW;
	if (info->si_code == SYS_USER_DISPATCH)
		dispatched = info->si_syscall;
}

static void handle_dispatch(void)
{
	struct sigaction action = { .sa_sigaction = on_dispatch,
				    .sa_flags = SA_SIGINFO };

	NEED(!sigaction(SIGSYS, &action, NULL));
}

static int dispatch(void)
{
	dispatched = -1;
	selector = SYSCALL_DISPATCH_FILTER_BLOCK;
	syscall(SYS_getpgid, 0);
	selector = SYSCALL_DISPATCH_FILTER_ALLOW;
	return dispatched;
}

CKPT_TEST(prctl, dispatch)
{
	handle_dispatch();
	NEED(!prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0,
		    &selector));
	NEED(dispatch() == SYS_getpgid);
	ckpt_point();
	CHECK_EQ(dispatch(), SYS_getpgid);
	CHECK(!prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0,
		     0));
	CHECK_EQ(dispatch(), -1);
}

/* Code whose system calls pass: here that is all there is. */
CKPT_TEST(prctl, dispatch_range)
{
	handle_dispatch();
	NEED(!prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 4096,
		    0x7fffffff0000, &selector));
	ckpt_point();
	CHECK_EQ(dispatch(), -1);
}

CKPT_TEST(prctl, dispatch_off)
{
	handle_dispatch();
	ckpt_point();
	CHECK_EQ(dispatch(), -1);
}

/* Merging of memory: of all there is and will be, but for what was taken out. */
CKPT_TEST(prctl, memory_merge)
{
	int prot = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
	char *in, *out, *new;

	if (prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0))
		ckpt_skip("no merging of memory");
	in = mmap(NULL, 4096, prot, flags, -1, 0);
	out = mmap(NULL, 4096, PROT_READ, flags, -1, 0);
	NEED(in != MAP_FAILED && out != MAP_FAILED);
	NEED(!madvise(out, 4096, MADV_UNMERGEABLE));
	NEED(ckpt_vm_flag(in, "mg") && !ckpt_vm_flag(out, "mg"));
	ckpt_point();
	CHECK_EQ(prctl(PR_GET_MEMORY_MERGE, 0, 0, 0, 0), 1);
	CHECK(ckpt_vm_flag(in, "mg"));
	CHECK(!ckpt_vm_flag(out, "mg"));
	new = mmap(NULL, 4096, PROT_READ | PROT_EXEC, flags, -1, 0);
	CHECK(ckpt_vm_flag(new, "mg"));
	CHECK(!prctl(PR_SET_MEMORY_MERGE, 0, 0, 0, 0));
	CHECK(!ckpt_vm_flag(in, "mg"));
}

CKPT_TEST(prctl, no_memory_merge)
{
	ckpt_point();
	CHECK_EQ(prctl(PR_GET_MEMORY_MERGE, 0, 0, 0, 0), 0);
}

/* What the machine lets a process control. */

static void same_speculation(int which, unsigned long value)
{
	if (prctl(PR_SET_SPECULATION_CTRL, which, value, 0, 0))
		ckpt_skip("no control of it here");
	ckpt_point();
	CHECK_EQ(prctl(PR_GET_SPECULATION_CTRL, which, 0, 0, 0),
		 PR_SPEC_PRCTL | value);
}

CKPT_TEST(prctl, store_bypass)
{
	same_speculation(PR_SPEC_STORE_BYPASS, PR_SPEC_DISABLE);
}

CKPT_TEST(prctl, indirect_branch)
{
	same_speculation(PR_SPEC_INDIRECT_BRANCH, PR_SPEC_FORCE_DISABLE);
}

CKPT_TEST(prctl, speculation)
{
	int before[3];

	for (int i = 0; i < 3; i++)
		before[i] = prctl(PR_GET_SPECULATION_CTRL, i, 0, 0, 0);
	ckpt_point();
	for (int i = 0; i < 3; i++)
		CHECK_EQ(prctl(PR_GET_SPECULATION_CTRL, i, 0, 0, 0), before[i]);
}

CKPT_TEST(prctl, no_cpuid)
{
	if (syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0))
		ckpt_skip("no CPUID faulting");
	ckpt_point();
	CHECK_EQ(syscall(SYS_arch_prctl, ARCH_GET_CPUID, 0), 0);
	CHECK(!syscall(SYS_arch_prctl, ARCH_SET_CPUID, 1));
}

/* Who is restarted over a process that had all that has none of it. */
FIXTURE(over) {
	struct ckpt_target target;
};

FIXTURE_SETUP(over)
{
	memset(self, 0, sizeof(*self));
}

FIXTURE_TEARDOWN(over)
{
	ckpt_clean(&self->target);
}

CKPT_TARGET(over_nothing)
{
	prctl(PR_SET_MEMORY_MERGE, 0, 0, 0, 0);
	handle_dispatch();
	ckpt_point();
	CHECK_EQ(dispatch(), -1);
	CHECK_EQ(prctl(PR_GET_MEMORY_MERGE, 0, 0, 0, 0), 0);
}

TEST_F(over, nothing)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0,
			   0, &selector));
	prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0);
	EXPECT_EQ(0, ckpt_run(target, "over_nothing", CKPT_BECOME));
}

/* What an image asks for that this machine has not got, and what none may ask. */

static struct ckpt_image image;
static size_t records[256];

static struct ckpt_rec_prctl *load(struct ckpt_target *target)
{
	int fd = open(ckpt_path(target, "image"), O_RDONLY | O_CLOEXEC);
	struct ckpt_record *rec;
	unsigned int nr;

	image.room = 4 << 20;
	image.bytes = malloc(image.room);
	if (!image.bytes || !ckpt_image_load(&image, fd))
		return NULL;
	close(fd);
	nr = ckpt_image_records(&image, records, 256);
	for (unsigned int i = 0; i < nr; i++) {
		rec = ckpt_image_record(&image, records[i]);
		if (rec->type == CKPT_REC_PRCTL)
			return (void *)(rec + 1);
	}
	return NULL;
}

static long restart_changed(struct ckpt_target *target)
{
	int fd = open(ckpt_path(target, "image"), O_WRONLY | O_CLOEXEC);
	long ret = -EIO;

	ckpt_image_reseal(&image);
	if (write(fd, image.bytes, image.len) == (ssize_t)image.len)
		ret = ckpt_restart(target, 0);
	close(fd);
	return ret;
}

/* A control can't be had where it is there for all, or not at all. */
static bool exposed(int which)
{
	int now = prctl(PR_GET_SPECULATION_CTRL, which, 0, 0, 0);

	return now == (which == PR_SPEC_L1D_FLUSH ? (int)PR_SPEC_FORCE_DISABLE :
						    (int)PR_SPEC_ENABLE);
}

TEST_F(over, controls_not_to_be_had)
{
	struct ckpt_target *target = &self->target;
	struct ckpt_rec_prctl *rec;
	struct ckpt_rec_prctl was;

	ASSERT_EQ(0, ckpt_start(target, "over_nothing", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	rec = load(target);
	ASSERT_NE(NULL, rec);
	was = *rec;

	for (int i = 0; i < 3; i++) {
		rec->speculation[i] = PR_SPEC_PRCTL |
			(i == PR_SPEC_L1D_FLUSH ? PR_SPEC_ENABLE :
						  PR_SPEC_DISABLE);
		if (exposed(i))
			EXPECT_EQ(-EOPNOTSUPP, restart_changed(target));
		rec->speculation[i] = 0x20;
		EXPECT_EQ(-EBADMSG, restart_changed(target));
		*rec = was;
	}
	if (syscall(SYS_arch_prctl, ARCH_SET_CPUID, 1)) {
		rec->what |= CKPT_PRCTL_NO_CPUID;
		EXPECT_EQ(-EOPNOTSUPP, restart_changed(target));
		*rec = was;
	}
	rec->dispatch_selector = 4096;
	EXPECT_EQ(-EBADMSG, restart_changed(target));
	rec->what |= CKPT_PRCTL_SYSCALL_DISPATCH;
	rec->dispatch_selector = ~0ULL;
	EXPECT_EQ(-EBADMSG, restart_changed(target));
	*rec = was;
	ASSERT_LT(0, restart_changed(target));
}

CKPT_TEST_MAIN
