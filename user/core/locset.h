/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Locator-sets at rest: the octets of the locator records as on the wire, sorted, without
 * duplicates (RFC 9301 5.5). An IPv4 locator takes 12 octets, and addresses we have no use for go
 * on unchanged.
 */
#ifndef XTR_CORE_LOCSET_H
#define XTR_CORE_LOCSET_H

#include "codec/msg.h"

#define XTR_LOCSET_MAX 32 /* locators stored of a record  */
#define XTR_LOCSET_OCTETS 4096

struct xtr_locset {
	const uint8_t *octets;
	uint16_t len;
	uint8_t count;
};

/* Copies what can be kept of the record into buf: no unknown LCAF, no duplicates (the first stays),
 * at most XTR_LOCSET_MAX locators and size octets. *out views buf. */
void xtr_locset_read(const struct xtr_record *rec, uint8_t *buf, size_t size,
		     struct xtr_locset *out);
/* *it zeroed before the first call. */
bool xtr_locset_next(const struct xtr_locset *s, struct xtr_rd *it, struct xtr_locator *out);
/* Union of sets, oldest first: of equal locators the newest values stay, and R if any has it. */
void xtr_locset_union(const struct xtr_locset *sets, unsigned n, uint8_t *buf, size_t size,
		      struct xtr_locset *out);
bool xtr_locset_equal(const struct xtr_locset *a, const struct xtr_locset *b);
/* Ascending numeric order, IPv4, IPv6, then by AFI and LCAF type (RFC 8060 3). */
int xtr_addr_order(const struct xtr_addr *a, const struct xtr_addr *b);
/* True for an address that can be a unicast RLOC: not unspecified, loopback, multicast, broadcast
 * (RFC 9301 5.4). */
bool xtr_rloc_valid(const struct xtr_ip *ip);

#endif
