// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the table can not know: how values belong together, and to this host. Each rule is one
 * function that adds errors at the place of the value that is wrong (of two, the later one).
 * Entries that the table refused are not seen here, so one mistake makes one error.
 *
 * Which EID-prefixes may overlap: in etr.database one may lie inside another (a more-specific
 * mapping, RFC 9301 5.5), but none may be there twice. At a Map-Server no part of a site's space
 * may belong to a second site: the key of one would open the other's prefix (RFC 9301 8.2).
 */
#include "daemon/config_check.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

/* ---- EID-prefixes that meet */

struct claim {
	struct xtr_eid_prefix eid;
	const struct xtr_yaml *at;
	const struct xtr_conf_site *site; /* NULL: etr.database */
	bool more; /* accept-more-specifics */
};

static int by_place(const struct xtr_yaml *x, const struct xtr_yaml *y)
{
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

/* Groups last, then by instance and family. */
static int by_kind(const struct xtr_eid_prefix *x, const struct xtr_eid_prefix *y)
{
	if (!x->group_len != !y->group_len)
		return x->group_len ? 1 : -1;
	if (x->iid != y->iid)
		return x->iid < y->iid ? -1 : 1;
	if (x->afi != y->afi)
		return x->afi < y->afi ? -1 : 1;
	return 0;
}

static int by_prefix(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int c = by_kind(&x->eid, &y->eid);

	if (!c)
		c = memcmp(x->eid.g, y->eid.g, sizeof(x->eid.g));
	if (!c)
		c = (int)x->eid.group_len - (int)y->eid.group_len;
	if (!c)
		c = memcmp(x->eid.a, y->eid.a, sizeof(x->eid.a));
	if (!c)
		c = (int)x->eid.len - (int)y->eid.len;
	return c ? c : by_place(x->at, y->at);
}

/* "10.1.0.0/24": messages name the instance apart. */
static const char *eid_text(const struct xtr_eid_prefix *e, char buf[XTR_EID_STRLEN])
{
	const char *end;

	xtr_eid_str(e, buf);
	end = strchr(buf, ']');
	return end ? end + 1 : buf;
}

static void fail_claim(struct check *k, const struct claim *outer, const struct claim *inner)
{
	bool same = xtr_eid_equal(&outer->eid, &inner->eid);
	bool inner_later = by_place(inner->at, outer->at) > 0;
	const struct claim *late = inner_later ? inner : outer;
	const struct claim *early = inner_later ? outer : inner;
	char a[XTR_EID_STRLEN], b[XTR_EID_STRLEN];
	const char *late_text = eid_text(&late->eid, a), *early_text = eid_text(&early->eid, b);

	if (same && late->site == early->site)
		xtr_yaml_fail_at(
			k->errors, late->at,
			"EID-prefix %s of instance %u is here for the second time, the first is in line %u; remove one",
			late_text, late->eid.iid, early->at->line);
	else
		xtr_yaml_fail_at(
			k->errors, late->at,
			"EID-prefix %s of instance %u overlaps %s of site %s in line %u; give each part of the space to one site",
			late_text, late->eid.iid, early_text, early->site->name, early->at->line);
}

/* Do two groups with their sources have a part in common? Neither need cover the other. */
static bool groups_meet(const struct xtr_eid_prefix *x, const struct xtr_eid_prefix *y)
{
	struct xtr_eid_prefix a = *x, b = *y;

	memset(a.a, 0, sizeof(a.a));
	memset(b.a, 0, sizeof(b.a));
	a.len = b.len = 0;
	if (!xtr_eid_covers(&a, &b) && !xtr_eid_covers(&b, &a))
		return false;
	a = *x, b = *y;
	memset(a.g, 0, sizeof(a.g));
	memset(b.g, 0, sizeof(b.g));
	a.group_len = b.group_len = 0;
	return xtr_eid_covers(&a, &b) || xtr_eid_covers(&b, &a);
}

static void check_group_claims(struct check *k, const struct claim *list, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < i; j++)
			if (xtr_eid_equal(&list[i].eid, &list[j].eid) ||
			    (list[i].site != list[j].site && groups_meet(&list[i].eid, &list[j].eid))) {
				fail_claim(k, &list[j], &list[i]);
				break;
			}
}

