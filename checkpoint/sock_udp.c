// SPDX-License-Identifier: GPL-2.0-only
/*
 * Datagrams that wait to be read from a socket of UDP. They are put back with the
 * addresses that they had, which takes the right to choose these (CAP_NET_RAW). For
 * one who has not got it they are lost, as a datagram may be at any time.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/net.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/dsfield.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/udp.h>

#include "checkpoint.h"
#include "limits.h"
#include "restart.h"
#include "sock.h"
#include "sock_inet.h"

/* Checkpoint. */

static void ckpt_udp_address(const struct sk_buff *skb, bool from,
			     struct ckpt_rec_inet_addr *addr)
{
	const struct udphdr *udp = udp_hdr(skb);

	addr->port = cpu_to_le32(ntohs(from ? udp->source : udp->dest));
	if (ip_hdr(skb)->version == 4)
		memcpy(addr->addr, from ? &ip_hdr(skb)->saddr :
					  &ip_hdr(skb)->daddr, 4);
	else
		memcpy(addr->addr, from ? &ipv6_hdr(skb)->saddr :
					  &ipv6_hdr(skb)->daddr, 16);
}

static int ckpt_udp_datagram_save(struct ckpt_ctx *ctx, struct sk_buff *skb)
{
	bool v4 = ip_hdr(skb)->version == 4;
	struct ckpt_rec_udp_datagram *rec;

	if (skb_is_gso(skb))
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "UDP socket: datagrams that were joined (UDP_GRO): not supported");
	rec = ckpt_part_add(ctx, CKPT_REC_UDP_DATAGRAM,
			    sizeof(*rec) + skb->len);
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->family = cpu_to_le32(v4 ? AF_INET : AF_INET6);
	rec->interface = cpu_to_le32(v4 ? PKTINFO_SKB_CB(skb)->ipi_ifindex :
					  IP6CB(skb)->iif);
	rec->tos = cpu_to_le32(v4 ? ip_hdr(skb)->tos :
				    ipv6_get_dsfield(ipv6_hdr(skb)));
	rec->ttl = cpu_to_le32(v4 ? ip_hdr(skb)->ttl :
				    ipv6_hdr(skb)->hop_limit);
	rec->time = cpu_to_le64(skb->tstamp);
	ckpt_udp_address(skb, true, &rec->from);
	ckpt_udp_address(skb, false, &rec->to);
	return skb_copy_bits(skb, 0, rec->data, skb->len);
}

/* Both queues, the one that readers have taken over first; a reference to each. */
static struct sk_buff **ckpt_udp_queue(struct sock *sk, u32 *nr)
{
	struct sk_buff_head *queues[2] = {
		&udp_sk(sk)->reader_queue, &sk->sk_receive_queue
	};
	u32 max = skb_queue_len_lockless(queues[0]) +
		  skb_queue_len_lockless(queues[1]);
	struct sk_buff **list, *skb;

	*nr = 0;
	list = kvcalloc(max + 1, sizeof(*list), GFP_KERNEL_ACCOUNT);
	if (!list)
		return NULL;
	for (int i = 0; i < 2; i++) {
		spin_lock_bh(&queues[i]->lock);
		skb_queue_walk(queues[i], skb)
			if (*nr < max)
				list[(*nr)++] = skb_get(skb);
		spin_unlock_bh(&queues[i]->lock);
	}
	return list;
}

static int ckpt_udp_write(struct ckpt_ctx *ctx, struct sock *sk,
			  struct sk_buff **list, u32 nr)
{
	struct ckpt_rec_udp_queue *rec;
	u32 ref;
	int err;

