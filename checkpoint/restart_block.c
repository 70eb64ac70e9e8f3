// SPDX-License-Identifier: GPL-2.0-only
/*
 * The restart block: what restart_syscall(2) goes on with where the system call
 * in flight was interrupted and cannot simply be called again, as some of its
 * time has passed.
 *
 * Times go into the image as time left, whatever clock they are on, and count
 * again from the moment at which the task goes on. A clock that was set, or a
 * machine that was off, in between makes no difference to them.
 */
#include <linux/alarmtimer.h>
#include <linux/capability.h>
#include <linux/checkpoint_expose.h>
#include <linux/hrtimer.h>
#include <linux/nospec.h>
#include <linux/pid_namespace.h>
#include <linux/posix-timers.h>
#include <linux/restart_block.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/timekeeping.h>

#include "checkpoint.h"
#include "process.h"
#include "restart.h"

#include "../kernel/futex/futex.h"

/**
 * struct ckpt_restart_call - a system call that has a restart block
 * @fn: by which the kernel knows it
 * @put: write its arguments
 * @check: look at them
 * @get: read them back
 */
struct ckpt_restart_call {
	long	(*fn)(struct restart_block *block);
	int	(*put)(struct ckpt_ctx *ctx, struct task_struct *task,
		       struct ckpt_rec_restart_block *p);
	int	(*check)(struct rstr_ctx *ctx, const struct ckpt_record *rec);
	void	(*get)(struct restart_block *block,
		       const struct ckpt_rec_restart_block *p);
};

static __le64 ckpt_left_put(ktime_t expires, ktime_t now)
{
	return cpu_to_le64(expires > now ? ktime_sub(expires, now) : 0);
}

static ktime_t ckpt_left_get(__le64 left, ktime_t now)
{
	return ktime_add_safe(now, le64_to_cpu(left));
}

static bool ckpt_left_valid(__le64 left)
{
	return le64_to_cpu(left) <= KTIME_MAX;
}

static bool ckpt_clock_known(u32 clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC ||
	       clock == CLOCK_BOOTTIME || clock == CLOCK_TAI;
}

static ktime_t ckpt_clock_now(u32 clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_ALARM:
		return ktime_get_real();
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return ktime_get_boottime();
	case CLOCK_TAI:
		return ktime_get_clocktai();
	default:
		return ktime_get();
	}
}

static void ckpt_rmtp_put(struct ckpt_rec_restart_block *p,
			  const struct restart_block *block)
{
	p->addr = cpu_to_le64((uintptr_t)block->nanosleep.rmtp);
	p->val = cpu_to_le32(block->nanosleep.type);
}

static void ckpt_rmtp_get(struct restart_block *block,
			  const struct ckpt_rec_restart_block *p)
{
	block->nanosleep.rmtp = u64_to_user_ptr(le64_to_cpu(p->addr));
	block->nanosleep.type = le32_to_cpu(p->val);
}

static int ckpt_sleep_check(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	const struct ckpt_rec_restart_block *p = rstr_payload(rec);

	if (!ckpt_left_valid(p->left))
		return rstr_bad(ctx, rec, "impossible time left");
	if (le32_to_cpu(p->val) > TT_COMPAT)
		return rstr_bad(ctx, rec, "unknown kind of timespec");
	return 0;
}

static int ckpt_nanosleep_put(struct ckpt_ctx *ctx, struct task_struct *task,
			      struct ckpt_rec_restart_block *p)
{
	const struct restart_block *block = &task->restart_block;
	clockid_t clock = block->nanosleep.clockid;

	p->clock = cpu_to_le32(clock);
	p->left = ckpt_left_put(block->nanosleep.expires,
				ckpt_clock_now(clock));
	ckpt_rmtp_put(p, block);
	return 0;
}

static int ckpt_nanosleep_check(struct rstr_ctx *ctx,
				const struct ckpt_record *rec)
{
	const struct ckpt_rec_restart_block *p = rstr_payload(rec);

	if (!ckpt_clock_known(le32_to_cpu(p->clock)))
		return rstr_bad(ctx, rec, "sleeps on an unknown clock");
	return ckpt_sleep_check(ctx, rec);
}

