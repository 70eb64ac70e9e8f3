// SPDX-License-Identifier: GPL-2.0-only
/*
 * Images that hold only what changed: what is in them, that a chain of them is as good
 * as an image of all, and what is refused.
 */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <linux/checkpoint_image.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/shm.h>

#define PAGE		4096UL
#define PAGES		4096UL
#define LEN		(PAGES * PAGE)
#define AT		((char *)0x200000000000UL)
#define AT2		((char *)0x210000000000UL)
#define HUGE		(2UL << 20)

#define RW		(PROT_READ | PROT_WRITE)

/* Pages that a process touches though it does nothing: its stack, and data. */
#define FEW		64

/* ---- the target ---------------------------------------------------------- */

static __u64 word(size_t page, unsigned int version, size_t i)
{
	return (page * 512 + i + version * 0x100000001ULL) *
	       0x9e3779b97f4a7c15ULL | 1;
}

static void fill(char *at, size_t page, unsigned int version)
{
	for (size_t i = 0; i < 512; i++)
		((__u64 *)at)[i] = word(page, version, i);
}

static bool filled(const char *at, size_t page, unsigned int version)
{
	for (size_t i = 0; i < 512; i++)
		if (((const __u64 *)at)[i] != word(page, version, i))
			return false;
	return true;
}

static bool zero(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

static char *map(void *at, size_t len)
{
	char *p = mmap(at, len, RW, MAP_PRIVATE | MAP_ANONYMOUS |
		       (at ? MAP_FIXED_NOREPLACE : 0), -1, 0);

	NEED(p != MAP_FAILED);
	return p;
}

static void make(void)
{
	map(AT, LEN);
	for (size_t i = 0; i < PAGES; i++)
		fill(AT + i * PAGE, i, 0);
}

/* Say that a step is done, and wait until the next one is wanted. */
static void step(int nr)
{
	char name[32];

	snprintf(name, sizeof(name), "done-%d", nr);
	NEED(!close(open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)));
	snprintf(name, sizeof(name), "go-%d", nr);
	while (access(name, F_OK))
		ckpt_msleep(1);
}

/* What each step makes of memory: pages that are all of one kind stay that. */
static void change_some(unsigned int version)
{
	for (size_t i = version; i < PAGES / 4; i += 100)
		fill(AT + i * PAGE, i, version);
}

static void check_some(unsigned int version)
{
	for (size_t i = 0; i < PAGES / 4; i++)
		if (!CHECK(filled(AT + i * PAGE, i, i % 100 &&
				  i % 100 <= version ? i % 100 : 0)))
			return;
}

static void check_rest(size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (!CHECK(filled(AT + i * PAGE, i, 0)))
			return;
}

CKPT_TARGET(changes)
{
	make();
	for (int i = 0; i < 4; i++) {
		if (i)
			change_some(i);
		step(i);
	}
	check_some(3);
	check_rest(PAGES / 4, PAGES);
}

/* Memory that comes, goes and moves. */
CKPT_TARGET(moves)
{
	char *at = AT + 1024 * PAGE;

	make();
	step(0);
	NEED(!munmap(at, 64 * PAGE));
	map(at, 64 * PAGE);
	fill(at + 7 * PAGE, 7, 5);
	NEED(!madvise(at + 64 * PAGE, 64 * PAGE, MADV_DONTNEED));
	NEED(!mprotect(at + 128 * PAGE, 64 * PAGE, PROT_READ));
	NEED(mremap(at + 256 * PAGE, 64 * PAGE, 64 * PAGE,
		    MREMAP_MAYMOVE | MREMAP_FIXED, AT2) == AT2);
	memset(at + 320 * PAGE, 0, PAGE);
	step(1);
	NEED(!munmap(at + 512 * PAGE, 64 * PAGE));
	NEED(mremap(AT2, 64 * PAGE, 64 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		    at + 256 * PAGE) == at + 256 * PAGE);
	NEED(!mprotect(at + 128 * PAGE, 64 * PAGE, RW));
	fill(at + 129 * PAGE, 129, 5);
	step(2);
	NEED(map(at + 512 * PAGE, 64 * PAGE));
	step(3);
	check_rest(0, 1024);
	CHECK(zero(at, 7 * PAGE));
	CHECK(filled(at + 7 * PAGE, 7, 5));
	CHECK(zero(at + 8 * PAGE, 120 * PAGE));
	check_rest(1024 + 128, 1024 + 129);
	CHECK(filled(at + 129 * PAGE, 129, 5));
	check_rest(1024 + 130, 1024 + 320);
	CHECK(zero(at + 320 * PAGE, PAGE));
	check_rest(1024 + 321, 1024 + 512);
	CHECK(zero(at + 512 * PAGE, 64 * PAGE));
	check_rest(1024 + 576, PAGES);
}

/* A child has what its parent has, and what one writes the other does not see. */
CKPT_TARGET(forks)
{
	int status = -1;
	pid_t child;

	make();
	step(0);
	change_some(1);
	child = fork();
	if (!child) {
		change_some(2);
		memset(AT + PAGES / 4 * PAGE, 0, PAGE);
		while (access("go-3", F_OK))
			ckpt_msleep(1);
		check_some(2);
		check_rest(PAGES / 4 + 1, PAGES);
		_exit(43);
	}
	step(1);
	change_some(2);
	step(2);
	change_some(3);
	step(3);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 43 << 8);
	check_some(3);
	check_rest(PAGES / 4, PAGES);
}

