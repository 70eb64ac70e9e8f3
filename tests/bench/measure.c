// SPDX-License-Identifier: GPL-2.0-only
/*
 * measure [-r ROUNDS] MIB... - what a checkpoint and a restart cost
 *
 * For each amount of memory a few rounds, in which what is compared alternates
 * where it can, so that whatever else the machine does meets it alike. Shown are
 * medians, and ratios of medians. CRIU in the environment names a criu that is
 * measured beside. Status 1: a figure could not be taken.
 */
#include <err.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "process.h"
#include "table.h"
#include "tool.h"

#define PLAIN		TOOL_PLACE "/plain"
#define SIZES_MAX	16

/* What the ratios are to be at most. */
#define STALL_TARGET	3.0
#define WRITE_TARGET	2.0

/**
 * struct figures - of one checkpointer, with so much memory
 * @stall: the longest time that the process did not run in a live checkpoint
 * @live: that checkpoint, from the start of the program to its end
 * @checkpoint: the same, but that the process was killed, and used no time
 * @restart: from the start of the program until the process runs
 * @size: image over resident size
 */
struct figures {
	struct samples	stall;
	struct samples	live;
	struct samples	checkpoint;
	struct samples	restart;
	struct samples	size;
};

/**
 * struct row - all about one amount of memory
 * @mib: how much
 * @calm: the longest stall without a checkpoint, for as long as one takes
 * @fork: fork() by the process
 * @write: write() of as much to a file, by a process that has it in memory
 * @ckpt: ours
 * @criu: the other's
 */
struct row {
	unsigned long	mib;
	struct samples	calm;
	struct samples	fork;
	struct samples	write;
	struct figures	ckpt;
	struct figures	criu;
};

static bool failed;

static int take_fork(struct row *row, pid_t pid)
{
	struct target_state state;

	if (target_do(pid, TARGET_TOUCH, NULL) ||
	    target_do(pid, TARGET_FORK, NULL) || target_read(pid, &state))
		return -1;
	samples_add(&row->fork, state.took);
	return 0;
}

static int take_write(struct row *row, pid_t pid)
{
	struct target_state state;
	int ret;

	unlink(PLAIN);
	ret = target_do(pid, TARGET_WRITE, PLAIN) || target_read(pid, &state);
	unlink(PLAIN);
	if (ret)
		return -1;
	samples_add(&row->write, state.took);
	return 0;
}

static int take_calm(struct row *row, pid_t pid, uint64_t window)
{
	struct target_state state;

	if (target_do(pid, TARGET_RESET, NULL))
		return -1;
	usleep(window / 1000);
	if (target_read(pid, &state))
		return -1;
	samples_add(&row->calm, state.longest);
	return 0;
}

static int take_live(struct figures *figures, const struct tool *tool,
		     pid_t pid, uint64_t *took)
{
	struct target_state state;

	if (target_do(pid, TARGET_TOUCH, NULL) ||
	    target_do(pid, TARGET_RESET, NULL) ||
	    tool->checkpoint(pid, false, took) || target_read(pid, &state))
		return -1;
	samples_add(&figures->stall, state.longest);
	samples_add(&figures->live, *took);
	samples_add(&figures->size,
		    (double)tool->size() / target_resident(pid));
	tool_clean();
	return 0;
}

static int take_round(struct row *row, pid_t pid)
{
	uint64_t took;

	if (take_fork(row, pid) ||
	    take_live(&row->ckpt, &tool_ckpt, pid, &took) ||
	    take_calm(row, pid, took))
		return -1;
	if (tool_criu_present())
		return take_live(&row->criu, &tool_criu, pid, &took);
	return 0;
}

static int take_rounds(struct row *row, unsigned int rounds)
{
	pid_t pid = target_start(row->mib, 0);
	int ret = pid < 0;

	for (unsigned int i = 0; i < rounds && !ret; i++)
		ret = take_round(row, pid);
	if (pid > 0)
		target_kill(pid);
	return ret;
}

/* Whoever restarts it, it is the same process, and ours to reap. */
static int take_restart(struct figures *figures, const struct tool *tool,
			pid_t pid)
{
	uint64_t start, resumed, took;

	if (tool->checkpoint(pid, true, &took))
		return -1;
	samples_add(&figures->checkpoint, took);
	target_reap(pid);
	start = now_ns();
	if (tool->restart(&took) || target_wait_resumed(pid, start, &resumed))
		return -1;
	samples_add(&figures->restart, resumed - start);
	tool_clean();
	return 0;
}

/* In a process of their own: a checkpointer need not take what another restarted. */
static int take_restarts(struct figures *figures, const struct tool *tool,
			 unsigned long mib, unsigned int rounds)
{
	pid_t pid = target_start(mib, 0);
	int ret = pid < 0;

	for (unsigned int i = 0; i < rounds && !ret; i++)
		ret = take_restart(figures, tool, pid);
	if (pid > 0)
		target_kill(pid);
	return ret;
}

static int take_writes(struct row *row, unsigned int rounds)
{
	pid_t pid = target_start(row->mib, 1);
	int ret = pid < 0;

	for (unsigned int i = 0; i < rounds && !ret; i++)
		ret = take_write(row, pid);
	if (pid > 0)
		target_kill(pid);
	return ret;
}

/* The larger, the longer it takes, and the less other things disturb it. */
static unsigned int rounds_for(unsigned long mib)
{
	return mib < 16 ? 11 : mib < 128 ? 7 : mib < 512 ? 5 : 3;
}

