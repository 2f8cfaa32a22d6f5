/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets too big for their path, answered by the programs: the answer octet for octet, by a builder that was written from
 * RFC 792, 1191 and 4443; who is not answered; limits; checksums that are still to be done.
 */
#include "bpf/lab.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define IN ETH(MAC_EID, MAC_HOST)
#define US4 "10.1.0.1"
#define US6 "fd01::1"
#define PKT(...) pkt_build((const struct layer[]){ IN, __VA_ARGS__, {} })

/* ---- the builder */

/* ICMPv6 sums up its pseudo-header too. ip: the header in front of the message, complete. */
static unsigned icmp_sum(const uint8_t *ip, unsigned len)
{
	return ip[0] >> 4 == 4 ? pkt_sum(ip + 20, len, 0) : pkt_sum(ip + 40, len, pkt_sum(ip + 8, 32, len + 58));
}

struct answer {
	uint8_t dmac, smac;
	const char *src, *dst;
	unsigned mtu;
};

/* What an answer to this frame looks like: as much of the packet as fits into 576 octets, or 1280 with IPv6. */
static struct pkt answer_to(const struct pkt *p, unsigned ip_len, const struct answer *a)
{
	bool six = p->b[14] >> 4 == 6;
	uint8_t icmp[1280] = { six ? 2 : 3, six ? 0 : 4, 0, 0, 0, 0, a->mtu >> 8, a->mtu };
	unsigned quote = six ? 1280 - 48 : 576 - 28, s;
	struct pkt out;

	quote = ip_len < quote ? ip_len : quote;
	memcpy(icmp + 8, p->b + 14, quote);
	if (six)
		out = pkt_build((struct layer[]){ ETH(a->dmac, a->smac), IP6(a->src, a->dst, .proto = 58), RAW(icmp, quote + 8), {} });
	else
		out = pkt_build((struct layer[]){ ETH(a->dmac, a->smac), IP4(a->src, a->dst, .proto = 1, .tos = 0xc0),
						  RAW(icmp, quote + 8), {} });
	s = ~icmp_sum(out.b + 14, quote + 8) & 0xffff;
	out.b[six ? 56 : 36] = s >> 8;
	out.b[six ? 57 : 37] = s;
	return out;
}

/* ---- the table */

static void set_mtu(unsigned mtu)
{
	for (int id = RLOC4; id <= RLOC6; id++) {
		struct xtr_rloc t = lab_rloc_get(id);

		t.mtu = mtu;
		lab_rloc(id, t);
	}
}

static void addresses(bool have)
{
	struct xtr_iface v = lab_iface_get(lab.eid);

	memset(&v.addr4, 0, sizeof(v.addr4));
	memset(v.addr6, 0, sizeof(v.addr6));
	if (have) {
		inet_pton(AF_INET, US4, &v.addr4);
		inet_pton(AF_INET6, US6, v.addr6);
	}
	lab_iface(lab.eid, v);
}

static void icmp_init(void)
{
	lab_init();
	addresses(true);
}

static const uint8_t unreachable[] = { 3, 1, 0, 0 }, exceeded[] = { 11, 0, 0, 0 }, echo[] = { 8, 0, 0, 0 };
static const uint8_t unreachable6[] = { 1, 0, 0, 0 }, echo6[] = { 128, 0, 0, 0 }, last_error6[] = { 127, 0, 0, 0 };
/* destination options, then what stands in the first octet */
static const uint8_t options_error6[] = { 58, 0, 1, 4, 0, 0, 0, 0, 2, 0, 0, 0 }, options_echo6[] = { 58, 0, 1, 4, 0, 0, 0, 0, 128, 0, 0, 0 };
static const uint8_t first6[] = { 17, 0, 0, 1, 0, 0, 0, 9 }, later6[] = { 17, 0, 4, 0, 0, 0, 0, 9 };

