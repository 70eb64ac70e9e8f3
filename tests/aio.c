// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asynchronous I/O of io_setup(2): contexts under their old names, events that
 * nobody has read yet, and requests that are under way.
 */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#define SIZE	512

static char buffer[64][SIZE];
static struct iocb blocks[64];

static aio_context_t setup(unsigned int nr)
{
	aio_context_t ctx = 0;

	if (syscall(SYS_io_setup, nr, &ctx))
		ckpt_skip("no asynchronous I/O");
	return ctx;
}

static int make_file(void)
{
	int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);

	NEED(fd >= 0 && !ftruncate(fd, 1 << 20));
	return fd;
}

/* Request number i: a write, and what it is known by. */
static int submit(aio_context_t ctx, int fd, int i, int resfd)
{
	struct iocb *block = &blocks[i];

	memset(buffer[i], 'A' + i % 26, SIZE);
	*block = (struct iocb){
		.aio_data = 1000 + i, .aio_lio_opcode = IOCB_CMD_PWRITE,
		.aio_fildes = fd, .aio_buf = (uintptr_t)buffer[i],
		.aio_nbytes = SIZE - i, .aio_offset = i * SIZE,
	};
	if (resfd >= 0) {
		block->aio_flags = IOCB_FLAG_RESFD;
		block->aio_resfd = resfd;
	}
	return syscall(SYS_io_submit, ctx, 1, &block);
}

static int get_events(aio_context_t ctx, int min, int max,
		      struct io_event *events)
{
	struct timespec none = {};

	return syscall(SYS_io_getevents, ctx, min, max, events,
		       min ? NULL : &none);
}

static void is_event(const struct io_event *event, int i)
{
	CHECK_EQ(event->data, 1000 + i);
	CHECK_EQ(event->obj, (uintptr_t)&blocks[i]);
	CHECK_EQ(event->res, SIZE - i);
	CHECK_EQ(event->res2, 0);
}

static void does_work(aio_context_t ctx, int fd)
{
	struct io_event event;

	CHECK_EQ(submit(ctx, fd, 9, -1), 1);
	CHECK_EQ(get_events(ctx, 1, 1, &event), 1);
	is_event(&event, 9);
	CHECK_EQ(get_events(ctx, 0, 1, &event), 0);
}

CKPT_FIXTURE(aio);

CKPT_TEST(aio, idle)
{
	aio_context_t ctx = setup(8);
	int fd = make_file();

	ckpt_point();
	CHECK_EQ(ckpt_mappings((void *)ctx, 4096), 1);
	CHECK(ckpt_vm_flag((void *)ctx, "de"));
	does_work(ctx, fd);
	CHECK(!syscall(SYS_io_destroy, ctx));
	CHECK_EQ(syscall(SYS_io_destroy, ctx), -1);
	CHECK_EQ(ckpt_mappings((void *)ctx, 4096), 0);
}

CKPT_TEST(aio, events)
{
	aio_context_t ctx = setup(8);
	struct io_event events[8];
	int fd = make_file();

	for (int i = 0; i < 5; i++)
		NEED(submit(ctx, fd, i, -1) == 1);
	NEED(get_events(ctx, 2, 2, events) == 2);
	ckpt_point();
	CHECK_EQ(get_events(ctx, 0, 8, events), 3);
	for (int i = 0; i < 3; i++)
		is_event(&events[i], 2 + i);
	does_work(ctx, fd);
	CHECK(!syscall(SYS_io_destroy, ctx));
}

/* All the way around the ring, and as many as there is room for. */
CKPT_TEST(aio, full)
{
	aio_context_t ctx = setup(4);
	static struct io_event events[1024];
	int fd = make_file(), nr = 0, got = 0;

	for (int i = 0; i < 500; i++) {
		NEED(submit(ctx, fd, i % 64, -1) == 1);
		NEED(get_events(ctx, 1, 1, events) == 1);
	}
	while (nr < 1024 && submit(ctx, fd, nr % 64, -1) == 1)
		nr++;
	NEED(errno == EAGAIN && nr > 3 && nr < 1024);
	ckpt_point();
	CHECK_EQ(submit(ctx, fd, 0, -1), -1);
	CHECK_EQ(errno, EAGAIN);
	got = get_events(ctx, 0, 1024, events);
	CHECK_EQ(got, nr);
	for (int i = 0; i < got; i++)
		is_event(&events[i], i % 64);
	does_work(ctx, fd);
	for (int i = 0; i < nr; i++)
		CHECK_EQ(submit(ctx, fd, i % 64, -1), 1);
	CHECK_EQ(get_events(ctx, 0, 1024, events), nr);
}

CKPT_TEST(aio, two)
{
	aio_context_t a = setup(1), gone = setup(100), b = setup(1000);
	struct io_event event;
	int fd = make_file();

	NEED(submit(b, fd, 3, -1) == 1 && !syscall(SYS_io_destroy, gone));
	ckpt_point();
	CHECK_EQ(get_events(a, 0, 1, &event), 0);
	CHECK_EQ(get_events(b, 0, 1, &event), 1);
	is_event(&event, 3);
	does_work(a, fd);
	does_work(b, fd);
}

