// SPDX-License-Identifier: GPL-2.0-only
/*
 * Digests: what the pages of shared memory, and of files that an image brings along,
 * were when they were checkpointed last, so that the next image can leave out those
 * that are the same.
 *
 * Such pages can be written to by many processes, by system calls, and by the kernel
 * on their behalf. To be told of each first write would cost all of these a fault,
 * and a hook in each file system. So pages are not tracked, but a sum of each is
 * remembered, and compared: that costs the processes nothing, and takes the time that
 * it takes to read the pages, when nobody is stopped any more.
 *
 * The sum is of 64 bits: two pages that differ have the same one in one of 2^64
 * cases. As what is in memory may come from anybody, it takes a key that nobody
 * knows, so that such pages can't be made on purpose.
 *
 * By the sum alone is it decided what is the same. Which object is compared with which
 * is found by the address of the inode, and if that is another one by now, its pages
 * are found to be others, or to be the same all the same.
 *
 * They are held by the bases of the address spaces that were in the image, and go
 * when the last of these goes.
 */
#include <linux/cleanup.h>
#include <linux/fs.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/slab.h>

#include "base.h"
#include "checkpoint.h"
#include "digest.h"
#include "pages.h"

static struct ckpt_digests *ckpt_digests_alloc(void)
{
	struct ckpt_digests *digests;

	digests = kzalloc(sizeof(*digests), GFP_KERNEL_ACCOUNT);
	if (!digests)
		return NULL;
	refcount_set(&digests->users, 1);
	get_random_bytes(&digests->key, sizeof(digests->key));
	hash_init(digests->objects);
	return digests;
}

struct ckpt_digests *ckpt_digests_get(struct ckpt_digests *digests)
{
	if (digests)
		refcount_inc(&digests->users);
	return digests;
}

void ckpt_digests_put(struct ckpt_digests *digests)
{
	struct ckpt_digest *digest;
	struct hlist_node *next;
	int bucket;

	if (!digests || !refcount_dec_and_test(&digests->users))
		return;
	hash_for_each_safe(digests->objects, bucket, next, digest, node) {
		ckpt_buf_free(&digest->pages);
		kfree(digest);
	}
	kfree(digests);
}

/* All bases of the parent have the same. */
static const struct ckpt_digests *ckpt_digests_of_parent(struct ckpt_ctx *ctx)
{
	struct ckpt_base *base;

	list_for_each_entry(base, &ctx->bases, list)
		if (base->digests)
			return base->digests;
	return NULL;
}

/**
 * ckpt_digests_begin() - get ready for the digests of an image
 * @ctx: the checkpoint; ckpt_bases_release() gives them back
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_digests_begin(struct ckpt_ctx *ctx)
{
	const struct ckpt_digests *parent = ckpt_digests_of_parent(ctx);

	if (!(ctx->flags & CHECKPOINT_TRACK))
		return 0;
	ctx->digests = ckpt_digests_alloc();
	if (!ctx->digests)
		return -ENOMEM;
	if (parent)
		ctx->digests->key = parent->key;
	return 0;
}

static const struct ckpt_digest *ckpt_digest_find(struct ckpt_ctx *ctx,
						  const struct inode *inode)
{
	const struct ckpt_digests *digests = ckpt_digests_of_parent(ctx);
	const struct ckpt_digest *digest;

	if (!digests)
		return NULL;
	hash_for_each_possible(digests->objects, digest, node,
			       (unsigned long)inode)
		if (digest->inode == inode)
			return digest;
	return NULL;
}

/**
 * ckpt_digest_begin() - get ready for the digests of an object
 * @ctx: the checkpoint
 * @mem: its memory; one that is private has none
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_digest_begin(struct ckpt_ctx *ctx, struct ckpt_memory *mem)
{
	struct ckpt_digest *digest;

	if (mem->file)
		mem->inode = file_inode(mem->file);
	if (!mem->inode)
		return 0;
	mem->parent = ckpt_digest_find(ctx, mem->inode);
	if (!ctx->digests)
		return 0;
	digest = kzalloc(sizeof(*digest), GFP_KERNEL_ACCOUNT);
	if (!digest)
		return -ENOMEM;
	digest->inode = mem->inode;
	digest->ref = mem->ref;
	digest->key = ctx->digests->key;
	hash_add(ctx->digests->objects, &digest->node,
		 (unsigned long)mem->inode);
	mem->digest = digest;
	return 0;
}

static bool ckpt_digest_is_same(struct ckpt_memory *mem, pgoff_t index, u64 sum)
{
	const struct ckpt_digest_page *page;
	size_t nr;

	if (!mem->parent)
		return false;
	page = mem->parent->pages.data;
	nr = mem->parent->pages.len / sizeof(*page);
	while (mem->parent_next < nr && page[mem->parent_next].index < index)
		mem->parent_next++;
	page += mem->parent_next;
	return mem->parent_next < nr && page->index == index &&
	       page->sum == sum;
}

/**
 * ckpt_digest_add() - take note of what a page is
 * @mem: the memory
 * @index: of the page, which is behind all that were added
 * @data: what is in it, other than zeros
 * @same: whether the parent has the same there
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_digest_add(struct ckpt_memory *mem, pgoff_t index, const void *data,
		    bool *same)
{
	const struct ckpt_digest *digest = mem->digest ?: mem->parent;
	struct ckpt_digest_page *page;
	u64 sum;

	*same = false;
	if (!digest)
		return 0;
	sum = siphash(data, PAGE_SIZE, &digest->key);
	*same = ckpt_digest_is_same(mem, index, sum);
	if (!mem->digest)
		return 0;
	page = ckpt_buf_add(&mem->digest->pages, sizeof(*page));
	if (IS_ERR(page))
		return PTR_ERR(page);
	page->index = index;
	page->sum = sum;
	return 0;
}
