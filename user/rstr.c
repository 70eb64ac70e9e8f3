// SPDX-License-Identifier: GPL-2.0-only
/* rstr - restart from the image on standard input, see rstr(1) */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ahead.h"
#include "call.h"
#include "chain.h"
#include "clock.h"
#include "feed.h"
#include "job.h"
#include "log.h"
#include "pidfile.h"
#include "status.h"

struct request {
	unsigned int	flags;
	const char	*pidfile;
	bool		detach;
	bool		quiet;
	bool		verbose;
	struct externals externals;
	struct parents	parents;
	const char	*ahead;
	const char	*record;
	struct ahead	recorder;
};

static void usage(FILE *out)
{
	fputs("Usage: rstr [-d] [-p FILE] [-q] [-v] [--ahead FILE] [--eager] [--force-files]\n"
	      "            [--inherit-fd FD:NAME] [--new-pids] [--parent FILE]\n"
	      "            [--record FILE] [--stop] [--tcp-close] < IMAGE\n"
	      "Restart from the image on standard input, and end as what was restarted ends.\n"
	      "\n"
	      "  -d, --detach        print the pid of the root and do not wait\n"
	      "  -p, --pidfile FILE  write the pid of the root to FILE\n"
	      "      --ahead FILE    read ahead what --record has recorded in FILE\n"
	      "      --eager         read all memory first, rather than as it is touched\n"
	      "      --force-files   take files as they are, though they changed\n"
	      "      --inherit-fd FD:NAME\n"
	      "                      supply FD for the external file NAME; repeatable\n"
	      "      --new-pids      take any pids, not those in the image\n"
	      "      --parent FILE   what an incremental image says the changes to; repeatable\n"
	      "      --record FILE   record in FILE what is read of the image at first\n"
	      "      --stop          leave the tasks stopped; SIGCONT lets them run\n"
	      "      --tcp-close     close TCP connections that lead outside the tree\n"
	      "  -q, --quiet         say nothing but why it failed\n"
	      "  -v, --verbose       tell the pid of the root and the time it took\n"
	      "  -h, --help          print this\n",
	      out);
}

enum {
	OPT_AHEAD = 256, OPT_EAGER, OPT_FORCE_FILES, OPT_INHERIT_FD,
	OPT_NEW_PIDS, OPT_PARENT, OPT_RECORD, OPT_STOP, OPT_TCP_CLOSE
};

/* FD:NAME, of which NAME may have colons. */
static int parse_inherited(const char *arg, struct request *request)
{
	char *end;
	long fd;

	errno = 0;
	fd = strtol(arg, &end, 10);
	if (errno || end == arg || *end != ':' || !end[1] || fd < 0 ||
	    fd > INT_MAX) {
		warnx("not a descriptor and a name: %s", arg);
		return EXIT_USAGE;
	}
	if (fcntl(fd, F_GETFD) < 0) {
		warn("descriptor %ld", fd);
		return EXIT_USAGE;
	}
	externals_add(&request->externals, end + 1, fd);
	return -1;
}

/* They are the restarted processes' now: a reader is to see their end. */
static void close_inherited(const struct externals *externals)
{
	unsigned int i;

	for (i = 0; i < externals->nr; i++)
		if (externals->ext[i].fd > STDERR_FILENO)
			close(externals->ext[i].fd);
}

/* Returns -1 to go on, or a status to exit with. */
static int parse_option(int c, struct request *request)
{
	switch (c) {
	case 'd':
		request->detach = true;
		return -1;
	case 'p':
		request->pidfile = optarg;
		return -1;
	case 'q':
		request->quiet = true;
		return -1;
	case 'v':
		request->verbose = true;
		return -1;
	case OPT_AHEAD:
		request->ahead = optarg;
		return -1;
	case OPT_EAGER:
		request->flags |= RESTART_EAGER;
		return -1;
	case OPT_FORCE_FILES:
		request->flags |= RESTART_FORCE_FILES;
		return -1;
	case OPT_INHERIT_FD:
		return parse_inherited(optarg, request);
	case OPT_NEW_PIDS:
		request->flags |= RESTART_NEW_PIDS;
		return -1;
	case OPT_PARENT:
		parents_add(&request->parents, optarg);
		return -1;
	case OPT_RECORD:
		request->record = optarg;
		return -1;
	case OPT_STOP:
		request->flags |= RESTART_STOPPED;
		return -1;
	case OPT_TCP_CLOSE:
		request->flags |= RESTART_TCP_CLOSE;
		return -1;
	case 'h':
		usage(stdout);
		return 0;
	default:
		usage(stderr);
		return EXIT_USAGE;
	}
}

