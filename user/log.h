/* SPDX-License-Identifier: GPL-2.0-only */
/* The lines in which the kernel says why it refused or failed. */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>

/**
 * struct log - a pipe into which the kernel writes them
 * @rd: our end
 * @wr: the end to pass to the call
 */
struct log {
	int rd;
	int wr;
};

/* Make one; on failure says so and returns -1. */
int log_open(struct log *log);
void log_close(struct log *log);

/* Print each line after the program's name, and close the log; tells whether
 * there was any.
 */
bool log_print(struct log *log);

/* What to say of a call that failed with @err and left nothing in the log. */
const char *log_strerror(int err);

#endif
