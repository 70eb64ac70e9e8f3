// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that stand for a namespace, as those below /proc/PID/ns. The namespaces of
 * a tree are those of the checkpointer, and will be those of the restarter; other
 * ones do not come back.
 */
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/path.h>
#include <linux/proc_ns.h>
#include <linux/sched.h>

#include "checkpoint.h"
#include "file.h"
#include "restart.h"

static const struct proc_ns_operations *const ckpt_ns_ops[] = {
	&mntns_operations,
#ifdef CONFIG_NET_NS
	&netns_operations,
#endif
#ifdef CONFIG_UTS_NS
	&utsns_operations,
#endif
#ifdef CONFIG_IPC_NS
	&ipcns_operations,
#endif
#ifdef CONFIG_PID_NS
	&pidns_operations,
#endif
#ifdef CONFIG_USER_NS
	&userns_operations,
#endif
#ifdef CONFIG_CGROUPS
	&cgroupns_operations,
#endif
#ifdef CONFIG_TIME_NS
	&timens_operations,
#endif
};

static const struct proc_ns_operations *ckpt_ns_find(u32 type)
{
	for (size_t i = 0; i < ARRAY_SIZE(ckpt_ns_ops); i++)
		if (ckpt_ns_ops[i]->type == type)
			return ckpt_ns_ops[i];
	return NULL;
}

static bool ckpt_file_ns_match(const void *obj)
{
	const struct file *file = obj;

	return file_inode(file)->i_sb->s_magic == NSFS_MAGIC;
}

static bool ckpt_ns_is_callers(const struct ns_common *ns)
{
	struct ns_common *own = ns->ops->get(current);
	bool same = own == ns;

	if (own)
		own->ops->put(own);
	return same;
}

static int ckpt_file_ns_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct file *file = obj;
	struct ns_common *ns = get_proc_ns(file_inode(file));
	struct ckpt_rec_file_ns *rec;

	if (!ckpt_ns_find(ns->ops->type) || !ckpt_ns_is_callers(ns))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "%pD: a namespace that is not the caller's: not supported",
				   file);
	rec = ckpt_file_add(ctx, file, CKPT_REC_FILE_NS, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->type = cpu_to_le32(ns->ops->type);
	return 0;
}

static int ckpt_file_ns_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_ns *rec = rstr_payload(obj->rec);
	u32 flags = le32_to_cpu(rec->flags), type = le32_to_cpu(rec->type);

	if (flags & ~CKPT_O_KNOWN || flags & (O_ACCMODE | O_DIRECTORY) ||
	    rec->what || rec->reserved)
		return rstr_bad(ctx, obj->rec, "flags %#o", flags);
	if (!ckpt_ns_find(type))
		return rstr_bad(ctx, obj->rec, "namespace %#x", type);
	return 0;
}

static int ckpt_file_ns_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_ns *rec = rstr_payload(obj->rec);
	struct file *file;
	struct path path;
	int err;

	err = ns_get_path(&path, current, ckpt_ns_find(le32_to_cpu(rec->type)));
	if (err)
		return err;
	file = dentry_open(&path, le32_to_cpu(rec->flags), current_cred());
	path_put(&path);
	if (IS_ERR(file))
		return ckpt_refuse(&ctx->log, PTR_ERR(file), "namespace: %pe",
				   file);
	obj->ptr = file;
	return 0;
}

const struct ckpt_kind ckpt_file_ns_kind = {
	.type		= CKPT_REC_FILE_NS,
	.family		= CKPT_FILE,
	.name		= "namespace file",
	.size		= sizeof(struct ckpt_rec_file_ns),
	.match		= ckpt_file_ns_match,
	.checkpoint	= ckpt_file_ns_checkpoint,
	.check		= ckpt_file_ns_check,
	.restore	= ckpt_file_ns_restore,
};
