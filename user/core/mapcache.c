// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Map-cache storage. Owns the entries; an entry is one block of memory with its key and locators
 * behind it (about 110 octets for an IPv4 entry with two locators). Invariants: an entry is in the
 * database, in the list and, if it expires, in the timers, or it is freed.
 */
#include "core/mapcache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void xtr_mapcache_init(struct xtr_mapcache *c, struct xtr_timers *timers, uint8_t kind)
{
	memset(c, 0, sizeof(*c));
	xtr_eiddb_init(&c->db);
	c->timers = timers;
	c->kind = kind;
}

static void unlink_entry(struct xtr_mapcache *c, struct xtr_mapping *m)
{
	if (c->cursor == m)
		c->cursor = m->newer;
	if (m->newer)
		m->newer->older = m->older;
	else
		c->newest = m->older;
	if (m->older)
		m->older->newer = m->newer;
	else
		c->oldest = m->newer;
}

static void link_newest(struct xtr_mapcache *c, struct xtr_mapping *m)
{
	m->newer = NULL;
	m->older = c->newest;
	if (c->newest)
		c->newest->newer = m;
	else
		c->oldest = m;
	c->newest = m;
}

static void drop(struct xtr_mapcache *c, struct xtr_mapping *m)
{
	xtr_timer_cancel(c->timers, &m->timer);
	unlink_entry(c, m);
	free(m);
}

void xtr_mapcache_free(struct xtr_mapcache *c)
{
	while (c->newest)
		drop(c, c->newest);
	xtr_eiddb_free(&c->db, NULL);
}

int xtr_mapcache_put(struct xtr_mapcache *c, const struct xtr_mapping_new *n,
		     struct xtr_mapping **out)
{
	size_t key_octets, from_octets = xtr_ip_bits(&n->from) / 8;
	uint8_t key[XTR_EID_PACKED_MAX], *data;
	int bits = xtr_eid_pack(n->eid, key), r;
	struct xtr_mapping *m;
	void *old;

	if (bits < 0)
		return bits;
	key_octets = xtr_eid_packed_octets((unsigned)bits);
	m = calloc(1, offsetof(struct xtr_mapping, data) + from_octets + key_octets +
			      n->locators->len);
	if (!m)
		return -ENOMEM;
	m->timer.kind = c->kind;
	m->created = n->now;
	m->expires = n->expires;
	m->from = n->from.family;
	m->source = n->source;
	m->act = n->act;
	m->positive = n->positive;
	m->authoritative = n->authoritative;
	m->map_version = n->map_version;
	m->bits = (uint16_t)bits;
	m->locs_len = n->locators->len;
	m->locs_count = n->locators->count;
	data = m->data;
	memcpy(data, n->from.a, from_octets);
	memcpy(data + from_octets, key, key_octets);
	if (m->locs_len)
		memcpy(data + from_octets + key_octets, n->locators->octets, m->locs_len);
	r = n->timer == XTR_NEVER ? 0 : xtr_timer_set(c->timers, &m->timer, n->timer);
	if (!r)
		r = xtr_eiddb_set(&c->db, n->eid, m, &old, &m->tab);
	if (r) {
		xtr_timer_cancel(c->timers, &m->timer);
		free(m);
		return r;
	}
	link_newest(c, m);
	if (old) {
		const struct xtr_mapping *was = old;

		m->given = was->given;
		m->fwd_print = was->fwd_print;
		drop(c, old);
	}
	*out = m;
	return 0;
}

struct xtr_mapping *xtr_mapcache_get(const struct xtr_mapcache *c, const struct xtr_eid_prefix *eid)
{
	return xtr_eiddb_get(&c->db, eid);
}

struct xtr_mapping *xtr_mapcache_match(const struct xtr_mapcache *c,
				       const struct xtr_eid_prefix *eid)
{
	return xtr_eiddb_match(&c->db, eid, NULL);
}

void xtr_mapcache_del(struct xtr_mapcache *c, struct xtr_mapping *m)
{
	struct xtr_eid_prefix eid;

	xtr_mapping_eid(m, &eid);
	xtr_eiddb_del(&c->db, &eid);
	drop(c, m);
}

struct xtr_mapping *xtr_mapcache_next(struct xtr_mapcache *c)
{
	struct xtr_mapping *m = c->cursor;

	if (m)
		c->cursor = m->newer;
	return m;
}

void xtr_mapcache_touch(struct xtr_mapcache *c, struct xtr_mapping *m)
{
	if (c->newest == m)
		return;
	unlink_entry(c, m);
	link_newest(c, m);
}

static size_t from_octets_of(const struct xtr_mapping *m)
{
	return m->from == 4 ? 4 : m->from == 6 ? 16 : 0;
}

void xtr_mapping_from(const struct xtr_mapping *m, struct xtr_ip *out)
{
	memset(out, 0, sizeof(*out));
	out->family = m->from;
	memcpy(out->a, m->data, from_octets_of(m));
}

void xtr_mapping_eid(const struct xtr_mapping *m, struct xtr_eid_prefix *out)
{
	xtr_eid_unpack(m->tab, m->data + from_octets_of(m), m->bits, out);
}

struct xtr_locset xtr_mapping_locators(const struct xtr_mapping *m)
{
	return (struct xtr_locset){
		.octets = m->data + from_octets_of(m) + xtr_eid_packed_octets(m->bits),
		.len = m->locs_len,
		.count = m->locs_count,
	};
}
