// SPDX-License-Identifier: GPL-2.0-only
/*
 * cold [-r ROUNDS] MIB... - a restart of which nothing is in memory yet
 *
 * The image is on a filesystem of its own on the first disk, which is made anew. Timed
 * is from the start of rstr until the process has written to one page of a hundred.
 * Shown are medians, and ratios of medians. Status 1: a figure could not be taken.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"
#include "table.h"
#include "tool.h"

#define DISK		"/dev/vda"
#define PLACE		"/mnt/cold"
#define IMAGE		PLACE "/image"
#define RECORD		PLACE "/record"

#define ROUNDS		5

/**
 * struct figures - of one amount of memory
 * @plain: rstr, which reads as memory is touched
 * @ahead: with what was recorded once read ahead
 * @eager: with everything read first
 * @recorded: bytes that are read ahead
 */
struct figures {
	struct samples	plain;
	struct samples	ahead;
	struct samples	eager;
	double		recorded;
};

static int make_place(void)
{
	if (access(DISK, F_OK)) {
		warnx("there is no disk: kernel/boot --drive FILE has one");
		return -1;
	}
	mkdir(PLACE, 0700);
	if (system("/bin/mke2fs -b 4096 -F " DISK " >/dev/null 2>&1") ||
	    mount(DISK, PLACE, "ext4", 0, "")) {
		warn(DISK);
		return -1;
	}
	return 0;
}

static void forget_all(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	sync();
	if (fd < 0 || write(fd, "3", 1) != 1)
		warn("caches");
	close(fd);
}

__attribute__((noreturn))
static void execute(const char *option, const char *value, int out)
{
	int in = open(IMAGE, O_RDONLY | O_CLOEXEC);

	dup2(in, 0);
	dup2(out, 1);
	execlp("rstr", "rstr", "--detach", "--new-pids", option, value, NULL);
	_exit(127);
}

/* Have it read by rstr with an option; returns the pid of the process, or -1. */
static pid_t restart(const char *option, const char *value, pid_t *rstr)
{
	char text[16] = "";
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -1;
	*rstr = vfork();
	if (!*rstr)
		execute(option, value, fds[1]);
	close(fds[1]);
	if (*rstr < 0 || read(fds[0], text, sizeof(text) - 1) <= 0)
		warnx("rstr failed");
	close(fds[0]);
	return atoi(text) ?: -1;
}

static int wait_rstr(pid_t rstr)
{
	int status = -1;

	while (waitpid(rstr, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static int take(const char *option, const char *value, uint64_t *took)
{
	uint64_t start;
	pid_t pid, rstr;
	int ret;

	forget_all();
	start = now_ns();
	pid = restart(option, value, &rstr);
	if (pid < 0)
		return -1;
	ret = target_do(pid, TARGET_TOUCH_SOME, NULL);
	*took = now_ns() - start;
	ret |= wait_rstr(rstr);
	target_kill(pid);
	return ret;
}

static int take_rounds(struct figures *figures, unsigned int rounds)
{
	uint64_t took;

	for (; rounds; rounds--) {
		if (take(NULL, NULL, &took))
			return -1;
		samples_add(&figures->plain, took);
		if (take("--ahead", RECORD, &took))
			return -1;
		samples_add(&figures->ahead, took);
		if (take("--eager", NULL, &took))
			return -1;
		samples_add(&figures->eager, took);
	}
	return 0;
}

static double recorded_bytes(void)
{
	FILE *in = fopen(RECORD, "re");
	char line[128];
	double sum = 0, len;

	if (!in)
		return 0;
	while (fgets(line, sizeof(line), in))
		if (sscanf(line, "%*u %lf\n", &len) == 1)
			sum += len;
	fclose(in);
	return sum;
}

static int take_image(unsigned long mib)
{
	pid_t pid = target_start(mib, 1);
	uint64_t took;

	if (pid < 0)
		return -1;
	if (tool_ckpt.checkpoint(pid, true, &took)) {
		target_kill(pid);
		return -1;
	}
	target_reap(pid);
	return system("cp " TOOL_PLACE "/image " IMAGE);
}

static int take_row(struct figures *figures, unsigned long mib,
		    unsigned int rounds)
{
	uint64_t took;
	int ret;

	fprintf(stderr, "cold: %lu MiB, %u rounds\n", mib, rounds);
	ret = take_image(mib) || take("--record", RECORD, &took);
	tool_clean();
	figures->recorded = recorded_bytes();
	ret = ret || take_rounds(figures, rounds);
	unlink(IMAGE);
	return ret;
}

static void show(const struct figures *figures, unsigned long mib)
{
	double plain = samples_median(&figures->plain);
	double ahead = samples_median(&figures->ahead);

	printf("%6lu", mib);
	cell_ms(plain);
	cell_ms(ahead);
	cell_ratio(ahead / plain);
	cell_ms(samples_median(&figures->eager));
	cell_mib(figures->recorded);
	cell_end();
}

int main(int argc, char **argv)
{
	unsigned int rounds = ROUNDS;
	bool failed = false;
	int c;

	while ((c = getopt(argc, argv, "r:")) != -1) {
		if (c != 'r')
			return 2;
		rounds = strtoul(optarg, NULL, 0);
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (tool_place() || make_place())
		return 1;
	printf("\nrstr from a disk, until one page of a hundred was written to\n%6s",
	       "MiB");
	cell_head("rstr");
	cell_head("--ahead");
	cell_head("/ rstr");
	cell_head("--eager");
	cell_head("recorded");
	cell_end();
	for (; optind < argc; optind++) {
		unsigned long mib = strtoul(argv[optind], NULL, 0);
		struct figures figures = {};

		failed |= !!take_row(&figures, mib, rounds);
		show(&figures, mib);
	}
	umount(PLACE);
	return failed;
}
