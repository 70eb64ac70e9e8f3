// SPDX-License-Identifier: GPL-2.0-only
/* Pipes and fifos: what is in them, how much they hold, which ends are open. */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <linux/kcmp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define PAGE	4096

static char data[1 << 20], back[1 << 20];

static void make_data(void)
{
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i * 7 + i / 251;
}

static void put(int fd, const char *text)
{
	NEED(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static bool reads(int fd, const char *text)
{
	char buf[256] = "";

	return read(fd, buf, sizeof(buf) - 1) == (ssize_t)strlen(text) &&
	       !strcmp(buf, text);
}

static int in_it(int fd)
{
	int nr = -1;

	NEED(!ioctl(fd, FIONREAD, &nr));
	return nr;
}

static int polls(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN | POLLOUT };

	NEED(poll(&poll_fd, 1, 0) >= 0);
	return poll_fd.revents;
}

static bool same_description(int a, int b)
{
	int ret = syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, a, b);

	NEED(ret >= 0);
	return !ret;
}

/* How many bytes fit in, which do not wait. */
static int room(int fd)
{
	int flags = fcntl(fd, F_GETFL), nr = 0;

	NEED(!fcntl(fd, F_SETFL, flags | O_NONBLOCK));
	while (write(fd, "x", 1) == 1)
		nr++;
	NEED(errno == EAGAIN && !fcntl(fd, F_SETFL, flags));
	return nr;
}

CKPT_FIXTURE(pipes);

CKPT_TEST(pipes, empty)
{
	int fd[2];

	NEED(!pipe(fd));
	ckpt_point();
	CHECK_EQ(in_it(fd[0]), 0);
	put(fd[1], "text");
	CHECK(reads(fd[0], "text"));
	CHECK_EQ(fcntl(fd[0], F_GETFL), O_RDONLY);
	CHECK_EQ(fcntl(fd[1], F_GETFL), O_WRONLY);
	CHECK_EQ(lseek(fd[0], 0, SEEK_CUR), -1);
	CHECK_EQ(errno, ESPIPE);
}

CKPT_TEST(pipes, contents)
{
	int fd[2];

	NEED(!pipe(fd));
	put(fd[1], "one ");
	put(fd[1], "two");
	ckpt_point();
	put(fd[1], " three");
	CHECK(reads(fd[0], "one two three"));
	CHECK_EQ(in_it(fd[0]), 0);
}

CKPT_TEST(pipes, partly_read)
{
	int fd[2], had, has;

	make_data();
	NEED(!pipe(fd) && write(fd[1], data, 10000) == 10000);
	NEED(read(fd[0], back, 1234) == 1234);
	had = in_it(fd[0]);
	ckpt_point();
	has = in_it(fd[0]);
	CHECK_EQ(has, had);
	CHECK_EQ(read(fd[0], back, sizeof(back)), 8766);
	CHECK(!memcmp(back, data + 1234, 8766));
}

/* The room that is left is the same, to the byte. */
CKPT_TEST(pipes, room_left)
{
	int here[2], twin[2], left;

	make_data();
	NEED(!pipe(here) && !pipe(twin));
	for (int i = 0; i < 2; i++) {
		int *fd = i ? twin : here;

		NEED(write(fd[1], data, 5000) == 5000);
		NEED(read(fd[0], back, 4500) == 4500);
		NEED(write(fd[1], data, PAGE) == PAGE);
		NEED(write(fd[1], data, 100) == 100);
	}
	left = room(twin[1]);
	ckpt_point();
	CHECK_EQ(room(here[1]), left);
	CHECK_EQ(in_it(here[0]), in_it(twin[0]));
}

CKPT_TEST(pipes, full)
{
	int fd[2], nr;

	make_data();
	NEED(!pipe(fd) && !fcntl(fd[1], F_SETFL, O_NONBLOCK));
	nr = write(fd[1], data, sizeof(data));
	NEED(nr == 16 * PAGE);
	ckpt_point();
	CHECK_EQ(write(fd[1], "x", 1), -1);
	CHECK_EQ(errno, EAGAIN);
	CHECK(!(polls(fd[1]) & POLLOUT));
	CHECK_EQ(read(fd[0], back, sizeof(back)), nr);
	CHECK(!memcmp(back, data, nr));
	CHECK(polls(fd[1]) & POLLOUT);
}

