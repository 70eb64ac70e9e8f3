// SPDX-License-Identifier: GPL-2.0-only
/*
 * Images that somebody has changed, most of them with all checksums made right
 * again: whatever the kernel is given, it refuses it and says why, or makes a
 * task of it that can be killed; and leaves nothing behind.
 *
 * Each change is a function of a seed and a number. To have one again:
 *
 *	MUTATE_SEED=... MUTATE_FIRST=... MUTATE_COUNT=1 mutate
 */
#include "ckpt_test.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "ckpt_image.h"
#include "ckpt_leak.h"
#include "ckpt_proc.h"
#include "ckpt_tiny.h"

#ifndef MUTATE_START
#define MUTATE_START	ckpt_tiny_start
#define MUTATE_COUNT	10000
#endif
/* Namespaces that each worker is to have of its own. */
#ifndef MUTATE_UNSHARE
#define MUTATE_UNSHARE	0
#endif
/* How the image is made. */
#ifndef MUTATE_FLAGS
#define MUTATE_FLAGS	0
#endif
/* What there has to be in these. */
#ifndef MUTATE_SETUP
#define MUTATE_SETUP()	0
#endif
#define MUTATE_FRAMES	(CHECKPOINT_LZ4 | CHECKPOINT_ZSTD)
/* As many on the debug kernel, which is slow. */
#define MUTATE_FEWER	2000
#define MUTATE_ROOM	(512 * 1024)
#define MUTATE_WORKERS	2
/* How long one restart may take, in milliseconds. */
#define MUTATE_PATIENCE	60000

static struct ckpt_image original, changed;
static size_t record_at[CKPT_IMAGE_RECORDS];
static unsigned int nr_records;

/* Numbers that look random. */

static __u64 random_state;

