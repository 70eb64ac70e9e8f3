// SPDX-License-Identifier: GPL-2.0-only
/*
 * A copy-on-write duplicate of what is private in an address space, out of
 * which it is written while its owner runs on.
 *
 * It is fork's dup_mmap() for the mappings that have anonymous memory, and for
 * them only: no task will ever run in it, so what can be had from files, and
 * what is shared, has no place in it. Mappings that fork would leave out or
 * wipe (MADV_DONTFORK, MADV_WIPEONFORK) are in it like all others. Of huge pages of
 * the pool it has copies: there are only so many of these, and where a page is wanting
 * for who writes it is taken from who does not.
 *
 * Most of it can be made while the owner runs. What he writes to afterwards he
 * writes to a copy of, so that his page table tells by the number of a page
 * whether it is still the one that the duplicate has: as long as the duplicate
 * holds the page, it is neither written to nor given to anybody else. Once he is
 * stopped, what has changed is made anew, which takes a look at each entry and
 * no more where there is nothing to do.
 *
 * In the same way a duplicate that was kept, a base, is made what its owner is at the
 * next checkpoint. It has no files: those would be held for as long as it is there,
 * and be in use for all to see. So mappings that have any are made anew each time,
 * which takes nothing but to compare them before.
 */
#include <linux/checkpoint_mm.h>
#include <linux/hugetlb.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagewalk.h>
#include <linux/rmap.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/security.h>
#include <linux/swapops.h>
#include <asm/tlbflush.h>

#include "../mm/internal.h"
#include "base.h"
#include "hugetlb.h"
#include "limits.h"
#include "mm.h"
#include "pages.h"

/* What a mapping of the duplicate never has. */
#define CKPT_DUP_CLEAR	(VM_LOCKED_MASK | VM_DONTCOPY | VM_WIPEONFORK | \
			 VM_SEALED)

/*
 * And what one has that was filled with copies, and no other: whatever is anonymous
 * may be made executable.
 */
#define CKPT_DUP_COPIED	(VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | \
			 VM_NORESERVE | VM_NOHUGEPAGE)

/* Mappings. */

static int ckpt_vma_link(struct mm_struct *mm, struct vm_area_struct *vma,
			 struct vm_area_struct *src)
{
	int err;

	err = anon_vma_fork(vma, src);
	if (err)
		return err;
	if (vma->vm_file)
		get_file(vma->vm_file);
	err = vma_link(mm, vma);
	if (err) {
		if (vma->vm_file)
			fput(vma->vm_file);
		unlink_anon_vmas(vma);
		return err;
	}
	vm_stat_account(mm, vma->vm_flags, vma_pages(vma));
	if (vma->vm_ops && vma->vm_ops->open)
		vma->vm_ops->open(vma);
	return 0;
}

static struct vm_area_struct *ckpt_vma_alloc(struct mm_struct *mm,
					     struct vm_area_struct *src,
					     unsigned long start,
					     unsigned long end)
{
	struct vm_area_struct *vma = vm_area_dup(src);
	int err;

	if (!vma)
		return ERR_PTR(-ENOMEM);
	err = vma_dup_policy(src, vma);
	if (err) {
		vm_area_free(vma);
		return ERR_PTR(err);
	}
	vma->vm_mm = mm;
	vma->vm_start = start;
	vma->vm_end = end;
	vma->vm_pgoff += (start - src->vm_start) >> PAGE_SHIFT;
	vm_flags_clear(vma, CKPT_DUP_CLEAR);
	return vma;
}

/* A mapping as that part of @src, with no pages in it. Or an ERR_PTR. */
static struct vm_area_struct *ckpt_vma_dup(struct mm_struct *mm,
					   struct vm_area_struct *src,
					   unsigned long start,
					   unsigned long end)
{
	unsigned long charge = src->vm_flags & VM_ACCOUNT ?
			       (end - start) >> PAGE_SHIFT : 0;
	struct vm_area_struct *vma;
	int err;

	if (charge && security_vm_enough_memory_mm(mm, charge))
		return ERR_PTR(-ENOMEM);
	vma = ckpt_vma_alloc(mm, src, start, end);
	if (IS_ERR(vma)) {
		vm_unacct_memory(charge);
		return vma;
	}
	err = ckpt_vma_link(mm, vma, src);
	/* Once it is linked exit_mmap() undoes it, charge included. */
	if (!err)
		return vma;
	mpol_put(vma_policy(vma));
	vm_area_free(vma);
	vm_unacct_memory(charge);
	return ERR_PTR(err);
}

