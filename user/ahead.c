// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "ahead.h"
#include "status.h"

#define PAGE		4096UL

/* Look so often at first, in ms; then half as often each time, down to this. */
#define LOOK_FIRST	10
#define LOOK_LAST	500

/* For so long in all. */
#define LOOK_TIME	10000

/* A gap that is not larger, in pages, is rather read than sought over. */
#define GAP		8

/* Read the header of the image, and what its file is. */
static int find_image(struct image *image, int fd)
{
	struct stat st;

	memset(image, 0, sizeof(*image));
	image->start = lseek(fd, 0, SEEK_CUR);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || image->start < 0) {
		warnx("the image is not in a regular file, of which to read ahead");
		return -1;
	}
	image->fd = fd;
	image->file_size = st.st_size;
	if (pread(fd, &image->header, sizeof(image->header), image->start) !=
	    sizeof(image->header)) {
		warnx("image: too short");
		return -1;
	}
	if (image_check_header(image)) {
		warnx("image: %s", image->error);
		return -1;
	}
	if (!image_is_child(image))
		return 0;
	warnx("an incremental image is read as a whole, and not ahead");
	return -1;
}

/* Reading ahead. */

static int bad_record(const char *name, const char *what)
{
	warnx("%s: %s", name, what);
	return -1;
}

static int check_head(FILE *in, const char *name, const struct image *image)
{
	char line[sizeof(AHEAD_MAGIC) + IMAGE_UUID_LEN + 1] = "";
	char head[sizeof(line)], uuid[IMAGE_UUID_LEN];

	snprintf(head, sizeof(head), AHEAD_MAGIC " %s\n",
		 image_uuid(uuid, image->header.uuid));
	if (!fgets(line, sizeof(line), in) ||
	    strncmp(line, AHEAD_MAGIC " ", sizeof(AHEAD_MAGIC)))
		return bad_record(name, "not a record of rstr --record");
	if (strcmp(line, head))
		return bad_record(name, "the record of another image");
	return 0;
}

static int read_ranges(FILE *in, const char *name, const struct image *image)
{
	__u64 size = image->file_size - image->start, at, len;
	unsigned int nr = 1;
	char line[64], end;

	while (fgets(line, sizeof(line), in)) {
		nr++;
		if (sscanf(line, "%llu %llu%c", &at, &len,
			   &end) != 3 || end != '\n' || at > size ||
		    len > size - at) {
			warnx("%s: line %u: not a range of the image", name, nr);
			return -1;
		}
		/* If it can't be read, that is found when it is needed. */
		posix_fadvise(image->fd, image->start + at, len,
			      POSIX_FADV_WILLNEED);
	}
	return 0;
}

int ahead_read(const char *name, int fd)
{
	struct image image;
	FILE *in;
	int ret;

	if (find_image(&image, fd))
		return -1;
	in = fopen(name, "re");
	if (!in) {
		warn("%s", name);
		return -1;
	}
	ret = check_head(in, name, &image) || read_ranges(in, name, &image);
	fclose(in);
	return ret ? -1 : 0;
}

/* Recording. */

/*
 * From a file that is not in memory, and whose pages are read one by one: what is in
 * memory then has been needed.
 */
static int drop_cached(struct ahead *ahead, int fd)
{
	size_t cached = 0, i;

	if (fdatasync(fd) && errno != EROFS && errno != EINVAL)
		warn("image");
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	if (mincore(ahead->map, ahead->pages * PAGE, ahead->seen)) {
		warn("image");
		return -1;
	}
	for (i = 0; i < ahead->pages; i++)
		cached += ahead->seen[i] & 1;
	if (cached)
		warnx("%zu of %zu pages of the image stay in memory, and are not recorded",
		      cached, ahead->pages);
	return 0;
}

