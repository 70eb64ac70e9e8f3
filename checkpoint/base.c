// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bases: what address spaces were when they were checkpointed last, so that the next
 * checkpoint can tell what changed.
 *
 * A base is the copy-on-write duplicate out of which the image was written, and
 * which is kept. While the process runs on, what it writes to it writes to a copy of,
 * as after fork(2): a page that both page tables have has not changed, as long as the
 * base holds it. So the memory management of the base kernel does the tracking, and
 * nothing that a process may use for its own purposes (soft-dirty bits,
 * userfaultfd) is touched. What it costs is the fault that fork(2) would cost, and
 * the memory of those pages that have changed.
 *
 * The next checkpoint makes the base what the process is by then, by what differs
 * between the page tables, and takes note of where that was. If it fails these
 * ranges still are what changed since the image that there is.
 *
 * A base belongs to an address space and ends with it, be it by exit or execve(2).
 */
#include <linux/atomic.h>
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/checkpoint_mm.h>

#include "base.h"
#include "digest.h"
#include "image.h"
#include "pages.h"

/* How many there are, for those who have none to find out soon. */
atomic_t ckpt_nr_bases;

static DEFINE_HASHTABLE(ckpt_bases, 8);
static DEFINE_SPINLOCK(ckpt_bases_lock);

/* Ranges. */

int ckpt_range_add(struct ckpt_buf *ranges, unsigned long start,
		   unsigned long end)
{
	struct ckpt_range *last = ranges->data + ranges->len;

	if (ranges->len && last[-1].end == start) {
		last[-1].end = end;
		return 0;
	}
	last = ckpt_buf_add(ranges, sizeof(*last));
	if (IS_ERR(last))
		return PTR_ERR(last);
	*last = (struct ckpt_range){ .start = start, .end = end };
	return 0;
}

