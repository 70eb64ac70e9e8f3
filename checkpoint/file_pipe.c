// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pipes and fifos. Built as a part of fs/pipe.c, which alone knows what is in
 * one and how it gets there.
 *
 * What is between the ends is an object of its own, which the descriptions of
 * the ends refer to: there may be any number of these, on either side or both.
 * They are opened again all together, by the first who asks for one of them, so
 * that no task ever sees an end that was closed, or misses one.
 */
#ifdef CONFIG_CHECKPOINT
#include <linux/namei.h>

#include "checkpoint.h"
#include "file.h"
#include "limits.h"
#include "restart.h"

/* What open(2) would not take for a fifo. */
#define CKPT_PIPE_FLAGS	(CKPT_O_KNOWN & ~O_DIRECTORY)

static bool ckpt_file_is_pipe(const struct file *file)
{
	return file->f_op == &pipefifo_fops;
}

static bool ckpt_file_is_named(const struct file *file)
{
	return file_inode(file)->i_sb->s_magic != PIPEFS_MAGIC;
}

/* What is between the ends. */

/* One that holds nothing is left over from a write that failed. */
static u32 ckpt_pipe_count(const struct pipe_inode_info *pipe)
{
	u32 nr = 0;

	for (unsigned int i = pipe->tail; i != pipe->head; i++)
		nr += !!pipe_buf(pipe, i)->len;
	return nr;
}

static int ckpt_pipe_buf_save(struct ckpt_ctx *ctx,
			      struct pipe_inode_info *pipe,
			      struct pipe_buffer *buf)
{
	struct ckpt_rec_pipe_buf *rec;
	u32 flags = 0;
	int err;

	/* Pages of a file that were spliced may still be on their way. */
	err = pipe_buf_confirm(pipe, buf);
	if (err)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "pipe: contents can't be read: %pe: not supported",
				   ERR_PTR(err));
	if ((size_t)buf->offset + buf->len > PAGE_SIZE ||
	    (buf->flags & PIPE_BUF_FLAG_WHOLE))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "pipe: contents of its own kind: not supported");
	rec = ckpt_part_add(ctx, CKPT_REC_PIPE_BUF, sizeof(*rec) + buf->len);
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	if (buf->flags & PIPE_BUF_FLAG_PACKET)
		flags |= CKPT_PIPE_BUF_PACKET;
	if (buf->flags & PIPE_BUF_FLAG_CAN_MERGE)
		flags |= CKPT_PIPE_BUF_MERGE;
	rec->offset = cpu_to_le32(buf->offset);
	rec->flags = cpu_to_le32(flags);
	memcpy_from_page((char *)rec->data, buf->page, buf->offset, buf->len);
	return 0;
}

static int ckpt_pipe_save(struct ckpt_ctx *ctx, struct inode *inode,
			  struct pipe_inode_info *pipe)
{
	struct user_namespace *ns = current_user_ns();
	struct pipe_buffer *buf;
	struct ckpt_rec_pipe *rec;
	int err = 0;

	rec = ckpt_object_add(ctx, CKPT_REC_PIPE, &inode->i_pipe, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->slots = cpu_to_le32(pipe->max_usage);
	rec->nr_bufs = cpu_to_le32(ckpt_pipe_count(pipe));
	rec->mode = cpu_to_le32(inode->i_mode & S_IALLUGO);
	rec->uid = cpu_to_le32(from_kuid_munged(ns, inode->i_uid));
	rec->gid = cpu_to_le32(from_kgid_munged(ns, inode->i_gid));
	for (unsigned int i = pipe->tail; i != pipe->head && !err; i++) {
		buf = pipe_buf(pipe, i);
		if (buf->len)
			err = ckpt_pipe_buf_save(ctx, pipe, buf);
	}
	return err;
}

/* The description that led here has it open. */
static int ckpt_pipe_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct pipe_inode_info **p = obj, *pipe = *p;
	struct inode *inode = container_of(p, struct inode, i_pipe);
	int err;

	if (pipe_has_watch_queue(pipe))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "notification pipe: not supported");
	pipe_lock(pipe);
	if (pipe->max_usage > CKPT_PIPE_SLOTS_MAX)
		err = ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				  "pipe of %u pages: not supported",
				  pipe->max_usage);
	else
		err = ckpt_pipe_save(ctx, inode, pipe);
	pipe_unlock(pipe);
	return err;
}

