/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Replication at the head end (RFC 8378 5.2, RFC 9962 4.1): one packet becomes an encapsulated copy to each member of a
 * list. TC only. The packet itself is turned into each copy in turn and cloned out of the underlay port: room for the outer
 * headers is made once, and moved by the difference of the two families where a list changes from one to the other. So
 * nothing of the inner packet is touched after its TTL, and each copy has outer headers of its own.
 *
 * A copy whose template nobody vouches for goes out of the peer end of the overlay device, where xtr_tc_inject has the
 * kernel resolve it: a program can ask for that once in a run, and only for the packet it was started with.
 *
 * What bounds the work: XTR_REPL_MAX copies a run; no copy to an RLOC of ours; the inner TTL goes down by one here and is
 * the outer one.
 */
#ifndef XTR_BPF_MCAST_H
#define XTR_BPF_MCAST_H

#include "tc.h"

/* One run; lives on the stack of the program, each copy reads and changes it. */
struct xtr_copies {
	struct __sk_buff *skb;
	const struct xtr_cfg *cfg;
	const struct xtr_repl *list;
	struct xtr_mcast *mc;
	const struct xtr_inner *p;
	struct xtr_way w;
	__u64 now;
	__u32 iid;
	__u32 via;   /* peer end of an overlay device: for copies that the kernel has to resolve */
	__u32 room;  /* family of the room in front of the inner packet; 0: none yet; XTR_ROOM_SPOILED */
};
#define XTR_ROOM_SPOILED 1

/* Room for the outer headers of this family, and skb->protocol. */
XTR_INLINE int xtr_copy_room(struct xtr_copies *m, const struct xtr_rloc *t)
{
	if (m->room == t->family)
		return 0;
	if (!m->room) {
		m->room = xtr_tc_room(m->skb, t, m->p) ? XTR_ROOM_SPOILED : t->family;
		return m->room == XTR_ROOM_SPOILED ? -1 : 0;
	}
	/* adds or removes the 20 octets between the two header lengths */
	if (bpf_skb_change_proto(m->skb, xtr_ethertype(t->family), 0))
		return -1;
	m->room = t->family;
	return 0;
}

/* Clones the packet as it is now out of the underlay port. Negative: it was not sent. */
XTR_INLINE int xtr_copy_send(struct xtr_copies *m, const struct xtr_rloc *t, __u32 id)
{
	struct xtr_ctx c = { .skb = m->skb };
	struct ethhdr *eth;
	int r;

	if (!xtr_fresh(t, m->cfg, m->now)) {
		xtr_stat(XTR_STAT_FALLBACK, m->p->len);
		m->skb->mark = XTR_MARK_RESOLVE | id;
		r = bpf_clone_redirect(m->skb, m->via, 0);
		m->skb->mark = 0;
		return r;
	}
	eth = xtr_data(&c);
	if ((void *)(eth + 1) > xtr_data_end(&c))
		return -1;
	__builtin_memcpy(eth->h_dest, t->dmac, ETH_ALEN);
	__builtin_memcpy(eth->h_source, t->smac, ETH_ALEN);
	return bpf_clone_redirect(m->skb, t->ifindex, 0);
}

/* The copy to one member. 0, or the drop reason. */
XTR_INLINE int xtr_copy(struct xtr_copies *m, __u32 id)
{
	struct xtr_ctx c = { .skb = m->skb };
	struct xtr_rloc *t = xtr_rloc_get(id);
	__u32 need;

	if (!t || !(t->flags & XTR_RLOC_F_UP) || !t->ifindex)
		return XTR_DROP_NO_LOCATOR;
	if (xtr_is_self(t->family, &t->dst)) /* M-27 of RFC 8378: ours get it without the network */
		return 0;
	need = m->p->len + (t->family == XTR_FAMILY_IP4 ? XTR_OUTER4 : XTR_OUTER6);
	if (need > 0xffff || need > xtr_path_mtu(&c, t))
		return XTR_DROP_REPL_TOO_BIG;
	m->w.t = t;
	if (xtr_copy_room(m, t) || !xtr_outer_write(&c, m->cfg, &m->w, m->p, m->iid) || xtr_copy_send(m, t, id))
		return XTR_DROP_REPL_FAILED;
	xtr_count_encap(t, XTR_STAT_ENCAP, m->p->len);
	xtr_stat(XTR_STAT_REPL_COPY, m->p->len);
	__sync_fetch_and_add(&m->mc->copies, 1);
	return 0;
}

