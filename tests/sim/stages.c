// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What happens to the routers, one stage after the other, and what is measured in each. Every stage
 * begins with a change (or none) and lasts until what the change can cause is over; questions go on
 * all the time, but in "idle", where only what keeps the system alive is counted.
 */
#include "sim.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct play {
	struct sim *s;
	const struct sim_plan *plan;
	struct sim_result *out;
	struct sim_stage *st;
	struct sim_tally tally;
	uint64_t began, dns, tx, rx, octets, refused, group_done, types[16];
	uint32_t *focus;
	bool *group_open; /* not seen complete since the change */
	bool watch;
};

static uint64_t counter(const struct sim *s, enum xtr_node_counter from, enum xtr_node_counter to)
{
	uint64_t sum = 0;

	for (unsigned c = from; c <= to; c++) {
		sum += s->counters[c];
		for (uint32_t i = 0; i < s->count; i++)
			if (s->nodes[i].n)
				sum += xtr_node_counters(s->nodes[i].n)[c];
	}
	return sum;
}

static uint64_t refusals(const struct sim *s)
{
	return counter(s, XTR_NODE_DROP_AUTH, XTR_NODE_DROP_ALGORITHM) +
	       counter(s, XTR_NODE_DROP_MALFORMED, XTR_NODE_DROP_ROLE) + s->refused;
}

static void begin(struct play *p, const char *name, const char *what)
{
	struct sim *s = p->s;

	p->st = &p->out->stages[p->out->stage_count++];
	*p->st = (struct sim_stage){ .name = name, .what = what };
	memset(&p->tally, 0, sizeof(p->tally));
	s->tally = &p->tally;
	p->began = s->now;
	p->dns = s->dns.questions;
	p->tx = s->sent;
	p->rx = s->delivered;
	p->octets = s->octets;
	memcpy(p->types, s->types, sizeof(p->types));
	p->refused = refusals(s);
	p->group_done = 0;
	p->watch = false;
	sim_mark(s);
	if (s->next_question < (double)s->now)
		s->next_question = (double)s->now;
}

/* From now on: groups the focus is about have to become complete again. */
static void watch_groups(struct play *p)
{
	struct sim *s = p->s;

	p->watch = s->kind == SIM_PUSH;
	if (!p->watch)
		return;
	memset(p->group_open, !s->focus_count, SIM_GROUPS);
	for (uint32_t i = 0; i < s->focus_count; i++)
		p->group_open[s->nodes[s->focus[i]].group] = true;
}

static bool groups_complete(struct play *p)
{
	for (uint32_t g = 0; g < SIM_GROUPS && p->s->groups[g].n; g++)
		if (p->group_open[g]) {
			if (!sim_push_complete(p->s, g))
				return false;
			p->group_open[g] = false;
		}
	return true;
}

static void run(struct play *p, double seconds)
{
	struct sim *s = p->s;
	uint64_t until = s->now + (uint64_t)(seconds * 1000);

	while (s->now < until) {
		uint64_t next = s->now + 250;

		sim_run(s, p->watch && next < until ? next : until);
		if (p->watch && groups_complete(p)) {
			p->watch = false;
			p->group_done = s->now;
		}
	}
}

/* What routers dropped or could not send, so far. */
static void tell_drops(const struct sim *s)
{
	fputs("    drops since the start:", stderr);
	for (unsigned c = 0; c < XTR_NODE_COUNTER_MAX; c++) {
		const char *name = xtr_node_counter_names[c];
		uint64_t n = strncmp(name, "drop-", 5) && strcmp(name, "tx-failed") &&
					     strcmp(name, "registration-expired")
				     ? 0
				     : counter(s, c, c);

		if (n)
			fprintf(stderr, " %s %llu", name, (unsigned long long)n);
	}
	fprintf(stderr, "; not a peer %llu\n", (unsigned long long)s->refused);
}

