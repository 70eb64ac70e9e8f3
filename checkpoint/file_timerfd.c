// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timers that are read from a descriptor. Built as a part of fs/timerfd.c, which
 * alone knows what one is made of.
 *
 * As with all timers it is the time left that goes into the image. One that was
 * set to an absolute time is set so again, to the time that is as far away, and
 * so takes notice as before if the clock is set.
 */
#ifdef CONFIG_CHECKPOINT
#include <linux/capability.h>

#include "checkpoint.h"
#include "file.h"
#include "restart.h"

static bool ckpt_timerfd_match(const void *obj)
{
	const struct file *file = obj;

	return file->f_op == &timerfd_fops;
}

/* It is about to go off, at the latest, if its function runs already. */
static bool ckpt_timerfd_armed(struct timerfd_ctx *timer)
{
	if (timer->expired)
		return false;
	return hrtimer_active(isalarm(timer) ? &timer->t.alarm.timer :
					       &timer->t.tmr);
}

static s64 ckpt_timerfd_left(struct timerfd_ctx *timer)
{
	if (isalarm(timer))
		return alarm_expires_remaining(&timer->t.alarm);
	return hrtimer_expires_remaining_adjusted(&timer->t.tmr);
}

/*
 * One with an interval that has gone off is not started again before someone
 * looks at it, and then ticks as often as it would have by then. So it does
 * here, without its being changed. Under the lock of its wait queue.
 */
static void ckpt_timerfd_get(struct timerfd_ctx *timer,
			     struct ckpt_rec_timerfd *rec)
{
	s64 left = ckpt_timerfd_left(timer);
	u64 ticks = timer->ticks;

	if (ckpt_timerfd_armed(timer)) {
		left = max(left, 1);
	} else if (timer->expired && timer->tintv) {
		left = max(-left, 0);
		ticks += div64_s64(left, timer->tintv);
		left = timer->tintv - left % timer->tintv;
	} else {
		left = 0;
	}
	rec->ticks = cpu_to_le64(ticks);
	rec->left = cpu_to_le64(left);
	rec->interval = cpu_to_le64(timer->tintv);
	if (timer->might_cancel && timer->moffs == KTIME_MAX)
		rec->what = cpu_to_le32(CKPT_FILE_CANCELED);
}

static int ckpt_timerfd_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct file *file = obj;
	struct timerfd_ctx *timer = file->private_data;
	struct ckpt_rec_timerfd *rec;

	rec = ckpt_file_add(ctx, file, CKPT_REC_FILE_TIMERFD, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	spin_lock_irq(&timer->wqh.lock);
	ckpt_timerfd_get(timer, rec);
	spin_unlock_irq(&timer->wqh.lock);
	rec->clock = cpu_to_le32(timer->clockid);
	rec->settime_flags = cpu_to_le32(timer->settime_flags);
	return 0;
}

static int ckpt_timerfd_check_clock(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_timerfd *rec = rstr_payload(obj->rec);
	u32 clock = le32_to_cpu(rec->clock);

	switch (clock) {
	case CLOCK_MONOTONIC:
	case CLOCK_REALTIME:
	case CLOCK_BOOTTIME:
		return 0;
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
		if (capable(CAP_WAKE_ALARM))
			return 0;
		return ckpt_refuse(&ctx->log, -EPERM,
				   "timerfd that wakes the machine: not permitted (CAP_WAKE_ALARM)");
	default:
		return rstr_bad(ctx, obj->rec, "clock %u", clock);
	}
}

static bool ckpt_timerfd_cancels(const struct ckpt_rec_timerfd *rec)
{
	u32 clock = le32_to_cpu(rec->clock);

	return le32_to_cpu(rec->settime_flags) == TFD_SETTIME_FLAGS &&
	       (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM);
}

