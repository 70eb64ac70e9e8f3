// SPDX-License-Identifier: GPL-2.0-only
/* Image maps: pages of the image are brought in as they are touched. */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/shmem_fs.h>

#include "../mm/internal.h"
#include "imap.h"
#include "limits.h"

static bool ckpt_imap_beyond_end(struct file *file, pgoff_t index)
{
	return index >= DIV_ROUND_UP(i_size_read(file->f_mapping->host),
				     PAGE_SIZE);
}

/* Start reading from where a page is missing, or where readahead was to go on. */
static void ckpt_imap_readahead(struct file *file, struct folio *folio,
				pgoff_t index)
{
	struct file_ra_state *ra = &file->f_ra;

	if (IS_ERR(folio))
		page_cache_sync_readahead(file->f_mapping, ra, file, index,
					  ra->ra_pages);
	else if (folio_test_readahead(folio))
		page_cache_async_readahead(file->f_mapping, ra, file, folio,
					   ra->ra_pages);
	ra->prev_pos = (loff_t)index << PAGE_SHIFT;
}

/* Wait for what is being read, as read_mapping_folio() does not for SIGKILL. */
static int ckpt_imap_wait(struct address_space *mapping, pgoff_t index)
{
	struct folio *folio = filemap_get_folio(mapping, index);
	int err = 0;

	if (IS_ERR(folio))
		return 0;
	if (!folio_test_uptodate(folio))
		err = folio_wait_locked_killable(folio);
	folio_put(folio);
	return err;
}

static struct folio *ckpt_imap_read(struct file *file, pgoff_t index, bool ahead)
{
	struct address_space *mapping = file->f_mapping;
	struct folio *folio;
	int err;

	if (ckpt_imap_beyond_end(file, index))
		return ERR_PTR(-EFAULT);
	if (shmem_mapping(mapping))
		return shmem_read_folio(mapping, index);
	if (ahead) {
		folio = filemap_get_folio(mapping, index);
		ckpt_imap_readahead(file, folio, index);
		if (!IS_ERR(folio))
			folio_put(folio);
	}
	err = ckpt_imap_wait(mapping, index);
	if (err)
		return ERR_PTR(err);
	return read_mapping_folio(mapping, index, file);
}

/* In the page cache, and there is nothing to be done for it. */
static struct folio *ckpt_imap_cached(struct file *file, pgoff_t index)
{
	struct folio *folio = filemap_get_folio(file->f_mapping, index);

	if (IS_ERR(folio))
		return NULL;
	if (folio_test_uptodate(folio) && !folio_test_readahead(folio))
		return folio;
	folio_put(folio);
	return NULL;
}

/* Read with no lock held, and have the fault taken again. */
static vm_fault_t ckpt_imap_read_unlocked(struct vm_fault *vmf,
					  struct ckpt_imap *imap, pgoff_t index)
{
	bool ahead = !(vmf->vma->vm_flags & VM_RAND_READ) &&
		     !(imap->file->f_mode & FMODE_RANDOM);
	struct folio *folio;

	refcount_inc(&imap->users);
	release_fault_lock(vmf);
	folio = ckpt_imap_read(imap->file, index, ahead);
	if (!IS_ERR(folio))
		folio_put(folio);
	ckpt_imap_put(imap);
	return VM_FAULT_RETRY;
}

static vm_fault_t ckpt_imap_error(long err)
{
	return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
}

/* The page of the image, its folio locked; or what else there is to be said. */
static vm_fault_t ckpt_imap_get(struct vm_fault *vmf, struct ckpt_imap *imap,
				pgoff_t index)
{
	struct file *file = imap->file;
	struct folio *folio;

	folio = ckpt_imap_cached(file, index);
	if (!folio && fault_flag_allow_retry_first(vmf->flags) &&
	    !(vmf->flags & FAULT_FLAG_RETRY_NOWAIT))
		return ckpt_imap_read_unlocked(vmf, imap, index);
	if (!folio)
		folio = ckpt_imap_read(file, index, false);
	if (IS_ERR(folio))
		return ckpt_imap_error(PTR_ERR(folio));
	folio_lock(folio);
	if (folio->mapping == file->f_mapping &&
	    !ckpt_imap_beyond_end(file, index)) {
		vmf->page = folio_file_page(folio, index);
		return VM_FAULT_LOCKED;
	}
	folio_unlock(folio);
	folio_put(folio);
	return VM_FAULT_NOPAGE;
}

/*
 * Take the lock of the page table, of which there is one to be put in place. What
 * OOM took away is not to come back from the image.
 */
static bool ckpt_imap_lock_table(struct vm_fault *vmf, unsigned long addr)
{
	struct mm_struct *mm = vmf->vma->vm_mm;

	if (check_stable_address_space(mm))
		return false;
	if (pmd_none(*vmf->pmd) && vmf->prealloc_pte)
		pmd_install(mm, vmf->pmd, &vmf->prealloc_pte);
	vmf->pte = pte_offset_map_lock(mm, vmf->pmd, addr, &vmf->ptl);
	return vmf->pte;
}

