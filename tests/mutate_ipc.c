// SPDX-License-Identifier: GPL-2.0-only
/*
 * As mutate.c, with the image of one that has objects which outlive it. They are
 * made in an IPC namespace of their own, with which they go.
 */
#define MUTATE_START	ckpt_tiny_ipc
#define MUTATE_COUNT	1000
#define MUTATE_UNSHARE	CLONE_NEWIPC
#include "mutate.c"