static int parse_options(int argc, char **argv, struct request *request)
{
	static const struct option options[] = {
		{ "detach", no_argument, NULL, 'd' },
		{ "pidfile", required_argument, NULL, 'p' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "ahead", required_argument, NULL, OPT_AHEAD },
		{ "eager", no_argument, NULL, OPT_EAGER },
		{ "force-files", no_argument, NULL, OPT_FORCE_FILES },
		{ "inherit-fd", required_argument, NULL, OPT_INHERIT_FD },
		{ "new-pids", no_argument, NULL, OPT_NEW_PIDS },
		{ "parent", required_argument, NULL, OPT_PARENT },
		{ "record", required_argument, NULL, OPT_RECORD },
		{ "stop", no_argument, NULL, OPT_STOP },
		{ "tcp-close", no_argument, NULL, OPT_TCP_CLOSE },
		{ "help", no_argument, NULL, 'h' }, {}
	};
	int status = -1;
	int c;

	while (status < 0 &&
	       (c = getopt_long(argc, argv, "dp:qvh", options, NULL)) != -1)
		status = parse_option(c, request);
	if (status < 0 && (optind < argc || (request->ahead && request->record))) {
		usage(stderr);
		status = EXIT_USAGE;
	}
	return status;
}

/* Returns the pid of the root; -1 if that failed, and then has said why. */
static pid_t restart_from(const struct request *request, int fd,
			  struct feed *feed)
{
	double start = clock_now();
	struct log log;
	bool explained = false;
	long pid;
	int error;

	if (log_open(&log))
		return -1;
	job_expect();
	pid = call_restart(0, fd, request->flags, log.wr, &request->externals);
	error = errno;
	/* Where that failed the image was cut, which goes without saying. */
	if (feed && !feed_stop(feed) && pid <= 0)
		return -1;
	if (pid <= 0 || !request->quiet)
		explained = log_print(&log);
	if (pid <= 0) {
		if (!explained)
			warnx("%s", log_strerror(error));
		return -1;
	}
	if (request->verbose)
		fprintf(stderr, "rstr: pid %ld in %.3f s\n", pid,
			clock_now() - start);
	return pid;
}

/* The file that is read from, beside which its parents may be. */
static const char *image_path(void)
{
	static char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/fd/0", path, sizeof(path) - 1);

	return len > 0 && path[0] == '/' ? path : NULL;
}

static pid_t restart(struct request *request)
{
	struct chain chain;
	struct feed feed;
	pid_t pid = -1;

	if (!request->parents.nr && !feed_is_needed(STDIN_FILENO))
		return restart_from(request, STDIN_FILENO, NULL);
	request->parents.image = image_path();
	if (!chain_open(&chain, STDIN_FILENO, "image", &request->parents) &&
	    !feed_start(&feed, &chain))
		pid = restart_from(request, feed.fd, &feed);
	chain_free(&chain);
	return pid;
}

static int detach(struct request *request, pid_t root)
{
	int status = 0;

	if (request->pidfile && pidfile_write(request->pidfile, root))
		status = EXIT_FAILED;
	printf("%d\n", root);
	if (fflush(stdout) || ferror(stdout)) {
		warn("standard output");
		status = EXIT_FAILED;
	}
	if (ahead_finish(&request->recorder, false))
		status = EXIT_FAILED;
	return status;
}

static int attend(struct request *request, pid_t root)
{
	int status;

	/* Whoever sends the image is not kept waiting, nor is its file busy. */
	close(STDIN_FILENO);
	if (request->pidfile)
		pidfile_write(request->pidfile, root);
	status = job_wait(root);
	ahead_finish(&request->recorder, true);
	if (status < 0) {
		warn("pid %d", root);
		return EXIT_FAILED;
	}
	job_exit(status);
}

/* Nothing has been restarted yet, and nothing is if that fails. */
static int prepare_ahead(struct request *request)
{
	if (request->ahead && ahead_read(request->ahead, STDIN_FILENO))
		return -1;
	if (!request->record)
		return 0;
	return ahead_open(&request->recorder, request->record, STDIN_FILENO);
}

int main(int argc, char **argv)
{
	struct request request = {};
	int status;
	pid_t root;

	status = parse_options(argc, argv, &request);
	if (status >= 0)
		return status;
	if (isatty(STDIN_FILENO)) {
		warnx("standard input is a terminal; try 'rstr < image'");
		return EXIT_USAGE;
	}
	if (request.pidfile && pidfile_check(request.pidfile))
		return EXIT_FAILED;
	if (prepare_ahead(&request))
		return EXIT_FAILED;
	job_prepare();
	root = restart(&request);
	if (root < 0) {
		job_failed();
		return EXIT_FAILED;
	}
	close_inherited(&request.externals);
	/* The processes run, and are not to suffer if it fails. */
	if (request.record)
		ahead_start(&request.recorder, STDIN_FILENO);
	free(request.externals.ext);
	free(request.parents.names);
	return request.detach ? detach(&request, root) :
				attend(&request, root);
}
