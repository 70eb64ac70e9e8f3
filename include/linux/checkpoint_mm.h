/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What memory management has to know of mappings that have pages of an image in
 * them, see checkpoint/imap.c; and of address spaces that are tracked, see
 * checkpoint/base.c.
 */
#ifndef _LINUX_CHECKPOINT_MM_H
#define _LINUX_CHECKPOINT_MM_H

#include <linux/mm.h>

struct rmap_walk_control;

#ifdef CONFIG_CHECKPOINT

extern const struct vm_operations_struct ckpt_imap_vm_ops;
extern atomic_t ckpt_nr_bases;

/* Whether pages that a mapping lacks may be in an image. */
static inline bool ckpt_vma_is_imap(const struct vm_area_struct *vma)
{
	return vma->vm_ops == &ckpt_imap_vm_ops;
}

long ckpt_imap_zap(struct vm_area_struct *vma, unsigned long start,
		   unsigned long end);
void ckpt_imap_remapped(unsigned long old, unsigned long old_len,
			unsigned long new, unsigned long new_len,
			unsigned long flags);
void ckpt_imap_rmap_walk(struct folio *folio, struct rmap_walk_control *rwc);
void ckpt_imap_unmap_folio(struct folio *folio);
void ckpt_imap_merged(struct vm_area_struct *vma, struct vm_area_struct *vma2);
void ckpt_base_drop(struct mm_struct *mm);

/* An address space comes to its end. */
static inline void ckpt_mm_ends(struct mm_struct *mm)
{
	if (unlikely(atomic_read(&ckpt_nr_bases)))
		ckpt_base_drop(mm);
}

#else

static inline bool ckpt_vma_is_imap(const struct vm_area_struct *vma)
{
	return false;
}

static inline long ckpt_imap_zap(struct vm_area_struct *vma,
				 unsigned long start, unsigned long end)
{
	return 0;
}

static inline void ckpt_imap_remapped(unsigned long old, unsigned long old_len,
				      unsigned long new, unsigned long new_len,
				      unsigned long flags)
{
}

static inline void ckpt_imap_rmap_walk(struct folio *folio,
				       struct rmap_walk_control *rwc)
{
}

static inline void ckpt_imap_unmap_folio(struct folio *folio)
{
}

static inline void ckpt_imap_merged(struct vm_area_struct *vma,
				    struct vm_area_struct *vma2)
{
}

static inline void ckpt_mm_ends(struct mm_struct *mm)
{
}

#endif

#endif
