// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <err.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "pidfile.h"

/* What takes the place of the file would take that of a device as well. */
static bool is_special(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && !S_ISREG(st.st_mode);
}

int pidfile_check(const char *path)
{
	char *copy;
	int ret;

	if (is_special(path)) {
		warnx("%s: not a regular file", path);
		return -1;
	}
	copy = strdup(path);
	ret = copy ? euidaccess(dirname(copy), W_OK | X_OK) : -1;
	if (ret)
		warn("%s", path);
	free(copy);
	return ret;
}

static int write_pid(int fd, pid_t pid)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", pid);

	if (write(fd, text, len) != len)
		return -1;
	return fchmod(fd, 0644);
}

int pidfile_write(const char *path, pid_t pid)
{
	char *temp;
	int fd = -1;

	if (asprintf(&temp, "%s.XXXXXX", path) < 0) {
		warn("%s", path);
		return -1;
	}
	fd = mkstemp(temp);
	if (fd < 0 || write_pid(fd, pid) || rename(temp, path)) {
		warn("%s", path);
		if (fd >= 0)
			unlink(temp);
		path = NULL;
	}
	if (fd >= 0)
		close(fd);
	free(temp);
	return path ? 0 : -1;
}
