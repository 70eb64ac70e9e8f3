// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filters of system calls, of seccomp(2). Built as a part of kernel/seccomp.c,
 * which keeps to itself what a filter is.
 *
 * A filter is an object, and the one below it another: tasks share them as
 * fork(2) and SECCOMP_FILTER_FLAG_TSYNC left it. Whoever restarts under filters
 * is not rid of them: they have to be the ones that the image begins with, and
 * then they are those that it gets. Nobody's number of filters grows by his being
 * restarted where he came from.
 *
 * Filters look at nothing but system calls as these begin. None begins between
 * the restart and the first that the restarted task makes itself.
 */
#if defined(CONFIG_CHECKPOINT) && defined(CONFIG_SECCOMP_FILTER)
#include "../checkpoint/checkpoint.h"
#include "../checkpoint/filter.h"
#include "../checkpoint/process.h"
#include "../checkpoint/restart.h"

/* One user more, which a task is, and a filter on top of another. */
void ckpt_seccomp_get(void *obj)
{
	struct seccomp_filter *filter = obj;

	__get_seccomp_filter(filter);
	refcount_inc(&filter->users);
}

void ckpt_seccomp_put(void *obj)
{
	__seccomp_filter_release(obj);
}

/**
 * ckpt_seccomp_goes_on() - whether a system call is made that a tracer was asked about
 *
 * As __seccomp_filter() does when the tracer lets the task go that it has held at
 * PTRACE_EVENT_SECCOMP.
 *
 * Return: true if it is.
 */
bool ckpt_seccomp_goes_on(void)
{
	int nr = syscall_get_nr(current, current_pt_regs());

	if (fatal_signal_pending(current) || nr < 0)
		return false;
	return current->seccomp.mode != SECCOMP_MODE_FILTER ||
	       !__seccomp_filter(nr, NULL, true);
}

/* Checkpoint. */

static struct seccomp_filter *ckpt_seccomp_of(struct task_struct *task)
{
	struct seccomp_filter *filter = NULL;
	unsigned long flags;

	/* Filters change under siglock, and go when a task ends. */
	if (!lock_task_sighand(task, &flags))
		return NULL;
	if (task->seccomp.filter) {
		filter = task->seccomp.filter;
		ckpt_seccomp_get(filter);
	}
	unlock_task_sighand(task, &flags);
	return filter;
}

static size_t ckpt_seccomp_depth(const struct seccomp_filter *filter)
{
	size_t depth = 0;

	for (; filter; filter = filter->prev)
		depth++;
	return depth;
}

/* The oldest comes first: none has to see to the one below it then. */
static int ckpt_seccomp_chain_save(struct ckpt_ctx *ctx,
				   struct seccomp_filter *filter, u32 *ref)
{
	size_t nr = ckpt_seccomp_depth(filter), i = nr;
	struct seccomp_filter **chain;
	int err = 0;

	chain = kvmalloc_array(nr, sizeof(*chain), GFP_KERNEL_ACCOUNT);
	if (!chain)
		return -ENOMEM;
	for (; filter; filter = filter->prev)
		chain[--i] = filter;
	for (i = 0; i < nr && !err; i++)
		err = ckpt_save(ctx, CKPT_SECCOMP, chain[i], ref);
	kvfree(chain);
	return err;
}

/**
 * ckpt_seccomp_save() - write the filters of a task, unless that was done before
 * @ctx: the checkpoint
 * @task: the task, at rest
 * @ref: where the reference of the newest goes, 0 if there is none
 *
 * Return: 0 or a negative errno.
 */
int ckpt_seccomp_save(struct ckpt_ctx *ctx, struct task_struct *task, u32 *ref)
{
	struct seccomp_filter *filter = ckpt_seccomp_of(task);
	int err;

	*ref = 0;
	if (!filter)
		return 0;
	err = ckpt_seccomp_chain_save(ctx, filter, ref);
	ckpt_seccomp_put(filter);
	return err;
}

static bool ckpt_seccomp_has_listener(struct seccomp_filter *filter)
{
	guard(mutex)(&filter->notify_lock);
	return filter->notif;
}

/* What is wrong with a filter, or NULL. */
static const char *ckpt_seccomp_unsupported(struct seccomp_filter *filter)
{
	if (ckpt_seccomp_has_listener(filter))
		return "a filter with a listener";
	if (!filter->prog->orig_prog)
		return "a filter whose program was not kept";
	return NULL;
}

