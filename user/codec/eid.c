// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * EID-prefixes as values, the keys of every table. Invariant: masked, and octets beyond len
 * (group_len) are 0, so that equal prefixes are equal octet by octet. RFC 8060 4.1 and 4.5, RFC
 * 9735.
 */
#include "codec/eid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The 8-bit mask-len counts at most 31 octets with the NUL; one more fits with 0, "exact". */
#define NAME_EID_MAX 31

/* Clears the bits after len in size octets; true if any was set. */
static bool mask_bits(uint8_t *a, unsigned len, unsigned size)
{
	bool any = false;

	for (unsigned i = len / 8; i < size; i++) {
		uint8_t keep = i == len / 8 ? (uint8_t)(0xff00 >> (len % 8)) : 0;

		if (a[i] & (uint8_t)~keep)
			any = true;
		a[i] &= keep;
	}
	return any;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned n)
{
	if (memcmp(a, b, n / 8))
		return false;
	return n % 8 == 0 || !((a[n / 8] ^ b[n / 8]) & (uint8_t)(0xff00 >> (n % 8)));
}

static int from_name(const struct xtr_addr *a, uint8_t mask_len, struct xtr_eid_prefix *out,
		     bool *host_bits)
{
	size_t len;
	const char *name = xtr_addr_name(a, &len);
	unsigned bits = (unsigned)len * 8;

	if (len > NAME_EID_MAX)
		return -EPROTONOSUPPORT;
	/* RFC 9735 3: the mask-len counts the NUL. 0 is what some send for "the whole name"; less
	 * cuts the name, as for every other kind of prefix. */
	if (mask_len > bits + 8 || mask_len % 8)
		return -EBADMSG;
	out->afi = XTR_AFI_NAME;
	memcpy(out->a, name, len);
	out->len = (uint8_t)(mask_len == 0 || mask_len > bits ? bits : mask_len);
	*host_bits = mask_bits(out->a, out->len, sizeof(out->a));
	return 0;
}

static int from_plain(const struct xtr_addr *a, uint8_t mask_len, struct xtr_eid_prefix *out,
		      bool *host_bits)
{
	const uint8_t *octets = NULL;
	size_t len = 0;

	switch (a->afi) {
	case XTR_AFI_IP4:
	case XTR_AFI_IP6:
		out->afi = a->afi;
		octets = a->wire + 2;
		len = a->afi == XTR_AFI_IP4 ? 4 : 16;
		break;
	case XTR_AFI_MAC:
	case XTR_AFI_MAC_OLD:
		out->afi = XTR_AFI_MAC;
		octets = xtr_addr_mac(a, &len);
		break;
	case XTR_AFI_NAME:
		return from_name(a, mask_len, out, host_bits);
	default:
		return -EPROTONOSUPPORT;
	}
	if (mask_len > len * 8)
		return -EBADMSG;
	memcpy(out->a, octets, len);
	out->len = mask_len;
	*host_bits = mask_bits(out->a, mask_len, sizeof(out->a));
	return 0;
}

/* The outer mask-len of a group has no defined meaning (RFC 8060 4.5): not looked at. */
static int from_group(const struct xtr_lcaf_mcast *m, struct xtr_eid_prefix *out, bool *host_bits)
{
	struct xtr_ip source, group;
	bool s, g;

	if (!xtr_addr_ip(&m->source, &source) || !xtr_addr_ip(&m->group, &group) ||
	    source.family != group.family || !m->group_len)
		return -EPROTONOSUPPORT;
	out->iid = m->iid;
	out->afi = m->group.afi;
	out->len = m->source_len;
	out->group_len = m->group_len;
	memcpy(out->a, source.a, sizeof(source.a));
	memcpy(out->g, group.a, sizeof(group.a));
	s = mask_bits(out->a, out->len, sizeof(out->a));
	g = mask_bits(out->g, out->group_len, sizeof(out->g));
	*host_bits = s || g;
	return 0;
}

