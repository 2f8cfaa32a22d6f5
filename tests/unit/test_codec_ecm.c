// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Encapsulated control messages (RFC 9301 5.8) and Info messages: what we write octet by octet, checksums, lengths that
 * have to agree, and what is refused.
 */
#include "unit/codec_msg_lab.h"

#include <criterion/criterion.h>

/* ---- ECM */

static size_t put_ecm(const char *src, const char *dst, const char *msg_hex)
{
	struct xtr_ip s = ip_of(src), d = ip_of(dst);
	struct octets msg = hex_octets(msg_hex);
	struct xtr_wr w = writer();

	xtr_ecm_encode(&w, &s, 4342, &d, 4342, msg.p, msg.len);
	cr_assert_eq(w.err, 0);
	free(msg.p);
	return xtr_wr_len(&w);
}

/* The result with a 16-bit word of the ECM changed. */
static int ecm_with(size_t len, size_t at, uint16_t value)
{
	uint8_t *copy = ex_exact(out, len);
	int r;

	copy[at] = (uint8_t)(value >> 8);
	copy[at + 1] = (uint8_t)value;
	r = ex_ecm_accepted(copy, len);
	free(copy);
	return r;
}

Test(ecm, octets_with_right_checksums)
{
	struct xtr_wr w = xtr_wr_init(out, sizeof(out));

	w.p += put_ecm("192.0.2.1", "10.1.0.1", MREQ);
	cr_expect(wrote(&w, "80000000 4500 0038 0000 4000 40 11 6eb2 c0000201 0a010001 10f6 10f6 0024 358f" MREQ));
}

Test(ecm, checksums_of_IPv4)
{
	size_t len = put_ecm("192.0.2.1", "10.1.0.1", MREQ);
	uint16_t udp = (uint16_t)(out[30] << 8 | out[31]), ip = (uint16_t)(out[14] << 8 | out[15]);

	cr_expect_neq(udp, 0, "RFC 9301 5.8: sent non-zero");
	cr_expect_eq(ex_ecm(out, len), 0);
	cr_expect_eq(ecm_with(len, 30, 0), 0, "zero is accepted");
	cr_expect_eq(ecm_with(len, 30, udp ^ 1), -EBADMSG);
	cr_expect_eq(ecm_with(len, 14, ip ^ 1), -EBADMSG);
	cr_expect_eq(ecm_with(len, 14, 0), -EBADMSG, "the header checksum of IPv4 is never optional");
	cr_expect_eq(ecm_with(len, len - 2, 7), -EBADMSG, "payload changed");
}

Test(ecm, checksums_of_IPv6)
{
	size_t len = put_ecm("2001:db8::1", "2001:db8:5::9", MREQ);
	uint16_t udp = (uint16_t)(out[50] << 8 | out[51]);

	cr_expect_neq(udp, 0);
	cr_expect_eq(ex_ecm(out, len), 0);
	cr_expect_eq(ecm_with(len, 50, 0), 0, "zero is accepted");
	cr_expect_eq(ecm_with(len, 50, udp ^ 0x8000), -EBADMSG);
	cr_expect_eq(ecm_with(len, 40, 0x1234), -EBADMSG, "destination changed");
}

/* A message whose sum is 0: the checksum has to be sent as all ones (RFC 768), and is right. */
Test(ecm, checksum_that_computes_to_zero)
{
	size_t len = put_ecm("192.0.2.1", "10.1.0.1", MREQ);
	uint16_t udp = (uint16_t)(out[30] << 8 | out[31]);
	char hex[128];

	/* Put the complement into the nonce, which was 0 there. */
	snprintf(hex, sizeof(hex), "10000001 %04x 000000000001 0000 0001 c0000201 00 20 0001 0a010001", udp);
	len = put_ecm("192.0.2.1", "10.1.0.1", hex);
	cr_expect(out[30] == 0xff && out[31] == 0xff);
	cr_expect_eq(ex_ecm(out, len), 0);
}

