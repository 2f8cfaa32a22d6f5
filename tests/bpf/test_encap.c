/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Encapsulation, octet for octet, by one table on every hook that encapsulates (RFC 9300 4.2, 5.3; RFC 6040 4.1).
 * Where we are the router hop (EID ports) the input carries the TTL before it; on the overlay device the kernel has
 * decremented already, so there the same case is fed with one less and has to give the same octets.
 */
#include "bpf/lab.h"
#include "dp/internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define ENCAP_HOOKS (ON(H_TC_EID) | ON(H_XDP_EID) | ON(H_TC_XTR0) | ON(H_TC_PEER) | ON(H_INJECT) | ON(H_INJECT_XTR0))
#define IN  ETH(MAC_EID, MAC_HOST)
#define OUT ETH(MAC_NEXT, MAC_UNDER)
#define OUT4(...) IP4("192.0.2.1", "192.0.2.2", ##__VA_ARGS__)
#define OUT6(...) IP6("2001:db8::1", "2001:db8::2", ##__VA_ARGS__)
#define OUTU UDP(0, 4341)

static bool router_hop(enum hook h)
{
	return h == H_TC_EID || h == H_XDP_EID || h == H_INJECT;
}

struct encap_case {
	const char *name;
	__u32 iid;
	__u32 flags;    /* XTR_CFG_F_* */
	unsigned not;   /* hooks it does not hold for */
	struct layer in[MAX_LAYERS];
	struct layer out[MAX_LAYERS];
};

