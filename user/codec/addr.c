// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Addresses of control messages: one address of any AFI as a view, and the writers. RFC 9301 5.1,
 * RFC 8060, RFC 9735.
 *
 * Nothing is owned: a view points into the message. Invariant: an address that decoded without
 * error is valid down to its last nested octet, so the accessors only decode again and need no
 * error path of their own. The payloads of LCAFs are in lcaf.c, the text form in addr_str.c.
 */
#include "codec/addr_int.h"

#include <errno.h>
#include <string.h>

void xtr_rd_expect_end(struct xtr_rd *r)
{
	if (!r->err && r->p != r->end)
		xtr_rd_fail(r, -EBADMSG);
}

static void decode_name(struct xtr_rd *r)
{
	size_t left = xtr_rd_left(r);
	size_t max = left < XTR_NAME_MAX + 1 ? left : XTR_NAME_MAX + 1;
	const uint8_t *nul = max ? memchr(r->p, 0, max) : NULL;

	/* RFC 9735 3: the NUL is part of the encoding; it is looked for in the remaining octets
	 * only. */
	if (!nul)
		xtr_rd_fail(r, left > XTR_NAME_MAX ? -E2BIG : -EBADMSG);
	else
		xtr_rd_bytes(r, (size_t)(nul - r->p) + 1);
}

static void decode_lcaf(struct xtr_rd *r, struct xtr_addr *out, unsigned depth)
{
	uint8_t rsvd2;
	struct xtr_rd payload;

	xtr_rd_u16(r); /* Rsvd1, Flags: ignored (RFC 8060 3) */
	out->lcaf = xtr_rd_u8(r);
	rsvd2 = xtr_rd_u8(r);
	payload = xtr_rd_sub(r, xtr_rd_u16(r));
	if (r->err)
		return;
	if (depth + 1 > XTR_LCAF_MAX_DEPTH) {
		xtr_rd_fail(r, -E2BIG);
		return;
	}
	out->unknown = xtr_lcaf_check(&payload, out->lcaf, rsvd2, depth + 1);
	xtr_rd_expect_end(&payload);
	if (payload.err)
		xtr_rd_fail(r, payload.err);
}

void xtr_addr_decode_at(struct xtr_rd *r, struct xtr_addr *out, unsigned depth)
{
	const uint8_t *start = r->p;

	memset(out, 0, sizeof(*out));
	out->afi = xtr_rd_u16(r);
	switch (out->afi) {
	case XTR_AFI_NONE:
		break;
	case XTR_AFI_IP4:
		xtr_rd_bytes(r, 4);
		break;
	case XTR_AFI_IP6:
		xtr_rd_bytes(r, 16);
		break;
	case XTR_AFI_MAC_OLD:
	case XTR_AFI_MAC:
		xtr_rd_bytes(r, 6);
		break;
	case XTR_AFI_MAC64:
		xtr_rd_bytes(r, 8);
		break;
	case XTR_AFI_NAME:
		decode_name(r);
		break;
	case XTR_AFI_LCAF:
		decode_lcaf(r, out, depth);
		break;
	default:
		/* Its length is unknown, so is what follows: RFC 9301 5.1. */
		xtr_rd_fail(r, -EAFNOSUPPORT);
	}
	if (!r->err && r->p - start > UINT16_MAX)
		xtr_rd_fail(r, -E2BIG);
	if (r->err) {
		memset(out, 0, sizeof(*out));
		return;
	}
	out->wire = start;
	out->wire_len = (uint16_t)(r->p - start);
}

void xtr_addr_decode(struct xtr_rd *r, struct xtr_addr *out)
{
	xtr_addr_decode_at(r, out, 0);
}

void xtr_addr_encode(struct xtr_wr *w, const struct xtr_addr *a)
{
	/* A zeroed struct, never decoded, is the address AFI 0. */
	if (!a->wire)
		xtr_put_none(w);
	else
		xtr_wr_bytes(w, a->wire, a->wire_len);
}

bool xtr_addr_equal(const struct xtr_addr *a, const struct xtr_addr *b)
{
	if (!a->wire || !b->wire)
		return a->afi == XTR_AFI_NONE && b->afi == XTR_AFI_NONE;
	return a->wire_len == b->wire_len && !memcmp(a->wire, b->wire, a->wire_len);
}

