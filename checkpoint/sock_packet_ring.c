// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings of packet sockets (PACKET_RX_RING, PACKET_TX_RING): memory that a socket has in
 * common with whoever maps it, and that packets go by. It belongs to the socket, mapped
 * or not; a mapping of it has nothing of its own.
 *
 * While it is saved the tasks are at rest, and packets go on to come in.
 */
#include <linux/bitmap.h>
#include <linux/if_packet.h>
#include <linux/mm.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <net/sock.h>

#include "../net/packet/internal.h"
#include "checkpoint.h"
#include "limits.h"
#include "mm.h"
#include "restart.h"
#include "sock.h"

static struct packet_ring_buffer *ckpt_packet_ring(struct sock *sk, u32 which)
{
	struct packet_sock *po = pkt_sk(sk);

	return which == CKPT_PACKET_TX ? &po->tx_ring : &po->rx_ring;
}

/* In pages; 0 if there is none. */
static u64 ckpt_packet_ring_pages(const struct packet_ring_buffer *ring)
{
	return ring->pg_vec ? (u64)ring->pg_vec_len * ring->pg_vec_pages : 0;
}

/* In bytes, of all that a socket has. */
static u64 ckpt_packet_rings_size(struct sock *sk)
{
	u64 pages = ckpt_packet_ring_pages(ckpt_packet_ring(sk, CKPT_PACKET_RX)) +
		    ckpt_packet_ring_pages(ckpt_packet_ring(sk, CKPT_PACKET_TX));

	return pages << PAGE_SHIFT;
}

/**
 * ckpt_vma_is_packet_ring() - whether a mapping is that of the rings of a socket
 * @vma: the mapping
 *
 * Return: true if it has all of it, as mmap(2) makes it, and no page that is its own.
 */
bool ckpt_vma_is_packet_ring(const struct vm_area_struct *vma)
{
	struct socket *sock = vma->vm_file ? sock_from_file(vma->vm_file) : NULL;

	return sock && sock->sk && sock->sk->sk_family == AF_PACKET &&
	       !vma->vm_pgoff && !vma->anon_vma &&
	       vma->vm_end - vma->vm_start == ckpt_packet_rings_size(sock->sk);
}

/* What is in the way of saving the rings of a socket, in words; or NULL. */
const char *ckpt_packet_rings_have(struct sock *sk)
{
	if (!ckpt_packet_rings_size(sk))
		return NULL;
	if (pkt_sk(sk)->tp_version > TPACKET_V2)
		return "with a ring of TPACKET_V3";
	for (u32 which = CKPT_PACKET_RX; which <= CKPT_PACKET_TX; which++)
		if (ckpt_packet_ring_pages(ckpt_packet_ring(sk, which)) >
		    CKPT_PACKET_RING_MAX >> PAGE_SHIFT)
			return "with a ring of more than 512 MiB";
	return NULL;
}

static void *ckpt_packet_ring_page(const struct packet_ring_buffer *ring,
				   u32 index)
{
	return ring->pg_vec[index / ring->pg_vec_pages].buffer +
	       (size_t)(index % ring->pg_vec_pages) * PAGE_SIZE;
}

/* All versions have their status in front. */
static void *ckpt_packet_frame(const struct packet_ring_buffer *ring, u32 nr)
{
	return ring->pg_vec[nr / ring->frames_per_block].buffer +
	       (size_t)(nr % ring->frames_per_block) * ring->frame_size;
}

static unsigned long ckpt_packet_status(struct sock *sk, const void *frame)
{
	if (pkt_sk(sk)->tp_version == TPACKET_V1)
		return READ_ONCE(((const struct tpacket_hdr *)frame)->tp_status);
	return READ_ONCE(((const struct tpacket2_hdr *)frame)->tp_status);
}

static void ckpt_packet_set_status(struct sock *sk, void *frame,
				   unsigned long status)
{
	if (pkt_sk(sk)->tp_version == TPACKET_V1)
		WRITE_ONCE(((struct tpacket_hdr *)frame)->tp_status, status);
	else
		WRITE_ONCE(((struct tpacket2_hdr *)frame)->tp_status, status);
}

/* Capture. */

/**
 * struct ckpt_packet_point - how far packets have come at some point in time
 * @head: number of the frame that is filled next
 * @packets: how many have come in all, and
 * @drops: how many there was no room for, since that was asked for
 */
struct ckpt_packet_point {
	u32	head;
	u32	packets;
	u32	drops;
};

