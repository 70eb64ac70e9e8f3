/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Targets, and what is done to them: see ckpt_test.h, which tests include.
 *
 * Functions of the test's side stand in the order in which they are called. They
 * print what goes wrong and return -1.
 */
#ifndef CKPT_TARGET_H
#define CKPT_TARGET_H

#include <errno.h>
#include <fcntl.h>
#include <linux/checkpoint.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/**
 * enum ckpt_mode - what happens to a target at its ckpt_point()
 * @CKPT_LIVE: it is checkpointed and runs on
 * @CKPT_KILLED: it is checkpointed, killed, and restarted under its old pid
 * @CKPT_SELF: it checkpoints itself, exits, and is restarted likewise
 * @CKPT_BECOME: as CKPT_KILLED, but that another process becomes it
 * @CKPT_NEVER: nothing, so that the test itself can be tested
 */
enum ckpt_mode {
	CKPT_LIVE,
	CKPT_KILLED,
	CKPT_SELF,
	CKPT_BECOME,
	CKPT_NEVER,
};

/* In the target. */

/**
 * ckpt_point() - be checkpointed, and restarted if the mode asks for it
 *
 * That is ckpt_ready() and ckpt_wait(); or, with CKPT_SELF, a call of
 * checkpoint(2).
 */
void ckpt_point(void);

/* Say that all is set up; from now on the checkpoint may come at any time. */
void ckpt_ready(void);

/* Whether the test said ckpt_go(). Disturbs nothing but one descriptor. */
bool ckpt_gone(void);

/* Wait for that. */
void ckpt_wait(void);

/* The status to exit with after a checkpoint of oneself. */
#define CKPT_TAKEN	77

/* As given to ckpt_start(). */
extern enum ckpt_mode ckpt_mode;

/* Report a failure and go on, or not. */
void ckpt_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void ckpt_skip(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));

#define CHECK(condition)						\
	((condition) ? true :						\
	 (ckpt_fail(__FILE__, __LINE__, "%s (errno %d)", #condition,	\
		    errno), false))

/* For integers and addresses: shows both. */
#define CHECK_EQ(is, ought)						\
	ckpt_check_eq(__FILE__, __LINE__, #is, (long long)(is),		\
		      (long long)(ought))

/* What can't fail unless there is no point in going on. */
#define NEED(condition)							\
	do {								\
		if (!CHECK(condition))					\
			_exit(KSFT_FAIL);				\
	} while (0)

bool ckpt_check_eq(const char *file, int line, const char *what, long long is,
		   long long ought);

/* In the test. */

/**
 * struct ckpt_target - a target, as the test sees it
 * @pid: of the process, which is a child; 0 if there is none now
 * @mode: what happens to it
 * @ret: what checkpoint(2) or restart(2) returned last, or -errno
 * @dir: its current directory, which goes with it
 * @log: what the kernel had to say, cut to size
 */
struct ckpt_target {
	pid_t		pid;
	enum ckpt_mode	mode;
	long		ret;
	char		dir[64];
	char		log[1024];
};

/* Start a target by its name; do not wait for it. */
int ckpt_start(struct ckpt_target *target, const char *name,
	       enum ckpt_mode mode);

/* Wait for its ckpt_ready(). Returns 1 if it ended before that. */
int ckpt_wait_ready(struct ckpt_target *target);

/* Wait until it sleeps in the system call of that number. */
int ckpt_wait_syscall(struct ckpt_target *target, long nr);

/* checkpoint(2) and restart(2) with a log; they return what these return, or
 * -errno, and report nothing: it may be what the test wants. ckpt_restart()
 * sets the pid.
 */
long ckpt_checkpoint(struct ckpt_target *target, unsigned int flags);
long ckpt_restart(struct ckpt_target *target, unsigned int flags);

/* The same, with the first argument of restart(2); does not set the pid. */
long ckpt_restart_as(struct ckpt_target *target, pid_t pid, unsigned int flags);

/* Become it, oneself; exits where that fails. */
void ckpt_turn_into(struct ckpt_target *target)
	__attribute__((noreturn));

/* Have a new child become it; sets the pid. */
int ckpt_become(struct ckpt_target *target);

/* Kill and reap it, if there still is one. */
void ckpt_kill(struct ckpt_target *target);

/* All of the above that the mode asks for. */
int ckpt_cycle(struct ckpt_target *target);

/* Let ckpt_wait() return. */
int ckpt_go(struct ckpt_target *target);

/* Reap it: 0, KSFT_SKIP, or another status; its report has been printed. */
int ckpt_end(struct ckpt_target *target);

/* Kill what is left and remove the files; for FIXTURE_TEARDOWN(). */
void ckpt_clean(struct ckpt_target *target);

/* All together: the status of ckpt_end(), or -1. */
int ckpt_run(struct ckpt_target *target, const char *name, enum ckpt_mode mode);

/* Start a target that is refused with this error, for this reason, and see that it is
 * none the worse for it: the status of ckpt_end(), or -1.
 */
int ckpt_refused(struct ckpt_target *target, const char *name, int error,
		 const char *why);

/* The path of one of the target's files, until the next call. */
const char *ckpt_path(const struct ckpt_target *target, const char *name);

/* Sleep so long. */
void ckpt_msleep(unsigned int ms);

/* Milliseconds on CLOCK_MONOTONIC. */
long long ckpt_now(void);

struct ckpt_target_body {
	const char		*name;
	void			(*body)(void);
	struct ckpt_target_body	*next;
};

void ckpt_target_add(struct ckpt_target_body *body);

/* Constructors: bodies are added, then one is run, then come the harness' own. */
#define CKPT_PRIO_ADD	1000
#define CKPT_PRIO_RUN	1001

#endif /* CKPT_TARGET_H */
