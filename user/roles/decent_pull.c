// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * LISP-Decent, pull: the Map-Servers of an EID are the addresses of the DNS name that its hash
 * gives, for registering (all of them) and for asking (one after the other). RFC 9962 5,
 * draft-farinacci-lisp-decent-10 5.
 *
 * While a change of the parameters is young, registrations go to the sets of both, and questions to
 * the new one first (stage 0), then to the old one (stage 1).
 */
#include "roles/decent_pull.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRESH_RATE  100 /* names a second that are looked up because somebody asked */
#define FRESH_BURST 1000

/* ---- registering */

static const struct xtr_key *key_of(const struct xtr_pull_config *c, uint32_t index)
{
	for (unsigned i = 0; i < c->key_count; i++)
		if (c->keys[i].index == index)
			return &c->keys[i].key;
	return &c->server.key;
}

static unsigned add_targets(const struct xtr_pull_config *c, const struct xtr_pull_name *name,
			    struct xtr_map_server_config *out, unsigned n, unsigned max)
{
	const struct xtr_key *key = key_of(c, name->key.index);

	for (unsigned i = 0; i < name->set.count && n < max; i++) {
		bool known = false;

		for (unsigned j = 0; j < n && !known; j++)
			known = !xtr_ip_cmp(&out[j].address, &name->set.addrs[i]) &&
				xtr_key_equal(&out[j].key, key);
		if (known)
			continue;
		out[n] = c->server;
		out[n].key = *key;
		out[n++].address = name->set.addrs[i];
	}
	return n;
}

/* The indexes at which a prefix is registered: *first up to, not including, *end. False: at none
 * (R-8, X9). */
static bool indexes_of(const struct xtr_pull_config *c, const struct xtr_eid_prefix *eid,
		       uint32_t *first, uint32_t *end)
{
	int64_t index;

	if (xtr_decent_too_short(&c->hash, eid)) {
		*first = 0;
		*end = c->hash.modulus;
		return c->short_everywhere && *end <= XTR_PULL_NAMES_MAX;
	}
	index = xtr_decent_index(&c->hash, eid);
	if (index < 0)
		return false;
	*first = (uint32_t)index;
	*end = *first + 1;
	return true;
}

unsigned xtr_pull_targets(struct xtr_pull *p, const struct xtr_eid_prefix *eid,
			  struct xtr_map_server_config *out, unsigned max)
{
	uint32_t first, end;
	unsigned n = 0;

	for (unsigned which = 0; which < 2; which++) {
		const struct xtr_pull_config *c = &p->params[which].cfg;

		if (!xtr_pull_has(p, which) || !indexes_of(c, eid, &first, &end))
			continue;
		for (uint32_t i = first; i < end; i++) {
			const struct xtr_pull_name *name = xtr_pull_name(p, which, i);

			if (name)
				n = add_targets(c, name, out, n, max);
		}
	}
	return n;
}

static void pin(struct xtr_pull *p, const struct xtr_eid_prefix *eid, unsigned mark)
{
	uint32_t first, end;

	for (unsigned which = 0; which < 2; which++) {
		if (!xtr_pull_has(p, which) ||
		    !indexes_of(&p->params[which].cfg, eid, &first, &end))
			continue;
		for (uint32_t i = first; i < end; i++) {
			struct xtr_pull_name *name = xtr_pull_name(p, which, i);

			if (!name || name->mark == mark)
				continue;
			name->mark = mark;
			name->pins[which]++;
		}
	}
}

void xtr_pull_pin(struct xtr_pull *p, const struct xtr_eid_prefix *const *eids, unsigned n)
{
	struct xtr_pull_name *name, *tmp;

	HASH_ITER(hh, p->names, name, tmp) {
		name->pins[0] = name->pins[1] = name->mark = 0;
		name->is_new = false;
	}
	for (unsigned i = 0; i < n; i++)
		pin(p, eids[i], i + 1);
}

