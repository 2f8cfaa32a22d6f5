/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The thin layer that lets one source serve both hooks. A struct xtr_ctx holds a TC or an XDP context; the other
 * pointer is a literal NULL at the top of each program and everything below is inlined, so every `if (c->skb)` is
 * decided when compiling and no program contains the other hook's helpers.
 *
 * After any call that may move the packet (pull, trim, room, cut) all packet pointers are gone: read them again.
 */
#ifndef XTR_BPF_CTX_H
#define XTR_BPF_CTX_H

#include "kernel.h"

struct xtr_ctx {
	struct __sk_buff *skb;
	struct xdp_md *xdp;
	__u32 tag; /* XDP: octets of the 802.1Q tag in the frame, 0 or 4. TC has tags beside the packet, never in it */
};

XTR_INLINE void *xtr_data(const struct xtr_ctx *c)
{
	return (void *)(long)(c->skb ? c->skb->data : c->xdp->data);
}

XTR_INLINE void *xtr_data_end(const struct xtr_ctx *c)
{
	return (void *)(long)(c->skb ? c->skb->data_end : c->xdp->data_end);
}

/* Octets of the frame. XDP: of its first buffer; a frame of several buffers is left to TC, so no helper call here. */
XTR_INLINE __u32 xtr_len(const struct xtr_ctx *c)
{
	__u64 n;

	if (c->skb)
		return c->skb->len;
	n = xtr_data_end(c) - xtr_data(c);
	barrier_var(n); /* pointers are to be subtracted in 64 bits, whatever becomes of the result */
	return n;
}

/* Octets of the whole frame, whatever buffers it has. */
XTR_INLINE __u32 xtr_len_all(const struct xtr_ctx *c)
{
	return c->skb ? c->skb->len : (__u32)bpf_xdp_get_buff_len(c->xdp);
}

/* Octets in front of the IP header. */
XTR_INLINE __u32 xtr_l2(const struct xtr_ctx *c)
{
	return ETH_HLEN + c->tag;
}

XTR_INLINE __u32 xtr_ifindex(const struct xtr_ctx *c)
{
	return c->skb ? c->skb->ifindex : c->xdp->ingress_ifindex;
}

/* 0: an ordinary packet. XDP sees none (a super-packet in generic mode has a partial checksum and is left to TC). */
XTR_INLINE __u32 xtr_gso_size(const struct xtr_ctx *c)
{
	return c->skb ? c->skb->gso_size : 0;
}

/* Makes the first want octets readable in place. XDP cannot: the packet is then TC's. */
XTR_INLINE int xtr_pull(const struct xtr_ctx *c, __u32 want)
{
	if (!c->skb)
		return -1;
	if (want > c->skb->len)
		want = c->skb->len;
	return bpf_skb_pull_data(c->skb, want);
}

XTR_INLINE int xtr_load(const struct xtr_ctx *c, __u32 off, void *to, __u32 len)
{
	return c->skb ? bpf_skb_load_bytes(c->skb, off, to, len) : bpf_xdp_load_bytes(c->xdp, off, to, len);
}

#endif
