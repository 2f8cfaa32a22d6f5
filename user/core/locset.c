// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Locator-sets as wire octets. Works on the caller's memory; allocates nothing. A set that was read
 * is well-formed, so iterating cannot fail.
 */
#include "core/locset.h"

#include <string.h>

bool xtr_rloc_valid(const struct xtr_ip *ip)
{
	static const uint8_t broadcast[4] = { 255, 255, 255, 255 };
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (!ip->family || xtr_ip_is_unspecified(ip) || xtr_ip_is_loopback(ip) ||
	    xtr_ip_is_multicast(ip))
		return false;
	if (ip->family == 4)
		return memcmp(ip->a, broadcast, 4);
	/* Link-local addresses mean nothing beyond their link, mapped ones nothing on a wire (RFC 4291 2.5.6, 2.5.5.2). */
	return !xtr_ip_is_linklocal(ip) && memcmp(ip->a, mapped, 12);
}

int xtr_addr_order(const struct xtr_addr *a, const struct xtr_addr *b)
{
	size_t n = a->wire_len < b->wire_len ? a->wire_len : b->wire_len;
	int r;

	if (a->afi != b->afi)
		return a->afi < b->afi ? -1 : 1;
	if (a->afi == XTR_AFI_LCAF && a->lcaf != b->lcaf)
		return a->lcaf < b->lcaf ? -1 : 1;
	r = memcmp(a->wire, b->wire, n);
	if (r)
		return r;
	return (a->wire_len > b->wire_len) - (a->wire_len < b->wire_len);
}

bool xtr_locset_next(const struct xtr_locset *s, struct xtr_rd *it, struct xtr_locator *out)
{
	const struct xtr_record rec = {
		.locator_count = s->count,
		.locators = xtr_rd_init(s->octets, s->len),
	};

	return s->len && xtr_locator_next(&rec, it, out);
}

bool xtr_locset_equal(const struct xtr_locset *a, const struct xtr_locset *b)
{
	return a->count == b->count && a->len == b->len &&
	       (!a->len || !memcmp(a->octets, b->octets, a->len));
}

static bool is_rle(const struct xtr_addr *a)
{
	return a->afi == XTR_AFI_LCAF && a->lcaf == XTR_LCAF_RLE;
}

/* Puts one in its place. A duplicate: the first stays, or (newest) the new values and the sum of
 * the R bits. */
