// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "query.h"
#include "show.h"
#include "text.h"

static void put_string(const char *s)
{
	text_put(stdout, s, strlen(s));
}

static void put_hex(const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len--)
		printf("%02x", *p++);
}

static void put_size(__u64 bytes)
{
	char buf[TEXT_SIZE_LEN];

	fputs(text_size(buf, bytes), stdout);
}

/* ---- the summary --------------------------------------------------------- */

static void put_label(const char *label)
{
	printf("  %-10s", label);
}

/* Names of the bits of @value, and the rest as a number. */
static void put_flags(const struct flag_name *flag, __u64 value)
{
	const char *between = "";

	if (!value)
		putchar('0');
	for (; flag->bit; flag++) {
		if (!(value & flag->bit))
			continue;
		printf("%s%s", between, flag->name);
		between = "|";
		value &= ~flag->bit;
	}
	if (value)
		printf("%s0x%llx", between, value);
}

static const struct field *field_named(const struct field *fields,
				       const char *name)
{
	while (strcmp(fields->name, name))
		fields++;
	return fields;
}

static void summary_compressed(const struct image *image)
{
	__u64 raw = le64toh(image->header.nr_pages) *
		    le32toh(image->header.page_size);

	if (!frames_method(image))
		return;
	put_label("pages");
	printf("compressed by %s, in %zu frames: ", frames_method(image), image->frames.nr);
	put_size(image->frames.stored);
	fputs(" for ", stdout);
	put_size(raw);
	if (raw)
		printf(", %.1f%%", 100.0 * image->frames.stored / raw);
	putchar('\n');
}

static void summary_image(const struct image *image)
{
	const struct ckpt_image_header *h = &image->header;
	const struct field *xfeatures = field_named(header_fields, "xfeatures");
	char uuid[IMAGE_UUID_LEN];
	char taken[64];

	query_time(image, "%F %T UTC", taken, sizeof(taken));
	printf("image %" PRIu64 ", format %u\n", (uint64_t)le64toh(h->id),
	       le32toh(h->version));
	if (!bytes_are_zero(h->uuid, sizeof(h->uuid))) {
		put_label("uuid");
		puts(image_uuid(uuid, h->uuid));
	}
	if (image_is_child(image)) {
		put_label("parent");
		puts(image_uuid(uuid, h->parent));
	}
	put_label("taken");
	printf("%s, %" PRIu64 " s after boot", taken,
	       (uint64_t)le64toh(h->boottime) / 1000000000);
	if (image->stopped)
		printf(", in %.3f ms", image->stopped / 1000.0);
	putchar('\n');
	put_label("kernel");
	text_put(stdout, h->release, strnlen(h->release, sizeof(h->release)));
	printf(" (%s), build id ", le32toh(h->arch) == CKPT_ARCH_X86_64 ?
	       "x86-64" : "unknown machine");
	put_hex(h->kernel_build_id, sizeof(h->kernel_build_id));
	putchar('\n');
	put_label("FPU");
	put_flags(xfeatures->flags, le64toh(h->xfeatures));
	putchar('\n');
	put_label("size");
	put_size(image->size);
	printf(": %" PRIu64 " pages of ", (uint64_t)le64toh(h->nr_pages));
	put_size(le32toh(h->page_size));
	fputs(", ", stdout);
	put_size(le64toh(h->meta_size));
	printf(" in %zu records\n", image->nr_records);
	summary_compressed(image);
	if (image_has(image, CKPT_INCOMPAT_EITHER)) {
		put_label("checksums");
		puts(image->checked ? "of the pages: they are right" :
				      "of the pages: not compared");
	}
	put_label("tasks");
	printf("%u, the root has pid %u\n", le32toh(h->nr_tasks),
	       le32toh(h->root_pid));
}