/* Each description is one; the reference to the inode is none. */
static int ckpt_pipe_users(void *obj)
{
	struct pipe_inode_info *const *pipe = obj;

	return READ_ONCE((*pipe)->files) + 1;
}

static u32 ckpt_pipe_buf_len(const struct ckpt_record *rec)
{
	return rstr_size(rec) - sizeof(struct ckpt_rec_pipe_buf);
}

static int ckpt_pipe_buf_check(struct rstr_ctx *ctx,
			       const struct ckpt_record *rec)
{
	const struct ckpt_rec_pipe_buf *buf = rstr_payload(rec);
	u32 flags = le32_to_cpu(buf->flags);
	u32 len = ckpt_pipe_buf_len(rec);

	if (!len || (u64)le32_to_cpu(buf->offset) + len > PAGE_SIZE)
		return rstr_bad(ctx, rec, "%u bytes at %u", len,
				le32_to_cpu(buf->offset));
	if (flags & ~CKPT_PIPE_BUF_KNOWN || flags == CKPT_PIPE_BUF_KNOWN)
		return rstr_bad(ctx, rec, "flags %#x", flags);
	return 0;
}

static int ckpt_pipe_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_pipe *rec = rstr_payload(obj->rec);
	u32 slots = le32_to_cpu(rec->slots);
	const struct ckpt_record *buf;
	u32 nr = 0;

	if (!is_power_of_2(slots) || slots > CKPT_PIPE_SLOTS_MAX)
		return rstr_bad(ctx, obj->rec, "room for %u pages", slots);
	rstr_for_each_part(buf, obj, CKPT_REC_PIPE_BUF)
		nr++;
	if (nr != le32_to_cpu(rec->nr_bufs) || nr > slots)
		return rstr_bad(ctx, obj->rec, "%u buffers, not %u", nr,
				le32_to_cpu(rec->nr_bufs));
	if (le32_to_cpu(rec->mode) & ~S_IALLUGO || rec->reserved)
		return rstr_bad(ctx, obj->rec, "mode %#o",
				le32_to_cpu(rec->mode));
	return 0;
}

/* Locked, and with a free slot. */
static int ckpt_pipe_buf_restore(struct pipe_inode_info *pipe,
				 const struct ckpt_record *rec)
{
	const struct ckpt_rec_pipe_buf *p = rstr_payload(rec);
	struct pipe_buffer *buf = pipe_head_buf(pipe);
	struct page *page;

	page = alloc_page(GFP_HIGHUSER | __GFP_ACCOUNT | __GFP_ZERO);
	if (!page)
		return -ENOMEM;
	*buf = (struct pipe_buffer){
		.page = page,
		.ops = &anon_pipe_buf_ops,
		.offset = le32_to_cpu(p->offset),
		.len = ckpt_pipe_buf_len(rec),
	};
	if (p->flags & cpu_to_le32(CKPT_PIPE_BUF_PACKET))
		buf->flags |= PIPE_BUF_FLAG_PACKET;
	if (p->flags & cpu_to_le32(CKPT_PIPE_BUF_MERGE))
		buf->flags |= PIPE_BUF_FLAG_CAN_MERGE;
	memcpy_to_page(page, buf->offset, (const char *)p->data, buf->len);
	pipe->head++;
	return 0;
}

static int ckpt_pipe_fill(struct rstr_ctx *ctx, struct rstr_obj *obj,
			  struct pipe_inode_info *pipe)
{
	const struct ckpt_rec_pipe *rec = rstr_payload(obj->rec);
	u32 slots = le32_to_cpu(rec->slots);
	const struct ckpt_record *buf;
	long ret = 0;

	/* As fcntl(2) F_SETPIPE_SZ, limits included. */
	if (slots != pipe->max_usage)
		ret = pipe_set_size(pipe, slots << PAGE_SHIFT);
	if (ret < 0)
		return ckpt_refuse(&ctx->log, ret, "pipe of %u pages: %pe",
				   slots, ERR_PTR(ret));
	rstr_for_each_part(buf, obj, CKPT_REC_PIPE_BUF) {
		ret = ckpt_pipe_buf_restore(pipe, buf);
		if (ret)
			return ret;
	}
	return 0;
}

