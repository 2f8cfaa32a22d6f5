// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Object "decent" of the control socket (ctl/ctl.h): what LISP-Decent is configured with, the DNS
 * names in use, the seed-groups. Answers from the node and from the parameter source; keeps nothing.
 */
#include "daemon/show.h"

#include <string.h>

#include "daemon/group_name.h"

/* ---- names */

static json_t *name_addresses(const struct xtr_name_info *n)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < n->count && i < 16; i++)
		json_array_append_new(a, json_pack("{s:o, s:b}", "address", address(&n->addrs[i]), "resting",
						   n->resting[i]));
	return a;
}

static int add_name(void *arg, const struct xtr_name_info *n)
{
	json_t *o = json_object();

	json_object_set_new(o, "name", text_or_null(n->name));
	json_object_set_new(o, "index", json_integer(n->index));
	json_object_set_new(o, "old", json_boolean(n->old));
	json_object_set_new(o, "self", json_boolean(n->self));
	json_object_set_new(o, "stale", json_boolean(n->stale));
	json_object_set_new(o, "saved", json_boolean(n->saved));
	json_object_set_new(o, "authenticated", json_boolean(n->authenticated));
	json_object_set_new(o, "addresses", name_addresses(n));
	json_object_set_new(o, "ignored", json_integer(n->ignored));
	json_object_set_new(o, "ttl", json_integer(n->ttl));
	json_object_set_new(o, "age", seconds(n->age_ms));
	json_object_set_new(o, "next", seconds(n->next_ms));
	json_object_set_new(o, "failures", json_integer(n->failures));
	json_object_set_new(o, "registered", json_integer(n->registered));
	json_object_set_new(o, "problem", text_or_null(n->problem));
	json_array_append_new(arg, o);
	return 0;
}

/* ---- groups */

static const char *const member_states[] = {
	[XTR_MEMBER_SELF] = "self",
	[XTR_MEMBER_LIVE] = "live",
	[XTR_MEMBER_PEER] = "peer",
	[XTR_MEMBER_FORMER] = "former",
};
static const char *const vias[] = {
	[XTR_VIA_SELF] = "self",
	[XTR_VIA_CORE] = "core",
	[XTR_VIA_PULL] = "pull",
};

static json_t *group_members(const struct xtr_group_info *g)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < g->count; i++) {
		const struct xtr_member_info *m = &g->members[i];

		json_array_append_new(
			a, json_pack("{s:o, s:s, s:b, s:o, s:o}", "address", address(&m->rloc), "state",
				     member_states[m->state], "acked", m->acked, "since",
				     seconds(m->since_ms), "last_ack", seconds(m->last_ack_ms)));
	}
	return a;
}

static int add_group(void *arg, const struct xtr_group_info *g)
{
	json_t *o = json_object();

	json_object_set_new(o, "group", address(&g->cfg->group));
	json_object_set_new(o, "member", json_boolean(g->cfg->member));
	json_object_set_new(o, "own", json_boolean(g->cfg->own));
	json_object_set_new(o, "core", json_boolean(g->cfg->core));
	json_object_set_new(o, "transport",
			    json_string(g->cfg->transport == XTR_GROUP_OVERLAY ? "overlay" : "underlay"));
	json_object_set_new(o, "via", json_string(vias[g->cfg->via]));
	json_object_set_new(o, "known", json_boolean(g->known));
	json_object_set_new(o, "subscribed", json_boolean(g->subscribed));
	json_object_set_new(o, "next_lookup", seconds(g->next_lookup_ms));
	json_object_set_new(o, "problem", text_or_null(g->problem));
	json_object_set_new(o, "members", group_members(g));
	json_array_append_new(arg, o);
	return 0;
}

/* One by name that has no address yet: the node does not know of it. */
static void add_unresolved(void *arg, const struct xtr_conf_group *g, bool core, uint64_t next_ms, const char *text)
{
	json_array_append_new(
		arg, json_pack("{s:s, s:b, s:b, s:b, s:s, s:s, s:b, s:b, s:o, s:s, s:[]}", "group", g->name, "member",
			       !core || g->member, "own", !core, "core", core || g->accept_groups.count, "transport",
			       g->transport == XTR_GROUP_OVERLAY ? "overlay" : "underlay", "via",
			       vias[core || g->core == XTR_CONF_CORE_NONE ? XTR_VIA_SELF :
				    g->core == XTR_CONF_CORE_GROUP	    ? XTR_VIA_CORE :
									      XTR_VIA_PULL],
			       "known", 0, "subscribed", 0, "next_lookup", seconds(next_ms), "problem", text, "members"));
}

/* ---- show */

