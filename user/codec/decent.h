/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * LISP-Decent (RFC 9962, draft-farinacci-lisp-decent-10): the one way from an EID to the DNS name
 * of the Map-Servers that hold it. ETR, ITR and `xtrctl decent hash` all call it.
 *
 *   EID --mask to its lookup-length--> EID-prefix --text--> string --digest--> number mod modulus
 *   = index --> "<index>.<suffix>"
 */
#ifndef XTR_CODEC_DECENT_H
#define XTR_CODEC_DECENT_H

#include "codec/eid.h"

/* They do not interoperate with each other. */
enum xtr_decent_profile {
	XTR_DECENT_RFC9962,   /* SHA-256 of "[iid]eid/ml", whole digest; groups: "[iid]group" */
	XTR_DECENT_DRAFT10,   /* SHA-256; then the Hash Mask: so many octets of the string */
	XTR_DECENT_LISPERS,   /* HMAC-SHA-256 with key "lisp-decent", first octets of it */
	XTR_DECENT_PROFILE_MAX,
};

#define XTR_DECENT_ANY_IID     UINT32_MAX
#define XTR_DECENT_STRLEN      192
#define XTR_DECENT_NAME_MAX    254
#define XTR_DECENT_MODULUS_MAX 65536
#define XTR_DECENT_DIGEST      32

/* RFC 9962 5.2: EIDs inside eid are cut to `length` bits (not octets: R-3) before they are hashed. */
struct xtr_decent_lookup {
	struct xtr_ippfx eid;
	uint32_t iid; /* or XTR_DECENT_ANY_IID */
	uint8_t length;
};

struct xtr_decent_hash {
	uint8_t profile;      /* enum xtr_decent_profile */
	uint8_t digest_octets; /* lispers-net: 1..32 octets taken, 0 means 6 */
	uint16_t hash_mask;   /* draft10: octets of the string, 0: all of it */
	uint32_t modulus;     /* 1..XTR_DECENT_MODULUS_MAX */
	const struct xtr_decent_lookup *lookups; /* longest match counts */
	unsigned lookup_count;
};

struct xtr_decent_step { /* everything on the way, for people */
	struct xtr_eid_prefix masked;
	const struct xtr_decent_lookup *lookup; /* NULL: none matched */
	char full[XTR_DECENT_STRLEN];   /* before the Hash Mask */
	char string[XTR_DECENT_STRLEN]; /* what is hashed */
	uint8_t digest[XTR_DECENT_DIGEST];
	unsigned digest_used; /* octets of it that make the number */
	uint32_t index;
};

/* 0; -EINVAL: the parameters are unusable (xtr_decent_check, xtr_decent_check_iid say why);
 * -EPROTONOSUPPORT: no EID; -ENOMEM: no digest to be had from OpenSSL. */
int xtr_decent_step(const struct xtr_decent_hash *h, const struct xtr_eid_prefix *eid,
		    struct xtr_decent_step *out);
/* The same without the steps. Index, or negative as above. */
int64_t xtr_decent_index(const struct xtr_decent_hash *h, const struct xtr_eid_prefix *eid);
/* "<index>.<suffix>", no final dot. 0, or -ENAMETOOLONG. */
int xtr_decent_name(uint32_t index, const char *suffix, char *buf, size_t size);
/* NULL, or what is wrong with the parameters, for people (for example a Hash Mask that can end
 * inside the instance ID). */
const char *xtr_decent_check(const struct xtr_decent_hash *h);
/* The same for what depends on the instance: a Hash Mask of 8 octets is good for "[0]" and ends
 * inside "[16777215]". */
const char *xtr_decent_check_iid(const struct xtr_decent_hash *h, uint32_t iid);
/* Bits of eid that decide the index: a negative answer about eid must not be shorter, or it would
 * speak for other sets (X11). Full width if that cannot be said (no lookup-length, Hash Mask).
 * Counted as xtr_eid_cut() does. */
unsigned xtr_decent_fixed_bits(const struct xtr_decent_hash *h, const struct xtr_eid_prefix *eid);
/* A prefix to be registered is shorter than its lookup-length, which is that of a host if none is
 * configured for it, holds EIDs with a longer one, or is shorter than what the Hash Mask takes
 * (X9): lookups of hosts in it go to other indexes. Never with modulus 1. */
bool xtr_decent_too_short(const struct xtr_decent_hash *h, const struct xtr_eid_prefix *eid);
bool xtr_decent_same(const struct xtr_decent_hash *a, const struct xtr_decent_hash *b);
const char *xtr_decent_profile_name(unsigned profile); /* "rfc9962" */
int xtr_decent_profile_parse(const char *s);           /* or -EINVAL */

#endif