static const struct encap_case encap_cases[] = {
	{ "IPv4 in IPv4, instance 0: all-zero LISP header", 0, 0, 0,
	  { IN, IP4("10.1.0.10", "10.2.0.20", .ttl = 64), UDP(5000, 53, .csum = true), DATA(20) },
	  { OUT, OUT4(.ttl = 63), OUTU, LISP(0, 0), IP4("10.1.0.10", "10.2.0.20", .ttl = 63), UDP(5000, 53, .csum = true), DATA(20) } },
	{ "IPv4 in IPv4, instance 5", IID_A, 0, 0,
	  { IN, IP4("10.1.0.10", "10.2.0.20", .ttl = 64), UDP(5000, 53), DATA(20) },
	  { OUT, OUT4(.ttl = 63), OUTU, LISP(0x08000000, 5 << 8), IP4("10.1.0.10", "10.2.0.20", .ttl = 63), UDP(5000, 53), DATA(20) } },
	{ "IPv4 in IPv4, instance 0xfffffe", IID_B, 0, 0,
	  { IN, IP4("10.1.0.10", "10.2.0.20", .ttl = 64), UDP(5000, 53), DATA(20) },
	  { OUT, OUT4(.ttl = 63), OUTU, LISP(0x08000000, 0xfffffe00), IP4("10.1.0.10", "10.2.0.20", .ttl = 63), UDP(5000, 53), DATA(20) } },
	{ "IPv6 in IPv4", IID_A, 0, 0,
	  { IN, IP6("fd01::10", "fd02::20", .ttl = 9), TCP(5000, 80), DATA(33) },
	  { OUT, OUT4(.ttl = 8), OUTU, LISP(0x08000000, 5 << 8), IP6("fd01::10", "fd02::20", .ttl = 8), TCP(5000, 80), DATA(33) } },
	{ "IPv4 in IPv6", IID_A, 0, 0,
	  { IN, IP4("10.1.0.10", "10.6.0.20", .ttl = 255), TCP(5000, 80), DATA(1) },
	  { OUT, OUT6(.ttl = 254), OUTU, LISP(0x08000000, 5 << 8), IP4("10.1.0.10", "10.6.0.20", .ttl = 254), TCP(5000, 80), DATA(1) } },
	{ "IPv6 in IPv6", 0, 0, 0,
	  { IN, IP6("fd01::10", "fd06::20", .ttl = 64), UDP(5000, 80, .csum = true), DATA(7) },
	  { OUT, OUT6(.ttl = 63), OUTU, LISP(0, 0), IP6("fd01::10", "fd06::20", .ttl = 63), UDP(5000, 80, .csum = true), DATA(7) } },
	{ "IPv6 in IPv6, instance 0xfffffe, its own flow label stays", IID_B, 0, 0,
	  { IN, IP6("fd01::10", "fd06::20", .ttl = 64, .flow = 0xabcde, .tos = 0xb9), UDP(5000, 80, .csum = true), DATA(7) },
	  { OUT, OUT6(.ttl = 63, .tos = 0xb9), OUTU, LISP(0x08000000, 0xfffffe00),
	    IP6("fd01::10", "fd06::20", .ttl = 63, .flow = 0xabcde, .tos = 0xb9), UDP(5000, 80, .csum = true), DATA(7) } },
	{ "DSCP and ECN are copied: EF, ECT(0)", IID_A, 0, 0,
	  { IN, IP4("10.1.0.10", "10.2.0.20", .tos = 0xba), UDP(1, 2), DATA(4) },
	  { OUT, OUT4(.ttl = 63, .tos = 0xba), OUTU, LISP(0x08000000, 5 << 8), IP4("10.1.0.10", "10.2.0.20", .ttl = 63, .tos = 0xba),
	    UDP(1, 2), DATA(4) } },
	{ "ECN is copied: CE", IID_A, 0, 0,
	  { IN, IP6("fd01::10", "fd02::20", .tos = 0x03), UDP(1, 2, .csum = true), DATA(4) },
	  { OUT, OUT4(.ttl = 63, .tos = 0x03), OUTU, LISP(0x08000000, 5 << 8), IP6("fd01::10", "fd02::20", .ttl = 63, .tos = 0x03),
	    UDP(1, 2, .csum = true), DATA(4) } },
	{ "ECN is copied: ECT(1), into IPv6", IID_A, 0, 0,
	  { IN, IP4("10.1.0.10", "10.6.0.20", .tos = 0x29), UDP(1, 2), DATA(4) },
	  { OUT, OUT6(.ttl = 63, .tos = 0x29), OUTU, LISP(0x08000000, 5 << 8), IP4("10.1.0.10", "10.6.0.20", .ttl = 63, .tos = 0x29),
	    UDP(1, 2), DATA(4) } },
	{ "ECN compatibility mode: outer Not-ECT, DSCP copied", IID_A, XTR_CFG_F_ECN_COMPAT, 0,
	  { IN, IP4("10.1.0.10", "10.2.0.20", .tos = 0xbb), UDP(1, 2), DATA(4) },
	  { OUT, OUT4(.ttl = 63, .tos = 0xb8), OUTU, LISP(0x08000000, 5 << 8), IP4("10.1.0.10", "10.2.0.20", .ttl = 63, .tos = 0xbb),
	    UDP(1, 2), DATA(4) } },
	{ "the last TTL that goes through", IID_A, 0, 0,
	  { IN, IP4("10.1.0.10", "10.2.0.20", .ttl = 2), UDP(1, 2), DATA(4) },
	  { OUT, OUT4(.ttl = 1), OUTU, LISP(0x08000000, 5 << 8), IP4("10.1.0.10", "10.2.0.20", .ttl = 1), UDP(1, 2), DATA(4) } },
	{ "the inner DF bit, identification and odd lengths are left alone", IID_A, 0, 0,
	  { IN, IP4("10.1.0.10", "10.2.0.20", .id = 0xfffe, .no_df = true), UDP(1, 2), DATA(3) },
	  { OUT, OUT4(.ttl = 63), OUTU, LISP(0x08000000, 5 << 8), IP4("10.1.0.10", "10.2.0.20", .ttl = 63, .id = 0xfffe, .no_df = true),
	    UDP(1, 2), DATA(3) } },
	{ "Ethernet padding does not travel", IID_A, 0, 0,
	  { IN, IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(4), PAD(14) },
	  { OUT, OUT4(.ttl = 63), OUTU, LISP(0x08000000, 5 << 8), IP4("10.1.0.10", "10.2.0.20", .ttl = 63), UDP(1, 2), DATA(4) } },
	{ "an IPv4 packet with options", IID_A, 0, ON(H_XDP_EID),
	  { IN, IP4("10.1.0.10", "10.2.0.20", .options = 3), UDP(1, 2), DATA(4) },
	  { OUT, OUT4(.ttl = 63), OUTU, LISP(0x08000000, 5 << 8), IP4("10.1.0.10", "10.2.0.20", .ttl = 63, .options = 3),
	    UDP(1, 2), DATA(4) } },
	{ "a first fragment", IID_A, 0, 0,
	  { IN, IP4("10.1.0.10", "10.2.0.20", .frag = 0x2000), UDP(1, 2), DATA(40) },
	  { OUT, OUT4(.ttl = 63), OUTU, LISP(0x08000000, 5 << 8), IP4("10.1.0.10", "10.2.0.20", .ttl = 63, .frag = 0x2000),
	    UDP(1, 2), DATA(40) } },
	{ "ICMP", IID_A, 0, 0,
	  { IN, IP4("10.1.0.10", "10.2.0.20", .proto = 1), DATA(8) },
	  { OUT, OUT4(.ttl = 63), OUTU, LISP(0x08000000, 5 << 8), IP4("10.1.0.10", "10.2.0.20", .ttl = 63, .proto = 1), DATA(8) } },
	{ "an IPv6 packet with an extension header", IID_A, 0, 0,
	  { IN, IP6("fd01::10", "fd02::20", .proto = 60), DATA(24) },
	  { OUT, OUT4(.ttl = 63), OUTU, LISP(0x08000000, 5 << 8), IP6("fd01::10", "fd02::20", .ttl = 63, .proto = 60), DATA(24) } },
	{ "nothing behind the IP header", IID_A, 0, 0,
	  { IN, IP4("10.1.0.10", "10.2.0.20", .proto = 17) },
	  { OUT, OUT4(.ttl = 63), OUTU, LISP(0x08000000, 5 << 8), IP4("10.1.0.10", "10.2.0.20", .ttl = 63, .proto = 17) } },
	{ "LISP data between other routers is a packet like any", IID_A, 0, 0,
	  { IN, IP4("10.1.0.10", "10.2.0.20"), UDP(0xc001, 4341), LISP(0, 0), IP4("1.2.3.4", "5.6.7.8"), DATA(4) },
	  { OUT, OUT4(.ttl = 63), OUTU, LISP(0x08000000, 5 << 8), IP4("10.1.0.10", "10.2.0.20", .ttl = 63), UDP(0xc001, 4341),
	    LISP(0, 0), IP4("1.2.3.4", "5.6.7.8"), DATA(4) } },
};

/* The input as the hook sees it. */
static struct pkt input(const struct encap_case *c, enum hook h)
{
	struct layer in[MAX_LAYERS];

	memcpy(in, c->in, sizeof(in));
	if (!router_hop(h))
		in[1].ttl = (in[1].ttl ?: 64) - 1;
	return pkt_build(in);
}

static void check_encap(const struct encap_case *c, enum hook h)
{
	struct pkt in = input(c, h), want = pkt_build(c->out);
	struct ran r = lab_run(h, &in, NULL);
	char what[160];

	snprintf(what, sizeof(what), "%s on %s", c->name, hook_name[h]);
	cr_expect_eq(r.ret, h == H_XDP_EID ? XDP_REDIRECT : TC_REDIRECT, "%s: action %d", what, r.ret);
	take_entropy(&r.out, &want);
	expect_pkt(what, &r.out, &want);
	if (h == H_XDP_EID)
		expect_moved(&r, what, 0, XTR_STAT_ENCAP, XTR_STAT_ENCAP_XDP);
	else if (h == H_INJECT || h == H_INJECT_XTR0)
		expect_moved(&r, what, 0, XTR_STAT_ENCAP, XTR_STAT_INJECT);
	else
		expect_moved(&r, what, 0, XTR_STAT_ENCAP);
	cr_expect_eq(r.stats[XTR_STAT_ENCAP].octets, in.len - 14 - (c->in[4].type == L_PAD ? c->in[4].n : 0), "%s: octets", what);
}