/* What is mapped from files, written to and not; and in huge pages. */
CKPT_TARGET(files_and_huge)
{
	char *all, *huge, *file;
	int fd = open("data", O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	make();
	all = map(NULL, 3 * HUGE);
	huge = (char *)(((uintptr_t)all + HUGE - 1) & ~(HUGE - 1));
	madvise(huge, 2 * HUGE, MADV_HUGEPAGE);
	for (size_t i = 0; i < 1024; i++)
		fill(huge + i * PAGE, i, 1);
	NEED(write(fd, AT, 64 * PAGE) == 64 * PAGE);
	file = mmap(NULL, 64 * PAGE, RW, MAP_PRIVATE, fd, 0);
	NEED(file != MAP_FAILED);
	NEED(!close(fd));
	for (size_t i = 0; i < 64; i += 2)
		fill(file + i * PAGE, i, 1);
	step(0);
	fill(huge + 77 * PAGE, 77, 2);
	fill(file + 6 * PAGE, 6, 2);
	fill(file + 7 * PAGE, 7, 2);
	step(1);
	NEED(!madvise(huge + HUGE, HUGE, MADV_DONTNEED));
	fill(huge + 1000 * PAGE, 1000, 2);
	step(2);
	step(3);
	for (size_t i = 0; i < 64; i++)
		CHECK(filled(file + i * PAGE, i,
			     i == 6 || i == 7 ? 2 : !(i % 2)));
	for (size_t i = 0; i < 512; i++)
		CHECK(filled(huge + i * PAGE, i, i == 77 ? 2 : 1));
	CHECK(zero(huge + HUGE, (1000 - 512) * PAGE));
	CHECK(filled(huge + 1000 * PAGE, 1000, 2));
	check_rest(0, PAGES);
}

#define SHARED		256UL

/**
 * struct shared - what is mapped shared, or is a file that nothing leads to
 * @mem: anonymous memory, a memfd, a segment
 * @fd: a file that was deleted
 * @memfd: of the second
 */
struct shared {
	char	*mem[3];
	int	fd;
	int	memfd;
};

static char *map_shared(int fd, int flags)
{
	char *p = mmap(NULL, SHARED * PAGE, RW, MAP_SHARED | flags, fd, 0);

	NEED(p != MAP_FAILED);
	return p;
}

static void set_deleted(struct shared *shared, size_t page, unsigned int version)
{
	char buf[PAGE];

	fill(buf, page, version);
	NEED(pwrite(shared->fd, buf, PAGE, page * PAGE) == (ssize_t)PAGE);
}

static bool deleted_is(struct shared *shared, size_t page, unsigned int version)
{
	char buf[PAGE];

	return pread(shared->fd, buf, PAGE, page * PAGE) == (ssize_t)PAGE &&
	       filled(buf, page, version);
}

static void make_shared(struct shared *shared)
{
	int shm = shmget(IPC_PRIVATE, SHARED * PAGE, IPC_CREAT | 0600);

	shared->memfd = memfd_create("shared", 0);
	NEED(!ftruncate(shared->memfd, SHARED * PAGE));
	shared->mem[0] = map_shared(-1, MAP_ANONYMOUS);
	shared->mem[1] = map_shared(shared->memfd, 0);
	shared->mem[2] = shmat(shm, NULL, 0);
	NEED(shared->mem[2] != (void *)-1);
	NEED(!shmctl(shm, IPC_RMID, NULL));
	shared->fd = open("gone", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	NEED(shared->fd >= 0 && !unlink("gone"));
	for (size_t i = 0; i < SHARED; i++) {
		for (int j = 0; j < 3; j++)
			fill(shared->mem[j] + i * PAGE, i, 0);
		set_deleted(shared, i, 0);
	}
}

/* By two processes, of which the other one makes the changes. */
static void change_shared(struct shared *shared, unsigned int version)
{
	pid_t pid = fork();
	int status;

	NEED(pid >= 0);
	if (!pid) {
		for (int j = 0; j < 3; j++)
			fill(shared->mem[j] + version * 10 * PAGE, version * 10,
			     version);
		_exit(0);
	}
	NEED(waitpid(pid, &status, 0) == pid && !status);
	set_deleted(shared, version * 10, version);
}

/*
 * Each page is what it was made last: in the first image, in one in between, or in the
 * last one.
 */
CKPT_TARGET(shares)
{
	struct shared shared;

	make_shared(&shared);
	step(0);
	change_shared(&shared, 1);
	step(1);
	change_shared(&shared, 2);
	/* What was written by the first step as it was before that; and zeros. */
	for (int j = 0; j < 3; j++) {
		fill(shared.mem[j] + 10 * PAGE, 10, 0);
		memset(shared.mem[j] + 100 * PAGE, 0, PAGE);
	}
	/* Cut off, and as large as before, so that there are holes. */
	NEED(!ftruncate(shared.memfd, 200 * PAGE));
	NEED(!ftruncate(shared.memfd, SHARED * PAGE));
	NEED(!ftruncate(shared.fd, 200 * PAGE + 100));
	step(2);
	change_shared(&shared, 3);
	step(3);
	for (size_t i = 0; i < 200; i++) {
		unsigned int version = i == 20 ? 2 : i == 30 ? 3 : 0;

		for (int j = 0; j < 3; j++)
			if (i != 100)
				CHECK(filled(shared.mem[j] + i * PAGE, i,
					     version));
		CHECK(deleted_is(&shared, i, i == 10 ? 1 : version));
	}
	for (int j = 0; j < 3; j++)
		CHECK(zero(shared.mem[j] + 100 * PAGE, PAGE));
	CHECK(zero(shared.mem[1] + 200 * PAGE, (SHARED - 200) * PAGE));
	for (size_t i = 200; i < SHARED; i++) {
		CHECK(filled(shared.mem[0] + i * PAGE, i, 0));
		CHECK(filled(shared.mem[2] + i * PAGE, i, 0));
	}
	CHECK_EQ(lseek(shared.fd, 0, SEEK_END), 200 * PAGE + 100);
}

static char *shared_huge;

static void make_shared_huge(void)
{
	shared_huge = mmap(NULL, HUGE, RW,
			   MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	NEED(shared_huge != MAP_FAILED);
	for (size_t i = 0; i < 512; i++)
		fill(shared_huge + i * PAGE, i, 0);
}

/* Others take the place of those that there were, some with the same in them. */
CKPT_TARGET(shares_others)
{
	char *p = map_shared(-1, MAP_ANONYMOUS), *q;

	for (size_t i = 0; i < SHARED; i++)
		fill(p + i * PAGE, i, 0);
	step(0);
	for (unsigned int i = 1; i < 4; i++) {
		NEED(!munmap(p, SHARED * PAGE));
		p = map_shared(-1, MAP_ANONYMOUS);
		q = map_shared(-1, MAP_ANONYMOUS);
		for (size_t j = 0; j < SHARED; j++) {
			fill(p + j * PAGE, j, j % 2 ? 0 : i);
			fill(q + j * PAGE, j, i);
		}
		step(i);
		for (size_t j = 0; j < SHARED; j++) {
			if (!CHECK(filled(p + j * PAGE, j, j % 2 ? 0 : i)))
				break;
			if (!CHECK(filled(q + j * PAGE, j, i)))
				break;
		}
		NEED(!munmap(q, SHARED * PAGE));
	}
}

/* Huge pages of the pool, which are copied anew each time. */
CKPT_TARGET(hugetlb)
{
	char *p;

	make();
	if (!ckpt_huge_pages(8))
		ckpt_skip("no huge pages");
	p = mmap(NULL, 2 * HUGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB,
		 -1, 0);
	NEED(p != MAP_FAILED);
	fill(p + PAGE, 1, 1);
	fill(p + 2 * PAGE, 2, 1);
	make_shared_huge();
	step(0);
	fill(p + 2 * PAGE, 2, 2);
	fill(shared_huge + 7 * PAGE, 7, 2);
	step(1);
	fill(p + HUGE, 3, 2);
	step(2);
	NEED(!munmap(p, HUGE));
	NEED(mmap(p, HUGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		  0) == p);
	fill(p, 4, 1);
	step(3);
	CHECK(filled(p, 4, 1));
	CHECK(zero(p + PAGE, HUGE - PAGE));
	CHECK(filled(p + HUGE, 3, 2));
	CHECK(zero(p + HUGE + PAGE, HUGE - PAGE));
	for (size_t i = 0; i < 512; i++)
		CHECK(filled(shared_huge + i * PAGE, i, i == 7 ? 2 : 0));
	check_rest(0, PAGES);
}

/* Bits of /proc/self/pagemap that tell what was written to. */
static bool soft_dirty(const char *p)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	__u64 entry = 0;

	NEED(pread(fd, &entry, 8, (uintptr_t)p / PAGE * 8) == 8);
	close(fd);
	return entry >> 55 & 1;
}

static void check_soft_dirty(size_t first, size_t nr)
{
	for (size_t i = 0; i < PAGES; i++)
		if (!CHECK_EQ(soft_dirty(AT + i * PAGE),
			      i >= first && i < first + nr))
			return;
}

static void clear_soft_dirty(void)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	NEED(write(fd, "4", 1) == 1);
	close(fd);
}

CKPT_TARGET(has_soft_dirty)
{
	make();
	clear_soft_dirty();
	if (soft_dirty(AT))
		ckpt_skip("no soft-dirty bits");
	fill(AT + 5 * PAGE, 5, 1);
	step(0);
	check_soft_dirty(5, 1);
	fill(AT + 6 * PAGE, 6, 1);
	check_soft_dirty(5, 2);
	step(1);
	check_soft_dirty(5, 2);
	clear_soft_dirty();
	check_soft_dirty(0, 0);
	fill(AT + 100 * PAGE, 100, 1);
	check_soft_dirty(100, 1);
	step(2);
	check_soft_dirty(100, 1);
	step(3);
	/* These begin anew. */
	check_rest(0, 5);
	CHECK(filled(AT + 5 * PAGE, 5, 1));
	CHECK(filled(AT + 6 * PAGE, 6, 1));
	check_rest(7, 100);
	CHECK(filled(AT + 100 * PAGE, 100, 1));
	check_rest(101, PAGES);
}

/* A process that watches itself, by the same means as others would. */
static int uffd;
static unsigned int nr_faults;
static volatile bool served;

static void *serve_faults(void *arg)
{
	struct uffd_msg msg;

	(void)arg;
	while (!served) {
		struct pollfd pfd = { .fd = uffd, .events = POLLIN };

		struct uffdio_writeprotect wp = { .range.len = PAGE };

		if (poll(&pfd, 1, 10) <= 0 ||
		    read(uffd, &msg, sizeof(msg)) != sizeof(msg))
			continue;
		wp.range.start = msg.arg.pagefault.address & ~(PAGE - 1);
		nr_faults++;
		if (ioctl(uffd, UFFDIO_WRITEPROTECT, &wp))
			break;
	}
	return NULL;
}

static void watch_oneself(void)
{
	struct uffdio_api api = {
		.api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP,
	};
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)AT, .len = LEN },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	struct uffdio_writeprotect wp = {
		.range = { .start = (uintptr_t)AT, .len = LEN },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};
	pthread_t thread;

	uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
		ckpt_skip("no userfaultfd that protects from writing");
	NEED(!ioctl(uffd, UFFDIO_REGISTER, &reg));
	NEED(!ioctl(uffd, UFFDIO_WRITEPROTECT, &wp));
	NEED(!pthread_create(&thread, NULL, serve_faults, NULL));
	for (size_t i = 0; i < PAGES; i += 64)
		fill(AT + i * PAGE, i, 1);
	CHECK_EQ(nr_faults, PAGES / 64);
	for (size_t i = 0; i < PAGES; i += 64)
		fill(AT + i * PAGE, i, 2);
	CHECK_EQ(nr_faults, PAGES / 64);
	served = true;
	NEED(!pthread_join(thread, NULL));
	NEED(!close(uffd));
	nr_faults = 0;
	served = false;
}