static void end(struct play *p)
{
	struct sim *s = p->s;
	struct sim_stage *st = p->st;
	struct sim_tally *t = &p->tally;
	double nodes = s->alive;

	st->seconds = (double)(s->now - p->began) / 1000;
	st->asked = t->asked;
	st->right = t->strict[SIM_RIGHT];
	st->strict_bad = t->strict[SIM_WRONG] + t->strict[SIM_UNANSWERED] - t->late_no;
	st->late_no = t->late_no;
	st->wrong = t->wrong;
	st->unanswered = t->unanswered;
	st->converge = t->last_bad ? (double)(t->last_bad - p->began) / 1000 : 0;
	st->full = p->watch ? -1 : p->group_done ? (double)(p->group_done - p->began) / 1000 : 0;
	st->tx_node = (double)(s->sent - p->tx) / st->seconds / nodes;
	st->rx_node = (double)(s->delivered - p->rx) / st->seconds / nodes;
	st->octets_node = (double)(s->octets - p->octets) / st->seconds / nodes;
	st->per_second = (double)(s->sent - p->tx) / st->seconds;
	for (unsigned i = 0; i < 16; i++)
		st->types[i] = (double)(s->types[i] - p->types[i]) / st->seconds;
	st->dns_per_second = (double)(s->dns.questions - p->dns) / st->seconds;
	st->p50 = sim_percentile(t, 0.5);
	st->p99 = sim_percentile(t, 0.99);
	st->drops = refusals(s) - p->refused;
	for (uint32_t i = 0; i < s->count; i++) {
		const struct sim_node *f = &s->nodes[i];
		double both = (double)(f->tx - f->mark_tx + f->rx - f->mark_rx) / st->seconds;

		if (f->n && both > st->busiest)
			st->busiest = both;
	}
	s->tally = NULL;
	if (p->plan->verbose)
		fprintf(stderr,
			"%s %u, %s: %.0f s, %llu asked, %llu not right, %llu wrong, %llu unanswered, "
			"converged %.1f s, complete %.1f s, %.2f msg/s a node\n",
			sim_kind_name(s->kind), s->target, st->name, st->seconds,
			(unsigned long long)st->asked, (unsigned long long)st->strict_bad,
			(unsigned long long)st->wrong, (unsigned long long)st->unanswered,
			st->converge, st->full, st->tx_node + st->rx_node);
	if (p->plan->verbose)
		tell_drops(s);
	if (p->plan->verbose)
		fprintf(stderr,
			"    sent per node and minute: %.2f register %.2f notify %.2f notify-ack "
			"%.2f request %.2f reply %.2f encapsulated\n",
			st->types[3] * 60 / nodes, st->types[4] * 60 / nodes,
			st->types[5] * 60 / nodes, st->types[1] * 60 / nodes,
			st->types[2] * 60 / nodes, st->types[8] * 60 / nodes);
}

static void questions(struct sim *s, bool on)
{
	double rate = 0.02 * s->target;

	s->questions_per_second = !on ? 0 : rate < 20 ? 20 : rate;
}

static void focus(struct play *p, uint32_t n)
{
	p->s->focus = p->focus;
	p->s->focus_count = n;
}

static uint32_t one_percent(const struct sim *s)
{
	return s->target < 300 ? 3 : s->target / 100;
}

static double asking(const struct sim_stage *st)
{
	return st->types[XTR_MSG_MAP_REQUEST] + st->types[XTR_MSG_MAP_REPLY] +
	       st->types[XTR_MSG_ECM];
}

/* ---- stages */

/* All start within a minute, the first ones (Map-Servers, core) too. */
static void stage_start(struct play *p)
{
	struct sim *s = p->s;
	uint32_t per_second = s->target / 60 + 1, next = 0;

	begin(p, "start", "all routers start within a minute");
	while (next < s->target) {
		for (uint32_t i = 0; i < per_second && next < s->target; i++)
			sim_boot(&s->nodes[next++]);
		sim_run(s, s->now + SEC);
	}
	p->began = s->calm = s->now; /* converged since the last one */
	questions(s, true);
	watch_groups(p);
	/* Five minutes of quick registration (RFC 9301 8.2), and what is left of it. */
	run(p, p->plan->brief ? 120 : 360);
	end(p);
}