Test(encap, octet_for_octet_on_every_hook, .init = lab_init)
{
	for (unsigned i = 0; i < sizeof(encap_cases) / sizeof(encap_cases[0]); i++) {
		const struct encap_case *c = &encap_cases[i];

		lab_iid(c->iid);
		lab_flags(c->flags);
		for (int h = 0; h < H_MAX; h++)
			if ((ENCAP_HOOKS & ~c->not) & ON(h))
				check_encap(c, h);
	}
}

/* RFC 1624: the incremental update at the edges of ones' complement. The identification makes any checksum. */
Test(encap, RFC1624_header_checksum_at_its_edges, .init = lab_init)
{
	static const unsigned edges[] = { 0x0000, 0x0001, 0x00ff, 0x0100, 0xfdff, 0xfefe, 0xfeff, 0xff00, 0xff01, 0xfffe };
	const enum hook hooks[] = { H_TC_EID, H_XDP_EID };
	unsigned hit = 0;

	for (unsigned id = 0; id < 0x10000; id++) {
		struct layer in[] = { IN, IP4("10.1.0.10", "10.2.0.20", .id = id), {} };
		struct layer out[] = { OUT, OUT4(.ttl = 63), OUTU, LISP(0, 0), IP4("10.1.0.10", "10.2.0.20", .id = id, .ttl = 63), {} };
		struct pkt p = pkt_build(in), want = pkt_build(out);
		unsigned sum = p.b[24] << 8 | p.b[25], is_edge = 0;

		for (unsigned i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
			is_edge |= sum == edges[i];
		if (!is_edge)
			continue;
		hit++;
		for (unsigned k = 0; k < 2; k++) {
			struct ran r = lab_run(hooks[k], &p, NULL);

			take_entropy(&r.out, &want);
			expect_pkt("edge", &r.out, &want);
		}
	}
	cr_expect_eq(hit, sizeof(edges) / sizeof(edges[0]), "%u edges", hit);
}

/* ---- the flow hash (data plane: RFC 9300 12) */

static unsigned sport(enum hook h, const struct layer *in)
{
	struct pkt p = pkt_build(in);
	struct ran r = lab_run(h, &p, NULL);

	cr_assert(r.ret == (h == H_XDP_EID ? (int)XDP_REDIRECT : TC_REDIRECT), "not encapsulated on %s", hook_name[h]);
	return r.out.b[34] << 8 | r.out.b[35];
}

#define FLOW(...) ((const struct layer[]){ IN, __VA_ARGS__, {} })

Test(encap, source_port_is_the_flow_on_every_hook, .init = lab_init)
{
	const struct layer flow[] = { IN, IP4("10.1.0.10", "10.2.0.20"), TCP(1000, 80), DATA(4), {} };
	const struct layer six[] = { IN, IP6("fd01::10", "fd02::20"), UDP(1000, 80), DATA(4), {} };
	unsigned port = sport(H_TC_EID, flow), port6 = sport(H_TC_EID, six);

	for (int h = 0; h < H_MAX; h++)
		if (ENCAP_HOOKS & ON(h)) {
			cr_expect_eq(sport(h, flow), port, "IPv4 on %s", hook_name[h]);
			cr_expect_eq(sport(h, six), port6, "IPv6 on %s", hook_name[h]);
		}
	/* other contents, TTL, DSCP: the same flow */
	cr_expect_eq(sport(H_TC_EID, FLOW(IP4("10.1.0.10", "10.2.0.20", .ttl = 8, .tos = 0x20), TCP(1000, 80, .flags = 2), DATA(40))), port);
}

Test(encap, source_port_depends_on_addresses_protocol_and_ports, .init = lab_init)
{
	unsigned base = sport(H_TC_EID, FLOW(IP4("10.1.0.10", "10.2.0.20"), UDP(1000, 80), DATA(4)));

	cr_expect_neq(sport(H_TC_EID, FLOW(IP4("10.1.0.11", "10.2.0.20"), UDP(1000, 80), DATA(4))), base, "source");
	cr_expect_neq(sport(H_TC_EID, FLOW(IP4("10.1.0.10", "10.2.0.21"), UDP(1000, 80), DATA(4))), base, "destination");
	cr_expect_neq(sport(H_TC_EID, FLOW(IP4("10.1.0.10", "10.2.0.20"), UDP(1001, 80), DATA(4))), base, "source port");
	cr_expect_neq(sport(H_TC_EID, FLOW(IP4("10.1.0.10", "10.2.0.20"), UDP(1000, 81), DATA(4))), base, "destination port");
	cr_expect_neq(sport(H_TC_EID, FLOW(IP4("10.1.0.10", "10.2.0.20"), TCP(1000, 80), DATA(4))), base, "protocol");
	cr_expect_neq(sport(H_TC_EID, FLOW(IP4("10.1.0.10", "10.2.0.20"), SCTP(1000, 80), DATA(4))),
		      sport(H_TC_EID, FLOW(IP4("10.1.0.10", "10.2.0.20"), SCTP(1001, 80), DATA(4))), "SCTP ports");
}

Test(encap, fragments_and_other_protocols_hash_without_ports, .init = lab_init)
{
	const enum hook hooks[] = { H_TC_EID, H_XDP_EID };

	for (unsigned i = 0; i < 2; i++) {
		enum hook h = hooks[i];
		unsigned first = sport(h, FLOW(IP4("10.1.0.10", "10.2.0.20", .frag = 0x2000), UDP(1000, 80), DATA(40)));

		cr_expect_eq(sport(h, FLOW(IP4("10.1.0.10", "10.2.0.20", .frag = 0x2000), UDP(7, 9), DATA(40))), first, "first fragments");
		cr_expect_eq(sport(h, FLOW(IP4("10.1.0.10", "10.2.0.20", .frag = 0x0006, .proto = 17), DATA(20))), first, "last fragment");
		cr_expect_eq(sport(h, FLOW(IP6("fd01::10", "fd02::20", .proto = 44), DATA(24))),
			     sport(h, FLOW(IP6("fd01::10", "fd02::20", .proto = 44), DATA(80))), "IPv6 fragments");
		cr_expect_eq(sport(h, FLOW(IP4("10.1.0.10", "10.2.0.20", .proto = 1), DATA(8))),
			     sport(h, FLOW(IP4("10.1.0.10", "10.2.0.20", .proto = 1), PAD(0), DATA(80))), "ICMP");
	}
}

/* Full 14 bits are in use, and evenly. */
Test(encap, source_ports_spread_evenly, .init = lab_init)
{
	unsigned bin[16] = {};

	for (unsigned i = 0; i < 1600; i++)
		bin[(sport(H_XDP_EID, FLOW(IP4("10.1.0.10", "10.2.0.20"), UDP(1000 + i, 80), DATA(4))) >> 10) & 15]++;
	for (unsigned i = 0; i < 16; i++)
		cr_expect(bin[i] > 60 && bin[i] < 140, "ports 0x%x000: %u of 1600", 0xc + i / 4, bin[i]);
}

/* ---- locators */

Test(encap, weighted_buckets_choose_the_locator, .init = lab_init)
{
	struct xtr_rset set = { .n = 2, .rloc = { RLOC4, RLOC6 } };
	struct xtr_ip src, dst;
	unsigned to6 = 0, odd = 0;

	cr_assert(!xtr_ip_parse("10.1.0.10", &src) && !xtr_ip_parse("10.2.0.20", &dst));
	for (unsigned i = 0; i < 256; i++)
		set.bucket[i] = i % 4 == 3; /* 3:1 */
	lab_rset(RSET4, set);
	for (unsigned i = 0; i < 2000; i++) {
		struct pkt p = pkt_build(FLOW(IP4("10.1.0.10", "10.2.0.20"), UDP(1000 + i, 80), DATA(4)));
		struct ran tc = lab_run(H_TC_EID, &p, NULL);
		bool six = tc.out.b[12] == 0x86;
		unsigned at = six ? 54 : 34, port = tc.out.b[at] << 8 | tc.out.b[at + 1];
		uint32_t hash = xtr_dp_flow_hash(&src, &dst, 17, p.b + 34);

		cr_assert_eq(set.bucket[hash & 255], six, "bucket %u leads to the wrong locator", hash & 255);
		cr_assert_eq(port, xtr_flow_port(hash));
		to6 += six;
		odd += six && port & 1;
		if (i % 50 == 0) {
			struct ran xdp = lab_run(H_XDP_EID, &p, NULL);

			expect_pkt("the hooks agree", &xdp.out, &tc.out);
		}
	}
	cr_expect(to6 > 450 && to6 < 550, "%u of 2000 flows to a locator with weight 1 of 4", to6);
	cr_expect(odd > to6 * 2 / 5 && odd < to6 * 3 / 5, "%u of %u have an odd source port", odd, to6);
	cr_expect(lab_rlstat(1).packets >= 2000 - to6 && lab_rlstat(2).packets >= to6, "per-locator counters");
}

Test(encap, eighth_locator, .init = lab_init)
{
	struct xtr_rset set = { .n = 8, .rloc = { 91, 92, 93, 94, 95, 96, 97, RLOC4 } };
	struct pkt p = pkt_build(FLOW(IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(4)));

	memset(set.bucket, 7, sizeof(set.bucket));
	lab_rset(RSET4, set);
	cr_expect_eq(lab_run(H_TC_EID, &p, NULL).ret, TC_REDIRECT);
	cr_expect_eq(lab_run(H_XDP_EID, &p, NULL).ret, XDP_REDIRECT);
}

Test(encap, no_usable_locator, .init = lab_init)
{
	struct pkt p = pkt_build(FLOW(IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(4)));
	struct xtr_rloc t = lab_rloc_get(RLOC4);
	struct xtr_rset set = { .n = 0, .rloc = { RLOC4 } };

	lab_rset(RSET4, set);
	expect_dropped("empty set", H_TC_EID, &p, NULL, XTR_DROP_NO_LOCATOR);
	expect_left("empty set", &p);
	set.n = 1;
	memset(set.bucket, 1, sizeof(set.bucket));
	lab_rset(RSET4, set);
	expect_dropped("bucket behind the last locator", H_TC_EID, &p, NULL, XTR_DROP_NO_LOCATOR);
	memset(set.bucket, 255, sizeof(set.bucket));
	lab_rset(RSET4, set);
	expect_dropped("bucket behind any locator", H_TC_EID, &p, NULL, XTR_DROP_NO_LOCATOR);
	memset(set.bucket, 0, sizeof(set.bucket));
	set.rloc[0] = 4711;
	lab_rset(RSET4, set);
	expect_dropped("template missing", H_TC_EID, &p, NULL, XTR_DROP_NO_LOCATOR);
	set.rloc[0] = RLOC4;
	lab_rset(RSET4, set);
	t.flags &= ~XTR_RLOC_F_UP;
	lab_rloc(RLOC4, t);
	expect_dropped("locator down", H_TC_EID, &p, NULL, XTR_DROP_NO_LOCATOR);
	expect_dropped("locator down, injected", H_INJECT, &p, NULL, XTR_DROP_NO_LOCATOR);
	lab_eid(0, "10.2.0.0/16", (struct xtr_eid){ .action = XTR_ACT_ENCAP, .rset = 4711 });
	expect_dropped("set missing", H_TC_EID, &p, NULL, XTR_DROP_NO_RSET);
	expect_left("set missing", &p);
}

/* ---- templates */

Test(encap, stale_template_lets_the_kernel_resolve, .init = lab_init)
{
	struct pkt p = pkt_build(FLOW(IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(4)));
	struct xtr_rloc t = lab_rloc_get(RLOC4);
	struct ran r;

	lab.cfg.heartbeat_max = 100;
	lab_cfg();
	t.heartbeat = lab_jiffies() - 1000000;
	lab_rloc(RLOC4, t);
	r = lab_run(H_TC_EID, &p, NULL);
	cr_expect_eq(r.ret, TC_REDIRECT);
	expect_moved(&r, "stale", 0, XTR_STAT_ENCAP, XTR_STAT_FALLBACK);
	cr_expect_eq(r.out.len, p.len + 36);
	expect_left("stale", &p);
	t.heartbeat = lab_jiffies();
	t.flags &= ~XTR_RLOC_F_L2;
	lab_rloc(RLOC4, t);
	r = lab_run(H_TC_XTR0, &p, NULL);
	expect_moved(&r, "unresolved", 0, XTR_STAT_ENCAP, XTR_STAT_FALLBACK);
	expect_left("unresolved", &p);
	t.flags |= XTR_RLOC_F_L2;
	lab_rloc(RLOC4, t);
	r = lab_run(H_TC_XTR0, &p, NULL);
	expect_moved(&r, "fresh again", 0, XTR_STAT_ENCAP);
}

Test(encap, xdp_sends_only_where_it_may, .init = lab_init)
{
	struct pkt p = pkt_build(FLOW(IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(4)));
	struct xtr_rloc t = lab_rloc_get(RLOC4);

	t.flags &= ~XTR_RLOC_F_XDP_TX;
	lab_rloc(RLOC4, t);
	expect_left("no ndo_xdp_xmit", &p);
	cr_expect_eq(lab_run(H_TC_EID, &p, NULL).ret, TC_REDIRECT);
}

Test(encap, nat_template_has_its_own_ports, .init = lab_init)
{
	struct xtr_rloc t = lab_rloc_get(RLOC4);
	const enum hook hooks[] = { H_TC_EID, H_XDP_EID };

	t.flags |= XTR_RLOC_F_NAT;
	t.sport = htons(4342);
	t.dport = htons(40000);
	lab_rloc(RLOC4, t);
	for (unsigned i = 0; i < 2; i++) {
		struct pkt p = pkt_build(FLOW(IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(4)));
		struct pkt want = pkt_build((struct layer[]){ OUT, OUT4(.ttl = 63), UDP(4342, 40000), LISP(0, 0),
			IP4("10.1.0.10", "10.2.0.20", .ttl = 63), UDP(1, 2), DATA(4), {} });
		struct ran r = lab_run(hooks[i], &p, NULL);

		expect_pkt(hook_name[hooks[i]], &r.out, &want);
	}
}

Test(encap, map_versions_only_where_in_use_and_both_known, .init = lab_init)
{
	const struct { __u32 flags; __u16 ours, theirs; __u32 w0; } cases[] = {
		{ 0, 0x123, 0xabc, 0 },
		{ XTR_CFG_F_ACCEPT_VERSIONS, 0x123, 0xabc, 0x10123abc },
		{ XTR_CFG_F_ACCEPT_VERSIONS, 0, 0xabc, 0 },
		{ XTR_CFG_F_ACCEPT_VERSIONS, 0x123, 0, 0 },
	};
	const enum hook hooks[] = { H_TC_EID, H_XDP_EID, H_TC_XTR0, H_INJECT };

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		lab_flags(cases[i].flags);
		lab_local(0, "10.1.0.0/16", XTR_LOCAL_F_EID, cases[i].ours);
		lab_eid(0, "10.2.0.0/16", (struct xtr_eid){ .action = XTR_ACT_ENCAP, .rset = RSET4, .map_version = cases[i].theirs });
		for (unsigned k = 0; k < 4; k++) {
			struct pkt p = pkt_build(FLOW(IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(4)));
			struct ran r = lab_run(hooks[k], &p, NULL);
			const __u8 *b = r.out.b + 42;

			cr_expect_eq((__u32)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3], cases[i].w0, "case %u on %s: %02x%02x%02x%02x",
				     i, hook_name[hooks[k]], b[0], b[1], b[2], b[3]);
		}
	}
}

