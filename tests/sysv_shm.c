// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared memory of System V: contents, attachments of each sort, what shmctl(2)
 * says of a segment; and what a restart makes of one that is still there.
 */
#include "ckpt_test.h"
#include "ckpt_proc.h"

#include <signal.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>

#define PAGE	4096
#define ALL	(64 * PAGE)

#ifndef SHM_DEST
#define SHM_DEST	01000
#define SHM_LOCKED	02000
#endif

static char data[ALL];

static void fill(char *p)
{
	for (int i = 0; i < ALL; i++)
		data[i] = i * 13 + i / 307;
	memcpy(p, data, ALL);
}

static int make_segment(key_t key)
{
	int id = shmget(key, ALL, IPC_CREAT | IPC_EXCL | 0640);

	NEED(id >= 0);
	return id;
}

static char *attach(int id, int flags)
{
	char *p = shmat(id, NULL, flags);

	NEED(p != (void *)-1);
	return p;
}

static struct shmid_ds status(int id)
{
	struct shmid_ds ds = {};

	CHECK(!shmctl(id, IPC_STAT, &ds));
	return ds;
}

static void remove_segment(int id)
{
	CHECK(!shmctl(id, IPC_RMID, NULL));
}

CKPT_FIXTURE(shm);

CKPT_TEST(shm, contents)
{
	int id = make_segment(IPC_PRIVATE);
	char *p = attach(id, 0);

	fill(p);
	ckpt_point();
	CHECK(!memcmp(p, data, ALL));
	p[0] = 'x';
	CHECK_EQ(attach(id, 0)[0], 'x');
	remove_segment(id);
}

CKPT_TEST(shm, key)
{
	key_t key = 0x12340000 + getpid();
	int id = make_segment(key);
	char *p = attach(id, 0);

	fill(p);
	ckpt_point();
	CHECK_EQ(shmget(key, ALL, 0), id);
	CHECK(!memcmp(attach(id, SHM_RDONLY), data, ALL));
	remove_segment(id);
}

static void check_status(const struct shmid_ds *is, const struct shmid_ds *ought)
{
	CHECK_EQ(is->shm_perm.mode, ought->shm_perm.mode);
	CHECK_EQ(is->shm_perm.uid, ought->shm_perm.uid);
	CHECK_EQ(is->shm_perm.gid, ought->shm_perm.gid);
	CHECK_EQ(is->shm_perm.cuid, ought->shm_perm.cuid);
	CHECK_EQ(is->shm_perm.cgid, ought->shm_perm.cgid);
	CHECK_EQ(is->shm_segsz, ought->shm_segsz);
	CHECK_EQ(is->shm_nattch, ought->shm_nattch);
	CHECK_EQ(is->shm_atime, ought->shm_atime);
	CHECK_EQ(is->shm_dtime, ought->shm_dtime);
	CHECK_EQ(is->shm_ctime, ought->shm_ctime);
	CHECK_EQ(is->shm_cpid, getpid());
	CHECK_EQ(is->shm_lpid, getpid());
}

CKPT_TEST(shm, status)
{
	int id = make_segment(IPC_PRIVATE);
	struct shmid_ds before, after;
	char *p = attach(id, 0);

	NEED(!shmdt(attach(id, 0)));
	before = status(id);
	before.shm_perm.uid = 1234;
	before.shm_perm.gid = 567;
	before.shm_perm.mode = 0604;
	NEED(!shmctl(id, IPC_SET, &before));
	before = status(id);
	ckpt_msleep(1100);
	ckpt_point();
	after = status(id);
	check_status(&after, &before);
	CHECK_EQ(p[5], 0);
	remove_segment(id);
}

