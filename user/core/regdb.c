// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Registration database. Owns sites, configured prefixes, registrants and registrations. A
 * registration is one block with its key and locators behind it (about 110 octets for an IPv4
 * prefix with two locators).
 *
 * Invariants: a registration is in the database under its EID-prefix, has an armed timer not later
 * than its expiry, and points at a registrant, whose site allows the EID-prefix. A refresh only
 * moves `expires`; the timer follows when it is due. A registrant outlives its registrations,
 * because its nonce guards against replay: it is idle then, and in the list of its site's idle ones.
 * There is no room for the nonces of all xTR-IDs that a site can think of: a full table forgets the
 * oldest idle one of the site that has most of them, so that no site locks others out.
 */
#define HASH_NONFATAL_OOM 1
#include "core/regdb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_AT 8    /* sites, to find the one with most idle registrants */

void xtr_regdb_init(struct xtr_regdb *db, struct xtr_timers *timers, uint8_t kind)
{
	memset(db, 0, sizeof(*db));
	xtr_eiddb_init(&db->configured);
	xtr_eiddb_init(&db->registered);
	db->timers = timers;
	db->kind = kind;
}

static void registrant_unlink(struct xtr_regdb *db, struct xtr_registrant *who)
{
	if (who->newer)
		who->newer->older = who->older;
	else
		db->newest = who->older;
	if (who->older)
		who->older->newer = who->newer;
	else
		db->oldest = who->newer;
}

static void registrant_link(struct xtr_regdb *db, struct xtr_registrant *who)
{
	who->newer = NULL;
	who->older = db->newest;
	if (db->newest)
		db->newest->newer = who;
	else
		db->oldest = who;
	db->newest = who;
}

static struct xtr_idle **rank(struct xtr_regdb *db, uint32_t count)
{
	return &db->idle[32 - __builtin_clz(count)];
}

static void rank_in(struct xtr_regdb *db, struct xtr_idle *i)
{
	struct xtr_idle **head;

	if (!i->count)
		return;
	head = rank(db, i->count);
	i->prev = NULL;
	i->next = *head;
	if (i->next)
		i->next->prev = i;
	*head = i;
}

static void rank_out(struct xtr_regdb *db, struct xtr_idle *i)
{
	if (!i->count)
		return;
	if (i->prev)
		i->prev->next = i->next;
	else
		*rank(db, i->count) = i->next;
	if (i->next)
		i->next->prev = i->prev;
}

static struct xtr_idle *idle_of(struct xtr_regdb *db, const struct xtr_registrant *who)
{
	return who->site ? &who->site->idle : &db->nobody;
}

static void idle_in(struct xtr_regdb *db, struct xtr_registrant *who)
{
	struct xtr_idle *i = idle_of(db, who);

	rank_out(db, i);
	who->idle_newer = NULL;
	who->idle_older = i->newest;
	if (i->newest)
		i->newest->idle_newer = who;
	else
		i->oldest = who;
	i->newest = who;
	i->count++;
	rank_in(db, i);
}

static void idle_out(struct xtr_regdb *db, struct xtr_registrant *who)
{
	struct xtr_idle *i = idle_of(db, who);

	rank_out(db, i);
	if (who->idle_newer)
		who->idle_newer->idle_older = who->idle_older;
	else
		i->newest = who->idle_older;
	if (who->idle_older)
		who->idle_older->idle_newer = who->idle_newer;
	else
		i->oldest = who->idle_newer;
	i->count--;
	rank_in(db, i);
}

/* The site with most idle registrants. If it has an eighth of the table, exactly that one: not more
 * than LOOK_AT can have as many. Else one that has more than half of the most. */
static struct xtr_idle *idlest(const struct xtr_regdb *db)
{
	struct xtr_idle *most = NULL;
	unsigned n = 32, left = LOOK_AT;

	while (n && !db->idle[n])
		n--;
	for (struct xtr_idle *i = db->idle[n]; i && left; i = i->next, left--)
		if (!most || i->count > most->count)
			most = i;
	return most;
}

/* Those with the same ID are a list, of which the first is in the table. Without memory for the
 * table one is not found by its ID, no more. */
static void id_link(struct xtr_regdb *db, struct xtr_registrant *who)
{
	struct xtr_registrant *first;

	if (!who->key.by_id)
		return;
	first = xtr_registrant_by_id(db, who->key.id);
	if (first) {
		who->same_id = first->same_id;
		first->same_id = who;
		return;
	}
	HASH_ADD(hh_id, db->ids, key.id, sizeof(who->key.id), who);
}

