// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Wire cursors. Invariants: start <= p <= end; once err is set it never changes and p does not
 * move. The buffer belongs to the caller.
 */
#include "util/wire.h"

#include <errno.h>
#include <string.h>

void xtr_rd_fail(struct xtr_rd *r, int err)
{
	if (!r->err)
		r->err = err;
}

const uint8_t *xtr_rd_bytes(struct xtr_rd *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->err)
		return NULL;
	if (n > (size_t)(r->end - r->p)) {
		r->err = -EBADMSG;
		return NULL;
	}
	/* A cursor over an empty buffer may hold NULL, to which nothing may be added. */
	if (n)
		r->p += n;
	return p;
}

uint8_t xtr_rd_u8(struct xtr_rd *r)
{
	const uint8_t *p = xtr_rd_bytes(r, 1);

	return p ? p[0] : 0;
}

uint16_t xtr_rd_u16(struct xtr_rd *r)
{
	const uint8_t *p = xtr_rd_bytes(r, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

uint32_t xtr_rd_u32(struct xtr_rd *r)
{
	const uint8_t *p = xtr_rd_bytes(r, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

uint64_t xtr_rd_u64(struct xtr_rd *r)
{
	const uint8_t *p = xtr_rd_bytes(r, 8);
	uint64_t v = 0;

	for (int i = 0; p && i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

void xtr_rd_copy(struct xtr_rd *r, void *dst, size_t n)
{
	const uint8_t *p = xtr_rd_bytes(r, n);

	if (!n)
		return;
	if (p)
		memcpy(dst, p, n);
	else
		memset(dst, 0, n);
}

struct xtr_rd xtr_rd_sub(struct xtr_rd *r, size_t n)
{
	const uint8_t *p = xtr_rd_bytes(r, n);

	if (r->err)
		return (struct xtr_rd){ .p = r->p, .end = r->p, .err = r->err };
	return xtr_rd_init(p, n);
}

void xtr_wr_fail(struct xtr_wr *w, int err)
{
	if (!w->err)
		w->err = err;
}

/* Room for n octets, not yet written; NULL if there is none. */
static uint8_t *wr_take(struct xtr_wr *w, size_t n)
{
	uint8_t *p = w->p;

	if (w->err)
		return NULL;
	if (n > (size_t)(w->end - w->p)) {
		w->err = -ENOSPC;
		return NULL;
	}
	if (n)
		w->p += n;
	return p;
}

void xtr_wr_u8(struct xtr_wr *w, uint8_t v)
{
	uint8_t *p = wr_take(w, 1);

	if (p)
		p[0] = v;
}

void xtr_wr_u16(struct xtr_wr *w, uint16_t v)
{
	uint8_t *p = wr_take(w, 2);

	if (!p)
		return;
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void xtr_wr_u32(struct xtr_wr *w, uint32_t v)
{
	uint8_t *p = wr_take(w, 4);

	for (int i = 0; p && i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

void xtr_wr_u64(struct xtr_wr *w, uint64_t v)
{
	uint8_t *p = wr_take(w, 8);

	for (int i = 0; p && i < 8; i++)
		p[i] = (uint8_t)(v >> (56 - 8 * i));
}

void xtr_wr_bytes(struct xtr_wr *w, const void *src, size_t n)
{
	uint8_t *p = wr_take(w, n);

	if (p && n)
		memcpy(p, src, n);
}

uint8_t *xtr_wr_reserve(struct xtr_wr *w, size_t n)
{
	uint8_t *p = wr_take(w, n);

	if (p && n)
		memset(p, 0, n);
	return p;
}
