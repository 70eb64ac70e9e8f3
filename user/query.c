// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "query.h"

/* What was deleted, if that is what a file or the current directory is. */
static __u32 deleted_ref(const struct image_record *object, unsigned int nr)
{
	const struct ckpt_rec_file_deleted *file = image_payload(object);
	const struct ckpt_rec_file_pipe *pipe = image_payload(object);
	const struct ckpt_rec_fs *fs = image_payload(object);

	if (object->type->type == CKPT_REC_FILE_DELETED)
		return le32toh(file->deleted);
	if (object->type->type == CKPT_REC_FILE_FIFO)
		return le32toh(pipe->deleted);
	if (object->type->type == CKPT_REC_FS && nr == 1)
		return le32toh(fs->deleted);
	return 0;
}

const char *query_path(const struct image *image,
		       const struct image_record *object, unsigned int nr)
{
	const struct image_record *path = object;
	const struct ckpt_rec_deleted *deleted;
	__u32 ref = deleted_ref(object, nr);
	unsigned int i;

	if (object->type->type == CKPT_REC_FILE_EXTERNAL)
		return (const char *)image_payload(object) +
		       object->type->size;
	if (ref) {
		deleted = image_payload(image_object(image, ref));
		return (const char *)deleted->name;
	}
	for (i = 0; path && i <= nr; i++)
		path = image_part(image, path, CKPT_REC_PATH);
	return path ? image_payload(path) : "";
}

static __u64 run_end(const struct image *image, const struct ckpt_page_run *run)
{
	return le64toh(run->start) +
	       (__u64)le32toh(run->nr) * le32toh(image->header.page_size);
}