static void id_unlink(struct xtr_regdb *db, struct xtr_registrant *who)
{
	struct xtr_registrant *first = who->key.by_id ? xtr_registrant_by_id(db, who->key.id) : NULL,
			      *next = who->same_id;

	if (first == who) {
		HASH_DELETE(hh_id, db->ids, who);
		if (next)
			HASH_ADD(hh_id, db->ids, key.id, sizeof(next->key.id), next);
		return;
	}
	while (first && first->same_id != who)
		first = first->same_id;
	if (first)
		first->same_id = next;
}

static void registrant_free(struct xtr_regdb *db, struct xtr_registrant *who)
{
	if (!who->registrations)
		idle_out(db, who);
	id_unlink(db, who);
	registrant_unlink(db, who);
	HASH_DEL(db->registrants, who);
	db->registrant_count--;
	free(who);
}

static void site_free(struct xtr_site *site)
{
	if (site)
		free(site->name);
	free(site);
}

static void sites_free(struct xtr_site **sites, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		site_free(sites[i]);
	free(sites);
}

static void chain_free(void *value)
{
	struct xtr_registration *r = value, *next;

	for (; r; r = next) {
		next = r->next;
		free(r);
	}
}

static int chain_disarm(void *ctx, const struct xtr_eid_prefix *eid, void *value)
{
	for (struct xtr_registration *r = value; r; r = r->next)
		xtr_timer_cancel(ctx, &r->timer);
	return 0;
}

void xtr_regdb_free(struct xtr_regdb *db)
{
	xtr_eiddb_walk(&db->registered, NULL, chain_disarm, db->timers);
	xtr_eiddb_free(&db->registered, chain_free);
	xtr_eiddb_free(&db->configured, free);
	while (db->oldest)
		registrant_free(db, db->oldest);
	sites_free(db->sites, db->site_count);
	memset(db, 0, sizeof(*db));
}

/* ---- sites */

static uint64_t uid_of(const char *name)
{
	static const uint8_t key[16] =
		"site name in xtr"; /* the same in every process: it goes to disk */

	return xtr_hash_with(key, name, strlen(name));
}

static struct xtr_site *old_site(const struct xtr_regdb *db, const char *name)
{
	for (unsigned i = 0; i < db->site_count; i++)
		if (!strcmp(db->sites[i]->name, name))
			return db->sites[i];
	return NULL;
}

static struct xtr_site *site_new(const struct xtr_regdb *db, const struct xtr_site_config *cfg)
{
	const struct xtr_site *was = old_site(db, cfg->name);
	struct xtr_site *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	if (was)
		*s = *was;
	else
		s->refused_at = XTR_NEVER;
	s->registrations = 0;
	memset(&s->idle, 0, sizeof(s->idle));
	s->cfg = cfg;
	s->uid = uid_of(cfg->name);
	s->name = strdup(cfg->name);
	if (!s->name) {
		free(s);
		return NULL;
	}
	return s;
}

static int prefixes_add(struct xtr_eiddb *to, struct xtr_site *site, const struct xtr_eiddb *before)
{
	for (unsigned i = 0; i < site->cfg->prefix_count; i++) {
		const struct xtr_site_prefix_config *c = &site->cfg->prefixes[i];
		const struct xtr_site_prefix *was = xtr_eiddb_get(before, &c->eid);
		struct xtr_site_prefix *p = calloc(1, sizeof(*p));
		void *old;

		if (!p)
			return -ENOMEM;
		p->site = site;
		p->eid = c->eid;
		p->more = c->accept_more_specifics;
		p->lost_at = was ? was->lost_at : XTR_NEVER;
		p->withdrawn = was && was->withdrawn;
		if (xtr_eiddb_set(to, &p->eid, p, &old, NULL)) {
			free(p);
			return -ENOMEM;
		}
		free(old);
	}
	return 0;
}

struct moving {
	struct xtr_regdb *db;
	void (*gone)(void *ctx, const struct xtr_eid_prefix *eid);
	void *ctx;
	struct xtr_registration *list[256];
	unsigned n;
};