const char *xtr_pull_problem(struct xtr_pull *p, const struct xtr_eid_prefix *eid)
{
	const struct xtr_pull_params *q = &p->params[XTR_PULL_NEW];
	const struct xtr_pull_name *name;
	char text[XTR_DECENT_NAME_MAX];
	uint32_t first, end;

	if (!indexes_of(&q->cfg, eid, &first, &end)) {
		if (!xtr_decent_too_short(&q->cfg.hash, eid))
			return "the parameters of decent.pull give no index for this EID-prefix";
		return q->cfg.short_everywhere
			       ? "shorter than its lookup-length, and there are too many indexes "
				 "to register it at each"
			       : "shorter than its lookup-length: most lookups would go to other "
				 "indexes (decent.pull.short-prefixes)";
	}
	name = xtr_pull_name(p, XTR_PULL_NEW, first);
	if (!name)
		return "too many DNS names in use";
	if (name->set.count)
		return NULL;
	xtr_pull_name_text(p, name, text);
	snprintf(p->text, sizeof(p->text), "no address of %s yet: %s", text,
		 name->set.why[0] ? name->set.why : "the lookup is under way");
	return p->text;
}

/* ---- asking */

/* The EIDs that are asked for come from the network: with many indexes each would be a new name. */
static struct xtr_pull_name *name_asked(struct xtr_pull *p, unsigned which, uint32_t index)
{
	if (!xtr_pull_name_find(p, p->params[which].zone, index) &&
	    !xtr_bucket_take(&p->fresh, FRESH_RATE, FRESH_BURST, p->env->now))
		return NULL;
	return xtr_pull_name(p, which, index);
}

/* The name that says who knows about eid; NULL: no such stage. */
static struct xtr_pull_name *name_for(struct xtr_pull *p, const struct xtr_eid_prefix *eid,
				      unsigned stage)
{
	int64_t index, other;

	if (stage > XTR_PULL_OLD || !xtr_pull_has(p, stage))
		return NULL;
	index = xtr_decent_index(&p->params[stage].cfg.hash, eid);
	if (index < 0)
		return NULL;
	if (stage == XTR_PULL_OLD && p->params[0].zone == p->params[1].zone) {
		other = xtr_decent_index(&p->params[XTR_PULL_NEW].cfg.hash, eid);
		if (other == index) /* asked already */
			return NULL;
	}
	return name_asked(p, stage, (uint32_t)index);
}

unsigned xtr_pull_resolvers(struct xtr_pull *p, const struct xtr_eid_prefix *eid, unsigned stage,
			    struct xtr_ip *out, unsigned max)
{
	const struct xtr_env *env = p->env;
	const struct xtr_pull_name *name;
	unsigned n = 0;

	if (stage == XTR_PULL_NEW) /* in case it is needed; first, since a new name can cost another */
		name_for(p, eid, XTR_PULL_OLD);
	name = name_for(p, eid, stage);
	if (!name)
		return 0;
	/* Whoever serves the index asks itself first: that costs no packet. Without a Map-Server
	 * there is nobody at our address. */
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < name->set.count && n < max; i++) {
			bool own = xtr_env_own_rloc(env, &name->set.addrs[i]);

			if (own == !pass && (!own || env->cfg.ms))
				out[n++] = name->set.addrs[i];
		}
	return n;
}

bool xtr_pull_waiting(struct xtr_pull *p, const struct xtr_eid_prefix *eid, unsigned stage)
{
	const struct xtr_pull_name *name = name_for(p, eid, stage);

	return name && name->asking && !name->set.count;
}

/* In the window after a change all register by the old parameters, and those by the new that have
 * them already: so the old set knows more at first. At the end of our window others have closed
 * theirs, and the new one does. */
unsigned xtr_pull_best_stage(const struct xtr_pull *p)
{
	uint32_t window = p->params[XTR_PULL_NEW].cfg.change_window;

	return xtr_pull_has(p, XTR_PULL_OLD) && p->window.at > p->env->now + window / 2
		       ? XTR_PULL_OLD
		       : XTR_PULL_NEW;
}

unsigned xtr_pull_floor(const struct xtr_pull *p, const struct xtr_eid_prefix *eid)
{
	unsigned most = 0;

	for (unsigned which = 0; which < 2; which++) {
		unsigned bits = xtr_pull_has(p, which)
					? xtr_decent_fixed_bits(&p->params[which].cfg.hash, eid)
					: 0;

		most = bits > most ? bits : most;
	}
	return most;
}

/* ---- show */

static int by_name(const struct xtr_pull_name *a, const struct xtr_pull_name *b)
{
	if (a->key.zone != b->key.zone)
		return a->key.zone > b->key.zone ? -1 : 1; /* the newer suffix first */
	return a->key.index < b->key.index ? -1 : a->key.index > b->key.index;
}

