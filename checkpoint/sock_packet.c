// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packet sockets. What waits to be read is lost, as it is when there is no room: they
 * watch what goes by on a network that has gone on in the meantime. What is in a ring is
 * memory that a process has, and is kept; see sock_packet_ring.c.
 */
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/string.h>
#include <net/sock.h>

#include "../net/packet/internal.h"
#include "checkpoint.h"
#include "limits.h"
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

	const struct packet_fanout *group = READ_ONCE(po->fanout);

	if (group && (group->type == PACKET_FANOUT_CBPF ||
		      group->type == PACKET_FANOUT_EBPF))
		return "of a group that has a program (PACKET_FANOUT_DATA)";
	if (READ_ONCE(po->ifindex) < 0)
		return "of an interface that is gone";
	return ckpt_packet_rings_have((struct sock *)sk);
}

static int ckpt_packet_fanout_save(struct ckpt_ctx *ctx, struct packet_sock *po)
{
	const struct packet_fanout *group = READ_ONCE(po->fanout);
	struct ckpt_rec_packet_fanout *rec;

	if (!group)
		return 0;
	rec = ckpt_part_add(ctx, CKPT_REC_PACKET_FANOUT, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->id = cpu_to_le16(group->id);
	rec->type = group->type;
	rec->flags = group->flags;
	rec->max_members = cpu_to_le32(group->max_num_members);
	return 0;
}

static int ckpt_packet_member_save(struct ckpt_ctx *ctx,
				   const struct packet_mclist *member)
{
	struct ckpt_rec_packet_member *rec;

	BUILD_BUG_ON(sizeof(rec->address) != sizeof(member->addr));
	rec = ckpt_part_add(ctx, CKPT_REC_PACKET_MEMBER, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->interface = cpu_to_le32(member->ifindex);
	rec->type = cpu_to_le16(member->type);
	rec->len = cpu_to_le16(member->alen);
	rec->count = cpu_to_le32(member->count);
	memcpy(rec->address, member->addr, sizeof(rec->address));
	return 0;
}

/* An interface that goes takes its own with it, for which it has that lock. */
static int ckpt_packet_members_save(struct ckpt_ctx *ctx, struct packet_sock *po)
{
	const struct packet_mclist *member;
	int err = 0;

	if (rtnl_lock_killable())
		return -EINTR;
	for (member = po->mclist; member && !err; member = member->next)
		err = ckpt_packet_member_save(ctx, member);
	rtnl_unlock();
	return err;
}

static int ckpt_packet_parts_save(struct ckpt_ctx *ctx, struct sock *sk)
{
	struct packet_sock *po = pkt_sk(sk);
	int err;

	err = ckpt_sock_options_save(ctx, sk);
	if (!err)
		err = ckpt_packet_fanout_save(ctx, po);
	if (!err)
		err = ckpt_packet_members_save(ctx, po);
	return err ?: ckpt_packet_rings_save(ctx, sk);
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
	return ckpt_packet_parts_save(ctx, sk);
}

static bool ckpt_packet_has_parts(struct rstr_obj *obj)
{
	return rstr_part_first(obj, CKPT_REC_PACKET_RING) ||
	       rstr_part_first(obj, CKPT_REC_PACKET_MEMBER) ||
	       rstr_part_first(obj, CKPT_REC_PACKET_FANOUT);
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
	if (type == SOCK_PACKET && (rec->what || ckpt_packet_has_parts(obj)))
		return rstr_bad(ctx, obj->rec, "type %u, with what that has not",
				type);
	return ckpt_packet_rings_check(ctx, obj);
}

static int ckpt_packet_member_check(struct rstr_ctx *ctx,
				    const struct ckpt_record *rec)
{
	const struct ckpt_rec_packet_member *p = rstr_payload(rec);
	u32 len = le16_to_cpu(p->len), count = le32_to_cpu(p->count);

	if (le32_to_cpu(p->interface) > INT_MAX || p->reserved || !count ||
	    count > INT_MAX)
		return rstr_bad(ctx, rec, "of interface %u, %u times",
				le32_to_cpu(p->interface), count);
	if (len > sizeof(p->address) ||
	    memchr_inv(p->address + len, 0, sizeof(p->address) - len))
		return rstr_bad(ctx, rec, "address of %u bytes", len);
	return 0;
}

static int ckpt_packet_fanout_check(struct rstr_ctx *ctx,
				    const struct ckpt_record *rec)
{
	const struct ckpt_rec_packet_fanout *p = rstr_payload(rec);
	u32 max = le32_to_cpu(p->max_members);

	if (p->type >= PACKET_FANOUT_CBPF ||
	    p->flags & (PACKET_FANOUT_FLAG_UNIQUEID >> 8) || !max ||
	    max > PACKET_FANOUT_MAX)
		return rstr_bad(ctx, rec, "type %u, flags %#x, %u members",
				p->type, p->flags, max);
	return 0;
}

static int ckpt_packet_set(struct socket *sock, int option, void *value,
			   int size)
{
	return do_sock_setsockopt(sock, false, SOL_PACKET, option,
				  KERNEL_SOCKPTR(value), size);
}

static int ckpt_packet_options(struct socket *sock, u32 what)
{
	int on = 1, err = 0;

	if (what & CKPT_PACKET_AUXDATA)
		err = ckpt_packet_set(sock, PACKET_AUXDATA, &on, sizeof(on));
	if (!err && (what & CKPT_PACKET_ORIGDEV))
		err = ckpt_packet_set(sock, PACKET_ORIGDEV, &on, sizeof(on));
	return err;
}

/* A group is there once one is in it, of an interface or protocol that all have. */
static int ckpt_packet_fanout_restore(struct rstr_ctx *ctx,
				      struct rstr_obj *obj, struct socket *sock)
{
	const struct ckpt_record *rec = rstr_part_first(obj, CKPT_REC_PACKET_FANOUT);
	const struct ckpt_rec_packet_fanout *p;
	struct fanout_args args = {};
	int err;

	if (!rec)
		return 0;
	p = rstr_payload(rec);
	args.id = le16_to_cpu(p->id);
	args.type_flags = p->type | p->flags << 8;
	args.max_num_members = le32_to_cpu(p->max_members);
	err = ckpt_packet_set(sock, PACKET_FANOUT, &args, sizeof(args));
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "packet socket of group %u: %pe", args.id,
				   ERR_PTR(err));
	return 0;
}

/* As struct packet_mreq, with room for the longest address. */
struct ckpt_packet_mreq {
	int	ifindex;
	u16	type;
	u16	len;
	u8	address[MAX_ADDR_LEN];
};

static void ckpt_packet_member_count(struct packet_sock *po,
				     const struct ckpt_packet_mreq *mreq,
				     u32 count)
{
	struct packet_mclist *member;

	rtnl_lock();
	for (member = po->mclist; member; member = member->next)
		if (member->ifindex == mreq->ifindex &&
		    member->type == mreq->type && member->alen == mreq->len &&
		    !memcmp(member->addr, mreq->address, mreq->len))
			member->count = count;
	rtnl_unlock();
}

/* However often it was added, its interface has it once of a socket. */
static int ckpt_packet_member_restore(struct rstr_ctx *ctx, struct socket *sock,
				      const struct ckpt_rec_packet_member *rec)
{
	struct ckpt_packet_mreq mreq = {
		.ifindex	= le32_to_cpu(rec->interface),
		.type		= le16_to_cpu(rec->type),
		.len		= le16_to_cpu(rec->len),
	};
	int err;

	memcpy(mreq.address, rec->address, sizeof(mreq.address));
	err = ckpt_packet_set(sock, PACKET_ADD_MEMBERSHIP, &mreq, sizeof(mreq));
	/* What setsockopt(2) says for want of memory. */
	if (err == -ENOBUFS)
		err = -ENOMEM;
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "packet socket: membership of interface %d: %pe",
				   mreq.ifindex, ERR_PTR(err));
	ckpt_packet_member_count(pkt_sk(sock->sk), &mreq,
				 le32_to_cpu(rec->count));
	return 0;
}

