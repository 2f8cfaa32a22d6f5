// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the slow path computes without a kernel: frames from reassembled packets, which ICMP errors quote a packet of ours and
 * what of their claim is believed, token buckets.
 */
#include "dp/internal.h"
#include "net/raw.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

/* ---- ICMP errors */

static unsigned quote4(uint8_t *m, unsigned inner)
{
	static const uint8_t outer[] = { 3, 4, 0, 0, 0, 0, 0x05, 0x78, /* MTU 1400 */
					 0x45, 0, 0x06, 0x00, 0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, /* 1536 */
					 0xc1, 0x02, 0x10, 0xf5, 0x05, 0xec, 0, 0, /* UDP 1516, checksum 0 */
					 0x08, 0, 0, 0, 0, 0, 7, 0 },
			     ip[] = { 0x45, 0, 0x05, 0xdc, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 1, 0, 1, 10, 2, 0, 1, 0, 80, 1, 0 };

	memcpy(m, outer, sizeof(outer));
	memcpy(m + sizeof(outer), ip, sizeof(ip));
	return (unsigned)sizeof(outer) + (inner < sizeof(ip) ? inner : (unsigned)sizeof(ip));
}

Test(dp_quote, says_who_sent_it_and_how_long_it_was)
{
	uint8_t m[128], l4[4] = { 0, 80, 1, 0 };
	struct xtr_dp_quote q;
	struct xtr_ip a, b;
	unsigned n = quote4(m, 99);

	xtr_ip_parse("10.1.0.1", &a);
	xtr_ip_parse("10.2.0.1", &b);
	cr_assert_eq(xtr_dp_quote_read(4, m, n, &q), 0);
	cr_expect_eq(q.mtu, 1400);
	cr_expect_eq(q.len, 1536);
	cr_expect_eq(q.sport, 0xc102);
	cr_expect_eq(q.dport, 4341);
	cr_expect_eq(q.iid, 7);
	cr_expect(q.has_inner);
	cr_expect_arr_eq(&q.inner_src, &a, sizeof(a));
	cr_expect_arr_eq(&q.inner_dst, &b, sizeof(b));
	cr_expect_eq(q.hash, xtr_dp_flow_hash(&a, &b, 6, l4));
	/* the 8 octets of RFC 792 end before the inner packet: nothing is said about it */
	cr_assert_eq(xtr_dp_quote_read(4, m, 8 + 28, &q), 0);
	cr_expect_not(q.has_inner);
	/* nor when the ports are not there */
	cr_assert_eq(xtr_dp_quote_read(4, m, quote4(m, 22), &q), 0);
	cr_expect_not(q.has_inner);
	for (unsigned i = 0; i < 8 + 28; i++)
		cr_expect_eq(xtr_dp_quote_read(4, m, i, &q), -EBADMSG, "%u octets", i);
}

Test(dp_quote, fragments_of_inner_packets_have_no_ports)
{
	uint8_t m[128], none[4] = { 0 };
	struct xtr_dp_quote q;
	unsigned n = quote4(m, 99);

	m[44 + 6] = 0x20; /* more fragments */
	cr_assert_eq(xtr_dp_quote_read(4, m, n, &q), 0);
	cr_expect_eq(q.hash, xtr_dp_flow_hash(&q.inner_src, &q.inner_dst, 6, none));
}

Test(dp_quote, what_we_never_send_is_refused)
{
	static const struct { unsigned at; uint8_t v; const char *what; } t[] = {
		{ 0, 11, "time exceeded" },   { 1, 3, "port unreachable" }, { 8, 0x46, "IPv4 options" },
		{ 8 + 9, 6, "TCP" },	      { 8 + 6, 0x20, "a fragment" }, { 8 + 20 + 5, 0xed, "UDP length" },
		{ 8 + 20 + 6, 1, "checksum" },
	};
	struct xtr_dp_quote q;
	uint8_t m[128];

	for (unsigned i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		unsigned n = quote4(m, 99);

		m[t[i].at] = t[i].v;
		cr_expect_eq(xtr_dp_quote_read(4, m, n, &q), -EBADMSG, "%s", t[i].what);
	}
}

Test(dp_quote, RFC1191_7_1_plateaus_and_bounds)
{
	static const struct { uint8_t family; uint32_t len, mtu; uint16_t want; } t[] = {
		{ 4, 1536, 1400, 1400 }, { 4, 1400, 1400, 0 }, { 4, 1300, 1400, 0 }, /* it would have fitted */
		{ 4, 1500, 0, 1492 },	 { 4, 1492, 0, 1006 }, { 4, 1006, 0, 576 },  { 4, 576, 0, 0 },
		{ 4, 9000, 0, 8166 },	 { 4, 65535, 0, 32000 },
		{ 4, 1500, 68, 576 },	 { 4, 1500, 1, 576 },  { 4, 570, 100, 0 }, /* never below 576 */
		{ 6, 1500, 1400, 1400 }, { 6, 1500, 1280, 1280 },
		{ 6, 1500, 1279, 0 },	 { 6, 1500, 0, 0 }, /* RFC 8201 4: discarded */
		{ 6, 1500, 0x10500, 0 }, { 6, 65575, 65540, 0 },
	};

	for (unsigned i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		cr_expect_eq(xtr_dp_quote_mtu(t[i].family, t[i].len, t[i].mtu), t[i].want, "IPv%u %u octets, MTU %u: %u",
			     t[i].family, t[i].len, t[i].mtu, xtr_dp_quote_mtu(t[i].family, t[i].len, t[i].mtu));
}

/* ---- frames */

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };

