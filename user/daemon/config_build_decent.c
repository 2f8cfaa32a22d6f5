// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `decent` as what the roles take (core/config.h), what DNS takes (net/dns.h) and what the daemon
 * joins. Everything comes from the arena of the configuration.
 */
#include "daemon/config_build.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/config_check.h"

static int build_pull(struct xtr_conf *c)
{
	const struct xtr_conf_pull *p = &c->v.decent.pull;
	const struct xtr_conf_dns *d = &c->v.decent.dns;
	struct xtr_pull_config *to = ARRAY(c, struct xtr_pull_config, 1);
	struct xtr_index_key *keys = ARRAY(c, struct xtr_index_key, p->keys.count);
	const struct xtr_ip none = { 0 };

	if (!to || !keys || xtr_conf_hash(c, &to->hash))
		return -ENOMEM;
	for (unsigned i = 0; i < p->keys.count; i++)
		keys[i] = (struct xtr_index_key){ p->keys.items[i].index,
						  xtr_conf_build_key(&p->keys.items[i].key) };
	to->suffix = p->suffix;
	to->server = xtr_conf_build_server(&p->server, &none);
	to->keys = keys;
	to->key_count = p->keys.count;
	to->short_everywhere = p->short_everywhere;
	to->require_dnssec = d->require_dnssec;
	to->allow_loopback = p->allow_loopback;
	to->allow_private = p->allow_private;
	to->family = p->family;
	to->max_addresses = p->max_addresses;
	to->ttl_min = d->ttl_min;
	to->ttl_max = d->ttl_max;
	to->retry_min = d->retry_min;
	to->retry_max = d->retry_max;
	to->change_window = p->change_window;
	c->pull = c->node.decent.pull = to;
	return 0;
}

/* "host:port:address", as libcurl takes it. */
static int build_https_address(struct xtr_conf *c)
{
	const struct xtr_conf_dns *d = &c->v.decent.dns;
	char host[256], a[XTR_IP_STRLEN], text[400];
	unsigned port;

	if (!d->https.count || !d->https_address.family || !xtr_conf_url(d->https.items[0], host, &port))
		return 0;
	xtr_ip_str(&d->https_address, a);
	snprintf(text, sizeof(text), d->https_address.family == 6 ? "%s:%u:[%s]" : "%s:%u:%s", host, port, a);
	c->dns.http.resolve = xtr_arena_copy(&c->arena, text, strlen(text));
	return c->dns.http.resolve ? 0 : -ENOMEM;
}

static int build_dns(struct xtr_conf *c)
{
	const struct xtr_conf_dns *d = &c->v.decent.dns;
	struct xtr_dns_server *servers = ARRAY(c, struct xtr_dns_server, d->servers.count);

	if (!servers)
		return -ENOMEM;
	for (unsigned i = 0; i < d->servers.count; i++)
		xtr_conf_dns_server(d->servers.items[i], &servers[i]);
	c->dns = (struct xtr_dns_config){ .servers = servers,
					  .server_count = d->servers.count,
					  .urls = d->https.items,
					  .url_count = d->https.count,
					  .timeout_ms = d->timeout,
					  .mark = c->v.dp.mark };
	c->dns.http = (struct xtr_http_options){ .ca_file = d->ca_file,
						 .proxy = d->proxy,
						 .version = d->https_version,
						 .timeout_ms = d->timeout,
						 .mark = c->v.dp.mark };
	return build_https_address(c);
}

static int build_multicast(struct xtr_conf *c, const struct xtr_conf_group *g, bool join)
{
	const struct xtr_conf_values *v = &c->v;
	struct xtr_conf_multicast *m = &c->multicast[c->multicast_count];
	unsigned n = g->interfaces.count ? g->interfaces.count : v->interfaces.count;
	const char **names = ARRAY(c, const char *, n);

	if (g->transport != XTR_GROUP_UNDERLAY)
		return 0;
	if (!names)
		return -ENOMEM;
	*m = (struct xtr_conf_multicast){ .group = g->group, .join = join, .ttl = g->ttl, .interfaces = names };
	for (unsigned i = 0; i < g->interfaces.count; i++)
		names[m->interface_count++] = g->interfaces.items[i];
	for (unsigned i = 0; !g->interfaces.count && i < v->interfaces.count; i++)
		if (v->interfaces.items[i].role == XTR_ROLE_UNDERLAY)
			names[m->interface_count++] = v->interfaces.items[i].name;
	c->multicast_count++;
	return 0;
}

static void build_group(const struct xtr_conf_group *g, struct xtr_group_config *to)
{
	*to = (struct xtr_group_config){ .group = g->group,
					 .transport = g->transport,
					 .server = xtr_conf_build_server(&g->server, &g->group),
					 .peers = g->peers.items,
					 .peer_count = g->peers.count,
					 .unauthenticated = g->unauthenticated.items,
					 .unauthenticated_count = g->unauthenticated.count,
					 .lookup_interval = g->lookup_interval,
					 .subscribe = g->subscribe };
}

/* The data plane has one list: messages of either group come the same way. */
static int build_accept_from(struct xtr_conf *c)
{
	const struct xtr_conf_group *of[] = { &c->v.decent.push, &c->v.decent.core };
	unsigned n = 0;
	struct xtr_ippfx *list =
		ARRAY(c, struct xtr_ippfx, of[0]->accept_from.count + of[1]->accept_from.count);

	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; i < 2; i++)
		for (unsigned j = 0; j < of[i]->accept_from.count; j++)
			list[n++] = of[i]->accept_from.items[j];
	c->node.decent.accept_from = c->dp.control_from = list;
	c->node.decent.accept_from_count = c->dp.control_from_count = n;
	return 0;
}

