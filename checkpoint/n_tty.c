// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the ends of a pseudo terminal hold: what was typed or written and was not
 * read yet, as far as it got. Built as a part of drivers/tty/n_tty.c, which alone
 * knows what is in a line discipline.
 *
 * It has got into the line discipline, or it waits in the queue before that, for
 * which there is no room in the former. Nothing moves meanwhile: who reads and
 * writes is at rest, and the work that carries things on has nothing to do.
 */
#ifdef CONFIG_CHECKPOINT
#include <linux/tty_flip.h>

#include "../../checkpoint/checkpoint.h"
#include "../../checkpoint/limits.h"
#include "../../checkpoint/restart.h"
#include "../../checkpoint/tty.h"

/* Bits of struct tty_struct that are what they are in the image. */
static const struct {
	u32	what;
	int	bit;
} ckpt_tty_bits[] = {
	{ CKPT_PTY_END_IO_ERROR,	TTY_IO_ERROR },
	{ CKPT_PTY_END_CLOSED,		TTY_OTHER_CLOSED },
	{ CKPT_PTY_END_EXCLUSIVE,	TTY_EXCLUSIVE },
};

/* The queue in front of the line discipline, whose lock is held. */

static size_t ckpt_queue_len(const struct tty_port *port)
{
	const struct tty_buffer *buf;
	size_t len = 0;

	for (buf = port->buf.head; buf; buf = buf->next)
		len += buf->commit - buf->read;
	return len;
}

static u8 *ckpt_queue_save(struct tty_port *port, u8 *to)
{
	struct tty_buffer *buf;
	size_t len;

	for (buf = port->buf.head; buf; buf = buf->next) {
		len = buf->commit - buf->read;
		memcpy(to, char_buf_ptr(buf, buf->read), len);
		to += len;
	}
	return to;
}

/*
 * There may have been more of it than would be let in at once: how much fits
 * depends on the pieces in which it came.
 */
static int ckpt_queue_fill(struct tty_port *port, const u8 *from, size_t len)
{
	unsigned long flags;
	int limit;

	spin_lock_irqsave(&port->lock, flags);
	limit = port->buf.mem_limit;
	port->buf.mem_limit = INT_MAX;
	if (tty_insert_flip_string(port, from, len) == len)
		len = 0;
	port->buf.mem_limit = limit;
	/* Pairs with flush_to_ldisc(), as of whoever fills it. */
	smp_store_release(&port->buf.tail->commit, port->buf.tail->used);
	spin_unlock_irqrestore(&port->lock, flags);
	return len ? -ENOMEM : 0;
}

/* It has been looked at for ^S and ^Q, and is not to be once more. */
static void ckpt_queue_looked_at(struct tty_port *port)
{
	struct tty_buffer *buf;

	for (buf = port->buf.head; buf; buf = buf->next)
		buf->lookahead = buf->commit;
}

/* The line discipline, none of which moves. */

/* Marks that the mode makes no use of may lie where they were left behind. */
static u32 ckpt_n_tty_mark(size_t mark, size_t tail, size_t head)
{
	return mark - tail <= head - tail ? mark - tail : 0;
}

static u8 *ckpt_n_tty_data_save(struct n_tty_data *ldata, u8 *to)
{
	size_t nr = read_cnt(ldata);
	u8 *bits = to + nr;

	for (size_t i = 0; i < nr; i++) {
		to[i] = read_buf(ldata, ldata->read_tail + i);
		if (test_bit(MASK(ldata->read_tail + i), ldata->read_flags))
			bits[i / 8] |= 1 << i % 8;
	}
	to = bits + BITS_TO_BYTES(nr);
	for (size_t i = ldata->echo_tail; i != ldata->echo_head; i++)
		*to++ = echo_buf(ldata, i);
	return to;
}

static u32 ckpt_n_tty_what(const struct n_tty_data *ldata)
{
	u32 what = 0;

	if (ldata->lnext)
		what |= CKPT_PTY_END_LNEXT;
	if (ldata->erasing)
		what |= CKPT_PTY_END_ERASING;
	if (ldata->push)
		what |= CKPT_PTY_END_PUSH;
	if (ldata->no_room)
		what |= CKPT_PTY_END_NO_ROOM;
	return what;
}

static void ckpt_n_tty_save(struct n_tty_data *ldata,
			    struct ckpt_rec_pty_end *rec)
{
	size_t tail = ldata->read_tail, head = ldata->read_head;
	size_t echo = ldata->echo_tail, end = ldata->echo_head;

