/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets that are too big for the path to their locator and may not be fragmented: the sender is told the size that fits,
 * by ICMP fragmentation needed (RFC 792, RFC 1191 4) or ICMPv6 packet too big (RFC 4443 3.2, RFC 8201), made in place of the
 * packet itself and sent back where it came from. TC only.
 *
 * As source stands the address of the port. On the overlay device it is the destination of the packet, as in what the
 * kernel's own tunnels answer (iptunnel_pmtud_build_icmp): an address of this host would be taken for a forged one there.
 *
 * A local sender's packet may have a checksum that is still to be done, and nothing tells a program so, nor can it be undone:
 * whoever sends the answer on would sum up the quoted packet and all, and write into the quoted checksum field. So this field
 * gets the one value that comes out of that sum again. Then the answer is right whether the sum is done or not, and the
 * ICMP checksum is that of the octets as they are. Segmentation does not survive: bpf_skb_change_tail ends it.
 */
#ifndef XTR_BPF_ICMP_H
#define XTR_BPF_ICMP_H

#include "tc.h"

#define ICMP_HLEN       8
#define ICMP4_UNREACH   3
#define ICMP4_FRAG      4
#define ICMP6_TOO_BIG   2
#define IP6_HOP         0
#define IP6_ROUTING     43
#define IP6_FRAGMENT    44
#define IP6_AH          51
#define IP6_OPTIONS     60
#define XTR_ICMP4_MOST  576  /* octets of the whole answer (RFC 1812 4.3.2.3) */
#define XTR_ICMP6_MOST  XTR_LEAST_MTU6 /* (RFC 4443 2.4 c) */
#define XTR_ICMP_HEADERS 6   /* extension headers looked through */
#define XTR_ICMP_PIECE  32

struct xtr_icmp {
	__u8   type, code;
	__be16 check;
	__be32 mtu; /* ICMPv4: in the lower half */
};
struct xtr_icmp4 {
	struct iphdr ip;
	struct xtr_icmp icmp;
};
struct xtr_icmp6 {
	struct ipv6hdr ip;
	struct xtr_icmp icmp;
};

/* Errors answer nothing, nor do fragments other than the first (RFC 1122 3.2.2). */
XTR_INLINE bool xtr_icmp_may4(struct __sk_buff *skb, const struct xtr_inner *p, __be16 frag)
{
	__u8 type;

	if (frag & bpf_htons(IP_OFFSET))
		return false;
	if (p->proto != IPPROTO_ICMP)
		return true;
	if (bpf_skb_load_bytes(skb, ETH_HLEN + p->l3len, &type, 1))
		return false;
	return type != 3 && type != 4 && type != 5 && type != 11 && type != 12;
}

/* The same of RFC 4443 2.4 e. What is behind more extension headers than looked through may be an error. */
XTR_INLINE bool xtr_icmp_may6(struct __sk_buff *skb, const struct xtr_inner *p)
{
	__u32 off = ETH_HLEN + IP6_HLEN;
	__u8 next = p->proto, b[4];

	for (int i = 0; i < XTR_ICMP_HEADERS; i++) {
		if (next == IPPROTO_ICMPV6)
			return !bpf_skb_load_bytes(skb, off, b, 1) && b[0] >= 128;
		if (next != IP6_HOP && next != IP6_ROUTING && next != IP6_FRAGMENT && next != IP6_AH && next != IP6_OPTIONS)
			return true;
		if (bpf_skb_load_bytes(skb, off, b, 4))
			return false;
		if (next == IP6_FRAGMENT && (b[2] || b[3] & 0xf8))
			return false;
		off += next == IP6_FRAGMENT ? 8 : next == IP6_AH ? (b[1] + 2) * 4 : (b[1] + 1) * 8;
		next = b[0];
	}
	return false;
}

