// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which memory is duplicated or copied ahead of the stop: that of the tree that is
 * large enough for it to matter. Nothing that goes wrong here is an error; what
 * is not made ahead is made when all are stopped.
 */
#include <linux/cleanup.h>
#include <linux/mm.h>
#include <linux/ptrace.h>
#include <linux/sched/mm.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "base.h"
#include "checkpoint.h"
#include "limits.h"
#include "mm.h"
#include "pages.h"
#include "tree.h"

/**
 * struct ckpt_ahead - an address space that was duplicated while it was in use
 * @node: in ckpt_ctx.ahead
 * @src: the address space, which may have no user any more; mmgrab()
 * @dup: the duplicate; NULL where there is none, or it was taken
 */
struct ckpt_ahead {
	struct list_head	node;
	struct mm_struct	*src;
	struct mm_struct	*dup;
};

static struct ckpt_ahead *ckpt_ahead_find(struct ckpt_ctx *ctx,
					  struct mm_struct *mm)
{
	struct ckpt_ahead *ahead;

	list_for_each_entry(ahead, &ctx->ahead, node)
		if (ahead->src == mm)
			return ahead;
	return NULL;
}

/*
 * The next memory from *@addr on that is mapped shared and that an image is to
 * hold, for it belongs to no file system. A reference is held.
 */
static struct inode *ckpt_ahead_shared(struct mm_struct *mm,
				       unsigned long *addr)
{
	VMA_ITERATOR(vmi, mm, *addr);
	struct inode *inode = NULL;
	struct vm_area_struct *vma;

	mmap_read_lock(mm);
	for_each_vma(vmi, vma) {
		if (!(vma->vm_flags & VM_MAYSHARE) || !vma->vm_file ||
		    !shmem_mapping(vma->vm_file->f_mapping))
			continue;
		if (!(file_inode(vma->vm_file)->i_sb->s_flags & SB_NOUSER) ||
		    vma->vm_file->f_mapping->nrpages < CKPT_AHEAD_MIN)
			continue;
		*addr = vma->vm_end;
		inode = file_inode(vma->vm_file);
		ihold(inode);
		break;
	}
	mmap_read_unlock(mm);
	return inode;
}

static void ckpt_ahead_add_shared(struct ckpt_ctx *ctx, struct mm_struct *mm)
{
	unsigned long addr = 0;
	struct inode *inode;

	while ((inode = ckpt_ahead_shared(mm, &addr))) {
		ckpt_shmem_ahead(ctx, inode);
		iput(inode);
	}
}

/* Once for each, whatever comes of it. */
static void ckpt_ahead_add(struct ckpt_ctx *ctx, struct mm_struct *mm)
{
	struct ckpt_ahead *ahead;

	if (ckpt_ahead_find(ctx, mm))
		return;
	ahead = kzalloc(sizeof(*ahead), GFP_KERNEL_ACCOUNT);
	if (!ahead)
		return;
	ckpt_ahead_add_shared(ctx, mm);
	mmgrab(mm);
	ahead->src = mm;
	/* Of which there is one already, there need not be another. */
	if (!ckpt_base_use(ctx, mm))
		ahead->dup = ckpt_mm_dup_ahead(mm);
	if (IS_ERR(ahead->dup))
		ahead->dup = NULL;
	list_add(&ahead->node, &ctx->ahead);
}

static void ckpt_ahead_task(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct mm_struct *mm;

	mm = mm_access(task, PTRACE_MODE_ATTACH_REALCREDS);
	if (IS_ERR_OR_NULL(mm))
		return;
	if (mm != current->mm && get_mm_rss(mm) >= CKPT_AHEAD_MIN)
		ckpt_ahead_add(ctx, mm);
	mmput(mm);
}

/**
 * ckpt_memory_ahead() - do what can be done about memory before anyone is stopped
 * @ctx: the checkpoint, whose root is known
 */
void ckpt_memory_ahead(struct ckpt_ctx *ctx)
{
	struct ckpt_tree *tree = &ctx->tree;

	if (ckpt_tree_scan(ctx))
		return;
	for (u32 i = 0; i < tree->nr; i++)
		if (thread_group_leader(tree->task[i]))
			ckpt_ahead_task(ctx, tree->task[i]);
}

/**
 * ckpt_ahead_use() - finish what was made ahead of an address space
 * @ctx: the checkpoint
 * @mm: the address space; those that run in it are stopped
 *
 * Return: the duplicate, which is the caller's; NULL if there is none, or it can't
 * be used; or an ERR_PTR.
 */
struct mm_struct *ckpt_ahead_use(struct ckpt_ctx *ctx, struct mm_struct *mm)
{
	struct ckpt_ahead *ahead = ckpt_ahead_find(ctx, mm);
	int err;

	if (!ahead || !ahead->dup)
		return NULL;
	err = ckpt_mm_renew(ahead->dup, mm);
	/* What is no use is given back later, when nobody waits for it. */
	if (err)
		return err == -EAGAIN ? NULL : ERR_PTR(err);
	return no_free_ptr(ahead->dup);
}

/* Give back what nobody took. Takes its time: not while anyone is stopped. */
void ckpt_ahead_release(struct ckpt_ctx *ctx)
{
	struct ckpt_ahead *ahead, *next;

	list_for_each_entry_safe(ahead, next, &ctx->ahead, node) {
		if (ahead->dup)
			mmput(ahead->dup);
		mmdrop(ahead->src);
		kfree(ahead);
	}
	INIT_LIST_HEAD(&ctx->ahead);
	ckpt_shmem_ahead_release(ctx);
}