bool xtr_addr_ip(const struct xtr_addr *a, struct xtr_ip *ip)
{
	size_t n = a->afi == XTR_AFI_IP4 ? 4 : a->afi == XTR_AFI_IP6 ? 16 : 0;

	if (!n)
		return false;
	memset(ip, 0, sizeof(*ip));
	ip->family = n == 4 ? 4 : 6;
	memcpy(ip->a, a->wire + 2, n);
	return true;
}

bool xtr_addr_rloc_ip(const struct xtr_addr *a, struct xtr_ip *ip)
{
	struct xtr_lcaf_encap encap;
	struct xtr_lcaf_key key;
	struct xtr_rd it = { 0 };
	struct xtr_addr e;

	if (xtr_addr_ip(a, ip))
		return true;
	if (xtr_lcaf_get_encap(a, &encap))
		return xtr_addr_rloc_ip(&encap.addr, ip);
	/* RFC 8061 6: the address at the end is the locator, wrapped in the key exchange. */
	if (xtr_lcaf_get_key(a, &key))
		return xtr_addr_rloc_ip(&key.addr, ip);
	while (xtr_lcaf_list_next(a, &it, &e))
		if (xtr_addr_rloc_ip(&e, ip))
			return true;
	return false;
}

bool xtr_addr_encap_ip(const struct xtr_addr *a, uint32_t *formats, struct xtr_ip *ip)
{
	struct xtr_lcaf_encap encap;

	if (!xtr_lcaf_get_encap(a, &encap) || !xtr_addr_ip(&encap.addr, ip))
		return false;
	*formats = encap.formats;
	return true;
}

const uint8_t *xtr_addr_mac(const struct xtr_addr *a, size_t *len)
{
	if (a->afi != XTR_AFI_MAC && a->afi != XTR_AFI_MAC_OLD && a->afi != XTR_AFI_MAC64)
		return NULL;
	*len = a->wire_len - 2u;
	return a->wire + 2;
}

const char *xtr_addr_name(const struct xtr_addr *a, size_t *len)
{
	if (a->afi != XTR_AFI_NAME)
		return NULL;
	*len = a->wire_len - 3u;
	return (const char *)a->wire + 2;
}

/* ---- writers */

void xtr_put_none(struct xtr_wr *w)
{
	xtr_wr_u16(w, XTR_AFI_NONE);
}

void xtr_put_ip(struct xtr_wr *w, const struct xtr_ip *ip)
{
	if (ip->family == 4) {
		xtr_wr_u16(w, XTR_AFI_IP4);
		xtr_wr_bytes(w, ip->a, 4);
	} else if (ip->family == 6) {
		xtr_wr_u16(w, XTR_AFI_IP6);
		xtr_wr_bytes(w, ip->a, 16);
	} else {
		xtr_put_none(w);
	}
}

void xtr_put_mac(struct xtr_wr *w, const uint8_t mac[6])
{
	xtr_wr_u16(w, XTR_AFI_MAC);
	xtr_wr_bytes(w, mac, 6);
}

void xtr_put_name(struct xtr_wr *w, const char *name, size_t len)
{
	/* A NUL inside would end the name early for the reader (RFC 9735 3). */
	if (len > XTR_NAME_MAX || (len && memchr(name, 0, len))) {
		xtr_wr_fail(w, -EINVAL);
		return;
	}
	xtr_wr_u16(w, XTR_AFI_NAME);
	xtr_wr_bytes(w, name, len);
	xtr_wr_u8(w, 0);
}

size_t xtr_put_lcaf_begin(struct xtr_wr *w, uint8_t type, uint8_t rsvd2)
{
	size_t mark = xtr_wr_len(w);

	xtr_wr_u16(w, XTR_AFI_LCAF);
	xtr_wr_u16(w, 0);
	xtr_wr_u8(w, type);
	xtr_wr_u8(w, rsvd2);
	xtr_wr_u16(w, 0); /* Length, by xtr_put_lcaf_end() */
	return mark;
}

