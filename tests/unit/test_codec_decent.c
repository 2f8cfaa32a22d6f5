// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * LISP-Decent: from an EID to the index of its Map-Server set. The vectors of tests/unit/vectors/decent, the tables of the
 * documents, and a test for each rule: D_n of the draft, R_n where RFC 9962 differs, X_n where the text leaves a choice.
 */
#include "codec/decent.h"
#include "unit/codec_help.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/bn.h>

#include <criterion/criterion.h>

#define FILE_NAME "tests/unit/vectors/decent/hash.json"
#define COUNT 30

static struct xtr_decent_step step;

static struct xtr_decent_hash hash_of(unsigned profile, uint32_t modulus)
{
	return (struct xtr_decent_hash){ .profile = (uint8_t)profile, .modulus = modulus };
}

/* The string that is hashed for the EID. */
static const char *string_of(const struct xtr_decent_hash *h, const char *eid)
{
	struct xtr_eid_prefix e = eid_of(eid);
	int r = xtr_decent_step(h, &e, &step);

	cr_assert_eq(r, 0, "%s: %d", eid, r);
	return step.string;
}

static int64_t index_of(const struct xtr_decent_hash *h, const char *eid)
{
	struct xtr_eid_prefix e = eid_of(eid);

	return xtr_decent_index(h, &e);
}

static bool short_for(const struct xtr_decent_hash *h, const char *eid)
{
	struct xtr_eid_prefix e = eid_of(eid);

	return xtr_decent_too_short(h, &e);
}

static unsigned fixed_of(const struct xtr_decent_hash *h, const char *eid)
{
	struct xtr_eid_prefix e = eid_of(eid);

	return xtr_decent_fixed_bits(h, &e);
}

static struct xtr_decent_lookup lookup(const char *prefix, uint8_t length)
{
	return (struct xtr_decent_lookup){ .eid = pfx_of(prefix), .iid = XTR_DECENT_ANY_IID, .length = length };
}

/* ---- the vectors */

/* What has to be done to get the string, where it is not the text of the EID itself. */
static const struct {
	const char *string, *eid;
	uint8_t profile;
	uint16_t mask;
} made_of[] = {
	{ "[0]240.0", "240.0.1.1", XTR_DECENT_DRAFT10, 8 },
	{ "[0]224.1.1.1/32-0.0.0.0/0", "(0.0.0.0/0,224.1.1.1)", XTR_DECENT_DRAFT10, 0 },
	{ "[0]224.1.1.1/32-2.2.2.2/32", "(2.2.2.2,224.1.1.1)", XTR_DECENT_DRAFT10, 0 },
	{ "[0]224.1.1.1", "(2.2.2.2,224.1.1.1)", XTR_DECENT_RFC9962, 0 },
	{ "[0]233.252.1.1", "(*,233.252.1.1)", XTR_DECENT_RFC9962, 0 },
	{ "[0]224.1.1.1/32", "(2.2.2.2,224.1.1.1)", XTR_DECENT_LISPERS, 0 },
	{ "[0]233.252.1.1/32", "(*,233.252.1.1)", XTR_DECENT_LISPERS, 0 },
};

static void run_vector(const json_t *v)
{
	const char *string = json_string_value(json_object_get(v, "string")), *eid = string, *key;
	bool plain = !strcmp(json_string_value(json_object_get(v, "profile")), "sha256");
	const char *used = json_string_value(json_object_get(v, "used_hex"));
	struct octets digest = hex_octets(json_string_value(json_object_get(v, "digest")));
	struct xtr_decent_hash h = hash_of(plain ? XTR_DECENT_RFC9962 : XTR_DECENT_LISPERS, 1);
	json_t *index;

	for (size_t i = 0; i < sizeof(made_of) / sizeof(made_of[0]); i++)
		if (!strcmp(made_of[i].string, string)) {
			eid = made_of[i].eid;
			h.profile = made_of[i].profile;
			h.hash_mask = made_of[i].mask;
		}
	cr_expect_str_eq(string_of(&h, eid), string);
	cr_expect(digest.len == XTR_DECENT_DIGEST && !memcmp(step.digest, digest.p, digest.len), "%s", string);
	cr_expect_eq(step.digest_used, plain ? 32 : strlen(used) / 2, "%s", string);
	free(digest.p);
	cr_assert(json_object_size(json_object_get(v, "index")) >= 8);
	json_object_foreach(json_object_get(v, "index"), key, index) {
		h.modulus = (uint32_t)atoi(key);
		cr_expect_eq(index_of(&h, eid), json_integer_value(index), "%s modulo %s", string, key);
	}
}

Test(decent, all_vectors)
{
	json_error_t err;
	json_t *vectors = json_load_file(FILE_NAME, 0, &err), *v;
	size_t i;

	cr_assert(vectors, "%s (run from the top of the tree): %s", FILE_NAME, err.text);
	cr_assert_eq(json_array_size(vectors), COUNT);
	json_array_foreach(vectors, i, v)
		run_vector(v);
	json_decref(vectors);
}

struct table_row {
	const char *eid, *string;
	uint16_t mask;
	unsigned mv4, mv7, mv8;
};