static bool ckpt_vma_is_copied(const struct vm_area_struct *vma)
{
	return vma->vm_flags == CKPT_DUP_COPIED;
}

/* What can't be duplicated is copied, to a mapping of ordinary pages. */
static int ckpt_part_dup_hugetlb(struct mm_struct *mm,
				 struct vm_area_struct *src)
{
	struct vm_area_struct *vma = vm_area_alloc(mm);
	int err;

	if (!vma)
		return -ENOMEM;
	vma_set_anonymous(vma);
	vma_set_range(vma, src->vm_start, src->vm_end,
		      src->vm_start >> PAGE_SHIFT);
	vm_flags_init(vma, CKPT_DUP_COPIED);
	vma->vm_page_prot = vm_get_page_prot(CKPT_DUP_COPIED);
	err = vma_link(mm, vma);
	if (err) {
		vm_area_free(vma);
		return err;
	}
	vm_stat_account(mm, vma->vm_flags, vma_pages(vma));
	return ckpt_hugetlb_copy_private(vma, src);
}

/* Whether all that holds the pages of @src holds those of @dst. */
static bool ckpt_anon_is_same(struct vm_area_struct *dst,
			      struct vm_area_struct *src)
{
	struct anon_vma_chain *of_src, *of_dst;

	list_for_each_entry(of_src, &src->anon_vma_chain, same_vma) {
		bool found = false;

		list_for_each_entry(of_dst, &dst->anon_vma_chain, same_vma)
			found |= of_dst->anon_vma == of_src->anon_vma;
		if (!found)
			return false;
	}
	return true;
}

/**
 * ckpt_vma_is_twin() - whether a mapping may have pages of another where both are
 * @dst: the one
 * @src: the other
 *
 * They are found by what holds them, and by their offset. What @src permits may have
 * changed.
 *
 * Return: true if it may.
 */
bool ckpt_vma_is_twin(struct vm_area_struct *dst, struct vm_area_struct *src)
{
	if (ckpt_vma_is_imap(dst) != ckpt_vma_is_imap(src) ||
	    dst->vm_file != src->vm_file)
		return false;
	if (ckpt_vma_is_imap(src) &&
	    dst->vm_private_data != src->vm_private_data)
		return false;
	return dst->vm_pgoff - (dst->vm_start >> PAGE_SHIFT) ==
	       src->vm_pgoff - (src->vm_start >> PAGE_SHIFT) &&
	       ckpt_anon_is_same(dst, src);
}

/* Pages. */

/**
 * ckpt_part_copy() - give a mapping the pages that another has
 * @dst: the one, which has none there
 * @src: the other
 * @start: where they begin
 * @end: behind them
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_part_copy(struct vm_area_struct *dst, struct vm_area_struct *src,
		   unsigned long start, unsigned long end)
{
	/* Who copies looks at bounds and flags, and at nothing that links it. */
	struct vm_area_struct part = *src;

	part.vm_start = start;
	part.vm_end = end;
	/* A huge page is copied as a whole. */
	vma_adjust_trans_huge(src, start, end, 0);
	return copy_page_range(dst, &part);
}

/**
 * struct ckpt_twins - two mappings that are compared
 * @dst: the duplicate
 * @src: what it is one of
 * @count: only count what differs
 * @nr_stale: pages that differ
 * @changed: struct ckpt_range, to which they are added; or NULL
 */
struct ckpt_twins {
	struct vm_area_struct	*dst;
	struct vm_area_struct	*src;
	bool			count;
	unsigned long		nr_stale;
	struct ckpt_buf		*changed;
};

/* Before anything is done about it, so that nothing is done that is not known. */
static int ckpt_twins_note(struct ckpt_twins *twins, unsigned long start,
			   unsigned long end)
{
	return twins->changed ? ckpt_range_add(twins->changed, start, end) : 0;
}

static int ckpt_twins_renew(struct ckpt_twins *twins, unsigned long start,
			    unsigned long end)
{
	int err = ckpt_twins_note(twins, start, end);

	twins->nr_stale += (end - start) >> PAGE_SHIFT;
	if (twins->count || err)
		return err;
	zap_page_range_single(twins->dst, start, end - start, NULL);
	return ckpt_part_copy(twins->dst, twins->src, start, end);
}

