// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory in huge pages of the hugetlb pool: what memfd_create(2) with MFD_HUGETLB,
 * mmap(2) with MAP_HUGETLB, and shmget(2) with SHM_HUGETLB make. In the image its
 * pages are ordinary ones.
 */
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/magic.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/swapops.h>
/* Which needs types that it does not include. */
#include <linux/falloc.h>

#include "checkpoint.h"
#include "hugetlb.h"
#include "pages.h"
#include "restart.h"

/**
 * ckpt_hugetlb_shift() - how large the pages of a file are
 * @inode: its inode
 *
 * Return: the size as a power of two; 0 where they are ordinary ones.
 */
u32 ckpt_hugetlb_shift(const struct inode *inode)
{
	if (inode->i_sb->s_magic != HUGETLBFS_MAGIC)
		return 0;
	return huge_page_shift(hstate_inode((struct inode *)inode));
}

static int ckpt_hugetlb_copy_folio(struct ckpt_memory *mem,
				   struct folio *folio, pgoff_t index)
{
	for (long i = 0; i < folio_nr_pages(folio); i++) {
		struct page *copy = alloc_page(GFP_HIGHUSER | __GFP_ACCOUNT);

		if (!copy)
			return -ENOMEM;
		copy_highpage(copy, folio_page(folio, i));
		mem->pages[mem->nr_copies] = copy;
		mem->index[mem->nr_copies++] = index + i;
	}
	return 0;
}

/**
 * ckpt_hugetlb_copy() - copy all pages that there are, as ckpt_shmem_copy()
 * @mem: where to
 * @inode: of the memory
 *
 * Return: 0 or a negative errno.
 */
int ckpt_hugetlb_copy(struct ckpt_memory *mem, struct inode *inode)
{
	unsigned long step = pages_per_huge_page(hstate_inode(inode));
	unsigned long max = inode->i_mapping->nrpages;
	pgoff_t end = i_size_read(inode) >> PAGE_SHIFT;
	struct folio *folio;
	int err = 0;

	mem->pages = kvcalloc(max, sizeof(*mem->pages), GFP_KERNEL_ACCOUNT);
	mem->index = kvcalloc(max, sizeof(*mem->index), GFP_KERNEL_ACCOUNT);
	if (max && (!mem->pages || !mem->index))
		return -ENOMEM;
	for (pgoff_t i = 0; i < end && mem->nr_copies + step <= max && !err;
	     i += step) {
		if (fatal_signal_pending(current))
			return -EINTR;
		folio = filemap_get_folio(inode->i_mapping, i);
		if (IS_ERR(folio))
			continue;
		err = ckpt_hugetlb_copy_folio(mem, folio, i);
		folio_put(folio);
		cond_resched();
	}
	return err;
}

/* The page that is there, with a reference, if it is none of the file's. */
static struct folio *ckpt_hugetlb_folio(struct vm_area_struct *vma,
					unsigned long addr, pte_t *ptep)
{
	spinlock_t *ptl = huge_pte_lock(hstate_vma(vma), vma->vm_mm, ptep);
	pte_t pte = huge_ptep_get(vma->vm_mm, addr, ptep);
	struct folio *folio = NULL;

	if (pte_present(pte))
		folio = page_folio(pte_page(pte));
	else if (!huge_pte_none(pte))
		folio = is_migration_entry(pte_to_swp_entry(pte)) ?
			ERR_PTR(-EBUSY) : ERR_PTR(-EHWPOISON);
	if (!IS_ERR_OR_NULL(folio) && !folio_test_anon(folio))
		folio = NULL;
	if (!IS_ERR_OR_NULL(folio))
		folio_get(folio);
	spin_unlock(ptl);
	return folio;
}

/* The page that a private mapping has of its own, with a reference; or NULL. */
static struct folio *ckpt_hugetlb_private(struct vm_area_struct *vma,
					  unsigned long addr)
{
	pte_t *ptep = hugetlb_walk(vma, addr, huge_page_size(hstate_vma(vma)));

	return ptep ? ckpt_hugetlb_folio(vma, addr, ptep) : NULL;
}

