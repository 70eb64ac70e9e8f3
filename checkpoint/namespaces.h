/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _CHECKPOINT_NAMESPACES_H
#define _CHECKPOINT_NAMESPACES_H

struct ckpt_ctx;
struct task_struct;

int ckpt_namespaces_check(struct ckpt_ctx *ctx, struct task_struct *task);

#endif
