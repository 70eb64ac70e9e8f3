// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory objects and their pages: which there are (the page map), and out to the
 * stream. How they get back in is in pages_read.c.
 */
#include <linux/bvec.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/pagewalk.h>
#include <linux/sched/mm.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/swapops.h>
#include <linux/checkpoint_mm.h>

#include "base.h"
#include "digest.h"
#include "frames.h"
#include "image.h"
#include "imap.h"
#include "limits.h"
#include "mm.h"
#include "pages.h"
#include "restart.h"
#include "sums.h"

/* Which pages there are. */

/**
 * ckpt_memory_add() - add a memory object, with nothing in it yet
 * @ctx: the checkpoint, whose last object it belongs to
 *
 * Return: the memory, or NULL.
 */
struct ckpt_memory *ckpt_memory_add(struct ckpt_ctx *ctx)
{
	struct ckpt_memory *mem;

	mem = kzalloc(sizeof(*mem), GFP_KERNEL_ACCOUNT);
	if (!mem)
		return NULL;
	mem->ref = ctx->last_ref;
	list_add_tail(&mem->node, &ctx->memory);
	return mem;
}

static void ckpt_memory_free(struct ckpt_memory *mem)
{
	for (unsigned long i = 0; i < mem->nr_copies; i++)
		if (mem->pages[i])
			put_page(mem->pages[i]);
	kvfree(mem->pages);
	kvfree(mem->index);
	kvfree(mem->starts);
	if (mem->mm && !mem->base)
		mmput(mem->mm);
	if (mem->src)
		mmdrop(mem->src);
	/* At once: who counts its users counts it as well. */
	if (mem->file)
		__fput_sync(mem->file);
	if (mem->copy)
		fput(mem->copy);
	ckpt_buf_free(&mem->runs);
	ckpt_buf_free(&mem->same_runs);
	kfree(mem);
}

void ckpt_memory_release(struct ckpt_ctx *ctx)
{
	struct ckpt_memory *mem, *next;

	list_for_each_entry_safe(mem, next, &ctx->memory, node)
		ckpt_memory_free(mem);
	INIT_LIST_HEAD(&ctx->memory);
	ctx->nr_pages = 0;
}

static struct ckpt_page_run *ckpt_run_last(struct ckpt_memory *mem)
{
	if (!mem->runs.len)
		return NULL;
	return mem->runs.data + mem->runs.len - sizeof(struct ckpt_page_run);
}

/**
 * ckpt_run_end() - where the last run ends
 * @mem: the memory
 *
 * Return: the offset behind it, 0 if there is none.
 */
u64 ckpt_run_end(struct ckpt_memory *mem)
{
	struct ckpt_page_run *run = ckpt_run_last(mem);

	if (!run)
		return 0;
	return le64_to_cpu(run->start) +
	       ((u64)le32_to_cpu(run->nr) << PAGE_SHIFT);
}

/* Whether the page is in another mapping than the one before. */
static bool ckpt_run_enters(struct ckpt_memory *mem, u64 start)
{
	bool enters = false;

	while (mem->next_start < mem->nr_starts &&
	       mem->starts[mem->next_start] <= start) {
		mem->next_start++;
		enters = true;
	}
	return enters;
}

/* @goes_on: so it may, for all that its address does not tell. */
static bool ckpt_run_extend(struct ckpt_memory *mem, u64 start, u32 flags,
			    bool goes_on)
{
	struct ckpt_page_run *run = ckpt_run_last(mem);
	u32 nr;

	if (ckpt_run_enters(mem, start) || !run || !goes_on ||
	    le32_to_cpu(run->flags) != flags)
		return false;
	nr = le32_to_cpu(run->nr);
	if (nr == U32_MAX ||
	    le64_to_cpu(run->start) + ((u64)nr << PAGE_SHIFT) != start)
		return false;
	run->nr = cpu_to_le32(nr + 1);
	return true;
}

static int ckpt_run_new(struct ckpt_memory *mem, u64 start, u32 flags)
{
	struct ckpt_page_run *run = ckpt_buf_add(&mem->runs, sizeof(*run));

	if (IS_ERR(run))
		return PTR_ERR(run);
	run->start = cpu_to_le64(start);
	run->nr = cpu_to_le32(1);
	run->flags = cpu_to_le32(flags);
	return 0;
}

