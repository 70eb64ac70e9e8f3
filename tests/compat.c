// SPDX-License-Identifier: GPL-2.0-only
/*
 * 32-bit and 64-bit: what is particular to one, and both in one tree. Built for
 * each width; either finds the other beside itself.
 */
#define _GNU_SOURCE
#include "ckpt_test.h"

#include <asm/ldt.h>
#include <elf.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "ckpt_image.h"
#include "ckpt_proc.h"

CKPT_FIXTURE(compat);

static volatile int woken;

static void on_alarm(int sig)
{
	(void)sig;
	woken++;
}

static struct ckpt_proc before;

/* Where all is, what it may be, and where new mappings go. */
CKPT_TEST(compat, layout)
{
	unsigned long vdso = getauxval(AT_SYSINFO_EHDR);
	char ident[4096], auxv[2][1024];
	size_t len = ckpt_read("/proc/self/auxv", auxv[0], sizeof(auxv[0]));
	struct timespec now;
	char *low, *high;

	NEED(vdso && len > 100);
	memcpy(ident, (void *)vdso, sizeof(ident));
	high = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(!munmap(high, 4096));
	NEED(sbrk(8192) != (void *)-1);
	/* Faulted in now as well as afterwards. */
	ckpt_proc_note(&before);
	ckpt_proc_note(&before);
	ckpt_point();
	CHECK_PROC(&before);
	CHECK(!memcmp(ident, (void *)vdso, sizeof(ident)));
	CHECK_EQ(ckpt_read("/proc/self/auxv", auxv[1], sizeof(auxv[1])), len);
	CHECK(!memcmp(auxv[0], auxv[1], len));
	CHECK(!clock_gettime(CLOCK_MONOTONIC, &now));
	low = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_EQ((uintptr_t)low, (uintptr_t)high);
	NEED(sbrk(8192) != (void *)-1);
}

/* Mapped upwards, which is another base. */
CKPT_TARGET(compat_legacy_body)
{
	char *was, *is;

	was = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(!munmap(was, 4096));
	ckpt_point();
	is = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_EQ((uintptr_t)is, (uintptr_t)was);
}

static void exec_self(const char *body)
{
	char mode[] = { '0' + ckpt_mode, 0 };

	execl("/proc/self/exe", "target", "--target", body, mode, NULL);
	NEED(!"executed");
}

#define ADDR_COMPAT_LAYOUT	0x0200000

CKPT_TEST(compat, legacy)
{
	NEED(syscall(SYS_personality, ADDR_COMPAT_LAYOUT) >= 0);
	exec_self("compat_legacy_body");
}

/* A program of this width goes on to think that it is on such a machine. */
CKPT_TEST(compat, machine)
{
	struct utsname was, is;
	int persona = syscall(SYS_personality, 0xffffffff);

	NEED(!uname(&was));
	ckpt_point();
	NEED(!uname(&is));
	CHECK(!strcmp(was.machine, is.machine));
	CHECK_EQ(syscall(SYS_personality, 0xffffffff), persona);
}

/* The flags of a descriptor tell whether large files are meant. */
CKPT_TEST(compat, large_file)
{
	int fd = open("file", O_CREAT | O_RDWR, 0600), flags;

	NEED(fd >= 0);
	flags = fcntl(fd, F_GETFL);
	ckpt_point();
	CHECK_EQ(fcntl(fd, F_GETFL), flags);
	CHECK_EQ(write(fd, "x", 1), 1);
}

/* In the middle of system calls, for which the time left is known. */

static long long left_after(long (*call)(void))
{
	long long begin;

	NEED(!signal(SIGALRM, on_alarm));
	begin = ckpt_now();
	CHECK_EQ(call(), 0);
	return ckpt_now() - begin;
}

static long call_nanosleep(void)
{
	struct timespec time = { 0, 400000000 };

	return syscall(SYS_nanosleep, &time, &time);
}

static long call_poll(void)
{
	return syscall(SYS_poll, NULL, 0, 400);
}

