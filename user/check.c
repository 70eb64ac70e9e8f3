// SPDX-License-Identifier: GPL-2.0-only
/* Checks of what records say, once each is known to be whole. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

static int check_fields(struct image *image, const struct image_record *record,
			const struct field *fields, const char *base);

static int check_flags(struct image *image, const struct image_record *record,
		       const struct field *field, const char *base)
{
	__u64 unknown = field_value(field, base);
	const struct flag_name *flag;

	for (flag = field->flags; flag->bit; flag++)
		unknown &= ~flag->bit;
	if (unknown)
		return image_bad_record(image, record, "%s: unknown %#llx",
					field->name, unknown);
	return 0;
}

/* Whatever is referred to has come before; or it is the object itself's. */
static int check_ref(struct image *image, const struct image_record *record,
		     const struct field *field, const char *base)
{
	__u32 ref = field_value(field, base);
	unsigned int family;

	if (!ref && field->families & FAMILY_NONE)
		return 0;
	if (!ref || ref >= record->owner)
		return image_bad_record(image, record,
					"%s: no object %u comes before",
					field->name, ref);
	family = image_object(image, ref)->type->family;
	if (!(family & field->families))
		return image_bad_record(image, record,
					"%s: object %u is of type %s",
					field->name, ref,
					image_object(image, ref)->type->name);
	return 0;
}

static int check_zero(struct image *image, const struct image_record *record,
		      const struct field *field, const char *base)
{
	if (!bytes_are_zero(base + field->offset, field->size))
		return image_bad_record(image, record, "%s is not zero",
					field->name);
	return 0;
}

static int check_array(struct image *image, const struct image_record *record,
		       const struct field *field, const char *base)
{
	size_t i;

	for (i = 0; i < field->size; i += field->stride)
		if (check_fields(image, record, field->elements,
				 base + field->offset + i))
			return -1;
	return 0;
}

static int check_field(struct image *image, const struct image_record *record,
		       const struct field *field, const char *base)
{
	switch (field->how) {
	case FIELD_FLAGS:
		return check_flags(image, record, field, base);
	case FIELD_REF:
		return check_ref(image, record, field, base);
	case FIELD_ZERO:
		return check_zero(image, record, field, base);
	case FIELD_ARRAY:
		return check_array(image, record, field, base);
	default:
		return 0;
	}
}

static int check_fields(struct image *image, const struct image_record *record,
			const struct field *fields, const char *base)
{
	for (; fields->name; fields++)
		if (check_field(image, record, fields, base))
			return -1;
	return 0;
}

static int check_path(struct image *image, const struct image_record *record)
{
	const char *path = image_payload(record);
	const char *nul = memchr(path, 0, record->size);

	if (!nul || nul != path + record->size - 1 || path[0] != '/')
		return image_bad_record(image, record,
					"not an absolute path with its NUL");
	return 0;
}

/* What ends in the name of what was deleted, or is external. */
static int check_name(struct image *image, const struct image_record *record)
{
	const char *name = (const char *)image_payload(record) +
			   record->type->size;

	if (!memchr(name, 0, record->size - record->type->size))
		return image_bad_record(image, record, "name without its NUL");
	return 0;
}

static int check_mm(struct image *image, const struct image_record *record)
{
	const struct ckpt_rec_mm *mm = image_payload(record);
	__u32 nr_auxv = le32toh(mm->nr_auxv);

	if (nr_auxv > sizeof(mm->auxv) / sizeof(mm->auxv[0]) || nr_auxv % 2)
		return image_bad_record(image, record, "nr_auxv is %u",
					nr_auxv);
	return 0;
}

static __u64 vma_end(const struct image_record *record)
{
	const struct ckpt_rec_vma *vma = image_payload(record);

	return le64toh(vma->end);
}

static bool shmem_as_flagged(const struct image *image,
			     const struct ckpt_rec_vma *vma)
{
	__u32 ref = le32toh(vma->object);
	bool shmem = ref && image_object(image, ref)->type->family ==
			    FAMILY_SHMEM;

	return shmem == !!(le64toh(vma->flags) & CKPT_VMA_ANON_SHARED);
}

