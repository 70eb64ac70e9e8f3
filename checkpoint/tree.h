/* SPDX-License-Identifier: GPL-2.0-only */
/* Task trees: which tasks there are, and who is whose. */
#ifndef _CHECKPOINT_TREE_H
#define _CHECKPOINT_TREE_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "restart.h"
#include "turn.h"

struct ckpt_ctx;
struct file;
struct rstr_traps;
struct sigqueue;
struct task_struct;

/**
 * struct ckpt_tree - the tasks of a tree, each before its threads and children
 * @root: the leader of its root, a reference held
 * @nr: how many of @task are in use
 * @max: how many there are
 * @task: the tasks, a reference held to each; kvmalloc'ed
 */
struct ckpt_tree {
	struct task_struct	*root;
	u32			nr;
	u32			max;
	struct task_struct	**task;
};

int ckpt_tree_scan(struct ckpt_ctx *ctx);
int ckpt_tree_stop(struct ckpt_ctx *ctx);
void ckpt_tree_release(struct ckpt_tree *tree);
bool ckpt_tree_has_file(struct ckpt_ctx *ctx, const struct file *file);
u32 ckpt_tree_group_nr(struct ckpt_ctx *ctx, struct pid *pid,
		       enum pid_type type);
u32 ckpt_tree_ppid(struct ckpt_ctx *ctx, struct task_struct *leader);
u32 ckpt_tree_group(struct ckpt_ctx *ctx, struct pid *pid);
void ckpt_tree_groups(struct ckpt_ctx *ctx, struct task_struct *leader,
		      u32 *pgid, u32 *sid);

/**
 * struct rstr_task - a task of the image
 * @ctx: the restart; holds a reference to the run
 * @obj: its object; NULL for one that only lends its pid to a process group or
 *	session whose leader has ended
 * @tid: its id in the image
 * @leader: of its thread group, which may be itself
 * @live: of a leader: the first thread of the group that is not dead, or NULL
 * @parent: the thread whose child the group is; NULL for the root
 * @sibling: in the @children of @parent, or in the @threads of @leader
 * @children: leaders of the thread groups that are children of this thread
 * @threads: of a leader: the other threads
 * @task: the task, a reference held; NULL before it runs. Written by itself
 * @sid: of one that lends its pid: the session, by its number in the image, that
 *	the process group of that number is in
 * @pid: as the caller sees it, 0 before it was created. Written by its creator
 * @installed: of a leader: what its threads have in common is in place
 * @work: brings it to user mode
 * @vforked: for whom it waits in vfork(2), or NULL
 * @vforker: who waits for it in vfork(2), or NULL
 * @awaited: @vforker does so, or never will
 * @tracer: who traces it, or NULL
 * @traced: what there is to know of that, a CKPT_REC_PTRACE
 * @turn: its place among those that wait for locks and the like
 * @held_signal: for the signal that it is held for, or NULL
 */
struct rstr_task {
	struct rstr_ctx		*ctx;
	struct rstr_obj		*obj;
	u32			tid;
	u32			sid;
	struct rstr_task	*leader;
	struct rstr_task	*live;
	struct rstr_task	*parent;
	struct list_head	sibling;
	struct list_head	children;
	struct list_head	threads;
	struct task_struct	*task;
	pid_t			pid;
	struct completion	installed;
	struct callback_head	work;
	struct rstr_task	*vforked;
	struct rstr_task	*vforker;
	bool			awaited;
	struct rstr_task	*tracer;
	const struct ckpt_record *traced;
	struct ckpt_turn	turn;
	struct sigqueue		*held_signal;
};

/* What the tasks of a restart wait for, one after the other. */
enum rstr_state {
	RSTR_BUILDING,	/* tasks make what they need, aside */
	RSTR_INSTALL,	/* and take it up */
	RSTR_GO,	/* nothing can fail any more */
	RSTR_ABORT,	/* something did */
};

/**
 * struct rstr_run - the tasks of a restart, and what they wait for
 * @ctx: the restart; lives and dies with this
 * @users: the caller, and each task until it is in user mode or gone
 * @state: enum rstr_state; set by the caller alone
 * @wait: for @state to change, for @unstarted to come down, or for @err
 * @err: the first that a task met with
 * @missing: how many tasks have not done what @state asks for
 * @unstarted: how many tasks, lenders included, are not there yet
 * @arrived: the caller waits here for @missing to come down, or for @err
 * @nr: how many tasks there are
 * @task: these, each before its threads and children
 * @by_tid: the same by their ids
 * @nr_lenders: how many of @lender are in use
 * @lender: tasks that lend their pid to a process group or session
 * @traps: those whom a tracer holds; NULL if there are none
 * @went: when @state was %RSTR_GO, in jiffies
 * @joins_session: the root is in the session of the caller
 * @joins_group: and in the process group
 */
struct rstr_run {
	struct rstr_ctx		ctx;
	refcount_t		users;
	enum rstr_state		state;
	wait_queue_head_t	wait;
	int			err;
	atomic_t		missing;
	atomic_t		unstarted;
	wait_queue_head_t	arrived;
	/** @lock: over making shared objects, and over @ctx->objs meanwhile */
	struct mutex		lock;
	u32			nr;
	struct rstr_task	*task;
	struct rstr_task	**by_tid;
	u32			nr_lenders;
	struct rstr_task	*lender;
	struct rstr_traps	*traps;
	unsigned long		went;
	bool			joins_session;
	bool			joins_group;
};

#define rstr_for_each_task(task, run) \
	for ((task) = (run)->task; (task) < (run)->task + (run)->nr; (task)++)

int rstr_tree_make(struct rstr_run *run);
void rstr_tree_free(struct rstr_run *run);
bool rstr_task_is_dead(const struct rstr_task *task);
bool rstr_task_resumes_group(const struct rstr_task *task);
struct rstr_obj *rstr_task_group(const struct rstr_task *task);
bool rstr_is_callers(struct rstr_run *run, u32 id, enum pid_type type);
bool rstr_tree_has_group(struct rstr_run *run, u32 pgid, u32 sid);
struct pid *rstr_tree_pid(struct rstr_run *run, __le32 number,
			  enum pid_type type);
void rstr_tree_adopt(struct rstr_run *run);
void rstr_tree_hold(struct rstr_run *run);
struct pid *rstr_tree_pid_get(struct rstr_run *run, u32 id, enum pid_type type);
struct rstr_task *rstr_tree_find(struct rstr_run *run, u32 tid);
pid_t rstr_tree_pid_now(struct rstr_run *run, pid_t pid);
struct pid *rstr_process_pid(struct rstr_ctx *ctx, u32 pid);

#endif
