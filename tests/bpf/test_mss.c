/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The MSS option of TCP SYNs, lowered to what fits the path, in both directions (data-plane.mss-clamp): value and checksum, by
 * options of every order and alignment; what is left alone.
 */
#include "bpf/lab.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define IN ETH(MAC_EID, MAC_HOST)

static unsigned pseudo(const struct layer *ip, unsigned len)
{
	uint8_t a[32];
	bool six = ip->type == L_IP6;

	inet_pton(six ? AF_INET6 : AF_INET, ip->src, a);
	inet_pton(six ? AF_INET6 : AF_INET, ip->dst, a + (six ? 16 : 4));
	return pkt_sum(a, six ? 32 : 8, 6 + len);
}

struct opts {
	const char *name;
	unsigned n;       /* octets, a multiple of 4 */
	unsigned mss_at;  /* of its value; 0: there is none to be found */
	uint8_t b[40];
};
static const struct opts opts[] = {
	{ "alone", 4, 2, { 2, 4, 0x05, 0xb4 } },
	{ "as Linux has it", 20, 2, { 2, 4, 0x05, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7 } },
	{ "last", 20, 18, { 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7, 2, 4, 0x05, 0xb4 } },
	{ "at an odd place", 8, 3, { 1, 2, 4, 0x05, 0xb4, 1, 1, 0 } },
	{ "at an odd place behind others", 12, 8, { 3, 3, 7, 1, 1, 1, 2, 4, 0x05, 0xb4, 1, 0 } },
	{ "behind an unknown one, odd", 12, 9, { 99, 5, 1, 2, 3, 1, 1, 2, 4, 0x05, 0xb4, 0 } },
	{ "in full options", 40, 38, { 99, 36, [36] = 2, 4, 0x05, 0xb4 } },
	{ "none", 4, 0, { 1, 1, 4, 2 } },
	{ "behind the end", 8, 0, { 0, 0, 0, 0, 2, 4, 0x05, 0xb4 } },
	{ "of a wrong length", 4, 0, { 2, 3, 0x05, 0xb4 } },
	{ "cut off", 4, 0, { 1, 1, 2, 4 } },
	{ "behind an option without a length", 8, 0, { 8, 0, 0, 0, 2, 4, 0x05, 0xb4 } },
	{ "behind an option that goes on past the end", 8, 0, { 8, 200, 0, 0, 2, 4, 0x05, 0xb4 } },
	{ "no options", 0, 0, {} },
};

/* TCP header with these options; mss: put in; partial: as local senders leave the checksum. */
static unsigned tcp(uint8_t *out, const struct layer *ip, const struct opts *o, uint8_t flags, int mss, bool partial)
{
	unsigned len = 20 + o->n, s;

	memset(out, 0, 20);
	memcpy(out, (uint8_t[]){ 0x13, 0x88, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2 }, 12);
	out[12] = len / 4 << 4;
	out[13] = flags;
	out[14] = 0xfa;
	memcpy(out + 20, o->b, o->n);
	if (mss >= 0 && o->mss_at) {
		out[20 + o->mss_at] = mss >> 8;
		out[20 + o->mss_at + 1] = mss;
	}
	s = pseudo(ip, len);
	s = partial ? s : ~pkt_sum(out, len, s) & 0xffff;
	out[16] = s >> 8;
	out[17] = s;
	return len;
}

static struct pkt syn(const struct layer *ip, const struct opts *o, uint8_t flags, int mss, bool partial)
{
	uint8_t t[64];
	unsigned n = tcp(t, ip, o, flags, mss, partial);

	return pkt_build((struct layer[]){ IN, *ip, RAW(t, n), {} });
}

static const struct layer ip4 = IP4("10.1.0.10", "10.2.0.20", .proto = 6), ip6 = IP6("fd01::10", "fd06::20", .proto = 6);

static void mss_init(void)
{
	lab_init();
	lab_flags(XTR_CFG_F_MSS_CLAMP);
	for (int id = RLOC4; id <= RLOC6; id++) {
		struct xtr_rloc t = lab_rloc_get(id);

		t.mtu = 1400;
		lab_rloc(id, t);
	}
}

static const enum hook tc_hooks[] = { H_TC_EID, H_TC_XTR0, H_TC_PEER, H_INJECT };