/**
 * ckpt_run_add() - add a page to the page map
 * @mem: the memory
 * @start: of the page, behind all that were added
 * @flags: %CKPT_RUN_ZERO, %CKPT_RUN_PARENT or 0
 *
 * Return: 0 or a negative errno.
 */
int ckpt_run_add(struct ckpt_memory *mem, u64 start, u32 flags)
{
	if (!flags)
		mem->nr_pages++;
	if (ckpt_run_extend(mem, start, flags, true))
		return 0;
	return ckpt_run_new(mem, start, flags);
}

/* A page that will be in the page section by then, as number @nr. */
static int ckpt_run_add_same(struct ckpt_memory *mem, u64 start, u64 nr)
{
	bool goes_on = nr == mem->same_next;
	__le64 *first;

	mem->same_next = nr + 1;
	if (ckpt_run_extend(mem, start, CKPT_RUN_SAME, goes_on))
		return 0;
	first = ckpt_buf_add(&mem->same_runs, sizeof(*first));
	if (IS_ERR(first))
		return PTR_ERR(first);
	*first = cpu_to_le64(nr);
	return ckpt_run_new(mem, start, CKPT_RUN_SAME);
}

/* That pages are as in the parent, in pieces that do not leave a mapping. */
static int ckpt_run_add_parent(struct ckpt_memory *mem, u64 start, u64 end)
{
	struct ckpt_page_run *run;
	u64 next, nr;

	for (; start < end; start = next) {
		ckpt_run_enters(mem, start);
		next = end;
		if (mem->next_start < mem->nr_starts)
			next = min(end, (u64)mem->starts[mem->next_start]);
		nr = min((next - start) >> PAGE_SHIFT, (u64)U32_MAX);
		next = start + (nr << PAGE_SHIFT);
		run = ckpt_buf_add(&mem->runs, sizeof(*run));
		if (IS_ERR(run))
			return PTR_ERR(run);
		run->start = cpu_to_le64(start);
		run->nr = cpu_to_le32(nr);
		run->flags = cpu_to_le32(CKPT_RUN_PARENT);
	}
	return 0;
}

static bool ckpt_page_is_zero(struct page *page)
{
	void *addr = kmap_local_page(page);
	bool zero = !memchr_inv(addr, 0, PAGE_SIZE);

	kunmap_local(addr);
	return zero;
}

static int ckpt_run_add_page(struct ckpt_memory *mem, u64 start,
			     struct page *page)
{
	u64 nr;

	if (ckpt_same_find(mem, page, &nr))
		return ckpt_run_add_same(mem, start, nr);
	if (ckpt_page_is_zero(page))
		return ckpt_run_add(mem, start, CKPT_RUN_ZERO);
	ckpt_same_add(mem, page);
	return ckpt_run_add(mem, start, 0);
}

static int ckpt_run_add_image(struct ckpt_memory *mem, u64 start,
			      struct address_space *mapping, pgoff_t index)
{
	u64 nr;

	if (ckpt_same_find_image(mem, mapping, index, &nr))
		return ckpt_run_add_same(mem, start, nr);
	ckpt_same_add_image(mem, mapping, index);
	return ckpt_run_add(mem, start, 0);
}

/* Pages that are in the image that the mapping was made of, if it was. */
static int ckpt_map_image(struct ckpt_memory *mem, struct vm_area_struct *vma,
			  unsigned long addr, unsigned long end)
{
	struct address_space *mapping;
	unsigned long nr;
	pgoff_t index;
	int err = 0;

	if (!ckpt_vma_is_imap(vma))
		return 0;
	mapping = ckpt_imap_mapping(vma);
	while (!err &&
	       (addr = ckpt_imap_next(vma, addr, end, &nr, &index)) < end)
		for (; nr && !err; nr--, addr += PAGE_SIZE, index++)
			err = ckpt_run_add_image(mem, addr, mapping, index);
	return err;
}

