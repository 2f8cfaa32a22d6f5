// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ETR: what is to be registered where. Each mapping has its targets: the configured Map-Servers,
 * and those that LISP-Decent names for its EID-prefix (RFC 9962 4, 5). From that follows the set of
 * Map-Servers, each with the EID-prefixes it is to have; the servers there are, are brought to it.
 *
 * What a Map-Server has already and is still to have keeps its state. A new Map-Server gets
 * everything at once and quickly; one that lost its last EID-prefix is told so (TTL 0) and
 * forgotten. A Map-Server is one address with one key: the same address with two keys is two.
 */
#define HASH_NONFATAL_OOM 1
#include "util/hash.h"
#include "roles/etr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WITHDRAW_TRIES 5
#define GATHER 50 /* ms */
#define TARGETS_MAX 4096 /* of one mapping: all addresses of all indexes */

struct want { /* a Map-Server, and what it is to have */
	struct xtr_map_server_config cfg;
	struct xtr_etr_item *items;
	unsigned n, size;
	const struct xtr_etr_item **sorted; /* by EID-prefix */
	struct xtr_etr_server *srv;
	bool changed; /* other key or flags than so far */
};
struct plan {
	struct want *list;
	unsigned n, size;
};

static void plan_free(struct plan *p)
{
	for (unsigned i = 0; i < p->n; i++) {
		free(p->list[i].items);
		free(p->list[i].sorted);
	}
	free(p->list);
}

static bool same_server(const struct xtr_map_server_config *a,
			const struct xtr_map_server_config *b)
{
	return !xtr_ip_cmp(&a->address, &b->address) && xtr_key_equal(&a->key, &b->key) &&
	       a->proxy_reply == b->proxy_reply && a->want_notify == b->want_notify &&
	       a->merge == b->merge && a->use_ttl == b->use_ttl;
}

static bool same_mapping(const struct xtr_mapping_config *a, const struct xtr_mapping_config *b)
{
	if (a->ttl_min != b->ttl_min || a->map_version != b->map_version ||
	    a->rloc_count != b->rloc_count || a->gpe != b->gpe)
		return false;
	for (unsigned i = 0; i < a->rloc_count; i++) {
		const struct xtr_rloc_config *x = &a->rlocs[i], *y = &b->rlocs[i];

		if (xtr_ip_cmp(&x->ip, &y->ip) || x->priority != y->priority ||
		    x->weight != y->weight || x->mpriority != y->mpriority ||
		    x->mweight != y->mweight)
			return false;
	}
	return true;
}

/* ---- the plan */

static struct want *want_of(struct plan *p, const struct xtr_map_server_config *cfg)
{
	struct want *list;

	for (unsigned i = 0; i < p->n; i++)
		if (same_server(&p->list[i].cfg, cfg))
			return &p->list[i];
	if (p->n == p->size) {
		list = realloc(p->list, (p->size * 2 + 8) * sizeof(*list));
		if (!list)
			return NULL;
		p->list = list;
		p->size = p->size * 2 + 8;
	}
	p->list[p->n] = (struct want){ .cfg = *cfg };
	return &p->list[p->n++];
}

static int want_add(struct plan *p, const struct xtr_map_server_config *cfg,
		    const struct xtr_mapping_config *map, uint64_t print)
{
	struct want *w = want_of(p, cfg);
	struct xtr_etr_item *items;

	if (!w)
		return -ENOMEM;
	if (w->n && w->items[w->n - 1].map == map) /* configured, and found too */
		return 0;
	if (w->n == w->size) {
		items = realloc(w->items, (w->size * 2 + 8) * sizeof(*items));
		if (!items)
			return -ENOMEM;
		w->items = items;
		w->size = w->size * 2 + 8;
	}
	w->items[w->n++] = (struct xtr_etr_item){ .eid = map->eid, .map = map, .print = print };
	return 0;
}

static int plan_found(struct xtr_env *env, struct plan *p, const struct xtr_mapping_config *map,
		      uint64_t print, struct xtr_map_server_config *list)
{
	unsigned n = env->find.ctx ? env->find.targets(env->find.ctx, &map->eid, list, TARGETS_MAX)
				   : 0;
	int r = 0;

	for (unsigned i = 0; i < n && !r; i++)
		r = want_add(p, &list[i], map, print);
	return r;
}

static uint64_t print_of(const struct xtr_mapping_config *map)
{
	return xtr_hash(map->rlocs, map->rloc_count * sizeof(*map->rlocs)) + map->ttl_min;
}

