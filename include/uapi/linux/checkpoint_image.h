/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The image of a checkpoint: all that checkpoint() writes and restart() reads.
 *
 *	struct ckpt_image_header
 *	records			each a struct ckpt_record and its payload,
 *				zero-padded to 8 bytes
 *	CKPT_REC_END		the last record, with a checksum over everything
 *				before it
 *	zeros			up to pages_offset, a multiple of the page size
 *	pages			raw, or in frames, in the order of the page maps
 *	checksums		of the pages, with %CKPT_INCOMPAT_CHECKSUM
 *	struct ckpt_image_trailer
 *
 * Checksums are CRC32C as RFC 3720, appendix B.4, has it: begun with ones,
 * inverted at the end; those of pages are XXH64 with a seed of 0, as its specification
 * has it, since there is more to sum up. All integers are little endian. User
 * addresses are 64 bits wide whatever the task. Kernel and user tools compile this same file.
 *
 * Records are objects and parts. Objects are numbered from 1 on as they come;
 * this reference (@ref) is what later records name them by. What belongs to one
 * object alone follows it at once as parts, with the owner's reference and
 * %CKPT_RECORD_PART. An object comes before whatever refers to it.
 */
#ifndef _UAPI_LINUX_CHECKPOINT_IMAGE_H
#define _UAPI_LINUX_CHECKPOINT_IMAGE_H

#include <linux/types.h>

/* The format that this file describes; bumped when its meaning changes. */
#define CKPT_IMAGE_VERSION	1

/* High bit, name, and line ends that a text mode transfer would change. */
#define CKPT_IMAGE_MAGIC	"\211CKPT\r\n\032"
#define CKPT_TRAILER_MAGIC	"\211TPKC\r\n\032"

/*
 * What a reader must know of to make sense of an image.
 *
 * %CKPT_INCOMPAT_PARENT: it has runs of %CKPT_RUN_PARENT, for which the image is
 * needed that @parent of the header names. User space joins the two; the kernel
 * takes only what is complete.
 *
 * %CKPT_INCOMPAT_CHECKSUM: between pages and trailer there are checksums, a
 * __le64 for each %CKPT_SUM_PAGES pages, and one for what is left in the end.
 *
 * %CKPT_INCOMPAT_LZ4, %CKPT_INCOMPAT_ZSTD: the pages are in frames, each a struct
 * ckpt_frame and what it has: a block of LZ4, as its block format describes it; frames
 * of Zstandard, as of RFC 8878; or the pages as they are. Frames follow each other
 * without padding.
 */
#define CKPT_INCOMPAT_PARENT	0x1ULL
#define CKPT_INCOMPAT_CHECKSUM	0x2ULL
#define CKPT_INCOMPAT_LZ4	0x4ULL
#define CKPT_INCOMPAT_ZSTD	0x8ULL
#define CKPT_INCOMPAT_KNOWN	0xfULL

/* Of these one at most: a frame has a checksum of its own. */
#define CKPT_INCOMPAT_COMPRESSED (CKPT_INCOMPAT_LZ4 | CKPT_INCOMPAT_ZSTD)
#define CKPT_INCOMPAT_EITHER	(CKPT_INCOMPAT_CHECKSUM | CKPT_INCOMPAT_COMPRESSED)

/* Pages that one checksum is of. */
#define CKPT_SUM_PAGES		16U

/* Pages that one frame may have. */
#define CKPT_FRAME_PAGES	64U

#define CKPT_ARCH_X86_64	62	/* EM_X86_64 of the ELF standard */

#define CKPT_RELEASE_LEN	64
#define CKPT_BUILD_ID_LEN	20
#define CKPT_CPU_WORDS		10
#define CKPT_UUID_LEN		16

/**
 * struct ckpt_image_header - what an image starts with
 * @magic: CKPT_IMAGE_MAGIC without its NUL
 * @version: %CKPT_IMAGE_VERSION
 * @size: of this header, in bytes; the first record starts here
 * @incompat: feature bits; a reader that does not know one refuses the image
 * @compat: feature bits that a reader may ignore
 * @page_size: of the machine, in bytes
 * @arch: CKPT_ARCH_*
 * @id: what checkpoint() returned
 * @time: when the tasks were captured, in nanoseconds since 1970
 * @boottime: the same moment on CLOCK_BOOTTIME, in nanoseconds
 * @meta_size: bytes of all records, %CKPT_REC_END included
 * @pages_offset: where in the stream the pages start
 * @nr_pages: how many there are, of @page_size each
 * @xfeatures: the user states of the FPU that the CPU had enabled (XCR0)
 * @cpu: what the CPU can do, by CPUID leaf, in the order of enum ckpt_cpu_word
 * @nr_tasks: how many records of type %CKPT_REC_TASK there are
 * @root_pid: pid of the root of the tree, as the checkpointer saw it
 * @kernel_build_id: of the kernel that wrote the image
 * @vdso_build_id: of its 64-bit vDSO
 * @vdso32_build_id: of its 32-bit vDSO, zeros if it runs no 32-bit programs
 * @release: of the kernel that wrote the image, NUL terminated
 * @uuid: random, by which another image may call this one its parent
 * @parent: @uuid of the image that this one says the changes to; zeros without
 *	%CKPT_INCOMPAT_PARENT
 * @reserved: zero
 * @crc: CRC32C of the header up to here
 */
struct ckpt_image_header {
	__u8	magic[8];
	__le32	version;
	__le32	size;
	__le64	incompat;
	__le64	compat;
	__le32	page_size;
	__le32	arch;
	__le64	id;
	__le64	time;
	__le64	boottime;
	__le64	meta_size;
	__le64	pages_offset;
	__le64	nr_pages;
	__le64	xfeatures;
	__le32	cpu[CKPT_CPU_WORDS];
	__le32	nr_tasks;
	__le32	root_pid;
	__u8	kernel_build_id[CKPT_BUILD_ID_LEN];
	__u8	vdso_build_id[CKPT_BUILD_ID_LEN];
	char	release[CKPT_RELEASE_LEN];
	__u8	vdso32_build_id[CKPT_BUILD_ID_LEN];
	__u8	uuid[CKPT_UUID_LEN];
	__u8	parent[CKPT_UUID_LEN];
	__u8	reserved[208];
	__le32	crc;
};

/**
 * enum ckpt_cpu_word - the CPUID words that an image carries, as the Intel SDM
 * (volume 2, CPUID) and the AMD APM (volume 3) number them
 */
enum ckpt_cpu_word {
	CKPT_CPU_1_EDX,
	CKPT_CPU_1_ECX,
	CKPT_CPU_7_EBX,
	CKPT_CPU_7_ECX,
	CKPT_CPU_7_EDX,
	CKPT_CPU_7_1_EAX,
	CKPT_CPU_D_1_EAX,
	CKPT_CPU_80000001_EDX,
	CKPT_CPU_80000001_ECX,
	CKPT_CPU_UNUSED,
};

/**
 * struct ckpt_record - what each record starts with
 * @type: CKPT_REC_*
 * @size: of the payload, in bytes, without its padding
 * @ref: of the object; of the owner where @flags has %CKPT_RECORD_PART
 * @flags: %CKPT_RECORD_PART or 0
 * @reserved: zero
 * @crc: CRC32C of this header up to here, the payload and its padding
 */
struct ckpt_record {
	__le32	type;
	__le32	size;
	__le32	ref;
	__le32	flags;
	__le32	reserved;
	__le32	crc;
};

#define CKPT_RECORD_PART	1U

/* Objects, and below each the parts that it may have. */
#define CKPT_REC_END		0x0001

#define CKPT_REC_PATH		0x0010	/* part of files, fs: see ckpt_rec_path */

#define CKPT_REC_FILE_LOCK	0x0011	/* part of files: see ckpt_rec_lock */

#define CKPT_REC_FILE_REGULAR	0x0100
#define CKPT_REC_FILE_DIRECTORY	0x0101
#define CKPT_REC_FILE_MEMDEV	0x0102
#define CKPT_REC_FILE_TTY	0x0103

#define CKPT_REC_FILE_PIPE	0x0104
#define CKPT_REC_FILE_FIFO	0x0105
#define CKPT_REC_FILE_EVENTFD	0x0106
#define CKPT_REC_FILE_SIGNALFD	0x0107
#define CKPT_REC_FILE_TIMERFD	0x0108
#define CKPT_REC_FILE_MEMFD	0x0109
#define CKPT_REC_FILE_PATH	0x010a
#define CKPT_REC_FILE_EPOLL	0x010b
#define CKPT_REC_EPOLL_ITEM	0x010c	/* part */
#define CKPT_REC_FILE_DELETED	0x0160
#define CKPT_REC_DELETED	0x0161
#define CKPT_REC_FILE_SHM	0x0180	/* attached: System V shared memory */
#define CKPT_REC_FILE_MQUEUE	0x0181
#define CKPT_REC_FILE_OWNER	0x0162
#define CKPT_REC_FILE_EXTERNAL	0x0164
#define CKPT_REC_FILE_PSEUDO	0x0165
#define CKPT_REC_FILE_LEASE	0x0163
#define CKPT_REC_FILE_INOTIFY	0x0166
#define CKPT_REC_INOTIFY_WATCH	0x0167	/* part */
#define CKPT_REC_INOTIFY_EVENT	0x0168	/* part */
#define CKPT_REC_FILE_PIDFD	0x0169
#define CKPT_REC_FILE_NS	0x016a
#define CKPT_REC_FILE_PROCESS	0x016b
#define CKPT_REC_FILE_BLOCK	0x016c
#define CKPT_REC_FILE_FANOTIFY	0x016d
#define CKPT_REC_FANOTIFY_MARK	0x016e	/* part */
#define CKPT_REC_FANOTIFY_EVENT	0x016f	/* part */
#define CKPT_REC_DELETED_NODE	0x0170	/* part */
#define CKPT_REC_ENDED		0x0171	/* a process that pidfds are of */
#define CKPT_REC_FANOTIFY_DELETED 0x0172	/* part */
#define CKPT_REC_PIPE		0x0120
#define CKPT_REC_PIPE_BUF	0x0121	/* part */
#define CKPT_REC_PTY		0x0130
#define CKPT_REC_PTY_END	0x0131	/* part */
#define CKPT_REC_FILE_PTY	0x0132

#define CKPT_REC_FILE_SOCKET	0x0140
#define CKPT_REC_SOCK_OPTION	0x0141	/* part of sockets */
#define CKPT_REC_SOCK_UNIX	0x0142
#define CKPT_REC_UNIX_LINK	0x0143
#define CKPT_REC_UNIX_MESSAGE	0x0144	/* part */
#define CKPT_REC_UNIX_RIGHT	0x0145	/* part */

#define CKPT_REC_SOCK_INET	0x0148
#define CKPT_REC_UDP_QUEUE	0x0149
#define CKPT_REC_UDP_DATAGRAM	0x014a	/* part */
#define CKPT_REC_TCP_LINK	0x014b
#define CKPT_REC_TCP_DATA	0x014c	/* part */
#define CKPT_REC_SOCK_FILTER	0x014d	/* part of sockets */
#define CKPT_REC_TCP_WAITING	0x014e
#define CKPT_REC_SOCK_NETLINK	0x0150
#define CKPT_REC_SOCK_PACKET	0x0151
#define CKPT_REC_PACKET_RING	0x0152	/* part, and those below */
#define CKPT_REC_PACKET_PAGE	0x0153
#define CKPT_REC_PACKET_MEMBER	0x0154
#define CKPT_REC_PACKET_FANOUT	0x0155
#define CKPT_REC_PACKET_STATS	0x0156

#define CKPT_REC_MM		0x0200
#define CKPT_REC_VMA		0x0201	/* part */
#define CKPT_REC_VMA_NAME	0x0202	/* part */
#define CKPT_REC_AIO		0x0213	/* part */
#define CKPT_REC_SHMEM		0x0210
#define CKPT_REC_MEMFD		0x0211
#define CKPT_REC_SHM		0x0212	/* System V shared memory */
#define CKPT_REC_PAGEMAP	0x0220
#define CKPT_REC_PAGEMAP_PARENT	0x0221	/* part */
#define CKPT_REC_PAGEMAP_SAME	0x0222	/* part */

#define CKPT_REC_FILES		0x0300
#define CKPT_REC_FD		0x0301	/* part */
#define CKPT_REC_POSIX_LOCK	0x0302	/* part: see ckpt_rec_lock */
#define CKPT_REC_FS		0x0310

#define CKPT_REC_CRED		0x0400
#define CKPT_REC_SECCOMP	0x0401

#define CKPT_REC_SIGHAND	0x0500

#define CKPT_REC_SEM_UNDO	0x0580
#define CKPT_REC_SEM_ADJUST	0x0581	/* part */
#define CKPT_REC_SEM_SET	0x0582	/* System V semaphores */
#define CKPT_REC_MSG_QUEUE	0x0583	/* System V message queue */
#define CKPT_REC_MSG		0x0584	/* part, of POSIX queues too */
#define CKPT_REC_MQUEUE		0x0585	/* POSIX message queue */

#define CKPT_REC_SIGNAL		0x0600	/* a thread group */
#define CKPT_REC_RLIMITS	0x0601	/* part */
#define CKPT_REC_ITIMERS	0x0602	/* part */
#define CKPT_REC_POSIX_TIMER	0x0603	/* part */
#define CKPT_REC_SHARED_SIGINFO	0x0604	/* part */
#define CKPT_REC_ENDED_USAGE	0x0605	/* part: see ckpt_rec_usage */
#define CKPT_REC_CHILDREN_USAGE	0x0606	/* part: likewise */
#define CKPT_REC_CTTY		0x0133	/* part */

