// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ETR, the registering side. RFC 9301 5.6, 5.7, 8.2.
 *
 * The database is cut into batches that fit into one Map-Register each. All batches of a Map-Server
 * go out together, every 20 s in the five minutes after a start or a change, every 60 s later. A
 * batch that asked for a Map-Notify and got none goes out again after 1, 2, 4 ... 60 s. Every
 * message has a new, greater nonce (the Map-Server drops others); a Map-Notify for any of the last
 * few counts as acknowledgement.
 *
 * Owns servers, batches and items. An item points at the mapping in the configuration of the node,
 * or at a membership of the push role.
 */
#include "roles/etr.h"

#include "codec/auth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WITHDRAW_TRIES 5
#define LOST_AFTER 3    /* unanswered Map-Registers before it is worth an event */
#define NOTIFY_EVERY 10 /* in the steady state every tenth Map-Register asks for a Map-Notify */
#define MSG_HEAD 16
#define IDS 24

/* ---- batches */

static void batch_free(struct xtr_etr_batch *b)
{
	xtr_timer_cancel(&b->srv->etr->env->timers, &b->timer);
	xtr_etr_group_forget(b);
	free(b->items);
	free(b);
}

void xtr_etr_batches_free(struct xtr_etr_server *srv)
{
	struct xtr_etr_batch *b;

	while ((b = srv->batches)) {
		srv->batches = b->next;
		batch_free(b);
	}
}

static struct xtr_etr_batch *batch_add(struct xtr_etr_server *srv, unsigned max_items)
{
	struct xtr_etr_batch *b = calloc(1, sizeof(*b)), **end = &srv->batches;

	if (b)
		b->items = calloc(max_items, sizeof(*b->items));
	if (!b || !b->items) {
		free(b);
		return NULL;
	}
	b->srv = srv;
	b->timer.kind = XTR_TIMER_ETR_BATCH;
	b->last_sent = b->last_ack = XTR_NEVER;
	while (*end)
		end = &(*end)->next;
	*end = b;
	return b;
}

static void put_item(const struct xtr_env *env, struct xtr_wr *w, const struct xtr_etr_item *item,
		     size_t room)
{
	static const struct xtr_record_head gone = { .ttl = 0, .authoritative = true };
	const struct xtr_etr_record r = { .eid = &item->eid, .map = item->map, .room = room };
	struct xtr_etr_record full = r;

	if (!item->map) {
		xtr_put_record_end(w, xtr_put_record_begin(w, &gone, &item->eid), 0);
		return;
	}
	full.ttl_min = item->map->ttl_min;
	xtr_etr_put_record(env, w, &full);
}

static size_t batch_room(const struct xtr_etr_server *srv)
{
	int auth = xtr_auth_len(srv->cfg.key.alg_id);

	return xtr_env_room(srv->cfg.address.family) - MSG_HEAD - (size_t)(auth < 0 ? 0 : auth) -
	       (srv->etr->env->cfg.has_ids ? IDS : 0);
}

/* Cuts n items into batches by size. */
int xtr_etr_make_batches(struct xtr_etr_server *srv, const struct xtr_etr_item *items, unsigned n,
			bool withdraw)
{
	const struct xtr_env *env = srv->etr->env;
	size_t room = batch_room(srv), used = 0;
	struct xtr_etr_batch *b = NULL;
	uint8_t buf[8192];

	for (unsigned i = 0; i < n; i++) {
		struct xtr_wr w = xtr_wr_init(buf, sizeof(buf));
		size_t len;

		put_item(env, &w, &items[i], room);
		len = xtr_wr_len(&w);
		/* A membership goes alone: at the Map-Server it belongs to another site than our
		 * EID-prefixes. */
		if (!b || used + len > room || b->count == 255 ||
		    !b->items[0].eid.group_len != !items[i].eid.group_len) {
			b = batch_add(srv, n - i < 255 ? n - i : 255);
			if (!b)
				return -ENOMEM;
			b->withdraw = withdraw;
			used = 0;
		}
		b->items[b->count++] = items[i];
		used += len;
	}
	return 0;
}

/* ---- sending */

static void transmit(struct xtr_etr_batch *b, const struct xtr_ip *to, const void *buf, size_t len)
{
	struct xtr_env *env = b->srv->etr->env;

	if (!xtr_ip_is_multicast(to))
		xtr_env_send(env, NULL, to, XTR_PORT, buf, len, XTR_NODE_TX_MAP_REGISTER);
	else if (env->find.send_group)
		env->find.send_group(env->find.ctx, to, buf, len, XTR_NODE_TX_MAP_REGISTER);
}