CKPT_TEST(pipes, size)
{
	static const int sizes[] = { PAGE, 2 * PAGE, 1 << 20 };
	int fd[3][2];

	make_data();
	for (int i = 0; i < 3; i++) {
		NEED(!pipe(fd[i]));
		NEED(fcntl(fd[i][0], F_SETPIPE_SZ, sizes[i]) == sizes[i]);
		NEED(write(fd[i][1], data, sizes[i]) == sizes[i]);
	}
	ckpt_point();
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(fcntl(fd[i][1], F_GETPIPE_SZ), sizes[i]);
		CHECK_EQ(in_it(fd[i][0]), sizes[i]);
		for (int at = 0, nr; at < sizes[i]; at += nr) {
			nr = read(fd[i][0], back + at, sizes[i]);
			NEED(nr > 0);
		}
		CHECK(!memcmp(back, data, sizes[i]));
	}
}

/* Beyond what an ordinary user may have. */
CKPT_TEST(pipes, large)
{
	int fd[2], nr = 0;

	make_data();
	NEED(!pipe(fd) && fcntl(fd[0], F_SETPIPE_SZ, 4 << 20) == 4 << 20);
	while (nr < 4 << 20) {
		NEED(write(fd[1], data, sizeof(data)) == sizeof(data));
		nr += sizeof(data);
	}
	ckpt_point();
	CHECK_EQ(fcntl(fd[1], F_GETPIPE_SZ), 4 << 20);
	for (; nr; nr -= sizeof(data)) {
		CHECK_EQ(read(fd[0], back, sizeof(back)), sizeof(back));
		CHECK(!memcmp(back, data, sizeof(back)));
	}
}

CKPT_TEST(pipes, packets)
{
	int fd[2];

	NEED(!pipe2(fd, O_DIRECT));
	put(fd[1], "first");
	put(fd[1], "second");
	put(fd[1], "third");
	ckpt_point();
	CHECK_EQ(fcntl(fd[1], F_GETFL), O_WRONLY | O_DIRECT);
	CHECK(reads(fd[0], "first"));
	/* The rest of a packet is lost. */
	CHECK_EQ(read(fd[0], back, 3), 3);
	CHECK(reads(fd[0], "third"));
	put(fd[1], "fourth");
	put(fd[1], "fifth");
	CHECK(reads(fd[0], "fourth"));
	CHECK(reads(fd[0], "fifth"));
}

/* What was written as packets stays so, and what comes after does not. */
CKPT_TEST(pipes, packets_no_more)
{
	int fd[2];

	NEED(!pipe2(fd, O_DIRECT));
	put(fd[1], "packet");
	NEED(!fcntl(fd[1], F_SETFL, 0));
	put(fd[1], "one");
	ckpt_point();
	put(fd[1], "two");
	CHECK(reads(fd[0], "packet"));
	CHECK(reads(fd[0], "onetwo"));
}

