// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that becomes the one whose image it reads:
 *
 *	./rstr < out.1
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <linux/checkpoint.h>

int main(void)
{
	syscall(__NR_restart, getpid(), STDIN_FILENO, 0);

	/* Whoever returns from a restart is someone else; this one failed. */
	perror("restart");
	return 1;
}
