/* SPDX-License-Identifier: GPL-2.0-only */
/* The network that every machine has, and what is said by way of it. */
#ifndef CKPT_INET_H
#define CKPT_INET_H

#include <stdbool.h>
#include <sys/socket.h>

/* In a target: have the loopback interface be up. */
void ckpt_loopback_up(void);

/**
 * ckpt_loopback() - an address of one's own
 * @addr: to be filled in
 * @family: AF_INET or AF_INET6
 * @port: 0 for any
 *
 * Return: its length
 */
socklen_t ckpt_loopback(struct sockaddr_storage *addr, int family, int port);

/* As connect(2), to a port of one's own. */
int ckpt_connect(int fd, int family, int port);

/* In a target: send a text. */
void ckpt_put(int fd, const char *text);

/* Whether that is what there is to read; or that nothing more will be. Within a
 * second, as it may be on its way.
 */
bool ckpt_gets(int fd, const char *text);
bool ckpt_at_end(int fd);

/* In a target: an option of a socket, a number. */
int ckpt_option(int fd, int level, int name);
void ckpt_set_option(int fd, int level, int name, int value);

#endif /* CKPT_INET_H */
