/* SPDX-License-Identifier: GPL-2.0-only */
/* What shows that open files or tasks get lost, by the hundred. */
#ifndef CKPT_LEAK_H
#define CKPT_LEAK_H

#include <stdbool.h>

/**
 * struct ckpt_leak - how many there were, of the whole machine
 * @files: open files
 * @tasks: tasks, zombies included
 */
struct ckpt_leak {
	long	files;
	long	tasks;
};

void ckpt_leak_note(struct ckpt_leak *leak);

/* Whether there are no more of them now, but for what the counters are off by. */
bool ckpt_leak_none(const struct ckpt_leak *before);

#endif /* CKPT_LEAK_H */
