// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Map-Request, RFC 9301 5.2, with the subscription fields of RFC 9437 4. Views of the caller's
 * buffer, no allocation.
 */
#include "codec/msg_int.h"

#include <errno.h>
#include <string.h>

static const struct {
	uint32_t flag, mask;
} bits[] = {
	{ XTR_MREQ_A, 0x08000000 },    { XTR_MREQ_M, 0x04000000 },
	{ XTR_MREQ_P, 0x02000000 },    { XTR_MREQ_S, 0x01000000 },
	{ XTR_MREQ_PITR, 0x00800000 }, { XTR_MREQ_SMR_INVOKED, 0x00400000 },
	{ XTR_MREQ_I, 0x00100000 },    { XTR_MREQ_L, 0x00004000 },
	{ XTR_MREQ_D, 0x00002000 },
};
#define NBITS (sizeof(bits) / sizeof(bits[0]))

static void mreq_record_decode(struct xtr_rd *r, struct xtr_mreq_record *out)
{
	out->subscribe = xtr_rd_u8(r) & 0x80;
	out->mask_len = xtr_rd_u8(r);
	xtr_eid_decode(r, out->mask_len, &out->eid);
}

/* RFC 9301 5.2: something to answer to; or the unsubscribe form, one ITR-RLOC of AFI 0 with N (RFC
 * 9437 5). */
static bool can_be_answered(const struct xtr_map_request *m)
{
	struct xtr_mreq_record rec;
	struct xtr_rd it = { 0 };
	struct xtr_ip ip;

	for (unsigned i = 0; i < m->itr_rloc_count; i++)
		if (xtr_addr_rloc_ip(&m->itr_rlocs[i], &ip))
			return true;
	return m->itr_rloc_count == 1 && m->itr_rlocs[0].afi == XTR_AFI_NONE &&
	       xtr_mreq_record_next(m, &it, &rec) && rec.subscribe;
}

int xtr_map_request_decode(const uint8_t *buf, size_t len, struct xtr_map_request *out)
{
	struct xtr_mreq_record rec;
	const uint8_t *start;
	struct xtr_rd r;
	uint32_t word;

	memset(out, 0, sizeof(*out));
	word = xtr_msg_open(&r, buf, len, XTR_MSG_MAP_REQUEST);
	for (size_t i = 0; i < NBITS; i++)
		if (word & bits[i].mask)
			out->flags |= bits[i].flag;
	out->nonce = xtr_rd_u64(&r);
	xtr_addr_decode(&r, &out->source_eid);
	out->itr_rloc_count = (uint8_t)((word >> 8 & 31) + 1);
	for (unsigned i = 0; i < out->itr_rloc_count && !r.err; i++)
		xtr_addr_decode(&r, &out->itr_rlocs[i]);
	out->record_count = (uint8_t)word;
	if (!out->record_count)
		xtr_rd_fail(&r, -EBADMSG); /* asks for nothing */
	start = r.p;
	for (unsigned i = 0; i < out->record_count && !r.err; i++)
		mreq_record_decode(&r, &rec);
	out->recs = xtr_rd_init(start, (size_t)(r.p - start));
	if (out->flags & XTR_MREQ_M)
		xtr_record_decode(&r, &out->reply_record);
	if (out->flags & XTR_MREQ_I) {
		/* RFC 9437 5: I without the identifiers drops the message. */
		xtr_rd_copy(&r, out->xtr_id, sizeof(out->xtr_id));
		xtr_rd_copy(&r, out->site_id, sizeof(out->site_id));
	}
	xtr_rd_expect_end(&r);
	if (!r.err && !can_be_answered(out))
		xtr_rd_fail(&r, -EBADMSG);
	return r.err;
}

bool xtr_mreq_record_next(const struct xtr_map_request *m, struct xtr_rd *it,
			  struct xtr_mreq_record *out)
{
	if (!it->p)
		*it = m->recs;
	if (!xtr_rd_left(it))
		return false;
	mreq_record_decode(it, out);
	return !it->err;
}

static void put_head(struct xtr_wr *w, uint32_t flags, uint8_t itr_rloc_count, uint8_t record_count,
		     uint64_t nonce)
{
	uint32_t word = (uint32_t)XTR_MSG_MAP_REQUEST << 28 | record_count;

	if (itr_rloc_count < 1 || itr_rloc_count > XTR_ITR_RLOCS_MAX) {
		xtr_wr_fail(w, -EINVAL);
		return;
	}
	for (size_t i = 0; i < NBITS; i++)
		if (flags & bits[i].flag)
			word |= bits[i].mask;
	xtr_wr_u32(w, word | (itr_rloc_count - 1u) << 8);
	xtr_wr_u64(w, nonce);
}

void xtr_map_request_encode(struct xtr_wr *w, const struct xtr_mreq_out *m)
{
	uint8_t *head;

	put_head(w, m->flags & ~(uint32_t)XTR_MREQ_M, m->itr_rloc_count, 1, m->nonce);
	if (m->source_eid)
		xtr_eid_put(w, m->source_eid);
	else
		xtr_put_none(w);
	for (unsigned i = 0; i < m->itr_rloc_count && !w->err; i++)
		xtr_put_ip(w, &m->itr_rlocs[i]);
	head = xtr_wr_reserve(w, 2);
	if (head) {
		head[0] = m->subscribe ? 0x80 : 0;
		head[1] = xtr_eid_put(w, m->eid);
	}
	if (m->flags & XTR_MREQ_I)
		xtr_put_ids(w, m->xtr_id, m->site_id);
}

void xtr_map_request_reencode(struct xtr_wr *w, const struct xtr_map_request *m)
{
	struct xtr_mreq_record rec;
	struct xtr_rd it = { 0 };

	put_head(w, m->flags, m->itr_rloc_count, m->record_count, m->nonce);
	xtr_addr_encode(w, &m->source_eid);
	for (unsigned i = 0; i < m->itr_rloc_count && !w->err; i++)
		xtr_addr_encode(w, &m->itr_rlocs[i]);
	while (xtr_mreq_record_next(m, &it, &rec)) {
		xtr_wr_u8(w, rec.subscribe ? 0x80 : 0);
		xtr_wr_u8(w, rec.mask_len);
		xtr_addr_encode(w, &rec.eid);
	}
	if (m->flags & XTR_MREQ_M)
		xtr_record_reencode(w, &m->reply_record);
	if (m->flags & XTR_MREQ_I)
		xtr_put_ids(w, m->xtr_id, m->site_id);
}