/* Sum of these octets of the packet, as in xtr_sum32, folded. off is even or odd, no matter: the sum starts there. */
XTR_FUNC __u32 xtr_icmp_sum(struct __sk_buff *skb, __u32 off, __u32 len)
{
	__u8 piece[XTR_ICMP_PIECE];
	__u32 sum = 0;

	for (int i = 0; i < XTR_ICMP6_MOST / XTR_ICMP_PIECE && len >= XTR_ICMP_PIECE; i++) {
		if (bpf_skb_load_bytes(skb, off, piece, XTR_ICMP_PIECE))
			return 0;
		sum = bpf_csum_diff(NULL, 0, (__be32 *)piece, XTR_ICMP_PIECE, sum);
		off += XTR_ICMP_PIECE;
		len -= XTR_ICMP_PIECE;
	}
	/* one less in the comparison: older verifiers do not learn from "not zero" (6.1) */
	len--;
	barrier_var(len);
	if (len < XTR_ICMP_PIECE - 1) {
		__builtin_memset(piece, 0, sizeof(piece));
		if (bpf_skb_load_bytes(skb, off, piece, len + 1))
			return 0;
		sum = bpf_csum_diff(NULL, 0, (__be32 *)piece, XTR_ICMP_PIECE, sum);
	}
	return xtr_fold(sum);
}

/*
 * A checksum c over words that add up to sum without it, which comes out again when it is written over the field that held
 * it: c = ~(sum + c), in the arithmetic modulo 65535 of RFC 1071.
 */
XTR_INLINE __u16 xtr_icmp_fixed_point(__u16 sum)
{
	__u32 c = 0xffff - sum;

	return (c & 1 ? c + 0xffff : c) >> 1;
}

/* The checksum field of the quoted TCP or UDP header: see above. quote: where the quoted packet is. */
XTR_INLINE int xtr_icmp_settle(struct __sk_buff *skb, const struct xtr_inner *p, __u32 quote, __u32 len)
{
	__u32 l4 = quote + p->l3len;
	__u16 c = xtr_fold(xtr_icmp_sum(skb, l4, len - p->l3len) + (__u16)~p->check);

	c = xtr_icmp_fixed_point(c);
	return bpf_skb_store_bytes(skb, l4 + (p->proto == IPPROTO_TCP ? 16 : 6), &c, sizeof(c), BPF_F_RECOMPUTE_CSUM);
}

XTR_INLINE __u32 xtr_icmp_words(__be32 w)
{
	return (w & 0xffff) + (w >> 16);
}

/* sum: of what is quoted. The headers are not summed up where they lie: the compiler need not see 16-bit words in them. */
XTR_INLINE void xtr_icmp_head4(struct xtr_icmp4 *h, const struct xtr_iface *ifc, const struct xtr_inner *p, __u32 len,
			       __u32 mtu, __u32 sum)
{
	__be32 from = ifc->role == XTR_ROLE_EID ? ifc->addr4 : p->dst.w[0];

	h->icmp = (struct xtr_icmp){ .type = ICMP4_UNREACH, .code = ICMP4_FRAG, .mtu = bpf_htonl(mtu) };
	h->icmp.check = ~xtr_fold(sum + bpf_htons(ICMP4_UNREACH << 8 | ICMP4_FRAG) + bpf_htons(mtu));
	*(__u8 *)h = 0x45;
	h->ip.tos = 0xc0; /* internetwork control (RFC 1812 4.3.2.5) */
	h->ip.tot_len = bpf_htons(sizeof(*h) + len);
	h->ip.frag_off = bpf_htons(IP_DF);
	h->ip.ttl = 64;
	h->ip.protocol = IPPROTO_ICMP;
	h->ip.saddr = from;
	h->ip.daddr = p->src.w[0];
	h->ip.check = ~xtr_fold(bpf_htons(0x45c0) + bpf_htons(sizeof(*h) + len) + bpf_htons(IP_DF) +
				bpf_htons(64 << 8 | IPPROTO_ICMP) + xtr_icmp_words(from) + xtr_icmp_words(p->src.w[0]));
}

XTR_INLINE void xtr_icmp_head6(struct xtr_icmp6 *h, const struct xtr_iface *ifc, const struct xtr_inner *p, __u32 len,
			       __u32 mtu, __u32 sum)
{
	const __be32 *from = ifc->role == XTR_ROLE_EID ? ifc->addr6 : p->dst.w;

	__builtin_memcpy(&h->ip.saddr, from, sizeof(h->ip.saddr));
	__builtin_memcpy(&h->ip.daddr, &p->src, sizeof(h->ip.daddr));
	sum += bpf_htons(ICMP_HLEN + len) + bpf_htons(IPPROTO_ICMPV6) + bpf_htons(ICMP6_TOO_BIG << 8) + xtr_icmp_words(bpf_htonl(mtu));
	for (int i = 0; i < 4; i++)
		sum += xtr_icmp_words(from[i]) + xtr_icmp_words(p->src.w[i]);
	h->icmp = (struct xtr_icmp){ .type = ICMP6_TOO_BIG, .mtu = bpf_htonl(mtu), .check = ~xtr_fold(sum) };
	*(__u8 *)h = 0x60;
	h->ip.payload_len = bpf_htons(ICMP_HLEN + len);
	h->ip.nexthdr = IPPROTO_ICMPV6;
	h->ip.hop_limit = 64;
}