static long call_futex(void)
{
	struct timespec time = { 0, 400000000 };
	int word = 0;
	long ret;

	ret = syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &time, NULL, 0);
	return ret == -1 && errno == ETIMEDOUT ? 0 : -1;
}

static long call_clock_nanosleep(void)
{
	struct timespec time = { 0, 400000000 };

	return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, NULL);
}

static void in_flight(long (*call)(void))
{
	long long took;

	ckpt_ready();
	took = left_after(call);
	CHECK(took >= 390);
	ckpt_wait();
}

CKPT_TARGET(nanosleep) { in_flight(call_nanosleep); }
CKPT_TARGET(poll) { in_flight(call_poll); }
CKPT_TARGET(futex) { in_flight(call_futex); }
CKPT_TARGET(clock_nanosleep) { in_flight(call_clock_nanosleep); }

CKPT_FIXTURE_ONLY(flight);
CKPT_VARIANT(flight, live, CKPT_LIVE);
CKPT_VARIANT(flight, killed, CKPT_KILLED);

static void fly(struct __test_metadata *_metadata, struct ckpt_target *target,
		const char *name, enum ckpt_mode mode)
{
	ASSERT_EQ(0, ckpt_start(target, name, mode));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ckpt_msleep(50);
	ASSERT_EQ(0, ckpt_cycle(target));
	ckpt_go(target);
	EXPECT_EQ(0, ckpt_end(target));
}

#define FLIGHT(name)							\
	TEST_F(flight, name)						\
	{								\
		fly(_metadata, &self->target, #name, variant->mode);	\
	}

FLIGHT(nanosleep)
FLIGHT(poll)
FLIGHT(futex)
FLIGHT(clock_nanosleep)

/*
 * int $0x80, which 64-bit programs may use as well; and checkpoint(2) by it,
 * which is in that table, too.
 */

#define IA32_CHECKPOINT	__NR_checkpoint
#define IA32_NANOSLEEP	162

static long call_ia32(long nr, unsigned long a, unsigned long b,
		      unsigned long c, unsigned long d)
{
	long ret;

#ifdef __x86_64__
	asm volatile("int $0x80"
		     : "=a"(ret)
		     : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d)
		     : "memory", "r8", "r9", "r10", "r11");
#else
	asm volatile("int $0x80"
		     : "=a"(ret)
		     : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d)
		     : "memory");
#endif
	return ret;
}

