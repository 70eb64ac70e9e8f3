// SPDX-License-Identifier: GPL-2.0-only
/* Fanotify: what is marked, and what waits to be read. */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/fanotify.h>
#include <sys/mount.h>

#ifndef FAN_MARK_EVICTABLE
#define FAN_MARK_EVICTABLE	0x200
#endif
#ifndef FAN_MARK_IGNORE
#define FAN_MARK_IGNORE		0x400
#endif
#ifndef FAN_RENAME
#define FAN_RENAME		0x10000000
#endif

#define NOTHING	"nothing"

static int make_group(unsigned int flags)
{
	int fd = fanotify_init(flags | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC);

	NEED(fd >= 0);
	return fd;
}

static void mark(int fd, unsigned int flags, uint64_t mask, const char *path)
{
	NEED(!fanotify_mark(fd, FAN_MARK_ADD | flags, mask, AT_FDCWD, path));
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

static const char *name_of(int fd)
{
	static char name[256];
	char link[32], *last;
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, name, sizeof(name) - 1);
	name[len > 0 ? len : 0] = 0;
	last = strrchr(name, '/');
	return last ? last + 1 : name;
}

/* What there is besides: "type/name", and whether the handle has anything in it. */
static size_t info_text(const struct fanotify_event_metadata *event, char *text,
			size_t size)
{
	const char *at = (const char *)event + event->metadata_len;
	const char *end = (const char *)event + event->event_len;
	size_t len = 0;

	while (at < end) {
		const struct fanotify_event_info_header *hdr = (const void *)at;
		const struct fanotify_event_info_fid *fid = (const void *)at;
		const struct file_handle *handle = (const void *)fid->handle;
		const char *name = (const char *)handle->f_handle +
				   handle->handle_bytes;
		bool named = hdr->info_type == 2 || hdr->info_type >= 10;

		if (hdr->info_type == FAN_EVENT_INFO_TYPE_PIDFD ||
		    hdr->info_type == 5)
			len += snprintf(text + len, size - len, "/%u",
					hdr->info_type);
		else
			len += snprintf(text + len, size - len, "/%u%s%s",
					hdr->info_type,
					handle->handle_bytes ? "#" : "",
					named ? name : "");
		at += hdr->len;
	}
	return len;
}

/* "mask:name" each, and whether it was done by this process. */
static const char *told(int fd)
{
	static char text[4096], buf[4096];
	struct fanotify_event_metadata *event = (void *)buf;
	size_t len = 0;
	ssize_t got;

	got = read(fd, buf, sizeof(buf));
	if (got < 0 && errno == EAGAIN)
		return NOTHING;
	NEED(got > 0);
	for (; FAN_EVENT_OK(event, got); event = FAN_EVENT_NEXT(event, got)) {
		len += snprintf(text + len, sizeof(text) - len, "%s%llx%s",
				len ? " " : "", (long long)event->mask,
				event->pid == getpid() ? "" : "!");
		if (event->fd >= 0)
			len += snprintf(text + len, sizeof(text) - len, ":%s",
					name_of(event->fd));
		len += info_text(event, text + len, sizeof(text) - len);
		if (event->fd >= 0)
			close(event->fd);
	}
	return text;
}

#define TOLD(fd, ought)	CHECK_TEXT("events", told(fd), ought)

/* What /proc says of the marks. */
static bool info_says(int fd, const char *text)
{
	static char buf[4096];
	char name[64];

	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
	ckpt_read(name, buf, sizeof(buf));
	if (strstr(buf, text))
		return true;
	fprintf(stderr, "no \"%s\" in \"%s\"\n", text, buf);
	return false;
}

CKPT_FIXTURE(fanotify);

CKPT_TEST(fanotify, empty)
{
	int fd = make_group(FAN_CLASS_NOTIF | FAN_CLOEXEC);

	ckpt_point();
	CHECK_EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK),
		 O_RDWR | O_NONBLOCK);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	TOLD(fd, NOTHING);
	touch("file");
	mark(fd, 0, FAN_OPEN, "file");
	append("file");
	TOLD(fd, "20:file");
}

