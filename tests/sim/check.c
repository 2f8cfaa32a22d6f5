// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What has to hold of a run: "ok NAME" or "not ok NAME - why". Limits come from the timers of the
 * protocol, not from what was measured once.
 */
#include "sim.h"

#include <stdarg.h>
#include <string.h>

static unsigned failed;

static void check(bool good, const struct sim_result *r, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static void check(bool good, const struct sim_result *r, const char *what, const char *fmt, ...)
{
	va_list ap;

	printf("%s SIM %s of %u%s: %s", good ? "ok" : "not ok", sim_kind_name(r->kind), r->nodes,
	       r->cross ? ", all EIDs in the core" : "", what);
	if (!good) {
		failed++;
		printf(" - ");
		va_start(ap, fmt);
		vprintf(fmt, ap);
		va_end(ap);
	}
	printf("\n");
}

static const struct sim_stage *stage(const struct sim_result *r, const char *name)
{
	for (unsigned i = 0; i < r->stage_count; i++)
		if (!strcmp(r->stages[i].name, name))
			return &r->stages[i];
	return NULL;
}

static void right_at_all_times(const struct sim_result *r, const char *name, const char *what)
{
	const struct sim_stage *s = stage(r, name);

	if (s)
		check(s->asked > 100 && !s->strict_bad, r, what,
		      "%llu of %llu lookups not answered rightly", (unsigned long long)s->strict_bad,
		      (unsigned long long)s->asked);
}

static void right_after(const struct sim_result *r, const char *name, double limit,
			const char *what)
{
	const struct sim_stage *s = stage(r, name);

	if (s)
		check(s->asked > 100 && s->converge <= limit, r, what,
		      "the last one that was not right came after %.1f s, limit %.0f s",
		      s->converge, limit);
}

static void complete_after(const struct sim_result *r, const char *name, double limit,
			   const char *what)
{
	const struct sim_stage *s = stage(r, name);

	if (s && r->kind == SIM_PUSH)
		check(s->full > 0 && s->full <= limit, r, what, "took %.1f s (-1: not at all)",
		      s->full);
}

static void never_wrong(const struct sim_result *r)
{
	for (unsigned i = 0; i < r->stage_count; i++) {
		const struct sim_stage *s = &r->stages[i];
		char what[100];

		if (!s->asked || !strcmp(s->name, "loss"))
			continue;
		snprintf(what, sizeof(what), "%s: no wrong answer beyond the protocol's timers",
			 s->name);
		check(!s->wrong && !s->unanswered, r, what, "%llu wrong, %llu unanswered of %llu",
		      (unsigned long long)s->wrong, (unsigned long long)s->unanswered,
		      (unsigned long long)s->asked);
	}
}

/* While two sets of Map-Servers are asked, equal answers of one can be held back (RFC 9301 5.4). */
static void late_no(const struct sim_result *r)
{
	uint64_t late = 0, asked = 0;

	for (unsigned i = 0; i < r->stage_count; i++) {
		late += r->stages[i].late_no;
		asked += r->stages[i].asked;
	}
	check(late * 2000 <= asked, r, "that nobody has an EID is said within 16 s",
	      "not so %llu times in %llu lookups", (unsigned long long)late,
	      (unsigned long long)asked);
}

/* Map-Registers a minute, every tenth confirmed, and what looks after names and groups. */
static double idle_limit(const struct sim_result *r)
{
	double minute = 1.0 / 60;

	/* A copy to every other member: own EID and membership; membership to the core, and there
	 * once more every three minutes: of one start, all in the minute that a brief run looks at.
	 * Looking for the members of both groups. */
	if (r->kind == SIM_PUSH)
		return minute * 1.1 * r->group_size * (3 + r->cross + (r->brief ? 1 : 1 / 3.0)) +
		       0.2;
	return minute * 1.1 * 3 + 0.02;
}

static void traffic(const struct sim_result *r)
{
	const struct sim_stage *idle = stage(r, "idle"), *loss = stage(r, "loss");
	double bad = (double)(loss->wrong + loss->unanswered);

	check(idle->tx_node <= idle_limit(r), r, "idle: messages per router are bounded",
	      "%.3f a second, limit %.3f", idle->tx_node, idle_limit(r));
	check(!idle->drops, r, "idle: no router refuses a message", "%llu refused",
	      (unsigned long long)idle->drops);
	check(r->per_lookup < 5, r, "steady: messages per lookup are bounded", "%.1f",
	      r->per_lookup);
	check(bad <= 0.003 * (double)loss->asked, r,
	      "loss: at 5 % at most 0.3 % of the lookups fail", "%.0f of %llu", bad,
	      (unsigned long long)loss->asked);
}

/* The same kind, more routers: what one of them sends must not grow. */
static void growth(const struct sim_result *small, const struct sim_result *large)
{
	double a = stage(small, "idle")->tx_node, b = stage(large, "idle")->tx_node;

	/* With two groups of which one is half empty nothing can be compared. */
	if (small->kind == SIM_PUSH && small->nodes % small->group_size &&
	    small->nodes < 4 * small->group_size)
		return;
	if (small->kind == large->kind && small->cross == large->cross &&
	    small->nodes < large->nodes)
		check(b < a * 1.2, large, "idle: messages per router do not grow with their number",
		      "%.3f a second with %u routers, %.3f with %u", a, small->nodes, b,
		      large->nodes);
}

static void check_one(const struct sim_result *r)
{
	right_after(r, "start", 20, "start: all lookups right 20 s after the last router");
	right_at_all_times(r, "steady", "steady: 0 lookups answered wrongly");
	right_after(r, "join", 5, "join: all find the new EIDs within 5 s");
	complete_after(r, "join", 2, "D-24 join: a new member is in sync within 2 s");
	right_after(r, "crash", 185, "crash: registrations end within 185 s");
	complete_after(r, "crash", 185, "crash: members agree within 185 s");
	right_at_all_times(r, "dns", "D-55 dns: Map-Servers change without a wrong answer");
	right_after(r, "heal", 65, "heal: all lookups right within 65 s");
	complete_after(r, "heal", 65, "heal: members agree within 65 s");
	right_at_all_times(r, "modulus", "D-53 modulus: changed without a wrong answer");
	right_at_all_times(r, "window", "D-53 modulus: the old one ends without a wrong answer");
	never_wrong(r);
	late_no(r);
	traffic(r);
}

unsigned sim_check(const struct sim_result *r, unsigned n)
{
	printf("\n");
	for (unsigned i = 0; i < n; i++) {
		check_one(&r[i]);
		if (i)
			growth(&r[i - 1], &r[i]);
	}
	return failed;
}

bool sim_same(const struct sim_result *a, const struct sim_result *b)
{
	bool same = a->stage_count == b->stage_count && a->messages == b->messages;

	for (unsigned i = 0; same && i < a->stage_count; i++) {
		const struct sim_stage *x = &a->stages[i], *y = &b->stages[i];

		same = x->asked == y->asked && x->right == y->right && x->converge == y->converge &&
		       x->full == y->full && x->octets_node == y->octets_node && x->p99 == y->p99;
	}
	check(same, a, "the same seed gives the same run", "%llu and %llu messages",
	      (unsigned long long)a->messages, (unsigned long long)b->messages);
	return same;
}
