/* SPDX-License-Identifier: GPL-2.0-only */
/* Every maximum there is. An image that goes beyond one is refused. */
#ifndef _CHECKPOINT_LIMITS_H
#define _CHECKPOINT_LIMITS_H

#include <linux/bits.h>
#include <linux/sizes.h>

/* All records of an image together; charged to who asks for them. */
#define CKPT_META_MAX		SZ_1G

/* One record, its header left out. */
#define CKPT_RECORD_MAX		SZ_512M

/* Metadata is read by so much at a time, so that no one gets memory for bytes
 * that an image announces and does not hold.
 */
#define CKPT_READ_CHUNK		SZ_1M

/* Pages of one image: 16 TiB where a page is 4 KiB. */
#define CKPT_PAGES_MAX		SZ_4G

/* Pages read or written in one go. */
#define CKPT_PAGE_BATCH		256U

/* As zstd(1) counts them: more would take longer than it is worth. */
#define CKPT_ZSTD_LEVEL		1

/* A mapping that has less pages in the image than that is not worth a map. */
#define CKPT_IMAP_MIN		256U

/* Pages that a fault enters at most when memory is read on from where it was. */
#define CKPT_IMAP_READ_ON	128U

/* Descriptors of one table, as fs.nr_open bounds them by default. */
#define CKPT_FDS_MAX		(1024U * 1024)

/* What one pipe may hold, in pages. */
#define CKPT_PIPE_SLOTS_MAX	65536U

/* What may be queued for one end of a pseudo terminal. */
#define CKPT_PTY_QUEUE_MAX	32768U

/* Locks that one description has, or one table by way of one. */
#define CKPT_LOCKS_MAX		65536U

/* Semaphores of one set, as semop(2) numbers them; kernel.sem is set below. */
#define CKPT_SEMS_MAX		65536U

/* Sets of semaphores that one list has adjustments for. */
#define CKPT_SEM_ADJUSTS_MAX	(1024U * 1024)

/* Messages of one queue; what they may hold together is limited there. */
#define CKPT_MSGS_MAX		(1024U * 1024)
/* How long one may go on to wait for a lease; fs.lease-break-time is 45 s. */
#define CKPT_LEASE_TIME_MAX	(3600UL * HZ)

/* An address space is duplicated before its owner is stopped if it has so many
 * pages; and so much of it at a time, a multiple of what one huge page maps.
 */
#define CKPT_AHEAD_MIN		1024U
#define CKPT_AHEAD_PIECE	(2 * PMD_SIZE)

/* Files that the restarter is to supply, or supplies. */
#define CKPT_EXTERNALS_MAX	1024U

/* Contexts of asynchronous I/O of one address space, and the ring of one; by
 * fs.aio-max-nr it is less.
 */
#define CKPT_AIO_MAX		(1024U * 1024)
#define CKPT_AIO_RING_MAX	SZ_512M

/* How long one who waits lets the one before it be the first, and all of them
 * together; and how often it looks.
 */
#define CKPT_TURN_TIMEOUT	(HZ / 10)
#define CKPT_TURNS_TIMEOUT	HZ
#define CKPT_TURN_PAUSE_NS	50000

/* How long to wait for asynchronous I/O that is under way. */
#define CKPT_AIO_TIMEOUT	HZ

/* Bytes of one message to a socket, and messages that wait in one queue. */
#define CKPT_SOCK_MESSAGE_MAX	SZ_1M
#define CKPT_SOCK_MESSAGES_MAX	(256U * 1024)

/* Groups of netlink that one socket is a member of, 64 a word. */
#define CKPT_NETLINK_WORDS_MAX	1024U

/* One ring of a packet socket, in bytes; and what one has joined. */
#define CKPT_PACKET_RING_MAX	SZ_512M
#define CKPT_PACKET_MEMBERS_MAX	65536U

/* Options that one socket has. */
#define CKPT_SOCK_OPTIONS_MAX	128U

/* What one instance of inotify or fanotify watches, and what it has to tell;
 * there are limits in fs.inotify and fs.fanotify.
 */
#define CKPT_WATCHES_MAX	(1024U * 1024)
#define CKPT_EVENTS_MAX		(1024U * 1024)

/* Mappings of one address space; vm.max_map_count may be set below or above. */
#define CKPT_VMAS_MAX		(1024U * 1024)

/* Pending signals and POSIX timers of one owner; RLIMIT_SIGPENDING is the
 * limit that counts.
 */
#define CKPT_SIGINFO_MAX	(256U * 1024)

/* What a security module may call a task, in bytes. */
#define CKPT_LABEL_MAX		4096U

/* CPU time of a process, in nanoseconds: 146 years. The kernel adds such. */
#define CKPT_CPUTIME_MAX	BIT_ULL(62)

/* Tasks of one tree, threads included; kernel.pid_max may be set below that. */
#define CKPT_TASKS_MAX		(1024U * 1024)

/* Process groups and sessions whose leaders have ended. */
#define CKPT_LENDERS_MAX	1024U

/* How often to look for tasks that a growing tree has got meanwhile. */
#define CKPT_TREE_TRIES		64

/* How long a task may take to come to a stop before it is given up. */
#define CKPT_STOP_TIMEOUT	(5 * HZ)

/* How long to look out for tasks to come to a stop rather than to sleep. */
#define CKPT_SPIN_NS		(500 * NSEC_PER_USEC)

/* How long to wait for a pid of one who has ended. */
#define CKPT_PID_TIMEOUT	HZ

/* How long to wait for a name of a socket that nobody has any more. */
#define CKPT_SOCK_TIMEOUT	HZ

/* How long a caller of restart() who is killed waits for what he created. */
#define RSTR_REAP_TIMEOUT	HZ

/* How often to look for users of an object outside the tree, 1 ms apart. */
#define CKPT_USERS_TRIES	20

/* What the log holds before it goes out, in bytes. */
#define CKPT_LOG_MAX		4096

#endif
