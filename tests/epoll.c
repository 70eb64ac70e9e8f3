// SPDX-License-Identifier: GPL-2.0-only
/* Epoll instances: what they watch, what is ready, one in another. */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#define NOTHING	"nothing"

static int make_epoll(void)
{
	int fd = epoll_create1(0);

	NEED(fd >= 0);
	return fd;
}

static int make_counter(int count)
{
	int fd = eventfd(count, EFD_NONBLOCK);

	NEED(fd >= 0);
	return fd;
}

static void add(int fd, uint64_t nr)
{
	NEED(write(fd, &nr, sizeof(nr)) == sizeof(nr));
}

static int control(int epoll, int op, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };

	return epoll_ctl(epoll, op, fd, &event);
}

static void watch(int epoll, int fd, uint32_t events, uint64_t data)
{
	NEED(!control(epoll, EPOLL_CTL_ADD, fd, events, data));
}

/* What it says now, by data: "1:5 7:1". */
static const char *ready(int epoll, int timeout)
{
	struct epoll_event events[64];
	static char text[1024];
	int nr = epoll_wait(epoll, events, 64, timeout);
	size_t len = 0;

	NEED(nr >= 0);
	if (!nr)
		return NOTHING;
	for (uint64_t data = 0; data < 1000; data++)
		for (int i = 0; i < nr; i++)
			if (events[i].data.u64 == data)
				len += snprintf(text + len, sizeof(text) - len,
						"%s%d:%x", len ? " " : "",
						(int)data, events[i].events);
	return text;
}

#define READY(epoll, ought)	CHECK_TEXT("ready", ready(epoll, 0), ought)
#define WILL_BE(epoll, ought)	CHECK_TEXT("ready", ready(epoll, 5000), ought)

CKPT_FIXTURE(epoll);

CKPT_TEST(epoll, empty)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	NEED(epoll >= 0);
	ckpt_point();
	READY(epoll, NOTHING);
	CHECK_EQ(fcntl(epoll, F_GETFD), FD_CLOEXEC);
	watch(epoll, make_counter(1), EPOLLIN, 3);
	READY(epoll, "3:1");
}

CKPT_TEST(epoll, level)
{
	int epoll = make_epoll(), a = make_counter(0), b = make_counter(1);
	uint64_t nr;

	watch(epoll, a, EPOLLIN, 1);
	watch(epoll, b, EPOLLIN | EPOLLOUT, 2);
	READY(epoll, "2:5");
	ckpt_point();
	READY(epoll, "2:5");
	READY(epoll, "2:5");
	add(a, 1);
	READY(epoll, "1:1 2:5");
	CHECK_EQ(read(b, &nr, sizeof(nr)), 8);
	READY(epoll, "1:1 2:4");
	CHECK(!control(epoll, EPOLL_CTL_DEL, a, 0, 0));
	CHECK_EQ(control(epoll, EPOLL_CTL_ADD, b, EPOLLIN, 9), -1);
	CHECK_EQ(errno, EEXIST);
	CHECK(!control(epoll, EPOLL_CTL_MOD, b, EPOLLIN, 9));
	READY(epoll, NOTHING);
	add(b, 1);
	READY(epoll, "9:1");
}

/* An edge that was reported is not again; one that was not, is. */
CKPT_TEST(epoll, edge)
{
	int epoll = make_epoll(), a = make_counter(1), b = make_counter(0);

	watch(epoll, a, EPOLLIN | EPOLLET, 1);
	watch(epoll, b, EPOLLIN | EPOLLET, 2);
	READY(epoll, "1:1");
	add(b, 1);
	ckpt_point();
	READY(epoll, "2:1");
	READY(epoll, NOTHING);
	add(a, 1);
	READY(epoll, "1:1");
	READY(epoll, NOTHING);
}

CKPT_TEST(epoll, one_shot)
{
	int epoll = make_epoll(), a = make_counter(1), b = make_counter(1);

	watch(epoll, a, EPOLLIN | EPOLLONESHOT, 1);
	READY(epoll, "1:1");
	watch(epoll, b, EPOLLIN | EPOLLONESHOT, 2);
	ckpt_point();
	READY(epoll, "2:1");
	READY(epoll, NOTHING);
	CHECK(!control(epoll, EPOLL_CTL_MOD, a, EPOLLIN | EPOLLONESHOT, 3));
	READY(epoll, "3:1");
	READY(epoll, NOTHING);
}

