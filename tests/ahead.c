// SPDX-License-Identifier: GPL-2.0-only
/* What a restarted process needs of its image at first, recorded and read ahead. */
#include "ckpt_test.h"
#include "ckpt_loop.h"
#include "ckpt_proc.h"

#include <sys/mount.h>

#define PAGE		4096UL
#define PAGES		2048UL
#define LEN		(PAGES * PAGE)
#define AT		((char *)0x200000000000UL)
#define DISK		(64UL << 20)
#define NAME		96
#define TEXT		4096

/* Which pages are needed. */
#define FIRST		100UL
#define NR		16UL
#define LONE		1500UL

/* In pages: how much more may be recorded, as by what is needed besides. */
#define SLACK		64UL

static __u64 word(size_t page)
{
	return page * 0x9e3779b97f4a7c15ULL | 1;
}

static __u64 *at(size_t page)
{
	return (__u64 *)(AT + page * PAGE);
}

CKPT_TARGET(needs_little)
{
	NEED(mmap(AT, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
		  MAP_FIXED_NOREPLACE, -1, 0) == AT);
	for (size_t i = 0; i < PAGES; i++)
		*at(i) = word(i);
	ckpt_point();
	for (size_t i = FIRST; i < FIRST + NR; i++)
		CHECK_EQ(*at(i), word(i));
	++*at(LONE);
	CHECK_EQ(*at(LONE), word(LONE) + 1);
}

/* Where all is: an image on a disk, and what is made of it. */
struct place {
	struct ckpt_target	target;
	char			disk[NAME];
	char			mount[NAME];
	char			image[NAME];
	char			record[NAME];
	char			says[TEXT];
	size_t			pages;
	char			*map;
};

FIXTURE(ahead) {
	struct place	place;
};

FIXTURE_SETUP(ahead)
{
	memset(self, 0, sizeof(*self));
}

FIXTURE_TEARDOWN(ahead)
{
	struct place *place = &self->place;

	if (place->map)
		munmap(place->map, place->pages * PAGE);
	ckpt_kill(&place->target);
	if (place->mount[0]) {
		umount2(place->mount, MNT_DETACH);
		rmdir(place->mount);
		unlink(place->disk);
	}
	ckpt_clean(&place->target);
}

static void forget_all(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	sync();
	if (fd < 0 || write(fd, "3", 1) != 1)
		perror("caches");
	close(fd);
}

/* An image on a disk, of which nothing is in memory; the target may go on. */
static bool setup(struct __test_metadata *_metadata,
		  struct place *place)
{
	struct ckpt_target *target = &place->target;
	char command[3 * NAME];
	struct stat st;
	int fd;

