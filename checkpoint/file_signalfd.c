// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors that signals are read from: which signals these are. Built as a
 * part of fs/signalfd.c, which alone knows where that is kept.
 */
#ifdef CONFIG_CHECKPOINT
#include "checkpoint.h"
#include "file.h"
#include "restart.h"

/* As with signalfd(2), nobody gets hold of these. */
#define CKPT_SIGNALFD_NEVER	(sigmask(SIGKILL) | sigmask(SIGSTOP))

/**
 * ckpt_file_is_signalfd() - whether signals are read from a file
 * @file: the file
 *
 * Return: true if they are.
 */
bool ckpt_file_is_signalfd(const struct file *file)
{
	return file->f_op == &signalfd_fops;
}

static bool ckpt_signalfd_match(const void *obj)
{
	return ckpt_file_is_signalfd(obj);
}

static int ckpt_signalfd_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct file *file = obj;
	const struct signalfd_ctx *signals = file->private_data;
	struct ckpt_rec_signalfd *rec;

	rec = ckpt_file_add(ctx, file, CKPT_REC_FILE_SIGNALFD, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	/* It keeps those that are not to be read. */
	rec->mask = cpu_to_le64(~signals->sigmask.sig[0]);
	return 0;
}

static int ckpt_signalfd_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_signalfd *rec = rstr_payload(obj->rec);

	if (le64_to_cpu(rec->mask) & CKPT_SIGNALFD_NEVER)
		return rstr_bad(ctx, obj->rec, "signals %#llx",
				le64_to_cpu(rec->mask));
	return ckpt_file_anon_check(ctx, obj, 0);
}

static int ckpt_signalfd_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_signalfd *rec = rstr_payload(obj->rec);
	struct signalfd_ctx *signals;
	int err;

	signals = kmalloc(sizeof(*signals), GFP_KERNEL_ACCOUNT);
	if (!signals)
		return -ENOMEM;
	signals->sigmask.sig[0] = ~le64_to_cpu(rec->mask);
	err = ckpt_file_anon_restore(obj, "[signalfd]", &signalfd_fops,
				     signals);
	if (err)
		kfree(signals);
	return err;
}

const struct ckpt_kind ckpt_file_signalfd_kind = {
	.type		= CKPT_REC_FILE_SIGNALFD,
	.family		= CKPT_FILE,
	.name		= "signalfd",
	.size		= sizeof(struct ckpt_rec_signalfd),
	.match		= ckpt_signalfd_match,
	.users		= ckpt_file_users,
	.checkpoint	= ckpt_signalfd_checkpoint,
	.check		= ckpt_signalfd_check,
	.restore	= ckpt_signalfd_restore,
};
#endif
