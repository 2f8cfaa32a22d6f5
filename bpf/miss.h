/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From the programs to the daemon: packets that miss the map-cache go up with the event, so that the first packet is
 * not lost. TC only; but what the limits refuse is refused by XDP, before anybody makes an skb of it. Limits come before any
 * work, in the order of their cost:
 *
 *  1. a token bucket per CPU and port: one tenant's scan must not starve another's first packet;
 *  2. one per CPU and sender (keyed hash): one host that scans must not take all tokens of its port;
 *  3. the slot of the destination (keyed hash): a few packets per EID and second; and has it come before?
 *  4. large packets: a bucket of their own, since one of them takes the room of 250 small ones;
 *  5. the ring: a quarter of it is left to those that come again, and to packets held to keep the order.
 *
 * A scan sends to each destination once, who wants to reach an EID tries again (a SYN, a ping, a datagram). So what is
 * refused leaves a mark in its slot, and who comes again one or two seconds later may use a quarter of each bucket that
 * newcomers may not. Within the same second is not again: scanners like to send everything twice. A scanner that comes
 * again politely does compete for that quarter, but within the bucket of its own address only; and a sender of many
 * addresses empties that of its own port only. Marks are kept four to a slot, the oldest goes; of more than four
 * newcomers a second only each eighth leaves a mark, so that a flood does not wash all away before they can come again.
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
	__u32 flags;
	__u32 ifindex; /* 0: where the program runs */
};

/*
 * A token bucket in units of 1/hz event, refilled by rate units a jiffy. Returns the bucket when it holds a token, which
 * the caller takes with xtr_token_take.
 */
