// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Direct delivery: decapsulated packets that the programs hand straight to the host at an EID port (bpf/home.h). They keep the
 * kernel's answer to "where would you send this" for some seconds; here is what ends it early: every change of links, addresses,
 * routes, rules and of the address of a neighbour raises one generation, at most once per batch of notifications. And here is
 * decided whether it is done at all: past the host's stack also means past its packet filter, so by default a host that
 * filters or translates what it forwards keeps all its packets.
 */
#include "dp/internal.h"

#include <string.h>

#include "net/filter.h"
#include "util/hash.h"
#include "util/log.h"

void xtr_dp_ways_stale(struct xtr_dp *dp) { dp->ways_stale = true; }

void xtr_dp_ways_neigh(struct xtr_dp *dp, bool gone, const struct xtr_nl_neigh *n)
{
	uint64_t id = xtr_hash(n->ip.a, sizeof(n->ip.a)) ^ (uint64_t)n->ifindex * 0x9e3779b97f4a7c15ull;
	uint64_t now = id ^ (gone || !n->has_mac ? 0 : xtr_hash(n->mac, sizeof(n->mac)));
	uint64_t *known = &dp->ways_known[id % XTR_DP_WAYS];

	/* A neighbour that is confirmed tells so each time: only another address matters. */
	if (*known == now)
		return;
	*known = now;
	dp->ways_stale = true;
}

void xtr_dp_ways_work(struct xtr_dp *dp)
{
	if (dp->ways_stale)
		xtr_dp_gen_bump_one(dp, XTR_GEN_WAYS);
	dp->ways_stale = false;
}

bool xtr_dp_direct_look(struct xtr_dp *dp)
{
	char name[128] = "";
	bool was = dp->direct;
	int r = 0;

	if (dp->cfg.direct == XTR_DP_DIRECT_AUTO)
		r = xtr_filter_forward(name, sizeof(name));
	dp->direct = dp->cfg.direct == XTR_DP_DIRECT_ON || (dp->cfg.direct == XTR_DP_DIRECT_AUTO && !r);
	if (dp->direct_said && dp->direct == was)
		return false;
	if (r > 0)
		xtr_info("decapsulated packets go by the stack, as this host filters what it forwards (%s); `data-plane: "
			 "direct-delivery: true` hands them to EID ports past it", name);
	else if (r < 0)
		xtr_info("decapsulated packets go by the stack: cannot tell whether this host filters what it forwards: %s",
			 strerror(-r));
	else if (dp->direct_said)
		xtr_info("decapsulated packets go %s", dp->direct ? "straight to the hosts at EID ports" : "by the stack");
	dp->direct_said = true;
	return true;
}
