// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of the writer of images and of the table of objects. Included by
 * image_write.c.
 */
#include <kunit/test.h>
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs_struct.h>
#include <linux/sched.h>

static int object_test_init(struct kunit *test)
{
	struct ckpt_ctx *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	int err;

	if (!ctx)
		return -ENOMEM;
	ctx->log.text = kunit_kzalloc(test, CKPT_LOG_MAX, GFP_KERNEL);
	if (!ctx->log.text)
		return -ENOMEM;
	mutex_init(&ctx->log.lock);
	err = ckpt_image_start(ctx);
	if (!err)
		err = ckpt_objs_init(ctx);
	if (!err)
		test->priv = ctx;
	return err;
}

static void object_test_exit(struct kunit *test)
{
	struct ckpt_ctx *ctx = test->priv;

	if (!ctx)
		return;
	ckpt_objs_destroy(ctx);
	ckpt_buf_free(&ctx->meta);
}

/* Buffers. */

static void buffer_grows(struct kunit *test)
{
	struct ckpt_buf buf = {};
	size_t len = 0;

	for (size_t add = 7; add < 3000; add += 7) {
		u8 *p = ckpt_buf_add(&buf, add);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, p);
		KUNIT_ASSERT_NULL(test, memchr_inv(p, 0, add));
		memset(p, add, add);
		len += add;
		KUNIT_ASSERT_EQ(test, buf.len, len);
		KUNIT_ASSERT_LE(test, buf.len, buf.cap);
	}
	len = 0;
	for (size_t add = 7; add < 3000; add += 7) {
		KUNIT_ASSERT_NULL(test, memchr_inv(buf.data + len, add, add));
		len += add;
	}
	ckpt_buf_free(&buf);
	KUNIT_EXPECT_NULL(test, buf.data);
	KUNIT_EXPECT_EQ(test, buf.len + buf.cap, 0);
}

/* It is used again after it was forgotten, and zero then as well. */
static void buffer_starts_anew(struct kunit *test)
{
	struct ckpt_ctx *ctx = test->priv;
	u8 *p;

	p = ckpt_object_add(ctx, CKPT_REC_SHMEM, NULL, 64);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, p);
	memset(p, 0xff, 64);
	KUNIT_ASSERT_EQ(test, ckpt_image_start(ctx), 0);
	KUNIT_EXPECT_EQ(test, ctx->nr_records, 0);
	p = ckpt_object_add(ctx, CKPT_REC_SHMEM, NULL, 64);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, p);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, 64));
	KUNIT_EXPECT_EQ(test, ctx->last_ref, 1);
}

static void buffer_has_an_end(struct kunit *test)
{
	struct ckpt_buf buf = { .len = CKPT_META_MAX - 8,
				.cap = CKPT_META_MAX };
	struct ckpt_ctx *ctx = test->priv;
	u32 ref = ctx->last_ref;

	KUNIT_EXPECT_EQ(test, PTR_ERR(ckpt_buf_add(&buf, 9)), -EFBIG);
	KUNIT_EXPECT_EQ(test, buf.len, CKPT_META_MAX - 8);
	KUNIT_EXPECT_EQ(test, PTR_ERR(ckpt_object_add(ctx, CKPT_REC_PAGEMAP,
						      NULL,
						      CKPT_RECORD_MAX + 1UL)),
			-EFBIG);
	KUNIT_EXPECT_EQ(test, PTR_ERR(ckpt_part_add(ctx, CKPT_REC_PATH,
						    SIZE_MAX)), -EFBIG);
	KUNIT_EXPECT_EQ(test, ctx->last_ref, ref);
	KUNIT_EXPECT_EQ(test, ctx->nr_records, 0);
}

/* Records. */

static void crc_is_crc32c(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, ckpt_crc("123456789", 9), 0xe3069283);
	KUNIT_EXPECT_EQ(test, ckpt_crc("", 0), 0);
}

