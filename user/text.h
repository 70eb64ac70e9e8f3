/* SPDX-License-Identifier: GPL-2.0-only */
/* Text that people read: strings that nobody vouches for, and sizes. */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>
#include <stdio.h>
#include <linux/types.h>

#define TEXT_SIZE_LEN	32

/**
 * text_utf8() - how long the character at @s is
 * @s: bytes
 * @len: how many there are, at least 1
 *
 * Return: 1 to 4; 0 if no character in well-formed UTF-8 starts there
 */
size_t text_utf8(const char *s, size_t len);

/**
 * text_put() - print @len bytes at @s such that they do a terminal no harm
 * @out: where to
 * @s: bytes; a name of a file or a task may hold anything
 * @len: how many
 *
 * Control characters, backslashes and what is not UTF-8 come out as \ooo, as in
 * proc_pid_mounts(5).
 */
void text_put(FILE *out, const char *s, size_t len);

/* "512 B", "70.3 MiB"; returns @buf. */
const char *text_size(char buf[TEXT_SIZE_LEN], __u64 bytes);

#endif