CKPT_TEST(fanotify, marks)
{
	int fd = make_group(FAN_CLASS_NOTIF);

	NEED(!mkdir("dir", 0700));
	touch("dir/child");
	touch("file");
	mark(fd, 0, FAN_MODIFY | FAN_CLOSE_WRITE, "file");
	mark(fd, 0, FAN_OPEN | FAN_EVENT_ON_CHILD, "dir");
	ckpt_point();
	TOLD(fd, NOTHING);
	append("file");
	TOLD(fd, "a:file");
	append("dir/child");
	TOLD(fd, "20:child");
	CHECK(!fanotify_mark(fd, FAN_MARK_REMOVE, FAN_MODIFY, AT_FDCWD, "file"));
	append("file");
	TOLD(fd, "8:file");
	CHECK(!fanotify_mark(fd, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL));
	append("file");
	TOLD(fd, NOTHING);
	unlink("dir/child");
	rmdir("dir");
}

CKPT_TEST(fanotify, ignored)
{
	int fd = make_group(FAN_CLASS_NOTIF);

	NEED(!mkdir("dir", 0700));
	touch("dir/a");
	touch("dir/b");
	touch("dir/c");
	mark(fd, 0, FAN_OPEN | FAN_EVENT_ON_CHILD, "dir");
	mark(fd, FAN_MARK_IGNORED_MASK, FAN_OPEN, "dir/a");
	mark(fd, FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORED_SURV_MODIFY, FAN_OPEN,
	     "dir/b");
	ckpt_point();
	append("dir/c");
	TOLD(fd, "20:c");
	append("dir/a");
	append("dir/b");
	TOLD(fd, NOTHING);
	/* One is forgotten with the first change. */
	append("dir/a");
	append("dir/b");
	TOLD(fd, "20:a");
	unlink("dir/a");
	unlink("dir/b");
	unlink("dir/c");
	rmdir("dir");
}

CKPT_TEST(fanotify, mount_and_filesystem)
{
	int mnt, sb;

	NEED(!mkdir("mnt", 0700) && !mount("none", "mnt", "tmpfs", 0, NULL));
	touch("mnt/file");
	mnt = make_group(FAN_CLASS_NOTIF);
	sb = make_group(FAN_CLASS_NOTIF | FAN_UNLIMITED_QUEUE |
			FAN_UNLIMITED_MARKS);
	mark(mnt, FAN_MARK_MOUNT, FAN_CLOSE_WRITE, "mnt/file");
	mark(sb, FAN_MARK_FILESYSTEM, FAN_MODIFY, "mnt/file");
	ckpt_point();
	append("mnt/file");
	TOLD(mnt, "8:file");
	TOLD(sb, "2:file");
	NEED(!fanotify_mark(mnt, FAN_MARK_FLUSH | FAN_MARK_MOUNT, 0, AT_FDCWD,
			    NULL));
	append("mnt/file");
	TOLD(mnt, NOTHING);
	TOLD(sb, "2:file");
	close(mnt);
	close(sb);
	CHECK(!umount("mnt"));
	rmdir("mnt");
}

CKPT_TEST(fanotify, flags)
{
	int fd = make_group(FAN_REPORT_FID);
	int failed;

	touch("a");
	NEED(!mkdir("b", 0700));
	failed = fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_EVICTABLE, FAN_OPEN,
			       AT_FDCWD, "a");
	if (failed)
		ckpt_skip("no evictable marks");
	mark(fd, FAN_MARK_IGNORE | FAN_MARK_IGNORED_SURV_MODIFY,
	     FAN_CLOSE | FAN_ONDIR, "b");
	ckpt_point();
	CHECK(info_says(fd, "mflags:200 mask:20 ignored_mask:0"));
	CHECK(info_says(fd, "mflags:440 mask:0 ignored_mask:40000018"));
	CHECK(info_says(fd, "flags:202 event-flags:"));
	rmdir("b");
}

