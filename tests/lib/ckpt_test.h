/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of what a process has after it was checkpointed and restarted, told by
 * that process itself: the target. It is this program executed anew, so that
 * it has nothing but what it makes.
 *
 *	CKPT_FIXTURE(memory);		live, killed, self and become
 *
 *	CKPT_TEST(memory, heap)		the body is run by the target
 *	{
 *		char *p = malloc(100);	set something up
 *
 *		ckpt_point();		here it is checkpointed, and goes on
 *		CHECK(p[0] == 0);	report what is wrong
 *	}
 *
 *	CKPT_TEST_MAIN
 *
 * Where more has to be done from outside, CKPT_TARGET() names a body alone, and
 * a TEST() or TEST_F() calls the functions of ckpt_target.h. CKPT_FIXTURE_ONLY()
 * and CKPT_VARIANT() are for other sets of modes. Descriptors 1 and 2 of a target
 * are its report, a regular file that is shown if it fails; 0 is /dev/null; it
 * has no other. Its current directory is one of its own in /tmp.
 */
#ifndef CKPT_TEST_H
#define CKPT_TEST_H

#include "kselftest_harness.h"
#include "ckpt_target.h"

/* Seconds. A kernel that checks itself, emulated on a busy machine, takes its time. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	120

#define CKPT_TARGET(name)						\
	static void ckpt_body_##name(void);				\
	static void __attribute__((constructor(CKPT_PRIO_ADD)))	\
	ckpt_add_##name(void)						\
	{								\
		static struct ckpt_target_body body = {			\
			#name, ckpt_body_##name, NULL,			\
		};							\
		ckpt_target_add(&body);					\
	}								\
	static void ckpt_body_##name(void)

#define CKPT_FIXTURE_ONLY(fixture)					\
	FIXTURE(fixture) {						\
		struct ckpt_target target;				\
	};								\
	FIXTURE_VARIANT(fixture) {					\
		enum ckpt_mode mode;					\
	};								\
	FIXTURE_SETUP(fixture)						\
	{								\
		memset(self, 0, sizeof(*self));				\
		(void)variant;						\
	}								\
	FIXTURE_TEARDOWN(fixture)					\
	{								\
		ckpt_clean(&self->target);				\
	}

#define CKPT_VARIANT(fixture, name, how)				\
	FIXTURE_VARIANT_ADD(fixture, name) {				\
		.mode = how,						\
	}

#define CKPT_FIXTURE(fixture)						\
	CKPT_FIXTURE_ONLY(fixture)					\
	CKPT_VARIANT(fixture, live, CKPT_LIVE);				\
	CKPT_VARIANT(fixture, killed, CKPT_KILLED);			\
	CKPT_VARIANT(fixture, self, CKPT_SELF);				\
	CKPT_VARIANT(fixture, become, CKPT_BECOME)

#define CKPT_TEST(fixture, name)					\
	static void ckpt_body_##fixture##_##name(void);			\
	static void __attribute__((constructor(CKPT_PRIO_ADD)))	\
	ckpt_add_##fixture##_##name(void)				\
	{								\
		static struct ckpt_target_body body = {			\
			#fixture "_" #name, ckpt_body_##fixture##_##name, \
			NULL,						\
		};							\
		ckpt_target_add(&body);					\
	}								\
	TEST_F(fixture, name)						\
	{								\
		int status = ckpt_run(&self->target,			\
				      #fixture "_" #name, variant->mode); \
									\
		if (status == KSFT_SKIP)				\
			SKIP(return, "%s", self->target.log);		\
		EXPECT_EQ(0, status);					\
	}								\
	static void ckpt_body_##fixture##_##name(void)

/* A test that a target is refused; see ckpt_refused(). */
#define CKPT_REFUSED(test, name, error, why)				\
	TEST(test)							\
	{								\
		struct ckpt_target target;				\
		int status = ckpt_refused(&target, name, error, why);	\
									\
		ckpt_clean(&target);					\
		if (status == KSFT_SKIP)				\
			SKIP(return, "%s", target.log);			\
		EXPECT_EQ(0, status);					\
	}

#define CKPT_TEST_MAIN		TEST_HARNESS_MAIN

#endif /* CKPT_TEST_H */
