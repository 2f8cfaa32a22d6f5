// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Map-Server: unsolicited Map-Notify. When the merged locator-set of an EID-prefix changes, the
 * other registrants learn the full set. Repeated three times at a fixed interval and three times
 * with doubling delays, until a Map-Notify-Ack comes (RFC 9301 5.7). At most XTR_MS_NOTIFIES_MAX
 * are waiting.
 *
 * Owns the notifies. A notify holds copies of everything it needs but the secret, which lives in
 * the configuration: so reconfigure drops them all.
 */
#include "roles/ms.h"

#include "codec/auth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EQUAL_TRIES 3
#define ALL_TRIES 6

struct xtr_ms_notify {
	struct xtr_ms_notify *next;
	struct xtr_ms *ms;
	struct xtr_timer timer;
	const struct xtr_key *key;
	struct xtr_registrant_key who;
	struct xtr_eid_prefix eid;
	struct xtr_ip to, from;
	uint64_t nonce;
	unsigned tries; /* retransmissions */
	size_t len;
	uint8_t msg[];
};

static void remove_link(struct xtr_ms_notify **link)
{
	struct xtr_ms_notify *n = *link;

	*link = n->next;
	xtr_timer_cancel(&n->ms->env->timers, &n->timer);
	n->ms->notify_count--;
	free(n);
}

void xtr_ms_notify_free_all(struct xtr_ms *ms)
{
	while (ms->notifies)
		remove_link(&ms->notifies);
}

static void send_notify(struct xtr_ms_notify *n)
{
	struct xtr_env *env = n->ms->env;
	uint64_t delay = env->cfg.timers.ms_request_interval;

	xtr_env_answer(env, n->from.family ? &n->from : NULL, &n->to, XTR_PORT, n->msg, n->len,
		       XTR_NODE_TX_MAP_NOTIFY, NULL, 0);
	if (n->tries > EQUAL_TRIES)
		delay <<= n->tries - EQUAL_TRIES;
	xtr_timer_set(&env->timers, &n->timer, env->now + delay);
}

void xtr_ms_notify_timer(void *ctx, struct xtr_timer *t)
{
	struct xtr_ms_notify *n = xtr_timer_owner(t, struct xtr_ms_notify, timer), **link;

	if (++n->tries <= ALL_TRIES) {
		send_notify(n);
		return;
	}
	for (link = &n->ms->notifies; *link != n; link = &(*link)->next)
		;
	remove_link(link);
}

static size_t build(struct xtr_ms *ms, const struct xtr_registration *head,
		    const struct xtr_registration *r, const struct xtr_key *key, uint64_t nonce,
		    uint8_t *buf, size_t size)
{
	const struct xtr_register_out out = {
		.type = XTR_MSG_MAP_NOTIFY,
		.nonce = nonce,
		.key_id = key->key_id,
		.alg_id = key->alg_id,
		.record_count = 1,
		.auth_len = r->who->auth_len,
	};
	const struct xtr_record_head rec = { .ttl = r->ttl_min,
					     .authoritative = true,
					     .map_version = r->map_version };
	struct xtr_wr w = xtr_wr_init(buf, size);
	uint8_t locs[XTR_LOCSET_OCTETS], count;
	struct xtr_eid_prefix eid;
	struct xtr_locset set;
	size_t mark, auth_off = 16,
		     auth = out.auth_len ? out.auth_len : (size_t)xtr_auth_len(key->alg_id);

	xtr_registration_eid(head, &eid);
	xtr_registration_union(head, locs, sizeof(locs), &set);
	xtr_register_begin(&w, &out);
	mark = xtr_put_record_begin(&w, &rec, &eid);
	xtr_ms_put_locators(&w, &set, true, &count);
	xtr_put_record_end(&w, mark, count);
	if (w.err || xtr_auth_sign(buf, xtr_wr_len(&w), auth_off, auth, XTR_MSG_MAP_NOTIFY,
				   key->alg_id, nonce, key->secret, key->secret_len))
		return 0;
	return xtr_wr_len(&w);
}

/* A newer set makes the older Map-Notify to the same registrant pointless; when the table is full
 * the oldest one goes. */
