// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pseudo terminals whose master is in the tree, and what hung up.
 *
 * The pair is an object of its own, which the descriptions of its ends refer to.
 * They are opened again all together, by the first who asks for one of them: the
 * master, by which the pair comes into being; those of the slave that vhangup(2)
 * took the terminal from, to have that happen again; and the others.
 *
 * A terminal whose master is elsewhere is shared with whoever has that, as a job
 * shares its shell's, and is file_tty.c's. What hung up for good can only be told
 * apart from a file that is at its end by being a terminal, and leads to none: it
 * may be the slave of any pair, whose master is closed.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/major.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/tty_driver.h>
/* Which leaves it to those above to declare what it speaks of. */
#include <linux/devpts_fs.h>

#include "checkpoint.h"
#include "file.h"
#include "limits.h"
#include "process.h"
#include "restart.h"
#include "stop.h"
#include "tree.h"
#include "tty.h"

/* What open(2) would take for a terminal. */
#define CKPT_PTY_FLAGS	(CKPT_O_KNOWN & ~(O_DIRECTORY | O_DIRECT))

#define CKPT_PTMX_DEV	MKDEV(TTYAUX_MAJOR, 2)
#define CKPT_CTTY_DEV	MKDEV(TTYAUX_MAJOR, 0)

static bool ckpt_tty_is_master(const struct tty_struct *tty)
{
	return tty->driver->major == UNIX98_PTY_MASTER_MAJOR;
}

static bool ckpt_tty_is_slave(const struct tty_struct *tty)
{
	return tty->driver->type == TTY_DRIVER_TYPE_PTY &&
	       tty->link && ckpt_tty_is_master(tty->link);
}

/**
 * ckpt_pty_inside() - the pair that a terminal belongs to
 * @ctx: the checkpoint
 * @tty: either end, which is open
 *
 * Return: the master, if a process of the tree has that; NULL otherwise, and if
 * it is no pseudo terminal.
 */
struct tty_struct *ckpt_pty_inside(struct ckpt_ctx *ctx, struct tty_struct *tty)
{
	struct tty_struct *master = ckpt_tty_is_slave(tty) ? tty->link : tty;
	struct tty_file_private *first;
	bool inside;

	if (!ckpt_tty_is_master(master) || ctx->tty_outside == master)
		return NULL;
	if (ckpt_is_known(ctx, master))
		return master;
	/* There is one at most; with this lock held it is not closed. */
	tty_lock(master);
	first = list_first_entry_or_null(&master->tty_files,
					 struct tty_file_private, list);
	inside = first && ckpt_tree_has_file(ctx, first->file);
	tty_unlock(master);
	if (!inside)
		ctx->tty_outside = master;
	return inside ? master : NULL;
}

/* The pair. */

void ckpt_termios_save(struct ckpt_termios *rec, const struct ktermios *termios)
{
	rec->iflag = cpu_to_le32(termios->c_iflag);
	rec->oflag = cpu_to_le32(termios->c_oflag);
	rec->cflag = cpu_to_le32(termios->c_cflag);
	rec->lflag = cpu_to_le32(termios->c_lflag);
	rec->ispeed = cpu_to_le32(termios->c_ispeed);
	rec->ospeed = cpu_to_le32(termios->c_ospeed);
	rec->line = termios->c_line;
	static_assert(sizeof(rec->cc) == sizeof(termios->c_cc));
	memcpy(rec->cc, termios->c_cc, sizeof(rec->cc));
}

void ckpt_termios_load(struct ktermios *termios, const struct ckpt_termios *rec)
{
	termios->c_iflag = le32_to_cpu(rec->iflag);
	termios->c_oflag = le32_to_cpu(rec->oflag);
	termios->c_cflag = le32_to_cpu(rec->cflag);
	termios->c_lflag = le32_to_cpu(rec->lflag);
	termios->c_ispeed = le32_to_cpu(rec->ispeed);
	termios->c_ospeed = le32_to_cpu(rec->ospeed);
	termios->c_line = rec->line;
	memcpy(termios->c_cc, rec->cc, sizeof(rec->cc));
}

