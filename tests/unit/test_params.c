// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The parameter file of Decent-Pull: what is taken, what is refused and with which words, signatures of Ed25519 and ECDSA made here
 * with keys made here, digests, and the order of serial numbers.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include "daemon/params.h"

static struct xtr_err err;

static struct xtr_params *parse(const char *text)
{
	struct xtr_params *p;

	cr_assert_eq(xtr_params_parse(text, strlen(text), &p, &err), 0, "%s", err.text);
	return p;
}

/* ---- contents */

Test(params, D_54_all_keys_of_pushed_parameters)
{
	struct xtr_params *p = parse("{\"version\":1,\"serial\":9007199254740993,\"modulus\":64,\"suffix\":\"ms.example\",\"profile\":\"lispers-net\","
				     "\"digest-octets\":4,\"lookup-lengths\":[{\"eid\":\"240.11.0.0/16\",\"length\":24},"
				     "{\"eid\":\"fd00::/8\",\"length\":48,\"instance\":7}]}");

	cr_assert_eq(p->serial, 9007199254740993ull);
	cr_assert(p->hash.modulus == 64 && p->hash.profile == XTR_DECENT_LISPERS && p->hash.digest_octets == 4);
	cr_assert_str_eq(p->suffix, "ms.example");
	cr_assert_eq(p->hash.lookup_count, 2);
	cr_assert(p->hash.lookups[0].iid == XTR_DECENT_ANY_IID && p->hash.lookups[0].eid.len == 16 && p->hash.lookups[0].length == 24);
	cr_assert(p->hash.lookups[1].iid == 7 && p->hash.lookups[1].eid.ip.family == 6 && p->hash.lookups[1].length == 48);
	xtr_params_free(p);
}

Test(params, what_need_not_be_there_has_the_defaults_of_the_configuration)
{
	struct xtr_params *p = parse("{\"version\":1,\"serial\":0,\"modulus\":1,\"suffix\":\"a\"}");

	cr_assert(p->hash.profile == XTR_DECENT_RFC9962 && p->hash.hash_mask == 0 && p->hash.digest_octets == 6 && !p->hash.lookup_count);
	xtr_params_free(p);
}

#define HEAD "{\"version\":1,\"serial\":1,\"modulus\":4,\"suffix\":\"a.b\""

static const struct { const char *text, *why; } bad[] = {
	{ "", "it is no JSON: line 1: '[' or '{' expected near end of file" },
	{ "[]", "it is no JSON object" },
	{ "{}", "`version` is missing" },
	{ "{\"version\":2,\"serial\":1,\"modulus\":4,\"suffix\":\"a\",\"new\":1}", "`version` is not a whole number from 1 to 1" },
	{ "{\"version\":1,\"modulus\":4,\"suffix\":\"a\"}", "`serial` is missing" },
	{ "{\"version\":1,\"serial\":-1,\"modulus\":4,\"suffix\":\"a\"}", "`serial` is not a whole number from 0 to 9223372036854775807" },
	{ "{\"version\":1,\"serial\":1.5,\"modulus\":4,\"suffix\":\"a\"}", "`serial` is not a whole number from 0 to 9223372036854775807" },
	{ "{\"version\":1,\"serial\":1,\"suffix\":\"a\"}", "`modulus` is missing" },
	{ "{\"version\":1,\"serial\":1,\"modulus\":0,\"suffix\":\"a\"}", "`modulus` is not a whole number from 1 to 65536" },
	{ "{\"version\":1,\"serial\":1,\"modulus\":65537,\"suffix\":\"a\"}", "`modulus` is not a whole number from 1 to 65536" },
	{ "{\"version\":1,\"serial\":1,\"modulus\":4}", "`suffix` is missing, or is no text" },
	{ "{\"version\":1,\"serial\":1,\"modulus\":4,\"suffix\":\"a..b\"}", "`suffix` has an empty label" },
	{ "{\"version\":1,\"serial\":1,\"modulus\":4,\"suffix\":\"a/b\"}", "`suffix` has a character that is no letter, digit or hyphen" },
	{ HEAD ",\"profile\":\"sha1\"}", "`profile` is none of rfc9962, draft10, lispers-net" },
	{ HEAD ",\"profile\":1}", "`profile` is none of rfc9962, draft10, lispers-net" },
	{ HEAD ",\"lookup-length\":[]}", "unknown key `lookup-length` in the file" },
	{ HEAD ",\"modulus\":5}", "it is no JSON: line 1: duplicate object key near '\"modulus\"'" },
	{ HEAD ",\"digest-octets\":33}", "`digest-octets` is not a whole number from 1 to 32" },
	{ HEAD ",\"hash-mask\":-1}", "`hash-mask` is not a whole number from 0 to 191" },
	{ HEAD ",\"lookup-lengths\":{}}", "`lookup-lengths` is not a list of at most 4096 entries" },
	{ HEAD ",\"lookup-lengths\":[1]}", "an entry of `lookup-lengths` has no `eid` that is a prefix" },
	{ HEAD ",\"lookup-lengths\":[{\"eid\":\"x\",\"length\":1}]}", "an entry of `lookup-lengths` has no `eid` that is a prefix" },
	{ HEAD ",\"lookup-lengths\":[{\"eid\":\"10.0.0.1/8\",\"length\":24}]}", "`eid` 10.0.0.1/8 has bits set beyond its length" },
	{ HEAD ",\"lookup-lengths\":[{\"eid\":\"10.0.0.0/8\"}]}", "`length` is missing" },
	{ HEAD ",\"lookup-lengths\":[{\"eid\":\"10.0.0.0/8\",\"length\":7}]}", "`length` is not a whole number from 8 to 32" },
	{ HEAD ",\"lookup-lengths\":[{\"eid\":\"10.0.0.0/8\",\"length\":33}]}", "`length` is not a whole number from 8 to 32" },
	{ HEAD ",\"lookup-lengths\":[{\"eid\":\"10.0.0.0/8\",\"length\":24,\"instance\":16777215}]}",
	  "`instance` is not a whole number from 0 to 16777214" },
	{ HEAD ",\"lookup-lengths\":[{\"eid\":\"10.0.0.0/8\",\"length\":24,\"iid\":0}]}", "unknown key `iid` in lookup-lengths" },
};