static void ckpt_nanosleep_get(struct restart_block *block,
			       const struct ckpt_rec_restart_block *p)
{
	clockid_t clock = le32_to_cpu(p->clock);

	block->nanosleep.clockid = clock;
	block->nanosleep.expires = ckpt_left_get(p->left,
						 ckpt_clock_now(clock));
	ckpt_rmtp_get(block, p);
}

static u64 ckpt_cpu_now(struct task_struct *task, clockid_t clock)
{
	struct task_cputime time;

	thread_group_cputime(task, &time);
	switch (CPUCLOCK_WHICH(clock)) {
	case CPUCLOCK_PROF:
		return time.utime + time.stime;
	case CPUCLOCK_VIRT:
		return time.utime;
	default:
		return time.sum_exec_runtime;
	}
}

static int ckpt_cpu_nanosleep_put(struct ckpt_ctx *ctx,
				  struct task_struct *task,
				  struct ckpt_rec_restart_block *p)
{
	const struct restart_block *block = &task->restart_block;
	clockid_t clock = block->nanosleep.clockid;
	pid_t pid = CPUCLOCK_PID(clock);

	if (CPUCLOCK_PERTHREAD(clock) ||
	    (pid && pid != task_tgid_nr_ns(task, task_active_pid_ns(task))))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "sleeps on another task's CPU time: not supported");

	p->clock = cpu_to_le32(make_process_cpuclock(0, CPUCLOCK_WHICH(clock)));
	p->left = ckpt_left_put(block->nanosleep.expires,
				ckpt_cpu_now(task, clock));
	ckpt_rmtp_put(p, block);
	return 0;
}

static int ckpt_cpu_nanosleep_check(struct rstr_ctx *ctx,
				    const struct ckpt_record *rec)
{
	const struct ckpt_rec_restart_block *p = rstr_payload(rec);
	clockid_t clock = le32_to_cpu(p->clock);

	if (clock >= 0 || CPUCLOCK_WHICH(clock) >= CPUCLOCK_MAX ||
	    clock != make_process_cpuclock(0, CPUCLOCK_WHICH(clock)))
		return rstr_bad(ctx, rec, "sleeps on an unknown CPU clock");
	return ckpt_sleep_check(ctx, rec);
}

static void ckpt_cpu_nanosleep_get(struct restart_block *block,
				   const struct ckpt_rec_restart_block *p)
{
	clockid_t clock = le32_to_cpu(p->clock);

	block->nanosleep.clockid = clock;
	block->nanosleep.expires = ckpt_left_get(p->left,
						 ckpt_cpu_now(current, clock));
	ckpt_rmtp_get(block, p);
}

/* The kernel keeps an enum alarmtimer_type, the image holds the clock's id. */
static int ckpt_alarm_nanosleep_put(struct ckpt_ctx *ctx,
				    struct task_struct *task,
				    struct ckpt_rec_restart_block *p)
{
	const struct restart_block *block = &task->restart_block;
	clockid_t clock = block->nanosleep.clockid == ALARM_REALTIME ?
			  CLOCK_REALTIME_ALARM : CLOCK_BOOTTIME_ALARM;

	p->clock = cpu_to_le32(clock);
	p->left = ckpt_left_put(block->nanosleep.expires,
				ckpt_clock_now(clock));
	ckpt_rmtp_put(p, block);
	return 0;
}

static int ckpt_alarm_nanosleep_check(struct rstr_ctx *ctx,
				      const struct ckpt_record *rec)
{
	const struct ckpt_rec_restart_block *p = rstr_payload(rec);
	u32 clock = le32_to_cpu(p->clock);

	if (clock != CLOCK_REALTIME_ALARM && clock != CLOCK_BOOTTIME_ALARM)
		return rstr_bad(ctx, rec, "sleeps on an unknown alarm clock");
	if (!alarmtimer_get_rtcdev())
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "sleeps on an alarm clock: there is none here");
	if (!capable(CAP_WAKE_ALARM))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "sleeps on an alarm clock: not permitted");
	return ckpt_sleep_check(ctx, rec);
}

static void ckpt_alarm_nanosleep_get(struct restart_block *block,
				     const struct ckpt_rec_restart_block *p)
{
	clockid_t clock = le32_to_cpu(p->clock);

	block->nanosleep.clockid = clock == CLOCK_REALTIME_ALARM ?
				   ALARM_REALTIME : ALARM_BOOTTIME;
	block->nanosleep.expires = ckpt_left_get(p->left,
						 ckpt_clock_now(clock));
	ckpt_rmtp_get(block, p);
}

