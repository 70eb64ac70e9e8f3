/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _CHECKPOINT_TASK_H
#define _CHECKPOINT_TASK_H

#include <linux/types.h>

struct rstr_ctx;
struct rstr_obj;
struct task_struct;

pid_t ckpt_task_tid(const struct rstr_obj *obj);
int ckpt_task_exit_code(const struct rstr_obj *obj);

bool ckpt_task_to_be_stopped(struct rstr_ctx *ctx, const struct rstr_obj *obj);

/*
 * Taking up a task of the image, in its own context. ckpt_task_share() comes
 * before its threads are there; ckpt_task_build() makes all that it needs, aside;
 * ckpt_task_install() gives up what there was before, and ckpt_task_resume() is
 * the last thing before user mode.
 */
int ckpt_task_share(struct rstr_ctx *ctx, struct rstr_obj *obj);
int ckpt_task_build(struct rstr_ctx *ctx, struct rstr_obj *obj);
int ckpt_task_install(struct rstr_ctx *ctx, struct rstr_obj *obj, bool leads);
void ckpt_task_resume(struct rstr_ctx *ctx, struct rstr_obj *obj, bool group);
void ckpt_task_bury(struct rstr_ctx *ctx, const struct rstr_obj *obj,
		    struct task_struct *task);

#endif
