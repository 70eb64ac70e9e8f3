/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kinds of object, and the parts they have. Dump and restore of each live side
 * by side in a file of their own; the engine knows of none of them but through
 * the tables declared here.
 */
#ifndef _CHECKPOINT_KIND_H
#define _CHECKPOINT_KIND_H

#include <linux/types.h>
#include <linux/checkpoint_image.h>

struct ckpt_ctx;
struct rstr_ctx;
struct rstr_obj;
struct task_struct;

/**
 * enum ckpt_family - what a pointer to an object is a pointer to
 *
 * Several kinds may be of one family: a struct file is a regular file, a
 * terminal, and so on.
 */
enum ckpt_family {
	CKPT_FILE,		/* struct file */
	CKPT_PIPE,		/* i_pipe in struct inode, of a pipe or a fifo */
	CKPT_PTY,		/* struct tty_struct, of the master of a pair */
	CKPT_MM,		/* struct mm_struct */
	CKPT_SHMEM,		/* struct file, that stands for the memory */
	CKPT_MEMFD,		/* struct dentry, that of a memfd */
	CKPT_DELETED,		/* struct inode; made anew: struct file */
	CKPT_ENDED_PID,		/* struct pid, that nobody has any more */
	CKPT_FILES,		/* struct files_struct */
	CKPT_FS,		/* struct fs_struct */
	CKPT_CRED,		/* const struct cred */
	CKPT_SECCOMP,		/* struct seccomp_filter */
	CKPT_SIGHAND,		/* struct sighand_struct */
	CKPT_SEM_UNDO,		/* struct sem_undo_list */
	CKPT_SEM_SET,		/* struct kern_ipc_perm, of semaphores */
	CKPT_MQUEUE,		/* struct dentry, of a POSIX message queue */
	CKPT_MSG_QUEUE,		/* struct kern_ipc_perm, of a message queue */
	CKPT_SIGNAL,		/* struct signal_struct, by its leader */
	CKPT_TASK,		/* struct task_struct */
	CKPT_REMARK,		/* said of another object; no pointer */
	CKPT_SOCK,		/* struct sock */
	CKPT_SOCK_LINK,		/* what a socket has to do with others; no pointer */
	CKPT_PAGEMAP,		/* pages of a memory object; no pointer */
	CKPT_NR_FAMILIES
};

/**
 * struct ckpt_part - a record that belongs to one object alone
 * @type: CKPT_REC_*
 * @name: for messages
 * @size: of the payload; the least size where @open_ended
 * @open_ended: the payload may be longer than @size
 * @of_dead: those have it as well that are bare, as of struct ckpt_kind
 * @min: how many there are at least
 * @max: how many there may be
 * @checkpoint: write all parts of this type of @task, with ckpt_part_add();
 *	the task is stopped, or is current. NULL if the owner's kind does it
 * @check: look at one such part for what @size does not say, and whether the
 *	caller may have what it asks for; without any effect
 * @check_tree: look at what it says of tasks, all of which are known by now
 * @restore: take up one such part. Runs in the context of the task, before any
 *	task of the image runs, the part being checked
 * @resume: the same, but once nothing can fail any more and just before the
 *	task goes on: what starts a clock, or would wake someone
 */
struct ckpt_part {
	u32		type;
	const char	*name;
	u32		size;
	bool		open_ended;
	bool		of_dead;
	u32		min;
	u32		max;
	int		(*checkpoint)(struct ckpt_ctx *ctx,
				      struct task_struct *task);
	int		(*check)(struct rstr_ctx *ctx,
				 const struct ckpt_record *rec);
	int		(*check_tree)(struct rstr_ctx *ctx,
				      const struct ckpt_record *rec);
	int		(*restore)(struct rstr_ctx *ctx,
				   const struct ckpt_record *rec);
	void		(*resume)(struct rstr_ctx *ctx,
				  const struct ckpt_record *rec);
};

