// SPDX-License-Identifier: GPL-2.0-only
/* Files and directories of processes, in /proc. */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>

static int get(const char *path, int flags)
{
	int fd = open(path, flags);

	NEED(fd >= 0);
	return fd;
}

static int get_of(pid_t pid, const char *what, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, what);
	return get(path, flags);
}

static char text[65536];

/* From the beginning, whole. */
static const char *contents(int fd)
{
	size_t len = 0;
	ssize_t got;

	lseek(fd, 0, SEEK_SET);
	while ((got = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += got;
	CHECK(got == 0);
	text[len] = 0;
	return text;
}

static bool says(int fd, const char *what)
{
	if (strstr(contents(fd), what))
		return true;
	fprintf(stderr, "no \"%s\" in \"%.200s\"\n", what, text);
	return false;
}

static bool is_of(int fd, pid_t pid)
{
	char line[32];

	snprintf(line, sizeof(line), "\nPid:\t%d\n", pid);
	return says(fd, line);
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

	NEED(pid >= 0);
	if (!pid)
		for (;;)
			pause();
	return pid;
}

static void end(pid_t pid)
{
	CHECK(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
}

CKPT_FIXTURE(procfiles);

CKPT_TEST(procfiles, own)
{
	static const char *const names[] = {
		"stat", "status", "statm", "limits", "io", "sched", "comm",
		"cmdline", "wchan", "oom_score", "cgroup", "personality",
	};
	char path[64];
	int fd[12];

	for (int i = 0; i < 12; i++) {
		snprintf(path, sizeof(path), "/proc/self/%s", names[i]);
		fd[i] = open(path, O_RDONLY);
		/* Not every kernel has all of them. */
		NEED(fd[i] >= 0 || errno == ENOENT);
	}
	ckpt_point();
	for (int i = 0; i < 12; i++)
		CHECK(fd[i] < 0 || contents(fd[i])[0]);
	CHECK(is_of(fd[1], getpid()));
	CHECK_EQ(atoi(contents(fd[0])), getpid());
	CHECK(says(fd[6], "procfiles"));
}

CKPT_TEST(procfiles, of_child)
{
	pid_t pid = sleeper();
	int status = get_of(pid, "status", O_RDONLY);
	int dir = get_of(pid, "", O_RDONLY);

	ckpt_point();
	CHECK(is_of(status, pid));
	CHECK(!faccessat(dir, "status", F_OK, 0));
	end(pid);
	CHECK_EQ(pread(status, text, 10, 0), -1);
	CHECK_EQ(errno, ESRCH);
}

/* Read on from where it was. */
CKPT_TEST(procfiles, offset)
{
	int fd = get("/proc/self/limits", O_RDONLY);
	char before[2][128] = {};

	NEED(pread(fd, before[0], 100, 300) == 100);
	NEED(read(fd, before[1], 100) == 100 && read(fd, before[1], 100) == 100);
	NEED(read(fd, before[1], 100) == 100);
	ckpt_point();
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 300);
	memset(before[1], 0, sizeof(before[1]));
	CHECK_EQ(read(fd, before[1], 100), 100);
	CHECK(!strcmp(before[0], before[1]));
}

/* What is tied to memory is tied to that of the process, not of the restarter. */
static char marker[] = "what is at this address";

static void check_memory(int mem, const char *what)
{
	char found[sizeof(marker)] = "";

	CHECK_EQ(pread(mem, found, sizeof(found), (uintptr_t)marker),
		 sizeof(found));
	CHECK_TEXT("memory", found, what);
}

CKPT_TEST(procfiles, memory)
{
	int mem = get("/proc/self/mem", O_RDWR);
	int maps = get("/proc/self/maps", O_RDONLY);
	int smaps = get("/proc/self/smaps", O_RDONLY);
	int rollup = get("/proc/self/smaps_rollup", O_RDONLY);
	int auxv = get("/proc/self/auxv", O_RDONLY);
	int environ_fd = get("/proc/self/environ", O_RDONLY);
	int pagemap = get("/proc/self/pagemap", O_RDONLY);
	static char before[65536];
	uint64_t page = 0;

	memcpy(before, contents(auxv), sizeof(before));
	ckpt_point();
	check_memory(mem, marker);
	CHECK_EQ(pwrite(mem, "W", 1, (uintptr_t)marker), 1);
	CHECK_EQ(marker[0], 'W');
	CHECK(says(maps, "/procfiles"));
	CHECK(says(smaps, "VmFlags"));
	CHECK(says(rollup, "[rollup]"));
	CHECK(!memcmp(contents(auxv), before, 64));
	contents(environ_fd);
	CHECK_EQ(pread(pagemap, &page, 8, (uintptr_t)marker / 4096 * 8), 8);
	CHECK(page >> 63);
}

CKPT_TEST(procfiles, memory_of_child)
{
	int fds[2], mem, maps;
	pid_t pid;

	NEED(!pipe(fds));
	pid = fork();
	if (!pid) {
		memcpy(marker, "another one", 12);
		NEED(write(fds[1], "x", 1) == 1);
		for (;;)
			pause();
	}
	NEED(read(fds[0], text, 1) == 1);
	mem = get_of(pid, "mem", O_RDONLY);
	maps = get_of(pid, "maps", O_RDONLY);
	ckpt_point();
	check_memory(mem, "another one");
	CHECK(says(maps, "[stack]"));
	end(pid);
	CHECK_EQ(pread(mem, text, 10, (uintptr_t)marker), 0);
}

/* Maps that were read in half. */
CKPT_TEST(procfiles, offset_of_maps)
{
	int fd = get("/proc/self/maps", O_RDONLY);
	char line[128], *nl;
	size_t len;

	NEED(read(fd, line, 20) == 20);
	contents(fd);
	nl = strchr(text, '\n');
	NEED(nl);
	len = nl + 1 - text;
	NEED(lseek(fd, len, SEEK_SET) == (off_t)len);
	ckpt_point();
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), len);
	CHECK_EQ(read(fd, line, 20), 20);
	CHECK(!memcmp(line, text + len, 8));
}