/* Of files that are opened when it is read. */
CKPT_TEST(fanotify, events)
{
	int fd = make_group(FAN_CLASS_NOTIF);

	touch("a");
	touch("b");
	mark(fd, 0, FAN_OPEN | FAN_MODIFY, "a");
	mark(fd, 0, FAN_CLOSE_WRITE, "b");
	append("a");
	append("b");
	ckpt_point();
	TOLD(fd, "22:a 8:b");
	append("b");
	TOLD(fd, "8:b");
}

/* By whom: of the tree, and it has other numbers than before. */
CKPT_TEST(fanotify, events_of_child)
{
	int fd = make_group(FAN_CLASS_NOTIF), fds[2];
	pid_t pid;

	touch("a");
	mark(fd, 0, FAN_OPEN, "a");
	NEED(!pipe(fds));
	pid = fork();
	if (!pid) {
		append("a");
		NEED(write(fds[1], "x", 1) == 1);
		for (;;)
			pause();
	}
	NEED(read(fds[0], fds, 1) == 1);
	ckpt_point();
	TOLD(fd, "20!:a");
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

/* With handles and names. */
CKPT_TEST(fanotify, handles)
{
	int dfid = make_group(FAN_REPORT_DFID_NAME), fid, target;

	fid = make_group(FAN_REPORT_FID);
	target = fanotify_init(FAN_REPORT_DFID_NAME_TARGET | FAN_NONBLOCK, 0);
	NEED(!mkdir("dir", 0700));
	touch("dir/old");
	mark(fid, 0, FAN_OPEN, "dir/old");
	mark(dfid, 0, FAN_CREATE | FAN_DELETE | FAN_ONDIR, "dir");
	if (target >= 0)
		mark(target, 0, FAN_RENAME | FAN_CREATE, "dir");
	append("dir/old");
	NEED(!mkdir("dir/sub", 0700) && !rmdir("dir/sub"));
	touch("dir/file");
	NEED(!rename("dir/file", "dir/moved"));
	ckpt_point();
	TOLD(fid, "20/1#");
	TOLD(dfid, "40000300/2#sub 100/2#file");
	if (target >= 0)
		TOLD(target, "100/2#file/1# 10000000/10#file/12#moved/1#");
	touch("dir/new");
	TOLD(dfid, "100/2#new");
	TOLD(fid, NOTHING);
	append("dir/old");
	TOLD(fid, "20/1#");
	if (target >= 0)
		TOLD(target, "100/2#new/1#");
	unlink("dir/new");
	unlink("dir/old");
	unlink("dir/moved");
	rmdir("dir");
}

/* A handle that waited is that of the file as it is. */
CKPT_TEST(fanotify, handle_is_good)
{
	char buf[4096], other[256];
	struct fanotify_event_metadata *event = (void *)buf;
	struct fanotify_event_info_fid *fid = (void *)(event + 1);
	struct file_handle *handle = (void *)other, *told;
	int fd = make_group(FAN_REPORT_FID), id;

	touch("file");
	mark(fd, 0, FAN_OPEN, "file");
	append("file");
	ckpt_point();
	CHECK(read(fd, buf, sizeof(buf)) > 0);
	told = (void *)fid->handle;
	handle->handle_bytes = 128;
	CHECK(!name_to_handle_at(AT_FDCWD, "file", handle, &id, 0));
	CHECK_EQ(told->handle_bytes, handle->handle_bytes);
	CHECK_EQ(told->handle_type, handle->handle_type);
	CHECK(!memcmp(told->f_handle, handle->f_handle, handle->handle_bytes));
}

CKPT_TEST(fanotify, pidfd_of_event)
{
	int fd = fanotify_init(FAN_REPORT_PIDFD | FAN_CLASS_NOTIF |
			       FAN_NONBLOCK, O_RDONLY);

	if (fd < 0)
		ckpt_skip("no FAN_REPORT_PIDFD");
	touch("file");
	mark(fd, 0, FAN_OPEN, "file");
	append("file");
	ckpt_point();
	TOLD(fd, "20:file/4");
}

static void set_limit(const char *name, const char *value)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/fs/fanotify/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	NEED(fd >= 0 && write(fd, value, strlen(value)) > 0);
	close(fd);
}

