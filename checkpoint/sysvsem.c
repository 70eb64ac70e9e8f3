// SPDX-License-Identifier: GPL-2.0-only
/*
 * System V semaphores: the sets, and what they are to get back when tasks end
 * (SEM_UNDO), which is a list that clone(2) CLONE_SYSVSEM shares, as threads of a
 * process do. Built as part of ipc/sem.c, which keeps to itself what both are.
 *
 * Who waits for a semaphore has left the queue when he is at rest, and calls
 * semop(2) again when he goes on: where he was in it is found out before.
 */
#ifdef CONFIG_CHECKPOINT
#include "../checkpoint/checkpoint.h"
#include "../checkpoint/limits.h"
#include "../checkpoint/process.h"
#include "../checkpoint/restart.h"
#include "../checkpoint/sysvipc.h"
#include "../checkpoint/turn.h"

#define CKPT_SEM_NAME	"System V semaphores"

/* Sets. */

static struct sem_array *ckpt_sem_set(const void *obj)
{
	return container_of(obj, struct sem_array, sem_perm);
}

void ckpt_sem_set_put(void *obj)
{
	ipc_rcu_putref(obj, sem_rcu_free);
}

void ckpt_sem_set_describe(const void *obj, char *buf, size_t len)
{
	const struct kern_ipc_perm *perm = obj;

	snprintf(buf, len, CKPT_SEM_NAME " %d", perm->id);
}

/* Each list of adjustments is a use; and one is added for the table's own. */
int ckpt_sem_set_users(void *obj)
{
	struct sem_array *sma = ckpt_sem_set(obj);
	int nr;

	sem_lock(sma, NULL, -1);
	nr = list_count_nodes(&sma->list_id);
	sem_unlock(sma, -1);
	return nr + 1;
}

static bool ckpt_sem_find(struct list_head *pending,
			  const struct task_struct *task, u32 *nr)
{
	struct sem_queue *queue;

	list_for_each_entry(queue, pending, list) {
		++*nr;
		if (queue->sleeper == task)
			return true;
	}
	return false;
}

static u32 ckpt_sem_set_turn(struct sem_array *sma,
			     const struct task_struct *task)
{
	u32 nr = 0;

	if (ckpt_sem_find(&sma->pending_alter, task, &nr) ||
	    ckpt_sem_find(&sma->pending_const, task, &nr))
		return nr;
	for (int i = 0; i < sma->sem_nsems; i++)
		if (ckpt_sem_find(&sma->sems[i].pending_alter, task, &nr) ||
		    ckpt_sem_find(&sma->sems[i].pending_const, task, &nr))
			return nr;
	return 0;
}

/**
 * ckpt_sem_turn() - the place of a task among those that wait for semaphores
 * @id: of the set
 * @task: the task; it may run
 *
 * Return: from 1 on; or 0 if it is not among them.
 */
u32 ckpt_sem_turn(int id, const struct task_struct *task)
{
	struct sem_array *sma;
	u32 nr;

	guard(rcu)();
	sma = sem_obtain_object_check(current->nsproxy->ipc_ns, id);
	if (IS_ERR(sma))
		return 0;
	sem_lock(sma, NULL, -1);
	nr = ckpt_sem_set_turn(sma, task);
	sem_unlock(sma, -1);
	return nr;
}

/* None of the tree, as these are at rest. */
static bool ckpt_sem_has_waiters(struct sem_array *sma)
{
	if (!list_empty(&sma->pending_alter) ||
	    !list_empty(&sma->pending_const))
		return true;
	for (int i = 0; i < sma->sem_nsems; i++)
		if (!list_empty(&sma->sems[i].pending_alter) ||
		    !list_empty(&sma->sems[i].pending_const))
			return true;
	return false;
}

static bool ckpt_sem_has_others(struct ckpt_ctx *ctx, struct sem_array *sma)
{
	for (int i = 0; i < sma->sem_nsems; i++)
		if (ckpt_ipc_whose(ctx, sma->sems[i].sempid) == CKPT_OTHERS)
			return true;
	return ckpt_sem_has_waiters(sma);
}

