// SPDX-License-Identifier: GPL-2.0-only
#include <err.h>
#include <stdint.h>
#include <stdlib.h>

#include "call.h"
#include "status.h"

void externals_add(struct externals *externals, const char *name, int fd)
{
	struct checkpoint_external *ext =
		reallocarray(externals->ext, externals->nr + 1, sizeof(*ext));

	if (!ext)
		err(EXIT_FAILED, NULL);
	ext[externals->nr++] = (struct checkpoint_external){
		.name = (uintptr_t)name,
		.fd = fd,
	};
	externals->ext = ext;
}
