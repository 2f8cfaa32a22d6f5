// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * LISP-Decent, pull: its parameters and their change without an outage (draft-farinacci-lisp-
 * decent-10 5.3, and 8 case 8). All nodes must use the same hash and suffix, but cannot change them
 * at one moment: so for change_window the old ones count besides. A second change within the window
 * keeps only what it replaces; or what was before that, if it was in use for a moment only.
 *
 * Hash and suffix, of now and before, are in the state directory, so that a restart inside the
 * window does not end it, and a change made while the daemon was stopped opens one. Keys are not
 * saved: the keys of now are used for both.
 *
 * Owns suffixes and lookup-lengths of both.
 */
#include "roles/decent_pull.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOB "decent-parameters"
#define MAGIC 0x58445031 /* "XDP1" */
#define LOOKUPS_MAX 4096
#define MOMENT 60000 /* ms */

static void params_drop(struct xtr_pull_params *q)
{
	free(q->lookups);
	memset(q, 0, sizeof(*q));
}

static bool same(const struct xtr_pull_params *q, const struct xtr_pull_config *c)
{
	return q->used && !strcmp(q->suffix, c->suffix) &&
	       xtr_decent_same(&q->cfg.hash, &c->hash);
}

/* The suffix a number stands for is compared without regard to a final dot. */
static void copy_suffix(char out[XTR_DECENT_NAME_MAX], const char *s)
{
	size_t n = strlen(s);

	if (n && s[n - 1] == '.')
		n--;
	if (n >= XTR_DECENT_NAME_MAX)
		n = XTR_DECENT_NAME_MAX - 1;
	memcpy(out, s, n);
	out[n] = '\0';
}

static int params_copy(struct xtr_pull_params *q, const struct xtr_pull_config *c)
{
	struct xtr_decent_lookup *l = calloc(c->hash.lookup_count + 1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	for (unsigned i = 0; i < c->hash.lookup_count; i++)
		l[i] = c->hash.lookups[i];
	memset(q, 0, sizeof(*q));
	q->used = true;
	q->lookups = l;
	q->cfg.hash = c->hash;
	q->cfg.hash.lookups = l;
	copy_suffix(q->suffix, c->suffix);
	return 0;
}

/* All but hash and suffix as the configuration says now. */
static void refresh(struct xtr_pull_params *q, const struct xtr_pull_config *c)
{
	const struct xtr_decent_hash hash = q->cfg.hash;

	if (!q->used)
		return;
	q->cfg = *c;
	q->cfg.hash = hash;
	q->cfg.suffix = q->suffix;
}

static uint32_t zone_of(struct xtr_pull *p, const struct xtr_pull_params *q)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct xtr_pull_params *o = &p->params[i];

		if (o != q && o->used && o->zone && !strcmp(o->suffix, q->suffix))
			return o->zone;
	}
	return ++p->zones;
}

/* ---- state directory */

static uint64_t print_of(const void *buf, size_t len)
{
	static const uint8_t key[16];

	return xtr_hash_with(key, buf, len);
}

bool xtr_pull_blob_begin(const struct xtr_pull *p, struct xtr_wr *w)
{
	uint8_t *buf = p->env->ops.save ? malloc(XTR_PULL_BLOB_MAX) : NULL;

	*w = xtr_wr_init(buf, XTR_PULL_BLOB_MAX);
	return buf;
}

void xtr_pull_blob_end(const struct xtr_pull *p, const char *name, struct xtr_wr *w)
{
	const struct xtr_ops *ops = &p->env->ops;

	xtr_wr_u64(w, print_of(w->start, xtr_wr_len(w)));
	if (!w->err)
		ops->save(ops->ctx, name, w->start, xtr_wr_len(w));
	free(w->start);
}

bool xtr_pull_blob_read(const struct xtr_pull *p, const char *name, uint8_t **buf, struct xtr_rd *r)
{
	const struct xtr_ops *ops = &p->env->ops;
	struct xtr_rd tail;
	int n;

	*buf = ops->load ? malloc(XTR_PULL_BLOB_MAX) : NULL;
	n = *buf ? ops->load(ops->ctx, name, *buf, XTR_PULL_BLOB_MAX) : -ENOENT;
	if (n < 8)
		return false;
	*r = xtr_rd_init(*buf, (size_t)n - 8);
	tail = xtr_rd_init(*buf + n - 8, 8);
	return xtr_rd_u64(&tail) == print_of(*buf, (size_t)n - 8);
}

