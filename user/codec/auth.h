/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Message authentication of Map-Register, Map-Notify and Map-Notify-Ack (RFC 9301 5.6) and Info messages, by OpenSSL's
 * EVP_MAC. The MAC covers the whole message with the authentication data zeroed. Compared in constant time.
 */
#ifndef XTR_CODEC_AUTH_H
#define XTR_CODEC_AUTH_H

#include <stddef.h>
#include <stdint.h>

#define XTR_AUTH_KEY_LEN 32 /* of a per-message key */

/* Octets on the wire that we send: 0, 20, 32, 32; -EPROTONOSUPPORT for an unknown algorithm. */
int xtr_auth_len(uint8_t alg_id);
/* Writes the MAC at buf+auth_off (auth_len octets, zeroed before). nonce as in the message: input of alg 3's per-message key, for
 * which type selects the salt. 0, -EPROTONOSUPPORT, -EINVAL. */
int xtr_auth_sign(uint8_t *buf, size_t len, size_t auth_off, size_t auth_len, uint8_t type, uint8_t alg_id, uint64_t nonce,
		  const uint8_t *key, size_t key_len);
/* 0 if the MAC verifies, else -EACCES. Accepts lengths 12/20 (alg 1), 16/32 (alg 2, 3); alg 0 is -EACCES: the
 * caller decides about it. Does not change buf. */
int xtr_auth_verify(const uint8_t *buf, size_t len, size_t auth_off, size_t auth_len, uint8_t type, uint8_t alg_id, uint64_t nonce,
		    const uint8_t *key, size_t key_len);
/* The per-message key of algorithm 3 (RFC 9301 5.6): HKDF-SHA-256, salt chosen by type, input nonce and secret. 0;
 * -EPROTONOSUPPORT for a type that has no salt; -EINVAL without a secret. */
int xtr_auth_message_key(uint8_t type, uint64_t nonce, const uint8_t *key, size_t key_len, uint8_t out[XTR_AUTH_KEY_LEN]);

#endif
