/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory objects and their pages: from the capture to the stream, and back. */
#ifndef _CHECKPOINT_PAGES_H
#define _CHECKPOINT_PAGES_H

#include <linux/bvec.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/xarray.h>

#include "checkpoint.h"
#include "limits.h"

struct ckpt_base;
struct ckpt_digest;
struct ckpt_part;
struct ckpt_same;
struct rstr_ctx;
struct rstr_obj;

/**
 * struct ckpt_memory - the memory of one object, as it was when captured
 * @node: in ckpt_ctx.memory
 * @ref: reference to the address space or the shared memory
 * @src: the address space that it is of, if that is to be tracked; a reference to
 *	the structure is held
 * @mm: private memory: a duplicate that no task runs in
 * @base: what has @mm, where that was there before and is to stay; or NULL
 * @file: a file, open for reading,
 * @copy: and what it held, if it may be written to by now; or NULL
 * @pages: shared memory: copies of its pages, NULL where the parent has the same,
 * @index: and which pages of the object these are
 * @nr_copies: how many
 * @inode: of the shared memory or the file, to be compared; NULL of private memory
 * @digest: what its pages are, if the next image is to leave out what is the same
 * @parent: what they were in the parent; or NULL
 * @parent_next: the first of these that has not been passed
 * @runs: struct ckpt_page_run, all of them
 * @starts: of the mappings, by ascending address, as a run does not leave one
 * @nr_starts: how many there are
 * @next_start: the first that no page has reached
 * @same: pages that others may have as well, while they are looked for; or NULL
 * @same_runs: __le64, for each run of such pages where the first one is
 * @same_next: where the last one's next page would be
 * @first_page: number of the first page in the page section
 * @nr_pages: that will be in the page section
 */
struct ckpt_memory {
	struct list_head	node;
	u32			ref;
	struct mm_struct	*src;
	struct mm_struct	*mm;
	struct ckpt_base	*base;
	struct file		*file;
	struct file		*copy;
	struct page		**pages;
	pgoff_t			*index;
	unsigned long		nr_copies;
	const struct inode	*inode;
	struct ckpt_digest	*digest;
	const struct ckpt_digest *parent;
	size_t			parent_next;
	struct ckpt_buf		runs;
	unsigned long		*starts;
	u32			nr_starts;
	u32			next_start;
	struct ckpt_same	*same;
	struct ckpt_buf		same_runs;
	u64			same_next;
	u64			first_page;
	u64			nr_pages;
};

struct ckpt_memory *ckpt_memory_add(struct ckpt_ctx *ctx);
int ckpt_run_add(struct ckpt_memory *mem, u64 start, u32 flags);
u64 ckpt_run_end(struct ckpt_memory *mem);
void ckpt_memory_release(struct ckpt_ctx *ctx);
int ckpt_memory_map(struct ckpt_ctx *ctx);
int ckpt_memory_write(struct ckpt_ctx *ctx);

struct mm_struct *ckpt_mm_dup(struct mm_struct *src);
struct mm_struct *ckpt_mm_dup_ahead(struct mm_struct *src);
int ckpt_mm_renew(struct mm_struct *mm, struct mm_struct *src);

bool ckpt_vma_is_twin(struct vm_area_struct *dst, struct vm_area_struct *src);
int ckpt_part_copy(struct vm_area_struct *dst, struct vm_area_struct *src,
		   unsigned long start, unsigned long end);

int ckpt_mm_relate(struct mm_struct *dst, struct mm_struct *src,
		   unsigned long addr);
int ckpt_mm_share(struct mm_struct *dst, struct mm_struct *src,
		  unsigned long start, unsigned long end);

void ckpt_memory_ahead(struct ckpt_ctx *ctx);
struct mm_struct *ckpt_ahead_use(struct ckpt_ctx *ctx, struct mm_struct *mm);
void ckpt_ahead_release(struct ckpt_ctx *ctx);

/**
 * struct ckpt_batch - pages on their way
 * @nr: how many
 * @pages: references held
 * @bvec: the same
 */