/* Sorted, a prefix comes after all that contain it: those are on the stack. */
static int check_claims(struct check *k, struct claim *list, unsigned n)
{
	const struct claim **stack = calloc(n + 1, sizeof(*stack));
	unsigned depth = 0, i;

	if (!stack)
		return -ENOMEM;
	if (n)
		qsort(list, n, sizeof(*list), by_prefix);
	for (i = 0; i < n && !list[i].eid.group_len; i++) {
		const struct claim *c = &list[i];

		while (depth && !xtr_eid_covers(&stack[depth - 1]->eid, &c->eid))
			depth--;
		if (depth && (xtr_eid_equal(&stack[depth - 1]->eid, &c->eid) ||
			      stack[depth - 1]->site != c->site))
			fail_claim(k, stack[depth - 1], c);
		stack[depth++] = c;
	}
	free(stack);
	check_group_claims(k, list + i, n - i);
	return 0;
}

static int check_database(struct check *k)
{
	unsigned n = k->c->v.etr.database.count;
	struct claim *list = calloc(n + 1, sizeof(*list));
	int rc;

	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		const struct xtr_conf_mapping *m = &k->c->v.etr.database.items[i];

		list[i] = (struct claim){ m->eid, at_key(m->at, "eid"), NULL, false };
	}
	rc = check_claims(k, list, n);
	free(list);
	return rc;
}

/* ---- a member of a seed-group registers at itself too */

static bool has_key(const struct xtr_conf_site *s, const struct xtr_conf_key *k)
{
	unsigned n = s->key.file ? 1 : s->keys.count;

	for (unsigned i = 0; i < n; i++) {
		const struct xtr_conf_key *x = s->key.file ? &s->key : &s->keys.items[i];

		/* Without the secrets (not read, or refused) nothing is said. */
		if (!x->secret || !k->secret ||
		    (x->key_id == k->key_id && x->algorithm == k->algorithm &&
		     x->secret_len == k->secret_len && !memcmp(x->secret, k->secret, k->secret_len)))
			return true;
	}
	return !n;
}

static void check_own_registration(struct check *k, const struct claim *own, const struct claim *taken)
{
	char a[XTR_EID_STRLEN];
	const char *text = eid_text(&own->eid, a);
	const struct xtr_conf_group *core = &k->c->v.decent.core;

	if (!taken)
		xtr_yaml_fail_at(
			k->errors, own->at,
			"EID-prefix %s of instance %u is registered at the group, and so at our own Map-Server, which has no site "
			"for it; add it to map-server.sites in all members (RFC 9962 4.3)",
			text, own->eid.iid);
	else if (!has_key(taken->site, &k->c->v.decent.push.server.key))
		xtr_yaml_fail_at(
			k->errors, own->at,
			"EID-prefix %s of instance %u is registered with the key of decent.push, but site %s in line %u has another one; "
			"give the site that key in all members (RFC 9962 4.3)",
			text, own->eid.iid, taken->site->name, taken->at->line);
	else if (core->server.key.at && core->member && core->all_eids &&
		 !has_key(taken->site, &core->server.key))
		xtr_yaml_fail_at(
			k->errors, own->at,
			"EID-prefix %s of instance %u is registered with the key of decent.core too (register: all), and site %s in line %u "
			"does not have it; add it to `keys` of the site",
			text, own->eid.iid, taken->site->name, taken->at->line);
}

static int by_prefix_site_first(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	if (!x->site != !y->site && xtr_eid_equal(&x->eid, &y->eid))
		return x->site ? -1 : 1;
	return by_prefix(a, b);
}

