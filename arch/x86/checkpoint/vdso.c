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

/* Whether mappings cover all of it, and in one piece; mmap_lock is held. */
static bool ckpt_vdso_whole(struct mm_struct *mm,
			    const struct vdso_image *image)
{
	u64 vdso = ckpt_vdso_start(mm);
	struct vm_area_struct *code = vma_lookup(mm, vdso);
	struct vm_area_struct *vvar =
		vma_lookup(mm, vdso - ckpt_vvar_size(image));

	return code && code->vm_start == vdso &&
	       code->vm_end == vdso + image->size &&
	       vvar && vvar->vm_start == vdso - ckpt_vvar_size(image) &&
	       vvar->vm_end == vdso && (vvar->vm_flags & VM_PFNMAP);
}

int ckpt_vdso_save(struct ckpt_ctx *ctx, struct mm_struct *mm,
		   struct ckpt_rec_mm *rec)
{
	const struct vdso_image *image = ckpt_vdso_image_of(rec);
	bool whole;

	if (!mm->context.vdso)
		return 0;
	if (mm->context.vdso_image != image)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "vDSO of an x32 task: not supported");
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	whole = ckpt_vdso_whole(mm, image);
	mmap_read_unlock(mm);
	if (!whole)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "vDSO unmapped or moved in part: not supported");
	rec->vdso = cpu_to_le64(ckpt_vdso_start(mm));
	rec->vdso_size = cpu_to_le32(image->size);
	rec->vvar_size = cpu_to_le32(ckpt_vvar_size(image));
	return 0;
}

int ckpt_vdso_check(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	const struct ckpt_rec_mm *mm = rstr_payload(rec);
	const struct vdso_image *image = ckpt_vdso_image_of(mm);
	bool ia32 = mm->what & cpu_to_le32(CKPT_MM_VDSO_IA32);
	u8 id[CKPT_BUILD_ID_LEN];
	u64 start = le64_to_cpu(mm->vdso);

	if (!start)
		return mm->vdso_size || mm->vvar_size ?
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
