/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sticky-error cursors over wire octets. After the first error every read gives 0 and every
 * write does nothing, so a codec reads as a list of fields with one check at the end.
 * No allocation, no knowledge of what the octets mean. Comparisons are `need > left`,
 * never `ptr + need > end`.
 */
#ifndef XTR_UTIL_WIRE_H
#define XTR_UTIL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xtr_rd {
	const uint8_t *p;    /* next octet */
	const uint8_t *end;
	int err;             /* 0, or the first error (-errno) */
};

struct xtr_wr {
	uint8_t *start, *p, *end;
	int err;
};

static inline struct xtr_rd xtr_rd_init(const void *buf, size_t len)
{
	return (struct xtr_rd){ .p = buf, .end = (const uint8_t *)buf + len };
}
static inline size_t xtr_rd_left(const struct xtr_rd *r) { return r->err ? 0 : (size_t)(r->end - r->p); }
void xtr_rd_fail(struct xtr_rd *r, int err);      /* keeps the first error */
uint8_t  xtr_rd_u8(struct xtr_rd *r);             /* numbers come in network order, go out in host order */
uint16_t xtr_rd_u16(struct xtr_rd *r);
uint32_t xtr_rd_u32(struct xtr_rd *r);
uint64_t xtr_rd_u64(struct xtr_rd *r);
const uint8_t *xtr_rd_bytes(struct xtr_rd *r, size_t n); /* view into the buffer, NULL on error (-EBADMSG) */
void xtr_rd_copy(struct xtr_rd *r, void *dst, size_t n); /* zeroes dst on error */
struct xtr_rd xtr_rd_sub(struct xtr_rd *r, size_t n);    /* cursor over the next n octets, which are consumed */

static inline struct xtr_wr xtr_wr_init(void *buf, size_t size)
{
	return (struct xtr_wr){ .start = buf, .p = buf, .end = (uint8_t *)buf + size };
}
static inline size_t xtr_wr_len(const struct xtr_wr *w) { return (size_t)(w->p - w->start); }
void xtr_wr_fail(struct xtr_wr *w, int err);
void xtr_wr_u8(struct xtr_wr *w, uint8_t v);
void xtr_wr_u16(struct xtr_wr *w, uint16_t v);
void xtr_wr_u32(struct xtr_wr *w, uint32_t v);
void xtr_wr_u64(struct xtr_wr *w, uint64_t v);
void xtr_wr_bytes(struct xtr_wr *w, const void *src, size_t n); /* -ENOSPC when full */
uint8_t *xtr_wr_reserve(struct xtr_wr *w, size_t n);            /* zeroed octets to fill in later, NULL on error */

#endif
