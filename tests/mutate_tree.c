// SPDX-License-Identifier: GPL-2.0-only
/* As mutate.c, with the image of a tree, which takes longer to make. */
#define MUTATE_START	ckpt_tiny_tree
#define MUTATE_COUNT	1000
#include "mutate.c"