static void ckpt_sem_set_save(struct ckpt_ctx *ctx, struct sem_array *sma,
			      struct ckpt_rec_sem_set *rec)
{
	ckpt_ipc_save(&sma->sem_perm, &rec->ipc);
	rec->ipc.ctime = cpu_to_le64(sma->sem_ctime);
	rec->otime = cpu_to_le64(get_semotime(sma));
	rec->nr = cpu_to_le32(sma->sem_nsems);
	for (int i = 0; i < sma->sem_nsems; i++) {
		rec->sem[i].value = cpu_to_le32(sma->sems[i].semval);
		rec->sem[i].pid = ckpt_ipc_pid_save(ctx, sma->sems[i].sempid);
	}
}

static int ckpt_sem_set_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct sem_array *sma = ckpt_sem_set(obj);
	struct ckpt_rec_sem_set *rec;
	bool others, valid;

	if (sma->sem_nsems > CKPT_SEMS_MAX)
		return ckpt_refuse(&ctx->log, -E2BIG,
				   CKPT_SEM_NAME " %d: more than %u",
				   sma->sem_perm.id, CKPT_SEMS_MAX);
	rec = ckpt_object_add(ctx, CKPT_REC_SEM_SET, obj,
			      struct_size(rec, sem, sma->sem_nsems));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	sem_lock(sma, NULL, -1);
	valid = ipc_valid_object(&sma->sem_perm);
	others = ckpt_sem_has_others(ctx, sma);
	ckpt_sem_set_save(ctx, sma, rec);
	sem_unlock(sma, -1);
	/* Removed by someone outside, as we look. */
	if (!valid)
		return -EAGAIN;
	if (others)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   CKPT_SEM_NAME " %d is shared with a process outside the tree",
				   sma->sem_perm.id);
	return 0;
}

/* Of those with adjustments for it the lists tell. */
static bool ckpt_sem_set_is_ours(struct ckpt_ctx *ctx,
				 struct kern_ipc_perm *perm)
{
	struct sem_array *sma = ckpt_sem_set(perm);
	bool used = false, ours = false;

	sem_lock(sma, NULL, -1);
	for (int i = 0; i < sma->sem_nsems && !ours; i++) {
		used |= !!sma->sems[i].sempid;
		ours = ckpt_ipc_whose(ctx, sma->sems[i].sempid) == CKPT_OURS;
	}
	if (!used && !ckpt_sem_has_waiters(sma) && list_empty(&sma->list_id))
		ours = ckpt_ipc_is_mine(ctx, perm);
	sem_unlock(sma, -1);
	return ours;
}

static int ckpt_sem_set_collect(struct ckpt_ctx *ctx)
{
	struct ipc_ids *ids = &sem_ids(current->nsproxy->ipc_ns);
	struct kern_ipc_perm *perm;
	int from = 0, err;
	u32 ref;

	while ((perm = ckpt_ipc_next(ctx, ids, &from, ckpt_sem_set_is_ours))) {
		err = ckpt_refer(ctx, CKPT_SEM_SET, perm, &ref);
		ckpt_sem_set_put(perm);
		if (err)
			return err;
	}
	return 0;
}

static int ckpt_sem_set_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_sem_set *rec = rstr_payload(obj->rec);
	u32 nr = le32_to_cpu(rec->nr);

	if (!nr || nr > CKPT_SEMS_MAX || rec->reserved ||
	    rstr_size(obj->rec) != struct_size(rec, sem, nr))
		return rstr_bad(ctx, obj->rec, "%u semaphores", nr);
	for (u32 i = 0; i < nr; i++)
		if (le32_to_cpu(rec->sem[i].value) > SEMVMX)
			return rstr_bad(ctx, obj->rec, "value %u of number %u",
					le32_to_cpu(rec->sem[i].value), i);
	return ckpt_ipc_check(ctx, obj->rec, &rec->ipc, 0);
}

/* As semget(2). */
static int ckpt_sem_set_new(struct ipc_namespace *ns, const void *obj)
{
	const struct ckpt_rec_sem_set *rec = obj;
	struct ipc_params params = {
		.key = le32_to_cpu(rec->ipc.key),
		.u.nsems = le32_to_cpu(rec->nr),
	};

	if (params.u.nsems > ns->sc_semmsl)
		return -EINVAL;
	return newary(ns, &params);
}

/* Whether nobody has used it, so that there is nothing in it that matters. */
static bool ckpt_sem_set_is_unused(const struct ckpt_rec_sem_set *rec)
{
	for (u32 i = 0; i < le32_to_cpu(rec->nr); i++)
		if (rec->sem[i].value || rec->sem[i].pid)
			return false;
	return true;
}

