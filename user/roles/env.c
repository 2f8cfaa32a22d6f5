// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The roles' way to the world. A message to one of our own RLOCs does not become a packet: it is
 * queued and handed to the node's input when the role that sent it has returned, with the same
 * checks as one from the wire. The queue is bounded.
 */
#include "roles/role.h"

#include "codec/auth.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOAD_MAX (256u << 20)

bool xtr_env_own_rloc(const struct xtr_env *env, const struct xtr_ip *ip)
{
	for (unsigned i = 0; i < env->cfg.rloc_count; i++)
		if (!xtr_ip_cmp(&env->cfg.rlocs[i].ip, ip))
			return true;
	return false;
}

bool xtr_env_rloc_up(const struct xtr_env *env, const struct xtr_ip *ip)
{
	for (unsigned i = 0; i < env->up_count; i++)
		if (!xtr_ip_cmp(&env->up[i], ip))
			return true;
	return false;
}

static int by_preference(const void *a, const void *b)
{
	const struct xtr_rloc_config *const *x = a, *const *y = b;

	if ((*x)->priority != (*y)->priority)
		return (*x)->priority - (*y)->priority;
	return *x < *y ? -1 : 1;
}

bool xtr_env_set_up(struct xtr_env *env, const struct xtr_ip *list, unsigned count)
{
	const struct xtr_rloc_config *sorted[XTR_UP_MAX];
	struct xtr_ip up[XTR_UP_MAX];
	unsigned n = 0, total = env->cfg.rloc_count < XTR_UP_MAX ? env->cfg.rloc_count : XTR_UP_MAX;
	bool changed;

	memset(up, 0, sizeof(up));
	for (unsigned i = 0; i < total; i++)
		sorted[i] = &env->cfg.rlocs[i];
	qsort(sorted, total, sizeof(sorted[0]), by_preference);
	for (unsigned i = 0; i < total; i++) {
		bool is_up = !list;

		for (unsigned j = 0; j < count && !is_up; j++)
			is_up = !xtr_ip_cmp(&list[j], &sorted[i]->ip);
		if (is_up)
			up[n++] = sorted[i]->ip;
	}
	changed = n != env->up_count;
	for (unsigned i = 0; i < n && !changed; i++)
		changed = xtr_ip_cmp(&up[i], &env->up[i]);
	memcpy(env->up, up, sizeof(up));
	env->up_count = n;
	return changed;
}

const struct xtr_ip *xtr_env_rloc(const struct xtr_env *env, uint8_t family)
{
	for (unsigned i = 0; i < env->up_count; i++)
		if (env->up[i].family == family)
			return &env->up[i];
	return NULL;
}

bool xtr_env_reaches(const struct xtr_env *env, uint8_t family)
{
	return !env->cfg.rloc_count || xtr_env_rloc(env, family);
}

/* A hop with L would have to be looked up first, and one may not be reached: it is passed over unless it is strict. */
static bool first_hop(const struct xtr_env *env, const struct xtr_addr *elp, struct xtr_ip *ip)
{
	struct xtr_rd it = { 0 }, from = { 0 };
	struct xtr_elp_hop hop;

	while (xtr_lcaf_elp_next(elp, &it, &hop))
		if (!hop.lookup && xtr_addr_rloc_ip(&hop.addr, ip) && xtr_env_own_rloc(env, ip)) {
			from = it;
			break;
		}
	while (xtr_lcaf_elp_next(elp, &from, &hop)) {
		if (!hop.lookup && xtr_addr_rloc_ip(&hop.addr, ip) && xtr_rloc_valid(ip) &&
		    xtr_env_rloc(env, ip->family))
			return true;
		if (hop.strict)
			break;
	}
	return false;
}

bool xtr_env_hop(const struct xtr_env *env, const struct xtr_addr *a, struct xtr_ip *ip)
{
	struct xtr_rd it = { 0 };
	struct xtr_addr e;

	if (xtr_addr_rloc_ip(a, ip) || first_hop(env, a, ip))
		return true;
	while (xtr_lcaf_list_next(a, &it, &e))
		if (xtr_env_hop(env, &e, ip))
			return true;
	return false;
}

uint64_t xtr_env_random(struct xtr_env *env)
{
	uint64_t v = 0;

	while (!v)
		env->ops.random(env->ops.ctx, &v, sizeof(v));
	return v;
}

