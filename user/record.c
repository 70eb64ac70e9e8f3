// SPDX-License-Identifier: GPL-2.0-only
#define CKPT_IMAGE_ASSERTS
#include <endian.h>
#include <string.h>

#include "record.h"

#define FIELD_NAMED(label, record, member, meaning, ...)		\
	{ .name = label, .offset = offsetof(struct record, member),	\
	  .size = sizeof(((struct record *)0)->member),			\
	  .how = meaning, __VA_ARGS__ }

#define FIELD(record, member, meaning, ...)				\
	FIELD_NAMED(#member, record, member, meaning, __VA_ARGS__)

#define FIELD_REFERENCE(record, member, mask)				\
	FIELD(record, member, FIELD_REF, .families = mask)

#define FIELD_ELEMENTS(record, member, fields)				\
	FIELD(record, member, FIELD_ARRAY, .elements = fields,		\
	      .stride = sizeof(((struct record *)0)->member[0]))

/* In an array of plain numbers these are the elements. */
static const struct field u32_hex[] = {
	{ .name = "", .size = 4, .how = FIELD_HEX }, {}
};

static const struct field u32_unsigned[] = {
	{ .name = "", .size = 4, .how = FIELD_UNSIGNED }, {}
};

static const struct field u64_unsigned[] = {
	{ .name = "", .size = 8, .how = FIELD_UNSIGNED }, {}
};

static const struct field u64_hex[] = {
	{ .name = "", .size = 8, .how = FIELD_HEX }, {}
};

/* XCR0, Intel SDM volume 1, 13.1. */
static const struct flag_name xfeatures[] = {
	{ 1ULL << 0, "x87" }, { 1ULL << 1, "sse" }, { 1ULL << 2, "avx" },
	{ 1ULL << 3, "bndregs" }, { 1ULL << 4, "bndcsr" },
	{ 1ULL << 5, "opmask" }, { 1ULL << 6, "zmm_hi256" },
	{ 1ULL << 7, "hi16_zmm" }, { 1ULL << 9, "pkru" },
	{ 1ULL << 11, "cet_u" }, { 1ULL << 12, "cet_s" },
	{ 1ULL << 17, "xtilecfg" }, { 1ULL << 18, "xtiledata" }, {}
};

const struct field header_fields[] = {
	FIELD(ckpt_image_header, version, FIELD_UNSIGNED),
	FIELD(ckpt_image_header, incompat, FIELD_HEX),
	FIELD(ckpt_image_header, compat, FIELD_HEX),
	FIELD(ckpt_image_header, page_size, FIELD_UNSIGNED),
	FIELD(ckpt_image_header, arch, FIELD_UNSIGNED),
	FIELD(ckpt_image_header, id, FIELD_UNSIGNED),
	FIELD(ckpt_image_header, meta_size, FIELD_UNSIGNED),
	FIELD(ckpt_image_header, pages_offset, FIELD_UNSIGNED),
	FIELD(ckpt_image_header, nr_pages, FIELD_UNSIGNED),
	FIELD(ckpt_image_header, xfeatures, FIELD_OPEN_FLAGS,
	      .flags = xfeatures),
	FIELD_ELEMENTS(ckpt_image_header, cpu, u32_hex),
	FIELD(ckpt_image_header, nr_tasks, FIELD_UNSIGNED),
	FIELD(ckpt_image_header, root_pid, FIELD_UNSIGNED),
	FIELD(ckpt_image_header, kernel_build_id, FIELD_BYTES),
	FIELD(ckpt_image_header, vdso_build_id, FIELD_BYTES),
	FIELD(ckpt_image_header, release, FIELD_CHARS),
	FIELD(ckpt_image_header, vdso32_build_id, FIELD_BYTES),
	FIELD(ckpt_image_header, uuid, FIELD_BYTES),
	FIELD(ckpt_image_header, parent, FIELD_BYTES),
	FIELD(ckpt_image_header, reserved, FIELD_ZERO), {}
};

static const struct field end_fields[] = {
	FIELD(ckpt_rec_end, nr_records, FIELD_UNSIGNED),
	FIELD(ckpt_rec_end, crc, FIELD_HEX),
	FIELD(ckpt_rec_end, reserved, FIELD_ZERO), {}
};

static const struct field label_tail = {
	.name = "label", .how = FIELD_CHARS
};

static const struct field path_tail = {
	.name = "path", .how = FIELD_CHARS
};

/* O_* of x86-64; this program may run elsewhere, where these differ. */
static const struct flag_name open_flags[] = {
	{ 01, "O_WRONLY" }, { 02, "O_RDWR" }, { 0100, "O_CREAT" },
	{ 0200, "O_EXCL" }, { 0400, "O_NOCTTY" }, { 01000, "O_TRUNC" },
	{ 02000, "O_APPEND" }, { 04000, "O_NONBLOCK" }, { 010000, "O_DSYNC" },
	{ 020000, "O_ASYNC" }, { 040000, "O_DIRECT" },
	{ 0100000, "O_LARGEFILE" }, { 0200000, "O_DIRECTORY" },
	{ 0400000, "O_NOFOLLOW" }, { 01000000, "O_NOATIME" },
	{ 04000000, "O_SYNC" }, { 010000000, "O_PATH" }, {}
};

static const struct flag_name file_what[] = {
	{ CKPT_FILE_EXEC, "exec" }, { CKPT_FILE_IMAGE, "image" },
	{ CKPT_FILE_MAPPED, "mapped" }, {}
};

/* What records of files begin with. */
#define FILE_FIELDS							\
	FIELD(ckpt_rec_file, flags, FIELD_OPEN_FLAGS,			\
	      .flags = open_flags),					\
	FIELD(ckpt_rec_file, what, FIELD_FLAGS, .flags = file_what),	\
	FIELD(ckpt_rec_file, pos, FIELD_UNSIGNED),			\
	FIELD_NAMED("ino", ckpt_rec_file, stat.ino, FIELD_UNSIGNED),	\
	FIELD_NAMED("size", ckpt_rec_file, stat.size, FIELD_UNSIGNED),	\
	FIELD_NAMED("mtime_sec", ckpt_rec_file, stat.mtime_sec,		\
		    FIELD_SIGNED),					\
	FIELD_NAMED("mtime_nsec", ckpt_rec_file, stat.mtime_nsec,	\
		    FIELD_UNSIGNED),					\
	FIELD_NAMED("mode", ckpt_rec_file, stat.mode, FIELD_OCTAL),	\
	FIELD_NAMED("rdev_major", ckpt_rec_file, stat.rdev_major,	\
		    FIELD_UNSIGNED),					\
	FIELD_NAMED("rdev_minor", ckpt_rec_file, stat.rdev_minor,	\
		    FIELD_UNSIGNED),					\
	FIELD_NAMED("reserved", ckpt_rec_file, stat.reserved, FIELD_ZERO)

static const struct field file_fields[] = {
	FILE_FIELDS, {}
};

static const struct field file_process_fields[] = {
	FILE_FIELDS,
	FIELD(ckpt_rec_file_process, pid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_file_process, tid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_file_process, pid_at, FIELD_UNSIGNED),
	FIELD(ckpt_rec_file_process, tid_at, FIELD_UNSIGNED), {}
};

static const struct flag_name file_pipe_what[] = {
	{ CKPT_FILE_NO_WRITER_YET, "no_writer_yet" }, {}
};

static const struct field file_pipe_fields[] = {
	FIELD(ckpt_rec_file_pipe, flags, FIELD_OPEN_FLAGS, .flags = open_flags),
	FIELD(ckpt_rec_file_pipe, what, FIELD_FLAGS, .flags = file_pipe_what),
	FIELD_REFERENCE(ckpt_rec_file_pipe, pipe, FAMILY_PIPE),
	FIELD_REFERENCE(ckpt_rec_file_pipe, deleted,
			FAMILY_DELETED | FAMILY_NONE), {}
};

static const struct field pipe_fields[] = {
	FIELD(ckpt_rec_pipe, slots, FIELD_UNSIGNED),
	FIELD(ckpt_rec_pipe, nr_bufs, FIELD_UNSIGNED),
	FIELD(ckpt_rec_pipe, mode, FIELD_OCTAL),
	FIELD(ckpt_rec_pipe, uid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_pipe, gid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_pipe, reserved, FIELD_ZERO), {}
};

static const struct flag_name pipe_buf_flags[] = {
	{ CKPT_PIPE_BUF_PACKET, "packet" }, { CKPT_PIPE_BUF_MERGE, "merge" }, {}
};

static const struct field pipe_buf_fields[] = {
	FIELD(ckpt_rec_pipe_buf, offset, FIELD_UNSIGNED),
	FIELD(ckpt_rec_pipe_buf, flags, FIELD_FLAGS, .flags = pipe_buf_flags), {}
};

static const struct flag_name file_pty_what[] = {
	{ CKPT_FILE_MASTER, "master" }, { CKPT_FILE_HUNG_UP, "hung_up" },
	{ CKPT_FILE_CTTY, "ctty" }, {}
};

static const struct field file_pty_fields[] = {
	FIELD(ckpt_rec_file_pty, flags, FIELD_OPEN_FLAGS, .flags = open_flags),
	FIELD(ckpt_rec_file_pty, what, FIELD_FLAGS, .flags = file_pty_what),
	FIELD_REFERENCE(ckpt_rec_file_pty, pty, FAMILY_PTY | FAMILY_NONE),
	FIELD(ckpt_rec_file_pty, reserved, FIELD_ZERO), {}
};

static const struct flag_name pty_what[] = {
	{ CKPT_PTY_LOCKED, "locked" }, { CKPT_PTY_PACKET, "packet" }, {}
};

#define TERMIOS_FIELDS(record, member)					\
	FIELD_NAMED(#member ".iflag", record, member.iflag, FIELD_HEX),	\
	FIELD_NAMED(#member ".oflag", record, member.oflag, FIELD_HEX),	\
	FIELD_NAMED(#member ".cflag", record, member.cflag, FIELD_HEX),	\
	FIELD_NAMED(#member ".lflag", record, member.lflag, FIELD_HEX),	\
	FIELD_NAMED(#member ".ispeed", record, member.ispeed,		\
		    FIELD_UNSIGNED),					\
	FIELD_NAMED(#member ".ospeed", record, member.ospeed,		\
		    FIELD_UNSIGNED),					\
	FIELD_NAMED(#member ".line", record, member.line,		\
		    FIELD_UNSIGNED),					\
	FIELD_NAMED(#member ".cc", record, member.cc, FIELD_BYTES)

#define WINSIZE_FIELDS(record, member)					\
	FIELD_NAMED("row", record, member.row, FIELD_UNSIGNED),		\
	FIELD_NAMED("col", record, member.col, FIELD_UNSIGNED),		\
	FIELD_NAMED("xpixel", record, member.xpixel, FIELD_UNSIGNED),	\
	FIELD_NAMED("ypixel", record, member.ypixel, FIELD_UNSIGNED)

static const struct field pty_fields[] = {
	FIELD(ckpt_rec_pty, index, FIELD_UNSIGNED),
	FIELD(ckpt_rec_pty, what, FIELD_FLAGS, .flags = pty_what),
	FIELD(ckpt_rec_pty, mode, FIELD_OCTAL),
	FIELD(ckpt_rec_pty, uid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_pty, gid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_pty, session, FIELD_UNSIGNED),
	FIELD(ckpt_rec_pty, pgrp, FIELD_UNSIGNED),
	FIELD(ckpt_rec_pty, reserved, FIELD_ZERO),
	TERMIOS_FIELDS(ckpt_rec_pty, termios),
	TERMIOS_FIELDS(ckpt_rec_pty, locked), {}
};

static const struct flag_name pty_end_what[] = {
	{ CKPT_PTY_END_HUNG_UP, "hung_up" },
	{ CKPT_PTY_END_IO_ERROR, "io_error" },
	{ CKPT_PTY_END_CLOSED, "closed" },
	{ CKPT_PTY_END_EXCLUSIVE, "exclusive" },
	{ CKPT_PTY_END_STOPPED, "stopped" },
	{ CKPT_PTY_END_TCO_STOPPED, "tco_stopped" },
	{ CKPT_PTY_END_LNEXT, "lnext" }, { CKPT_PTY_END_ERASING, "erasing" },
	{ CKPT_PTY_END_PUSH, "push" }, { CKPT_PTY_END_NO_ROOM, "no_room" }, {}
};

static const struct field pty_end_fields[] = {
	FIELD(ckpt_rec_pty_end, what, FIELD_FLAGS, .flags = pty_end_what),
	FIELD(ckpt_rec_pty_end, pktstatus, FIELD_HEX),
	WINSIZE_FIELDS(ckpt_rec_pty_end, winsize),
	FIELD(ckpt_rec_pty_end, column, FIELD_UNSIGNED),
	FIELD(ckpt_rec_pty_end, canon_column, FIELD_UNSIGNED),
	FIELD(ckpt_rec_pty_end, nr_input, FIELD_UNSIGNED),
	FIELD(ckpt_rec_pty_end, nr_lines, FIELD_UNSIGNED),
	FIELD(ckpt_rec_pty_end, nr_raw, FIELD_UNSIGNED),
	FIELD(ckpt_rec_pty_end, nr_echo, FIELD_UNSIGNED),
	FIELD(ckpt_rec_pty_end, nr_echo_done, FIELD_UNSIGNED),
	FIELD(ckpt_rec_pty_end, nr_echo_marked, FIELD_UNSIGNED),
	FIELD(ckpt_rec_pty_end, nr_queued, FIELD_UNSIGNED),
	FIELD(ckpt_rec_pty_end, nr_ahead, FIELD_UNSIGNED), {}
};

static const struct flag_name ctty_what[] = {
	{ CKPT_CTTY_OUTSIDE, "outside" }, {}
};

static const struct field ctty_fields[] = {
	FIELD_REFERENCE(ckpt_rec_ctty, tty, FAMILY_PTY | FAMILY_NONE),
	FIELD(ckpt_rec_ctty, what, FIELD_FLAGS, .flags = ctty_what),
	FIELD(ckpt_rec_ctty, hup_pgrp, FIELD_UNSIGNED),
	FIELD(ckpt_rec_ctty, pgrp, FIELD_UNSIGNED),
	WINSIZE_FIELDS(ckpt_rec_ctty, winsize),
	TERMIOS_FIELDS(ckpt_rec_ctty, termios),
	FIELD(ckpt_rec_ctty, reserved, FIELD_ZERO), {}
};

static const struct flag_name eventfd_what[] = {
	{ CKPT_FILE_SEMAPHORE, "semaphore" }, {}
};

static const struct field eventfd_fields[] = {
	FIELD(ckpt_rec_eventfd, flags, FIELD_OPEN_FLAGS, .flags = open_flags),
	FIELD(ckpt_rec_eventfd, what, FIELD_FLAGS, .flags = eventfd_what),
	FIELD(ckpt_rec_eventfd, count, FIELD_UNSIGNED), {}
};

static const struct field signalfd_fields[] = {
	FIELD(ckpt_rec_signalfd, flags, FIELD_OPEN_FLAGS, .flags = open_flags),
	FIELD(ckpt_rec_signalfd, what, FIELD_ZERO),
	FIELD(ckpt_rec_signalfd, mask, FIELD_HEX), {}
};

static const struct flag_name timerfd_what[] = {
	{ CKPT_FILE_CANCELED, "canceled" }, {}
};

static const struct flag_name settime_flags[] = {
	{ 1, "TFD_TIMER_ABSTIME" }, { 2, "TFD_TIMER_CANCEL_ON_SET" }, {}
};

static const struct field timerfd_fields[] = {
	FIELD(ckpt_rec_timerfd, flags, FIELD_OPEN_FLAGS, .flags = open_flags),
	FIELD(ckpt_rec_timerfd, what, FIELD_FLAGS, .flags = timerfd_what),
	FIELD(ckpt_rec_timerfd, clock, FIELD_UNSIGNED),
	FIELD(ckpt_rec_timerfd, settime_flags, FIELD_FLAGS,
	      .flags = settime_flags),
	FIELD(ckpt_rec_timerfd, ticks, FIELD_UNSIGNED),
	FIELD(ckpt_rec_timerfd, left, FIELD_UNSIGNED),
	FIELD(ckpt_rec_timerfd, interval, FIELD_UNSIGNED), {}
};

static const struct field epoll_fields[] = {
	FIELD(ckpt_rec_epoll, flags, FIELD_OPEN_FLAGS, .flags = open_flags),
	FIELD(ckpt_rec_epoll, what, FIELD_ZERO),
	FIELD(ckpt_rec_epoll, nr_items, FIELD_UNSIGNED),
	FIELD(ckpt_rec_epoll, reserved, FIELD_ZERO), {}
};

/* Those of <linux/eventpoll.h>. */
static const struct flag_name epoll_events[] = {
	{ 0x0001, "EPOLLIN" }, { 0x0002, "EPOLLPRI" }, { 0x0004, "EPOLLOUT" },
	{ 0x0008, "EPOLLERR" }, { 0x0010, "EPOLLHUP" },
	{ 0x0040, "EPOLLRDNORM" }, { 0x0080, "EPOLLRDBAND" },
	{ 0x0100, "EPOLLWRNORM" }, { 0x0200, "EPOLLWRBAND" },
	{ 0x0400, "EPOLLMSG" }, { 0x2000, "EPOLLRDHUP" },
	{ 1U << 28, "EPOLLEXCLUSIVE" }, { 1U << 29, "EPOLLWAKEUP" },
	{ 1U << 30, "EPOLLONESHOT" }, { 1U << 31, "EPOLLET" }, {}
};

static const struct flag_name epoll_item_what[] = {
	{ CKPT_EPOLL_READY, "ready" }, {}
};

static const struct field epoll_item_fields[] = {
	FIELD(ckpt_rec_epoll_item, fd, FIELD_UNSIGNED),
	FIELD_REFERENCE(ckpt_rec_epoll_item, file, FAMILY_FILE),
	FIELD(ckpt_rec_epoll_item, events, FIELD_OPEN_FLAGS,
	      .flags = epoll_events),
	FIELD(ckpt_rec_epoll_item, what, FIELD_FLAGS,
	      .flags = epoll_item_what),
	FIELD(ckpt_rec_epoll_item, data, FIELD_HEX),
	FIELD_REFERENCE(ckpt_rec_epoll_item, sighand,
			FAMILY_SIGHAND | FAMILY_NONE),
	FIELD(ckpt_rec_epoll_item, reserved, FIELD_ZERO), {}
};

static const struct field file_path_fields[] = {
	FIELD(ckpt_rec_file_path, flags, FIELD_OPEN_FLAGS, .flags = open_flags),
	FIELD(ckpt_rec_file_path, what, FIELD_ZERO),
	FIELD(ckpt_rec_file_path, mode, FIELD_OCTAL),
	FIELD(ckpt_rec_file_path, reserved, FIELD_ZERO), {}
};

static const struct flag_name file_memfd_what[] = {
	{ CKPT_FILE_MEMFD_CREATED, "created" }, {}
};

static const struct field file_memfd_fields[] = {
	FIELD(ckpt_rec_file_memfd, flags, FIELD_OPEN_FLAGS,
	      .flags = open_flags),
	FIELD(ckpt_rec_file_memfd, what, FIELD_FLAGS, .flags = file_memfd_what),
	FIELD_REFERENCE(ckpt_rec_file_memfd, memfd, FAMILY_MEMFD),
	FIELD(ckpt_rec_file_memfd, reserved, FIELD_ZERO),
	FIELD(ckpt_rec_file_memfd, pos, FIELD_UNSIGNED), {}
};

static const struct field file_deleted_fields[] = {
	FIELD(ckpt_rec_file_deleted, flags, FIELD_OPEN_FLAGS,
	      .flags = open_flags),
	FIELD(ckpt_rec_file_deleted, what, FIELD_ZERO),
	FIELD_REFERENCE(ckpt_rec_file_deleted, deleted, FAMILY_DELETED),
	FIELD(ckpt_rec_file_deleted, reserved, FIELD_ZERO),
	FIELD(ckpt_rec_file_deleted, pos, FIELD_UNSIGNED), {}
};

static const struct flag_name deleted_what[] = {
	{ CKPT_DELETED_LINKABLE, "linkable" }, {}
};

static const struct field deleted_fields[] = {
	FIELD(ckpt_rec_deleted, size, FIELD_UNSIGNED),
	FIELD(ckpt_rec_deleted, mode, FIELD_OCTAL),
	FIELD(ckpt_rec_deleted, uid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_deleted, gid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_deleted, what, FIELD_FLAGS, .flags = deleted_what),
	FIELD(ckpt_rec_deleted, atime_sec, FIELD_UNSIGNED),
	FIELD(ckpt_rec_deleted, mtime_sec, FIELD_UNSIGNED),
	FIELD(ckpt_rec_deleted, atime_nsec, FIELD_UNSIGNED),
	FIELD(ckpt_rec_deleted, mtime_nsec, FIELD_UNSIGNED), {}
};

static const struct field deleted_node_fields[] = {
	FIELD(ckpt_rec_deleted_node, major, FIELD_UNSIGNED),
	FIELD(ckpt_rec_deleted_node, minor, FIELD_UNSIGNED), {}
};

static const struct field target_tail = {
	.name = "target", .how = FIELD_CHARS
};

static const struct field file_external_fields[] = {
	FIELD(ckpt_rec_file_external, flags, FIELD_OPEN_FLAGS,
	      .flags = open_flags),
	FIELD(ckpt_rec_file_external, what, FIELD_ZERO), {}
};

static const struct flag_name owner_what[] = {
	{ CKPT_OWNER_ASYNC, "async" }, {}
};

static const struct field file_owner_fields[] = {
	FIELD_REFERENCE(ckpt_rec_file_owner, file, FAMILY_FILE),
	FIELD(ckpt_rec_file_owner, type, FIELD_UNSIGNED),
	FIELD(ckpt_rec_file_owner, pid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_file_owner, what, FIELD_FLAGS, .flags = owner_what),
	FIELD(ckpt_rec_file_owner, signal, FIELD_UNSIGNED),
	FIELD(ckpt_rec_file_owner, uid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_file_owner, euid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_file_owner, reserved, FIELD_ZERO), {}
};

static const struct flag_name lease_what[] = {
	{ CKPT_LEASE_UNLOCK, "unlock" }, { CKPT_LEASE_DOWNGRADE, "downgrade" },
	{}
};

static const struct field file_lease_fields[] = {
	FIELD_REFERENCE(ckpt_rec_file_lease, file, FAMILY_FILE),
	FIELD(ckpt_rec_file_lease, type, FIELD_UNSIGNED),
	FIELD(ckpt_rec_file_lease, what, FIELD_FLAGS, .flags = lease_what),
	FIELD(ckpt_rec_file_lease, pid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_file_lease, left_unlock, FIELD_UNSIGNED),
	FIELD(ckpt_rec_file_lease, left_downgrade, FIELD_UNSIGNED),
	FIELD(ckpt_rec_file_lease, reserved, FIELD_ZERO), {}
};

static const struct field file_socket_fields[] = {
	FIELD(ckpt_rec_file_socket, flags, FIELD_OPEN_FLAGS,
	      .flags = open_flags),
	FIELD(ckpt_rec_file_socket, what, FIELD_ZERO),
	FIELD_REFERENCE(ckpt_rec_file_socket, sock, FAMILY_SOCK),
	FIELD(ckpt_rec_file_socket, mode, FIELD_OCTAL),
	FIELD(ckpt_rec_file_socket, uid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_file_socket, gid, FIELD_UNSIGNED), {}
};

static const struct field sock_option_fields[] = {
	FIELD(ckpt_rec_sock_option, level, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sock_option, name, FIELD_UNSIGNED), {}
};

static const struct field sock_option_tail = {
	.name = "value", .how = FIELD_BYTES
};

static const struct field insn_fields[] = {
	FIELD(ckpt_rec_insn, code, FIELD_HEX),
	FIELD(ckpt_rec_insn, jt, FIELD_UNSIGNED),
	FIELD(ckpt_rec_insn, jf, FIELD_UNSIGNED),
	FIELD(ckpt_rec_insn, k, FIELD_HEX), {}
};

static const struct field insns_tail = {
	.name = "insns", .how = FIELD_ARRAY, .elements = insn_fields,
	.stride = sizeof(struct ckpt_rec_insn)
};

static const struct field sock_filter_fields[] = {
	FIELD(ckpt_rec_sock_filter, nr_insns, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sock_filter, reserved, FIELD_ZERO), {}
};

static const struct flag_name sock_unix_what[] = {
	{ CKPT_UNIX_DEAD, "dead" }, { CKPT_UNIX_BOUND, "bound" }, {}
};

static const struct field sock_unix_fields[] = {
	FIELD(ckpt_rec_sock_unix, type, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sock_unix, state, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sock_unix, what, FIELD_FLAGS, .flags = sock_unix_what),
	FIELD(ckpt_rec_sock_unix, shutdown, FIELD_HEX),
	FIELD(ckpt_rec_sock_unix, error, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sock_unix, backlog, FIELD_UNSIGNED),
	FIELD_REFERENCE(ckpt_rec_sock_unix, listener,
			FAMILY_SOCK | FAMILY_NONE),
	FIELD(ckpt_rec_sock_unix, mode, FIELD_OCTAL),
	FIELD(ckpt_rec_sock_unix, uid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sock_unix, gid, FIELD_UNSIGNED), {}
};

static const struct field sock_unix_tail = {
	.name = "name", .how = FIELD_BYTES
};

static const struct flag_name unix_link_what[] = {
	{ CKPT_UNIX_WAITS, "waits" }, {}
};

static const struct field unix_link_fields[] = {
	FIELD_REFERENCE(ckpt_rec_unix_link, sock, FAMILY_SOCK),
	FIELD_REFERENCE(ckpt_rec_unix_link, peer, FAMILY_SOCK | FAMILY_NONE),
	FIELD_REFERENCE(ckpt_rec_unix_link, cred, FAMILY_CRED | FAMILY_NONE),
	FIELD(ckpt_rec_unix_link, pid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_unix_link, nr_messages, FIELD_UNSIGNED),
	FIELD(ckpt_rec_unix_link, what, FIELD_FLAGS, .flags = unix_link_what),
	{}
};

static const struct flag_name unix_message_what[] = {
	{ CKPT_MESSAGE_OOB, "oob" }, {}
};

static const struct field unix_message_fields[] = {
	FIELD_REFERENCE(ckpt_rec_unix_message, sender, FAMILY_SOCK),
	FIELD(ckpt_rec_unix_message, what, FIELD_FLAGS,
	      .flags = unix_message_what),
	FIELD(ckpt_rec_unix_message, pid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_unix_message, uid, FIELD_SIGNED),
	FIELD(ckpt_rec_unix_message, gid, FIELD_SIGNED),
	FIELD(ckpt_rec_unix_message, nr_rights, FIELD_UNSIGNED),
	FIELD(ckpt_rec_unix_message, consumed, FIELD_UNSIGNED),
	FIELD(ckpt_rec_unix_message, linear, FIELD_UNSIGNED),
	FIELD(ckpt_rec_unix_message, time, FIELD_UNSIGNED), {}
};

static const struct field unix_right_fields[] = {
	FIELD_REFERENCE(ckpt_rec_unix_right, file, FAMILY_FILE),
	FIELD(ckpt_rec_unix_right, reserved, FIELD_ZERO), {}
};

static const struct field inet_addr_fields[] = {
	FIELD(ckpt_rec_inet_addr, port, FIELD_UNSIGNED),
	FIELD(ckpt_rec_inet_addr, scope, FIELD_UNSIGNED),
	FIELD(ckpt_rec_inet_addr, addr, FIELD_BYTES), {}
};

#define FIELD_INET_ADDR(record, member)					\
	FIELD(record, member, FIELD_ARRAY, .elements = inet_addr_fields, \
	      .stride = sizeof(struct ckpt_rec_inet_addr))

static const struct field sock_inet_fields[] = {
	FIELD(ckpt_rec_sock_inet, family, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sock_inet, type, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sock_inet, state, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sock_inet, shutdown, FIELD_HEX),
	FIELD(ckpt_rec_sock_inet, error, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sock_inet, backlog, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sock_inet, locks, FIELD_HEX),
	FIELD(ckpt_rec_sock_inet, protocol, FIELD_UNSIGNED),
	FIELD_INET_ADDR(ckpt_rec_sock_inet, own),
	FIELD_INET_ADDR(ckpt_rec_sock_inet, peer), {}
};

static const struct field udp_queue_fields[] = {
	FIELD_REFERENCE(ckpt_rec_udp_queue, sock, FAMILY_SOCK),
	FIELD(ckpt_rec_udp_queue, nr_datagrams, FIELD_UNSIGNED), {}
};

static const struct field udp_datagram_fields[] = {
	FIELD(ckpt_rec_udp_datagram, family, FIELD_UNSIGNED),
	FIELD(ckpt_rec_udp_datagram, interface, FIELD_UNSIGNED),
	FIELD(ckpt_rec_udp_datagram, tos, FIELD_HEX),
	FIELD(ckpt_rec_udp_datagram, ttl, FIELD_UNSIGNED),
	FIELD(ckpt_rec_udp_datagram, time, FIELD_UNSIGNED),
	FIELD_INET_ADDR(ckpt_rec_udp_datagram, from),
	FIELD_INET_ADDR(ckpt_rec_udp_datagram, to), {}
};

static const struct flag_name tcp_end_what[] = {
	{ CKPT_TCP_SACK, "sack" }, { CKPT_TCP_TIMESTAMPS, "timestamps" },
	{ CKPT_TCP_SHUTDOWN, "shutdown" }, {}
};

static const struct field tcp_end_fields[] = {
	FIELD_REFERENCE(ckpt_rec_tcp_end, sock, FAMILY_SOCK | FAMILY_NONE),
	FIELD(ckpt_rec_tcp_end, what, FIELD_FLAGS, .flags = tcp_end_what),
	FIELD(ckpt_rec_tcp_end, copied_seq, FIELD_UNSIGNED),
	FIELD(ckpt_rec_tcp_end, rcv_nxt, FIELD_UNSIGNED),
	FIELD(ckpt_rec_tcp_end, rcv_wnd, FIELD_UNSIGNED),
	FIELD(ckpt_rec_tcp_end, max_window, FIELD_UNSIGNED),
	FIELD(ckpt_rec_tcp_end, mss, FIELD_UNSIGNED),
	FIELD(ckpt_rec_tcp_end, scales, FIELD_HEX), {}
};

static const struct flag_name tcp_link_what[] = {
	{ CKPT_TCP_OUTSIDE, "outside" }, { CKPT_TCP_CONNECTING, "connecting" },
	{}
};

static const struct field tcp_link_fields[] = {
	FIELD(ckpt_rec_tcp_link, what, FIELD_FLAGS, .flags = tcp_link_what),
	FIELD(ckpt_rec_tcp_link, nr_data, FIELD_UNSIGNED),
	FIELD_ELEMENTS(ckpt_rec_tcp_link, end, tcp_end_fields), {}
};

static const struct field tcp_waiting_fields[] = {
	FIELD_REFERENCE(ckpt_rec_tcp_waiting, listener, FAMILY_SOCK),
	FIELD_REFERENCE(ckpt_rec_tcp_waiting, sock, FAMILY_SOCK), {}
};

static const struct flag_name tcp_data_what[] = {
	{ CKPT_TCP_SENT, "sent" }, { CKPT_TCP_URGENT, "urgent" },
	{ CKPT_TCP_URGENT_READ, "read" }, {}
};

static const struct field tcp_data_fields[] = {
	FIELD(ckpt_rec_tcp_data, end, FIELD_UNSIGNED),
	FIELD(ckpt_rec_tcp_data, what, FIELD_FLAGS, .flags = tcp_data_what), {}
};

static const struct flag_name netlink_what[] = {
	{ CKPT_NETLINK_CONNECTED, "connected" }, {}
};

static const struct field sock_netlink_fields[] = {
	FIELD(ckpt_rec_sock_netlink, type, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sock_netlink, protocol, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sock_netlink, portid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sock_netlink, what, FIELD_FLAGS, .flags = netlink_what),
	FIELD(ckpt_rec_sock_netlink, dst_portid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sock_netlink, dst_group, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sock_netlink, error, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sock_netlink, flags, FIELD_HEX), {}
};

static const struct field netlink_tail = {
	.name = "groups", .how = FIELD_ARRAY, .elements = u64_hex, .stride = 8
};

static const struct flag_name packet_what[] = {
	{ CKPT_PACKET_AUXDATA, "auxdata" }, { CKPT_PACKET_ORIGDEV, "origdev" },
	{}
};

static const struct field sock_packet_fields[] = {
	FIELD(ckpt_rec_sock_packet, type, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sock_packet, protocol, FIELD_HEX),
	FIELD(ckpt_rec_sock_packet, interface, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sock_packet, what, FIELD_FLAGS, .flags = packet_what),
	{}
};

static const struct field packet_ring_fields[] = {
	FIELD(ckpt_rec_packet_ring, which, FIELD_UNSIGNED),
	FIELD(ckpt_rec_packet_ring, block_size, FIELD_UNSIGNED),
	FIELD(ckpt_rec_packet_ring, block_nr, FIELD_UNSIGNED),
	FIELD(ckpt_rec_packet_ring, frame_size, FIELD_UNSIGNED),
	FIELD(ckpt_rec_packet_ring, frame_nr, FIELD_UNSIGNED),
	FIELD(ckpt_rec_packet_ring, head, FIELD_UNSIGNED),
	FIELD(ckpt_rec_packet_ring, late, FIELD_UNSIGNED),
	FIELD(ckpt_rec_packet_ring, reserved, FIELD_ZERO), {}
};

static const struct field packet_page_fields[] = {
	FIELD(ckpt_rec_packet_page, which, FIELD_UNSIGNED),
	FIELD(ckpt_rec_packet_page, index, FIELD_UNSIGNED), {}
};

static const struct field packet_member_fields[] = {
	FIELD(ckpt_rec_packet_member, interface, FIELD_UNSIGNED),
	FIELD(ckpt_rec_packet_member, type, FIELD_UNSIGNED),
	FIELD(ckpt_rec_packet_member, len, FIELD_UNSIGNED),
	FIELD(ckpt_rec_packet_member, count, FIELD_UNSIGNED),
	FIELD(ckpt_rec_packet_member, reserved, FIELD_ZERO),
	FIELD(ckpt_rec_packet_member, address, FIELD_BYTES), {}
};

static const struct field packet_fanout_fields[] = {
	FIELD(ckpt_rec_packet_fanout, id, FIELD_UNSIGNED),
	FIELD(ckpt_rec_packet_fanout, type, FIELD_UNSIGNED),
	FIELD(ckpt_rec_packet_fanout, flags, FIELD_HEX),
	FIELD(ckpt_rec_packet_fanout, max_members, FIELD_UNSIGNED), {}
};

static const struct field packet_stats_fields[] = {
	FIELD(ckpt_rec_packet_stats, packets, FIELD_UNSIGNED),
	FIELD(ckpt_rec_packet_stats, drops, FIELD_UNSIGNED), {}
};

static const struct flag_name seals[] = {
	{ 0x01, "F_SEAL_SEAL" }, { 0x02, "F_SEAL_SHRINK" },
	{ 0x04, "F_SEAL_GROW" }, { 0x08, "F_SEAL_WRITE" },
	{ 0x10, "F_SEAL_FUTURE_WRITE" }, { 0x20, "F_SEAL_EXEC" }, {}
};

static const struct flag_name memfd_what[] = {
	{ CKPT_MEMFD_ANON, "anon" }, { CKPT_MEMFD_ACCOUNT, "account" }, {}
};

static const struct field memfd_fields[] = {
	FIELD(ckpt_rec_memfd, size, FIELD_UNSIGNED),
	FIELD(ckpt_rec_memfd, seals, FIELD_FLAGS, .flags = seals),
	FIELD(ckpt_rec_memfd, mode, FIELD_OCTAL),
	FIELD(ckpt_rec_memfd, uid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_memfd, gid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_memfd, page_shift, FIELD_UNSIGNED),
	FIELD(ckpt_rec_memfd, what, FIELD_FLAGS, .flags = memfd_what), {}
};

static const struct field file_shm_fields[] = {
	FIELD(ckpt_rec_file_shm, flags, FIELD_OPEN_FLAGS, .flags = open_flags),
	FIELD(ckpt_rec_file_shm, what, FIELD_ZERO),
	FIELD_REFERENCE(ckpt_rec_file_shm, shm, FAMILY_SHMEM),
	FIELD(ckpt_rec_file_shm, reserved, FIELD_ZERO), {}
};

static const struct field file_mqueue_fields[] = {
	FIELD(ckpt_rec_file_mqueue, flags, FIELD_OPEN_FLAGS,
	      .flags = open_flags),
	FIELD(ckpt_rec_file_mqueue, what, FIELD_ZERO),
	FIELD_REFERENCE(ckpt_rec_file_mqueue, queue, FAMILY_MQUEUE),
	FIELD(ckpt_rec_file_mqueue, reserved, FIELD_ZERO),
	FIELD(ckpt_rec_file_mqueue, pos, FIELD_UNSIGNED), {}
};

static const struct field fanotify_fields[] = {
	FIELD(ckpt_rec_fanotify, flags, FIELD_OPEN_FLAGS, .flags = open_flags),
	FIELD(ckpt_rec_fanotify, what, FIELD_ZERO),
	FIELD(ckpt_rec_fanotify, init_flags, FIELD_HEX),
	FIELD(ckpt_rec_fanotify, event_flags, FIELD_OPEN_FLAGS,
	      .flags = open_flags),
	FIELD(ckpt_rec_fanotify, max_events, FIELD_UNSIGNED),
	FIELD(ckpt_rec_fanotify, nr_marks, FIELD_UNSIGNED),
	FIELD(ckpt_rec_fanotify, nr_events, FIELD_UNSIGNED),
	FIELD(ckpt_rec_fanotify, reserved, FIELD_ZERO), {}
};

static const struct field fanotify_mark_fields[] = {
	FIELD(ckpt_rec_fanotify_mark, flags, FIELD_HEX),
	FIELD(ckpt_rec_fanotify_mark, mask, FIELD_HEX),
	FIELD(ckpt_rec_fanotify_mark, ignored, FIELD_HEX),
	FIELD(ckpt_rec_fanotify_mark, mode, FIELD_OCTAL), {}
};

static const struct field fanotify_deleted_fields[] = {
	FIELD(ckpt_rec_fanotify_deleted, flags, FIELD_HEX),
	FIELD(ckpt_rec_fanotify_deleted, mask, FIELD_HEX),
	FIELD(ckpt_rec_fanotify_deleted, ignored, FIELD_HEX),
	FIELD(ckpt_rec_fanotify_deleted, mode, FIELD_OCTAL),
	FIELD_REFERENCE(ckpt_rec_fanotify_deleted, deleted, FAMILY_DELETED),
	FIELD(ckpt_rec_fanotify_deleted, reserved, FIELD_ZERO), {}
};

static const struct field fanotify_event_fields[] = {
	FIELD(ckpt_rec_fanotify_event, type, FIELD_UNSIGNED),
	FIELD(ckpt_rec_fanotify_event, mask, FIELD_HEX),
	FIELD(ckpt_rec_fanotify_event, pid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_fanotify_event, error, FIELD_SIGNED),
	FIELD(ckpt_rec_fanotify_event, nr_errors, FIELD_UNSIGNED),
	FIELD_ELEMENTS(ckpt_rec_fanotify_event, fsid, u32_hex),
	FIELD(ckpt_rec_fanotify_event, name_len, FIELD_UNSIGNED),
	FIELD(ckpt_rec_fanotify_event, name2_len, FIELD_UNSIGNED),
	FIELD_NAMED("dir_type", ckpt_rec_fanotify_event, dir.type,
		    FIELD_UNSIGNED),
	FIELD_NAMED("dir_len", ckpt_rec_fanotify_event, dir.len,
		    FIELD_UNSIGNED),
	FIELD_NAMED("dir2_type", ckpt_rec_fanotify_event, dir2.type,
		    FIELD_UNSIGNED),
	FIELD_NAMED("dir2_len", ckpt_rec_fanotify_event, dir2.len,
		    FIELD_UNSIGNED),
	FIELD_NAMED("object_type", ckpt_rec_fanotify_event, object.type,
		    FIELD_UNSIGNED),
	FIELD_NAMED("object_len", ckpt_rec_fanotify_event, object.len,
		    FIELD_UNSIGNED),
	FIELD(ckpt_rec_fanotify_event, reserved, FIELD_ZERO), {}
};

static const struct flag_name pidfd_what[] = {
	{ CKPT_FILE_THREAD, "thread" }, {}
};

static const struct field pidfd_fields[] = {
	FIELD(ckpt_rec_pidfd, flags, FIELD_OPEN_FLAGS, .flags = open_flags),
	FIELD(ckpt_rec_pidfd, what, FIELD_FLAGS, .flags = pidfd_what),
	FIELD(ckpt_rec_pidfd, pid, FIELD_UNSIGNED),
	FIELD_REFERENCE(ckpt_rec_pidfd, ended, FAMILY_ENDED | FAMILY_NONE), {}
};

static const struct field ended_fields[] = {
	FIELD(ckpt_rec_ended, ino, FIELD_UNSIGNED), {}
};

static const struct field file_ns_fields[] = {
	FIELD(ckpt_rec_file_ns, flags, FIELD_OPEN_FLAGS, .flags = open_flags),
	FIELD(ckpt_rec_file_ns, what, FIELD_ZERO),
	FIELD(ckpt_rec_file_ns, type, FIELD_HEX),
	FIELD(ckpt_rec_file_ns, reserved, FIELD_ZERO), {}
};

/* As inotify(7) names them, and what of fanotify(7) there is besides. */
static const struct flag_name notify_events[] = {
	{ 0x0001, "IN_ACCESS" }, { 0x0002, "IN_MODIFY" },
	{ 0x0004, "IN_ATTRIB" }, { 0x0008, "IN_CLOSE_WRITE" },
	{ 0x0010, "IN_CLOSE_NOWRITE" }, { 0x0020, "IN_OPEN" },
	{ 0x0040, "IN_MOVED_FROM" }, { 0x0080, "IN_MOVED_TO" },
	{ 0x0100, "IN_CREATE" }, { 0x0200, "IN_DELETE" },
	{ 0x0400, "IN_DELETE_SELF" }, { 0x0800, "IN_MOVE_SELF" },
	{ 0x2000, "IN_UNMOUNT" }, { 0x4000, "IN_Q_OVERFLOW" },
	{ 0x8000, "IN_IGNORED" }, { 1U << 26, "IN_EXCL_UNLINK" },
	{ 1U << 30, "IN_ISDIR" }, { 1U << 31, "IN_ONESHOT" }, {}
};

static const struct field inotify_fields[] = {
	FIELD(ckpt_rec_inotify, flags, FIELD_OPEN_FLAGS, .flags = open_flags),
	FIELD(ckpt_rec_inotify, what, FIELD_ZERO),
	FIELD(ckpt_rec_inotify, next_wd, FIELD_UNSIGNED),
	FIELD(ckpt_rec_inotify, max_events, FIELD_UNSIGNED),
	FIELD(ckpt_rec_inotify, nr_watches, FIELD_UNSIGNED),
	FIELD(ckpt_rec_inotify, nr_events, FIELD_UNSIGNED), {}
};

static const struct field inotify_watch_fields[] = {
	FIELD(ckpt_rec_inotify_watch, wd, FIELD_UNSIGNED),
	FIELD(ckpt_rec_inotify_watch, mask, FIELD_OPEN_FLAGS,
	      .flags = notify_events),
	FIELD(ckpt_rec_inotify_watch, mode, FIELD_OCTAL),
	FIELD_REFERENCE(ckpt_rec_inotify_watch, deleted,
			FAMILY_DELETED | FAMILY_NONE), {}
};

static const struct field inotify_event_fields[] = {
	FIELD(ckpt_rec_inotify_event, wd, FIELD_SIGNED),
	FIELD(ckpt_rec_inotify_event, mask, FIELD_OPEN_FLAGS,
	      .flags = notify_events),
	FIELD(ckpt_rec_inotify_event, cookie, FIELD_UNSIGNED),
	FIELD(ckpt_rec_inotify_event, name_len, FIELD_UNSIGNED), {}
};

static const struct field name_tail = {
	.name = "name", .how = FIELD_CHARS
};

static const struct field data_tail = {
	.name = "data", .how = FIELD_BYTES
};

static const struct flag_name vma_flags[] = {
	{ CKPT_VMA_READ, "read" }, { CKPT_VMA_WRITE, "write" },
	{ CKPT_VMA_EXEC, "exec" }, { CKPT_VMA_SHARED, "shared" },
	{ CKPT_VMA_MAYREAD, "mayread" }, { CKPT_VMA_MAYWRITE, "maywrite" },
	{ CKPT_VMA_MAYEXEC, "mayexec" }, { CKPT_VMA_MAYSHARE, "mayshare" },
	{ CKPT_VMA_GROWSDOWN, "growsdown" }, { CKPT_VMA_LOCKED, "locked" },
	{ CKPT_VMA_LOCKONFAULT, "lockonfault" },
	{ CKPT_VMA_SEQ_READ, "seq_read" }, { CKPT_VMA_RAND_READ, "rand_read" },
	{ CKPT_VMA_DONTCOPY, "dontcopy" }, { CKPT_VMA_DONTEXPAND, "dontexpand" },
	{ CKPT_VMA_ACCOUNT, "account" }, { CKPT_VMA_NORESERVE, "noreserve" },
	{ CKPT_VMA_WIPEONFORK, "wipeonfork" }, { CKPT_VMA_DONTDUMP, "dontdump" },
	{ CKPT_VMA_SOFTDIRTY, "softdirty" }, { CKPT_VMA_HUGEPAGE, "hugepage" },
	{ CKPT_VMA_NOHUGEPAGE, "nohugepage" },
	{ CKPT_VMA_MERGEABLE, "mergeable" }, { CKPT_VMA_DROPPABLE, "droppable" },
	{ CKPT_VMA_SEALED, "sealed" }, { CKPT_VMA_ANON_SHARED, "anon_shared" },
	{}
};

static const struct flag_name mm_what[] = {
	{ CKPT_MM_DISABLE_THP, "disable_thp" }, { CKPT_MM_MDWE, "mdwe" },
	{ CKPT_MM_MDWE_NO_INHERIT, "mdwe_no_inherit" },
	{ CKPT_MM_MERGE_ANY, "merge_any" },
	{ CKPT_MM_TOPDOWN, "topdown" }, { CKPT_MM_IA32, "ia32" },
	{ CKPT_MM_VDSO_IA32, "vdso_ia32" }, { CKPT_MM_VSYSCALL, "vsyscall" },
	{ CKPT_MM_NO_VVAR, "no_vvar" }, { CKPT_MM_NO_VDSO, "no_vdso" },
	{}
};

static const struct field mm_fields[] = {
	FIELD(ckpt_rec_mm, start_code, FIELD_HEX),
	FIELD(ckpt_rec_mm, end_code, FIELD_HEX),
	FIELD(ckpt_rec_mm, start_data, FIELD_HEX),
	FIELD(ckpt_rec_mm, end_data, FIELD_HEX),
	FIELD(ckpt_rec_mm, start_brk, FIELD_HEX),
	FIELD(ckpt_rec_mm, brk, FIELD_HEX),
	FIELD(ckpt_rec_mm, start_stack, FIELD_HEX),
	FIELD(ckpt_rec_mm, arg_start, FIELD_HEX),
	FIELD(ckpt_rec_mm, arg_end, FIELD_HEX),
	FIELD(ckpt_rec_mm, env_start, FIELD_HEX),
	FIELD(ckpt_rec_mm, env_end, FIELD_HEX),
	FIELD(ckpt_rec_mm, mmap_base, FIELD_HEX),
	FIELD(ckpt_rec_mm, mmap_legacy_base, FIELD_HEX),
	FIELD(ckpt_rec_mm, mmap_compat_base, FIELD_HEX),
	FIELD(ckpt_rec_mm, mmap_compat_legacy_base, FIELD_HEX),
	FIELD(ckpt_rec_mm, task_size, FIELD_HEX),
	FIELD(ckpt_rec_mm, vdso, FIELD_HEX),
	FIELD(ckpt_rec_mm, vdso_size, FIELD_UNSIGNED),
	FIELD(ckpt_rec_mm, vvar_size, FIELD_UNSIGNED),
	FIELD_REFERENCE(ckpt_rec_mm, exe, FAMILY_FILE | FAMILY_NONE),
	FIELD(ckpt_rec_mm, dumpable, FIELD_UNSIGNED),
	FIELD(ckpt_rec_mm, dump_filter, FIELD_HEX),
	FIELD(ckpt_rec_mm, what, FIELD_FLAGS, .flags = mm_what),
	FIELD(ckpt_rec_mm, def_flags, FIELD_FLAGS, .flags = vma_flags),
	FIELD(ckpt_rec_mm, membarrier, FIELD_HEX),
	FIELD(ckpt_rec_mm, pkeys, FIELD_HEX),
	FIELD(ckpt_rec_mm, exec_pkey, FIELD_SIGNED),
	FIELD(ckpt_rec_mm, nr_vmas, FIELD_UNSIGNED),
	FIELD(ckpt_rec_mm, nr_auxv, FIELD_UNSIGNED),
	FIELD(ckpt_rec_mm, hiwater_rss, FIELD_UNSIGNED),
	FIELD(ckpt_rec_mm, hiwater_vm, FIELD_UNSIGNED),
	FIELD_ELEMENTS(ckpt_rec_mm, auxv, u64_hex), {}
};

static const struct field vma_fields[] = {
	FIELD(ckpt_rec_vma, start, FIELD_HEX),
	FIELD(ckpt_rec_vma, end, FIELD_HEX),
	FIELD(ckpt_rec_vma, pgoff, FIELD_HEX),
	FIELD(ckpt_rec_vma, flags, FIELD_FLAGS, .flags = vma_flags),
	FIELD_REFERENCE(ckpt_rec_vma, object,
			FAMILY_FILE | FAMILY_SHMEM | FAMILY_NONE),
	FIELD(ckpt_rec_vma, pkey, FIELD_UNSIGNED), {}
};

static const struct field vma_name_fields[] = {
	FIELD(ckpt_rec_vma_name, start, FIELD_HEX), {}
};

static const struct field aio_fields[] = {
	FIELD(ckpt_rec_aio, addr, FIELD_HEX),
	FIELD(ckpt_rec_aio, size, FIELD_UNSIGNED),
	FIELD(ckpt_rec_aio, max_reqs, FIELD_UNSIGNED),
	FIELD(ckpt_rec_aio, head, FIELD_UNSIGNED),
	FIELD(ckpt_rec_aio, nr_events, FIELD_UNSIGNED), {}
};

static const struct field aio_event_fields[] = {
	FIELD(ckpt_aio_event, data, FIELD_HEX),
	FIELD(ckpt_aio_event, obj, FIELD_HEX),
	FIELD(ckpt_aio_event, res, FIELD_SIGNED),
	FIELD(ckpt_aio_event, res2, FIELD_SIGNED), {}
};

static const struct field aio_tail = {
	.name = "event", .how = FIELD_ARRAY, .elements = aio_event_fields,
	.stride = sizeof(struct ckpt_aio_event)
};

static const struct field shmem_fields[] = {
	FIELD(ckpt_rec_shmem, size, FIELD_UNSIGNED),
	FIELD(ckpt_rec_shmem, flags, FIELD_FLAGS, .flags = vma_flags), {}
};

static const struct flag_name run_flags[] = {
	{ CKPT_RUN_ZERO, "zero" }, { CKPT_RUN_PARENT, "parent" },
	{ CKPT_RUN_SAME, "same" }, {}
};

static const struct field run_fields[] = {
	FIELD(ckpt_page_run, start, FIELD_HEX),
	FIELD(ckpt_page_run, nr, FIELD_UNSIGNED),
	FIELD(ckpt_page_run, flags, FIELD_FLAGS, .flags = run_flags), {}
};

#define IPC_FIELDS(record)						\
	FIELD_NAMED("id", record, ipc.id, FIELD_SIGNED),		\
	FIELD_NAMED("key", record, ipc.key, FIELD_HEX),			\
	FIELD_NAMED("uid", record, ipc.uid, FIELD_UNSIGNED),		\
	FIELD_NAMED("gid", record, ipc.gid, FIELD_UNSIGNED),		\
	FIELD_NAMED("cuid", record, ipc.cuid, FIELD_UNSIGNED),		\
	FIELD_NAMED("cgid", record, ipc.cgid, FIELD_UNSIGNED),		\
	FIELD_NAMED("mode", record, ipc.mode, FIELD_OCTAL),		\
	FIELD_NAMED("reserved", record, ipc.reserved, FIELD_ZERO),	\
	FIELD_NAMED("ctime", record, ipc.ctime, FIELD_SIGNED)

static const struct field shm_fields[] = {
	FIELD(ckpt_rec_shm, size, FIELD_UNSIGNED),
	FIELD(ckpt_rec_shm, flags, FIELD_FLAGS, .flags = vma_flags),
	IPC_FIELDS(ckpt_rec_shm),
	FIELD(ckpt_rec_shm, atime, FIELD_SIGNED),
	FIELD(ckpt_rec_shm, dtime, FIELD_SIGNED),
	FIELD(ckpt_rec_shm, cpid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_shm, lpid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_shm, page_shift, FIELD_UNSIGNED),
	FIELD(ckpt_rec_shm, reserved, FIELD_ZERO), {}
};

static const struct field pagemap_fields[] = {
	FIELD_REFERENCE(ckpt_rec_pagemap, owner, FAMILY_MM | FAMILY_SHMEM |
			FAMILY_MEMFD | FAMILY_DELETED),
	FIELD(ckpt_rec_pagemap, nr_runs, FIELD_UNSIGNED),
	FIELD(ckpt_rec_pagemap, nr_pages, FIELD_UNSIGNED), {}
};

static const struct field pagemap_tail = {
	.name = "runs", .how = FIELD_ARRAY, .elements = run_fields,
	.stride = sizeof(struct ckpt_page_run)
};

static const struct field pagemap_parent_fields[] = {
	FIELD(ckpt_rec_pagemap_parent, owner, FIELD_UNSIGNED),
	FIELD(ckpt_rec_pagemap_parent, reserved, FIELD_ZERO), {}
};

static const struct field pagemap_same_fields[] = {
	FIELD(ckpt_rec_pagemap_same, nr, FIELD_UNSIGNED),
	FIELD(ckpt_rec_pagemap_same, reserved, FIELD_ZERO), {}
};

static const struct field pagemap_same_tail = {
	.name = "first", .how = FIELD_ARRAY, .elements = u64_unsigned,
	.stride = 8
};

static const struct field files_fields[] = {
	FIELD(ckpt_rec_files, nr_fds, FIELD_UNSIGNED),
	FIELD(ckpt_rec_files, reserved, FIELD_ZERO), {}
};

static const struct flag_name fd_flags[] = { { 1, "FD_CLOEXEC" }, {} };

static const struct field fd_fields[] = {
	FIELD(ckpt_rec_fd, fd, FIELD_UNSIGNED),
	FIELD_REFERENCE(ckpt_rec_fd, file, FAMILY_FILE),
	FIELD(ckpt_rec_fd, flags, FIELD_FLAGS, .flags = fd_flags),
	FIELD(ckpt_rec_fd, reserved, FIELD_ZERO), {}
};

static const struct field lock_fields[] = {
	FIELD(ckpt_rec_lock, what, FIELD_UNSIGNED),
	FIELD(ckpt_rec_lock, type, FIELD_UNSIGNED),
	FIELD(ckpt_rec_lock, fd, FIELD_UNSIGNED),
	FIELD(ckpt_rec_lock, reserved, FIELD_ZERO),
	FIELD(ckpt_rec_lock, start, FIELD_UNSIGNED),
	FIELD(ckpt_rec_lock, end, FIELD_UNSIGNED), {}
};

static const struct field fs_fields[] = {
	FIELD(ckpt_rec_fs, umask, FIELD_OCTAL),
	FIELD_REFERENCE(ckpt_rec_fs, deleted, FAMILY_DELETED | FAMILY_NONE), {}
};

static const struct field cred_fields[] = {
	FIELD(ckpt_rec_cred, uid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_cred, euid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_cred, suid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_cred, fsuid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_cred, gid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_cred, egid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_cred, sgid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_cred, fsgid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_cred, securebits, FIELD_HEX),
	FIELD(ckpt_rec_cred, nr_groups, FIELD_UNSIGNED),
	FIELD(ckpt_rec_cred, inheritable, FIELD_HEX),
	FIELD(ckpt_rec_cred, permitted, FIELD_HEX),
	FIELD(ckpt_rec_cred, effective, FIELD_HEX),
	FIELD(ckpt_rec_cred, bset, FIELD_HEX),
	FIELD(ckpt_rec_cred, ambient, FIELD_HEX), {}
};

static const struct field cred_tail = {
	.name = "groups", .how = FIELD_ARRAY, .elements = u32_unsigned,
	.stride = 4
};

static const struct flag_name seccomp_what[] = {
	{ CKPT_SECCOMP_LOG, "log" }, {}
};

static const struct field seccomp_fields[] = {
	FIELD_REFERENCE(ckpt_rec_seccomp, prev, FAMILY_SECCOMP | FAMILY_NONE),
	FIELD(ckpt_rec_seccomp, what, FIELD_FLAGS, .flags = seccomp_what),
	FIELD(ckpt_rec_seccomp, nr_insns, FIELD_UNSIGNED),
	FIELD(ckpt_rec_seccomp, reserved, FIELD_ZERO), {}
};

static const struct field sigaction_fields[] = {
	FIELD(ckpt_rec_sigaction, handler, FIELD_HEX),
	FIELD(ckpt_rec_sigaction, flags, FIELD_HEX),
	FIELD(ckpt_rec_sigaction, restorer, FIELD_HEX),
	FIELD(ckpt_rec_sigaction, mask, FIELD_HEX), {}
};

static const struct field sighand_fields[] = {
	FIELD_ELEMENTS(ckpt_rec_sighand, action, sigaction_fields), {}
};

static const struct field sem_undo_fields[] = {
	FIELD(ckpt_rec_sem_undo, reserved, FIELD_ZERO), {}
};

static const struct field sem_adjust_fields[] = {
	FIELD_REFERENCE(ckpt_rec_sem_adjust, set, FAMILY_SEM_SET),
	FIELD(ckpt_rec_sem_adjust, nr, FIELD_UNSIGNED), {}
};

static const struct field s16_signed[] = {
	{ .name = "", .size = 2, .how = FIELD_SIGNED }, {}
};

static const struct field sem_adjust_tail = {
	.name = "adjust", .how = FIELD_ARRAY, .elements = s16_signed,
	.stride = 2
};

static const struct field sem_set_fields[] = {
	IPC_FIELDS(ckpt_rec_sem_set),
	FIELD(ckpt_rec_sem_set, otime, FIELD_SIGNED),
	FIELD(ckpt_rec_sem_set, nr, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sem_set, reserved, FIELD_ZERO), {}
};

static const struct field sem_fields[] = {
	FIELD(ckpt_sem, value, FIELD_UNSIGNED),
	FIELD(ckpt_sem, pid, FIELD_UNSIGNED), {}
};

static const struct field sem_set_tail = {
	.name = "sem", .how = FIELD_ARRAY, .elements = sem_fields,
	.stride = sizeof(struct ckpt_sem)
};

static const struct field msg_queue_fields[] = {
	IPC_FIELDS(ckpt_rec_msg_queue),
	FIELD(ckpt_rec_msg_queue, stime, FIELD_SIGNED),
	FIELD(ckpt_rec_msg_queue, rtime, FIELD_SIGNED),
	FIELD(ckpt_rec_msg_queue, max_bytes, FIELD_UNSIGNED),
	FIELD(ckpt_rec_msg_queue, lspid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_msg_queue, lrpid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_msg_queue, nr_msgs, FIELD_UNSIGNED),
	FIELD(ckpt_rec_msg_queue, reserved, FIELD_ZERO), {}
};

static const struct field msg_fields[] = {
	FIELD(ckpt_rec_msg, type, FIELD_SIGNED), {}
};

static const struct flag_name mqueue_what[] = {
	{ CKPT_MQUEUE_UNLINKED, "unlinked" }, { CKPT_MQUEUE_NOTIFY, "notify" },
	{}
};

static const struct field mqueue_fields[] = {
	FIELD(ckpt_rec_mqueue, max_msgs, FIELD_UNSIGNED),
	FIELD(ckpt_rec_mqueue, msg_size, FIELD_UNSIGNED),
	FIELD(ckpt_rec_mqueue, nr_msgs, FIELD_UNSIGNED),
	FIELD(ckpt_rec_mqueue, mode, FIELD_OCTAL),
	FIELD(ckpt_rec_mqueue, uid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_mqueue, gid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_mqueue, what, FIELD_FLAGS, .flags = mqueue_what),
	FIELD(ckpt_rec_mqueue, notify, FIELD_UNSIGNED),
	FIELD(ckpt_rec_mqueue, signo, FIELD_UNSIGNED),
	FIELD(ckpt_rec_mqueue, owner, FIELD_UNSIGNED),
	FIELD(ckpt_rec_mqueue, value, FIELD_HEX), {}
};

static const struct flag_name signal_what[] = {
	{ CKPT_SIGNAL_STOPPED, "stopped" },
	{ CKPT_SIGNAL_SUBREAPER, "subreaper" },
	{ CKPT_SIGNAL_ZOMBIE, "zombie" },
	{ CKPT_SIGNAL_CONTINUED, "continued" }, {}
};

static const struct field signal_fields[] = {
	FIELD(ckpt_rec_signal, pid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_signal, ppid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_signal, pgid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_signal, sid, FIELD_UNSIGNED),
	FIELD(ckpt_rec_signal, what, FIELD_FLAGS, .flags = signal_what),
	FIELD(ckpt_rec_signal, exit_signal, FIELD_UNSIGNED),
	FIELD(ckpt_rec_signal, oom_score_adj, FIELD_SIGNED),
	FIELD(ckpt_rec_signal, oom_score_adj_min, FIELD_SIGNED),
	FIELD(ckpt_rec_signal, nr_threads, FIELD_UNSIGNED),
	FIELD(ckpt_rec_signal, stop_signal, FIELD_UNSIGNED),
	FIELD(ckpt_rec_signal, reserved, FIELD_ZERO), {}
};

static const struct field usage_fields[] = {
	FIELD(ckpt_rec_usage, utime, FIELD_UNSIGNED),
	FIELD(ckpt_rec_usage, stime, FIELD_UNSIGNED),
	FIELD(ckpt_rec_usage, gtime, FIELD_UNSIGNED),
	FIELD(ckpt_rec_usage, nvcsw, FIELD_UNSIGNED),
	FIELD(ckpt_rec_usage, nivcsw, FIELD_UNSIGNED),
	FIELD(ckpt_rec_usage, min_flt, FIELD_UNSIGNED),
	FIELD(ckpt_rec_usage, maj_flt, FIELD_UNSIGNED),
	FIELD(ckpt_rec_usage, inblock, FIELD_UNSIGNED),
	FIELD(ckpt_rec_usage, oublock, FIELD_UNSIGNED),
	FIELD(ckpt_rec_usage, maxrss, FIELD_UNSIGNED),
	FIELD(ckpt_rec_usage, runtime, FIELD_UNSIGNED),
	FIELD(ckpt_rec_usage, shown_utime, FIELD_UNSIGNED),
	FIELD(ckpt_rec_usage, shown_stime, FIELD_UNSIGNED),
	FIELD(ckpt_rec_usage, rchar, FIELD_UNSIGNED),
	FIELD(ckpt_rec_usage, wchar, FIELD_UNSIGNED),
	FIELD(ckpt_rec_usage, syscr, FIELD_UNSIGNED),
	FIELD(ckpt_rec_usage, syscw, FIELD_UNSIGNED),
	FIELD(ckpt_rec_usage, read_bytes, FIELD_UNSIGNED),
	FIELD(ckpt_rec_usage, write_bytes, FIELD_UNSIGNED),
	FIELD(ckpt_rec_usage, cancelled_write_bytes, FIELD_UNSIGNED), {}
};

static const struct field rlimit_fields[] = {
	FIELD_NAMED("cur", ckpt_rec_rlimits, rlim[0].cur, FIELD_HEX),
	FIELD_NAMED("max", ckpt_rec_rlimits, rlim[0].max, FIELD_HEX), {}
};

static const struct field rlimits_fields[] = {
	FIELD_ELEMENTS(ckpt_rec_rlimits, rlim, rlimit_fields), {}
};

static const struct field itimer_fields[] = {
	FIELD_NAMED("value", ckpt_rec_itimers, timer[0].value, FIELD_UNSIGNED),
	FIELD_NAMED("interval", ckpt_rec_itimers, timer[0].interval,
		    FIELD_UNSIGNED), {}
};

static const struct flag_name itimers_what[] = {
	{ CKPT_ITIMERS_REAL_WAITS, "real_waits" }, {}
};

static const struct field itimers_fields[] = {
	FIELD_ELEMENTS(ckpt_rec_itimers, timer, itimer_fields),
	FIELD(ckpt_rec_itimers, what, FIELD_FLAGS, .flags = itimers_what),
	FIELD(ckpt_rec_itimers, reserved, FIELD_ZERO), {}
};

static const struct flag_name timer_what[] = {
	{ CKPT_TIMER_ARMED, "armed" }, { CKPT_TIMER_PENDING, "pending" },
	{ CKPT_TIMER_CLOCK_GONE, "clock_gone" }, {}
};

static const struct field posix_timer_fields[] = {
	FIELD(ckpt_rec_posix_timer, id, FIELD_UNSIGNED),
	FIELD(ckpt_rec_posix_timer, clock, FIELD_SIGNED),
	FIELD(ckpt_rec_posix_timer, notify, FIELD_UNSIGNED),
	FIELD(ckpt_rec_posix_timer, signo, FIELD_UNSIGNED),
	FIELD(ckpt_rec_posix_timer, value, FIELD_HEX),
	FIELD(ckpt_rec_posix_timer, thread, FIELD_UNSIGNED),
	FIELD(ckpt_rec_posix_timer, what, FIELD_FLAGS, .flags = timer_what),
	FIELD(ckpt_rec_posix_timer, overrun, FIELD_UNSIGNED),
	FIELD(ckpt_rec_posix_timer, missed, FIELD_UNSIGNED),
	FIELD(ckpt_rec_posix_timer, left, FIELD_UNSIGNED),
	FIELD(ckpt_rec_posix_timer, interval, FIELD_UNSIGNED),
	FIELD(ckpt_rec_posix_timer, counts, FIELD_UNSIGNED),
	FIELD(ckpt_rec_posix_timer, reserved, FIELD_ZERO), {}
};

static const struct field siginfo_fields[] = {
	{ .name = "signo", .offset = 0, .size = 4, .how = FIELD_SIGNED },
	{ .name = "errno", .offset = 4, .size = 4, .how = FIELD_SIGNED },
	{ .name = "code", .offset = 8, .size = 4, .how = FIELD_SIGNED },
	{ .name = "rest", .offset = 12, .size = 116, .how = FIELD_BYTES }, {}
};

static const struct flag_name task_what[] = {
	{ CKPT_TASK_DEAD, "dead" }, { CKPT_TASK_IA32_CALL, "ia32_call" }, {}
};

static const struct field task_fields[] = {
	FIELD(ckpt_rec_task, tid, FIELD_UNSIGNED),
	FIELD_REFERENCE(ckpt_rec_task, signal, FAMILY_SIGNAL),
	FIELD_REFERENCE(ckpt_rec_task, sighand, FAMILY_SIGHAND | FAMILY_NONE),
	FIELD_REFERENCE(ckpt_rec_task, mm, FAMILY_MM | FAMILY_NONE),
	FIELD_REFERENCE(ckpt_rec_task, files, FAMILY_FILES | FAMILY_NONE),
	FIELD_REFERENCE(ckpt_rec_task, fs, FAMILY_FS | FAMILY_NONE),
	FIELD_REFERENCE(ckpt_rec_task, cred, FAMILY_CRED),
	FIELD_REFERENCE(ckpt_rec_task, sem_undo, FAMILY_SEM_UNDO | FAMILY_NONE),
	FIELD_REFERENCE(ckpt_rec_task, seccomp, FAMILY_SECCOMP | FAMILY_NONE),
	FIELD(ckpt_rec_task, turn, FIELD_UNSIGNED),
	FIELD(ckpt_rec_task, personality, FIELD_HEX),
	FIELD(ckpt_rec_task, pdeath_signal, FIELD_UNSIGNED),
	FIELD(ckpt_rec_task, what, FIELD_FLAGS, .flags = task_what),
	FIELD(ckpt_rec_task, exit_code, FIELD_HEX),
	FIELD(ckpt_rec_task, clear_child_tid, FIELD_HEX),
	FIELD(ckpt_rec_task, robust_list, FIELD_HEX),
	FIELD(ckpt_rec_task, robust_list_ia32, FIELD_HEX),
	FIELD(ckpt_rec_task, comm, FIELD_CHARS), {}
};

static const struct field cpu_fields[] = {
	FIELD(ckpt_rec_cpu, r15, FIELD_HEX),
	FIELD(ckpt_rec_cpu, r14, FIELD_HEX),
	FIELD(ckpt_rec_cpu, r13, FIELD_HEX),
	FIELD(ckpt_rec_cpu, r12, FIELD_HEX),
	FIELD(ckpt_rec_cpu, bp, FIELD_HEX),
	FIELD(ckpt_rec_cpu, bx, FIELD_HEX),
	FIELD(ckpt_rec_cpu, r11, FIELD_HEX),
	FIELD(ckpt_rec_cpu, r10, FIELD_HEX),
	FIELD(ckpt_rec_cpu, r9, FIELD_HEX),
	FIELD(ckpt_rec_cpu, r8, FIELD_HEX),
	FIELD(ckpt_rec_cpu, ax, FIELD_HEX),
	FIELD(ckpt_rec_cpu, cx, FIELD_HEX),
	FIELD(ckpt_rec_cpu, dx, FIELD_HEX),
	FIELD(ckpt_rec_cpu, si, FIELD_HEX),
	FIELD(ckpt_rec_cpu, di, FIELD_HEX),
	FIELD(ckpt_rec_cpu, orig_ax, FIELD_SIGNED),
	FIELD(ckpt_rec_cpu, ip, FIELD_HEX),
	FIELD(ckpt_rec_cpu, cs, FIELD_HEX),
	FIELD(ckpt_rec_cpu, flags, FIELD_HEX),
	FIELD(ckpt_rec_cpu, sp, FIELD_HEX),
	FIELD(ckpt_rec_cpu, ss, FIELD_HEX),
	FIELD(ckpt_rec_cpu, fs_base, FIELD_HEX),
	FIELD(ckpt_rec_cpu, gs_base, FIELD_HEX),
	FIELD(ckpt_rec_cpu, ds, FIELD_HEX),
	FIELD(ckpt_rec_cpu, es, FIELD_HEX),
	FIELD(ckpt_rec_cpu, fs, FIELD_HEX),
	FIELD(ckpt_rec_cpu, gs, FIELD_HEX), {}
};

static const struct field xstate_tail = {
	.name = "state", .how = FIELD_BYTES
};

static const struct field desc_fields[] = {
	FIELD_NAMED("entry", ckpt_rec_tls, desc[0].entry, FIELD_UNSIGNED),
	FIELD_NAMED("base", ckpt_rec_tls, desc[0].base, FIELD_HEX),
	FIELD_NAMED("limit", ckpt_rec_tls, desc[0].limit, FIELD_HEX),
	FIELD_NAMED("flags", ckpt_rec_tls, desc[0].flags, FIELD_HEX), {}
};

static const struct field tls_fields[] = {
	FIELD_ELEMENTS(ckpt_rec_tls, desc, desc_fields), {}
};

static const struct flag_name sigmask_what[] = {
	{ CKPT_SIGMASK_SAVED, "saved" }, {}
};

static const struct field sigmask_fields[] = {
	FIELD(ckpt_rec_sigmask, blocked, FIELD_HEX),
	FIELD(ckpt_rec_sigmask, saved, FIELD_HEX),
	FIELD(ckpt_rec_sigmask, what, FIELD_FLAGS, .flags = sigmask_what),
	FIELD(ckpt_rec_sigmask, altstack_flags, FIELD_HEX),
	FIELD(ckpt_rec_sigmask, altstack, FIELD_HEX),
	FIELD(ckpt_rec_sigmask, altstack_size, FIELD_UNSIGNED), {}
};

static const struct flag_name restart_what[] = {
	{ CKPT_RESTART_IA32, "ia32" }, {}
};

static const struct field restart_block_fields[] = {
	FIELD(ckpt_rec_restart_block, call, FIELD_UNSIGNED),
	FIELD(ckpt_rec_restart_block, clock, FIELD_SIGNED),
	FIELD(ckpt_rec_restart_block, left, FIELD_SIGNED),
	FIELD(ckpt_rec_restart_block, addr, FIELD_HEX),
	FIELD(ckpt_rec_restart_block, val, FIELD_UNSIGNED),
	FIELD(ckpt_rec_restart_block, flags, FIELD_HEX),
	FIELD(ckpt_rec_restart_block, bitset, FIELD_HEX),
	FIELD(ckpt_rec_restart_block, what, FIELD_FLAGS,
	      .flags = restart_what), {}
};

static const struct field sched_fields[] = {
	FIELD(ckpt_rec_sched, policy, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sched, flags, FIELD_HEX),
	FIELD(ckpt_rec_sched, nice, FIELD_SIGNED),
	FIELD(ckpt_rec_sched, priority, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sched, runtime, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sched, deadline, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sched, period, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sched, ioprio, FIELD_SIGNED),
	FIELD(ckpt_rec_sched, nr_cpus, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sched, timer_slack, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sched, default_timer_slack, FIELD_UNSIGNED),
	FIELD(ckpt_rec_sched, cpus, FIELD_CPUS), {}
};

static const struct field rseq_fields[] = {
	FIELD(ckpt_rec_rseq, addr, FIELD_HEX),
	FIELD(ckpt_rec_rseq, len, FIELD_UNSIGNED),
	FIELD(ckpt_rec_rseq, sig, FIELD_HEX), {}
};

static const struct flag_name prctl_what[] = {
	{ CKPT_PRCTL_NO_NEW_PRIVS, "no_new_privs" },
	{ CKPT_PRCTL_IO_FLUSHER, "io_flusher" },
	{ CKPT_PRCTL_TSC_SIGSEGV, "tsc_sigsegv" },
	{ CKPT_PRCTL_SECCOMP_STRICT, "seccomp_strict" },
	{ CKPT_PRCTL_SYSCALL_DISPATCH, "syscall_dispatch" },
	{ CKPT_PRCTL_NO_CPUID, "no_cpuid" }, {}
};

/* PR_SPEC_* of prctl(2). */
static const struct flag_name speculation[] = {
	{ 0x01, "PR_SPEC_PRCTL" }, { 0x02, "PR_SPEC_ENABLE" },
	{ 0x04, "PR_SPEC_DISABLE" }, { 0x08, "PR_SPEC_FORCE_DISABLE" },
	{ 0x10, "PR_SPEC_DISABLE_NOEXEC" }, {}
};

static const struct flag_name ptrace_what[] = {
	{ CKPT_PTRACE_SEIZED, "seized" },
	{ CKPT_PTRACE_LISTENED, "listened" },
	{ CKPT_PTRACE_TRAP_STOP, "trap_stop" },
	{ CKPT_PTRACE_TRAP_NOTIFY, "trap_notify" },
	{ CKPT_PTRACE_CALLS, "calls" },
	{ CKPT_PTRACE_EMULATES, "emulates" },
	{ CKPT_PTRACE_STEPS, "steps" },
	{ CKPT_PTRACE_BLOCKS, "blocks" },
	{ CKPT_PTRACE_IN_CALL, "in_call" }, {}
};

static const struct field ptrace_fields[] = {
	FIELD(ckpt_rec_ptrace, tracer, FIELD_UNSIGNED),
	FIELD(ckpt_rec_ptrace, what, FIELD_FLAGS, .flags = ptrace_what),
	FIELD(ckpt_rec_ptrace, options, FIELD_HEX),
	FIELD(ckpt_rec_ptrace, stop, FIELD_UNSIGNED),
	FIELD(ckpt_rec_ptrace, exit_code, FIELD_HEX),
	FIELD(ckpt_rec_ptrace, stop_signal, FIELD_UNSIGNED),
	FIELD(ckpt_rec_ptrace, message, FIELD_UNSIGNED),
	FIELD(ckpt_rec_ptrace, info, FIELD_BYTES), {}
};

static const struct field debug_fields[] = {
	FIELD_ELEMENTS(ckpt_rec_debug, address, u64_hex),
	FIELD(ckpt_rec_debug, status, FIELD_HEX),
	FIELD(ckpt_rec_debug, control, FIELD_HEX), {}
};

static const struct field vfork_fields[] = {
	FIELD(ckpt_rec_vfork, child, FIELD_UNSIGNED),
	FIELD(ckpt_rec_vfork, reserved, FIELD_ZERO), {}
};

static const struct field prctl_fields[] = {
	FIELD(ckpt_rec_prctl, what, FIELD_FLAGS, .flags = prctl_what),
	FIELD(ckpt_rec_prctl, mce_kill, FIELD_UNSIGNED),
	FIELD_NAMED("store_bypass", ckpt_rec_prctl, speculation[0],
		    FIELD_FLAGS, .flags = speculation),
	FIELD_NAMED("indirect_branch", ckpt_rec_prctl, speculation[1],
		    FIELD_FLAGS, .flags = speculation),
	FIELD_NAMED("l1d_flush", ckpt_rec_prctl, speculation[2], FIELD_FLAGS,
		    .flags = speculation),
	FIELD(ckpt_rec_prctl, reserved, FIELD_ZERO),
	FIELD(ckpt_rec_prctl, dispatch_start, FIELD_HEX),
	FIELD(ckpt_rec_prctl, dispatch_len, FIELD_HEX),
	FIELD(ckpt_rec_prctl, dispatch_selector, FIELD_HEX), {}
};

#define OBJECT(number, label, kin, record, table)			\
	{ .type = number, .name = label, .family = kin,			\
	  .size = sizeof(struct record), .fields = table }

#define PART(number, label, of, record, table)				\
	{ .type = number, .name = label, .owners = of,			\
	  .size = sizeof(struct record), .fields = table }

static const struct field no_fields[] = { {} };

static const struct record_type types[] = {
	{ .type = CKPT_REC_END, .name = "end", .fields = end_fields,
	  .size = sizeof(struct ckpt_rec_end) },
	{ .type = CKPT_REC_PATH, .name = "path",
	  .owners = FAMILY_FILE | FAMILY_FS | FAMILY_DELETED | FAMILY_SOCK,
	  .fields = no_fields,
	  .tail = &path_tail },
	OBJECT(CKPT_REC_FILE_REGULAR, "regular file", FAMILY_FILE,
	       ckpt_rec_file, file_fields),
	OBJECT(CKPT_REC_FILE_DIRECTORY, "directory", FAMILY_FILE,
	       ckpt_rec_file, file_fields),
	OBJECT(CKPT_REC_FILE_PSEUDO, "pseudo file", FAMILY_FILE,
	       ckpt_rec_file, file_fields),
	OBJECT(CKPT_REC_FILE_PROCESS, "file of a process", FAMILY_FILE,
	       ckpt_rec_file_process, file_process_fields),
	OBJECT(CKPT_REC_FILE_BLOCK, "block device", FAMILY_FILE,
	       ckpt_rec_file, file_fields),
	OBJECT(CKPT_REC_FILE_MEMDEV, "memory device", FAMILY_FILE,
	       ckpt_rec_file, file_fields),
	OBJECT(CKPT_REC_FILE_TTY, "terminal", FAMILY_FILE,
	       ckpt_rec_file, file_fields),
	OBJECT(CKPT_REC_FILE_PIPE, "pipe end", FAMILY_FILE,
	       ckpt_rec_file_pipe, file_pipe_fields),
	OBJECT(CKPT_REC_FILE_FIFO, "fifo", FAMILY_FILE,
	       ckpt_rec_file_pipe, file_pipe_fields),
	OBJECT(CKPT_REC_FILE_EVENTFD, "eventfd", FAMILY_FILE,
	       ckpt_rec_eventfd, eventfd_fields),
	OBJECT(CKPT_REC_FILE_SIGNALFD, "signalfd", FAMILY_FILE,
	       ckpt_rec_signalfd, signalfd_fields),
	OBJECT(CKPT_REC_FILE_TIMERFD, "timerfd", FAMILY_FILE,
	       ckpt_rec_timerfd, timerfd_fields),
	OBJECT(CKPT_REC_FILE_EPOLL, "epoll", FAMILY_FILE, ckpt_rec_epoll,
	       epoll_fields),
	PART(CKPT_REC_EPOLL_ITEM, "epoll item", FAMILY_FILE,
	     ckpt_rec_epoll_item, epoll_item_fields),
	OBJECT(CKPT_REC_FILE_MEMFD, "open memfd", FAMILY_FILE,
	       ckpt_rec_file_memfd, file_memfd_fields),
	OBJECT(CKPT_REC_FILE_PATH, "path only", FAMILY_FILE,
	       ckpt_rec_file_path, file_path_fields),
	OBJECT(CKPT_REC_FILE_DELETED, "open deleted file", FAMILY_FILE,
	       ckpt_rec_file_deleted, file_deleted_fields),
	{ .type = CKPT_REC_DELETED, .name = "deleted file",
	  .family = FAMILY_DELETED, .size = sizeof(struct ckpt_rec_deleted),
	  .fields = deleted_fields, .tail = &name_tail },
	{ .type = CKPT_REC_DELETED_NODE, .name = "device or symbolic link",
	  .owners = FAMILY_DELETED,
	  .size = sizeof(struct ckpt_rec_deleted_node),
	  .fields = deleted_node_fields, .tail = &target_tail },
	{ .type = CKPT_REC_FILE_EXTERNAL, .name = "external file",
	  .family = FAMILY_FILE, .size = sizeof(struct ckpt_rec_file_external),
	  .fields = file_external_fields, .tail = &name_tail },
	OBJECT(CKPT_REC_FILE_INOTIFY, "inotify", FAMILY_FILE, ckpt_rec_inotify,
	       inotify_fields),
	{ .type = CKPT_REC_INOTIFY_WATCH, .name = "inotify watch",
	  .owners = FAMILY_FILE, .size = sizeof(struct ckpt_rec_inotify_watch),
	  .fields = inotify_watch_fields, .tail = &path_tail },
	{ .type = CKPT_REC_INOTIFY_EVENT, .name = "inotify event",
	  .owners = FAMILY_FILE, .size = sizeof(struct ckpt_rec_inotify_event),
	  .fields = inotify_event_fields, .tail = &name_tail },
	OBJECT(CKPT_REC_FILE_FANOTIFY, "fanotify", FAMILY_FILE,
	       ckpt_rec_fanotify, fanotify_fields),
	{ .type = CKPT_REC_FANOTIFY_MARK, .name = "fanotify mark",
	  .owners = FAMILY_FILE, .size = sizeof(struct ckpt_rec_fanotify_mark),
	  .fields = fanotify_mark_fields, .tail = &path_tail },
	PART(CKPT_REC_FANOTIFY_DELETED, "fanotify mark of a deleted file",
	     FAMILY_FILE, ckpt_rec_fanotify_deleted, fanotify_deleted_fields),
	{ .type = CKPT_REC_FANOTIFY_EVENT, .name = "fanotify event",
	  .owners = FAMILY_FILE,
	  .size = sizeof(struct ckpt_rec_fanotify_event),
	  .fields = fanotify_event_fields, .tail = &data_tail },
	OBJECT(CKPT_REC_FILE_PIDFD, "pidfd", FAMILY_FILE, ckpt_rec_pidfd,
	       pidfd_fields),
	OBJECT(CKPT_REC_ENDED, "ended process", FAMILY_ENDED, ckpt_rec_ended,
	       ended_fields),
	OBJECT(CKPT_REC_FILE_NS, "namespace file", FAMILY_FILE,
	       ckpt_rec_file_ns, file_ns_fields),
	OBJECT(CKPT_REC_FILE_OWNER, "file owner", FAMILY_REMARK,
	       ckpt_rec_file_owner, file_owner_fields),
	OBJECT(CKPT_REC_FILE_LEASE, "file lease", FAMILY_REMARK,
	       ckpt_rec_file_lease, file_lease_fields),
	OBJECT(CKPT_REC_PIPE, "pipe", FAMILY_PIPE, ckpt_rec_pipe, pipe_fields),
	{ .type = CKPT_REC_PIPE_BUF, .name = "pipe contents",
	  .owners = FAMILY_PIPE, .size = sizeof(struct ckpt_rec_pipe_buf),
	  .fields = pipe_buf_fields, .tail = &data_tail },
	OBJECT(CKPT_REC_FILE_PTY, "pty end", FAMILY_FILE, ckpt_rec_file_pty,
	       file_pty_fields),
	OBJECT(CKPT_REC_PTY, "pty", FAMILY_PTY, ckpt_rec_pty, pty_fields),
	{ .type = CKPT_REC_PTY_END, .name = "pty contents",
	  .owners = FAMILY_PTY, .size = sizeof(struct ckpt_rec_pty_end),
	  .fields = pty_end_fields, .tail = &data_tail },
	OBJECT(CKPT_REC_FILE_SOCKET, "socket", FAMILY_FILE,
	       ckpt_rec_file_socket, file_socket_fields),
	{ .type = CKPT_REC_SOCK_OPTION, .name = "socket option",
	  .owners = FAMILY_SOCK, .size = sizeof(struct ckpt_rec_sock_option),
	  .fields = sock_option_fields, .tail = &sock_option_tail },
	{ .type = CKPT_REC_SOCK_FILTER, .name = "socket filter",
	  .owners = FAMILY_SOCK, .size = sizeof(struct ckpt_rec_sock_filter),
	  .fields = sock_filter_fields, .tail = &insns_tail },
	{ .type = CKPT_REC_SOCK_UNIX, .name = "unix socket",
	  .family = FAMILY_SOCK, .size = sizeof(struct ckpt_rec_sock_unix),
	  .fields = sock_unix_fields, .tail = &sock_unix_tail },
	OBJECT(CKPT_REC_UNIX_LINK, "unix connection", FAMILY_SOCK_LINK,
	       ckpt_rec_unix_link, unix_link_fields),
	{ .type = CKPT_REC_UNIX_MESSAGE, .name = "unix message",
	  .owners = FAMILY_SOCK_LINK,
	  .size = sizeof(struct ckpt_rec_unix_message),
	  .fields = unix_message_fields, .tail = &data_tail },
	PART(CKPT_REC_UNIX_RIGHT, "descriptor under way", FAMILY_SOCK_LINK,
	     ckpt_rec_unix_right, unix_right_fields),
	OBJECT(CKPT_REC_SOCK_INET, "inet socket", FAMILY_SOCK,
	       ckpt_rec_sock_inet, sock_inet_fields),
	OBJECT(CKPT_REC_UDP_QUEUE, "UDP queue", FAMILY_SOCK_LINK,
	       ckpt_rec_udp_queue, udp_queue_fields),
	{ .type = CKPT_REC_UDP_DATAGRAM, .name = "UDP datagram",
	  .owners = FAMILY_SOCK_LINK,
	  .size = sizeof(struct ckpt_rec_udp_datagram),
	  .fields = udp_datagram_fields, .tail = &data_tail },
	OBJECT(CKPT_REC_TCP_LINK, "TCP connection", FAMILY_SOCK_LINK,
	       ckpt_rec_tcp_link, tcp_link_fields),
	OBJECT(CKPT_REC_TCP_WAITING, "TCP connection to be accepted",
	       FAMILY_SOCK_LINK, ckpt_rec_tcp_waiting, tcp_waiting_fields),
	{ .type = CKPT_REC_TCP_DATA, .name = "TCP data",
	  .owners = FAMILY_SOCK_LINK, .size = sizeof(struct ckpt_rec_tcp_data),
	  .fields = tcp_data_fields, .tail = &data_tail },
	{ .type = CKPT_REC_SOCK_NETLINK, .name = "netlink socket",
	  .family = FAMILY_SOCK, .size = sizeof(struct ckpt_rec_sock_netlink),
	  .fields = sock_netlink_fields, .tail = &netlink_tail },
	OBJECT(CKPT_REC_SOCK_PACKET, "packet socket", FAMILY_SOCK,
	       ckpt_rec_sock_packet, sock_packet_fields),
	PART(CKPT_REC_PACKET_RING, "packet ring", FAMILY_SOCK,
	     ckpt_rec_packet_ring, packet_ring_fields),
	{ .type = CKPT_REC_PACKET_PAGE, .name = "page of a packet ring",
	  .owners = FAMILY_SOCK, .size = sizeof(struct ckpt_rec_packet_page),
	  .fields = packet_page_fields, .tail = &data_tail },
	PART(CKPT_REC_PACKET_MEMBER, "packet membership", FAMILY_SOCK,
	     ckpt_rec_packet_member, packet_member_fields),
	PART(CKPT_REC_PACKET_FANOUT, "packet fanout", FAMILY_SOCK,
	     ckpt_rec_packet_fanout, packet_fanout_fields),
	PART(CKPT_REC_PACKET_STATS, "packet statistics", FAMILY_SOCK,
	     ckpt_rec_packet_stats, packet_stats_fields),
	OBJECT(CKPT_REC_MM, "mm", FAMILY_MM, ckpt_rec_mm, mm_fields),
	PART(CKPT_REC_VMA, "vma", FAMILY_MM, ckpt_rec_vma, vma_fields),
	{ .type = CKPT_REC_VMA_NAME, .name = "vma name", .owners = FAMILY_MM,
	  .size = sizeof(struct ckpt_rec_vma_name), .fields = vma_name_fields,
	  .tail = &name_tail },
	{ .type = CKPT_REC_AIO, .name = "aio", .owners = FAMILY_MM,
	  .size = sizeof(struct ckpt_rec_aio), .fields = aio_fields,
	  .tail = &aio_tail },
	OBJECT(CKPT_REC_SHMEM, "shmem", FAMILY_SHMEM, ckpt_rec_shmem,
	       shmem_fields),
	{ .type = CKPT_REC_MEMFD, .name = "memfd", .family = FAMILY_MEMFD,
	  .size = sizeof(struct ckpt_rec_memfd), .fields = memfd_fields,
	  .tail = &name_tail },
	OBJECT(CKPT_REC_SHM, "System V shared memory", FAMILY_SHMEM,
	       ckpt_rec_shm, shm_fields),
	OBJECT(CKPT_REC_FILE_SHM, "attached shared memory", FAMILY_FILE,
	       ckpt_rec_file_shm, file_shm_fields),
	{ .type = CKPT_REC_PAGEMAP, .name = "pagemap",
	  .family = FAMILY_PAGEMAP, .size = sizeof(struct ckpt_rec_pagemap),
	  .fields = pagemap_fields, .tail = &pagemap_tail },
	PART(CKPT_REC_PAGEMAP_PARENT, "pagemap of parent", FAMILY_PAGEMAP,
	     ckpt_rec_pagemap_parent, pagemap_parent_fields),
	{ .type = CKPT_REC_PAGEMAP_SAME, .name = "pages of others",
	  .owners = FAMILY_PAGEMAP,
	  .size = sizeof(struct ckpt_rec_pagemap_same),
	  .fields = pagemap_same_fields, .tail = &pagemap_same_tail },
	OBJECT(CKPT_REC_FILES, "files", FAMILY_FILES, ckpt_rec_files,
	       files_fields),
	PART(CKPT_REC_FILE_LOCK, "file lock", FAMILY_FILE, ckpt_rec_lock,
	     lock_fields),
	PART(CKPT_REC_POSIX_LOCK, "posix lock", FAMILY_FILES, ckpt_rec_lock,
	     lock_fields),
	PART(CKPT_REC_FD, "fd", FAMILY_FILES, ckpt_rec_fd, fd_fields),
	OBJECT(CKPT_REC_FS, "fs", FAMILY_FS, ckpt_rec_fs, fs_fields),
	{ .type = CKPT_REC_CRED, .name = "cred", .family = FAMILY_CRED,
	  .size = sizeof(struct ckpt_rec_cred), .fields = cred_fields,
	  .tail = &cred_tail },
	{ .type = CKPT_REC_SECCOMP, .name = "seccomp filter",
	  .family = FAMILY_SECCOMP, .size = sizeof(struct ckpt_rec_seccomp),
	  .fields = seccomp_fields, .tail = &insns_tail },
	OBJECT(CKPT_REC_SIGHAND, "sighand", FAMILY_SIGHAND, ckpt_rec_sighand,
	       sighand_fields),
	OBJECT(CKPT_REC_SEM_UNDO, "semaphore undo", FAMILY_SEM_UNDO,
	       ckpt_rec_sem_undo, sem_undo_fields),
	{ .type = CKPT_REC_SEM_ADJUST, .name = "semaphore adjustments",
	  .owners = FAMILY_SEM_UNDO,
	  .size = sizeof(struct ckpt_rec_sem_adjust),
	  .fields = sem_adjust_fields, .tail = &sem_adjust_tail },
	{ .type = CKPT_REC_SEM_SET, .name = "System V semaphores",
	  .family = FAMILY_SEM_SET, .size = sizeof(struct ckpt_rec_sem_set),
	  .fields = sem_set_fields, .tail = &sem_set_tail },
	OBJECT(CKPT_REC_MSG_QUEUE, "System V message queue", FAMILY_MSG_QUEUE,
	       ckpt_rec_msg_queue, msg_queue_fields),
	OBJECT(CKPT_REC_FILE_MQUEUE, "open message queue", FAMILY_FILE,
	       ckpt_rec_file_mqueue, file_mqueue_fields),
	{ .type = CKPT_REC_MQUEUE, .name = "POSIX message queue",
	  .family = FAMILY_MQUEUE, .size = sizeof(struct ckpt_rec_mqueue),
	  .fields = mqueue_fields, .tail = &name_tail },
	{ .type = CKPT_REC_MSG, .name = "message",
	  .owners = FAMILY_MSG_QUEUE | FAMILY_MQUEUE,
	  .size = sizeof(struct ckpt_rec_msg), .fields = msg_fields,
	  .tail = &data_tail },
	OBJECT(CKPT_REC_SIGNAL, "signal", FAMILY_SIGNAL, ckpt_rec_signal,
	       signal_fields),
	PART(CKPT_REC_RLIMITS, "rlimits", FAMILY_SIGNAL, ckpt_rec_rlimits,
	     rlimits_fields),
	PART(CKPT_REC_ITIMERS, "itimers", FAMILY_SIGNAL, ckpt_rec_itimers,
	     itimers_fields),
	PART(CKPT_REC_POSIX_TIMER, "posix timer", FAMILY_SIGNAL,
	     ckpt_rec_posix_timer, posix_timer_fields),
	PART(CKPT_REC_SHARED_SIGINFO, "shared siginfo", FAMILY_SIGNAL,
	     ckpt_rec_siginfo, siginfo_fields),
	PART(CKPT_REC_ENDED_USAGE, "usage of ended threads", FAMILY_SIGNAL,
	     ckpt_rec_usage, usage_fields),
	PART(CKPT_REC_CHILDREN_USAGE, "usage of children", FAMILY_SIGNAL,
	     ckpt_rec_usage, usage_fields),
	PART(CKPT_REC_CTTY, "controlling terminal", FAMILY_SIGNAL,
	     ckpt_rec_ctty, ctty_fields),
	OBJECT(CKPT_REC_TASK, "task", FAMILY_TASK, ckpt_rec_task, task_fields),
	PART(CKPT_REC_CPU, "cpu", FAMILY_TASK, ckpt_rec_cpu, cpu_fields),
	{ .type = CKPT_REC_XSTATE, .name = "xstate", .owners = FAMILY_TASK,
	  .fields = no_fields, .tail = &xstate_tail },
	PART(CKPT_REC_TLS, "tls", FAMILY_TASK, ckpt_rec_tls, tls_fields),
	PART(CKPT_REC_SIGMASK, "sigmask", FAMILY_TASK, ckpt_rec_sigmask,
	     sigmask_fields),
	PART(CKPT_REC_SIGINFO, "siginfo", FAMILY_TASK, ckpt_rec_siginfo,
	     siginfo_fields),
	PART(CKPT_REC_RESTART_BLOCK, "restart block", FAMILY_TASK,
	     ckpt_rec_restart_block, restart_block_fields),
	PART(CKPT_REC_SCHED, "sched", FAMILY_TASK, ckpt_rec_sched,
	     sched_fields),
	PART(CKPT_REC_RSEQ, "rseq", FAMILY_TASK, ckpt_rec_rseq, rseq_fields),
	PART(CKPT_REC_PTRACE, "ptrace", FAMILY_TASK, ckpt_rec_ptrace,
	     ptrace_fields),
	PART(CKPT_REC_DEBUG, "debug", FAMILY_TASK, ckpt_rec_debug,
	     debug_fields),
	PART(CKPT_REC_VFORK, "vfork", FAMILY_TASK, ckpt_rec_vfork,
	     vfork_fields),
	PART(CKPT_REC_PRCTL, "prctl", FAMILY_TASK, ckpt_rec_prctl,
	     prctl_fields),
	PART(CKPT_REC_USAGE, "usage", FAMILY_TASK, ckpt_rec_usage,
	     usage_fields),
	{ .type = CKPT_REC_LABEL, .name = "security label",
	  .owners = FAMILY_TASK, .fields = no_fields, .tail = &label_tail },
};

const struct record_type *record_type_of(__u32 type)
{
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == type)
			return &types[i];
	return NULL;
}

__u64 field_value(const struct field *field, const void *base)
{
	__u64 value = 0;

	memcpy(&value, (const char *)base + field->offset, field->size);
	return le64toh(value);
}

__s64 field_signed(const struct field *field, const void *base)
{
	unsigned int unused = 64 - 8 * field->size;

	return (__s64)(field_value(field, base) << unused) >> unused;
}

bool bytes_are_zero(const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len && !*p) {
		p++;
		len--;
	}
	return !len;
}

struct field record_tail(const struct record_type *type, size_t size)
{
	struct field tail = *type->tail;

	tail.offset = type->size;
	tail.size = size - type->size;
	return tail;
}
