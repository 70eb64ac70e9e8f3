// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that several address spaces have in common, as those of a process and its
 * children do after fork(2) until somebody writes to them. They are written once.
 * Whose page maps come later refer to them: by a part that tells, of each run of
 * such pages, where in the page section the first one is.
 *
 * A restart that maps the image maps the same pages for all of them; one that reads it
 * has what others have read in before, by mm_share.c, or makes copies where these have it
 * elsewhere or otherwise.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "checkpoint.h"
#include "image.h"
#include "mm.h"
#include "pages.h"
#include "restart.h"

void ckpt_same_init(struct ckpt_same *same)
{
	xa_init(&same->pages);
	xa_init(&same->image);
	same->mapping = NULL;
}

void ckpt_same_release(struct ckpt_same *same)
{
	unsigned long pfn;
	void *entry;

	xa_for_each(&same->pages, pfn, entry)
		put_page(pfn_to_page(pfn));
	xa_destroy(&same->pages);
	xa_destroy(&same->image);
}

static bool ckpt_same_get(struct ckpt_memory *mem, struct xarray *xa,
			  unsigned long index, u64 *nr)
{
	void *entry = xa_load(xa, index);

	if (!entry)
		return false;
	*nr = xa_to_value(entry);
	/* Merged by KSM, in the same address space: to be written again. */
	return *nr < mem->first_page;
}

/* Under the lock of a page table. What can't be remembered is written twice. */
static int ckpt_same_put(struct ckpt_memory *mem, struct xarray *xa,
			 unsigned long index)
{
	void *value = xa_mk_value(mem->first_page + mem->nr_pages);

	return xa_insert(xa, index, value, GFP_NOWAIT | __GFP_NOWARN);
}

/*
 * The owner and the duplicate have it mapped. What has more mappings than that may be
 * found again, what has not need not be looked at.
 */
static bool ckpt_same_may_be(struct ckpt_memory *mem, struct page *page)
{
	return mem->same && folio_mapcount(page_folio(page)) > 2;
}

/**
 * ckpt_same_find() - look whether somebody before has the same page
 * @mem: the memory that is being looked at
 * @page: a page of it, whose page table is locked
 * @nr: where its number in the page section goes
 *
 * Return: true if somebody has.
 */
bool ckpt_same_find(struct ckpt_memory *mem, struct page *page, u64 *nr)
{
	return ckpt_same_may_be(mem, page) &&
	       ckpt_same_get(mem, &mem->same->pages, page_to_pfn(page), nr);
}

/**
 * ckpt_same_add() - remember a page, for who may have it as well
 * @mem: the memory that has it
 * @page: the page, which is the next one that @mem has in the page section
 *
 * As long as it is held it is not given to anybody else, so that whoever turns out
 * to have it has the same in it: it can't be written to but by a copy.
 */
void ckpt_same_add(struct ckpt_memory *mem, struct page *page)
{
	if (ckpt_same_may_be(mem, page) &&
	    !ckpt_same_put(mem, &mem->same->pages, page_to_pfn(page)))
		get_page(page);
}

/* All in a tree that was restarted have their pages from one image, as a rule. */
static bool ckpt_same_is_image(struct ckpt_memory *mem,
			       struct address_space *mapping)
{
	if (!mem->same)
		return false;
	if (!mem->same->mapping)
		mem->same->mapping = mapping;
	return mem->same->mapping == mapping;
}

/**
 * ckpt_same_find_image() - likewise, a page of the image that they were restarted from
 * @mem: the memory that is being looked at
 * @mapping: of the image
 * @index: of the page in that
 * @nr: where its number in the page section goes
 *
 * Return: true if somebody before has it.
 */
bool ckpt_same_find_image(struct ckpt_memory *mem, struct address_space *mapping,
			  pgoff_t index, u64 *nr)
{
	return ckpt_same_is_image(mem, mapping) &&
	       ckpt_same_get(mem, &mem->same->image, index, nr);
}

