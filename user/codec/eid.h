/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * EID-prefix as a value: the key of map-cache, EID database and registrations. (instance ID, family, prefix).
 * Masked, unused octets 0. IPv4, IPv6, MAC, distinguished names and (S,G) groups.
 */
#ifndef XTR_CODEC_EID_H
#define XTR_CODEC_EID_H

#include "codec/addr.h"

struct xtr_eid_prefix {
	uint32_t iid;
	uint16_t afi;       /* XTR_AFI_IP4, IP6, MAC, NAME. For a group: that of the group */
	uint8_t  len;       /* bits of a[]; (S,G): bits of the source */
	uint8_t  group_len; /* (S,G): bits of g[]; 0: not a group */
	uint8_t  a[32];     /* IPv4, IPv6, MAC, or name without NUL (at most 31 octets); (S,G): source */
	uint8_t  g[16];     /* (S,G): group */
};
#define XTR_EID_STRLEN 160

/* From an address and the record's EID mask-len. Masks host bits (*host_bits, may be NULL, tells if any were set).
 * 0; -EPROTONOSUPPORT unknown or unusable kind of EID; -EBADMSG mask-len wider than the address. */
int xtr_eid_from_addr(const struct xtr_addr *a, uint8_t mask_len, struct xtr_eid_prefix *out, bool *host_bits);
void xtr_eid_from_ippfx(uint32_t iid, const struct xtr_ippfx *p, struct xtr_eid_prefix *out);
bool xtr_eid_to_ippfx(const struct xtr_eid_prefix *e, struct xtr_ippfx *out); /* false unless IPv4 or IPv6 unicast */
/* Writes the address with AFI (in an instance-ID LCAF when iid is not 0); the mask-len to put in the record is returned. */
uint8_t xtr_eid_put(struct xtr_wr *w, const struct xtr_eid_prefix *e);
uint8_t xtr_eid_mask_len(const struct xtr_eid_prefix *e);
/* Widest len of the family. */
unsigned xtr_eid_bits(const struct xtr_eid_prefix *e);
bool xtr_eid_equal(const struct xtr_eid_prefix *a, const struct xtr_eid_prefix *b);
bool xtr_eid_covers(const struct xtr_eid_prefix *outer, const struct xtr_eid_prefix *inner);
/* "[5]10.1.0.0/24"; "[0]" is written too. "[5]0a0b-0c0d-0e0f/48", "[5]'name'", "[5](192.0.2.1/32,233.252.0.1/32)". */
const char *xtr_eid_str(const struct xtr_eid_prefix *e, char buf[XTR_EID_STRLEN]);
/* All that is written; without "[5]" of instance 0; without "/len" a host. MACs as 0a:0b:0c:0d:0e:0f too, * as source of a
 * group. Host bits are cut. Callers that want an IP prefix ask xtr_eid_to_ippfx(). 0, or -EINVAL. */
int xtr_eid_parse(const char *s, struct xtr_eid_prefix *out);

#endif
