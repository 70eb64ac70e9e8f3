// SPDX-License-Identifier: GPL-2.0-only
/*
 * Message queues of System V: messages with their types and their order, what
 * msgctl(2) says of a queue, and who waits to send or to receive.
 */
#include "ckpt_test.h"

#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>

#define TEXT	8192

struct text {
	long	type;
	char	text[TEXT];
};

static struct text out, in;

static int make_queue(key_t key)
{
	int id = msgget(key, IPC_CREAT | IPC_EXCL | 0640);

	NEED(id >= 0);
	return id;
}

static int sends(int id, long type, int len, int flags)
{
	out.type = type;
	for (int i = 0; i < len; i++)
		out.text[i] = type * 7 + i * 3 + i / 251;
	return msgsnd(id, &out, len, flags);
}

static void received(int id, long which, long type, int len)
{
	CHECK_EQ(msgrcv(id, &in, TEXT, which, IPC_NOWAIT), len);
	CHECK_EQ(in.type, type);
	for (int i = 0; i < len; i++)
		NEED(in.text[i] == (char)(type * 7 + i * 3 + i / 251));
}

static struct msqid_ds status(int id)
{
	struct msqid_ds ds = {};

	CHECK(!msgctl(id, IPC_STAT, &ds));
	return ds;
}

static void remove_queue(int id)
{
	CHECK(!msgctl(id, IPC_RMID, NULL));
}

CKPT_FIXTURE(msg);

CKPT_TEST(msg, messages)
{
	static const int lens[] = { 1, 0, 100, 4048, 4049, 5000, 33 };
	int id = make_queue(IPC_PRIVATE);

	for (int i = 0; i < 7; i++)
		NEED(!sends(id, i % 3 + 1, lens[i], 0));
	ckpt_point();
	CHECK_EQ(status(id).msg_qnum, 7);
	received(id, 2, 2, 0);
	received(id, -2, 1, 1);
	for (int i = 2; i < 7; i++)
		received(id, i == 4 ? 2 : 0, i % 3 + 1, lens[i]);
	CHECK_EQ(msgrcv(id, &in, TEXT, 0, IPC_NOWAIT), -1);
	CHECK_EQ(errno, ENOMSG);
	CHECK_EQ(status(id).__msg_cbytes, 0);
	remove_queue(id);
}

CKPT_TEST(msg, key)
{
	key_t key = 0x34560000 + getpid();
	int id = make_queue(key);

	NEED(!sends(id, 1L << 40, 64, 0));
	ckpt_point();
	CHECK_EQ(msgget(key, 0), id);
	received(id, 0, 1L << 40, 64);
	remove_queue(id);
}

CKPT_TEST(msg, unused)
{
	key_t key = 0x34570000 + getpid();
	int id = make_queue(key);

	ckpt_point();
	CHECK_EQ(msgget(key, 0), id);
	CHECK_EQ(status(id).msg_lspid, 0);
	CHECK(!sends(id, 5, 5, 0));
	received(id, 5, 5, 5);
	remove_queue(id);
}

CKPT_TEST(msg, status)
{
	int id = make_queue(IPC_PRIVATE);
	struct msqid_ds before, after;

	NEED(!sends(id, 1, 500, 0) && !sends(id, 2, 600, 0));
	received(id, 1, 1, 500);
	before = status(id);
	before.msg_perm.uid = 1234;
	before.msg_perm.gid = 567;
	before.msg_perm.mode = 0604;
	before.msg_qbytes = 700;
	NEED(!msgctl(id, IPC_SET, &before));
	before = status(id);
	ckpt_msleep(1100);
	ckpt_point();
	after = status(id);
	CHECK_EQ(after.msg_perm.mode, 0604);
	CHECK_EQ(after.msg_perm.uid, 1234);
	CHECK_EQ(after.msg_perm.gid, 567);
	CHECK_EQ(after.msg_perm.cuid, before.msg_perm.cuid);
	CHECK_EQ(after.msg_stime, before.msg_stime);
	CHECK_EQ(after.msg_rtime, before.msg_rtime);
	CHECK_EQ(after.msg_ctime, before.msg_ctime);
	CHECK_EQ(after.__msg_cbytes, 600);
	CHECK_EQ(after.msg_qnum, 1);
	CHECK_EQ(after.msg_qbytes, 700);
	CHECK_EQ(after.msg_lspid, getpid());
	CHECK_EQ(after.msg_lrpid, getpid());
	CHECK_EQ(sends(id, 1, 200, IPC_NOWAIT), -1);
	CHECK_EQ(errno, EAGAIN);
	remove_queue(id);
}

/* What all queues have together is counted. */
CKPT_TEST(msg, counted)
{
	struct msginfo before, after;
	int id = make_queue(IPC_PRIVATE);

	NEED(!sends(id, 1, 5000, 0) && !sends(id, 1, 500, 0));
	NEED(msgctl(0, MSG_INFO, (struct msqid_ds *)&before) >= 0);
	ckpt_point();
	CHECK(msgctl(0, MSG_INFO, (struct msqid_ds *)&after) >= 0);
	CHECK_EQ(after.msgmap, before.msgmap);
	CHECK_EQ(after.msgtql, before.msgtql);
	remove_queue(id);
	CHECK(msgctl(0, MSG_INFO, (struct msqid_ds *)&after) >= 0);
	CHECK_EQ(after.msgmap, before.msgmap - 2);
	CHECK_EQ(after.msgtql, before.msgtql - 5500);
}

static void ended(pid_t pid, int code)
{
	int status;

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), code);
}