/*
 * The packet becomes what is quoted, behind room for the headers. Returns how much that is; 0: the kernel does not let us, and
 * the packet is as it was (a tunnel of the sender's own, say); negative: it is spoiled.
 *
 * These are steps of their own, and the programs call one after the other, for the sake of the stack.
 */
int xtr_icmp_quote(struct __sk_buff *skb, const struct xtr_inner *p);
XTR_GLOBAL int xtr_icmp_quote(struct __sk_buff *skb, const struct xtr_inner *p)
{
	__u32 head, len;

	if (!p) /* for the verifier */
		return 0;
	head = p->family == XTR_FAMILY_IP4 ? sizeof(struct xtr_icmp4) : sizeof(struct xtr_icmp6);
	len = (p->family == XTR_FAMILY_IP4 ? XTR_ICMP4_MOST : XTR_ICMP6_MOST) - head;
	if (len > p->len)
		len = p->len;
	if ((skb->gso_size || skb->len != ETH_HLEN + len) && bpf_skb_change_tail(skb, ETH_HLEN + len, 0))
		return 0;
	if (bpf_skb_adjust_room(skb, head, BPF_ADJ_ROOM_MAC, 0))
		return -1;
	if (xtr_csum_is_partial(p) && xtr_icmp_settle(skb, p, ETH_HLEN + head, len))
		return -1;
	return len;
}

/* The headers. len: octets quoted. */
int xtr_icmp_head(struct __sk_buff *skb, const struct xtr_iface *ifc, const struct xtr_inner *p, __u32 mtu, __u32 len);
XTR_GLOBAL int xtr_icmp_head(struct __sk_buff *skb, const struct xtr_iface *ifc, const struct xtr_inner *p, __u32 mtu,
			     __u32 len)
{
	struct xtr_icmp6 h = {}; /* of either family: the stack is small */
	__u32 head, sum;

	if (!ifc || !p || len > XTR_ICMP6_MOST) /* for the verifier */
		return -1;
	head = p->family == XTR_FAMILY_IP4 ? sizeof(struct xtr_icmp4) : sizeof(h);
	sum = xtr_icmp_sum(skb, ETH_HLEN + head, len);
	if (p->family == XTR_FAMILY_IP4)
		xtr_icmp_head4((struct xtr_icmp4 *)&h, ifc, p, len, mtu, sum);
	else
		xtr_icmp_head6(&h, ifc, p, len, mtu, sum);
	return bpf_skb_store_bytes(skb, ETH_HLEN, &h, head, BPF_F_RECOMPUTE_CSUM);
}

/* Back to the sender, out of the port where the packet came in, with the tag it has. The mark is for xtr_tc_guard, which knows by the
 * device alone where it came in: set only where that is taken for another instance, so the guard is there and takes it off. */
XTR_INLINE int xtr_icmp_to_port(struct __sk_buff *skb, const struct xtr_iface *ifc, __u32 port)
{
	struct xtr_iface *whole = ifc->vlan ? xtr_iface_get(port, 0) : NULL;
	__u8 mac[3 * ETH_ALEN];

	if (bpf_skb_load_bytes(skb, 0, mac, 2 * ETH_ALEN))
		return -XTR_DROP_ENCAP_MTU;
	__builtin_memcpy(mac + 2 * ETH_ALEN, mac, ETH_ALEN);
	if (bpf_skb_store_bytes(skb, 0, mac + ETH_ALEN, 2 * ETH_ALEN, 0))
		return -XTR_DROP_ENCAP_MTU;
	if (whole && whole->iid != ifc->iid)
		skb->mark = XTR_MARK_DECAP | port;
	return bpf_redirect(port, 0);
}

/* Back into the stack, or the namespace, that has sent it out of the overlay device. */
XTR_INLINE int xtr_icmp_to_stack(struct __sk_buff *skb, __u32 iid)
{
	struct xtr_inst *inst = bpf_map_lookup_elem(&xtr_inst, &iid);

	if (!inst || !inst->overlay || bpf_skb_store_bytes(skb, 0, inst->mac, ETH_ALEN, 0))
		return -XTR_DROP_ENCAP_MTU;
	return xtr_tc_into(skb, inst, false);
}