/* Return: whether a packet is just being put into a frame before that. */
static bool ckpt_packet_point_note(struct sock *sk,
				   struct ckpt_packet_point *point)
{
	struct packet_ring_buffer *ring = ckpt_packet_ring(sk, CKPT_PACKET_RX);
	struct packet_sock *po = pkt_sk(sk);
	bool busy;

	spin_lock_bh(&sk->sk_receive_queue.lock);
	point->head = ring->head;
	point->packets = po->stats.stats1.tp_packets;
	point->drops = atomic_read(&po->tp_drops);
	busy = ring->pg_vec && !bitmap_empty(ring->rx_owner_map,
					     ring->frame_max + 1);
	spin_unlock_bh(&sk->sk_receive_queue.lock);
	return busy;
}

static int ckpt_packet_stats_save(struct ckpt_ctx *ctx,
				  const struct ckpt_packet_point *point)
{
	struct ckpt_rec_packet_stats *rec;

	if (!point->packets && !point->drops)
		return 0;
	rec = ckpt_part_add(ctx, CKPT_REC_PACKET_STATS, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->packets = cpu_to_le32(point->packets);
	rec->drops = cpu_to_le32(point->drops);
	return 0;
}

static int ckpt_packet_pages_save(struct ckpt_ctx *ctx, u32 which,
				  const struct packet_ring_buffer *ring)
{
	u32 pages = ckpt_packet_ring_pages(ring);
	struct ckpt_rec_packet_page *rec;

	for (u32 i = 0; i < pages; i++) {
		void *page = ckpt_packet_ring_page(ring, i);

		if (!memchr_inv(page, 0, PAGE_SIZE))
			continue;
		rec = ckpt_part_add(ctx, CKPT_REC_PACKET_PAGE,
				    sizeof(*rec) + PAGE_SIZE);
		if (IS_ERR(rec))
			return PTR_ERR(rec);
		rec->which = cpu_to_le32(which);
		rec->index = cpu_to_le32(i);
		memcpy(rec->data, page, PAGE_SIZE);
		cond_resched();
	}
	return 0;
}

static int ckpt_packet_ring_save(struct ckpt_ctx *ctx, struct sock *sk,
				 u32 which,
				 const struct ckpt_packet_point *then)
{
	struct packet_ring_buffer *ring = ckpt_packet_ring(sk, which);
	struct ckpt_packet_point now;
	struct ckpt_rec_packet_ring *rec;
	int err;

	if (!ring->pg_vec)
		return 0;
	err = ckpt_packet_pages_save(ctx, which, ring);
	if (err)
		return err;
	rec = ckpt_part_add(ctx, CKPT_REC_PACKET_RING, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->which = cpu_to_le32(which);
	rec->block_size = cpu_to_le32(ring->pg_vec_pages << PAGE_SHIFT);
	rec->block_nr = cpu_to_le32(ring->pg_vec_len);
	rec->frame_size = cpu_to_le32(ring->frame_size);
	rec->frame_nr = cpu_to_le32(ring->frame_max + 1);
	rec->head = cpu_to_le32(ring->head);
	if (which == CKPT_PACKET_RX) {
		ckpt_packet_point_note(sk, &now);
		rec->head = cpu_to_le32(then->head);
		rec->late = cpu_to_le32(now.packets - then->packets);
	}
	return 0;
}

/**
 * ckpt_packet_rings_save() - write the rings of a socket as parts of the last object,
 *	and what it counts
 * @ctx: the checkpoint
 * @sk: the socket, for which ckpt_packet_rings_have() returned NULL
 *
 * What is just being put in place is waited for. What comes after that may be among what
 * is saved; but it is known how much that is, and so in which frames, since nobody frees
 * others meanwhile.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_packet_rings_save(struct ckpt_ctx *ctx, struct sock *sk)
{
	struct ckpt_packet_point point;
	int err;

	if (ckpt_packet_point_note(sk, &point))
		synchronize_net();
	err = ckpt_packet_stats_save(ctx, &point);
	if (!err)
		err = ckpt_packet_ring_save(ctx, sk, CKPT_PACKET_RX, &point);
	return err ?: ckpt_packet_ring_save(ctx, sk, CKPT_PACKET_TX, &point);
}

/* Restart. */

/* That frames are large enough for the version is checked where the ring is made. */
static int ckpt_packet_ring_check(struct rstr_ctx *ctx,
				  const struct ckpt_record *rec)
{
	const struct ckpt_rec_packet_ring *p = rstr_payload(rec);
	u32 size = le32_to_cpu(p->block_size), nr = le32_to_cpu(p->block_nr);
	u32 frame = le32_to_cpu(p->frame_size);
	u32 frames = le32_to_cpu(p->frame_nr);

	if (le32_to_cpu(p->which) > CKPT_PACKET_TX || p->reserved)
		return rstr_bad(ctx, rec, "which is %u", le32_to_cpu(p->which));
	if (!size || !PAGE_ALIGNED(size) || !nr ||
	    (u64)size * nr > CKPT_PACKET_RING_MAX)
		return rstr_bad(ctx, rec, "%u blocks of %u bytes", nr, size);
	if (!frame || frame % TPACKET_ALIGNMENT || frame > size ||
	    (u64)(size / frame) * nr != frames)
		return rstr_bad(ctx, rec, "%u frames of %u bytes", frames, frame);
	if (le32_to_cpu(p->head) >= frames || le32_to_cpu(p->late) > frames ||
	    (p->late && p->which == cpu_to_le32(CKPT_PACKET_TX)))
		return rstr_bad(ctx, rec, "%u late frames from %u on of %u",
				le32_to_cpu(p->late), le32_to_cpu(p->head),
				frames);
	return 0;
}

static int ckpt_packet_page_check(struct rstr_ctx *ctx,
				  const struct ckpt_record *rec)
{
	const struct ckpt_rec_packet_page *p = rstr_payload(rec);

	if (le32_to_cpu(p->which) > CKPT_PACKET_TX ||
	    rstr_size(rec) != sizeof(*p) + PAGE_SIZE)
		return rstr_bad(ctx, rec, "of ring %u, %u bytes",
				le32_to_cpu(p->which), rstr_size(rec));
	return 0;
}

/**
 * ckpt_packet_rings_check() - check that the rings of a socket are one of a kind, and
 *	that its pages are in them
 * @ctx: the restart
 * @obj: the socket
 *
 * Return: 0 or -EBADMSG.
 */
int ckpt_packet_rings_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_packet_ring *ring;
	const struct ckpt_rec_packet_page *page;
	const struct ckpt_record *rec;
	u64 pages[CKPT_PACKET_TX + 1] = {};
	u32 which;

	rstr_for_each_part(rec, obj, CKPT_REC_PACKET_RING) {
		ring = rstr_payload(rec);
		which = le32_to_cpu(ring->which);
		if (pages[which])
			return rstr_bad(ctx, rec, "there is one already");
		pages[which] = (u64)le32_to_cpu(ring->block_nr) *
			       (le32_to_cpu(ring->block_size) >> PAGE_SHIFT);
	}
	rstr_for_each_part(rec, obj, CKPT_REC_PACKET_PAGE) {
		page = rstr_payload(rec);
		which = le32_to_cpu(page->which);
		if (le32_to_cpu(page->index) >= pages[which])
			return rstr_bad(ctx, rec, "page %u of %llu",
					le32_to_cpu(page->index), pages[which]);
	}
	return 0;
}

static bool ckpt_packet_ring_is(struct sock *sk,
				const struct ckpt_rec_packet_ring *rec)
{
	struct packet_ring_buffer *ring;

	ring = ckpt_packet_ring(sk, le32_to_cpu(rec->which));
	return pkt_sk(sk)->tp_version <= TPACKET_V2 && ring->pg_vec &&
	       ring->pg_vec_pages == le32_to_cpu(rec->block_size) >> PAGE_SHIFT &&
	       ring->pg_vec_len == le32_to_cpu(rec->block_nr) &&
	       ring->frame_size == le32_to_cpu(rec->frame_size) &&
	       ring->frame_max + 1 == le32_to_cpu(rec->frame_nr);
}

static int ckpt_packet_ring_make(struct rstr_ctx *ctx, struct socket *sock,
				 const struct ckpt_rec_packet_ring *rec)
{
	bool tx = le32_to_cpu(rec->which) == CKPT_PACKET_TX;
	struct tpacket_req req = {
		.tp_block_size	= le32_to_cpu(rec->block_size),
		.tp_block_nr	= le32_to_cpu(rec->block_nr),
		.tp_frame_size	= le32_to_cpu(rec->frame_size),
		.tp_frame_nr	= le32_to_cpu(rec->frame_nr),
	};
	int err;

	/* For TPACKET_V3 it is too short. */
	err = do_sock_setsockopt(sock, false, SOL_PACKET,
				 tx ? PACKET_TX_RING : PACKET_RX_RING,
				 KERNEL_SOCKPTR(&req), sizeof(req));
	/* A program of BPF's may have had its way with it. */
	if (!err && !ckpt_packet_ring_is(sock->sk, rec))
		err = -EOPNOTSUPP;
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "packet socket: ring of %u blocks of %u bytes can't be had: %pe",
				   req.tp_block_nr, req.tp_block_size,
				   ERR_PTR(err));
	return 0;
}

