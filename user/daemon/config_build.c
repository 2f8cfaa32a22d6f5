// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The values of the file as what the node (core/config.h) and the data plane (dp/dp.h) take. Arrays
 * come from the arena of the configuration, so they live as long as it does.
 */
#include "daemon/config_build.h"

#include <errno.h>
#include <string.h>

#include "codec/msg.h"

struct xtr_key xtr_conf_build_key(const struct xtr_conf_key *k)
{
	return (struct xtr_key){ k->key_id, k->algorithm, k->secret, k->secret_len };
}

struct xtr_map_server_config xtr_conf_build_server(const struct xtr_conf_server *s,
						   const struct xtr_ip *address)
{
	return (struct xtr_map_server_config){ *address,      xtr_conf_build_key(&s->key),
					       s->proxy_reply, s->want_notify,
					       s->merge,       s->use_ttl };
}

static struct xtr_rloc_config *build_rlocs(struct xtr_conf *c, const struct xtr_conf_rloc *from,
					   unsigned n)
{
	struct xtr_rloc_config *to = ARRAY(c, struct xtr_rloc_config, n);

	for (unsigned i = 0; to && i < n; i++)
		to[i] = (struct xtr_rloc_config){ from[i].address, from[i].priority, from[i].weight,
						  from[i].mpriority, from[i].mweight };
	return to;
}

/* By which of our RLOCs LISP-GPE can be sent to us. Routers like this one send it over IPv6 without UDP checksum only, which has
 * to be allowed here too (RFC 9305 4.3.1). An ETR without data plane can not know. */
static uint8_t build_gpe(const struct xtr_conf *c)
{
	const struct xtr_conf_dp *d = &c->v.dp;

	if (!d->gpe || !d->gpe_announce || !c->data_plane || !xtr_dp_gpe_kernel(NULL))
		return 0;
	return XTR_GPE_IP4 | (d->gpe_zero_checksum6 ? XTR_GPE_IP6 : 0);
}

static int build_etr(struct xtr_conf *c)
{
	const struct xtr_conf_etr *e = &c->v.etr;
	struct xtr_mapping_config *maps = ARRAY(c, struct xtr_mapping_config, e->database.count);
	struct xtr_map_server_config *servers =
		ARRAY(c, struct xtr_map_server_config, e->map_servers.count);

	if (!maps || !servers)
		return -ENOMEM;
	for (unsigned i = 0; i < e->database.count; i++) {
		const struct xtr_conf_mapping *m = &e->database.items[i];

		maps[i].eid = m->eid;
		maps[i].ttl_min = m->ttl;
		maps[i].map_version = m->map_version;
		maps[i].gpe = build_gpe(c);
		maps[i].rlocs = c->node.rlocs;
		maps[i].rloc_count = (uint8_t)c->node.rloc_count;
		if (m->rlocs.count) {
			maps[i].rlocs = build_rlocs(c, m->rlocs.items, m->rlocs.count);
			maps[i].rloc_count = (uint8_t)m->rlocs.count;
			if (!maps[i].rlocs)
				return -ENOMEM;
		}
	}
	for (unsigned i = 0; i < e->map_servers.count; i++) {
		const struct xtr_conf_map_server *m = &e->map_servers.items[i];

		servers[i] = xtr_conf_build_server(&m->server, &m->address);
	}
	c->node.etr = e->at;
	c->node.mappings = maps;
	c->node.mapping_count = e->database.count;
	c->node.map_servers = servers;
	c->node.map_server_count = e->map_servers.count;
	return 0;
}

static int build_site(struct xtr_conf *c, const struct xtr_conf_site *s, struct xtr_site_config *to)
{
	unsigned n = s->key.file ? 1 : s->keys.count;
	struct xtr_key *keys = ARRAY(c, struct xtr_key, n);
	struct xtr_site_prefix_config *prefixes =
		ARRAY(c, struct xtr_site_prefix_config, s->prefixes.count);

	if (!keys || !prefixes)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		keys[i] = xtr_conf_build_key(s->key.file ? &s->key : &s->keys.items[i]);
	for (unsigned i = 0; i < s->prefixes.count; i++) {
		prefixes[i].eid = s->prefixes.items[i].eid;
		prefixes[i].accept_more_specifics = s->prefixes.items[i].accept_more_specifics;
	}
	*to = (struct xtr_site_config){ .name = s->name,
					.keys = keys,
					.key_count = n,
					.prefixes = prefixes,
					.prefix_count = s->prefixes.count,
					.replay_off = s->replay_off,
					.force_proxy = s->force_proxy,
					.max_registrations = s->max_registrations };
	return 0;
}

