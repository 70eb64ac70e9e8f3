// SPDX-License-Identifier: GPL-2.0-only
/* As mutate.c, with the image of one that watches files and processes. */
#define MUTATE_START	ckpt_tiny_watch
#define MUTATE_COUNT	1000
#include "mutate.c"
