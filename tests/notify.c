// SPDX-License-Identifier: GPL-2.0-only
/* Inotify: what is watched, and what waits to be read. */
#include "ckpt_test.h"
#include "ckpt_loop.h"
#include "ckpt_proc.h"

#include <dirent.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#define NOTHING	"nothing"

static int make_inotify(int flags)
{
	int fd = inotify_init1(flags);

	NEED(fd >= 0);
	return fd;
}

static int watch(int fd, const char *path, uint32_t mask)
{
	int wd = inotify_add_watch(fd, path, mask);

	NEED(wd > 0);
	return wd;
}

static void touch(const char *name)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	NEED(fd >= 0);
	close(fd);
}

static void append(const char *name)
{
	int fd = open(name, O_WRONLY | O_APPEND | O_CLOEXEC);

	CHECK(fd >= 0 && write(fd, "x", 1) == 1);
	close(fd);
}

static void make_directory(void)
{
	NEED(!mkdir("dir", 0700));
}

/* What waits, "wd:mask:name" each; a cookie only says that there is one. */
static const char *told(int fd)
{
	static char text[4096];
	union {
		struct inotify_event event;
		char bytes[4096];
	} buf;
	struct inotify_event *event;
	size_t len = 0;
	ssize_t got;

	got = read(fd, &buf, sizeof(buf));
	if (got < 0 && errno == EAGAIN)
		return NOTHING;
	NEED(got > 0);
	for (char *at = buf.bytes; at < buf.bytes + got;
	     at += sizeof(*event) + event->len) {
		event = (struct inotify_event *)at;
		len += snprintf(text + len, sizeof(text) - len, "%s%d:%x%s%s%s",
				len ? " " : "", event->wd, event->mask,
				event->cookie ? "+" : "",
				event->len ? ":" : "",
				event->len ? event->name : "");
	}
	return text;
}

#define TOLD(fd, ought)	CHECK_TEXT("events", told(fd), ought)

CKPT_FIXTURE(notify);

CKPT_TEST(notify, empty)
{
	int fd = make_inotify(IN_NONBLOCK | IN_CLOEXEC);
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	ckpt_point();
	CHECK_EQ(fcntl(fd, F_GETFL), O_RDONLY | O_NONBLOCK);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(poll(&poll_fd, 1, 0), 0);
	TOLD(fd, NOTHING);
	CHECK_EQ(write(fd, "x", 1), -1);
	make_directory();
	CHECK_EQ(watch(fd, "dir", IN_CREATE), 1);
	touch("dir/new");
	TOLD(fd, "1:100:new");
}