/* Where a 32-bit address reaches it. */
static int *low_page(void)
{
	int *page = mmap((void *)0x20000000, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	NEED(page != MAP_FAILED);
	return page;
}

CKPT_TARGET(int80_nanosleep)
{
	int *time = low_page();
	long long begin;

	time[1] = 400000000;
	ckpt_ready();
	begin = ckpt_now();
	CHECK_EQ(call_ia32(IA32_NANOSLEEP, (uintptr_t)time, (uintptr_t)time, 0,
			   0), 0);
	CHECK(ckpt_now() - begin >= 390);
	ckpt_wait();
}

FLIGHT(int80_nanosleep)

TEST_F(compat, int80_self)
{
	if (variant->mode != CKPT_SELF)
		return;
	EXPECT_EQ(0, ckpt_run(&self->target, "int80_self", CKPT_SELF));
}

CKPT_TARGET(int80_self)
{
	int fd = open("image", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	int log = open("log", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	long ret = call_ia32(IA32_CHECKPOINT, getpid(), fd, CHECKPOINT_LOGFD,
			     log);

	NEED(ret >= 0);
	if (ret)
		_exit(CKPT_TAKEN);
}

/* Segments of set_thread_area(2), and what is in the registers that use them. */

static unsigned int gs_of(void)
{
	unsigned int gs;

	asm volatile("mov %%gs, %0" : "=r"(gs));
	return gs;
}

static unsigned int fs_of(void)
{
	unsigned int fs;

	asm volatile("mov %%fs, %0" : "=r"(fs));
	return fs;
}

static int fs_word(void)
{
	int word;

	asm volatile("mov %%fs:4, %0" : "=r"(word));
	return word;
}

static int gs_word(void)
{
	int word;

	asm volatile("mov %%gs:4, %0" : "=r"(word));
	return word;
}

/* glibc has gs for itself in a 32-bit program, and fs in a 64-bit one. */
static void segment_set(unsigned int selector)
{
	if (sizeof(long) == 4)
		asm volatile("mov %0, %%fs" : : "r"(selector));
	else
		asm volatile("mov %0, %%gs" : : "r"(selector));
}

#define IA32_SET_THREAD_AREA	243

CKPT_TEST(compat, segments)
{
	int *page = low_page(), *area = page + 512;
	struct user_desc *desc = (struct user_desc *)page;
	unsigned int fs, gs;

	*desc = (struct user_desc){
		.entry_number = -1, .base_addr = (uintptr_t)area,
		.limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1,
	};
	NEED(!call_ia32(IA32_SET_THREAD_AREA, (uintptr_t)desc, 0, 0, 0));
	area[1] = 4711;
	segment_set(desc->entry_number * 8 + 3);
	fs = fs_of();
	gs = gs_of();
	ckpt_point();
	CHECK_EQ(fs_of(), fs);
	CHECK_EQ(gs_of(), gs);
	CHECK_EQ(sizeof(long) == 4 ? fs_word() : gs_word(), 4711);
	segment_set(0);
	segment_set(desc->entry_number * 8 + 3);
	CHECK_EQ(sizeof(long) == 4 ? fs_word() : gs_word(), 4711);
}

/* The list of robust futexes is another one for each width of the call. */

#define IA32_SET_ROBUST_LIST	311
#define IA32_GET_ROBUST_LIST	312

CKPT_TEST(compat, robust)
{
	int *page = low_page();

	NEED(!call_ia32(IA32_SET_ROBUST_LIST, (uintptr_t)page, 12, 0, 0));
	ckpt_point();
	NEED(!call_ia32(IA32_GET_ROBUST_LIST, 0, (uintptr_t)(page + 100),
			(uintptr_t)(page + 101), 0));
	CHECK_EQ(page[100], (uintptr_t)page);
	CHECK_EQ(page[101], 12);
	NEED(!call_ia32(IA32_SET_ROBUST_LIST, 0, 12, 0, 0));
}

/* In a handler, on a stack of its own: frames are of the program's width. */

static char stack[65536];

static void on_usr1(int sig, siginfo_t *info, void *context)
{
	(void)context;
	CHECK_EQ(sig, SIGUSR1);
	CHECK_EQ(info->si_code, SI_QUEUE);
	CHECK_EQ(info->si_value.sival_int, 42);
	ckpt_point();
	woken = 7;
}

CKPT_TEST(compat, frame)
{
	struct sigaction action = { .sa_sigaction = on_usr1,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t alt = { .ss_sp = stack, .ss_size = sizeof(stack) }, is;

	NEED(!sigaltstack(&alt, NULL) && !sigaction(SIGUSR1, &action, NULL));
	NEED(!sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 42 }));
	CHECK_EQ(woken, 7);
	CHECK(!sigaltstack(NULL, &is));
	CHECK(is.ss_sp == stack && is.ss_size == sizeof(stack));
	CHECK(!sigaction(SIGUSR1, NULL, &action));
	CHECK(action.sa_sigaction == on_usr1);
}

/* And one that was pending is delivered by a frame of that width afterwards. */

static volatile int pended;

static void on_pending(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	pended = info->si_value.sival_int;
}

CKPT_TEST(compat, pending)
{
	struct sigaction action = { .sa_sigaction = on_pending,
				    .sa_flags = SA_SIGINFO };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	NEED(!sigprocmask(SIG_BLOCK, &set, NULL));
	NEED(!sigaction(SIGRTMIN, &action, NULL));
	NEED(!sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 5 }));
	ckpt_point();
	CHECK_EQ(pended, 0);
	NEED(!sigprocmask(SIG_UNBLOCK, &set, NULL));
	CHECK_EQ(pended, 5);
}

