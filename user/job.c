// SPDX-License-Identifier: GPL-2.0-only
/*
 * As a rule the child is in our process group. So what the terminal sends (SIGINT,
 * SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGHUP) it gets by itself and decides
 * what to make of it; we must neither pass it on nor die or stop of it. What
 * kill(2) sends to us alone is meant for the child. The two are told apart by
 * si_code. Of what is sent to the whole group by kill(2) the child gets two,
 * which cannot be told from the former.
 *
 * A child that has jobs itself, such as a shell, has a process group of its own.
 * Then all is passed on, and it is for us to do what a shell does: its group gets
 * the terminal when ours is given it, and ours takes it back when the child stops
 * or ends.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "job.h"

static struct {
	pid_t	pgrp;		/* of the child; 0 if it is ours */
	int	terminal;	/* that controls both, or -1 */
	pid_t	holder;		/* who has it in place of us; 0 if nobody has */
	volatile sig_atomic_t early;	/* what came before we waited; or 0 */
} job = { .terminal = -1 };

/* Not ours to take: they stop or continue us, or tell of our own mistakes. */
static const int left_alone[] = {
	SIGKILL, SIGSTOP, SIGCONT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE,
	SIGSEGV, SIGSYS
};

static bool in_foreground(void)
{
	return tcgetpgrp(job.terminal) == getpgrp();
}

static void take_early(int sig)
{
	job.early = sig;
}

/* A child of someone who ignores SIGCHLD leaves no status behind. */
void job_prepare(void)
{
	signal(SIGCHLD, SIG_DFL);
	job.terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
	job.holder = in_foreground();
}

void job_expect(void)
{
	static const int sent[] = { SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM };
	const struct sigaction take = { .sa_handler = take_early };
	struct sigaction old;
	size_t i;

	for (i = 0; i < sizeof(sent) / sizeof(sent[0]); i++)
		if (!sigaction(sent[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(sent[i], &take, NULL);
}

/* The kernel has handed the terminal over, if it was ours to give. */
static void find_group(pid_t pid)
{
	pid_t pgrp = getpgid(pid);

	if (pgrp > 0 && pgrp != getpgrp() && getsid(pid) == getsid(0))
		job.pgrp = pgrp;
	if (job.holder)
		job.holder = job.pgrp;
}

/* SIGTTOU is blocked, so that it is done even if we are in the background. */
static void hand_over(void)
{
	if (!in_foreground())
		return;
	if (!job.holder)
		job.holder = job.pgrp;
	/* Whoever had it last may be gone by now. */
	if (tcsetpgrp(job.terminal, job.holder)) {
		job.holder = job.pgrp;
		tcsetpgrp(job.terminal, job.holder);
	}
}

/* A shell that put us in the background by itself has it already. */
static void take_back(void)
{
	pid_t holder = tcgetpgrp(job.terminal);

	if (!job.holder || holder == getpgid(getppid())) {
		job.holder = 0;
		return;
	}
	job.holder = holder;
	tcsetpgrp(job.terminal, getpgrp());
}

/* All signals to wait for; what is ignored, as nohup(1) does it, stays so. */
static void fill_set(sigset_t *set)
{
	struct sigaction action;
	size_t i;
	int sig;

	sigfillset(set);
	for (i = 0; i < sizeof(left_alone) / sizeof(left_alone[0]); i++)
		sigdelset(set, left_alone[i]);
	for (sig = 1; sig < NSIG; sig++)
		if (!sigaction(sig, NULL, &action) &&
		    action.sa_handler == SIG_IGN)
			sigdelset(set, sig);
}

static bool was_continued(pid_t pid)
{
	siginfo_t info = {};

	return !waitid(P_PID, pid, &info, WCONTINUED | WNOHANG) &&
	       info.si_pid == pid;
}

/* Whoever continues us means the child; the whole group, and it has gone on. */
static void stop_too(pid_t pid)
{
	raise(SIGSTOP);
	if (!was_continued(pid))
		kill(pid, SIGCONT);
}

/* It may have stopped for want of a terminal that has been given to us since. */
static void stop_apart(pid_t pid)
{
	if (!in_foreground()) {
		take_back();
		raise(SIGSTOP);
		if (!in_foreground())
			job.holder = 0;
	}
	hand_over();
	if (!was_continued(pid))
		kill(-job.pgrp, SIGCONT);
}

/* True if the child has ended. */
static bool reap(pid_t pid, int *status)
{
	pid_t ret;

	while ((ret = waitpid(pid, status, WNOHANG | WUNTRACED | __WALL)) > 0) {
		if (!WIFSTOPPED(*status))
			return true;
		if (job.pgrp)
			stop_apart(pid);
		else
			stop_too(pid);
	}
	if (!ret || errno == EINTR)
		return false;
	*status = -1;
	return true;
}

static bool meant_for_child(const siginfo_t *info, pid_t pid)
{
	if (info->si_signo == SIGCHLD)
		return false;
	/* What the child sent to its group, or to us, is not for itself. */
	if (info->si_code <= 0)
		return info->si_pid != pid;
	return job.pgrp;
}

int job_wait(pid_t pid)
{
	siginfo_t info;
	sigset_t set;
	int status;

	fill_set(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	find_group(pid);
	if (job.early)
		kill(pid, job.early);
	while (!reap(pid, &status)) {
		if (sigwaitinfo(&set, &info) > 0 && meant_for_child(&info, pid))
			kill(pid, info.si_signo);
	}
	if (job.pgrp)
		take_back();
	return status;
}

void job_failed(void)
{
	if (job.early)
		job_die(job.early);
}

void job_die(int sig)
{
	sigset_t set;

	/* A core of this process would be in the way of what is to be found. */
	prctl(PR_SET_DUMPABLE, 0);
	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(sig);
	_exit(128 + sig);
}

void job_exit(int status)
{
	if (WIFEXITED(status))
		exit(WEXITSTATUS(status));
	job_die(WTERMSIG(status));
}
