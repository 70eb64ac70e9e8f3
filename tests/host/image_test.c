// SPDX-License-Identifier: GPL-2.0-only
/* The reader of images, on good ones, on damaged ones, and on hostile ones. */
#define _GNU_SOURCE
#include <endian.h>
#include <err.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "crc32c.h"
#include "image.h"
#include "show.h"
#include "synthetic.h"
#include "text.h"

/* stdout is what the views print to; the results go here. */
static FILE *results;
static int memory;

__attribute__((format(printf, 2, 3)))
static void check(bool ok, const char *fmt, ...)
{
	va_list args;

	fputs(ok ? "ok " : "not ok ", results);
	va_start(args, fmt);
	vfprintf(results, fmt, args);
	va_end(args);
	fputc('\n', results);
}

static void put_in_memory(const void *data, size_t len)
{
	if (ftruncate(memory, 0) || pwrite(memory, data, len, 0) != (ssize_t)len)
		err(1, "memfd");
}

/* Read what is in memory; true if it is taken for good. */
static bool read_memory(struct image *image)
{
	if (lseek(memory, 0, SEEK_SET))
		err(1, "memfd");
	return !image_read(image, memory, true);
}

/* The same for what has been refused, as nearly all below should be. */
static bool is_refused(void)
{
	struct image image;
	bool refused = !read_memory(&image) && image.error[0];

	image_free(&image);
	return refused;
}

static void make_image(struct synthetic *s)
{
	synthetic_start(s);
	synthetic_process(s, 412, "/home/a \"b\"\\c\n\xff\xc3\xa9/\x1b[31m");
	synthetic_finish(s);
}

static void show_all(const struct image *image)
{
	show_summary(image);
	show_records(image);
	show_maps(image);
	show_files(image);
	show_json(image);
}

static void test_crc(void)
{
	static const char zeros[32];

	check(crc32c(0, "123456789", 9) == 0xe3069283, "crc: check value");
	check(crc32c(0, zeros, 32) == 0x8a9136aa, "crc: RFC 3720, 32 zeros");
	check(crc32c(crc32c(0, "1234", 4), "56789", 5) == 0xe3069283,
	      "crc: in two steps");
}

static void test_utf8(void)
{
	check(text_utf8("a", 1) == 1, "utf-8: ASCII");
	check(text_utf8("\xc3\xa9", 2) == 2, "utf-8: two bytes");
	check(text_utf8("\xe2\x82\xac", 3) == 3, "utf-8: three bytes");
	check(text_utf8("\xf0\x9f\x98\x80", 4) == 4, "utf-8: four bytes");
	check(!text_utf8("\xe2\x82", 2), "utf-8: cut");
	check(!text_utf8("\xc0\xaf", 2), "utf-8: overlong, of two bytes");
	check(!text_utf8("\xe0\x80\xaf", 3), "utf-8: overlong, of three bytes");
	check(!text_utf8("\xed\xa0\x80", 3), "utf-8: surrogate");
	check(!text_utf8("\xf4\x90\x80\x80", 4), "utf-8: beyond the last");
	check(!text_utf8("\x80", 1), "utf-8: continuation byte");
}

/* The types of the format, as the Makefile finds them in its header. */
static const struct {
	__u32		type;
	const char	*name;
} all_types[] = {
#define TYPE(name) { name, #name },
#include "types.inc"
};

/* A field that the format gains must not be left out here. */
static bool fields_cover(const struct field *field, size_t size)
{
	size_t at = 0;

	for (; field->name; field++) {
		if (field->offset != at)
			return false;
		if (field->how == FIELD_ARRAY &&
		    !fields_cover(field->elements, field->stride))
			return false;
		at += field->size;
	}
	return at == size;
}

