// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies of shared memory: of a mapping, a memfd, a segment of System V.
 *
 * What is shared can't be marked for copying when written, as what is private can.
 * So it is copied; but while the tasks still run. What they write to after that
 * is copied again when they are stopped.
 *
 * It is found by the dirty bits: those of page table entries are moved to their
 * pages, and those of the pages are cleared, before a page is copied. Whoever
 * writes after that, be it a process or the kernel on somebody's behalf, sets one
 * or the other. A page without either would be dropped when memory is short: each
 * is held meanwhile, and made dirty again before it is let go.
 */
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mmu_notifier.h>
#include <linux/pagemap.h>
#include <linux/pagewalk.h>
#include <linux/rcupdate_wait.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <asm/tlbflush.h>

#include "checkpoint.h"
#include "hugetlb.h"
#include "mm.h"
#include "pages.h"

/* Dirty bits. */

static int ckpt_clean_pre_vma(unsigned long start, unsigned long end,
			      struct mm_walk *walk)
{
	struct mmu_notifier_range *range = walk->private;

	mmu_notifier_range_init(range, MMU_NOTIFY_PROTECTION_PAGE, 0, walk->mm,
				start, end);
	mmu_notifier_invalidate_range_start(range);
	/* Who finds an entry clean, and the CPU not to know, has to wait. */
	inc_tlb_flush_pending(walk->mm);
	return 0;
}

static void ckpt_clean_post_vma(struct mm_walk *walk)
{
	struct mmu_notifier_range *range = walk->private;

	flush_tlb_range(walk->vma, range->start, range->end);
	mmu_notifier_invalidate_range_end(range);
	dec_tlb_flush_pending(walk->mm);
}

/* A huge page stays dirty, and so is always copied again. */
static void ckpt_clean_huge(pmd_t *pmd, struct mm_walk *walk)
{
	spinlock_t *ptl = pmd_lock(walk->mm, pmd);

	walk->action = ACTION_AGAIN;
	if (pmd_trans_huge(*pmd)) {
		walk->action = ACTION_CONTINUE;
		if (pmd_dirty(*pmd))
			folio_mark_dirty(page_folio(pmd_page(*pmd)));
	}
	spin_unlock(ptl);
}

static int ckpt_clean_pmd(pmd_t *pmd, unsigned long addr, unsigned long end,
			  struct mm_walk *walk)
{
	/* What is written to by way of a private mapping is another page. */
	if (!(walk->vma->vm_flags & VM_SHARED))
		walk->action = ACTION_CONTINUE;
	else if (pmd_trans_huge(pmdp_get_lockless(pmd)))
		ckpt_clean_huge(pmd, walk);
	return 0;
}

/* Under the lock of the page table, as when an entry is zapped. */
static int ckpt_clean_pte(pte_t *ptep, unsigned long addr, unsigned long end,
			  struct mm_walk *walk)
{
	pte_t pte = ptep_get(ptep), old;
	struct page *page;

	if (!pte_present(pte) || !pte_dirty(pte))
		return 0;
	page = vm_normal_page(walk->vma, addr, pte);
	if (!page)
		return 0;
	old = ptep_modify_prot_start(walk->vma, addr, ptep);
	folio_mark_dirty(page_folio(page));
	ptep_modify_prot_commit(walk->vma, addr, ptep, old, pte_mkclean(old));
	return 0;
}

static const struct mm_walk_ops ckpt_clean_ops = {
	.pre_vma	= ckpt_clean_pre_vma,
	.pmd_entry	= ckpt_clean_pmd,
	.pte_entry	= ckpt_clean_pte,
	.post_vma	= ckpt_clean_post_vma,
};

/* Move the dirty bits of all mappings to the pages. */
static void ckpt_shmem_clean(struct address_space *mapping)
{
	struct mmu_notifier_range range;
	pgoff_t nr = DIV_ROUND_UP(i_size_read(mapping->host), PAGE_SIZE);

	i_mmap_lock_read(mapping);
	walk_page_mapping(mapping, 0, nr, &ckpt_clean_ops, &range);
	i_mmap_unlock_read(mapping);
}

/* Copies. */

