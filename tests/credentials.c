// SPDX-License-Identifier: GPL-2.0-only
/*
 * Credentials, and who may have what: root's images, those of others, and what
 * people who are not root can do with theirs.
 */
#include "ckpt_test.h"
#include "ckpt_image.h"
#include "ckpt_proc.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/ioprio.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER	57
#endif

#define USER	1000

/* By system calls, as the C library would tell threads of them. */
static void set_uids(uid_t uid, uid_t euid, uid_t suid)
{
	NEED(!syscall(SYS_setresuid, uid, euid, suid));
}

static void set_gids(gid_t gid, gid_t egid, gid_t sgid)
{
	NEED(!syscall(SYS_setresgid, gid, egid, sgid));
}

static void set_groups(int nr)
{
	gid_t groups[32];

	for (int i = 0; i < nr; i++)
		groups[i] = 5000 + 70001 * i;
	NEED(!syscall(SYS_setgroups, nr, groups));
}

static void become_user(void)
{
	set_groups(3);
	set_gids(USER, USER, USER);
	set_uids(USER, USER, USER);
}

/* The target as well, which leaves files behind for the test. */
static void be_user(void)
{
	NEED(!chmod(".", 0777));
	become_user();
	umask(0);
}

static void set_caps(__u64 effective, __u64 permitted, __u64 inheritable)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		data[i].effective = effective >> (32 * i);
		data[i].permitted = permitted >> (32 * i);
		data[i].inheritable = inheritable >> (32 * i);
	}
	NEED(!syscall(SYS_capset, &header, data));
}

static __u64 cap(int nr)
{
	return 1ULL << nr;
}

/* What /proc/self/status says of credentials, and what it does not. */

static const char *const status_keys[] = {
	"Uid:", "Gid:", "Groups:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:",
	"CapAmb:", "NoNewPrivs:",
};

struct creds {
	char	line[sizeof(status_keys) / sizeof(status_keys[0])][1024];
	int	securebits;
	int	keepcaps;
	int	dumpable;
	int	death_signal;
};

static void creds_note(struct creds *creds)
{
	static char text[16384];

	memset(creds, 0, sizeof(*creds));
	ckpt_read("/proc/self/status", text, sizeof(text));
	for (unsigned int i = 0; i < 9; i++) {
		char *line = strstr(text, status_keys[i]);

		NEED(line);
		memcpy(creds->line[i], line, strcspn(line, "\n"));
	}
	creds->securebits = prctl(PR_GET_SECUREBITS);
	creds->keepcaps = prctl(PR_GET_KEEPCAPS);
	creds->dumpable = prctl(PR_GET_DUMPABLE);
	NEED(!prctl(PR_GET_PDEATHSIG, &creds->death_signal));
}

static void same_creds(void)
{
	static struct creds before, after;

	umask(0);
	NEED(!chmod(".", 0777) || errno == EPERM);
	creds_note(&before);
	ckpt_point();
	creds_note(&after);
	for (unsigned int i = 0; i < 9; i++)
		CHECK_TEXT("status", after.line[i], before.line[i]);
	CHECK_EQ(after.securebits, before.securebits);
	CHECK_EQ(after.keepcaps, before.keepcaps);
	CHECK_EQ(after.dumpable, before.dumpable);
	CHECK_EQ(after.death_signal, before.death_signal);
}

CKPT_FIXTURE(credentials);

CKPT_TEST(credentials, root)
{
	same_creds();
}

CKPT_TEST(credentials, user)
{
	be_user();
	same_creds();
	CHECK_EQ(getuid(), USER);
	CHECK_EQ(setuid(0), -1);
}

/* Each of the eight another one. */
CKPT_TEST(credentials, mixed_ids)
{
	NEED(!chmod(".", 0777));
	set_gids(1001, 1002, 1003);
	setfsgid(1004);
	set_uids(2001, 0, 2003);
	setfsuid(2004);
	same_creds();
	CHECK_EQ(setfsuid(-1), 2004);
	CHECK_EQ(setfsgid(-1), 1004);
}