/* What files were watched for goes on to be told, and no more than that. */
CKPT_TEST(notify, watches)
{
	int fd = make_inotify(IN_NONBLOCK);

	make_directory();
	touch("file");
	touch("other");
	NEED(watch(fd, "dir", IN_CREATE | IN_DELETE) == 1);
	NEED(watch(fd, "file", IN_MODIFY | IN_CLOSE_WRITE) == 2);
	NEED(watch(fd, "other", IN_ATTRIB) == 3);
	ckpt_point();
	TOLD(fd, NOTHING);
	touch("dir/a");
	append("file");
	append("other");
	NEED(!chmod("other", 0644));
	TOLD(fd, "1:100:a 2:2 2:8 3:4");
	NEED(!unlink("dir/a") && !rmdir("dir"));
	TOLD(fd, "1:200:a 1:8000");
	CHECK_EQ(inotify_rm_watch(fd, 1), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(watch(fd, "file", IN_OPEN), 2);
	append("file");
	TOLD(fd, "2:20");
}

/* Numbers are not used again. */
CKPT_TEST(notify, numbers)
{
	int fd = make_inotify(IN_NONBLOCK);

	make_directory();
	touch("a");
	touch("b");
	touch("c");
	NEED(watch(fd, "dir", IN_CREATE) == 1 && watch(fd, "a", IN_OPEN) == 2);
	NEED(watch(fd, "b", IN_OPEN) == 3 && watch(fd, "c", IN_OPEN) == 4);
	NEED(!inotify_rm_watch(fd, 2) && !inotify_rm_watch(fd, 4));
	TOLD(fd, "2:8000 4:8000");
	ckpt_point();
	TOLD(fd, NOTHING);
	CHECK_EQ(watch(fd, "a", IN_OPEN), 5);
	CHECK_EQ(watch(fd, "c", IN_OPEN), 6);
	append("b");
	append("c");
	TOLD(fd, "3:20 6:20");
	CHECK(!inotify_rm_watch(fd, 3));
	TOLD(fd, "3:8000");
}

CKPT_TEST(notify, last_number)
{
	int fd = make_inotify(IN_NONBLOCK);

	touch("a");
	touch("b");
	/* INOTIFY_IOC_SETNEXTWD */
	NEED(!ioctl(fd, _IOW('I', 0, int32_t), 0x7fffffff));
	NEED(watch(fd, "a", IN_OPEN) == 0x7fffffff);
	ckpt_point();
	CHECK_EQ(watch(fd, "b", IN_OPEN), 1);
	append("a");
	TOLD(fd, "2147483647:20");
}

/* With names, and both halves of a move together. */
CKPT_TEST(notify, events)
{
	int fd = make_inotify(IN_NONBLOCK), size[2];
	char bytes[2][2048];
	ssize_t len;

	make_directory();
	watch(fd, "dir", IN_CREATE | IN_MOVE | IN_DELETE);
	touch("dir/one");
	NEED(!mkdir("dir/two", 0700));
	NEED(!rename("dir/one", "dir/three"));
	NEED(!unlink("dir/three"));
	NEED(!ioctl(fd, FIONREAD, size));
	if (ckpt_mode != CKPT_LIVE) {
		/* The same at any rate, cookies included. */
		int dup = make_inotify(IN_NONBLOCK);

		close(dup);
	}
	ckpt_point();
	CHECK(!ioctl(fd, FIONREAD, size + 1));
	CHECK_EQ(size[0], size[1]);
	len = read(fd, bytes[0], 32 + 32);
	CHECK_EQ(len, 64);
	TOLD(fd, "1:40+:one 1:80+:three 1:200:three");
	touch("dir/four");
	TOLD(fd, "1:100:four");
}

CKPT_TEST(notify, cookie)
{
	int fd = make_inotify(IN_NONBLOCK);
	struct {
		struct inotify_event event;
		char name[16];
	} from, to;

	make_directory();
	touch("dir/a");
	watch(fd, "dir", IN_MOVE);
	NEED(!rename("dir/a", "dir/b"));
	ckpt_point();
	CHECK_EQ(read(fd, &from, sizeof(from)), sizeof(from));
	CHECK_EQ(read(fd, &to, sizeof(to)), sizeof(to));
	CHECK(from.event.cookie && from.event.cookie == to.event.cookie);
	CHECK(!strcmp(from.name, "a") && !strcmp(to.name, "b"));
}

/* Alike ones that come after each other are one, also across the gap. */
CKPT_TEST(notify, merged)
{
	int fd = make_inotify(IN_NONBLOCK);

	touch("file");
	watch(fd, "file", IN_MODIFY);
	append("file");
	ckpt_point();
	append("file");
	append("file");
	TOLD(fd, "1:2");
}

/* Of watches that are gone by now. */
CKPT_TEST(notify, events_of_the_past)
{
	int fd = make_inotify(IN_NONBLOCK);

	touch("file");
	touch("gone");
	watch(fd, "file", IN_OPEN);
	watch(fd, "gone", IN_DELETE_SELF | IN_ATTRIB);
	append("file");
	NEED(!inotify_rm_watch(fd, 1) && !unlink("gone"));
	ckpt_point();
	TOLD(fd, "1:20 1:8000 2:4 2:400 2:8000");
	CHECK_EQ(watch(fd, "file", IN_OPEN), 3);
}

CKPT_TEST(notify, one_shot)
{
	int fd = make_inotify(IN_NONBLOCK);

	touch("a");
	touch("b");
	watch(fd, "a", IN_OPEN | IN_ONESHOT);
	watch(fd, "b", IN_OPEN | IN_ONESHOT);
	append("b");
	ckpt_point();
	TOLD(fd, "2:20 2:8000");
	append("a");
	append("a");
	TOLD(fd, "1:20 1:8000");
}

/* Of what has no name in the directory any more, nothing more is said. */
CKPT_TEST(notify, unlinked_children)
{
	int fd = make_inotify(IN_NONBLOCK), plain = make_inotify(IN_NONBLOCK);
	int file;

	make_directory();
	touch("dir/file");
	file = open("dir/file", O_WRONLY);
	NEED(file >= 0);
	watch(fd, "dir", IN_MODIFY | IN_EXCL_UNLINK);
	watch(plain, "dir", IN_MODIFY);
	ckpt_point();
	NEED(write(file, "x", 1) == 1);
	TOLD(fd, "1:2:file");
	TOLD(plain, "1:2:file");
	NEED(!unlink("dir/file") && write(file, "x", 1) == 1);
	TOLD(fd, NOTHING);
	TOLD(plain, "1:2:file");
}

static int overflow(int fd, const char *name, int nr)
{
	char path[32];

	for (int i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "%s%d", name, i % 2);
		append(path);
	}
	(void)fd;
	return nr;
}

