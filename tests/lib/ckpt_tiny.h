/* SPDX-License-Identifier: GPL-2.0-only */
/* A process that is next to nothing, but has a bit of everything. */
#ifndef CKPT_TINY_H
#define CKPT_TINY_H

#include <sys/types.h>

/*
 * Make a child that sleeps in pause(2) for ever, in a page of its own that is
 * its code and its stack, with one shared page and one of a file besides.
 * Returns its pid, or -1.
 */
pid_t ckpt_tiny_start(void);

/*
 * Make one that has, in place of open files, a bit of each kind of IPC, and a
 * context of asynchronous I/O.
 */
pid_t ckpt_tiny_ipc(void);

/*
 * Make one that watches files, and has descriptors of itself, of namespaces and of
 * devices, of what was deleted and of who has ended.
 */
pid_t ckpt_tiny_watch(void);

/*
 * Make one that has sockets of TCP and UDP in all kinds of states, and a packet socket
 * with rings. It needs the loopback interface, which ckpt_tiny_loopback() brings up
 * where one is.
 */
pid_t ckpt_tiny_inet(void);
int ckpt_tiny_loopback(void);

/*
 * Make a small tree of processes that have even less: two threads beside the
 * root, a child with a process group and a thread that shares the descriptors,
 * one with a session, one that waits in vfork(2) for a child of its own, and a
 * zombie.
 */
pid_t ckpt_tiny_tree(void);

/* Make one that traces five children, each of which is in another stop. */
pid_t ckpt_tiny_traced(void);

/*
 * Make one with a child, with which it has memory in common since it was forked, and
 * a huge page of the pool each.
 */
pid_t ckpt_tiny_same(void);

/* Whether it has got there; for a tree, its root, which is the last to. */
int ckpt_tiny_wait(pid_t pid);

#endif /* CKPT_TINY_H */