/* What is not present: swapped out or on its way, or no memory at all. */
static int ckpt_map_absent(struct ckpt_memory *mem, struct vm_area_struct *vma,
			   pte_t pte, unsigned long addr)
{
	swp_entry_t entry;

	if (pte_none(pte))
		return ckpt_map_image(mem, vma, addr, addr + PAGE_SIZE);
	entry = pte_to_swp_entry(pte);
	if (is_pte_marker_entry(entry))
		return is_poisoned_swp_entry(entry) ? -EHWPOISON :
		       ckpt_map_image(mem, vma, addr, addr + PAGE_SIZE);
	if (!non_swap_entry(entry))
		return ckpt_run_add(mem, addr, 0);
	if (is_hwpoison_entry(entry))
		return -EHWPOISON;
	if (is_migration_entry(entry) &&
	    !folio_test_anon(pfn_swap_entry_folio(entry)))
		return ckpt_map_image(mem, vma, addr, addr + PAGE_SIZE);
	return ckpt_run_add(mem, addr, 0);
}

static int ckpt_map_pte(pte_t *ptep, unsigned long addr, unsigned long next,
			struct mm_walk *walk)
{
	pte_t pte = ptep_get(ptep);
	struct page *page;

	if (!pte_present(pte))
		return ckpt_map_absent(walk->private, walk->vma, pte, addr);
	page = vm_normal_page(walk->vma, addr, pte);
	if (!page)
		return 0;
	if (PageAnon(page))
		return ckpt_run_add_page(walk->private, addr, page);
	return ckpt_map_image(walk->private, walk->vma, addr, addr + PAGE_SIZE);
}

static int ckpt_map_huge(struct ckpt_memory *mem, struct vm_area_struct *vma,
			 pmd_t pmd, unsigned long addr, unsigned long end)
{
	struct page *page;
	int err = 0;

	if (!pmd_present(pmd)) {
		for (; addr < end && !err; addr += PAGE_SIZE)
			err = ckpt_run_add(mem, addr, 0);
		return err;
	}
	page = vm_normal_page_pmd(vma, addr, pmd);
	if (!page || !PageAnon(page) || is_huge_zero_pmd(pmd))
		return 0;
	page += (addr & ~HPAGE_PMD_MASK) >> PAGE_SHIFT;
	for (; addr < end && !err; addr += PAGE_SIZE)
		err = ckpt_run_add_page(mem, addr, page++);
	return err;
}

static bool ckpt_pmd_is_huge(pmd_t pmd)
{
	return is_swap_pmd(pmd) || pmd_trans_huge(pmd) || pmd_devmap(pmd);
}

/* One that looked huge; if it is not any more, the walk takes it again. */
static int ckpt_map_huge_pmd(pmd_t *pmd, unsigned long addr, unsigned long end,
			     struct mm_walk *walk)
{
	spinlock_t *ptl = pmd_lock(walk->mm, pmd);
	int err = 0;

	walk->action = ACTION_AGAIN;
	if (ckpt_pmd_is_huge(*pmd)) {
		walk->action = ACTION_CONTINUE;
		err = ckpt_map_huge(walk->private, walk->vma, *pmd, addr, end);
	}
	spin_unlock(ptl);
	return err;
}

static int ckpt_map_pmd(pmd_t *pmd, unsigned long addr, unsigned long end,
			struct mm_walk *walk)
{
	struct ckpt_memory *mem = walk->private;
	int err;

	cond_resched();
	/* Under the lock of the page table nothing can be allocated. */
	err = ckpt_buf_reserve(&mem->runs,
			       PTRS_PER_PTE * sizeof(struct ckpt_page_run));
	if (!err && mem->same)
		err = ckpt_buf_reserve(&mem->same_runs,
				       PTRS_PER_PTE * sizeof(__le64));
	if (err || !ckpt_pmd_is_huge(pmdp_get_lockless(pmd)))
		return err;
	return ckpt_map_huge_pmd(pmd, addr, end, walk);
}

/* No page table. */
static int ckpt_map_hole(unsigned long addr, unsigned long next, int depth,
			 struct mm_walk *walk)
{
	return walk->vma ?
	       ckpt_map_image(walk->private, walk->vma, addr, next) : 0;
}

