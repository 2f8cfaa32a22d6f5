/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets that are legal, nearly legal, or unusual. A row each: what comes out of every hook, or under which reason it is
 * dropped, or that it goes on untouched. What test_decap and test_encap have already is not repeated.
 */
#include "bpf/decap_rows.h"
#include "bpf/wire_lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* IPv6 extension headers: next header, length in 8 octets beyond the first 8, and what is in it. */
#define EXT(next, words) RAW(((const __u8[]){ next, words, 1, 4, 0, 0, 0, 0, 1, 4, 0, 0, 0, 0, 0, 0 }), 8 + (words) * 8)
#define FRAG6(next, off, id) RAW(((const __u8[]){ next, 0, (off) >> 8, (off) & 0xff, 0, 0, 0, id }), 8)
static const __u8 lying[8] = { 17, 255 };
#define HOPOPTS 0
#define ROUTING 43
#define FRAGMENT 44
#define DSTOPTS 60
#define UDP_    17

#define PASS (-1)

/* ---- decapsulation. verdict: 0: `out` comes out; PASS; a drop reason. */
static const struct {
	const char *name;
	int verdict;
	struct layer in[MAX_LAYERS];
	struct layer out[MAX_LAYERS];
} decaps[] = {
	{ "outer IPv4 options", PASS, { IN, O4(.options = 1), LU, L5, I4(), TAIL }, {} },
	{ "outer IPv4 options, as many as there can be", PASS, { IN, O4(.options = 10), LU, L5, I6(), TAIL }, {} },
	{ "outer hop-by-hop options", PASS, { IN, O6(.proto = HOPOPTS), EXT(UDP_, 0), LU, L5, I4(), TAIL }, {} },
	{ "outer routing header", PASS, { IN, O6(.proto = ROUTING), EXT(UDP_, 1), LU, L5, I4(), TAIL }, {} },
	{ "outer destination options", PASS, { IN, O6(.proto = DSTOPTS), EXT(UDP_, 0), LU, L5, I4(), TAIL }, {} },
	{ "outer atomic fragment", PASS, { IN, O6(.proto = FRAGMENT), FRAG6(UDP_, 0, 1), LU, L5, I4(), TAIL }, {} },
	{ "outer first fragment of IPv6", PASS, { IN, O6(.proto = FRAGMENT), FRAG6(UDP_, 1, 1), LU, L5, I4(), TAIL }, {} },
	{ "outer later fragment of IPv6 that looks like LISP", PASS, { IN, O6(.proto = FRAGMENT), FRAG6(UDP_, 8, 1), LU, L5, I4(), TAIL }, {} },
	{ "outer later fragment of IPv4 that looks like LISP", PASS, { IN, O4(.frag = 0x0001, .proto = 17), LU, L5, I4(), TAIL }, {} },
	{ "inner IPv4 options", 0, { IN, O4(), LU, L5, I4(.options = 1), TAIL }, { OUT, I4(.options = 1), TAIL } },
	{ "inner hop-by-hop options", 0, { IN, O4(), LU, L5, I6(.proto = HOPOPTS), EXT(UDP_, 0), TAIL }, { OUT, I6(.proto = HOPOPTS), EXT(UDP_, 0), TAIL } },
	{ "inner chain of extension headers", 0,
	  { IN, O6(), LU, L5, I6(.proto = HOPOPTS), EXT(ROUTING, 0), EXT(DSTOPTS, 1), EXT(UDP_, 0), TAIL },
	  { OUT, I6(.proto = HOPOPTS), EXT(ROUTING, 0), EXT(DSTOPTS, 1), EXT(UDP_, 0), TAIL } },
	{ "inner extension header that claims more than there is", 0, { IN, O4(), LU, L5, I6(.proto = DSTOPTS), RAW(lying, 8) },
	  { OUT, I6(.proto = DSTOPTS), RAW(lying, 8) } },
	{ "inner first fragment of IPv4", 0, { IN, O6(), LU, L5, I4(.frag = 0x2000), UDP(1, 2), DATA(24) }, { OUT, I4(.frag = 0x2000), UDP(1, 2), DATA(24) } },
	{ "inner first fragment with LISP in it", 0, { IN, O6(), LU, L5, I4(.frag = 0x2000), UDP(1, 4341), LISP(0, 0), DATA(24) },
	  { OUT, I4(.frag = 0x2000), UDP(1, 4341), LISP(0, 0), DATA(24) } },
	{ "inner later fragment of IPv4", 0, { IN, O4(), LU, L5, I4(.frag = 0x00b9, .proto = 17), DATA(24) }, { OUT, I4(.frag = 0x00b9, .proto = 17), DATA(24) } },
	{ "inner first fragment of IPv6", 0, { IN, O4(), LU, L5, I6(.proto = FRAGMENT), FRAG6(UDP_, 1, 9), UDP(1, 2), DATA(24) },
	  { OUT, I6(.proto = FRAGMENT), FRAG6(UDP_, 1, 9), UDP(1, 2), DATA(24) } },
	{ "inner later fragment of IPv6", 0, { IN, O4(), LU, L5, I6(.proto = FRAGMENT), FRAG6(UDP_, 0x128, 9), DATA(24) },
	  { OUT, I6(.proto = FRAGMENT), FRAG6(UDP_, 0x128, 9), DATA(24) } },
	{ "inner IPv4-mapped source", XTR_DROP_DECAP_ADDRESS, { IN, O6(), LU, L5, IP6("::ffff:10.2.0.20", "fd01::10"), TAIL }, {} },
	{ "inner IPv4-mapped destination", XTR_DROP_DECAP_ADDRESS, { IN, O4(), LU, L5, IP6("fd02::20", "::ffff:10.1.0.10"), TAIL }, {} },
	{ "both TTL 1", 0, { IN, O4(.ttl = 1), LU, L5, I4(.ttl = 1), TAIL }, { OUT, I4(.ttl = 1), TAIL } },
	{ "inner TTL 0 is the stack's to drop", 0, { IN, O6(.ttl = 3), LU, L5, I6(.ttl0 = true), TAIL }, { OUT, I6(.ttl0 = true), TAIL } },
	{ "outer TTL 0", XTR_DROP_DECAP_TTL, { IN, O4(.ttl0 = true), LU, L5, I6(.ttl = 9), TAIL }, {} },
	{ "outer UDP without anything", XTR_DROP_DECAP_TRUNCATED, { IN, O4(), LU }, {} },
	{ "nothing behind LISP", XTR_DROP_DECAP_INNER, { IN, O4(), LU, L5 }, {} },
	{ "nothing behind LISP but Ethernet padding", XTR_DROP_DECAP_INNER, { IN, O4(), LU, L5, PAD(10) }, {} },
	{ "inner UDP of length 8", 0, { IN, O4(), LU, L5, I4(), UDP(1, 2, .csum = true) }, { OUT, I4(), UDP(1, 2, .csum = true) } },
	{ "inner UDP of length 8 to the LISP port", 0, { IN, O4(), LU, L5, I4(), UDP(1, 4341) }, { OUT, I4(), UDP(1, 4341) } },
	{ "inner UDP length 0", 0, { IN, O6(), LU, L5, I6(), UDP(1, 2, .len_add = -28), DATA(20) }, { OUT, I6(), UDP(1, 2, .len_add = -28), DATA(20) } },
	{ "inner UDP longer than its packet", 0, { IN, O4(), LU, L5, I4(), UDP(1, 2, .len_add = 1000), DATA(20) }, { OUT, I4(), UDP(1, 2, .len_add = 1000), DATA(20) } },
	{ "inner UDP header cut", 0, { IN, O4(), LU, L5, I4(.proto = 17), DATA(3) }, { OUT, I4(.proto = 17), DATA(3) } },
	{ "UDP shorter than the IP packet: octets behind it", 0, { IN, O4(.len_add = 5), LU, L5, I4(), TAIL, PAD(5) }, { OUT, I4(), TAIL, PAD(5) } },
	{ "UDP length 15", XTR_DROP_DECAP_TRUNCATED, { IN, O4(), UDP(1, 4341, .len_add = -49), L5, I4(), TAIL }, {} },
	{ "UDP length 65535", XTR_DROP_DECAP_TRUNCATED, { IN, O6(), UDP(1, 4341, .len_add = 65535 - 64), L5, I4(), TAIL }, {} },
	{ "UDP one longer than the IP packet", XTR_DROP_DECAP_TRUNCATED, { IN, O6(), UDP(1, 4341, .len_add = 1), L5, I4(), TAIL, PAD(4) }, {} },
	{ "outer UDP checksum, right", 0, { IN, O6(), UDP(1, 4341, .csum = true), L5, I6(), TAIL }, { OUT, I6(), TAIL } },
	/* data-plane rule 4: a non-zero one may be verified; the inner packet has its own */
	{ "outer UDP checksum, wrong", 0, { IN, O4(), UDP(1, 4341, .partial = true), L5, I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "two LISP headers", 0, { IN, O4(), LU, L5, I6(), UDP(2, 4341), LISP(0, 0), I4(), TAIL }, { OUT, I6(), UDP(2, 4341), LISP(0, 0), I4(), TAIL } },
	{ "three LISP headers", XTR_DROP_DECAP_NESTED,
	  { IN, O6(), LU, L5, I4(), UDP(2, 4341), LISP(0, 0), I6(), UDP(3, 4341), LISP(0, 0), I4() }, {} },
	{ "two LISP headers, the second with nothing behind it", 0, { IN, O4(), LU, L5, I4(), UDP(2, 4341), LISP(0, 0) }, { OUT, I4(), UDP(2, 4341), LISP(0, 0) } },
	{ "inner protocol 255", 0, { IN, O4(), LU, L5, I4(.proto = 255), DATA(1) }, { OUT, I4(.proto = 255), DATA(1) } },
	{ "inner jumbogram (payload length 0, RFC 2675)", XTR_DROP_DECAP_INNER,
	  { IN, O4(), LU, L5, I6(.proto = HOPOPTS, .len_add = -36), EXT(UDP_, 0), TAIL }, {} },
};

Test(oddities, decapsulation, .init = lab_init)
{
	const enum hook hooks[] = { H_TC_UNDER, H_XDP_UNDER, H_SLOW };
	const __u8 nobody[6] = XTR_NOBODY_MAC;

	for (unsigned n = 0; n < 3 * sizeof(decaps) / sizeof(decaps[0]); n++) {
		int v = decaps[n / 3].verdict;
		enum hook h = hooks[n % 3];
		struct pkt p = pkt_build(decaps[n / 3].in), want = v ? p : pkt_build(decaps[n / 3].out);
		struct ran r = lab_run(h, &p, NULL);
		char what[160];

		snprintf(what, sizeof(what), "%s on %s", decaps[n / 3].name, hook_name[h]);
		if (v == PASS && h == H_SLOW)
			v = XTR_DROP_SLOW_BAD;
		if (v > 0) {
			cr_expect_eq(r.ret, h == H_XDP_UNDER ? (int)XDP_DROP : TC_SHOT, "%s: action %d", what, r.ret);
			expect_moved(&r, what, v);
			continue;
		}
		cr_expect_eq(r.ret, h == H_XDP_UNDER ? (int)XDP_PASS : v == PASS ? TC_UNSPEC : TC_REDIRECT, "%s: action %d", what, r.ret);
		if (!v && h == H_XDP_UNDER)
			memcpy(want.b, nobody, 6);
		expect_pkt(what, &r.out, &want);
		if (v == PASS)
			expect_moved(&r, what, 0);
		else if (h == H_TC_UNDER)
			expect_moved(&r, what, 0, XTR_STAT_DECAP);
		else
			expect_moved(&r, what, 0, XTR_STAT_DECAP, h == H_SLOW ? XTR_STAT_SLOW : XTR_STAT_DECAP_XDP);
	}
}

/* ---- encapsulation: at an EID port, where we are the router hop, and at the overlay device and its peer end. 0: it comes out
 * encapsulated; PASS; a drop reason. xdp: XDP leaves it to TC. */
#define EID ETH(MAC_EID, MAC_HOST)
#define S4(...) IP4("10.1.0.10", "10.2.0.20", ##__VA_ARGS__)
#define S6(...) IP6("fd01::10", "fd06::20", ##__VA_ARGS__)

static const struct {
	const char *name;
	int port, overlay;
	bool up;
	struct layer in[MAX_LAYERS];
} encaps[] = {
	{ "IPv4 options", 0, 0, true, { EID, S4(.ttl = 64, .options = 1), TAIL } },
	{ "IPv4 options, as many as there can be, TCP", 0, 0, true, { EID, S4(.ttl = 64, .options = 10), TCP(1, 2), DATA(7) } },
	{ "hop-by-hop options", 0, 0, false, { EID, S6(.ttl = 64, .proto = HOPOPTS), EXT(UDP_, 0), TAIL } },
	{ "chain of extension headers", 0, 0, false, { EID, S6(.ttl = 64, .proto = HOPOPTS), EXT(ROUTING, 0), EXT(DSTOPTS, 1), EXT(UDP_, 0), TAIL } },
	{ "extension header that claims more than there is", 0, 0, false, { EID, S6(.ttl = 64, .proto = DSTOPTS), RAW(lying, 8) } },
	{ "first fragment of IPv4", 0, 0, false, { EID, S4(.ttl = 64, .frag = 0x2000), UDP(1, 2), DATA(24) } },
	{ "later fragment of IPv4", 0, 0, false, { EID, S4(.ttl = 64, .frag = 0x00b9, .proto = 17), DATA(24) } },
	{ "first fragment of IPv6", 0, 0, false, { EID, S6(.ttl = 64, .proto = FRAGMENT), FRAG6(UDP_, 1, 9), UDP(1, 2), DATA(24) } },
	{ "later fragment of IPv6", 0, 0, false, { EID, S6(.ttl = 64, .proto = FRAGMENT), FRAG6(UDP_, 0x128, 9), DATA(24) } },
	{ "IPv4-mapped source", PASS, XTR_DROP_ENCAP_SCOPE, false, { EID, IP6("::ffff:10.1.0.10", "fd06::20", .ttl = 64), TAIL } },
	{ "IPv4-mapped destination", PASS, XTR_DROP_ENCAP_SCOPE, false, { EID, IP6("fd01::10", "::ffff:10.2.0.20", .ttl = 64), TAIL } },
	{ "TTL 1", PASS, 0, false, { EID, S4(.ttl = 1), TAIL } },
	{ "TTL 0", PASS, XTR_DROP_ENCAP_TTL, false, { EID, S4(.ttl0 = true), TAIL } },
	{ "hop limit 1", PASS, 0, false, { EID, S6(.ttl = 1), TAIL } },
	{ "hop limit 0", PASS, XTR_DROP_ENCAP_TTL, false, { EID, S6(.ttl0 = true), TAIL } },
	{ "TTL 2", 0, 0, false, { EID, S4(.ttl = 2), TAIL } },
	{ "TTL 255", 0, 0, false, { EID, S6(.ttl = 255), TAIL } },
	{ "UDP of length 8", 0, 0, false, { EID, S4(.ttl = 64), UDP(1, 2, .csum = true) } },
	{ "UDP length 0", 0, 0, false, { EID, S6(.ttl = 64), UDP(1, 2, .len_add = -28), DATA(20) } },
	{ "UDP longer than its packet", 0, 0, false, { EID, S4(.ttl = 64), UDP(1, 2, .len_add = 1000), DATA(20) } },
	{ "UDP header cut", 0, 0, false, { EID, S4(.ttl = 64, .proto = 17), DATA(7) } },
	{ "TCP header cut", 0, 0, false, { EID, S6(.ttl = 64, .proto = 6), DATA(19) } },
	{ "no payload", 0, 0, false, { EID, S4(.ttl = 64, .proto = 59) } },
	{ "protocol 255", 0, 0, false, { EID, S4(.ttl = 64, .proto = 255), DATA(1) } },
	{ "two LISP headers", 0, 0, false, { EID, S4(.ttl = 64), UDP(2, 4341), LISP(0, 0), S6(), TAIL } },
	{ "three LISP headers", XTR_DROP_ENCAP_NESTED, XTR_DROP_ENCAP_NESTED, true,
	  { EID, S4(.ttl = 64), UDP(2, 4341), LISP(0, 0), S6(), UDP(3, 4341), LISP(0, 0), S4(), TAIL } },
	{ "Ethernet padding", 0, 0, false, { EID, S4(.ttl = 64), UDP(1, 2, .csum = true), DATA(3), PAD(15) } },
	{ "IPv4 header checksum wrong", PASS, 0, false, { EID, S4(.ttl = 64, .check_xor = 0x100), TAIL } },
	{ "IPv4 longer than the frame", PASS, XTR_DROP_ENCAP_MALFORMED, false, { EID, S4(.ttl = 64, .len_add = 1), TAIL } },
	{ "IPv6 longer than the frame", PASS, XTR_DROP_ENCAP_MALFORMED, false, { EID, S6(.ttl = 64, .len_add = 1), TAIL } },
	{ "IPv4 shorter than its header", PASS, XTR_DROP_ENCAP_MALFORMED, false, { EID, S4(.ttl = 64, .len_add = -29), TAIL } },
	{ "IPv4 that says it is version 6", PASS, XTR_DROP_ENCAP_MALFORMED, false, { EID, S4(.ttl = 64, .version = 6), TAIL } },
	{ "IPv6 that says it is version 4", PASS, XTR_DROP_ENCAP_MALFORMED, false, { EID, S6(.ttl = 64, .version = 4), TAIL } },
};

static void check_encap(unsigned n, enum hook h)
{
	bool port = h == H_TC_EID || h == H_XDP_EID, up = h == H_XDP_EID && encaps[n].up;
	int v = up ? PASS : port ? encaps[n].port : encaps[n].overlay;
	struct layer out[MAX_LAYERS + 3] = { ETH(MAC_NEXT, MAC_UNDER), IP4("192.0.2.1", "192.0.2.2"), UDP(0, 4341), LISP(0, 0) };
	struct pkt p = pkt_build(encaps[n].in), want = p;
	struct ran r = lab_run(h, &p, NULL);
	char what[160];

	snprintf(what, sizeof(what), "%s on %s", encaps[n].name, hook_name[h]);
	if (v > 0) {
		cr_expect_eq(r.ret, TC_SHOT, "%s: action %d", what, r.ret);
		expect_moved(&r, what, v);
		return;
	}
	if (v == PASS) {
		cr_expect_eq(r.ret, h == H_XDP_EID ? (int)XDP_PASS : TC_UNSPEC, "%s: action %d", what, r.ret);
		expect_pkt(what, &r.out, &want);
		expect_moved(&r, what, 0, h == H_XDP_EID ? XTR_STAT_XDP_TO_TC : XTR_STAT_PASS);
		return;
	}
	memcpy(out + 4, encaps[n].in + 1, (MAX_LAYERS - 1) * sizeof(out[0]));
	out[4].ttl = encaps[n].in[1].ttl - port;
	if (encaps[n].in[1].type == L_IP6)
		out[1] = (struct layer)IP6("2001:db8::1", "2001:db8::2");
	out[1].ttl = out[4].ttl;
	for (unsigned i = 5; i < MAX_LAYERS + 3; i++)
		if (out[i].type == L_PAD) /* does not travel */
			out[i].type = L_END;
	want = pkt_build(out);
	cr_expect_eq(r.ret, h == H_XDP_EID ? (int)XDP_REDIRECT : TC_REDIRECT, "%s: action %d", what, r.ret);
	take_entropy(&r.out, &want);
	expect_pkt(what, &r.out, &want);
	if (h == H_XDP_EID)
		expect_moved(&r, what, 0, XTR_STAT_ENCAP, XTR_STAT_ENCAP_XDP);
	else
		expect_moved(&r, what, 0, XTR_STAT_ENCAP);
}

Test(oddities, encapsulation, .init = lab_init)
{
	const enum hook hooks[] = { H_TC_EID, H_XDP_EID, H_TC_XTR0, H_TC_PEER };

	for (unsigned n = 0; n < sizeof(encaps) / sizeof(encaps[0]); n++)
		for (unsigned i = 0; i < 4; i++)
			check_encap(n, hooks[i]);
}

/* All fragments of a packet take one way: a later one has no ports, so the first is not hashed by them either. */
Test(oddities, fragments_of_one_packet_have_one_source_port, .init = lab_init)
{
	struct pkt first = PKT(EID, S4(.frag = 0x2000), UDP(7, 8), DATA(24)), later = PKT(EID, S4(.frag = 0x0004, .proto = 17), DATA(24));
	struct ran a = lab_run(H_TC_EID, &first, NULL), b = lab_run(H_XDP_EID, &later, NULL);

	cr_expect(!memcmp(a.out.b + 34, b.out.b + 34, 2));
}

/* ---- frames shorter than any test run takes: octet for octet past both hooks, seen by the filter behind ours */

Test(oddities, truncated_frames_from_the_first_octet_on, .init = lab_init)
{
	struct pkt forms[] = { PKT(IN, O4(), LU, L5, I4(), TAIL), PKT(IN, O6(), LU, L5, I6(), TAIL), PKT(EID, S4(), TAIL), PKT(EID, S6(), TAIL) };
	int wire = open_port("underx"), host = open_port("eidx"), behind;

	cr_assert_eq(system("ip link add seen type veth peer name seenx; ip link set seen addrgenmode none up; ip link set seenx addrgenmode none up"), 0);
	behind = open_port("seenx");
	attach_tc(lab.skel->progs.xtr_tc_underlay, lab.under, BPF_TC_INGRESS);
	attach_tc(lab.skel->progs.xtr_tc_encap, lab.eid, BPF_TC_INGRESS);
	if (system("for d in under eid; do tc filter add dev $d ingress prio 60000 protocol all matchall action mirred egress redirect dev seen; done 2>/dev/null"))
		cr_skip_test("no tc action mirred");
	for (unsigned xdp = 0; xdp < 3; xdp++) {
		attach_xdp(lab.under, xdp ? lab.skel->progs.xtr_xdp_under : NULL, xdp == 1 ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);
		attach_xdp(lab.eid, xdp ? lab.skel->progs.xtr_xdp_eid : NULL, xdp == 1 ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);
		for (unsigned f = 0; f < 4; f++)
			/* up to the UDP header of LISP, or the inner header at a port */
			for (unsigned n = 14; n < 14u + (f & 1 ? 40 : 20) + (f < 2 ? 8 : 0); n++) {
				struct pkt cut = forms[f], got;
				struct ran r = lab_count_start();

				cut.len = n;
				put_frame(f < 2 ? wire : host, NULL, &cut);
				got = take_frame(behind, NULL, COMES);
				lab_count_end(&r);
				cr_expect(pkt_differ(&got, &cut) < 0, "XDP %u, form %u cut to %u: came out as %u octets", xdp, f, n, got.len);
				cr_expect(!ran_dropped(&r), "form %u cut to %u: %s", f, n, ran_dropped(&r));
			}
	}
}

/* ---- large frames */

static void big_world(void)
{
	lab_init();
	cr_assert_eq(system("ip link set underx mtu 9100; ip link set under mtu 9100; ip link set eidx mtu 9100; ip link set eid mtu 9100"), 0);
	attach_tc(lab.skel->progs.xtr_tc_underlay, lab.under, BPF_TC_INGRESS);
}

Test(oddities, jumbo_frames_are_decapsulated, .init = big_world)
{
	const __u32 modes[] = { 0, XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE };
	int wire = open_port("underx"), overlay = open_port("xtr0");

	for (unsigned n = 0; n < 3 * 4 * 3; n++) {
		static const unsigned sizes[] = { 3000, 4050, 9000 };
		unsigned mode = n / 12, size = sizes[n / 4 % 3];
		struct layer in[] = { IN, O4(), LU, L5, I4(.ttl = 9), UDP(53, 5000, .csum = true), DATA(size - 100), {} };
		struct layer out[] = { OUT, I4(.ttl = 9), UDP(53, 5000, .csum = true), DATA(size - 100), {} };
		struct pkt p, want, got;
		struct ran r;

		if (n & 1)
			in[1] = (struct layer)O6();
		if (n & 2)
			in[4] = out[1] = (struct layer)I6(.ttl = 9);
		p = pkt_build(in);
		want = pkt_build(out);
		attach_xdp(lab.under, mode ? lab.skel->progs.xtr_xdp_under : NULL, modes[mode]);
		r = lab_count_start();
		put_frame(wire, NULL, &p);
		got = take_frame(overlay, NULL, COMES);
		lab_count_end(&r);
		cr_expect(pkt_differ(&got, &want) < 0, "mode %u, %u octets, form %u: octet %d of %u", mode, size, n & 3, pkt_differ(&got, &want), got.len);
		cr_expect_eq(r.stats[XTR_STAT_DECAP].packets, 1);
		cr_expect(!ran_dropped(&r), "%s", ran_dropped(&r));
	}
}

Test(oddities, jumbo_frames_that_are_not_ours_stay_as_they_are, .init = big_world)
{
	const __u32 modes[] = { XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE };
	int wire = open_port("underx"), under;
	struct pkt p = PKT(IN, O4(), UDP(1, 4340), DATA(8900)), got;

	for (unsigned i = 0; i < 2; i++) {
		attach_xdp(lab.under, lab.skel->progs.xtr_xdp_under, modes[i]);
		under = open_port("under");
		put_frame(wire, NULL, &p);
		got = take_frame(under, NULL, COMES);
		expect_pkt("jumbo", &got, &p);
		close(under);
	}
}

/* Its lengths lie about octets that are in another buffer, or in none. */
Test(oddities, jumbo_frames_that_are_cut, .init = big_world)
{
	struct pkt p = PKT(IN, O4(), LU, L5, I4(), UDP(53, 5000), DATA(8900));
	int wire = open_port("underx"), overlay = open_port("xtr0");

	attach_xdp(lab.under, lab.skel->progs.xtr_xdp_under, XDP_FLAGS_DRV_MODE);
	for (unsigned cut = 1; cut < 9000; cut *= 3) {
		struct pkt q = p;
		struct ran r = lab_count_start();

		q.len -= cut;
		put_frame(wire, NULL, &q);
		cr_expect_eq(take_frame(overlay, NULL, 50).len, 0);
		lab_count_end(&r);
		cr_expect_eq(r.drops[XTR_DROP_DECAP_TRUNCATED], 1, "cut by %u", cut);
	}
}

/* ---- checksums in every state an skb may have them */

static int app(int family)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(5000) };
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(5000) };
	int fd = socket(family, SOCK_DGRAM, 0);

	inet_pton(AF_INET, "10.1.0.10", &a4.sin_addr);
	inet_pton(AF_INET6, "fd01::10", &a6.sin6_addr);
	cr_assert_eq(family == AF_INET ? bind(fd, (struct sockaddr *)&a4, sizeof(a4)) : bind(fd, (struct sockaddr *)&a6, sizeof(a6)), 0,
		     "bind: %s", strerror(errno));
	return fd;
}

