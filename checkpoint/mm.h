/* SPDX-License-Identifier: GPL-2.0-only */
/* Address spaces, their mappings, and memory that is shared. */
#ifndef _CHECKPOINT_MM_H
#define _CHECKPOINT_MM_H

#include <linux/types.h>

struct address_space;
struct ckpt_ctx;
struct ckpt_memory;
struct ckpt_part;
struct ckpt_rec_mm;
struct ckpt_record;
struct file;
struct inode;
struct mm_struct;
struct page;
struct rstr_ctx;
struct rstr_obj;
struct vm_area_struct;

/**
 * struct ckpt_vma - a mapping, as found while it could not change
 * @start: and the fields below: as in struct vm_area_struct
 * @file: what it maps, a reference held; or NULL
 * @shmem: @file has no name: it stands for anonymous shared memory
 * @dup: the duplicate of the address space will map @file, too
 * @object: reference to what it maps, 0 if nothing
 * @name: what it is called, a reference held; or NULL
 */
struct ckpt_vma {
	unsigned long	start;
	unsigned long	end;
	unsigned long	pgoff;
	unsigned long	flags;
	struct file	*file;
	bool		shmem;
	bool		dup;
	u32		object;
	struct anon_vma_name *name;
};

/**
 * struct ckpt_vmas - the mappings of an address space
 * @nr: how many of @vma are in use
 * @max: how many there are
 * @vma: by ascending address, vDSO and vvar left out
 */
struct ckpt_vmas {
	u32		nr;
	u32		max;
	struct ckpt_vma	*vma;
};

int ckpt_vmas_collect(struct ckpt_ctx *ctx, struct mm_struct *mm,
		      const struct ckpt_rec_mm *rec, struct ckpt_vmas *vmas);
int ckpt_vmas_save(struct ckpt_ctx *ctx, const struct ckpt_vmas *vmas);
void ckpt_vmas_release(struct ckpt_vmas *vmas);

int ckpt_vmas_check(struct rstr_ctx *ctx, struct rstr_obj *obj);
int ckpt_vmas_restore(struct rstr_ctx *ctx, struct rstr_obj *obj);
const struct ckpt_rec_vma *ckpt_vma_at(struct rstr_obj *obj, u64 addr);

int ckpt_vma_names_save(struct ckpt_ctx *ctx, const struct ckpt_vmas *vmas);
int ckpt_vma_names_check(struct rstr_ctx *ctx, struct rstr_obj *obj);
int ckpt_vma_names_restore(struct rstr_obj *obj);
extern const struct ckpt_part ckpt_vma_name_part;

/* Whether a run of pages lies in one mapping, or in the shared object. */
int ckpt_run_fits(struct rstr_ctx *ctx, struct rstr_obj *obj,
		  struct rstr_obj *owner, u64 start, u64 end);
/* Whether pages that are zero have to be there, or come by themselves. */
bool ckpt_zero_matters(struct rstr_obj *owner, u64 start);
/* An address space, or shared memory; as rstr_ref(). */
struct rstr_obj *rstr_ref_memory(struct rstr_ctx *ctx,
				 const struct ckpt_record *rec, __le32 ref);

/* What mmap(2) calls the file of anonymous shared memory. */
#define CKPT_SHMEM_NAME	"dev/zero"
bool ckpt_file_is_shmem(struct file *file);
bool ckpt_vma_is_shmem(struct ckpt_ctx *ctx, struct vm_area_struct *vma);
int ckpt_shmem_copy(struct ckpt_ctx *ctx, struct ckpt_memory *mem,
		    struct inode *inode);
void ckpt_shmem_ahead(struct ckpt_ctx *ctx, struct inode *inode);
void ckpt_shmem_ahead_release(struct ckpt_ctx *ctx);
int ckpt_shmem_pages(struct address_space *mapping, pgoff_t index,
		     unsigned int nr, struct page **pages);

/* Make @mm the one that current runs in; what it ran in before is returned. */
struct mm_struct *ckpt_mm_switch(struct mm_struct *mm);
void ckpt_mm_install(struct mm_struct *mm);
/* What may only be set once the credentials are. */
void ckpt_mm_finish(struct rstr_obj *obj);
int ckpt_mm_populate_locked(struct rstr_ctx *ctx);

/* Architecture: the vDSO. */
int ckpt_vdso_save(struct ckpt_ctx *ctx, struct mm_struct *mm,
		   struct ckpt_rec_mm *rec);
int ckpt_vdso_check(struct rstr_ctx *ctx, const struct ckpt_record *rec);
int ckpt_vdso_restore(const struct ckpt_rec_mm *rec);
bool ckpt_vdso_has(struct vm_area_struct *vma);
bool ckpt_vdso_is_in(const struct ckpt_rec_mm *rec, u64 start, u64 end);

/* In fs/aio.c. */
#ifdef CONFIG_AIO
bool ckpt_vma_is_aio_ring(const struct vm_area_struct *vma);
int ckpt_aio_drain_all(struct ckpt_ctx *ckpt, struct mm_struct *mm);
int ckpt_aio_save_all(struct ckpt_ctx *ckpt, struct mm_struct *mm);
int ckpt_aio_restore_all(struct rstr_ctx *ckpt, struct rstr_obj *obj);
extern const struct ckpt_part ckpt_aio_part;
#else
static inline bool ckpt_vma_is_aio_ring(const struct vm_area_struct *vma)
{
	return false;
}

static inline int ckpt_aio_drain_all(struct ckpt_ctx *ckpt,
				     struct mm_struct *mm)
{
	return 0;
}

static inline int ckpt_aio_save_all(struct ckpt_ctx *ckpt,
				    struct mm_struct *mm)
{
	return 0;
}

static inline int ckpt_aio_restore_all(struct rstr_ctx *ckpt,
				       struct rstr_obj *obj)
{
	return 0;
}
#endif

/* In sock_packet_ring.c. */
#ifdef CONFIG_PACKET
bool ckpt_vma_is_packet_ring(const struct vm_area_struct *vma);
#else
static inline bool ckpt_vma_is_packet_ring(const struct vm_area_struct *vma)
{
	return false;
}
#endif

/* In kernel/sched/membarrier.c. */
u32 ckpt_membarrier_save(struct mm_struct *mm);
bool ckpt_membarrier_known(u32 registrations);
int ckpt_membarrier_restore(u32 registrations);

#endif
