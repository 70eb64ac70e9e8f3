// SPDX-License-Identifier: GPL-2.0-only
/* Address spaces. */
#include <linux/binfmts.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ksm.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mmu_context.h>
#include <linux/pkeys.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "arch.h"
#include "base.h"
#include "checkpoint.h"
#include "file.h"
#include "limits.h"
#include "mm.h"
#include "pages.h"
#include "restart.h"

static const struct {
	int	bit;
	u32	what;
} ckpt_mm_flags[] = {
	{ MMF_DISABLE_THP,		CKPT_MM_DISABLE_THP },
	{ MMF_HAS_MDWE,			CKPT_MM_MDWE },
	{ MMF_HAS_MDWE_NO_INHERIT,	CKPT_MM_MDWE_NO_INHERIT },
	{ MMF_TOPDOWN,			CKPT_MM_TOPDOWN },
	{ MMF_VM_MERGE_ANY,		CKPT_MM_MERGE_ANY },
};

static u32 ckpt_mm_flags_save(unsigned long flags)
{
	u32 what = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ckpt_mm_flags); i++)
		if (flags & BIT(ckpt_mm_flags[i].bit))
			what |= ckpt_mm_flags[i].what;
	return what;
}

static void ckpt_mm_flags_restore(struct mm_struct *mm, u32 what)
{
	for (size_t i = 0; i < ARRAY_SIZE(ckpt_mm_flags); i++) {
		if (what & ckpt_mm_flags[i].what)
			set_bit(ckpt_mm_flags[i].bit, &mm->flags);
		else
			clear_bit(ckpt_mm_flags[i].bit, &mm->flags);
	}
}

/* Fields that are plain addresses, in the image and in the kernel. */
#define CKPT_MM_ADDR(field) \
	{ offsetof(struct ckpt_rec_mm, field), offsetof(struct mm_struct, field) }
static const struct {
	size_t	image;
	size_t	kernel;
} ckpt_mm_addrs[] = {
	CKPT_MM_ADDR(start_code),
	CKPT_MM_ADDR(end_code),
	CKPT_MM_ADDR(start_data),
	CKPT_MM_ADDR(end_data),
	CKPT_MM_ADDR(start_brk),
	CKPT_MM_ADDR(brk),
	CKPT_MM_ADDR(start_stack),
	CKPT_MM_ADDR(arg_start),
	CKPT_MM_ADDR(arg_end),
	CKPT_MM_ADDR(env_start),
	CKPT_MM_ADDR(env_end),
	CKPT_MM_ADDR(mmap_base),
	CKPT_MM_ADDR(mmap_legacy_base),
#ifdef CONFIG_HAVE_ARCH_COMPAT_MMAP_BASES
	CKPT_MM_ADDR(mmap_compat_base),
	CKPT_MM_ADDR(mmap_compat_legacy_base),
#endif
	CKPT_MM_ADDR(task_size),
};

static void ckpt_mm_addrs_save(const struct mm_struct *mm,
			       struct ckpt_rec_mm *rec)
{
	for (size_t i = 0; i < ARRAY_SIZE(ckpt_mm_addrs); i++)
		*(__le64 *)((void *)rec + ckpt_mm_addrs[i].image) =
			cpu_to_le64(*(const unsigned long *)
				    ((const void *)mm +
				     ckpt_mm_addrs[i].kernel));
}

static void ckpt_mm_addrs_restore(struct mm_struct *mm,
				  const struct ckpt_rec_mm *rec)
{
	for (size_t i = 0; i < ARRAY_SIZE(ckpt_mm_addrs); i++)
		*(unsigned long *)((void *)mm + ckpt_mm_addrs[i].kernel) =
			le64_to_cpu(*(const __le64 *)
				    ((const void *)rec +
				     ckpt_mm_addrs[i].image));
}