CKPT_TEST(pipes, flags)
{
	int fd[2];

	NEED(!pipe2(fd, O_NONBLOCK | O_CLOEXEC));
	NEED(!fcntl(fd[1], F_SETFL, O_APPEND));
	ckpt_point();
	CHECK_EQ(fcntl(fd[0], F_GETFL), O_RDONLY | O_NONBLOCK);
	CHECK_EQ(fcntl(fd[1], F_GETFL), O_WRONLY | O_APPEND);
	CHECK_EQ(fcntl(fd[0], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(read(fd[0], back, 1), -1);
	CHECK_EQ(errno, EAGAIN);
}

CKPT_TEST(pipes, writer_closed)
{
	int fd[2];

	NEED(!pipe(fd));
	put(fd[1], "last words");
	close(fd[1]);
	ckpt_point();
	CHECK_EQ(polls(fd[0]), POLLIN | POLLHUP);
	CHECK(reads(fd[0], "last words"));
	CHECK_EQ(polls(fd[0]), POLLHUP);
	CHECK_EQ(read(fd[0], back, 1), 0);
}

CKPT_TEST(pipes, reader_closed)
{
	int fd[2];

	NEED(!pipe(fd));
	put(fd[1], "to nobody");
	close(fd[0]);
	signal(SIGPIPE, SIG_IGN);
	ckpt_point();
	CHECK_EQ(polls(fd[1]), POLLOUT | POLLERR);
	CHECK_EQ(write(fd[1], "x", 1), -1);
	CHECK_EQ(errno, EPIPE);
	CHECK_EQ(in_it(fd[1]), 9);
}

CKPT_TEST(pipes, ends_shared)
{
	int fd[2], copy;

	NEED(!pipe(fd));
	copy = dup(fd[1]);
	NEED(copy >= 0);
	ckpt_point();
	CHECK(same_description(fd[1], copy));
	close(fd[1]);
	put(copy, "text");
	CHECK(reads(fd[0], "text"));
	close(copy);
	CHECK_EQ(read(fd[0], back, 1), 0);
}

/* Opened anew by way of /proc: of one pipe, and each with flags of its own. */
CKPT_TEST(pipes, several_ends)
{
	int fd[2], more[3];
	char name[32];

	NEED(!pipe(fd));
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd[0]);
	more[0] = open(name, O_RDONLY | O_NONBLOCK);
	more[1] = open(name, O_WRONLY);
	more[2] = open(name, O_RDWR);
	NEED(more[0] >= 0 && more[1] >= 0 && more[2] >= 0);
	ckpt_point();
	CHECK(!same_description(fd[0], more[0]));
	CHECK(!same_description(fd[1], more[1]));
	CHECK(fcntl(more[0], F_GETFL) & O_NONBLOCK);
	CHECK(!(fcntl(fd[0], F_GETFL) & O_NONBLOCK));
	CHECK_EQ(fcntl(more[2], F_GETFL) & O_ACCMODE, O_RDWR);
	put(more[1], "a");
	put(fd[1], "b");
	put(more[2], "c");
	CHECK(reads(more[0], "abc"));
	close(fd[1]);
	close(more[1]);
	CHECK_EQ(read(more[0], back, 1), -1);
	close(more[2]);
	CHECK_EQ(read(more[0], back, 1), 0);
	CHECK_EQ(read(fd[0], back, 1), 0);
}

CKPT_TEST(pipes, two_ways_only)
{
	char name[32];
	int fd[2], both;

	NEED(!pipe(fd));
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd[0]);
	both = open(name, O_RDWR);
	NEED(both >= 0 && !close(fd[0]) && !close(fd[1]));
	put(both, "text");
	ckpt_point();
	CHECK(reads(both, "text"));
	CHECK_EQ(polls(both), POLLOUT);
}

CKPT_TEST(pipes, many)
{
	int fd[200][2];

	for (int i = 0; i < 200; i++) {
		NEED(!pipe(fd[i]));
		NEED(write(fd[i][1], &i, sizeof(i)) == sizeof(i));
	}
	ckpt_point();
	for (int i = 0; i < 200; i++) {
		int was = -1;

		CHECK_EQ(read(fd[i][0], &was, sizeof(was)), sizeof(was));
		CHECK_EQ(was, i);
	}
}

/* Pages that are not the pipe's own: of a file, and of the writer's memory. */
CKPT_TEST(pipes, spliced)
{
	int fd[2], file = open("file", O_CREAT | O_RDWR, 0600);
	loff_t from = 100;
	struct iovec iov = { data + 5000, 3000 };

	make_data();
	NEED(file >= 0 && write(file, data, 10000) == 10000 && !pipe(fd));
	NEED(splice(file, &from, fd[1], NULL, 8000, 0) == 8000);
	NEED(vmsplice(fd[1], &iov, 1, 0) == 3000);
	ckpt_point();
	put(fd[1], "x");
	CHECK_EQ(in_it(fd[0]), 11001);
	for (int at = 0, nr; at < 11001; at += nr) {
		nr = read(fd[0], back + at, sizeof(back) - at);
		NEED(nr > 0);
	}
	CHECK(!memcmp(back, data + 100, 8000));
	CHECK(!memcmp(back + 8000, data + 5000, 3000));
	CHECK_EQ(back[11000], 'x');
}

