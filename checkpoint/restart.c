// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine of restart(): read and check all metadata, create the tasks, let
 * each make what it needs, read the pages, have each take up what was made, and
 * let them all go at once. Of kinds it knows none but the task.
 *
 * A task of the image is created by the one whose child or thread it is to be,
 * in the address space of the caller and with his files, from which it starts.
 * All are there before any of them takes up anything, and so all is made with
 * the caller's rights. Until then they run in the kernel only, and each leaves
 * nothing behind if it has to go.
 */
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/refcount.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/task_work.h>
#include <linux/wait.h>
#include <uapi/linux/wait.h>

#include "file.h"
#include "image.h"
#include "limits.h"
#include "mm.h"
#include "pages.h"
#include "ptrace.h"
#include "restart.h"
#include "process.h"
#include "task.h"
#include "tree.h"
#include "tty.h"
#include "vfork.h"

static void rstr_run_put(struct rstr_run *run)
{
	struct rstr_ctx *ctx = &run->ctx;

	if (!refcount_dec_and_test(&run->users))
		return;
	rstr_image_free(ctx);
	rstr_made_end(ctx, false);
	ckpt_externals_release(&ctx->externals);
	if (ctx->tty)
		fput(ctx->tty);
	if (ctx->file)
		fput(ctx->file);
	rstr_tree_free(run);
	kfree(run);
}

/* What @state asked for is done by one more, or can't be. */
static void rstr_arrive(struct rstr_run *run, int err)
{
	if (err) {
		cmpxchg(&run->err, 0, err);
		wake_up_all(&run->wait);
	}
	if (atomic_dec_and_test(&run->missing) || err)
		wake_up(&run->arrived);
}

static enum rstr_state rstr_run_state(struct rstr_run *run)
{
	/* Pairs with rstr_run_decide(): who goes on finds his memory filled. */
	return smp_load_acquire(&run->state);
}

/* Returns 0 once the caller has decided on @state, or -EINTR. */
static int rstr_wait_state(struct rstr_run *run, enum rstr_state state)
{
	if (wait_event_killable(run->wait, rstr_run_state(run) >= state))
		return -EINTR;
	return rstr_run_state(run) == RSTR_ABORT ? -EINTR : 0;
}

static bool rstr_all_started(struct rstr_run *run)
{
	/* Pairs with rstr_started(): each is known by its @task. */
	return !atomic_read_acquire(&run->unstarted);
}

/* Where an object is made from tasks: these are there, or will never be. */
static int rstr_wait_started(struct rstr_run *run)
{
	if (!run->ctx.needs_tasks)
		return 0;
	if (wait_event_killable(run->wait, rstr_all_started(run) ||
				READ_ONCE(run->err) ||
				rstr_run_state(run) == RSTR_ABORT))
		return -EINTR;
	return rstr_all_started(run) ? 0 : READ_ONCE(run->err) ?: -EINTR;
}

static void rstr_started(struct rstr_run *run)
{
	/* Pairs with rstr_all_started(). */
	if (atomic_dec_and_test(&run->unstarted))
		wake_up_all(&run->wait);
}

/* Whose vfork(2) is in flight is to be found waiting by the child, or gone. */
static void rstr_task_tell_vforked(struct rstr_task *task)
{
	if (!task->vforked)
		return;
	/* Pairs with rstr_task_resume(). */
	smp_store_release(&task->vforked->awaited, true);
	wake_up_all(&task->ctx->run->wait);
}

static void rstr_task_vfork(struct rstr_task *task, struct rstr_held *held)
{
	struct task_struct *child = get_task_struct(task->vforked->task);
	pid_t pid = task_pid_vnr(child);
	struct completion done;

	ckpt_vfork_begin(child, &done);
	rstr_task_tell_vforked(task);
	rstr_run_put(task->ctx->run);
	if (held->stop)
		rstr_held_stop(held);
	ckpt_vfork_wait(child, &done);
	rstr_held_end(held);
	rstr_held_vforked(pid);
}