CKPT_TEST(fanotify, overflow)
{
	int fd;

	set_limit("max_queued_events", "2");
	fd = make_group(FAN_CLASS_NOTIF);
	set_limit("max_queued_events", "16384");
	touch("a");
	touch("b");
	touch("c");
	mark(fd, 0, FAN_OPEN, "a");
	mark(fd, 0, FAN_OPEN, "b");
	mark(fd, 0, FAN_OPEN, "c");
	append("a");
	append("b");
	append("c");
	ckpt_point();
	TOLD(fd, "20:a 20:b 4000!");
	append("b");
	append("c");
	append("a");
	TOLD(fd, "20:b 20:c 4000!");
}

/* Permissions: those that are yet to be asked for. */

static volatile bool opener_done;
static volatile int opener_errno;

static void *opener_main(void *arg)
{
	int fd;

	fd = open(arg, O_RDONLY);
	opener_errno = fd < 0 ? errno : 0;
	opener_done = true;
	return NULL;
}

static void answer(int fd, unsigned int response)
{
	struct fanotify_event_metadata event;
	struct fanotify_response out;

	while (read(fd, &event, sizeof(event)) != sizeof(event))
		ckpt_msleep(1);
	CHECK_EQ(event.mask, FAN_OPEN_PERM);
	out.fd = event.fd;
	out.response = response;
	CHECK_EQ(write(fd, &out, sizeof(out)), sizeof(out));
	close(event.fd);
}

CKPT_TEST(fanotify, permission)
{
	int fd = make_group(FAN_CLASS_CONTENT);
	pthread_t thread;

	touch("file");
	if (fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, "file"))
		ckpt_skip("no permission events");
	ckpt_point();
	NEED(!pthread_create(&thread, NULL, opener_main, "file"));
	answer(fd, FAN_DENY);
	pthread_join(thread, NULL);
	CHECK_EQ(opener_errno, EPERM);
	NEED(!pthread_create(&thread, NULL, opener_main, "file"));
	answer(fd, FAN_ALLOW);
	pthread_join(thread, NULL);
	CHECK_EQ(opener_errno, 0);
}

/* What was deleted, and is in use. */

/* One mark before it, and one behind; what is told of it is by a handle. */
CKPT_TEST(fanotify, deleted)
{
	int fd = make_group(FAN_REPORT_FID), file;

	touch("a");
	touch("b");
	touch("file");
	file = open("file", O_RDWR | O_CLOEXEC);
	mark(fd, 0, FAN_OPEN, "a");
	mark(fd, 0, FAN_MODIFY | FAN_DELETE_SELF, "file");
	mark(fd, 0, FAN_MODIFY, "b");
	NEED(!unlink("file") && write(file, "x", 1) == 1);
	TOLD(fd, "2/1#");
	ckpt_point();
	TOLD(fd, NOTHING);
	CHECK_EQ(write(file, "x", 1), 1);
	TOLD(fd, "2/1#");
	append("b");
	TOLD(fd, "2/1#");
	append("a");
	TOLD(fd, "20/1#");
	close(file);
	TOLD(fd, "400/1#");
}

/* It is the same file that is opened to be told of. */
CKPT_TEST(fanotify, deleted_is_opened)
{
	int fd = make_group(FAN_CLASS_NOTIF), file;
	struct fanotify_event_metadata event;
	struct stat is, ought;

	touch("file");
	file = open("file", O_RDWR | O_CLOEXEC);
	mark(fd, 0, FAN_MODIFY, "file");
	NEED(!unlink("file"));
	ckpt_point();
	CHECK_EQ(write(file, "x", 1), 1);
	NEED(read(fd, &event, sizeof(event)) == sizeof(event));
	CHECK_EQ(event.mask, FAN_MODIFY);
	CHECK(!fstat(event.fd, &is) && !fstat(file, &ought));
	CHECK_EQ(is.st_ino, ought.st_ino);
	close(event.fd);
}

