// SPDX-License-Identifier: GPL-2.0-only
/* Mappings: which there are, and mapping them again where they were. */
#include <linux/fs.h>
#include <linux/file.h>
#include <linux/hugetlb.h>
#include <linux/ksm.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mman.h>
#include <linux/net.h>
#include <linux/pkeys.h>
#include <linux/sched/mm.h>
#include <linux/security.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/userfaultfd_k.h>
#include <linux/checkpoint_mm.h>

#include "checkpoint.h"
#include "file.h"
#include "limits.h"
#include "mm.h"
#include "restart.h"

/* Every flag that a mapping may have, and its name in the image. */
static const struct {
	vm_flags_t	kernel;
	u64		image;
} ckpt_vma_flags[] = {
	{ VM_READ,		CKPT_VMA_READ },
	{ VM_WRITE,		CKPT_VMA_WRITE },
	{ VM_EXEC,		CKPT_VMA_EXEC },
	{ VM_SHARED,		CKPT_VMA_SHARED },
	{ VM_MAYREAD,		CKPT_VMA_MAYREAD },
	{ VM_MAYWRITE,		CKPT_VMA_MAYWRITE },
	{ VM_MAYEXEC,		CKPT_VMA_MAYEXEC },
	{ VM_MAYSHARE,		CKPT_VMA_MAYSHARE },
	{ VM_GROWSDOWN,		CKPT_VMA_GROWSDOWN },
	{ VM_LOCKED,		CKPT_VMA_LOCKED },
	{ VM_LOCKONFAULT,	CKPT_VMA_LOCKONFAULT },
	{ VM_SEQ_READ,		CKPT_VMA_SEQ_READ },
	{ VM_RAND_READ,		CKPT_VMA_RAND_READ },
	{ VM_DONTCOPY,		CKPT_VMA_DONTCOPY },
	{ VM_DONTEXPAND,	CKPT_VMA_DONTEXPAND },
	{ VM_ACCOUNT,		CKPT_VMA_ACCOUNT },
	{ VM_NORESERVE,		CKPT_VMA_NORESERVE },
	{ VM_WIPEONFORK,	CKPT_VMA_WIPEONFORK },
	{ VM_DONTDUMP,		CKPT_VMA_DONTDUMP },
	{ VM_SOFTDIRTY,		CKPT_VMA_SOFTDIRTY },
	{ VM_HUGEPAGE,		CKPT_VMA_HUGEPAGE },
	{ VM_NOHUGEPAGE,	CKPT_VMA_NOHUGEPAGE },
	{ VM_MERGEABLE,		CKPT_VMA_MERGEABLE },
	{ VM_DROPPABLE,		CKPT_VMA_DROPPABLE },
	{ VM_SEALED,		CKPT_VMA_SEALED },
};

#define CKPT_VM_PKEY	(VM_PKEY_BIT0 | VM_PKEY_BIT1 | VM_PKEY_BIT2 | \
			 VM_PKEY_BIT3)

/* What a mapping is given after it was made, as madvise(2) and mprotect(2) do;
 * all else is up to mmap(2), as the file and the flags ask.
 */
#define CKPT_VM_SETTABLE						\
	(VM_READ | VM_WRITE | VM_EXEC | VM_LOCKONFAULT | VM_SEQ_READ |	\
	 VM_RAND_READ | VM_DONTCOPY | VM_DONTEXPAND | VM_WIPEONFORK |	\
	 VM_DONTDUMP | VM_SOFTDIRTY | VM_HUGEPAGE | VM_NOHUGEPAGE |	\
	 VM_MERGEABLE | VM_SEALED | CKPT_VM_PKEY)

static u64 ckpt_vma_flags_save(vm_flags_t flags)
{
	u64 image = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ckpt_vma_flags); i++)
		if (flags & ckpt_vma_flags[i].kernel)
			image |= ckpt_vma_flags[i].image;
	return image;
}

