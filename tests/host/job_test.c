// SPDX-License-Identifier: GPL-2.0-only
/*
 * rstr as a job of a shell: this program is the shell, on a terminal of its
 * own, the one who sits there, and what rstr takes for the root. Called as
 * job_test RSTR, with fake_call.c in that; as job_test --root WHAT it is that.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

static int keyboard;
static int terminal;
static char screen[65536];
static size_t seen;

static void check(bool ok, const char *name)
{
	printf("%s job: %s\n", ok ? "ok" : "not ok", name);
}

/* Become a session with a terminal, whose other end is the keyboard. */
static void open_terminal(void)
{
	keyboard = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (keyboard < 0 || grantpt(keyboard) || unlockpt(keyboard))
		err(1, "terminal");
	setsid();
	terminal = open(ptsname(keyboard), O_RDWR | O_CLOEXEC);
	if (terminal < 0)
		err(1, "terminal");
	/* A shell may change the terminal's foreground from the background. */
	signal(SIGTTOU, SIG_IGN);
}

static void press(char key)
{
	if (write(keyboard, &key, 1) != 1)
		err(1, "terminal");
}

/* Wait until @text is on the screen, and forget all before it. */
static bool await(const char *text)
{
	struct pollfd pfd = { .fd = keyboard, .events = POLLIN };
	char *found;
	ssize_t n;

	for (;;) {
		screen[seen] = '\0';
		found = strstr(screen, text);
		if (found) {
			found += strlen(text);
			seen -= found - screen;
			memmove(screen, found, seen + 1);
			return true;
		}
		if (poll(&pfd, 1, 5000) != 1)
			return false;
		n = read(keyboard, screen + seen, sizeof(screen) - 1 - seen);
		if (n <= 0)
			return false;
		seen += n;
	}
}

static void foreground(pid_t job)
{
	if (tcsetpgrp(terminal, job))
		err(1, "tcsetpgrp");
}

/* What a shell does for "rstr < image", with @root restarted. */
static pid_t start(const char *rstr, const char *root)
{
	char command[64];
	pid_t job = fork();

	if (job < 0)
		err(1, "fork");
	if (!job) {
		setpgid(0, 0);
		foreground(getpid());
		signal(SIGTTOU, SIG_DFL);
		snprintf(command, sizeof(command),
			 "exec /proc/%d/exe --root %s", getppid(), root);
		setenv("FAKE_ROOT", command, 1);
		dup2(terminal, 1);
		dup2(terminal, 2);
		dup2(open("/dev/null", O_RDONLY), 0);
		execl(rstr, "rstr", NULL);
		_exit(127);
	}
	setpgid(job, job);
	return job;
}

static int wait_for(pid_t job)
{
	int status = -1;

	waitpid(job, &status, WUNTRACED);
	foreground(getpgrp());
	return status;
}

static bool stopped(pid_t job)
{
	return WIFSTOPPED(wait_for(job));
}

static bool exited(pid_t job, int with)
{
	int status = wait_for(job);

	return WIFEXITED(status) && WEXITSTATUS(status) == with;
}

static void resume(pid_t job)
{
	foreground(job);
	kill(-job, SIGCONT);
}

/* Past the call rstr sleeps until there is a signal, and not before. */
static bool sleeps(pid_t job)
{
	char path[32], state = '?';
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/stat", job);
	in = fopen(path, "re");
	if (!in || fscanf(in, "%*d (rstr) %c", &state) != 1)
		warnx("%s: cannot be read", path);
	if (in)
		fclose(in);
	return state == 'S';
}

static bool runs(pid_t job)
{
	int tries;

	if (!await("ready"))
		return false;
	for (tries = 0; tries < 500; tries++) {
		if (sleeps(job))
			return true;
		usleep(10000);
	}
	return false;
}

static void test_interrupt(const char *rstr)
{
	pid_t job = start(rstr, "catch");
	int status;

	check(runs(job), "the root runs");
	press('C' - '@');
	check(exited(job, 5) && await("got"), "^C reaches the root");
	check(!strstr(screen, "got"), "^C reaches it once");

	job = start(rstr, "read");
	runs(job);
	press('C' - '@');
	status = wait_for(job);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT,
	      "^C ends both");
}

/* The root may be an editor, to whom ^C is a key like others. */
static void test_ignored(const char *rstr)
{
	pid_t job = start(rstr, "ignore");

	runs(job);
	press('C' - '@');
	press('\\' - '@');
	press('Z' - '@');
	check(exited(job, 6), "what the root ignores does not end rstr");
}

