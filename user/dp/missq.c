// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Packets that wait for a mapping: a queue per destination EID, bounded per EID, in packets and in
 * octets, each packet for a limited time. The tries (key: instance, destination) find the queues
 * inside an EID-prefix and do not own them; dp->queues does. A queue without packets does not exist.
 *
 * All together are bounded too. When that is full a packet finds room all the same: the oldest one
 * of the instance that has most gives way, so that one tenant's scan takes no room from another's,
 * and within an instance what nobody has answered for longest goes first. The packets of an instance
 * are a list by age, the oldest of which is at the head of its queue.
 *
 * Order (struct xtr_hold): installing an entry and then injecting would let fresh packets overtake
 * queued ones. So the entry names a hold slot whose queued count starts ahead of drained; while
 * they differ the programs keep sending packets here, where they join the end. One more is counted
 * than was queued (the guard): it is given back when the ring has been empty once since the entry
 * was written, that is, when nothing captured before it is left. A deadline ends it all if the
 * counts never meet. TC sends packets direct from then on, XDP not before a quarter of a second later
 * (see xtr_settling): so long the entry names the slot.
 */
#include "dp/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define XTR_DP_ASK_MS 1000
#define XTR_DP_SLOT_MS 500 /* rest of a hold slot: a program may still count in it */
#define XTR_DP_HOLD_XDP_MS                                                                         \
	(XTR_DP_HOLD_MS + 250) /* XDP goes direct again (xtr_settling) */
#define XTR_DP_GUARD_MS                                                                            \
	2 /* a program that missed just before the entry was written has submitted by then */

int xtr_dp_queue_init(struct xtr_dp *dp, struct xtr_err *err)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	dp->q4 = xtr_trie_new();
	dp->q6 = xtr_trie_new();
	dp->holds = calloc(XTR_HOLD_SLOTS, sizeof(*dp->holds));
	if (!dp->q4 || !dp->q6 || !dp->holds)
		return xtr_fail(err, -ENOMEM, "out of memory");
	dp->hold_size = (XTR_HOLD_SLOTS * sizeof(struct xtr_hold) + page - 1) / page * page;
	dp->hold_mem = mmap(NULL, dp->hold_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			    dp->map[XTR_M_HOLD], 0);
	if (dp->hold_mem == MAP_FAILED) {
		dp->hold_mem = NULL;
		return xtr_fail(err, -errno, "map %s: cannot map it into memory: %s", XTR_MAP_HOLD,
				strerror(errno));
	}
	return 0;
}

/* ---- hold slots */

uint32_t xtr_dp_hold_take(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid,
			  unsigned queued)
{
	for (unsigned turn = 0; turn < XTR_HOLD_SLOTS; turn++) {
		uint32_t i = dp->hold_next;
		struct xtr_dp_hold_state *h = &dp->holds[i];
		struct xtr_hold *mem = &dp->hold_mem[i];

		dp->hold_next = (i + 1) % XTR_HOLD_SLOTS;
		if (h->active || (h->freed && dp->now - h->freed < XTR_DP_SLOT_MS))
			continue;
		*h = (struct xtr_dp_hold_state){
			.active = true, .guard = true, .iid = iid, .eid = *eid, .since = dp->now
		};
		/* No entry names the slot yet, so its counters have no other writer now. */
		__atomic_store_n(&mem->drained, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&mem->queued, queued + 1, __ATOMIC_RELAXED);
		__atomic_store_n(&mem->deadline,
				 xtr_dp_jiffies(dp) + (XTR_DP_HOLD_MS * dp->hz + 999) / 1000,
				 __ATOMIC_RELEASE);
		dp->hold_active++;
		return i + 1;
	}
	return 0; /* all in use: this one is not held, order is not promised */
}

void xtr_dp_hold_drained(struct xtr_dp *dp, uint32_t hold)
{
	if (hold && hold <= XTR_HOLD_SLOTS)
		__atomic_fetch_add(&dp->hold_mem[hold - 1].drained, 1, __ATOMIC_RELEASE);
}

void xtr_dp_hold_cancel(struct xtr_dp *dp, uint32_t hold)
{
	if (!hold || hold > XTR_HOLD_SLOTS || !dp->holds[hold - 1].active)
		return;
	dp->holds[hold - 1].active = false;
	dp->holds[hold - 1].freed = dp->now;
	if (dp->holds[hold - 1].settled)
		dp->hold_settled--;
	else
		dp->hold_active--;
}

