// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that checkpoints itself:
 *
 *	./ckpt > out.1
 *
 * It says hello when the image has been written, and once more, with ret=0, in
 * each incarnation that rstr starts from the image.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <linux/checkpoint.h>

int main(void)
{
	int ret;

	ret = syscall(__NR_checkpoint, getpid(), STDOUT_FILENO, 0);
	if (ret < 0) {
		perror("checkpoint");
		return 1;
	}

	fprintf(stderr, "hello, world! (ret=%d)\n", ret);

	for (;;)
		;
}
