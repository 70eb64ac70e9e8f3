// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading an image. Whatever it says is checked here, or by the check function
 * of the kind that it is about, before anything is done about it.
 */
#include <linux/bitops.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "frames.h"
#include "image.h"
#include "limits.h"
#include "restart.h"

static const char *rstr_type_name(u32 type)
{
	const struct ckpt_kind *kind = ckpt_kind_of_type(type);

	return kind ? kind->name : type == CKPT_REC_END ? "end" : "unknown";
}

/* What a record is, in words; of a part, what it is a part of as well. */
static const char *rstr_rec_name(struct rstr_ctx *ctx,
				 const struct ckpt_record *rec, u32 *owner)
{
	const struct ckpt_part *part;
	u32 ref = le32_to_cpu(rec->ref);

	*owner = 0;
	if (!(le32_to_cpu(rec->flags) & CKPT_RECORD_PART))
		return rstr_type_name(le32_to_cpu(rec->type));
	if (!ctx->objs || !ref || ref > ctx->nr_objs)
		return "part";
	part = ckpt_part_of_type(ctx->objs[ref - 1].kind,
				 le32_to_cpu(rec->type));
	*owner = ref;
	return part ? part->name : "unknown";
}

int rstr_bad(struct rstr_ctx *ctx, const struct ckpt_record *rec,
	     const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	const char *name;
	va_list args;
	u32 owner;

	name = rstr_rec_name(ctx, rec, &owner);
	va_start(args, fmt);
	vaf.va = &args;
	if (owner)
		ckpt_refuse(&ctx->log, 0, "image: %s of %s %u at byte %zu: %pV",
			    name, ctx->objs[owner - 1].kind->name, owner,
			    (const void *)rec - ctx->meta, &vaf);
	else
		ckpt_refuse(&ctx->log, 0, "image: %s at byte %zu: %pV", name,
			    (const void *)rec - ctx->meta, &vaf);
	va_end(args);
	return -EBADMSG;
}

struct rstr_obj *rstr_ref(struct rstr_ctx *ctx, const struct ckpt_record *rec,
			  __le32 ref, enum ckpt_family family)
{
	u32 nr = le32_to_cpu(ref);
	struct rstr_obj *obj;

	if (!nr || nr > ctx->nr_objs || ctx->objs[nr - 1].rec >= rec) {
		rstr_bad(ctx, rec, "refers to object %u, which is not there",
			 nr);
		return NULL;
	}
	obj = &ctx->objs[nr - 1];
	if (obj->kind->family == family)
		return obj;
	rstr_bad(ctx, rec, "refers to object %u, a %s, for a %s", nr,
		 obj->kind->name, ckpt_families[family].name);
	return NULL;
}

const struct ckpt_record *rstr_part_next(const struct rstr_obj *obj,
					 const struct ckpt_record *rec)
{
	__le32 type = rec->type;

	for (rec = ckpt_record_next(rec); rec < obj->end;
	     rec = ckpt_record_next(rec))
		if (rec->type == type)
			return rec;
	return NULL;
}

const struct ckpt_record *rstr_part_first(const struct rstr_obj *obj, u32 type)
{
	const struct ckpt_record *rec;

	for (rec = ckpt_record_next(obj->rec); rec < obj->end;
	     rec = ckpt_record_next(rec))
		if (le32_to_cpu(rec->type) == type)
			return rec;
	return NULL;
}

int rstr_path_check(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	const char *name = rstr_payload(rec);
	u32 size = rstr_size(rec);

	if (size > PATH_MAX || name[0] != '/' ||
	    strnlen(name, size) != size - 1)
		return rstr_bad(ctx, rec, "not a path");
	return 0;
}

int rstr_read(struct rstr_ctx *ctx, void *buf, size_t len, const char *what)
{
	loff_t *pos = ctx->file->f_mode & FMODE_STREAM ? NULL :
							 &ctx->file->f_pos;
	struct kvec kvec = { .iov_base = buf, .iov_len = len };
	struct iov_iter iter;
	ssize_t ret;

	iov_iter_kvec(&iter, ITER_DEST, &kvec, 1, len);
	while (iov_iter_count(&iter)) {
		if (signal_pending(current))
			return -EINTR;
		ret = vfs_iter_read(ctx->file, &iter, pos, 0);
		if (ret == -ERESTARTSYS)
			ret = -EINTR;
		if (ret < 0)
			return ckpt_refuse(&ctx->log, ret,
					   "image: can't be read: %pe",
					   ERR_PTR(ret));
		if (!ret)
			return ckpt_refuse(&ctx->log, -EBADMSG,
					   "image: cut, ends in the %s", what);
	}
	return 0;
}

