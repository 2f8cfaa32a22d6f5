// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A node: checks what a message is and whether it may come here (RFC 9301 5, and who may send what
 * to whom), and hands it to the role it is for. The only place that knows all roles. Messages
 * between roles of this node wait in env.direct and go through the same input when the current one
 * is done.
 *
 * A Map-Request can be for several roles: our own database answers first if it has the longest
 * match, then the Map-Server if it is responsible, then the Map-Resolver passes it on.
 */
#include "roles/decent.h"
#include "roles/etr.h"
#include "roles/itr.h"
#include "roles/lig.h"
#include "roles/mr.h"
#include "roles/ms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TIMERS_A_TICK 1024
#define DIRECT_A_TURN 4096

struct xtr_node {
	struct xtr_env env;
	struct xtr_itr *itr;
	struct xtr_etr *etr;
	struct xtr_ms *ms;
	struct xtr_mr *mr;
	struct xtr_lig *lig;
	struct xtr_decent decent;
	bool up_known; /* xtr_node_rlocs_up() was called: until then all RLOCs count as up */
	/* As told then, configured or not: it may come before the configuration that names them. */
	struct xtr_ip host_up[XTR_UP_MAX];
	unsigned host_up_count;
};

const char *const xtr_node_counter_names[XTR_NODE_COUNTER_MAX] = {
#define X(sym, name) name,
	XTR_NODE_COUNTERS(X)
#undef X
};

const uint64_t *xtr_node_counters(const struct xtr_node *n)
{
	return n->env.counters;
}

/* ---- Map-Requests */

#define RECORDS_MAX 32 /* of one Map-Request; a sender has to put in only one (RFC 9301 5.2) */

/* How many of the records are about EIDs of ours. */
static unsigned own_records(const struct xtr_node *n, const struct xtr_map_request *m)
{
	struct xtr_mreq_record rec;
	struct xtr_eid_prefix eid;
	struct xtr_rd it = { 0 };
	unsigned own = 0;

	while (n->etr && xtr_mreq_record_next(m, &it, &rec))
		own += !xtr_eid_from_addr(&rec.eid, rec.mask_len, &eid, NULL) &&
		       xtr_etr_match(&n->env, &eid);
	return own;
}

static void probe(struct xtr_node *n, const struct xtr_request *req)
{
	if (own_records(n, req->m))
		xtr_etr_answer(n->etr, req);
	else
		xtr_count(&n->env, DROP_NOT_OURS);
}

/* A prefix that neither we nor what is registered here covers stands for its first address, as in xtr_ms_request(). */
static struct xtr_eid_prefix meant(const struct xtr_node *n, const struct xtr_eid_prefix *eid)
{
	bool covered = xtr_eiddb_match(&n->env.own, eid, NULL) || (n->ms && xtr_ms_known_len(n->ms, eid) >= 0);

	return covered ? *eid : xtr_eid_host(eid);
}

static void resolve(struct xtr_node *n, const struct xtr_request *req)
{
	unsigned own = 0;
	struct xtr_eid_prefix eid = meant(n, &req->eid);
	bool mine = n->etr && xtr_eiddb_match(&n->env.own, &eid, &own);
	bool responsible = n->ms && xtr_ms_responsible(n->ms, &req->eid);

	if (mine && (!responsible || (int)own >= xtr_ms_match_len(n->ms, &eid))) {
		xtr_etr_answer(n->etr, req);
		return;
	}
	if (n->mr && req->ecm && n->env.find.ctx) {
		if (xtr_mr_decent(n->mr, req, n->ms ? xtr_ms_known_len(n->ms, &req->eid) : -1) &&
		    n->ms)
			xtr_ms_request(n->ms, req);
		return;
	}
	/* Unencapsulated only between Map-Resolver and Map-Server (RFC 9301 8.4), and to an ETR. */
	if (!responsible && n->mr && req->ecm && !xtr_mr_request(n->mr, req, n->ms))
		return;
	if (n->ms)
		xtr_ms_request(n->ms, req);
	else
		xtr_count(&n->env, DROP_NOT_OURS);
}

static void map_request(struct xtr_node *n, const struct xtr_msg_meta *meta,
			const struct xtr_ecm *ecm, const uint8_t *buf, size_t len);