static bool ckpt_mm_addrs_valid(const struct ckpt_rec_mm *rec)
{
	for (size_t i = 0; i < ARRAY_SIZE(ckpt_mm_addrs); i++)
		if (le64_to_cpu(*(const __le64 *)
				((const void *)rec + ckpt_mm_addrs[i].image)) >
		    TASK_SIZE_MAX)
			return false;
	return le64_to_cpu(rec->start_code) <= le64_to_cpu(rec->end_code) &&
	       le64_to_cpu(rec->start_data) <= le64_to_cpu(rec->end_data) &&
	       le64_to_cpu(rec->start_brk) <= le64_to_cpu(rec->brk) &&
	       le64_to_cpu(rec->arg_start) <= le64_to_cpu(rec->arg_end) &&
	       le64_to_cpu(rec->env_start) <= le64_to_cpu(rec->env_end) &&
	       PAGE_ALIGNED(le64_to_cpu(rec->mmap_base)) &&
	       PAGE_ALIGNED(le64_to_cpu(rec->task_size));
}

static void ckpt_auxv_save(const struct mm_struct *mm, struct ckpt_rec_mm *rec)
{
	u32 nr = 0;

	BUILD_BUG_ON(ARRAY_SIZE(rec->auxv) < AT_VECTOR_SIZE);
	do {
		rec->auxv[nr] = cpu_to_le64(mm->saved_auxv[nr]);
		rec->auxv[nr + 1] = cpu_to_le64(mm->saved_auxv[nr + 1]);
		nr += 2;
	} while (nr < AT_VECTOR_SIZE && mm->saved_auxv[nr - 2] != AT_NULL);
	rec->nr_auxv = cpu_to_le32(nr);
}

static void ckpt_pkeys_save(struct mm_struct *mm, struct ckpt_rec_mm *rec)
{
	rec->exec_pkey = cpu_to_le16(-1);
#ifdef CONFIG_X86_INTEL_MEMORY_PROTECTION_KEYS
	rec->pkeys = cpu_to_le16(mm->context.pkey_allocation_map);
	rec->exec_pkey = cpu_to_le16(mm->context.execute_only_pkey);
#endif
}

static void ckpt_pkeys_restore(struct mm_struct *mm,
			       const struct ckpt_rec_mm *rec)
{
#ifdef CONFIG_X86_INTEL_MEMORY_PROTECTION_KEYS
	if (!arch_pkeys_enabled())
		return;
	mm->context.pkey_allocation_map = le16_to_cpu(rec->pkeys);
	mm->context.execute_only_pkey = le16_to_cpu(rec->exec_pkey);
#endif
}

static void ckpt_mm_fields_save(struct mm_struct *mm, struct ckpt_rec_mm *rec)
{
	unsigned long flags = READ_ONCE(mm->flags);

	ckpt_mm_addrs_save(mm, rec);
	rec->dumpable = cpu_to_le32(__get_dumpable(flags));
	rec->dump_filter = cpu_to_le32((flags & MMF_DUMP_FILTER_MASK) >>
				       MMF_DUMP_FILTER_SHIFT);
	rec->what = cpu_to_le32(ckpt_mm_flags_save(flags) |
				ckpt_arch_mm_save(mm));
	if (mm->def_flags & VM_LOCKED)
		rec->def_flags |= cpu_to_le64(CKPT_VMA_LOCKED);
	if (mm->def_flags & VM_LOCKONFAULT)
		rec->def_flags |= cpu_to_le64(CKPT_VMA_LOCKONFAULT);
	rec->membarrier = cpu_to_le32(ckpt_membarrier_save(mm));
	rec->hiwater_rss = cpu_to_le64(get_mm_hiwater_rss(mm));
	rec->hiwater_vm = cpu_to_le64(get_mm_hiwater_vm(mm));
	ckpt_pkeys_save(mm, rec);
	ckpt_auxv_save(mm, rec);
}