static void summary_ids(const struct image *image,
			const struct ckpt_rec_signal *signal,
			const struct ckpt_rec_task *task)
{
	__u32 what = le32toh(signal->what);
	const struct ckpt_rec_cred *cred =
		image_payload(image_object(image, le32toh(task->cred)));
	__u32 threads = le32toh(signal->nr_threads);

	put_label("ids");
	if (signal->ppid)
		printf("parent %u, ", le32toh(signal->ppid));
	printf("group %u, session %u, uid %u, gid %u; %u thread%s",
	       le32toh(signal->pgid), le32toh(signal->sid), le32toh(cred->euid),
	       le32toh(cred->egid), threads, threads == 1 ? "" : "s");
	if (what & CKPT_SIGNAL_STOPPED)
		fputs("; stopped", stdout);
	if (what & CKPT_SIGNAL_ZOMBIE)
		printf("; zombie, exit code %#x", le32toh(task->exit_code));
	putchar('\n');
}

static void put_seconds(__u64 ns)
{
	printf("%" PRIu64 ".%02u s", (uint64_t)(ns / 1000000000),
	       (unsigned int)(ns % 1000000000 / 10000000));
}

static void summary_usage(const struct query_usage *usage)
{
	put_label("used");
	put_seconds(usage->user);
	fputs(" user, ", stdout);
	put_seconds(usage->system);
	puts(" system");
}

static void summary_memory(const struct image *image,
			   const struct ckpt_rec_task *task)
{
	__u32 page_size = le32toh(image->header.page_size);
	__u32 ref = le32toh(task->mm);
	const struct image_record *record = image_object(image, ref);
	const struct ckpt_rec_mm *mm = image_payload(record);
	struct query_pages pages = query_pages(image, ref, 0, -1ULL);

	put_label("memory");
	put_size(query_mapped(image, record));
	printf(" in %u mappings; ", le32toh(mm->nr_vmas));
	put_size(pages.saved * page_size);
	fputs(" saved, ", stdout);
	put_size(pages.zero * page_size);
	fputs(" zero", stdout);
	if (pages.same) {
		fputs(", ", stdout);
		put_size(pages.same * page_size);
		fputs(" as in others", stdout);
	}
	if (pages.parent) {
		fputs(", ", stdout);
		put_size(pages.parent * page_size);
		fputs(" as in the parent", stdout);
	}
	putchar('\n');
	if (mm->exe) {
		put_label("exe");
		put_string(query_path(image, image_object(image,
							  le32toh(mm->exe)), 0));
		putchar('\n');
	}
}

static void summary_fs(const struct image *image,
		       const struct ckpt_rec_task *task)
{
	const struct image_record *fs = image_object(image, le32toh(task->fs));

	put_label("root");
	put_string(query_path(image, fs, 0));
	putchar('\n');
	put_label("cwd");
	put_string(query_path(image, fs, 1));
	putchar('\n');
}

static void summary_fd(const struct image *image, const struct ckpt_rec_fd *fd)
{
	static const char * const access[] = {
		"read", "write", "read and write", "neither"
	};
	const struct image_record *record =
		image_object(image, le32toh(fd->file));
	const struct ckpt_rec_file *file = image_payload(record);
	const struct ckpt_rec_file_pipe *pipe = image_payload(record);
	const struct ckpt_rec_file_pty *pty = image_payload(record);
	const char *path = query_path(image, record, 0);
	char label[24];

	snprintf(label, sizeof(label), "fd %u", le32toh(fd->fd));
	put_label(label);
	put_string(path);
	printf("%s%s, %s", path[0] ? ": " : "", record->type->name, access[le32toh(file->flags) & 3]);
	if (record->type->type == CKPT_REC_FILE_PIPE)
		printf(", of pipe %u", le32toh(pipe->pipe));
	if (record->type->type == CKPT_REC_FILE_PTY && pty->pty)
		printf(", of pty %u", le32toh(pty->pty));
	if (record->type->type == CKPT_REC_FILE_REGULAR)
		printf(", at %" PRIu64 " of %" PRIu64,
		       (uint64_t)le64toh(file->pos),
		       (uint64_t)le64toh(file->stat.size));
	if (fd->flags)
		fputs(", close-on-exec", stdout);
	if (le32toh(file->what) & CKPT_FILE_IMAGE)
		fputs("; the image itself", stdout);
	putchar('\n');
}

static void summary_files(const struct image *image,
			  const struct ckpt_rec_task *task)
{
	const struct image_record *fd =
		image_object(image, le32toh(task->files));

	while ((fd = image_part(image, fd, CKPT_REC_FD)))
		summary_fd(image, image_payload(fd));
}