/* On the way to user mode, in get_signal(): where checkpoint parks tasks. */
static void rstr_task_resume(struct callback_head *work)
{
	struct rstr_task *task = container_of(work, struct rstr_task, work);
	struct rstr_run *run = task->ctx->run;
	struct rstr_held held;

	/* Works that come later would be lost with it. */
	if (work->next && rstr_held_exits(task) &&
	    !task_work_add(current, work, TWA_SIGNAL))
		return;
	if (task->vforker)
		wait_event_killable(run->wait,
				    /* Pairs with rstr_task_vfork(). */
				    smp_load_acquire(&task->awaited));
	ckpt_task_resume(task->ctx, task->obj, rstr_task_resumes_group(task));
	rstr_held_begin(task, &held);
	if (task->vforked && !(current->flags & PF_EXITING)) {
		rstr_task_vfork(task, &held);
		return;
	}
	rstr_task_tell_vforked(task);
	rstr_held_wait(task, &held);
	ckpt_turn_wait(&task->turn, run->went + CKPT_TURNS_TIMEOUT);
	/* It may be held for long, or make a system call that takes long. */
	rstr_run_put(run);
	if (held.stop)
		rstr_held_stop(&held);
	rstr_held_end(&held);
}

static int rstr_task_go(struct rstr_task *task)
{
	init_task_work(&task->work, rstr_task_resume);
	return task_work_add(current, &task->work, TWA_SIGNAL);
}

/* Creating tasks. */

static int rstr_task_main(void *arg);

static int rstr_task_create_error(struct rstr_ctx *ctx, pid_t pid, int err)
{
	struct task_struct *holder;
	char comm[TASK_COMM_LEN] = "";

	if (err == -ERESTARTNOINTR)
		return -EINTR;
	if (err == -EPERM)
		return ckpt_refuse(&ctx->log, err,
				   "pid %d: not permitted to choose a pid (CAP_CHECKPOINT_RESTORE)",
				   pid);
	if (err != -EEXIST)
		return ckpt_refuse(&ctx->log, err,
				   "pid %d: the task can't be created: %pe",
				   pid, ERR_PTR(err));
	rcu_read_lock();
	holder = find_task_by_vpid(pid);
	if (holder)
		get_task_comm(comm, holder);
	rcu_read_unlock();
	return ckpt_refuse(&ctx->log, err, "pid %d: taken%s%s", pid,
			   comm[0] ? " by " : "", comm);
}

/* Whether a pid is only taken by one who ends, or waits to be reaped. */
static bool rstr_pid_is_of_dead(pid_t pid)
{
	struct task_struct *holder;

	guard(rcu)();
	holder = find_task_by_vpid(pid);
	return !holder || READ_ONCE(holder->exit_state) ||
	       (READ_ONCE(holder->signal->flags) & SIGNAL_GROUP_EXIT);
}

static pid_t rstr_clone(struct kernel_clone_args *args)
{
	unsigned long end = jiffies + CKPT_PID_TIMEOUT;
	pid_t pid;

	do {
		pid = kernel_clone(args);
	} while (pid == -EEXIST && rstr_pid_is_of_dead(*args->set_tid) &&
		 time_before(jiffies, end) && !schedule_timeout_killable(1));
	return pid;
}

/* By whom it is to be a child or a thread of. */
static int rstr_task_create(struct rstr_task *task, int (*fn)(void *))
{
	struct rstr_ctx *ctx = task->ctx;
	pid_t tid = task->tid, pid;
	struct kernel_clone_args args = {
		.flags		= CLONE_VM | CLONE_FS | CLONE_FILES |
				  CLONE_UNTRACED,
		.fn		= fn,
		.fn_arg		= task,
		.set_tid	= &tid,
		.set_tid_size	= ctx->flags & RESTART_NEW_PIDS ? 0 : 1,
		/* It tells nobody of its end before it has begun. */
		.exit_signal	= 0,
	};

	if (task->leader != task)
		args.flags |= CLONE_THREAD | CLONE_SIGHAND;
	refcount_inc(&ctx->run->users);
	pid = rstr_clone(&args);
	if (pid < 0) {
		refcount_dec(&ctx->run->users);
		return rstr_task_create_error(ctx, tid, pid);
	}
	task->pid = pid;
	return 0;
}

