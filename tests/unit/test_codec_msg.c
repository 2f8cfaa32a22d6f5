// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Control messages: what we write octet by octet, round trips of every type and form, what is refused, limits. The first
 * part is one table of whole messages; each is decoded, walked, encoded again, cut at every octet, made one octet
 * longer, and tried with every bit turned.
 */
#include "unit/codec_msg_lab.h"

#include <criterion/criterion.h>

static const struct { const char *name, *hex; } messages[] = {
	{ "Map-Request", MREQ },
	{ "Map-Request, all flags but M and I", "1bc06001" N1 "0001 0a020001 0001 c0000201 00 20 0001 0a010001" },
	{ "Map-Request, two ITR-RLOCs, two records",
	  "10000102" N1 "0000 0001 c0000201 0002 20010db8000000000000000000000001 00 20 0001 0a010001 00 18" EID4 },
	{ "Map-Request with M", "14000001" N1 "0000 0001 c0000201 00 20 0001 0a010001" REC1 },
	{ "subscription", "10100001" N1 "0000 0001 c0000201 80 10" EID4 IDS },
	{ "subscription with M", "14100001" N1 "0000 0001 c0000201 80 10" EID4 REC2 IDS },
	{ "unsubscription", "10100001" N1 "0000 0000 80 10" EID4 IDS },
	{ "Map-Request for (S,G)",
	  "10000001" N1 "0000 0001 c0000201 00 20 4003 0000 09 00 0014 00000000 0000 20 20 0001 c0000201 0001 e9fc0001" },
	{ "Map-Request with a key exchange around the ITR-RLOC",
	  "10000001" N1 "0000 4003 0000 0b 00 0010 01 00 03 00 0004 01020304 0001 c0000201 00 20 0001 0a010001" },
	{ "Map-Request, an ITR-RLOC of an unknown type beside a usable one",
	  "10000101" N1 "0000 4003 0000 aa 00 0002 0102 0001 c0000201 00 20 0001 0a010001" },
	{ "Map-Reply", "20000001" N1 REC1 },
	{ "Map-Reply, P, E, two records and a negative", "2c000003" N1 REC1 REC2 NEG },
	{ "Map-Reply without records", "20000000" N1 },
	{ "Map-Reply with a locator of an unknown type",
	  "20000001" N1 "0000000a 02 10 1000 0000" EID4 "01 64 ff 00 0005 4003 0000 aa 00 0001 07" RLOC },
	{ "Map-Reply with an RLE",
	  "20000001" N1 "0000000a 01 10 1000 0000" EID4 "01 64 ff 00 0005 4003 0000 0d 00 000a 0000 00 80 0001 c6336401" },
	{ "Map-Reply with LISP-SEC data",
	  "22000001" N1 REC1 "01000000 0018 0002 01 00 0002 00 10" EID4 "01020304 05060708 0014 0002" "00112233445566778899aabbccddeeff" },
	{ "Map-Register", "38000101" N1 "00 02 0020" MAC32 REC1 },
	{ "Map-Register, all flags", "3e001d02" N1 "07 01 0014" MAC20 REC1 REC2 IDS },
	{ "Map-Register, withdrawal", "30000101" N1 "00 03 0020" MAC32 "00000000 00 10 0000 0000" EID4 },
	{ "Map-Register without authentication", "38000101" N1 "00 00 0000" REC1 },
	{ "Map-Notify", "40000001" N1 "00 02 0020" MAC32 REC1 },
	{ "Map-Notify with I and R", "4c000002" N1 "00 02 0020" MAC32 REC2 REC1 IDS },
	{ "Map-Notify-Ack", "50000001" N1 "00 02 0010 00000000000000000000000000000000" REC1 },
	{ "Map-Notify-Ack without records", "50000000" N1 "00 02 0020" MAC32 },
	{ "ECM, inner IPv4, checksum 0", "80000000" IP4H "10f6 10f6 0024 0000" MREQ },
	{ "ECM, inner IPv6, checksum 0",
	  "80000000 60000000 0024 11 40 20010db8000000000000000000000001 20010db8000000000000000000000002 d431 10f6 0024 0000" MREQ },
	{ "ECM with LISP-SEC data, D, E, M",
	  "8f000000 01000002 0018 01 02 0000000000000000 00112233445566778899aabbccddeeff 0004 0002"
	  IP4H "10f6 10f6 0024 0000" MREQ },
	{ "ECM with MS-RTR data, a Map-Notify in it",
	  "88000000 02000000 0001 0004 01020304 4500 0048 0000 4000 40 11 6ea2 c0000201 0a010001 10f6 10f6 0034 0000"
	  "40000001" N1 "00 00 0000" REC1 },
	{ "Info-Request", "70000000" N1 "0000 0000 00000000 00 00 0000 0000" },
	{ "Info-Request with a host name", "70000000" N1 "0000 0000 00000000 00 00 0000 0011 686f737400" },
	{ "Info-Request, authenticated", "70000000" N1 "00 02 0020" MAC32 "0000003c 00 10" EID4 "0000" },
	{ "Info-Reply", "78000000" N1 "0000 0000 00000000 00 00 0000"
			"4003 0000 07 00 0018 10f6 d431 0001 c0000201 0001 c0000202 0000 0001 c6336409" },
};
#define MESSAGES (sizeof(messages) / sizeof(messages[0]))