static void run_table(unsigned profile, const struct table_row *row, size_t n)
{
	for (size_t i = 0; i < n; i++, row++) {
		static const uint32_t modulus[] = { 4, 7, 8 };
		const unsigned want[] = { row->mv4, row->mv7, row->mv8 };

		for (unsigned k = 0; k < 3; k++) {
			struct xtr_decent_hash h = hash_of(profile, modulus[k]);

			h.hash_mask = row->mask;
			cr_expect_str_eq(string_of(&h, row->eid), row->string);
			cr_expect_eq(step.index, want[k], "%s modulo %u: %u", row->string, modulus[k], step.index);
		}
	}
}

Test(decent, D_45_examples_of_sha256)
{
	static const struct table_row rows[] = {
		{ "240.0.1.0/24", "[0]240.0.1.0/24", 0, 2, 3, 2 },
		{ "240.0.1.1", "[0]240.0.1.1/32", 0, 2, 3, 6 },
		{ "240.0.1.1", "[0]240.0", 8, 0, 6, 0 },
		{ "[1000]fd::2222", "[1000]fd::2222/128", 0, 0, 4, 0 },
		{ "(*,224.1.1.1)", "[0]224.1.1.1/32-0.0.0.0/0", 0, 0, 6, 0 },
		{ "(2.2.2.2,224.1.1.1)", "[0]224.1.1.1/32-2.2.2.2/32", 0, 0, 0, 0 },
		{ "(2.2.2.2,224.1.1.1)", "[0]224.1.1.1", 12, 1, 1, 5 },
		{ "0.0.0.0/0", "[0]0.0.0.0/0", 0, 1, 1, 1 },
	};

	run_table(XTR_DECENT_DRAFT10, rows, sizeof(rows) / sizeof(rows[0]));
}

Test(decent, examples_of_the_authors_implementation)
{
	static const struct table_row rows[] = {
		{ "240.0.1.0/24", "[0]240.0.1.0/24", 0, 3, 2, 7 },
		{ "240.0.1.1", "[0]240.0.1.1/32", 0, 2, 6, 6 },
		{ "[1000]fd::2222", "[1000]fd::2222/128", 0, 0, 3, 4 },
	};

	run_table(XTR_DECENT_LISPERS, rows, sizeof(rows) / sizeof(rows[0]));
}

/* ---- the string */

Test(decent, D_42_unicast_string)
{
	for (unsigned p = 0; p < XTR_DECENT_PROFILE_MAX; p++) {
		struct xtr_decent_hash h = hash_of(p, 8);

		cr_expect_str_eq(string_of(&h, "10.1.2.0/24"), "[0]10.1.2.0/24");
		cr_expect_str_eq(string_of(&h, "[16777215]10.1.2.3"), "[16777215]10.1.2.3/32");
		cr_expect_str_eq(string_of(&h, "[4294967295]0.0.0.0/0"), "[4294967295]0.0.0.0/0");
	}
}

Test(decent, D_43_group_comes_before_source)
{
	struct xtr_decent_hash h = hash_of(XTR_DECENT_DRAFT10, 8);

	cr_expect_str_eq(string_of(&h, "[7](10.1.0.0/16,233.252.0.0/24)"), "[7]233.252.0.0/24-10.1.0.0/16");
}

Test(decent, D_44_any_source)
{
	struct xtr_decent_hash h = hash_of(XTR_DECENT_DRAFT10, 8);

	cr_expect_str_eq(string_of(&h, "(0.0.0.0/0,224.1.1.1/32)"), "[0]224.1.1.1/32-0.0.0.0/0");
}

Test(decent, X2_any_source_of_an_IPv6_group)
{
	struct xtr_decent_hash h = hash_of(XTR_DECENT_DRAFT10, 8);

	cr_expect_str_eq(string_of(&h, "(*,ff05::1)"), "[0]ff05::1/128-::/0");
	h.hash_mask = 8;
	cr_expect_str_eq(string_of(&h, "(*,ff05::1)"), "[0]ff05::1");
}

Test(decent, D_47_X4_text_of_every_family)
{
	struct xtr_decent_hash h = hash_of(XTR_DECENT_RFC9962, 8);

	cr_expect_str_eq(string_of(&h, "[5]2001:DB8:0:0:0:0:0:1"), "[5]2001:db8::1/128");
	cr_expect_str_eq(string_of(&h, "2001:db8:0:1::/64"), "[0]2001:db8:0:1::/64");
	cr_expect_str_eq(string_of(&h, "::1:2"), "[0]::1:2/128", "no IPv4 address in it");
	cr_expect_str_eq(string_of(&h, "[5]00:01:00:02:00:03"), "[5]0001-0002-0003/48");
	cr_expect_str_eq(string_of(&h, "0A0B-0C0D-0E0F/24"), "[0]0a0b-0c00-0000/24");
	/* Always with a mask length: of a name that of the record, which counts the NUL (RFC 9735). */
	cr_expect_str_eq(string_of(&h, "[1000]'dino-laptop'"), "[1000]'dino-laptop'/96");
	h.profile = XTR_DECENT_DRAFT10;
	cr_expect_str_eq(string_of(&h, "[1000]'dino-laptop'"), "[1000]'dino-laptop'/96");
	h.profile = XTR_DECENT_LISPERS;
	cr_expect_str_eq(string_of(&h, "[1000]'dino-laptop'"), "[1000]'dino-laptop'");
	/* The octets of a name as they are, not as they are shown. */
	cr_expect_str_eq(string_of(&h, "'it\\x27s'"), "[0]'it's'");
	cr_expect_str_eq(string_of(&h, "'gr\\xc3\\xbcn'"), "[0]'gr\xc3\xbcn'");
}

