// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "image.h"
#include "output.h"

int output_open(struct output *output)
{
	struct stat st;
	int flags;

	flags = fcntl(STDOUT_FILENO, F_GETFL);
	if (flags < 0 || fstat(STDOUT_FILENO, &st)) {
		warn("standard output");
		return -1;
	}
	output->regular = S_ISREG(st.st_mode);
	output->appends = flags & O_APPEND;
	output->size = st.st_size;
	output->begin = output->appends ? st.st_size :
					  lseek(STDOUT_FILENO, 0, SEEK_CUR);
	return 0;
}

/* The number behind @key in a file of proc(5), -1 if there is none. */
static long long read_number(const char *path, const char *key)
{
	FILE *in = fopen(path, "re");
	size_t len = strlen(key);
	long long number = -1;
	char line[128];

	if (!in)
		return -1;
	while (fgets(line, sizeof(line), in)) {
		if (!strncmp(line, key, len)) {
			if (sscanf(line + len, "%lld", &number) != 1)
				number = -1;
			break;
		}
	}
	fclose(in);
	return number;
}

/*
 * The offset is read from proc(5): lseek(2) would wait for the system call that
 * writes. In a file that grows, its size says the same without proc(5).
 */
static __u64 written_to_file(const struct output *output)
{
	struct stat st;
	off_t grown = 0;
	off_t moved = 0;

	if (!fstat(STDOUT_FILENO, &st))
		grown = st.st_size - output->size;
	if (!output->appends)
		moved = read_number("/proc/self/fdinfo/1", "pos:") -
			output->begin;
	if (moved > grown)
		grown = moved;
	return grown > 0 ? grown : 0;
}

__u64 output_written(const struct output *output, pid_t writer)
{
	long long written;
	char path[32];

	if (output->regular)
		return written_to_file(output);
	snprintf(path, sizeof(path), "/proc/%d/io", writer);
	written = read_number(path, "wchar:");
	return written > 0 ? written : 0;
}

__u64 output_expected(const struct output *output)
{
	struct image image = {};
	__u64 size = 0;
	int fd;

	if (!output->regular)
		return 0;
	fd = open("/proc/self/fd/1", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (pread(fd, &image.header, sizeof(image.header), output->begin) ==
	    sizeof(image.header) && !image_check_header(&image))
		size = image_size(&image.header);
	close(fd);
	return size;
}

__u32 output_stopped(const struct output *output)
{
	off_t end = output->regular ? lseek(STDOUT_FILENO, 0, SEEK_CUR) : 0;
	struct ckpt_image_trailer trailer = {};
	ssize_t n;
	int fd;

	if (end < (off_t)sizeof(trailer))
		return 0;
	fd = open("/proc/self/fd/1", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = pread(fd, &trailer, sizeof(trailer), end - sizeof(trailer));
	close(fd);
	if (n != sizeof(trailer) || memcmp(trailer.magic, CKPT_TRAILER_MAGIC,
					   sizeof(trailer.magic)))
		return 0;
	return le32toh(trailer.stopped);
}

/*
 * Only what was appended is cut off. An image that was written over something
 * else stays, and is none for want of a trailer.
 */
void output_undo(const struct output *output)
{
	struct stat st;

	if (!output->regular || output->begin != output->size ||
	    fstat(STDOUT_FILENO, &st) || st.st_size == output->size)
		return;
	if (ftruncate(STDOUT_FILENO, output->begin) ||
	    lseek(STDOUT_FILENO, output->begin, SEEK_SET) < 0)
		warn("standard output: an incomplete image is left");
}
