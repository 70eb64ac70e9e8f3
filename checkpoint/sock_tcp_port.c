// SPDX-License-Identifier: GPL-2.0-only
/*
 * Binding a socket of TCP to a port that dead connections still have: those of a
 * killed process are there for a minute, in TIME_WAIT, and bind(2) would have it wait.
 * Here it is bound all the same, and then it is seen whether somebody who is alive has
 * the port, by the rules of bind(2).
 */
#include <net/addrconf.h>
#include <net/inet_hashtables.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "restart.h"
#include "sock.h"
#include "sock_inet.h"

static bool ckpt_port_is_dead(const struct sock *sk)
{
	return !sk_fullsock(sk) || sock_flag(sk, SOCK_DEAD);
}

/* Whether @sk, which has @reuse for SO_REUSEADDR, can't be beside the other. */
static bool ckpt_port_conflicts(const struct sock *sk, const struct sock *other,
				unsigned char reuse)
{
	if (sk == other || ckpt_port_is_dead(other) ||
	    (sk->sk_bound_dev_if && other->sk_bound_dev_if &&
	     sk->sk_bound_dev_if != other->sk_bound_dev_if) ||
	    !inet_rcv_saddr_equal(sk, other, true))
		return false;
	if (reuse && other->sk_reuse &&
	    (sk->sk_state != TCP_LISTEN || other->sk_state != TCP_LISTEN))
		return false;
	return !sk->sk_reuseport || !other->sk_reuseport ||
	       !uid_eq(sk->sk_uid, other->sk_uid);
}

/**
 * ckpt_port_is_taken() - whether another socket has the port of a socket
 * @sk: the socket, bound
 * @reuse: its SO_REUSEADDR
 *
 * Return: true if there is one beside which it may not be.
 */
bool ckpt_port_is_taken(struct sock *sk, unsigned char reuse)
{
	struct net *net = sock_net(sk);
	struct inet_hashinfo *hash = net->ipv4.tcp_death_row.hashinfo;
	u32 slot = inet_bhashfn(net, sk->sk_num, hash->bhash_size);
	struct inet_bind_hashbucket *head = &hash->bhash[slot];
	struct inet_bind2_bucket *tb2;
	struct inet_bind_bucket *tb;
	bool taken = false;
	struct sock *other;

	spin_lock_bh(&head->lock);
	inet_bind_bucket_for_each(tb, &head->chain) {
		if (!net_eq(ib_net(tb), net) || tb->port != sk->sk_num)
			continue;
		hlist_for_each_entry(tb2, &tb->bhash2, bhash_node)
			sk_for_each_bound(other, &tb2->owners)
				taken |= ckpt_port_conflicts(sk, other, reuse);
	}
	spin_unlock_bh(&head->lock);
	return taken;
}