CKPT_TEST(shm, read_only)
{
	int id = make_segment(IPC_PRIVATE);
	char *p = attach(id, 0), *q = attach(id, SHM_RDONLY);
	static struct ckpt_proc before;

	fill(p);
	ckpt_proc_note(&before);
	ckpt_point();
	CHECK(!memcmp(q, data, ALL));
	CHECK_EQ(mprotect(q, PAGE, PROT_READ | PROT_WRITE), -1);
	p[3] = 'y';
	CHECK_EQ(q[3], 'y');
	CHECK_EQ(status(id).shm_nattch, 2);
	CHECK(!shmdt(q));
	CHECK_EQ(status(id).shm_nattch, 1);
	remove_segment(id);
}

/* What was one attachment is one to shmdt(2) still. */
CKPT_TEST(shm, pieces)
{
	int id = make_segment(IPC_PRIVATE);
	char *p = attach(id, 0), *q = attach(id, 0);

	fill(p);
	NEED(!munmap(p + 8 * PAGE, 2 * PAGE));
	NEED(!mprotect(p + 20 * PAGE, PAGE, PROT_READ));
	NEED(status(id).shm_nattch == 5);
	ckpt_point();
	CHECK_EQ(status(id).shm_nattch, 5);
	CHECK(!memcmp(p, data, 8 * PAGE));
	CHECK(!memcmp(p + 10 * PAGE, data + 10 * PAGE, ALL - 10 * PAGE));
	q[30 * PAGE] = 'z';
	CHECK_EQ(p[30 * PAGE], 'z');
	CHECK(!shmdt(p));
	CHECK_EQ(status(id).shm_nattch, 1);
	CHECK(!shmdt(q));
	remove_segment(id);
}

CKPT_TEST(shm, moved)
{
	int id = make_segment(IPC_PRIVATE);
	char *p = attach(id, 0), *q;

	fill(p);
	q = mremap(p + 4 * PAGE, 4 * PAGE, 6 * PAGE, MREMAP_MAYMOVE);
	NEED(q != MAP_FAILED);
	ckpt_point();
	CHECK(!memcmp(q, data + 4 * PAGE, 6 * PAGE));
	CHECK(!memcmp(p, data, 4 * PAGE));
	q[5 * PAGE] = 'm';
	CHECK_EQ(p[9 * PAGE], 'm');
	remove_segment(id);
}

/* It lives as long as it is attached. */
CKPT_TEST(shm, removed)
{
	int id = make_segment(0x7650000 + getpid());
	char *p = attach(id, 0);
	struct shmid_ds ds;

	fill(p);
	remove_segment(id);
	ckpt_point();
	CHECK(!memcmp(p, data, ALL));
	ds = status(id);
	CHECK_EQ(ds.shm_perm.mode, SHM_DEST | 0640);
	CHECK_EQ(ds.shm_perm.__key, IPC_PRIVATE);
	CHECK(!shmdt(p));
	CHECK_EQ(shmctl(id, IPC_STAT, &ds), -1);
	CHECK_EQ(errno, EINVAL);
}

/* Nobody has it attached. */
CKPT_TEST(shm, idle)
{
	int id = make_segment(IPC_PRIVATE);
	char *p = attach(id, 0);

	fill(p);
	NEED(!shmdt(p));
	ckpt_point();
	CHECK_EQ(status(id).shm_nattch, 0);
	CHECK_EQ(status(id).shm_cpid, getpid());
	CHECK(!memcmp(attach(id, 0), data, ALL));
	remove_segment(id);
}

CKPT_TEST(shm, locked)
{
	int id = make_segment(IPC_PRIVATE);
	char *p = attach(id, 0);

	fill(p);
	NEED(!shmctl(id, SHM_LOCK, NULL));
	ckpt_point();
	CHECK(!memcmp(p, data, ALL));
	CHECK_EQ(status(id).shm_perm.mode & SHM_LOCKED, SHM_LOCKED);
	CHECK(!shmctl(id, SHM_UNLOCK, NULL));
	CHECK_EQ(status(id).shm_perm.mode & SHM_LOCKED, 0);
	remove_segment(id);
}

