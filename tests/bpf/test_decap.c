/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Decapsulation, octet for octet, by one table on both hooks (RFC 9300 4.2, 5.3; RFC 6040 4.2; RFC 9302 7). TC delivers on
 * the overlay device; XDP leaves the same frame with nobody's destination MAC and the instance ID in metadata. What the daemon
 * sends on (fragments it got from the kernel as one packet, packets with options) goes through the same tables.
 */
#include "bpf/decap_rows.h"

#include <stdio.h>
#include <string.h>

#define MAC_NOBODY 0 /* stands for XTR_NOBODY_MAC in expectations */
#define L0    LISP(0, 0)

static const enum hook hooks[] = { H_TC_UNDER, H_XDP_UNDER, H_SLOW };
#define HOOKS (sizeof(hooks) / sizeof(hooks[0]))
#define EACH_HOOK(h) (enum hook *h = (enum hook *)hooks; h < hooks + HOOKS; h++)
/* TC or XDP; else a packet from the daemon, which is ours or malformed */
#define AT_PORT(h) ((h) != H_SLOW)

struct decap_case {
	const char *name;
	__u32 iid;
	__u32 flags;
	struct layer in[MAX_LAYERS];
	struct layer out[MAX_LAYERS];
};

static const struct decap_case decap_cases[] = {
	{ "IPv4 in IPv4, no I bit: instance 0", 0, 0, { IN, O4(), LU, L0, I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "IPv4 in IPv4, instance 5", IID_A, 0, { IN, O4(), LU, L5, I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "IPv4 in IPv4, instance 0xfffffe", IID_B, 0, { IN, O4(), LU, LISP(0x08000000, 0xfffffe00), I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "IPv6 in IPv4", IID_A, 0, { IN, O4(), LU, L5, I6(), TCP(80, 5000), DATA(33) }, { OUT, I6(), TCP(80, 5000), DATA(33) } },
	{ "IPv4 in IPv6", IID_A, 0, { IN, O6(), LU, L5, I4(), TCP(80, 5000), DATA(33) }, { OUT, I4(), TCP(80, 5000), DATA(33) } },
	{ "IPv6 in IPv6", 0, 0, { IN, O6(), LU, L0, I6(), TAIL }, { OUT, I6(), TAIL } },
	{ "IPv6 in IPv6, instance 0xfffffe, flow labels", IID_B, 0,
	  { IN, O6(.flow = 0xfffff), LU, LISP(0x08000000, 0xfffffe00), I6(.flow = 0x12345), TAIL }, { OUT, I6(.flow = 0x12345), TAIL } },
	{ "instance 0 with the I bit", 0, 0, { IN, O4(), LU, LISP(0x08000000, 0), I4(), TAIL }, { OUT, I4(), TAIL } },
	/* bits of the LISP header (RFC 9300 5.3) */
	{ "N: nonce ignored", IID_A, 0, { IN, O4(), LU, LISP(0x88abcdef, 5 << 8), I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "L with I: 8 status bits ignored", IID_A, 0, { IN, O4(), LU, LISP(0x48000000, 5 << 8 | 0xff), I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "L without I: 32 status bits are no instance", 0, 0, { IN, O4(), LU, LISP(0x40000000, 0x00000503), I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "E without N", IID_A, 0, { IN, O4(), LU, LISP(0x28000000, 5 << 8), I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "N and E and L and I", IID_A, 0, { IN, O4(), LU, LISP(0xe8abcdef, 5 << 8 | 3), I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "V ignored where versions are not in use", IID_A, 0, { IN, O4(), LU, LISP(0x18123456, 5 << 8), I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "N and V together: a nonce", IID_A, XTR_CFG_F_ACCEPT_VERSIONS,
	  { IN, O4(), LU, LISP(0x98123456, 5 << 8), I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "R reserved: ignored", IID_A, 0, { IN, O4(), LU, LISP(0x0c000000, 5 << 8), I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "low bits of word 1 without N and V", IID_A, 0, { IN, O4(), LU, LISP(0x08ffffff, 5 << 8), I4(), TAIL }, { OUT, I4(), TAIL } },
	/* TTL: never raised, lowered to the outer one */
	{ "outer TTL lower", IID_A, 0, { IN, O4(.ttl = 7), LU, L5, I4(.ttl = 64), TAIL }, { OUT, I4(.ttl = 7), TAIL } },
	{ "outer TTL higher", IID_A, 0, { IN, O4(.ttl = 255), LU, L5, I4(.ttl = 3), TAIL }, { OUT, I4(.ttl = 3), TAIL } },
	{ "outer TTL 1, inner IPv6", IID_A, 0, { IN, O4(.ttl = 1), LU, L5, I6(.ttl = 200), TAIL }, { OUT, I6(.ttl = 1), TAIL } },
	{ "outer hop limit lower", IID_A, 0, { IN, O6(.ttl = 9), LU, L5, I4(.ttl = 10), TAIL }, { OUT, I4(.ttl = 9), TAIL } },
	{ "inner TTL 0 stays 0", IID_A, 0, { IN, O4(.ttl = 9), LU, L5, I4(.ttl0 = true), TAIL }, { OUT, I4(.ttl0 = true), TAIL } },
	/* DSCP: replaced unless configured */
	{ "DSCP is replaced", IID_A, 0, { IN, O4(.tos = 0xb8), LU, L5, I4(.tos = 0x28), TAIL }, { OUT, I4(.tos = 0xb8), TAIL } },
	{ "DSCP is replaced, IPv6", IID_A, 0, { IN, O6(.tos = 0x04), LU, L5, I6(.tos = 0xfc, .flow = 0xfffff), TAIL },
	  { OUT, I6(.tos = 0x04, .flow = 0xfffff), TAIL } },
	{ "DSCP stays by configuration, ECN does not", IID_A, XTR_CFG_F_KEEP_INNER_DSCP,
	  { IN, O4(.tos = 0xbb), LU, L5, I4(.tos = 0x2a), TAIL }, { OUT, I4(.tos = 0x2b), TAIL } },
	/* forms */
	{ "UDP checksum present: accepted", IID_A, 0, { IN, O4(), UDP(1, 4341, .csum = true), L5, I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "any source port", IID_A, 0, { IN, O4(), UDP(4341, 4341), L5, I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "outer without DF, with an identification", IID_A, 0, { IN, O4(.id = 77, .no_df = true), LU, L5, I4(), TAIL }, { OUT, I4(), TAIL } },
	{ "inner options", IID_A, 0, { IN, O4(), LU, L5, I4(.options = 10), TAIL }, { OUT, I4(.options = 10), TAIL } },
	{ "inner fragment", IID_A, 0, { IN, O4(), LU, L5, I4(.frag = 0x2005, .proto = 17), DATA(16) }, { OUT, I4(.frag = 0x2005, .proto = 17), DATA(16) } },
	{ "inner extension header", IID_A, 0, { IN, O6(), LU, L5, I6(.proto = 0), DATA(16) }, { OUT, I6(.proto = 0), DATA(16) } },
	{ "ICMP", IID_A, 0, { IN, O4(), LU, L5, I4(.proto = 1), DATA(64) }, { OUT, I4(.proto = 1), DATA(64) } },
	{ "the smallest IPv4 packet", IID_A, 0, { IN, O4(), LU, L5, I4(.proto = 59) }, { OUT, I4(.proto = 59) } },
	{ "the smallest IPv4 packet in IPv6", IID_A, 0, { IN, O6(), LU, L5, I4(.proto = 59) }, { OUT, I4(.proto = 59) } },
	{ "the smallest IPv6 packet", IID_A, 0, { IN, O6(), LU, L5, I6(.proto = 59) }, { OUT, I6(.proto = 59) } },
	{ "padding behind the outer packet", IID_A, 0, { IN, O4(), LU, L5, I4(), UDP(1, 2), DATA(2), PAD(6) }, { OUT, I4(), UDP(1, 2), DATA(2), PAD(6) } },
	{ "to an address of ours", IID_A, 0, { IN, O4(), LU, L5, IP4("10.2.0.20", "10.1.0.1"), TAIL }, { OUT, IP4("10.2.0.20", "10.1.0.1"), TAIL } },
	{ "LISP in LISP, the second one for somebody else", IID_A, 0,
	  { IN, O4(), LU, L5, I4(), UDP(0xc001, 4341), LISP(0, 0), IP4("1.1.1.1", "2.2.2.2"), UDP(1, 2), DATA(4) },
	  { OUT, I4(), UDP(0xc001, 4341), LISP(0, 0), IP4("1.1.1.1", "2.2.2.2"), UDP(1, 2), DATA(4) } },
};

static void expect_meta(const char *what, const struct ran *r, __u32 iid)
{
	const struct xtr_meta want = { .magic = XTR_META_MAGIC, .version = XTR_META_VERSION, .iid = iid };

	cr_expect_eq(r->meta_len, sizeof(want), "%s: %u octets of metadata", what, r->meta_len);
	cr_expect(!memcmp(r->meta, &want, sizeof(want)), "%s: metadata", what);
}

/* want has TC's destination MAC. */
static void check_out(const char *what, enum hook h, const struct ran *r, struct pkt *want, __u32 iid)
{
	static const __u8 nobody[6] = XTR_NOBODY_MAC;

	if (h == H_XDP_UNDER) {
		cr_expect_eq(r->ret, XDP_PASS, "%s: action %d", what, r->ret);
		memcpy(want->b, nobody, 6);
		expect_meta(what, r, iid);
	} else {
		cr_expect_eq(r->ret, TC_REDIRECT, "%s: action %d", what, r->ret);
	}
	expect_pkt(what, &r->out, want);
}

static void check_decap(const struct decap_case *c, enum hook h)
{
	struct pkt in = pkt_build(c->in), want = pkt_build(c->out);
	struct ran r = lab_run(h, &in, NULL);
	char what[160];

	snprintf(what, sizeof(what), "%s on %s", c->name, hook_name[h]);
	/* without the DECAP_L3 flags an IPv4 packet under 40 octets comes out of IPv6 with padding (zeros) */
	if (!lab.decap_l3 && h != H_XDP_UNDER && c->in[1].type == L_IP6 && want.len < 14 + 40)
		want.len = 14 + 40;
	check_out(what, h, &r, &want, c->iid);
	if (h == H_XDP_UNDER)
		expect_moved(&r, what, 0, XTR_STAT_DECAP, XTR_STAT_DECAP_XDP);
	else if (h == H_SLOW)
		expect_moved(&r, what, 0, XTR_STAT_DECAP, XTR_STAT_SLOW);
	else
		expect_moved(&r, what, 0, XTR_STAT_DECAP);
}

static void check_all(void)
{
	for (unsigned i = 0; i < sizeof(decap_cases) / sizeof(decap_cases[0]); i++) {
		lab_flags(decap_cases[i].flags);
		for EACH_HOOK(h)
			check_decap(&decap_cases[i], *h);
	}
}

Test(decap, octet_for_octet_on_both_hooks, .init = lab_init)
{
	check_all();
}

/* As on kernels before 6.3. */
static void init_old(void) { lab_init_with(false, true); }

Test(decap, without_the_flags_of_6_3, .init = init_old)
{
	check_all();
}

static void init_no_meta(void) { lab_init_with(true, false); }

Test(decap, without_metadata_xdp_leaves_everything_to_tc, .init = init_no_meta)
{
	struct pkt p = pkt_build((struct layer[]){ IN, O4(), LU, L5, I4(), TAIL, {} });
	struct ran r = lab_run(H_XDP_UNDER, &p, NULL);

	cr_expect_eq(r.ret, XDP_PASS);
	expect_pkt("no metadata", &r.out, &p);
	cr_expect_eq(r.meta_len, 0);
	expect_moved(&r, "no metadata", 0);
}

/* ---- RFC 6040 4.2, all sixteen, in all four family pairs, on both hooks */

Test(decap, RFC6040_4_2_ecn_table, .init = lab_init)
{
	static const int result[4][4] = { /* [inner][outer]: 0 Not-ECT, 1 ECT(1), 2 ECT(0), 3 CE; -1 drop */
		{ 0, 0, 0, -1 },
		{ 1, 1, 1, 3 },
		{ 2, 1, 2, 3 },
		{ 3, 3, 3, 3 },
	};
	static const bool odd[4][4] = { { 0, 1, 1, 1 }, { 0, 0, 1, 0 }, { 0, 0, 0, 0 }, { 0, 1, 0, 0 } };

	for (unsigned n = 0; n < 4 * 4 * 4 * HOOKS; n++) {
		unsigned inner = n & 3, outer = n >> 2 & 3, fam = n >> 4 & 3;
		enum hook h = hooks[n >> 6];
		int want_ecn = result[inner][outer];
		struct layer in[] = { IN, O4(.tos = 0x68 | outer), LU, L5, I4(.tos = inner), TAIL, {} };
		struct layer out[] = { OUT, I4(.tos = 0x68 | want_ecn), TAIL, {} };
		struct pkt p, want;
		struct ran r;
		char what[96];

		if (fam & 1)
			in[1] = (struct layer)O6(.tos = 0x68 | outer);
		if (fam & 2) {
			in[4] = (struct layer)I6(.tos = inner);
			out[1] = (struct layer)I6(.tos = 0x68 | want_ecn);
		}
		snprintf(what, sizeof(what), "inner %u outer %u families %u on %s", inner, outer, fam, hook_name[h]);
		p = pkt_build(in);
		want = pkt_build(out);
		r = lab_run(h, &p, NULL);
		if (want_ecn < 0) {
			cr_expect_eq(r.ret, h == H_XDP_UNDER ? (int)XDP_DROP : TC_SHOT, "%s", what);
			expect_moved(&r, what, XTR_DROP_DECAP_ECN);
			continue;
		}
		check_out(what, h, &r, &want, IID_A);
		cr_expect_eq(r.stats[XTR_STAT_ECN_ODD].packets, odd[inner][outer], "%s: log", what);
	}
}

/* ---- counted drops */

static void expect_drop(const char *name, enum hook h, const struct pkt *p, int reason)
{
	struct ran r = lab_run(h, p, NULL);
	char what[160];

	snprintf(what, sizeof(what), "%s on %s", name, hook_name[h]);
	cr_expect_eq(r.ret, h == H_XDP_UNDER ? (int)XDP_DROP : TC_SHOT, "%s: action %d", what, r.ret);
	expect_moved(&r, what, reason);
}

static const struct {
	const char *name;
	int reason;
	struct layer in[MAX_LAYERS];
} bad[] = {
	{ "outer IPv4 longer than the frame", XTR_DROP_DECAP_TRUNCATED, { IN, O4(.len_add = 1), LU, L5, I4(), TAIL } },
	{ "outer IPv6 longer than the frame", XTR_DROP_DECAP_TRUNCATED, { IN, O6(.len_add = 1), LU, L5, I4(), TAIL } },
	{ "UDP longer than IPv4 says", XTR_DROP_DECAP_TRUNCATED, { IN, O4(.len_add = -1), LU, L5, I4(), TAIL } },
	{ "UDP longer than IPv6 says", XTR_DROP_DECAP_TRUNCATED, { IN, O6(.len_add = -1), LU, L5, I6(), TAIL } },
	{ "UDP length 0", XTR_DROP_DECAP_TRUNCATED, { IN, O4(), UDP(1, 4341, .len_add = -64), L5, I4(), TAIL } },
	{ "UDP length without room for a LISP header", XTR_DROP_DECAP_TRUNCATED, { IN, O4(), UDP(1, 4341, .len_add = -49), L5, I4(), TAIL } },
	{ "no LISP header", XTR_DROP_DECAP_TRUNCATED, { IN, O4(), LU } },
	{ "no LISP header, IPv6", XTR_DROP_DECAP_TRUNCATED, { IN, O6(), LU } },
	{ "seven octets of LISP header", XTR_DROP_DECAP_TRUNCATED, { IN, O4(), LU, DATA(7) } },
	{ "nothing behind the LISP header", XTR_DROP_DECAP_INNER, { IN, O4(), LU, L5 } },
	{ "nothing behind the LISP header, IPv6", XTR_DROP_DECAP_INNER, { IN, O6(), LU, L5 } },
	{ "inner version 0", XTR_DROP_DECAP_INNER, { IN, O4(), LU, L5, I4(.version = 15), TAIL } },
	{ "inner version 5", XTR_DROP_DECAP_INNER, { IN, O4(), LU, L5, I4(.version = 5), TAIL } },
	{ "an IPv4 packet that says it is IPv6", XTR_DROP_DECAP_INNER, { IN, O4(), LU, L5, I4(.version = 6), TAIL } },
	{ "inner IPv4 longer than there is", XTR_DROP_DECAP_INNER, { IN, O4(), LU, L5, I4(.len_add = 1), TAIL } },
	{ "inner IPv4 shorter than UDP says", XTR_DROP_DECAP_INNER, { IN, O4(), LU, L5, I4(.len_add = -1), TAIL } },
	{ "inner IPv6 longer than there is", XTR_DROP_DECAP_INNER, { IN, O6(), LU, L5, I6(.len_add = 1), TAIL } },
	{ "inner IPv6 shorter than UDP says", XTR_DROP_DECAP_INNER, { IN, O6(), LU, L5, I6(.len_add = -1), TAIL } },
	{ "an IPv6 header that is not all there", XTR_DROP_DECAP_INNER, { IN, O4(), LU, L5, RAW((const __u8 *)"\x60", 1), DATA(38) } },
	{ "instance not here", XTR_DROP_DECAP_IID, { IN, O4(), LU, LISP(0x08000000, 6 << 8), I4(), TAIL } },
	{ "instance not here, whatever the status bits are", XTR_DROP_DECAP_IID, { IN, O4(), LU, LISP(0x48000000, 6 << 8 | 5), I4(), TAIL } },
	{ "control message in a data packet", XTR_DROP_DECAP_CONTROL, { IN, O4(), LU, LISP(0x08000000, 0xffffff00), I4(), TAIL } },
	{ "KK 1", XTR_DROP_DECAP_KEY, { IN, O4(), LU, LISP(0x09000000, 5 << 8), I4(), TAIL } },
	{ "KK 2", XTR_DROP_DECAP_KEY, { IN, O6(), LU, LISP(0x0a000000, 5 << 8), I4(), TAIL } },
	{ "KK 3", XTR_DROP_DECAP_KEY, { IN, O4(), LU, LISP(0x0b000000, 5 << 8), I4(), TAIL } },
	{ "destination of another site", XTR_DROP_DECAP_NOT_LOCAL, { IN, O4(), LU, L5, IP4("10.2.0.20", "10.9.0.1"), TAIL } },
	{ "destination of another site, IPv6", XTR_DROP_DECAP_NOT_LOCAL, { IN, O4(), LU, L5, IP6("fd02::1", "fd09::1"), TAIL } },
	{ "inner source multicast", XTR_DROP_DECAP_ADDRESS, { IN, O4(), LU, L5, IP4("239.1.1.1", "10.1.0.10"), TAIL } },
	{ "inner source loopback", XTR_DROP_DECAP_ADDRESS, { IN, O4(), LU, L5, IP4("127.0.0.1", "10.1.0.10"), TAIL } },
	{ "inner source link-local", XTR_DROP_DECAP_ADDRESS, { IN, O4(), LU, L5, IP4("169.254.1.1", "10.1.0.10"), TAIL } },
	{ "inner source unspecified", XTR_DROP_DECAP_ADDRESS, { IN, O4(), LU, L5, IP4("0.0.0.0", "10.1.0.10"), TAIL } },
	{ "inner destination loopback", XTR_DROP_DECAP_ADDRESS, { IN, O4(), LU, L5, IP4("10.2.0.20", "127.0.0.1"), TAIL } },
	{ "inner destination link-local", XTR_DROP_DECAP_ADDRESS, { IN, O6(), LU, L5, IP4("10.2.0.20", "169.254.1.1"), TAIL } },
	{ "inner IPv6 source multicast", XTR_DROP_DECAP_ADDRESS, { IN, O4(), LU, L5, IP6("ff05::1", "fd01::1"), TAIL } },
	{ "inner IPv6 source link-local", XTR_DROP_DECAP_ADDRESS, { IN, O4(), LU, L5, IP6("fe80::1", "fd01::1"), TAIL } },
	{ "inner IPv6 source loopback", XTR_DROP_DECAP_ADDRESS, { IN, O4(), LU, L5, IP6("::1", "fd01::1"), TAIL } },
	{ "inner IPv6 destination link-local", XTR_DROP_DECAP_ADDRESS, { IN, O4(), LU, L5, IP6("fd02::1", "fe80::1"), TAIL } },
	{ "inner IPv4-mapped source", XTR_DROP_DECAP_ADDRESS, { IN, O4(), LU, L5, IP6("::ffff:10.2.0.20", "fd01::1"), TAIL } },
	{ "inner IPv4-mapped destination", XTR_DROP_DECAP_ADDRESS, { IN, O6(), LU, L5, IP6("fd02::1", "::ffff:10.1.0.10"), TAIL } },
	{ "outer TTL 0", XTR_DROP_DECAP_TTL, { IN, O4(.ttl0 = true), LU, L5, I4(), TAIL } },
	{ "outer hop limit 0", XTR_DROP_DECAP_TTL, { IN, O6(.ttl0 = true), LU, L5, I4(), TAIL } },
	{ "three LISP headers", XTR_DROP_DECAP_NESTED,
	  { IN, O4(), LU, L5, I4(), UDP(1, 4341), LISP(0, 0), IP4("1.1.1.1", "2.2.2.2"), UDP(1, 4341), LISP(0, 0), DATA(20) } },
	{ "three LISP headers, IPv6", XTR_DROP_DECAP_NESTED,
	  { IN, O6(), LU, L5, I6(), UDP(1, 4341), LISP(0, 0), IP6("fd03::1", "fd04::1"), UDP(1, 4341), LISP(0, 0), DATA(20) } },
	{ "three LISP headers, IPv4 options in the second", XTR_DROP_DECAP_NESTED,
	  { IN, O6(), LU, L5, I6(), UDP(1, 4341), LISP(0, 0), IP4("1.1.1.1", "2.2.2.2", .options = 2), UDP(1, 4341), LISP(0, 0), DATA(20) } },
};

Test(decap, every_bad_packet_is_dropped_under_its_reason, .init = lab_init)
{
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pkt p = pkt_build(bad[i].in);

		for EACH_HOOK(h)
			expect_drop(bad[i].name, *h, &p, bad[i].reason);
	}
	cr_expect_eq(lab_events().n, 0, "drops are not traced unless somebody watches");
}

/* Cut anywhere, with the lengths of the whole: before UDP is complete it is nobody's, after that a counted drop. */
Test(decap, truncated_at_every_octet, .init = lab_init)
{
	const struct layer forms[][9] = {
		{ IN, O4(), LU, L5, I4(), TAIL, {} }, { IN, O4(), LU, L5, I6(), TAIL, {} },
		{ IN, O6(), LU, L5, I4(), TAIL, {} }, { IN, O6(), LU, L5, I6(), TAIL, {} },
	};

	for (unsigned f = 0; f < 4; f++) {
		struct pkt whole = pkt_build(forms[f]), cut;
		unsigned udp_end = pkt_offset(forms[f], 3);

		for (unsigned n = 14; n < whole.len; n++) {
			char what[64];
			struct ran r;

			cut = whole;
			cut.len = n;
			snprintf(what, sizeof(what), "form %u cut to %u", f, n);
			for EACH_HOOK(h) {
				if (*h != H_XDP_UNDER && n < pkt_offset(forms[f], 2))
					continue; /* the kernel takes no such skb */
				if (n >= udp_end) {
					expect_drop(what, *h, &cut, XTR_DROP_DECAP_TRUNCATED);
					continue;
				}
				if (!AT_PORT(*h)) {
					expect_drop(what, *h, &cut, XTR_DROP_SLOW_BAD);
					continue;
				}
				r = lab_run(*h, &cut, NULL);
				cr_expect_eq(r.ret, *h == H_XDP_UNDER ? (int)XDP_PASS : TC_UNSPEC, "%s", what);
				cr_expect(pkt_differ(&r.out, &cut) < 0, "%s: touched", what);
				for (unsigned d = 0; d < XTR_DROP_MAX; d++)
					cr_expect_eq(r.drops[d], 0, "%s: drop %u", what, d);
			}
		}
	}
}

/* The inner packet cut at every octet, with outer lengths that agree with the frame. */
Test(decap, inner_packet_cut_at_every_octet, .init = lab_init)
{
	const struct layer inner[][5] = { { I4(), TAIL, {} }, { I6(), TAIL, {} } };

	for (unsigned f = 0; f < 4; f++) {
		struct pkt whole = pkt_build(inner[f & 1]);

		for (unsigned n = 1; n < whole.len; n++) {
			struct layer in[] = { IN, O4(), LU, L5, RAW(whole.b, n), {} };
			char what[64];
			struct pkt p;

			if (f & 2)
				in[1] = (struct layer)O6();
			p = pkt_build(in);
			snprintf(what, sizeof(what), "form %u, %u octets", f, n);
			for EACH_HOOK(h)
				expect_drop(what, *h, &p, XTR_DROP_DECAP_INNER);
		}
	}
}

Test(decap, inner_header_length_against_its_packet, .init = lab_init)
{
	struct pkt inner = pkt_build((struct layer[]){ I4(.proto = 59), DATA(20), {} }), p;

	for (unsigned ihl = 0; ihl < 16; ihl++) {
		inner.b[0] = 0x40 | ihl;
		p = pkt_build((struct layer[]){ IN, O4(), LU, L5, RAW(inner.b, inner.len), {} });
		for EACH_HOOK(h) {
			if (ihl >= 5 && ihl <= 10)
				cr_expect_eq(lab_run(*h, &p, NULL).stats[XTR_STAT_DECAP].packets, 1, "ihl %u", ihl);
			else
				expect_drop("header longer than the packet, or than itself", *h, &p, XTR_DROP_DECAP_INNER);
		}
	}
}

/* RFC 1624 on the inner header: all checksums that matter, by way of the identification. */
Test(decap, RFC1624_inner_checksum_at_its_edges, .init = lab_init)
{
	for (unsigned id = 0; id < 0x10000; id++) {
		struct layer in[] = { IN, O4(.ttl = 1, .tos = 0xfc), LU, L5, I4(.proto = 59, .id = id), {} };
		struct layer out[] = { OUT, I4(.proto = 59, .id = id, .ttl = 1, .tos = 0xfc), {} };
		struct pkt inner = pkt_build(in + 4), want;
		unsigned before = inner.b[10] << 8 | inner.b[11], after;

		want = pkt_build(out);
		after = want.b[24] << 8 | want.b[25];
		if ((before + 0x102) % 0x10000 > 0x204 && (after + 0x102) % 0x10000 > 0x204)
			continue;
		for EACH_HOOK(h) {
			struct pkt p = pkt_build(in), w = want;
			struct ran r = lab_run(*h, &p, NULL);

			check_out("edge", *h, &r, &w, IID_A);
		}
	}
}

/* ---- what is not ours goes on octet for octet */

static const struct {
	const char *name;
	struct layer in[MAX_LAYERS];
} foreign[] = {
	{ "ARP", { ETH(0xff, MAC_NEXT, .ethertype = 0x0806), DATA(46) } },
	{ "VLAN tag in the frame", { ETH(MAC_UNDER, MAC_NEXT, .ethertype = 0x8100), DATA(80) } },
	{ "TCP to the LISP port", { IN, O4(), TCP(1, 4341), DATA(40) } },
	{ "UDP to another port", { IN, O4(), UDP(4341, 4342), DATA(40) } },
	{ "UDP to another port, IPv6", { IN, O6(), UDP(4341, 4340), DATA(40) } },
	{ "control message", { IN, O4(), UDP(4342, 4342), DATA(40) } },
	{ "LISP data to another router", { IN, IP4("192.0.2.2", "192.0.2.3"), LU, L5, I4(), TAIL } },
	{ "LISP data to another router, IPv6", { IN, IP6("2001:db8::2", "2001:db8::3"), LU, L5, I4(), TAIL } },
	{ "LISP data to an IPv4 address that is our IPv6 locator's first word", { IN, IP4("192.0.2.2", "32.1.13.184"), LU, L5, I4(), TAIL } },
	{ "outer options", { IN, O4(.options = 1), LU, L5, I4(), TAIL } },
	{ "first outer fragment", { IN, O4(.frag = 0x2000), LU, L5, I4(), TAIL } },
	{ "later outer fragment", { IN, O4(.frag = 0x0004, .proto = 17), DATA(60) } },
	{ "outer IPv6 fragment", { IN, O6(.proto = 44), DATA(80) } },
	{ "outer IPv6 extension header", { IN, O6(.proto = 60), DATA(80) } },
	{ "outer header checksum wrong", { IN, O4(.check_xor = 1), LU, L5, I4(), TAIL } },
	{ "IPv6 version wrong", { IN, O6(.version = 7), LU, L5, I4(), TAIL } },
	{ "ICMP", { IN, O4(.proto = 1), DATA(40) } },
	{ "an odd small packet", { IN, O4(.proto = 17), DATA(3) } },
};

Test(decap, what_is_not_ours_is_untouched, .init = lab_init)
{
	for (unsigned i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		struct pkt p = pkt_build(foreign[i].in);

		for EACH_HOOK(h) {
			struct ran r;

			if (!AT_PORT(*h)) {
				expect_drop(foreign[i].name, *h, &p, XTR_DROP_SLOW_BAD);
				continue;
			}
			r = lab_run(*h, &p, NULL);
			cr_expect_eq(r.ret, *h == H_XDP_UNDER ? (int)XDP_PASS : TC_UNSPEC, "%s on %s: action %d", foreign[i].name,
				     hook_name[*h], r.ret);
			expect_pkt(foreign[i].name, &r.out, &p);
			cr_expect_eq(r.meta_len, 0);
			expect_moved(&r, foreign[i].name, 0);
		}
	}
}

Test(decap, frames_to_other_hosts_are_not_ours, .init = lab_init)
{
	struct pkt p = pkt_build((struct layer[]){ ETH(0x77, MAC_NEXT), O4(), LU, L5, I4(), TAIL, {} });
	struct ran r = lab_run(H_TC_UNDER, &p, NULL);

	cr_expect_eq(r.ret, TC_UNSPEC);
	expect_pkt("other host", &r.out, &p);
	expect_moved(&r, "other host", 0);
	r = lab_run(H_XDP_UNDER, &p, NULL);
	cr_expect_eq(r.ret, XDP_PASS);
	expect_pkt("other host", &r.out, &p);
	expect_moved(&r, "other host", 0, XTR_STAT_XDP_TO_TC);
}

Test(decap, interface_without_a_role_is_left_alone, .init = lab_init)
{
	struct pkt good = pkt_build((struct layer[]){ IN, O4(), LU, L5, I4(), TAIL, {} });
	struct pkt wrong = pkt_build((struct layer[]){ IN, O4(), LU, LISP(0x09000000, 0), I4(), TAIL, {} });
	struct xtr_iface v = lab_iface_get(lab.under);
	struct ran r;

	v.role = XTR_ROLE_NONE;
	lab_iface(lab.under, v);
	r = lab_run(H_TC_UNDER, &good, NULL);
	cr_expect_eq(r.ret, TC_UNSPEC);
	expect_pkt("no role", &r.out, &good);
	expect_moved(&r, "no role", 0);
	r = lab_run(H_TC_UNDER, &wrong, NULL);
	cr_expect_eq(r.ret, TC_UNSPEC);
	r = lab_run(H_XDP_UNDER, &wrong, NULL);
	cr_expect_eq(r.ret, XDP_PASS);
	expect_pkt("no role", &r.out, &wrong);
	expect_drop("the port of a packet from the daemon has gone", H_SLOW, &good, XTR_DROP_INJECT_MARK);
}

/* A mark that names a port of another role, or none at all. */
Test(decap, a_packet_from_the_daemon_names_its_underlay_port, .init = lab_init)
{
	const __u32 marks[] = { 0, 0x3ffffff, lab.eid, lab.xtr0, lab.peer };
	struct pkt p = pkt_build((struct layer[]){ IN, O4(), LU, L5, I4(), TAIL, {} });

	for (unsigned i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		struct ran r = lab_run(H_SLOW, &p, &(struct run_opt){ .mark = XTR_MARK_DECAP | marks[i] });

		cr_expect_eq(r.ret, TC_SHOT, "mark %u", marks[i]);
		expect_moved(&r, "mark", XTR_DROP_INJECT_MARK);
	}
}

Test(decap, nowhere_to_deliver, .init = lab_init)
{
	struct pkt p = pkt_build((struct layer[]){ IN, O4(), LU, L5, I4(), TAIL, {} });

	lab_inst(IID_A, (struct xtr_inst){ .overlay = 0 });
	for EACH_HOOK(h)
		expect_drop("no overlay device", *h, &p, XTR_DROP_DECAP_NO_OVERLAY);
	lab_inst_del(IID_A);
	for EACH_HOOK(h)
		expect_drop("instance removed", *h, &p, XTR_DROP_DECAP_IID);
}

Test(decap, own_address_that_is_no_eid_is_not_decapsulated_for, .init = lab_init)
{
	struct pkt p = pkt_build((struct layer[]){ IN, O4(), LU, L5, IP4("10.2.0.20", "198.51.100.1"), TAIL, {} });

	lab_local(IID_A, "198.51.100.1/32", XTR_LOCAL_F_SELF, 0);
	for EACH_HOOK(h)
		expect_drop("SELF only", *h, &p, XTR_DROP_DECAP_NOT_LOCAL);
}

Test(decap, instances_do_not_meet, .init = lab_init)
{
	struct pkt p = pkt_build((struct layer[]){ IN, O4(), LU, L5, IP4("10.2.0.20", "10.77.0.1"), TAIL, {} });

	lab_local(IID_B, "10.77.0.0/16", XTR_LOCAL_F_EID, 0);
	lab_local(0, "10.77.0.0/16", XTR_LOCAL_F_EID, 0);
	for EACH_HOOK(h)
		expect_drop("EID of other instances", *h, &p, XTR_DROP_DECAP_NOT_LOCAL);
}

/* A size without a TCP super-packet behind it is all that a test run can make: the kernel refuses to shrink it. */
Test(decap, kernel_refuses_to_shrink, .init = lab_init)
{
	struct pkt p = pkt_build((struct layer[]){ IN, O4(), LU, L5, I4(), UDP(1, 2), DATA(1000), {} });
	struct ran r = lab_run(H_TC_UNDER, &p, &(struct run_opt){ .gso_size = 500, .gso_segs = 2 });

	cr_expect_eq(r.ret, TC_SHOT);
	expect_moved(&r, "GSO", XTR_DROP_DECAP_ROOM);
}

/* ---- source check (RFC 9300 16) */

Test(decap, RFC9300_16_outer_source_is_a_locator_of_the_inner_source, .init = lab_init)
{
	struct pkt good = pkt_build((struct layer[]){ IN, O4(), LU, L5, I4(), TAIL, {} });
	struct pkt other = pkt_build((struct layer[]){ IN, IP4("203.0.113.9", "192.0.2.1"), LU, L5, I4(), TAIL, {} });
	struct pkt family = pkt_build((struct layer[]){ IN, O6(), LU, L5, I4(), TAIL, {} });
	struct pkt unknown = pkt_build((struct layer[]){ IN, O4(), LU, L5, IP4("10.50.0.1", "10.1.0.10"), TAIL, {} });
	struct xtr_rset set = { .n = 8, .rloc = { 91, 92, 93, 94, 95, 96, 97, RLOC4 } };

	for EACH_HOOK(h) {
		cr_expect_eq(lab_run(*h, &other, NULL).stats[XTR_STAT_DECAP].packets, 1, "the check is off");
		lab_flags(XTR_CFG_F_CHECK_DECAP_SOURCE);
		cr_expect_eq(lab_run(*h, &good, NULL).stats[XTR_STAT_DECAP].packets, 1);
		expect_drop("another router", *h, &other, XTR_DROP_DECAP_SOURCE);
		expect_drop("a locator of the other family", *h, &family, XTR_DROP_DECAP_SOURCE);
		expect_drop("no mapping", *h, &unknown, XTR_DROP_DECAP_SOURCE);
		lab_rset(RSET4, set);
		cr_expect_eq(lab_run(*h, &good, NULL).stats[XTR_STAT_DECAP].packets, 1, "the eighth locator");
		set.n = 7;
		lab_rset(RSET4, set);
		expect_drop("behind the last locator", *h, &good, XTR_DROP_DECAP_SOURCE);
		lab_eid(IID_A, "10.2.0.0/16", (struct xtr_eid){ .action = XTR_ACT_ENCAP, .rset = 4711 });
		expect_drop("set missing", *h, &good, XTR_DROP_DECAP_SOURCE);
		lab_eid(IID_A, "10.2.0.0/16", (struct xtr_eid){ .action = XTR_ACT_NATIVE });
		expect_drop("negative mapping", *h, &good, XTR_DROP_DECAP_SOURCE);
		set.n = 8;
		lab_rset(RSET4, (struct xtr_rset){ .n = 1, .rloc = { RLOC4 } });
		lab_eid(IID_A, "10.2.0.0/16", (struct xtr_eid){ .action = XTR_ACT_ENCAP, .rset = RSET4 });
		lab_flags(0);
	}
}

/* ---- map-versions (RFC 9302 7) */

static void version_case(const char *name, __u16 own, __u16 cached, __u32 w0, int reason)
{
	struct pkt p = pkt_build((struct layer[]){ IN, O4(), LU, LISP(w0, 5 << 8), I4(), TAIL, {} });

	lab_local(IID_A, "10.1.0.0/16", XTR_LOCAL_F_EID, own);
	lab_eid(IID_A, "10.2.0.0/16", (struct xtr_eid){ .action = XTR_ACT_ENCAP, .rset = RSET4, .map_version = cached });
	for EACH_HOOK(h) {
		if (reason)
			expect_drop(name, *h, &p, reason);
		else
			cr_expect_eq(lab_run(*h, &p, NULL).stats[XTR_STAT_DECAP].packets, 1, "%s on %s", name, hook_name[*h]);
	}
}

#define V(s, d) (0x18000000u | (s) << 12 | (d))

Test(decap, RFC9302_7_map_versions, .init = lab_init)
{
	lab_flags(XTR_CFG_F_ACCEPT_VERSIONS);
	version_case("no V bit", 0, 0, 0x08000000, 0);
	version_case("our mapping has none", 0, 0, V(1, 1), XTR_DROP_DECAP_VERSION);
	version_case("current", 100, 0, V(1, 100), 0);
	version_case("null destination version", 100, 0, V(1, 0), XTR_DROP_DECAP_VERSION);
	version_case("newer than ours", 100, 0, V(1, 101), XTR_DROP_DECAP_VERSION);
	version_case("newer than ours, at the edge", 69, 0, V(1, 2117), XTR_DROP_DECAP_VERSION);
	version_case("older than ours, round the corner", 69, 0, V(1, 2118), 0);
	version_case("older than ours", 100, 0, V(1, 99), 0);
	version_case("newer by wrapping", 4095, 0, V(1, 1), XTR_DROP_DECAP_VERSION);
	version_case("source version as cached", 100, 7, V(7, 100), 0);
	version_case("source version newer", 100, 7, V(8, 100), 0);
	version_case("source version older", 100, 7, V(6, 100), XTR_DROP_DECAP_VERSION);
	version_case("source version null", 100, 7, V(0, 100), 0);
	version_case("N bit: the field is a nonce", 0, 7, V(6, 100) | 0x80000000, 0);
	lab_flags(0);
	version_case("versions not in use", 0, 7, V(6, 101), 0);
}
