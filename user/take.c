// SPDX-License-Identifier: GPL-2.0-only
/*
 * A child, the writer, makes the call, and may be interrupted at any time by
 * any signal that ends it. This one watches, and picks up what is left.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "clock.h"
#include "log.h"
#include "output.h"
#include "status.h"
#include "take.h"
#include "text.h"

/* Progress is shown from when on and how often, in milliseconds. */
#define PROGRESS_AFTER	1000
#define PROGRESS_EVERY	200

/**
 * struct result - what the writer tells of the call
 * @id: what it returned
 * @error: errno, if that is negative
 * @seconds: how long it took
 * @written: bytes, 0 if there is no telling
 */
struct result {
	long	id;
	int	error;
	double	seconds;
	__u64	written;
};

/* These end ckpt, once the writer has ended. */
static const int fatal_signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
#define NR_FATAL (sizeof(fatal_signals) / sizeof(fatal_signals[0]))

static volatile sig_atomic_t caught;
static volatile pid_t writer;

/* ---- the writer ---------------------------------------------------------- */

/*
 * Stopping from the keyboard would interrupt a write to a pipe, and the image
 * with it. So the writer goes on, and only ckpt stops.
 */
static void block_stops(void)
{
	sigset_t stops;

	sigemptyset(&stops);
	sigaddset(&stops, SIGTSTP);
	sigaddset(&stops, SIGTTIN);
	sigaddset(&stops, SIGTTOU);
	sigprocmask(SIG_BLOCK, &stops, NULL);
}

__attribute__((noreturn))
static void write_image(const struct request *request,
			const struct output *output, int logfd, int report)
{
	struct result result = {};
	double start = clock_now();

	block_stops();
	/* A reader that went away is an error like others: say so. */
	signal(SIGPIPE, SIG_IGN);
	result.id = call_checkpoint(request->pid, STDOUT_FILENO,
				    request->flags, logfd,
				    &request->externals,
				    request->parent ? request->uuid : NULL);
	result.error = errno;
	result.seconds = clock_now() - start;
	result.written = output_written(output, getpid());
	if (write(report, &result, sizeof(result)) != sizeof(result))
		_exit(EXIT_FAILED);
	_exit(0);
}

/* ---- the watcher --------------------------------------------------------- */

static void forward(int sig)
{
	caught = sig;
	if (writer)
		kill(writer, sig);
}