void ckpt_winsize_save(struct ckpt_winsize *rec, struct tty_struct *tty)
{
	mutex_lock(&tty->winsize_mutex);
	rec->row = cpu_to_le16(tty->winsize.ws_row);
	rec->col = cpu_to_le16(tty->winsize.ws_col);
	rec->xpixel = cpu_to_le16(tty->winsize.ws_xpixel);
	rec->ypixel = cpu_to_le16(tty->winsize.ws_ypixel);
	mutex_unlock(&tty->winsize_mutex);
}

void ckpt_winsize_load(struct winsize *winsize, const struct ckpt_winsize *rec)
{
	winsize->ws_row = le16_to_cpu(rec->row);
	winsize->ws_col = le16_to_cpu(rec->col);
	winsize->ws_xpixel = le16_to_cpu(rec->xpixel);
	winsize->ws_ypixel = le16_to_cpu(rec->ypixel);
}

/*
 * Whether what was written was still on its way. As it arrives there it may send
 * signals, to tasks that have been looked at already.
 */
static bool ckpt_pty_moves(struct tty_struct *master)
{
	bool slave = flush_work(&master->link->port->buf.work);

	return flush_work(&master->port->buf.work) || slave;
}

/* Under tasklist_lock. */
static bool ckpt_session_leaves(struct ckpt_ctx *ctx, struct pid *session,
				const struct tty_struct *slave)
{
	struct task_struct *task;

	do_each_pid_task(session, PIDTYPE_SID, task) {
		if (READ_ONCE(task->signal->tty) == slave &&
		    !ckpt_stop_has(ctx->stop, task))
			return true;
	} while_each_pid_task(session, PIDTYPE_SID, task);
	return false;
}

/* Its locks are such that these are held while they are looked at. */
static int ckpt_pty_session_save(struct ckpt_ctx *ctx, struct tty_struct *slave,
				 struct ckpt_rec_pty *rec)
{
	struct pid *session, *pgrp;
	bool leaves;

	spin_lock_irq(&slave->ctrl.lock);
	session = get_pid(slave->ctrl.session);
	pgrp = get_pid(slave->ctrl.pgrp);
	spin_unlock_irq(&slave->ctrl.lock);

	read_lock(&tasklist_lock);
	leaves = ckpt_session_leaves(ctx, session, slave);
	rec->session = cpu_to_le32(ckpt_tree_group_nr(ctx, session,
						      PIDTYPE_SID));
	rec->pgrp = cpu_to_le32(ckpt_tree_group_nr(ctx, pgrp, PIDTYPE_PGID));
	read_unlock(&tasklist_lock);
	put_pid(pgrp);
	put_pid(session);
	if (leaves)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "%s: controls a process outside the tree",
				   slave->name);
	return 0;
}

static void ckpt_pty_save(struct tty_struct *master, struct ckpt_rec_pty *rec)
{
	struct tty_struct *slave = master->link;
	const struct dentry *node = slave->driver_data;
	const struct inode *inode = d_inode(node);
	struct user_namespace *ns = current_user_ns();
	u32 what = 0;

	if (test_bit(TTY_PTY_LOCK, &master->flags))
		what |= CKPT_PTY_LOCKED;
	if (master->ctrl.packet)
		what |= CKPT_PTY_PACKET;
	rec->index = cpu_to_le32(master->index);
	rec->what = cpu_to_le32(what);
	rec->mode = cpu_to_le32(inode->i_mode & S_IALLUGO);
	rec->uid = cpu_to_le32(from_kuid_munged(ns, inode->i_uid));
	rec->gid = cpu_to_le32(from_kgid_munged(ns, inode->i_gid));
	down_read(&slave->termios_rwsem);
	ckpt_termios_save(&rec->termios, &slave->termios);
	ckpt_termios_save(&rec->locked, &slave->termios_locked);
	up_read(&slave->termios_rwsem);
}