static json_t *hash_object(const struct xtr_pull_config *p)
{
	const struct xtr_decent_hash *h = &p->hash;
	json_t *lookups = json_array();
	char a[XTR_IPPFX_STRLEN];

	for (unsigned i = 0; i < h->lookup_count; i++) {
		const struct xtr_decent_lookup *l = &h->lookups[i];

		json_array_append_new(
			lookups, json_pack("{s:s, s:o, s:i}", "eid", xtr_ippfx_str(&l->eid, a), "iid",
					   l->iid == XTR_DECENT_ANY_IID ? json_null() : json_integer(l->iid),
					   "length", l->length));
	}
	return json_pack("{s:s, s:I, s:s, s:i, s:i, s:o}", "profile", xtr_decent_profile_name(h->profile),
			 "modulus", (json_int_t)h->modulus, "suffix", p->suffix, "hash_mask", h->hash_mask,
			 "digest_octets", h->digest_octets ? h->digest_octets : 6, "lookups", lookups);
}

struct name_counts { unsigned names, stale; };

static int count_name(void *arg, const struct xtr_name_info *n)
{
	struct name_counts *c = arg;

	c->names++;
	c->stale += n->stale;
	return 0;
}

static json_t *pull_object(struct xtr_daemon *d, uint64_t now)
{
	const struct xtr_pull_config *old = NULL, *p;
	struct name_counts counts = { 0, 0 };
	uint64_t left = 0;
	json_t *o, *was;

	p = xtr_node_pull(d->node, now, &old, &left);
	if (!p)
		return json_null();
	xtr_node_walk_names(d->node, now, count_name, &counts);
	o = hash_object(p);
	json_object_set_new(o, "short_prefixes", json_string(p->short_everywhere ? "everywhere" : "refuse"));
	json_object_set_new(o, "require_dnssec", json_boolean(p->require_dnssec));
	json_object_set_new(o, "family",
			    json_string(p->family == 4 ? "ipv4" : p->family == 6 ? "ipv6" : "any"));
	json_object_set_new(o, "names", json_integer(counts.names));
	json_object_set_new(o, "stale", json_integer(counts.stale));
	was = old ? hash_object(old) : json_null();
	if (old)
		json_object_set_new(was, "left", seconds(left));
	json_object_set_new(o, "old", was);
	return o;
}

static json_t *dns_object(const struct xtr_daemon *d)
{
	const struct xtr_conf *c = d->conf;
	const uint64_t *counters = xtr_node_counters(d->node);
	json_t *servers = json_array(), *https = json_array();

	if (!c->pull && !c->v.decent.push.name && !c->v.decent.core.name) {
		json_decref(servers);
		json_decref(https);
		return json_null();
	}
	for (unsigned i = 0; i < c->v.decent.dns.servers.count; i++)
		json_array_append_new(servers, json_string(c->v.decent.dns.servers.items[i]));
	for (unsigned i = 0; i < c->dns.url_count; i++)
		json_array_append_new(https, json_string(c->dns.urls[i]));
	return json_pack("{s:o, s:o, s:b, s:I, s:I}", "servers", servers, "https", https, "require_dnssec",
			 c->v.decent.dns.require_dnssec, "lookups", (json_int_t)counters[XTR_NODE_DNS_LOOKUPS],
			 "failures", (json_int_t)counters[XTR_NODE_DNS_FAILURES]);
}

static json_t *parameters_object(const struct xtr_daemon *d)
{
	const struct xtr_conf_params *c = &d->conf->v.decent.parameters;
	struct xtr_params_info i;

	if (!d->conf->pull || !c->at)
		return json_null();
	xtr_params_source_info(d, &i);
	return json_pack("{s:s, s:o, s:o, s:i, s:b, s:o, s:b, s:o}", "url", c->url, "age", seconds(i.age_ms),
			 "next", seconds(i.next_ms), "failures", (int)i.failures, "saved", i.saved, "problem",
			 text_or_null(i.problem), "used", i.used, "serial",
			 i.used ? json_integer((json_int_t)i.serial) : json_null());
}

bool xtr_show_decent(struct xtr_daemon *d, struct xtr_ctl_request *req, const char *command)
{
	uint64_t now = xtr_daemon_now();
	json_t *list = json_array();

	if (!strcmp(command, "names")) {
		xtr_node_walk_names(d->node, now, add_name, list);
		xtr_ctl_reply(req, list);
		return true;
	}
	xtr_node_walk_groups(d->node, now, add_group, list);
	xtr_group_names_walk(d, add_unresolved, list);
	if (!strcmp(command, "groups")) {
		xtr_ctl_reply(req, list);
		return true;
	}
	if (!strcmp(command, "show")) {
		xtr_ctl_reply(req, json_pack("{s:o, s:o, s:o, s:o}", "pull", pull_object(d, now), "dns",
					     dns_object(d), "parameters", parameters_object(d), "push",
					     json_array_size(list) ? json_incref(list) : json_null()));
		json_decref(list);
		return true;
	}
	json_decref(list);
	return false;
}