static void records_are_framed(struct kunit *test)
{
	struct ckpt_ctx *ctx = test->priv;
	const struct ckpt_record *rec;
	const u8 *payload;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ckpt_object_add(ctx, CKPT_REC_FS,
							   NULL, 8));
	memcpy(ckpt_part_add(ctx, CKPT_REC_PATH, 3), "/a", 3);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ckpt_object_add(ctx, CKPT_REC_TASK,
							   NULL, 0));
	KUNIT_EXPECT_EQ(test, ctx->nr_records, 3);
	KUNIT_EXPECT_EQ(test, ctx->nr_tasks, 1);
	KUNIT_EXPECT_EQ(test, ctx->last_ref, 2);

	rec = ctx->meta.data + sizeof(struct ckpt_image_header);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(rec->type), CKPT_REC_FS);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(rec->ref), 1);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(rec->flags), 0);
	rec = ckpt_record_next(rec);
	payload = (const u8 *)(rec + 1);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(rec->size), 3);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(rec->ref), 1);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(rec->flags), CKPT_RECORD_PART);
	KUNIT_EXPECT_NULL(test, memchr_inv(payload + 3, 0, 5));
	rec = ckpt_record_next(rec);
	KUNIT_EXPECT_PTR_EQ(test, (const u8 *)rec, payload + 8);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(rec->ref), 2);
	KUNIT_EXPECT_PTR_EQ(test, ckpt_record_next(rec),
			    ctx->meta.data + ctx->meta.len);
}

static void seal_closes(struct kunit *test)
{
	struct ckpt_ctx *ctx = test->priv;
	const struct ckpt_image_header *hdr;
	const struct ckpt_rec_end *end;
	const struct ckpt_record *rec;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ckpt_object_add(ctx, CKPT_REC_FS,
							   NULL, 8));
	KUNIT_ASSERT_EQ(test, ckpt_image_seal(ctx), 0);
	hdr = ctx->meta.data;
	rec = ckpt_record_next(ctx->meta.data + sizeof(*hdr));
	end = (const void *)(rec + 1);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(rec->type), CKPT_REC_END);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(end->nr_records), 1);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(hdr->meta_size),
			(const u8 *)(end + 1) - (const u8 *)(hdr + 1));
	KUNIT_EXPECT_EQ(test, le64_to_cpu(hdr->pages_offset), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, ctx->meta.len, PAGE_SIZE);
	KUNIT_EXPECT_NULL(test, memchr_inv(end + 1, 0, PAGE_SIZE -
					   ((const u8 *)(end + 1) -
					    (const u8 *)hdr)));
}

/* The table of objects. */

static struct fs_struct *object_fs(struct kunit *test)
{
	struct fs_struct *fs = copy_fs_struct(current->fs);

	KUNIT_ASSERT_NOT_NULL(test, fs);
	return fs;
}

static void object_is_saved_once(struct kunit *test)
{
	struct ckpt_ctx *ctx = test->priv;
	struct fs_struct *fs = object_fs(test), *other = object_fs(test);
	u32 first = 0, again = 0, third = 0;
	u64 nr;

	KUNIT_EXPECT_EQ(test, ckpt_save(ctx, CKPT_FS, fs, &first), 0);
	nr = ctx->nr_records;
	KUNIT_EXPECT_EQ(test, ckpt_save(ctx, CKPT_FS, fs, &again), 0);
	KUNIT_EXPECT_EQ(test, first, 1);
	KUNIT_EXPECT_EQ(test, again, 1);
	KUNIT_EXPECT_EQ(test, ctx->nr_records, nr);
	KUNIT_EXPECT_EQ(test, fs->users, 2);

	KUNIT_EXPECT_EQ(test, ckpt_save(ctx, CKPT_FS, other, &third), 0);
	KUNIT_EXPECT_EQ(test, third, 2);
	KUNIT_EXPECT_EQ(test, ctx->nr_records, 2 * nr);
	KUNIT_EXPECT_STREQ(test, ctx->log.text, "");

	/* Nothing is left held. */
	ckpt_objs_destroy(ctx);
	KUNIT_EXPECT_EQ(test, fs->users, 1);
	KUNIT_EXPECT_EQ(test, other->users, 1);
	free_fs_struct(fs);
	free_fs_struct(other);
	KUNIT_ASSERT_EQ(test, ckpt_objs_init(ctx), 0);
}

