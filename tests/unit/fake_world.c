// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The world of fake_world.h. Owns the nodes and everything they left behind. Two packets never
 * overtake each other; at one time packets come before timers.
 */
#include "fake_world.h"

#include "fake_dns.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EPOCH 1700000000ull /* wall clock at time 0 */

/* ---- operations */

static int op_send(void *ctx, const struct xtr_ip *src, const struct xtr_ip *dst, uint16_t dport,
		   const void *buf, size_t len)
{
	struct fw_node *f = ctx;
	struct fw *w = f->w;
	struct fw_packet *p;

	cr_assert(w->packet_count < FW_PACKETS, "packet storm");
	cr_assert(len <= XTR_MSG_MAX);
	p = &w->packets[w->packet_count];
	*p = (struct fw_packet){
		.sent = w->now,
		.arrives = w->now + w->latency,
		.src = *src,
		.dst = *dst,
		.sport = 4342,
		.dport = dport,
		.from = f,
		.len = len,
		.buf = malloc(len ? len : 1),
	};
	memcpy(p->buf, buf, len);
	for (unsigned i = 0; !p->src.family && i < f->ip_count; i++)
		if (f->ips[i].family == dst->family)
			p->src = f->ips[i];
	p->lost = w->lose && w->lose(w, p);
	w->packet_count++;
	return p->src.family ? 0 : -ENETUNREACH;
}

/* ---- operations of groups */

static unsigned number_of(const struct fw_node *f)
{
	unsigned i = 0;

	while (f->w->nodes[i] != f)
		i++;
	return i;
}

/* A copy for one receiver, on its own way through the network. */
static void send_copy(struct fw_node *f, struct fw_node *to, const struct xtr_ip *src,
		      const struct xtr_ip *dst, const struct xtr_ip *inner, const void *buf,
		      size_t len)
{
	struct fw *w = f->w;
	struct fw_packet *p = &w->packets[w->packet_count];

	cr_assert(w->packet_count < FW_PACKETS, "packet storm");
	*p = (struct fw_packet){ .sent = w->now,
				 .arrives = w->now + w->latency,
				 .src = *src,
				 .dst = *dst,
				 .sport = 4342,
				 .dport = 4342,
				 .from = f,
				 .to = to,
				 .overlay = inner,
				 .len = len,
				 .buf = malloc(len ? len : 1) };
	if (inner)
		p->group = *inner;
	memcpy(p->buf, buf, len);
	p->lost = w->lose && w->lose(w, p);
	w->packet_count++;
}

static bool in_group(const struct fw_node *f, const struct xtr_ip *group)
{
	const struct xtr_decent_config *d = &f->conf.c.decent;

	for (unsigned i = 0; !f->dead && i < d->group_count; i++)
		if (d->groups[i].member && d->groups[i].transport == XTR_GROUP_UNDERLAY &&
		    !xtr_ip_cmp(&d->groups[i].group, group))
			return true;
	return false;
}

static int op_send_group(void *ctx, const struct xtr_ip *src, const struct xtr_ip *group,
			 const void *buf, size_t len)
{
	struct fw_node *f = ctx;

	cr_assert(xtr_ip_is_multicast(group));
	for (unsigned i = 0; i < f->w->node_count && !f->w->no_multicast; i++)
		if (f->w->nodes[i] != f && in_group(f->w->nodes[i], group))
			send_copy(f, f->w->nodes[i], src, group, NULL, buf, len);
	return 0;
}

static struct fw_list *list_of(struct fw_node *f, const struct xtr_ip *group)
{
	for (unsigned i = 0; i < 4; i++)
		if (f->lists[i].n && !memcmp(f->lists[i].group.g, group->a, 16))
			return &f->lists[i];
	return NULL;
}

const struct fw_list *fw_list(struct fw_node *f, const char *group)
{
	struct xtr_ip ip = fw_ip(group);

	return list_of(f, &ip);
}