/* Collects registrations that the new sites do not allow. */
static int move_chain(void *ctx, const struct xtr_eid_prefix *eid, void *value)
{
	struct moving *m = ctx;
	struct xtr_site_prefix *p = xtr_regdb_site(m->db, eid);

	for (struct xtr_registration *r = value; r && m->n < 256; r = r->next)
		if (!p || p->site != r->who->site || !xtr_site_prefix_allows(p, eid))
			m->list[m->n++] = r;
	return m->n == 256;
}

static int count_chain(void *ctx, const struct xtr_eid_prefix *eid, void *value)
{
	for (const struct xtr_registration *r = value; r; r = r->next)
		if (r->who->site)
			r->who->site->registrations++;
	return 0;
}

static struct xtr_site *site_by_uid(const struct xtr_regdb *db, uint64_t uid)
{
	for (unsigned i = 0; i < db->site_count; i++)
		if (db->sites[i]->uid == uid)
			return db->sites[i];
	return NULL;
}

static void move_registrations(struct moving *m)
{
	memset(m->db->idle, 0, sizeof(m->db->idle));
	memset(&m->db->nobody, 0, sizeof(m->db->nobody));
	for (struct xtr_registrant *who = m->db->oldest; who; who = who->newer) {
		who->site = site_by_uid(m->db, who->key.site);
		if (!who->registrations)
			idle_in(m->db, who);
	}
	xtr_eiddb_walk(&m->db->registered, NULL, count_chain, NULL);
	do {
		m->n = 0;
		xtr_eiddb_walk(&m->db->registered, NULL, move_chain, m);
		for (unsigned i = 0; i < m->n; i++) {
			struct xtr_eid_prefix eid;

			xtr_registration_eid(m->list[i], &eid);
			xtr_regdb_del(m->db, m->list[i], 0);
			m->gone(m->ctx, &eid);
		}
	} while (m->n);
}

int xtr_regdb_configure(struct xtr_regdb *db, const struct xtr_site_config *sites, unsigned n,
			void (*gone)(void *ctx, const struct xtr_eid_prefix *eid), void *ctx)
{
	struct xtr_site **list = calloc(n + 1, sizeof(*list)), **old_sites = db->sites;
	unsigned made = 0, old_count = db->site_count;
	struct xtr_eiddb prefixes, old_prefixes = db->configured;
	struct moving m = { .db = db, .gone = gone, .ctx = ctx };
	int r = list ? 0 : -ENOMEM;

	xtr_eiddb_init(&prefixes);
	for (; !r && made < n; made++) {
		list[made] = site_new(db, &sites[made]);
		r = list[made] ? prefixes_add(&prefixes, list[made], &db->configured) : -ENOMEM;
	}
	if (r) {
		xtr_eiddb_free(&prefixes, free);
		if (list)
			sites_free(list, made);
		return r;
	}
	db->configured = prefixes;
	db->sites = list;
	db->site_count = n;
	move_registrations(&m);
	xtr_eiddb_free(&old_prefixes, free);
	sites_free(old_sites, old_count);
	return 0;
}

struct xtr_site_prefix *xtr_regdb_site(const struct xtr_regdb *db, const struct xtr_eid_prefix *eid)
{
	return xtr_eiddb_match(&db->configured, eid, NULL);
}

bool xtr_site_prefix_allows(const struct xtr_site_prefix *p, const struct xtr_eid_prefix *eid)
{
	return p->more ? xtr_eid_covers(&p->eid, eid) : xtr_eid_equal(&p->eid, eid);
}

/* ---- registrants */

struct xtr_registrant *xtr_registrant_find(const struct xtr_regdb *db,
					   const struct xtr_registrant_key *key)
{
	struct xtr_registrant *who;

	HASH_FIND(hh, db->registrants, key, sizeof(*key), who);
	return who;
}

struct xtr_registrant *xtr_registrant_by_id(const struct xtr_regdb *db, const uint8_t id[24])
{
	struct xtr_registrant *first;

	HASH_FIND(hh_id, db->ids, id, 24, first);
	return first;
}

static bool registrant_room(struct xtr_regdb *db)
{
	struct xtr_idle *i;

	if (db->registrant_count < db->registrant_limit)
		return true;
	i = idlest(db);
	if (!i)
		return false;
	registrant_free(db, i->oldest);
	return true;
}