	rec->what |= cpu_to_le32(ckpt_n_tty_what(ldata));
	rec->column = cpu_to_le32(ldata->column);
	rec->canon_column = cpu_to_le32(ldata->canon_column);
	rec->nr_input = cpu_to_le32(head - tail);
	rec->nr_lines = cpu_to_le32(ckpt_n_tty_mark(ldata->canon_head, tail,
						    head));
	rec->nr_raw = cpu_to_le32(ckpt_n_tty_mark(ldata->commit_head, tail,
						  head));
	rec->nr_echo = cpu_to_le32(end - echo);
	rec->nr_echo_done = cpu_to_le32(ckpt_n_tty_mark(ldata->echo_commit,
							echo, end));
	rec->nr_echo_marked = cpu_to_le32(ckpt_n_tty_mark(ldata->echo_mark,
							  echo, end));
	rec->nr_ahead = cpu_to_le32(ldata->lookahead_count);
}

/* What there is whether or not there is a line discipline. */
static void ckpt_tty_state_save(struct tty_struct *tty,
				struct ckpt_rec_pty_end *rec)
{
	u32 what = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ckpt_tty_bits); i++)
		if (test_bit(ckpt_tty_bits[i].bit, &tty->flags))
			what |= ckpt_tty_bits[i].what;
	if (tty->flow.stopped)
		what |= CKPT_PTY_END_STOPPED;
	if (tty->flow.tco_stopped)
		what |= CKPT_PTY_END_TCO_STOPPED;
	if (!tty->ldisc)
		what |= CKPT_PTY_END_HUNG_UP;
	rec->what = cpu_to_le32(what);
	rec->pktstatus = cpu_to_le32(tty->ctrl.pktstatus);
	ckpt_winsize_save(&rec->winsize, tty);
}

/* All locks are held that there are over it. */
static int ckpt_pty_end_save_locked(struct ckpt_ctx *ctx,
				    struct tty_struct *tty,
				    struct n_tty_data *ldata)
{
	size_t queued = ckpt_queue_len(tty->port), size = queued;
	struct ckpt_rec_pty_end *rec;
	u8 *data;

	if (ldata)
		size += read_cnt(ldata) + BITS_TO_BYTES(read_cnt(ldata)) +
			ldata->echo_head - ldata->echo_tail;
	rec = ckpt_part_add(ctx, CKPT_REC_PTY_END, sizeof(*rec) + size);
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	ckpt_tty_state_save(tty, rec);
	data = rec->data;
	if (ldata) {
		ckpt_n_tty_save(ldata, rec);
		data = ckpt_n_tty_data_save(ldata, data);
	}
	rec->nr_queued = cpu_to_le32(queued);
	ckpt_queue_save(tty->port, data);
	return 0;
}

/**
 * ckpt_pty_end_save() - write what one end of a pseudo terminal holds
 * @ctx: the checkpoint
 * @tty: the end
 *
 * Return: 0; -EOPNOTSUPP for another line discipline than the usual one; or
 * what ckpt_part_add() returns.
 */
int ckpt_pty_end_save(struct ckpt_ctx *ctx, struct tty_struct *tty)
{
	struct tty_ldisc *ld = tty_ldisc_ref_wait(tty);
	int err;

	if (ld && ld->ops != &n_tty_ops) {
		err = ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				  "%s: line discipline %s: not supported",
				  tty->name, ld->ops->name);
	} else {
		mutex_lock(&tty->port->buf.lock);
		down_write(&tty->termios_rwsem);
		err = ckpt_pty_end_save_locked(ctx, tty,
					       ld ? tty->disc_data : NULL);
		up_write(&tty->termios_rwsem);
		mutex_unlock(&tty->port->buf.lock);
	}
	if (ld)
		tty_ldisc_deref(ld);
	return err;
}