/*
 * Entries may change meanwhile, as pages are swapped out or moved. What is there
 * is the same nevertheless; and if they seem to differ it is copied again.
 */
static bool ckpt_pte_is_same(pte_t dst, pte_t src)
{
	if (pte_none(dst) || pte_none(src))
		return pte_none(dst) && pte_none(src);
	if (pte_present(dst) && pte_present(src))
		return pte_pfn(dst) == pte_pfn(src) && !pte_write(src);
	if (pte_present(dst) || pte_present(src))
		return false;
	return pte_to_swp_entry(dst).val == pte_to_swp_entry(src).val;
}

static bool ckpt_pmd_is_same(pmd_t dst, pmd_t src)
{
	return pmd_present(dst) && pmd_present(src) && pmd_leaf(dst) &&
	       pmd_leaf(src) && pmd_pfn(dst) == pmd_pfn(src) && !pmd_write(src);
}

/* An entry; of a page that is as in an image it does not matter if it is there. */
static pte_t ckpt_pte_get(struct vm_area_struct *vma, unsigned long addr,
			  pte_t *ptep)
{
	pte_t pte = ptep_get_lockless(ptep);
	struct page *page;

	if (!ckpt_vma_is_imap(vma) || !pte_present(pte))
		return pte;
	page = vm_normal_page(vma, addr, pte);
	return page && !PageAnon(page) ? __pte(0) : pte;
}

/* The first entry from @addr on that is the same or is not, or @end. */
static unsigned long ckpt_ptes_find(struct ckpt_twins *twins, pmd_t *dst,
				    pmd_t *src, unsigned long addr,
				    unsigned long end, bool same)
{
	pte_t *of_dst = pte_offset_map(dst, addr);
	pte_t *of_src = pte_offset_map(src, addr);
	int i = 0;

	/* A table that has gone has nothing that is the same. */
	if (!of_dst || !of_src)
		addr = same ? end : addr;
	else
		for (; addr < end; addr += PAGE_SIZE, i++)
			if (ckpt_pte_is_same(ckpt_pte_get(twins->dst, addr,
							  of_dst + i),
					     ckpt_pte_get(twins->src, addr,
							  of_src + i)) == same)
				break;
	if (of_src)
		pte_unmap(of_src);
	if (of_dst)
		pte_unmap(of_dst);
	return addr;
}

static int ckpt_twins_ptes(struct ckpt_twins *twins, pmd_t *dst, pmd_t *src,
			   unsigned long addr, unsigned long end)
{
	unsigned long stale;
	int err = 0;

	while (!err) {
		stale = ckpt_ptes_find(twins, dst, src, addr, end, false);
		if (stale == end)
			break;
		addr = ckpt_ptes_find(twins, dst, src, stale, end, true);
		err = ckpt_twins_renew(twins, stale, addr);
	}
	return err;
}

static int ckpt_twins_pmd(pmd_t *src, unsigned long addr, unsigned long end,
			  struct mm_walk *walk)
{
	struct ckpt_twins *twins = walk->private;
	pmd_t *dst = mm_find_pmd(twins->dst->vm_mm, addr);
	pmd_t of_dst = dst ? pmdp_get_lockless(dst) : __pmd(0);
	pmd_t of_src = pmdp_get_lockless(src);

	cond_resched();
	if (fatal_signal_pending(current))
		return -EINTR;
	if (pmd_none(of_dst) && pmd_none(of_src))
		return 0;
	if (end - addr == PMD_SIZE && ckpt_pmd_is_same(of_dst, of_src))
		return 0;
	if (pmd_none(of_dst) || !pmd_present(of_dst) || pmd_leaf(of_dst) ||
	    pmd_none(of_src) || !pmd_present(of_src) || pmd_leaf(of_src))
		return ckpt_twins_renew(twins, addr, end);
	return ckpt_twins_ptes(twins, dst, src, addr, end);
}

static int ckpt_empty_pmd(pmd_t *pmd, unsigned long addr, unsigned long end,
			  struct mm_walk *walk)
{
	pmd_t entry = pmdp_get_lockless(pmd);

	return !pmd_none(entry) && (!pmd_present(entry) || pmd_leaf(entry));
}

static int ckpt_empty_pte(pte_t *pte, unsigned long addr, unsigned long end,
			  struct mm_walk *walk)
{
	return !pte_none(ptep_get(pte));
}