/* The ends. */

static int ckpt_pipe_end_checkpoint(struct ckpt_ctx *ctx, struct file *file,
				    u32 type, u32 deleted)
{
	const struct pipe_inode_info *pipe = file->private_data;
	struct ckpt_rec_file_pipe *rec;
	u32 ref;
	int err;

	err = ckpt_save(ctx, CKPT_PIPE, &file_inode(file)->i_pipe, &ref);
	if (err)
		return err;
	rec = ckpt_file_add(ctx, file, type, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	if ((file->f_mode & FMODE_READ) && file->f_pipe == pipe->w_counter)
		rec->what = cpu_to_le32(CKPT_FILE_NO_WRITER_YET);
	rec->pipe = cpu_to_le32(ref);
	rec->deleted = cpu_to_le32(deleted);
	return 0;
}

static __le32 ckpt_pipe_end_deleted(const struct rstr_obj *end)
{
	const struct ckpt_rec_file_pipe *rec = rstr_payload(end->rec);

	return rec->deleted;
}

static int ckpt_pipe_end_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_pipe *rec = rstr_payload(obj->rec);
	u32 flags = le32_to_cpu(rec->flags);
	struct rstr_obj *pipe, *first;

	if (flags & ~CKPT_PIPE_FLAGS || (flags & O_ACCMODE) == O_ACCMODE)
		return rstr_bad(ctx, obj->rec, "flags %#o", flags);
	if (le32_to_cpu(rec->what) & ~CKPT_FILE_NO_WRITER_YET)
		return rstr_bad(ctx, obj->rec, "what %#x",
				le32_to_cpu(rec->what));
	pipe = rstr_ref(ctx, obj->rec, rec->pipe, CKPT_PIPE);
	if (!pipe)
		return -EBADMSG;
	/* The ends of a pipe are a list, which begins there. */
	first = pipe->private;
	if (first && first->kind != obj->kind)
		return rstr_bad(ctx, obj->rec, "of a pipe that is a %s",
				first->kind->name);
	if (first && ckpt_pipe_end_deleted(first) != rec->deleted)
		return rstr_bad(ctx, obj->rec, "of two fifos");
	obj->private = first;
	pipe->private = obj;
	return 0;
}

static u32 ckpt_pipe_end_flags(const struct rstr_obj *end)
{
	const struct ckpt_rec_file_pipe *rec = rstr_payload(end->rec);

	return le32_to_cpu(rec->flags);
}

/**
 * struct ckpt_pipe_work - a pipe whose ends are being opened
 * @path: leads to it; held
 * @spare: ends that exist before those of the image are opened: of a new pipe
 *	one to read from and one to write to, which become ends of the image if
 *	it has such; of a fifo that no end reads from one to open the others
 *	with. Or NULL
 * @nr: how many ends it has by now
 */
struct ckpt_pipe_work {
	struct path	path;
	struct file	*spare[2];
	unsigned int	nr;
};

static struct file *ckpt_pipe_take_spare(struct ckpt_pipe_work *work, u32 mode)
{
	struct file *file = NULL;

	if (mode == O_RDONLY)
		swap(file, work->spare[0]);
	else if (mode == O_WRONLY)
		swap(file, work->spare[1]);
	return file;
}

/* By way of the pipe that is there, as one opens /proc/PID/fd/N. */
static struct file *ckpt_pipe_open(struct rstr_ctx *ctx, struct rstr_obj *end,
				   struct ckpt_pipe_work *work)
{
	u32 flags = ckpt_pipe_end_flags(end);
	struct file *file;

	file = ckpt_pipe_take_spare(work, flags & O_ACCMODE);
	if (file)
		return file;
	work->nr++;
	return file_open_root(&work->path, "",
			      (flags & ~O_DIRECT) | O_NONBLOCK, 0);
}

/* One that was deleted is there again, though nothing leads to it. */
static int ckpt_fifo_deleted(struct rstr_ctx *ctx, __le32 deleted,
			     struct path *path)
{
	struct file *file = rstr_get(ctx, rstr_obj(ctx, deleted));