static int map_image(struct ahead *ahead, int fd)
{
	ahead->pages = (ahead->image.file_size + PAGE - 1) / PAGE;
	ahead->seen = malloc(ahead->pages);
	ahead->now = malloc(ahead->pages);
	ahead->map = mmap(NULL, ahead->pages * PAGE, PROT_READ, MAP_SHARED, fd,
			  0);
	if (ahead->seen && ahead->now && ahead->map != MAP_FAILED)
		return 0;
	warn("image");
	return -1;
}

int ahead_open(struct ahead *ahead, const char *name, int fd)
{
	char uuid[IMAGE_UUID_LEN];

	memset(ahead, 0, sizeof(*ahead));
	ahead->name = name;
	if (find_image(&ahead->image, fd) || map_image(ahead, fd))
		return -1;
	ahead->out = fopen(name, "we");
	if (!ahead->out) {
		warn("%s", name);
		return -1;
	}
	fprintf(ahead->out, AHEAD_MAGIC " %s\n",
		image_uuid(uuid, ahead->image.header.uuid));
	if (!fflush(ahead->out))
		return drop_cached(ahead, fd);
	warn("%s", name);
	return -1;
}

/* Pages of the file, as far as the image is there. */
static void note_range(struct ahead *ahead, size_t first, size_t end)
{
	__u64 start = ahead->image.start, from = first * PAGE, to = end * PAGE;

	if (from < start)
		from = start;
	if (to > ahead->image.file_size)
		to = ahead->image.file_size;
	if (from < to)
		fprintf(ahead->out, "%llu %llu\n", from - start, to - from);
}

/* What is in memory that was not the last time. */
static void look(struct ahead *ahead)
{
	size_t first = 0, end = 0, i;

	if (mincore(ahead->map, ahead->pages * PAGE, ahead->now))
		return;
	for (i = 0; i < ahead->pages; i++) {
		if (!(ahead->now[i] & 1) || (ahead->seen[i] & 1))
			continue;
		ahead->seen[i] |= 1;
		if (i > end + GAP || !end) {
			note_range(ahead, first, end);
			first = i;
		}
		end = i + 1;
	}
	note_range(ahead, first, end);
}

/* Until time is up, or the other end of @fd is closed, as it is when rstr ends. */
static void look_on(struct ahead *ahead, int fd)
{
	struct pollfd poll_end = { .fd = fd, .events = POLLIN };
	int wait = LOOK_FIRST, time;

	for (time = 0; time < LOOK_TIME; time += wait) {
		look(ahead);
		if (poll(&poll_end, 1, wait))
			break;
		wait = wait * 2 < LOOK_LAST ? wait * 2 : LOOK_LAST;
	}
	look(ahead);
}

__attribute__((noreturn))
static void record(struct ahead *ahead, int fd)
{
	static const int ignored[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2,
		SIGALRM
	};
	size_t i;

	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	close(ahead->end);
	/* Whoever reads from a pipe is to see its end. */
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	look_on(ahead, fd);
	if (!fflush(ahead->out) && !ferror(ahead->out))
		_exit(0);
	warn("%s", ahead->name);
	_exit(EXIT_FAILED);
}

/* Not earlier: its pid might be one of those that are wanted. */
int ahead_start(struct ahead *ahead, int fd)
{
	int fds[2];

	posix_fadvise(fd, 0, 0, POSIX_FADV_NORMAL);
	if (pipe2(fds, O_CLOEXEC)) {
		warn("pipe");
		return -1;
	}
	ahead->end = fds[1];
	ahead->pid = fork();
	if (!ahead->pid)
		record(ahead, fds[0]);
	close(fds[0]);
	if (ahead->pid > 0)
		return 0;
	warn("fork");
	close(fds[1]);
	ahead->pid = 0;
	return -1;
}

int ahead_finish(struct ahead *ahead, bool now)
{
	int status = -1;

	if (!ahead->pid)
		return 0;
	if (now)
		close(ahead->end);
	while (waitpid(ahead->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status ? -1 : 0;
}