static void summary_process(const struct image *image, size_t i,
			    const struct query_usage *usage)
{
	const struct ckpt_rec_signal *signal = image_payload(image->objects[i]);
	const struct ckpt_rec_task *task = image_payload(image->leaders[i]);

	printf("\n%u ", le32toh(signal->pid));
	text_put(stdout, (const char *)task->comm,
		 strnlen((const char *)task->comm, sizeof(task->comm)));
	putchar('\n');
	summary_ids(image, signal, task);
	if (usage)
		summary_usage(&usage[i]);
	if (!image->live[i])
		return;
	task = image_payload(image->live[i]);
	summary_memory(image, task);
	summary_fs(image, task);
	summary_files(image, task);
}

void show_summary(const struct image *image)
{
	struct query_usage *usage = query_usage(image);
	size_t i;

	summary_image(image);
	for (i = 0; i < image->nr_objects; i++)
		if (image->leaders[i])
			summary_process(image, i, usage);
	free(usage);
}

/* ---- the records --------------------------------------------------------- */

/* More bytes than these are only counted. */
#define BYTES_SHOWN	32

static void put_cpus(const unsigned char *bits, size_t size)
{
	const char *between = "";
	size_t i, first;

	for (i = 0; i < size * 8; i++) {
		if (!(bits[i / 8] & 1 << i % 8))
			continue;
		first = i;
		while (i + 1 < size * 8 &&
		       bits[(i + 1) / 8] & 1 << (i + 1) % 8)
			i++;
		printf("%s%zu", between, first);
		if (i > first)
			printf("-%zu", i);
		between = ",";
	}
}

static void put_bytes(const void *data, size_t len)
{
	if (len > BYTES_SHOWN)
		printf("(%zu bytes)", len);
	else
		put_hex(data, len);
}

static void put_value(const struct field *field, const char *base)
{
	const char *data = base + field->offset;

	switch (field->how) {
	case FIELD_UNSIGNED:
	case FIELD_REF:
		printf("%llu", field_value(field, base));
		break;
	case FIELD_SIGNED:
		printf("%lld", field_signed(field, base));
		break;
	case FIELD_HEX:
		printf("0x%llx", field_value(field, base));
		break;
	case FIELD_OCTAL:
		printf("%#llo", field_value(field, base));
		break;
	case FIELD_FLAGS:
	case FIELD_OPEN_FLAGS:
		put_flags(field->flags, field_value(field, base));
		break;
	case FIELD_CHARS:
		text_put(stdout, data, strnlen(data, field->size));
		break;
	case FIELD_BYTES:
		put_bytes(data, field->size);
		break;
	case FIELD_CPUS:
		put_cpus((const unsigned char *)data, field->size);
		break;
	case FIELD_ZERO:
	case FIELD_ARRAY:
		break;
	}
}

static void put_fields(const struct field *field, const char *base,
		       const char *before);

/* Elements that are nothing but zeros are left out. */
static void put_array(const struct field *field, const char *base)
{
	bool scalars = !field->elements->name[0];
	size_t i;

	for (i = 0; i < field->size; i += field->stride) {
		const char *element = base + field->offset + i;

		if (bytes_are_zero(element, field->stride))
			continue;
		printf("\n\t%s[%zu]", field->name, i / field->stride);
		put_fields(field->elements, element, scalars ? "" : ": ");
	}
}

/* All of them, with @before before the first that is not an array. */
static void put_fields(const struct field *field, const char *base,
		       const char *before)
{
	for (; field->name; field++) {
		if (field->how == FIELD_ZERO)
			continue;
		if (field->how == FIELD_ARRAY) {
			put_array(field, base);
			continue;
		}
		printf("%s%s=", before, field->name);
		put_value(field, base);
		before = " ";
	}
}

static void show_record(const struct image_record *record)
{
	const struct record_type *type = record->type;

	printf("%u at %llu: %s", record->nr, record->offset, type->name);
	if (type->family)
		printf(", object %u", record->owner);
	else if (type->owners)
		printf(", part of %u", record->owner);
	printf(", %u bytes", record->size);
	put_fields(type->fields, image_payload(record), "\n\t");
	if (type->tail) {
		struct field tail[2] = { record_tail(type, record->size) };

		put_fields(tail, image_payload(record), "\n\t");
	}
	putchar('\n');
}