static bool sleeps_in(pid_t pid, long nr)
{
	char path[32], text[64] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	NEED(fd >= 0 && read(fd, text, sizeof(text) - 1) >= 0);
	close(fd);
	return text[0] != 'r' && atol(text) == nr;
}

CKPT_TEST(msg, waiting_to_receive)
{
	int id = make_queue(IPC_PRIVATE);
	pid_t pid = fork();

	if (!pid)
		_exit(msgrcv(id, &in, TEXT, 9, 0) == 9 && in.type == 9 ? 0 : 1);
	while (!sleeps_in(pid, SYS_msgrcv))
		ckpt_msleep(1);
	ckpt_point();
	CHECK(!sends(id, 8, 8, 0));
	CHECK(!sends(id, 9, 9, 0));
	ended(pid, 0);
	received(id, 0, 8, 8);
	remove_queue(id);
}

CKPT_TEST(msg, waiting_to_send)
{
	int id = make_queue(IPC_PRIVATE);
	pid_t pid;

	while (!sends(id, 1, 4000, IPC_NOWAIT))
		;
	pid = fork();
	if (!pid)
		_exit(!!sends(id, 2, 4000, 0));
	while (!sleeps_in(pid, SYS_msgsnd))
		ckpt_msleep(1);
	ckpt_point();
	received(id, 0, 1, 4000);
	ended(pid, 0);
	received(id, 2, 2, 4000);
	remove_queue(id);
}

CKPT_TEST(msg, many)
{
	static int id[100];

	for (int i = 0; i < 100; i++) {
		id[i] = make_queue(IPC_PRIVATE);
		NEED(!sends(id[i], i + 1, i, 0));
	}
	ckpt_point();
	for (int i = 0; i < 100; i++) {
		received(id[i], 0, i + 1, i);
		remove_queue(id[i]);
	}
}

/* Around the restart. */

CKPT_FIXTURE_ONLY(around);
CKPT_VARIANT(around, killed, CKPT_KILLED);

#define KEY	0x5a5a0003

CKPT_TARGET(keyed)
{
	int id = make_queue(KEY);

	NEED(!sends(id, 1, 100, 0) && !sends(id, 2, 200, 0));
	NEED(!sends(id, 3, 300, 0));
	received(id, 3, 3, 300);
	ckpt_ready();
	ckpt_wait();
	received(id, 0, 1, 100);
	received(id, 0, 2, 200);
	CHECK_EQ(status(id).msg_qnum, 0);
	remove_queue(id);
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

/* What somebody who has ended sent meanwhile is gone. */
TEST_F(around, taken_over)
{
	pid_t pid;

	killed(_metadata, &self->target, "keyed");
	pid = fork();
	if (!pid)
		_exit(!!sends(msgget(KEY, 0), 3, 30, 0));
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_LT(0, ckpt_restart(&self->target, 0));
	EXPECT_EQ(0, ckpt_go(&self->target));
	EXPECT_EQ(0, ckpt_end(&self->target));
	EXPECT_EQ(-1, msgget(KEY, 0));
}

TEST_F(around, fails)
{
	const char *image;
	struct stat stat;
	int id;

	killed(_metadata, &self->target, "keyed");
	id = msgget(KEY, 0);
	EXPECT_EQ(100, msgrcv(id, &in, TEXT, 0, IPC_NOWAIT));
	EXPECT_REFUSED(EBUSY, "System V message queue");
	image = ckpt_path(&self->target, "image");
	ASSERT_EQ(0, lstat(image, &stat));
	ASSERT_EQ(0, truncate(image, stat.st_size - 100));
	EXPECT_EQ(0, msgctl(id, IPC_RMID, NULL));
	EXPECT_REFUSED(EBADMSG, "");
	EXPECT_EQ(-1, msgget(KEY, 0));
}

static void set_limit(const char *name, const char *value)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/kernel/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		printf("# %s can't be set\n", path);
	close(fd);
}

TEST_F(around, limits)
{
	killed(_metadata, &self->target, "keyed");
	EXPECT_EQ(0, msgctl(msgget(KEY, 0), IPC_RMID, NULL));
	set_limit("msgmax", "150");
	EXPECT_REFUSED(EINVAL, "message of 200 bytes: too large (kernel.msgmax)");
	set_limit("msgmax", "8192");
	set_limit("msgmni", "0");
	EXPECT_REFUSED(ENOSPC, "can't be made");
	set_limit("msgmni", "32000");
	EXPECT_LT(0, ckpt_restart(&self->target, 0));
	EXPECT_EQ(0, ckpt_go(&self->target));
	EXPECT_EQ(0, ckpt_end(&self->target));
}

TEST(outside)
{
	struct ckpt_target target = { .mode = CKPT_LIVE };
	int id;

	ASSERT_EQ(0, ckpt_start(&target, "keyed", CKPT_LIVE));
	ASSERT_EQ(0, ckpt_wait_ready(&target));
	id = msgget(KEY, 0);
	/* Whoever sends and receives leaves no trace of the target. */
	EXPECT_EQ(0, sends(id, 77, 10, 0));
	EXPECT_EQ(-EOPNOTSUPP, ckpt_checkpoint(&target, 0));
	EXPECT_NE(NULL, strstr(target.log, "is shared with a process outside")) {
		TH_LOG("\"%s\"", target.log);
	}
	ckpt_kill(&target);
	EXPECT_EQ(0, msgctl(id, IPC_RMID, NULL));
	ckpt_clean(&target);
}

CKPT_TEST_MAIN