static int ckpt_mm_starts(struct ckpt_memory *mem, const struct ckpt_vmas *vmas)
{
	mem->starts = kvmalloc_array(vmas->nr, sizeof(*mem->starts),
				     GFP_KERNEL_ACCOUNT);
	if (!mem->starts && vmas->nr)
		return -ENOMEM;
	mem->nr_starts = vmas->nr;
	for (u32 i = 0; i < vmas->nr; i++)
		mem->starts[i] = vmas->vma[i].start;
	return 0;
}

/* What it was in the parent is made what it is now; else there is a new one. */
static struct mm_struct *ckpt_mm_duplicate(struct ckpt_ctx *ctx,
					   struct mm_struct *mm,
					   struct ckpt_memory *mem)
{
	struct mm_struct *dup;
	int err;

	mem->base = ckpt_base_use(ctx, mm);
	if (mem->base) {
		err = ckpt_base_renew(mem->base);
		return err ? ERR_PTR(err) : mem->base->dup;
	}
	dup = ckpt_ahead_use(ctx, mm);
	return dup ?: ckpt_mm_dup(mm);
}

/*
 * What is going to stay is the process's to pay for: pages are already, and here it
 * is page tables.
 */
static struct mm_struct *ckpt_mm_duplicate_charged(struct ckpt_ctx *ctx,
						   struct mm_struct *mm,
						   struct ckpt_memory *mem)
{
	struct mem_cgroup *memcg, *old;
	struct mm_struct *dup;

	if (!(ctx->flags & CHECKPOINT_TRACK))
		return ckpt_mm_duplicate(ctx, mm, mem);
	memcg = get_mem_cgroup_from_mm(mm);
	old = set_active_memcg(memcg);
	dup = ckpt_mm_duplicate(ctx, mm, mem);
	set_active_memcg(old);
	mem_cgroup_put(memcg);
	return dup;
}

/* The duplicate is taken last, so that no more than that can fail after it. */
static int ckpt_mm_memory(struct ckpt_ctx *ctx, struct mm_struct *mm,
			  const struct ckpt_vmas *vmas)
{
	struct ckpt_memory *mem = ckpt_memory_add(ctx);
	struct mm_struct *dup;

	if (!mem || ckpt_mm_starts(mem, vmas))
		return -ENOMEM;
	dup = ckpt_mm_duplicate_charged(ctx, mm, mem);
	if (IS_ERR(dup))
		return ckpt_refuse(&ctx->log, PTR_ERR(dup),
				   "its address space can't be duplicated: %pe",
				   dup);
	mem->mm = dup;
	if ((ctx->flags & CHECKPOINT_TRACK) && !mem->base) {
		mmgrab(mm);
		mem->src = mm;
	}
	return 0;
}

static int ckpt_mm_save(struct ckpt_ctx *ctx, struct mm_struct *mm,
			struct ckpt_rec_mm *rec, struct ckpt_vmas *vmas)
{
	struct ckpt_rec_mm *out;
	struct file *exe;
	u32 ref = 0;
	int err;

	exe = get_mm_exe_file(mm);
	if (exe) {
		ckpt_log_detail(&ctx->log, "exe");
		err = ckpt_save(ctx, CKPT_FILE, exe, &ref);
		fput(exe);
		if (err)
			return err;
		ckpt_log_detail(&ctx->log, "%s", "");
	}
	rec->exe = cpu_to_le32(ref);
	err = ckpt_vmas_collect(ctx, mm, rec, vmas);
	if (err)
		return err;
	rec->nr_vmas = cpu_to_le32(vmas->nr);
	out = ckpt_object_add(ctx, CKPT_REC_MM, mm, sizeof(*out));
	if (IS_ERR(out))
		return PTR_ERR(out);
	*out = *rec;
	err = ckpt_vmas_save(ctx, vmas);
	if (!err)
		err = ckpt_vma_names_save(ctx, vmas);
	return err ?: ckpt_aio_save_all(ctx, mm);
}

