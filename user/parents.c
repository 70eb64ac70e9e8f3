// SPDX-License-Identifier: GPL-2.0-only
/* Finding the files that the images of a chain are in. */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "chain.h"
#include "crc32c.h"
#include "parents.h"
#include "status.h"

void parents_add(struct parents *parents, const char *name)
{
	const char **names = reallocarray(parents->names, parents->nr + 1,
					  sizeof(*names));

	if (!names)
		err(EXIT_FAILED, NULL);
	names[parents->nr++] = name;
	parents->names = names;
}

/* Not more than one glance at what may be anything. */
static int open_regular(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -1;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

static bool read_header(int fd, struct image *image)
{
	ssize_t n = pread(fd, &image->header, sizeof(image->header), 0);

	if (n != sizeof(image->header)) {
		image_bad(image, n < 0 ? strerror(errno) : "cut short, or no image");
		return false;
	}
	return !image_check_header(image);
}

static bool has_trailer(int fd, const struct image *image)
{
	struct ckpt_image_trailer trailer;
	off_t end = image_size(&image->header);
	struct stat st;
	off_t at;

	/* How long a compressed one is nobody says, but the file. */
	if (!end && !fstat(fd, &st))
		end = st.st_size;
	at = end - (off_t)sizeof(trailer);
	return pread(fd, &trailer, sizeof(trailer), at) == sizeof(trailer) &&
	       !memcmp(trailer.magic, CKPT_TRAILER_MAGIC,
		       sizeof(trailer.magic)) &&
	       trailer.id == image->header.id;
}

int parent_uuid(const char *name, __u8 uuid[CKPT_UUID_LEN])
{
	int fd = open_regular(AT_FDCWD, name);
	struct image image = {};
	int ret = -1;

	if (fd < 0) {
		warnx("%s: %s", name, errno == EINVAL ? "not a regular file" :
		      strerror(errno));
		return -1;
	}
	if (!read_header(fd, &image))
		warnx("%s: %s", name, image.error);
	else if (!has_trailer(fd, &image))
		warnx("%s: cut short, has no trailer", name);
	else
		ret = 0;
	memcpy(uuid, image.header.uuid, CKPT_UUID_LEN);
	close(fd);
	return ret;
}

static void add(struct candidates *all, const char *dir, const char *name,
		const struct image *image)
{
	struct candidate *c = reallocarray(all->c, all->nr + 1, sizeof(*c));

	if (!c)
		err(EXIT_FAILED, NULL);
	all->c = c;
	c += all->nr++;
	if (asprintf(&c->name, "%s%s%s", dir ?: "", dir ? "/" : "", name) < 0)
		err(EXIT_FAILED, NULL);
	memcpy(c->uuid, image->header.uuid, CKPT_UUID_LEN);
	c->named = !dir;
	c->complete = !image_is_child(image);
	c->used = false;
}

static int add_named(struct candidates *all, const char *name)
{
	struct image image = {};
	int fd = open_regular(AT_FDCWD, name);

	if (fd < 0) {
		warnx("%s: %s", name, errno == EINVAL ? "not a regular file" :
		      strerror(errno));
		return -1;
	}
	if (!read_header(fd, &image)) {
		warnx("%s: %s", name, image.error);
		close(fd);
		return -1;
	}
	add(all, NULL, name, &image);
	close(fd);
	return 0;
}

static void add_beside(struct candidates *all, const char *path)
{
	char *copy = strdup(path);
	const char *name;
	struct dirent *entry;
	DIR *dir;

	if (!copy)
		err(EXIT_FAILED, NULL);
	name = dirname(copy);
	dir = opendir(name);
	while (dir && (entry = readdir(dir))) {
		struct image image = {};
		int fd;

		if (entry->d_type != DT_REG && entry->d_type != DT_UNKNOWN &&
		    entry->d_type != DT_LNK)
			continue;
		fd = open_regular(dirfd(dir), entry->d_name);
		if (fd < 0)
			continue;
		if (read_header(fd, &image) && has_trailer(fd, &image))
			add(all, name, entry->d_name, &image);
		close(fd);
	}
	if (dir)
		closedir(dir);
	free(copy);
}

int candidates_find(struct candidates *all, const struct parents *parents)
{
	unsigned int i;

	for (i = 0; i < parents->nr; i++)
		if (add_named(all, parents->names[i]))
			return -1;
	if (parents->image)
		add_beside(all, parents->image);
	return 0;
}

/* What was named comes first; and of the others what needs no more of them. */
const char *candidates_take(struct candidates *all, const __u8 *uuid)
{
	struct candidate *best = NULL;
	unsigned int i;

	for (i = 0; i < all->nr; i++) {
		struct candidate *c = &all->c[i];

		if (memcmp(c->uuid, uuid, CKPT_UUID_LEN))
			continue;
		if (!best || (!best->named && c->complete))
			best = c;
	}
	if (!best)
		return NULL;
	best->used = true;
	return best->name;
}

/* One that was named and is none of them was not what it was taken for. */
int candidates_check(const struct candidates *all)
{
	char uuid[IMAGE_UUID_LEN];
	unsigned int i;

	for (i = 0; i < all->nr; i++) {
		if (!all->c[i].named || all->c[i].used)
			continue;
		warnx("%s: image %s is no ancestor of this one",
		      all->c[i].name, image_uuid(uuid, all->c[i].uuid));
		return -1;
	}
	return 0;
}

void candidates_free(struct candidates *all)
{
	unsigned int i;

	for (i = 0; i < all->nr; i++)
		free(all->c[i].name);
	free(all->c);
}