Test(params, mistakes_and_their_messages)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct xtr_params *p;

		cr_expect_eq(xtr_params_parse(bad[i].text, strlen(bad[i].text), &p, &err), -EINVAL, "%s", bad[i].text);
		cr_expect_null(p);
		cr_expect_str_eq(err.text, bad[i].why, "%s: %s", bad[i].text, err.text);
	}
}

Test(params, what_the_hash_can_not_use_is_refused)
{
	struct xtr_params *p;
	/* A Hash Mask that ends inside the instance ID (X5). */
	const char *text = HEAD ",\"profile\":\"draft10\",\"hash-mask\":2}";

	cr_assert_eq(xtr_params_parse(text, strlen(text), &p, &err), -EINVAL);
	cr_assert_not_null(strstr(err.text, "the parameters can not be used: "));
}

Test(params, too_long)
{
	static char text[XTR_PARAMS_SIZE_MAX + 1];
	struct xtr_params *p;

	memset(text, ' ', sizeof(text));
	memcpy(text, HEAD "}", sizeof(HEAD "}") - 1);
	cr_assert_eq(xtr_params_parse(text, sizeof(text), &p, &err), -EFBIG);
	cr_assert_eq(xtr_params_parse(text, sizeof(text) - 1, &p, &err), 0);
	xtr_params_free(p);
}

/* ---- proof */

static EVP_PKEY *make_key(const char *type)
{
	return !strcmp(type, "ed25519") ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") :
	       !strcmp(type, "rsa")	? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048) :
					  EVP_PKEY_Q_keygen(NULL, NULL, "EC", type);
}

static void public_pem(EVP_PKEY *key, char *buf, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int n;

	PEM_write_bio_PUBKEY(bio, key);
	n = BIO_read(bio, buf, (int)size - 1);
	cr_assert_gt(n, 0);
	buf[n] = '\0';
	BIO_free(bio);
}

/* Base64 with a line break after every 20 characters, as tools write it. */
static void sign(EVP_PKEY *key, const char *text, char *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sig[512];
	char flat[1024];
	size_t n = sizeof(sig);

	cr_assert_eq(EVP_DigestSignInit(ctx, NULL, EVP_PKEY_base_id(key) == EVP_PKEY_EC ? EVP_sha256() : NULL, NULL, key), 1);
	cr_assert_eq(EVP_DigestSign(ctx, sig, &n, (const uint8_t *)text, strlen(text)), 1);
	EVP_MD_CTX_free(ctx);
	EVP_EncodeBlock((uint8_t *)flat, sig, (int)n);
	for (size_t i = 0; flat[i]; i++) {
		*out++ = flat[i];
		if (i % 20 == 19)
			*out++ = '\n';
	}
	strcpy(out, "\n");
}

static int verify(const char *text, const char *pem, const char *sig, const char *sha256)
{
	return xtr_params_verify(text, strlen(text), pem, sig, sig ? strlen(sig) : 0, sha256, &err);
}