/* A tree of both: the child is the same program of the other width. */

static const char *sibling_path(void)
{
	static char path[256];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 8);

	NEED(len > 5);
	path[len] = 0;
	if (strcmp(path + len - 5, "_ia32"))
		memcpy(path + len, "_ia32", 6);
	else
		path[len - 5] = 0;
	return path;
}

static unsigned char elf_class(const char *path)
{
	unsigned char ident[EI_NIDENT] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	NEED(fd >= 0 && read(fd, ident, sizeof(ident)) == sizeof(ident));
	close(fd);
	return ident[EI_CLASS];
}

CKPT_TARGET(compat_mixed_child)
{
	pid_t parent = getppid();
	int fd = open("child", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	NEED(fd >= 0);
	close(fd);
	/* The parent's end of things tells. */
	while (access("done", F_OK))
		ckpt_msleep(2);
	CHECK(getppid() == parent || ckpt_mode == CKPT_BECOME);
	CHECK_EQ(elf_class("/proc/self/exe"),
		 sizeof(long) == 4 ? ELFCLASS32 : ELFCLASS64);
}

CKPT_TEST(compat, mixed)
{
	const char *path = sibling_path();
	int status = -1, fd;
	pid_t pid;

	if (access(path, X_OK))
		ckpt_skip("%s is not there", path);
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		char mode[] = { '0' + ckpt_mode, 0 };

		execl(path, "target", "--target", "compat_mixed_child", mode,
		      NULL);
		_exit(126);
	}
	while (access("child", F_OK) && !waitpid(pid, &status, WNOHANG))
		ckpt_msleep(1);
	ckpt_point();
	fd = open("done", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	NEED(fd >= 0);
	close(fd);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

/* A core that it dumps afterwards is of its width, whoever restarted it. */

static void core_dump(void)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	int status;
	pid_t pid;

	/* A child's address space is a copy, and so is its format. */
	pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_CORE, &limit);
		prctl(PR_SET_DUMPABLE, 1);
		abort();
	}
	NEED(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WCOREDUMP(status));
}

CKPT_TEST(compat, core)
{
	char pattern[128];

	ckpt_read("/proc/sys/kernel/core_pattern", pattern, sizeof(pattern));
	if (strcmp(pattern, "core\n"))
		ckpt_skip("cores are not dumped to a file named core");
	ckpt_point();
	core_dump();
	CHECK_EQ(elf_class("core"),
		 sizeof(long) == 4 ? ELFCLASS32 : ELFCLASS64);
}

/* One becomes a program of the other width, and back. */

static void become(struct __test_metadata *_metadata,
		   struct ckpt_target *target)
{
	const char *other = sibling_path();
	pid_t pid;

	ASSERT_EQ(0, ckpt_start(target, "compat_machine", CKPT_BECOME));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		execl(other, "compat", "--become", target->dir, NULL);
		_exit(126);
	}
	target->pid = pid;
	ckpt_go(target);
	EXPECT_EQ(0, ckpt_end(target));
}

TEST_F(flight, become_other)
{
	if (access(sibling_path(), X_OK))
		SKIP(return, "%s is not there", sibling_path());
	if (variant->mode == CKPT_KILLED)
		become(_metadata, &self->target);
}

/* Ahead of the harness, as a target is. */
static void __attribute__((constructor(CKPT_PRIO_RUN)))
become_main(int argc, char **argv)
{
	struct ckpt_target target = {};

	if (argc != 3 || strcmp(argv[1], "--become"))
		return;
	snprintf(target.dir, sizeof(target.dir), "%s", argv[2]);
	ckpt_turn_into(&target);
}

