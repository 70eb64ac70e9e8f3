// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vDSO: mapped anew where it was. Programs keep addresses of its functions,
 * so that it has to be the very same; its build ID, in the image's header, tells.
 */
#include <linux/buildid.h>
#include <linux/checkpoint.h>
#include <linux/elf.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <asm/vdso.h>

#include "../../../checkpoint/checkpoint.h"
#include "../../../checkpoint/mm.h"
#include "../../../checkpoint/restart.h"
#include "vdso.h"

static const struct vdso_image *ckpt_vdso_image(bool ia32)
{
#ifdef CONFIG_IA32_EMULATION
	if (ia32)
		return &vdso_image_32;
#endif
	return &vdso_image_64;
}

static const struct vdso_image *
ckpt_vdso_image_of(const struct ckpt_rec_mm *rec)
{
	return ckpt_vdso_image(rec->what & cpu_to_le32(CKPT_MM_VDSO_IA32));
}

static u32 ckpt_vvar_size(const struct vdso_image *image)
{
	return -image->sym_vvar_start;
}

static u64 ckpt_vdso_start(struct mm_struct *mm)
{
	return (unsigned long)mm->context.vdso;
}

/**
 * ckpt_vdso_has() - whether a mapping is of a vDSO, or of what that reads
 * @vma: the mapping
 *
 * Return: true if it is.
 */
bool ckpt_vdso_has(struct vm_area_struct *vma)
{
	const char *name = NULL;

	if (vma->vm_ops && vma->vm_ops->name)
		name = vma->vm_ops->name(vma);
	return name && (!strcmp(name, "[vdso]") || !strcmp(name, "[vvar]"));
}

/* Of each there is one mapping, which can't be split; mmap_lock is held. */
static bool ckpt_vdso_maps(struct mm_struct *mm, u64 start, u64 end)
{
	struct vm_area_struct *vma = vma_lookup(mm, start);

	return vma && ckpt_vdso_has(vma) && vma->vm_start == start &&
	       vma->vm_end == end;
}

/* What is elsewhere now is refused as the mapping that it is. */
int ckpt_vdso_save(struct ckpt_ctx *ctx, struct mm_struct *mm,
		   struct ckpt_rec_mm *rec)
{
	const struct vdso_image *image = ckpt_vdso_image_of(rec);
	u64 start = ckpt_vdso_start(mm);

	if (!start)
		return 0;
	if (mm->context.vdso_image != image)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "vDSO of an x32 task: not supported");
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	if (!ckpt_vdso_maps(mm, start - ckpt_vvar_size(image), start))
		rec->what |= cpu_to_le32(CKPT_MM_NO_VVAR);
	if (!ckpt_vdso_maps(mm, start, start + image->size))
		rec->what |= cpu_to_le32(CKPT_MM_NO_VDSO);
	mmap_read_unlock(mm);
	rec->vdso = cpu_to_le64(start);
	rec->vdso_size = cpu_to_le32(image->size);
	rec->vvar_size = cpu_to_le32(ckpt_vvar_size(image));
	return 0;
}

/**
 * ckpt_vdso_is_in() - whether the vDSO is where something else is to be mapped
 * @rec: of the address space, checked
 * @start: from where
 * @end: up to where
 *
 * Return: true if it is, or what it reads.
 */
bool ckpt_vdso_is_in(const struct ckpt_rec_mm *rec, u64 start, u64 end)
{
	u64 vdso = le64_to_cpu(rec->vdso), from = vdso, to = vdso;
	u32 what = le32_to_cpu(rec->what);

	if (!(what & CKPT_MM_NO_VVAR))
		from -= le32_to_cpu(rec->vvar_size);
	if (!(what & CKPT_MM_NO_VDSO))
		to += le32_to_cpu(rec->vdso_size);
	return vdso && start < to && end > from;
}

int ckpt_vdso_check(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	const struct ckpt_rec_mm *mm = rstr_payload(rec);
	const struct vdso_image *image = ckpt_vdso_image_of(mm);
	bool ia32 = mm->what & cpu_to_le32(CKPT_MM_VDSO_IA32);
	u8 id[CKPT_BUILD_ID_LEN];
	u64 start = le64_to_cpu(mm->vdso);

	if (!start)
		return mm->vdso_size || mm->vvar_size ||
		       mm->what & cpu_to_le32(CKPT_MM_NO_VVAR | CKPT_MM_NO_VDSO) ?
		       rstr_bad(ctx, rec, "a size and no vDSO") : 0;
	ckpt_vdso_build_id(id, ia32);
	if (memcmp(id, ia32 ? ctx->header->vdso32_build_id :
			      ctx->header->vdso_build_id, sizeof(id)))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "image: the %svDSO of this kernel is another one",
				   ia32 ? "32-bit " : "");
	if (le32_to_cpu(mm->vdso_size) != image->size ||
	    le32_to_cpu(mm->vvar_size) != ckpt_vvar_size(image) ||
	    !PAGE_ALIGNED(start) || start < ckpt_vvar_size(image) ||
	    start + image->size > TASK_SIZE_MAX)
		return rstr_bad(ctx, rec, "vDSO at %#llx", start);
	return 0;
}

/* In the new address space, which is empty. */
int ckpt_vdso_restore(const struct ckpt_rec_mm *rec)
{
	const struct vdso_image *image = ckpt_vdso_image_of(rec);
	u64 start = le64_to_cpu(rec->vdso);
	int err;

	if (!start)
		return 0;
	err = map_vdso_once(image, start - ckpt_vvar_size(image));
	if (!err && ckpt_vdso_start(current->mm) != start)
		err = -EFAULT;
	if (!err && rec->what & cpu_to_le32(CKPT_MM_NO_VVAR))
		err = vm_munmap(start - ckpt_vvar_size(image),
				ckpt_vvar_size(image));
	if (!err && rec->what & cpu_to_le32(CKPT_MM_NO_VDSO))
		err = vm_munmap(start, image->size);
	return err;
}

static bool ckpt_note_id(const struct vdso_image *image, u64 offset, u64 size,
			 u8 *id)
{
	return !build_id_parse_buf(image->data + offset, id, size);
}

static void ckpt_vdso_id_64(const struct vdso_image *image, u8 *id)
{
	const Elf64_Ehdr *ehdr = image->data;
	const Elf64_Phdr *phdr = image->data + ehdr->e_phoff;

	for (int i = 0; i < ehdr->e_phnum; i++)
		if (phdr[i].p_type == PT_NOTE &&
		    ckpt_note_id(image, phdr[i].p_offset, phdr[i].p_filesz, id))
			return;
}

static void ckpt_vdso_id_32(const struct vdso_image *image, u8 *id)
{
	const Elf32_Ehdr *ehdr = image->data;
	const Elf32_Phdr *phdr = image->data + ehdr->e_phoff;

	for (int i = 0; i < ehdr->e_phnum; i++)
		if (phdr[i].p_type == PT_NOTE &&
		    ckpt_note_id(image, phdr[i].p_offset, phdr[i].p_filesz, id))
			return;
}

/* The build ID is in a note, as in any shared object. */
void ckpt_vdso_build_id(u8 *id, bool ia32)
{
	memset(id, 0, CKPT_BUILD_ID_LEN);
	if (!ia32)
		ckpt_vdso_id_64(ckpt_vdso_image(false), id);
	else if (IS_ENABLED(CONFIG_IA32_EMULATION))
		ckpt_vdso_id_32(ckpt_vdso_image(true), id);
}