/**
 * struct ckpt_kind - a kind of object
 * @type: CKPT_REC_*
 * @family: what pointers to it are
 * @name: for messages
 * @size: of the payload; the least size where @open_ended
 * @open_ended: the payload may be longer than @size
 * @parts: what parts it may have, up to a NULL; in the order in which they are
 *	checkpointed and restored. Or NULL
 * @is_bare: whether an object has none of its parts but those of the dead, so that
 *	the @min of others means nothing; NULL if there is no such
 * @match: whether @obj, of the right family, is of this kind; NULL if all are
 * @users: as of struct ckpt_family_ops, where this kind alone is counted
 * @checkpoint: write it: save what it refers to with ckpt_save(), then
 *	ckpt_object_add(), then its parts
 * @check: as of struct ckpt_part; references are to be looked up by rstr_ref()
 * @finish: write what could not be written with it, since it refers to what may
 *	refer back: called once for an object that is in use, when all that
 *	tasks have is written. NULL if there is nothing
 * @conclude: the same, when it is known which objects are in use, and there will
 *	be no more
 * @restore: make it anew and leave it in obj->ptr; whatever it refers to is
 *	there already. In the context of a task of the image or of the caller
 * @link: of what these wrote: put it in place, now that all tasks have built
 *	what they need; in the order of the image, in the context of the caller
 * @collect: of a kind whose objects need nobody to refer to them: ckpt_refer()
 *	to those that belong to the tree. They are restored by the caller unless
 *	a task needed them before
 * @settle: the restart comes about, and no task of it has run so far; or it does
 *	not, and none of them is left that could look. What restore() has left
 *	undone, as others would have seen it, is done; or what it did is undone.
 *	Can't fail
 * @apply: do what it takes all tasks and all other objects for, before any task
 *	takes up anything. In the context of the caller; NULL if that is nothing
 */
struct ckpt_kind {
	u32			type;
	enum ckpt_family	family;
	const char		*name;
	u32			size;
	bool			open_ended;
	const struct ckpt_part	*const *parts;
	bool			(*is_bare)(const struct rstr_obj *obj);
	bool			(*match)(const void *obj);
	int			(*users)(void *obj);
	int			(*checkpoint)(struct ckpt_ctx *ctx, void *obj);
	int			(*finish)(struct ckpt_ctx *ctx, void *obj);
	int			(*conclude)(struct ckpt_ctx *ctx, void *obj);
	int			(*check)(struct rstr_ctx *ctx,
					 struct rstr_obj *obj);
	int			(*restore)(struct rstr_ctx *ctx,
					   struct rstr_obj *obj);
	int			(*link)(struct rstr_ctx *ctx,
					struct rstr_obj *obj);
	int			(*collect)(struct ckpt_ctx *ctx);
	void			(*settle)(struct rstr_ctx *ctx,
					  struct rstr_obj *obj, bool done);
	int			(*apply)(struct rstr_ctx *ctx,
					 struct rstr_obj *obj);
};

/**
 * struct ckpt_family_ops - what all kinds of a family share
 * @name: for messages
 * @get: take a reference to an object, so that it lives while it is known
 * @put: drop it
 * @discard: drop what restart made, where that is not what @put takes
 * @claim: the kind of an object that the caller has said what it is; NULL where
 *	it is as it looks, an ERR_PTR; or NULL if nobody can say
 * @describe: name an object that no kind knows; NULL where @name will do
 * @remarks: write what is said of an object once all tasks and objects have been
 *	saved, as objects that refer to it; NULL if there is nothing
 * @users: how many users an object has at present, for finding those outside
 *	the tree; NULL where sharing does no harm
 * @referred: what an object that ckpt_refer() was called for is by that, in
 *	words; NULL where it need not be in use besides
 */
struct ckpt_family_ops {
	const char	*name;
	void		(*get)(void *obj);
	void		(*put)(void *obj);
	void		(*discard)(void *obj);
	const struct ckpt_kind *(*claim)(struct ckpt_ctx *ctx, void *obj);
	void		(*describe)(const void *obj, char *buf, size_t len);
	int		(*remarks)(struct ckpt_ctx *ctx, void *obj, u32 ref);
	int		(*users)(void *obj);
	const char	*referred;
};