static int build_ms(struct xtr_conf *c)
{
	const struct xtr_conf_ms *m = &c->v.ms;
	struct xtr_site_config *sites =
		ARRAY(c, struct xtr_site_config, m->sites.count + XTR_CONF_GROUP_SITES);
	struct xtr_eid_prefix *aggregates = ARRAY(c, struct xtr_eid_prefix, m->aggregates.count);
	int n;

	if (!sites || !aggregates)
		return -ENOMEM;
	for (unsigned i = 0; i < m->sites.count; i++)
		if (build_site(c, &m->sites.items[i], &sites[i]))
			return -ENOMEM;
	for (unsigned i = 0; i < m->aggregates.count; i++)
		aggregates[i] = m->aggregates.items[i];
	c->node.ms = m->at;
	c->node.sites = sites;
	n = xtr_conf_build_group_sites(c, &sites[m->sites.count]);
	if (n < 0)
		return n;
	c->node.site_count = m->sites.count + (unsigned)n;
	c->node.aggregates = aggregates;
	c->node.aggregate_count = m->aggregates.count;
	return 0;
}

static int build_dp_lists(struct xtr_conf *c)
{
	const struct xtr_conf_values *v = &c->v;
	unsigned overlays = v->overlay.count ? v->overlay.count : 1, n = 0;
	struct xtr_dp_port *ports = ARRAY(c, struct xtr_dp_port, v->interfaces.count);
	struct xtr_dp_overlay *over = ARRAY(c, struct xtr_dp_overlay, overlays);
	struct xtr_dp_local *locals = ARRAY(c, struct xtr_dp_local, v->etr.database.count);
	struct xtr_ip *rlocs = ARRAY(c, struct xtr_ip, v->rlocs.count);
	struct xtr_dp_group *groups = ARRAY(c, struct xtr_dp_group, v->multicast.count);

	if (!ports || !over || !locals || !rlocs || !groups)
		return -ENOMEM;
	for (unsigned i = 0; i < v->interfaces.count; i++) {
		const struct xtr_conf_interface *p = &v->interfaces.items[i];
		const struct xtr_yaml *mode = xtr_yaml_get(v->interfaces.at[i], "mode");

		ports[i] = (struct xtr_dp_port){ .role = p->role,
						 .mode = p->mode,
						 .iid = p->instance,
						 .vlan = p->vlan,
						 .untagged = p->untagged,
						 .line = mode ? mode->line : 0,
						 .column = mode ? mode->column : 0 };
		memcpy(ports[i].name, p->name,
		       strlen(p->name)); /* at most 15: checked by the table */
	}
	memcpy(over[0].name, "xtr0", 4);
	for (unsigned i = 0; i < v->overlay.count; i++) {
		const struct xtr_conf_overlay *o = &v->overlay.items[i];

		over[i] = (struct xtr_dp_overlay){ .iid = o->instance,
						   .mtu = o->mtu,
						   .netns = o->netns,
						   .vrf = o->vrf,
						   .addresses = o->addresses.items,
						   .address_count = o->addresses.count,
						   .routes = o->routes.items,
						   .route_count = o->routes.count };
		memcpy(over[i].name, o->device, strlen(o->device));
	}
	for (unsigned i = 0; i < v->etr.database.count; i++) {
		const struct xtr_conf_mapping *m = &v->etr.database.items[i];

		/* The data plane forwards IPv4 and IPv6. */
		if (xtr_eid_to_ippfx(&m->eid, &locals[n].eid)) {
			locals[n].iid = m->instance;
			locals[n++].map_version = m->map_version;
		}
	}
	for (unsigned i = 0; i < v->rlocs.count; i++)
		rlocs[i] = v->rlocs.items[i].address;
	for (unsigned i = 0; i < v->multicast.count; i++) {
		const struct xtr_conf_mcgroup *g = &v->multicast.items[i];

		groups[i] = (struct xtr_dp_group){ .iid = g->instance,
						   .group = g->group,
						   .source = g->source,
						   .members = g->copies_to.items,
						   .member_count = g->copies_to.count,
						   .receive = g->receive };
	}
	c->dp.groups = groups;
	c->dp.group_count = v->multicast.count;
	c->dp.ports = ports;
	c->dp.port_count = v->interfaces.count;
	c->dp.overlays = over;
	c->dp.overlay_count = overlays;
	c->dp.locals = locals;
	c->dp.local_count = n;
	c->dp.rlocs = rlocs;
	c->dp.rloc_count = v->rlocs.count;
	return 0;
}