CKPT_TEST(pipes, owner)
{
	struct stat before, after;
	int fd[2];

	NEED(!pipe(fd) && !fchown(fd[0], 1234, 5678) && !fchmod(fd[1], 0640));
	NEED(!fstat(fd[0], &before));
	ckpt_point();
	CHECK(!fstat(fd[1], &after));
	CHECK_EQ(after.st_uid, before.st_uid);
	CHECK_EQ(after.st_gid, before.st_gid);
	CHECK_EQ(after.st_mode, before.st_mode);
}

/* Fifos. */

static void make_fifo(int fd[2], int flags)
{
	NEED(!mkfifo("fifo", 0600));
	fd[0] = open("fifo", O_RDONLY | O_NONBLOCK);
	fd[1] = open("fifo", O_WRONLY | flags);
	NEED(fd[0] >= 0 && fd[1] >= 0 && !fcntl(fd[0], F_SETFL, 0));
}

CKPT_TEST(pipes, fifo)
{
	int fd[2], other;

	make_fifo(fd, 0);
	put(fd[1], "text");
	NEED(fcntl(fd[1], F_SETPIPE_SZ, 2 * PAGE) == 2 * PAGE);
	ckpt_point();
	CHECK_EQ(fcntl(fd[0], F_GETFL) & O_NONBLOCK, 0);
	CHECK_EQ(fcntl(fd[1], F_GETPIPE_SZ), 2 * PAGE);
	put(fd[1], "more");
	CHECK(reads(fd[0], "textmore"));
	/* It is the one of that name. */
	other = open("fifo", O_WRONLY | O_NONBLOCK);
	CHECK(other >= 0);
	put(other, "other");
	CHECK(reads(fd[0], "other"));
}

CKPT_TEST(pipes, fifo_two_ways)
{
	int fd;

	NEED(!mkfifo("fifo", 0600));
	fd = open("fifo", O_RDWR | O_CLOEXEC);
	NEED(fd >= 0);
	put(fd, "text");
	ckpt_point();
	CHECK(reads(fd, "text"));
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
}

CKPT_TEST(pipes, fifo_writer_closed)
{
	int fd[2];

	make_fifo(fd, 0);
	put(fd[1], "text");
	close(fd[1]);
	ckpt_point();
	CHECK(reads(fd[0], "text"));
	CHECK_EQ(polls(fd[0]), POLLHUP);
	CHECK_EQ(read(fd[0], back, 1), 0);
}

/* One that there never was is another thing to poll(2). */
CKPT_TEST(pipes, fifo_no_writer_yet)
{
	int fd, other;

	NEED(!mkfifo("fifo", 0600));
	fd = open("fifo", O_RDONLY | O_NONBLOCK);
	NEED(fd >= 0 && !polls(fd));
	ckpt_point();
	CHECK_EQ(polls(fd), 0);
	other = open("fifo", O_WRONLY | O_NONBLOCK);
	CHECK(other >= 0);
	CHECK_EQ(polls(fd), 0);
	close(other);
	CHECK_EQ(polls(fd), POLLHUP);
}

CKPT_TEST(pipes, fifo_reader_closed)
{
	int fd[2];

	make_fifo(fd, O_NONBLOCK);
	put(fd[1], "text");
	close(fd[0]);
	signal(SIGPIPE, SIG_IGN);
	ckpt_point();
	CHECK_EQ(polls(fd[1]), POLLOUT | POLLERR);
	CHECK_EQ(write(fd[1], "x", 1), -1);
	CHECK_EQ(errno, EPIPE);
	CHECK(fcntl(fd[1], F_GETFL) & O_NONBLOCK);
	/* What is in it is for whoever comes to read. */
	fd[0] = open("fifo", O_RDONLY | O_NONBLOCK);
	CHECK(reads(fd[0], "text"));
}