enum { ANSWER, STACK, DROP };
static const struct icmp_case {
	const char *name;
	unsigned path;  /* MTU of the underlay */
	int what;
	unsigned mtu;   /* said */
	struct layer in[MAX_LAYERS];
} cases[] = {
	{ "TCP, IPv4 in IPv4", 1400, ANSWER, 1364, { IN, IP4("10.1.0.10", "10.2.0.20"), TCP(1, 2), DATA(1325) } },
	{ "it just does not fit", 1400, ANSWER, 1364, { IN, IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2, .csum = true), DATA(1337) } },
	{ "TCP, IPv6 in IPv4", 1400, ANSWER, 1364, { IN, IP6("fd01::10", "fd02::20"), TCP(1, 2), DATA(1305) } },
	{ "IPv4 in IPv6", 1400, ANSWER, 1344, { IN, IP4("10.1.0.10", "10.6.0.20"), UDP(1, 2), DATA(1400) } },
	{ "IPv6 in IPv6", 1400, ANSWER, 1344, { IN, IP6("fd01::10", "fd06::20"), UDP(1, 2, .csum = true), DATA(1400) } },
	{ "an odd number of octets", 600, ANSWER, 564, { IN, IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(641) } },
	{ "quoted whole", 500, ANSWER, 464, { IN, IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(451) } },
	{ "quoted whole, and not its padding", 500, ANSWER, 464, { IN, IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(437), PAD(7) } },
	{ "options are quoted", 1400, ANSWER, 1364, { IN, IP4("10.1.0.10", "10.2.0.20", .options = 3), UDP(1, 2), DATA(1400) } },
	{ "an echo request", 1400, ANSWER, 1364, { IN, IP4("10.1.0.10", "10.2.0.20", .proto = 1), RAW(echo, 4), DATA(1400) } },
	{ "an ICMPv6 echo request", 1400, ANSWER, 1364, { IN, IP6("fd01::10", "fd02::20", .proto = 58), RAW(echo6, 4), DATA(1400) } },
	{ "another protocol", 1400, ANSWER, 1364, { IN, IP4("10.1.0.10", "10.2.0.20", .proto = 47), DATA(1400) } },
	{ "a first fragment that may not be fragmented", 1400, ANSWER, 1364,
	  { IN, IP4("10.1.0.10", "10.2.0.20", .frag = 0x6000, .proto = 17), DATA(1400) } },
	{ "a first fragment of IPv6", 1400, ANSWER, 1364, { IN, IP6("fd01::10", "fd02::20", .proto = 44), RAW(first6, 8), DATA(1400) } },
	{ "an echo request behind destination options", 1400, ANSWER, 1364,
	  { IN, IP6("fd01::10", "fd02::20", .proto = 60), RAW(options_echo6, 12), DATA(1400) } },
	{ "RFC8200_5 nobody is told less than 1280", 1300, ANSWER, 1280, { IN, IP6("fd01::10", "fd02::20"), UDP(1, 2), DATA(1300) } },
	{ "RFC8200_5 nothing is said about 1280", 1300, DROP, 0, { IN, IP6("fd01::10", "fd06::20"), UDP(1, 2), DATA(1232) } },
	{ "may be fragmented", 1400, STACK, 0, { IN, IP4("10.1.0.10", "10.2.0.20", .no_df = true), UDP(1, 2), DATA(1400) } },
	{ "a later fragment that may be fragmented", 1400, STACK, 0,
	  { IN, IP4("10.1.0.10", "10.2.0.20", .frag = 0x2010, .proto = 17), DATA(1400) } },
	{ "RFC1122_3_2_2 a later fragment", 1400, DROP, 0, { IN, IP4("10.1.0.10", "10.2.0.20", .frag = 0x4010, .proto = 17), DATA(1400) } },
	{ "a later fragment of IPv6", 1400, DROP, 0, { IN, IP6("fd01::10", "fd02::20", .proto = 44), RAW(later6, 8), DATA(1400) } },
	{ "RFC1122_3_2_2 destination unreachable", 1400, DROP, 0,
	  { IN, IP4("10.1.0.10", "10.2.0.20", .proto = 1), RAW(unreachable, 4), DATA(1400) } },
	{ "RFC1122_3_2_2 time exceeded", 1400, DROP, 0, { IN, IP4("10.1.0.10", "10.2.0.20", .proto = 1), RAW(exceeded, 4), DATA(1400) } },
	{ "RFC4443_2_4_e an error", 1400, DROP, 0, { IN, IP6("fd01::10", "fd02::20", .proto = 58), RAW(unreachable6, 4), DATA(1400) } },
	{ "RFC4443_2_4_e the last error", 1400, DROP, 0, { IN, IP6("fd01::10", "fd02::20", .proto = 58), RAW(last_error6, 4), DATA(1400) } },
	{ "RFC4443_2_4_e an error behind destination options", 1400, DROP, 0,
	  { IN, IP6("fd01::10", "fd02::20", .proto = 60), RAW(options_error6, 12), DATA(1400) } },
};

