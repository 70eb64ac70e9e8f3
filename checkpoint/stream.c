// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stream that an image goes out to, whatever it is.
 *
 * Pages are handed over by reference where it can take them: to a pipe as buffers of
 * it, to a stream socket with MSG_SPLICE_PAGES, to a file that is open with O_DIRECT
 * by its own doing. That is safe since none of them changes any more: private pages
 * are of a duplicate, so that whoever writes to one gets a copy, for as long as the
 * reader holds on to it; all others are copies already.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fsnotify.h>
#include <linux/mm.h>
#include <linux/net.h>
#include <linux/pipe_fs_i.h>
#include <linux/sched/signal.h>
#include <linux/sched/xacct.h>
#include <linux/socket.h>
#include <linux/splice.h>
#include <linux/uio.h>

#include "checkpoint.h"
#include "limits.h"
#include "pages.h"

/* What a write that came to nothing means. */
static int ckpt_write_error(struct ckpt_ctx *ctx, ssize_t ret)
{
	if (signal_pending(current) && (!ret || ret == -ERESTARTSYS))
		return -EINTR;
	if (!ret)
		ret = -EIO;
	return ckpt_refuse(&ctx->log, ret, "the image can't be written: %pe",
			   ERR_PTR(ret));
}

/*
 * O_DIRECT may not take what is not whole pages: compressed ones, and the end of any
 * image. Where there are pages before that they are whole and aligned.
 */
static ssize_t ckpt_write_buffered(struct file *file, struct iov_iter *iter)
{
	struct kiocb kiocb;
	ssize_t ret;

	ret = rw_verify_area(WRITE, file, ckpt_pos(file), iov_iter_count(iter));
	if (ret)
		return ret;
	init_sync_kiocb(&kiocb, file);
	kiocb.ki_flags &= ~IOCB_DIRECT;
	kiocb.ki_pos = file->f_pos;
	file_start_write(file);
	ret = file->f_op->write_iter(&kiocb, iter);
	if (ret > 0)
		fsnotify_modify(file);
	file_end_write(file);
	if (ret > 0)
		file->f_pos = kiocb.ki_pos;
	return ret;
}

static bool ckpt_is_direct(struct file *file)
{
	umode_t mode = file_inode(file)->i_mode;

	return (file->f_flags & O_DIRECT) && (S_ISREG(mode) || S_ISBLK(mode));
}

static ssize_t ckpt_write_file(struct file *file, struct iov_iter *iter)
{
	u64 odd = iov_iter_count(iter) | file->f_pos;

	if (ckpt_is_direct(file) && !IS_ALIGNED(odd, PAGE_SIZE))
		return ckpt_write_buffered(file, iter);
	return vfs_iter_write(file, iter, ckpt_pos(file), 0);
}

static ssize_t ckpt_write_socket(struct file *file, struct socket *sock,
				 struct iov_iter *iter)
{
	struct msghdr msg = { .msg_flags = MSG_SPLICE_PAGES, .msg_iter = *iter };
	ssize_t ret;

	if (file->f_flags & O_NONBLOCK)
		msg.msg_flags |= MSG_DONTWAIT;
	ret = sock_sendmsg(sock, &msg);
	if (ret > 0)
		iov_iter_advance(iter, ret);
	return ret;
}

static int ckpt_write_iter(struct ckpt_ctx *ctx, struct iov_iter *iter,
			   struct socket *sock)
{
	ssize_t ret;

	while (iov_iter_count(iter)) {
		if (signal_pending(current))
			return -EINTR;
		ret = sock ? ckpt_write_socket(ctx->file, sock, iter) :
			     ckpt_write_file(ctx->file, iter);
		if (ret <= 0)
			return ckpt_write_error(ctx, ret);
		add_wchar(current, ret);
	}
	return 0;
}

/**
 * ckpt_write() - write so many bytes, all of them
 * @ctx: the checkpoint
 * @buf: from where
 * @len: how many
 *
 * Return: 0 or a negative errno.
 */