CKPT_TEST(shm, odd_size)
{
	int id = shmget(IPC_PRIVATE, 5001, SHM_NORESERVE | 0600);
	char *p = attach(id, 0);

	memset(p, 'o', 5001);
	ckpt_point();
	CHECK_EQ(status(id).shm_segsz, 5001);
	for (int i = 0; i < 5001; i++)
		NEED(p[i] == 'o');
	remove_segment(id);
}

/* A process and its child have the same attachment, and another. */
CKPT_TEST(shm, processes)
{
	int id = make_segment(IPC_PRIVATE);
	volatile int *p = (int *)attach(id, 0);
	pid_t pid = fork();
	int status;

	if (!pid) {
		volatile int *q = (int *)attach(id, 0);

		for (p[0] = 1; p[1] != 2; ckpt_msleep(1))
			;
		q[2] = 3;
		_exit(0);
	}
	while (p[0] != 1)
		ckpt_msleep(1);
	ckpt_point();
	p[1] = 2;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(p[2], 3);
	remove_segment(id);
}

CKPT_TEST(shm, many)
{
	static int id[100];
	static int *p[100];

	for (int i = 0; i < 100; i++) {
		id[i] = shmget(IPC_PRIVATE, PAGE, 0600);
		p[i] = (int *)attach(id[i], 0);
		*p[i] = i + 1000;
		NEED(i % 3 || !shmctl(id[i], IPC_RMID, NULL));
	}
	ckpt_point();
	for (int i = 0; i < 100; i++) {
		CHECK_EQ(*p[i], i + 1000);
		if (i % 3)
			remove_segment(id[i]);
	}
}

/* Around the restart. */

CKPT_FIXTURE_ONLY(around);
CKPT_VARIANT(around, killed, CKPT_KILLED);

#define KEY	0x5a5a0001

CKPT_TARGET(keyed)
{
	char *p = attach(make_segment(KEY), 0);

	fill(p);
	ckpt_ready();
	ckpt_wait();
	CHECK(!memcmp(p, data, ALL));
}

/* Without a key, and with nothing that is left of it once it is killed. */
CKPT_TARGET(nameless)
{
	int id = make_segment(IPC_PRIVATE);
	char *p = attach(id, 0);

	fill(p);
	NEED(dprintf(open("id", O_WRONLY | O_CREAT, 0600), "%d", id) > 0);
	remove_segment(id);
	ckpt_ready();
	ckpt_wait();
	CHECK(!memcmp(p, data, ALL));
}

