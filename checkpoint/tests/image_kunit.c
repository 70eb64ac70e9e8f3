// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of the reader of images, on images that the writer made in memory.
 * Included by image_read.c.
 */
#include <kunit/test.h>
#include <linux/anon_inodes.h>
#include <linux/file.h>

#include "../checkpoint.h"

#define IMAGE_PAGES	2
#define IMAGE_TEST_MAX	(4 * PAGE_SIZE)

/**
 * struct image_test - an image, and what came of reading it
 * @writer: with which it is made
 * @reader: that read it last
 * @file: from which @bytes are read
 * @bytes: the image
 * @len: of it; the file ends there
 * @step: how many bytes a read gives at most
 */
struct image_test {
	struct ckpt_ctx	writer;
	struct rstr_ctx	reader;
	struct file	*file;
	u8		*bytes;
	size_t		len;
	size_t		step;
};

/* A file whose content is the image. */

static ssize_t image_file_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct image_test *t = iocb->ki_filp->private_data;
	size_t left = t->len - min_t(size_t, t->len, iocb->ki_pos);
	size_t len = min3(left, t->step, iov_iter_count(to));

	len = copy_to_iter(t->bytes + iocb->ki_pos, len, to);
	iocb->ki_pos += len;
	return len;
}

static const struct file_operations image_file_ops = {
	.read_iter = image_file_read,
};

static int image_test_init(struct kunit *test)
{
	struct image_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	if (!t)
		return -ENOMEM;
	test->priv = t;
	t->step = SIZE_MAX;
	t->bytes = kunit_kzalloc(test, IMAGE_TEST_MAX, GFP_KERNEL);
	t->reader.log.text = kunit_kzalloc(test, CKPT_LOG_MAX, GFP_KERNEL);
	if (!t->bytes || !t->reader.log.text)
		return -ENOMEM;
	mutex_init(&t->reader.log.lock);
	t->file = anon_inode_getfile("[image]", &image_file_ops, t, O_RDONLY);
	return PTR_ERR_OR_ZERO(t->file);
}

static void image_forget(struct image_test *t)
{
	struct rstr_ctx *ctx = &t->reader;

	rstr_image_free(ctx);
	ctx->meta = NULL;
	ctx->header = NULL;
	ctx->objs = NULL;
	ctx->nr_objs = 0;
	ctx->nr_pages = 0;
}

static void image_test_exit(struct kunit *test)
{
	struct image_test *t = test->priv;

	if (!t)
		return;
	image_forget(t);
	ckpt_buf_free(&t->writer.meta);
	if (!IS_ERR_OR_NULL(t->file))
		fput(t->file);
}

/* Making an image, an object at a time. */

static void *image_add(struct kunit *test, u32 type, size_t size)
{
	struct image_test *t = test->priv;
	void *payload = ckpt_object_add(&t->writer, type, NULL, size);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, payload);
	return payload;
}

static void *image_add_part(struct kunit *test, u32 type, size_t size)
{
	struct image_test *t = test->priv;
	void *payload = ckpt_part_add(&t->writer, type, size);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, payload);
	return payload;
}

static void image_start(struct kunit *test)
{
	struct image_test *t = test->priv;

	t->writer.id = 7;
	t->writer.nr_pages = IMAGE_PAGES;
	KUNIT_ASSERT_EQ(test, ckpt_image_start(&t->writer), 0);
}

static void image_add_path(struct kunit *test, const char *path)
{
	size_t size = strlen(path) + 1;

	memcpy(image_add_part(test, CKPT_REC_PATH, size), path, size);
}

static void image_add_shmem(struct kunit *test)
{
	struct ckpt_rec_shmem *rec = image_add(test, CKPT_REC_SHMEM,
					       sizeof(*rec));

	rec->size = cpu_to_le64(3 * PAGE_SIZE);
}

static void image_add_file(struct kunit *test)
{
	struct ckpt_rec_file *rec = image_add(test, CKPT_REC_FILE_REGULAR,
					      sizeof(*rec));

	rec->stat.mode = cpu_to_le32(S_IFREG | 0644);
	image_add_path(test, "/a");
}