/* Nor a flag. */
static const struct {
	__u32		type;
	const char	*field;
	__u64		known;
} known_flags[] = {
	{ CKPT_REC_FILE_REGULAR, "what", CKPT_FILE_WHAT_KNOWN },
	{ CKPT_REC_MM, "what", CKPT_MM_WHAT_KNOWN },
	{ CKPT_REC_VMA, "flags", CKPT_VMA_KNOWN },
	{ CKPT_REC_SIGNAL, "what", CKPT_SIGNAL_WHAT_KNOWN },
	{ CKPT_REC_ITIMERS, "what", CKPT_ITIMERS_WHAT_KNOWN },
	{ CKPT_REC_POSIX_TIMER, "what", CKPT_TIMER_WHAT_KNOWN },
	{ CKPT_REC_PRCTL, "what", CKPT_PRCTL_KNOWN },
};

static __u64 named_flags(__u32 type, const char *name)
{
	const struct field *field = record_type_of(type)->fields;
	const struct flag_name *flag;
	__u64 named = 0;

	while (strcmp(field->name, name))
		field++;
	for (flag = field->flags; flag->bit; flag++)
		named |= flag->bit;
	return named;
}

static void test_types(void)
{
	size_t i;

	for (i = 0; i < sizeof(known_flags) / sizeof(known_flags[0]); i++)
		check(named_flags(known_flags[i].type, known_flags[i].field) ==
		      known_flags[i].known, "%s of %s: all flags are known",
		      known_flags[i].field,
		      record_type_of(known_flags[i].type)->name);

	for (i = 0; i < sizeof(all_types) / sizeof(all_types[0]); i++) {
		const struct record_type *type =
			record_type_of(all_types[i].type);

		check(type, "%s is known", all_types[i].name);
		check(type && fields_cover(type->fields, type->size),
		      "%s: all fields are known", all_types[i].name);
	}
}

static void test_good(const struct synthetic *s)
{
	struct image image;

	put_in_memory(s->data, s->len);
	check(read_memory(&image), "a good image: %s", image.error);
	check(image.size == s->len, "its size");
	check(image.nr_records == s->nr_records, "its records");
	show_all(&image);
	image_free(&image);
}

static void test_trees(void)
{
	struct synthetic s;
	struct image image;
	__u32 pid;

	synthetic_start(&s);
	for (pid = 412; pid < 512; pid++)
		synthetic_process(&s, pid, "/tmp/a");
	synthetic_finish(&s);
	put_in_memory(s.data, s.len);
	check(read_memory(&image), "a hundred processes: %s", image.error);
	show_all(&image);
	image_free(&image);
	free(s.data);
}

static void test_flips(const struct synthetic *s)
{
	const struct ckpt_image_header *h = (void *)s->data;
	size_t pages = le64toh(h->pages_offset);
	size_t trailer = s->len - sizeof(struct ckpt_image_trailer);
	size_t taken = 0;
	size_t at;
	int bit;

	put_in_memory(s->data, s->len);
	for (at = 0; at < s->len; at++) {
		/* The pages have no checksum. */
		if (at == pages)
			at = trailer;
		for (bit = 0; bit < 8; bit++) {
			unsigned char c = s->data[at] ^ 1 << bit;

			pwrite(memory, &c, 1, at);
			taken += !is_refused();
		}
		pwrite(memory, &s->data[at], 1, at);
	}
	check(!taken, "each bit flipped: %zu taken for good", taken);
}

static void test_cuts(const struct synthetic *s)
{
	size_t taken = 0;
	size_t len;

	put_in_memory(s->data, s->len);
	for (len = s->len; len--;) {
		if (ftruncate(memory, len))
			err(1, "memfd");
		taken += !is_refused();
	}
	check(!taken, "cut at each length: %zu taken for good", taken);
}

static bool read_pipe(const struct synthetic *s, size_t len)
{
	struct image image;
	int fds[2];
	bool good;

	/* All of it fits in; and one byte more stands for what comes next. */
	if (pipe(fds) || write(fds[1], s->data, len) != (ssize_t)len)
		err(1, "pipe");
	close(fds[1]);
	good = !image_read(&image, fds[0], false);
	image_free(&image);
	close(fds[0]);
	return good;
}

