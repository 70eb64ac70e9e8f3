// SPDX-License-Identifier: GPL-2.0-only
/* Metadata as it grows, and the objects that are in it. */
#include <linux/crc32c.h>
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "checkpoint.h"
#include "image.h"
#include "limits.h"

/**
 * struct ckpt_entry - an object that was seen
 * @node: in ctx->objs
 * @obj: its address; a reference is held, so that it is not used again
 * @kind: what it is
 * @ref: its reference, 0 until it was added
 * @users: how often the tree was found to use it
 * @needed: it was referred to, so that the tree has to use it
 * @unfinished: in ctx->unfinished, or in ctx->inconclusive
 * @where: whose it is, for what is found out later; NULL where nothing is
 */
struct ckpt_entry {
	struct rhash_head	node;
	void			*obj;
	const struct ckpt_kind	*kind;
	u32			ref;
	int			users;
	bool			needed;
	struct list_head	unfinished;
	char			*where;
};

static const struct rhashtable_params ckpt_objs_params = {
	.key_len	= sizeof(void *),
	.key_offset	= offsetof(struct ckpt_entry, obj),
	.head_offset	= offsetof(struct ckpt_entry, node),
	.automatic_shrinking = false,
};

int ckpt_objs_init(struct ckpt_ctx *ctx)
{
	INIT_LIST_HEAD(&ctx->unfinished);
	INIT_LIST_HEAD(&ctx->inconclusive);
	return rhashtable_init(&ctx->objs, &ckpt_objs_params);
}

static void ckpt_entry_free(void *ptr, void *arg)
{
	struct ckpt_entry *entry = ptr;

	ckpt_families[entry->kind->family].put(entry->obj);
	kfree(entry->where);
	kfree(entry);
}

void ckpt_objs_destroy(struct ckpt_ctx *ctx)
{
	rhashtable_free_and_destroy(&ctx->objs, ckpt_entry_free, NULL);
}

static struct ckpt_entry *ckpt_entry_add(struct ckpt_ctx *ctx,
					 const struct ckpt_kind *kind,
					 void *obj)
{
	struct ckpt_entry *entry;
	int err;

	entry = kzalloc(sizeof(*entry), GFP_KERNEL_ACCOUNT);
	if (!entry)
		return ERR_PTR(-ENOMEM);
	entry->obj = obj;
	entry->kind = kind;
	INIT_LIST_HEAD(&entry->unfinished);
	if (kind->finish || kind->conclude)
		entry->where = ckpt_log_where(&ctx->log);
	err = rhashtable_insert_fast(&ctx->objs, &entry->node,
				     ckpt_objs_params);
	if (err) {
		kfree(entry->where);
		kfree(entry);
		return ERR_PTR(err);
	}
	ckpt_families[kind->family].get(obj);
	return entry;
}

static void ckpt_describe(enum ckpt_family family, const void *obj, char *buf,
			  size_t len)
{
	const struct ckpt_family_ops *ops = &ckpt_families[family];

	strscpy(buf, ops->name, len);
	if (ops->describe)
		ops->describe(obj, buf, len);
}

/* An object that no kind knows, by the name of what it is. */
static int ckpt_unsupported(struct ckpt_ctx *ctx, enum ckpt_family family,
			    const void *obj)
{
	char what[80];

	ckpt_describe(family, obj, what, sizeof(what));
	return ckpt_refuse(&ctx->log, -EOPNOTSUPP, "%s: not supported", what);
}

static const struct ckpt_kind *ckpt_kind_choose(struct ckpt_ctx *ctx,
						enum ckpt_family family,
						void *obj)
{
	const struct ckpt_family_ops *ops = &ckpt_families[family];
	const struct ckpt_kind *kind = NULL;

	if (ops->claim)
		kind = ops->claim(ctx, obj);
	return kind ?: ckpt_kind_of_object(family, obj);
}

/* The entry of an object, which is written unless that was done before. */
static struct ckpt_entry *ckpt_entry_get(struct ckpt_ctx *ctx,
					 enum ckpt_family family, void *obj)
{
	const struct ckpt_kind *kind;
	struct ckpt_entry *entry;
	int err;

