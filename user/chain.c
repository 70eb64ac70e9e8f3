// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chain.h"
#include "parents.h"

static struct link *add_link(struct chain *chain, const char *name)
{
	struct link *links = reallocarray(chain->links, chain->nr + 1,
					  sizeof(*links));

	if (!links) {
		warn(NULL);
		return NULL;
	}
	chain->links = links;
	links += chain->nr;
	memset(links, 0, sizeof(*links));
	links->image.fd = -1;
	links->name = strdup(name);
	if (!links->name) {
		warn(NULL);
		return NULL;
	}
	chain->nr++;
	return links;
}

/* The pages of the youngest may come from a pipe, and are read last. */
static int read_link(struct chain *chain, int fd, const char *name)
{
	struct link *link = add_link(chain, name);
	bool youngest = chain->nr == 1;
	int ret;

	if (!link)
		return -1;
	link->youngest = youngest;
	ret = youngest ? image_read_meta(&link->image, fd) :
			 image_read(&link->image, fd, true);
	if (ret) {
		warnx("%s: %s", name, link->image.error);
		return -1;
	}
	link->firsts = calloc(link->image.nr_objects + 1,
			      sizeof(*link->firsts));
	if (link->firsts)
		return 0;
	warn(NULL);
	return -1;
}

/* The same image twice is a circle, and not one that ckpt makes. */
static int check_circle(const struct chain *chain)
{
	const struct link *last = &chain->links[chain->nr - 1];
	size_t i;

	for (i = 0; i + 1 < chain->nr; i++) {
		if (memcmp(chain->links[i].image.header.uuid,
			   last->image.header.uuid, CKPT_UUID_LEN))
			continue;
		warnx("%s: is its own ancestor", last->name);
		return -1;
	}
	return 0;
}

static int read_parent(struct chain *chain, struct candidates *all)
{
	const struct link *child = &chain->links[chain->nr - 1];
	const __u8 *uuid = child->image.header.parent;
	const char *name = candidates_take(all, uuid);
	char text[IMAGE_UUID_LEN];
	int fd;

	if (!name) {
		warnx("%s: needs its parent, image %s: not given, nor beside it",
		      child->name, image_uuid(text, uuid));
		return -1;
	}
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		warn("%s", name);
		return -1;
	}
	if (read_link(chain, fd, name))
		return -1;
	child = &chain->links[chain->nr - 2];
	if (child->image.header.page_size !=
	    chain->links[chain->nr - 1].image.header.page_size) {
		warnx("%s: its pages are of another size", name);
		return -1;
	}
	return check_circle(chain);
}

int chain_open(struct chain *chain, int fd, const char *name,
	       const struct parents *parents)
{
	struct candidates all = {};
	int ret;

	memset(chain, 0, sizeof(*chain));
	ret = read_link(chain, fd, name);
	if (!ret && (parents->nr ||
		     image_is_child(&chain->links[0].image)))
		ret = candidates_find(&all, parents);
	while (!ret && image_is_child(&chain->links[chain->nr - 1].image))
		ret = read_parent(chain, &all);
	if (!ret)
		ret = candidates_check(&all);
	candidates_free(&all);
	return ret;
}

static void free_link(struct link *link)
{
	size_t i;

	for (i = 0; link->firsts && i < link->image.nr_objects; i++)
		free(link->firsts[i]);
	free(link->firsts);
	image_free(&link->image);
	free(link->name);
}

/* The first one's descriptor is the caller's. */
void chain_free(struct chain *chain)
{
	size_t i;

	for (i = 0; i < chain->nr; i++) {
		if (i && chain->links[i].image.fd >= 0)
			close(chain->links[i].image.fd);
		free_link(&chain->links[i]);
	}
	free(chain->links);
}

bool chain_has_task(const struct chain *chain, pid_t id)
{
	const struct image *image = &chain->links[0].image;
	size_t i;

	for (i = 0; i < image->nr_objects; i++) {
		const struct ckpt_rec_task *task =
			image_payload(image->objects[i]);

		if (image->objects[i]->type->type == CKPT_REC_TASK &&
		    le32toh(task->tid) == (__u32)id)
			return true;
	}
	return false;
}
