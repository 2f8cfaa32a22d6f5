/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Replication by XDP (RFC 8378 5.2): room for the outer headers is made once, the kernel makes the copies (BPF_F_BROADCAST to a
 * device map with one entry for each), and as each copy leaves, xtr_xdp_copy gives it its own outer headers. Only what the
 * daemon vouches for as a whole: every member resolved, every port able, nobody on this host who wants the packet too. For
 * everything else XDP leaves the packet to TC (mcast.h), octet for octet as it came.
 *
 * Which copy is it? Nothing of the entry reaches the program, so the copies of one packet are counted. That holds because a device
 * has one queue for what XDP sends on each CPU, first in, first out; all copies of a packet are put into it before the next packet
 * is looked at; and the programs of one CPU run one at a time: a driver's round (NAPI) is a softirq, which no other softirq of that
 * CPU interrupts, and the queue is sent at its end at the latest, on the same CPU. A copy that the kernel did not make is missing at
 * the end of a packet, not in the middle: a device takes all of a packet's copies or none, or memory ran out. So each port counts
 * by itself, and starts anew with each packet.
 *
 * One program for all that is sent to a device in a driver's round: that of the first frame. Were that one sent by bpf_redirect
 * alone, the copies behind it would leave as they are, all alike. So every frame goes by the entry of its port (xtr_fanout); while
 * there are lists for XDP that has this program, which lets frames without its metadata pass.
 */
#ifndef XTR_BPF_FAN_H
#define XTR_BPF_FAN_H

#include "encap.h"

/* Frame with outer headers. The kernel copies into one page, behind room for a head, in front of skb_shared_info. */
#define XTR_FAN_FRAME 3072
#define XTR_FAN_ROOM_MAX XTR_OUTER6

/* Makes room for len octets between the Ethernet header and the packet, where its tag may be now. -1: it is as it was. */
XTR_INLINE int xtr_xdp_room(const struct xtr_ctx *c, const struct xtr_inner *p, __u32 len)
{
	__s32 pad = p->len + xtr_l2(c) - xtr_len(c), more = len - c->tag;

	if (bpf_xdp_adjust_head(c->xdp, -more))
		return -1;
	if (pad && bpf_xdp_adjust_tail(c->xdp, pad)) {
		bpf_xdp_adjust_head(c->xdp, more);
		return -1;
	}
	return 0;
}

/* Out of a port, alone: by its entry, which is quicker than by its number. Returns an XDP action. */
XTR_INLINE int xtr_xdp_out(__u32 ifindex)
{
	return bpf_redirect_map(&xtr_fanout, ifindex, 0) == XDP_REDIRECT ? XDP_REDIRECT : bpf_redirect(ifindex, 0);
}

/* The list, if XDP can do it for this packet. */
XTR_INLINE struct xtr_fan *xtr_fan_get(const struct xtr_cfg *cfg, const struct xtr_inner *p, const struct xtr_mcast *mc, __u32 *id)
{
	__u32 list = mc->repl;
	struct xtr_fanof *of = bpf_map_lookup_elem(&xtr_fanof, &list);
	struct xtr_fan *fan;

	if (!of || (__s64)(bpf_jiffies64() - of->heartbeat) > (__s64)cfg->heartbeat_max)
		return NULL;
	*id = of->fan;
	fan = bpf_map_lookup_elem(&xtr_fan, id);
	if (!fan || !fan->n || p->len > fan->mtu || p->len + ETH_HLEN + XTR_FAN_ROOM_MAX > XTR_FAN_FRAME)
		return NULL;
	return fan;
}

/*
 * The copies. Returns an XDP action, or -1: the packet is as it came. The metadata come first: where a driver has none, nothing is
 * changed yet.
 */
XTR_INLINE int xtr_fan_send(const struct xtr_ctx *c, const struct xtr_iface *ifc, const struct xtr_inner *p,
			    struct xtr_mcast *mc, struct xtr_fan *fan, __u32 id)
{
	__u32 room = fan->room, n = fan->n, shape = fan->shape, last = XTR_MAX_PORTS;
	struct xtr_fancpu *cpu = bpf_map_lookup_elem(&xtr_fancpu, &last);
	void *devs = bpf_map_lookup_elem(&xtr_fandev, &shape), *data, *at;
	struct xtr_fan_meta *m;

