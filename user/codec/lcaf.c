// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * LCAF payloads, RFC 8060 and 9306: one parser per type, used twice, to validate on decoding and to
 * give the typed view afterwards, so that both cannot disagree. Parsers read from a cursor that
 * holds exactly the payload; whoever validates checks that nothing is left. No allocation;
 * recursion is bounded by XTR_LCAF_MAX_DEPTH.
 */
#include "codec/addr_int.h"

#include <errno.h>

struct ctx { /* of one LCAF */
	uint8_t rsvd2;
	unsigned depth;
};

static void refuse(struct xtr_rd *p, bool bad)
{
	if (bad)
		xtr_rd_fail(p, -EBADMSG);
}

static void nested(struct xtr_rd *p, const struct ctx *c, struct xtr_addr *out)
{
	xtr_addr_decode_at(p, out, c->depth);
}

/* Is a mask length wider than the address? Only IP addresses have a width to compare with. */
static bool too_wide(const struct xtr_addr *a, uint8_t mask_len)
{
	return (a->afi == XTR_AFI_IP4 && mask_len > 32) ||
	       (a->afi == XTR_AFI_IP6 && mask_len > 128);
}

/* ---- parsers, in the order of RFC 8060 4 and 5 */

static void parse_iid(struct xtr_rd *p, const struct ctx *c, struct xtr_lcaf_iid *o)
{
	o->iid_mask = c->rsvd2;
	o->iid = xtr_rd_u32(p);
	nested(p, c, &o->addr);
	/* RFC 8060 4.1: the mask-len has a meaning with AFI 0 only. */
	refuse(p, o->addr.afi == XTR_AFI_NONE && o->iid_mask > 32);
}

static void parse_asn(struct xtr_rd *p, const struct ctx *c, struct xtr_lcaf_asn *o)
{
	o->asn = xtr_rd_u32(p);
	nested(p, c, &o->addr);
}

static void parse_app(struct xtr_rd *p, const struct ctx *c, struct xtr_lcaf_app *o)
{
	uint32_t word = xtr_rd_u32(p);

	o->tos = word >> 8;
	o->protocol = (uint8_t)word;
	o->local_lo = xtr_rd_u16(p);
	o->local_hi = xtr_rd_u16(p);
	o->remote_lo = xtr_rd_u16(p);
	o->remote_hi = xtr_rd_u16(p);
	nested(p, c, &o->addr);
}

static void parse_geo(struct xtr_rd *p, const struct ctx *c, struct xtr_lcaf_geo *o)
{
	uint16_t lat = xtr_rd_u16(p), lon;

	o->lat_min = xtr_rd_u8(p);
	o->lat_sec = xtr_rd_u8(p);
	lon = xtr_rd_u16(p);
	o->lon_min = xtr_rd_u8(p);
	o->lon_sec = xtr_rd_u8(p);
	o->altitude = (int32_t)xtr_rd_u32(p);
	o->north = lat & 0x8000;
	o->east = lon & 0x8000;
	o->lat_deg = lat & 0x7fff;
	o->lon_deg = lon & 0x7fff;
	nested(p, c, &o->addr);
	refuse(p, o->lat_deg > 90 || o->lon_deg > 180 || o->lat_min > 59 || o->lat_sec > 59 ||
	       o->lon_min > 59 || o->lon_sec > 59);
}

static void parse_nat(struct xtr_rd *p, const struct ctx *c, struct xtr_lcaf_nat *o)
{
	struct xtr_addr rtr;
	unsigned n = 0;

	o->ms_port = xtr_rd_u16(p);
	o->etr_port = xtr_rd_u16(p);
	nested(p, c, &o->global_etr);
	nested(p, c, &o->ms);
	nested(p, c, &o->private_etr);
	o->rtrs = xtr_rd_init(p->p, xtr_rd_left(p));
	while (xtr_rd_left(p)) {
		if (n++ >= XTR_LCAF_MAX_LIST)
			xtr_rd_fail(p, -E2BIG);
		nested(p, c, &rtr);
	}
}