static struct fw_node *at_address(struct fw *w, const struct xtr_ip *ip)
{
	for (unsigned i = 0; i < w->node_count; i++)
		for (unsigned j = 0; j < w->nodes[i]->ip_count; j++)
			if (!xtr_ip_cmp(&w->nodes[i]->ips[j], ip))
				return w->nodes[i];
	return NULL;
}

static int op_send_overlay(void *ctx, const struct xtr_ip *src, const struct xtr_ip *group,
			   const void *buf, size_t len)
{
	struct fw_node *f = ctx;
	const struct fw_list *l = list_of(f, group);

	cr_assert(xtr_ip_is_multicast(group) && src->family == group->family);
	for (unsigned i = 0; l && i < l->n; i++) {
		struct fw_node *to = at_address(f->w, &l->ips[i]);

		cr_assert(to != f, "a copy to itself (M-27)");
		if (to)
			send_copy(f, to, src, &l->ips[i], group, buf, len);
	}
	return l ? 0 : -ENOENT;
}

static int op_replicate(void *ctx, const struct xtr_eid_prefix *group, const struct xtr_ip *members,
			unsigned n)
{
	struct fw_node *f = ctx;
	unsigned at = 0;

	cr_assert_eq(group->iid, 0xffffff, "X1");
	cr_assert(group->group_len && !group->len && n <= 64);
	while (at < 4 && f->lists[at].n && !xtr_eid_equal(&f->lists[at].group, group))
		at++;
	cr_assert(at < 4);
	f->lists[at].group = *group;
	f->lists[at].n = n;
	memcpy(f->lists[at].ips, members, n * sizeof(*members));
	return 0;
}

static int op_control_peers(void *ctx, const struct xtr_ip *peers, unsigned n)
{
	struct fw_node *f = ctx;

	cr_assert(n <= 64);
	memcpy(f->control, peers, n * sizeof(*peers));
	f->control_count = n;
	return 0;
}

/* What BPF does with a frame of the overlay before anything looks at it. */
static bool let_in(struct fw_node *f, const struct xtr_ip *src)
{
	const struct xtr_decent_config *d = &f->conf.c.decent;

	for (unsigned i = 0; i < f->control_count; i++)
		if (!xtr_ip_cmp(&f->control[i], src))
			return true;
	for (unsigned i = 0; i < d->accept_from_count; i++)
		if (xtr_ippfx_has(&d->accept_from[i], src))
			return true;
	f->control_dropped++;
	return false;
}

static struct fw_dp *dp_find(struct fw_node *f, const struct xtr_eid_prefix *eid)
{
	for (unsigned i = 0; i < f->dp_count; i++)
		if (f->dp[i].there && xtr_eid_equal(&f->dp[i].eid, eid))
			return &f->dp[i];
	return NULL;
}

static int op_cache_put(void *ctx, const struct xtr_eid_prefix *eid, const struct xtr_fwd *fwd)
{
	struct fw_node *f = ctx;
	struct fw_dp *d = dp_find(f, eid);

	cr_assert(fwd->n <= 8);
	if (f->dp_max && !(d && d->there)) {
		unsigned n = 0;

		for (unsigned i = 0; i < f->dp_count; i++)
			n += f->dp[i].there && f->dp[i].eid.afi == eid->afi;
		if (n >= f->dp_max)
			return -E2BIG;
	}
	for (unsigned i = 0; !d && i < f->dp_count; i++)
		if (!f->dp[i].there)
			d = &f->dp[i];
	if (!d) {
		if (f->dp_count == FW_DP)
			return -ENOMEM;
		d = &f->dp[f->dp_count++];
	}
	if (!d->there)
		*d = (struct fw_dp){ .eid = *eid, .used = UINT64_MAX, .there = true };
	d->fwd = *fwd;
	d->puts++;
	return 0;
}

