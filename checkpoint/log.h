/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _CHECKPOINT_LOG_H
#define _CHECKPOINT_LOG_H

#include <linux/mutex.h>
#include <linux/types.h>

struct file;
struct task_struct;

/**
 * struct ckpt_log - what a call has to say, a line each refusal or failure
 * @file: where it goes in the end, or NULL
 * @subject: what the next lines are about, "pid 412 (redis-server)"
 * @detail: what of it, "fd 9", or empty
 * @used: bytes of @text in use
 * @text: lines that have not gone out yet; a log that is full loses the rest
 */
struct ckpt_log {
	struct file	*file;
	/** @lock: protects what follows; tasks of one restart share a log */
	struct mutex	lock;
	char		subject[64];
	char		detail[64];
	size_t		used;
	char		*text;
};

int ckpt_log_init(struct ckpt_log *log, int fd, bool wanted);
void ckpt_log_flush(struct ckpt_log *log);

void ckpt_log_task(struct ckpt_log *log, struct task_struct *task);
__printf(2, 3) void ckpt_log_detail(struct ckpt_log *log, const char *fmt, ...);
char *ckpt_log_where(struct ckpt_log *log);
void ckpt_log_about(struct ckpt_log *log, const char *where);

/**
 * ckpt_refuse() - write a line and hand an error through
 * @log: the log
 * @err: a negative errno
 * @fmt: the reason, without subject or newline
 *
 * Return: @err
 */
__printf(3, 4) int ckpt_refuse(struct ckpt_log *log, int err,
			       const char *fmt, ...);

#endif
