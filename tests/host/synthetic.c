// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <lz4.h>
#include <zstd.h>

#include "crc32c.h"
#include "synthetic.h"
#include "sums.h"

#define PAGE 4096

static void *grow(struct synthetic *s, size_t len)
{
	size_t at = s->len;

	if (at + len > s->room) {
		s->room = 2 * (at + len);
		s->data = realloc(s->data, s->room);
		if (!s->data)
			err(1, NULL);
	}
	s->len += len;
	return memset(s->data + at, 0, len);
}

static size_t padded(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

void synthetic_start(struct synthetic *s)
{
	memset(s, 0, sizeof(*s));
	grow(s, sizeof(struct ckpt_image_header));
}

static void *add(struct synthetic *s, __u32 type, size_t size, __u32 ref,
		 __u32 flags)
{
	struct ckpt_record *head = grow(s, sizeof(*head) + padded(size));

	head->type = htole32(type);
	head->size = htole32(size);
	head->ref = htole32(ref);
	head->flags = htole32(flags);
	s->nr_records++;
	s->nr_tasks += type == CKPT_REC_TASK;
	return head + 1;
}

void *synthetic_object(struct synthetic *s, __u32 type, size_t size)
{
	return add(s, type, size, ++s->last_ref, 0);
}

void *synthetic_part(struct synthetic *s, __u32 type, size_t size)
{
	return add(s, type, size, s->last_ref, CKPT_RECORD_PART);
}

static void add_path(struct synthetic *s, const char *path)
{
	size_t size = strlen(path) + 1;

	memcpy(synthetic_part(s, CKPT_REC_PATH, size), path, size);
}

static __u32 add_file(struct synthetic *s, __u32 type, const char *path)
{
	struct ckpt_rec_file *file = synthetic_object(s, type, sizeof(*file));

	file->flags = htole32(0100000);
	file->pos = htole64(1 << 20);
	file->stat.ino = htole64(42);
	file->stat.size = htole64(64 << 20);
	file->stat.mtime_sec = htole64(1234567890);
	file->stat.mode = htole32(0100644);
	if (path)
		add_path(s, path);
	return s->last_ref;
}

static void add_vma(struct synthetic *s, __u64 start, __u64 pages, __u64 flags,
		    __u32 object)
{
	struct ckpt_rec_vma *vma = synthetic_part(s, CKPT_REC_VMA,
						  sizeof(*vma));

	vma->start = htole64(start);
	vma->end = htole64(start + pages * PAGE);
	vma->flags = htole64(flags);
	vma->object = htole32(object);
}

static __u32 add_mm(struct synthetic *s, __u32 exe, __u32 shmem)
{
	struct ckpt_rec_mm *mm = synthetic_object(s, CKPT_REC_MM, sizeof(*mm));

	mm->start_code = htole64(0x400000);
	mm->start_brk = htole64(0x600000);
	mm->brk = htole64(0x604000);
	mm->start_stack = htole64(0x7ffffffde000);
	mm->exe = htole32(exe);
	mm->exec_pkey = 0xffff;
	mm->nr_vmas = htole32(4);
	mm->nr_auxv = htole32(2);
	mm->auxv[0] = htole64(6);
	mm->auxv[1] = htole64(PAGE);
	add_vma(s, 0x400000, 4, CKPT_VMA_READ | CKPT_VMA_EXEC, exe);
	add_vma(s, 0x600000, 4, CKPT_VMA_READ | CKPT_VMA_WRITE, 0);
	add_vma(s, 0x700000, 8, CKPT_VMA_READ | CKPT_VMA_SHARED |
		CKPT_VMA_ANON_SHARED, shmem);
	add_vma(s, 0x7ffffffdd000, 2, CKPT_VMA_READ | CKPT_VMA_GROWSDOWN, 0);
	return s->last_ref;
}

static void add_pagemap(struct synthetic *s, __u32 owner,
			const struct ckpt_page_run *runs, __u32 nr)
{
	size_t size = nr * sizeof(*runs);
	struct ckpt_rec_pagemap *map = synthetic_object(s, CKPT_REC_PAGEMAP,
							sizeof(*map) + size);
	__u64 pages = 0;
	__u32 i;

	for (i = 0; i < nr; i++)
		if (!runs[i].flags)
			pages += le32toh(runs[i].nr);
	map->owner = htole32(owner);
	map->nr_runs = htole32(nr);
	map->nr_pages = htole64(pages);
	memcpy(map->runs, runs, size);
	s->nr_pages += pages;
}

static void add_pagemaps(struct synthetic *s, __u32 mm, __u32 shmem)
{
	const struct ckpt_page_run mine[] = {
		{ htole64(0x600000), htole32(2), 0 },
		{ htole64(0x602000), htole32(1), htole32(CKPT_RUN_ZERO) },
		{ htole64(0x7ffffffde000), htole32(1), 0 },
	};
	const struct ckpt_page_run shared[] = {
		{ htole64(0x3000), htole32(1), 0 },
	};

	const struct ckpt_page_run changed[] = {
		{ htole64(0x600000), htole32(1), htole32(CKPT_RUN_PARENT) },
		{ htole64(0x601000), htole32(1), 0 },
		{ htole64(0x602000), htole32(2), htole32(CKPT_RUN_PARENT) },
		{ htole64(0x7ffffffdd000), htole32(2),
		  htole32(CKPT_RUN_PARENT) },
	};
	struct ckpt_rec_pagemap_parent *parent;

	if (s->child) {
		add_pagemap(s, mm, changed, 4);
		parent = synthetic_part(s, CKPT_REC_PAGEMAP_PARENT,
					sizeof(*parent));
		parent->owner = htole32(mm);
	} else {
		add_pagemap(s, mm, mine, 3);
	}
	add_pagemap(s, shmem, shared, 1);
}

static __u32 add_shmem(struct synthetic *s)
{
	struct ckpt_rec_shmem *shmem = synthetic_object(s, CKPT_REC_SHMEM,
							sizeof(*shmem));

	shmem->size = htole64(8 * PAGE);
	return s->last_ref;
}

static void add_fd(struct synthetic *s, __u32 nr, __u32 file, __u32 flags)
{
	struct ckpt_rec_fd *fd = synthetic_part(s, CKPT_REC_FD, sizeof(*fd));

	fd->fd = htole32(nr);
	fd->file = htole32(file);
	fd->flags = htole32(flags);
}

static __u32 add_files(struct synthetic *s, __u32 file, __u32 tty)
{
	struct ckpt_rec_files *files = synthetic_object(s, CKPT_REC_FILES,
							sizeof(*files));

	files->nr_fds = htole32(3);
	add_fd(s, 0, file, 0);
	add_fd(s, 2, tty, 0);
	add_fd(s, 9, file, 1);
	return s->last_ref;
}

static __u32 add_fs(struct synthetic *s)
{
	struct ckpt_rec_fs *fs = synthetic_object(s, CKPT_REC_FS, sizeof(*fs));

	fs->umask = htole32(022);
	add_path(s, "/");
	add_path(s, "/var/tmp");
	return s->last_ref;
}

static __u32 add_cred(struct synthetic *s)
{
	struct ckpt_rec_cred *cred = synthetic_object(s, CKPT_REC_CRED,
						      sizeof(*cred) + 8);

	cred->uid = htole32(1000);
	cred->euid = htole32(1000);
	cred->nr_groups = htole32(2);
	cred->groups[0] = htole32(4);
	cred->groups[1] = htole32(24);
	return s->last_ref;
}

static __u32 add_signal(struct synthetic *s, __u32 pid)
{
	struct ckpt_rec_signal *signal = synthetic_object(s, CKPT_REC_SIGNAL,
							  sizeof(*signal));

	signal->pid = htole32(pid);
	signal->pgid = htole32(pid);
	signal->sid = htole32(1);
	signal->exit_signal = htole32(17);
	signal->nr_threads = htole32(1);
	synthetic_part(s, CKPT_REC_RLIMITS, sizeof(struct ckpt_rec_rlimits));
	synthetic_part(s, CKPT_REC_SHARED_SIGINFO,
		       sizeof(struct ckpt_rec_siginfo));
	return s->last_ref;
}

static void add_task_parts(struct synthetic *s)
{
	struct ckpt_rec_sched *sched;

	synthetic_part(s, CKPT_REC_CPU, sizeof(struct ckpt_rec_cpu));
	synthetic_part(s, CKPT_REC_XSTATE, 576);
	synthetic_part(s, CKPT_REC_SIGMASK, sizeof(struct ckpt_rec_sigmask));
	sched = synthetic_part(s, CKPT_REC_SCHED, sizeof(*sched));
	sched->nice = htole32(-5);
	sched->nr_cpus = htole32(2);
	sched->cpus[0] = htole64(3);
}

void synthetic_process(struct synthetic *s, __u32 pid, const char *path)
{
	__u32 exe = add_file(s, CKPT_REC_FILE_REGULAR, "/usr/bin/cat");
	__u32 file = add_file(s, CKPT_REC_FILE_REGULAR, path);
	__u32 tty = add_file(s, CKPT_REC_FILE_TTY, NULL);
	__u32 shmem = add_shmem(s);
	__u32 mm = add_mm(s, exe, shmem);
	__u32 files = add_files(s, file, tty);
	__u32 fs = add_fs(s);
	__u32 cred = add_cred(s);
	struct ckpt_rec_task *task;
	__u32 sighand, signal;

	synthetic_object(s, CKPT_REC_SIGHAND, sizeof(struct ckpt_rec_sighand));
	sighand = s->last_ref;
	signal = add_signal(s, pid);
	task = synthetic_object(s, CKPT_REC_TASK, sizeof(*task));
	task->tid = htole32(pid);
	task->signal = htole32(signal);
	task->sighand = htole32(sighand);
	task->mm = htole32(mm);
	task->files = htole32(files);
	task->fs = htole32(fs);
	task->cred = htole32(cred);
	memcpy(task->comm, "cat", sizeof("cat"));
	add_task_parts(s);
	add_pagemaps(s, mm, shmem);
}

static void fill_header(struct synthetic *s, size_t meta_size)
{
	struct ckpt_image_header *h = (void *)s->data;

	memcpy(h->magic, CKPT_IMAGE_MAGIC, sizeof(h->magic));
	h->version = htole32(CKPT_IMAGE_VERSION);
	h->size = htole32(sizeof(*h));
	h->page_size = htole32(PAGE);
	h->arch = htole32(CKPT_ARCH_X86_64);
	h->id = htole64(7);
	h->time = htole64(1700000000123456789);
	h->boottime = htole64(98765432101);
	h->meta_size = htole64(meta_size);
	h->pages_offset = htole64((sizeof(*h) + meta_size + PAGE - 1) &
				  ~(size_t)(PAGE - 1));
	h->nr_pages = htole64(s->nr_pages);
	h->xfeatures = htole64(0x207);
	h->nr_tasks = htole32(s->nr_tasks);
	h->root_pid = htole32(412);
	memcpy(h->release, "6.12.117", sizeof("6.12.117"));
}

static void add_sums(struct synthetic *s, size_t from)
{
	size_t group = CKPT_SUM_PAGES * PAGE, end = s->len;

	for (; from < end; from += group) {
		__le64 *sum = grow(s, sizeof(*sum));
		XXH64_state_t xxh64;

		XXH64_reset(&xxh64, 0);
		XXH64_update(&xxh64, s->data + from, end - from < group ?
			  end - from : group);
		*sum = htole64(XXH64_digest(&xxh64));
	}
}

/* Three pages a frame, and what is left; the last one does not shrink, so to speak. */
static void add_frame(struct synthetic *s, const unsigned char *pages, __u32 nr,
		      int raw)
{
	unsigned char buf[sizeof(struct ckpt_frame) + 4 * PAGE];
	struct ckpt_frame *frame = (void *)buf;
	size_t len = nr * PAGE, size = len;
	XXH64_state_t sum;

	if (raw)
		memcpy(frame + 1, pages, len);
	else if (s->compressed == CKPT_INCOMPAT_LZ4)
		size = LZ4_compress_default((char *)pages, (char *)(frame + 1),
					    len, 4 * PAGE);
	else
		size = ZSTD_compress(frame + 1, 4 * PAGE, pages, len, 1);
	frame->nr_pages = htole32(nr);
	frame->size = htole32(size);
	XXH64_reset(&sum, 0);
	XXH64_update(&sum, frame, offsetof(struct ckpt_frame, sum));
	XXH64_update(&sum, frame + 1, size);
	frame->sum = htole64(XXH64_digest(&sum));
	memcpy(grow(s, sizeof(*frame) + size), buf, sizeof(*frame) + size);
}

static void add_frames(struct synthetic *s, size_t from)
{
	size_t len = s->len - from;
	unsigned char *pages = malloc(len);

	memcpy(pages, s->data + from, len);
	s->len = from;
	for (size_t at = 0; at < len; at += 3 * PAGE) {
		size_t left = (len - at) / PAGE;

		add_frame(s, pages + at, left < 3 ? left : 3, left <= 3);
	}
	free(pages);
}

void synthetic_finish(struct synthetic *s)
{
	size_t pages;
	__u64 nr_records = s->nr_records;
	struct ckpt_rec_end *end = add(s, CKPT_REC_END, sizeof(*end), 0, 0);
	struct ckpt_image_trailer trailer = {};
	struct ckpt_image_header *h;

	end->nr_records = htole64(nr_records);
	fill_header(s, s->len - sizeof(struct ckpt_image_header));
	h = (void *)s->data;
	h->uuid[0] = s->uuid;
	if (s->child) {
		h->incompat = htole64(CKPT_INCOMPAT_PARENT);
		h->parent[0] = s->uuid - 1;
	}
	if (s->sums)
		h->incompat |= htole64(CKPT_INCOMPAT_CHECKSUM);
	h->incompat |= htole64(s->compressed);
	grow(s, -s->len % PAGE);
	pages = s->len;
	memset(grow(s, s->nr_pages * PAGE), 0x5a + s->uuid,
	       s->nr_pages * PAGE);
	if (s->sums)
		add_sums(s, pages);
	if (s->compressed)
		add_frames(s, pages);
	memcpy(trailer.magic, CKPT_TRAILER_MAGIC, sizeof(trailer.magic));
	trailer.id = htole64(7);
	trailer.nr_pages = htole64(s->nr_pages);
	trailer.crc = htole32(crc32c(0, &trailer, offsetof(typeof(trailer), crc)));
	memcpy(grow(s, sizeof(trailer)), &trailer, sizeof(trailer));
	synthetic_mend(s->data, s->len);
}

static void mend_record(unsigned char *data, size_t at, size_t payload)
{
	struct ckpt_record *head = (void *)(data + at);
	struct ckpt_rec_end *end = (void *)(head + 1);
	__u32 crc;

	if (head->type == htole32(CKPT_REC_END) && payload == sizeof(*end))
		end->crc = htole32(crc32c(0, data, at));
	crc = crc32c(0, head, offsetof(struct ckpt_record, crc));
	head->crc = htole32(crc32c(crc, head + 1, payload));
}

void synthetic_mend(unsigned char *data, size_t len)
{
	struct ckpt_image_header *h = (void *)data;
	size_t at = sizeof(*h);
	size_t end = at + le64toh(h->meta_size);

	h->crc = htole32(crc32c(0, h, offsetof(struct ckpt_image_header, crc)));
	if (end < at || end > len)
		return;
	while (end - at >= sizeof(struct ckpt_record)) {
		struct ckpt_record *head = (void *)(data + at);
		size_t payload = padded(le32toh(head->size));

		at += sizeof(*head);
		if (payload > end - at)
			return;
		mend_record(data, at - sizeof(*head), payload);
		at += payload;
	}
}
