// SPDX-License-Identifier: GPL-2.0-only
/*
 * pages [-r ROUNDS] MIB... - what checksums and compression of pages cost
 *
 * Of a process whose memory is like text: the time of a live checkpoint from the start
 * of the program to its end, the size of the image, and the time of a restart, until the
 * process looks at the clock again. Each beside that of a plain image. Shown are
 * medians, and ratios of medians. Status 1: a figure could not be taken.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "process.h"
#include "table.h"
#include "tool.h"

#define ROUNDS		5

/**
 * struct row - of one way to write pages
 * @name: of it
 * @option: of ckpt, or NULL
 * @ckpt: how long a checkpoint takes
 * @rstr: and a restart
 * @size: bytes of the image
 */
struct row {
	const char	*name;
	const char	*option;
	struct samples	ckpt;
	struct samples	rstr;
	struct samples	size;
};

static bool failed;

/* It is killed in between, so that its pid can be had again. */
static int take(struct row *row, pid_t *pid)
{
	uint64_t took, start, resumed;

	if (target_do(*pid, TARGET_TOUCH, NULL) ||
	    tool_pages(*pid, row->option, &took))
		return -1;
	samples_add(&row->ckpt, took);
	samples_add(&row->size, tool_ckpt.size());
	target_kill(*pid);
	start = now_ns();
	*pid = tool_restart();
	if (*pid < 0 || target_wait_resumed(*pid, start, &resumed))
		return -1;
	samples_add(&row->rstr, resumed - start);
	return 0;
}

/* In turn, so that none has a better time than the others. */
static int take_rounds(struct row *rows, size_t nr, unsigned long mib,
		       unsigned int rounds)
{
	int ret = 0;

	fprintf(stderr, "pages: %lu MiB, %u rounds\n", mib, rounds);
	for (unsigned int i = 0; i < rounds && !ret; i++) {
		for (size_t j = 0; j < nr && !ret; j++) {
			/* One that has no memory in an image yet. */
			pid_t pid = target_start(mib, 0);

			ret = pid < 0 || target_do(pid, TARGET_TEXT, NULL) ||
			      take(&rows[j], &pid);
			if (pid > 0)
				target_kill(pid);
			tool_clean();
		}
	}
	return ret;
}

static void show(const struct row *row, const struct row *plain)
{
	double ckpt = samples_median(&row->ckpt);
	double rstr = samples_median(&row->rstr);
	double size = samples_median(&row->size);

	printf("%-16s", row->name);
	cell_ms(ckpt);
	cell_ratio(ckpt / samples_median(&plain->ckpt));
	cell_mib(size);
	printf(" %9.4f", size / samples_median(&plain->size));
	cell_ms(rstr);
	cell_ratio(rstr / samples_median(&plain->rstr));
	cell_end();
}

static void take_table(unsigned long mib, unsigned int rounds)
{
	struct row rows[] = {
		{ .name = "plain" },
		{ .name = "--checksum", .option = "--checksum" },
		{ .name = "--compress=lz4", .option = "--compress=lz4" },
		{ .name = "--compress=zstd", .option = "--compress=zstd" },
	};
	size_t nr = sizeof(rows) / sizeof(rows[0]);

	failed |= !!take_rounds(rows, nr, mib, rounds);
	printf("\nways to write pages, %lu MiB like text\n%-16s", mib, "");
	cell_head("ckpt");
	cell_head("/ plain");
	cell_head("size");
	cell_head("/ plain");
	cell_head("rstr");
	cell_head("/ plain");
	cell_end();
	for (size_t i = 0; i < nr; i++)
		show(&rows[i], &rows[0]);
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
	/* What rstr leaves is ours. */
	if (tool_place() || prctl(PR_SET_CHILD_SUBREAPER, 1))
		return 1;
	for (; optind < argc; optind++)
		take_table(strtoul(argv[optind], NULL, 0), rounds);
	return failed;
}
