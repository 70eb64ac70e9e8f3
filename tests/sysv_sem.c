// SPDX-License-Identifier: GPL-2.0-only
/*
 * Semaphores of System V: values, what semctl(2) says of them, adjustments
 * (SEM_UNDO) that take effect when whoever has them ends, and who waits.
 */
#include "ckpt_test.h"

#include <signal.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/sem.h>

union semun {
	int		val;
	struct semid_ds	*buf;
	unsigned short	*array;
};

static int make_set(key_t key, int nr)
{
	int id = semget(key, nr, IPC_CREAT | IPC_EXCL | 0640);

	NEED(id >= 0);
	return id;
}

static int op(int id, int nr, int by, int flags)
{
	struct sembuf buf = { .sem_num = nr, .sem_op = by, .sem_flg = flags };

	return semop(id, &buf, 1);
}

static int value(int id, int nr)
{
	return semctl(id, nr, GETVAL);
}

static void remove_set(int id)
{
	CHECK(!semctl(id, 0, IPC_RMID));
}

static void wait_for_value(int id, int nr, int what)
{
	for (int i = 0; i < 5000 && value(id, nr) != what; i++)
		ckpt_msleep(1);
	CHECK_EQ(value(id, nr), what);
}

CKPT_FIXTURE(sem);

CKPT_TEST(sem, values)
{
	static unsigned short set[250], get[250];
	int id = make_set(IPC_PRIVATE, 250);

	for (int i = 0; i < 250; i++)
		set[i] = i * 131;
	NEED(!semctl(id, 0, SETALL, (union semun){ .array = set }));
	ckpt_point();
	CHECK(!semctl(id, 0, GETALL, (union semun){ .array = get }));
	CHECK(!memcmp(get, set, sizeof(set)));
	CHECK_EQ(semctl(id, 7, GETPID), getpid());
	remove_set(id);
}

CKPT_TEST(sem, key)
{
	key_t key = 0x23450000 + getpid();
	int id = make_set(key, 3);

	NEED(!semctl(id, 1, SETVAL, (union semun){ .val = 32767 }));
	ckpt_point();
	CHECK_EQ(semget(key, 3, 0), id);
	CHECK_EQ(value(id, 0), 0);
	CHECK_EQ(value(id, 1), 32767);
	CHECK_EQ(semctl(id, 0, GETPID), 0);
	CHECK_EQ(semctl(id, 1, GETPID), getpid());
	remove_set(id);
}

/* Nobody has done anything with it yet. */
CKPT_TEST(sem, unused)
{
	key_t key = 0x23460000 + getpid();
	int id = make_set(key, 4);

	ckpt_point();
	CHECK_EQ(semget(key, 4, 0), id);
	CHECK_EQ(value(id, 3), 0);
	remove_set(id);
}

CKPT_TEST(sem, status)
{
	int id = make_set(IPC_PRIVATE, 5);
	struct semid_ds before = {}, after = {};

	NEED(!op(id, 2, 7, 0));
	NEED(!semctl(id, 0, IPC_STAT, (union semun){ .buf = &before }));
	before.sem_perm.uid = 1234;
	before.sem_perm.gid = 567;
	before.sem_perm.mode = 0604;
	NEED(!semctl(id, 0, IPC_SET, (union semun){ .buf = &before }));
	NEED(!semctl(id, 0, IPC_STAT, (union semun){ .buf = &before }));
	ckpt_msleep(1100);
	ckpt_point();
	CHECK(!semctl(id, 0, IPC_STAT, (union semun){ .buf = &after }));
	CHECK_EQ(after.sem_perm.mode, before.sem_perm.mode);
	CHECK_EQ(after.sem_perm.uid, 1234);
	CHECK_EQ(after.sem_perm.gid, 567);
	CHECK_EQ(after.sem_perm.cuid, before.sem_perm.cuid);
	CHECK_EQ(after.sem_perm.cgid, before.sem_perm.cgid);
	CHECK_EQ(after.sem_nsems, 5);
	CHECK_EQ(after.sem_otime, before.sem_otime);
	CHECK_EQ(after.sem_ctime, before.sem_ctime);
	remove_set(id);
}

/* Adjustments. */

CKPT_TEST(sem, undo)
{
	int id = make_set(IPC_PRIVATE, 3), status;
	int ready[2], go[2];
	pid_t pid;
	char c;

	NEED(!op(id, 0, 10, 0) && !op(id, 1, 3, 0));
	NEED(!pipe(ready) && !pipe(go));
	pid = fork();
	if (!pid) {
		NEED(!op(id, 0, -4, SEM_UNDO) && !op(id, 1, 5, SEM_UNDO));
		NEED(write(ready[1], "r", 1) == 1 && read(go[0], &c, 1) == 1);
		_exit(0);
	}
	NEED(read(ready[0], &c, 1) == 1);
	ckpt_point();
	CHECK_EQ(value(id, 0), 6);
	CHECK_EQ(value(id, 1), 8);
	CHECK_EQ(write(go[1], "g", 1), 1);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(value(id, 0), 10);
	CHECK_EQ(value(id, 1), 3);
	CHECK_EQ(value(id, 2), 0);
	remove_set(id);
}