	entry = rhashtable_lookup_fast(&ctx->objs, &obj, ckpt_objs_params);
	if (entry)
		return entry;
	kind = ckpt_kind_choose(ctx, family, obj);
	if (!kind)
		return ERR_PTR(ckpt_unsupported(ctx, family, obj));
	if (IS_ERR(kind))
		return ERR_CAST(kind);
	entry = ckpt_entry_add(ctx, kind, obj);
	if (IS_ERR(entry))
		return entry;
	err = kind->checkpoint(ctx, obj);
	return err ? ERR_PTR(err) : entry;
}

bool ckpt_is_known(struct ckpt_ctx *ctx, void *obj)
{
	return rhashtable_lookup_fast(&ctx->objs, &obj, ckpt_objs_params);
}

int ckpt_mention(struct ckpt_ctx *ctx, enum ckpt_family family, void *obj,
		 u32 *ref)
{
	struct ckpt_entry *entry = ckpt_entry_get(ctx, family, obj);

	if (IS_ERR(entry))
		return PTR_ERR(entry);
	*ref = entry->ref;
	return 0;
}

int ckpt_refer(struct ckpt_ctx *ctx, enum ckpt_family family, void *obj,
	       u32 *ref)
{
	struct ckpt_entry *entry = ckpt_entry_get(ctx, family, obj);

	if (IS_ERR(entry))
		return PTR_ERR(entry);
	entry->needed = true;
	*ref = entry->ref;
	return 0;
}

int ckpt_save(struct ckpt_ctx *ctx, enum ckpt_family family, void *obj,
	      u32 *ref)
{
	struct ckpt_entry *entry = ckpt_entry_get(ctx, family, obj);

	if (IS_ERR(entry))
		return PTR_ERR(entry);
	if (!entry->users++) {
		if (entry->kind->finish)
			list_add_tail(&entry->unfinished, &ctx->unfinished);
		else if (entry->kind->conclude)
			list_add_tail(&entry->unfinished, &ctx->inconclusive);
	}
	*ref = entry->ref;
	return 0;
}

bool ckpt_in_use(struct ckpt_ctx *ctx, void *obj)
{
	struct ckpt_entry *entry;

	entry = rhashtable_lookup_fast(&ctx->objs, &obj, ckpt_objs_params);
	return entry && entry->users;
}

static int ckpt_entries_call(struct ckpt_ctx *ctx, struct list_head *entries,
			     bool conclude)
{
	struct ckpt_entry *entry;
	int err = 0;

	while (!err && !list_empty(entries)) {
		entry = list_first_entry(entries, struct ckpt_entry,
					 unfinished);
		list_del_init(&entry->unfinished);
		ckpt_log_about(&ctx->log, entry->where);
		err = conclude ? entry->kind->conclude(ctx, entry->obj) :
				 entry->kind->finish(ctx, entry->obj);
		/* There is one list that it can be in. */
		if (!conclude && entry->kind->conclude)
			list_add_tail(&entry->unfinished, &ctx->inconclusive);
	}
	return err;
}

/**
 * ckpt_objs_finish() - write what had to wait for all else to be written
 * @ctx: the checkpoint
 *
 * There may be more to it while it is done: a descriptor in a message is of a
 * file that nobody else has.
 *
 * Return: 0, or what a kind returned.
 */
int ckpt_objs_finish(struct ckpt_ctx *ctx)
{
	int err;

	err = ckpt_entries_call(ctx, &ctx->unfinished, false);
	return err ?: ckpt_entries_call(ctx, &ctx->inconclusive, true);
}

static int ckpt_entry_check_users(struct ckpt_ctx *ctx,
				  struct ckpt_entry *entry)
{
	enum ckpt_family family = entry->kind->family;
	int (*users)(void *obj) = entry->kind->users;
	int own = entry->users + 1;
	char what[160];