	err = ckpt_mention(ctx, CKPT_SOCK, sk, &ref);
	if (err)
		return err;
	rec = ckpt_object_add(ctx, CKPT_REC_UDP_QUEUE, NULL, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->sock = cpu_to_le32(ref);
	rec->nr_datagrams = cpu_to_le32(nr);
	for (u32 i = 0; i < nr && !err; i++)
		err = ckpt_udp_datagram_save(ctx, list[i]);
	return err;
}

/**
 * ckpt_udp_conclude() - write what waits to be read from a socket
 * @ctx: the checkpoint
 * @sk: the socket
 *
 * Return: 0 or a negative errno.
 */
int ckpt_udp_conclude(struct ckpt_ctx *ctx, struct sock *sk)
{
	struct sk_buff **list;
	int err = 0;
	u32 nr;

	list = ckpt_udp_queue(sk, &nr);
	if (!list)
		return -ENOMEM;
	if (nr > CKPT_SOCK_MESSAGES_MAX)
		err = ckpt_inet_refuse(ctx, sk, "with too many datagrams to be read");
	else if (nr)
		err = ckpt_udp_write(ctx, sk, list, nr);
	for (u32 i = 0; i < nr; i++)
		consume_skb(list[i]);
	kvfree(list);
	return err;
}

/* Restart. */

static int ckpt_udp_datagram_check(struct rstr_ctx *ctx,
				   const struct ckpt_record *rec)
{
	const struct ckpt_rec_udp_datagram *p = rstr_payload(rec);
	u32 family = le32_to_cpu(p->family);

	if ((family != AF_INET && family != AF_INET6) ||
	    le32_to_cpu(p->from.port) > U16_MAX ||
	    le32_to_cpu(p->to.port) > U16_MAX ||
	    le32_to_cpu(p->tos) > U8_MAX || le32_to_cpu(p->ttl) > U8_MAX ||
	    le32_to_cpu(p->interface) > INT_MAX ||
	    rstr_size(rec) - sizeof(*p) > U16_MAX)
		return rstr_bad(ctx, rec, "family %u, %zu bytes", family,
				rstr_size(rec) - sizeof(*p));
	return 0;
}

static int ckpt_udp_queue_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_udp_queue *p = rstr_payload(obj->rec);
	const struct ckpt_rec_udp_datagram *datagram;
	const struct ckpt_rec_sock_inet *sock;
	const struct ckpt_record *rec;
	struct rstr_obj *own;
	u32 nr = 0;

	own = rstr_ref(ctx, obj->rec, p->sock, CKPT_SOCK);
	if (!own)
		return -EBADMSG;
	sock = rstr_payload(own->rec);
	if (own->kind != &ckpt_sock_inet_kind ||
	    sock->type != cpu_to_le32(SOCK_DGRAM) || sock->protocol)
		return rstr_bad(ctx, obj->rec, "not of a socket of UDP");
	rstr_for_each_part(rec, obj, CKPT_REC_UDP_DATAGRAM) {
		datagram = rstr_payload(rec);
		if (datagram->family == cpu_to_le32(AF_INET6) &&
		    sock->family == cpu_to_le32(AF_INET))
			return rstr_bad(ctx, rec, "of another family");
		nr++;
	}
	if (nr != le32_to_cpu(p->nr_datagrams))
		return rstr_bad(ctx, obj->rec, "%u datagrams, not %u", nr,
				le32_to_cpu(p->nr_datagrams));
	return 0;
}

static void ckpt_udp_header4(struct sk_buff *skb,
			     const struct ckpt_rec_udp_datagram *p, u32 len)
{
	struct iphdr *ip = skb_push(skb, sizeof(*ip));

	skb_reset_network_header(skb);
	*ip = (struct iphdr){
		.version = 4,
		.ihl = sizeof(*ip) / 4,
		.tos = le32_to_cpu(p->tos),
		.tot_len = htons(min_t(u32, U16_MAX, len + sizeof(*ip))),
		.ttl = le32_to_cpu(p->ttl),
		.protocol = IPPROTO_UDP,
	};
	memcpy(&ip->saddr, p->from.addr, 4);
	memcpy(&ip->daddr, p->to.addr, 4);
	ip_send_check(ip);
	skb->protocol = htons(ETH_P_IP);
	PKTINFO_SKB_CB(skb)->ipi_ifindex = le32_to_cpu(p->interface);
	PKTINFO_SKB_CB(skb)->ipi_spec_dst.s_addr = ip->daddr;
	skb_pull(skb, sizeof(*ip));
}