/* A description in the tree has the master, whose path is there for as long. */
static int ckpt_pty_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct tty_struct *master = obj;
	struct ckpt_rec_pty *rec;
	int err;

	if (ckpt_pty_moves(master))
		return -EAGAIN;
	rec = ckpt_object_add(ctx, CKPT_REC_PTY, master, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	ckpt_pty_save(master, rec);
	err = ckpt_pty_session_save(ctx, master->link, rec);
	if (!err)
		err = ckpt_pty_end_save(ctx, master);
	if (!err)
		err = ckpt_pty_end_save(ctx, master->link);
	return err;
}

/* Each description is one. The master is counted for the slave, too. */
static int ckpt_pty_users(void *obj)
{
	const struct tty_struct *master = obj;

	return READ_ONCE(master->link->count) + 1;
}

static int ckpt_pty_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_pty *rec = rstr_payload(obj->rec);

	if (le32_to_cpu(rec->index) >= NR_UNIX98_PTY_MAX || rec->reserved ||
	    le32_to_cpu(rec->what) & ~CKPT_PTY_WHAT_KNOWN)
		return rstr_bad(ctx, obj->rec, "number %u, flags %#x",
				le32_to_cpu(rec->index),
				le32_to_cpu(rec->what));
	if (le32_to_cpu(rec->mode) & ~S_IALLUGO)
		return rstr_bad(ctx, obj->rec, "mode %#o",
				le32_to_cpu(rec->mode));
	if (rec->termios.line != N_TTY)
		return rstr_bad(ctx, obj->rec, "line discipline %u",
				rec->termios.line);
	if (le32_to_cpu(rec->session) >= PID_MAX_LIMIT ||
	    le32_to_cpu(rec->pgrp) >= PID_MAX_LIMIT)
		return rstr_bad(ctx, obj->rec, "process group %u, session %u",
				le32_to_cpu(rec->pgrp),
				le32_to_cpu(rec->session));
	return 0;
}

/* Opening the ends. */

/*
 * Who is opening a master, and the least number that it is to have. One at a time,
 * as there is but one place to say it.
 */
static struct {
	/** @lock: held by the one who opens */
	struct mutex		lock;
	struct task_struct	*task;
	int			index;
} ckpt_ptm_opener = {
	.lock = __MUTEX_INITIALIZER(ckpt_ptm_opener.lock),
};

/**
 * ckpt_pty_index() - the least number that a new pseudo terminal may have
 *
 * Return: 0, unless current opens one by ckpt_ptm_open().
 */
int ckpt_pty_index(void)
{
	if (READ_ONCE(ckpt_ptm_opener.task) != current)
		return 0;
	return ckpt_ptm_opener.index;
}

static struct file *ckpt_tty_open_path(const struct path *path, u32 flags)
{
	return file_open_root(path, "", (flags & (O_ACCMODE | O_NONBLOCK)) |
					O_NOCTTY, 0);
}

/* What it is was looked at before, so that opening it has no other effect. */
static int ckpt_tty_find(const char *name, dev_t dev, struct path *path)
{
	const struct inode *inode;
	int err;

	err = kern_path(name, LOOKUP_FOLLOW, path);
	if (err)
		return err;
	inode = d_backing_inode(path->dentry);
	if (S_ISCHR(inode->i_mode) && inode->i_rdev == dev)
		return 0;
	path_put(path);
	return -ESTALE;
}

static struct file *ckpt_ptm_open(const char *name, u32 flags, u32 index)
{
	struct file *file;
	struct path path;
	int err;

