// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Header templates, one per remote RLOC: which of our RLOCs is the source, which port and next hop,
 * which layer-2 addresses. They are kept true from netlink; a heartbeat vouches for the layer-2
 * header, and when it stops (daemon dead) the programs let the kernel resolve. rl_by_id owns the
 * entries; references are held by locator-sets. What nobody names any more stays for a grace
 * period: a packet on its way may still use it, and a mapping may come back.
 */
#include "dp/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>

#define XTR_DP_BEAT_EVERY 3000
#define XTR_DP_BEAT_BATCH 1024

/* ---- ids */

int xtr_dp_ids_init(struct xtr_dp_ids *ids, uint32_t max)
{
	*ids = (struct xtr_dp_ids){ .max = max, .next = 1, .top = 1 };
	ids->used = calloc(max / 64 + 1, sizeof(*ids->used));
	return ids->used ? 0 : -ENOMEM;
}

void xtr_dp_ids_mark(struct xtr_dp_ids *ids, uint32_t id, bool used)
{
	if (id >= ids->max)
		return;
	if (used)
		ids->used[id / 64] |= 1ULL << (id % 64);
	else
		ids->used[id / 64] &= ~(1ULL << (id % 64));
	if (used && id >= ids->top)
		ids->top = id + 1;
}

/* Goes round, so that an id rests as long as possible before it is used again. */
uint32_t xtr_dp_ids_take(struct xtr_dp_ids *ids)
{
	for (uint32_t turn = 1; turn < ids->max; turn++) {
		uint32_t id = ids->next;

		ids->next = id + 1 < ids->max ? id + 1 : 1;
		if (!(ids->used[id / 64] >> (id % 64) & 1)) {
			xtr_dp_ids_mark(ids, id, true);
			return id;
		}
	}
	return 0;
}

/* ---- one template */

static uint32_t xtr_dp_csum4(const struct xtr_rloc *t)
{
	__u16 w[10] = { htons(0x4500), 0, 0, htons(0x4000), htons(17), 0 };
	uint32_t sum = 0;

	memcpy(&w[6], &t->src.w[0], 4);
	memcpy(&w[8], &t->dst.w[0], 4);
	for (int i = 0; i < 10; i++)
		sum += w[i];
	return sum;
}

/* Our RLOC towards a destination: what routing prefers, else one on the port, else any; but it has
 * to be on this host. */
static const struct xtr_ip *xtr_dp_rl_source(const struct xtr_dp *dp,
					     const struct xtr_nl_route *route, uint8_t family)
{
	const struct xtr_ip *on_port = NULL, *any = NULL;

	for (unsigned i = 0; i < dp->cfg.rloc_count; i++) {
		const struct xtr_ip *own = &dp->cfg.rlocs[i];

		if (own->family != family)
			continue;
		if (!memcmp(own, &route->prefsrc, sizeof(*own)))
			return own;
		for (unsigned j = 0; j < dp->addr_count; j++) {
			if (memcmp(&dp->addrs[j].pfx.ip, own, sizeof(*own)))
				continue;
			if (!any)
				any = own;
			if (!on_port && dp->addrs[j].ifindex == route->oif)
				on_port = own;
		}
	}
	return on_port ? on_port : any;
}

static bool xtr_dp_is_overlay(const struct xtr_dp *dp, int ifindex)
{
	return xtr_dp_overlay_by_index(dp, ifindex) != NULL;
}

static void xtr_dp_rl_write(struct xtr_dp *dp, struct xtr_dp_rl *rl)
{
	rl->t.heartbeat = rl->t.flags & XTR_RLOC_F_L2 ? xtr_dp_jiffies(dp) : 0;
	rl->beat = rl->t.flags & XTR_RLOC_F_L2 ? dp->now : 0;
	dp->fan_stale |= rl->refs > 0;
	if (bpf_map_update_elem(dp->map[XTR_M_RLOC], &rl->id, &rl->t, BPF_ANY))
		xtr_error("map %s: cannot write the template of a locator: %s", XTR_MAP_RLOC,
			  strerror(errno));
	xtr_dp_gen_bump_one(dp, XTR_GEN_RLOCS);
}

