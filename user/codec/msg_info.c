// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Info-Request and Info-Reply, type 7 of the two NAT traversal drafts
 * (draft-ermagan-lisp-nat-traversal, draft-farinacci-lisp-lispers-net-nat). The second puts a host
 * name in the place of the request's final AFI 0, and writes a constant Length of 16 into the NAT
 * LCAF of its replies: both are read here, neither is written.
 */
#include "codec/msg_int.h"

#include <errno.h>
#include <string.h>

#define INFO_R 0x08000000u

/* The NAT LCAF of a reply whose Length is the constant 16 though more follows: it runs to the end
 * of the message. */
static bool nat_of_wrong_length(struct xtr_rd *r, struct xtr_addr *out)
{
	const uint8_t *start = r->p;
	size_t left = xtr_rd_left(r);
	struct xtr_rd payload;

	if (left <= XTR_LCAF_HEAD + 16 || left > UINT16_MAX ||
	    (start[0] << 8 | start[1]) != XTR_AFI_LCAF || start[4] != XTR_LCAF_NAT ||
	    (start[6] << 8 | start[7]) != 16)
		return false;
	payload = xtr_rd_init(start + XTR_LCAF_HEAD, left - XTR_LCAF_HEAD);
	*out = (struct xtr_addr){
		.afi = XTR_AFI_LCAF, .lcaf = XTR_LCAF_NAT, .wire = start, .wire_len = (uint16_t)left,
	};
	out->unknown = xtr_lcaf_check(&payload, XTR_LCAF_NAT, start[5], 1);
	if (payload.err)
		xtr_rd_fail(r, payload.err);
	xtr_rd_bytes(r, left);
	return true;
}

int xtr_info_decode(const uint8_t *buf, size_t len, struct xtr_info *out)
{
	struct xtr_rd r;
	uint32_t word;
	bool fits;

	memset(out, 0, sizeof(*out));
	word = xtr_msg_open(&r, buf, len, XTR_MSG_INFO);
	out->reply = word & INFO_R;
	out->nonce = xtr_rd_u64(&r);
	out->key_id = xtr_rd_u8(&r);
	out->alg_id = xtr_rd_u8(&r);
	out->auth_len = xtr_rd_u16(&r);
	if (out->auth_len > XTR_AUTH_MAX)
		xtr_rd_fail(&r, -E2BIG);
	out->auth_off = (size_t)(r.p - buf);
	out->auth = xtr_rd_bytes(&r, out->auth_len);
	out->ttl = xtr_rd_u32(&r);
	xtr_rd_u8(&r);
	out->mask_len = xtr_rd_u8(&r);
	xtr_eid_decode(&r, out->mask_len, &out->eid);
	if (!out->reply || !nat_of_wrong_length(&r, &out->last))
		xtr_addr_decode(&r, &out->last);
	if (out->reply)
		fits = out->last.afi == XTR_AFI_LCAF && out->last.lcaf == XTR_LCAF_NAT;
	else
		fits = out->last.afi == XTR_AFI_NONE || out->last.afi == XTR_AFI_NAME;
	if (!r.err && !fits)
		xtr_rd_fail(&r, -EBADMSG);
	xtr_rd_expect_end(&r);
	return r.err;
}

void xtr_info_reencode(struct xtr_wr *w, const struct xtr_info *m)
{
	size_t last;

	xtr_wr_u32(w, (uint32_t)XTR_MSG_INFO << 28 | (m->reply ? INFO_R : 0));
	xtr_wr_u64(w, m->nonce);
	xtr_wr_u8(w, m->key_id);
	xtr_wr_u8(w, m->alg_id);
	xtr_wr_u16(w, m->auth_len);
	xtr_wr_bytes(w, m->auth, m->auth_len);
	xtr_wr_u32(w, m->ttl);
	xtr_wr_u8(w, 0);
	xtr_wr_u8(w, m->mask_len);
	xtr_addr_encode(w, &m->eid);
	last = xtr_wr_len(w);
	xtr_addr_encode(w, &m->last);
	if (m->last.afi == XTR_AFI_LCAF)
		xtr_put_lcaf_end(w, last); /* the true Length, whatever was received */
}
