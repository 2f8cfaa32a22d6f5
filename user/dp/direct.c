// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Direct delivery: decapsulated packets that the programs hand straight to the host at an EID port (bpf/home.h). They keep the
 * kernel's answer to "where would you send this" for some seconds; here is what ends it early: every change of links, addresses,
 * routes, rules and of the address of a neighbour raises one generation, at most once per batch of notifications. And here is
 * decided whether it is done at all: past the host's stack also means past its packet filter and its policy rules (an answer is
 * kept for each destination, whoever sends, and for IPv6 is asked of the main table alone), so by default a host that filters or
 * translates what it forwards, or routes it by rules, keeps all its packets.
 */
#include "dp/internal.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "net/filter.h"
#include "util/hash.h"
#include "util/log.h"

void xtr_dp_ways_stale(struct xtr_dp *dp) { dp->ways_stale = true; }

void xtr_dp_beat(struct xtr_dp *dp)
{
	__atomic_store_n(&dp->gen_at[XTR_GEN_BEAT], (uint32_t)dp->jiffies, __ATOMIC_RELAXED);
}

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

/* ---- policy rules */

struct xtr_dp_rules { struct xtr_dp *dp; bool found; uint32_t priority; };

static bool xtr_dp_own_addr(const struct xtr_dp *dp, const struct xtr_ippfx *p)
{
	for (unsigned i = 0; i < dp->addr_count; i++)
		if (p->len == (p->ip.family == 4 ? 32 : 128) && !memcmp(&dp->addrs[i].pfx.ip, &p->ip, sizeof(p->ip)))
			return true;
	return false;
}

/* Can the rule be met by a packet we deliver? It has no mark, and its source is no address of ours. */
static int xtr_dp_rule_one(void *arg, const struct xtr_nl_rule *r)
{
	struct xtr_dp_rules *s = arg;

	if (r->protocol == XTR_DP_PROTO || r->protocol == RTPROT_KERNEL)
		return 0;
	if (!r->invert && (r->mark & r->mask || (r->from.ip.family && xtr_dp_own_addr(s->dp, &r->from))))
		return 0;
	if (!s->found)
		s->priority = r->priority;
	s->found = true;
	return 0;
}

/* 1: there are some, and which; 0: none; -errno. The answer is kept until a notification says that rules or addresses changed. */
static int xtr_dp_routed_by_rules(struct xtr_dp *dp, char *name, size_t size)
{
	struct xtr_dp_rules s = { .dp = dp };
	int r;

	if (dp->rules_stale) {
		r = xtr_nl_rules(dp->nl, xtr_dp_rule_one, &s);
		if (r)
			return r;
		dp->rules_found = s.found;
		dp->rules_priority = s.priority;
		dp->rules_stale = false;
	}
	if (dp->rules_found)
		snprintf(name, size, "priority %u", dp->rules_priority);
	return dp->rules_found;
}

bool xtr_dp_direct_look(struct xtr_dp *dp)
{
	const char *how = "filters what it forwards";
	char name[128] = "";
	bool was = dp->direct;
	int r = 0;

	if (dp->cfg.direct == XTR_DP_DIRECT_AUTO)
		r = xtr_filter_forward(name, sizeof(name));
	if (dp->cfg.direct == XTR_DP_DIRECT_AUTO && !r) {
		how = "routes by rules";
		r = xtr_dp_routed_by_rules(dp, name, sizeof(name));
	}
	dp->direct = dp->cfg.direct == XTR_DP_DIRECT_ON || (dp->cfg.direct == XTR_DP_DIRECT_AUTO && !r);
	if (dp->direct_said && dp->direct == was)
		return false;
	if (r > 0)
		xtr_info("decapsulated packets go by the stack, as this host %s (%s); `data-plane: "
			 "direct-delivery: true` hands them to EID ports past it", how, name);
	else if (r < 0)
		xtr_info("decapsulated packets go by the stack: cannot tell whether this host %s: %s", how, strerror(-r));
	else if (dp->direct_said)
		xtr_info("decapsulated packets go %s", dp->direct ? "straight to the hosts at EID ports" : "by the stack");
	dp->direct_said = true;
	return true;
}
