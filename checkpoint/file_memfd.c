// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that memfd_create(2) made: what it holds, its seals, and the
 * descriptions that refer to it, which are opened again all together. There may
 * be more than one of these, by way of /proc/PID/fd, and one that nothing but a
 * mapping has. Shared memory that mmap(2) made is the same thing once it is open, by
 * way of /proc/PID/map_files.
 */
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/memfd.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/pid_namespace.h>
#include <linux/shmem_fs.h>

#include "checkpoint.h"
#include "file.h"
#include "hugetlb.h"
#include "mm.h"
#include "pages.h"
#include "restart.h"

#define CKPT_MEMFD_PREFIX	"memfd:"
#define CKPT_MEMFD_KNOWN	(CKPT_MEMFD_ANON | CKPT_MEMFD_ACCOUNT)
/* As memfd_create(2) has it. */
#define CKPT_MEMFD_NAME_MAX	(NAME_MAX - (sizeof(CKPT_MEMFD_PREFIX) - 1))

#define CKPT_SEALS_KNOWN						\
	(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE |	\
	 F_SEAL_FUTURE_WRITE | F_SEAL_EXEC)

#define CKPT_MEMFD_FLAGS	(CKPT_O_KNOWN & ~O_DIRECTORY)

/* The memory. */

/* Made by mmap(2), and not by memfd_create(2). */
static bool ckpt_memfd_is_anon(const struct dentry *dentry)
{
	return !strstarts((const char *)dentry->d_name.name,
			  CKPT_MEMFD_PREFIX);
}

/* A name that has no slash in it, so to speak, does not change. */
static const char *ckpt_memfd_name(const struct dentry *dentry)
{
	const char *name = (const char *)dentry->d_name.name;

	return ckpt_memfd_is_anon(dentry) ? name :
	       name + sizeof(CKPT_MEMFD_PREFIX) - 1;
}

static unsigned int *ckpt_memfd_seals(struct inode *inode)
{
#ifdef CONFIG_HUGETLBFS
	if (ckpt_hugetlb_shift(inode))
		return &HUGETLBFS_I(inode)->seals;
#endif
	return &SHMEM_I(inode)->seals;
}

static int ckpt_memfd_supported(struct ckpt_ctx *ctx, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);

	/* Nobody could map it so again once the seal is there. */
	if ((*ckpt_memfd_seals(inode) & F_SEAL_FUTURE_WRITE) &&
	    mapping_writably_mapped(inode->i_mapping))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "%pd: mapped to be written, and sealed (F_SEAL_FUTURE_WRITE): not supported",
				   dentry);
	return 0;
}

static u32 ckpt_memfd_what(const struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);

	if (!ckpt_memfd_is_anon(dentry))
		return 0;
	if (ckpt_hugetlb_shift(inode) ||
	    (SHMEM_I(inode)->flags & VM_NORESERVE))
		return CKPT_MEMFD_ANON;
	return CKPT_MEMFD_ANON | CKPT_MEMFD_ACCOUNT;
}

static void ckpt_memfd_save(struct dentry *dentry, struct ckpt_rec_memfd *rec)
{
	struct user_namespace *ns = current_user_ns();
	const char *name = ckpt_memfd_name(dentry);
	struct inode *inode = d_inode(dentry);

	rec->size = cpu_to_le64(i_size_read(inode));
	rec->seals = cpu_to_le32(*ckpt_memfd_seals(inode));
	rec->mode = cpu_to_le32(inode->i_mode & S_IALLUGO);
	rec->uid = cpu_to_le32(from_kuid_munged(ns, inode->i_uid));
	rec->gid = cpu_to_le32(from_kgid_munged(ns, inode->i_gid));
	rec->page_shift = cpu_to_le32(ckpt_hugetlb_shift(inode));
	rec->what = cpu_to_le32(ckpt_memfd_what(dentry));
	memcpy(rec->name, name, strlen(name) + 1);
}

static int ckpt_memfd_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct dentry *dentry = obj;
	struct ckpt_rec_memfd *rec;
	struct ckpt_memory *mem;
	int err;

	err = ckpt_memfd_supported(ctx, dentry);
	if (err)
		return err;
	rec = ckpt_object_add(ctx, CKPT_REC_MEMFD, dentry, sizeof(*rec) +
			      strlen(ckpt_memfd_name(dentry)) + 1);
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	ckpt_memfd_save(dentry, rec);
	mem = ckpt_memory_add(ctx);
	if (!mem)
		return -ENOMEM;
	return ckpt_shmem_copy(ctx, mem, d_inode(dentry));
}

static int ckpt_memfd_check_exec(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_memfd *rec = rstr_payload(obj->rec);

	if ((le32_to_cpu(rec->mode) & 0111) && !rec->what &&
	    pidns_memfd_noexec_scope(task_active_pid_ns(current)) >=
	    MEMFD_NOEXEC_SCOPE_NOEXEC_ENFORCED)
		return ckpt_refuse(&ctx->log, -EACCES,
				   "memfd that can be executed: not permitted (vm.memfd_noexec)");
	return 0;
}