extern const struct ckpt_family_ops ckpt_families[CKPT_NR_FAMILIES];

int ckpt_kinds_collect(struct ckpt_ctx *ctx);
const struct ckpt_kind *ckpt_kind_of_type(u32 type);
const struct ckpt_kind *ckpt_kind_of_object(enum ckpt_family family,
					    const void *obj);
const struct ckpt_part *ckpt_part_of_type(const struct ckpt_kind *kind,
					  u32 type);

/* The kinds, each in the file of its name. */
extern const struct ckpt_kind ckpt_file_regular_kind;
extern const struct ckpt_kind ckpt_file_directory_kind;
extern const struct ckpt_kind ckpt_file_memdev_kind;
extern const struct ckpt_kind ckpt_file_block_kind;
extern const struct ckpt_kind ckpt_file_pty_kind;
extern const struct ckpt_kind ckpt_file_tty_kind;
extern const struct ckpt_kind ckpt_file_pipe_kind;
extern const struct ckpt_kind ckpt_file_fifo_kind;
extern const struct ckpt_kind ckpt_file_eventfd_kind;
extern const struct ckpt_kind ckpt_file_signalfd_kind;
extern const struct ckpt_kind ckpt_file_timerfd_kind;
extern const struct ckpt_kind ckpt_file_epoll_kind;
extern const struct ckpt_kind ckpt_file_inotify_kind;
extern const struct ckpt_kind ckpt_file_fanotify_kind;
extern const struct ckpt_kind ckpt_file_pidfd_kind;
extern const struct ckpt_kind ckpt_file_ns_kind;
extern const struct ckpt_kind ckpt_file_memfd_kind;
extern const struct ckpt_kind ckpt_file_path_kind;
extern const struct ckpt_kind ckpt_file_deleted_kind;
extern const struct ckpt_kind ckpt_file_shm_kind;
extern const struct ckpt_kind ckpt_file_mqueue_kind;
extern const struct ckpt_kind ckpt_file_external_kind;
extern const struct ckpt_kind ckpt_file_process_kind;
extern const struct ckpt_kind ckpt_file_pseudo_kind;
extern const struct ckpt_kind ckpt_file_owner_kind;
extern const struct ckpt_kind ckpt_file_lease_kind;
extern const struct ckpt_kind ckpt_file_socket_kind;
extern const struct ckpt_kind ckpt_sock_unix_kind;
extern const struct ckpt_kind ckpt_unix_link_kind;
extern const struct ckpt_kind ckpt_sock_inet_kind;
extern const struct ckpt_kind ckpt_udp_queue_kind;
extern const struct ckpt_kind ckpt_tcp_link_kind;
extern const struct ckpt_kind ckpt_tcp_waiting_kind;
extern const struct ckpt_kind ckpt_sock_netlink_kind;
extern const struct ckpt_kind ckpt_sock_packet_kind;
extern const struct ckpt_kind ckpt_pipe_kind;
extern const struct ckpt_kind ckpt_pty_kind;
extern const struct ckpt_kind ckpt_mm_kind;
extern const struct ckpt_kind ckpt_shmem_kind;
extern const struct ckpt_kind ckpt_memfd_kind;
extern const struct ckpt_kind ckpt_deleted_kind;
extern const struct ckpt_kind ckpt_ended_kind;
extern const struct ckpt_kind ckpt_shm_kind;
extern const struct ckpt_kind ckpt_pagemap_kind;
extern const struct ckpt_kind ckpt_files_kind;
extern const struct ckpt_kind ckpt_fs_kind;
extern const struct ckpt_kind ckpt_cred_kind;
extern const struct ckpt_kind ckpt_seccomp_kind;
extern const struct ckpt_kind ckpt_sighand_kind;
extern const struct ckpt_kind ckpt_sem_undo_kind;
extern const struct ckpt_kind ckpt_sem_set_kind;
extern const struct ckpt_kind ckpt_msg_queue_kind;
extern const struct ckpt_kind ckpt_mqueue_kind;
extern const struct ckpt_kind ckpt_signal_kind;
extern const struct ckpt_kind ckpt_task_kind;

#endif