CKPT_TEST(credentials, no_groups)
{
	set_groups(0);
	same_creds();
}

CKPT_TEST(credentials, many_groups)
{
	set_groups(32);
	same_creds();
}

CKPT_TEST(credentials, fewer_capabilities)
{
	__u64 some = cap(CAP_NET_RAW) | cap(CAP_SYS_NICE) |
		     cap(CAP_CHECKPOINT_RESTORE) | cap(CAP_SYS_RESOURCE);

	set_caps(some & ~cap(CAP_NET_RAW), some, cap(CAP_SYS_NICE));
	same_creds();
}

CKPT_TEST(credentials, no_capabilities)
{
	set_caps(0, 0, 0);
	same_creds();
}

/* Someone who is not root, and has some of its rights. */
CKPT_TEST(credentials, user_with_capabilities)
{
	__u64 some = cap(CAP_NET_RAW) | cap(CAP_SYS_NICE);

	NEED(!chmod(".", 0777));
	NEED(!prctl(PR_SET_KEEPCAPS, 1));
	become_user();
	set_caps(cap(CAP_NET_RAW), some, cap(CAP_NET_RAW));
	NEED(!prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0));
	same_creds();
}

CKPT_TEST(credentials, bounding_set)
{
	NEED(!prctl(PR_CAPBSET_DROP, CAP_SYS_MODULE));
	NEED(!prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT));
	same_creds();
}

CKPT_TEST(credentials, keepcaps)
{
	NEED(!prctl(PR_SET_KEEPCAPS, 1));
	same_creds();
}

CKPT_TEST(credentials, securebits)
{
	NEED(!prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
				       SECBIT_NO_SETUID_FIXUP |
				       SECBIT_KEEP_CAPS_LOCKED));
	same_creds();
}

CKPT_TEST(credentials, no_new_privs)
{
	be_user();
	NEED(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	same_creds();
}

/* A change of ids clears these; they were set after it. */
CKPT_TEST(credentials, user_dumpable)
{
	be_user();
	NEED(!prctl(PR_SET_DUMPABLE, 1));
	NEED(!prctl(PR_SET_PDEATHSIG, SIGUSR1));
	same_creds();
	CHECK_EQ(prctl(PR_GET_DUMPABLE), 1);
}

/* Without root. Each test is a process of its own, which may become another. */

FIXTURE(user) {
	struct ckpt_target target;
};

FIXTURE_SETUP(user)
{
	memset(self, 0, sizeof(*self));
	become_user();
	ASSERT_EQ(0, chdir("/tmp"));
}

FIXTURE_TEARDOWN(user)
{
	ckpt_clean(&self->target);
}

CKPT_TARGET(of_user)
{
	int fd = open("file", O_CREAT | O_RDWR, 0600);
	char text[6] = "";

	NEED(fd >= 0 && write(fd, "hello", 5) == 5);
	NEED(!sigaction(SIGUSR1, &(struct sigaction){
				.sa_handler = SIG_IGN }, NULL));
	NEED(nice(3) == 3);
	same_creds();
	CHECK_EQ(getuid(), USER);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 3);
	CHECK_EQ(pread(fd, text, 5, 0), 5);
	CHECK(!strcmp(text, "hello"));
	CHECK(!raise(SIGUSR1));
}

TEST_F(user, live)
{
	EXPECT_EQ(0, ckpt_run(&self->target, "of_user", CKPT_LIVE));
}

TEST_F(user, becomes)
{
	EXPECT_EQ(0, ckpt_run(&self->target, "of_user", CKPT_BECOME));
}

TEST_F(user, killed_and_restarted)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, ckpt_start(target, "of_user", CKPT_KILLED));
	ASSERT_EQ(0, ckpt_wait_ready(target));
	ASSERT_LT(0, ckpt_checkpoint(target, CHECKPOINT_KILL));
	ckpt_kill(target);
	ASSERT_LT(0, ckpt_restart(target, RESTART_NEW_PIDS));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

