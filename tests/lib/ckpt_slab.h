/* SPDX-License-Identifier: GPL-2.0-only */
/* What slab caches hold: for finding what is allocated, and never freed. */
#ifndef CKPT_SLAB_H
#define CKPT_SLAB_H

#include <stdbool.h>

#define CKPT_SLABS_MAX	400

/**
 * struct ckpt_slab - a cache
 * @name: its name
 * @objects: how many there are of them; 0 where the kernel does not count
 */
struct ckpt_slab {
	char	name[48];
	long	objects;
};

/**
 * struct ckpt_slabs - all caches but those that are given up when memory is short
 * @counted: the kernel counts objects (CONFIG_SLUB_DEBUG)
 * @kb: size of all slabs
 * @nr: how many there are in @slab
 * @slab: these
 */
struct ckpt_slabs {
	bool			counted;
	long			kb;
	int			nr;
	struct ckpt_slab	slab[CKPT_SLABS_MAX];
};

void ckpt_slabs_note(struct ckpt_slabs *slabs);

/*
 * Whether none grew by so many objects; or, where they are not counted, all
 * together by so many kB. Those that did are reported.
 */
bool ckpt_slabs_same(const struct ckpt_slabs *before,
		     const struct ckpt_slabs *after, long objects, long kb);

#endif /* CKPT_SLAB_H */