static void stage_idle(struct play *p)
{
	questions(p->s, false);
	begin(p, "idle", "nothing happens: registrations only");
	run(p, p->plan->brief ? 60 : p->plan->quick ? 120 : 300);
	end(p);
}

static void stage_steady(struct play *p)
{
	questions(p->s, true);
	begin(p, "steady", "routers look EIDs up");
	run(p, p->plan->brief ? 60 : p->plan->quick ? 120 : 180);
	end(p);
}

static void stage_join(struct play *p)
{
	struct sim *s = p->s;
	uint32_t n = one_percent(s), groups = 0;

	while (groups < SIM_GROUPS && s->groups[groups].n)
		groups++;
	begin(p, "join", "1 % new routers at once");
	for (uint32_t i = 0; i < n; i++) {
		struct sim_node *f = sim_add(s, groups ? sim_below(s, groups) : SIM_NONE);

		p->focus[i] = f->id;
		sim_boot(f);
	}
	focus(p, n);
	watch_groups(p);
	run(p, p->plan->brief || p->plan->quick ? 60 : 120);
	end(p);
	focus(p, 0);
}

static void stage_crash(struct play *p)
{
	struct sim *s = p->s;
	uint32_t n = one_percent(s);

	begin(p, "crash", "1 % of the routers die, Map-Servers among them");
	for (uint32_t i = 0; i < n; i++) {
		struct sim_node *f;

		/* The first one is a Map-Server of pull and in the core of push. */
		do
			f = &s->nodes[i ? sim_below(s, s->target) : 0];
		while (!f->n);
		p->focus[i] = f->id;
		sim_kill(f);
	}
	focus(p, n);
	watch_groups(p);
	run(p, 260);
	end(p);
	focus(p, 0);
}

/* The administrator takes dead Map-Servers out of DNS and puts living ones there. */
static void stage_dns(struct play *p)
{
	struct sim *s = p->s;
	struct sim_zone *z = &s->dns.zones[0];
	uint32_t n = 0;

	if (s->kind != SIM_PULL)
		return;
	begin(p, "dns", "DNS: a new Map-Server for every eighth name, and for dead ones");
	for (unsigned i = 0; i < z->modulus; i++)
		for (unsigned j = 0; j < z->names[i].n; j++)
			if (!s->nodes[z->names[i].ids[j]].n || (i % 8 == 0 && j == 0)) {
				do
					z->names[i].ids[j] = sim_below(s, s->target);
				while (!s->nodes[z->names[i].ids[j]].n);
				n++;
			}
	run(p, p->plan->quick ? 120 : 150);
	end(p);
}

static void stage_loss(struct play *p)
{
	struct sim *s = p->s;

	begin(p, "loss", "5 % of all packets are lost");
	s->loss = 0.05;
	run(p, p->plan->brief ? 60 : p->plan->quick ? 240 : 480);
	s->loss = 0;
	end(p);
}

static void stage_split(struct play *p)
{
	struct sim *s = p->s;

	begin(p, "split", "two halves do not reach each other");
	s->split = true;
	run(p, p->plan->quick ? 240 : 300);
	end(p);
	begin(p, "heal", "the halves are one again");
	s->split = false;
	s->calm = s->now;
	watch_groups(p);
	run(p, p->plan->quick ? 240 : 240);
	end(p);
}