/*
 * A receiver has to take several records (RFC 9301 5.2). What our own database answers is one Map-Reply; everybody else
 * is asked about each by a Map-Request of its own, as if they had come so: they may have different Map-Servers and ETRs.
 */
static void one_by_one(struct xtr_node *n, const struct xtr_request *req)
{
	const struct xtr_map_request *m = req->m;
	struct xtr_rd it = { 0 };
	struct xtr_mreq_record rec;
	const uint8_t *from = m->recs.p;
	uint8_t buf[XTR_MSG_MAX];

	for (unsigned i = 0; xtr_mreq_record_next(m, &it, &rec); i++, from = it.p) {
		struct xtr_wr w = xtr_wr_init(buf, sizeof(buf));
		struct xtr_ecm ecm;

		if (i == RECORDS_MAX) {
			xtr_count(&n->env, DROP_LIMIT);
			return;
		}
		xtr_wr_bytes(&w, req->msg, (size_t)(m->recs.p - req->msg));
		xtr_wr_bytes(&w, from, (size_t)(it.p - from));
		xtr_wr_bytes(&w, m->recs.end, (size_t)(req->msg + req->len - m->recs.end));
		buf[3] = 1;
		if (req->ecm) {
			ecm = *req->ecm;
			ecm.msg = buf;
			ecm.msg_len = xtr_wr_len(&w);
		}
		map_request(n, req->meta, req->ecm ? &ecm : NULL, buf, xtr_wr_len(&w));
	}
}

static void map_request(struct xtr_node *n, const struct xtr_msg_meta *meta,
			const struct xtr_ecm *ecm, const uint8_t *buf, size_t len)
{
	struct xtr_env *env = &n->env;
	struct xtr_map_request m;
	struct xtr_request req = {
		.meta = meta,
		.ecm = ecm,
		.m = &m,
		.msg = buf,
		.len = len,
		.reply_port = ecm ? ecm->inner_sport : meta->sport,
	};
	struct xtr_mreq_record rec;
	struct xtr_rd it = { 0 };
	int r = xtr_map_request_decode(buf, len, &m);

	if (r) {
		xtr_env_bad(env, r);
		return;
	}
	/* Probes are for an RLOC, SMRs for one ITR: to a group they would make each member send. */
	if (m.flags & (XTR_MREQ_P | XTR_MREQ_S) && xtr_ip_is_multicast(&meta->dst)) {
		xtr_count(env, DROP_GROUP);
		return;
	}
	if (m.flags & XTR_MREQ_P && ecm) { /* RFC 9301 5.2, 5.8: never through the mapping system */
		xtr_count(env, DROP_PROBE);
		return;
	}
	if (m.flags & XTR_MREQ_S) {
		xtr_count(env, RX_SMR);
		if (ecm || !n->itr)
			xtr_count(env, DROP_SMR);
		else
			xtr_itr_smr(n->itr, &req);
		return;
	}
	if (!n->etr && !n->ms && !n->mr) {
		xtr_count(env, DROP_ROLE);
		return;
	}
	if (m.record_count > 1 && !(m.flags & XTR_MREQ_P) &&
	    (n->ms || own_records(n, &m) < m.record_count)) {
		one_by_one(n, &req);
		return;
	}
	if (!xtr_mreq_record_next(&m, &it, &rec) ||
	    xtr_eid_from_addr(&rec.eid, rec.mask_len, &req.eid, NULL)) {
		xtr_count(env, DROP_UNKNOWN_AFI);
		return;
	}
	if (m.flags & XTR_MREQ_P)
		probe(n, &req);
	else
		resolve(n, &req);
}

static void encapsulated(struct xtr_node *n, const struct xtr_msg_meta *meta, const uint8_t *buf,
			 size_t len)
{
	struct xtr_ecm ecm;
	int r = xtr_ecm_decode(buf, len, &ecm);

	if (r || ecm.checksum_bad) { /* RFC 9301 5.8: as a host's stack would */
		xtr_env_bad(&n->env, r ? r : -EBADMSG);
		return;
	}
	if (ecm.security) { /* LISP-SEC is not built: an answer without it would be discarded by the
			       ITR (RFC 9303 6.9) */
		xtr_count(&n->env, DROP_SECURITY);
		return;
	}
	if (xtr_msg_type(ecm.msg, ecm.msg_len) != XTR_MSG_MAP_REQUEST) {
		xtr_count(&n->env, DROP_ROLE);
		return;
	}
	xtr_count(&n->env, RX_MAP_REQUEST);
	map_request(n, meta, &ecm, ecm.msg, ecm.msg_len);
}

