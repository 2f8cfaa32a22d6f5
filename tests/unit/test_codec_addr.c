// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Addresses and LCAFs: encodings both ways, what is ignored, what drops the message, limits, text. */
#include "unit/codec_help.h"

#include <criterion/criterion.h>

static struct octets held;

/* Decodes one address that must fill the octets. */
static int decode(const char *hex, struct xtr_addr *a)
{
	struct xtr_rd r;

	free(held.p);
	held = hex_octets(hex);
	r = xtr_rd_init(held.p, held.len);
	xtr_addr_decode(&r, a);
	return r.err ? r.err : xtr_rd_left(&r) ? -EBADMSG : 0;
}

static struct xtr_addr good(const char *hex)
{
	struct xtr_addr a;

	cr_assert_eq(decode(hex, &a), 0, "%s", hex);
	ex_addr(&a);
	for (size_t n = 0; n < held.len; n++) {
		struct octets part = cut(&held, n);

		cr_expect_lt(ex_addr_octets(part.p, n, false), 0, "%s cut to %zu", hex, n);
		free(part.p);
	}
	return a;
}

static const char *text(const char *hex)
{
	static char buf[512];
	struct xtr_addr a = good(hex);

	return xtr_addr_str(&a, buf, sizeof(buf));
}

static void drop_held(void)
{
	free(held.p);
	held.p = NULL;
}

TestSuite(addr, .fini = drop_held);

/* ---- the encodings everybody agrees on: octets to fields and text, and our writers to the same octets */

#define V4     "0001 c0000201"
#define GPE    "4003 00 00 10 00 000a 00000081" V4
#define V6     "0002 20010db8000000000000000000000001"
#define IID    "4003 00 00 02 20 000a 00000064 0001 c0000200"
#define IID0   "4003 00 00 02 00 000a 00000064 0001 c0000200"
#define SG     "4003 00 00 09 00 0014 00000000 0000 20 20 0001 c0000201 0001 e9fc0001"
#define STAR_G "4003 00 00 09 00 0014 00000000 0000 00 20 0001 00000000 0001 e9fc0001"
#define RLE    "4003 00 00 0d 00 000a 0000 00 80 0001 c6336401"
#define ELP    "4003 00 00 0a 00 0010 0002 0001 c6336401 0001 0001 c6336402"
#define NAME   "0011 686f737400"
#define NAT    "4003 00 00 07 00 0010 0000 0000 0000 0000 0000 0001 c6336409"
#define JSON   "4003 00 00 0e 00 000b 0007 7b2261223a317d 0000"

Test(addr, plain_addresses_in)
{
	struct xtr_addr a = good(V4);
	struct xtr_ip ip, want = ip_of("192.0.2.1");
	size_t len;

	cr_expect(a.afi == XTR_AFI_IP4 && xtr_addr_ip(&a, &ip) && !xtr_ip_cmp(&ip, &want));
	a = good(V6);
	want = ip_of("2001:db8::1");
	cr_expect(a.afi == XTR_AFI_IP6 && xtr_addr_ip(&a, &ip) && !xtr_ip_cmp(&ip, &want));
	a = good("0000");
	cr_expect(a.afi == XTR_AFI_NONE && !xtr_addr_ip(&a, &ip) && !xtr_addr_rloc_ip(&a, &ip));
	a = good("4005 000102030405");
	cr_expect(xtr_addr_mac(&a, &len) && len == 6 && xtr_addr_mac(&a, &len)[5] == 5);
	a = good("0006 000102030405");
	cr_expect(a.afi == XTR_AFI_MAC_OLD && xtr_addr_mac(&a, &len) && len == 6);
	a = good("4006 0001020304050607");
	cr_expect(xtr_addr_mac(&a, &len) && len == 8);
	a = good(NAME);
	cr_expect(xtr_addr_name(&a, &len) && len == 4 && !memcmp(xtr_addr_name(&a, &len), "host", 4));
}

