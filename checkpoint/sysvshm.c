// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared memory of System V: the segments, and what shmat(2) makes of them, which
 * is a description that only mappings refer to. Built as part of ipc/shm.c, which
 * keeps to itself what both are.
 *
 * A segment is known by its file, as anonymous shared memory is, and that is what
 * has its pages. One that is taken over gets a new file; the one that it had is
 * put back if the restart does not come about.
 */
#ifdef CONFIG_CHECKPOINT
#include "../checkpoint/checkpoint.h"
#include "../checkpoint/file.h"
#include "../checkpoint/hugetlb.h"
#include "../checkpoint/mm.h"
#include "../checkpoint/pages.h"
#include "../checkpoint/restart.h"
#include "../checkpoint/sysvipc.h"

#define CKPT_SHM_NAME	"System V shared memory"

/* Segments. */

/*
 * The segment whose file it is, or NULL. Under RCU; or with the lock held over
 * all of them, for writing if it is not to be destroyed. Its number is not used by
 * another one as long as the file is held and it has it.
 */
static struct shmid_kernel *ckpt_shm_find(const struct file *file)
{
	struct ipc_namespace *ns = current->nsproxy->ipc_ns;
	struct shmid_kernel *shp;

	guard(rcu)();
	shp = shm_obtain_object(ns, file_inode(file)->i_ino);
	if (IS_ERR(shp) || READ_ONCE(shp->shm_file) != file)
		return NULL;
	return shp;
}

static bool ckpt_shm_match(const void *obj)
{
	return ckpt_shm_find(obj);
}

/* Each attachment has a reference; and so have the segment and the table. */
static int ckpt_shm_users(void *obj)
{
	struct file *file = obj;

	return file_count(file) - 1;
}

static void ckpt_shm_fields_save(struct ckpt_ctx *ctx,
				 const struct shmid_kernel *shp,
				 struct ckpt_rec_shm *rec)
{
	struct inode *inode = file_inode(shp->shm_file);

	rec->size = cpu_to_le64(shp->shm_segsz);
	rec->page_shift = cpu_to_le32(ckpt_hugetlb_shift(inode));
	if (!rec->page_shift && (SHMEM_I(inode)->flags & VM_NORESERVE))
		rec->flags = cpu_to_le64(CKPT_VMA_NORESERVE);
	ckpt_ipc_save(&shp->shm_perm, &rec->ipc);
	rec->ipc.ctime = cpu_to_le64(shp->shm_ctim);
	rec->atime = cpu_to_le64(shp->shm_atim);
	rec->dtime = cpu_to_le64(shp->shm_dtim);
	rec->cpid = ckpt_ipc_pid_save(ctx, shp->shm_cprid);
	rec->lpid = ckpt_ipc_pid_save(ctx, shp->shm_lprid);
}

static bool ckpt_shm_save(struct ckpt_ctx *ctx, struct file *file,
			  struct ckpt_rec_shm *rec)
{
	struct shmid_kernel *shp;
	bool valid;

	guard(rcu)();
	shp = ckpt_shm_find(file);
	if (!shp)
		return false;
	ipc_lock_object(&shp->shm_perm);
	valid = ipc_valid_object(&shp->shm_perm);
	if (valid)
		ckpt_shm_fields_save(ctx, shp, rec);
	ipc_unlock_object(&shp->shm_perm);
	return valid;
}

static int ckpt_shm_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct file *file = obj;
	struct ckpt_rec_shm *rec;
	struct ckpt_memory *mem;

	rec = ckpt_object_add(ctx, CKPT_REC_SHM, file, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	/* Removed by someone outside, as we look. */
	if (!ckpt_shm_save(ctx, file, rec))
		return -EAGAIN;
	mem = ckpt_memory_add(ctx);
	if (!mem)
		return -ENOMEM;
	return ckpt_shmem_copy(ctx, mem, file_inode(file));
}

/* Those that are attached are known from that. */
static bool ckpt_shm_is_ours(struct ckpt_ctx *ctx, struct kern_ipc_perm *perm)
{
	struct shmid_kernel *shp = container_of(perm, struct shmid_kernel,
						shm_perm);

	return ckpt_ipc_whose(ctx, shp->shm_cprid) == CKPT_OURS;
}

