// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What all control messages share (types, EID records, locators) and the Map-Reply. RFC
 * 9301 5.1, 5.4.
 *
 * Messages are decoded into views of the caller's buffer; nothing is allocated. Invariant: a
 * decoder that returns 0 has read every octet of the message, so the iterators over records and
 * locators cannot fail afterwards; they end. Writers set reserved bits to 0 (RFC 9301 5); readers
 * ignore them.
 */
#include "codec/msg_int.h"

#include <errno.h>
#include <string.h>

int xtr_msg_type(const uint8_t *buf, size_t len)
{
	return len ? buf[0] >> 4 : -EBADMSG;
}

const char *xtr_msg_name(int type)
{
	switch (type) {
	case XTR_MSG_MAP_REQUEST: return "Map-Request";
	case XTR_MSG_MAP_REPLY: return "Map-Reply";
	case XTR_MSG_MAP_REGISTER: return "Map-Register";
	case XTR_MSG_MAP_NOTIFY: return "Map-Notify";
	case XTR_MSG_MAP_NOTIFY_ACK: return "Map-Notify-Ack";
	case XTR_MSG_MAP_REFERRAL: return "Map-Referral";
	case XTR_MSG_INFO: return "Info";
	case XTR_MSG_ECM: return "ECM";
	case XTR_MSG_EXT: return "Shared-Extension";
	default: return "unknown";
	}
}

uint32_t xtr_msg_open(struct xtr_rd *r, const uint8_t *buf, size_t len, uint8_t type)
{
	uint32_t word;

	*r = xtr_rd_init(buf, len);
	if (len > XTR_MSG_MAX)
		xtr_rd_fail(r, -E2BIG);
	word = xtr_rd_u32(r);
	if (!r->err && word >> 28 != type)
		xtr_rd_fail(r, -EPROTONOSUPPORT);
	return word;
}

/* ---- records and locators */

/* Width in bits that a mask-len can have for this EID; kinds whose mask-len is defined elsewhere:
 * the field's own. */
static unsigned mask_width(const struct xtr_addr *eid)
{
	struct xtr_lcaf_iid iid;

	switch (eid->afi) {
	case XTR_AFI_IP4: return 32;
	case XTR_AFI_IP6: return 128;
	case XTR_AFI_MAC_OLD:
	case XTR_AFI_MAC: return 48;
	case XTR_AFI_MAC64: return 64;
	case XTR_AFI_LCAF:
		if (xtr_lcaf_get_iid(eid, &iid) && iid.addr.afi != XTR_AFI_LCAF)
			return mask_width(&iid.addr);
		return UINT8_MAX;
	default: return UINT8_MAX;
	}
}

void xtr_eid_decode(struct xtr_rd *r, uint8_t mask_len, struct xtr_addr *out)
{
	xtr_addr_decode(r, out);
	if (r->err)
		return;
	if (out->unknown)
		xtr_rd_fail(r, -EPROTONOSUPPORT);
	else if (mask_len > mask_width(out))
		xtr_rd_fail(r, -EBADMSG);
}

static void locator_decode(struct xtr_rd *r, struct xtr_locator *out)
{
	uint16_t flags;

	out->priority = xtr_rd_u8(r);
	out->weight = xtr_rd_u8(r);
	out->mpriority = xtr_rd_u8(r);
	out->mweight = xtr_rd_u8(r);
	flags = xtr_rd_u16(r);
	out->local = flags & 4;
	out->probed = flags & 2;
	out->reachable = flags & 1;
	xtr_addr_decode(r, &out->addr);
}

void xtr_record_decode(struct xtr_rd *r, struct xtr_record *out)
{
	const uint8_t *start = r->p;
	struct xtr_locator loc;
	uint16_t flags;

	memset(out, 0, sizeof(*out));
	out->ttl = xtr_rd_u32(r);
	out->locator_count = xtr_rd_u8(r);
	out->mask_len = xtr_rd_u8(r);
	flags = xtr_rd_u16(r);
	out->act = (uint8_t)(flags >> 13);
	out->authoritative = flags & 0x1000;
	out->map_version = xtr_rd_u16(r) & 0xfff;
	xtr_eid_decode(r, out->mask_len, &out->eid);
	out->locators = xtr_rd_init(r->p, xtr_rd_left(r));
	for (unsigned i = 0; i < out->locator_count && !r->err; i++)
		locator_decode(r, &loc);
	out->locators.end = r->p;
	out->wire = start;
	out->wire_len = (size_t)(r->p - start);
}

void xtr_records_decode(struct xtr_rd *r, uint8_t count, struct xtr_records *out)
{
	const uint8_t *start = r->p;
	struct xtr_record rec;

	for (unsigned i = 0; i < count && !r->err; i++)
		xtr_record_decode(r, &rec);
	*out = (struct xtr_records){ .rd = xtr_rd_init(start, (size_t)(r->p - start)),
				      .left = count };
}

bool xtr_record_next(struct xtr_records *it, struct xtr_record *out)
{
	if (!it->left)
		return false;
	it->left--;
	xtr_record_decode(&it->rd, out);
	return !it->rd.err;
}

bool xtr_locator_next(const struct xtr_record *rec, struct xtr_rd *it, struct xtr_locator *out)
{
	if (!it->p)
		*it = rec->locators;
	if (!xtr_rd_left(it))
		return false;
	locator_decode(it, out);
	return !it->err;
}