static vm_flags_t ckpt_vma_flags_restore(u64 image, u32 pkey)
{
	vm_flags_t flags = (vm_flags_t)pkey << VM_PKEY_SHIFT;

	for (size_t i = 0; i < ARRAY_SIZE(ckpt_vma_flags); i++)
		if (image & ckpt_vma_flags[i].image)
			flags |= ckpt_vma_flags[i].kernel;
	return flags;
}

static vm_flags_t ckpt_vma_flags_known(void)
{
	return ckpt_vma_flags_restore(CKPT_VMA_KNOWN, 0) | CKPT_VM_PKEY;
}

/* Capture. */

static int ckpt_vma_refuse(struct ckpt_ctx *ctx, struct vm_area_struct *vma,
			   const char *what)
{
	return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
			   "mapping %lx-%lx: %s: not supported",
			   vma->vm_start, vma->vm_end, what);
}

static bool ckpt_vma_is_of_socket(const struct vm_area_struct *vma)
{
	return vma->vm_file && sock_from_file(vma->vm_file);
}

static int ckpt_vma_supported(struct ckpt_ctx *ctx, struct vm_area_struct *vma)
{
	vm_flags_t flags = vma->vm_flags;

	/* Nothing can be read into it but by who might write to it. */
	if (is_vm_hugetlb_page(vma) && vma->anon_vma && !(flags & VM_WRITE))
		return ckpt_vma_refuse(ctx, vma,
				       "private hugetlb pages, not to be written to");
	/* Which its socket has all of, so that nothing of it is duplicated. */
	if (ckpt_vma_is_packet_ring(vma))
		flags &= ~VM_MIXEDMAP;
	if (flags & (VM_PFNMAP | VM_IO | VM_MIXEDMAP))
		return ckpt_vma_refuse(ctx, vma, ckpt_vma_is_of_socket(vma) ?
				       "memory of a socket, in part or changed" :
				       "memory of a device");
	if (userfaultfd_armed(vma))
		return ckpt_vma_refuse(ctx, vma, "userfaultfd");
	if (VM_SHADOW_STACK && (flags & VM_SHADOW_STACK))
		return ckpt_vma_refuse(ctx, vma, "shadow stack");
	if (flags & VM_SYNC)
		return ckpt_vma_refuse(ctx, vma, "MAP_SYNC");
	/* The file says whether its pages are huge. */
	flags &= ~(ckpt_vma_flags_known() | VM_HUGETLB);
	if (flags)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "mapping %lx-%lx: flags %#lx: not supported",
				   vma->vm_start, vma->vm_end, flags);
	if (!vma->vm_file && !vma_is_anonymous(vma) && !ckpt_vma_is_imap(vma))
		return ckpt_vma_refuse(ctx, vma, "special mapping");
	return 0;
}

static bool ckpt_vma_is_vdso(struct vm_area_struct *vma,
			     const struct ckpt_rec_mm *rec)
{
	u64 vdso = le64_to_cpu(rec->vdso);

	return vdso && ckpt_vdso_has(vma) &&
	       vma->vm_start >= vdso - le32_to_cpu(rec->vvar_size) &&
	       vma->vm_end <= vdso + le32_to_cpu(rec->vdso_size);
}

static void ckpt_vmas_add(struct ckpt_ctx *ctx, struct ckpt_vmas *vmas,
			  struct vm_area_struct *vma)
{
	struct ckpt_vma *new = &vmas->vma[vmas->nr++];

	*new = (struct ckpt_vma){
		.start	= vma->vm_start,
		.end	= vma->vm_end,
		.pgoff	= vma->vm_pgoff,
		.flags	= vma->vm_flags,
		.shmem	= ckpt_vma_is_shmem(ctx, vma),
		.dup	= vma->anon_vma && !is_vm_hugetlb_page(vma),
	};
	if (vma->vm_file)
		new->file = get_file(vma->vm_file);
	new->name = anon_vma_name(vma);
	anon_vma_name_get(new->name);
}

static int ckpt_vmas_walk(struct ckpt_ctx *ctx, struct mm_struct *mm,
			  const struct ckpt_rec_mm *rec, struct ckpt_vmas *vmas)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;
	int err;

	for_each_vma(vmi, vma) {
		if (ckpt_vma_is_vdso(vma, rec) || ckpt_vma_is_aio_ring(vma))
			continue;
		err = ckpt_vma_supported(ctx, vma);
		if (err)
			return err;
		if (vmas->nr == vmas->max)
			return -EAGAIN;
		ckpt_vmas_add(ctx, vmas, vma);
	}
	return 0;
}