/* Layer 2 from the next hop. */
static void xtr_dp_rl_layer2(struct xtr_dp *dp, struct xtr_dp_rl *rl, struct xtr_rloc *t,
			     const struct xtr_nl_route *route)
{
	const struct xtr_dp_if *f = xtr_dp_if_by_index(dp, route->oif);
	struct xtr_dp_nb *old = rl->nb;
	struct xtr_nl_link l;

	rl->nb = NULL;
	if (f) {
		memcpy(t->smac, f->mac, 6);
		if (f->ndo_xmit)
			t->flags |= XTR_RLOC_F_XDP_TX;
	}
	if (f ? f->type == ARPHRD_ETHER
	      : !xtr_nl_link_get(dp->nl, route->oif, NULL, &l) && l.type == ARPHRD_ETHER) {
		if (!f)
			memcpy(t->smac, l.mac, 6);
		rl->nb = xtr_dp_nb_get(dp, route->oif, route->via.family ? &route->via : &rl->dst);
	}
	if (rl->nb && rl->nb->valid) {
		memcpy(t->dmac, rl->nb->mac, 6);
		t->flags |= XTR_RLOC_F_L2;
	}
	xtr_dp_nb_put(dp, old);
}

/* The kernel keeps routes of a port whose cable is out; other locators are better then. */
static bool xtr_dp_rl_carrier(struct xtr_dp *dp, int ifindex)
{
	const struct xtr_dp_if *f = xtr_dp_if_by_index(dp, ifindex);

	return !f || f->flags & IFF_RUNNING;
}

/* What the administrator says of the way there; 0: nothing. Every host takes XTR_DP_MTU_MIN4 (RFC 791), every link 1280 (RFC 8200 5). */
static uint16_t xtr_dp_rl_route_mtu(const struct xtr_nl_route *route, uint8_t family)
{
	uint16_t least = family == 4 ? XTR_DP_MTU_MIN4 : XTR_DP_MTU_MIN6;

	if (!route->mtu || route->mtu > UINT16_MAX)
		return 0;
	return route->mtu < least ? least : (uint16_t)route->mtu;
}

static void xtr_dp_rl_resolve(struct xtr_dp *dp, struct xtr_dp_rl *rl)
{
	struct xtr_rloc t = { .family = rl->dst.family,
			      .dport = htons(XTR_PORT_DATA),
			      .generation = (__u32)dp->generation,
			      .stat = rl->id };
	bool was_up = rl->t.flags & XTR_RLOC_F_UP;
	struct xtr_nl_route route;
	const struct xtr_ip *src;
	uint16_t learned, old = rl->t.mtu;

	rl->stale = false;
	xtr_dp_abi_ip(&t.dst, &rl->dst);
	if (!xtr_nl_route_get(dp->nl, &rl->dst, dp->cfg.mark, &route) &&
	    route.type == RTN_UNICAST && route.oif && !xtr_dp_is_overlay(dp, route.oif) &&
	    xtr_dp_rl_carrier(dp, route.oif) &&
	    (src = xtr_dp_rl_source(dp, &route, rl->dst.family))) {
		xtr_dp_abi_ip(&t.src, src);
		t.ifindex = (__u32)route.oif;
		t.flags |= XTR_RLOC_F_UP;
		t.mtu = xtr_dp_rl_route_mtu(&route, rl->dst.family);
		learned = xtr_dp_pmtu_of(dp, &rl->dst);
		if (learned && (!t.mtu || learned < t.mtu)) {
			t.mtu = learned;
			t.flags |= XTR_RLOC_F_PMTU;
		}
		xtr_dp_rl_layer2(dp, rl, &t, &route);
		t.flags |= xtr_dp_gpe_peer(dp, &rl->dst, rl->gpe) ? XTR_RLOC_F_GPE : 0;
	} else {
		xtr_dp_nb_put(dp, rl->nb);
		rl->nb = NULL;
	}
	if (rl->dst.family == 4)
		t.csum = xtr_dp_csum4(&t);
	rl->moved |= was_up != !!(t.flags & XTR_RLOC_F_UP);
	t.heartbeat = rl->t.heartbeat;
	if (!memcmp(&t, &rl->t, sizeof(t)) && (rl->beat || !(t.flags & XTR_RLOC_F_L2)))
		return;
	rl->t = t;
	dp->rl_mtus += !!t.mtu - !!old;
	if (t.mtu != old && rl->refs)
		xtr_dp_er_learned(dp);
	xtr_dp_rl_write(dp, rl);
}

bool xtr_dp_rl_usable(const struct xtr_dp *dp, uint32_t id)
{
	return id < dp->rl_ids.max && dp->rl_by_id[id] && dp->rl_by_id[id]->t.flags & XTR_RLOC_F_UP;
}

static struct xtr_dp_rl *xtr_dp_rl_add(struct xtr_dp *dp, const struct xtr_ip *dst, uint32_t id)
{
	struct xtr_dp_rl *rl = calloc(1, sizeof(*rl)), *other;

