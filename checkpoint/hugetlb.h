/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory in huge pages of the hugetlb pool. */
#ifndef _CHECKPOINT_HUGETLB_H
#define _CHECKPOINT_HUGETLB_H

#include <linux/types.h>

struct address_space;
struct ckpt_memory;
struct ckpt_record;
struct file;
struct inode;
struct page;
struct rstr_ctx;
struct rstr_obj;
struct vm_area_struct;

#ifdef CONFIG_HUGETLBFS
u32 ckpt_hugetlb_shift(const struct inode *inode);
int ckpt_hugetlb_copy(struct ckpt_memory *mem, struct inode *inode);
int ckpt_hugetlb_copy_private(struct vm_area_struct *vma,
			      struct vm_area_struct *src);
int ckpt_hugetlb_check(struct rstr_ctx *ctx, const struct ckpt_record *rec,
		       u32 shift);
int ckpt_hugetlb_populate(struct rstr_ctx *ctx, struct rstr_obj *obj,
			  struct file *file);
int ckpt_hugetlb_pages(struct address_space *mapping, pgoff_t index,
		       unsigned int nr, struct page **pages);
#else
static inline u32 ckpt_hugetlb_shift(const struct inode *inode)
{
	return 0;
}

static inline int ckpt_hugetlb_copy(struct ckpt_memory *mem,
				    struct inode *inode)
{
	return -EOPNOTSUPP;
}

static inline int ckpt_hugetlb_copy_private(struct vm_area_struct *vma,
					    struct vm_area_struct *src)
{
	return -EOPNOTSUPP;
}

static inline int ckpt_hugetlb_check(struct rstr_ctx *ctx,
				     const struct ckpt_record *rec, u32 shift)
{
	return shift ? -EOPNOTSUPP : 0;
}

static inline int ckpt_hugetlb_populate(struct rstr_ctx *ctx,
					struct rstr_obj *obj,
					struct file *file)
{
	return 0;
}

static inline int ckpt_hugetlb_pages(struct address_space *mapping,
				     pgoff_t index, unsigned int nr,
				     struct page **pages)
{
	return -EOPNOTSUPP;
}
#endif

#endif
