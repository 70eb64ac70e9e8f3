// SPDX-License-Identifier: GPL-2.0-only
/*
 * Targets, and what is done to them. The two sides speak by files in a directory
 * of the target's: ready, go, report; image and log belong to the test.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>

#include "ckpt_target.h"
#include "kselftest.h"

/* How long a target may take to get anywhere, in milliseconds. */
#define CKPT_PATIENCE	15000

enum ckpt_mode ckpt_mode;
static struct ckpt_target_body *ckpt_bodies;
static bool ckpt_failed;

void ckpt_msleep(unsigned int ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

long long ckpt_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* The target. Its standard output and error are its report. */

static void ckpt_say(const char *format, va_list args)
{
	char line[512];
	int len = vsnprintf(line, sizeof(line) - 1, format, args);

	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	if (write(2, line, len) != len)
		_exit(KSFT_FAIL);
}

static void ckpt_say_f(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	ckpt_say(format, args);
	va_end(args);
}

void ckpt_fail(const char *file, int line, const char *format, ...)
{
	char text[400];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	ckpt_say_f("%s:%d: %s", file, line, text);
	ckpt_failed = true;
}

void ckpt_skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	ckpt_say(format, args);
	va_end(args);
	_exit(KSFT_SKIP);
}

bool ckpt_check_eq(const char *file, int line, const char *what, long long is,
		   long long ought)
{
	if (is == ought)
		return true;
	ckpt_fail(file, line, "%s: %lld (%#llx), not %lld (%#llx)", what, is,
		  is, ought, ought);
	return false;
}

void ckpt_ready(void)
{
	int fd = open("ready", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	NEED(fd >= 0);
	close(fd);
}

bool ckpt_gone(void)
{
	return !access("go", F_OK);
}

void ckpt_wait(void)
{
	while (!ckpt_gone())
		ckpt_msleep(2);
}

static void ckpt_kill_below(pid_t pid);

/* The children of one thread; the kernel lists them with blanks in between. */
static void ckpt_kill_children(const char *path)
{
	char text[4096] = "", *at = text, *end;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	for (pid_t pid; (pid = strtol(at, &end, 10)); at = end) {
		ckpt_kill_below(pid);
		kill(pid, SIGKILL);
	}
}

static void ckpt_kill_below(pid_t pid)
{
	char path[64];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%.16s/children",
			 pid, entry->d_name);
		ckpt_kill_children(path);
	}
	if (dir)
		closedir(dir);
}

