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
#define XTR_LOCSET_UNION 255 /* locators of several records: what one holds */
/* A replication list of XTR_LCAF_MAX_RLE IPv6 RLOCs is the largest set. */
#define XTR_LOCSET_OCTETS 12288

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
/* Union of sets, XTR_LOCSET_UNION locators at most, oldest first: of equal locators the newest values stay, and R if any has it. */
void xtr_locset_union(const struct xtr_locset *sets, unsigned n, uint8_t *buf, size_t size,
		      struct xtr_locset *out);
/*
 * Union of the sets that are registered for one group: the replication lists become one locator
 * with one list, in which an RLOC is once per level (RFC 8378 5.1.3). begin, add for each set,
 * end. What is added is viewed until end.
 */
struct xtr_rle_member {
	uint8_t level;
	struct xtr_ip ip; /* family 0: not an IP address; then addr tells them apart */
	struct xtr_addr addr;
};
struct xtr_locset_sorter {
	struct xtr_locator l[XTR_LOCSET_UNION];
	unsigned n;
	size_t octets;
};
struct xtr_group_union {
	struct xtr_locset_sorter others; /* locators that are no replication lists */
	struct xtr_locator head; /* priorities and bits of the merged list */
	bool has_list;
	unsigned n;
	struct xtr_rle_member m[XTR_LCAF_MAX_RLE];
};
void xtr_group_union_begin(struct xtr_group_union *u);
/* newer: its values count where two sets have the same RLOC. */
void xtr_group_union_add(struct xtr_group_union *u, const struct xtr_locset *set, bool newer);
/* A list without members is no locator: *out may be empty. */
void xtr_group_union_end(struct xtr_group_union *u, uint8_t *buf, size_t size,
			 struct xtr_locset *out);
/* The RLOCs of all replication lists of a set, any level, each once, sorted; returns how many. */
unsigned xtr_locset_members(const struct xtr_locset *set, struct xtr_ip *out, unsigned max);
bool xtr_locset_equal(const struct xtr_locset *a, const struct xtr_locset *b);
/* Ascending numeric order, IPv4, IPv6, then by AFI and LCAF type (RFC 8060 3). */
int xtr_addr_order(const struct xtr_addr *a, const struct xtr_addr *b);
/* True for an address that can be a unicast RLOC: not unspecified, loopback, multicast, broadcast
 * (RFC 9301 5.4); of IPv6 not link-local or IPv4-mapped. */
bool xtr_rloc_valid(const struct xtr_ip *ip);

#endif
