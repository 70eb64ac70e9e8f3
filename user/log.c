// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "text.h"

/*
 * A pipe needs no directory that one can write to. It holds more than the
 * kernel has to say; should that change, lines are lost rather than the call
 * hung, as nobody reads before it has returned.
 */
int log_open(struct log *log)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK)) {
		warn("pipe");
		return -1;
	}
	log->rd = fds[0];
	log->wr = fds[1];
	return 0;
}

void log_close(struct log *log)
{
	close(log->rd);
	close(log->wr);
}

static void print_line(const char *line, size_t len)
{
	fprintf(stderr, "%s: ", program_invocation_short_name);
	text_put(stderr, line, len);
	fputc('\n', stderr);
}

bool log_print(struct log *log)
{
	FILE *in = fdopen(log->rd, "r");
	char *line = NULL;
	size_t room = 0;
	bool any = false;
	ssize_t n;

	close(log->wr);
	if (!in) {
		warn("log");
		return false;
	}
	while ((n = getline(&line, &room, in)) > 0) {
		print_line(line, line[n - 1] == '\n' ? n - 1 : n);
		any = true;
	}
	free(line);
	fclose(in);
	return any;
}

const char *log_strerror(int err)
{
	if (err == ENOSYS)
		return "this kernel was built without CONFIG_CHECKPOINT";
	return strerror(err);
}