CKPT_TEST(pipes, fifo_linked)
{
	int fd[2], other;

	make_fifo(fd, 0);
	NEED(!link("fifo", "second"));
	other = open("second", O_WRONLY);
	NEED(other >= 0);
	ckpt_point();
	put(fd[1], "a");
	put(other, "b");
	CHECK(reads(fd[0], "ab"));
}

/* In the middle of a system call. */

FIXTURE(waiting) {
	struct ckpt_target target;
};

FIXTURE_VARIANT(waiting) {
	enum ckpt_mode mode;
};

FIXTURE_VARIANT_ADD(waiting, live) { .mode = CKPT_LIVE };
FIXTURE_VARIANT_ADD(waiting, killed) { .mode = CKPT_KILLED };

FIXTURE_SETUP(waiting)
{
	memset(self, 0, sizeof(*self));
	(void)variant;
}

FIXTURE_TEARDOWN(waiting)
{
	ckpt_clean(&self->target);
}

/* Whoever waits is helped by a signal, which says that all is over. */
static int alarm_fd;

static void on_alarm(int sig)
{
	(void)sig;
	if (ckpt_gone())
		NEED(write(alarm_fd, "woken", 5) == 5);
	else
		alarm(1);
}

static void set_alarm(int fd)
{
	struct sigaction action = { .sa_handler = on_alarm,
				    .sa_flags = SA_RESTART };

	alarm_fd = fd;
	NEED(!sigaction(SIGALRM, &action, NULL));
	alarm(1);
}

CKPT_TARGET(waits_to_read)
{
	int fd[2];

	NEED(!pipe(fd));
	set_alarm(fd[1]);
	ckpt_ready();
	CHECK(reads(fd[0], "woken"));
}

TEST_F(waiting, read)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, ckpt_start(target, "waits_to_read", variant->mode));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_EQ(0, ckpt_wait_syscall(target, SYS_read));
	ASSERT_EQ(0, ckpt_cycle(target));
	ASSERT_EQ(0, ckpt_wait_syscall(target, SYS_read));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* What has changed by the time of the restart, and what can't be had. */

FIXTURE(changed) {
	struct ckpt_target target;
	int fd[2];
};

FIXTURE_SETUP(changed)
{
	memset(self, 0, sizeof(*self));
	self->fd[0] = -1;
	self->fd[1] = -1;
}

FIXTURE_TEARDOWN(changed)
{
	close(self->fd[0]);
	close(self->fd[1]);
	ckpt_clean(&self->target);
}

CKPT_TARGET(has_fifo)
{
	int fd[2];

	make_fifo(fd, 0);
	put(fd[1], "text");
	ckpt_point();
	CHECK(reads(fd[0], "text"));
}

static int take(struct ckpt_target *target, const char *name)
{
	if (ckpt_start(target, name, CKPT_KILLED) || ckpt_wait_ready(target) ||
	    ckpt_checkpoint(target, CHECKPOINT_KILL) < 0)
		return -1;
	ckpt_kill(target);
	return 0;
}

static bool has_log(struct ckpt_target *target, const char *text)
{
	if (strstr(target->log, text))
		return true;
	printf("# \"%s\" does not say \"%s\"\n", target->log, text);
	return false;
}

static void not_restarted(struct __test_metadata *_metadata,
			  struct ckpt_target *target, int err, const char *text)
{
	EXPECT_EQ(-err, ckpt_restart(target, 0));
	EXPECT_TRUE(has_log(target, text));
	EXPECT_EQ(-1, waitpid(-1, NULL, __WALL));
	EXPECT_EQ(ECHILD, errno);
	target->pid = 0;
}

static void goes_on(struct __test_metadata *_metadata,
		    struct ckpt_target *target)
{
	ASSERT_LT(0, ckpt_restart(target, 0));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

TEST_F(changed, fifo_in_use)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, take(target, "has_fifo"));
	self->fd[0] = open(ckpt_path(target, "fifo"), O_RDONLY | O_NONBLOCK);
	ASSERT_LE(0, self->fd[0]);
	not_restarted(_metadata, target, EBUSY, "fifo fifo: is in use");
	close(self->fd[0]);
	self->fd[0] = -1;
	goes_on(_metadata, target);
}

