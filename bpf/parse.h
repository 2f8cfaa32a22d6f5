/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reading packets: a bounds-checked cursor, and the facts of an inner packet that encapsulation needs. Nothing here
 * writes to the packet. Lengths are checked against the frame, so later code may trust xtr_inner.
 */
#ifndef XTR_BPF_PARSE_H
#define XTR_BPF_PARSE_H

#include "ctx.h"

struct xtr_cur {
	void *pos;
	void *end;
};

/* The next size octets, or NULL when they are not in the linear part. */
XTR_INLINE void *xtr_take(struct xtr_cur *cur, __u32 size)
{
	void *at = cur->pos;

	if (at + size > cur->end)
		return NULL;
	cur->pos = at + size;
	return at;
}

/* Facts of an IP packet, read once. Addresses are copies: packet pointers do not survive. */
struct xtr_inner {
	struct xtr_abi_ip src;
	struct xtr_abi_ip dst;
	__u8  family;   /* enum xtr_family */
	__u8  proto;    /* IPv6: the first next header, whatever it is */
	__u8  tos;
	__u8  ttl;
	__u8  l3len;    /* octets of the IP header */
	__u8  syn;      /* TCP SYN or SYN-ACK */
	__be16 dport;   /* 0 unless TCP, UDP or SCTP, and not a fragment */
	__be32 ports;   /* both, as they lie in the packet */
	__u16 check;    /* checksum field of TCP or UDP */
	__u16 tag;      /* as in struct xtr_ctx, for who has the context alone */
	__u32 len;      /* of the IP packet, without Ethernet padding */
	__u32 seg;      /* of the largest IP packet it becomes on the wire */
};

enum xtr_parse {
	XTR_PARSE_OK,
	XTR_PARSE_SHORT,   /* not all in the linear part: pull and come back, or leave it to TC */
	XTR_PARSE_NOT_IP,
	XTR_PARSE_BAD,     /* truncated, or its lengths disagree */
};

/* Octets an ITR may have to read: Ethernet, the longest IPv4 header, TCP. */
#define XTR_PARSE_MAX (ETH_HLEN + 60 + 20)

#define XTR_TCP_SYN 0x02

XTR_INLINE __u16 xtr_fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Sum of n 32-bit words as they lie in memory, and of sum, folded (RFC 1071: the same as of 16-bit words). */
XTR_INLINE __u16 xtr_sum32(const void *at, __u32 n, __u64 sum)
{
	const __u32 *w = at;

#pragma unroll
	for (__u32 i = 0; i < n; i++)
		sum += w[i];
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return xtr_fold(sum);
}

/* Is the checksum of an IPv4 header without options right? The sum needs not be folded to the end to tell. */
XTR_INLINE bool xtr_sum_good4(const void *at)
{
	const __u32 *w = at;
	__u64 sum = (__u64)w[0] + w[1] + w[2] + w[3] + w[4];

	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff || sum == 0x1fffe;
}

/* Is the checksum field only the pseudo-header sum, for hardware or a later software step to complete? */
XTR_INLINE bool xtr_csum_is_partial(const struct xtr_inner *p)
{
	__u64 sum = bpf_htons(p->proto) + bpf_htons(p->len - p->l3len);

	if (!p->ports || (p->proto != IPPROTO_TCP && p->proto != IPPROTO_UDP))
		return false;
	sum += (__u64)p->src.w[0] + p->dst.w[0];
	if (p->family == XTR_FAMILY_IP6)
		sum += (__u64)p->src.w[1] + p->src.w[2] + p->src.w[3] + p->dst.w[1] + p->dst.w[2] + p->dst.w[3];
	return xtr_sum32(NULL, 0, sum) == p->check;
}