static void test_stop(const char *rstr)
{
	pid_t job = start(rstr, "read");

	runs(job);
	press('Z' - '@');
	check(stopped(job), "^Z stops both");
	resume(job);
	check(await("on"), "fg continues the root");
	press('a');
	press('\n');
	check(exited(job, 7) && await("<a>"), "which then goes on to read");
	check(!strstr(screen, "on\r\n"), "it was continued once");
}

static void test_background(const char *rstr)
{
	pid_t job = start(rstr, "read-later");

	runs(job);
	foreground(getpgrp());
	check(stopped(job), "reading in the background stops both");
	resume(job);
	press('b');
	press('\n');
	check(exited(job, 7) && await("<b>"), "fg lets it read");
}

/* A root with jobs of its own: rstr passes the terminal to its group and back. */
static void test_apart(const char *rstr)
{
	pid_t job;
	int status;

	setenv("FAKE_GROUP", "1", 1);
	job = start(rstr, "catch");
	check(runs(job) && tcgetpgrp(terminal) != job,
	      "a root apart has the terminal");
	press('C' - '@');
	waitpid(job, &status, 0);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 5 && await("got"),
	      "^C reaches a root apart");
	check(tcgetpgrp(terminal) == job, "rstr has the terminal in the end");
	foreground(getpgrp());

	job = start(rstr, "read");
	runs(job);
	press('Z' - '@');
	check(stopped(job), "^Z stops a root apart and rstr");
	resume(job);
	check(await("on"), "fg continues a root apart");
	press('a');
	press('\n');
	check(exited(job, 7) && await("<a>"), "which then reads");
	unsetenv("FAKE_GROUP");
}

static void test_apart_background(const char *rstr)
{
	pid_t job;
	int status;

	setenv("FAKE_GROUP", "1", 1);
	job = start(rstr, "read-later");
	runs(job);
	foreground(getpgrp());
	check(stopped(job), "reading in the background stops a root apart");
	check(tcgetpgrp(terminal) == getpgrp(),
	      "rstr leaves the shell its terminal");
	resume(job);
	press('b');
	press('\n');
	check(exited(job, 7) && await("<b>"), "fg lets a root apart read");

	job = start(rstr, "read");
	runs(job);
	kill(job, SIGTERM);
	status = wait_for(job);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM,
	      "a signal to rstr reaches a root apart");
	unsetenv("FAKE_GROUP");
}

/* ---- what the roots do --------------------------------------------------- */

static void say(const char *what)
{
	dprintf(STDOUT_FILENO, "%s\n", what);
}

static void say_got(int sig)
{
	say(sig == SIGCONT ? "on" : "got");
}

static int read_line(void)
{
	int fd = open("/dev/tty", O_RDONLY);
	char line[64];
	ssize_t n = read(fd, line, sizeof(line) - 1);

	if (n <= 0)
		return 1;
	dprintf(STDOUT_FILENO, "<%.*s>\n", (int)n - 1, line);
	return 7;
}

/* However long it takes whoever sits there to put it there. */
static void await_background(void)
{
	int fd = open("/dev/tty", O_RDONLY);

	while (tcgetpgrp(fd) == getpgrp())
		usleep(10000);
	close(fd);
}

static int be_root(const char *what)
{
	if (!strcmp(what, "catch")) {
		sigset_t mask;

		/* It may come before anybody waits for it. */
		sigemptyset(&mask);
		sigaddset(&mask, SIGINT);
		sigprocmask(SIG_BLOCK, &mask, NULL);
		signal(SIGINT, say_got);
		say("ready");
		sigemptyset(&mask);
		sigsuspend(&mask);
		return 5;
	}
	if (!strcmp(what, "ignore")) {
		signal(SIGINT, SIG_IGN);
		signal(SIGQUIT, SIG_IGN);
		signal(SIGTSTP, SIG_IGN);
		say("ready");
		usleep(500000);
		return 6;
	}
	signal(SIGCONT, say_got);
	say("ready");
	if (!strcmp(what, "read-later"))
		await_background();
	return read_line();
}

int main(int argc, char **argv)
{
	pid_t child;
	int status;

	if (argc == 3 && !strcmp(argv[1], "--root"))
		return be_root(argv[2]);
	if (argc != 2)
		errx(2, "usage: job_test RSTR");
	setlinebuf(stdout);
	child = fork();
	if (child) {
		waitpid(child, &status, 0);
		return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	}
	alarm(120);
	open_terminal();
	test_interrupt(argv[1]);
	test_ignored(argv[1]);
	test_stop(argv[1]);
	test_background(argv[1]);
	test_apart(argv[1]);
	test_apart_background(argv[1]);
	return 0;
}
