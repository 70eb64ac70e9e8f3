/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Chains: an image that says only what changed, its parent, the parent of that, up to
 * one that says all; and how they are joined to one.
 */
#ifndef CHAIN_H
#define CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include <linux/checkpoint_image.h>

#include "image.h"

/**
 * struct parents - where to look for them
 * @nr: how many of @names there are
 * @names: files that were named: each is to be of use
 * @image: the file that the youngest image is in, beside which others are looked for;
 *	NULL if that is not known
 */
struct parents {
	unsigned int	nr;
	const char	**names;
	const char	*image;
};

/* Exits if there is no memory. @name goes on to be used. */
void parents_add(struct parents *parents, const char *name);

/**
 * struct link - an image of a chain
 * @image: the image, its metadata read
 * @name: of the file that it is in, or what it is
 * @youngest: its pages are read from front to back
 * @firsts: by reference of an address space, less one: where in the page section
 *	each run of its page map begins; NULL as long as nobody asked
 */
struct link {
	struct image	image;
	char		*name;
	bool		youngest;
	__u64		**firsts;
};

/**
 * struct chain - an image and its ancestors
 * @nr: how many there are
 * @links: the youngest first
 */
struct chain {
	size_t		nr;
	struct link	*links;
};

/**
 * chain_open() - read the metadata of an image and of all that it needs
 * @chain: to be filled in
 * @fd: where the youngest image is; the others are in files
 * @name: what to call it when it is at fault
 * @parents: where to look for the others
 *
 * Return: 0; or -1, and has said why. Either way chain_free() is to follow.
 */
int chain_open(struct chain *chain, int fd, const char *name,
	       const struct parents *parents);
void chain_free(struct chain *chain);

/**
 * chain_join() - write one image that is complete
 * @chain: the chain; it can be done once
 * @out: where to
 *
 * It has the UUID of the youngest, so that it can stand in for that.
 *
 * Return: 0; or -1, and has said why, unless nobody read what was written.
 */
int chain_join(struct chain *chain, int out);

/* Whether a task of the youngest has that id. */
bool chain_has_task(const struct chain *chain, pid_t id);

/**
 * parent_uuid() - which image a file holds
 * @name: of the file
 * @uuid: to be filled in
 *
 * Return: 0; or -1, and has said why: it is no image, or not all of one
 */
int parent_uuid(const char *name, __u8 uuid[CKPT_UUID_LEN]);

#endif
