// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Authentication, RFC 9301 5.6: known values of every algorithm, lengths, types, and that nothing else verifies. */
#include "unit/codec_help.h"

#include <pthread.h>

#include <criterion/criterion.h>

static const uint8_t psk[] = "password";

Test(auth, lengths_on_the_wire)
{
	cr_expect_eq(xtr_auth_len(XTR_AUTH_NONE), 0);
	cr_expect_eq(xtr_auth_len(XTR_AUTH_SHA1), 20);
	cr_expect_eq(xtr_auth_len(XTR_AUTH_SHA256), 32);
	cr_expect_eq(xtr_auth_len(XTR_AUTH_SHA256_HKDF), 32);
	for (unsigned alg = 4; alg < 256; alg++)
		cr_expect_eq(xtr_auth_len((uint8_t)alg), -EPROTONOSUPPORT);
}

/* Computed apart with another HKDF: salt = the string without NUL, input = nonce and secret, no info, 32 octets. */
Test(auth, RFC9301_5_6_per_message_keys)
{
	static const struct { uint8_t type; const char *key; } known[] = {
		{ XTR_MSG_MAP_REGISTER, "72dcb2f072779293bf5333c2e682cdc99aa4ac34073f022657b369b0afb8a204" },
		{ XTR_MSG_MAP_NOTIFY, "2ba5b6b7ca82ece633acf0bd1bbbb57ff07094dc7642676f29f9e5154780add0" },
		{ XTR_MSG_MAP_NOTIFY_ACK, "7a6770a3d031ef4650185f5585ad7224deec602c0627b95897b8b7dc860b2adc" },
	};
	uint8_t key[XTR_AUTH_KEY_LEN], other[XTR_AUTH_KEY_LEN];

	for (size_t i = 0; i < 3; i++) {
		struct octets want = hex_octets(known[i].key);

		cr_expect_eq(xtr_auth_message_key(known[i].type, 1, psk, 8, key), 0);
		cr_expect_arr_eq(key, want.p, sizeof(key));
		free(want.p);
		cr_expect_eq(xtr_auth_message_key(known[i].type, (uint64_t)1 << 56, psk, 8, other), 0);
		cr_expect_arr_neq(key, other, sizeof(key));
	}
	cr_expect_eq(xtr_auth_message_key(XTR_MSG_INFO, 1, psk, 8, key), -EPROTONOSUPPORT);
	cr_expect_eq(xtr_auth_message_key(XTR_MSG_MAP_REGISTER, 1, psk, 0, key), -EINVAL);
}