static int op_cache_del(void *ctx, const struct xtr_eid_prefix *eid)
{
	struct fw_dp *d = dp_find(ctx, eid);

	if (!d)
		return -ENOENT;
	d->there = false;
	return 0;
}

static uint64_t op_cache_idle(void *ctx, const struct xtr_eid_prefix *eid)
{
	struct fw_node *f = ctx;
	const struct fw_dp *d = dp_find(f, eid);

	return d && d->used != UINT64_MAX ? f->w->now - d->used : UINT64_MAX;
}

static void op_miss_failed(void *ctx, const struct xtr_eid_prefix *eid)
{
	struct fw_node *f = ctx;

	if (f->failed_count < 256)
		f->failed[f->failed_count++] = *eid;
}

static void op_random(void *ctx, void *buf, size_t len)
{
	struct fw_node *f = ctx;
	uint8_t *p = buf;

	while (len--) {
		f->w->seed = f->w->seed * 6364136223846793005ull + 1442695040888963407ull;
		*p++ = (uint8_t)(f->w->seed >> 33);
	}
}

static int op_save(void *ctx, const char *name, const void *buf, size_t len)
{
	struct fw_node *f = ctx;

	if (f->save_fails)
		return -ENOSPC;
	for (unsigned i = 0; i < 8; i++) {
		struct fw_blob *b = &f->blobs[i];

		if (b->buf && strcmp(b->name, name))
			continue;
		free(b->buf);
		snprintf(b->name, sizeof(b->name), "%s", name);
		b->buf = malloc(len ? len : 1);
		memcpy(b->buf, buf, len);
		b->len = len;
		return 0;
	}
	return -ENOSPC;
}

static int op_load(void *ctx, const char *name, void *buf, size_t size)
{
	struct fw_node *f = ctx;

	for (unsigned i = 0; i < 8; i++) {
		const struct fw_blob *b = &f->blobs[i];

		if (!b->buf || strcmp(b->name, name))
			continue;
		if (b->len > size)
			return -EFBIG;
		memcpy(buf, b->buf, b->len);
		return (int)b->len;
	}
	return -ENOENT;
}

static uint64_t op_wall(void *ctx)
{
	struct fw_node *f = ctx;

	return (uint64_t)((int64_t)(EPOCH + f->w->now / 1000) + f->clock_shift);
}

static void op_event(void *ctx, enum xtr_event_kind kind, const struct xtr_eid_prefix *eid,
		     const char *text)
{
	struct fw_node *f = ctx;
	struct fw_event *e;

	if (f->event_count == FW_EVENTS)
		return;
	e = &f->events[f->event_count++];
	*e = (struct fw_event){ .at = f->w->now, .kind = kind, .has_eid = eid };
	if (eid)
		e->eid = *eid;
	snprintf(e->text, sizeof(e->text), "%s", text);
}

/* ---- life */

struct fw *fw_new(void)
{
	struct fw *w = calloc(1, sizeof(*w));

	w->packets = calloc(FW_PACKETS, sizeof(*w->packets));
	w->seed = 88172645463325252ull;
	w->latency = 10;
	return w;
}

static void boot(struct fw_node *f)
{
	const struct xtr_ops ops = {
		.ctx = f,
		.send = op_send,
		.cache_put = op_cache_put,
		.cache_del = op_cache_del,
		.cache_idle = op_cache_idle,
		.miss_failed = op_miss_failed,
		.random = op_random,
		.save = op_save,
		.load = op_load,
		.wall_seconds = op_wall,
		.event = op_event,
		.resolve = fw_dns_resolve,
		.send_group = op_send_group,
		.send_overlay = op_send_overlay,
		.replicate = op_replicate,
		.control_peers = op_control_peers,
	};

	cr_assert_eq(xtr_node_new(&f->conf.c, &ops, f->w->now, &f->n), 0);
	f->restored = xtr_node_restore(f->n, f->w->now);
	f->dead = false;
	f->deadline = f->w->now; /* first tick */
}

