// SPDX-License-Identifier: GPL-2.0-only
/*
 * What objects of System V have in common: whose they are, and their ids; of which
 * the first concerns POSIX message queues, too.
 *
 * They outlive processes, and say little of who has a share in them. Those of
 * the tree are what its tasks have attached or have adjustments for, what one of
 * its processes was the last to use, or created; and what nobody has used so far
 * and its user has created. So a restart after which the machine was not booted
 * meets those that it is to make. Such a leftover is taken over, if nobody who
 * lives is known to use it: as if the caller had removed it and made it anew,
 * which takes the same rights. But it is not touched before the restart is bound
 * to come about.
 */
#include <linux/cred.h>
#include <linux/ipc.h>
#include <linux/ipc_namespace.h>
#include <linux/pid.h>
#include <linux/rhashtable.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/user_namespace.h>

#include "checkpoint.h"
#include "restart.h"
#include "stop.h"
#include "sysvipc.h"
#include "tree.h"

#include "../ipc/util.h"

/* Under RCU. The number may be that of a thread, see pipelined_send(). */
static struct task_struct *ckpt_ipc_task(struct pid *pid)
{
	struct task_struct *task = pid_task(pid, PIDTYPE_PID);

	if (task && task->exit_state && thread_group_empty(task))
		return NULL;
	return task;
}

/**
 * ckpt_ipc_whose() - whose an object is, as its last user is concerned
 * @ctx: the checkpoint
 * @pid: of the last user, or NULL
 *
 * Return: see there. A process of the tree that waits to be reaped is one of it.
 */
enum ckpt_whose ckpt_ipc_whose(struct ckpt_ctx *ctx, struct pid *pid)
{
	struct task_struct *task;

	if (!pid)
		return CKPT_NOBODYS;
	guard(rcu)();
	task = pid_task(pid, PIDTYPE_PID);
	if (task && ckpt_stop_has(ctx->stop, task))
		return CKPT_OURS;
	return ckpt_ipc_task(pid) ? CKPT_OTHERS : CKPT_ENDED;
}

/**
 * ckpt_ipc_pid_lives() - whether a user of an object has not ended
 * @pid: of the user, or NULL
 *
 * Return: true if so.
 */
bool ckpt_ipc_pid_lives(struct pid *pid)
{
	guard(rcu)();
	return ckpt_ipc_task(pid);
}

/**
 * ckpt_ipc_pid_save() - the pid of a user of an object that belongs to the tree
 * @ctx: the checkpoint
 * @pid: the pid, or NULL
 *
 * Return: a pid of the tree, or 0. The root stands for whoever has ended: by this
 * the object goes on to be one of the tree.
 */
__le32 ckpt_ipc_pid_save(struct ckpt_ctx *ctx, struct pid *pid)
{
	switch (ckpt_ipc_whose(ctx, pid)) {
	case CKPT_NOBODYS:
		return 0;
	case CKPT_OURS:
		return cpu_to_le32(pid_vnr(pid));
	default:
		return cpu_to_le32(ctx->root_pid);
	}
}

/**
 * ckpt_ipc_pid() - the pid of who stands for a user of an object now
 * @ctx: the restart, all tasks of which are there
 * @nr: as in the image
 *
 * Return: the pid, no reference held; or NULL.
 */
struct pid *ckpt_ipc_pid(struct rstr_ctx *ctx, __le32 nr)
{
	struct rstr_task *task = rstr_tree_find(ctx->run, le32_to_cpu(nr));

	return task && task->task ? task_tgid(task->task) : NULL;
}

#ifdef CONFIG_SYSVIPC
/* As ipc_kht_params. */
static const struct rhashtable_params ckpt_ipc_keys = {
	.head_offset		= offsetof(struct kern_ipc_perm, khtnode),
	.key_offset		= offsetof(struct kern_ipc_perm, key),
	.key_len		= sizeof_field(struct kern_ipc_perm, key),
	.automatic_shrinking	= true,
};

/**
 * ckpt_ipc_save() - what names an object, and whose it is
 * @perm: the object, locked
 * @rec: to be filled; ctime is up to the caller
 */