int ckpt_write(struct ckpt_ctx *ctx, const void *buf, size_t len)
{
	struct kvec kvec = { .iov_base = (void *)buf, .iov_len = len };
	struct iov_iter iter;

	iov_iter_kvec(&iter, ITER_SOURCE, &kvec, 1, len);
	return ckpt_write_iter(ctx, &iter, NULL);
}

static void ckpt_spd_release(struct splice_pipe_desc *spd, unsigned int i)
{
	put_page(spd->pages[i]);
}

static void ckpt_pipe_wake_readers(struct pipe_inode_info *pipe)
{
	wake_up_interruptible(&pipe->rd_wait);
	kill_fasync(&pipe->fasync_readers, SIGIO, POLL_IN);
}

/* With the pipe locked: wait for room as a write would; 0 if there is some. */
static ssize_t ckpt_pipe_room(struct pipe_inode_info *pipe, struct file *file)
{
	while (pipe->readers &&
	       pipe_full(pipe->head, pipe->tail, pipe->max_usage)) {
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (signal_pending(current))
			return -ERESTARTSYS;
		pipe_wait_writable(pipe);
	}
	return 0;
}

/* As many as there is room for. Those taken, and no others, are the pipe's. */
static ssize_t ckpt_pipe_add(struct pipe_inode_info *pipe, struct file *file,
			     struct page **pages, unsigned int nr)
{
	struct partial_page partial[PIPE_DEF_BUFFERS];
	struct splice_pipe_desc spd = {
		.pages		= pages,
		.partial	= partial,
		.nr_pages	= min(nr, PIPE_DEF_BUFFERS),
		.ops		= &nosteal_pipe_buf_ops,
		.spd_release	= ckpt_spd_release,
	};
	ssize_t ret;

	for (int i = 0; i < spd.nr_pages; i++) {
		partial[i] = (struct partial_page){ .len = PAGE_SIZE };
		get_page(pages[i]);
	}
	pipe_lock(pipe);
	ret = ckpt_pipe_room(pipe, file);
	if (!ret)
		ret = splice_to_pipe(pipe, &spd);
	else
		for (int i = 0; i < spd.nr_pages; i++)
			put_page(pages[i]);
	pipe_unlock(pipe);
	if (ret > 0)
		ckpt_pipe_wake_readers(pipe);
	return ret;
}

static int ckpt_pipe_write(struct ckpt_ctx *ctx, struct pipe_inode_info *pipe,
			   struct ckpt_batch *batch)
{
	unsigned int done = 0;
	ssize_t ret;

	while (done < batch->nr) {
		if (signal_pending(current))
			return -EINTR;
		ret = ckpt_pipe_add(pipe, ctx->file, batch->pages + done,
				    batch->nr - done);
		if (ret <= 0)
			return ckpt_write_error(ctx, ret);
		add_wchar(current, ret);
		done += ret >> PAGE_SHIFT;
	}
	return 0;
}

/* One that takes pages as it does bytes, one after another. */
static struct socket *ckpt_stream_socket(struct file *file)
{
	struct socket *sock = sock_from_file(file);

	return sock && sock->type == SOCK_STREAM ? sock : NULL;
}

/**
 * ckpt_write_pages() - write whole pages
 * @ctx: the checkpoint
 * @batch: the pages; the caller's references stay the caller's
 *
 * Return: 0 or a negative errno.
 */
int ckpt_write_pages(struct ckpt_ctx *ctx, struct ckpt_batch *batch)
{
	struct pipe_inode_info *pipe = get_pipe_info(ctx->file, true);
	struct iov_iter iter;

	if (pipe)
		return ckpt_pipe_write(ctx, pipe, batch);
	ckpt_batch_fill(batch);
	iov_iter_bvec(&iter, ITER_SOURCE, batch->bvec, batch->nr,
		      (size_t)batch->nr << PAGE_SHIFT);
	return ckpt_write_iter(ctx, &iter, ckpt_stream_socket(ctx->file));
}
