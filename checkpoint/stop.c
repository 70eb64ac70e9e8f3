// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stopping tasks, wherever they are, and letting go of them.
 *
 * A task that runs, or sleeps where a signal can reach it, gets a task work
 * with TWA_SIGNAL: it leaves whatever system call it is in, as it would for a
 * stop signal, and parks in get_signal(), right before the place where system
 * calls are restarted. Its registers then say all that there is to say.
 *
 * A task that is at rest already (stopped, traced, in the refrigerator of the
 * v1 cgroup freezer) sits in get_signal() as well. It can't be parked without
 * being woken, and waking it would show. It stays where it is, with the work
 * queued, so that it can't reach user mode; and is found afterwards not to have
 * moved while it was looked at, or the capture is done again. So does one who
 * waits in vfork(2), since only his child wakes him, who is stopped.
 *
 * One who is traced runs works in ptrace_notify() as well, in the middle of things,
 * and is turned away there: once it is held by its tracer it is at rest.
 */
#include <linux/freezer.h>
#include <linux/rhashtable.h>
#include <linux/sched/clock.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <asm/syscall.h>

#include "limits.h"
#include "log.h"
#include "ptrace.h"
#include "stop.h"
#include "vfork.h"

static const struct rhashtable_params ckpt_stop_params = {
	.key_len	= sizeof(struct task_struct *),
	.key_offset	= offsetof(struct ckpt_target, task),
	.head_offset	= offsetof(struct ckpt_target, hash),
};

/* Who is parked, by whatever checkpoint, so that another can tell. */
static LIST_HEAD(ckpt_parked);
static DEFINE_SPINLOCK(ckpt_parked_lock);

struct ckpt_stop *ckpt_stop_alloc(void)
{
	struct ckpt_stop *stop;

	stop = kzalloc(sizeof(*stop), GFP_KERNEL_ACCOUNT);
	if (!stop)
		return NULL;
	if (rhashtable_init(&stop->by_task, &ckpt_stop_params)) {
		kfree(stop);
		return NULL;
	}
	refcount_set(&stop->users, 1);
	INIT_LIST_HEAD(&stop->moving);
	INIT_LIST_HEAD(&stop->resting);
	init_waitqueue_head(&stop->arrived);
	init_waitqueue_head(&stop->park);
	return stop;
}

static void ckpt_target_free(void *ptr, void *arg)
{
	struct ckpt_target *target = ptr;

	put_task_struct(target->task);
	kfree(target);
}

void ckpt_stop_put(struct ckpt_stop *stop)
{
	if (!refcount_dec_and_test(&stop->users))
		return;
	rhashtable_free_and_destroy(&stop->by_task, ckpt_target_free, NULL);
	kfree(stop);
}

/**
 * ckpt_stop_has() - whether a task is part of a stop
 * @stop: the stop
 * @task: the task
 *
 * Return: true if ckpt_stop_add() was called for it.
 */
bool ckpt_stop_has(struct ckpt_stop *stop, struct task_struct *task)
{
	return rhashtable_lookup_fast(&stop->by_task, &task, ckpt_stop_params);
}

/**
 * ckpt_stop_in_call() - whether a task is to make its system call again
 * @stop: the stop
 * @task: a task of it, at rest
 *
 * Return: true if it left one only to park, and its tracer is to be told of the end.
 */
bool ckpt_stop_in_call(struct ckpt_stop *stop, struct task_struct *task)
{
	struct ckpt_target *target;

	target = rhashtable_lookup_fast(&stop->by_task, &task,
					ckpt_stop_params);
	return target && target->in_call;
}

/**
 * ckpt_stop_turn() - the place of a task among those that wait in queues
 * @stop: the stop
 * @task: a task of it, at rest
 *
 * Return: from 1 on, or 0 if it has none.
 */
u32 ckpt_stop_turn(struct ckpt_stop *stop, struct task_struct *task)
{
	struct ckpt_target *target;

	target = rhashtable_lookup_fast(&stop->by_task, &task,
					ckpt_stop_params);
	return target ? target->turn.nr : 0;
}

static enum ckpt_phase ckpt_phase(struct ckpt_stop *stop)
{
	/* Pairs with ckpt_stop_phase(): whoever is let go finds all done. */
	return smp_load_acquire(&stop->phase);
}

static void ckpt_target_arrive(struct ckpt_target *target, enum ckpt_rest rest)
{
	/* Pairs with ckpt_target_rest(): what it was doing is done. */
	smp_store_release(&target->rest, rest);
	wake_up(&target->stop->arrived);
}

