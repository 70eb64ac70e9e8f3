// SPDX-License-Identifier: GPL-2.0-only
/* Memory of memfd_create(2): contents, seals, descriptions and mappings. */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#define PAGE	4096
#define ALL	(64 * PAGE)

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL	8U
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC	0x20
#endif

static char data[ALL], back[ALL];

static int make_memfd(unsigned int flags)
{
	int fd = memfd_create("name", flags);

	for (int i = 0; i < ALL; i++)
		data[i] = i * 11 + i / 301;
	NEED(fd >= 0);
	return fd;
}

static int make_full(unsigned int flags)
{
	int fd = make_memfd(flags);

	NEED(write(fd, data, ALL) == ALL);
	return fd;
}

static bool holds(int fd, int len)
{
	return pread(fd, back, sizeof(back), 0) == len &&
	       !memcmp(back, data, len);
}

/* By another description, with other flags. */
static int open_again(int fd, int flags)
{
	char name[32];
	int again;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	again = open(name, flags);
	NEED(again >= 0);
	return again;
}

CKPT_FIXTURE(memfd);

CKPT_TEST(memfd, empty)
{
	int fd = make_memfd(MFD_CLOEXEC);
	char name[64] = "", path[32];
	struct stat stat;

	ckpt_point();
	CHECK(!fstat(fd, &stat));
	CHECK_EQ(stat.st_size, 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(readlink(path, name, sizeof(name) - 1) > 0);
	CHECK_TEXT("name", name, "/memfd:name (deleted)");
}

CKPT_TEST(memfd, contents)
{
	int fd = make_full(0);

	NEED(lseek(fd, 1000, SEEK_SET) == 1000);
	ckpt_point();
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 1000);
	CHECK(holds(fd, ALL));
	CHECK_EQ(write(fd, "new", 3), 3);
	CHECK_EQ(pread(fd, back, 4, 999), 4);
	CHECK(back[0] == data[999] && !memcmp(back + 1, "new", 3));
}

CKPT_TEST(memfd, holes)
{
	int fd = make_memfd(0);
	struct stat stat;

	NEED(!ftruncate(fd, 1LL << 40) && pwrite(fd, "x", 1, 1 << 30) == 1);
	ckpt_point();
	CHECK(!fstat(fd, &stat));
	CHECK_EQ(stat.st_size, 1LL << 40);
	CHECK(stat.st_blocks <= 16);
	CHECK_EQ(pread(fd, back, 1, 1 << 30), 1);
	CHECK_EQ(back[0], 'x');
	CHECK_EQ(pread(fd, back, 1, 5), 1);
	CHECK_EQ(back[0], 0);
}

CKPT_TEST(memfd, odd_size)
{
	int fd = make_memfd(0);

	NEED(write(fd, data, 5001) == 5001);
	ckpt_point();
	CHECK(holds(fd, 5001));
}

