// SPDX-License-Identifier: GPL-2.0-only
/*
 * restart [-r ROUNDS] MIB... - what a restart costs, from a file and from a pipe
 *
 * One image for each amount of memory, restarted again and again. Medians, and
 * ratios of medians; CRIU in the environment names a criu that is measured beside.
 * Status 1: a figure could not be taken.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"
#include "table.h"
#include "tool.h"

#define IMAGE		TOOL_PLACE "/image"
#define CHUNK		(1UL << 20)
#define MANY		10
#define SIZES_MAX	16

/* What the ratios are to be at most. */
#define FIRST_TARGET	1.2
#define READ_TARGET	1.2
#define PIPE_TARGET	1.05
#define MANY_TARGET	1.2
#define CRIU_TARGET	0.01

/**
 * struct row - all about one amount of memory
 * @mib: how much
 * @first: from the start of rstr until the process looks at the clock
 * @all: the same, and until it has read a word of every page
 * @map: what reading the file through a mapping takes
 * @pipe: as @first, but that the image comes through a pipe
 * @bytes: reading as many bytes through a pipe, to memory
 * @many: the image and what each of several restarts of it has besides, having
 *	written to one page of a hundred, over the image
 * @criu: as @first, with CRIU
 */
struct row {
	unsigned long	mib;
	struct samples	first;
	struct samples	all;
	struct samples	map;
	struct samples	pipe;
	struct samples	bytes;
	struct samples	many;
	struct samples	criu;
};

static bool failed;

/* Send the image through a pipe; returns the end to read from. */
static int feed(pid_t *pid)
{
	int fds[2], fd;
	ssize_t n;

	if (pipe2(fds, O_CLOEXEC))
		err(1, "pipe");
	fcntl(fds[1], F_SETPIPE_SZ, CHUNK);
	*pid = fork();
	if (*pid) {
		close(fds[1]);
		return fds[0];
	}
	fd = open(IMAGE, O_RDONLY | O_CLOEXEC);
	close(fds[0]);
	while ((n = splice(fd, NULL, fds[1], NULL, CHUNK, 0)) > 0)
		;
	_exit(n < 0);
}

