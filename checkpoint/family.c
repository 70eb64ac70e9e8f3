// SPDX-License-Identifier: GPL-2.0-only
/* How objects of each family are held, and who else uses them. */
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/tty.h>
#include <net/sock.h>

#include "file.h"
#include "kind.h"
#include "process.h"
#include "sock.h"
#include "sysvipc.h"

static void ckpt_file_get(void *obj)
{
	get_file(obj);
}

static void ckpt_file_put(void *obj)
{
	fput(obj);
}

/* Which says nothing of who has it open; its kind knows. */
static void ckpt_inode_get(void *obj)
{
	ihold(obj);
}

static void ckpt_inode_put(void *obj)
{
	iput(obj);
}

/* The inode of a fifo that was deleted is an object by itself. */
static struct inode *ckpt_pipe_inode(const void *obj)
{
	return container_of((struct pipe_inode_info **)obj, struct inode,
			    i_pipe);
}

static void ckpt_pipe_get(void *obj)
{
	ihold(ckpt_pipe_inode(obj));
}

static void ckpt_pipe_put(void *obj)
{
	iput(ckpt_pipe_inode(obj));
}

static void ckpt_pipe_describe(const void *obj, char *buf, size_t len)
{
	const struct inode *inode = ckpt_pipe_inode(obj);

	snprintf(buf, len, "%s:[%lu]",
		 inode->i_sb->s_magic == PIPEFS_MAGIC ? "pipe" : "fifo",
		 inode->i_ino);
}

/* Both ends live as long as either is open; and this one for as long as this. */
static void ckpt_pty_get(void *obj)
{
	tty_kref_get(obj);
}

static void ckpt_pty_put(void *obj)
{
	tty_kref_put(obj);
}

static void ckpt_pty_describe(const void *obj, char *buf, size_t len)
{
	snprintf(buf, len, "pseudo terminal %d",
		 ((const struct tty_struct *)obj)->index);
}

/* It is the only one, and each description of the memfd has a share in it. */
static void ckpt_dentry_get(void *obj)
{
	dget(obj);
}

static void ckpt_dentry_put(void *obj)
{
	dput(obj);
}

static int ckpt_memfd_users(void *obj)
{
	return d_count((struct dentry *)obj);
}

static void ckpt_memfd_describe(const void *obj, char *buf, size_t len)
{
	snprintf(buf, len, "%pd", (const struct dentry *)obj);
}

static void ckpt_deleted_describe(const void *obj, char *buf, size_t len)
{
	struct dentry *dentry = d_find_any_alias((struct inode *)obj);

	if (dentry)
		snprintf(buf, len, "%pd (deleted)", dentry);
	dput(dentry);
}

static void ckpt_ended_get(void *obj)
{
	get_pid(obj);
}

static void ckpt_ended_put(void *obj)
{
	put_pid(obj);
}

static void ckpt_mqueue_describe(const void *obj, char *buf, size_t len)
{
	snprintf(buf, len, "message queue /%pd", (const struct dentry *)obj);
}

/* Each mapping is a use; and one is added for the reference that is held. */
static int ckpt_shmem_users(void *obj)
{
	struct file *file = obj;
	struct address_space *mapping = file->f_mapping;
	struct vm_area_struct *vma;
	int nr = 1;

	i_mmap_lock_read(mapping);
	vma_interval_tree_foreach(vma, &mapping->i_mmap, 0, ULONG_MAX)
		nr++;
	i_mmap_unlock_read(mapping);
	return nr;
}

static void ckpt_mm_get(void *obj)
{
	mmget(obj);
}

static void ckpt_mm_put(void *obj)
{
	mmput(obj);
}

static int ckpt_mm_users(void *obj)
{
	struct mm_struct *mm = obj;

	return atomic_read(&mm->mm_users);
}

static void ckpt_files_get(void *obj)
{
	struct files_struct *files = obj;

	atomic_inc(&files->count);
}

static void ckpt_files_put(void *obj)
{
	put_files_struct(obj);
}

static int ckpt_files_users(void *obj)
{
	struct files_struct *files = obj;

	return atomic_read(&files->count);
}

static void ckpt_fs_get(void *obj)
{
	struct fs_struct *fs = obj;

	spin_lock(&fs->lock);
	fs->users++;
	spin_unlock(&fs->lock);
}

static void ckpt_fs_put(void *obj)
{
	struct fs_struct *fs = obj;
	bool last;

	spin_lock(&fs->lock);
	last = !--fs->users;
	spin_unlock(&fs->lock);
	if (last)
		free_fs_struct(fs);
}

static int ckpt_fs_users(void *obj)
{
	struct fs_struct *fs = obj;

	return READ_ONCE(fs->users);
}

static void ckpt_cred_get(void *obj)
{
	get_cred(obj);
}

static void ckpt_cred_put(void *obj)
{
	put_cred(obj);
}

static void ckpt_sighand_get(void *obj)
{
	struct sighand_struct *sighand = obj;

	refcount_inc(&sighand->count);
}

static void ckpt_sighand_put(void *obj)
{
	__cleanup_sighand(obj);
}

static int ckpt_sighand_users(void *obj)
{
	struct sighand_struct *sighand = obj;

	return refcount_read(&sighand->count);
}

/* Who has one open is told by its file. */
static void ckpt_sock_get(void *obj)
{
	sock_hold(obj);
}

