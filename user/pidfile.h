/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PIDFILE_H
#define PIDFILE_H

#include <sys/types.h>

/* Find out early whether the file can be made; if not, says so, returns -1. */
int pidfile_check(const char *path);

/**
 * pidfile_write() - write a pid to a file
 * @path: the file
 * @pid: the pid
 *
 * The file appears with the pid in it, in place of any there was before.
 *
 * Return: 0; -1 if it failed, and then has said so
 */
int pidfile_write(const char *path, pid_t pid);

#endif