static void set_limit(const char *name, const char *value)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/fs/inotify/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	NEED(fd >= 0 && write(fd, value, strlen(value)) > 0);
	close(fd);
}

/* Each has the limit of when it was made. */
CKPT_TEST(notify, overflow)
{
	int fd;

	set_limit("max_queued_events", "4");
	fd = make_inotify(IN_NONBLOCK);
	set_limit("max_queued_events", "16384");
	touch("a0");
	touch("a1");
	watch(fd, "a0", IN_MODIFY);
	watch(fd, "a1", IN_MODIFY);
	overflow(fd, "a", 7);
	ckpt_point();
	TOLD(fd, "1:2 2:2 1:2 2:2 -1:4000");
	overflow(fd, "a", 3);
	TOLD(fd, "1:2 2:2 1:2");
	overflow(fd, "a", 6);
	TOLD(fd, "1:2 2:2 1:2 2:2 -1:4000");
}

/* Whoever has less room than there was is told that something is missing. */
CKPT_TARGET(many_events)
{
	int fd = make_inotify(IN_NONBLOCK);

	touch("a0");
	touch("a1");
	watch(fd, "a0", IN_MODIFY);
	watch(fd, "a1", IN_MODIFY);
	overflow(fd, "a", 8);
	ckpt_point();
	TOLD(fd, "1:2 2:2 1:2 -1:4000");
}

TEST(less_room)
{
	struct ckpt_target target;

	ASSERT_EQ(0, ckpt_start(&target, "many_events", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	ASSERT_LT(0, ckpt_checkpoint(&target, CHECKPOINT_KILL));
	ckpt_kill(&target);
	set_limit("max_queued_events", "3");
	EXPECT_LT(0, ckpt_restart(&target, 0));
	set_limit("max_queued_events", "16384");
	ASSERT_EQ(0, ckpt_go(&target));
	EXPECT_EQ(0, ckpt_end(&target));
	ckpt_clean(&target);
}

/* Readers that wait go on to wait. */
CKPT_TEST(notify, several)
{
	int a = make_inotify(IN_NONBLOCK), b = make_inotify(IN_NONBLOCK);
	int c = dup(a);

	touch("file");
	watch(a, "file", IN_OPEN);
	watch(b, "file", IN_MODIFY);
	ckpt_point();
	append("file");
	TOLD(c, "1:20");
	TOLD(a, NOTHING);
	TOLD(b, "1:2");
}

CKPT_TEST(notify, polled)
{
	int fd = make_inotify(0), epoll = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN };

	touch("file");
	watch(fd, "file", IN_OPEN);
	NEED(!epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	ckpt_point();
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 0);
	append("file");
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 1);
	TOLD(fd, "1:20");
}

static volatile sig_atomic_t signals;

static void on_signal(int nr)
{
	(void)nr;
	signals++;
}

CKPT_TEST(notify, signalled)
{
	int fd = make_inotify(IN_NONBLOCK);

	touch("file");
	watch(fd, "file", IN_OPEN);
	signal(SIGIO, on_signal);
	NEED(!fcntl(fd, F_SETOWN, getpid()) &&
	     !fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK));
	ckpt_point();
	CHECK_EQ(signals, 0);
	append("file");
	CHECK_EQ(signals, 1);
}

