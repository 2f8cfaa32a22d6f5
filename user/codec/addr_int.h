/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What addr.c and lcaf.c share, for them only. */
#ifndef XTR_CODEC_ADDR_INT_H
#define XTR_CODEC_ADDR_INT_H

#include "codec/addr.h"

#define XTR_LCAF_HEAD 8 /* AFI, Rsvd1, Flags, Type, Rsvd2, Length */

/* Reads one address that is nested in `depth` LCAFs. */
void xtr_addr_decode_at(struct xtr_rd *r, struct xtr_addr *out, unsigned depth);
/* Validates the payload of an LCAF of any type. The cursor holds exactly the payload; it fails on
 * error. depth counts this LCAF. Returns true if the address has to be ignored because of an
 * unknown type. */
bool xtr_lcaf_check(struct xtr_rd *p, uint8_t type, uint8_t rsvd2, unsigned depth);
void xtr_rd_expect_end(struct xtr_rd *r); /* fails with -EBADMSG if octets are left */

#endif