static unsigned ip_len(const struct pkt *p)
{
	return p->b[14] >> 4 == 4 ? p->b[16] << 8 | p->b[17] : 40 + (p->b[18] << 8 | p->b[19]);
}

static struct answer by_port(const struct layer *ip, unsigned mtu)
{
	return (struct answer){ MAC_HOST, MAC_EID, ip->type == L_IP4 ? US4 : US6, ip->src, mtu };
}

Test(icmp, octet_for_octet_out_of_the_port, .init = icmp_init)
{
	const enum hook hooks[] = { H_TC_EID, H_INJECT };

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (unsigned k = 0; k < 2; k++) {
			const struct icmp_case *c = &cases[i];
			struct answer a = by_port(&c->in[1], c->mtu);
			struct pkt p = pkt_build(c->in), want = p;
			struct ran r;
			char what[128];

			snprintf(what, sizeof(what), "%s on %s", c->name, hook_name[hooks[k]]);
			set_mtu(c->path);
			r = lab_run(hooks[k], &p, NULL);
			if (c->what == ANSWER)
				want = answer_to(&p, ip_len(&p), &a);
			if (c->what == DROP) {
				cr_expect_eq(r.ret, TC_SHOT, "%s: action %d", what, r.ret);
				expect_moved(&r, what, XTR_DROP_ENCAP_MTU);
				continue;
			}
			expect_pkt(what, &r.out, &want);
			if (c->what == ANSWER) {
				cr_expect_eq(r.ret, TC_REDIRECT, "%s: action %d", what, r.ret);
				expect_moved(&r, what, 0, XTR_STAT_ICMP_TOO_BIG);
			} else if (hooks[k] == H_TC_EID) {
				cr_expect_eq(r.ret, TC_UNSPEC, "%s: action %d", what, r.ret);
				expect_moved(&r, what, 0, XTR_STAT_PASS);
			} else {
				cr_expect_eq(r.ret, TC_REDIRECT, "%s: action %d", what, r.ret);
				expect_moved(&r, what, 0);
			}
		}
}

Test(icmp, xdp_leaves_them_to_tc, .init = icmp_init)
{
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pkt p = pkt_build(cases[i].in);
		struct ran r;

		set_mtu(cases[i].path);
		r = lab_run(H_XDP_EID, &p, NULL);
		cr_expect_eq(r.ret, XDP_PASS, "%s: action %d", cases[i].name, r.ret);
		expect_pkt(cases[i].name, &r.out, &p);
		expect_moved(&r, cases[i].name, 0, XTR_STAT_XDP_TO_TC);
	}
}

/*
 * IPv6 packets of up to 1280 octets get through a path that is narrower with their outer header, as that may be fragmented: no DF, a
 * checksum that is right, and an identification. Others do not, nor what the port itself is too narrow for.
 */
