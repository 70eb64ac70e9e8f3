// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can't be checkpointed is refused by name, and is none the worse for it:
 * nothing was written, and the process goes on.
 */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <arpa/inet.h>
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/io_uring.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/ethernet.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>

/* prctl() of <sys/prctl.h>, which does not go with <linux/prctl.h>. */
int prctl(int option, ...);

/* Say that all is set up; be refused, oneself or by the test; go on. */
static void refused(void)
{
	int fd, log;
	long ret;

	if (ckpt_mode != CKPT_SELF) {
		ckpt_ready();
		ckpt_wait();
		return;
	}
	fd = open("image", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	log = open("log", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	NEED(fd >= 0 && log >= 0);
	ret = syscall(__NR_checkpoint, getpid(), fd, CHECKPOINT_LOGFD, log);
	CHECK_EQ(ret, -1);
	CHECK_EQ(errno, EOPNOTSUPP);
	close(fd);
	close(log);
}

/* Not to be had in this kernel, or not by the emulator. */
static void need_fd(int fd, const char *what)
{
	if (fd < 0)
		ckpt_skip("%s: %s", what, strerror(errno));
}

/* Whether a line has all parts of a text, which * divides, in their order. */
static bool mentions(const char *line, const char *text)
{
	char part[80];
	size_t len;

	for (; *text; text += len + (text[len] == '*')) {
		len = strcspn(text, "*");
		snprintf(part, sizeof(part), "%.*s", (int)len, text);
		line = strstr(line, part);
		if (!line)
			return false;
		line += len;
	}
	return true;
}

static bool has_log(struct ckpt_target *target, const char *text)
{
	int fd = open(ckpt_path(target, "log"), O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, target->log, sizeof(target->log) - 1);

	close(fd);
	target->log[len < 0 ? 0 : len] = 0;
	if (mentions(target->log, text) && !strncmp(target->log, "pid ", 4) &&
	    strchr(target->log, '\n') == target->log + len - 1)
		return true;
	printf("# \"%s\" does not say \"%s\" in a line\n", target->log, text);
	return false;
}

static bool nothing_written(struct ckpt_target *target)
{
	struct stat stat_buf;

	return !stat(ckpt_path(target, "image"), &stat_buf) &&
	       !stat_buf.st_size;
}

/* By another process, with each of the flags. */
static void refused_to_others(struct __test_metadata *_metadata,
			      struct ckpt_target *target, const char *text)
{
	static const unsigned int flags[] = {
		0, CHECKPOINT_KILL, CHECKPOINT_STOP,
	};

	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint(target, flags[i]));
		EXPECT_TRUE(has_log(target, text));
		EXPECT_TRUE(nothing_written(target));
	}
}

static int refuse(struct __test_metadata *_metadata, struct ckpt_target *target,
		  const char *name, enum ckpt_mode mode, const char *text)
{
	int ret = ckpt_start(target, name, mode);

	ASSERT_EQ(0, ret);
	ret = ckpt_wait_ready(target);
	ASSERT_LE(0, ret);
	if (!ret)
		refused_to_others(_metadata, target, text);
	EXPECT_EQ(0, ckpt_go(target));
	ret = ckpt_end(target);
	if (mode == CKPT_SELF && ret != KSFT_SKIP) {
		EXPECT_TRUE(has_log(target, text));
		EXPECT_TRUE(nothing_written(target));
	}
	return ret;
}

CKPT_FIXTURE_ONLY(refused);
CKPT_VARIANT(refused, other, CKPT_LIVE);
CKPT_VARIANT(refused, self, CKPT_SELF);

/* What can only be seen from outside. */
CKPT_FIXTURE_ONLY(refused_outside);
CKPT_VARIANT(refused_outside, other, CKPT_LIVE);

