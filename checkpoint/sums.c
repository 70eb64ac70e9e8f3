// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checksums of pages, where they are asked for. They follow the pages, so that these
 * stay where they can be mapped; and are of some pages each, so that what is damaged
 * can be told.
 */
#include <linux/highmem.h>
#include <linux/slab.h>

#include "pages.h"
#include "restart.h"
#include "sums.h"

/* Of the table, as it is compared. */
#define CKPT_SUMS_CHUNK	512U

static int ckpt_sums_push(struct ckpt_sums *sums)
{
	__le64 *sum = ckpt_buf_add(&sums->table, sizeof(*sum));

	if (IS_ERR(sum))
		return PTR_ERR(sum);
	*sum = cpu_to_le64(xxh64_digest(&sums->state));
	sums->nr = 0;
	return 0;
}

static int ckpt_sums_add_page(struct ckpt_sums *sums, struct page *page)
{
	void *addr;

	if (!sums->nr)
		xxh64_reset(&sums->state, 0);
	addr = kmap_local_page(page);
	/* Which fails for want of bytes only. */
	xxh64_update(&sums->state, addr, PAGE_SIZE);
	kunmap_local(addr);
	return ++sums->nr < CKPT_SUM_PAGES ? 0 : ckpt_sums_push(sums);
}

/**
 * ckpt_sums_add() - have pages counted in
 * @sums: the checksums so far
 * @batch: the pages that come next in the image; nobody writes to them
 *
 * Return: 0 or a negative errno.
 */
int ckpt_sums_add(struct ckpt_sums *sums, const struct ckpt_batch *batch)
{
	int err = 0;

	for (unsigned int i = 0; i < batch->nr && !err; i++)
		err = ckpt_sums_add_page(sums, batch->pages[i]);
	return err;
}

/**
 * ckpt_sums_end() - complete the table, as no more pages come
 * @sums: the checksums
 *
 * Return: 0 or a negative errno.
 */
int ckpt_sums_end(struct ckpt_sums *sums)
{
	return sums->nr ? ckpt_sums_push(sums) : 0;
}

static int rstr_sums_compare(struct rstr_ctx *ctx, __le64 *chunk)
{
	const __le64 *sum = ctx->sums.table.data;
	u64 nr = ctx->sums.table.len / sizeof(*sum), n;
	int err;

	for (u64 at = 0; at < nr; at += n) {
		n = min(nr - at, CKPT_SUMS_CHUNK);
		err = rstr_read(ctx, chunk, n * sizeof(*chunk), "checksums");
		if (err)
			return err;
		for (u64 i = 0; i < n; i++)
			if (chunk[i] != sum[at + i])
				return rstr_pages_bad(ctx,
						      (at + i) * CKPT_SUM_PAGES,
						      CKPT_SUM_PAGES,
						      "checksum mismatch");
		cond_resched();
	}
	return 0;
}

/**
 * rstr_sums_check() - compare checksums with those of the image
 * @ctx: the restart, all pages of which have been read; its checksums come next
 *
 * Return: 0 or a negative errno.
 */
int rstr_sums_check(struct rstr_ctx *ctx)
{
	__le64 *chunk;
	int err;

	if (!rstr_image_has(ctx, CKPT_INCOMPAT_CHECKSUM))
		return 0;
	err = ckpt_sums_end(&ctx->sums);
	if (err)
		return err;
	chunk = kcalloc(CKPT_SUMS_CHUNK, sizeof(*chunk), GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return -ENOMEM;
	err = rstr_sums_compare(ctx, chunk);
	kfree(chunk);
	return err;
}
