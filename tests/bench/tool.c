// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target.h"
#include "tool.h"

#define IMAGE		TOOL_PLACE "/image"
#define IMAGE_AGAIN	TOOL_PLACE "/again"
#define CRIU_DIR	TOOL_PLACE "/criu"
#define CRIU_LOG	"log"

int tool_place(void)
{
	if ((mkdir(TOOL_PLACE, 0700) && errno != EEXIST) ||
	    (mkdir(CRIU_DIR, 0700) && errno != EEXIST)) {
		warn(TOOL_PLACE);
		return -1;
	}
	return 0;
}

/* Files in @path are counted, and removed if that is asked for. */
static long long directory_size(const char *path, bool remove)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	long long size = 0;
	struct stat st;

	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		if (fstatat(dirfd(dir), entry->d_name, &st,
			    AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
			continue;
		if (remove)
			unlinkat(dirfd(dir), entry->d_name, 0);
		if (strstr(entry->d_name, ".img"))
			size += st.st_size;
	}
	closedir(dir);
	return size;
}

void tool_clean(void)
{
	directory_size(TOOL_PLACE, true);
	directory_size(CRIU_DIR, true);
}

static void redirect(const char *path, int flags, int to)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0 || dup2(fd, to) < 0)
		_exit(126);
}

/* Run a program to its end; @in and @out are its standard input and output. */
static int run(const char *const *argv, const char *in, const char *out,
	       uint64_t *took)
{
	uint64_t start = now_ns();
	int status = -1;
	pid_t pid;

	pid = vfork();
	if (!pid) {
		redirect(in, O_RDONLY, 0);
		redirect(out, O_CREAT | O_TRUNC | O_WRONLY, 1);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (pid > 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	*took = now_ns() - start;
	if (!status)
		return 0;
	warnx("%s failed, status %#x", argv[0], status);
	return -1;
}

static int ckpt_checkpoint(pid_t pid, bool kill, uint64_t *took)
{
	char number[16];
	const char *argv[] = {
		"ckpt", "--quiet", number, kill ? "--kill" : NULL, NULL
	};

	snprintf(number, sizeof(number), "%d", pid);
	unlink(IMAGE);
	return run(argv, "/dev/null", IMAGE, took);
}

static int ckpt_restart(uint64_t *took)
{
	static const char *const argv[] = { "rstr", "--detach", NULL };

	return run(argv, IMAGE, "/dev/null", took);
}

static long long ckpt_size(void)
{
	struct stat st;

	return stat(IMAGE, &st) ? -1 : st.st_size;
}

int tool_track(pid_t pid, bool again, uint64_t *took)
{
	char number[16];
	const char *first[] = { "ckpt", "--quiet", "--track", number, NULL };
	const char *second[] = {
		"ckpt", "--quiet", "--parent", IMAGE, number, NULL
	};

	snprintf(number, sizeof(number), "%d", pid);
	return run(again ? second : first, "/dev/null",
		   again ? IMAGE_AGAIN : IMAGE, took);
}

long long tool_track_size(bool again)
{
	struct stat st;

	return stat(again ? IMAGE_AGAIN : IMAGE, &st) ? -1 : st.st_size;
}

int tool_pages(pid_t pid, const char *option, uint64_t *took)
{
	char number[16];
	const char *argv[] = { "ckpt", "--quiet", number, option, NULL };

	snprintf(number, sizeof(number), "%d", pid);
	unlink(IMAGE);
	return run(argv, "/dev/null", IMAGE, took);
}

pid_t tool_restart(void)
{
	static const char *const argv[] = {
		"rstr", "--detach", "--pidfile", TOOL_PLACE "/pid", NULL
	};
	uint64_t took;
	int pid = -1;
	FILE *in;

	if (run(argv, IMAGE, "/dev/null", &took))
		return -1;
	in = fopen(TOOL_PLACE "/pid", "re");
	if (!in || fscanf(in, "%d", &pid) != 1)
		warnx("rstr left no pid");
	if (in)
		fclose(in);
	return pid;
}

const struct tool tool_ckpt = {
	.name		= "ckpt",
	.checkpoint	= ckpt_checkpoint,
	.restart	= ckpt_restart,
	.size		= ckpt_size,
};

static const char *criu(void)
{
	return getenv("CRIU");
}

bool tool_criu_present(void)
{
	return criu() && !access(criu(), X_OK);
}

static void criu_explain(void)
{
	char line[256];
	FILE *in = fopen(CRIU_DIR "/" CRIU_LOG, "re");

	while (in && fgets(line, sizeof(line), in))
		if (strstr(line, "Error"))
			fputs(line, stderr);
	if (in)
		fclose(in);
}

static int criu_run(const char *const *argv, uint64_t *took)
{
	int ret = run(argv, "/dev/null", "/dev/null", took);

	if (ret)
		criu_explain();
	return ret;
}

static int criu_checkpoint(pid_t pid, bool kill, uint64_t *took)
{
	char number[16];
	const char *argv[] = {
		criu(), "dump", "-t", number, "-D", CRIU_DIR, "-o", CRIU_LOG,
		"--file-locks", kill ? NULL : "--leave-running", NULL
	};

	snprintf(number, sizeof(number), "%d", pid);
	directory_size(CRIU_DIR, true);
	return criu_run(argv, took);
}

static int criu_restart(uint64_t *took)
{
	const char *argv[] = {
		criu(), "restore", "-d", "-D", CRIU_DIR, "-o", CRIU_LOG,
		"--file-locks", NULL
	};

	return criu_run(argv, took);
}

static long long criu_size(void)
{
	return directory_size(CRIU_DIR, false);
}

const struct tool tool_criu = {
	.name		= "criu",
	.checkpoint	= criu_checkpoint,
	.restart	= criu_restart,
	.size		= criu_size,
};
