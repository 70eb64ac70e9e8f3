// SPDX-License-Identifier: GPL-2.0-only
/* Sockets: what those of all families have in common, but for their options. */
#include <linux/nsproxy.h>
#include <linux/skmsg.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/sock_reuseport.h>

#include "checkpoint.h"
#include "sock.h"

static const char *ckpt_sock_family(const struct sock *sk)
{
	switch (sk->sk_family) {
	case AF_UNIX:
		return "unix";
	case AF_INET:
		return "IPv4";
	case AF_INET6:
		return "IPv6";
	case AF_NETLINK:
		return "netlink";
	case AF_PACKET:
		return "packet";
	}
	return "other";
}

/**
 * ckpt_sock_describe() - say which socket it is
 * @obj: the socket
 * @buf: where
 * @len: its size
 */
void ckpt_sock_describe(const void *obj, char *buf, size_t len)
{
	struct sock *sk = (struct sock *)obj;

	snprintf(buf, len, "%s socket", sk ? ckpt_sock_family(sk) : "dead");
	if (!sk)
		return;
	if (sk->sk_family == AF_UNIX)
		ckpt_unix_describe(sk, buf + strlen(buf), len - strlen(buf));
	else if (sk_is_inet(sk))
		ckpt_inet_describe(sk, buf + strlen(buf), len - strlen(buf));
}

static bool ckpt_sock_has_chooser(struct sock *sk)
{
	struct sock_reuseport *reuse;

	guard(rcu)();
	reuse = rcu_dereference(sk->sk_reuseport_cb);
	return reuse && rcu_access_pointer(reuse->prog);
}

static const char *ckpt_sock_has(struct sock *sk)
{
	guard(rcu)();
	if (sk_psock(sk))
		return "in a map of BPF's";
	if (sock_net(sk) != current->nsproxy->net_ns)
		return "of another network namespace";
	if (ckpt_sock_has_chooser(sk))
		return "with a program that chooses among sockets";
	if (sock_flag(sk, SOCK_TXTIME))
		return "with SO_TXTIME";
	if (!skb_queue_empty_lockless(&sk->sk_error_queue))
		return "with errors that wait to be read";
	return ckpt_sock_filter_has(sk);
}

/**
 * ckpt_sock_supported() - look for what any socket may have
 * @ctx: the checkpoint
 * @sk: the socket
 *
 * Return: 0 or -EOPNOTSUPP.
 */
int ckpt_sock_supported(struct ckpt_ctx *ctx, struct sock *sk)
{
	const char *has = ckpt_sock_has(sk);
	char what[160];

	if (!has)
		return 0;
	ckpt_sock_describe(sk, what, sizeof(what));
	return ckpt_refuse(&ctx->log, -EOPNOTSUPP, "%s %s: not supported", what,
			   has);
}
