// SPDX-License-Identifier: GPL-2.0-only
/* As faults.c, with one that traces others, which end when it does. */
#define FAULTS_START	ckpt_tiny_traced
#include "faults.c"
