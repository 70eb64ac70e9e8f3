// SPDX-License-Identifier: GPL-2.0-only
/*
 * Image maps: anonymous memory that a restart does not read, but has its pages
 * looked up in the image when they are touched.
 *
 * A mapping of that kind looks like any other anonymous one; it has no vm_file.
 * But a page that it lacks is had by ->fault(), which hands out the page of the
 * image that is in the page cache. The core maps it read-only, and copies it when
 * it is written to, as it does for private mappings of files. So restarts of one
 * image share what none of them wrote to.
 *
 * Which page of the image belongs where is told by the page offset: it is the
 * address that the page had at the restart, and goes with the page when the
 * mapping is split or moved. By CKPT_IMAP_PGOFF it is so far from what other
 * anonymous mappings have that none of these is ever merged with one of ours.
 *
 * A page table entry that is empty means: as in the image. What is dropped by
 * madvise(2), or moved away by mremap(2), therefore leaves zero pages behind.
 * These are entries like all others and go wherever the mapping goes.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/checkpoint_mm.h>

#include "imap.h"
#include "limits.h"
#include "pages.h"
#include "restart.h"

/* All image maps; changed under the lock, read under RCU. */
static DEFINE_HASHTABLE(ckpt_imaps, 6);
static DEFINE_SPINLOCK(ckpt_imaps_lock);

/* The image as a file. */

/*
 * Nobody can write to it while it is mapped: that may only be brought about by
 * who could do so in another way, as by executing the file.
 */
static bool ckpt_image_is_callers(struct file *file)
{
	int err;

	if (inode_owner_or_capable(file_mnt_idmap(file), file_inode(file)))
		return true;
	err = file_permission(file, MAY_WRITE);
	return !err || err == -EROFS || !file_permission(file, MAY_EXEC);
}

static bool ckpt_image_is_mappable(struct rstr_ctx *ctx)
{
	struct file *file = ctx->file;
	struct address_space *mapping = file->f_mapping;
	u64 size = le64_to_cpu(ctx->header->nr_pages) << PAGE_SHIFT;
	loff_t end;

	if (!S_ISREG(file_inode(file)->i_mode) || IS_DAX(file_inode(file)) ||
	    (file->f_mode & FMODE_STREAM) || (file->f_flags & O_DIRECT))
		return false;
	if (!mapping->a_ops->read_folio && !shmem_mapping(mapping))
		return false;
	/* Metadata has been read, and pages come next. */
	return PAGE_ALIGNED(file->f_pos) &&
	       !check_add_overflow(file->f_pos, size, &end) &&
	       end <= i_size_read(mapping->host) && ckpt_image_is_callers(file);
}

/**
 * ckpt_image_open() - the image that is being read, as a file to be mapped
 * @ctx: the restart; pages come next in its file
 *
 * POSIX_FADV_RANDOM, if it was advised of the descriptor, holds when the memory is
 * read as well. From here on nobody can open it to be written. If somebody has done so before,
 * maybe a task of the image itself, it is not mapped.
 *
 * Return: the file, to be given back to ckpt_image_close(); or NULL.
 */
struct file *ckpt_image_open(struct rstr_ctx *ctx)
{
	struct file *file;

	if ((ctx->flags & RESTART_EAGER) ||
	    rstr_image_has(ctx, CKPT_INCOMPAT_COMPRESSED) ||
	    !ckpt_image_is_mappable(ctx))
		return NULL;
	/* A description of our own: the tree may have the caller's in it. */
	file = dentry_open(&ctx->file->f_path, O_RDONLY | O_LARGEFILE,
			   current_cred());
	if (IS_ERR(file))
		return NULL;
	/* What was advised of the one goes for the other. */
	file->f_mode |= ctx->file->f_mode & FMODE_RANDOM;
	if (file->f_mapping == ctx->file->f_mapping && !deny_write_access(file))
		return file;
	fput(file);
	return NULL;
}

void ckpt_image_close(struct file *image)
{
	if (!image)
		return;
	allow_write_access(image);
	fput(image);
}

/* The map. */