static struct file *ckpt_shm_file(struct kern_ipc_perm *perm)
{
	struct shmid_kernel *shp = container_of(perm, struct shmid_kernel,
						shm_perm);
	struct file *file = NULL;

	shm_lock_by_ptr(shp);
	if (ipc_valid_object(perm))
		file = get_file(shp->shm_file);
	shm_unlock(shp);
	ipc_rcu_putref(perm, shm_rcu_free);
	return file;
}

static int ckpt_shm_collect(struct ckpt_ctx *ctx)
{
	struct ipc_ids *ids = &shm_ids(current->nsproxy->ipc_ns);
	struct kern_ipc_perm *perm;
	struct file *file;
	int from = 0, err;
	u32 ref;

	while ((perm = ckpt_ipc_next(ctx, ids, &from, ckpt_shm_is_ours))) {
		file = ckpt_shm_file(perm);
		if (!file)
			continue;
		err = ckpt_refer(ctx, CKPT_SHMEM, file, &ref);
		fput(file);
		if (err)
			return err;
	}
	return 0;
}

static int ckpt_shm_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_shm *rec = rstr_payload(obj->rec);
	int err;

	if (!rec->size || le64_to_cpu(rec->size) > MAX_LFS_FILESIZE)
		return rstr_bad(ctx, obj->rec, "size %llu",
				le64_to_cpu(rec->size));
	if (le64_to_cpu(rec->flags) & ~CKPT_VMA_NORESERVE || rec->reserved ||
	    (rec->flags && rec->page_shift))
		return rstr_bad(ctx, obj->rec, "flags %#llx",
				le64_to_cpu(rec->flags));
	if ((rec->ipc.mode & cpu_to_le32(SHM_DEST)) && rec->ipc.key)
		return rstr_bad(ctx, obj->rec, "removed, with key %#x",
				le32_to_cpu(rec->ipc.key));
	err = ckpt_hugetlb_check(ctx, obj->rec, le32_to_cpu(rec->page_shift));
	if (err)
		return err;
	return ckpt_ipc_check(ctx, obj->rec, &rec->ipc, SHM_DEST | SHM_LOCKED);
}

/**
 * struct ckpt_shm_old - what a segment had that is taken over
 * @file: its file
 * @ucounts: on whose account that is locked in memory
 */
struct ckpt_shm_old {
	struct file	*file;
	struct ucounts	*ucounts;
};

/* As newseg(), which calls it. */
static int ckpt_shm_new(struct ipc_namespace *ns, const void *obj)
{
	const struct ckpt_rec_shm *rec = obj;
	struct ipc_params params = {
		.key = le32_to_cpu(rec->ipc.key),
		.flg = rec->flags ? SHM_NORESERVE : 0,
		.u.size = le64_to_cpu(rec->size),
	};
	int ret;

	if (rec->page_shift)
		params.flg |= SHM_HUGETLB |
			      le32_to_cpu(rec->page_shift) << SHM_HUGE_SHIFT;
	ret = newseg(ns, &params);
	/* Which for want of an inode speaks of a device that is full. */
	if (ret == -ENOSPC && shm_ids(ns).in_use < ns->shm_ctlmni &&
	    ns->shm_tot + (PAGE_ALIGN(params.u.size) >> PAGE_SHIFT) <=
	    ns->shm_ctlall)
		ret = -ENOMEM;
	return ret;
}

static struct file *ckpt_shm_file_new(const struct ckpt_rec_shm *rec)
{
	u32 shift = le32_to_cpu(rec->page_shift);
	u64 size = le64_to_cpu(rec->size);
	struct file *file;
	char name[13];

	snprintf(name, sizeof(name), "SYSV%08x", le32_to_cpu(rec->ipc.key));
	if (shift)
		file = hugetlb_file_setup(name, ALIGN(size, BIT_ULL(shift)), 0,
					  HUGETLB_SHMFS_INODE, shift);
	else
		file = shmem_kernel_file_setup(name, size, rec->flags ?
					       VM_NORESERVE : 0);
	if (!IS_ERR(file))
		file_inode(file)->i_ino = le32_to_cpu(rec->ipc.id);
	/* As above. */
	return file == ERR_PTR(-ENOSPC) ? ERR_PTR(-ENOMEM) : file;
}