#define CKPT_REC_TASK		0x0700	/* a thread */
#define CKPT_REC_CPU		0x0701	/* part, and those below */
#define CKPT_REC_XSTATE		0x0702
#define CKPT_REC_TLS		0x0703
#define CKPT_REC_SIGMASK	0x0704
#define CKPT_REC_SIGINFO	0x0705
#define CKPT_REC_RESTART_BLOCK	0x0706
#define CKPT_REC_SCHED		0x0707
#define CKPT_REC_RSEQ		0x0708
#define CKPT_REC_PRCTL		0x0709
#define CKPT_REC_USAGE		0x070a
#define CKPT_REC_LABEL		0x070b
#define CKPT_REC_PTRACE		0x0710
#define CKPT_REC_DEBUG		0x0711	/* registers, as a debugger uses them */
#define CKPT_REC_VFORK		0x0720

/**
 * struct ckpt_rec_end - payload of %CKPT_REC_END
 * @nr_records: how many records came before it
 * @crc: CRC32C of everything before this record, the image header included
 */
struct ckpt_rec_end {
	__le64	nr_records;
	__le32	crc;
	__le32	reserved;
};

/**
 * struct ckpt_image_trailer - what an image ends with; without it, it is none
 * @magic: CKPT_TRAILER_MAGIC without its NUL
 * @id: of the image header
 * @nr_pages: of the image header
 * @stopped: for how long the tasks were stopped, in microseconds, 4294967295 if for
 *	longer than that; 0 if they did not run on
 * @crc: CRC32C of the trailer up to here
 */
struct ckpt_image_trailer {
	__u8	magic[8];
	__le64	id;
	__le64	nr_pages;
	__le32	stopped;
	__le32	crc;
};

/**
 * struct ckpt_frame - what a frame starts with
 * @nr_pages: how many pages it has, from 1 to %CKPT_FRAME_PAGES
 * @size: how many bytes follow; if as many as @nr_pages pages have, they are these
 * @sum: XXH64 of this header up to here, and of what follows
 */
struct ckpt_frame {
	__le32	nr_pages;
	__le32	size;
	__le64	sum;
};

/*
 * %CKPT_REC_PATH: a path as the checkpointer saw it, NUL terminated, the NUL
 * counted. Absolute.
 */

/**
 * struct ckpt_rec_stat - how a file looked when it was captured
 * @ino: inode number
 * @size: in bytes
 * @mtime_sec: time of last modification
 * @mtime_nsec: its nanoseconds
 * @mode: type and permissions, as of stat(2)
 * @rdev_major: of a device
 * @rdev_minor: of a device
 * @reserved: zero
 */
struct ckpt_rec_stat {
	__le64	ino;
	__le64	size;
	__le64	mtime_sec;
	__le32	mtime_nsec;
	__le32	mode;
	__le32	rdev_major;
	__le32	rdev_minor;
	__le64	reserved;
};

/**
 * struct ckpt_rec_file - payload of %CKPT_REC_FILE_*, an open file description
 * @flags: O_* of open(2) on x86-64, O_ACCMODE included
 * @what: CKPT_FILE_*
 * @pos: file offset
 * @stat: of the inode
 *
 * Its path follows as %CKPT_REC_PATH; %CKPT_REC_FILE_TTY has none, since a restart
 * takes another terminal.
 */
struct ckpt_rec_file {
	__le32	flags;
	__le32	what;
	__le64	pos;
	struct ckpt_rec_stat stat;
};

/**
 * struct ckpt_rec_file_process - payload of %CKPT_REC_FILE_PROCESS: a file or
 *	directory of a process, in proc
 * @file: as of other files
 * @pid: the process, by its number in the path
 * @tid: a thread of it, likewise; or 0
 * @pid_at: where in the path, which follows as %CKPT_REC_PATH, @pid stands
 * @tid_at: where @tid stands; or 0
 */
struct ckpt_rec_file_process {
	struct ckpt_rec_file file;
	__le32	pid;
	__le32	tid;
	__le32	pid_at;
	__le32	tid_at;
};

/**
 * struct ckpt_rec_file_flags - how the payload of each %CKPT_REC_FILE_* begins
 * @flags: O_* of open(2) on x86-64, O_ACCMODE included
 * @what: CKPT_FILE_*
 */
struct ckpt_rec_file_flags {
	__le32	flags;
	__le32	what;
};

/* opened by execve(2) to be run, rather than by open(2) */
#define CKPT_FILE_EXEC		0x1U
/* the file that the image itself, or its log, was written to */
#define CKPT_FILE_IMAGE		0x2U
/* somebody has it mapped to be written, so that its mtime says nothing */
#define CKPT_FILE_MAPPED	0x20U
#define CKPT_FILE_WHAT_KNOWN	0x23U

/**
 * struct ckpt_rec_file_pipe - payload of %CKPT_REC_FILE_PIPE and
 *	%CKPT_REC_FILE_FIFO, an open end
 * @flags: O_* of open(2) on x86-64, O_ACCMODE included
 * @what: %CKPT_FILE_NO_WRITER_YET or 0
 * @pipe: reference to what it is an end of
 * @deleted: reference to the fifo, if that was deleted; or 0
 *
 * The path of a fifo that was not follows as %CKPT_REC_PATH.
 */
struct ckpt_rec_file_pipe {
	__le32	flags;
	__le32	what;
	__le32	pipe;
	__le32	deleted;
};

/* a fifo that no writer has opened since: poll(2) does not say POLLHUP */
#define CKPT_FILE_NO_WRITER_YET	0x4U

/**
 * struct ckpt_rec_pipe - payload of %CKPT_REC_PIPE: what is between the ends
 * @slots: pages that it has room for, a power of two, as of F_GETPIPE_SZ
 * @nr_bufs: how many %CKPT_REC_PIPE_BUF follow
 * @mode: permissions, as of fchmod(2); of a fifo the file has them
 * @uid: owner, in the checkpointer's user namespace; likewise
 * @gid: group, likewise
 * @reserved: zero
 */
struct ckpt_rec_pipe {
	__le32	slots;
	__le32	nr_bufs;
	__le32	mode;
	__le32	uid;
	__le32	gid;
	__le32	reserved;
};

/**
 * struct ckpt_rec_pipe_buf - payload of %CKPT_REC_PIPE_BUF, in the order in
 *	which they will be read: one page, or what is left of it
 * @offset: where in the page @data begins; room behind it is written to next
 * @flags: CKPT_PIPE_BUF_*
 * @data: bytes to be read, at least one; with @offset no more than a page
 */
struct ckpt_rec_pipe_buf {
	__le32	offset;
	__le32	flags;
	__u8	data[];
};

#define CKPT_PIPE_BUF_PACKET	0x1U	/* read(2) takes it all, or drops it */
#define CKPT_PIPE_BUF_MERGE	0x2U	/* write(2) may add to it */
#define CKPT_PIPE_BUF_KNOWN	0x3U	/* one or the other, not both */

/**
 * struct ckpt_rec_file_pty - payload of %CKPT_REC_FILE_PTY, an open end of a pair
 *	of pseudo terminals, or any terminal that hung up
 * @flags: O_* of open(2) on x86-64, O_ACCMODE included
 * @what: CKPT_FILE_MASTER and those below it
 * @pty: reference to the pair; 0 for what hung up where the master is not there
 * @reserved: zero
 *
 * The path by which it was opened follows as %CKPT_REC_PATH where that is not the
 * slave's own: for the master, and for %CKPT_FILE_CTTY.
 */
struct ckpt_rec_file_pty {
	__le32	flags;
	__le32	what;
	__le32	pty;
	__le32	reserved;
};

#define CKPT_FILE_MASTER	0x20U	/* the other end than the terminal's */
#define CKPT_FILE_HUNG_UP	0x40U	/* vhangup(2), or the master is gone */
#define CKPT_FILE_CTTY		0x80U	/* opened as /dev/tty */

/**
 * struct ckpt_termios - settings of a terminal, as of termios(3)
 * @iflag: and the three below: c_iflag and so on, of TCGETS2
 * @ispeed: in bits a second
 * @ospeed: likewise
 * @line: line discipline, N_TTY (0)
 * @cc: control characters, by VINTR and so on
 */
struct ckpt_termios {
	__le32	iflag;
	__le32	oflag;
	__le32	cflag;
	__le32	lflag;
	__le32	ispeed;
	__le32	ospeed;
	__u8	line;
	__u8	cc[19];
};

/** struct ckpt_winsize - size of a window, as of TIOCGWINSZ */
struct ckpt_winsize {
	__le16	row;
	__le16	col;
	__le16	xpixel;
	__le16	ypixel;
};

/**
 * struct ckpt_rec_pty - payload of %CKPT_REC_PTY: a pair of pseudo terminals
 * @index: its number, which /dev/pts has it under
 * @what: CKPT_PTY_*
 * @mode: permissions of the node there
 * @uid: its owner, in the checkpointer's user namespace
 * @gid: its group
 * @session: that has it as its controlling terminal; 0 if none has
 * @pgrp: process group in the foreground; 0 for one that nobody is in
 * @reserved: zero
 * @termios: of the terminal; those of the master are never changed
 * @locked: bits of these which are locked, as of TIOCGLCKTRMIOS
 *
 * Two %CKPT_REC_PTY_END follow: the master and the terminal, its slave.
 */
struct ckpt_rec_pty {
	__le32	index;
	__le32	what;
	__le32	mode;
	__le32	uid;
	__le32	gid;
	__le32	session;
	__le32	pgrp;
	__le32	reserved;
	struct ckpt_termios termios;
	struct ckpt_termios locked;
};

#define CKPT_PTY_LOCKED		0x1U	/* TIOCSPTLCK: the slave can't be opened */
#define CKPT_PTY_PACKET		0x2U	/* TIOCPKT */
#define CKPT_PTY_WHAT_KNOWN	0x3U

/**
 * struct ckpt_rec_pty_end - payload of %CKPT_REC_PTY_END: what is on its way to
 *	whoever reads from this end
 * @what: CKPT_PTY_END_*
 * @pktstatus: TIOCPKT_* that the other end has yet to read in packet mode
 * @winsize: as of TIOCGWINSZ
 * @column: in which the next character goes out
 * @canon_column: in which the line of input began
 * @nr_input: bytes of input
 * @nr_lines: of these, bytes up to the end of the last whole line
 * @nr_raw: of these, bytes that can be read if lines do not matter
 * @nr_echo: bytes of echo that have not gone out yet, the line discipline's
 *	codes among them
 * @nr_echo_done: of these, bytes that are ready to go out
 * @nr_echo_marked: of these, bytes to the end of what was typed in one go
 * @nr_queued: bytes for which there was no room yet
 * @nr_ahead: of these, bytes that have been looked at for ^S and ^Q
 * @data: input; a bit for each byte of it, the lowest first, for where a line
 *	ends; echo; what is queued
 */
struct ckpt_rec_pty_end {
	__le32	what;
	__le32	pktstatus;
	struct ckpt_winsize winsize;
	__le32	column;
	__le32	canon_column;
	__le32	nr_input;
	__le32	nr_lines;
	__le32	nr_raw;
	__le32	nr_echo;
	__le32	nr_echo_done;
	__le32	nr_echo_marked;
	__le32	nr_queued;
	__le32	nr_ahead;
	__u8	data[];
};

#define CKPT_PTY_END_HUNG_UP	0x1U	/* and was not opened since */
#define CKPT_PTY_END_IO_ERROR	0x2U	/* reading and writing fail */
#define CKPT_PTY_END_CLOSED	0x4U	/* nobody has the other end any more */
#define CKPT_PTY_END_EXCLUSIVE	0x8U	/* TIOCEXCL */
#define CKPT_PTY_END_STOPPED	0x10U	/* its output is, by ^S or its like */
#define CKPT_PTY_END_TCO_STOPPED 0x20U	/* by tcflow(3) */
#define CKPT_PTY_END_LNEXT	0x40U	/* the next character is literal */
#define CKPT_PTY_END_ERASING	0x80U	/* within characters that are erased */
#define CKPT_PTY_END_PUSH	0x100U	/* input from before it went by lines */
#define CKPT_PTY_END_NO_ROOM	0x200U	/* input waits for some to be read */
#define CKPT_PTY_END_KNOWN	0x3ffU

/**
 * struct ckpt_rec_ctty - payload of %CKPT_REC_CTTY: the controlling terminal that
 *	a process has, or had
 * @tty: reference to the pair whose slave it is; or 0
 * @what: CKPT_CTTY_*
 * @hup_pgrp: process group to be told when the session's leader ends, its
 *	terminal having hung up; or 0
 * @pgrp: of the root, where the terminal is one from outside: the process group
 *	in the foreground; 0 if that is none of the tree's
 * @winsize: likewise, its size
 * @termios: likewise, its settings
 * @reserved: zero
 */
struct ckpt_rec_ctty {
	__le32	tty;
	__le32	what;
	__le32	hup_pgrp;
	__le32	pgrp;
	struct ckpt_winsize winsize;
	struct ckpt_termios termios;
	__le32	reserved;
};

#define CKPT_CTTY_OUTSIDE	0x1U	/* one whose other end is not in the tree */
#define CKPT_CTTY_KNOWN		0x1U

