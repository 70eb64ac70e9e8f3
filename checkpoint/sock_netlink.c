// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets of netlink. What waits to be read is not kept: who listens to a group is
 * told that he has missed something, as when he is too slow. Others wait for an
 * answer, which can't be had again: these are refused.
 */
#include <linux/net.h>
#include <linux/netlink.h>
#include <net/sock.h>

#include "../net/netlink/af_netlink.h"
#include "checkpoint.h"
#include "limits.h"
#include "restart.h"
#include "sock.h"

/* Options that are bits, and where the kernel has them. */
static const struct {
	int	option;
	int	flag;
} ckpt_netlink_options[] = {
	{ NETLINK_PKTINFO, NETLINK_F_RECV_PKTINFO },
	{ NETLINK_BROADCAST_ERROR, NETLINK_F_BROADCAST_SEND_ERROR },
	{ NETLINK_NO_ENOBUFS, NETLINK_F_RECV_NO_ENOBUFS },
	{ NETLINK_LISTEN_ALL_NSID, NETLINK_F_LISTEN_ALL_NSID },
	{ NETLINK_CAP_ACK, NETLINK_F_CAP_ACK },
	{ NETLINK_EXT_ACK, NETLINK_F_EXT_ACK },
	{ NETLINK_GET_STRICT_CHK, NETLINK_F_STRICT_CHK },
};

static bool ckpt_netlink_match(const void *obj)
{
	const struct sock *sk = obj;

	return sk->sk_family == AF_NETLINK;
}

static u32 ckpt_netlink_flags(struct sock *sk)
{
	u32 flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ckpt_netlink_options); i++)
		if (test_bit(ckpt_netlink_options[i].flag, &nlk_sk(sk)->flags))
			flags |= BIT(ckpt_netlink_options[i].option);
	return flags;
}

static const char *ckpt_netlink_has(struct sock *sk)
{
	const struct netlink_sock *nlk = nlk_sk(sk);

	if (test_bit(NETLINK_F_KERNEL_SOCKET, &nlk->flags))
		return "of the kernel's";
	if (nlk->cb_running)
		return "with an answer under way";
	if (!nlk->subscriptions &&
	    !skb_queue_empty_lockless(&sk->sk_receive_queue))
		return "with an answer to be read";
	return NULL;
}

static int ckpt_netlink_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct sock *sk = obj;
	const struct netlink_sock *nlk = nlk_sk(sk);
	u32 words = DIV_ROUND_UP(nlk->groups ? nlk->ngroups : 0, 64);
	const char *has = ckpt_netlink_has(sk);
	struct ckpt_rec_sock_netlink *rec;
	int err;

	err = ckpt_sock_supported(ctx, sk);
	if (err)
		return err;
	if (has)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "netlink socket %s: not supported", has);
	rec = ckpt_object_add(ctx, CKPT_REC_SOCK_NETLINK, sk,
			      struct_size(rec, groups, words));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->type = cpu_to_le32(sk->sk_type);
	rec->protocol = cpu_to_le32(sk->sk_protocol);
	rec->portid = cpu_to_le32(nlk->bound ? nlk->portid : 0);
	if (READ_ONCE(sk->sk_state) == NETLINK_CONNECTED)
		rec->what = cpu_to_le32(CKPT_NETLINK_CONNECTED);
	rec->dst_portid = cpu_to_le32(nlk->dst_portid);
	rec->dst_group = cpu_to_le32(nlk->dst_group);
	rec->error = cpu_to_le32(READ_ONCE(sk->sk_err));
	if (!skb_queue_empty_lockless(&sk->sk_receive_queue))
		rec->error = cpu_to_le32(ENOBUFS);
	rec->flags = cpu_to_le32(ckpt_netlink_flags(sk));
	for (u32 i = 0; i < words; i++)
		rec->groups[i] = cpu_to_le64(nlk->groups[i]);
	return ckpt_sock_options_save(ctx, sk);
}

static u32 ckpt_netlink_words(const struct rstr_obj *obj)
{
	return (rstr_size(obj->rec) - sizeof(struct ckpt_rec_sock_netlink)) / 8;
}