static int plan_all(struct xtr_env *env, struct plan *p, struct xtr_map_server_config *list)
{
	const struct xtr_node_config *c = &env->cfg;
	unsigned servers = c->etr ? c->map_server_count : 0;
	const struct xtr_mapping_config *extra = NULL;
	unsigned n = env->find.ctx ? env->find.memberships(env->find.ctx, &extra) : 0;
	int r = 0;

	for (unsigned i = 0; i < servers; i++) /* it is there even without EID-prefixes */
		if (!want_of(p, &c->map_servers[i]))
			return -ENOMEM;
	for (unsigned i = 0; c->etr && i < c->mapping_count && !r; i++) {
		for (unsigned s = 0; s < servers && !r; s++)
			r = want_add(p, &c->map_servers[s], &c->mappings[i], 0);
		if (!r)
			r = plan_found(env, p, &c->mappings[i], 0, list);
	}
	for (unsigned i = 0; i < n && !r; i++)
		r = plan_found(env, p, &extra[i], print_of(&extra[i]), list);
	return r;
}

static int by_eid(const void *a, const void *b)
{
	const struct xtr_etr_item *const *x = a, *const *y = b;

	return memcmp(&(*x)->eid, &(*y)->eid, sizeof((*x)->eid));
}

static int plan_make(struct xtr_env *env, struct plan *p)
{
	struct xtr_map_server_config *list = calloc(TARGETS_MAX, sizeof(*list));
	int r = list ? plan_all(env, p, list) : -ENOMEM;

	free(list);
	for (unsigned i = 0; i < p->n && !r; i++) {
		struct want *w = &p->list[i];

		w->sorted = calloc(w->n + 1, sizeof(*w->sorted));
		if (!w->sorted)
			return -ENOMEM;
		for (unsigned j = 0; j < w->n; j++)
			w->sorted[j] = &w->items[j];
		qsort(w->sorted, w->n, sizeof(*w->sorted), by_eid);
	}
	return r;
}

static const struct xtr_etr_item *wanted(const struct want *w, const struct xtr_eid_prefix *eid)
{
	const struct xtr_etr_item key = { .eid = *eid }, *k = &key;
	const struct xtr_etr_item **at;

	if (!w || !w->n)
		return NULL;
	at = bsearch(&k, w->sorted, w->n, sizeof(*w->sorted), by_eid);
	return at ? *at : NULL;
}

/* Under another key at the same address. */
static bool wanted_at(const struct plan *p, const struct xtr_ip *address,
		      const struct xtr_eid_prefix *eid)
{
	for (unsigned i = 0; i < p->n; i++)
		if (!xtr_ip_cmp(&p->list[i].cfg.address, address) && wanted(&p->list[i], eid))
			return true;
	return false;
}

/* ---- the difference */

/* A mapping that changed or went is news for those who use it. The old configuration is still there
 * to compare with. */
static void tell_sites(struct xtr_etr *etr, const struct xtr_etr_item *item)
{
	const struct xtr_mapping_config *now = xtr_eiddb_get(&etr->env->own, &item->eid);

	if (!item->eid.group_len && (!now || !same_mapping(now, item->map)))
		xtr_etr_smr(etr, &item->eid);
}

static bool same_item(const struct xtr_etr_item *now, const struct xtr_etr_item *was)
{
	return was->eid.group_len ? now->print == was->print : same_mapping(now->map, was->map);
}

struct difference {
	struct xtr_etr_item *gone;
	unsigned gone_count;
	bool changed;
};

static int compare(const struct plan *p, const struct want *w, const struct xtr_etr_server *srv,
		   struct difference *d)
{
	unsigned had = 0, all = 0;

	for (struct xtr_etr_batch *b = srv->batches; b; b = b->next) {
		all += b->count;
		had += b->withdraw ? 0 : b->count;
	}
	d->gone = calloc(all + 1, sizeof(*d->gone));
	if (!d->gone)
		return -ENOMEM;
	d->changed = had != (w ? w->n : 0);
	for (struct xtr_etr_batch *b = srv->batches; b; b = b->next)
		for (unsigned i = 0; i < b->count; i++) {
			const struct xtr_etr_item *was = &b->items[i], *now = wanted(w, &was->eid);

			if (!b->withdraw)
				tell_sites(srv->etr, was);
			if (now) {
				d->changed |= b->withdraw || !same_item(now, was);
				continue;
			}
			d->changed |= !b->withdraw;
			if (!wanted_at(p, &srv->cfg.address, &was->eid))
				d->gone[d->gone_count++].eid = was->eid;
		}
	return 0;
}

/* Nothing changed for this Map-Server: its items move to the new configuration and keep their
 * state. */
static void repoint(struct xtr_etr_server *srv, const struct want *w)
{
	for (struct xtr_etr_batch *b = srv->batches; b; b = b->next)
		for (unsigned i = 0; !b->withdraw && i < b->count; i++)
			b->items[i].map = wanted(w, &b->items[i].eid)->map;
}

static int withdraw(struct xtr_etr_server *srv, const struct difference *d)
{
	bool confirm = srv->cfg.want_notify && !srv->gone;
	int r = xtr_etr_make_batches(srv, d->gone, d->gone_count, true);

	for (struct xtr_etr_batch *b = srv->batches; b; b = b->next) {
		xtr_etr_send(b, confirm);
		/* Without a Map-Notify to wait for, this ends it at the next tick. */
		if (confirm) {
			xtr_etr_arm_retry(b);
		} else {
			b->tries = WITHDRAW_TRIES;
			xtr_timer_set(&srv->etr->env->timers, &b->timer, srv->etr->env->now);
		}
	}
	return r;
}

