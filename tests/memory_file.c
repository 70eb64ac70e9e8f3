// SPDX-License-Identifier: GPL-2.0-only
/* Mapped files that are no longer what they were when it is time to restart. */
#include "ckpt_test.h"

#define PAGE		4096UL

CKPT_FIXTURE_ONLY(mapped_file);
CKPT_VARIANT(mapped_file, killed, CKPT_KILLED);

static char *map_file(int prot, int flags)
{
	int fd = open("file", O_CREAT | O_RDWR | O_CLOEXEC, 0700);
	char text[2 * PAGE], *p;

	memset(text, 'a', sizeof(text));
	NEED(write(fd, text, sizeof(text)) == sizeof(text));
	p = mmap(NULL, 2 * PAGE, prot, flags, fd, 0);
	NEED(p != MAP_FAILED);
	close(fd);
	return p;
}

CKPT_TARGET(maps_private)
{
	char *p = map_file(PROT_READ | PROT_WRITE, MAP_PRIVATE);

	p[0] = 'b';
	ckpt_point();
	CHECK_EQ(p[0], 'b');
	CHECK_EQ(p[PAGE], 'c');		/* taken as it is by now */
}

CKPT_TARGET(maps_shared)
{
	char *p = map_file(PROT_READ | PROT_WRITE, MAP_SHARED);

	p[0] = 'b';
	ckpt_point();
	CHECK_EQ(p[0], 'b');
	CHECK_EQ(p[PAGE], 'c');
}

static void take(struct __test_metadata *_metadata, struct ckpt_target *target,
		 const char *name)
{
	ASSERT_EQ(0, ckpt_start(target, name, CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_GT(ckpt_checkpoint(target, CHECKPOINT_KILL), 0)
		TH_LOG("%s", target->log);
	ckpt_kill(target);
}

/* The time of a write is as coarse as the tick. */
static void change(struct __test_metadata *_metadata,
		   struct ckpt_target *target, off_t at)
{
	int fd;

	ckpt_msleep(20);
	fd = open(ckpt_path(target, "file"), O_WRONLY);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(1, pwrite(fd, "c", 1, at));
	close(fd);
}

static void go_on(struct __test_metadata *_metadata, struct ckpt_target *target,
		  unsigned int flags)
{
	ASSERT_GT(ckpt_restart(target, flags), 0) TH_LOG("%s", target->log);
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* Refused by name, with nothing left behind: the pid is free for the next. */
static void refused(struct __test_metadata *_metadata,
		    struct ckpt_target *target, int err)
{
	EXPECT_EQ(-err, ckpt_restart(target, 0));
	EXPECT_NE(NULL, strstr(target->log, "/file"))
		TH_LOG("%s", target->log);
}

TEST_F(mapped_file, written)
{
	take(_metadata, &self->target, "maps_private");
	change(_metadata, &self->target, PAGE);
	refused(_metadata, &self->target, ESTALE);
	go_on(_metadata, &self->target, RESTART_FORCE_FILES);
}

TEST_F(mapped_file, longer)
{
	take(_metadata, &self->target, "maps_shared");
	change(_metadata, &self->target, PAGE);
	change(_metadata, &self->target, 2 * PAGE);
	refused(_metadata, &self->target, ESTALE);
	go_on(_metadata, &self->target, RESTART_FORCE_FILES);
}

/* What is mapped to be shared may be written to. */
TEST_F(mapped_file, shared_written)
{
	take(_metadata, &self->target, "maps_shared");
	change(_metadata, &self->target, PAGE);
	go_on(_metadata, &self->target, 0);
}

TEST_F(mapped_file, replaced)
{
	struct ckpt_target *target = &self->target;

	take(_metadata, target, "maps_private");
	change(_metadata, target, PAGE);
	ASSERT_EQ(0, unlink(ckpt_path(target, "file")));
	ASSERT_EQ(0, mkdir(ckpt_path(target, "file"), 0700));
	EXPECT_EQ(-ESTALE, ckpt_restart(target, 0));
	EXPECT_EQ(-ESTALE, ckpt_restart(target, RESTART_FORCE_FILES));
	rmdir(ckpt_path(target, "file"));
}

TEST_F(mapped_file, gone)
{
	take(_metadata, &self->target, "maps_private");
	ASSERT_EQ(0, unlink(ckpt_path(&self->target, "file")));
	refused(_metadata, &self->target, ENOENT);
}

/* Shorter than what is mapped: it can be mapped all the same, if that is asked. */
TEST_F(mapped_file, shorter)
{
	struct ckpt_target *target = &self->target;

	take(_metadata, target, "maps_private");
	ASSERT_EQ(0, truncate(ckpt_path(target, "file"), 1));
	refused(_metadata, target, ESTALE);
	ASSERT_GT(ckpt_restart(target, RESTART_FORCE_FILES), 0);
}

CKPT_TEST_MAIN
