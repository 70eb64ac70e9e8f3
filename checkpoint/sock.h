/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets: what those of all families have in common. */
#ifndef _CHECKPOINT_SOCK_H
#define _CHECKPOINT_SOCK_H

#include <linux/types.h>

#include "kind.h"

struct sock;
struct socket;

void ckpt_sock_describe(const void *obj, char *buf, size_t len);
int ckpt_sock_supported(struct ckpt_ctx *ctx, struct sock *sk);
int ckpt_sock_options_save(struct ckpt_ctx *ctx, struct sock *sk);
int ckpt_sock_options_restore(struct rstr_ctx *ctx, struct rstr_obj *obj,
			      struct socket *sock);
extern const struct ckpt_part ckpt_sock_option_part;

/* In sock_filter.c. */
const char *ckpt_sock_filter_has(const struct sock *sk);
int ckpt_sock_filter_save(struct ckpt_ctx *ctx, struct sock *sk);
int ckpt_sock_filter_restore(struct rstr_ctx *ctx, struct rstr_obj *obj,
			     struct sock *sk);
extern const struct ckpt_part ckpt_sock_filter_part;

/* In file_socket.c. */
int ckpt_socket_create(struct rstr_ctx *ctx, struct rstr_obj *obj, int family,
		       int type, int protocol);

/* In sock_packet_ring.c. */
const char *ckpt_packet_rings_have(struct sock *sk);
int ckpt_packet_rings_save(struct ckpt_ctx *ctx, struct sock *sk);
int ckpt_packet_rings_check(struct rstr_ctx *ctx, struct rstr_obj *obj);
int ckpt_packet_rings_restore(struct rstr_ctx *ctx, struct rstr_obj *obj,
			      struct socket *sock);
extern const struct ckpt_part ckpt_packet_ring_part;
extern const struct ckpt_part ckpt_packet_page_part;
extern const struct ckpt_part ckpt_packet_stats_part;

#ifdef CONFIG_INET
/* In sock_inet.c. */
void ckpt_inet_describe(const struct sock *sk, char *buf, size_t len);
#else
static inline void ckpt_inet_describe(const struct sock *sk, char *buf,
				      size_t len)
{
}
#endif

#ifdef CONFIG_UNIX
/* In net/unix/af_unix.c. */
void ckpt_unix_describe(struct sock *sk, char *buf, size_t len);
#else
static inline void ckpt_unix_describe(struct sock *sk, char *buf, size_t len)
{
}
#endif

#endif