uint64_t xtr_etr_batch_send(struct xtr_etr_batch *b, const struct xtr_ip *to, bool want_notify)
{
	struct xtr_etr_server *srv = b->srv;
	struct xtr_env *env = srv->etr->env;
	const struct xtr_map_server_config *ms = &srv->cfg;
	struct xtr_register_out head = {
		.type = XTR_MSG_MAP_REGISTER,
		.key_id = ms->key.key_id,
		.alg_id = ms->key.alg_id,
		.flags = (ms->proxy_reply ? XTR_REG_P : 0) | (ms->use_ttl ? XTR_REG_T : 0) |
			 (ms->merge ? XTR_REG_MERGE : 0) | (env->cfg.has_ids ? XTR_REG_I : 0) |
			 (want_notify ? XTR_REG_M : 0),
		.record_count = (uint8_t)b->count,
	};
	int auth_len = xtr_auth_len(ms->key.alg_id);
	size_t room = batch_room(srv);
	uint8_t buf[8192];
	struct xtr_wr w = xtr_wr_init(buf, sizeof(buf));
	char ip[XTR_IP_STRLEN];

	if (!xtr_env_rloc(env, to->family))
		return 0; /* shown as the problem of the mapping; goes out when an RLOC comes up */
	head.nonce = xtr_nonce_next(&env->nonces, &env->ops);
	xtr_register_begin(&w, &head);
	for (unsigned i = 0; i < b->count; i++)
		put_item(env, &w, &b->items[i], room);
	if (env->cfg.has_ids)
		xtr_put_ids(&w, env->cfg.xtr_id, env->cfg.site_id);
	if (w.err ||
	    xtr_auth_sign(buf, xtr_wr_len(&w), MSG_HEAD, (size_t)auth_len, XTR_MSG_MAP_REGISTER,
			  ms->key.alg_id, head.nonce, ms->key.secret, ms->key.secret_len)) {
		xtr_count(env, TX_FAILED);
		return 0;
	}
	b->sent++;
	b->last_sent = env->now;
	transmit(b, to, buf, xtr_wr_len(&w));
	xtr_env_event(env, XTR_EVENT_REGISTER_SENT, &b->items[0].eid,
		      "to Map-Server %s, %u records%s", xtr_ip_str(to, ip), b->count,
		      b->withdraw ? ", withdrawn" : "");
	return head.nonce;
}

void xtr_etr_send(struct xtr_etr_batch *b, bool want_notify)
{
	uint64_t nonce = xtr_etr_batch_send(b, &b->srv->cfg.address, want_notify);

	if (!nonce || !want_notify)
		return;
	b->nonces[b->nonce_at] = nonce;
	b->nonce_at = (b->nonce_at + 1) % XTR_ETR_NONCES;
	xtr_etr_group_sent(b);
}

void xtr_etr_arm_retry(struct xtr_etr_batch *b)
{
	struct xtr_env *env = b->srv->etr->env;
	const struct xtr_node_timers *t = &env->cfg.timers;
	uint64_t delay = t->notify_retry_first;

	for (unsigned i = 0; i < b->tries && delay < t->notify_retry_max; i++)
		delay *= 2;
	if (delay > t->notify_retry_max)
		delay = t->notify_retry_max;
	xtr_timer_set(&env->timers, &b->timer, env->now + delay);
}

/* One round of all batches. What waits for an acknowledgement keeps its own schedule besides. */
static void register_all(struct xtr_etr_server *srv)
{
	bool quick = srv->etr->env->now < srv->quick_until;

	for (struct xtr_etr_batch *b = srv->batches; b; b = b->next) {
		bool m = srv->cfg.want_notify &&
			 (quick || !b->acked || b->sent % NOTIFY_EVERY == 0);

		if (b->withdraw)
			continue;
		xtr_etr_send(b, m);
		if (m && !xtr_timer_armed(&b->timer)) {
			b->tries = 0;
			xtr_etr_arm_retry(b);
		}
	}
}

static void server_timer(void *ctx, struct xtr_timer *t)
{
	struct xtr_etr_server *srv = xtr_timer_owner(t, struct xtr_etr_server, timer);
	struct xtr_env *env = srv->etr->env;
	const struct xtr_node_timers *c = &env->cfg.timers;
	uint32_t wait = env->now < srv->quick_until ? c->quick_interval : c->register_interval;

	register_all(srv);
	/* An interval of 0 would never let go. */
	xtr_timer_set(&env->timers, &srv->timer, env->now + (wait ? wait : 1000));
}

void xtr_etr_server_free(struct xtr_etr_server *srv)
{
	xtr_timer_cancel(&srv->etr->env->timers, &srv->timer);
	xtr_etr_batches_free(srv);
	free(srv);
}

void xtr_etr_batch_done(struct xtr_etr_batch *b)
{
	struct xtr_etr_batch **link = &b->srv->batches;

	while (*link != b)
		link = &(*link)->next;
	*link = b->next;
	batch_free(b);
}

