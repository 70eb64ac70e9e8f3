// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contents of files that the image has to bring along, since nothing leads to
 * them: as pages of the page section, from the file to the stream and from there
 * to a new file. Holes are not stored, and are holes again.
 */
#include <linux/bvec.h>
#include <linux/cleanup.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "checkpoint.h"
#include "digest.h"
#include "pages.h"

/* What is copied at a time. */
#define CKPT_COPY_SIZE	SZ_256K

/* The data that comes next, from @pos on. Returns 1, 0 at the end, or an error. */
static int ckpt_contents_next(struct file *file, loff_t *pos, loff_t *end)
{
	loff_t ret;

	ret = vfs_llseek(file, *pos, SEEK_DATA);
	if (ret == -ENXIO)
		return 0;
	if (ret >= 0) {
		*pos = ret;
		ret = vfs_llseek(file, *pos, SEEK_HOLE);
	}
	if (ret < 0)
		return ret;
	*end = ret;
	return 1;
}

static int ckpt_contents_copy_data(struct file *from, struct file *to,
				   loff_t pos, loff_t end, void *buf)
{
	loff_t at = pos;
	ssize_t ret;

	while (pos < end) {
		if (fatal_signal_pending(current))
			return -EINTR;
		ret = kernel_read(from, buf, min(end - pos, CKPT_COPY_SIZE),
				  &pos);
		if (ret <= 0)
			return ret ?: -EIO;
		ret = kernel_write(to, buf, ret, &at);
		if (ret < 0)
			return ret;
		if (at != pos)
			return -ENOMEM;
		cond_resched();
	}
	return 0;
}

static int ckpt_contents_copy_all(struct file *from, struct file *to)
{
	void *buf = kvmalloc(CKPT_COPY_SIZE, GFP_KERNEL_ACCOUNT);
	loff_t pos = 0, end;
	int ret;

	if (!buf)
		return -ENOMEM;
	while ((ret = ckpt_contents_next(from, &pos, &end)) > 0) {
		ret = ckpt_contents_copy_data(from, to, pos, end, buf);
		if (ret)
			break;
		pos = end;
	}
	kvfree(buf);
	return ret;
}

/* In memory that can be swapped out, and with the same holes. */
static struct file *ckpt_contents_copy(struct file *from)
{
	struct file *to;
	int err;

	to = shmem_kernel_file_setup("checkpoint",
				     i_size_read(file_inode(from)),
				     VM_NORESERVE);
	/* Which for want of an inode speaks of a device that is full. */
	if (to == ERR_PTR(-ENOSPC))
		return ERR_PTR(-ENOMEM);
	if (IS_ERR(to))
		return to;
	err = ckpt_contents_copy_all(from, to);
	if (!err)
		return to;
	fput(to);
	return ERR_PTR(err);
}

/**
 * ckpt_contents_add() - have the image hold what is in a file
 * @ctx: the checkpoint, whose last object the file is
 * @file: open for reading; a reference is taken, and kept until the image is
 *	written
 * @copied: whether the tasks run on before that, so that there has to be a copy
 *
 * Return: 0 or a negative errno.
 */
int ckpt_contents_add(struct ckpt_ctx *ctx, struct file *file, bool copied)
{
	struct ckpt_memory *mem = ckpt_memory_add(ctx);
	struct file *copy;

	if (!mem)
		return -ENOMEM;
	mem->file = get_file(file);
	if (!copied)
		return 0;
	copy = ckpt_contents_copy(file);
	if (IS_ERR(copy))
		return PTR_ERR(copy);
	mem->copy = copy;
	return 0;
}

/* One page of a file; behind the end of that there are zeros. */
static int ckpt_contents_read_page(struct file *file, loff_t pos, void *buf)
{
	size_t got = 0;
	ssize_t ret;

	while (got < PAGE_SIZE) {
		ret = kernel_read(file, buf + got, PAGE_SIZE - got, &pos);
		if (ret < 0)
			return ret;
		if (!ret)
			break;
		got += ret;
	}
	memset(buf + got, 0, PAGE_SIZE - got);
	return 0;
}

/* A page that has data in it; @buf is NULL where nobody wants to know which. */
static int ckpt_contents_map_page(struct ckpt_memory *mem, struct file *file,
				  u64 pos, void *buf)
{
	bool same = false;
	int err = 0;

	if (buf) {
		if (fatal_signal_pending(current))
			return -EINTR;
		err = ckpt_contents_read_page(file, pos, buf) ?:
		      ckpt_digest_add(mem, pos >> PAGE_SHIFT, buf, &same);
		cond_resched();
	}
	return err ?: ckpt_run_add(mem, pos, same ? CKPT_RUN_PARENT : 0);
}

