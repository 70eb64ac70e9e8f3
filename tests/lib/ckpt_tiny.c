// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/rseq.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ckpt_tiny.h"

#define TINY_PAGE	0x10000000UL
#define TINY_RANGES	(TINY_PAGE + 1024)
#define TINY_RSEQ	(TINY_PAGE + 2048)
#define TINY_STACK	(TINY_PAGE + 4096)
#define TINY_SAME	(TINY_PAGE + 16 * 4096)
#define TINY_SAME_LEN	(300 * 4096UL)
#define TINY_HUGE	(TINY_PAGE + (2UL << 20))
#define TINY_HUGE_LEN	(2UL << 20)
#define TINY_END	0x7ffffffff000UL

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH	59
#define PR_SYS_DISPATCH_ON		1
#endif

/*
 * Unmap a list of ranges, which are at %rbx, make as many threads as %r12 says,
 * and sleep. Copied to the page.
 */
extern const char tiny_begin[], tiny_end[];
asm(".pushsection .rodata\n"
	"tiny_begin:\n"
	"1:	mov (%rbx), %rdi\n"
	"	mov 8(%rbx), %rsi\n"
	"	test %rsi, %rsi\n"
	"	jz 2f\n"
	"	mov $11, %eax		# munmap\n"
	"	syscall\n"
	"	add $16, %rbx\n"
	"	jmp 1b\n"
	"2:	test %r12, %r12\n"
	"	jz 3f\n"
	"	dec %r12\n"
	"	mov %r13, %rdi\n"
	"	xor %esi, %esi\n"
	"	mov $56, %eax		# clone\n"
	"	syscall\n"
	"	test %eax, %eax\n"
	"	jnz 2b\n"
	"3:	mov $34, %eax		# pause\n"
	"	syscall\n"
	"	jmp 3b\n"
	"tiny_end:\n"
	".popsection\n");

struct tiny_range {
	unsigned long start;
	unsigned long len;
};

/* All that is neither the four pages nor vDSO and vvar. */
static void tiny_ranges(struct tiny_range *range)
{
	unsigned long start, end, low = 0, high = 0;
	char line[256];
	FILE *maps = fopen("/proc/self/maps", "re");

	if (!maps)
		_exit(1);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx", &start, &end) != 2 ||
		    (!strstr(line, "[vvar") && !strstr(line, "[vdso]")))
			continue;
		low = low ?: start;
		high = end;
	}
	if (!low)
		_exit(1);
	range[0] = (struct tiny_range){ 0x10000, TINY_PAGE - 0x10000 };
	range[1] = (struct tiny_range){ TINY_PAGE + 4 * 4096,
					low - TINY_PAGE - 4 * 4096 };
	range[2] = (struct tiny_range){ high, TINY_END - high };
	range[3] = (struct tiny_range){};
}

static void tiny_map(void)
{
	int prot = PROT_READ | PROT_WRITE;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char *page = mmap((void *)TINY_PAGE, 4096, prot | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	char *shared = mmap(page + 4096, 4096, prot,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	char *file = mmap(page + 8192, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED,
			  fd, 0);

	if (page == MAP_FAILED || shared == MAP_FAILED || file == MAP_FAILED)
		_exit(1);
	memset(page, 0xf4, 1024);	/* hlt */
	memcpy(page, tiny_begin, tiny_end - tiny_begin);
	memcpy(shared, "shared", 7);
	tiny_ranges((struct tiny_range *)TINY_RANGES);
}

/* What is not unmapped either: zeroes, away from all else that is not. */
static void *tiny_more(unsigned long start, unsigned long len, int flags)
{
	struct tiny_range *range = (struct tiny_range *)TINY_RANGES;
	struct tiny_range *end = range;

	while (end->len)
		end++;
	while (start >= range->start + range->len)
		range++;
	memmove(range + 1, range, (end + 1 - range) * sizeof(*range));
	range[0].len = start - range[0].start;
	range[1].len -= start + len - range[1].start;
	range[1].start = start + len;
	return mmap((void *)start, len, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | flags, -1, 0);
}

/* Signals that wait, timers far away, an alternate stack. */
static void tiny_signals(void)
{
	struct itimerval itimer = { .it_value.tv_sec = 100000 };
	struct itimerspec spec = { .it_value.tv_sec = 100000 };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGUSR1 };
	stack_t stack = { .ss_sp = (void *)TINY_PAGE, .ss_size = 4096 };
	timer_t timer;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_SETMASK, &set, NULL);
	raise(SIGUSR1);
	sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 1 });
	sigaltstack(&stack, NULL);
	setitimer(ITIMER_PROF, &itimer, NULL);
	if (!timer_create(CLOCK_MONOTONIC, &event, &timer))
		timer_settime(timer, 0, &spec, NULL);
}