static int ckpt_netlink_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_sock_netlink *rec = rstr_payload(obj->rec);
	u32 flags = le32_to_cpu(rec->flags), type = le32_to_cpu(rec->type);

	for (size_t i = 0; i < ARRAY_SIZE(ckpt_netlink_options); i++)
		flags &= ~BIT(ckpt_netlink_options[i].option);
	if ((type != SOCK_RAW && type != SOCK_DGRAM) || flags ||
	    le32_to_cpu(rec->protocol) >= MAX_LINKS ||
	    le32_to_cpu(rec->what) & ~CKPT_NETLINK_CONNECTED ||
	    le32_to_cpu(rec->error) > MAX_ERRNO ||
	    le32_to_cpu(rec->dst_group) > 32 ||
	    ckpt_netlink_words(obj) > CKPT_NETLINK_WORDS_MAX ||
	    rstr_size(obj->rec) % 8)
		return rstr_bad(ctx, obj->rec, "type %u, protocol %u, flags %#x",
				type, le32_to_cpu(rec->protocol), flags);
	return 0;
}

static int ckpt_netlink_option(struct socket *sock, int option, int value)
{
	return sock->ops->setsockopt(sock, SOL_NETLINK, option,
				     KERNEL_SOCKPTR(&value), sizeof(value));
}

static int ckpt_netlink_options_restore(struct rstr_obj *obj,
					struct socket *sock)
{
	const struct ckpt_rec_sock_netlink *rec = rstr_payload(obj->rec);
	u32 flags = le32_to_cpu(rec->flags);
	int err = 0, option;

	for (size_t i = 0; i < ARRAY_SIZE(ckpt_netlink_options) && !err; i++) {
		option = ckpt_netlink_options[i].option;
		if (flags & BIT(option))
			err = ckpt_netlink_option(sock, option, 1);
	}
	for (u32 i = 0; i < ckpt_netlink_words(obj) * 64 && !err; i++)
		if (le64_to_cpu(rec->groups[i / 64]) & BIT_ULL(i % 64))
			err = ckpt_netlink_option(sock, NETLINK_ADD_MEMBERSHIP,
						  i + 1);
	return err;
}

static int ckpt_netlink_bind(const struct ckpt_rec_sock_netlink *rec,
			     struct socket *sock)
{
	struct sockaddr_nl addr = {
		.nl_family = AF_NETLINK,
		.nl_pid = le32_to_cpu(rec->portid),
	};
	int err = 0;

	/* Groups are left as they are: those of the address are but the first. */
	if (nlk_sk(sock->sk)->groups)
		addr.nl_groups = nlk_sk(sock->sk)->groups[0];
	if (rec->portid)
		err = kernel_bind(sock, (struct sockaddr *)&addr, sizeof(addr));
	if (err || !rec->what)
		return err;
	addr.nl_pid = le32_to_cpu(rec->dst_portid);
	addr.nl_groups = rec->dst_group ?
			 BIT(le32_to_cpu(rec->dst_group) - 1) : 0;
	return kernel_connect(sock, (struct sockaddr *)&addr, sizeof(addr), 0);
}

static int ckpt_netlink_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_sock_netlink *rec = rstr_payload(obj->rec);
	struct sock *sk;
	int err;

	if (!obj->private)
		return rstr_bad(ctx, obj->rec, "is nobody's");
	err = ckpt_socket_create(ctx, obj, PF_NETLINK, le32_to_cpu(rec->type),
				 le32_to_cpu(rec->protocol));
	if (err)
		return err;
	sk = obj->ptr;
	err = ckpt_netlink_options_restore(obj, sk->sk_socket);
	if (!err)
		err = ckpt_netlink_bind(rec, sk->sk_socket);
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "netlink socket of protocol %u, port %u: %pe",
				   le32_to_cpu(rec->protocol),
				   le32_to_cpu(rec->portid), ERR_PTR(err));
	WRITE_ONCE(sk->sk_err, le32_to_cpu(rec->error));
	return 0;
}

static const struct ckpt_part *const ckpt_netlink_parts[] = {
	&ckpt_sock_option_part,
	&ckpt_sock_filter_part,
	NULL
};

const struct ckpt_kind ckpt_sock_netlink_kind = {
	.type		= CKPT_REC_SOCK_NETLINK,
	.family		= CKPT_SOCK,
	.name		= "netlink socket",
	.size		= sizeof(struct ckpt_rec_sock_netlink),
	.open_ended	= true,
	.parts		= ckpt_netlink_parts,
	.match		= ckpt_netlink_match,
	.checkpoint	= ckpt_netlink_checkpoint,
	.check		= ckpt_netlink_check,
	.restore	= ckpt_netlink_restore,
};
