// SPDX-License-Identifier: GPL-2.0-only
/* What the calls have to say: one line a person can act on, per refusal. */
#include <linux/cleanup.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "limits.h"
#include "log.h"

/**
 * ckpt_log_init() - start a log
 * @log: zeroed
 * @fd: where it goes
 * @wanted: whether the caller gave @fd at all
 *
 * Return: 0, -EBADF if @fd is not open for writing, -ENOMEM.
 */
int ckpt_log_init(struct ckpt_log *log, int fd, bool wanted)
{
	mutex_init(&log->lock);
	if (!wanted)
		return 0;
	log->file = fget(fd);
	if (!log->file)
		return -EBADF;
	if (!(log->file->f_mode & FMODE_WRITE))
		return -EBADF;
	log->text = kmalloc(CKPT_LOG_MAX, GFP_KERNEL_ACCOUNT);
	return log->text ? 0 : -ENOMEM;
}

/**
 * ckpt_log_flush() - write out what was said, and end the log
 * @log: the log
 *
 * A log that can't be written is lost; the call's own result stands.
 */
void ckpt_log_flush(struct ckpt_log *log)
{
	struct file *file;
	char *text;
	loff_t *pos;

	/* Lines are added under locks that writing to a file may take as well. */
	mutex_lock(&log->lock);
	file = no_free_ptr(log->file);
	text = no_free_ptr(log->text);
	mutex_unlock(&log->lock);
	if (file && text && log->used) {
		pos = file->f_mode & FMODE_STREAM ? NULL : &file->f_pos;
		kernel_write(file, text, log->used, pos);
	}
	kfree(text);
	if (file)
		fput(file);
}

/**
 * ckpt_log_task() - name the task that the next lines are about
 * @log: the log
 * @task: the task
 */
void ckpt_log_task(struct ckpt_log *log, struct task_struct *task)
{
	char comm[TASK_COMM_LEN];

	get_task_comm(comm, task);
	mutex_lock(&log->lock);
	snprintf(log->subject, sizeof(log->subject), "pid %d (%s)",
		 task_pid_vnr(task), comm);
	log->detail[0] = '\0';
	mutex_unlock(&log->lock);
}

/**
 * ckpt_log_detail() - name what of the task the next lines are about
 * @log: the log
 * @fmt: "fd %d"; "" for the task as a whole
 */
void ckpt_log_detail(struct ckpt_log *log, const char *fmt, ...)
{
	va_list args;

	mutex_lock(&log->lock);
	va_start(args, fmt);
	vsnprintf(log->detail, sizeof(log->detail), fmt, args);
	va_end(args);
	mutex_unlock(&log->lock);
}

/**
 * ckpt_log_where() - what lines are about now, for later
 * @log: the log
 *
 * Return: a text to be kfree'd, or NULL: it can be done without.
 */
char *ckpt_log_where(struct ckpt_log *log)
{
	guard(mutex)(&log->lock);
	if (!log->text)
		return NULL;
	return kasprintf(GFP_KERNEL_ACCOUNT, "%s%s%s", log->subject,
			 log->detail[0] ? " " : "", log->detail);
}

/**
 * ckpt_log_about() - name what the next lines are about, once more
 * @log: the log
 * @where: by ckpt_log_where(); NULL changes nothing
 */
void ckpt_log_about(struct ckpt_log *log, const char *where)
{
	if (!where)
		return;
	mutex_lock(&log->lock);
	strscpy(log->subject, where);
	log->detail[0] = '\0';
	mutex_unlock(&log->lock);
}

static __printf(2, 3) void ckpt_log_put(struct ckpt_log *log, const char *fmt, ...)
{
	size_t room = CKPT_LOG_MAX - log->used;
	va_list args;
	size_t len;

	va_start(args, fmt);
	len = vscnprintf(log->text + log->used, room, fmt, args);
	va_end(args);
	log->used += len;
}

int ckpt_refuse(struct ckpt_log *log, int err, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	guard(mutex)(&log->lock);
	if (!log->text)
		return err;
	va_start(args, fmt);
	vaf.va = &args;
	if (log->subject[0])
		ckpt_log_put(log, "%s", log->subject);
	if (log->detail[0])
		ckpt_log_put(log, "%s%s", log->subject[0] ? " " : "",
			     log->detail);
	ckpt_log_put(log, "%s%pV\n",
		     log->subject[0] || log->detail[0] ? ": " : "", &vaf);
	va_end(args);
	return err;
}