/*
 * What waited in the queue of the socket is lost, and so is the whole of what was too
 * long for a frame. What was being sent has been, as far as anyone here can tell.
 */
static void ckpt_packet_frame_settle(struct sock *sk, u32 which, void *frame)
{
	unsigned long status = ckpt_packet_status(sk, frame);

	if (which == CKPT_PACKET_RX && (status & TP_STATUS_COPY))
		ckpt_packet_set_status(sk, frame, status & ~TP_STATUS_COPY);
	if (which == CKPT_PACKET_TX && status == TP_STATUS_SENDING)
		ckpt_packet_set_status(sk, frame, TP_STATUS_AVAILABLE);
}

static void ckpt_packet_ring_settle(struct sock *sk,
				    const struct ckpt_rec_packet_ring *rec)
{
	u32 which = le32_to_cpu(rec->which), head = le32_to_cpu(rec->head);
	struct packet_ring_buffer *ring = ckpt_packet_ring(sk, which);
	u32 frames = ring->frame_max + 1;

	for (u32 i = 0; i < frames; i++)
		ckpt_packet_frame_settle(sk, which, ckpt_packet_frame(ring, i));
	for (u32 i = 0; i < le32_to_cpu(rec->late); i++)
		ckpt_packet_set_status(sk, ckpt_packet_frame(ring, (head + i) % frames),
				       TP_STATUS_KERNEL);
	ring->head = head;
}