static void make_room(struct xtr_ms *ms, const struct xtr_registrant *who,
		      const struct xtr_eid_prefix *eid)
{
	struct xtr_ms_notify **link = &ms->notifies;

	while (*link) {
		if (!memcmp(&(*link)->who, &who->key, sizeof(who->key)) &&
		    xtr_eid_equal(&(*link)->eid, eid))
			remove_link(link);
		else
			link = &(*link)->next;
	}
	if (ms->notify_count < XTR_MS_NOTIFIES_MAX)
		return;
	for (link = &ms->notifies; (*link)->next; link = &(*link)->next)
		;
	remove_link(link);
}

static void notify_one(struct xtr_ms *ms, const struct xtr_registration *head,
		       const struct xtr_registration *r)
{
	const struct xtr_key *key = xtr_ms_key(r->who->site, r->who->key.key_id);
	struct xtr_env *env = ms->env;
	struct xtr_ms_notify *n;
	struct xtr_eid_prefix eid;
	uint8_t buf[XTR_MS_NOTIFY_OCTETS];
	uint64_t nonce;
	size_t len, room = xtr_env_room(r->who->source.family);

	if (!key)
		return;
	xtr_registration_eid(head, &eid);
	nonce = xtr_nonce_next(&env->nonces, &env->ops);
	/* A replication list is one locator and cannot be split over messages: larger than RFC 9301
	 * 5 wants, or nobody would learn of a large group. */
	len = build(ms, head, r, key, nonce, buf, eid.group_len ? sizeof(buf) : room);
	if (!len) {
		xtr_count(env, TX_FAILED);
		return;
	}
	make_room(ms, r->who, &eid);
	n = calloc(1, sizeof(*n) + len);
	if (!n)
		return;
	n->ms = ms;
	n->timer.kind = XTR_TIMER_MS_NOTIFY;
	n->key = key;
	n->who = r->who->key;
	n->eid = eid;
	n->to = r->who->source;
	n->from = r->who->local;
	n->nonce = nonce;
	n->len = len;
	memcpy(n->msg, buf, len);
	n->next = ms->notifies;
	ms->notifies = n;
	ms->notify_count++;
	send_notify(n);
}

void xtr_ms_notify_change(struct xtr_ms *ms, const struct xtr_registration *head,
			  const struct xtr_registrant *not_to)
{
	struct xtr_eid_prefix eid;

	/* Receivers of a group have no use for the list of all receivers; who has, subscribes or
	 * asks (RFC 8378 5.3, RFC 9437). A seed-group of n would send n * n of them. */
	xtr_registration_eid(head, &eid);
	if (eid.group_len)
		return;
	/* Who registers by way of a group (RFC 9962 4) sends it to many Map-Servers, and is one
	 * itself: it shall not hear of the same change from each of them. */
	for (const struct xtr_registration *r = head; r; r = r->next)
		if (r->who != not_to && r->who->local.family && r->flags & XTR_REGN_MERGE &&
		    r->flags & XTR_REGN_NOTIFY)
			notify_one(ms, head, r);
}

void xtr_ms_notify_ack(struct xtr_ms *ms, const struct xtr_msg_meta *meta, const uint8_t *buf,
		       size_t len)
{
	struct xtr_ms_notify **link;
	struct xtr_register m;
	int r = xtr_register_decode_head(buf, len, &m);

	if (r) {
		xtr_env_bad(ms->env, r);
		return;
	}
	if (xtr_ms_publish_acked(ms, meta, &m))
		return;
	for (link = &ms->notifies; *link && (*link)->nonce != m.nonce; link = &(*link)->next)
		;
	if (!*link) {
		xtr_count(ms->env, DROP_NONCE);
		return;
	}
	if (!xtr_key_signed((*link)->key, &m)) {
		xtr_count(ms->env, DROP_AUTH);
		return;
	}
	/* Its records repeat ours, or there are none: the nonce says it all. But they have to be
	 * well-formed. */
	r = xtr_register_decode_body(&m);
	if (r) {
		xtr_env_bad(ms->env, r);
		return;
	}
	remove_link(link);
}