static int show(struct xtr_pull *p, const struct xtr_pull_name *n,
		int (*fn)(void *, const struct xtr_name_info *), void *arg)
{
	const struct xtr_env *env = p->env;
	const struct xtr_nameset *s = &n->set;
	char name[XTR_DECENT_NAME_MAX];
	struct xtr_name_info info = {
		.name = name,
		.index = n->key.index,
		.old = !n->is_new && xtr_pull_has(p, XTR_PULL_OLD),
		.stale = s->stale,
		.saved = s->saved,
		.authenticated = s->authenticated,
		.count = s->count,
		.ignored = s->ignored,
		.ttl = s->ttl,
		.age_ms = s->answered == XTR_NEVER ? UINT64_MAX : env->now - s->answered,
		.next_ms = n->timer.at > env->now && !n->asking ? n->timer.at - env->now : 0,
		.failures = s->failures,
		.registered = n->pins[0] + n->pins[1],
		.problem = s->why[0] ? s->why : NULL,
	};

	xtr_pull_name_text(p, n, name);
	for (unsigned i = 0; i < s->count; i++) {
		info.addrs[i] = s->addrs[i];
		info.self |= xtr_env_own_rloc(env, &s->addrs[i]);
	}
	if (info.self && !env->cfg.ms) {
		info.self = false;
		if (!info.problem)
			info.problem = "one of the addresses is ours, but there is no map-server in our "
				       "configuration";
	}
	return fn(arg, &info);
}

int xtr_pull_walk(struct xtr_pull *p, int (*fn)(void *, const struct xtr_name_info *), void *arg)
{
	struct xtr_pull_name *n, *tmp;
	int r = 0;

	HASH_SORT(p->names, by_name);
	HASH_ITER(hh, p->names, n, tmp)
		if (n->started && !r)
			r = show(p, n, fn, arg);
	return r;
}

/* ---- life */

void xtr_pull_retry(struct xtr_pull *p)
{
	struct xtr_pull_name *n, *tmp;

	HASH_ITER(hh, p->names, n, tmp)
		if (n->set.failures && !n->asking)
			xtr_timer_set(&p->env->timers, &n->timer, p->env->now);
}

int xtr_pull_reconfigure(struct xtr_pull *p)
{
	struct xtr_name_rules rules;
	struct xtr_pull_name *n, *tmp;
	bool changed;
	int r = xtr_pull_params_set(p, &changed);

	if (r)
		return r;
	xtr_name_rules_of(&p->params[XTR_PULL_NEW].cfg, &rules);
	if (memcmp(&rules, &p->rules, sizeof(rules))) { /* what was left out may count now */
		p->rules = rules;
		HASH_ITER(hh, p->names, n, tmp)
			if (n->started && !n->asking)
				xtr_timer_set(&p->env->timers, &n->timer, p->env->now);
	}
	xtr_pull_names_clean(p);
	return 0;
}

int xtr_pull_new(struct xtr_env *env, struct xtr_pull **out)
{
	struct xtr_pull *p = calloc(1, sizeof(*p));
	bool changed;
	int r;

	if (!p)
		return -ENOMEM;
	p->env = env;
	p->saved_at = XTR_NEVER;
	p->window.kind = XTR_TIMER_PULL_WINDOW;
	p->save.kind = XTR_TIMER_PULL_SAVE;
	xtr_timers_kind(&env->timers, XTR_TIMER_PULL_NAME, xtr_pull_name_timer, p);
	xtr_timers_kind(&env->timers, XTR_TIMER_PULL_WINDOW, xtr_pull_window_timer, p);
	xtr_timers_kind(&env->timers, XTR_TIMER_PULL_SAVE, xtr_pull_save_timer, p);
	r = xtr_pull_params_set(p, &changed);
	if (r) {
		xtr_pull_free(p);
		return r;
	}
	xtr_name_rules_of(&p->params[XTR_PULL_NEW].cfg, &p->rules);
	xtr_pull_params_load(p);
	xtr_pull_names_load(p);
	*out = p;
	return 0;
}

void xtr_pull_free(struct xtr_pull *p)
{
	struct xtr_pull_name *n, *tmp;

	if (!p)
		return;
	if (xtr_timer_armed(&p->save))
		xtr_pull_names_save(p);
	HASH_ITER(hh, p->names, n, tmp)
		xtr_pull_name_drop(p, n);
	xtr_pull_params_free(p);
	free(p);
}