/* What more use than the tree does is somebody else. */
static void object_users_are_counted(struct kunit *test)
{
	struct ckpt_ctx *ctx = test->priv;
	struct fs_struct *fs = object_fs(test);
	u32 ref;

	KUNIT_EXPECT_EQ(test, ckpt_save(ctx, CKPT_FS, fs, &ref), 0);
	KUNIT_EXPECT_EQ(test, ckpt_objs_check_users(ctx), 0);
	ckpt_families[CKPT_FS].get(fs);
	KUNIT_EXPECT_EQ(test, ckpt_objs_check_users(ctx), -EOPNOTSUPP);
	KUNIT_EXPECT_STREQ(test, ctx->log.text,
			   "root and current directory is shared with a process outside the tree\n");
	/* A second task of the tree is that user. */
	KUNIT_EXPECT_EQ(test, ckpt_save(ctx, CKPT_FS, fs, &ref), 0);
	KUNIT_EXPECT_EQ(test, ckpt_objs_check_users(ctx), 0);
	ckpt_families[CKPT_FS].put(fs);
	ckpt_families[CKPT_FS].put(fs);
}

static const struct file_operations object_file_ops = {};

static void object_unknown_is_named(struct kunit *test)
{
	struct ckpt_ctx *ctx = test->priv;
	struct file *file;
	u32 ref = 42;

	file = anon_inode_getfile("[nobody]", &object_file_ops, NULL, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	ckpt_log_detail(&ctx->log, "fd %u", 9);
	KUNIT_EXPECT_EQ(test, ckpt_save(ctx, CKPT_FILE, file, &ref),
			-EOPNOTSUPP);
	KUNIT_EXPECT_STREQ(test, ctx->log.text,
			   "fd 9: [nobody] of anon_inodefs: not supported\n");
	KUNIT_EXPECT_EQ(test, ref, 42);
	KUNIT_EXPECT_EQ(test, ctx->nr_records, 0);
	KUNIT_EXPECT_EQ(test, file_count(file), 1);
	fput(file);
}

/* Enough of them that the table has to grow. */
static void object_many(struct kunit *test)
{
	struct ckpt_ctx *ctx = test->priv;
	struct fs_struct *fs[100];
	u32 ref;

	for (u32 i = 0; i < ARRAY_SIZE(fs); i++) {
		fs[i] = object_fs(test);
		KUNIT_ASSERT_EQ(test, ckpt_save(ctx, CKPT_FS, fs[i], &ref), 0);
		KUNIT_ASSERT_EQ(test, ref, i + 1);
	}
	for (u32 i = 0; i < ARRAY_SIZE(fs); i++) {
		KUNIT_EXPECT_EQ(test, ckpt_save(ctx, CKPT_FS, fs[i], &ref), 0);
		KUNIT_EXPECT_EQ(test, ref, i + 1);
		ckpt_families[CKPT_FS].put(fs[i]);
	}
}

static struct kunit_case object_cases[] = {
	KUNIT_CASE(buffer_grows),
	KUNIT_CASE(buffer_starts_anew),
	KUNIT_CASE(buffer_has_an_end),
	KUNIT_CASE(crc_is_crc32c),
	KUNIT_CASE(records_are_framed),
	KUNIT_CASE(seal_closes),
	KUNIT_CASE(object_is_saved_once),
	KUNIT_CASE(object_users_are_counted),
	KUNIT_CASE(object_unknown_is_named),
	KUNIT_CASE(object_many),
	{}
};

static struct kunit_suite object_suite = {
	.name		= "checkpoint-object",
	.init		= object_test_init,
	.exit		= object_test_exit,
	.test_cases	= object_cases,
};

kunit_test_suite(object_suite);