/* All descriptors refer to the object that is the second one. */
static void image_add_files(struct kunit *test, u32 says, u32 has)
{
	struct ckpt_rec_files *rec = image_add(test, CKPT_REC_FILES,
					       sizeof(*rec));
	struct ckpt_rec_fd *fd;

	rec->nr_fds = cpu_to_le32(says);
	for (u32 i = 0; i < has; i++) {
		fd = image_add_part(test, CKPT_REC_FD, sizeof(*fd));
		fd->fd = cpu_to_le32(5 * i);
		fd->file = cpu_to_le32(2);
	}
}

static void image_add_fs(struct kunit *test, unsigned int nr_paths)
{
	image_add(test, CKPT_REC_FS, sizeof(struct ckpt_rec_fs));
	while (nr_paths--)
		image_add_path(test, "/sys/kernel");
}

static void image_add_pagemap(struct kunit *test, u32 owner)
{
	struct ckpt_rec_pagemap *rec =
		image_add(test, CKPT_REC_PAGEMAP, struct_size(rec, runs, 2));

	rec->owner = cpu_to_le32(owner);
	rec->nr_runs = cpu_to_le32(2);
	rec->nr_pages = cpu_to_le64(IMAGE_PAGES);
	rec->runs[0].nr = cpu_to_le32(1);
	rec->runs[0].flags = cpu_to_le32(CKPT_RUN_ZERO);
	rec->runs[1].start = cpu_to_le64(PAGE_SIZE);
	rec->runs[1].nr = cpu_to_le32(IMAGE_PAGES);
}

/* Put the pages and the trailer behind it, where the file finds all of it. */
static void image_finish(struct kunit *test)
{
	struct image_test *t = test->priv;
	struct ckpt_buf *meta = &t->writer.meta;
	size_t pages = IMAGE_PAGES * PAGE_SIZE;

	KUNIT_ASSERT_EQ(test, ckpt_image_seal(&t->writer), 0);
	t->len = meta->len + pages + sizeof(struct ckpt_image_trailer);
	KUNIT_ASSERT_LE(test, t->len, IMAGE_TEST_MAX);
	memcpy(t->bytes, meta->data, meta->len);
	memset(t->bytes + meta->len, 0xa5, pages);
	ckpt_trailer_make(&t->writer, (void *)t->bytes + meta->len + pages);
}

/* Its records, in the order in which they are there. */
enum image_at {
	AT_SHMEM,
	AT_FILE,
	AT_PATH,
	AT_FILES,
	AT_FD,
	AT_FD2,
	AT_FS,
	AT_PATH2,
	AT_PATH3,
	AT_PAGEMAP,
	AT_END,
	AT_NR
};

/* One that is as it ought to be. */
static struct image_test *image_make(struct kunit *test)
{
	image_start(test);
	image_add_shmem(test);
	image_add_file(test);
	image_add_files(test, 2, 2);
	image_add_fs(test, 2);
	image_add_pagemap(test, 1);
	image_finish(test);
	return test->priv;
}

static struct ckpt_image_header *image_header(struct image_test *t)
{
	return (void *)t->bytes;
}

static struct ckpt_record *image_record(struct image_test *t, unsigned int nr)
{
	struct ckpt_record *rec = (void *)(image_header(t) + 1);

	while (nr--)
		rec = ckpt_record_next(rec);
	return rec;
}

static void *image_payload(struct image_test *t, unsigned int nr)
{
	return image_record(t, nr) + 1;
}

/* Make all checksums right again, of the records up to the END that is there. */
static void image_reseal(struct image_test *t)
{
	struct ckpt_image_header *hdr = image_header(t);
	struct ckpt_record *rec = image_record(t, 0);
	struct ckpt_rec_end *end;

	hdr->crc = cpu_to_le32(ckpt_crc(hdr, offsetof(typeof(*hdr), crc)));
	for (; le32_to_cpu(rec->type) != CKPT_REC_END;
	     rec = ckpt_record_next(rec))
		rec->crc = cpu_to_le32(ckpt_record_crc(rec));
	end = (void *)(rec + 1);
	end->crc = cpu_to_le32(ckpt_crc(t->bytes, (u8 *)rec - t->bytes));
	rec->crc = cpu_to_le32(ckpt_record_crc(rec));
}