TEST_F(user, checkpoints_itself)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, ckpt_start(target, "of_user", CKPT_SELF));
	ASSERT_EQ(1, ckpt_wait_ready(target));
	ckpt_kill(target);
	ASSERT_LT(0, ckpt_restart(target, RESTART_NEW_PIDS));
	EXPECT_EQ(0, ckpt_end(target));
}

/*
 * What one may not have by restart() who may not have it otherwise. The image is
 * made by root, of whatever process; then the test becomes the user.
 */

FIXTURE(denied) {
	struct ckpt_target target;
};

FIXTURE_SETUP(denied)
{
	memset(self, 0, sizeof(*self));
}

FIXTURE_TEARDOWN(denied)
{
	ckpt_clean(&self->target);
}

static void hand_over(struct ckpt_target *target, const char *name)
{
	NEED(!chown(ckpt_path(target, name), USER, USER));
}

/* By which the test, as the user, can read and remove all of it. */
static void hand_over_all(struct ckpt_target *target)
{
	hand_over(target, "");
	hand_over(target, "image");
	hand_over(target, "log");
	hand_over(target, "report");
}

static int take_image(struct ckpt_target *target, const char *name)
{
	if (ckpt_start(target, name, CKPT_KILLED) || ckpt_wait_ready(target) ||
	    ckpt_checkpoint(target, CHECKPOINT_KILL) < 0) {
		printf("# %s: %s\n", name, target->log);
		return -1;
	}
	ckpt_kill(target);
	hand_over_all(target);
	return 0;
}

static bool has_log(struct ckpt_target *target, const char *text)
{
	if (strstr(target->log, text))
		return true;
	printf("# \"%s\" does not say \"%s\"\n", target->log, text);
	return false;
}

/* In a process that would become the target: it is as before. */
static void refused_as_root_of_tree(struct ckpt_target *target, int err)
{
	struct creds *was = calloc(2, sizeof(*was)), *is = was + 1;

	creds_note(was);
	if (ckpt_restart_as(target, getpid(), 0) != -err)
		_exit(1);
	creds_note(is);
	_exit(memcmp(was, is, sizeof(*was)) ? 2 : 0);
}

static void refused(struct __test_metadata *_metadata,
		    struct ckpt_target *target, int err, const char *text)
{
	int status = -1;
	pid_t pid;

	EXPECT_EQ(-err, ckpt_restart(target, RESTART_NEW_PIDS));
	EXPECT_TRUE(has_log(target, text));
	EXPECT_EQ(-1, waitpid(-1, NULL, __WALL));
	EXPECT_EQ(ECHILD, errno);

	fflush(stdout);
	pid = fork();
	if (!pid)
		refused_as_root_of_tree(target, err);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	target->pid = 0;
}