/**
 * struct ckpt_copies - pages of shared memory, by ascending index
 * @node: in ckpt_ctx.copies, while they are made ahead
 * @inode: of the memory, held; likewise
 * @nr: how many there are
 * @max: how many there is room for
 * @pages: the copies
 * @index: which page of the memory each is of
 * @from: what it was copied from, held and waiting to become dirty; NULL where
 *	that does not matter
 */
struct ckpt_copies {
	struct list_head	node;
	struct inode		*inode;
	unsigned long		nr;
	unsigned long		max;
	struct page		**pages;
	pgoff_t			*index;
	struct folio		**from;
};

static int ckpt_copies_alloc(struct ckpt_copies *copies, struct inode *inode,
			     bool ahead)
{
	/* Those swapped out come in while we look. */
	unsigned long max = inode->i_mapping->nrpages + SHMEM_I(inode)->swapped;

	copies->max = max;
	copies->pages = kvcalloc(max, sizeof(*copies->pages),
				 GFP_KERNEL_ACCOUNT);
	copies->index = kvcalloc(max, sizeof(*copies->index),
				 GFP_KERNEL_ACCOUNT);
	if (ahead)
		copies->from = kvcalloc(max, sizeof(*copies->from),
					GFP_KERNEL_ACCOUNT);
	return !max || (copies->pages && copies->index &&
			(copies->from || !ahead)) ? 0 : -ENOMEM;
}

static void ckpt_copies_free(struct ckpt_copies *copies)
{
	for (unsigned long i = 0; i < copies->nr; i++) {
		if (copies->pages[i])
			put_page(copies->pages[i]);
		if (!copies->from)
			continue;
		folio_mark_dirty(copies->from[i]);
		folio_put(copies->from[i]);
	}
	kvfree(copies->pages);
	kvfree(copies->index);
	kvfree(copies->from);
}

static int ckpt_copies_add(struct ckpt_copies *copies, struct folio *folio,
			   pgoff_t index)
{
	struct page *copy = alloc_page(GFP_HIGHUSER | __GFP_ACCOUNT);

	if (!copy)
		return -ENOMEM;
	if (copies->from) {
		folio_get(folio);
		copies->from[copies->nr] = folio;
		/* From here on whoever writes leaves a trace. */
		folio_clear_dirty(folio);
		/* Who sets the bit after that may have written before. */
		smp_mb__after_atomic();
	}
	copy_highpage(copy, folio_file_page(folio, index));
	copies->pages[copies->nr] = copy;
	copies->index[copies->nr++] = index;
	return 0;
}

static int ckpt_copies_add_index(struct ckpt_copies *copies,
				 struct inode *inode, pgoff_t index)
{
	struct folio *folio;
	int err;

	err = shmem_get_folio(inode, index, 0, &folio, SGP_READ);
	if (err || !folio)
		return err;
	folio_unlock(folio);
	err = ckpt_copies_add(copies, folio, index);
	folio_put(folio);
	return err;
}

/**
 * struct ckpt_old - copies that may still be good
 * @copies: as made ahead; NULL if there are none
 * @next: the first that has not been passed
 */
struct ckpt_old {
	struct ckpt_copies	*copies;
	unsigned long		next;
};

/* Take the copy that there is of a page, unless that was written to since. */
static bool ckpt_copies_take(struct ckpt_copies *copies, struct ckpt_old *old,
			     void *entry, pgoff_t index)
{
	struct ckpt_copies *of = old->copies;
	unsigned long i;

	if (!of)
		return false;
	while (old->next < of->nr && of->index[old->next] < index)
		old->next++;
	i = old->next;
	if (i == of->nr || of->index[i] != index || of->from[i] != entry ||
	    !of->pages[i] ||
	    folio_test_dirty(of->from[i]) || folio_test_large(of->from[i]) ||
	    folio_maybe_dma_pinned(of->from[i]))
		return false;
	copies->pages[copies->nr] = of->pages[i];
	copies->index[copies->nr++] = index;
	of->pages[i] = NULL;
	return true;
}

/* Returns the next page from *@index on that is to be copied, passing over those
 * whose copies are good; or false if there is none.
 */