static void cut(enum hook h, unsigned len, unsigned path, bool may)
{
	struct pkt p = PKT(IP6("fd01::10", "fd02::20"), UDP(1, 2), DATA(len - 48));
	unsigned ids = 0, at = 14;
	struct ran r;

	set_mtu(path);
	for (unsigned i = 0; i < 8; i++) {
		r = lab_run(h, &p, NULL);
		if (r.ret != (h == H_XDP_EID ? XDP_REDIRECT : TC_REDIRECT)) {
			cr_expect(!may, "%s, %u octets by %u: action %d", hook_name[h], len, path, r.ret);
			return;
		}
		cr_assert_eq(r.out.len, len + 36 + 14, "%s, %u octets by %u: %u", hook_name[h], len, path, r.out.len);
		cr_expect_eq(r.out.b[at] << 8 | r.out.b[at + 1], 0x4500);
		cr_expect_eq(pkt_sum(r.out.b + at, 20, 0), 0xffff, "header checksum");
		cr_expect_eq(r.out.b[at + 6] << 8 | r.out.b[at + 7], may ? 0 : 0x4000, "%s, %u octets by %u", hook_name[h], len, path);
		ids |= r.out.b[at + 4] << 8 | r.out.b[at + 5];
	}
	cr_expect_eq(ids != 0, may, "%s, %u octets by %u: identification", hook_name[h], len, path);
}

Test(icmp, RFC2473_7_1_b_least_IPv6_packets_may_be_fragmented_outside, .init = icmp_init)
{
	static const enum hook hooks[] = { H_TC_EID, H_XDP_EID, H_INJECT };

	for (unsigned k = 0; k < 3; k++) {
		cut(hooks[k], 1280, 1316, false); /* it fits */
		cut(hooks[k], 1280, 1315, true);
		cut(hooks[k], 1280, 576, true);
		cut(hooks[k], 541, 576, true);
		cut(hooks[k], 540, 576, false); /* it fits */
	}
	cr_assert_eq(system("ip link set under mtu 1315"), 0);
	for (unsigned k = 0; k < 3; k++)
		cut(hooks[k], 1280, 1315, false);
}

Test(icmp, without_an_address_the_stack_answers, .init = icmp_init)
{
	struct pkt p4 = PKT(IP4("10.1.0.10", "10.2.0.20"), TCP(1, 2), DATA(1400));
	struct pkt p6 = PKT(IP6("fd01::10", "fd02::20"), TCP(1, 2), DATA(1400));
	const struct pkt *p[] = { &p4, &p6 };

	set_mtu(1400);
	addresses(false);
	for (unsigned i = 0; i < 2; i++) {
		struct ran r = lab_run(H_TC_EID, p[i], NULL);

		cr_expect_eq(r.ret, TC_UNSPEC, "action %d", r.ret);
		expect_pkt("untouched", &r.out, p[i]);
		expect_moved(&r, "untouched", 0, XTR_STAT_PASS);
	}
}

/* What nobody can be told about is the stack's too: the checksum of SCTP, or of what is behind extension headers. */
Test(icmp, checksums_that_cannot_be_seen_are_the_stacks, .init = icmp_init)
{
	struct pkt sctp = PKT(IP4("10.1.0.10", "10.2.0.20"), SCTP(1, 2), DATA(1400));
	struct pkt behind = PKT(IP6("fd01::10", "fd02::20", .proto = 60), RAW(first6, 8), DATA(1400));
	struct xtr_iface v = lab_iface_get(lab.eid);

	set_mtu(1400);
	for (unsigned soft = 0; soft < 2; soft++) {
		v.flags = XTR_IF_F_ROUTER_HOP | (soft ? XTR_IF_F_CSUM_PARTIAL : 0);
		lab_iface(lab.eid, v);
		cr_expect_eq(lab_run(H_TC_EID, &sctp, NULL).ret, soft ? TC_UNSPEC : TC_REDIRECT);
		cr_expect_eq(lab_run(H_TC_EID, &behind, NULL).ret, soft ? TC_UNSPEC : TC_REDIRECT);
	}
}

/*
 * A checksum to be done goes on being to be done in the answer, if it is: who does it sums up from the quoted TCP or UDP header
 * to the end, and writes into the quoted field. The answer has to be right before and after that.
 */
static void finish(struct pkt *p, unsigned l4, unsigned field)
{
	unsigned s = ~pkt_sum(p->b + l4, p->len - l4, 0) & 0xffff;

	p->b[field] = s >> 8;
	p->b[field + 1] = s;
}