void xtr_put_lcaf_end(struct xtr_wr *w, size_t mark)
{
	size_t len;

	if (w->err)
		return;
	len = xtr_wr_len(w) - mark - XTR_LCAF_HEAD;
	if (len > UINT16_MAX) {
		xtr_wr_fail(w, -E2BIG);
		return;
	}
	w->start[mark + 6] = (uint8_t)(len >> 8);
	w->start[mark + 7] = (uint8_t)len;
}

void xtr_put_iid_ip(struct xtr_wr *w, uint32_t iid, const struct xtr_ip *ip)
{
	size_t mark;

	if (!iid) {
		xtr_put_ip(w, ip);
		return;
	}
	mark = xtr_put_lcaf_begin(w, XTR_LCAF_IID, 0);
	xtr_wr_u32(w, iid);
	xtr_put_ip(w, ip);
	xtr_put_lcaf_end(w, mark);
}

void xtr_put_mcast(struct xtr_wr *w, uint32_t iid, const struct xtr_ippfx *source,
		   const struct xtr_ippfx *group)
{
	size_t mark = xtr_put_lcaf_begin(w, XTR_LCAF_MCAST, 0);
	struct xtr_ippfx s = *source;

	/* (*,G) has a source of the group's family, all zero (RFC 8060 4.5). */
	if (!s.ip.family)
		s = (struct xtr_ippfx){ .ip.family = group->ip.family };
	xtr_wr_u32(w, iid);
	xtr_wr_u16(w, 0);
	xtr_wr_u8(w, s.len);
	xtr_wr_u8(w, group->len);
	xtr_put_ip(w, &s.ip);
	xtr_put_ip(w, &group->ip);
	xtr_put_lcaf_end(w, mark);
}

void xtr_put_rle(struct xtr_wr *w, const struct xtr_ip *ips, const uint8_t *levels, size_t n)
{
	size_t mark = xtr_put_lcaf_begin(w, XTR_LCAF_RLE, 0);

	if (n > XTR_LCAF_MAX_RLE)
		xtr_wr_fail(w, -E2BIG);
	for (size_t i = 0; i < n && !w->err; i++) {
		xtr_wr_u16(w, 0);
		xtr_wr_u8(w, 0);
		xtr_wr_u8(w, levels[i]);
		xtr_put_ip(w, &ips[i]);
	}
	xtr_put_lcaf_end(w, mark);
}

void xtr_put_elp(struct xtr_wr *w, const struct xtr_ip *ips, const uint8_t *bits, size_t n)
{
	size_t mark = xtr_put_lcaf_begin(w, XTR_LCAF_ELP, 0);

	if (n > XTR_LCAF_MAX_ELP)
		xtr_wr_fail(w, -E2BIG);
	for (size_t i = 0; i < n && !w->err; i++) {
		xtr_wr_u16(w, bits[i] & 7);
		xtr_put_ip(w, &ips[i]);
	}
	xtr_put_lcaf_end(w, mark);
}

void xtr_put_encap(struct xtr_wr *w, uint32_t formats, const struct xtr_ip *ip)
{
	size_t mark = xtr_put_lcaf_begin(w, XTR_LCAF_ENCAP, 0);

	xtr_wr_u32(w, formats & XTR_ENCAP_KNOWN);
	xtr_put_ip(w, ip);
	xtr_put_lcaf_end(w, mark);
}

void xtr_put_nat(struct xtr_wr *w, uint16_t ms_port, uint16_t etr_port,
		 const struct xtr_ip *global_etr, const struct xtr_ip *ms,
		 const struct xtr_ip *private_etr, const struct xtr_ip *rtrs, size_t n)
{
	size_t mark = xtr_put_lcaf_begin(w, XTR_LCAF_NAT, 0);

	if (n > XTR_LCAF_MAX_LIST)
		xtr_wr_fail(w, -E2BIG);
	xtr_wr_u16(w, ms_port);
	xtr_wr_u16(w, etr_port);
	xtr_put_ip(w, global_etr);
	xtr_put_ip(w, ms);
	xtr_put_ip(w, private_etr);
	for (size_t i = 0; i < n && !w->err; i++)
		xtr_put_ip(w, &rtrs[i]);
	if (!n)
		xtr_put_none(w);
	xtr_put_lcaf_end(w, mark);
}