	err = ckpt_tty_find(name, CKPT_PTMX_DEV, &path);
	if (err)
		return ERR_PTR(err);
	err = mutex_lock_killable(&ckpt_ptm_opener.lock);
	if (err) {
		path_put(&path);
		return ERR_PTR(err);
	}
	ckpt_ptm_opener.index = index;
	WRITE_ONCE(ckpt_ptm_opener.task, current);
	file = ckpt_tty_open_path(&path, flags);
	WRITE_ONCE(ckpt_ptm_opener.task, NULL);
	mutex_unlock(&ckpt_ptm_opener.lock);
	path_put(&path);
	return file;
}

/* As TIOCGPTPEER; of @flags O_PATH, too. */
static struct file *ckpt_pts_open(struct file *ptm, u32 flags)
{
	struct tty_struct *master = ckpt_file_to_tty(ptm);
	struct file *file;
	struct path path;

	path.mnt = devpts_mntget(ptm, master->driver_data);
	if (IS_ERR(path.mnt))
		return ERR_CAST(path.mnt);
	path.dentry = master->link->driver_data;
	file = dentry_open(&path, (flags & (O_ACCMODE | O_NONBLOCK | O_PATH)) |
				  O_NOCTTY, current_cred());
	mntput(path.mnt);
	return file;
}

/* It leads to whatever terminal controls current: for now, this one. */
static struct file *ckpt_ctty_open(struct file *ptm, const char *name, u32 flags)
{
	struct tty_struct *slave = ckpt_file_to_tty(ptm)->link, *old;
	struct file *file;
	struct path path;
	int err;

	err = ckpt_tty_find(name, CKPT_CTTY_DEV, &path);
	if (err)
		return ERR_PTR(err);
	old = ckpt_ctty_swap(tty_kref_get(slave));
	file = ckpt_tty_open_path(&path, flags);
	tty_kref_put(ckpt_ctty_swap(old));
	path_put(&path);
	return file;
}

static const struct ckpt_rec_file_pty *ckpt_pty_file(const struct rstr_obj *end)
{
	return rstr_payload(end->rec);
}

static bool ckpt_pty_file_is(const struct rstr_obj *end, u32 what)
{
	return le32_to_cpu(ckpt_pty_file(end)->what) & what;
}

static struct rstr_obj *ckpt_pty_master_of(const struct rstr_obj *pty)
{
	struct rstr_obj *end;

	for (end = pty->private; end; end = end->private)
		if (ckpt_pty_file_is(end, CKPT_FILE_MASTER))
			return end;
	return NULL;
}

static int ckpt_pty_end_open(struct rstr_ctx *ctx, struct rstr_obj *end,
			     struct file *ptm)
{
	const struct ckpt_record *path = rstr_part_first(end, CKPT_REC_PATH);
	u32 flags = le32_to_cpu(ckpt_pty_file(end)->flags);
	struct file *file;

	if (path)
		file = ckpt_ctty_open(ptm, rstr_path(path), flags);
	else
		file = ckpt_pts_open(ptm, flags);
	if (IS_ERR(file))
		return ckpt_refuse(&ctx->log, PTR_ERR(file),
				   "pseudo terminal: can't be opened: %pe",
				   file);
	ckpt_file_set_flags(file, flags);
	end->ptr = file;
	return 0;
}

/* Those of the slave that hung up, or those that did not. */
static int ckpt_pty_ends_open(struct rstr_ctx *ctx, struct rstr_obj *pty,
			      struct file *ptm, bool hung_up)
{
	struct rstr_obj *end;
	int err;

	for (end = pty->private; end; end = end->private) {
		if (ckpt_pty_file_is(end, CKPT_FILE_MASTER) ||
		    ckpt_pty_file_is(end, CKPT_FILE_HUNG_UP) != hung_up)
			continue;
		err = ckpt_pty_end_open(ctx, end, ptm);
		if (err)
			return err;
	}
	return 0;
}