/* Enter one page, to be read; the caller's reference to it is used up if so. */
static bool ckpt_imap_enter(struct vm_fault *vmf, struct page *page,
			    unsigned long addr)
{
	struct folio *folio = page_folio(page);

	if (!ckpt_imap_is_empty(ptep_get(vmf->pte)))
		return false;
	set_pte_range(vmf, folio, page, 1, addr);
	inc_mm_counter(vmf->vma->vm_mm, mm_counter_file(folio));
	return true;
}

static vm_fault_t ckpt_imap_fault_page(struct vm_fault *vmf,
				       struct ckpt_imap *imap)
{
	struct mm_struct *mm = vmf->vma->vm_mm;
	struct page *page = vmf->page;
	bool used = false;

	vmf->page = NULL;
	if (!ckpt_imap_lock_table(vmf, vmf->address))
		goto out;
	if (ckpt_imap_is_dropped(imap, mm, vmf->pgoff, vmf->pgoff)) {
		if (ckpt_imap_is_empty(ptep_get(vmf->pte)))
			ckpt_imap_set_zero(vmf->vma, vmf->address, vmf->pte);
	} else {
		used = ckpt_imap_enter(vmf, page, vmf->address);
	}
	pte_unmap_unlock(vmf->pte, vmf->ptl);
out:
	unlock_page(page);
	if (!used)
		put_page(page);
	return check_stable_address_space(mm) ?: VM_FAULT_NOPAGE;
}

/* Where the image has nothing there are zeros; written to at once, in a copy. */
static vm_fault_t ckpt_imap_fault_zero(struct vm_fault *vmf)
{
	struct mm_struct *mm = vmf->vma->vm_mm;
	vm_fault_t ret;

	if (vmf->cow_page) {
		clear_user_highpage(vmf->cow_page, vmf->address);
		__folio_mark_uptodate(page_folio(vmf->cow_page));
		ret = finish_fault(vmf);
		return ret ?: VM_FAULT_DONE_COW;
	}
	if (!ckpt_imap_lock_table(vmf, vmf->address))
		return check_stable_address_space(mm) ?: VM_FAULT_NOPAGE;
	if (ckpt_imap_is_empty(ptep_get(vmf->pte)))
		ckpt_imap_set_zero(vmf->vma, vmf->address, vmf->pte);
	pte_unmap_unlock(vmf->pte, vmf->ptl);
	return VM_FAULT_NOPAGE;
}

vm_fault_t ckpt_imap_fault(struct vm_fault *vmf)
{
	struct ckpt_imap *imap = vmf->vma->vm_private_data;
	const struct ckpt_imap_run *run = ckpt_imap_find(imap, vmf->pgoff);
	vm_fault_t ret;

	if (!run || run->pgoff > vmf->pgoff)
		return ckpt_imap_fault_zero(vmf);
	ret = ckpt_imap_get(vmf, imap, run->index + vmf->pgoff - run->pgoff);
	if (!(ret & VM_FAULT_LOCKED))
		return ret;
	/* The core copies it, and looks whether it can be read. */
	if (vmf->cow_page || PageHWPoison(vmf->page))
		return ret;
	return ckpt_imap_fault_page(vmf, imap);
}

/* As in filemap_map_pages(): what needs no waiting for, and no reading ahead. */
static bool ckpt_imap_trylock(struct xa_state *xas, struct folio *folio,
			      struct address_space *mapping)
{
	if (folio_test_locked(folio) || !folio_try_get(folio))
		return false;
	if (folio == xas_reload(xas) && folio_test_uptodate(folio) &&
	    !folio_test_readahead(folio) && folio_trylock(folio)) {
		if (folio->mapping == mapping && folio_test_uptodate(folio))
			return true;
		folio_unlock(folio);
	}
	folio_put(folio);
	return false;
}

/* Nothing is to be in its place yet, and it is to be sound. */
static bool ckpt_imap_may_enter(pte_t *pte, struct page *page)
{
	return pte_none(ptep_get(pte)) && !PageHWPoison(page);
}

/* Enter pages that lie side by side where nothing is. Returns how many. */
static unsigned int ckpt_imap_enter_large(struct vm_fault *vmf,
					  struct folio *folio,
					  unsigned long skip,
					  unsigned long addr, unsigned int nr)
{
	struct page *page = folio_page(folio, skip);
	unsigned int entered = 0, step;

	for (; nr; nr -= step) {
		for (step = 0; step < nr; step++)
			if (!ckpt_imap_may_enter(vmf->pte + step, page + step))
				break;
		if (step)
			set_pte_range(vmf, folio, page, step, addr);
		entered += step;
		step = step ?: 1;
		page += step;
		addr += step * PAGE_SIZE;
		vmf->pte += step;
	}
	return entered;
}

