/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the files of codec/msg*.c share, for them only. */
#ifndef XTR_CODEC_MSG_INT_H
#define XTR_CODEC_MSG_INT_H

#include "codec/addr_int.h"
#include "codec/msg.h"

/* Starts reading a message of the type: the cursor fails with -E2BIG if it is longer than a
 * datagram can be, with -EPROTONOSUPPORT if it is of another type. Returns the first four octets. */
uint32_t xtr_msg_open(struct xtr_rd *r, const uint8_t *buf, size_t len, uint8_t type);
/* Reads and validates one EID record with its locators. */
void xtr_record_decode(struct xtr_rd *r, struct xtr_record *out);
/* Reads and validates count records and makes the iterator over them. */
void xtr_records_decode(struct xtr_rd *r, uint8_t count, struct xtr_records *out);
/* Reads an EID and refuses what RFC 9306 3 (unknown LCAF as EID) and a mask-len wider than the
 * address make unusable. */
void xtr_eid_decode(struct xtr_rd *r, uint8_t mask_len, struct xtr_addr *out);
/* Writes a record field by field, reserved bits 0. */
void xtr_record_reencode(struct xtr_wr *w, const struct xtr_record *rec);
void xtr_records_reencode(struct xtr_wr *w, struct xtr_records records);

#endif
