/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that may hold images of a chain. */
#ifndef PARENTS_H
#define PARENTS_H

#include <stdbool.h>
#include <linux/types.h>
#include <linux/checkpoint_image.h>

struct parents;

/**
 * struct candidate - a file that holds an image
 * @name: of the file
 * @uuid: of the image
 * @named: the user has named it
 * @complete: it needs no parent
 * @used: it is of the chain
 */
struct candidate {
	char	*name;
	__u8	uuid[CKPT_UUID_LEN];
	bool	named;
	bool	complete;
	bool	used;
};

/**
 * struct candidates - all of them
 * @nr: how many
 * @c: those that were named first
 */
struct candidates {
	unsigned int		nr;
	struct candidate	*c;
};

/* Returns 0; or -1 and has said why, if one that was named is no image. */
int candidates_find(struct candidates *all, const struct parents *parents);

/* The name of the one that holds the image of that UUID, or NULL. */
const char *candidates_take(struct candidates *all, const __u8 *uuid);

/* Returns 0; or -1 and has said why, if one that was named was of no use. */
int candidates_check(const struct candidates *all);
void candidates_free(struct candidates *all);

#endif