Test(addr, lcaf_encodings_in)
{
	struct xtr_lcaf_mcast mc;
	struct xtr_lcaf_json json;
	struct xtr_lcaf_iid iid;
	struct xtr_lcaf_nat nat;
	struct xtr_rd it = { 0 };
	struct xtr_rle_entry rle;
	struct xtr_elp_hop hop;
	struct xtr_addr a, rtr;
	struct xtr_ip ip;

	a = good(IID);
	cr_expect(xtr_lcaf_get_iid(&a, &iid) && iid.iid == 100 && iid.iid_mask == 32 && iid.addr.afi == XTR_AFI_IP4);
	a = good(SG);
	cr_expect(xtr_lcaf_get_mcast(&a, &mc) && mc.iid == 0 && mc.source_len == 32 && mc.group_len == 32);
	cr_expect(xtr_addr_ip(&mc.source, &ip) && ip.a[0] == 192 && xtr_addr_ip(&mc.group, &ip) && ip.a[0] == 233,
		  "source before group (RFC 8060 4.5)");
	a = good(RLE);
	cr_expect(xtr_lcaf_rle_next(&a, &it, &rle) && rle.level == 128 && xtr_addr_ip(&rle.addr, &ip) && ip.a[3] == 1);
	cr_expect(!xtr_lcaf_rle_next(&a, &it, &rle));
	a = good(ELP);
	it = (struct xtr_rd){ 0 };
	cr_expect(xtr_lcaf_elp_next(&a, &it, &hop) && !hop.lookup && hop.probe && !hop.strict);
	cr_expect(xtr_lcaf_elp_next(&a, &it, &hop) && !hop.lookup && !hop.probe && hop.strict);
	cr_expect(xtr_addr_ip(&hop.addr, &ip) && ip.a[3] == 2 && !xtr_lcaf_elp_next(&a, &it, &hop));
	a = good(NAT);
	cr_expect(xtr_lcaf_get_nat(&a, &nat) && nat.ms_port == 0 && nat.private_etr.afi == XTR_AFI_NONE);
	xtr_addr_decode(&nat.rtrs, &rtr);
	cr_expect(xtr_addr_ip(&rtr, &ip) && ip.a[3] == 9 && !xtr_rd_left(&nat.rtrs));
	a = good(JSON);
	cr_expect(xtr_lcaf_get_json(&a, &json) && !json.binary && json.json_len == 7 && json.has_addr &&
		  !memcmp(json.json, "{\"a\":1}", 7));
}

/* RFC 8060 5.6, with the bit of draft-ietf-lisp-gpe-06: formats of one plain IP address; anything else says nothing. */
Test(addr, RFC8060_5_6_encapsulation_formats_of_an_address)
{
	struct xtr_addr a = good(GPE);
	uint32_t formats = 0;
	struct xtr_ip ip;

	cr_expect(xtr_addr_encap_ip(&a, &formats, &ip) && formats == (XTR_ENCAP_LISP | XTR_ENCAP_LISP_GPE) && ip.a[3] == 1);
	a = good("4003 00 00 10 00 000a ffffff80" V4); /* bits that mean nothing are not passed on */
	cr_expect(xtr_addr_encap_ip(&a, &formats, &ip) && formats == XTR_ENCAP_LISP_GPE);
	a = good("4003 00 00 10 00 0006 00000081 0000");
	cr_expect(!xtr_addr_encap_ip(&a, &formats, &ip), "of no address");
	a = good("4003 00 00 10 00 0016 00000081" IID);
	cr_expect(!xtr_addr_encap_ip(&a, &formats, &ip), "of another instance's");
	a = good(V4);
	cr_expect(!xtr_addr_encap_ip(&a, &formats, &ip));
}

Test(addr, text_for_people)
{
	cr_expect_str_eq(text(V4), "192.0.2.1");
	cr_expect_str_eq(text(V6), "2001:db8::1");
	cr_expect_str_eq(text("0000"), "none");
	cr_expect_str_eq(text("4005 000102030405"), "0001-0203-0405");
	cr_expect_str_eq(text("4006 0001020304050607"), "0001-0203-0405-0607");
	cr_expect_str_eq(text(NAME), "'host'");
	cr_expect_str_eq(text("0011 6127 0a 5c ff 00"), "'a\\x27\\x0a\\x5c\\xff'");
	cr_expect_str_eq(text(IID), "[100]192.0.2.0");
	cr_expect_str_eq(text(SG), "(192.0.2.1,233.252.0.1)");
	cr_expect_str_eq(text(STAR_G), "(*,233.252.0.1)");
	cr_expect_str_eq(text("4003 00 00 09 00 0014 00000007 0000 18 08 0001 c0000200 0001 e0000000"),
			 "[7](192.0.2.0/24,224.0.0.0/8)");
	cr_expect_str_eq(text(RLE), "lcaf-13(198.51.100.1@128)");
	cr_expect_str_eq(text(ELP), "lcaf-10(198.51.100.1/P,198.51.100.2/S)");
	cr_expect_str_eq(text(NAT), "lcaf-7(ms-port 0,etr-port 0,global none,ms none,private none,rtr 198.51.100.9)");
	cr_expect_str_eq(text(JSON), "lcaf-14({\"a\":1})");
	cr_expect_str_eq(text("4003 00 00 01 00 0018" V4 V6), "lcaf-1(192.0.2.1,2001:db8::1)");
	cr_expect_str_eq(text("4003 00 00 c8 00 0003 010203"), "lcaf-200(3 octets)");
	cr_expect_str_eq(text("4003 00 00 03 00 000a 0000fde8" V4), "lcaf-3(as 65000,192.0.2.1)");
	cr_expect_str_eq(text("4003 00 00 08 00 000a 00123456" V4), "lcaf-8(nonce 0x123456,192.0.2.1)");
	cr_expect_str_eq(text("4003 00 00 10 00 000a 00000005" V4), "lcaf-16(formats 0x05,192.0.2.1)");
	cr_expect_str_eq(text(GPE), "lcaf-16(formats 0x81,192.0.2.1)");
	cr_expect_str_eq(text("4003 00 00 0c 00 0010 0000 18 20" V4 V4), "lcaf-12(192.0.2.1/24,192.0.2.1)");
	cr_expect_str_eq(text("4003 00 00 0f 00 000c" V4 V4), "lcaf-15(192.0.2.1=192.0.2.1)");
}