static int reap(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* Restart from a descriptor. Returns the pid of the root, or -1. */
static pid_t restart(int fd)
{
	char text[16] = "";
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -1;
	pid = vfork();
	if (!pid) {
		dup2(fd, 0);
		dup2(fds[1], 1);
		execlp("rstr", "rstr", "--detach", "--new-pids", NULL);
		_exit(127);
	}
	close(fds[1]);
	if (pid < 0 || reap(pid) || read(fds[0], text, sizeof(text) - 1) <= 0) {
		warnx("rstr failed");
		text[0] = 0;
	}
	close(fds[0]);
	return atoi(text) ?: -1;
}

static pid_t restart_from_file(void)
{
	int fd = open(IMAGE, O_RDONLY | O_CLOEXEC);
	pid_t pid = restart(fd);

	close(fd);
	return pid;
}

/* By the same process, and first, when the pages are not yet mapped by anybody. */
static int take_reads(struct row *row, pid_t pid, uint64_t first)
{
	struct target_state state;

	if (target_do(pid, TARGET_MAP, IMAGE) || target_read(pid, &state))
		return -1;
	samples_add(&row->map, state.took);
	if (target_do(pid, TARGET_READ, NULL) || target_read(pid, &state))
		return -1;
	samples_add(&row->all, first + state.took);
	return 0;
}

static int take_first(struct row *row)
{
	uint64_t start = now_ns(), resumed;
	pid_t pid = restart_from_file();
	int ret = -1;

	if (pid < 0)
		return -1;
	if (!target_wait_resumed(pid, start, &resumed)) {
		samples_add(&row->first, resumed - start);
		ret = take_reads(row, pid, resumed - start);
	}
	target_kill(pid);
	return ret;
}

static int take_pipe(struct row *row)
{
	uint64_t start = now_ns(), resumed;
	pid_t feeder, pid;
	int fd, ret = -1;

	fd = feed(&feeder);
	pid = restart(fd);
	close(fd);
	if (pid > 0 && !target_wait_resumed(pid, start, &resumed)) {
		samples_add(&row->pipe, resumed - start);
		ret = 0;
	}
	if (pid > 0)
		target_kill(pid);
	reap(feeder);
	return ret;
}

/* To memory that was not there before, as is that of a process. */
static int take_bytes(struct row *row)
{
	size_t size = row->mib * TARGET_MIB;
	uint64_t start = now_ns();
	pid_t feeder;
	ssize_t n;
	char *p;
	int fd;

	fd = feed(&feeder);
	p = mmap(NULL, size + CHUNK, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return -1;
	for (size_t at = 0; (n = read(fd, p + at, CHUNK)) > 0;)
		if (at + n < size)
			at += n;
	samples_add(&row->bytes, now_ns() - start);
	munmap(p, size + CHUNK);
	close(fd);
	return reap(feeder) || n < 0 ? -1 : 0;
}

/* What a process has for itself alone: pages and page tables. */
static double memory_of(pid_t pid)
{
	double sum = 0, kib;
	char line[128];
	FILE *in;

	snprintf(line, sizeof(line), "/proc/%d/status", pid);
	in = fopen(line, "re");
	while (in && fgets(line, sizeof(line), in))
		if (sscanf(line, "RssAnon: %lf", &kib) == 1 ||
		    sscanf(line, "VmPTE: %lf", &kib) == 1)
			sum += kib;
	if (in)
		fclose(in);
	return sum * 1024;
}

static int take_many(struct row *row)
{
	double sum = tool_ckpt.size(), size = sum;
	uint64_t start, resumed;
	pid_t pids[MANY];
	int nr, ret = 0;

	for (nr = 0; nr < MANY && !ret; nr++) {
		start = now_ns();
		pids[nr] = restart_from_file();
		ret = pids[nr] < 0 ||
		      target_wait_resumed(pids[nr], start, &resumed) ||
		      target_do(pids[nr], TARGET_TOUCH_SOME, NULL);
	}
	for (int i = 0; i < nr && !ret; i++)
		sum += memory_of(pids[i]);
	if (!ret)
		samples_add(&row->many, sum / size);
	while (nr--)
		if (pids[nr] > 0)
			target_kill(pids[nr]);
	return ret;
}

static int take_image(struct row *row)
{
	pid_t pid = target_start(row->mib, 0);
	uint64_t took;

	if (pid < 0)
		return -1;
	if (tool_ckpt.checkpoint(pid, true, &took)) {
		target_kill(pid);
		return -1;
	}
	target_reap(pid);
	return 0;
}

static int take_criu(struct row *row)
{
	pid_t pid = target_start(row->mib, 0);
	uint64_t start, resumed, took;

	if (pid < 0 || tool_criu.checkpoint(pid, true, &took))
		return -1;
	target_reap(pid);
	start = now_ns();
	if (tool_criu.restart(&took) || target_wait_resumed(pid, start, &resumed))
		return -1;
	samples_add(&row->criu, resumed - start);
	target_kill(pid);
	return 0;
}

static int take_row(struct row *row, unsigned int rounds)
{
	int ret = take_image(row);

	for (unsigned int i = 0; i < rounds && !ret; i++)
		ret = take_first(row) || take_pipe(row) || take_bytes(row);
	ret = ret || take_many(row);
	tool_clean();
	if (!ret && tool_criu_present())
		ret = take_criu(row);
	tool_clean();
	return ret;
}

static void show(const struct row *rows, unsigned int nr)
{
	static const char *const heads[] = {
		"rstr", "read all", "mapping", "/ mapping", "pipe", "read()",
		"/ read()", "10 of it", "criu"
	};
	bool criu = tool_criu_present();

	printf("\nrstr from a file and through a pipe\n%6s", "MiB");
	for (unsigned int i = 0; i < 8u + criu; i++)
		cell_head(heads[i]);
	cell_end();
	for (; nr--; rows++) {
		double map = samples_median(&rows->map);
		double bytes = samples_median(&rows->bytes);

		printf("%6lu", rows->mib);
		cell_ms(samples_median(&rows->first));
		cell_ms(samples_median(&rows->all));
		cell_ms(map);
		cell_ratio(samples_median(&rows->all) / map);
		cell_ms(samples_median(&rows->pipe));
		cell_ms(bytes);
		cell_ratio(samples_median(&rows->pipe) / bytes);
		cell_ratio(samples_median(&rows->many));
		if (criu)
			cell_ms(samples_median(&rows->criu));
		cell_end();
	}
}

static void judge(const char *what, double is, double target)
{
	if (!isnan(is))
		printf("%-36s at most %.2f x: %.2f x, %s\n", what, target, is,
		       is <= target ? "met" : "MISSED");
}

/* By the largest, beside the smallest. */
static void show_targets(const struct row *rows, unsigned int nr)
{
	const struct row *last = &rows[nr - 1];
	double first = samples_median(&last->first);

	printf("\ntargets\n");
	if (nr > 1)
		judge("rstr, most memory over least", first /
		      samples_median(&rows[0].first), FIRST_TARGET);
	judge("rstr and reading all, over a mapping",
	      samples_median(&last->all) / samples_median(&last->map),
	      READ_TARGET);
	judge("rstr from a pipe, over read()", samples_median(&last->pipe) /
	      samples_median(&last->bytes), PIPE_TARGET);
	judge("memory of ten, over the image", samples_median(&last->many),
	      MANY_TARGET);
	judge("rstr over criu", first / samples_median(&last->criu),
	      CRIU_TARGET);
}

int main(int argc, char **argv)
{
	static struct row rows[SIZES_MAX];
	unsigned int nr = 0, rounds = 5;
	int c;

	while ((c = getopt(argc, argv, "r:")) != -1) {
		if (c != 'r')
			return 2;
		rounds = strtoul(optarg, NULL, 0);
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (tool_place())
		return 1;
	for (; optind < argc && nr < SIZES_MAX; optind++, nr++) {
		rows[nr].mib = strtoul(argv[optind], NULL, 0);
		fprintf(stderr, "restart: %lu MiB, %u rounds\n", rows[nr].mib,
			rounds);
		if (take_row(&rows[nr], rounds)) {
			warnx("%lu MiB: given up", rows[nr].mib);
			failed = true;
		}
	}
	if (!nr)
		return 2;
	show(rows, nr);
	show_targets(rows, nr);
	return failed;
}
