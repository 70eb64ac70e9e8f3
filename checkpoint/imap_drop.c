// SPDX-License-Identifier: GPL-2.0-only
/*
 * Image maps: where memory is dropped and its mapping stays, zeros take the place
 * of what is in the image.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/checkpoint_mm.h>

#include "imap.h"

void ckpt_imap_set_zero(struct vm_area_struct *vma, unsigned long addr,
			pte_t *pte)
{
	set_pte_at(vma->vm_mm, addr, pte,
		   pte_mkspecial(pfn_pte(my_zero_pfn(addr),
					 vma->vm_page_prot)));
	update_mmu_cache(vma, addr, pte);
}

/* Put zero pages where there is nothing, as far as one page table goes. */
static int ckpt_imap_fill_table(struct vm_area_struct *vma, unsigned long addr,
				unsigned long end)
{
	pte_t *pte, *first;
	/* Of the page table. */
	spinlock_t *ptl;

	first = get_locked_pte(vma->vm_mm, addr, &ptl);
	if (!first)
		return -ENOMEM;
	for (pte = first; addr < end; addr += PAGE_SIZE, pte++)
		if (ckpt_imap_is_empty(ptep_get(pte)))
			ckpt_imap_set_zero(vma, addr, pte);
	pte_unmap_unlock(first, ptl);
	return 0;
}

/* See to it that there are page tables, so that nothing more can fail. */
static int ckpt_imap_alloc_table(struct vm_area_struct *vma, unsigned long addr,
				 unsigned long end)
{
	/* Of the page table. */
	spinlock_t *ptl;
	pte_t *pte = get_locked_pte(vma->vm_mm, addr, &ptl);

	if (!pte)
		return -ENOMEM;
	pte_unmap_unlock(pte, ptl);
	return 0;
}

typedef int (*ckpt_imap_fn)(struct vm_area_struct *vma, unsigned long addr,
			    unsigned long end);

/* Do something for each page table that may have pages of the image in it. */
static int ckpt_imap_walk_tables(struct vm_area_struct *vma,
				 unsigned long start, unsigned long end,
				 ckpt_imap_fn fn)
{
	unsigned long addr = start, nr, next, stop;
	pgoff_t index;
	int err;

	while ((addr = ckpt_imap_next(vma, addr, end, &nr, &index)) < end) {
		stop = addr + (nr << PAGE_SHIFT);
		for (; addr < stop; addr = next) {
			next = pmd_addr_end(addr, stop);
			err = fn(vma, addr, next);
			if (err)
				return err;
			cond_resched();
		}
	}
	return 0;
}

static void ckpt_imap_drop_begin(struct vm_area_struct *vma,
				 unsigned long start, unsigned long end,
				 struct ckpt_imap_drop *drop)
{
	struct ckpt_imap *imap = vma->vm_private_data;

	drop->mm = vma->vm_mm;
	drop->first = linear_page_index(vma, start);
	drop->last = linear_page_index(vma, end) - 1;
	spin_lock(&imap->lock);
	list_add(&drop->node, &imap->dropped);
	spin_unlock(&imap->lock);
}

static void ckpt_imap_drop_end(struct vm_area_struct *vma,
			       struct ckpt_imap_drop *drop)
{
	struct ckpt_imap *imap = vma->vm_private_data;

	spin_lock(&imap->lock);
	list_del(&drop->node);
	spin_unlock(&imap->lock);
}

/*
 * Whether any of these pages is being dropped. Asked for with the page table
 * locked: what was not being dropped then, and is entered, will be zapped.
 */
bool ckpt_imap_is_dropped(struct ckpt_imap *imap, struct mm_struct *mm,
			  pgoff_t first, pgoff_t last)
{
	struct ckpt_imap_drop *drop;
	bool found = false;

	if (list_empty(&imap->dropped))
		return false;
	spin_lock(&imap->lock);
	list_for_each_entry(drop, &imap->dropped, node)
		if (drop->mm == mm && drop->first <= last &&
		    drop->last >= first)
			found = true;
	spin_unlock(&imap->lock);
	return found;
}

/**
 * ckpt_imap_zap() - drop pages for good, as MADV_DONTNEED does
 * @vma: a mapping that has a map
 * @start: of the pages
 * @end: behind them
 *
 * MADV_FREE comes here as well: it may drop pages at once, and has no way to
 * drop pages of a file later.
 *
 * Called with mmap_lock held for reading, which is what faults hold.
 *
 * Return: 0, or -ENOMEM with nothing done.
 */
long ckpt_imap_zap(struct vm_area_struct *vma, unsigned long start,
		   unsigned long end)
{
	struct ckpt_imap_drop drop;
	int err;

	err = ckpt_imap_walk_tables(vma, start, end, ckpt_imap_alloc_table);
	if (err)
		return err;
	ckpt_imap_drop_begin(vma, start, end, &drop);
	zap_page_range_single(vma, start, end - start, NULL);
	ckpt_imap_walk_tables(vma, start, end, ckpt_imap_fill_table);
	ckpt_imap_drop_end(vma, &drop);
	return 0;
}

/* Have zeros in what is empty, with mmap_lock held for writing. */
static void ckpt_imap_forget(unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma = vma_lookup(current->mm, start);

	if (!vma || !ckpt_vma_is_imap(vma))
		return;
	/* All of it was moved away. */
	if (!vma->anon_vma) {
		ckpt_imap_detach(vma);
		return;
	}
	/* There is no way back, so memory has to be had; or else none is needed. */
	while (ckpt_imap_walk_tables(vma, start, end, ckpt_imap_fill_table) &&
	       !fatal_signal_pending(current))
		schedule_timeout_killable(1);
}

/**
 * ckpt_imap_remapped() - a mapping was moved or has grown
 * @old: where it was
 * @old_len: how long it was
 * @new: where it is
 * @new_len: how long it is
 * @flags: MREMAP_*
 *
 * What it has grown by is new, though it may have been cut off before. What
 * MREMAP_DONTUNMAP leaves is as good as new.
 */
void ckpt_imap_remapped(unsigned long old, unsigned long old_len,
			unsigned long new, unsigned long new_len,
			unsigned long flags)
{
	if (flags & MREMAP_DONTUNMAP)
		ckpt_imap_forget(old, old + old_len);
	if (new_len > old_len)
		ckpt_imap_forget(new + old_len, new + new_len);
}
