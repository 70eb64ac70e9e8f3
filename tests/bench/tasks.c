// SPDX-License-Identifier: GPL-2.0-only
/*
 * tasks [-r ROUNDS] NUMBER... - what a checkpoint and a restart cost a task
 *
 * A small process with so many children, and one with so many threads, all of
 * which sleep: what fork() or clone() of them took, what a live checkpoint to a
 * file on tmpfs does and a restart with other pids, by system call, a task. The
 * ratios are to the first NUMBER. CRIU in the environment names a criu that is
 * measured beside, its program's start included. Status 1: a figure could not be
 * taken.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../include/uapi/linux/checkpoint.h"
#include "table.h"
#include "target.h"
#include "tool.h"

#define TASKS_IMAGE	TOOL_PLACE "/tasks"
#define TASKS_STACK	16384
#define TASKS_BOARD	0x100000000000UL
#define NUMBERS_MAX	16

/**
 * struct board - a page that all of the tree share; the measuring process, which
 *	is not to have a part in it, reads it through /proc/PID/mem
 * @ready: how many tasks sleep
 * @took: how long it took to make them
 */
struct board {
	volatile unsigned int	ready;
	volatile uint64_t	took;
};

static struct board *const board = (struct board *)TASKS_BOARD;

/* What makes one, and how many there are. */
struct form {
	const char	*name;
	const char	*call;
	unsigned long	flags;
};

static const struct form forms[] = {
	{ "processes", "fork()", SIGCHLD },
	{ "threads", "clone()", CLONE_VM | CLONE_FS | CLONE_FILES |
		CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM },
};

struct row {
	unsigned int	nr;
	struct samples	make;
	struct samples	ckpt;
	struct samples	rstr;
	struct samples	dump;
	struct samples	restore;
};

static int sleep_on(void *arg)
{
	(void)arg;
	__atomic_fetch_add(&board->ready, 1, __ATOMIC_SEQ_CST);
	for (;;)
		syscall(SYS_pause);
	return 0;
}

static void make_board(void)
{
	if (mmap(board, sizeof(*board), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != board)
		_exit(1);
}

static unsigned int read_board(pid_t pid, struct board *copy)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, copy, sizeof(*copy), TASKS_BOARD) !=
		      sizeof(*copy))
		copy->ready = 0;
	close(fd);
	return copy->ready;
}

