// SPDX-License-Identifier: GPL-2.0-only
/* Page maps as an image has them, and the pages from the stream back in. */
#include <linux/bvec.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/checkpoint_mm.h>

#include "frames.h"
#include "imap.h"
#include "limits.h"
#include "mm.h"
#include "pages.h"
#include "restart.h"
#include "sums.h"

/**
 * rstr_pages_bad() - pages of an image are damaged: say which
 * @ctx: the restart
 * @page: the first, of all that the image has; one that it has
 * @nr: how many, if there are so many
 * @what: what is wrong with them
 *
 * Return: -EBADMSG
 */
int rstr_pages_bad(struct rstr_ctx *ctx, u64 page, u32 nr, const char *what)
{
	u64 last = min(page + nr, ctx->nr_pages) - 1, start;
	struct rstr_same same = {};
	struct rstr_obj *owner = rstr_page_find(ctx, &same, page, &start);

	return ckpt_refuse(&ctx->log, -EBADMSG,
			   "image: pages %llu to %llu, of %s %u from %#llx on: %s",
			   page, last, owner->kind->name, owner->ref, start,
			   what);
}

/**
 * struct rstr_pages - the page section, as it is read
 * @batch: pages on their way
 * @from: pages of others, of which they are to be copies
 * @same: where these were found
 * @image: the same as a file that can be mapped, or NULL
 * @index: of the first page in @image
 */
struct rstr_pages {
	struct ckpt_batch	batch;
	struct ckpt_batch	from;
	struct rstr_same	same;
	struct file		*image;
	pgoff_t			index;
};

static int rstr_batch_read(struct rstr_ctx *ctx, struct ckpt_batch *batch)
{
	struct iov_iter iter;
	ssize_t ret;

	if (ctx->frames)
		return rstr_frames_read(ctx, batch);
	ckpt_batch_fill(batch);
	iov_iter_bvec(&iter, ITER_DEST, batch->bvec, batch->nr,
		      (size_t)batch->nr << PAGE_SHIFT);
	while (iov_iter_count(&iter)) {
		ret = vfs_iter_read(ctx->file, &iter, ckpt_pos(ctx->file), 0);
		if (ret > 0)
			continue;
		if (ret == -ERESTARTSYS)
			ret = -EINTR;
		if (ret)
			return ret;
		return ckpt_refuse(&ctx->log, -EBADMSG,
				   "image: ends in the middle of the pages");
	}
	return rstr_image_has(ctx, CKPT_INCOMPAT_CHECKSUM) ?
	       ckpt_sums_add(&ctx->sums, batch) : 0;
}

static void ckpt_batch_clear(struct ckpt_batch *batch)
{
	for (unsigned int i = 0; i < batch->nr; i++)
		clear_highpage(batch->pages[i]);
}

/* What holds the pages of memory that is shared. */
static struct address_space *rstr_mapping(struct rstr_obj *owner)
{
	if (owner->kind->family == CKPT_MEMFD)
		return d_inode((struct dentry *)owner->ptr)->i_mapping;
	return ((struct file *)owner->ptr)->f_mapping;
}

static int rstr_batch_get(struct rstr_obj *owner, u64 start,
			  struct ckpt_batch *batch)
{
	if (owner->kind->family == CKPT_MM)
		return ckpt_mm_pages(owner->ptr, start, batch->nr,
				     FOLL_FORCE | FOLL_WRITE, batch->pages);
	if (owner->kind->family == CKPT_DELETED)
		return ckpt_contents_alloc(batch->nr, batch->pages);
	return ckpt_shmem_pages(rstr_mapping(owner), start >> PAGE_SHIFT,
				batch->nr, batch->pages);
}

/* What was read, to where a file has it. */
static int rstr_batch_put(struct rstr_ctx *ctx, struct rstr_obj *owner,
			  u64 start, struct ckpt_batch *batch)
{
	int err;

	ckpt_batch_fill(batch);
	err = ckpt_contents_write(owner->ptr, start, batch->nr, batch->bvec);
	if (err && err != -EINTR && err != -ENOMEM)
		return ckpt_refuse(&ctx->log, err,
				   "%pD, which was deleted: can't be written: %pe",
				   (struct file *)owner->ptr, ERR_PTR(err));
	return err;
}