CKPT_TARGET(has_userfaultfd)
{
	make();
	step(0);
	watch_oneself();
	step(1);
	watch_oneself();
	step(2);
	step(3);
	for (size_t i = 0; i < PAGES; i++)
		if (!CHECK(filled(AT + i * PAGE, i, i % 64 ? 0 : 2)))
			break;
}

CKPT_TARGET(executes)
{
	if (!access("done-0", F_OK)) {
		step(1);
		return;
	}
	make();
	step(0);
	execl("/proc/self/exe", "target", "--target", "executes", "0", NULL);
	NEED(false);
}

/* ---- the test ------------------------------------------------------------ */

struct image {
	char	*bytes;
	size_t	len;
};

static struct ckpt_image_header *header_of(const struct image *image)
{
	return (void *)image->bytes;
}

FIXTURE(incremental) {
	struct ckpt_target	target;
	struct image		images[2];
	int			back;
};

FIXTURE_SETUP(incremental)
{
	memset(self, 0, sizeof(*self));
	self->back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

FIXTURE_TEARDOWN(incremental)
{
	for (int i = 0; i < 2; i++)
		if (self->images[i].bytes)
			munmap(self->images[i].bytes, self->images[i].len);
	ckpt_clean(&self->target);
	close(self->back);
}

static bool map_image(const struct ckpt_target *target, const char *name,
		      struct image *image)
{
	int fd = open(ckpt_path(target, name), O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (image->bytes)
		munmap(image->bytes, image->len);
	image->bytes = NULL;
	if (fd < 0 || fstat(fd, &st))
		return false;
	image->len = st.st_size;
	image->bytes = mmap(NULL, image->len, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return image->bytes != MAP_FAILED;
}

static __u64 nr_pages(const struct ckpt_target *target, const char *name)
{
	struct ckpt_image_header header = {};
	int fd = open(ckpt_path(target, name), O_RDONLY | O_CLOEXEC);

	if (read(fd, &header, sizeof(header)) != sizeof(header))
		header.nr_pages = -1;
	close(fd);
	return header.nr_pages;
}

static void parent_of(const struct ckpt_target *target, const char *name,
		      __u8 *uuid)
{
	struct ckpt_image_header header = {};
	int fd = open(name[0] == '/' ? name : ckpt_path(target, name),
		      O_RDONLY | O_CLOEXEC);

	if (read(fd, &header, sizeof(header)) == sizeof(header))
		memcpy(uuid, header.uuid, CKPT_UUID_LEN);
	close(fd);
}

static void read_log(struct ckpt_target *target)
{
	int fd = open(ckpt_path(target, "log"), O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, target->log, sizeof(target->log) - 1);

	target->log[len < 0 ? 0 : len] = 0;
	close(fd);
}

/* An image by that name; of what changed since @parent, unless that is NULL. */
static long image_with(struct ckpt_target *target, const char *name,
		       const void *args, unsigned int size, unsigned int flags)
{
	int log = open(ckpt_path(target, "log"),
		       O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	int fd = open(name[0] == '/' ? name : ckpt_path(target, name),
		      O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	long ret;

	ret = syscall(__NR_checkpoint, target->pid, fd,
		      flags | CHECKPOINT_LOGFD, log, args, size);
	if (ret < 0)
		ret = -errno;
	close(fd);
	close(log);
	read_log(target);
	return ret;
}

static long take_image(struct ckpt_target *target, const char *name,
		       const char *parent, unsigned int flags)
{
	struct checkpoint_args args = {};

	if (!parent)
		return image_with(target, name, NULL, 0, flags);
	parent_of(target, parent, args.parent);
	return image_with(target, name, &args, sizeof(args),
			  flags | CHECKPOINT_PARENT);
}

static bool wait_done(struct ckpt_target *target, int nr)
{
	long long end = ckpt_now() + 60000;
	siginfo_t info = {};
	char name[32];

	snprintf(name, sizeof(name), "done-%d", nr);
	while (access(ckpt_path(target, name), F_OK)) {
		if (ckpt_now() > end ||
		    waitid(P_PID, target->pid, &info,
			   WEXITED | WNOHANG | WNOWAIT) || info.si_pid)
			return false;
		ckpt_msleep(1);
	}
	return true;
}

static void let_go(struct ckpt_target *target, int nr)
{
	char name[32];

	snprintf(name, sizeof(name), "go-%d", nr);
	close(open(ckpt_path(target, name), O_CREAT | O_WRONLY | O_CLOEXEC,
		   0600));
}

/* Run a program in the directory of the target; from and to files, if any. */
static int run(struct ckpt_target *target, const char *in, const char *out,
	       ...)
{
	const char *argv[16];
	int argc = 0, status, fd;
	va_list args;
	pid_t pid;

	va_start(args, out);
	while ((argv[argc] = va_arg(args, const char *)))
		argc++;
	va_end(args);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		if (chdir(target->dir))
			_exit(126);
		fd = open("log", O_CREAT | O_TRUNC | O_WRONLY, 0600);
		dup2(fd, 2);
		if (in)
			dup2(open(in, O_RDONLY), 0);
		if (out)
			dup2(open(out, O_CREAT | O_TRUNC | O_WRONLY, 0600), 1);
		syscall(SYS_close_range, 3, ~0U, 0);
		execvp(argv[0], (char **)argv);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	read_log(target);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* ---- what images hold ---------------------------------------------------- */

static struct ckpt_record *next_record(struct ckpt_record *rec)
{
	return (void *)(rec + 1) + ((rec->size + 7) & ~7UL);
}

/* The nr'th page map of an address space; *@first is where its pages begin. */
static struct ckpt_rec_pagemap *find_map(const struct image *image,
					 unsigned int nr, __u64 *first)
{
	struct ckpt_image_header *header = header_of(image);
	struct ckpt_record *rec = (void *)(header + 1), *objects[512];
	unsigned int nr_objects = 0;

	*first = 0;
	for (; rec->type != CKPT_REC_END; rec = next_record(rec)) {
		struct ckpt_rec_pagemap *map = (void *)(rec + 1);

		if (!(rec->flags & CKPT_RECORD_PART) && nr_objects < 512)
			objects[nr_objects++] = rec;
		if (rec->type != CKPT_REC_PAGEMAP)
			continue;
		if (objects[map->owner - 1]->type == CKPT_REC_MM && !nr--)
			return map;
		*first += map->nr_pages;
	}
	return NULL;
}

/* The page at an address; NULL if it is zero or not there. */
static const char *find_page(const struct image *image,
			     const struct ckpt_rec_pagemap *map, __u64 first,
			     __u64 at)
{
	for (__u32 i = 0; i < map->nr_runs; i++) {
		const struct ckpt_page_run *run = &map->runs[i];

		if (at < run->start)
			break;
		if (at < run->start + run->nr * PAGE)
			return run->flags ? NULL : image->bytes +
			       header_of(image)->pages_offset +
			       (first + (at - run->start) / PAGE) * PAGE;
		first += run->flags ? 0 : run->nr;
	}
	return NULL;
}

/* Whether all that is in the page maps of one is in those of another. */
static bool maps_agree(const struct image *a, const struct image *b)
{
	const struct ckpt_rec_pagemap *of_a, *of_b;
	__u64 first_a, first_b;

	for (unsigned int nr = 0; (of_a = find_map(a, nr, &first_a)); nr++) {
		of_b = find_map(b, nr, &first_b);
		if (!of_b)
			return false;
		for (__u32 i = 0; i < of_a->nr_runs; i++) {
			const struct ckpt_page_run *run = &of_a->runs[i];

			for (__u32 j = 0; !run->flags && j < run->nr; j++) {
				__u64 at = run->start + j * PAGE;
				const char *p = find_page(a, of_a, first_a, at);
				const char *q = find_page(b, of_b, first_b, at);

				if (q && !memcmp(p, q, PAGE))
					continue;
				printf("# page at %#llx differs\n", at);
				return false;
			}
		}
	}
	return true;
}

/* Each image is of what one step changed; @max pages are in none of them. */
static void take_chain_how(struct __test_metadata *_metadata,
			   struct ckpt_target *target, const char *name,
			   __u64 max, const unsigned int how[4])
{
	static const char *const names[] = { "i0", "i1", "i2", "i3" };

	ASSERT_EQ(0, ckpt_start(target, name, CKPT_LIVE));
	for (int i = 0; i < 4; i++) {
		if (i)
			let_go(target, i - 1);
		if (!wait_done(target, i)) {
			int status = ckpt_end(target);

			if (status == KSFT_SKIP)
				SKIP(return, "%s", target->log);
			ASSERT_EQ(0, status);
		}
		ASSERT_LT(0, take_image(target, names[i],
					i ? names[i - 1] : NULL,
					CHECKPOINT_TRACK | how[i])) {
			TH_LOG("%s", target->log);
		}
		EXPECT_GE(i ? max : PAGES + FEW + 1024,
			  nr_pages(target, names[i]));
	}
}

static void take_chain(struct __test_metadata *_metadata,
		       struct ckpt_target *target, const char *name, __u64 max)
{
	static const unsigned int how[4];

	take_chain_how(_metadata, target, name, max, how);
}

/* From the end of the chain, as one image. */
static void restart_chain(struct __test_metadata *_metadata,
			  struct ckpt_target *target)
{
	ckpt_kill(target);
	ASSERT_EQ(0, run(target, NULL, "image", "ckptinfo", "--flatten", "i3",
			 NULL)) {
		TH_LOG("%s", target->log);
	}
	ASSERT_LT(0, ckpt_restart(target, 0)) {
		TH_LOG("%s", target->log);
	}
	let_go(target, 3);
	EXPECT_EQ(0, ckpt_end(target));
}

#define CHAIN_TEST(name, max)						\
TEST_F(incremental, name)						\
{									\
	take_chain(_metadata, &self->target, #name, max);		\
	if (self->target.pid)						\
		restart_chain(_metadata, &self->target);		\
}

CHAIN_TEST(changes, PAGES / 400 + FEW)
CHAIN_TEST(moves, 64 + FEW)
CHAIN_TEST(files_and_huge, 512 + FEW)
CHAIN_TEST(shares, 8 + FEW)
CHAIN_TEST(shares_others, 2 * SHARED + FEW)
CHAIN_TEST(hugetlb, 8 + FEW)
CHAIN_TEST(has_soft_dirty, FEW)
CHAIN_TEST(has_userfaultfd, PAGES / 64 + FEW)
/* Of a child that was not there before all is new, once. */
CHAIN_TEST(forks, PAGES + PAGES / 400 + 2 * FEW)

/* Each has its pages in another way. */
TEST_F(incremental, mixed)
{
	static const unsigned int how[][4] = {
		{ CHECKPOINT_ZSTD, 0, CHECKPOINT_CHECKSUM, CHECKPOINT_LZ4 },
		{ CHECKPOINT_CHECKSUM, CHECKPOINT_LZ4, CHECKPOINT_ZSTD, 0 },
	};

	for (int i = 0; i < 2; i++) {
		take_chain_how(_metadata, &self->target, "moves", 64 + FEW,
			       how[i]);
		restart_chain(_metadata, &self->target);
		ckpt_clean(&self->target);
	}
}

TEST_F(incremental, shares_mixed)
{
	static const unsigned int how[4] = {
		CHECKPOINT_LZ4, CHECKPOINT_CHECKSUM, CHECKPOINT_ZSTD, 0
	};

	take_chain_how(_metadata, &self->target, "shares", 8 + FEW, how);
	restart_chain(_metadata, &self->target);
}

/* The last one is nobody's parent, and nothing is copied for it. */
TEST_F(incremental, shares_killed)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, ckpt_start(target, "shares", CKPT_LIVE));
	ASSERT_TRUE(wait_done(target, 0));
	ASSERT_LT(0, take_image(target, "i0", NULL, CHECKPOINT_TRACK));
	let_go(target, 0);
	ASSERT_TRUE(wait_done(target, 1));
	/* This one is not written, and there are no sums of it. */
	ASSERT_EQ(-EINVAL, take_image(target, "/dev/full", "i0",
				      CHECKPOINT_TRACK));
	let_go(target, 1);
	ASSERT_TRUE(wait_done(target, 2));
	ASSERT_LT(0, take_image(target, "i3", "i0", CHECKPOINT_KILL)) {
		TH_LOG("%s", target->log);
	}
	EXPECT_GE(16 + FEW, nr_pages(target, "i3"));
	let_go(target, 2);
	restart_chain(_metadata, target);
}

/* The process goes on and the images stay what they are. */
TEST_F(incremental, goes_on)
{
	take_chain(_metadata, &self->target, "changes", PAGES / 400 + FEW);
	let_go(&self->target, 3);
	EXPECT_EQ(0, ckpt_end(&self->target));
}

/* What is joined is what an image of all would be. */
TEST_F(incremental, same_as_full)
{
	take_chain(_metadata, &self->target, "moves", 64 + FEW);
	ASSERT_EQ(0, kill(self->target.pid, SIGSTOP));
	ckpt_msleep(20);
	ASSERT_LT(0, take_image(&self->target, "i4", "i3", CHECKPOINT_TRACK));
	ASSERT_LT(0, take_image(&self->target, "full", NULL, 0));
	/* Of one who is stopped nothing changes. */
	ASSERT_LT(0, take_image(&self->target, "i5", "i4", CHECKPOINT_TRACK));
	EXPECT_EQ(0, nr_pages(&self->target, "i5"));
	ASSERT_EQ(0, run(&self->target, NULL, "joined", "ckptinfo",
			 "--flatten", "i5", NULL));
	ASSERT_TRUE(map_image(&self->target, "joined", &self->images[0]));
	ASSERT_TRUE(map_image(&self->target, "full", &self->images[1]));
	EXPECT_TRUE(maps_agree(&self->images[0], &self->images[1]));
	EXPECT_TRUE(maps_agree(&self->images[1], &self->images[0]));
	/* One that is joined stands in for the one that it was made of. */
	ASSERT_EQ(0, rename(ckpt_path(&self->target, "joined"), "/tmp/joined"));
	unlink(ckpt_path(&self->target, "i5"));
	EXPECT_LT(0, take_image(&self->target, "i6", "/tmp/joined", 0));
	EXPECT_EQ(0, run(&self->target, NULL, "all", "ckptinfo", "--flatten",
			 "--parent", "/tmp/joined", "i6", NULL));
	ASSERT_TRUE(map_image(&self->target, "all", &self->images[0]));
	EXPECT_TRUE(maps_agree(&self->images[1], &self->images[0]));
	unlink("/tmp/joined");
}

/* Of one that could not be written nothing is lost. */
TEST_F(incremental, after_failure)
{
	ASSERT_EQ(0, ckpt_start(&self->target, "changes", CKPT_LIVE));
	ASSERT_TRUE(wait_done(&self->target, 0));
	ASSERT_LT(0, take_image(&self->target, "i0", NULL, CHECKPOINT_TRACK));
	let_go(&self->target, 0);
	ASSERT_TRUE(wait_done(&self->target, 1));
	/* No terminal: what is in the way is where it goes to. */
	ASSERT_EQ(-EINVAL, take_image(&self->target, "/dev/full", "i0",
				      CHECKPOINT_TRACK));
	let_go(&self->target, 1);
	ASSERT_TRUE(wait_done(&self->target, 2));
	/* This one is not followed by another. */
	ASSERT_LT(0, take_image(&self->target, "i1", "i0", 0));
	let_go(&self->target, 2);
	ASSERT_TRUE(wait_done(&self->target, 3));
	ASSERT_LT(0, take_image(&self->target, "i3", "i0", CHECKPOINT_TRACK));
	EXPECT_GE(3 * PAGES / 400 + FEW, nr_pages(&self->target, "i3"));
	EXPECT_LE(3 * PAGES / 400, nr_pages(&self->target, "i3"));
	restart_chain(_metadata, &self->target);
}

/* Memory that is in the image that a process was made of. */
TEST_F(incremental, restarted)
{
	ASSERT_EQ(0, ckpt_start(&self->target, "changes", CKPT_LIVE));
	ASSERT_TRUE(wait_done(&self->target, 0));
	ASSERT_LT(0, take_image(&self->target, "image", NULL, 0));
	ckpt_kill(&self->target);
	ASSERT_LT(0, ckpt_restart(&self->target, 0));
	ASSERT_LT(0, take_image(&self->target, "i0", NULL, CHECKPOINT_TRACK));
	let_go(&self->target, 0);
	ASSERT_TRUE(wait_done(&self->target, 1));
	ASSERT_LT(0, take_image(&self->target, "i1", "i0", CHECKPOINT_TRACK));
	EXPECT_GE(PAGES / 400 + FEW, nr_pages(&self->target, "i1"));
	let_go(&self->target, 1);
	ASSERT_TRUE(wait_done(&self->target, 2));
	let_go(&self->target, 2);
	ASSERT_TRUE(wait_done(&self->target, 3));
	ASSERT_LT(0, take_image(&self->target, "i3", "i1", CHECKPOINT_TRACK));
	EXPECT_GE(2 * PAGES / 400 + FEW, nr_pages(&self->target, "i3"));
	ckpt_kill(&self->target);
	/* What it was restarted from is not written to. */
	ASSERT_EQ(0, unlink(ckpt_path(&self->target, "image")));
	restart_chain(_metadata, &self->target);
}

/* ---- the programs -------------------------------------------------------- */

TEST_F(incremental, programs)
{
	char pid[16];

	ASSERT_EQ(0, ckpt_start(&self->target, "changes", CKPT_LIVE));
	ASSERT_TRUE(wait_done(&self->target, 0));
	snprintf(pid, sizeof(pid), "%d", self->target.pid);
	ASSERT_EQ(0, run(&self->target, NULL, "i0", "ckpt", "--track", pid,
			 NULL));
	for (int i = 1; i < 4; i++) {
		char parent[8], name[8];

		snprintf(parent, sizeof(parent), "i%d", i - 1);
		snprintf(name, sizeof(name), "i%d", i);
		let_go(&self->target, i - 1);
		ASSERT_TRUE(wait_done(&self->target, i));
		ASSERT_EQ(0, run(&self->target, NULL, name, "ckpt", "--parent",
				 parent, pid, NULL)) {
			TH_LOG("%s", self->target.log);
		}
	}
	ckpt_kill(&self->target);
	let_go(&self->target, 3);
	EXPECT_EQ(0, run(&self->target, "i3", NULL, "rstr", NULL)) {
		TH_LOG("%s", self->target.log);
	}
	/* Not beside it, and given one by one; and by a pipe. */
	EXPECT_EQ(0, run(&self->target, NULL, NULL, "sh", "-c",
			 "mkdir a b c && mv i0 i1 a && mv i2 b && mv i3 c && cat c/i3 | rstr --parent b/i2 --parent a/i0 --parent a/i1",
			 NULL)) {
		TH_LOG("%s", self->target.log);
	}
	/* One is missing. */
	EXPECT_EQ(1, run(&self->target, "c/i3", NULL, "rstr", NULL));
	EXPECT_NE(NULL, strstr(self->target.log, "needs its parent, image "));
	EXPECT_EQ(1, run(&self->target, "c/i3", NULL, "rstr", "--parent",
			 "b/i2", NULL));
	EXPECT_NE(NULL, strstr(self->target.log, "b/i2: needs its parent"));
	/* Another one is given. */
	EXPECT_EQ(1, run(&self->target, "c/i3", NULL, "rstr", "--parent",
			 "a/i0", NULL));
	EXPECT_NE(NULL, strstr(self->target.log, "needs its parent, image "));
	EXPECT_EQ(1, run(&self->target, "b/i2", NULL, "rstr", "--parent",
			 "a/i0", "--parent", "a/i1", "--parent", "c/i3", NULL));
	EXPECT_NE(NULL, strstr(self->target.log, "is no ancestor"));
	/* It is cut. */
	EXPECT_EQ(0, truncate(ckpt_path(&self->target, "a/i0"), 1 << 20));
	EXPECT_EQ(1, run(&self->target, "a/i1", NULL, "rstr", NULL));
	EXPECT_EQ(1, run(&self->target, "a/i1", NULL, "rstr", "--parent",
			 "a/i0", NULL));
	EXPECT_NE(NULL, strstr(self->target.log, "cut short"));
	EXPECT_EQ(1, run(&self->target, NULL, "x", "ckpt", "--parent", "a/i0",
			 "1", NULL));
	EXPECT_NE(NULL, strstr(self->target.log, "has no trailer"));
	rename(ckpt_path(&self->target, "a/i1"), "/tmp/i1");
	run(&self->target, NULL, NULL, "rm", "-r", "a", "b", "c", NULL);
	unlink("/tmp/i1");
}

/* ---- what is refused ----------------------------------------------------- */

TEST_F(incremental, refusals)
{
	struct checkpoint_args args = {};
	struct {
		struct checkpoint_args	args;
		__u64			more;
	} longer = {};

	ASSERT_EQ(0, ckpt_start(&self->target, "changes", CKPT_LIVE));
	ASSERT_TRUE(wait_done(&self->target, 0));
	ASSERT_LT(0, take_image(&self->target, "i0", NULL, 0));
	/* It was not asked for. */
	EXPECT_EQ(-ESTALE, take_image(&self->target, "i1", "i0", 0));
	EXPECT_NE(NULL, strstr(self->target.log, "can't be the parent"));
	/* One that is not the last. */
	ASSERT_LT(0, take_image(&self->target, "i0", NULL, CHECKPOINT_TRACK));
	ASSERT_LT(0, take_image(&self->target, "i1", NULL, CHECKPOINT_TRACK));
	EXPECT_EQ(-ESTALE, take_image(&self->target, "i2", "i0", 0));
	EXPECT_EQ(0, nr_pages(&self->target, "i2") + 1);
	EXPECT_LT(0, take_image(&self->target, "i2", "i1", 0));
	/* The arguments. */
	parent_of(&self->target, "i1", args.parent);
	EXPECT_EQ(-EINVAL, image_with(&self->target, "i2", &args,
				      sizeof(args) - 1, CHECKPOINT_PARENT));
	EXPECT_EQ(-EFAULT, image_with(&self->target, "i2", (void *)1,
				      sizeof(args), CHECKPOINT_PARENT));
	longer.args = args;
	EXPECT_LT(0, image_with(&self->target, "i2", &longer, sizeof(longer),
				CHECKPOINT_PARENT));
	longer.more = 1;
	EXPECT_EQ(-E2BIG, image_with(&self->target, "i2", &longer,
				     sizeof(longer), CHECKPOINT_PARENT));
	EXPECT_EQ(-E2BIG, image_with(&self->target, "i2", &longer, 1U << 31,
				     CHECKPOINT_PARENT));
	args.reserved = 1;
	EXPECT_EQ(-EINVAL, image_with(&self->target, "i2", &args, sizeof(args),
				      CHECKPOINT_PARENT));
	args.reserved = 0;
	args.nr = 1;
	EXPECT_EQ(-EINVAL, image_with(&self->target, "i2", &args, sizeof(args),
				      CHECKPOINT_PARENT));
	EXPECT_EQ(-EFAULT, image_with(&self->target, "i2", &args, sizeof(args),
				      CHECKPOINT_PARENT | CHECKPOINT_EXTERNAL));
	/* The kernel takes no image that needs another. */
	ASSERT_LT(0, take_image(&self->target, "image", "i1", CHECKPOINT_KILL));
	ckpt_kill(&self->target);
	EXPECT_EQ(-EOPNOTSUPP, ckpt_restart(&self->target, 0));
	EXPECT_NE(NULL, strstr(self->target.log, "is incremental and needs its parent"));
}

TEST_F(incremental, after_exec)
{
	ASSERT_EQ(0, ckpt_start(&self->target, "executes", CKPT_LIVE));
	ASSERT_TRUE(wait_done(&self->target, 0));
	ASSERT_LT(0, take_image(&self->target, "i0", NULL, CHECKPOINT_TRACK));
	let_go(&self->target, 0);
	ASSERT_TRUE(wait_done(&self->target, 1));
	EXPECT_EQ(-ESTALE, take_image(&self->target, "i1", "i0",
				      CHECKPOINT_TRACK));
	EXPECT_LT(0, take_image(&self->target, "i1", NULL, CHECKPOINT_TRACK));
	let_go(&self->target, 1);
	EXPECT_EQ(0, ckpt_end(&self->target));
}

CKPT_TEST_MAIN