int xtr_env_again(struct xtr_env *env, const struct xtr_msg_meta *meta, const void *buf, size_t len)
{
	struct xtr_direct *d;

	if (env->direct_count >= XTR_DIRECT_MAX)
		return -ENOBUFS;
	d = calloc(1, sizeof(*d) + len);
	if (!d)
		return -ENOMEM;
	d->meta = *meta;
	d->len = len;
	memcpy(d->buf, buf, len);
	*env->direct_end = d;
	env->direct_end = &d->next;
	env->direct_count++;
	return 0;
}

int xtr_env_load(struct xtr_env *env, const char *name, uint8_t **out, size_t *len)
{
	for (size_t size = 64 << 10; size <= LOAD_MAX; size *= 4) {
		uint8_t *buf = malloc(size);
		int r;

		if (!buf)
			return -ENOMEM;
		r = env->ops.load(env->ops.ctx, name, buf, size);
		if (r >= 0 && (size_t)r < size) {
			*out = buf;
			*len = (size_t)r;
			return 0;
		}
		free(buf);
		if (r < 0 && r != -E2BIG && r != -EFBIG && r != -ENOSPC && r != -EMSGSIZE &&
		    r != -EOVERFLOW)
			return r;
	}
	return -EFBIG;
}

static int count_sent(struct xtr_env *env, int r, enum xtr_node_counter counter)
{
	if (r)
		xtr_count(env, TX_FAILED);
	else
		env->counters[counter]++;
	return r;
}

static const struct xtr_ip any = { 0 };

int xtr_env_send(struct xtr_env *env, const struct xtr_ip *src, const struct xtr_ip *dst,
		 uint16_t dport, const void *buf, size_t len, enum xtr_node_counter counter)
{
	int r;

	if (!src)
		src = xtr_env_rloc(env, dst->family);
	if (dport == XTR_PORT && xtr_env_own_rloc(env, dst)) {
		const struct xtr_msg_meta meta = {
			.src = src ? *src : *dst,
			.dst = *dst,
			.sport = XTR_PORT,
			.dport = XTR_PORT,
		};

		r = xtr_env_again(env, &meta, buf, len);
	} else {
		r = env->ops.send(env->ops.ctx, src ? src : &any, dst, dport, buf, len);
		if (!r)
			xtr_count(env, TX);
	}
	return count_sent(env, r, counter);
}

/* What is known of an answer while it waits. */
struct note {
	uint8_t counter, n;
	struct xtr_ip others[XTR_ITR_RLOCS_MAX];
};

int xtr_env_answer(struct xtr_env *env, const struct xtr_ip *src, const struct xtr_ip *dst, uint16_t dport,
		   const void *buf, size_t len, enum xtr_node_counter counter, const struct xtr_ip *others,
		   unsigned n)
{
	struct note note;
	int r;

	if (!env->ops.answer || (dport == XTR_PORT && xtr_env_own_rloc(env, dst)))
		return xtr_env_send(env, src, dst, dport, buf, len, counter);
	note.counter = (uint8_t)counter;
	note.n = (uint8_t)n;
	if (n)
		memcpy(note.others, others, n * sizeof(*others));
	if (!src)
		src = xtr_env_rloc(env, dst->family);
	r = env->ops.answer(env->ops.ctx, src ? src : &any, dst, dport, buf, len, &note,
			    offsetof(struct note, others) + n * sizeof(*others));
	if (!r)
		xtr_count(env, TX);
	return count_sent(env, r, counter);
}

/* It was counted as sent. Nobody can have looked since: the turn is not over. */
void xtr_env_unsent(struct xtr_env *env, uint16_t dport, const void *buf, size_t len, const void *note)
{
	const struct note *had = note;

	env->counters[XTR_NODE_TX]--;
	env->counters[had->counter]--;
	xtr_count(env, TX_FAILED);
	for (unsigned i = 0; i < had->n; i++)
		if (!xtr_env_send(env, NULL, &had->others[i], dport, buf, len, had->counter))
			return;
}

/* Said even if nobody listens: that DNS has failed; the parameters of pull, which differ in silence
 * (draft-farinacci-lisp-decent-10 5.3); and who is not registered, as to an ETR a refusal is silence (RFC 9301 5.6). */
static bool logged(enum xtr_event_kind kind)
{
	return kind == XTR_EVENT_DNS_STALE || kind == XTR_EVENT_PARAMS || kind == XTR_EVENT_REGISTER_REFUSED ||
	       kind == XTR_EVENT_REGISTER_LOST || kind == XTR_EVENT_SITE_EXPIRE;
}

void xtr_env_event(struct xtr_env *env, enum xtr_event_kind kind, const struct xtr_eid_prefix *eid,
		   const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (!env->ops.event || (!logged(kind) && env->ops.listening && !env->ops.listening(env->ops.ctx)))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	env->ops.event(env->ops.ctx, kind, eid, text);
}

