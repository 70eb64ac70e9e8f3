// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs of classic BPF. The image has one as it was given to the kernel, which
 * keeps that beside what it has made of it; and it is made of that again.
 */
#include <linux/bpf.h>
#include <linux/filter.h>

#include "filter.h"

/**
 * ckpt_insns_put() - write the instructions of a program
 * @to: where they go
 * @from: the instructions
 * @nr: how many
 */
void ckpt_insns_put(struct ckpt_rec_insn *to, const struct sock_filter *from,
		    u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		to[i].code = cpu_to_le16(from[i].code);
		to[i].jt = from[i].jt;
		to[i].jf = from[i].jf;
		to[i].k = cpu_to_le32(from[i].k);
	}
}

static void ckpt_insns_get(struct sock_filter *to,
			   const struct ckpt_rec_insn *from, u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		to[i] = (struct sock_filter){
			.code	= le16_to_cpu(from[i].code),
			.jt	= from[i].jt,
			.jf	= from[i].jf,
			.k	= le32_to_cpu(from[i].k),
		};
}

/**
 * ckpt_insns_equal() - whether a program is that of the image
 * @insns: that of the image
 * @other: the program
 * @nr: how many instructions both have
 *
 * Return: true if they are the same.
 */
bool ckpt_insns_equal(const struct ckpt_rec_insn *insns,
		      const struct sock_filter *other, u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		if (other[i].code != le16_to_cpu(insns[i].code) ||
		    other[i].jt != insns[i].jt || other[i].jf != insns[i].jf ||
		    other[i].k != le32_to_cpu(insns[i].k))
			return false;
	return true;
}

/* The program as it was given, from which the one that is run is made. */
static struct sock_fprog_kern *ckpt_orig_prog(const struct ckpt_rec_insn *insns,
					      u32 nr)
{
	struct sock_fprog_kern *orig;

	orig = kmalloc(sizeof(*orig), GFP_KERNEL_ACCOUNT);
	if (!orig)
		return NULL;
	orig->len = nr;
	orig->filter = kmalloc_array(nr, sizeof(*orig->filter),
				     GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!orig->filter) {
		kfree(orig);
		return NULL;
	}
	ckpt_insns_get(orig->filter, insns, nr);
	return orig;
}

/**
 * ckpt_filter_make() - make a program out of what it was made of before
 * @insns: its instructions, not checked so far
 * @nr: how many, BPF_MAXINSNS at most and not none
 * @check: what there is to check and to change besides; or NULL
 *
 * Return: the program, for bpf_prog_destroy(); -EINVAL if it is none, -ENOMEM.
 */
struct bpf_prog *ckpt_filter_make(const struct ckpt_rec_insn *insns, u32 nr,
				  ckpt_check_classic_t check)
{
	struct bpf_prog *prog = bpf_prog_alloc(bpf_prog_size(nr),
					       __GFP_NOWARN);

	if (!prog)
		return ERR_PTR(-ENOMEM);
	ckpt_insns_get(prog->insns, insns, nr);
	prog->len = nr;
	prog->orig_prog = ckpt_orig_prog(insns, nr);
	if (!prog->orig_prog) {
		__bpf_prog_free(prog);
		return ERR_PTR(-ENOMEM);
	}
	return ckpt_bpf_prepare_filter(prog, check);
}
