// SPDX-License-Identifier: GPL-2.0-only
/* How a file looked, and whether it still does. */
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/stat.h>

#include "checkpoint.h"
#include "file.h"
#include "restart.h"

/**
 * ckpt_file_stat() - what stat(2) says of a file
 * @file: the file
 * @rec: where it goes, zeroed
 *
 * Return: 0, or what stat(2) fails with.
 */
int ckpt_file_stat(struct file *file, struct ckpt_rec_stat *rec)
{
	struct kstat stat;
	int err;

	err = vfs_getattr(file_user_path(file), &stat, STATX_BASIC_STATS,
			  AT_STATX_SYNC_AS_STAT);
	if (err)
		return err;
	rec->ino = cpu_to_le64(stat.ino);
	rec->size = cpu_to_le64(stat.size);
	rec->mtime_sec = cpu_to_le64(stat.mtime.tv_sec);
	rec->mtime_nsec = cpu_to_le32(stat.mtime.tv_nsec);
	rec->mode = cpu_to_le32(stat.mode);
	rec->rdev_major = cpu_to_le32(MAJOR(stat.rdev));
	rec->rdev_minor = cpu_to_le32(MINOR(stat.rdev));
	return 0;
}

static bool ckpt_stat_same_time(const struct ckpt_rec_stat *a,
				const struct ckpt_rec_stat *b)
{
	return a->mtime_sec == b->mtime_sec && a->mtime_nsec == b->mtime_nsec;
}

/* Whoever appends finds the end by himself, and what was there still is. */
static bool ckpt_stat_has_grown(const struct ckpt_rec_file *rec,
				const struct ckpt_rec_stat *now)
{
	return (le32_to_cpu(rec->flags) & O_APPEND) &&
	       now->ino == rec->stat.ino &&
	       le64_to_cpu(now->size) >= le64_to_cpu(rec->stat.size);
}

static int ckpt_stat_refuse(struct rstr_ctx *ctx, const struct rstr_obj *obj,
			    const char *what)
{
	return ckpt_refuse(&ctx->log, -ESTALE,
			   "file %s has changed: %s (--force-files takes it as it is)",
			   rstr_path(rstr_part_first(obj, CKPT_REC_PATH)), what);
}

static int ckpt_stat_compare(struct rstr_ctx *ctx, const struct rstr_obj *obj,
			     const struct ckpt_rec_stat *now)
{
	const struct ckpt_rec_file *rec = rstr_payload(obj->rec);
	bool same = now->ino == rec->stat.ino;
	char text[64];

	if (ckpt_stat_has_grown(rec, now))
		return 0;
	if (now->size != rec->stat.size) {
		snprintf(text, sizeof(text), "%llu bytes, not %llu",
			 le64_to_cpu(now->size), le64_to_cpu(rec->stat.size));
		return ckpt_stat_refuse(ctx, obj, text);
	}
	/* A copy that has kept the time is as good as the original. */
	if (ckpt_stat_same_time(now, &rec->stat))
		return 0;
	/* Written to when the page is, or any time later. */
	if (same && (le32_to_cpu(rec->what) & CKPT_FILE_MAPPED))
		return 0;
	return ckpt_stat_refuse(ctx, obj, same ? "written to since" :
						 "is another one");
}

/**
 * ckpt_file_unchanged() - whether a regular file is what it was
 * @ctx: the restart
 * @obj: the description, restored
 *
 * Return: 0, -ESTALE, or what stat(2) fails with.
 */
int ckpt_file_unchanged(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file *rec = rstr_payload(obj->rec);
	struct ckpt_rec_stat now = {};
	int err;

	if ((ctx->flags & RESTART_FORCE_FILES) ||
	    (le32_to_cpu(rec->what) & CKPT_FILE_IMAGE))
		return 0;
	err = ckpt_file_stat(obj->ptr, &now);
	return err ?: ckpt_stat_compare(ctx, obj, &now);
}