void show_records(const struct image *image)
{
	size_t i;

	printf("header at 0, %zu bytes", sizeof(image->header));
	put_fields(header_fields, (const char *)&image->header, "\n\t");
	putchar('\n');
	for (i = 0; i < image->nr_records; i++)
		show_record(&image->records[i]);
}

/* ---- the mappings -------------------------------------------------------- */

static void show_vma(const struct image *image,
		     const struct image_record *record)
{
	const struct ckpt_rec_vma *vma = image_payload(record);
	__u64 flags = le64toh(vma->flags);
	struct query_pages pages = query_vma_pages(image, record);
	__u32 page_size = le32toh(image->header.page_size);
	__u64 pgoff = vma->object ? le64toh(vma->pgoff) : 0;

	printf("%08" PRIx64 "-%08" PRIx64 " %c%c%c%c %08" PRIx64 " %10" PRIu64
	       " %10" PRIu64 " ",
	       (uint64_t)le64toh(vma->start), (uint64_t)le64toh(vma->end),
	       flags & CKPT_VMA_READ ? 'r' : '-',
	       flags & CKPT_VMA_WRITE ? 'w' : '-',
	       flags & CKPT_VMA_EXEC ? 'x' : '-',
	       flags & CKPT_VMA_SHARED ? 's' : 'p',
	       (uint64_t)pgoff * page_size,
	       (uint64_t)pages.saved * page_size / 1024,
	       (uint64_t)pages.zero * page_size / 1024);
	put_string(query_vma_name(image, record));
	putchar('\n');
}

/* The pids that a reader knows an address space by. */
static void show_mm_users(const struct image *image, __u32 mm)
{
	size_t i;

	for (i = 0; i < image->nr_objects; i++) {
		const struct ckpt_rec_task *task;

		if (!image->live[i])
			continue;
		task = image_payload(image->live[i]);
		if (le32toh(task->mm) == mm)
			printf(" %u", le32toh(task->tid));
	}
}

void show_maps(const struct image *image)
{
	size_t i;

	for (i = 0; i < image->nr_objects; i++) {
		const struct image_record *record = image->objects[i];

		if (record->type->type != CKPT_REC_MM)
			continue;
		printf("mm %u of", record->owner);
		show_mm_users(image, record->owner);
		puts(": address, access, offset, KiB saved, KiB zero, what");
		while ((record = image_part(image, record, CKPT_REC_VMA)))
			show_vma(image, record);
	}
}

/* ---- the files ----------------------------------------------------------- */

/* How it is opened, in two letters. */
static const char *file_access(const struct ckpt_rec_file *file)
{
	static const char * const access[] = { "r", "w", "rw", "-" };
	static const char * const append[] = { "r", "a", "ra", "-" };
	__u32 flags = le32toh(file->flags);

	/* O_APPEND of x86-64 */
	return (flags & 02000 ? append : access)[flags & 3];
}

static void put_mtime(const struct ckpt_rec_stat *stat)
{
	time_t seconds = le64toh(stat->mtime_sec);
	char text[32] = "";
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%FT%T", &tm);
	printf("%s.%09uZ", text, le32toh(stat->mtime_nsec));
}

/* With a tab in between, and a dash for what a restart does not compare. */
static void show_file(const struct image *image,
		      const struct image_record *record)
{
	const struct ckpt_rec_file *file = image_payload(record);

	put_string(query_path(image, record, 0));
	printf("\t%s", file_access(file));
	if (record->type->type == CKPT_REC_FILE_REGULAR) {
		printf("\t%" PRIu64 "\t", (uint64_t)le64toh(file->stat.size));
		put_mtime(&file->stat);
	} else {
		fputs("\t-\t-", stdout);
	}
	putchar('\n');
}

void show_files(const struct image *image)
{
	size_t nr, i;
	const struct image_record **files = query_files(image, &nr);

	for (i = 0; i < nr; i++)
		show_file(image, files[i]);
	free(files);
}
