// SPDX-License-Identifier: GPL-2.0-only
/*
 * Epoll instances. Built as a part of fs/eventpoll.c, which alone knows what one
 * is made of.
 *
 * What is watched is a description and the number that it had when it was added;
 * by now that number may be another one's. To watch something is not to hold it:
 * the tree has to have it open by other means.
 *
 * An item that was ready is again, and epoll_wait(2) looks whether that is still
 * so. One that reports edges and had reported its last one does not do so again
 * for what has not changed.
 */
#ifdef CONFIG_CHECKPOINT
#include "checkpoint.h"
#include "file.h"
#include "limits.h"
#include "restart.h"

/* Checkpoint. */

/**
 * struct ckpt_epoll_item - an item, as found while there could be no others
 * @rec: as it goes into the image
 * @file: what it watches, a reference held
 * @sighand: whose signals it waits for, where @file is a signalfd; or NULL
 */
struct ckpt_epoll_item {
	struct ckpt_rec_epoll_item	rec;
	struct file			*file;
	struct sighand_struct		*sighand;
};

struct ckpt_epoll_items {
	u32			nr;
	u32			max;
	struct ckpt_epoll_item	*item;
};

static bool ckpt_file_epoll_match(const void *obj)
{
	return is_file_epoll((struct file *)obj);
}

/* That of the task that added it, as poll(2) of a signalfd has it. */
static struct sighand_struct *ckpt_epoll_sighand(const struct epitem *epi)
{
	wait_queue_head_t *whead;

	if (!epi->pwqlist || !ckpt_file_is_signalfd(epi->ffd.file))
		return NULL;
	whead = READ_ONCE(epi->pwqlist->whead);
	return whead ? container_of(whead, struct sighand_struct,
				    signalfd_wqh) : NULL;
}

static void ckpt_epoll_item_get(struct epitem *epi, struct ckpt_epoll_item *item)
{
	struct eventpoll *ep = epi->ep;

	item->sighand = ckpt_epoll_sighand(epi);
	item->rec.fd = cpu_to_le32(epi->ffd.fd);
	item->rec.events = cpu_to_le32((__force u32)epi->event.events);
	item->rec.data = cpu_to_le64(epi->event.data);
	spin_lock_irq(&ep->lock);
	if (ep_is_linked(epi))
		item->rec.what = cpu_to_le32(CKPT_EPOLL_READY);
	spin_unlock_irq(&ep->lock);
}

/* All there are; those beyond @max are only counted. What is just being closed
 * is none any more.
 */
static void ckpt_epoll_list(struct eventpoll *ep, struct ckpt_epoll_items *items)
{
	struct rb_node *node;
	struct epitem *epi;
	struct file *file;

	items->nr = 0;
	mutex_lock(&ep->mtx);
	for (node = rb_first_cached(&ep->rbr); node; node = rb_next(node)) {
		epi = rb_entry(node, struct epitem, rbn);
		if (items->nr >= items->max) {
			items->nr++;
			continue;
		}
		file = epi_fget(epi);
		if (!file)
			continue;
		items->item[items->nr].file = file;
		ckpt_epoll_item_get(epi, &items->item[items->nr++]);
	}
	mutex_unlock(&ep->mtx);
}

static void ckpt_epoll_release(struct ckpt_epoll_items *items)
{
	for (u32 i = 0; i < min(items->nr, items->max); i++)
		fput(items->item[i].file);
	kvfree(items->item);
}

static int ckpt_epoll_item_refs(struct ckpt_ctx *ctx,
				struct ckpt_epoll_item *item)
{
	u32 ref;
	int err;

	err = ckpt_refer(ctx, CKPT_FILE, item->file, &ref);
	if (err)
		return err;
	item->rec.file = cpu_to_le32(ref);
	if (!item->sighand)
		return 0;
	err = ckpt_refer(ctx, CKPT_SIGHAND, item->sighand, &ref);
	item->rec.sighand = cpu_to_le32(ref);
	return err;
}