/* Reading it. */

static int image_read(struct image_test *t)
{
	struct rstr_ctx *ctx = &t->reader;

	image_forget(t);
	ctx->file = t->file;
	ctx->file->f_pos = 0;
	ctx->log.used = 0;
	ctx->log.text[0] = '\0';
	return rstr_image_read(ctx);
}

static void image_refused(struct kunit *test, int err, const char *says)
{
	struct image_test *t = test->priv;
	const char *text = t->reader.log.text;

	KUNIT_EXPECT_EQ_MSG(test, image_read(t), err, "for %s", says);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, says), "%s, not: %s", text,
				  says);
}

/* Refused for a record, of which is said where it is. */
static void image_refused_at(struct kunit *test, unsigned int nr,
			     const char *says)
{
	struct image_test *t = test->priv;
	char where[32];

	image_refused(test, -EBADMSG, says);
	snprintf(where, sizeof(where), " at byte %zu: ",
		 (u8 *)image_record(t, nr) - t->bytes);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(t->reader.log.text, where),
				  "%s, not %s", t->reader.log.text, where);
}

static void image_read_back(struct kunit *test)
{
	struct image_test *t = image_make(test);
	struct rstr_ctx *ctx = &t->reader;
	static const u32 types[] = {
		CKPT_REC_SHMEM, CKPT_REC_FILE_REGULAR, CKPT_REC_FILES,
		CKPT_REC_FS, CKPT_REC_PAGEMAP,
	};
	u8 byte;

	KUNIT_ASSERT_EQ_MSG(test, image_read(t), 0, "%s", ctx->log.text);
	KUNIT_EXPECT_STREQ(test, ctx->log.text, "");
	KUNIT_ASSERT_EQ(test, ctx->nr_objs, ARRAY_SIZE(types));
	for (u32 i = 0; i < ctx->nr_objs; i++) {
		KUNIT_EXPECT_EQ(test, ctx->objs[i].kind->type, types[i]);
		KUNIT_EXPECT_EQ(test, ctx->objs[i].ref, i + 1);
		KUNIT_EXPECT_NULL(test, ctx->objs[i].ptr);
	}
	KUNIT_EXPECT_EQ(test, ctx->nr_pages, IMAGE_PAGES);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(ctx->header->id), 7);
	/* The pages are next, and the trailer is behind them. */
	KUNIT_EXPECT_EQ(test, rstr_read(ctx, &byte, 1, "pages"), 0);
	KUNIT_EXPECT_EQ(test, byte, 0xa5);
	ctx->file->f_pos += IMAGE_PAGES * PAGE_SIZE - 1;
	KUNIT_EXPECT_EQ(test, rstr_trailer_read(ctx), 0);
}

static void image_parts_read_back(struct kunit *test)
{
	struct image_test *t = image_make(test);
	struct rstr_ctx *ctx = &t->reader;
	const struct ckpt_record *rec;
	unsigned int nr = 0;

	KUNIT_ASSERT_EQ(test, image_read(t), 0);
	rstr_for_each_part(rec, &ctx->objs[2], CKPT_REC_FD) {
		const struct ckpt_rec_fd *fd = rstr_payload(rec);

		KUNIT_EXPECT_EQ(test, le32_to_cpu(fd->fd), 5 * nr++);
		KUNIT_EXPECT_PTR_EQ(test, rstr_ref(ctx, rec, fd->file,
						   CKPT_FILE), &ctx->objs[1]);
	}
	KUNIT_EXPECT_EQ(test, nr, 2);
	KUNIT_EXPECT_NULL(test, rstr_part_first(&ctx->objs[2], CKPT_REC_PATH));
	rec = rstr_part_first(&ctx->objs[1], CKPT_REC_PATH);
	KUNIT_ASSERT_NOT_NULL(test, rec);
	KUNIT_EXPECT_STREQ(test, rstr_path(rec), "/a");
	KUNIT_EXPECT_NULL(test, rstr_part_next(&ctx->objs[1], rec));
}