Test(ecm, fields)
{
	size_t len = put_ecm("2001:db8::1", "2001:db8:5::9", MREQ);
	struct xtr_ip s = ip_of("2001:db8::1"), d = ip_of("2001:db8:5::9");
	struct xtr_ecm m;

	cr_assert_eq(xtr_ecm_decode(out, len, &m), 0);
	cr_expect(!xtr_ip_cmp(&m.inner_src, &s) && !xtr_ip_cmp(&m.inner_dst, &d) && m.inner_sport == 4342 &&
		  m.inner_dport == 4342 && m.inner_ttl == 64 && m.msg_len == 28 && m.msg == out + 52);
	cr_expect(!m.security && !m.ddt && !m.to_etr && !m.to_ms);
	out[0] = 0x87;
	cr_assert_eq(xtr_ecm_decode(out, len, &m), 0);
	cr_expect(m.ddt && m.to_etr && m.to_ms);
}

Test(ecm, lengths_have_to_agree)
{
	size_t len = put_ecm("192.0.2.1", "10.1.0.1", MREQ);

	out[30] = out[31] = 0;
	/* The IPv4 header checksum is made right again by the identification, so that only the length is wrong. */
	for (int d = -1; d <= 1; d += 2) {
		uint16_t total = (uint16_t)(56 + d), id = (uint16_t)(d < 0 ? 1 : 0xfffe);

		out[6] = (uint8_t)(total >> 8), out[7] = (uint8_t)total;
		out[8] = (uint8_t)(id >> 8), out[9] = (uint8_t)id;
		cr_expect_eq(ex_ecm(out, len), -EBADMSG);
	}
	len = put_ecm("192.0.2.1", "10.1.0.1", MREQ);
	out[30] = out[31] = 0;
	cr_expect_eq(ecm_with(len, 28, 35), -EBADMSG);
	cr_expect_eq(ecm_with(len, 28, 37), -EBADMSG);
	cr_expect_eq(ecm_with(len, 28, 0), -EBADMSG);
	len = put_ecm("2001:db8::1", "2001:db8::2", MREQ);
	out[50] = out[51] = 0;
	cr_expect_eq(ecm_with(len, 8, 35), -EBADMSG);
	cr_expect_eq(ecm_with(len, 8, 37), -EBADMSG);
	cr_expect_eq(ecm_with(len, 8, 0), -EBADMSG);
	cr_expect_eq(ecm_with(len, 48, 35), -EBADMSG);
}

Test(ecm, inner_headers_that_are_no_plain_UDP)
{
	/* IHL 6 with an option: read, since a stack would; header of 4 words, TCP, version 5, a fragment: not. */
	cr_expect_eq(run("80000000 4600 003c 0000 4000 40 11 6cad c0000201 0a010001 01010000 10f6 10f6 0024 0000" MREQ), 0);
	cr_expect_eq(run("80000000 4400 0038 0000 4000 40 11 6fb2 c0000201 0a010001 10f6 10f6 0024 0000" MREQ), -EBADMSG);
	cr_expect_eq(run("80000000 4500 0038 0000 4000 40 06 6ebd c0000201 0a010001 10f6 10f6 0024 0000" MREQ), -EBADMSG);
	cr_expect_eq(run("80000000 5500 0038 0000 4000 40 11 5eb2 c0000201 0a010001 10f6 10f6 0024 0000" MREQ), -EBADMSG);
	cr_expect_eq(run("80000000 4500 0038 0000 2000 40 11 8eb2 c0000201 0a010001 10f6 10f6 0024 0000" MREQ), -EBADMSG);
	cr_expect_eq(run("80000000 4500 0038 0000 0001 40 11 aeb1 c0000201 0a010001 10f6 10f6 0024 0000" MREQ), -EBADMSG);
	cr_expect_eq(run("80000000 4500 0038 0000 0000 40 11 aeb2 c0000201 0a010001 10f6 10f6 0024 0000" MREQ), 0);
	cr_expect_eq(run("80000000 60000000 0024 06 40 20010db8000000000000000000000001 20010db8000000000000000000000002"
			 "10f6 10f6 0024 0000" MREQ), -EBADMSG);
}

