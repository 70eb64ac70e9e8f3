// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine of checkpoint(): resolve and authorise, stop, capture, let go,
 * write. Nothing is written before all has been captured, and found to be
 * supported. Of kinds it knows none.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/math64.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/timekeeping.h>
#include <linux/uuid.h>

#include "base.h"
#include "checkpoint.h"
#include "frames.h"
#include "image.h"
#include "limits.h"
#include "pages.h"
#include "stop.h"
#include "sums.h"

/* A stopped task may be continued or killed at any time; so often we begin anew. */
#define CKPT_CAPTURE_TRIES	16

static atomic64_t ckpt_last_id;

static struct task_struct *ckpt_find_task(pid_t pid)
{
	struct task_struct *task;

	rcu_read_lock();
	task = find_task_by_vpid(pid);
	if (task)
		get_task_struct(task);
	rcu_read_unlock();
	return task;
}

static int ckpt_check_root(struct ckpt_ctx *ctx, struct task_struct *task)
{
	if (!thread_group_leader(task))
		return ckpt_refuse(&ctx->log, -ESRCH,
				   "is a thread of process %d, not a process",
				   task_tgid_vnr(task));
	if (thread_group_empty(task) &&
	    (task->exit_state || (task->flags & PF_EXITING)))
		return ckpt_refuse(&ctx->log, -ESRCH, "exits");
	return 0;
}

/* Find the root of the tree. */
static int ckpt_resolve(struct ckpt_ctx *ctx, pid_t pid)
{
	struct task_struct *task __free(put_task) = ckpt_find_task(pid);
	int err;

	if (!task)
		return ckpt_refuse(&ctx->log, -ESRCH, "pid %d: no such process",
				   pid);
	ckpt_log_task(&ctx->log, task);
	err = ckpt_check_root(ctx, task);
	if (err)
		return err;
	ctx->root_pid = pid;
	ctx->tree.root = no_free_ptr(task);
	ctx->stop = ckpt_stop_alloc();
	return ctx->stop ? 0 : -ENOMEM;
}

static int ckpt_capture_tasks(struct ckpt_ctx *ctx)
{
	struct task_struct *task;
	u32 ref;
	int err;

	err = ckpt_image_start(ctx);
	if (err)
		return err;
	ctx->time = ktime_get_real_ns();
	ctx->boottime = ktime_get_boottime_ns();
	for (u32 i = 0; i < ctx->tree.nr; i++) {
		task = ctx->tree.task[i];
		ckpt_log_task(&ctx->log, task);
		err = ckpt_save(ctx, CKPT_TASK, task, &ref);
		if (err)
			return err;
	}
	err = ckpt_kinds_collect(ctx);
	if (!err)
		err = ckpt_objs_finish(ctx);
	if (err)
		return err;
	ckpt_log_task(&ctx->log, ctx->tree.root);
	err = ckpt_objs_remarks(ctx);
	if (!err)
		err = ckpt_externals_unused(&ctx->log, &ctx->externals);
	if (!err)
		err = ckpt_bases_check(ctx);
	return err ?: ckpt_objs_check_users(ctx);
}

static void ckpt_forget(struct ckpt_ctx *ctx)
{
	ckpt_memory_release(ctx);
	ckpt_objs_destroy(ctx);
}

static int ckpt_capture_once(struct ckpt_ctx *ctx)
{
	int err;

	err = ckpt_tree_stop(ctx);
	if (err)
		return err;
	/* It may have come to its end while it was being stopped. */
	ckpt_log_task(&ctx->log, ctx->tree.root);
	err = ckpt_check_root(ctx, ctx->tree.root);
	if (err)
		return err;
	err = ckpt_objs_init(ctx);
	if (err)
		return err;
	err = ckpt_capture_tasks(ctx);
	if (!err)
		err = ckpt_stop_verify(ctx->stop, &ctx->log);
	if (err)
		ckpt_forget(ctx);
	return err;
}

/* Afterwards all there is to know is in memory, or there is an error. */
static int ckpt_capture(struct ckpt_ctx *ctx)
{
	int err;

	ctx->stopping = ktime_get_ns();
	for (int i = 0; i < CKPT_CAPTURE_TRIES; i++) {
		err = ckpt_capture_once(ctx);
		if (err != -EAGAIN)
			return err;
		if (fatal_signal_pending(current))
			return -EINTR;
		ckpt_stop_again(ctx->stop);
	}
	return ckpt_refuse(&ctx->log, -EAGAIN,
			   "was continued or killed whenever it was captured");
}

/* What comes behind the pages. */
static int ckpt_end_write(struct ckpt_ctx *ctx)
{
	struct ckpt_buf *end = &ctx->sums.table;
	struct ckpt_image_trailer trailer;
	void *at;
	int err;

	err = ckpt_sums_end(&ctx->sums);
	if (err)
		return err;
	at = ckpt_buf_add(end, sizeof(trailer));
	if (IS_ERR(at))
		return PTR_ERR(at);
	ckpt_trailer_make(ctx, &trailer);
	memcpy(at, &trailer, sizeof(trailer));
	return ckpt_write(ctx, end->data, end->len);
}

static int ckpt_write_image(struct ckpt_ctx *ctx)
{
	int err;

	err = ckpt_memory_map(ctx);
	if (err)
		return err;
	err = ckpt_image_seal(ctx);
	if (err)
		return err;
	err = ckpt_write(ctx, ctx->meta.data, ctx->meta.len);
	if (err)
		return err;
	err = ckpt_memory_write(ctx);
	return err ?: ckpt_end_write(ctx);
}