static void ckpt_udp_header6(struct sk_buff *skb,
			     const struct ckpt_rec_udp_datagram *p, u32 len)
{
	struct ipv6hdr *ip6 = skb_push(skb, sizeof(*ip6));

	skb_reset_network_header(skb);
	ip6_flow_hdr(ip6, le32_to_cpu(p->tos), 0);
	ip6->payload_len = htons(min_t(u32, U16_MAX, len));
	ip6->nexthdr = NEXTHDR_UDP;
	ip6->hop_limit = le32_to_cpu(p->ttl);
	memcpy(&ip6->saddr, p->from.addr, 16);
	memcpy(&ip6->daddr, p->to.addr, 16);
	skb->protocol = htons(ETH_P_IPV6);
	IP6CB(skb)->iif = le32_to_cpu(p->interface);
	skb_pull(skb, sizeof(*ip6));
}

/* As it is when its headers have been read and found to be right. */
static struct sk_buff *ckpt_udp_datagram_make(const struct ckpt_record *rec)
{
	const struct ckpt_rec_udp_datagram *p = rstr_payload(rec);
	u32 len = rstr_size(rec) - sizeof(*p);
	u32 all = len + sizeof(struct udphdr);
	struct sk_buff *skb;
	struct udphdr *udp;

	skb = alloc_skb(MAX_HEADER + sizeof(struct ipv6hdr) + all,
			GFP_KERNEL_ACCOUNT);
	if (!skb)
		return NULL;
	skb_reserve(skb, MAX_HEADER + sizeof(struct ipv6hdr));
	if (p->family == cpu_to_le32(AF_INET))
		ckpt_udp_header4(skb, p, all);
	else
		ckpt_udp_header6(skb, p, all);
	skb_reset_transport_header(skb);
	udp = skb_put_zero(skb, sizeof(*udp));
	udp->source = htons(le32_to_cpu(p->from.port));
	udp->dest = htons(le32_to_cpu(p->to.port));
	udp->len = htons(min_t(u32, U16_MAX, all));
	skb_pull(skb, sizeof(*udp));
	skb_put_data(skb, p->data, len);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->tstamp = le64_to_cpu(p->time);
	return skb;
}

static int ckpt_udp_queue_link(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_udp_queue *p = rstr_payload(obj->rec);
	struct sock *sk = rstr_get(ctx, rstr_obj(ctx, p->sock));
	const struct ckpt_record *rec;
	struct sk_buff *skb;
	int err;

	if (IS_ERR(sk))
		return PTR_ERR(sk);
	if (!ns_capable(sock_net(sk)->user_ns, CAP_NET_RAW))
		return 0;
	rstr_for_each_part(rec, obj, CKPT_REC_UDP_DATAGRAM) {
		skb = ckpt_udp_datagram_make(rec);
		if (!skb)
			return -ENOMEM;
		local_bh_disable();
		err = __udp_enqueue_schedule_skb(sk, skb);
		local_bh_enable();
		/* There is no room, if there ever was. */
		if (err)
			kfree_skb(skb);
	}
	return 0;
}

static const struct ckpt_part ckpt_udp_datagram_part = {
	.type		= CKPT_REC_UDP_DATAGRAM,
	.name		= "datagram",
	.size		= sizeof(struct ckpt_rec_udp_datagram),
	.open_ended	= true,
	.max		= CKPT_SOCK_MESSAGES_MAX,
	.check		= ckpt_udp_datagram_check,
};

static const struct ckpt_part *const ckpt_udp_queue_parts[] = {
	&ckpt_udp_datagram_part,
	NULL
};

const struct ckpt_kind ckpt_udp_queue_kind = {
	.type		= CKPT_REC_UDP_QUEUE,
	.family		= CKPT_SOCK_LINK,
	.name		= "datagrams to be read",
	.size		= sizeof(struct ckpt_rec_udp_queue),
	.parts		= ckpt_udp_queue_parts,
	.check		= ckpt_udp_queue_check,
	.link		= ckpt_udp_queue_link,
};
