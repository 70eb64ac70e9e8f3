/* SPDX-License-Identifier: GPL-2.0-only */
/* The order in which tasks wait for what is given to one after the other. */
#ifndef _CHECKPOINT_TURN_H
#define _CHECKPOINT_TURN_H

#include <linux/list.h>
#include <linux/types.h>

struct file;
struct task_struct;

/**
 * struct ckpt_turn - the place of a task among those that wait in some queue
 * @node: in a list of all who do, while that is put in order
 * @task: the task; whoever has this holds a reference
 * @place: what there is to order by: its place in its queue, or in the image; 0 if it
 *	waits in none
 * @nr: its place among all who do, from 1 on; 0 if it is the only one or none
 * @before: who is to wait again before it does, or NULL
 * @came: when it was let go, in jiffies; 0 before that. Written by the task
 */
struct ckpt_turn {
	struct list_head		node;
	struct task_struct		*task;
	u32				place;
	u32				nr;
	const struct ckpt_turn		*before;
	unsigned long			came;
};

u32 ckpt_turn_find(struct task_struct *task);
void ckpt_turns_order(struct list_head *turns);
void ckpt_turn_wait(struct ckpt_turn *turn, unsigned long end);

/* Where a task is in the queue of one kind, by what names it; 0 if it is not. */
u32 ckpt_lock_turn(struct file *file, const struct task_struct *task);
u32 ckpt_sem_turn(int id, const struct task_struct *task);
u32 ckpt_msg_turn(int id, const struct task_struct *task);
u32 ckpt_mqueue_turn(struct file *file, const struct task_struct *task);

#endif
