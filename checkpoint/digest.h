/* SPDX-License-Identifier: GPL-2.0-only */
/* Digests: what the pages of shared memory and of files were in the last image. */
#ifndef _CHECKPOINT_DIGEST_H
#define _CHECKPOINT_DIGEST_H

#include <linux/hashtable.h>
#include <linux/refcount.h>
#include <linux/siphash.h>
#include <linux/types.h>

#include "image.h"

struct ckpt_ctx;
struct ckpt_memory;
struct inode;

/**
 * struct ckpt_digest_page - what a page was
 * @index: of the page
 * @sum: of all that was in it
 */
struct ckpt_digest_page {
	pgoff_t	index;
	u64	sum;
};

/**
 * struct ckpt_digest - what the pages of an object were
 * @node: in ckpt_digests.objects
 * @inode: of it, to be compared and no more: there may be another one by now
 * @ref: reference to the object in the image
 * @key: of ckpt_digests
 * @pages: struct ckpt_digest_page, by ascending index; those that were zero left out
 */
struct ckpt_digest {
	struct hlist_node	node;
	const struct inode	*inode;
	u32			ref;
	siphash_key_t		key;
	struct ckpt_buf		pages;
};

/**
 * struct ckpt_digests - of all such objects in an image
 * @users: who holds it: the checkpoint, and the bases that the image has left
 * @key: of the sums, and a secret; that of the parent, if there is one
 * @objects: struct ckpt_digest, by @inode; they do not change once the image is
 *	written
 */
struct ckpt_digests {
	refcount_t		users;
	siphash_key_t		key;
	DECLARE_HASHTABLE(objects, 8);
};

int ckpt_digests_begin(struct ckpt_ctx *ctx);
struct ckpt_digests *ckpt_digests_get(struct ckpt_digests *digests);
void ckpt_digests_put(struct ckpt_digests *digests);

int ckpt_digest_begin(struct ckpt_ctx *ctx, struct ckpt_memory *mem);
int ckpt_digest_add(struct ckpt_memory *mem, pgoff_t index, const void *data,
		    bool *same);

#endif
