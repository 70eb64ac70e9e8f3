/* SPDX-License-Identifier: GPL-2.0-only */
/* What a restart in progress knows, and how kinds read from it. */
#ifndef _CHECKPOINT_RESTART_H
#define _CHECKPOINT_RESTART_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/checkpoint.h>

#include "external.h"
#include "image.h"
#include "kind.h"
#include "log.h"
#include "sums.h"

struct ckpt_frames;
struct file;
struct path;
struct rstr_run;

/**
 * struct rstr_obj - an object of the image
 * @kind: what it is
 * @rec: its record, in the metadata
 * @end: behind its last part
 * @ref: its reference
 * @pages: its page map; NULL if it has none
 * @first_page: of a page map: which page of the image is its first
 * @ptr: the object made anew, NULL before
 * @private: the kind's own
 * @list: likewise: objects that go with it
 */
struct rstr_obj {
	const struct ckpt_kind		*kind;
	const struct ckpt_record	*rec;
	const struct ckpt_record	*end;
	u32				ref;
	const struct rstr_obj		*pages;
	u64				first_page;
	void				*ptr;
	void				*private;
	struct rstr_obj			*list;
};

/**
 * struct rstr_ctx - a restart, from the call to its return
 * @flags: of the call
 * @self: the caller becomes the root of the tree
 * @file: where the image comes from
 * @log: what there is to say
 * @meta: header and records, kvmalloc'ed, not written to once read
 * @header: the start of @meta
 * @objs: all objects, by reference less one
 * @nr_objs: how many
 * @tty: a terminal that the caller has open, to be given to tasks that had one
 *	from outside; or NULL
 * @externals: files that the caller supplies
 * @nr_pages: that the page maps have in all
 * @frames: the frame that they are read from, if they are compressed
 * @sums: of the pages that have been read, where the image has checksums
 * @maps: u32, which of @objs are page maps; as far as they were checked
 * @needs_tasks: some object is made from tasks: none is built before all are there
 * @settled: what the kinds have to do at the end was done
 * @made: struct rstr_made, what is to go again if the restart fails
 * @run: the tasks, and what they wait for
 */
struct rstr_ctx {
	unsigned int			flags;
	bool				self;
	struct file			*file;
	struct ckpt_log			log;
	void				*meta;
	const struct ckpt_image_header	*header;
	struct rstr_obj			*objs;
	u32				nr_objs;
	struct file			*tty;
	struct ckpt_externals		externals;
	u64				nr_pages;
	struct ckpt_frames		*frames;
	struct ckpt_sums		sums;
	struct ckpt_buf			maps;
	bool				needs_tasks;
	bool				settled;
	struct list_head		made;
	struct rstr_run			*run;
};

/* The payload of a record, which is at least as large as its table says. */
static inline const void *rstr_payload(const struct ckpt_record *rec)
{
	return rec + 1;
}

static inline u32 rstr_size(const struct ckpt_record *rec)
{
	return le32_to_cpu(rec->size);
}

/**
 * rstr_bad() - an image is wrong: say where and how
 * @ctx: the restart
 * @rec: the record that is wrong
 * @fmt: what is wrong with it
 *
 * Return: -EBADMSG
 */
__printf(3, 4) int rstr_bad(struct rstr_ctx *ctx, const struct ckpt_record *rec,
			    const char *fmt, ...);

/**
 * rstr_ref() - the object that a reference names
 * @ctx: the restart
 * @rec: the record which refers
 * @ref: the reference, as read
 * @family: what it must be
 *
 * Return: an object that comes before @rec, or NULL if there is no such, which
 * then has been logged.
 */
struct rstr_obj *rstr_ref(struct rstr_ctx *ctx, const struct ckpt_record *rec,
			  __le32 ref, enum ckpt_family family);

/**
 * rstr_obj() - the same once it was checked
 * @ctx: the restart
 * @ref: a reference that rstr_ref() found good
 *
 * Return: the object
 */
static inline struct rstr_obj *rstr_obj(struct rstr_ctx *ctx, __le32 ref)
{
	return &ctx->objs[le32_to_cpu(ref) - 1];
}

/**
 * rstr_get() - the restored object, made now if need be
 * @ctx: the restart
 * @obj: the object
 *
 * Return: a pointer to what obj->kind->family says, whose reference stays with
 * @obj; or an ERR_PTR.
 */
void *rstr_get(struct rstr_ctx *ctx, struct rstr_obj *obj);

/* The first part of @obj that has @type; and the one after @rec. Or NULL. */
const struct ckpt_record *rstr_part_first(const struct rstr_obj *obj, u32 type);
const struct ckpt_record *rstr_part_next(const struct rstr_obj *obj,
					 const struct ckpt_record *rec);

#define rstr_for_each_part(rec, obj, type)				\
	for ((rec) = rstr_part_first(obj, type); (rec);			\
	     (rec) = rstr_part_next(obj, rec))

/* The string of a CKPT_REC_PATH, which was checked to have its NUL. */
int rstr_path_check(struct rstr_ctx *ctx, const struct ckpt_record *rec);
static inline const char *rstr_path(const struct ckpt_record *rec)
{
	return rstr_payload(rec);
}

/* Whether the image has a feature, of CKPT_INCOMPAT_*. */
static inline bool rstr_image_has(const struct rstr_ctx *ctx, u64 feature)
{
	return le64_to_cpu(ctx->header->incompat) & feature;
}

/* What was made in the file system; see made.c. */
int rstr_made_add(struct rstr_ctx *ctx, const struct path *path);
void rstr_made_end(struct rstr_ctx *ctx, bool keep);

/* Read and check all metadata; no side effect but in @ctx. */
int rstr_image_read(struct rstr_ctx *ctx);
int rstr_objs_check_tree(struct rstr_ctx *ctx);
int rstr_objs_restore_rest(struct rstr_ctx *ctx);
void rstr_objs_settle(struct rstr_ctx *ctx, bool done);
int rstr_objs_link(struct rstr_ctx *ctx);
int rstr_objs_apply(struct rstr_ctx *ctx);
int rstr_trailer_read(struct rstr_ctx *ctx);
void rstr_image_free(struct rstr_ctx *ctx);
/* Read exactly so much, or fail with the reason in the log. */
int rstr_read(struct rstr_ctx *ctx, void *buf, size_t len, const char *what);

long ckpt_restart(pid_t pid, int fd, unsigned int flags, int logfd,
		  const struct checkpoint_external __user *external, u32 nr);

#endif
