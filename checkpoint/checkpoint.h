/* SPDX-License-Identifier: GPL-2.0-only */
/* What a checkpoint in progress knows, and how kinds write into it. */
#ifndef _CHECKPOINT_CHECKPOINT_H
#define _CHECKPOINT_CHECKPOINT_H

#include <linux/list.h>
#include <linux/rhashtable-types.h>
#include <linux/types.h>
#include <linux/checkpoint.h>

#include "external.h"
#include "image.h"
#include "kind.h"
#include "log.h"
#include "sums.h"
#include "tree.h"

struct ckpt_frames;
struct ckpt_stop;

/* Pages are compressed in some way. */
#define CHECKPOINT_COMPRESS	(CHECKPOINT_LZ4 | CHECKPOINT_ZSTD)

/**
 * struct ckpt_ctx - a checkpoint, from the call to its return
 * @flags: of the call
 * @file: where the image goes
 * @log: what there is to say
 * @id: of this checkpoint
 * @uuid: of its image
 * @parent: UUID of the parent, with %CHECKPOINT_PARENT
 * @meta: header and records
 * @last_ref: reference of the last object that was added
 * @nr_records: how many records @meta has
 * @nr_tasks: how many of them are of type CKPT_REC_TASK
 * @objs: struct ckpt_entry by address, for all objects seen
 * @unfinished: those of them for which the kind's finish() is to be called
 * @inconclusive: those of them for which its conclude() is
 * @ahead: struct ckpt_ahead: what was done before anyone was stopped
 * @copies: struct ckpt_copies: the same, of memory that is shared
 * @bases: struct ckpt_base: what there is of the parent
 * @digests: what the next one is to know of this image; NULL if there is to be none
 * @memory: struct ckpt_memory, in the order in which pages will be written
 * @nr_pages: of all these
 * @frames: the frame that is being made of them, if they are to be compressed
 * @sums: of what has been written of them, with %CHECKPOINT_CHECKSUM
 * @root_pid: pid of the root of the tree, for the caller
 * @tree: the tasks
 * @stop: what holds them
 * @externals: files that the restarter will supply
 * @via: a description by which an inode that is being saved is open, for kinds
 *	whose objects are inodes; else NULL
 * @tty_outside: the master of a pseudo terminal that was looked for last, and is
 *	not in the tree; only to be compared
 * @time: when they were captured, CLOCK_REALTIME in nanoseconds
 * @boottime: the same in CLOCK_BOOTTIME
 * @stopping: when they began to be stopped, CLOCK_MONOTONIC in nanoseconds
 * @stopped: for how long they were, in microseconds; 0 if they do not run on
 *
 * Owned by the calling task; nothing in it needs a lock, save @log and @stop,
 * which have their own.
 */
struct ckpt_ctx {
	unsigned int		flags;
	struct file		*file;
	struct ckpt_log		log;
	u64			id;
	u8			uuid[CKPT_UUID_LEN];
	u8			parent[CKPT_UUID_LEN];
	struct ckpt_buf		meta;
	u32			last_ref;
	u64			nr_records;
	u32			nr_tasks;
	struct rhashtable	objs;
	struct list_head	unfinished;
	struct list_head	inconclusive;
	struct list_head	ahead;
	struct list_head	copies;
	struct list_head	bases;
	struct ckpt_digests	*digests;
	struct list_head	memory;
	u64			nr_pages;
	struct ckpt_frames	*frames;
	struct ckpt_sums	sums;
	pid_t			root_pid;
	struct ckpt_tree	tree;
	struct ckpt_stop	*stop;
	struct ckpt_externals	externals;
	struct file		*via;
	const void		*tty_outside;
	u64			time;
	u64			boottime;
	u64			stopping;
	u32			stopped;
};

/**
 * ckpt_save() - write an object unless that was done before
 * @ctx: the checkpoint
 * @family: what @obj is
 * @obj: the object
 * @ref: where its reference goes
 *
 * Return: 0, -EOPNOTSUPP if there is no such kind of object, or what the kind
 * returned. The reason is in the log.
 */
int ckpt_save(struct ckpt_ctx *ctx, enum ckpt_family family, void *obj,
	      u32 *ref);

/**
 * ckpt_refer() - the same for an object to which no reference is held
 * @ctx: the checkpoint
 * @family: what @obj is
 * @obj: the object
 * @ref: where its reference goes
 *
 * It is none of the uses that are counted, and there must be one besides.
 *
 * Return: as ckpt_save().
 */
int ckpt_refer(struct ckpt_ctx *ctx, enum ckpt_family family, void *obj,
	       u32 *ref);

/* Whether ckpt_save() or ckpt_refer() was called for @obj. */
bool ckpt_is_known(struct ckpt_ctx *ctx, void *obj);

/**
 * ckpt_mention() - the same where it need not be in use in the tree
 * @ctx: the checkpoint
 * @family: what @obj is
 * @obj: the object
 * @ref: where its reference goes
 *
 * Return: as ckpt_save().
 */
int ckpt_mention(struct ckpt_ctx *ctx, enum ckpt_family family, void *obj,
		 u32 *ref);

/**
 * ckpt_in_use() - whether the tree was found to use an object
 * @ctx: the checkpoint
 * @obj: the object
 *
 * Return: true if ckpt_save() was called for it.
 */
bool ckpt_in_use(struct ckpt_ctx *ctx, void *obj);

/**
 * ckpt_object_add() - start a new object
 * @ctx: the checkpoint
 * @type: CKPT_REC_*
 * @obj: the object, for which ckpt_save() was called; NULL if nothing refers
 *	to it
 * @size: of its payload
 *
 * Return: the payload, zeroed, good until the next record is added; or an
 * ERR_PTR.
 */
void *ckpt_object_add(struct ckpt_ctx *ctx, u32 type, void *obj, size_t size);

/**
 * ckpt_part_add() - add a part to the object that was added last
 * @ctx: the checkpoint
 * @type: CKPT_REC_*
 * @size: of its payload
 *
 * Return: as ckpt_object_add().
 */
void *ckpt_part_add(struct ckpt_ctx *ctx, u32 type, size_t size);

/* Call the checkpoint functions of all parts that @kind has, for @task; or only
 * of those that it has when it is dead.
 */
int ckpt_parts_save(struct ckpt_ctx *ctx, const struct ckpt_kind *kind,
		    struct task_struct *task, bool dead);

int ckpt_objs_init(struct ckpt_ctx *ctx);
void ckpt_objs_destroy(struct ckpt_ctx *ctx);
int ckpt_objs_finish(struct ckpt_ctx *ctx);
int ckpt_objs_remarks(struct ckpt_ctx *ctx);
int ckpt_objs_check_users(struct ckpt_ctx *ctx);

long ckpt_checkpoint(pid_t pid, int fd, unsigned int flags, int logfd,
		     const struct checkpoint_args *args);

#endif