/* Sets and adjustments of one process, all that it may still change. */
CKPT_TEST(sem, undo_own)
{
	int a = make_set(IPC_PRIVATE, 2), b = make_set(IPC_PRIVATE, 1), status;
	int gone = make_set(IPC_PRIVATE, 1);
	pid_t pid = fork();

	if (!pid) {
		NEED(!op(a, 0, 1, SEM_UNDO) && !op(b, 0, 2, SEM_UNDO));
		NEED(!op(gone, 0, 1, SEM_UNDO) && !semctl(gone, 0, IPC_RMID));
		for (;;)
			pause();
	}
	while (semctl(gone, 0, GETVAL) >= 0)
		ckpt_msleep(1);
	NEED(!op(a, 1, 1, 0));
	ckpt_point();
	CHECK_EQ(value(a, 0), 1);
	CHECK_EQ(value(b, 0), 2);
	CHECK(!kill(pid, SIGKILL));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(value(a, 0), 0);
	CHECK_EQ(value(a, 1), 1);
	CHECK_EQ(value(b, 0), 0);
	remove_set(a);
	remove_set(b);
}

static char stack[2][65536];
static volatile int child_ready, child_go;
static int shared_id;

static int adjust(void *arg)
{
	op(shared_id, 0, (long)arg, SEM_UNDO);
	__atomic_add_fetch(&child_ready, 1, __ATOMIC_SEQ_CST);
	while (!child_go)
		ckpt_msleep(1);
	return 0;
}

/* By CLONE_SYSVSEM: when the last of both ends. */
CKPT_TEST(sem, undo_shared)
{
	int flags = CLONE_VM | CLONE_SYSVSEM | SIGCHLD;
	pid_t pid;

	shared_id = make_set(IPC_PRIVATE, 1);
	NEED(!op(shared_id, 0, 1, 0));
	pid = clone(adjust, stack[0] + sizeof(stack[0]), flags, (void *)4L);
	NEED(pid > 0);
	while (!child_ready)
		ckpt_msleep(1);
	ckpt_point();
	CHECK_EQ(value(shared_id, 0), 5);
	child_go = 1;
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	/* This process has a share in it and lives. */
	CHECK_EQ(value(shared_id, 0), 5);
	remove_set(shared_id);
}

/* Waiting. */

/* A child that does so until it can. */
static pid_t waiter(int id, struct sembuf *ops, int nr,
		    const struct timespec *timeout)
{
	pid_t pid = fork();

	if (!pid)
		_exit(semtimedop(id, ops, nr, timeout) ? errno : 0);
	return pid;
}

static void wait_for_waiters(int id, int nr, int cmd, int what)
{
	for (int i = 0; i < 5000 && semctl(id, nr, cmd) != what; i++)
		ckpt_msleep(1);
	CHECK_EQ(semctl(id, nr, cmd), what);
}

static void ended(pid_t pid, int code)
{
	int status;

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), code);
}

CKPT_TEST(sem, waiting)
{
	struct sembuf down = { .sem_num = 0, .sem_op = -1 };
	struct sembuf zero = { .sem_num = 1, .sem_op = 0 };
	struct sembuf both[2] = {
		{ .sem_num = 2, .sem_op = -2, .sem_flg = SEM_UNDO },
		{ .sem_num = 3, .sem_op = 1 },
	};
	struct timespec later = { .tv_sec = 60 };
	int id = make_set(IPC_PRIVATE, 4);
	pid_t a, b, c, d;

	NEED(!op(id, 1, 1, 0));
	a = waiter(id, &down, 1, NULL);
	b = waiter(id, &zero, 1, NULL);
	c = waiter(id, both, 2, NULL);
	wait_for_waiters(id, 0, GETNCNT, 1);
	wait_for_waiters(id, 1, GETZCNT, 1);
	wait_for_waiters(id, 2, GETNCNT, 1);
	d = fork();
	if (!d)
		_exit(semop(id, &down, 1) ? errno : 0);
	wait_for_waiters(id, 0, GETNCNT, 2);
	ckpt_point();
	wait_for_waiters(id, 0, GETNCNT, 2);
	wait_for_waiters(id, 1, GETZCNT, 1);
	wait_for_waiters(id, 2, GETNCNT, 1);
	CHECK(!op(id, 1, -1, 0));
	ended(b, 0);
	CHECK(!op(id, 2, 2, 0));
	ended(c, 0);
	/* It gave back what it took as it ended. */
	wait_for_value(id, 2, 2);
	CHECK_EQ(value(id, 3), 1);
	CHECK(!op(id, 0, 2, 0));
	ended(a, 0);
	ended(d, 0);
	CHECK_EQ(semtimedop(id, &down, 1, &later), -1 + !op(id, 0, 1, 0));
	remove_set(id);
}