	if (!rl)
		return NULL;
	rl->dst = *dst;
	rl->id = id;
	HASH_FIND(hh, dp->rls, dst, sizeof(*dst), other);
	if (!other) {
		HASH_ADD(hh, dp->rls, dst, sizeof(rl->dst), rl);
		rl->hashed = true;
	}
	dp->rl_by_id[id] = rl;
	return rl;
}

/* The counters of a new template start at 0. */
static void xtr_dp_rl_zero_stat(struct xtr_dp *dp, uint32_t id)
{
	struct xtr_count *zero = calloc(dp->cpus, sizeof(*zero));

	if (zero)
		bpf_map_update_elem(dp->map[XTR_M_RLSTAT], &id, zero, BPF_ANY);
	free(zero);
}

/* Takes a reference. -ENOSPC: the map of locators is full. */
int xtr_dp_rl_get(struct xtr_dp *dp, const struct xtr_ip *dst, struct xtr_dp_rl **out)
{
	struct xtr_dp_rl *rl;
	uint32_t id;

	HASH_FIND(hh, dp->rls, dst, sizeof(*dst), rl);
	if (!rl) {
		id = xtr_dp_ids_take(&dp->rl_ids);
		if (!id && xtr_dp_room(dp))
			id = xtr_dp_ids_take(&dp->rl_ids);
		if (!id)
			return -ENOSPC;
		rl = xtr_dp_rl_add(dp, dst, id);
		if (!rl) {
			xtr_dp_ids_mark(&dp->rl_ids, id, false);
			return -ENOMEM;
		}
		xtr_dp_rl_zero_stat(dp, id);
		rl->stale = true;
	}
	if (rl->stale) {
		xtr_dp_rl_resolve(dp, rl);
		if (!rl->refs)
			rl->moved = false; /* no set to fill again */
		else if (rl->moved)
			xtr_dp_set_refill(dp);
	}
	rl->refs++;
	*out = rl;
	return 0;
}

void xtr_dp_rl_put(struct xtr_dp *dp, struct xtr_dp_rl *rl)
{
	if (--rl->refs)
		return;
	rl->dead = dp->now;
	if (!dp->reap_at)
		dp->reap_at = dp->now + XTR_DP_GRACE_MS;
}

/* ---- all of them */

static int xtr_dp_rl_adopt_one(void *arg, const void *key)
{
	struct xtr_dp *dp = arg;
	uint32_t id = *(const uint32_t *)key;
	struct xtr_dp_rl *rl;
	struct xtr_rloc t;
	struct xtr_ip dst;

	if (!id || id >= dp->rl_ids.max || bpf_map_lookup_elem(dp->map[XTR_M_RLOC], &id, &t))
		return 0;
	xtr_dp_from_abi(&dst, &t.dst, t.family);
	if (!dst.family)
		return 0;
	rl = xtr_dp_rl_add(dp, &dst, id);
	if (!rl)
		return -ENOMEM;
	xtr_dp_ids_mark(&dp->rl_ids, id, true);
	rl->t = t;
	dp->rl_mtus += !!t.mtu;
	rl->stale = true;
	rl->dead = dp->now;
	if (t.mtu)
		xtr_dp_er_learned(dp);
	if (t.flags & XTR_RLOC_F_PMTU)
		xtr_dp_pmtu_adopt(dp, &dst, t.mtu);
	return 0;
}

int xtr_dp_rl_adopt(struct xtr_dp *dp)
{
	dp->rl_stale = true;
	dp->reap_at = dp->now + XTR_DP_GRACE_MS;
	return xtr_dp_each_key(dp->map[XTR_M_RLOC], sizeof(uint32_t), xtr_dp_rl_adopt_one, dp);
}

void xtr_dp_rl_nb_changed(struct xtr_dp *dp, const struct xtr_dp_nb *nb)
{
	for (uint32_t id = 1; id < dp->rl_ids.top; id++)
		if (dp->rl_by_id[id] && dp->rl_by_id[id]->nb == nb)
			dp->rl_by_id[id]->stale = dp->rl_stale = true;
}

/* At once: the packets that waited for the mapping come next. */
void xtr_dp_rl_gpe(struct xtr_dp *dp, uint32_t id, bool more)
{
	struct xtr_dp_rl *rl = dp->rl_by_id[id];
	__u16 flags = rl->t.flags & (__u16)~XTR_RLOC_F_GPE;

	rl->gpe += more ? 1 : -1u;
	if (rl->stale || !(flags & XTR_RLOC_F_UP))
		return; /* looked at anyway, before it is used */
	flags |= xtr_dp_gpe_peer(dp, &rl->dst, rl->gpe) ? XTR_RLOC_F_GPE : 0;
	if (flags == rl->t.flags)
		return;
	rl->t.flags = flags;
	xtr_dp_rl_write(dp, rl);
}