/* ---- TTL */

Test(encap, ttl_that_runs_out_is_the_kernels_to_answer, .init = lab_init)
{
	const struct layer cases[][5] = {
		{ IN, IP4("10.1.0.10", "10.2.0.20", .ttl = 1), UDP(1, 2), DATA(4), {} },
		{ IN, IP4("10.1.0.10", "10.2.0.20", .ttl0 = true), UDP(1, 2), DATA(4), {} },
		{ IN, IP6("fd01::10", "fd02::20", .ttl = 1), UDP(1, 2), DATA(4), {} },
	};

	for (unsigned i = 0; i < 3; i++) {
		struct pkt p = pkt_build(cases[i]);
		struct ran r = lab_run(H_TC_EID, &p, NULL);

		cr_expect_eq(r.ret, TC_UNSPEC, "case %u: action %d", i, r.ret);
		expect_pkt("untouched", &r.out, &p);
		expect_moved(&r, "ttl", 0, XTR_STAT_PASS);
		expect_left("ttl", &p);
		/* captured on the port: back to the port, whose stack answers */
		r = lab_run(H_INJECT, &p, NULL);
		cr_expect_eq(r.ret, TC_REDIRECT);
		expect_pkt("back to the port", &r.out, &p);
		expect_moved(&r, "injected", 0);
	}
}

