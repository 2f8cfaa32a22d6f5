// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Decent-Push in layers (RFC 9962 4.4): group 0 is the core seed-group; every other group registers
 * its membership there, and its EIDs in itself. A router is configured with its own group, the
 * core's address and two members of the core, nothing else.
 */
#include "sim.h"


struct xtr_ip sim_group_ip(uint32_t group)
{
	return (struct xtr_ip){
		.family = 4, .a = { 224, 2, (uint8_t)(group >> 8), (uint8_t)group }
	};
}

static const struct xtr_site_prefix_config all_groups[] = {
	{ .eid = { .afi = XTR_AFI_IP4, .group_len = 16, .g = { 224, 2 } },
	  .accept_more_specifics = true },
};

static void group_conf(struct sim_node *f, struct xtr_group_config *g, uint32_t group)
{
	const struct sim *s = f->s;

	*g = (struct xtr_group_config){
		.group = sim_group_ip(group),
		.transport = s->underlay ? XTR_GROUP_UNDERLAY : XTR_GROUP_OVERLAY,
		.server = { .address = sim_group_ip(group),
			    .key = sim_key,
			    .proxy_reply = true,
			    .want_notify = true },
		.lookup_interval = 60 * SEC,
		.subscribe = s->cross, /* D-25; else the default: looked up every minute, D-24 */
	};
}

static void add_peer(struct sim_node *f, struct sim_conf *c, struct xtr_group_config *g,
		     uint32_t at)
{
	const struct sim_group *core = &f->s->groups[0];
	uint32_t id = core->ids[at % core->n];

	if (id != f->id)
		c->peers[g->peer_count++] = sim_rloc(&f->s->nodes[id]);
	g->peers = c->peers;
}

/* Members of the core know two that were there before them; the others know any two, not all the
 * same ones. */
static void peers_conf(struct sim_node *f, struct sim_conf *c, struct xtr_group_config *g)
{
	uint32_t at = f->id * 2654435761u;

	if (f->group) {
		add_peer(f, c, g, at >> 8);
		add_peer(f, c, g, (at >> 8) + 1);
		return;
	}
	/* The first ones know each other. */
	add_peer(f, c, g, f->id < 2 ? 1 - f->id : f->id / 2);
	add_peer(f, c, g, f->id < 2 ? 2 : f->id / 3);
}

void sim_push_conf(struct sim_node *f, struct sim_conf *c)
{
	struct xtr_group_config *own = &c->groups[0], *core = &c->groups[1];

	group_conf(f, own, f->group);
	own->member = own->own = true;
	own->via = f->group ? XTR_VIA_CORE : XTR_VIA_SELF;
	c->c.decent.groups = c->groups;
	c->c.decent.group_count = f->group ? 2 : 1;
	if (f->group) {
		group_conf(f, core, 0);
		core->core = true;
		core->all_eids = f->s->cross; /* D-35 */
		peers_conf(f, c, core);
	} else {
		peers_conf(f, c, own);
	}
	/* The core takes memberships from routers it does not know yet; the key decides. */
	c->accept[0] = (struct xtr_ippfx){ .ip = { .family = 4, .a = { 20 } }, .len = 8 };
	c->c.decent.accept_from = c->accept;
	c->c.decent.accept_from_count = 1;
	c->sites[c->c.site_count++] = (struct xtr_site_config){
		.name = "groups",
		.keys = &sim_key,
		.key_count = 1,
		.prefixes = all_groups,
		.prefix_count = 1,
		.max_registrations = 32768,
	};
	sim_eid_site(c);
}

struct held {
	struct sim_node *f;
	uint32_t right, wrong;
};

static int look(void *ctx, const struct xtr_site_info *i)
{
	struct held *h = ctx;
	struct sim *s = h->f->s;
	uint32_t id = (uint32_t)i->eid.a[1] << 8 | i->eid.a[2];
	struct xtr_ip rloc;

	if (!i->registered || i->eid.group_len)
		return 0;
	if (id >= s->count || !s->nodes[id].n ||
	    (s->nodes[id].group != h->f->group && !(s->cross && !h->f->group))) {
		h->wrong++;
		return 0;
	}
	rloc = sim_rloc(&s->nodes[id]);
	if (i->locator_count == 1 && !xtr_ip_cmp(&i->locators[0].ip, &rloc))
		h->right++;
	return 0;
}

bool sim_push_complete(struct sim *s, uint32_t group)
{
	const struct sim_group *g = &s->groups[group];
	uint32_t living = 0;

	for (uint32_t i = 0; i < g->n; i++)
		living += s->nodes[g->ids[i]].n != NULL;
	if (s->cross && !group)
		living = s->alive;
	for (uint32_t i = 0; i < g->n; i++) {
		struct held h = { .f = &s->nodes[g->ids[i]] };

		if (!h.f->n)
			continue;
		xtr_node_walk_sites(h.f->n, s->now, look, &h);
		if (h.right != living || h.wrong)
			return false;
	}
	return true;
}
