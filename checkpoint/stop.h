/* SPDX-License-Identifier: GPL-2.0-only */
/* Stopping tasks, wherever they are, and letting go of them. */
#ifndef _CHECKPOINT_STOP_H
#define _CHECKPOINT_STOP_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/task_work.h>
#include <linux/wait.h>

#include "turn.h"

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

/* Of a task that can't park where its work found it. */
enum ckpt_turned {
	CKPT_TURNED_NOT,
	CKPT_TURNED_AWAY,	/* the work is to be queued again */
	CKPT_TURNED_LET_GO,	/* or not any more */
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
 * @turned: enum ckpt_turned
 * @turned_at: when it was turned away, in jiffies
 * @queued: @work was queued for good, its waker included
 * @in_call: it parked on its way out of a system call that it was woken from, and
 *	which it is to make again before its tracer hears of its end
 * @turn: its place among those that wait for locks and the like
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
	struct ckpt_turn	turn;
	bool			thawed;
	bool			queued;
	bool			in_call;
	atomic_t		turned;
	unsigned long		turned_at;
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
 * @let_go: when that was, in jiffies
 * @arrived: the checkpointer waits here for tasks to come to rest
 * @park: tasks wait here for @phase to move on
 */
struct ckpt_stop {
	refcount_t		users;
	struct list_head	moving;
	struct list_head	resting;
	struct rhashtable	by_task;
	enum ckpt_phase		phase;
	unsigned long		let_go;
	wait_queue_head_t	arrived;
	wait_queue_head_t	park;
};

struct ckpt_stop *ckpt_stop_alloc(void);
void ckpt_stop_put(struct ckpt_stop *stop);
bool ckpt_stop_has(struct ckpt_stop *stop, struct task_struct *task);
bool ckpt_stop_in_call(struct ckpt_stop *stop, struct task_struct *task);
u32 ckpt_stop_turn(struct ckpt_stop *stop, struct task_struct *task);
int ckpt_stop_add(struct ckpt_stop *stop, struct task_struct *task);
void ckpt_stop_tell(struct ckpt_stop *stop);
int ckpt_stop_wait(struct ckpt_stop *stop, struct ckpt_log *log);
int ckpt_stop_verify(struct ckpt_stop *stop, struct ckpt_log *log);
void ckpt_stop_again(struct ckpt_stop *stop);
void ckpt_stop_allow_kill(struct ckpt_stop *stop);
void ckpt_stop_release(struct ckpt_stop *stop);

#endif
