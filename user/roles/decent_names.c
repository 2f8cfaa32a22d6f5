// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * LISP-Decent, pull: the DNS names in use. RFC 9962 5, draft-farinacci-lisp-decent-10 5.3.
 *
 * A name is looked up when it is first needed, and then again before its TTL ends, for as long as
 * EID-prefixes of ours belong to it or somebody asked for an EID of it lately. Names nobody needs
 * are forgotten; their number is bounded, since the network decides which EIDs are asked for. Good
 * answers are kept in the state directory for a start without DNS.
 *
 * Owns the names. A name lives in both tables or in none.
 */
#define HASH_NONFATAL_OOM 1
#include "roles/decent_pull.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOB "decent-names"
#define MAGIC 0x58444e31 /* "XDN1" */
#define UNUSED 600000 /* ms after which a name nobody asked for is forgotten */
#define LOST 120000   /* ms without the answer that was promised */
#define SAVE_EVERY 5000

static void ask(struct xtr_pull *p, struct xtr_pull_name *n);

static bool pinned(const struct xtr_pull_name *n)
{
	return n->pins[XTR_PULL_NEW] || n->pins[XTR_PULL_OLD];
}

void xtr_pull_name_text(const struct xtr_pull *p, const struct xtr_pull_name *n,
			char buf[XTR_DECENT_NAME_MAX])
{
	const struct xtr_pull_params *q = &p->params[XTR_PULL_NEW];

	if (!q->used || q->zone != n->key.zone)
		q = &p->params[XTR_PULL_OLD];
	if (xtr_decent_name(n->key.index, q->suffix, buf, XTR_DECENT_NAME_MAX))
		snprintf(buf, XTR_DECENT_NAME_MAX, "%u.?", n->key.index);
}

struct xtr_pull_name *xtr_pull_name_find(const struct xtr_pull *p, uint32_t zone, uint32_t index)
{
	const struct xtr_pull_key key = { zone, index };
	struct xtr_pull_name *n;

	HASH_FIND(hh, p->names, &key, sizeof(key), n);
	return n;
}

void xtr_pull_name_drop(struct xtr_pull *p, struct xtr_pull_name *n)
{
	xtr_timer_cancel(&p->env->timers, &n->timer);
	HASH_DELETE(hh, p->names, n);
	HASH_DELETE(by_id, p->ids, n);
	p->name_count--;
	free(n);
}

/* The one that was needed longest ago. False: all are ours. */
static bool make_room(struct xtr_pull *p)
{
	struct xtr_pull_name *n, *tmp, *victim = NULL;

	if (p->name_count < XTR_PULL_NAMES_MAX)
		return true;
	HASH_ITER(hh, p->names, n, tmp)
		if (!pinned(n) && (!victim || n->used < victim->used))
			victim = n;
	if (victim)
		xtr_pull_name_drop(p, victim);
	return victim;
}

static struct xtr_pull_name *add(struct xtr_pull *p, uint32_t zone, uint32_t index)
{
	struct xtr_pull_name *n = make_room(p) ? calloc(1, sizeof(*n)) : NULL;

	if (!n)
		return NULL;
	n->pull = p;
	n->key = (struct xtr_pull_key){ zone, index };
	n->id = ++p->last_id;
	n->used = p->env->now;
	n->timer.kind = XTR_TIMER_PULL_NAME;
	xtr_nameset_init(&n->set);
	HASH_ADD(hh, p->names, key, sizeof(n->key), n);
	if (!n->hh.tbl) {
		free(n);
		return NULL;
	}
	HASH_ADD(by_id, p->ids, id, sizeof(n->id), n);
	if (!n->by_id.tbl) {
		HASH_DELETE(hh, p->names, n);
		free(n);
		return NULL;
	}
	p->name_count++;
	return n;
}

struct xtr_pull_name *xtr_pull_name(struct xtr_pull *p, unsigned which, uint32_t index)
{
	uint32_t zone = p->params[which].zone;
	struct xtr_pull_name *n = xtr_pull_name_find(p, zone, index);

	if (!n)
		n = add(p, zone, index);
	if (!n)
		return NULL;
	n->used = p->env->now;
	n->is_new |= which == XTR_PULL_NEW;
	if (!n->started)
		ask(p, n);
	return n;
}

