// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Groups of hosts with a list of routers (key `multicast`): each router is told who gets copies, as with the flood list of a VXLAN
 * device. The list holds RLOCs, so none may be inside the EID space, and a group may be described once for each source.
 */
#include "daemon/config_check.h"

static void check_again(struct check *k, unsigned i)
{
	const struct xtr_conf_mcgroup *g = &k->c->v.multicast.items[i];
	char a[XTR_IP_STRLEN];

	for (unsigned j = 0; j < i; j++) {
		const struct xtr_conf_mcgroup *h = &k->c->v.multicast.items[j];

		if (g->instance == h->instance && !xtr_ip_cmp(&g->group, &h->group) && !xtr_ip_cmp(&g->source, &h->source)) {
			xtr_conf_fail_twice(k, at_key(g->at, "group"), at_key(h->at, "group"),
					    g->source.family ? "the same source of group" : "group", xtr_ip_str(&g->group, a));
			return;
		}
	}
}

void xtr_conf_check_groups(struct check *k)
{
	const struct xtr_conf_values *v = &k->c->v;

	if (v->multicast.count && !xtr_yaml_get(v->at, "interfaces"))
		xtr_yaml_fail_at(k->errors, xtr_yaml_get(v->at, "multicast"),
				 "`multicast` needs `interfaces`; add interfaces: with the underlay interface");
	for (unsigned i = 0; i < v->multicast.count; i++) {
		const struct xtr_conf_mcgroup *g = &v->multicast.items[i];

		if (g->source.family && g->group.family && g->source.family != g->group.family)
			xtr_yaml_fail_at(k->errors, at_key(g->at, "source"),
					 "`source` and `group` are of different families; write a source in the family of the group");
		if (k->c->data_plane && !xtr_conf_has_overlay(v, g->instance))
			xtr_yaml_fail_at(k->errors, at_key(g->at, "instance"),
					 "instance %u has no overlay device to deliver on; add one to `overlay` with instance: %u",
					 g->instance, g->instance);
		xtr_conf_check_peers(k, g->copies_to.items, g->copies_to.at, g->copies_to.count, "copies-to");
		check_again(k, i);
	}
}