/* A caller of either width restarts a tree of the other one below itself. */
static void __attribute__((constructor(CKPT_PRIO_RUN)))
restart_main(int argc, char **argv)
{
	struct ckpt_target target = {};
	int status;

	if (argc != 3 || strcmp(argv[1], "--restart"))
		return;
	snprintf(target.dir, sizeof(target.dir), "%s", argv[2]);
	if (ckpt_restart(&target, 0) < 0)
		_exit(125);
	ckpt_go(&target);
	if (waitpid(target.pid, &status, 0) != target.pid)
		_exit(124);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 123);
}

TEST_F(flight, restart_other)
{
	struct ckpt_target *target = &self->target;
	int status = -1;
	pid_t pid;

	if (access(sibling_path(), X_OK))
		SKIP(return, "%s is not there", sibling_path());
	if (variant->mode != CKPT_KILLED)
		return;
	ASSERT_EQ(0, ckpt_start(target, "compat_layout", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		execl(sibling_path(), "compat", "--restart", target->dir, NULL);
		_exit(126);
	}
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* Where the vDSO of that width is another one. */

static bool change_vdso_id(struct ckpt_target *target)
{
	size_t id = sizeof(long) == 4 ?
		    offsetof(struct ckpt_image_header, vdso32_build_id) :
		    offsetof(struct ckpt_image_header, vdso_build_id);
	int fd = open(ckpt_path(target, "image"), O_RDWR | O_CLOEXEC);
	struct ckpt_image image = { .room = 4 << 20 };
	bool done;

	image.bytes = malloc(image.room);
	if (fd < 0 || !image.bytes || !ckpt_image_load(&image, fd))
		return false;
	image.bytes[id] ^= 1;
	ckpt_image_reseal(&image);
	done = pwrite(fd, image.bytes, image.len, 0) == (ssize_t)image.len;
	close(fd);
	free(image.bytes);
	return done;
}

TEST_F(flight, other_vdso)
{
	struct ckpt_target *target = &self->target;

	if (variant->mode != CKPT_KILLED)
		return;
	ASSERT_EQ(0, ckpt_start(target, "compat_machine", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	ASSERT_TRUE(change_vdso_id(target));
	EXPECT_EQ(-EOPNOTSUPP, ckpt_restart(target, 0));
	EXPECT_NE(NULL, strstr(target->log, "vDSO of this kernel is another"));
}

/* 32-bit code, in a process that was not one to begin with; and it is so still. */

#ifdef __x86_64__
CKPT_TARGET(code_32bit)
{
	static const __u8 code[] = {
		0xc6, 0x05, 0x00, 0x00, 0x02, 0x00, 'r',	/* movb */
		0x80, 0x3d, 0x00, 0x00, 0x02, 0x00, '1',	/* 1: cmpb */
		0x75, 0xf7,					/* jne 1b */
		0xb8, 1, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80,	/* exit(0) */
	};
	struct { __u32 ip; __u16 cs; } __attribute__((packed)) far = {
		0x30000, 0x23,
	};
	int fd = open("flag", O_CREAT | O_RDWR, 0600);
	void *p;

	NEED(fd >= 0 && !ftruncate(fd, 4096));
	p = mmap((void *)0x20000, 4096, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, fd, 0);
	NEED(p != MAP_FAILED);
	p = mmap((void *)0x30000, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	NEED(p != MAP_FAILED);
	memcpy(p, code, sizeof(code));
	ckpt_ready();
	asm volatile("ljmpl *%0" : : "m" (far));
}

static char flag(struct ckpt_target *target, char set)
{
	int fd = open(ckpt_path(target, "flag"), O_RDWR | O_CLOEXEC);
	char c = 0;

	if (fd < 0 || (set ? pwrite(fd, &set, 1, 0) : pread(fd, &c, 1, 0)) != 1)
		c = 0;
	close(fd);
	return c;
}

TEST_F(flight, code_32bit)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, ckpt_start(target, "code_32bit", variant->mode));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	while (flag(target, 0) != 'r')
		ckpt_msleep(1);
	ASSERT_EQ(0, ckpt_cycle(target));
	flag(target, '1');
	EXPECT_EQ(0, ckpt_end(target));
}
#endif

CKPT_TEST_MAIN