/**
 * struct ckpt_rec_eventfd - payload of %CKPT_REC_FILE_EVENTFD
 * @flags: O_* of open(2)
 * @what: %CKPT_FILE_SEMAPHORE or 0
 * @count: what it has counted
 */
struct ckpt_rec_eventfd {
	__le32	flags;
	__le32	what;
	__le64	count;
};

#define CKPT_FILE_SEMAPHORE	0x8U	/* read(2) takes one, not all */

/**
 * struct ckpt_rec_signalfd - payload of %CKPT_REC_FILE_SIGNALFD
 * @flags: O_* of open(2)
 * @what: 0
 * @mask: signals to be read, bit 0 for signal 1
 */
struct ckpt_rec_signalfd {
	__le32	flags;
	__le32	what;
	__le64	mask;
};

/**
 * struct ckpt_rec_timerfd - payload of %CKPT_REC_FILE_TIMERFD
 * @flags: O_* of open(2)
 * @what: %CKPT_FILE_CANCELED or 0
 * @clock: clock id, as of timerfd_create(2)
 * @settime_flags: TFD_TIMER_* of the last timerfd_settime(2)
 * @ticks: expirations to be read
 * @left: time to the next one, in nanoseconds; 0 for a timer that is off
 * @interval: in nanoseconds, 0 if it fires once
 */
struct ckpt_rec_timerfd {
	__le32	flags;
	__le32	what;
	__le32	clock;
	__le32	settime_flags;
	__le64	ticks;
	__le64	left;
	__le64	interval;
};

#define CKPT_FILE_CANCELED	0x10U	/* read(2) is to say that the clock was set */

/**
 * struct ckpt_rec_epoll - payload of %CKPT_REC_FILE_EPOLL
 * @flags: O_* of open(2)
 * @what: 0
 * @nr_items: how many %CKPT_REC_EPOLL_ITEM follow
 * @reserved: zero
 */
struct ckpt_rec_epoll {
	__le32	flags;
	__le32	what;
	__le32	nr_items;
	__le32	reserved;
};

/**
 * struct ckpt_rec_epoll_item - payload of %CKPT_REC_EPOLL_ITEM: what is watched
 * @fd: the number that it had when it was added
 * @file: reference to the description
 * @events: EPOLL* of epoll_ctl(2); without any but its modifiers it is off
 * @what: %CKPT_EPOLL_READY or 0
 * @data: the caller's
 * @sighand: of a signalfd, reference to the signal handlers of the task that
 *	added it; 0 if that has ended, and of all else
 * @reserved: zero
 */
struct ckpt_rec_epoll_item {
	__le32	fd;
	__le32	file;
	__le32	events;
	__le32	what;
	__le64	data;
	__le32	sighand;
	__le32	reserved;
};

#define CKPT_EPOLL_READY	0x1U	/* epoll_wait(2) is to look at it */

/**
 * struct ckpt_rec_inotify - payload of %CKPT_REC_FILE_INOTIFY
 * @flags: O_* of open(2)
 * @what: 0
 * @next_wd: from where on to look for a number for the next watch
 * @max_events: how many may wait to be read
 * @nr_watches: how many %CKPT_REC_INOTIFY_WATCH there are
 * @nr_events: how many %CKPT_REC_INOTIFY_EVENT there are
 */
struct ckpt_rec_inotify {
	__le32	flags;
	__le32	what;
	__le32	next_wd;
	__le32	max_events;
	__le32	nr_watches;
	__le32	nr_events;
};

/**
 * struct ckpt_rec_inotify_watch - payload of %CKPT_REC_INOTIFY_WATCH
 * @wd: its number
 * @mask: IN_* of inotify_add_watch(2), without those that say how to add it
 * @mode: type of what is watched, as of stat(2)
 * @deleted: reference to it, if it was deleted; or 0
 * @path: that leads to it, as the checkpointer saw it, NUL terminated. Absolute; or
 *	nothing, where @deleted is set
 */
struct ckpt_rec_inotify_watch {
	__le32	wd;
	__le32	mask;
	__le32	mode;
	__le32	deleted;
	__u8	path[];
};

/**
 * struct ckpt_rec_inotify_event - payload of %CKPT_REC_INOTIFY_EVENT, in the order
 *	in which they will be read
 * @wd: of the watch, which may be gone; all ones where events were lost
 * @mask: IN_* of what happened, and bits of which only the kernel takes notice
 * @cookie: that goes with both halves of a move
 * @name_len: bytes of @name
 * @name: in the directory that is watched, without a NUL
 */
struct ckpt_rec_inotify_event {
	__le32	wd;
	__le32	mask;
	__le32	cookie;
	__le32	name_len;
	__u8	name[];
};

/**
 * struct ckpt_rec_fanotify - payload of %CKPT_REC_FILE_FANOTIFY
 * @flags: O_* of open(2)
 * @what: 0
 * @init_flags: FAN_* of fanotify_init(2), and one by which the kernel knows who had
 *	no privilege
 * @event_flags: O_* of files that are opened for events
 * @max_events: how many may wait to be read
 * @nr_marks: how many %CKPT_REC_FANOTIFY_MARK and %CKPT_REC_FANOTIFY_DELETED there are
 * @nr_events: how many %CKPT_REC_FANOTIFY_EVENT there are
 * @reserved: zero
 */
struct ckpt_rec_fanotify {
	__le32	flags;
	__le32	what;
	__le32	init_flags;
	__le32	event_flags;
	__le32	max_events;
	__le32	nr_marks;
	__le32	nr_events;
	__le32	reserved;
};

/**
 * struct ckpt_rec_fanotify_mark - payload of %CKPT_REC_FANOTIFY_MARK
 * @flags: FAN_MARK_* of fanotify_mark(2) that say of what and how
 * @mask: FAN_* of what is to be told
 * @ignored: FAN_* of what is not to be
 * @mode: type of what is marked, as of stat(2); 0 for a mount
 * @path: that leads to it, or to the root of the mount or filesystem, as the
 *	checkpointer saw it, NUL terminated. Absolute
 */
struct ckpt_rec_fanotify_mark {
	__le32	flags;
	__le32	mask;
	__le32	ignored;
	__le32	mode;
	__u8	path[];
};

/**
 * struct ckpt_rec_fanotify_deleted - payload of %CKPT_REC_FANOTIFY_DELETED: a mark of
 *	what was deleted, and is in use
 * @flags: and the three below: as of struct ckpt_rec_fanotify_mark
 * @mask: likewise
 * @ignored: likewise
 * @mode: likewise
 * @deleted: reference to what is marked
 * @reserved: zero
 */
struct ckpt_rec_fanotify_deleted {
	__le32	flags;
	__le32	mask;
	__le32	ignored;
	__le32	mode;
	__le32	deleted;
	__le32	reserved;
};

/**
 * struct ckpt_fanotify_handle - how a file handle in an event begins
 * @type: as of name_to_handle_at(2)
 * @len: bytes of it, which are in the event's data
 */
struct ckpt_fanotify_handle {
	__u8	type;
	__u8	len;
};

/**
 * struct ckpt_rec_fanotify_event - payload of %CKPT_REC_FANOTIFY_EVENT, in the
 *	order in which they will be read
 * @type: CKPT_FANOTIFY_*
 * @mask: FAN_* of what happened
 * @pid: who did it, a process or a thread; 0 for one outside the tree, or that has
 *	ended
 * @error: of %CKPT_FANOTIFY_ERROR: the error
 * @nr_errors: likewise: how many there were
 * @fsid: of the filesystem, as of statfs(2)
 * @name_len: bytes of the name, in @dir
 * @name2_len: bytes of the new name, in @dir2
 * @dir: handle of the directory
 * @dir2: handle of the directory to which something was moved
 * @object: handle of the file
 * @reserved: zero
 * @data: the three handles, and the two names without a NUL; or the path of
 *	%CKPT_FANOTIFY_PATH, NUL terminated
 */
struct ckpt_rec_fanotify_event {
	__le32	type;
	__le32	mask;
	__le32	pid;
	__le32	error;
	__le32	nr_errors;
	__le32	fsid[2];
	__le16	name_len;
	__le16	name2_len;
	struct ckpt_fanotify_handle dir;
	struct ckpt_fanotify_handle dir2;
	struct ckpt_fanotify_handle object;
	__le16	reserved;
	__u8	data[];
};

#define CKPT_FANOTIFY_PATH	0U	/* a file that is to be opened */
#define CKPT_FANOTIFY_FID	1U	/* a handle */
#define CKPT_FANOTIFY_NAME	2U	/* handles and names */
#define CKPT_FANOTIFY_ERROR	3U	/* of a filesystem */
#define CKPT_FANOTIFY_OVERFLOW	4U	/* some were lost */

/**
 * struct ckpt_rec_pidfd - payload of %CKPT_REC_FILE_PIDFD
 * @flags: O_* of open(2)
 * @what: %CKPT_FILE_THREAD or 0
 * @pid: of the process, or thread, as the checkpointer saw it; 0 for one that is
 *	not even a zombie any more
 * @ended: reference to the latter, so that all pidfds of it are of one; 0 for
 *	any other
 */
struct ckpt_rec_pidfd {
	__le32	flags;
	__le32	what;
	__le32	pid;
	__le32	ended;
};

/**
 * struct ckpt_rec_ended - payload of %CKPT_REC_ENDED: a process or thread that is not
 *	even a zombie any more
 * @ino: what fstat(2) said of its pidfds, for people
 */
struct ckpt_rec_ended {
	__le64	ino;
};

#define CKPT_FILE_THREAD	0x100U	/* PIDFD_THREAD of pidfd_open(2) */

/**
 * struct ckpt_rec_file_ns - payload of %CKPT_REC_FILE_NS: a namespace that all
 *	tasks are in, and the checkpointer was
 * @flags: O_* of open(2)
 * @what: 0
 * @type: CLONE_NEW* of clone(2)
 * @reserved: zero
 */
struct ckpt_rec_file_ns {
	__le32	flags;
	__le32	what;
	__le32	type;
	__le32	reserved;
};

/**
 * struct ckpt_rec_file_path - payload of %CKPT_REC_FILE_PATH: O_PATH of open(2)
 * @flags: O_DIRECTORY and O_NOFOLLOW
 * @what: 0
 * @mode: type of what is there, as of stat(2)
 * @reserved: zero
 *
 * Its path follows as %CKPT_REC_PATH.
 */
struct ckpt_rec_file_path {
	__le32	flags;
	__le32	what;
	__le32	mode;
	__le32	reserved;
};

/**
 * struct ckpt_rec_file_memfd - payload of %CKPT_REC_FILE_MEMFD
 * @flags: O_* of open(2)
 * @what: %CKPT_FILE_MEMFD_CREATED or 0
 * @memfd: reference to the memory
 * @reserved: zero
 * @pos: file offset
 */
struct ckpt_rec_file_memfd {
	__le32	flags;
	__le32	what;
	__le32	memfd;
	__le32	reserved;
	__le64	pos;
};

#define CKPT_FILE_MEMFD_CREATED	0x1U	/* no writer: made by memfd_create(2) */

/**
 * struct ckpt_rec_file_deleted - payload of %CKPT_REC_FILE_DELETED
 * @flags: O_* of open(2); O_PATH with O_DIRECTORY and O_NOFOLLOW only
 * @what: 0
 * @deleted: reference to what it is a description of
 * @reserved: zero
 * @pos: file offset
 */
struct ckpt_rec_file_deleted {
	__le32	flags;
	__le32	what;
	__le32	deleted;
	__le32	reserved;
	__le64	pos;
};

/**
 * struct ckpt_rec_file_shm - payload of %CKPT_REC_FILE_SHM: what one shmat(2) has
 *	made, which is never open as a descriptor
 * @flags: O_RDWR, or O_RDONLY for SHM_RDONLY
 * @what: 0
 * @shm: reference to the segment
 * @reserved: zero
 */
struct ckpt_rec_file_shm {
	__le32	flags;
	__le32	what;
	__le32	shm;
	__le32	reserved;
};

/**
 * struct ckpt_rec_file_mqueue - payload of %CKPT_REC_FILE_MQUEUE, an open POSIX
 *	message queue
 * @flags: O_* of open(2)
 * @what: 0
 * @queue: reference to the queue
 * @reserved: zero
 * @pos: file offset, in the text that read(2) gives
 */
struct ckpt_rec_file_mqueue {
	__le32	flags;
	__le32	what;
	__le32	queue;
	__le32	reserved;
	__le64	pos;
};

/**
 * struct ckpt_rec_deleted - payload of %CKPT_REC_DELETED: a file of whatever type
 *	that has no name any more; what a regular one holds is in the page section
 * @size: in bytes, of a regular file; or 0
 * @mode: type and permissions, as of stat(2)
 * @uid: owner, in the checkpointer's user namespace
 * @gid: group, likewise
 * @what: %CKPT_DELETED_LINKABLE or 0
 * @atime_sec: time of last access, in seconds since 1970
 * @mtime_sec: of last modification, likewise
 * @atime_nsec: and nanoseconds, below 1000000000
 * @mtime_nsec: likewise
 * @name: the last one that it had, NUL terminated
 *
 * The directory that it was in follows as %CKPT_REC_PATH; if that was deleted as
 * well, the next one above. %CKPT_REC_DELETED_NODE is there for what it says.
 */