/* The header. */

static int rstr_header_check(struct rstr_ctx *ctx,
			     const struct ckpt_image_header *hdr)
{
	struct ckpt_log *log = &ctx->log;

	if (le32_to_cpu(hdr->crc) !=
	    ckpt_crc(hdr, offsetof(typeof(*hdr), crc)))
		return ckpt_refuse(log, -EBADMSG,
				   "image: header: checksum mismatch");
	if (le32_to_cpu(hdr->version) != CKPT_IMAGE_VERSION)
		return ckpt_refuse(log, -EOPNOTSUPP,
				   "image: format version %u, known is %u",
				   le32_to_cpu(hdr->version),
				   CKPT_IMAGE_VERSION);
	if (le64_to_cpu(hdr->incompat) & CKPT_INCOMPAT_PARENT)
		return ckpt_refuse(log, -EOPNOTSUPP,
				   "image: is incremental and needs its parent %pUb, to which rstr --parent joins it",
				   hdr->parent);
	if (le64_to_cpu(hdr->incompat) & ~CKPT_INCOMPAT_KNOWN)
		return ckpt_refuse(log, -EOPNOTSUPP,
				   "image: features %#llx are not known",
				   le64_to_cpu(hdr->incompat) &
				   ~CKPT_INCOMPAT_KNOWN);
	if (le32_to_cpu(hdr->page_size) != PAGE_SIZE)
		return ckpt_refuse(log, -EOPNOTSUPP,
				   "image: pages of %u bytes, here they have %lu",
				   le32_to_cpu(hdr->page_size), PAGE_SIZE);
	return ckpt_machine_check(ctx, hdr);
}

static int rstr_header_check_layout(struct rstr_ctx *ctx,
				    const struct ckpt_image_header *hdr)
{
	u64 meta = le64_to_cpu(hdr->meta_size);

	if (hweight64(le64_to_cpu(hdr->incompat) & CKPT_INCOMPAT_EITHER) > 1)
		return ckpt_refuse(&ctx->log, -EBADMSG,
				   "image: header: features %#llx exclude each other",
				   le64_to_cpu(hdr->incompat));
	if (le32_to_cpu(hdr->size) != sizeof(*hdr) ||
	    memchr_inv(hdr->parent, 0, sizeof(hdr->parent)) ||
	    memchr_inv(hdr->reserved, 0, sizeof(hdr->reserved)) ||
	    strnlen(hdr->release, sizeof(hdr->release)) ==
	    sizeof(hdr->release) ||
	    meta > CKPT_META_MAX || meta % 8 ||
	    le64_to_cpu(hdr->pages_offset) !=
	    PAGE_ALIGN(sizeof(*hdr) + meta) ||
	    le64_to_cpu(hdr->nr_pages) > CKPT_PAGES_MAX)
		return ckpt_refuse(&ctx->log, -EBADMSG,
				   "image: header: sizes that can't be");
	return 0;
}

static int rstr_header_read(struct rstr_ctx *ctx, struct ckpt_image_header *hdr)
{
	int err;

	err = rstr_read(ctx, hdr, sizeof(hdr->magic), "first bytes");
	if (err)
		return err == -EBADMSG ? -ENOEXEC : err;
	if (memcmp(hdr->magic, CKPT_IMAGE_MAGIC, sizeof(hdr->magic)))
		return ckpt_refuse(&ctx->log, -ENOEXEC,
				   "this is not the image of a checkpoint");
	err = rstr_read(ctx, (void *)hdr + sizeof(hdr->magic),
			sizeof(*hdr) - sizeof(hdr->magic), "header");
	if (!err)
		err = rstr_header_check(ctx, hdr);
	if (!err)
		err = rstr_header_check_layout(ctx, hdr);
	return err;
}

/* The records, as bytes. */

/* Memory is taken as bytes come, not as they are announced. */
static int rstr_meta_grow(struct rstr_ctx *ctx, size_t have, size_t want)
{
	void *meta = kvmalloc(want, GFP_KERNEL_ACCOUNT);

	if (!meta)
		return -ENOMEM;
	if (have)
		memcpy(meta, ctx->meta, have);
	kvfree(ctx->meta);
	ctx->meta = meta;
	return 0;
}