static int ckpt_epoll_write(struct ckpt_ctx *ctx, struct file *file,
			    const struct ckpt_epoll_items *items)
{
	struct ckpt_rec_epoll_item *item;
	struct ckpt_rec_epoll *rec;

	rec = ckpt_file_add(ctx, file, CKPT_REC_FILE_EPOLL, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->nr_items = cpu_to_le32(items->nr);
	for (u32 i = 0; i < items->nr; i++) {
		item = ckpt_part_add(ctx, CKPT_REC_EPOLL_ITEM, sizeof(*item));
		if (IS_ERR(item))
			return PTR_ERR(item);
		*item = items->item[i].rec;
	}
	return 0;
}

/* With no lock held, as what is watched may be another epoll instance. */
static int ckpt_epoll_save(struct ckpt_ctx *ctx, struct file *file,
			   struct ckpt_epoll_items *items)
{
	int err;

	for (u32 i = 0; i < items->nr; i++) {
		err = ckpt_epoll_item_refs(ctx, &items->item[i]);
		if (err)
			return err;
	}
	return ckpt_epoll_write(ctx, file, items);
}

static bool ckpt_epoll_polls_busily(const struct eventpoll *ep)
{
#ifdef CONFIG_NET_RX_BUSY_POLL
	return READ_ONCE(ep->busy_poll_usecs);
#else
	return false;
#endif
}

static int ckpt_file_epoll_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct ckpt_epoll_items items = {};
	struct file *file = obj;
	struct eventpoll *ep = file->private_data;
	int err;

	if (ckpt_epoll_polls_busily(ep))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "%pD: busy polling: not supported", file);
	ckpt_epoll_list(ep, &items);
	items.max = min(items.nr, CKPT_FDS_MAX);
	items.item = kvcalloc(items.max, sizeof(*items.item),
			      GFP_KERNEL_ACCOUNT);
	if (items.max && !items.item)
		return -ENOMEM;
	ckpt_epoll_list(ep, &items);
	if (items.nr > items.max)
		err = ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				  "%pD: watches %u files: not supported", file,
				  items.nr);
	else
		err = ckpt_epoll_save(ctx, file, &items);
	ckpt_epoll_release(&items);
	return err;
}

/* Restart. */

/* How many instances are below each other is bounded, in the image as well. */
static int ckpt_epoll_check_depth(struct rstr_ctx *ctx, struct rstr_obj *obj,
				  const struct ckpt_record *rec,
				  const struct rstr_obj *file)
{
	unsigned long depth = (unsigned long)file->private + 1;

	if (file->kind != obj->kind)
		return 0;
	if (depth > EP_MAX_NESTS)
		return rstr_bad(ctx, rec, "too far down");
	if (depth > (unsigned long)obj->private)
		obj->private = (void *)depth;
	return 0;
}

static int ckpt_epoll_check_item(struct rstr_ctx *ctx, struct rstr_obj *obj,
				 const struct ckpt_record *rec)
{
	const struct ckpt_rec_epoll_item *item = rstr_payload(rec);
	__poll_t events = (__force __poll_t)le32_to_cpu(item->events);
	struct rstr_obj *file;

	file = rstr_ref(ctx, rec, item->file, CKPT_FILE);
	if (!file)
		return -EBADMSG;
	if (file == obj)
		return rstr_bad(ctx, rec, "watches itself");
	if (item->sighand &&
	    (file->kind != &ckpt_file_signalfd_kind ||
	     !rstr_ref(ctx, rec, item->sighand, CKPT_SIGHAND)))
		return rstr_bad(ctx, rec, "waits for signals");
	if (le32_to_cpu(item->fd) > INT_MAX ||
	    le32_to_cpu(item->what) & ~CKPT_EPOLL_READY || item->reserved)
		return rstr_bad(ctx, rec, "descriptor %u, what %#x",
				le32_to_cpu(item->fd),
				le32_to_cpu(item->what));
	if ((events & EPOLLEXCLUSIVE) && (file->kind == obj->kind ||
					  events & ~EPOLLEXCLUSIVE_OK_BITS))
		return rstr_bad(ctx, rec, "events %#x", (__force u32)events);
	return ckpt_epoll_check_depth(ctx, obj, rec, file);
}

static int ckpt_file_epoll_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_epoll *epoll = rstr_payload(obj->rec);
	const struct ckpt_record *rec;
	u32 nr = 0;
	int err;

	rstr_for_each_part(rec, obj, CKPT_REC_EPOLL_ITEM) {
		err = ckpt_epoll_check_item(ctx, obj, rec);
		if (err)
			return err;
		nr++;
	}
	if (nr != le32_to_cpu(epoll->nr_items) || epoll->reserved)
		return rstr_bad(ctx, obj->rec, "%u items, not %u", nr,
				le32_to_cpu(epoll->nr_items));
	return ckpt_file_anon_check(ctx, obj, 0);
}

/*
 * It was added by current, who has other signal handlers so far; the new ones
 * are what it is to wait for. The caller holds the mutex.
 */
static void ckpt_epoll_move(struct epitem *epi, struct sighand_struct *sighand)
{
	struct eppoll_entry *pwq = epi->pwqlist;

	ep_remove_wait_queue(pwq);
	pwq->whead = &sighand->signalfd_wqh;
	if (epi->event.events & EPOLLEXCLUSIVE)
		add_wait_queue_exclusive(pwq->whead, &pwq->wait);
	else
		add_wait_queue(pwq->whead, &pwq->wait);
}