/*
 * What may be dropped at any time is dropped now. Its owner is ready for that, and
 * what the vDSO's getrandom() keeps there must not be the same in two incarnations.
 */
static int ckpt_map_skips(unsigned long addr, unsigned long next,
			  struct mm_walk *walk)
{
	return walk->vma->vm_flags & VM_DROPPABLE ? 1 : 0;
}

static const struct mm_walk_ops ckpt_map_ops = {
	.test_walk	= ckpt_map_skips,
	.pte_hole	= ckpt_map_hole,
	.pmd_entry	= ckpt_map_pmd,
	.pte_entry	= ckpt_map_pte,
	.walk_lock	= PGWALK_RDLOCK,
};

/* The first range that ends behind @addr, from the @i-th on; the last has no end. */
static struct ckpt_range ckpt_changed_next(struct ckpt_base *base, size_t *i,
					   unsigned long addr)
{
	const struct ckpt_range *range = base->changed.data;
	size_t nr = base->changed.len / sizeof(*range);

	while (*i < nr && range[*i].end <= addr)
		++*i;
	return *i < nr ? range[*i] : (struct ckpt_range){ ULONG_MAX, ULONG_MAX };
}

/* A mapping of which only some is to be looked at. */
static int ckpt_map_changed(struct ckpt_memory *mem, struct vm_area_struct *vma,
			    size_t *i)
{
	unsigned long addr = vma->vm_start, next;
	struct ckpt_range range;
	int err = 0;

	for (; addr < vma->vm_end && !err; addr = next) {
		range = ckpt_changed_next(mem->base, i, addr);
		if (range.start > addr) {
			next = min(range.start, vma->vm_end);
			err = ckpt_run_add_parent(mem, addr, next);
		} else {
			next = min(range.end, vma->vm_end);
			err = walk_page_range(mem->mm, addr, next,
					      &ckpt_map_ops, mem);
		}
	}
	return err;
}

static int ckpt_map_base(struct ckpt_memory *mem)
{
	VMA_ITERATOR(vmi, mem->mm, 0);
	struct vm_area_struct *vma;
	size_t i = 0;
	int err = 0;

	ckpt_ranges_sort(&mem->base->changed);
	for_each_vma(vmi, vma) {
		err = ckpt_map_changed(mem, vma, &i);
		if (err)
			break;
	}
	return err;
}

static int ckpt_map_mm(struct ckpt_memory *mem)
{
	int err;

	err = mmap_read_lock_killable(mem->mm);
	if (err)
		return err;
	err = mem->base ? ckpt_map_base(mem) :
			  walk_page_range(mem->mm, 0, TASK_SIZE_MAX,
					  &ckpt_map_ops, mem);
	mmap_read_unlock(mem->mm);
	return err;
}

/* A copy is given back where the parent has the same. */
static int ckpt_map_copy(struct ckpt_memory *mem, unsigned long i)
{
	u64 start = (u64)mem->index[i] << PAGE_SHIFT;
	struct page *page = mem->pages[i];
	bool same;
	void *data;
	int err;

	if (ckpt_page_is_zero(page))
		return ckpt_run_add(mem, start, CKPT_RUN_ZERO);
	data = kmap_local_page(page);
	err = ckpt_digest_add(mem, mem->index[i], data, &same);
	kunmap_local(data);
	if (err)
		return err;
	if (!same)
		return ckpt_run_add(mem, start, 0);
	put_page(page);
	mem->pages[i] = NULL;
	return ckpt_run_add(mem, start, CKPT_RUN_PARENT);
}

static int ckpt_map_copies(struct ckpt_memory *mem)
{
	int err = 0;

	for (unsigned long i = 0; i < mem->nr_copies && !err; i++) {
		err = ckpt_map_copy(mem, i);
		cond_resched();
	}
	return err;
}

static int ckpt_map_pages(struct ckpt_memory *mem)
{
	if (mem->mm)
		return ckpt_map_mm(mem);
	return mem->file ? ckpt_contents_map(mem) : ckpt_map_copies(mem);
}

