// SPDX-License-Identifier: GPL-2.0-only
/*
 * Task trees. At checkpoint: finding all tasks below the root, while they are
 * being stopped. At restart: what the image says about who is whose, checked,
 * and put in force once all tasks are there.
 *
 * The tree is found as in the patches of 2009, depth first and in two passes,
 * one that counts and one that fills what was allocated in between. A task that
 * is at rest makes no others: the tree is complete when a scan that began with
 * all known tasks at rest finds no new ones.
 */
#include <linux/bsearch.h>
#include <linux/fdtable.h>
#include <linux/mm.h>
#include <linux/ptrace.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "checkpoint.h"
#include "limits.h"
#include "ptrace.h"
#include "restart.h"
#include "stop.h"
#include "task.h"
#include "tree.h"

/* Checkpoint. */

/* A scan of the tree, under tasklist_lock. */
struct ckpt_tree_scan {
	struct ckpt_tree	*tree;
	u32			nr;
};

static int ckpt_tree_visit(struct task_struct *leader, void *data)
{
	struct ckpt_tree_scan *scan = data;
	struct ckpt_tree *tree = scan->tree;
	struct task_struct *task;

	for_each_thread(leader, task) {
		if (READ_ONCE(task->exit_state) == EXIT_DEAD)
			continue;
		if (scan->nr < tree->max)
			tree->task[tree->nr++] = get_task_struct(task);
		scan->nr++;
	}
	return 1;
}

static void ckpt_tree_forget(struct ckpt_tree *tree)
{
	while (tree->nr)
		put_task_struct(tree->task[--tree->nr]);
}

/* Fill in what there is room for, and return how many tasks there are. */
static u32 ckpt_tree_fill(struct ckpt_tree *tree)
{
	struct ckpt_tree_scan scan = { .tree = tree };

	ckpt_tree_forget(tree);
	read_lock(&tasklist_lock);
	ckpt_tree_visit(tree->root, &scan);
	read_unlock(&tasklist_lock);
	walk_process_tree(tree->root, ckpt_tree_visit, &scan);
	return scan.nr;
}

/**
 * ckpt_tree_scan() - list the tasks of the tree as it is now
 * @ctx: the checkpoint, whose root is known
 *
 * Return: 0, -E2BIG, -ENOMEM, -EINTR.
 */
int ckpt_tree_scan(struct ckpt_ctx *ctx)
{
	struct ckpt_tree *tree = &ctx->tree;
	u32 nr;

	for (;;) {
		nr = ckpt_tree_fill(tree);
		if (nr <= tree->max)
			return 0;
		if (nr > CKPT_TASKS_MAX)
			return ckpt_refuse(&ctx->log, -E2BIG,
					   "%u tasks: too many", nr);
		ckpt_tree_forget(tree);
		kvfree(tree->task);
		tree->max = nr + nr / 8 + 8;
		tree->task = kvmalloc_array(tree->max, sizeof(*tree->task),
					    GFP_KERNEL_ACCOUNT);
		if (!tree->task) {
			tree->max = 0;
			return -ENOMEM;
		}
		if (fatal_signal_pending(current))
			return -EINTR;
	}
}

void ckpt_tree_release(struct ckpt_tree *tree)
{
	ckpt_tree_forget(tree);
	kvfree(tree->task);
	if (tree->root)
		put_task_struct(tree->root);
	*tree = (struct ckpt_tree){};
}

static int ckpt_tree_authorise(struct ckpt_ctx *ctx, struct task_struct *task)
{
	ckpt_log_task(&ctx->log, task);
	if (task->flags & PF_KTHREAD)
		return ckpt_refuse(&ctx->log, -EPERM, "is a kernel thread");
	if (task->flags & (PF_USER_WORKER | PF_IO_WORKER))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "kernel worker: not supported");
	if (!ptrace_may_access(task, PTRACE_MODE_ATTACH_REALCREDS))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "not permitted to trace it");
	return 0;
}