/* Whether a segment is the one of the image, and nobody has it attached. */
static bool ckpt_shm_is_left(const struct shmid_kernel *shp,
			     const struct ckpt_rec_shm *rec)
{
	return !shp->shm_nattch &&
	       shp->shm_segsz == le64_to_cpu(rec->size) &&
	       ckpt_hugetlb_shift(file_inode(shp->shm_file)) ==
	       le32_to_cpu(rec->page_shift) &&
	       (rec->ipc.key || shp->shm_ctim == le64_to_cpu(rec->ipc.ctime));
}

/* Nobody attaches it meanwhile who does not get the new file. */
static int ckpt_shm_take_over(struct rstr_ctx *ctx, struct rstr_obj *obj,
			      struct kern_ipc_perm *perm)
{
	struct shmid_kernel *shp = container_of(perm, struct shmid_kernel,
						shm_perm);
	const struct ckpt_rec_shm *rec = rstr_payload(obj->rec);
	struct ckpt_shm_old *old __free(kfree) =
		kmalloc(sizeof(*old), GFP_KERNEL_ACCOUNT);
	struct file *file;

	if (!old)
		return -ENOMEM;
	file = ckpt_shm_file_new(rec);
	if (IS_ERR(file))
		return PTR_ERR(file);
	shm_lock_by_ptr(shp);
	if (!ckpt_shm_is_left(shp, rec)) {
		shm_unlock(shp);
		fput(file);
		return ckpt_ipc_in_use(ctx, &rec->ipc, CKPT_SHM_NAME);
	}
	old->file = shp->shm_file;
	old->ucounts = shp->mlock_ucounts;
	shp->shm_file = file;
	shp->mlock_ucounts = NULL;
	shm_unlock(shp);
	obj->ptr = get_file(file);
	obj->private = no_free_ptr(old);
	return 0;
}

static int ckpt_shm_obtain(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	struct ipc_ids *ids = &shm_ids(current->nsproxy->ipc_ns);
	const struct ckpt_rec_shm *rec = rstr_payload(obj->rec);
	struct kern_ipc_perm *perm;

	perm = ckpt_ipc_find(ctx, ids, &rec->ipc, CKPT_SHM_NAME);
	if (IS_ERR(perm))
		return PTR_ERR(perm);
	if (perm)
		return ckpt_shm_take_over(ctx, obj, perm);
	perm = ckpt_ipc_make(ctx, ids, &rec->ipc, CKPT_SHM_NAME, ckpt_shm_new,
			     rec);
	if (IS_ERR(perm))
		return PTR_ERR(perm);
	obj->ptr = get_file(container_of(perm, struct shmid_kernel,
					 shm_perm)->shm_file);
	return 0;
}

/* As shmctl(2) SHM_LOCK, but that SHM_LOCKED is set at the end. */
static int ckpt_shm_keep_in_memory(struct rstr_ctx *ctx, struct file *file)
{
	struct ipc_ids *ids = &shm_ids(current->nsproxy->ipc_ns);
	struct ucounts *ucounts = current_ucounts();
	struct shmid_kernel *shp;
	int err;

	if (!can_do_mlock())
		err = -EPERM;
	else
		err = shmem_lock(file, 1, ucounts);
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   CKPT_SHM_NAME " %lu: can't be locked in memory: %pe",
				   file_inode(file)->i_ino, ERR_PTR(err));
	down_write(&ids->rwsem);
	shp = ckpt_shm_find(file);
	if (shp)
		shp->mlock_ucounts = ucounts;
	up_write(&ids->rwsem);
	return 0;
}

/* As shmctl(2) IPC_RMID. */
static void ckpt_shm_remove(struct shmid_kernel *shp)
{
	shm_lock_by_ptr(shp);
	do_shm_rmid(shp->ns, &shp->shm_perm);
	/* Which it does not say that it does. */
	__release(&shp->shm_perm.lock);
	__release(RCU);
}