static struct xtr_raw_packet packet(const char *src, const char *dst, uint8_t *at, unsigned len)
{
	struct xtr_raw_packet p = { .tos = 0xb9, .ttl = 33, .len = len };

	xtr_ip_parse(src, &p.src);
	xtr_ip_parse(dst, &p.dst);
	memset(at, 0x11, len);
	memcpy(at, "\xc0\x01\x10\xf5", 4);
	at[4] = (uint8_t)(len >> 8);
	at[5] = (uint8_t)len;
	at[6] = at[7] = 0;
	return p;
}

Test(dp_slow, frame_is_what_would_have_come_whole)
{
	uint8_t buf[XTR_DP_SLOW_HEAD + 200], *at = buf + XTR_DP_SLOW_HEAD, *f;
	struct xtr_raw_packet p = packet("192.0.2.2", "192.0.2.1", at, 100);
	static const uint8_t want[] = { 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 8, 0, 0x45, 0xb9, 0, 120, 0, 0, 0x40, 0, 33, 17 };
	unsigned len;

	f = xtr_dp_slow_frame(at, &p, mac, &len);
	cr_assert(f == at - 34);
	cr_expect_eq(len, 134);
	cr_expect_arr_eq(f, want, sizeof(want));
	cr_expect_eq(xtr_dp_fold(xtr_dp_sum(f + 14, 20, 0)), 0xffff, "header checksum");
	p = packet("2001:db8::2", "2001:db8::1", at, 100);
	f = xtr_dp_slow_frame(at, &p, mac, &len);
	cr_assert(f == at - 54);
	cr_expect_arr_eq(f + 12, "\x86\xdd\x6b\x90\0\0\0\x64\x11\x21", 10);
	cr_expect_eq(len, 154);
	at[5] = 80; /* what is behind the UDP length is not part of it */
	f = xtr_dp_slow_frame(at, &p, mac, &len);
	cr_expect_eq(len, 134);
}

Test(dp_slow, RFC9300_5_3_a_checksum_that_is_there_is_right)
{
	uint8_t buf[XTR_DP_SLOW_HEAD + 200], *at = buf + XTR_DP_SLOW_HEAD;
	const char *pair[2][2] = { { "192.0.2.2", "192.0.2.1" }, { "2001:db8::2", "2001:db8::1" } };
	unsigned len;

	for (unsigned k = 0; k < 2; k++) {
		struct xtr_raw_packet p = packet(pair[k][0], pair[k][1], at, 101);
		uint32_t sum = xtr_dp_sum(p.dst.a, k ? 16 : 4, xtr_dp_sum(p.src.a, k ? 16 : 4, 17 + 101));
		uint16_t c = (uint16_t)~xtr_dp_fold(xtr_dp_sum(at, 101, sum));

		at[6] = (uint8_t)(c >> 8);
		at[7] = (uint8_t)(c ^ 1);
		cr_expect_null(xtr_dp_slow_frame(at, &p, mac, &len));
		at[7] = (uint8_t)c;
		cr_expect_not_null(xtr_dp_slow_frame(at, &p, mac, &len));
		cr_expect_eq(at[6] << 8 | at[7], c, "it stays: RFC 9305 4.3.1 asks whether there is one");
	}
}

Test(dp_slow, what_is_no_whole_packet_is_refused)
{
	uint8_t buf[XTR_DP_SLOW_HEAD + 200], *at = buf + XTR_DP_SLOW_HEAD;
	struct xtr_raw_packet p = packet("192.0.2.2", "192.0.2.1", at, 100);
	unsigned len;

	at[5] = 101;
	cr_expect_null(xtr_dp_slow_frame(at, &p, mac, &len), "longer than what came");
	at[5] = 15;
	cr_expect_null(xtr_dp_slow_frame(at, &p, mac, &len), "no room for a LISP header");
	p.len = 7;
	cr_expect_null(xtr_dp_slow_frame(at, &p, mac, &len), "no UDP header");
}

Test(dp_slow, bucket_lets_through_burst_then_rate)
{
	struct xtr_dp_bucket b = { 0 };
	unsigned n = 0;

	for (unsigned i = 0; i < 1000; i++)
		n += xtr_dp_bucket_take(&b, 5000, 100, 50);
	cr_expect_eq(n, 50);
	for (uint64_t t = 5001; t <= 7000; t++)
		n += xtr_dp_bucket_take(&b, t, 100, 50);
	cr_expect_eq(n, 50 + 200);
}