static void batch_timer(void *ctx, struct xtr_timer *t)
{
	struct xtr_etr_batch *b = xtr_timer_owner(t, struct xtr_etr_batch, timer);
	struct xtr_env *env = b->srv->etr->env;
	char ip[XTR_IP_STRLEN];

	b->tries++;
	b->acked = false;
	if (b->withdraw && b->tries >= WITHDRAW_TRIES) {
		xtr_etr_batch_done(b);
		return;
	}
	if (b->tries == LOST_AFTER && !b->lost) {
		b->lost = true;
		xtr_env_event(env, XTR_EVENT_REGISTER_LOST, &b->items[0].eid,
			      "Map-Server %s does not confirm",
			      xtr_ip_str(&b->srv->cfg.address, ip));
	}
	xtr_etr_send(b, true);
	xtr_etr_arm_retry(b);
}

/* ---- Map-Notify */

static bool is_among(const uint64_t nonces[XTR_ETR_NONCES], uint64_t nonce)
{
	for (unsigned i = 0; i < XTR_ETR_NONCES; i++)
		if (nonce && nonces[i] == nonce)
			return true;
	return false;
}

/* Can it be an answer of this Map-Server? Nonces of two routers that started in the same second
 * are the same, so that the nonce of an unsolicited Map-Notify may be one of ours. */
static bool from_server(const struct xtr_etr_server *srv, const struct xtr_ip *from, bool any)
{
	if (xtr_etr_is_group(srv))
		return !any && xtr_etr_group_has(srv, from);
	/* It may answer from another address than it is configured with. */
	return any || !xtr_ip_cmp(&srv->cfg.address, from);
}

static struct xtr_etr_batch *find_among(const struct xtr_etr *etr, uint64_t nonce,
					const struct xtr_ip *from, bool any)
{
	for (unsigned s = 0; s < etr->server_count; s++)
		for (struct xtr_etr_batch *b = etr->servers[s]->batches; b; b = b->next)
			if (is_among(b->nonces, nonce) && from_server(b->srv, from, any))
				return b;
	return NULL;
}

static struct xtr_etr_batch *find_nonce(const struct xtr_etr *etr, uint64_t nonce,
					const struct xtr_ip *from)
{
	struct xtr_etr_batch *b = find_among(etr, nonce, from, false);

	if (!b)
		b = xtr_etr_group_nonce(etr, nonce, from);
	return b ? b : find_among(etr, nonce, from, true);
}

static bool group_sent(const struct xtr_etr *etr, uint64_t nonce)
{
	for (unsigned s = 0; s < etr->server_count; s++)
		for (struct xtr_etr_batch *b = etr->servers[s]->batches; b; b = b->next)
			if (xtr_etr_is_group(b->srv) && is_among(b->nonces, nonce))
				return true;
	return false;
}

static bool record_for(const struct xtr_register *m, const struct xtr_eid_prefix *eid)
{
	struct xtr_records it = m->records;
	struct xtr_record rec;
	struct xtr_eid_prefix e;

	while (xtr_record_next(&it, &rec))
		if (rec.locator_count && !xtr_eid_from_addr(&rec.eid, rec.mask_len, &e, NULL) &&
		    xtr_eid_equal(&e, eid))
			return true;
	return false;
}

static void acknowledged(struct xtr_etr_batch *b, const struct xtr_register *m)
{
	struct xtr_env *env = b->srv->etr->env;
	unsigned refused = 0;
	char ip[XTR_IP_STRLEN];

	xtr_timer_cancel(&env->timers, &b->timer);
	/* Of a group each member confirms by itself. */
	if (!xtr_etr_is_group(b->srv))
		memset(b->nonces, 0, sizeof(b->nonces));
	b->tries = 0;
	b->acked = true;
	b->lost = false;
	b->notifies++;
	b->last_ack = env->now;
	for (unsigned i = 0; i < b->count; i++) {
		b->items[i].refused = b->items[i].map && b->items[i].map->rloc_count &&
				      !record_for(m, &b->items[i].eid);
		refused += b->items[i].refused;
	}
	xtr_env_event(env, XTR_EVENT_REGISTER_ACKED, &b->items[0].eid,
		      "by Map-Server %s, %u of %u EID-prefixes",
		      xtr_ip_str(&b->srv->cfg.address, ip), b->count - refused, b->count);
	if (b->withdraw && !xtr_etr_group_waits(b))
		xtr_etr_batch_done(b);
}

static struct xtr_etr_server *server_of(const struct xtr_etr *etr, const struct xtr_ip *ip)
{
	for (unsigned i = 0; i < etr->server_count; i++)
		if (!xtr_ip_cmp(&etr->servers[i]->cfg.address, ip))
			return etr->servers[i];
	return NULL;
}