/* What it had before. */
static void ckpt_shm_give_back(struct shmid_kernel *shp,
			       const struct ckpt_shm_old *old)
{
	struct ucounts *ucounts = shp->mlock_ucounts;
	struct file *file = shp->shm_file;

	shm_lock_by_ptr(shp);
	shp->shm_file = old->file;
	shp->mlock_ucounts = old->ucounts;
	shm_unlock(shp);
	if (ucounts)
		shmem_lock(file, 0, ucounts);
	fput(file);
}

/* Whose death counts where kernel.shm_rmid_forced is set. */
static void ckpt_shm_set_creator(struct shmid_kernel *shp, struct pid *pid)
{
	struct task_struct *task = pid ? pid_task(pid, PIDTYPE_TGID) : NULL;

	shm_clist_rm(shp);
	ipc_update_pid(&shp->shm_cprid, pid);
	if (!task)
		return;
	task_lock(task);
	if (!(task->flags & PF_EXITING)) {
		shp->shm_creator = task;
		list_add(&shp->shm_clist, &task->sysvshm.shm_clist);
	}
	task_unlock(task);
}

static void ckpt_shm_finish(struct rstr_ctx *ctx, struct shmid_kernel *shp,
			    const struct ckpt_rec_shm *rec)
{
	u32 mode = le32_to_cpu(rec->ipc.mode);
	bool idle;

	shm_lock_by_ptr(shp);
	ckpt_ipc_restore(&shp->shm_perm, &rec->ipc);
	shp->shm_perm.mode &= ~SHM_LOCKED;
	shp->shm_perm.mode |= mode & (SHM_DEST | SHM_LOCKED);
	shp->shm_atim = le64_to_cpu(rec->atime);
	shp->shm_dtim = le64_to_cpu(rec->dtime);
	shp->shm_ctim = le64_to_cpu(rec->ipc.ctime);
	ckpt_shm_set_creator(shp, ckpt_ipc_pid(ctx, rec->cpid));
	ipc_update_pid(&shp->shm_lprid, ckpt_ipc_pid(ctx, rec->lpid));
	idle = !shp->shm_nattch;
	shm_unlock(shp);
	/* Removed, and attached to nothing: that can't have been. */
	if ((mode & SHM_DEST) && idle)
		ckpt_shm_remove(shp);
}

static void ckpt_shm_old_free(struct ckpt_shm_old *old)
{
	if (old->ucounts)
		shmem_lock(old->file, 0, old->ucounts);
	fput(old->file);
}

static void ckpt_shm_settle(struct rstr_ctx *ctx, struct rstr_obj *obj,
			    bool done)
{
	struct ipc_ids *ids = &shm_ids(current->nsproxy->ipc_ns);
	struct ckpt_shm_old *old = obj->private;
	struct shmid_kernel *shp;

	down_write(&ids->rwsem);
	/* Unless someone removed it meanwhile, who was free to do so. */
	shp = ckpt_shm_find(obj->ptr);
	if (shp && done)
		ckpt_shm_finish(ctx, shp, rstr_payload(obj->rec));
	else if (shp && old)
		ckpt_shm_give_back(shp, old);
	else if (shp)
		ckpt_shm_remove(shp);
	up_write(&ids->rwsem);
	if (old && (done || !shp))
		ckpt_shm_old_free(old);
	kfree(old);
	obj->private = NULL;
}

static int ckpt_shm_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	struct ipc_ids *ids = &shm_ids(current->nsproxy->ipc_ns);
	const struct ckpt_rec_shm *rec = rstr_payload(obj->rec);
	int err;

	down_write(&ids->rwsem);
	err = ckpt_shm_obtain(ctx, obj);
	up_write(&ids->rwsem);
	if (!err)
		err = ckpt_hugetlb_populate(ctx, obj, obj->ptr);
	/* Huge pages are locked as they are. */
	if (!err && !rec->page_shift &&
	    (rec->ipc.mode & cpu_to_le32(SHM_LOCKED)))
		err = ckpt_shm_keep_in_memory(ctx, obj->ptr);
	/* If that failed the object is there all the same, and is undone. */
	return err;
}

