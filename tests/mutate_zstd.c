// SPDX-License-Identifier: GPL-2.0-only
/* As mutate.c, with the image of one whose pages are compressed by zstd. */
#define MUTATE_FLAGS	CHECKPOINT_ZSTD
#define MUTATE_START	ckpt_tiny_start
#define MUTATE_COUNT	2000
#include "mutate.c"