static int ckpt_vmas_objects(struct ckpt_ctx *ctx, struct ckpt_vmas *vmas)
{
	int err;

	for (u32 i = 0; i < vmas->nr; i++) {
		struct ckpt_vma *vma = &vmas->vma[i];

		if (!vma->file)
			continue;
		ckpt_log_detail(&ctx->log, "mapping %lx-%lx", vma->start,
				vma->end);
		if (vma->shmem)
			err = ckpt_save(ctx, CKPT_SHMEM, vma->file,
					&vma->object);
		else
			err = ckpt_save(ctx, CKPT_FILE, vma->file,
					&vma->object);
		/* That is a use of the file, and none from outside. */
		if (!err && vma->dup)
			err = ckpt_save(ctx, CKPT_FILE, vma->file,
					&vma->object);
		if (err)
			return err;
	}
	ckpt_log_detail(&ctx->log, "%s", "");
	return 0;
}

/**
 * ckpt_vmas_collect() - list the mappings of an address space, and save what
 *	they map
 * @ctx: the checkpoint
 * @mm: the address space
 * @rec: where its vDSO is
 * @vmas: empty; to be released whatever is returned
 *
 * Files are saved with no lock held, since that looks up paths.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_vmas_collect(struct ckpt_ctx *ctx, struct mm_struct *mm,
		      const struct ckpt_rec_mm *rec, struct ckpt_vmas *vmas)
{
	int err;

	vmas->max = READ_ONCE(mm->map_count);
	vmas->vma = kvcalloc(vmas->max, sizeof(*vmas->vma),
			     GFP_KERNEL_ACCOUNT);
	if (!vmas->vma)
		return -ENOMEM;
	err = mmap_read_lock_killable(mm);
	if (err)
		return err;
	err = ckpt_vmas_walk(ctx, mm, rec, vmas);
	mmap_read_unlock(mm);
	if (err)
		return err;
	return ckpt_vmas_objects(ctx, vmas);
}

static int ckpt_vma_save(struct ckpt_ctx *ctx, const struct ckpt_vma *vma)
{
	struct ckpt_rec_vma *rec;

	rec = ckpt_part_add(ctx, CKPT_REC_VMA, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->start = cpu_to_le64(vma->start);
	rec->end = cpu_to_le64(vma->end);
	rec->pgoff = cpu_to_le64(vma->pgoff);
	rec->flags = cpu_to_le64(ckpt_vma_flags_save(vma->flags) |
				 (vma->shmem ? CKPT_VMA_ANON_SHARED : 0));
	rec->object = cpu_to_le32(vma->object);
	rec->pkey = cpu_to_le32((vma->flags & CKPT_VM_PKEY) >> VM_PKEY_SHIFT);
	return 0;
}

/**
 * ckpt_vmas_save() - write all mappings as parts of the last object
 * @ctx: the checkpoint
 * @vmas: the mappings
 *
 * Return: 0 or a negative errno.
 */
int ckpt_vmas_save(struct ckpt_ctx *ctx, const struct ckpt_vmas *vmas)
{
	int err = 0;

	for (u32 i = 0; i < vmas->nr && !err; i++)
		err = ckpt_vma_save(ctx, &vmas->vma[i]);
	return err;
}

void ckpt_vmas_release(struct ckpt_vmas *vmas)
{
	for (u32 i = 0; i < vmas->nr; i++) {
		if (vmas->vma[i].file)
			fput(vmas->vma[i].file);
		anon_vma_name_put(vmas->vma[i].name);
	}
	kvfree(vmas->vma);
}

/* Restart. */