	ASSERT_EQ(0, ckpt_start(target, "needs_little", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_GT(ckpt_checkpoint(target, CHECKPOINT_KILL), 0)
		TH_LOG("%s", target->log);
	ckpt_kill(target);
	snprintf(place->disk, NAME, "/tmp/disk-XXXXXX");
	snprintf(place->mount, NAME, "/tmp/mount-XXXXXX");
	fd = mkstemp(place->disk);
	ASSERT_GE(fd, 0);
	close(fd);
	ASSERT_TRUE(mkdtemp(place->mount));
	if (ckpt_loop_mount(place->disk, DISK, place->mount))
		return false;
	snprintf(place->image, NAME, "%.64s/image", place->mount);
	snprintf(place->record, NAME, "%.64s/record", place->mount);
	snprintf(command, sizeof(command), "cp %s %s",
		 ckpt_path(target, "image"), place->image);
	ASSERT_EQ(0, system(command));
	fd = open(place->image, O_RDONLY | O_CLOEXEC);
	ASSERT_EQ(0, fstat(fd, &st));
	place->pages = (st.st_size + PAGE - 1) / PAGE;
	ASSERT_GT(place->pages, PAGES);
	place->map = mmap(NULL, place->pages * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, place->map);
	close(fd);
	ASSERT_EQ(0, ckpt_go(target));
	forget_all();
	return true;
}

/* How many pages are in memory, of so many bytes from there on. */
static size_t cached(struct place *place, size_t from, size_t len)
{
	size_t first = from / PAGE, nr = (from + len + PAGE - 1) / PAGE - first;
	unsigned char *in = malloc(nr);
	size_t sum = 0;

	if (!in || mincore(place->map + first * PAGE, nr * PAGE, in))
		perror("mincore");
	for (size_t i = 0; in && i < nr; i++)
		sum += in[i] & 1;
	free(in);
	return sum;
}

/* Run a command of the shell; what it says is in @says. Returns its status. */
static int run(struct place *place, const char *command)
{
	char line[5 * NAME];
	int status;

	snprintf(line, sizeof(line), "%s 2>%.64s/says", command, place->mount);
	status = system(line);
	snprintf(line, sizeof(line), "%.64s/says", place->mount);
	ckpt_read(line, place->says, sizeof(place->says));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int run_rstr(struct place *place, const char *option)
{
	char command[4 * NAME];

	snprintf(command, sizeof(command), "/bin/rstr %s %s <%s", option,
		 place->record, place->image);
	return run(place, command);
}

/* How many pages a record has. If @seen, how many of these are in memory. */
static size_t record_pages(struct place *place, size_t *seen)
{
	FILE *in = fopen(place->record, "re");
	size_t from, len, sum = 0;
	char line[NAME];

	if (!in || !fgets(line, sizeof(line), in))
		return 0;
	while (fscanf(in, "%zu %zu", &from, &len) == 2) {
		sum += (len + PAGE - 1) / PAGE;
		if (seen)
			*seen += cached(place, from, len);
	}
	fclose(in);
	return sum;
}

/* What is not mapped from the image is read in any case. */
static size_t others(struct place *place)
{
	return place->pages - PAGES;
}

TEST_F(ahead, recorded)
{
	struct place *place = &self->place;
	size_t pages, seen = 0;

	if (!setup(_metadata, place))
		SKIP(return, "no disk: errno %d", errno);
	ASSERT_EQ(0, run_rstr(place, "--record")) TH_LOG("%s", place->says);
	EXPECT_STREQ("", place->says);
	pages = record_pages(place, &seen);
	EXPECT_EQ(pages, seen);
	EXPECT_GT(pages, NR + 1);
	EXPECT_LT(pages, others(place) + NR + 1 + SLACK);
	EXPECT_EQ(pages, cached(place, 0, place->pages * PAGE));
}

/* What was recorded is in memory, though nobody has touched anything yet. */
TEST_F(ahead, read_ahead)
{
	struct place *place = &self->place;
	long long end = ckpt_now() + 10000;
	size_t pages, seen;
	char command[4 * NAME];
	int pid;

	if (!setup(_metadata, place))
		SKIP(return, "no disk: errno %d", errno);
	ASSERT_EQ(0, run_rstr(place, "--record")) TH_LOG("%s", place->says);
	forget_all();
	ASSERT_LT(cached(place, 0, place->pages * PAGE), NR);
	snprintf(command, sizeof(command),
		 "/bin/rstr --detach --stop --ahead %s <%s >%s.pid",
		 place->record, place->image, place->record);
	ASSERT_EQ(0, run(place, command)) TH_LOG("%s", place->says);
	do {
		ckpt_msleep(10);
		seen = 0;
		pages = record_pages(place, &seen);
	} while (seen < pages && ckpt_now() < end);
	EXPECT_EQ(pages, seen);
	EXPECT_GT(pages, NR + 1);
	snprintf(command, sizeof(command), "%s.pid", place->record);
	ckpt_read(command, place->says, sizeof(place->says));
	pid = atoi(place->says);
	ASSERT_GT(pid, 0);
	EXPECT_EQ(0, kill(pid, SIGKILL));
	/* Until it is gone its image is mapped, and the disk in use. */
	while (!kill(pid, 0) && ckpt_now() < end)
		ckpt_msleep(10);
	/* And one that goes on finds its memory as it was. */
	forget_all();
	EXPECT_EQ(0, run_rstr(place, "--ahead")) TH_LOG("%s", place->says);
}

/* What is in memory, and in use, is not taken for what was needed. */
TEST_F(ahead, in_memory_before)
{
	struct place *place = &self->place;
	volatile char sum = 0;

	if (!setup(_metadata, place))
		SKIP(return, "no disk: errno %d", errno);
	for (size_t i = 0; i < place->pages; i++)
		sum += place->map[i * PAGE];
	ASSERT_EQ(0, run_rstr(place, "--record")) TH_LOG("%s", place->says);
	EXPECT_TRUE(strstr(place->says, "pages of the image stay in memory, and are not recorded"))
		TH_LOG("%s", place->says);
	EXPECT_LT(record_pages(place, NULL), SLACK);
}

static void write_record(struct place *place, const char *head,
			 const char *line)
{
	FILE *out = fopen(place->record, "we");

	fprintf(out, "%s\n%s\n", head, line);
	fclose(out);
}

#define REFUSED(option, why)						\
	do {								\
		EXPECT_EQ(1, run_rstr(place, option));			\
		EXPECT_TRUE(strstr(place->says, why))			\
			TH_LOG("%s", place->says);			\
	} while (0)

/* Nothing is restarted then. */
TEST_F(ahead, refused)
{
	struct place *place = &self->place;
	char head[NAME] = "", command[4 * NAME];
	FILE *in;

	if (!setup(_metadata, place))
		SKIP(return, "no disk: errno %d", errno);
	REFUSED("--ahead", "No such file or directory");
	ASSERT_EQ(0, run_rstr(place, "--record"));
	in = fopen(place->record, "re");
	ASSERT_TRUE(in && fscanf(in, "%95[^\n]", head) == 1);
	fclose(in);
	write_record(place, "something else", "");
	REFUSED("--ahead", "not a record of rstr --record");
	write_record(place, "rstr-ahead-1 00000000-0000-0000-0000-000000000000",
		     "");
	REFUSED("--ahead", "the record of another image");
	write_record(place, head, "4096 4096x");
	REFUSED("--ahead", "line 2: not a range of the image");
	write_record(place, head, "4096 99999999999999");
	REFUSED("--ahead", "line 2: not a range of the image");
	write_record(place, head, "-4096 4096");
	REFUSED("--ahead", "line 2: not a range of the image");
	write_record(place, head, "0 4096");
	snprintf(command, sizeof(command), "cat %s | /bin/rstr --ahead %s",
		 place->image, place->record);
	EXPECT_EQ(1, run(place, command));
	EXPECT_TRUE(strstr(place->says, "not in a regular file"))
		TH_LOG("%s", place->says);
	EXPECT_EQ(2, run_rstr(place, "--record x --ahead"));
	EXPECT_EQ(0, run_rstr(place, "--ahead")) TH_LOG("%s", place->says);
}

/* With posix_fadvise(2), of the descriptor that the image is restarted from. */
static size_t needed(struct __test_metadata *_metadata,
		     struct place *place, int advice)
{
	int fd = open(place->image, O_RDONLY | O_CLOEXEC);
	struct ckpt_target *target = &place->target;

	forget_all();
	EXPECT_EQ(0, posix_fadvise(fd, 0, 0, advice));
	target->pid = syscall(__NR_restart, 0, fd, 0);
	EXPECT_GT(target->pid, 0);
	close(fd);
	EXPECT_EQ(0, ckpt_end(target));
	return cached(place, 0, place->pages * PAGE);
}

TEST_F(ahead, advice)
{
	struct place *place = &self->place;
	size_t normal, one_by_one;

	if (!setup(_metadata, place))
		SKIP(return, "no disk: errno %d", errno);
	normal = needed(_metadata, place, POSIX_FADV_NORMAL);
	one_by_one = needed(_metadata, place, POSIX_FADV_RANDOM);
	EXPECT_LE(one_by_one, others(place) + NR + 1);
	EXPECT_GE(normal, one_by_one + 16);
}

TEST_HARNESS_MAIN
