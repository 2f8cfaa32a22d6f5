// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Rules about `decent` (RFC 9962) that the table can not know. Pull and push are two mapping
 * systems that are not mixed in one (R-7): a node has one of them for its EID-prefixes, and pull
 * besides push only to find the members of the group. Parameters that differ between routers are
 * silent on the wire, so all that can be seen to be wrong is refused here.
 */
#include "daemon/config_check.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define XTR_CONF_EVERYWHERE_MAX 4096 /* as XTR_PULL_NAMES_MAX */

int xtr_conf_dns_server(const char *text, struct xtr_dns_server *out)
{
	char host[XTR_IP_STRLEN];
	const char *end = text + strlen(text), *port = NULL;
	unsigned long n = 53;

	*out = (struct xtr_dns_server){ .port = 53 };
	if (*text == '[') {
		end = strchr(++text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		port = end[1] ? end + 2 : NULL;
	} else if (strchr(text, ':') && strchr(text, ':') == strrchr(text, ':')) {
		end = strchr(text, ':');
		port = end + 1;
	}
	if (end - text >= (long)sizeof(host))
		return -EINVAL;
	memcpy(host, text, (size_t)(end - text));
	host[end - text] = '\0';
	if (port) {
		if (!*port || strlen(port) > 5 || strspn(port, "0123456789") != strlen(port))
			return -EINVAL;
		n = strtoul(port, NULL, 10);
		if (!n || n > 65535)
			return -EINVAL;
		out->port = (uint16_t)n;
	}
	return xtr_ip_parse(host, &out->ip) || xtr_ip_is_multicast(&out->ip) ||
			       xtr_ip_is_unspecified(&out->ip) ?
		       -EINVAL :
		       0;
}

int xtr_conf_hash(struct xtr_conf *c, struct xtr_decent_hash *out)
{
	const struct xtr_conf_pull *p = &c->v.decent.pull;
	struct xtr_decent_lookup *l =
		xtr_arena_alloc(&c->arena, p->lookups.count * sizeof(struct xtr_decent_lookup));

	if (!l)
		return -ENOMEM;
	for (unsigned i = 0; i < p->lookups.count; i++)
		l[i] = (struct xtr_decent_lookup){ p->lookups.items[i].eid,
						   p->lookups.items[i].instance,
						   p->lookups.items[i].length };
	*out = (struct xtr_decent_hash){ .profile = p->profile,
					 .digest_octets = (uint8_t)p->digest_octets,
					 .hash_mask = (uint16_t)p->hash_mask,
					 .modulus = p->modulus,
					 .lookups = l,
					 .lookup_count = p->lookups.count };
	return 0;
}

/* ---- texts */

const char *xtr_conf_check_suffix(const char *suffix, uint32_t modulus)
{
	char name[XTR_DECENT_NAME_MAX];
	const char *label = suffix;

	for (const char *s = suffix;; s++) {
		if (!*s || *s == '.') {
			if (s == label)
				return *s || s == suffix ? "has an empty label" :
							   "ends with a dot";
			if (s - label > 63)
				return "has a label of more than 63 characters";
			if (*label == '-' || s[-1] == '-')
				return "has a label that begins or ends with a hyphen";
			if (!*s)
				break;
			label = s + 1;
		} else if (!isalnum((unsigned char)*s) && *s != '-' && *s != '_') {
			return "has a character that is no letter, digit or hyphen";
		}
	}
	if (xtr_decent_name(modulus - 1, suffix, name, sizeof(name)) || strlen(name) > 253)
		return "is too long: a DNS name has at most 253 characters, with the index in front";
	return NULL;
}

/* "https://host:port/path" into host and port. False: it is none. */
static bool split_url(const char *url, const char *scheme, char host[256], unsigned *port)
{
	size_t n = strlen(scheme);
	const char *end;

	if (strncasecmp(url, scheme, n))
		return false;
	url += n;
	for (const char *s = url; *s; s++)
		if (*s <= ' ' || *s >= 0x7f)
			return false;
	end = *url == '[' ? strchr(url, ']') : url + strcspn(url, ":/?#") - 1;
	if (!end || end < url || end - url >= 255)
		return false;
	memcpy(host, url, (size_t)(end - url + 1));
	host[end - url + 1] = '\0';
	if (strchr(host, '@'))
		return false;
	*port = strcmp(scheme, "http://") ? 443 : 80;
	if (end[1] == ':') {
		char *rest;
		unsigned long v = strtoul(end + 2, &rest, 10);

		if (rest == end + 2 || !v || v > 65535)
			return false;
		*port = (unsigned)v;
		end = rest - 1;
	}
	return !end[1] || strchr("/?#", end[1]);
}

bool xtr_conf_url(const char *url, char host[256], unsigned *port)
{
	return split_url(url, "https://", host, port);
}

static void check_proxy(struct check *k, const struct xtr_yaml *section, const char *proxy)
{
	char host[256];
	unsigned port;

	if (proxy && !split_url(proxy, "http://", host, &port) &&
	    !split_url(proxy, "https://", host, &port) &&
	    !split_url(proxy, "socks5://", host, &port))
		xtr_yaml_fail_at(k->errors, at_key(section, "proxy"),
				 "`proxy` is `%s`; write http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT",
				 proxy);
}

/* ---- pull */

static void check_lookups(struct check *k, const struct xtr_conf_pull *p)
{
	char a[XTR_IPPFX_STRLEN];

	for (unsigned i = 0; i < p->lookups.count; i++) {
		const struct xtr_conf_lookup *l = &p->lookups.items[i];

		xtr_ippfx_str(&l->eid, a);
		if (l->length < l->eid.len || l->length > xtr_ip_bits(&l->eid.ip))
			xtr_yaml_fail_at(
				k->errors, at_key(l->at, "length"),
				"`length` is %u bits for EIDs inside %s; write %u to %u", l->length, a,
				l->eid.len, xtr_ip_bits(&l->eid.ip));
		for (unsigned j = 0; j < i; j++)
			if (p->lookups.items[j].instance == l->instance &&
			    p->lookups.items[j].eid.len == l->eid.len &&
			    !xtr_ip_cmp(&p->lookups.items[j].eid.ip, &l->eid.ip))
				xtr_conf_fail_twice(k, at_key(l->at, "eid"),
						    at_key(p->lookups.items[j].at, "eid"), "lookup", a);
	}
}

static void check_index_keys(struct check *k, const struct xtr_conf_pull *p)
{
	char a[16];

	for (unsigned i = 0; i < p->keys.count; i++) {
		const struct xtr_conf_index_key *x = &p->keys.items[i];

		snprintf(a, sizeof(a), "%u", x->index);
		if (p->modulus && x->index >= p->modulus)
			xtr_yaml_fail_at(k->errors, at_key(x->key.at, "index"),
					 "`index` is %u, but modulus %u makes indexes from 0 to %u; write one of these",
					 x->index, p->modulus, p->modulus - 1);
		for (unsigned j = 0; j < i; j++)
			if (p->keys.items[j].index == x->index)
				xtr_conf_fail_twice(k, at_key(x->key.at, "index"),
						    at_key(p->keys.items[j].key.at, "index"), "index", a);
	}
}

/* X5: instances would fall together whose numbers begin alike. */
static void check_instances(struct check *k, const struct xtr_decent_hash *hash)
{
	const struct xtr_conf_values *v = &k->c->v;
	char a[XTR_EID_STRLEN];

	if (v->decent.push.server.key.at)
		return;
	for (unsigned i = 0; i < v->etr.database.count; i++) {
		const struct xtr_conf_mapping *m = &v->etr.database.items[i];

		if (!m->eid.group_len && xtr_decent_check_iid(hash, m->eid.iid))
			xtr_yaml_fail_at(
				k->errors, at_key(m->at, "eid"),
				"the `hash-mask` of decent.pull is %u octets and ends inside the instance of %s; write a longer "
				"one in all routers, or lookup-lengths instead",
				hash->hash_mask, xtr_eid_str(&m->eid, a));
	}
}

/* One that is registered at every index: the roles look up so many names and no more. */
static void check_everywhere(struct check *k, const struct xtr_yaml *at, const struct xtr_decent_hash *hash,
			     const struct xtr_eid_prefix *eid)
{
	char a[XTR_EID_STRLEN];

	if (hash->modulus > XTR_CONF_EVERYWHERE_MAX)
		xtr_yaml_fail_at(k->errors, at,
				 "EID-prefix %s would be registered at all %u indexes (short-prefixes: everywhere), which is done for at "
				 "most %u; add a lookup-length for it, or take a smaller modulus",
				 xtr_eid_str(eid, a), hash->modulus, XTR_CONF_EVERYWHERE_MAX);
}

/* R-8, X9: most lookups of its hosts would go to another set. */
static void check_short(struct check *k, const struct xtr_decent_hash *hash)
{
	const struct xtr_conf_values *v = &k->c->v;
	char a[XTR_EID_STRLEN], how[XTR_IPPFX_STRLEN + 64];
	struct xtr_ippfx p;

	/* With push, pull holds group memberships only. */
	if (v->decent.push.server.key.at)
		return;
	for (unsigned i = 0; i < v->etr.database.count; i++) {
		const struct xtr_conf_mapping *m = &v->etr.database.items[i];

		if (!xtr_decent_too_short(hash, &m->eid))
			continue;
		if (v->decent.pull.short_everywhere) {
			check_everywhere(k, at_key(m->at, "eid"), hash, &m->eid);
			continue;
		}
		snprintf(how, sizeof(how), "a lookup-length for it");
		if (xtr_eid_to_ippfx(&m->eid, &p))
			snprintf(how, sizeof(how), "{eid: %s, length: %u} to lookup-lengths of all routers",
				 xtr_ippfx_str(&p, a), p.len);
		xtr_yaml_fail_at(
			k->errors, at_key(m->at, "eid"),
			"EID-prefix %s is shorter than what decent.pull hashes, so that few lookups would find it "
			"(RFC 9962 5.2); add %s, register longer prefixes, or set short-prefixes: everywhere",
			xtr_eid_str(&m->eid, a), how);
	}
}

static int check_pull_hash(struct check *k, const struct xtr_conf_pull *p)
{
	const struct xtr_yaml *at = p->server.key.at;
	struct xtr_decent_hash hash;
	const char *why;

	if (p->hash_mask && p->profile != XTR_DECENT_DRAFT10)
		xtr_yaml_fail_at(
			k->errors, at_key(at, "hash-mask"),
			"only profile draft10 has a `hash-mask`; remove it, and write lookup-lengths instead");
	if (xtr_yaml_get(at, "digest-octets") && p->profile != XTR_DECENT_LISPERS)
		xtr_yaml_fail_at(k->errors, at_key(at, "digest-octets"),
				 "only profile lispers-net has `digest-octets`; remove it");
	if (xtr_conf_hash(k->c, &hash))
		return -ENOMEM;
	why = xtr_decent_check(&hash);
	/* Lengths that were refused above are not said again. */
	if (why && !k->errors->count) {
		xtr_yaml_fail_at(k->errors, at_key(at, p->hash_mask ? "hash-mask" : "modulus"),
				 "the parameters can not be used: %s; change them in all routers alike", why);
	} else if (!why) {
		check_instances(k, &hash);
		check_short(k, &hash);
	}
	return 0;
}

static void check_pull_family(struct check *k, const struct xtr_conf_pull *p)
{
	const struct xtr_conf_values *v = &k->c->v;
	bool have = !p->family || !v->rlocs.count;

	for (unsigned i = 0; i < v->rlocs.count; i++)
		have |= v->rlocs.items[i].address.family == p->family;
	if (!have)
		xtr_yaml_fail_at(k->errors, at_key(p->server.key.at, "family"),
				 "`family` is ipv%u, but none of `rlocs` is; add such an RLOC, or write any",
				 p->family);
}

static int check_pull(struct check *k)
{
	const struct xtr_conf_pull *p = &k->c->v.decent.pull;
	const struct xtr_yaml *at = p->server.key.at;
	const char *why;

	if (!at)
		return 0;
	why = p->suffix && p->modulus ? xtr_conf_check_suffix(p->suffix, p->modulus) : NULL;
	if (why)
		xtr_yaml_fail_at(k->errors, at_key(at, "suffix"),
				 "`suffix` is `%s`, which %s; write a DNS name, as map-server.example.com",
				 p->suffix, why);
	check_lookups(k, p);
	check_index_keys(k, p);
	check_pull_family(k, p);
	return p->modulus ? check_pull_hash(k, p) : 0;
}

static void check_https(struct check *k, const struct xtr_conf_dns *d)
{
	char host[256], first[256] = "";
	unsigned port;

	for (unsigned i = 0; i < d->https.count; i++) {
		if (!xtr_conf_url(d->https.items[i], host, &port)) {
			xtr_yaml_fail_at(k->errors, d->https.at[i],
					 "`https` is `%s`; write a URL, as https://dns.example/dns-query",
					 d->https.items[i]);
			continue;
		}
		if (i && d->https_address.family && strcasecmp(first, host))
			xtr_yaml_fail_at(
				k->errors, d->https.at[i],
				"`https-address` is the address of one host, but %s is not %s; take URLs of one host, or write addresses into them",
				host, first);
		if (!i)
			memcpy(first, host, sizeof(first));
	}
}

static void check_dns(struct check *k)
{
	const struct xtr_conf_dns *d = &k->c->v.decent.dns;
	static const char *const for_https[] = { "https-version", "https-address", "ca-file", "proxy" };
	struct xtr_dns_server server;

	if (!d->at)
		return;
	for (unsigned i = 0; i < d->servers.count; i++)
		if (xtr_conf_dns_server(d->servers.items[i], &server))
			xtr_yaml_fail_at(
				k->errors, d->servers.at[i],
				"`servers` has `%s`, which is no server; write an address, with a port or without, "
				"as 192.0.2.53, 192.0.2.53:5353 or \"[2001:db8::53]:5353\"",
				d->servers.items[i]);
	if (d->servers.count && d->https.count)
		xtr_yaml_fail_at(k->errors, at_key(d->at, "servers"),
				 "`servers` are not asked when there is `https`; remove one of the two");
	for (size_t i = 0; i < sizeof(for_https) / sizeof(for_https[0]); i++)
		if (xtr_yaml_get(d->at, for_https[i]) && !given(d->at, "https"))
			xtr_yaml_fail_at(k->errors, at_key(d->at, for_https[i]),
					 "`%s` is for DNS over HTTPS, and there is no `https`; add it, or remove this key",
					 for_https[i]);
	check_https(k, d);
	check_proxy(k, d->at, d->proxy);
	if (d->ttl_min > d->ttl_max)
		xtr_yaml_fail_at(k->errors, at_key(d->at, "ttl-min"),
				 "`ttl-min` is longer than `ttl-max`; write a smaller one");
	if (d->retry_min > d->retry_max)
		xtr_yaml_fail_at(k->errors, at_key(d->at, "retry-min"),
				 "`retry-min` is longer than `retry-max`; write a smaller one");
}

static void check_params(struct check *k)
{
	const struct xtr_conf_params *p = &k->c->v.decent.parameters;
	char host[256];
	unsigned port;

	if (!p->at)
		return;
	if (p->url && !xtr_conf_url(p->url, host, &port))
		xtr_yaml_fail_at(k->errors, at_key(p->at, "url"),
				 "`url` is `%s`; write a URL, as https://example.com/decent.json", p->url);
	if (!given(p->at, "public-key") == !given(p->at, "sha256"))
		xtr_yaml_fail_at(k->errors, p->at,
				 "the parameters need one proof of where they come from; write %s `public-key` (file) or `sha256`",
				 given(p->at, "sha256") ? "only one of" : "either");
	if (p->sha256 && (strlen(p->sha256) != 64 || strspn(p->sha256, "0123456789abcdefABCDEF") != 64))
		xtr_yaml_fail_at(k->errors, at_key(p->at, "sha256"),
				 "`sha256` is not 64 hexadecimal digits; write what sha256sum prints");
	check_proxy(k, p->at, p->proxy);
}

/* ---- push */

static bool has_family(const struct xtr_conf_values *v, uint8_t family)
{
	for (unsigned i = 0; i < v->rlocs.count; i++)
		if (v->rlocs.items[i].address.family == family)
			return true;
	return false;
}

static bool has_underlay_port(const struct xtr_conf_values *v)
{
	for (unsigned i = 0; i < v->interfaces.count; i++)
		if (v->interfaces.items[i].role == XTR_ROLE_UNDERLAY)
			return true;
	return false;
}

static void check_underlay_group(struct check *k, const char *what, const struct xtr_conf_group *g)
{
	const struct xtr_yaml *at = g->server.key.at;

	for (unsigned i = 0; i < g->interfaces.count; i++) {
		for (unsigned j = 0; j < i; j++)
			if (!strcmp(g->interfaces.items[i], g->interfaces.items[j]))
				xtr_conf_fail_twice(k, g->interfaces.at[i], g->interfaces.at[j],
						    "interface", g->interfaces.items[i]);
		if (k->host && !xtr_conf_host_has_interface(k->host, g->interfaces.items[i]))
			xtr_yaml_fail_at(
				k->errors, g->interfaces.at[i],
				"there is no interface %s on this host; write one of those that ip link shows",
				g->interfaces.items[i]);
	}
	if (!given(at, "interfaces") && !has_underlay_port(&k->c->v) &&
	    !xtr_yaml_get(k->c->v.at, "interfaces"))
		xtr_yaml_fail_at(k->errors, at,
				 "%s does not know where its group is; add interfaces: with those that carry it",
				 what);
}

static void check_overlay_group(struct check *k, const char *what, const struct xtr_conf_group *g)
{
	static const char *const for_underlay[] = { "interfaces", "ttl" };
	const struct xtr_yaml *at = g->server.key.at;

	for (size_t i = 0; i < sizeof(for_underlay) / sizeof(for_underlay[0]); i++)
		if (xtr_yaml_get(at, for_underlay[i]))
			xtr_yaml_fail_at(k->errors, at_key(at, for_underlay[i]),
					 "`%s` is for transport: underlay; remove it", for_underlay[i]);
	if (!k->c->data_plane)
		xtr_yaml_fail_at(
			k->errors, at_key(at, "transport"),
			"%s: the overlay is made by the data plane; add `interfaces` with the underlay interface, and the overlay "
			"device comes with it",
			what);
}

static void check_group(struct check *k, const char *what, const struct xtr_conf_group *g)
{
	const struct xtr_conf_values *v = &k->c->v;
	const struct xtr_yaml *at = g->server.key.at;
	char a[XTR_IP_STRLEN];

	if (g->transport == XTR_GROUP_UNDERLAY)
		check_underlay_group(k, what, g);
	else
		check_overlay_group(k, what, g);
	xtr_conf_check_peers(k, g->peers.items, g->peers.at, g->peers.count, "peer");
	for (unsigned i = 0; v->rlocs.count && i < g->peers.count; i++)
		if (!has_family(v, g->peers.items[i].family))
			xtr_yaml_fail_at(k->errors, g->peers.at[i],
					 "peer %s is IPv%u, and none of `rlocs` is; add such an RLOC, or another address of the peer",
					 xtr_ip_str(&g->peers.items[i], a), g->peers.items[i].family);
	if (g->group.family && v->rlocs.count && !has_family(v, g->group.family))
		xtr_yaml_fail_at(
			k->errors, at_key(at, "group"),
			"group %s is IPv%u, and none of `rlocs` is, so nothing can be sent to it; add such an RLOC, or take a group of the other family",
			xtr_ip_str(&g->group, a), g->group.family);
}

/* D-30: an address, or a name. */
static void read_group(struct check *k, struct xtr_conf_group *g)
{
	const struct xtr_yaml *at = at_key(g->server.key.at, "group");
	const char *dot = g->group_text ? strrchr(g->group_text, '.') : NULL, *why;

	if (!g->group_text)
		return;
	if (!xtr_ip_parse(g->group_text, &g->group)) {
		if (xtr_schema_is_group(&g->group))
			return;
		xtr_yaml_fail_at(k->errors, at,
				 "`group` is %s, which is %s; write a multicast address that routers "
				 "forward, as 224.1.1.1 or \"ff08::4341\"",
				 g->group_text,
				 xtr_ip_is_multicast(&g->group) ? "a group of one link" : "no multicast address");
		g->group = (struct xtr_ip){ 0 };
		return;
	}
	g->group = (struct xtr_ip){ 0 };
	/* 224.1.1.999 is a mistake and no name: no top level domain is a number. */
	if (!dot || strspn(dot + 1, "0123456789") == strlen(dot + 1)) {
		xtr_yaml_fail_at(k->errors, at,
				 "`group` is `%s`, neither an address nor a DNS name; write a multicast address, as 224.1.1.1 or "
				 "\"ff08::4341\", or a name, as core.example.com",
				 g->group_text);
		return;
	}
	why = xtr_conf_check_suffix(g->group_text, 1);
	if (why)
		xtr_yaml_fail_at(k->errors, at,
				 "`group` is `%s`, which %s; write a multicast address, as 224.1.1.1, or a DNS name, as core.example.com",
				 g->group_text, why);
	else
		g->name = g->group_text;
}

/* D-1: a member is Map-Server and Map-Resolver too. */
static void check_member_roles(struct check *k, const struct xtr_yaml *at)
{
	const struct xtr_conf_values *v = &k->c->v;

	if (!xtr_yaml_get(v->at, "map-server"))
		xtr_yaml_fail_at(
			k->errors, at,
			"a member of a seed-group is a Map-Server (RFC 9962 4.1); add map-server: with the sites that may register");
	if (!xtr_yaml_get(v->at, "map-resolver"))
		xtr_yaml_fail_at(k->errors, at,
				 "a member of a seed-group is a Map-Resolver (RFC 9962 4.1); add map-resolver: {}");
}

/* Who may register (*,G) is said by the key of the group; a site for it would say otherwise. */
static void check_group_sites(struct check *k, const char *what, const struct xtr_conf_group *g)
{
	const struct xtr_conf_ms *ms = &k->c->v.ms;
	char a[XTR_IP_STRLEN];

	for (unsigned i = 0; i < ms->sites.count; i++)
		for (unsigned j = 0; j < ms->sites.items[i].prefixes.count; j++) {
			const struct xtr_conf_site_prefix *p = &ms->sites.items[i].prefixes.items[j];

			if (!g->group.family || !p->eid.group_len || p->eid.len || p->eid.iid ||
			    p->eid.group_len != xtr_ip_bits(&g->group) ||
			    memcmp(p->eid.g, g->group.a, sizeof(p->eid.g)))
				continue;
			xtr_yaml_fail_at(
				k->errors, at_key(p->at, "eid"),
				"members of %s register with the key of %s; remove this prefix",
				xtr_ip_str(&g->group, a), what);
		}
}

static void check_accept(struct check *k, const struct xtr_conf_group *g)
{
	if (g->transport == XTR_GROUP_UNDERLAY && g->accept_from.count)
		xtr_yaml_fail_at(k->errors, at_key(g->server.key.at, "accept-from"),
				 "`accept-from` is for transport: overlay, and this group is in the underlay; remove it");
	for (unsigned i = 0; i < g->accept_groups.count; i++)
		if (g->group.family && g->accept_groups.items[i].len == xtr_ip_bits(&g->group) &&
		    !xtr_ip_cmp(&g->accept_groups.items[i].ip, &g->group))
			xtr_yaml_fail_at(k->errors, g->accept_groups.at[i],
					 "our own group is accepted without being named; remove it");
}

/* ---- layers */

static bool same_prefix(const struct xtr_ippfx *a, const struct xtr_ippfx *b)
{
	return a->len == b->len && !xtr_ip_cmp(&a->ip, &b->ip);
}

/* Of one that is in both groups. Its Map-Server takes (*,G) of the layer with either key. */
static void check_both(struct check *k, const struct xtr_conf_group *push, const struct xtr_conf_group *core)
{
	const struct xtr_conf_key *x = &push->server.key, *y = &core->server.key;
	const struct xtr_ippfx own = { push->group, (uint8_t)xtr_ip_bits(&push->group) },
			       above = { core->group, (uint8_t)xtr_ip_bits(&core->group) };
	char a[XTR_IPPFX_STRLEN];

	for (unsigned i = 0; i < core->accept_groups.count; i++) {
		const struct xtr_ippfx *p = &core->accept_groups.items[i];

		if (push->group.family && same_prefix(p, &own))
			xtr_yaml_fail_at(k->errors, core->accept_groups.at[i],
					 "the group of `push` is accepted without being named; remove it");
		for (unsigned j = 0; j < push->accept_groups.count; j++)
			if (same_prefix(p, &push->accept_groups.items[j]))
				xtr_yaml_fail_at(k->errors, core->accept_groups.at[i],
						 "%s is accepted with the key of `push` already, in line %u; remove one",
						 xtr_ippfx_str(p, a), push->accept_groups.at[j]->line);
	}
	for (unsigned j = 0; core->group.family && j < push->accept_groups.count; j++)
		if (same_prefix(&push->accept_groups.items[j], &above))
			xtr_yaml_fail_at(k->errors, push->accept_groups.at[j],
					 "members of the core register with the key of decent.core; remove it");
	if (x->secret && y->secret && x->key_id == y->key_id &&
	    (x->algorithm != y->algorithm || x->secret_len != y->secret_len ||
	     memcmp(x->secret, y->secret, x->secret_len)))
		xtr_yaml_fail_at(
			k->errors, at_key(y->at, "key-id"),
			"`push` and `core` have different keys with key-id %u, and who is in both could not tell them apart; "
			"give one of them another key-id, in all routers that have that key",
			y->key_id);
}

static void check_core(struct check *k, const struct xtr_conf_group *push, const struct xtr_conf_group *core)
{
	static const char *const for_members[] = { "accept-groups", "accept-from" };
	const struct xtr_yaml *at = core->server.key.at, *peers = xtr_yaml_get(at, "peers");

	check_group(k, "decent.core", core);
	if (!given(at, "peers") && !(core->member && core->transport == XTR_GROUP_UNDERLAY)) {
		if (peers)
			xtr_yaml_fail_at(k->errors, peers, "`peers` is empty; write at least one entry");
		else
			xtr_yaml_fail_at(k->errors, at,
					 "decent.core has no `peers`; add it: members of the core that are known from the start");
	}
	if (core->member) {
		check_group_sites(k, "decent.core", core);
		check_accept(k, core);
		if (push->server.key.at)
			check_both(k, push, core);
		return;
	}
	for (size_t i = 0; i < sizeof(for_members) / sizeof(for_members[0]); i++)
		if (xtr_yaml_get(at, for_members[i]))
			xtr_yaml_fail_at(k->errors, at_key(at, for_members[i]),
					 "`%s` is for members of the core; add member: true, or remove this key", for_members[i]);
}

static void check_layers(struct check *k)
{
	const struct xtr_conf_decent *d = &k->c->v.decent;
	const struct xtr_yaml *push = d->push.server.key.at, *core = d->core.server.key.at;
	const struct xtr_yaml *at = at_key(push, "core");

	if (push && xtr_yaml_get(d->at, "pull") && d->push.core != XTR_CONF_CORE_PULL)
		xtr_yaml_fail_at(
			k->errors, push,
			"pull and push are two mapping systems (RFC 9962 3); remove one, or write core: pull, "
			"so that pull holds the members of the group and nothing else");
	if (push && d->push.core == XTR_CONF_CORE_PULL && !xtr_yaml_get(d->at, "pull"))
		xtr_yaml_fail_at(k->errors, at, "core: pull needs `pull`; add it beside `push`");
	if (push && d->push.core == XTR_CONF_CORE_GROUP && !xtr_yaml_get(d->at, "core"))
		xtr_yaml_fail_at(
			k->errors, at,
			"core: group needs `core`; add it beside `push`, with group:, peers: and key-file: of the core");
	if (core && (!push || d->push.core != XTR_CONF_CORE_GROUP))
		xtr_yaml_fail_at(k->errors, core,
				 "`core` is used by a group above which it is; add push: with core: group");
	if (core && push &&
	    (d->core.name && d->push.name ? !strcasecmp(d->core.name, d->push.name) :
					    d->core.group.family && !xtr_ip_cmp(&d->core.group, &d->push.group)))
		xtr_yaml_fail_at(k->errors, at_key(core, "group"),
				 "the core is another group than that of `push`; members of the core write it as `push` alone");
}

int xtr_conf_check_decent(struct check *k)
{
	struct xtr_conf_decent *d = &k->c->v.decent;
	const struct xtr_yaml *push = d->push.server.key.at, *core = d->core.server.key.at;

	if (!d->at)
		return 0;
	read_group(k, &d->push);
	read_group(k, &d->core);
	if (!xtr_yaml_get(d->at, "pull") && !xtr_yaml_get(d->at, "push") && !core)
		xtr_yaml_fail_at(k->errors, d->at, "`decent` is neither pull nor push; add pull: or push: to it");
	for (const char *const *s = (const char *const[]){ "dns", "parameters", NULL }; *s; s++)
		if (xtr_yaml_get(d->at, *s) && !xtr_yaml_get(d->at, "pull") &&
		    !(**s == 'd' && (d->push.name || d->core.name)))
			xtr_yaml_fail_at(k->errors, xtr_yaml_get(d->at, *s),
					 "`%s` is for `pull`, which is not there; add it, or remove this section", *s);
	check_dns(k);
	check_params(k);
	check_layers(k);
	if (push) {
		check_group(k, "decent.push", &d->push);
		check_member_roles(k, push);
		check_group_sites(k, "decent.push", &d->push);
		check_accept(k, &d->push);
		xtr_conf_check_peers(k, d->push.unauthenticated.items, d->push.unauthenticated.at,
				     d->push.unauthenticated.count, "address");
	}
	if (core)
		check_core(k, &d->push, &d->core);
	return check_pull(k);
}