int xtr_eid_from_addr(const struct xtr_addr *a, uint8_t mask_len, struct xtr_eid_prefix *out,
		      bool *host_bits)
{
	struct xtr_eid_prefix e;
	struct xtr_lcaf_mcast mc;
	struct xtr_lcaf_iid iid;
	bool bits = false;
	int r;

	memset(&e, 0, sizeof(e)); /* padding, too: the struct is a hash key */
	if (a->unknown) {
		r = -EPROTONOSUPPORT;
	} else if (xtr_lcaf_get_iid(a, &iid)) {
		e.iid = iid.iid;
		r = from_plain(&iid.addr, mask_len, &e, &bits);
	} else if (xtr_lcaf_get_mcast(a, &mc)) {
		r = from_group(&mc, &e, &bits);
	} else {
		r = from_plain(a, mask_len, &e, &bits);
	}
	if (r)
		return r;
	memcpy(out, &e, sizeof(e));
	if (host_bits)
		*host_bits = bits;
	return 0;
}

void xtr_eid_from_ippfx(uint32_t iid, const struct xtr_ippfx *p, struct xtr_eid_prefix *out)
{
	memset(out, 0, sizeof(*out));
	out->iid = iid;
	out->afi = p->ip.family == 4 ? XTR_AFI_IP4 : p->ip.family == 6 ? XTR_AFI_IP6 : XTR_AFI_NONE;
	out->len = p->len;
	memcpy(out->a, p->ip.a, sizeof(p->ip.a));
	mask_bits(out->a, out->len, sizeof(out->a));
}

static void to_ip(const struct xtr_eid_prefix *e, const uint8_t *octets, uint8_t len,
		  struct xtr_ippfx *out)
{
	memset(out, 0, sizeof(*out));
	out->ip.family = e->afi == XTR_AFI_IP4 ? 4 : 6;
	out->len = len;
	memcpy(out->ip.a, octets, 16);
}

static bool is_ip(const struct xtr_eid_prefix *e)
{
	return e->afi == XTR_AFI_IP4 || e->afi == XTR_AFI_IP6;
}

bool xtr_eid_to_ippfx(const struct xtr_eid_prefix *e, struct xtr_ippfx *out)
{
	if (!is_ip(e) || e->group_len)
		return false;
	to_ip(e, e->a, e->len, out);
	return true;
}

uint8_t xtr_eid_mask_len(const struct xtr_eid_prefix *e)
{
	if (e->afi != XTR_AFI_NAME)
		return e->len;
	/* With the NUL; 0 when that does not fit in 8 bits. */
	return e->len + 8 <= 255 ? (uint8_t)(e->len + 8) : 0;
}

uint8_t xtr_eid_put(struct xtr_wr *w, const struct xtr_eid_prefix *e)
{
	struct xtr_ippfx source, group;
	size_t mark = 0;

	if (e->group_len) {
		to_ip(e, e->a, e->len, &source);
		to_ip(e, e->g, e->group_len, &group);
		xtr_put_mcast(w, e->iid, &source, &group);
		return e->len;
	}
	if (e->iid) {
		mark = xtr_put_lcaf_begin(w, XTR_LCAF_IID, 0);
		xtr_wr_u32(w, e->iid);
	}
	if (is_ip(e)) {
		to_ip(e, e->a, e->len, &source);
		xtr_put_ip(w, &source.ip);
	} else if (e->afi == XTR_AFI_MAC) {
		xtr_put_mac(w, e->a);
	} else if (e->afi == XTR_AFI_NAME) {
		xtr_put_name(w, (const char *)e->a, e->len / 8);
	} else {
		xtr_wr_fail(w, -EINVAL);
	}
	if (e->iid)
		xtr_put_lcaf_end(w, mark);
	return xtr_eid_mask_len(e);
}

