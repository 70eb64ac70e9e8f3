/* SPDX-License-Identifier: GPL-2.0-only */
/* The network that every machine has. */
#ifndef CKPT_INET_H
#define CKPT_INET_H

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

#endif /* CKPT_INET_H */
