// SPDX-License-Identifier: GPL-2.0-only
/*
 * The label that a security module has given a task: a context of SELinux, a
 * label of Smack, a profile of AppArmor. It is that of whoever restarts the task,
 * or the task is not restarted: modules let a task change its own at most, and
 * under conditions that are those of what it was to execute.
 */
#include <linux/sched.h>
#include <linux/security.h>
#include <linux/string.h>

#include "checkpoint.h"
#include "limits.h"
#include "process.h"
#include "restart.h"

/**
 * struct ckpt_label - a label, as the module has it
 * @text: not NUL terminated with certainty; NULL if there is none
 * @size: of @text, for the module to have it back
 * @len: bytes of @text up to a NUL
 */
struct ckpt_label {
	char	*text;
	u32	size;
	u32	len;
};

static int ckpt_label_get(struct task_struct *task, struct ckpt_label *label)
{
	u32 secid;
	int err;

	*label = (struct ckpt_label){};
	security_task_getsecid_obj(task, &secid);
	if (!secid)
		return 0;
	err = security_secid_to_secctx(secid, &label->text, &label->size);
	if (err) {
		label->text = NULL;
		return err == -EOPNOTSUPP ? 0 : err;
	}
	label->len = strnlen(label->text, label->size);
	return 0;
}

static void ckpt_label_put(struct ckpt_label *label)
{
	if (label->text)
		security_release_secctx(label->text, label->size);
}

static int ckpt_label_checkpoint(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct ckpt_label label;
	void *p;
	int err;

	err = ckpt_label_get(task, &label);
	if (!err && label.len) {
		p = ckpt_part_add(ctx, CKPT_REC_LABEL, label.len);
		err = PTR_ERR_OR_ZERO(p);
		if (!err)
			memcpy(p, label.text, label.len);
	}
	ckpt_label_put(&label);
	return err;
}

static int ckpt_label_compare(struct rstr_ctx *ctx,
			      const struct ckpt_record *rec)
{
	u32 len = rstr_size(rec);
	struct ckpt_label label;
	int err;

	err = ckpt_label_get(current, &label);
	if (!err && (label.len != len ||
		     memcmp(label.text, rstr_payload(rec), len)))
		err = ckpt_refuse(&ctx->log, -EPERM,
				  "security label %.*s: not permitted to have it, the caller's is %.*s",
				  (int)len, (const char *)rstr_payload(rec),
				  (int)label.len, label.text ?: "");
	ckpt_label_put(&label);
	return err;
}

static int ckpt_label_check(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	u32 len = rstr_size(rec);

	if (len > CKPT_LABEL_MAX || memchr(rstr_payload(rec), 0, len))
		return rstr_bad(ctx, rec, "not a label");
	return ckpt_label_compare(ctx, rec);
}

const struct ckpt_part ckpt_label_part = {
	.type		= CKPT_REC_LABEL,
	.name		= "security label",
	.size		= 1,
	.open_ended	= true,
	.max		= 1,
	.checkpoint	= ckpt_label_checkpoint,
	.check		= ckpt_label_check,
	/* The task had it from the caller, if no module thinks otherwise. */
	.restore	= ckpt_label_compare,
};