CKPT_TEST(procfiles, mounts)
{
	int mounts = get("/proc/self/mounts", O_RDONLY);
	int info = get("/proc/self/mountinfo", O_RDONLY);

	ckpt_point();
	CHECK(says(mounts, " /proc proc "));
	CHECK(says(info, " /proc "));
}

CKPT_TEST(procfiles, directories)
{
	int fds = get("/proc/self/fd", O_RDONLY | O_DIRECTORY), nr = 0;
	int tasks = get("/proc/self/task", O_RDONLY | O_DIRECTORY);
	struct dirent *entry;
	char name[16];
	DIR *dir;

	ckpt_point();
	snprintf(name, sizeof(name), "%d", getpid());
	CHECK(!faccessat(tasks, name, F_OK, 0));
	snprintf(name, sizeof(name), "%d", tasks);
	CHECK(!faccessat(fds, name, F_OK, AT_SYMLINK_NOFOLLOW));
	dir = fdopendir(fds);
	CHECK(dir);
	while (dir && (entry = readdir(dir)))
		nr++;
	CHECK_EQ(nr, 2 + 3 + 2);
}

static volatile pid_t thread_id;

static void *thread_main(void *arg)
{
	thread_id = gettid();
	for (;;)
		pause();
	return arg;
}

CKPT_TEST(procfiles, thread)
{
	char path[64];
	pthread_t thread;
	int fd, own;

	NEED(!pthread_create(&thread, NULL, thread_main, NULL));
	while (!thread_id)
		ckpt_msleep(1);
	snprintf(path, sizeof(path), "/proc/self/task/%d/status", thread_id);
	fd = get(path, O_RDONLY);
	own = get("/proc/thread-self/comm", O_RDWR);
	ckpt_point();
	CHECK(is_of(fd, thread_id));
	CHECK_EQ(write(own, "renamed", 7), 7);
	CHECK(says(own, "renamed"));
}

CKPT_TEST(procfiles, zombie)
{
	pid_t pid = fork();
	siginfo_t info;
	int fd;

	if (!pid)
		_exit(3);
	NEED(!waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	fd = get_of(pid, "status", O_RDONLY);
	ckpt_point();
	CHECK(says(fd, "State:\tZ (zombie)"));
	CHECK(is_of(fd, pid));
	CHECK(waitpid(pid, NULL, 0) == pid);
}

/* Of the namespace, by way of a process. */
CKPT_TEST(procfiles, network)
{
	int fd = get("/proc/net/dev", O_RDONLY);

	ckpt_point();
	CHECK(says(fd, "lo:"));
}

/* There is an init wherever one is restarted, whoever that is. */
CKPT_TEST(procfiles, of_init)
{
	int fd = get("/proc/1/status", O_RDONLY), more;
	int dir = get("/proc/1", O_RDONLY | O_DIRECTORY);
	struct stat now, then;
	char part[16];

	NEED(read(fd, part, 6) == 6);
	ckpt_point();
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 6);
	CHECK(is_of(fd, 1));
	more = openat(dir, "stat", O_RDONLY);
	CHECK(says(more, "1 ("));
	CHECK(!fstat(fd, &now) && !stat("/proc/1/status", &then));
	CHECK_EQ(now.st_ino, then.st_ino);
}