CKPT_TEST(memfd, mapped)
{
	int fd = make_full(0);
	char *p = mmap(NULL, ALL, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	NEED(p != MAP_FAILED);
	ckpt_point();
	CHECK(!memcmp(p, data, ALL));
	p[5] = 'm';
	CHECK_EQ(pread(fd, back, 1, 5), 1);
	CHECK_EQ(back[0], 'm');
	CHECK_EQ(pwrite(fd, "w", 1, 5000), 1);
	CHECK_EQ(p[5000], 'w');
}

/* By nothing else. */
CKPT_TEST(memfd, mapped_only)
{
	int fd = make_full(0);
	char *p = mmap(NULL, ALL, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *q = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE);

	NEED(p != MAP_FAILED && q != MAP_FAILED && !close(fd));
	ckpt_point();
	CHECK(!memcmp(p, data, ALL));
	p[PAGE] = 'm';
	CHECK_EQ(q[0], 'm');
}

CKPT_TEST(memfd, mapped_private)
{
	int fd = make_full(0);
	char *p = mmap(NULL, ALL, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	NEED(p != MAP_FAILED);
	p[0] = 'p';
	ckpt_point();
	CHECK_EQ(p[0], 'p');
	CHECK(!memcmp(p + 1, data + 1, ALL - 1));
	CHECK(holds(fd, ALL));
	CHECK_EQ(pwrite(fd, "w", 1, 10 * PAGE), 1);
	CHECK_EQ(p[10 * PAGE], 'w');
	CHECK_EQ(pwrite(fd, "w", 1, 1), 1);
	CHECK_EQ(p[1], data[1]);
}

CKPT_TEST(memfd, descriptions)
{
	int fd = make_full(0), copy = dup(fd);
	int reader = open_again(fd, O_RDONLY);
	int writer = open_again(fd, O_WRONLY | O_APPEND);

	NEED(copy >= 0 && lseek(reader, 77, SEEK_SET) == 77);
	NEED(lseek(fd, 5, SEEK_SET) == 5);
	ckpt_point();
	CHECK_EQ(lseek(copy, 0, SEEK_CUR), 5);
	CHECK_EQ(lseek(reader, 0, SEEK_CUR), 77);
	CHECK_EQ(write(reader, "x", 1), -1);
	CHECK_EQ(fcntl(writer, F_GETFL) & (O_ACCMODE | O_APPEND),
		 O_WRONLY | O_APPEND);
	CHECK_EQ(write(writer, "end", 3), 3);
	CHECK_EQ(pread(fd, back, 3, ALL), 3);
	CHECK(!memcmp(back, "end", 3));
}

CKPT_TEST(memfd, two)
{
	int a = make_full(0), b = make_memfd(0);

	NEED(write(b, "other", 5) == 5);
	ckpt_point();
	CHECK(holds(a, ALL));
	CHECK_EQ(pread(b, back, ALL, 0), 5);
	CHECK(!memcmp(back, "other", 5));
}

/* Executed. */

#define PROGRAM	100

static bool is_executed(void)
{
	char path[64] = "";

	NEED(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	return strstr(path, "memfd:");
}

/* Run this program again, as a copy of it in memory that can't be changed. */
static void execute_memfd(const char *name)
{
	char mode[] = { '0' + ckpt_mode, 0 };
	int fd = memfd_create("program", MFD_ALLOW_SEALING);
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ssize_t len;

	while ((len = read(self, data, sizeof(data))) > 0)
		NEED(write(fd, data, len) == len);
	NEED(!fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK));
	NEED(dup2(fd, PROGRAM) == PROGRAM && !close(fd));
	execl("/proc/self/fd/100", "target", "--target", name, mode, NULL);
	NEED(false);
}

/* What memfd_create() has returned does not keep it from being executed. */
CKPT_TEST(memfd, executed)
{
	int status;
	pid_t pid;

	if (!is_executed())
		execute_memfd("memfd_executed");
	ckpt_point();
	CHECK(is_executed());
	CHECK_EQ(fcntl(PROGRAM, F_GETFL) & O_ACCMODE, O_RDWR);
	CHECK_EQ(fcntl(PROGRAM, F_GET_SEALS), F_SEAL_WRITE | F_SEAL_SHRINK);
	CHECK_EQ(open("/proc/self/fd/100", O_RDWR), -1);
	CHECK_EQ(errno, ETXTBSY);
	pid = fork();
	if (!pid) {
		execl("/proc/self/fd/100", "target", "--target", "none", "0",
		      NULL);
		_exit(126);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == KSFT_PASS);
}

CKPT_TARGET(none)
{
}

/* Nobody executes it, and whoever wants to may, unless it was opened to be written. */
CKPT_TEST(memfd, to_be_executed)
{
	int fd = make_full(0), again = make_full(0);
	char *argv[] = { NULL };

	open_again(again, O_RDWR);
	ckpt_point();
	fexecve(fd, argv, argv);
	CHECK_EQ(errno, ENOEXEC);
	fexecve(again, argv, argv);
	CHECK_EQ(errno, ETXTBSY);
	CHECK_EQ(pwrite(fd, "w", 1, 0), 1);
	CHECK_EQ(pread(fd, back, 1, 0), 1);
	CHECK_EQ(lseek(fd, 3, SEEK_SET), 3);
}

/* Seals. */

CKPT_TEST(memfd, seals)
{
	static const int seals[] = {
		0, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE,
		F_SEAL_FUTURE_WRITE, F_SEAL_SHRINK | F_SEAL_SEAL,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL,
	};
	int fd[7];

	for (int i = 0; i < 7; i++) {
		fd[i] = make_full(MFD_ALLOW_SEALING);
		NEED(!fcntl(fd[i], F_ADD_SEALS, seals[i]));
	}
	ckpt_point();
	for (int i = 0; i < 7; i++) {
		CHECK_EQ(fcntl(fd[i], F_GET_SEALS), seals[i]);
		CHECK(holds(fd[i], ALL));
		CHECK_EQ(!ftruncate(fd[i], ALL - 1),
			 !(seals[i] & F_SEAL_SHRINK));
		CHECK_EQ(!ftruncate(fd[i], ALL), !(seals[i] & F_SEAL_GROW) ||
			 (seals[i] & F_SEAL_SHRINK));
		CHECK_EQ(pwrite(fd[i], "x", 1, 0) == 1,
			 !(seals[i] & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)));
		CHECK_EQ(!fcntl(fd[i], F_ADD_SEALS, F_SEAL_SHRINK),
			 !(seals[i] & F_SEAL_SEAL));
	}
}

CKPT_TEST(memfd, sealed_and_mapped)
{
	int fd = make_full(MFD_ALLOW_SEALING);
	char *p;

	NEED(!fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	p = mmap(NULL, ALL, PROT_READ, MAP_SHARED, fd, 0);
	NEED(p != MAP_FAILED);
	ckpt_point();
	CHECK(!memcmp(p, data, ALL));
	CHECK_EQ(mprotect(p, PAGE, PROT_READ | PROT_WRITE), -1);
	CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_WRITE);
}

CKPT_TEST(memfd, not_to_be_executed)
{
	int fd = make_full(MFD_NOEXEC_SEAL);
	struct stat stat;

	ckpt_point();
	CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_EXEC);
	CHECK(!fstat(fd, &stat));
	CHECK_EQ(stat.st_mode & 07777, 0666);
	CHECK_EQ(fchmod(fd, 0777), -1);
}