/* The first run that ends behind @start, or nr_runs. */
static __u32 first_run(const struct image *image,
		       const struct ckpt_rec_pagemap *map, __u64 start)
{
	__u32 low = 0;
	__u32 high = le32toh(map->nr_runs);

	while (low < high) {
		__u32 middle = low + (high - low) / 2;

		if (run_end(image, &map->runs[middle]) > start)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

struct query_pages query_pages(const struct image *image, __u32 owner,
			       __u64 start, __u64 end)
{
	const struct image_record *record = image->pagemaps[owner - 1];
	__u32 page_size = le32toh(image->header.page_size);
	const struct ckpt_rec_pagemap *map;
	struct query_pages pages = {};
	__u32 i;

	if (!record)
		return pages;
	map = image_payload(record);
	for (i = first_run(image, map, start); i < le32toh(map->nr_runs); i++) {
		const struct ckpt_page_run *run = &map->runs[i];
		__u64 from = le64toh(run->start);
		__u64 to = run_end(image, run);

		if (from >= end)
			break;
		from = from > start ? from : start;
		to = to < end ? to : end;
		if (le32toh(run->flags) & CKPT_RUN_ZERO)
			pages.zero += (to - from) / page_size;
		else if (le32toh(run->flags) & CKPT_RUN_PARENT)
			pages.parent += (to - from) / page_size;
		else if (le32toh(run->flags) & CKPT_RUN_SAME)
			pages.same += (to - from) / page_size;
		else
			pages.saved += (to - from) / page_size;
	}
	return pages;
}

struct query_pages query_vma_pages(const struct image *image,
				   const struct image_record *record)
{
	const struct ckpt_rec_vma *vma = image_payload(record);
	__u64 start = le64toh(vma->start);
	__u64 size = le64toh(vma->end) - start;
	__u32 owner = record->owner;

	if (le64toh(vma->flags) & CKPT_VMA_ANON_SHARED) {
		start = le64toh(vma->pgoff) * le32toh(image->header.page_size);
		owner = le32toh(vma->object);
	}
	return query_pages(image, owner, start, start + size);
}

static void usage_add(struct query_usage *usage, const struct image *image,
		      const struct image_record *object, __u32 type)
{
	const struct image_record *part = image_part(image, object, type);
	const struct ckpt_rec_usage *rec;

	if (!part)
		return;
	rec = image_payload(part);
	usage->user += le64toh(rec->utime);
	usage->system += le64toh(rec->stime);
}

struct query_usage *query_usage(const struct image *image)
{
	struct query_usage *usage = calloc(image->nr_objects, sizeof(*usage));
	size_t i;

	for (i = 0; usage && i < image->nr_objects; i++) {
		const struct image_record *object = image->objects[i];
		const struct ckpt_rec_task *task = image_payload(object);

		if (object->type->type == CKPT_REC_SIGNAL)
			usage_add(&usage[i], image, object,
				  CKPT_REC_ENDED_USAGE);
		if (object->type->type == CKPT_REC_TASK)
			usage_add(&usage[le32toh(task->signal) - 1], image,
				  object, CKPT_REC_USAGE);
	}
	return usage;
}

__u64 query_mapped(const struct image *image, const struct image_record *mm)
{
	const struct image_record *record = mm;
	__u64 mapped = 0;

	while ((record = image_part(image, record, CKPT_REC_VMA))) {
		const struct ckpt_rec_vma *vma = image_payload(record);

		mapped += le64toh(vma->end) - le64toh(vma->start);
	}
	return mapped;
}

const char *query_vma_name(const struct image *image,
			   const struct image_record *record)
{
	const struct ckpt_rec_vma *vma = image_payload(record);
	const struct ckpt_rec_mm *mm =
		image_payload(image_object(image, record->owner));
	__u64 start = le64toh(vma->start);
	__u64 end = le64toh(vma->end);

	if (le64toh(vma->flags) & CKPT_VMA_ANON_SHARED)
		return "[shared memory]";
	if (vma->object)
		return query_path(image, image_object(image,
						      le32toh(vma->object)), 0);
	if (start == le64toh(mm->vdso))
		return "[vdso]";
	if (start < le64toh(mm->brk) && end > le64toh(mm->start_brk))
		return "[heap]";
	if (start <= le64toh(mm->start_stack) && end > le64toh(mm->start_stack))
		return "[stack]";
	return "";
}

/* By path, and then by whatever else there is to tell. */
static const struct image *sorted;

static int compare(const void *a, const void *b)
{
	const struct image_record *x = *(const struct image_record * const *)a;
	const struct image_record *y = *(const struct image_record * const *)b;
	int order = strcmp(query_path(sorted, x, 0), query_path(sorted, y, 0));

	if (!order)
		order = (int)x->type->type - (int)y->type->type;
	if (!order && x->size == y->size)
		order = memcmp(image_payload(x), image_payload(y), x->size);
	return order;
}

static bool is_opened(const struct image *image,
		      const struct image_record *record)
{
	return record->type->family == FAMILY_FILE && !deleted_ref(record, 0) &&
	       query_path(image, record, 0)[0];
}

const struct image_record **query_files(const struct image *image, size_t *nr)
{
	const struct image_record **files =
		calloc(image->nr_objects + 1, sizeof(*files));
	size_t i;

	*nr = 0;
	if (!files)
		return NULL;
	for (i = 0; i < image->nr_objects; i++)
		if (is_opened(image, image->objects[i]))
			files[(*nr)++] = image->objects[i];
	sorted = image;
	qsort(files, *nr, sizeof(*files), compare);
	return files;
}

const char **query_paths(const struct image *image, size_t *nr)
{
	size_t found, i;
	const struct image_record **files = query_files(image, &found);
	const char **paths = calloc(found + 1, sizeof(*paths));

	*nr = 0;
	for (i = 0; paths && i < found; i++) {
		const char *path = query_path(image, files[i], 0);

		if (!*nr || strcmp(path, paths[*nr - 1]))
			paths[(*nr)++] = path;
	}
	free(files);
	return paths;
}

void query_time(const struct image *image, const char *format, char *buf,
		size_t len)
{
	time_t seconds = le64toh(image->header.time) / 1000000000;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	if (!strftime(buf, len, format, &tm))
		buf[0] = '\0';
}
