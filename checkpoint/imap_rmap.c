// SPDX-License-Identifier: GPL-2.0-only
/*
 * Image maps: where a page of an image is mapped, so that it can be reclaimed and
 * moved like any other.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/checkpoint_mm.h>

#include "../mm/internal.h"
#include "imap.h"

/* The first run that ends behind page @index of the image. */
static u32 ckpt_imap_find_file(const struct ckpt_imap *imap, pgoff_t index)
{
	u32 low = 0, high = imap->nr;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (imap->runs[mid].behind > index)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static bool ckpt_imap_lock_anon_vma(struct anon_vma *anon_vma,
				    struct rmap_walk_control *rwc)
{
	if (anon_vma_trylock_read(anon_vma))
		return true;
	rwc->contended = rwc->try_lock;
	if (rwc->try_lock)
		return false;
	anon_vma_lock_read(anon_vma);
	return true;
}

/* Mappings that may have pages from @first to @last. Returns whether to go on. */
static bool ckpt_imap_rmap_run(const struct ckpt_imap_run *run, pgoff_t first,
			       pgoff_t last, struct folio *folio,
			       struct rmap_walk_control *rwc)
{
	struct anon_vma *anon_vma = run->anon_vma;
	struct anon_vma_chain *avc;
	bool more = true;

	if (!ckpt_imap_lock_anon_vma(anon_vma, rwc))
		return false;
	anon_vma_interval_tree_foreach(avc, &anon_vma->rb_root, first, last) {
		struct vm_area_struct *vma = avc->vma;
		unsigned long addr = vma_address(vma, first, last - first + 1);

		cond_resched();
		if (!ckpt_vma_is_imap(vma) ||
		    (rwc->invalid_vma && rwc->invalid_vma(vma, rwc->arg)))
			continue;
		more = rwc->rmap_one(folio, vma, addr, rwc->arg) &&
		       !(rwc->done && rwc->done(folio));
		if (!more)
			break;
	}
	anon_vma_unlock_read(anon_vma);
	return more;
}

static bool ckpt_imap_rmap_folio(const struct ckpt_imap_run *run,
				 struct folio *folio,
				 struct rmap_walk_control *rwc)
{
	pgoff_t first = max(folio->index, run->index) - run->index;
	pgoff_t stop = min(folio_next_index(folio), run->index + run->nr) -
		       run->index;

	return !run->anon_vma ||
	       ckpt_imap_rmap_run(run, run->pgoff + first,
				  run->pgoff + stop - 1, folio, rwc);
}

/* Where it is one of those that other address spaces have as well. */
static bool ckpt_imap_rmap_same(struct ckpt_imap *imap, struct folio *folio,
				struct rmap_walk_control *rwc)
{
	pgoff_t first = folio->index, last = folio_next_index(folio) - 1;
	struct interval_tree_node *node;

	for (node = interval_tree_iter_first(&imap->same_by_index, first, last);
	     node; node = interval_tree_iter_next(node, first, last)) {
		struct ckpt_imap_same *same =
			container_of(node, struct ckpt_imap_same, node);

		if (!ckpt_imap_rmap_folio(&imap->runs[same->run], folio, rwc))
			return false;
	}
	return true;
}

static bool ckpt_imap_rmap(struct ckpt_imap *imap, struct folio *folio,
			   struct rmap_walk_control *rwc)
{
	u32 i = ckpt_imap_find_file(imap, folio->index);

	for (; i < imap->nr; i++) {
		const struct ckpt_imap_run *run = &imap->runs[i];

		if ((run->same ? run->behind : run->index) >=
		    folio_next_index(folio))
			break;
		if (!run->same && !ckpt_imap_rmap_folio(run, folio, rwc))
			return false;
	}
	return ckpt_imap_rmap_same(imap, folio, rwc);
}

/* Whatever is in an image map can't be written to, which is told fast. */
static bool ckpt_imap_has_mapping(const struct address_space *mapping)
{
	return mapping && mapping->host &&
	       atomic_read(&mapping->host->i_writecount) < 0;
}

/**
 * ckpt_imap_rmap_walk() - look for pages of an image where image maps have them
 * @folio: what to look for, locked
 * @rwc: what to do where it may be
 *
 * The mappings are none of the file's, and not to be found there. They are found
 * as those of anonymous pages are: by the anon_vma and the page offset.
 */
void ckpt_imap_rmap_walk(struct folio *folio, struct rmap_walk_control *rwc)
{
	struct address_space *mapping = folio_mapping(folio);
	struct ckpt_imap *imap = NULL, *next;

	if (!ckpt_imap_has_mapping(mapping))
		return;
	do {
		next = ckpt_imap_get_next(mapping, imap);
		ckpt_imap_put(imap);
		imap = next;
	} while (imap && ckpt_imap_rmap(imap, folio, rwc));
	ckpt_imap_put(imap);
}

/**
 * ckpt_imap_unmap_folio() - pages of an image are about to leave the page cache
 * @folio: the pages, locked
 */
void ckpt_imap_unmap_folio(struct folio *folio)
{
	struct ckpt_imap *imap;

	if (!ckpt_imap_has_mapping(folio->mapping))
		return;
	imap = ckpt_imap_get_next(folio->mapping, NULL);
	if (imap)
		try_to_unmap(folio, TTU_SYNC | TTU_IGNORE_MLOCK);
	ckpt_imap_put(imap);
}