static struct ckpt_imap *ckpt_imap_alloc(struct file *file, u32 nr, u32 nr_same)
{
	struct ckpt_imap *imap;

	imap = kvzalloc(struct_size(imap, runs, nr), GFP_KERNEL_ACCOUNT);
	if (!imap)
		return NULL;
	imap->same = nr_same ? kvcalloc(nr_same, sizeof(*imap->same),
					GFP_KERNEL_ACCOUNT) : NULL;
	/* Never fails where it has been done before. */
	if ((nr_same && !imap->same) || deny_write_access(file)) {
		kvfree(imap->same);
		kvfree(imap);
		return NULL;
	}
	imap->same_by_index = RB_ROOT_CACHED;
	imap->file = get_file(file);
	refcount_set(&imap->users, 1);
	spin_lock_init(&imap->lock);
	INIT_LIST_HEAD(&imap->dropped);
	INIT_HLIST_NODE(&imap->node);
	return imap;
}

static void ckpt_imap_sort(struct ckpt_imap *imap)
{
	for (u32 i = 0; i < imap->nr && imap->same; i++) {
		const struct ckpt_imap_run *run = &imap->runs[i];
		struct ckpt_imap_same *same;

		if (!run->same)
			continue;
		same = &imap->same[run->same - 1];
		same->run = i;
		same->node.start = run->index;
		same->node.last = run->index + run->nr - 1;
		interval_tree_insert(&same->node, &imap->same_by_index);
	}
}

/* From now on its pages may be in use, and are to be found. */
static void ckpt_imap_publish(struct ckpt_imap *imap)
{
	ckpt_imap_sort(imap);
	spin_lock(&ckpt_imaps_lock);
	hash_add_rcu(ckpt_imaps, &imap->node,
		     (unsigned long)imap->file->f_mapping);
	spin_unlock(&ckpt_imaps_lock);
}

void ckpt_imap_put(struct ckpt_imap *imap)
{
	if (!imap || !refcount_dec_and_test(&imap->users))
		return;
	spin_lock(&ckpt_imaps_lock);
	hash_del_rcu(&imap->node);
	spin_unlock(&ckpt_imaps_lock);
	for (u32 i = 0; i < imap->nr; i++)
		if (imap->runs[i].anon_vma)
			put_anon_vma(imap->runs[i].anon_vma);
	ckpt_image_close(imap->file);
	/* Only who holds it looks in there. */
	kvfree(imap->same);
	kvfree_rcu(imap, rcu);
}

/* The map of that file after @last, or the first one; with a reference. */
struct ckpt_imap *ckpt_imap_get_next(struct address_space *mapping,
				     struct ckpt_imap *last)
{
	struct ckpt_imap *imap;
	bool reached = !last;

	guard(rcu)();
	/* While it is held, @last does not leave the table. */
	hash_for_each_possible_rcu(ckpt_imaps, imap, node,
				   (unsigned long)mapping) {
		if (reached && imap->file->f_mapping == mapping &&
		    refcount_inc_not_zero(&imap->users))
			return imap;
		reached |= imap == last;
	}
	return NULL;
}

/* What is to be in memory, or in huge pages, is read at once; what is special. */
static bool ckpt_imap_may_have(const struct ckpt_rec_vma *vma)
{
	const u64 special = CKPT_VMA_MAYSHARE | CKPT_VMA_GROWSDOWN |
			    CKPT_VMA_LOCKED | CKPT_VMA_HUGEPAGE |
			    CKPT_VMA_DROPPABLE | CKPT_VMA_WIPEONFORK;

	return !vma->object && !(le64_to_cpu(vma->flags) & special);
}

/**
 * struct ckpt_imap_cursor - where in a page map one is
 * @run: the next run
 * @left: how many there are from it on
 * @index: of the next page that is this address space's alone, in the file
 * @base: of the first page of all
 * @same: where the runs are whose pages another address space has; NULL if none are
 * @nr_same: how many of these there were
 */
struct ckpt_imap_cursor {
	const struct ckpt_page_run	*run;
	u32				left;
	pgoff_t				index;
	pgoff_t				base;
	const __le64			*same;
	u32				nr_same;
};

