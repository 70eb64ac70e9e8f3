// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packet sockets. What waits to be read is lost, as it is when there is no room: they
 * watch what goes by on a network that has gone on in the meantime.
 */
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/string.h>
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

	if ((type != SOCK_RAW && type != SOCK_DGRAM && type != SOCK_PACKET) ||
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

static int ckpt_packet_bind(struct socket *sock,
			    const struct ckpt_rec_sock_packet *rec)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(le32_to_cpu(rec->protocol)),
		.sll_ifindex = le32_to_cpu(rec->interface),
	};

	return addr.sll_protocol ?
	       kernel_bind(sock, (struct sockaddr *)&addr, sizeof(addr)) : 0;
}

/* SOCK_PACKET has a protocol from the beginning, and is bound to a name. */
static int ckpt_packet_bind_name(struct socket *sock,
				 const struct ckpt_rec_sock_packet *rec)
{
	struct sockaddr addr = { .sa_family = AF_PACKET };
	struct net_device *dev;
	ssize_t len;
	int err;

	if (!rec->interface)
		return 0;
	dev = dev_get_by_index(sock_net(sock->sk), le32_to_cpu(rec->interface));
	if (!dev)
		return -ENODEV;
	len = strscpy(addr.sa_data_min, dev->name);
	dev_put(dev);
	if (len < 0)
		return -ENAMETOOLONG;
	err = kernel_bind(sock, &addr, sizeof(addr));
	/* What has come before that, from whatever interface. */
	skb_queue_purge(&sock->sk->sk_receive_queue);
	return err;
}

static int ckpt_packet_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_sock_packet *rec = rstr_payload(obj->rec);
	u32 type = le32_to_cpu(rec->type);
	bool named = type == SOCK_PACKET;
	struct socket *sock;
	int protocol = 0, err;

	if (!obj->private)
		return rstr_bad(ctx, obj->rec, "is nobody's");
	/* Of the others none gets anything before it is bound. */
	if (named)
		protocol = (__force u16)htons(le32_to_cpu(rec->protocol));
	err = ckpt_socket_create(ctx, obj, PF_PACKET, type, protocol);
	if (err)
		return err;
	sock = ((struct sock *)obj->ptr)->sk_socket;
	err = ckpt_packet_options(sock, le32_to_cpu(rec->what));
	if (!err)
		err = named ? ckpt_packet_bind_name(sock, rec) :
			      ckpt_packet_bind(sock, rec);
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "packet socket of interface %u: %pe",
				   le32_to_cpu(rec->interface), ERR_PTR(err));
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