struct xtr_registrant *xtr_registrant_make(struct xtr_regdb *db,
					   const struct xtr_registrant_key *key, uint64_t now)
{
	struct xtr_registrant *who = xtr_registrant_find(db, key);

	if (who || !registrant_room(db))
		return who;
	who = calloc(1, sizeof(*who));
	if (!who)
		return NULL;
	memcpy(&who->key, key, sizeof(*key));
	who->site = site_by_uid(db, key->site);
	who->seen = now;
	HASH_ADD(hh, db->registrants, key, sizeof(who->key), who);
	if (!who->hh.tbl) {
		free(who);
		return NULL;
	}
	registrant_link(db, who);
	id_link(db, who);
	idle_in(db, who);
	db->registrant_count++;
	return who;
}

void xtr_registrant_seen(struct xtr_regdb *db, struct xtr_registrant *who, uint64_t nonce,
			 uint64_t now)
{
	who->nonce = nonce;
	who->seen = now;
	registrant_unlink(db, who);
	registrant_link(db, who);
	if (!who->registrations) {
		idle_out(db, who);
		idle_in(db, who);
	}
}

/* ---- registrations */

struct xtr_registration *xtr_regdb_match(const struct xtr_regdb *db,
					 const struct xtr_eid_prefix *eid)
{
	return xtr_eiddb_match(&db->registered, eid, NULL);
}

struct xtr_registration *xtr_regdb_get(const struct xtr_regdb *db, const struct xtr_eid_prefix *eid)
{
	return xtr_eiddb_get(&db->registered, eid);
}

void xtr_registration_eid(const struct xtr_registration *r, struct xtr_eid_prefix *out)
{
	xtr_eid_unpack(r->tab, r->data, r->bits, out);
}

struct xtr_locset xtr_registration_locators(const struct xtr_registration *r)
{
	return (struct xtr_locset){
		.octets = r->data + xtr_eid_packed_octets(r->bits),
		.len = r->locs_len,
		.count = r->locs_count,
	};
}

static int by_age(const void *a, const void *b)
{
	const struct xtr_registration *x = *(const struct xtr_registration *const *)a;
	const struct xtr_registration *y = *(const struct xtr_registration *const *)b;

	if (x->last != y->last)
		return x->last < y->last ? -1 : 1;
	return memcmp(&x->who->key, &y->who->key, sizeof(x->who->key));
}

static void add_chain(struct xtr_group_union *u, const struct xtr_registration *r)
{
	uint64_t newest = 0;

	for (; r; r = r->next) {
		const struct xtr_locset set = xtr_registration_locators(r);

		xtr_group_union_add(u, &set, r->last >= newest);
		newest = r->last > newest ? r->last : newest;
	}
}

void xtr_registration_union_group(const struct xtr_registration *head,
				  const struct xtr_registration *more, uint8_t *buf, size_t size,
				  struct xtr_locset *out)
{
	struct xtr_group_union u;

	xtr_group_union_begin(&u);
	add_chain(&u, more);
	add_chain(&u, head);
	xtr_group_union_end(&u, buf, size, out);
}

void xtr_registration_union(const struct xtr_registration *head, uint8_t *buf, size_t size,
			    struct xtr_locset *out)
{
	const struct xtr_registration *list[XTR_LOCSET_UNION]; /* the Map-Server takes no more */
	struct xtr_locset sets[XTR_LOCSET_UNION];
	struct xtr_eid_prefix eid;
	unsigned n = 0;

	xtr_registration_eid(head, &eid);
	if (eid.group_len) {
		xtr_registration_union_group(head, NULL, buf, size, out);
		return;
	}
	if (!head->next) {
		*out = xtr_registration_locators(head);
		return;
	}
	for (; head && n < XTR_LOCSET_UNION; head = head->next)
		list[n++] = head;
	qsort(list, n, sizeof(list[0]), by_age);
	for (unsigned i = 0; i < n; i++)
		sets[i] = xtr_registration_locators(list[i]);
	xtr_locset_union(sets, n, buf, size, out);
}

/* Takes r out of the list of its EID-prefix; true if the list is empty now. */
static bool chain_remove(struct xtr_regdb *db, struct xtr_registration *r,
			 const struct xtr_eid_prefix *eid)
{
	struct xtr_registration *head = xtr_eiddb_get(&db->registered, eid);

	if (head != r) {
		while (head->next != r)
			head = head->next;
		head->next = r->next;
		return false;
	}
	if (r->next) {
		xtr_eiddb_set(&db->registered, eid, r->next, NULL,
			      NULL); /* replaces: needs no memory */
		return false;
	}
	xtr_eiddb_del(&db->registered, eid);
	return true;
}

