// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The timer heap against a plain list, and timers that change timers. */
#include "core/timer.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define N 500

static struct xtr_timers ts;
static struct xtr_timer t[N];
static uint64_t last;
static unsigned fired[N];

static void on_fire(void *ctx, struct xtr_timer *x)
{
	cr_assert_geq(x->at, last, "out of order");
	cr_assert(!xtr_timer_armed(x), "still armed while it runs");
	last = x->at;
	fired[x - t]++;
}

Test(timer, runs_in_order_of_deadlines_whatever_was_moved_or_cancelled)
{
	uint64_t want[N];
	unsigned due = 0;

	srand(7);
	xtr_timers_init(&ts);
	xtr_timers_kind(&ts, 3, on_fire, NULL);
	for (unsigned i = 0; i < N; i++)
		t[i].kind = 3;
	for (unsigned round = 0; round < 20 * N; round++) {
		unsigned i = (unsigned)rand() % N;

		if (rand() % 4) {
			want[i] = (unsigned)rand() % 1000;
			cr_assert_eq(xtr_timer_set(&ts, &t[i], want[i]), 0);
		} else {
			xtr_timer_cancel(&ts, &t[i]);
		}
	}
	for (unsigned i = 0; i < N; i++)
		due += xtr_timer_armed(&t[i]) && want[i] <= 500;
	cr_assert_gt(due, 50);
	cr_assert_eq(xtr_timers_run(&ts, 500, N), due);
	for (unsigned i = 0; i < N; i++) {
		cr_assert_eq(fired[i], fired[i] ? 1 : 0);
		cr_assert(!xtr_timer_armed(&t[i]) || want[i] > 500);
		cr_assert(!fired[i] || want[i] <= 500);
	}
	cr_assert_gt(xtr_timers_next(&ts), 500);
	xtr_timers_free(&ts);
}

Test(timer, next_is_never_when_nothing_is_armed)
{
	struct xtr_timer one = { .kind = 3 };

	xtr_timers_init(&ts);
	xtr_timers_kind(&ts, 3, on_fire, NULL);
	cr_assert_eq(xtr_timers_next(&ts), XTR_NEVER);
	xtr_timer_set(&ts, &one, 5);
	cr_assert_eq(xtr_timers_next(&ts), 5);
	xtr_timer_cancel(&ts, &one);
	xtr_timer_cancel(&ts, &one); /* twice is harmless */
	cr_assert_eq(xtr_timers_next(&ts), XTR_NEVER);
	xtr_timers_free(&ts);
}

Test(timer, a_run_is_bounded)
{
	xtr_timers_init(&ts);
	xtr_timers_kind(&ts, 3, on_fire, NULL);
	for (unsigned i = 0; i < 10; i++) {
		t[i].kind = 3;
		xtr_timer_set(&ts, &t[i], i);
	}
	cr_assert_eq(xtr_timers_run(&ts, 100, 4), 4);
	cr_assert_eq(xtr_timers_next(&ts), 4);
	cr_assert_eq(xtr_timers_run(&ts, 100, 100), 6);
	xtr_timers_free(&ts);
}

static void rearm(void *ctx, struct xtr_timer *x)
{
	if (++*(unsigned *)ctx < 5)
		xtr_timer_set(&ts, x, x->at + 10);
	xtr_timer_cancel(&ts, &t[9]); /* another one, due at the same time */
}

Test(timer, a_handler_may_arm_itself_and_cancel_others)
{
	unsigned n = 0;

	xtr_timers_init(&ts);
	xtr_timers_kind(&ts, 1, rearm, &n);
	xtr_timers_kind(&ts, 3, on_fire, NULL);
	t[0].kind = 1;
	t[9].kind = 3;
	xtr_timer_set(&ts, &t[0], 10);
	xtr_timer_set(&ts, &t[9], 10);
	last = 0;
	xtr_timers_run(&ts, 10, 1);
	if (fired[9]) /* equal deadlines: either order is right */
		cr_assert_eq(n, 0);
	xtr_timers_run(&ts, 100, 100);
	cr_assert_eq(n, 5);
	xtr_timers_free(&ts);
}
