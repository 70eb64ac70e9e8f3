// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ckpt_fuse.h"

#define FUSE_FILE	2
#define FUSE_VALID	1000
#define FUSE_DATA	(128 * 1024)
#define FUSE_NONE	(FUSE_DATA + 1)

union fuse_reply {
	char			data[FUSE_DATA];
	struct fuse_init_out	init;
	struct fuse_attr_out	attr;
	struct fuse_entry_out	entry;
	struct fuse_open_out	open;
};

static void fuse_attr_fill(struct ckpt_fuse *fs, struct fuse_attr *attr,
			   __u64 node)
{
	attr->ino = node;
	attr->mode = node == FUSE_FILE ? S_IFREG | 0644 : S_IFDIR | 0755;
	attr->nlink = 1;
	if (node == FUSE_FILE)
		attr->size = fs->size;
}

/* What changes is asked for each time. */
static int fuse_valid(const struct ckpt_fuse *fs)
{
	return fs->mode == CKPT_FUSE_COPY ? 0 : FUSE_VALID;
}

static int fuse_init(union fuse_reply *out)
{
	out->init.major = FUSE_KERNEL_VERSION;
	out->init.minor = 31;
	out->init.max_write = 4096;
	out->init.max_readahead = FUSE_DATA;
	return sizeof(out->init);
}

static int fuse_getattr(struct ckpt_fuse *fs, const struct fuse_in_header *in,
			union fuse_reply *out)
{
	out->attr.attr_valid = fuse_valid(fs);
	fuse_attr_fill(fs, &out->attr.attr, in->nodeid);
	return sizeof(out->attr);
}

static int fuse_lookup(struct ckpt_fuse *fs, const struct fuse_in_header *in,
		       union fuse_reply *out)
{
	if (strcmp((const char *)(in + 1), "file"))
		return -ENOENT;
	out->entry.nodeid = FUSE_FILE;
	out->entry.attr_valid = fuse_valid(fs);
	out->entry.entry_valid = FUSE_VALID;
	fuse_attr_fill(fs, &out->entry.attr, FUSE_FILE);
	return sizeof(out->entry);
}

static int fuse_open(struct ckpt_fuse *fs, union fuse_reply *out)
{
	if (fs->opened++ && fs->mode == CKPT_FUSE_STUCK)
		return FUSE_NONE;
	if (fs->mode == CKPT_FUSE_EIO)
		out->open.open_flags = FOPEN_DIRECT_IO;
	return sizeof(out->open);
}

static int fuse_read(struct ckpt_fuse *fs, const struct fuse_in_header *in,
		     union fuse_reply *out)
{
	const struct fuse_read_in *what = (const void *)(in + 1);
	long long left = fs->size - (long long)what->offset;
	static int fd = -1;
	ssize_t n;

	if (fs->mode != CKPT_FUSE_COPY || fs->broken || what->size > FUSE_DATA)
		return -EIO;
	if (fd < 0)
		fd = open(fs->source, O_RDONLY | O_CLOEXEC);
	if (left > what->size)
		left = what->size;
	n = left > 0 ? pread(fd, out->data, left, what->offset) : 0;
	return n < 0 ? -EIO : n;
}

/* Returns the length of the answer; a negative errno; FUSE_NONE for none. */
static int fuse_answer(struct ckpt_fuse *fs, const struct fuse_in_header *in,
		       union fuse_reply *out)
{
	switch (in->opcode) {
	case FUSE_INIT:
		return fuse_init(out);
	case FUSE_GETATTR:
		return fuse_getattr(fs, in, out);
	case FUSE_LOOKUP:
		return fuse_lookup(fs, in, out);
	case FUSE_OPEN:
		return fuse_open(fs, out);
	case FUSE_RELEASE:
	case FUSE_FLUSH:
		return 0;
	case FUSE_READ:
		return fuse_read(fs, in, out);
	case FUSE_WRITE:
		return -EIO;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return FUSE_NONE;
	default:
		return -ENOSYS;
	}
}

static void __attribute__((noreturn)) fuse_serve(struct ckpt_fuse *fs, int fd)
{
	static char request[128 * 1024] __attribute__((aligned(8)));
	const struct fuse_in_header *in = (void *)request;
	static struct {
		struct fuse_out_header	header;
		union fuse_reply	reply;
	} out;
	int len;

	while (read(fd, request, sizeof(request)) > 0) {
		/* All but data, which is filled as far as it is sent. */
		memset(&out, 0, offsetof(typeof(out), reply) +
		       sizeof(out.reply.entry));
		len = fuse_answer(fs, in, &out.reply);
		if (len == FUSE_NONE)
			continue;
		out.header.unique = in->unique;
		out.header.error = len < 0 ? len : 0;
		out.header.len = sizeof(out.header) + (len < 0 ? 0 : len);
		/* Whoever asked may not wait any more. */
		if (write(fd, &out, out.header.len) < 0 && errno != ENOENT)
			break;
	}
	_exit(0);
}

static int fuse_mount(const char *dir)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char options[64];

	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	if (fd < 0 || mkdir(dir, 0700) ||
	    mount("ckpt", dir, "fuse", 0, options))
		return -1;
	return fd;
}

struct ckpt_fuse *ckpt_fuse_start(const char *dir, enum ckpt_fuse_mode mode)
{
	struct ckpt_fuse *fs = mmap(NULL, sizeof(*fs), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = fuse_mount(dir);
	pid_t pid;

	if (fs == MAP_FAILED || fd < 0)
		return NULL;
	fs->mode = mode;
	fflush(stdout);
	pid = fork();
	if (!pid)
		fuse_serve(fs, fd);
	fs->server = pid;
	close(fd);
	return fs;
}

void ckpt_fuse_stop(struct ckpt_fuse *fs, const char *dir)
{
	kill(fs->server, SIGKILL);
	waitpid(fs->server, NULL, 0);
	umount2(dir, MNT_DETACH);
	rmdir(dir);
	munmap(fs, sizeof(*fs));
}
