// SPDX-License-Identifier: GPL-2.0-only
/*
 * Controlling terminals, and who is in the foreground of them.
 *
 * One whose master is in the tree controls the session that it did, which is in
 * the tree as well. One from outside is the terminal of whoever restarts the
 * tree, from which that takes its place as a job: with the foreground, if the
 * caller has it to give, and with the settings that it had left the terminal in
 * while it was in the foreground itself.
 */
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/tty.h>

#include "checkpoint.h"
#include "process.h"
#include "restart.h"
#include "tree.h"
#include "tty.h"

/* Checkpoint. */

/*
 * While it controls a process it has not been released, for which tty_mutex is
 * held. Both ends of it are.
 */
static struct tty_struct *ckpt_ctty_get(struct task_struct *leader)
{
	struct tty_struct *tty;
	unsigned long flags;

	guard(mutex)(&tty_mutex);
	if (!lock_task_sighand(leader, &flags))
		return NULL;
	tty = tty_kref_get(leader->signal->tty);
	if (tty)
		tty_kref_get(tty->link);
	unlock_task_sighand(leader, &flags);
	return tty;
}

static void ckpt_ctty_put(struct tty_struct *tty)
{
	if (!tty)
		return;
	tty_kref_put(tty->link);
	tty_kref_put(tty);
}

static int ckpt_ctty_refer(struct ckpt_ctx *ctx, struct tty_struct *tty,
			   u32 *ref)
{
	struct tty_struct *pty = tty ? ckpt_pty_inside(ctx, tty) : NULL;

	*ref = 0;
	return pty ? ckpt_refer(ctx, CKPT_PTY, pty, ref) : 0;
}

/**
 * ckpt_ctty_prepare() - write what ckpt_ctty_part will refer to
 * @ctx: the checkpoint
 * @leader: of a process, at rest
 *
 * Return: 0 or a negative errno.
 */
int ckpt_ctty_prepare(struct ckpt_ctx *ctx, struct task_struct *leader)
{
	struct tty_struct *tty = ckpt_ctty_get(leader);
	u32 ref;
	int err;

	err = ckpt_ctty_refer(ctx, tty, &ref);
	ckpt_ctty_put(tty);
	return err;
}

static u32 ckpt_ctty_hup_pgrp(struct ckpt_ctx *ctx, struct task_struct *leader)
{
	unsigned long flags;
	u32 nr = 0;

	guard(rcu)();
	if (!lock_task_sighand(leader, &flags))
		return 0;
	nr = ckpt_tree_group_nr(ctx, leader->signal->tty_old_pgrp,
				PIDTYPE_PGID);
	unlock_task_sighand(leader, &flags);
	return nr;
}

static void ckpt_ctty_state_save(struct ckpt_ctx *ctx, struct tty_struct *tty,
				 struct ckpt_rec_ctty *rec)
{
	struct pid *pgrp = tty_get_pgrp(tty);

	rcu_read_lock();
	rec->pgrp = cpu_to_le32(ckpt_tree_group_nr(ctx, pgrp, PIDTYPE_PGID));
	rcu_read_unlock();
	put_pid(pgrp);
	ckpt_winsize_save(&rec->winsize, tty);
	down_read(&tty->termios_rwsem);
	ckpt_termios_save(&rec->termios, &tty->termios);
	up_read(&tty->termios_rwsem);
}

static int ckpt_ctty_save(struct ckpt_ctx *ctx, struct task_struct *leader,
			  struct tty_struct *tty)
{
	u32 hup_pgrp = ckpt_ctty_hup_pgrp(ctx, leader), ref;
	struct ckpt_rec_ctty *rec;
	int err;