Test(msg, every_form_round_trips)
{
	for (size_t i = 0; i < MESSAGES; i++)
		cr_expect_eq(run(messages[i].hex), 0, "%s: %d", messages[i].name, run(messages[i].hex));
}

Test(msg, every_form_needs_all_its_octets_and_no_more)
{
	for (size_t i = 0; i < MESSAGES; i++) {
		struct octets o = hex_octets(messages[i].hex), part;
		int r;

		for (size_t n = 0; n < o.len; n++) {
			part = cut(&o, n);
			r = ex_message(part.p, n);
			cr_expect(r == -EBADMSG || r == -E2BIG, "%s cut to %zu of %zu: %d", messages[i].name, n, o.len, r);
			free(part.p);
		}
		part = (struct octets){ malloc(o.len + 1), o.len + 1 };
		memcpy(part.p, o.p, o.len);
		part.p[o.len] = 0;
		cr_expect_eq(ex_message(part.p, part.len), -EBADMSG, "%s and an octet", messages[i].name);
		free(part.p);
		free(o.p);
	}
}

/* Whatever comes out, all promises of exercise.h hold. */
Test(msg, every_form_with_any_bit_turned)
{
	unsigned accepted = 0, refused = 0;

	for (size_t i = 0; i < MESSAGES; i++) {
		struct octets o = hex_octets(messages[i].hex);

		for (size_t bit = 0; bit < o.len * 8; bit++) {
			o.p[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
			if (ex_message(o.p, o.len))
				refused++;
			else
				accepted++;
			o.p[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		}
		free(o.p);
	}
	cr_expect(accepted > 1000 && refused > 1000, "%u accepted, %u refused", accepted, refused);
}

Test(msg, types)
{
	const uint8_t octet[1] = { 0x8f };

	cr_expect_eq(xtr_msg_type(octet, 1), XTR_MSG_ECM);
	cr_expect_eq(xtr_msg_type(octet, 0), -EBADMSG);
	cr_expect_str_eq(xtr_msg_name(XTR_MSG_MAP_NOTIFY_ACK), "Map-Notify-Ack");
	for (int t = -1; t < 20; t++)
		cr_expect_eq(strcmp(xtr_msg_name(t), "unknown") != 0, (t >= 1 && t <= 8) || t == 15, "%d", t);
	/* A decoder takes only its own type. */
	cr_expect_eq(run("0" "0000000" N1), -EPROTONOSUPPORT);
	cr_expect_eq(run("60000000" N1), -EPROTONOSUPPORT);
	cr_expect_eq(run("90000000" N1), -EPROTONOSUPPORT);
	cr_expect_eq(run("f0000000" N1), -EPROTONOSUPPORT);
}

/* ---- Map-Request */

Test(map_request, as_an_ITR_sends_it)
{
	struct xtr_ip rlocs[2] = { ip_of("192.0.2.1"), ip_of("2001:db8::1") };
	struct xtr_eid_prefix source = eid_of("10.2.0.1"), eid = eid_of("[100]10.1.0.1/32");
	struct xtr_mreq_out m = { .nonce = 0x0102030405060708, .source_eid = &source, .itr_rlocs = rlocs,
				  .itr_rloc_count = 2, .eid = &eid };
	struct xtr_wr w = writer();

	xtr_map_request_encode(&w, &m);
	cr_expect(wrote(&w, "10000101 0102030405060708 0001 0a020001 0001 c0000201"
			    "0002 20010db8000000000000000000000001 00 20 4003 0000 02 00 000a 00000064 0001 0a010001"));
	cr_expect_eq(ex_map_request(out, xtr_wr_len(&w)), 0);
}

Test(map_request, probe_SMR_and_subscription)
{
	struct xtr_ip rloc = ip_of("192.0.2.1");
	struct xtr_eid_prefix eid = eid_of("10.1.0.0/16");
	const uint8_t xtr_id[16] = { 1, [15] = 2 }, site_id[8] = { 3, [7] = 4 };
	struct xtr_mreq_out m = { .flags = XTR_MREQ_P, .nonce = 1, .itr_rlocs = &rloc, .itr_rloc_count = 1, .eid = &eid };
	struct xtr_map_request d;
	struct xtr_mreq_record rec;
	struct xtr_rd it = { 0 };
	struct xtr_wr w = writer();

	xtr_map_request_encode(&w, &m);
	cr_expect(wrote(&w, "12000001" N1 "0000 0001 c0000201 00 10" EID4), "probe: no source EID");
	m.flags = XTR_MREQ_S | XTR_MREQ_D;
	m.source_eid = &eid;
	w = writer();
	xtr_map_request_encode(&w, &m);
	cr_expect(wrote(&w, "11002001" N1 EID4 "0001 c0000201 00 10" EID4), "SMR");
	m = (struct xtr_mreq_out){ .flags = XTR_MREQ_I, .nonce = 1, .itr_rlocs = &rloc, .itr_rloc_count = 1, .eid = &eid,
				   .subscribe = true, .xtr_id = xtr_id, .site_id = site_id };
	w = writer();
	xtr_map_request_encode(&w, &m);
	cr_expect(wrote(&w, "10100001" N1 "0000 0001 c0000201 80 10" EID4
			    "01000000000000000000000000000002 0300000000000004"), "RFC 9437 4");
	cr_assert_eq(xtr_map_request_decode(out, xtr_wr_len(&w), &d), 0);
	cr_expect(d.flags == XTR_MREQ_I && xtr_mreq_record_next(&d, &it, &rec) && rec.subscribe && rec.mask_len == 16);
	cr_expect(!memcmp(d.xtr_id, xtr_id, 16) && !memcmp(d.site_id, site_id, 8));
}

Test(map_request, every_flag_both_ways)
{
	static const struct { uint32_t flag; const char *word; } flags[] = {
		{ XTR_MREQ_A, "18000001" }, { XTR_MREQ_P, "12000001" }, { XTR_MREQ_S, "11000001" },
		{ XTR_MREQ_PITR, "10800001" }, { XTR_MREQ_SMR_INVOKED, "10400001" }, { XTR_MREQ_L, "10004001" },
		{ XTR_MREQ_D, "10002001" }, { 0, "10000001" },
	};
	struct xtr_eid_prefix eid = eid_of("10.1.0.1/32");
	struct xtr_ip rloc = ip_of("192.0.2.1");
	struct xtr_map_request d;
	char hex[256];

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		struct xtr_mreq_out m = { .flags = flags[i].flag, .nonce = 1, .itr_rlocs = &rloc, .itr_rloc_count = 1,
					  .eid = &eid };
		struct xtr_wr w = writer();

		snprintf(hex, sizeof(hex), "%s%s", flags[i].word, N1 "0000 0001 c0000201 00 20 0001 0a010001");
		xtr_map_request_encode(&w, &m);
		cr_expect(wrote(&w, hex));
		cr_assert_eq(xtr_map_request_decode(out, xtr_wr_len(&w), &d), 0);
		cr_expect_eq(d.flags, flags[i].flag);
	}
	/* Reserved: R, bits 12-16, and 7 bits of the record. */
	struct octets o = hex_octets("102f8001" N1 "0000 0001 c0000201 7f 20 0001 0a010001");

	cr_expect(!xtr_map_request_decode(o.p, o.len, &d) && d.flags == 0);
	free(o.p);
}

Test(map_request, number_of_ITR_RLOCs)
{
	struct xtr_ip rlocs[XTR_ITR_RLOCS_MAX + 1];
	struct xtr_eid_prefix eid = eid_of("10.1.0.1/32");
	struct xtr_mreq_out m = { .itr_rlocs = rlocs, .eid = &eid };
	struct xtr_map_request d;
	struct xtr_wr w;

	for (unsigned i = 0; i <= XTR_ITR_RLOCS_MAX; i++)
		rlocs[i] = ip_of("2001:db8::1");
	for (unsigned n = 0; n <= XTR_ITR_RLOCS_MAX + 1; n++) {
		m.itr_rloc_count = (uint8_t)n;
		w = writer();
		xtr_map_request_encode(&w, &m);
		if (n < 1 || n > XTR_ITR_RLOCS_MAX) {
			cr_expect_eq(w.err, -EINVAL);
			continue;
		}
		cr_assert_eq(w.err, 0);
		cr_assert_eq(xtr_map_request_decode(out, xtr_wr_len(&w), &d), 0);
		cr_expect_eq(d.itr_rloc_count, n);
	}
}

Test(map_request, RFC9301_5_2_nothing_to_answer_to)
{
	cr_expect_eq(run("10000001" N1 "0000 0000 00 20 0001 0a010001"), -EBADMSG, "AFI 0");
	cr_expect_eq(run("10000001" N1 "0000 0011 6100 00 20 0001 0a010001"), -EBADMSG, "a name");
	cr_expect_eq(run("10000001" N1 "0000 4003 0000 aa 00 0000 00 20 0001 0a010001"), -EBADMSG, "an unknown LCAF");
	cr_expect_eq(run("10000101" N1 "0000 0000 0000 80 20 0001 0a010001"), -EBADMSG,
		     "unsubscribing has exactly one ITR-RLOC (RFC 9437 5)");
	cr_expect_eq(run("10000101" N1 "0000 0000 0001 c0000201 00 20 0001 0a010001"), 0, "one of two is enough");
}

Test(map_request, RFC9437_5_I_without_identifiers)
{
	cr_expect_eq(run("10100001" N1 "0000 0001 c0000201 80 10" EID4), -EBADMSG);
	cr_expect_eq(run("10000001" N1 "0000 0001 c0000201 80 10" EID4 IDS), -EBADMSG, "and identifiers without I");
}

Test(map_request, unknown_things)
{
	cr_expect_eq(run("10000001" N1 "0003 0001 c0000201 00 20 0001 0a010001"), -EAFNOSUPPORT);
	cr_expect_eq(run("10000001" N1 "0000 0001 c0000201 00 20 0063 0a010001"), -EAFNOSUPPORT);
	cr_expect_eq(run("10000001" N1 "0000 0001 c0000201 00 20 4003 0000 aa 00 0000"), -EPROTONOSUPPORT,
		     "an EID of an unknown type only (RFC 9306 3)");
	cr_expect_eq(run("10000101" N1 "0000 4003 0000 ff 00 0004 00123456 0001 c0000201 00 20 0001 0a010001"),
		     -EPROTONOSUPPORT, "vendor type (RFC 9306 4)");
}

Test(map_request, mask_wider_than_the_EID)
{
	cr_expect_eq(run("10000001" N1 "0000 0001 c0000201 00 21 0001 0a010001"), -EBADMSG);
	cr_expect_eq(run("10000001" N1 "0000 0001 c0000201 00 81 0002 20010db8000000000000000000000001"), -EBADMSG);
	cr_expect_eq(run("10000001" N1 "0000 0001 c0000201 00 31 4005 000102030405"), -EBADMSG);
	cr_expect_eq(run("10000001" N1 "0000 0001 c0000201 00 21 4003 0000 02 00 000a 00000005 0001 0a010001"), -EBADMSG);
	cr_expect_eq(run("10000001" N1 "0000 0001 c0000201 00 20 4003 0000 02 00 000a 00000005 0001 0a010001"), 0);
}

/* ---- Map-Reply, records and locators */

Test(map_reply, as_an_ETR_and_a_Map_Server_send_it)
{
	struct xtr_record_head h = { .ttl = 10, .authoritative = true, .map_version = 0x123 };
	struct xtr_eid_prefix eid = eid_of("10.1.0.0/16"), hole = eid_of("[5]10.2.0.0/15");
	struct xtr_ip a = ip_of("192.0.2.1"), b = ip_of("2001:db8::1");
	struct xtr_wr w = writer();
	size_t mark;

	xtr_map_reply_begin(&w, true, false, 1, 1);
	mark = xtr_put_record_begin(&w, &h, &eid);
	xtr_put_locator(&w, 1, 100, 255, 0, true, true, true, &a);
	xtr_put_locator(&w, 254, 0, 1, 2, false, false, false, &b);
	xtr_put_record_end(&w, mark, 2);
	cr_expect(wrote(&w, "28000001" N1 "0000000a 02 10 1000 0123 0001 0a010000"
			    "01 64 ff 00 0007 0001 c0000201 fe 00 01 02 0000 0002 20010db8000000000000000000000001"));
	cr_expect_eq(ex_map_reply(out, xtr_wr_len(&w)), 0);

	w = writer();
	h = (struct xtr_record_head){ .ttl = 15, .act = 1 };
	xtr_map_reply_begin(&w, false, true, 1, 1);
	mark = xtr_put_record_begin(&w, &h, &hole);
	xtr_put_record_end(&w, mark, 0);
	cr_expect(wrote(&w, "24000001" N1 "0000000f 00 0f 2000 0000 4003 0000 02 00 000a 00000005 0001 0a020000"),
		  "negative: natively forward");
	cr_expect_eq(ex_map_reply(out, xtr_wr_len(&w)), 0);
}

Test(map_reply, fields_of_records_and_locators)
{
	struct octets o = hex_octets("20000002" N1 "ffffffff 01 10 f000 ffff" EID4 "fe 63 01 02 fffa 0001 c0000201" NEG);
	struct xtr_map_reply m;
	struct xtr_record r;
	struct xtr_locator l;
	struct xtr_rd it = { 0 };

	cr_assert_eq(xtr_map_reply_decode(o.p, o.len, &m), 0);
	cr_assert(xtr_record_next(&m.records, &r));
	cr_expect(r.ttl == 0xffffffff && r.locator_count == 1 && r.mask_len == 16 && r.act == 7 && r.authoritative &&
		  r.map_version == 0xfff);
	cr_expect_eq(xtr_act_read(r.act), 0, "unassigned (RFC 9301 5.4)");
	cr_assert(xtr_locator_next(&r, &it, &l));
	cr_expect(l.priority == 254 && l.weight == 99 && l.mpriority == 1 && l.mweight == 2);
	cr_expect(!l.local && l.probed && !l.reachable, "unused flags are ignored");
	cr_expect(!xtr_locator_next(&r, &it, &l));
	cr_assert(xtr_record_next(&m.records, &r));
	it = (struct xtr_rd){ 0 };
	cr_expect(r.act == 1 && !r.locator_count && !xtr_locator_next(&r, &it, &l));
	cr_expect(!xtr_record_next(&m.records, &r));
	free(o.p);
}

Test(map_reply, LISP_SEC_data)
{
	cr_expect_eq(run("22000001" N1 REC1), -EBADMSG, "S and nothing there");
	cr_expect_eq(run("22000001" N1 REC1 "02000000 00040002 00040002"), -EPROTONOSUPPORT, "unknown AD type");
	cr_expect_eq(run("22000001" N1 REC1 "01000000 00040002 00040002"), 0);
	cr_expect_eq(run("22000001" N1 REC1 "01000000 00030002 00040002"), -EBADMSG, "the length counts itself");
	cr_expect_eq(run("22000001" N1 REC1 "01000000 000300 00040002"), -EBADMSG, "and the identifier after it");
	cr_expect_eq(run("22000001" N1 REC1 "01000000 00040002 00050002"), -EBADMSG);
	cr_expect_eq(run("22000001" N1 REC1 "01000000 00040002 00040002 00"), -EBADMSG);
	cr_expect_eq(run("20000001" N1 REC1 "01000000 00040002 00040002"), -EBADMSG, "there and no S");
}

Test(map_reply, unknown_things)
{
	struct octets o = hex_octets("20000001" N1 "0000000a 02 10 1000 0000" EID4
				     "01 64 ff 00 0005 4003 0000 aa 00 0001 07" RLOC);
	struct xtr_map_reply m;
	struct xtr_record r;
	struct xtr_locator l;
	struct xtr_rd it = { 0 };

	/* RFC 9306 3: the address is ignored, not the message. */
	cr_assert_eq(xtr_map_reply_decode(o.p, o.len, &m), 0);
	cr_assert(xtr_record_next(&m.records, &r) && xtr_locator_next(&r, &it, &l) && l.addr.unknown);
	cr_assert(xtr_locator_next(&r, &it, &l) && !l.addr.unknown);
	free(o.p);
	cr_expect_eq(run("20000001" N1 "0000000a 00 10 1000 0000 4003 0000 aa 00 0001 07"), -EPROTONOSUPPORT);
	cr_expect_eq(run("20000001" N1 "0000000a 01 10 1000 0000" EID4 "01 64 ff 00 0005 0005 00"), -EAFNOSUPPORT);
	cr_expect_eq(run("20000001" N1 "0000000a 01 10 1000 0000" EID4 "01 64 ff 00 0005 4003 0000 ff 00 0004 00000001"),
		     -EPROTONOSUPPORT);
}

/* As many as the format can count. */
Test(map_reply, counts_of_the_format)
{
	struct xtr_record_head h = { .ttl = 1 };
	struct xtr_eid_prefix eid = eid_of("10.1.0.0/16");
	struct xtr_ip ip = ip_of("192.0.2.1");
	size_t size = 65507, mark;
	uint8_t *big = malloc(size + 1);
	struct xtr_wr w = xtr_wr_init(big, size);

	xtr_map_reply_begin(&w, false, false, 255, 1);
	for (unsigned i = 0; i < 255; i++) {
		unsigned n = i ? 17 : 255;

		mark = xtr_put_record_begin(&w, &h, &eid);
		for (unsigned l = 0; l < n; l++)
			xtr_put_locator(&w, 1, 1, 1, 1, 1, 0, 1, &ip);
		xtr_put_record_end(&w, mark, (uint8_t)n);
	}
	cr_assert_eq(w.err, 0);
	cr_expect_eq(ex_map_reply(big, xtr_wr_len(&w)), 0);
	big[3] = 254;
	cr_expect_eq(ex_map_reply(big, xtr_wr_len(&w)), -EBADMSG, "a record too many");
	big[3] = 255;
	cr_expect_eq(ex_map_reply(big, xtr_wr_len(&w) - 1), -EBADMSG);
	cr_expect_eq(ex_map_reply(big, size + 1), -E2BIG, "more than a datagram");
	free(big);
}

/* ---- Map-Register, Map-Notify, Map-Notify-Ack */

static const uint8_t psk[] = "password";

static size_t put_register(uint8_t type, uint8_t alg, uint32_t flags)
{
	struct xtr_register_out m = { .type = type, .flags = flags, .nonce = 1, .key_id = 7, .alg_id = alg, .record_count = 1 };
	struct xtr_record_head h = { .ttl = 10, .authoritative = true };
	struct xtr_eid_prefix eid = eid_of("[100]10.1.0.0/16");
	const uint8_t xtr_id[16] = { 0xaa }, site_id[8] = { 0xbb };
	struct xtr_ip ip = ip_of("192.0.2.1");
	struct xtr_wr w = writer();
	size_t mark;

	xtr_register_begin(&w, &m);
	mark = xtr_put_record_begin(&w, &h, &eid);
	xtr_put_locator(&w, 1, 100, 255, 0, true, false, true, &ip);
	xtr_put_record_end(&w, mark, 1);
	if (flags & XTR_REG_I)
		xtr_put_ids(&w, xtr_id, site_id);
	cr_assert_eq(w.err, 0);
	cr_assert_eq(xtr_auth_sign(out, xtr_wr_len(&w), 16, (size_t)xtr_auth_len(alg), type, alg, 1, psk, 8), 0);
	return xtr_wr_len(&w);
}

static int verify(const struct xtr_register *m)
{
	return xtr_auth_verify(m->msg, m->msg_len, m->auth_off, m->auth_len, m->type, m->alg_id, m->nonce, psk, 8);
}

Test(reg, RFC9301_5_6_built_signed_verified_read)
{
	for (uint8_t type = XTR_MSG_MAP_REGISTER; type <= XTR_MSG_MAP_NOTIFY_ACK; type++) {
		for (uint8_t alg = XTR_AUTH_SHA1; alg <= XTR_AUTH_SHA256_HKDF; alg++) {
			uint32_t flags = type == XTR_MSG_MAP_REGISTER ? XTR_REG_P | XTR_REG_I | XTR_REG_M : XTR_REG_I;
			size_t len = put_register(type, alg, flags);
			struct xtr_eid_prefix eid, want = eid_of("[100]10.1.0.0/16");
			struct xtr_register m;
			struct xtr_record r;

			cr_assert_eq(xtr_register_decode_head(out, len, &m), 0);
			cr_expect(m.type == type && m.flags == flags && m.nonce == 1 && m.key_id == 7 && m.alg_id == alg);
			cr_expect(m.auth_off == 16 && m.auth_len == xtr_auth_len(alg));
			cr_expect(!xtr_register_peek_eid(&m, &eid) && xtr_eid_equal(&eid, &want));
			cr_expect_eq(verify(&m), 0);
			cr_assert_eq(xtr_register_decode_body(&m), 0);
			cr_expect(m.has_ids && m.xtr_id[0] == 0xaa && m.site_id[0] == 0xbb);
			cr_expect(xtr_record_next(&m.records, &r) && r.ttl == 10 && !xtr_record_next(&m.records, &r));
			cr_expect_eq(ex_register(out, len), 0);
			out[len - 1] ^= 1; /* the Site-ID is covered, too */
			cr_expect_eq(verify(&m), -EACCES);
		}
	}
}

Test(reg, octets_of_a_Map_Register)
{
	size_t len = put_register(XTR_MSG_MAP_REGISTER, XTR_AUTH_SHA256, XTR_REG_P | XTR_REG_I | XTR_REG_M);
	struct xtr_wr w = xtr_wr_init(out, sizeof(out));

	memset(out + 16, 0, 32);
	xtr_wr_reserve(&w, 0);
	w.p = out + len;
	cr_expect(wrote(&w, "3a000101" N1 "07 02 0020" MAC32 "0000000a 01 10 1000 0000 4003 0000 02 00 000a 00000064" EID4
			    RLOC "aa000000000000000000000000000000 bb00000000000000"));
}

Test(reg, every_flag_both_ways)
{
	static const struct { uint8_t type; uint32_t flag; const char *word; } flags[] = {
		{ 3, XTR_REG_P, "38000000" }, { 3, XTR_REG_S, "34000000" }, { 3, XTR_REG_I, "32000000" },
		{ 3, XTR_REG_E, "30001000" }, { 3, XTR_REG_T, "30000800" }, { 3, XTR_REG_MERGE, "30000400" },
		{ 3, XTR_REG_M, "30000100" }, { 4, XTR_REG_I, "48000000" }, { 4, XTR_REG_RTR, "44000000" },
		{ 5, XTR_REG_I, "58000000" }, { 5, 0, "50000000" },
		/* flags of one type mean nothing in another */
		{ 4, XTR_REG_P | XTR_REG_M, "40000000" }, { 3, XTR_REG_RTR, "30000000" },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		struct xtr_register_out m = { .type = flags[i].type, .flags = flags[i].flag, .nonce = 1 };
		struct xtr_wr w = writer();
		struct xtr_register d;
		char hex[64];

		snprintf(hex, sizeof(hex), "%s%s", flags[i].word, N1 "00000000");
		xtr_register_begin(&w, &m);
		cr_expect(wrote(&w, hex), "%zu", i);
		cr_assert_eq(xtr_register_decode_head(out, xtr_wr_len(&w), &d), 0);
		cr_expect_eq(d.flags, i < 11 ? flags[i].flag : 0, "%zu", i);
	}
}

Test(reg, reserved_bits_are_ignored)
{
	struct octets o = hex_octets("31ffe200" N1 "00000000");
	struct xtr_register m;

	cr_expect(!xtr_register_decode_head(o.p, o.len, &m) && m.flags == 0 && !xtr_register_decode_body(&m));
	free(o.p);
}

Test(reg, head_does_not_look_at_records)
{
	/* The first record is good, the second is not: nothing of that before the MAC was checked. */
	struct octets o = hex_octets("30000002" N1 "00 02 0020" MAC32 REC1 "0000000a 01 40 1000 0000" EID4);
	struct xtr_eid_prefix eid, want = eid_of("10.1.0.0/16");
	struct xtr_register m;

	cr_assert_eq(xtr_register_decode_head(o.p, o.len, &m), 0);
	cr_expect(!xtr_register_peek_eid(&m, &eid) && xtr_eid_equal(&eid, &want));
	cr_expect_eq(xtr_register_decode_body(&m), -EBADMSG);
	free(o.p);
}

Test(reg, what_cannot_be_peeked_at)
{
	static const char *const bad[] = {
		"30000000" N1 "00000000",                                                    /* no record */
		"30000001" N1 "00000000 0000000a 01",                                        /* cut */
		"30000001" N1 "00000000 0000000a 01 10 1000 0000 0001 0a01",
		"30000001" N1 "00000000 0000000a 01 10 1000 0000 0063 0a010000",             /* AFI */
		"30000001" N1 "00000000 0000000a 01 21 1000 0000" EID4,                      /* mask-len */
		"30000001" N1 "00000000 0000000a 01 10 1000 0000 4003 0000 aa 00 0000",      /* LCAF */
		"30000001" N1 "00000000 0000000a 01 10 1000 0000 0000",                      /* none */
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct octets o = hex_octets(bad[i]);
		struct xtr_eid_prefix eid;
		struct xtr_register m;

		cr_assert_eq(xtr_register_decode_head(o.p, o.len, &m), 0);
		cr_expect_eq(xtr_register_peek_eid(&m, &eid), -EBADMSG, "%s", bad[i]);
		free(o.p);
	}
}

Test(reg, authentication_data_is_limited)
{
	uint8_t msg[16 + 80] = { 0x30, [13] = 0, [15] = XTR_AUTH_MAX };
	struct xtr_register m;

	cr_expect_eq(xtr_register_decode_head(msg, sizeof(msg), &m), 0);
	msg[15] = XTR_AUTH_MAX + 1;
	cr_expect_eq(xtr_register_decode_head(msg, sizeof(msg), &m), -E2BIG);
	msg[14] = 0xff;
	cr_expect_eq(xtr_register_decode_head(msg, sizeof(msg), &m), -E2BIG);
	cr_expect_eq(xtr_register_decode_head(msg, 0, &m), -EBADMSG);
	msg[0] = 0x20;
	cr_expect_eq(xtr_register_decode_head(msg, sizeof(msg), &m), -EPROTONOSUPPORT);
}

Test(reg, writer_refuses_what_it_does_not_know)
{
	struct xtr_register_out m = { .type = XTR_MSG_MAP_REGISTER, .alg_id = 4 };
	struct xtr_wr w = writer();

	xtr_register_begin(&w, &m);
	cr_expect_eq(w.err, -EPROTONOSUPPORT);
	m = (struct xtr_register_out){ .type = XTR_MSG_MAP_REPLY };
	w = writer();
	xtr_register_begin(&w, &m);
	cr_expect_eq(w.err, -EINVAL);
}
