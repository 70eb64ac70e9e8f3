// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that address spaces have in common, made so again: what fork does, for two that
 * are there already. It takes that they are found by both, so that one is made a
 * descendant of the other, by anon_vma_fork(), before it has a page of its own.
 */
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/rmap.h>
#include <linux/userfaultfd_k.h>
#include <linux/checkpoint_mm.h>
#include <asm/tlbflush.h>

#include "pages.h"

/**
 * struct ckpt_share - two mappings, of two address spaces that are locked
 * @dst: the one that is to have pages of the other
 * @src: the other
 */
struct ckpt_share {
	struct vm_area_struct	*dst;
	struct vm_area_struct	*src;
};

/* What fork has copied is as it was permitted there, and locked in none. */
static bool ckpt_share_may_be(const struct ckpt_share *share)
{
	const vm_flags_t special = VM_SPECIAL | VM_HUGETLB | VM_LOCKED_MASK;
	struct vm_area_struct *dst = share->dst, *src = share->src;

	return dst && src && is_cow_mapping(dst->vm_flags) &&
	       is_cow_mapping(src->vm_flags) &&
	       !((dst->vm_flags | src->vm_flags) & special) &&
	       pgprot_val(dst->vm_page_prot) == pgprot_val(src->vm_page_prot) &&
	       !ckpt_vma_is_imap(dst) && !ckpt_vma_is_imap(src) &&
	       !userfaultfd_armed(dst) && !userfaultfd_armed(src) &&
	       src->anon_vma;
}

static int ckpt_share_begin(struct ckpt_share *share, struct mm_struct *dst,
			    struct mm_struct *src, unsigned long addr)
{
	if (mmap_write_lock_killable(src))
		return -EINTR;
	mmap_write_lock_nested(dst, SINGLE_DEPTH_NESTING);
	share->dst = vma_lookup(dst, addr);
	share->src = vma_lookup(src, addr);
	return 0;
}

static void ckpt_share_end(struct mm_struct *dst, struct mm_struct *src)
{
	mmap_write_unlock(dst);
	mmap_write_unlock(src);
}

/**
 * ckpt_mm_relate() - have a mapping be one that was forked off another
 * @dst: the address space that it is in, with no page in it yet
 * @src: the one of the other, at the same place
 * @addr: the place
 *
 * Does nothing where it can't be.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_mm_relate(struct mm_struct *dst, struct mm_struct *src,
		   unsigned long addr)
{
	struct ckpt_share share;
	int err;

	err = ckpt_share_begin(&share, dst, src, addr);
	if (err)
		return err;
	if (ckpt_share_may_be(&share) && !share.dst->anon_vma) {
		vma_start_write(share.dst);
		err = anon_vma_fork(share.dst, share.src);
	}
	ckpt_share_end(dst, src);
	return err;
}

/* Whatever of its own came there, as part of a huge page, is nothing that was read. */
static int ckpt_share_copy(struct ckpt_share *share, unsigned long start,
			   unsigned long end)
{
	int err;

	vma_start_write(share->src);
	vma_start_write(share->dst);
	zap_page_range_single(share->dst, start, end - start, NULL);
	err = ckpt_part_copy(share->dst, share->src, start, end);
	flush_tlb_mm(share->src->vm_mm);
	return err;
}

/**
 * ckpt_mm_share() - have pages in common with another address space
 * @dst: the address space
 * @src: the other, which has them
 * @start: where they are in both
 * @end: behind them
 *
 * Return: 1; 0 if it can't be; -ENOMEM, -EINTR.
 */
int ckpt_mm_share(struct mm_struct *dst, struct mm_struct *src,
		  unsigned long start, unsigned long end)
{
	struct ckpt_share share;
	int ret;

	ret = ckpt_share_begin(&share, dst, src, start);
	if (ret)
		return ret;
	if (ckpt_share_may_be(&share) && end <= share.dst->vm_end &&
	    end <= share.src->vm_end && ckpt_vma_is_twin(share.dst, share.src))
		ret = ckpt_share_copy(&share, start, end) ?: 1;
	ckpt_share_end(dst, src);
	return ret;
}