static void ckpt_packet_stats_restore(struct rstr_obj *obj, struct sock *sk)
{
	const struct ckpt_record *rec = rstr_part_first(obj, CKPT_REC_PACKET_STATS);
	const struct ckpt_rec_packet_stats *p;
	struct packet_sock *po = pkt_sk(sk);

	if (!rec)
		return;
	p = rstr_payload(rec);
	po->stats.stats1.tp_packets = le32_to_cpu(p->packets);
	atomic_set(&po->tp_drops, le32_to_cpu(p->drops));
}

/**
 * ckpt_packet_rings_restore() - give a new socket its rings, and what it counts
 * @ctx: the restart
 * @obj: the socket
 * @sock: the same, which has its options and is not bound: no packet comes in
 *
 * Return: 0 or what setsockopt(2) fails with.
 */
int ckpt_packet_rings_restore(struct rstr_ctx *ctx, struct rstr_obj *obj,
			      struct socket *sock)
{
	const struct ckpt_rec_packet_page *page;
	const struct ckpt_record *rec;
	struct packet_ring_buffer *ring;
	int err;

	rstr_for_each_part(rec, obj, CKPT_REC_PACKET_RING) {
		err = ckpt_packet_ring_make(ctx, sock, rstr_payload(rec));
		if (err)
			return err;
	}
	rstr_for_each_part(rec, obj, CKPT_REC_PACKET_PAGE) {
		page = rstr_payload(rec);
		ring = ckpt_packet_ring(sock->sk, le32_to_cpu(page->which));
		memcpy(ckpt_packet_ring_page(ring, le32_to_cpu(page->index)),
		       page->data, PAGE_SIZE);
		cond_resched();
	}
	rstr_for_each_part(rec, obj, CKPT_REC_PACKET_RING)
		ckpt_packet_ring_settle(sock->sk, rstr_payload(rec));
	ckpt_packet_stats_restore(obj, sock->sk);
	return 0;
}

const struct ckpt_part ckpt_packet_ring_part = {
	.type		= CKPT_REC_PACKET_RING,
	.name		= "ring",
	.size		= sizeof(struct ckpt_rec_packet_ring),
	.max		= 2,
	.check		= ckpt_packet_ring_check,
};

const struct ckpt_part ckpt_packet_page_part = {
	.type		= CKPT_REC_PACKET_PAGE,
	.name		= "page of a ring",
	.size		= sizeof(struct ckpt_rec_packet_page),
	.open_ended	= true,
	.max		= 2 * (CKPT_PACKET_RING_MAX >> PAGE_SHIFT),
	.check		= ckpt_packet_page_check,
};

const struct ckpt_part ckpt_packet_stats_part = {
	.type		= CKPT_REC_PACKET_STATS,
	.name		= "statistics",
	.size		= sizeof(struct ckpt_rec_packet_stats),
	.max		= 1,
};
