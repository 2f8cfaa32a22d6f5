// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * DNS as routers see it: a name is a number below a suffix, the answer its address set at the time
 * of the answer, 5 to 60 ms later; some questions fail at once (server failure), some after five
 * seconds (time-out). Servers of the zone are reachable from both sides of a split network, as
 * zones with servers at several places are.
 */
#include "sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int sim_dns_resolve(struct sim_node *f, const char *name, uint32_t id)
{
	struct sim *s = f->s;
	struct sim_event *e = sim_event(s);
	char *rest;
	uint64_t wait = 5 + sim_below(s, 56);

	s->dns.questions++;
	e->dns = true;
	e->to = f->id;
	e->to_gen = f->gen;
	e->id = id;
	e->index = (uint32_t)strtoul(name, &rest, 10);
	e->status = -ENOENT;
	for (unsigned z = 0; z < 2; z++)
		if (s->dns.zones[z].suffix && *rest == '.' &&
		    !strcmp(rest + 1, s->dns.zones[z].suffix) &&
		    e->index < s->dns.zones[z].modulus) {
			e->suffix = s->dns.zones[z].suffix;
			e->status = 0;
		}
	if (s->dns.down || (s->dns.failures > 0 && sim_unit(s) < s->dns.failures)) {
		e->status = sim_below(s, 2) ? -EIO : -ETIMEDOUT;
		if (e->status == -ETIMEDOUT)
			wait = 5 * SEC;
		s->dns.failed++;
	}
	sim_schedule(s, e, s->now + wait);
	return 0;
}

void sim_dns_answer(struct sim_node *f, const struct sim_event *e)
{
	struct sim *s = f->s;
	struct xtr_ip addrs[SIM_NAME_ADDR];
	struct xtr_dns_answer a = { .status = e->status, .ttl = s->dns.ttl, .addrs = addrs };

	for (unsigned z = 0; !e->status && z < 2; z++) {
		const struct sim_zone *zone = &s->dns.zones[z];

		if (zone->suffix != e->suffix)
			continue;
		for (unsigned i = 0; i < zone->names[e->index].n; i++)
			addrs[a.count++] = sim_rloc(&s->nodes[zone->names[e->index].ids[i]]);
	}
	if (!a.status && !a.count)
		a.status = -ENOENT;
	if (a.status)
		a.why = "made up";
	xtr_node_resolved(f->n, e->id, &a, s->now);
}