struct fw_node *fw_start(struct fw *w, const char *name, const struct fw_conf *conf)
{
	struct fw_node *f = calloc(1, sizeof(*f));

	cr_assert(w->node_count < FW_NODES);
	f->w = w;
	f->name = name;
	f->dp = calloc(FW_DP, sizeof(*f->dp));
	f->events = calloc(FW_EVENTS, sizeof(*f->events));
	fw_conf_copy(&f->conf, conf);
	for (unsigned i = 0; i < conf->c.rloc_count; i++)
		f->ips[f->ip_count++] = conf->rlocs[i].ip;
	w->nodes[w->node_count++] = f;
	boot(f);
	return f;
}

void fw_stop(struct fw_node *f)
{
	xtr_node_free(f->n);
	fw_dns_forget(f);
	f->n = NULL;
	f->dead = true;
}

void fw_kill(struct fw_node *f)
{
	f->save_fails = true;
	fw_stop(f);
	f->save_fails = false;
}

void fw_restart(struct fw_node *f)
{
	boot(f);
}

void fw_reconfigure(struct fw_node *f, const struct fw_conf *conf)
{
	struct fw_conf *old = malloc(sizeof(*old));

	/* The node has pointers into f->conf: let them point at a copy that dies right after. */
	struct fw_conf *fresh = malloc(sizeof(*fresh));

	fw_conf_copy(fresh, conf);
	cr_assert_eq(xtr_node_reconfigure(f->n, &fresh->c, f->w->now), 0);
	memset(&f->conf, 0xee, sizeof(f->conf));
	/* and the same once more with the final place, which must be no change at all */
	fw_conf_copy(&f->conf, conf);
	cr_assert_eq(xtr_node_reconfigure(f->n, &f->conf.c, f->w->now), 0);
	memset(fresh, 0xee, sizeof(*fresh));
	free(fresh);
	free(old);
	f->deadline = f->w->now;
}

void fw_free(struct fw *w)
{
	for (unsigned i = 0; i < w->node_count; i++) {
		struct fw_node *f = w->nodes[i];

		xtr_node_free(f->n);
		for (unsigned b = 0; b < 8; b++)
			free(f->blobs[b].buf);
		free(f->dp);
		free(f->events);
		free(f);
	}
	for (unsigned i = 0; i < w->packet_count; i++)
		free(w->packets[i].buf);
	fw_dns_free(w);
	free(w->packets);
	free(w);
}

void fw_tick(struct fw_node *f)
{
	unsigned rounds = 0;

	do {
		f->deadline = xtr_node_tick(f->n, f->w->now);
		cr_assert(++rounds < 10000, "tick does not come to an end");
	} while (f->deadline <= f->w->now);
}

static void input(struct fw_node *f, const struct fw_packet *p, const struct xtr_ip *dst)
{
	const struct xtr_msg_meta meta = { .src = p->src,
					   .dst = *dst,
					   .sport = p->sport,
					   .dport = p->dport,
					   .overlay = p->overlay };
	/* In a block of its own, so that ASan sees a read past the end. */
	uint8_t *exact = malloc(p->len ? p->len : 1);

	memcpy(exact, p->buf, p->len);
	xtr_node_input(f->n, &meta, exact, p->len, f->w->now);
	free(exact);
	fw_tick(f);
}

/* Nodes of different parity are in different parts of a split network. */
static bool cut(struct fw *w, const struct fw_packet *p)
{
	const struct fw_node *to = p->to ? p->to : at_address(w, &p->dst);

	return w->split && to && p->from && (number_of(to) ^ number_of(p->from)) & 1;
}

static void deliver(struct fw *w, struct fw_packet *p)
{
	p->delivered = true;
	if (cut(w, p))
		return;
	if (p->to) {
		if (!p->to->dead && (!p->overlay || let_in(p->to, &p->src)))
			input(p->to, p, p->overlay ? &p->group : &p->dst);
		return;
	}
	for (unsigned i = 0; i < w->node_count; i++) {
		struct fw_node *f = w->nodes[i];

		for (unsigned j = 0; !f->dead && j < f->ip_count; j++) {
			if (xtr_ip_cmp(&f->ips[j], &p->dst) || p->dport != 4342)
				continue;
			input(f, p, &p->dst);
			return;
		}
	}
}