static int rstr_meta_read(struct rstr_ctx *ctx,
			  const struct ckpt_image_header *hdr)
{
	size_t all = le64_to_cpu(hdr->pages_offset);
	size_t have = sizeof(*hdr);
	size_t want = min_t(size_t, all, CKPT_READ_CHUNK);
	int err;

	err = rstr_meta_grow(ctx, 0, want);
	if (err)
		return err;
	memcpy(ctx->meta, hdr, sizeof(*hdr));
	while (!err) {
		ctx->header = ctx->meta;
		err = rstr_read(ctx, ctx->meta + have, want - have, "metadata");
		if (err || want == all)
			break;
		have = want;
		want = min(all, have * 2);
		err = rstr_meta_grow(ctx, have, want);
	}
	return err;
}

static const void *rstr_meta_end(struct rstr_ctx *ctx)
{
	return ctx->meta + sizeof(*ctx->header) +
	       le64_to_cpu(ctx->header->meta_size);
}

static bool rstr_padding_is_zero(const struct ckpt_record *rec)
{
	const void *end = rstr_payload(rec) + rstr_size(rec);

	return !memchr_inv(end, 0, (void *)ckpt_record_next(rec) - end);
}

/* Whether there is a whole record at @rec, and undamaged. */
static int rstr_record_check(struct rstr_ctx *ctx,
			     const struct ckpt_record *rec)
{
	size_t left = rstr_meta_end(ctx) - (const void *)rec;

	if (left < sizeof(*rec) ||
	    left - sizeof(*rec) < ALIGN((u64)rstr_size(rec), 8) ||
	    rstr_size(rec) > CKPT_RECORD_MAX)
		return ckpt_refuse(&ctx->log, -EBADMSG,
				   "image: record at byte %zu: longer than what is left",
				   (const void *)rec - ctx->meta);
	if (le32_to_cpu(rec->crc) != ckpt_record_crc(rec))
		return rstr_bad(ctx, rec, "checksum mismatch");
	if (rec->reserved || le32_to_cpu(rec->flags) & ~CKPT_RECORD_PART)
		return rstr_bad(ctx, rec, "flags %#x", le32_to_cpu(rec->flags));
	if (!rstr_padding_is_zero(rec))
		return rstr_bad(ctx, rec, "padding that is not zero");
	return 0;
}

static int rstr_end_check(struct rstr_ctx *ctx, const struct ckpt_record *rec,
			  u64 nr_records)
{
	const struct ckpt_rec_end *end = rstr_payload(rec);
	const void *stop = rstr_meta_end(ctx);
	size_t pad;

	if (rstr_size(rec) != sizeof(*end) || rec->ref || rec->flags ||
	    end->reserved || ckpt_record_next(rec) != stop)
		return rstr_bad(ctx, rec, "not at the end");
	if (le64_to_cpu(end->nr_records) != nr_records)
		return rstr_bad(ctx, rec, "%llu records, not %llu", nr_records,
				le64_to_cpu(end->nr_records));
	if (le32_to_cpu(end->crc) !=
	    ckpt_crc(ctx->meta, (const void *)rec - ctx->meta))
		return rstr_bad(ctx, rec, "checksum of the metadata mismatch");
	pad = le64_to_cpu(ctx->header->pages_offset) - (stop - ctx->meta);
	if (pad && memchr_inv(stop, 0, pad))
		return rstr_bad(ctx, rec, "not followed by zeros");
	return 0;
}

/* Look at all records for the first time: what may be wrong with any of them,
 * and how many objects there are.
 */
static int rstr_records_scan(struct rstr_ctx *ctx, u32 *nr_objs)
{
	const struct ckpt_record *rec = ctx->meta + sizeof(*ctx->header);
	u64 nr = 0;
	int err;

	for (;; rec = ckpt_record_next(rec), nr++) {
		err = rstr_record_check(ctx, rec);
		if (err)
			return err;
		if (le32_to_cpu(rec->type) == CKPT_REC_END)
			return rstr_end_check(ctx, rec, nr);
		if (!(le32_to_cpu(rec->flags) & CKPT_RECORD_PART))
			++*nr_objs;
		else if (!*nr_objs)
			return rstr_bad(ctx, rec, "belongs to no object");
		if (le32_to_cpu(rec->ref) != *nr_objs)
			return rstr_bad(ctx, rec, "numbered %u, not %u",
					le32_to_cpu(rec->ref), *nr_objs);
		cond_resched();
	}
}

/* The records, as objects. */

static int rstr_size_check(struct rstr_ctx *ctx, const struct ckpt_record *rec,
			   u32 size, bool open_ended)
{
	if (open_ended ? rstr_size(rec) >= size : rstr_size(rec) == size)
		return 0;
	return rstr_bad(ctx, rec, "%u bytes", rstr_size(rec));
}