static int ckpt_vma_check_flags(struct rstr_ctx *ctx,
				const struct ckpt_record *rec)
{
	const struct ckpt_rec_vma *vma = rstr_payload(rec);
	u64 flags = le64_to_cpu(vma->flags);

	if (flags & ~CKPT_VMA_KNOWN)
		return rstr_bad(ctx, rec, "flags %#llx",
				flags & ~CKPT_VMA_KNOWN);
	if ((flags & CKPT_VMA_SHARED) && !(flags & CKPT_VMA_MAYSHARE))
		return rstr_bad(ctx, rec, "shared and not shareable");
	if (!vma->object && (flags & (CKPT_VMA_MAYSHARE | CKPT_VMA_ANON_SHARED)))
		return rstr_bad(ctx, rec, "shared, but with nothing");
	if ((flags & CKPT_VMA_GROWSDOWN) &&
	    (vma->object || (flags & CKPT_VMA_DROPPABLE)))
		return rstr_bad(ctx, rec, "grows down and is not anonymous");
	if ((flags & CKPT_VMA_DROPPABLE) && vma->object)
		return rstr_bad(ctx, rec, "droppable and not anonymous");
	if ((flags & CKPT_VMA_WIPEONFORK) && vma->object)
		return rstr_bad(ctx, rec, "wiped on fork and not anonymous");
	if ((flags & CKPT_VMA_LOCKONFAULT) && !(flags & CKPT_VMA_LOCKED))
		return rstr_bad(ctx, rec, "locked on fault and not locked");
	if ((flags & CKPT_VMA_ANON_SHARED) && !(flags & CKPT_VMA_MAYSHARE))
		return rstr_bad(ctx, rec, "shared memory, mapped private");
	if (le32_to_cpu(vma->pkey) >= arch_max_pkey())
		return rstr_bad(ctx, rec, "protection key %u",
				le32_to_cpu(vma->pkey));
	return 0;
}

static int ckpt_vma_check_range(struct rstr_ctx *ctx,
				const struct ckpt_record *rec,
				const struct ckpt_rec_mm *mm, u64 *last)
{
	const struct ckpt_rec_vma *vma = rstr_payload(rec);
	u64 start = le64_to_cpu(vma->start), end = le64_to_cpu(vma->end);

	if (!PAGE_ALIGNED(start) || !PAGE_ALIGNED(end) || start >= end ||
	    end > TASK_SIZE_MAX)
		return rstr_bad(ctx, rec, "from %#llx to %#llx", start, end);
	if (start < *last)
		return rstr_bad(ctx, rec, "at %#llx, behind one that ends at %#llx",
				start, *last);
	if (ckpt_vdso_is_in(mm, start, end))
		return rstr_bad(ctx, rec, "at %#llx, over the vDSO", start);
	if (le64_to_cpu(vma->pgoff) + ((end - start) >> PAGE_SHIFT) >
	    (u64)LLONG_MAX >> PAGE_SHIFT)
		return rstr_bad(ctx, rec, "page offset %#llx",
				le64_to_cpu(vma->pgoff));
	*last = end;
	return 0;
}

static int ckpt_vma_check_object(struct rstr_ctx *ctx,
				 const struct ckpt_record *rec)
{
	const struct ckpt_rec_vma *vma = rstr_payload(rec);
	enum ckpt_family family = CKPT_FILE;
	struct rstr_obj *obj;

	if (!vma->object)
		return 0;
	if (le64_to_cpu(vma->flags) & CKPT_VMA_ANON_SHARED)
		family = CKPT_SHMEM;
	obj = rstr_ref(ctx, rec, vma->object, family);
	if (!obj)
		return -EBADMSG;
	if (family == CKPT_SHMEM && obj->kind != &ckpt_shmem_kind)
		return rstr_bad(ctx, rec, "of %s, which is to be attached",
				obj->kind->name);
	return 0;
}