static void parse_nonce(struct xtr_rd *p, const struct ctx *c, struct xtr_lcaf_nonce *o)
{
	o->nonce = xtr_rd_u32(p) & 0xffffff;
	nested(p, c, &o->addr);
}

static void parse_mcast(struct xtr_rd *p, const struct ctx *c, struct xtr_lcaf_mcast *o)
{
	o->iid = xtr_rd_u32(p);
	xtr_rd_u16(p);
	o->source_len = xtr_rd_u8(p);
	o->group_len = xtr_rd_u8(p);
	nested(p, c, &o->source);
	nested(p, c, &o->group);
	refuse(p, too_wide(&o->source, o->source_len) || too_wide(&o->group, o->group_len));
}

static void parse_key(struct xtr_rd *p, const struct ctx *c, struct xtr_lcaf_key *o)
{
	o->count = xtr_rd_u8(p);
	xtr_rd_u8(p);
	o->alg = xtr_rd_u8(p);
	xtr_rd_u8(p); /* Rsvd4 and R, which is not used outside LISP-DDT (RFC 8061 6) */
	refuse(p, o->count < 1 || o->count > 3);
	o->keys = p->p;
	for (unsigned i = 0; i < o->count && !p->err; i++) {
		uint16_t len = xtr_rd_u16(p);

		if (len > XTR_KEY_MAX)
			xtr_rd_fail(p, -E2BIG);
		xtr_rd_bytes(p, len);
	}
	o->keys_len = (size_t)(p->p - o->keys);
	nested(p, c, &o->addr);
}

static void parse_srcdst(struct xtr_rd *p, const struct ctx *c, struct xtr_lcaf_srcdst *o)
{
	xtr_rd_u16(p);
	o->source_len = xtr_rd_u8(p);
	o->dest_len = xtr_rd_u8(p);
	nested(p, c, &o->source);
	nested(p, c, &o->dest);
	refuse(p, too_wide(&o->source, o->source_len) || too_wide(&o->dest, o->dest_len));
}

static void parse_json(struct xtr_rd *p, const struct ctx *c, struct xtr_lcaf_json *o)
{
	o->binary = c->rsvd2 & 1;
	o->json_len = xtr_rd_u16(p);
	if (o->json_len > XTR_JSON_MAX)
		xtr_rd_fail(p, -E2BIG);
	o->json = xtr_rd_bytes(p, o->json_len);
	/* The address may be missing altogether. */
	o->has_addr = xtr_rd_left(p) > 0;
	o->addr = (struct xtr_addr){ 0 };
	if (o->has_addr)
		nested(p, c, &o->addr);
}

static void parse_kv(struct xtr_rd *p, const struct ctx *c, struct xtr_lcaf_kv *o)
{
	nested(p, c, &o->key);
	nested(p, c, &o->value);
}

static void parse_encap(struct xtr_rd *p, const struct ctx *c, struct xtr_lcaf_encap *o)
{
	o->formats = xtr_rd_u32(p) & XTR_ENCAP_KNOWN;
	nested(p, c, &o->addr);
}

static void parse_elp_hop(struct xtr_rd *p, const struct ctx *c, struct xtr_elp_hop *o)
{
	uint16_t bits = xtr_rd_u16(p);

	o->lookup = bits & 4;
	o->probe = bits & 2;
	o->strict = bits & 1;
	nested(p, c, &o->addr);
}

static void parse_rle_entry(struct xtr_rd *p, const struct ctx *c, struct xtr_rle_entry *o)
{
	struct xtr_addr name;

	xtr_rd_u16(p);
	xtr_rd_u8(p);
	o->level = xtr_rd_u8(p);
	nested(p, c, &o->addr);
	/* lispers.net: the name of the RLOC behind its address, where the next entry would have Rsvd3, which is sent as
	 * 0. Of no use here. */
	if (!p->err && xtr_rd_left(p) > 2 && (p->p[0] << 8 | p->p[1]) == XTR_AFI_NAME)
		nested(p, c, &name);
}

/* ---- validation. Each says whether the whole address is of no use because of an unknown part. */