static int ckpt_mm_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct ckpt_rec_mm *rec __free(kfree) =
		kzalloc(sizeof(*rec), GFP_KERNEL_ACCOUNT);
	struct ckpt_vmas vmas = {};
	struct mm_struct *mm = obj;
	int err;

	if (!rec)
		return -ENOMEM;
	err = ckpt_aio_drain_all(ctx, mm);
	if (err)
		return err;
	ckpt_mm_fields_save(mm, rec);
	err = ckpt_vdso_save(ctx, mm, rec);
	if (err)
		return err;
	err = ckpt_mm_save(ctx, mm, rec, &vmas);
	if (!err)
		err = ckpt_mm_memory(ctx, mm, &vmas);
	ckpt_vmas_release(&vmas);
	return err;
}

static int ckpt_mm_check_rest(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_mm *rec = rstr_payload(obj->rec);
	u32 nr = le32_to_cpu(rec->nr_auxv);

	if (le32_to_cpu(rec->dumpable) > SUID_DUMP_ROOT)
		return rstr_bad(ctx, obj->rec, "dumpable %u",
				le32_to_cpu(rec->dumpable));
	if (le32_to_cpu(rec->dump_filter) >= BIT(MMF_DUMP_FILTER_BITS))
		return rstr_bad(ctx, obj->rec, "core dump filter %#x",
				le32_to_cpu(rec->dump_filter));
	if (le32_to_cpu(rec->what) & ~CKPT_MM_WHAT_KNOWN)
		return rstr_bad(ctx, obj->rec, "flags %#x",
				le32_to_cpu(rec->what));
	if (le64_to_cpu(rec->def_flags) &
	    ~(CKPT_VMA_LOCKED | CKPT_VMA_LOCKONFAULT))
		return rstr_bad(ctx, obj->rec, "default flags %#llx",
				le64_to_cpu(rec->def_flags));
	if (!ckpt_membarrier_known(le32_to_cpu(rec->membarrier)))
		return rstr_bad(ctx, obj->rec, "membarrier registrations %#x",
				le32_to_cpu(rec->membarrier));
	if (nr > AT_VECTOR_SIZE || nr < 2 || nr % 2 ||
	    le64_to_cpu(rec->auxv[nr - 2]) != AT_NULL)
		return rstr_bad(ctx, obj->rec, "auxiliary vector of %u", nr);
	if (le16_to_cpu(rec->pkeys) >= BIT(arch_max_pkey()) &&
	    arch_max_pkey() < 16)
		return rstr_bad(ctx, obj->rec, "protection keys %#x",
				le16_to_cpu(rec->pkeys));
	if ((s16)le16_to_cpu(rec->exec_pkey) >= arch_max_pkey() ||
	    (s16)le16_to_cpu(rec->exec_pkey) < -1)
		return rstr_bad(ctx, obj->rec, "protection key %d",
				(s16)le16_to_cpu(rec->exec_pkey));
	return 0;
}

static int ckpt_mm_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_mm *rec = rstr_payload(obj->rec);
	int err;

	if (!ckpt_mm_addrs_valid(rec))
		return rstr_bad(ctx, obj->rec, "addresses out of order or range");
	if (rec->exe && !rstr_ref(ctx, obj->rec, rec->exe, CKPT_FILE))
		return -EBADMSG;
	err = ckpt_mm_check_rest(ctx, obj);
	if (!err)
		err = ckpt_arch_mm_check(ctx, obj->rec);
	if (!err)
		err = ckpt_vdso_check(ctx, obj->rec);
	if (!err)
		err = ckpt_vmas_check(ctx, obj);
	return err ?: ckpt_vma_names_check(ctx, obj);
}