static void app_world(void)
{
	big_world();
	cr_assert_eq(system("sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.xtr0.rp_filter=0 net.ipv6.conf.xtr0.accept_dad=0;"
			    "for d in all xtr0; do sysctl -qw net.ipv6.conf.$d.disable_ipv6=0; done; ip addr add 10.1.0.10/32 dev xtr0;"
			    "ip addr add fd01::10/128 dev xtr0 nodad; ip route add default via 169.254.0.1 dev xtr0 onlink;"
			    "ip -6 route add default via fe80::1 dev xtr0 onlink;"
			    "for a in 169.254.0.1 fe80::1; do ip neigh add $a lladdr 02:00:00:00:00:03 dev xtr0; done"), 0);
}

/* TTL and traffic class change on the way in, so a checksum over the whole packet has to follow. */
#define CSUM_IN(o, i) PKT(IN, o, LU, L5, i, UDP(53, 5000, .csum = true), DATA(900))

Test(oddities, inner_checksum_yet_to_be_done, .init = app_world)
{
	const __u32 modes[] = { 0, XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE };
	int wire = open_port("underx");

	for (unsigned n = 0; n < 12; n++) {
		bool six = n & 1;
		unsigned start = 14 + (n & 2 ? 56 : 36) + (six ? 40 : 20);
		struct layer in[] = { IN, O4(.ttl = 5, .tos = 0x48), LU, L5, I4(.ttl = 9), UDP(53, 5000, .partial = true), DATA(900), {} };
		struct virtio_net_hdr v = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = start, .csum_offset = 6 };
		struct timeval tv = { .tv_sec = 3 };
		int fd = app(six ? AF_INET6 : AF_INET);
		char buf[1000];
		struct pkt p;

		if (n & 2)
			in[1] = (struct layer)O6(.ttl = 5, .tos = 0x48);
		if (six)
			in[4] = (struct layer)I6(.ttl = 9);
		p = pkt_build(in);
		attach_xdp(lab.under, n / 4 ? lab.skel->progs.xtr_xdp_under : NULL, modes[n / 4]);
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
		put_frame(wire, &v, &p);
		cr_expect_eq(recv(fd, buf, sizeof(buf), 0), 900, "mode %u, form %u", n / 4, n & 3);
		close(fd);
	}
}