static int rstr_obj_add(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	struct rstr_obj *obj = &ctx->objs[ctx->nr_objs];
	const struct ckpt_kind *kind;

	kind = ckpt_kind_of_type(le32_to_cpu(rec->type));
	if (!kind)
		return rstr_bad(ctx, rec, "type %#x", le32_to_cpu(rec->type));
	*obj = (struct rstr_obj){
		.kind = kind,
		.rec = rec,
		.end = ckpt_record_next(rec),
		.ref = ++ctx->nr_objs,
	};
	return rstr_size_check(ctx, rec, kind->size, kind->open_ended);
}

static int rstr_part_add(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	struct rstr_obj *obj = &ctx->objs[ctx->nr_objs - 1];
	const struct ckpt_part *part;

	part = ckpt_part_of_type(obj->kind, le32_to_cpu(rec->type));
	if (!part)
		return rstr_bad(ctx, rec, "type %#x", le32_to_cpu(rec->type));
	obj->end = ckpt_record_next(rec);
	return rstr_size_check(ctx, rec, part->size, part->open_ended);
}

static int rstr_objs_fill(struct rstr_ctx *ctx)
{
	const struct ckpt_record *rec = ctx->meta + sizeof(*ctx->header);
	int err;

	for (; le32_to_cpu(rec->type) != CKPT_REC_END;
	     rec = ckpt_record_next(rec)) {
		if (le32_to_cpu(rec->flags) & CKPT_RECORD_PART)
			err = rstr_part_add(ctx, rec);
		else
			err = rstr_obj_add(ctx, rec);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

static int rstr_parts_check(struct rstr_ctx *ctx, struct rstr_obj *obj,
			    const struct ckpt_part *part)
{
	const struct ckpt_record *rec;
	u32 nr = 0;
	int err;

	rstr_for_each_part(rec, obj, part->type) {
		nr++;
		err = part->check ? part->check(ctx, rec) : 0;
		if (err)
			return err;
	}
	if (!part->of_dead && obj->kind->is_bare && obj->kind->is_bare(obj) ?
	    nr : nr < part->min || nr > part->max)
		return rstr_bad(ctx, obj->rec, "%u times %s", nr, part->name);
	return 0;
}

static int rstr_obj_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_part *const *part;
	int err;

	for (part = obj->kind->parts; part && *part; part++) {
		err = rstr_parts_check(ctx, obj, *part);
		if (err)
			return err;
	}
	return obj->kind->check ? obj->kind->check(ctx, obj) : 0;
}

static int rstr_objs_check(struct rstr_ctx *ctx)
{
	int err;

	for (u32 i = 0; i < ctx->nr_objs; i++) {
		err = rstr_obj_check(ctx, &ctx->objs[i]);
		if (err)
			return err;
		cond_resched();
	}
	if (ctx->nr_pages != le64_to_cpu(ctx->header->nr_pages))
		return ckpt_refuse(&ctx->log, -EBADMSG,
				   "image: %llu pages in the page maps, not %llu",
				   ctx->nr_pages,
				   le64_to_cpu(ctx->header->nr_pages));
	return 0;
}

static int rstr_objs_make(struct rstr_ctx *ctx)
{
	u32 nr = 0;
	int err;

	err = rstr_records_scan(ctx, &nr);
	if (err)
		return err;
	ctx->objs = kvcalloc(nr, sizeof(*ctx->objs), GFP_KERNEL_ACCOUNT);
	if (!ctx->objs)
		return -ENOMEM;
	return rstr_objs_fill(ctx);
}

/**
 * rstr_image_read() - read all of an image that comes before the pages
 * @ctx: the restart
 *
 * Return: 0, or a negative errno of sys_restart()'s.
 */
int rstr_image_read(struct rstr_ctx *ctx)
{
	struct ckpt_image_header *hdr __free(kfree) =
		kmalloc(sizeof(*hdr), GFP_KERNEL_ACCOUNT);
	int err;

	if (!hdr)
		return -ENOMEM;
	err = rstr_header_read(ctx, hdr);
	if (!err)
		err = rstr_meta_read(ctx, hdr);
	if (!err)
		err = rstr_objs_make(ctx);
	if (!err)
		err = rstr_objs_check(ctx);
	return err;
}

static int rstr_obj_check_tree(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_part *const *part;
	const struct ckpt_record *rec;
	int err;

	for (part = obj->kind->parts; part && *part; part++) {
		if (!(*part)->check_tree)
			continue;
		rstr_for_each_part(rec, obj, (*part)->type) {
			err = (*part)->check_tree(ctx, rec);
			if (err)
				return err;
		}
	}
	return 0;
}

/**
 * rstr_objs_check_tree() - check what the objects say of tasks
 * @ctx: the restart, whose tasks are known by rstr_tree_find()
 *
 * Return: 0, or a negative errno of sys_restart()'s.
 */
int rstr_objs_check_tree(struct rstr_ctx *ctx)
{
	int err;

	for (u32 i = 0; i < ctx->nr_objs; i++) {
		err = rstr_obj_check_tree(ctx, &ctx->objs[i]);
		if (err)
			return err;
	}
	return 0;
}

/**
 * rstr_trailer_read() - make sure that the image has its end
 * @ctx: the restart, all pages of which have been read
 *
 * Return: 0, -EBADMSG, or what read(2) fails with.
 */
int rstr_trailer_read(struct rstr_ctx *ctx)
{
	struct ckpt_image_trailer trailer;
	int err;

	err = rstr_read(ctx, &trailer, sizeof(trailer), "trailer");
	if (err)
		return err;
	if (memcmp(trailer.magic, CKPT_TRAILER_MAGIC, sizeof(trailer.magic)) ||
	    le32_to_cpu(trailer.crc) !=
	    ckpt_crc(&trailer, offsetof(typeof(trailer), crc)) ||
	    trailer.id != ctx->header->id ||
	    trailer.nr_pages != ctx->header->nr_pages)
		return ckpt_refuse(&ctx->log, -EBADMSG,
				   "image: the trailer does not match");
	return 0;
}

void *rstr_get(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	int err;

	if (!obj->ptr) {
		err = obj->kind->restore(ctx, obj);
		if (err)
			return ERR_PTR(err);
	}
	return obj->ptr;
}

/**
 * rstr_objs_restore_rest() - restore what no task had a need of
 * rstr_objs_apply() - do what took all tasks and objects to be there
 * @ctx: the restart, whose tasks have all been built
 *
 * Return: 0 or a negative errno.
 */
int rstr_objs_restore_rest(struct rstr_ctx *ctx)
{
	void *ptr;

	for (u32 i = 0; i < ctx->nr_objs; i++) {
		if (!ctx->objs[i].kind->collect)
			continue;
		ptr = rstr_get(ctx, &ctx->objs[i]);
		if (IS_ERR(ptr))
			return PTR_ERR(ptr);
		cond_resched();
	}
	return 0;
}

/**
 * rstr_objs_link() - put in place what refers to what tasks have built
 * @ctx: the restart, whose tasks wait for what comes next
 *
 * Return: 0, or what a kind returned.
 */
int rstr_objs_link(struct rstr_ctx *ctx)
{
	struct rstr_obj *obj;
	int err;

	for (u32 i = 0; i < ctx->nr_objs; i++) {
		obj = &ctx->objs[i];
		err = obj->kind->link ? obj->kind->link(ctx, obj) : 0;
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/**
 * rstr_objs_settle() - make final what was restored, or take it back
 * @ctx: the restart
 * @done: it comes about
 */
void rstr_objs_settle(struct rstr_ctx *ctx, bool done)
{
	if (ctx->settled)
		return;
	ctx->settled = true;
	for (u32 i = ctx->nr_objs; i-- > 0;) {
		struct rstr_obj *obj = &ctx->objs[i];

		if (obj->ptr && obj->kind->settle)
			obj->kind->settle(ctx, obj, done);
	}
}

/**
 * rstr_objs_apply() - do what took all tasks and objects to be there
 * @ctx: the restart, whose tasks have all been built
 *
 * Return: 0 or a negative errno.
 */
int rstr_objs_apply(struct rstr_ctx *ctx)
{
	int err = 0;

	for (u32 i = 0; i < ctx->nr_objs && !err; i++)
		if (ctx->objs[i].kind->apply)
			err = ctx->objs[i].kind->apply(ctx, &ctx->objs[i]);
	return err;
}

void rstr_image_free(struct rstr_ctx *ctx)
{
	const struct ckpt_family_ops *ops;

	rstr_objs_settle(ctx, false);
	/* What refers goes before what is referred to. */
	for (u32 i = ctx->nr_objs; i-- > 0;) {
		struct rstr_obj *obj = &ctx->objs[i];

		ops = &ckpt_families[obj->kind->family];
		if (obj->ptr)
			(ops->discard ?: ops->put)(obj->ptr);
	}
	kvfree(ctx->objs);
	ckpt_buf_free(&ctx->maps);
	kvfree(ctx->meta);
	ckpt_buf_free(&ctx->sums.table);
	ckpt_frames_free(ctx->frames);
}

#ifdef CONFIG_CHECKPOINT_KUNIT_TEST
#include "tests/image_kunit.c"
#endif
