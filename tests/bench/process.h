/* SPDX-License-Identifier: GPL-2.0-only */
/* Targets, as the process that measures them handles them. */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include <sys/types.h>

#include "target.h"

/* Start one and wait until its memory is there. Returns its pid, or -1. */
pid_t target_start(unsigned long mib, int idle);

/* What it tells of itself; all these return 0, or -1 and have said why. */
int target_read(pid_t pid, struct target_state *state);

/* Have it obey, and wait for that. */
int target_do(pid_t pid, enum target_command command, const char *path);

/* Wait until it runs again, after @since, when it did not run; tell since when. */
int target_wait_resumed(pid_t pid, uint64_t since, uint64_t *when);

/* Bytes of its memory that are in RAM and its own. */
long long target_resident(pid_t pid);

/* Wait for its end, after a SIGKILL of ours or somebody else's. */
void target_kill(pid_t pid);
void target_reap(pid_t pid);

#endif /* BENCH_PROCESS_H */
