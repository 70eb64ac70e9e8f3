/* SPDX-License-Identifier: GPL-2.0-only */
/* Terminals: pairs of pseudo terminals, and who is controlled by one. */
#ifndef _CHECKPOINT_TTY_H
#define _CHECKPOINT_TTY_H

#include <linux/checkpoint_image.h>
#include <linux/tty.h>

struct ckpt_ctx;
struct rstr_ctx;
struct rstr_run;
struct task_struct;

static inline struct tty_struct *ckpt_file_to_tty(const struct file *file)
{
	return ((struct tty_file_private *)file->private_data)->tty;
}

int ckpt_file_pty_checkpoint(struct ckpt_ctx *ctx, void *obj);
struct tty_struct *ckpt_pty_inside(struct ckpt_ctx *ctx,
				   struct tty_struct *tty);

void ckpt_termios_save(struct ckpt_termios *rec, const struct ktermios *termios);
void ckpt_termios_load(struct ktermios *termios, const struct ckpt_termios *rec);
void ckpt_winsize_save(struct ckpt_winsize *rec, struct tty_struct *tty);
void ckpt_winsize_load(struct winsize *winsize, const struct ckpt_winsize *rec);

/* In drivers/tty/n_tty.c: what one end holds. */
int ckpt_pty_end_save(struct ckpt_ctx *ctx, struct tty_struct *tty);
int ckpt_pty_end_check(struct rstr_ctx *ctx, const struct ckpt_record *rec);
int ckpt_pty_end_restore(struct rstr_ctx *ctx, struct tty_struct *tty,
			 const struct ckpt_record *rec);

int ckpt_ctty_prepare(struct ckpt_ctx *ctx, struct task_struct *leader);
extern const struct ckpt_part ckpt_ctty_part;
struct tty_struct *ckpt_ctty_swap(struct tty_struct *tty);
void rstr_ctty_install(struct rstr_run *run);

#endif