Test(params, signatures_of_exactly_these_octets)
{
	static const char *const types[] = { "ed25519", "P-256", "P-384" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		EVP_PKEY *key = make_key(types[i]), *other = make_key(types[i]);
		char pem[1024], pem2[1024], sig[1400], cut[1400];

		public_pem(key, pem, sizeof(pem));
		public_pem(other, pem2, sizeof(pem2));
		sign(key, HEAD "}", sig);
		cr_expect_null(xtr_params_check_key(pem));
		cr_expect_eq(verify(HEAD "}", pem, sig, NULL), 0, "%s: %s", types[i], err.text);
		cr_expect_eq(verify(HEAD "} ", pem, sig, NULL), -EKEYREJECTED);
		cr_expect_str_eq(err.text, "the signature is not of this file by this key");
		cr_expect_eq(verify(HEAD "}", pem2, sig, NULL), -EKEYREJECTED);
		sig[3] = sig[3] == 'A' ? 'B' : 'A';
		cr_expect_eq(verify(HEAD "}", pem, sig, NULL), -EKEYREJECTED);
		sign(key, HEAD "}", sig);
		strcpy(cut, sig + 4);
		cr_expect_eq(verify(HEAD "}", pem, cut, NULL), -EKEYREJECTED);
		EVP_PKEY_free(key);
		EVP_PKEY_free(other);
	}
}

Test(params, a_signature_that_is_none)
{
	static const char *const texts[] = { "", "\n", "=", "====", "AAA", "A===", "AAAA=AAA", "AA=A", "\xff\xff\xff\xff", "AAAA\x01"  "AAA" };
	EVP_PKEY *key = make_key("ed25519");
	char pem[1024], *large = malloc(XTR_PARAMS_SIG_MAX + 8);

	public_pem(key, pem, sizeof(pem));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_expect_eq(verify("x", pem, texts[i], NULL), -EKEYREJECTED, "%s", texts[i]);
	memset(large, 'A', XTR_PARAMS_SIG_MAX + 4);
	large[XTR_PARAMS_SIG_MAX + 4] = '\0';
	cr_expect_eq(verify("x", pem, large, NULL), -EKEYREJECTED);
	cr_expect_eq(verify("x", pem, NULL, NULL), -EKEYREJECTED);
	cr_expect_eq(verify("x", NULL, NULL, NULL), -EKEYREJECTED, "no proof is no proof");
	cr_expect_eq(verify("x", pem, "AAAA", "00"), -EKEYREJECTED);
	free(large);
	EVP_PKEY_free(key);
}

Test(params, keys_that_can_not_verify)
{
	EVP_PKEY *key = make_key("rsa");
	char pem[1024];

	public_pem(key, pem, sizeof(pem));
	cr_assert_str_eq(xtr_params_check_key(pem), "is neither an Ed25519 nor an ECDSA key");
	cr_assert_str_eq(xtr_params_check_key(""), "is no public key in PEM");
	cr_assert_str_eq(xtr_params_check_key("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), "is no public key in PEM");
	EVP_PKEY_free(key);
}

Test(params, digest)
{
	/* printf abc | sha256sum */
	cr_assert_eq(verify("abc", NULL, NULL, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), 0);
	cr_assert_eq(verify("abc", NULL, NULL, "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"), 0);
	cr_assert_eq(verify("abd", NULL, NULL, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), -EKEYREJECTED);
	cr_assert_str_eq(err.text, "its SHA-256 is a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9, not the configured one");
}

/* ---- order */

Test(params, the_serial_never_goes_back)
{
	struct xtr_params *one = parse("{\"version\":1,\"serial\":1,\"modulus\":4,\"suffix\":\"a\"}");
	struct xtr_params *other = parse("{\"version\":1,\"serial\":1,\"modulus\":5,\"suffix\":\"a\"}");
	struct xtr_params *two = parse("{\"version\":1,\"serial\":2,\"modulus\":4,\"suffix\":\"a\"}");

	cr_assert_eq(xtr_params_follows(NULL, one, &err), 0);
	cr_assert_eq(xtr_params_follows(one, one, &err), 0);
	cr_assert_eq(xtr_params_follows(one, two, &err), 0);
	cr_assert_eq(xtr_params_follows(two, one, &err), -ESTALE);
	cr_assert_str_eq(err.text, "its serial 1 is older than 2, which is in use");
	cr_assert_eq(xtr_params_follows(one, other, &err), -ESTALE);
	cr_assert_str_eq(err.text, "its serial 1 is in use with other contents; raise it");
	xtr_params_free(one);
	xtr_params_free(other);
	xtr_params_free(two);
}
