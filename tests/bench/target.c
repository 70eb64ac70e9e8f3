// SPDX-License-Identifier: GPL-2.0-only
/*
 * target MIB [idle] - have so much memory, and look at the clock all the time
 *
 * With `idle` it looks for commands every millisecond and uses no time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target.h"

static volatile struct target_state *const state = (void *)TARGET_STATE;
static char *const memory = (void *)TARGET_MEMORY;
static size_t memory_size;

static int map_at(unsigned long addr, size_t size)
{
	void *p = mmap((void *)addr, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p != (void *)addr)
		return -1;
	/* A kernel without huge pages says EINVAL. */
	madvise(p, size, MADV_NOHUGEPAGE);
	return 0;
}

/* No page is zero, and none is like another. */
static void fill(void)
{
	uint64_t *p = (uint64_t *)memory, x = 88172645463325252ULL;

	for (size_t i = 0; i < memory_size / sizeof(*p); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p[i] = x;
	}
}

static uint64_t random_next(void)
{
	static uint64_t x = 88172645463325252ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

/* Of words, that are made of letters at random, the n-th is as frequent as 1/n. */
static void fill_text(void)
{
	static char words[4096][12];
	char *to = memory, *end = memory + memory_size;
	size_t len;

	for (size_t i = 0; i < 4096; i++) {
		len = 2 + random_next() % 9;
		for (size_t j = 0; j < len; j++)
			words[i][j] = 'a' + random_next() % 26;
		words[i][len] = ' ';
	}
	while (to < end) {
		/* Evenly among the powers of two. */
		size_t i = (1UL << random_next() % 12) *
			   (1 + random_next() % 1024 / 1024.0);

		len = strchr(words[i], ' ') + 1 - words[i];
		if (len > (size_t)(end - to))
			len = end - to;
		memcpy(to, words[i], len);
		to += len;
	}
}

static void touch(size_t step)
{
	for (size_t i = 0; i < memory_size; i += step)
		((volatile char *)memory)[i]++;
}

static void do_read(const char *from)
{
	uint64_t start = now_ns();

	for (size_t i = 0; i < memory_size; i += TARGET_PAGE)
		(void)*(volatile const char *)(from + i);
	state->took = now_ns() - start;
}

static int do_map(void)
{
	int fd = open((const char *)state->path, O_RDONLY | O_CLOEXEC);
	char *p = mmap(NULL, memory_size, PROT_READ, MAP_PRIVATE, fd, 0);
	int err = p == MAP_FAILED ? errno : 0;

	close(fd);
	if (err)
		return err;
	do_read(p);
	munmap(p, memory_size);
	return 0;
}

static int do_fork(void)
{
	uint64_t start = now_ns();
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	state->took = now_ns() - start;
	if (pid < 0)
		return errno;
	waitpid(pid, NULL, 0);
	return 0;
}

static int do_write(void)
{
	int fd = open((const char *)state->path,
		      O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	uint64_t start = now_ns();
	int err = 0;

	if (fd < 0)
		return errno;
	for (size_t i = 0; i < memory_size && !err; i += TARGET_MIB)
		if (write(fd, memory + i, TARGET_MIB) != (ssize_t)TARGET_MIB)
			err = errno ?: EIO;
	state->took = now_ns() - start;
	close(fd);
	return err;
}

static void obey(void)
{
	int err = 0;

	errno = 0;
	switch (state->command) {
	case TARGET_TOUCH:
		touch(TARGET_PAGE);
		break;
	case TARGET_TOUCH_SOME:
		touch(100 * TARGET_PAGE);
		break;
	case TARGET_TEXT:
		fill_text();
		break;
	case TARGET_READ:
		do_read(memory);
		break;
	case TARGET_MAP:
		err = do_map();
		break;
	case TARGET_FORK:
		err = do_fork();
		break;
	case TARGET_WRITE:
		err = do_write();
		break;
	}
	state->longest = 0;
	state->error = err;
	__atomic_store_n(&state->command, TARGET_NONE, __ATOMIC_RELEASE);
}

__attribute__((noreturn))
static void spin(bool idle)
{
	uint64_t last = now_ns(), now;

	for (;;) {
		if (idle)
			usleep(1000);
		if (__atomic_load_n(&state->command, __ATOMIC_ACQUIRE)) {
			obey();
			last = now_ns();
		}
		now = now_ns();
		if (now - last > state->longest)
			state->longest = now - last;
		if (now - last > TARGET_PAUSE)
			state->pauses[state->nr_pauses++ % TARGET_PAUSES] = now;
		last = now;
	}
}

int main(int argc, char **argv)
{
	memory_size = argc > 1 ? strtoul(argv[1], NULL, 0) * TARGET_MIB : 0;
	if (!memory_size || map_at(TARGET_STATE, TARGET_PAGE) ||
	    map_at(TARGET_MEMORY, memory_size))
		return 1;
	fill();
	state->ready = 1;
	spin(argc > 2 && !strcmp(argv[2], "idle"));
}
