// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * LISP-Decent: which of the two methods speaks for an EID. RFC 9962 4, 5; draft-farinacci-lisp-
 * decent-10 4.4, 5.2.
 *
 *   no seed-groups    everything by pull
 *   seed-groups       EID-prefixes by push; memberships (*,G) where `via` of their group says. Pull
 *                     holds nothing but these then: the two cannot be mixed in one system
 *
 * Owns the two roles.
 */
#include "roles/decent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool by_pull(const struct xtr_decent *d, const struct xtr_eid_prefix *eid)
{
	return d->pull && (!d->push || xtr_push_via_pull(d->push, eid));
}

static unsigned targets(void *ctx, const struct xtr_eid_prefix *eid,
			struct xtr_map_server_config *out, unsigned max)
{
	struct xtr_decent *d = ctx;
	unsigned n = by_pull(d, eid) ? xtr_pull_targets(d->pull, eid, out, max) : 0;

	return d->push ? n + xtr_push_targets(d->push, eid, out + n, max - n) : n;
}

static unsigned resolvers(void *ctx, const struct xtr_eid_prefix *eid, unsigned stage,
			  struct xtr_ip *out, unsigned max)
{
	struct xtr_decent *d = ctx;

	if (by_pull(d, eid))
		return xtr_pull_resolvers(d->pull, eid, stage, out, max);
	return d->push ? xtr_push_resolvers(d->push, eid, stage, out, max) : 0;
}

static bool waiting(void *ctx, const struct xtr_eid_prefix *eid, unsigned stage)
{
	struct xtr_decent *d = ctx;

	return by_pull(d, eid) && xtr_pull_waiting(d->pull, eid, stage);
}

static unsigned best_stage(void *ctx)
{
	struct xtr_decent *d = ctx;

	return d->pull ? xtr_pull_best_stage(d->pull) : 0;
}

/* Push: every member has everything, so that a hole seen by one is a hole. */
static unsigned shortest(void *ctx, const struct xtr_eid_prefix *eid)
{
	struct xtr_decent *d = ctx;

	return by_pull(d, eid) ? xtr_pull_floor(d->pull, eid) : 0;
}

static const char *problem(void *ctx, const struct xtr_eid_prefix *eid)
{
	struct xtr_decent *d = ctx;

	if (by_pull(d, eid))
		return xtr_pull_problem(d->pull, eid);
	return d->push ? xtr_push_problem(d->push, eid) : NULL;
}

static unsigned memberships(void *ctx, const struct xtr_mapping_config **out)
{
	struct xtr_decent *d = ctx;

	return d->push ? xtr_push_memberships(d->push, out) : 0;
}

static unsigned members(void *ctx, const struct xtr_ip *group, struct xtr_ip *out, unsigned max)
{
	struct xtr_decent *d = ctx;

	return d->push ? xtr_push_members(d->push, group, out, max) : 0;
}

static void confirmed(void *ctx, const struct xtr_ip *group, const struct xtr_ip *member,
		      bool acked)
{
	struct xtr_decent *d = ctx;

	if (d->push)
		xtr_push_confirmed(d->push, group, member, acked);
}

static int send_group(void *ctx, const struct xtr_ip *group, const void *buf, size_t len,
		      enum xtr_node_counter counter)
{
	struct xtr_decent *d = ctx;

	return d->push ? xtr_push_send_group(d->push, group, buf, len, counter) : -ENOENT;
}

static void registered(void *ctx, const struct xtr_eid_prefix *group)
{
	struct xtr_decent *d = ctx;

	if (d->push)
		xtr_push_registered(d->push, group);
}

static void wire(struct xtr_decent *d)
{
	struct xtr_env *env = d->env;

	memset(&env->find, 0, sizeof(env->find));
	env->registered = d->push ? registered : NULL;
	env->registered_ctx = d;
	if (!d->pull && !d->push)
		return;
	env->find = (struct xtr_finder){
		.ctx = d,
		.targets = targets,
		.resolvers = resolvers,
		.waiting = waiting,
		.best_stage = best_stage,
		.floor = shortest,
		.problem = problem,
		.memberships = memberships,
		.members = members,
		.confirmed = confirmed,
		.send_group = send_group,
	};
}

static int pin(struct xtr_decent *d)
{
	const struct xtr_node_config *cfg = &d->env->cfg;
	const struct xtr_mapping_config *own = NULL;
	unsigned own_count = memberships(d, &own), n = 0;
	const struct xtr_eid_prefix **list = calloc(cfg->mapping_count + own_count + 1,
						    sizeof(*list));

	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; cfg->etr && i < cfg->mapping_count; i++)
		if (by_pull(d, &cfg->mappings[i].eid))
			list[n++] = &cfg->mappings[i].eid;
	for (unsigned i = 0; i < own_count; i++)
		if (by_pull(d, &own[i].eid))
			list[n++] = &own[i].eid;
	xtr_pull_pin(d->pull, list, n);
	free(list);
	return 0;
}

int xtr_decent_configure(struct xtr_decent *d)
{
	const struct xtr_decent_config *c = &d->env->cfg.decent;
	int r = 0, r2 = 0;

	if (!c->group_count) {
		/* A router that is stopped leaves the data plane as it is; one that is no member
		 * any more does not. */
		if (d->push)
			xtr_push_reconfigure(d->push);
		xtr_push_free(d->push);
		d->push = NULL;
	} else {
		r2 = d->push ? xtr_push_reconfigure(d->push) : xtr_push_new(d->env, &d->push);
	}
	/* After push: whose memberships are to be looked up there? */
	if (!c->pull) {
		xtr_pull_free(d->pull);
		d->pull = NULL;
	} else {
		r = d->pull ? xtr_pull_reconfigure(d->pull) : xtr_pull_new(d->env, &d->pull);
	}
	wire(d);
	r = r ? r : r2;
	if (!r && d->pull)
		r = pin(d);
	return r;
}

void xtr_decent_free(struct xtr_decent *d)
{
	xtr_push_free(d->push);
	xtr_pull_free(d->pull);
	d->push = NULL;
	d->pull = NULL;
}
