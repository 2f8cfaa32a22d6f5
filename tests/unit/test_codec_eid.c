// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* EID-prefixes: from addresses and back, masks, names, groups, order of cover, text. */
#include "unit/codec_help.h"

#include <criterion/criterion.h>

static int from(const char *hex, uint8_t mask_len, struct xtr_eid_prefix *e, bool *host_bits)
{
	struct octets o = hex_octets(hex);
	struct xtr_rd r = xtr_rd_init(o.p, o.len);
	struct xtr_addr a;
	int rc;

	xtr_addr_decode(&r, &a);
	cr_assert(!r.err && !xtr_rd_left(&r), "%s", hex);
	ex_addr(&a);
	rc = xtr_eid_from_addr(&a, mask_len, e, host_bits);
	free(o.p);
	return rc;
}

/* What the EID reads as; its encoding must be hex with the mask-len that comes back. */
static void both_ways(const char *hex, uint8_t mask_len, const char *text, const char *hex_out, uint8_t mask_out)
{
	struct xtr_eid_prefix e;
	char buf[XTR_EID_STRLEN];
	uint8_t out[256];
	struct xtr_wr w = xtr_wr_init(out, sizeof(out));

	cr_assert_eq(from(hex, mask_len, &e, NULL), 0, "%s", hex);
	cr_expect_str_eq(xtr_eid_str(&e, buf), text);
	cr_expect_eq(xtr_eid_put(&w, &e), mask_out, "%s", text);
	cr_expect_eq(xtr_eid_mask_len(&e), mask_out);
	cr_expect(wrote(&w, hex_out), "%s", text);
}

Test(eid, kinds_both_ways)
{
	both_ways("0001 0a010200", 24, "[0]10.1.2.0/24", "0001 0a010200", 24);
	both_ways("0002 20010db8000000000000000000000000", 32, "[0]2001:db8::/32",
		  "0002 20010db8000000000000000000000000", 32);
	both_ways("4003 0000 02 20 000a 00000064 0001 0a000000", 8, "[100]10.0.0.0/8",
		  "4003 0000 02 00 000a 00000064 0001 0a000000", 8);
	both_ways("4003 0000 02 20 000a ffffffff 0001 0a000000", 8, "[4294967295]10.0.0.0/8",
		  "4003 0000 02 00 000a ffffffff 0001 0a000000", 8);
	both_ways("0006 0a0b0c0d0e0f", 48, "[0]0a0b-0c0d-0e0f/48", "4005 0a0b0c0d0e0f", 48);
	both_ways("4003 0000 02 00 000c 00000007 4005 0a0b0c0d0e0f", 48, "[7]0a0b-0c0d-0e0f/48",
		  "4003 0000 02 00 000c 00000007 4005 0a0b0c0d0e0f", 48);
	both_ways("0011 686f737400", 40, "[0]'host'", "0011 686f737400", 40);
	both_ways("4003 0000 02 00 000b 00000007 0011 686f737400", 40, "[7]'host'",
		  "4003 0000 02 00 000b 00000007 0011 686f737400", 40);
	both_ways("4003 0000 09 00 0014 00000005 0000 20 20 0001 c0000201 0001 e9fc0001", 32,
		  "[5](192.0.2.1/32,233.252.0.1/32)",
		  "4003 0000 09 00 0014 00000005 0000 20 20 0001 c0000201 0001 e9fc0001", 32);
	both_ways("4003 0000 09 07 0014 00000000 0000 00 20 0001 00000000 0001 e9fc0001", 99,
		  "[0](0.0.0.0/0,233.252.0.1/32)",
		  "4003 0000 09 00 0014 00000000 0000 00 20 0001 00000000 0001 e9fc0001", 0);
}

Test(eid, host_bits_are_masked_and_told)
{
	struct xtr_eid_prefix e, want = eid_of("[0]10.1.0.0/16");
	bool bits = false;

	cr_expect_eq(from("0001 0a010203", 16, &e, &bits), 0);
	cr_expect(bits && xtr_eid_equal(&e, &want));
	cr_expect_eq(from("0001 0a010000", 16, &e, &bits), 0);
	cr_expect(!bits && xtr_eid_equal(&e, &want) && !memcmp(&e, &want, sizeof(e)), "equal octet by octet: a hash key");
	cr_expect_eq(from("4003 0000 09 00 0014 00000000 0000 18 18 0001 c0000201 0001 e9fc0001", 0, &e, &bits), 0);
	cr_expect(bits && e.a[3] == 0 && e.g[3] == 0);
}