static void ckpt_imap_add_run(struct ckpt_imap *imap,
			      struct ckpt_imap_cursor *at)
{
	struct ckpt_imap_run *run = &imap->runs[imap->nr++];

	*run = (struct ckpt_imap_run){
		.pgoff	= CKPT_IMAP_PGOFF +
			  (le64_to_cpu(at->run->start) >> PAGE_SHIFT),
		.nr	= le32_to_cpu(at->run->nr),
	};
	if (le32_to_cpu(at->run->flags) & CKPT_RUN_SAME) {
		run->index = at->base + le64_to_cpu(at->same[at->nr_same++]);
		run->same = at->nr_same;
	} else {
		run->index = at->index;
		at->index += run->nr;
	}
	run->behind = at->index;
}

/* Add the runs of a mapping. Returns how many pages it has. */
static u64 ckpt_imap_add_runs(struct ckpt_imap *imap,
			      const struct ckpt_rec_vma *vma,
			      struct ckpt_imap_cursor *at)
{
	u64 end = le64_to_cpu(vma->end), pages = 0;

	for (; at->left && le64_to_cpu(at->run->start) < end;
	     at->left--, at->run++) {
		if (le32_to_cpu(at->run->flags) & CKPT_RUN_ZERO)
			continue;
		ckpt_imap_add_run(imap, at);
		pages += le32_to_cpu(at->run->nr);
	}
	return pages;
}