static void test_pipe(const struct synthetic *s)
{
	size_t taken = 0;
	size_t len;

	check(read_pipe(s, s->len), "from a pipe");
	for (len = 0; len < s->len; len += 97)
		taken += read_pipe(s, len);
	check(!taken, "cut, from a pipe: %zu taken for good", taken);
}

static __u32 next_random(void)
{
	static __u32 state = 2463534242;

	/* Marsaglia, Xorshift RNGs, Journal of Statistical Software 8, 2003 */
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static void mutate(unsigned char *data, size_t from, size_t to)
{
	static const __u32 values[] = {
		0, 1, 7, 8, 0x7f, 0xff, 0x1000, 0x7fffffff, 0x80000000,
		0xfffffff8, 0xffffffff
	};
	size_t at = from + next_random() % (to - from);
	__u32 value = values[next_random() % 11];
	__u32 bit = next_random() % 8;

	if (next_random() % 2) {
		data[at] ^= 1 << bit;
	} else {
		at &= ~3;
		memcpy(data + at, &value, 4);
	}
}

/* With checksums that hold, only the checks of contents are in the way. */
static void test_mutations(const struct synthetic *s, unsigned int rounds)
{
	const struct ckpt_image_header *h = (void *)s->data;
	size_t end = sizeof(*h) + le64toh(h->meta_size);
	unsigned char *copy = malloc(s->len);
	unsigned int taken = 0;
	struct image image;
	unsigned int i, n;

	if (!copy)
		err(1, NULL);
	for (i = 0; i < rounds; i++) {
		memcpy(copy, s->data, s->len);
		for (n = 1 + next_random() % 4; n; n--)
			mutate(copy, next_random() % 8 ? sizeof(*h) : 12, end);
		synthetic_mend(copy, s->len);
		put_in_memory(copy, s->len);
		if (read_memory(&image)) {
			taken++;
			show_all(&image);
		}
		image_free(&image);
	}
	check(taken && taken < rounds,
	      "%u mutated ones with good checksums, %u of them sound", rounds,
	      taken);
	free(copy);
}

/* ---- one fault at a time, to be named ------------------------------------ */

static struct ckpt_record *find_record(unsigned char *data, __u32 type)
{
	struct ckpt_record *head =
		(void *)(data + sizeof(struct ckpt_image_header));

	while (le32toh(head->type) != type)
		head = (void *)((char *)(head + 1) +
				((le32toh(head->size) + 7) & ~7U));
	return head;
}

static struct ckpt_image_header *header_of(unsigned char *data)
{
	return (void *)data;
}

static void break_magic(unsigned char *data)
{
	header_of(data)->magic[5] = '\n';
}

static void break_version(unsigned char *data)
{
	header_of(data)->version = htole32(2);
}

static void break_incompat(unsigned char *data)
{
	header_of(data)->incompat = htole64(1ULL << 63);
}

static void break_pages(unsigned char *data)
{
	header_of(data)->nr_pages = htole64(5);
}

static void break_tasks(unsigned char *data)
{
	header_of(data)->nr_tasks = htole32(2);
}

static void break_type(unsigned char *data)
{
	find_record(data, CKPT_REC_SHMEM)->type = htole32(0x999);
}

static void break_ref(unsigned char *data)
{
	find_record(data, CKPT_REC_SHMEM)->ref = htole32(1);
}

static void break_part(unsigned char *data)
{
	find_record(data, CKPT_REC_CPU)->type = htole32(CKPT_REC_FD);
}

static void break_path(unsigned char *data)
{
	((char *)(find_record(data, CKPT_REC_PATH) + 1))[3] = 0;
}

static void break_vma(unsigned char *data)
{
	struct ckpt_rec_vma *vma = (void *)(find_record(data, CKPT_REC_VMA) + 1);

	vma->end = htole64(0x601000);
}

static void break_flags(unsigned char *data)
{
	struct ckpt_rec_vma *vma = (void *)(find_record(data, CKPT_REC_VMA) + 1);

	vma->flags |= htole64(1ULL << 50);
}

static void break_forward(unsigned char *data)
{
	struct ckpt_rec_mm *mm = (void *)(find_record(data, CKPT_REC_MM) + 1);

	mm->exe = htole32(9);
}

static void break_family(unsigned char *data)
{
	struct ckpt_rec_task *task =
		(void *)(find_record(data, CKPT_REC_TASK) + 1);

	task->fs = task->files;
}

static void break_run(unsigned char *data)
{
	struct ckpt_rec_pagemap *map =
		(void *)(find_record(data, CKPT_REC_PAGEMAP) + 1);

	map->runs[1].start = map->runs[0].start;
}

static void break_count(unsigned char *data)
{
	struct ckpt_rec_files *files =
		(void *)(find_record(data, CKPT_REC_FILES) + 1);

	files->nr_fds = htole32(4);
}

static void break_groups(unsigned char *data)
{
	struct ckpt_rec_cred *cred =
		(void *)(find_record(data, CKPT_REC_CRED) + 1);

	cred->nr_groups = htole32(0xffffffff);
}

static void break_size(unsigned char *data)
{
	find_record(data, CKPT_REC_PAGEMAP)->size = htole32(0xfffffff0);
}

static void break_gap(unsigned char *data)
{
	data[le64toh(header_of(data)->pages_offset) - 1] = 1;
}

static const struct {
	void		(*make)(unsigned char *data);
	const char	*reason;
} faults[] = {
	{ break_magic, "changed by a transfer in text mode" },
	{ break_version, "format 2, this program knows 1" },
	{ break_incompat, "header: unknown features 0x8000000000000000" },
	{ break_pages, "header: 5 pages announced, 4 in the page maps" },
	{ break_tasks, "header: 2 tasks announced, there are 1" },
	{ break_type, ": unknown type 0x999" },
	{ break_ref, "(shmem) at byte 864: reference 1, expected 4" },
	{ break_part, "bytes of payload, expected 16" },
	{ break_path, ": not an absolute path with its NUL" },
	{ break_vma, "is below the end of the mapping before it" },
	{ break_flags, ": flags: unknown 0x4000000000000" },
	{ break_forward, ": exe: no object 9 comes before" },
	{ break_family, ": fs: object 6 is of type files" },
	{ break_run, ": run 2: 1 pages at 0x600000" },
	{ break_count, ": 4 records of type fd expected, there are 3" },
	{ break_groups, ": 4294967295 groups do not make 88 bytes" },
	{ break_size, "bytes of metadata are left" },
	{ break_gap, "padding before the pages is not zero" },
};

static void test_faults(const struct synthetic *s)
{
	unsigned char *copy = malloc(s->len);
	struct image image;
	size_t i;

	if (!copy)
		err(1, NULL);
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		memcpy(copy, s->data, s->len);
		faults[i].make(copy);
		synthetic_mend(copy, s->len);
		put_in_memory(copy, s->len);
		check(!read_memory(&image) &&
		      strstr(image.error, faults[i].reason),
		      "%s: said \"%s\"", faults[i].reason, image.error);
		image_free(&image);
	}
	free(copy);
}

int main(void)
{
	struct synthetic s;

	results = fdopen(dup(STDOUT_FILENO), "w");
	memory = memfd_create("image", MFD_CLOEXEC);
	if (!results || memory < 0 || !freopen("/dev/null", "w", stdout))
		err(1, "preparations");
	make_image(&s);
	test_crc();
	test_utf8();
	test_types();
	test_good(&s);
	test_trees();
	test_faults(&s);
	test_pipe(&s);
	test_cuts(&s);
	test_flips(&s);
	test_mutations(&s, 20000);
	free(s.data);
	return 0;
}