/* A VXLAN device with checked outer checksums hands up packets with a checksum over all of them (CHECKSUM_COMPLETE). */
Test(oddities, checksum_over_the_whole_packet, .init = app_world)
{
	struct xtr_iface port = lab_iface_get(lab.under);
	int wire = open_port("underx"), vx;

	cr_assert_eq(system("ip addr add 198.51.100.1/24 dev under; ip link add vx address 02:00:00:00:00:01 mtu 2000 type vxlan id 9 "
			    "local 198.51.100.1 remote 198.51.100.2 dstport 4789 udpcsum noudp6zerocsumrx dev under && ip link set vx addrgenmode none up"), 0);
	attach_xdp(lab.under, NULL, 0);
	vx = if_nametoindex("vx");
	lab_iface(vx, port);
	attach_tc(lab.skel->progs.xtr_tc_underlay, vx, BPF_TC_INGRESS);
	for (unsigned n = 0; n < 8; n++) {
		struct layer in[] = { ETH(MAC_UNDER, MAC_NEXT), IP4("198.51.100.2", "198.51.100.1"), UDP(3, 4789, .csum = true), LISP(0x08000000, 9 << 8),
				      IN, O4(.ttl = 5, .tos = 0x48), LU, L5, I4(.ttl = 9), UDP(53, 5000, .csum = true), DATA(900), {} };
		struct timeval tv = { .tv_sec = 3 };
		int fd = app(n & 1 ? AF_INET6 : AF_INET);
		struct ran r = lab_count_start();
		char buf[1000];
		struct pkt p;

		if (n & 2)
			in[5] = (struct layer)O6(.ttl = 5, .tos = 0x48);
		if (n & 1)
			in[8] = (struct layer)I6(.ttl = 9);
		p = pkt_build(in);
		attach_xdp(vx, n & 4 ? lab.skel->progs.xtr_xdp_under : NULL, XDP_FLAGS_SKB_MODE);
		port.flags = n & 4 ? XTR_IF_F_XDP_GENERIC : 0; /* as the daemon says it */
		lab_iface(vx, port);
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
		put_frame(wire, NULL, &p);
		cr_expect_eq(recv(fd, buf, sizeof(buf), 0), 900, "form %u", n);
		lab_count_end(&r);
		cr_expect_eq(r.stats[n & 4 ? XTR_STAT_DECAP_XDP : XTR_STAT_DECAP].packets, 1);
		close(fd);
	}
	cr_expect_neq(system("dmesg 2>/dev/null | tail -n 50 | grep -q 'vx: hw csum failure'"), 0, "the checksum did not follow the change");
}