/* Other places than a directory of one's own. */
CKPT_TEST(notify, mounts)
{
	int fd = make_inotify(IN_NONBLOCK);

	watch(fd, "/", IN_CREATE);
	watch(fd, "/tmp", IN_DELETE);
	watch(fd, "/proc", IN_ATTRIB);
	watch(fd, "/sys/kernel", IN_ATTRIB);
	watch(fd, "/dev/null", IN_CLOSE_NOWRITE);
	ckpt_point();
	close(open("/dev/null", O_RDONLY));
	TOLD(fd, "5:10");
}

/* Directories whose names the kernel has no more use for. */
CKPT_TEST(notify, forgotten_names)
{
	int fd = make_inotify(IN_NONBLOCK), drop;

	NEED(!mkdir("mnt", 0700));
	if (ckpt_loop_mount("disk", 16 << 20, "mnt"))
		ckpt_skip("no ext4");
	NEED(!mkdir("mnt/dir", 0700) && !mkdir("mnt/dir/sub", 0700));
	watch(fd, "mnt/dir/sub", IN_CREATE);
	sync();
	drop = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	NEED(drop >= 0 && write(drop, "2", 1) == 1);
	close(drop);
	ckpt_point();
	touch("mnt/dir/sub/new");
	TOLD(fd, "1:100:new");
	close(fd);
	CHECK(!umount("mnt"));
	rmdir("mnt");
	unlink("disk");
}

CKPT_TEST(notify, many)
{
	int fd = make_inotify(IN_NONBLOCK);
	char path[32], ought[32];

	make_directory();
	for (int i = 0; i < 500; i++) {
		snprintf(path, sizeof(path), "dir/%d", i);
		touch(path);
		NEED(watch(fd, path, IN_MODIFY) == i + 1);
	}
	ckpt_point();
	for (int i = 0; i < 500; i += 50) {
		snprintf(path, sizeof(path), "dir/%d", i);
		append(path);
		snprintf(ought, sizeof(ought), "%d:2", i + 1);
		TOLD(fd, ought);
	}
	for (int i = 0; i < 500; i++) {
		snprintf(path, sizeof(path), "dir/%d", i);
		unlink(path);
	}
	rmdir("dir");
}

/* A reader in the middle of it. */
CKPT_TARGET(reader)
{
	int fd = make_inotify(0);

	make_directory();
	watch(fd, "dir", IN_CREATE);
	ckpt_ready();
	TOLD(fd, "1:100:go");
}

static void read_on(struct __test_metadata *_metadata, enum ckpt_mode mode)
{
	struct ckpt_target target;
	int fd;

	ASSERT_EQ(0, ckpt_start(&target, "reader", mode));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	ASSERT_EQ(0, ckpt_wait_syscall(&target, SYS_read));
	ASSERT_EQ(0, ckpt_cycle(&target));
	ASSERT_EQ(0, ckpt_wait_syscall(&target, SYS_read));
	fd = open(ckpt_path(&target, "dir/go"), O_CREAT | O_WRONLY, 0600);
	EXPECT_LE(0, fd);
	close(fd);
	EXPECT_EQ(0, ckpt_end(&target));
	unlink(ckpt_path(&target, "dir/go"));
	ckpt_clean(&target);
}

TEST(reader_live)
{
	read_on(_metadata, CKPT_LIVE);
}

TEST(reader_killed)
{
	read_on(_metadata, CKPT_KILLED);
}

/* What was deleted is watched as long as somebody has it. */

CKPT_TEST(notify, deleted)
{
	int fd = make_inotify(IN_NONBLOCK), file, path;

	touch("a");
	touch("file");
	file = open("file", O_RDWR);
	path = open("file", O_PATH);
	NEED(watch(fd, "a", IN_OPEN) == 1);
	NEED(watch(fd, "file", IN_ALL_EVENTS & ~IN_ATTRIB) == 2);
	NEED(write(file, "text", 4) == 4 && !unlink("file"));
	TOLD(fd, "2:2");
	ckpt_point();
	TOLD(fd, NOTHING);
	CHECK_EQ(write(file, "x", 1), 1);
	TOLD(fd, "2:2");
	NEED(!fchmod(file, 0644) && !close(file));
	TOLD(fd, "2:8");
	close(path);
	TOLD(fd, "2:400 2:8000");
	CHECK_EQ(inotify_rm_watch(fd, 2), -1);
	append("a");
	TOLD(fd, "1:20");
}