/* name, what the target does, what the test does before it becomes the user */
#define REFUSES(name, target_does, test_does, err, text)		\
	CKPT_TARGET(denied_##name)					\
	{								\
		target_does;						\
		ckpt_point();						\
	}								\
	TEST_F(denied, name)						\
	{								\
		ASSERT_EQ(0, take_image(&self->target,			\
					"denied_" #name));		\
		test_does;						\
		become_user();						\
		refused(_metadata, &self->target, err, text);		\
	}

#define NOTHING	((void)0)

REFUSES(uid, NOTHING, NOTHING, EPERM, "uid 0: not permitted");

REFUSES(uid_saved, NEED(!chmod(".", 0777)); set_groups(3);
	set_gids(USER, USER, USER); set_uids(USER, USER, 0), NOTHING,
	EPERM, "uid 0: not permitted");

REFUSES(gid, NEED(!chmod(".", 0777)); set_groups(3); set_gids(USER, 0, USER);
	set_uids(USER, USER, USER), NOTHING, EPERM, "gid 0: not permitted");

REFUSES(groups, NEED(!chmod(".", 0777)); set_groups(4);
	set_gids(USER, USER, USER); set_uids(USER, USER, USER), NOTHING,
	EPERM, "groups: not permitted");

REFUSES(capabilities, NEED(!chmod(".", 0777));
	NEED(!prctl(PR_SET_KEEPCAPS, 1)); become_user();
	set_caps(0, cap(CAP_NET_RAW), 0), NOTHING,
	EPERM, "capabilities 0x2000: not permitted");

REFUSES(inheritable, NEED(!chmod(".", 0777));
	NEED(!prctl(PR_SET_KEEPCAPS, 1)); become_user();
	set_caps(0, cap(CAP_NET_RAW), cap(CAP_NET_RAW));
	set_caps(0, 0, cap(CAP_NET_RAW)), NOTHING,
	EPERM, "capabilities 0x2000: not permitted");

REFUSES(bounding_set, be_user(),
	NEED(!prctl(PR_CAPBSET_DROP, CAP_NET_RAW)), EPERM, "bounding set");

REFUSES(bounding_set_dropped, NEED(!prctl(PR_CAPBSET_DROP, CAP_NET_RAW));
	be_user(), NOTHING, EPERM, "bounding set");

REFUSES(securebits, NEED(!prctl(PR_SET_SECUREBITS, SECBIT_NOROOT));
	be_user(), NOTHING, EPERM, "securebits");

REFUSES(securebits_cleared, be_user(),
	NEED(!prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP_LOCKED)),
	EPERM, "securebits");

REFUSES(new_privs, be_user(), NEED(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)),
	EPERM, "no_new_privs");

REFUSES(limit, be_user(), NEED(!setrlimit(RLIMIT_CORE, &(struct rlimit){})),
	EPERM, "limit 4: not permitted to raise it");

REFUSES(nice, be_user(), NEED(nice(10) == 10), EPERM, "nice 0");

REFUSES(nice_raised, NEED(nice(-5) == -5); be_user(), NOTHING, EPERM, "nice -5");

static void be_real_time(void)
{
	struct sched_param param = { .sched_priority = 1 };

	NEED(!sched_setscheduler(0, SCHED_FIFO, &param));
}

REFUSES(real_time, be_real_time(); be_user(), NOTHING,
	EPERM, "scheduling policy 1");

static void set_ioprio(int class, int level)
{
	NEED(!syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
		      IOPRIO_PRIO_VALUE(class, level)));
}

REFUSES(ioprio, set_ioprio(IOPRIO_CLASS_RT, 4); be_user(), NOTHING,
	EPERM, "I/O priority");

static void set_oom_score(const char *text)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	NEED(fd >= 0 && write(fd, text, strlen(text)) > 0);
	close(fd);
}

REFUSES(oom_score, set_oom_score("-100"); be_user(), NOTHING,
	EPERM, "oom_score_adj -100: not permitted");

REFUSES(io_flusher, NEED(!prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0)); be_user(),
	NOTHING, EPERM, "I/O flusher");

static void filter_all(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog prog = { 1, &allow };

	NEED(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0));
}

REFUSES(seccomp, filter_all(); be_user(), NOTHING,
	EPERM, "not permitted to have filters without no_new_privs");

REFUSES(seccomp_left, be_user(), filter_all(),
	EPERM, "not permitted to be without the filters of the caller");

REFUSES(file, NEED(open("secret", O_CREAT | O_RDONLY, 0600) >= 0); be_user(),
	NOTHING, EACCES, "secret");

REFUSES(file_for_writing, NEED(open("mine", O_CREAT | O_RDWR, 0644) >= 0);
	be_user(), NOTHING, EACCES, "mine");

REFUSES(root_directory, NEED(!mkdir("root", 0755)); NEED(!chroot("root"));
	be_user(), NOTHING, EPERM, "root directory");