static int ckpt_hugetlb_copy_to(struct mm_struct *mm, unsigned long addr,
				struct folio *folio)
{
	for (long i = 0; i < folio_nr_pages(folio); i++, addr += PAGE_SIZE) {
		struct page *copy;
		long ret;

		ret = get_user_pages_remote(mm, addr, 1, FOLL_WRITE, &copy,
					    NULL);
		if (ret != 1)
			return ret < 0 ? ret : -ENOMEM;
		copy_highpage(copy, folio_page(folio, i));
		set_page_dirty_lock(copy);
		put_page(copy);
	}
	return 0;
}

/**
 * ckpt_hugetlb_copy_private() - copy what a private mapping has of its own
 * @vma: where to: an anonymous mapping at the same address, empty
 * @src: the mapping; both address spaces are locked
 *
 * Return: 0; -ENOMEM; -EINTR; -EBUSY if a page is being moved; -EHWPOISON.
 */
int ckpt_hugetlb_copy_private(struct vm_area_struct *vma,
			      struct vm_area_struct *src)
{
	unsigned long step = huge_page_size(hstate_vma(src));
	struct folio *folio;
	int err = 0;

	for (unsigned long addr = src->vm_start; addr < src->vm_end && !err;
	     addr += step) {
		if (fatal_signal_pending(current))
			return -EINTR;
		folio = ckpt_hugetlb_private(src, addr);
		if (IS_ERR(folio))
			return PTR_ERR(folio);
		if (!folio)
			continue;
		err = ckpt_hugetlb_copy_to(vma->vm_mm, addr, folio);
		folio_put(folio);
		cond_resched();
	}
	return err;
}

/**
 * ckpt_hugetlb_check() - check what an image says of the size of pages
 * @ctx: the restart
 * @rec: the record
 * @shift: the size as a power of two, or 0
 *
 * Return: 0 or -EOPNOTSUPP.
 */
int ckpt_hugetlb_check(struct rstr_ctx *ctx, const struct ckpt_record *rec,
		       u32 shift)
{
	if (!shift || (shift < BITS_PER_LONG && hstate_sizelog(shift)))
		return 0;
	return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
			   "record at %#zx: huge pages of 2^%u bytes: there are none here",
			   (void *)rec - ctx->meta, shift);
}

/**
 * ckpt_hugetlb_populate() - have the huge pages that contents will be read into
 * @ctx: the restart
 * @obj: the memory object
 * @file: the file, as large as it is to be
 *
 * Return: 0 or a negative errno.
 */
int ckpt_hugetlb_populate(struct rstr_ctx *ctx, struct rstr_obj *obj,
			  struct file *file)
{
	const struct ckpt_rec_pagemap *rec;
	int err = 0;

	if (!obj->pages || !ckpt_hugetlb_shift(file_inode(file)))
		return 0;
	rec = rstr_payload(obj->pages->rec);
	for (u32 i = 0; i < le32_to_cpu(rec->nr_runs) && !err; i++) {
		const struct ckpt_page_run *run = &rec->runs[i];

		if (run->flags & cpu_to_le32(CKPT_RUN_ZERO))
			continue;
		err = vfs_fallocate(file, FALLOC_FL_KEEP_SIZE,
				    le64_to_cpu(run->start),
				    (u64)le32_to_cpu(run->nr) << PAGE_SHIFT);
	}
	if (!err)
		return 0;
	return ckpt_refuse(&ctx->log, err, "%pD: huge pages can't be had: %pe",
			   file, ERR_PTR(err));
}

/**
 * ckpt_hugetlb_pages() - get hold of pages, as ckpt_shmem_pages()
 * @mapping: that holds them
 * @index: of the first, counted in ordinary pages
 * @nr: how many
 * @pages: where they go; references are held
 *
 * Return: 0 or a negative errno.
 */
int ckpt_hugetlb_pages(struct address_space *mapping, pgoff_t index,
		       unsigned int nr, struct page **pages)
{
	unsigned long step = pages_per_huge_page(hstate_inode(mapping->host));

	for (unsigned int i = 0; i < nr; i++) {
		pgoff_t at = index + i;
		struct folio *folio;

		folio = filemap_get_folio(mapping, round_down(at, step));
		if (IS_ERR(folio)) {
			ckpt_pages_put(pages, i);
			return PTR_ERR(folio);
		}
		pages[i] = folio_page(folio, at % step);
	}
	return 0;
}