TEST_F(changed, fifo_missing)
{
	ASSERT_EQ(0, take(&self->target, "has_fifo"));
	ASSERT_EQ(0, unlink(ckpt_path(&self->target, "fifo")));
	not_restarted(_metadata, &self->target, ENOENT, "fd 3: fifo /tmp/");
}

TEST_F(changed, fifo_is_a_file)
{
	int fd;

	ASSERT_EQ(0, take(&self->target, "has_fifo"));
	ASSERT_EQ(0, unlink(ckpt_path(&self->target, "fifo")));
	fd = open(ckpt_path(&self->target, "fifo"), O_CREAT | O_RDWR, 0600);
	ASSERT_LE(0, fd);
	close(fd);
	not_restarted(_metadata, &self->target, ESTALE, "fifo /tmp/");
}

/* The links have come apart. */
TEST_F(changed, fifo_links)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, take(target, "pipes_fifo_linked"));
	ASSERT_EQ(0, unlink(ckpt_path(target, "second")));
	ASSERT_EQ(0, mkfifo(ckpt_path(target, "second"), 0600));
	not_restarted(_metadata, target, ESTALE, "fifo: can't be opened");
}

/* As an ordinary user, who may have no more than pipe-max-size. */
static void as_user(struct __test_metadata *_metadata,
		    struct ckpt_target *target)
{
	ASSERT_EQ(0, chmod(ckpt_path(target, ""), 0777));
	ASSERT_EQ(0, chmod(ckpt_path(target, "image"), 0644));
	ASSERT_EQ(0, chmod(ckpt_path(target, "log"), 0666));
	ASSERT_EQ(0, chmod(ckpt_path(target, "report"), 0666));
	ASSERT_EQ(0, syscall(SYS_setresuid, 1000, 1000, 0));
}

CKPT_TARGET(has_large_pipe)
{
	int fd[2];

	NEED(!pipe(fd) && fcntl(fd[0], F_SETPIPE_SZ, 2 << 20) == 2 << 20);
	ckpt_point();
	CHECK_EQ(fcntl(fd[0], F_GETPIPE_SZ), 2 << 20);
}

TEST_F(changed, not_so_large)
{
	ASSERT_EQ(0, take(&self->target, "has_large_pipe"));
	as_user(_metadata, &self->target);
	EXPECT_EQ(-EPERM, ckpt_restart(&self->target, RESTART_NEW_PIDS));
	EXPECT_TRUE(has_log(&self->target, "pipe of 512 pages"));
	ASSERT_EQ(0, syscall(SYS_setresuid, 0, 0, 0));
	self->target.pid = 0;
}

CKPT_TARGET(has_roots_pipe)
{
	int fd[2];

	NEED(!pipe(fd));
	ckpt_point();
}

TEST_F(changed, not_the_owner)
{
	ASSERT_EQ(0, take(&self->target, "has_roots_pipe"));
	as_user(_metadata, &self->target);
	EXPECT_EQ(-EPERM, ckpt_restart(&self->target, RESTART_NEW_PIDS));
	EXPECT_TRUE(has_log(&self->target, "owner 0:0 and mode"));
	ASSERT_EQ(0, syscall(SYS_setresuid, 0, 0, 0));
	self->target.pid = 0;
}

/* An end is outside: another description of it, or the same one. */

FIXTURE(outside) {
	struct ckpt_target target;
	int fd[2];
};

FIXTURE_SETUP(outside)
{
	memset(self, 0, sizeof(*self));
	ASSERT_EQ(0, pipe(self->fd));
}

FIXTURE_TEARDOWN(outside)
{
	close(self->fd[0]);
	close(self->fd[1]);
	ckpt_clean(&self->target);
}

CKPT_TARGET(holds)
{
	ckpt_ready();
	for (;;)
		pause();
}