static enum ckpt_rest ckpt_target_rest(struct ckpt_target *target)
{
	/* Pairs with ckpt_target_arrive(). */
	return smp_load_acquire(&target->rest);
}

/*
 * Works run in no particular order, the last one first. Those that were there
 * before ours are to run before it: one may be what makes a task of the image
 * that is being restarted. Returns whether ours comes once more.
 */
static bool ckpt_park_later(struct ckpt_stop *stop, struct callback_head *work)
{
	return work->next && ckpt_phase(stop) != CKPT_LET_GO &&
	       !task_work_add(current, work, TWA_SIGNAL);
}

static void ckpt_parked_add(struct ckpt_target *target)
{
	spin_lock(&ckpt_parked_lock);
	list_add(&target->parked, &ckpt_parked);
	spin_unlock(&ckpt_parked_lock);
}

static void ckpt_parked_del(struct ckpt_target *target)
{
	spin_lock(&ckpt_parked_lock);
	list_del(&target->parked);
	spin_unlock(&ckpt_parked_lock);
}

static bool ckpt_is_parked(const struct task_struct *task)
{
	struct ckpt_target *target;
	bool parked = false;

	spin_lock(&ckpt_parked_lock);
	list_for_each_entry(target, &ckpt_parked, parked)
		parked |= target->task == task;
	spin_unlock(&ckpt_parked_lock);
	return parked;
}

/*
 * semop(2) and io_getevents(2) are of the few calls that end with EINTR even if
 * no handler is to run. Have them called again then; but not with a timeout, of
 * which some is gone.
 */
static void ckpt_park_call(struct pt_regs *regs)
{
	unsigned long args[6];

	if (in_ia32_syscall() || syscall_get_error(current, regs) != -EINTR)
		return;
	syscall_get_arguments(current, regs, args);
	switch (syscall_get_nr(current, regs)) {
	case __NR_semop:
		break;
	case __NR_semtimedop:
		if (args[3])
			return;
		break;
	case __NR_io_getevents:
		if (args[4])
			return;
		break;
	default:
		return;
	}
	syscall_set_return_value(current, regs, -ERESTARTNOHAND, 0);
}

/* Who queues a work adds it first, and then says so to the task. */
static void ckpt_park_wait_queued(struct ckpt_target *target)
{
	/* Pairs with ckpt_target_queue(). */
	while (!smp_load_acquire(&target->queued))
		cond_resched();
}

/*
 * Whether current, who is traced, is not to park here. get_signal() takes note of
 * TWA_SIGNAL before it runs works, and ptrace_notify() does not. If that is about
 * the end of a system call which was interrupted for the work alone it can park: it
 * makes the call again afterwards.
 */
static bool ckpt_park_is_early(struct ckpt_target *target)
{
	ckpt_park_wait_queued(target);
	if (ckpt_ptrace_moves())
		return true;
	if (!test_thread_flag(TIF_NOTIFY_SIGNAL))
		return false;
	if (!task_sigpending(current))
		ckpt_park_call(task_pt_regs(current));
	target->in_call = ckpt_ptrace_leaves_call();
	return !target->in_call;
}

/* Returns whether the work, and its reference, are the checkpointer's again. */
static bool ckpt_park_turn_away(struct ckpt_target *target)
{
	if (!current->ptrace || (current->flags & PF_EXITING) ||
	    !ckpt_park_is_early(target))
		return false;
	target->turned_at = jiffies;
	/* Pairs with ckpt_target_requeue(), and ckpt_stop_release(). */
	if (atomic_cmpxchg(&target->turned, CKPT_TURNED_NOT,
			   CKPT_TURNED_AWAY) == CKPT_TURNED_NOT)
		return true;
	ckpt_ptrace_stays();
	return false;
}

static void ckpt_park_wait(struct ckpt_target *target)
{
	struct ckpt_stop *stop = target->stop;

	ckpt_parked_add(target);
	wait_event_idle(stop->park,
			ckpt_phase(stop) != CKPT_CAPTURING || READ_ONCE(target->dies));
	wait_event_killable(stop->park, ckpt_phase(stop) == CKPT_LET_GO);
	ckpt_parked_del(target);
	/* If the freezer wants it, get_signal() has to see that. */
	if (freezing(current))
		set_thread_flag(TIF_SIGPENDING);
}