/* The area that libc registered is about to go. */
static void tiny_rseq(void)
{
	char *old = (char *)__builtin_thread_pointer() + __rseq_offset;

	if (!__rseq_size)
		return;
	syscall(SYS_rseq, old, 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
	syscall(SYS_rseq, TINY_RSEQ, 32, 0, RSEQ_SIG);
}

/* With something in it: bytes, and a packet. */
static void tiny_pipe(void)
{
	int fd[2];

	if (pipe(fd) || write(fd[1], "bytes", 5) != 5 ||
	    fcntl(fd[1], F_SETFL, O_DIRECT) ||
	    write(fd[1], "packet", 6) != 6)
		_exit(1);
}

/* One of each kind that needs no more than a call. */
/* A stream with a message that has one of them in it, and one half closed. */
static void tiny_sockets(void)
{
	char control[CMSG_SPACE(sizeof(int))] = "", byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int fd[2], closed[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, closed) ||
	    write(closed[0], "bytes", 5) != 5 || close(closed[0]))
		_exit(1);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd[1], sizeof(int));
	if (sendmsg(fd[0], &msg, 0) != 1 ||
	    socket(AF_INET, SOCK_STREAM, 0) < 0 ||
	    socket(AF_INET6, SOCK_DGRAM, 0) < 0 ||
	    socket(AF_NETLINK, SOCK_RAW, 0) < 0)
		_exit(1);
}

static void tiny_files(void)
{
	struct itimerspec spec = { .it_value.tv_sec = 100000 };
	int memfd = memfd_create("tiny", MFD_ALLOW_SEALING);
	int timer = timerfd_create(CLOCK_REALTIME, 0);
	struct flock lock = { .l_type = F_WRLCK, .l_len = 10 };
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(0), outer = epoll_create1(0);
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	if (eventfd(3, 0) < 0 || signalfd(-1, &set, 0) < 0 ||
	    timerfd_settime(timer, 0, &spec, NULL) ||
	    write(memfd, "memory", 6) != 6 ||
	    fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK) ||
	    open("/", O_PATH) < 0 || flock(open("/", O_RDONLY), LOCK_SH) ||
	    fcntl(memfd, F_SETLK, &lock) ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event) ||
	    epoll_ctl(outer, EPOLL_CTL_ADD, epoll, &event))
		_exit(1);
}

/* A file that has no name but a lease, and a directory that had one. */
static void tiny_deleted(void)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);

	if (write(fd, "deleted", 7) != 7 || fcntl(fd, F_SETLEASE, F_WRLCK) ||
	    fcntl(fd, F_SETSIG, SIGRTMIN) || mkdir("tiny-deleted", 0700) ||
	    open("tiny-deleted", O_RDONLY) < 0 || rmdir("tiny-deleted"))
		_exit(1);
}

/* A filter, and dispatch of what comes from nowhere. */
static void tiny_filter(void)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, insns };

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		    SECCOMP_FILTER_FLAG_LOG, &prog) ||
	    prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 4096,
		  TINY_END - 8192, NULL))
		_exit(1);
}

/* Where the page of a file was. */
static void tiny_shm(void)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	char *page = shmat(id, (void *)(TINY_PAGE + 8192), SHM_REMAP);

	if (page == (void *)-1 || shmctl(id, IPC_RMID, NULL))
		_exit(1);
	memcpy(page, "segment", 8);
}

static void tiny_sem(void)
{
	struct sembuf buf = { .sem_op = 3, .sem_flg = SEM_UNDO };

	if (semop(semget(IPC_PRIVATE, 3, 0600), &buf, 1))
		_exit(1);
}

static void tiny_msg(void)
{
	static struct {
		long	type;
		char	text[5000];
	} msg = { .type = 1 };
	int id = msgget(IPC_PRIVATE, 0600);

	if (msgsnd(id, &msg, 5, 0) || msgsnd(id, &msg, sizeof(msg.text), 0))
		_exit(1);
}