static long xtr_copy_turn(__u32 i, void *arg)
{
	struct xtr_copies *m = arg;
	int r;

	if (i >= XTR_REPL_MAX || i >= m->list->n || m->room == XTR_ROOM_SPOILED)
		return 1;
	barrier_var(i); /* the verifier has to see the bound on the register that is the index */
	r = xtr_copy(m, m->list->rloc[i & (XTR_REPL_MAX - 1)]);
	if (r)
		xtr_count_drop(r);
	return 0;
}

/*
 * One copy of the packet to each member of this part of the list. Each copy that cannot be sent is a drop of its own. Returns
 * a TC action (the packet is used up), or -reason. via: the peer end of an overlay device.
 */
XTR_FUNC XTR_NONNULL int xtr_replicate(struct __sk_buff *skb, __u32 iid, const struct xtr_inner *p, struct xtr_mcast *mc,
				       __u32 part)
{
	struct xtr_repl_key k = { .id = mc->repl, .part = part };
	struct xtr_ctx c = { .skb = skb };
	struct xtr_copies m = {
		.skb = skb, .cfg = &xtr_cfg, .mc = mc, .p = p, .now = bpf_jiffies64(), .iid = iid, .via = skb->ifindex,
		.w = { .hash = xtr_flow_hash(p), .decrement = true },
	};

	m.list = bpf_map_lookup_elem(&xtr_repl, &k);
	if (!m.list)
		return -XTR_DROP_REPL_NO_LIST;
	xtr_tc_trim(skb, p);
	if (xtr_tc_decrement(&c, p)) /* once, before the copies */
		return -XTR_DROP_ENCAP_ROOM;
	skb->mark = 0; /* not for the underlay to see */
	/* That is a 0 which the verifier does not know. Kernels before 6.7 look at the loop's body once, and what they take
	 * for a constant there they make one: the branches for any other value would be gone. */
	m.room = *(volatile __u32 *)&skb->mark;
	xtr_stat(XTR_STAT_REPL, p->len);
	__sync_fetch_and_add(&mc->packets, 1);
	bpf_loop(XTR_REPL_MAX, xtr_copy_turn, &m, 0);
	return xtr_tc_taken();
}

/*
 * From xtr_tc_encap: replication is at one place only, the egress of the peer end, by the rules of the port it came in at
 * (skb->mark). A packet of an EID port goes there as a clone: the hosts beside us get it natively (RFC 8378 5.2).
 */
XTR_INLINE void xtr_group_from_port(struct __sk_buff *skb, const struct xtr_iface *ifc)
{
	__u32 iid = ifc->iid, mark = skb->mark;
	struct xtr_inst *inst = bpf_map_lookup_elem(&xtr_inst, &iid);
	struct xtr_iface *ov = inst ? xtr_iface_get(inst->peer, 0) : NULL;

	skb->mark = skb->ifindex;
	if (!ov || bpf_clone_redirect(skb, inst->peer, 0))
		xtr_count_drop(XTR_DROP_REPL_FAILED);
	skb->mark = mark;
}

XTR_INLINE int xtr_group_onward(struct __sk_buff *skb, const struct xtr_iface *ifc)
{
	__u32 peer = skb->ifindex;

	skb->mark = peer;
	barrier_var(peer); /* or the compiler makes one access of the two at an address the verifier cannot follow */
	if (ifc->role == XTR_ROLE_OVERLAY)
		peer = ifc->peer;
	return bpf_redirect(peer, 0);
}

/* A copy that only lacks its layer-2 addresses: XTR_MARK_RESOLVE. */
XTR_INLINE int xtr_copy_resolve(struct __sk_buff *skb, const struct xtr_cfg *cfg, __u32 id)
{
	struct xtr_rloc *t = xtr_rloc_get(id);

	if (t && t->ifindex)
		return xtr_tc_resolve(skb, cfg, t, skb->ifindex);
	xtr_count_drop(XTR_DROP_NO_LOCATOR);
	return TC_ACT_SHOT;
}

#endif
