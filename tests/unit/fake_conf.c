// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Configurations of nodes, written as tests like to; see fake_world.h. */
#include "fake_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

const struct xtr_key fw_key = {
	.key_id = 1, .alg_id = XTR_AUTH_SHA256, .secret = (const uint8_t *)"secret", .secret_len = 6
};

struct xtr_ip fw_ip(const char *s)
{
	struct xtr_ip ip;

	cr_assert_eq(xtr_ip_parse(s, &ip), 0, "bad address in test: %s", s);
	return ip;
}

struct xtr_eid_prefix fw_eid(const char *s)
{
	struct xtr_eid_prefix e;

	cr_assert_eq(xtr_eid_parse(s, &e), 0, "bad EID in test: %s", s);
	return e;
}

/* ---- configuration */

void fw_conf_init(struct fw_conf *c)
{
	memset(c, 0, sizeof(*c));
	c->c.timers = (struct xtr_node_timers)XTR_NODE_TIMERS_DEFAULT;
	c->c.limits = (struct xtr_node_limits)XTR_NODE_LIMITS_DEFAULT;
}

void fw_conf_rloc(struct fw_conf *c, const char *ip)
{
	c->rlocs[c->c.rloc_count++] =
		(struct xtr_rloc_config){ .ip = fw_ip(ip), .priority = 1, .weight = 100 };
}

struct xtr_mapping_config *fw_conf_mapping(struct fw_conf *c, const char *eid, const char *locators)
{
	unsigned at = c->c.mapping_count++;
	struct xtr_mapping_config *m = &c->mappings[at];
	char copy[1024], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", locators);
	*m = (struct xtr_mapping_config){ .eid = fw_eid(eid), .ttl_min = 1440 };
	for (char *s = strtok_r(copy, " ", &save); s; s = strtok_r(NULL, " ", &save))
		c->locs[at][m->rloc_count++] = (struct xtr_rloc_config){ fw_ip(s), 1, 100, 255, 0 };
	c->c.etr = true;
	return m;
}

struct xtr_map_server_config *fw_conf_server(struct fw_conf *c, const char *ip)
{
	struct xtr_map_server_config *s = &c->servers[c->c.map_server_count++];

	*s = (struct xtr_map_server_config){ .address = fw_ip(ip),
					     .key = fw_key,
					     .want_notify = true };
	return s;
}

struct xtr_site_config *fw_conf_site(struct fw_conf *c, const char *name, const char *prefix,
				     bool more)
{
	unsigned at = c->c.site_count++;
	struct xtr_site_config *s = &c->sites[at];

	c->c.ms = true;
	c->keys[at][0] = fw_key;
	*s = (struct xtr_site_config){ .name = name, .key_count = 1 };
	fw_conf_site_prefix(c, prefix, more);
	return s;
}

void fw_conf_site_prefix(struct fw_conf *c, const char *prefix, bool more)
{
	unsigned at = c->c.site_count - 1;

	c->prefixes[at][c->sites[at].prefix_count++] =
		(struct xtr_site_prefix_config){ fw_eid(prefix), more };
}

void fw_conf_resolver(struct fw_conf *c, const char *ip)
{
	c->c.itr = true;
	c->resolvers[c->c.map_resolver_count++] = fw_ip(ip);
}

void fw_conf_mr_server(struct fw_conf *c, const char *ip)
{
	c->c.mr = true;
	c->mr_servers[c->c.mr_map_server_count++] = fw_ip(ip);
}

void fw_conf_aggregate(struct fw_conf *c, const char *eid)
{
	c->aggregates[c->c.aggregate_count++] = fw_eid(eid);
}

/* ---- seed-groups */

static struct xtr_group_config *add_group(struct fw_conf *c, const char *group, bool overlay)
{
	struct xtr_group_config *g = &c->groups[c->c.decent.group_count++];

	*g = (struct xtr_group_config){
		.group = fw_ip(group),
		.transport = overlay ? XTR_GROUP_OVERLAY : XTR_GROUP_UNDERLAY,
		.lookup_interval = 60000,
		.server = { .address = fw_ip(group),
			    .key = fw_key,
			    .proxy_reply = true,
			    .want_notify = true },
	};
	return g;
}

struct xtr_group_config *fw_conf_group(struct fw_conf *c, const char *group, bool overlay)
{
	struct xtr_group_config *g = add_group(c, group, overlay);
	char eid[128];

	g->member = g->own = true;
	c->c.etr = true;
	snprintf(eid, sizeof(eid), "(*,%s)", group);
	fw_conf_site(c, group, eid, false);
	return g;
}

struct xtr_group_config *fw_conf_core(struct fw_conf *c, const char *group, bool overlay)
{
	struct xtr_group_config *g = add_group(c, group, overlay);

	g->core = true;
	return g;
}

void fw_conf_peer(struct fw_conf *c, const char *ip)
{
	unsigned at = c->c.decent.group_count - 1;

	c->peers[at][c->groups[at].peer_count++] = fw_ip(ip);
}

static void groups_point(struct fw_conf *c)
{
	c->c.decent.groups = c->groups;
	c->c.decent.accept_from = c->accept_from;
	for (unsigned i = 0; i < XTR_GROUPS_MAX; i++) {
		c->groups[i].peers = c->peers[i];
		c->groups[i].unauthenticated = c->unauthenticated[i];
	}
}

void fw_conf_copy(struct fw_conf *to, const struct fw_conf *from)
{
	*to = *from;
	to->c.rlocs = to->rlocs;
	to->c.map_resolvers = to->resolvers;
	to->c.mr_map_servers = to->mr_servers;
	to->c.mappings = to->mappings;
	to->c.map_servers = to->servers;
	to->c.sites = to->sites;
	to->c.aggregates = to->aggregates;
	groups_point(to);
	to->pull.hash.lookups = to->lookups;
	to->pull.keys = to->index_keys;
	to->c.decent.pull = to->has_pull ? &to->pull : NULL;
	for (unsigned i = 0; i < 300; i++)
		to->mappings[i].rlocs = to->locs[i];
	for (unsigned i = 0; i < 8; i++) {
		to->sites[i].keys = to->keys[i];
		to->sites[i].prefixes = to->prefixes[i];
	}
}