static int ckpt_mm_exe(struct rstr_ctx *ctx, struct mm_struct *mm,
		       const struct ckpt_rec_mm *rec)
{
	struct file *exe;
	int err;

	if (!rec->exe)
		return 0;
	exe = rstr_get(ctx, rstr_obj(ctx, rec->exe));
	if (IS_ERR(exe))
		return PTR_ERR(exe);
	err = ckpt_file_may_exec(exe);
	if (!err)
		err = set_mm_exe_file(mm, exe);
	if (err)
		return ckpt_refuse(&ctx->log, err, "%pD can't be /proc/PID/exe: %pe",
				   exe, ERR_PTR(err));
	return 0;
}

/*
 * Mappings are merged as they are marked, whatever PR_SET_MEMORY_MERGE would have
 * marked by itself: all there is to do is to make KSM know of the address space.
 */
static int ckpt_mm_merge(struct mm_struct *mm)
{
#ifdef CONFIG_KSM
	if (test_bit(MMF_VM_MERGE_ANY, &mm->flags) &&
	    !test_bit(MMF_VM_MERGEABLE, &mm->flags))
		return __ksm_enter(mm);
#endif
	return 0;
}

/* Nobody knows of the new address space yet, so that no lock is needed. */
static void ckpt_mm_fields_restore(struct mm_struct *mm,
				   const struct ckpt_rec_mm *rec)
{
	ckpt_mm_addrs_restore(mm, rec);
	ckpt_mm_flags_restore(mm, le32_to_cpu(rec->what));
	ckpt_arch_mm_restore(mm, le32_to_cpu(rec->what));
	mm->flags &= ~MMF_DUMP_FILTER_MASK;
	mm->flags |= (unsigned long)le32_to_cpu(rec->dump_filter) <<
		     MMF_DUMP_FILTER_SHIFT;
	if (rec->def_flags & cpu_to_le64(CKPT_VMA_LOCKED))
		mm->def_flags |= VM_LOCKED;
	if (rec->def_flags & cpu_to_le64(CKPT_VMA_LOCKONFAULT))
		mm->def_flags |= VM_LOCKONFAULT;
	mm->hiwater_rss = le64_to_cpu(rec->hiwater_rss);
	mm->hiwater_vm = le64_to_cpu(rec->hiwater_vm);
	ckpt_pkeys_restore(mm, rec);
	for (u32 i = 0; i < le32_to_cpu(rec->nr_auxv); i++)
		mm->saved_auxv[i] = le64_to_cpu(rec->auxv[i]);
}

/* In the new address space. */
static int ckpt_mm_build(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_mm *rec = rstr_payload(obj->rec);
	int err;

	current->mm->mmap_base = le64_to_cpu(rec->mmap_base);
	ckpt_mm_flags_restore(current->mm, le32_to_cpu(rec->what) &
					   CKPT_MM_TOPDOWN);
	err = ckpt_vdso_restore(rec);
	if (err)
		return ckpt_refuse(&ctx->log, err, "vDSO at %#llx: %pe",
				   le64_to_cpu(rec->vdso), ERR_PTR(err));
	err = ckpt_vmas_restore(ctx, obj);
	if (!err)
		err = ckpt_vma_names_restore(obj);
	if (!err)
		err = ckpt_aio_restore_all(ctx, obj);
	if (err)
		return err;
	ckpt_mm_fields_restore(current->mm, rec);
	err = ckpt_mm_merge(current->mm);
	if (err)
		return err;
	err = ckpt_membarrier_restore(le32_to_cpu(rec->membarrier));
	if (err)
		return err;
	return ckpt_mm_exe(ctx, current->mm, rec);
}

/*
 * Whoever runs in it and whoever makes it may be of different widths: it is made
 * with all of the address space at hand.
 */
