// SPDX-License-Identifier: GPL-2.0
/*
 * Count aloud, one number a second: the program of `make run`.
 *
 * All that it knows is in its memory, so a count that goes on where it was is
 * proof that the memory came back.
 */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	for (int n = 1;; n++) {
		printf("%d\n", n);
		fflush(stdout);
		sleep(1);
	}
}
