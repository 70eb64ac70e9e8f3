// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contexts of asynchronous I/O, as io_setup(2) makes them: each is known by the
 * address of its ring, which is memory of the process that the kernel writes
 * events to. Built as part of fs/aio.c, which alone knows what one is made of.
 *
 * What is under way is waited for, as it would go on to change memory and files
 * while they are captured; and all is captured anew then.
 */
#ifdef CONFIG_CHECKPOINT
#include "../checkpoint/checkpoint.h"
#include "../checkpoint/limits.h"
#include "../checkpoint/mm.h"
#include "../checkpoint/restart.h"

/* As it is made; mlockall(2) passes it by. */
#define CKPT_AIO_VM_FLAGS	(VM_READ | VM_WRITE | VM_SHARED | VM_MAYREAD | \
				 VM_MAYWRITE | VM_MAYSHARE | VM_DONTEXPAND)

/* One of the contexts of an address space, a reference held; or NULL. */
static struct kioctx *ckpt_aio_get(struct mm_struct *mm, u32 id)
{
	struct kioctx_table *table;
	struct kioctx *ctx;

	guard(rcu)();
	table = rcu_dereference(mm->ioctx_table);
	if (!table || id >= table->nr)
		return NULL;
	ctx = rcu_dereference(table->table[id]);
	return ctx && percpu_ref_tryget_live(&ctx->users) ? ctx : NULL;
}

static u32 ckpt_aio_count(struct mm_struct *mm)
{
	struct kioctx_table *table;

	guard(rcu)();
	table = rcu_dereference(mm->ioctx_table);
	return table ? table->nr : 0;
}

static bool ckpt_aio_has_ring(struct kioctx *ctx,
			      const struct vm_area_struct *vma)
{
	return ctx->aio_ring_file == vma->vm_file &&
	       ctx->mmap_base == vma->vm_start &&
	       ctx->mmap_size == vma->vm_end - vma->vm_start;
}

/**
 * ckpt_vma_is_aio_ring() - whether a mapping is the ring of a context
 * @vma: the mapping
 *
 * Return: true if it is one as io_setup(2) made it, of a context that its address
 * space has; so that it is made again with that.
 */
bool ckpt_vma_is_aio_ring(const struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;
	struct kioctx *ctx;
	bool found = false;

	if (vma->vm_ops != &aio_ring_vm_ops || vma->vm_pgoff ||
	    (vma->vm_flags & ~VM_SOFTDIRTY) != CKPT_AIO_VM_FLAGS)
		return false;
	for (u32 i = 0; i < ckpt_aio_count(mm) && !found; i++) {
		ctx = ckpt_aio_get(mm, i);
		if (!ctx)
			continue;
		found = ckpt_aio_has_ring(ctx, vma);
		percpu_ref_put(&ctx->users);
	}
	return found;
}

/* All places in the ring are free, or are taken by events. */
static bool ckpt_aio_is_idle(struct kioctx *ctx)
{
	unsigned int nr = atomic_read(&ctx->reqs_available);
	int cpu;

	for_each_possible_cpu(cpu)
		nr += READ_ONCE(per_cpu_ptr(ctx->cpu, cpu)->reqs_available);
	return nr + READ_ONCE(ctx->completed_events) == ctx->nr_events - 1;
}

static int ckpt_aio_drain(struct ckpt_ctx *ckpt, struct kioctx *ctx)
{
	unsigned long end = jiffies + CKPT_AIO_TIMEOUT;

	if (ckpt_aio_is_idle(ctx))
		return 0;
	while (!ckpt_aio_is_idle(ctx)) {
		if (time_after(jiffies, end))
			return ckpt_refuse(&ckpt->log, -EBUSY,
					   "asynchronous I/O (io_submit(2)) does not come to an end");
		if (schedule_timeout_killable(1))
			return -EINTR;
	}
	return -EAGAIN;
}

/**
 * ckpt_aio_drain_all() - wait for what is under way in an address space
 * @ckpt: the checkpoint
 * @mm: the address space; those that run in it are at rest
 *
 * Return: 0; -EAGAIN if there was something, and there is no more; -EBUSY; -EINTR.
 */
int ckpt_aio_drain_all(struct ckpt_ctx *ckpt, struct mm_struct *mm)
{
	struct kioctx *ctx;
	int err = 0;

	for (u32 i = 0; i < ckpt_aio_count(mm) && !err; i++) {
		ctx = ckpt_aio_get(mm, i);
		if (!ctx)
			continue;
		err = ckpt_aio_drain(ckpt, ctx);
		percpu_ref_put(&ctx->users);
	}
	return err;
}

