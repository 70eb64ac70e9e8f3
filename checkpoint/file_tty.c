// SPDX-License-Identifier: GPL-2.0-only
/*
 * Terminals that are shared with whoever started the task: restart gives it the
 * one of its caller. Those whose other end is in the tree are file_pty.c's. Built
 * as part of drivers/tty/tty_io.c.
 */
#ifdef CONFIG_CHECKPOINT
#include "../../checkpoint/checkpoint.h"
#include "../../checkpoint/file.h"
#include "../../checkpoint/restart.h"
#include "../../checkpoint/tty.h"

/**
 * ckpt_file_is_tty() - whether a file is a terminal, of whatever kind
 * @file: the file
 *
 * Return: true if it is.
 */
bool ckpt_file_is_tty(const struct file *file)
{
	return file->f_op->release == tty_release;
}

static bool ckpt_file_tty_match(const void *obj)
{
	return ckpt_file_is_tty(obj);
}

static bool ckpt_tty_is_old_master(const struct tty_struct *tty)
{
	return tty->driver->type == TTY_DRIVER_TYPE_PTY &&
	       tty->driver->subtype == PTY_TYPE_MASTER;
}

static int ckpt_file_tty_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct file *file = obj;
	struct ckpt_rec_file *rec;

	if (ckpt_pty_inside(ctx, file_tty(file)))
		return ckpt_file_pty_checkpoint(ctx, obj);
	/* Those of Unix 98 are file_pty.c's. */
	if (ckpt_tty_is_old_master(file_tty(file)))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "%pD: master of a BSD pseudo terminal: not supported",
				   file);
	if (file->f_flags & FASYNC)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "%pD: signal driven I/O: not supported",
				   file);
	rec = ckpt_object_add(ctx, CKPT_REC_FILE_TTY, file, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->flags = cpu_to_le32(file->f_flags & (O_ACCMODE | O_NONBLOCK));
	rec->stat.mode = cpu_to_le32(S_IFCHR);
	return 0;
}

static int ckpt_file_tty_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file *rec = rstr_payload(obj->rec);
	u32 flags = le32_to_cpu(rec->flags);

	if (flags & ~(O_ACCMODE | O_NONBLOCK) ||
	    (flags & O_ACCMODE) == O_ACCMODE)
		return rstr_bad(ctx, obj->rec, "flags %#o", flags);
	return 0;
}

/*
 * A shell's jobs share one description with it. So does the task from now on,
 * unless the caller's can't do what the task's could.
 */
static int ckpt_file_tty_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file *rec = rstr_payload(obj->rec);
	u32 flags = le32_to_cpu(rec->flags);
	fmode_t mode = OPEN_FMODE(flags) & (FMODE_READ | FMODE_WRITE);
	struct file *file;

	if (!ctx->tty)
		return ckpt_refuse(&ctx->log, -ENXIO,
				   "a terminal is needed, and the caller has none");
	if ((ctx->tty->f_mode & mode) == mode)
		file = get_file(ctx->tty);
	else
		file = file_open_root(&ctx->tty->f_path, "",
				      flags | O_NOCTTY, 0);
	if (IS_ERR(file))
		return ckpt_refuse(&ctx->log, PTR_ERR(file), "terminal %pD: %pe",
				   ctx->tty, file);
	obj->ptr = file;
	return 0;
}

const struct ckpt_kind ckpt_file_tty_kind = {
	.type		= CKPT_REC_FILE_TTY,
	.family		= CKPT_FILE,
	.name		= "terminal",
	.size		= sizeof(struct ckpt_rec_file),
	.match		= ckpt_file_tty_match,
	.checkpoint	= ckpt_file_tty_checkpoint,
	.check		= ckpt_file_tty_check,
	.restore	= ckpt_file_tty_restore,
};
#endif