/**
 * ckpt_vmas_check() - check all mappings of an address space
 * @ctx: the restart
 * @obj: the address space
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_vmas_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_mm *mm = rstr_payload(obj->rec);
	const struct ckpt_record *rec;
	u64 last = 0;
	u32 nr = 0;
	int err;

	rstr_for_each_part(rec, obj, CKPT_REC_VMA) {
		nr++;
		err = ckpt_vma_check_range(ctx, rec, mm, &last);
		if (!err)
			err = ckpt_vma_check_flags(ctx, rec);
		if (!err)
			err = ckpt_vma_check_object(ctx, rec);
		if (err)
			return err;
	}
	if (nr != le32_to_cpu(mm->nr_vmas))
		return rstr_bad(ctx, obj->rec, "%u mappings, not %u", nr,
				le32_to_cpu(mm->nr_vmas));
	return 0;
}

/**
 * ckpt_vma_at() - the mapping at an address
 * @obj: the address space, whose mappings have been checked
 * @addr: the address
 *
 * The first parts of an address space are its mappings, and of one size, so that
 * it is found by bisection.
 *
 * Return: the mapping, or NULL.
 */
const struct ckpt_rec_vma *ckpt_vma_at(struct rstr_obj *obj, u64 addr)
{
	const struct ckpt_rec_mm *mm = rstr_payload(obj->rec);
	const struct ckpt_record *first = rstr_part_first(obj, CKPT_REC_VMA);
	const size_t step = sizeof(*first) + sizeof(struct ckpt_rec_vma);
	u32 low = 0, high = le32_to_cpu(mm->nr_vmas);

	while (low < high) {
		u32 mid = low + (high - low) / 2;
		const struct ckpt_rec_vma *vma =
			rstr_payload((const void *)first + mid * step);

		if (addr < le64_to_cpu(vma->start))
			high = mid;
		else if (addr >= le64_to_cpu(vma->end))
			low = mid + 1;
		else
			return vma;
	}
	return NULL;
}

static u64 ckpt_shared_size(struct rstr_obj *owner)
{
	const struct ckpt_rec_shmem *rec = rstr_payload(owner->rec);

	const struct ckpt_rec_shm *shm = rstr_payload(owner->rec);
	u64 size = le64_to_cpu(rec->size);

	/* All kinds of it have their size in front. */
	static_assert(!offsetof(struct ckpt_rec_shmem, size) &&
		      !offsetof(struct ckpt_rec_shm, size) &&
		      !offsetof(struct ckpt_rec_memfd, size) &&
		      !offsetof(struct ckpt_rec_deleted, size));
	if (owner->rec->type == cpu_to_le32(CKPT_REC_SHM))
		size = ALIGN(size, BIT_ULL(le32_to_cpu(shm->page_shift)));
	return size;
}

static int ckpt_run_fits_shared(struct rstr_ctx *ctx, struct rstr_obj *obj,
				struct rstr_obj *owner, u64 end)
{
	u64 size = ckpt_shared_size(owner);

	if (end > PAGE_ALIGN(size))
		return rstr_bad(ctx, obj->rec,
				"run up to %#llx in object %u of %llu bytes",
				end, owner->ref, size);
	return 0;
}

/**
 * ckpt_run_fits() - check that a run lies where there is memory for it
 * @ctx: the restart
 * @obj: the page map
 * @owner: the memory object
 * @start: of the run, in bytes
 * @end: behind it
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_run_fits(struct rstr_ctx *ctx, struct rstr_obj *obj,
		  struct rstr_obj *owner, u64 start, u64 end)
{
	const struct ckpt_rec_vma *vma;

	if (owner->kind->family != CKPT_MM)
		return ckpt_run_fits_shared(ctx, obj, owner, end);
	vma = ckpt_vma_at(owner, start);
	if (!vma || end > le64_to_cpu(vma->end))
		return rstr_bad(ctx, obj->rec,
				"run from %#llx to %#llx outside of mappings",
				start, end);
	if (le64_to_cpu(vma->flags) & CKPT_VMA_MAYSHARE)
		return rstr_bad(ctx, obj->rec,
				"run at %#llx in a shared mapping", start);
	return 0;
}

/**
 * ckpt_zero_matters() - whether pages that are zero have to be made
 * @owner: the memory object
 * @start: address of the run that they are in
 *
 * Return: true where a file would show through, and where mlock(2) promised that
 * no write has to wait for a page.
 */