static void tiny_mqueue(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGUSR1 };
	int fd = syscall(SYS_mq_open, "tiny", O_CREAT | O_RDWR, 0600, NULL);

	if (syscall(SYS_mq_timedsend, fd, "one", 3, 1, NULL) ||
	    syscall(SYS_mq_timedsend, fd, "two", 3, 2, NULL) ||
	    syscall(SYS_mq_notify, fd, &event))
		_exit(1);
	syscall(SYS_mq_unlink, "tiny");
}

/* With a ring of one page, which is moved to the last that is kept. */
static void tiny_aio(void)
{
	unsigned long ring = 0;

	if (syscall(SYS_io_setup, 1, &ring) ||
	    mremap((void *)ring, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED,
		   (void *)(TINY_PAGE + 3 * 4096)) == MAP_FAILED)
		_exit(1);
}

/* What watches files, and something that there is to tell of. */
static void tiny_inotify(void)
{
	int fd = inotify_init1(IN_NONBLOCK);

	if (inotify_add_watch(fd, "/dev", IN_OPEN | IN_MOVE) != 1 ||
	    inotify_add_watch(fd, "/dev/null", IN_OPEN) != 2 ||
	    inotify_add_watch(fd, "/dev/zero", IN_CLOSE) != 3 ||
	    inotify_rm_watch(fd, 3))
		_exit(1);
	close(open("/dev/null", O_RDONLY));
}

static void tiny_fanotify(void)
{
	unsigned int ignored = FAN_MARK_ADD | FAN_MARK_IGNORED_MASK |
			       FAN_MARK_IGNORED_SURV_MODIFY;
	int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY);
	int fid = fanotify_init(FAN_REPORT_DFID_NAME_TARGET, 0);

	/* Not every kernel can be told to. */
	if (fd < 0)
		return;
	if (fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "/dev/urandom") ||
	    fanotify_mark(fd, ignored, FAN_CLOSE, AT_FDCWD, "/dev/urandom") ||
	    fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_CLOSE_WRITE,
			  AT_FDCWD, "/proc") ||
	    fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD,
			  "/proc/self/exe"))
		_exit(1);
	close(open("/proc/self/exe", O_RDONLY));
	if (fid < 0)
		return;
	if (fanotify_mark(fid, FAN_MARK_ADD, FAN_CREATE | FAN_DELETE | FAN_ONDIR,
			  AT_FDCWD, "/tmp") || mkdir("/tmp/tiny", 0700) ||
	    rmdir("/tmp/tiny"))
		_exit(1);
}

/* Of processes, namespaces, and devices. */
static void tiny_watched(void)
{
	syscall(SYS_pidfd_open, getpid(), 0);
	if (open("/proc/self/ns/uts", O_RDONLY) < 0 ||
	    open("/proc/self/status", O_RDONLY) < 0 ||
	    open("/proc/thread-self/mem", O_RDWR) < 0 ||
	    open("/proc/self/maps", O_RDONLY) < 0 ||
	    open("/proc/self/mounts", O_RDONLY) < 0 ||
	    open("/proc/self/fd", O_RDONLY) < 0)
		_exit(1);
	/* Where there is one. */
	open("/dev/loop-control", O_RDONLY);
	open("/dev/loop0", O_RDONLY | O_NONBLOCK);
}

/* What was deleted and is none of a file's contents; one of it is watched twice. */
static void tiny_unnamed(void)
{
	int watcher = inotify_init1(0), fan = fanotify_init(FAN_REPORT_FID, 0), fd;

	if (mkfifo("tiny-fifo", 0600))
		_exit(1);
	/* Where that can be. */
	fanotify_mark(fan, FAN_MARK_ADD, FAN_CLOSE, AT_FDCWD, "tiny-fifo");
	fd = open("tiny-fifo", O_RDWR);
	if (write(fd, "fifo", 4) != 4 ||
	    inotify_add_watch(watcher, "tiny-fifo", IN_CLOSE) != 1 ||
	    unlink("tiny-fifo") || symlink("target", "tiny-link") ||
	    open("tiny-link", O_PATH | O_NOFOLLOW) < 0 || unlink("tiny-link"))
		_exit(1);
	/* Who may. */
	if (mknod("tiny-null", S_IFCHR | 0600, makedev(1, 3)))
		return;
	if (open("tiny-null", O_RDONLY) < 0 || unlink("tiny-null"))
		_exit(1);
}

