// SPDX-License-Identifier: GPL-2.0-only
/*
 * As faults.c, with one that watches files and processes. That there is no memory
 * to account for an instance of inotify or fanotify is EMFILE, and for something to
 * be looked up in proc it is ENOENT.
 */
#define FAULTS_START	ckpt_tiny_watch
#define FAULTS_MEMORY	EMFILE, ENOENT
#include "faults.c"
