/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What /proc says of a target, before and after. Nothing here takes memory, so
 * that to look does not change what is seen.
 */
#ifndef CKPT_PROC_H
#define CKPT_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct ckpt_proc - what is to be the same
 * @maps: /proc/self/maps
 * @smaps: of /proc/self/smaps the lines that do not depend on others
 * @status: the sizes in /proc/self/status
 */
struct ckpt_proc {
	char	maps[128 * 1024];
	char	smaps[512 * 1024];
	char	status[2048];
};

/* Read a file, at most size - 1 bytes, and end it with a 0. Returns its length. */
size_t ckpt_read(const char *path, char *buf, size_t size);

/* Have so many huge pages in the pool; false if there can be none. */
bool ckpt_huge_pages(unsigned int nr);

/* Take note of the state of things. */
void ckpt_proc_note(struct ckpt_proc *proc);

/* CHECK() that it is the same now: the first line that is not is reported. */
#define CHECK_PROC(before) ckpt_proc_check(__FILE__, __LINE__, before)
void ckpt_proc_check(const char *file, int line,
		     const struct ckpt_proc *before);

/* CHECK() that two texts are the same, and report where they differ. */
#define CHECK_TEXT(what, is, ought)					\
	ckpt_check_text(__FILE__, __LINE__, what, is, ought)
bool ckpt_check_text(const char *file, int line, const char *what,
		     const char *is, const char *ought);

/* A number in kB from smaps, of the mapping at an address; -1 if there is none. */
long ckpt_smaps(const void *addr, const char *key);
long ckpt_smaps_of(pid_t pid, const void *addr, const char *key);

/* Whether a mapping has a flag, by its two letters in VmFlags. */
bool ckpt_vm_flag(const void *addr, const char *flag);

/* How many mappings cover a range, or begin in it. */
int ckpt_mappings(const void *addr, size_t len);

/* The first child of a process' first thread; 0 if there is none. */
pid_t ckpt_child_of(pid_t pid);

#endif /* CKPT_PROC_H */