bool ckpt_zero_matters(struct rstr_obj *owner, u64 start)
{
	const struct ckpt_rec_vma *vma;

	if (owner->kind->family != CKPT_MM)
		return false;
	vma = ckpt_vma_at(owner, start);
	return vma->object || (le64_to_cpu(vma->flags) & CKPT_VMA_LOCKED);
}

static struct file *ckpt_vma_file(struct rstr_ctx *ctx,
				  const struct ckpt_rec_vma *vma)
{
	if (!vma->object)
		return NULL;
	return rstr_get(ctx, rstr_obj(ctx, vma->object));
}

static unsigned long ckpt_vma_prot(u64 flags)
{
	unsigned long prot = 0;

	if (flags & CKPT_VMA_READ)
		prot |= PROT_READ;
	if (flags & CKPT_VMA_WRITE)
		prot |= PROT_WRITE;
	if (flags & CKPT_VMA_EXEC)
		prot |= PROT_EXEC;
	/* It was writable once, and what was accounted then still is. */
	if ((flags & CKPT_VMA_ACCOUNT) && !(flags & CKPT_VMA_MAYSHARE))
		prot |= PROT_WRITE;
	return prot;
}

static unsigned long ckpt_vma_map_flags(const struct ckpt_rec_vma *vma)
{
	u64 flags = le64_to_cpu(vma->flags);
	unsigned long map = MAP_FIXED;

	if (flags & CKPT_VMA_MAYSHARE)
		map |= MAP_SHARED;
	else if (flags & CKPT_VMA_DROPPABLE)
		map |= MAP_DROPPABLE;
	else
		map |= MAP_PRIVATE;
	if (!vma->object)
		map |= MAP_ANONYMOUS;
	if (flags & CKPT_VMA_GROWSDOWN)
		map |= MAP_GROWSDOWN;
	if (flags & CKPT_VMA_NORESERVE)
		map |= MAP_NORESERVE;
	if (flags & CKPT_VMA_LOCKED)
		map |= MAP_LOCKED;
	return map;
}

/*
 * Give a mapping the flags that it had. It may be the equal of its neighbour
 * then, and still is not merged with it, as it had not been.
 */
static void ckpt_vma_set_flags(struct vm_area_struct *vma, vm_flags_t want)
{
	vm_flags_t flags = (vma->vm_flags & ~CKPT_VM_SETTABLE) |
			   (want & CKPT_VM_SETTABLE);
	struct mm_struct *mm = vma->vm_mm;

	vma_start_write(vma);
	vm_stat_account(mm, vma->vm_flags, -vma_pages(vma));
	vm_stat_account(mm, flags, vma_pages(vma));
	vm_flags_reset(vma, flags);
	vma_set_page_prot(vma);
}

/* madvise(2) MADV_MERGEABLE makes the whole address space known to KSM. */
static int ckpt_vma_set_mergeable(struct vm_area_struct *vma, vm_flags_t want)
{
	vm_flags_t flags = vma->vm_flags & ~VM_MERGEABLE;

	if (!(want & VM_MERGEABLE))
		return 0;
	return ksm_madvise(vma, vma->vm_start, vma->vm_end, MADV_MERGEABLE,
			   &flags);
}

static int ckpt_vma_map(struct file *file, const struct ckpt_rec_vma *vma,
			vm_flags_t marker)
{
	unsigned long start = le64_to_cpu(vma->start), addr, populate;
	unsigned long len = le64_to_cpu(vma->end) - start;
	vm_flags_t want = ckpt_vma_flags_restore(le64_to_cpu(vma->flags),
						 le32_to_cpu(vma->pkey));
	struct vm_area_struct *new;
	LIST_HEAD(uf);
	int err;

	if (mmap_write_lock_killable(current->mm))
		return -EINTR;
	addr = do_mmap(file, start, len, ckpt_vma_prot(le64_to_cpu(vma->flags)),
		       ckpt_vma_map_flags(vma), marker,
		       file ? le64_to_cpu(vma->pgoff) : 0, &populate, &uf);
	if (IS_ERR_VALUE(addr)) {
		err = addr;
		goto out;
	}
	new = vma_lookup(current->mm, addr);
	if (addr != start || !new || new->vm_start != start ||
	    new->vm_end != start + len) {
		err = -EFAULT;
		goto out;
	}
	ckpt_vma_set_flags(new, want);
	err = ckpt_vma_set_mergeable(new, want);
out:
	mmap_write_unlock(current->mm);
	return err;
}