static int ckpt_memfd_check_huge(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_memfd *rec = rstr_payload(obj->rec);
	u32 shift = le32_to_cpu(rec->page_shift);
	int err;

	err = ckpt_hugetlb_check(ctx, obj->rec, shift);
	if (!err && le64_to_cpu(rec->size) & (BIT_ULL(shift) - 1))
		err = rstr_bad(ctx, obj->rec, "%llu bytes in pages of 2^%u",
			       le64_to_cpu(rec->size), shift);
	return err;
}

static int ckpt_memfd_check_what(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_memfd *rec = rstr_payload(obj->rec);
	u32 what = le32_to_cpu(rec->what);

	if (what & ~CKPT_MEMFD_KNOWN || what == CKPT_MEMFD_ACCOUNT ||
	    (what & CKPT_MEMFD_ACCOUNT && rec->page_shift))
		return rstr_bad(ctx, obj->rec, "flags %#x", what);
	/* By which it is known. */
	if (what && !rec->page_shift &&
	    strcmp((const char *)rec->name, CKPT_SHMEM_NAME))
		return rstr_bad(ctx, obj->rec, "name");
	return 0;
}

static int ckpt_memfd_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_memfd *rec = rstr_payload(obj->rec);
	size_t len = rstr_size(obj->rec) - sizeof(*rec);

	if (le64_to_cpu(rec->size) > MAX_LFS_FILESIZE)
		return rstr_bad(ctx, obj->rec, "size %llu",
				le64_to_cpu(rec->size));
	if (le32_to_cpu(rec->seals) & ~CKPT_SEALS_KNOWN ||
	    le32_to_cpu(rec->mode) & ~S_IALLUGO)
		return rstr_bad(ctx, obj->rec, "seals %#x, mode %#o",
				le32_to_cpu(rec->seals),
				le32_to_cpu(rec->mode));
	if (!len || len > CKPT_MEMFD_NAME_MAX + 1 ||
	    strnlen((const char *)rec->name, len) != len - 1)
		return rstr_bad(ctx, obj->rec, "name");
	return ckpt_memfd_check_what(ctx, obj) ?:
	       ckpt_memfd_check_huge(ctx, obj) ?:
	       ckpt_memfd_check_exec(ctx, obj);
}

/* Once all have it open, as by then they may not any more. */
static int ckpt_memfd_protect(struct rstr_ctx *ctx,
			      const struct ckpt_rec_memfd *rec,
			      struct file *file)
{
	struct inode *inode = file_inode(file);
	int err;

	err = ckpt_file_owner(ctx, file, le32_to_cpu(rec->uid),
			      le32_to_cpu(rec->gid), le32_to_cpu(rec->mode));
	if (err)
		return err;
	/* What it has been given forbids any other. */
	inode_lock(inode);
	*ckpt_memfd_seals(inode) = 0;
	inode_unlock(inode);
	err = memfd_fcntl(file, F_ADD_SEALS, le32_to_cpu(rec->seals));
	if (err)
		return ckpt_refuse(&ctx->log, err, "%pD: can't be sealed: %pe",
				   file, ERR_PTR(err));
	return 0;
}

static unsigned long ckpt_memfd_reserve(const struct ckpt_rec_memfd *rec)
{
	return rec->what & cpu_to_le32(CKPT_MEMFD_ACCOUNT) ? 0 : VM_NORESERVE;
}

static struct file *ckpt_memfd_create(const struct ckpt_rec_memfd *rec)
{
	struct file *file;
	char *name;

	name = kasprintf(GFP_KERNEL_ACCOUNT, "%s%s",
			 rec->what ? "" : CKPT_MEMFD_PREFIX, rec->name);
	if (!name)
		return ERR_PTR(-ENOMEM);
	if (rec->page_shift)
		file = hugetlb_file_setup(name, le64_to_cpu(rec->size),
					  VM_NORESERVE, HUGETLB_ANONHUGE_INODE,
					  le32_to_cpu(rec->page_shift));
	else if (rec->what)
		file = shmem_kernel_file_setup(name, le64_to_cpu(rec->size),
					       ckpt_memfd_reserve(rec));
	else
		file = shmem_file_setup(name, le64_to_cpu(rec->size),
					VM_NORESERVE);
	kfree(name);
	/* Which for want of an inode speaks of a device that is full. */
	return file == ERR_PTR(-ENOSPC) ? ERR_PTR(-ENOMEM) : file;
}

/* The descriptions. */

/*
 * As memfd_create(2) makes its own, which may be written to and is no writer: with
 * it, the memory can be executed all the same.
 */
static struct file *ckpt_memfd_clone(struct file *base, int flags)
{
	struct file *file = alloc_file_clone(base, flags, base->f_op);

	if (!IS_ERR(file))
		file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	return file;
}

static int ckpt_memfd_open(struct rstr_ctx *ctx, struct rstr_obj *obj,
			   struct file *base)
{
	const struct ckpt_rec_file_memfd *rec = rstr_payload(obj->rec);
	int flags = le32_to_cpu(rec->flags);
	struct file *file;

