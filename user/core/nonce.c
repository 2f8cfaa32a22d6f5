// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Starts at wall-clock seconds in the high half, a counter in the low half, or above the stored
 * limit if that is later: so a lost state directory is harmless while the clock is right, and a
 * clock set back is harmless while the state directory is there. What is stored is a limit ahead of
 * use: a crash cannot lose a nonce that was sent, and storage is written once per RESERVE messages.
 */
#include "core/nonce.h"

#include <string.h>

#define NAME "nonce"
#define RESERVE (1u << 20)
#define SKIP_MAX (1u << 28)
#define SKIP_RESERVE ((uint64_t)1 << 33)

static void put64(uint8_t *p, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

static void store(struct xtr_nonce_seq *s, const struct xtr_ops *ops, uint64_t limit)
{
	uint8_t buf[8];

	put64(buf, limit);
	s->stored = ops->save && !ops->save(ops->ctx, NAME, buf, sizeof(buf));
	s->limit = limit;
}

void xtr_nonce_open(struct xtr_nonce_seq *s, const struct xtr_ops *ops)
{
	uint8_t buf[8];
	uint64_t old = 0;

	s->next = (ops->wall_seconds ? ops->wall_seconds(ops->ctx) : 0) << 32 | 1;
	if (ops->load && ops->load(ops->ctx, NAME, buf, sizeof(buf)) == (int)sizeof(buf)) {
		for (int i = 0; i < 8; i++)
			old = old << 8 | buf[i];
		if (old > s->next && old < UINT64_MAX - ((uint64_t)1 << 40))
			s->next = old;
	}
	store(s, ops, s->next + RESERVE);
}

uint64_t xtr_nonce_next(struct xtr_nonce_seq *s, const struct xtr_ops *ops)
{
	if (s->next >= s->limit)
		store(s, ops, s->next + RESERVE);
	return s->next++;
}

void xtr_nonce_skip(struct xtr_nonce_seq *s, const struct xtr_ops *ops, uint32_t by)
{
	s->next += by % SKIP_MAX;
	if (s->next >= s->limit)
		store(s, ops, s->next + SKIP_RESERVE);
}

void xtr_nonce_close(struct xtr_nonce_seq *s, const struct xtr_ops *ops)
{
	store(s, ops, s->next);
}