/* The key and text of RFC 2202 and RFC 4231 case 2, followed by the field, which the MAC takes as zeros; computed apart. */
Test(auth, known_MACs)
{
	static const struct { uint8_t alg; size_t len; const char *mac; } known[] = {
		{ XTR_AUTH_SHA1, 20, "7a78a41acbc5920c5e3633f513f6d2beee75f83f" }, { XTR_AUTH_SHA1, 12, "aa87f5041b8bbbdc50c45812" },
		{ XTR_AUTH_SHA256, 32, "32f1aabea28597a6c5363a7c30068534bd8e483898ed42abc3159e7d5b93878c" }, { XTR_AUTH_SHA256, 16, "8f555f8167773d1f3f38d614e1ca3a60" },
		{ XTR_AUTH_SHA256_HKDF, 32, "6aed184f26c34ee3c4b155bdd87df4b27b1e690b4c8dcd010eacf31c56457db0" }, { XTR_AUTH_SHA256_HKDF, 16, "df980ec0447d126ea589396a140b156c" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		uint8_t msg[28 + 32] = "what do ya want for nothing?";
		struct octets want = hex_octets(known[i].mac);
		size_t len = 28 + known[i].len;

		memset(msg + 28, 0xee, known[i].len); /* whatever stands there counts as zeros */
		cr_assert_eq(xtr_auth_sign(msg, len, 28, known[i].len, XTR_MSG_MAP_REGISTER, known[i].alg, 1,
					   (const uint8_t *)"Jefe", 4), 0);
		cr_expect_arr_eq(msg + 28, want.p, want.len, "%zu", i);
		cr_expect_eq(want.len, known[i].len);
		cr_expect_eq(xtr_auth_verify(msg, len, 28, known[i].len, XTR_MSG_MAP_REGISTER, known[i].alg, 1,
					     (const uint8_t *)"Jefe", 4), 0);
		free(want.p);
	}
}

struct msg { uint8_t octets[100]; size_t len, off, mac; };

static struct msg signed_with(uint8_t alg, size_t mac)
{
	struct msg m = { .len = 60 + mac, .off = 16, .mac = mac };

	for (size_t i = 0; i < m.len; i++)
		m.octets[i] = (uint8_t)(i * 37);
	cr_assert_eq(xtr_auth_sign(m.octets, m.len, m.off, mac, XTR_MSG_MAP_REGISTER, alg, 5, psk, 8), 0);
	return m;
}

static int verify(const struct msg *m, uint8_t type, uint8_t alg, uint64_t nonce, const void *key, size_t key_len)
{
	uint8_t *copy = ex_exact(m->octets, m->len);
	int r = xtr_auth_verify(copy, m->len, m->off, m->mac, type, alg, nonce, key, key_len);

	cr_expect(!memcmp(copy, m->octets, m->len), "the message is left as it is");
	free(copy);
	return r;
}

static const struct { uint8_t alg; size_t mac; } forms[] = {
	{ XTR_AUTH_SHA1, 12 }, { XTR_AUTH_SHA1, 20 }, { XTR_AUTH_SHA256, 16 }, { XTR_AUTH_SHA256, 32 },
	{ XTR_AUTH_SHA256_HKDF, 16 }, { XTR_AUTH_SHA256_HKDF, 32 },
};
#define FORMS (sizeof(forms) / sizeof(forms[0]))

Test(auth, every_bit_of_the_message_counts)
{
	for (size_t i = 0; i < FORMS; i++) {
		struct msg m = signed_with(forms[i].alg, forms[i].mac);

		cr_expect_eq(verify(&m, XTR_MSG_MAP_REGISTER, forms[i].alg, 5, psk, 8), 0);
		for (size_t bit = 0; bit < m.len * 8; bit++) {
			m.octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
			cr_expect_eq(verify(&m, XTR_MSG_MAP_REGISTER, forms[i].alg, 5, psk, 8), -EACCES, "%zu", bit);
			m.octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

Test(auth, other_keys_algorithms_types_nonces)
{
	for (size_t i = 0; i < FORMS; i++) {
		struct msg m = signed_with(forms[i].alg, forms[i].mac);
		bool hkdf = forms[i].alg == XTR_AUTH_SHA256_HKDF;

		cr_expect_eq(verify(&m, XTR_MSG_MAP_REGISTER, forms[i].alg, 5, "passwore", 8), -EACCES);
		cr_expect_eq(verify(&m, XTR_MSG_MAP_REGISTER, forms[i].alg, 5, psk, 7), -EACCES);
		cr_expect_eq(verify(&m, XTR_MSG_MAP_REGISTER, forms[i].alg, 5, psk, 0), -EACCES);
		cr_expect_eq(verify(&m, XTR_MSG_MAP_REGISTER, forms[i].alg, 5, NULL, 0), -EACCES);
		/* Type and nonce go into the key of algorithm 3 only; for the others the MAC covers them in the message. */
		cr_expect_eq(verify(&m, XTR_MSG_MAP_NOTIFY, forms[i].alg, 5, psk, 8), hkdf ? -EACCES : 0);
		cr_expect_eq(verify(&m, XTR_MSG_MAP_REGISTER, forms[i].alg, 6, psk, 8), hkdf ? -EACCES : 0);
		cr_expect_eq(verify(&m, XTR_MSG_INFO, forms[i].alg, 5, psk, 8), hkdf ? -EACCES : 0);
		for (unsigned alg = 0; alg < 256; alg++)
			if (alg != forms[i].alg)
				cr_expect_eq(verify(&m, XTR_MSG_MAP_REGISTER, (uint8_t)alg, 5, psk, 8), -EACCES, "%u", alg);
	}
}

Test(auth, lengths_that_are_refused)
{
	for (uint8_t alg = XTR_AUTH_NONE; alg <= XTR_AUTH_SHA256_HKDF; alg++) {
		for (size_t mac = 0; mac <= 64; mac++) {
			struct msg m = { .len = 100, .off = 16, .mac = mac };
			bool known = alg == XTR_AUTH_NONE ? mac == 0 : alg == XTR_AUTH_SHA1 ? mac == 12 || mac == 20 :
				     mac == 16 || mac == 32;
			int r = xtr_auth_sign(m.octets, m.len, m.off, mac, XTR_MSG_MAP_REGISTER, alg, 5, psk, 8);

			cr_expect_eq(r, known ? 0 : -EINVAL, "%u %zu", alg, mac);
			cr_expect_eq(verify(&m, XTR_MSG_MAP_REGISTER, alg, 5, psk, 8), known && alg ? 0 : -EACCES);
		}
	}
}

Test(auth, bounds_of_the_field)
{
	uint8_t msg[32] = { 0 };

	cr_expect_eq(xtr_auth_sign(msg, 32, 1, 32, 3, XTR_AUTH_SHA256, 1, psk, 8), -EINVAL);
	cr_expect_eq(xtr_auth_sign(msg, 32, 33, 32, 3, XTR_AUTH_SHA256, 1, psk, 8), -EINVAL);
	cr_expect_eq(xtr_auth_sign(msg, 32, SIZE_MAX, 32, 3, XTR_AUTH_SHA256, 1, psk, 8), -EINVAL);
	cr_expect_eq(xtr_auth_verify(msg, 32, 1, 32, 3, XTR_AUTH_SHA256, 1, psk, 8), -EACCES);
	cr_expect_eq(xtr_auth_sign(msg, 32, 0, 32, 3, XTR_AUTH_SHA256, 1, psk, 8), 0);
	cr_expect_eq(xtr_auth_verify(msg, 32, 0, 32, 3, XTR_AUTH_SHA256, 1, psk, 8), 0);
	cr_expect_eq(xtr_auth_sign(msg, 32, 0, 32, 3, 4, 1, psk, 8), -EPROTONOSUPPORT);
	cr_expect_eq(xtr_auth_sign(msg, 32, 0, 32, XTR_MSG_INFO, XTR_AUTH_SHA256_HKDF, 1, psk, 8), -EPROTONOSUPPORT);
}

/* Secrets longer than the block of the hash are hashed first; 1 octet works. */
Test(auth, secrets_of_any_length)
{
	uint8_t secret[300], msg[64] = { 1 };

	memset(secret, 's', sizeof(secret));
	for (uint8_t alg = XTR_AUTH_SHA1; alg <= XTR_AUTH_SHA256_HKDF; alg++) {
		for (size_t n = 1; n <= sizeof(secret); n++) {
			size_t mac = (size_t)xtr_auth_len(alg);

			cr_assert_eq(xtr_auth_sign(msg, sizeof(msg), 16, mac, 3, alg, 1, secret, n), 0);
			cr_assert_eq(xtr_auth_verify(msg, sizeof(msg), 16, mac, 3, alg, 1, secret, n), 0);
		}
	}
}

/* Each thread has contexts of its own, which end with it (the sanitizer build sees a leak). */
static void *sign_much(void *arg)
{
	uintptr_t id = (uintptr_t)arg, bad = 0;
	uint8_t msg[64] = { (uint8_t)id };

	for (unsigned i = 0; i < 2000; i++) {
		uint8_t alg = (uint8_t)(1 + i % 3);
		size_t mac = (size_t)xtr_auth_len(alg);

		msg[1] = (uint8_t)i;
		bad += xtr_auth_sign(msg, sizeof(msg), 16, mac, 3, alg, i, psk, 8) != 0;
		bad += xtr_auth_verify(msg, sizeof(msg), 16, mac, 3, alg, i, psk, 8) != 0;
	}
	return (void *)bad;
}

Test(auth, threads_do_not_meet)
{
	pthread_t t[4];
	void *bad;

	for (uintptr_t i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&t[i], NULL, sign_much, (void *)i), 0);
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(t[i], &bad);
		cr_expect_null(bad);
	}
}
