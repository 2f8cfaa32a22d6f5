/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * LISP-GPE (RFC 9305), octet for octet on every hook: what is sent to peers known to speak it, what is taken, and that the
 * fence of the helper device lets nothing through.
 */
#include "bpf/decap_rows.h"

#include <stdio.h>
#include <string.h>

#define EID_IN  ETH(MAC_EID, MAC_HOST)
#define EID_OUT ETH(MAC_NEXT, MAC_UNDER)
#define OUT4(...) IP4("192.0.2.1", "192.0.2.2", ##__VA_ARGS__)
#define OUT6(...) IP6("2001:db8::1", "2001:db8::2", ##__VA_ARGS__)
#define OUTU  UDP(0, 4341)
#define LC    UDP(0xc123, 4341, .csum = true)
#define GPE(np) LISP(0x0c000000 | (np), 5 << 8)

/* ---- sent */

static void speak(__u32 rloc, bool gpe)
{
	struct xtr_rloc t = lab_rloc_get(rloc);

	t.flags = gpe ? t.flags | XTR_RLOC_F_GPE : t.flags & (__u16)~XTR_RLOC_F_GPE;
	lab_rloc(rloc, t);
}

static void init_speak(void)
{
	lab_init();
	speak(RLOC4, true);
	speak(RLOC6, true);
}

static void expect_sent(const char *name, const struct layer *in, const struct layer *out)
{
	static const enum hook hooks[] = { H_TC_EID, H_XDP_EID, H_INJECT };
	struct pkt p = pkt_build(in);

	for (unsigned i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		struct pkt want = pkt_build(out);
		struct ran r = lab_run(hooks[i], &p, NULL);
		char what[160];

		snprintf(what, sizeof(what), "%s on %s", name, hook_name[hooks[i]]);
		cr_expect_eq(r.ret, hooks[i] == H_XDP_EID ? (int)XDP_REDIRECT : TC_REDIRECT, "%s: action %d", what, r.ret);
		take_entropy(&r.out, &want);
		expect_pkt(what, &r.out, &want);
		if (hooks[i] == H_XDP_EID)
			expect_moved(&r, what, 0, XTR_STAT_ENCAP, XTR_STAT_ENCAP_XDP);
		else if (hooks[i] == H_INJECT)
			expect_moved(&r, what, 0, XTR_STAT_ENCAP, XTR_STAT_INJECT);
		else
			expect_moved(&r, what, 0, XTR_STAT_ENCAP);
	}
}
#define SENT(name, ...) expect_sent(name, __VA_ARGS__)
#define L(...) (struct layer[]){ __VA_ARGS__, {} }

/* I and P set, all else 0 but the next protocol: that is a VXLAN-GPE header, too. */
Test(gpe, RFC9305_3_header_to_a_peer_that_speaks_it, .init = init_speak)
{
	lab_iid(IID_A);
	SENT("IPv4 in IPv4", L(EID_IN, IP4("10.1.0.10", "10.2.0.20"), TAIL),
	     L(EID_OUT, OUT4(.ttl = 63), OUTU, LISP(0x0c000001, 5 << 8), IP4("10.1.0.10", "10.2.0.20", .ttl = 63), TAIL));
	SENT("IPv6 in IPv4", L(EID_IN, IP6("fd01::10", "fd02::20"), TAIL),
	     L(EID_OUT, OUT4(.ttl = 63), OUTU, LISP(0x0c000002, 5 << 8), IP6("fd01::10", "fd02::20", .ttl = 63), TAIL));
	SENT("IPv4 in IPv6", L(EID_IN, IP4("10.1.0.10", "10.6.0.20"), TAIL),
	     L(EID_OUT, OUT6(.ttl = 63), OUTU, LISP(0x0c000001, 5 << 8), IP4("10.1.0.10", "10.6.0.20", .ttl = 63), TAIL));
	SENT("IPv6 in IPv6", L(EID_IN, IP6("fd01::10", "fd06::20"), TAIL),
	     L(EID_OUT, OUT6(.ttl = 63), OUTU, LISP(0x0c000002, 5 << 8), IP6("fd01::10", "fd06::20", .ttl = 63), TAIL));
	lab_iid(0);
	SENT("instance 0 is said, too", L(EID_IN, IP4("10.1.0.10", "10.2.0.20"), TAIL),
	     L(EID_OUT, OUT4(.ttl = 63), OUTU, LISP(0x0c000001, 0), IP4("10.1.0.10", "10.2.0.20", .ttl = 63), TAIL));
}