static void put(struct xtr_wr *w, const struct xtr_pull_params *q)
{
	const struct xtr_decent_hash *h = &q->cfg.hash;

	xtr_wr_u8(w, h->profile);
	xtr_wr_u8(w, h->digest_octets);
	xtr_wr_u16(w, h->hash_mask);
	xtr_wr_u32(w, h->modulus);
	xtr_wr_u8(w, (uint8_t)strlen(q->suffix));
	xtr_wr_bytes(w, q->suffix, strlen(q->suffix));
	xtr_wr_u16(w, (uint16_t)h->lookup_count);
	for (unsigned i = 0; i < h->lookup_count; i++) {
		const struct xtr_decent_lookup *l = &h->lookups[i];

		xtr_wr_u8(w, l->eid.ip.family);
		xtr_wr_bytes(w, l->eid.ip.a, 16);
		xtr_wr_u8(w, l->eid.len);
		xtr_wr_u32(w, l->iid);
		xtr_wr_u8(w, l->length);
	}
}

static void save(struct xtr_pull *p)
{
	struct xtr_env *env = p->env;
	const struct xtr_pull_params *old = &p->params[XTR_PULL_OLD];
	uint64_t left = p->window.at > env->now ? (p->window.at - env->now) / 1000 : 0;
	struct xtr_wr w;

	if (!xtr_pull_blob_begin(p, &w))
		return;
	xtr_wr_u32(&w, MAGIC);
	put(&w, &p->params[XTR_PULL_NEW]);
	xtr_wr_u8(&w, old->used);
	if (old->used) {
		xtr_wr_u64(&w, env->ops.wall_seconds(env->ops.ctx) + left);
		put(&w, old);
	}
	xtr_pull_blob_end(p, BLOB, &w);
}

static void get_lookup(struct xtr_rd *r, struct xtr_decent_lookup *l)
{
	memset(l, 0, sizeof(*l));
	l->eid.ip.family = xtr_rd_u8(r);
	xtr_rd_copy(r, l->eid.ip.a, 16);
	l->eid.len = xtr_rd_u8(r);
	l->iid = xtr_rd_u32(r);
	l->length = xtr_rd_u8(r);
}