static const struct mm_walk_ops ckpt_empty_ops = {
	.pmd_entry	= ckpt_empty_pmd,
	.pte_entry	= ckpt_empty_pte,
	.walk_lock	= PGWALK_RDLOCK,
};

/* Whether a duplicate has nothing there but what is in an image. */
static bool ckpt_imap_is_untouched(struct vm_area_struct *vma,
				   unsigned long start, unsigned long end)
{
	return ckpt_vma_is_imap(vma) &&
	       !walk_page_range(vma->vm_mm, start, end, &ckpt_empty_ops, NULL);
}

/* There is nothing, where there may have been something. */
static int ckpt_twins_hole(unsigned long addr, unsigned long end, int depth,
			   struct mm_walk *walk)
{
	struct ckpt_twins *twins = walk->private;
	int err;

	if (twins->changed && ckpt_imap_is_untouched(twins->dst, addr, end))
		return 0;
	err = ckpt_twins_note(twins, addr, end);
	if (!twins->count && !err)
		zap_page_range_single(twins->dst, addr, end - addr, NULL);
	return err;
}

static const struct mm_walk_ops ckpt_twins_ops = {
	.pmd_entry	= ckpt_twins_pmd,
	.pte_hole	= ckpt_twins_hole,
	.walk_lock	= PGWALK_RDLOCK,
};

static int ckpt_twins_compare(struct ckpt_twins *twins, unsigned long start,
			      unsigned long end)
{
	return walk_page_range(twins->src->vm_mm, start, end, &ckpt_twins_ops,
			       twins);
}

/* Address spaces. */

/* What munmap(2) does to a whole mapping, which it does for nobody but current. */
static int ckpt_vma_drop(struct vm_area_struct *vma)
{
	VMA_ITERATOR(vmi, vma->vm_mm, vma->vm_start);
	struct mm_struct *mm = vma->vm_mm;
	struct vm_area_struct *prev, *next;
	int err;

	find_vma_prev(mm, vma->vm_start, &prev);
	next = find_vma(mm, vma->vm_end);
	vma_start_write(vma);
	err = vma_iter_clear_gfp(&vmi, vma->vm_start, vma->vm_end, GFP_KERNEL);
	if (err)
		return err;
	vma_mark_detached(vma, true);
	mm->map_count--;
	vm_stat_account(mm, vma->vm_flags, -vma_pages(vma));
	if (vma->vm_flags & VM_ACCOUNT)
		vm_unacct_memory(vma_pages(vma));
	vma_iter_set(&vmi, vma->vm_end);
	unmap_region(&vmi.mas, vma, prev, next);
	remove_vma(vma, false);
	return 0;
}

/* Unmap what a duplicate has there, which is of one mapping. */
static int ckpt_part_drop(struct mm_struct *mm, unsigned long start,
			  unsigned long end)
{
	VMA_ITERATOR(vmi, mm, start);
	struct vm_area_struct *vma = vma_find(&vmi, end);
	int err = 0;

	if (vma->vm_start < start)
		err = split_vma(&vmi, vma, start, 1);
	if (!err && vma->vm_end > end)
		err = split_vma(&vmi, vma, end, 0);
	return err ?: ckpt_vma_drop(vma);
}

/* Whether @src has no memory from @addr on, and up to where that is so. */
static bool ckpt_is_gone(struct mm_struct *src, unsigned long addr,
			 unsigned long *end)
{
	struct vm_area_struct *vma = find_vma(src, addr);

	if (vma && vma->vm_start > addr) {
		*end = min(*end, vma->vm_start);
		return true;
	}
	if (vma)
		*end = min(*end, vma->vm_end);
	return !vma || !vma->anon_vma;
}

/* Drop what is where @src has no memory any more. */
static int ckpt_vmas_forget(struct mm_struct *mm, struct mm_struct *src)
{
	unsigned long addr = 0, end;
	struct vm_area_struct *vma;
	int err = 0;

	for (; !err && (vma = find_vma(mm, addr)); addr = end) {
		addr = max(addr, vma->vm_start);
		end = vma->vm_end;
		if (ckpt_is_gone(src, addr, &end))
			err = ckpt_part_drop(mm, addr, end);
	}
	return err;
}