	if (!devs || !cpu || (room != XTR_OUTER4 && room != XTR_OUTER6) || bpf_xdp_adjust_meta(c->xdp, -(int)sizeof(*m)))
		return -1;
	if (xtr_xdp_room(c, p, room)) {
		bpf_xdp_adjust_meta(c->xdp, sizeof(*m));
		return -1;
	}
	data = xtr_data(c);
	m = (void *)(long)c->xdp->data_meta;
	at = data + ETH_HLEN + room;
	if ((void *)(m + 1) > data || at + (p->family == XTR_FAMILY_IP4 ? IP4_HLEN : IP6_HLEN) > xtr_data_end(c)) {
		xtr_count_drop(XTR_DROP_ENCAP_ROOM);
		return XDP_DROP;
	}
	xtr_ttl_decrement(at, p->family);
	*m = (struct xtr_fan_meta){
		.magic = XTR_FAN_MAGIC, .packet = ++cpu->packet, .fan = id, .hash = xtr_flow_hash(p), .iid = ifc->iid,
		.len = p->len, .family = p->family, .tos = p->tos, .ttl = p->ttl - 1,
	};
	xtr_stat(XTR_STAT_REPL, p->len);
	xtr_stat(XTR_STAT_REPL_XDP, p->len);
	xtr_stat_many(XTR_STAT_REPL_COPY, n, p->len);
	xtr_stat_many(XTR_STAT_ENCAP, n, p->len);
	xtr_stat_many(XTR_STAT_ENCAP_XDP, n, p->len);
	__sync_fetch_and_add(&mc->packets, 1);
	__sync_fetch_and_add(&mc->copies, n);
	return bpf_redirect_map(devs, 0, BPF_F_BROADCAST);
}

/* A copy that is not to be: it was counted as sent. */
XTR_INLINE int xtr_fan_lost(__u32 octets, int reason)
{
	xtr_stat_many(XTR_STAT_REPL_COPY, -1, octets);
	xtr_stat_many(XTR_STAT_ENCAP, -1, octets);
	xtr_stat_many(XTR_STAT_ENCAP_XDP, -1, octets);
	xtr_count_drop(reason);
	return XDP_DROP;
}

/* The template of the copy that leaves by this port now. NULL: there is none left. */
XTR_INLINE struct xtr_rloc *xtr_fan_next(struct xtr_fan *fan, __u32 port, __u32 packet)
{
	struct xtr_fancpu *cpu;
	__u32 i, slot;

	for (i = 0; i < XTR_FAN_PORTS; i++)
		if (fan->port[i].ifindex == port)
			break;
	if (i >= XTR_FAN_PORTS)
		return NULL;
	slot = fan->port[i].slot;
	cpu = bpf_map_lookup_elem(&xtr_fancpu, &slot);
	if (!cpu || slot >= XTR_MAX_PORTS)
		return NULL;
	if (cpu->packet != packet) {
		cpu->packet = packet;
		cpu->next = 0;
	}
	if (cpu->next >= fan->port[i].n)
		return NULL;
	i = fan->port[i].from + cpu->next++;
	return i < XTR_REPL_MAX ? &fan->to[i] : NULL;
}

/* Outer headers of one copy, in front of its inner packet. 0, or the drop reason. */
XTR_INLINE int xtr_fan_copy(const struct xtr_ctx *c, const struct xtr_cfg *cfg, const struct xtr_fan_meta *m, struct xtr_rloc *t,
			    __u32 room)
{
	struct xtr_inner p = { .len = m->len, .family = m->family, .tos = m->tos, .ttl = m->ttl };
	struct xtr_way w = { .t = t, .hash = m->hash };
	__u32 need = t->family == XTR_FAMILY_IP4 ? XTR_OUTER4 : XTR_OUTER6, stat = t->stat;
	struct xtr_count *count;
	struct ethhdr *eth;

	if (need != room && bpf_xdp_adjust_head(c->xdp, (int)(room - need)))
		return XTR_DROP_REPL_FAILED;
	/* the metadata are not for the device, nor for who is behind it */
	if (bpf_xdp_adjust_meta(c->xdp, sizeof(*m)) || !xtr_outer_write(c, cfg, &w, &p, m->iid))
		return XTR_DROP_REPL_FAILED;
	eth = xtr_data(c);
	if ((void *)(eth + 1) > xtr_data_end(c))
		return XTR_DROP_REPL_FAILED;
	__builtin_memcpy(eth->h_dest, t->dmac, ETH_ALEN);
	__builtin_memcpy(eth->h_source, t->smac, ETH_ALEN);
	count = bpf_map_lookup_elem(&xtr_rlstat, &stat);
	if (count) {
		count->packets++;
		count->octets += p.len;
	}
	return 0;
}

#endif