static void map_reply(struct xtr_node *n, const struct xtr_msg_meta *meta, const uint8_t *buf,
		      size_t len)
{
	struct xtr_map_reply m;
	int r = xtr_map_reply_decode(buf, len, &m);

	if (r)
		xtr_env_bad(&n->env, r);
	else if (n->decent.push && xtr_push_reply(n->decent.push, meta, &m))
		return;
	else if (!(n->itr && xtr_itr_reply(n->itr, meta, &m)) && !xtr_lig_reply(n->lig, meta, &m))
		xtr_count(&n->env, DROP_NONCE); /* also what a Map-Server gets that is none of its
						   business (RFC 9301 8.3) */
}

/* ---- input */

static void dispatch(struct xtr_node *n, const struct xtr_msg_meta *meta, const uint8_t *buf,
		     size_t len)
{
	struct xtr_env *env = &n->env;

	switch (xtr_msg_type(buf, len)) {
	case XTR_MSG_MAP_REQUEST:
		xtr_count(env, RX_MAP_REQUEST);
		map_request(n, meta, NULL, buf, len);
		break;
	case XTR_MSG_MAP_REPLY:
		xtr_count(env, RX_MAP_REPLY);
		map_reply(n, meta, buf, len);
		break;
	case XTR_MSG_MAP_REGISTER:
		xtr_count(env, RX_MAP_REGISTER);
		if (n->ms)
			xtr_ms_register(n->ms, meta, buf, len);
		else
			xtr_count(env, DROP_ROLE);
		break;
	case XTR_MSG_MAP_NOTIFY:
		xtr_count(env, RX_MAP_NOTIFY);
		if (n->decent.push && xtr_push_notify(n->decent.push, meta, buf, len))
			break;
		if (n->etr)
			xtr_etr_notify(n->etr, meta, buf, len);
		else
			xtr_count(env, DROP_ROLE);
		break;
	case XTR_MSG_MAP_NOTIFY_ACK:
		xtr_count(env, RX_MAP_NOTIFY_ACK);
		if (n->ms)
			xtr_ms_notify_ack(n->ms, meta, buf, len);
		else
			xtr_count(env, DROP_ROLE);
		break;
	case XTR_MSG_ECM:
		xtr_count(env, RX_ECM);
		encapsulated(n, meta, buf, len);
		break;
	case XTR_MSG_INFO:
		xtr_count(env, RX_INFO);
		xtr_count(env, DROP_ROLE);
		break;
	case -EBADMSG: xtr_count(env, DROP_MALFORMED); break;
	default: xtr_count(env, DROP_UNKNOWN_TYPE);
	}
}

/* Messages between our own roles. Two of them cannot play for ever: what is left waits for the next
 * tick. */
static void run_direct(struct xtr_node *n)
{
	struct xtr_env *env = &n->env;

	for (unsigned i = 0; i < DIRECT_A_TURN && env->direct; i++) {
		struct xtr_direct *d = env->direct;

		env->direct = d->next;
		if (!env->direct)
			env->direct_end = &env->direct;
		env->direct_count--;
		env->dropped = 0;
		dispatch(n, &d->meta, d->buf, d->len);
		xtr_env_tell_drop(&n->env, &d->meta, d->buf, d->len);
		free(d);
	}
}

/* What was sent to a group is for its members only. */
static bool group_allows(struct xtr_node *n, const struct xtr_msg_meta *meta, const uint8_t *buf,
			 size_t len)
{
	if (!meta->overlay && !xtr_ip_is_multicast(&meta->dst))
		return true;
	if (n->decent.push)
		return xtr_push_accepts(n->decent.push, meta, buf, len);
	xtr_count(&n->env, DROP_GROUP);
	return false;
}