/**
 * ckpt_same_add_image() - remember such a page; nobody can write to the image
 * @mem: the memory that has it
 * @mapping: of the image
 * @index: of the page in that
 */
void ckpt_same_add_image(struct ckpt_memory *mem, struct address_space *mapping,
			 pgoff_t index)
{
	if (ckpt_same_is_image(mem, mapping))
		ckpt_same_put(mem, &mem->same->image, index);
}

/**
 * ckpt_same_save() - tell where the pages are that others have as well
 * @ctx: the checkpoint, whose last object is the page map
 * @mem: the memory, all of which was looked at
 *
 * Return: 0 or a negative errno.
 */
int ckpt_same_save(struct ckpt_ctx *ctx, struct ckpt_memory *mem)
{
	struct ckpt_rec_pagemap_same *rec;

	if (!mem->same_runs.len)
		return 0;
	rec = ckpt_part_add(ctx, CKPT_REC_PAGEMAP_SAME,
			    sizeof(*rec) + mem->same_runs.len);
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->nr = cpu_to_le32(mem->same_runs.len / sizeof(rec->first[0]));
	memcpy(rec->first, mem->same_runs.data, mem->same_runs.len);
	return 0;
}

/* Restart. */

static const struct ckpt_rec_pagemap_same *
ckpt_same_rec(const struct rstr_obj *map)
{
	const struct ckpt_record *rec;

	rec = rstr_part_first(map, CKPT_REC_PAGEMAP_SAME);
	return rec ? rstr_payload(rec) : NULL;
}

/**
 * ckpt_same_nr() - how many runs of a page map others have as well
 * @map: the page map, which has been checked
 *
 * Return: their number.
 */
u32 ckpt_same_nr(const struct rstr_obj *map)
{
	const struct ckpt_rec_pagemap_same *rec = ckpt_same_rec(map);

	return rec ? le32_to_cpu(rec->nr) : 0;
}

/**
 * ckpt_same_first() - where the runs of a page map are that others have as well
 * @map: the page map, which has been checked
 *
 * Return: for each the number of its first page; NULL if there are none.
 */
const __le64 *ckpt_same_first(const struct rstr_obj *map)
{
	const struct ckpt_rec_pagemap_same *rec = ckpt_same_rec(map);

	return rec ? rec->first : NULL;
}

static const struct ckpt_rec_pagemap *rstr_map_rec(const struct rstr_obj *map)
{
	return rstr_payload(map->rec);
}

/* The page map that has a page of the page section: of those that were checked. */
static const struct rstr_obj *rstr_map_of(struct rstr_ctx *ctx, u64 page)
{
	const u32 *maps = ctx->maps.data;
	size_t low = 0, high = ctx->maps.len / sizeof(*maps);

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct rstr_obj *map = &ctx->objs[maps[mid]];

		if (page >= map->first_page +
			    le64_to_cpu(rstr_map_rec(map)->nr_pages))
			low = mid + 1;
		else
			high = mid;
	}
	return &ctx->objs[maps[low]];
}

/* That all of it is memory of address spaces, which come before. */
static int ckpt_same_check_pages(struct rstr_ctx *ctx, struct rstr_obj *map,
				 u64 first, u32 nr)
{
	const struct rstr_obj *other;
	u64 end = first + nr;

	if (first >= map->first_page || end > map->first_page)
		return rstr_bad(ctx, map->rec,
				"the same as %u pages from number %llu on, of %llu before it",
				nr, first, map->first_page);
	while (first < end) {
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		other = rstr_map_of(ctx, first);
		if (rstr_obj(ctx, rstr_map_rec(other)->owner)->kind->family !=
		    CKPT_MM)
			return rstr_bad(ctx, map->rec,
					"the same as page %llu, which is no address space's",
					first);
		first = other->first_page +
			le64_to_cpu(rstr_map_rec(other)->nr_pages);
	}
	return 0;
}

