// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The mapping system that LISP-Decent does without, to compare with: three Map-Servers, configured
 * by hand in every router, which are Map-Resolvers too.
 */
#include "sim.h"

#define SERVERS 3

static const struct xtr_site_prefix_config all_eids[] = {
	{ .eid = { .afi = XTR_AFI_IP4, .len = 8, .a = { 10 } }, .accept_more_specifics = true },
};

void sim_eid_site(struct sim_conf *c)
{
	c->sites[c->c.site_count++] = (struct xtr_site_config){
		.name = "all",
		.keys = &sim_key,
		.key_count = 1,
		.prefixes = all_eids,
		.prefix_count = 1,
		.max_registrations = 32768,
	};
	c->c.sites = c->sites;
}

void sim_static_conf(struct sim_node *f, struct sim_conf *c)
{
	for (uint32_t i = 0; i < SERVERS; i++) {
		/* Each router prefers another one. */
		const struct sim_node *server = &f->s->nodes[(i + f->id) % SERVERS];

		c->servers[i] = (struct xtr_map_server_config){ .address = sim_rloc(server),
								.key = sim_key,
								.proxy_reply = true,
								.want_notify = true };
		c->resolvers[i] = sim_rloc(server);
	}
	c->c.map_servers = c->servers;
	c->c.map_server_count = SERVERS;
	c->c.map_resolvers = c->resolvers;
	c->c.map_resolver_count = SERVERS;
	c->c.ms = c->c.mr = f->id < SERVERS;
	if (c->c.ms)
		sim_eid_site(c);
}

void sim_conf_make(struct sim_node *f, struct sim_conf *c)
{
	if (f->s->kind == SIM_PULL)
		sim_pull_conf(f, c);
	else if (f->s->kind == SIM_PUSH)
		sim_push_conf(f, c);
	else
		sim_static_conf(f, c);
}