static int ckpt_vma_restore(struct rstr_ctx *ctx, const struct ckpt_record *rec,
			    vm_flags_t marker)
{
	const struct ckpt_rec_vma *vma = rstr_payload(rec);
	u64 flags = le64_to_cpu(vma->flags);
	struct file *file;
	int err;

	file = ckpt_vma_file(ctx, vma);
	if (IS_ERR(file))
		return PTR_ERR(file);
	err = security_mmap_file(file, ckpt_vma_prot(flags),
				 ckpt_vma_map_flags(vma));
	if (!err)
		err = ckpt_vma_map(file, vma, marker);
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "mapping %llx-%llx can't be made: %pe",
				   le64_to_cpu(vma->start),
				   le64_to_cpu(vma->end), ERR_PTR(err));
	return 0;
}

/**
 * ckpt_vmas_restore() - make all mappings, in the current address space
 * @ctx: the restart
 * @obj: the address space; current->mm is the new, empty one
 *
 * Each is made with VM_DONTCOPY the opposite of what its neighbour below has in
 * the end, so that the two are not merged; then gets the flags that it had.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_vmas_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_vma *vma;
	const struct ckpt_record *rec;
	vm_flags_t marker = 0;
	int err;

	rstr_for_each_part(rec, obj, CKPT_REC_VMA) {
		err = ckpt_vma_restore(ctx, rec, marker);
		if (err)
			return err;
		vma = rstr_payload(rec);
		marker = le64_to_cpu(vma->flags) & CKPT_VMA_DONTCOPY ?
			 0 : VM_DONTCOPY;
		cond_resched();
	}
	return 0;
}

static int ckpt_vma_populate(struct mm_struct *mm,
			     const struct ckpt_rec_vma *vma)
{
	unsigned long addr = le64_to_cpu(vma->start);
	unsigned long end = le64_to_cpu(vma->end);
	u64 flags = le64_to_cpu(vma->flags);
	unsigned int gup = FOLL_FORCE;
	int locked;
	long ret;

	/* As mlock(2) does: break copy-on-write where writing is allowed. */
	if ((flags & (CKPT_VMA_WRITE | CKPT_VMA_SHARED)) == CKPT_VMA_WRITE)
		gup |= FOLL_WRITE;
	while (addr < end) {
		if (mmap_read_lock_killable(mm))
			return -EINTR;
		locked = 1;
		ret = get_user_pages_remote(mm, addr, (end - addr) >> PAGE_SHIFT,
					    gup, NULL, &locked);
		if (locked)
			mmap_read_unlock(mm);
		if (ret <= 0)
			return ret ?: -EFAULT;
		addr += ret << PAGE_SHIFT;
	}
	return 0;
}

/**
 * ckpt_mm_populate_locked() - bring in what mlock(2) had kept in memory
 * @ctx: the restart, whose pages have been read
 *
 * As with mlockall(2) by MCL_FUTURE, what can't be had is no error.
 *
 * Return: 0 or -EINTR.
 */
int ckpt_mm_populate_locked(struct rstr_ctx *ctx)
{
	const struct ckpt_rec_vma *vma;
	const struct ckpt_record *rec;

	for (u32 i = 0; i < ctx->nr_objs; i++) {
		struct rstr_obj *obj = &ctx->objs[i];

		if (obj->kind != &ckpt_mm_kind)
			continue;
		rstr_for_each_part(rec, obj, CKPT_REC_VMA) {
			vma = rstr_payload(rec);
			if ((le64_to_cpu(vma->flags) &
			     (CKPT_VMA_LOCKED | CKPT_VMA_LOCKONFAULT)) ==
			    CKPT_VMA_LOCKED &&
			    ckpt_vma_populate(obj->ptr, vma) == -EINTR)
				return -EINTR;
		}
	}
	return 0;
}