/* Whether a set is the one of the image, and nobody who lives uses it. */
static bool ckpt_sem_set_is_left(struct sem_array *sma,
				 const struct ckpt_rec_sem_set *rec)
{
	if (sma->sem_nsems != le32_to_cpu(rec->nr) ||
	    sma->sem_ctime < (time64_t)le64_to_cpu(rec->ipc.ctime))
		return false;
	if (ckpt_sem_set_is_unused(rec))
		return true;
	for (int i = 0; i < sma->sem_nsems; i++)
		if (ckpt_ipc_pid_lives(sma->sems[i].sempid))
			return false;
	return list_empty(&sma->list_id) && !ckpt_sem_has_waiters(sma);
}

static int ckpt_sem_set_take_over(struct rstr_ctx *ctx,
				  const struct ckpt_rec_sem_set *rec,
				  struct kern_ipc_perm *perm)
{
	struct sem_array *sma = ckpt_sem_set(perm);
	bool left;

	sem_lock(sma, NULL, -1);
	left = ckpt_sem_set_is_left(sma, rec);
	sem_unlock(sma, -1);
	return left ? 0 : ckpt_ipc_in_use(ctx, &rec->ipc, CKPT_SEM_NAME);
}

static int ckpt_sem_set_obtain(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	struct ipc_ids *ids = &sem_ids(current->nsproxy->ipc_ns);
	const struct ckpt_rec_sem_set *rec = rstr_payload(obj->rec);
	struct kern_ipc_perm *perm;
	int err = 0;

	perm = ckpt_ipc_find(ctx, ids, &rec->ipc, CKPT_SEM_NAME);
	if (IS_ERR(perm))
		return PTR_ERR(perm);
	if (perm) {
		err = ckpt_sem_set_take_over(ctx, rec, perm);
	} else {
		perm = ckpt_ipc_make(ctx, ids, &rec->ipc, CKPT_SEM_NAME,
				     ckpt_sem_set_new, rec);
		if (IS_ERR(perm))
			return PTR_ERR(perm);
		/* It was not there before, and goes if nothing comes of this. */
		obj->private = perm;
	}
	if (err)
		return err;
	ckpt_ipc_get(perm);
	obj->ptr = perm;
	return 0;
}

static int ckpt_sem_set_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	struct ipc_ids *ids = &sem_ids(current->nsproxy->ipc_ns);
	int err;

	down_write(&ids->rwsem);
	err = ckpt_sem_set_obtain(ctx, obj);
	up_write(&ids->rwsem);
	return err;
}

/* Who waits by now for a value that there is gets it. */
static void ckpt_sem_set_fill(struct rstr_ctx *ctx, struct sem_array *sma,
			      const struct ckpt_rec_sem_set *rec)
{
	DEFINE_WAKE_Q(wake_q);

	sem_lock(sma, NULL, -1);
	ckpt_ipc_restore(&sma->sem_perm, &rec->ipc);
	for (int i = 0; i < sma->sem_nsems; i++) {
		struct sem *sem = &sma->sems[i];

		sem->semval = le32_to_cpu(rec->sem[i].value);
		sem->sem_otime = 0;
		ipc_update_pid(&sem->sempid,
			       ckpt_ipc_pid(ctx, rec->sem[i].pid));
	}
	do_smart_update(sma, NULL, 0, 0, &wake_q);
	sma->sems[0].sem_otime = le64_to_cpu(rec->otime);
	sma->sem_ctime = le64_to_cpu(rec->ipc.ctime);
	sem_unlock(sma, -1);
	wake_up_q(&wake_q);
}

/* As semctl(2) IPC_RMID. */
static void ckpt_sem_set_remove(struct ipc_namespace *ns,
				struct sem_array *sma)
{
	rcu_read_lock();
	sem_lock(sma, NULL, -1);
	freeary(ns, &sma->sem_perm);
	/* Which it does not say that it does. */
	__release(&sma->sem_perm.lock);
	__release(RCU);
}