static int ckpt_part_dup(struct mm_struct *mm, struct vm_area_struct *src,
			 unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma = ckpt_vma_dup(mm, src, start, end);

	if (IS_ERR(vma))
		return PTR_ERR(vma);
	return ckpt_part_copy(vma, src, start, end);
}

/* Take note of what differs; of all, where what is empty means one thing or another. */
static int ckpt_part_note(struct ckpt_twins *twins, unsigned long start,
			  unsigned long end)
{
	int err;

	if (ckpt_vma_is_imap(twins->dst) || ckpt_vma_is_imap(twins->src) ||
	    ckpt_vma_is_copied(twins->dst))
		return ckpt_twins_note(twins, start, end);
	twins->count = true;
	err = ckpt_twins_compare(twins, start, end);
	twins->count = false;
	return err;
}

/* A part that can't be compared with what there is, is made anew. */
static int ckpt_part_replace(struct ckpt_twins *twins, unsigned long start,
			     unsigned long end)
{
	struct mm_struct *mm = twins->dst->vm_mm;
	int err;

	/* Who has begun just now is quicker done with if he begins again. */
	if (!twins->changed)
		return -EAGAIN;
	err = ckpt_part_note(twins, start, end);
	if (!err)
		err = ckpt_part_drop(mm, start, end);
	return err ?: ckpt_part_dup(mm, twins->src, start, end);
}

/* Copies can't be compared with what they were made of. */
static int ckpt_hugetlb_renew(struct mm_struct *mm, struct vm_area_struct *src,
			      struct ckpt_buf *changed)
{
	struct vm_area_struct *vma;
	int err = 0;

	if (changed)
		err = ckpt_range_add(changed, src->vm_start, src->vm_end);
	while (!err && (vma = find_vma_intersection(mm, src->vm_start,
						    src->vm_end)))
		err = ckpt_part_drop(mm, max(vma->vm_start, src->vm_start),
				     min(vma->vm_end, src->vm_end));
	return err ?: ckpt_part_dup_hugetlb(mm, src);
}

/* What is there is compared, what is missing is made. */
static int ckpt_vma_renew(struct mm_struct *mm, struct vm_area_struct *src,
			  struct ckpt_buf *changed)
{
	struct ckpt_twins twins = { .src = src, .changed = changed };
	unsigned long pos = src->vm_start, next;
	int err = 0;

	for (; !err && pos < src->vm_end; pos = next) {
		twins.dst = find_vma(mm, pos);
		next = src->vm_end;
		if (!twins.dst || twins.dst->vm_start > pos) {
			if (twins.dst)
				next = min(next, twins.dst->vm_start);
			err = ckpt_twins_note(&twins, pos, next);
			err = err ?: ckpt_part_dup(mm, src, pos, next);
		} else {
			next = min(next, twins.dst->vm_end);
			err = ckpt_vma_is_twin(twins.dst, src) ?
			      ckpt_twins_compare(&twins, pos, next) :
			      ckpt_part_replace(&twins, pos, next);
		}
	}
	return err;
}

static int ckpt_vmas_renew(struct mm_struct *mm, struct mm_struct *src,
			   struct ckpt_buf *changed)
{
	VMA_ITERATOR(vmi, src, 0);
	struct vm_area_struct *vma;
	int err = 0;

	for_each_vma(vmi, vma) {
		if (!vma->anon_vma)
			continue;
		if (fatal_signal_pending(current))
			return -EINTR;
		vma_start_write(vma);
		if (is_vm_hugetlb_page(vma))
			err = ckpt_hugetlb_renew(mm, vma, changed);
		else
			err = ckpt_vma_renew(mm, vma, changed);
		if (err)
			return err;
	}
	return 0;
}

static int ckpt_dup_lock(struct mm_struct *mm, struct mm_struct *src)
{
	if (mmap_write_lock_killable(src))
		return -EINTR;
	mmap_write_lock_nested(mm, SINGLE_DEPTH_NESTING);
	return 0;
}

static int ckpt_dup_renew(struct mm_struct *mm, struct mm_struct *src,
			  struct ckpt_buf *changed)
{
	int err;

	err = ckpt_dup_lock(mm, src);
	if (err)
		return err;
	err = ckpt_vmas_forget(mm, src);
	if (!err)
		err = ckpt_vmas_renew(mm, src, changed);
	mmap_write_unlock(mm);
	/* Its pages are write protected now, and no CPU may think otherwise. */
	flush_tlb_mm(src);
	mmap_write_unlock(src);
	return err;
}