/* Runs in the context of the task that is to be stopped. */
static void ckpt_park(struct callback_head *work)
{
	struct ckpt_target *target = container_of(work, struct ckpt_target,
						  work);
	struct ckpt_stop *stop = target->stop;

	bool again;

	if (ckpt_park_later(stop, work))
		return;
	if (ckpt_park_turn_away(target))
		return;
	ckpt_park_call(task_pt_regs(current));
	if (ckpt_phase(stop) != CKPT_LET_GO)
		ckpt_target_arrive(target, current->flags & PF_EXITING ?
					   CKPT_GONE : CKPT_PARKED);
	if (!(current->flags & PF_EXITING)) {
		ckpt_park_wait(target);
		ckpt_turn_wait(&target->turn,
			       stop->let_go + CKPT_TURNS_TIMEOUT);
	}
	again = target->in_call;
	ckpt_stop_put(stop);
	if (again)
		ckpt_ptrace_call_again();
}

/* Returns whether the task ends. */
static bool ckpt_target_queue(struct ckpt_target *target)
{
	bool ends;

	WRITE_ONCE(target->queued, false);
	ends = task_work_add(target->task, &target->work, TWA_SIGNAL);
	/* Pairs with ckpt_park_wait_queued(). */
	smp_store_release(&target->queued, true);
	return ends;
}

/**
 * ckpt_stop_add() - make a task part of a stop
 * @stop: the stop
 * @task: the task; the caller holds a reference
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_stop_add(struct ckpt_stop *stop, struct task_struct *task)
{
	struct ckpt_target *target;
	int err;

	target = kzalloc(sizeof(*target), GFP_KERNEL_ACCOUNT);
	if (!target)
		return -ENOMEM;
	target->task = task;
	target->turn.task = task;
	target->stop = stop;
	if (task == current)
		target->rest = CKPT_SELF;
	err = rhashtable_insert_fast(&stop->by_task, &target->hash,
				     ckpt_stop_params);
	if (err) {
		kfree(target);
		return err;
	}
	get_task_struct(task);
	list_add_tail(&target->node, &stop->moving);
	return 0;
}

static bool ckpt_target_is_told(const struct ckpt_target *target)
{
	return target->work.func || target->task == current;
}

/* One that exits is part of it as such. */
static void ckpt_target_tell(struct ckpt_target *target)
{
	init_task_work(&target->work, ckpt_park);
	refcount_inc(&target->stop->users);
	if (ckpt_target_queue(target)) {
		target->rest = CKPT_GONE;
		ckpt_stop_put(target->stop);
	}
}

/**
 * ckpt_stop_tell() - tell tasks that are part of a stop to come to rest
 * @stop: the stop
 *
 * All that were added since this was called before. What queues they wait in is
 * found out before the first of them leaves one.
 */
void ckpt_stop_tell(struct ckpt_stop *stop)
{
	struct ckpt_target *target;

	list_for_each_entry(target, &stop->moving, node)
		if (!ckpt_target_is_told(target))
			target->turn.place = ckpt_turn_find(target->task);
	list_for_each_entry(target, &stop->moving, node)
		if (!ckpt_target_is_told(target))
			ckpt_target_tell(target);
}

/* The state in which a task that is at rest would be held, or 0. */
static unsigned int ckpt_rest_state(struct task_struct *task)
{
	unsigned int state = READ_ONCE(task->__state);

	if (state & (__TASK_STOPPED | __TASK_TRACED))
		return state & (__TASK_STOPPED | __TASK_TRACED);
	if (!(state & TASK_FROZEN))
		return 0;
	state = READ_ONCE(task->saved_state);
	if (state & (__TASK_STOPPED | __TASK_TRACED))
		return state & (__TASK_STOPPED | __TASK_TRACED);
	return state == TASK_RUNNING ? TASK_FROZEN : 0;
}

/*
 * The v1 freezer leaves a task that slept in a system call where it was. Put
 * it back into its sleep, from which the work that is queued wakes it; when it
 * is let go it returns to the freezer by itself.
 *
 * Whatever was to wake it up while it was frozen, our own work not the least,
 * has it look like one in the refrigerator. There waking it does no harm: it
 * goes to sleep again.
 */
static void ckpt_unfreeze_sleeper(struct ckpt_target *target)
{
	struct task_struct *task = target->task;
	unsigned int state = ckpt_rest_state(task);

	if (!frozen(task) || (state & (__TASK_STOPPED | __TASK_TRACED)) ||
	    (state && target->thawed))
		return;
	target->thawed = true;
	__thaw_task(task);
	wake_up_state(task, TASK_INTERRUPTIBLE);
}