/* Everything that is dropped can be seen by `xtrctl monitor`. */
void xtr_env_tell_drop(struct xtr_env *env, const struct xtr_msg_meta *meta, const uint8_t *buf, size_t len)
{
	char ip[XTR_IP_STRLEN];

	if (env->dropped)
		xtr_env_event(env, XTR_EVENT_MESSAGE_DROPPED, NULL, "%s from %s: %s",
			      xtr_msg_name(xtr_msg_type(buf, len)), xtr_ip_str(&meta->src, ip),
			      xtr_node_counter_names[env->dropped]);
	env->dropped = 0;
}

void xtr_env_bad(struct xtr_env *env, int err)
{
	if (err == -EAFNOSUPPORT)
		xtr_count(env, DROP_UNKNOWN_AFI);
	else if (err == -EPROTONOSUPPORT)
		xtr_count(env, DROP_UNKNOWN_TYPE);
	else
		xtr_count(env, DROP_MALFORMED);
}

/* Each entry of a replication list as a locator. */
static unsigned show_list(const struct xtr_locator *l, struct xtr_cache_locator *out, unsigned max)
{
	struct xtr_rd it = { 0 };
	struct xtr_rle_entry e;
	unsigned n = 0;

	while (n < max && xtr_lcaf_rle_next(&l->addr, &it, &e)) {
		struct xtr_cache_locator *o = &out[n++];

		memset(o, 0, sizeof(*o));
		xtr_addr_rloc_ip(&e.addr, &o->ip);
		o->priority = l->priority;
		o->weight = l->weight;
		o->mpriority = l->mpriority;
		o->mweight = l->mweight;
		o->reachable = l->reachable;
		o->local = l->local;
	}
	return n;
}

/* A locator that only says what one before it takes: shown there. */
static bool say_gpe(const struct xtr_locator *l, struct xtr_cache_locator *out, unsigned n)
{
	uint32_t formats;
	struct xtr_ip ip;

	if (l->priority != 255 || !xtr_addr_encap_ip(&l->addr, &formats, &ip))
		return false;
	for (unsigned i = 0; i < n; i++) {
		if (xtr_ip_cmp(&out[i].ip, &ip))
			continue;
		out[i].gpe |= formats & XTR_ENCAP_LISP_GPE;
		return true;
	}
	return false;
}

unsigned xtr_show_locators(const struct xtr_env *env, const struct xtr_locset *set,
			   struct xtr_cache_locator *out, unsigned max)
{
	struct xtr_rd it = { 0 };
	struct xtr_locator l;
	unsigned n = 0;

	while (n < max && xtr_locset_next(set, &it, &l)) {
		struct xtr_cache_locator *o = &out[n];

		if (say_gpe(&l, out, n))
			continue;
		if (l.addr.afi == XTR_AFI_LCAF && l.addr.lcaf == XTR_LCAF_RLE) {
			n += show_list(&l, o, max - n);
			continue;
		}
		n++;
		memset(o, 0, sizeof(*o));
		if (!xtr_env_hop(env, &l.addr, &o->ip))
			o->ip = (struct xtr_ip){ 0 };
		o->priority = l.priority;
		o->weight = l.weight;
		o->mpriority = l.mpriority;
		o->mweight = l.mweight;
		o->reachable = l.reachable;
		o->local = l.local;
	}
	return n;
}

void xtr_env_ack(struct xtr_env *env, const struct xtr_msg_meta *meta, const struct xtr_register *m,
		 const struct xtr_key *key)
{
	struct xtr_register out = *m;
	uint8_t buf[XTR_MSG_MAX];
	struct xtr_wr w = xtr_wr_init(buf, sizeof(buf));

	/* Written anew: what is reserved is sent as 0 (RFC 9301 5), whatever came. */
	out.type = XTR_MSG_MAP_NOTIFY_ACK;
	xtr_register_reencode(&w, &out);
	if (w.err || (key && xtr_auth_sign(buf, xtr_wr_len(&w), m->auth_off, m->auth_len,
					   XTR_MSG_MAP_NOTIFY_ACK, key->alg_id, m->nonce,
					   key->secret, key->secret_len))) {
		xtr_count(env, TX_FAILED);
		return;
	}
	xtr_env_send(env, xtr_ip_is_multicast(&meta->dst) ? NULL : &meta->dst, &meta->src,
		     meta->sport, buf, xtr_wr_len(&w), XTR_NODE_TX_MAP_NOTIFY_ACK);
}