CKPT_TEST(memfd, owner)
{
	int fd = make_full(0), reader = open_again(fd, O_RDONLY);
	struct stat stat;

	NEED(!fchown(fd, 123, 456) && !fchmod(fd, 0400));
	ckpt_point();
	CHECK(!fstat(reader, &stat));
	CHECK_EQ(stat.st_uid, 123);
	CHECK_EQ(stat.st_gid, 456);
	CHECK_EQ(stat.st_mode & 07777, 0400);
	CHECK_EQ(pwrite(fd, "x", 1, 0), 1);
}

CKPT_TEST(memfd, large)
{
	int fd = make_memfd(0);

	for (int i = 0; i < 128; i++)
		NEED(write(fd, data, ALL) == ALL);
	ckpt_point();
	for (int i = 0; i < 128; i++) {
		CHECK_EQ(pread(fd, back, ALL, (long)i * ALL), ALL);
		CHECK(!memcmp(back, data, ALL));
	}
}

/* Shared memory of mmap(2), which is a file by way of /proc. */

static int open_map(const char *p, size_t len, int flags)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "/proc/self/map_files/%lx-%lx",
		 (unsigned long)p, (unsigned long)p + len);
	fd = open(name, flags);
	if (fd < 0 && errno == EPERM)
		ckpt_skip("no right to open what is mapped");
	NEED(fd >= 0);
	return fd;
}

static char *map_shared(int flags)
{
	char *p = mmap(NULL, ALL, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | flags, -1, 0);

	for (int i = 0; i < ALL; i++)
		data[i] = i * 13 + i / 307;
	NEED(p != MAP_FAILED);
	memcpy(p, data, ALL);
	return p;
}

CKPT_TEST(memfd, anonymous)
{
	char *p = map_shared(0), name[64] = "", path[32];
	int fd = open_map(p, ALL, O_RDWR);
	int reader = open_map(p, ALL, O_RDONLY | O_CLOEXEC);

	NEED(lseek(fd, 1000, SEEK_SET) == 1000);
	ckpt_point();
	CHECK(!memcmp(p, data, ALL));
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 1000);
	CHECK_EQ(lseek(reader, 0, SEEK_CUR), 0);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	CHECK_EQ(fcntl(reader, F_GETFL) & O_ACCMODE, O_RDONLY);
	CHECK_EQ(fcntl(reader, F_GETFD), FD_CLOEXEC);
	CHECK(holds(reader, ALL));
	p[5] = 'm';
	CHECK_EQ(pread(fd, back, 1, 5), 1);
	CHECK_EQ(back[0], 'm');
	CHECK_EQ(pwrite(fd, "w", 1, 6), 1);
	CHECK_EQ(p[6], 'w');
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(readlink(path, name, sizeof(name) - 1) > 0);
	CHECK_TEXT("name", name, "/dev/zero (deleted)");
	CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
	/* And again, by its mapping. */
	CHECK(open_map(p, ALL, O_RDWR) > 0);
}

/* Nothing has it any more but a descriptor. */
CKPT_TEST(memfd, anonymous_unmapped)
{
	char *p = map_shared(MAP_NORESERVE);
	int fd = open_map(p, ALL, O_RDWR);

	NEED(!munmap(p, ALL));
	ckpt_point();
	CHECK(holds(fd, ALL));
	p = mmap(NULL, ALL, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED && !memcmp(p, data, ALL));
}