static void build_dp_values(struct xtr_conf *c)
{
	const struct xtr_conf_dp *d = &c->v.dp;
	struct xtr_dp_config *to = &c->dp;

	to->bpffs = c->v.bpffs;
	to->cache_entries = d->cache_entries;
	to->rloc_entries = d->rloc_entries;
	to->flags = (d->check_source ? XTR_CFG_F_CHECK_ENCAP_SOURCE : 0) |
		    (d->check_decap_source ? XTR_CFG_F_CHECK_DECAP_SOURCE : 0) |
		    (d->keep_inner_dscp ? XTR_CFG_F_KEEP_INNER_DSCP : 0) |
		    (d->ecn_compat ? XTR_CFG_F_ECN_COMPAT : 0) |
		    (d->accept_versions ? XTR_CFG_F_ACCEPT_VERSIONS : 0);
	to->direct = d->direct;
	to->gro = d->gro;
	to->flags |= d->mss_clamp ? XTR_CFG_F_MSS_CLAMP : 0;
	to->gpe = d->gpe;
	to->gpe_zero_checksum6 = d->gpe_zero_checksum6;
	to->gpe_peers = d->gpe_peers.items;
	to->gpe_peer_count = d->gpe_peers.count;
	to->miss_source_rate = d->miss_source_rate;
	to->large_rate = d->large_rate;
	to->large_burst = d->large_burst;
	to->icmp_rate = d->icmp_rate;
	to->icmp_burst = d->icmp_burst;
	to->slow_rate = d->slow_rate;
	to->slow_burst = d->slow_burst;
	to->native_routes = d->native_routes;
	to->path_mtus = d->path_mtus;
	to->path_mtu_ms = d->path_mtu_time;
	to->miss_rate = d->miss_rate;
	to->miss_burst = d->miss_burst;
	to->miss_eid_burst = d->miss_eid_burst;
	to->control_rate = d->control_rate;
	to->control_burst = d->control_burst;
	to->queue_eid_packets = d->queue_eid_packets;
	to->queue_packets = d->queue_packets;
	to->queue_octets = d->queue_octets;
	to->queue_timeout_ms = d->queue_timeout;
	to->route_table = d->route_table;
	to->rule_priority = d->rule_priority;
	to->mark = d->mark;
}

int xtr_conf_build(struct xtr_conf *c)
{
	struct xtr_node_config *n = &c->node;
	int rc;

	n->timers = c->v.timers.t;
	n->limits = c->v.limits.l;
	n->has_ids = true; /* an automatic xTR-ID is filled in by the daemon, which keeps it */
	memcpy(n->xtr_id, c->v.xtr_id.octets, sizeof(n->xtr_id));
	memcpy(n->site_id, c->v.site_id.octets, sizeof(n->site_id));
	n->rlocs = build_rlocs(c, c->v.rlocs.items, c->v.rlocs.count);
	n->rloc_count = c->v.rlocs.count;
	n->itr = c->v.itr.at;
	n->map_resolvers = c->v.itr.map_resolvers.items;
	n->map_resolver_count = c->v.itr.map_resolvers.count;
	n->mr = c->v.mr.at;
	n->mr_map_servers = c->v.mr.map_servers.items;
	n->mr_map_server_count = c->v.mr.map_servers.count;
	rc = n->rlocs ? build_etr(c) : -ENOMEM;
	if (!rc)
		rc = build_ms(c);
	if (!rc)
		rc = build_dp_lists(c);
	if (!rc)
		rc = xtr_conf_build_decent(c);
	build_dp_values(c);
	return rc;
}
