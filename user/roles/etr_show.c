// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ETR: what `xtrctl map` shows: a row for each of our EID-prefixes at each of its Map-Servers, and
 * one with the reason for each that is registered nowhere.
 */
#include "roles/etr.h"

#include <string.h>

static const char *problem_of(const struct xtr_env *env, const struct xtr_etr_batch *b,
			      const struct xtr_etr_item *item)
{
	if (!xtr_env_rloc(env, b->srv->cfg.address.family))
		return "no RLOC of the Map-Server's address family is up";
	if (!env->cfg.ms && xtr_env_own_rloc(env, &b->srv->cfg.address))
		return "that Map-Server would be ourselves (by DNS or by configuration), but there is "
		       "no map-server in our configuration: add it, or take our address out there";
	if (item->refused)
		return "the Map-Server confirmed the Map-Register without this EID-prefix: it is "
		       "not configured for this key "
		       "there";
	if (b->tries)
		return "no Map-Notify from the Map-Server: unreachable, or it refuses the key, the "
		       "algorithm or the nonce "
		       "(see its log and `xtrctl site`)";
	return NULL;
}

static uint64_t ago(const struct xtr_env *env, uint64_t at)
{
	return at == XTR_NEVER ? UINT64_MAX : env->now - at;
}

static int show_item(const struct xtr_etr_batch *b, const struct xtr_etr_item *item,
		     int (*fn)(void *, const struct xtr_db_info *), void *arg)
{
	const struct xtr_env *env = b->srv->etr->env;
	struct xtr_db_info info = {
		.eid = item->eid,
		.ttl_min = item->map->ttl_min,
		.map_server = b->srv->cfg.address,
		.key_id = b->srv->cfg.key.key_id,
		.alg_id = b->srv->cfg.key.alg_id,
		.unasked = !b->srv->cfg.want_notify,
		.acked = b->acked && !item->refused,
		.registers_sent = b->sent,
		.notifies = b->notifies,
		.last_sent_ms = ago(env, b->last_sent),
		.last_ack_ms = ago(env, b->last_ack),
		.problem = problem_of(env, b, item),
	};

	info.locator_count = xtr_etr_show(env, item->map, info.locators);
	return fn(arg, &info);
}

struct unserved {
	const struct xtr_env *env;
	uint64_t skip;
	int (*fn)(void *, const struct xtr_db_info *);
	void *arg;
};

/* Registered nowhere, and why. */
static int show_unserved(struct unserved *u, const struct xtr_mapping_config *map)
{
	const struct xtr_env *env = u->env;
	struct xtr_map_server_config one;
	struct xtr_db_info info = {
		.eid = map->eid,
		.ttl_min = map->ttl_min,
		.last_sent_ms = UINT64_MAX,
		.last_ack_ms = UINT64_MAX,
		.problem = "no Map-Server is configured (etr.map-servers): nobody can find "
			   "this EID-prefix",
	};

	if (env->find.ctx && env->find.targets(env->find.ctx, &map->eid, &one, 1))
		return 0;
	if (u->skip) {
		u->skip--;
		return 0;
	}
	if (env->find.ctx) {
		info.problem = env->find.problem(env->find.ctx, &map->eid);
		if (!info.problem)
			info.problem = "registered nowhere";
	}
	info.locator_count = xtr_etr_show(env, map, info.locators);
	return u->fn(u->arg, &info);
}

static int show_all_unserved(struct unserved *u)
{
	const struct xtr_env *env = u->env;
	unsigned own = env->cfg.etr && !env->cfg.map_server_count ? env->cfg.mapping_count : 0;
	const struct xtr_mapping_config *extra = NULL;
	unsigned more = env->find.ctx ? env->find.memberships(env->find.ctx, &extra) : 0;
	int r = 0;

	for (unsigned i = 0; i < own && !r; i++)
		r = show_unserved(u, &env->cfg.mappings[i]);
	for (unsigned i = 0; i < more && !r; i++)
		r = show_unserved(u, &extra[i]);
	return r;
}

/* *skip: rows that are left out. */
static int show_batch(const struct xtr_etr_batch *b, uint64_t *skip,
		      int (*fn)(void *, const struct xtr_db_info *), void *arg)
{
	unsigned i = *skip < b->count ? (unsigned)*skip : b->count;
	int r = 0;

	if (b->withdraw)
		return 0;
	*skip -= i;
	for (; i < b->count && !r; i++)
		r = show_item(b, &b->items[i], fn, arg);
	return r;
}

int xtr_etr_walk_db(struct xtr_etr *etr, uint64_t skip, int (*fn)(void *, const struct xtr_db_info *), void *arg)
{
	struct unserved u = { .env = etr->env, .fn = fn, .arg = arg };
	int r = 0;

	for (unsigned s = 0; s < etr->server_count; s++)
		for (struct xtr_etr_batch *b = etr->servers[s]->batches; b && !r; b = b->next)
			r = show_batch(b, &skip, fn, arg);
	u.skip = skip;
	return r ? r : show_all_unserved(&u);
}