/* By its old number, or by any if pids may be others, too. */
static struct file *ckpt_pty_create(struct rstr_ctx *ctx, struct rstr_obj *pty,
				    struct rstr_obj *end)
{
	const struct ckpt_rec_pty *rec = rstr_payload(pty->rec);
	const char *name = rstr_path(rstr_part_first(end, CKPT_REC_PATH));
	u32 index = le32_to_cpu(rec->index);
	struct file *ptm;

	ptm = ckpt_ptm_open(name, le32_to_cpu(ckpt_pty_file(end)->flags), index);
	if (IS_ERR(ptm)) {
		ckpt_refuse(&ctx->log, PTR_ERR(ptm), "%s: %pe", name, ptm);
		return ptm;
	}
	if (ckpt_file_to_tty(ptm)->index == index ||
	    (ctx->flags & RESTART_NEW_PIDS))
		return ptm;
	__fput_sync(ptm);
	return ERR_PTR(ckpt_refuse(&ctx->log, -EEXIST,
				   "pseudo terminal %u: taken", index));
}

static int ckpt_pty_node_restore(struct rstr_ctx *ctx, struct rstr_obj *pty,
				 struct file *ptm)
{
	const struct ckpt_rec_pty *rec = rstr_payload(pty->rec);
	struct file *node = ckpt_pts_open(ptm, O_PATH);
	int err;

	if (IS_ERR(node))
		return PTR_ERR(node);
	err = ckpt_file_owner(ctx, node, le32_to_cpu(rec->uid),
			      le32_to_cpu(rec->gid), le32_to_cpu(rec->mode));
	fput(node);
	return err;
}

/* Settings first, as these change what is in the line discipline. */
static int ckpt_pty_fill(struct rstr_ctx *ctx, struct rstr_obj *pty,
			 struct tty_struct *master)
{
	const struct ckpt_record *end = rstr_part_first(pty, CKPT_REC_PTY_END);
	const struct ckpt_rec_pty *rec = rstr_payload(pty->rec);
	struct tty_struct *slave = master->link;
	struct ktermios termios;
	int err;

	ckpt_termios_load(&termios, &rec->termios);
	tty_set_termios(slave, &termios);
	down_write(&slave->termios_rwsem);
	ckpt_termios_load(&slave->termios_locked, &rec->locked);
	up_write(&slave->termios_rwsem);

	err = ckpt_pty_end_restore(ctx, master, end);
	if (!err)
		err = ckpt_pty_end_restore(ctx, slave,
					   rstr_part_next(pty, end));
	spin_lock_irq(&master->ctrl.lock);
	master->ctrl.packet = !!(rec->what & cpu_to_le32(CKPT_PTY_PACKET));
	spin_unlock_irq(&master->ctrl.lock);
	assign_bit(TTY_PTY_LOCK, &master->flags,
		   le32_to_cpu(rec->what) & CKPT_PTY_LOCKED);
	return err;
}

static bool ckpt_pty_hung_up(struct rstr_obj *pty)
{
	const struct ckpt_record *end = rstr_part_first(pty, CKPT_REC_PTY_END);
	const struct ckpt_rec_pty_end *slave;
	const struct rstr_obj *file;

	slave = rstr_payload(rstr_part_next(pty, end));
	if (slave->what & cpu_to_le32(CKPT_PTY_END_HUNG_UP))
		return true;
	for (file = pty->private; file; file = file->private)
		if (ckpt_pty_file_is(file, CKPT_FILE_HUNG_UP))
			return true;
	return false;
}

static int ckpt_pty_put_together(struct rstr_ctx *ctx, struct rstr_obj *pty,
				 struct file *ptm)
{
	struct tty_struct *master = ckpt_file_to_tty(ptm);
	int err;