static bool ckpt_copies_pass(struct ckpt_copies *copies, struct ckpt_old *old,
			     struct inode *inode, pgoff_t *index)
{
	XA_STATE(xas, &inode->i_mapping->i_pages, *index);
	pgoff_t last = DIV_ROUND_UP(i_size_read(inode), PAGE_SIZE);
	bool found = false;
	void *entry;

	rcu_read_lock();
	xas_for_each(&xas, entry, last - 1) {
		if (xas_retry(&xas, entry))
			continue;
		if (copies->nr == copies->max)
			break;
		if (!ckpt_copies_take(copies, old, entry, xas.xa_index)) {
			*index = max(*index, xas.xa_index);
			found = true;
			break;
		}
		if (need_resched()) {
			xas_pause(&xas);
			cond_resched_rcu();
		}
	}
	rcu_read_unlock();
	return found;
}

static int ckpt_copies_make(struct ckpt_copies *copies, struct inode *inode,
			    struct ckpt_copies *old_copies)
{
	struct ckpt_old old = { .copies = old_copies };
	pgoff_t index = 0;
	int err = 0;

	while (!err && i_size_read(inode) &&
	       ckpt_copies_pass(copies, &old, inode, &index)) {
		if (fatal_signal_pending(current))
			return -EINTR;
		err = ckpt_copies_add_index(copies, inode, index++);
		cond_resched();
	}
	return err;
}

/* Ahead of the stop. */

static struct ckpt_copies *ckpt_copies_find(struct ckpt_ctx *ctx,
					    struct inode *inode)
{
	struct ckpt_copies *copies;

	list_for_each_entry(copies, &ctx->copies, node)
		if (copies->inode == inode)
			return copies;
	return NULL;
}

/**
 * ckpt_shmem_ahead() - copy shared memory before anyone is stopped
 * @ctx: the checkpoint
 * @inode: of the memory
 *
 * Whatever goes wrong, what is not copied now is when all are stopped.
 */
void ckpt_shmem_ahead(struct ckpt_ctx *ctx, struct inode *inode)
{
	struct ckpt_copies *copies;
	int err;

	if (ckpt_copies_find(ctx, inode))
		return;
	copies = kzalloc(sizeof(*copies), GFP_KERNEL_ACCOUNT);
	if (!copies)
		return;
	err = ckpt_copies_alloc(copies, inode, true);
	if (!err) {
		ckpt_shmem_clean(inode->i_mapping);
		err = ckpt_copies_make(copies, inode, NULL);
	}
	if (err) {
		ckpt_copies_free(copies);
		kfree(copies);
		return;
	}
	ihold(inode);
	copies->inode = inode;
	list_add(&copies->node, &ctx->copies);
}

/* What was copied ahead has been used, or is not going to be. */
void ckpt_shmem_ahead_release(struct ckpt_ctx *ctx)
{
	struct ckpt_copies *copies, *next;

	list_for_each_entry_safe(copies, next, &ctx->copies, node) {
		ckpt_copies_free(copies);
		iput(copies->inode);
		kfree(copies);
	}
	INIT_LIST_HEAD(&ctx->copies);
}

/**
 * ckpt_shmem_copy() - copy all pages that there are
 * @ctx: the checkpoint; all who have the memory are stopped
 * @mem: where to
 * @inode: of the memory
 *
 * Return: 0 or a negative errno.
 */
int ckpt_shmem_copy(struct ckpt_ctx *ctx, struct ckpt_memory *mem,
		    struct inode *inode)
{
	struct ckpt_copies *ahead = ckpt_copies_find(ctx, inode), copies = {};
	int err;

	mem->inode = inode;
	if (ckpt_hugetlb_shift(inode))
		return ckpt_hugetlb_copy(mem, inode);
	if (ahead)
		ckpt_shmem_clean(inode->i_mapping);
	err = ckpt_copies_alloc(&copies, inode, false);
	if (!err)
		err = ckpt_copies_make(&copies, inode, ahead);
	if (err) {
		ckpt_copies_free(&copies);
		return err;
	}
	mem->pages = copies.pages;
	mem->index = copies.index;
	mem->nr_copies = copies.nr;
	return 0;
}