static int ckpt_range_compare(const void *a, const void *b)
{
	const struct ckpt_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

void ckpt_ranges_sort(struct ckpt_buf *ranges)
{
	struct ckpt_range *range = ranges->data;
	size_t nr = ranges->len / sizeof(*range), out = 0;

	if (!nr)
		return;
	sort(range, nr, sizeof(*range), ckpt_range_compare, NULL);
	for (size_t i = 1; i < nr; i++) {
		if (range[i].start <= range[out].end)
			range[out].end = max(range[out].end, range[i].end);
		else
			range[++out] = range[i];
	}
	ranges->len = (out + 1) * sizeof(*range);
}

/* The table. */

static void ckpt_base_free(struct ckpt_base *base)
{
	if (!base)
		return;
	mmput(base->dup);
	ckpt_digests_put(base->digests);
	ckpt_buf_free(&base->changed);
	kfree(base);
}

/* Take the base of an address space out of the table, if it has one there. */
static struct ckpt_base *ckpt_base_remove(struct mm_struct *mm)
{
	struct ckpt_base *base;

	lockdep_assert_held(&ckpt_bases_lock);
	hash_for_each_possible(ckpt_bases, base, node, (unsigned long)mm) {
		if (base->src != mm)
			continue;
		hash_del(&base->node);
		atomic_dec(&ckpt_nr_bases);
		return base;
	}
	return NULL;
}

/**
 * ckpt_base_drop() - an address space has no users any more
 * @mm: the address space
 */
void ckpt_base_drop(struct mm_struct *mm)
{
	struct ckpt_base *base;

	spin_lock(&ckpt_bases_lock);
	base = ckpt_base_remove(mm);
	spin_unlock(&ckpt_bases_lock);
	ckpt_base_free(base);
}

/*
 * Put a base into the table, in place of the one that is there. Whoever ends the
 * address space looks for it after he has taken the last user away: he finds it,
 * or it is found here that there is none.
 */
static void ckpt_base_insert(struct ckpt_base *base)
{
	struct mm_struct *src = base->src;
	struct ckpt_base *old;

	spin_lock(&ckpt_bases_lock);
	old = ckpt_base_remove(src);
	atomic_inc(&ckpt_nr_bases);
	/* Pairs with atomic_dec_and_test() of mmput(), ahead of ckpt_mm_ends(). */
	smp_mb__after_atomic();
	if (atomic_read(&src->mm_users)) {
		hash_add(ckpt_bases, &base->node, (unsigned long)src);
		base = NULL;
	} else {
		atomic_dec(&ckpt_nr_bases);
	}
	spin_unlock(&ckpt_bases_lock);
	ckpt_base_free(old);
	ckpt_base_free(base);
	mmdrop(src);
}

/* Those that a checkpoint has. */

static struct ckpt_base *ckpt_base_find(struct ckpt_ctx *ctx,
					struct mm_struct *mm)
{
	struct ckpt_base *base;

	list_for_each_entry(base, &ctx->bases, list)
		if (base->src == mm)
			return base;
	return NULL;
}

static struct ckpt_base *ckpt_base_take(struct mm_struct *mm, const u8 *uuid)
{
	struct ckpt_base *base, *found = NULL;

	spin_lock(&ckpt_bases_lock);
	hash_for_each_possible(ckpt_bases, base, node, (unsigned long)mm)
		if (base->src == mm && !memcmp(base->uuid, uuid, CKPT_UUID_LEN))
			found = base;
	if (found)
		ckpt_base_remove(mm);
	spin_unlock(&ckpt_bases_lock);
	return found;
}

/**
 * ckpt_base_use() - what an address space was in the parent image
 * @ctx: the checkpoint
 * @mm: the address space, which has a user
 *
 * From here on nobody else finds it, until ckpt_bases_release().
 *
 * Return: its base; NULL if it has none that belongs to the parent, or there is no
 * parent.
 */
struct ckpt_base *ckpt_base_use(struct ckpt_ctx *ctx, struct mm_struct *mm)
{
	struct ckpt_base *base;

	if (!(ctx->flags & CHECKPOINT_PARENT))
		return NULL;
	base = ckpt_base_find(ctx, mm);
	if (base)
		return base;
	base = ckpt_base_take(mm, ctx->parent);
	if (!base)
		return NULL;
	mmgrab(mm);
	list_add_tail(&base->list, &ctx->bases);
	return base;
}

/**
 * ckpt_bases_check() - see whether the parent is one
 * @ctx: the checkpoint, all of whose address spaces have been captured
 *
 * Return: 0 or -ESTALE.
 */
int ckpt_bases_check(struct ckpt_ctx *ctx)
{
	struct ckpt_memory *mem;

	if (!(ctx->flags & CHECKPOINT_PARENT))
		return 0;
	list_for_each_entry(mem, &ctx->memory, node)
		if (mem->base)
			return 0;
	return ckpt_refuse(&ctx->log, -ESTALE,
			   "image %pUb can't be the parent: it is not the last one that was made with ckpt --track or --parent, or all that was in it has ended since",
			   ctx->parent);
}

static int ckpt_base_add(struct ckpt_ctx *ctx, struct ckpt_memory *mem)
{
	struct ckpt_base *base = kzalloc(sizeof(*base), GFP_KERNEL_ACCOUNT);

	if (!base)
		return -ENOMEM;
	ckpt_base_strip(mem->mm);
	base->src = mem->src;
	base->dup = mem->mm;
	mem->src = NULL;
	mem->mm = NULL;
	mem->base = base;
	list_add_tail(&base->list, &ctx->bases);
	return 0;
}

/**
 * ckpt_bases_keep() - make a base of what the image was written from
 * @ctx: the checkpoint, whose image has been written
 *
 * An address space that it fails for has none: the next image has all of it.
 */
void ckpt_bases_keep(struct ckpt_ctx *ctx)
{
	struct ckpt_memory *mem;

	if (!(ctx->flags & CHECKPOINT_TRACK))
		return;
	list_for_each_entry(mem, &ctx->memory, node) {
		if (!mem->mm || (!mem->base && ckpt_base_add(ctx, mem)))
			continue;
		memcpy(mem->base->uuid, ctx->uuid, CKPT_UUID_LEN);
		mem->base->ref = mem->ref;
		ckpt_digests_put(mem->base->digests);
		mem->base->digests = ckpt_digests_get(ctx->digests);
		mem->base->changed.len = 0;
	}
}

/* Let others have them. */
void ckpt_bases_release(struct ckpt_ctx *ctx)
{
	struct ckpt_base *base, *next;

	list_for_each_entry_safe(base, next, &ctx->bases, list) {
		ckpt_base_strip(base->dup);
		list_del(&base->list);
		ckpt_base_insert(base);
	}
	ckpt_digests_put(ctx->digests);
	ctx->digests = NULL;
}