XTR_INLINE struct xtr_misstb *xtr_token_fill(struct xtr_misstb *tb, __u32 rate, __u32 burst, const struct xtr_cfg *cfg,
					     __u64 now)
{
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

XTR_INLINE struct xtr_misstb *xtr_token_of(__u32 slot, __u32 rate, __u32 burst, const struct xtr_cfg *cfg, __u64 now)
{
	return xtr_token_fill(bpf_map_lookup_elem(&xtr_misstb, &slot), rate, burst, cfg, now);
}

XTR_INLINE void xtr_token_take(struct xtr_misstb *tb, const struct xtr_cfg *cfg)
{
	tb->tokens -= cfg->hz;
}

/* Kept for those that come again, on top of the burst. */
XTR_INLINE __u32 xtr_kept(__u32 burst)
{
	return burst / 4;
}

/* Does it hold a token for a newcomer? */
XTR_INLINE bool xtr_token_spare(const struct xtr_misstb *tb, __u32 burst, const struct xtr_cfg *cfg)
{
	return tb->tokens >= (__u64)(xtr_kept(burst) + 1) * cfg->hz;
}

XTR_INLINE struct xtr_misstb *xtr_token_source(__u32 burst, const struct xtr_cfg *cfg, const struct xtr_iface *ifc,
					       const struct xtr_inner *p, __u64 now)
{
	/* keyed, and of the port too: nobody can compute whose bucket he shares */
	__u32 h = xtr_mix(xtr_mix(~cfg->hash_seed, ifc->slot), ifc->iid), i;

	i = xtr_mix_end(xtr_mix_ip(h, p->family, &p->src)) % XTR_SOURCE_SLOTS;
	return xtr_token_fill(bpf_map_lookup_elem(&xtr_misssrc, &i), cfg->miss_source_rate, burst + xtr_kept(burst), cfg, now);
}

/* The burst of one sender: of miss_burst as much as its rate is of miss_rate. */
XTR_INLINE __u32 xtr_source_burst(const struct xtr_cfg *cfg)
{
	if (cfg->miss_source_rate >= cfg->miss_rate)
		return cfg->miss_burst;
	return (__u64)cfg->miss_burst * cfg->miss_source_rate / cfg->miss_rate ?: 1;
}

/* ---- the slot of a destination */

#define XTR_MISS_PRINT  0x3fff /* bits of the fingerprint in a mark */
#define XTR_MISS_YOUNG  2      /* seconds after which a mark still counts */

struct xtr_missat {
	struct xtr_missslot *slot;
	__u16 print;
	__u16 window; /* the second */
};

XTR_INLINE void xtr_miss_find(struct xtr_missat *at, const struct xtr_cfg *cfg, const struct xtr_inner *p, __u32 iid,
			      __u64 now)
{
	/* keyed: nobody can compute which destinations meet */
	__u32 h = xtr_mix_end(xtr_mix_ip(xtr_mix(cfg->hash_seed, iid), p->family, &p->dst));
	__u32 i = h % XTR_MISS_SLOTS;

	at->print = h / XTR_MISS_SLOTS & XTR_MISS_PRINT;
	at->window = now / (cfg->hz ?: 1);
	at->slot = bpf_map_lookup_elem(&xtr_misssl, &i);
}

/* Seconds since packets of this destination went up; a large number: not that one knows of. */
XTR_INLINE __u16 xtr_miss_age(const struct xtr_missat *at)
{
	const struct xtr_missslot *s = at->slot;

	return s->count && s->fingerprint == at->print ? (__u16)(at->window - s->window) : 0xffff;
}

/* Two bits are enough for the second of each mark only while there are recent ones. */
XTR_INLINE bool xtr_miss_stale(const struct xtr_missat *at)
{
	return (__u16)((at->window << 3) - (at->slot->refused & ~7)) >> 3 > XTR_MISS_YOUNG;
}

XTR_INLINE bool xtr_miss_marked(const struct xtr_missat *at)
{
	__u64 seen = at->slot->seen;
	bool marked = false;

	if (xtr_miss_stale(at))
		return false;
	for (int i = 0; i < 4; i++, seen >>= 16) {
		__u32 age = (at->window - (__u32)(seen >> 14)) & 3;

		marked |= (seen & XTR_MISS_PRINT) == at->print && age && age <= XTR_MISS_YOUNG;
	}
	return marked;
}

/* A mark of a refused packet. CPUs that race lose one. */
XTR_INLINE void xtr_miss_mark(const struct xtr_missat *at)
{
	__u16 mark = (at->window & 3) << 14 | at->print, second = at->window << 3, n = 0;
	struct xtr_missslot *s = at->slot;
	__u64 seen = s->seen;

	if (xtr_miss_stale(at)) /* the new one must not make them look young */
		seen = s->seen = 0;
	for (int i = 0; i < 4; i++, seen >>= 16)
		if ((__u16)seen == mark)
			return;
	if ((s->refused & ~7) == second)
		n = s->refused & 7;
	if (n >= 4 && bpf_get_prandom_u32() & 7)
		return;
	s->seen = s->seen << 16 | mark;
	s->refused = second | (n < 7 ? n + 1 : 7);
}

/* Two EIDs that meet in a slot push each other out. A race of two CPUs lets one more packet through. */
XTR_INLINE void xtr_miss_note(const struct xtr_missat *at)
{
	struct xtr_missslot *s = at->slot;

	if (xtr_miss_age(at)) {
		s->fingerprint = at->print;
		s->window = at->window;
		s->count = 0;
	}
	if (s->count != 0xffff)
		s->count++;
}

#define BPF_RB_AVAIL_DATA 0 /* enumerators of the kernel's UAPI */
#define BPF_RB_RING_SIZE  1

/* Is a quarter of the ring free? */
XTR_INLINE bool xtr_ring_spare(void)
{
	__u64 size = bpf_ringbuf_query(&xtr_events, BPF_RB_RING_SIZE);

	return bpf_ringbuf_query(&xtr_events, BPF_RB_AVAIL_DATA) <= size / 4 * 3;
}

/*
 * May this miss go up? Then it is charged, and flags of the event come back; else the drop reason, negative. XTR_MISS_ASK: only
 * asked, who decides will ask again and pay.
 */
#define XTR_MISS_IS_LARGE 1
#define XTR_MISS_ASK      2
XTR_GLOBAL int xtr_miss_admit(const struct xtr_cfg *cfg, const struct xtr_iface *ifc, const struct xtr_inner *p, __u32 how,
			      __u64 now)
{
	struct xtr_misstb *tb, *src, *big = NULL;
	bool again = false, large = how & XTR_MISS_IS_LARGE;
	__u32 burst, src_burst;
	struct xtr_missat at;
	__u16 age;
	int r = 0;

	if (!cfg || !ifc || !p)
		return -XTR_DROP_MISS_LIMITED;
	burst = cfg->miss_burst;
	tb = xtr_token_of(ifc->slot, cfg->miss_rate, burst + xtr_kept(burst), cfg, now);
	if (!tb)
		return -XTR_DROP_MISS_LIMITED;
	src_burst = xtr_source_burst(cfg);
	src = xtr_token_source(src_burst, cfg, ifc, p, now);
	if (!src)
		return -XTR_DROP_MISS_SOURCE;
	xtr_miss_find(&at, cfg, p, ifc->iid, now);
	if (!at.slot)
		return -XTR_DROP_MISS_LIMITED;
	age = xtr_miss_age(&at);
	if (!age && at.slot->count >= cfg->miss_eid_burst) /* takes no token: it would use up those of others */
		return -XTR_DROP_MISS_EID_LIMITED;
	if (age)
		again = age <= XTR_MISS_YOUNG || xtr_miss_marked(&at);
	if (!again && !xtr_token_spare(tb, burst, cfg))
		r = -XTR_DROP_MISS_LIMITED;
	else if (!again && !xtr_token_spare(src, src_burst, cfg))
		r = -XTR_DROP_MISS_SOURCE;
	else if (((age && !again) || large) && !xtr_ring_spare())
		r = -XTR_DROP_MISS_RING_FULL;
	if (!r && large) {
		big = xtr_token_of(XTR_LARGE_SLOT, cfg->large_rate, cfg->large_burst, cfg, now);
		if (!big)
			r = -XTR_DROP_MISS_LARGE;
	}
	if (r) {
		xtr_miss_mark(&at);
		return r;
	}
	if (how & XTR_MISS_ASK)
		return 0;
	xtr_token_take(tb, cfg);
	xtr_token_take(src, cfg);
	if (big)
		xtr_token_take(big, cfg);
	xtr_miss_note(&at);
	return again ? XTR_EV_F_AGAIN : 0;
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
	ev->ifindex = what->ifindex ?: xtr_ifindex(c);
	ev->iid = what->iid;
	ev->len = xtr_len_all(c);
	ev->caplen = len;
	ev->gso_size = xtr_gso_size(c);
	ev->gso_segs = c->skb ? c->skb->gso_segs : 0;
	ev->hold = what->hold;
	ev->dst = p->dst;
	ev->src = p->src;
	ev->vlan = c->skb && c->skb->vlan_present ? c->skb->vlan_tci & 0xfff : 0;
	ev->flags = what->flags | XTR_EV_F_TIMED | XTR_EV_TIME(bpf_jiffies64());
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
	int r;

	xtr_stat(XTR_STAT_MISS, p->len);
	if (c->skb->len > XTR_EV_LARGE)
		return -XTR_DROP_MISS_TOO_BIG;
	r = xtr_miss_admit(cfg, ifc, p, c->skb->len > XTR_EV_MEDIUM ? XTR_MISS_IS_LARGE : 0, now);
	if (r < 0)
		return r;
	what.flags = r;
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
	int r = xtr_miss_admit(cfg, ifc, p, 0, now);

	if (r < 0)
		return;
	what.flags = r;
	xtr_submit_head(c, p, &what);
}

/* A control message from a known source: the whole frame to the daemon. port: where it came in, and ifc says what that is.
 * 0: it is there; else the drop reason, negative. */
XTR_INLINE int xtr_control(struct __sk_buff *skb, const struct xtr_cfg *cfg, const struct xtr_iface *ifc, struct xtr_inner *p,
			   __u32 port)
{
	struct xtr_report what = { .type = XTR_EV_CONTROL, .iid = XTR_IID_MAX, .ifindex = port };
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
	tb = xtr_token_of(XTR_TRACE_SLOT, cfg->miss_rate, cfg->miss_burst, cfg, bpf_jiffies64());
	if (!tb)
		return;
	xtr_token_take(tb, cfg);
	xtr_submit_head(c, p, &what);
}

#endif
