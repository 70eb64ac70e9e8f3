// SPDX-License-Identifier: GPL-2.0-only
/* Unit tests of the table of kinds: it is complete. Included by kinds.c. */
#include <kunit/test.h>
#include <linux/string.h>

/* Page maps are written and read by the engine. */
static bool kind_is_engines(const struct ckpt_kind *kind)
{
	return kind->family == CKPT_PAGEMAP;
}

/* What is put in place when all else is there is written by another's finish(). */
static bool kind_is_link(const struct ckpt_kind *kind)
{
	return kind->link;
}

/* Tasks are created, and with them their thread groups. */
static bool kind_is_created(const struct ckpt_kind *kind)
{
	return kind->family == CKPT_TASK || kind->family == CKPT_SIGNAL;
}

/* What is said of other objects: the family of these writes it. */
static bool kind_is_remark(const struct ckpt_kind *kind)
{
	return kind->family == CKPT_REMARK && kind->apply;
}

static void kinds_are_complete(struct kunit *test)
{
	for (size_t i = 0; i < ARRAY_SIZE(ckpt_kinds); i++) {
		const struct ckpt_kind *kind = ckpt_kinds[i];

		KUNIT_ASSERT_NOT_NULL_MSG(test, kind->name, "type %#x",
					  kind->type);
		KUNIT_EXPECT_GT_MSG(test, kind->size, 0, "%s", kind->name);
		KUNIT_EXPECT_EQ_MSG(test, kind->size % 8, 0, "%s", kind->name);
		KUNIT_EXPECT_LT_MSG(test, kind->family, CKPT_NR_FAMILIES, "%s",
				    kind->name);
		KUNIT_EXPECT_EQ_MSG(test, !kind->checkpoint,
				    kind_is_engines(kind) ||
				    kind_is_link(kind) ||
				    kind_is_remark(kind), "%s", kind->name);
		KUNIT_EXPECT_EQ_MSG(test, !kind->restore,
				    kind_is_engines(kind) ||
				    kind_is_link(kind) ||
				    kind_is_remark(kind) ||
				    kind_is_created(kind), "%s", kind->name);
	}
}

static void kinds_are_unique(struct kunit *test)
{
	for (size_t i = 0; i < ARRAY_SIZE(ckpt_kinds); i++) {
		const struct ckpt_kind *kind = ckpt_kinds[i];

		KUNIT_EXPECT_NE(test, kind->type, CKPT_REC_END);
		for (size_t j = 0; j < i; j++)
			KUNIT_EXPECT_STRNEQ(test, kind->name,
					    ckpt_kinds[j]->name);
		/* The first one of that type is this. */
		KUNIT_EXPECT_PTR_EQ(test, ckpt_kind_of_type(kind->type), kind);
	}
	KUNIT_EXPECT_NULL(test, ckpt_kind_of_type(0));
	KUNIT_EXPECT_NULL(test, ckpt_kind_of_type(CKPT_REC_END));
	KUNIT_EXPECT_NULL(test, ckpt_kind_of_type(~0U));
}

/* One that matches all of its family hides those that come after it. */
static void kinds_are_reached(struct kunit *test)
{
	for (size_t i = 0; i < ARRAY_SIZE(ckpt_kinds); i++)
		for (size_t j = 0; j < i; j++)
			KUNIT_EXPECT_TRUE_MSG(test, ckpt_kinds[j]->match ||
					      kind_is_link(ckpt_kinds[j]) ||
					      ckpt_kinds[i]->family !=
					      ckpt_kinds[j]->family ||
					      kind_is_remark(ckpt_kinds[i]),
					      "%s is hidden by %s",
					      ckpt_kinds[i]->name,
					      ckpt_kinds[j]->name);
}

static void part_is_complete(struct kunit *test, const struct ckpt_kind *kind,
			     const struct ckpt_part *part)
{
	KUNIT_ASSERT_NOT_NULL_MSG(test, part->name, "%s: part %#x", kind->name,
				  part->type);
	KUNIT_EXPECT_GT_MSG(test, part->size, 0, "%s", part->name);
	KUNIT_EXPECT_GT_MSG(test, part->max, 0, "%s", part->name);
	KUNIT_EXPECT_LE_MSG(test, part->min, part->max, "%s", part->name);
	KUNIT_EXPECT_NULL_MSG(test, ckpt_kind_of_type(part->type),
			      "%s is a kind as well", part->name);
	/* The first one of that type is this. */
	KUNIT_EXPECT_PTR_EQ_MSG(test, ckpt_part_of_type(kind, part->type), part,
				"%s", part->name);
}

static void parts_are_complete(struct kunit *test)
{
	for (size_t i = 0; i < ARRAY_SIZE(ckpt_kinds); i++) {
		const struct ckpt_kind *kind = ckpt_kinds[i];
		const struct ckpt_part *const *part;

		for (part = kind->parts; part && *part; part++)
			part_is_complete(test, kind, *part);
		KUNIT_EXPECT_NULL(test, ckpt_part_of_type(kind, kind->type));
		KUNIT_EXPECT_NULL(test, ckpt_part_of_type(kind, CKPT_REC_END));
	}
}

/* Terminals are given out once all who get one are in their sessions. */
static bool part_is_given(const struct ckpt_part *part)
{
	return part->type == CKPT_REC_CTTY;
}

/* No part of a task is without effect. */
static void task_parts_are_taken_up(struct kunit *test)
{
	for (size_t i = 0; i < ARRAY_SIZE(ckpt_kinds); i++) {
		const struct ckpt_part *const *part = ckpt_kinds[i]->parts;

		if (!kind_is_created(ckpt_kinds[i]))
			continue;
		for (; *part; part++)
			KUNIT_EXPECT_TRUE_MSG(test, (*part)->restore ||
					      (*part)->resume ||
					      (*part)->check_tree ||
					      part_is_given(*part), "%s",
					      (*part)->name);
	}
}

static void families_are_complete(struct kunit *test)
{
	for (int i = 0; i < CKPT_NR_FAMILIES; i++) {
		bool has = false;

		KUNIT_EXPECT_NOT_NULL_MSG(test, ckpt_families[i].name, "%d", i);
		KUNIT_EXPECT_NOT_NULL_MSG(test, ckpt_families[i].get, "%d", i);
		KUNIT_EXPECT_NOT_NULL_MSG(test, ckpt_families[i].put, "%d", i);
		for (size_t j = 0; j < ARRAY_SIZE(ckpt_kinds); j++)
			has |= ckpt_kinds[j]->family == i;
		KUNIT_EXPECT_TRUE_MSG(test, has, "%s has no kind",
				      ckpt_families[i].name);
	}
}

static struct kunit_case kinds_cases[] = {
	KUNIT_CASE(kinds_are_complete),
	KUNIT_CASE(kinds_are_unique),
	KUNIT_CASE(kinds_are_reached),
	KUNIT_CASE(parts_are_complete),
	KUNIT_CASE(task_parts_are_taken_up),
	KUNIT_CASE(families_are_complete),
	{}
};

static struct kunit_suite kinds_suite = {
	.name		= "checkpoint-kinds",
	.test_cases	= kinds_cases,
};

kunit_test_suite(kinds_suite);
