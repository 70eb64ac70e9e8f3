/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets of the internet families. */
#ifndef _CHECKPOINT_SOCK_INET_H
#define _CHECKPOINT_SOCK_INET_H

#include <linux/in6.h>
#include <linux/socket.h>
#include <linux/types.h>
#include <linux/checkpoint_image.h>

struct ckpt_ctx;
struct rstr_ctx;
struct rstr_obj;
struct net;
struct sock;
struct socket;

/**
 * struct ckpt_tcp_addr - an address, whatever the family
 * @addr: of IPv6, or mapped to that
 * @port: in host order
 */
struct ckpt_tcp_addr {
	struct in6_addr	addr;
	u16		port;
};

void ckpt_inet_address(const struct sock *sk, struct ckpt_rec_inet_addr *addr,
		       bool peer);
int ckpt_inet_sockaddr(int family, const struct ckpt_rec_inet_addr *addr,
		       struct sockaddr_storage *storage);
int ckpt_inet_bind(struct rstr_ctx *ctx, struct sock *sk,
		   const struct ckpt_rec_sock_inet *rec);
int ckpt_inet_connect(struct rstr_ctx *ctx, struct sock *sk,
		      const struct ckpt_rec_sock_inet *rec);
int ckpt_inet_refuse(struct ckpt_ctx *ctx, const struct sock *sk,
		     const char *has);

/* In sock_tcp_port.c. */
bool ckpt_port_is_taken(struct sock *sk, unsigned char reuse);

/* In sock_tcp_repair.c. */
struct sock *ckpt_tcp_lookup(struct net *net, const struct ckpt_tcp_addr *own,
			     const struct ckpt_tcp_addr *peer);
void ckpt_tcp_forget(struct net *net, const struct ckpt_tcp_addr *own,
		     const struct ckpt_tcp_addr *peer);
int ckpt_tcp_repair_begin(struct sock *sk, const struct ckpt_rec_tcp_end *own,
			  const struct ckpt_rec_tcp_end *other);
int ckpt_tcp_repair_fill(struct rstr_obj *obj, struct sock *sk, u32 end);
void ckpt_tcp_repair_end(struct sock *sk, unsigned char reuse);
int ckpt_tcp_queue_restore(struct rstr_obj *obj, struct sock *sk, u32 end,
			   u32 what);

/* In sock_tcp_accept.c. */
int ckpt_tcp_waiting_save(struct ckpt_ctx *ctx, struct sock *sk);
int ckpt_tcp_waiting_restore(struct rstr_ctx *ctx, struct rstr_obj *obj,
			     struct rstr_obj *waits);
int ckpt_tcp_lend(struct sock *sk, struct socket **lent);
void ckpt_tcp_return(struct sock *sk, struct socket *lent);

/* In sock_tcp.c and sock_udp.c. */
int ckpt_tcp_conclude(struct ckpt_ctx *ctx, struct sock *sk);
int ckpt_udp_conclude(struct ckpt_ctx *ctx, struct sock *sk);

#endif
