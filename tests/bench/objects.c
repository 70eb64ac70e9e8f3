// SPDX-License-Identifier: GPL-2.0-only
/*
 * objects [-r ROUNDS] [-k NAME] FEW MANY - what a checkpoint and a restart cost an object
 *
 * A process that has so many of a kind of object, or only of that named, beside one
 * that has none of it: what is more, divided by how many. Live checkpoints to a file on
 * tmpfs, and restarts with other pids, by system call. CRIU in the environment names a
 * criu that is measured beside, with many. Status 1: a figure could not be taken of
 * ours; what CRIU does not take is a dash.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sleepers.h"
#include "table.h"
#include "tool.h"

/* Where the target has its files. */
#define PLACE		"/tmp/objects"

/* Make the n-th of it; negative or false if that failed, as the call says. */
typedef int (*make_one)(unsigned int n);

static int file_of(unsigned int n, int flags)
{
	char name[64];

	snprintf(name, sizeof(name), PLACE "/%u", n);
	return open(name, flags | O_CREAT | O_RDWR, 0600);
}

static int make_file(unsigned int n)
{
	return file_of(n, 0);
}

static int make_directory(unsigned int n)
{
	(void)n;
	return open(PLACE, O_RDONLY | O_DIRECTORY);
}

static int make_deleted(unsigned int n)
{
	char name[64];
	int fd = file_of(n, 0);

	snprintf(name, sizeof(name), PLACE "/%u", n);
	return write(fd, "deleted", 7) == 7 ? unlink(name) : -1;
}

static int make_null(unsigned int n)
{
	(void)n;
	return open("/dev/null", O_RDWR);
}

static int make_pipe(unsigned int n)
{
	int fd[2];

	(void)n;
	return pipe(fd) ? -1 : write(fd[1], "bytes", 5);
}

static int make_fifo(unsigned int n)
{
	char name[64];

	snprintf(name, sizeof(name), PLACE "/fifo-%u", n);
	return mkfifo(name, 0600) ? -1 : open(name, O_RDWR);
}

static int make_eventfd(unsigned int n)
{
	return eventfd(n, 0);
}

static int make_signalfd(unsigned int n)
{
	sigset_t set;

	(void)n;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	return signalfd(-1, &set, 0);
}

static int make_timerfd(unsigned int n)
{
	struct itimerspec spec = { .it_value.tv_sec = 100000 + n };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);

	return timerfd_settime(fd, 0, &spec, NULL);
}

/* Each watches the same one. */
static int make_epoll(unsigned int n)
{
	static int watched = -1;
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = n };

	if (watched < 0)
		watched = eventfd(0, 0);
	return epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, watched, &event);
}

static int make_inotify(unsigned int n)
{
	(void)n;
	return inotify_add_watch(inotify_init(), PLACE, IN_CREATE);
}

static int make_memfd(unsigned int n)
{
	(void)n;
	return write(memfd_create("object", 0), "memory", 6);
}

static int make_pidfd(unsigned int n)
{
	(void)n;
	return syscall(SYS_pidfd_open, getpid(), 0);
}

static int make_pair(unsigned int n)
{
	int fd[2];

	(void)n;
	return socketpair(AF_UNIX, SOCK_STREAM, 0, fd) ? -1 : write(fd[0], "bytes", 5);
}

static int make_listener(unsigned int n)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	/* An abstract one. */
	snprintf(addr.sun_path + 1, sizeof(addr.sun_path) - 1, "object-%u", n);
	return bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ? -1 : listen(fd, 1);
}

static int bound(int type, unsigned int n)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_port = htons(20000 + n),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, type, 0);

	return bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ? -1 : fd;
}

static int make_udp(unsigned int n)
{
	return bound(SOCK_DGRAM, n);
}

static int make_tcp(unsigned int n)
{
	return listen(bound(SOCK_STREAM, n), 1);
}

static int make_pty(unsigned int n)
{
	(void)n;
	return open("/dev/ptmx", O_RDWR | O_NOCTTY);
}

static int make_flock(unsigned int n)
{
	return flock(file_of(n, 0), LOCK_EX);
}

static int lock_range(int fd, int command, unsigned int n)
{
	struct flock lock = { .l_type = F_WRLCK, .l_start = 2 * n, .l_len = 1 };

	return fcntl(fd, command, &lock);
}

/* Many of one file, which is opened once. */
static int make_posix_lock(unsigned int n)
{
	static int fd = -1;

	if (fd < 0)
		fd = file_of(0, 0);
	return lock_range(fd, F_SETLK, n);
}

static int make_ofd_lock(unsigned int n)
{
	static int fd = -1;

	if (fd < 0)
		fd = file_of(0, 0);
	return lock_range(fd, F_OFD_SETLK, n);
}

