// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vfork(2) in flight: the parent sleeps in the kernel until the child, who
 * runs in its memory, executes a program or ends. It can't be woken up but by
 * SIGKILL, and need not be: it does nothing until the child moves, who is
 * stopped. Its call goes on after a restart, and returns the child's pid.
 */
#include <linux/checkpoint_expose.h>
#include <linux/completion.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <asm/syscall.h>

#include "checkpoint.h"
#include "process.h"
#include "restart.h"
#include "stop.h"
#include "task.h"
#include "tree.h"
#include "vfork.h"

static bool ckpt_is_killable_sleep(unsigned int state)
{
	return (state & TASK_KILLABLE) == TASK_KILLABLE;
}

/* What the child is to tell of lies on the stack of the one who waits. */
static bool ckpt_vfork_is_awaited(struct task_struct *child,
				  struct task_struct *parent)
{
	void *done = READ_ONCE(child->vfork_done);
	void *stack = task_stack_page(parent);

	return done && stack && done >= stack && done < stack + THREAD_SIZE;
}

static struct task_struct *ckpt_vfork_find_in(struct list_head *children,
					      struct task_struct *parent)
{
	struct task_struct *child;

	list_for_each_entry(child, children, sibling)
		if (ckpt_vfork_is_awaited(child, parent))
			return child;
	return NULL;
}

/*
 * The child of a vfork(2) is a child of the caller's, or with clone(2) one of the
 * caller's parent's, or a thread.
 */
static struct task_struct *ckpt_vfork_find(struct task_struct *parent)
{
	struct task_struct *child, *thread, *real_parent;

	lockdep_assert_held(&tasklist_lock);
	real_parent = rcu_dereference_protected(parent->real_parent, 1);
	child = ckpt_vfork_find_in(&parent->children, parent);
	if (!child)
		child = ckpt_vfork_find_in(&real_parent->children, parent);
	if (child)
		return child;
	for_each_thread(parent, thread)
		if (ckpt_vfork_is_awaited(thread, parent))
			return thread;
	return NULL;
}

/* With a reference held. */
static struct task_struct *ckpt_vfork_child(struct task_struct *parent)
{
	struct task_struct *child = NULL;

	/* Most do not, and who has many children is not to be asked. */
	if (!ckpt_is_killable_sleep(READ_ONCE(parent->__state)) &&
	    !task_is_traced(parent))
		return NULL;
	read_lock(&tasklist_lock);
	if (pid_alive(parent))
		child = ckpt_vfork_find(parent);
	if (child)
		get_task_struct(child);
	read_unlock(&tasklist_lock);
	return child;
}

/**
 * ckpt_vfork_waits() - whether a task is asleep in vfork(2)
 * @task: the task
 *
 * Return: true if it is, or is about to be, until its child moves.
 */
bool ckpt_vfork_waits(struct task_struct *task)
{
	struct task_struct *child __free(put_task) = ckpt_vfork_child(task);

	return child;
}

static int ckpt_vfork_checkpoint(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct task_struct *child __free(put_task) = ckpt_vfork_child(task);
	struct ckpt_rec_vfork *p;

	if (!child)
		return 0;
	if (!ckpt_stop_has(ctx->stop, child))
		return ckpt_refuse(&ctx->log, -EBUSY,
				   "waits in vfork for pid %d, outside the tree",
				   task_pid_vnr(child));
	p = ckpt_part_add(ctx, CKPT_REC_VFORK, sizeof(*p));
	if (IS_ERR(p))
		return PTR_ERR(p);
	p->child = cpu_to_le32(task_pid_vnr(child));
	return 0;
}

static int ckpt_vfork_check(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	const struct ckpt_rec_vfork *p = rstr_payload(rec);

	return p->reserved ? rstr_bad(ctx, rec, "unknown flags") : 0;
}

/* As the kernel makes them; and nobody has to tell two that he is done. */
static bool ckpt_vfork_valid(const struct rstr_task *parent,
			     const struct rstr_task *child)
{
	if (child == parent || child->vforker || rstr_task_is_dead(child))
		return false;
	return child->leader == parent->leader || child->parent == parent ||
	       child->parent == parent->leader->parent;
}

static int ckpt_vfork_check_tree(struct rstr_ctx *ctx,
				 const struct ckpt_record *rec)
{
	const struct ckpt_rec_vfork *p = rstr_payload(rec);
	struct rstr_task *parent, *child;

	parent = rstr_tree_find(ctx->run,
				ckpt_task_tid(rstr_obj(ctx, rec->ref)));
	child = rstr_tree_find(ctx->run, le32_to_cpu(p->child));
	if (!child || !ckpt_vfork_valid(parent, child))
		return rstr_bad(ctx, rec, "waits for %u, who is no such child",
				le32_to_cpu(p->child));
	child->vforker = parent;
	parent->vforked = child;
	return 0;
}

const struct ckpt_part ckpt_vfork_part = {
	.type		= CKPT_REC_VFORK,
	.name		= "vfork in flight",
	.size		= sizeof(struct ckpt_rec_vfork),
	.max		= 1,
	.checkpoint	= ckpt_vfork_checkpoint,
	.check		= ckpt_vfork_check,
	.check_tree	= ckpt_vfork_check_tree,
};

/* Under the lock under which the child tells. */
static void ckpt_vfork_set(struct task_struct *child, struct completion *done)
{
	task_lock(child);
	child->vfork_done = done;
	task_unlock(child);
}

/**
 * ckpt_vfork_begin() - have a child tell current when it executes or ends
 * @child: the child, which waits for this in the kernel
 * @done: on the stack of current, who goes on to ckpt_vfork_wait()
 *
 * The registers of current are loaded; the call that it is in is to return the
 * child's pid.
 */
void ckpt_vfork_begin(struct task_struct *child, struct completion *done)
{
	init_completion(done);
	ckpt_vfork_set(child, done);
	/* Who was killed meanwhile may have looked there before. */
	smp_mb();
	if (READ_ONCE(child->flags) & PF_EXITING) {
		ckpt_vfork_set(child, NULL);
		complete(done);
	}
	syscall_set_return_value(current, current_pt_regs(), 0,
				 task_pid_vnr(child));
}

/**
 * ckpt_vfork_wait() - wait for that, as vfork(2) does
 * @child: the child, a reference to which is given up
 * @done: the same
 *
 * Only SIGKILL ends it before.
 */
void ckpt_vfork_wait(struct task_struct *child, struct completion *done)
{
	ckpt_wait_for_vfork_done(child, done);
}
