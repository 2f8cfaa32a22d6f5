// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The trie against a model that is obviously right: an array of prefixes that is searched from one end to the other.
 * Random operations on few bits (so that prefixes meet) and on many; after each, every question is asked of both.
 */
#include "util/trie.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#define MODEL_MAX 512
#define KEY 32 /* octets */

struct entry { uint8_t key[KEY]; unsigned bits; void *value; };
static struct entry model[MODEL_MAX];
static unsigned model_n;
static struct xtr_trie *trie;
static uint32_t seed;

static uint32_t rnd(void)
{
	seed = seed * 1664525u + 1013904223u;
	return seed >> 8;
}

static bool key_bit(const uint8_t *k, unsigned i)
{
	return k[i / 8] & 0x80 >> i % 8;
}

static unsigned model_common(const uint8_t *a, const uint8_t *b, unsigned max)
{
	unsigned n = 0;

	while (n < max && key_bit(a, n) == key_bit(b, n))
		n++;
	return n;
}

static bool model_covers(const struct entry *e, const uint8_t *key, unsigned bits)
{
	return e->bits <= bits && model_common(e->key, key, e->bits) == e->bits;
}

static struct entry *model_exact(const uint8_t *key, unsigned bits)
{
	for (unsigned i = 0; i < model_n; i++)
		if (model[i].bits == bits && model_covers(&model[i], key, bits))
			return &model[i];
	return NULL;
}

static struct entry *model_match(const uint8_t *key, unsigned bits, bool shorter)
{
	struct entry *best = NULL;

	for (unsigned i = 0; i < model_n; i++)
		if (model_covers(&model[i], key, bits) && !(shorter && model[i].bits == bits) &&
		    (!best || model[i].bits > best->bits))
			best = &model[i];
	return best;
}

static unsigned model_hole(const uint8_t *key, unsigned bits)
{
	unsigned n = 0;

	for (unsigned i = 0; i < model_n; i++) {
		unsigned max = model[i].bits < bits ? model[i].bits : bits;
		unsigned c = model_common(model[i].key, key, max) + 1;

		n = c > n ? c : n;
	}
	return n;
}

/* Key order, shorter first: the order of the bit strings, a prefix before its extensions. */
static int model_order(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	unsigned max = x->bits < y->bits ? x->bits : y->bits, n = model_common(x->key, y->key, max);

	if (n == max)
		return (int)x->bits - (int)y->bits;
	return key_bit(x->key, n) ? 1 : -1;
}

