// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "query.h"
#include "show.h"

static void put_fields(struct json *json, const struct field *field,
		       const char *base);

static void put_text(struct json *json, const char *key, const char *s)
{
	json_string(json, key, s, strlen(s));
}

static void put_comm(struct json *json, const struct ckpt_rec_task *task)
{
	json_string(json, "comm", (const char *)task->comm,
		    strnlen((const char *)task->comm, sizeof(task->comm)));
}

static void put_flags(struct json *json, const struct field *field,
		      const char *base)
{
	__u64 value = field_value(field, base);
	const struct flag_name *flag;

	json_open(json, field->name, '[');
	for (flag = field->flags; flag->bit; flag++) {
		if (value & flag->bit)
			put_text(json, NULL, flag->name);
		value &= ~flag->bit;
	}
	if (value)
		json_hex(json, NULL, value);
	json_close(json, ']');
}

static void put_cpus(struct json *json, const struct field *field,
		     const char *base)
{
	const unsigned char *bits = (const unsigned char *)base + field->offset;
	size_t i;

	json_open(json, field->name, '[');
	for (i = 0; i < field->size * 8; i++)
		if (bits[i / 8] & 1 << i % 8)
			json_unsigned(json, NULL, i);
	json_close(json, ']');
}

static void put_array(struct json *json, const struct field *field,
		      const char *base)
{
	bool scalars = !field->elements->name[0];
	size_t i;

	json_open(json, field->name, '[');
	for (i = 0; i < field->size; i += field->stride) {
		if (!scalars)
			json_open(json, NULL, '{');
		put_fields(json, field->elements, base + field->offset + i);
		if (!scalars)
			json_close(json, '}');
	}
	json_close(json, ']');
}

static void put_field(struct json *json, const struct field *field,
		      const char *base)
{
	const char *key = field->name[0] ? field->name : NULL;
	const char *data = base + field->offset;

	switch (field->how) {
	case FIELD_UNSIGNED:
	case FIELD_REF:
	case FIELD_OCTAL:
		json_unsigned(json, key, field_value(field, base));
		break;
	case FIELD_SIGNED:
		json_signed(json, key, field_signed(field, base));
		break;
	case FIELD_HEX:
		json_hex(json, key, field_value(field, base));
		break;
	case FIELD_FLAGS:
	case FIELD_OPEN_FLAGS:
		put_flags(json, field, base);
		break;
	case FIELD_CHARS:
		json_string(json, key, data, strnlen(data, field->size));
		break;
	case FIELD_BYTES:
		json_bytes(json, key, data, field->size);
		break;
	case FIELD_CPUS:
		put_cpus(json, field, base);
		break;
	case FIELD_ARRAY:
		put_array(json, field, base);
		break;
	case FIELD_ZERO:
		break;
	}
}

static void put_fields(struct json *json, const struct field *field,
		       const char *base)
{
	for (; field->name; field++)
		put_field(json, field, base);
}

static void put_header(struct json *json, const struct image *image)
{
	char taken[64];

	json_open(json, "header", '{');
	put_fields(json, header_fields, (const char *)&image->header);
	query_time(image, "%FT%TZ", taken, sizeof(taken));
	put_text(json, "taken", taken);
	json_unsigned(json, "boot_seconds",
		      le64toh(image->header.boottime) / 1000000000);
	json_unsigned(json, "stopped_us", image->stopped);
	json_close(json, '}');
}

static void put_fd(struct json *json, const struct image *image,
		   const struct ckpt_rec_fd *fd)
{
	const struct image_record *file =
		image_object(image, le32toh(fd->file));

	json_open(json, NULL, '{');
	json_unsigned(json, "fd", le32toh(fd->fd));
	json_bool(json, "cloexec", fd->flags);
	put_text(json, "type", file->type->name);
	json_unsigned(json, "object", file->owner);
	put_text(json, "path", query_path(image, file, 0));
	put_fields(json, file->type->fields, image_payload(file));
	json_close(json, '}');
}

static void put_files(struct json *json, const struct image *image,
		      const struct ckpt_rec_task *task)
{
	const struct image_record *record =
		image_object(image, le32toh(task->files));

	json_open(json, "files", '[');
	while ((record = image_part(image, record, CKPT_REC_FD)))
		put_fd(json, image, image_payload(record));
	json_close(json, ']');
}

static void put_pages(struct json *json, const struct image *image,
		      struct query_pages pages)
{
	__u32 page_size = le32toh(image->header.page_size);

	json_unsigned(json, "bytes_saved", pages.saved * page_size);
	json_unsigned(json, "bytes_zero", pages.zero * page_size);
	json_unsigned(json, "bytes_same", pages.same * page_size);
	if (image_is_child(image))
		json_unsigned(json, "bytes_parent", pages.parent * page_size);
}