Test(eid, mask_wider_than_the_address)
{
	struct xtr_eid_prefix e;

	cr_expect_eq(from("0001 0a010203", 33, &e, NULL), -EBADMSG);
	cr_expect_eq(from("0002 20010db8000000000000000000000000", 129, &e, NULL), -EBADMSG);
	cr_expect_eq(from("4005 0a0b0c0d0e0f", 49, &e, NULL), -EBADMSG);
	cr_expect_eq(from("0011 686f737400", 48, &e, NULL), -EBADMSG);
	cr_expect_eq(from("4003 0000 02 20 000a 00000064 0001 0a000000", 33, &e, NULL), -EBADMSG);
}

Test(eid, what_cannot_be_an_EID)
{
	static const char *const bad[] = {
		"0000", "4006 0001020304050607", "4003 0000 01 00 0006 0001 0a000000", "4003 0000 aa 00 0000",
		"4003 0000 02 18 0006 00000100 0000", /* a range of instances */
		"4003 0000 02 00 0016 00000001 4003 0000 02 00 000a 00000002 0001 0a000000",
		"4003 0000 0c 00 0010 0000 18 20 0001 0a000000 0001 0a000000",
		/* (S,G): families that differ, a group of no bits */
		"4003 0000 09 00 0020 00000000 0000 20 20 0001 c0000201 0002 ff0e0000000000000000000000000001",
		"4003 0000 09 00 0014 00000000 0000 20 00 0001 c0000201 0001 e9fc0001",
		/* a name of 32 octets: the 8-bit mask-len cannot count it */
		"0011 6161616161616161616161616161616161616161616161616161616161616161 00",
	};
	struct xtr_eid_prefix e;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(from(bad[i], 0, &e, NULL), -EPROTONOSUPPORT, "%s", bad[i]);
}

Test(eid, RFC9735_names)
{
	struct xtr_eid_prefix ietf, lisp, e, iet;
	char buf[XTR_EID_STRLEN];
	bool bits;

	/* The mask-len counts the NUL; the match is on the characters. */
	cr_assert_eq(from("0011 6965746600", 40, &ietf, NULL), 0);
	cr_assert_eq(from("0011 696574662e6c69737000", 80, &lisp, NULL), 0);
	cr_expect(ietf.len == 32 && lisp.len == 72);
	cr_expect(xtr_eid_covers(&ietf, &lisp) && !xtr_eid_covers(&lisp, &ietf));
	/* 0 is "the whole name"; so is the count without the NUL; less cuts. */
	cr_expect(!from("0011 6965746600", 0, &e, &bits) && xtr_eid_equal(&e, &ietf) && !bits);
	cr_expect(!from("0011 6965746600", 32, &e, &bits) && xtr_eid_equal(&e, &ietf) && !bits);
	cr_expect(!from("0011 6965746600", 24, &iet, &bits) && bits && iet.len == 24 && xtr_eid_covers(&iet, &ietf));
	cr_expect_eq(from("0011 6965746600", 33, &e, NULL), -EBADMSG, "half a character");
	cr_expect(!from("0011 00", 8, &e, NULL) && e.len == 0 && xtr_eid_mask_len(&e) == 8, "the empty name");
	cr_expect_str_eq(xtr_eid_str(&e, buf), "[0]''");
	/* 30 characters are the most that 8 bits count; with 31 the mask-len is 0. */
	cr_expect(!from("0011 616161616161616161616161616161616161616161616161616161616161 00", 248, &e, NULL));
	cr_expect_eq(xtr_eid_mask_len(&e), 248);
	cr_expect(!from("0011 61616161616161616161616161616161616161616161616161616161616161 00", 0, &e, NULL));
	cr_expect_eq(xtr_eid_mask_len(&e), 0);
	cr_expect_eq(e.len, 248);
	/* The longest text fits. */
	cr_expect(!from("0011 01010101010101010101010101010101010101010101010101010101010101 00", 0, &e, NULL));
	e.iid = 4294967295u;
	cr_expect_eq(strlen(xtr_eid_str(&e, buf)), 12 + 2 + 31 * 4);
}