/* A child that has both ends for 100 and 101, or one of them, and nothing else;
 * executed anew, as the harness has memory that is shared.
 */
static void child_with(struct __test_metadata *_metadata,
		       struct ckpt_target *target, const int fd[2], int which)
{
	snprintf(target->dir, sizeof(target->dir), "/tmp/ckpt-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(target->dir));
	target->pid = fork();
	ASSERT_LE(0, target->pid);
	if (target->pid)
		return;
	NEED(dup2(fd[0], 100) == 100 && dup2(fd[1], 101) == 101);
	if (!(which & 1))
		close(100);
	if (!(which & 2))
		close(101);
	syscall(SYS_close_range, 0, 99, 0);
	syscall(SYS_close_range, 102, ~0U, 0);
	NEED(!chdir(target->dir));
	execl("/proc/self/exe", "target", "--target", "holds", "0", NULL);
	_exit(126);
}

static void refused(struct __test_metadata *_metadata,
		    struct ckpt_target *target)
{
	struct stat image;

	ASSERT_EQ(0, ckpt_wait_ready(target));
	EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint(target, CHECKPOINT_KILL));
	EXPECT_TRUE(has_log(target,
			    "] is shared with a process outside the tree"));
	EXPECT_TRUE(has_log(target, ": pipe:["));
	EXPECT_EQ(0, stat(ckpt_path(target, "image"), &image));
	EXPECT_EQ(0, image.st_size);
	EXPECT_EQ(0, kill(target->pid, 0));
	EXPECT_EQ(0, waitpid(target->pid, NULL, WNOHANG));
}

TEST_F(outside, reader)
{
	child_with(_metadata, &self->target, self->fd, 2);
	close(self->fd[1]);
	refused(_metadata, &self->target);
}

TEST_F(outside, writer)
{
	child_with(_metadata, &self->target, self->fd, 1);
	close(self->fd[0]);
	refused(_metadata, &self->target);
}

TEST_F(outside, same_reader)
{
	child_with(_metadata, &self->target, self->fd, 3);
	close(self->fd[1]);
	refused(_metadata, &self->target);
}

TEST_F(outside, same_writer)
{
	child_with(_metadata, &self->target, self->fd, 3);
	close(self->fd[0]);
	refused(_metadata, &self->target);
}

/* Once nobody outside has an end any more, there is nothing to refuse. */
TEST_F(outside, no_more)
{
	struct ckpt_target *target = &self->target;

	child_with(_metadata, target, self->fd, 3);
	close(self->fd[0]);
	close(self->fd[1]);
	ASSERT_EQ(0, ckpt_wait_ready(target));
	EXPECT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	EXPECT_LT(0, ckpt_restart(target, 0));
}

/* What a socket holds, which is on its way to somebody, nobody knows of. */
TEST_F(outside, in_flight)
{
	struct ckpt_target *target = &self->target;
	char control[CMSG_SPACE(sizeof(int))] = "", byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int sock[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sock));
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &self->fd[0], sizeof(int));
	ASSERT_EQ(1, sendmsg(sock[0], &msg, 0));
	child_with(_metadata, target, self->fd, 3);
	close(self->fd[0]);
	close(self->fd[1]);
	refused(_metadata, target);
	close(sock[0]);
	close(sock[1]);
}

CKPT_TARGET(has_fifo_outside)
{
	int fd;

	NEED(!mkfifo("fifo", 0600));
	fd = open("fifo", O_RDWR);
	NEED(fd >= 0);
	ckpt_ready();
	ckpt_wait();
	CHECK(reads(fd, "text"));
}

TEST_F(outside, fifo)
{
	struct ckpt_target *target = &self->target;
	int fd;

	ASSERT_EQ(0, ckpt_start(target, "has_fifo_outside", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	fd = open(ckpt_path(target, "fifo"), O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint(target, 0));
	EXPECT_TRUE(has_log(target, "is shared with a process outside"));
	EXPECT_EQ(4, write(fd, "text", 4));
	close(fd);
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

CKPT_TEST_MAIN
