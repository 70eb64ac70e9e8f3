// SPDX-License-Identifier: GPL-2.0-only
/* As faults.c, with two who have pages in common, and huge ones of their own. */
#define FAULTS_START	ckpt_tiny_same
#define FAULTS_HUGE	4
#include "faults.c"