static void ckpt_sem_set_settle(struct rstr_ctx *ctx, struct rstr_obj *obj,
				bool done)
{
	struct ipc_namespace *ns = current->nsproxy->ipc_ns;
	const struct ckpt_rec_sem_set *rec = rstr_payload(obj->rec);
	struct sem_array *sma = ckpt_sem_set(obj->ptr);
	bool valid;

	down_write(&sem_ids(ns).rwsem);
	/* Unless someone removed it meanwhile, who was free to do so. */
	valid = ipc_valid_object(&sma->sem_perm);
	if (valid && done && (obj->private || !ckpt_sem_set_is_unused(rec)))
		ckpt_sem_set_fill(ctx, sma, rec);
	else if (valid && !done && obj->private)
		ckpt_sem_set_remove(ns, sma);
	up_write(&sem_ids(ns).rwsem);
}

const struct ckpt_kind ckpt_sem_set_kind = {
	.type		= CKPT_REC_SEM_SET,
	.family		= CKPT_SEM_SET,
	.name		= CKPT_SEM_NAME,
	.size		= sizeof(struct ckpt_rec_sem_set),
	.open_ended	= true,
	.checkpoint	= ckpt_sem_set_checkpoint,
	.check		= ckpt_sem_set_check,
	.restore	= ckpt_sem_set_restore,
	.collect	= ckpt_sem_set_collect,
	.settle		= ckpt_sem_set_settle,
};

/* Lists of adjustments. */

void ckpt_sem_undo_get(void *obj)
{
	struct sem_undo_list *list = obj;

	refcount_inc(&list->refcnt);
}

/* As for the last task that has it, which current stands for. */
void ckpt_sem_undo_put(void *obj)
{
	struct sem_undo_list *own = current->sysvsem.undo_list;

	current->sysvsem.undo_list = obj;
	exit_sem(current);
	current->sysvsem.undo_list = own;
}

int ckpt_sem_undo_users(void *obj)
{
	struct sem_undo_list *list = obj;

	return refcount_read(&list->refcnt);
}

/*
 * The set that the adjustments are for, a reference held; NULL if it was removed.
 * Those whose list it is are at rest, so that it only ever loses what it has.
 */
static struct kern_ipc_perm *ckpt_sem_undo_set(struct sem_undo *undo)
{
	struct ipc_namespace *ns = current->nsproxy->ipc_ns;
	int id = READ_ONCE(undo->semid);
	struct sem_array *sma;

	if (id == -1)
		return NULL;
	guard(rcu)();
	sma = sem_obtain_object_check(ns, id);
	if (IS_ERR(sma) || !ipc_rcu_getref(&sma->sem_perm))
		return NULL;
	return &sma->sem_perm;
}

/**
 * struct ckpt_sem_adjust - adjustments, as found or as they are to be
 * @set: what they are of; a reference is held when saving
 * @ref: the same in the image
 * @undo: these
 */
struct ckpt_sem_adjust {
	struct kern_ipc_perm	*set;
	u32			ref;
	struct sem_undo		*undo;
};

static size_t ckpt_sem_undo_count(struct sem_undo_list *list)
{
	size_t nr;

	spin_lock(&list->lock);
	nr = list_count_nodes(&list->list_proc);
	spin_unlock(&list->lock);
	return nr;
}

/*
 * What IPC_RMID takes from the list is freed under RCU, and by nobody else while
 * the tasks are at rest; so an entry is looked at under the lock only.
 */
static size_t ckpt_sem_undo_list(struct sem_undo_list *list,
				 struct ckpt_sem_adjust *all, size_t max)
{
	struct sem_undo *undo;
	size_t nr = 0;

	spin_lock(&list->lock);
	list_for_each_entry_reverse(undo, &list->list_proc, list_proc) {
		if (nr == max)
			break;
		all[nr].set = ckpt_sem_undo_set(undo);
		if (all[nr].set)
			all[nr++].undo = undo;
	}
	spin_unlock(&list->lock);
	return nr;
}

static int ckpt_sem_adjust_save(struct ckpt_ctx *ctx,
				struct sem_undo_list *list,
				const struct ckpt_sem_adjust *adjust)
{
	struct sem_array *sma = ckpt_sem_set(adjust->set);
	struct ckpt_rec_sem_adjust *rec;
	struct sem_undo *undo;

	rec = ckpt_part_add(ctx, CKPT_REC_SEM_ADJUST,
			    struct_size(rec, adjust, sma->sem_nsems));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->set = cpu_to_le32(adjust->ref);
	rec->nr = cpu_to_le32(sma->sem_nsems);
	/* By its number, which it does not have any more once it is removed. */
	spin_lock(&list->lock);
	undo = __lookup_undo(list, sma->sem_perm.id);
	for (int i = 0; undo && i < sma->sem_nsems; i++)
		rec->adjust[i] = cpu_to_le16(READ_ONCE(undo->semadj[i]));
	spin_unlock(&list->lock);
	return undo ? 0 : -EAGAIN;
}