/* Nothing is told of it, as it is ignored. */
CKPT_TEST(fanotify, deleted_directory)
{
	int fd = make_group(FAN_REPORT_FID), dir;

	NEED(!mkdir("dir", 0700));
	dir = open("dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mark(fd, 0, FAN_ATTRIB | FAN_DELETE_SELF | FAN_ONDIR, "dir");
	mark(fd, FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORED_SURV_MODIFY,
	     FAN_ATTRIB, "dir");
	NEED(dir >= 0 && !rmdir("dir"));
	ckpt_point();
	CHECK(!fchmod(dir, 0755));
	close(dir);
	TOLD(fd, "40000400/1#");
}

/* What is refused at checkpoint. */

/* Only one outside has it open. */
CKPT_TARGET(deleted_outside)
{
	int fd = make_group(FAN_CLASS_NOTIF), file;
	pid_t pid;

	touch("file");
	file = open("file", O_RDWR);
	mark(fd, 0, FAN_MODIFY, "file");
	NEED(!unlink("file"));
	pid = fork();
	if (!pid) {
		close(fd);
		if (fork())
			_exit(0);
		while (!ckpt_gone())
			ckpt_msleep(5);
		_exit(0);
	}
	NEED(waitpid(pid, NULL, 0) == pid);
	close(file);
	ckpt_point();
}

CKPT_REFUSED(marks_deleted_outside, "deleted_outside", EOPNOTSUPP,
	     "file (deleted) is shared with a process outside")

/* One outside waits for it. */
CKPT_TARGET(asked)
{
	int fd = make_group(FAN_CLASS_CONTENT), ready;
	pid_t pid;

	touch("file");
	if (fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, "file"))
		ckpt_skip("no permission events");
	pid = fork();
	if (!pid) {
		close(fd);
		/* Not one of the tree. */
		if (fork())
			_exit(0);
		close(open("file", O_RDONLY));
		_exit(0);
	}
	NEED(waitpid(pid, NULL, 0) == pid);
	do {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

		ready = poll(&poll_fd, 1, 1000);
	} while (!ready);
	ckpt_point();
	answer(fd, FAN_ALLOW);
}

CKPT_REFUSED(permission_asked_for, "asked", EOPNOTSUPP,
	     "somebody waits for a permission")

/* An event would open what is not there any more. */
CKPT_TARGET(deleted_since)
{
	int fd = make_group(FAN_CLASS_NOTIF);

	NEED(!mkdir("dir", 0700));
	touch("dir/file");
	mark(fd, 0, FAN_MODIFY | FAN_EVENT_ON_CHILD, "dir");
	append("dir/file");
	NEED(!unlink("dir/file"));
	ckpt_point();
	TOLD(fd, "2:file (deleted)");
	rmdir("dir");
}

CKPT_REFUSED(event_of_deleted, "deleted_since", EOPNOTSUPP,
	     "leads to another file by now")

/* And at restart. */

CKPT_TARGET(marker)
{
	int fd = make_group(FAN_CLASS_NOTIF);

	touch("file");
	mark(fd, 0, FAN_OPEN, "file");
	ckpt_point();
	append("file");
	TOLD(fd, "20:file");
}

FIXTURE(changed) {
	struct ckpt_target target;
};

FIXTURE_SETUP(changed)
{
	memset(self, 0, sizeof(*self));
	ASSERT_EQ(0, ckpt_start(&self->target, "marker", CKPT_KILLED));
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
	long ret = ckpt_restart(target, RESTART_NEW_PIDS);

	if (ret == error && strstr(target->log, why))
		return true;
	printf("# %ld: \"%s\"\n", ret, target->log);
	return false;
}

TEST_F(changed, gone)
{
	ASSERT_EQ(0, unlink(ckpt_path(&self->target, "file")));
	EXPECT_TRUE(fails(&self->target, -ENOENT, "fanotify: mark of /tmp"));
}

TEST_F(changed, type)
{
	ASSERT_EQ(0, unlink(ckpt_path(&self->target, "file")));
	ASSERT_EQ(0, mkdir(ckpt_path(&self->target, "file"), 0700));
	EXPECT_TRUE(fails(&self->target, -ESTALE, "fanotify: mark of /tmp"));
}