void xtr_dp_hold_check(struct xtr_dp *dp, bool ring_empty)
{
	if (!dp->hold_active && dp->now < dp->hold_look)
		return;
	dp->hold_look = dp->now + XTR_DP_HOLD_LOOK_MS;
	for (uint32_t i = 0; dp->hold_active + dp->hold_settled && i < XTR_HOLD_SLOTS; i++) {
		struct xtr_dp_hold_state *h = &dp->holds[i];
		struct xtr_hold *mem = &dp->hold_mem[i];

		if (!h->active)
			continue;
		if (h->guard && ring_empty && dp->now - h->since >= XTR_DP_GUARD_MS) {
			h->guard = false;
			xtr_dp_hold_drained(dp, i + 1);
		}
		if (!h->settled && __atomic_load_n(&mem->queued, __ATOMIC_ACQUIRE) !=
					   __atomic_load_n(&mem->drained, __ATOMIC_RELAXED) &&
		    dp->now - h->since <= XTR_DP_HOLD_MS)
			continue;
		if (!h->settled) {
			h->settled = true;
			dp->hold_active--;
			dp->hold_settled++;
		}
		if (dp->now - h->since <= XTR_DP_HOLD_XDP_MS)
			continue;
		xtr_dp_cache_unhold(dp, h->iid, &h->eid);
		xtr_dp_hold_cancel(dp, i + 1);
	}
}

/* ---- queues */

static struct xtr_trie *xtr_dp_qtrie(struct xtr_dp *dp, uint8_t family)
{
	return family == 4 ? dp->q4 : dp->q6;
}

/* A new one if there is none: it is to get a packet. */
static struct xtr_dp_queue *xtr_dp_queue_get(struct xtr_dp *dp, uint32_t iid,
					     const struct xtr_ip *dst)
{
	struct xtr_ippfx host = { .ip = *dst, .len = (uint8_t)xtr_ip_bits(dst) };
	uint8_t key[32];
	unsigned bits = xtr_dp_trie_key(key, iid, &host);
	struct xtr_dp_queue *q = xtr_trie_get(xtr_dp_qtrie(dp, dst->family), key, bits);

	if (q)
		return q;
	q = calloc(1, sizeof(*q));
	if (!q || xtr_trie_set(xtr_dp_qtrie(dp, dst->family), key, bits, q, NULL)) {
		free(q);
		return NULL;
	}
	q->iid = iid;
	q->dst = *dst;
	q->tail = &q->head;
	q->next = dp->queues;
	if (q->next)
		q->next->prev = q;
	dp->queues = q;
	return q;
}

static struct xtr_dp_share *xtr_dp_share(struct xtr_dp *dp, uint32_t iid)
{
	return &dp->shares[(iid * 0x9e3779b1u >> 16) % XTR_DP_SHARES];
}

static void xtr_dp_queue_push(struct xtr_dp *dp, struct xtr_dp_queue *q, struct xtr_dp_pkt *p)
{
	struct xtr_dp_share *s = xtr_dp_share(dp, q->iid);

	p->q = q;
	*q->tail = p;
	q->tail = &p->next;
	q->count++;
	q->octets += p->len;
	p->older = s->newest;
	if (p->older)
		p->older->newer = p;
	else
		s->oldest = p;
	s->newest = p;
	s->packets++;
	s->octets += p->len;
	dp->q_packets++;
	dp->q_octets += p->len;
}

static struct xtr_dp_pkt *xtr_dp_queue_pop(struct xtr_dp *dp, struct xtr_dp_queue *q)
{
	struct xtr_dp_share *s = xtr_dp_share(dp, q->iid);
	struct xtr_dp_pkt *p = q->head;

	if (!p)
		return NULL;
	q->head = p->next;
	if (!q->head)
		q->tail = &q->head;
	q->count--;
	q->octets -= p->len;
	if (p->older)
		p->older->newer = p->newer;
	else
		s->oldest = p->newer;
	if (p->newer)
		p->newer->older = p->older;
	else
		s->newest = p->older;
	s->packets--;
	s->octets -= p->len;
	dp->q_packets--;
	dp->q_octets -= p->len;
	return p;
}

/* Drops what is left in the queue for this reason, and the queue. */
static void xtr_dp_queue_end(struct xtr_dp *dp, struct xtr_dp_queue *q, enum xtr_drop_reason reason)
{
	struct xtr_ippfx host = { .ip = q->dst, .len = (uint8_t)xtr_ip_bits(&q->dst) };
	struct xtr_dp_pkt *p;
	uint8_t key[32];
	unsigned bits = xtr_dp_trie_key(key, q->iid, &host);

	while ((p = xtr_dp_queue_pop(dp, q))) {
		xtr_dp_drop(dp, reason, 1);
		xtr_dp_hold_drained(dp, p->hold);
		free(p);
	}
	xtr_trie_del(xtr_dp_qtrie(dp, q->dst.family), key, bits);
	if (q->prev)
		q->prev->next = q->next;
	else
		dp->queues = q->next;
	if (q->next)
		q->next->prev = q->prev;
	free(q);
}