/* D-26: all members have the same sites and keys. Sorted, the site of a prefix is on the stack. */
static int check_own_registrations(struct check *k, const struct claim *sites, unsigned n)
{
	unsigned own = k->c->v.etr.database.count, depth = 0;
	struct claim *list = calloc(n + own + 1, sizeof(*list));
	const struct claim **stack = calloc(n + 1, sizeof(*stack));

	for (unsigned i = 0; list && i < n; i++)
		list[i] = sites[i];
	for (unsigned i = 0; list && i < own; i++) {
		const struct xtr_conf_mapping *m = &k->c->v.etr.database.items[i];

		list[n + i] = (struct claim){ m->eid, at_key(m->at, "eid"), NULL, false };
	}
	if (list && n + own)
		qsort(list, n + own, sizeof(*list), by_prefix_site_first);
	/* Of groups neither order nor covering is that simple. */
	for (unsigned i = 0; list && stack && i < n + own && !list[i].eid.group_len; i++) {
		const struct claim *c = &list[i], *top;

		while (depth && !xtr_eid_covers(&stack[depth - 1]->eid, &c->eid))
			depth--;
		if (c->site) {
			stack[depth++] = c;
			continue;
		}
		top = depth ? stack[depth - 1] : NULL;
		if (top && !top->more && !xtr_eid_equal(&top->eid, &c->eid))
			top = NULL;
		check_own_registration(k, c, top);
	}
	free(stack);
	free(list);
	return list && stack ? 0 : -ENOMEM;
}

static int check_site_prefixes(struct check *k)
{
	unsigned n = 0, at = 0;
	struct claim *list;
	int rc;

	for (unsigned i = 0; i < k->c->v.ms.sites.count; i++)
		n += k->c->v.ms.sites.items[i].prefixes.count;
	list = calloc(n + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; i < k->c->v.ms.sites.count; i++) {
		const struct xtr_conf_site *s = &k->c->v.ms.sites.items[i];

		for (unsigned j = 0; j < s->prefixes.count; j++) {
			const struct xtr_conf_site_prefix *p = &s->prefixes.items[j];

			list[at++] = (struct claim){ p->eid, at_key(p->at, "eid"), s,
						     p->accept_more_specifics };
		}
	}
	rc = check_claims(k, list, n);
	if (!rc && k->c->v.decent.push.server.key.at)
		rc = check_own_registrations(k, list, n);
	free(list);
	return rc;
}

/* ---- sites and their keys */

static void check_site_keys(struct check *k, const struct xtr_conf_site *s)
{
	if (s->key.file && s->keys.count) {
		xtr_yaml_fail_at(
			k->errors, at_key(s->key.at, "keys"),
			"site %s has both `key-file` and `keys`; move the file into `keys`",
			s->name);
	} else if (!s->key.file && !xtr_yaml_get(s->key.at, "keys")) {
		xtr_yaml_fail_at(
			k->errors, s->key.at,
			"site %s has no key; add key-file: FILE with the secret of the site",
			s->name);
	} else if (!s->key.file && !given(s->key.at, "keys")) {
		xtr_yaml_fail_at(k->errors, at_key(s->key.at, "keys"),
				 "`keys` is empty; write at least one entry");
	}
	if (!s->key.file &&
	    (xtr_yaml_get(s->key.at, "key-id") || xtr_yaml_get(s->key.at, "algorithm")))
		xtr_yaml_fail_at(
			k->errors,
			at_key(s->key.at,
			       xtr_yaml_get(s->key.at, "key-id") ? "key-id" : "algorithm"),
			"site %s has no `key-file` that this could belong to; write it in the entry of `keys`",
			s->name);
	for (unsigned i = 0; i < s->keys.count; i++)
		for (unsigned j = 0; j < i; j++)
			if (s->keys.items[i].key_id == s->keys.items[j].key_id &&
			    s->keys.items[i].algorithm == s->keys.items[j].algorithm)
				xtr_yaml_fail_at(
					k->errors, at_key(s->keys.items[i].at, "key-id"),
					"site %s has key-id %u with this algorithm for the "
					"second time; give each key an ID of its own",
					s->name, s->keys.items[i].key_id);
}

struct secret {
	const struct xtr_conf_key *key;
	const struct xtr_conf_site *site;
};

static int by_secret(const void *a, const void *b)
{
	const struct secret *x = a, *y = b;
	int c;

	if (x->key->secret_len != y->key->secret_len)
		return x->key->secret_len < y->key->secret_len ? -1 : 1;
	c = memcmp(x->key->secret, y->key->secret, x->key->secret_len);
	return c ? c : by_place(x->key->at, y->key->at);
}