/* The same, of which there is most often one. */
static unsigned int ckpt_imap_enter_folio(struct vm_fault *vmf,
					  struct folio *folio,
					  unsigned long skip,
					  unsigned long addr, unsigned int nr)
{
	if (folio_test_large(folio))
		return ckpt_imap_enter_large(vmf, folio, skip, addr, nr);
	if (!ckpt_imap_may_enter(vmf->pte, &folio->page))
		return 0;
	set_pte_range(vmf, folio, &folio->page, 1, addr);
	return 1;
}

/* Done with a folio: each page entered has a reference, and one was taken. */
static void ckpt_imap_leave(struct folio *folio, unsigned int entered)
{
	if (entered > 1)
		folio_ref_add(folio, entered - 1);
	folio_unlock(folio);
	if (!entered)
		folio_put(folio);
}

/* The page table is locked, and RCU keeps folios from being freed. */
static void ckpt_imap_map_run(struct vm_fault *vmf,
			      struct address_space *mapping, pgoff_t first,
			      pgoff_t last, unsigned long addr)
{
	XA_STATE(xas, &mapping->i_pages, first);
	pte_t *pte = vmf->pte;
	struct folio *folio;
	unsigned int entered;
	int type = 0, rss = 0;

	xas_for_each(&xas, folio, last) {
		pgoff_t at = xas.xa_index;

		if (xas_retry(&xas, folio) || xa_is_value(folio) ||
		    !ckpt_imap_trylock(&xas, folio, mapping))
			continue;
		type = mm_counter_file(folio);
		vmf->pte = pte + (at - first);
		entered = ckpt_imap_enter_folio(vmf, folio, at - folio->index,
						addr + ((at - first) << PAGE_SHIFT),
						min(folio_next_index(folio) - 1,
						    last) - at + 1);
		ckpt_imap_leave(folio, entered);
		rss += entered;
	}
	if (rss)
		add_mm_counter(vmf->vma->vm_mm, type, rss);
	vmf->pte = pte;
}

/* The last page that may be entered together with @first: of one page table. */
static pgoff_t ckpt_imap_reach(struct vm_fault *vmf,
			       const struct ckpt_imap_run *run, pgoff_t first)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long addr = ckpt_imap_addr(vma, first);

	return min3(first + PTRS_PER_PTE - pte_index(addr),
		    vma->vm_pgoff + vma_pages(vma),
		    run->pgoff + run->nr) - 1;
}

/*
 * Who reads on from where pages have been entered gets twice as many each time, as
 * far as nothing is there. A fault costs as much as entering several pages.
 */
static pgoff_t ckpt_imap_read_on(struct vm_fault *vmf, pgoff_t first,
				 pgoff_t last, pgoff_t reach)
{
	unsigned int before = pte_index(ckpt_imap_addr(vmf->vma, first));
	unsigned int nr = last - first + 1, more = nr;

	if (vmf->vma->vm_flags & VM_RAND_READ)
		return last;
	while (more < CKPT_IMAP_READ_ON && more <= before &&
	       pte_present(ptep_get(vmf->pte - more)))
		more *= 2;
	more = min(more, reach - first + 1);
	while (nr < more && pte_none(ptep_get(vmf->pte + nr)))
		nr++;
	return first + nr - 1;
}

/* Around a fault, the pages of the same run that are there anyway. */
vm_fault_t ckpt_imap_map_pages(struct vm_fault *vmf, pgoff_t first,
			       pgoff_t last)
{
	struct vm_area_struct *vma = vmf->vma;
	struct ckpt_imap *imap = vma->vm_private_data;
	const struct ckpt_imap_run *run = ckpt_imap_find(imap, vmf->pgoff);
	vm_fault_t ret = 0;
	pgoff_t index;

	if (!run || run->pgoff > vmf->pgoff)
		return 0;
	first = max(first, run->pgoff);
	last = min(last, run->pgoff + run->nr - 1);
	if (!ckpt_imap_lock_table(vmf, ckpt_imap_addr(vma, first)))
		return 0;
	last = ckpt_imap_read_on(vmf, first, last,
				 ckpt_imap_reach(vmf, run, first));
	index = run->index + first - run->pgoff;
	if (!ckpt_imap_beyond_end(imap->file, index + last - first) &&
	    !ckpt_imap_is_dropped(imap, vma->vm_mm, first, last))
		ckpt_imap_map_run(vmf, imap->file->f_mapping, index,
				  index + last - first,
				  ckpt_imap_addr(vma, first));
	/* Whatever is there now, it is not what the fault was for. */
	vmf->pte += vmf->pgoff - first;
	if (!ckpt_imap_is_empty(ptep_get(vmf->pte)))
		ret = VM_FAULT_NOPAGE;
	pte_unmap_unlock(vmf->pte, vmf->ptl);
	return ret;
}