Test(ecm, RFC9301_5_8_ports)
{
	size_t len = put_ecm("2001:db8::1", "2001:db8::2", MREQ);

	out[50] = out[51] = 0;
	cr_expect_eq(ecm_with(len, 44, 54321), 0);
	cr_expect_eq(ecm_with(len, 46, 54321), 0, "an answer");
	cr_expect_eq(ecm_with(len, 44, 4341), -EBADMSG, "never the data port");
	cr_expect_eq(ecm_with(len, 46, 4341), -EBADMSG);
	out[44] = 1;
	cr_expect_eq(ecm_with(len, 46, 54321), -EBADMSG, "4342 on neither side");
}

Test(ecm, only_one_level)
{
	struct xtr_ip s = ip_of("192.0.2.1"), d = ip_of("10.1.0.1");
	uint8_t inner[256];
	struct xtr_wr w;
	size_t len = put_ecm("192.0.2.1", "10.1.0.1", MREQ);

	memcpy(inner, out, len);
	w = writer();
	xtr_ecm_encode(&w, &s, 4342, &d, 4342, inner, len);
	cr_assert_eq(w.err, 0);
	cr_expect_eq(ex_ecm(out, xtr_wr_len(&w)), -EBADMSG);
	w = writer();
	xtr_ecm_encode(&w, &s, 4342, &d, 4342, inner, 0);
	cr_expect_eq(ex_ecm(out, xtr_wr_len(&w)), -EBADMSG, "nothing inside");
}

Test(ecm, authentication_data)
{
	static const char otk[] = "01 02 0000000000000000 00112233445566778899aabbccddeeff";
	static const struct { const char *ad1; int want; } cases[] = {
		{ "01000002 0018", 0 }, { "01000002 001c", 0 }, { "01000002 0019", -EBADMSG }, { "01000002 0000", -EBADMSG },
		{ "03000002 0018", -EPROTONOSUPPORT }, { "00000002 0018", -EPROTONOSUPPORT },
	};
	char hex[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(hex, sizeof(hex), "88000000 %s %s 0004 0002 %s", cases[i].ad1, otk, IP4H "10f6 10f6 0024 0000" MREQ);
		cr_expect_eq(run(hex), cases[i].want, "%s", hex);
	}
	snprintf(hex, sizeof(hex), "88000000 01000002 0018 %s 0003 0002 %s", otk, IP4H "10f6 10f6 0024 0000" MREQ);
	cr_expect_eq(run(hex), -EBADMSG, "EID-AD Length counts itself");
	snprintf(hex, sizeof(hex), "88000000 01000002 0018 %s 0003 00 %s", otk, IP4H "10f6 10f6 0024 0000" MREQ);
	cr_expect_eq(run(hex), -EBADMSG, "and the KDF ID");
	snprintf(hex, sizeof(hex), "88000000 01000002 0018 %s 0014 0002 %s %s", otk, "01 80 0002 00 20 0001 0a010001 01020304",
		 IP4H "10f6 10f6 0024 0000" MREQ);
	cr_expect_eq(run(hex), 0, "an EID-AD as a Map-Server makes it");
	snprintf(hex, sizeof(hex), "88000000 %s", IP4H "10f6 10f6 0024 0000" MREQ);
	cr_expect_lt(run(hex), 0, "S and nothing there");
	cr_expect_eq(run("88000000 02000000 0001 0041" MAC32 MAC32 "00" IP4H "10f6 10f6 0024 0000" MREQ), -E2BIG);
}

Test(ecm, writer_refuses_what_cannot_be)
{
	struct xtr_ip v4 = ip_of("192.0.2.1"), v6 = ip_of("2001:db8::1"), none = { 0 };
	static uint8_t big[65536], room[70000];
	struct xtr_wr w = writer();

	xtr_ecm_encode(&w, &v4, 4342, &v6, 4342, big, 10);
	cr_expect_eq(w.err, -EINVAL);
	w = writer();
	xtr_ecm_encode(&w, &none, 4342, &none, 4342, big, 10);
	cr_expect_eq(w.err, -EINVAL);
	w = xtr_wr_init(room, sizeof(room));
	xtr_ecm_encode(&w, &v6, 4342, &v6, 4342, big, 65500);
	cr_expect_eq(w.err, -E2BIG);
}

/* ---- Info-Request, Info-Reply */

#define INFO_REP "78000000" N1 "0000 0000 00000000 00 00 0000"