/*
 * To every process of the tree; to the one that asked for it, should it be in
 * it, last.
 */
static void ckpt_tree_signal(struct ckpt_tree *tree, int sig)
{
	bool own = false;

	for (u32 i = 0; i < tree->nr; i++) {
		if (!thread_group_leader(tree->task[i]))
			continue;
		if (same_thread_group(tree->task[i], current))
			own = true;
		else
			send_sig_info(sig, SEND_SIG_PRIV, tree->task[i]);
	}
	if (own)
		send_sig_info(sig, SEND_SIG_PRIV, current);
}

/*
 * Whoever restarts the image wants the pids again: see that all that were killed
 * have ended, though not for longer than it takes to stop one.
 */
static void ckpt_tree_wait_dead(struct ckpt_tree *tree)
{
	unsigned long end = jiffies + CKPT_STOP_TIMEOUT;

	for (u32 i = 0; i < tree->nr; i++)
		while (!READ_ONCE(tree->task[i]->exit_state) &&
		       tree->task[i] != current &&
		       time_before(jiffies, end) &&
		       !schedule_timeout_killable(1))
			;
}

static bool ckpt_is_live(const struct ckpt_ctx *ctx)
{
	return !(ctx->flags & (CHECKPOINT_KILL | CHECKPOINT_STOP));
}

static void ckpt_run_on(struct ckpt_ctx *ctx)
{
	u64 now;

	ckpt_stop_release(ctx->stop);
	now = ktime_get_ns();
	ctx->stopped = min(div_u64(now - ctx->stopping, NSEC_PER_USEC), U32_MAX);
}

/* The tasks are at rest. On return they run on, are stopped, or dying. */
static int ckpt_finish(struct ckpt_ctx *ctx)
{
	int err;

	if (ckpt_is_live(ctx))
		ckpt_run_on(ctx);
	else
		ckpt_stop_allow_kill(ctx->stop);
	/* Shared pages are held by it, which need not be while we write. */
	ckpt_ahead_release(ctx);

	/* Whatever they give up from now on is gone when they do. */
	ckpt_objs_destroy(ctx);
	ckpt_log_detail(&ctx->log, "%s", "");
	err = ckpt_write_image(ctx);
	if (!err && (ctx->flags & CHECKPOINT_KILL)) {
		ckpt_tree_signal(&ctx->tree, SIGKILL);
		ckpt_tree_wait_dead(&ctx->tree);
	}
	if (!err && (ctx->flags & CHECKPOINT_STOP))
		ckpt_tree_signal(&ctx->tree, SIGSTOP);
	return err;
}

static int ckpt_run(struct ckpt_ctx *ctx, pid_t pid)
{
	int err;

	err = ckpt_resolve(ctx, pid);
	if (!err && ckpt_is_live(ctx))
		ckpt_memory_ahead(ctx);
	if (!err)
		err = ckpt_capture(ctx);
	if (!err) {
		err = ckpt_finish(ctx);
		if (!err)
			ckpt_bases_keep(ctx);
		ckpt_memory_release(ctx);
	}
	ckpt_bases_release(ctx);
	if (ctx->stop) {
		ckpt_stop_release(ctx->stop);
		ckpt_stop_put(ctx->stop);
	}
	ckpt_ahead_release(ctx);
	ckpt_tree_release(&ctx->tree);
	return err;
}

static int ckpt_ctx_init(struct ckpt_ctx *ctx, int fd, int logfd)
{
	int err;

	INIT_LIST_HEAD(&ctx->ahead);
	INIT_LIST_HEAD(&ctx->bases);
	INIT_LIST_HEAD(&ctx->copies);
	INIT_LIST_HEAD(&ctx->memory);
	err = ckpt_log_init(&ctx->log, logfd, ctx->flags & CHECKPOINT_LOGFD);
	if (err)
		return err;
	ctx->file = fget(fd);
	if (!ctx->file || !(ctx->file->f_mode & FMODE_WRITE))
		return -EBADF;
	ctx->id = atomic64_inc_return(&ckpt_last_id) & INT_MAX;
	generate_random_uuid(ctx->uuid);
	return 0;
}

/**
 * ckpt_checkpoint() - what sys_checkpoint() does once its flags are known
 * @pid: as there
 * @fd: as there
 * @flags: as there, checked
 * @logfd: as there
 * @args: what else there is; with nothing in it that @flags does not say
 *
 * Return: as there.
 */
long ckpt_checkpoint(pid_t pid, int fd, unsigned int flags, int logfd,
		     const struct checkpoint_args *args)
{
	struct ckpt_ctx ctx = { .flags = flags };
	long ret;

	/* Frames have checksums of their own. */
	if (flags & CHECKPOINT_COMPRESS)
		ctx.flags &= ~CHECKPOINT_CHECKSUM;
	memcpy(ctx.parent, args->parent, sizeof(ctx.parent));
	ret = ckpt_ctx_init(&ctx, fd, logfd);
	if (!ret)
		ret = ckpt_externals_read(&ctx.externals,
					  u64_to_user_ptr(args->external),
					  args->nr, false);
	if (!ret)
		ret = ckpt_run(&ctx, pid);
	if (!ret)
		ret = ctx.id;
	ckpt_buf_free(&ctx.meta);
	ckpt_buf_free(&ctx.sums.table);
	ckpt_frames_free(ctx.frames);
	ckpt_externals_release(&ctx.externals);
	if (ctx.file)
		fput(ctx.file);
	ckpt_log_flush(&ctx.log);
	return ret;
}