static int update(const struct plan *p, const struct want *w, struct xtr_etr_server *srv,
		  bool force)
{
	struct difference d = { .gone = NULL };
	int r = compare(p, w, srv, &d), r2;

	if (r) { /* not to point at what is freed soon */
		xtr_etr_batches_free(srv);
		return r;
	}
	if (!d.changed && !force) {
		repoint(srv, w);
	} else {
		/* Withdrawals that still wait for their acknowledgement are among the gone; one
		 * that is back is not, so that no late repetition takes it away again. */
		xtr_etr_batches_free(srv);
		r = withdraw(srv, &d);
		if (w) {
			r2 = xtr_etr_make_batches(srv, w->items, w->n, false);
			r = r ? r : r2;
			xtr_etr_restart(srv);
		}
	}
	free(d.gone);
	return r;
}

/* ---- servers */

static struct xtr_etr_server *server_add(struct xtr_etr *etr,
					 const struct xtr_map_server_config *cfg)
{
	struct xtr_etr_server **list, *srv = calloc(1, sizeof(*srv));

	list = realloc(etr->servers, (etr->server_count + 1) * sizeof(*list));
	if (list)
		etr->servers = list;
	if (!srv || !list) {
		free(srv);
		return NULL;
	}
	srv->etr = etr;
	srv->cfg = *cfg;
	srv->timer.kind = XTR_TIMER_ETR_SERVER;
	etr->servers[etr->server_count++] = srv;
	return srv;
}

static struct want *find_want(struct plan *p, const struct xtr_etr_server *srv, bool exactly)
{
	for (unsigned i = 0; i < p->n; i++) {
		struct want *w = &p->list[i];

		if (!w->srv && (exactly ? same_server(&w->cfg, &srv->cfg)
					: !xtr_ip_cmp(&w->cfg.address, &srv->cfg.address)))
			return w;
	}
	return NULL;
}

static struct want *want_for(const struct plan *p, const struct xtr_etr_server *srv)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->list[i].srv == srv)
			return &p->list[i];
	return NULL;
}

/* Who is who: the same one first, or else one whose key or flags changed. */
static void match(struct xtr_etr *etr, struct plan *p)
{
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < etr->server_count; i++) {
			struct xtr_etr_server *srv = etr->servers[i];
			struct want *w = want_for(p, srv) ? NULL : find_want(p, srv, !pass);

			if (!w)
				continue;
			w->srv = srv;
			w->changed = pass;
		}
}

static int apply(struct xtr_etr *etr, struct plan *p, bool force)
{
	int r = 0;

	match(etr, p);
	for (unsigned i = etr->server_count; i-- > 0;) {
		struct xtr_etr_server *srv = etr->servers[i];
		const struct want *w = want_for(p, srv);

		srv->gone = !w;
		if (w)
			srv->cfg = w->cfg;
		else /* says goodbye once, now: its key may be gone with the old configuration */
			xtr_timer_cancel(&etr->env->timers, &srv->timer);
		r = update(p, w, srv, w && (force || w->changed)) ? -ENOMEM : r;
		if (srv->gone) {
			etr->servers[i] = etr->servers[--etr->server_count];
			xtr_etr_server_free(srv);
		}
	}
	for (unsigned i = 0; i < p->n; i++) {
		struct want *w = &p->list[i];

		if (w->srv)
			continue;
		w->srv = server_add(etr, &w->cfg);
		r = !w->srv || update(p, w, w->srv, true) ? -ENOMEM : r;
	}
	return r;
}

/* Out of memory: nothing may point at a configuration that is freed soon. A second later it is all
 * made anew. */
static void start_over(struct xtr_etr *etr)
{
	for (unsigned i = 0; i < etr->server_count; i++)
		xtr_etr_batches_free(etr->servers[i]);
	xtr_timer_set(&etr->env->timers, &etr->targets, etr->env->now + 1000);
}

int xtr_etr_apply(struct xtr_etr *etr, bool force)
{
	struct plan p = { .n = 0 };
	int r = plan_make(etr->env, &p);

	xtr_timer_cancel(&etr->env->timers, &etr->targets);
	if (!r)
		r = apply(etr, &p, force);
	if (r)
		start_over(etr);
	plan_free(&p);
	return r;
}

/* ---- told by LISP-Decent */

/* Many names can be answered at about one time, as after a start: one comparison for all. A
 * Map-Server of many names would get everything again with each. */
void xtr_etr_retarget(void *ctx)
{
	struct xtr_etr *etr = ctx;

	if (!xtr_timer_armed(&etr->targets))
		xtr_timer_set(&etr->env->timers, &etr->targets, etr->env->now + GATHER);
}

void xtr_etr_targets_timer(void *ctx, struct xtr_timer *t)
{
	xtr_etr_apply(ctx, false);
}