static struct xtr_dp_queue *xtr_dp_queue_find(struct xtr_dp *dp, uint32_t iid,
					      const struct xtr_ip *dst)
{
	struct xtr_ippfx host = { .ip = *dst, .len = (uint8_t)xtr_ip_bits(dst) };
	uint8_t key[32];
	unsigned bits = xtr_dp_trie_key(key, iid, &host);

	return xtr_trie_get(xtr_dp_qtrie(dp, dst->family), key, bits);
}

static void xtr_dp_queue_ask(struct xtr_dp *dp, struct xtr_dp_queue *q, const struct xtr_ip *src,
			     bool again)
{
	/* the queue stood for a second already: this is another packet of somebody who waits */
	unsigned how = again || q->asked ? XTR_DP_MISS_AGAIN : 0;
	uint32_t iid = q->iid;
	struct xtr_ip dst = q->dst;

	if (q->asked && dp->now - q->asked < XTR_DP_ASK_MS)
		return;
	q->asked = dp->now ? dp->now : 1;
	/* may put an entry, and with it end the queue */
	if (!dp->cb.miss || dp->cb.miss(dp->cb.ctx, iid, &dst, src, how))
		return;
	q = xtr_dp_queue_find(dp, iid, &dst);
	if (q)
		xtr_dp_queue_end(dp, q, XTR_DROP_NOT_ASKED);
}

/* The oldest packet of whoever has most gives way. */
static void xtr_dp_queue_push_out(struct xtr_dp *dp, bool by_octets)
{
	struct xtr_dp_share *most = &dp->shares[0];
	struct xtr_dp_queue *q;
	struct xtr_dp_pkt *p;

	for (unsigned i = 1; i < XTR_DP_SHARES; i++) {
		struct xtr_dp_share *s = &dp->shares[i];

		if (by_octets ? s->octets > most->octets : s->packets > most->packets)
			most = s;
	}
	q = most->oldest->q;
	p = xtr_dp_queue_pop(dp, q);
	xtr_dp_drop(dp, XTR_DROP_QUEUE_FULL, 1);
	xtr_dp_hold_drained(dp, p->hold);
	free(p);
	if (!q->head)
		xtr_dp_queue_end(dp, q, XTR_DROP_QUEUE_FULL);
}

static void xtr_dp_queue_make_room(struct xtr_dp *dp, uint32_t octets)
{
	while (dp->q_packets && dp->q_packets >= dp->cfg.queue_packets)
		xtr_dp_queue_push_out(dp, false);
	while (dp->q_packets && dp->q_octets + octets > dp->cfg.queue_octets)
		xtr_dp_queue_push_out(dp, true);
}

/* A captured packet without an entry: keep it within the bounds and have it resolved. */
void xtr_dp_queue_add(struct xtr_dp *dp, const struct xtr_event *ev, const uint8_t *frame)
{
	struct xtr_dp_queue *q;
	struct xtr_dp_pkt *p;
	struct xtr_ip dst, src;
	bool again = ev->flags & XTR_EV_F_AGAIN;

	xtr_dp_from_abi(&dst, &ev->dst, ev->family);
	xtr_dp_from_abi(&src, &ev->src, ev->family);
	q = xtr_dp_queue_find(dp, ev->iid, &dst);
	/* one EID may fill a quarter of the memory at most */
	if (ev->caplen > dp->cfg.queue_octets ||
	    (q && (q->count >= dp->cfg.queue_eid_packets ||
		   q->octets + ev->caplen > dp->cfg.queue_octets / 4))) {
		xtr_dp_drop(dp, q ? XTR_DROP_QUEUE_EID_FULL : XTR_DROP_QUEUE_FULL, 1);
		xtr_dp_hold_drained(dp, ev->hold);
		if (q)
			xtr_dp_queue_ask(dp, q, &src, again);
		return;
	}
	xtr_dp_queue_make_room(dp, ev->caplen);
	p = malloc(sizeof(*p) + ev->caplen);
	q = p ? xtr_dp_queue_get(dp, ev->iid, &dst) : NULL;
	if (!q) {
		free(p);
		xtr_dp_drop(dp, XTR_DROP_QUEUE_FULL, 1);
		xtr_dp_hold_drained(dp, ev->hold);
		return;
	}
	*p = (struct xtr_dp_pkt){ .at = dp->now - xtr_dp_event_age(dp, ev),
				  .len = ev->caplen,
				  .ifindex = ev->ifindex,
				  .vlan = ev->vlan,
				  .gso_size = ev->gso_size,
				  .gso_segs = ev->gso_segs,
				  .hold = ev->hold };
	memcpy(p->frame, frame, ev->caplen);
	xtr_dp_queue_push(dp, q, p);
	xtr_dp_queue_ask(dp, q, &src, again);
}

