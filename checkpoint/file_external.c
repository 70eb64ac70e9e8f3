// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that lead outside of the tree, and that the checkpointer has named: what
 * they are is for the restarter to know, who supplies a description for each.
 */
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "checkpoint.h"
#include "file.h"
#include "restart.h"

/* One that @name has. The names of a pipe's ends are the same. */
static struct ckpt_external *ckpt_external_find(struct ckpt_externals *all,
						const char *name, fmode_t mode)
{
	for (u32 i = 0; i < all->nr; i++) {
		struct ckpt_external *ext = &all->ext[i];

		if (strcmp(ext->name, name))
			continue;
		if (!ext->file || (ext->file->f_mode & mode) == mode)
			return ext;
	}
	return NULL;
}

static int ckpt_external_named(struct ckpt_ctx *ctx, struct file *file)
{
	char *buf __free(kfree) = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	struct ckpt_external *ext;
	char *name;

	if (!buf)
		return -ENOMEM;
	name = d_path(file_user_path(file), buf, PAGE_SIZE);
	if (IS_ERR(name))
		return 0;
	ext = ckpt_external_find(&ctx->externals, name, 0);
	if (ext)
		ext->used = true;
	return !!ext;
}

/**
 * ckpt_file_is_external() - whether a file is one that the caller named
 * @ctx: the checkpoint
 * @file: the file
 *
 * Return: 1 if the restarter supplies it, 0 if not, or -ENOMEM.
 */
int ckpt_file_is_external(struct ckpt_ctx *ctx, struct file *file)
{
	return ctx->externals.nr ? ckpt_external_named(ctx, file) : 0;
}

/**
 * ckpt_file_claim() - the kind of a file that is not to be looked into
 * @ctx: the checkpoint
 * @obj: the file
 *
 * Return: the kind, NULL, or an ERR_PTR.
 */
const struct ckpt_kind *ckpt_file_claim(struct ckpt_ctx *ctx, void *obj)
{
	int ret = ckpt_file_is_external(ctx, obj);

	if (ret < 0)
		return ERR_PTR(ret);
	return ret ? &ckpt_file_external_kind : NULL;
}

static int ckpt_file_external_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	char *buf __free(kfree) = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	struct ckpt_rec_file_external *rec;
	struct file *file = obj;
	char *name;
	size_t size;

	if (!buf)
		return -ENOMEM;
	name = d_path(file_user_path(file), buf, PAGE_SIZE);
	if (IS_ERR(name))
		return PTR_ERR(name);
	if (file->f_mode & FMODE_PATH)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "%s: O_PATH, and external: not supported",
				   name);
	size = strlen(name) + 1;
	rec = ckpt_file_add(ctx, file, CKPT_REC_FILE_EXTERNAL,
			    sizeof(*rec) + size);
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	memcpy(rec->name, name, size);
	return 0;
}

static struct ckpt_external *ckpt_external_of(struct rstr_ctx *ctx,
					      const struct rstr_obj *obj)
{
	const struct ckpt_rec_file_external *rec = rstr_payload(obj->rec);
	fmode_t mode = OPEN_FMODE(le32_to_cpu(rec->flags));

	return ckpt_external_find(&ctx->externals, (const char *)rec->name,
				  mode & (FMODE_READ | FMODE_WRITE));
}

static int ckpt_file_external_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	static const char *const access[] = {
		"to be read", "to be written", "to be read and written",
	};
	const struct ckpt_rec_file_external *rec = rstr_payload(obj->rec);
	size_t len = rstr_size(obj->rec) - sizeof(*rec);
	u32 flags = le32_to_cpu(rec->flags);

	if (flags & ~CKPT_O_KNOWN || (flags & O_ACCMODE) == O_ACCMODE ||
	    rec->what)
		return rstr_bad(ctx, obj->rec, "flags %#o", flags);
	if (len < 2 || len > PATH_MAX ||
	    strnlen((const char *)rec->name, len) != len - 1)
		return rstr_bad(ctx, obj->rec, "name");
	if (!ckpt_external_of(ctx, obj))
		return ckpt_refuse(&ctx->log, -ENXIO,
				   "%s, %s, has to be supplied (--inherit-fd)",
				   rec->name, access[flags & O_ACCMODE]);
	return 0;
}

static int ckpt_file_external_restore(struct rstr_ctx *ctx,
				      struct rstr_obj *obj)
{
	obj->ptr = get_file(ckpt_external_of(ctx, obj)->file);
	return 0;
}

/* Only what was named is one. */
static bool ckpt_file_external_match(const void *obj)
{
	return false;
}

const struct ckpt_kind ckpt_file_external_kind = {
	.type		= CKPT_REC_FILE_EXTERNAL,
	.family		= CKPT_FILE,
	.name		= "external file",
	.size		= sizeof(struct ckpt_rec_file_external),
	.open_ended	= true,
	.match		= ckpt_file_external_match,
	.checkpoint	= ckpt_file_external_checkpoint,
	.check		= ckpt_file_external_check,
	.restore	= ckpt_file_external_restore,
};