/* Add all tasks that were not known before, and tell them to come to rest. */
static int ckpt_tree_add(struct ckpt_ctx *ctx, u32 *nr_new)
{
	struct ckpt_tree *tree = &ctx->tree;
	int err;

	*nr_new = 0;
	for (u32 i = 0; i < tree->nr; i++) {
		if (ckpt_stop_has(ctx->stop, tree->task[i]))
			continue;
		err = ckpt_tree_authorise(ctx, tree->task[i]);
		if (!err)
			err = ckpt_stop_add(ctx->stop, tree->task[i]);
		if (err)
			return err;
		++*nr_new;
	}
	ckpt_stop_tell(ctx->stop);
	return 0;
}

/* Scan until a scan finds nothing new; or there is always something. */
static int ckpt_tree_chase(struct ckpt_ctx *ctx, u32 *nr_new)
{
	u32 nr = 1;
	int err;

	*nr_new = 0;
	for (int i = 0; nr && i < CKPT_TREE_TRIES; i++) {
		err = ckpt_tree_scan(ctx);
		if (!err)
			err = ckpt_tree_add(ctx, &nr);
		if (err)
			return err;
		*nr_new += nr;
	}
	return 0;
}

/**
 * ckpt_tree_stop() - find all tasks of the tree, and bring them to rest
 * @ctx: the checkpoint, whose root is known
 *
 * Return: 0, with ctx->tree complete; -EAGAIN if it grows faster than it can be
 * followed; -EPERM if one of the tasks may not be traced; or what
 * ckpt_stop_wait() returns.
 */
int ckpt_tree_stop(struct ckpt_ctx *ctx)
{
	u32 nr_new;
	int err;

	for (int i = 0; i < CKPT_TREE_TRIES; i++) {
		err = ckpt_tree_chase(ctx, &nr_new);
		if (err)
			return err;
		if (i && !nr_new)
			return 0;
		err = ckpt_stop_wait(ctx->stop, &ctx->log);
		if (err)
			return err;
	}
	ckpt_log_task(&ctx->log, ctx->tree.root);
	return ckpt_refuse(&ctx->log, -EAGAIN,
			   "its tree grows faster than it can be stopped");
}

/**
 * ckpt_tree_ppid() - whose child a process is
 * @ctx: the checkpoint
 * @leader: of the process, at rest
 *
 * Return: the id of the thread that is its parent, 0 for the root of the tree.
 */
u32 ckpt_tree_ppid(struct ckpt_ctx *ctx, struct task_struct *leader)
{
	guard(rcu)();
	if (leader == ctx->tree.root)
		return 0;
	return task_pid_vnr(rcu_dereference(leader->real_parent));
}

/**
 * ckpt_tree_group() - the number of a process group or session
 * @ctx: the checkpoint
 * @pid: what stands for it
 *
 * Return: the number, or 0 if its leader is one who is alive and not of this
 * tree: nobody can bring that one back.
 */
u32 ckpt_tree_group(struct ckpt_ctx *ctx, struct pid *pid)
{
	struct task_struct *leader;

	guard(rcu)();
	leader = pid_task(pid, PIDTYPE_TGID);
	if (leader && !ckpt_stop_has(ctx->stop, leader))
		return 0;
	return pid_vnr(pid);
}

/**
 * ckpt_tree_group_nr() - the number of a process group or session
 * @ctx: the checkpoint
 * @pid: the group; or NULL
 * @type: which of the two
 *
 * The caller holds tasklist_lock or is in an RCU read side section.
 *
 * Return: its number; 0 if nobody is in it, or its leader is one who is alive and
 * not of this tree.
 */
u32 ckpt_tree_group_nr(struct ckpt_ctx *ctx, struct pid *pid, enum pid_type type)
{
	return pid && pid_has_task(pid, type) ? ckpt_tree_group(ctx, pid) : 0;
}

static int ckpt_file_is(const void *file, struct file *found, unsigned int fd)
{
	return found == file;
}

/**
 * ckpt_tree_has_file() - whether a task of the tree has a file open
 * @ctx: the checkpoint
 * @file: the file; only to be compared
 *
 * Return: true if it is in a table of descriptors.
 */
bool ckpt_tree_has_file(struct ckpt_ctx *ctx, const struct file *file)
{
	struct files_struct *files;
	bool has = false;

	for (u32 i = 0; i < ctx->tree.nr && !has; i++) {
		task_lock(ctx->tree.task[i]);
		files = ctx->tree.task[i]->files;
		if (files)
			atomic_inc(&files->count);
		task_unlock(ctx->tree.task[i]);
		if (!files)
			continue;
		has = iterate_fd(files, 0, ckpt_file_is, file);
		put_files_struct(files);
	}
	return has;
}