/* Layer 4: ports for the flow hash (data-plane: only TCP, UDP, SCTP and no fragments), segment size, checksum state. */
XTR_INLINE int xtr_parse_l4(struct xtr_inner *p, void *l4, void *end, __u32 gso)
{
	__u32 need = p->proto == IPPROTO_TCP ? 20 : 8;
	__u32 body = p->len - p->l3len;

	if (p->proto != IPPROTO_TCP && p->proto != IPPROTO_UDP && p->proto != IPPROTO_SCTP)
		return XTR_PARSE_OK;
	if (body < need)
		return XTR_PARSE_OK;
	if (p->proto == IPPROTO_TCP) {
		if (l4 + 20 > end)
			return XTR_PARSE_SHORT;
		p->check = *(__u16 *)(l4 + 16);
		p->syn = *(__u8 *)(l4 + 13) & XTR_TCP_SYN;
		if (gso)
			p->seg = p->l3len + (*(__u8 *)(l4 + 12) >> 4) * 4 + gso;
	} else {
		if (l4 + 8 > end)
			return XTR_PARSE_SHORT;
		p->check = *(__u16 *)(l4 + 6);
	}
	p->ports = *(__be32 *)l4;
	p->dport = *(__be16 *)(l4 + 2);
	return XTR_PARSE_OK;
}

/*
 * IP length against the frame. A super-packet may be longer than a 16-bit length says, so there the frame decides and
 * the field has to agree modulo 2^16.
 */
XTR_INLINE bool xtr_len_agrees(struct xtr_inner *p, __u32 field, __u32 room, __u32 gso)
{
	if (gso) {
		p->len = room;
		return (field & 0xffff) == (room & 0xffff);
	}
	p->len = field;
	return field <= room;
}

XTR_INLINE int xtr_parse_ip4(const struct xtr_ctx *c, struct xtr_cur *cur, struct xtr_inner *p, bool verify)
{
	__u32 room = xtr_len(c) - xtr_l2(c), gso = xtr_gso_size(c), hlen;
	struct iphdr *ip = xtr_take(cur, sizeof(*ip));
	__u8 first;

	if (!ip)
		return room < IP4_HLEN ? XTR_PARSE_BAD : XTR_PARSE_SHORT;
	first = *(__u8 *)ip;
	hlen = (first & 0x0f) * 4;
	if (first >> 4 != 4 || hlen < IP4_HLEN || bpf_ntohs(ip->tot_len) < hlen)
		return XTR_PARSE_BAD;
	if (!xtr_len_agrees(p, bpf_ntohs(ip->tot_len), room, gso))
		return XTR_PARSE_BAD;
	/* RFC 1812 5.2.2: a router verifies the header; options: the next router does */
	if (verify && hlen == IP4_HLEN && !xtr_sum_good4(ip))
		return XTR_PARSE_BAD;
	p->family = XTR_FAMILY_IP4;
	p->proto = ip->protocol;
	p->tos = ip->tos;
	p->ttl = ip->ttl;
	p->l3len = hlen;
	p->seg = p->len;
	p->src.w[0] = ip->saddr;
	p->dst.w[0] = ip->daddr;
	if (ip->frag_off & bpf_htons(IP_MF_OFFSET))
		return XTR_PARSE_OK;
	return xtr_parse_l4(p, (void *)ip + hlen, cur->end, gso);
}

XTR_INLINE int xtr_parse_ip6(const struct xtr_ctx *c, struct xtr_cur *cur, struct xtr_inner *p)
{
	__u32 room = xtr_len(c) - xtr_l2(c), gso = xtr_gso_size(c);
	struct ipv6hdr *ip = xtr_take(cur, sizeof(*ip));

	if (!ip)
		return room < IP6_HLEN ? XTR_PARSE_BAD : XTR_PARSE_SHORT;
	if (*(__u8 *)ip >> 4 != 6)
		return XTR_PARSE_BAD;
	if (!xtr_len_agrees(p, bpf_ntohs(ip->payload_len) + IP6_HLEN, room, gso))
		return XTR_PARSE_BAD;
	p->family = XTR_FAMILY_IP6;
	p->proto = ip->nexthdr;
	p->tos = bpf_ntohs(*(__be16 *)ip) >> 4;
	p->ttl = ip->hop_limit;
	p->l3len = IP6_HLEN;
	p->seg = p->len;
	__builtin_memcpy(&p->src, &ip->saddr, sizeof(p->src));
	__builtin_memcpy(&p->dst, &ip->daddr, sizeof(p->dst));
	return xtr_parse_l4(p, cur->pos, cur->end, gso);
}