	if (IS_ERR(file))
		return PTR_ERR(file);
	*path = file->f_path;
	path_get(path);
	return 0;
}

static int ckpt_fifo_find(struct rstr_ctx *ctx, struct rstr_obj *end,
			  struct path *path)
{
	__le32 deleted = ckpt_pipe_end_deleted(end);
	const char *name;
	int err;

	if (deleted)
		return ckpt_fifo_deleted(ctx, deleted, path);
	name = rstr_path(rstr_part_first(end, CKPT_REC_PATH));
	err = kern_path(name, LOOKUP_FOLLOW, path);
	if (!err && !S_ISFIFO(d_backing_inode(path->dentry)->i_mode)) {
		path_put(path);
		err = -ESTALE;
	}
	if (err)
		return ckpt_refuse(&ctx->log, err, "fifo %s: %pe", name,
				   ERR_PTR(err));
	return 0;
}

static struct file *ckpt_fifo_open(struct rstr_ctx *ctx, struct rstr_obj *end,
				   struct ckpt_pipe_work *work)
{
	u32 flags = ckpt_pipe_end_flags(end);
	struct file *file = ERR_PTR(-ESTALE);
	struct path path;
	int err;

	err = ckpt_fifo_find(ctx, end, &path);
	if (err)
		return ERR_PTR(err);
	work->nr++;
	if (d_backing_inode(path.dentry) == d_backing_inode(work->path.dentry))
		file = file_open_root(&path, "",
				      (flags & ~O_DIRECT) | O_NONBLOCK, 0);
	path_put(&path);
	return file;
}

static int ckpt_pipe_end_open(struct rstr_ctx *ctx, struct rstr_obj *end,
			      struct ckpt_pipe_work *work)
{
	bool named = end->kind == &ckpt_file_fifo_kind;
	struct file *file;

	file = named ? ckpt_fifo_open(ctx, end, work) :
		       ckpt_pipe_open(ctx, end, work);
	if (IS_ERR(file))
		return ckpt_refuse(&ctx->log, PTR_ERR(file),
				   "%s: can't be opened: %pe", end->kind->name,
				   file);
	end->ptr = file;
	return 0;
}

/* Those who only write come last, as a fifo that nobody reads has no room for
 * them.
 */
static int ckpt_pipe_ends_open(struct rstr_ctx *ctx, struct rstr_obj *pipe,
			       struct ckpt_pipe_work *work)
{
	static const u32 modes[] = { O_RDWR, O_RDONLY, O_WRONLY };
	struct rstr_obj *end;
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		for (end = pipe->private; end; end = end->private) {
			if ((ckpt_pipe_end_flags(end) & O_ACCMODE) != modes[i])
				continue;
			err = ckpt_pipe_end_open(ctx, end, work);
			if (err)
				return err;
		}
	return 0;
}

/* What could not be had by opening them. */
static void ckpt_pipe_ends_finish(struct rstr_obj *pipe, unsigned int w_counter)
{
	const struct ckpt_rec_file_pipe *rec;
	struct rstr_obj *end;
	struct file *file;

	for (end = pipe->private; end; end = end->private) {
		rec = rstr_payload(end->rec);
		file = end->ptr;
		ckpt_file_set_flags(file, le32_to_cpu(rec->flags));
		file->f_pipe = rec->what ? w_counter : 0;
	}
}

static bool ckpt_pipe_has_reader(const struct rstr_obj *pipe)
{
	const struct rstr_obj *end;

	for (end = pipe->private; end; end = end->private)
		if ((ckpt_pipe_end_flags(end) & O_ACCMODE) != O_WRONLY)
			return true;
	return false;
}

static int ckpt_pipe_create(struct rstr_ctx *ctx, struct ckpt_pipe_work *work)
{
	int err = create_pipe_files(work->spare, 0);

	if (err == -ENFILE)
		return ckpt_refuse(&ctx->log, err,
				   "no memory for one more pipe (fs.pipe-user-pages-hard), or file (fs.file-max)");
	if (err)
		return err;
	/* As pipe(2) has it. */
	work->spare[0]->f_mode |= FMODE_NOWAIT;
	work->spare[1]->f_mode |= FMODE_NOWAIT;
	work->path = work->spare[0]->f_path;
	path_get(&work->path);
	work->nr = 2;
	return 0;
}

