// SPDX-License-Identifier: GPL-2.0-only
/* The two system calls. */
#include <linux/sched.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>

#include "checkpoint.h"
#include "restart.h"

/* What comes after @logfd, as far as @flags says that it is there. */
static int ckpt_args_read(struct checkpoint_args *args, unsigned int flags,
			  const void __user *from, unsigned int nr)
{
	int err;

	BUILD_BUG_ON(sizeof(*args) != CHECKPOINT_ARGS_SIZE_VER0);
	BUILD_BUG_ON(CHECKPOINT_UUID_LEN != CKPT_UUID_LEN);
	*args = (struct checkpoint_args){};
	if (!(flags & CHECKPOINT_PARENT)) {
		if (flags & CHECKPOINT_EXTERNAL) {
			args->external = (unsigned long)from;
			args->nr = nr;
		}
		return 0;
	}
	if (nr < CHECKPOINT_ARGS_SIZE_VER0)
		return -EINVAL;
	if (nr > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(args, sizeof(*args), from, nr);
	if (err)
		return err;
	if (args->reserved || (!(flags & CHECKPOINT_EXTERNAL) &&
			       (args->external || args->nr)))
		return -EINVAL;
	return 0;
}

/**
 * sys_checkpoint() - write the state of a tree of processes to a descriptor
 * @pid: its root, as the caller sees it; its own pid for the caller itself
 * @fd: where the image goes: a file, a pipe, a socket; open for writing
 * @flags: CHECKPOINT_* of <linux/checkpoint.h>
 * @logfd: read only if %CHECKPOINT_LOGFD is set: where reasons go, a line each
 * @external: read only if %CHECKPOINT_EXTERNAL is set: names of files that the
 *	restarter will supply; or if %CHECKPOINT_PARENT is set: a struct
 *	checkpoint_args
 * @nr: how many, likewise; or the size of that
 *
 * The tree is the process, all that are below it, and all their threads. The
 * caller needs the access to each that ptrace(2) asks for to attach.
 *
 * Return: a positive id, unique on this boot; 0 in the process that restart()
 * made of the image, if it had checkpointed itself. Or one of
 *
 * %-EAGAIN: a task was continued or killed again and again in the meantime; or
 * the tree grows faster than it can be stopped
 *
 * %-EBADF: @fd or @logfd is not open for writing
 *
 * %-EBUSY: a task did not come to a stop, being in an uninterruptible sleep, as
 * the parent of a vfork(2) is, or held by another checkpoint; or its asynchronous
 * I/O does not come to an end
 *
 * %-E2BIG: there are more tasks, more pending signals, or more timers, than an
 * image may have; or @external says more than this kernel knows of
 *
 * %-EFAULT: @external is not all readable
 *
 * %-EFBIG: there is more metadata than an image may have
 *
 * %-EHWPOISON: a page is in memory that the hardware lost
 *
 * %-EINTR: a signal came; with %CHECKPOINT_KILL and %CHECKPOINT_STOP the tasks
 * run on as without them
 *
 * %-EINVAL: unknown @flags, or %CHECKPOINT_KILL and %CHECKPOINT_STOP together, or
 * %CHECKPOINT_LZ4 and %CHECKPOINT_ZSTD, or one of the former with the caller's own
 * @pid; or @external says what it may not; or @fd is of a file that takes only what
 * is in user memory, such as /dev/full; or @nr is no size that struct checkpoint_args
 * ever had
 *
 * %-ENOENT: nothing has a name of @external
 *
 * %-ENOMEM: not enough memory
 *
 * %-EOPNOTSUPP: a process has something that can't be checkpointed; the log
 * says which and what
 *
 * %-EOVERFLOW: a user or group id has no number in the caller's user namespace
 *
 * %-EPERM: the caller may not trace the process, or one below it
 *
 * %-ESRCH: there is no such process, or @pid is that of a thread, or it exits
 *
 * %-ESTALE: no process of the tree is known to be one of the image that @external
 * calls the parent
 *
 * and what writing to @fd may fail with (%-EIO, %-ENOSPC, %-EPIPE, ...). In all
 * these cases all tasks run on unharmed; if anything was written it is not an
 * image, having no end.
 */
SYSCALL_DEFINE6(checkpoint, pid_t, pid, int, fd, unsigned int, flags,
		int, logfd, const void __user *, external, unsigned int, nr)
{
	struct checkpoint_args args;
	int err;

	if (flags & ~CHECKPOINT_FLAGS)
		return -EINVAL;
	if ((flags & CHECKPOINT_KILL) && (flags & CHECKPOINT_STOP))
		return -EINVAL;
	if ((flags & CHECKPOINT_COMPRESS) == CHECKPOINT_COMPRESS)
		return -EINVAL;
	if ((flags & (CHECKPOINT_KILL | CHECKPOINT_STOP)) &&
	    pid == task_tgid_vnr(current))
		return -EINVAL;
	if (pid <= 0)
		return -EINVAL;
	err = ckpt_args_read(&args, flags, external, nr);
	return err ?: ckpt_checkpoint(pid, fd, flags, logfd, &args);
}

/**
 * sys_restart() - make processes out of an image
 * @pid: the caller's own pid: it becomes the root of the image, as with
 *	execve(2); 0: the tasks of the image are created as the caller's children
 * @fd: where the image comes from: a file, a pipe, a socket; open for reading
 * @flags: RESTART_* of <linux/checkpoint.h>
 * @logfd: read only if %RESTART_LOGFD is set: where reasons go, a line each
 * @external: read only if %RESTART_EXTERNAL is set: files that are supplied for
 *	those that were named at the checkpoint
 * @nr: how many, likewise
 *
 * Nothing is had that the caller could not have had by the ordinary system
 * calls: files are opened, and credentials taken, with his rights. To choose
 * pids takes CAP_CHECKPOINT_RESTORE in the user namespace of the pid namespace.
 *
 * Return: with @pid 0 the pid of the root. With the caller's own: what the call
 * returns that the root of the image was in. Or one of
 *
 * %-EACCES, %-ENOENT and what else open(2) may fail with: a file of the image
 *
 * %-EBADF: @fd is not open for reading, or @logfd not for writing; or a
 *	descriptor of @external is not open
 *
 * %-EBADMSG: the image is cut, damaged, or says what can't be
 *
 * %-EBUSY: the caller's own @pid was given, and he has other threads; or a
 *	fifo of the image is in use, or what it had locked or a lease on is, or
 *	there is an object of System V or a message queue that is, and is of the
 *	image
 *
 * %-EFAULT: @external is not all readable
 *
 * %-E2BIG: there are too many process groups whose leaders have ended; or the
 * seccomp filters of a task are longer here than they may be
 *
 * %-EEXIST: a pid is taken: that of any task, or of a process group or session
 * whose leader has ended; or an id or a key of System V, or a name of a message
 * queue
 *
 * %-EINTR: a signal came
 *
 * %-EINVAL: unknown @flags, or such that go with @pid 0 only; @pid is neither 0
 * nor the caller's own; or a message is larger than this machine allows
 *
 * %-EMFILE: a descriptor is beyond what the caller's %RLIMIT_NOFILE allows, or
 * message queues are beyond his %RLIMIT_MSGQUEUE
 *
 * %-ENFILE: a pipe can't be had, for lack of memory or for the limit on that of
 * pipes; or there are as many open files as the machine may have
 *
 * %-ENOEXEC: this is not an image
 *
 * %-ENOMEM, %-EAGAIN: not enough memory, or more tasks than the caller may have
 *
 * %-ENOSPC: there are as many objects of System V, or message queues, as there may
 * be; or not as many huge pages as are needed
 *
 * %-ENXIO: the image needs a terminal and the caller has none, or a file that
 *	@external does not supply
 *
 * %-EOPNOTSUPP: an image of a format, or of a machine, that this one can't do
 *
 * %-EPERM: the caller may not have a pid, a credential, a priority or a limit
 *
 * %-ESTALE: a file is not what it was
 *
 * In all these cases nothing is left behind, and the caller is as before; but
 * for a caller that is itself being replaced and fails past the point of no
 * return (by lack of memory), which dies of SIGKILL, as in execve(2).
 */
SYSCALL_DEFINE6(restart, pid_t, pid, int, fd, unsigned int, flags,
		int, logfd, const struct checkpoint_external __user *, external,
		unsigned int, nr)
{
	if (flags & ~RESTART_FLAGS)
		return -EINVAL;
	if (pid && pid != task_tgid_vnr(current))
		return -EINVAL;
	if (pid && (flags & (RESTART_NEW_PIDS | RESTART_STOPPED)))
		return -EINVAL;
	return ckpt_restart(pid, fd, flags, logfd, external,
			    flags & RESTART_EXTERNAL ? nr : 0);
}