/* Everything of a record before its EID. */
static void put_record_head(struct xtr_wr *w, const struct xtr_record_head *h)
{
	xtr_wr_u32(w, h->ttl);
	xtr_wr_u16(w, 0); /* Locator Count and mask-len, filled in later */
	xtr_wr_u16(w, (uint16_t)((h->act & 7) << 13 | (h->authoritative ? 0x1000 : 0)));
	xtr_wr_u16(w, h->map_version & 0xfff);
}

size_t xtr_put_record_begin(struct xtr_wr *w, const struct xtr_record_head *h,
			    const struct xtr_eid_prefix *eid)
{
	size_t mark = xtr_wr_len(w);
	uint8_t mask_len;

	put_record_head(w, h);
	mask_len = xtr_eid_put(w, eid);
	if (!w->err)
		w->start[mark + 5] = mask_len;
	return mark;
}

void xtr_put_record_end(struct xtr_wr *w, size_t mark, uint8_t locator_count)
{
	if (!w->err)
		w->start[mark + 4] = locator_count;
}

static void put_locator_head(struct xtr_wr *w, uint8_t priority, uint8_t weight, uint8_t mpriority,
			     uint8_t mweight, bool local, bool probed, bool reachable)
{
	xtr_wr_u8(w, priority);
	xtr_wr_u8(w, weight);
	xtr_wr_u8(w, mpriority);
	xtr_wr_u8(w, mweight);
	xtr_wr_u16(w, (uint16_t)((local ? 4 : 0) | (probed ? 2 : 0) | (reachable ? 1 : 0)));
}

void xtr_put_locator(struct xtr_wr *w, uint8_t priority, uint8_t weight, uint8_t mpriority,
		     uint8_t mweight, bool local, bool probed, bool reachable,
		     const struct xtr_ip *ip)
{
	put_locator_head(w, priority, weight, mpriority, mweight, local, probed, reachable);
	xtr_put_ip(w, ip);
}

void xtr_put_locator_raw(struct xtr_wr *w, const struct xtr_locator *l)
{
	put_locator_head(w, l->priority, l->weight, l->mpriority, l->mweight, l->local, l->probed,
			 l->reachable);
	xtr_addr_encode(w, &l->addr);
}

void xtr_record_reencode(struct xtr_wr *w, const struct xtr_record *rec)
{
	const struct xtr_record_head head = { rec->ttl, rec->act, rec->authoritative,
					      rec->map_version };
	size_t mark = xtr_wr_len(w);
	struct xtr_rd it = { 0 };
	struct xtr_locator loc;

	put_record_head(w, &head);
	xtr_addr_encode(w, &rec->eid);
	if (!w->err)
		w->start[mark + 5] = rec->mask_len;
	while (xtr_locator_next(rec, &it, &loc))
		xtr_put_locator_raw(w, &loc);
	xtr_put_record_end(w, mark, rec->locator_count);
}

void xtr_records_reencode(struct xtr_wr *w, struct xtr_records records)
{
	struct xtr_record rec;

	while (xtr_record_next(&records, &rec))
		xtr_record_reencode(w, &rec);
}

/* ---- Map-Reply */

#define REP_P 0x08000000u
#define REP_E 0x04000000u
#define REP_S 0x02000000u

/* LISP-SEC data after the records (RFC 9303 6.2): AD type 1, then EID-AD and PKT-AD, each with its
 * own length first, which counts itself. Opaque to us but for that. */
static void lisp_sec_decode(struct xtr_rd *r, struct xtr_map_reply *out)
{
	out->auth = r->p;
	out->auth_len = xtr_rd_left(r);
	if (xtr_rd_u32(r) >> 24 != 1 && !r->err)
		xtr_rd_fail(r, -EPROTONOSUPPORT);
	for (int part = 0; part < 2; part++) {
		uint16_t len = xtr_rd_u16(r);

		if (len < 4)
			xtr_rd_fail(r, -EBADMSG);
		else
			xtr_rd_bytes(r, len - 2u);
	}
}

int xtr_map_reply_decode(const uint8_t *buf, size_t len, struct xtr_map_reply *out)
{
	struct xtr_rd r;
	uint32_t word;

	memset(out, 0, sizeof(*out));
	word = xtr_msg_open(&r, buf, len, XTR_MSG_MAP_REPLY);
	out->probe = word & REP_P;
	out->echo_nonce = word & REP_E;
	out->security = word & REP_S;
	out->record_count = (uint8_t)word;
	out->nonce = xtr_rd_u64(&r);
	xtr_records_decode(&r, out->record_count, &out->records);
	if (out->security)
		lisp_sec_decode(&r, out);
	xtr_rd_expect_end(&r);
	return r.err;
}

static void put_reply_head(struct xtr_wr *w, bool probe, bool echo_nonce, bool security,
			   uint8_t record_count, uint64_t nonce)
{
	xtr_wr_u32(w, (uint32_t)XTR_MSG_MAP_REPLY << 28 | (probe ? REP_P : 0) |
			      (echo_nonce ? REP_E : 0) | (security ? REP_S : 0) | record_count);
	xtr_wr_u64(w, nonce);
}

void xtr_map_reply_begin(struct xtr_wr *w, bool probe, bool echo_nonce, uint8_t record_count,
			 uint64_t nonce)
{
	put_reply_head(w, probe, echo_nonce, false, record_count, nonce);
}

void xtr_map_reply_reencode(struct xtr_wr *w, const struct xtr_map_reply *m)
{
	put_reply_head(w, m->probe, m->echo_nonce, m->security, m->record_count, m->nonce);
	xtr_records_reencode(w, m->records);
	if (m->security)
		xtr_wr_bytes(w, m->auth, m->auth_len);
}