Test(decent, the_longest_texts_fit)
{
	static const char *const eids[] = {
		"[4294967295]'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'",
		"[4294967295](2001:db8:1111:1111:1111:1111:1111:1111,ff05:1111:1111:1111:1111:1111:1111:1111)",
		"[4294967295](::ffff:255.255.255.255,::ffff:255.255.255.254)",
	};
	struct xtr_decent_hash h = hash_of(XTR_DECENT_DRAFT10, 8);

	cr_expect_str_eq(string_of(&h, eids[0]), "[4294967295]'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'/0");
	cr_expect_str_eq(string_of(&h, eids[1]), "[4294967295]ff05:1111:1111:1111:1111:1111:1111:1111/128-"
						 "2001:db8:1111:1111:1111:1111:1111:1111/128");
	cr_expect(strlen(string_of(&h, eids[2])) > 40);
}

/* ---- the number */

Test(decent, D_45_R_9_X3_whole_digest_is_one_big_endian_number)
{
	static const uint32_t modulus[] = { 1, 2, 3, 7, 64, 100, 255, 257, 1000, 4093, 65535, 65536 };
	char eid[32];

	for (unsigned i = 0; i < 200; i++)
		for (unsigned k = 0; k < sizeof(modulus) / sizeof(modulus[0]); k++) {
			struct xtr_decent_hash h = hash_of(i % 2 ? XTR_DECENT_LISPERS : XTR_DECENT_RFC9962, modulus[k]);
			BIGNUM *n;

			h.digest_octets = (uint8_t)(i % 33);
			snprintf(eid, sizeof(eid), "10.%u.%u.1", i, k);
			string_of(&h, eid);
			cr_expect_eq(step.digest_used, !(i % 2) ? 32 : i % 33 ? i % 33 : 6);
			n = BN_bin2bn(step.digest, (int)step.digest_used, NULL);
			cr_expect_eq(step.index, BN_mod_word(n, modulus[k]), "%s modulo %u", eid, modulus[k]);
			BN_free(n);
		}
}

Test(decent, D_46_index_range_and_name)
{
	struct xtr_decent_hash h = hash_of(XTR_DECENT_RFC9962, 4);
	char name[XTR_DECENT_NAME_MAX], eid[32], suffix[300];
	unsigned seen[4] = { 0 };

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(eid, sizeof(eid), "10.0.%u.%u", i / 256, i % 256);
		string_of(&h, eid);
		cr_assert_lt(step.index, 4);
		seen[step.index]++;
	}
	for (unsigned i = 0; i < 4; i++) /* D-56: as many sets as the modulus says, evenly used */
		cr_expect(seen[i] > 180 && seen[i] < 320, "index %u: %u of 1000", i, seen[i]);
	cr_expect(!xtr_decent_name(3, "map-server.example.com", name, sizeof(name)));
	cr_expect_str_eq(name, "3.map-server.example.com");
	cr_expect(!xtr_decent_name(65535, "map-server.example.com.", name, sizeof(name)));
	cr_expect_str_eq(name, "65535.map-server.example.com", "no final dot");
	cr_expect_eq(xtr_decent_name(3, "map-server.example.com", name, 24), -ENAMETOOLONG);
	cr_expect(!xtr_decent_name(3, "map-server.example.com", name, 25));
	/* RFC 1035 2.3.4: 63 octets a label, 253 of text. */
	memset(suffix, 'a', sizeof(suffix));
	suffix[63] = '\0';
	cr_expect(!xtr_decent_name(3, suffix, name, sizeof(name)));
	suffix[63] = 'a';
	suffix[64] = '\0';
	cr_expect_eq(xtr_decent_name(3, suffix, name, sizeof(name)), -ENAMETOOLONG);
	suffix[64] = 'a';
	for (unsigned i = 50; i < sizeof(suffix); i += 51)
		suffix[i] = '.';
	suffix[251] = '\0';
	cr_expect(!xtr_decent_name(3, suffix, name, sizeof(name)) && strlen(name) == 253);
	cr_expect_eq(xtr_decent_name(33, suffix, name, sizeof(name)), -ENAMETOOLONG);
}

/* ---- Hash Mask of the draft */

Test(decent, D_48_mask_takes_the_first_octets_of_the_string)
{
	struct xtr_decent_hash h = hash_of(XTR_DECENT_DRAFT10, 8);

	h.hash_mask = 10;
	cr_expect_str_eq(string_of(&h, "10.1.2.3"), "[0]10.1.2.");
	cr_expect_str_eq(step.full, "[0]10.1.2.3/32");
	cr_expect_str_eq(string_of(&h, "2001:db8::1"), "[0]2001:db");
	/* The others have none. */
	h.profile = XTR_DECENT_RFC9962;
	cr_expect_str_eq(string_of(&h, "10.1.2.3"), "[0]10.1.2.3/32");
	cr_expect_not_null(xtr_decent_check(&h));
}

