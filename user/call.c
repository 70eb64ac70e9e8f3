// SPDX-License-Identifier: GPL-2.0-only
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "call.h"

long call_checkpoint(pid_t pid, int fd, unsigned int flags, int logfd,
		     const struct externals *externals, const __u8 *parent)
{
	struct checkpoint_args args = {
		.external = (uintptr_t)externals->ext,
		.nr = externals->nr,
	};

	flags |= CHECKPOINT_LOGFD;
	if (externals->nr)
		flags |= CHECKPOINT_EXTERNAL;
	if (parent) {
		memcpy(args.parent, parent, sizeof(args.parent));
		return syscall(__NR_checkpoint, pid, fd,
			       flags | CHECKPOINT_PARENT, logfd, &args,
			       sizeof(args));
	}
	return syscall(__NR_checkpoint, pid, fd, flags, logfd,
		       externals->ext, externals->nr);
}

long call_restart(pid_t pid, int fd, unsigned int flags, int logfd,
		  const struct externals *externals)
{
	if (externals->nr)
		flags |= RESTART_EXTERNAL;
	return syscall(__NR_restart, pid, fd, flags | RESTART_LOGFD, logfd,
		       externals->ext, externals->nr);
}
