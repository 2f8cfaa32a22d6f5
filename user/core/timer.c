// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A 4-ary min-heap of pointers. Owns the array, not the timers. Invariant: heap[i]->pos == i + 1,
 * and no child is earlier than its parent. The array never shrinks below its high-water mark.
 */
#include "core/timer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ARITY 4

void xtr_timers_init(struct xtr_timers *ts)
{
	memset(ts, 0, sizeof(*ts));
}

void xtr_timers_free(struct xtr_timers *ts)
{
	free(ts->heap);
	memset(ts, 0, sizeof(*ts));
}

void xtr_timers_kind(struct xtr_timers *ts, uint8_t kind,
		     void (*fn)(void *ctx, struct xtr_timer *t), void *ctx)
{
	ts->kinds[kind].fn = fn;
	ts->kinds[kind].ctx = ctx;
}

static inline void place(struct xtr_timers *ts, uint32_t i, struct xtr_timer *t)
{
	ts->heap[i] = t;
	t->pos = i + 1;
}

static void sift_up(struct xtr_timers *ts, uint32_t i, struct xtr_timer *t)
{
	while (i) {
		uint32_t up = (i - 1) / ARITY;

		if (ts->heap[up]->at <= t->at)
			break;
		place(ts, i, ts->heap[up]);
		i = up;
	}
	place(ts, i, t);
}

static void sift_down(struct xtr_timers *ts, uint32_t i, struct xtr_timer *t)
{
	for (;;) {
		uint32_t first = i * ARITY + 1, best = first, last = first + ARITY;

		if (first >= ts->n)
			break;
		if (last > ts->n)
			last = ts->n;
		for (uint32_t c = first + 1; c < last; c++)
			if (ts->heap[c]->at < ts->heap[best]->at)
				best = c;
		if (ts->heap[best]->at >= t->at)
			break;
		place(ts, i, ts->heap[best]);
		i = best;
	}
	place(ts, i, t);
}

int xtr_timer_set(struct xtr_timers *ts, struct xtr_timer *t, uint64_t at)
{
	uint64_t old = t->at;

	if (t->pos) {
		t->at = at;
		if (at < old)
			sift_up(ts, t->pos - 1, t);
		else
			sift_down(ts, t->pos - 1, t);
		return 0;
	}
	if (ts->n == ts->cap) {
		uint32_t cap = ts->cap ? ts->cap * 2 : 16;
		struct xtr_timer **heap;

		if (cap < ts->cap)
			return -ENOMEM;
		heap = realloc(ts->heap, cap * sizeof(*heap));
		if (!heap)
			return -ENOMEM;
		ts->heap = heap;
		ts->cap = cap;
	}
	t->at = at;
	sift_up(ts, ts->n++, t);
	return 0;
}

void xtr_timer_cancel(struct xtr_timers *ts, struct xtr_timer *t)
{
	struct xtr_timer *last;
	uint32_t i;

	if (!t->pos)
		return;
	i = t->pos - 1;
	t->pos = 0;
	last = ts->heap[--ts->n];
	if (last == t)
		return;
	if (i && last->at < ts->heap[(i - 1) / ARITY]->at)
		sift_up(ts, i, last);
	else
		sift_down(ts, i, last);
}

unsigned xtr_timers_run(struct xtr_timers *ts, uint64_t now, unsigned max)
{
	unsigned done = 0;

	while (done < max && ts->n && ts->heap[0]->at <= now) {
		struct xtr_timer *t = ts->heap[0];

		xtr_timer_cancel(ts, t);
		ts->kinds[t->kind].fn(ts->kinds[t->kind].ctx, t);
		done++;
	}
	return done;
}
