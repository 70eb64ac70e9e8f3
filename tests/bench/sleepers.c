// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../include/uapi/linux/checkpoint.h"
#include "sleepers.h"
#include "target.h"
#include "tool.h"

#define SLEEPERS_IMAGE	TOOL_PLACE "/sleepers"
#define SLEEPERS_BOARD	0x100000000000UL

/**
 * struct board - a page that all of the tree share; the measuring process, which
 *	is not to have a part in it, reads it through /proc/PID/mem
 * @ready: how many tasks sleep
 * @took: how long it took to make them
 */
struct board {
	volatile unsigned int	ready;
	volatile uint64_t	took;
};

static struct board *const board = (struct board *)SLEEPERS_BOARD;

int sleepers_begin(void)
{
	return tool_place() || prctl(PR_SET_CHILD_SUBREAPER, 1) ? -1 : 0;
}

int sleepers_sleep(void *unused)
{
	(void)unused;
	__atomic_fetch_add(&board->ready, 1, __ATOMIC_SEQ_CST);
	for (;;)
		syscall(SYS_pause);
	return 0;
}

static unsigned int read_board(pid_t pid, struct board *copy)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, copy, sizeof(*copy), SLEEPERS_BOARD) !=
		      sizeof(*copy))
		copy->ready = 0;
	close(fd);
	return copy->ready;
}

/* Nothing is open and nobody is near that the image would have to speak of. */
static void __attribute__((noreturn)) root(sleepers_make make, const void *what,
					   unsigned int nr)
{
	int null = open("/dev/null", O_RDWR);
	uint64_t start;

	setsid();
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	syscall(SYS_close_range, 3, ~0U, 0);
	if (mmap(board, sizeof(*board), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != board)
		_exit(1);
	start = now_ns();
	make(what, nr);
	board->took = now_ns() - start;
	sleepers_sleep(NULL);
	_exit(0);
}

static pid_t start_root(sleepers_make make, const void *what, unsigned int nr,
			unsigned int tasks, struct board *copy)
{
	pid_t pid = fork();

	if (!pid)
		root(make, what, nr);
	for (int i = 0; pid > 0 && read_board(pid, copy) < tasks + 1; i++) {
		if (i > 60000 || waitpid(pid, NULL, WNOHANG)) {
			warnx("%u of it can't be made", nr);
			return -1;
		}
		usleep(1000);
	}
	return pid;
}

/* Children of one who is killed are ours. */
static void end(pid_t pid)
{
	char path[64];
	FILE *children;
	int child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	children = fopen(path, "re");
	while (children && fscanf(children, "%d", &child) == 1)
		kill(child, SIGKILL);
	if (children)
		fclose(children);
	kill(pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static long timed(long call, pid_t pid, int fd, unsigned int flags, double *took)
{
	uint64_t start = now_ns();
	long ret;

	flags |= call == __NR_restart ? RESTART_LOGFD : CHECKPOINT_LOGFD;
	ret = syscall(call, pid, fd, flags, 2);

	*took = now_ns() - start;
	return ret;
}

int sleepers_take(sleepers_make make, const void *what, unsigned int nr,
		  unsigned int tasks, struct sleepers_cost *cost)
{
	struct board copy;
	pid_t pid = start_root(make, what, nr, tasks, &copy);
	double took;
	long ret = -1;
	int fd;

	if (pid < 0)
		return -1;
	samples_add(&cost->make, copy.took);
	fd = open(SLEEPERS_IMAGE, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		ret = timed(__NR_checkpoint, pid, fd, 0, &took);
	end(pid);
	if (ret > 0) {
		samples_add(&cost->ckpt, took);
		lseek(fd, 0, SEEK_SET);
		ret = timed(__NR_restart, 0, fd, RESTART_NEW_PIDS, &took);
	}
	if (ret > 0) {
		samples_add(&cost->rstr, took);
		end(ret);
	}
	close(fd);
	unlink(SLEEPERS_IMAGE);
	return ret > 0 ? 0 : -1;
}

int sleepers_take_criu(sleepers_make make, const void *what, unsigned int nr,
		       unsigned int tasks, struct sleepers_cost *cost)
{
	struct board copy;
	pid_t pid = start_root(make, what, nr, tasks, &copy);
	uint64_t took;
	int ret;

	if (pid < 0)
		return -1;
	ret = tool_criu.checkpoint(pid, true, &took);
	end(pid);
	if (!ret) {
		samples_add(&cost->dump, took);
		ret = tool_criu.restart(&took);
	}
	if (!ret) {
		samples_add(&cost->restore, took);
		end(pid);
	}
	tool_clean();
	return ret;
}
