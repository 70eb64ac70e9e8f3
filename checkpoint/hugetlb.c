// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared memory in huge pages of the hugetlb pool: what memfd_create(2) with
 * MFD_HUGETLB, mmap(2) with MAP_HUGETLB and MAP_SHARED, and shmget(2) with
 * SHM_HUGETLB make. In the image its pages are ordinary ones.
 */
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/magic.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
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