static ktime_t ckpt_futex_now(u32 flags)
{
	return flags & FUTEX_CLOCK_REALTIME ? ktime_get_real() : ktime_get();
}

static int ckpt_futex_put(struct ckpt_ctx *ctx, struct task_struct *task,
			  struct ckpt_rec_restart_block *p)
{
	const struct restart_block *block = &task->restart_block;
	u32 flags = 0;

	if (!(block->futex.flags & FLAGS_SHARED))
		flags |= FUTEX_PRIVATE_FLAG;
	if (block->futex.flags & FLAGS_CLOCKRT)
		flags |= FUTEX_CLOCK_REALTIME;
	if (block->futex.flags != (futex_to_flags(flags) | FLAGS_HAS_TIMEOUT))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "waits for a futex of an unknown kind: not supported");

	p->left = ckpt_left_put(block->futex.time, ckpt_futex_now(flags));
	p->addr = cpu_to_le64((uintptr_t)block->futex.uaddr);
	p->val = cpu_to_le32(block->futex.val);
	p->flags = cpu_to_le32(flags);
	p->bitset = cpu_to_le32(block->futex.bitset);
	return 0;
}

static int ckpt_futex_check(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	const struct ckpt_rec_restart_block *p = rstr_payload(rec);

	if (!ckpt_left_valid(p->left))
		return rstr_bad(ctx, rec, "impossible time left");
	if (le32_to_cpu(p->flags) &
	    ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME))
		return rstr_bad(ctx, rec, "unknown kind of futex");
	return 0;
}

static void ckpt_futex_get(struct restart_block *block,
			   const struct ckpt_rec_restart_block *p)
{
	u32 flags = le32_to_cpu(p->flags);

	block->futex.time = ckpt_left_get(p->left, ckpt_futex_now(flags));
	block->futex.uaddr = u64_to_user_ptr(le64_to_cpu(p->addr));
	block->futex.val = le32_to_cpu(p->val);
	block->futex.flags = futex_to_flags(flags) | FLAGS_HAS_TIMEOUT;
	block->futex.bitset = le32_to_cpu(p->bitset);
}

static int ckpt_poll_put(struct ckpt_ctx *ctx, struct task_struct *task,
			 struct ckpt_rec_restart_block *p)
{
	const struct restart_block *block = &task->restart_block;
	ktime_t end = ktime_set(block->poll.tv_sec, block->poll.tv_nsec);

	p->left = block->poll.has_timeout ? ckpt_left_put(end, ktime_get()) :
					    cpu_to_le64(U64_MAX);
	p->addr = cpu_to_le64((uintptr_t)block->poll.ufds);
	p->val = cpu_to_le32(block->poll.nfds);
	return 0;
}

static int ckpt_poll_check(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	const struct ckpt_rec_restart_block *p = rstr_payload(rec);

	if (!ckpt_left_valid(p->left) && le64_to_cpu(p->left) != U64_MAX)
		return rstr_bad(ctx, rec, "impossible time left");
	if (le32_to_cpu(p->val) > INT_MAX)
		return rstr_bad(ctx, rec, "polls too many descriptors");
	return 0;
}

static void ckpt_poll_get(struct restart_block *block,
			  const struct ckpt_rec_restart_block *p)
{
	block->poll.has_timeout = le64_to_cpu(p->left) != U64_MAX;
	if (block->poll.has_timeout) {
		struct timespec64 end;

		end = ktime_to_timespec64(ckpt_left_get(p->left, ktime_get()));
		block->poll.tv_sec = end.tv_sec;
		block->poll.tv_nsec = end.tv_nsec;
	}
	block->poll.ufds = u64_to_user_ptr(le64_to_cpu(p->addr));
	block->poll.nfds = le32_to_cpu(p->val);
}

