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
 * ckpt_file_is_shmem() - whether a file is of anonymous shared memory
 * @file: the file
 *
 * Return: true if it is. A memfd has another name, so to speak, and is none; nor is
 * a segment of System V.
 */
bool ckpt_file_is_shmem(struct file *file)
{
	return shmem_file(file) && IS_PRIVATE(file_inode(file)) &&
	       !strcmp((const char *)file->f_path.dentry->d_name.name,
		       CKPT_SHMEM_NAME);
}

/* Made by mmap(2): nobody has counted it as one who writes to the memory. */
static bool ckpt_shmem_is_original(const struct file *file)
{
	return (file->f_mode & (FMODE_WRITE | FMODE_WRITER)) == FMODE_WRITE;
}

/**
 * ckpt_vma_is_shmem() - whether a mapping has anonymous shared memory that is no
 *	more than that
 * @ctx: the checkpoint
 * @vma: the mapping, by all of whom the caller has stopped
 *
 * By way of /proc/PID/map_files the memory is opened as a file, which may be mapped
 * in any way. Then it is saved as a memfd is, and so are all that map it. Who but
 * looks at such a link has it open, too, for a moment: as it is saved first, so it
 * stays.
 *
 * Return: true if its file is the only one, and may stand for the memory.
 */
bool ckpt_vma_is_shmem(struct ckpt_ctx *ctx, struct vm_area_struct *vma)
{
	struct file *file = vma->vm_file;

	if (!file || !vma_is_anon_shmem(vma) || !ckpt_file_is_shmem(file) ||
	    !ckpt_shmem_is_original(file) ||
	    ckpt_is_known(ctx, file->f_path.dentry))
		return false;
	return ckpt_is_known(ctx, file) || d_count(file->f_path.dentry) == 1;
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
	file = shmem_kernel_file_setup(CKPT_SHMEM_NAME, le64_to_cpu(rec->size),
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