Test(decent, D_49_more_specific_lookup_and_less_specific_registration_meet)
{
	struct xtr_decent_hash h = hash_of(XTR_DECENT_DRAFT10, 1000);

	h.hash_mask = 8;
	cr_expect_str_eq(string_of(&h, "240.0.1.0/24"), "[0]240.0");
	cr_expect_str_eq(string_of(&h, "240.0.1.1"), "[0]240.0");
	cr_expect_eq(index_of(&h, "240.0.1.0/24"), index_of(&h, "240.0.1.1"));
	h.hash_mask = 0;
	cr_expect_neq(index_of(&h, "240.0.1.0/24"), index_of(&h, "240.0.1.1"));
}

Test(decent, D_50_mask_of_a_group_ends_after_the_group)
{
	static const uint16_t masks[] = { 3, 8, 12, 14, 17, 30, 100 };
	struct xtr_decent_hash h = hash_of(XTR_DECENT_DRAFT10, 1000);

	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		h.hash_mask = masks[i];
		cr_expect_str_eq(string_of(&h, "(2.2.2.2,224.1.1.1)"), "[0]224.1.1.1", "mask %u", masks[i]);
		cr_expect_str_eq(string_of(&h, "[1000](*,224.111.111.111)"), "[1000]224.111.111.111");
		cr_expect_str_eq(string_of(&h, "(2001:db8::1,ff05::1:3)"), "[0]ff05::1:3");
		cr_expect_eq(index_of(&h, "(2.2.2.2,224.1.1.1)"), index_of(&h, "(*,224.1.1.1)"));
	}
	/* Without a mask the draft keeps them apart. */
	h.hash_mask = 0;
	cr_expect_neq(index_of(&h, "(2.2.2.2,224.1.1.1)"), index_of(&h, "(*,224.1.1.1)"));
}

Test(decent, X5_mask_must_not_end_inside_the_instance)
{
	struct xtr_decent_hash h = hash_of(XTR_DECENT_DRAFT10, 8);
	struct xtr_eid_prefix in10 = eid_of("[10]240.0.1.0/24"), in0 = eid_of("24.0.1.0/24"), far = eid_of("[1000000]10.0.0.1");

	h.hash_mask = 8; /* octets of the text, which has no fixed width */
	cr_expect_str_eq(string_of(&h, "[10]240.0.1.0/24"), "[10]240.");
	cr_expect_str_eq(string_of(&h, "24.0.1.0/24"), "[0]24.0.");
	cr_expect(!xtr_decent_check(&h) && !xtr_decent_check_iid(&h, 0) && !xtr_decent_check_iid(&h, 999999));
	/* "[1000000" would put all instances that begin like this, and every EID of them, together. */
	cr_expect_not_null(xtr_decent_check_iid(&h, 1000000));
	cr_expect_eq(xtr_decent_step(&h, &far, &step), -EINVAL);
	cr_expect_eq(xtr_decent_index(&h, &far), -EINVAL);
	/* Too short for any instance. */
	for (h.hash_mask = 1; h.hash_mask < 3; h.hash_mask++) {
		cr_expect_not_null(xtr_decent_check(&h));
		cr_expect_eq(xtr_decent_step(&h, &in0, &step), -EINVAL);
	}
	h.hash_mask = 3;
	cr_expect(!xtr_decent_check(&h) && xtr_decent_check_iid(&h, 10));
	cr_expect_eq(xtr_decent_step(&h, &in0, &step), 0);
	cr_expect_eq(xtr_decent_step(&h, &in10, &step), -EINVAL);
}

Test(decent, X6_mask_longer_than_the_string)
{
	struct xtr_decent_hash h = hash_of(XTR_DECENT_DRAFT10, 8);

	h.hash_mask = 15;
	cr_expect_str_eq(string_of(&h, "10.0.0.0/8"), "[0]10.0.0.0/8");
	h.hash_mask = 65535;
	cr_expect_str_eq(string_of(&h, "240.0.1.0/24"), "[0]240.0.1.0/24");
	cr_expect_null(xtr_decent_check(&h));
}

Test(decent, X8_mask_for_one_group_and_a_longer_one)
{
	struct xtr_decent_hash h = hash_of(XTR_DECENT_DRAFT10, 8);

	/* 12 octets are right for the first; they would not cover the second, so the mask is not counted (D-50). */
	h.hash_mask = 12;
	cr_expect_str_eq(string_of(&h, "(*,224.1.1.1)"), "[0]224.1.1.1");
	cr_expect_str_eq(string_of(&h, "(*,224.1.1.10)"), "[0]224.1.1.10");
}

/* A prefix that passes has the index of every EID inside it, tried at random. */
static void every_inside_meets(const struct xtr_decent_hash *h, const struct xtr_eid_prefix *p, unsigned width)
{
	struct xtr_decent_step inside;

	cr_assert_eq(xtr_decent_step(h, p, &step), 0);
	for (unsigned i = 0; i < 60; i++) {
		struct xtr_eid_prefix e = *p;
		char text[XTR_EID_STRLEN];

		e.len = (uint8_t)(i % 3 ? width : p->len + (unsigned)rand() % (width - p->len + 1));
		for (unsigned b = p->len; b < e.len; b++) {
			/* Runs of zeros make IPv6 text differ; all of one kind now and then. */
			bool set = i % 4 == 0 ? rand() % 8 == 0 : i % 4 == 1 ? rand() % 16 != 0 : rand() % 2;

			if (set && (i % 5 || b / 16 % 2))
				e.a[b / 8] |= (uint8_t)(0x80 >> b % 8);
		}
		cr_assert_eq(xtr_decent_step(h, &e, &inside), 0);
		cr_assert_str_eq(inside.string, step.string, "%s, mask %u", xtr_eid_str(&e, text), h->hash_mask);
	}
}