/**
 * ckpt_mm_renew() - make a duplicate what its original is now
 * @mm: the duplicate, which may be empty
 * @src: the original; those that run in it are stopped
 *
 * Return: 0; -EAGAIN if it can't be made out of what is in @mm; -ENOMEM; -EINTR.
 */
int ckpt_mm_renew(struct mm_struct *mm, struct mm_struct *src)
{
	return ckpt_dup_renew(mm, src, NULL);
}

/**
 * ckpt_base_renew() - make a base what its address space is now
 * @base: the base; those that run in its address space are stopped
 *
 * Where it differed is added to @base->changed, whatever is returned.
 *
 * Return: 0; -ENOMEM; -EINTR.
 */
int ckpt_base_renew(struct ckpt_base *base)
{
	return ckpt_dup_renew(base->dup, base->src, &base->changed);
}

static void ckpt_vma_strip(struct vm_area_struct *vma)
{
	/* Only what belongs to the file: nothing would find it any more. And copies. */
	struct zap_details details = {
		.even_cows = ckpt_vma_is_copied(vma),
	};

	vma_start_write(vma);
	zap_page_range_single(vma, vma->vm_start,
			      vma->vm_end - vma->vm_start, &details);
	if (!vma->vm_file)
		return;
	unlink_file_vma(vma);
	if (vma->vm_ops && vma->vm_ops->close)
		vma->vm_ops->close(vma);
	fput(vma->vm_file);
	vma->vm_file = NULL;
	vma->vm_ops = NULL;
}

/**
 * ckpt_base_strip() - have a duplicate hold no files, nor pages of any
 * @dup: the duplicate, out of which nothing will be written any more
 *
 * Of an image that it is filled from it holds no page, but goes on to hold that.
 */
void ckpt_base_strip(struct mm_struct *dup)
{
	VMA_ITERATOR(vmi, dup, 0);
	struct vm_area_struct *vma;

	mmap_write_lock(dup);
	for_each_vma(vmi, vma)
		if (vma->vm_file || ckpt_vma_is_imap(vma) ||
		    ckpt_vma_is_copied(vma))
			ckpt_vma_strip(vma);
	mmap_write_unlock(dup);
}

/**
 * ckpt_mm_dup() - duplicate the private memory of an address space
 * @src: the address space; those that run in it are stopped
 *
 * Takes as long as the page tables are large, whatever is in the pages.
 *
 * Return: an address space to be given back by mmput(), or an ERR_PTR.
 */
struct mm_struct *ckpt_mm_dup(struct mm_struct *src)
{
	struct mm_struct *mm = mm_alloc();
	int err;

	if (!mm)
		return ERR_PTR(-ENOMEM);
	err = ckpt_mm_renew(mm, src);
	if (!err)
		return mm;
	mmput(mm);
	return ERR_PTR(err);
}

/* Ahead of the stop. */

static int ckpt_populated_pmd(pmd_t *pmd, unsigned long addr,
			      unsigned long end, struct mm_walk *walk)
{
	*(unsigned long *)walk->private = addr;
	return !pmd_none(pmdp_get_lockless(pmd));
}

static const struct mm_walk_ops ckpt_populated_ops = {
	.pmd_entry	= ckpt_populated_pmd,
	.walk_lock	= PGWALK_RDLOCK,
};

/* The first address from @addr on that has a page table, or the end of @vma. */
static unsigned long ckpt_populated(struct vm_area_struct *vma,
				    unsigned long addr)
{
	unsigned long found;

	if (walk_page_range(vma->vm_mm, addr, vma->vm_end, &ckpt_populated_ops,
			    &found) <= 0)
		return vma->vm_end;
	return found;
}

/* The next mapping that has something to be copied from *@addr on, or NULL. */
static struct vm_area_struct *ckpt_ahead_next(struct mm_struct *src,
					      unsigned long *addr)
{
	VMA_ITERATOR(vmi, src, *addr);
	struct vm_area_struct *vma;

	for_each_vma(vmi, vma) {
		/* What is small may be gone the next moment, and be another. */
		if (!vma->anon_vma || vma_pages(vma) < CKPT_AHEAD_MIN ||
		    (vma->vm_flags & VM_SPECIAL) || is_vm_hugetlb_page(vma))
			continue;
		*addr = ckpt_populated(vma, max(*addr, vma->vm_start));
		if (*addr < vma->vm_end)
			return vma;
	}
	return NULL;
}