/* What others have had read in, all at once so that huge pages stay; or copies. */
static int rstr_same_piece(struct rstr_ctx *ctx, struct rstr_obj *owner,
			   u64 start, u64 first, struct rstr_pages *pages)
{
	struct ckpt_batch *batch = &pages->batch, *from = &pages->from;
	int err;

	err = ckpt_same_share(ctx, &pages->same, owner, start, first,
			      &batch->nr);
	if (err)
		return min(err, 0);
	from->nr = min(batch->nr, CKPT_PAGE_BATCH);
	err = ckpt_same_read(ctx, &pages->same, first, from);
	if (err)
		return err;
	batch->nr = from->nr;
	err = rstr_batch_get(owner, start, batch);
	if (!err) {
		for (unsigned int i = 0; i < batch->nr; i++) {
			copy_highpage(batch->pages[i], from->pages[i]);
			set_page_dirty_lock(batch->pages[i]);
		}
		ckpt_pages_put(batch->pages, batch->nr);
	}
	ckpt_pages_put(from->pages, from->nr);
	return err;
}

static int rstr_run_piece(struct rstr_ctx *ctx, struct rstr_obj *owner,
			  u64 start, u32 flags, struct ckpt_batch *batch)
{
	int err;

	err = rstr_batch_get(owner, start, batch);
	if (err)
		return err;
	if (flags & CKPT_RUN_ZERO)
		ckpt_batch_clear(batch);
	else
		err = rstr_batch_read(ctx, batch);
	if (!err && owner->kind->family == CKPT_DELETED)
		err = rstr_batch_put(ctx, owner, start, batch);
	for (unsigned int i = 0; i < batch->nr; i++)
		set_page_dirty_lock(batch->pages[i]);
	ckpt_pages_put(batch->pages, batch->nr);
	return err;
}

/* Whether a run is had from the image as it is touched. */
static bool rstr_run_is_mapped(struct rstr_obj *owner, u64 start)
{
	struct mm_struct *mm = owner->ptr;
	struct vm_area_struct *vma;
	bool mapped;

	mmap_read_lock(mm);
	vma = vma_lookup(mm, start);
	mapped = vma && ckpt_vma_is_imap(vma);
	mmap_read_unlock(mm);
	return mapped;
}

/* What is mapped is read all the same where there are checksums. */
static int rstr_run_verify(struct rstr_ctx *ctx, u32 left,
			   struct ckpt_batch *batch)
{
	u32 nr = min(left, CKPT_SUM_PAGES);
	int err;

	err = ckpt_contents_alloc(nr, batch->pages);
	if (err)
		return err;
	for (; left && !err; left -= batch->nr) {
		batch->nr = min(left, nr);
		err = signal_pending(current) ? -EINTR :
						rstr_batch_read(ctx, batch);
		cond_resched();
	}
	ckpt_pages_put(batch->pages, nr);
	return err;
}

/* @first: where the pages are if they are the same as those of others. */
static int rstr_run_read(struct rstr_ctx *ctx, struct rstr_obj *owner,
			 const struct ckpt_page_run *run, u64 first,
			 struct rstr_pages *pages)
{
	u32 left = le32_to_cpu(run->nr), flags = le32_to_cpu(run->flags);
	struct ckpt_batch *batch = &pages->batch;
	u64 start = le64_to_cpu(run->start);
	int err;

	/* Memory that was never touched is zero by itself. */
	if ((flags & CKPT_RUN_ZERO) && !ckpt_zero_matters(owner, start))
		return 0;
	if (owner->kind->family == CKPT_MM && rstr_run_is_mapped(owner, start)) {
		if (flags)
			return 0;
		if (rstr_image_has(ctx, CKPT_INCOMPAT_CHECKSUM))
			return rstr_run_verify(ctx, left, batch);
		ctx->file->f_pos += (u64)left << PAGE_SHIFT;
		return 0;
	}
	while (left) {
		if (signal_pending(current))
			return -EINTR;
		batch->nr = flags & CKPT_RUN_SAME ? left :
						    min(left, CKPT_PAGE_BATCH);
		err = flags & CKPT_RUN_SAME ?
		      rstr_same_piece(ctx, owner, start, first, pages) :
		      rstr_run_piece(ctx, owner, start, flags, batch);
		if (err)
			return err;
		start += (u64)batch->nr << PAGE_SHIFT;
		first += batch->nr;
		left -= batch->nr;
		cond_resched();
	}
	return 0;
}

static int rstr_pagemap_read(struct rstr_ctx *ctx, struct rstr_obj *obj,
			     struct rstr_pages *pages)
{
	const struct ckpt_rec_pagemap *rec = rstr_payload(obj->rec);
	struct rstr_obj *owner = rstr_obj(ctx, rec->owner);
	const __le64 *same = ckpt_same_first(obj);
	u32 nr = le32_to_cpu(rec->nr_runs);
	u64 first;
	int err = 0;

	if (!owner->ptr)
		return rstr_bad(ctx, obj->rec, "of object %u, which nobody has",
				owner->ref);
	if (pages->image && owner->kind->family == CKPT_MM)
		err = ckpt_imap_restore(ctx, owner, pages->image, pages->index);
	if (!err && same)
		err = ckpt_same_relate(ctx, obj);
	for (u32 i = 0; i < nr && !err; i++) {
		first = rec->runs[i].flags & cpu_to_le32(CKPT_RUN_SAME) ?
			le64_to_cpu(*same++) : 0;
		err = rstr_run_read(ctx, owner, &rec->runs[i], first, pages);
	}
	return err;
}

