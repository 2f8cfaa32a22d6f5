/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Timers of the control plane: one heap for everything that has a deadline, so that a million
 * map-cache entries cost one word each and finding the next deadline costs nothing. A timer lives
 * inside the object it belongs to and names the kind of that object; the handler of the kind finds
 * the object with xtr_timer_owner().
 */
#ifndef XTR_CORE_TIMER_H
#define XTR_CORE_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XTR_TIMER_KINDS 32
#define XTR_NEVER UINT64_MAX

struct xtr_timer {
	uint64_t at;  /* deadline, milliseconds */
	uint32_t pos; /* 1-based place in the heap; 0: not armed */
	uint8_t kind;
};

struct xtr_timers {
	struct xtr_timer **heap;
	uint32_t n, cap;
	struct {
		void (*fn)(void *ctx, struct xtr_timer *t);
		void *ctx;
	} kinds[XTR_TIMER_KINDS];
};

#define xtr_timer_owner(t, type, member) ((type *)(void *)((char *)(t)-offsetof(type, member)))

void xtr_timers_init(struct xtr_timers *ts);
void xtr_timers_free(struct xtr_timers *ts); /* the heap only; timers belong to their objects */
/* What to call when a timer of this kind is due. The timer is not armed any more then. */
void xtr_timers_kind(struct xtr_timers *ts, uint8_t kind,
		     void (*fn)(void *ctx, struct xtr_timer *t), void *ctx);
/* Arms or moves. Can only fail (-ENOMEM) for a timer that is not armed. */
int xtr_timer_set(struct xtr_timers *ts, struct xtr_timer *t, uint64_t at);
void xtr_timer_cancel(struct xtr_timers *ts, struct xtr_timer *t);
static inline bool xtr_timer_armed(const struct xtr_timer *t)
{
	return t->pos;
}
/* Earliest deadline, or XTR_NEVER. */
static inline uint64_t xtr_timers_next(const struct xtr_timers *ts)
{
	return ts->n ? ts->heap[0]->at : XTR_NEVER;
}
/* Runs at most max timers that are due at now, in order of their deadlines; returns how many. */
unsigned xtr_timers_run(struct xtr_timers *ts, uint64_t now, unsigned max);

#endif
