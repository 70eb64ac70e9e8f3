// SPDX-License-Identifier: GPL-2.0-only
/*
 * Images that have their pages in another way than raw and unchecked: what is in them
 * comes back, and nothing that was damaged does.
 */
#include "ckpt_test.h"

#include <linux/checkpoint_image.h>
#include <poll.h>
#include <signal.h>

#include "ckpt_image.h"
#include "ckpt_proc.h"

#define PAGE		4096UL
#define AT		((char *)0x200000000000UL)
/* Private memory is enough to be mapped from the image. */
#define PRIVATE		1200UL
#define FIRST_ZERO	300UL
#define LAST_ZERO	500UL
#define SHARED		50UL
#define CONTENTS	37UL

#define RW		(PROT_READ | PROT_WRITE)

/* ---- the target ---------------------------------------------------------- */

/* Half of it like text, that shrinks; every eighth page does not shrink at all. */
static __u64 word(size_t page, size_t i, __u64 salt)
{
	__u64 z = (page * 512 + i + salt) * 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	return page / 8 % 8 == 7 ? z : z & 0x0f00000f0f0f0000ULL;
}

static void fill(char *at, size_t nr, __u64 salt)
{
	for (size_t page = 0; page < nr; page++)
		for (size_t i = 0; i < 512; i++)
			((__u64 *)at)[page * 512 + i] = word(page, i, salt);
}

static bool filled(const char *at, size_t first, size_t end, __u64 salt)
{
	for (size_t page = first; page < end; page++)
		for (size_t i = 0; i < 512; i++)
			if (((const __u64 *)at)[page * 512 + i] !=
			    word(page, i, salt))
				return false;
	return true;
}

