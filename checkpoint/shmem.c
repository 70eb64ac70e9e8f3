// SPDX-License-Identifier: GPL-2.0-only
/* Anonymous shared memory: mmap(2) with MAP_SHARED and MAP_ANONYMOUS. */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>

#include "checkpoint.h"
#include "hugetlb.h"
#include "limits.h"
#include "mm.h"
#include "pages.h"
#include "restart.h"

/**
 * ckpt_vma_is_shmem() - whether a mapping is of anonymous shared memory
 * @vma: the mapping
 *
 * Return: true if it is. A memfd has a name, so to speak, and is none; nor is a
 * segment of System V.
 */
bool ckpt_vma_is_shmem(struct vm_area_struct *vma)
{
	return vma->vm_file && vma_is_anon_shmem(vma) &&
	       IS_PRIVATE(file_inode(vma->vm_file));
}

/**
 * ckpt_shmem_file() - the file that stands for shared memory
 * @file: that of one of its mappings, by all of whom the caller has stopped
 *
 * Nearly always it is the only one. But /proc/PID/map_files opens the memory anew.
 *
 * Return: the file of the first mapping, with a reference.
 */
struct file *ckpt_shmem_file(struct file *file)
{
	struct address_space *mapping = file->f_mapping;
	struct vm_area_struct *first;

	i_mmap_lock_read(mapping);
	first = vma_interval_tree_iter_first(&mapping->i_mmap, 0, ULONG_MAX);
	file = get_file(first ? first->vm_file : file);
	i_mmap_unlock_read(mapping);
	return file;
}

static int ckpt_shmem_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct inode *inode = file_inode(obj);
	struct ckpt_rec_shmem *rec;
	struct ckpt_memory *mem;

	rec = ckpt_object_add(ctx, CKPT_REC_SHMEM, obj, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->size = cpu_to_le64(i_size_read(inode));
	if (SHMEM_I(inode)->flags & VM_NORESERVE)
		rec->flags = cpu_to_le64(CKPT_VMA_NORESERVE);
	mem = ckpt_memory_add(ctx);
	if (!mem)
		return -ENOMEM;
	return ckpt_shmem_copy(ctx, mem, inode);
}

static int ckpt_shmem_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_shmem *rec = rstr_payload(obj->rec);

	if (!rec->size || le64_to_cpu(rec->size) > MAX_LFS_FILESIZE)
		return rstr_bad(ctx, obj->rec, "size %llu",
				le64_to_cpu(rec->size));
	if (le64_to_cpu(rec->flags) & ~CKPT_VMA_NORESERVE)
		return rstr_bad(ctx, obj->rec, "flags %#llx",
				le64_to_cpu(rec->flags));
	return 0;
}

static int ckpt_shmem_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_shmem *rec = rstr_payload(obj->rec);
	struct file *file;

	/* The name that mmap(2) gives it, as seen in /proc/PID/maps. */
	file = shmem_kernel_file_setup("dev/zero", le64_to_cpu(rec->size),
				       rec->flags ? VM_NORESERVE : 0);
	/* Which for want of an inode speaks of a device that is full. */
	if (file == ERR_PTR(-ENOSPC))
		return -ENOMEM;
	if (IS_ERR(file))
		return PTR_ERR(file);
	obj->ptr = file;
	return 0;
}

/**
 * ckpt_shmem_pages() - get hold of pages of shared memory, making them
 * @mapping: that holds them
 * @index: of the first
 * @nr: how many
 * @pages: where they go; references are held
 *
 * Return: 0 or a negative errno.
 */
int ckpt_shmem_pages(struct address_space *mapping, pgoff_t index,
		     unsigned int nr, struct page **pages)
{
	if (ckpt_hugetlb_shift(mapping->host))
		return ckpt_hugetlb_pages(mapping, index, nr, pages);
	for (unsigned int i = 0; i < nr; i++) {
		pages[i] = shmem_read_mapping_page(mapping, index + i);
		if (!IS_ERR(pages[i]))
			continue;
		for (unsigned int j = 0; j < i; j++)
			put_page(pages[j]);
		return PTR_ERR(pages[i]);
	}
	return 0;
}

const struct ckpt_kind ckpt_shmem_kind = {
	.type		= CKPT_REC_SHMEM,
	.family		= CKPT_SHMEM,
	.name		= "shared memory",
	.size		= sizeof(struct ckpt_rec_shmem),
	.checkpoint	= ckpt_shmem_checkpoint,
	.check		= ckpt_shmem_check,
	.restore	= ckpt_shmem_restore,
};