static int ckpt_pagemap_save_parent(struct ckpt_ctx *ctx,
				    struct ckpt_memory *mem)
{
	struct ckpt_rec_pagemap_parent *rec;

	if (!mem->base && !mem->parent)
		return 0;
	rec = ckpt_part_add(ctx, CKPT_REC_PAGEMAP_PARENT, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->owner = cpu_to_le32(mem->base ? mem->base->ref : mem->parent->ref);
	return 0;
}

static int ckpt_pagemap_save(struct ckpt_ctx *ctx, struct ckpt_memory *mem)
{
	struct ckpt_rec_pagemap *rec;
	int err;

	rec = ckpt_object_add(ctx, CKPT_REC_PAGEMAP, NULL,
			      sizeof(*rec) + mem->runs.len);
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->owner = cpu_to_le32(mem->ref);
	rec->nr_runs = cpu_to_le32(mem->runs.len /
				   sizeof(struct ckpt_page_run));
	rec->nr_pages = cpu_to_le64(mem->nr_pages);
	if (mem->runs.len)
		memcpy(rec->runs, mem->runs.data, mem->runs.len);
	err = ckpt_pagemap_save_parent(ctx, mem);
	return err ?: ckpt_same_save(ctx, mem);
}

/* Whether there is more than one address space. */
static bool ckpt_memory_is_several(struct ckpt_ctx *ctx)
{
	struct ckpt_memory *mem;
	int nr = 0;

	list_for_each_entry(mem, &ctx->memory, node)
		if (mem->mm && ++nr > 1)
			return true;
	return false;
}

static int ckpt_memory_map_one(struct ckpt_ctx *ctx, struct ckpt_memory *mem)
{
	int err = ckpt_digest_begin(ctx, mem) ?: ckpt_map_pages(mem);

	mem->same = NULL;
	if (err == -EHWPOISON)
		return ckpt_refuse(&ctx->log, err,
				   "memory that the hardware lost");
	return err ?: ckpt_pagemap_save(ctx, mem);
}

/**
 * ckpt_memory_map() - find out which pages there are, and add the page maps
 * @ctx: the checkpoint; the tasks need not be stopped any more
 *
 * Return: 0 or a negative errno.
 */
int ckpt_memory_map(struct ckpt_ctx *ctx)
{
	bool several = ckpt_memory_is_several(ctx);
	struct ckpt_memory *mem;
	struct ckpt_same same;
	int err;

	err = ckpt_digests_begin(ctx);
	if (err)
		return err;
	ckpt_same_init(&same);
	list_for_each_entry(mem, &ctx->memory, node) {
		mem->first_page = ctx->nr_pages;
		mem->same = mem->mm && several ? &same : NULL;
		err = ckpt_memory_map_one(ctx, mem);
		if (err)
			break;
		ctx->nr_pages += mem->nr_pages;
	}
	ckpt_same_release(&same);
	if (err)
		return err;
	if (ctx->nr_pages > CKPT_PAGES_MAX)
		return -EFBIG;
	return 0;
}

/* Out to the stream. */

void ckpt_pages_put(struct page **pages, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		put_page(pages[i]);
}

/**
 * ckpt_mm_pages() - get hold of pages that lie side by side, all or none
 * @mm: the address space
 * @addr: of the first
 * @nr: how many, up to CKPT_PAGE_BATCH
 * @flags: FOLL_*
 * @pages: where they go; references are held
 *
 * Return: 0 or a negative errno.
 */
int ckpt_mm_pages(struct mm_struct *mm, unsigned long addr, unsigned int nr,
		  unsigned int flags, struct page **pages)
{
	unsigned int got = 0;
	int locked;
	long ret;

	while (got < nr) {
		ret = mmap_read_lock_killable(mm);
		if (!ret) {
			locked = 1;
			ret = get_user_pages_remote(mm, addr +
						    (got << PAGE_SHIFT),
						    nr - got, flags,
						    pages + got, &locked);
			if (locked)
				mmap_read_unlock(mm);
		}
		if (ret <= 0) {
			ckpt_pages_put(pages, got);
			return ret ?: -EFAULT;
		}
		got += ret;
	}
	return 0;
}

static int ckpt_batch_write(struct ckpt_ctx *ctx, struct ckpt_batch *batch)
{
	int err = 0;

	if (ctx->flags & CHECKPOINT_CHECKSUM)
		err = ckpt_sums_add(&ctx->sums, batch);
	if (!err && batch->nr)
		err = ctx->frames ? ckpt_frames_add(ctx, batch) :
				    ckpt_write_pages(ctx, batch);
	ckpt_pages_put(batch->pages, batch->nr);
	batch->nr = 0;
	cond_resched();
	return err;
}

static int ckpt_batch_take(struct ckpt_memory *mem, u64 start, u32 nr,
			   struct ckpt_batch *batch)
{
	struct page **pages = batch->pages + batch->nr;
	int err;

