// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The parameter file: proof first, then contents. Nothing of it is believed before
 * xtr_params_verify() took the exact octets; what is parsed then is bounded anyway, because a
 * signed mistake is a mistake. Values live in the arena of struct xtr_params.
 */
#include "daemon/params.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include "daemon/config.h"

/* ---- proof */

static EVP_PKEY *read_key(const char *pem, const char **why)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
	int type = key ? EVP_PKEY_base_id(key) : EVP_PKEY_NONE;

	BIO_free(bio);
	ERR_clear_error();
	if (!key) {
		*why = "is no public key in PEM";
	} else if (type != EVP_PKEY_ED25519 && type != EVP_PKEY_EC) {
		*why = "is neither an Ed25519 nor an ECDSA key";
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

const char *xtr_params_check_key(const char *pem)
{
	const char *why = NULL;

	EVP_PKEY_free(read_key(pem, &why));
	return why;
}

/* Base64, lines and spaces allowed. Octets, or -EINVAL. */
static int decode(const char *text, size_t len, uint8_t *out, size_t room)
{
	char clean[XTR_PARAMS_SIG_MAX + 1];
	size_t n = 0, pad;
	int got;

	for (size_t i = 0; i < len; i++) {
		if (isspace((unsigned char)text[i]))
			continue;
		if (n == XTR_PARAMS_SIG_MAX)
			return -EINVAL;
		clean[n++] = text[i];
	}
	clean[n] = '\0';
	if (!n || n % 4 || n / 4 * 3 > room)
		return -EINVAL;
	pad = clean[n - 1] != '=' ? 0 : clean[n - 2] != '=' ? 1 : 2;
	if (strcspn(clean, "=") != n - pad)
		return -EINVAL;
	got = EVP_DecodeBlock(out, (const unsigned char *)clean, (int)n);
	return got < (int)pad ? -EINVAL : got - (int)pad;
}

static bool signature_holds(EVP_PKEY *key, const void *text, size_t len, const uint8_t *sig, size_t sig_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const EVP_MD *md = EVP_PKEY_base_id(key) == EVP_PKEY_EC ? EVP_sha256() : NULL;
	bool ok = ctx && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
		  EVP_DigestVerify(ctx, sig, sig_len, text, len) == 1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

int xtr_params_verify(const void *text, size_t len, const char *pem, const char *sig, size_t sig_len,
		      const char *sha256, struct xtr_err *err)
{
	uint8_t raw[XTR_PARAMS_SIG_MAX], digest[32];
	char hex[65];
	const char *why = NULL;
	EVP_PKEY *key;
	int n;
	bool ok;

	if (!pem == !sha256)
		return xtr_fail(err, -EKEYREJECTED, "there is no single proof to check");
	if (sha256) {
		SHA256(text, len, digest);
		for (unsigned i = 0; i < 32; i++)
			snprintf(hex + 2 * i, 3, "%02x", digest[i]);
		return strcasecmp(hex, sha256) ?
			       xtr_fail(err, -EKEYREJECTED, "its SHA-256 is %s, not the configured one", hex) :
			       0;
	}
	n = sig ? decode(sig, sig_len, raw, sizeof(raw)) : -EINVAL;
	if (n < 0)
		return xtr_fail(err, -EKEYREJECTED, "the signature is no base64 of at most %u characters",
				XTR_PARAMS_SIG_MAX);
	key = read_key(pem, &why);
	if (!key)
		return xtr_fail(err, -EKEYREJECTED, "the public key %s", why);
	ok = signature_holds(key, text, len, raw, (size_t)n);
	EVP_PKEY_free(key);
	return ok ? 0 : xtr_fail(err, -EKEYREJECTED, "the signature is not of this file by this key");
}

/* ---- contents */

static int take_number(json_t *o, const char *key, bool must, json_int_t lo, json_int_t hi,
		       json_int_t *out, struct xtr_err *err)
{
	json_t *j = json_object_get(o, key);

	if (!j)
		return must ? xtr_fail(err, -EINVAL, "`%s` is missing", key) : 0;
	if (!json_is_integer(j) || json_integer_value(j) < lo || json_integer_value(j) > hi)
		return xtr_fail(err, -EINVAL, "`%s` is not a whole number from %lld to %lld", key,
				(long long)lo, (long long)hi);
	*out = json_integer_value(j);
	return 0;
}

static int check_keys(json_t *o, const char *const *known, const char *where, struct xtr_err *err)
{
	const char *key;
	json_t *value;

	json_object_foreach(o, key, value) {
		const char *const *k = known;

		while (*k && strcmp(*k, key))
			k++;
		if (!*k)
			return xtr_fail(err, -EINVAL, "unknown key `%.64s` in %s", key, where);
	}
	return 0;
}

static int take_lookup(json_t *o, struct xtr_decent_lookup *l, struct xtr_err *err)
{
	static const char *const known[] = { "eid", "length", "instance", NULL };
	const char *text = json_string_value(json_object_get(o, "eid"));
	json_int_t length = 0, instance = XTR_DECENT_ANY_IID;
	struct xtr_ippfx masked;
	int rc;

	if (!json_is_object(o) || !text || xtr_ippfx_parse(text, &l->eid))
		return xtr_fail(err, -EINVAL, "an entry of `lookup-lengths` has no `eid` that is a prefix");
	masked = l->eid;
	if (xtr_ippfx_mask(&masked))
		return xtr_fail(err, -EINVAL, "`eid` %s has bits set beyond its length", text);
	rc = check_keys(o, known, "lookup-lengths", err);
	if (!rc)
		rc = take_number(o, "length", true, l->eid.len, xtr_ip_bits(&l->eid.ip), &length, err);
	if (!rc)
		rc = take_number(o, "instance", false, 0, 0xfffffe, &instance, err);
	l->length = (uint8_t)length;
	l->iid = (uint32_t)instance;
	return rc;
}

static int take_lookups(json_t *list, struct xtr_params *p, struct xtr_err *err)
{
	size_t n = json_array_size(list);
	struct xtr_decent_lookup *l;
	int rc = 0;

	if (!list)
		return 0;
	if (!json_is_array(list) || n > XTR_PARAMS_LOOKUPS)
		return xtr_fail(err, -EINVAL, "`lookup-lengths` is not a list of at most %u entries",
				XTR_PARAMS_LOOKUPS);
	l = xtr_arena_alloc(&p->arena, n * sizeof(*l));
	if (!l)
		return xtr_fail(err, -ENOMEM, "no memory");
	for (size_t i = 0; !rc && i < n; i++)
		rc = take_lookup(json_array_get(list, i), &l[i], err);
	p->hash.lookups = l;
	p->hash.lookup_count = (unsigned)n;
	return rc;
}

static int take_texts(json_t *o, struct xtr_params *p, struct xtr_err *err)
{
	json_t *suffix = json_object_get(o, "suffix"), *profile = json_object_get(o, "profile");
	const char *why;
	int id = XTR_DECENT_RFC9962;

	if (!json_is_string(suffix) || strlen(json_string_value(suffix)) != json_string_length(suffix))
		return xtr_fail(err, -EINVAL, "`suffix` is missing, or is no text");
	why = xtr_conf_check_suffix(json_string_value(suffix), p->hash.modulus);
	if (why)
		return xtr_fail(err, -EINVAL, "`suffix` %s", why);
	if (profile)
		id = json_is_string(profile) ? xtr_decent_profile_parse(json_string_value(profile)) : -EINVAL;
	if (id < 0)
		return xtr_fail(err, -EINVAL, "`profile` is none of rfc9962, draft10, lispers-net");
	p->hash.profile = (uint8_t)id;
	p->suffix = xtr_arena_copy(&p->arena, json_string_value(suffix), json_string_length(suffix));
	return p->suffix ? 0 : xtr_fail(err, -ENOMEM, "no memory");
}

static int take(json_t *o, struct xtr_params *p, struct xtr_err *err)
{
	static const char *const known[] = { "version",	  "serial",	   "modulus",	    "suffix", "profile",
					     "hash-mask", "digest-octets", "lookup-lengths", NULL };
	json_int_t version = 0, serial = 0, modulus = 0, mask = 0, octets = 6;
	const char *why;
	int rc;

	if (!json_is_object(o))
		return xtr_fail(err, -EINVAL, "it is no JSON object");
	/* First: another version may have other keys. */
	rc = take_number(o, "version", true, 1, 1, &version, err);
	if (!rc)
		rc = check_keys(o, known, "the file", err);
	if (!rc)
		rc = take_number(o, "serial", true, 0, INT64_MAX, &serial, err);
	if (!rc)
		rc = take_number(o, "modulus", true, 1, XTR_DECENT_MODULUS_MAX, &modulus, err);
	if (!rc)
		rc = take_number(o, "hash-mask", false, 0, XTR_DECENT_STRLEN - 1, &mask, err);
	if (!rc)
		rc = take_number(o, "digest-octets", false, 1, XTR_DECENT_DIGEST, &octets, err);
	if (rc)
		return rc;
	p->serial = (uint64_t)serial;
	p->hash.modulus = (uint32_t)modulus;
	p->hash.hash_mask = (uint16_t)mask;
	p->hash.digest_octets = (uint8_t)octets;
	rc = take_texts(o, p, err);
	if (!rc)
		rc = take_lookups(json_object_get(o, "lookup-lengths"), p, err);
	why = rc ? NULL : xtr_decent_check(&p->hash);
	return why ? xtr_fail(err, -EINVAL, "the parameters can not be used: %s", why) : rc;
}

int xtr_params_parse(const void *text, size_t len, struct xtr_params **out, struct xtr_err *err)
{
	struct xtr_params *p;
	json_error_t where;
	json_t *o;
	int rc;

	*out = NULL;
	if (len > XTR_PARAMS_SIZE_MAX)
		return xtr_fail(err, -EFBIG, "it has more than %u octets", XTR_PARAMS_SIZE_MAX);
	o = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
	if (!o)
		return xtr_fail(err, -EINVAL, "it is no JSON: line %d: %.100s", where.line, where.text);
	p = calloc(1, sizeof(*p));
	rc = p ? take(o, p, err) : xtr_fail(err, -ENOMEM, "no memory");
	json_decref(o);
	if (rc) {
		xtr_params_free(p);
		return rc;
	}
	SHA256(text, len, p->digest);
	*out = p;
	return 0;
}

void xtr_params_free(struct xtr_params *p)
{
	if (!p)
		return;
	xtr_arena_free(&p->arena);
	free(p);
}

int xtr_params_follows(const struct xtr_params *old, const struct xtr_params *new, struct xtr_err *err)
{
	if (!old || new->serial > old->serial)
		return 0;
	if (new->serial < old->serial)
		return xtr_fail(err, -ESTALE, "its serial %llu is older than %llu, which is in use",
				(unsigned long long)new->serial, (unsigned long long)old->serial);
	return memcmp(new->digest, old->digest, sizeof(new->digest)) ?
		       xtr_fail(err, -ESTALE, "its serial %llu is in use with other contents; raise it",
				(unsigned long long)new->serial) :
		       0;
}