/* RFC 9301 5.6: a secret is unique per site, or the key of one opens the other. Said otherwise only
 * by explicit word on both. */
static int check_secrets(struct check *k)
{
	const struct xtr_conf_ms *ms = &k->c->v.ms;
	struct secret *list;
	unsigned n = 0, room = 0;

	for (unsigned i = 0; i < ms->sites.count; i++)
		room += 1 + ms->sites.items[i].keys.count;
	list = calloc(room + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; i < ms->sites.count; i++) {
		const struct xtr_conf_site *s = &ms->sites.items[i];

		if (s->key.secret)
			list[n++] = (struct secret){ &s->key, s };
		for (unsigned j = 0; j < s->keys.count; j++)
			if (s->keys.items[j].secret)
				list[n++] = (struct secret){ &s->keys.items[j], s };
	}
	if (n)
		qsort(list, n, sizeof(*list), by_secret);
	for (unsigned i = 1; i < n; i++) {
		const struct secret *a = &list[i - 1], *b = &list[i];

		if (a->site == b->site || a->key->secret_len != b->key->secret_len ||
		    memcmp(a->key->secret, b->key->secret, a->key->secret_len) ||
		    (a->site->shared_secret && b->site->shared_secret))
			continue;
		xtr_yaml_fail_at(
			k->errors, at_key(b->key->at, "key-file"),
			"sites %s and %s have the same secret (RFC 9301 5.6); make one for each site, "
			"or write shared-secret: true on both",
			a->site->name, b->site->name);
	}
	free(list);
	return 0;
}

static int by_site_name(const void *a, const void *b)
{
	const struct xtr_conf_site *x = *(const struct xtr_conf_site *const *)a;
	const struct xtr_conf_site *y = *(const struct xtr_conf_site *const *)b;
	int c = strcmp(x->name, y->name);

	return c ? c : by_place(x->key.at, y->key.at);
}

static int check_sites(struct check *k)
{
	const struct xtr_conf_ms *ms = &k->c->v.ms;
	const struct xtr_conf_site **list = calloc(ms->sites.count + 1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; i < ms->sites.count; i++) {
		list[i] = &ms->sites.items[i];
		check_site_keys(k, list[i]);
	}
	if (ms->sites.count)
		qsort(list, ms->sites.count, sizeof(*list), by_site_name);
	for (unsigned i = 1; i < ms->sites.count; i++)
		if (!strcmp(list[i]->name, list[i - 1]->name))
			xtr_yaml_fail_at(
				k->errors, at_key(list[i]->key.at, "name"),
				"site %s is here for the second time, the first is in line %u; "
				"rename or remove one",
				list[i]->name, list[i - 1]->key.at->line);
	free(list);
	return check_secrets(k);
}

/* ---- addresses, interfaces, devices */

bool xtr_conf_host_has_interface(const struct xtr_conf_host *h, const char *name)
{
	for (unsigned i = 0; i < h->interface_count; i++)
		if (!strcmp(h->interfaces[i], name))
			return true;
	return false;
}

static bool host_has(const struct xtr_conf_host *h, const struct xtr_ip *ip)
{
	for (unsigned i = 0; i < h->address_count; i++)
		if (!xtr_ip_cmp(&h->addresses[i], ip))
			return true;
	return false;
}

void xtr_conf_fail_twice(struct check *k, const struct xtr_yaml *at, const struct xtr_yaml *first,
		       const char *what, const char *which)
{
	xtr_yaml_fail_at(k->errors, at,
			 "%s %s is here for the second time, the first is in line %u; remove one",
			 what, which, first->line);
}