static bool check_list(struct xtr_rd *p, const struct ctx *c)
{
	unsigned n = 0, unknown = 0;
	struct xtr_addr a;

	while (xtr_rd_left(p)) {
		if (n++ >= XTR_LCAF_MAX_LIST)
			xtr_rd_fail(p, -E2BIG);
		nested(p, c, &a);
		unknown += a.unknown;
	}
	/* RFC 8060 4.10.5: a receiver takes the best form it knows. */
	return n && unknown == n;
}

static bool check_elp(struct xtr_rd *p, const struct ctx *c)
{
	struct xtr_elp_hop hop;
	bool unknown = false;
	unsigned n = 0;

	while (xtr_rd_left(p)) {
		if (n++ >= XTR_LCAF_MAX_ELP)
			xtr_rd_fail(p, -E2BIG);
		parse_elp_hop(p, c, &hop);
		unknown |= hop.addr.unknown; /* a path with a gap leads nowhere */
	}
	return unknown;
}

static bool check_rle(struct xtr_rd *p, const struct ctx *c)
{
	unsigned n = 0, unknown = 0;
	struct xtr_rle_entry e;

	while (xtr_rd_left(p)) {
		if (n++ >= XTR_LCAF_MAX_RLE)
			xtr_rd_fail(p, -E2BIG);
		parse_rle_entry(p, c, &e);
		unknown += e.addr.unknown;
	}
	return n && unknown == n;
}

/* Degrees and milliseconds of a degree, in 8 and 24 bits. */
static bool draft_degrees(uint32_t word, unsigned max)
{
	return word >> 24 <= max && (word & 0xffffff) < 3600000;
}

/* lispers.net puts under this type what became draft-ietf-lisp-geo: longer, with a radius. It can be stored and handed on, but
 * has no view; the message that has it is good. */
static bool check_geo(struct xtr_rd *p, const struct ctx *c)
{
	struct xtr_rd draft = *p;
	struct xtr_lcaf_geo v;
	struct xtr_addr addr;
	bool in_range;

	parse_geo(p, c, &v);
	if (!p->err && !xtr_rd_left(p))
		return v.addr.unknown;
	xtr_rd_u32(&draft); /* flags, uncertainty */
	in_range = draft_degrees(xtr_rd_u32(&draft), 90);
	in_range &= draft_degrees(xtr_rd_u32(&draft), 180);
	xtr_rd_bytes(&draft, 8); /* altitude, radius, reserved */
	nested(&draft, c, &addr);
	if (draft.err || xtr_rd_left(&draft) || !in_range)
		return false; /* the caller refuses what p says */
	*p = draft;
	return addr.unknown;
}

static bool check_okey(struct xtr_rd *p)
{
	uint8_t fields = xtr_rd_u8(p);

	xtr_rd_u16(p);
	refuse(p, fields > 15);
	xtr_rd_bytes(p, xtr_rd_left(p));
	return false;
}