static int check_vma(struct image *image, const struct image_record *record)
{
	const struct ckpt_rec_vma *vma = image_payload(record);
	__u64 page_mask = le32toh(image->header.page_size) - 1;
	__u64 start = le64toh(vma->start);
	__u64 end = le64toh(vma->end);

	if (start >= end || (start | end) & page_mask)
		return image_bad_record(image, record,
					"maps %#llx up to %#llx", start, end);
	if (record[-1].type == record->type && vma_end(record - 1) > start)
		return image_bad_record(image, record,
					"%#llx is below the end of the mapping before it",
					start);
	if (!shmem_as_flagged(image, vma))
		return image_bad_record(image, record,
					"flags and object disagree");
	return 0;
}

/* Adds up the pages of @map in *@pages, which cannot overflow. */
static int check_runs(struct image *image, const struct image_record *record,
		      __u64 *pages)
{
	const struct ckpt_rec_pagemap *map = image_payload(record);
	__u32 page_size = le32toh(image->header.page_size);
	__u32 known = CKPT_RUN_ZERO | CKPT_RUN_SAME;
	__u64 behind = 0;
	__u32 i;

	if (image_part(image, record, CKPT_REC_PAGEMAP_PARENT))
		known |= CKPT_RUN_PARENT;
	for (i = 0; i < le32toh(map->nr_runs); i++) {
		const struct ckpt_page_run *run = &map->runs[i];
		__u64 start = le64toh(run->start);
		__u64 size = (__u64)le32toh(run->nr) * page_size;

		if (!size || start % page_size || start < behind ||
		    start + size < start)
			return image_bad_record(image, record,
						"run %u: %u pages at %#llx",
						i + 1, le32toh(run->nr), start);
		if (le32toh(run->flags) & ~known ||
		    le32toh(run->flags) & (le32toh(run->flags) - 1))
			return image_bad_record(image, record,
						"run %u: flags %#x", i + 1,
						le32toh(run->flags));
		behind = start + size;
		if (!run->flags)
			*pages += le32toh(run->nr);
	}
	return 0;
}

/* That each run of others' pages has a place, and that before @record's own. */
static int check_pagemap_same(struct image *image,
			      const struct image_record *record,
			      const struct image_record *part)
{
	const struct ckpt_rec_pagemap *map = image_payload(record);
	const struct ckpt_rec_pagemap_same *same;
	__u32 nr = 0, i;

	same = part ? image_payload(part) : NULL;
	if (same && part->size != sizeof(*same) +
	    (__u64)le32toh(same->nr) * sizeof(same->first[0]))
		return image_bad_record(image, part,
					"%u runs do not make %u bytes",
					le32toh(same->nr), part->size);
	for (i = 0; i < le32toh(map->nr_runs); i++) {
		const struct ckpt_page_run *run = &map->runs[i];
		__u64 first;

		if (!(le32toh(run->flags) & CKPT_RUN_SAME))
			continue;
		if (!same || nr == le32toh(same->nr))
			return image_bad_record(image, record,
						"run %u: the same as others that are not told",
						i + 1);
		first = le64toh(same->first[nr++]);
		if (first >= image->nr_pages ||
		    le32toh(run->nr) > image->nr_pages - first)
			return image_bad_record(image, record,
						"run %u: the same as page %llu, not before it",
						i + 1, first);
	}
	if (same && nr != le32toh(same->nr))
		return image_bad_record(image, part, "of %u runs, not %u",
					nr, le32toh(same->nr));
	return 0;
}

