// SPDX-License-Identifier: GPL-2.0-only
/* ckptinfo - tell what the image of a checkpoint holds, see ckptinfo(1) */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "image.h"
#include "show.h"
#include "status.h"

enum view {
	VIEW_RECORDS,
	VIEW_MAPS,
	VIEW_FILES,
	VIEW_JSON,
	NR_VIEWS
};

static void (* const views[NR_VIEWS])(const struct image *image) = {
	[VIEW_RECORDS]	= show_records,
	[VIEW_MAPS]	= show_maps,
	[VIEW_FILES]	= show_files,
	[VIEW_JSON]	= show_json,
};

static void usage(FILE *out)
{
	fputs("Usage: ckptinfo [-f] [-j] [-m] [-r] [FILE]\n"
	      "Tell what the image of a checkpoint in FILE, or on standard input, holds.\n"
	      "\n"
	      "  -f, --files    list the files that a restart opens, how, and what is compared\n"
	      "  -j, --json     print all there is to know as JSON\n"
	      "  -m, --maps     list the mappings, and what is saved of each\n"
	      "  -r, --records  list all records with all their fields\n"
	      "  -h, --help     print this\n",
	      out);
}

/* Sets @wanted; returns -1 to go on, or a status to exit with. */
static int parse_options(int argc, char **argv, bool wanted[NR_VIEWS])
{
	static const struct option options[] = {
		{ "files", no_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "maps", no_argument, NULL, 'm' },
		{ "records", no_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' }, {}
	};
	int c;

	while ((c = getopt_long(argc, argv, "fjmrh", options, NULL)) != -1) {
		switch (c) {
		case 'f':
			wanted[VIEW_FILES] = true;
			break;
		case 'j':
			wanted[VIEW_JSON] = true;
			break;
		case 'm':
			wanted[VIEW_MAPS] = true;
			break;
		case 'r':
			wanted[VIEW_RECORDS] = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (argc - optind > 1) {
		usage(stderr);
		return EXIT_USAGE;
	}
	return -1;
}

static int open_image(const char *path)
{
	int fd;

	if (path) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			err(EXIT_FAILED, "%s", path);
		return fd;
	}
	if (isatty(STDIN_FILENO)) {
		warnx("standard input is a terminal; try 'ckptinfo FILE'");
		return -1;
	}
	return STDIN_FILENO;
}

static void show(const struct image *image, const bool wanted[NR_VIEWS])
{
	bool any = false;
	int view;

	for (view = 0; view < NR_VIEWS; view++) {
		if (!wanted[view])
			continue;
		views[view](image);
		any = true;
	}
	if (!any)
		show_summary(image);
}

/* JSON stands alone, or what comes out is no document. */
static bool views_agree(const bool wanted[NR_VIEWS])
{
	if (!wanted[VIEW_JSON])
		return true;
	return !wanted[VIEW_RECORDS] && !wanted[VIEW_MAPS] &&
	       !wanted[VIEW_FILES];
}

int main(int argc, char **argv)
{
	bool wanted[NR_VIEWS] = {};
	struct image image;
	int status, fd;

	status = parse_options(argc, argv, wanted);
	if (status >= 0)
		return status;
	if (!views_agree(wanted)) {
		warnx("--json prints everything; give it alone");
		return EXIT_USAGE;
	}
	fd = open_image(argv[optind]);
	if (fd < 0)
		return EXIT_USAGE;

	if (image_read(&image, fd)) {
		warnx("%s%s%s", argv[optind] ?: "", argv[optind] ? ": " : "",
		      image.error);
		status = EXIT_FAILED;
	} else {
		show(&image, wanted);
		status = 0;
	}
	image_free(&image);
	if (fflush(stdout) || ferror(stdout))
		err(EXIT_FAILED, "standard output");
	return status;
}