	if (!tty && !hup_pgrp)
		return 0;
	/* It is there already: no record is added. */
	err = ckpt_ctty_refer(ctx, tty, &ref);
	if (err)
		return err;
	rec = ckpt_part_add(ctx, CKPT_REC_CTTY, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->tty = cpu_to_le32(ref);
	rec->hup_pgrp = cpu_to_le32(hup_pgrp);
	if (!tty || ref)
		return 0;
	rec->what = cpu_to_le32(CKPT_CTTY_OUTSIDE);
	if (leader == ctx->tree.root)
		ckpt_ctty_state_save(ctx, tty, rec);
	return 0;
}

static int ckpt_ctty_checkpoint(struct ckpt_ctx *ctx, struct task_struct *leader)
{
	struct tty_struct *tty = ckpt_ctty_get(leader);
	int err = ckpt_ctty_save(ctx, leader, tty);

	ckpt_ctty_put(tty);
	return err;
}

/* Restart. */

static int ckpt_ctty_check(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	const struct ckpt_rec_ctty *ctty = rstr_payload(rec);
	u32 what = le32_to_cpu(ctty->what);

	if (what & ~CKPT_CTTY_KNOWN || ctty->reserved ||
	    (what & CKPT_CTTY_OUTSIDE && ctty->tty))
		return rstr_bad(ctx, rec, "flags %#x", what);
	if (le32_to_cpu(ctty->pgrp) >= PID_MAX_LIMIT ||
	    le32_to_cpu(ctty->hup_pgrp) >= PID_MAX_LIMIT)
		return rstr_bad(ctx, rec, "process groups %u, %u",
				le32_to_cpu(ctty->pgrp),
				le32_to_cpu(ctty->hup_pgrp));
	if (ctty->tty && !rstr_ref(ctx, rec, ctty->tty, CKPT_PTY))
		return -EBADMSG;
	return 0;
}

static int ckpt_ctty_check_pgrp(struct rstr_ctx *ctx,
				const struct ckpt_record *rec, __le32 pgrp,
				__le32 session)
{
	if (!pgrp || rstr_tree_has_group(ctx->run, le32_to_cpu(pgrp),
					 le32_to_cpu(session)))
		return 0;
	return rstr_bad(ctx, rec, "process group %u is not in session %u",
			le32_to_cpu(pgrp), le32_to_cpu(session));
}

/* Process groups are those of one session, the one that has the terminal. */
static int ckpt_ctty_check_tree(struct rstr_ctx *ctx,
				const struct ckpt_record *rec)
{
	const struct ckpt_rec_signal *signal =
		rstr_payload(rstr_obj(ctx, rec->ref)->rec);
	const struct ckpt_rec_ctty *ctty = rstr_payload(rec);
	const struct ckpt_rec_pty *pty = NULL;
	int err;

	if (ctty->tty)
		pty = rstr_payload(rstr_obj(ctx, ctty->tty)->rec);
	if (pty && (!signal->sid || pty->session != signal->sid))
		return rstr_bad(ctx, rec, "of session %u in session %u",
				le32_to_cpu(pty->session),
				le32_to_cpu(signal->sid));
	if (ctty->hup_pgrp && signal->sid != signal->pid)
		return rstr_bad(ctx, rec, "hung up, of one who leads no session");
	err = ckpt_ctty_check_pgrp(ctx, rec, ctty->pgrp, signal->sid);
	if (!err)
		err = ckpt_ctty_check_pgrp(ctx, rec, ctty->hup_pgrp,
					   signal->sid);
	if (!err && pty)
		err = ckpt_ctty_check_pgrp(ctx, rec, pty->pgrp, signal->sid);
	return err;
}

const struct ckpt_part ckpt_ctty_part = {
	.type		= CKPT_REC_CTTY,
	.name		= "controlling terminal",
	.size		= sizeof(struct ckpt_rec_ctty),
	.max		= 1,
	.checkpoint	= ckpt_ctty_checkpoint,
	.check		= ckpt_ctty_check,
	.check_tree	= ckpt_ctty_check_tree,
};

/**
 * ckpt_ctty_swap() - have current be controlled by another terminal
 * @tty: that, with a reference; or NULL
 *
 * Return: what controlled it before, likewise.
 */
struct tty_struct *ckpt_ctty_swap(struct tty_struct *tty)
{
	spin_lock_irq(ckpt_siglock());
	swap(current->signal->tty, tty);
	spin_unlock_irq(ckpt_siglock());
	return tty;
}

/* A task that does not run yet. */
static void rstr_ctty_set(struct task_struct *task, struct tty_struct *tty,
			  struct pid *hup_pgrp)
{
	struct tty_struct *old = tty_kref_get(tty);
	unsigned long flags;

	if (lock_task_sighand(task, &flags)) {
		swap(task->signal->tty, old);
		if (!task->signal->tty_old_pgrp)
			task->signal->tty_old_pgrp = get_pid(hup_pgrp);
		unlock_task_sighand(task, &flags);
	}
	tty_kref_put(old);
}

/* Nobody is in the group that is in the foreground: its leader takes it next. */
static void rstr_ctty_claim(struct rstr_run *run, const struct ckpt_rec_pty *pty,
			    struct tty_struct *tty)
{
	struct pid *session = rstr_tree_pid(run, pty->session, PIDTYPE_SID);
	struct pid *pgrp = session;