struct ckpt_rec_deleted {
	__le64	size;
	__le32	mode;
	__le32	uid;
	__le32	gid;
	__le32	what;
	__le64	atime_sec;
	__le64	mtime_sec;
	__le32	atime_nsec;
	__le32	mtime_nsec;
	__u8	name[];
};

/* made by O_TMPFILE without O_EXCL: linkat(2) may give it a name */
#define CKPT_DELETED_LINKABLE	0x1U

/**
 * struct ckpt_rec_deleted_node - payload of %CKPT_REC_DELETED_NODE: what else there
 *	is to a device or a symbolic link
 * @major: of the device; or 0
 * @minor: likewise
 * @target: what the link says, NUL terminated; of a device nothing
 */
struct ckpt_rec_deleted_node {
	__le32	major;
	__le32	minor;
	__u8	target[];
};

/**
 * struct ckpt_rec_file_external - payload of %CKPT_REC_FILE_EXTERNAL: a file that
 *	the restarter supplies
 * @flags: O_* of open(2): what it has to be open for
 * @what: 0
 * @name: as /proc/PID/fd showed it, NUL terminated
 */
struct ckpt_rec_file_external {
	__le32	flags;
	__le32	what;
	__u8	name[];
};

/**
 * struct ckpt_rec_file_owner - payload of %CKPT_REC_FILE_OWNER: who is told by a
 *	signal of what happens to a file, as of fcntl(2) F_SETOWN_EX and F_SETSIG
 * @file: reference to the description
 * @type: CKPT_OWNER_*
 * @pid: the thread, process or process group; 0 for a group whose leader is alive
 *	outside the tree, and for nobody
 * @what: %CKPT_OWNER_ASYNC or 0
 * @signal: which one; 0 for SIGIO
 * @uid: in whose name it is sent, in the checkpointer's user namespace
 * @euid: likewise
 * @reserved: zero
 */
struct ckpt_rec_file_owner {
	__le32	file;
	__le32	type;
	__le32	pid;
	__le32	what;
	__le32	signal;
	__le32	uid;
	__le32	euid;
	__le32	reserved;
};

#define CKPT_OWNER_NOBODY	0
#define CKPT_OWNER_THREAD	1	/* F_OWNER_TID */
#define CKPT_OWNER_PROCESS	2	/* F_OWNER_PID */
#define CKPT_OWNER_GROUP	3	/* F_OWNER_PGRP */

#define CKPT_OWNER_ASYNC	0x1U	/* O_ASYNC */

/**
 * struct ckpt_rec_file_lease - payload of %CKPT_REC_FILE_LEASE, of fcntl(2)
 *	F_SETLEASE
 * @file: reference to the description that has it
 * @type: F_RDLCK (0) or F_WRLCK (1)
 * @what: CKPT_LEASE_*
 * @pid: the process that took it, 0 if that is not of the tree
 * @left_unlock: time until it is taken away, in nanoseconds; 0 for ever
 * @left_downgrade: time until it becomes F_RDLCK, likewise
 * @reserved: zero
 */
struct ckpt_rec_file_lease {
	__le32	file;
	__le32	type;
	__le32	what;
	__le32	pid;
	__le64	left_unlock;
	__le64	left_downgrade;
	__le64	reserved;
};

#define CKPT_LEASE_UNLOCK	0x1U	/* somebody waits for it to be given up */
#define CKPT_LEASE_DOWNGRADE	0x2U	/* or to become F_RDLCK */
#define CKPT_LEASE_WHAT_KNOWN	0x3U

/**
 * struct ckpt_rec_file_socket - payload of %CKPT_REC_FILE_SOCKET
 * @flags: O_* of open(2)
 * @what: 0
 * @sock: reference to the socket, which has no other description
 * @mode: permissions, as of fchmod(2)
 * @uid: owner, in the checkpointer's user namespace
 * @gid: group, likewise
 */
struct ckpt_rec_file_socket {
	__le32	flags;
	__le32	what;
	__le32	sock;
	__le32	mode;
	__le32	uid;
	__le32	gid;
};

/**
 * struct ckpt_rec_sock_option - payload of %CKPT_REC_SOCK_OPTION, which follow a
 *	socket that has a description
 * @level: as of getsockopt(2)
 * @name: likewise, on x86-64
 * @value: what that returns
 */
struct ckpt_rec_sock_option {
	__le32	level;
	__le32	name;
	__u8	value[];
};

/**
 * struct ckpt_rec_insn - an instruction of classic BPF, as struct sock_filter has it
 * @code: what to do
 * @jt: how far to jump if true
 * @jf: if false
 * @k: operand
 */
struct ckpt_rec_insn {
	__le16	code;
	__u8	jt;
	__u8	jf;
	__le32	k;
};

/**
 * struct ckpt_rec_sock_filter - payload of %CKPT_REC_SOCK_FILTER, which follows a
 *	socket that has a description: what SO_ATTACH_FILTER gave it
 * @nr_insns: how many of @insns there are
 * @reserved: zero
 * @insns: the program
 */
struct ckpt_rec_sock_filter {
	__le32	nr_insns;
	__le32	reserved;
	struct ckpt_rec_insn insns[];
};

/**
 * struct ckpt_rec_sock_unix - payload of %CKPT_REC_SOCK_UNIX
 * @type: SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET
 * @state: CKPT_SOCK_*
 * @what: CKPT_UNIX_*
 * @shutdown: RCV_SHUTDOWN (1) and SEND_SHUTDOWN (2)
 * @error: what SO_ERROR would tell, 0 if nothing
 * @backlog: of one that listens, as of listen(2)
 * @listener: reference to the socket that this waits to be accepted from, or 0;
 *	those that do come in the order in which they will be
 * @mode: permissions of the file that it is bound to, where %CKPT_UNIX_BOUND
 * @uid: owner of that, in the checkpointer's user namespace
 * @gid: group, likewise
 * @name: what it was bound to: sun_path of unix(7), as getsockname(2) has it
 *
 * One that is bound to a file is followed by %CKPT_REC_PATH, where the file is. One
 * that nothing refers to by %CKPT_REC_FILE_SOCKET, that waits for nobody and that
 * is not closed was a process's outside the tree, and is found by its name.
 */
struct ckpt_rec_sock_unix {
	__le32	type;
	__le32	state;
	__le32	what;
	__le32	shutdown;
	__le32	error;
	__le32	backlog;
	__le32	listener;
	__le32	mode;
	__le32	uid;
	__le32	gid;
	__u8	name[];
};

#define CKPT_SOCK_CLOSED	0	/* not connected */
#define CKPT_SOCK_ESTABLISHED	1
#define CKPT_SOCK_LISTEN	2

#define CKPT_UNIX_DEAD		0x1U	/* closed; others still refer to it */
#define CKPT_UNIX_BOUND		0x2U	/* @name leads to it, and to no other */
#define CKPT_UNIX_WHAT_KNOWN	0x3U

/**
 * struct ckpt_rec_unix_link - payload of %CKPT_REC_UNIX_LINK: what a socket has to
 *	do with others; comes when all sockets have
 * @sock: reference to the socket
 * @peer: reference to what it is connected to, or 0
 * @cred: reference to the credentials that SO_PEERCRED tells of, or 0
 * @pid: the process that it tells of, 0 if none
 * @nr_messages: how many %CKPT_REC_UNIX_MESSAGE follow
 * @what: %CKPT_UNIX_WAITS or 0
 */
struct ckpt_rec_unix_link {
	__le32	sock;
	__le32	peer;
	__le32	cred;
	__le32	pid;
	__le32	nr_messages;
	__le32	what;
};

#define CKPT_UNIX_WAITS		0x1U	/* poll(2) waits for room at @peer */

/**
 * struct ckpt_rec_unix_message - payload of %CKPT_REC_UNIX_MESSAGE: one message,
 *	or piece of a stream, in the order in which they will be read
 * @sender: reference to the socket that it was sent from
 * @what: CKPT_MESSAGE_*
 * @pid: of SCM_CREDENTIALS; 0 if none was sent
 * @uid: likewise, in the checkpointer's user namespace; all ones if none
 * @gid: likewise
 * @nr_rights: how many of the %CKPT_REC_UNIX_RIGHT that follow go with it; those
 *	of the messages before it come first
 * @consumed: bytes of @data that have been read
 * @linear: bytes of @data that lie in one piece, which says how much room it takes
 * @time: when it was sent, in nanoseconds since 1970, 0 if not noted
 * @data: all of it
 */
struct ckpt_rec_unix_message {
	__le32	sender;
	__le32	what;
	__le32	pid;
	__le32	uid;
	__le32	gid;
	__le32	nr_rights;
	__le32	consumed;
	__le32	linear;
	__le64	time;
	__u8	data[];
};

#define CKPT_MESSAGE_OOB	0x1U	/* MSG_OOB, and not read yet */

/**
 * struct ckpt_rec_unix_right - payload of %CKPT_REC_UNIX_RIGHT: a descriptor that
 *	is under way
 * @file: reference to the description
 * @reserved: zero
 */
struct ckpt_rec_unix_right {
	__le32	file;
	__le32	reserved;
};

/**
 * struct ckpt_rec_inet_addr - an address and a port
 * @port: 0 if there is none
 * @scope: interface that a link-local address is of, or 0
 * @addr: in network order; of IPv4 the first four bytes, and then zeros
 */
struct ckpt_rec_inet_addr {
	__le32	port;
	__le32	scope;
	__u8	addr[16];
};

/**
 * struct ckpt_rec_sock_inet - payload of %CKPT_REC_SOCK_INET: a socket of TCP, UDP,
 *	UDP-Lite, for pings, or a raw one
 * @family: AF_INET (2) or AF_INET6 (10)
 * @type: SOCK_STREAM for TCP, SOCK_RAW for a raw one, SOCK_DGRAM for the others
 * @state: CKPT_SOCK_*
 * @shutdown: RCV_SHUTDOWN (1) and SEND_SHUTDOWN (2)
 * @error: what SO_ERROR would tell, 0 if nothing
 * @backlog: of one that listens, as of listen(2)
 * @locks: which of @own was asked for: 4 for the address, 8 for the port; and
 *	%CKPT_SOCK_FOREIGN
 * @protocol: as of socket(2); 0 for TCP and UDP
 * @own: what it is bound to
 * @peer: what it is connected to
 */
struct ckpt_rec_sock_inet {
	__le32	family;
	__le32	type;
	__le32	state;
	__le32	shutdown;
	__le32	error;
	__le32	backlog;
	__le32	locks;
	__le32	protocol;
	struct ckpt_rec_inet_addr own;
	struct ckpt_rec_inet_addr peer;
};

/* the address was not one of the machine, as IP_FREEBIND had permitted once */
#define CKPT_SOCK_FOREIGN	0x100U

/**
 * struct ckpt_rec_udp_queue - payload of %CKPT_REC_UDP_QUEUE: what waits to be read
 *	from a socket of UDP
 * @sock: reference to the socket
 * @nr_datagrams: how many %CKPT_REC_UDP_DATAGRAM follow
 */
struct ckpt_rec_udp_queue {
	__le32	sock;
	__le32	nr_datagrams;
};

/**
 * struct ckpt_rec_udp_datagram - payload of %CKPT_REC_UDP_DATAGRAM, in the order in
 *	which they will be read
 * @family: AF_INET or AF_INET6, which the addresses are of
 * @interface: that it came in by
 * @tos: type of service or traffic class
 * @ttl: or hop limit
 * @time: when it came, in nanoseconds since 1970, 0 if not noted
 * @from: the sender
 * @to: where it was sent to
 * @data: its contents
 */
struct ckpt_rec_udp_datagram {
	__le32	family;
	__le32	interface;
	__le32	tos;
	__le32	ttl;
	__le64	time;
	struct ckpt_rec_inet_addr from;
	struct ckpt_rec_inet_addr to;
	__u8	data[];
};

/**
 * struct ckpt_rec_tcp_end - one end of a connection, when what is on its way is left
 *	out of account
 * @sock: reference to the socket; 0 for one that was closed
 * @what: CKPT_TCP_*
 * @copied_seq: sequence number of the next byte to be read
 * @rcv_nxt: of the next byte to come
 * @rcv_wnd: how many bytes may come
 * @max_window: the most that the other end ever let come
 * @mss: as the other end announced it
 * @scales: window scales, of what is sent and, from bit 16 on, of what comes
 */
struct ckpt_rec_tcp_end {
	__le32	sock;
	__le32	what;
	__le32	copied_seq;
	__le32	rcv_nxt;
	__le32	rcv_wnd;
	__le32	max_window;
	__le32	mss;
	__le32	scales;
};

#define CKPT_TCP_SACK		0x1U	/* selective acknowledgments */
#define CKPT_TCP_TIMESTAMPS	0x2U
#define CKPT_TCP_SHUTDOWN	0x4U	/* it has nothing more to say */
#define CKPT_TCP_WHAT_KNOWN	0x7U

/**
 * struct ckpt_rec_tcp_link - payload of %CKPT_REC_TCP_LINK: a connection
 * @what: %CKPT_TCP_OUTSIDE, %CKPT_TCP_CONNECTING or 0
 * @nr_data: how many %CKPT_REC_TCP_DATA follow
 * @end: its ends; of one that leads outside the tree, or is being made, only the
 *	first is meant, and of that only @sock
 */
struct ckpt_rec_tcp_link {
	__le32	what;
	__le32	nr_data;
	struct ckpt_rec_tcp_end end[2];
};

