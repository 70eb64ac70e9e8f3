// SPDX-License-Identifier: GPL-2.0-only
/* The table of kinds. What matches no entry is refused, by name. */
#include <linux/kernel.h>

#include "kind.h"

static const struct ckpt_kind *const ckpt_kinds[] = {
	/* Whatever it leads to, and what looks like a regular file: first. */
	&ckpt_file_external_kind,
	&ckpt_file_deleted_kind,
	&ckpt_file_path_kind,
	&ckpt_file_memfd_kind,
#ifdef CONFIG_SYSVIPC
	&ckpt_file_shm_kind,
#endif
#ifdef CONFIG_POSIX_MQUEUE
	&ckpt_file_mqueue_kind,
#endif
	&ckpt_file_pidfd_kind,
	&ckpt_file_ns_kind,
	&ckpt_file_process_kind,
	&ckpt_file_pseudo_kind,
	&ckpt_file_regular_kind,
	&ckpt_file_directory_kind,
	&ckpt_file_memdev_kind,
	&ckpt_file_block_kind,
	/* Masters, and what hung up; before any other terminal. */
	&ckpt_file_pty_kind,
	&ckpt_file_tty_kind,
	&ckpt_file_pipe_kind,
	&ckpt_file_fifo_kind,
	&ckpt_file_eventfd_kind,
	&ckpt_file_signalfd_kind,
	&ckpt_file_timerfd_kind,
	&ckpt_file_epoll_kind,
#ifdef CONFIG_INOTIFY_USER
	&ckpt_file_inotify_kind,
#endif
#ifdef CONFIG_FANOTIFY
	&ckpt_file_fanotify_kind,
#endif
	&ckpt_file_socket_kind,
#ifdef CONFIG_UNIX
	&ckpt_sock_unix_kind,
	&ckpt_unix_link_kind,
#endif
#ifdef CONFIG_INET
	&ckpt_sock_inet_kind,
	&ckpt_udp_queue_kind,
	&ckpt_tcp_link_kind,
	&ckpt_tcp_waiting_kind,
#endif
#ifdef CONFIG_NET
	&ckpt_sock_netlink_kind,
#endif
#ifdef CONFIG_PACKET
	&ckpt_sock_packet_kind,
#endif
	&ckpt_pipe_kind,
	&ckpt_pty_kind,
	&ckpt_mm_kind,
#ifdef CONFIG_SYSVIPC
	/* Of which all that is left is anonymous. */
	&ckpt_shm_kind,
#endif
	&ckpt_shmem_kind,
	&ckpt_memfd_kind,
	&ckpt_deleted_kind,
	&ckpt_ended_kind,
	&ckpt_file_owner_kind,
	&ckpt_file_lease_kind,
	&ckpt_pagemap_kind,
	&ckpt_files_kind,
	&ckpt_fs_kind,
	&ckpt_cred_kind,
#ifdef CONFIG_SECCOMP_FILTER
	&ckpt_seccomp_kind,
#endif
	&ckpt_sighand_kind,
#ifdef CONFIG_SYSVIPC
	&ckpt_sem_set_kind,
	&ckpt_sem_undo_kind,
	&ckpt_msg_queue_kind,
#endif
#ifdef CONFIG_POSIX_MQUEUE
	&ckpt_mqueue_kind,
#endif
	&ckpt_signal_kind,
	&ckpt_task_kind,
};

/**
 * ckpt_kinds_collect() - save what belongs to the tree though no task refers to it
 * @ctx: the checkpoint, all of whose tasks have been saved
 *
 * Return: 0 or a negative errno.
 */
int ckpt_kinds_collect(struct ckpt_ctx *ctx)
{
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ckpt_kinds) && !err; i++)
		if (ckpt_kinds[i]->collect)
			err = ckpt_kinds[i]->collect(ctx);
	return err;
}

/**
 * ckpt_kind_of_type() - the kind that a record is of
 * @type: CKPT_REC_*
 *
 * Return: the kind, or NULL if no object has that type.
 */
const struct ckpt_kind *ckpt_kind_of_type(u32 type)
{
	for (size_t i = 0; i < ARRAY_SIZE(ckpt_kinds); i++)
		if (ckpt_kinds[i]->type == type)
			return ckpt_kinds[i];
	return NULL;
}

/**
 * ckpt_kind_of_object() - the kind that an object is of
 * @family: what @obj points to
 * @obj: the object
 *
 * Return: the kind, or NULL if there is none that knows such objects.
 */
const struct ckpt_kind *ckpt_kind_of_object(enum ckpt_family family,
					    const void *obj)
{
	for (size_t i = 0; i < ARRAY_SIZE(ckpt_kinds); i++)
		if (ckpt_kinds[i]->family == family &&
		    (!ckpt_kinds[i]->match || ckpt_kinds[i]->match(obj)))
			return ckpt_kinds[i];
	return NULL;
}

/**
 * ckpt_part_of_type() - what a kind knows about a type of part
 * @kind: the owner's kind
 * @type: CKPT_REC_*
 *
 * Return: the entry, or NULL if such an object has no such part.
 */
const struct ckpt_part *ckpt_part_of_type(const struct ckpt_kind *kind,
					  u32 type)
{
	const struct ckpt_part *const *part;

	for (part = kind->parts; part && *part; part++)
		if ((*part)->type == type)
			return *part;
	return NULL;
}

#ifdef CONFIG_CHECKPOINT_KUNIT_TEST
#include "tests/kinds_kunit.c"
#endif