static void sort_in(struct xtr_locset_sorter *s, const struct xtr_locator *l, unsigned max, size_t size,
		    bool newest)
{
	unsigned lo = 0, hi = s->n;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		int order = xtr_addr_order(&l->addr, &s->l[mid].addr);

		if (!order) {
			if (newest) {
				bool r = s->l[mid].reachable;

				s->l[mid] = *l;
				s->l[mid].reachable |= r;
			}
			return;
		}
		if (order < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	if (s->n == max || s->octets + 6u + l->addr.wire_len > size)
		return;
	memmove(&s->l[lo + 1], &s->l[lo], (s->n - lo) * sizeof(s->l[0]));
	s->l[lo] = *l;
	s->n++;
	s->octets += 6u + l->addr.wire_len;
}

static void write_out(const struct xtr_locset_sorter *s, uint8_t *buf, size_t size,
		      struct xtr_locset *out)
{
	struct xtr_wr w = xtr_wr_init(buf, size);

	for (unsigned i = 0; i < s->n; i++)
		xtr_put_locator_raw(&w, &s->l[i]);
	out->octets = buf;
	out->len = w.err ? 0 : (uint16_t)xtr_wr_len(&w);
	out->count = w.err ? 0 : (uint8_t)s->n;
}

void xtr_locset_read(const struct xtr_record *rec, uint8_t *buf, size_t size,
		     struct xtr_locset *out)
{
	struct xtr_locset_sorter s; /* the array stays as it is: it is filled up to n */
	struct xtr_rd it = { 0 };
	struct xtr_locator l;

	s.n = 0;
	s.octets = 0;
	while (xtr_locator_next(rec, &it, &l))
		if (!l.addr.unknown)
			sort_in(&s, &l, XTR_LOCSET_MAX, size, false);
	write_out(&s, buf, size, out);
}

void xtr_locset_union(const struct xtr_locset *sets, unsigned n, uint8_t *buf, size_t size,
		      struct xtr_locset *out)
{
	struct xtr_locset_sorter s; /* the array stays as it is: it is filled up to n */
	struct xtr_locator l;

	s.n = 0;
	s.octets = 0;
	for (unsigned i = 0; i < n; i++) {
		struct xtr_rd it = { 0 };

		while (xtr_locset_next(&sets[i], &it, &l))
			sort_in(&s, &l, XTR_LOCSET_UNION, size, true);
	}
	write_out(&s, buf, size, out);
}

/* ---- groups */

static int member_order(const struct xtr_rle_member *a, const struct xtr_rle_member *b)
{
	if (a->level != b->level)
		return a->level < b->level ? -1 : 1;
	if (a->ip.family && b->ip.family)
		return xtr_ip_cmp(&a->ip, &b->ip);
	if (a->ip.family || b->ip.family)
		return a->ip.family ? -1 : 1;
	return xtr_addr_order(&a->addr, &b->addr);
}

static void member_in(struct xtr_group_union *u, const struct xtr_rle_member *m, bool newer)
{
	unsigned lo = 0, hi = u->n;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		int order = member_order(m, &u->m[mid]);

		if (!order) {
			if (newer)
				u->m[mid] = *m;
			return;
		}
		if (order < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	if (u->n == XTR_LCAF_MAX_RLE)
		return;
	memmove(&u->m[lo + 1], &u->m[lo], (u->n - lo) * sizeof(u->m[0]));
	u->m[lo] = *m;
	u->n++;
}

void xtr_group_union_begin(struct xtr_group_union *u)
{
	u->others.n = u->n = 0;
	u->others.octets = 0;
	u->has_list = false;
}

static void list_in(struct xtr_group_union *u, const struct xtr_locator *l, bool newer)
{
	bool reachable = l->reachable || (u->has_list && u->head.reachable);
	struct xtr_rd it = { 0 };
	struct xtr_rle_entry e;

	if (newer || !u->has_list)
		u->head = *l;
	u->head.reachable = reachable;
	u->has_list = true;
	while (xtr_lcaf_rle_next(&l->addr, &it, &e)) {
		struct xtr_rle_member m = { .level = e.level, .addr = e.addr };

		if (e.addr.unknown)
			continue;
		if (!xtr_addr_rloc_ip(&e.addr, &m.ip))
			m.ip.family = 0;
		member_in(u, &m, newer);
	}
}

void xtr_group_union_add(struct xtr_group_union *u, const struct xtr_locset *set, bool newer)
{
	struct xtr_rd it = { 0 };
	struct xtr_locator l;

	while (xtr_locset_next(set, &it, &l)) {
		if (is_rle(&l.addr))
			list_in(u, &l, newer);
		else
			sort_in(&u->others, &l, XTR_LOCSET_MAX, XTR_LOCSET_OCTETS, newer);
	}
}

static void put_list(struct xtr_wr *w, const struct xtr_group_union *u)
{
	uint8_t buf[XTR_LOCSET_OCTETS];
	struct xtr_wr list = xtr_wr_init(buf, sizeof(buf));
	size_t mark = xtr_put_lcaf_begin(&list, XTR_LCAF_RLE, 0);
	struct xtr_locator l = u->head;

	for (unsigned i = 0; i < u->n; i++) {
		xtr_wr_u16(&list, 0);
		xtr_wr_u8(&list, 0);
		xtr_wr_u8(&list, u->m[i].level);
		xtr_addr_encode(&list, &u->m[i].addr);
	}
	xtr_put_lcaf_end(&list, mark);
	if (list.err)
		xtr_wr_fail(w, list.err);
	l.addr.wire = buf;
	l.addr.wire_len = (uint16_t)xtr_wr_len(&list);
	xtr_put_locator_raw(w, &l);
}

void xtr_group_union_end(struct xtr_group_union *u, uint8_t *buf, size_t size,
			 struct xtr_locset *out)
{
	struct xtr_wr w = xtr_wr_init(buf, size);
	bool put = !u->n;

	for (unsigned i = 0; i < u->others.n; i++) {
		const struct xtr_addr *a = &u->others.l[i].addr;

		/* In the order of RFC 8060 3: by AFI, then by type of LCAF. */
		if (!put && a->afi == XTR_AFI_LCAF && a->lcaf > XTR_LCAF_RLE) {
			put_list(&w, u);
			put = true;
		}
		xtr_put_locator_raw(&w, &u->others.l[i]);
	}
	if (!put)
		put_list(&w, u);
	out->octets = buf;
	out->len = w.err ? 0 : (uint16_t)xtr_wr_len(&w);
	out->count = w.err ? 0 : (uint8_t)(u->others.n + (u->n != 0));
}

unsigned xtr_locset_members(const struct xtr_locset *set, struct xtr_ip *out, unsigned max)
{
	struct xtr_group_union u;
	unsigned n = 0;

	xtr_group_union_begin(&u);
	xtr_group_union_add(&u, set, true);
	for (unsigned i = 0; i < u.n; i++) {
		unsigned at = n;
		int order = 1;

		if (!u.m[i].ip.family)
			continue;
		while (at && (order = xtr_ip_cmp(&u.m[i].ip, &out[at - 1])) < 0)
			at--;
		if ((at && !order) || n == max)
			continue;
		memmove(&out[at + 1], &out[at], (n - at) * sizeof(*out));
		out[at] = u.m[i].ip;
		n++;
	}
	return n;
}