/* By two instances, the first of which comes before the file. */
CKPT_TEST(notify, deleted_is_told)
{
	int a = make_inotify(IN_NONBLOCK), b, file;

	touch("file");
	file = open("file", O_RDONLY);
	b = make_inotify(IN_NONBLOCK);
	NEED(watch(a, "file", IN_ATTRIB) == 1);
	NEED(watch(b, "file", IN_ATTRIB | IN_DELETE_SELF) == 1);
	NEED(!unlink("file"));
	ckpt_point();
	TOLD(a, "1:4");
	TOLD(b, "1:4");
	NEED(!fchmod(file, 0644));
	TOLD(a, "1:4");
	close(file);
	TOLD(b, "1:4 1:400 1:8000");
	TOLD(a, "1:8000");
}

CKPT_TEST(notify, deleted_directory)
{
	int fd = make_inotify(IN_NONBLOCK), dir;
	char c;

	make_directory();
	dir = open("dir", O_RDONLY | O_DIRECTORY);
	NEED(watch(fd, "dir", IN_OPEN | IN_CREATE | IN_DELETE_SELF) == 1);
	NEED(!rmdir("dir"));
	ckpt_point();
	TOLD(fd, NOTHING);
	CHECK_EQ(getdents64(dir, &c, 1), -1);
	close(dir);
	TOLD(fd, "1:400 1:8000");
}

CKPT_TEST(notify, deleted_fifo)
{
	int fd = make_inotify(IN_NONBLOCK), fifo;

	NEED(!mkfifo("fifo", 0600));
	fifo = open("fifo", O_RDWR);
	NEED(fifo >= 0 && watch(fd, "fifo", IN_ALL_EVENTS) == 1);
	NEED(!unlink("fifo"));
	TOLD(fd, "1:4");
	ckpt_point();
	TOLD(fd, NOTHING);
	NEED(write(fifo, "x", 1) == 1);
	TOLD(fd, "1:2");
	close(fifo);
	TOLD(fd, "1:8 1:400 1:8000");
}

/* What is refused at checkpoint. */

CKPT_TARGET(deleted_outside)
{
	int fd = make_inotify(IN_NONBLOCK), file;

	touch("file");
	file = open("file", O_RDWR);
	watch(fd, "file", IN_MODIFY);
	NEED(!unlink("file"));
	ckpt_ready();
	while (!ckpt_gone()) {
		if (!access("close", F_OK)) {
			close(file);
			unlink("close");
		}
		ckpt_msleep(1);
	}
}