Test(eid, cover)
{
	struct xtr_eid_prefix p8 = eid_of("10.0.0.0/8"), p16 = eid_of("10.1.0.0/16"), other = eid_of("[1]10.1.0.0/16");
	struct xtr_eid_prefix all = eid_of("0.0.0.0/0"), all6 = eid_of("::/0"), g, sg, p17 = eid_of("10.1.128.0/17");

	cr_expect(xtr_eid_covers(&p8, &p16) && xtr_eid_covers(&p16, &p16) && !xtr_eid_covers(&p16, &p8));
	cr_expect(xtr_eid_covers(&p16, &p17) && xtr_eid_covers(&all, &p8));
	cr_expect(!xtr_eid_covers(&p8, &other) && !xtr_eid_covers(&all6, &p8) && !xtr_eid_equal(&p16, &other));
	/* A group and a unicast prefix never cover each other; (*,G) covers (S,G). */
	cr_assert(!from("4003 0000 09 00 0014 00000000 0000 00 20 0001 00000000 0001 e9fc0001", 0, &g, NULL));
	cr_assert(!from("4003 0000 09 00 0014 00000000 0000 20 20 0001 0a010101 0001 e9fc0001", 0, &sg, NULL));
	cr_expect(xtr_eid_covers(&g, &sg) && !xtr_eid_covers(&sg, &g) && !xtr_eid_covers(&all, &sg) &&
		  !xtr_eid_covers(&g, &all));
}

Test(eid, text_in)
{
	static const char *const bad[] = { "", "[", "[]10.0.0.0/8", "[5", "[5]", "[-1]10.0.0.0/8", "[4294967296]10.0.0.0/8",
					   "[ 5]10.0.0.0/8", "[5] 10.0.0.0/8", "5]10.0.0.0/8", "[5]host", "[5]10.0.0.0/33",
					   "[99999999999999999999]10.0.0.0/8", "[5]10.0.0.0/8 " };
	struct xtr_eid_prefix e;
	char buf[XTR_EID_STRLEN];

	e = eid_of("10.1.2.3/16");
	cr_expect_str_eq(xtr_eid_str(&e, buf), "[0]10.1.0.0/16");
	e = eid_of("[5]2001:db8::1");
	cr_expect_str_eq(xtr_eid_str(&e, buf), "[5]2001:db8::1/128");
	e = eid_of("[4294967295]0.0.0.0/0");
	cr_expect_eq(e.iid, 4294967295u);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(xtr_eid_parse(bad[i], &e), -EINVAL, "'%s'", bad[i]);
}

Test(eid, IP_prefixes_as_values)
{
	struct xtr_ippfx p = pfx_of("10.1.2.3/16"), q;
	struct xtr_eid_prefix e, g;

	xtr_eid_from_ippfx(9, &p, &e);
	cr_expect(e.iid == 9 && e.afi == XTR_AFI_IP4 && e.len == 16 && e.a[2] == 0 && xtr_eid_bits(&e) == 32);
	cr_expect(xtr_eid_to_ippfx(&e, &q) && q.len == 16 && q.ip.family == 4 && q.ip.a[1] == 1);
	p = pfx_of("2001:db8::/32");
	xtr_eid_from_ippfx(0, &p, &e);
	cr_expect(xtr_eid_bits(&e) == 128 && xtr_eid_to_ippfx(&e, &q) && q.ip.family == 6 && !xtr_ip_cmp(&p.ip, &q.ip));
	cr_assert(!from("4003 0000 09 00 0014 00000000 0000 00 20 0001 00000000 0001 e9fc0001", 0, &g, NULL));
	cr_expect(!xtr_eid_to_ippfx(&g, &q), "a group is no unicast prefix");
	cr_assert(!from("4005 0a0b0c0d0e0f", 48, &g, NULL));
	cr_expect(!xtr_eid_to_ippfx(&g, &q) && xtr_eid_bits(&g) == 48);
}