/* Two of one that was waited for; the shared page, as a file; and no vDSO. */
static void tiny_unseen(void)
{
	void *vdso = (void *)getauxval(AT_SYSINFO_EHDR);
	char path[64];
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	syscall(SYS_pidfd_open, pid, 0);
	syscall(SYS_pidfd_open, pid, 0);
	if (waitpid(pid, NULL, 0) != pid)
		_exit(1);
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", TINY_STACK,
		 TINY_STACK + 4096);
	open(path, O_RDWR);
	/* Which can't be had in pieces. */
	for (size_t len = 4096; munmap(vdso, len) && len < 65536; len += 4096)
		;
}

static int tiny_ptm;

/* A slave of the terminal, and what is on its way to it and from it. */
static int tiny_pts(void)
{
	int unlock = 0, fd;

	if (ioctl(tiny_ptm, TIOCSPTLCK, &unlock))
		_exit(1);
	fd = ioctl(tiny_ptm, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	if (fd < 0 || write(fd, "out", 3) != 3 ||
	    write(tiny_ptm, "typed\nin", 8) != 8)
		_exit(1);
	return fd;
}

static void __attribute__((noreturn)) tiny_sleep(unsigned long threads)
{
	register unsigned long nr asm("r12") = threads;
	register unsigned long flags asm("r13") = CLONE_VM | CLONE_SIGHAND |
		CLONE_THREAD | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM;

	asm volatile("mov %1, %%rsp; jmp *%0"
		     : : "r"(TINY_PAGE), "r"(TINY_STACK), "b"(TINY_RANGES),
			 "r"(nr), "r"(flags));
	__builtin_unreachable();
}

static void tiny_begin_with(const char *name)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, 0);
	prctl(PR_SET_NAME, name);
	tiny_map();
	syscall(SYS_close_range, 1, ~0U, 0);
}

static void __attribute__((noreturn)) tiny_main(void)
{
	tiny_begin_with("tiny");
	tiny_pipe();
	tiny_sockets();
	tiny_files();
	tiny_deleted();
	tiny_signals();
	tiny_rseq();
	tiny_filter();
	tiny_sleep(0);
}

pid_t ckpt_tiny_start(void)
{
	pid_t pid = fork();

	if (!pid)
		tiny_main();
	return pid;
}

static void __attribute__((noreturn)) tiny_ipc_main(void)
{
	tiny_begin_with("tiny");
	tiny_shm();
	tiny_sem();
	tiny_msg();
	tiny_mqueue();
	tiny_aio();
	tiny_rseq();
	tiny_sleep(0);
}

static void __attribute__((noreturn)) tiny_watch_main(void)
{
	tiny_begin_with("tiny");
	tiny_inotify();
	tiny_fanotify();
	tiny_watched();
	tiny_unnamed();
	tiny_unseen();
	tiny_rseq();
	tiny_sleep(0);
}

pid_t ckpt_tiny_watch(void)
{
	pid_t pid = fork();

	if (!pid)
		tiny_watch_main();
	return pid;
}

pid_t ckpt_tiny_ipc(void)
{
	pid_t pid = fork();

	if (!pid)
		tiny_ipc_main();
	return pid;
}

int ckpt_tiny_loopback(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int ret = ioctl(fd, SIOCSIFFLAGS, &ifr);

	close(fd);
	return ret;
}

/* At a port of its own, by which others call it. */
static int tiny_bound(int type, struct sockaddr_in *addr)
{
	int fd = socket(AF_INET, type, 0);
	socklen_t len = sizeof(*addr);

	*addr = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	if (fd < 0 || bind(fd, (struct sockaddr *)addr, len) ||
	    getsockname(fd, (struct sockaddr *)addr, &len))
		_exit(1);
	return fd;
}

static int tiny_connected(int type, struct sockaddr_in *addr)
{
	int fd = socket(AF_INET, type, 0);

	if (connect(fd, (struct sockaddr *)addr, sizeof(*addr)) &&
	    errno != EINPROGRESS)
		_exit(1);
	return fd;
}