/**
 * ckpt_tree_groups() - what process group and session a process is in
 * @ctx: the checkpoint
 * @leader: of the process, at rest
 * @pgid: the process group, 0 if its leader is outside the tree
 * @sid: the session, likewise
 */
void ckpt_tree_groups(struct ckpt_ctx *ctx, struct task_struct *leader,
		      u32 *pgid, u32 *sid)
{
	guard(rcu)();
	*pgid = ckpt_tree_group(ctx, task_pgrp(leader));
	*sid = ckpt_tree_group(ctx, task_session(leader));
}

/* Restart. */

static const struct ckpt_rec_task *rstr_task_rec(const struct rstr_task *task)
{
	return rstr_payload(task->obj->rec);
}

/**
 * rstr_task_group() - the thread group of a task
 * @task: the task, not one that only lends its pid
 *
 * Return: its object.
 */
struct rstr_obj *rstr_task_group(const struct rstr_task *task)
{
	return rstr_obj(task->ctx, rstr_task_rec(task)->signal);
}

static const struct ckpt_rec_signal *rstr_signal(const struct rstr_task *task)
{
	return rstr_payload(rstr_task_group(task)->rec);
}

/**
 * rstr_task_is_dead() - whether a task is only there to be waited for
 * @task: the task
 *
 * Return: true if it is to exit rather than to run.
 */
bool rstr_task_is_dead(const struct rstr_task *task)
{
	return rstr_task_rec(task)->what & cpu_to_le32(CKPT_TASK_DEAD);
}

/* Ids were found to be below PID_MAX_LIMIT. */
static int rstr_tree_cmp(const void *a, const void *b)
{
	const struct rstr_task *const *x = a, *const *y = b;

	return (int)(*x)->tid - (int)(*y)->tid;
}

static int rstr_tree_cmp_tid(const void *key, const void *elt)
{
	const struct rstr_task *const *task = elt;

	return (int)*(const u32 *)key - (int)(*task)->tid;
}

/**
 * rstr_tree_find() - the task that has an id
 * @run: the restart
 * @tid: the id that it has in the image
 *
 * Return: the task, or NULL.
 */
struct rstr_task *rstr_tree_find(struct rstr_run *run, u32 tid)
{
	struct rstr_task **task;

	task = bsearch(&tid, run->by_tid, run->nr, sizeof(*run->by_tid),
		       rstr_tree_cmp_tid);
	return task ? *task : NULL;
}

/**
 * rstr_tree_pid_now() - what became of an id that a program was told
 * @run: the restart, all of whose tasks are there
 * @pid: the id, which may be that of anyone
 *
 * Return: the id that the task has now; @pid if it is none of the tree.
 */
pid_t rstr_tree_pid_now(struct rstr_run *run, pid_t pid)
{
	struct rstr_task *task = rstr_tree_find(run, pid);

	return task ? task->pid : pid;
}

/**
 * rstr_process_pid() - whose number of a process this was
 * @ctx: the restart, all of whose tasks have been created
 * @pid: the number, as the checkpointer saw it
 *
 * Return: a reference to what the process has now; NULL if it is none of the
 * tree's, since who else has that number by now is another one.
 */
struct pid *rstr_process_pid(struct rstr_ctx *ctx, u32 pid)
{
	struct rstr_task *task = pid ? rstr_tree_find(ctx->run, pid) : NULL;

	/* Pairs with rstr_task_start(). */
	if (!task || task->leader != task || !smp_load_acquire(&task->task))
		return NULL;
	return get_task_pid(task->task, PIDTYPE_TGID);
}

static void rstr_task_init(struct rstr_task *task, struct rstr_ctx *ctx,
			   struct rstr_obj *obj, u32 tid)
{
	task->ctx = ctx;
	task->obj = obj;
	task->tid = tid;
	INIT_LIST_HEAD(&task->children);
	INIT_LIST_HEAD(&task->threads);
	init_completion(&task->installed);
}