static __u64 random_next(void)
{
	__u64 z = random_state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static size_t random_below(size_t limit)
{
	return random_next() % limit;
}

static bool random_one_in(unsigned int n)
{
	return !random_below(n);
}

/* Where in the image: a record; a field in it, or in the header now and then. */

static struct ckpt_record *random_record(size_t *at)
{
	struct ckpt_record *rec;

	/* Options of sockets are many, and all alike. */
	do {
		*at = record_at[random_below(nr_records)];
		rec = ckpt_image_record(&changed, *at);
	} while (rec->type == CKPT_REC_SOCK_OPTION && !random_one_in(8));
	return rec;
}

static __u8 *random_field(size_t size)
{
	struct ckpt_record *rec;
	size_t at, len;

	if (random_one_in(20))
		return changed.bytes + random_below(256) / size * size;
	do {
		rec = random_record(&at);
		len = rec->size;
	} while (len < size);
	/* Of its own header the fields are few, and soon all have been seen. */
	if (random_one_in(10))
		return (__u8 *)rec + random_below(sizeof(*rec)) / size * size;
	/* Long payloads have their interesting parts in front. */
	if (len > 128 && !random_one_in(3))
		len = 128;
	return (__u8 *)(rec + 1) + random_below(len / size) * size;
}

static size_t random_size(void)
{
	return 1UL << random_below(4);
}

static __u64 random_value(void)
{
	static const __u64 values[] = {
		0, 1, 2, 3, -1, -2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff,
		0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
		0x7fffffffffffffff, 0x8000000000000000, 4095, 4096, 4097,
		0x7ffffffff000, 0x7fffffffefff, 0x7ffffffff001, 0x800000000000,
		0xffff800000000000, 0x10000000, 0x10000fff, 0x10001000,
		0x10003000, 0xfffffffffffff000, 64, 65, 1UL << 40, 1UL << 52,
	};

	if (random_one_in(6))
		return random_next() >> random_below(64);
	return values[random_below(sizeof(values) / sizeof(values[0]))];
}

/* The changes. */

static void change_bits(void)
{
	__u8 *p = random_field(1);

	*p ^= 1 << random_below(8);
}

static void change_set(void)
{
	size_t size = random_size();
	__u64 value = random_value();

	memcpy(random_field(size), &value, size);
}

static void change_add(void)
{
	static const __s64 by[] = { 1, -1, 2, 8, -8, 4096, -4096, 0x100000 };
	size_t size = random_size();
	__u8 *p = random_field(size);
	__u64 value = 0;

	memcpy(&value, p, size);
	value += by[random_below(sizeof(by) / sizeof(by[0]))];
	memcpy(p, &value, size);
}

static void change_swap(void)
{
	size_t size = random_size();
	__u8 *a = random_field(size), *b = random_field(size), tmp[8];

	memcpy(tmp, a, size);
	memcpy(a, b, size);
	memcpy(b, tmp, size);
}

static void change_remove(void)
{
	size_t at;
	struct ckpt_record *rec = random_record(&at);

	ckpt_image_remove(&changed, at, ckpt_record_len(rec));
}

static void change_duplicate(void)
{
	size_t at;
	struct ckpt_record *rec = random_record(&at);
	size_t to = random_one_in(3) ? record_at[random_below(nr_records)] :
		    at + ckpt_record_len(rec);

	ckpt_image_insert(&changed, to, rec, ckpt_record_len(rec));
}

static void change_reorder(void)
{
	size_t at, len;
	struct ckpt_record *rec = random_record(&at);
	__u8 copy[65536];

	len = ckpt_record_len(rec);
	memcpy(copy, rec, len);
	ckpt_image_remove(&changed, at, len);
	nr_records = ckpt_image_records(&changed, record_at, CKPT_IMAGE_RECORDS);
	if (nr_records)
		ckpt_image_insert(&changed, record_at[random_below(nr_records)],
				  copy, len);
}

static void change_resize(void)
{
	size_t at, len = 8 * (1 + random_below(4));
	struct ckpt_record *rec = random_record(&at);
	size_t end = at + ckpt_record_len(rec);

	if (random_one_in(2)) {
		rec->size -= random_below(rec->size + 1) & 7;
	} else if (random_one_in(2) && rec->size >= len) {
		rec->size = ((rec->size + 7) & ~7U) - len;
		ckpt_image_remove(&changed, end - len, len);
	} else {
		rec->size = ((rec->size + 7) & ~7U) + len;
		ckpt_image_insert(&changed, end, NULL, len);
	}
}

/* Who is whose: a field of a task or a thread group, often another's id. */

static bool record_is_task(const struct ckpt_record *rec)
{
	return rec->type == CKPT_REC_TASK || rec->type == CKPT_REC_SIGNAL;
}

static struct ckpt_record *random_task(void)
{
	struct ckpt_record *rec, *found = NULL;
	unsigned int nr = 0;

	for (unsigned int i = 0; i < nr_records; i++) {
		rec = ckpt_image_record(&changed, record_at[i]);
		if (record_is_task(rec) && rec->size >= 48 &&
		    random_one_in(++nr))
			found = rec;
	}
	return found;
}

static void change_task(void)
{
	struct ckpt_record *rec = random_task(), *other = random_task();
	__u32 value;
	__u8 *field;

	if (!rec)
		return;
	field = (__u8 *)(rec + 1) + 4 * random_below(12);
	memcpy(&value, field, 4);
	switch (random_below(4)) {
	case 0:
		value = random_below(16);
		break;
	case 1:
		value += random_below(9) - 4;
		break;
	default:
		/* An id, or a reference, of some other one. */
		memcpy(&value, (__u8 *)(other + 1) + 4 * random_below(7), 4);
	}
	memcpy(field, &value, 4);
}

/* The page maps are most worth it. */
static void change_run(void)
{
	struct ckpt_rec_pagemap *map;
	struct ckpt_record *rec;
	__u64 value = random_value();
	size_t size = 4 << random_below(2), len;

	for (unsigned int i = 0; i < nr_records; i++) {
		rec = ckpt_image_record(&changed, record_at[i]);
		if (rec->type != CKPT_REC_PAGEMAP || rec->size < sizeof(*map) ||
		    random_one_in(2))
			continue;
		map = (struct ckpt_rec_pagemap *)(rec + 1);
		len = rec->size / size * size;
		memcpy((__u8 *)map + random_below(len / size) * size, &value,
		       size);
	}
}

/* Fewer pages or more, in agreement with the counts. */
static void change_pages(void)
{
	struct ckpt_image_header *hdr = (void *)changed.bytes;
	struct ckpt_rec_pagemap *map;
	struct ckpt_record *rec;

	hdr->nr_pages = 0;
	for (unsigned int i = 0; i < nr_records; i++) {
		rec = ckpt_image_record(&changed, record_at[i]);
		map = (struct ckpt_rec_pagemap *)(rec + 1);
		if (rec->type != CKPT_REC_PAGEMAP || rec->size < sizeof(*map))
			continue;
		map->nr_pages = 0;
		for (unsigned int j = 0; j < map->nr_runs &&
		     sizeof(*map) + 16 * j + 16 <= rec->size; j++) {
			if (random_one_in(3))
				map->runs[j].flags ^= CKPT_RUN_ZERO;
			if (random_one_in(3))
				map->runs[j].nr += random_below(3) - 1;
			if (!(map->runs[j].flags & CKPT_RUN_ZERO))
				map->nr_pages += map->runs[j].nr;
		}
		hdr->nr_pages += map->nr_pages;
	}
}

static unsigned int nr_frames(void)
{
	unsigned int nr = 0;

	while (ckpt_image_frame(&changed, nr))
		nr++;
	return nr;
}

/* What a frame says of itself, or what is in it; most are sealed again. */
static void change_frame(void)
{
	unsigned int nr = nr_frames();
	struct ckpt_frame *frame;
	__u32 value = random_value();

	if (!nr)
		return;
	frame = ckpt_image_frame(&changed, random_below(nr));
	switch (random_below(5)) {
	case 0:
		frame->nr_pages = random_one_in(2) ? random_below(66) : value;
		break;
	case 1:
		frame->size = value;
		break;
	case 2:
		frame->size += random_below(9) - 4;
		break;
	default:
		((__u8 *)frame)[random_below(sizeof(*frame) +
					     random_below(4096)) %
				(changed.len - ((__u8 *)frame - changed.bytes))] ^=
			1 << random_below(8);
	}
	if (!random_one_in(8))
		ckpt_frame_seal(&changed, frame);
}

static void change_cut(void)
{
	changed.len = random_below(changed.len);
	changed.meta = changed.meta < changed.len ? changed.meta : changed.len;
	changed.tail = changed.tail < changed.len ? changed.tail : changed.len;
	if (changed.meta >= CKPT_IMAGE_FIRST)
		return;
	changed.len = CKPT_IMAGE_FIRST;
	changed.meta = changed.len;
	changed.tail = changed.len;
}

static void (*const changes[])(void) = {
	change_bits, change_bits, change_bits, change_set, change_set,
	change_set, change_set, change_add, change_add, change_swap,
	change_remove, change_duplicate, change_reorder, change_resize,
	change_run, change_run, change_pages, change_task, change_task,
	change_task,
};

static void change(__u64 seed, unsigned int index)
{
	unsigned int times;

	random_state = seed + ((__u64)index << 32);
	ckpt_image_copy(&changed, &original);
	times = 1 + (random_one_in(4) ? random_below(4) : 0);
	while (times--) {
		nr_records = ckpt_image_records(&changed, record_at, CKPT_IMAGE_RECORDS);
		if (!nr_records)
			break;
		if ((MUTATE_FLAGS & MUTATE_FRAMES) && random_one_in(2))
			change_frame();
		else
			changes[random_below(sizeof(changes) /
					     sizeof(changes[0]))]();
	}
	if (random_one_in(30)) {
		change_cut();
		return;
	}
	if (random_one_in(12))
		return;
	if (!random_one_in(8))
		ckpt_image_recount(&changed, !random_one_in(4));
	ckpt_image_reseal(&changed);
}

/* What is done with each. */

/**
 * struct mutate_worker - what a worker tells of itself, in shared memory
 * @index: the change that is tried
 * @tried: how many have been
 * @taken: how many of them were taken for an image
 * @failed: what was wrong
 */
struct mutate_worker {
	unsigned int	index;
	unsigned int	tried;
	unsigned int	taken;
	bool		failed;
};

/* What is left of a tree whose root has ended are the worker's children. */
static void mutate_bury(void)
{
	char path[64], text[4096], *at, *end;
	pid_t pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	do {
		text[ckpt_read(path, text, sizeof(text) - 1)] = 0;
		for (at = text; (pid = strtol(at, &end, 10)) > 0; at = end) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, __WALL);
		}
	} while (at != text);
}