void xtr_node_input(struct xtr_node *n, const struct xtr_msg_meta *meta, const uint8_t *buf,
		    size_t len, uint64_t now)
{
	n->env.now = now;
	xtr_count(&n->env, RX);
	if (meta->sport != XTR_PORT && meta->dport != XTR_PORT) { /* RFC 9301 5 */
		xtr_count(&n->env, DROP_PORT);
		return;
	}
	if (len > XTR_MSG_MAX) {
		xtr_count(&n->env, DROP_MALFORMED);
		return;
	}
	n->env.dropped = 0;
	if (group_allows(n, meta, buf, len))
		dispatch(n, meta, buf, len);
	xtr_env_tell_drop(&n->env, meta, buf, len);
	run_direct(n);
}

void xtr_node_ahead(const struct xtr_node *n, const struct xtr_node_next *next, unsigned count)
{
	if (n->ms)
		xtr_ms_ahead(n->ms, next, count);
}

void xtr_node_unsent(struct xtr_node *n, uint16_t dport, const void *buf, size_t len, const void *note)
{
	xtr_env_unsent(&n->env, dport, buf, len, note);
}

uint64_t xtr_node_tick(struct xtr_node *n, uint64_t now)
{
	uint64_t next;
	bool more;

	n->env.now = now;
	run_direct(n);
	xtr_env_batch(&n->env, true);
	xtr_timers_run(&n->env.timers, now, TIMERS_A_TICK);
	more = n->itr && xtr_itr_work(n->itr);
	xtr_env_batch(&n->env, false);
	run_direct(n);
	next = xtr_timers_next(&n->env.timers);
	return n->env.direct || more ? now : next;
}

static bool miss(struct xtr_node *n, const struct xtr_eid_prefix *eid,
		 const struct xtr_eid_prefix *src, bool again, uint64_t now)
{
	bool asked;

	n->env.now = now;
	xtr_count(&n->env, MISS);
	asked = n->itr && xtr_itr_miss(n->itr, eid, src, again);
	run_direct(n);
	return asked;
}

bool xtr_node_miss(struct xtr_node *n, const struct xtr_eid_prefix *eid,
		   const struct xtr_eid_prefix *src, uint64_t now)
{
	return miss(n, eid, src, false, now);
}

bool xtr_node_miss_again(struct xtr_node *n, const struct xtr_eid_prefix *eid,
			 const struct xtr_eid_prefix *src, uint64_t now)
{
	return miss(n, eid, src, true, now);
}

/* ---- life */

static int own_database(struct xtr_env *env)
{
	int r = 0;

	xtr_eiddb_free(&env->own, NULL);
	for (unsigned i = 0; i < env->cfg.mapping_count && !r; i++)
		r = xtr_eiddb_set(&env->own, &env->cfg.mappings[i].eid,
				  (void *)&env->cfg.mappings[i], NULL, NULL);
	return r;
}

/*
 * Limits that are not set get their defaults: 0 would stop the role. Timers only if none is set:
 * some mean what they say when they are 0 (no quick registration, no hold-off).
 */
static void fill_defaults(struct xtr_node_config *c)
{
	static const struct xtr_node_timers t = XTR_NODE_TIMERS_DEFAULT, unset;
	static const struct xtr_node_limits l = XTR_NODE_LIMITS_DEFAULT;

	if (!memcmp(&c->timers, &unset, sizeof(unset)))
		c->timers = t;
	c->limits.cache_entries = c->limits.cache_entries ? c->limits.cache_entries
							  : l.cache_entries;
	c->limits.pending_requests = c->limits.pending_requests ? c->limits.pending_requests
								: l.pending_requests;
	c->limits.registrations = c->limits.registrations ? c->limits.registrations
							  : l.registrations;
	c->limits.requests_per_second = c->limits.requests_per_second
						? c->limits.requests_per_second
						: l.requests_per_second;
	c->limits.replies_per_second = c->limits.replies_per_second ? c->limits.replies_per_second
								    : l.replies_per_second;
	c->limits.replies_per_rloc = c->limits.replies_per_rloc ? c->limits.replies_per_rloc
								: l.replies_per_rloc;
}

/* A member of a seed-group registers its membership, whether it has EID-prefixes of its own or not. */
static bool wants_etr(const struct xtr_node_config *c)
{
	for (unsigned i = 0; i < c->decent.group_count; i++)
		if (c->decent.groups[i].member)
			return true;
	return c->etr;
}