static int take_row(struct row *row, unsigned int rounds)
{
	fprintf(stderr, "measure: %lu MiB, %u rounds\n", row->mib, rounds);
	if (take_rounds(row, rounds) || take_writes(row, rounds) ||
	    take_restarts(&row->ckpt, &tool_ckpt, row->mib, rounds))
		return -1;
	if (!tool_criu_present())
		return 0;
	return take_restarts(&row->criu, &tool_criu, row->mib, rounds);
}

static void measure(struct row *row, unsigned int rounds)
{
	if (take_row(row, rounds)) {
		warnx("%lu MiB: given up", row->mib);
		failed = true;
	}
	tool_clean();
}

static void head(const char *title, const char *const *columns)
{
	printf("\n%s\n%6s", title, "MiB");
	for (; *columns; columns++)
		cell_head(*columns);
	cell_end();
}

/* A figure beside what it is compared with. */
static void cell_beside(const struct samples *figure, double other)
{
	double median = samples_median(figure);

	cell_ms(median);
	cell_ratio(median / other);
}

/*
 * A stall can only come out longer than it is, by what else the machine does: the
 * rounds that were disturbed least say most where it is busy.
 */
static double least_stall(const struct row *row)
{
	return samples_least(&row->ckpt.stall) / samples_least(&row->fork);
}

static void show_stall(const struct row *row, bool criu)
{
	double fork = samples_median(&row->fork);

	printf("%6lu", row->mib);
	cell_ms(samples_median(&row->calm));
	cell_ms(fork);
	cell_beside(&row->ckpt.stall, fork);
	cell_ratio(least_stall(row));
	if (criu)
		cell_beside(&row->criu.stall, fork);
	cell_end();
}

static void show_write(const struct row *row, bool criu)
{
	double write = samples_median(&row->write);

	printf("%6lu", row->mib);
	cell_ms(write);
	cell_ms(samples_median(&row->ckpt.live));
	cell_beside(&row->ckpt.checkpoint, write);
	if (criu)
		cell_beside(&row->criu.checkpoint, write);
	cell_end();
}

static void show_restart(const struct row *row, bool criu)
{
	double ckpt = samples_median(&row->ckpt.restart);

	printf("%6lu", row->mib);
	cell_ms(ckpt);
	if (criu)
		cell_beside(&row->criu.restart, ckpt);
	cell_end();
}

static void show_size(const struct row *row, bool criu)
{
	printf("%6lu", row->mib);
	cell_ratio(samples_median(&row->ckpt.size));
	if (criu)
		cell_ratio(samples_median(&row->criu.size));
	cell_end();
}

/**
 * struct table - one of those that are shown
 * @title: above it
 * @columns: names; those from @nr_ours on are there with CRIU only
 * @nr_ours: see there
 * @show: a row of it
 */
static const struct table {
	const char	*title;
	const char	*columns[8];
	unsigned int	nr_ours;
	void		(*show)(const struct row *row, bool criu);
} tables[] = {
	{
		"longest stall that the process sees in a live checkpoint",
		{ "no ckpt", "fork()", "ckpt", "/ fork()", "least", "criu",
		  "/ fork()" }, 5, show_stall
	}, {
		"ckpt to a file on tmpfs, start to end of the program",
		{ "write()", "ckpt", "ckpt -k", "/ write()", "criu",
		  "/ write()" }, 4, show_write
	}, {
		"rstr from there, start of the program until the process runs",
		{ "rstr", "criu", "/ rstr" }, 1, show_restart
	}, {
		"image over resident memory",
		{ "ckpt", "criu" }, 1, show_size
	},
};

static void show(const struct row *rows, unsigned int nr)
{
	bool criu = tool_criu_present();

	for (size_t t = 0; t < sizeof(tables) / sizeof(*tables); t++) {
		const char *columns[8] = {};

		for (unsigned int i = 0; i < 8; i++)
			if (criu || i < tables[t].nr_ours)
				columns[i] = tables[t].columns[i];
		head(tables[t].title, columns);
		for (unsigned int i = 0; i < nr; i++)
			tables[t].show(&rows[i], criu);
	}
}

static void judge(const char *what, double worst, double target)
{
	if (!isnan(worst))
		printf("%-22s at most %.2f x: %.2f x, %s\n", what, target,
		       worst, worst <= target ? "met" : "MISSED");
}

/*
 * Where the process sees gaps as long as fork() with nothing done to it at all,
 * the machine is too busy for the stall to say anything.
 */
static bool disturbed(const struct row *row)
{
	return samples_median(&row->calm) > samples_median(&row->fork);
}

/* fmax() passes over what is missing; that is a failure by itself. */
static void show_targets(const struct row *rows, unsigned int nr)
{
	double stall = NAN, write = NAN;

	printf("\ntargets, by the worst row\n");
	for (unsigned int i = 0; i < nr; i++) {
		const struct figures *ckpt = &rows[i].ckpt;

		write = fmax(write, samples_median(&ckpt->checkpoint) /
				    samples_median(&rows[i].write));
		if (disturbed(&rows[i]))
			printf("%lu MiB: too much else going on to judge the stall\n",
			       rows[i].mib);
		else
			stall = fmax(stall, samples_median(&ckpt->stall) /
					    samples_median(&rows[i].fork));
	}
	judge("the stall over fork()", stall, STALL_TARGET);
	judge("ckpt -k over write()", write, WRITE_TARGET);
}

int main(int argc, char **argv)
{
	static struct row rows[SIZES_MAX];
	unsigned int nr = 0, rounds = 0;
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
		measure(&rows[nr], rounds ?: rounds_for(rows[nr].mib));
	}
	show(rows, nr);
	show_targets(rows, nr);
	return failed || !nr;
}