Test(encap, ttl_0_never_leaves_the_overlay_device, .init = lab_init)
{
	struct pkt p = pkt_build(FLOW(IP4("10.1.0.10", "10.2.0.20", .ttl0 = true), UDP(1, 2), DATA(4)));

	expect_dropped("ttl 0", H_TC_XTR0, &p, NULL, XTR_DROP_ENCAP_TTL);
	expect_dropped("ttl 0", H_TC_PEER, &p, NULL, XTR_DROP_ENCAP_TTL);
	expect_dropped("ttl 0", H_INJECT_XTR0, &p, NULL, XTR_DROP_ENCAP_TTL);
}

/* ---- negative entries (RFC 9301 5.4) */

Test(encap, RFC9301_5_4_actions_of_negative_entries, .init = lab_init)
{
	static const struct { int action, reason; } cases[] = {
		{ XTR_ACT_NO_ACTION, XTR_DROP_NEG_NO_ACTION }, { XTR_ACT_DROP, XTR_DROP_NEG_DROP },
		{ XTR_ACT_DROP_POLICY, XTR_DROP_NEG_POLICY }, { XTR_ACT_DROP_AUTH, XTR_DROP_NEG_AUTH },
		{ 6, XTR_DROP_NEG_NO_ACTION }, { 7, XTR_DROP_NEG_NO_ACTION }, /* unassigned */
	};
	const enum hook hooks[] = { H_TC_EID, H_TC_XTR0, H_TC_PEER, H_INJECT };
	struct pkt p = pkt_build(FLOW(IP6("fd01::10", "fd02:0:0:9::20"), UDP(1, 2), DATA(4)));
	struct ran r;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		lab_eid(0, "fd02:0:0:9::/64", (struct xtr_eid){ .action = cases[i].action });
		for (unsigned k = 0; k < 4; k++)
			expect_dropped("negative", hooks[k], &p, NULL, cases[i].reason);
		r = lab_run(H_XDP_EID, &p, NULL);
		cr_expect_eq(r.ret, XDP_DROP, "by XDP: action %d", r.ret);
		expect_moved(&r, "by XDP", cases[i].reason);
	}
}