struct ckpt_batch {
	unsigned int	nr;
	struct page	*pages[CKPT_PAGE_BATCH];
	struct bio_vec	bvec[CKPT_PAGE_BATCH];
};

int ckpt_write(struct ckpt_ctx *ctx, const void *buf, size_t len);
int ckpt_write_pages(struct ckpt_ctx *ctx, struct ckpt_batch *batch);

static inline void ckpt_batch_fill(struct ckpt_batch *batch)
{
	for (unsigned int i = 0; i < batch->nr; i++)
		bvec_set_page(&batch->bvec[i], batch->pages[i], PAGE_SIZE, 0);
}

/* Where in an image to go on reading or writing; NULL where there is no where. */
static inline loff_t *ckpt_pos(struct file *file)
{
	return file->f_mode & FMODE_STREAM ? NULL : &file->f_pos;
}

int ckpt_mm_pages(struct mm_struct *mm, unsigned long addr, unsigned int nr,
		  unsigned int flags, struct page **pages);
void ckpt_pages_put(struct page **pages, unsigned int nr);

/* Contents of files. */
int ckpt_contents_add(struct ckpt_ctx *ctx, struct file *file, bool copied);
int ckpt_contents_map(struct ckpt_memory *mem);
int ckpt_contents_alloc(unsigned int nr, struct page **pages);
int ckpt_contents_pages(struct ckpt_memory *mem, loff_t pos, unsigned int nr,
			struct page **pages, struct bio_vec *bvec);
int ckpt_contents_write(struct file *file, loff_t pos, unsigned int nr,
			const struct bio_vec *bvec);

/* Pages that several address spaces have. */

/**
 * struct ckpt_same - pages that others may have as well
 * @pages: by page frame number, the number of each in the page section; held
 * @image: the same by the index of the page in an image,
 * @mapping: which is that of the first restarted address space there was; or NULL
 */
struct ckpt_same {
	struct xarray		pages;
	struct xarray		image;
	struct address_space	*mapping;
};

void ckpt_same_init(struct ckpt_same *same);
void ckpt_same_release(struct ckpt_same *same);
bool ckpt_same_find(struct ckpt_memory *mem, struct page *page, u64 *nr);
void ckpt_same_add(struct ckpt_memory *mem, struct page *page);
bool ckpt_same_find_image(struct ckpt_memory *mem, struct address_space *mapping,
			  pgoff_t index, u64 *nr);
void ckpt_same_add_image(struct ckpt_memory *mem, struct address_space *mapping,
			 pgoff_t index);
int ckpt_same_save(struct ckpt_ctx *ctx, struct ckpt_memory *mem);

/**
 * struct rstr_same - where the pages were found that were looked up last
 * @map: the page map that has them, or NULL
 * @run: the number of the run
 * @page: the number of its first page in the page section
 */
struct rstr_same {
	const struct rstr_obj	*map;
	u32			run;
	u64			page;
};

u32 ckpt_same_nr(const struct rstr_obj *map);
const __le64 *ckpt_same_first(const struct rstr_obj *map);
int ckpt_same_check(struct rstr_ctx *ctx, struct rstr_obj *map);
struct rstr_obj *rstr_page_find(struct rstr_ctx *ctx, struct rstr_same *same,
				u64 page, u64 *start);
int ckpt_same_relate(struct rstr_ctx *ctx, const struct rstr_obj *map);
int ckpt_same_share(struct rstr_ctx *ctx, struct rstr_same *same,
		    struct rstr_obj *owner, u64 start, u64 first,
		    unsigned int *nr);
int ckpt_same_read(struct rstr_ctx *ctx, struct rstr_same *same, u64 first,
		   struct ckpt_batch *batch);
extern const struct ckpt_part ckpt_same_part;

int ckpt_memory_read(struct rstr_ctx *ctx);
int rstr_pages_bad(struct rstr_ctx *ctx, u64 page, u32 nr, const char *what);

#endif