static const char *mutate_verdict(long ret, int logfd, bool *taken)
{
	struct stat stat;

	*taken = ret > 0;
	if (ret > 0) {
		kill(ret, SIGKILL);
		if (waitpid(ret, NULL, __WALL) != ret)
			return "the child can't be reaped";
		mutate_bury();
	} else if (!ret || !strerrorname_np(errno)) {
		return "no errno that has a name";
	} else if (errno == EBADMSG || errno == EOPNOTSUPP) {
		if (fstat(logfd, &stat) || !stat.st_size)
			return "nothing in the log";
	}
	if (waitpid(-1, NULL, WNOHANG | __WALL) != -1 || errno != ECHILD)
		return "a child is left";
	return NULL;
}

static void mutate_one(struct mutate_worker *worker, __u64 seed, int fd,
		       int logfd)
{
	unsigned int flags = RESTART_NEW_PIDS | RESTART_LOGFD;
	const char *wrong;
	bool taken;
	long ret;

	change(seed, worker->index);
	/* Some run with what they got, others do not get to it. */
	if (random_one_in(2))
		flags |= RESTART_STOPPED;
	if (ftruncate(fd, 0) || ftruncate(logfd, 0) ||
	    pwrite(fd, changed.bytes, changed.len, 0) != (ssize_t)changed.len)
		_exit(KSFT_FAIL);
	lseek(fd, 0, SEEK_SET);
	lseek(logfd, 0, SEEK_SET);
	ret = syscall(__NR_restart, 0, fd, flags, logfd);
	wrong = mutate_verdict(ret, logfd, &taken);
	worker->taken += taken;
	if (!wrong)
		return;
	worker->failed = true;
	printf("# seed %#llx, number %u: restart() is %ld (%s): %s\n",
	       (unsigned long long)seed, worker->index, ret,
	       ret < 0 ? strerrorname_np(errno) : "", wrong);
	fflush(stdout);
}