/* Nobody but who is in the image: his words would mix with theirs. */
static int ckpt_fifo_in_use(struct rstr_ctx *ctx, const struct path *path)
{
	return ckpt_refuse(&ctx->log, -EBUSY, "fifo %pd: is in use",
			   path->dentry);
}

static int ckpt_fifo_prepare(struct rstr_ctx *ctx, struct rstr_obj *pipe,
			     struct ckpt_pipe_work *work)
{
	struct file *file;
	int err;

	err = ckpt_fifo_find(ctx, pipe->private, &work->path);
	if (err)
		return err;
	/* To open it would wake them; who comes from now on is found later. */
	if (READ_ONCE(d_backing_inode(work->path.dentry)->i_pipe)) {
		err = ckpt_fifo_in_use(ctx, &work->path);
	} else if (!ckpt_pipe_has_reader(pipe)) {
		file = file_open_root(&work->path, "", O_RDWR | O_NONBLOCK, 0);
		err = PTR_ERR_OR_ZERO(file);
		if (err)
			ckpt_refuse(&ctx->log, err,
				    "fifo %pd: nobody reads, and can't: %pe",
				    work->path.dentry, file);
		else
			work->spare[0] = file;
		work->nr++;
	}
	if (err)
		path_put(&work->path);
	return err;
}

static int ckpt_pipe_put_together(struct rstr_ctx *ctx, struct rstr_obj *pipe,
				  struct ckpt_pipe_work *work)
{
	const struct ckpt_rec_pipe *rec = rstr_payload(pipe->rec);
	struct rstr_obj *end = pipe->private;
	struct pipe_inode_info *info;
	struct file *file;
	int err;

	err = ckpt_pipe_ends_open(ctx, pipe, work);
	if (err)
		return err;
	file = end->ptr;
	info = file->private_data;
	pipe_lock(info);
	if (READ_ONCE(info->files) == work->nr)
		err = ckpt_pipe_fill(ctx, pipe, info);
	else
		err = ckpt_fifo_in_use(ctx, &work->path);
	ckpt_pipe_ends_finish(pipe, info->w_counter);
	pipe_unlock(info);
	/* A fifo's are a matter of the file system's. */
	if (!err && !ckpt_file_is_named(file))
		err = ckpt_file_owner(ctx, file, le32_to_cpu(rec->uid),
				      le32_to_cpu(rec->gid),
				      le32_to_cpu(rec->mode));
	return err;
}

/* At once, since a reader is to see that there is no writer. */
static void ckpt_pipe_spare_close(struct ckpt_pipe_work *work)
{
	for (size_t i = 0; i < ARRAY_SIZE(work->spare); i++)
		if (work->spare[i])
			__fput_sync(work->spare[i]);
}

static int ckpt_pipe_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	struct rstr_obj *end = obj->private;
	struct ckpt_pipe_work work = {};
	struct inode *inode;
	int err;

	if (end->kind == &ckpt_file_fifo_kind)
		err = ckpt_fifo_prepare(ctx, obj, &work);
	else
		err = ckpt_pipe_create(ctx, &work);
	if (err)
		return err;
	err = ckpt_pipe_put_together(ctx, obj, &work);
	ckpt_pipe_spare_close(&work);
	if (err) {
		ckpt_files_close(end);
	} else {
		inode = d_backing_inode(work.path.dentry);
		ihold(inode);
		obj->ptr = &inode->i_pipe;
	}
	path_put(&work.path);
	return err;
}

static int ckpt_pipe_end_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_pipe *rec = rstr_payload(obj->rec);
	void *pipe = rstr_get(ctx, rstr_obj(ctx, rec->pipe));

	/* Which has opened this end with the others. */
	return PTR_ERR_OR_ZERO(pipe);
}

static bool ckpt_file_pipe_match(const void *obj)
{
	return ckpt_file_is_pipe(obj) && !ckpt_file_is_named(obj);
}

static int ckpt_file_pipe_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	return ckpt_pipe_end_checkpoint(ctx, obj, CKPT_REC_FILE_PIPE, 0);
}

static bool ckpt_file_fifo_match(const void *obj)
{
	return ckpt_file_is_pipe(obj) && ckpt_file_is_named(obj);
}

