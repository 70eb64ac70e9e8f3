// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ckpt_leak.h"
#include "ckpt_proc.h"

/* Each CPU may have some files on account. */
#define CKPT_LEAK_FILES	200
#define CKPT_LEAK_TASKS	20

void ckpt_leak_note(struct ckpt_leak *leak)
{
	char text[128];

	ckpt_read("/proc/sys/fs/file-nr", text, sizeof(text));
	leak->files = atol(text);
	ckpt_read("/proc/loadavg", text, sizeof(text));
	leak->tasks = atol(strchr(text, '/') + 1);
}

bool ckpt_leak_none(const struct ckpt_leak *before)
{
	struct ckpt_leak now;

	ckpt_leak_note(&now);
	if (now.files < before->files + CKPT_LEAK_FILES &&
	    now.tasks < before->tasks + CKPT_LEAK_TASKS)
		return true;
	printf("# %ld files, %ld before; %ld tasks, %ld before\n", now.files,
	       before->files, now.tasks, before->tasks);
	return false;
}