static int rstr_tree_list(struct rstr_run *run)
{
	struct rstr_ctx *ctx = &run->ctx;
	u32 nr = le32_to_cpu(ctx->header->nr_tasks);

	if (!nr || nr > CKPT_TASKS_MAX || nr > ctx->nr_objs)
		return ckpt_refuse(&ctx->log, -EBADMSG, "image: %u tasks", nr);
	run->task = kvcalloc(nr, sizeof(*run->task), GFP_KERNEL_ACCOUNT);
	run->by_tid = kvmalloc_array(nr, sizeof(*run->by_tid),
				     GFP_KERNEL_ACCOUNT);
	if (!run->task || !run->by_tid)
		return -ENOMEM;
	for (u32 i = 0; i < ctx->nr_objs && run->nr <= nr; i++) {
		struct rstr_obj *obj = &ctx->objs[i];

		if (obj->kind->family != CKPT_TASK)
			continue;
		if (run->nr < nr) {
			rstr_task_init(&run->task[run->nr], ctx, obj,
				       ckpt_task_tid(obj));
			run->by_tid[run->nr] = &run->task[run->nr];
		}
		run->nr++;
	}
	if (run->nr == nr)
		return 0;
	run->nr = min(run->nr, nr);
	return ckpt_refuse(&ctx->log, -EBADMSG, "image: not %u tasks", nr);
}

static int rstr_tree_sort(struct rstr_run *run)
{
	sort(run->by_tid, run->nr, sizeof(*run->by_tid), rstr_tree_cmp, NULL);
	for (u32 i = 1; i < run->nr; i++)
		if (run->by_tid[i]->tid == run->by_tid[i - 1]->tid)
			return rstr_bad(&run->ctx, run->by_tid[i]->obj->rec,
					"a second one of id %u",
					run->by_tid[i]->tid);
	return 0;
}

/* Those that wait for locks and the like do so again in the order that they did. */
static int rstr_tree_order(struct rstr_run *run)
{
	struct rstr_task *task;
	LIST_HEAD(turns);

	rstr_for_each_task(task, run) {
		task->turn.place = le32_to_cpu(rstr_task_rec(task)->turn);
		if (task->turn.place)
			list_add_tail(&task->turn.node, &turns);
	}
	ckpt_turns_order(&turns);
	rstr_for_each_task(task, run)
		if (task->turn.place > run->nr ||
		    (task->turn.before &&
		     task->turn.before->place == task->turn.place))
			return rstr_bad(&run->ctx, task->obj->rec,
					"waits in place %u", task->turn.place);
	return 0;
}

/* The first thread of a group, which is the leader. */
static int rstr_tree_add_leader(struct rstr_run *run, struct rstr_task *task)
{
	const struct ckpt_rec_signal *rec = rstr_signal(task);
	u32 ppid = le32_to_cpu(rec->ppid);
	bool is_root = task == run->task;

	task->leader = task;
	rstr_task_group(task)->private = task;
	if (task->tid != le32_to_cpu(rec->pid))
		return rstr_bad(&run->ctx, task->obj->rec,
				"id %u for the leader of process %u",
				task->tid, le32_to_cpu(rec->pid));
	if (is_root != !ppid)
		return rstr_bad(&run->ctx, task->obj->rec,
				"process %u is child of %u", task->tid, ppid);
	if (!ppid)
		return 0;
	/* Those that come later have no leader yet. */
	task->parent = rstr_tree_find(run, ppid);
	if (!task->parent || !task->parent->leader || task->parent == task ||
	    rstr_task_is_dead(task->parent))
		return rstr_bad(&run->ctx, task->obj->rec,
				"process %u is child of %u, who can't have it",
				task->tid, ppid);
	list_add_tail(&task->sibling, &task->parent->children);
	return 0;
}

static int rstr_tree_add_thread(struct rstr_run *run, struct rstr_task *task)
{
	if (rstr_task_is_dead(task))
		return rstr_bad(&run->ctx, task->obj->rec,
				"a dead thread that is not the first");
	list_add_tail(&task->sibling, &task->leader->threads);
	return 0;
}

