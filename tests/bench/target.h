/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The process that is measured, as it and the measuring process see it.
 *
 * They speak through a struct at a fixed address of the target, which the
 * other one reads and writes through /proc/PID/mem: that disturbs no figure,
 * and leaves the target without anything but memory, whoever restarts it.
 */
#ifndef BENCH_TARGET_H
#define BENCH_TARGET_H

#include <stdint.h>
#include <time.h>

#define TARGET_STATE	0x100000000000UL
#define TARGET_MEMORY	0x200000000000UL
#define TARGET_PAGE	4096UL
#define TARGET_MIB	(1024UL * 1024)
#define TARGET_PAUSE	1000000
#define TARGET_PAUSES	64

/**
 * enum target_command - what the target can be told to do
 * @TARGET_NONE: it did what it was told, and spins on the clock
 * @TARGET_RESET: forget the gaps
 * @TARGET_TOUCH: write to every page, so that none is shared or protected
 * @TARGET_FORK: fork()
 * @TARGET_WRITE: write all of the memory to the file @path
 * @TARGET_READ: read a word of every page
 * @TARGET_MAP: the same of the file @path, mapped for that and unmapped
 * @TARGET_TOUCH_SOME: write to one page of a hundred
 * @TARGET_TEXT: fill the memory with words, some frequent and most rare
 */
enum target_command {
	TARGET_NONE,
	TARGET_RESET,
	TARGET_TOUCH,
	TARGET_FORK,
	TARGET_WRITE,
	TARGET_READ,
	TARGET_MAP,
	TARGET_TOUCH_SOME,
	TARGET_TEXT,
};

/**
 * struct target_state - what the target tells of itself
 * @ready: its memory is there
 * @command: of the above, set from outside
 * @error: errno of the last command
 * @longest: the longest time between two looks at the clock
 * @nr_pauses: how many times between two looks were longer than TARGET_PAUSE
 * @pauses: when the last of them were over, in the order of @nr_pauses
 * @took: how long the last command took
 * @path: for TARGET_WRITE and TARGET_MAP
 *
 * Times are nanoseconds of CLOCK_REALTIME, which nobody sets here, and which no
 * restart hides from the restarted.
 */
struct target_state {
	uint32_t	ready;
	uint32_t	command;
	uint32_t	error;
	uint64_t	longest;
	uint64_t	nr_pauses;
	uint64_t	pauses[TARGET_PAUSES];
	uint64_t	took;
	char		path[128];
};

static inline uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

#endif /* BENCH_TARGET_H */