static int ckpt_file_fifo_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct file *file = obj;
	u32 deleted = 0;
	int err = 0;

	if (ckpt_path_is_deleted(&file->f_path))
		err = ckpt_deleted_by(ctx, file, &deleted);
	if (!err)
		err = ckpt_pipe_end_checkpoint(ctx, file, CKPT_REC_FILE_FIFO,
					       deleted);
	if (err || deleted)
		return err;
	return ckpt_path_add(ctx, &file->f_path);
}

static int ckpt_fifo_check_deleted(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_pipe *rec = rstr_payload(obj->rec);
	const struct ckpt_rec_deleted *fifo;
	struct rstr_obj *deleted;

	deleted = rstr_ref(ctx, obj->rec, rec->deleted, CKPT_DELETED);
	if (!deleted)
		return -EBADMSG;
	fifo = rstr_payload(deleted->rec);
	if (!S_ISFIFO(le32_to_cpu(fifo->mode)))
		return rstr_bad(ctx, obj->rec, "of what is no fifo");
	return 0;
}

static int ckpt_file_fifo_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_record *path = rstr_part_first(obj, CKPT_REC_PATH);
	const struct ckpt_rec_file_pipe *rec = rstr_payload(obj->rec);
	int err = ckpt_pipe_end_check(ctx, obj);

	if (err)
		return err;
	if (!path == !rec->deleted)
		return rstr_bad(ctx, obj->rec, "deleted, or with a path");
	return path ? rstr_path_check(ctx, path) :
		      ckpt_fifo_check_deleted(ctx, obj);
}

static int ckpt_file_pipe_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_pipe *rec = rstr_payload(obj->rec);

	if (rec->deleted)
		return rstr_bad(ctx, obj->rec, "deleted");
	return ckpt_pipe_end_check(ctx, obj);
}

static const struct ckpt_part ckpt_fifo_path_part = {
	.type		= CKPT_REC_PATH,
	.name		= "path",
	.size		= 2,
	.open_ended	= true,
	.max		= 1,
};

static const struct ckpt_part *const ckpt_file_fifo_parts[] = {
	&ckpt_fifo_path_part,
	NULL
};

static const struct ckpt_part ckpt_pipe_buf_part = {
	.type		= CKPT_REC_PIPE_BUF,
	.name		= "contents",
	.size		= sizeof(struct ckpt_rec_pipe_buf),
	.open_ended	= true,
	.max		= CKPT_PIPE_SLOTS_MAX,
	.check		= ckpt_pipe_buf_check,
};

static const struct ckpt_part *const ckpt_pipe_parts[] = {
	&ckpt_pipe_buf_part,
	NULL
};

const struct ckpt_kind ckpt_pipe_kind = {
	.type		= CKPT_REC_PIPE,
	.family		= CKPT_PIPE,
	.name		= "pipe",
	.size		= sizeof(struct ckpt_rec_pipe),
	.parts		= ckpt_pipe_parts,
	.users		= ckpt_pipe_users,
	.checkpoint	= ckpt_pipe_checkpoint,
	.check		= ckpt_pipe_check,
	.restore	= ckpt_pipe_restore,
};

const struct ckpt_kind ckpt_file_pipe_kind = {
	.type		= CKPT_REC_FILE_PIPE,
	.family		= CKPT_FILE,
	.name		= "end of a pipe",
	.size		= sizeof(struct ckpt_rec_file_pipe),
	.match		= ckpt_file_pipe_match,
	.users		= ckpt_file_users,
	.checkpoint	= ckpt_file_pipe_checkpoint,
	.check		= ckpt_file_pipe_check,
	.restore	= ckpt_pipe_end_restore,
};

const struct ckpt_kind ckpt_file_fifo_kind = {
	.type		= CKPT_REC_FILE_FIFO,
	.family		= CKPT_FILE,
	.name		= "fifo",
	.size		= sizeof(struct ckpt_rec_file_pipe),
	.parts		= ckpt_file_fifo_parts,
	.match		= ckpt_file_fifo_match,
	.users		= ckpt_file_users,
	.checkpoint	= ckpt_file_fifo_checkpoint,
	.check		= ckpt_file_fifo_check,
	.restore	= ckpt_pipe_end_restore,
};
#endif