/* RFC 9305 3: N, E and V are 0, so there are no map-versions. */
Test(gpe, RFC9305_3_no_map_versions, .init = init_speak)
{
	struct xtr_eid e = lab_eid_get(IID_A, "10.2.0.0/16");

	lab_iid(IID_A);
	lab_flags(XTR_CFG_F_ACCEPT_VERSIONS);
	e.map_version = 7;
	lab_eid(IID_A, "10.2.0.0/16", e);
	lab_local(IID_A, "10.1.0.0/16", XTR_LOCAL_F_EID, 9);
	SENT("versions on both sides", L(EID_IN, IP4("10.1.0.10", "10.2.0.20"), TAIL),
	     L(EID_OUT, OUT4(.ttl = 63), OUTU, LISP(0x0c000001, 5 << 8), IP4("10.1.0.10", "10.2.0.20", .ttl = 63), TAIL));
}

/* RFC 9305 5: never to others, and it ends with the announcement. */
Test(gpe, RFC9305_5_classic_lisp_to_everybody_else, .init = init_speak)
{
	lab_iid(IID_A);
	speak(RLOC4, false);
	SENT("a peer that does not speak it", L(EID_IN, IP4("10.1.0.10", "10.2.0.20"), TAIL),
	     L(EID_OUT, OUT4(.ttl = 63), OUTU, LISP(0x08000000, 5 << 8), IP4("10.1.0.10", "10.2.0.20", .ttl = 63), TAIL));
	SENT("beside one that does", L(EID_IN, IP4("10.1.0.10", "10.6.0.20"), TAIL),
	     L(EID_OUT, OUT6(.ttl = 63), OUTU, LISP(0x0c000001, 5 << 8), IP4("10.1.0.10", "10.6.0.20", .ttl = 63), TAIL));
}

/* ---- taken */

#define ON_  XTR_CFG_F_GPE
#define ON6  (XTR_CFG_F_GPE | XTR_CFG_F_GPE_ZERO6)

static const enum hook under[] = { H_TC_UNDER, H_XDP_UNDER, H_SLOW };