CKPT_TEST(memfd, anonymous_mapped_otherwise)
{
	char *p = map_shared(0), *private, *reader;
	int fd = open_map(p, ALL, O_RDONLY);

	private = mmap(NULL, ALL, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	reader = mmap(NULL, ALL, PROT_READ, MAP_SHARED, fd, 0);
	NEED(private != MAP_FAILED && reader != MAP_FAILED && !close(fd));
	private[3] = 'p';
	ckpt_point();
	CHECK_EQ(private[3], 'p');
	CHECK(!memcmp(private + 4, data + 4, ALL - 4));
	p[3] = 's';
	CHECK_EQ(reader[3], 's');
	CHECK_EQ(private[3], 'p');
	CHECK_EQ(mprotect(reader, PAGE, PROT_READ | PROT_WRITE), -1);
}

/* Of two processes, one of which has it open. */
CKPT_TEST(memfd, anonymous_of_two)
{
	char *p = map_shared(0);
	int to[2], status, fd;
	pid_t pid;
	char c;

	NEED(!pipe(to));
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		NEED(read(to[0], &c, 1) == 1);
		p[7] = 'c';
		_exit(0);
	}
	fd = open_map(p, ALL, O_RDONLY);
	ckpt_point();
	CHECK(holds(fd, ALL));
	CHECK_EQ(write(to[1], "x", 1), 1);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(p[7], 'c');
	CHECK_EQ(pread(fd, back, 1, 7), 1);
	CHECK_EQ(back[0], 'c');
}

/* One that a process outside has too. */

CKPT_TARGET(inherited)
{
	ckpt_ready();
	ckpt_wait();
}

CKPT_TARGET(inherited_mapped)
{
	NEED(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, 100, 0) != MAP_FAILED);
	close(100);
	ckpt_ready();
	ckpt_wait();
}

static void shared_with(struct __test_metadata *_metadata, const char *name,
			int fd, int inherit)
{
	struct ckpt_target target = { .mode = CKPT_LIVE };

	snprintf(target.dir, sizeof(target.dir), "/tmp/ckpt-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(target.dir));
	target.pid = fork();
	ASSERT_LE(0, target.pid);
	if (!target.pid) {
		NEED(dup2(inherit, 100) == 100 && !chdir(target.dir));
		syscall(SYS_close_range, 0, 99, 0);
		syscall(SYS_close_range, 101, ~0U, 0);
		execl("/proc/self/exe", "target", "--target", name, "0", NULL);
		_exit(126);
	}
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	close(inherit);
	EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint(&target, 0));
	EXPECT_NE(NULL, strstr(target.log, "memfd:name")) {
		TH_LOG("\"%s\"", target.log);
	}
	EXPECT_NE(NULL, strstr(target.log, "is shared with a process outside"));
	close(fd);
	EXPECT_LT(0, ckpt_checkpoint(&target, 0));
	EXPECT_EQ(0, ckpt_go(&target));
	EXPECT_EQ(target.pid, waitpid(target.pid, NULL, 0));
	target.pid = 0;
	ckpt_clean(&target);
}

TEST(outside_description)
{
	int fd = make_full(MFD_CLOEXEC);

	shared_with(_metadata, "inherited", fd, fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

TEST(outside_other_description)
{
	int fd = make_full(MFD_CLOEXEC);

	shared_with(_metadata, "inherited", fd, open_again(fd, O_RDONLY));
}

TEST(outside_mapping)
{
	int fd = make_full(MFD_CLOEXEC);

	shared_with(_metadata, "inherited_mapped", fd, open_again(fd, O_RDONLY));
}

/* Mapped by the tree alone, but open outside. */
CKPT_TARGET(anonymous_outside)
{
	char *p = map_shared(0);
	FILE *file = fopen("where", "w");

	NEED(file && fprintf(file, "/proc/%d/map_files/%lx-%lx", getpid(),
			     (unsigned long)p, (unsigned long)p + ALL) > 0);
	NEED(!fclose(file));
	ckpt_ready();
	ckpt_wait();
	CHECK(!memcmp(p, data, ALL));
}

TEST(outside_anonymous)
{
	struct ckpt_target target;
	char path[128] = "";
	int fd;

	ASSERT_EQ(0, ckpt_start(&target, "anonymous_outside", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	ckpt_read(ckpt_path(&target, "where"), path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == EPERM)
		SKIP(return, "no right to open what is mapped");
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint(&target, 0));
	EXPECT_NE(NULL, strstr(target.log, "is shared with a process outside"));
	close(fd);
	EXPECT_LT(0, ckpt_checkpoint(&target, 0));
	EXPECT_EQ(0, ckpt_go(&target));
	EXPECT_EQ(0, ckpt_end(&target));
	ckpt_clean(&target);
}

CKPT_TEST_MAIN