/* The event at an index of the ring. */
static struct io_event *ckpt_aio_event(struct kioctx *ctx, u32 index)
{
	u32 pos = index + AIO_EVENTS_OFFSET;
	struct io_event *page;

	page = folio_address(ctx->ring_folios[pos / AIO_EVENTS_PER_PAGE]);
	return page + pos % AIO_EVENTS_PER_PAGE;
}

static void ckpt_aio_events_save(struct kioctx *ctx, struct ckpt_rec_aio *rec,
				 u32 head, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		struct io_event *event;

		event = ckpt_aio_event(ctx, (head + i) % ctx->nr_events);
		rec->event[i].data = cpu_to_le64(event->data);
		rec->event[i].obj = cpu_to_le64(event->obj);
		rec->event[i].res = cpu_to_le64(event->res);
		rec->event[i].res2 = cpu_to_le64(event->res2);
	}
}

static bool ckpt_aio_is_mapped(struct mm_struct *mm, struct kioctx *ctx)
{
	struct vm_area_struct *vma;
	bool mapped;

	mmap_read_lock(mm);
	vma = vma_lookup(mm, ctx->mmap_base);
	mapped = vma && ckpt_vma_is_aio_ring(vma);
	mmap_read_unlock(mm);
	return mapped;
}

static int ckpt_aio_save(struct ckpt_ctx *ckpt, struct mm_struct *mm,
			 struct kioctx *ctx)
{
	struct aio_ring *ring = folio_address(ctx->ring_folios[0]);
	/* The task may have written anything there. */
	u32 head = READ_ONCE(ring->head) % ctx->nr_events;
	u32 nr = (ctx->tail + ctx->nr_events - head) % ctx->nr_events;
	struct ckpt_rec_aio *rec;

	if (!ckpt_aio_is_mapped(mm, ctx))
		return ckpt_refuse(&ckpt->log, -EOPNOTSUPP,
				   "asynchronous I/O whose ring at %lx was unmapped or changed: not supported",
				   ctx->mmap_base);
	rec = ckpt_part_add(ckpt, CKPT_REC_AIO, struct_size(rec, event, nr));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->addr = cpu_to_le64(ctx->mmap_base);
	rec->size = cpu_to_le32(ctx->mmap_size);
	rec->max_reqs = cpu_to_le32(ctx->max_reqs);
	rec->head = cpu_to_le32(head);
	rec->nr_events = cpu_to_le32(nr);
	ckpt_aio_events_save(ctx, rec, head, nr);
	return 0;
}

/**
 * ckpt_aio_save_all() - write the contexts of an address space, as parts of it
 * @ckpt: the checkpoint
 * @mm: the address space
 *
 * Return: 0 or a negative errno.
 */
int ckpt_aio_save_all(struct ckpt_ctx *ckpt, struct mm_struct *mm)
{
	struct kioctx *ctx;
	int err = 0;

	for (u32 i = 0; i < ckpt_aio_count(mm) && !err; i++) {
		ctx = ckpt_aio_get(mm, i);
		if (!ctx)
			continue;
		err = ckpt_aio_save(ckpt, mm, ctx);
		percpu_ref_put(&ctx->users);
	}
	return err;
}

/* How many events there is room for in a ring, as aio_setup_ring() has it. */
static u32 ckpt_aio_room(const struct ckpt_rec_aio *rec)
{
	return (le32_to_cpu(rec->size) - sizeof(struct aio_ring)) /
	       sizeof(struct io_event);
}

static int ckpt_aio_check(struct rstr_ctx *ckpt, const struct ckpt_record *rec)
{
	const struct ckpt_rec_aio *p = rstr_payload(rec);
	u32 size = le32_to_cpu(p->size), nr = le32_to_cpu(p->nr_events);
	u64 addr = le64_to_cpu(p->addr);

	if (!size || !PAGE_ALIGNED(size) || size > CKPT_AIO_RING_MAX ||
	    !addr || !PAGE_ALIGNED(addr) || addr > TASK_SIZE_MAX - size)
		return rstr_bad(ckpt, rec, "at %#llx, of %u bytes", addr, size);
	if (nr >= ckpt_aio_room(p) ||
	    le32_to_cpu(p->head) >= ckpt_aio_room(p) ||
	    rstr_size(rec) != struct_size(p, event, nr))
		return rstr_bad(ckpt, rec, "%u events from %u on of %u", nr,
				le32_to_cpu(p->head), ckpt_aio_room(p));
	return 0;
}

