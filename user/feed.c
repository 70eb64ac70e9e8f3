// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "feed.h"
#include "status.h"

/* Of a child whose own pid is in the way. */
#define EXIT_TAKEN	3

#define PIPE_ROOM	(1 << 20)

bool feed_is_needed(int fd)
{
	off_t at = lseek(fd, 0, SEEK_CUR);
	struct image image = {};

	return at >= 0 &&
	       pread(fd, &image.header, sizeof(image.header), at) ==
	       sizeof(image.header) &&
	       !image_check_header(&image) && image_is_child(&image);
}

__attribute__((noreturn))
static void feed(struct chain *chain, int in, int out, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || chain_has_task(chain, getpid()))
		_exit(EXIT_TAKEN);
	close(in);
	signal(SIGPIPE, SIG_IGN);
	_exit(!chain_join(chain, out) || errno == EPIPE ? 0 : EXIT_FAILED);
}

/* A child whose pid the image wants is kept until there is another one. */
static pid_t fork_feeder(struct chain *chain, int fds[2])
{
	pid_t parent = getpid(), pid, taken = 0;

	for (;;) {
		pid = fork();
		if (!pid)
			feed(chain, fds[0], fds[1], parent);
		if (taken)
			waitpid(taken, NULL, 0);
		if (pid < 0 || !chain_has_task(chain, pid))
			return pid;
		taken = pid;
	}
}

int feed_start(struct feed *feed, struct chain *chain)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC)) {
		warn("pipe");
		return -1;
	}
	/* As much as may be had; less is slower. */
	fcntl(fds[1], F_SETPIPE_SZ, PIPE_ROOM);
	feed->fd = fds[0];
	feed->pid = fork_feeder(chain, fds);
	close(fds[1]);
	if (feed->pid > 0)
		return 0;
	warn("fork");
	close(fds[0]);
	return -1;
}

bool feed_stop(struct feed *feed)
{
	int status;

	close(feed->fd);
	while (waitpid(feed->pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && !WEXITSTATUS(status);
}
