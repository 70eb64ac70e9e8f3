// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkimage [FILE [UUID [child]]] - write a synthetic image of a process that has a
 * given file open; of what changed since the one with a UUID that is less by one
 */
#include <stdio.h>
#include <stdlib.h>

#include "synthetic.h"

int main(int argc, char **argv)
{
	struct synthetic s;
	size_t written;

	synthetic_start(&s);
	s.uuid = argc > 2 ? atoi(argv[2]) : 0;
	s.child = argc > 3;
	synthetic_process(&s, 412, argc > 1 ? argv[1] : "/var/tmp/in.txt");
	synthetic_finish(&s);
	written = fwrite(s.data, s.len, 1, stdout);
	free(s.data);
	return written != 1 || fflush(stdout);
}