Test(addr, text_is_cut_and_terminated)
{
	struct xtr_addr a = good(ELP);
	char buf[12], none[1] = { 'x' };

	xtr_addr_str(&a, buf, sizeof(buf));
	cr_expect_str_eq(buf, "lcaf-10(198");
	xtr_addr_str(&a, none, 0);
	cr_expect_eq(none[0], 'x');
}

Test(addr, keys_never_reach_text)
{
	cr_expect_str_eq(text("4003 00 00 0b 00 0010 01 00 03 00 0004 73656372" V4), "lcaf-11(keys 1,192.0.2.1)");
}

Test(addr, writers_give_the_same_octets)
{
	struct xtr_ippfx s = pfx_of("192.0.2.1/32"), g = pfx_of("233.252.0.1/32"), none = { 0 };
	struct xtr_ip hops[2] = { ip_of("198.51.100.1"), ip_of("198.51.100.2") }, rtr = ip_of("198.51.100.9");
	struct xtr_ip net = ip_of("192.0.2.0"), v4 = ip_of("192.0.2.1"), v6 = ip_of("2001:db8::1"), nobody = { 0 };
	const uint8_t bits[2] = { 2, 1 }, level = 128, mac[6] = { 0, 1, 2, 3, 4, 5 };
	uint8_t buf[128];
	struct xtr_wr w;
	size_t mark;

#define WRITES(hex, call) \
	do { \
		w = xtr_wr_init(buf, sizeof(buf)); \
		call; \
		cr_expect(wrote(&w, hex), "%s", #call); \
	} while (0)
	WRITES(V4, xtr_put_ip(&w, &v4));
	WRITES(V6, xtr_put_ip(&w, &v6));
	WRITES("0000", xtr_put_ip(&w, &nobody));
	WRITES("0000", xtr_put_none(&w));
	WRITES("4005 000102030405", xtr_put_mac(&w, mac));
	WRITES(GPE, xtr_put_encap(&w, XTR_ENCAP_LISP | XTR_ENCAP_LISP_GPE, &v4));
	WRITES(GPE, xtr_put_encap(&w, 0xffffff00 | XTR_ENCAP_LISP | XTR_ENCAP_LISP_GPE, &v4));
	WRITES(NAME, xtr_put_name(&w, "host", 4));
	WRITES("001100", xtr_put_name(&w, "", 0));
	WRITES(IID0, xtr_put_iid_ip(&w, 100, &net));
	WRITES(V4, xtr_put_iid_ip(&w, 0, &v4));
	WRITES(SG, xtr_put_mcast(&w, 0, &s, &g));
	WRITES(STAR_G, xtr_put_mcast(&w, 0, &none, &g));
	WRITES(RLE, xtr_put_rle(&w, hops, &level, 1));
	WRITES("4003 00 00 0d 00 0000", xtr_put_rle(&w, NULL, NULL, 0));
	WRITES(ELP, xtr_put_elp(&w, hops, bits, 2));
	WRITES(NAT, xtr_put_nat(&w, 0, 0, &nobody, &nobody, &nobody, &rtr, 1));
	WRITES("4003 00 00 07 00 000c 10f6 d431 0000 0000 0000 0000", xtr_put_nat(&w, 4342, 54321, &nobody, &nobody,
										   &nobody, NULL, 0));
	/* By hand: JSON in an LCAF that is begun and ended. */
	WRITES(JSON, {
		mark = xtr_put_lcaf_begin(&w, XTR_LCAF_JSON, 0);
		xtr_wr_u16(&w, 7);
		xtr_wr_bytes(&w, "{\"a\":1}", 7);
		xtr_put_none(&w);
		xtr_put_lcaf_end(&w, mark);
	});
#undef WRITES
}

Test(addr, writers_refuse_what_readers_would)
{
	static struct xtr_ip ips[XTR_LCAF_MAX_RLE + 1];
	static uint8_t buf[70000], levels[XTR_LCAF_MAX_RLE + 1];
	char name[XTR_NAME_MAX + 2];
	struct xtr_wr w = xtr_wr_init(buf, sizeof(buf));
	size_t mark;

	memset(name, 'n', sizeof(name));
	for (unsigned i = 0; i <= XTR_LCAF_MAX_RLE; i++)
		ips[i] = ip_of("192.0.2.1");
	xtr_put_name(&w, name, XTR_NAME_MAX + 1);
	cr_expect_eq(w.err, -EINVAL);
	w = xtr_wr_init(buf, sizeof(buf));
	xtr_put_name(&w, "a\0b", 3);
	cr_expect_eq(w.err, -EINVAL, "RFC 9735 3: only one NUL");
	w = xtr_wr_init(buf, sizeof(buf));
	xtr_put_rle(&w, ips, levels, XTR_LCAF_MAX_RLE + 1);
	cr_expect_eq(w.err, -E2BIG);
	w = xtr_wr_init(buf, sizeof(buf));
	xtr_put_elp(&w, ips, levels, XTR_LCAF_MAX_ELP + 1);
	cr_expect_eq(w.err, -E2BIG);
	w = xtr_wr_init(buf, sizeof(buf));
	xtr_put_nat(&w, 0, 0, ips, ips, ips, ips, XTR_LCAF_MAX_LIST + 1);
	cr_expect_eq(w.err, -E2BIG);
	w = xtr_wr_init(buf, sizeof(buf));
	mark = xtr_put_lcaf_begin(&w, XTR_LCAF_LIST, 0);
	xtr_wr_reserve(&w, 65536);
	xtr_put_lcaf_end(&w, mark);
	cr_expect_eq(w.err, -E2BIG, "Length has 16 bits");
	w = xtr_wr_init(buf, 10);
	mark = xtr_put_lcaf_begin(&w, XTR_LCAF_IID, 0);
	xtr_wr_u32(&w, 1);
	xtr_put_lcaf_end(&w, mark);
	cr_expect_eq(w.err, -ENOSPC);
	/* The longest of each are accepted by the reader. */
	w = xtr_wr_init(buf, sizeof(buf));
	xtr_put_rle(&w, ips, levels, XTR_LCAF_MAX_RLE);
	cr_expect_eq(ex_addr_octets(buf, xtr_wr_len(&w), false), 0);
	w = xtr_wr_init(buf, sizeof(buf));
	xtr_put_name(&w, name, XTR_NAME_MAX);
	cr_expect_eq(ex_addr_octets(buf, xtr_wr_len(&w), false), 0);
}

/* ---- every type of RFC 8060: whole, and refused one octet shorter or longer than its fields */

static const struct { const char *name, *head, *payload; } types[] = {
	{ "list", "4003 0000 01 00", V4 V6 NAME "4005 000102030405" },
	{ "instance ID", "4003 0000 02 00", "00000064" V6 },
	{ "instance ID range", "4003 0000 02 18", "00000100 0000" },
	{ "AS number", "4003 0000 03 00", "0000fde8" V4 },
	{ "application data", "4003 0000 04 00", "aabbcc 06 0050 0060 0000 ffff" V4 },
	{ "geo", "4003 0000 05 00", "8034 1e 0f 0008 00 3b 7fffffff" V4 },
	{ "opaque key", "4003 0000 06 00", "0f 0001" },
	{ "NAT", "4003 0000 07 00", "10f6 d431" V4 V4 "0000" V4 V6 },
	{ "nonce", "4003 0000 08 00", "00 123456" V4 },
	{ "multicast", "4003 0000 09 00", "00000000 0000 80 80" V6 "0002 ff0e0000000000000000000000000001" },
	{ "ELP", "4003 0000 0a 00", "0007" V4 "0000" V6 "0004" IID },
	{ "security key", "4003 0000 0b 00", "02 00 05 00 0003 010203 0001 ff" V4 },
	{ "source/destination", "4003 0000 0c 00", "0000 18 20" V4 V4 },
	{ "RLE", "4003 0000 0d 00", "0000 00 00" V4 "0000 00 01" V6 "0000 00 80" ELP },
	{ "JSON", "4003 0000 0e 00", "0007 7b2261223a317d" V4 },
	{ "binary JSON", "4003 0000 0e 01", "0002 0102 0000" },
	{ "key/value", "4003 0000 0f 00", NAME V4 },
	{ "encapsulation", "4003 0000 10 00", "0000007f" V4 },
};

Test(addr, RFC8060_every_type_with_its_exact_length)
{
	struct xtr_addr a;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct octets payload = hex_octets(types[i].payload);
		char hex[1024];

		snprintf(hex, sizeof(hex), "%s %04zx %s", types[i].head, payload.len, types[i].payload);
		a = good(hex);
		cr_expect(!a.unknown && a.wire_len == payload.len + 8, "%s", types[i].name);
		if (a.lcaf != XTR_LCAF_OKEY) { /* whose key runs to the end */
			/* An octet after the last field is malformed, whether Length counts it or not. */
			snprintf(hex, sizeof(hex), "%s %04zx %s 00", types[i].head, payload.len + 1, types[i].payload);
			cr_expect_lt(decode(hex, &a), 0, "%s too long", types[i].name);
		}
		snprintf(hex, sizeof(hex), "%s %04zx %s", types[i].head, payload.len - 1, types[i].payload);
		cr_expect_lt(decode(hex, &a), 0, "%s too short", types[i].name);
		free(payload.p);
	}
}