Test(decent, X9_prefix_shorter_than_the_mask)
{
	static const struct { const char *eid; uint16_t longest; /* mask that it stands */ } rows[] = {
		{ "0.0.0.0/0", 3 }, { "240.0.0.0/4", 4 /* all begin with 2 */ }, { "10.0.0.0/8", 6 }, { "[10]240.0.0.0/8", 8 },
		{ "240.0.0.0/16", 9 }, { "240.0.1.0/24", 11 }, { "10.16.0.0/12", 6 }, { "10.160.0.0/12", 7 /* 160 to 175 */ },
		{ "10.0.0.4/30", 10 }, { "::/0", 3 }, { "2001:db8::/32", 12 }, { "2001:db8:1::/48", 14 },
		{ "2001:db8:1000::/36", 13 }, { "2001:db8:0:1::/64", 16 }, { "2001:db8::/64", 12 }, { "2001:db8:0:0:1::/80", 12 },
		{ "1:0:0:1::/64", 5 }, { "1:0:0:0:1::/80", 8 }, { "1:0:0:0:1:1::/96", 10 }, { "0000-0002-0000/24", 10 },
	};
	struct xtr_decent_hash h = hash_of(XTR_DECENT_DRAFT10, 1000);

	srand(9);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct xtr_eid_prefix e = eid_of(rows[i].eid);
		unsigned width = xtr_eid_bits(&e);

		for (h.hash_mask = 3; h.hash_mask < 40; h.hash_mask++) {
			if (xtr_decent_check_iid(&h, e.iid))
				continue;
			if (!xtr_decent_too_short(&h, &e))
				every_inside_meets(&h, &e, width);
			cr_expect_eq(xtr_decent_too_short(&h, &e), h.hash_mask > rows[i].longest, "%s, mask %u",
				     rows[i].eid, h.hash_mask);
		}
	}
	h.hash_mask = 8;
	cr_expect(!short_for(&h, "240.0.1.1") && !short_for(&h, "'x'") && !short_for(&h, "(*,224.1.1.1)"));
	cr_expect(short_for(&h, "(*,224.1.0.0/16)"), "a range of groups: its groups are looked up one by one");
}

Test(decent, X10_lookup_of_a_host_is_hashed_as_host_prefix)
{
	struct xtr_decent_hash h = hash_of(XTR_DECENT_DRAFT10, 8);

	cr_expect_str_eq(string_of(&h, "240.0.1.1"), "[0]240.0.1.1/32");
	cr_expect_str_eq(string_of(&h, "fd::1"), "[0]fd::1/128");
	h.hash_mask = 9;
	cr_expect_str_eq(string_of(&h, "240.0.1.1"), "[0]240.0.");
}

/* ---- RFC 9962 */

Test(decent, R_2_masked_to_the_lookup_length_before_the_string_is_made)
{
	struct xtr_decent_lookup l[] = { lookup("240.11.0.0/16", 24), lookup("240.12.0.0/16", 30), lookup("240.13.0.0/16", 25) };

	for (unsigned p = 0; p < XTR_DECENT_PROFILE_MAX; p++) {
		struct xtr_decent_hash h = hash_of(p, 1000);

		h.lookups = l;
		h.lookup_count = 3;
		cr_expect_str_eq(string_of(&h, "240.11.1.1"), "[0]240.11.1.0/24");
		cr_expect_eq(step.lookup, &l[0]);
		cr_expect_str_eq(string_of(&h, "240.12.2.6"), "[0]240.12.2.4/30");
		cr_expect_str_eq(string_of(&h, "[9]240.13.3.127"), "[9]240.13.3.0/25");
		cr_expect_str_eq(string_of(&h, "240.14.1.1"), "[0]240.14.1.1/32");
		cr_expect_null(step.lookup);
		/* whoever registers masks alike, so they meet. */
		cr_expect_eq(index_of(&h, "240.11.1.0/24"), index_of(&h, "240.11.1.77"));
		cr_expect_eq(index_of(&h, "240.11.1.128/25"), index_of(&h, "240.11.1.77"));
		cr_expect_str_eq(string_of(&h, "240.11.0.0/20"), "[0]240.11.0.0/20", "shorter ones stay");
	}
}