void xtr_etr_notify(struct xtr_etr *etr, const struct xtr_msg_meta *meta, const uint8_t *buf,
		    size_t len)
{
	struct xtr_env *env = etr->env;
	struct xtr_etr_server *srv;
	struct xtr_etr_batch *b;
	struct xtr_register m;
	int r = xtr_register_decode_head(buf, len, &m);

	if (r) {
		xtr_env_bad(env, r);
		return;
	}
	b = find_nonce(etr, m.nonce, &meta->src);
	srv = b ? b->srv : server_of(etr, &meta->src);
	if (!srv)
		srv = xtr_etr_group_of(etr, &meta->src, &m);
	if (!srv) {
		/* A member of a group that we do not know yet confirms, too: no harm. */
		if (!group_sent(etr, m.nonce))
			xtr_count(env, DROP_NONCE);
		return;
	}
	if (!xtr_key_signed(&srv->cfg.key, &m)) {
		xtr_count(env, DROP_AUTH);
		return;
	}
	r = xtr_register_decode_body(&m);
	if (r) {
		xtr_env_bad(env, r);
		return;
	}
	if (b) {
		if (xtr_etr_group_confirms(b, m.nonce, &meta->src))
			acknowledged(b, &m);
		return;
	}
	if (xtr_etr_is_group(srv)) { /* what it says is for the role that knows the groups */
		xtr_env_ack(env, meta, &m, &srv->cfg.key);
		return;
	}
	/* Unsolicited: acknowledged, each time it comes, or the Map-Server repeats it (RFC 9301 5.7). Whatever its nonce:
	 * only those of Map-Registers and of publications grow, some Map-Servers draw these at random. Nothing here changes
	 * by it, so an old one that is sent again does no harm. */
	xtr_env_ack(env, meta, &m, &srv->cfg.key);
}

/* ---- life */

void xtr_etr_restart(struct xtr_etr_server *srv)
{
	struct xtr_env *env = srv->etr->env;

	srv->quick_until = env->now + env->cfg.timers.quick_duration;
	xtr_timer_set(&env->timers, &srv->timer, env->now);
}

/* True if we register under other IDs than before. */
static bool new_ids(struct xtr_etr *etr)
{
	const struct xtr_node_config *cfg = &etr->env->cfg;
	uint8_t ids[24];
	bool changed;

	memcpy(ids, cfg->xtr_id, 16);
	memcpy(ids + 16, cfg->site_id, 8);
	changed = cfg->has_ids != etr->had_ids ||
		  (cfg->has_ids && memcmp(ids, etr->ids, sizeof(ids)));
	etr->had_ids = cfg->has_ids;
	memcpy(etr->ids, ids, sizeof(ids));
	return changed;
}

int xtr_etr_reconfigure(struct xtr_etr *etr)
{
	return xtr_etr_apply(etr, new_ids(etr));
}

void xtr_etr_rlocs_changed(struct xtr_etr *etr)
{
	for (unsigned i = 0; i < etr->server_count; i++)
		xtr_etr_restart(etr->servers[i]);
	for (unsigned i = 0; i < etr->env->cfg.mapping_count; i++)
		xtr_etr_smr(etr, &etr->env->cfg.mappings[i].eid);
}

int xtr_etr_new(struct xtr_env *env, struct xtr_etr **out)
{
	struct xtr_etr *etr = calloc(1, sizeof(*etr));
	int r;

	if (!etr)
		return -ENOMEM;
	etr->env = env;
	etr->smr.timer.kind = XTR_TIMER_ETR_SMR;
	xtr_eiddb_init(&etr->smr.changes);
	etr->targets.kind = XTR_TIMER_ETR_TARGETS;
	xtr_timers_kind(&env->timers, XTR_TIMER_ETR_SMR, xtr_etr_smr_timer, etr);
	xtr_timers_kind(&env->timers, XTR_TIMER_ETR_SERVER, server_timer, etr);
	xtr_timers_kind(&env->timers, XTR_TIMER_ETR_BATCH, batch_timer, etr);
	xtr_timers_kind(&env->timers, XTR_TIMER_ETR_TARGETS, xtr_etr_targets_timer, etr);
	xtr_etr_group_init(etr);
	env->retarget = xtr_etr_retarget;
	env->etr_ctx = etr;
	r = xtr_etr_reconfigure(etr);
	if (r) {
		xtr_etr_free(etr);
		return r;
	}
	*out = etr;
	return 0;
}

void xtr_etr_free(struct xtr_etr *etr)
{
	if (!etr)
		return;
	etr->env->retarget = NULL;
	xtr_etr_smr_free(etr);
	xtr_timer_cancel(&etr->env->timers, &etr->targets);
	xtr_etr_group_free(etr);
	for (unsigned i = 0; i < etr->server_count; i++)
		xtr_etr_server_free(etr->servers[i]);
	free(etr->servers);
	free(etr);
}