Test(addr, empty_lists_are_legal_and_useless)
{
	static const char *const empty[] = { "4003 0000 01 00 0000", "4003 0000 0a 00 0000", "4003 0000 0d 00 0000",
					     "4003 0000 00 00 0000" };
	struct xtr_eid_prefix e;
	struct xtr_ip ip;

	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		struct xtr_addr a = good(empty[i]);

		cr_expect(!a.unknown && !xtr_addr_rloc_ip(&a, &ip));
		cr_expect_eq(xtr_eid_from_addr(&a, 0, &e, NULL), -EPROTONOSUPPORT);
	}
}

Test(addr, JSON_with_and_without_address)
{
	struct xtr_lcaf_json j;
	struct xtr_addr a = good("4003 0000 0e 00 0004 0002 7b7d");

	cr_expect(xtr_lcaf_get_json(&a, &j) && !j.has_addr && j.json_len == 2);
	a = good("4003 0000 0e 01 0006 0002 7b7d 0000");
	cr_expect(xtr_lcaf_get_json(&a, &j) && j.has_addr && j.binary && j.addr.afi == XTR_AFI_NONE);
}

Test(addr, geo_fields)
{
	struct xtr_addr a = good("4003 0000 05 00 0012 8034 1e 0f 0008 00 3b fffffff6" V4);
	struct xtr_lcaf_geo g;

	cr_expect(xtr_lcaf_get_geo(&a, &g) && g.north && !g.east && g.lat_deg == 52 && g.lat_min == 30 &&
		  g.lat_sec == 15 && g.lon_deg == 8 && g.lon_min == 0 && g.lon_sec == 59 && g.altitude == -10);
	cr_expect_eq(decode("4003 0000 05 00 0012 805b 00 00 0000 00 00 00000000" V4, &a), -EBADMSG, "91 degrees");
	cr_expect_eq(decode("4003 0000 05 00 0012 8000 3c 00 0000 00 00 00000000" V4, &a), -EBADMSG, "60 minutes");
	cr_expect_eq(decode("4003 0000 05 00 0012 8000 00 00 00b5 00 00 00000000" V4, &a), -EBADMSG, "181 degrees");
}