static void check_rloc_list(struct check *k, const struct xtr_conf_rloc *list, unsigned n, bool own)
{
	char a[XTR_IP_STRLEN];

	for (unsigned i = 0; i < n; i++) {
		const struct xtr_yaml *at = at_key(list[i].at, "address");

		xtr_ip_str(&list[i].address, a);
		for (unsigned j = 0; j < i; j++)
			if (!xtr_ip_cmp(&list[i].address, &list[j].address))
				xtr_conf_fail_twice(k, at, at_key(list[j].at, "address"), "RLOC", a);
		if (own && k->host && !host_has(k->host, &list[i].address))
			xtr_yaml_fail_at(
				k->errors, at,
				"no interface of this host has the RLOC %s; set it (ip address add %s/%u dev ...) or write the "
				"address that is there",
				a, a, xtr_ip_bits(&list[i].address));
		else if (own && k->c->data_plane && xtr_ip_is_loopback(&list[i].address))
			xtr_yaml_fail_at(
				k->errors, at,
				"RLOC %s is a loopback address, which nobody else can reach; write an address of the underlay",
				a);
	}
}

static void check_rlocs(struct check *k)
{
	const struct xtr_conf_values *v = &k->c->v;
	const char *need = NULL;

	if (v->itr.at || v->etr.at)
		need = v->itr.at ? "itr" : "etr";
	else if (k->c->data_plane)
		need = "interfaces";
	check_rloc_list(k, v->rlocs.items, v->rlocs.count, true);
	for (unsigned i = 0; i < v->etr.database.count; i++)
		check_rloc_list(k, v->etr.database.items[i].rlocs.items,
				v->etr.database.items[i].rlocs.count, false);
	if (need && !given(v->at, "rlocs"))
		xtr_yaml_fail_at(
			k->errors, at_key(v->at, need),
			"`%s` needs `rlocs`, and there is none; add rlocs: with the address of this host in the "
			"underlay",
			need);
}

bool xtr_conf_has_overlay(const struct xtr_conf_values *v, uint32_t instance)
{
	if (!v->overlay.count)
		return instance == 0; /* the default one */
	for (unsigned i = 0; i < v->overlay.count; i++)
		if (v->overlay.items[i].instance == instance)
			return true;
	return false;
}

/* What a program on an EID port leaves to the stack (too big for the path, segmented UDP) has to find its way to the
 * overlay device, or it would leave natively, without LISP. */
static bool instance_has_routes(const struct xtr_conf_values *v, uint32_t instance)
{
	for (unsigned i = 0; i < v->overlay.count; i++)
		if (v->overlay.items[i].instance == instance && v->overlay.items[i].routes.count)
			return true;
	return false;
}

static void check_interfaces(struct check *k)
{
	const struct xtr_conf_values *v = &k->c->v;
	unsigned underlay = 0, good = v->interfaces.count;

	for (unsigned i = 0; i < good; i++) {
		const struct xtr_conf_interface *p = &v->interfaces.items[i];
		const struct xtr_yaml *at = at_key(p->at, "name");

		underlay += p->role == XTR_ROLE_UNDERLAY;
		for (unsigned j = 0; j < i; j++)
			if (!strcmp(p->name, v->interfaces.items[j].name) && p->vlan == v->interfaces.items[j].vlan)
				xtr_conf_fail_twice(k, at, at_key(v->interfaces.items[j].at, "name"),
					   p->vlan ? "this vlan of interface" : "interface", p->name);
		if (p->vlan && p->role != XTR_ROLE_EID)
			xtr_yaml_fail_at(k->errors, at_key(p->at, "vlan"),
					 "`vlan` is for role eid; for an underlay in a VLAN make a VLAN device and name that");
		if (p->untagged && p->role != XTR_ROLE_EID)
			xtr_yaml_fail_at(k->errors, at_key(p->at, "untagged-only"),
					 "`untagged-only` is for role eid: frames with a tag are never an underlay's; remove it");
		for (unsigned j = 0; p->untagged && j < good; j++)
			if (!strcmp(p->name, v->interfaces.items[j].name) && v->interfaces.items[j].vlan)
				xtr_yaml_fail_at(k->errors, at_key(p->at, "untagged-only"),
						 "tagged frames do come in at %s, says `vlan: %u` of line %u; remove one of the two", p->name,
						 v->interfaces.items[j].vlan, v->interfaces.items[j].at->line);
		for (unsigned j = 0; j < v->overlay.count; j++)
			if (!strcmp(p->name, v->overlay.items[j].device))
				xtr_yaml_fail_at(
					k->errors, at,
					"%s is the overlay device of line %u, not a port; remove this entry",
					p->name, v->overlay.items[j].at->line);
		if (k->host && !xtr_conf_host_has_interface(k->host, p->name))
			xtr_yaml_fail_at(
				k->errors, at,
				"there is no interface %s on this host; write one of those that ip link shows",
				p->name);
		if (p->role == XTR_ROLE_UNDERLAY && xtr_yaml_get(p->at, "instance"))
			xtr_yaml_fail_at(
				k->errors, at_key(p->at, "instance"),
				"an underlay interface has no instance: LISP headers carry it; remove this key");
		else if (p->role == XTR_ROLE_EID && !xtr_conf_has_overlay(v, p->instance))
			xtr_yaml_fail_at(
				k->errors, at_key(p->at, "instance"),
				"instance %u has no overlay device to deliver on; add one to `overlay` with "
				"instance: %u",
				p->instance, p->instance);
		else if (p->role == XTR_ROLE_EID && !instance_has_routes(v, p->instance))
			xtr_yaml_fail_at(
				k->errors, at_key(p->at, "name"),
				"instance %u has no `routes` in `overlay`: what is too big for the path would leave "
				"without LISP; add the EID space there",
				p->instance);
	}
	if (k->c->data_plane && !underlay && good == xtr_yaml_get(v->at, "interfaces")->count)
		xtr_yaml_fail_at(k->errors, xtr_yaml_get(v->at, "interfaces"),
				 "no interface has role: underlay; name the one with the RLOC");
}