/* Only a process outside has it open; and then nobody. */
TEST(watches_deleted_outside)
{
	struct ckpt_target target;
	char path[64];
	int fd;

	ASSERT_EQ(0, ckpt_start(&target, "deleted_outside", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	snprintf(path, sizeof(path), "/proc/%d/fd/4", target.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	touch(ckpt_path(&target, "close"));
	while (!access(ckpt_path(&target, "close"), F_OK))
		ckpt_msleep(1);
	EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint(&target, 0));
	EXPECT_NE(NULL, strstr(target.log,
			       "file (deleted) is shared with a process outside"));
	close(fd);
	EXPECT_LT(0, ckpt_checkpoint(&target, 0));
	EXPECT_EQ(0, ckpt_go(&target));
	EXPECT_EQ(0, ckpt_end(&target));
	ckpt_clean(&target);
}

CKPT_TARGET(covered)
{
	int fd = make_inotify(IN_NONBLOCK);

	make_directory();
	watch(fd, "dir", IN_CREATE);
	NEED(!mount("none", "dir", "tmpfs", 0, NULL));
	ckpt_point();
	NEED(!umount("dir"));
}

CKPT_REFUSED(watches_covered, "covered", EOPNOTSUPP,
	     "dir is watched, and no path leads there")

CKPT_TARGET(pipe_watcher)
{
	int fd = make_inotify(IN_NONBLOCK), pipes[2];
	char path[32];

	NEED(!pipe(pipes));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", pipes[0]);
	watch(fd, path, IN_MODIFY);
	ckpt_point();
}

CKPT_REFUSED(watches_a_pipe, "pipe_watcher", EOPNOTSUPP, "of pipefs is watched")

/* And at restart. */

CKPT_TARGET(watcher)
{
	int fd = make_inotify(IN_NONBLOCK);

	touch("file");
	watch(fd, "file", IN_OPEN);
	ckpt_point();
	TOLD(fd, NOTHING);
	append("file");
	TOLD(fd, "1:20");
}

FIXTURE(changed) {
	struct ckpt_target target;
};

FIXTURE_SETUP(changed)
{
	memset(self, 0, sizeof(*self));
	ASSERT_EQ(0, ckpt_start(&self->target, "watcher", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(&self->target));
	ASSERT_LT(0, ckpt_checkpoint(&self->target, CHECKPOINT_KILL));
	ckpt_kill(&self->target);
}

FIXTURE_TEARDOWN(changed)
{
	ckpt_clean(&self->target);
}

static bool fails(struct ckpt_target *target, long error, const char *why)
{
	long ret = ckpt_restart(target, 0);

	if (ret == error && strstr(target->log, why))
		return true;
	printf("# %ld: \"%s\"\n", ret, target->log);
	return false;
}

TEST_F(changed, gone)
{
	ASSERT_EQ(0, unlink(ckpt_path(&self->target, "file")));
	EXPECT_TRUE(fails(&self->target, -ENOENT, "inotify: watch 1, of /tmp"));
}

TEST_F(changed, directory)
{
	ASSERT_EQ(0, unlink(ckpt_path(&self->target, "file")));
	ASSERT_EQ(0, mkdir(ckpt_path(&self->target, "file"), 0700));
	EXPECT_TRUE(fails(&self->target, -ESTALE, "inotify: watch 1, of /tmp"));
}

TEST_F(changed, too_many)
{
	char before[32];
	bool good;

	ckpt_read("/proc/sys/fs/inotify/max_user_instances", before,
		  sizeof(before));
	set_limit("max_user_instances", "0");
	good = fails(&self->target, -EMFILE, "inotify: -EMFILE");
	set_limit("max_user_instances", before);
	EXPECT_TRUE(good);
	ckpt_read("/proc/sys/fs/inotify/max_user_watches", before,
		  sizeof(before));
	set_limit("max_user_watches", "0");
	good = fails(&self->target, -ENOSPC, "inotify: watch 1, of /tmp");
	set_limit("max_user_watches", before);
	EXPECT_TRUE(good);
	EXPECT_LT(0, ckpt_restart(&self->target, 0));
	ASSERT_EQ(0, ckpt_go(&self->target));
	EXPECT_EQ(0, ckpt_end(&self->target));
}

/* One may watch what one may read, and go on to do so if it was to be read. */
CKPT_TARGET(other_user)
{
	int fd = make_inotify(IN_NONBLOCK);

	touch("file");
	watch(fd, "file", IN_OPEN);
	NEED(!fchmod(1, 0666) && !fchmodat(AT_FDCWD, ".", 0777, 0));
	NEED(!syscall(SYS_setresgid, 1000, 1000, 1000) &&
	     !syscall(SYS_setresuid, 1000, 1000, 1000));
	ckpt_point();
}

TEST(not_readable)
{
	struct ckpt_target target;

	ASSERT_EQ(0, ckpt_start(&target, "other_user", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	ASSERT_LT(0, ckpt_checkpoint(&target, CHECKPOINT_KILL));
	ckpt_kill(&target);
	ASSERT_EQ(0, chmod(ckpt_path(&target, "image"), 0644));
	ASSERT_EQ(0, chmod(ckpt_path(&target, "log"), 0666));
	ASSERT_EQ(0, syscall(SYS_setgroups, 0, NULL));
	ASSERT_EQ(0, syscall(SYS_setresgid, 1000, 1000, 0));
	ASSERT_EQ(0, syscall(SYS_setresuid, 1000, 1000, 0));
	EXPECT_EQ(-EACCES, ckpt_restart(&target, RESTART_NEW_PIDS));
	EXPECT_NE(NULL, strstr(target.log, "inotify: watch 1, of /tmp")) {
		TH_LOG("\"%s\"", target.log);
	}
	ASSERT_EQ(0, syscall(SYS_setresuid, 0, 0, 0));
	ckpt_clean(&target);
}

CKPT_TEST_MAIN