/* Whoever waits hears of the end of the set. */
CKPT_TEST(sem, waiting_in_vain)
{
	struct sembuf down = { .sem_num = 0, .sem_op = -1 };
	int id = make_set(IPC_PRIVATE, 1);
	pid_t pid = waiter(id, &down, 1, NULL);

	wait_for_waiters(id, 0, GETNCNT, 1);
	ckpt_point();
	wait_for_waiters(id, 0, GETNCNT, 1);
	remove_set(id);
	ended(pid, EIDRM);
}

CKPT_TEST(sem, many)
{
	static int id[100];

	for (int i = 0; i < 100; i++) {
		id[i] = make_set(IPC_PRIVATE, 1 + i % 3);
		NEED(!op(id[i], 0, 5 + i, i % 2 ? SEM_UNDO : 0));
	}
	ckpt_point();
	for (int i = 0; i < 100; i++) {
		CHECK_EQ(value(id[i], 0), 5 + i);
		remove_set(id[i]);
	}
}

/* Around the restart. */

CKPT_FIXTURE_ONLY(around);
CKPT_VARIANT(around, killed, CKPT_KILLED);

#define KEY	0x5a5a0002

CKPT_TARGET(keyed)
{
	int id = make_set(KEY, 2);

	NEED(!op(id, 0, 4, 0) && !op(id, 1, 9, 0));
	NEED(!op(id, 0, -1, SEM_UNDO));
	ckpt_ready();
	ckpt_wait();
	CHECK_EQ(value(id, 0), 3);
	CHECK_EQ(value(id, 1), 9);
	remove_set(id);
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

/* What it gave back as it was killed is taken again. */
TEST_F(around, taken_over)
{
	int id;

	killed(_metadata, &self->target, "keyed");
	id = semget(KEY, 2, 0);
	EXPECT_EQ(4, semctl(id, 0, GETVAL));
	EXPECT_LT(0, ckpt_restart(&self->target, 0));
	EXPECT_EQ(3, semctl(id, 0, GETVAL));
	ckpt_kill(&self->target);
	EXPECT_EQ(4, semctl(id, 0, GETVAL));
	EXPECT_LT(0, ckpt_restart(&self->target, 0));
	EXPECT_EQ(0, ckpt_go(&self->target));
	EXPECT_EQ(0, ckpt_end(&self->target));
	EXPECT_EQ(-1, semget(KEY, 2, 0));
}

/* A restart that fails changes nothing, and leaves none that was not there. */
TEST_F(around, fails)
{
	const char *image;
	struct stat stat;
	int id;

	killed(_metadata, &self->target, "keyed");
	id = semget(KEY, 2, 0);
	image = ckpt_path(&self->target, "image");
	ASSERT_EQ(0, lstat(image, &stat));
	ASSERT_EQ(0, truncate(image, stat.st_size - 100));
	EXPECT_REFUSED(EBADMSG, "");
	EXPECT_EQ(4, semctl(id, 0, GETVAL));
	EXPECT_EQ(0, semctl(id, 0, IPC_RMID));
	EXPECT_REFUSED(EBADMSG, "");
	EXPECT_EQ(-1, semget(KEY, 2, 0));
}

TEST_F(around, used_by_others)
{
	int id;

	killed(_metadata, &self->target, "keyed");
	id = semget(KEY, 2, 0);
	ASSERT_LE(0, id);
	EXPECT_EQ(0, op(id, 1, 1, 0));
	EXPECT_REFUSED(EBUSY, "System V semaphores");
	EXPECT_EQ(10, semctl(id, 1, GETVAL));
	EXPECT_EQ(0, semctl(id, 0, IPC_RMID));
	id = semget(KEY, 3, IPC_CREAT | 0600);
	EXPECT_REFUSED(EEXIST, "is taken");
	EXPECT_EQ(0, semctl(id, 0, IPC_RMID));
	EXPECT_LT(0, ckpt_restart(&self->target, 0));
	EXPECT_EQ(0, ckpt_go(&self->target));
	EXPECT_EQ(0, ckpt_end(&self->target));
}

static void used_by(struct __test_metadata *_metadata, int nr, int by,
		    int flags)
{
	struct ckpt_target target = { .mode = CKPT_LIVE };
	int id;

	ASSERT_EQ(0, ckpt_start(&target, "keyed", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	id = semget(KEY, 2, 0);
	EXPECT_EQ(0, op(id, nr, by, flags));
	EXPECT_EQ(0, op(id, nr, -by, flags));
	EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint(&target, 0));
	EXPECT_NE(NULL, strstr(target.log, "is shared with a process outside")) {
		TH_LOG("\"%s\"", target.log);
	}
	EXPECT_EQ(0, ckpt_go(&target));
	EXPECT_EQ(0, ckpt_end(&target));
	ckpt_clean(&target);
}

TEST(outside_value)
{
	used_by(_metadata, 1, 1, 0);
}

TEST(outside_adjustment)
{
	used_by(_metadata, 1, 1, SEM_UNDO);
}

CKPT_TEST_MAIN