static int ckpt_contents_map_all(struct ckpt_memory *mem, void *buf)
{
	struct file *file = mem->copy ?: mem->file;
	loff_t pos = 0, end;
	int ret;

	while ((ret = ckpt_contents_next(file, &pos, &end)) > 0) {
		u64 from = round_down(pos, PAGE_SIZE);
		u64 to = round_up(end, PAGE_SIZE);

		/* Of another piece of data, on the same page. */
		from = max(from, ckpt_run_end(mem));
		for (; from < to; from += PAGE_SIZE) {
			ret = ckpt_contents_map_page(mem, file, from, buf);
			if (ret)
				return ret;
		}
		pos = end;
		cond_resched();
	}
	return ret;
}

/**
 * ckpt_contents_map() - find out which pages of a file there are
 * @mem: the file as a memory object
 *
 * Return: 0 or a negative errno.
 */
int ckpt_contents_map(struct ckpt_memory *mem)
{
	void *buf __free(kfree) = NULL;

	if (mem->digest || mem->parent) {
		buf = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
		if (!buf)
			return -ENOMEM;
	}
	return ckpt_contents_map_all(mem, buf);
}

static int ckpt_contents_read(struct file *file, loff_t pos, unsigned int nr,
			      struct bio_vec *bvec)
{
	size_t size = (size_t)nr << PAGE_SHIFT;
	struct iov_iter iter;
	ssize_t ret;

	iov_iter_bvec(&iter, ITER_DEST, bvec, nr, size);
	while (iov_iter_count(&iter)) {
		ret = vfs_iter_read(file, &iter, &pos, 0);
		if (ret < 0)
			return ret == -ERESTARTSYS ? -EINTR : ret;
		/* The end of the last page is behind that of the file. */
		if (!ret)
			return iov_iter_zero(iov_iter_count(&iter), &iter) ?
			       0 : -EIO;
	}
	return 0;
}

/**
 * ckpt_contents_alloc() - pages for what is read from a file or the stream
 * @nr: how many
 * @pages: where they go
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_contents_alloc(unsigned int nr, struct page **pages)
{
	for (unsigned int i = 0; i < nr; i++) {
		pages[i] = alloc_page(GFP_HIGHUSER | __GFP_ACCOUNT);
		if (pages[i])
			continue;
		while (i--)
			put_page(pages[i]);
		return -ENOMEM;
	}
	return 0;
}

/**
 * ckpt_contents_pages() - copies of pages of a file that lie side by side
 * @mem: the file as a memory object
 * @pos: where the first starts
 * @nr: how many, up to CKPT_PAGE_BATCH
 * @pages: where they go; references are held
 * @bvec: as many, to work with
 *
 * Return: 0 or a negative errno.
 */
int ckpt_contents_pages(struct ckpt_memory *mem, loff_t pos, unsigned int nr,
			struct page **pages, struct bio_vec *bvec)
{
	struct file *file = mem->copy ?: mem->file;
	int err;

	err = ckpt_contents_alloc(nr, pages);
	if (err)
		return err;
	for (unsigned int i = 0; i < nr; i++)
		bvec_set_page(&bvec[i], pages[i], PAGE_SIZE, 0);
	err = ckpt_contents_read(file, pos, nr, bvec);
	if (err)
		for (unsigned int i = 0; i < nr; i++)
			put_page(pages[i]);
	return err;
}

/**
 * ckpt_contents_write() - write pages to the file that they are of
 * @file: the file, as large as it is to be
 * @pos: where the first starts
 * @nr: how many
 * @bvec: the pages
 *
 * Return: 0 or a negative errno.
 */
int ckpt_contents_write(struct file *file, loff_t pos, unsigned int nr,
			const struct bio_vec *bvec)
{
	loff_t end = min(i_size_read(file_inode(file)),
			 pos + ((loff_t)nr << PAGE_SHIFT));
	struct iov_iter iter;
	ssize_t ret = 0;

	if (end <= pos)
		return 0;
	iov_iter_bvec(&iter, ITER_SOURCE, bvec, nr, end - pos);
	while (iov_iter_count(&iter)) {
		ret = vfs_iter_write(file, &iter, &pos, 0);
		if (ret <= 0)
			break;
	}
	if (ret > 0)
		return 0;
	if (!ret)
		return -EIO;
	return ret == -ERESTARTSYS ? -EINTR : ret;
}
