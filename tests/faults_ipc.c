// SPDX-License-Identifier: GPL-2.0-only
/* As faults.c, with one that has a bit of each kind of IPC. */
#define FAULTS_START	ckpt_tiny_ipc
#include "faults.c"