/* Roles that are configured and not there yet. */
static int start_roles(struct xtr_node *n)
{
	struct xtr_env *env = &n->env;
	int r = 0;

	if (env->cfg.ms && !n->ms)
		r = xtr_ms_new(env, &n->ms);
	if (!r && env->cfg.mr && !n->mr)
		r = xtr_mr_new(env, &n->mr);
	if (!r && wants_etr(&env->cfg) && !n->etr)
		r = xtr_etr_new(env, &n->etr);
	if (!r && env->cfg.itr && !n->itr)
		r = xtr_itr_new(env, &n->itr);
	env->recent_peers = n->itr ? xtr_itr_recent_peers : NULL;
	env->recent_ctx = n->itr;
	env->appeared = n->itr ? xtr_itr_appeared : NULL;
	env->appeared_ctx = n->itr;
	if (!r && !n->lig)
		r = xtr_lig_new(env, &n->lig);
	return r;
}

int xtr_node_new(const struct xtr_node_config *cfg, const struct xtr_ops *ops, uint64_t now,
		 struct xtr_node **out)
{
	struct xtr_node *n = calloc(1, sizeof(*n));
	struct xtr_env *env;
	int r;

	if (!n)
		return -ENOMEM;
	env = &n->env;
	env->cfg = *cfg;
	fill_defaults(&env->cfg);
	env->ops = *ops;
	env->now = now;
	env->direct_end = &env->direct;
	n->decent.env = env;
	xtr_timers_init(&env->timers);
	xtr_eiddb_init(&env->own);
	xtr_nonce_open(&env->nonces, &env->ops);
	xtr_env_set_up(env, NULL, 0);
	r = xtr_reply_limit_init(&env->replies, env->cfg.limits.replies_per_second);
	if (!r)
		r = own_database(env);
	if (!r)
		r = xtr_decent_configure(&n->decent);
	if (!r)
		r = start_roles(n);
	if (r) {
		xtr_node_free(n);
		return r;
	}
	*out = n;
	return 0;
}

static void stop_roles(struct xtr_node *n)
{
	const struct xtr_node_config *c = &n->env.cfg;

	if (!c->itr) {
		xtr_itr_free(n->itr, true);
		n->itr = NULL;
		n->env.recent_peers = NULL;
		n->env.appeared = NULL;
	}
	if (!c->ms) {
		xtr_ms_free(n->ms);
		n->ms = NULL;
	}
	if (!c->mr) {
		xtr_mr_free(n->mr);
		n->mr = NULL;
	}
}

int xtr_node_reconfigure(struct xtr_node *n, const struct xtr_node_config *cfg, uint64_t now)
{
	struct xtr_env *env = &n->env;
	bool had_etr = n->etr, had_itr = n->itr;
	int r, r2;

	env->now = now;
	env->cfg = *cfg;
	fill_defaults(&env->cfg);
	if (!cfg->etr) { /* withdraws all: nothing is registered any more */
		env->cfg.mapping_count = env->cfg.map_server_count = 0;
	}
	r = own_database(env);
	if (xtr_env_set_up(env, n->up_known ? n->host_up : NULL, n->host_up_count) && n->etr)
		xtr_etr_rlocs_changed(n->etr);
	r2 = xtr_decent_configure(&n->decent);
	r = r ? r : r2;
	if (had_etr) {
		r2 = xtr_etr_reconfigure(n->etr);
		r = r ? r : r2;
		if (!wants_etr(cfg)) {
			xtr_etr_free(n->etr);
			n->etr = NULL;
		}
	}
	env->cfg.mapping_count = cfg->mapping_count;
	env->cfg.map_server_count = cfg->map_server_count;
	r2 = own_database(env);
	r = r ? r : r2;
	stop_roles(n);
	if (n->ms) {
		r2 = xtr_ms_reconfigure(n->ms);
		r = r ? r : r2;
	}
	if (n->itr) {
		r2 = xtr_itr_reconfigure(n->itr);
		r = r ? r : r2;
	}
	xtr_lig_reconfigure(n->lig);
	r2 = start_roles(n);
	if (!had_itr && n->itr)
		xtr_itr_restore(n->itr);
	xtr_node_tick(n, now);
	return r ? r : r2;
}

