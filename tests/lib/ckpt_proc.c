// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ckpt_proc.h"
#include "ckpt_target.h"
#include "kselftest.h"

/* To be had without a look at the heap. */
static char ckpt_text[1024 * 1024];
static struct ckpt_proc ckpt_proc_now;

size_t ckpt_read(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t ret;

	NEED(fd >= 0);
	while (len < size - 1) {
		ret = read(fd, buf + len, size - 1 - len);
		NEED(ret >= 0);
		if (!ret)
			break;
		len += ret;
	}
	close(fd);
	buf[len] = 0;
	return len;
}

static size_t ckpt_line_len(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? (size_t)(end - line) + 1 : strlen(line);
}

static bool ckpt_line_begins(const char *line, const char *const *keys)
{
	for (; *keys; keys++)
		if (!strncmp(line, *keys, strlen(*keys)))
			return true;
	return false;
}

/* Of a text the lines that begin with one of the keys. */
static void ckpt_keep(const char *text, const char *const *keys, char *out,
		      size_t size)
{
	size_t len, used = 0;

	for (; *text; text += len) {
		len = ckpt_line_len(text);
		if (!ckpt_line_begins(text, keys))
			continue;
		NEED(used + len < size);
		memcpy(out + used, text, len);
		used += len;
	}
	out[used] = 0;
}

/*
 * Lower case hexadecimal digits begin the first line of a mapping. How much of it is
 * locked is not among these: it is less for pages that others have, too.
 */
static const char *const ckpt_smaps_kept[] = {
	"0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
	"a", "b", "c", "d", "e", "f",
	"Size:", "KernelPageSize:", "MMUPageSize:", "THPeligible:",
	"ProtectionKey:", "VmFlags:", NULL
};

static const char *const ckpt_status_kept[] = {
	"VmSize:", "VmLck:", "VmPin:", "VmData:", "VmStk:", "VmExe:", "VmLib:",
	"VmSwap:", "HugetlbPages:", "CoreDumping:", "THP_enabled:",
	"untag_mask:", NULL
};

/*
 * Shared memory that is no file has an inode all the same, and afterwards
 * another: blank its number, in the lines that show it as @shown.
 */
static void ckpt_blank_inodes(char *text, const char *shown)
{
	char *name, *p;

	for (; (name = strstr(text, shown)); text = name + 1) {
		for (p = name; p[-1] == ' '; p--)
			;
		for (; p[-1] >= '0' && p[-1] <= '9'; p--)
			p[-1] = '?';
		while (p < name)
			*p++ = '?';
	}
}

void ckpt_proc_note(struct ckpt_proc *proc)
{
	ckpt_read("/proc/self/maps", proc->maps, sizeof(proc->maps));
	ckpt_read("/proc/self/smaps", ckpt_text, sizeof(ckpt_text));
	ckpt_keep(ckpt_text, ckpt_smaps_kept, proc->smaps, sizeof(proc->smaps));
	ckpt_blank_inodes(proc->maps, "/dev/zero (deleted)");
	ckpt_blank_inodes(proc->smaps, "/dev/zero (deleted)");
	ckpt_blank_inodes(proc->maps, "[anon_shmem:");
	ckpt_blank_inodes(proc->smaps, "[anon_shmem:");
	ckpt_read("/proc/self/status", ckpt_text, sizeof(ckpt_text));
	ckpt_keep(ckpt_text, ckpt_status_kept, proc->status,
		  sizeof(proc->status));
}

bool ckpt_check_text(const char *file, int line, const char *what,
		     const char *is, const char *ought)
{
	while (*is || *ought) {
		size_t a = ckpt_line_len(is), b = ckpt_line_len(ought);

		if (a != b || memcmp(is, ought, a)) {
			ckpt_fail(file, line, "%s: %.*s, not %.*s", what,
				  (int)a - !!a, is, (int)b - !!b, ought);
			return false;
		}
		is += a;
		ought += b;
	}
	return true;
}

void ckpt_proc_check(const char *file, int line,
		     const struct ckpt_proc *before)
{
	struct ckpt_proc *now = &ckpt_proc_now;

	ckpt_proc_note(now);
	ckpt_check_text(file, line, "maps", now->maps, before->maps);
	ckpt_check_text(file, line, "smaps", now->smaps, before->smaps);
	ckpt_check_text(file, line, "status", now->status, before->status);
}

/* Of ckpt_text, the part that is about the mapping at an address. */
static const char *ckpt_smaps_at(pid_t pid, const void *addr)
{
	unsigned long start, end, want = (unsigned long)addr;
	const char *line;
	char path[32], *rest;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	ckpt_read(path, ckpt_text, sizeof(ckpt_text));
	for (line = ckpt_text; *line; line += ckpt_line_len(line)) {
		start = strtoul(line, &rest, 16);
		if (rest == line || *rest != '-')
			continue;
		end = strtoul(rest + 1, NULL, 16);
		if (want >= start && want < end)
			return line;
	}
	return NULL;
}

static const char *ckpt_smaps_line(pid_t pid, const void *addr, const char *key)
{
	const char *line = ckpt_smaps_at(pid, addr);

	for (; line && *line; line += ckpt_line_len(line)) {
		if (!strncmp(line, key, strlen(key)))
			return line + strlen(key);
		if (!strncmp(line, "VmFlags:", 8))
			break;
	}
	return NULL;
}

long ckpt_smaps_of(pid_t pid, const void *addr, const char *key)
{
	const char *line = ckpt_smaps_line(pid, addr, key);

	return line ? strtol(line, NULL, 10) : -1;
}

long ckpt_smaps(const void *addr, const char *key)
{
	return ckpt_smaps_of(getpid(), addr, key);
}

bool ckpt_vm_flag(const void *addr, const char *flag)
{
	const char *line = ckpt_smaps_line(getpid(), addr, "VmFlags:");
	const char *found = line ? strstr(line, flag) : NULL;

	return found && found < line + ckpt_line_len(line);
}

int ckpt_mappings(const void *addr, size_t len)
{
	unsigned long from = (unsigned long)addr, start, end;
	const char *line;
	char *rest;
	int nr = 0;

	ckpt_read("/proc/self/maps", ckpt_text, sizeof(ckpt_text));
	for (line = ckpt_text; *line; line += ckpt_line_len(line)) {
		start = strtoul(line, &rest, 16);
		end = strtoul(rest + 1, NULL, 16);
		nr += start < from + len && end > from;
	}
	return nr;
}

pid_t ckpt_child_of(pid_t pid)
{
	char path[64], text[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	ckpt_read(path, text, sizeof(text));
	return atoi(text);
}

bool ckpt_huge_pages(unsigned int nr)
{
	int fd = open("/proc/sys/vm/nr_hugepages", O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && dprintf(fd, "%u", nr) > 0;

	close(fd);
	return done;
}