static int check_pagemap(struct image *image, const struct image_record *record)
{
	const struct ckpt_rec_pagemap *map = image_payload(record);
	__u32 owner = le32toh(map->owner);
	__u64 pages = 0;

	if (record->size != sizeof(*map) + (__u64)le32toh(map->nr_runs) *
	    sizeof(map->runs[0]))
		return image_bad_record(image, record,
					"%u runs do not make %u bytes",
					le32toh(map->nr_runs), record->size);
	if (image->pagemaps[owner - 1])
		return image_bad_record(image, record,
					"the second one of object %u", owner);
	image->pagemaps[owner - 1] = record;
	if (check_runs(image, record, &pages) ||
	    check_pagemap_same(image, record,
			       image_part(image, record,
					  CKPT_REC_PAGEMAP_SAME)))
		return -1;
	image->nr_pages += pages;
	if (le64toh(map->nr_pages) != pages)
		return image_bad_record(image, record,
					"%llu pages announced, %llu in its runs",
					(__u64)le64toh(map->nr_pages), pages);
	return 0;
}

static int check_pagemap_parent(struct image *image,
				const struct image_record *record)
{
	if (!image_is_child(image))
		return image_bad_record(image, record,
					"the header tells of no parent");
	if (image_part(image, record, CKPT_REC_PAGEMAP_PARENT))
		return image_bad_record(image, record, "not the only one");
	return 0;
}

static int check_cred(struct image *image, const struct image_record *record)
{
	const struct ckpt_rec_cred *cred = image_payload(record);

	if (record->size != sizeof(*cred) + (__u64)le32toh(cred->nr_groups) *
	    sizeof(cred->groups[0]))
		return image_bad_record(image, record,
					"%u groups do not make %u bytes",
					le32toh(cred->nr_groups), record->size);
	return 0;
}

static bool task_is_dead(const struct ckpt_rec_task *task)
{
	return le32toh(task->what) & CKPT_TASK_DEAD;
}

/* What is dead has no memory, and what is not has all that there is. */
static int check_task_refs(struct image *image,
			   const struct image_record *record)
{
	const struct ckpt_rec_task *task = image_payload(record);
	bool dead = task_is_dead(task);

	if (!task->mm == dead && !task->files == dead && !task->fs == dead)
		return 0;
	return image_bad_record(image, record, dead ?
				"is dead, yet has memory or files" :
				"has no memory or files");
}

/* The one whose id is that of the thread group leads it. */
static int check_task(struct image *image, const struct image_record *record)
{
	const struct ckpt_rec_task *task = image_payload(record);
	__u32 ref = le32toh(task->signal);
	const struct ckpt_rec_signal *signal =
		image_payload(image_object(image, ref));

	if (task->tid == signal->pid) {
		if (image->leaders[ref - 1])
			return image_bad_record(image, record,
						"the second one of id %u",
						le32toh(task->tid));
		image->leaders[ref - 1] = record;
	}
	if (!image->live[ref - 1] && !task_is_dead(task))
		image->live[ref - 1] = record;
	return check_task_refs(image, record);
}

/* Whether @record has as many parts of type @part as it says. */
static int check_count(struct image *image, const struct image_record *record,
		       __u32 part, __u32 announced)
{
	const struct image_record *p = record;
	__u32 nr = 0;

	while ((p = image_part(image, p, part)))
		nr++;
	if (nr != announced)
		return image_bad_record(image, record,
					"%u records of type %s expected, there are %u",
					announced, record_type_of(part)->name,
					nr);
	return 0;
}

/* Whether a restart opens such a file by its path. */
static bool has_path(const struct image_record *record)
{
	const struct ckpt_rec_file_pipe *pipe = image_payload(record);
	const struct ckpt_rec_file_pty *pty = image_payload(record);

	switch (record->type->type) {
	case CKPT_REC_FILE_REGULAR:
	case CKPT_REC_FILE_DIRECTORY:
	case CKPT_REC_FILE_MEMDEV:
	case CKPT_REC_FILE_PSEUDO:
	case CKPT_REC_FILE_PROCESS:
	case CKPT_REC_FILE_BLOCK:
	case CKPT_REC_FILE_PATH:
		return true;
	case CKPT_REC_FILE_FIFO:
		return !pipe->deleted;
	case CKPT_REC_FILE_PTY:
		return le32toh(pty->what) & (CKPT_FILE_MASTER | CKPT_FILE_CTTY);
	default:
		return false;
	}
}

