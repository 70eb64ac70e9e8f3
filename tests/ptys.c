// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pseudo terminals both of whose ends are in the tree: what is on its way, how
 * they are set, which ends are open.
 */
#define _GNU_SOURCE
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <asm/termbits.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd	438
#endif

/* Whose line discipline is none, <linux/tty.h>. */
#define N_NULL	27

static int master, slave, number;

static void unlock(bool locked)
{
	int lock = locked;

	NEED(!ioctl(master, TIOCSPTLCK, &lock));
}

static int open_slave(int flags)
{
	char name[32];

	snprintf(name, sizeof(name), "/dev/pts/%d", number);
	return open(name, flags | O_NOCTTY);
}

static void open_master(void)
{
	master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	NEED(master >= 0);
	NEED(!ioctl(master, TIOCGPTN, &number));
	unlock(false);
}

static void open_pair(void)
{
	open_master();
	slave = open_slave(O_RDWR);
	NEED(slave >= 0);
}

static void put(int fd, const char *text)
{
	NEED(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static int polls(int fd, int wait)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN | POLLOUT };

	NEED(poll(&poll_fd, 1, wait) >= 0);
	return poll_fd.revents;
}

/* All of a text, in as many pieces as it comes. */
static bool reads(int fd, const char *text)
{
	size_t len = strlen(text), got = 0;
	struct pollfd in = { .fd = fd, .events = POLLIN };
	char buf[256] = "";
	ssize_t n;

	while (got < len && poll(&in, 1, 2000) == 1) {
		n = read(fd, buf + got, sizeof(buf) - 1 - got);
		if (n <= 0)
			break;
		got += n;
	}
	if (!strcmp(buf, text))
		return true;
	printf("read \"%s\"\n", buf);
	return false;
}

static bool silent(int fd)
{
	return !(polls(fd, 0) & POLLIN);
}

/* Wait until that many bytes have arrived: a work brings them. */
static void await_input(int fd, int nr)
{
	int has = -1;

	for (int i = 0; i < 2000 && has < nr; i++) {
		NEED(!ioctl(fd, FIONREAD, &has));
		if (has < nr)
			ckpt_msleep(1);
	}
	NEED(has == nr);
}

static struct termios2 settings(int fd)
{
	struct termios2 termios;

	NEED(!ioctl(fd, TCGETS2, &termios));
	return termios;
}

static void set(int fd, const struct termios2 *termios)
{
	NEED(!ioctl(fd, TCSETS2, termios));
}

static void make_raw(int fd)
{
	struct termios2 termios = settings(fd);

	termios.c_iflag = 0;
	termios.c_oflag = 0;
	termios.c_lflag = 0;
	termios.c_cc[VMIN] = 1;
	termios.c_cc[VTIME] = 0;
	set(fd, &termios);
}

static void check_name(int fd, const char *ought)
{
	char link[32], name[64] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	NEED(readlink(link, name, sizeof(name) - 1) > 0);
	CHECK_TEXT("name", name, ought);
}

static void check_works(void)
{
	put(master, "up\n");
	CHECK(reads(slave, "up\n"));
	CHECK(reads(master, "up\r\n"));
	put(slave, "down\n");
	CHECK(reads(master, "down\r\n"));
}

CKPT_FIXTURE(ptys);

/* The slave was never opened, nor may be. */
CKPT_TEST(ptys, locked)
{
	int nr = -1, lock = 0;

	open_master();
	unlock(true);
	ckpt_point();
	CHECK(!ioctl(master, TIOCGPTN, &nr));
	CHECK_EQ(nr, number);
	CHECK(!ioctl(master, TIOCGPTLCK, &lock));
	CHECK_EQ(lock, 1);
	CHECK_EQ(open_slave(O_RDWR), -1);
	CHECK_EQ(errno, EIO);
	unlock(false);
	slave = open_slave(O_RDWR);
	CHECK(slave >= 0);
	check_works();
}

/* What is written before anybody has opened it is there for who does. */
CKPT_TEST(ptys, written_before)
{
	open_master();
	put(master, "early\n");
	ckpt_point();
	CHECK_EQ(polls(master, 0) & POLLHUP, 0);
	slave = open_slave(O_RDWR);
	CHECK(reads(slave, "early\n"));
}