static void ckpt_myself(void)
{
	int fd;
	int log = open("log", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	long ret;

	fd = open("image", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 && errno == ETXTBSY) {
		/* I was restarted from it, and it is mapped. */
		NEED(!unlink("image"));
		fd = open("image", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	}
	NEED(fd >= 0 && log >= 0);
	ret = syscall(__NR_checkpoint, getpid(), fd, CHECKPOINT_LOGFD, log);
	NEED(ret >= 0);
	if (ret) {
		/* Whoever is below would keep the pids. */
		ckpt_kill_below(getpid());
		_exit(CKPT_TAKEN);
	}
	close(fd);
	close(log);
}

void ckpt_point(void)
{
	if (ckpt_mode == CKPT_SELF) {
		ckpt_myself();
		return;
	}
	ckpt_ready();
	ckpt_wait();
}

void ckpt_target_add(struct ckpt_target_body *body)
{
	body->next = ckpt_bodies;
	ckpt_bodies = body;
}

static int ckpt_target_main(const char *name)
{
	struct ckpt_target_body *body;

	for (body = ckpt_bodies; body; body = body->next) {
		if (strcmp(body->name, name))
			continue;
		body->body();
		return ckpt_failed ? KSFT_FAIL : KSFT_PASS;
	}
	ckpt_say_f("no such target: %s", name);
	return KSFT_FAIL;
}

/* Ahead of the harness, whose constructors map memory for each test. */
static void __attribute__((constructor(CKPT_PRIO_RUN)))
ckpt_target_run(int argc, char **argv)
{
	int status;

	if (argc != 4 || strcmp(argv[1], "--target"))
		return;
	ckpt_mode = atoi(argv[3]);
	status = ckpt_target_main(argv[2]);
	fflush(NULL);
	_exit(status);
}

/* The test. */

/* What the harness prints is TAP, where such lines are comments. */
static void ckpt_note(const struct ckpt_target *target, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("# ");
	vprintf(format, args);
	printf("\n");
	if (target->log[0])
		printf("# %s\n", target->log);
	va_end(args);
	fflush(stdout);
}

const char *ckpt_path(const struct ckpt_target *target, const char *name)
{
	static char path[384];

	snprintf(path, sizeof(path), "%s/%s", target->dir, name);
	return path;
}

static int ckpt_open(const struct ckpt_target *target, const char *name,
		     int flags)
{
	return open(ckpt_path(target, name), flags | O_CLOEXEC, 0600);
}

/* A file's text, its lines put into one. */
static void ckpt_slurp(struct ckpt_target *target, const char *name)
{
	int fd = ckpt_open(target, name, O_RDONLY);
	ssize_t len = 0;

	if (fd >= 0) {
		len = read(fd, target->log, sizeof(target->log) - 1);
		close(fd);
	}
	if (len < 0)
		len = 0;
	while (len && target->log[len - 1] == '\n')
		len--;
	target->log[len] = 0;
	for (char *p = target->log; (p = strchr(p, '\n'));)
		*p = ';';
}

static void ckpt_target_exec(struct ckpt_target *target, const char *name)
{
	char mode[] = { '0' + target->mode, 0 };
	char self[128];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int null, report;

	if (len < 0 || chdir(target->dir))
		_exit(126);
	self[len] = 0;
	null = open("/dev/null", O_RDONLY);
	report = open("report", O_CREAT | O_WRONLY | O_APPEND, 0600);
	dup2(null, 0);
	dup2(report, 1);
	dup2(report, 2);
	syscall(SYS_close_range, 3, ~0U, 0);
	execl(self, "target", "--target", name, mode, NULL);
	_exit(126);
}

int ckpt_start(struct ckpt_target *target, const char *name,
	       enum ckpt_mode mode)
{
	memset(target, 0, sizeof(*target));
	target->mode = mode;
	snprintf(target->dir, sizeof(target->dir), "/tmp/ckpt-XXXXXX");
	if (!mkdtemp(target->dir)) {
		ckpt_note(target, "%s: no directory: %m", name);
		return -1;
	}
	fflush(stdout);
	target->pid = fork();
	if (!target->pid)
		ckpt_target_exec(target, name);
	return target->pid < 0 ? -1 : 0;
}

static bool ckpt_target_ended(const struct ckpt_target *target)
{
	siginfo_t info = {};

	return !waitid(P_PID, target->pid, &info, WEXITED | WNOHANG | WNOWAIT) &&
	       info.si_pid;
}

int ckpt_wait_ready(struct ckpt_target *target)
{
	long long end = ckpt_now() + CKPT_PATIENCE;

	while (access(ckpt_path(target, "ready"), F_OK)) {
		if (ckpt_target_ended(target))
			return 1;
		if (ckpt_now() > end) {
			ckpt_note(target, "the target does not get ready");
			return -1;
		}
		ckpt_msleep(1);
	}
	return 0;
}

/* The system call in which a task sleeps, or -1. */
static long ckpt_syscall_of(pid_t pid)
{
	char path[32], text[32] = "";
	long nr = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (read(fd, text, sizeof(text) - 1) > 0 && text[0] >= '0' &&
	    text[0] <= '9')
		nr = strtol(text, NULL, 10);
	close(fd);
	return nr;
}

int ckpt_wait_syscall(struct ckpt_target *target, long nr)
{
	long long end = ckpt_now() + CKPT_PATIENCE;

	while (ckpt_syscall_of(target->pid) != nr) {
		if (ckpt_now() > end || ckpt_target_ended(target)) {
			ckpt_note(target, "the target does not get to call %ld",
				  nr);
			return -1;
		}
		ckpt_msleep(1);
	}
	return 0;
}

long ckpt_checkpoint(struct ckpt_target *target, unsigned int flags)
{
	int log = ckpt_open(target, "log", O_CREAT | O_TRUNC | O_WRONLY);
	long ret;
	int fd;

	/* One that it was restarted from can't be written over. */
	unlink(ckpt_path(target, "image"));
	fd = ckpt_open(target, "image", O_CREAT | O_EXCL | O_WRONLY);
	ret = syscall(__NR_checkpoint, target->pid, fd,
		      flags | CHECKPOINT_LOGFD, log);
	target->ret = ret < 0 ? -errno : ret;
	close(fd);
	close(log);
	ckpt_slurp(target, "log");
	return target->ret;
}

long ckpt_restart_as(struct ckpt_target *target, pid_t pid, unsigned int flags)
{
	int fd = ckpt_open(target, "image", O_RDONLY);
	int log = ckpt_open(target, "log", O_CREAT | O_TRUNC | O_WRONLY);
	long ret;

	ret = syscall(__NR_restart, pid, fd, flags | RESTART_LOGFD, log);
	target->ret = ret < 0 ? -errno : ret;
	close(fd);
	close(log);
	ckpt_slurp(target, "log");
	return target->ret;
}

long ckpt_restart(struct ckpt_target *target, unsigned int flags)
{
	long ret = ckpt_restart_as(target, 0, flags);

	if (ret > 0)
		target->pid = ret;
	return ret;
}

void ckpt_turn_into(struct ckpt_target *target)
{
	ckpt_restart_as(target, getpid(), 0);
	ckpt_note(target, "becoming the target: %s", strerror(-target->ret));
	_exit(KSFT_FAIL);
}

int ckpt_become(struct ckpt_target *target)
{
	fflush(stdout);
	target->pid = fork();
	if (!target->pid)
		ckpt_turn_into(target);
	return target->pid < 0 ? -1 : 0;
}

void ckpt_kill(struct ckpt_target *target)
{
	if (!target->pid)
		return;
	/* Whoever is below would wait for ever, and slow down what comes next. */
	ckpt_kill_below(target->pid);
	kill(target->pid, SIGKILL);
	waitpid(target->pid, NULL, 0);
	target->pid = 0;
}

/* It ended; was it by a checkpoint of itself? */
static int ckpt_taken(struct ckpt_target *target)
{
	siginfo_t info = {};

	waitid(P_PID, target->pid, &info, WEXITED | WNOWAIT);
	if (info.si_code != CLD_EXITED || info.si_status != CKPT_TAKEN)
		return 1;
	ckpt_kill(target);
	return 0;
}

static int ckpt_take(struct ckpt_target *target)
{
	unsigned int flags = target->mode == CKPT_LIVE ? 0 : CHECKPOINT_KILL;

	if (target->mode == CKPT_SELF)
		return ckpt_taken(target);
	if (target->mode == CKPT_NEVER)
		return 0;
	if (ckpt_checkpoint(target, flags) < 0) {
		ckpt_note(target, "checkpoint: %s", strerror(-target->ret));
		return -1;
	}
	if (flags)
		ckpt_kill(target);
	return 0;
}

int ckpt_cycle(struct ckpt_target *target)
{
	int ret = ckpt_take(target);

	if (ret || target->mode == CKPT_LIVE || target->mode == CKPT_NEVER)
		return ret;
	if (target->mode == CKPT_BECOME)
		return ckpt_become(target);
	if (ckpt_restart(target, 0) < 0) {
		ckpt_note(target, "restart: %s", strerror(-target->ret));
		return -1;
	}
	return 0;
}

int ckpt_go(struct ckpt_target *target)
{
	int fd = ckpt_open(target, "go", O_CREAT | O_WRONLY);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int ckpt_reap(struct ckpt_target *target)
{
	long long end = ckpt_now() + CKPT_PATIENCE;
	int status = 0;

	while (!ckpt_target_ended(target)) {
		if (ckpt_now() > end) {
			ckpt_note(target, "the target does not end");
			break;
		}
		ckpt_msleep(1);
	}
	ckpt_kill_below(target->pid);
	kill(target->pid, SIGKILL);
	waitpid(target->pid, &status, 0);
	target->pid = 0;
	return status;
}

int ckpt_end(struct ckpt_target *target)
{
	int status = ckpt_reap(target);

	ckpt_slurp(target, "report");
	if (WIFEXITED(status) && (WEXITSTATUS(status) == KSFT_PASS ||
				  WEXITSTATUS(status) == KSFT_SKIP))
		return WEXITSTATUS(status);
	if (WIFSIGNALED(status))
		ckpt_note(target, "the target was ended by signal %d",
			  WTERMSIG(status));
	else
		ckpt_note(target, "the target exited with status %d",
			  WEXITSTATUS(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void ckpt_clean(struct ckpt_target *target)
{
	struct dirent *entry;
	DIR *dir;

	ckpt_kill(target);
	if (!target->dir[0])
		return;
	dir = opendir(target->dir);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			remove(ckpt_path(target, entry->d_name));
	if (dir)
		closedir(dir);
	rmdir(target->dir);
	target->dir[0] = 0;
}

/* It may end before it is ready: by itself, to skip the test, or it failed. */
int ckpt_run(struct ckpt_target *target, const char *name, enum ckpt_mode mode)
{
	int ret = ckpt_start(target, name, mode);

	if (!ret)
		ret = ckpt_wait_ready(target);
	if (!ret || (ret > 0 && mode == CKPT_SELF))
		ret = ckpt_cycle(target);
	if (ret < 0)
		return ret;
	if (ckpt_go(target))
		return -1;
	return ckpt_end(target);
}

int ckpt_refused(struct ckpt_target *target, const char *name, int error,
		 const char *why)
{
	int ret = ckpt_start(target, name, CKPT_LIVE), status;

	if (!ret)
		ret = ckpt_wait_ready(target);
	if (ret > 0)
		return ckpt_end(target);
	if (ret < 0)
		return ret;
	if (ckpt_checkpoint(target, 0) != -error || !strstr(target->log, why)) {
		ckpt_note(target, "%s, \"%s\": not refused for \"%s\"",
			  target->ret < 0 ? strerror(-target->ret) : "taken",
			  target->log, why);
		ret = -1;
	}
	if (ckpt_go(target))
		return -1;
	status = ckpt_end(target);
	return ret ?: status;
}