	ckpt_log_about(&ctx->log, entry->where);
	if (!entry->users && entry->needed && ckpt_families[family].referred) {
		ckpt_describe(family, entry->obj, what, sizeof(what));
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "%s is %s, and only a process outside the tree has it open",
				   what, ckpt_families[family].referred);
	}
	users = users ?: ckpt_families[family].users;
	if (!users)
		return 0;
	/* What is written to belongs to the call for as long as it takes. */
	own += (entry->obj == ctx->file) + (entry->obj == ctx->log.file);
	/* Who reads /proc/PID/maps is a user as well, but not for long. */
	for (int i = 0; i < CKPT_USERS_TRIES; i++) {
		/* One reference is the entry's own. */
		if (users(entry->obj) <= own)
			return 0;
		fsleep(1000);
	}
	ckpt_describe(family, entry->obj, what, sizeof(what));
	return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
			   "%s is shared with a process outside the tree%s",
			   what, family == CKPT_FILE || family == CKPT_PIPE ?
			   " (ckpt --external may leave it to the restarter)" :
			   "");
}

/**
 * ckpt_objs_check_users() - find what is shared with others
 * @ctx: the checkpoint, all of whose objects have been saved
 *
 * Return: 0 or -EOPNOTSUPP.
 */
int ckpt_objs_check_users(struct ckpt_ctx *ctx)
{
	struct rhashtable_iter iter;
	struct ckpt_entry *entry;
	int err = 0;

	rhashtable_walk_enter(&ctx->objs, &iter);
	rhashtable_walk_start(&iter);
	while (!err && (entry = rhashtable_walk_next(&iter))) {
		if (IS_ERR(entry))
			continue;
		rhashtable_walk_stop(&iter);
		err = ckpt_entry_check_users(ctx, entry);
		rhashtable_walk_start(&iter);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
	return err;
}

/**
 * ckpt_objs_remarks() - write what can be said of objects only now
 * @ctx: the checkpoint, all of whose objects have been saved
 *
 * Return: 0 or a negative errno.
 */
int ckpt_objs_remarks(struct ckpt_ctx *ctx)
{
	const struct ckpt_family_ops *ops;
	struct rhashtable_iter iter;
	struct ckpt_entry *entry;
	int err = 0;

	rhashtable_walk_enter(&ctx->objs, &iter);
	rhashtable_walk_start(&iter);
	while (!err && (entry = rhashtable_walk_next(&iter))) {
		if (IS_ERR(entry))
			continue;
		ops = &ckpt_families[entry->kind->family];
		if (!ops->remarks)
			continue;
		rhashtable_walk_stop(&iter);
		err = ops->remarks(ctx, entry->obj, entry->ref);
		rhashtable_walk_start(&iter);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
	return err;
}

/**
 * ckpt_buf_reserve() - make room at the end of a buffer
 * @buf: the buffer
 * @len: bytes that ckpt_buf_add() will add without allocating
 *
 * Return: 0; -EFBIG beyond CKPT_META_MAX; -ENOMEM.
 */
int ckpt_buf_reserve(struct ckpt_buf *buf, size_t len)
{
	size_t want = buf->len + len, cap;
	void *data;

	if (want > CKPT_META_MAX)
		return -EFBIG;
	if (want <= buf->cap)
		return 0;
	cap = max_t(size_t, PAGE_ALIGN(want), buf->cap * 2);
	data = kvmalloc(cap, GFP_KERNEL_ACCOUNT);
	if (!data)
		return -ENOMEM;
	if (buf->len)
		memcpy(data, buf->data, buf->len);
	kvfree(buf->data);
	buf->data = data;
	buf->cap = cap;
	return 0;
}

/**
 * ckpt_buf_add() - add to the end of a buffer
 * @buf: the buffer
 * @len: bytes to add
 *
 * Return: these bytes, zeroed; or an ERR_PTR as of ckpt_buf_reserve().
 */
void *ckpt_buf_add(struct ckpt_buf *buf, size_t len)
{
	int err = ckpt_buf_reserve(buf, len);
	void *data;

	if (err)
		return ERR_PTR(err);
	data = buf->data + buf->len;
	memset(data, 0, len);
	buf->len += len;
	return data;
}

void ckpt_buf_free(struct ckpt_buf *buf)
{
	kvfree(buf->data);
	*buf = (struct ckpt_buf){};
}

static void *ckpt_record_add(struct ckpt_ctx *ctx, u32 type, u32 ref, u32 flags,
			     size_t size)
{
	struct ckpt_record *rec;

	if (size > CKPT_RECORD_MAX)
		return ERR_PTR(-EFBIG);
	rec = ckpt_buf_add(&ctx->meta, sizeof(*rec) + ALIGN(size, 8));
	if (IS_ERR(rec))
		return rec;
	rec->type = cpu_to_le32(type);
	rec->size = cpu_to_le32(size);
	rec->ref = cpu_to_le32(ref);
	rec->flags = cpu_to_le32(flags);
	ctx->nr_records++;
	if (type == CKPT_REC_TASK)
		ctx->nr_tasks++;
	return rec + 1;
}

void *ckpt_object_add(struct ckpt_ctx *ctx, u32 type, void *obj, size_t size)
{
	struct ckpt_entry *entry;
	void *payload;

	payload = ckpt_record_add(ctx, type, ctx->last_ref + 1, 0, size);
	if (IS_ERR(payload))
		return payload;
	ctx->last_ref++;
	if (obj) {
		entry = rhashtable_lookup_fast(&ctx->objs, &obj,
					       ckpt_objs_params);
		entry->ref = ctx->last_ref;
		/* What it is may have turned out only by now. */
		if (entry->kind->type != type)
			entry->kind = ckpt_kind_of_type(type);
	}
	return payload;
}

void *ckpt_part_add(struct ckpt_ctx *ctx, u32 type, size_t size)
{
	return ckpt_record_add(ctx, type, ctx->last_ref, CKPT_RECORD_PART,
			       size);
}

int ckpt_parts_save(struct ckpt_ctx *ctx, const struct ckpt_kind *kind,
		    struct task_struct *task, bool dead)
{
	const struct ckpt_part *const *part;
	int err;

	for (part = kind->parts; *part; part++) {
		if (!(*part)->checkpoint || (dead && !(*part)->of_dead))
			continue;
		err = (*part)->checkpoint(ctx, task);
		if (err)
			return err;
	}
	return 0;
}

/**
 * ckpt_crc() - CRC32C as RFC 3720, appendix B.4, has it
 * @data: bytes
 * @len: how many
 *
 * Return: the checksum
 */
u32 ckpt_crc(const void *data, size_t len)
{
	return ~crc32c(~0U, data, len);
}

/* The checksum of a record's header up to @crc, and of the payload. */
u32 ckpt_record_crc(const struct ckpt_record *rec)
{
	u32 crc = crc32c(~0U, rec, offsetof(struct ckpt_record, crc));

	return ~crc32c(crc, rec + 1, ALIGN(le32_to_cpu(rec->size), 8));
}

/**
 * ckpt_image_start() - reserve the header
 * @ctx: the checkpoint, with no metadata yet or with some to be forgotten
 *
 * Return: 0 or a negative errno.
 */
int ckpt_image_start(struct ckpt_ctx *ctx)
{
	void *header;

	ctx->meta.len = 0;
	ctx->last_ref = 0;
	ctx->nr_records = 0;
	ctx->nr_tasks = 0;
	ctx->tty_outside = NULL;
	header = ckpt_buf_add(&ctx->meta, sizeof(struct ckpt_image_header));
	return PTR_ERR_OR_ZERO(header);
}

static void ckpt_header_seal(struct ckpt_ctx *ctx, size_t end)
{
	struct ckpt_image_header *hdr = ctx->meta.data;

	memcpy(hdr->magic, CKPT_IMAGE_MAGIC, sizeof(hdr->magic));
	hdr->version = cpu_to_le32(CKPT_IMAGE_VERSION);
	hdr->size = cpu_to_le32(sizeof(*hdr));
	hdr->page_size = cpu_to_le32(PAGE_SIZE);
	hdr->id = cpu_to_le64(ctx->id);
	hdr->time = cpu_to_le64(ctx->time);
	hdr->boottime = cpu_to_le64(ctx->boottime);
	hdr->meta_size = cpu_to_le64(end - sizeof(*hdr));
	hdr->pages_offset = cpu_to_le64(PAGE_ALIGN(end));
	hdr->nr_pages = cpu_to_le64(ctx->nr_pages);
	hdr->nr_tasks = cpu_to_le32(ctx->nr_tasks);
	hdr->root_pid = cpu_to_le32(ctx->root_pid);
	memcpy(hdr->uuid, ctx->uuid, sizeof(hdr->uuid));
	if (ctx->flags & CHECKPOINT_PARENT) {
		hdr->incompat |= cpu_to_le64(CKPT_INCOMPAT_PARENT);
		memcpy(hdr->parent, ctx->parent, sizeof(hdr->parent));
	}
	if (ctx->flags & CHECKPOINT_CHECKSUM)
		hdr->incompat |= cpu_to_le64(CKPT_INCOMPAT_CHECKSUM);
	if (ctx->flags & CHECKPOINT_LZ4)
		hdr->incompat |= cpu_to_le64(CKPT_INCOMPAT_LZ4);
	if (ctx->flags & CHECKPOINT_ZSTD)
		hdr->incompat |= cpu_to_le64(CKPT_INCOMPAT_ZSTD);
	ckpt_machine_describe(hdr);
	hdr->crc = cpu_to_le32(ckpt_crc(hdr, offsetof(typeof(*hdr), crc)));
}

static void ckpt_records_seal(void *first, void *end)
{
	struct ckpt_record *rec = first;

	while ((void *)rec < end) {
		rec->crc = cpu_to_le32(ckpt_record_crc(rec));
		rec = ckpt_record_next(rec);
	}
}

/**
 * ckpt_image_seal() - complete the metadata: end record, checksums, header, and
 *	zeros up to where the pages start
 * @ctx: the checkpoint, all of whose objects and page maps have been added
 *
 * Return: 0 or a negative errno.
 */
int ckpt_image_seal(struct ckpt_ctx *ctx)
{
	struct ckpt_rec_end *end;
	u64 records = ctx->nr_records;
	size_t at = ctx->meta.len, len;
	void *pad;

	end = ckpt_record_add(ctx, CKPT_REC_END, 0, 0, sizeof(*end));
	if (IS_ERR(end))
		return PTR_ERR(end);
	len = ctx->meta.len;
	pad = ckpt_buf_add(&ctx->meta, PAGE_ALIGN(len) - len);
	if (IS_ERR(pad))
		return PTR_ERR(pad);

	ckpt_header_seal(ctx, len);
	ckpt_records_seal(ctx->meta.data + sizeof(struct ckpt_image_header),
			  ctx->meta.data + at);
	end = ctx->meta.data + at + sizeof(struct ckpt_record);
	end->nr_records = cpu_to_le64(records);
	end->crc = cpu_to_le32(ckpt_crc(ctx->meta.data, at));
	ckpt_records_seal(ctx->meta.data + at, ctx->meta.data + len);
	return 0;
}

/**
 * ckpt_trailer_make() - what the image ends with
 * @ctx: the checkpoint
 * @trailer: to be filled
 */
void ckpt_trailer_make(struct ckpt_ctx *ctx, struct ckpt_image_trailer *trailer)
{
	*trailer = (struct ckpt_image_trailer){
		.id = cpu_to_le64(ctx->id),
		.nr_pages = cpu_to_le64(ctx->nr_pages),
		.stopped = cpu_to_le32(ctx->stopped),
	};
	memcpy(trailer->magic, CKPT_TRAILER_MAGIC, sizeof(trailer->magic));
	trailer->crc = cpu_to_le32(ckpt_crc(trailer, offsetof(typeof(*trailer),
							      crc)));
}

#ifdef CONFIG_CHECKPOINT_KUNIT_TEST
#include "tests/object_kunit.c"
#endif