static void ckpt_sock_put(void *obj)
{
	sock_put(obj);
}

static void ckpt_task_get(void *obj)
{
	get_task_struct(obj);
}

static void ckpt_task_put(void *obj)
{
	put_task_struct(obj);
}

/* Thread groups live as long as their tasks, which are held; page maps and what
 * sockets have to do with each other are no objects of the kernel's.
 */
static void ckpt_nothing(void *obj)
{
}

const struct ckpt_family_ops ckpt_families[CKPT_NR_FAMILIES] = {
	[CKPT_FILE] = {
		.name	= "file",
		.get	= ckpt_file_get,
		.put	= ckpt_file_put,
		.describe = ckpt_file_describe,
		.remarks = ckpt_file_remarks,
		.claim	= ckpt_file_claim,
		.referred = "watched",
	},
	[CKPT_PIPE] = {
		.name	= "pipe",
		.get	= ckpt_pipe_get,
		.put	= ckpt_pipe_put,
		.describe = ckpt_pipe_describe,
	},
	[CKPT_PTY] = {
		.name	= "pseudo terminal",
		.get	= ckpt_pty_get,
		.put	= ckpt_pty_put,
		.describe = ckpt_pty_describe,
	},
	[CKPT_MM] = {
		.name	= "address space",
		.get	= ckpt_mm_get,
		.put	= ckpt_mm_put,
		.users	= ckpt_mm_users,
	},
	[CKPT_SHMEM] = {
		.name	= "shared memory",
		.get	= ckpt_file_get,
		.put	= ckpt_file_put,
		.users	= ckpt_shmem_users,
	},
	[CKPT_MEMFD] = {
		.name	= "memfd",
		.get	= ckpt_dentry_get,
		.put	= ckpt_dentry_put,
		.describe = ckpt_memfd_describe,
		.users	= ckpt_memfd_users,
	},
	[CKPT_DELETED] = {
		.name	= "deleted file",
		.get	= ckpt_inode_get,
		.put	= ckpt_inode_put,
		.discard = ckpt_file_put,
		.describe = ckpt_deleted_describe,
		.referred = "watched",
	},
	[CKPT_ENDED_PID] = {
		.name	= "ended process",
		.get	= ckpt_ended_get,
		.put	= ckpt_ended_put,
	},
	[CKPT_FILES] = {
		.name	= "descriptor table",
		.get	= ckpt_files_get,
		.put	= ckpt_files_put,
		.users	= ckpt_files_users,
	},
	[CKPT_FS] = {
		.name	= "root and current directory",
		.get	= ckpt_fs_get,
		.put	= ckpt_fs_put,
		.users	= ckpt_fs_users,
	},
	[CKPT_CRED] = {
		.name	= "credentials",
		.get	= ckpt_cred_get,
		.put	= ckpt_cred_put,
	},
	[CKPT_SECCOMP] = {
		.name	= "seccomp filter",
#ifdef CONFIG_SECCOMP_FILTER
		.get	= ckpt_seccomp_get,
		.put	= ckpt_seccomp_put,
#endif
	},
	[CKPT_SIGHAND] = {
		.name	= "table of signal handlers",
		.get	= ckpt_sighand_get,
		.put	= ckpt_sighand_put,
		.users	= ckpt_sighand_users,
	},
	[CKPT_SEM_UNDO] = {
		.name	= "list of semaphore adjustments",
#ifdef CONFIG_SYSVIPC
		.get	= ckpt_sem_undo_get,
		.put	= ckpt_sem_undo_put,
		.users	= ckpt_sem_undo_users,
#endif
	},
	[CKPT_SEM_SET] = {
		.name	= "set of System V semaphores",
#ifdef CONFIG_SYSVIPC
		.get	= ckpt_ipc_get,
		.put	= ckpt_sem_set_put,
		.describe = ckpt_sem_set_describe,
		.users	= ckpt_sem_set_users,
#endif
	},
	[CKPT_MSG_QUEUE] = {
		.name	= "System V message queue",
#ifdef CONFIG_SYSVIPC
		.get	= ckpt_ipc_get,
		.put	= ckpt_msg_queue_put,
		.describe = ckpt_msg_queue_describe,
#endif
	},
	[CKPT_MQUEUE] = {
		.name	= "POSIX message queue",
		.get	= ckpt_dentry_get,
		.put	= ckpt_dentry_put,
		.describe = ckpt_mqueue_describe,
	},
	[CKPT_SIGNAL] = {
		.name	= "thread group",
		.get	= ckpt_nothing,
		.put	= ckpt_nothing,
	},
	[CKPT_TASK] = {
		.name	= "task",
		.get	= ckpt_task_get,
		.put	= ckpt_task_put,
	},
	[CKPT_REMARK] = {
		.name	= "remark",
		.get	= ckpt_nothing,
		.put	= ckpt_nothing,
	},
	[CKPT_SOCK] = {
		.name	= "socket",
		.get	= ckpt_sock_get,
		.put	= ckpt_sock_put,
		.describe = ckpt_sock_describe,
		.referred = "connected to",
	},
	[CKPT_SOCK_LINK] = {
		.name	= "connection",
		.get	= ckpt_nothing,
		.put	= ckpt_nothing,
	},
	[CKPT_PAGEMAP] = {
		.name	= "page map",
		.get	= ckpt_nothing,
		.put	= ckpt_nothing,
	},
};