void ckpt_ipc_save(const struct kern_ipc_perm *perm, struct ckpt_rec_ipc *rec)
{
	struct user_namespace *ns = current_user_ns();

	rec->id = cpu_to_le32(perm->id);
	rec->key = cpu_to_le32(perm->key);
	rec->uid = cpu_to_le32(from_kuid_munged(ns, perm->uid));
	rec->gid = cpu_to_le32(from_kgid_munged(ns, perm->gid));
	rec->cuid = cpu_to_le32(from_kuid_munged(ns, perm->cuid));
	rec->cgid = cpu_to_le32(from_kgid_munged(ns, perm->cgid));
	rec->mode = cpu_to_le32(perm->mode);
}

/**
 * ckpt_ipc_is_mine() - whether an object was created by the user of the tree
 * @ctx: the checkpoint
 * @perm: the object
 *
 * Return: true if so; of one that nobody has used there is no more to be known.
 */
bool ckpt_ipc_is_mine(struct ckpt_ctx *ctx, const struct kern_ipc_perm *perm)
{
	return uid_eq(perm->cuid, task_cred_xxx(ctx->tree.root, euid));
}

struct kern_ipc_perm *ckpt_ipc_next(struct ckpt_ctx *ctx, struct ipc_ids *ids,
				    int *from,
				    bool (*ours)(struct ckpt_ctx *ctx,
						 struct kern_ipc_perm *perm))
{
	struct kern_ipc_perm *perm;

	/* Whoever removes one has the lock to himself. */
	down_read(&ids->rwsem);
	while ((perm = idr_get_next(&ids->ipcs_idr, from))) {
		++*from;
		if (ours(ctx, perm) && ipc_rcu_getref(perm))
			break;
	}
	up_read(&ids->rwsem);
	return perm;
}

/**
 * ckpt_ipc_check() - check what names an object, and whose it is
 * @ctx: the restart
 * @rec: the record
 * @ipc: in that
 * @flags: what mode may have besides permissions
 *
 * Return: 0, -EBADMSG or -EINVAL.
 */
int ckpt_ipc_check(struct rstr_ctx *ctx, const struct ckpt_record *rec,
		   const struct ckpt_rec_ipc *ipc, u32 flags)
{
	struct user_namespace *ns = current_user_ns();

	if ((int)le32_to_cpu(ipc->id) < 0 || ipc->reserved ||
	    le32_to_cpu(ipc->mode) & ~(0777 | flags))
		return rstr_bad(ctx, rec, "id %d, mode %#o",
				(int)le32_to_cpu(ipc->id),
				le32_to_cpu(ipc->mode));
	if (!uid_valid(make_kuid(ns, le32_to_cpu(ipc->uid))) ||
	    !uid_valid(make_kuid(ns, le32_to_cpu(ipc->cuid))) ||
	    !gid_valid(make_kgid(ns, le32_to_cpu(ipc->gid))) ||
	    !gid_valid(make_kgid(ns, le32_to_cpu(ipc->cgid))))
		return ckpt_refuse(&ctx->log, -EINVAL,
				   "System V id %u: has an owner that is not known here",
				   le32_to_cpu(ipc->id));
	return 0;
}

static bool ckpt_ipc_same_creator(const struct ckpt_rec_ipc *ipc, kuid_t uid,
				  kgid_t gid)
{
	struct user_namespace *ns = current_user_ns();

	return uid_eq(make_kuid(ns, le32_to_cpu(ipc->cuid)), uid) &&
	       gid_eq(make_kgid(ns, le32_to_cpu(ipc->cgid)), gid);
}

/* What IPC_RMID takes. */
static bool ckpt_ipc_may_remove(const struct kern_ipc_perm *perm)
{
	kuid_t euid = current_euid();

	return uid_eq(euid, perm->cuid) || uid_eq(euid, perm->uid) ||
	       ns_capable(current->nsproxy->ipc_ns->user_ns, CAP_SYS_ADMIN);
}

/**
 * ckpt_ipc_find() - look for an object that was left from before
 * @ctx: the restart
 * @ids: where to look; the lock is held for writing
 * @ipc: what names it
 * @name: of what it is, for messages
 *
 * Return: the object; NULL if the id is free; or an ERR_PTR, and the reason is in
 * the log.
 */