void xtr_node_free(struct xtr_node *n)
{
	struct xtr_env *env;

	if (!n)
		return;
	env = &n->env;
	xtr_lig_free(n->lig);
	xtr_itr_free(n->itr, false);
	xtr_etr_free(n->etr);
	xtr_mr_free(n->mr);
	xtr_ms_free(n->ms);
	xtr_decent_free(&n->decent);
	xtr_nonce_close(&env->nonces, &env->ops);
	while (env->direct) {
		struct xtr_direct *d = env->direct;

		env->direct = d->next;
		free(d);
	}
	xtr_eiddb_free(&env->own, NULL);
	xtr_reply_limit_free(&env->replies);
	xtr_timers_free(&env->timers);
	free(n);
}

void xtr_node_rlocs_up(struct xtr_node *n, const struct xtr_ip *up, unsigned count, uint64_t now)
{
	n->env.now = now;
	n->up_known = true;
	n->host_up_count = count < XTR_UP_MAX ? count : XTR_UP_MAX;
	if (n->host_up_count)
		memcpy(n->host_up, up, n->host_up_count * sizeof(*up));
	if (!xtr_env_set_up(&n->env, n->host_up, n->host_up_count))
		return;
	if (n->etr)
		xtr_etr_rlocs_changed(n->etr);
	if (n->itr)
		xtr_itr_rlocs_changed(n->itr);
	if (n->decent.push)
		xtr_push_rlocs_changed(n->decent.push);
	if (n->decent.pull)
		xtr_pull_retry(n->decent.pull);
	xtr_node_tick(n, now);
}

/* ---- LISP-Decent */

void xtr_node_resolved(struct xtr_node *n, uint32_t id, const struct xtr_dns_answer *answer,
		       uint64_t now)
{
	n->env.now = now;
	if (!n->decent.pull)
		return;
	xtr_pull_resolved(n->decent.pull, id, answer);
	/* Questions that waited for it. */
	if (n->itr)
		xtr_itr_found(n->itr);
	xtr_lig_found(n->lig);
	if (n->mr)
		xtr_mr_found(n->mr);
	xtr_node_tick(n, now);
}

struct name_walk {
	struct xtr_node *n;
	int (*fn)(void *, const struct xtr_name_info *);
	void *arg;
};

/* Which addresses do not answer only the ITR knows. */
static int show_name(void *ctx, const struct xtr_name_info *info)
{
	struct name_walk *walk = ctx;
	struct xtr_name_info out = *info;

	for (unsigned i = 0; i < out.count && walk->n->itr; i++)
		out.resting[i] = xtr_resolvers_resting(&walk->n->itr->resolvers, &walk->n->env,
						       &out.addrs[i]);
	return walk->fn(walk->arg, &out);
}

int xtr_node_walk_names(struct xtr_node *n, uint64_t now,
			int (*fn)(void *, const struct xtr_name_info *), void *arg)
{
	struct name_walk walk = { n, fn, arg };

	n->env.now = now;
	return n->decent.pull ? xtr_pull_walk(n->decent.pull, show_name, &walk) : 0;
}

int xtr_node_walk_groups(struct xtr_node *n, uint64_t now,
			 int (*fn)(void *, const struct xtr_group_info *), void *arg)
{
	n->env.now = now;
	return n->decent.push ? xtr_push_walk(n->decent.push, fn, arg) : 0;
}

const struct xtr_pull_config *xtr_node_pull(const struct xtr_node *n, uint64_t now,
					    const struct xtr_pull_config **old, uint64_t *left_ms)
{
	*old = NULL;
	*left_ms = 0;
	return n->decent.pull ? xtr_pull_params(n->decent.pull, now, old, left_ms) : NULL;
}

/* ---- for the data plane and xtrctl */

void xtr_node_adopt(struct xtr_node *n, const struct xtr_eid_prefix *eid, const struct xtr_fwd *fwd,
		    uint64_t now)
{
	n->env.now = now;
	/* No ITR, or ours now: it must not stay in the kernel. */
	if (!n->itr || xtr_eiddb_match(&n->env.own, eid, NULL) ||
	    xtr_itr_set(n->itr, eid, fwd, XTR_CACHE_ADOPTED))
		n->env.ops.cache_del(n->env.ops.ctx, eid);
}

