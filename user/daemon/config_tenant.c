// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tenants: instances whose EIDs overlap live on one host by overlay devices in network namespaces or VRFs of their own. The same
 * EID-prefix in two instances is legal everywhere; what is refused here are configurations in which packets of one instance
 * would be routed into the device of another, or could not get back.
 */
#include "daemon/config_check.h"

#include <string.h>

#include "dp/dp.h"

bool xtr_conf_overlay_apart(const struct xtr_conf_overlay *o) { return o->netns || o->vrf; }

static bool same_text(const char *a, const char *b) { return a && b ? !strcmp(a, b) : a == b; }

static bool overlap(const struct xtr_ippfx *a, const struct xtr_ippfx *b)
{
	/* a default route is meant for what nobody else has */
	return a->len && b->len && a->ip.family == b->ip.family &&
	       xtr_ippfx_has(a->len < b->len ? a : b, a->len < b->len ? &b->ip : &a->ip);
}

static void check_routes(struct check *k, const struct xtr_conf_overlay *o, const struct xtr_conf_overlay *p)
{
	char a[XTR_IPPFX_STRLEN], b[XTR_IPPFX_STRLEN];

	for (unsigned i = 0; i < o->routes.count; i++)
		for (unsigned j = 0; j < p->routes.count; j++) {
			if (!overlap(&o->routes.items[i], &p->routes.items[j]))
				continue;
			xtr_yaml_fail_at(k->errors, o->routes.at[i],
					 "%s of %s (instance %u) overlaps %s of %s (instance %u) in line %u, and the host routes both by "
					 "the same tables: packets of one would go into the other; place one of the devices with "
					 "`namespace` or `vrf`, or take routes that do not overlap",
					 xtr_ippfx_str(&o->routes.items[i], a), o->device, o->instance,
					 xtr_ippfx_str(&p->routes.items[j], b), p->device, p->instance,
					 p->routes.at[j]->line);
			return; /* one is enough for a pair of devices */
		}
}

static void check_place(struct check *k, const struct xtr_conf_overlay *o)
{
	const struct xtr_yaml *at = at_key(o->at, "namespace");

	if (!o->netns)
		return;
	if (strlen(o->netns) >= XTR_DP_NETNS_MAX)
		xtr_yaml_fail_at(k->errors, at, "`namespace` is longer than %u characters; take a shorter name or path",
				 XTR_DP_NETNS_MAX - 1);
	else if (strchr(o->netns, '/') ? *o->netns != '/' : *o->netns == '.')
		xtr_yaml_fail_at(k->errors, at,
				 "`namespace` is `%s`; write a name that ip netns list shows, or a path that starts with /", o->netns);
}

/* What the programs leave to the stack at a port is routed by the host, not in the namespace, and what comes for the port is
 * delivered in the namespace, not here. */
static void check_ports(struct check *k)
{
	const struct xtr_conf_values *v = &k->c->v;

	for (unsigned i = 0; i < v->interfaces.count; i++) {
		const struct xtr_conf_interface *p = &v->interfaces.items[i];

		for (unsigned j = 0; j < v->overlay.count && p->role == XTR_ROLE_EID; j++) {
			const struct xtr_conf_overlay *o = &v->overlay.items[j];

			if (o->instance == p->instance && o->netns)
				xtr_yaml_fail_at(k->errors, at_key(p->at, "instance"),
						 "%s has instance %u, whose overlay device %s (line %u) is in a network namespace, where the "
						 "interface is not; use `vrf` there, or give the interface another instance",
						 p->name, p->instance, o->device, o->at->line);
		}
	}
}

void xtr_conf_check_tenants(struct check *k)
{
	const struct xtr_conf_values *v = &k->c->v;

	for (unsigned i = 0; i < v->overlay.count; i++) {
		const struct xtr_conf_overlay *o = &v->overlay.items[i];

		check_place(k, o);
		for (unsigned j = 0; j < i; j++) {
			const struct xtr_conf_overlay *p = &v->overlay.items[j];

			if (o->instance != p->instance && same_text(o->netns, p->netns) && same_text(o->vrf, p->vrf))
				check_routes(k, o, p);
		}
	}
	check_ports(k);
}

static const struct xtr_conf_overlay *first_elsewhere(const struct xtr_conf *c)
{
	for (unsigned i = 0; i < c->v.overlay.count; i++)
		if (c->v.overlay.items[i].netns)
			return &c->v.overlay.items[i];
	return NULL;
}

bool xtr_conf_has_namespaces(const struct xtr_conf *c) { return first_elsewhere(c) != NULL; }

void xtr_conf_check_tenants_reload(const struct xtr_conf *old, const struct xtr_conf *new, struct xtr_yaml_errors *errors)
{
	const struct xtr_conf_overlay *o = first_elsewhere(new);

	if (o && !first_elsewhere(old))
		xtr_yaml_fail_at(errors, at_key(o->at, "namespace"),
				 "the first `namespace` needs a restart of xtrd (traffic goes on meanwhile): it has given up the privilege "
				 "to enter namespaces (CAP_SYS_ADMIN)");
}
