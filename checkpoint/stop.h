/* SPDX-License-Identifier: GPL-2.0-only */
/* Stopping tasks, wherever they are, and letting go of them. */
#ifndef _CHECKPOINT_STOP_H
#define _CHECKPOINT_STOP_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/task_work.h>
#include <linux/wait.h>

struct ckpt_ctx;
struct ckpt_log;
struct task_struct;

/* How a task came to rest. */
enum ckpt_rest {
	CKPT_MOVING,	/* it did not, so far */
	CKPT_SELF,	/* it is the caller */
	CKPT_PARKED,	/* it waits in ckpt_park(), on its way to user mode */
	CKPT_GONE,	/* it exits */
};

/**
 * struct ckpt_target - a task of the tree
 * @node: in ckpt_stop.moving or ckpt_stop.resting
 * @hash: in ckpt_stop.by_task
 * @task: the task, a reference held
 * @stop: the stop that it is part of
 * @work: queued to @task; holds a reference to @stop until it ran or was
 *	cancelled
 * @rest: written by the task itself once its work is queued
 * @held: it was found at rest without having been parked; so that it did not
 *	move is to be verified. The checkpointer's own
 * @switches: of a held task: context switches at that time, as
 *	wait_task_inactive() tells them
 * @state: of a held task: the state that it is held in
 * @parked: in the list of all that are parked, while it is
 * @dies: it is being killed, and was let go to come to its end. Written by the
 *	checkpointer
 * @thawed: it was found frozen and woken, so that if it is frozen again it is in
 *	the refrigerator, and not in a system call. The checkpointer's own
 */
struct ckpt_target {
	struct list_head	node;
	struct rhash_head	hash;
	struct task_struct	*task;
	struct ckpt_stop	*stop;
	struct callback_head	work;
	enum ckpt_rest		rest;
	bool			held;
	bool			dies;
	unsigned long		switches;
	unsigned int		state;
	struct list_head	parked;
	bool			thawed;
};

/* What parked tasks wait for. */
enum ckpt_phase {
	CKPT_CAPTURING,	/* nothing may move them, not even SIGKILL */
	CKPT_WRITING,	/* what they are is known: SIGKILL may have them */
	CKPT_LET_GO,
};

/**
 * struct ckpt_stop - the tasks of a tree while they are stopped
 * @users: the checkpointer, and every work that is queued
 * @moving: struct ckpt_target of tasks that were not found at rest yet; this and
 *	the two below are the checkpointer's own
 * @resting: the same of the others
 * @by_task: all of these
 * @phase: enum ckpt_phase
 * @arrived: the checkpointer waits here for tasks to come to rest
 * @park: tasks wait here for @phase to move on
 */
struct ckpt_stop {
	refcount_t		users;
	struct list_head	moving;
	struct list_head	resting;
	struct rhashtable	by_task;
	enum ckpt_phase		phase;
	wait_queue_head_t	arrived;
	wait_queue_head_t	park;
};

struct ckpt_stop *ckpt_stop_alloc(void);
void ckpt_stop_put(struct ckpt_stop *stop);
bool ckpt_stop_has(struct ckpt_stop *stop, struct task_struct *task);
int ckpt_stop_add(struct ckpt_stop *stop, struct task_struct *task);
int ckpt_stop_wait(struct ckpt_stop *stop, struct ckpt_log *log);
int ckpt_stop_verify(struct ckpt_stop *stop, struct ckpt_log *log);
void ckpt_stop_again(struct ckpt_stop *stop);
void ckpt_stop_allow_kill(struct ckpt_stop *stop);
void ckpt_stop_release(struct ckpt_stop *stop);

#endif
