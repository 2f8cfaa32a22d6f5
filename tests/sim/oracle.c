// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is true, and who was told what.
 *
 * A question is a packet at a router whose ITR has no map-cache entry for the destination; the
 * answer is what the router gives to its data plane. The map-cache is emptied after each answer, so
 * that every question goes to the mapping system: what is measured is the mapping system, not the
 * lifetime of cached answers (a day).
 *
 * An answer is judged twice: against the truth of the moment (that gives convergence times), and
 * against what the timers of the protocol allow, see allowed(). A wrong answer of the second kind
 * is an error of the control plane.
 */
#include "sim.h"
#include "xtr/abi.h"

#include <stdlib.h>
#include <string.h>

#define PATIENCE   (16 * SEC) /* four tries of an ITR: after 0, 1, 3, 7 s */
#define NEW_AFTER  (30 * SEC) /* a new EID is found by then, Map-Server failures or not */
#define GONE_AFTER (185 * SEC) /* registrations of a crashed router end: 180 s, RFC 9301 8.2 */
#define CALM_AFTER (200 * SEC) /* after a split or another change of the whole network */

/* Right, wrong or no answer may be somebody's view for so long after a change. */
static bool allowed(const struct sim *s, const struct sim_node *asker, uint32_t target,
		    bool positive)
{
	const struct sim_node *t = &s->nodes[target];

	/* One that has just joined has to hear of the others first. */
	if (!positive && s->now < asker->changed + NEW_AFTER)
		return true;

	if (s->split || s->now < s->calm + (s->calm ? CALM_AFTER : 0))
		return true;
	return target < s->count && s->now < t->changed + (positive ? GONE_AFTER : NEW_AFTER);
}

static uint32_t any_target(struct sim *s, const struct sim_node *f)
{
	const struct sim_group *g = f->group == SIM_NONE ? NULL : &s->groups[f->group];

	/* One in sixteen asks for what nobody has. */
	if (!sim_below(s, 16))
		return 60000 + sim_below(s, 1000);
	return g && !s->cross ? g->ids[sim_below(s, g->n)] : sim_below(s, s->count);
}

/* Answers about one EID-prefix to one router are 3 s apart (RFC 9301 5.4); a router with a
 * map-cache would not ask twice. */
static bool asked_lately(const struct sim_node *f, uint32_t target)
{
	/* What nobody has can be one and the same EID-prefix. */
	for (unsigned i = 0; i < 8; i++)
		if ((f->asked[i].target == target || (f->asked[i].target >= SIM_NODES_MAX &&
						      target >= SIM_NODES_MAX)) &&
		    f->asked[i].at &&
		    f->s->now < f->asked[i].at + 4 * SEC)
			return true;
	return false;
}

/* A living router without a question in hand that may ask about the target (NULL: about any). */
static struct sim_node *asker(struct sim *s, const struct sim_node *target)
{
	const struct sim_group *g = NULL;

	if (target && target->group != SIM_NONE && !s->cross)
		g = &s->groups[target->group];
	for (unsigned i = 0; i < 64; i++) {
		struct sim_node *f = g ? &s->nodes[g->ids[sim_below(s, g->n)]]
				       : &s->nodes[sim_below(s, s->count)];

		if (f->n && !f->q.open && f != target &&
		    !(target && asked_lately(f, target->id)))
			return f;
	}
	return NULL;
}

void sim_ask(struct sim *s)
{
	struct sim_question *q;
	struct sim_node *f;
	uint32_t target;

	if (s->focus_count && sim_below(s, 2)) {
		target = s->focus[sim_below(s, s->focus_count)];
		f = asker(s, &s->nodes[target]);
	} else {
		f = asker(s, NULL);
		target = f ? any_target(s, f) : 0;
	}
	if (!f || f->id == target || asked_lately(f, target))
		return;
	f->asked[f->asked_at].target = target;
	f->asked[f->asked_at].at = s->now;
	f->asked_at = (f->asked_at + 1) % 8;
	q = &f->q;
	*q = (struct sim_question){ .open = true, .target = target, .asked = s->now };
	q->eid = sim_eid_host(s, target);
	if (s->tally)
		s->tally->asked++;
	xtr_node_miss(f->n, &q->eid, NULL, s->now);
	if (q->done)
		sim_judge(f);
	sim_deadline(f, s->now); /* its tick comes next */
}

void sim_answer(struct sim_node *f, const struct xtr_eid_prefix *eid, const struct xtr_fwd *fwd)
{
	struct sim_question *q = &f->q;

	if (!q->open || q->done || !xtr_eid_covers(eid, &q->eid))
		return;
	q->done = true;
	q->positive = fwd->action == XTR_ACT_ENCAP && fwd->n;
	if (q->positive)
		q->rloc = fwd->locators[0].ip;
}

static bool is_true(struct sim *s, const struct sim_question *q)
{
	const struct sim_node *t = q->target < s->count ? &s->nodes[q->target] : NULL;
	struct xtr_ip rloc;

	if (!t || !t->n)
		return !q->positive;
	rloc = sim_rloc(t);
	return q->positive && !xtr_ip_cmp(&rloc, &q->rloc);
}

static void verdict(struct sim *s, const struct sim_node *f, enum sim_verdict v)
{
	struct sim_tally *t = s->tally;
	const struct sim_question *q = &f->q;
	uint64_t took = s->now - q->asked;

	if (!t)
		return;
	t->strict[v]++;
	if (v == SIM_RIGHT) {
		if (t->samples < SIM_SAMPLES)
			t->ms[t->samples++] = (uint32_t)took;
		return;
	}
	/* Its packets take the way they would have taken with the answer, only later. */
	if (v == SIM_UNANSWERED && !allowed(s, f, q->target, false) &&
	    (q->target >= s->count || !s->nodes[q->target].n)) {
		t->late_no++;
		return;
	}
	if (v == SIM_UNANSWERED && t->last_bad < q->asked)
		t->last_bad = q->asked;
	else if (v == SIM_WRONG && t->last_bad < s->now)
		t->last_bad = s->now;
	if (allowed(s, f, q->target, q->positive))
		return;
	t->wrong += v == SIM_WRONG;
	t->unanswered += v == SIM_UNANSWERED;
	if (s->verbose)
		fprintf(stderr, "%.3f s: router %u (group %u) about %u (group %u): %s\n",
			(double)s->now / 1000, f->id, f->group, q->target,
			q->target < s->count ? s->nodes[q->target].group : 0,
			v == SIM_UNANSWERED ? "no answer"
			: q->positive       ? "found, wrong place"
					    : "said not to exist");
}

void sim_judge(struct sim_node *f)
{
	struct sim *s = f->s;

	verdict(s, f, is_true(s, &f->q) ? SIM_RIGHT : SIM_WRONG);
	f->q.open = f->q.done = false;
	xtr_node_cache_clear(f->n, NULL, UINT32_MAX, s->now);
}

void sim_overdue(struct sim *s)
{
	for (uint32_t i = 0; i < s->count; i++) {
		struct sim_node *f = &s->nodes[i];

		if (!f->q.open || f->q.done || s->now < f->q.asked + PATIENCE)
			continue;
		verdict(s, f, SIM_UNANSWERED);
		f->q.open = false;
	}
}

static int by_size(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

unsigned sim_percentile(struct sim_tally *t, double p)
{
	if (!t->samples)
		return 0;
	qsort(t->ms, t->samples, sizeof(t->ms[0]), by_size);
	return t->ms[(unsigned)(p * (t->samples - 1))];
}
