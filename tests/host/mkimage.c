// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkimage [FILE [UUID [child] [sums] [lz4] [zstd]]] - write a synthetic image of a
 * process that has a given file open; of what changed since the one with a UUID that is
 * less by one; with checksums of its pages, or these compressed
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "synthetic.h"

int main(int argc, char **argv)
{
	struct synthetic s;
	size_t written;

	synthetic_start(&s);
	s.uuid = argc > 2 ? atoi(argv[2]) : 0;
	for (int i = 3; i < argc; i++) {
		s.child |= !strcmp(argv[i], "child");
		s.sums |= !strcmp(argv[i], "sums");
		if (!strcmp(argv[i], "lz4"))
			s.compressed = CKPT_INCOMPAT_LZ4;
		if (!strcmp(argv[i], "zstd"))
			s.compressed = CKPT_INCOMPAT_ZSTD;
	}
	synthetic_process(&s, 412, argc > 1 ? argv[1] : "/var/tmp/in.txt");
	synthetic_finish(&s);
	written = fwrite(s.data, s.len, 1, stdout);
	free(s.data);
	return written != 1 || fflush(stdout);
}