/* Threads of a group have these in common, whatever clone(2) was told. */
static int rstr_tree_add_live(struct rstr_run *run, struct rstr_task *task)
{
	const struct ckpt_rec_task *rec = rstr_task_rec(task), *first;

	if (!task->leader->live)
		task->leader->live = task;
	first = rstr_task_rec(task->leader->live);
	if (rec->mm != first->mm || rec->sighand != first->sighand)
		return rstr_bad(&run->ctx, task->obj->rec,
				"thread %u has memory or handlers of its own",
				task->tid);
	return 0;
}

static int rstr_tree_add(struct rstr_run *run, struct rstr_task *task)
{
	int err;

	task->leader = rstr_task_group(task)->private;
	if (task->leader)
		err = rstr_tree_add_thread(run, task);
	else
		err = rstr_tree_add_leader(run, task);
	if (!err && !rstr_task_is_dead(task))
		err = rstr_tree_add_live(run, task);
	return err;
}

static int rstr_tree_check_group(struct rstr_run *run, struct rstr_task *task)
{
	const struct ckpt_rec_signal *rec = rstr_signal(task);
	size_t nr = list_count_nodes(&task->threads) + 1;
	bool zombie = rec->what & cpu_to_le32(CKPT_SIGNAL_ZOMBIE);

	if (nr != le32_to_cpu(rec->nr_threads))
		return rstr_bad(&run->ctx, task->obj->rec,
				"process %u has %zu threads, not %u", task->tid,
				nr, le32_to_cpu(rec->nr_threads));
	if (zombie == !!task->live || (zombie && task == run->task))
		return rstr_bad(&run->ctx, task->obj->rec,
				"process %u is neither dead nor alive",
				task->tid);
	return 0;
}

/*
 * A process group lies within one session, and who leads a session is in it.
 * The one that gave a group its number may have left it since.
 */
static int rstr_tree_check_ids(struct rstr_run *run, struct rstr_task *task)
{
	const struct ckpt_rec_signal *rec = rstr_signal(task);
	struct rstr_task *pgrp, *session;

	pgrp = rstr_tree_find(run, le32_to_cpu(rec->pgid));
	session = rstr_tree_find(run, le32_to_cpu(rec->sid));
	if ((!pgrp || (pgrp->leader == pgrp &&
		       rstr_signal(pgrp)->sid == rec->sid)) &&
	    (!session || (session->leader == session &&
			  rstr_signal(session)->pgid == rec->sid &&
			  rstr_signal(session)->sid == rec->sid)))
		return 0;
	return rstr_bad(&run->ctx, task->obj->rec,
			"process group %u in session %u",
			le32_to_cpu(rec->pgid), le32_to_cpu(rec->sid));
}

/**
 * rstr_is_callers() - whether a process group or session of the image is that of
 *	the caller from now on
 * @run: the restart
 * @id: its number
 * @type: which of the two
 *
 * Return: true if the root was in it, and joins the caller; or if it is one whose
 * leader was outside the tree.
 */
bool rstr_is_callers(struct rstr_run *run, u32 id, enum pid_type type)
{
	const struct ckpt_rec_signal *root = rstr_signal(run->task);

	if (!id)
		return true;
	if (type == PIDTYPE_SID)
		return run->joins_session && id == le32_to_cpu(root->sid);
	return run->joins_group && id == le32_to_cpu(root->pgid);
}

/* Its terminal was another's, as the caller's is to be from now on. */
static bool rstr_root_is_job(struct rstr_run *run)
{
	const struct ckpt_rec_ctty *ctty;
	const struct ckpt_record *part;

	part = rstr_part_first(rstr_task_group(run->task), CKPT_REC_CTTY);
	ctty = part ? rstr_payload(part) : NULL;
	return ctty && (ctty->what & cpu_to_le32(CKPT_CTTY_OUTSIDE));
}

/* A shell that gives its terminal to its jobs and takes it back does not heed
 * the signal that would stop it when it does.
 */
static bool rstr_root_ignores_ttou(struct rstr_run *run)
{
	const struct ckpt_rec_sighand *sighand;
	const struct ckpt_rec_task *task;

	/* Which is found to be wrong later on. */
	if (!run->task->live)
		return false;
	task = rstr_task_rec(run->task->live);
	sighand = rstr_payload(rstr_obj(&run->ctx, task->sighand)->rec);
	return sighand->action[SIGTTOU - 1].handler ==
	       cpu_to_le64((unsigned long)SIG_IGN);
}