static const struct ckpt_restart_call ckpt_restart_calls[] = {
	[CKPT_RESTART_NONE] = {
		.fn	= do_no_restart_syscall,
	},
	[CKPT_RESTART_NANOSLEEP] = {
		.fn	= ckpt_hrtimer_nanosleep_restart,
		.put	= ckpt_nanosleep_put,
		.check	= ckpt_nanosleep_check,
		.get	= ckpt_nanosleep_get,
	},
	[CKPT_RESTART_CPU_NANOSLEEP] = {
		.fn	= ckpt_posix_cpu_nsleep_restart,
		.put	= ckpt_cpu_nanosleep_put,
		.check	= ckpt_cpu_nanosleep_check,
		.get	= ckpt_cpu_nanosleep_get,
	},
	[CKPT_RESTART_ALARM_NANOSLEEP] = {
		.fn	= ckpt_alarm_timer_nsleep_restart,
		.put	= ckpt_alarm_nanosleep_put,
		.check	= ckpt_alarm_nanosleep_check,
		.get	= ckpt_alarm_nanosleep_get,
	},
	[CKPT_RESTART_FUTEX] = {
		.fn	= ckpt_futex_wait_restart,
		.put	= ckpt_futex_put,
		.check	= ckpt_futex_check,
		.get	= ckpt_futex_get,
	},
	[CKPT_RESTART_POLL] = {
		.fn	= ckpt_do_restart_poll,
		.put	= ckpt_poll_put,
		.check	= ckpt_poll_check,
		.get	= ckpt_poll_get,
	},
};

static int ckpt_restart_block_checkpoint(struct ckpt_ctx *ctx,
					 struct task_struct *task)
{
	const struct restart_block *block = &task->restart_block;
	struct ckpt_rec_restart_block *p;
	u32 i = 0;

	while (i < ARRAY_SIZE(ckpt_restart_calls) &&
	       ckpt_restart_calls[i].fn != block->fn)
		i++;
	if (i == ARRAY_SIZE(ckpt_restart_calls))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "system call restarted by %ps: not supported",
				   block->fn);

	p = ckpt_part_add(ctx, CKPT_REC_RESTART_BLOCK, sizeof(*p));
	if (IS_ERR(p))
		return PTR_ERR(p);
	p->call = cpu_to_le32(i);
	if (IS_ENABLED(CONFIG_COMPAT) && (block->arch_data & TS_COMPAT))
		p->what = cpu_to_le32(CKPT_RESTART_IA32);
	return i ? ckpt_restart_calls[i].put(ctx, task, p) : 0;
}

static const struct ckpt_restart_call *
ckpt_restart_call(const struct ckpt_rec_restart_block *p)
{
	u32 i = le32_to_cpu(p->call);

	if (i >= ARRAY_SIZE(ckpt_restart_calls))
		return NULL;
	return &ckpt_restart_calls[array_index_nospec(i,
					ARRAY_SIZE(ckpt_restart_calls))];
}

static int ckpt_restart_block_check(struct rstr_ctx *ctx,
				    const struct ckpt_record *rec)
{
	const struct ckpt_rec_restart_block *p = rstr_payload(rec);
	const struct ckpt_restart_call *call = ckpt_restart_call(p);

	if (!call)
		return rstr_bad(ctx, rec, "unknown system call");
	if (le32_to_cpu(p->what) & ~CKPT_RESTART_IA32)
		return rstr_bad(ctx, rec, "unknown flags");
	return call->check ? call->check(ctx, rec) : 0;
}

/* The clock starts as the task goes on. */
static void ckpt_restart_block_resume(struct rstr_ctx *ctx,
				      const struct ckpt_record *rec)
{
	const struct ckpt_rec_restart_block *p = rstr_payload(rec);
	const struct ckpt_restart_call *call = ckpt_restart_call(p);
	struct restart_block *block = &current->restart_block;

	block->arch_data = le32_to_cpu(p->what) & CKPT_RESTART_IA32 ?
			   TS_COMPAT : 0;
	if (call->get)
		call->get(block, p);
	block->fn = call->fn;
}

const struct ckpt_part ckpt_restart_block_part = {
	.type		= CKPT_REC_RESTART_BLOCK,
	.name		= "restart block",
	.size		= sizeof(struct ckpt_rec_restart_block),
	.min		= 1,
	.max		= 1,
	.checkpoint	= ckpt_restart_block_checkpoint,
	.check		= ckpt_restart_block_check,
	.resume		= ckpt_restart_block_resume,
};