static void check_overlay_addresses(struct check *k, const struct xtr_conf_overlay *o)
{
	const struct xtr_conf_values *v = &k->c->v;
	struct xtr_ippfx eid;
	char a[XTR_IPPFX_STRLEN];

	for (unsigned i = 0; v->dp.check_source && i < o->addresses.count; i++) {
		bool ours = false;

		for (unsigned j = 0; j < v->etr.database.count && !ours; j++)
			ours = v->etr.database.items[j].instance == o->instance &&
			       xtr_eid_to_ippfx(&v->etr.database.items[j].eid, &eid) &&
			       xtr_ippfx_has(&eid, &o->addresses.items[i].ip);
		if (!ours)
			xtr_yaml_fail_at(
				k->errors, o->addresses.at[i],
				"%s is in no EID-prefix of etr.database (instance %u), so its packets would be "
				"dropped (encap-source); add the prefix there, or set data-plane.check-source: false",
				xtr_ip_str(&o->addresses.items[i].ip, a), o->instance);
	}
}

static void check_overlay(struct check *k)
{
	const struct xtr_conf_values *v = &k->c->v;
	char a[XTR_IPPFX_STRLEN];

	if (v->overlay.count && !xtr_yaml_get(v->at, "interfaces"))
		xtr_yaml_fail_at(
			k->errors, xtr_yaml_get(v->at, "overlay"),
			"`overlay` needs `interfaces`; add interfaces: with the underlay interface");
	for (unsigned i = 0; i < v->overlay.count; i++) {
		const struct xtr_conf_overlay *o = &v->overlay.items[i];

		for (unsigned j = 0; j < i; j++) {
			const struct xtr_conf_overlay *p = &v->overlay.items[j];

			if (!strcmp(o->device, p->device))
				xtr_conf_fail_twice(k, at_key(o->at, "device"), at_key(p->at, "device"),
					   "device", o->device);
			else if (o->instance == p->instance)
				xtr_yaml_fail_at(
					k->errors, at_key(o->at, "instance"),
					"instance %u already has the device %s of line %u; write another "
					"instance, or add the routes there",
					o->instance, p->device, p->at->line);
		}
		if (o->mtu && (o->mtu < 1280 || o->mtu > 65000))
			xtr_yaml_fail_at(k->errors, at_key(o->at, "mtu"),
					 "`mtu` is %u; write 0 or 1280 to 65000 (IPv6 needs 1280)",
					 o->mtu);
		if (o->routes.count && !xtr_yaml_get(v->at, "itr"))
			xtr_yaml_fail_at(
				k->errors, o->routes.at[0],
				"EID routes need an ITR to look the EIDs up; add itr: with map-resolvers");
		for (unsigned j = 0; j < o->routes.count; j++)
			for (unsigned l = 0; l < j; l++)
				if (!xtr_ip_cmp(&o->routes.items[j].ip, &o->routes.items[l].ip) &&
				    o->routes.items[j].len == o->routes.items[l].len)
					xtr_conf_fail_twice(k, o->routes.at[j], o->routes.at[l], "route",
						   xtr_ippfx_str(&o->routes.items[j], a));
		check_overlay_addresses(k, o);
	}
	for (unsigned i = 0; k->c->data_plane && i < v->etr.database.count; i++) {
		const struct xtr_conf_mapping *m = &v->etr.database.items[i];

		if (!xtr_conf_has_overlay(v, m->instance))
			xtr_yaml_fail_at(
				k->errors, at_key(m->at, "instance"),
				"instance %u has no overlay device to deliver on; add one to `overlay` with "
				"instance: %u",
				m->instance, m->instance);
	}
}

