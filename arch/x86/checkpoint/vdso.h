/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _X86_CHECKPOINT_VDSO_H
#define _X86_CHECKPOINT_VDSO_H

#include <linux/types.h>

/* Of the 64-bit or the 32-bit vDSO; zeros if it has none. */
void ckpt_vdso_build_id(u8 *id, bool ia32);

#endif