unsigned xtr_eid_bits(const struct xtr_eid_prefix *e)
{
	switch (e->afi) {
	case XTR_AFI_IP4: return 32;
	case XTR_AFI_IP6: return 128;
	case XTR_AFI_MAC: return 48;
	case XTR_AFI_NAME: return NAME_EID_MAX * 8;
	default: return 0;
	}
}

bool xtr_eid_equal(const struct xtr_eid_prefix *a, const struct xtr_eid_prefix *b)
{
	return a->iid == b->iid && a->afi == b->afi && a->len == b->len &&
	       a->group_len == b->group_len && !memcmp(a->a, b->a, sizeof(a->a)) &&
	       !memcmp(a->g, b->g, sizeof(a->g));
}

bool xtr_eid_covers(const struct xtr_eid_prefix *outer, const struct xtr_eid_prefix *inner)
{
	if (outer->iid != inner->iid || outer->afi != inner->afi ||
	    !outer->group_len != !inner->group_len)
		return false;
	return outer->len <= inner->len && same_bits(outer->a, inner->a, outer->len) &&
	       outer->group_len <= inner->group_len &&
	       same_bits(outer->g, inner->g, outer->group_len);
}

const char *xtr_eid_str(const struct xtr_eid_prefix *e, char buf[XTR_EID_STRLEN])
{
	char s[XTR_IPPFX_STRLEN], g[XTR_IPPFX_STRLEN];
	struct xtr_ippfx source, group;
	int n;

	if (e->group_len) {
		to_ip(e, e->a, e->len, &source);
		to_ip(e, e->g, e->group_len, &group);
		snprintf(buf, XTR_EID_STRLEN, "[%u](%s,%s)", e->iid, xtr_ippfx_str(&source, s),
			 xtr_ippfx_str(&group, g));
	} else if (xtr_eid_to_ippfx(e, &source)) {
		snprintf(buf, XTR_EID_STRLEN, "[%u]%s", e->iid, xtr_ippfx_str(&source, s));
	} else if (e->afi == XTR_AFI_MAC) {
		snprintf(buf, XTR_EID_STRLEN, "[%u]%02x%02x-%02x%02x-%02x%02x/%u", e->iid, e->a[0],
			 e->a[1], e->a[2], e->a[3], e->a[4], e->a[5], e->len);
	} else if (e->afi == XTR_AFI_NAME) {
		n = snprintf(buf, XTR_EID_STRLEN, "[%u]'", e->iid);
		for (unsigned i = 0; i < e->len / 8u && i < NAME_EID_MAX; i++) {
			bool plain = e->a[i] >= ' ' && e->a[i] < 0x7f && e->a[i] != '\'' &&
				     e->a[i] != '\\';

			n += snprintf(buf + n, XTR_EID_STRLEN - (size_t)n, plain ? "%c" : "\\x%02x",
				      e->a[i]);
		}
		snprintf(buf + n, XTR_EID_STRLEN - (size_t)n, "'");
	} else {
		snprintf(buf, XTR_EID_STRLEN, "[%u]none", e->iid);
	}
	return buf;
}

/* --- text in */

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "/24" at the end of the text, or nothing: max. */
static int parse_len(const char *s, unsigned max, uint8_t *out)
{
	unsigned n = 0;

	*out = (uint8_t)max;
	if (!*s)
		return 0;
	if (*s++ != '/' || !*s || strlen(s) > 3)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		n = n * 10 + (unsigned)(*s - '0');
	}
	if (n > max)
		return -EINVAL;
	*out = (uint8_t)n;
	return 0;
}

/* Digits in groups of one size, with one separator: 0a0b-0c0d-0e0f, 0a:0b:0c:0d:0e:0f, and with
 * '-' in the latter. */