/* A connection, two that wait to be accepted, and one for which there is no room. */
static void tiny_tcp(void)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, -1U);
	struct sock_fprog prog = { 1, &all };
	struct sockaddr_in addr;
	int server = tiny_bound(SOCK_STREAM, &addr), fd[2], waits, closed;

	if (listen(server, 1))
		_exit(1);
	fd[0] = tiny_connected(SOCK_STREAM, &addr);
	fd[1] = accept(server, NULL, NULL);
	setsockopt(server, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
	waits = tiny_connected(SOCK_STREAM, &addr);
	closed = tiny_connected(SOCK_STREAM, &addr);
	tiny_connected(SOCK_STREAM | SOCK_NONBLOCK, &addr);
	if (send(fd[0], "to be read", 10, 0) != 10 ||
	    send(fd[1], "likewise", 8, 0) != 8 || shutdown(fd[1], SHUT_WR) ||
	    send(waits, "urgent", 6, MSG_OOB) != 6 ||
	    send(closed, "bye", 3, 0) != 3 || close(closed))
		_exit(1);
}

static void tiny_udp(void)
{
	struct sockaddr_in addr;
	int fd = tiny_bound(SOCK_DGRAM, &addr);

	fd = tiny_connected(SOCK_DGRAM, &addr);
	if (send(fd, "datagram", 8, 0) != 8 ||
	    socket(AF_INET6, SOCK_STREAM, 0) < 0 ||
	    socket(AF_PACKET, SOCK_DGRAM, 0) < 0 ||
	    socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) < 0 ||
	    socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6) < 0)
		_exit(1);
}

static void tiny_set(int fd, int name, const void *value, socklen_t len)
{
	if (setsockopt(fd, SOL_PACKET, name, value, len))
		_exit(1);
}

/* With rings, and something in them; of a group, and a member of another. */
static void tiny_packet(void)
{
	struct tpacket_req req = { 4096, 1, 1024, 4 };
	struct packet_mreq mreq = { 1, PACKET_MR_ALLMULTI, 0, {} };
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET, .sll_ifindex = 1,
		.sll_protocol = htons(ETH_P_802_EX1),
	};
	int fd = socket(AF_PACKET, SOCK_DGRAM, 0), version = TPACKET_V2, id = 1;
	char *ring;

	tiny_set(fd, PACKET_VERSION, &version, sizeof(version));
	tiny_set(fd, PACKET_RX_RING, &req, sizeof(req));
	tiny_set(fd, PACKET_TX_RING, &req, sizeof(req));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		_exit(1);
	tiny_set(fd, PACKET_FANOUT, &id, sizeof(id));
	tiny_set(fd, PACKET_ADD_MEMBERSHIP, &mreq, sizeof(mreq));
	ring = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED)
		_exit(1);
	((struct tpacket2_hdr *)ring)->tp_status = TP_STATUS_USER;
}

static void __attribute__((noreturn)) tiny_inet_main(void)
{
	tiny_begin_with("tiny");
	tiny_tcp();
	tiny_udp();
	tiny_packet();
	tiny_rseq();
	tiny_sleep(0);
}

pid_t ckpt_tiny_inet(void)
{
	pid_t pid;

	if (ckpt_tiny_loopback())
		return -1;
	pid = fork();
	if (!pid)
		tiny_inet_main();
	return pid;
}

/* Next to nothing, and not even a bit of everything. */
static pid_t tiny_child(unsigned long flags, int (*ids)(void),
			unsigned long threads)
{
	pid_t pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (pid < 0)
		_exit(1);
	if (pid)
		return pid;
	ids();
	tiny_rseq();
	tiny_sleep(threads);
}

static int tiny_group(void)
{
	return setpgid(0, 0);
}

/* On a terminal, of which the root has the other end. */
static int tiny_session(void)
{
	if (setsid() < 0 || ioctl(tiny_pts(), TIOCSCTTY, 0))
		_exit(1);
	return close(tiny_ptm);
}

static int tiny_zombie(void)
{
	_exit(3);
}

/*
 * One that waits in vfork(2), and, whose pid is returned, for whom. That one takes
 * its code away from it, which it won't miss.
 */
static pid_t tiny_vforked(void)
{
	volatile pid_t *pid = (pid_t *)(TINY_STACK + 64);

	*pid = 0;
	switch (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)) {
	case -1:
		_exit(1);
	case 0:
		tiny_rseq();
		if (syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0,
			    0, 0))
			_exit(1);
		*pid = syscall(SYS_getpid);
		tiny_sleep(0);
	}
	while (!*pid)
		usleep(1000);
	return *pid;
}