Test(eid, text_in_of_every_family)
{
	static const struct { const char *in, *out; } good[] = {
		{ "0a0b-0c0d-0e0f", "[0]0a0b-0c0d-0e0f/48" }, { "[7]0A:0b:0C:0d:0E:0f/24", "[7]0a0b-0c00-0000/24" },
		{ "0a-0b-0c-0d-0e-0f", "[0]0a0b-0c0d-0e0f/48" }, { "0001-0002-0003/0", "[0]0000-0000-0000/0" },
		{ "'host'", "[0]'host'" }, { "[1000]''", "[1000]''" }, { "'a\\x27\\x5c\\x01'", "[0]'a\\x27\\x5c\\x01'" },
		{ "'gr\\xC3\\xbcn'", "[0]'gr\\xc3\\xbcn'" }, { "'a/b (c),d]'", "[0]'a/b (c),d]'" },
		{ "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'", "[0]'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'" },
		{ "(192.0.2.1,233.252.0.1)", "[0](192.0.2.1/32,233.252.0.1/32)" },
		{ "[5](0.0.0.0/0,233.252.0.0/24)", "[5](0.0.0.0/0,233.252.0.0/24)" },
		{ "(*,233.252.0.9/24)", "[0](0.0.0.0/0,233.252.0.0/24)" }, { "(*,ff05::1)", "[0](::/0,ff05::1/128)" },
		{ "(10.1.2.3/8,224.0.0.1)", "[0](10.0.0.0/8,224.0.0.1/32)" },
		{ "(2001:db8::1/128,ff05:0:0:0:0:0:0:1)", "[0](2001:db8::1/128,ff05::1/128)" },
	};
	static const char *const bad[] = {
		"0a0b-0c0d", "0a0b-0c0d-0e0f-", "0a0b-0c0d-0e0f-1011", "0a0b-0c0d-0e0", "a:b:c:d:e:f", "0a0b:0c0d:0e0f", "0a:0b-0c:0d:0e:0f",
		"0a:0b:0c:0d:0e:0g", "0a0b-0c0d-0e0f/49", "0a0b-0c0d-0e0f/", "0a0b-0c0d-0e0f/ 8", "0a0b-0c0d-0e0f/008x", "0a0b0c0d0e0f",
		"'", "'host", "host'", "'host'x", "'host'/40", "'a'b'", "'\\'", "'\\x'", "'\\x2'", "'\\x2", "'\\y27'", "'\\x00'", "'\\xg0'",
		"'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'",
		"(", "()", "(,)", "(*,)", "(,224.0.0.1)", "(*,224.0.0.1", "(*,224.0.0.1)x", "(*,224.0.0.1),", "*,224.0.0.1", "(*,*)", "(10.0.0.1,*)",
		"(*,224.0.0.1/0)", "(10.0.0.1,ff05::1)", "(::/0,224.0.0.1)", "(**,224.0.0.1)", "(10.0.0.1 ,224.0.0.1)", "(224.0.0.1)",
		"(*,0a0b-0c0d-0e0f)", "([5]10.0.0.1,224.0.0.1)",
		"(10.0.0.1,224.0.0.1000000000000000000000000000000000000000000000000000000000)",
		"(10.0.0.1000000000000000000000000000000000000000000000000000000000,224.0.0.1)",
	};
	struct xtr_eid_prefix e, again, before;
	char buf[XTR_EID_STRLEN];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		cr_assert_eq(xtr_eid_parse(good[i].in, &e), 0, "%s", good[i].in);
		cr_expect_str_eq(xtr_eid_str(&e, buf), good[i].out);
		cr_assert_eq(xtr_eid_parse(buf, &again), 0, "%s", buf);
		cr_expect(!memcmp(&e, &again, sizeof(e)), "%s: equal octet by octet", buf);
	}
	memset(&before, 0xee, sizeof(before));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		e = before;
		cr_expect_eq(xtr_eid_parse(bad[i], &e), -EINVAL, "%s", bad[i]);
		cr_expect(!memcmp(&e, &before, sizeof(e)), "%s: left alone", bad[i]);
	}
}