#define REFUSED_IN(fixture, name, text)					\
	static void do_##fixture##_##name(void);			\
	CKPT_TARGET(fixture##_##name)					\
	{								\
		do_##fixture##_##name();				\
	}								\
	TEST_F(fixture, name)						\
	{								\
		int status = refuse(_metadata, &self->target,		\
				    #fixture "_" #name, variant->mode,	\
				    text);				\
									\
		if (status == KSFT_SKIP)				\
			SKIP(return, "%s", self->target.log);		\
		EXPECT_EQ(0, status);					\
	}								\
	static void do_##fixture##_##name(void)

#define REFUSED(name, text)		REFUSED_IN(refused, name, text)
#define REFUSED_OUTSIDE(name, text)	REFUSED_IN(refused_outside, name, text)

/* Of a descriptor: it works as it did. */
#define REFUSED_FD(name, get, text)					\
	REFUSED(name, "fd 3: *" text)					\
	{								\
		int fd = get;						\
									\
		need_fd(fd, #name);					\
		NEED(fd == 3);						\
		refused();						\
		CHECK(fcntl(fd, F_GETFD) >= 0);				\
	}

/* Processes. */

static char thread_stack[65536] __attribute__((aligned(16)));
/* Shared with someone who is no descendant. */

static int sharing_parent(void *arg)
{
	(void)arg;
	refused();
	return 0;
}

/* The target is the child of one that shares something with it. */
static void share(int flags)
{
	int status = -1;
	pid_t pid;

	pid = clone(sharing_parent, thread_stack + sizeof(thread_stack),
		    flags | SIGCHLD, NULL);
	NEED(pid > 0);
	NEED(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
}

FIXTURE(shared) {
	struct ckpt_target target;
};

FIXTURE_SETUP(shared)
{
	memset(self, 0, sizeof(*self));
}

FIXTURE_TEARDOWN(shared)
{
	ckpt_clean(&self->target);
}

static void refused_shared(struct __test_metadata *_metadata,
			   struct ckpt_target *target, const char *name,
			   const char *text)
{
	pid_t parent;

	ASSERT_EQ(0, ckpt_start(target, name, CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	parent = target->pid;
	target->pid = ckpt_child_of(parent);
	ASSERT_LT(0, target->pid);
	refused_to_others(_metadata, target, text);
	target->pid = parent;
	EXPECT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

#define SHARING(name, flags, text)					\
	CKPT_TARGET(shared_##name)					\
	{								\
		share(flags);						\
	}								\
	TEST_F(shared, name)						\
	{								\
		refused_shared(_metadata, &self->target,		\
			       "shared_" #name, text);			\
	}

SHARING(memory, CLONE_VM, "address space is shared with a process outside");
SHARING(files, CLONE_FILES,
	"descriptor table is shared with a process outside");
SHARING(directories, CLONE_FS,
	"root and current directory is shared with a process outside");
SHARING(handlers, CLONE_VM | CLONE_SIGHAND, "is shared with a process outside");

/* By whom it is shared does not matter: it is not kept. */
REFUSED_OUTSIDE(io_context, "an I/O context that it shares (CLONE_IO)")
{
	int status = -1;
	pid_t pid;

	/* There is none before something is asked of it. */
	NEED(!syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 5));
	pid = syscall(SYS_clone, CLONE_IO | SIGCHLD, 0, 0, 0, 0);
	NEED(pid >= 0);
	if (!pid)
		for (;;)
			pause();
	refused();
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, &status, 0) == pid);
}

/* Descriptors. */

static int one_of_notification_pipe(void)
{
	int fd[2];

	/* O_NOTIFICATION_PIPE */
	return pipe2(fd, O_EXCL) ? -1 : fd[0];
}

/* In proc, of who started this one. */
static int one_of_parent(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", getppid(), name);
	return open(path, O_RDONLY);
}

REFUSED_FD(notification_pipe, one_of_notification_pipe(),
	   "notification pipe: not supported");
REFUSED_FD(pidfd, (int)syscall(SYS_pidfd_open, getppid(), 0),
	   "outside the tree: not supported");
REFUSED_FD(proc_file, one_of_parent("stat"),
	   "stat: of a process outside the tree, in proc: not supported");
REFUSED_FD(proc_directory, one_of_parent(""), "of a process outside");
REFUSED_FD(path_only, open("/proc/1", O_PATH), "O_PATH in proc: not supported");
REFUSED_FD(log_device, open("/dev/kmsg", O_RDONLY), "character device 1:11");
REFUSED_FD(block_device, open("/dev/loop0", O_RDONLY | O_EXCL),
	   "block device 7:0 (loop0): opened for exclusive use");
REFUSED_FD(fuse, open("/dev/fuse", O_RDWR), "character device 10:229");
REFUSED_FD(tun, open("/dev/net/tun", O_RDWR), "character device 10:200");
REFUSED_FD(file_context, (int)syscall(SYS_fsopen, "tmpfs", 0), "[fscontext]");
REFUSED_FD(userfaultfd, (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK),
	   "[userfaultfd]");

/* A thread of the C library's is told of messages by way of a socket. */
static int get_mqueue(void)
{
	static char cookie[32];
	int fd = syscall(SYS_mq_open, "ckpt-refused", O_CREAT | O_RDWR, 0600,
			 NULL);
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD,
		.sigev_signo = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE),
		.sigev_value.sival_ptr = cookie,
	};

	syscall(SYS_mq_unlink, "ckpt-refused");
	NEED(!syscall(SYS_mq_notify, fd, &event));
	return fd;
}

REFUSED_FD(message_queue, get_mqueue(), "tells a thread of messages");

static int get_bpf(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4,
		.value_size = 4, .max_entries = 1,
	};

	return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

REFUSED_FD(bpf_map, get_bpf(), "bpf-map");

static int get_perf(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr),
		.config = PERF_COUNT_SW_PAGE_FAULTS,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

REFUSED_FD(perf_event, get_perf(), "[perf_event]");

static int get_file(void)
{
	int fd = open("file", O_CREAT | O_RDWR, 0600);

	NEED(fd == 3 && write(fd, "text", 4) == 4);
	return fd;
}

/* Something was mounted over it. */
REFUSED_OUTSIDE(covered_file, "leads to another file by now")
{
	int fd;

	NEED(!mkdir("dir", 0700));
	fd = open("dir/file", O_CREAT | O_RDWR, 0600);
	NEED(fd == 3);
	NEED(!mount("none", "dir", "tmpfs", 0, ""));
	close(open("dir/file", O_CREAT | O_RDWR, 0600));
	refused();
	CHECK(!umount("dir"));
	CHECK(!unlink("dir/file") && !rmdir("dir"));
}

/* Locks and the like, which a descriptor has besides. */

/* Of what has no path, that is. */
static int get_flocked(void)
{
	int fd = eventfd(0, 0);

	NEED(!syscall(SYS_flock, fd, 2));
	return fd;
}

static int get_owned_outside(void)
{
	int fd = get_file();

	NEED(!fcntl(fd, F_SETOWN, getppid()));
	return fd;
}

REFUSED_FD(lock_flock, get_flocked(), "[eventfd]: locked");
REFUSED(owner, "file: its signals go to * outside the tree")
{
	int fd = get_owned_outside();

	refused();
	CHECK_EQ(fcntl(fd, F_GETOWN), getppid());
}

/* Asynchronous I/O. */

static int get_io_uring(struct io_uring_params *params)
{
	memset(params, 0, sizeof(*params));
	return syscall(SYS_io_uring_setup, 4, params);
}

REFUSED(io_uring, "io_uring: not supported")
{
	struct io_uring_params params;
	int fd = get_io_uring(&params);

	need_fd(fd, "io_uring");
	refused();
	CHECK_EQ(syscall(SYS_io_uring_enter, fd, 0, 0, 0, NULL, 0), 0);
}

/* The rings stay mapped when the descriptor goes. */
REFUSED(io_uring_mapping, "not supported")
{
	struct io_uring_params params;
	int fd = get_io_uring(&params);
	volatile char *p;

	need_fd(fd, "io_uring");
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 IORING_OFF_SQ_RING);
	NEED(p != MAP_FAILED);
	close(fd);
	refused();
	CHECK_EQ(*p, 0);
}

/* Memory. */

/* Who has it mapped may write; nobody could map it so again. */
REFUSED(memfd_sealed, "memfd:name: mapped to be written, and sealed")
{
	int fd = memfd_create("name", MFD_ALLOW_SEALING);
	char *p;

	NEED(fd >= 0 && !ftruncate(fd, 4096));
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(p != MAP_FAILED);
	NEED(!fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	*p = 6;
	refused();
	*p = 7;
	CHECK_EQ(*p, 7);
}

static void set_huge_pages(unsigned int nr)
{
	if (!ckpt_huge_pages(nr))
		ckpt_skip("no huge pages");
}

REFUSED(huge_pages, "private hugetlb pages, not to be written to")
{
	char *p;

	set_huge_pages(4);
	p = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (p == MAP_FAILED)
		ckpt_skip("no huge pages");
	*p = 7;
	NEED(!mprotect(p, 2 << 20, PROT_READ));
	refused();
	CHECK_EQ(*p, 7);
	CHECK(!munmap(p, 2 << 20));
	set_huge_pages(0);
}

/* The memory of some device on the bus. */
static int open_device_memory(void)
{
	char path[80];
	struct stat stat_buf;
	int fd;

	for (int i = 0; i < 32 * 6; i++) {
		snprintf(path, sizeof(path),
			 "/sys/bus/pci/devices/0000:00:%02x.0/resource%d",
			 i / 6, i % 6);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (!fstat(fd, &stat_buf) && stat_buf.st_size >= 4096)
			return fd;
		close(fd);
	}
	return -1;
}

REFUSED(device_mapping, "not supported")
{
	int fd = open_device_memory();
	void *p;

	if (fd < 0)
		ckpt_skip("no device with memory");
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		ckpt_skip("its memory can't be mapped");
	close(fd);
	refused();
	CHECK(!munmap(p, 4096));
}

REFUSED(perf_mapping, "not supported")
{
	int fd = get_perf();
	void *p;

	need_fd(fd, "perf_event_open");
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(p != MAP_FAILED);
	close(fd);
	refused();
	CHECK(!munmap(p, 4096));
}

REFUSED(vdso_moved, "memory of a device")
{
	char line[256];
	unsigned long start, end;
	FILE *maps = fopen("/proc/self/maps", "re");

	NEED(maps);
	while (fgets(line, sizeof(line), maps))
		if (strstr(line, "[vvar]") &&
		    sscanf(line, "%lx-%lx", &start, &end) == 2)
			break;
	fclose(maps);
	NEED(mremap((void *)start, end - start, end - start,
		    MREMAP_MAYMOVE | MREMAP_FIXED, 0x10000000UL) != MAP_FAILED);
	refused();
}

/* What a process is under. */

REFUSED(seccomp_listener, "seccomp: a filter with a listener: not supported")
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog prog = { 1, &allow };

	NEED(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		     SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog) >= 0);
	refused();
}

REFUSED(local_descriptors, "local descriptor table (modify_ldt)")
{
	struct user_desc desc = {
		.entry_number = 0, .limit = 0xfffff, .seg_32bit = 1,
		.limit_in_pages = 1,
	};

	if (syscall(SYS_modify_ldt, 1, &desc, sizeof(desc)))
		ckpt_skip("no local descriptor table");
	refused();
}

REFUSED(io_ports, "I/O ports")
{
	if (ioperm(0x80, 1, 1))
		ckpt_skip("no I/O ports");
	refused();
}

REFUSED(io_privilege, "I/O ports")
{
	if (iopl(3))
		ckpt_skip("no I/O privilege level");
	refused();
}

/* Namespaces. */

#define NAMESPACE(name, flag, text)					\
	REFUSED_OUTSIDE(namespace_##name, text " namespace of its own")	\
	{								\
		if (unshare(flag))					\
			ckpt_skip(#name ": %s", strerror(errno));	\
		refused();						\
	}

NAMESPACE(mount, CLONE_NEWNS, "mount")
NAMESPACE(uts, CLONE_NEWUTS, "UTS")
NAMESPACE(ipc, CLONE_NEWIPC, "IPC")
NAMESPACE(net, CLONE_NEWNET, "network")
NAMESPACE(cgroup, CLONE_NEWCGROUP, "cgroup")
NAMESPACE(pid, CLONE_NEWPID, "pid")
NAMESPACE(time, CLONE_NEWTIME, "time")
NAMESPACE(user, CLONE_NEWUSER, "user")

/* Timers. */

REFUSED(timer_on_others_time, "on the CPU time of a process outside the tree")
{
	/* Of process 1. */
	clockid_t clock = (clockid_t)(~1U << 3 | 2);
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	int id;

	if (syscall(SYS_timer_create, clock, &event, &id))
		ckpt_skip("no such clock");
	refused();
	CHECK(!syscall(SYS_timer_delete, id));
}

CKPT_TEST_MAIN