/* lispers.net writes draft-ietf-lisp-geo under type 5: it must not cost the message that carries it. */
Test(addr, geo_of_the_draft_is_carried_though_not_understood)
{
	struct xtr_addr a = good("4003 0000 05 00 0016 10 00 0000 30 012345 0b 36ee7f 00000208 0005 0000 0000");
	static const char *const bad[] = {
		"4003 0000 05 00 0016 10 00 0000 5b 012345 0b 36ee7f 00000208 0005 0000 0000", /* 91 degrees */
		"4003 0000 05 00 0016 10 00 0000 30 012345 b5 36ee7f 00000208 0005 0000 0000", /* 181 degrees */
		"4003 0000 05 00 0016 10 00 0000 30 012345 0b 36ee80 00000208 0005 0000 0000", /* a whole degree */
		"4003 0000 05 00 0015 10 00 0000 30 012345 0b 36ee7f 00000208 0005 0000 00",
		"4003 0000 05 00 0017 10 00 0000 30 012345 0b 36ee7f 00000208 0005 0000 0000 00",
	};
	struct xtr_lcaf_geo g;
	struct xtr_ip ip;

	cr_expect(!a.unknown && a.wire_len == 30);
	cr_expect(!xtr_lcaf_get_geo(&a, &g), "it has other fields");
	cr_expect(!xtr_addr_rloc_ip(&a, &ip));
	a = good("4003 0000 05 00 001a 10 00 0000 00 000000 00 000000 00000000 0000 0000" V4);
	cr_expect(!xtr_lcaf_get_geo(&a, &g), "RFC 8060 would fit the first octets, but not the length");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_lt(decode(bad[i], &a), 0, "%zu", i);
}

