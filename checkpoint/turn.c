// SPDX-License-Identifier: GPL-2.0-only
/*
 * The order in which tasks wait for what is given to one after the other: locks on
 * files, semaphores, messages.
 *
 * Whoever is stopped leaves the queue that it is in, and enters it again when it is
 * let go, by making its system call once more. All would do so at the same time. So
 * note is taken of their places before any of them is told to stop, and each goes on
 * when the one before it sleeps again, or has had the time to: nobody is kept for long
 * by one who does something else by then.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/hrtimer.h>
#include <linux/ipc.h>
#include <linux/jiffies.h>
#include <linux/list_sort.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <asm/syscall.h>
#include <asm/unistd.h>

#include "arch.h"
#include "limits.h"
#include "turn.h"

/* What has a queue. */
enum ckpt_turn_kind {
	CKPT_TURN_NONE,
	CKPT_TURN_LOCK,
	CKPT_TURN_SEM,
	CKPT_TURN_MSG,
	CKPT_TURN_MQUEUE,
};

static enum ckpt_turn_kind ckpt_turn_kind(long nr)
{
	switch (nr) {
	case __NR_fcntl:
	case __NR_flock:
		return CKPT_TURN_LOCK;
	case __NR_semop:
	case __NR_semtimedop:
		return CKPT_TURN_SEM;
	case __NR_msgsnd:
	case __NR_msgrcv:
		return CKPT_TURN_MSG;
	case __NR_mq_timedsend:
	case __NR_mq_timedreceive:
		return CKPT_TURN_MQUEUE;
	default:
		return CKPT_TURN_NONE;
	}
}

#ifdef CONFIG_COMPAT
/* One for all of System V, whose arguments come one later. */
static enum ckpt_turn_kind ckpt_turn_ipc_ia32(unsigned long *args)
{
	unsigned long call = args[0] & 0xffff;

	args[0] = args[1];
	switch (call) {
	case SEMOP:
	case SEMTIMEDOP:
		return CKPT_TURN_SEM;
	case MSGSND:
	case MSGRCV:
		return CKPT_TURN_MSG;
	default:
		return CKPT_TURN_NONE;
	}
}

static enum ckpt_turn_kind ckpt_turn_kind_ia32(long nr, unsigned long *args)
{
	switch (nr) {
	case __NR_ia32_ipc:
		return ckpt_turn_ipc_ia32(args);
	case __NR_ia32_fcntl:
	case __NR_ia32_fcntl64:
	case __NR_ia32_flock:
		return CKPT_TURN_LOCK;
	case __NR_ia32_semtimedop_time64:
		return CKPT_TURN_SEM;
	case __NR_ia32_msgsnd:
	case __NR_ia32_msgrcv:
		return CKPT_TURN_MSG;
	case __NR_ia32_mq_timedsend:
	case __NR_ia32_mq_timedsend_time64:
	case __NR_ia32_mq_timedreceive:
	case __NR_ia32_mq_timedreceive_time64:
		return CKPT_TURN_MQUEUE;
	default:
		return CKPT_TURN_NONE;
	}
}
#else
static enum ckpt_turn_kind ckpt_turn_kind_ia32(long nr, unsigned long *args)
{
	return CKPT_TURN_NONE;
}
#endif

/* The system call that it sleeps in says what it waits for, by its first argument. */
static enum ckpt_turn_kind ckpt_turn_call(struct task_struct *task, u32 *what)
{
	enum ckpt_turn_kind kind;
	unsigned long args[6];
	struct pt_regs *regs;
	long nr;

	if (!(READ_ONCE(task->__state) & TASK_INTERRUPTIBLE) ||
	    !try_get_task_stack(task))
		return CKPT_TURN_NONE;
	regs = task_pt_regs(task);
	nr = syscall_get_nr(task, regs);
	syscall_get_arguments(task, regs, args);
	put_task_stack(task);
	kind = ckpt_arch_call_save(task) ? ckpt_turn_kind_ia32(nr, args) :
					   ckpt_turn_kind(nr);
	*what = args[0];
	return kind;
}