/* Pipes and sockets give what they have. */
static void image_read_in_pieces(struct kunit *test)
{
	struct image_test *t = image_make(test);

	for (t->step = 1; t->step < 600; t->step = t->step * 3 + 1)
		KUNIT_EXPECT_EQ_MSG(test, image_read(t), 0, "%zu: %s", t->step,
				    t->reader.log.text);
}

/* Metadata that ends where a page does has no zeros after it. */
static void image_without_padding(struct kunit *test)
{
	struct image_test *t = test->priv;
	size_t path = sizeof(struct ckpt_record) + 8;
	size_t end = sizeof(struct ckpt_record) + sizeof(struct ckpt_rec_end);

	image_start(test);
	image_add_shmem(test);
	image_add_pagemap(test, 1);
	image_add_fs(test, 1);
	path = PAGE_SIZE - t->writer.meta.len - end -
	       sizeof(struct ckpt_record);
	memset(image_add_part(test, CKPT_REC_PATH, path), '/', path - 1);
	image_finish(test);
	KUNIT_EXPECT_EQ(test, t->writer.meta.len, PAGE_SIZE);
	KUNIT_EXPECT_EQ_MSG(test, image_read(t), 0, "%s", t->reader.log.text);
}

/* Wherever it ends before its pages do, it is refused, and said to be cut. */
static void image_cut(struct kunit *test)
{
	struct image_test *t = image_make(test);
	const char *text = t->reader.log.text;
	size_t pages = t->writer.meta.len;

	for (t->len = 0; t->len < pages; t->len++) {
		int err = t->len < sizeof_field(struct ckpt_image_header, magic)
			  ? -ENOEXEC : -EBADMSG;

		KUNIT_ASSERT_EQ_MSG(test, image_read(t), err, "%zu", t->len);
		KUNIT_ASSERT_NOT_NULL(test, strstr(text, "image: cut, ends in"));
	}
	KUNIT_EXPECT_EQ(test, image_read(t), 0);
}

static void image_trailer_cut(struct kunit *test)
{
	struct image_test *t = image_make(test);
	size_t at = t->len - sizeof(struct ckpt_image_trailer), all = t->len;

	KUNIT_ASSERT_EQ(test, image_read(t), 0);
	for (t->len = at; t->len < all; t->len++) {
		t->file->f_pos = at;
		KUNIT_EXPECT_EQ(test, rstr_trailer_read(&t->reader), -EBADMSG);
	}
	for (size_t i = at; i < all; i++) {
		t->bytes[i] ^= 1 << i % 8;
		t->file->f_pos = at;
		KUNIT_EXPECT_EQ_MSG(test, rstr_trailer_read(&t->reader),
				    -EBADMSG, "byte %zu", i - at);
		t->bytes[i] ^= 1 << i % 8;
	}
	KUNIT_EXPECT_NOT_NULL(test, strstr(t->reader.log.text,
					   "the trailer does not match"));
}

/* No byte of header, records and padding is without its checksum, or looked at. */
static void image_flipped(struct kunit *test)
{
	struct image_test *t = image_make(test);
	size_t pages = t->writer.meta.len;

	for (size_t i = 0; i < pages; i++) {
		t->bytes[i] ^= 1 << i % 8;
		KUNIT_EXPECT_LT_MSG(test, image_read(t), 0, "byte %zu", i);
		KUNIT_EXPECT_GT_MSG(test, t->reader.log.used, 0, "byte %zu", i);
		t->bytes[i] ^= 1 << i % 8;
	}
	KUNIT_EXPECT_EQ(test, image_read(t), 0);
}

/* The header. */

#define HEADER(field) offsetof(struct ckpt_image_header, field)