/* An address of the underlay inside the EID space: the router would look for its own mapping system
 * in LISP. A default route is the exception: it stands for all that is not underlay. */
void xtr_conf_check_not_eid(struct check *k, const struct xtr_yaml *at, const char *what,
			  const struct xtr_ip *ip)
{
	const struct xtr_conf_values *v = &k->c->v;
	char a[XTR_IP_STRLEN], b[XTR_IPPFX_STRLEN];

	for (unsigned i = 0; i < v->overlay.count; i++) {
		const struct xtr_conf_overlay *o = &v->overlay.items[i];

		for (unsigned j = 0; j < o->routes.count && !xtr_conf_overlay_apart(o); j++) {
			if (!o->routes.items[j].len || !xtr_ippfx_has(&o->routes.items[j], ip))
				continue;
			xtr_yaml_fail_at(
				k->errors, at,
				"%s %s is inside the EID space %s that line %u routes into %s; take narrower routes or an address "
				"outside them",
				what, xtr_ip_str(ip, a), xtr_ippfx_str(&o->routes.items[j], b),
				o->routes.at[j]->line, o->device);
			return;
		}
	}
}

void xtr_conf_check_peers(struct check *k, const struct xtr_ip *list, const struct xtr_yaml **at,
			unsigned n, const char *what)
{
	char a[XTR_IP_STRLEN];

	for (unsigned i = 0; i < n; i++) {
		for (unsigned j = 0; j < i; j++)
			if (!xtr_ip_cmp(&list[i], &list[j]))
				xtr_conf_fail_twice(k, at[i], at[j], what, xtr_ip_str(&list[i], a));
		xtr_conf_check_not_eid(k, at[i], what, &list[i]);
	}
}

static void check_addresses(struct check *k)
{
	const struct xtr_conf_values *v = &k->c->v;
	char a[XTR_IP_STRLEN];

	for (unsigned i = 0; i < v->rlocs.count; i++)
		xtr_conf_check_not_eid(k, at_key(v->rlocs.items[i].at, "address"), "RLOC",
			      &v->rlocs.items[i].address);
	xtr_conf_check_peers(k, v->itr.map_resolvers.items, v->itr.map_resolvers.at,
		    v->itr.map_resolvers.count, "map-resolver");
	xtr_conf_check_peers(k, v->mr.map_servers.items, v->mr.map_servers.at, v->mr.map_servers.count,
		    "map-server");
	for (unsigned i = 0; i < v->etr.map_servers.count; i++) {
		const struct xtr_conf_map_server *m = &v->etr.map_servers.items[i];

		for (unsigned j = 0; j < i; j++)
			if (!xtr_ip_cmp(&m->address, &v->etr.map_servers.items[j].address))
				xtr_conf_fail_twice(k, at_key(m->server.key.at, "address"),
					   at_key(v->etr.map_servers.items[j].server.key.at, "address"),
					   "map-server", xtr_ip_str(&m->address, a));
		xtr_conf_check_not_eid(k, at_key(m->server.key.at, "address"), "map-server", &m->address);
	}
}

/* ---- roles, timers, the rest */

