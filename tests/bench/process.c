// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"

/* A target that takes longer than this for anything hangs. */
#define PATIENCE	(120 * 1000000000ULL)

static void pause_ms(unsigned int ms)
{
	usleep(ms * 1000);
}

static int memory_open(pid_t pid, int flags)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	return open(path, flags | O_CLOEXEC);
}

static int memory_read(pid_t pid, struct target_state *state)
{
	int fd = memory_open(pid, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = pread(fd, state, sizeof(*state), TARGET_STATE);
	close(fd);
	return n == sizeof(*state) ? 0 : -1;
}

static int memory_write(pid_t pid, const void *from, size_t len, off_t at)
{
	int fd = memory_open(pid, O_WRONLY);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = pwrite(fd, from, len, TARGET_STATE + at);
	close(fd);
	return n == (ssize_t)len ? 0 : -1;
}

int target_read(pid_t pid, struct target_state *state)
{
	if (!memory_read(pid, state))
		return 0;
	warn("the memory of target %d can't be read", pid);
	return -1;
}

__attribute__((noreturn))
static void target_exec(unsigned long mib, int idle)
{
	char text[24];
	int fd;

	setsid();
	snprintf(text, sizeof(text), "%lu", mib);
	fd = open("/dev/null", O_RDWR);
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	syscall(SYS_close_range, 3, ~0U, 0);
	execl("/bench/target", "target", text, idle ? "idle" : NULL, NULL);
	_exit(127);
}

static int target_wait_ready(pid_t pid)
{
	uint64_t end = now_ns() + PATIENCE;
	struct target_state state = {};

	/* Before it made the place there is nothing to be read. */
	while (memory_read(pid, &state) || !state.ready) {
		if (now_ns() > end || waitpid(pid, NULL, WNOHANG)) {
			warnx("a target did not get ready");
			return -1;
		}
		pause_ms(1);
	}
	return 0;
}

pid_t target_start(unsigned long mib, int idle)
{
	pid_t pid = fork();

	if (!pid)
		target_exec(mib, idle);
	if (pid < 0) {
		warn("fork");
		return -1;
	}
	if (!target_wait_ready(pid))
		return pid;
	target_kill(pid);
	return -1;
}

static int target_wait_done(pid_t pid)
{
	uint64_t end = now_ns() + PATIENCE;
	struct target_state state;

	do {
		pause_ms(1);
		if (target_read(pid, &state))
			return -1;
		if (now_ns() > end) {
			warnx("target %d does not obey", pid);
			return -1;
		}
	} while (state.command);
	if (!state.error)
		return 0;
	warnx("target %d: %s", pid, strerror(state.error));
	return -1;
}

int target_do(pid_t pid, enum target_command command, const char *path)
{
	uint32_t word = command;

	if ((path && memory_write(pid, path, strlen(path) + 1,
				  offsetof(struct target_state, path))) ||
	    memory_write(pid, &word, sizeof(word),
			 offsetof(struct target_state, command))) {
		warn("the memory of target %d can't be written", pid);
		return -1;
	}
	return target_wait_done(pid);
}

/* The first pause to be over after @since; 0 if there is none. */
static uint64_t first_after(const struct target_state *state, uint64_t since)
{
	uint64_t first = 0;

	for (unsigned int i = 0; i < TARGET_PAUSES; i++)
		if (state->pauses[i] > since &&
		    (!first || state->pauses[i] < first))
			first = state->pauses[i];
	return first;
}

int target_wait_resumed(pid_t pid, uint64_t since, uint64_t *when)
{
	uint64_t end = now_ns() + PATIENCE;
	struct target_state state;

	while (memory_read(pid, &state) ||
	       !(*when = first_after(&state, since))) {
		if (now_ns() > end) {
			warnx("target %d was restarted and does not run", pid);
			return -1;
		}
		pause_ms(1);
	}
	return 0;
}

long long target_resident(pid_t pid)
{
	long long kib = -1;
	char line[128];
	FILE *in;

	snprintf(line, sizeof(line), "/proc/%d/status", pid);
	in = fopen(line, "re");
	while (in && kib < 0 && fgets(line, sizeof(line), in))
		sscanf(line, "RssAnon: %lld", &kib);
	if (in)
		fclose(in);
	return kib * 1024;
}

void target_reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void target_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	target_reap(pid);
}