Test(icmp, checksums_to_be_done_do_no_harm, .init = icmp_init)
{
	static const struct layer in[][5] = {
		{ IN, IP4("10.1.0.10", "10.2.0.20"), TCP(1, 2, .partial = true), DATA(1400), {} },
		{ IN, IP4("10.1.0.11", "10.2.0.20"), UDP(1, 2, .partial = true), DATA(1401), {} },
		{ IN, IP6("fd01::10", "fd02::20"), TCP(1, 2, .partial = true), DATA(1402), {} },
		{ IN, IP6("fd01::11", "fd02::20"), UDP(3, 4, .partial = true), DATA(1403), {} },
		{ IN, IP4("10.1.0.10", "10.2.0.20", .options = 2), TCP(1, 7, .partial = true), DATA(1400), {} },
	};

	set_mtu(1400);
	for (unsigned i = 0; i < sizeof(in) / sizeof(in[0]); i++)
		for (unsigned n = 0; n < 64; n++) { /* sums of all kinds: odd and even, small and large */
			struct pkt p = pkt_build(in[i]), was;
			bool six = p.b[14] >> 4 == 6;
			unsigned head = six ? 48 : 28, l4 = 14 + head + (six ? 40 : (p.b[14] & 15) * 4);
			unsigned field = l4 + (in[i][2].type == L_TCP ? 16 : 6), end;
			struct ran r;

			p.b[200] = n * 7;
			p.b[201] = n * 51;
			r = lab_run(H_TC_EID, &p, NULL);
			cr_assert_eq(r.ret, TC_REDIRECT, "case %u", i);
			end = r.out.len - 14 - (six ? 40 : 20);
			cr_expect_eq(icmp_sum(r.out.b + 14, end), 0xffff, "case %u: wrong as it is", i);
			was = r.out;
			finish(&r.out, l4, field);
			cr_expect_eq(icmp_sum(r.out.b + 14, end), 0xffff, "case %u: wrong when it is done", i);
			/* but for that field the packet is quoted as it was */
			memcpy(was.b + field, p.b + field - head, 2);
			cr_expect(!memcmp(was.b + 14 + head, p.b + 14, was.len - 14 - head), "case %u: quote", i);
		}
}

/* Super-packets count by their segments, and the answer is none. (What becomes of a real one is seen end to end.) */
Test(icmp, super_packets, .init = icmp_init)
{
	const struct run_opt gso = { .gso_size = 1348, .gso_segs = 3 };
	struct pkt p = PKT(IP4("10.1.0.10", "10.2.0.20"), TCP(1, 2), DATA(3000));
	struct answer a = { MAC_HOST, MAC_EID, US4, "10.1.0.10", 1364 };
	struct pkt want = answer_to(&p, ip_len(&p), &a);
	struct ran r;

	set_mtu(1400);
	r = lab_run(H_TC_EID, &p, &gso);
	cr_expect_eq(r.ret, TC_REDIRECT, "action %d", r.ret);
	expect_pkt("super-packet", &r.out, &want);
	expect_moved(&r, "super-packet", 0, XTR_STAT_ICMP_TOO_BIG);
}

/* From the overlay device the way back is into it; as the source stands the destination. Only what was learned counts. */
Test(icmp, on_the_overlay_device, .init = icmp_init)
{
	static const enum hook hooks[] = { H_TC_XTR0, H_TC_PEER, H_INJECT_XTR0 };
	static const struct layer in[][5] = {
		{ ETH(0x77, 0x78), IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(1400), {} },
		{ ETH(0x77, 0x78), IP6("fd01::10", "fd06::20"), UDP(1, 2, .csum = true), DATA(1400), {} },
	};

	for (unsigned i = 0; i < 2; i++)
		for (unsigned k = 0; k < 3; k++) {
			struct pkt p = pkt_build(in[i]), want;
			struct answer a = { MAC_XTR0, 0x78, in[i][1].dst, in[i][1].src, i ? 1344 : 1364 };
			struct ran r;

			set_mtu(1400);
			want = answer_to(&p, ip_len(&p), &a);
			r = lab_run(hooks[k], &p, NULL);
			cr_expect_eq(r.ret, TC_REDIRECT, "%s: action %d", hook_name[hooks[k]], r.ret);
			expect_pkt(hook_name[hooks[k]], &r.out, &want);
			expect_moved(&r, hook_name[hooks[k]], 0, XTR_STAT_ICMP_TOO_BIG);
			set_mtu(0);
			r = lab_run(hooks[k], &p, NULL);
			cr_expect(!r.stats[XTR_STAT_ICMP_TOO_BIG].packets && r.stats[XTR_STAT_ENCAP].packets == 1, "nothing learned");
		}
	set_mtu(1400);
	struct pkt p = PKT(IP4("10.1.0.10", "10.2.0.20", .no_df = true), UDP(1, 2), DATA(1400));
	struct ran r = lab_run(H_TC_XTR0, &p, NULL);

	cr_expect_eq(r.ret, TC_SHOT, "action %d", r.ret);
	expect_moved(&r, "may be fragmented, but not here", XTR_DROP_ENCAP_MTU);
}