void xtr_pull_names_clean(struct xtr_pull *p)
{
	const struct xtr_pull_params *a = &p->params[XTR_PULL_NEW], *b = &p->params[XTR_PULL_OLD];
	struct xtr_pull_name *n, *tmp;

	HASH_ITER(hh, p->names, n, tmp)
		if (!(a->used && n->key.zone == a->zone) && !(b->used && n->key.zone == b->zone))
			xtr_pull_name_drop(p, n);
}

/* ---- lookups */

static void tell(struct xtr_pull *p, const struct xtr_pull_name *n, unsigned news, uint64_t wait)
{
	char name[XTR_DECENT_NAME_MAX], list[XTR_NAME_ADDRS * XTR_IP_STRLEN] = "",
						   ip[XTR_IP_STRLEN];
	const struct xtr_nameset *s = &n->set;
	size_t at = 0;

	if (!news && !s->why[0])
		return;
	xtr_pull_name_text(p, n, name);
	for (unsigned i = 0; i < s->count && at < sizeof(list); i++)
		at += (size_t)snprintf(list + at, sizeof(list) - at, " %s",
				       xtr_ip_str(&s->addrs[i], ip));
	if (news & XTR_NAMESET_CHANGED)
		xtr_env_event(p->env, XTR_EVENT_DNS_CHANGE, NULL, "%s:%s", name, list);
	if (s->why[0])
		xtr_env_event(p->env, XTR_EVENT_DNS_FAIL, NULL, "%s: %s; next try in %llu s", name,
			      s->why, (unsigned long long)(wait + 999) / 1000);
	if (news & XTR_NAMESET_STALE)
		xtr_env_event(p->env, XTR_EVENT_DNS_STALE, NULL, "%s: %s; still used:%s", name,
			      s->why, list);
}

static void save_later(struct xtr_pull *p)
{
	struct xtr_env *env = p->env;
	uint64_t at = env->now;

	if (xtr_timer_armed(&p->save))
		return;
	if (p->saved_at != XTR_NEVER && p->saved_at + SAVE_EVERY > at)
		at = p->saved_at + SAVE_EVERY;
	xtr_timer_set(&env->timers, &p->save, at);
}

static void answered(struct xtr_pull *p, struct xtr_pull_name *n, const struct xtr_dns_answer *a)
{
	struct xtr_env *env = p->env;
	bool was_saved = n->set.saved;
	unsigned news = xtr_nameset_take(&n->set, &p->rules, a, env->now);
	uint64_t wait = xtr_nameset_wait(&n->set, &p->rules, xtr_env_random(env));

	n->asking = false;
	if (n->set.failures)
		xtr_count(env, DNS_FAILURES);
	xtr_timer_set(&env->timers, &n->timer, env->now + wait);
	tell(p, n, news, wait);
	if (news & XTR_NAMESET_CHANGED || (was_saved && !n->set.saved))
		save_later(p);
	if (news & XTR_NAMESET_CHANGED && pinned(n) && env->retarget)
		env->retarget(env->etr_ctx);
}

static void ask(struct xtr_pull *p, struct xtr_pull_name *n)
{
	struct xtr_env *env = p->env;
	char name[XTR_DECENT_NAME_MAX];
	int r = -ENOSYS;

	n->started = true;
	xtr_pull_name_text(p, n, name);
	if (env->ops.resolve) {
		xtr_count(env, DNS_LOOKUPS);
		r = env->ops.resolve(env->ops.ctx, name, n->id);
	}
	n->asking = !r;
	if (r)
		answered(p, n, &(struct xtr_dns_answer){
				       .status = r, .why = "the lookup cannot be started" });
	else
		xtr_timer_set(&env->timers, &n->timer, env->now + LOST);
}

void xtr_pull_name_timer(void *ctx, struct xtr_timer *t)
{
	struct xtr_pull_name *n = xtr_timer_owner(t, struct xtr_pull_name, timer);
	struct xtr_pull *p = ctx;

	if (!pinned(n) && n->used + UNUSED <= p->env->now)
		xtr_pull_name_drop(p, n);
	else if (n->started)
		ask(p, n);
	else /* from the state directory, not needed yet */
		xtr_timer_set(&p->env->timers, &n->timer, n->used + UNUSED);
}

void xtr_pull_resolved(struct xtr_pull *p, uint32_t id, const struct xtr_dns_answer *answer)
{
	struct xtr_pull_name *n;

	HASH_FIND(by_id, p->ids, &id, sizeof(id), n);
	if (n && n->asking)
		answered(p, n, answer);
}

/* ---- state directory */