Test(decent, R_2_the_longest_prefix_counts)
{
	struct xtr_decent_lookup l[] = { lookup("0.0.0.0/0", 8), lookup("10.1.0.0/16", 28), lookup("10.0.0.0/8", 16), lookup("10.1.0.0/16", 20),
					 lookup("::/0", 48) };
	struct xtr_decent_hash h = hash_of(XTR_DECENT_RFC9962, 8);

	l[3].iid = 7; /* for that instance only, and then before the one for all */
	h.lookups = l;
	h.lookup_count = 5;
	cr_expect_null(xtr_decent_check(&h));
	cr_expect_str_eq(string_of(&h, "10.1.2.255"), "[0]10.1.2.240/28");
	cr_expect_str_eq(string_of(&h, "10.2.2.255"), "[0]10.2.0.0/16");
	cr_expect_str_eq(string_of(&h, "11.2.2.255"), "[0]11.0.0.0/8");
	cr_expect_str_eq(string_of(&h, "[7]10.1.47.255"), "[7]10.1.32.0/20");
	cr_expect_str_eq(string_of(&h, "[8]10.1.47.255"), "[8]10.1.47.240/28");
	cr_expect_str_eq(string_of(&h, "2001:db8:1:2::3"), "[0]2001:db8:1::/48");
	cr_expect_str_eq(string_of(&h, "0a00-0000-0001"), "[0]0a00-0000-0001/48", "for IP only");
	cr_expect_str_eq(string_of(&h, "'x'"), "[0]'x'/16");
}

Test(decent, R_2_groups_are_masked_by_the_group_address)
{
	struct xtr_decent_lookup l[] = { lookup("233.252.0.0/16", 24), lookup("10.0.0.0/8", 16), lookup("224.0.0.0/8", 32) };
	struct xtr_decent_hash h = hash_of(XTR_DECENT_RFC9962, 8);

	h.lookups = l;
	h.lookup_count = 3;
	cr_expect_str_eq(string_of(&h, "(10.1.2.3,233.252.7.9)"), "[0]233.252.7.0");
	cr_expect_str_eq(string_of(&h, "(10.1.2.3,224.1.1.1)"), "[0]224.1.1.1");
	h.profile = XTR_DECENT_DRAFT10;
	cr_expect_str_eq(string_of(&h, "(10.1.2.3,233.252.7.9)"), "[0]233.252.7.0/24-10.1.2.3/32");
	h.profile = XTR_DECENT_LISPERS;
	cr_expect_str_eq(string_of(&h, "(10.1.2.3,233.252.7.9)"), "[0]233.252.7.0/24");
}

Test(decent, R_3_lookup_lengths_are_bits)
{
	struct xtr_decent_lookup l[] = { lookup("10.0.0.0/8", 32), lookup("2001:db8::/32", 128) };
	struct xtr_decent_hash h = hash_of(XTR_DECENT_RFC9962, 8);

	h.lookups = l;
	h.lookup_count = 2;
	cr_expect_null(xtr_decent_check(&h));
	l[0].length = 33;
	cr_expect_not_null(xtr_decent_check(&h));
	l[0].length = 32;
	l[1].length = 129;
	cr_expect_not_null(xtr_decent_check(&h));
	l[1].length = 17;
	l[1].eid = pfx_of("2001:db8::/17");
	cr_expect_not_null(xtr_decent_check(&h), "host bits");
	l[1].eid = pfx_of("2001::/17");
	cr_expect_null(xtr_decent_check(&h));
	cr_expect_str_eq(string_of(&h, "2001:7fff::1"), "[0]2001::/17");
}

Test(decent, R_5_string_of_a_group_is_not_counted)
{
	struct xtr_decent_hash h = hash_of(XTR_DECENT_RFC9962, 1000);

	cr_expect_str_eq(string_of(&h, "(*,233.252.1.1)"), "[0]233.252.1.1");
	cr_expect_eq(strlen(step.string), 14, "not 12, as the text says");
	cr_expect_str_eq(string_of(&h, "(198.51.100.7,233.252.1.1)"), "[0]233.252.1.1");
	cr_expect_str_eq(string_of(&h, "[1000](2001:db8::1,ff0e::42)"), "[1000]ff0e::42");
	h.profile = XTR_DECENT_LISPERS;
	cr_expect_str_eq(string_of(&h, "(198.51.100.7,233.252.1.1)"), "[0]233.252.1.1/32");
	cr_expect_str_eq(string_of(&h, "(*,ff0e::42)"), "[0]ff0e::42/128");
}

Test(decent, R_8_prefix_shorter_than_its_lookup_length)
{
	struct xtr_decent_lookup l[] = { lookup("240.11.0.0/16", 24), lookup("240.12.0.0/16", 16), lookup("240.12.9.0/24", 28) };
	struct xtr_decent_hash h = hash_of(XTR_DECENT_RFC9962, 64);

	h.lookups = l;
	h.lookup_count = 3;
	cr_expect(short_for(&h, "240.11.0.0/23") && short_for(&h, "240.11.0.0/16") && !short_for(&h, "240.11.1.0/24") &&
		  !short_for(&h, "240.11.1.0/28") && !short_for(&h, "240.11.1.1"));
	/* Without an entry hosts are looked up as hosts, and nothing shorter is found by all of them. */
	cr_expect(short_for(&h, "240.14.1.0/24") && !short_for(&h, "240.14.1.1") && short_for(&h, "0.0.0.0/0") &&
		  short_for(&h, "2001:db8::/64") && short_for(&h, "0001-0000-0000/16") && !short_for(&h, "0001-0000-0001"));
	/* Inside it some EIDs are cut later. */
	cr_expect(short_for(&h, "240.12.0.0/16") && !short_for(&h, "240.12.0.0/21") && short_for(&h, "240.12.8.0/21") &&
		  short_for(&h, "240.12.9.0/24") && !short_for(&h, "240.12.9.16/28"));
	cr_expect(!short_for(&h, "'name'") && !short_for(&h, "(*,224.1.1.1)"));
	/* With one set there is no other place to ask. */
	h.modulus = 1;
	cr_expect(!short_for(&h, "0.0.0.0/0") && !short_for(&h, "240.11.0.0/16"));
}

