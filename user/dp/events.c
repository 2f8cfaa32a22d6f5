// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Events from the programs. A turn takes at most 256 of them, or the loop would stand still for
 * milliseconds under a scan; the fd stays readable while there are more. What an event says is
 * checked before use, though only our own programs write there: a newer program may run for a
 * moment with an older daemon.
 */
#include "dp/internal.h"

#include <errno.h>
#include <string.h>

#define XTR_DP_ASKED (sizeof(((struct xtr_dp *)0)->asked) / sizeof(((struct xtr_dp *)0)->asked[0]))

/* send-map-request: the packet is gone already, so there is no queue that remembers when miss() was
 * called last. */
static void xtr_dp_event_request(struct xtr_dp *dp, uint32_t iid, const struct xtr_ip *dst,
				 const struct xtr_ip *src, bool again)
{
	struct {
		uint32_t iid;
		struct xtr_ip ip;
	} what;
	uint64_t tag;
	unsigned i;
	unsigned how = XTR_DP_MISS_REQUEST_ONLY | (again ? XTR_DP_MISS_AGAIN : 0);

	memset(&what, 0, sizeof(what));
	what.iid = iid;
	what.ip = *dst;
	tag = xtr_hash(&what, sizeof(what));
	i = (unsigned)(tag % XTR_DP_ASKED);
	if (dp->asked[i].tag == tag && dp->now - dp->asked[i].at < 1000)
		return;
	dp->asked[i].tag = tag;
	dp->asked[i].at = dp->now;
	if (dp->cb.miss)
		dp->cb.miss(dp->cb.ctx, iid, dst, src, how);
}

/* Milliseconds since it was captured, at least; 0 if that is not known. */
uint32_t xtr_dp_event_age(const struct xtr_dp *dp, const struct xtr_event *ev)
{
	uint32_t ticks = (XTR_EV_TIME(xtr_dp_jiffies(dp)) - ev->flags) >> (32 - XTR_EV_TIME_BITS);

	/* our clock may be a little behind that of the programs */
	if (!(ev->flags & XTR_EV_F_TIMED) || !ticks || ticks > (1u << XTR_EV_TIME_BITS) - 64)
		return 0;
	return (uint32_t)((uint64_t)(ticks - 1) * XTR_EV_TIME_TICK * 1000 / dp->hz);
}

/* Nobody read the ring meanwhile: in a queue it would have been dropped by now. */
static bool xtr_dp_event_late(const struct xtr_dp *dp, const struct xtr_event *ev)
{
	uint32_t age = xtr_dp_event_age(dp, ev);

	return age && age >= dp->cfg.queue_timeout_ms;
}

static void xtr_dp_event_miss(struct xtr_dp *dp, const struct xtr_event *ev, const uint8_t *frame)
{
	struct xtr_dp_entry *e;
	struct xtr_ip dst, src;

	xtr_dp_from_abi(&dst, &ev->dst, ev->family);
	xtr_dp_from_abi(&src, &ev->src, ev->family);
	if (!dst.family || ev->caplen != ev->len || ev->caplen > sizeof(dp->scratch)) {
		xtr_dp_drop(dp, XTR_DROP_INJECT_FAILED, 1);
		xtr_dp_hold_drained(dp, ev->hold);
		return;
	}
	if (xtr_dp_event_late(dp, ev)) {
		xtr_dp_drop(dp, XTR_DROP_QUEUE_TIMEOUT, 1);
		xtr_dp_hold_drained(dp, ev->hold);
		return;
	}
	e = xtr_dp_cache_match(dp, ev->iid, &dst, NULL);
	if (!e) {
		xtr_dp_queue_add(dp, ev, frame);
		/* what was held under an entry that has gone meanwhile is drained when it leaves
		 * the queue */
		return;
	}
	/* Captured before the entry was written, or held behind such: it is its turn now. */
	if (!ev->hold)
		xtr_dp_cache_repair(dp, ev->iid, &dst);
	if (e->is.action == XTR_ACT_ENCAP || e->is.action == XTR_ACT_NATIVE) {
		memcpy(dp->scratch, frame, ev->caplen); /* the ring is read-only memory */
		xtr_dp_inject(dp, ev->iid, dp->scratch, ev->caplen,
			      &(struct xtr_dp_origin){ ev->ifindex, ev->vlan, ev->gso_size });
	} else {
		xtr_dp_drop(dp, XTR_DROP_QUEUE_NEGATIVE, 1);
	}
	xtr_dp_hold_drained(dp, ev->hold);
}

int xtr_dp_event(void *ctx, void *data, size_t size)
{
	struct xtr_dp *dp = ctx;
	struct xtr_event *ev = data;
	struct xtr_ip dst, src;

	if (size >= sizeof(*ev) && ev->caplen <= size - sizeof(*ev)) {
		xtr_dp_from_abi(&dst, &ev->dst, ev->family);
		xtr_dp_from_abi(&src, &ev->src, ev->family);
		if (ev->type == XTR_EV_MISS)
			xtr_dp_event_miss(dp, ev, (uint8_t *)(ev + 1));
		else if (ev->type == XTR_EV_REQUEST && dst.family && !xtr_dp_event_late(dp, ev))
			xtr_dp_event_request(dp, ev->iid, &dst, &src,
					     ev->flags & XTR_EV_F_AGAIN);
		else if (ev->type == XTR_EV_CONTROL)
			xtr_dp_control(dp, ev, (const uint8_t *)(ev + 1));
		else if (ev->type == XTR_EV_DROP && dp->cb.drop)
			dp->cb.drop(dp->cb.ctx, ev->reason, ev->ifindex, ev->iid,
				    src.family ? &src : NULL, dst.family ? &dst : NULL);
	}
	return ++dp->turn >= XTR_DP_EVENTS_TURN ? -1 : 0;
}

int xtr_dp_ring_open(struct xtr_dp *dp, struct xtr_err *err)
{
	dp->ring = ring_buffer__new(dp->map[XTR_M_EVENTS], xtr_dp_event, dp, NULL);
	return dp->ring ? 0 : xtr_fail(err, -errno, "map %s: %s", XTR_MAP_EVENTS, strerror(errno));
}

bool xtr_dp_ring_turn(struct xtr_dp *dp)
{
	dp->turn = 0;
	return ring_buffer__consume(dp->ring) >= 0;
}

int xtr_dp_event_fd(const struct xtr_dp *dp) { return ring_buffer__epoll_fd(dp->ring); }

void xtr_dp_events(struct xtr_dp *dp, uint64_t now)
{
	dp->now = now;
	xtr_dp_left_turn(dp);
	xtr_dp_hold_check(dp, xtr_dp_ring_turn(dp));
	xtr_dp_drops_flush(dp);
}