Test(encap, natively_forward, .init = lab_init)
{
	struct pkt p = pkt_build(FLOW(IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(4)));
	struct ran r;

	lab_eid(0, "10.2.0.20/32", (struct xtr_eid){ .action = XTR_ACT_NATIVE });
	r = lab_run(H_TC_EID, &p, NULL);
	cr_expect_eq(r.ret, TC_UNSPEC, "a port's stack forwards");
	expect_pkt("native on a port", &r.out, &p);
	expect_moved(&r, "native on a port", 0, XTR_STAT_NATIVE);
	expect_left("native", &p);
	r = lab_run(H_TC_XTR0, &p, NULL);
	cr_expect_eq(r.ret, TC_REDIRECT);
	expect_pkt("native from the overlay device", &r.out, &p);
	expect_moved(&r, "native from the overlay device", 0, XTR_STAT_NATIVE);
	r = lab_run(H_INJECT, &p, NULL);
	cr_expect_eq(r.ret, TC_REDIRECT, "injected: back to its port");
	expect_pkt("native, injected", &r.out, &p);
	expect_moved(&r, "native, injected", 0);
	lab.cfg.native_ifindex = 0;
	lab_cfg();
	expect_dropped("no underlay", H_TC_XTR0, &p, NULL, XTR_DROP_NATIVE_NO_ROUTE);
	expect_dropped("no underlay", H_INJECT_XTR0, &p, NULL, XTR_DROP_NATIVE_NO_ROUTE);
	cr_expect_eq(lab_run(H_TC_EID, &p, NULL).ret, TC_UNSPEC);
}

/* ---- what is not ours */

static const struct {
	const char *name;
	int reason;             /* on the overlay device */
	struct layer in[MAX_LAYERS];
} foreign[] = {
	{ "ARP", XTR_DROP_ENCAP_SCOPE, { ETH(MAC_EID, MAC_HOST, .ethertype = 0x0806), DATA(28) } },
	{ "VLAN tag", XTR_DROP_ENCAP_SCOPE, { ETH(MAC_EID, MAC_HOST, .ethertype = 0x8100), DATA(60) } },
	{ "LLC frame", XTR_DROP_ENCAP_SCOPE, { ETH(MAC_EID, MAC_HOST, .ethertype = 0x0040), DATA(64) } },
	{ "to an own EID", XTR_DROP_ENCAP_LOOP, { IN, IP4("10.2.0.9", "10.1.0.77"), UDP(1, 2), DATA(4) } },
	{ "to ourselves", XTR_DROP_ENCAP_LOOP, { IN, IP4("10.2.0.9", "10.1.0.1"), UDP(1, 2), DATA(4) } },
	{ "to an own IPv6 EID", XTR_DROP_ENCAP_LOOP, { IN, IP6("fd02::9", "fd01::77"), UDP(1, 2), DATA(4) } },
	{ "multicast", XTR_DROP_ENCAP_SCOPE, { IN, IP4("10.1.0.10", "224.0.0.251"), UDP(5353, 5353), DATA(4) } },
	{ "broadcast", XTR_DROP_ENCAP_SCOPE, { IN, IP4("10.1.0.10", "255.255.255.255"), UDP(68, 67), DATA(4) } },
	{ "DHCP source", XTR_DROP_ENCAP_SCOPE, { IN, IP4("0.0.0.0", "10.2.0.1"), UDP(68, 67), DATA(4) } },
	{ "loopback", XTR_DROP_ENCAP_SCOPE, { IN, IP4("10.1.0.10", "127.0.0.1"), UDP(1, 2), DATA(4) } },
	{ "link-local", XTR_DROP_ENCAP_SCOPE, { IN, IP4("10.1.0.10", "169.254.0.1"), UDP(1, 2), DATA(4) } },
	{ "link-local source", XTR_DROP_ENCAP_SCOPE, { IN, IP4("169.254.3.3", "10.2.0.20"), UDP(1, 2), DATA(4) } },
	{ "IPv6 multicast", XTR_DROP_ENCAP_SCOPE, { IN, IP6("fd01::10", "ff02::16", .proto = 58), DATA(28) } },
	{ "IPv6 link-local", XTR_DROP_ENCAP_SCOPE, { IN, IP6("fd01::10", "fe80::1"), UDP(1, 2), DATA(4) } },
	{ "IPv6 link-local, end of the prefix", XTR_DROP_ENCAP_SCOPE, { IN, IP6("febf::1", "fd02::1"), UDP(1, 2), DATA(4) } },
	{ "IPv6 loopback", XTR_DROP_ENCAP_SCOPE, { IN, IP6("fd01::10", "::1"), UDP(1, 2), DATA(4) } },
	{ "IPv6 unspecified", XTR_DROP_ENCAP_SCOPE, { IN, IP6("::", "fd02::20"), UDP(1, 2), DATA(4) } },
	{ "IPv4-mapped", XTR_DROP_ENCAP_SCOPE, { IN, IP6("fd01::10", "::ffff:10.2.0.20"), UDP(1, 2), DATA(4) } },
	{ "IPv4-mapped source", XTR_DROP_ENCAP_SCOPE, { IN, IP6("::ffff:10.1.0.10", "fd02::20"), UDP(1, 2), DATA(4) } },
	{ "LISP data from our own locator", XTR_DROP_ENCAP_LOOP, { IN, IP4("192.0.2.1", "10.2.0.20"), UDP(1, 4341), DATA(30) } },
	{ "LISP data to our own locator", XTR_DROP_ENCAP_LOOP, { IN, IP6("fd02::9", "2001:db8::1"), UDP(1, 4341), DATA(30) } },
	{ "wrong version", XTR_DROP_ENCAP_MALFORMED, { IN, IP4("10.1.0.10", "10.2.0.20", .version = 5), UDP(1, 2), DATA(4) } },
	{ "wrong version under IPv6", XTR_DROP_ENCAP_MALFORMED, { IN, IP6("fd01::10", "fd02::20", .version = 4), UDP(1, 2), DATA(4) } },
	{ "IPv4 longer than the frame", XTR_DROP_ENCAP_MALFORMED, { IN, IP4("10.1.0.10", "10.2.0.20", .len_add = 1), UDP(1, 2), DATA(4) } },
	{ "IPv6 longer than the frame", XTR_DROP_ENCAP_MALFORMED, { IN, IP6("fd01::10", "fd02::20", .len_add = 1), UDP(1, 2), DATA(4) } },
	{ "IPv4 shorter than its header", XTR_DROP_ENCAP_MALFORMED, { IN, IP4("10.1.0.10", "10.2.0.20", .len_add = -13), UDP(1, 2), DATA(4) } },
};

