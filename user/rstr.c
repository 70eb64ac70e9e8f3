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

#include "call.h"
#include "clock.h"
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
};

static void usage(FILE *out)
{
	fputs("Usage: rstr [-d] [-p FILE] [-q] [-v] [--eager] [--force-files]\n"
	      "            [--inherit-fd FD:NAME] [--new-pids] [--stop] [--tcp-close] < IMAGE\n"
	      "Restart from the image on standard input, and end as what was restarted ends.\n"
	      "\n"
	      "  -d, --detach        print the pid of the root and do not wait\n"
	      "  -p, --pidfile FILE  write the pid of the root to FILE\n"
	      "      --eager         read all memory first, rather than as it is touched\n"
	      "      --force-files   take files as they are, though they changed\n"
	      "      --inherit-fd FD:NAME\n"
	      "                      supply FD for the external file NAME; repeatable\n"
	      "      --new-pids      take any pids, not those in the image\n"
	      "      --stop          leave the tasks stopped; SIGCONT lets them run\n"
	      "      --tcp-close     close TCP connections that lead outside the tree\n"
	      "  -q, --quiet         say nothing but why it failed\n"
	      "  -v, --verbose       tell the pid of the root and the time it took\n"
	      "  -h, --help          print this\n",
	      out);
}

enum {
	OPT_EAGER = 256, OPT_FORCE_FILES, OPT_INHERIT_FD, OPT_NEW_PIDS, OPT_STOP,
	OPT_TCP_CLOSE
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
		{ "eager", no_argument, NULL, OPT_EAGER },
		{ "force-files", no_argument, NULL, OPT_FORCE_FILES },
		{ "inherit-fd", required_argument, NULL, OPT_INHERIT_FD },
		{ "new-pids", no_argument, NULL, OPT_NEW_PIDS },
		{ "stop", no_argument, NULL, OPT_STOP },
		{ "tcp-close", no_argument, NULL, OPT_TCP_CLOSE },
		{ "help", no_argument, NULL, 'h' }, {}
	};
	int status = -1;
	int c;

	while (status < 0 &&
	       (c = getopt_long(argc, argv, "dp:qvh", options, NULL)) != -1)
		status = parse_option(c, request);
	if (status < 0 && optind < argc) {
		usage(stderr);
		status = EXIT_USAGE;
	}
	return status;
}

/* Returns the pid of the root; -1 if that failed, and then has said why. */
static pid_t restart(const struct request *request)
{
	double start = clock_now();
	struct log log;
	bool explained = false;
	long pid;
	int error;

	if (log_open(&log))
		return -1;
	pid = call_restart(0, STDIN_FILENO, request->flags, log.wr,
			   &request->externals);
	error = errno;
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

static int detach(const struct request *request, pid_t root)
{
	int status = 0;

	if (request->pidfile && pidfile_write(request->pidfile, root))
		status = EXIT_FAILED;
	printf("%d\n", root);
	if (fflush(stdout) || ferror(stdout)) {
		warn("standard output");
		status = EXIT_FAILED;
	}
	return status;
}

static int attend(const struct request *request, pid_t root)
{
	int status;

	/* Whoever sends the image is not kept waiting, nor is its file busy. */
	close(STDIN_FILENO);
	if (request->pidfile)
		pidfile_write(request->pidfile, root);
	status = job_wait(root);
	if (status < 0) {
		warn("pid %d", root);
		return EXIT_FAILED;
	}
	job_exit(status);
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
	job_prepare();
	root = restart(&request);
	if (root < 0)
		return EXIT_FAILED;
	close_inherited(&request.externals);
	free(request.externals.ext);
	return request.detach ? detach(&request, root) :
				attend(&request, root);
}