static void killed(struct __test_metadata *_metadata,
		   struct ckpt_target *target, const char *name)
{
	ASSERT_EQ(0, ckpt_start(target, name, CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
}

#define EXPECT_REFUSED(error, text)					\
	do {								\
		EXPECT_EQ(-(error), ckpt_restart(&self->target, 0));	\
		EXPECT_NE(NULL, strstr(self->target.log, text)) {	\
			TH_LOG("\"%s\"", self->target.log);		\
		}							\
	} while (0)

/* What was written since is gone. */
TEST_F(around, taken_over)
{
	char *p;
	int id;

	killed(_metadata, &self->target, "keyed");
	id = shmget(KEY, ALL, 0);
	ASSERT_LE(0, id);
	p = shmat(id, NULL, 0);
	memset(p, 'w', ALL);
	EXPECT_REFUSED(EBUSY, "System V shared memory");
	EXPECT_EQ('w', p[ALL - 1]);
	EXPECT_EQ(0, shmdt(p));
	EXPECT_LT(0, ckpt_restart(&self->target, 0));
	EXPECT_EQ(0, ckpt_go(&self->target));
	EXPECT_EQ(0, ckpt_end(&self->target));
	EXPECT_EQ(id, shmget(KEY, ALL, 0));
	EXPECT_EQ(0, shmctl(id, IPC_RMID, NULL));
}

/* A restart that fails leaves it as it was. */
TEST_F(around, given_back)
{
	struct stat stat;
	char *p;
	int id;

	killed(_metadata, &self->target, "keyed");
	id = shmget(KEY, ALL, 0);
	ASSERT_LE(0, id);
	p = shmat(id, NULL, 0);
	memset(p, 'w', ALL);
	EXPECT_EQ(0, shmdt(p));
	ASSERT_EQ(0, lstat(ckpt_path(&self->target, "image"), &stat));
	/* The last page, and the trailer. */
	ASSERT_EQ(0, truncate(ckpt_path(&self->target, "image"),
			      stat.st_size - 100));
	EXPECT_REFUSED(EBADMSG, "");
	p = shmat(id, NULL, 0);
	ASSERT_NE((char *)-1, p);
	EXPECT_EQ('w', p[0]);
	EXPECT_EQ('w', p[ALL - 1]);
	EXPECT_EQ(0, shmdt(p));
	EXPECT_EQ(0, shmctl(id, IPC_RMID, NULL));
}

TEST_F(around, key_taken)
{
	int id;

	killed(_metadata, &self->target, "keyed");
	id = shmget(KEY, ALL, 0);
	ASSERT_LE(0, id);
	EXPECT_EQ(0, shmctl(id, IPC_RMID, NULL));
	id = shmget(KEY, PAGE, IPC_CREAT | IPC_EXCL | 0600);
	ASSERT_LE(0, id);
	EXPECT_REFUSED(EEXIST, "the key is taken, 0x5a5a0001");
	EXPECT_EQ(0, shmctl(id, IPC_RMID, NULL));
	EXPECT_LT(0, ckpt_restart(&self->target, 0));
	EXPECT_EQ(0, ckpt_go(&self->target));
	EXPECT_EQ(0, ckpt_end(&self->target));
	id = shmget(KEY, ALL, 0);
	EXPECT_EQ(0, shmctl(id, IPC_RMID, NULL));
}

static void write_next_id(int id)
{
	FILE *file = fopen("/proc/sys/kernel/shm_next_id", "w");

	fprintf(file, "%d", id);
	fclose(file);
}

TEST_F(around, id_taken)
{
	char text[32] = "";
	int id;

	killed(_metadata, &self->target, "nameless");
	ckpt_read(ckpt_path(&self->target, "id"), text, sizeof(text));
	id = atoi(text);
	write_next_id(id);
	ASSERT_EQ(id, shmget(IPC_PRIVATE, PAGE, 0600));
	EXPECT_REFUSED(EBUSY, "is another one");
	EXPECT_EQ(0, shmctl(id, IPC_RMID, NULL));
	write_next_id(id);
	ASSERT_EQ(id, shmget(KEY, ALL, IPC_CREAT | 0600));
	EXPECT_REFUSED(EEXIST, "the id is taken by another one");
	EXPECT_EQ(0, shmctl(id, IPC_RMID, NULL));
	EXPECT_LT(0, ckpt_restart(&self->target, 0));
	EXPECT_EQ(0, ckpt_go(&self->target));
	EXPECT_EQ(0, ckpt_end(&self->target));
	EXPECT_EQ(-1, shmctl(id, IPC_RMID, NULL));
}

/* One that another process has attached, too. */

TEST(outside)
{
	struct ckpt_target target = { .mode = CKPT_LIVE };
	char *p;
	int id;

	ASSERT_EQ(0, ckpt_start(&target, "keyed", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	id = shmget(KEY, ALL, 0);
	p = shmat(id, NULL, SHM_RDONLY);
	ASSERT_NE((char *)-1, p);
	EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint(&target, 0));
	EXPECT_NE(NULL, strstr(target.log, "is shared with a process outside")) {
		TH_LOG("\"%s\"", target.log);
	}
	EXPECT_EQ(0, shmdt(p));
	EXPECT_LT(0, ckpt_checkpoint(&target, 0));
	EXPECT_EQ(0, ckpt_go(&target));
	EXPECT_EQ(0, ckpt_end(&target));
	EXPECT_EQ(0, shmctl(id, IPC_RMID, NULL));
	ckpt_clean(&target);
}

CKPT_TEST_MAIN