CKPT_TEST(ptys, idle)
{
	char name[32];
	struct stat st;

	open_pair();
	ckpt_point();
	snprintf(name, sizeof(name), "/dev/pts/%d", number);
	check_name(slave, name);
	check_name(master, "/dev/ptmx");
	CHECK(!fstat(slave, &st));
	CHECK_EQ(minor(st.st_rdev), number);
	CHECK(silent(master) && silent(slave));
	check_works();
	CHECK(!close(slave));
	CHECK_EQ(read(master, name, 1), -1);
	CHECK_EQ(errno, EIO);
}

CKPT_TEST(ptys, descriptions)
{
	int out, other, same;

	open_pair();
	out = open_slave(O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	other = open_slave(O_RDONLY);
	same = dup(slave);
	ckpt_point();
	CHECK_EQ(fcntl(out, F_GETFL) & (O_ACCMODE | O_NONBLOCK),
		 O_WRONLY | O_NONBLOCK);
	CHECK_EQ(fcntl(out, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(other, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDONLY);
	CHECK(!fcntl(same, F_SETFL, O_NONBLOCK));
	CHECK(fcntl(slave, F_GETFL) & O_NONBLOCK);
	close(slave);
	close(same);
	close(other);
	CHECK_EQ(polls(master, 0) & POLLHUP, 0);
	close(out);
	CHECK_EQ(polls(master, 0) & POLLHUP, POLLHUP);
}

/* Input by lines. */

CKPT_TEST(ptys, half_a_line)
{
	open_pair();
	put(master, "hal");
	NEED(reads(master, "hal"));
	ckpt_point();
	CHECK(silent(slave) && silent(master));
	/* One is erased, and what erases it echoed. */
	put(master, "\177lf\n");
	CHECK(reads(slave, "half\n"));
	CHECK(reads(master, "\b \blf\r\n"));
}

CKPT_TEST(ptys, lines)
{
	char buf[64];

	open_pair();
	put(master, "one\ntwo\nthr");
	await_input(slave, 8);
	ckpt_point();
	CHECK_EQ(read(slave, buf, sizeof(buf)), 4);
	CHECK_EQ(read(slave, buf, 2), 2);
	CHECK_EQ(read(slave, buf, sizeof(buf)), 2);
	CHECK(silent(slave));
	put(master, "ee\n");
	CHECK(reads(slave, "three\n"));
	CHECK(reads(master, "one\r\ntwo\r\nthree\r\n"));
}

CKPT_TEST(ptys, end_of_file)
{
	char buf[64];

	open_pair();
	put(master, "half\4\4");
	await_input(slave, 4);
	ckpt_point();
	CHECK_EQ(read(slave, buf, sizeof(buf)), 4);
	CHECK_EQ(read(slave, buf, sizeof(buf)), 0);
	CHECK(silent(slave));
}

/* The next character is to be taken as it is. */
CKPT_TEST(ptys, literal_next)
{
	open_pair();
	put(master, "\26");
	NEED(reads(master, "^\b"));
	ckpt_point();
	put(master, "\3\n");
	CHECK(reads(slave, "\3\n"));
}

/* Whatever place in the ring it has got to. */
CKPT_TEST(ptys, around_the_ring)
{
	static char line[1000], buf[1000];

	open_pair();
	make_raw(slave);
	memset(line, 'r', sizeof(line));
	for (int i = 0; i < 7; i++) {
		NEED(write(master, line, sizeof(line)) == sizeof(line));
		await_input(slave, sizeof(line));
		if (i < 6)
			NEED(read(slave, buf, 1000) == 1000);
	}
	/* Which makes it two lines, as if the first were ended by ^D. */
	struct termios2 termios = settings(slave);

	termios.c_lflag = ICANON;
	set(slave, &termios);
	put(master, "next\nla");
	await_input(slave, 1005);
	ckpt_point();
	memset(buf, 0, sizeof(buf));
	CHECK_EQ(read(slave, buf, sizeof(buf)), 1000);
	CHECK(!memcmp(buf, line, 1000));
	CHECK(reads(slave, "next\n"));
	CHECK(silent(slave));
	put(master, "st\n");
	CHECK(reads(slave, "last\n"));
}

/* Input as it comes. */

CKPT_TEST(ptys, raw)
{
	open_pair();
	make_raw(slave);
	put(master, "\3\4\n\r\177");
	await_input(slave, 5);
	ckpt_point();
	CHECK(reads(slave, "\3\4\n\r\177"));
	put(master, "\3");
	CHECK(reads(slave, "\3"));
	CHECK(silent(master));
}

/* Output. */

CKPT_TEST(ptys, output)
{
	open_pair();
	put(slave, "some\noutput");
	await_input(master, 12);
	ckpt_point();
	put(slave, "\n");
	CHECK(reads(master, "some\r\noutput\r\n"));
	CHECK(silent(slave));
}

static int fill(int fd, const char *pattern, size_t len)
{
	int flags = fcntl(fd, F_GETFL), nr = 0;
	ssize_t n;

	NEED(!fcntl(fd, F_SETFL, flags | O_NONBLOCK));
	/* Until there is no more room for however long one waits. */
	for (int tries = 0; tries < 20; tries++) {
		while ((n = write(fd, pattern + nr, len - nr)) > 0) {
			nr += n;
			tries = 0;
		}
		NEED(n < 0 && errno == EAGAIN);
		ckpt_msleep(5);
	}
	NEED(!fcntl(fd, F_SETFL, flags));
	return nr;
}

static int drain(int fd, char *buf, size_t len)
{
	int nr = 0;
	ssize_t n;

	while (polls(fd, 300) & POLLIN) {
		n = read(fd, buf + nr, len - nr);
		if (n <= 0)
			break;
		nr += n;
	}
	return nr;
}

static char pattern[1 << 17], back[1 << 17];

static void check_full(int from, int to)
{
	int nr;

	make_raw(slave);
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = i * 7 + i / 251;
	nr = fill(from, pattern, sizeof(pattern));
	NEED(nr > 4096);
	ckpt_point();
	CHECK_EQ(drain(to, back, sizeof(back)), nr);
	CHECK(!memcmp(back, pattern, nr));
	put(from, "and on");
	CHECK(reads(to, "and on"));
}

CKPT_TEST(ptys, full_output)
{
	open_pair();
	check_full(slave, master);
}

CKPT_TEST(ptys, full_input)
{
	open_pair();
	check_full(master, slave);
}

/* A queue that came in pieces, and has room left in each. */
CKPT_TEST(ptys, full_of_pieces)
{
	int nr = 0, n;

	open_pair();
	make_raw(slave);
	NEED(!fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK));
	for (int tries = 0; tries < 20; ) {
		n = write(slave, pattern, 1 + nr % 71);
		if (n > 0) {
			nr += n;
			continue;
		}
		tries++;
		ckpt_msleep(2);
	}
	ckpt_point();
	CHECK_EQ(drain(master, back, sizeof(back)), nr);
}

CKPT_TEST(ptys, stopped_by_key)
{
	open_pair();
	put(master, "\23");
	for (int i = 0; polls(slave, 0) & POLLOUT && i < 2000; i++)
		ckpt_msleep(1);
	ckpt_point();
	CHECK_EQ(polls(slave, 0) & POLLOUT, 0);
	put(master, "\21");
	CHECK_EQ(polls(slave, 2000) & POLLOUT, POLLOUT);
	put(slave, "on\n");
	CHECK(reads(master, "on\r\n"));
}

/* The echo waits until output goes on. */
CKPT_TEST(ptys, echo_waits)
{
	open_pair();
	put(master, "\23");
	put(master, "typ\1ed\n");
	await_input(slave, 7);
	NEED(silent(master));
	ckpt_point();
	CHECK(silent(master));
	CHECK(reads(slave, "typ\1ed\n"));
	put(master, "\21");
	CHECK(reads(master, "typ^Aed\r\n"));
}

CKPT_TEST(ptys, stopped_by_call)
{
	open_pair();
	NEED(!ioctl(slave, TCXONC, TCOOFF));
	ckpt_point();
	CHECK_EQ(polls(slave, 0) & POLLOUT, 0);
	/* Which no key changes. */
	put(master, "\21");
	ckpt_msleep(20);
	CHECK_EQ(polls(slave, 0) & POLLOUT, 0);
	CHECK(!ioctl(slave, TCXONC, TCOON));
	put(slave, "on\n");
	CHECK(reads(master, "on\r\n"));
}

/* A tab is as wide as the column says. */
CKPT_TEST(ptys, column)
{
	struct termios2 termios;

	open_pair();
	termios = settings(slave);
	termios.c_oflag |= TAB3;
	set(slave, &termios);
	put(slave, "abc");
	NEED(reads(master, "abc"));
	ckpt_point();
	put(slave, "\td");
	CHECK(reads(master, "     d"));
}

/* Settings. */

CKPT_TEST(ptys, settings)
{
	struct winsize size = { 43, 132, 1000, 500 }, got;
	struct termios2 before, after;
	struct termios locks, locked;

	open_pair();
	before = settings(slave);
	before.c_iflag = IXANY | INLCR | IUTF8;
	before.c_oflag = OPOST | OLCUC;
	before.c_lflag = ISIG | ECHO | NOFLSH | TOSTOP;
	before.c_cflag = (before.c_cflag & ~CBAUD) | B9600 | CSTOPB;
	before.c_cc[VINTR] = 'q';
	before.c_cc[VMIN] = 3;
	before.c_cc[VTIME] = 7;
	set(slave, &before);
	before = settings(slave);
	memset(&locks, 0, sizeof(locks));
	locks.c_lflag = TOSTOP;
	locks.c_cc[VKILL] = 1;
	NEED(!ioctl(slave, TIOCSLCKTRMIOS, &locks));
	NEED(!ioctl(master, TIOCSWINSZ, &size));
	ckpt_point();
	after = settings(slave);
	CHECK(!memcmp(&before, &after, sizeof(before)));
	CHECK(!ioctl(slave, TIOCGLCKTRMIOS, &locked));
	CHECK(!memcmp(&locks, &locked, sizeof(locks)));
	after.c_lflag = 0;
	set(slave, &after);
	CHECK_EQ(settings(slave).c_lflag, TOSTOP);
	CHECK(!ioctl(master, TIOCGWINSZ, &got));
	CHECK(!memcmp(&got, &size, sizeof(size)));
	CHECK(!ioctl(slave, TIOCGWINSZ, &got));
	CHECK(!memcmp(&got, &size, sizeof(size)));
}

CKPT_TEST(ptys, owner)
{
	struct stat st;

	open_pair();
	NEED(!fchown(slave, 1234, 5) && !fchmod(slave, 0640));
	ckpt_point();
	CHECK(!fstat(slave, &st));
	CHECK_EQ(st.st_uid, 1234);
	CHECK_EQ(st.st_gid, 5);
	CHECK_EQ(st.st_mode, S_IFCHR | 0640);
}

CKPT_TEST(ptys, exclusive)
{
	int is = -1;

	open_pair();
	NEED(!ioctl(slave, TIOCEXCL));
	ckpt_point();
	CHECK(!ioctl(slave, TIOCGEXCL, &is));
	CHECK_EQ(is, 1);
	CHECK(!ioctl(master, TIOCGEXCL, &is));
	CHECK_EQ(is, 0);
}

CKPT_TEST(ptys, packets)
{
	int on = 1;

	open_pair();
	NEED(!ioctl(master, TIOCPKT, &on));
	put(slave, "data\n");
	await_input(master, 6);
	NEED(!ioctl(slave, TCFLSH, TCIFLUSH));
	ckpt_point();
	on = 0;
	CHECK(!ioctl(master, TIOCGPKT, &on));
	CHECK_EQ(on, 1);
	NEED(read(master, back, sizeof(back)) == 1);
	CHECK_EQ(back[0], TIOCPKT_FLUSHREAD);
	CHECK_EQ(read(master, back, sizeof(back)), 7);
	CHECK_EQ(back[0], TIOCPKT_DATA);
	CHECK(silent(master));
}

/* Ends that are closed. */

CKPT_TEST(ptys, slave_closed)
{
	open_pair();
	put(slave, "last words\n");
	await_input(master, 12);
	close(slave);
	ckpt_point();
	CHECK_EQ(polls(master, 0) & (POLLIN | POLLHUP), POLLIN | POLLHUP);
	CHECK(reads(master, "last words\r\n"));
	CHECK_EQ(read(master, back, 1), -1);
	CHECK_EQ(errno, EIO);
	slave = open_slave(O_RDWR);
	CHECK(slave >= 0);
	check_works();
}

static void check_hung_up(int fd)
{
	CHECK_EQ(read(fd, back, 1), 0);
	CHECK_EQ(write(fd, "x", 1), -1);
	CHECK_EQ(errno, EIO);
	CHECK_EQ(polls(fd, 0) & POLLHUP, POLLHUP);
	CHECK_EQ(ioctl(fd, TCGETS2, back), -1);
	CHECK_EQ(errno, EIO);
}

CKPT_TEST(ptys, master_closed)
{
	int other;

	open_pair();
	other = open_slave(O_WRONLY | O_NONBLOCK);
	close(master);
	ckpt_point();
	check_hung_up(slave);
	CHECK_EQ(fcntl(other, F_GETFL) & (O_ACCMODE | O_NONBLOCK),
		 O_WRONLY | O_NONBLOCK);
	CHECK_EQ(polls(other, 0) & POLLHUP, POLLHUP);
	CHECK_EQ(open_slave(O_RDWR), -1);
}

/* The line was taken away from who had it, and is another's. */
CKPT_TEST(ptys, vhangup)
{
	int old;

	open_pair();
	old = slave;
	NEED(!ioctl(old, TIOCVHANGUP));
	slave = open_slave(O_RDWR);
	NEED(slave >= 0);
	put(master, "for the new one\n");
	await_input(slave, 16);
	ckpt_point();
	check_hung_up(old);
	CHECK(reads(slave, "for the new one\n"));
	CHECK(reads(master, "for the new one\r\n"));
	check_works();
}

CKPT_TEST(ptys, vhangup_and_nobody)
{
	open_pair();
	NEED(!ioctl(slave, TIOCVHANGUP));
	put(master, "x\n");
	ckpt_point();
	check_hung_up(slave);
	close(slave);
	slave = open_slave(O_RDWR);
	CHECK(slave >= 0);
	put(master, "up\n");
	CHECK(polls(slave, 2000) & POLLIN);
}

/* Many, each with its own number. */
CKPT_TEST(ptys, many)
{
	int masters[16], slaves[16], numbers[16], nr;
	char text[16];

	for (int i = 0; i < 16; i++) {
		open_pair();
		masters[i] = master;
		slaves[i] = slave;
		numbers[i] = number;
		snprintf(text, sizeof(text), "%d\n", i);
		put(master, text);
	}
	close(masters[7]);
	close(slaves[7]);
	ckpt_point();
	for (int i = 0; i < 16; i++) {
		if (i == 7)
			continue;
		snprintf(text, sizeof(text), "%d\n", i);
		CHECK(!ioctl(masters[i], TIOCGPTN, &nr));
		CHECK_EQ(nr, numbers[i]);
		CHECK(reads(slaves[i], text));
	}
	/* That one is free. */
	open_master();
	CHECK_EQ(number, numbers[7]);
}

static volatile sig_atomic_t told;

static void tell(int sig)
{
	told = sig;
}

/* Someone is to be told when there is something to be read. */
CKPT_TEST(ptys, tells)
{
	signal(SIGUSR1, tell);
	open_pair();
	NEED(!fcntl(slave, F_SETOWN, getpid()));
	NEED(!fcntl(slave, F_SETSIG, SIGUSR1));
	NEED(!fcntl(slave, F_SETFL, O_RDWR | O_ASYNC));
	ckpt_point();
	told = 0;
	put(master, "come\n");
	for (int i = 0; i < 2000 && !told; i++)
		ckpt_msleep(1);
	CHECK_EQ(told, SIGUSR1);
}

/* In a read that is under way. */
CKPT_TEST(ptys, reader_waits)
{
	pid_t pid;
	int status = -1;

	open_pair();
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		close(master);
		_exit(reads(slave, "come\n") ? 0 : 1);
	}
	ckpt_msleep(20);
	ckpt_point();
	put(master, "come\n");
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

/* What is refused, or not. */

CKPT_FIXTURE_ONLY(others);
CKPT_VARIANT(others, live, CKPT_LIVE);

static void note_number(void)
{
	FILE *file = fopen("number", "w");

	NEED(file);
	fprintf(file, "%d %d %d", number, master, slave);
	fclose(file);
}

CKPT_TARGET(pair)
{
	open_pair();
	note_number();
	ckpt_ready();
	ckpt_wait();
	check_works();
}

static void start_pair(struct __test_metadata *_metadata,
		       struct ckpt_target *target)
{
	char text[64];

	ASSERT_EQ(0, ckpt_start(target, "pair", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ckpt_read(ckpt_path(target, "number"), text, sizeof(text));
	ASSERT_EQ(3,
		  sscanf(text, "%d %d %d", &number, &master, &slave));
}

static void refused_as(struct __test_metadata *_metadata,
		       struct ckpt_target *target, const char *reason)
{
	EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint(target, 0));
	if (!strstr(target->log, reason)) {
		TH_LOG("\"%s\" does not say \"%s\"", target->log, reason);
		EXPECT_TRUE(false);
	}
}

static void goes_on(struct __test_metadata *_metadata,
		    struct ckpt_target *target)
{
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

TEST_F(others, slave_outside)
{
	int fd;

	start_pair(_metadata, &self->target);
	fd = open_slave(O_RDWR);
	ASSERT_LE(0, fd);
	refused_as(_metadata, &self->target,
		   "is shared with a process outside the tree");
	close(fd);
	EXPECT_LT(0, ckpt_checkpoint(&self->target, 0));
	goes_on(_metadata, &self->target);
}

static int take_fd(struct ckpt_target *target, int fd)
{
	int pidfd = syscall(SYS_pidfd_open, target->pid, 0), copy;

	copy = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	close(pidfd);
	return copy;
}

TEST_F(others, descriptions_outside)
{
	int fds[2];

	start_pair(_metadata, &self->target);
	fds[0] = master;
	fds[1] = slave;
	for (int i = 0; i < 2; i++) {
		int fd = take_fd(&self->target, fds[i]);

		ASSERT_LE(0, fd);
		refused_as(_metadata, &self->target,
			   "is shared with a process outside the tree");
		close(fd);
	}
	EXPECT_LT(0, ckpt_checkpoint(&self->target, 0));
	goes_on(_metadata, &self->target);
}

TEST_F(others, controlled_outside)
{
	int status, fd, pipes[2];
	pid_t pid;

	start_pair(_metadata, &self->target);
	ASSERT_EQ(0, pipe2(pipes, O_CLOEXEC));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		setsid();
		signal(SIGHUP, SIG_IGN);
		fd = open_slave(O_RDWR);
		if (ioctl(fd, TIOCSCTTY, 0))
			_exit(1);
		close(fd);
		status = write(pipes[1], "", 1);
		pause();
	}
	ASSERT_EQ(1, read(pipes[0], &status, 1));
	refused_as(_metadata, &self->target,
		   "controls a process outside the tree");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	EXPECT_LT(0, ckpt_checkpoint(&self->target, 0));
	goes_on(_metadata, &self->target);
}

CKPT_TARGET(other_discipline)
{
	int null = N_NULL, tty = 0;

	open_pair();
	NEED(!ioctl(slave, TIOCSETD, &null));
	ckpt_ready();
	ckpt_wait();
	NEED(!ioctl(slave, TIOCSETD, &tty));
	check_works();
}

TEST_F(others, discipline)
{
	ASSERT_EQ(0, ckpt_start(&self->target, "other_discipline", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(&self->target));
	refused_as(_metadata, &self->target, "line discipline n_null");
	goes_on(_metadata, &self->target);
}

/* The number is taken; with new pids another one will do. */
TEST_F(others, number_taken)
{
	struct ckpt_target *target = &self->target;
	int masters[64], nr = 0, i;

	start_pair(_metadata, target);
	i = number;
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	do {
		ASSERT_GT(64, nr);
		open_master();
		masters[nr++] = master;
	} while (number < i);
	EXPECT_EQ(-EEXIST, ckpt_restart(target, 0));
	EXPECT_TRUE(strstr(target->log, ": taken"));
	ASSERT_LT(0, ckpt_restart(target, RESTART_NEW_PIDS));
	goes_on(_metadata, target);
	while (nr)
		close(masters[--nr]);
}

/* It is there again, though others are open below it. */
TEST_F(others, number_free)
{
	struct ckpt_target *target = &self->target;
	int low;

	open_master();
	low = master;
	start_pair(_metadata, target);
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	close(low);
	ASSERT_LT(0, ckpt_restart(target, 0));
	goes_on(_metadata, target);
}

CKPT_TEST_MAIN
