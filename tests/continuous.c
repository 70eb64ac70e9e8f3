// SPDX-License-Identifier: GPL-2.0-only
/* ckpt --every: at whatever moment all ends, there is an image that is whole. */
#define _GNU_SOURCE
#include "ckpt_test.h"

#include <dirent.h>
#include <signal.h>

#define CKPT	"/bin/ckpt"
#define PAGE	4096UL
#define PAGES	1024UL

/* Each page in turn: those before have the new number, those behind the old. */
CKPT_TARGET(writes)
{
	char *memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long nr = 0;

	NEED(memory != MAP_FAILED);
	ckpt_ready();
	do {
		for (unsigned long i = 0; i < PAGES; i++) {
			unsigned long *word = (void *)(memory + i * PAGE);

			NEED(*word == nr);
			*word = nr + 1;
		}
		nr++;
		ckpt_msleep(1);
	} while (!ckpt_gone());
}

FIXTURE(continuous) {
	struct ckpt_target target;
	pid_t ckpt;
};

FIXTURE_SETUP(continuous)
{
	memset(self, 0, sizeof(*self));
	if (access(CKPT, X_OK))
		SKIP(return, "no " CKPT);
	ASSERT_EQ(0, ckpt_start(&self->target, "writes", CKPT_NEVER));
	ASSERT_EQ(0, ckpt_wait_ready(&self->target));
	ASSERT_EQ(0, symlink("series/latest.image",
			     ckpt_path(&self->target, "image")));
}

FIXTURE_TEARDOWN(continuous)
{
	if (self->ckpt) {
		kill(self->ckpt, SIGKILL);
		waitpid(self->ckpt, NULL, 0);
	}
	ckpt_clean(&self->target);
}

/* ckpt, and what it says in the target's log. */
static pid_t start_ckpt(struct ckpt_target *target, const char *keep)
{
	char pid[16];
	pid_t child;
	int fd;

	fflush(stdout);
	child = fork();
	if (child)
		return child;
	if (chdir(target->dir))
		_exit(99);
	fd = open("log", O_CREAT | O_TRUNC | O_WRONLY, 0600);
	dup2(fd, STDERR_FILENO);
	snprintf(pid, sizeof(pid), "%d", target->pid);
	execl(CKPT, "ckpt", "--every", "20ms", "--keep", keep, "-o", "series", pid,
	      NULL);
	_exit(98);
}

static int count_images(struct ckpt_target *target)
{
	DIR *dir = opendir(ckpt_path(target, "series"));
	struct dirent *entry;
	int nr = 0;

	while (dir && (entry = readdir(dir)))
		nr += entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
	if (dir)
		closedir(dir);
	return nr;
}

static bool wait_for_image(struct ckpt_target *target, const char *name)
{
	for (int i = 0; i < 4000; i++) {
		if (!access(ckpt_path(target, name), F_OK))
			return true;
		ckpt_msleep(5);
	}
	return false;
}

static int status_of(pid_t *pid)
{
	int status;

	if (waitpid(*pid, &status, 0) != *pid)
		return -1;
	*pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* The process ends, and ckpt with it; the last image goes on. */
TEST_F_TIMEOUT(continuous, process_ends, 100)
{
	struct ckpt_target *target = &self->target;

	self->ckpt = start_ckpt(target, "3");
	ASSERT_TRUE(wait_for_image(target, "series/000006.image"));
	ckpt_kill(target);
	EXPECT_EQ(0, status_of(&self->ckpt));
	EXPECT_EQ(3, count_images(target));
	EXPECT_NE(0, access(ckpt_path(target, "series/.part.image"), F_OK));
	ASSERT_LT(0, ckpt_restart(target, 0));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* ckpt itself is gone at once, in the middle of one, as after a power cut. */
TEST_F_TIMEOUT(continuous, ckpt_dies, 100)
{
	struct ckpt_target *target = &self->target;

	for (int i = 0; i < 5; i++) {
		self->ckpt = start_ckpt(target, "2");
		ASSERT_TRUE(wait_for_image(target, "series/latest.image"));
		ckpt_msleep(random() % 100);
		EXPECT_EQ(0, kill(self->ckpt, SIGKILL));
		EXPECT_EQ(-SIGKILL, status_of(&self->ckpt));
		ckpt_kill(target);
		ASSERT_LT(0, ckpt_restart(target, 0));
	}
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* Told to end: it says what it cost, and the process runs on. */
TEST_F_TIMEOUT(continuous, told_to_end, 100)
{
	struct ckpt_target *target = &self->target;
	char text[1024] = "";
	int fd;

	self->ckpt = start_ckpt(target, "1");
	ASSERT_TRUE(wait_for_image(target, "series/000003.image"));
	EXPECT_EQ(0, kill(self->ckpt, SIGTERM));
	EXPECT_EQ(-SIGTERM, status_of(&self->ckpt));
	EXPECT_EQ(1, count_images(target));
	fd = open(ckpt_path(target, "log"), O_RDONLY);
	EXPECT_LT(0, read(fd, text, sizeof(text) - 1));
	close(fd);
	EXPECT_TRUE(strstr(text, "images of pid ") && strstr(text, "stopped for "))
		TH_LOG("%s", text);
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

CKPT_TEST_MAIN