static bool zero(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

static char *map(void *at, size_t nr, int flags, int fd)
{
	char *p = mmap(at, nr * PAGE, RW, flags, fd, 0);

	NEED(p != MAP_FAILED);
	return p;
}

static void write_contents(int fd, __u64 salt)
{
	static char buf[CONTENTS * PAGE];

	fill(buf, CONTENTS, salt);
	NEED(write(fd, buf, sizeof(buf)) == sizeof(buf));
}

static void check_contents(int fd, __u64 salt)
{
	static char buf[CONTENTS * PAGE];

	CHECK_EQ(pread(fd, buf, sizeof(buf), 0), sizeof(buf));
	CHECK(filled(buf, 0, CONTENTS, salt));
}

CKPT_TARGET(memory)
{
	char *private = map(AT, PRIVATE, MAP_PRIVATE | MAP_ANONYMOUS |
			    MAP_FIXED_NOREPLACE, -1);
	char *shared = map(NULL, SHARED, MAP_SHARED | MAP_ANONYMOUS, -1);
	int file = open("file", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	int memfd = memfd_create("memfd", MFD_CLOEXEC);

	fill(private, PRIVATE, 1);
	memset(private + FIRST_ZERO * PAGE, 0, (LAST_ZERO - FIRST_ZERO) * PAGE);
	fill(shared, SHARED, 2);
	NEED(file >= 0 && !unlink("file") && memfd >= 0);
	write_contents(file, 3);
	write_contents(memfd, 4);
	ckpt_ready();
	ckpt_wait();
	CHECK(filled(private, 0, FIRST_ZERO, 1));
	CHECK(zero(private + FIRST_ZERO * PAGE,
		   (LAST_ZERO - FIRST_ZERO) * PAGE));
	CHECK(filled(private, LAST_ZERO, PRIVATE, 1));
	CHECK(filled(shared, 0, SHARED, 2));
	check_contents(file, 3);
	check_contents(memfd, 4);
}

/* Next to nothing, and no page of a group, or frame, that is whole. */
CKPT_TARGET(little)
{
	ckpt_ready();
	ckpt_wait();
}

/* ---- the image ----------------------------------------------------------- */

#define ROOM	(16UL << 20)

static bool load(struct ckpt_target *target, struct ckpt_image *image)
{
	int fd = open(ckpt_path(target, "image"), O_RDONLY | O_CLOEXEC);
	bool good;

	if (!image->bytes) {
		image->room = ROOM;
		image->bytes = malloc(ROOM);
	}
	good = ckpt_image_load(image, fd);
	close(fd);
	return good && image->len < ROOM;
}

static bool store(struct ckpt_target *target, const struct ckpt_image *image)
{
	int fd;
	bool good;

	unlink(ckpt_path(target, "image"));
	fd = open(ckpt_path(target, "image"), O_CREAT | O_WRONLY | O_CLOEXEC,
		  0600);
	good = write(fd, image->bytes, image->len) == (ssize_t)image->len;
	close(fd);
	return good;
}

static const struct ckpt_image_header *header_of(const struct ckpt_image *image)
{
	return (const void *)image->bytes;
}

static __u64 nr_sums(const struct ckpt_image *image)
{
	return (header_of(image)->nr_pages + CKPT_SUM_PAGES - 1) /
	       CKPT_SUM_PAGES;
}

static size_t end_of_pages(const struct ckpt_image *image)
{
	return image->tail + header_of(image)->nr_pages * PAGE;
}

/* Where the pages of the first object of a type are in a raw image. */
static size_t pages_of(const struct ckpt_image *image, __u32 type)
{
	static size_t at[CKPT_IMAGE_RECORDS];
	unsigned int nr = ckpt_image_records(image, at, CKPT_IMAGE_RECORDS);
	size_t pos = image->tail;
	__u32 owner = 0;

	for (unsigned int i = 0; i < nr; i++) {
		struct ckpt_record *rec = ckpt_image_record(image, at[i]);
		struct ckpt_rec_pagemap *map = (void *)(rec + 1);

		if (rec->type == type && !owner)
			owner = rec->ref;
		if (rec->type != CKPT_REC_PAGEMAP)
			continue;
		if (map->owner == owner)
			return pos;
		pos += map->nr_pages * PAGE;
	}
	return 0;
}

/* ---- there and back ------------------------------------------------------ */

FIXTURE(pages) {
	struct ckpt_target target;
	struct ckpt_image image;
};

FIXTURE_VARIANT(pages) {
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(pages, checksum) { .flags = CHECKPOINT_CHECKSUM };
FIXTURE_VARIANT_ADD(pages, lz4) { .flags = CHECKPOINT_LZ4 };
FIXTURE_VARIANT_ADD(pages, zstd) { .flags = CHECKPOINT_ZSTD };

FIXTURE_SETUP(pages)
{
	memset(self, 0, sizeof(*self));
	(void)variant;
}

FIXTURE_TEARDOWN(pages)
{
	ckpt_clean(&self->target);
	free(self->image.bytes);
}

static void start(struct __test_metadata *_metadata, struct ckpt_target *target,
		  const char *name)
{
	ASSERT_EQ(0, ckpt_start(target, name, CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(target));
}

static void take(struct __test_metadata *_metadata, struct ckpt_target *target,
		 unsigned int flags)
{
	ASSERT_LT(0, ckpt_checkpoint(target, flags)) TH_LOG("%s", target->log);
	if (flags & CHECKPOINT_KILL)
		ckpt_kill(target);
}

static void finish(struct __test_metadata *_metadata, struct ckpt_target *target)
{
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

TEST_F(pages, killed)
{
	start(_metadata, &self->target, "memory");
	take(_metadata, &self->target, variant->flags | CHECKPOINT_KILL);
	ASSERT_LT(0, ckpt_restart(&self->target, 0))
		TH_LOG("%s", self->target.log);
	finish(_metadata, &self->target);
}

TEST_F(pages, eager)
{
	start(_metadata, &self->target, "memory");
	take(_metadata, &self->target, variant->flags | CHECKPOINT_KILL);
	ASSERT_LT(0, ckpt_restart(&self->target, RESTART_EAGER))
		TH_LOG("%s", self->target.log);
	finish(_metadata, &self->target);
}

/* It runs on, and so does what is made of the image after it was killed. */
TEST_F(pages, live)
{
	start(_metadata, &self->target, "memory");
	take(_metadata, &self->target, variant->flags);
	ckpt_kill(&self->target);
	ASSERT_LT(0, ckpt_restart(&self->target, 0))
		TH_LOG("%s", self->target.log);
	/* And again, from memory that may be in an image by now. */
	take(_metadata, &self->target, variant->flags | CHECKPOINT_STOP);
	ckpt_kill(&self->target);
	ASSERT_LT(0, ckpt_restart(&self->target, 0))
		TH_LOG("%s", self->target.log);
	ASSERT_EQ(0, kill(self->target.pid, SIGCONT));
	finish(_metadata, &self->target);
}

TEST_F(pages, little)
{
	start(_metadata, &self->target, "little");
	take(_metadata, &self->target, variant->flags | CHECKPOINT_KILL);
	ASSERT_LT(0, ckpt_restart(&self->target, 0))
		TH_LOG("%s", self->target.log);
	finish(_metadata, &self->target);
}

/* Through one pipe, as bytes come. */
TEST_F(pages, piped)
{
	struct ckpt_target *target = &self->target;
	pid_t writer, pid;
	int fd[2], status;

	start(_metadata, target, "memory");
	ASSERT_EQ(0, pipe2(fd, O_CLOEXEC));
	writer = fork();
	if (!writer)
		_exit(syscall(__NR_checkpoint, target->pid, fd[1],
			      variant->flags) < 0);
	close(fd[1]);
	pid = syscall(__NR_restart, 0, fd[0], RESTART_NEW_PIDS);
	ASSERT_LT(0, pid);
	ASSERT_EQ(writer, waitpid(writer, &status, 0));
	EXPECT_EQ(0, status);
	close(fd[0]);
	/* The original looks after itself, the copy is the target now. */
	ckpt_kill(target);
	target->pid = pid;
	finish(_metadata, target);
}

/* ---- what was damaged ---------------------------------------------------- */

/* Whether what is in memory is refused, and for what. */
static bool refused(struct ckpt_target *target, const struct ckpt_image *image,
		    unsigned int flags, const char *why)
{
	long ret;

	if (!store(target, image))
		return false;
	ret = ckpt_restart(target, flags);
	if (ret == -EBADMSG && strstr(target->log, why))
		return true;
	printf("# restart() is %ld: %s\n", ret, target->log);
	if (ret > 0)
		ckpt_kill(target);
	return false;
}

static bool refused_flipped(struct ckpt_target *target,
			    struct ckpt_image *image, size_t at, __u8 bit,
			    unsigned int flags)
{
	bool good;

	image->bytes[at] ^= bit;
	good = refused(target, image, flags, "image: ");
	image->bytes[at] ^= bit;
	if (!good)
		printf("# changed was byte %zu of %zu\n", at, image->len);
	return good;
}

/* A bit here and there, from the first byte of the pages on to the trailer. */
TEST_F_TIMEOUT(pages, flipped, 300)
{
	struct ckpt_image *image = &self->image;
	size_t last, step;

	start(_metadata, &self->target, "memory");
	take(_metadata, &self->target, variant->flags | CHECKPOINT_KILL);
	ASSERT_TRUE(load(&self->target, image));
	last = image->len - sizeof(struct ckpt_image_trailer) - 1;
	step = (last - image->tail) / 23;
	for (int i = 0; i < 23; i++)
		EXPECT_TRUE(refused_flipped(&self->target, image,
					    image->tail + i * step, 1 << i % 8,
					    i % 2 ? RESTART_EAGER : 0));
	for (int i = 0; i < 16; i++)
		EXPECT_TRUE(refused_flipped(&self->target, image, last - i, 64,
					    0));
	/* The rest of it was good. */
	ASSERT_TRUE(store(&self->target, image));
	ASSERT_LT(0, ckpt_restart(&self->target, 0));
	finish(_metadata, &self->target);
}

TEST_F_TIMEOUT(pages, cut, 200)
{
	struct ckpt_image *image = &self->image;
	size_t all;

	start(_metadata, &self->target, "memory");
	take(_metadata, &self->target, variant->flags | CHECKPOINT_KILL);
	ASSERT_TRUE(load(&self->target, image));
	all = image->len;
	for (size_t i = 1; i < 20; i++) {
		image->len = image->tail + (all - image->tail) * i / 20;
		EXPECT_TRUE(refused(&self->target, image, 0, "end"));
	}
	for (size_t i = 1; i < 50; i += 7) {
		image->len = all - i;
		EXPECT_TRUE(refused(&self->target, image, 0, "ends in the"));
	}
}

/* ---- checksums ----------------------------------------------------------- */

FIXTURE(checksum) {
	struct ckpt_target target;
	struct ckpt_image image;
};

FIXTURE_SETUP(checksum)
{
	memset(self, 0, sizeof(*self));
}

FIXTURE_TEARDOWN(checksum)
{
	ckpt_clean(&self->target);
	free(self->image.bytes);
}

TEST_F(checksum, size)
{
	struct ckpt_image *image = &self->image;

	start(_metadata, &self->target, "memory");
	take(_metadata, &self->target, 0);
	ASSERT_TRUE(load(&self->target, image));
	EXPECT_EQ(0, header_of(image)->incompat);
	EXPECT_EQ(end_of_pages(image) + sizeof(struct ckpt_image_trailer),
		  image->len);
	take(_metadata, &self->target, CHECKPOINT_CHECKSUM);
	ASSERT_TRUE(load(&self->target, image));
	EXPECT_EQ(CKPT_INCOMPAT_CHECKSUM, header_of(image)->incompat);
	EXPECT_EQ(end_of_pages(image) + nr_sums(image) * sizeof(__le64) +
		  sizeof(struct ckpt_image_trailer), image->len);
	finish(_metadata, &self->target);
}

/* Memory is mapped all the same. */
TEST_F(checksum, mapped)
{
	char path[64], text[64];

	start(_metadata, &self->target, "memory");
	take(_metadata, &self->target, CHECKPOINT_CHECKSUM | CHECKPOINT_KILL);
	ASSERT_LT(0, ckpt_restart(&self->target, 0))
		TH_LOG("%s", self->target.log);
	snprintf(path, sizeof(path), "/proc/%d/statm", self->target.pid);
	ckpt_read(path, text, sizeof(text));
	/* The second number is what is there, in pages. */
	EXPECT_GT(PRIVATE / 2, strtoul(strchr(text, ' '), NULL, 10))
		TH_LOG("%s", text);
	finish(_metadata, &self->target);
}

static void damage(struct __test_metadata *_metadata, struct ckpt_target *target,
		   struct ckpt_image *image, __u32 type, const char *name)
{
	size_t at = pages_of(image, type);

	ASSERT_NE(0, at);
	at += 16 * PAGE + 1234;
	image->bytes[at] ^= 4;
	EXPECT_TRUE(refused(target, image, 0, "checksum mismatch"));
	EXPECT_NE(NULL, strstr(target->log, name)) TH_LOG("%s", target->log);
	EXPECT_TRUE(refused(target, image, RESTART_EAGER, "checksum mismatch"));
	image->bytes[at] ^= 4;
}

/* Whichever way it comes back, and it is said whose it is. */
TEST_F(checksum, damaged)
{
	struct ckpt_image *image = &self->image;

	start(_metadata, &self->target, "memory");
	take(_metadata, &self->target, CHECKPOINT_CHECKSUM | CHECKPOINT_KILL);
	ASSERT_TRUE(load(&self->target, image));
	damage(_metadata, &self->target, image, CKPT_REC_MM, "of address space");
	damage(_metadata, &self->target, image, CKPT_REC_SHMEM,
	       "of shared memory");
	damage(_metadata, &self->target, image, CKPT_REC_DELETED,
	       "of deleted file");
	damage(_metadata, &self->target, image, CKPT_REC_MEMFD, "of memfd");
}

/* Only what is in it counts: of what is had from a parent it has no pages. */
TEST_F(checksum, incremental)
{
	struct ckpt_target *target = &self->target;
	struct ckpt_image *image = &self->image;
	struct checkpoint_args args = {};
	int fd;

	start(_metadata, target, "memory");
	take(_metadata, target, CHECKPOINT_TRACK | CHECKPOINT_CHECKSUM);
	ASSERT_TRUE(load(target, image));
	memcpy(args.parent, header_of(image)->uuid, sizeof(args.parent));
	fd = open(ckpt_path(target, "image"), O_WRONLY | O_TRUNC | O_CLOEXEC);
	ASSERT_LT(0, syscall(__NR_checkpoint, target->pid, fd,
			     CHECKPOINT_PARENT | CHECKPOINT_CHECKSUM, -1, &args,
			     sizeof(args)));
	close(fd);
	ASSERT_TRUE(load(target, image));
	EXPECT_EQ(CKPT_INCOMPAT_PARENT | CKPT_INCOMPAT_CHECKSUM,
		  header_of(image)->incompat);
	EXPECT_GT(PRIVATE / 2, header_of(image)->nr_pages);
	EXPECT_EQ(end_of_pages(image) + nr_sums(image) * sizeof(__le64) +
		  sizeof(struct ckpt_image_trailer), image->len);
	finish(_metadata, target);
}

/* ---- frames -------------------------------------------------------------- */

FIXTURE(frames) {
	struct ckpt_target target;
	struct ckpt_image image;
};

FIXTURE_VARIANT(frames) {
	unsigned int flags;
	__u64 feature;
};

FIXTURE_VARIANT_ADD(frames, lz4) {
	.flags = CHECKPOINT_LZ4,
	.feature = CKPT_INCOMPAT_LZ4,
};

FIXTURE_VARIANT_ADD(frames, zstd) {
	.flags = CHECKPOINT_ZSTD,
	.feature = CKPT_INCOMPAT_ZSTD,
};

FIXTURE_SETUP(frames)
{
	memset(self, 0, sizeof(*self));
	start(_metadata, &self->target, "memory");
	take(_metadata, &self->target, variant->flags | CHECKPOINT_KILL);
	ASSERT_TRUE(load(&self->target, &self->image));
}

FIXTURE_TEARDOWN(frames)
{
	ckpt_clean(&self->target);
	free(self->image.bytes);
}

static struct ckpt_frame *last_frame(const struct ckpt_image *image)
{
	struct ckpt_frame *frame, *last = NULL;

	for (unsigned int i = 0; (frame = ckpt_image_frame(image, i)); i++)
		last = frame;
	return last;
}

/* What is compressed is so, and what can't be is left as it is; all pages are there. */
TEST_F(frames, made)
{
	struct ckpt_image *image = &self->image;
	unsigned int raw = 0, compressed = 0;
	struct ckpt_frame *frame;
	__u64 pages = 0, size = 0;

	EXPECT_EQ(variant->feature, header_of(image)->incompat);
	for (unsigned int i = 0; (frame = ckpt_image_frame(image, i)); i++) {
		__u64 sum = frame->sum;

		ckpt_frame_seal(image, frame);
		EXPECT_EQ(sum, frame->sum);
		EXPECT_GE(CKPT_FRAME_PAGES, frame->nr_pages);
		EXPECT_GE(frame->nr_pages * PAGE, frame->size);
		if (frame->size == frame->nr_pages * PAGE)
			raw++;
		else
			compressed++;
		pages += frame->nr_pages;
		size += sizeof(*frame) + frame->size;
	}
	EXPECT_EQ(header_of(image)->nr_pages, pages);
	EXPECT_EQ(image->len, image->tail + size +
		  sizeof(struct ckpt_image_trailer));
	TH_LOG("%u frames raw, %u compressed, %llu%%", raw, compressed,
	       size * 100 / (pages * PAGE));
	EXPECT_LT(4, compressed);
	EXPECT_GT(pages * PAGE * 4 / 5, size);
}

/* To ask for checksums besides makes no difference. */
TEST_F(frames, checksum)
{
	struct ckpt_target *target = &self->target;

	ASSERT_LT(0, ckpt_restart(target, 0)) TH_LOG("%s", target->log);
	take(_metadata, target, variant->flags | CHECKPOINT_CHECKSUM);
	ASSERT_TRUE(load(target, &self->image));
	EXPECT_EQ(variant->feature, header_of(&self->image)->incompat);
	finish(_metadata, target);
}

/* Nothing of it is mapped, so the file is free again. */
TEST_F(frames, not_mapped)
{
	struct ckpt_target *target = &self->target;
	int fd;

	ASSERT_LT(0, ckpt_restart(target, 0)) TH_LOG("%s", target->log);
	fd = open(ckpt_path(target, "image"), O_WRONLY | O_TRUNC | O_CLOEXEC);
	EXPECT_LE(0, fd);
	close(fd);
	finish(_metadata, target);
}

/* With the checksum made right, as whoever means harm would. */
static bool refused_frame(struct ckpt_target *target, struct ckpt_image *image,
			  struct ckpt_frame *frame, __u32 nr_pages, __u32 size,
			  const char *why)
{
	struct ckpt_frame old = *frame;
	bool good;

	frame->nr_pages = nr_pages;
	frame->size = size;
	ckpt_frame_seal(image, frame);
	good = refused(target, image, 0, why);
	if (!good)
		printf("# a frame of %u bytes for %u pages\n", size, nr_pages);
	*frame = old;
	return good;
}

TEST_F_TIMEOUT(frames, hostile, 200)
{
	static const __u32 numbers[] = {
		0, CKPT_FRAME_PAGES + 1, 0x7fffffff, 0x80000000, 0xffffffff,
		/* That are small once they are bytes. */
		0x100000, 0x100001,
	};
	struct ckpt_frame *frame = ckpt_image_frame(&self->image, 0);
	__u32 nr = frame->nr_pages, size = frame->size;

	ASSERT_EQ(CKPT_FRAME_PAGES, nr);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		EXPECT_TRUE(refused_frame(&self->target, &self->image, frame,
					  numbers[i], size, "frame at page 0"));
		if (i != 1)
			EXPECT_TRUE(refused_frame(&self->target, &self->image,
						  frame, nr, numbers[i],
						  "frame at page 0"));
	}
	EXPECT_TRUE(refused_frame(&self->target, &self->image, frame, nr,
				  nr * PAGE + 1, "frame at page 0"));
	/* More bytes than there are. */
	frame = last_frame(&self->image);
	nr = frame->nr_pages;
	size = frame->size;
	ASSERT_GT(CKPT_FRAME_PAGES, nr);
	EXPECT_TRUE(refused_frame(&self->target, &self->image, frame,
				  CKPT_FRAME_PAGES, CKPT_FRAME_PAGES * PAGE - 1,
				  "pages, of which"));
	EXPECT_TRUE(refused_frame(&self->target, &self->image, frame, nr + 1,
				  size, "pages, of which"));
	EXPECT_TRUE(refused_frame(&self->target, &self->image, frame, nr,
				  nr * PAGE, "ends in the pages"));
}

/* What comes out is to be as many pages as it says, no byte more or less. */
TEST_F_TIMEOUT(frames, not_exact, 200)
{
	struct ckpt_frame *frame = ckpt_image_frame(&self->image, 0);
	__u32 nr = frame->nr_pages, size = frame->size;

	ASSERT_GT(nr * PAGE, size);
	EXPECT_TRUE(refused_frame(&self->target, &self->image, frame, nr - 1,
				  size, "can't be decompressed"));
	EXPECT_TRUE(refused_frame(&self->target, &self->image, frame, nr,
				  size - 1, "can't be decompressed"));
	EXPECT_TRUE(refused_frame(&self->target, &self->image, frame, nr, 1,
				  "can't be decompressed"));
	frame = last_frame(&self->image);
	ASSERT_GT(frame->nr_pages * PAGE, frame->size);
	EXPECT_TRUE(refused_frame(&self->target, &self->image, frame,
				  frame->nr_pages - 1, frame->size,
				  "can't be decompressed"));
}

/* The checksum is right, the bytes are anything. */
TEST_F_TIMEOUT(frames, garbage, 200)
{
	struct ckpt_frame *frame = ckpt_image_frame(&self->image, 1);
	struct ckpt_image *image = &self->image;
	__u8 *bytes = (__u8 *)(frame + 1);
	unsigned int taken = 0;

	srand(1);
	for (unsigned int i = 0; i < 60; i++) {
		size_t at = i < 20 ? i : rand() % frame->size;
		__u8 old = bytes[at];
		long ret;

		bytes[at] ^= 1 << rand() % 8;
		ckpt_frame_seal(image, frame);
		ASSERT_TRUE(store(&self->target, image));
		ret = ckpt_restart(&self->target, 0);
		/* Some change but what a page holds, which nobody can tell. */
		if (ret > 0) {
			ckpt_kill(&self->target);
			taken++;
		} else {
			EXPECT_EQ(-EBADMSG, ret);
		}
		bytes[at] = old;
	}
	TH_LOG("%u of 60 were taken", taken);
	EXPECT_GT(60, taken);
}

/* The header says otherwise. */
TEST_F(frames, other_method)
{
	struct ckpt_image_header *hdr = (void *)self->image.bytes;

	hdr->incompat ^= CKPT_INCOMPAT_COMPRESSED;
	ckpt_image_reseal(&self->image);
	EXPECT_TRUE(refused(&self->target, &self->image, 0,
			    "can't be decompressed"));
	hdr->incompat = CKPT_INCOMPAT_COMPRESSED;
	ckpt_image_reseal(&self->image);
	EXPECT_TRUE(refused(&self->target, &self->image, 0, "exclude"));
	hdr->incompat = variant->feature | CKPT_INCOMPAT_CHECKSUM;
	ckpt_image_reseal(&self->image);
	EXPECT_TRUE(refused(&self->target, &self->image, 0, "exclude"));
}

CKPT_TEST_MAIN