/* What a local socket sends: with the port's transmit checksums on, the inner one is left to the device; with them off, done. */
Test(oddities, local_sender_with_checksum_offload_on_and_off, .init = app_world)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int wire = open_port("underx"), fd = app(AF_INET);
	const __u8 data[64] = { 1, 2, 3 };

	attach_xdp(lab.under, NULL, 0);
	attach_tc(lab.skel->progs.xtr_tc_encap, lab.xtr0, BPF_TC_EGRESS);
	lab_iface(lab.xtr0, (struct xtr_iface){ .role = XTR_ROLE_OVERLAY, .slot = 1, .peer = lab.peer, .mac = MAC_BYTES(MAC_XTR0) });
	inet_pton(AF_INET, "10.2.0.20", &to.sin_addr);
	for (unsigned off = 0; off < 2; off++) {
		struct pkt want = PKT(ETH(MAC_NEXT, MAC_UNDER), IP4("192.0.2.1", "192.0.2.2"), UDP(0, 4341), LISP(0, 0),
				      IP4("10.1.0.10", "10.2.0.20"), UDP(5000, 9, .csum = off, .partial = !off), RAW(data, sizeof(data))), got = {};
		struct virtio_net_hdr v = {};

		cr_assert_eq(system(off ? "ethtool -K under tx off >/dev/null" : "ethtool -K under tx on >/dev/null"), 0);
		cr_assert_eq(sendto(fd, data, sizeof(data), 0, (struct sockaddr *)&to, sizeof(to)), (ssize_t)sizeof(data));
		for (int n = 0; n < 10; n++) {
			got = take_frame(wire, &v, COMES);
			if (!got.len || got.len == want.len)
				break;
		}
		cr_assert_eq(got.len, want.len, "%u octets", got.len);
		take_entropy(&got, &want);
		memcpy(want.b + 50 + 4, got.b + 50 + 4, 2); /* identification */
		memcpy(want.b + 50 + 10, got.b + 50 + 10, 2);
		expect_pkt(off ? "off" : "on", &got, &want);
		cr_expect_eq(v.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM, off ? 0 : VIRTIO_NET_HDR_F_NEEDS_CSUM);
	}
}

