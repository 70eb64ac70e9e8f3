// SPDX-License-Identifier: GPL-2.0-only
/* Write a synthetic image of a process that has a given file open. */
#include <stdio.h>
#include <stdlib.h>

#include "synthetic.h"

int main(int argc, char **argv)
{
	struct synthetic s;
	size_t written;

	synthetic_start(&s);
	synthetic_process(&s, 412, argc > 1 ? argv[1] : "/var/tmp/in.txt");
	synthetic_finish(&s);
	written = fwrite(s.data, s.len, 1, stdout);
	free(s.data);
	return written != 1 || fflush(stdout);
}