static uint64_t next_packet(struct fw *w)
{
	while (w->first_waiting < w->packet_count &&
	       (w->packets[w->first_waiting].delivered || w->packets[w->first_waiting].lost))
		w->first_waiting++;
	return w->first_waiting < w->packet_count ? w->packets[w->first_waiting].arrives
						  : UINT64_MAX;
}

void fw_until(struct fw *w, uint64_t ms)
{
	for (;;) {
		uint64_t at = next_packet(w), first = at;
		struct fw_node *due = NULL;
		bool dns = false;

		for (unsigned i = 0; i < w->node_count; i++)
			if (!w->nodes[i]->dead && w->nodes[i]->deadline < first) {
				due = w->nodes[i];
				first = due->deadline;
			}
		if (fw_dns_next(w) < first) {
			first = fw_dns_next(w);
			due = NULL;
			dns = true;
		}
		if (first > ms)
			break;
		if (first > w->now)
			w->now = first;
		if (dns)
			fw_dns_answer(w);
		else if (due)
			fw_tick(due);
		else
			deliver(w, &w->packets[w->first_waiting]);
	}
	w->now = ms;
}

void fw_run(struct fw *w, uint64_t ms)
{
	fw_until(w, w->now + ms);
}

void fw_inject(struct fw_node *f, const char *src, uint16_t sport, const void *buf, size_t len)
{
	struct xtr_msg_meta meta = { .src = fw_ip(src), .sport = sport, .dport = 4342 };
	uint8_t *exact = malloc(len ? len : 1);

	for (unsigned i = 0; i < f->ip_count; i++)
		if (f->ips[i].family == meta.src.family)
			meta.dst = f->ips[i];
	memcpy(exact, buf, len);
	xtr_node_input(f->n, &meta, exact, len, f->w->now);
	free(exact);
	fw_tick(f);
}

/* ---- data plane */

void fw_miss(struct fw_node *f, const char *eid, const char *src)
{
	struct xtr_eid_prefix e = fw_eid(eid), s;

	if (src)
		s = fw_eid(src);
	/* packets of what is not asked for are not kept */
	if (!xtr_node_miss(f->n, &e, src ? &s : NULL, f->w->now))
		op_miss_failed(f, &e);
	fw_tick(f);
}

struct fw_dp *fw_dp_get(struct fw_node *f, const char *prefix)
{
	struct xtr_eid_prefix e = fw_eid(prefix);

	return dp_find(f, &e);
}

struct fw_dp *fw_dp_match(struct fw_node *f, const char *host)
{
	struct xtr_eid_prefix e = fw_eid(host);
	struct fw_dp *best = NULL;

	for (unsigned i = 0; i < f->dp_count; i++)
		if (f->dp[i].there && xtr_eid_covers(&f->dp[i].eid, &e) &&
		    (!best || f->dp[i].eid.len > best->eid.len))
			best = &f->dp[i];
	return best;
}

void fw_use(struct fw_node *f, const char *eid)
{
	struct fw_dp *d = fw_dp_match(f, eid);

	if (d)
		d->used = f->w->now;
}

bool fw_failed(const struct fw_node *f, const char *eid)
{
	struct xtr_eid_prefix e = fw_eid(eid);

	for (unsigned i = 0; i < f->failed_count; i++)
		if (xtr_eid_equal(&f->failed[i], &e))
			return true;
	return false;
}

unsigned fw_dp_size(const struct fw_node *f)
{
	unsigned n = 0;

	for (unsigned i = 0; i < f->dp_count; i++)
		n += f->dp[i].there;
	return n;
}
