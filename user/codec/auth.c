// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Message authentication, RFC 9301 5.6. The MAC covers the whole message, xTR-ID and Site-ID
 * included, with the authentication data taken as zeros.
 *
 * Looking up a digest in OpenSSL costs more than a MAC, so each thread keeps one HMAC context per
 * digest, made on first use and freed when the thread ends. Secrets stay in the caller's memory;
 * per-message keys are cleansed after use.
 */
#include "codec/auth.h"
#include "codec/msg.h"

#include <errno.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

enum digest { SHA1, SHA256, DIGESTS };

static const char *const digest_names[DIGESTS] = { "SHA1", "SHA256" };
static const size_t digest_lens[DIGESTS] = { 20, 32 };

struct contexts {
	EVP_MAC_CTX *hmac[DIGESTS];
};

static __thread struct contexts contexts;
static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
/* Its value is the thread's contexts; only the destructor matters. */
static CRYPTO_THREAD_LOCAL at_exit;
static EVP_MAC *hmac_impl;
static int have_at_exit;

static void free_contexts(void *p)
{
	struct contexts *c = p;

	for (int i = 0; i < DIGESTS; i++) {
		EVP_MAC_CTX_free(c->hmac[i]);
		c->hmac[i] = NULL;
	}
}

static void prepare(void)
{
	hmac_impl = EVP_MAC_fetch(NULL, "HMAC", NULL); /* for the life of the process */
	have_at_exit = CRYPTO_THREAD_init_local(&at_exit, free_contexts);
}

/* This thread's context for the digest, or NULL when OpenSSL has none (out of memory, a provider
 * without it). */
static EVP_MAC_CTX *context_of(enum digest d)
{
	OSSL_PARAM params[2];

	if (contexts.hmac[d])
		return contexts.hmac[d];
	if (!CRYPTO_THREAD_run_once(&once, prepare) || !hmac_impl || !have_at_exit)
		return NULL;
	contexts.hmac[d] = EVP_MAC_CTX_new(hmac_impl);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
						     (char *)digest_names[d], 0);
	params[1] = OSSL_PARAM_construct_end();
	if (contexts.hmac[d] && !EVP_MAC_CTX_set_params(contexts.hmac[d], params)) {
		EVP_MAC_CTX_free(contexts.hmac[d]);
		contexts.hmac[d] = NULL;
	}
	CRYPTO_THREAD_set_local(&at_exit, &contexts);
	return contexts.hmac[d];
}

struct part { const void *p; size_t len; };

static int hmac(enum digest d, const uint8_t *key, size_t key_len, const struct part *parts,
		size_t n, uint8_t *out)
{
	EVP_MAC_CTX *ctx = context_of(d);
	size_t len;

	if (!ctx || !EVP_MAC_init(ctx, key, key_len, NULL))
		return -EPROTONOSUPPORT;
	for (size_t i = 0; i < n; i++)
		if (parts[i].len && !EVP_MAC_update(ctx, parts[i].p, parts[i].len))
			return -EPROTONOSUPPORT;
	if (!EVP_MAC_final(ctx, out, &len, EVP_MAX_MD_SIZE) || len != digest_lens[d])
		return -EPROTONOSUPPORT;
	return 0;
}

int xtr_auth_len(uint8_t alg_id)
{
	switch (alg_id) {
	case XTR_AUTH_NONE: return 0;
	case XTR_AUTH_SHA1: return 20;
	case XTR_AUTH_SHA256:
	case XTR_AUTH_SHA256_HKDF: return 32;
	default: return -EPROTONOSUPPORT;
	}
}

/* Lengths by the names of the algorithms (96, 128 bits) and the full digests that are sent. */
static bool length_fits(uint8_t alg_id, size_t len)
{
	return alg_id == XTR_AUTH_SHA1 ? len == 12 || len == 20 : len == 16 || len == 32;
}

static const char *salt_of(uint8_t type)
{
	switch (type) {
	case XTR_MSG_MAP_REGISTER: return "Map-Register Authentication";
	case XTR_MSG_MAP_NOTIFY: return "Map-Notify Authentication";
	case XTR_MSG_MAP_NOTIFY_ACK: return "Map-Notify-Ack Authentication";
	default: return NULL;
	}
}

