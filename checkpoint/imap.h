/* SPDX-License-Identifier: GPL-2.0-only */
/* Image maps: memory that is read from the image as it is touched. */
#ifndef _CHECKPOINT_IMAP_H
#define _CHECKPOINT_IMAP_H

#include <linux/bits.h>
#include <linux/interval_tree.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/userfaultfd_k.h>

struct address_space;
struct anon_vma;
struct file;
struct rstr_ctx;
struct rstr_obj;

/*
 * Higher than that of any address; and odd, as nothing in here can be mapped by
 * huge pages: where a file has them, they are not where memory has them.
 */
#define CKPT_IMAP_PGOFF		(BIT(50) + 1)

/**
 * struct ckpt_imap_run - pages that lie side by side, in memory and in the image
 * @pgoff: page offset of the first
 * @nr: how many
 * @same: they are those of another address space as well: how many such runs there
 *	are up to this one; else 0
 * @index: of the first in the file
 * @behind: index of the first page behind, among those of this address space alone
 * @anon_vma: of the mapping, by which all are found that it has become by now;
 *	a reference is held
 */
struct ckpt_imap_run {
	pgoff_t		pgoff;
	u32		nr;
	u32		same;
	pgoff_t		index;
	pgoff_t		behind;
	struct anon_vma	*anon_vma;
};

/**
 * struct ckpt_imap_same - a run whose pages another address space has as well
 * @node: in ckpt_imap.same_by_index
 * @run: which one it is
 */
struct ckpt_imap_same {
	struct interval_tree_node	node;
	u32				run;
};

/**
 * struct ckpt_imap - which page of an image belongs where
 * @users: the mappings; those of children that were forked since among them
 * @file: the image, open for reading; nobody can have it open for writing
 * @node: in ckpt_imaps, by the mapping of @file
 * @rcu: for freeing it
 * @dropped: struct ckpt_imap_drop: what is being dropped just now
 * @same: those runs whose pages another address space has as well, kvmalloc'ed;
 *	NULL if there are none
 * @same_by_index: the same, by their indices in the file
 * @nr: how many of @runs there are
 * @runs: by ascending page offset, and all but @same by ascending index at the same
 *	time; they do not change once the address space runs
 */
struct ckpt_imap {
	refcount_t		users;
	struct file		*file;
	struct hlist_node	node;
	struct rcu_head		rcu;
	/** @lock: protects @dropped; taken below the lock of a page table */
	spinlock_t		lock;
	struct list_head	dropped;
	struct ckpt_imap_same	*same;
	struct rb_root_cached	same_by_index;
	u32			nr;
	struct ckpt_imap_run	runs[];
};

/**
 * struct ckpt_imap_drop - pages that are being dropped
 * @node: in ckpt_imap.dropped
 * @mm: in this address space
 * @first: page offset of the first
 * @last: and of the last
 */
struct ckpt_imap_drop {
	struct list_head	node;
	struct mm_struct	*mm;
	pgoff_t			first;
	pgoff_t			last;
};

/* The image that is being read, if it can be mapped as well; or NULL. */
struct file *ckpt_image_open(struct rstr_ctx *ctx);
void ckpt_image_close(struct file *image);

/* Have an address space filled from the image, as far as that is worth it. */
int ckpt_imap_restore(struct rstr_ctx *ctx, struct rstr_obj *mm,
		      struct file *image, pgoff_t index);

/**
 * ckpt_imap_next() - the next pages that are in the image
 * @vma: a mapping that has a map
 * @start: from this address on
 * @end: up to this one
 * @nr: how many there are side by side
 * @index: where in the file the first one is
 *
 * What was written to or dropped since the restart may be among them: the page
 * tables know better.
 *
 * Return: the address of the first; @end if there are none.
 */
unsigned long ckpt_imap_next(struct vm_area_struct *vma, unsigned long start,
			     unsigned long end, unsigned long *nr,
			     pgoff_t *index);

/* Of the image. */
struct address_space *ckpt_imap_mapping(const struct vm_area_struct *vma);

/* Among those who make it up. */

void ckpt_imap_put(struct ckpt_imap *imap);
struct ckpt_imap *ckpt_imap_get_next(struct address_space *mapping,
				     struct ckpt_imap *last);

/* The first run that ends behind @pgoff, or NULL. */
const struct ckpt_imap_run *ckpt_imap_find(const struct ckpt_imap *imap,
					   pgoff_t pgoff);

static inline unsigned long ckpt_imap_addr(const struct vm_area_struct *vma,
					   pgoff_t pgoff)
{
	return vma->vm_start + ((pgoff - vma->vm_pgoff) << PAGE_SHIFT);
}

/* It is an anonymous mapping like any other from now on, and an empty one. */
void ckpt_imap_detach(struct vm_area_struct *vma);

/* Whether a page is as in the image; that it is to be watched says no more. */
static inline bool ckpt_imap_is_empty(pte_t pte)
{
	return pte_none(pte) || pte_marker_uffd_wp(pte);
}

void ckpt_imap_set_zero(struct vm_area_struct *vma, unsigned long addr,
			pte_t *pte);
bool ckpt_imap_is_dropped(struct ckpt_imap *imap, struct mm_struct *mm,
			  pgoff_t first, pgoff_t last);

vm_fault_t ckpt_imap_fault(struct vm_fault *vmf);
vm_fault_t ckpt_imap_map_pages(struct vm_fault *vmf, pgoff_t first,
			       pgoff_t last);

#endif