	if (le32_to_cpu(rec->what) & CKPT_FILE_MEMFD_CREATED)
		file = ckpt_memfd_clone(base, flags);
	else
		file = file_open_root(&base->f_path, "", flags, 0);
	if (IS_ERR(file))
		return ckpt_refuse(&ctx->log, PTR_ERR(file),
				   "%pD: can't be opened: %pe", base, file);
	ckpt_file_set_flags(file, le32_to_cpu(rec->flags));
	file->f_pos = le64_to_cpu(rec->pos);
	obj->ptr = file;
	return 0;
}

static int ckpt_memfd_open_all(struct rstr_ctx *ctx, struct rstr_obj *memfd,
			       struct file *base)
{
	struct rstr_obj *obj;
	int err;

	for (obj = memfd->private; obj; obj = obj->private) {
		err = ckpt_memfd_open(ctx, obj, base);
		if (err)
			return err;
	}
	return 0;
}

static int ckpt_memfd_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_memfd *rec = rstr_payload(obj->rec);
	struct file *file = ckpt_memfd_create(rec);
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	err = ckpt_hugetlb_populate(ctx, obj, file);
	if (!err)
		err = ckpt_memfd_open_all(ctx, obj, file);
	if (!err)
		err = ckpt_memfd_protect(ctx, rec, file);
	if (err)
		ckpt_files_close(obj->private);
	else
		obj->ptr = dget(file->f_path.dentry);
	fput(file);
	return err;
}

static bool ckpt_file_memfd_match(const void *obj)
{
	struct file *file = (struct file *)obj;
	const struct inode *inode = file_inode(file);

	/* Not of a hugetlbfs that somebody has mounted. */
	if (S_ISREG(inode->i_mode) && ckpt_hugetlb_shift(inode))
		return !IS_PRIVATE(inode) &&
		       (file->f_path.mnt->mnt_flags & MNT_INTERNAL);
	if (ckpt_file_is_shmem(file))
		return true;
	return S_ISREG(inode->i_mode) && shmem_file(file) &&
	       !IS_PRIVATE(inode) && (inode->i_sb->s_flags & SB_NOUSER) &&
	       strstarts((const char *)file->f_path.dentry->d_name.name,
			 CKPT_MEMFD_PREFIX);
}

static int ckpt_file_memfd_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct file *file = obj;
	struct ckpt_rec_file_memfd *rec;
	u32 ref;
	int err;

	err = ckpt_save(ctx, CKPT_MEMFD, file->f_path.dentry, &ref);
	if (err)
		return err;
	rec = ckpt_file_add(ctx, file, CKPT_REC_FILE_MEMFD, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	if ((file->f_mode & (FMODE_WRITE | FMODE_WRITER)) == FMODE_WRITE)
		rec->what = cpu_to_le32(CKPT_FILE_MEMFD_CREATED);
	rec->memfd = cpu_to_le32(ref);
	rec->pos = cpu_to_le64(file->f_pos);
	return 0;
}

static int ckpt_file_memfd_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_memfd *rec = rstr_payload(obj->rec);
	u32 flags = le32_to_cpu(rec->flags), what = le32_to_cpu(rec->what);
	struct rstr_obj *memfd;

	if (flags & ~CKPT_MEMFD_FLAGS || (flags & O_ACCMODE) == O_ACCMODE)
		return rstr_bad(ctx, obj->rec, "flags %#o", flags);
	if (what & ~CKPT_FILE_MEMFD_CREATED ||
	    (what && (flags & O_ACCMODE) != O_RDWR) || rec->reserved ||
	    le64_to_cpu(rec->pos) > LLONG_MAX)
		return rstr_bad(ctx, obj->rec, "what %#x, offset %lld", what,
				le64_to_cpu(rec->pos));
	memfd = rstr_ref(ctx, obj->rec, rec->memfd, CKPT_MEMFD);
	if (!memfd)
		return -EBADMSG;
	/* The descriptions of a memfd are a list, which begins there. */
	obj->private = memfd->private;
	memfd->private = obj;
	return 0;
}

static int ckpt_file_memfd_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_memfd *rec = rstr_payload(obj->rec);

	/* Which opens this one with the others. */
	return PTR_ERR_OR_ZERO(rstr_get(ctx, rstr_obj(ctx, rec->memfd)));
}

const struct ckpt_kind ckpt_memfd_kind = {
	.type		= CKPT_REC_MEMFD,
	.family		= CKPT_MEMFD,
	.name		= "memfd",
	.size		= sizeof(struct ckpt_rec_memfd),
	.open_ended	= true,
	.checkpoint	= ckpt_memfd_checkpoint,
	.check		= ckpt_memfd_check,
	.restore	= ckpt_memfd_restore,
};

const struct ckpt_kind ckpt_file_memfd_kind = {
	.type		= CKPT_REC_FILE_MEMFD,
	.family		= CKPT_FILE,
	.name		= "open memfd",
	.size		= sizeof(struct ckpt_rec_file_memfd),
	.match		= ckpt_file_memfd_match,
	.users		= ckpt_file_users,
	.checkpoint	= ckpt_file_memfd_checkpoint,
	.check		= ckpt_file_memfd_check,
	.restore	= ckpt_file_memfd_restore,
};