static int build_groups(struct xtr_conf *c)
{
	static const uint8_t vias[] = { [XTR_CONF_CORE_NONE] = XTR_VIA_SELF,
					[XTR_CONF_CORE_GROUP] = XTR_VIA_CORE,
					[XTR_CONF_CORE_PULL] = XTR_VIA_PULL };
	const struct xtr_conf_decent *d = &c->v.decent;
	struct xtr_group_config *groups = ARRAY(c, struct xtr_group_config, 2);
	unsigned n = 0;

	c->multicast_count = 0;
	if (!groups || (d->push.group.family && build_multicast(c, &d->push, true)))
		return -ENOMEM;
	/* One by name, without an address yet, is not there. */
	if (d->push.group.family) {
		build_group(&d->push, &groups[n]);
		groups[n].member = groups[n].own = true;
		groups[n].core = d->push.accept_groups.count;
		groups[n++].via = vias[d->push.core];
	}
	if (d->core.server.key.at && d->core.group.family) {
		if (build_multicast(c, &d->core, d->core.member))
			return -ENOMEM;
		build_group(&d->core, &groups[n]);
		groups[n].member = d->core.member;
		groups[n].core = true;
		groups[n].all_eids = d->core.all_eids;
		groups[n++].via = XTR_VIA_SELF;
	}
	c->node.decent.groups = groups;
	c->node.decent.group_count = n;
	return build_accept_from(c);
}

static void group_eid(const struct xtr_ip *group, uint8_t len, struct xtr_eid_prefix *out)
{
	*out = (struct xtr_eid_prefix){ .afi = group->family == 4 ? XTR_AFI_IP4 : XTR_AFI_IP6,
					.group_len = len };
	memcpy(out->g, group->a, sizeof(out->g));
}

static bool is_host(const struct xtr_ippfx *p, const struct xtr_ip *ip)
{
	return ip->family == p->ip.family && p->len == xtr_ip_bits(ip) && !xtr_ip_cmp(&p->ip, ip);
}

/* other: a key that is good for the group too, or NULL. */
static int build_group_site(struct xtr_conf *c, const struct xtr_conf_group *g,
			    const struct xtr_conf_key *other, struct xtr_site_config *to)
{
	unsigned n = g->accept_groups.count;
	struct xtr_site_prefix_config *prefixes = ARRAY(c, struct xtr_site_prefix_config, n + 1);
	struct xtr_key *keys = ARRAY(c, struct xtr_key, 2);
	char name[XTR_IP_STRLEN + 16], a[XTR_IP_STRLEN];

	snprintf(name, sizeof(name), "group %s", xtr_ip_str(&g->group, a));
	*to = (struct xtr_site_config){ .name = xtr_arena_copy(&c->arena, name, strlen(name)),
					.keys = keys,
					.prefixes = prefixes,
					.prefix_count = 1,
					.max_registrations = 10000 };
	if (!prefixes || !keys || !to->name)
		return -ENOMEM;
	/* It comes first: notifications to those who subscribe at the core have its key. */
	if (other)
		keys[to->key_count++] = xtr_conf_build_key(other);
	if (!other || other->key_id != g->server.key.key_id)
		keys[to->key_count++] = xtr_conf_build_key(&g->server.key);
	group_eid(&g->group, (uint8_t)xtr_ip_bits(&g->group), &prefixes[0].eid);
	for (unsigned i = 0; i < n; i++) {
		const struct xtr_ippfx *p = &g->accept_groups.items[i];

		/* What a name became can be one of them: that is registered with its own key. */
		if (is_host(p, &c->v.decent.push.group) || is_host(p, &c->v.decent.core.group))
			continue;
		group_eid(&p->ip, p->len, &prefixes[to->prefix_count].eid);
		prefixes[to->prefix_count++].accept_more_specifics = true;
	}
	return 0;
}

int xtr_conf_build_group_sites(struct xtr_conf *c, struct xtr_site_config *to)
{
	const struct xtr_conf_decent *d = &c->v.decent;
	bool both = d->core.server.key.at && d->core.member;
	int n = 0;

	/* Members of the layer register in both groups, each time with the key of that one. */
	if (d->push.server.key.at && d->push.group.family &&
	    build_group_site(c, &d->push, both ? &d->core.server.key : NULL, &to[n++]))
		return -ENOMEM;
	if (d->push.server.key.at && both && d->core.group.family &&
	    build_group_site(c, &d->core, NULL, &to[n++]))
		return -ENOMEM;
	return n;
}

int xtr_conf_build_named(struct xtr_conf *c)
{
	unsigned n = c->v.ms.sites.count;
	struct xtr_site_config *sites = ARRAY(c, struct xtr_site_config, n + XTR_CONF_GROUP_SITES);
	int more;

	if (!sites || build_groups(c))
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		sites[i] = c->node.sites[i];
	more = xtr_conf_build_group_sites(c, &sites[n]);
	if (more < 0)
		return more;
	c->node.sites = sites;
	c->node.site_count = n + (unsigned)more;
	return 0;
}

int xtr_conf_build_decent(struct xtr_conf *c)
{
	const struct xtr_conf_decent *d = &c->v.decent;
	int rc = 0;

	if (d->pull.server.key.at) {
		rc = build_pull(c);
	}
	if (!rc && (d->pull.server.key.at || d->push.name || d->core.name))
		rc = build_dns(c);
	if (!rc && d->push.server.key.at)
		rc = build_groups(c);
	return rc;
}