Test(encap, what_is_not_ours_passes_a_port_untouched_and_dies_on_the_overlay, .init = lab_init)
{
	for (unsigned i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		struct pkt p = pkt_build(foreign[i].in);
		struct ran r = lab_run(H_TC_EID, &p, NULL);

		cr_expect_eq(r.ret, TC_UNSPEC, "%s: action %d", foreign[i].name, r.ret);
		expect_pkt(foreign[i].name, &r.out, &p);
		expect_moved(&r, foreign[i].name, 0, XTR_STAT_PASS);
		expect_left(foreign[i].name, &p);
		expect_dropped(foreign[i].name, H_TC_XTR0, &p, NULL, foreign[i].reason);
		expect_dropped(foreign[i].name, H_TC_PEER, &p, NULL, foreign[i].reason);
		/* a tag is part of the port that the mark names */
		expect_dropped(foreign[i].name, H_INJECT_XTR0, &p, NULL,
			    foreign[i].in[0].ethertype == 0x8100 ? XTR_DROP_INJECT_MARK : foreign[i].reason);
	}
	cr_expect_eq(lab_events().n, 0, "chatter counts as a miss");
}

/* The kernel refuses to test-run these on TC (nor would a driver deliver them). */
Test(encap, half_a_header_is_left_alone, .init = lab_init)
{
	for (unsigned n = 0; n < 20; n++) {
		struct pkt p = pkt_build((struct layer[]){ ETH(MAC_EID, MAC_HOST, .ethertype = 0x0800), DATA(n), {} });

		expect_left("half an IPv4 header", &p);
		p.b[12] = 0x86;
		p.b[13] = 0xdd;
		p.b[14] = 0x60;
		expect_left("half an IPv6 header", &p);
	}
}

Test(encap, frames_to_other_hosts_on_a_port_are_not_ours, .init = lab_init)
{
	struct pkt p = pkt_build((struct layer[]){ ETH(0x77, MAC_HOST), IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(4), {} });
	struct ran r = lab_run(H_TC_EID, &p, NULL);

	cr_expect_eq(r.ret, TC_UNSPEC);
	expect_moved(&r, "other host", 0, XTR_STAT_PASS);
	expect_left("other host", &p);
	/* the overlay device has no neighbours, so no address to look at */
	cr_expect_eq(lab_run(H_TC_XTR0, &p, NULL).ret, TC_REDIRECT);
}

Test(encap, bad_inner_header_checksum_is_the_kernels_on_a_port, .init = lab_init)
{
	struct pkt p = pkt_build(FLOW(IP4("10.1.0.10", "10.2.0.20", .check_xor = 0x0100), UDP(1, 2), DATA(4)));
	struct ran r = lab_run(H_TC_EID, &p, NULL);

	cr_expect_eq(r.ret, TC_UNSPEC);
	expect_pkt("bad checksum", &r.out, &p);
	expect_left("bad checksum", &p);
}

Test(encap, interface_without_a_role, .init = lab_init)
{
	struct pkt p = pkt_build(FLOW(IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(4)));
	struct xtr_iface none = {}, under = lab_iface_get(lab.under);
	struct ran r;

	lab_iface(lab.xtr0, none);
	lab_iface(lab.eid, none);
	expect_dropped("egress", H_TC_XTR0, &p, NULL, XTR_DROP_ENCAP_NO_IFACE);
	r = lab_run(H_TC_EID, &p, NULL);
	cr_expect_eq(r.ret, TC_UNSPEC, "ingress goes on as if we were gone");
	expect_moved(&r, "ingress", 0, XTR_STAT_PASS);
	r = lab_run(H_XDP_EID, &p, NULL);
	cr_expect_eq(r.ret, XDP_PASS);
	expect_moved(&r, "XDP", 0);
	lab_iface(lab.eid, under);
	cr_expect_eq(lab_run(H_TC_EID, &p, NULL).ret, TC_UNSPEC, "an underlay role does not encapsulate");
	expect_dropped("port that is gone", H_INJECT_XTR0, &p, NULL, XTR_DROP_INJECT_MARK);
	expect_dropped("no mark", H_INJECT, &p, &(struct run_opt){ .mark = ~0u }, XTR_DROP_INJECT_MARK);
	expect_dropped("unknown mark", H_INJECT, &p, &(struct run_opt){ .mark = 9999 }, XTR_DROP_INJECT_MARK);
}