CKPT_TEST(epoll, exclusive)
{
	int epoll = make_epoll(), a = make_counter(0);

	watch(epoll, a, EPOLLIN | EPOLLEXCLUSIVE, 1);
	ckpt_point();
	CHECK_EQ(control(epoll, EPOLL_CTL_MOD, a, EPOLLIN, 1), -1);
	CHECK_EQ(errno, EINVAL);
	add(a, 1);
	READY(epoll, "1:1");
}

CKPT_TEST(epoll, pipes)
{
	int epoll = make_epoll(), fd[2], gone[2];

	NEED(!pipe(fd) && !pipe(gone));
	watch(epoll, fd[0], EPOLLIN, 1);
	watch(epoll, fd[1], EPOLLOUT, 2);
	watch(epoll, gone[0], EPOLLIN, 3);
	close(gone[1]);
	ckpt_point();
	READY(epoll, "2:4 3:10");
	NEED(write(fd[1], "x", 1) == 1);
	READY(epoll, "1:1 2:4 3:10");
	close(fd[1]);
	READY(epoll, "1:11 3:10");
}

CKPT_TEST(epoll, timer)
{
	struct itimerspec spec = { .it_value.tv_nsec = 100000000 };
	int epoll = make_epoll(), fd = timerfd_create(CLOCK_MONOTONIC, 0);

	NEED(fd >= 0 && !timerfd_settime(fd, 0, &spec, NULL));
	watch(epoll, fd, EPOLLIN, 5);
	ckpt_point();
	WILL_BE(epoll, "5:1");
}

static int make_signalfd(int sig)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, sig);
	fd = signalfd(-1, &set, SFD_NONBLOCK);
	NEED(fd >= 0 && !sigprocmask(SIG_BLOCK, &set, NULL));
	return fd;
}

/* Signals are a matter of whoever added it. */
CKPT_TEST(epoll, signals)
{
	int epoll = make_epoll(), fd = make_signalfd(SIGUSR1);
	struct signalfd_siginfo info;

	watch(epoll, fd, EPOLLIN, 5);
	ckpt_point();
	READY(epoll, NOTHING);
	raise(SIGUSR1);
	READY(epoll, "5:1");
	CHECK_EQ(read(fd, &info, sizeof(info)), sizeof(info));
	READY(epoll, NOTHING);
	raise(SIGUSR1);
	READY(epoll, "5:1");
}

CKPT_TEST(epoll, signal_pending)
{
	int epoll = make_epoll(), fd = make_signalfd(SIGUSR1);
	int edge = make_epoll();

	watch(epoll, fd, EPOLLIN, 5);
	watch(edge, fd, EPOLLIN | EPOLLET, 6);
	raise(SIGUSR1);
	ckpt_point();
	READY(epoll, "5:1");
	READY(epoll, "5:1");
	READY(edge, "6:1");
	READY(edge, NOTHING);
}

/* A number that is another file's by now, and one that is nobody's. */
CKPT_TEST(epoll, numbers)
{
	int epoll = make_epoll(), a = make_counter(0), b = make_counter(0);
	int copy_a = dup(a), copy_b = dup(b), c = make_counter(0);

	watch(epoll, a, EPOLLIN, 1);
	watch(epoll, b, EPOLLIN, 2);
	watch(epoll, copy_b, EPOLLIN, 3);
	NEED(dup2(c, a) == a && !close(b));
	watch(epoll, a, EPOLLIN, 4);
	ckpt_point();
	add(copy_a, 1);
	READY(epoll, "1:1");
	add(copy_b, 1);
	READY(epoll, "1:1 2:1 3:1");
	add(c, 1);
	READY(epoll, "1:1 2:1 3:1 4:1");
	CHECK(!control(epoll, EPOLL_CTL_DEL, a, 0, 0));
	READY(epoll, "1:1 2:1 3:1");
	close(copy_b);
	READY(epoll, "1:1");
}

