// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filters of sockets: programs of classic BPF (SO_ATTACH_FILTER). Those of eBPF are
 * objects of bpf(2), and are refused.
 *
 * A socket that was accepted has the filter of the one that listened, and goes on to
 * have one of its own, as nothing tells the difference.
 */
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/net.h>
#include <net/sock.h>

#include "checkpoint.h"
#include "filter.h"
#include "restart.h"
#include "sock.h"

/* What is in the way of saving the filter that a socket has, in words; or NULL. */
const char *ckpt_sock_filter_has(const struct sock *sk)
{
	struct sk_filter *filter;

	guard(rcu)();
	filter = rcu_dereference(sk->sk_filter);
	return filter && !filter->prog->orig_prog ?
	       "with a filter of eBPF (SO_ATTACH_BPF)" : NULL;
}

/**
 * ckpt_sock_filter_save() - write the filter as a part of the last object
 * @ctx: the checkpoint
 * @sk: the socket, for which ckpt_sock_supported() returned 0
 *
 * Return: 0 or a negative errno.
 */
int ckpt_sock_filter_save(struct ckpt_ctx *ctx, struct sock *sk)
{
	const struct sock_fprog_kern *prog;
	struct ckpt_rec_sock_filter *rec;
	struct sk_filter *filter;
	int err = 0;

	lock_sock(sk);
	filter = rcu_dereference_protected(sk->sk_filter,
					   lockdep_sock_is_held(sk));
	prog = filter ? filter->prog->orig_prog : NULL;
	if (!prog)
		goto out;
	rec = ckpt_part_add(ctx, CKPT_REC_SOCK_FILTER,
			    struct_size(rec, insns, prog->len));
	if (IS_ERR(rec)) {
		err = PTR_ERR(rec);
		goto out;
	}
	rec->nr_insns = cpu_to_le32(prog->len);
	ckpt_insns_put(rec->insns, prog->filter, prog->len);
out:
	release_sock(sk);
	return err;
}

/* The program itself is checked where it is made, as that of anyone is. */
static int ckpt_sock_filter_check(struct rstr_ctx *ctx,
				  const struct ckpt_record *rec)
{
	const struct ckpt_rec_sock_filter *p = rstr_payload(rec);
	u32 nr = le32_to_cpu(p->nr_insns);

	if (!nr || nr > BPF_MAXINSNS ||
	    rstr_size(rec) != struct_size(p, insns, nr))
		return rstr_bad(ctx, rec, "%u instructions do not fit", nr);
	if (p->reserved)
		return rstr_bad(ctx, rec, "flags %#x",
				le32_to_cpu(p->reserved));
	return 0;
}

/* Filters count as memory of the socket's, of which there may be only so much. */
static int ckpt_sock_filter_attach(struct sock *sk, struct bpf_prog *prog)
{
	struct sk_filter *filter;

	filter = kmalloc(sizeof(*filter), GFP_KERNEL_ACCOUNT);
	if (!filter)
		return -ENOMEM;
	filter->prog = prog;
	refcount_set(&filter->refcnt, 1);
	if (!sk_filter_charge(sk, filter)) {
		kfree(filter);
		return -ENOMEM;
	}
	/* Which has taken a reference of its own. */
	refcount_dec(&filter->refcnt);
	lock_sock(sk);
	rcu_assign_pointer(sk->sk_filter, filter);
	release_sock(sk);
	return 0;
}

/**
 * ckpt_sock_filter_restore() - give a new socket its filter
 * @ctx: the restart
 * @obj: the socket
 * @sk: the same
 *
 * It takes what setsockopt(2) takes, which is nothing.
 *
 * Return: 0 or what setsockopt(2) fails with.
 */
int ckpt_sock_filter_restore(struct rstr_ctx *ctx, struct rstr_obj *obj,
			     struct sock *sk)
{
	const struct ckpt_record *rec = rstr_part_first(obj, CKPT_REC_SOCK_FILTER);
	const struct ckpt_rec_sock_filter *p;
	struct bpf_prog *prog;
	int err;

	if (!rec)
		return 0;
	p = rstr_payload(rec);
	prog = ckpt_filter_make(p->insns, le32_to_cpu(p->nr_insns), NULL);
	if (prog == ERR_PTR(-EINVAL))
		return rstr_bad(ctx, rec, "not a filter's program");
	if (IS_ERR(prog))
		return PTR_ERR(prog);
	err = ckpt_sock_filter_attach(sk, prog);
	if (err)
		bpf_prog_destroy(prog);
	return err;
}

const struct ckpt_part ckpt_sock_filter_part = {
	.type		= CKPT_REC_SOCK_FILTER,
	.name		= "filter",
	.size		= sizeof(struct ckpt_rec_sock_filter),
	.open_ended	= true,
	.max		= 1,
	.check		= ckpt_sock_filter_check,
};