Test(decent, R_10_X7_worked_example)
{
	struct xtr_decent_hash h = hash_of(XTR_DECENT_RFC9962, 4);

	/* The document's hash 0x67 is an illustration; the index that it shows is not that of the string. */
	cr_expect_str_eq(string_of(&h, "[1000]fd::2222"), "[1000]fd::2222/128");
	cr_expect_eq(step.index, 0);
}

/* ---- X11: what one set may answer for */

Test(decent, X11_negative_answers_stay_inside_one_set)
{
	struct xtr_decent_lookup l[] = { lookup("240.11.0.0/16", 24), lookup("240.12.0.0/16", 16), lookup("240.12.128.0/17", 28),
					 lookup("2001:db8::/32", 48), lookup("233.252.0.0/16", 24) };
	struct xtr_decent_hash h = hash_of(XTR_DECENT_RFC9962, 64);

	h.lookups = l;
	h.lookup_count = 5;
	cr_expect_eq(fixed_of(&h, "240.11.1.1"), 24);
	cr_expect_eq(fixed_of(&h, "2001:db8:1:2::3"), 48);
	cr_expect_eq(fixed_of(&h, "240.14.1.1"), 32, "no lookup-length: the very EID");
	cr_expect_eq(fixed_of(&h, "2001:db9::1"), 128);
	cr_expect_eq(fixed_of(&h, "240.12.1.1"), 17, "the other half is cut later");
	cr_expect_eq(fixed_of(&h, "240.12.129.1"), 28);
	cr_expect_eq(fixed_of(&h, "240.12.0.0/16"), 32, "a prefix that belongs to several sets");
	cr_expect_eq(fixed_of(&h, "0001-0002-0003"), 48);
	cr_expect_eq(fixed_of(&h, "'host'"), 32);
	/* Groups count group bits, then source bits: the source decides nothing. */
	cr_expect_eq(fixed_of(&h, "(10.0.0.1,224.1.1.1)"), 32);
	cr_expect_eq(fixed_of(&h, "(10.0.0.1,233.252.1.1)"), 24);
	cr_expect_eq(fixed_of(&h, "(2001:db8::1,ff05::1)"), 128);
	h.profile = XTR_DECENT_DRAFT10;
	cr_expect_eq(fixed_of(&h, "240.11.1.1"), 24);
	cr_expect_eq(fixed_of(&h, "(10.0.0.1,224.1.1.1)"), 64, "the source is hashed, too");
	h.hash_mask = 8;
	cr_expect_eq(fixed_of(&h, "240.11.1.1"), 32);
	cr_expect_eq(fixed_of(&h, "(10.0.0.1,224.1.1.1)"), 32);
	h.modulus = 1;
	cr_expect_eq(fixed_of(&h, "240.14.1.1"), 0, "one set has everything");
}

/* All EIDs that share these bits have this index, whatever the list. */
Test(decent, X11_bits_that_are_said_to_decide_do)
{
	struct xtr_decent_lookup l[12];
	struct xtr_decent_hash h = hash_of(XTR_DECENT_RFC9962, 65521);
	unsigned tried = 0;

	srand(11);
	h.lookups = l;
	for (unsigned round = 0; round < 300; round++) {
		h.lookup_count = 1 + (unsigned)rand() % 12;
		for (unsigned i = 0; i < h.lookup_count; i++) {
			l[i] = (struct xtr_decent_lookup){ .eid = { { 4, { 10, (uint8_t)(rand() % 4), (uint8_t)(rand() % 4) } },
							   (uint8_t)(rand() % 25) }, .iid = rand() % 3 ? XTR_DECENT_ANY_IID : 5 };
			xtr_ippfx_mask(&l[i].eid);
			l[i].length = (uint8_t)(l[i].eid.len + rand() % (33 - l[i].eid.len));
		}
		for (unsigned i = 0; i < 20; i++) {
			struct xtr_ippfx host = { { 4, { 10, (uint8_t)(rand() % 4), (uint8_t)(rand() % 4), (uint8_t)rand() } }, 32 };
			struct xtr_eid_prefix a, b;
			unsigned fixed;

			xtr_eid_from_ippfx(5, &host, &a);
			fixed = xtr_decent_fixed_bits(&h, &a);
			cr_assert_leq(fixed, 32);
			for (unsigned k = fixed; k < 32; k++)
				if (rand() % 2)
					host.ip.a[k / 8] ^= (uint8_t)(0x80 >> k % 8);
			xtr_eid_from_ippfx(5, &host, &b);
			cr_assert_eq(xtr_decent_index(&h, &a), xtr_decent_index(&h, &b), "round %u", round);
			tried += fixed < 32;
		}
	}
	cr_expect_gt(tried, 500);
}

/* ---- parameters */

