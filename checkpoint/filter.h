/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs of classic BPF: filters of system calls, and of sockets. */
#ifndef _CHECKPOINT_FILTER_H
#define _CHECKPOINT_FILTER_H

#include <linux/checkpoint_expose.h>
#include <linux/types.h>
#include <linux/checkpoint_image.h>

struct bpf_prog;
struct ckpt_ctx;
struct rstr_ctx;
struct rstr_obj;
struct sock;
struct sock_filter;

void ckpt_insns_put(struct ckpt_rec_insn *to, const struct sock_filter *from,
		    u32 nr);
bool ckpt_insns_equal(const struct ckpt_rec_insn *insns,
		      const struct sock_filter *other, u32 nr);
struct bpf_prog *ckpt_filter_make(const struct ckpt_rec_insn *insns, u32 nr,
				  ckpt_check_classic_t check);

#endif
