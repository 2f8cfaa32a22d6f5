// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Clock, queue, network and life of the routers.
 *
 * Packets and DNS answers wait in a wheel of one slot a millisecond, routers in a heap by their
 * next deadline. At one time packets come before deadlines, both in an order that does not depend
 * on memory: the same seed gives the same run. A router is called exactly as the daemon calls it:
 * input or miss, then tick, which says when to tick again.
 *
 * Delay between two routers: 3 ms, 60 ms for the whole width of the world they stand in, and up to
 * 8 ms of jitter, so packets can overtake each other. Loss is drawn for each copy of a packet.
 */
#include "sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

const struct xtr_key sim_key = { .key_id = 1,
				 .alg_id = XTR_AUTH_SHA256,
				 .secret = (const uint8_t *)"one key for all of them",
				 .secret_len = 23 };

/* The hash tables of the library are keyed at random per process; here they have to be the same
 * every time. Takes the place of the one in the C library. */
ssize_t getrandom(void *buf, size_t len, unsigned int flags)
{
	memset(buf, 0x5a, len);
	return (ssize_t)len;
}

static void *must(void *p)
{
	if (!p) {
		fprintf(stderr, "sim: out of memory\n");
		exit(2);
	}
	return p;
}

/* ---- numbers (xoroshiro128+, Blackman and Vigna) */