static int ckpt_seccomp_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct seccomp_filter *filter = obj;
	const char *unsupported = ckpt_seccomp_unsupported(filter);
	const struct sock_fprog_kern *prog = filter->prog->orig_prog;
	struct ckpt_rec_seccomp *rec;
	u32 prev = 0;
	int err = 0;

	if (unsupported)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "seccomp: %s: not supported", unsupported);
	if (filter->prev)
		err = ckpt_save(ctx, CKPT_SECCOMP, filter->prev, &prev);
	if (err)
		return err;
	rec = ckpt_object_add(ctx, CKPT_REC_SECCOMP, filter,
			      struct_size(rec, insns, prog->len));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->prev = cpu_to_le32(prev);
	rec->what = cpu_to_le32(filter->log ? CKPT_SECCOMP_LOG : 0);
	rec->nr_insns = cpu_to_le32(prog->len);
	ckpt_insns_put(rec->insns, prog->filter, prog->len);
	return 0;
}

/* Restart. */

/* What the filters up to this one add up to, as seccomp_attach_filter() has it. */
static size_t ckpt_seccomp_sum(const struct rstr_obj *obj)
{
	return (size_t)obj->private;
}

static int ckpt_seccomp_check_sum(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_seccomp *rec = rstr_payload(obj->rec);
	size_t sum = le32_to_cpu(rec->nr_insns);
	struct rstr_obj *prev;

	if (rec->prev) {
		prev = rstr_ref(ctx, obj->rec, rec->prev, CKPT_SECCOMP);
		if (!prev)
			return -EBADMSG;
		sum += ckpt_seccomp_sum(prev) + 4;
	}
	if (sum > MAX_INSNS_PER_PATH)
		return rstr_bad(ctx, obj->rec, "%zu instructions: too many",
				sum);
	obj->private = (void *)sum;
	return 0;
}

/* The program itself is checked where it is made, as that of anyone is. */
static int ckpt_seccomp_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_seccomp *rec = rstr_payload(obj->rec);
	u32 nr = le32_to_cpu(rec->nr_insns);

	if (!nr || nr > BPF_MAXINSNS ||
	    rstr_size(obj->rec) != struct_size(rec, insns, nr))
		return rstr_bad(ctx, obj->rec, "%u instructions do not fit",
				nr);
	if (le32_to_cpu(rec->what) & ~CKPT_SECCOMP_KNOWN || rec->reserved)
		return rstr_bad(ctx, obj->rec, "flags %#x",
				le32_to_cpu(rec->what));
	return ckpt_seccomp_check_sum(ctx, obj);
}

static struct seccomp_filter *ckpt_seccomp_make(const struct ckpt_rec_seccomp *rec,
						struct seccomp_filter *prev)
{
	struct seccomp_filter *filter;
	struct bpf_prog *prog;

	filter = kzalloc(sizeof(*filter), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!filter)
		return ERR_PTR(-ENOMEM);
	prog = ckpt_filter_make(rec->insns, le32_to_cpu(rec->nr_insns),
				seccomp_check_filter);
	if (IS_ERR(prog)) {
		kfree(filter);
		return ERR_CAST(prog);
	}
	mutex_init(&filter->notify_lock);
	init_waitqueue_head(&filter->wqh);
	refcount_set(&filter->refs, 1);
	refcount_set(&filter->users, 1);
	filter->prog = prog;
	filter->log = le32_to_cpu(rec->what) & CKPT_SECCOMP_LOG;
	filter->prev = prev;
	if (prev)
		ckpt_seccomp_get(prev);
	seccomp_cache_prepare(filter);
	return filter;
}

static bool ckpt_seccomp_equal(const struct seccomp_filter *filter,
			       const struct ckpt_rec_seccomp *rec)
{
	const struct sock_fprog_kern *prog = filter->prog->orig_prog;

	if (!prog || prog->len != le32_to_cpu(rec->nr_insns) ||
	    filter->log != !!(le32_to_cpu(rec->what) & CKPT_SECCOMP_LOG))
		return false;
	return ckpt_insns_equal(rec->insns, prog->filter, prog->len);
}

/* The filter that current has on top of @prev already, if it is the same one. */
static struct seccomp_filter *ckpt_seccomp_own(const struct ckpt_rec_seccomp *rec,
					       struct seccomp_filter *prev)
{
	struct seccomp_filter *filter;

	for (filter = current->seccomp.filter; filter; filter = filter->prev)
		if (filter->prev == prev && ckpt_seccomp_equal(filter, rec)) {
			ckpt_seccomp_get(filter);
			return filter;
		}
	return NULL;
}