	clear_bit(TTY_PTY_LOCK, &master->flags);
	err = ckpt_pty_node_restore(ctx, pty, ptm);
	if (!err)
		err = ckpt_pty_ends_open(ctx, pty, ptm, true);
	if (err)
		return err;
	if (ckpt_pty_hung_up(pty))
		tty_vhangup(master->link);
	err = ckpt_pty_ends_open(ctx, pty, ptm, false);
	return err ?: ckpt_pty_fill(ctx, pty, master);
}

static int ckpt_pty_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	struct rstr_obj *end = ckpt_pty_master_of(obj);
	struct file *ptm;
	int err;

	if (!end)
		return rstr_bad(ctx, obj->rec, "nobody has the master");
	ptm = ckpt_pty_create(ctx, obj, end);
	if (IS_ERR(ptm))
		return PTR_ERR(ptm);
	ckpt_file_set_flags(ptm, le32_to_cpu(ckpt_pty_file(end)->flags));
	end->ptr = ptm;
	err = ckpt_pty_put_together(ctx, obj, ptm);
	if (err)
		ckpt_files_close(obj->private);
	else
		obj->ptr = tty_kref_get(ckpt_file_to_tty(ptm));
	return err;
}

/* The ends. */

static bool ckpt_file_pty_match(const void *obj)
{
	struct file *file = (struct file *)obj;

	return ckpt_file_is_tty(file) &&
	       (tty_hung_up_p(file) ||
		ckpt_tty_is_master(ckpt_file_to_tty(file)));
}

static int ckpt_file_pty_users(void *obj)
{
	/* There is nothing that another could see, or change. */
	return tty_hung_up_p(obj) ? 0 : ckpt_file_users(obj);
}

static u32 ckpt_file_pty_what(struct file *file)
{
	u32 what = 0;

	if (ckpt_tty_is_master(ckpt_file_to_tty(file)))
		what |= CKPT_FILE_MASTER;
	if (tty_hung_up_p(file))
		what |= CKPT_FILE_HUNG_UP;
	if (file_inode(file)->i_rdev == CKPT_CTTY_DEV)
		what |= CKPT_FILE_CTTY;
	return what;
}

/**
 * ckpt_file_pty_checkpoint() - write a description of an end of a pair that is in
 *	the tree, or of what hung up
 * @ctx: the checkpoint
 * @obj: the file
 *
 * Return: 0 or a negative errno.
 */
int ckpt_file_pty_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct file *file = obj;
	struct tty_struct *pty = ckpt_pty_inside(ctx, ckpt_file_to_tty(file));
	u32 what = ckpt_file_pty_what(file), ref = 0;
	struct ckpt_rec_file_pty *rec;
	int err = 0;

	if (what == (CKPT_FILE_MASTER | CKPT_FILE_HUNG_UP))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "%pD: master of a pseudo terminal that hung up: not supported",
				   file);
	if (pty)
		err = ckpt_save(ctx, CKPT_PTY, pty, &ref);
	else
		what &= CKPT_FILE_HUNG_UP;
	if (err)
		return err;
	rec = ckpt_file_add(ctx, file, CKPT_REC_FILE_PTY, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->what = cpu_to_le32(what);
	rec->pty = cpu_to_le32(ref);
	return what & (CKPT_FILE_MASTER | CKPT_FILE_CTTY) ?
	       ckpt_path_add(ctx, &file->f_path) : 0;
}

static int ckpt_file_pty_check_what(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_record *path = rstr_part_first(obj, CKPT_REC_PATH);
	const struct ckpt_rec_file_pty *rec = ckpt_pty_file(obj);
	u32 flags = le32_to_cpu(rec->flags), what = le32_to_cpu(rec->what);

	if (flags & ~CKPT_PTY_FLAGS || (flags & O_ACCMODE) == O_ACCMODE)
		return rstr_bad(ctx, obj->rec, "flags %#o", flags);
	if (what & ~(CKPT_FILE_MASTER | CKPT_FILE_HUNG_UP | CKPT_FILE_CTTY) ||
	    (what & CKPT_FILE_MASTER && what != CKPT_FILE_MASTER) ||
	    (!rec->pty && what != CKPT_FILE_HUNG_UP) || rec->reserved ||
	    !path != !(what & (CKPT_FILE_MASTER | CKPT_FILE_CTTY)))
		return rstr_bad(ctx, obj->rec, "what %#x", what);
	return path ? rstr_path_check(ctx, path) : 0;
}