/* Wait until they have left what they are copies of. */
static void tiny_settle(const pid_t *pid, int nr)
{
	for (int i = 0; i < nr; i++)
		if (ckpt_tiny_wait(pid[i]))
			_exit(1);
}

static void __attribute__((noreturn)) tiny_tree_main(void)
{
	pid_t pid[3];
	siginfo_t info;
	pid_t zombie;

	tiny_begin_with("tree");
	tiny_ptm = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	pid[0] = tiny_child(CLONE_FILES | CLONE_FS, tiny_group, 1);
	pid[1] = tiny_child(0, tiny_session, 0);
	pid[2] = tiny_vforked();
	zombie = tiny_child(0, tiny_zombie, 0);
	waitid(P_PID, zombie, &info, WEXITED | WNOWAIT);
	tiny_settle(pid, 3);
	tiny_rseq();
	tiny_sleep(2);
}

pid_t ckpt_tiny_tree(void)
{
	pid_t pid = fork();

	if (!pid)
		tiny_tree_main();
	return pid;
}

/* Each sleeps in pause(2), and is held there or about there. */

static int tiny_nothing(void)
{
	return 0;
}

static void tiny_trace(long request, pid_t pid, unsigned long addr,
		       unsigned long data)
{
	if (syscall(SYS_ptrace, request, pid, addr, data))
		_exit(1);
}

/* Held at PTRACE_EVENT_STOP. */
static void tiny_interrupt(pid_t pid)
{
	tiny_trace(PTRACE_INTERRUPT, pid, 0, 0);
	if (waitpid(pid, NULL, __WALL) != pid)
		_exit(1);
}

static void __attribute__((noreturn)) tiny_traced_main(void)
{
	pid_t pid[5];

	tiny_begin_with("tiny");
	for (int i = 0; i < 5; i++)
		pid[i] = tiny_child(0, tiny_nothing, 0);
	tiny_settle(pid, 5);
	for (int i = 0; i < 5; i++) {
		tiny_trace(PTRACE_SEIZE, pid[i], 0,
			   PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD);
		tiny_interrupt(pid[i]);
	}
	/* A system call that begins, one that lasts, one that ended. */
	for (int i = 1; i < 4; i++) {
		tiny_trace(PTRACE_SYSCALL, pid[i], 0, 0);
		waitpid(pid[i], NULL, __WALL);
	}
	for (int i = 2; i < 4; i++)
		tiny_trace(PTRACE_SYSCALL, pid[i], 0, 0);
	tiny_interrupt(pid[3]);
	/* A signal. */
	tiny_trace(PTRACE_CONT, pid[4], 0, 0);
	kill(pid[4], SIGUSR1);
	waitpid(pid[4], NULL, __WALL);
	/* A breakpoint, where the machine has them. */
	syscall(SYS_ptrace, PTRACE_POKEUSER, pid[0],
		offsetof(struct user, u_debugreg), TINY_PAGE);
	tiny_rseq();
	tiny_sleep(0);
}

pid_t ckpt_tiny_traced(void)
{
	pid_t pid = fork();

	if (!pid)
		tiny_traced_main();
	return pid;
}

/* It ends with its parent. */
static int tiny_follows(void)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void __attribute__((noreturn)) tiny_same_main(void)
{
	char *page;
	pid_t pid;

	tiny_begin_with("tiny");
	page = tiny_more(TINY_SAME, TINY_SAME_LEN, 0);
	for (unsigned int i = 0; i < TINY_SAME_LEN / 4096; i++)
		page[i * 4096] = i;
	/* Where the machine has some left. */
	page = tiny_more(TINY_HUGE, TINY_HUGE_LEN, MAP_HUGETLB);
	if (page != MAP_FAILED)
		*page = 1;
	pid = tiny_child(0, tiny_follows, 0);
	tiny_settle(&pid, 1);
	tiny_rseq();
	tiny_sleep(0);
}

pid_t ckpt_tiny_same(void)
{
	pid_t pid = fork();

	if (!pid)
		tiny_same_main();
	return pid;
}

int ckpt_tiny_wait(pid_t pid)
{
	char path[32], text[8] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	for (int i = 0; i < 10000; i++) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
			return -1;
		close(fd);
		if (!strncmp(text, "34 ", 3))
			return 0;
		usleep(1000);
	}
	return -1;
}
