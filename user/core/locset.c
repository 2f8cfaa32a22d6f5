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

	if (!ip->family || xtr_ip_is_unspecified(ip) || xtr_ip_is_loopback(ip) ||
	    xtr_ip_is_multicast(ip))
		return false;
	return ip->family != 4 || memcmp(ip->a, broadcast, 4);
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

struct sorter {
	struct xtr_locator l[XTR_LOCSET_MAX];
	unsigned n;
	size_t octets;
};

/* Puts one in its place. A duplicate: the first stays, or (newest) the new values and the sum of
 * the R bits. */
static void sort_in(struct sorter *s, const struct xtr_locator *l, size_t size, bool newest)
{
	unsigned at = s->n;

	while (at) {
		int order = xtr_addr_order(&l->addr, &s->l[at - 1].addr);

		if (!order) {
			if (newest) {
				bool r = s->l[at - 1].reachable;

				s->l[at - 1] = *l;
				s->l[at - 1].reachable |= r;
			}
			return;
		}
		if (order > 0)
			break;
		at--;
	}
	if (s->n == XTR_LOCSET_MAX || s->octets + 6u + l->addr.wire_len > size)
		return;
	memmove(&s->l[at + 1], &s->l[at], (s->n - at) * sizeof(s->l[0]));
	s->l[at] = *l;
	s->n++;
	s->octets += 6u + l->addr.wire_len;
}

static void write_out(const struct sorter *s, uint8_t *buf, size_t size, struct xtr_locset *out)
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
	struct sorter s; /* the array stays as it is: it is filled up to n */
	struct xtr_rd it = { 0 };
	struct xtr_locator l;

	s.n = 0;
	s.octets = 0;
	while (xtr_locator_next(rec, &it, &l))
		if (!l.addr.unknown)
			sort_in(&s, &l, size, false);
	write_out(&s, buf, size, out);
}

void xtr_locset_union(const struct xtr_locset *sets, unsigned n, uint8_t *buf, size_t size,
		      struct xtr_locset *out)
{
	struct sorter s; /* the array stays as it is: it is filled up to n */
	struct xtr_locator l;

	s.n = 0;
	s.octets = 0;
	for (unsigned i = 0; i < n; i++) {
		struct xtr_rd it = { 0 };

		while (xtr_locset_next(&sets[i], &it, &l))
			sort_in(&s, &l, size, true);
	}
	write_out(&s, buf, size, out);
}