TEST_F(changed, too_many)
{
	char before[32];
	bool good;

	ckpt_read("/proc/sys/fs/fanotify/max_user_groups", before,
		  sizeof(before));
	set_limit("max_user_groups", "0");
	good = fails(&self->target, -EMFILE, "fanotify: -EMFILE");
	set_limit("max_user_groups", before);
	EXPECT_TRUE(good);
	ckpt_read("/proc/sys/fs/fanotify/max_user_marks", before,
		  sizeof(before));
	set_limit("max_user_marks", "0");
	good = fails(&self->target, -ENOSPC, "fanotify: mark of /tmp");
	set_limit("max_user_marks", before);
	EXPECT_TRUE(good);
	EXPECT_LT(0, ckpt_restart(&self->target, 0));
	ASSERT_EQ(0, ckpt_go(&self->target));
	EXPECT_EQ(0, ckpt_end(&self->target));
}

/* One without privileges has what anybody may have, and only that. */

CKPT_TARGET(privileged)
{
	int fd = make_group(FAN_CLASS_NOTIF);

	NEED(!fchmod(1, 0666) && !fchmodat(AT_FDCWD, ".", 0777, 0));
	NEED(!syscall(SYS_setresgid, 1000, 1000, 1000) &&
	     !syscall(SYS_setresuid, 1000, 1000, 1000));
	ckpt_point();
	(void)fd;
}

CKPT_TARGET(unprivileged)
{
	int fd;

	NEED(!fchmod(1, 0666) && !fchmodat(AT_FDCWD, ".", 0777, 0));
	touch("file");
	NEED(!chown("file", 1000, 1000));
	NEED(!syscall(SYS_setgroups, 0, NULL) &&
	     !syscall(SYS_setresgid, 1000, 1000, 1000) &&
	     !syscall(SYS_setresuid, 1000, 1000, 1000));
	fd = make_group(FAN_REPORT_FID);
	mark(fd, 0, FAN_OPEN, "file");
	append("file");
	ckpt_point();
	TOLD(fd, "20/1#");
	append("file");
	TOLD(fd, "20/1#");
	CHECK_EQ(fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN,
			       AT_FDCWD, "/"), -1);
	CHECK_EQ(errno, EPERM);
}

static long restart_as_user(struct __test_metadata *_metadata,
			    struct ckpt_target *target, const char *name)
{
	long ret;

	ASSERT_EQ(0, ckpt_start(target, name, CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL)) {
		TH_LOG("\"%s\"", target->log);
	}
	ckpt_kill(target);
	ASSERT_EQ(0, chmod(target->dir, 0777));
	ASSERT_EQ(0, chmod(ckpt_path(target, "image"), 0644));
	ASSERT_EQ(0, chmod(ckpt_path(target, "log"), 0666));
	ASSERT_EQ(0, chmod(ckpt_path(target, "report"), 0666));
	ASSERT_EQ(0, syscall(SYS_setgroups, 0, NULL));
	ASSERT_EQ(0, syscall(SYS_setresgid, 1000, 1000, 0));
	ASSERT_EQ(0, syscall(SYS_setresuid, 1000, 1000, 0));
	ret = ckpt_restart(target, RESTART_NEW_PIDS);
	ASSERT_EQ(0, syscall(SYS_setresuid, 0, 0, 0));
	return ret;
}

TEST(not_permitted)
{
	struct ckpt_target target;

	EXPECT_EQ(-EPERM, restart_as_user(_metadata, &target, "privileged"));
	EXPECT_NE(NULL, strstr(target.log, "CAP_SYS_ADMIN")) {
		TH_LOG("\"%s\"", target.log);
	}
	ckpt_clean(&target);
}

TEST(unprivileged_group)
{
	struct ckpt_target target;

	EXPECT_LT(0, restart_as_user(_metadata, &target, "unprivileged")) {
		TH_LOG("\"%s\"", target.log);
	}
	ASSERT_EQ(0, ckpt_go(&target));
	EXPECT_EQ(0, ckpt_end(&target));
	ckpt_clean(&target);
}

CKPT_TEST_MAIN