/**
 * ckpt_pty_end_check() - as of struct ckpt_part
 * @ctx: the restart
 * @rec: what one end holds
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_pty_end_check(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	const struct ckpt_rec_pty_end *end = rstr_payload(rec);
	u32 input = le32_to_cpu(end->nr_input), echo = le32_to_cpu(end->nr_echo);
	u32 queued = le32_to_cpu(end->nr_queued);
	u32 what = le32_to_cpu(end->what);

	if (what & ~CKPT_PTY_END_KNOWN || le32_to_cpu(end->pktstatus) > U8_MAX ||
	    (what & CKPT_PTY_END_HUNG_UP && (input || echo)))
		return rstr_bad(ctx, rec, "flags %#x, %#x", what,
				le32_to_cpu(end->pktstatus));
	if (input > N_TTY_BUF_SIZE || le32_to_cpu(end->nr_lines) > input ||
	    le32_to_cpu(end->nr_raw) > input || echo > N_TTY_BUF_SIZE ||
	    le32_to_cpu(end->nr_echo_done) > echo ||
	    le32_to_cpu(end->nr_echo_marked) > echo ||
	    queued > CKPT_PTY_QUEUE_MAX || le32_to_cpu(end->nr_ahead) > queued ||
	    rstr_size(rec) != sizeof(*end) + input + BITS_TO_BYTES(input) +
			      echo + queued)
		return rstr_bad(ctx, rec, "%u bytes, %u of echo, %u queued",
				input, echo, queued);
	return 0;
}

static void ckpt_n_tty_restore(struct n_tty_data *ldata,
			       const struct ckpt_rec_pty_end *rec)
{
	u32 nr = le32_to_cpu(rec->nr_input), what = le32_to_cpu(rec->what);
	const u8 *bits = rec->data + nr;

	reset_buffer_flags(ldata);
	memcpy(ldata->read_buf, rec->data, nr);
	for (u32 i = 0; i < nr; i++)
		if (bits[i / 8] & 1 << i % 8)
			set_bit(i, ldata->read_flags);
	memcpy(ldata->echo_buf, bits + BITS_TO_BYTES(nr),
	       le32_to_cpu(rec->nr_echo));
	ldata->lnext = !!(what & CKPT_PTY_END_LNEXT);
	ldata->erasing = !!(what & CKPT_PTY_END_ERASING);
	ldata->push = !!(what & CKPT_PTY_END_PUSH);
	ldata->no_room = !!(what & CKPT_PTY_END_NO_ROOM);
	ldata->column = le32_to_cpu(rec->column);
	ldata->canon_column = le32_to_cpu(rec->canon_column);
	ldata->read_head = nr;
	ldata->canon_head = le32_to_cpu(rec->nr_lines);
	ldata->commit_head = le32_to_cpu(rec->nr_raw);
	ldata->echo_tail = 0;
	ldata->echo_head = le32_to_cpu(rec->nr_echo);
	ldata->echo_commit = le32_to_cpu(rec->nr_echo_done);
	ldata->echo_mark = le32_to_cpu(rec->nr_echo_marked);
	ldata->lookahead_count = le32_to_cpu(rec->nr_ahead);
}

static void ckpt_tty_state_restore(struct tty_struct *tty,
				   const struct ckpt_rec_pty_end *rec)
{
	u32 what = le32_to_cpu(rec->what);

	for (size_t i = 0; i < ARRAY_SIZE(ckpt_tty_bits); i++)
		assign_bit(ckpt_tty_bits[i].bit, &tty->flags,
			   what & ckpt_tty_bits[i].what);
	spin_lock_irq(&tty->flow.lock);
	tty->flow.stopped = !!(what & CKPT_PTY_END_STOPPED);
	tty->flow.tco_stopped = !!(what & CKPT_PTY_END_TCO_STOPPED);
	spin_unlock_irq(&tty->flow.lock);
	spin_lock_irq(&tty->ctrl.lock);
	tty->ctrl.pktstatus = le32_to_cpu(rec->pktstatus);
	spin_unlock_irq(&tty->ctrl.lock);
	mutex_lock(&tty->winsize_mutex);
	ckpt_winsize_load(&tty->winsize, &rec->winsize);
	mutex_unlock(&tty->winsize_mutex);
}

/*
 * Those who read make room, and then see to what is queued; if it is not for
 * want of room that something is, the work does.
 */
static int ckpt_pty_end_restore_locked(struct tty_struct *tty,
				       struct n_tty_data *ldata,
				       const struct ckpt_record *record)
{
	const struct ckpt_rec_pty_end *rec = rstr_payload(record);
	u32 queued = le32_to_cpu(rec->nr_queued);
	int err = 0;

	if (ldata)
		ckpt_n_tty_restore(ldata, rec);
	if (queued)
		err = ckpt_queue_fill(tty->port, rstr_payload(record) +
				      rstr_size(record) - queued, queued);
	if (!err && ldata && ldata->no_room)
		ckpt_queue_looked_at(tty->port);
	else if (!err && queued)
		tty_buffer_restart_work(tty->port);
	return err;
}

/**
 * ckpt_pty_end_restore() - fill one end of a pseudo terminal
 * @ctx: the restart
 * @tty: the end, whose termios are what they are to be
 * @rec: what it holds, checked
 *
 * Whoever is permitted to may have opened it by its name by now: so the locks.
 *
 * Return: 0; -EBADMSG; -ENOMEM.
 */
int ckpt_pty_end_restore(struct rstr_ctx *ctx, struct tty_struct *tty,
			 const struct ckpt_record *rec)
{
	const struct ckpt_rec_pty_end *end = rstr_payload(rec);
	struct tty_ldisc *ld = tty_ldisc_ref_wait(tty);
	int err;

	if ((!ld || ld->ops != &n_tty_ops) && (end->nr_input || end->nr_echo)) {
		err = rstr_bad(ctx, rec, "input where the line hung up");
	} else {
		mutex_lock(&tty->port->buf.lock);
		down_write(&tty->termios_rwsem);
		err = ckpt_pty_end_restore_locked(tty, ld &&
						  ld->ops == &n_tty_ops ?
						  tty->disc_data : NULL, rec);
		up_write(&tty->termios_rwsem);
		mutex_unlock(&tty->port->buf.lock);
		ckpt_tty_state_restore(tty, end);
	}
	if (ld)
		tty_ldisc_deref(ld);
	return err;
}
#endif