int xtr_auth_message_key(uint8_t type, uint64_t nonce, const uint8_t *key, size_t key_len,
			 uint8_t out[XTR_AUTH_KEY_LEN])
{
	static const uint8_t first_block = 1;
	uint8_t be[8], prk[EVP_MAX_MD_SIZE], okm[EVP_MAX_MD_SIZE];
	struct part ikm[] = { { be, sizeof(be) }, { key, key_len } };
	struct part info[] = { { &first_block, 1 } };
	const char *salt = salt_of(type);
	int r;

	if (!salt)
		return -EPROTONOSUPPORT;
	if (!key_len)
		return -EINVAL;
	for (int i = 0; i < 8; i++)
		be[i] = (uint8_t)(nonce >> (56 - 8 * i));
	/* RFC 5869: extract, then expand; one block is enough for 32 octets, info is empty. */
	r = hmac(SHA256, (const uint8_t *)salt, strlen(salt), ikm, 2, prk);
	if (!r)
		r = hmac(SHA256, prk, digest_lens[SHA256], info, 1, okm);
	if (!r)
		memcpy(out, okm, XTR_AUTH_KEY_LEN);
	OPENSSL_cleanse(prk, sizeof(prk));
	OPENSSL_cleanse(okm, sizeof(okm));
	return r;
}

/* The full MAC, for a message whose authentication data lies at auth_off. */
static int compute(const uint8_t *buf, size_t len, size_t auth_off, size_t auth_len, uint8_t type,
		   uint8_t alg_id, uint64_t nonce, const uint8_t *key, size_t key_len,
		   uint8_t mac[EVP_MAX_MD_SIZE])
{
	static const uint8_t zeros[XTR_AUTH_MAX];
	const struct part parts[] = {
		{ buf, auth_off },
		{ zeros, auth_len },
		{ buf + auth_off + auth_len, len - auth_off - auth_len },
	};
	uint8_t message_key[XTR_AUTH_KEY_LEN];
	int r;

	if (alg_id == XTR_AUTH_SHA1)
		return hmac(SHA1, key, key_len, parts, 3, mac);
	if (alg_id == XTR_AUTH_SHA256)
		return hmac(SHA256, key, key_len, parts, 3, mac);
	r = xtr_auth_message_key(type, nonce, key, key_len, message_key);
	if (!r)
		r = hmac(SHA256, message_key, sizeof(message_key), parts, 3, mac);
	OPENSSL_cleanse(message_key, sizeof(message_key));
	return r;
}

static int check_args(size_t len, size_t auth_off, size_t auth_len, uint8_t alg_id,
		      const uint8_t *key, size_t key_len)
{
	if (xtr_auth_len(alg_id) < 0)
		return -EPROTONOSUPPORT;
	if (auth_off > len || auth_len > len - auth_off || !length_fits(alg_id, auth_len) || !key ||
	    !key_len)
		return -EINVAL;
	return 0;
}

int xtr_auth_sign(uint8_t *buf, size_t len, size_t auth_off, size_t auth_len, uint8_t type,
		  uint8_t alg_id, uint64_t nonce, const uint8_t *key, size_t key_len)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	int r;

	if (alg_id == XTR_AUTH_NONE)
		return auth_len ? -EINVAL : 0;
	r = check_args(len, auth_off, auth_len, alg_id, key, key_len);
	if (!r)
		r = compute(buf, len, auth_off, auth_len, type, alg_id, nonce, key, key_len, mac);
	if (!r)
		memcpy(buf + auth_off, mac, auth_len);
	return r;
}

int xtr_auth_verify(const uint8_t *buf, size_t len, size_t auth_off, size_t auth_len, uint8_t type,
		    uint8_t alg_id, uint64_t nonce, const uint8_t *key, size_t key_len)
{
	uint8_t mac[EVP_MAX_MD_SIZE];

	if (alg_id == XTR_AUTH_NONE || check_args(len, auth_off, auth_len, alg_id, key, key_len) ||
	    compute(buf, len, auth_off, auth_len, type, alg_id, nonce, key, key_len, mac) ||
	    CRYPTO_memcmp(mac, buf + auth_off, auth_len))
		return -EACCES;
	return 0;
}
