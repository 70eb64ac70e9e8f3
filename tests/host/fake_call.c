// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the programs get instead of the system calls, in order that they can be
 * tested on any kernel. The environment says what happens:
 *
 * FAKE_LOG	a line for the log
 * FAKE_ERRNO	the error to fail with, after all else
 * FAKE_FLAGS	a file that takes the flags of the call, and external files
 * FAKE_IMAGE	a file that checkpoint() writes out
 * FAKE_PAUSE	milliseconds that it pauses before each 4 KiB of that
 * FAKE_ROOT	a shell command, as which restart() starts the root
 * FAKE_GROUP	if set, the root has a process group of its own, and the terminal
 *		if the caller has that
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "call.h"

static long number(const char *name)
{
	const char *value = getenv(name);

	return value ? atol(value) : 0;
}

static void note_flags(unsigned int flags, const struct externals *externals)
{
	const char *path = getenv("FAKE_FLAGS");
	FILE *out = path ? fopen(path, "w") : NULL;

	if (out) {
		fprintf(out, "%u\n", flags);
		for (unsigned int i = 0; i < externals->nr; i++)
			fprintf(out, "%d %s\n", externals->ext[i].fd,
				(char *)(uintptr_t)externals->ext[i].name);
		fclose(out);
	}
}

static void write_log(int logfd)
{
	if (getenv("FAKE_LOG"))
		dprintf(logfd, "%s\n", getenv("FAKE_LOG"));
}

/* Returns 0 or an errno, as the kernel would when it writes the image. */
static int copy(int from, int to)
{
	char buf[4096];
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0) {
		usleep(1000 * number("FAKE_PAUSE"));
		if (to >= 0 && write(to, buf, n) != n)
			return errno;
	}
	return n < 0 ? errno : 0;
}

static long done(int error, long ret)
{
	if (!error)
		error = number("FAKE_ERRNO");
	if (!error)
		return ret;
	errno = error;
	return -1;
}

long call_checkpoint(pid_t pid, int fd, unsigned int flags, int logfd,
		     const struct externals *externals, const __u8 *parent)
{
	int in = open(getenv("FAKE_IMAGE") ?: "/dev/null", O_RDONLY);

	(void)pid;
	note_flags(flags | CHECKPOINT_LOGFD |
		   (parent ? CHECKPOINT_PARENT : 0), externals);
	write_log(logfd);
	return done(copy(in, fd), 7);
}

/* By both sides, as shells do it. */
static void make_group(pid_t root)
{
	int terminal;

	if (!getenv("FAKE_GROUP"))
		return;
	setpgid(root, root);
	if (!root)
		return;
	terminal = open("/dev/tty", O_RDWR);
	if (tcgetpgrp(terminal) == getpgrp())
		tcsetpgrp(terminal, root);
	close(terminal);
}

long call_restart(pid_t pid, int fd, unsigned int flags, int logfd,
		  const struct externals *externals)
{
	int error = copy(fd, -1);
	pid_t root = pid;

	note_flags(flags | RESTART_LOGFD, externals);
	write_log(logfd);
	if (!error && !number("FAKE_ERRNO")) {
		root = fork();
		make_group(root);
		if (!root) {
			execl("/bin/sh", "sh", "-c", getenv("FAKE_ROOT"), NULL);
			_exit(127);
		}
	}
	return done(error, root);
}
