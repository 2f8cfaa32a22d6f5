/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Parts of control messages in hex, and where tests write messages to. */
#ifndef XTR_TESTS_CODEC_MSG_LAB_H
#define XTR_TESTS_CODEC_MSG_LAB_H

#include "unit/codec_help.h"

#define N1    "0000000000000001"                     /* nonce */
#define EID4  "0001 0a010000"
#define RLOC  "01 64 ff 00 0005 0001 c0000201"
#define RLOC6 "01 64 ff 00 0001 0002 20010db8000000000000000000000001"
#define REC1  "0000000a 01 10 1000 0000" EID4 RLOC
#define REC2  "000005a0 02 18 1000 0123 4003 0000 02 00 000a 00000005" EID4 RLOC RLOC6
#define NEG   "0000000f 00 08 2000 0000 0001 0b000000"
#define IDS   "000102030405060708090a0b0c0d0e0f 1011121314151617"
#define MAC20 "0000000000000000000000000000000000000000"
#define MAC32 MAC20 "000000000000000000000000"
#define IP4H  "4500 0038 0000 4000 40 11 6eb2 c0000201 0a010001" /* of 56 octets in all */
#define MREQ  "10000001" N1 "0000 0001 c0000201 00 20 0001 0a010001" /* 28 octets */

static uint8_t out[2048];

static inline struct xtr_wr writer(void)
{
	memset(out, 0xff, sizeof(out)); /* a forgotten octet shows */
	return xtr_wr_init(out, sizeof(out));
}

/* What becomes of a message: ex_message() of exercise.h. */
static inline int run(const char *hex)
{
	struct octets o = hex_octets(hex);
	int r = ex_message(o.p, o.len);

	free(o.p);
	return r;
}

#endif