static const struct {
	size_t		at;
	size_t		size;
	u64		value;
	int		err;
	const char	*says;
} image_headers[] = {
	{ HEADER(version), 4, 2, -EOPNOTSUPP, "format version 2, known is 1" },
	{ HEADER(version), 4, 0, -EOPNOTSUPP, "format version 0" },
	{ HEADER(size), 4, 256, -EBADMSG, "header: sizes" },
	{ HEADER(size), 4, ~0ULL, -EBADMSG, "header: sizes" },
	{ HEADER(incompat), 8, 16, -EOPNOTSUPP, "features 0x10 are not known" },
	{ HEADER(incompat), 8, 6, -EBADMSG, "features 0x6 exclude each other" },
	{ HEADER(incompat), 8, 12, -EBADMSG, "features 0xc exclude each other" },
	{ HEADER(incompat), 8, 1ULL << 63, -EOPNOTSUPP, "features 0x8000000000" },
	{ HEADER(page_size), 4, 2 * PAGE_SIZE, -EOPNOTSUPP, "pages of 8192" },
	{ HEADER(page_size), 4, 0, -EOPNOTSUPP, "pages of 0 bytes" },
	{ HEADER(arch), 4, 3, -EOPNOTSUPP, "image: " },
	{ HEADER(meta_size), 8, 0, -EBADMSG, "longer than what is left" },
	{ HEADER(meta_size), 8, 1, -EBADMSG, "header: sizes" },
	{ HEADER(meta_size), 8, CKPT_META_MAX + 8ULL, -EBADMSG, "header: sizes" },
	{ HEADER(meta_size), 8, ~7ULL, -EBADMSG, "header: sizes" },
	{ HEADER(pages_offset), 8, 0, -EBADMSG, "header: sizes" },
	{ HEADER(pages_offset), 8, 2 * PAGE_SIZE, -EBADMSG, "header: sizes" },
	{ HEADER(pages_offset), 8, ~0ULL, -EBADMSG, "header: sizes" },
	{ HEADER(nr_pages), 8, CKPT_PAGES_MAX + 1, -EBADMSG, "header: sizes" },
	{ HEADER(nr_pages), 8, 3, -EBADMSG, "2 pages in the page maps, not 3" },
	{ HEADER(nr_pages), 8, 0, -EBADMSG, "2 pages in the page maps, not 0" },
	{ HEADER(xfeatures), 8, ~0ULL, -EOPNOTSUPP, "image: " },
	{ HEADER(cpu[CKPT_CPU_7_EBX]), 4, ~0U, -EOPNOTSUPP, "image: " },
	{ HEADER(reserved[0]), 1, 1, -EBADMSG, "header: sizes" },
	{ HEADER(crc) - 1, 1, 1, -EBADMSG, "header: sizes" },
};

static void image_header_damaged(struct kunit *test)
{
	struct image_test *t = image_make(test);
	struct ckpt_image_header good = *image_header(t);

	for (size_t i = 0; i < ARRAY_SIZE(image_headers); i++) {
		memcpy(t->bytes + image_headers[i].at, &image_headers[i].value,
		       image_headers[i].size);
		image_reseal(t);
		image_refused(test, image_headers[i].err,
			      image_headers[i].says);
		*image_header(t) = good;
	}
	memset(image_header(t)->release, 'x', CKPT_RELEASE_LEN);
	image_reseal(t);
	image_refused(test, -EBADMSG, "header: sizes");
	*image_header(t) = good;
	image_header(t)->version = cpu_to_le32(2);
	image_refused(test, -EBADMSG, "header: checksum mismatch");
	image_header(t)->magic[0] = 'x';
	image_refused(test, -ENOEXEC, "not the image of a checkpoint");
}

/* What a reader may ignore, and what is not for it. */
static void image_header_ignored(struct kunit *test)
{
	struct image_test *t = image_make(test);

	image_header(t)->compat = cpu_to_le64(~0ULL);
	image_header(t)->id = 0;
	image_header(t)->time = cpu_to_le64(~0ULL);
	memset(image_header(t)->kernel_build_id, 0xff, CKPT_BUILD_ID_LEN);
	image_reseal(t);
	KUNIT_EXPECT_EQ_MSG(test, image_read(t), 0, "%s", t->reader.log.text);
}

/* The framing of records. */

#define RECORD(field) offsetof(struct ckpt_record, field)