static void make_tasks(const struct form *form, unsigned int nr)
{
	bool shared = form->flags & CLONE_VM;
	char *stack = mmap(NULL, (size_t)TASKS_STACK * nr, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t start = now_ns();

	if (stack == MAP_FAILED)
		_exit(1);
	for (unsigned int i = 0; i < nr; i++) {
		/* A copy of this memory may use the one stack. */
		char *top = stack + TASKS_STACK * (shared ? i + 1 : 1);

		if (clone(sleep_on, top, form->flags, NULL) < 0)
			_exit(1);
	}
	board->took = now_ns() - start;
}

/* Nothing is open and nobody is near that the image would have to speak of. */
static pid_t start_tree(const struct form *form, unsigned int nr,
			struct board *copy)
{
	pid_t pid;

	pid = fork();
	if (!pid) {
		int null = open("/dev/null", O_RDWR);

		setsid();
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		syscall(SYS_close_range, 3, ~0U, 0);
		make_board();
		make_tasks(form, nr);
		for (;;)
			syscall(SYS_pause);
	}
	for (int i = 0; pid > 0 && read_board(pid, copy) < nr; i++) {
		if (i > 60000 || waitpid(pid, NULL, WNOHANG)) {
			warnx("%u %s can't be made", nr, form->name);
			return -1;
		}
		usleep(1000);
	}
	return pid;
}

/* Children of one who is killed are ours. */
static void end_tree(pid_t pid)
{
	char path[64], text[16];
	FILE *children;
	int child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	children = fopen(path, "re");
	while (children && fscanf(children, "%15s", text) == 1) {
		child = atoi(text);
		kill(child, SIGKILL);
	}
	if (children)
		fclose(children);
	kill(pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static long timed(long nr, pid_t pid, int fd, unsigned int flags, double *took)
{
	uint64_t start = now_ns();
	long ret;

	flags |= nr == __NR_restart ? RESTART_LOGFD : CHECKPOINT_LOGFD;
	ret = syscall(nr, pid, fd, flags, 2);

	*took = now_ns() - start;
	return ret;
}

static int take_ours(struct row *row, pid_t pid)
{
	int fd = open(TASKS_IMAGE, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
	double took;
	long ret;

	ret = fd < 0 ? -1 : timed(__NR_checkpoint, pid, fd, 0, &took);
	if (ret > 0) {
		samples_add(&row->ckpt, took / row->nr);
		end_tree(pid);
		lseek(fd, 0, SEEK_SET);
		ret = timed(__NR_restart, 0, fd, RESTART_NEW_PIDS, &took);
	}
	close(fd);
	unlink(TASKS_IMAGE);
	if (ret < 0) {
		end_tree(pid);
		return -1;
	}
	samples_add(&row->rstr, took / row->nr);
	end_tree(ret);
	return 0;
}

static int take_criu(const struct form *form, struct row *row)
{
	struct board copy;
	pid_t pid = start_tree(form, row->nr, &copy);
	uint64_t took;
	int ret;

	if (pid < 0)
		return -1;
	ret = tool_criu.checkpoint(pid, true, &took);
	end_tree(pid);
	if (!ret) {
		samples_add(&row->dump, (double)took / row->nr);
		ret = tool_criu.restart(&took);
	}
	if (!ret) {
		samples_add(&row->restore, (double)took / row->nr);
		end_tree(pid);
	}
	tool_clean();
	return ret;
}

static int take_round(const struct form *form, struct row *row)
{
	struct board copy;
	pid_t pid = start_tree(form, row->nr, &copy);

	if (pid < 0)
		return -1;
	samples_add(&row->make, (double)copy.took / row->nr);
	if (take_ours(row, pid))
		return -1;
	return tool_criu_present() ? take_criu(form, row) : 0;
}

static void show_head(const struct form *form)
{
	printf("\none of so many %s, in microseconds\n%6s", form->name, "number");
	cell_head(form->call);
	cell_head("ckpt");
	cell_head("/ first");
	cell_head("rstr");
	cell_head("/ first");
	cell_head("criu dump");
	cell_head("/ ckpt");
	cell_head("restore");
	cell_head("/ rstr");
	cell_end();
}

static void show_row(const struct row *row, const struct row *first)
{
	double ckpt = samples_median(&row->ckpt);
	double rstr = samples_median(&row->rstr);

	printf("%6u", row->nr);
	cell_us(samples_median(&row->make));
	cell_us(ckpt);
	cell_ratio(ckpt / samples_median(&first->ckpt));
	cell_us(rstr);
	cell_ratio(rstr / samples_median(&first->rstr));
	cell_us(samples_median(&row->dump));
	cell_ratio(samples_median(&row->dump) / ckpt);
	cell_us(samples_median(&row->restore));
	cell_ratio(samples_median(&row->restore) / rstr);
	cell_end();
}

static int measure(const struct form *form, const unsigned int *numbers,
		   int nr, unsigned int rounds)
{
	static struct row rows[NUMBERS_MAX];

	memset(rows, 0, sizeof(rows));
	show_head(form);
	for (int i = 0; i < nr; i++) {
		rows[i].nr = numbers[i];
		/* The first one finds out what is in no cache. */
		for (unsigned int round = 0; round <= rounds; round++) {
			if (take_round(form, &rows[i]))
				return 1;
			if (!round)
				rows[i] = (struct row){ .nr = numbers[i] };
		}
		show_row(&rows[i], &rows[0]);
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int numbers[NUMBERS_MAX], rounds = 5;
	int opt, nr = 0, ret = 0;

	while ((opt = getopt(argc, argv, "r:")) > 0) {
		if (opt != 'r')
			errx(2, "usage: tasks [-r ROUNDS] NUMBER...");
		rounds = atoi(optarg);
	}
	for (; optind < argc && nr < NUMBERS_MAX; optind++)
		numbers[nr++] = atoi(argv[optind]);
	if (!nr || !rounds || rounds > SAMPLES_MAX)
		errx(2, "usage: tasks [-r ROUNDS] NUMBER...");
	if (tool_place() || prctl(PR_SET_CHILD_SUBREAPER, 1))
		err(1, "tasks");
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		ret |= measure(&forms[i], numbers, nr, rounds);
	return ret;
}
