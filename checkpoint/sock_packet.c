// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packet sockets. What waits to be read is lost, as it is when there is no room: they
 * watch what goes by on a network that has gone on in the meantime.
 */
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net.h>
#include <net/sock.h>

#include "../net/packet/internal.h"
#include "checkpoint.h"
#include "restart.h"
#include "sock.h"

static bool ckpt_packet_match(const void *obj)
{
	const struct sock *sk = obj;

	return sk->sk_family == AF_PACKET;
}

static const char *ckpt_packet_has(const struct sock *sk)
{
	struct packet_sock *po = pkt_sk((struct sock *)sk);

	if (sk->sk_type == SOCK_PACKET)
		return "of the obsolete kind";
	if (po->fanout)
		return "of a group (PACKET_FANOUT)";
	if (po->rx_ring.pg_vec || po->tx_ring.pg_vec)
		return "with a ring";
	if (po->mclist)
		return "with addresses of its own (PACKET_ADD_MEMBERSHIP)";
	if (READ_ONCE(po->vnet_hdr_sz) || po->copy_thresh || po->tp_reserve ||
	    po->tp_tstamp || po->tp_version != TPACKET_V1)
		return "with options of its own";
	return NULL;
}

static int ckpt_packet_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct sock *sk = obj;
	struct packet_sock *po = pkt_sk(sk);
	const char *has = ckpt_packet_has(sk);
	struct ckpt_rec_sock_packet *rec;
	u32 what = 0;
	int err;

	err = ckpt_sock_supported(ctx, sk);
	if (err)
		return err;
	if (has)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "packet socket %s: not supported", has);
	rec = ckpt_object_add(ctx, CKPT_REC_SOCK_PACKET, sk, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	if (packet_sock_flag(po, PACKET_SOCK_AUXDATA))
		what |= CKPT_PACKET_AUXDATA;
	if (packet_sock_flag(po, PACKET_SOCK_ORIGDEV))
		what |= CKPT_PACKET_ORIGDEV;
	rec->type = cpu_to_le32(sk->sk_type);
	rec->protocol = cpu_to_le32(ntohs(READ_ONCE(po->num)));
	rec->interface = cpu_to_le32(max(READ_ONCE(po->ifindex), 0));
	rec->what = cpu_to_le32(what);
	return ckpt_sock_options_save(ctx, sk);
}

static int ckpt_packet_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_sock_packet *rec = rstr_payload(obj->rec);
	u32 type = le32_to_cpu(rec->type);

	if ((type != SOCK_RAW && type != SOCK_DGRAM) ||
	    le32_to_cpu(rec->protocol) > U16_MAX ||
	    le32_to_cpu(rec->interface) > INT_MAX ||
	    le32_to_cpu(rec->what) & ~CKPT_PACKET_KNOWN)
		return rstr_bad(ctx, obj->rec, "type %u, protocol %#x", type,
				le32_to_cpu(rec->protocol));
	return 0;
}

static int ckpt_packet_options(struct socket *sock, u32 what)
{
	int on = 1, err = 0;

	if (what & CKPT_PACKET_AUXDATA)
		err = sock->ops->setsockopt(sock, SOL_PACKET, PACKET_AUXDATA,
					    KERNEL_SOCKPTR(&on), sizeof(on));
	if (!err && (what & CKPT_PACKET_ORIGDEV))
		err = sock->ops->setsockopt(sock, SOL_PACKET, PACKET_ORIGDEV,
					    KERNEL_SOCKPTR(&on), sizeof(on));
	return err;
}

static int ckpt_packet_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_sock_packet *rec = rstr_payload(obj->rec);
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(le32_to_cpu(rec->protocol)),
		.sll_ifindex = le32_to_cpu(rec->interface),
	};
	struct sock *sk;
	int err;

	if (!obj->private)
		return rstr_bad(ctx, obj->rec, "is nobody's");
	/* It gets nothing before it is bound. */
	err = ckpt_socket_create(ctx, obj, PF_PACKET, le32_to_cpu(rec->type),
				 0);
	if (err)
		return err;
	sk = obj->ptr;
	err = ckpt_packet_options(sk->sk_socket, le32_to_cpu(rec->what));
	if (!err && addr.sll_protocol)
		err = kernel_bind(sk->sk_socket, (struct sockaddr *)&addr,
				  sizeof(addr));
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "packet socket of interface %d: %pe",
				   addr.sll_ifindex, ERR_PTR(err));
	return 0;
}

static const struct ckpt_part *const ckpt_packet_parts[] = {
	&ckpt_sock_option_part,
	&ckpt_sock_filter_part,
	NULL
};

const struct ckpt_kind ckpt_sock_packet_kind = {
	.type		= CKPT_REC_SOCK_PACKET,
	.family		= CKPT_SOCK,
	.name		= "packet socket",
	.size		= sizeof(struct ckpt_rec_sock_packet),
	.parts		= ckpt_packet_parts,
	.match		= ckpt_packet_match,
	.checkpoint	= ckpt_packet_checkpoint,
	.check		= ckpt_packet_check,
	.restore	= ckpt_packet_restore,
};
