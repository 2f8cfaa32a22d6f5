/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From the programs to the daemon: packets that miss the map-cache go up with the event, so that the first packet is
 * not lost. TC only. Limits come before any work, in the order of their cost: a token bucket per CPU and port (one
 * tenant's scan must not starve another's first packet), then a few packets per EID and second, then the ring.
 */
#ifndef XTR_BPF_MISS_H
#define XTR_BPF_MISS_H

#include "lookup.h"

/* What the event says, beside the packet. */
struct xtr_report {
	__u8  type;
	__u16 reason;
	__u32 iid;
	__u32 hold;
};

/*
 * A token bucket in units of 1/hz event, refilled by rate units a jiffy. Returns the bucket when it holds a token, which
 * the caller takes with xtr_token_take.
 */
XTR_INLINE struct xtr_misstb *xtr_token_of(__u32 slot, __u32 rate, __u32 burst, const struct xtr_cfg *cfg, __u64 now)
{
	struct xtr_misstb *tb = bpf_map_lookup_elem(&xtr_misstb, &slot);
	__u64 most = (__u64)burst * cfg->hz, passed;

	if (!tb)
		return NULL;
	passed = now - tb->jiffies;
	if (passed) {
		tb->jiffies = now;
		/* after a long silence it is full; also keeps the product small */
		tb->tokens = passed > 0xffffffff ? most : tb->tokens + passed * rate;
		if (tb->tokens > most)
			tb->tokens = most;
	}
	return tb->tokens >= cfg->hz && tb->tokens ? tb : NULL;
}

XTR_INLINE struct xtr_misstb *xtr_token(__u32 slot, const struct xtr_cfg *cfg, __u64 now)
{
	return xtr_token_of(slot, cfg->miss_rate, cfg->miss_burst, cfg, now);
}

XTR_INLINE void xtr_token_take(struct xtr_misstb *tb, const struct xtr_cfg *cfg)
{
	tb->tokens -= cfg->hz;
}

/* At most miss_eid_burst packets of one destination EID a second. Two EIDs that meet in a slot push each other out. */
XTR_INLINE bool xtr_miss_slot(const struct xtr_cfg *cfg, const struct xtr_inner *p, __u32 iid, __u64 now)
{
	/* keyed: nobody can compute which destinations meet */
	__u32 mark = xtr_mix_end(xtr_mix_ip(xtr_mix(cfg->hash_seed, iid), p->family, &p->dst));
	__u32 i = mark % XTR_MISS_SLOTS;
	__u16 window = now / (cfg->hz ?: 1);
	struct xtr_missslot *s = bpf_map_lookup_elem(&xtr_misssl, &i);

	if (!s)
		return false;
	if (s->fingerprint != mark || s->window != window) {
		s->fingerprint = mark;
		s->window = window;
		s->count = 0;
	}
	if (s->count >= cfg->miss_eid_burst)
		return false;
	s->count++; /* a race of two CPUs lets one more through */
	return true;
}

/* One event with room for class octets of the frame. len <= class. */
XTR_INLINE int xtr_submit(const struct xtr_ctx *c, const struct xtr_inner *p, const struct xtr_report *what,
			  __u32 len, const __u32 class)
{
	struct xtr_event *ev = bpf_ringbuf_reserve(&xtr_events, sizeof(*ev) + class, 0);

	if (!ev)
		return -XTR_DROP_MISS_RING_FULL;
	ev->type = what->type;
	ev->family = p->family;
	ev->reason = what->reason;
	ev->ifindex = xtr_ifindex(c);
	ev->iid = what->iid;
	ev->len = xtr_len_all(c);
	ev->caplen = len;
	ev->gso_size = xtr_gso_size(c);
	ev->gso_segs = c->skb ? c->skb->gso_segs : 0;
	ev->hold = what->hold;
	ev->dst = p->dst;
	ev->src = p->src;
	if (xtr_load(c, 0, ev + 1, len)) {
		bpf_ringbuf_discard(ev, 0);
		return -XTR_DROP_MISS_RING_FULL;
	}
	bpf_ringbuf_submit(ev, 0);
	return 0;
}