int xtr_node_restore(struct xtr_node *n, uint64_t now)
{
	n->env.now = now;
	return n->itr ? xtr_itr_restore(n->itr) : 0;
}

int xtr_node_walk_cache(struct xtr_node *n, const struct xtr_cache_part *part, uint64_t now,
			int (*fn)(void *, const struct xtr_cache_info *), void *arg)
{
	n->env.now = now;
	return n->itr ? xtr_itr_walk_cache(n->itr, part, fn, arg) : 0;
}

void xtr_node_batch(struct xtr_node *n, bool begin)
{
	xtr_env_batch(&n->env, begin);
	if (n->itr)
		xtr_itr_batch(n->itr, begin);
}

void xtr_node_refused(struct xtr_node *n, const struct xtr_eid_prefix *eid, uint64_t now)
{
	n->env.now = now;
	if (n->itr)
		xtr_itr_refused(n->itr, eid);
}

int xtr_node_evict(struct xtr_node *n, const struct xtr_eid_prefix *eid, uint64_t now)
{
	n->env.now = now;
	return n->itr ? xtr_itr_evict(n->itr, eid) : -ENOENT;
}

unsigned xtr_node_tables(const struct xtr_node *n, struct xtr_table_info out[XTR_TABLES_MAX])
{
	const struct xtr_node_limits *l = &n->env.cfg.limits;
	unsigned k = 0;

	if (n->itr) {
		out[k++] = (struct xtr_table_info){ "map-cache", "limits.cache-entries",
						    xtr_mapcache_count(&n->itr->cache), l->cache_entries };
		out[k++] = (struct xtr_table_info){ "pending-requests", "limits.pending-requests",
						    n->itr->pending.count, l->pending_requests };
	}
	if (n->ms)
		out[k++] = (struct xtr_table_info){ "registrations", "limits.registrations", n->ms->db.count,
						    l->registrations };
	return k;
}

int xtr_node_walk_pending(struct xtr_node *n, uint64_t now,
			  int (*fn)(void *, const struct xtr_pending_info *), void *arg)
{
	n->env.now = now;
	return n->itr ? xtr_itr_walk_pending(n->itr, fn, arg) : 0;
}

unsigned xtr_node_cache_clear(struct xtr_node *n, const struct xtr_eid_prefix *inside, unsigned max,
			      uint64_t now)
{
	n->env.now = now;
	return n->itr ? xtr_itr_unset(n->itr, inside, max) : 0;
}

int xtr_node_cache_add(struct xtr_node *n, const struct xtr_eid_prefix *eid,
		       const struct xtr_fwd *fwd, uint64_t now)
{
	n->env.now = now;
	return n->itr ? xtr_itr_add(n->itr, eid, fwd) : -ENOTSUP;
}

int xtr_node_walk_db(struct xtr_node *n, uint64_t now,
		     int (*fn)(void *, const struct xtr_db_info *), void *arg)
{
	return xtr_node_walk_db_from(n, 0, now, fn, arg);
}

int xtr_node_walk_db_from(struct xtr_node *n, uint64_t skip, uint64_t now,
			  int (*fn)(void *, const struct xtr_db_info *), void *arg)
{
	n->env.now = now;
	return n->etr ? xtr_etr_walk_db(n->etr, skip, fn, arg) : 0;
}

int xtr_node_walk_sites(struct xtr_node *n, uint64_t now,
			int (*fn)(void *, const struct xtr_site_info *), void *arg)
{
	return xtr_node_walk_site_part(n, NULL, now, fn, arg);
}

int xtr_node_walk_site_part(struct xtr_node *n, const struct xtr_cache_part *part, uint64_t now,
			    int (*fn)(void *, const struct xtr_site_info *), void *arg)
{
	n->env.now = now;
	return n->ms ? xtr_ms_walk_sites(n->ms, part, fn, arg) : 0;
}

int xtr_node_lig(struct xtr_node *n, const struct xtr_eid_prefix *eid, const struct xtr_ip *to,
		 void (*done)(void *arg, const struct xtr_lig_result *res), void *arg, uint64_t now)
{
	n->env.now = now;
	/* done is never called from here: an answer from this very node waits for the next tick. */
	return xtr_lig_start(n->lig, eid, to, done, arg);
}