/*
 * For as long as it takes a task to get off its CPU. If it is still on its way
 * there wait_task_inactive() sleeps for a tick, which is long beside all else
 * that happens while it is stopped.
 */
static void ckpt_spin_off_cpu(struct task_struct *task)
{
	while ((READ_ONCE(task->on_rq) || READ_ONCE(task->on_cpu)) &&
	       task_cpu(task) != raw_smp_processor_id() && !need_resched())
		cpu_relax();
}

/*
 * What is being killed can't be captured as one who lives. Let it come to its end,
 * and it is captured as one who has.
 */
static bool ckpt_target_let_die(struct ckpt_target *target)
{
	if (target->dies)
		return true;
	if (!__fatal_signal_pending(target->task))
		return false;
	WRITE_ONCE(target->dies, true);
	wake_up_all(&target->stop->park);
	return true;
}

/*
 * Who was turned away is told once more when it is held, or has had the time to
 * get further: otherwise it may find the work where it was.
 */
static void ckpt_target_requeue(struct ckpt_target *target)
{
	if (atomic_read_acquire(&target->turned) != CKPT_TURNED_AWAY ||
	    (!ckpt_rest_state(target->task) && !time_after(jiffies, target->turned_at)))
		return;
	atomic_set(&target->turned, CKPT_TURNED_NOT);
	if (!ckpt_target_queue(target))
		return;
	ckpt_target_arrive(target, CKPT_GONE);
	ckpt_stop_put(target->stop);
}

static bool ckpt_target_rests(struct ckpt_target *target)
{
	struct task_struct *task = target->task;
	enum ckpt_rest rest;

	ckpt_target_requeue(target);
	rest = ckpt_target_rest(target);

	if (rest == CKPT_PARKED && ckpt_target_let_die(target))
		rest = CKPT_GONE;
	if (rest == CKPT_PARKED) {
		ckpt_spin_off_cpu(task);
		/*
		 * It may still be on its way off the CPU, with registers in it
		 * that are not in memory yet; or even on its way to sleep,
		 * which makes wait_task_inactive() give up.
		 */
		while (!wait_task_inactive(task, TASK_UNINTERRUPTIBLE))
			cond_resched();
		return true;
	}
	/* What ends is at rest once it is what its parent will wait for. */
	if (rest == CKPT_GONE)
		return READ_ONCE(task->exit_state);
	if (rest != CKPT_MOVING)
		return true;

	ckpt_unfreeze_sleeper(target);
	target->state = ckpt_rest_state(task);
	if (!target->state && ckpt_vfork_waits(task))
		target->state = TASK_UNINTERRUPTIBLE;
	if (!target->state)
		return false;
	target->switches = wait_task_inactive(task, target->state);
	target->held = target->switches;
	return target->held;
}

/* Each task is looked at until it is at rest, and not again. */
static bool ckpt_stop_complete(struct ckpt_stop *stop)
{
	struct ckpt_target *target, *next;

	list_for_each_entry_safe(target, next, &stop->moving, node) {
		if (!ckpt_target_rests(target))
			return false;
		list_move_tail(&target->node, &stop->resting);
	}
	return true;
}

static int ckpt_stop_give_up(struct ckpt_stop *stop, struct ckpt_log *log)
{
	struct ckpt_target *target;

	if (ckpt_stop_complete(stop))
		return 0;
	target = list_first_entry(&stop->moving, struct ckpt_target, node);
	ckpt_log_task(log, target->task);
	return ckpt_refuse(log, -EBUSY, "does not come to a stop: %s",
			   ckpt_is_parked(target->task) ?
			   "another checkpoint holds it" :
			   "in an uninterruptible sleep");
}

/*
 * Who runs, on another CPU, is stopped within microseconds: to look out for that
 * takes less time than to be woken up by it, and it is time in which tasks are
 * stopped.
 */
static bool ckpt_stop_spin(struct ckpt_stop *stop)
{
	u64 end = local_clock() + CKPT_SPIN_NS;
	struct ckpt_target *target;

	while (!ckpt_stop_complete(stop)) {
		target = list_first_entry(&stop->moving, struct ckpt_target,
					  node);
		if (task_cpu(target->task) == raw_smp_processor_id() ||
		    need_resched() || local_clock() > end)
			return false;
		cpu_relax();
	}
	return true;
}