static int ckpt_file_pty_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_pty *rec = ckpt_pty_file(obj);
	struct rstr_obj *pty;
	int err;

	err = ckpt_file_pty_check_what(ctx, obj);
	if (err || !rec->pty)
		return err;
	pty = rstr_ref(ctx, obj->rec, rec->pty, CKPT_PTY);
	if (!pty)
		return -EBADMSG;
	if (ckpt_pty_file_is(obj, CKPT_FILE_MASTER) && ckpt_pty_master_of(pty))
		return rstr_bad(ctx, obj->rec, "a second master");
	/* The ends of a pair are a list, which begins there. */
	obj->private = pty->private;
	pty->private = obj;
	return 0;
}

/* What leads to no terminal any more, however it came about. */
static int ckpt_hung_up_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	struct file *ptm = ckpt_ptm_open("/dev/ptmx", O_RDWR, 0);
	int err;

	if (IS_ERR(ptm))
		return ckpt_refuse(&ctx->log, PTR_ERR(ptm), "/dev/ptmx: %pe",
				   ptm);
	clear_bit(TTY_PTY_LOCK, &ckpt_file_to_tty(ptm)->flags);
	err = ckpt_pty_end_open(ctx, obj, ptm);
	__fput_sync(ptm);
	return err;
}

static int ckpt_file_pty_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_pty *rec = ckpt_pty_file(obj);

	if (!rec->pty)
		return ckpt_hung_up_restore(ctx, obj);
	/* Which opens this end with the others. */
	return PTR_ERR_OR_ZERO(rstr_get(ctx, rstr_obj(ctx, rec->pty)));
}

static const struct ckpt_part ckpt_pty_end_part = {
	.type		= CKPT_REC_PTY_END,
	.name		= "end",
	.size		= sizeof(struct ckpt_rec_pty_end),
	.open_ended	= true,
	.min		= 2,
	.max		= 2,
	.check		= ckpt_pty_end_check,
};

static const struct ckpt_part *const ckpt_pty_parts[] = {
	&ckpt_pty_end_part,
	NULL
};

const struct ckpt_kind ckpt_pty_kind = {
	.type		= CKPT_REC_PTY,
	.family		= CKPT_PTY,
	.name		= "pseudo terminal",
	.size		= sizeof(struct ckpt_rec_pty),
	.parts		= ckpt_pty_parts,
	.users		= ckpt_pty_users,
	.checkpoint	= ckpt_pty_checkpoint,
	.check		= ckpt_pty_check,
	.restore	= ckpt_pty_restore,
};

static const struct ckpt_part ckpt_file_pty_path_part = {
	.type		= CKPT_REC_PATH,
	.name		= "path",
	.size		= 2,
	.open_ended	= true,
	.max		= 1,
};

static const struct ckpt_part *const ckpt_file_pty_parts[] = {
	&ckpt_file_pty_path_part,
	NULL
};

const struct ckpt_kind ckpt_file_pty_kind = {
	.type		= CKPT_REC_FILE_PTY,
	.family		= CKPT_FILE,
	.name		= "end of a pseudo terminal",
	.size		= sizeof(struct ckpt_rec_file_pty),
	.parts		= ckpt_file_pty_parts,
	.match		= ckpt_file_pty_match,
	.users		= ckpt_file_pty_users,
	.checkpoint	= ckpt_file_pty_checkpoint,
	.check		= ckpt_file_pty_check,
	.restore	= ckpt_file_pty_restore,
};
