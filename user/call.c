// SPDX-License-Identifier: GPL-2.0-only
#include <unistd.h>
#include "call.h"

long call_checkpoint(pid_t pid, int fd, unsigned int flags, int logfd,
		     const struct externals *externals)
{
	if (externals->nr)
		flags |= CHECKPOINT_EXTERNAL;
	return syscall(__NR_checkpoint, pid, fd, flags | CHECKPOINT_LOGFD,
		       logfd, externals->ext, externals->nr);
}

long call_restart(pid_t pid, int fd, unsigned int flags, int logfd,
		  const struct externals *externals)
{
	if (externals->nr)
		flags |= RESTART_EXTERNAL;
	return syscall(__NR_restart, pid, fd, flags | RESTART_LOGFD, logfd,
		       externals->ext, externals->nr);
}