/* lispers.net adds the name of an RLOC to its entry, without a header of its own. */
Test(addr, names_behind_the_entries_of_a_replication_list)
{
	struct xtr_addr a = good("4003 0000 0d 00 0030 0000 00 00" V4 "0011 746f7200 0000 00 01" V6 "0000 00 80" V4);
	const struct { uint8_t level; const char *ip; } want[] = { { 0, "192.0.2.1" }, { 1, "2001:db8::1" },
								   { 128, "192.0.2.1" } };
	struct xtr_rle_entry e;
	struct xtr_rd it = { 0 };
	struct xtr_ip ip, w;
	unsigned n = 0;

	for (; xtr_lcaf_rle_next(&a, &it, &e); n++) {
		w = ip_of(want[n].ip);
		cr_expect(e.level == want[n].level && xtr_addr_ip(&e.addr, &ip) && !xtr_ip_cmp(&ip, &w), "%u", n);
	}
	cr_expect_eq(n, 3);
	good("4003 0000 0d 00 0010 0000 00 00" V4 "0011 746f7200");
	cr_expect_lt(decode("4003 0000 0d 00 000f 0000 00 00" V4 "0011 746f72", &a), 0, "without its end");
}

Test(addr, mask_lengths_wider_than_the_address)
{
	struct xtr_addr a;

	cr_expect_eq(decode("4003 0000 09 00 0014 00000000 0000 21 20" V4 V4, &a), -EBADMSG);
	cr_expect_eq(decode("4003 0000 09 00 0014 00000000 0000 20 21" V4 V4, &a), -EBADMSG);
	cr_expect_eq(decode("4003 0000 0c 00 0010 0000 21 20" V4 V4, &a), -EBADMSG);
	cr_expect_eq(decode("4003 0000 0c 00 0028 0000 80 81" V6 V6, &a), -EBADMSG);
	cr_expect_eq(decode("4003 0000 02 21 0006 00000001 0000", &a), -EBADMSG, "33 bits of an instance ID");
	cr_expect_eq(decode("4003 0000 02 21 000a 00000001" V4, &a), 0, "no meaning with an address: ignored");
}

/* ---- unknown things: three different answers */

Test(addr, RFC9301_5_1_unknown_AFI_drops_the_message)
{
	struct xtr_addr a;

	cr_expect_eq(decode("0003 00000000", &a), -EAFNOSUPPORT);
	cr_expect_eq(decode("ffff", &a), -EAFNOSUPPORT);
	cr_expect_eq(decode("4003 0000 02 00 000a 00000064 0003 01020304", &a), -EAFNOSUPPORT, "nested, too");
	cr_expect_eq(decode("4003 0000 01 00 000c" V4 "0099 01020304", &a), -EAFNOSUPPORT);
}

Test(addr, RFC9306_3_unknown_type_ignores_the_address)
{
	static const char *const unknown[] = {
		"4003 0000 11 00 0004 aabbccff", "4003 0000 fe 00 0000", "4003 0000 aa 20 0003 010203",
		"4003 0000 02 00 000f 00000001 4003 0000 aa 00 0003 010203",  /* nothing is left of it */
		"4003 0000 01 00 0010 4003 0000 aa 00 0000 4003 0000 bb 00 0000",
		"4003 0000 0a 00 0012 0000" V4 "0000 4003 0000 aa 00 0000",   /* a path with a gap */
	};
	struct xtr_eid_prefix e;
	struct xtr_ip ip;

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		struct xtr_addr a = good(unknown[i]);

		cr_expect(a.unknown, "%zu", i);
		cr_expect(!xtr_addr_rloc_ip(&a, &ip), "%zu", i);
		cr_expect_eq(xtr_eid_from_addr(&a, 0, &e, NULL), -EPROTONOSUPPORT);
	}
}

Test(addr, RFC8060_4_10_5_lists_are_used_as_far_as_they_are_known)
{
	struct xtr_addr a = good("4003 0000 01 00 000e 4003 0000 aa 00 0000" V4), e;
	struct xtr_ip ip, want = ip_of("192.0.2.1");
	struct xtr_rd it = { 0 };

	cr_expect(!a.unknown && xtr_addr_rloc_ip(&a, &ip) && !xtr_ip_cmp(&ip, &want));
	cr_expect(xtr_lcaf_list_next(&a, &it, &e) && e.unknown);
	cr_expect(xtr_lcaf_list_next(&a, &it, &e) && !e.unknown && !xtr_lcaf_list_next(&a, &it, &e));
	a = good("4003 0000 0d 00 0016 0000 00 00" V4 "0000 00 00 4003 0000 aa 00 0000");
	cr_expect(!a.unknown);
}