static int ckpt_stop_wait_all(struct ckpt_stop *stop, struct ckpt_log *log)
{
	unsigned long end = jiffies + CKPT_STOP_TIMEOUT;
	long ret;

	if (ckpt_stop_spin(stop))
		return 0;
	for (;;) {
		/* Tasks at rest tell nobody: look for them now and then. */
		ret = wait_event_interruptible_timeout(stop->arrived,
						       ckpt_stop_complete(stop),
						       max(HZ / 100, 1));
		if (ret > 0)
			return 0;
		if (ret < 0)
			return -EINTR;
		if (time_after(jiffies, end))
			return ckpt_stop_give_up(stop, log);
	}
}

/* Who is held where it waits does not leave its place. */
static void ckpt_stop_order(struct ckpt_stop *stop)
{
	struct ckpt_target *target;
	LIST_HEAD(turns);

	list_for_each_entry(target, &stop->resting, node) {
		target->turn.nr = 0;
		target->turn.before = NULL;
		if (target->turn.place &&
		    ckpt_target_rest(target) == CKPT_PARKED)
			list_add_tail(&target->turn.node, &turns);
	}
	ckpt_turns_order(&turns);
}

/**
 * ckpt_stop_wait() - wait until all tasks of a stop are at rest
 * @stop: the stop
 * @log: where to name a task that does not come to rest
 *
 * Return: 0; -EBUSY if it took longer than CKPT_STOP_TIMEOUT; -EINTR.
 */
int ckpt_stop_wait(struct ckpt_stop *stop, struct ckpt_log *log)
{
	int err = ckpt_stop_wait_all(stop, log);

	if (!err)
		ckpt_stop_order(stop);
	return err;
}

static int ckpt_target_verify(struct ckpt_target *target, struct ckpt_log *log)
{
	ckpt_log_task(log, target->task);
	if (target->held && wait_task_inactive(target->task, target->state) !=
			    target->switches)
		return -EAGAIN;
	return 0;
}

/**
 * ckpt_stop_verify() - make sure that nothing moved while it was captured
 * @stop: the stop
 * @log: left to speak of the task that did
 *
 * Return: 0; -EAGAIN if a task that was held has moved.
 */
int ckpt_stop_verify(struct ckpt_stop *stop, struct ckpt_log *log)
{
	struct ckpt_target *target;
	int err;

	list_for_each_entry(target, &stop->resting, node) {
		err = ckpt_target_verify(target, log);
		if (err)
			return err;
	}
	return 0;
}

/**
 * ckpt_stop_again() - before ckpt_stop_wait() is called once more
 * @stop: the stop, of which ckpt_stop_verify() said that a task moved
 */
void ckpt_stop_again(struct ckpt_stop *stop)
{
	struct ckpt_target *target;

	list_splice_tail_init(&stop->resting, &stop->moving);
	list_for_each_entry(target, &stop->moving, node)
		target->held = false;
}

static void ckpt_stop_phase(struct ckpt_stop *stop, enum ckpt_phase phase)
{
	/* Pairs with ckpt_phase(). */
	smp_store_release(&stop->phase, phase);
	wake_up_all(&stop->park);
}

/**
 * ckpt_stop_allow_kill() - the tasks are known; SIGKILL may end them from now on
 * @stop: the stop
 */
void ckpt_stop_allow_kill(struct ckpt_stop *stop)
{
	ckpt_stop_phase(stop, CKPT_WRITING);
}

/* Whether the work is nowhere, since its task was turned away. */
static bool ckpt_target_turned_back(struct ckpt_target *target)
{
	return atomic_xchg(&target->turned, CKPT_TURNED_LET_GO) ==
	       CKPT_TURNED_AWAY;
}

static void ckpt_target_release(struct ckpt_target *target)
{
	if (!target->work.func ||
	    (!task_work_cancel(target->task, &target->work) &&
	     !ckpt_target_turned_back(target)))
		return;
	ckpt_ptrace_unnotify(target->task);
	ckpt_stop_put(target->stop);
}

/**
 * ckpt_stop_release() - let all tasks go on
 * @stop: the stop
 *
 * The works that did not get to run yet are taken back.
 */
void ckpt_stop_release(struct ckpt_stop *stop)
{
	struct ckpt_target *target;

	stop->let_go = jiffies;
	ckpt_stop_phase(stop, CKPT_LET_GO);
	list_splice_tail_init(&stop->moving, &stop->resting);
	list_for_each_entry(target, &stop->resting, node)
		ckpt_target_release(target);
}
