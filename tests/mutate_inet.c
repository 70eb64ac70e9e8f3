// SPDX-License-Identifier: GPL-2.0-only
/*
 * As mutate.c, with the image of one that has sockets of TCP and UDP. Who restarts it
 * has a network namespace of his own, so that ports are his alone.
 */
#define MUTATE_START	ckpt_tiny_inet
#define MUTATE_COUNT	1000
#define MUTATE_UNSHARE	CLONE_NEWNET
#define MUTATE_SETUP	ckpt_tiny_loopback
#include "mutate.c"