/* From inside it can't even be seen that the test is ready. */
static void __attribute__((noreturn)) live_in_closed(void)
{
	char ready[128];

	NEED(getcwd(ready, sizeof(ready) - 8));
	strcat(ready, "/ready");
	NEED(!chmod(".", 0777) && !mkdir("closed", 0700) && !chdir("closed"));
	become_user();
	NEED(open(ready, O_CREAT | O_WRONLY | O_CLOEXEC, 0600) >= 0);
	for (;;)
		pause();
}

REFUSES(directory, live_in_closed(), NOTHING, EACCES, "directory");

/* Pids are chosen by those who may. */
CKPT_TARGET(denied_pid)
{
	be_user();
	ckpt_point();
}

TEST_F(denied, pid)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, take_image(target, "denied_pid"));
	become_user();
	EXPECT_EQ(-EPERM, ckpt_restart(target, 0));
	EXPECT_TRUE(has_log(target, "not permitted to choose a pid"));
	EXPECT_EQ(-1, waitpid(-1, NULL, __WALL));
	/* It was for that reason alone. */
	ASSERT_LT(0, ckpt_restart(target, RESTART_NEW_PIDS));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

TEST_F(denied, pid_with_capability)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, take_image(target, "denied_pid"));
	ASSERT_EQ(0, prctl(PR_SET_KEEPCAPS, 1));
	become_user();
	set_caps(cap(CAP_CHECKPOINT_RESTORE), cap(CAP_CHECKPOINT_RESTORE), 0);
	ASSERT_LT(0, ckpt_restart(target, 0));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* Who has no_new_privs may have filters, and so may one who brings it with him. */
CKPT_TARGET(denied_filtered)
{
	be_user();
	NEED(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	filter_all();
	ckpt_point();
	CHECK_EQ(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), SECCOMP_MODE_FILTER);
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
}

TEST_F(denied, filtered_without_rights)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, take_image(target, "denied_filtered"));
	become_user();
	ASSERT_LT(0, ckpt_restart(target, RESTART_NEW_PIDS));
	ASSERT_EQ(0, ckpt_go(target));
	EXPECT_EQ(0, ckpt_end(target));
}

/* What no security module here has called anybody. */

static struct ckpt_image image;
static size_t records[256];

static bool add_label(struct ckpt_target *target, const char *text, size_t len)
{
	int fd = open(ckpt_path(target, "image"), O_RDWR | O_CLOEXEC);
	struct {
		struct ckpt_record	head;
		char			text[16];
	} label = { .head = { .type = CKPT_REC_LABEL, .size = len,
			      .flags = CKPT_RECORD_PART } };
	struct ckpt_record *rec = NULL;
	unsigned int nr, i;
	bool added = false;

	memcpy(label.text, text, len);
	image.room = 4 << 20;
	image.bytes = image.bytes ?: malloc(image.room);
	nr = image.bytes && ckpt_image_load(&image, fd) ?
	     ckpt_image_records(&image, records, 256) : 0;
	for (i = 0; i < nr && !added; i++) {
		rec = ckpt_image_record(&image, records[i]);
		added = rec->type == CKPT_REC_PRCTL;
	}
	if (added) {
		label.head.ref = rec->ref;
		added = ckpt_image_insert(&image, records[i], &label,
					  sizeof(label));
		ckpt_image_recount(&image, false);
		ckpt_image_reseal(&image);
		added &= pwrite(fd, image.bytes, image.len, 0) ==
			 (ssize_t)image.len;
	}
	close(fd);
	return added;
}

TEST_F(denied, label)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, take_image(target, "denied_pid"));
	ASSERT_TRUE(add_label(target, "system_u:r:x_t", 14));
	EXPECT_EQ(-EPERM, ckpt_restart(target, 0));
	EXPECT_TRUE(has_log(target, "label system_u:r:x_t: not permitted"));
}

TEST_F(denied, label_that_is_none)
{
	struct ckpt_target *target = &self->target;

	ASSERT_EQ(0, take_image(target, "denied_pid"));
	ASSERT_TRUE(add_label(target, "system_u\0r:x_t", 14));
	EXPECT_EQ(-EBADMSG, ckpt_restart(target, 0));
}

CKPT_TEST_MAIN