/**
 * ckpt_memory_read() - read the page section into the memory objects
 * @ctx: the restart, whose memory objects have all been made
 *
 * Return: 0 or a negative errno.
 */
int ckpt_memory_read(struct rstr_ctx *ctx)
{
	struct rstr_pages *pages;
	int err;

	err = rstr_frames_begin(ctx);
	if (err)
		return err;
	pages = kzalloc(sizeof(*pages), GFP_KERNEL_ACCOUNT);
	if (!pages)
		return -ENOMEM;
	pages->image = ckpt_image_open(ctx);
	if (pages->image)
		pages->index = ctx->file->f_pos >> PAGE_SHIFT;
	for (u32 i = 0; i < ctx->nr_objs && !err; i++)
		if (ctx->objs[i].kind->family == CKPT_PAGEMAP)
			err = rstr_pagemap_read(ctx, &ctx->objs[i], pages);
	ckpt_image_close(pages->image);
	kfree(pages);
	if (!err)
		err = rstr_sums_check(ctx);
	/* The rest of what a restart knows may have to wait for its tasks for long. */
	ckpt_frames_free(ctx->frames);
	ctx->frames = NULL;
	ckpt_buf_free(&ctx->sums.table);
	return err;
}

static int ckpt_run_check(struct rstr_ctx *ctx, struct rstr_obj *obj,
			  struct rstr_obj *owner,
			  const struct ckpt_page_run *run, u64 *end)
{
	u64 start = le64_to_cpu(run->start);
	u64 len = (u64)le32_to_cpu(run->nr) << PAGE_SHIFT;

	if (!len || !PAGE_ALIGNED(start) || start + len < start)
		return rstr_bad(ctx, obj->rec, "run at %#llx of %llu bytes",
				start, len);
	if (start < *end)
		return rstr_bad(ctx, obj->rec, "run at %#llx after %#llx",
				start, *end);
	/* What a parent has is not in an image that gets here. */
	if (run->flags && run->flags != cpu_to_le32(CKPT_RUN_ZERO) &&
	    run->flags != cpu_to_le32(CKPT_RUN_SAME))
		return rstr_bad(ctx, obj->rec, "run at %#llx: flags %#x",
				start, le32_to_cpu(run->flags));
	*end = start + len;
	return ckpt_run_fits(ctx, obj, owner, start, *end);
}

static int ckpt_runs_check(struct rstr_ctx *ctx, struct rstr_obj *obj,
			   struct rstr_obj *owner)
{
	const struct ckpt_rec_pagemap *rec = rstr_payload(obj->rec);
	u64 pages = 0, end = 0;
	int err;

	for (u32 i = 0; i < le32_to_cpu(rec->nr_runs); i++) {
		const struct ckpt_page_run *run = &rec->runs[i];

		err = ckpt_run_check(ctx, obj, owner, run, &end);
		if (err)
			return err;
		if (!run->flags)
			pages += le32_to_cpu(run->nr);
	}
	if (pages != le64_to_cpu(rec->nr_pages))
		return rstr_bad(ctx, obj->rec, "%llu pages in runs, not %llu",
				pages, le64_to_cpu(rec->nr_pages));
	ctx->nr_pages += pages;
	return ckpt_same_check(ctx, obj);
}

static int ckpt_pagemap_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_pagemap *rec = rstr_payload(obj->rec);
	struct rstr_obj *owner;

	if (struct_size(rec, runs, le32_to_cpu(rec->nr_runs)) !=
	    rstr_size(obj->rec))
		return rstr_bad(ctx, obj->rec, "%u runs",
				le32_to_cpu(rec->nr_runs));
	owner = rstr_ref_memory(ctx, obj->rec, rec->owner);
	if (!owner)
		return -EBADMSG;
	if (owner->pages)
		return rstr_bad(ctx, obj->rec, "a second one of object %u",
				owner->ref);
	owner->pages = obj;
	obj->first_page = ctx->nr_pages;
	return ckpt_runs_check(ctx, obj, owner);
}

static const struct ckpt_part *const ckpt_pagemap_parts[] = {
	&ckpt_same_part,
	NULL
};

const struct ckpt_kind ckpt_pagemap_kind = {
	.type		= CKPT_REC_PAGEMAP,
	.family		= CKPT_PAGEMAP,
	.name		= "page map",
	.size		= sizeof(struct ckpt_rec_pagemap),
	.open_ended	= true,
	.parts		= ckpt_pagemap_parts,
	.check		= ckpt_pagemap_check,
};