struct xtr_dp_qlist {
	struct xtr_dp_queue **at;
	unsigned n, room, packets; /* queues found; only counted while there is no room */
};

static int xtr_dp_queue_collect(void *arg, const uint8_t *key, unsigned bits, void *value)
{
	struct xtr_dp_qlist *l = arg;
	struct xtr_dp_queue *q = value;

	l->packets += q->count;
	if (l->at && l->n < l->room)
		l->at[l->n] = q;
	l->n++;
	return 0;
}

unsigned xtr_dp_queue_count(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid)
{
	struct xtr_dp_qlist l = { 0 };
	uint8_t key[32];
	unsigned bits = xtr_dp_trie_key(key, iid, eid);

	if (dp->queues)
		xtr_trie_walk(xtr_dp_qtrie(dp, eid->ip.family), key, bits, xtr_dp_queue_collect,
			      &l);
	return l.packets;
}

/* Lets go all queues inside a prefix. inject: send the packets, in order; else the mapping was
 * negative. */
void xtr_dp_queue_release(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid, bool inject,
			  uint32_t hold)
{
	struct xtr_trie *t = xtr_dp_qtrie(dp, eid->ip.family);
	struct xtr_dp_qlist l = { 0 };
	uint8_t key[32];
	unsigned bits = xtr_dp_trie_key(key, iid, eid);

	xtr_trie_walk(t, key, bits, xtr_dp_queue_collect, &l);
	l.room = l.n;
	l.at = calloc(l.room + 1, sizeof(*l.at));
	if (!l.at)
		return; /* they time out */
	l.n = 0;
	xtr_trie_walk(t, key, bits, xtr_dp_queue_collect, &l);
	for (unsigned i = 0; i < l.room; i++) {
		struct xtr_dp_pkt *p;

		while (inject && (p = xtr_dp_queue_pop(dp, l.at[i]))) {
			xtr_dp_inject(dp, iid, p->frame, p->len,
				      &(struct xtr_dp_origin){ p->ifindex, p->vlan, p->gso_size });
			xtr_dp_hold_drained(dp, hold);
			free(p);
		}
		xtr_dp_queue_end(dp, l.at[i], XTR_DROP_QUEUE_NEGATIVE);
	}
	free(l.at);
}

void xtr_dp_queue_expire(struct xtr_dp *dp)
{
	for (unsigned i = 0; dp->queues && i < XTR_DP_SHARES; i++) {
		struct xtr_dp_pkt *p;

		while ((p = dp->shares[i].oldest) &&
		       dp->now - p->at >= dp->cfg.queue_timeout_ms) {
			struct xtr_dp_queue *q = p->q;

			xtr_dp_queue_pop(dp, q);
			xtr_dp_drop(dp, XTR_DROP_QUEUE_TIMEOUT, 1);
			xtr_dp_hold_drained(dp, p->hold);
			free(p);
			if (!q->head)
				xtr_dp_queue_end(dp, q, XTR_DROP_QUEUE_TIMEOUT);
		}
	}
}

void xtr_dp_miss_failed(struct xtr_dp *dp, uint32_t iid, const struct xtr_ip *dst)
{
	struct xtr_dp_queue *q;

	if (dst->family != 4 && dst->family != 6)
		return;
	q = xtr_dp_queue_find(dp, iid, dst);
	if (q)
		xtr_dp_queue_end(dp, q, XTR_DROP_QUEUE_TIMEOUT);
}

void xtr_dp_queue_free(struct xtr_dp *dp)
{
	while (dp->queues)
		xtr_dp_queue_end(dp, dp->queues, XTR_DROP_QUEUE_TIMEOUT);
	if (dp->q4)
		xtr_trie_free(dp->q4, NULL);
	if (dp->q6)
		xtr_trie_free(dp->q6, NULL);
	if (dp->hold_mem)
		munmap(dp->hold_mem, dp->hold_size);
	free(dp->holds);
}
