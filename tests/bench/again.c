// SPDX-License-Identifier: GPL-2.0-only
/*
 * again [-r ROUNDS] MIB... - what a second checkpoint costs
 *
 * Of a process that has written to one page of a hundred since the first one, which
 * was told to keep track. Shown are medians, and ratios of medians. Status 1: a
 * figure could not be taken.
 */
#include <err.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "process.h"
#include "table.h"
#include "tool.h"

/* What the ratios are to be at most. */
#define AGAIN_TARGET	0.02

#define ROUNDS		5

/**
 * struct figures - of one amount of memory
 * @first: the first checkpoint, from the start of the program to its end
 * @second: the second
 * @first_size: bytes of the image of that
 * @second_size: likewise
 */
struct figures {
	struct samples	first;
	struct samples	second;
	struct samples	first_size;
	struct samples	second_size;
};

static double worst_time, worst_size;
static bool failed;

static int take_round(struct figures *figures, pid_t pid)
{
	uint64_t took;

	if (target_do(pid, TARGET_TOUCH, NULL) || tool_track(pid, false, &took))
		return -1;
	samples_add(&figures->first, took);
	if (target_do(pid, TARGET_TOUCH_SOME, NULL) ||
	    tool_track(pid, true, &took))
		return -1;
	samples_add(&figures->second, took);
	samples_add(&figures->first_size, tool_track_size(false));
	samples_add(&figures->second_size, tool_track_size(true));
	tool_clean();
	return 0;
}

static int take_rounds(struct figures *figures, unsigned long mib,
		       unsigned int rounds)
{
	pid_t pid = target_start(mib, 1);
	int ret = pid < 0;

	fprintf(stderr, "again: %lu MiB, %u rounds\n", mib, rounds);
	for (unsigned int i = 0; i < rounds && !ret; i++)
		ret = take_round(figures, pid);
	if (pid > 0)
		target_kill(pid);
	return ret;
}

static void show(const struct figures *figures, unsigned long mib)
{
	double first = samples_median(&figures->first);
	double second = samples_median(&figures->second);
	double size = samples_median(&figures->second_size) /
		      samples_median(&figures->first_size);

	printf("%6lu", mib);
	cell_ms(first);
	cell_ms(second);
	printf(" %9.4f %9.4f", second / first, size);
	cell_end();
	worst_time = fmax(worst_time, second / first);
	worst_size = fmax(worst_size, size);
}

static void judge(const char *what, double worst)
{
	printf("%-22s at most %.3f x: %.4f x, %s\n", what, AGAIN_TARGET, worst,
	       worst <= AGAIN_TARGET ? "met" : "MISSED");
}

int main(int argc, char **argv)
{
	unsigned int rounds = ROUNDS;
	int c;

	while ((c = getopt(argc, argv, "r:")) != -1) {
		if (c != 'r')
			return 2;
		rounds = strtoul(optarg, NULL, 0);
	}
	if (tool_place())
		return 1;
	printf("\nsecond checkpoint, with one page of a hundred changed\n%6s", "MiB");
	cell_head("first");
	cell_head("second");
	cell_head("/ first");
	cell_head("size");
	cell_end();
	for (; optind < argc; optind++) {
		unsigned long mib = strtoul(argv[optind], NULL, 0);
		struct figures figures = {};

		failed |= !!take_rounds(&figures, mib, rounds);
		tool_clean();
		show(&figures, mib);
	}
	printf("\ntargets, by the worst row\n");
	judge("time of the second", worst_time);
	judge("size of the second", worst_size);
	return failed;
}
