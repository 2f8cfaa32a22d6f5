/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Parameters of Decent-Pull from a file that all routers share: RFC 9962 5.3 leaves open how they
 * are handed out. This part is pure: text and proof to values. params_fetch.c gets and keeps them.
 *
 *   {"version":1, "serial":7, "modulus":64, "suffix":"map-server.example.com",
 *    "profile":"rfc9962", "hash-mask":0, "digest-octets":6,
 *    "lookup-lengths":[{"eid":"240.11.0.0/16", "length":24, "instance":5}]}
 *
 * version, serial, modulus and suffix must be there; a key that is not known is an error, because
 * a router that ignores it would hash otherwise than the others.
 */
#ifndef XTR_DAEMON_PARAMS_H
#define XTR_DAEMON_PARAMS_H

#include "codec/decent.h"
#include "util/arena.h"
#include "util/err.h"

#define XTR_PARAMS_SIZE_MAX (256u << 10)
#define XTR_PARAMS_SIG_MAX  2048 /* base64 text */
#define XTR_PARAMS_LOOKUPS  4096

struct xtr_params {
	struct xtr_arena arena; /* owns what follows */
	uint64_t serial;
	struct xtr_decent_hash hash;
	const char *suffix;
	uint8_t digest[32]; /* SHA-256 of the text */
};

/* NULL, or why this PEM text is no public key we can verify with (Ed25519, ECDSA). */
const char *xtr_params_check_key(const char *pem);
/* Exactly one of pem and sha256 (64 hexadecimal digits) is not NULL. sig: base64 of the signature of
 * exactly these octets. 0, or -EKEYREJECTED with the reason. */
int xtr_params_verify(const void *text, size_t len, const char *pem, const char *sig, size_t sig_len,
		      const char *sha256, struct xtr_err *err);
/* *out owned by the caller. 0; -EINVAL, -EFBIG with the reason; -ENOMEM. */
int xtr_params_parse(const void *text, size_t len, struct xtr_params **out, struct xtr_err *err);
void xtr_params_free(struct xtr_params *p);
/* May new follow old (NULL: none)? A lower serial, or the same with other contents, is an older or a
 * forged file. 0, or -ESTALE with the reason. */
int xtr_params_follows(const struct xtr_params *old, const struct xtr_params *new, struct xtr_err *err);

#endif