Test(info, both_drafts)
{
	struct octets o = hex_octets("70000000" N1 "00 02 0020" MAC32 "0000003c 00 10" EID4 "0000");
	struct xtr_info m;
	size_t len;

	cr_assert_eq(xtr_info_decode(o.p, o.len, &m), 0);
	cr_expect(!m.reply && m.nonce == 1 && m.key_id == 0 && m.alg_id == 2 && m.auth_len == 32 && m.auth_off == 16 &&
		  m.ttl == 60 && m.mask_len == 16 && m.eid.afi == XTR_AFI_IP4 && m.last.afi == XTR_AFI_NONE);
	free(o.p);
	o = hex_octets("70000000" N1 "0000 0000 00000000 00 00 0000 0011 686f737400");
	cr_assert_eq(xtr_info_decode(o.p, o.len, &m), 0);
	cr_expect(m.eid.afi == XTR_AFI_NONE && xtr_addr_name(&m.last, &len) && len == 4);
	free(o.p);
}

Test(info, what_stands_last)
{
	cr_expect_eq(run("70000000" N1 "0000 0000 00000000 00 00 0000 0001 c0000201"), -EBADMSG, "an address in a request");
	cr_expect_eq(run("70000000" N1 "0000 0000 00000000 00 00 0000"
			 "4003 0000 07 00 0010 0000 0000 0000 0000 0000 0001 c6336409"), -EBADMSG);
	cr_expect_eq(run(INFO_REP "0000"), -EBADMSG, "nothing in a reply");
	cr_expect_eq(run(INFO_REP "0011 686f737400"), -EBADMSG);
	cr_expect_eq(run(INFO_REP "4003 0000 01 00 0006 0001 c0000201"), -EBADMSG);
	cr_expect_eq(run("70000000" N1 "0000 0041" MAC32 MAC32 "00 00000000 00 00 0000 0000"), -E2BIG);
	cr_expect_eq(run("70000000" N1 "0000 0000 00000000 00 21" EID4 "0000"), -EBADMSG);
}

/* lispers.net writes 16 into the Length of the NAT LCAF, whatever follows. */
Test(info, NAT_LCAF_of_constant_length)
{
	static const char *const replies[] = {
		/* two RTRs, three IPv6 RTRs, a global address and an RTR */
		INFO_REP "4003 0000 07 00 0010 0000 0000 0000 0000 0000 0001 c6336409 0001 c633640a",
		INFO_REP "4003 0000 07 00 0010 0000 0000 0000 0000 0000 0002 20010db8000000000000000000000001"
			 "0002 20010db8000000000000000000000002 0002 20010db8000000000000000000000003",
		INFO_REP "4003 0000 07 00 0010 0000 d431 0001 c0000201 0000 0000 0001 c6336409",
	};
	static const unsigned rtrs[] = { 2, 3, 1 };

	for (size_t i = 0; i < 3; i++) {
		struct octets o = hex_octets(replies[i]);
		struct xtr_lcaf_nat nat;
		struct xtr_addr rtr;
		struct xtr_info m;
		struct xtr_wr w = writer();
		unsigned n = 0;

		cr_assert_eq(xtr_info_decode(o.p, o.len, &m), 0, "%zu", i);
		cr_assert(xtr_lcaf_get_nat(&m.last, &nat));
		for (; xtr_rd_left(&nat.rtrs); n++)
			xtr_addr_decode(&nat.rtrs, &rtr);
		cr_expect_eq(n, rtrs[i]);
		xtr_info_reencode(&w, &m);
		cr_expect_eq(xtr_wr_len(&w), o.len);
		cr_expect_eq(out[24 + 6] << 8 | out[24 + 7], (int)o.len - 24 - 8, "the true length is written");
		cr_expect_eq(ex_info(o.p, o.len), 0);
		cr_expect_eq(ex_info(out, o.len), 0);
		free(o.p);
	}
	/* Another wrong length, or a request, is malformed. */
	cr_expect_eq(run(INFO_REP "4003 0000 07 00 0012 0000 0000 0000 0000 0000 0001 c6336409 0001 c633640a"), -EBADMSG);
	cr_expect_eq(run(INFO_REP "4003 0000 07 00 0010 0000 0000 0000 0000 0000 0001 c6336409 0001 c633"), -EBADMSG);
}