static int check_parts(struct image *image, const struct image_record *record)
{
	const struct ckpt_rec_files *files = image_payload(record);
	const struct ckpt_rec_pipe *pipe = image_payload(record);
	const struct ckpt_rec_fs *fs = image_payload(record);
	const struct ckpt_rec_mm *mm = image_payload(record);

	switch (record->type->family) {
	case FAMILY_FILE:
		return check_count(image, record, CKPT_REC_PATH,
				   has_path(record));
	case FAMILY_PIPE:
		return check_count(image, record, CKPT_REC_PIPE_BUF,
				   le32toh(pipe->nr_bufs));
	case FAMILY_PTY:
		return check_count(image, record, CKPT_REC_PTY_END, 2);
	case FAMILY_FS:
		return check_count(image, record, CKPT_REC_PATH,
				   fs->deleted ? 1 : 2);
	case FAMILY_DELETED:
		return check_count(image, record, CKPT_REC_PATH, 1);
	case FAMILY_MM:
		return check_count(image, record, CKPT_REC_VMA,
				   le32toh(mm->nr_vmas));
	case FAMILY_FILES:
		return check_count(image, record, CKPT_REC_FD,
				   le32toh(files->nr_fds));
	default:
		return 0;
	}
}

static int check_content(struct image *image, const struct image_record *record)
{
	switch (record->type->type) {
	case CKPT_REC_PATH:
		return check_path(image, record);
	case CKPT_REC_DELETED:
	case CKPT_REC_FILE_EXTERNAL:
		return check_name(image, record);
	case CKPT_REC_MM:
		return check_mm(image, record);
	case CKPT_REC_VMA:
		return check_vma(image, record);
	case CKPT_REC_PAGEMAP:
		return check_pagemap(image, record);
	case CKPT_REC_PAGEMAP_PARENT:
		return check_pagemap_parent(image, record);
	case CKPT_REC_CRED:
		return check_cred(image, record);
	case CKPT_REC_TASK:
		return check_task(image, record);
	default:
		return 0;
	}
}

static int check_record(struct image *image, const struct image_record *record)
{
	const struct record_type *type = record->type;
	const char *payload = image_payload(record);

	if (check_fields(image, record, type->fields, payload))
		return -1;
	if (type->tail) {
		struct field tail[2] = { record_tail(type, record->size) };

		if (check_fields(image, record, tail, payload))
			return -1;
	}
	if (check_content(image, record))
		return -1;
	return check_parts(image, record);
}

/* What the header announces, and what the records come to. */
static int check_totals(struct image *image)
{
	__u64 pages = 0;
	__u32 tasks = 0;
	size_t i;

	for (i = 0; i < image->nr_objects; i++) {
		const struct image_record *record = image->objects[i];
		const struct ckpt_rec_pagemap *map = image_payload(record);

		if (record->type->type == CKPT_REC_PAGEMAP)
			pages += le64toh(map->nr_pages);
		if (record->type->type == CKPT_REC_SIGNAL && !image->leaders[i])
			return image_bad_record(image, record,
						"its leading task is missing");
		tasks += record->type->type == CKPT_REC_TASK;
	}
	if (pages != le64toh(image->header.nr_pages))
		return image_bad(image,
				 "header: %llu pages announced, %llu in the page maps",
				 (__u64)le64toh(image->header.nr_pages), pages);
	if (tasks != le32toh(image->header.nr_tasks))
		return image_bad(image,
				 "header: %u tasks announced, there are %u",
				 le32toh(image->header.nr_tasks), tasks);
	return 0;
}

int image_check(struct image *image)
{
	size_t i;

	for (i = 0; i < image->nr_records; i++)
		if (check_record(image, &image->records[i]))
			return -1;
	return check_totals(image);
}
