// SPDX-License-Identifier: GPL-2.0-only
/*
 * An image is written to a file of another name, and gets its own, NUMBER.image,
 * once it is complete and on the disk; then latest.image becomes another name of
 * it, and only then does the oldest one go. So whatever happens, and whenever,
 * there is an image that is whole, and nothing that looks like one and is not.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/stat.h>

#include "clock.h"
#include "every.h"
#include "status.h"
#include "text.h"

#define PART	".part.image"
#define LATEST	"latest.image"
#define LINK	".latest.image"

/**
 * struct tally - what the images came to so far
 * @nr: how many there are
 * @began: when the first was asked for
 * @seconds: that they took, all together
 * @stopped: microseconds that the processes were stopped for, all together
 * @longest: at one time
 * @written: bytes, all together
 */
struct tally {
	unsigned long	nr;
	double		began;
	double		seconds;
	__u64		stopped;
	__u32		longest;
	__u64		written;
};

int every_parse_time(const char *arg, double *seconds)
{
	static const struct {
		const char	*name;
		double		seconds;
	} units[] = { { "", 1 }, { "ms", 0.001 }, { "s", 1 }, { "m", 60 }, { "h", 3600 } };
	char *end;
	double number;

	number = strtod(arg, &end);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (end == arg || strcmp(end, units[i].name))
			continue;
		*seconds = number * units[i].seconds;
		/* Neither for lack of a number, nor so long that it can't be added. */
		if (*seconds >= 0.001 && *seconds <= 1e9)
			return 0;
	}
	warnx("not a time from 1ms on: %s", arg);
	return -1;
}

int every_parse_keep(const char *arg, unsigned long *keep)
{
	char *end;

	errno = 0;
	*keep = strtoul(arg, &end, 10);
	if (!errno && end != arg && !*end && *arg != '-' && *keep)
		return 0;
	warnx("not a number from 1 on: %s", arg);
	return -1;
}

/* The number of an image by its name, 0 if that is none of ours. */
static unsigned long number_of(const char *name)
{
	unsigned long number;
	char *end;

	if (*name < '0' || *name > '9')
		return 0;
	number = strtoul(name, &end, 10);
	return strcmp(end, ".image") ? 0 : number;
}

static void name_of(char name[32], unsigned long number)
{
	snprintf(name, 32, "%06lu.image", number);
}

/* In the current directory: the last image there is; those below @oldest go. */
static int look_through(const struct every *every, unsigned long oldest,
			unsigned long *last)
{
	DIR *dir = opendir(".");
	struct dirent *entry;
	unsigned long number;

	if (!dir) {
		warn("%s", every->directory);
		return -1;
	}
	*last = 0;
	while ((entry = readdir(dir))) {
		number = number_of(entry->d_name);
		if (number > *last)
			*last = number;
		if (number && number < oldest && unlink(entry->d_name))
			warn("%s", entry->d_name);
	}
	closedir(dir);
	return 0;
}

/* The numbers go on where they ended, so that those from before are the oldest. */
static int enter_directory(const struct every *every, unsigned long *last)
{
	if ((mkdir(every->directory, 0700) && errno != EEXIST) ||
	    chdir(every->directory)) {
		warn("%s", every->directory);
		return -1;
	}
	return look_through(every, 0, last);
}

static int sync_directory(void)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -1;
	ret = fsync(fd);
	close(fd);
	return ret;
}

/* Standard output is complete: give it its name. */
static int publish(const struct every *every, unsigned long number)
{
	unsigned long oldest = 0, last;
	char name[32];

	name_of(name, number);
	unlink(LINK);
	if (fdatasync(STDOUT_FILENO) || rename(PART, name) ||
	    symlink(name, LINK) || rename(LINK, LATEST) || sync_directory()) {
		warn("%s", name);
		return -1;
	}
	if (number > every->keep)
		oldest = number - every->keep + 1;
	return look_through(every, oldest, &last);
}

static int open_part(void)
{
	int fd = open(PART, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0) {
		warn(PART);
		return -1;
	}
	if (fd != STDOUT_FILENO)
		close(fd);
	return 0;
}

static void count(struct tally *tally, const struct taken *taken)
{
	tally->nr++;
	tally->seconds += taken->seconds;
	tally->written += taken->written;
	tally->stopped += taken->stopped;
	if (taken->stopped > tally->longest)
		tally->longest = taken->stopped;
}

/* What it cost the process, above all. */
static void tell(const struct request *request, const struct tally *tally)
{
	double seconds = clock_now() - tally->began;
	char size[TEXT_SIZE_LEN];

	if (request->quiet || !tally->nr)
		return;
	fprintf(stderr,
		"ckpt: %lu images of pid %d in %.3f s, of %s and %.3f s each; stopped for %.3f ms, at most %.3f ms, %.2f%% of the time\n",
		tally->nr, request->pid, seconds,
		text_size(size, tally->written / tally->nr),
		tally->seconds / tally->nr,
		tally->stopped / 1e3 / tally->nr, tally->longest / 1e3,
		tally->stopped / 1e4 / seconds);
}

/* Something that may be otherwise the next time, if it has been once. */
static bool may_pass(const struct tally *tally, int error)
{
	return tally->nr && (error == EAGAIN || error == EBUSY ||
			     error == EOPNOTSUPP || error == ENOMEM);
}

static void sleep_until(double when)
{
	struct timespec ts;

	ts.tv_sec = when;
	ts.tv_nsec = (when - ts.tv_sec) * 1e9;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* Returns -1 to go on, or a status to exit with. */
static int take_next(const struct every *every, const struct request *request,
		     unsigned long number, struct tally *tally)
{
	struct taken taken;

	if (open_part())
		return EXIT_FAILED;
	if (!take_image(request, &taken)) {
		if (publish(every, number))
			return EXIT_FAILED;
		count(tally, &taken);
		return -1;
	}
	unlink(PART);
	if (tally->nr && taken.error == ESRCH)
		return 0;
	return may_pass(tally, taken.error) ? -1 : EXIT_FAILED;
}

int every_run(const struct every *every, const struct request *request)
{
	struct tally tally = { .began = clock_now() };
	double next = tally.began;
	unsigned long number, missed;
	int status;

	if (enter_directory(every, &number))
		return EXIT_FAILED;
	do {
		status = take_next(every, request, number + 1, &tally);
		number += status < 0;
		/* What was missed is not made up for. */
		missed = (clock_now() - next) / every->seconds;
		next += every->seconds * (missed + 1);
		if (status < 0 && !take_caught())
			sleep_until(next);
		/* Who has ended meanwhile has done so as was expected. */
		if (status < 0 && kill(request->pid, 0) && errno == ESRCH)
			status = 0;
		if (status < 0 && take_caught())
			status = EXIT_FAILED;
	} while (status < 0);
	tell(request, &tally);
	return status;
}