/* What is in the file may be of another version or damaged: it is checked as a configuration is. */
static int get(struct xtr_rd *r, struct xtr_pull_params *q)
{
	struct xtr_pull_config c = { .hash.profile = xtr_rd_u8(r) };
	struct xtr_decent_lookup *l;
	char suffix[256] = "";
	unsigned n;
	int ret;

	c.hash.digest_octets = xtr_rd_u8(r);
	c.hash.hash_mask = xtr_rd_u16(r);
	c.hash.modulus = xtr_rd_u32(r);
	n = xtr_rd_u8(r);
	xtr_rd_copy(r, suffix, n);
	n = xtr_rd_u16(r);
	if (r->err || n > LOOKUPS_MAX)
		return -EBADMSG;
	l = calloc(n + 1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		get_lookup(r, &l[i]);
	c.suffix = suffix;
	c.hash.lookups = l;
	c.hash.lookup_count = n;
	ret = r->err || xtr_decent_check(&c.hash) || !suffix[0] ? -EBADMSG : params_copy(q, &c);
	free(l);
	return ret;
}

/* ---- the window */

static void say(struct xtr_pull *p)
{
	const struct xtr_pull_params *q = &p->params[XTR_PULL_NEW], *old = &p->params[XTR_PULL_OLD];
	const char *profile = xtr_decent_profile_name(q->cfg.hash.profile);

	if (old->used)
		xtr_env_event(p->env, XTR_EVENT_PARAMS, NULL,
			      "profile %s, modulus %u, suffix %s; those before (%s, %u, %s) count "
			      "for %llu s yet",
			      profile, q->cfg.hash.modulus, q->suffix,
			      xtr_decent_profile_name(old->cfg.hash.profile),
			      old->cfg.hash.modulus, old->suffix,
			      (unsigned long long)(p->window.at - p->env->now) / 1000);
	else
		xtr_env_event(p->env, XTR_EVENT_PARAMS, NULL, "profile %s, modulus %u, suffix %s",
			      profile, q->cfg.hash.modulus, q->suffix);
}

static void open_window(struct xtr_pull *p, struct xtr_pull_params *was, uint64_t ms)
{
	struct xtr_pull_params *old = &p->params[XTR_PULL_OLD];

	params_drop(old);
	*old = *was;
	memset(was, 0, sizeof(*was));
	xtr_timer_set(&p->env->timers, &p->window, p->env->now + ms);
}

void xtr_pull_window_timer(void *ctx, struct xtr_timer *t)
{
	struct xtr_pull *p = ctx;
	struct xtr_pull_name *n, *tmp;
	struct xtr_env *env = p->env;

	params_drop(&p->params[XTR_PULL_OLD]);
	HASH_ITER(hh, p->names, n, tmp) {
		n->pins[XTR_PULL_OLD] = 0;
		if (!n->is_new) /* also one of the same suffix, with an index of the old modulus */
			xtr_pull_name_drop(p, n);
	}
	xtr_pull_names_clean(p);
	save(p);
	say(p);
	if (env->retarget)
		env->retarget(env->etr_ctx);
}

/* Parameters that come in two steps, of a configuration and then of the file that it names, must
 * not take those away that everybody else still has. */
static void replace(struct xtr_pull *p, const struct xtr_pull_config *by)
{
	struct xtr_pull_params *old = &p->params[XTR_PULL_OLD];
	bool moment = p->since && p->since + MOMENT > p->env->now;

	if (old->used && moment && !same(old, by))
		xtr_timer_set(&p->env->timers, &p->window, p->env->now + by->change_window);
	else
		open_window(p, &p->params[XTR_PULL_NEW], by->change_window);
}

int xtr_pull_params_set(struct xtr_pull *p, bool *changed)
{
	const struct xtr_pull_config *c = p->env->cfg.decent.pull;
	struct xtr_pull_params *q = &p->params[XTR_PULL_NEW], fresh;
	struct xtr_pull_config plain = *c;
	char suffix[XTR_DECENT_NAME_MAX];
	int r;

	copy_suffix(suffix, c->suffix);
	plain.suffix = suffix;
	*changed = !same(q, &plain);
	if (*changed) {
		r = params_copy(&fresh, &plain);
		if (r)
			return r;
		fresh.zone = zone_of(p, &fresh);
		if (q->used && c->change_window)
			replace(p, &plain);
		if (q->used || p->loaded)
			p->since = p->env->now;
		params_drop(q);
		*q = fresh;
	}
	refresh(q, c);
	refresh(&p->params[XTR_PULL_OLD], c);
	if (*changed && p->loaded) {
		save(p);
		say(p);
	}
	return 0;
}

/* What counted when the daemon was stopped. */
static void restore(struct xtr_pull *p, struct xtr_rd *r)
{
	const struct xtr_pull_config *c = p->env->cfg.decent.pull;
	struct xtr_env *env = p->env;
	struct xtr_pull_params was = { .used = false }, old = { .used = false };
	uint64_t wall = env->ops.wall_seconds(env->ops.ctx), end = 0, left = c->change_window;

	if (xtr_rd_u32(r) != MAGIC || get(r, &was))
		goto out;
	if (xtr_rd_u8(r)) {
		end = xtr_rd_u64(r);
		if (get(r, &old))
			goto out;
	}
	if (!same(&p->params[XTR_PULL_NEW], &(struct xtr_pull_config){ .suffix = was.suffix,
								       .hash = was.cfg.hash })) {
		p->since = env->now;
		params_drop(&old); /* changed while we did not run */
		old = was;
		memset(&was, 0, sizeof(was));
	} else if (old.used) {
		left = end > wall ? (end - wall) * 1000 : 0;
		left = left < c->change_window ? left : c->change_window;
	}
	if (!old.used || !left)
		goto out;
	old.zone = zone_of(p, &old);
	open_window(p, &old, left);
	refresh(&p->params[XTR_PULL_OLD], c);
out:
	params_drop(&was);
	params_drop(&old);
}

void xtr_pull_params_load(struct xtr_pull *p)
{
	struct xtr_rd r;
	uint8_t *buf;

	if (xtr_pull_blob_read(p, BLOB, &buf, &r))
		restore(p, &r);
	free(buf);
	p->loaded = true;
	save(p);
	say(p);
}

void xtr_pull_params_free(struct xtr_pull *p)
{
	xtr_timer_cancel(&p->env->timers, &p->window);
	params_drop(&p->params[XTR_PULL_NEW]);
	params_drop(&p->params[XTR_PULL_OLD]);
}

const struct xtr_pull_config *xtr_pull_params(const struct xtr_pull *p, uint64_t now,
					      const struct xtr_pull_config **old,
					      uint64_t *left_ms)
{
	bool has = xtr_pull_has(p, XTR_PULL_OLD);

	*old = has ? &p->params[XTR_PULL_OLD].cfg : NULL;
	*left_ms = has && p->window.at > now ? p->window.at - now : 0;
	return &p->params[XTR_PULL_NEW].cfg;
}