static int ckpt_same_check_runs(struct rstr_ctx *ctx, struct rstr_obj *map)
{
	const struct ckpt_rec_pagemap *rec = rstr_map_rec(map);
	const __le64 *first = ckpt_same_first(map);
	u32 nr = ckpt_same_nr(map), at = 0;
	int err;

	for (u32 i = 0; i < le32_to_cpu(rec->nr_runs); i++) {
		if (rec->runs[i].flags != cpu_to_le32(CKPT_RUN_SAME))
			continue;
		if (at == nr)
			return rstr_bad(ctx, map->rec,
					"the same as pages of others, which are not told");
		err = ckpt_same_check_pages(ctx, map, le64_to_cpu(first[at++]),
					    le32_to_cpu(rec->runs[i].nr));
		if (err)
			return err;
	}
	if (at != nr)
		return rstr_bad(ctx, map->rec, "%u runs of others' pages, not %u",
				at, nr);
	return 0;
}

/**
 * ckpt_same_check() - check what a page map refers to of others' pages
 * @ctx: the restart
 * @map: the page map, whose runs have been checked
 *
 * Return: 0, -EBADMSG, -EINTR or -ENOMEM.
 */
int ckpt_same_check(struct rstr_ctx *ctx, struct rstr_obj *map)
{
	const struct ckpt_record *part;
	struct rstr_obj *owner = rstr_obj(ctx, rstr_map_rec(map)->owner);
	const struct ckpt_rec_pagemap_same *rec = ckpt_same_rec(map);
	u32 *index;

	part = rstr_part_first(map, CKPT_REC_PAGEMAP_SAME);
	if (part && (struct_size(rec, first, le32_to_cpu(rec->nr)) !=
		     rstr_size(part) || rec->reserved ||
		     owner->kind->family != CKPT_MM))
		return rstr_bad(ctx, part, "of %u runs, of %s",
				le32_to_cpu(rec->nr), owner->kind->name);
	index = ckpt_buf_add(&ctx->maps, sizeof(*index));
	if (IS_ERR(index))
		return PTR_ERR(index);
	*index = map - ctx->objs;
	return ckpt_same_check_runs(ctx, map);
}

/* Go to the run that has the page. Mostly it is the next one. */
static void rstr_same_seek(struct rstr_ctx *ctx, struct rstr_same *same,
			   u64 page)
{
	const struct ckpt_page_run *run;

	if (!same->map || page < same->page || page >= same->map->first_page +
	    le64_to_cpu(rstr_map_rec(same->map)->nr_pages)) {
		same->map = rstr_map_of(ctx, page);
		same->run = 0;
		same->page = same->map->first_page;
	}
	for (;; same->run++) {
		run = &rstr_map_rec(same->map)->runs[same->run];
		if (run->flags)
			continue;
		if (page < same->page + le32_to_cpu(run->nr))
			return;
		same->page += le32_to_cpu(run->nr);
	}
}

/**
 * rstr_page_find() - where in memory a page of the page section goes
 * @ctx: the restart, whose page maps have been checked
 * @same: where the last one was found; zeros at first
 * @page: its number, less than there are
 * @start: where its address goes, or its offset in what is no address space
 *
 * Return: whose it is.
 */
struct rstr_obj *rstr_page_find(struct rstr_ctx *ctx, struct rstr_same *same,
				u64 page, u64 *start)
{
	const struct ckpt_rec_pagemap *map;

	rstr_same_seek(ctx, same, page);
	map = rstr_map_rec(same->map);
	*start = le64_to_cpu(map->runs[same->run].start) +
		 ((page - same->page) << PAGE_SHIFT);
	return rstr_obj(ctx, map->owner);
}

static int ckpt_same_relate_one(struct rstr_ctx *ctx, struct rstr_same *same,
				struct rstr_obj *owner, u64 start, u64 page)
{
	struct rstr_obj *other;
	u64 at;