static bool rstr_root_has_jobs(struct rstr_run *run)
{
	const struct ckpt_rec_signal *root = rstr_signal(run->task), *rec;
	struct rstr_task *task;

	rstr_for_each_task(task, run) {
		rec = rstr_signal(task);
		if (task->leader == task && rec->sid == root->sid &&
		    rec->pgid && rec->pgid != root->pgid)
			return true;
	}
	return false;
}

/*
 * The root joins the session and the process group of the caller, as the job
 * that it was in the shell that it came from becomes the one that the caller
 * is; and so does whoever was in the same. A caller who is the root stays where
 * he is. Otherwise:
 *
 * One that leads a session goes on to do so; unless its terminal is one from
 * outside, for there is one session to a terminal, and the caller is in that.
 *
 * One that has jobs itself, on a terminal, goes on to lead its process group,
 * since shells know by their number whom the terminal is to be given back to.
 */
static void rstr_tree_join(struct rstr_run *run)
{
	const struct ckpt_rec_signal *root = rstr_signal(run->task);
	bool job = rstr_root_is_job(run) && READ_ONCE(current->signal->tty);

	run->joins_session = run->ctx.self || root->sid != root->pid || job;
	run->joins_group = run->joins_session;
	if (job && !run->ctx.self && root->pgid == root->pid &&
	    (rstr_root_ignores_ttou(run) || rstr_root_has_jobs(run)))
		run->joins_group = false;
}

static struct rstr_task *rstr_tree_lender(struct rstr_run *run, u32 id)
{
	for (u32 i = 0; i < run->nr_lenders; i++)
		if (run->lender[i].tid == id)
			return &run->lender[i];
	return NULL;
}

/*
 * A process group or session whose leader has ended: its number is taken up by
 * a task that is there until others have it. All who are in the group are in
 * one session.
 */
static int rstr_tree_lend(struct rstr_run *run, u32 id, u32 sid)
{
	struct rstr_task *lender;

	if (rstr_tree_find(run, id))
		return 0;
	lender = rstr_tree_lender(run, id);
	if (lender)
		return lender->sid == sid ? 0 :
		       ckpt_refuse(&run->ctx.log, -EBADMSG,
				   "image: process group %u in sessions %u and %u",
				   id, lender->sid, sid);
	if (run->nr_lenders == CKPT_LENDERS_MAX)
		return ckpt_refuse(&run->ctx.log, -E2BIG,
				   "image: too many process groups whose leaders have ended");
	if (!run->lender)
		run->lender = kvcalloc(CKPT_LENDERS_MAX, sizeof(*run->lender),
				       GFP_KERNEL_ACCOUNT);
	if (!run->lender)
		return -ENOMEM;
	lender = &run->lender[run->nr_lenders++];
	rstr_task_init(lender, &run->ctx, NULL, id);
	lender->leader = lender;
	lender->sid = sid;
	return 0;
}

static int rstr_tree_check_lent(struct rstr_run *run, struct rstr_task *task)
{
	const struct ckpt_rec_signal *rec = rstr_signal(task);
	u32 pgid = le32_to_cpu(rec->pgid), sid = le32_to_cpu(rec->sid);
	bool callers = rstr_is_callers(run, sid, PIDTYPE_SID);
	int err = 0;

	if (!rstr_is_callers(run, pgid, PIDTYPE_PGID))
		err = rstr_tree_lend(run, pgid, sid);
	else if (pgid && !callers)
		err = rstr_bad(&run->ctx, task->obj->rec,
			       "process group %u of the root in session %u",
			       pgid, sid);
	if (!err && !callers)
		err = rstr_tree_lend(run, sid, sid);
	return err;
}

static int rstr_tree_check(struct rstr_run *run, struct rstr_task *task)
{
	int err;

	err = rstr_tree_check_group(run, task);
	if (!err)
		err = rstr_tree_check_ids(run, task);
	if (!err)
		err = rstr_tree_check_lent(run, task);
	return err;
}