void xtr_dp_rl_all_stale(struct xtr_dp *dp)
{
	for (uint32_t id = 1; id < dp->rl_ids.top; id++)
		if (dp->rl_by_id[id])
			dp->rl_by_id[id]->stale = dp->rl_stale = true;
}

bool xtr_dp_rl_work(struct xtr_dp *dp, unsigned max)
{
	bool moved = false;
	uint32_t id;

	if (!dp->rl_stale)
		return false;
	for (id = dp->rl_next ? dp->rl_next : 1; id < dp->rl_ids.top && max; id++) {
		struct xtr_dp_rl *rl = dp->rl_by_id[id];

		if (!rl || !rl->stale)
			continue;
		xtr_dp_rl_resolve(dp, rl);
		moved |= rl->moved;
		max--;
	}
	dp->rl_next = id < dp->rl_ids.top ? id : 0;
	if (!dp->rl_next) {
		dp->rl_stale = false;
		for (id = 1; id < dp->rl_ids.top && !dp->rl_stale; id++)
			dp->rl_stale = dp->rl_by_id[id] && dp->rl_by_id[id]->stale;
	}
	if (moved)
		xtr_dp_set_refill(dp);
	return dp->rl_stale;
}

/* Renews what grew old, many with one system call. */
void xtr_dp_rl_beat(struct xtr_dp *dp)
{
	uint32_t *keys = malloc(XTR_DP_BEAT_BATCH * sizeof(*keys)), n = 0;
	struct xtr_rloc *values = malloc(XTR_DP_BEAT_BATCH * sizeof(*values));

	for (uint32_t id = 1; keys && values && id <= dp->rl_ids.top; id++) {
		struct xtr_dp_rl *rl = id < dp->rl_ids.top ? dp->rl_by_id[id] : NULL;

		if (rl && rl->beat && rl->nb && rl->nb->valid &&
		    dp->now - rl->beat >= XTR_DP_BEAT_EVERY) {
			rl->beat = dp->now;
			rl->t.heartbeat = xtr_dp_jiffies(dp);
			keys[n] = id;
			values[n++] = rl->t;
		}
		if (n == XTR_DP_BEAT_BATCH || (n && id == dp->rl_ids.top)) {
			uint32_t count = n;

			if (bpf_map_update_batch(dp->map[XTR_M_RLOC], keys, values, &count, NULL))
				for (uint32_t i = 0; i < n; i++)
					bpf_map_update_elem(dp->map[XTR_M_RLOC], &keys[i],
							    &values[i], BPF_ANY);
			n = 0;
		}
	}
	free(keys);
	free(values);
}

static void xtr_dp_rl_drop(struct xtr_dp *dp, struct xtr_dp_rl *rl)
{
	dp->rl_by_id[rl->id] = NULL;
	dp->rl_mtus -= !!rl->t.mtu;
	if (rl->hashed)
		HASH_DEL(dp->rls, rl);
	free(rl);
}

unsigned xtr_dp_rl_reap(struct xtr_dp *dp, bool now)
{
	unsigned n = 0;

	for (uint32_t id = 1; id < dp->rl_ids.top; id++) {
		struct xtr_dp_rl *rl = dp->rl_by_id[id];

		if (!rl || rl->refs)
			continue;
		if (!now && dp->now - rl->dead < XTR_DP_GRACE_MS) {
			if (!dp->reap_at || rl->dead + XTR_DP_GRACE_MS < dp->reap_at)
				dp->reap_at = rl->dead + XTR_DP_GRACE_MS;
			continue;
		}
		bpf_map_delete_elem(dp->map[XTR_M_RLOC], &id);
		xtr_dp_gen_bump_one(dp, XTR_GEN_RLOCS);
		xtr_dp_ids_mark(&dp->rl_ids, id, false);
		xtr_dp_nb_put(dp, rl->nb);
		xtr_dp_rl_drop(dp, rl);
		n++;
	}
	return n;
}

void xtr_dp_rl_free(struct xtr_dp *dp)
{
	for (uint32_t id = 1; dp->rl_by_id && id < dp->rl_ids.top; id++)
		if (dp->rl_by_id[id])
			xtr_dp_rl_drop(dp, dp->rl_by_id[id]);
	free(dp->rl_by_id);
	free(dp->rl_ids.used);
}