static const struct {
	unsigned int	nr;
	size_t		at;
	u32		value;
	const char	*says;
} image_records[] = {
	{ AT_FILES, RECORD(type), 0x7777, "unknown at byte" },
	{ AT_FILES, RECORD(type), CKPT_REC_FD, "type 0x301" },
	{ AT_FD, RECORD(type), CKPT_REC_VMA, "type 0x201" },
	{ AT_FD, RECORD(type), CKPT_REC_FILES, "type 0x300" },
	{ AT_FILES, RECORD(ref), 0, "numbered 0, not 3" },
	{ AT_FILES, RECORD(ref), 4, "numbered 4, not 3" },
	{ AT_FILES, RECORD(ref), ~0U, "numbered 4294967295, not 3" },
	{ AT_SHMEM, RECORD(ref), 0, "numbered 0, not 1" },
	{ AT_FD, RECORD(ref), 2, "numbered 2, not 3" },
	{ AT_FD, RECORD(ref), 0, "numbered 0, not 3" },
	{ AT_FILES, RECORD(flags), 2, "flags 0x2" },
	{ AT_FILES, RECORD(flags), CKPT_RECORD_PART, "numbered 3, not 2" },
	{ AT_FD, RECORD(flags), 0, "numbered 3, not 4" },
	{ AT_FD, RECORD(flags), 0x80000001, "flags 0x80000001" },
	{ AT_FILES, RECORD(reserved), 1, "flags 0" },
};

static void image_record_damaged(struct kunit *test)
{
	struct image_test *t = image_make(test);

	for (size_t i = 0; i < ARRAY_SIZE(image_records); i++) {
		struct ckpt_record *rec = image_record(t, image_records[i].nr);
		struct ckpt_record good = *rec;

		*(__le32 *)((u8 *)rec + image_records[i].at) =
			cpu_to_le32(image_records[i].value);
		image_reseal(t);
		image_refused_at(test, image_records[i].nr,
				 image_records[i].says);
		*rec = good;
	}
	image_reseal(t);
	KUNIT_EXPECT_EQ(test, image_read(t), 0);
}

static void image_record_crc(struct kunit *test)
{
	struct image_test *t = image_make(test);

	for (unsigned int nr = 0; nr < AT_NR; nr++) {
		image_record(t, nr)->crc ^= cpu_to_le32(1);
		image_refused_at(test, nr, "checksum mismatch");
		image_record(t, nr)->crc ^= cpu_to_le32(1);
	}
}

/* Sizes that lead beyond the metadata, and out of 32 bits. */
static void image_record_sizes(struct kunit *test)
{
	struct image_test *t = image_make(test);
	static const u32 sizes[] = {
		4096, CKPT_RECORD_MAX, CKPT_RECORD_MAX + 1, 0x7fffffff,
		0xfffffff8, 0xffffffff,
	};

	for (unsigned int nr = 0; nr < AT_NR; nr++) {
		struct ckpt_record *rec = image_record(t, nr);
		__le32 good = rec->size;

		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			rec->size = cpu_to_le32(sizes[i]);
			image_refused_at(test, nr, "longer than what is left");
		}
		rec->size = good;
	}
}

