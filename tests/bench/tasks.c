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
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sleepers.h"
#include "table.h"
#include "tool.h"

#define TASKS_STACK	16384
#define NUMBERS_MAX	16

/* What makes one. */
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
	unsigned int		nr;
	struct sleepers_cost	cost;
};

static void make_tasks(const void *what, unsigned int nr)
{
	const struct form *form = what;
	bool shared = form->flags & CLONE_VM;
	char *stack = mmap(NULL, (size_t)TASKS_STACK * nr, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (stack == MAP_FAILED)
		_exit(1);
	for (unsigned int i = 0; i < nr; i++) {
		/* A copy of this memory may use the one stack. */
		char *top = stack + TASKS_STACK * (shared ? i + 1 : 1);

		if (clone(sleepers_sleep, top, form->flags, NULL) < 0)
			_exit(1);
	}
}

static int take_round(const struct form *form, struct row *row)
{
	if (sleepers_take(make_tasks, form, row->nr, row->nr, &row->cost))
		return -1;
	return tool_criu_present() ?
	       sleepers_take_criu(make_tasks, form, row->nr, row->nr, &row->cost) : 0;
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

/* Of one, of the medians. */
static double of_one(const struct row *row, const struct samples *samples)
{
	return samples_median(samples) / row->nr;
}

static void show_row(const struct row *row, const struct row *first)
{
	double ckpt = of_one(row, &row->cost.ckpt);
	double rstr = of_one(row, &row->cost.rstr);
	double dump = of_one(row, &row->cost.dump);
	double restore = of_one(row, &row->cost.restore);

	printf("%6u", row->nr);
	cell_us(of_one(row, &row->cost.make));
	cell_us(ckpt);
	cell_ratio(ckpt / of_one(first, &first->cost.ckpt));
	cell_us(rstr);
	cell_ratio(rstr / of_one(first, &first->cost.rstr));
	cell_us(dump);
	cell_ratio(dump / ckpt);
	cell_us(restore);
	cell_ratio(restore / rstr);
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
	if (sleepers_begin())
		err(1, "tasks");
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		ret |= measure(&forms[i], numbers, nr, rounds);
	return ret;
}