static void put(struct xtr_wr *w, const struct xtr_pull_name *n, unsigned which)
{
	const struct xtr_nameset *s = &n->set;

	xtr_wr_u8(w, (uint8_t)which);
	xtr_wr_u32(w, n->key.index);
	xtr_wr_u32(w, s->ttl);
	xtr_wr_u8(w, s->authenticated);
	xtr_wr_u8(w, s->count);
	for (unsigned i = 0; i < s->count; i++) {
		xtr_wr_u8(w, s->addrs[i].family);
		xtr_wr_bytes(w, s->addrs[i].a, s->addrs[i].family == 4 ? 4 : 16);
	}
}

/* Ours first, if not all fit. */
static void put_all(struct xtr_pull *p, struct xtr_wr *w)
{
	struct xtr_pull_name *n, *tmp;

	for (unsigned pass = 0; pass < 2; pass++)
		HASH_ITER(hh, p->names, n, tmp) {
			const struct xtr_pull_params *q = p->params;

			if (!n->set.count || pinned(n) == pass || w->end - w->p < 512)
				continue;
			put(w, n,
			    q->used && q->zone == n->key.zone ? XTR_PULL_NEW : XTR_PULL_OLD);
		}
}

void xtr_pull_names_save(struct xtr_pull *p)
{
	struct xtr_env *env = p->env;
	struct xtr_wr w;

	xtr_timer_cancel(&env->timers, &p->save);
	p->saved_at = env->now;
	if (!xtr_pull_blob_begin(p, &w))
		return;
	xtr_wr_u32(&w, MAGIC);
	for (unsigned i = 0; i < 2; i++) {
		const struct xtr_pull_params *q = &p->params[i];
		size_t len = q->used ? strlen(q->suffix) : 0;

		xtr_wr_u8(&w, (uint8_t)len);
		xtr_wr_bytes(&w, q->suffix, len);
	}
	put_all(p, &w);
	xtr_pull_blob_end(p, BLOB, &w);
}

void xtr_pull_save_timer(void *ctx, struct xtr_timer *t)
{
	xtr_pull_names_save(ctx);
}

/* The number of a suffix in the file, or 0: not in use any more. */
static uint32_t zone_by(const struct xtr_pull *p, const char *suffix)
{
	for (unsigned i = 0; i < 2; i++)
		if (p->params[i].used && !strcmp(p->params[i].suffix, suffix))
			return p->params[i].zone;
	return 0;
}

static void get(struct xtr_pull *p, struct xtr_rd *r, const uint32_t zones[2])
{
	struct xtr_ip list[XTR_NAME_ADDRS] = { 0 };
	struct xtr_dns_answer a = { .addrs = list };
	unsigned which = xtr_rd_u8(r);
	uint32_t index = xtr_rd_u32(r);
	struct xtr_pull_name *n;

	a.ttl = xtr_rd_u32(r);
	a.authenticated = xtr_rd_u8(r);
	a.count = xtr_rd_u8(r);
	if (which > 1 || a.count > XTR_NAME_ADDRS)
		xtr_rd_fail(r, -EBADMSG);
	for (unsigned i = 0; !r->err && i < a.count; i++) {
		list[i].family = xtr_rd_u8(r);
		if (list[i].family != 4 && list[i].family != 6)
			xtr_rd_fail(r, -EBADMSG);
		xtr_rd_copy(r, list[i].a, list[i].family == 4 ? 4 : 16);
	}
	if (r->err || !zones[which] || index >= XTR_DECENT_MODULUS_MAX ||
	    xtr_pull_name_find(p, zones[which], index))
		return;
	n = add(p, zones[which], index);
	if (n && xtr_nameset_restore(&n->set, &p->rules, &a))
		xtr_timer_set(&p->env->timers, &n->timer, p->env->now + UNUSED);
	else if (n)
		xtr_pull_name_drop(p, n);
}

void xtr_pull_names_load(struct xtr_pull *p)
{
	uint32_t zones[2];
	struct xtr_rd r;
	uint8_t *buf;

	if (xtr_pull_blob_read(p, BLOB, &buf, &r) && xtr_rd_u32(&r) == MAGIC) {
		for (unsigned i = 0; i < 2; i++) {
			char suffix[256] = "";
			unsigned len = xtr_rd_u8(&r);

			xtr_rd_copy(&r, suffix, len);
			zones[i] = zone_by(p, suffix);
		}
		while (!r.err && xtr_rd_left(&r))
			get(p, &r, zones);
	}
	free(buf);
}
