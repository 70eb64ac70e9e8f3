// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ckpt_proc.h"
#include "ckpt_slab.h"
#include "ckpt_target.h"

#define SLAB_DIR	"/sys/kernel/slab"

static int slab_open(const char *name, const char *what, int flags)
{
	char path[320];

	snprintf(path, sizeof(path), SLAB_DIR "/%s/%s", name, what);
	return open(path, flags | O_CLOEXEC);
}

static long slab_number(int fd)
{
	char text[64];
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

	if (len < 0)
		return 0;
	text[len] = 0;
	return atol(text);
}

static bool slab_reclaimable(const char *name)
{
	int fd = slab_open(name, "reclaim_account", O_RDONLY);
	long number = slab_number(fd);

	close(fd);
	return number;
}

static void slab_name(struct ckpt_slab *slab, const char *name)
{
	size_t len = strnlen(name, sizeof(slab->name) - 1);

	memcpy(slab->name, name, len);
	slab->name[len] = 0;
}

/**
 * struct slab_files - what is to be asked of a cache
 * @shrink: has it give up what is free in it
 * @objects: tells how many are not, or is -1
 */
struct slab_files {
	int	shrink;
	int	objects;
};

static void slabs_open(struct ckpt_slabs *slabs, struct slab_files *files)
{
	DIR *dir = opendir(SLAB_DIR);
	struct dirent *entry;
	int nr = 0;

	while (dir && (entry = readdir(dir)) && nr < CKPT_SLABS_MAX) {
		/* A link is another name of a cache. */
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
		    slab_reclaimable(entry->d_name))
			continue;
		slab_name(&slabs->slab[nr], entry->d_name);
		files[nr].shrink = slab_open(entry->d_name, "shrink", O_WRONLY);
		files[nr].objects = slab_open(entry->d_name, "objects",
					      O_RDONLY);
		nr++;
	}
	if (dir)
		closedir(dir);
	slabs->nr = nr;
	slabs->counted = nr && files[0].objects >= 0;
}

static long slabs_kb(void)
{
	static const char key[] = "SUnreclaim:";
	static char text[8192];
	char *line;

	ckpt_read("/proc/meminfo", text, sizeof(text));
	line = strstr(text, key);
	return line ? strtol(line + strlen(key), NULL, 10) : 0;
}

static void slabs_tell(const char *path, const char *what)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, what, strlen(what)) < 0)
		printf("# %s: %m\n", path);
	if (fd >= 0)
		close(fd);
}

/*
 * What is to be freed after a grace period is to have been, however busy the machine
 * is. kfree_rcu() collects for five seconds, unless memory is wanted.
 */
static void slabs_settle(void)
{
	slabs_tell("/proc/sys/vm/drop_caches", "2");
	slabs_tell("/sys/module/rcutree/parameters/do_rcu_barrier", "1");
	ckpt_msleep(100);
}

/*
 * KASAN keeps what was freed, up to a 32nd of all memory: until then what is in
 * use seems to grow with whatever is done. Shrinking a cache has it let go of
 * what is of that cache. To open a file is something done, too, and comes first.
 */
void ckpt_slabs_note(struct ckpt_slabs *slabs)
{
	static struct slab_files files[CKPT_SLABS_MAX];

	slabs_settle();
	slabs_open(slabs, files);
	for (int i = 0; i < slabs->nr; i++) {
		if (write(files[i].shrink, "1", 1) != 1)
			printf("# %s does not shrink\n", slabs->slab[i].name);
		slabs->slab[i].objects = slab_number(files[i].objects);
	}
	for (int i = 0; i < slabs->nr; i++) {
		close(files[i].shrink);
		close(files[i].objects);
	}
	slabs->kb = slabs_kb();
}

static long slabs_find(const struct ckpt_slabs *slabs, const char *name)
{
	for (int i = 0; i < slabs->nr; i++)
		if (!strcmp(slabs->slab[i].name, name))
			return slabs->slab[i].objects;
	return 0;
}

bool ckpt_slabs_same(const struct ckpt_slabs *before,
		     const struct ckpt_slabs *after, long objects, long kb)
{
	bool same = true;

	if (!after->counted) {
		if (after->kb < before->kb + kb)
			return true;
		printf("# %ld kB of slabs, before %ld\n", after->kb,
		       before->kb);
		return false;
	}
	for (int i = 0; i < after->nr; i++) {
		const struct ckpt_slab *slab = &after->slab[i];
		long was = slabs_find(before, slab->name);

		if (slab->objects < was + objects)
			continue;
		printf("# %s: %ld objects, before %ld\n", slab->name,
		       slab->objects, was);
		same = false;
	}
	return same;
}