/* Super-packets whose last segment is odd, or of one octet. */
Test(oddities, tcp_super_packets_with_odd_tails, .init = lab_init)
{
	const unsigned sizes[] = { 1001, 1999, 2001, 2999, 3000, 3333 };
	int xtr0 = open_port("xtr0"), wire = open_port("underx");

	attach_xdp(lab.under, NULL, 0);
	attach_tc(lab.skel->progs.xtr_tc_encap, lab.xtr0, BPF_TC_EGRESS);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct pkt p = PKT(ETH(MAC_XTR0, MAC_XTR0), S4(), TCP(1, 2, .partial = true), DATA(sizes[i])), got;
		struct pkt want = PKT(ETH(MAC_NEXT, MAC_UNDER), IP4("192.0.2.1", "192.0.2.2"), UDP(0, 4341), LISP(0, 0), S4(),
				      TCP(1, 2, .partial = true), DATA(sizes[i]));
		struct virtio_net_hdr v = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1000,
					    .hdr_len = 54, .csum_start = 34, .csum_offset = 16 };

		put_frame(xtr0, &v, &p);
		got = take_frame(wire, &v, COMES);
		take_entropy(&got, &want);
		expect_pkt("super-packet", &got, &want);
		cr_expect_eq(v.gso_size, 1000, "%u octets: gso_size %u", sizes[i], v.gso_size);
	}
}