/*
 * A ring is mapped where there is room from the top of the address space down:
 * have that begin where this one ended.
 */
static struct kioctx *ckpt_aio_make(const struct ckpt_rec_aio *rec)
{
	struct mm_struct *mm = current->mm;
	bool topdown = test_bit(MMF_TOPDOWN, &mm->flags);
	unsigned long base = mm->mmap_base;
	struct kioctx *ctx;

	set_bit(MMF_TOPDOWN, &mm->flags);
	mm->mmap_base = le64_to_cpu(rec->addr) + le32_to_cpu(rec->size);
	ctx = ioctx_alloc(le32_to_cpu(rec->max_reqs));
	mm->mmap_base = base;
	if (!topdown)
		clear_bit(MMF_TOPDOWN, &mm->flags);
	return ctx;
}

static void ckpt_aio_events_restore(struct kioctx *ctx,
				    const struct ckpt_rec_aio *rec)
{
	struct aio_ring *ring = folio_address(ctx->ring_folios[0]);
	u32 head = le32_to_cpu(rec->head), nr = le32_to_cpu(rec->nr_events);

	for (u32 i = 0; i < nr; i++) {
		struct io_event *event;

		event = ckpt_aio_event(ctx, (head + i) % ctx->nr_events);
		event->data = le64_to_cpu(rec->event[i].data);
		event->obj = le64_to_cpu(rec->event[i].obj);
		event->res = le64_to_cpu(rec->event[i].res);
		event->res2 = le64_to_cpu(rec->event[i].res2);
	}
	ctx->tail = (head + nr) % ctx->nr_events;
	ctx->completed_events = nr;
	atomic_sub(nr, &ctx->reqs_available);
	ring->head = head;
	ring->tail = ctx->tail;
}

static int ckpt_aio_restore(struct rstr_ctx *ckpt,
			    const struct ckpt_rec_aio *rec)
{
	struct kioctx *ctx = ckpt_aio_make(rec);
	int err = 0;

	if (IS_ERR(ctx))
		return ckpt_refuse(&ckpt->log, PTR_ERR(ctx),
				   "asynchronous I/O of %u requests can't be had (fs.aio-max-nr): %pe",
				   le32_to_cpu(rec->max_reqs), ctx);
	/* How large one is depends on the number of CPUs. */
	if (ctx->mmap_size != le32_to_cpu(rec->size))
		err = ckpt_refuse(&ckpt->log, -EOPNOTSUPP,
				  "asynchronous I/O of %u requests has a ring of %lu bytes here, and not of %u",
				  le32_to_cpu(rec->max_reqs), ctx->mmap_size,
				  le32_to_cpu(rec->size));
	else if (ctx->mmap_base != le64_to_cpu(rec->addr))
		err = ckpt_refuse(&ckpt->log, -EBADMSG,
				  "image: ring of asynchronous I/O at %#llx, where there is no room",
				  le64_to_cpu(rec->addr));
	else
		ckpt_aio_events_restore(ctx, rec);
	/* As io_setup(2) does. If this fails, all goes with the address space. */
	percpu_ref_put(&ctx->users);
	return err;
}

/**
 * ckpt_aio_restore_all() - make the contexts of the current address space
 * @ckpt: the restart
 * @obj: the address space, all mappings of which are there
 *
 * Return: 0 or a negative errno.
 */
int ckpt_aio_restore_all(struct rstr_ctx *ckpt, struct rstr_obj *obj)
{
	const struct ckpt_record *rec;
	int err;

	rstr_for_each_part(rec, obj, CKPT_REC_AIO) {
		err = ckpt_aio_restore(ckpt, rstr_payload(rec));
		if (err)
			return err;
	}
	return 0;
}

const struct ckpt_part ckpt_aio_part = {
	.type		= CKPT_REC_AIO,
	.name		= "asynchronous I/O",
	.size		= sizeof(struct ckpt_rec_aio),
	.open_ended	= true,
	.max		= CKPT_AIO_MAX,
	.check		= ckpt_aio_check,
};
#endif /* CONFIG_CHECKPOINT */