/* Of payloads, the one or the other byte more or less than a kind's. */
static void image_payload_sizes(struct kunit *test)
{
	struct image_test *t = image_make(test);
	static const struct {
		unsigned int	nr;
		int		by;
		const char	*says;
	} wrong[] = {
		{ AT_SHMEM, -1, "15 bytes" },	{ AT_FILE, -7, "57 bytes" },
		{ AT_FILES, -1, "7 bytes" },	{ AT_FD, -1, "15 bytes" },
		{ AT_END, -1, "not at the end" }, { AT_PAGEMAP, -1, "2 runs" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct ckpt_record *rec = image_record(t, wrong[i].nr);

		le32_add_cpu(&rec->size, wrong[i].by);
		image_reseal(t);
		image_refused_at(test, wrong[i].nr, wrong[i].says);
		le32_add_cpu(&rec->size, -wrong[i].by);
	}
	memset(image_payload(t, AT_PATH) + 1, 0, 2);
	image_record(t, AT_PATH)->size = cpu_to_le32(1);
	image_reseal(t);
	image_refused_at(test, AT_PATH, "1 bytes");
}

/* Between a payload and the next record, and behind the last one. */
static void image_padding(struct kunit *test)
{
	struct image_test *t = image_make(test);
	u8 *path = image_payload(t, AT_PATH);
	u8 *last = t->bytes + t->writer.meta.len - 1;

	path[7] = 1;
	image_reseal(t);
	image_refused_at(test, AT_PATH, "padding");
	path[7] = 0;
	image_reseal(t);
	*last = 1;
	image_refused_at(test, AT_END, "not followed by zeros");
}

static void image_end_damaged(struct kunit *test)
{
	struct image_test *t = image_make(test);
	struct ckpt_record *rec = image_record(t, AT_END);
	struct ckpt_rec_end *end = image_payload(t, AT_END);

	le64_add_cpu(&end->nr_records, 1);
	image_reseal(t);
	image_refused_at(test, AT_END, "10 records, not 11");
	le64_add_cpu(&end->nr_records, -1);

	end->reserved = cpu_to_le32(1);
	image_reseal(t);
	image_refused_at(test, AT_END, "not at the end");
	end->reserved = 0;

	rec->ref = cpu_to_le32(5);
	image_reseal(t);
	image_refused_at(test, AT_END, "not at the end");
	rec->ref = 0;

	image_reseal(t);
	le32_add_cpu(&end->crc, 1);
	rec->crc = cpu_to_le32(ckpt_record_crc(rec));
	image_refused_at(test, AT_END, "checksum of the metadata mismatch");
}

/* One that comes too early, and none at all. */
static void image_end_misplaced(struct kunit *test)
{
	struct image_test *t = image_make(test);
	struct ckpt_record *rec = image_record(t, AT_END);

	rec->type = cpu_to_le32(CKPT_REC_FILES);
	rec->ref = cpu_to_le32(6);
	rec->crc = cpu_to_le32(ckpt_record_crc(rec));
	image_refused(test, -EBADMSG, "longer than what is left");

	rec = image_record(t, AT_FD);
	rec->type = cpu_to_le32(CKPT_REC_END);
	rec->ref = 0;
	rec->flags = 0;
	image_reseal(t);
	image_refused_at(test, AT_FD, "not at the end");
}

/* Objects and parts. */

static void image_references(struct kunit *test)
{
	struct image_test *t = image_make(test);
	struct ckpt_rec_pagemap *map = image_payload(t, AT_PAGEMAP);
	struct ckpt_rec_fd *fd = image_payload(t, AT_FD2);
	static const struct {
		u32		ref;
		const char	*says;
	} wrong[] = {
		{ 0, "refers to object 0, which is not there" },
		{ 1, "refers to object 1, a shared memory, for a file" },
		{ 3, "refers to object 3, a descriptor table, for a file" },
		{ 4, "refers to object 4, which is not there" },
		{ 6, "refers to object 6, which is not there" },
		{ ~0U, "refers to object 4294967295, which is not there" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		fd->file = cpu_to_le32(wrong[i].ref);
		image_reseal(t);
		image_refused_at(test, AT_FD2, wrong[i].says);
	}
	KUNIT_EXPECT_NOT_NULL(test, strstr(t->reader.log.text,
					   "descriptor of descriptor table 3"));
	fd->file = cpu_to_le32(2);
	map->owner = cpu_to_le32(5);
	image_reseal(t);
	image_refused_at(test, AT_PAGEMAP, "object 5, which is not there");
	map->owner = cpu_to_le32(4);
	image_reseal(t);
	image_refused_at(test, AT_PAGEMAP, "for a address space");
}

static void image_counts(struct kunit *test)
{
	struct image_test *t = image_make(test);
	struct ckpt_rec_pagemap *map = image_payload(t, AT_PAGEMAP);
	struct ckpt_rec_files *files = image_payload(t, AT_FILES);

	files->nr_fds = cpu_to_le32(3);
	image_reseal(t);
	image_refused_at(test, AT_FILES, "2 descriptors, not 3");
	files->nr_fds = cpu_to_le32(2);

	map->nr_runs = cpu_to_le32(~0U);
	image_reseal(t);
	image_refused_at(test, AT_PAGEMAP, "4294967295 runs");
	map->nr_runs = cpu_to_le32(2);

	map->nr_pages = cpu_to_le64(~0ULL);
	image_reseal(t);
	image_refused_at(test, AT_PAGEMAP, "2 pages in runs, not");
	map->nr_pages = cpu_to_le64(2);

	map->runs[1].nr = cpu_to_le32(0);
	image_reseal(t);
	image_refused_at(test, AT_PAGEMAP, "run at 0x1000 of 0 bytes");
	map->runs[1].nr = cpu_to_le32(~0U);
	image_reseal(t);
	image_refused_at(test, AT_PAGEMAP, "0x1000");
	map->runs[1].nr = cpu_to_le32(2);
	map->runs[1].start = 0;
	image_reseal(t);
	image_refused_at(test, AT_PAGEMAP, "run at 0x0 after 0x1000");
}

/* What has no meaning yet may have one to another. */
static void image_reserved(struct kunit *test)
{
	struct image_test *t = image_make(test);
	static const struct {
		unsigned int	nr;
		size_t		at;
	} reserved[] = {
		{ AT_FILE, offsetof(struct ckpt_rec_file, stat.reserved) },
		{ AT_FILES, offsetof(struct ckpt_rec_files, reserved) },
		{ AT_FD2, offsetof(struct ckpt_rec_fd, reserved) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
		u8 *p = image_payload(t, reserved[i].nr) + reserved[i].at;

		*p = 1;
		image_reseal(t);
		image_refused_at(test, reserved[i].nr, "image: ");
		*p = 0;
	}
}

static void image_parts_missing(struct kunit *test)
{
	image_start(test);
	image_add_fs(test, 1);
	image_finish(test);
	image_refused_at(test, 0, "1 paths");
}

static void image_parts_too_many(struct kunit *test)
{
	image_start(test);
	image_add_fs(test, 3);
	image_finish(test);
	image_refused_at(test, 0, "3 times path");
}

static void image_part_first(struct kunit *test)
{
	image_start(test);
	image_add_path(test, "/");
	image_add_fs(test, 2);
	image_finish(test);
	image_refused_at(test, 0, "belongs to no object");
}

static void image_no_objects(struct kunit *test)
{
	image_start(test);
	image_finish(test);
	image_refused(test, -EBADMSG, "0 pages in the page maps, not 2");
}

static void image_second_pagemap(struct kunit *test)
{
	image_start(test);
	image_add_shmem(test);
	image_add_pagemap(test, 1);
	image_add_pagemap(test, 1);
	image_finish(test);
	image_refused_at(test, 2, "a second one of object 1");
}

static void image_paths(struct kunit *test)
{
	struct image_test *t = image_make(test);
	char *path = image_payload(t, AT_PATH);
	static const char wrong[][4] = { "a/", "", "/\0", "/aa" };

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		memcpy(path, wrong[i], 3);
		image_reseal(t);
		image_refused_at(test, AT_PATH, "not a path");
	}
}

static struct kunit_case image_cases[] = {
	KUNIT_CASE(image_read_back),
	KUNIT_CASE(image_parts_read_back),
	KUNIT_CASE(image_read_in_pieces),
	KUNIT_CASE(image_without_padding),
	KUNIT_CASE(image_cut),
	KUNIT_CASE(image_trailer_cut),
	KUNIT_CASE(image_flipped),
	KUNIT_CASE(image_header_damaged),
	KUNIT_CASE(image_header_ignored),
	KUNIT_CASE(image_record_damaged),
	KUNIT_CASE(image_record_crc),
	KUNIT_CASE(image_record_sizes),
	KUNIT_CASE(image_payload_sizes),
	KUNIT_CASE(image_padding),
	KUNIT_CASE(image_end_damaged),
	KUNIT_CASE(image_end_misplaced),
	KUNIT_CASE(image_references),
	KUNIT_CASE(image_counts),
	KUNIT_CASE(image_reserved),
	KUNIT_CASE(image_parts_missing),
	KUNIT_CASE(image_parts_too_many),
	KUNIT_CASE(image_part_first),
	KUNIT_CASE(image_no_objects),
	KUNIT_CASE(image_second_pagemap),
	KUNIT_CASE(image_paths),
	{}
};

static struct kunit_suite image_suite = {
	.name		= "checkpoint-image",
	.init		= image_test_init,
	.exit		= image_test_exit,
	.test_cases	= image_cases,
};

kunit_test_suite(image_suite);