#define CKPT_TCP_OUTSIDE	0x1U
#define CKPT_TCP_CONNECTING	0x2U	/* there has been no answer so far */

/**
 * struct ckpt_rec_tcp_data - payload of %CKPT_REC_TCP_DATA: bytes, in their order
 * @end: index of the end that has them
 * @what: %CKPT_TCP_SENT, or %CKPT_TCP_URGENT with or without %CKPT_TCP_URGENT_READ
 *	for one byte, or 0
 * @data: what came and is to be read, or what was sent and has not come to the
 *	other end
 */
struct ckpt_rec_tcp_data {
	__le32	end;
	__le32	what;
	__u8	data[];
};

#define CKPT_TCP_SENT		0x1U
#define CKPT_TCP_URGENT		0x2U	/* see MSG_OOB; at most once an end */
#define CKPT_TCP_URGENT_READ	0x4U	/* it was read, and is still in its place */
#define CKPT_TCP_DATA_KNOWN	0x7U

/**
 * struct ckpt_rec_tcp_waiting - payload of %CKPT_REC_TCP_WAITING: a connection that
 *	waits to be accepted, in the order in which those of a socket will be
 * @listener: reference to the socket that listens
 * @sock: reference to the one that there will be, which has no description
 */
struct ckpt_rec_tcp_waiting {
	__le32	listener;
	__le32	sock;
};

/**
 * struct ckpt_rec_sock_netlink - payload of %CKPT_REC_SOCK_NETLINK
 * @type: SOCK_RAW or SOCK_DGRAM
 * @protocol: NETLINK_*
 * @portid: number that it is bound to; 0 if it is not
 * @what: CKPT_NETLINK_*
 * @dst_portid: what it is connected to
 * @dst_group: likewise
 * @error: what SO_ERROR would tell, 0 if nothing
 * @flags: options, a bit for each in the order in which netlink(7) has numbered
 *	them, from NETLINK_PKTINFO (bit 3) on
 * @groups: those that it is a member of, a bit each
 */
struct ckpt_rec_sock_netlink {
	__le32	type;
	__le32	protocol;
	__le32	portid;
	__le32	what;
	__le32	dst_portid;
	__le32	dst_group;
	__le32	error;
	__le32	flags;
	__le64	groups[];
};

#define CKPT_NETLINK_CONNECTED	0x1U	/* to @dst_portid and @dst_group */

/**
 * struct ckpt_rec_sock_packet - payload of %CKPT_REC_SOCK_PACKET
 * @type: SOCK_RAW, SOCK_DGRAM or SOCK_PACKET, which has none of the parts below
 * @protocol: of which packets it gets, in host order
 * @interface: of which it gets them; 0 for all
 * @what: CKPT_PACKET_*
 */
struct ckpt_rec_sock_packet {
	__le32	type;
	__le32	protocol;
	__le32	interface;
	__le32	what;
};

#define CKPT_PACKET_AUXDATA	0x1U
#define CKPT_PACKET_ORIGDEV	0x2U
#define CKPT_PACKET_KNOWN	0x3U

/**
 * struct ckpt_rec_packet_ring - payload of %CKPT_REC_PACKET_RING: a ring of a packet
 *	socket, of the version of PACKET_VERSION
 * @which: CKPT_PACKET_RX or CKPT_PACKET_TX
 * @block_size: and the three below: as of struct tpacket_req
 * @block_nr: likewise
 * @frame_size: likewise
 * @frame_nr: likewise
 * @head: number of the frame that is filled or sent next
 * @late: how many frames from @head on are free, whatever the pages say: they were
 *	filled while these were saved
 * @reserved: 0
 */
struct ckpt_rec_packet_ring {
	__le32	which;
	__le32	block_size;
	__le32	block_nr;
	__le32	frame_size;
	__le32	frame_nr;
	__le32	head;
	__le32	late;
	__le32	reserved;
};

#define CKPT_PACKET_RX	0
#define CKPT_PACKET_TX	1

/**
 * struct ckpt_rec_packet_page - payload of %CKPT_REC_PACKET_PAGE: a page of a ring;
 *	those that are missing are zero
 * @which: of the two
 * @index: of the page in it, all blocks in a row
 * @data: the page
 */
struct ckpt_rec_packet_page {
	__le32	which;
	__le32	index;
	__u8	data[];
};

/**
 * struct ckpt_rec_packet_member - payload of %CKPT_REC_PACKET_MEMBER: what was added
 *	to a packet socket by PACKET_ADD_MEMBERSHIP
 * @interface: and the two below: as of struct packet_mreq
 * @type: PACKET_MR_*
 * @len: how long the address is
 * @count: how often it was added
 * @reserved: 0
 * @address: the address, and zero behind it
 */
struct ckpt_rec_packet_member {
	__le32	interface;
	__le16	type;
	__le16	len;
	__le32	count;
	__le32	reserved;
	__u8	address[32];
};

/**
 * struct ckpt_rec_packet_fanout - payload of %CKPT_REC_PACKET_FANOUT: the group that a
 *	packet socket is in
 * @id: of the group
 * @type: PACKET_FANOUT_*
 * @flags: PACKET_FANOUT_FLAG_*, by 8 to the right
 * @max_members: how many there may be
 */
struct ckpt_rec_packet_fanout {
	__le16	id;
	__u8	type;
	__u8	flags;
	__le32	max_members;
};

/**
 * struct ckpt_rec_packet_stats - payload of %CKPT_REC_PACKET_STATS: what
 *	PACKET_STATISTICS has to tell
 * @packets: how many came
 * @drops: how many there was no room for
 */
struct ckpt_rec_packet_stats {
	__le32	packets;
	__le32	drops;
};

/**
 * struct ckpt_rec_mm - payload of %CKPT_REC_MM, an address space
 * @start_code: and the fields below: as of proc_pid_stat(5) and prctl(2)
 *	PR_SET_MM_MAP
 * @mmap_base: where mmap(2) starts to look for room,
 * @mmap_legacy_base: where it does so upwards,
 * @mmap_compat_base: and where the two of the i386 ABI do,
 * @mmap_compat_legacy_base: likewise
 * @task_size: behind the last address that there may be
 * @vdso: where the vDSO starts, 0 if there is none
 * @vdso_size: its size; the vvar pages are right below it
 * @vvar_size: of these
 * @exe: reference to the file that is /proc/PID/exe, 0 if none
 * @dumpable: as of prctl(2) PR_SET_DUMPABLE, 0 to 2
 * @dump_filter: as of /proc/PID/coredump_filter
 * @what: CKPT_MM_*
 * @def_flags: CKPT_VMA_LOCKED and CKPT_VMA_LOCKONFAULT, for mlockall(2)
 *	MCL_FUTURE
 * @membarrier: as the mask of membarrier(2) registrations that were made
 * @pkeys: memory protection keys in use, a bit each
 * @exec_pkey: the key for execute-only memory, -1 if none
 * @nr_vmas: how many %CKPT_REC_VMA follow
 * @nr_auxv: how many of @auxv are in use, a multiple of 2
 * @hiwater_rss: most pages that were resident at a time, as of VmHWM in
 *	/proc/PID/status
 * @hiwater_vm: most pages that were mapped at a time, as of VmPeak
 * @auxv: as of /proc/PID/auxv; that of a 32-bit program has two of its words in
 *	each of these, the first one in the low half
 */
struct ckpt_rec_mm {
	__le64	start_code;
	__le64	end_code;
	__le64	start_data;
	__le64	end_data;
	__le64	start_brk;
	__le64	brk;
	__le64	start_stack;
	__le64	arg_start;
	__le64	arg_end;
	__le64	env_start;
	__le64	env_end;
	__le64	mmap_base;
	__le64	mmap_legacy_base;
	__le64	mmap_compat_base;
	__le64	mmap_compat_legacy_base;
	__le64	task_size;
	__le64	vdso;
	__le32	vdso_size;
	__le32	vvar_size;
	__le32	exe;
	__le32	dumpable;
	__le32	dump_filter;
	__le32	what;
	__le64	def_flags;
	__le32	membarrier;
	__le16	pkeys;
	__le16	exec_pkey;
	__le32	nr_vmas;
	__le32	nr_auxv;
	__le64	hiwater_rss;
	__le64	hiwater_vm;
	__le64	auxv[64];
};

#define CKPT_MM_DISABLE_THP	0x01U	/* prctl PR_SET_THP_DISABLE */
#define CKPT_MM_MDWE		0x02U	/* prctl PR_SET_MDWE */
#define CKPT_MM_MDWE_NO_INHERIT	0x04U
#define CKPT_MM_TOPDOWN		0x08U	/* mmap(2) looks downwards */
#define CKPT_MM_MERGE_ANY	0x10U	/* prctl PR_SET_MEMORY_MERGE */
#define CKPT_MM_IA32		0x20U	/* of a 32-bit program */
#define CKPT_MM_VDSO_IA32	0x40U	/* its vDSO is the 32-bit one */
#define CKPT_MM_VSYSCALL	0x80U	/* it has the vsyscall page */
#define CKPT_MM_NO_VVAR		0x100U	/* the vvar pages were unmapped */
#define CKPT_MM_NO_VDSO		0x200U	/* the vDSO itself was */
#define CKPT_MM_WHAT_KNOWN	0x3ffU

/**
 * struct ckpt_rec_vma - payload of %CKPT_REC_VMA, one mapping
 * @start: first address
 * @end: first address behind it
 * @pgoff: offset into @object, in pages; what rmap uses where there is none
 * @flags: CKPT_VMA_*
 * @object: reference to the file or the shared memory it maps, 0 if none
 * @pkey: its memory protection key
 */
struct ckpt_rec_vma {
	__le64	start;
	__le64	end;
	__le64	pgoff;
	__le64	flags;
	__le32	object;
	__le32	pkey;
};

/**
 * struct ckpt_rec_vma_name - payload of %CKPT_REC_VMA_NAME, what a mapping that has
 *	no file is called; after all mappings, by ascending address
 * @start: its first address
 * @name: as of PR_SET_VMA_ANON_NAME, NUL terminated, up to 80 bytes
 */
struct ckpt_rec_vma_name {
	__le64	start;
	__u8	name[];
};

#define CKPT_VMA_READ		0x00000001ULL
#define CKPT_VMA_WRITE		0x00000002ULL
#define CKPT_VMA_EXEC		0x00000004ULL
#define CKPT_VMA_SHARED		0x00000008ULL
#define CKPT_VMA_MAYWRITE	0x00000010ULL
#define CKPT_VMA_GROWSDOWN	0x00000020ULL
#define CKPT_VMA_LOCKED		0x00000040ULL
#define CKPT_VMA_LOCKONFAULT	0x00000080ULL
#define CKPT_VMA_SEQ_READ	0x00000100ULL
#define CKPT_VMA_RAND_READ	0x00000200ULL
#define CKPT_VMA_DONTCOPY	0x00000400ULL
#define CKPT_VMA_DONTEXPAND	0x00000800ULL
#define CKPT_VMA_ACCOUNT	0x00001000ULL
#define CKPT_VMA_NORESERVE	0x00002000ULL
#define CKPT_VMA_WIPEONFORK	0x00004000ULL
#define CKPT_VMA_DONTDUMP	0x00008000ULL
#define CKPT_VMA_SOFTDIRTY	0x00010000ULL
#define CKPT_VMA_HUGEPAGE	0x00020000ULL
#define CKPT_VMA_NOHUGEPAGE	0x00040000ULL
#define CKPT_VMA_MERGEABLE	0x00080000ULL
#define CKPT_VMA_DROPPABLE	0x00100000ULL
#define CKPT_VMA_SEALED		0x00200000ULL
#define CKPT_VMA_ANON_SHARED	0x00400000ULL	/* @object is %CKPT_REC_SHMEM */
#define CKPT_VMA_MAYREAD	0x00800000ULL
#define CKPT_VMA_MAYEXEC	0x01000000ULL
#define CKPT_VMA_MAYSHARE	0x02000000ULL
#define CKPT_VMA_KNOWN		0x03ffffffULL

/** struct ckpt_aio_event - an event of asynchronous I/O, as of io_getevents(2) */
struct ckpt_aio_event {
	__le64	data;
	__le64	obj;
	__le64	res;
	__le64	res2;
};

/**
 * struct ckpt_rec_aio - payload of %CKPT_REC_AIO: what io_setup(2) has made, after
 *	the mappings of an address space, of which its ring is none
 * @addr: of the ring, by which system calls name it
 * @size: of the ring, in bytes
 * @max_reqs: how many requests it is for, as given to io_setup(2)
 * @head: index in the ring of the first event
 * @nr_events: how many there are
 * @event: these, in the order in which they are to be read
 */
struct ckpt_rec_aio {
	__le64	addr;
	__le32	size;
	__le32	max_reqs;
	__le32	head;
	__le32	nr_events;
	struct ckpt_aio_event event[];
};

/**
 * struct ckpt_rec_shmem - payload of %CKPT_REC_SHMEM: anonymous shared memory
 * @size: in bytes
 * @flags: CKPT_VMA_NORESERVE or 0
 */
struct ckpt_rec_shmem {
	__le64	size;
	__le64	flags;
};

/**
 * struct ckpt_rec_memfd - payload of %CKPT_REC_MEMFD: memory of memfd_create(2), or
 *	shared memory that mmap(2) has made, in huge pages or open as a file
 * @size: in bytes
 * @seals: F_SEAL_* of fcntl(2)
 * @mode: permissions, as of fchmod(2)
 * @uid: owner, in the checkpointer's user namespace
 * @gid: group, likewise
 * @page_shift: size of its pages as a power of two, where they are huge; or 0
 * @what: CKPT_MEMFD_*
 * @name: as given to memfd_create(2), NUL terminated
 */