CKPT_TEST(epoll, nested)
{
	int outer = make_epoll(), middle = make_epoll(), inner = make_epoll();
	int a = make_counter(0);

	watch(inner, a, EPOLLIN, 1);
	watch(middle, inner, EPOLLIN, 2);
	watch(outer, middle, EPOLLIN, 3);
	watch(outer, a, EPOLLIN, 4);
	ckpt_point();
	READY(outer, NOTHING);
	add(a, 1);
	READY(outer, "3:1 4:1");
	READY(middle, "2:1");
	READY(inner, "1:1");
	CHECK_EQ(control(inner, EPOLL_CTL_ADD, outer, EPOLLIN, 9), -1);
	CHECK_EQ(errno, ELOOP);
}

CKPT_TEST(epoll, dup)
{
	int epoll = make_epoll(), copy = dup(epoll);

	NEED(copy >= 0);
	ckpt_point();
	watch(epoll, make_counter(1), EPOLLIN, 1);
	READY(copy, "1:1");
}

CKPT_TEST(epoll, many)
{
	int epoll = make_epoll(), fd[300];

	for (int i = 0; i < 300; i++) {
		fd[i] = make_counter(0);
		watch(epoll, fd[i], EPOLLIN, i);
	}
	ckpt_point();
	READY(epoll, NOTHING);
	add(fd[7], 1);
	add(fd[299], 1);
	READY(epoll, "7:1 299:1");
}

/* In epoll_wait(2). */

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

/* A fifo is what somebody else can write to. */
CKPT_TARGET(waits)
{
	int epoll = make_epoll(), fd, ret;
	struct epoll_event event;

	NEED(!mkfifo("fifo", 0600));
	fd = open("fifo", O_RDWR);
	NEED(fd >= 0);
	watch(epoll, fd, EPOLLIN, 5);
	ckpt_ready();
	do
		ret = epoll_wait(epoll, &event, 1, 60000);
	while (ret == -1 && errno == EINTR);
	CHECK_EQ(ret, 1);
	CHECK_EQ(event.data.u64, 5);
}

TEST_F(waiting, wait)
{
	struct ckpt_target *target = &self->target;
	int fd;

	ASSERT_EQ(0, ckpt_start(target, "waits", variant->mode));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_EQ(0, ckpt_wait_syscall(target, SYS_epoll_wait));
	ASSERT_EQ(0, ckpt_cycle(target));
	ASSERT_EQ(0, ckpt_wait_syscall(target, SYS_epoll_wait));
	fd = open(ckpt_path(target, "fifo"), O_WRONLY | O_CLOEXEC);
	ASSERT_EQ(1, write(fd, "x", 1));
	EXPECT_EQ(0, ckpt_end(target));
	close(fd);
}

/* Refused. */

CKPT_TARGET(inherited)
{
	ckpt_ready();
	ckpt_wait();
}

static void with_inherited(struct __test_metadata *_metadata, int fd,
			   const char *text)
{
	struct ckpt_target target = { .mode = CKPT_LIVE };

	snprintf(target.dir, sizeof(target.dir), "/tmp/ckpt-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(target.dir));
	target.pid = fork();
	ASSERT_LE(0, target.pid);
	if (!target.pid) {
		NEED(dup2(fd, 100) == 100 && !chdir(target.dir));
		syscall(SYS_close_range, 0, 99, 0);
		syscall(SYS_close_range, 101, ~0U, 0);
		execl("/proc/self/exe", "target", "--target", "inherited", "0",
		      NULL);
		_exit(126);
	}
	close(fd);
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint(&target, 0));
	EXPECT_NE(NULL, strstr(target.log, text)) {
		TH_LOG("\"%s\"", target.log);
	}
	ckpt_clean(&target);
}

/* What it watches is open in another process only. */
TEST(watches_outside)
{
	int epoll = make_epoll(), a = make_counter(0);

	watch(epoll, a, EPOLLIN, 1);
	with_inherited(_metadata, epoll,
		       "[eventfd] of anon_inodefs is watched, and only");
	close(a);
}

TEST(shared_outside)
{
	int epoll = make_epoll(), copy = fcntl(epoll, F_DUPFD_CLOEXEC, 0);

	with_inherited(_metadata, epoll,
		       "[eventpoll] of anon_inodefs is shared with");
	close(copy);
}

CKPT_TEST_MAIN