static int ckpt_sem_undo_save(struct ckpt_ctx *ctx, struct sem_undo_list *list,
			      struct ckpt_sem_adjust *all, size_t nr)
{
	struct ckpt_rec_sem_undo *rec;
	int err;

	for (size_t i = 0; i < nr; i++) {
		err = ckpt_save(ctx, CKPT_SEM_SET, all[i].set, &all[i].ref);
		if (err)
			return err;
	}
	rec = ckpt_object_add(ctx, CKPT_REC_SEM_UNDO, list, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	for (size_t i = 0; i < nr; i++) {
		err = ckpt_sem_adjust_save(ctx, list, &all[i]);
		if (err)
			return err;
	}
	return 0;
}

static int ckpt_sem_undo_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	size_t max = ckpt_sem_undo_count(obj), nr;
	struct ckpt_sem_adjust *all;
	int err;

	all = kvcalloc(max, sizeof(*all), GFP_KERNEL_ACCOUNT);
	if (max && !all)
		return -ENOMEM;
	nr = ckpt_sem_undo_list(obj, all, max);
	err = ckpt_sem_undo_save(ctx, obj, all, nr);
	while (nr)
		ckpt_sem_set_put(all[--nr].set);
	kvfree(all);
	return err;
}

static int ckpt_sem_adjust_check(struct rstr_ctx *ctx,
				 const struct ckpt_record *rec)
{
	const struct ckpt_rec_sem_adjust *p = rstr_payload(rec);
	struct rstr_obj *set = rstr_ref(ctx, rec, p->set, CKPT_SEM_SET);
	const struct ckpt_rec_sem_set *of;
	u32 nr = le32_to_cpu(p->nr);

	if (!set)
		return -EBADMSG;
	of = rstr_payload(set->rec);
	if (p->nr != of->nr || nr > CKPT_SEMS_MAX ||
	    rstr_size(rec) != struct_size(p, adjust, nr))
		return rstr_bad(ctx, rec, "%u adjustments for %u semaphores",
				nr, le32_to_cpu(of->nr));
	/* Any number of 16 bits will do. */
	BUILD_BUG_ON(SEMAEM != S16_MAX);
	return 0;
}

static int ckpt_sem_undo_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_sem_undo *rec = rstr_payload(obj->rec);

	return rec->reserved ? rstr_bad(ctx, obj->rec, "reserved field") : 0;
}

static struct sem_undo *ckpt_sem_undo_alloc(struct sem_undo_list *list,
					    const struct kern_ipc_perm *set,
					    const struct ckpt_rec_sem_adjust *p)
{
	u32 nr = le32_to_cpu(p->nr);
	struct sem_undo *undo;

	undo = kvzalloc(struct_size(undo, semadj, nr), GFP_KERNEL_ACCOUNT);
	if (!undo)
		return NULL;
	undo->ulp = list;
	undo->semid = set->id;
	for (u32 i = 0; i < nr; i++)
		undo->semadj[i] = le16_to_cpu(p->adjust[i]);
	return undo;
}

/* Made now, and a part of nothing until the end. */
static int ckpt_sem_adjusts_prepare(struct rstr_ctx *ctx, struct rstr_obj *obj,
				    struct sem_undo_list *list)
{
	struct ckpt_sem_adjust *all = obj->private;
	const struct ckpt_rec_sem_adjust *p;
	const struct ckpt_record *rec;

	rstr_for_each_part(rec, obj, CKPT_REC_SEM_ADJUST) {
		p = rstr_payload(rec);
		all->set = rstr_get(ctx, rstr_obj(ctx, p->set));
		if (IS_ERR(all->set))
			return PTR_ERR(all->set);
		all->undo = ckpt_sem_undo_alloc(list, all->set, p);
		if (!all->undo)
			return -ENOMEM;
		all++;
	}
	return 0;
}