static int ckpt_timerfd_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_timerfd *rec = rstr_payload(obj->rec);

	if (le32_to_cpu(rec->settime_flags) & ~TFD_SETTIME_FLAGS)
		return rstr_bad(ctx, obj->rec, "flags %#x",
				le32_to_cpu(rec->settime_flags));
	if (rec->what && !ckpt_timerfd_cancels(rec))
		return rstr_bad(ctx, obj->rec, "cancelled, and could not be");
	if (le64_to_cpu(rec->left) > KTIME_MAX ||
	    le64_to_cpu(rec->interval) > KTIME_MAX)
		return rstr_bad(ctx, obj->rec, "impossible time");
	return ckpt_file_anon_check(ctx, obj, CKPT_FILE_CANCELED) ?:
	       ckpt_timerfd_check_clock(ctx, obj);
}

static ktime_t ckpt_timerfd_now(int clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_ALARM:
		return ktime_get_real();
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return ktime_get_boottime();
	default:
		return ktime_get();
	}
}

static void ckpt_timerfd_start(struct timerfd_ctx *timer, s64 left, bool abs)
{
	ktime_t expires = left;

	if (abs)
		expires = ktime_add_safe(ckpt_timerfd_now(timer->clockid),
					 left);
	if (!isalarm(timer))
		hrtimer_start(&timer->t.tmr, expires,
			      abs ? HRTIMER_MODE_ABS : HRTIMER_MODE_REL);
	else if (abs)
		alarm_start(&timer->t.alarm, expires);
	else
		alarm_start_relative(&timer->t.alarm, expires);
}

static void ckpt_timerfd_init(struct timerfd_ctx *timer, bool abs)
{
	if (isalarm(timer)) {
		alarm_init(&timer->t.alarm,
			   timer->clockid == CLOCK_REALTIME_ALARM ?
			   ALARM_REALTIME : ALARM_BOOTTIME,
			   timerfd_alarmproc);
		return;
	}
	hrtimer_init(&timer->t.tmr, timer->clockid,
		     abs ? HRTIMER_MODE_ABS : HRTIMER_MODE_REL);
	timer->t.tmr.function = timerfd_tmrproc;
}

/* Nobody else knows of it so far. */
static void ckpt_timerfd_set(struct timerfd_ctx *timer,
			     const struct ckpt_rec_timerfd *rec)
{
	u32 flags = le32_to_cpu(rec->settime_flags);
	bool abs = flags & TFD_TIMER_ABSTIME;

	init_waitqueue_head(&timer->wqh);
	spin_lock_init(&timer->cancel_lock);
	timer->clockid = le32_to_cpu(rec->clock);
	timer->settime_flags = flags;
	timer->tintv = le64_to_cpu(rec->interval);
	timer->ticks = le64_to_cpu(rec->ticks);
	timer->moffs = rec->what ? KTIME_MAX : ktime_mono_to_real(0);
	ckpt_timerfd_init(timer, abs);
	timerfd_setup_cancel(timer, flags);
	if (rec->left)
		ckpt_timerfd_start(timer, le64_to_cpu(rec->left), abs);
}

static int ckpt_timerfd_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	struct timerfd_ctx *timer;
	int err;

	timer = kzalloc(sizeof(*timer), GFP_KERNEL_ACCOUNT);
	if (!timer)
		return -ENOMEM;
	err = ckpt_file_anon_restore(obj, "[timerfd]", &timerfd_fops, timer);
	if (err)
		kfree(timer);
	else
		ckpt_timerfd_set(timer, rstr_payload(obj->rec));
	return err;
}

const struct ckpt_kind ckpt_file_timerfd_kind = {
	.type		= CKPT_REC_FILE_TIMERFD,
	.family		= CKPT_FILE,
	.name		= "timerfd",
	.size		= sizeof(struct ckpt_rec_timerfd),
	.match		= ckpt_timerfd_match,
	.users		= ckpt_file_users,
	.checkpoint	= ckpt_timerfd_checkpoint,
	.check		= ckpt_timerfd_check,
	.restore	= ckpt_timerfd_restore,
};
#endif
