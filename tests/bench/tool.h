/* SPDX-License-Identifier: GPL-2.0-only */
/* ckpt and rstr, and the same of CRIU, run and timed. */
#ifndef BENCH_TOOL_H
#define BENCH_TOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Where images and what is compared with them go: a tmpfs. */
#define TOOL_PLACE	"/tmp/bench"

/**
 * struct tool - a checkpointer, ours or another
 * @name: of it
 * @checkpoint: checkpoint a process, and kill it or not
 * @restart: restart it, and do not wait for its end
 * @size: of the image, in bytes; -1 if there is none
 *
 * The functions return 0, or -1 after something was said; they take the time
 * from before the program is started to its end.
 */
struct tool {
	const char	*name;
	int		(*checkpoint)(pid_t pid, bool kill, uint64_t *took);
	int		(*restart)(uint64_t *took);
	long long	(*size)(void);
};

extern const struct tool tool_ckpt;
extern const struct tool tool_criu;

/* Checkpoint with track being kept, or what changed since then; as the above. */
int tool_track(pid_t pid, bool again, uint64_t *took);
long long tool_track_size(bool again);

/* Checkpoint with an option more, NULL for none; and restart, with the pid of that. */
int tool_pages(pid_t pid, const char *option, uint64_t *took);
pid_t tool_restart(void);

/* Whether a CRIU was named that can be run. */
bool tool_criu_present(void);

/* Make the place for images, or remove what is in it. */
int tool_place(void);
void tool_clean(void);

#endif /* BENCH_TOOL_H */