static int mutate_file(const char *name)
{
	return open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

/* Some changes ask for much memory, which would be had. */
static void mutate_limit(void)
{
	struct rlimit as = { 1 << 30, 1 << 30 }, none = {};

	setrlimit(RLIMIT_AS, &as);
	setrlimit(RLIMIT_CORE, &none);
}

static void mutate_work(struct mutate_worker *worker, __u64 seed,
			unsigned int first, unsigned int count)
{
	char name[2][32];
	int fd, logfd;

	snprintf(name[0], sizeof(name[0]), "image-%d", getpid());
	snprintf(name[1], sizeof(name[1]), "log-%d", getpid());
	fd = mutate_file(name[0]);
	logfd = mutate_file(name[1]);
	unlink(name[0]);
	unlink(name[1]);
	if (fd < 0 || logfd < 0 || unshare(MUTATE_UNSHARE) ||
	    MUTATE_SETUP())
		_exit(KSFT_FAIL);
	mutate_limit();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	while (worker->tried < count) {
		worker->index = first + worker->tried;
		mutate_one(worker, seed, fd, logfd);
		worker->tried++;
	}
	_exit(worker->failed ? KSFT_FAIL : KSFT_PASS);
}

/* The test. */

static __u64 mutate_setting(const char *name, __u64 otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

static unsigned int mutate_count(void)
{
	char line[4096];

	ckpt_read("/proc/cmdline", line, sizeof(line));
	return strstr(line, "ckpt.debug=1") && MUTATE_FEWER < MUTATE_COUNT ?
	       MUTATE_FEWER : MUTATE_COUNT;
}

FIXTURE(mutate) {
	struct mutate_worker *workers;
	pid_t pids[MUTATE_WORKERS];
};

FIXTURE_SETUP(mutate)
{
	int fd = mutate_file("original");
	pid_t pid;

	self->workers = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	original.room = MUTATE_ROOM;
	changed.room = MUTATE_ROOM;
	original.bytes = malloc(MUTATE_ROOM);
	changed.bytes = malloc(MUTATE_ROOM);
	/* Whoever loses his parent is ours to reap. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid = MUTATE_START();
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, ckpt_tiny_wait(pid));
	ASSERT_LT(0, syscall(__NR_checkpoint, pid, fd,
			     MUTATE_FLAGS | CHECKPOINT_KILL | CHECKPOINT_LOGFD,
			     1));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	mutate_bury();
	lseek(fd, 0, SEEK_SET);
	ASSERT_TRUE(ckpt_image_load(&original, fd));
	close(fd);
}

FIXTURE_TEARDOWN(mutate)
{
	for (int i = 0; i < MUTATE_WORKERS; i++)
		if (self->pids[i] > 0)
			kill(self->pids[i], SIGKILL);
	unlink("original");
}

/* The unchanged one, so that the others are worth something. */
TEST_F(mutate, original)
{
	struct mutate_worker *worker = &self->workers[0];
	int fd = mutate_file("image"), logfd = mutate_file("log");
	struct ckpt_image_header *hdr = (void *)original.bytes;
	long pid;

	ckpt_image_copy(&changed, &original);
	ckpt_image_recount(&changed, true);
	ckpt_image_reseal(&changed);
	EXPECT_EQ(original.len, changed.len);
	EXPECT_EQ(0, memcmp(original.bytes, changed.bytes, changed.len));
	TH_LOG("%zu bytes, %llu pages, %u records", original.len,
	       (unsigned long long)hdr->nr_pages,
	       ckpt_image_records(&original, record_at, CKPT_IMAGE_RECORDS));
	ASSERT_EQ((ssize_t)changed.len,
		  pwrite(fd, changed.bytes, changed.len, 0));
	pid = syscall(__NR_restart, 0, fd, RESTART_NEW_PIDS | RESTART_LOGFD,
		      logfd);
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, ckpt_tiny_wait(pid));
	kill(pid, SIGKILL);
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
	/* The programs are to know all that the kernel does. */
	EXPECT_EQ(0, system("ckptinfo --json image >/dev/null"));
	mutate_bury();
	EXPECT_FALSE(worker->failed);
	unlink("image");
	unlink("log");
}

/* All have ended, or one makes no progress any more. */
static bool mutate_watch(struct mutate_worker *workers, pid_t *pids,
			 int *status)
{
	unsigned int seen[MUTATE_WORKERS] = {};
	long long since[MUTATE_WORKERS];
	int left = MUTATE_WORKERS;

	for (int i = 0; i < MUTATE_WORKERS; i++)
		since[i] = ckpt_now();
	while (left) {
		for (int i = 0; i < MUTATE_WORKERS; i++) {
			if (seen[i] != workers[i].tried) {
				seen[i] = workers[i].tried;
				since[i] = ckpt_now();
			}
			if (pids[i] > 0 && ckpt_now() - since[i] >
					   MUTATE_PATIENCE)
				return false;
			if (pids[i] > 0 && waitpid(pids[i], &status[i],
						   WNOHANG) == pids[i]) {
				pids[i] = 0;
				left--;
			}
		}
		ckpt_msleep(20);
	}
	return true;
}

TEST_F_TIMEOUT(mutate, changed, 290)
{
	__u64 seed = mutate_setting("MUTATE_SEED", time(NULL));
	unsigned int first = mutate_setting("MUTATE_FIRST", 0);
	unsigned int count = mutate_setting("MUTATE_COUNT", mutate_count());
	unsigned int share = (count + MUTATE_WORKERS - 1) / MUTATE_WORKERS;
	int status[MUTATE_WORKERS];
	struct ckpt_leak before;
	long taken = 0;
	bool ended;

	ckpt_leak_note(&before);
	TH_LOG("MUTATE_SEED=%#llx MUTATE_FIRST=%u MUTATE_COUNT=%u",
	       (unsigned long long)seed, first, count);
	for (int i = 0; i < MUTATE_WORKERS; i++) {
		unsigned int rest = count < share ? count : share;

		self->pids[i] = fork();
		if (!self->pids[i])
			mutate_work(&self->workers[i], seed, first, rest);
		ASSERT_LT(0, self->pids[i]);
		first += rest;
		count -= rest;
	}
	ended = mutate_watch(self->workers, self->pids, status);
	for (int i = 0; i < MUTATE_WORKERS; i++) {
		EXPECT_TRUE(ended && !status[i]) {
			TH_LOG("a worker ended with %#x, at number %u",
			       ended ? status[i] : -1, self->workers[i].index);
		}
		taken += self->workers[i].taken;
	}
	TH_LOG("%ld were taken for images", taken);
	EXPECT_TRUE(ckpt_leak_none(&before));
}

CKPT_TEST_MAIN
