/* SPDX-License-Identifier: GPL-2.0-only */
/* A vfork(2) in flight. */
#ifndef _CHECKPOINT_VFORK_H
#define _CHECKPOINT_VFORK_H

#include <linux/types.h>

struct completion;
struct task_struct;

bool ckpt_vfork_waits(struct task_struct *task);
void ckpt_vfork_begin(struct task_struct *child, struct completion *done);
void ckpt_vfork_wait(struct task_struct *child, struct completion *done);

#endif
