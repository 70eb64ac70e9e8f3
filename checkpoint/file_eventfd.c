// SPDX-License-Identifier: GPL-2.0-only
/*
 * Event counters. Built as a part of fs/eventfd.c, which alone knows what one is
 * made of.
 */
#ifdef CONFIG_CHECKPOINT
#include "checkpoint.h"
#include "file.h"
#include "restart.h"

static bool ckpt_eventfd_match(const void *obj)
{
	const struct file *file = obj;

	return file->f_op == &eventfd_fops;
}

static int ckpt_eventfd_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct file *file = obj;
	struct eventfd_ctx *event = file->private_data;
	struct ckpt_rec_eventfd *rec;

	/* KVM, AIO and their like count up by themselves. */
	if (kref_read(&event->kref) > 1)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "%pD: has a user in the kernel: not supported",
				   file);
	rec = ckpt_file_add(ctx, file, CKPT_REC_FILE_EVENTFD, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	spin_lock_irq(&event->wqh.lock);
	rec->count = cpu_to_le64(event->count);
	spin_unlock_irq(&event->wqh.lock);
	if (event->flags & EFD_SEMAPHORE)
		rec->what = cpu_to_le32(CKPT_FILE_SEMAPHORE);
	return 0;
}

/* All ones is what only the kernel can count to. */
static int ckpt_eventfd_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	return ckpt_file_anon_check(ctx, obj, CKPT_FILE_SEMAPHORE);
}

static struct eventfd_ctx *ckpt_eventfd_alloc(const struct ckpt_rec_eventfd *rec)
{
	struct eventfd_ctx *event;
	int id;

	event = kmalloc(sizeof(*event), GFP_KERNEL_ACCOUNT);
	if (!event)
		return ERR_PTR(-ENOMEM);
	id = ida_alloc(&eventfd_ida, GFP_KERNEL);
	if (id < 0) {
		kfree(event);
		return ERR_PTR(id);
	}
	kref_init(&event->kref);
	init_waitqueue_head(&event->wqh);
	event->count = le64_to_cpu(rec->count);
	event->flags = rec->what ? EFD_SEMAPHORE : 0;
	event->id = id;
	return event;
}

static int ckpt_eventfd_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	struct eventfd_ctx *event = ckpt_eventfd_alloc(rstr_payload(obj->rec));
	int err;

	if (IS_ERR(event))
		return PTR_ERR(event);
	err = ckpt_file_anon_restore(obj, "[eventfd]", &eventfd_fops, event);
	if (err)
		eventfd_free_ctx(event);
	return err;
}

const struct ckpt_kind ckpt_file_eventfd_kind = {
	.type		= CKPT_REC_FILE_EVENTFD,
	.family		= CKPT_FILE,
	.name		= "eventfd",
	.size		= sizeof(struct ckpt_rec_eventfd),
	.match		= ckpt_eventfd_match,
	.users		= ckpt_file_users,
	.checkpoint	= ckpt_eventfd_checkpoint,
	.check		= ckpt_eventfd_check,
	.restore	= ckpt_eventfd_restore,
};
#endif