/**
 * rstr_tree_make() - put the tasks of the image into relation
 * @run: the restart, all records of which have been checked
 *
 * Return: 0, -EBADMSG, -E2BIG, -ENOMEM.
 */
int rstr_tree_make(struct rstr_run *run)
{
	struct rstr_task *task;
	int err;

	err = rstr_tree_list(run);
	if (!err)
		err = rstr_tree_sort(run);
	if (!err)
		err = rstr_tree_order(run);
	if (err)
		return err;
	rstr_for_each_task(task, run) {
		err = rstr_tree_add(run, task);
		if (err)
			return err;
	}
	rstr_tree_join(run);
	rstr_for_each_task(task, run) {
		err = task->leader == task ? rstr_tree_check(run, task) : 0;
		if (err)
			return err;
	}
	return 0;
}

void rstr_tree_free(struct rstr_run *run)
{
	struct rstr_task *task;

	rstr_for_each_task(task, run) {
		if (task->task)
			put_task_struct(task->task);
		if (task->held_signal)
			sigqueue_free(task->held_signal);
	}
	rstr_traps_put(run->traps);
	for (u32 i = 0; i < run->nr_lenders; i++)
		if (run->lender[i].task)
			put_task_struct(run->lender[i].task);
	kvfree(run->task);
	kvfree(run->by_tid);
	kvfree(run->lender);
}

/**
 * rstr_task_resumes_group() - whether it is for this thread to start the clocks
 *	of its process
 * @task: the task
 *
 * Return: true for the first thread that is not dead.
 */
bool rstr_task_resumes_group(const struct rstr_task *task)
{
	return task->leader->live == task;
}

/**
 * rstr_tree_has_group() - whether a process group is there, in a session
 * @run: the restart
 * @pgid: its number
 * @sid: that of the session
 *
 * Return: true if rstr_tree_pid() knows the group, and it is in that session.
 */
bool rstr_tree_has_group(struct rstr_run *run, u32 pgid, u32 sid)
{
	struct rstr_task *task;

	if (rstr_is_callers(run, pgid, PIDTYPE_PGID))
		return rstr_is_callers(run, sid, PIDTYPE_SID);
	task = rstr_tree_find(run, pgid);
	if (task)
		return task->leader == task &&
		       le32_to_cpu(rstr_signal(task)->sid) == sid;
	task = rstr_tree_lender(run, pgid);
	return task && task->sid == sid;
}

/**
 * rstr_tree_pid() - the pid that stands for a process group or session now
 * @run: the restart, all of whose tasks are there
 * @number: its number in the image
 * @type: which of the two
 *
 * Return: the pid, no reference taken.
 */
struct pid *rstr_tree_pid(struct rstr_run *run, __le32 number,
			  enum pid_type type)
{
	u32 id = le32_to_cpu(number);
	struct rstr_task *task;

	if (rstr_is_callers(run, id, type))
		return type == PIDTYPE_SID ? task_session(current) :
					     task_pgrp(current);
	task = rstr_tree_find(run, id) ?: rstr_tree_lender(run, id);
	return task_pid(task->task);
}

/**
 * rstr_tree_pid_get() - the pid that stands for what an image has a number for
 * @run: the restart, all whose tasks there are
 * @id: the number; 0 is the process group of the caller
 * @type: of a thread, a process, or a process group
 *
 * Return: the pid, a reference held; NULL if there is nobody of that number.
 */
struct pid *rstr_tree_pid_get(struct rstr_run *run, u32 id, enum pid_type type)
{
	struct rstr_task *task = rstr_tree_find(run, id);

	if (type == PIDTYPE_PGID && rstr_is_callers(run, id, type))
		return get_task_pid(current, PIDTYPE_PGID);
	if (!task && type == PIDTYPE_PGID)
		task = rstr_tree_lender(run, id);
	if (type == PIDTYPE_TGID && task && task->leader != task)
		return NULL;
	return task && task->task ? get_task_pid(task->task, PIDTYPE_PID) :
				    NULL;
}