static int ckpt_packet_members_restore(struct rstr_ctx *ctx,
				       struct rstr_obj *obj, struct socket *sock)
{
	const struct ckpt_record *rec;
	int err;

	rstr_for_each_part(rec, obj, CKPT_REC_PACKET_MEMBER) {
		err = ckpt_packet_member_restore(ctx, sock, rstr_payload(rec));
		if (err)
			return err;
	}
	return 0;
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
		err = ckpt_packet_rings_restore(ctx, obj, sock);
	if (err)
		return err;
	err = named ? ckpt_packet_bind_name(sock, rec) :
		      ckpt_packet_bind(sock, rec);
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "packet socket of interface %u: %pe",
				   le32_to_cpu(rec->interface), ERR_PTR(err));
	err = ckpt_packet_fanout_restore(ctx, obj, sock);
	return err ?: ckpt_packet_members_restore(ctx, obj, sock);
}

static const struct ckpt_part ckpt_packet_member_part = {
	.type		= CKPT_REC_PACKET_MEMBER,
	.name		= "membership",
	.size		= sizeof(struct ckpt_rec_packet_member),
	.max		= CKPT_PACKET_MEMBERS_MAX,
	.check		= ckpt_packet_member_check,
};

static const struct ckpt_part ckpt_packet_fanout_part = {
	.type		= CKPT_REC_PACKET_FANOUT,
	.name		= "group",
	.size		= sizeof(struct ckpt_rec_packet_fanout),
	.max		= 1,
	.check		= ckpt_packet_fanout_check,
};

static const struct ckpt_part *const ckpt_packet_parts[] = {
	&ckpt_sock_option_part,
	&ckpt_sock_filter_part,
	&ckpt_packet_fanout_part,
	&ckpt_packet_member_part,
	&ckpt_packet_ring_part,
	&ckpt_packet_page_part,
	&ckpt_packet_stats_part,
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