struct ckpt_rec_memfd {
	__le64	size;
	__le32	seals;
	__le32	mode;
	__le32	uid;
	__le32	gid;
	__le32	page_shift;
	__le32	what;
	__u8	name[];
};

#define CKPT_MEMFD_ANON		0x1U	/* mmap(2) gave it its name */
#define CKPT_MEMFD_ACCOUNT	0x2U	/* all of it was accounted for as it was made */

/**
 * struct ckpt_rec_ipc - what all objects of System V have
 * @id: by which system calls name it
 * @key: as of shmget(2) and its like, IPC_PRIVATE (0) included
 * @uid: owner, in the checkpointer's user namespace
 * @gid: group, likewise
 * @cuid: who created it, likewise
 * @cgid: the creator's group, likewise
 * @mode: permissions; of shared memory also SHM_DEST and SHM_LOCKED
 * @reserved: zero
 * @ctime: when it was created or changed last, in seconds since 1970
 */
struct ckpt_rec_ipc {
	__le32	id;
	__le32	key;
	__le32	uid;
	__le32	gid;
	__le32	cuid;
	__le32	cgid;
	__le32	mode;
	__le32	reserved;
	__le64	ctime;
};

/**
 * struct ckpt_rec_shm - payload of %CKPT_REC_SHM: shared memory of System V
 * @size: in bytes, as given to shmget(2)
 * @flags: CKPT_VMA_NORESERVE or 0
 * @ipc: what names it, and whose it is
 * @atime: when it was attached last, in seconds since 1970; 0 if it never was
 * @dtime: when it was detached last, likewise
 * @cpid: the process that created it
 * @lpid: the process that attached or detached it last; 0 if it never was
 * @page_shift: size of its pages as a power of two, where they are huge; or 0
 * @reserved: zero
 */
struct ckpt_rec_shm {
	__le64	size;
	__le64	flags;
	struct ckpt_rec_ipc ipc;
	__le64	atime;
	__le64	dtime;
	__le32	cpid;
	__le32	lpid;
	__le32	page_shift;
	__le32	reserved;
};

/**
 * struct ckpt_page_run - pages that lie side by side
 * @start: address of the first, or offset into a shared memory object, in bytes
 * @nr: how many, up to 2^32 - 1
 * @flags: CKPT_RUN_*
 */
struct ckpt_page_run {
	__le64	start;
	__le32	nr;
	__le32	flags;
};

/* all of these pages are zero; nothing of them is in the page section */
#define CKPT_RUN_ZERO		0x1U
/* whatever the parent has there, be it nothing; likewise */
#define CKPT_RUN_PARENT		0x2U
/* the same as pages of other address spaces, see CKPT_REC_PAGEMAP_SAME; likewise */
#define CKPT_RUN_SAME		0x4U
#define CKPT_RUN_KNOWN		0x7U	/* no two of them */

/**
 * struct ckpt_rec_pagemap - payload of %CKPT_REC_PAGEMAP
 * @owner: reference to the address space, the shared memory, the memfd or
 *	the deleted file
 * @nr_runs: how many runs follow
 * @nr_pages: how many pages these have in the page section
 * @runs: by ascending start
 */
struct ckpt_rec_pagemap {
	__le32	owner;
	__le32	nr_runs;
	__le64	nr_pages;
	struct ckpt_page_run runs[];
};

/**
 * struct ckpt_rec_pagemap_parent - payload of %CKPT_REC_PAGEMAP_PARENT, which a page
 *	map has if it has runs of %CKPT_RUN_PARENT
 * @owner: reference, in the parent, to what the owner of the page map was there
 * @reserved: zero
 */
struct ckpt_rec_pagemap_parent {
	__le32	owner;
	__le32	reserved;
};

/**
 * struct ckpt_rec_pagemap_same - payload of %CKPT_REC_PAGEMAP_SAME, which a page map
 *	has if it has runs of %CKPT_RUN_SAME: of an address space that has pages in
 *	common with others, as after fork(2)
 * @nr: how many such runs there are
 * @reserved: zero
 * @first: for each the number of its first page in the page section, counted from 0;
 *	all are pages of address spaces whose page maps come before
 */
struct ckpt_rec_pagemap_same {
	__le32	nr;
	__le32	reserved;
	__le64	first[];
};

/**
 * struct ckpt_rec_files - payload of %CKPT_REC_FILES, a descriptor table
 * @nr_fds: how many %CKPT_REC_FD follow
 * @reserved: zero
 */
struct ckpt_rec_files {
	__le32	nr_fds;
	__le32	reserved;
};

/**
 * struct ckpt_rec_fd - payload of %CKPT_REC_FD, by ascending fd
 * @fd: the descriptor
 * @file: reference to the open file description
 * @flags: FD_CLOEXEC or 0
 * @reserved: zero
 */
struct ckpt_rec_fd {
	__le32	fd;
	__le32	file;
	__le32	flags;
	__le32	reserved;
};

/**
 * struct ckpt_rec_lock - payload of %CKPT_REC_FILE_LOCK, which a description
 *	has, and of %CKPT_REC_POSIX_LOCK, which a descriptor table has
 * @what: CKPT_LOCK_*
 * @type: F_RDLCK (0) or F_WRLCK (1), also for flock(2)
 * @fd: the descriptor by which a table has it; of a description's own 0
 * @reserved: zero
 * @start: first byte that is locked
 * @end: last one; 2^63 - 1 for all there will be
 */
struct ckpt_rec_lock {
	__le32	what;
	__le32	type;
	__le32	fd;
	__le32	reserved;
	__le64	start;
	__le64	end;
};

#define CKPT_LOCK_POSIX	1	/* fcntl(2) F_SETLK; of a table */
#define CKPT_LOCK_OFD	2	/* fcntl(2) F_OFD_SETLK */
#define CKPT_LOCK_FLOCK	3	/* flock(2); @start and @end mean all */

/**
 * struct ckpt_rec_fs - payload of %CKPT_REC_FS
 * @umask: as of umask(2)
 * @deleted: reference to the current directory, if that was deleted; or 0
 *
 * Two %CKPT_REC_PATH follow: the root directory and the current one; or, where
 * @deleted is set, the root directory alone.
 */
struct ckpt_rec_fs {
	__le32	umask;
	__le32	deleted;
};

/**
 * struct ckpt_rec_cred - payload of %CKPT_REC_CRED
 * @uid: and the seven after it: as of credentials(7), in the checkpointer's
 *	user namespace
 * @securebits: as of capabilities(7), SECBIT_KEEP_CAPS included
 * @nr_groups: how many of @groups there are
 * @inheritable: and the four after it: capability sets, a bit a capability
 * @groups: supplementary groups
 */
struct ckpt_rec_cred {
	__le32	uid;
	__le32	euid;
	__le32	suid;
	__le32	fsuid;
	__le32	gid;
	__le32	egid;
	__le32	sgid;
	__le32	fsgid;
	__le32	securebits;
	__le32	nr_groups;
	__le64	inheritable;
	__le64	permitted;
	__le64	effective;
	__le64	bset;
	__le64	ambient;
	__le32	groups[];
};

/**
 * struct ckpt_rec_seccomp - payload of %CKPT_REC_SECCOMP: a filter of system
 *	calls, of seccomp(2)
 * @prev: reference to the one that it was put on top of, 0 if none
 * @what: %CKPT_SECCOMP_LOG or 0
 * @nr_insns: how many of @insns there are
 * @reserved: zero
 * @insns: its program
 */
struct ckpt_rec_seccomp {
	__le32	prev;
	__le32	what;
	__le32	nr_insns;
	__le32	reserved;
	struct ckpt_rec_insn insns[];
};

#define CKPT_SECCOMP_LOG	0x1U	/* SECCOMP_FILTER_FLAG_LOG */
#define CKPT_SECCOMP_KNOWN	0x1U

/**
 * struct ckpt_rec_sigaction - what a signal does
 * @handler: SIG_DFL, SIG_IGN or an address
 * @flags: SA_*
 * @restorer: address of the code that returns
 * @mask: blocked in the handler, bit 0 for signal 1
 */
struct ckpt_rec_sigaction {
	__le64	handler;
	__le64	flags;
	__le64	restorer;
	__le64	mask;
};

/** struct ckpt_rec_sighand - payload of %CKPT_REC_SIGHAND, from signal 1 on */
struct ckpt_rec_sighand {
	struct ckpt_rec_sigaction action[64];
};

/**
 * struct ckpt_rec_sem_undo - payload of %CKPT_REC_SEM_UNDO, what clone(2)
 *	CLONE_SYSVSEM shares
 * @reserved: zero
 *
 * A %CKPT_REC_SEM_ADJUST follows for each set that there are adjustments of.
 */
struct ckpt_rec_sem_undo {
	__le64	reserved;
};

/**
 * struct ckpt_rec_sem_adjust - payload of %CKPT_REC_SEM_ADJUST: what is added to
 *	the semaphores of a set when the last task that has the list ends
 * @set: reference to the set
 * @nr: how many semaphores it has
 * @adjust: of each, as a signed number
 */
struct ckpt_rec_sem_adjust {
	__le32	set;
	__le32	nr;
	__le16	adjust[];
};

/**
 * struct ckpt_sem - one of the semaphores of a set
 * @value: as of semctl(2) GETVAL
 * @pid: the process that changed it last; 0 if none did
 */
struct ckpt_sem {
	__le32	value;
	__le32	pid;
};

/**
 * struct ckpt_rec_sem_set - payload of %CKPT_REC_SEM_SET: semaphores of System V
 * @ipc: what names them, and whose they are
 * @otime: time of the last semop(2), in seconds since 1970; 0 if there was none
 * @nr: how many semaphores there are
 * @reserved: zero
 * @sem: these
 */
struct ckpt_rec_sem_set {
	struct ckpt_rec_ipc ipc;
	__le64	otime;
	__le32	nr;
	__le32	reserved;
	struct ckpt_sem sem[];
};

/**
 * struct ckpt_rec_msg_queue - payload of %CKPT_REC_MSG_QUEUE: a message queue of
 *	System V
 * @ipc: what names it, and whose it is
 * @stime: time of the last msgsnd(2), in seconds since 1970; 0 if there was none
 * @rtime: of the last msgrcv(2), likewise
 * @max_bytes: what may be on it, as of msgctl(2) IPC_SET
 * @lspid: the process that sent to it last; 0 if none did
 * @lrpid: the process that received from it last, likewise
 * @nr_msgs: how many %CKPT_REC_MSG follow
 * @reserved: zero
 */
struct ckpt_rec_msg_queue {
	struct ckpt_rec_ipc ipc;
	__le64	stime;
	__le64	rtime;
	__le64	max_bytes;
	__le32	lspid;
	__le32	lrpid;
	__le32	nr_msgs;
	__le32	reserved;
};

/**
 * struct ckpt_rec_msg - payload of %CKPT_REC_MSG, a message; in the order in
 *	which they were sent, and of a POSIX queue in which they will be received
 * @type: as of msgsnd(2); of a POSIX queue the priority
 * @data: what is in it, which may be nothing
 */
struct ckpt_rec_msg {
	__le64	type;
	__u8	data[];
};

/**
 * struct ckpt_rec_mqueue - payload of %CKPT_REC_MQUEUE: a POSIX message queue
 * @max_msgs: how many messages it has room for
 * @msg_size: how large they may be, in bytes
 * @nr_msgs: how many %CKPT_REC_MSG follow
 * @mode: permissions, as of fchmod(2)
 * @uid: owner, in the checkpointer's user namespace
 * @gid: group, likewise
 * @what: CKPT_MQUEUE_*
 * @notify: SIGEV_SIGNAL or SIGEV_NONE, and the three below, as given to
 *	mq_notify(3); zero unless @what has %CKPT_MQUEUE_NOTIFY
 * @signo: signal, 0 if none will be sent
 * @owner: the process that is to be told of a message
 * @value: sigev_value
 * @name: without the slash, NUL terminated
 */
struct ckpt_rec_mqueue {
	__le64	max_msgs;
	__le64	msg_size;
	__le32	nr_msgs;
	__le32	mode;
	__le32	uid;
	__le32	gid;
	__le32	what;
	__le32	notify;
	__le32	signo;
	__le32	owner;
	__le64	value;
	__u8	name[];
};

#define CKPT_MQUEUE_UNLINKED	0x1U	/* nothing has that name */
#define CKPT_MQUEUE_NOTIFY	0x2U	/* a process is registered */
#define CKPT_MQUEUE_KNOWN	0x3U

/**
 * struct ckpt_rec_signal - payload of %CKPT_REC_SIGNAL, a thread group
 * @pid: of the thread group
 * @ppid: id of the thread that is its parent; 0 for the root of the tree
 * @pgid: process group; 0 for one whose leader is alive outside the tree
 * @sid: session; 0 likewise
 * @what: CKPT_SIGNAL_*
 * @exit_signal: sent to the parent when it ends, usually SIGCHLD
 * @oom_score_adj: as of /proc/PID/oom_score_adj
 * @oom_score_adj_min: below which only CAP_SYS_RESOURCE may set it
 * @nr_threads: how many %CKPT_REC_TASK refer to it; the leader's comes first
 * @stop_signal: that stopped it and that its parent has not been told of yet by
 *	wait(2), where @what has %CKPT_SIGNAL_STOPPED; or 0
 * @reserved: zero
 *
 * Thread groups come after their parents. A zombie has none of the parts but for
 * what it has used.
 */