/* A program may be longer once it is made than it was in the image. */
static bool ckpt_seccomp_too_long(const struct seccomp_filter *filter)
{
	size_t sum = filter->prog->len;

	while ((filter = filter->prev))
		sum += filter->prog->len + 4;
	return sum > MAX_INSNS_PER_PATH;
}

static int ckpt_seccomp_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_seccomp *rec = rstr_payload(obj->rec);
	struct seccomp_filter *prev, *filter;

	prev = rec->prev ? rstr_get(ctx, rstr_obj(ctx, rec->prev)) : NULL;
	if (IS_ERR(prev))
		return PTR_ERR(prev);
	filter = ckpt_seccomp_own(rec, prev) ?: ckpt_seccomp_make(rec, prev);
	if (filter == ERR_PTR(-EINVAL))
		return rstr_bad(ctx, obj->rec, "not a filter's program");
	if (IS_ERR(filter))
		return PTR_ERR(filter);
	obj->ptr = filter;
	if (ckpt_seccomp_too_long(filter))
		return ckpt_refuse(&ctx->log, -E2BIG,
				   "seccomp: filters are too long for this kernel");
	return 0;
}

/*
 * Of a filter and those below it the oldest that has not been made, so that none
 * makes another in its turn: there may be thousands. ckpt_seccomp_check_sum() bounds
 * how many.
 */
static struct rstr_obj *ckpt_seccomp_next(struct rstr_ctx *ctx,
					  struct rstr_obj *obj)
{
	const struct ckpt_rec_seccomp *rec = rstr_payload(obj->rec);

	while (rec->prev && !rstr_obj(ctx, rec->prev)->ptr) {
		obj = rstr_obj(ctx, rec->prev);
		rec = rstr_payload(obj->rec);
	}
	return obj;
}

static int ckpt_seccomp_permit(struct rstr_ctx *ctx,
			       struct seccomp_filter *filter, u32 prctl)
{
	struct seccomp_filter *own = current->seccomp.filter;

	if (prctl & CKPT_PRCTL_SECCOMP_STRICT ? !!own :
						!is_ancestor(own, filter))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "seccomp: not permitted to be without the filters of the caller");
	/* As to add a filter with seccomp(2). */
	if (filter != own && !(prctl & CKPT_PRCTL_NO_NEW_PRIVS) &&
	    !ns_capable_noaudit(current_user_ns(), CAP_SYS_ADMIN))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "seccomp: not permitted to have filters without no_new_privs (CAP_SYS_ADMIN)");
	return 0;
}

/**
 * ckpt_seccomp_build() - make the filters that a task has
 * @ctx: the restart
 * @ref: reference to the newest of them, or 0
 * @prctl: CKPT_PRCTL_* of the task, which is current
 *
 * Return: 0; -EPERM if the caller could not have them, or could not but have
 * others.
 */
int ckpt_seccomp_build(struct rstr_ctx *ctx, __le32 ref, u32 prctl)
{
	struct rstr_obj *obj, *next;
	void *filter = NULL;

	if (ref) {
		obj = rstr_obj(ctx, ref);
		do {
			next = ckpt_seccomp_next(ctx, obj);
			filter = rstr_get(ctx, next);
		} while (next != obj && !IS_ERR(filter));
	}
	if (IS_ERR(filter))
		return PTR_ERR(filter);
	return ckpt_seccomp_permit(ctx, filter, prctl);
}

/**
 * ckpt_seccomp_install() - have current's system calls filtered
 * @filter: the newest of the filters; current takes references of its own
 *
 * Controls of speculation, which a filter may bring with it, are restored by
 * themselves.
 */
void ckpt_seccomp_install(void *filter)
{
	struct seccomp_filter *old;

	ckpt_seccomp_get(filter);
	spin_lock_irq(ckpt_siglock());
	old = current->seccomp.filter;
	current->seccomp.filter = filter;
	atomic_set(&current->seccomp.filter_count, ckpt_seccomp_depth(filter));
	seccomp_assign_mode(current, SECCOMP_MODE_FILTER,
			    SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	spin_unlock_irq(ckpt_siglock());
	__seccomp_filter_release(old);
}

const struct ckpt_kind ckpt_seccomp_kind = {
	.type		= CKPT_REC_SECCOMP,
	.family		= CKPT_SECCOMP,
	.name		= "seccomp filter",
	.size		= sizeof(struct ckpt_rec_seccomp),
	.open_ended	= true,
	.checkpoint	= ckpt_seccomp_checkpoint,
	.check		= ckpt_seccomp_check,
	.restore	= ckpt_seccomp_restore,
};
#endif