Test(icmp, RFC1812_4_3_2_8_limited, .init = icmp_init)
{
	struct pkt p = PKT(IP4("10.1.0.10", "10.2.0.20"), TCP(1, 2), DATA(1400));
	unsigned answered = 0, limited = 0;

	set_mtu(1400);
	lab.cfg.icmp_rate = 0;
	lab.cfg.icmp_burst = 5;
	lab_cfg();
	for (unsigned i = 0; i < 12; i++) {
		struct ran r = lab_run(H_TC_EID, &p, NULL);

		if (r.ret == TC_REDIRECT) {
			answered++;
			continue;
		}
		limited++;
		cr_expect_eq(r.ret, TC_SHOT);
		expect_moved(&r, "limited", XTR_DROP_ENCAP_MTU, XTR_STAT_ICMP_LIMITED);
	}
	cr_expect(answered == 5 && limited == 7, "%u answered, %u not", answered, limited);
}

/* Two LISP headers are enough (RFC 9300 4): of routers behind us one. */
Test(icmp, RFC9300_4_a_third_LISP_header_is_refused, .init = icmp_init)
{
	static const enum hook hooks[] = { H_TC_EID, H_TC_XTR0, H_TC_PEER, H_INJECT };
	struct pkt once = PKT(IP4("10.1.0.10", "10.2.0.20"), UDP(0xc001, 4341), LISP(0, 0), IP4("1.2.3.4", "5.6.7.8"), UDP(1, 2), DATA(4));
	struct pkt twice = PKT(IP4("10.1.0.10", "10.2.0.20"), UDP(0xc001, 4341), LISP(0, 0), IP4("1.2.3.4", "5.6.7.8"), UDP(1, 4341),
			       LISP(0, 0), IP4("9.9.9.9", "8.8.8.8"), DATA(4));
	struct pkt twice6 = PKT(IP6("fd01::10", "fd02::20"), UDP(0xc001, 4341), LISP(0, 0), IP6("fd08::1", "fd08::2"), UDP(1, 4341),
				LISP(0, 0), IP4("9.9.9.9", "8.8.8.8"), DATA(4));
	struct ran r;

	for (unsigned k = 0; k < 4; k++) {
		cr_expect_eq(lab_run(hooks[k], &once, NULL).ret, TC_REDIRECT, "one on %s", hook_name[hooks[k]]);
		r = lab_run(hooks[k], &twice, NULL);
		cr_expect_eq(r.ret, TC_SHOT, "two on %s", hook_name[hooks[k]]);
		expect_moved(&r, "two", XTR_DROP_ENCAP_NESTED);
		r = lab_run(hooks[k], &twice6, NULL);
		expect_moved(&r, "two, IPv6", XTR_DROP_ENCAP_NESTED);
	}
	cr_expect_eq(lab_run(H_XDP_EID, &once, NULL).ret, XDP_REDIRECT);
	r = lab_run(H_XDP_EID, &twice, NULL);
	cr_expect_eq(r.ret, XDP_PASS);
	expect_pkt("left to TC", &r.out, &twice);
}