static uint64_t rotl(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

uint64_t sim_random(struct sim *s)
{
	uint64_t a = s->random[0], b = s->random[1], r = a + b;

	b ^= a;
	s->random[0] = rotl(a, 24) ^ b ^ (b << 16);
	s->random[1] = rotl(b, 37);
	return r;
}

uint32_t sim_below(struct sim *s, uint32_t n)
{
	return n ? (uint32_t)((sim_random(s) >> 11) % n) : 0;
}

double sim_unit(struct sim *s)
{
	return (double)(sim_random(s) >> 11) / 9007199254740992.0;
}

/* ---- names of things: router id is in the RLOC and in the EID */

struct xtr_ip sim_rloc(const struct sim_node *f)
{
	uint32_t v = f->id + f->gen * SIM_NODES_MAX;

	return (struct xtr_ip){ .family = 4,
				.a = { 20, (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v } };
}

struct sim_node *sim_by_rloc(struct sim *s, const struct xtr_ip *ip)
{
	uint32_t v = (uint32_t)ip->a[1] << 16 | (uint32_t)ip->a[2] << 8 | ip->a[3];
	struct sim_node *f;

	if (ip->family != 4 || ip->a[0] != 20 || v % SIM_NODES_MAX >= s->count)
		return NULL;
	f = &s->nodes[v % SIM_NODES_MAX];
	return f->gen == v / SIM_NODES_MAX ? f : NULL;
}

struct xtr_eid_prefix sim_eid(uint32_t id)
{
	return (struct xtr_eid_prefix){ .afi = XTR_AFI_IP4,
					.len = 24,
					.a = { 10, (uint8_t)(id >> 8), (uint8_t)id } };
}

struct xtr_eid_prefix sim_eid_host(struct sim *s, uint32_t id)
{
	struct xtr_eid_prefix e = sim_eid(id);

	e.len = 32;
	e.a[3] = (uint8_t)sim_below(s, 256);
	return e;
}

/* ---- heap of deadlines */

static bool before(const struct sim_node *a, const struct sim_node *b)
{
	return a->deadline != b->deadline ? a->deadline < b->deadline : a->id < b->id;
}

static void put(struct sim *s, uint32_t i, struct sim_node *f)
{
	s->heap[i] = f;
	f->pos = i + 1;
}

static void sift(struct sim *s, uint32_t i, struct sim_node *f)
{
	while (i && before(f, s->heap[(i - 1) / 2])) {
		put(s, i, s->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	for (;;) {
		uint32_t c = 2 * i + 1;

		if (c >= s->heap_n)
			break;
		if (c + 1 < s->heap_n && before(s->heap[c + 1], s->heap[c]))
			c++;
		if (!before(s->heap[c], f))
			break;
		put(s, i, s->heap[c]);
		i = c;
	}
	put(s, i, f);
}

void sim_deadline(struct sim_node *f, uint64_t at)
{
	struct sim *s = f->s;
	struct sim_node *last;
	uint32_t i;

	f->deadline = at;
	if (at != UINT64_MAX) {
		sift(s, f->pos ? f->pos - 1 : s->heap_n++, f);
		return;
	}
	if (!f->pos)
		return;
	i = f->pos - 1;
	f->pos = 0;
	last = s->heap[--s->heap_n];
	if (last != f)
		sift(s, i, last);
}

/* ---- wheel */

struct sim_event *sim_event(struct sim *s)
{
	struct sim_event *e = s->spare;

	if (e)
		s->spare = e->next;
	else
		e = must(malloc(sizeof(*e)));
	memset(e, 0, sizeof(*e));
	return e;
}

static void recycle(struct sim *s, struct sim_event *e)
{
	if (!e->dns && !--e->buf->refs)
		free(e->buf);
	e->next = s->spare;
	s->spare = e;
}

void sim_schedule(struct sim *s, struct sim_event *e, uint64_t at)
{
	struct sim_slot *slot;

	if (at <= s->now)
		at = s->now + 1;
	if (at >= s->now + SIM_WHEEL)
		at = s->now + SIM_WHEEL - 1;
	slot = &s->wheel[at % SIM_WHEEL];
	e->next = NULL;
	*slot->end = e;
	slot->end = &e->next;
	s->in_flight++;
}

/* ---- network */

static uint64_t delay(struct sim *s, const struct sim_node *a, const struct sim_node *b)
{
	float dx = a->x - b->x, dy = a->y - b->y;

	return 3 + (uint64_t)(60.0f * (dx * dx + dy * dy) / 2) + sim_below(s, 9);
}

static struct sim_buf *copy(const void *buf, size_t len)
{
	struct sim_buf *b = must(malloc(sizeof(*b) + len));

	b->refs = 1;
	b->len = (uint32_t)len;
	memcpy(b->data, buf, len);
	return b;
}

static void transmit(struct sim_node *f, struct sim_node *to, const struct xtr_msg_meta *meta,
		     struct sim_buf *b)
{
	struct sim *s = f->s;
	struct sim_event *e;

	if ((s->split && f->side != to->side) || (s->loss > 0 && sim_unit(s) < s->loss)) {
		s->lost++;
		return;
	}
	e = sim_event(s);
	e->to = to->id;
	e->to_gen = to->gen;
	e->meta = *meta;
	e->buf = b;
	b->refs++;
	sim_schedule(s, e, s->now + delay(s, f, to));
}

static void count_sent(struct sim_node *f, const uint8_t *buf, size_t len, size_t head)
{
	f->tx++;
	f->tx_octets += len + head; /* with the outer headers */
	f->s->sent++;
	f->s->octets += len + head;
	f->s->types[len ? buf[0] >> 4 : 0]++;
}

static int op_send(void *ctx, const struct xtr_ip *src, const struct xtr_ip *dst, uint16_t dport,
		   const void *buf, size_t len)
{
	struct sim_node *f = ctx, *to = sim_by_rloc(f->s, dst);
	struct xtr_msg_meta meta = { .src = src->family ? *src : sim_rloc(f),
				     .dst = *dst,
				     .sport = SIM_PORT,
				     .dport = dport };
	struct sim_buf *b;

	count_sent(f, buf, len, 28);
	if (!to) {
		f->s->dead++;
		return 0;
	}
	b = copy(buf, len);
	transmit(f, to, &meta, b);
	if (!--b->refs)
		free(b);
	return 0;
}

/* Underlay multicast: one packet, a copy to everybody who is in the group. */
static int op_send_group(void *ctx, const struct xtr_ip *src, const struct xtr_ip *group,
			 const void *buf, size_t len)
{
	struct sim_node *f = ctx;
	struct sim *s = f->s;
	const struct xtr_msg_meta meta = {
		.src = sim_rloc(f), .dst = *group, .sport = SIM_PORT, .dport = SIM_PORT
	};
	struct sim_buf *b = copy(buf, len);

	count_sent(f, buf, len, 28);
	for (uint32_t g = 0; g < SIM_GROUPS && s->groups[g].n; g++) {
		struct xtr_ip ip = sim_group_ip(g);

		for (uint32_t i = 0; !xtr_ip_cmp(&ip, group) && i < s->groups[g].n; i++)
			if (s->groups[g].ids[i] != f->id)
				transmit(f, &s->nodes[s->groups[g].ids[i]], &meta, b);
	}
	if (!--b->refs)
		free(b);
	return 0;
}

static struct sim_repl *repl_of(struct sim_node *f, const struct xtr_ip *group, bool make)
{
	for (unsigned i = 0; i < SIM_REPL; i++)
		if (f->repl[i].n && !xtr_ip_cmp(&f->repl[i].group, group))
			return &f->repl[i];
	for (unsigned i = 0; make && i < SIM_REPL; i++)
		if (!f->repl[i].n)
			return &f->repl[i];
	return NULL;
}

/* Overlay multicast: what the data plane makes of it, one LISP packet per member (RFC 9962 4.2). */
static int op_send_overlay(void *ctx, const struct xtr_ip *src, const struct xtr_ip *group,
			   const void *buf, size_t len)
{
	struct sim_node *f = ctx;
	const struct sim_repl *r = repl_of(f, group, false);
	const struct xtr_msg_meta meta = { .src = sim_rloc(f),
					   .dst = *group,
					   .sport = SIM_PORT,
					   .dport = SIM_PORT,
					   .overlay = true };
	struct sim_buf *b;

	if (!r)
		return 0;
	b = copy(buf, len);
	for (unsigned i = 0; i < r->n; i++) {
		count_sent(f, buf, len, 28 + 36);
		transmit(f, &f->s->nodes[r->to[i]], &meta, b);
	}
	if (!--b->refs)
		free(b);
	return 0;
}

static int op_replicate(void *ctx, const struct xtr_eid_prefix *group, const struct xtr_ip *members,
			unsigned n)
{
	struct sim_node *f = ctx;
	struct xtr_ip ip = { .family = group->afi == XTR_AFI_IP4 ? 4 : 6 };
	struct sim_repl *r;

	memcpy(ip.a, group->g, sizeof(ip.a));
	r = repl_of(f, &ip, true);
	if (!r)
		return -ENOSPC;
	r->group = ip;
	r->n = 0;
	r->to = n ? must(realloc(r->to, n * sizeof(*r->to))) : r->to;
	for (unsigned i = 0; i < n; i++) {
		const struct sim_node *to = sim_by_rloc(f->s, &members[i]);

		if (to)
			r->to[r->n++] = to->id;
	}
	return 0;
}

static int op_control_peers(void *ctx, const struct xtr_ip *peers, unsigned n)
{
	struct sim_node *f = ctx;

	f->peers = must(realloc(f->peers, (n + 1) * sizeof(*f->peers)));
	f->peer_count = 0;
	for (unsigned i = 0; i < n; i++) {
		const struct sim_node *p = sim_by_rloc(f->s, &peers[i]);

		if (p)
			f->peers[f->peer_count++] = p->id;
	}
	return 0;
}

/* The data plane takes overlay control frames from known peers only. */
static bool accepted(const struct sim_node *f, const struct xtr_msg_meta *meta)
{
	const struct sim_node *from = sim_by_rloc(f->s, &meta->src);

	for (unsigned i = 0; i < f->conf->c.decent.accept_from_count; i++)
		if (xtr_ippfx_has(&f->conf->c.decent.accept_from[i], &meta->src))
			return true;
	for (unsigned i = 0; from && i < f->peer_count; i++)
		if (f->peers[i] == from->id)
			return true;
	return false;
}

/* ---- the other operations */

static int op_cache_put(void *ctx, const struct xtr_eid_prefix *eid, const struct xtr_fwd *fwd)
{
	sim_answer(ctx, eid, fwd);
	return 0;
}

static int op_cache_del(void *ctx, const struct xtr_eid_prefix *eid)
{
	return 0;
}

static uint64_t op_cache_idle(void *ctx, const struct xtr_eid_prefix *eid)
{
	return UINT64_MAX;
}

static void op_miss_failed(void *ctx, const struct xtr_eid_prefix *eid)
{
}

static void op_random(void *ctx, void *buf, size_t len)
{
	struct sim_node *f = ctx;
	uint8_t *p = buf;

	while (len) {
		uint64_t v = sim_random(f->s);
		size_t n = len < 8 ? len : 8;

		memcpy(p, &v, n);
		p += n;
		len -= n;
	}
}

/* The disk of a router that never comes back after a crash is not looked at. */
static int op_save(void *ctx, const char *name, const void *buf, size_t len)
{
	return 0;
}

static int op_load(void *ctx, const char *name, void *buf, size_t size)
{
	return -ENOENT;
}

static uint64_t op_wall(void *ctx)
{
	return SIM_EPOCH + ((struct sim_node *)ctx)->s->now / 1000;
}

static bool op_listening(void *ctx)
{
	return false;
}

static void op_event(void *ctx, enum xtr_event_kind kind, const struct xtr_eid_prefix *eid,
		     const char *text)
{
}

static const struct xtr_ops operations = {
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
	.send_group = op_send_group,
	.send_overlay = op_send_overlay,
	.replicate = op_replicate,
	.control_peers = op_control_peers,
	.listening = op_listening,
};

/* ---- life of a router */

struct sim_node *sim_add(struct sim *s, uint32_t group)
{
	struct sim_node *f = &s->nodes[s->count];

	if (s->count == SIM_NODES_MAX) {
		fprintf(stderr, "sim: more than %u routers\n", SIM_NODES_MAX);
		exit(2);
	}
	f->s = s;
	f->id = s->count++;
	f->x = (float)sim_unit(s);
	f->y = (float)sim_unit(s);
	f->side = sim_below(s, 2);
	f->group = group;
	if (group != SIM_NONE) {
		struct sim_group *g = &s->groups[group];

		if (group >= SIM_GROUPS || g->n == SIM_MEMBERS_MAX) {
			fprintf(stderr, "sim: too many groups or members\n");
			exit(2);
		}
		g->ids[g->n++] = f->id;
	}
	f->deadline = UINT64_MAX;
	return f;
}

static struct sim_conf *conf_make(struct sim_node *f)
{
	struct sim_conf *c = must(calloc(1, sizeof(*c)));
	struct xtr_ip ip = sim_rloc(f);

	c->c.timers = (struct xtr_node_timers)XTR_NODE_TIMERS_DEFAULT;
	if (f->s->brief)
		c->c.timers.quick_duration = 0;
	c->c.limits = (struct xtr_node_limits)XTR_NODE_LIMITS_DEFAULT;
	/* Memory for rate limits follows the rate; ten thousand routers share one machine here. */
	c->c.limits.replies_per_second = 1000;
	c->c.limits.registrations = 32768;
	c->rloc = (struct xtr_rloc_config){ ip, 1, 100, 255, 0 };
	c->locator = c->rloc;
	c->mapping = (struct xtr_mapping_config){
		.eid = sim_eid(f->id), .ttl_min = 1440, .rlocs = &c->locator, .rloc_count = 1
	};
	c->c.rlocs = &c->rloc;
	c->c.rloc_count = 1;
	c->c.has_ids = true;
	memcpy(c->c.xtr_id, "xtr-sim", 7);
	memcpy(c->c.xtr_id + 12, &f->id, 4);
	c->c.itr = c->c.etr = c->c.ms = c->c.mr = true;
	c->c.mappings = &c->mapping;
	c->c.mapping_count = 1;
	sim_conf_make(f, c);
	return c;
}

void sim_boot(struct sim_node *f)
{
	struct xtr_ops ops = operations;
	int r;

	ops.ctx = f;
	if (f->s->kind == SIM_PULL)
		ops.resolve = (int (*)(void *, const char *, uint32_t))sim_dns_resolve;
	f->conf = conf_make(f);
	f->changed = f->s->now;
	r = xtr_node_new(&f->conf->c, &ops, f->s->now, &f->n);
	if (r) {
		fprintf(stderr, "sim: router %u does not start: %s\n", f->id, strerror(-r));
		exit(2);
	}
	f->s->alive++;
	sim_deadline(f, f->s->now);
}

static void forget(struct sim_node *f)
{
	const uint64_t *c = f->n ? xtr_node_counters(f->n) : NULL;

	for (unsigned i = 0; c && i < XTR_NODE_COUNTER_MAX; i++)
		f->s->counters[i] += c[i];
	xtr_node_free(f->n);
	f->n = NULL;
	free(f->conf);
	f->conf = NULL;
	for (unsigned i = 0; i < SIM_REPL; i++)
		free(f->repl[i].to);
	memset(f->repl, 0, sizeof(f->repl));
	free(f->peers);
	f->peers = NULL;
	f->peer_count = 0;
}

void sim_kill(struct sim_node *f)
{
	f->q.open = false;
	forget(f);
	sim_deadline(f, UINT64_MAX);
	f->changed = f->s->now;
	f->s->alive--;
}

void sim_reload(struct sim_node *f)
{
	struct sim_conf *old = f->conf;
	int r;

	f->conf = conf_make(f);
	r = xtr_node_reconfigure(f->n, &f->conf->c, f->s->now);
	if (r) {
		fprintf(stderr, "sim: router %u does not reload: %s\n", f->id, strerror(-r));
		exit(2);
	}
	free(old);
	sim_deadline(f, f->s->now);
}

/* ---- running */

static void tick(struct sim_node *f)
{
	uint64_t now = f->s->now, next = xtr_node_tick(f->n, now);

	sim_deadline(f, next <= now ? now + 1 : next);
	if (f->q.done)
		sim_judge(f);
}

static void deliver(struct sim *s, struct sim_event *e)
{
	struct sim_node *f = &s->nodes[e->to];

	if (!f->n || f->gen != e->to_gen) {
		s->dead += !e->dns;
		return;
	}
	if (e->dns) {
		sim_dns_answer(f, e);
	} else if (e->meta.overlay && !accepted(f, &e->meta)) {
		s->refused++;
		return;
	} else {
		f->rx++;
		s->delivered++;
		xtr_node_input(f->n, &e->meta, e->buf->data, e->buf->len, s->now);
	}
	tick(f);
}

static void one_millisecond(struct sim *s)
{
	struct sim_slot *slot = &s->wheel[s->now % SIM_WHEEL];
	struct sim_event *e;

	while ((e = slot->first)) {
		slot->first = e->next;
		if (!slot->first)
			slot->end = &slot->first;
		s->in_flight--;
		deliver(s, e);
		recycle(s, e);
	}
	while (s->heap_n && s->heap[0]->deadline <= s->now)
		tick(s->heap[0]);
	while (s->questions_per_second > 0 && s->next_question <= (double)s->now) {
		sim_ask(s);
		s->next_question += 1000 / s->questions_per_second;
	}
}

void sim_run(struct sim *s, uint64_t until)
{
	while (s->now < until) {
		uint64_t next = s->in_flight ? s->now + 1 : until;

		if (s->heap_n && s->heap[0]->deadline < next)
			next = s->heap[0]->deadline;
		if (s->questions_per_second > 0 && s->next_question < (double)next)
			next = (uint64_t)s->next_question + 1;
		if (next > (s->now / SEC + 1) * SEC)
			next = (s->now / SEC + 1) * SEC;
		s->now = next > s->now ? next < until ? next : until : s->now + 1;
		one_millisecond(s);
		if (s->now % SEC == 0)
			sim_overdue(s);
	}
}

void sim_mark(struct sim *s)
{
	for (uint32_t i = 0; i < s->count; i++) {
		s->nodes[i].mark_tx = s->nodes[i].tx;
		s->nodes[i].mark_rx = s->nodes[i].rx;
	}
}

struct sim *sim_new(uint64_t seed)
{
	struct sim *s = must(calloc(1, sizeof(*s)));

	s->nodes = must(calloc(SIM_NODES_MAX, sizeof(*s->nodes)));
	s->heap = must(calloc(SIM_NODES_MAX, sizeof(*s->heap)));
	s->groups = must(calloc(SIM_GROUPS, sizeof(*s->groups)));
	s->random[0] = seed * 0x9e3779b97f4a7c15ull + 1;
	s->random[1] = seed ^ 0xd1b54a32d192ed03ull;
	for (unsigned i = 0; i < SIM_WHEEL; i++)
		s->wheel[i].end = &s->wheel[i].first;
	s->dns.ttl = 60;
	s->now = 1;
	return s;
}

void sim_free(struct sim *s)
{
	struct sim_event *e;

	for (uint32_t i = 0; i < s->count; i++)
		forget(&s->nodes[i]);
	for (unsigned i = 0; i < SIM_WHEEL; i++)
		while ((e = s->wheel[i].first)) {
			s->wheel[i].first = e->next;
			recycle(s, e);
		}
	while ((e = s->spare)) {
		s->spare = e->next;
		free(e);
	}
	free(s->nodes);
	free(s->heap);
	free(s->groups);
	free(s);
}