/* Every router is reloaded with the new modulus at another time within two minutes. */
static void stage_modulus(struct play *p)
{
	struct sim *s = p->s;
	uint32_t n = s->count, *order = p->focus;
	uint64_t from = s->now;

	if (s->kind != SIM_PULL)
		return;
	begin(p, "modulus", "twice the modulus, reloaded router by router within two minutes");
	sim_pull_zone(s, s->modulus * 2);
	s->modulus *= 2;
	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t j = i + sim_below(s, n - i), t = order[j];

		order[j] = order[i];
		order[i] = t;
		sim_run(s, from + 120 * SEC * (i + 1) / n);
		if (s->nodes[t].n)
			sim_reload(&s->nodes[t]);
	}
	run(p, p->plan->quick ? 120 : 300);
	end(p);
	begin(p, "window", "the old modulus ends");
	run(p, p->plan->quick ? 240 : 360);
	end(p);
}

/* ---- all of it */

static double allocated(void)
{
	struct mallinfo2 m = mallinfo2();

	return (double)m.uordblks + (double)m.hblkhd;
}

static int count_one(void *ctx, const struct xtr_site_info *i)
{
	*(uint32_t *)ctx += i->registered;
	return 0;
}

static void count_registrations(struct play *p)
{
	struct sim *s = p->s;
	uint64_t all = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		uint32_t n = 0;

		if (s->nodes[i].n)
			xtr_node_walk_sites(s->nodes[i].n, s->now, count_one, &n);
		all += n;
		if (n > p->out->registrations_max)
			p->out->registrations_max = n;
	}
	p->out->registrations_mean = (double)all / s->alive;
}

static struct sim *world(const struct sim_plan *plan)
{
	struct sim *s = sim_new(plan->seed);

	s->kind = plan->kind;
	s->target = plan->nodes;
	s->group_size = plan->group_size;
	s->underlay = plan->underlay;
	s->cross = plan->cross;
	s->modulus = plan->modulus;
	s->servers_per_name = 3;
	/* Longer than the reloading takes, and over within the stage after it. */
	s->change_window = plan->quick ? 240 * SEC : 600 * SEC;
	s->verbose = plan->verbose;
	s->brief = plan->brief;
	for (uint32_t i = 0; i < plan->nodes; i++)
		sim_add(s, s->kind == SIM_PUSH ? i / s->group_size : SIM_NONE);
	if (s->kind == SIM_PULL)
		sim_pull_zone(s, s->modulus);
	return s;
}

static double now_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void sim_play(const struct sim_plan *plan, struct sim_result *out)
{
	double started = now_seconds(), before = allocated();
	struct play *p = calloc(1, sizeof(*p));
	const struct sim_stage *idle, *steady;

	*out = (struct sim_result){ .kind = plan->kind,
				    .nodes = plan->nodes,
				    .group_size = plan->group_size,
				    .modulus = plan->modulus,
				    .underlay = plan->underlay,
				    .cross = plan->cross,
				    .brief = plan->brief };
	p->s = world(plan);
	p->plan = plan;
	p->out = out;
	p->focus = calloc(SIM_NODES_MAX, sizeof(*p->focus));
	p->group_open = calloc(SIM_GROUPS, sizeof(*p->group_open));
	stage_start(p);
	stage_idle(p);
	idle = p->st;
	stage_steady(p);
	steady = p->st;
	out->octets_of_memory = (allocated() - before) / plan->nodes;
	count_registrations(p);
	/* Map-Requests, plain and encapsulated, and Map-Replies; less what goes on without questions. */
	if (steady->asked)
		out->per_lookup = (asking(steady) - asking(idle)) * steady->seconds /
				  (double)steady->asked;
	if (out->per_lookup < 0.005) /* none, where all is local */
		out->per_lookup = 0;
	stage_join(p);
	if (!plan->brief) {
		stage_crash(p);
		stage_dns(p);
	}
	stage_loss(p);
	if (!plan->brief) {
		stage_split(p);
		stage_modulus(p);
	}
	out->virtual_seconds = (double)p->s->now / 1000;
	out->messages = p->s->sent;
	out->real_seconds = now_seconds() - started;
	sim_free(p->s);
	free(p->focus);
	free(p->group_open);
	free(p);
}