static int ckpt_mm_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	struct mm_struct *mm, *old;
	u32 abi;
	int err;

	mm = mm_alloc();
	if (!mm)
		return -ENOMEM;
	abi = ckpt_arch_abi_suspend();
	mm->task_size = TASK_SIZE;
	lru_gen_add_mm(mm);
	old = ckpt_mm_switch(mm);
	err = ckpt_mm_build(ctx, obj);
	ckpt_mm_switch(old);
	ckpt_arch_abi_resume(abi);
	if (err) {
		mmput(mm);
		return err;
	}
	obj->ptr = mm;
	return 0;
}

/**
 * ckpt_mm_switch() - run in another address space
 * @mm: the address space, a reference to which becomes current->mm
 *
 * What exec_mmap() does, but that the old one is not given up. The caller has
 * no other thread that would notice.
 *
 * Return: the old one, along with the reference that current->mm was.
 */
struct mm_struct *ckpt_mm_switch(struct mm_struct *mm)
{
	struct mm_struct *old = current->mm, *active;

	sched_mm_cid_before_execve(current);
	task_lock(current);
	local_irq_disable();
	active = current->active_mm;
	current->active_mm = mm;
	current->mm = mm;
	if (!IS_ENABLED(CONFIG_ARCH_WANT_IRQS_OFF_ACTIVATE_MM))
		local_irq_enable();
	activate_mm(active, mm);
	if (IS_ENABLED(CONFIG_ARCH_WANT_IRQS_OFF_ACTIVATE_MM))
		local_irq_enable();
	task_unlock(current);
	lru_gen_use_mm(mm);
	sched_mm_cid_after_execve(current);
	return old;
}

/**
 * ckpt_mm_install() - give up the old address space for a new one, for good
 * @mm: the new one; a reference is taken
 */
void ckpt_mm_install(struct mm_struct *mm)
{
	struct mm_struct *old = current->mm;

	exec_mm_release(current, old);
	mmget(mm);
	ckpt_mm_switch(mm);
	ckpt_arch_mm_installed();
	setmax_mm_hiwater_rss(&current->signal->maxrss, old);
	mm_update_next_owner(old);
	mmput(old);
}

/**
 * ckpt_mm_finish() - set what taking up credentials has reset
 * @obj: the address space, which is the current one
 */
void ckpt_mm_finish(struct rstr_obj *obj)
{
	const struct ckpt_rec_mm *rec = rstr_payload(obj->rec);

	set_dumpable(current->mm, le32_to_cpu(rec->dumpable));
}

struct rstr_obj *rstr_ref_memory(struct rstr_ctx *ctx,
				 const struct ckpt_record *rec, __le32 ref)
{
	enum ckpt_family family = CKPT_MM;
	u32 nr = le32_to_cpu(ref);

	if (nr && nr <= ctx->nr_objs &&
	    (ctx->objs[nr - 1].kind->family == CKPT_SHMEM ||
	     ctx->objs[nr - 1].kind->family == CKPT_MEMFD ||
	     ctx->objs[nr - 1].kind->family == CKPT_DELETED))
		family = ctx->objs[nr - 1].kind->family;
	return rstr_ref(ctx, rec, ref, family);
}

static const struct ckpt_part ckpt_vma_part = {
	.type	= CKPT_REC_VMA,
	.name	= "mapping",
	.size	= sizeof(struct ckpt_rec_vma),
	.max	= CKPT_VMAS_MAX,
};

static const struct ckpt_part *const ckpt_mm_parts[] = {
	&ckpt_vma_part,
	&ckpt_vma_name_part,
#ifdef CONFIG_AIO
	&ckpt_aio_part,
#endif
	NULL
};

const struct ckpt_kind ckpt_mm_kind = {
	.type		= CKPT_REC_MM,
	.family		= CKPT_MM,
	.name		= "address space",
	.size		= sizeof(struct ckpt_rec_mm),
	.parts		= ckpt_mm_parts,
	.checkpoint	= ckpt_mm_checkpoint,
	.check		= ckpt_mm_check,
	.restore	= ckpt_mm_restore,
};
