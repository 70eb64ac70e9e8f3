// SPDX-License-Identifier: GPL-2.0-only
/* As mutate.c, with the image of one that traces others. */
#define MUTATE_START	ckpt_tiny_traced
#define MUTATE_COUNT	1000
#include "mutate.c"