Test(addr, RFC9306_4_vendor_type_drops_the_message)
{
	struct xtr_addr a;

	cr_expect_eq(decode("4003 0000 ff 00 0008 00 123456 aabbccdd", &a), -EPROTONOSUPPORT);
	cr_expect_eq(decode("4003 0000 01 00 0016" V4 "4003 0000 ff 00 0008 00 123456 aabbccdd", &a), -EPROTONOSUPPORT);
}

/* ---- what an RLOC can be used by */

Test(addr, RLOCs_in_wrappers)
{
	static const char *const usable[] = {
		V4,
		"4003 0000 01 00 000d" V4 NAME,                                            /* NAT-F: IPv4 and name */
		"4003 0000 01 00 000d" NAME V4,
		"4003 0000 10 00 000a 00000001" V4,                                        /* encapsulation format */
		"4003 0000 0b 00 0010 01 00 03 00 0004 01020304" V4,                       /* RFC 8061 6 */
		"4003 0000 01 00 0012 4003 0000 10 00 000a 00000001" V4,
	};
	static const char *const not[] = { "0000", NAME, IID, SG, RLE, ELP, NAT, JSON, "4005 000102030405",
					   "4003 0000 01 00 0007" NAME, "4003 0000 10 00 0006 00000001 0000" };
	struct xtr_ip ip, want = ip_of("192.0.2.1");

	for (size_t i = 0; i < sizeof(usable) / sizeof(usable[0]); i++) {
		struct xtr_addr a = good(usable[i]);

		cr_expect(xtr_addr_rloc_ip(&a, &ip) && !xtr_ip_cmp(&ip, &want), "%s", usable[i]);
	}
	for (size_t i = 0; i < sizeof(not) / sizeof(not[0]); i++) {
		struct xtr_addr a = good(not[i]);

		cr_expect(!xtr_addr_rloc_ip(&a, &ip), "%s", not[i]);
	}
}

/* ---- limits */

/* n LCAFs in each other around an IPv4 address. */
static int nested(unsigned n, bool unknown_inside)
{
	uint8_t buf[256];
	struct xtr_wr w = xtr_wr_init(buf, sizeof(buf));
	struct xtr_ip ip = ip_of("192.0.2.1");
	size_t marks[16];

	for (unsigned i = 0; i < n; i++)
		marks[i] = xtr_put_lcaf_begin(&w, unknown_inside && i == n - 1 ? 0xaa : XTR_LCAF_LIST, 0);
	xtr_put_ip(&w, &ip);
	for (unsigned i = n; i-- > 0;)
		xtr_put_lcaf_end(&w, marks[i]);
	cr_assert_eq(w.err, 0);
	return ex_addr_octets(buf, xtr_wr_len(&w), false);
}

Test(addr, nesting_is_limited_to_four)
{
	cr_expect_eq(nested(XTR_LCAF_MAX_DEPTH, false), 0);
	cr_expect_eq(nested(XTR_LCAF_MAX_DEPTH + 1, false), -E2BIG);
	cr_expect_eq(nested(16, false), -E2BIG);
	cr_expect_eq(nested(XTR_LCAF_MAX_DEPTH, true), 0);
	cr_expect_eq(nested(XTR_LCAF_MAX_DEPTH + 1, true), -E2BIG);
}

/* count elements of a list type. */
static int list_of(uint8_t type, const char *element, unsigned count)
{
	struct octets e = hex_octets(element);
	size_t size = e.len * count + 8;
	uint8_t *buf = malloc(size);
	struct xtr_wr w = xtr_wr_init(buf, size);
	size_t mark = xtr_put_lcaf_begin(&w, type, 0);
	int r;

	for (unsigned i = 0; i < count; i++)
		xtr_wr_bytes(&w, e.p, e.len);
	xtr_put_lcaf_end(&w, mark);
	cr_assert_eq(w.err, 0);
	r = ex_addr_octets(buf, xtr_wr_len(&w), false);
	free(buf);
	free(e.p);
	return r;
}

