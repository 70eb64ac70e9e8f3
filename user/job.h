/* SPDX-License-Identifier: GPL-2.0-only */
/* Standing in for a process: waiting, stopping, and ending as it does. */
#ifndef JOB_H
#define JOB_H

#include <sys/types.h>

/* Call this before there is a child to wait for. */
void job_prepare(void);

/*
 * What is sent from now on to end this process interrupts the call that makes the
 * child; or if there is one by then, job_wait() passes it on.
 */
void job_expect(void);

/* There is no child: end by what was sent in the meantime, if something was. */
void job_failed(void);

/**
 * job_wait() - stand in for a child until it has ended
 * @pid: the child
 *
 * Signals that are sent to this process reach the child, and when the child
 * stops this one does.
 *
 * Return: its status as of wait(2), -1 if it can't be had
 */
int job_wait(pid_t pid);

/* End as a child with that status did. */
__attribute__((noreturn)) void job_exit(int status);

/* End by a signal, without a core. */
__attribute__((noreturn)) void job_die(int sig);

#endif
