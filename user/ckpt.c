// SPDX-License-Identifier: GPL-2.0-only
/* ckpt - checkpoint a process to standard output or, again and again, to files */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chain.h"
#include "every.h"
#include "job.h"
#include "status.h"
#include "take.h"

/* What has nothing to do with what becomes of the processes. */
#define HOW_PAGES	(CHECKPOINT_CHECKSUM | CHECKPOINT_LZ4 | CHECKPOINT_ZSTD)

static void usage(FILE *out)
{
	fputs("Usage: ckpt [-k | -s] [-q] [-v] [--checksum] [--compress[=METHOD]]\n"
	      "            [--external NAME] [--track | --parent FILE] PID > IMAGE\n"
	      "       ckpt --every TIME [--keep N] -o DIRECTORY [-q] [-v] [--checksum]\n"
	      "            [--compress[=METHOD]] [--external NAME] PID\n"
	      "Checkpoint a process to standard output. It runs on, unless told otherwise.\n"
	      "\n"
	      "  -k, --kill     kill it once the image has been written\n"
	      "  -s, --stop     stop it once the image has been written\n"
	      "      --checksum have a restart find out if memory was damaged in the image\n"
	      "      --compress[=zstd|lz4]\n"
	      "                 compress memory; a restart finds out about damage then, too\n"
	      "      --external NAME\n"
	      "                 leave it to the restarter to supply what /proc/PID/fd\n"
	      "                 shows as NAME; repeatable\n"
	      "      --track    have the next checkpoint know what changed since this one\n"
	      "      --parent FILE\n"
	      "                 write only what changed since the image in FILE, and --track\n"
	      "      --every TIME\n"
	      "                 take one image after another, each so long after the one\n"
	      "                 before (100ms, 5s, 1m), until the process ends\n"
	      "      --keep N   keep so many of them, 2 by default\n"
	      "  -o, --output DIRECTORY\n"
	      "                 where they go, as NUMBER.image; latest.image is the last\n"
	      "  -q, --quiet    say nothing but why it failed\n"
	      "  -v, --verbose  tell the size of the image and the time it took\n"
	      "  -h, --help     print this\n",
	      out);
}

static int parse_pid(const char *arg, pid_t *pid)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(arg, &end, 10);
	if (errno || *end || end == arg || number <= 0 || number != (pid_t)number) {
		warnx("not a process id: %s", arg);
		return -1;
	}
	*pid = number;
	return 0;
}

/* The last one counts. */
static int parse_method(const char *arg, struct request *request)
{
	request->flags &= ~(CHECKPOINT_LZ4 | CHECKPOINT_ZSTD);
	if (!strcmp(arg, "zstd")) {
		request->flags |= CHECKPOINT_ZSTD;
	} else if (!strcmp(arg, "lz4")) {
		request->flags |= CHECKPOINT_LZ4;
	} else {
		warnx("neither zstd nor lz4: %s", arg);
		return -1;
	}
	return 0;
}

static int check_every(const struct request *request, const struct every *every)
{
	if (!every->seconds && !every->directory)
		return 0;
	if (!every->seconds || !every->directory) {
		warnx("--every and --output go together");
		return -1;
	}
	if (request->flags & ~HOW_PAGES || request->parent) {
		warnx("--every excludes --kill, --stop, --track and --parent");
		return -1;
	}
	return 0;
}

static int parse_operands(int argc, char **argv, struct request *request,
			  const struct every *every)
{
	const unsigned int both = CHECKPOINT_KILL | CHECKPOINT_STOP;

	if (check_every(request, every))
		return EXIT_USAGE;

	if ((request->flags & both) == both) {
		warnx("--kill and --stop exclude each other");
		return EXIT_USAGE;
	}
	if ((request->flags & CHECKPOINT_TRACK) &&
	    (request->flags & CHECKPOINT_KILL)) {
		warnx("--kill and --track exclude each other");
		return EXIT_USAGE;
	}
	/* Who is killed changes no more. */
	if (request->parent && !(request->flags & CHECKPOINT_KILL))
		request->flags |= CHECKPOINT_TRACK;
	if (argc - optind != 1) {
		usage(stderr);
		return EXIT_USAGE;
	}
	return parse_pid(argv[optind], &request->pid) ? EXIT_USAGE : -1;
}

enum {
	OPT_CHECKSUM = 256, OPT_COMPRESS, OPT_EXTERNAL, OPT_PARENT, OPT_TRACK,
	OPT_EVERY, OPT_KEEP
};

/* Returns -1 to go on, or a status to exit with. */
static int parse_options(int argc, char **argv, struct request *request,
			 struct every *every)
{
	static const struct option options[] = {
		{ "kill", no_argument, NULL, 'k' },
		{ "stop", no_argument, NULL, 's' },
		{ "checksum", no_argument, NULL, OPT_CHECKSUM },
		{ "compress", optional_argument, NULL, OPT_COMPRESS },
		{ "external", required_argument, NULL, OPT_EXTERNAL },
		{ "parent", required_argument, NULL, OPT_PARENT },
		{ "track", no_argument, NULL, OPT_TRACK },
		{ "every", required_argument, NULL, OPT_EVERY },
		{ "keep", required_argument, NULL, OPT_KEEP },
		{ "output", required_argument, NULL, 'o' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' }, {}
	};
	int c;

	while ((c = getopt_long(argc, argv, "ko:sqvh", options, NULL)) != -1) {
		switch (c) {
		case 'k':
			request->flags |= CHECKPOINT_KILL;
			break;
		case 's':
			request->flags |= CHECKPOINT_STOP;
			break;
		case OPT_CHECKSUM:
			request->flags |= CHECKPOINT_CHECKSUM;
			break;
		case OPT_COMPRESS:
			if (parse_method(optarg ?: "zstd", request))
				return EXIT_USAGE;
			break;
		case OPT_EXTERNAL:
			externals_add(&request->externals, optarg, -1);
			break;
		case OPT_PARENT:
			request->parent = optarg;
			break;
		case OPT_TRACK:
			request->flags |= CHECKPOINT_TRACK;
			break;
		case OPT_EVERY:
			if (every_parse_time(optarg, &every->seconds))
				return EXIT_USAGE;
			break;
		case OPT_KEEP:
			if (every_parse_keep(optarg, &every->keep))
				return EXIT_USAGE;
			break;
		case 'o':
			every->directory = optarg;
			break;
		case 'q':
			request->quiet = true;
			break;
		case 'v':
			request->verbose = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	return parse_operands(argc, argv, request, every);
}

int main(int argc, char **argv)
{
	struct request request = {};
	struct every every = { .keep = EVERY_KEEP };
	struct taken taken;
	int status;

	status = parse_options(argc, argv, &request, &every);
	if (status < 0 && !every.directory && isatty(STDOUT_FILENO)) {
		warnx("standard output is a terminal; try 'ckpt %d > image'",
		      request.pid);
		status = EXIT_USAGE;
	}
	if (status < 0 && request.parent &&
	    parent_uuid(request.parent, request.uuid))
		status = EXIT_FAILED;
	if (status < 0)
		status = every.directory ? every_run(&every, &request) :
					   take_image(&request, &taken);
	free(request.externals.ext);
	if (status && take_caught())
		job_die(take_caught());
	return status;
}