Test(encap, source_check, .init = lab_init)
{
	struct pkt good = pkt_build(FLOW(IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(4)));
	struct pkt bad = pkt_build(FLOW(IP4("10.9.0.10", "10.2.0.20"), UDP(1, 2), DATA(4)));
	struct pkt bad6 = pkt_build(FLOW(IP6("fd09::1", "fd06::20"), UDP(1, 2), DATA(4)));
	struct pkt missed = pkt_build(FLOW(IP4("10.9.0.10", "10.99.0.20"), UDP(1, 2), DATA(4)));

	cr_expect_eq(lab_run(H_TC_EID, &bad, NULL).ret, TC_REDIRECT, "off");
	lab_flags(XTR_CFG_F_CHECK_ENCAP_SOURCE);
	cr_expect_eq(lab_run(H_TC_EID, &good, NULL).ret, TC_REDIRECT);
	cr_expect_eq(lab_run(H_XDP_EID, &good, NULL).ret, XDP_REDIRECT);
	expect_dropped("spoofed", H_TC_EID, &bad, NULL, XTR_DROP_ENCAP_SOURCE);
	expect_dropped("spoofed", H_TC_XTR0, &bad6, NULL, XTR_DROP_ENCAP_SOURCE);
	expect_left("spoofed", &bad);
	expect_dropped("spoofed towards an unknown EID", H_TC_EID, &missed, NULL, XTR_DROP_ENCAP_SOURCE);
	lab_local(0, "10.9.0.10/32", XTR_LOCAL_F_SELF, 0);
	expect_dropped("an own address that is no EID", H_TC_EID, &bad, NULL, XTR_DROP_ENCAP_SOURCE);
}

/* RFC 9300 8: whatever the host's routes say, a packet does not change its instance on the way through the stack. */
Test(encap, instances_do_not_meet_on_the_overlay_device, .init = lab_init)
{
	struct pkt p = pkt_build(FLOW(IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(4)));
	struct run_opt from_port = { .ingress = lab.eid }, from_under = { .ingress = lab.under };
	struct xtr_iface port = lab_iface_get(lab.eid);

	port.iid = 0;
	lab_iface(lab.eid, port);
	cr_expect_eq(lab_run(H_TC_XTR0, &p, &from_port).ret, TC_REDIRECT, "same instance");
	cr_expect_eq(lab_run(H_TC_XTR0, &p, &from_under).ret, TC_REDIRECT, "an underlay port has no instance");
	port.iid = IID_A;
	lab_iface(lab.eid, port);
	expect_dropped("from a port of another instance", H_TC_XTR0, &p, &from_port, XTR_DROP_ENCAP_CROSS);
}

/* ---- the stamp of last use */

Test(encap, last_use_is_stamped_at_most_once_a_second, .init = lab_init)
{
	struct pkt p = pkt_build(FLOW(IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(4)));
	const enum hook hooks[] = { H_TC_EID, H_XDP_EID };
	struct xtr_eid e;

	for (unsigned i = 0; i < 2; i++) {
		__u64 before = lab_jiffies();

		lab_eid(0, "10.2.0.0/16", (struct xtr_eid){ .action = XTR_ACT_ENCAP, .rset = RSET4 });
		lab_run(hooks[i], &p, NULL);
		e = lab_eid_get(0, "10.2.0.0/16");
		cr_expect(e.used >= before && e.used <= lab_jiffies(), "%s: stamp %llu", hook_name[hooks[i]], e.used);
		/* less than a second old: left alone */
		lab.cfg.hz = 1 << 30;
		lab_cfg();
		lab_eid(0, "10.2.0.0/16", (struct xtr_eid){ .action = XTR_ACT_ENCAP, .rset = RSET4, .used = before - 5 });
		lab_run(hooks[i], &p, NULL);
		cr_expect_eq(lab_eid_get(0, "10.2.0.0/16").used, before - 5);
		lab.cfg.hz = 1;
		lab_cfg();
		lab_run(hooks[i], &p, NULL);
		cr_expect_neq(lab_eid_get(0, "10.2.0.0/16").used, before - 5);
		lab.cfg.hz = 250;
		lab_cfg();
	}
	lab_eid(0, "10.2.0.0/16", (struct xtr_eid){ .action = XTR_ACT_DROP });
	lab_run(H_TC_EID, &p, NULL);
	cr_expect_neq(lab_eid_get(0, "10.2.0.0/16").used, 0, "negative entries age by use too");
}

Test(encap, longest_prefix_and_instance_decide, .init = lab_init)
{
	struct pkt p = pkt_build(FLOW(IP4("10.1.0.10", "10.2.3.4"), UDP(1, 2), DATA(4)));

	lab_eid(0, "10.2.3.0/24", (struct xtr_eid){ .action = XTR_ACT_DROP });
	lab_eid(0, "10.2.3.4/32", (struct xtr_eid){ .action = XTR_ACT_ENCAP, .rset = RSET6 });
	cr_expect_eq(lab_run(H_TC_EID, &p, NULL).out.b[12], 0x86, "the host route is the one with an IPv6 locator");
	lab_iid(IID_A);
	cr_expect_eq(lab_run(H_TC_EID, &p, NULL).out.b[12], 0x08, "the other instance has only the /16");
}