static int parse_mac(const char *s, struct xtr_eid_prefix *out)
{
	size_t first = strcspn(s, ":-");
	char sep = s[first];
	unsigned digits = first == 4 && sep == '-' ? 4 : 2;

	for (unsigned i = 0; i < 12; i++) {
		int v;

		if (i && i % digits == 0 && *s++ != sep)
			return -EINVAL;
		v = sep ? nibble(*s) : -1;
		if (v < 0)
			return -EINVAL;
		out->a[i / 2] = (uint8_t)(out->a[i / 2] << 4 | v);
		s++;
	}
	out->afi = XTR_AFI_MAC;
	if (parse_len(s, 48, &out->len))
		return -EINVAL;
	mask_bits(out->a, out->len, sizeof(out->a));
	return 0;
}

/* 'name' with \xNN for what is no printable character, quote or backslash. */
static int parse_name(const char *s, struct xtr_eid_prefix *out)
{
	unsigned n = 0;

	for (s++; *s && *s != '\''; n++) {
		int c = (unsigned char)*s++;

		if (c == '\\') {
			int high = *s++ == 'x' ? nibble(*s) : -1, low;

			low = high < 0 ? -1 : nibble(*++s);
			if (low < 0)
				return -EINVAL;
			s++;
			c = high << 4 | low;
		}
		if (n >= NAME_EID_MAX || !c) /* a NUL ends the name on the wire */
			return -EINVAL;
		out->a[n] = (uint8_t)c;
	}
	if (strcmp(s, "'"))
		return -EINVAL;
	out->afi = XTR_AFI_NAME;
	out->len = (uint8_t)(n * 8);
	return 0;
}

/* (S,G), each an address or a prefix; S may be *. */
static int parse_group(const char *s, struct xtr_eid_prefix *out)
{
	const char *comma = strchr(s, ',');
	char source[XTR_IPPFX_STRLEN], group[XTR_IPPFX_STRLEN];
	struct xtr_ippfx p, g;
	size_t n, len = strlen(s);

	if (!comma || s[len - 1] != ')')
		return -EINVAL;
	n = (size_t)(comma - s - 1);
	len = len - n - 3;
	if (n >= sizeof(source) || len >= sizeof(group))
		return -EINVAL;
	memcpy(source, s + 1, n);
	source[n] = '\0';
	memcpy(group, comma + 1, len);
	group[len] = '\0';
	if (xtr_ippfx_parse(group, &g) || !g.len)
		return -EINVAL;
	if (!strcmp(source, "*"))
		p = (struct xtr_ippfx){ .ip.family = g.ip.family };
	else if (xtr_ippfx_parse(source, &p) || p.ip.family != g.ip.family)
		return -EINVAL;
	xtr_ippfx_mask(&g);
	xtr_eid_from_ippfx(out->iid, &p, out);
	out->group_len = g.len;
	memcpy(out->g, g.ip.a, sizeof(g.ip.a));
	return 0;
}

int xtr_eid_parse(const char *s, struct xtr_eid_prefix *out)
{
	unsigned long long iid = 0;
	struct xtr_eid_prefix e;
	struct xtr_ippfx p;
	int r = 0;

	if (*s == '[') {
		const char *digits = ++s;

		for (; *s >= '0' && *s <= '9'; s++) {
			iid = iid * 10 + (unsigned)(*s - '0');
			if (iid > UINT32_MAX)
				return -EINVAL;
		}
		if (s == digits || *s++ != ']')
			return -EINVAL;
	}
	memset(&e, 0, sizeof(e)); /* padding, too: the struct is a hash key */
	e.iid = (uint32_t)iid;
	if (*s == '\'')
		r = parse_name(s, &e);
	else if (*s == '(')
		r = parse_group(s, &e);
	else if (!xtr_ippfx_parse(s, &p))
		xtr_eid_from_ippfx((uint32_t)iid, &p, &e);
	else
		r = parse_mac(s, &e);
	if (!r)
		memcpy(out, &e, sizeof(e));
	return r;
}