/* Somebody else's, opened by one who is made again later. */
CKPT_TEST(procfiles, siblings)
{
	pid_t parent = getpid(), pid;
	int fds[2], status;

	NEED(!pipe(fds));
	pid = fork();
	if (!pid) {
		int fd = get_of(parent, "status", O_RDONLY);
		int mem = get_of(parent, "mem", O_RDONLY);
		char found[sizeof(marker)] = "";

		NEED(write(fds[1], "x", 1) == 1);
		while (!ckpt_gone())
			ckpt_msleep(5);
		if (!is_of(fd, getppid()) ||
		    pread(mem, found, sizeof(found), (uintptr_t)marker) !=
		    sizeof(found) || strcmp(found, "the parent's"))
			_exit(1);
		_exit(42);
	}
	NEED(read(fds[0], text, 1) == 1);
	memcpy(marker, "the parent's", 13);
	ckpt_point();
	if (ckpt_mode == CKPT_SELF)
		close(open("go", O_CREAT | O_WRONLY, 0600));
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

/* With other ids than before. */
CKPT_TARGET(renumbered)
{
	pid_t pid = sleeper();
	int own = get("/proc/self/status", O_RDONLY);
	int fd = get_of(pid, "status", O_RDONLY);
	int mem = get("/proc/thread-self/mem", O_RDONLY);
	char line[32];

	ckpt_point();
	CHECK(is_of(own, getpid()));
	snprintf(line, sizeof(line), "\nPPid:\t%d\n", getpid());
	CHECK(says(fd, line));
	check_memory(mem, marker);
}

TEST(new_pids)
{
	struct ckpt_target target;
	pid_t copy;

	ASSERT_EQ(0, ckpt_start(&target, "renumbered", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	ASSERT_LT(0, ckpt_checkpoint(&target, 0));
	copy = ckpt_restart_as(&target, 0, RESTART_NEW_PIDS);
	ASSERT_LT(0, copy) {
		TH_LOG("\"%s\"", target.log);
	}
	ASSERT_EQ(0, ckpt_go(&target));
	EXPECT_EQ(0, ckpt_end(&target));
	target.pid = copy;
	EXPECT_EQ(0, ckpt_end(&target));
	ckpt_clean(&target);
}

/* What is refused. */

CKPT_TARGET(outside)
{
	get_of(getppid(), "status", O_RDONLY);
	ckpt_point();
}

CKPT_REFUSED(of_one_outside, "outside", EOPNOTSUPP,
	     "status: of a process outside the tree")

CKPT_TARGET(memory_of_init)
{
	get("/proc/1/maps", O_RDONLY);
	ckpt_point();
}

CKPT_REFUSED(of_memory_of_init, "memory_of_init", EOPNOTSUPP,
	     "maps: of a process outside the tree")

CKPT_TARGET(mounts_of_init)
{
	get("/proc/1/mountinfo", O_RDONLY);
	ckpt_point();
}

CKPT_REFUSED(of_mounts_of_init, "mounts_of_init", EOPNOTSUPP,
	     "mountinfo: of a process outside the tree")

CKPT_TARGET(reaped)
{
	pid_t pid = sleeper();

	get_of(pid, "status", O_RDONLY);
	end(pid);
	ckpt_point();
}

CKPT_REFUSED(of_one_reaped, "reaped", EOPNOTSUPP, "status")

/* Memory that it had before it was executed anew. */
CKPT_TARGET(executed)
{
	char mode[] = { '0' + ckpt_mode, 0 };

	ckpt_point();
	(void)mode;
}

CKPT_TARGET(executes)
{
	char mode[] = { '0' + ckpt_mode, 0 };

	get("/proc/self/maps", O_RDONLY);
	execl("/proc/self/exe", "target", "--target", "executed", mode, NULL);
}

CKPT_REFUSED(of_what_was_before, "executes", EOPNOTSUPP,
	     "maps: of what its process had before")

CKPT_TEST_MAIN