static int rstr_tasks_create(struct list_head *tasks)
{
	struct rstr_task *task;
	int err;

	list_for_each_entry(task, tasks, sibling) {
		err = rstr_task_create(task, rstr_task_main);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Whether one who is dying has waited long enough for what does not die. Only if
 * all his threads die is there another to bury it: what outlives an exec of one
 * of them has a child that it never had.
 */
static bool rstr_bury_no_more(unsigned long end)
{
	return fatal_signal_pending(current) &&
	       (READ_ONCE(current->signal->flags) & SIGNAL_GROUP_EXIT) &&
	       time_after(jiffies, end);
}

/*
 * A task that is not to be leaves no zombie. Its parent looks for its end now
 * and then, whatever signals come, as each task is on its way out; one who is
 * killed waits a little, since whoever inherits his children may be one who does
 * not bury them. A task that another thread of the parent's reaped is gone.
 */
static void rstr_task_bury(struct rstr_task *task)
{
	unsigned long end = jiffies + RSTR_REAP_TIMEOUT;

	if (!task->pid || task->leader != task)
		return;
	/* Set by the task itself, the first thing that it does. */
	while (!smp_load_acquire(&task->task))
		schedule_timeout_uninterruptible(1);
	send_sig_info(SIGKILL, SEND_SIG_PRIV, task->task);
	while (pid_alive(task->task) && !rstr_bury_no_more(end) &&
	       !kernel_wait4(task->pid, NULL, __WALL | WNOHANG, NULL))
		schedule_timeout_uninterruptible(1);
}

static void rstr_tasks_bury(struct list_head *tasks)
{
	struct rstr_task *task;

	list_for_each_entry(task, tasks, sibling)
		rstr_task_bury(task);
}

/* A task of the image. */

/* All that it needs is made aside; and those are created whose parent it is. */
static int rstr_task_build(struct rstr_task *task)
{
	struct rstr_ctx *ctx = task->ctx;
	struct rstr_run *run = ctx->run;
	int err = 0;

	if (task->leader == task && task->live) {
		err = mutex_lock_killable(&run->lock);
		if (err)
			return err;
		err = ckpt_task_share(ctx, task->live->obj);
		mutex_unlock(&run->lock);
	}
	if (!err)
		err = rstr_tasks_create(&task->threads);
	if (!err)
		err = rstr_tasks_create(&task->children);
	if (!err)
		err = rstr_wait_started(run);
	if (!err)
		err = mutex_lock_killable(&run->lock);
	if (err)
		return err;
	err = ckpt_task_build(ctx, task->obj);
	mutex_unlock(&run->lock);
	return err;
}

/* What the threads of a group have in common comes before what is their own. */
static int rstr_task_install(struct rstr_task *task)
{
	bool leads = task->leader == task;
	int err;

	if (!leads) {
		err = wait_for_completion_killable(&task->leader->installed);
		if (err)
			return -EINTR;
		if (rstr_run_state(task->ctx->run) == RSTR_ABORT)
			return -EINTR;
	}
	err = ckpt_task_install(task->ctx, task->obj, leads);
	if (!err && leads)
		complete_all(&task->installed);
	return err;
}

static int rstr_task_prepare(struct rstr_task *task)
{
	struct rstr_run *run = task->ctx->run;
	int err;

	err = rstr_task_build(task);
	rstr_arrive(run, err);
	if (!err)
		err = rstr_wait_state(run, RSTR_INSTALL);
	if (err)
		return err;
	err = rstr_task_install(task);
	rstr_arrive(run, err);
	return err;
}

static void rstr_task_start(struct rstr_task *task)
{
	task->turn.task = current;
	/* Pairs with rstr_task_bury(). */
	smp_store_release(&task->task, get_task_struct(current));
	rstr_started(task->ctx->run);
	ckpt_signals_hold();
}

/* What has ended before ends again, for its parent to find. */
static void __noreturn rstr_task_exit(struct rstr_task *task)
{
	struct rstr_run *run = task->ctx->run;
	int code = ckpt_task_exit_code(task->obj);

	rstr_run_put(run);
	/* The caller's own reference, of which he won't be back to be rid. */
	if (task == run->task && run->ctx.self) {
		ckpt_log_flush(&run->ctx.log);
		rstr_run_put(run);
	}
	do_exit(code);
}

static int rstr_task_main(void *arg)
{
	struct rstr_task *task = arg;
	struct rstr_run *run = task->ctx->run;
	int err;

	rstr_task_start(task);
	err = rstr_task_prepare(task);
	if (!err && rstr_task_is_dead(task))
		rstr_task_exit(task);
	if (!err)
		err = rstr_wait_state(run, RSTR_GO);
	if (!err)
		err = rstr_task_go(task);
	if (!err)
		return 0;
	/* It was never seen by anyone but its parent, who buries it. */
	rstr_task_tell_vforked(task);
	rstr_held_forget(task);
	rstr_arrive(run, err);
	rstr_tasks_bury(&task->children);
	rstr_run_put(run);
	do_exit(SIGKILL);
}

static int rstr_lender_main(void *arg)
{
	struct rstr_task *task = arg;
	struct rstr_run *run = task->ctx->run;

	rstr_task_start(task);
	rstr_arrive(run, 0);
	rstr_wait_state(run, RSTR_GO);
	rstr_run_put(run);
	do_exit(0);
}

/* The caller. */

static void rstr_run_decide(struct rstr_run *run, enum rstr_state state)
{
	/* Pairs with rstr_run_state(). */
	smp_store_release(&run->state, state);
	wake_up_all(&run->wait);
}

static int rstr_wait_tasks(struct rstr_run *run)
{
	if (wait_event_interruptible(run->arrived,
				     READ_ONCE(run->err) ||
				     !atomic_read(&run->missing)))
		return -EINTR;
	return READ_ONCE(run->err);
}

static int rstr_lenders_create(struct rstr_run *run)
{
	int err;

	for (u32 i = 0; i < run->nr_lenders; i++) {
		err = rstr_task_create(&run->lender[i], rstr_lender_main);
		if (err)
			return err;
	}
	return 0;
}

static void rstr_lenders_bury(struct rstr_run *run)
{
	for (u32 i = 0; i < run->nr_lenders; i++)
		rstr_task_bury(&run->lender[i]);
}

static int rstr_pages_read(struct rstr_ctx *ctx)
{
	int err;

	err = ckpt_memory_read(ctx);
	if (!err)
		err = ckpt_mm_populate_locked(ctx);
	if (!err)
		err = rstr_trailer_read(ctx);
	return err;
}

static int rstr_link(struct rstr_run *run)
{
	int err = mutex_lock_killable(&run->lock);

	if (err)
		return err;
	err = rstr_objs_link(&run->ctx);
	mutex_unlock(&run->lock);
	return err;
}

/* All tasks have been told to be built; whatever can fail for a reason of the
 * image's or of rights does so here.
 */
static int rstr_build(struct rstr_run *run)
{
	int err;

	err = rstr_wait_tasks(run);
	if (!err)
		err = rstr_objs_restore_rest(&run->ctx);
	if (!err)
		err = rstr_link(run);
	if (!err)
		err = rstr_pages_read(&run->ctx);
	if (!err)
		err = rstr_objs_apply(&run->ctx);
	/* Whoever was killed meanwhile has said so. */
	if (!err)
		err = READ_ONCE(run->err);
	return err;
}

/* Those who have ended before are zombies before anyone can wait for them. */
static void rstr_wait_dead(struct rstr_run *run)
{
	struct rstr_task *task;

	rstr_for_each_task(task, run) {
		if (!rstr_task_is_dead(task) || task->task == current)
			continue;
		while (!READ_ONCE(task->task->exit_state))
			schedule_timeout_uninterruptible(1);
		ckpt_task_bury(task->ctx, task->obj, task->task);
	}
}

static void rstr_go(struct rstr_run *run)
{
	rstr_wait_dead(run);
	rstr_objs_settle(&run->ctx, true);
	rstr_tree_adopt(run);
	rstr_ctty_install(run);
	rstr_trace(run);
	rstr_tree_hold(run);
	rstr_made_end(&run->ctx, true);
	run->went = jiffies;
	rstr_run_decide(run, RSTR_GO);
	rstr_lenders_bury(run);
}

static void rstr_abort(struct rstr_run *run)
{
	struct rstr_task *task;

	rstr_run_decide(run, RSTR_ABORT);
	rstr_for_each_task(task, run)
		complete_all(&task->installed);
	rstr_lenders_bury(run);
}

static long rstr_children(struct rstr_run *run)
{
	struct rstr_task *root = run->task;
	int err;

	atomic_set(&run->missing, run->nr + run->nr_lenders);
	atomic_set(&run->unstarted, run->nr + run->nr_lenders);
	err = rstr_lenders_create(run);
	if (!err)
		err = rstr_task_create(root, rstr_task_main);
	if (!err)
		err = rstr_build(run);
	if (!err) {
		atomic_set(&run->missing, run->nr);
		rstr_run_decide(run, RSTR_INSTALL);
		err = rstr_wait_tasks(run);
	}
	if (!err)
		err = rstr_trace_check(run);
	if (err) {
		rstr_abort(run);
		rstr_task_bury(root);
		return err;
	}
	rstr_go(run);
	return root->pid;
}

/* The caller's threads see that it is not to be. */
static void rstr_self_abort(struct rstr_run *run)
{
	rstr_abort(run);
	rstr_tasks_bury(&run->task->children);
	while (!thread_group_empty(current))
		schedule_timeout_uninterruptible(1);
}

static int rstr_self_build(struct rstr_run *run)
{
	int err;

	run->task->pid = task_pid_vnr(current);
	run->task->task = get_task_struct(current);
	atomic_set(&run->missing, run->nr - 1 + run->nr_lenders);
	atomic_set(&run->unstarted, run->nr - 1 + run->nr_lenders);
	err = rstr_lenders_create(run);
	if (!err)
		err = rstr_task_build(run->task);
	if (!err)
		err = rstr_build(run);
	return err;
}

/* The caller comes last, and its threads with it. */
static int rstr_self_install_others(struct rstr_run *run)
{
	u32 own = list_count_nodes(&run->task->threads) + 1;

	atomic_set(&run->missing, run->nr - own);
	rstr_run_decide(run, RSTR_INSTALL);
	return rstr_wait_tasks(run);
}

/* From here on there is no way back. */
static int rstr_self_install(struct rstr_run *run)
{
	int err;

	atomic_set(&run->missing, list_count_nodes(&run->task->threads));
	err = rstr_task_install(run->task);
	if (!err)
		err = rstr_wait_tasks(run);
	if (!err && !rstr_task_is_dead(run->task))
		err = rstr_task_go(run->task);
	return err;
}

/*
 * The caller becomes the root. All that may fail for a reason of the image's or
 * of rights is done before anything of his is given up.
 */
static long rstr_self(struct rstr_run *run)
{
	int err;

	if (!thread_group_empty(current))
		return ckpt_refuse(&run->ctx.log, -EBUSY,
				   "the caller has other threads");
	err = rstr_self_build(run);
	if (!err)
		err = rstr_self_install_others(run);
	if (!err)
		err = rstr_trace_check(run);
	if (err) {
		rstr_self_abort(run);
		return err;
	}
	refcount_inc(&run->users);
	err = rstr_self_install(run);
	if (err) {
		rstr_abort(run);
		rstr_run_put(run);
		force_fatal_sig(SIGKILL);
		return err;
	}
	rstr_go(run);
	/* A leader that has ended before its threads does not go on. */
	if (rstr_task_is_dead(run->task))
		rstr_task_exit(run->task);
	return 0;
}

/* Some terminal of the caller's, if he has one. */
static struct file *rstr_find_tty(void)
{
	struct file *file;

	for (int fd = 0; fd < 3; fd++) {
		file = fget(fd);
		if (file && ckpt_file_is_tty(file))
			return file;
		if (file)
			fput(file);
	}
	file = filp_open("/dev/tty", O_RDWR | O_NOCTTY, 0);
	return IS_ERR(file) ? NULL : file;
}

static int rstr_ctx_init(struct rstr_ctx *ctx, int fd, int logfd)
{
	int err;

	err = ckpt_log_init(&ctx->log, logfd, ctx->flags & RESTART_LOGFD);
	if (err)
		return err;
	ctx->file = fget(fd);
	if (!ctx->file || !(ctx->file->f_mode & FMODE_READ))
		return -EBADF;
	ctx->tty = rstr_find_tty();
	return 0;
}

static long rstr_run(struct rstr_run *run)
{
	struct rstr_ctx *ctx = &run->ctx;
	int err;

	err = rstr_image_read(ctx);
	if (!err)
		err = rstr_tree_make(run);
	if (!err)
		err = rstr_objs_check_tree(ctx);
	if (err)
		return err;
	return ctx->self ? rstr_self(run) : rstr_children(run);
}

/**
 * ckpt_restart() - what sys_restart() does once its flags are known
 * @pid: as there, checked
 * @fd: as there
 * @flags: as there, checked
 * @logfd: as there
 * @external: as there
 * @nr: as there; 0 if there are none
 *
 * Return: as there. A caller that becomes the root of the image does not see
 * what is returned: its registers are loaded after that.
 */
long ckpt_restart(pid_t pid, int fd, unsigned int flags, int logfd,
		  const struct checkpoint_external __user *external, u32 nr)
{
	struct rstr_run *run;
	long ret;

	run = kzalloc(sizeof(*run), GFP_KERNEL_ACCOUNT);
	if (!run)
		return -ENOMEM;
	refcount_set(&run->users, 1);
	init_waitqueue_head(&run->wait);
	init_waitqueue_head(&run->arrived);
	mutex_init(&run->lock);
	INIT_LIST_HEAD(&run->ctx.made);
	run->ctx.run = run;
	run->ctx.flags = flags;
	run->ctx.self = pid;
	ret = rstr_ctx_init(&run->ctx, fd, logfd);
	if (!ret)
		ret = ckpt_externals_read(&run->ctx.externals, external, nr,
					  true);
	if (!ret)
		ret = rstr_run(run);
	/* Now, rather than when the last task is in user mode. */
	ckpt_log_flush(&run->ctx.log);
	rstr_run_put(run);
	return ret;
}
