// SPDX-License-Identifier: GPL-2.0-only
/*
 * As faults.c, with one that has sockets of TCP and UDP. For want of memory bind(2) says
 * that a port is in use.
 */
#define FAULTS_START	ckpt_tiny_inet
#define FAULTS_MEMORY	EADDRINUSE
#include "faults.c"