/* Who added it has ended, and with him the wait. */
static void ckpt_epoll_settle(struct eventpoll *ep, struct epitem *epi,
			      const struct ckpt_rec_epoll_item *item,
			      struct sighand_struct *sighand)
{
	if (ckpt_file_is_signalfd(epi->ffd.file)) {
		if (sighand)
			ckpt_epoll_move(epi, sighand);
		else
			ep_unregister_pollwait(ep, epi);
	}
	spin_lock_irq(&ep->lock);
	if (item->what && !ep_is_linked(epi))
		list_add_tail(&epi->rdllink, &ep->rdllist);
	else if (!item->what && (epi->event.events & EPOLLET))
		list_del_init(&epi->rdllink);
	spin_unlock_irq(&ep->lock);
}

static int ckpt_epoll_insert(struct eventpoll *ep,
			     const struct ckpt_rec_epoll_item *item,
			     struct file *file, struct sighand_struct *sighand)
{
	struct epoll_event event = {
		.events	= (__force __poll_t)le32_to_cpu(item->events),
		.data	= le64_to_cpu(item->data),
	};
	int fd = le32_to_cpu(item->fd), err;

	ep_take_care_of_epollwakeup(&event);
	if (!file_can_poll(file))
		return -EPERM;
	if (ep_find(ep, file, fd))
		return -EEXIST;
	err = ep_insert(ep, &event, file, fd, 1);
	if (!err)
		ckpt_epoll_settle(ep, ep_find(ep, file, fd), item, sighand);
	return err;
}

/* As epoll_ctl(2) does it where there may be one below another. */
static int ckpt_epoll_add(struct eventpoll *ep,
			  const struct ckpt_rec_epoll_item *item,
			  struct file *file, struct sighand_struct *sighand)
{
	int err = 0;

	mutex_lock(&epnested_mutex);
	loop_check_gen++;
	if (is_file_epoll(file) && ep_loop_check(ep, file->private_data))
		err = -ELOOP;
	if (!err) {
		mutex_lock(&ep->mtx);
		err = ckpt_epoll_insert(ep, item, file, sighand);
		mutex_unlock(&ep->mtx);
	}
	clear_tfile_check_list();
	loop_check_gen++;
	mutex_unlock(&epnested_mutex);
	return err;
}

static int ckpt_epoll_item_restore(struct rstr_ctx *ctx, struct eventpoll *ep,
				   const struct ckpt_rec_epoll_item *item)
{
	struct sighand_struct *sighand = NULL;
	struct file *file;
	int err;

	file = rstr_get(ctx, rstr_obj(ctx, item->file));
	if (IS_ERR(file))
		return PTR_ERR(file);
	if (item->sighand)
		sighand = rstr_get(ctx, rstr_obj(ctx, item->sighand));
	if (IS_ERR(sighand))
		return PTR_ERR(sighand);
	err = ckpt_epoll_add(ep, item, file, sighand);
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "epoll of descriptor %u (%pD): %pe",
				   le32_to_cpu(item->fd), file, ERR_PTR(err));
	return 0;
}

static int ckpt_epoll_items_restore(struct rstr_ctx *ctx, struct rstr_obj *obj,
				    struct eventpoll *ep)
{
	const struct ckpt_record *rec;
	int err;

	rstr_for_each_part(rec, obj, CKPT_REC_EPOLL_ITEM) {
		err = ckpt_epoll_item_restore(ctx, ep, rstr_payload(rec));
		if (err)
			return err;
	}
	return 0;
}

static int ckpt_file_epoll_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	struct eventpoll *ep;
	int err;

	err = ep_alloc(&ep);
	if (err)
		return err;
	err = ckpt_file_anon_restore(obj, "[eventpoll]", &eventpoll_fops, ep);
	if (err) {
		ep_clear_and_put(ep);
		return err;
	}
	ep->file = obj->ptr;
	/* From here on it goes with its file. */
	return ckpt_epoll_items_restore(ctx, obj, ep);
}

static const struct ckpt_part ckpt_epoll_item_part = {
	.type	= CKPT_REC_EPOLL_ITEM,
	.name	= "item",
	.size	= sizeof(struct ckpt_rec_epoll_item),
	.max	= CKPT_FDS_MAX,
};

static const struct ckpt_part *const ckpt_file_epoll_parts[] = {
	&ckpt_epoll_item_part,
	NULL
};

const struct ckpt_kind ckpt_file_epoll_kind = {
	.type		= CKPT_REC_FILE_EPOLL,
	.family		= CKPT_FILE,
	.name		= "epoll",
	.size		= sizeof(struct ckpt_rec_epoll),
	.parts		= ckpt_file_epoll_parts,
	.match		= ckpt_file_epoll_match,
	.users		= ckpt_file_users,
	.checkpoint	= ckpt_file_epoll_checkpoint,
	.check		= ckpt_file_epoll_check,
	.restore	= ckpt_file_epoll_restore,
};
#endif
