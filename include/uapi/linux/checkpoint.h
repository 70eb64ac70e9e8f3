/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Checkpoint and restart: the numbers and flags of the two system calls.
 *
 *	id  = checkpoint(pid, fd, flags [, logfd [, external, nr]]);
 *	id  = checkpoint(pid, fd, flags, logfd, args, size);
 *	pid = restart(pid, fd, flags [, logfd [, external, nr]]);
 *
 * The calls take three arguments. Others are read only where a flag says
 * that they are there, so that callers which know of three stay right.
 */
#ifndef _UAPI_LINUX_CHECKPOINT_H
#define _UAPI_LINUX_CHECKPOINT_H

#include <asm/unistd.h>
#include <linux/types.h>

/*
 * The same numbers in the 64-bit and in the i386 table. They stand well above
 * what upstream has assigned and below 512, where x32 has its own.
 */
#ifndef __NR_checkpoint
#define __NR_checkpoint		500
#endif
#ifndef __NR_restart
#define __NR_restart		501
#endif

/**
 * DOC: flags of checkpoint()
 *
 * By default the tasks run on after they were captured.
 *
 * %CHECKPOINT_KILL: end the tasks with SIGKILL once the whole image has been
 * written. If writing fails they run on.
 *
 * %CHECKPOINT_STOP: stop the tasks with SIGSTOP once the image has been
 * written.
 *
 * %CHECKPOINT_LOGFD: the fourth argument is a descriptor open for writing, to
 * which each refusal and each failure writes one line.
 *
 * %CHECKPOINT_EXTERNAL: the fifth argument is an array of struct
 * checkpoint_external, the sixth the number of its elements: files that are left
 * alone, as the restarter will supply others for them.
 *
 * %CHECKPOINT_TRACK: keep in memory what the private memory of the tasks was, shared
 * with them as after fork(2), so that a later checkpoint can tell what changed.
 *
 * %CHECKPOINT_PARENT: the fifth argument is a struct checkpoint_args, the sixth its
 * size. The image holds only what changed since the one whose UUID is given there,
 * which was written with %CHECKPOINT_TRACK.
 *
 * %CHECKPOINT_CHECKSUM: the image has checksums of its pages, which a restart
 * compares before anything runs.
 *
 * %CHECKPOINT_LZ4, %CHECKPOINT_ZSTD: compress the pages. Each frame of them has a
 * checksum then, so that %CHECKPOINT_CHECKSUM adds nothing.
 */
#define CHECKPOINT_KILL		0x00000001
#define CHECKPOINT_STOP		0x00000002
#define CHECKPOINT_LOGFD	0x00000004
#define CHECKPOINT_EXTERNAL	0x00000008
#define CHECKPOINT_TRACK	0x00000010
#define CHECKPOINT_PARENT	0x00000020
#define CHECKPOINT_CHECKSUM	0x00000040
#define CHECKPOINT_LZ4		0x00000080
#define CHECKPOINT_ZSTD		0x00000100
#define CHECKPOINT_FLAGS	(CHECKPOINT_KILL | CHECKPOINT_STOP | \
				 CHECKPOINT_LOGFD | CHECKPOINT_EXTERNAL | \
				 CHECKPOINT_TRACK | CHECKPOINT_PARENT | \
				 CHECKPOINT_CHECKSUM | CHECKPOINT_LZ4 | \
				 CHECKPOINT_ZSTD)

/**
 * DOC: flags of restart()
 *
 * %RESTART_LOGFD: as %CHECKPOINT_LOGFD.
 *
 * %RESTART_NEW_PIDS: with pid 0, give the tasks whatever pids are free rather
 * than those that they had.
 *
 * %RESTART_STOPPED: with pid 0, the tasks are stopped by SIGSTOP before they
 * execute their first instruction.
 *
 * %RESTART_EAGER: read all memory before anything runs, where it would be mapped
 * from a file that the image is in.
 *
 * %RESTART_FORCE_FILES: take files that changed since the checkpoint as they
 * are.
 *
 * %RESTART_EXTERNAL: the fifth argument is an array of struct
 * checkpoint_external, the sixth the number of its elements: what is supplied for
 * files of those names.
 *
 * %RESTART_TCP_CLOSE: connections of TCP that lead outside the tree are closed, as
 * if they had been reset; otherwise an image that has any is refused.
 */
#define RESTART_LOGFD		0x00000001
#define RESTART_NEW_PIDS	0x00000002
#define RESTART_STOPPED		0x00000004
#define RESTART_FORCE_FILES	0x00000008
#define RESTART_EAGER		0x00000010
#define RESTART_EXTERNAL	0x00000020
#define RESTART_TCP_CLOSE	0x00000100
#define RESTART_FLAGS		(RESTART_LOGFD | RESTART_NEW_PIDS | \
				 RESTART_STOPPED | RESTART_FORCE_FILES | \
				 RESTART_EAGER | RESTART_EXTERNAL | \
				 RESTART_TCP_CLOSE)

/**
 * struct checkpoint_external - a file that leads outside of the tree
 * @name: address of its name, as /proc/PID/fd shows it: a path, pipe:[123],
 *	socket:[456] and so on
 * @fd: restart: the descriptor that is supplied; -1 at checkpoint
 * @reserved: zero
 *
 * Of several with one name the first is taken that is open for what it has to be
 * open for: so the ends of a pipe are told from each other.
 */
struct checkpoint_external {
	__aligned_u64	name;
	__s32		fd;
	__u32		reserved;
};

/* Bytes of what tells one image from all others; see struct ckpt_image_header. */
#define CHECKPOINT_UUID_LEN	16

/**
 * struct checkpoint_args - what does not fit into six arguments
 * @external: address of an array of struct checkpoint_external; 0 without
 *	%CHECKPOINT_EXTERNAL
 * @nr: the number of its elements; likewise
 * @reserved: zero
 * @parent: UUID of the parent, as its header has it
 *
 * Its size goes along with it: what a kernel does not know of has to be zero.
 */
struct checkpoint_args {
	__aligned_u64	external;
	__u32		nr;
	__u32		reserved;
	__u8		parent[CHECKPOINT_UUID_LEN];
};

#define CHECKPOINT_ARGS_SIZE_VER0	32

#endif /* _UAPI_LINUX_CHECKPOINT_H */
