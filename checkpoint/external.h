/* SPDX-License-Identifier: GPL-2.0-only */
/* What leads outside of the tree: named at checkpoint, supplied at restart. */
#ifndef _CHECKPOINT_EXTERNAL_H
#define _CHECKPOINT_EXTERNAL_H

#include <linux/types.h>

struct checkpoint_external;
struct ckpt_log;
struct file;

/**
 * struct ckpt_external - a file that the restarter supplies
 * @name: as /proc/PID/fd shows it
 * @file: restart: what is supplied, a reference held
 * @used: checkpoint: the tree has such a file
 */
struct ckpt_external {
	char		*name;
	struct file	*file;
	bool		used;
};

/**
 * struct ckpt_externals - all that the caller named
 * @nr: how many
 * @ext: these; several may have one name, as the ends of a pipe do
 */
struct ckpt_externals {
	u32			nr;
	struct ckpt_external	*ext;
};

int ckpt_externals_read(struct ckpt_externals *externals,
			const struct checkpoint_external __user *from, u32 nr,
			bool files);
void ckpt_externals_release(struct ckpt_externals *externals);
int ckpt_externals_unused(struct ckpt_log *log,
			  const struct ckpt_externals *externals);

#endif
