/* SPDX-License-Identifier: GPL-2.0-only */
/* Objects of System V: what shared memory, semaphores and queues have in common. */
#ifndef _CHECKPOINT_SYSVIPC_H
#define _CHECKPOINT_SYSVIPC_H

#include <linux/types.h>

struct ckpt_ctx;
struct ckpt_rec_ipc;
struct ckpt_record;
struct ipc_ids;
struct ipc_namespace;
struct kern_ipc_perm;
struct msg_msg;
struct pid;
struct rstr_ctx;

/* Who has used an object last. */
enum ckpt_whose {
	CKPT_NOBODYS,	/* nobody has */
	CKPT_ENDED,	/* a process that is no more */
	CKPT_OURS,	/* one of the tree */
	CKPT_OTHERS,	/* one outside */
};

enum ckpt_whose ckpt_ipc_whose(struct ckpt_ctx *ctx, struct pid *pid);
bool ckpt_ipc_pid_lives(struct pid *pid);
__le32 ckpt_ipc_pid_save(struct ckpt_ctx *ctx, struct pid *pid);
struct pid *ckpt_ipc_pid(struct rstr_ctx *ctx, __le32 nr);

void ckpt_ipc_save(const struct kern_ipc_perm *perm, struct ckpt_rec_ipc *rec);
bool ckpt_ipc_is_mine(struct ckpt_ctx *ctx, const struct kern_ipc_perm *perm);

/*
 * The next object of which @ours says that it belongs to the tree, from index
 * @from on, which is moved behind it; a reference is held. Or NULL.
 */
struct kern_ipc_perm *ckpt_ipc_next(struct ckpt_ctx *ctx, struct ipc_ids *ids,
				    int *from,
				    bool (*ours)(struct ckpt_ctx *ctx,
						 struct kern_ipc_perm *perm));

int ckpt_ipc_check(struct rstr_ctx *ctx, const struct ckpt_record *rec,
		   const struct ckpt_rec_ipc *ipc, u32 flags);
struct kern_ipc_perm *ckpt_ipc_find(struct rstr_ctx *ctx, struct ipc_ids *ids,
				    const struct ckpt_rec_ipc *ipc,
				    const char *name);
struct kern_ipc_perm *ckpt_ipc_make(struct rstr_ctx *ctx, struct ipc_ids *ids,
				    const struct ckpt_rec_ipc *ipc,
				    const char *name,
				    int (*make)(struct ipc_namespace *ns,
						const void *rec),
				    const void *rec);
int ckpt_ipc_in_use(struct rstr_ctx *ctx, const struct ckpt_rec_ipc *ipc,
		    const char *name);
void ckpt_ipc_restore(struct kern_ipc_perm *perm,
		      const struct ckpt_rec_ipc *ipc);

void ckpt_ipc_get(void *obj);

/* In ipc/sem.c and ipc/msg.c. */
void ckpt_sem_set_put(void *obj);
void ckpt_sem_set_describe(const void *obj, char *buf, size_t len);
int ckpt_sem_set_users(void *obj);
void ckpt_msg_queue_put(void *obj);
void ckpt_msg_queue_describe(const void *obj, char *buf, size_t len);

/* In ipc/msgutil.c. */
struct msg_msg *ckpt_msg_load(const void *data, size_t len);
void ckpt_msg_store(struct msg_msg *msg, void *data);

#endif