Test(decent, D_5_D_53_same_parameters)
{
	struct xtr_decent_lookup l[] = { lookup("10.0.0.0/8", 16), lookup("11.0.0.0/8", 16) }, m[] = { l[1], l[0] };
	struct xtr_decent_hash a = hash_of(XTR_DECENT_RFC9962, 4), b = a;

	cr_expect(xtr_decent_same(&a, &b));
	b.modulus = 5;
	cr_expect(!xtr_decent_same(&a, &b));
	b = a;
	b.profile = XTR_DECENT_DRAFT10;
	cr_expect(!xtr_decent_same(&a, &b));
	a.profile = XTR_DECENT_DRAFT10;
	b.hash_mask = 8;
	cr_expect(!xtr_decent_same(&a, &b));
	a = b = hash_of(XTR_DECENT_LISPERS, 4);
	b.digest_octets = 6;
	cr_expect(xtr_decent_same(&a, &b), "6 is what 0 means");
	b.digest_octets = 7;
	cr_expect(!xtr_decent_same(&a, &b));
	a = b = hash_of(XTR_DECENT_RFC9962, 4);
	b.digest_octets = 7;
	cr_expect(xtr_decent_same(&a, &b), "of no meaning there");
	a.lookups = l;
	b.lookups = m;
	a.lookup_count = b.lookup_count = 2;
	cr_expect(xtr_decent_same(&a, &b), "in whatever order");
	m[0].length = 17;
	cr_expect(!xtr_decent_same(&a, &b));
	m[0] = l[1];
	m[1].iid = 3;
	cr_expect(!xtr_decent_same(&a, &b));
	b.lookup_count = 1;
	cr_expect(!xtr_decent_same(&a, &b));
}

Test(decent, profiles_do_not_meet)
{
	struct xtr_decent_hash rfc = hash_of(XTR_DECENT_RFC9962, 65536), lispers = hash_of(XTR_DECENT_LISPERS, 65536),
			       draft = hash_of(XTR_DECENT_DRAFT10, 65536);

	cr_expect_eq(index_of(&rfc, "10.0.0.1"), index_of(&draft, "10.0.0.1"));
	cr_expect_neq(index_of(&rfc, "10.0.0.1"), index_of(&lispers, "10.0.0.1"));
	cr_expect_neq(index_of(&rfc, "(*,224.1.1.1)"), index_of(&draft, "(*,224.1.1.1)"));
	for (unsigned p = 0; p < XTR_DECENT_PROFILE_MAX; p++)
		cr_expect_eq(xtr_decent_profile_parse(xtr_decent_profile_name(p)), (int)p);
	cr_expect_eq(xtr_decent_profile_parse("rfc"), -EINVAL);
	cr_expect_eq(xtr_decent_profile_parse(""), -EINVAL);
	cr_expect_str_eq(xtr_decent_profile_name(3), "unknown");
}

Test(decent, unusable_parameters_are_refused)
{
	struct xtr_decent_lookup l[] = { lookup("10.0.0.0/8", 16), lookup("10.0.0.0/8", 17) };
	struct xtr_eid_prefix e = eid_of("10.0.0.1"), none = { .iid = 1 }, geo = { .afi = XTR_AFI_LCAF };
	struct xtr_decent_hash h = hash_of(XTR_DECENT_RFC9962, 0);

	cr_expect(xtr_decent_check(&h) && xtr_decent_step(&h, &e, &step) == -EINVAL);
	h.modulus = XTR_DECENT_MODULUS_MAX + 1;
	cr_expect(xtr_decent_check(&h) && xtr_decent_step(&h, &e, &step) == -EINVAL);
	h.modulus = XTR_DECENT_MODULUS_MAX;
	cr_expect(!xtr_decent_check(&h) && !xtr_decent_step(&h, &e, &step));
	h.profile = XTR_DECENT_PROFILE_MAX;
	cr_expect(xtr_decent_check(&h) && xtr_decent_step(&h, &e, &step) == -EINVAL);
	h.profile = XTR_DECENT_LISPERS;
	h.digest_octets = 33;
	cr_expect(xtr_decent_check(&h) && xtr_decent_step(&h, &e, &step) == -EINVAL);
	h.digest_octets = 32;
	cr_expect(!xtr_decent_check(&h) && !xtr_decent_step(&h, &e, &step));
	h.lookup_count = 1;
	cr_expect(xtr_decent_check(&h) && xtr_decent_step(&h, &e, &step) == -EINVAL);
	h.lookups = l;
	cr_expect_null(xtr_decent_check(&h));
	h.lookup_count = 2;
	cr_expect_not_null(xtr_decent_check(&h), "which of the two?");
	l[1].iid = 4;
	cr_expect_null(xtr_decent_check(&h));
	l[1].length = 7;
	cr_expect_not_null(xtr_decent_check(&h), "cuts out of its own prefix");
	l[1].eid.ip.family = 0;
	cr_expect_not_null(xtr_decent_check(&h));
	h.lookup_count = 5000;
	cr_expect_not_null(xtr_decent_check(&h));
	h.lookup_count = 0;
	cr_expect_eq(xtr_decent_step(&h, &none, &step), -EPROTONOSUPPORT);
	cr_expect_eq(xtr_decent_step(&h, &geo, &step), -EPROTONOSUPPORT);
	cr_expect_eq(xtr_decent_index(&h, &geo), -EPROTONOSUPPORT);
}