CKPT_TEST(aio, eventfd)
{
	aio_context_t ctx = setup(8);
	int fd = make_file(), event_fd = eventfd(0, 0);
	struct io_event events[2];
	uint64_t count;

	NEED(submit(ctx, fd, 1, event_fd) == 1);
	NEED(submit(ctx, fd, 2, event_fd) == 1);
	ckpt_point();
	CHECK_EQ(read(event_fd, &count, 8), 8);
	CHECK_EQ(count, 2);
	CHECK_EQ(get_events(ctx, 0, 2, events), 2);
	CHECK_EQ(submit(ctx, fd, 3, event_fd), 1);
	CHECK_EQ(read(event_fd, &count, 8), 8);
	CHECK_EQ(count, 1);
}

/* Which passes the ring by. */
CKPT_TEST(aio, mlockall)
{
	aio_context_t ctx;

	NEED(!mlockall(MCL_FUTURE));
	ctx = setup(8);
	ckpt_point();
	does_work(ctx, make_file());
	CHECK(ckpt_vm_flag(mmap(NULL, 4096, PROT_READ,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), "lo"));
}

/* Waiting, and under way. */

static aio_context_t shared_ctx;
static struct io_event shared_event;

static volatile pid_t waiting_tid;

static void *wait_for_event(void *arg)
{
	waiting_tid = gettid();
	return (void *)(long)get_events(shared_ctx, 1, 1, arg);
}

static bool thread_sleeps_in(pid_t tid, long nr)
{
	char path[64], text[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", tid);
	ckpt_read(path, text, sizeof(text));
	return text[0] != 'r' && atol(text) == nr;
}

CKPT_TEST(aio, waiting)
{
	int fd = make_file();
	pthread_t thread;
	void *got;

	shared_ctx = setup(8);
	NEED(!pthread_create(&thread, NULL, wait_for_event, &shared_event));
	while (!waiting_tid ||
	       !thread_sleeps_in(waiting_tid, SYS_io_getevents))
		ckpt_msleep(1);
	ckpt_point();
	ckpt_msleep(20);
	CHECK_EQ(submit(shared_ctx, fd, 4, -1), 1);
	CHECK(!pthread_join(thread, &got));
	CHECK_EQ((long)got, 1);
	is_event(&shared_event, 4);
}

static int submit_poll(aio_context_t ctx, int fd)
{
	struct iocb *block = &blocks[0];

	*block = (struct iocb){
		.aio_data = 7, .aio_lio_opcode = IOCB_CMD_POLL,
		.aio_fildes = fd, .aio_buf = POLLIN,
	};
	return syscall(SYS_io_submit, ctx, 1, &block);
}

/* That it comes to an end is waited for. */
CKPT_TEST(aio, under_way)
{
	struct itimerspec spec = { .it_value.tv_nsec = 300 * 1000000 };
	int timer = timerfd_create(CLOCK_MONOTONIC, 0);
	aio_context_t ctx = setup(8);
	struct io_event event;

	NEED(!timerfd_settime(timer, 0, &spec, NULL));
	NEED(submit_poll(ctx, timer) == 1);
	ckpt_point();
	CHECK_EQ(get_events(ctx, 1, 1, &event), 1);
	CHECK_EQ(event.data, 7);
	CHECK_EQ(event.res, POLLIN);
	does_work(ctx, make_file());
}

/* Refused. */

CKPT_TARGET(endless)
{
	aio_context_t ctx = setup(8);
	struct io_event event;
	int fd[2];

	NEED(!pipe(fd) && submit_poll(ctx, fd[0]) == 1);
	ckpt_ready();
	ckpt_wait();
	CHECK_EQ(write(fd[1], "x", 1), 1);
	CHECK_EQ(get_events(ctx, 1, 1, &event), 1);
	CHECK_EQ(event.data, 7);
	does_work(ctx, make_file());
}

CKPT_TARGET(unmapped)
{
	aio_context_t ctx = setup(8);

	NEED(!munmap((void *)ctx, 4096));
	ckpt_ready();
	ckpt_wait();
}

CKPT_TARGET(forked)
{
	aio_context_t ctx = setup(8);
	pid_t pid = fork();

	if (!pid) {
		for (;;)
			pause();
	}
	ckpt_ready();
	ckpt_wait();
	does_work(ctx, make_file());
	kill(pid, SIGKILL);
}

CKPT_REFUSED(refused_endless, "endless", EBUSY,
	     "asynchronous I/O (io_submit(2)) does not come to an end")

CKPT_REFUSED(refused_unmapped, "unmapped", EOPNOTSUPP,
	     "was unmapped or changed")

/* A child inherits the memory, which is of no use to it. */
CKPT_REFUSED(refused_forked, "forked", EOPNOTSUPP, "[aio]")

CKPT_TEST_MAIN