static void check_roles(struct check *k)
{
	const struct xtr_conf_values *v = &k->c->v;
	bool decent = v->decent.pull.server.key.at || v->decent.push.server.key.at;

	if (!xtr_yaml_get(v->at, "itr") && !xtr_yaml_get(v->at, "etr") &&
	    !xtr_yaml_get(v->at, "map-server") && !xtr_yaml_get(v->at, "map-resolver"))
		xtr_yaml_fail_at(
			k->errors, v->at,
			"no role is switched on; add itr:, etr:, map-server: or map-resolver:");
	if (v->itr.at && !given(v->itr.at, "map-resolvers") && !decent)
		xtr_yaml_fail_at(k->errors, at_key(v->itr.at, "map-resolvers"),
				 "the ITR knows nobody to ask; add map-resolvers: to it, or decent: with pull: or push:");
	if (v->mr.at && !given(v->mr.at, "map-servers") && !given(v->at, "map-server") && !decent)
		xtr_yaml_fail_at(
			k->errors, v->mr.at,
			"the Map-Resolver knows nobody to ask; add map-servers: to it, or map-server: to this node");
}

static void check_order(struct check *k, const char *small, uint32_t lo, const char *large,
			uint32_t hi)
{
	const struct xtr_yaml *t = k->c->v.timers.at;

	if (t && lo > hi)
		xtr_yaml_fail_at(k->errors,
				 xtr_yaml_get(t, small) ? xtr_yaml_get(t, small) :
							  xtr_yaml_get(t, large),
				 "`%s` (%g s) is longer than `%s` (%g s); write a smaller one",
				 small, lo / 1000.0, large, hi / 1000.0);
}

static void check_timers(struct check *k)
{
	const struct xtr_node_timers *t = &k->c->v.timers.t;

	check_order(k, "notify-retry-first", t->notify_retry_first, "notify-retry-max",
		    t->notify_retry_max);
	check_order(k, "request-retry-first", t->request_retry_first, "request-retry-max",
		    t->request_retry_max);
	if (k->c->v.ms.at && k->c->v.etr.at)
		check_order(k, "register-interval", t->register_interval, "registration-timeout",
			    t->registration_timeout);
}

/* Tables 253 to 255 are the host's own; the one behind ours is ours too. */
static void check_route_table(struct check *k)
{
	const struct xtr_conf_dp *d = &k->c->v.dp;

	if (d->at && d->route_table >= 252 && d->route_table <= 255)
		xtr_yaml_fail_at(
			k->errors, xtr_yaml_get(d->at, "route-table"),
			"`route-table` is %u, but tables 253 to 255 are the host's and the one behind ours is used too; write another",
			d->route_table);
}

static void check_user(struct check *k)
{
	const char *user = k->c->v.user;

	if (k->host && user && !getpwnam(user))
		xtr_yaml_fail_at(
			k->errors, xtr_yaml_get(k->c->v.at, "user"),
			"there is no user %s on this host; make it (useradd --system %s) or remove "
			"the key",
			user, user);
}

int xtr_conf_check(struct xtr_conf *c, const struct xtr_conf_host *host,
		   struct xtr_yaml_errors *errors)
{
	struct check k = { c, host, errors };

	c->data_plane = given(c->v.at, "interfaces");
	for (unsigned i = 0; i < c->v.etr.database.count; i++)
		c->v.etr.database.items[i].eid.iid = c->v.etr.database.items[i].instance;
	for (unsigned i = 0; i < c->v.ms.sites.count; i++)
		for (unsigned j = 0; j < c->v.ms.sites.items[i].prefixes.count; j++)
			c->v.ms.sites.items[i].prefixes.items[j].eid.iid =
				c->v.ms.sites.items[i].prefixes.items[j].instance;
	check_roles(&k);
	check_rlocs(&k);
	check_interfaces(&k);
	check_overlay(&k);
	xtr_conf_check_tenants(&k);
	xtr_conf_check_groups(&k);
	check_addresses(&k);
	check_timers(&k);
	check_route_table(&k);
	check_user(&k);
	if (xtr_conf_check_decent(&k) || check_database(&k) || check_site_prefixes(&k) || check_sites(&k))
		return -ENOMEM;
	return errors->count || errors->dropped ? -EINVAL : 0;
}