struct ckpt_rec_signal {
	__le32	pid;
	__le32	ppid;
	__le32	pgid;
	__le32	sid;
	__le32	what;
	__le32	exit_signal;
	__le32	oom_score_adj;
	__le32	oom_score_adj_min;
	__le32	nr_threads;
	__le32	stop_signal;
	__le64	reserved;
};

#define CKPT_SIGNAL_STOPPED		0x1U	/* by SIGSTOP or its like */
#define CKPT_SIGNAL_SUBREAPER		0x2U	/* PR_SET_CHILD_SUBREAPER */
#define CKPT_SIGNAL_ZOMBIE		0x4U	/* all its threads have ended */
#define CKPT_SIGNAL_CONTINUED		0x8U	/* as wait(2) WCONTINUED tells */
#define CKPT_SIGNAL_WHAT_KNOWN		0xfU

/**
 * struct ckpt_rec_usage - payload of %CKPT_REC_USAGE, what a task has used; of
 *	%CKPT_REC_ENDED_USAGE, what those threads had of a process that have
 *	ended; of %CKPT_REC_CHILDREN_USAGE, what those children of it had that it
 *	has waited for, and theirs
 * @utime: CPU time in user mode, in nanoseconds, as ticks tell; of children as
 *	times(2) told it
 * @stime: in the kernel, likewise
 * @gtime: of @utime, what it ran virtual CPUs for
 * @nvcsw: and those below it: as of getrusage(2)
 * @inblock: and the two below it: 0 for a task
 * @maxrss: in pages
 * @runtime: CPU time as CLOCK_PROCESS_CPUTIME_ID and CLOCK_THREAD_CPUTIME_ID count
 *	it, in nanoseconds; this and all below is 0 for children
 * @shown_utime: and @shown_stime: as times(2) told it last, of the task or the
 *	process
 * @rchar: and those below it: as of /proc/PID/io
 */
struct ckpt_rec_usage {
	__le64	utime;
	__le64	stime;
	__le64	gtime;
	__le64	nvcsw;
	__le64	nivcsw;
	__le64	min_flt;
	__le64	maj_flt;
	__le64	inblock;
	__le64	oublock;
	__le64	maxrss;
	__le64	runtime;
	__le64	shown_utime;
	__le64	shown_stime;
	__le64	rchar;
	__le64	wchar;
	__le64	syscr;
	__le64	syscw;
	__le64	read_bytes;
	__le64	write_bytes;
	__le64	cancelled_write_bytes;
};

/** struct ckpt_rec_rlimits - payload of %CKPT_REC_RLIMITS, by RLIMIT_* */
struct ckpt_rec_rlimits {
	struct {
		__le64	cur;
		__le64	max;
	} rlim[16];
};

/**
 * struct ckpt_rec_itimers - payload of %CKPT_REC_ITIMERS, in nanoseconds
 * @timer: by ITIMER_*; value is the time left, 0 for a timer that is off
 * @what: CKPT_ITIMERS_*
 * @reserved: zero
 */
struct ckpt_rec_itimers {
	struct {
		__le64	value;
		__le64	interval;
	} timer[3];
	__le32	what;
	__le32	reserved;
};

/* ITIMER_REAL has fired and goes on when its SIGALRM is taken; value is what
 * would be left had that been taken at once
 */
#define CKPT_ITIMERS_REAL_WAITS		0x1U
#define CKPT_ITIMERS_WHAT_KNOWN		0x1U

/**
 * struct ckpt_rec_posix_timer - payload of %CKPT_REC_POSIX_TIMER
 * @id: timer id
 * @clock: clock id; of the process's or a thread's own CPU time encoded as
 *	clock_getcpuclockid(3) does, with a pid of 0 for the caller's
 * @notify: SIGEV_*
 * @signo: signal
 * @value: sigev_value
 * @thread: the thread to notify, with SIGEV_THREAD_ID; 0 if that has ended
 * @what: CKPT_TIMER_*
 * @overrun: as of timer_getoverrun(2)
 * @missed: expirations that the next signal is to report as overrun
 * @left: time to expiry, in nanoseconds, as of timer_gettime(2)
 * @interval: in nanoseconds, 0 if it fires once
 * @counts: the task whose CPU time @clock counts: a thread where it is a thread's,
 *	else the leader of another process; 0 where it is the process's own
 * @reserved: zero
 */
struct ckpt_rec_posix_timer {
	__le32	id;
	__le32	clock;
	__le32	notify;
	__le32	signo;
	__le64	value;
	__le32	thread;
	__le32	what;
	__le32	overrun;
	__le32	missed;
	__le64	left;
	__le64	interval;
	__le32	counts;
	__le32	reserved;
};

#define CKPT_TIMER_ARMED	0x1U	/* its clock runs */
#define CKPT_TIMER_PENDING	0x2U	/* its signal is queued */
#define CKPT_TIMER_CLOCK_GONE	0x4U	/* whose CPU time it counted has ended */
#define CKPT_TIMER_WHAT_KNOWN	0x7U

/**
 * struct ckpt_rec_siginfo - payload of %CKPT_REC_SIGINFO and
 *	%CKPT_REC_SHARED_SIGINFO: one pending signal, in the order of its arrival
 * @info: struct siginfo of the x86-64 ABI
 *
 * The signal that a POSIX timer has pending belongs to the timer and is not
 * among these.
 */
struct ckpt_rec_siginfo {
	__u8	info[128];
};

/**
 * struct ckpt_rec_task - payload of %CKPT_REC_TASK, one thread
 * @tid: its id, as the checkpointer saw it
 * @signal: references to what it shares with others: its thread group,
 * @sighand: signal handlers,
 * @mm: address space,
 * @files: descriptors,
 * @fs: root and current directory,
 * @cred: credentials
 * @sem_undo: reference to its list of SEM_UNDO adjustments, 0 if it has none
 * @seccomp: reference to the newest of its filters, 0 if it has none
 * @turn: its place, from 1 on, among those that wait for a lock on a file, a
 *	semaphore or a message, in the order in which they began to; 0 if it does not,
 *	or nobody else
 * @personality: as of personality(2)
 * @pdeath_signal: as of prctl(2) PR_SET_PDEATHSIG
 * @what: CKPT_TASK_*
 * @exit_code: as of wait(2), where @what has %CKPT_TASK_DEAD
 * @clear_child_tid: address, as of set_tid_address(2)
 * @robust_list: address of its head, as of set_robust_list(2)
 * @robust_list_ia32: the same, as set by the i386 call
 * @comm: name, as of /proc/PID/comm
 *
 * A thread that is dead and was not waited for refers to its thread group, to its
 * credentials, and to handlers that it shares, and has no parts but what it used.
 */
struct ckpt_rec_task {
	__le32	tid;
	__le32	signal;
	__le32	sighand;
	__le32	mm;
	__le32	files;
	__le32	fs;
	__le32	cred;
	__le32	sem_undo;
	__le32	seccomp;
	__le32	turn;
	__le32	personality;
	__le32	pdeath_signal;
	__le32	what;
	__le32	exit_code;
	__le64	clear_child_tid;
	__le64	robust_list;
	__le64	robust_list_ia32;
	__u8	comm[16];
};

#define CKPT_TASK_DEAD		0x1U
#define CKPT_TASK_IA32_CALL	0x2U	/* in a system call as of i386 */
#define CKPT_TASK_WHAT_KNOWN	0x3U

/**
 * struct ckpt_rec_cpu - payload of %CKPT_REC_CPU: the integer registers, in the
 *	order of struct user_regs_struct of the x86-64 ABI
 */
struct ckpt_rec_cpu {
	__le64	r15;
	__le64	r14;
	__le64	r13;
	__le64	r12;
	__le64	bp;
	__le64	bx;
	__le64	r11;
	__le64	r10;
	__le64	r9;
	__le64	r8;
	__le64	ax;
	__le64	cx;
	__le64	dx;
	__le64	si;
	__le64	di;
	__le64	orig_ax;
	__le64	ip;
	__le64	cs;
	__le64	flags;
	__le64	sp;
	__le64	ss;
	__le64	fs_base;
	__le64	gs_base;
	__le64	ds;
	__le64	es;
	__le64	fs;
	__le64	gs;
};

/*
 * %CKPT_REC_XSTATE: the FPU's state in the standard (not compacted) format of
 * XSAVE, Intel SDM volume 1, 13.4.
 */

/**
 * struct ckpt_rec_tls - payload of %CKPT_REC_TLS: segment descriptors of
 *	set_thread_area(2), as struct user_desc lays them out
 */
struct ckpt_rec_tls {
	struct {
		__le32	entry;
		__le32	base;
		__le32	limit;
		__le32	flags;
	} desc[3];
};

/**
 * struct ckpt_rec_sigmask - payload of %CKPT_REC_SIGMASK
 * @blocked: bit 0 for signal 1
 * @saved: to be put back when the system call in flight has ended
 * @what: CKPT_SIGMASK_SAVED where @saved is meant
 * @altstack_flags: as of sigaltstack(2)
 * @altstack: address
 * @altstack_size: in bytes
 */
struct ckpt_rec_sigmask {
	__le64	blocked;
	__le64	saved;
	__le32	what;
	__le32	altstack_flags;
	__le64	altstack;
	__le64	altstack_size;
};

#define CKPT_SIGMASK_SAVED	0x1U

/**
 * struct ckpt_rec_restart_block - payload of %CKPT_REC_RESTART_BLOCK: the
 *	system call that restart_syscall(2) would go on with
 * @call: CKPT_RESTART_*
 * @clock: clock id, of CKPT_RESTART_NANOSLEEP and _CPU_NANOSLEEP
 * @left: time left, in nanoseconds; all ones for ever
 * @addr: where to put what is left, the futex, or the pollfds
 * @val: of the futex, or how many pollfds; of nanosleep the width of the
 *	timespec at @addr: 0 none, 1 of 64-bit, 2 of 32-bit
 * @flags: of the futex: FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME
 * @bitset: of the futex
 * @what: CKPT_RESTART_IA32 or 0
 */
struct ckpt_rec_restart_block {
	__le32	call;
	__le32	clock;
	__le64	left;
	__le64	addr;
	__le32	val;
	__le32	flags;
	__le32	bitset;
	__le32	what;
};

#define CKPT_RESTART_NONE		0
#define CKPT_RESTART_NANOSLEEP		1
#define CKPT_RESTART_CPU_NANOSLEEP	2
#define CKPT_RESTART_ALARM_NANOSLEEP	3
#define CKPT_RESTART_FUTEX		4
#define CKPT_RESTART_POLL		5

#define CKPT_RESTART_IA32		0x1U	/* it was called as in i386 */

/**
 * struct ckpt_rec_sched - payload of %CKPT_REC_SCHED
 * @policy: SCHED_*
 * @flags: SCHED_FLAG_RESET_ON_FORK or 0, and those of SCHED_DEADLINE
 * @nice: -20 to 19
 * @priority: of the real-time policies
 * @runtime: and the two below: of SCHED_DEADLINE, in nanoseconds; the time
 *	slice asked for where the policy is not a real-time one
 * @ioprio: as of ioprio_set(2), -1 if never set
 * @nr_cpus: bits of @cpus that count; 0 if sched_setaffinity(2) was never
 *	called and all CPUs may be used
 * @timer_slack: in nanoseconds
 * @default_timer_slack: in nanoseconds
 * @cpus: affinity, bit 0 of the first word for CPU 0
 */
struct ckpt_rec_sched {
	__le32	policy;
	__le32	flags;
	__le32	nice;
	__le32	priority;
	__le64	runtime;
	__le64	deadline;
	__le64	period;
	__le32	ioprio;
	__le32	nr_cpus;
	__le64	timer_slack;
	__le64	default_timer_slack;
	__le64	cpus[128];
};

/**
 * struct ckpt_rec_rseq - payload of %CKPT_REC_RSEQ
 * @addr: of struct rseq, 0 if not registered
 * @len: of it
 * @sig: signature before abort handlers
 */
struct ckpt_rec_rseq {
	__le64	addr;
	__le32	len;
	__le32	sig;
};

/**
 * struct ckpt_rec_prctl - payload of %CKPT_REC_PRCTL: what prctl(2) sets for a
 *	thread and has no place elsewhere
 * @what: CKPT_PRCTL_*
 * @mce_kill: PR_MCE_KILL_* as of PR_MCE_KILL_GET
 * @speculation: PR_SPEC_* as of PR_GET_SPECULATION_CTRL, by what it controls
 * @reserved: zero
 * @dispatch_start: of the code whose system calls are let pass, where @what has
 *	%CKPT_PRCTL_SYSCALL_DISPATCH; as of PR_SET_SYSCALL_USER_DISPATCH
 * @dispatch_len: of it
 * @dispatch_selector: address of the byte that tells, 0 if there is none
 */
struct ckpt_rec_prctl {
	__le32	what;
	__le32	mce_kill;
	__le32	speculation[3];
	__le32	reserved;
	__le64	dispatch_start;
	__le64	dispatch_len;
	__le64	dispatch_selector;
};