/* Under tasklist_lock. */
static void rstr_task_set_ids(struct rstr_run *run, struct rstr_task *task)
{
	const struct ckpt_rec_signal *rec = rstr_signal(task);
	struct pid *session = rstr_tree_pid(run, rec->sid, PIDTYPE_SID);
	struct pid *pgrp = rstr_tree_pid(run, rec->pgid, PIDTYPE_PGID);

	/* Whose group was led from outside has one within his session. */
	if (!rec->pgid && session != task_session(current))
		pgrp = session;
	if (task_session(task->task) != session)
		change_pid(task->task, PIDTYPE_SID, session);
	if (task_pgrp(task->task) != pgrp)
		change_pid(task->task, PIDTYPE_PGID, pgrp);
	task->task->signal->leader = session == task_pid(task->task);
}

static void rstr_task_adopt(struct rstr_run *run, struct rstr_task *task)
{
	const struct ckpt_rec_signal *rec = rstr_signal(task);
	struct signal_struct *signal = task->task->signal, *parent;
	struct task_struct *real_parent;

	if (task->task == current)
		return;
	/* The root's parent is another one now. */
	task->task->exit_signal = task->parent ? le32_to_cpu(rec->exit_signal) :
						 SIGCHLD;
	rstr_task_set_ids(run, task);
	/* By tasklist_lock. */
	real_parent = rcu_dereference_protected(task->task->real_parent, 1);
	parent = real_parent->signal;
	signal->has_child_subreaper = parent->has_child_subreaper ||
				      parent->is_child_subreaper;
}

/**
 * rstr_tree_adopt() - make the tasks each other's parents, process groups, and
 *	sessions
 * @run: the restart, all of whose tasks are there
 */
void rstr_tree_adopt(struct rstr_run *run)
{
	struct rstr_task *task;

	write_lock_irq(&tasklist_lock);
	rstr_for_each_task(task, run)
		if (task->leader == task)
			rstr_task_adopt(run, task);
	write_unlock_irq(&tasklist_lock);
}

/*
 * Make a process stop as one that had stopped before, of which its parent has
 * been told. The threads stop on their way to user mode; but those that are traced
 * have done so, and are held as their tracer left them.
 */
static void rstr_task_hold(struct rstr_task *leader, int sig, bool stopped)
{
	struct signal_struct *signal = leader->task->signal;
	struct task_struct *task;
	unsigned long flags;

	rcu_read_lock();
	if (!lock_task_sighand(leader->task, &flags)) {
		rcu_read_unlock();
		return;
	}
	if (!(signal->flags & SIGNAL_GROUP_EXIT)) {
		signal_set_stop_flags(signal, SIGNAL_STOP_STOPPED);
		signal->group_exit_code = sig;
		for_each_thread(leader->task, task)
			if (!task->ptrace || !stopped)
				task_set_jobctl_pending(task, SIGSTOP |
							JOBCTL_STOP_PENDING);
	}
	unlock_task_sighand(leader->task, &flags);
	rcu_read_unlock();
}

static void rstr_task_continued(struct rstr_task *leader)
{
	struct signal_struct *signal = leader->task->signal;
	unsigned long flags;

	if (!lock_task_sighand(leader->task, &flags))
		return;
	if (!(signal->flags & SIGNAL_GROUP_EXIT))
		signal_set_stop_flags(signal, SIGNAL_STOP_CONTINUED);
	unlock_task_sighand(leader->task, &flags);
}

/**
 * rstr_tree_hold() - have those processes stop that were stopped
 * @run: the restart, none of whose tasks runs yet
 *
 * The caller of restart() is told of the root, as whoever waits for a child is.
 */
void rstr_tree_hold(struct rstr_run *run)
{
	struct rstr_task *task;

	rstr_for_each_task(task, run) {
		const struct ckpt_rec_signal *rec = rstr_signal(task);

		if (task->leader != task || !task->live ||
		    task->task == current)
			continue;
		if (rec->what & cpu_to_le32(CKPT_SIGNAL_CONTINUED))
			rstr_task_continued(task);
		if (!ckpt_task_to_be_stopped(&run->ctx, task->obj))
			continue;
		if (task == run->task && !task->tracer)
			send_sig_info(SIGSTOP, SEND_SIG_PRIV, task->task);
		else
			rstr_task_hold(task, le32_to_cpu(rec->stop_signal),
				       rec->what & cpu_to_le32(CKPT_SIGNAL_STOPPED));
	}
}