/* The first octets only: what a report needs. */
XTR_INLINE int xtr_submit_head(const struct xtr_ctx *c, const struct xtr_inner *p, const struct xtr_report *what)
{
	__u64 len = xtr_len_all(c);

	if (len > XTR_EV_SMALL)
		len = XTR_EV_SMALL;
	barrier_var(len); /* the verifier has to see the comparisons on the register that is passed on */
	if (len < ETH_HLEN || len > XTR_EV_SMALL)
		return 0;
	return xtr_submit(c, p, what, len, XTR_EV_SMALL);
}

/* The whole frame in the smallest class that holds it. 0: it lives in the daemon now. */
XTR_FUNC int xtr_capture(struct __sk_buff *skb, const struct xtr_inner *p, const struct xtr_report *what)
{
	struct xtr_ctx c = { .skb = skb };
	__u32 len = skb->len;

	if (len < ETH_HLEN || len > XTR_EV_LARGE)
		return -XTR_DROP_MISS_TOO_BIG;
	if (len <= XTR_EV_SMALL)
		return xtr_submit(&c, p, what, len, XTR_EV_SMALL);
	if (len <= XTR_EV_MEDIUM)
		return xtr_submit(&c, p, what, len, XTR_EV_MEDIUM);
	return xtr_submit(&c, p, what, len, XTR_EV_LARGE);
}

/* A miss. 0: captured; else the drop reason, negative. */
XTR_INLINE int xtr_miss(const struct xtr_ctx *c, const struct xtr_cfg *cfg, const struct xtr_iface *ifc,
			const struct xtr_inner *p, __u64 now)
{
	struct xtr_report what = { .type = XTR_EV_MISS, .iid = ifc->iid };
	struct xtr_misstb *tb = xtr_token(ifc->slot, cfg, now);
	int r;

	xtr_stat(XTR_STAT_MISS, p->len);
	if (!tb)
		return -XTR_DROP_MISS_LIMITED;
	/* an EID over its limit takes no token, or it would use up those of the others */
	if (!xtr_miss_slot(cfg, p, ifc->iid, now))
		return -XTR_DROP_MISS_EID_LIMITED;
	xtr_token_take(tb, cfg);
	r = xtr_capture(c->skb, p, &what);
	if (!r)
		xtr_stat(XTR_STAT_MISS_EVENT, p->len);
	return r;
}

/* An entry that says send-map-request (RFC 9301 5.4): tell the daemon, within the same limits. */
XTR_INLINE void xtr_ask(const struct xtr_ctx *c, const struct xtr_cfg *cfg, const struct xtr_iface *ifc,
			const struct xtr_inner *p, __u64 now)
{
	struct xtr_report what = { .type = XTR_EV_REQUEST, .iid = ifc->iid };
	struct xtr_misstb *tb = xtr_token(ifc->slot, cfg, now);

	if (!tb || !xtr_miss_slot(cfg, p, ifc->iid, now))
		return;
	xtr_token_take(tb, cfg);
	xtr_submit_head(c, p, &what);
}

/* A control message from a known source: the whole frame to the daemon. 0: it is there; else the drop reason, negative. */
XTR_INLINE int xtr_control(struct __sk_buff *skb, const struct xtr_cfg *cfg, const struct xtr_iface *ifc, struct xtr_inner *p)
{
	struct xtr_report what = { .type = XTR_EV_CONTROL, .iid = XTR_IID_MAX };
	struct xtr_misstb *tb = xtr_token_of(ifc->slot, cfg->control_rate, cfg->control_burst, cfg, bpf_jiffies64());

	if (!tb)
		return -XTR_DROP_CONTROL_LIMITED;
	xtr_token_take(tb, cfg);
	if (xtr_capture(skb, p, &what))
		return -XTR_DROP_CONTROL_LOST;
	xtr_stat(XTR_STAT_CONTROL, p->len);
	return 0;
}

/* Counts a drop and, while somebody watches, reports a sample of them. Its own bucket: it never starves a miss. */
XTR_INLINE void xtr_drop(const struct xtr_ctx *c, const struct xtr_cfg *cfg, const struct xtr_inner *p, __u32 iid, int reason)
{
	struct xtr_report what = { .type = XTR_EV_DROP, .reason = reason, .iid = iid };
	struct xtr_misstb *tb;

	xtr_count_drop(reason);
	if (!(cfg->flags & XTR_CFG_F_TRACE_DROPS))
		return;
	tb = xtr_token(XTR_TRACE_SLOT, cfg, bpf_jiffies64());
	if (!tb)
		return;
	xtr_token_take(tb, cfg);
	xtr_submit_head(c, p, &what);
}

#endif