	if (mem->file)
		err = ckpt_contents_pages(mem, start, nr, pages,
					  batch->bvec + batch->nr);
	else
		err = ckpt_mm_pages(mem->mm, start, nr, FOLL_FORCE, pages);
	if (!err)
		batch->nr += nr;
	return err;
}

/* Runs of the page map, cut into pieces that fit what is left of a batch. */
static int ckpt_run_write(struct ckpt_ctx *ctx, struct ckpt_memory *mem,
			  const struct ckpt_page_run *run,
			  struct ckpt_batch *batch)
{
	u64 addr = le64_to_cpu(run->start);
	u32 left = le32_to_cpu(run->nr), nr;
	int err;

	while (left) {
		nr = min(left, CKPT_PAGE_BATCH - batch->nr);
		err = ckpt_batch_take(mem, addr, nr, batch);
		if (err)
			return err;
		left -= nr;
		addr += (u64)nr << PAGE_SHIFT;
		if (batch->nr < CKPT_PAGE_BATCH)
			continue;
		err = ckpt_batch_write(ctx, batch);
		if (err)
			return err;
	}
	return 0;
}

static int ckpt_runs_write(struct ckpt_ctx *ctx, struct ckpt_memory *mem,
			   struct ckpt_batch *batch)
{
	const struct ckpt_page_run *run = mem->runs.data;
	size_t nr = mem->runs.len / sizeof(*run);
	int err;

	for (size_t i = 0; i < nr; i++, run++) {
		if (run->flags)
			continue;
		err = ckpt_run_write(ctx, mem, run, batch);
		if (err)
			return err;
	}
	return ckpt_batch_write(ctx, batch);
}

/* Copies are in the order of their runs; those without one of ours are left out. */
static int ckpt_copies_write(struct ckpt_ctx *ctx, struct ckpt_memory *mem,
			     struct ckpt_batch *batch)
{
	int err;

	for (unsigned long i = 0; i < mem->nr_copies; i++) {
		if (!mem->pages[i] || ckpt_page_is_zero(mem->pages[i]))
			continue;
		get_page(mem->pages[i]);
		batch->pages[batch->nr++] = mem->pages[i];
		if (batch->nr < CKPT_PAGE_BATCH)
			continue;
		err = ckpt_batch_write(ctx, batch);
		if (err)
			return err;
	}
	return ckpt_batch_write(ctx, batch);
}

/**
 * ckpt_memory_write() - write the page section
 * @ctx: the checkpoint, whose metadata has been written
 *
 * Return: 0 or a negative errno.
 */
int ckpt_memory_write(struct ckpt_ctx *ctx)
{
	struct ckpt_batch *batch;
	struct ckpt_memory *mem;
	int err;

	err = ckpt_frames_begin(ctx);
	if (err)
		return err;
	batch = kzalloc(sizeof(*batch), GFP_KERNEL_ACCOUNT);
	if (!batch)
		return -ENOMEM;
	list_for_each_entry(mem, &ctx->memory, node) {
		err = mem->mm || mem->file ?
		      ckpt_runs_write(ctx, mem, batch) :
		      ckpt_copies_write(ctx, mem, batch);
		if (err)
			break;
	}
	ckpt_pages_put(batch->pages, batch->nr);
	kfree(batch);
	return err ?: ckpt_frames_end(ctx);
}