bool xtr_regdb_del(struct xtr_regdb *db, struct xtr_registration *r, uint64_t now)
{
	struct xtr_site_prefix *p;
	struct xtr_eid_prefix eid;
	bool last;

	xtr_registration_eid(r, &eid);
	last = chain_remove(db, r, &eid);
	p = last ? xtr_eiddb_get(&db->configured, &eid) : NULL;
	if (p && p->site == r->who->site) { /* else it ended because it is another site's now */
		p->lost_at = now;
		p->withdrawn = now < r->expires;
	}
	xtr_timer_cancel(db->timers, &r->timer);
	if (!--r->who->registrations)
		idle_in(db, r->who);
	if (r->who->site)
		r->who->site->registrations--;
	db->count--;
	free(r);
	return last;
}

static struct xtr_registration *registration_new(const struct xtr_regdb *db,
						 const struct xtr_registration_new *n)
{
	uint8_t key[XTR_EID_PACKED_MAX];
	int bits = xtr_eid_pack(n->eid, key);
	size_t key_octets = xtr_eid_packed_octets((unsigned)bits);
	struct xtr_registration *r = calloc(1, offsetof(struct xtr_registration, data) +
						       key_octets + n->locators->len);

	if (!r)
		return NULL;
	r->timer.kind = db->kind;
	r->who = n->who;
	r->bits = (uint16_t)bits;
	r->locs_len = n->locators->len;
	r->locs_count = n->locators->count;
	memcpy(r->data, key, key_octets);
	if (r->locs_len)
		memcpy(r->data + key_octets, n->locators->octets, r->locs_len);
	return r;
}

static void refresh(struct xtr_regdb *db, struct xtr_registration *r,
		    const struct xtr_registration_new *n)
{
	r->last = n->now;
	r->expires = n->expires;
	r->ttl_min = n->ttl_min;
	r->map_version = n->map_version;
	r->flags = n->flags;
	r->registers++;
	if (!xtr_timer_armed(&r->timer) || r->timer.at > n->expires)
		xtr_timer_set(db->timers, &r->timer, n->expires);
}

/* Without merge and without xTR-IDs nobody can tell two routers of a site from one that moved: the
 * last one replaces the set. */
static void replace_others(struct xtr_regdb *db, struct xtr_registration *keep,
			   const struct xtr_eid_prefix *eid, uint64_t now)
{
	struct xtr_registration *r, *next;

	if (eid->group_len) /* each is another receiver (RFC 8378 5.1.3) */
		return;
	for (r = xtr_eiddb_get(&db->registered, eid); r; r = r->next)
		if (r->flags & XTR_REGN_MERGE || r->who->key.by_id)
			return;
	for (r = xtr_eiddb_get(&db->registered, eid); r; r = next) {
		next = r->next;
		if (r != keep)
			xtr_regdb_del(db, r, now);
	}
}

int xtr_regdb_put(struct xtr_regdb *db, const struct xtr_registration_new *n)
{
	struct xtr_registration *head = xtr_eiddb_get(&db->registered, n->eid), *r, *old;
	struct xtr_locset set;
	int res;

	for (old = head; old && old->who != n->who; old = old->next)
		;
	if (old) {
		set = xtr_registration_locators(old);
		if (xtr_locset_equal(&set, n->locators)) {
			refresh(db, old, n);
			return XTR_PUT_SAME;
		}
	}
	r = registration_new(db, n);
	if (!r)
		return -ENOMEM;
	res = xtr_timer_set(db->timers, &r->timer, n->expires);
	r->next = head;
	if (!res)
		res = xtr_eiddb_set(&db->registered, n->eid, r, NULL, &r->tab);
	if (res) {
		xtr_timer_cancel(db->timers, &r->timer);
		free(r);
		return res;
	}
	if (!n->who->registrations++)
		idle_out(db, n->who);
	if (n->who->site)
		n->who->site->registrations++;
	db->count++;
	refresh(db, r, n);
	if (old) {
		r->registers += old->registers;
		xtr_regdb_del(db, old, n->now);
	}
	if (r->next)
		replace_others(db, r, n->eid, n->now);
	return head ? XTR_PUT_CHANGED : XTR_PUT_NEW;
}