/*
 * Where it is to be copied to: the twin, which is made when there is none; NULL
 * if there is another one, since the mapping changed in the meantime.
 */
static struct vm_area_struct *ckpt_ahead_twin(struct mm_struct *mm,
					      struct vm_area_struct *src,
					      unsigned long addr)
{
	struct vm_area_struct *vma;

	vma = find_vma_intersection(mm, src->vm_start, src->vm_end);
	if (!vma)
		return ckpt_vma_dup(mm, src, src->vm_start, src->vm_end);
	if (vma->vm_start <= addr && vma->vm_end >= src->vm_end &&
	    ckpt_vma_is_twin(vma, src))
		return vma;
	return NULL;
}

/* One piece, from *@addr on, which moves on; or to the end, if there is none. */
static int ckpt_ahead_piece(struct mm_struct *mm, struct mm_struct *src,
			    unsigned long *addr)
{
	struct vm_area_struct *vma = ckpt_ahead_next(src, addr), *twin;
	unsigned long start = *addr;
	int err = 0;

	if (!vma) {
		*addr = TASK_SIZE_MAX;
		return 0;
	}
	vma_start_write(vma);
	*addr = vma->vm_end;
	twin = ckpt_ahead_twin(mm, vma, start);
	if (IS_ERR_OR_NULL(twin))
		return PTR_ERR_OR_ZERO(twin);
	*addr = min(vma->vm_end, round_down(start, CKPT_AHEAD_PIECE) +
				 CKPT_AHEAD_PIECE);
	err = ckpt_part_copy(twin, vma, start, *addr);
	/* Its owner runs: who takes a fault on one CPU must find all agree. */
	flush_tlb_range(vma, start, *addr);
	return err;
}

static int ckpt_ahead_count(struct mm_struct *mm, struct mm_struct *src,
			    unsigned long *nr)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct ckpt_twins twins = { .count = true };
	int err = 0;

	for_each_vma(vmi, twins.dst) {
		twins.src = vma_lookup(src, twins.dst->vm_start);
		if (twins.src && ckpt_vma_is_twin(twins.dst, twins.src))
			err = ckpt_twins_compare(&twins, twins.dst->vm_start,
						 min(twins.dst->vm_end,
						     twins.src->vm_end));
		if (err)
			return err;
	}
	*nr = twins.nr_stale;
	return 0;
}

/* Who writes everywhere, and fast, is quicker done with if all is made at once. */
static int ckpt_ahead_worthwhile(struct mm_struct *mm, struct mm_struct *src)
{
	unsigned long nr = 0;
	int err;

	err = mmap_read_lock_killable(src);
	if (err)
		return err;
	mmap_write_lock_nested(mm, SINGLE_DEPTH_NESTING);
	err = ckpt_ahead_count(mm, src, &nr);
	mmap_write_unlock(mm);
	mmap_read_unlock(src);
	return err ?: nr > get_mm_rss(mm) / 4 ? -EAGAIN : 0;
}

static int ckpt_ahead_copy(struct mm_struct *mm, struct mm_struct *src)
{
	unsigned long addr = 0;
	int err = 0;

	while (!err && addr < TASK_SIZE_MAX) {
		err = ckpt_dup_lock(mm, src);
		if (err)
			break;
		err = ckpt_ahead_piece(mm, src, &addr);
		mmap_write_unlock(mm);
		mmap_write_unlock(src);
		cond_resched();
	}
	return err ?: ckpt_ahead_worthwhile(mm, src);
}

/**
 * ckpt_mm_dup_ahead() - duplicate most of an address space in which tasks run
 * @src: the address space
 *
 * It is locked for a small piece at a time.
 *
 * Return: what ckpt_mm_renew() may go on with, or an ERR_PTR: -EAGAIN if that
 * would not help, -ENOMEM, -EINTR.
 */
struct mm_struct *ckpt_mm_dup_ahead(struct mm_struct *src)
{
	struct mm_struct *mm = mm_alloc();
	int err;

	if (!mm)
		return ERR_PTR(-ENOMEM);
	err = ckpt_ahead_copy(mm, src);
	if (!err)
		return mm;
	mmput(mm);
	return ERR_PTR(err);
}
