// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who waits for a lock on a file, in which order. Built as part of fs/locks.c, which
 * keeps to itself the lock over those that wait.
 */
#ifdef CONFIG_CHECKPOINT
#include "../checkpoint/turn.h"

static bool ckpt_lock_has_waiter(struct file_lock_core *lock,
				 const struct task_struct *task)
{
	struct wait_queue_entry *entry;
	unsigned long flags;
	bool has = false;

	spin_lock_irqsave(&lock->flc_wait.lock, flags);
	list_for_each_entry(entry, &lock->flc_wait.head, entry)
		has |= entry->private == task;
	spin_unlock_irqrestore(&lock->flc_wait.lock, flags);
	return has;
}

/* As locks_show(): each that waits comes before those that wait for it. */
static struct file_lock_core *ckpt_lock_next(struct file_lock_core *lock)
{
	struct file_lock_core *next;

	if (!list_empty(&lock->flc_blocked_requests))
		return list_first_entry(&lock->flc_blocked_requests,
					struct file_lock_core,
					flc_blocked_member);
	for (; lock; lock = lock->flc_blocker) {
		next = get_next_blocked_member(lock);
		if (next)
			return next;
	}
	return NULL;
}

static u32 ckpt_locks_find(struct list_head *head,
			   const struct task_struct *task)
{
	struct file_lock_core *held, *lock;
	u32 nr = 0;

	list_for_each_entry(held, head, flc_list)
		for (lock = ckpt_lock_next(held); lock; lock = ckpt_lock_next(lock)) {
			nr++;
			if (ckpt_lock_has_waiter(lock, task))
				return nr;
		}
	return 0;
}

/**
 * ckpt_lock_turn() - the place of a task among those that wait for locks on a file
 * @file: the file
 * @task: the task; it may run
 *
 * Return: from 1 on; or 0 if it is not among them.
 */
u32 ckpt_lock_turn(struct file *file, const struct task_struct *task)
{
	struct file_lock_context *ctx = locks_inode_context(file_inode(file));
	u32 nr;

	if (!ctx)
		return 0;
	spin_lock(&ctx->flc_lock);
	spin_lock(&blocked_lock_lock);
	nr = ckpt_locks_find(&ctx->flc_posix, task) ?:
	     ckpt_locks_find(&ctx->flc_flock, task);
	spin_unlock(&blocked_lock_lock);
	spin_unlock(&ctx->flc_lock);
	return nr;
}
#endif
