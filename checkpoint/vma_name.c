// SPDX-License-Identifier: GPL-2.0-only
/* Names of anonymous mappings, as prctl(PR_SET_VMA_ANON_NAME) gives them. */
#include <linux/ctype.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/string.h>

#include "checkpoint.h"
#include "limits.h"
#include "mm.h"
#include "restart.h"

/* As prctl(2) has it, the NUL included. */
#define CKPT_VMA_NAME_MAX	80

static int ckpt_vma_name_save(struct ckpt_ctx *ctx, const struct ckpt_vma *vma)
{
	size_t len = strlen(vma->name->name) + 1;
	struct ckpt_rec_vma_name *rec;

	rec = ckpt_part_add(ctx, CKPT_REC_VMA_NAME, sizeof(*rec) + len);
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->start = cpu_to_le64(vma->start);
	memcpy(rec->name, vma->name->name, len);
	return 0;
}

/**
 * ckpt_vma_names_save() - write the names of mappings as parts of the last object
 * @ctx: the checkpoint
 * @vmas: the mappings
 *
 * Return: 0 or a negative errno.
 */
int ckpt_vma_names_save(struct ckpt_ctx *ctx, const struct ckpt_vmas *vmas)
{
	int err = 0;

	for (u32 i = 0; i < vmas->nr && !err; i++)
		if (vmas->vma[i].name)
			err = ckpt_vma_name_save(ctx, &vmas->vma[i]);
	return err;
}

/* What prctl(2) would take. */
static bool ckpt_vma_name_is_valid(const struct ckpt_record *rec)
{
	const struct ckpt_rec_vma_name *name = rstr_payload(rec);
	const size_t len = rstr_size(rec) - sizeof(*name);
	const char *text = (const char *)name->name;

	if (!len || len > CKPT_VMA_NAME_MAX || strnlen(text, len) != len - 1)
		return false;
	for (size_t i = 0; i < len - 1; i++)
		if (!isprint(text[i]) || strchr("\\`$[]", text[i]))
			return false;
	return true;
}

/**
 * ckpt_vma_names_check() - check the names of the mappings of an address space
 * @ctx: the restart
 * @obj: the address space, whose mappings have been checked
 *
 * Return: 0, -EBADMSG; -EOPNOTSUPP where mappings have no names.
 */
int ckpt_vma_names_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_vma_name *name;
	const struct ckpt_rec_vma *vma;
	const struct ckpt_record *rec;
	u64 last = 0;

	rstr_for_each_part(rec, obj, CKPT_REC_VMA_NAME) {
		name = rstr_payload(rec);
		vma = ckpt_vma_at(obj, le64_to_cpu(name->start));
		if (!vma || vma->start != name->start ||
		    (last && le64_to_cpu(name->start) <= last))
			return rstr_bad(ctx, rec, "names no mapping at %llx",
					le64_to_cpu(name->start));
		if (vma->object &&
		    !(le64_to_cpu(vma->flags) & CKPT_VMA_ANON_SHARED))
			return rstr_bad(ctx, rec, "names a mapping of a file");
		if (!ckpt_vma_name_is_valid(rec))
			return rstr_bad(ctx, rec, "name");
		if (!IS_ENABLED(CONFIG_ANON_VMA_NAME))
			return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
					   "mapping at %llx: names of mappings: not supported",
					   le64_to_cpu(name->start));
		last = le64_to_cpu(name->start);
	}
	return 0;
}

#ifdef CONFIG_ANON_VMA_NAME
/* As they have been made no two are merged, whatever their names. */
static int ckpt_vma_name_restore(const struct ckpt_rec_vma_name *rec)
{
	struct anon_vma_name *name;
	struct vm_area_struct *vma;

	name = anon_vma_name_alloc((const char *)rec->name);
	if (!name)
		return -ENOMEM;
	if (mmap_write_lock_killable(current->mm)) {
		anon_vma_name_put(name);
		return -EINTR;
	}
	vma = vma_lookup(current->mm, le64_to_cpu(rec->start));
	if (vma && !vma->anon_name)
		swap(vma->anon_name, name);
	mmap_write_unlock(current->mm);
	anon_vma_name_put(name);
	return 0;
}
#else
static int ckpt_vma_name_restore(const struct ckpt_rec_vma_name *rec)
{
	return -EOPNOTSUPP;
}
#endif

/**
 * ckpt_vma_names_restore() - give mappings their names
 * @obj: the address space, which is the current one and has all mappings
 *
 * Return: 0, -ENOMEM or -EINTR.
 */
int ckpt_vma_names_restore(struct rstr_obj *obj)
{
	const struct ckpt_record *rec;
	int err;

	rstr_for_each_part(rec, obj, CKPT_REC_VMA_NAME) {
		err = ckpt_vma_name_restore(rstr_payload(rec));
		if (err)
			return err;
	}
	return 0;
}

const struct ckpt_part ckpt_vma_name_part = {
	.type		= CKPT_REC_VMA_NAME,
	.name		= "name of a mapping",
	.size		= sizeof(struct ckpt_rec_vma_name),
	.open_ended	= true,
	.max		= CKPT_VMAS_MAX,
};