	if (pty->pgrp)
		pgrp = rstr_tree_pid(run, pty->pgrp, PIDTYPE_PGID);
	tty_lock(tty);
	spin_lock_irq(&tty->ctrl.lock);
	if (!tty->ctrl.session) {
		tty->ctrl.session = get_pid(session);
		put_pid(tty->ctrl.pgrp);
		tty->ctrl.pgrp = get_pid(pgrp);
	}
	spin_unlock_irq(&tty->ctrl.lock);
	tty_unlock(tty);
}

/* The slave of the pair, if any task turned out to have that open. */
static struct tty_struct *rstr_ctty_tty(struct rstr_run *run,
					const struct ckpt_rec_ctty *ctty)
{
	const struct rstr_obj *pty;
	struct tty_struct *master;

	if (!ctty->tty)
		return NULL;
	pty = rstr_obj(&run->ctx, ctty->tty);
	master = pty->ptr;
	if (!master)
		return NULL;
	rstr_ctty_claim(run, rstr_payload(pty->rec), master->link);
	return master->link;
}

static void rstr_ctty_install_task(struct rstr_run *run, struct rstr_task *task)
{
	const struct rstr_obj *group = rstr_task_group(task);
	const struct ckpt_rec_signal *signal = rstr_payload(group->rec);
	const struct ckpt_record *part = rstr_part_first(group, CKPT_REC_CTTY);
	bool callers = rstr_is_callers(run, le32_to_cpu(signal->sid),
				       PIDTYPE_SID);
	const struct ckpt_rec_ctty *ctty = part ? rstr_payload(part) : NULL;
	struct tty_struct *tty = NULL;
	struct pid *hup_pgrp = NULL;

	/* It is in the session of the caller, and has the caller's. */
	if (ctty && callers && (ctty->what & cpu_to_le32(CKPT_CTTY_OUTSIDE)))
		return;
	if (ctty && !callers)
		tty = rstr_ctty_tty(run, ctty);
	/* Of a leader, which one who is in the caller's session is not. */
	if (ctty && !callers && ctty->hup_pgrp)
		hup_pgrp = rstr_tree_pid(run, ctty->hup_pgrp, PIDTYPE_PGID);
	rstr_ctty_set(task->task, tty, hup_pgrp);
}

/* Baud rates and the like are a matter of the line's. */
static void rstr_ctty_set_termios(struct tty_struct *tty,
				  const struct ckpt_termios *rec)
{
	struct ktermios new, old;

	ckpt_termios_load(&old, rec);
	down_read(&tty->termios_rwsem);
	new = tty->termios;
	up_read(&tty->termios_rwsem);
	new.c_iflag = old.c_iflag;
	new.c_oflag = old.c_oflag;
	new.c_lflag = old.c_lflag;
	memcpy(new.c_cc, old.c_cc, sizeof(new.c_cc));
	tty_set_termios(tty, &new);
}

/* As tcsetpgrp(3), where the caller is in the foreground. */
static bool rstr_ctty_hand_over(struct tty_struct *tty, struct pid *pgrp)
{
	bool had;

	spin_lock_irq(&tty->ctrl.lock);
	had = tty->ctrl.session == task_session(current) &&
	      tty->ctrl.pgrp == task_pgrp(current);
	if (had) {
		put_pid(tty->ctrl.pgrp);
		tty->ctrl.pgrp = get_pid(pgrp);
	}
	spin_unlock_irq(&tty->ctrl.lock);
	return had;
}

static void rstr_ctty_resize(struct tty_struct *tty, struct pid *pgrp,
			     const struct ckpt_winsize *rec)
{
	struct winsize old = {};
	bool same;

	ckpt_winsize_load(&old, rec);
	mutex_lock(&tty->winsize_mutex);
	same = !memcmp(&old, &tty->winsize, sizeof(old));
	mutex_unlock(&tty->winsize_mutex);
	if (!same)
		kill_pgrp(pgrp, SIGWINCH, 1);
}

/* The tree becomes the job that the caller is. */
static void rstr_ctty_take_over(struct rstr_run *run, struct tty_struct *tty)
{
	const struct rstr_obj *group = rstr_task_group(run->task);
	const struct ckpt_rec_signal *signal = rstr_payload(group->rec);
	const struct ckpt_record *part = rstr_part_first(group, CKPT_REC_CTTY);
	const struct ckpt_rec_ctty *ctty = part ? rstr_payload(part) : NULL;
	struct pid *pgrp;

	if (!ctty || !(ctty->what & cpu_to_le32(CKPT_CTTY_OUTSIDE)))
		return;
	pgrp = rstr_tree_pid(run, ctty->pgrp ?: signal->pgid, PIDTYPE_PGID);
	if (rstr_ctty_hand_over(tty, pgrp) && ctty->pgrp)
		rstr_ctty_set_termios(tty, &ctty->termios);
	rstr_ctty_resize(tty, pgrp, &ctty->winsize);
}

/**
 * rstr_ctty_install() - give all processes their terminals
 * @run: the restart, whose process groups and sessions are in force, and none of
 *	whose tasks runs yet
 */
void rstr_ctty_install(struct rstr_run *run)
{
	struct tty_struct *tty = get_current_tty();
	struct rstr_task *task;

	rstr_for_each_task(task, run)
		if (task->leader == task && task->task != current)
			rstr_ctty_install_task(run, task);
	if (tty)
		rstr_ctty_take_over(run, tty);
	tty_kref_put(tty);
}