static const struct {
	const char *name;
	__u32 flags, iid;
	struct layer in[MAX_LAYERS], out[MAX_LAYERS];
} good[] = {
	{ "IPv4", ON_, IID_A, { IN, O4(), LU, GPE(1), I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "IPv6", ON_, IID_A, { IN, O4(), LU, GPE(2), I6(), TAIL }, { OUT, I6(), TAIL } },
	{ "no I bit: instance 0", ON_, 0, { IN, O4(), LU, LISP(0x04000001, 5 << 8), I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "with a UDP checksum", ON_, IID_A, { IN, O4(), LC, GPE(1), I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "over IPv6 with a UDP checksum", ON_, IID_A, { IN, O6(), LC, GPE(1), I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "over IPv6 without, as configured", ON6, IID_A, { IN, O6(), LU, GPE(2), I6(), TAIL }, { OUT, I6(), TAIL } },
	{ "L: status bits keep their meaning, none here", ON_, IID_A, { IN, O4(), LU, LISP(0x4c000001, 5 << 8 | 3), I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "N, E, V and the 16 bits: ignored", ON_ | XTR_CFG_F_ACCEPT_VERSIONS, IID_A,
	  { IN, O4(), LU, LISP(0xbcffff01, 5 << 8), I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "V alone: no versions where P is set", ON_ | XTR_CFG_F_ACCEPT_VERSIONS, IID_A,
	  { IN, O4(), LU, LISP(0x1c123401, 5 << 8), I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "classic LISP as ever", ON_, IID_A, { IN, O4(), LU, LISP(0x08000000, 5 << 8), I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "classic LISP over IPv6 without UDP checksum as ever", ON_, IID_A,
	  { IN, O6(), LU, LISP(0x08000000, 5 << 8), I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "classic LISP with a nonce that looks like a next protocol", ON_, IID_A,
	  { IN, O4(), LU, LISP(0x88000003, 5 << 8), I4(), TAIL }, { OUT, I4(), TAIL } },
	/* not in use: a reserved bit (RFC 9300 5.3), whatever is behind it */
	{ "off: reserved, ignored", 0, IID_A, { IN, O4(), LU, GPE(1), I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "off: nor is there a next protocol", 0, IID_A, { IN, O4(), LU, GPE(3), I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "off: nor another rule for checksums", 0, IID_A, { IN, O6(), LU, GPE(1), I4(), TAIL }, { OUT, I4(), TAIL } },
};

Test(gpe, RFC9305_3_what_is_taken, .init = lab_init)
{
	static const __u8 nobody[6] = XTR_NOBODY_MAC;

	for (unsigned n = 0; n < sizeof(good) / sizeof(good[0]) * 3; n++) {
		unsigned i = n / 3;
		enum hook h = under[n % 3];
		struct pkt p = pkt_build(good[i].in), want = pkt_build(good[i].out);
		char what[160];
		struct ran r;

		lab_flags(good[i].flags);
		r = lab_run(h, &p, NULL);
		snprintf(what, sizeof(what), "%s on %s", good[i].name, hook_name[h]);
		cr_expect_eq(r.ret, h == H_XDP_UNDER ? (int)XDP_PASS : TC_REDIRECT, "%s: action %d", what, r.ret);
		if (h == H_XDP_UNDER) {
			memcpy(want.b, nobody, 6);
			cr_expect_eq(((struct xtr_meta *)r.meta)->iid, good[i].iid, "%s: instance", what);
			expect_moved(&r, what, 0, XTR_STAT_DECAP, XTR_STAT_DECAP_XDP);
		} else if (h == H_SLOW) {
			expect_moved(&r, what, 0, XTR_STAT_DECAP, XTR_STAT_SLOW);
		} else {
			expect_moved(&r, what, 0, XTR_STAT_DECAP);
		}
		expect_pkt(what, &r.out, &want);
	}
}

static const struct {
	const char *name;
	__u32 flags;
	int reason;
	struct layer in[MAX_LAYERS];
} bad[] = {
	{ "next protocol 0, reserved", ON_, XTR_DROP_DECAP_PROTOCOL, { IN, O4(), LU, GPE(0), I4(), TAIL } },
	{ "Ethernet", ON_, XTR_DROP_DECAP_PROTOCOL, { IN, O4(), LU, GPE(3), I4(), TAIL } },
	{ "NSH", ON_, XTR_DROP_DECAP_PROTOCOL, { IN, O4(), LU, GPE(4), I4(), TAIL } },
	{ "a shim header", ON_, XTR_DROP_DECAP_PROTOCOL, { IN, O4(), LU, GPE(0x80), I4(), TAIL } },
	{ "an experiment", ON6, XTR_DROP_DECAP_PROTOCOL, { IN, O6(), LU, GPE(0xff), I4(), TAIL } },
	{ "says IPv4, is IPv6", ON_, XTR_DROP_DECAP_INNER, { IN, O4(), LU, GPE(1), I6(), TAIL } },
	{ "says IPv6, is IPv4", ON_, XTR_DROP_DECAP_INNER, { IN, O4(), LU, GPE(2), I4(), TAIL } },
	{ "over IPv6 without UDP checksum", ON_, XTR_DROP_DECAP_CHECKSUM, { IN, O6(), LU, GPE(1), I4(), TAIL } },
	{ "over IPv6 without UDP checksum, IPv6", ON_, XTR_DROP_DECAP_CHECKSUM, { IN, O6(), LU, GPE(2), I6(), TAIL } },
	{ "KK 1", ON_, XTR_DROP_DECAP_KEY, { IN, O4(), LU, LISP(0x0d000001, 5 << 8), I4(), TAIL } },
	{ "KK 2", ON_, XTR_DROP_DECAP_KEY, { IN, O4(), LU, LISP(0x0e000001, 5 << 8), I4(), TAIL } },
	{ "KK 3", ON6, XTR_DROP_DECAP_KEY, { IN, O6(), LU, LISP(0x0f000002, 5 << 8), I6(), TAIL } },
	{ "instance not here", ON_, XTR_DROP_DECAP_IID, { IN, O4(), LU, LISP(0x0c000001, 6 << 8), I4(), TAIL } },
	{ "a control message of somebody", ON_, XTR_DROP_DECAP_CONTROL, { IN, O4(), LU, LISP(0x0c000001, 0xffffff00), I4(), TAIL } },
};

Test(gpe, RFC9305_3_what_is_dropped_under_its_reason, .init = lab_init)
{
	for (unsigned n = 0; n < sizeof(bad) / sizeof(bad[0]) * 3; n++) {
		unsigned i = n / 3;
		enum hook h = under[n % 3];
		struct pkt p = pkt_build(bad[i].in);
		char what[160];
		struct ran r;

		lab_flags(bad[i].flags);
		r = lab_run(h, &p, NULL);
		snprintf(what, sizeof(what), "%s on %s", bad[i].name, hook_name[h]);
		cr_expect_eq(r.ret, h == H_XDP_UNDER ? (int)XDP_DROP : TC_SHOT, "%s: action %d", what, r.ret);
		expect_moved(&r, what, bad[i].reason);
	}
}

/* ---- the fence */

Test(gpe, the_fence_lets_nothing_through, .init = lab_init)
{
	const struct layer *const packets[] = {
		L(IN, O4(), LU, GPE(1), I4(), TAIL), L(IN, I4(), TAIL), L(IN, I6(), TAIL), L(IN, DATA(46)),
	};

	for (unsigned i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		struct pkt p = pkt_build(packets[i]);
		LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = p.b, .data_size_in = p.len);

		cr_assert_eq(bpf_prog_test_run_opts(lab_prog(lab.skel->progs.xtr_tc_fence), &run), 0);
		cr_expect_eq((int)run.retval, TC_SHOT, "packet %u", i);
	}
}
