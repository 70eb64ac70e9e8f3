// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers of a CPU. Most targets here are captured in user mode, in a loop
 * that compares registers with what was put into them, and end that by a flag in
 * a file that they have mapped.
 */
#include "ckpt_test.h"

#include <asm/prctl.h>
#include <cpuid.h>
#include <fenv.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>

#define PAGE		4096UL

#define general_regs	__attribute__((noinline, target("general-regs-only"), \
				       optimize("no-tree-loop-distribute-patterns", \
						"no-stack-protector")))

/* The file's page is mapped over this one, so that no register points to it. */
volatile int cpu_flag[PAGE / 4] __attribute__((aligned(4096)));

static void map_flag(void)
{
	int fd = open("flag", O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	NEED(fd >= 0 && !ftruncate(fd, PAGE));
	NEED(mmap((void *)cpu_flag, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd,
		  0) == cpu_flag);
	close(fd);
}

/* The general registers. */

unsigned long cpu_regs[16] = {
	0x1111000111110001, 0x2222000222220002, 0x3333000333330003,
	0x4444000444440004, 0x5555000555550005, 0x6666000666660006,
	0x7777000777770007, 0x8888000888880008, 0x9999000999990009,
	0xaaaa000aaaaa000a, 0xbbbb000bbbbb000b, 0xcccc000ccccc000c,
	0xdddd000ddddd000d, 0xeeee000eeeee000e, 0xffff000fffff000f,
	0x1234567887654321,
};

/* What is called there is in assembly below; it returns the number of the
 * register that is wrong, or 0.
 */
unsigned long cpu_regs_loop(void);
unsigned long cpu_flags_loop(unsigned long flags);
unsigned long cpu_regs_self(long fd);
unsigned long cpu_saved_sp;

#define EACH(what)							\
	what(rbx, 0) what(rcx, 1) what(rdx, 2) what(rsi, 3)		\
	what(rdi, 4) what(rbp, 5) what(rsp, 6) what(r8, 7)		\
	what(r9, 8) what(r10, 9) what(r11, 10) what(r12, 11)		\
	what(r13, 12) what(r14, 13) what(r15, 14) what(rax, 15)

#define LOAD(reg, nr)							\
	"mov cpu_regs+8*" #nr "(%rip), %" #reg "\n"

#define COMPARE(reg, nr)						\
	"cmp cpu_regs+8*" #nr "(%rip), %" #reg "\n"			\
	"jne cpu_wrong_" #nr "\n"

#define WRONG(reg, nr)							\
	"cpu_wrong_" #nr ": mov $" #nr "+1, %eax	# " #reg "\n"	\
	"jmp cpu_out\n"

#define PUSH_ALL							\
	"push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n" \
	"mov %rsp, cpu_saved_sp(%rip)\n"

asm(".globl cpu_regs_loop\n"
	"cpu_regs_loop:\n"
	PUSH_ALL
	EACH(LOAD)
	"1:\n"
	EACH(COMPARE)
	"cmpl $0, cpu_flag(%rip)\n"
	"je 1b\n"
	"xor %eax, %eax\n"
	"cpu_out:\n"
	"mov cpu_saved_sp(%rip), %rsp\n"
	"pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"ret\n"
	EACH(WRONG));

/* Between changes of the flags they are looked at often, by jumps alone. */
asm(".globl cpu_flags_loop\n"
	"cpu_flags_loop:\n"
	"1: push %rdi\n"
	"popfq\n"
	"mov $100000, %ecx\n"
	"2: lea -1(%rcx), %rcx\n"
	"jrcxz 3f\n"
	"jmp 2b\n"
	"3: pushfq\n"
	"pop %rax\n"
	"cld\n"
	"cmp %rdi, %rax\n"
	"jne 4f\n"
	"cmpl $0, cpu_flag(%rip)\n"
	"je 1b\n"
	"xor %eax, %eax\n"
	"4: push $0x202\n"
	"popfq\n"
	"ret\n");

/* A system call keeps all but three. */
asm(".globl cpu_regs_self\n"
	"cpu_regs_self:\n"
	PUSH_ALL
	"mov %rdi, cpu_regs+8*3(%rip)\n"		/* rsi: the descriptor */
	EACH(LOAD)
	"xor %edx, %edx\n"				/* flags */
	"mov %rdx, cpu_regs+8*2(%rip)\n"
	"mov $39, %eax\n"				/* getpid */
	"syscall\n"
	"mov %rax, %rdi\n"
	"mov %rdi, cpu_regs+8*4(%rip)\n"
	"mov $500, %eax\n"				/* checkpoint */
	"syscall\n"
	"mov %rax, cpu_regs+8*15(%rip)\n"
	"mov %rcx, cpu_regs+8*1(%rip)\n"
	"mov %r11, cpu_regs+8*10(%rip)\n"
	EACH(COMPARE)
	"xor %eax, %eax\n"
	"jmp cpu_out\n");

CKPT_TARGET(general)
{
	map_flag();
	ckpt_ready();
	CHECK_EQ(cpu_regs_loop(), 0);
}

/* CF PF AF ZF SF DF OF, IF which nobody can clear, and the bit that is 1. */
CKPT_TARGET(flags_set)
{
	map_flag();
	ckpt_ready();
	CHECK_EQ(cpu_flags_loop(0xed7), 0);
}

CKPT_TARGET(flags_clear)
{
	map_flag();
	ckpt_ready();
	CHECK_EQ(cpu_flags_loop(0x202), 0);
}

/* AC and ID. */
CKPT_TARGET(flags_rare)
{
	map_flag();
	ckpt_ready();
	CHECK_EQ(cpu_flags_loop(0x240202), 0);
}

/* The extended state: whatever XSAVE saves. */

#define XFEATURE_PKRU	9
#define XFEATURE_TILE	((1UL << 17) | (1UL << 18))
#define XSTATE_MAX	16384

static unsigned char xstate[3][XSTATE_MAX] __attribute__((aligned(64)));

static general_regs unsigned long xgetbv(void)
{
	unsigned int low, high;

	asm volatile("xgetbv" : "=a" (low), "=d" (high) : "c" (0));
	return low | (unsigned long)high << 32;
}

static general_regs void xsave(unsigned char *area, unsigned long mask)
{
	asm volatile("xsave64 (%0)" : : "r" (area), "a" ((unsigned int)mask),
		     "d" ((unsigned int)(mask >> 32)) : "memory");
}

static general_regs void xrstor(unsigned char *area, unsigned long mask)
{
	asm volatile("xrstor64 (%0)" : : "r" (area), "a" ((unsigned int)mask),
		     "d" ((unsigned int)(mask >> 32)) : "memory");
}

static unsigned long xfeatures(void)
{
	unsigned int a, b, c, d;

	__cpuid_count(0xd, 0, a, b, c, d);
	if (c > XSTATE_MAX)
		ckpt_skip("the extended state has %u bytes", c);
	return xgetbv() & ~XFEATURE_TILE;
}

/* A value that is nowhere an invalid one. */
static void make_legacy(unsigned char *area)
{
	*(__u16 *)(area + 0) = 0x067f;		/* double precision, down */
	*(__u16 *)(area + 2) = 0x1821;		/* top is 3, inexact, invalid */
	*(area + 4) = 0xff;			/* no register is empty */
	*(__u32 *)(area + 24) = 0xffa1;		/* to zero, flush, sticky flags */
	for (int reg = 0; reg < 8; reg++)
		for (int i = 0; i < 10; i++)
			area[32 + reg * 16 + i] = i < 9 ? 0x81 + reg : 0x3f;
	for (int i = 160; i < 416; i++)
		area[i] = i * 7 + 1;
}

static void make_component(unsigned char *area, int nr)
{
	unsigned int size, offset, c, d;

	__cpuid_count(0xd, nr, size, offset, c, d);
	if (nr == XFEATURE_PKRU) {
		*(__u32 *)(area + offset) = 0x5a5a5a50;
		return;
	}
	for (unsigned int i = 0; i < size; i++)
		area[offset + i] = i * 13 + nr;
}

static unsigned long make_xstate(unsigned char *area)
{
	unsigned long features = xfeatures();

	memset(area, 0, XSTATE_MAX);
	make_legacy(area);
	for (int nr = 2; nr < 63; nr++)
		if (features & (1UL << nr))
			make_component(area, nr);
	*(__u64 *)(area + 512) = features;
	return features;
}

/* Offset of the first byte that differs, or -1. */
static general_regs long xstate_differs(void)
{
	for (long i = 0; i < XSTATE_MAX; i++)
		if (xstate[1][i] != xstate[2][i])
			return i;
	return -1;
}

/* Load it, see what that makes of it, and have that stay so. */
static general_regs long xstate_loop(unsigned long features)
{
	long differs = -1;

	xrstor(xstate[0], features);
	xsave(xstate[1], features);
	while (differs < 0 && !cpu_flag[0]) {
		xsave(xstate[2], features);
		differs = xstate_differs();
	}
	return differs;
}

static unsigned long initial[XSTATE_MAX / 8] __attribute__((aligned(64)));

/* What the ABI wants to be as it was. */
static void xstate_check(long (*run)(unsigned long features))
{
	unsigned long features = make_xstate(xstate[0]);
	long differs;

	xsave((void *)initial, features);
	differs = run(features);
	xrstor((void *)initial, features);
	if (differs >= 0)
		ckpt_fail(__FILE__, __LINE__,
			  "byte %ld of the state is %#x, not %#x (%#lx)",
			  differs, xstate[2][differs], xstate[1][differs],
			  features);
	/* It was not for nothing. */
	CHECK_EQ(*(__u32 *)(xstate[1] + 24), 0xffa1);
	CHECK_EQ(*(__u16 *)xstate[1], 0x067f);
	CHECK_EQ(*(__u64 *)(xstate[1] + 512), features);
}

CKPT_TARGET(extended)
{
	map_flag();
	ckpt_ready();
	xstate_check(xstate_loop);
}

/* All that there is; a program has not used anything yet. */
CKPT_TARGET(untouched)
{
	map_flag();
	ckpt_ready();
	while (!cpu_flag[0])
		;
	CHECK_EQ(fegetround(), FE_TONEAREST);
}

/* FS and GS. */

static general_regs unsigned long get_fs(void)
{
	unsigned long base;

	asm volatile("rdfsbase %0" : "=r" (base));
	return base;
}

static general_regs unsigned long get_gs(void)
{
	unsigned long base;

	asm volatile("rdgsbase %0" : "=r" (base));
	return base;
}

static general_regs void set_fs(unsigned long base)
{
	asm volatile("wrfsbase %0" : : "r" (base) : "memory");
}

static general_regs void set_gs(unsigned long base)
{
	asm volatile("wrgsbase %0" : : "r" (base) : "memory");
}

/* The C library keeps its own data at FS: nothing of it is called here. */
static general_regs bool fs_gs_loop(unsigned long fs, unsigned long gs)
{
	unsigned long own = get_fs(), own_gs = get_gs();
	bool right = true;

	set_fs(fs);
	set_gs(gs);
	while (right && !cpu_flag[0])
		right = get_fs() == fs && get_gs() == gs;
	set_fs(own);
	set_gs(own_gs);
	return right;
}

static void need_fsgsbase(void)
{
	if (!(getauxval(AT_HWCAP2) & 2))
		ckpt_skip("no FSGSBASE");
}

CKPT_TARGET(bases)
{
	need_fsgsbase();
	map_flag();
	ckpt_ready();
	CHECK(fs_gs_loop(0x123456789000, 0x1000));
}

/* The upper half is not where user mode has anything, yet is a base. */
CKPT_TARGET(bases_high)
{
	need_fsgsbase();
	map_flag();
	ckpt_ready();
	CHECK(fs_gs_loop(0xffff800000000000, ~0UL));
}

static int spin(struct __test_metadata *_metadata, struct ckpt_target *target,
		const char *name, enum ckpt_mode mode)
{
	int fd, ret;

	ret = ckpt_start(target, name, mode);
	if (!ret)
		ret = ckpt_wait_ready(target);
	if (ret > 0)
		return ckpt_end(target);
	ckpt_msleep(10);
	if (!ret)
		ret = ckpt_cycle(target);
	if (ret)
		return -1;
	ckpt_msleep(10);
	fd = open(ckpt_path(target, "flag"), O_WRONLY);
	EXPECT_GE(fd, 0);
	EXPECT_EQ(1, write(fd, "x", 1));
	close(fd);
	return ckpt_end(target);
}

CKPT_FIXTURE_ONLY(running);
CKPT_VARIANT(running, live, CKPT_LIVE);
CKPT_VARIANT(running, killed, CKPT_KILLED);
CKPT_VARIANT(running, become, CKPT_BECOME);

#define RUNNING(name)							\
	TEST_F(running, name)						\
	{								\
		int status = spin(_metadata, &self->target, #name,	\
				  variant->mode);			\
									\
		if (status == KSFT_SKIP)				\
			SKIP(return, "%s", self->target.log);		\
		EXPECT_EQ(0, status);					\
	}

RUNNING(general)
RUNNING(flags_set)
RUNNING(flags_clear)
RUNNING(flags_rare)
RUNNING(extended)
RUNNING(untouched)
RUNNING(bases)
RUNNING(bases_high)

/* In system calls, and by the process itself. */

CKPT_FIXTURE(cpu);

/* None of the C library's, which is free to use vectors. */
static general_regs long raw_syscall(long nr, long a, long b, long c)
{
	long ret;

	asm volatile("syscall" : "=a" (ret)
		     : "0" (nr), "D" (a), "S" (b), "d" (c)
		     : "rcx", "r11", "memory");
	return ret;
}

static int image_fd;

static general_regs long checkpoint_itself(unsigned long features)
{
	long ret;

	xrstor(xstate[0], features);
	xsave(xstate[1], features);
	ret = raw_syscall(__NR_checkpoint,
			  raw_syscall(__NR_getpid, 0, 0, 0), image_fd, 0);
	xsave(xstate[2], features);
	if (ret > 0)
		raw_syscall(__NR_exit_group, CKPT_TAKEN, 0, 0);
	return ret ? 0 : xstate_differs();
}

/* As the mode asks for it, with the state loaded all the time. */
static general_regs long sleep_for_flag(unsigned long features)
{
	struct timespec time = { 0, 2000000 };

	xrstor(xstate[0], features);
	xsave(xstate[1], features);
	while (raw_syscall(__NR_access, (long)"go", F_OK, 0))
		raw_syscall(__NR_nanosleep, (long)&time, 0, 0);
	xsave(xstate[2], features);
	return xstate_differs();
}

static void open_image(void)
{
	image_fd = open("image", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	NEED(image_fd >= 0);
}

CKPT_TEST(cpu, extended)
{
	if (ckpt_mode == CKPT_SELF) {
		open_image();
		xstate_check(checkpoint_itself);
	} else {
		ckpt_ready();
		xstate_check(sleep_for_flag);
	}
}

CKPT_FIXTURE_ONLY(itself);
CKPT_VARIANT(itself, self, CKPT_SELF);

CKPT_TEST(itself, general)
{
	open_image();
	CHECK_EQ(cpu_regs_self(image_fd), 0);
	if (cpu_regs[15])
		_exit(CKPT_TAKEN);
}

/* What is noted when another task gets the CPU was not noted yet. */
CKPT_TEST(itself, extended_unscheduled)
{
	struct sched_param param = { 1 };

	NEED(!sched_setscheduler(0, SCHED_FIFO, &param));
	open_image();
	xstate_check(checkpoint_itself);
}

static volatile int handled;

static void handler(int sig)
{
	(void)sig;
	handled++;
	ckpt_point();
	/* A handler starts with a state of its own, and may change it. */
	CHECK(!fesetround(FE_DOWNWARD));
}

static general_regs long signal_itself(unsigned long features)
{
	xrstor(xstate[0], features);
	xsave(xstate[1], features);
	raw_syscall(__NR_kill, raw_syscall(__NR_getpid, 0, 0, 0), SIGUSR1, 0);
	xsave(xstate[2], features);
	return xstate_differs();
}

/* What was interrupted is in the frame, and that is memory. */
CKPT_TEST(cpu, in_handler)
{
	struct sigaction action = { .sa_handler = handler };

	CHECK(!sigaction(SIGUSR1, &action, NULL));
	xstate_check(signal_itself);
	CHECK_EQ(handled, 1);
}

CKPT_TEST(cpu, in_handler_on_stack)
{
	struct sigaction action = {
		.sa_handler = handler,
		.sa_flags = SA_ONSTACK,
	};
	stack_t stack = { .ss_sp = malloc(65536), .ss_size = 65536 };

	CHECK(!sigaltstack(&stack, NULL));
	CHECK(!sigaction(SIGUSR1, &action, NULL));
	xstate_check(signal_itself);
	CHECK_EQ(handled, 1);
	stack.ss_sp = NULL;
	CHECK(!sigaltstack(NULL, &stack));
	CHECK_EQ(stack.ss_size, 65536);
	CHECK_EQ(stack.ss_flags, 0);
}

static volatile double third_of = 3;
static volatile long double third_of_long = 3;

static void rounding(int mode)
{
	long double third_long;
	double third;

	CHECK(!fesetround(mode));
	third = -1 / third_of;
	third_long = -1 / third_of_long;
	ckpt_point();
	CHECK_EQ(fegetround(), mode);
	CHECK(third == -1 / third_of);
	CHECK(third_long == -1 / third_of_long);
}

CKPT_TEST(cpu, rounding_up)
{
	rounding(FE_UPWARD);
}

CKPT_TEST(cpu, rounding_down)
{
	rounding(FE_DOWNWARD);
}

CKPT_TEST(cpu, gs_base)
{
	unsigned long words[4] = { 1, 2, 3, 4 }, base = 0, word;

	CHECK(!syscall(__NR_arch_prctl, ARCH_SET_GS, words));
	ckpt_point();
	CHECK(!syscall(__NR_arch_prctl, ARCH_GET_GS, &base));
	CHECK_EQ(base, (unsigned long)words);
	asm volatile("mov %%gs:16, %0" : "=r" (word));
	CHECK_EQ(word, 3);
}

/* By the table of i386: there is none on 64-bit. Takes addresses below 4 GiB. */
static int i386_syscall(int nr, void *arg)
{
	int ret;

	asm volatile("int $0x80" : "=a" (ret) : "0" (nr), "b" (arg)
		     : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

#define I386_SET_THREAD_AREA	243
#define I386_GET_THREAD_AREA	244

/* As struct user_desc is, for the processor. */
struct thread_area {
	unsigned int	entry;
	unsigned int	base;
	unsigned int	limit;
	unsigned int	flags;
};

/* 32 bits, limit in pages, not a system's. */
#define AREA_FLAGS	0x51

CKPT_TEST(cpu, thread_area)
{
	unsigned int *words = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT,
				   -1, 0);
	unsigned int word;
	struct thread_area *area = (void *)(words + 16), was;
	unsigned short selector, is;

	NEED(words != MAP_FAILED);
	*area = (struct thread_area){
		-1, (unsigned long)words, 0xfffff, AREA_FLAGS
	};
	words[3] = 0x1234;
	if (i386_syscall(I386_SET_THREAD_AREA, area))
		ckpt_skip("no set_thread_area");
	was = *area;
	selector = area->entry * 8 + 3;
	asm volatile("mov %w0, %%gs" : : "r" (selector));
	asm volatile("mov %w0, %%es" : : "r" (selector));
	asm volatile("mov %w0, %%ds" : : "r" (0x2b));
	asm volatile("mov %%gs:12, %0" : "=r" (word));
	CHECK_EQ(word, 0x1234);
	ckpt_point();
	asm volatile("mov %%gs, %0" : "=r" (is));
	CHECK_EQ(is, selector);
	asm volatile("mov %%gs:12, %0" : "=r" (word));
	CHECK_EQ(word, 0x1234);
	asm volatile("mov %%es, %0" : "=r" (is));
	CHECK_EQ(is, selector);
	asm volatile("mov %%ds, %0" : "=r" (is));
	CHECK_EQ(is, 0x2b);
	*area = (struct thread_area){ .entry = was.entry };
	CHECK(!i386_syscall(I386_GET_THREAD_AREA, area));
	CHECK_EQ(area->base, was.base);
	CHECK_EQ(area->limit, was.limit);
	CHECK_EQ(area->flags, was.flags);
}

/* Again and again. */

CKPT_FIXTURE_ONLY(often);
CKPT_VARIANT(often, live, CKPT_LIVE);

TEST_F(often, hundred_live)
{
	struct ckpt_target *target = &self->target;
	int fd, i;

	ASSERT_EQ(0, ckpt_start(target, "extended", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	for (i = 0; i < 100; i++) {
		ASSERT_GT(ckpt_checkpoint(target, 0), 0)
			TH_LOG("%d: %s", i, target->log);
	}
	fd = open(ckpt_path(target, "flag"), O_WRONLY);
	ASSERT_EQ(1, write(fd, "x", 1));
	EXPECT_EQ(0, ckpt_end(target));
	ASSERT_EQ(1, pwrite(fd, "", 1, 0));
	close(fd);
}

TEST_F(often, twenty_restarts)
{
	struct ckpt_target *target = &self->target;
	int fd, i;

	ASSERT_EQ(0, ckpt_start(target, "extended", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, ckpt_cycle(target))
			TH_LOG("%d", i);
	}
	fd = open(ckpt_path(target, "flag"), O_WRONLY);
	ASSERT_EQ(1, write(fd, "x", 1));
	close(fd);
	EXPECT_EQ(0, ckpt_end(target));
}

CKPT_TEST_MAIN