const struct ckpt_kind ckpt_shm_kind = {
	.type		= CKPT_REC_SHM,
	.family		= CKPT_SHMEM,
	.name		= CKPT_SHM_NAME,
	.size		= sizeof(struct ckpt_rec_shm),
	.match		= ckpt_shm_match,
	.users		= ckpt_shm_users,
	.checkpoint	= ckpt_shm_checkpoint,
	.check		= ckpt_shm_check,
	.restore	= ckpt_shm_restore,
	.collect	= ckpt_shm_collect,
	.settle		= ckpt_shm_settle,
};

/* Attachments. */

static bool ckpt_file_shm_match(const void *obj)
{
	const struct file *file = obj;

	return file->f_op == &shm_file_operations ||
	       file->f_op == &shm_file_operations_huge;
}

static int ckpt_file_shm_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct file *file = obj;
	struct shm_file_data *sfd = shm_file_data(file);
	struct ckpt_rec_file_shm *rec;
	u32 ref;
	int err;

	/* The task was in another one when it attached this. */
	if (sfd->ns != current->nsproxy->ipc_ns)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   CKPT_SHM_NAME " %d of another IPC namespace: not supported",
				   sfd->id);
	err = ckpt_save(ctx, CKPT_SHMEM, sfd->file, &ref);
	if (err)
		return err;
	rec = ckpt_object_add(ctx, CKPT_REC_FILE_SHM, file, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->flags = cpu_to_le32(file->f_flags & O_ACCMODE);
	rec->shm = cpu_to_le32(ref);
	return 0;
}

static int ckpt_file_shm_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_shm *rec = rstr_payload(obj->rec);
	u32 flags = le32_to_cpu(rec->flags);
	struct rstr_obj *shm;

	if ((flags != O_RDWR && flags != O_RDONLY) || rec->what ||
	    rec->reserved)
		return rstr_bad(ctx, obj->rec, "flags %#o", flags);
	shm = rstr_ref(ctx, obj->rec, rec->shm, CKPT_SHMEM);
	if (!shm)
		return -EBADMSG;
	if (shm->kind != &ckpt_shm_kind)
		return rstr_bad(ctx, obj->rec, "object %u is no segment",
				shm->ref);
	return 0;
}

/* As do_shmat(). Of a segment that is the caller's to remove. */
static struct file *ckpt_shm_attach(struct file *base, u32 flags)
{
	struct shm_file_data *sfd;
	struct file *file;

	sfd = kzalloc(sizeof(*sfd), GFP_KERNEL_ACCOUNT);
	if (!sfd)
		return ERR_PTR(-ENOMEM);
	file = alloc_file_clone(base, flags, is_file_hugepages(base) ?
				&shm_file_operations_huge :
				&shm_file_operations);
	if (IS_ERR(file)) {
		kfree(sfd);
		return file;
	}
	sfd->id = file_inode(base)->i_ino;
	sfd->ns = get_ipc_ns(current->nsproxy->ipc_ns);
	sfd->file = get_file(base);
	file->private_data = sfd;
	return file;
}

static int ckpt_file_shm_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_shm *rec = rstr_payload(obj->rec);
	struct file *base = rstr_get(ctx, rstr_obj(ctx, rec->shm)), *file;

	if (IS_ERR(base))
		return PTR_ERR(base);
	file = ckpt_shm_attach(base, le32_to_cpu(rec->flags));
	if (IS_ERR(file))
		return PTR_ERR(file);
	obj->ptr = file;
	return 0;
}

const struct ckpt_kind ckpt_file_shm_kind = {
	.type		= CKPT_REC_FILE_SHM,
	.family		= CKPT_FILE,
	.name		= "attached " CKPT_SHM_NAME,
	.size		= sizeof(struct ckpt_rec_file_shm),
	.match		= ckpt_file_shm_match,
	.users		= ckpt_file_users,
	.checkpoint	= ckpt_file_shm_checkpoint,
	.check		= ckpt_file_shm_check,
	.restore	= ckpt_file_shm_restore,
};
#endif /* CONFIG_CHECKPOINT */