/* A signal that was ignored from the start, as by nohup(1), stays so. */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = forward };
	struct sigaction old;
	size_t i;

	for (i = 0; i < NR_FATAL; i++) {
		sigaction(fatal_signals[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(fatal_signals[i], &action, NULL);
	}
}

/*
 * Start the writer, whose @report is the end of a pipe. Until the handlers are
 * there, a signal that would end this process has to wait.
 */
static int start_writer(const struct request *request,
			const struct output *output, int logfd, int report)
{
	pid_t self = getpid();
	sigset_t fatal, old;
	size_t i;

	sigemptyset(&fatal);
	for (i = 0; i < NR_FATAL; i++)
		sigaddset(&fatal, fatal_signals[i]);
	sigprocmask(SIG_BLOCK, &fatal, &old);
	writer = fork();
	if (writer < 0) {
		warn("fork");
		return -1;
	}
	if (!writer) {
		/* No image is written that nobody looks after. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != self)
			_exit(EXIT_FAILED);
		sigprocmask(SIG_SETMASK, &old, NULL);
		write_image(request, output, logfd, report);
	}
	catch_signals();
	sigprocmask(SIG_SETMASK, &old, NULL);
	return 0;
}

/* A line that overwrites itself; @width is what there is to overwrite. */
static void show_progress(const struct output *output, double seconds,
			  int *width)
{
	__u64 expected = output_expected(output);
	char done[TEXT_SIZE_LEN], all[TEXT_SIZE_LEN], line[128];
	__u64 written = output_written(output, writer);
	int len;

	if (tcgetpgrp(STDERR_FILENO) != getpgrp())
		return;
	text_size(done, written);
	text_size(all, expected);
	if (!written)
		len = snprintf(line, sizeof(line), "%s for %.0f s",
			       output->regular ? "capturing" : "busy", seconds);
	else if (!expected)
		len = snprintf(line, sizeof(line), "%s written", done);
	else
		len = snprintf(line, sizeof(line), "%s of %s written, %u%%",
			       done, all,
			       (unsigned int)(100.0 * written / expected));
	fprintf(stderr, "\rckpt: %-*s", *width, line);
	*width = len;
}

static void clear_progress(int width)
{
	if (width)
		fprintf(stderr, "\r%*s\r", width + (int)strlen("ckpt: "), "");
}

/* Wait until the writer reports or ends; true if it reported. */
static bool watch(const struct request *request, const struct output *output,
		  int report, struct result *result)
{
	bool shown = !request->quiet && isatty(STDERR_FILENO);
	struct pollfd pfd = { .fd = report, .events = POLLIN };
	int timeout = shown ? PROGRESS_AFTER : -1;
	double start = clock_now();
	int width = 0;
	ssize_t n;
	int ready;

	while ((ready = poll(&pfd, 1, timeout)) <= 0) {
		if (ready < 0)
			continue;
		show_progress(output, clock_now() - start, &width);
		timeout = PROGRESS_EVERY;
	}
	clear_progress(width);
	do {
		n = read(report, result, sizeof(*result));
	} while (n < 0 && errno == EINTR);
	return n == sizeof(*result);
}

static void tell(const struct request *request, const struct result *result,
		 __u32 stopped)
{
	char size[TEXT_SIZE_LEN];

	fprintf(stderr, "ckpt: image %ld of pid %d: ", result->id,
		request->pid);
	if (result->written)
		fprintf(stderr, "%s in ", text_size(size, result->written));
	fprintf(stderr, "%.3f s", result->seconds);
	if (stopped)
		fprintf(stderr, ", stopped for %.3f ms", stopped / 1000.0);
	putc('\n', stderr);
}

/* The writer ended before the call did. */
static int no_report(const struct output *output, int status)
{
	output_undo(output);
	if (caught)
		warnx("interrupted, there is no image");
	else if (WIFSIGNALED(status))
		warnx("%s, there is no image", strsignal(WTERMSIG(status)));
	else
		warnx("the call was not made");
	return EXIT_FAILED;
}

static int finish(const struct request *request, const struct output *output,
		  const struct result *result, struct log *log,
		  struct taken *taken)
{
	bool explained = false;

	if (result->id <= 0 || !request->quiet)
		explained = log_print(log);
	taken->seconds = result->seconds;
	taken->written = result->written;
	if (result->id > 0) {
		taken->stopped = output_stopped(output);
		if (request->verbose)
			tell(request, result, taken->stopped);
		return 0;
	}
	taken->error = result->error;
	if (!explained)
		warnx("pid %d: %s", request->pid, log_strerror(result->error));
	output_undo(output);
	return EXIT_FAILED;
}

int take_image(const struct request *request, struct taken *taken)
{
	struct output output;
	struct result result;
	struct log log;
	bool reported;
	int report[2];
	int status = 0;

	*taken = (struct taken){};
	if (output_open(&output) || log_open(&log))
		return EXIT_FAILED;
	if (pipe2(report, O_CLOEXEC)) {
		warn("pipe");
		return EXIT_FAILED;
	}
	if (start_writer(request, &output, log.wr, report[1]))
		return EXIT_FAILED;
	close(report[1]);
	reported = watch(request, &output, report[0], &result);
	close(report[0]);
	while (waitpid(writer, &status, 0) < 0 && errno == EINTR)
		;
	writer = 0;
	status = reported ? finish(request, &output, &result, &log, taken) :
			    no_report(&output, status);
	log_close(&log);
	return status;
}

int take_caught(void)
{
	return caught;
}