#define CKPT_PRCTL_NO_NEW_PRIVS	0x1U
#define CKPT_PRCTL_IO_FLUSHER	0x2U
#define CKPT_PRCTL_TSC_SIGSEGV	0x4U
#define CKPT_PRCTL_SECCOMP_STRICT 0x8U	/* SECCOMP_MODE_STRICT */
#define CKPT_PRCTL_SYSCALL_DISPATCH 0x10U
#define CKPT_PRCTL_NO_CPUID	0x20U	/* ARCH_SET_CPUID of arch_prctl(2) */
#define CKPT_PRCTL_KNOWN	0x3fU

/*
 * %CKPT_REC_LABEL: the label that a security module gave the task, in its own
 * words, without a NUL. There is none where no module gives any.
 */

/**
 * struct ckpt_rec_vfork - payload of %CKPT_REC_VFORK: the task sleeps in vfork(2)
 * @child: id of the task that has yet to execute a program or to end
 * @reserved: zero
 */
struct ckpt_rec_vfork {
	__le32	child;
	__le32	reserved;
};

/**
 * struct ckpt_rec_ptrace - payload of %CKPT_REC_PTRACE: a task of the tree traces it
 * @tracer: id of that task
 * @what: CKPT_PTRACE_*
 * @options: PTRACE_O_*
 * @stop: CKPT_STOP_*, where it is held
 * @exit_code: of that stop, as wait(2) is to tell it; 0 if it has
 * @stop_signal: by which its process stopped last, 0 if it never did
 * @message: as of PTRACE_GETEVENTMSG
 * @info: struct siginfo of the x86-64 ABI, as of PTRACE_GETSIGINFO; zero where it is
 *	not held, or with %CKPT_STOP_GROUP
 *
 * What is dead has but a tracer, %CKPT_PTRACE_SEIZED and options.
 */
struct ckpt_rec_ptrace {
	__le32	tracer;
	__le32	what;
	__le32	options;
	__le32	stop;
	__le32	exit_code;
	__le32	stop_signal;
	__le64	message;
	__u8	info[128];
};

#define CKPT_PTRACE_SEIZED	0x01U	/* by PTRACE_SEIZE */
#define CKPT_PTRACE_LISTENED	0x02U	/* by PTRACE_LISTEN, in the stop */
#define CKPT_PTRACE_TRAP_STOP	0x04U	/* is about to stop by PTRACE_INTERRUPT */
#define CKPT_PTRACE_TRAP_NOTIFY	0x08U	/* or since its process was continued */
#define CKPT_PTRACE_CALLS	0x10U	/* by PTRACE_SYSCALL */
#define CKPT_PTRACE_EMULATES	0x20U	/* by PTRACE_SYSEMU */
#define CKPT_PTRACE_STEPS	0x40U	/* by PTRACE_SINGLESTEP */
#define CKPT_PTRACE_BLOCKS	0x80U	/* by PTRACE_SINGLEBLOCK */
#define CKPT_PTRACE_IN_CALL	0x100U	/* of which the end was not reported */
#define CKPT_PTRACE_KNOWN	0x1ffU

#define CKPT_STOP_NONE		0	/* it runs */
#define CKPT_STOP_SIGNAL	1	/* a signal is about to take effect */
#define CKPT_STOP_GROUP		2	/* with its process, by PTRACE_ATTACH */
#define CKPT_STOP_TRAP		3	/* PTRACE_EVENT_STOP */
#define CKPT_STOP_CALL		4	/* a system call is about to begin */
#define CKPT_STOP_CALL_DONE	5	/* one has ended */
#define CKPT_STOP_EXEC		6	/* PTRACE_EVENT_EXEC */
#define CKPT_STOP_FORK		7	/* of FORK, CLONE, VFORK_DONE */
#define CKPT_STOP_SECCOMP	8	/* PTRACE_EVENT_SECCOMP */
#define CKPT_STOP_VFORK		9	/* PTRACE_EVENT_VFORK */
#define CKPT_STOP_EXIT		10	/* PTRACE_EVENT_EXIT */
#define CKPT_STOP_LAST		10

/**
 * struct ckpt_rec_debug - payload of %CKPT_REC_DEBUG, of x86
 * @address: DR0 to DR3
 * @status: DR6
 * @control: DR7
 */
struct ckpt_rec_debug {
	__le64	address[4];
	__le64	status;
	__le64	control;
};

#if defined(__KERNEL__) || defined(CKPT_IMAGE_ASSERTS)
/* The format does not change by accident. */
#define CKPT_ASSERT_SIZE(type, bytes) \
	_Static_assert(sizeof(struct type) == (bytes), #type)
CKPT_ASSERT_SIZE(ckpt_image_header, 512);
CKPT_ASSERT_SIZE(ckpt_record, 24);
CKPT_ASSERT_SIZE(ckpt_rec_end, 16);
CKPT_ASSERT_SIZE(ckpt_image_trailer, 32);
CKPT_ASSERT_SIZE(ckpt_frame, 16);
CKPT_ASSERT_SIZE(ckpt_rec_stat, 48);
CKPT_ASSERT_SIZE(ckpt_rec_file, 64);
CKPT_ASSERT_SIZE(ckpt_rec_file_process, 80);
CKPT_ASSERT_SIZE(ckpt_rec_file_pipe, 16);
CKPT_ASSERT_SIZE(ckpt_rec_pipe, 24);
CKPT_ASSERT_SIZE(ckpt_rec_pipe_buf, 8);
CKPT_ASSERT_SIZE(ckpt_rec_file_flags, 8);
CKPT_ASSERT_SIZE(ckpt_rec_file_pty, 16);
CKPT_ASSERT_SIZE(ckpt_termios, 44);
CKPT_ASSERT_SIZE(ckpt_winsize, 8);
CKPT_ASSERT_SIZE(ckpt_rec_pty, 120);
CKPT_ASSERT_SIZE(ckpt_rec_pty_end, 56);
CKPT_ASSERT_SIZE(ckpt_rec_ctty, 72);
CKPT_ASSERT_SIZE(ckpt_rec_eventfd, 16);
CKPT_ASSERT_SIZE(ckpt_rec_signalfd, 16);
CKPT_ASSERT_SIZE(ckpt_rec_fanotify, 32);
CKPT_ASSERT_SIZE(ckpt_rec_fanotify_mark, 16);
CKPT_ASSERT_SIZE(ckpt_rec_fanotify_deleted, 24);
CKPT_ASSERT_SIZE(ckpt_fanotify_handle, 2);
CKPT_ASSERT_SIZE(ckpt_rec_fanotify_event, 40);
CKPT_ASSERT_SIZE(ckpt_rec_pidfd, 16);
CKPT_ASSERT_SIZE(ckpt_rec_ended, 8);
CKPT_ASSERT_SIZE(ckpt_rec_file_ns, 16);
CKPT_ASSERT_SIZE(ckpt_rec_inotify, 24);
CKPT_ASSERT_SIZE(ckpt_rec_inotify_watch, 16);
CKPT_ASSERT_SIZE(ckpt_rec_inotify_event, 16);
CKPT_ASSERT_SIZE(ckpt_rec_timerfd, 40);
CKPT_ASSERT_SIZE(ckpt_rec_epoll, 16);
CKPT_ASSERT_SIZE(ckpt_rec_epoll_item, 32);
CKPT_ASSERT_SIZE(ckpt_rec_file_path, 16);
CKPT_ASSERT_SIZE(ckpt_rec_file_memfd, 24);
CKPT_ASSERT_SIZE(ckpt_rec_memfd, 32);
CKPT_ASSERT_SIZE(ckpt_rec_file_deleted, 24);
CKPT_ASSERT_SIZE(ckpt_rec_deleted, 48);
CKPT_ASSERT_SIZE(ckpt_rec_deleted_node, 8);
CKPT_ASSERT_SIZE(ckpt_rec_file_external, 8);
CKPT_ASSERT_SIZE(ckpt_rec_file_owner, 32);
CKPT_ASSERT_SIZE(ckpt_rec_file_lease, 40);
CKPT_ASSERT_SIZE(ckpt_rec_file_socket, 24);
CKPT_ASSERT_SIZE(ckpt_rec_sock_option, 8);
CKPT_ASSERT_SIZE(ckpt_rec_sock_unix, 40);
CKPT_ASSERT_SIZE(ckpt_rec_unix_link, 24);
CKPT_ASSERT_SIZE(ckpt_rec_unix_message, 40);
CKPT_ASSERT_SIZE(ckpt_rec_unix_right, 8);
CKPT_ASSERT_SIZE(ckpt_rec_inet_addr, 24);
CKPT_ASSERT_SIZE(ckpt_rec_sock_inet, 80);
CKPT_ASSERT_SIZE(ckpt_rec_udp_queue, 8);
CKPT_ASSERT_SIZE(ckpt_rec_udp_datagram, 72);
CKPT_ASSERT_SIZE(ckpt_rec_tcp_end, 32);
CKPT_ASSERT_SIZE(ckpt_rec_tcp_link, 72);
CKPT_ASSERT_SIZE(ckpt_rec_tcp_data, 8);
CKPT_ASSERT_SIZE(ckpt_rec_sock_netlink, 32);
CKPT_ASSERT_SIZE(ckpt_rec_sock_packet, 16);
CKPT_ASSERT_SIZE(ckpt_rec_packet_ring, 32);
CKPT_ASSERT_SIZE(ckpt_rec_packet_page, 8);
CKPT_ASSERT_SIZE(ckpt_rec_packet_member, 48);
CKPT_ASSERT_SIZE(ckpt_rec_packet_fanout, 8);
CKPT_ASSERT_SIZE(ckpt_rec_packet_stats, 8);
CKPT_ASSERT_SIZE(ckpt_rec_mm, 712);
CKPT_ASSERT_SIZE(ckpt_rec_vma, 40);
CKPT_ASSERT_SIZE(ckpt_rec_vma_name, 8);
CKPT_ASSERT_SIZE(ckpt_aio_event, 32);
CKPT_ASSERT_SIZE(ckpt_rec_aio, 24);
CKPT_ASSERT_SIZE(ckpt_rec_shmem, 16);
CKPT_ASSERT_SIZE(ckpt_rec_ipc, 40);
CKPT_ASSERT_SIZE(ckpt_rec_shm, 88);
CKPT_ASSERT_SIZE(ckpt_rec_file_shm, 16);
CKPT_ASSERT_SIZE(ckpt_page_run, 16);
CKPT_ASSERT_SIZE(ckpt_rec_pagemap, 16);
CKPT_ASSERT_SIZE(ckpt_rec_pagemap_parent, 8);
CKPT_ASSERT_SIZE(ckpt_rec_pagemap_same, 8);
CKPT_ASSERT_SIZE(ckpt_rec_files, 8);
CKPT_ASSERT_SIZE(ckpt_rec_fd, 16);
CKPT_ASSERT_SIZE(ckpt_rec_lock, 32);
CKPT_ASSERT_SIZE(ckpt_rec_fs, 8);
CKPT_ASSERT_SIZE(ckpt_rec_cred, 80);
CKPT_ASSERT_SIZE(ckpt_rec_seccomp, 16);
CKPT_ASSERT_SIZE(ckpt_rec_sock_filter, 8);
CKPT_ASSERT_SIZE(ckpt_rec_tcp_waiting, 8);
CKPT_ASSERT_SIZE(ckpt_rec_insn, 8);
CKPT_ASSERT_SIZE(ckpt_rec_sighand, 2048);
CKPT_ASSERT_SIZE(ckpt_rec_sem_undo, 8);
CKPT_ASSERT_SIZE(ckpt_rec_sem_adjust, 8);
CKPT_ASSERT_SIZE(ckpt_sem, 8);
CKPT_ASSERT_SIZE(ckpt_rec_sem_set, 56);
CKPT_ASSERT_SIZE(ckpt_rec_msg_queue, 80);
CKPT_ASSERT_SIZE(ckpt_rec_msg, 8);
CKPT_ASSERT_SIZE(ckpt_rec_mqueue, 56);
CKPT_ASSERT_SIZE(ckpt_rec_file_mqueue, 24);
CKPT_ASSERT_SIZE(ckpt_rec_signal, 48);
CKPT_ASSERT_SIZE(ckpt_rec_usage, 160);
CKPT_ASSERT_SIZE(ckpt_rec_rlimits, 256);
CKPT_ASSERT_SIZE(ckpt_rec_itimers, 56);
CKPT_ASSERT_SIZE(ckpt_rec_posix_timer, 64);
CKPT_ASSERT_SIZE(ckpt_rec_siginfo, 128);
CKPT_ASSERT_SIZE(ckpt_rec_task, 96);
CKPT_ASSERT_SIZE(ckpt_rec_cpu, 216);
CKPT_ASSERT_SIZE(ckpt_rec_tls, 48);
CKPT_ASSERT_SIZE(ckpt_rec_sigmask, 40);
CKPT_ASSERT_SIZE(ckpt_rec_restart_block, 40);
CKPT_ASSERT_SIZE(ckpt_rec_sched, 1088);
CKPT_ASSERT_SIZE(ckpt_rec_rseq, 16);
CKPT_ASSERT_SIZE(ckpt_rec_prctl, 48);
CKPT_ASSERT_SIZE(ckpt_rec_ptrace, 160);
CKPT_ASSERT_SIZE(ckpt_rec_debug, 48);
CKPT_ASSERT_SIZE(ckpt_rec_vfork, 8);
#endif

#endif /* _UAPI_LINUX_CHECKPOINT_IMAGE_H */