static void put_memory(struct json *json, const struct image *image,
		       const struct ckpt_rec_task *task)
{
	__u32 ref = le32toh(task->mm);
	const struct image_record *mm = image_object(image, ref);
	const struct ckpt_rec_mm *rec = image_payload(mm);

	if (rec->exe)
		put_text(json, "exe",
			 query_path(image, image_object(image,
							le32toh(rec->exe)), 0));
	json_open(json, "memory", '{');
	json_unsigned(json, "object", ref);
	json_unsigned(json, "mappings", le32toh(rec->nr_vmas));
	json_unsigned(json, "bytes_mapped", query_mapped(image, mm));
	put_pages(json, image, query_pages(image, ref, 0, -1ULL));
	json_close(json, '}');
}

static void put_live(struct json *json, const struct image *image,
		     const struct ckpt_rec_task *task)
{
	const struct image_record *fs = image_object(image, le32toh(task->fs));

	put_memory(json, image, task);
	put_text(json, "root", query_path(image, fs, 0));
	put_text(json, "cwd", query_path(image, fs, 1));
	put_files(json, image, task);
}

static void put_process(struct json *json, const struct image *image, size_t i,
			const struct query_usage *usage)
{
	const struct image_record *signal = image->objects[i];
	const struct ckpt_rec_task *task = image_payload(image->leaders[i]);
	const struct ckpt_rec_cred *cred =
		image_payload(image_object(image, le32toh(task->cred)));

	json_open(json, NULL, '{');
	put_fields(json, signal->type->fields, image_payload(signal));
	put_comm(json, task);
	if (usage) {
		json_unsigned(json, "user_ns", usage[i].user);
		json_unsigned(json, "system_ns", usage[i].system);
	}
	json_unsigned(json, "uid", le32toh(cred->euid));
	json_unsigned(json, "gid", le32toh(cred->egid));
	if (image->live[i])
		put_live(json, image, image_payload(image->live[i]));
	else
		json_unsigned(json, "exit_code", le32toh(task->exit_code));
	json_close(json, '}');
}

static void put_processes(struct json *json, const struct image *image)
{
	struct query_usage *usage = query_usage(image);
	size_t i;

	json_open(json, "processes", '[');
	for (i = 0; i < image->nr_objects; i++)
		if (image->leaders[i])
			put_process(json, image, i, usage);
	free(usage);
	json_close(json, ']');
}

static void put_vma(struct json *json, const struct image *image,
		    const struct image_record *record)
{
	json_open(json, NULL, '{');
	put_fields(json, record->type->fields, image_payload(record));
	put_text(json, "name", query_vma_name(image, record));
	put_pages(json, image, query_vma_pages(image, record));
	json_close(json, '}');
}

static void put_maps(struct json *json, const struct image *image)
{
	size_t i;

	json_open(json, "maps", '[');
	for (i = 0; i < image->nr_objects; i++) {
		const struct image_record *record = image->objects[i];

		if (record->type->type != CKPT_REC_MM)
			continue;
		json_open(json, NULL, '{');
		json_unsigned(json, "object", record->owner);
		json_open(json, "mappings", '[');
		while ((record = image_part(image, record, CKPT_REC_VMA)))
			put_vma(json, image, record);
		json_close(json, ']');
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void put_paths(struct json *json, const struct image *image)
{
	size_t nr, i;
	const char **paths = query_paths(image, &nr);

	json_open(json, "paths", '[');
	for (i = 0; i < nr; i++)
		put_text(json, NULL, paths[i]);
	json_close(json, ']');
	free(paths);
}

static void put_record(struct json *json, const struct image_record *record)
{
	const struct record_type *type = record->type;

	json_open(json, NULL, '{');
	json_unsigned(json, "nr", record->nr);
	json_unsigned(json, "offset", record->offset);
	put_text(json, "type", type->name);
	json_unsigned(json, "object", record->owner);
	json_bool(json, "part", type->owners);
	json_unsigned(json, "size", record->size);
	json_open(json, "fields", '{');
	put_fields(json, type->fields, image_payload(record));
	if (type->tail) {
		struct field tail = record_tail(type, record->size);

		put_field(json, &tail, image_payload(record));
	}
	json_close(json, '}');
	json_close(json, '}');
}

static void put_records(struct json *json, const struct image *image)
{
	size_t i;

	json_open(json, "records", '[');
	for (i = 0; i < image->nr_records; i++)
		put_record(json, &image->records[i]);
	json_close(json, ']');
}

static void put_compressed(struct json *json, const struct image *image)
{
	if (!frames_method(image))
		return;
	json_open(json, "compressed", '{');
	put_text(json, "method", frames_method(image));
	json_unsigned(json, "frames", image->frames.nr);
	json_unsigned(json, "bytes_raw", le64toh(image->header.nr_pages) *
		      le32toh(image->header.page_size));
	json_unsigned(json, "bytes_stored", image->frames.stored);
	json_close(json, '}');
}

void show_json(const struct image *image)
{
	struct json json = { .out = stdout };

	json_open(&json, NULL, '{');
	json_unsigned(&json, "size", image->size);
	put_compressed(&json, image);
	json_bool(&json, "checksums", image_has(image, CKPT_INCOMPAT_EITHER));
	json_bool(&json, "checked", image->checked);
	put_header(&json, image);
	put_processes(&json, image);
	put_maps(&json, image);
	put_paths(&json, image);
	put_records(&json, image);
	json_close(&json, '}');
}
