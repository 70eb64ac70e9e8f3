// SPDX-License-Identifier: GPL-2.0-only
/* ckptinfo - tell what the image of a checkpoint holds, see ckptinfo(1) */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chain.h"
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
	fputs("Usage: ckptinfo [-c] [-f] [-j] [-m] [-r] [FILE]\n"
	      "       ckptinfo --flatten [--parent FILE] [FILE] > IMAGE\n"
	      "Tell what the image of a checkpoint in FILE, or on standard input, holds.\n"
	      "\n"
	      "  -c, --check    compare the checksums of the pages, too, if there are such\n"
	      "  -f, --files    list the files that a restart opens, how, and what is compared\n"
	      "  -j, --json     print all there is to know as JSON\n"
	      "  -m, --maps     list the mappings, and what is saved of each\n"
	      "  -r, --records  list all records with all their fields\n"
	      "      --flatten  join an incremental image and its parents to one on standard\n"
	      "                 output\n"
	      "      --parent FILE\n"
	      "                 one of these, if it is not in the same directory; repeatable\n"
	      "  -h, --help     print this\n",
	      out);
}

enum { OPT_FLATTEN = 256, OPT_PARENT };

/**
 * struct request - what is asked for
 * @wanted: views
 * @check: read the pages as well
 * @flatten: one image out of several
 * @parents: where the others are
 */
struct request {
	bool		wanted[NR_VIEWS];
	bool		check;
	bool		flatten;
	struct parents	parents;
};

/* Returns -1 to go on, or a status to exit with. */
static int parse_options(int argc, char **argv, struct request *request)
{
	static const struct option options[] = {
		{ "check", no_argument, NULL, 'c' },
		{ "files", no_argument, NULL, 'f' },
		{ "flatten", no_argument, NULL, OPT_FLATTEN },
		{ "parent", required_argument, NULL, OPT_PARENT },
		{ "json", no_argument, NULL, 'j' },
		{ "maps", no_argument, NULL, 'm' },
		{ "records", no_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' }, {}
	};
	int c;

	while ((c = getopt_long(argc, argv, "cfjmrh", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			request->check = true;
			break;
		case 'f':
			request->wanted[VIEW_FILES] = true;
			break;
		case 'j':
			request->wanted[VIEW_JSON] = true;
			break;
		case 'm':
			request->wanted[VIEW_MAPS] = true;
			break;
		case 'r':
			request->wanted[VIEW_RECORDS] = true;
			break;
		case OPT_FLATTEN:
			request->flatten = true;
			break;
		case OPT_PARENT:
			parents_add(&request->parents, optarg);
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

/* JSON stands alone, or what comes out is no document; and so does an image. */
static bool views_agree(const struct request *request)
{
	const bool *wanted = request->wanted;
	bool others = wanted[VIEW_RECORDS] || wanted[VIEW_MAPS] ||
		      wanted[VIEW_FILES];

	if (request->flatten && (wanted[VIEW_JSON] || others)) {
		warnx("--flatten prints nothing; give it alone");
		return false;
	}
	if (!request->flatten && request->parents.nr) {
		warnx("--parent goes with --flatten");
		return false;
	}
	if (wanted[VIEW_JSON] && others) {
		warnx("--json prints everything; give it alone");
		return false;
	}
	return true;
}

static int join(struct request *request, int fd, const char *path)
{
	struct chain chain;
	int ret;

	if (isatty(STDOUT_FILENO)) {
		warnx("standard output is a terminal; try 'ckptinfo --flatten FILE > IMAGE'");
		return EXIT_USAGE;
	}
	request->parents.image = path;
	ret = chain_open(&chain, fd, path ?: "image", &request->parents);
	if (!ret)
		ret = chain_join(&chain, STDOUT_FILENO);
	chain_free(&chain);
	return ret ? EXIT_FAILED : 0;
}

static int view(const struct request *request, int fd, const char *path)
{
	struct image image;
	int status = 0;

	if (image_read(&image, fd, request->check)) {
		warnx("%s%s%s", path ?: "", path ? ": " : "", image.error);
		status = EXIT_FAILED;
	} else {
		show(&image, request->wanted);
	}
	image_free(&image);
	if (fflush(stdout) || ferror(stdout))
		err(EXIT_FAILED, "standard output");
	return status;
}

int main(int argc, char **argv)
{
	struct request request = {};
	int status, fd;

	status = parse_options(argc, argv, &request);
	if (status < 0 && !views_agree(&request))
		status = EXIT_USAGE;
	if (status < 0) {
		fd = open_image(argv[optind]);
		if (fd < 0)
			status = EXIT_USAGE;
		else
			status = request.flatten ?
				 join(&request, fd, argv[optind]) :
				 view(&request, fd, argv[optind]);
	}
	free(request.parents.names);
	return status;
}