Test(addr, elements_are_limited)
{
	cr_expect_eq(list_of(XTR_LCAF_LIST, V4, XTR_LCAF_MAX_LIST), 0);
	cr_expect_eq(list_of(XTR_LCAF_LIST, V4, XTR_LCAF_MAX_LIST + 1), -E2BIG);
	cr_expect_eq(list_of(XTR_LCAF_LIST, "0000", XTR_LCAF_MAX_LIST + 1), -E2BIG);
	cr_expect_eq(list_of(XTR_LCAF_ELP, "0000" V4, XTR_LCAF_MAX_ELP), 0);
	cr_expect_eq(list_of(XTR_LCAF_ELP, "0000" V4, XTR_LCAF_MAX_ELP + 1), -E2BIG);
	cr_expect_eq(list_of(XTR_LCAF_RLE, "0000 00 00" V6, XTR_LCAF_MAX_RLE), 0);
	cr_expect_eq(list_of(XTR_LCAF_RLE, "0000 00 00" V6, XTR_LCAF_MAX_RLE + 1), -E2BIG);
}

/* An address of some octets of content, `fill` times the octet. */
static int sized(const char *head, size_t len_field_at, size_t count, uint8_t fill, const char *tail)
{
	struct octets h = hex_octets(head), t = hex_octets(tail);
	size_t len = h.len + count + t.len;
	uint8_t *buf = malloc(len);
	int r;

	memcpy(buf, h.p, h.len);
	memset(buf + h.len, fill, count);
	memcpy(buf + h.len + count, t.p, t.len);
	if (len_field_at) {
		buf[6] = (uint8_t)((len - 8) >> 8);
		buf[7] = (uint8_t)(len - 8);
		buf[len_field_at] = (uint8_t)(count >> 8);
		buf[len_field_at + 1] = (uint8_t)count;
	}
	r = ex_addr_octets(buf, len, false);
	free(buf);
	free(h.p);
	free(t.p);
	return r;
}

Test(addr, long_contents_are_limited)
{
	cr_expect_eq(sized("0011", 0, XTR_NAME_MAX, 'n', "00"), 0);
	cr_expect_eq(sized("0011", 0, XTR_NAME_MAX + 1, 'n', "00"), -E2BIG);
	cr_expect_eq(sized("0011", 0, 20, 'n', ""), -EBADMSG, "no NUL");
	cr_expect_eq(sized("4003 0000 0e 00 0000 0000", 8, XTR_JSON_MAX, '1', "0000"), 0);
	cr_expect_eq(sized("4003 0000 0e 00 0000 0000", 8, XTR_JSON_MAX + 1, '1', "0000"), -E2BIG);
	cr_expect_eq(sized("4003 0000 0b 00 0000 01 00 03 00 0000", 12, XTR_KEY_MAX, 7, V4), 0);
	cr_expect_eq(sized("4003 0000 0b 00 0000 01 00 03 00 0000", 12, XTR_KEY_MAX + 1, 7, V4), -E2BIG);
}

Test(addr, key_count_is_one_to_three)
{
	struct xtr_lcaf_key k;
	struct xtr_addr a;

	cr_expect_eq(decode("4003 0000 0b 00 000a 00 00 03 00" V4, &a), -EBADMSG);
	cr_expect_eq(decode("4003 0000 0b 00 0012 04 00 03 00 0000 0000 0000 0000" V4, &a), -EBADMSG);
	a = good("4003 0000 0b 00 0010 03 00 03 00 0000 0000 0000" V4);
	cr_expect(xtr_lcaf_get_key(&a, &k) && k.count == 3 && k.alg == 3 && k.keys_len == 6);
}

/* A nested address has to end inside its parent. */
Test(addr, lengths_of_nested_addresses)
{
	struct xtr_addr a;

	cr_expect_eq(decode("4003 0000 02 00 0012 00000001 4003 0000 02 00 000a 00000002" V4, &a), -EBADMSG);
	cr_expect_eq(decode("4003 0000 02 00 0016 00000001 4003 0000 02 00 000b 00000002" V4, &a), -EBADMSG);
	cr_expect_eq(decode("4003 0000 02 00 0016 00000001 4003 0000 02 00 000a 00000002" V4, &a), 0);
	cr_expect_eq(decode("4003 0000 02 00 ffff 00000001" V4, &a), -EBADMSG);
}

Test(addr, equality_is_by_octets)
{
	struct octets one = hex_octets(V4 V4 V6);
	struct xtr_rd r = xtr_rd_init(one.p, one.len);
	struct xtr_addr a, b, c, zero = { 0 }, none;

	xtr_addr_decode(&r, &a);
	xtr_addr_decode(&r, &b);
	xtr_addr_decode(&r, &c);
	cr_expect(xtr_addr_equal(&a, &b) && !xtr_addr_equal(&a, &c) && !xtr_addr_equal(&a, &zero));
	none = good("0000");
	cr_expect(xtr_addr_equal(&zero, &none) && xtr_addr_equal(&none, &zero));
	free(one.p);
}