/* Up to one that has none. */
static void ckpt_sem_adjusts_free(struct rstr_obj *obj)
{
	struct ckpt_sem_adjust *all = obj->private;

	for (; all && all->undo; all++)
		kvfree(all->undo);
	kvfree(obj->private);
	obj->private = NULL;
}

static int ckpt_sem_adjusts_restore(struct rstr_ctx *ctx, struct rstr_obj *obj,
				    struct sem_undo_list *list)
{
	const struct ckpt_record *rec;
	size_t nr = 0;
	int err;

	rstr_for_each_part(rec, obj, CKPT_REC_SEM_ADJUST)
		nr++;
	obj->private = kvcalloc(nr + 1, sizeof(struct ckpt_sem_adjust),
				GFP_KERNEL_ACCOUNT);
	if (!obj->private)
		return -ENOMEM;
	err = ckpt_sem_adjusts_prepare(ctx, obj, list);
	if (err)
		ckpt_sem_adjusts_free(obj);
	return err;
}

static int ckpt_sem_undo_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	struct sem_undo_list *list;
	int err;

	list = kzalloc(sizeof(*list), GFP_KERNEL_ACCOUNT);
	if (!list)
		return -ENOMEM;
	spin_lock_init(&list->lock);
	refcount_set(&list->refcnt, 1);
	INIT_LIST_HEAD(&list->list_proc);
	err = ckpt_sem_adjusts_restore(ctx, obj, list);
	if (err)
		kfree(list);
	else
		obj->ptr = list;
	return err;
}

/* As find_alloc_undo(). Two for one set, as no list has, are left out. */
static bool ckpt_sem_undo_link(struct sem_undo_list *list,
			       const struct ckpt_sem_adjust *adjust)
{
	struct sem_array *sma = ckpt_sem_set(adjust->set);
	bool linked = false;

	rcu_read_lock();
	sem_lock(sma, NULL, -1);
	spin_lock(&list->lock);
	if (ipc_valid_object(&sma->sem_perm) &&
	    !__lookup_undo(list, sma->sem_perm.id)) {
		list_add_rcu(&adjust->undo->list_proc, &list->list_proc);
		list_add(&adjust->undo->list_id, &sma->list_id);
		linked = true;
	}
	spin_unlock(&list->lock);
	sem_unlock(sma, -1);
	rcu_read_unlock();
	return linked;
}

static void ckpt_sem_undo_settle(struct rstr_ctx *ctx, struct rstr_obj *obj,
				 bool done)
{
	struct ckpt_sem_adjust *all = obj->private;

	for (; done && all->undo; all++)
		if (!ckpt_sem_undo_link(obj->ptr, all))
			kvfree(all->undo);
	if (done) {
		kvfree(obj->private);
		obj->private = NULL;
	}
	ckpt_sem_adjusts_free(obj);
}

/**
 * ckpt_sem_undo_install() - give up the list that current has for another one
 * @list: the other one, of which a reference is taken; NULL for none
 */
void ckpt_sem_undo_install(void *list)
{
	exit_sem(current);
	if (list)
		ckpt_sem_undo_get(list);
	current->sysvsem.undo_list = list;
}

static const struct ckpt_part ckpt_sem_adjust_part = {
	.type		= CKPT_REC_SEM_ADJUST,
	.name		= "semaphore adjustments",
	.size		= sizeof(struct ckpt_rec_sem_adjust),
	.open_ended	= true,
	.max		= CKPT_SEM_ADJUSTS_MAX,
	.check		= ckpt_sem_adjust_check,
};

static const struct ckpt_part *const ckpt_sem_undo_parts[] = {
	&ckpt_sem_adjust_part,
	NULL
};

const struct ckpt_kind ckpt_sem_undo_kind = {
	.type		= CKPT_REC_SEM_UNDO,
	.family		= CKPT_SEM_UNDO,
	.name		= "list of semaphore adjustments",
	.size		= sizeof(struct ckpt_rec_sem_undo),
	.parts		= ckpt_sem_undo_parts,
	.checkpoint	= ckpt_sem_undo_checkpoint,
	.check		= ckpt_sem_undo_check,
	.restore	= ckpt_sem_undo_restore,
	.settle		= ckpt_sem_undo_settle,
};
#endif /* CONFIG_CHECKPOINT */