/* The frame's IP packet. verify: check the IPv4 header checksum, as a router does. p is zeroed by the caller. */
XTR_INLINE int xtr_parse_frame(const struct xtr_ctx *c, struct xtr_inner *p, bool verify)
{
	struct xtr_cur cur = { .pos = xtr_data(c), .end = xtr_data_end(c) };
	struct ethhdr *eth = xtr_take(&cur, ETH_HLEN);
	__be16 *type = &eth->h_proto;

	if (!eth)
		return XTR_PARSE_SHORT;
	if (c->tag) { /* known to be a tag */
		type = cur.pos + 2;
		if (!xtr_take(&cur, VLAN_HLEN))
			return XTR_PARSE_SHORT;
	}
	if (*type == bpf_htons(ETH_P_IP))
		return xtr_parse_ip4(c, &cur, p, verify);
	if (*type == bpf_htons(ETH_P_IPV6))
		return xtr_parse_ip6(c, &cur, p);
	return XTR_PARSE_NOT_IP;
}

/*
 * What is at off is said to be the inner packet of LISP data. Is it LISP data itself? Rare, so by copies.
 */
XTR_INLINE bool xtr_is_lisp(const struct xtr_ctx *c, __u32 off)
{
	__u8 first, proto;
	__be16 port;

	if (xtr_load(c, off, &first, 1))
		return false;
	if (first >> 4 == 6) {
		if (xtr_load(c, off + 6, &proto, 1) || xtr_load(c, off + IP6_HLEN + 2, &port, 2))
			return false;
	} else {
		if (xtr_load(c, off + 9, &proto, 1) || xtr_load(c, off + (first & 0x0f) * 4 + 2, &port, 2))
			return false;
	}
	return proto == IPPROTO_UDP && port == bpf_htons(XTR_PORT_DATA);
}

/* Next Protocol of LISP-GPE. */
XTR_INLINE __u32 xtr_gpe_protocol(__u8 family)
{
	return family == XTR_FAMILY_IP4 ? XTR_GPE_NP_IP4 : XTR_GPE_NP_IP6;
}

XTR_INLINE bool xtr_ip_equal(const struct xtr_abi_ip *a, const struct xtr_abi_ip *b)
{
	return !((a->w[0] ^ b->w[0]) | (a->w[1] ^ b->w[1]) | (a->w[2] ^ b->w[2]) | (a->w[3] ^ b->w[3]));
}

XTR_INLINE bool xtr_mac_equal(const __u8 *a, const __u8 *b)
{
	const __u16 *x = (const __u16 *)a, *y = (const __u16 *)b;

	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]));
}

XTR_INLINE bool xtr_addr_group(__u8 family, const struct xtr_abi_ip *a)
{
	__u32 w0 = bpf_ntohl(a->w[0]);

	return family == XTR_FAMILY_IP4 ? w0 >> 28 == 0xe : w0 >> 24 == 0xff;
}

/* Groups that stay on their link: 224.0.0.0/24; IPv6 scopes up to the link's (RFC 4291 2.7). */
XTR_INLINE bool xtr_group_on_link(__u8 family, const struct xtr_abi_ip *a)
{
	__u32 w0 = bpf_ntohl(a->w[0]);

	return family == XTR_FAMILY_IP4 ? w0 >> 8 == 0xe00000 : (w0 >> 16 & 0xf) <= 2;
}

/* Addresses that never leave the link or the host, and IPv4-mapped ones (a way round IPv4 filters). */
XTR_INLINE bool xtr_addr_unfit(__u8 family, const struct xtr_abi_ip *a)
{
	__u32 w0 = bpf_ntohl(a->w[0]);

	if (family == XTR_FAMILY_IP4)
		return w0 >> 28 == 0xe || w0 == 0xffffffff || w0 >> 24 == 127 || w0 >> 16 == 0xa9fe || w0 >> 24 == 0;
	if (w0 >> 24 == 0xff || (w0 & 0xffc00000) == 0xfe800000)
		return true;
	if (w0 || a->w[1])
		return false;
	return a->w[2] == bpf_htonl(0xffff) || (!a->w[2] && bpf_ntohl(a->w[3]) <= 1);
}

#endif