struct kern_ipc_perm *ckpt_ipc_find(struct rstr_ctx *ctx, struct ipc_ids *ids,
				    const struct ckpt_rec_ipc *ipc,
				    const char *name)
{
	int id = le32_to_cpu(ipc->id), err = 0;
	struct kern_ipc_perm *perm;

	perm = idr_find(&ids->ipcs_idr, ipcid_to_idx(id));
	if (!perm)
		return NULL;
	if (perm->id != id || perm->key != (key_t)le32_to_cpu(ipc->key) ||
	    !ckpt_ipc_same_creator(ipc, perm->cuid, perm->cgid))
		err = ckpt_refuse(&ctx->log, -EEXIST,
				  "%s %d: the id is taken by another one, %d with key %#x",
				  name, id, perm->id, perm->key);
	else if (!ckpt_ipc_may_remove(perm))
		err = ckpt_refuse(&ctx->log, -EPERM,
				  "%s %d: there is one, and not permitted to remove it",
				  name, id);
	return err ? ERR_PTR(err) : perm;
}

static int ckpt_ipc_may_make(struct rstr_ctx *ctx, struct ipc_ids *ids,
			     const struct ckpt_rec_ipc *ipc, const char *name)
{
	struct user_namespace *ns = current->nsproxy->ipc_ns->user_ns;
	key_t key = le32_to_cpu(ipc->key);

	if (key != IPC_PRIVATE &&
	    rhashtable_lookup_fast(&ids->key_ht, &key, ckpt_ipc_keys))
		return ckpt_refuse(&ctx->log, -EEXIST,
				   "%s %u: the key is taken, %#x", name,
				   le32_to_cpu(ipc->id), key);
	if (!checkpoint_restore_ns_capable(ns))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "%s %u: not permitted to choose an id (CAP_CHECKPOINT_RESTORE)",
				   name, le32_to_cpu(ipc->id));
	if (!ckpt_ipc_same_creator(ipc, current_euid(), current_egid()) &&
	    !ns_capable(ns, CAP_SYS_ADMIN))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "%s %u: was created by user %u: not permitted",
				   name, le32_to_cpu(ipc->id),
				   le32_to_cpu(ipc->cuid));
	return 0;
}

/**
 * ckpt_ipc_make() - make an object that has a certain id
 * @ctx: the restart
 * @ids: where; the lock is held for writing, and the id is free
 * @ipc: what names it
 * @name: of what it is, for messages
 * @make: as newseg() and its like, but that it takes @rec
 * @rec: the record
 *
 * Return: the object, which nobody but the caller may use so far; or an ERR_PTR,
 * and the reason is in the log.
 */
struct kern_ipc_perm *ckpt_ipc_make(struct rstr_ctx *ctx, struct ipc_ids *ids,
				    const struct ckpt_rec_ipc *ipc,
				    const char *name,
				    int (*make)(struct ipc_namespace *ns,
						const void *rec),
				    const void *rec)
{
	int id = le32_to_cpu(ipc->id), ret;

	ret = ckpt_ipc_may_make(ctx, ids, ipc, name);
	if (ret)
		return ERR_PTR(ret);
	ids->next_id = id;
	ret = make(current->nsproxy->ipc_ns, rec);
	ids->next_id = -1;
	if (ret < 0)
		return ERR_PTR(ckpt_refuse(&ctx->log, ret,
					   "%s %d: can't be made: %pe", name,
					   id, ERR_PTR(ret)));
	return idr_find(&ids->ipcs_idr, ipcid_to_idx(id));
}

/* Refuse to take over an object. */
int ckpt_ipc_in_use(struct rstr_ctx *ctx, const struct ckpt_rec_ipc *ipc,
		    const char *name)
{
	return ckpt_refuse(&ctx->log, -EBUSY,
			   "%s %u: there is one, and it is in use or is another one",
			   name, le32_to_cpu(ipc->id));
}

/**
 * ckpt_ipc_restore() - whose an object is
 * @perm: the object, locked
 * @ipc: what the image says
 */
void ckpt_ipc_restore(struct kern_ipc_perm *perm,
		      const struct ckpt_rec_ipc *ipc)
{
	struct user_namespace *ns = current_user_ns();

	perm->uid = make_kuid(ns, le32_to_cpu(ipc->uid));
	perm->gid = make_kgid(ns, le32_to_cpu(ipc->gid));
	perm->cuid = make_kuid(ns, le32_to_cpu(ipc->cuid));
	perm->cgid = make_kgid(ns, le32_to_cpu(ipc->cgid));
	perm->mode = (perm->mode & ~0777) |
		     (le32_to_cpu(ipc->mode) & 0777);
}

void ckpt_ipc_get(void *obj)
{
	/* It is held, or looked at under its lock. */
	ipc_rcu_getref(obj);
}
#endif /* CONFIG_SYSVIPC */