static int make_timer(unsigned int n)
{
	struct itimerspec spec = { .it_value.tv_sec = 100000 + n };
	timer_t timer;

	return timer_create(CLOCK_MONOTONIC, NULL, &timer) ? -1 :
	       timer_settime(timer, 0, &spec, NULL);
}

static int make_signal(unsigned int n)
{
	return sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = n });
}

static int make_mapping(unsigned int n)
{
	void *at = (void *)(0x300000000000UL + 8192UL * n);

	return mmap(at, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at ? 0 : -1;
}

static int make_file_mapping(unsigned int n)
{
	void *at = (void *)(0x300000000000UL + 8192UL * n);

	return mmap(at, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED,
		    open("/proc/self/exe", O_RDONLY | O_CLOEXEC), 0) == at ? 0 : -1;
}

static int make_shm(unsigned int n)
{
	(void)n;
	return shmat(shmget(IPC_PRIVATE, 4096, 0600), NULL, 0) == (void *)-1 ? -1 : 0;
}

static int make_sem(unsigned int n)
{
	struct sembuf buf = { .sem_op = 1, .sem_flg = SEM_UNDO };

	(void)n;
	return semop(semget(IPC_PRIVATE, 1, 0600), &buf, 1);
}

static int make_msg(unsigned int n)
{
	struct {
		long	type;
		char	text[16];
	} msg = { .type = 1 };

	(void)n;
	return msgsnd(msgget(IPC_PRIVATE, 0600), &msg, sizeof(msg.text), 0);
}

/**
 * struct object - a kind of what is counted
 * @name: of it
 * @make: makes one
 */
struct object {
	const char	*name;
	make_one	make;
};

static const struct object objects[] = {
	{ "file", make_file }, { "directory", make_directory },
	{ "deleted file", make_deleted }, { "/dev/null", make_null },
	{ "pipe", make_pipe }, { "fifo", make_fifo },
	{ "eventfd", make_eventfd }, { "signalfd", make_signalfd },
	{ "timerfd", make_timerfd }, { "epoll", make_epoll },
	{ "inotify", make_inotify }, { "memfd", make_memfd },
	{ "pidfd", make_pidfd }, { "socketpair", make_pair },
	{ "unix listener", make_listener }, { "udp", make_udp },
	{ "tcp listener", make_tcp }, { "ptmx", make_pty },
	{ "flock", make_flock }, { "posix lock", make_posix_lock },
	{ "ofd lock", make_ofd_lock }, { "timer", make_timer },
	{ "signal", make_signal }, { "mapping", make_mapping },
	{ "of a file", make_file_mapping }, { "shm", make_shm },
	{ "sem", make_sem }, { "msg", make_msg },
};

/* For who makes them, and for who restarts them. */
static int raise_limits(void)
{
	struct rlimit files = { 100000, 100000 }, signals = { 100000, 100000 };
	int fd = open("/proc/sys/fs/inotify/max_user_instances", O_WRONLY | O_CLOEXEC);

	dprintf(fd, "100000");
	close(fd);
	return setrlimit(RLIMIT_NOFILE, &files) ||
	       setrlimit(RLIMIT_SIGPENDING, &signals);
}

static void make(const void *what, unsigned int nr)
{
	const struct object *object = what;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (unsigned int n = 0; n < nr; n++)
		if (object->make(n) < 0)
			_exit(1);
}

static void remove_files(unsigned int nr)
{
	char name[64];

	for (unsigned int n = 0; n < nr; n++) {
		snprintf(name, sizeof(name), PLACE "/%u", n);
		unlink(name);
		snprintf(name, sizeof(name), PLACE "/fifo-%u", n);
		unlink(name);
	}
}

/* All of this namespace, which is ours. */
static void remove_ipc(void)
{
	struct seminfo sem;
	struct shm_info shm;
	struct msginfo msg;
	struct shmid_ds shmid;
	struct msqid_ds msqid;
	struct semid_ds semid;
	int last;

	last = shmctl(0, SHM_INFO, (struct shmid_ds *)&shm);
	for (int i = 0; i <= last; i++)
		shmctl(shmctl(i, SHM_STAT, &shmid), IPC_RMID, NULL);
	last = msgctl(0, MSG_INFO, (struct msqid_ds *)&msg);
	for (int i = 0; i <= last; i++)
		msgctl(msgctl(i, MSG_STAT, &msqid), IPC_RMID, NULL);
	last = semctl(0, 0, SEM_INFO, &sem);
	for (int i = 0; i <= last; i++)
		semctl(semctl(i, 0, SEM_STAT, &semid), 0, IPC_RMID);
}

/* What it costs with none, few and many. */
enum { NONE, FEW, MANY, COLUMNS };

struct row {
	unsigned int		nr[COLUMNS];
	struct sleepers_cost	cost[COLUMNS];
};

static int take_one(const struct object *object, struct row *row, int column,
		    bool *criu)
{
	struct sleepers_cost *cost = &row->cost[column];
	unsigned int nr = row->nr[column];
	int ret = sleepers_take(make, object, nr, 0, cost);

	remove_files(nr);
	remove_ipc();
	if (!ret && *criu && column != FEW) {
		*criu = !sleepers_take_criu(make, object, nr, 0, cost);
		remove_files(nr);
		remove_ipc();
	}
	return ret;
}

/* What one has over none. */
static double of_one(const struct row *row, int column,
		     const struct samples *some, const struct samples *none)
{
	return (samples_median(some) - samples_median(none)) / row->nr[column];
}

#define OF_ONE(row, column, what)					\
	of_one(row, column, &(row)->cost[column].what, &(row)->cost[NONE].what)

static void show_head(const struct row *row)
{
	char text[32];

	printf("\none object of so many, in microseconds\n%-14s", "");
	for (int i = 0; i < 2; i++) {
		const char *call = i ? "rstr" : "ckpt";

		snprintf(text, sizeof(text), "%s %u", call, row->nr[FEW]);
		cell_head(text);
		snprintf(text, sizeof(text), "%s %u", call, row->nr[MANY]);
		cell_head(text);
		cell_head("/ few");
	}
	cell_head("make");
	cell_head("criu dump");
	cell_head("/ ckpt");
	cell_head("restore");
	cell_head("/ rstr");
	cell_end();
}

static void show_row(const struct object *object, const struct row *row)
{
	double ckpt = OF_ONE(row, MANY, ckpt), rstr = OF_ONE(row, MANY, rstr);
	double dump = OF_ONE(row, MANY, dump);
	double restore = OF_ONE(row, MANY, restore);

	printf("%-14s", object->name);
	cell_us(OF_ONE(row, FEW, ckpt));
	cell_us(ckpt);
	cell_ratio(ckpt / OF_ONE(row, FEW, ckpt));
	cell_us(OF_ONE(row, FEW, rstr));
	cell_us(rstr);
	cell_ratio(rstr / OF_ONE(row, FEW, rstr));
	cell_us(OF_ONE(row, MANY, make));
	cell_us(dump);
	cell_ratio(dump / ckpt);
	cell_us(restore);
	cell_ratio(restore / rstr);
	cell_end();
}

/* What System V and POSIX queues are left behind goes with their namespace. */
static int measure(const struct object *object, struct row *row,
		   unsigned int rounds)
{
	bool criu = tool_criu_present();

	if (unshare(CLONE_NEWIPC))
		err(1, "unshare");
	/* The first round finds out what is in no cache. */
	for (unsigned int round = 0; round <= rounds; round++) {
		for (int column = 0; column < COLUMNS; column++)
			if (take_one(object, row, column, &criu))
				return 1;
		if (!round)
			memset(row->cost, 0, sizeof(row->cost));
	}
	if (!criu)
		for (int column = 0; column < COLUMNS; column++) {
			row->cost[column].dump.nr = 0;
			row->cost[column].restore.nr = 0;
		}
	show_row(object, row);
	return 0;
}

static int measure_apart(const struct object *object, struct row *row,
			 unsigned int rounds)
{
	int status = 1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (sleepers_begin())
			_exit(1);
		_exit(measure(object, row, rounds));
	}
	waitpid(pid, &status, 0);
	if (status)
		warnx("%s: no figures", object->name);
	return !!status;
}

int main(int argc, char **argv)
{
	unsigned int rounds = 5;
	const char *only = NULL;
	struct row row = {};
	int opt, ret = 0;

	while ((opt = getopt(argc, argv, "r:k:")) > 0) {
		if (opt == 'r')
			rounds = atoi(optarg);
		else if (opt == 'k')
			only = optarg;
		else
			argc = 0;
	}
	if (argc - optind != 2 || !rounds || rounds > SAMPLES_MAX)
		errx(2, "usage: objects [-r ROUNDS] [-k NAME] FEW MANY");
	row.nr[FEW] = atoi(argv[optind]);
	row.nr[MANY] = atoi(argv[optind + 1]);
	if (!row.nr[FEW] || !row.nr[MANY])
		errx(2, "usage: objects [-r ROUNDS] [-k NAME] FEW MANY");
	mkdir(PLACE, 0700);
	if (raise_limits())
		err(1, "objects");
	show_head(&row);
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
		if (!only || !strcmp(only, objects[i].name))
			ret |= measure_apart(&objects[i], &row, rounds);
	return ret;
}