/* Has the port an address that can be the source? */
XTR_INLINE bool xtr_icmp_source(const struct xtr_iface *ifc, const struct xtr_inner *p)
{
	if (ifc->role != XTR_ROLE_EID)
		return true;
	if (p->family == XTR_FAMILY_IP4)
		return ifc->addr4;
	return ifc->addr6[0] | ifc->addr6[1] | ifc->addr6[2] | ifc->addr6[3];
}

/* What the sender is to be told; 0: the stack fragments, or answers itself; negative: nobody is told. */
int xtr_icmp_say(struct __sk_buff *skb, const struct xtr_iface *ifc, const struct xtr_inner *p, __u32 mtu);
XTR_GLOBAL int xtr_icmp_say(struct __sk_buff *skb, const struct xtr_iface *ifc, const struct xtr_inner *p, __u32 mtu)
{
	__be16 frag = 0;
	int stack;

	if (!ifc || !p) /* for the verifier */
		return -XTR_DROP_ENCAP_MTU;
	stack = ifc->role == XTR_ROLE_EID ? 0 : -XTR_DROP_ENCAP_MTU;
	if (p->family == XTR_FAMILY_IP4) {
		if (bpf_skb_load_bytes(skb, ETH_HLEN + 6, &frag, sizeof(frag)) || !(frag & bpf_htons(IP_DF)) || !mtu)
			return stack;
		if (!xtr_icmp_may4(skb, p, frag))
			return -XTR_DROP_ENCAP_MTU;
		if (mtu > 0xffff)
			mtu = 0xffff;
	} else {
		/* nobody has to send less than 1280 (RFC 8200 5), and who is told so goes on */
		if (!mtu || p->seg <= XTR_ICMP6_MOST || !xtr_icmp_may6(skb, p))
			return -XTR_DROP_ENCAP_MTU;
		if (mtu < XTR_ICMP6_MOST)
			mtu = XTR_ICMP6_MOST;
	}
	if (!xtr_icmp_source(ifc, p))
		return stack;
	/* a checksum to be done where we cannot see it: SCTP, behind extension headers */
	if (ifc->role == XTR_ROLE_EID && (ifc->flags & XTR_IF_F_CSUM_PARTIAL) && p->proto != IPPROTO_TCP &&
	    p->proto != IPPROTO_UDP && p->proto != IPPROTO_ICMP && p->proto != IPPROTO_ICMPV6)
		return stack;
	return mtu;
}

XTR_INLINE int xtr_icmp_limit(const struct xtr_inner *p)
{
	struct xtr_cfg *cfg = &xtr_cfg;
	struct xtr_misstb *tb;

	tb = xtr_token_of(XTR_ICMP_SLOT, cfg->icmp_rate, cfg->icmp_burst, cfg, bpf_jiffies64());
	if (tb) {
		xtr_token_take(tb, cfg);
		return 0;
	}
	xtr_stat(XTR_STAT_ICMP_LIMITED, p->len);
	return -XTR_DROP_ENCAP_MTU;
}

/*
 * A packet larger than the path takes. Returns a TC action, -reason, or 0: untouched, and for the stack of its port, which
 * fragments it or answers itself. port: where it came in.
 */
XTR_INLINE int xtr_icmp_too_big(struct __sk_buff *skb, const struct xtr_iface *ifc, const struct xtr_inner *p, __u32 mtu,
				__u32 port)
{
	int say = xtr_icmp_say(skb, ifc, p, mtu), len;

	if (say <= 0)
		return say;
	if (xtr_icmp_limit(p))
		return -XTR_DROP_ENCAP_MTU;
	len = xtr_icmp_quote(skb, p);
	if (!len && ifc->role == XTR_ROLE_EID)
		return 0;
	if (len <= 0 || xtr_icmp_head(skb, ifc, p, say, len))
		return -XTR_DROP_ENCAP_MTU;
	xtr_stat(XTR_STAT_ICMP_TOO_BIG, p->len);
	return ifc->role == XTR_ROLE_EID ? xtr_icmp_to_port(skb, ifc, port) : xtr_icmp_to_stack(skb, ifc->iid);
}

#endif