	other = rstr_page_find(ctx, same, page, &at);
	return at == start ? ckpt_mm_relate(owner->ptr, other->ptr, start) : 0;
}

/**
 * ckpt_same_relate() - have mappings be forked off those that they have pages of
 * @ctx: the restart
 * @map: a page map of an address space, none of whose pages has been read
 *
 * Each of the one whose page comes last in the image: parents come first, and by the
 * last one of a line all others are found.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_same_relate(struct rstr_ctx *ctx, const struct rstr_obj *map)
{
	const struct ckpt_rec_pagemap *rec = rstr_map_rec(map);
	struct rstr_obj *owner = rstr_obj(ctx, rec->owner);
	u64 start = 0, end = 0, page = 0, last;
	const __le64 *first = ckpt_same_first(map);
	struct rstr_same same = {};
	int err = 0;

	for (u32 i = 0; i < le32_to_cpu(rec->nr_runs) && !err; i++) {
		if (rec->runs[i].flags != cpu_to_le32(CKPT_RUN_SAME))
			continue;
		last = le64_to_cpu(*first++);
		if (le64_to_cpu(rec->runs[i].start) >= end) {
			if (end)
				err = ckpt_same_relate_one(ctx, &same, owner,
							   start, page);
			start = le64_to_cpu(rec->runs[i].start);
			end = le64_to_cpu(ckpt_vma_at(owner, start)->end);
			page = last;
		} else if (last > page) {
			start = le64_to_cpu(rec->runs[i].start);
			page = last;
		}
		cond_resched();
	}
	if (end && !err)
		err = ckpt_same_relate_one(ctx, &same, owner, start, page);
	return err;
}

/**
 * ckpt_same_share() - share pages that others have had read in, where that can be
 * @ctx: the restart
 * @same: where the last ones were found; zeros at first
 * @owner: the address space that is to have them
 * @start: where in it
 * @first: number of the first in the page section
 * @nr: how many; then those that lie side by side, if they are shared
 *
 * Return: 1; 0 if there have to be copies; a negative errno.
 */
int ckpt_same_share(struct rstr_ctx *ctx, struct rstr_same *same,
		    struct rstr_obj *owner, u64 start, u64 first,
		    unsigned int *nr)
{
	const struct ckpt_page_run *run;
	struct rstr_obj *other;
	unsigned int pages;
	u64 at;
	int ret;

	other = rstr_page_find(ctx, same, first, &at);
	if (at != start)
		return 0;
	run = &rstr_map_rec(same->map)->runs[same->run];
	pages = min_t(u64, *nr, le32_to_cpu(run->nr) - (first - same->page));
	ret = ckpt_mm_share(owner->ptr, other->ptr, start,
			    start + ((u64)pages << PAGE_SHIFT));
	if (ret > 0)
		*nr = pages;
	return ret;
}

/**
 * ckpt_same_read() - get hold of pages that others have had read in
 * @ctx: the restart
 * @same: where the last ones were found; zeros at first
 * @first: number of the first in the page section
 * @batch: how many are wanted; then those that lie side by side, one at least
 *
 * Return: 0 or a negative errno.
 */
int ckpt_same_read(struct rstr_ctx *ctx, struct rstr_same *same, u64 first,
		   struct ckpt_batch *batch)
{
	const struct ckpt_page_run *run;
	struct rstr_obj *owner;
	u64 start;

	owner = rstr_page_find(ctx, same, first, &start);
	run = &rstr_map_rec(same->map)->runs[same->run];
	batch->nr = min_t(u64, batch->nr,
			  le32_to_cpu(run->nr) - (first - same->page));
	return ckpt_mm_pages(owner->ptr, start, batch->nr, FOLL_FORCE,
			     batch->pages);
}

const struct ckpt_part ckpt_same_part = {
	.type		= CKPT_REC_PAGEMAP_SAME,
	.name		= "pages of others",
	.size		= sizeof(struct ckpt_rec_pagemap_same),
	.open_ended	= true,
	.max		= 1,
};