static u32 ckpt_turn_by_file(struct task_struct *task, u32 fd,
			     u32 (*find)(struct file *, const struct task_struct *))
{
	struct file *file = fget_task(task, fd);
	u32 nr;

	if (!file)
		return 0;
	nr = find(file, task);
	fput(file);
	return nr;
}

/**
 * ckpt_turn_find() - the place of a task in the queue that it waits in
 * @task: the task; the caller holds a reference, and it may run
 *
 * Return: from 1 on; or 0 if it is in none.
 */
u32 ckpt_turn_find(struct task_struct *task)
{
	u32 what = 0;

	switch (ckpt_turn_call(task, &what)) {
	case CKPT_TURN_LOCK:
		return ckpt_turn_by_file(task, what, ckpt_lock_turn);
#ifdef CONFIG_SYSVIPC
	case CKPT_TURN_SEM:
		return ckpt_sem_turn(what, task);
	case CKPT_TURN_MSG:
		return ckpt_msg_turn(what, task);
#endif
#ifdef CONFIG_POSIX_MQUEUE
	case CKPT_TURN_MQUEUE:
		return ckpt_turn_by_file(task, what, ckpt_mqueue_turn);
#endif
	default:
		return 0;
	}
}

static int ckpt_turn_cmp(void *arg, const struct list_head *a,
			 const struct list_head *b)
{
	u32 place_a = list_entry(a, struct ckpt_turn, node)->place;
	u32 place_b = list_entry(b, struct ckpt_turn, node)->place;

	return place_a > place_b;
}

/**
 * ckpt_turns_order() - put those who wait in order
 * @turns: struct ckpt_turn of each, with its place
 *
 * Those who wait in different queues come in any order.
 */
void ckpt_turns_order(struct list_head *turns)
{
	struct ckpt_turn *turn, *before = NULL;
	u32 nr = 0;

	if (list_empty(turns) || list_is_singular(turns))
		return;
	list_sort(NULL, turns, ckpt_turn_cmp);
	list_for_each_entry(turn, turns, node) {
		turn->nr = ++nr;
		turn->before = before;
		before = turn;
	}
}

/* It sleeps again, elsewhere than where it was stopped; or will not any more. */
static bool ckpt_turn_taken(const struct ckpt_turn *turn)
{
	/* Pairs with ckpt_turn_come(): what it slept in before is over. */
	unsigned long came = smp_load_acquire(&turn->came);

	if (!came)
		return READ_ONCE(turn->task->exit_state);
	return (READ_ONCE(turn->task->__state) &
		(TASK_INTERRUPTIBLE | __TASK_STOPPED | __TASK_TRACED)) ||
	       READ_ONCE(turn->task->exit_state) ||
	       time_after(jiffies, came + CKPT_TURN_TIMEOUT);
}

static void ckpt_turn_come(struct ckpt_turn *turn)
{
	/* Pairs with ckpt_turn_taken(). */
	smp_store_release(&turn->came, jiffies ?: 1);
}

/**
 * ckpt_turn_wait() - let the one before current, who is let go, be the first
 * @turn: of current
 * @end: when nobody waits any more, in jiffies
 *
 * Nor does who has a signal, for which it leaves its system call.
 */
void ckpt_turn_wait(struct ckpt_turn *turn, unsigned long end)
{
	if (!turn->nr)
		return;
	while (turn->before && !ckpt_turn_taken(turn->before) &&
	       time_before(jiffies, end) && !task_sigpending(current)) {
		ktime_t pause = CKPT_TURN_PAUSE_NS;

		set_current_state(TASK_KILLABLE);
		schedule_hrtimeout(&pause, HRTIMER_MODE_REL);
	}
	ckpt_turn_come(turn);
}
