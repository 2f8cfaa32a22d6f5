// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Decent-Pull: the routers themselves are the Map-Servers, found by the hash of the EID and DNS
 * (RFC 9962 5). Each name has the addresses of a few of them.
 */
#include "sim.h"

#define SUFFIX "map-server.example.com"

/* All EIDs are /24: hosts are looked up where the /24 is registered (RFC 9962 5.2). */
static const struct xtr_decent_lookup lookups[] = {
	{ .eid = { .ip = { 4, { 10 } }, .len = 8 }, .iid = XTR_DECENT_ANY_IID, .length = 24 },
};

void sim_pull_conf(struct sim_node *f, struct sim_conf *c)
{
	c->pull = (struct xtr_pull_config){
		.hash = { .profile = XTR_DECENT_RFC9962,
			  .modulus = f->s->modulus,
			  .lookups = lookups,
			  .lookup_count = 1 },
		.suffix = SUFFIX,
		.server = { .key = sim_key, .proxy_reply = true, .want_notify = true },
		.allow_private = true,
		.max_addresses = 16,
		.ttl_min = 30 * SEC,
		.ttl_max = 3600 * SEC,
		.retry_min = 5 * SEC,
		.retry_max = 300 * SEC,
		.change_window = f->s->change_window,
	};
	c->c.decent.pull = &c->pull;
	sim_eid_site(c);
}

/* Names 0 .. modulus - 1 of so many routers each, spread over all of them; what a name has
 * already stays. */
void sim_pull_zone(struct sim *s, unsigned modulus)
{
	struct sim_zone *z = &s->dns.zones[0];
	uint32_t step = s->target / (modulus * s->servers_per_name), at = 0;

	z->suffix = SUFFIX;
	for (unsigned i = 0; i < modulus; i++) {
		struct sim_name *n = &z->names[i];

		for (; n->n < s->servers_per_name; at++)
			n->ids[n->n++] = at * (step ? step : 1) % s->target;
	}
	z->modulus = modulus;
}