/* Which is the first run that ends behind @pgoff. */
static u32 ckpt_imap_find_index(const struct ckpt_imap *imap, pgoff_t pgoff)
{
	u32 low = 0, high = imap->nr;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (imap->runs[mid].pgoff + imap->runs[mid].nr > pgoff)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

const struct ckpt_imap_run *ckpt_imap_find(const struct ckpt_imap *imap,
					   pgoff_t pgoff)
{
	u32 i = ckpt_imap_find_index(imap, pgoff);

	return i < imap->nr ? &imap->runs[i] : NULL;
}

unsigned long ckpt_imap_next(struct vm_area_struct *vma, unsigned long start,
			     unsigned long end, unsigned long *nr,
			     pgoff_t *index)
{
	pgoff_t first = linear_page_index(vma, start);
	pgoff_t stop = first + ((end - start) >> PAGE_SHIFT);
	const struct ckpt_imap_run *run;

	run = ckpt_imap_find(vma->vm_private_data, first);
	if (!run || run->pgoff >= stop)
		return end;
	first = max(first, run->pgoff);
	*nr = min(stop, run->pgoff + run->nr) - first;
	*index = run->index + first - run->pgoff;
	return ckpt_imap_addr(vma, first);
}

struct address_space *ckpt_imap_mapping(const struct vm_area_struct *vma)
{
	const struct ckpt_imap *imap = vma->vm_private_data;

	return imap->file->f_mapping;
}

/* Mappings. */

/* No page of ours is left in it, nor is it known to any other. */
void ckpt_imap_detach(struct vm_area_struct *vma)
{
	struct ckpt_imap *imap = vma->vm_private_data;

	vma_set_anonymous(vma);
	vma->vm_private_data = NULL;
	vma->vm_pgoff = vma->vm_start >> PAGE_SHIFT;
	ckpt_imap_put(imap);
}

static void ckpt_imap_open(struct vm_area_struct *vma)
{
	struct ckpt_imap *imap = vma->vm_private_data;

	refcount_inc(&imap->users);
	/* Forked, and to be wiped: of it nothing has been copied. */
	if ((vma->vm_flags & VM_WIPEONFORK) && !vma->anon_vma)
		ckpt_imap_detach(vma);
}

static void ckpt_imap_close(struct vm_area_struct *vma)
{
	ckpt_imap_put(vma->vm_private_data);
}

const struct vm_operations_struct ckpt_imap_vm_ops = {
	.open		= ckpt_imap_open,
	.close		= ckpt_imap_close,
	.fault		= ckpt_imap_fault,
	.map_pages	= ckpt_imap_map_pages,
};

/**
 * ckpt_imap_merged() - mappings go, as others have grown to take their place
 * @vma: the one, or NULL
 * @vma2: another, or NULL
 *
 * What they are merged with has the same map, as all in an address space have.
 */
void ckpt_imap_merged(struct vm_area_struct *vma, struct vm_area_struct *vma2)
{
	if (vma && ckpt_vma_is_imap(vma))
		ckpt_imap_close(vma);
	if (vma2 && ckpt_vma_is_imap(vma2))
		ckpt_imap_close(vma2);
}

/* The restart's own. */

/* As a mapping has been made, with nothing in it yet. */
static struct vm_area_struct *ckpt_imap_vma(struct mm_struct *mm,
					    const struct ckpt_rec_vma *rec)
{
	struct vm_area_struct *vma = vma_lookup(mm, le64_to_cpu(rec->start));

	return vma && vma->vm_start == le64_to_cpu(rec->start) &&
	       vma->vm_end == le64_to_cpu(rec->end) ? vma : NULL;
}

/*
 * It is given an anon_vma at once: fork copies the page tables of what has one, a
 * checkpoint looks at it, and pages are found by it.
 */
static int ckpt_imap_attach(struct ckpt_imap *imap, struct vm_area_struct *vma,
			    u32 first)
{
	vma_start_write(vma);
	vma->vm_pgoff += CKPT_IMAP_PGOFF;
	if (anon_vma_prepare(vma))
		return -ENOMEM;
	for (u32 i = first; i < imap->nr; i++) {
		imap->runs[i].anon_vma = vma->anon_vma;
		get_anon_vma(vma->anon_vma);
	}
	vma->vm_private_data = imap;
	vma->vm_ops = &ckpt_imap_vm_ops;
	ckpt_imap_open(vma);
	return 0;
}

/*
 * Only mappings with many pages are in the map, so that small programs have memory
 * that does not depend on the image.
 */
static int ckpt_imap_fill(struct ckpt_imap *imap, struct rstr_obj *obj,
			  struct ckpt_imap_cursor *at)
{
	const struct ckpt_record *rec;
	struct vm_area_struct *vma;
	u32 first;
	u64 pages;
	int err;

	rstr_for_each_part(rec, obj, CKPT_REC_VMA) {
		first = imap->nr;
		pages = ckpt_imap_add_runs(imap, rstr_payload(rec), at);
		vma = ckpt_imap_vma(obj->ptr, rstr_payload(rec));
		if (pages < CKPT_IMAP_MIN || !vma ||
		    !ckpt_imap_may_have(rstr_payload(rec))) {
			imap->nr = first;
			continue;
		}
		err = ckpt_imap_attach(imap, vma, first);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/**
 * ckpt_imap_restore() - have an address space filled from the image
 * @ctx: the restart
 * @obj: the address space, its mappings made and with a page map
 * @image: the image, from ckpt_image_open()
 * @index: of the first page in it, of any address space
 *
 * Return: 0 or a negative errno.
 */
int ckpt_imap_restore(struct rstr_ctx *ctx, struct rstr_obj *obj,
		      struct file *image, pgoff_t index)
{
	const struct ckpt_rec_pagemap *map = rstr_payload(obj->pages->rec);
	struct ckpt_imap_cursor at = {
		.run	= map->runs,
		.left	= le32_to_cpu(map->nr_runs),
		.index	= index + obj->pages->first_page,
		.base	= index,
		.same	= ckpt_same_first(obj->pages),
	};
	struct mm_struct *mm = obj->ptr;
	struct ckpt_imap *imap;
	int err;

	imap = ckpt_imap_alloc(image, at.left, ckpt_same_nr(obj->pages));
	if (!imap)
		return -ENOMEM;
	err = mmap_write_lock_killable(mm);
	if (!err) {
		err = ckpt_imap_fill(imap, obj, &at);
		if (!err && imap->nr)
			ckpt_imap_publish(imap);
		mmap_write_unlock(mm);
	}
	ckpt_imap_put(imap);
	return err;
}