static void masked(uint8_t out[KEY], const uint8_t *key, unsigned bits)
{
	memset(out, 0, KEY);
	for (unsigned i = 0; i < bits; i++)
		if (key_bit(key, i))
			out[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

struct walk { const uint8_t *key; unsigned bits, i, seen; };

static int on_walk(void *ctx, const uint8_t *key, unsigned bits, void *value)
{
	struct walk *w = ctx;

	/* The next entry of the sorted model that is inside. */
	while (w->i < model_n && !(model[w->i].bits >= w->bits &&
				   model_common(model[w->i].key, w->key, w->bits) == w->bits))
		w->i++;
	cr_assert_lt(w->i, model_n, "the walk has more than the model");
	cr_assert(bits == model[w->i].bits && value == model[w->i].value && !memcmp(key, model[w->i].key, KEY),
		  "the walk differs from the model");
	w->i++;
	w->seen++;
	return 0;
}

static void check_walk(const uint8_t *key, unsigned bits)
{
	struct walk w = { key, bits, 0, 0 };
	unsigned inside = 0;

	qsort(model, model_n, sizeof(model[0]), model_order);
	for (unsigned i = 0; i < model_n; i++)
		inside += model[i].bits >= bits && model_common(model[i].key, key, bits) == bits;
	cr_assert_eq(xtr_trie_walk(trie, key, bits, on_walk, &w), 0);
	cr_assert_eq(w.seen, inside);
}

/* Behind a place where something is stored or not: all that the order has after it. */
static void check_walk_after(const uint8_t *key, unsigned bits)
{
	static const uint8_t whole[KEY];
	struct entry at = { .bits = bits };
	struct walk w = { .key = whole };

	masked(at.key, key, bits);
	qsort(model, model_n, sizeof(model[0]), model_order);
	while (w.i < model_n && model_order(&model[w.i], &at) <= 0)
		w.i++;
	at.value = (void *)(uintptr_t)(model_n - w.i);
	cr_assert_eq(xtr_trie_walk_after(trie, key, bits, on_walk, &w), 0);
	cr_assert_eq(w.seen, (uintptr_t)at.value);
}

static void check(const uint8_t *key, unsigned bits)
{
	const struct entry *e = model_exact(key, bits), *m = model_match(key, bits, false), *p = model_match(key, bits, true);
	struct xtr_trie_key ahead[3] = { { .t = trie, .bits = bits }, { .t = NULL }, { .t = trie, .bits = XTR_TRIE_MAX_BITS } };
	unsigned found = 999;

	memcpy(ahead[0].key, key, KEY);
	memcpy(ahead[2].key, key, KEY);
	xtr_trie_ahead(ahead, 3); /* no answer of its own, and no change of those that follow */
	cr_assert_eq(xtr_trie_get(trie, key, bits), e ? e->value : NULL);
	cr_assert_eq(xtr_trie_match(trie, key, bits, &found), m ? m->value : NULL);
	cr_assert_eq(found, m ? m->bits : 999);
	found = 999;
	cr_assert_eq(xtr_trie_parent(trie, key, bits, &found), p ? p->value : NULL);
	cr_assert_eq(found, p ? p->bits : 999);
	cr_assert_eq(xtr_trie_hole(trie, key, bits), model_hole(key, bits));
	cr_assert_eq(xtr_trie_count(trie), model_n);
}

/* Few different octets, so that random keys share prefixes of all lengths. Bits after the length stay dirty. */
static unsigned random_key(uint8_t key[KEY], unsigned max_bits)
{
	for (unsigned i = 0; i < KEY; i++)
		key[i] = rnd() % 4 ? (uint8_t)(rnd() % 3 ? 0 : 0xff) : (uint8_t)rnd();
	return rnd() % (max_bits + 1);
}

static void op_set(const uint8_t *key, unsigned bits)
{
	struct entry *e = model_exact(key, bits);
	void *value = (void *)(uintptr_t)(rnd() + 1), *old = (void *)1;

	if (!e && model_n == MODEL_MAX)
		return;
	cr_assert_eq(xtr_trie_set(trie, key, bits, value, &old), 0);
	cr_assert_eq(old, e ? e->value : NULL);
	if (!e) {
		e = &model[model_n++];
		masked(e->key, key, bits);
		e->bits = bits;
	}
	e->value = value;
}

static void op_del(const uint8_t *key, unsigned bits)
{
	struct entry *e = model_exact(key, bits);

	cr_assert_eq(xtr_trie_del(trie, key, bits), e ? e->value : NULL);
	if (e)
		*e = model[--model_n];
}

static void run(uint32_t start, unsigned max_bits, unsigned steps)
{
	uint8_t key[KEY];

	seed = start;
	model_n = 0;
	trie = xtr_trie_new();
	cr_assert(trie);
	for (unsigned i = 0; i < steps; i++) {
		unsigned bits = random_key(key, max_bits), what = rnd() % 10;

		/* Grow for a while, then shrink, and again. */
		if (what < (i / 400 % 2 ? 2 : 5)) {
			op_set(key, bits);
		} else if (model_n && what < 8) {
			const struct entry *e = &model[rnd() % model_n];

			memcpy(key, e->key, KEY);
			bits = e->bits;
			op_del(key, bits);
		}
		check(key, bits);
		bits = random_key(key, max_bits);
		check(key, bits);
		if (i % 16 == 0) {
			check_walk(key, rnd() % (bits + 1));
			check_walk_after(key, bits);
			if (model_n)
				check_walk_after(model[i % model_n].key, model[i % model_n].bits);
		}
	}
	check_walk(key, 0);
	while (model_n)
		op_del(model[0].key, model[0].bits);
	cr_expect_eq(xtr_trie_count(trie), 0);
	cr_expect_eq(xtr_trie_hole(trie, key, 8), 0);
	xtr_trie_free(trie, NULL);
}

Test(trie, random_operations_like_the_model_few_bits)
{
	for (uint32_t s = 1; s <= 6; s++)
		run(s, 6, 1600);
}

Test(trie, random_operations_like_the_model_ipv4)
{
	for (uint32_t s = 10; s <= 13; s++)
		run(s, 32, 1600);
}

Test(trie, random_operations_like_the_model_widest)
{
	run(20, XTR_TRIE_MAX_BITS, 1600);
}

static int tag(void *ctx, const uint8_t *key, unsigned bits, void *value)
{
	*(unsigned *)ctx += 1;
	return value == (void *)2 ? 77 : 0;
}

Test(trie, walk_stops_and_returns_what_fn_returned)
{
	const uint8_t a[KEY] = { 10 }, b[KEY] = { 10, 1 }, c[KEY] = { 10, 2 };
	struct xtr_trie *t = xtr_trie_new();
	unsigned n = 0;

	cr_assert(!xtr_trie_set(t, a, 8, (void *)1, NULL) && !xtr_trie_set(t, b, 16, (void *)2, NULL) &&
		  !xtr_trie_set(t, c, 16, (void *)3, NULL));
	cr_expect_eq(xtr_trie_walk(t, a, 0, tag, &n), 77);
	cr_expect_eq(n, 2);
	xtr_trie_free(t, NULL);
}

Test(trie, refuses_what_it_cannot_hold)
{
	static const uint8_t key[64];
	struct xtr_trie *t = xtr_trie_new();
	void *old = (void *)1;

	cr_expect_eq(xtr_trie_set(t, key, XTR_TRIE_MAX_BITS + 1, (void *)1, &old), -EINVAL);
	cr_expect_null(old);
	cr_expect_eq(xtr_trie_set(t, key, 8, NULL, NULL), -EINVAL);
	cr_expect_null(xtr_trie_get(t, key, XTR_TRIE_MAX_BITS + 1));
	cr_expect_null(xtr_trie_del(t, key, XTR_TRIE_MAX_BITS + 1));
	cr_expect_null(xtr_trie_match(t, key, XTR_TRIE_MAX_BITS + 1, NULL));
	cr_expect_eq(xtr_trie_count(t), 0);
	xtr_trie_free(t, NULL);
	xtr_trie_free(NULL, NULL);
}

static unsigned freed;

static void count_free(void *value)
{
	freed++;
	free(value);
}

Test(trie, free_gives_back_every_value_once)
{
	struct xtr_trie *t = xtr_trie_new();

	for (unsigned i = 0; i < 300; i++) {
		const uint8_t key[KEY] = { (uint8_t)(i * 7), (uint8_t)i, (uint8_t)(i >> 8) };
		void *old;

		cr_assert_eq(xtr_trie_set(t, key, 3 + i % 22, malloc(8), &old), 0);
		free(old);
	}
	freed = 0;
	unsigned n = (unsigned)xtr_trie_count(t);
	xtr_trie_free(t, count_free);
	cr_expect_eq(freed, n);
}

/* The examples of least-specific negative prefixes. */
Test(trie, RFC9301_8_4_least_specific_hole)
{
	const uint8_t k8[4] = { 10 }, k16[4] = { 10, 1 };
	const uint8_t e1[4] = { 11, 1, 1, 1 }, e2[4] = { 10, 2, 3, 4 }, e3[4] = { 10, 128, 0, 1 };
	struct xtr_trie *t = xtr_trie_new();

	cr_expect_eq(xtr_trie_hole(t, e1, 32), 0, "nothing stored: 0.0.0.0/0");
	xtr_trie_set(t, k8, 8, t, NULL);
	cr_expect_eq(xtr_trie_hole(t, e1, 32), 8, "11.0.0.0/8");
	xtr_trie_del(t, k8, 8);
	xtr_trie_set(t, k16, 16, t, NULL);
	cr_expect_eq(xtr_trie_hole(t, e2, 32), 15, "10.2.0.0/15");
	cr_expect_eq(xtr_trie_hole(t, e3, 32), 9, "10.128.0.0/9");
	cr_expect_eq(xtr_trie_hole(t, k8, 8), 9, "10.0.0.0/8 itself holds a prefix: no such length");
	xtr_trie_free(t, NULL);
}