#define CHECK(view, is_unknown) \
	do { struct xtr_lcaf_##view v; parse_##view(p, &c, &v); return (is_unknown); } while (0)

bool xtr_lcaf_check(struct xtr_rd *p, uint8_t type, uint8_t rsvd2, unsigned depth)
{
	const struct ctx c = { rsvd2, depth };

	switch (type) {
	case XTR_LCAF_NULL:   return false; /* no payload: the caller refuses what is left */
	case XTR_LCAF_LIST:   return check_list(p, &c);
	case XTR_LCAF_IID:    CHECK(iid, v.addr.unknown);
	case XTR_LCAF_ASN:    CHECK(asn, v.addr.unknown);
	case XTR_LCAF_APP:    CHECK(app, v.addr.unknown);
	case XTR_LCAF_GEO:    return check_geo(p, &c);
	case XTR_LCAF_OKEY:   return check_okey(p);
	case XTR_LCAF_NAT:
		CHECK(nat, v.global_etr.unknown || v.ms.unknown || v.private_etr.unknown);
	case XTR_LCAF_NONCE:  CHECK(nonce, v.addr.unknown);
	case XTR_LCAF_MCAST:  CHECK(mcast, v.source.unknown || v.group.unknown);
	case XTR_LCAF_ELP:    return check_elp(p, &c);
	case XTR_LCAF_KEY:    CHECK(key, v.addr.unknown);
	case XTR_LCAF_SRCDST: CHECK(srcdst, v.source.unknown || v.dest.unknown);
	case XTR_LCAF_RLE:    return check_rle(p, &c);
	case XTR_LCAF_JSON:   CHECK(json, v.addr.unknown);
	case XTR_LCAF_KV:     CHECK(kv, v.key.unknown || v.value.unknown);
	case XTR_LCAF_ENCAP:  CHECK(encap, v.addr.unknown);
	case XTR_LCAF_VENDOR:
		/* RFC 9306 4: an organisation identifier that is not understood drops the message.
		 * We know none. */
		xtr_rd_fail(p, -EPROTONOSUPPORT);
		return false;
	default:
		/* RFC 9306 3: the address is skipped by its Length. */
		xtr_rd_bytes(p, xtr_rd_left(p));
		return true;
	}
}

/* ---- views of addresses that were decoded, hence validated */

static bool payload_of(const struct xtr_addr *a, uint8_t type, struct xtr_rd *p, struct ctx *c)
{
	if (a->afi != XTR_AFI_LCAF || a->lcaf != type)
		return false;
	*p = xtr_rd_init(a->wire + XTR_LCAF_HEAD, a->wire_len - (size_t)XTR_LCAF_HEAD);
	/* Depth was checked from the outermost address; here it is counted from this one. */
	*c = (struct ctx){ .rsvd2 = a->wire[5], .depth = 1 };
	return true;
}

#define GETTER(view, type) \
	bool xtr_lcaf_get_##view(const struct xtr_addr *a, struct xtr_lcaf_##view *out) \
	{ \
		struct xtr_rd p; \
		struct ctx c; \
		if (!payload_of(a, (type), &p, &c)) \
			return false; \
		parse_##view(&p, &c, out); \
		return !p.err && !xtr_rd_left(&p); \
	}

GETTER(iid, XTR_LCAF_IID)
GETTER(asn, XTR_LCAF_ASN)
GETTER(app, XTR_LCAF_APP)
GETTER(geo, XTR_LCAF_GEO)
GETTER(nat, XTR_LCAF_NAT)
GETTER(nonce, XTR_LCAF_NONCE)
GETTER(mcast, XTR_LCAF_MCAST)
GETTER(key, XTR_LCAF_KEY)
GETTER(srcdst, XTR_LCAF_SRCDST)
GETTER(json, XTR_LCAF_JSON)
GETTER(kv, XTR_LCAF_KV)
GETTER(encap, XTR_LCAF_ENCAP)

/* Makes the cursor on the first call. */
static bool list_at(const struct xtr_addr *a, uint8_t type, struct xtr_rd *it, struct ctx *c)
{
	struct xtr_rd p;

	if (!payload_of(a, type, &p, c))
		return false;
	if (!it->p)
		*it = p;
	return xtr_rd_left(it) > 0;
}

bool xtr_lcaf_list_next(const struct xtr_addr *a, struct xtr_rd *it, struct xtr_addr *out)
{
	struct ctx c;

	if (!list_at(a, XTR_LCAF_LIST, it, &c))
		return false;
	nested(it, &c, out);
	return !it->err;
}

bool xtr_lcaf_elp_next(const struct xtr_addr *a, struct xtr_rd *it, struct xtr_elp_hop *out)
{
	struct ctx c;

	if (!list_at(a, XTR_LCAF_ELP, it, &c))
		return false;
	parse_elp_hop(it, &c, out);
	return !it->err;
}

bool xtr_lcaf_rle_next(const struct xtr_addr *a, struct xtr_rd *it, struct xtr_rle_entry *out)
{
	struct ctx c;

	if (!list_at(a, XTR_LCAF_RLE, it, &c))
		return false;
	parse_rle_entry(it, &c, out);
	return !it->err;
}