/* 1400 - 36 - 40 and 1400 - 56 - 60. */
Test(mss, lowered_on_the_way_out, .init = mss_init)
{
	const struct layer *ips[] = { &ip4, &ip6 };

	for (unsigned f = 0; f < 2; f++)
		for (unsigned i = 0; i < sizeof(opts) / sizeof(opts[0]); i++)
			for (unsigned k = 0; k < 4; k++) {
				unsigned at = 14 + (f ? 56 + 40 : 36 + 20), fits = f ? 1284 : 1324, n;
				struct pkt p = syn(ips[f], &opts[i], k & 1 ? 0x12 : 0x02, -1, false);
				struct ran r = lab_run(tc_hooks[k], &p, NULL);
				uint8_t want[64];
				char what[96];

				snprintf(what, sizeof(what), "%s, IPv%c on %s", opts[i].name, f ? '6' : '4', hook_name[tc_hooks[k]]);
				cr_assert_eq(r.ret, TC_REDIRECT, "%s: action %d", what, r.ret);
				n = tcp(want, ips[f], &opts[i], k & 1 ? 0x12 : 0x02, fits, false);
				cr_expect(r.out.len == at + n && !memcmp(r.out.b + at, want, n), "%s: TCP header", what);
				cr_expect_eq(r.stats[XTR_STAT_MSS_CLAMPED].packets, !!opts[i].mss_at, "%s: counter", what);
			}
}

Test(mss, never_raised_and_only_in_SYNs, .init = mss_init)
{
	static const int values[] = { 0, 536, 1323, 1324, 1325, 9000, 65535 };
	struct pkt p;
	struct ran r;

	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		p = syn(&ip4, &opts[0], 2, values[i], false);
		r = lab_run(H_TC_EID, &p, NULL);
		cr_expect_eq(r.out.b[92] << 8 | r.out.b[93], values[i] > 1324 ? 1324 : values[i], "%d", values[i]);
		cr_expect_eq(r.stats[XTR_STAT_MSS_CLAMPED].packets, values[i] > 1324);
	}
	p = syn(&ip4, &opts[0], 0x10, -1, false);
	r = lab_run(H_TC_EID, &p, NULL);
	expect_moved(&r, "no SYN", 0, XTR_STAT_ENCAP);
	cr_expect(!memcmp(r.out.b + 70, p.b + 34, 24), "no SYN");
	lab_flags(0);
	p = syn(&ip4, &opts[0], 2, -1, false);
	r = lab_run(H_TC_EID, &p, NULL);
	expect_moved(&r, "switched off", 0, XTR_STAT_ENCAP);
	cr_expect(!memcmp(r.out.b + 70, p.b + 34, 24), "switched off");
	cr_expect_eq(lab_run(H_XDP_EID, &p, NULL).ret, XDP_REDIRECT);
}

Test(mss, xdp_leaves_SYNs_to_tc, .init = mss_init)
{
	struct pkt p = syn(&ip6, &opts[1], 0x02, -1, false), data = syn(&ip6, &opts[1], 0x18, -1, false);
	struct ran r = lab_run(H_XDP_EID, &p, NULL);

	cr_expect_eq(r.ret, XDP_PASS);
	expect_pkt("SYN", &r.out, &p);
	expect_moved(&r, "SYN", 0, XTR_STAT_XDP_TO_TC);
	cr_expect_eq(lab_run(H_XDP_EID, &data, NULL).ret, XDP_REDIRECT);
}

/* A SYN that arrives tells the hosts here how much they may send: to its source, by the locators of that. */
Test(mss, lowered_on_the_way_in, .init = mss_init)
{
	static const struct { struct layer ip; const char *what; unsigned fits; } in[] = {
		{ IP4("10.2.0.20", "10.1.0.10", .proto = 6), "IPv4 locator", 1400 - 36 - 40 },
		{ IP4("10.6.0.20", "10.1.0.10", .proto = 6), "IPv6 locator", 1400 - 56 - 40 },
		{ IP6("fd02::20", "fd01::10", .proto = 6), "IPv6 in IPv4", 1400 - 36 - 60 },
		{ IP4("10.77.0.20", "10.1.0.10", .proto = 6), "unknown: the port it came by has 1600", 0 },
	};
	const struct opts *o = &opts[3];

	for (unsigned i = 0; i < 4; i++) {
		uint8_t t[64], want[64];
		unsigned n = tcp(t, &in[i].ip, o, 0x12, -1, false), at = 14 + (in[i].ip.type == L_IP4 ? 20 : 40);
		struct pkt p = pkt_build((struct layer[]){ ETH(MAC_UNDER, MAC_NEXT), IP4("192.0.2.2", "192.0.2.1"), UDP(0xc001, 4341),
							   LISP(0, 0), in[i].ip, RAW(t, n), {} });
		struct ran r = lab_run(H_TC_UNDER, &p, NULL);

		cr_assert_eq(r.ret, TC_REDIRECT, "%s: action %d", in[i].what, r.ret);
		tcp(want, &in[i].ip, o, 0x12, in[i].fits ? (int)in[i].fits : -1, false);
		cr_expect(!memcmp(r.out.b + at, want, n), "%s: TCP header", in[i].what);
		cr_expect_eq(r.stats[XTR_STAT_MSS_CLAMPED].packets, !!in[i].fits, "%s: counter", in[i].what);
		r = lab_run(H_XDP_UNDER, &p, NULL);
		cr_expect_eq(r.ret, XDP_PASS);
		expect_pkt("left to TC", &r.out, &p);
		expect_moved(&r, "left to TC", 0, XTR_STAT_XDP_TO_TC);
	}
}
