// SPDX-License-Identifier: GPL-2.0-only
/* Namespaces: those of the checkpointer, and no others so far. */
#include <linux/cred.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/sched/task.h>

#include "checkpoint.h"
#include "namespaces.h"

static const char *ckpt_nsproxy_differs(const struct nsproxy *a,
					const struct nsproxy *b)
{
	if (!a)
		return "exiting";
	if (a->mnt_ns != b->mnt_ns)
		return "mount";
	if (a->uts_ns != b->uts_ns)
		return "UTS";
	if (a->ipc_ns != b->ipc_ns)
		return "IPC";
	if (a->net_ns != b->net_ns)
		return "network";
	if (a->cgroup_ns != b->cgroup_ns)
		return "cgroup";
	if (a->time_ns != b->time_ns ||
	    a->time_ns_for_children != b->time_ns_for_children)
		return "time";
	if (a->pid_ns_for_children != b->pid_ns_for_children)
		return "pid";
	return NULL;
}

/**
 * ckpt_namespaces_check() - refuse a task that is not in the caller's own
 *	namespaces
 * @ctx: the checkpoint
 * @task: the task
 *
 * Return: 0 or -EOPNOTSUPP.
 */
int ckpt_namespaces_check(struct ckpt_ctx *ctx, struct task_struct *task)
{
	const char *name;

	task_lock(task);
	name = ckpt_nsproxy_differs(task->nsproxy, current->nsproxy);
	task_unlock(task);
	if (!name && task_active_pid_ns(task) != task_active_pid_ns(current))
		name = "pid";
	if (!name && task_cred_xxx(task, user_ns) != current_user_ns())
		name = "user";
	if (!name)
		return 0;
	return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
			   "%s namespace of its own: not supported", name);
}
