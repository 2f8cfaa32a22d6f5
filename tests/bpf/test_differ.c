/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The same octets, the same verdict: packets spoiled at random go through both hooks, and what XDP does TC must have done
 * too, octet for octet and counter for counter; what it leaves, it leaves as it was. So correctness does not depend on which
 * driver, or on XDP at all.
 *
 * The seed is fixed and printed; XTR_SEED and XTR_ROUNDS choose others.
 */
#include <criterion/logging.h>
#include "bpf/lab.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define IN  ETH(MAC_UNDER, MAC_NEXT)
#define EID ETH(MAC_EID, MAC_HOST)
#define O4  IP4("192.0.2.2", "192.0.2.1", .ttl = 60)
#define O6  IP6("2001:db8::2", "2001:db8::1", .ttl = 60)
#define I4(...) IP4("10.2.0.20", "10.1.0.10", ##__VA_ARGS__)
#define I6(...) IP6("fd02::20", "fd01::10", ##__VA_ARGS__)
#define LU  UDP(0xc123, 4341)
#define L5  LISP(0x08000000, 5 << 8)

static const struct layer decaps[][MAX_LAYERS] = {
	{ IN, O4, LU, L5, I4(), UDP(53, 5000, .csum = true), DATA(20) },
	{ IN, O4, LU, L5, I6(), TCP(53, 5000), DATA(9) },
	{ IN, O6, LU, L5, I4(.frag = 0x2000), UDP(53, 5000), DATA(16) },
	{ IN, O6, LU, LISP(0, 0), I6(.tos = 2), UDP(53, 5000, .csum = true), DATA(1) },
	{ IN, O4, LU, LISP(0x18001002, 5 << 8), I4(.options = 3), UDP(53, 5000), DATA(8) },
	{ IN, O6, LU, L5, I4(), UDP(1, 4341), LISP(0, 0), I6(), UDP(1, 4341), DATA(30) },
	{ IN, O4, LU, LISP(0x08000000, 0xffffff00), I4(), UDP(4342, 4342), DATA(8) },
	{ IN, IP4("192.0.2.2", "192.0.2.1", .options = 1), LU, L5, I4(), DATA(8) },
};
static const struct layer encaps[][MAX_LAYERS] = {
	{ EID, IP4("10.1.0.10", "10.2.0.20"), UDP(53, 5000, .csum = true), DATA(20) },
	{ EID, IP4("10.1.0.10", "10.6.0.20"), TCP(53, 5000), DATA(20) },
	{ EID, IP6("fd01::10", "fd02::20"), UDP(53, 5000, .csum = true), DATA(20), PAD(6) },
	{ EID, IP6("fd01::10", "fd06::20", .tos = 1), TCP(53, 5000), DATA(3) },
	{ EID, IP4("10.1.0.10", "10.2.0.20", .options = 2), UDP(53, 5000), DATA(20) },
	{ EID, IP4("10.1.0.10", "10.2.0.20", .frag = 0x2005, .proto = 17), DATA(40) },
	{ EID, IP4("10.1.0.10", "10.2.0.20"), UDP(53, 4341), LISP(0, 0), IP6("fd03::1", "fd04::1"), UDP(9, 4341), DATA(30) },
	{ EID, IP6("fd01::10", "fd02::20", .proto = 0), DATA(60) },
};

/* xorshift64*: the same numbers everywhere. */
static uint64_t state;
static unsigned rnd(unsigned n)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dULL >> 33) % n;
}

static unsigned get16(const uint8_t *p) { return p[0] << 8 | p[1]; }
static void put16(uint8_t *p, unsigned v) { p[0] = v >> 8; p[1] = v; }

/* The header checksum of the IPv4 packet at off, so that a changed field is looked at and not the sum. */
static void right_sum(struct pkt *p, unsigned off)
{
	unsigned hlen = p->len > off ? (p->b[off] & 15) * 4 : 0;
	uint32_t s = 0;

	if (hlen < 20 || off + hlen > p->len || p->b[off] >> 4 != 4)
		return;
	put16(p->b + off + 10, 0);
	for (unsigned i = 0; i < hlen; i += 2)
		s += get16(p->b + off + i);
	s = (s & 0xffff) + (s >> 16);
	put16(p->b + off + 10, ~((s & 0xffff) + (s >> 16)));
}

/* Lengths of the IP packet at off, and of UDP behind it, to what there is. */
static void right_lengths(struct pkt *p, unsigned off)
{
	unsigned l4 = off + (p->b[off] >> 4 == 6 ? 40 : (p->b[off] & 15) * 4), proto = p->b[off + (p->b[off] >> 4 == 6 ? 6 : 9)];

	if (p->len < off + 40 || l4 + 8 > p->len)
		return;
	if (p->b[off] >> 4 == 6)
		put16(p->b + off + 4, p->len - off - 40);
	else
		put16(p->b + off + 2, p->len - off);
	if (proto == 17)
		put16(p->b + l4 + 4, p->len - l4);
}

static void mutate(struct pkt *p, unsigned outer)
{
	static const uint16_t odd[] = { 0, 1, 7, 8, 15, 16, 20, 27, 28, 36, 40, 255, 256, 4341, 4342, 0x4500, 0x6000, 0x7fff, 0x8000, 0xfffe, 0xffff };
	unsigned inner = outer == 14 && p->len > 70 ? 14 + (p->b[14] >> 4 == 6 ? 56 : 36) : 0;

	for (unsigned n = 1 + rnd(3); n; n--) {
		unsigned headers = p->len < 130 ? p->len : 130, at = rnd(8) ? 12 + rnd(headers - 12) : rnd(headers);

		switch (rnd(7)) {
		case 0: p->b[at] ^= 1u << rnd(8); break;
		case 1: p->b[at] = rnd(256); break;
		case 2: put16(p->b + (at & ~1u), odd[rnd(sizeof(odd) / sizeof(odd[0]))]); break;
		case 3: p->b[at] += rnd(2) ? 1 : -1; break;
		case 4: /* cut */
			if (p->len > 60)
				p->len -= rnd(2) ? rnd(p->len - 54) : rnd(8);
			break;
		case 5: /* octets behind it */
			at = rnd(40);
			memset(p->b + p->len, 0xa5, at);
			p->len += at;
			break;
		case 6: /* a TTL, a protocol, a length nibble: where it matters */
			at = rnd(2) && inner ? inner : 14;
			p->b[at + (const uint8_t[]){ 0, 1, 6, 7, 8, 9 }[rnd(6)]] = rnd(3) ? rnd(70) : rnd(256);
			break;
		}
	}
	if (inner && rnd(2))
		right_lengths(p, inner);
	if (rnd(2))
		right_lengths(p, 14);
	if (inner && rnd(2))
		right_sum(p, inner);
	if (rnd(4))
		right_sum(p, 14);
}

/* A test run of TC needs the IP header that the type promises. */
static bool runs_on_tc(const struct pkt *p)
{
	unsigned type = get16(p->b + 12);

	return p->len >= (type == 0x86dd ? 54 : type == 0x0800 ? 34 : 15);
}

static int reason_of(const struct ran *r)
{
	for (int i = 1; i < XTR_DROP_MAX; i++)
		if (r->drops[i])
			return r->drops[i] == 1 ? i : -i;
	return 0;
}

static bool same(const struct pkt *a, const struct pkt *b)
{
	return pkt_differ(a, b) < 0;
}

/* NULL, or what is wrong. x: XDP, t: TC, s: as from the daemon. */
static const char *judge_decap(const struct pkt *p, struct ran *x, struct ran *t, struct ran *s)
{
	bool to_us = !memcmp(p->b, (const uint8_t[])MAC_BYTES(MAC_UNDER), 6);
	int why = reason_of(t);
	struct pkt up;

	if (t->ret == TC_SHOT ? why <= 0 : why)
		return "TC: not exactly one drop reason";
	if (t->ret == TC_UNSPEC && !same(&t->out, p))
		return "TC passes it changed";
	switch (x->ret) {
	case XDP_DROP:
		if (t->ret != TC_SHOT || reason_of(x) != why)
			return "XDP drops, TC does not, or for another reason";
		break;
	case XDP_PASS:
		if (reason_of(x))
			return "XDP passes and counts a drop";
		if (!x->meta_len) {
			if (!same(&x->out, p))
				return "XDP passes it changed";
			if (to_us && t->ret != TC_UNSPEC && !t->stats[XTR_STAT_CONTROL].packets)
				return "XDP leaves what TC drops or decapsulates";
			break;
		}
		up = x->out;
		memcpy(up.b, t->out.b, 6); /* nobody's, until TC has finished */
		if (t->ret != TC_REDIRECT || !t->stats[XTR_STAT_DECAP].packets || !same(&up, &t->out))
			return "XDP and TC decapsulate differently";
		if (t->stats[XTR_STAT_DECAP].octets != x->stats[XTR_STAT_DECAP].octets ||
		    t->stats[XTR_STAT_ECN_ODD].packets != x->stats[XTR_STAT_ECN_ODD].packets)
			return "XDP and TC count differently";
		break;
	default:
		return "XDP: action unknown";
	}
	if (!to_us)
		return NULL;
	if (t->ret == TC_UNSPEC ? reason_of(s) != XTR_DROP_SLOW_BAD : reason_of(s) != why || s->ret != t->ret)
		return "from the daemon: another verdict";
	if (t->ret == TC_REDIRECT && !same(&s->out, &t->out))
		return "from the daemon: another packet";
	return NULL;
}

static const char *judge_encap(const struct pkt *p, struct ran *x, struct ran *t, struct ran *s)
{
	bool options = p->b[12] == 8 && p->b[14] != 0x45;
	int why = reason_of(t);

	if (t->ret == TC_SHOT ? why <= 0 : why)
		return "TC: not exactly one drop reason";
	if (t->ret == TC_UNSPEC && !same(&t->out, p))
		return "TC passes it changed";
	switch (x->ret) {
	case XDP_REDIRECT:
		if (t->ret != TC_REDIRECT || !t->stats[XTR_STAT_ENCAP].packets || !same(&x->out, &t->out) ||
		    t->stats[XTR_STAT_ENCAP].octets != x->stats[XTR_STAT_ENCAP].octets)
			return "XDP and TC encapsulate differently";
		break;
	case XDP_PASS:
		if (!same(&x->out, p) || reason_of(x))
			return "XDP passes it changed, or counts a drop";
		if (t->stats[XTR_STAT_ENCAP].packets && !options)
			return "XDP leaves what TC encapsulates";
		break;
	default:
		return "XDP: action unknown";
	}
	if (t->stats[XTR_STAT_ENCAP].packets && (!s->stats[XTR_STAT_ENCAP].packets || !same(&s->out, &t->out)))
		return "injected: another packet";
	return NULL;
}

static void differ(const struct layer (*forms)[MAX_LAYERS], unsigned n, const enum hook *hooks,
		   const char *(*judge)(const struct pkt *, struct ran *, struct ran *, struct ran *), __u32 flags)
{
	const char *seed = getenv("XTR_SEED"), *rounds = getenv("XTR_ROUNDS");
	unsigned most = rounds ? atoi(rounds) : 1500, out = 0, dropped = 0, passed = 0;

	state = seed ? strtoull(seed, NULL, 0) : 0x4c49535020251122ULL;
	cr_log_info("seed 0x%llx, %u packets", (unsigned long long)state, most);
	lab_flags(flags);
	for (unsigned i = 0; i < most; i++) {
		struct pkt p = pkt_build(forms[rnd(n)]);
		struct ran x, t, s;
		const char *wrong;

		mutate(&p, hooks[0] == H_XDP_UNDER ? 14 : 0);
		x = lab_run(hooks[0], &p, NULL);
		if (!runs_on_tc(&p)) {
			cr_assert(x.ret == XDP_PASS && same(&x.out, &p), "round %u: a frame of %u octets", i, p.len);
			continue;
		}
		t = lab_run(hooks[1], &p, NULL);
		s = lab_run(hooks[2], &p, NULL);
		if (t.ret == TC_SHOT)
			dropped++;
		else if (t.ret == TC_UNSPEC)
			passed++;
		else
			out++;
		wrong = judge(&p, &x, &t, &s);
		cr_assert(!wrong, "round %u: %s (XDP %d reason %d, TC %d reason %d, third %d reason %d)\nin%s\nXDP%s\nTC%s", i, wrong, x.ret,
			  reason_of(&x), t.ret, reason_of(&t), s.ret, reason_of(&s), pkt_dump(&p, NULL), pkt_dump(&x.out, NULL), pkt_dump(&t.out, NULL));
	}
	cr_log_info("%u went on changed, %u were dropped, %u passed", out, dropped, passed);
	/* or the packets are spoiled too much, or too little, to prove anything */
	cr_expect(rounds || (out > most / 20 && passed > most / 50 && (dropped > most / 50 || judge == judge_encap)));
}

static const enum hook decap_hooks[] = { H_XDP_UNDER, H_TC_UNDER, H_SLOW }, encap_hooks[] = { H_XDP_EID, H_TC_EID, H_INJECT };

Test(differ, decapsulation, .init = lab_init, .timeout = 120)
{
	lab_ctlsrc("192.0.2.2/32");
	differ(decaps, sizeof(decaps) / sizeof(decaps[0]), decap_hooks, judge_decap, 0);
}

Test(differ, decapsulation_with_every_check, .init = lab_init, .timeout = 120)
{
	lab_local(IID_A, "10.1.0.0/16", XTR_LOCAL_F_EID, 2);
	differ(decaps, sizeof(decaps) / sizeof(decaps[0]), decap_hooks, judge_decap,
	       XTR_CFG_F_CHECK_DECAP_SOURCE | XTR_CFG_F_ACCEPT_VERSIONS | XTR_CFG_F_KEEP_INNER_DSCP);
}

Test(differ, encapsulation, .init = lab_init, .timeout = 120)
{
	differ(encaps, sizeof(encaps) / sizeof(encaps[0]), encap_hooks, judge_encap, 0);
}

Test(differ, encapsulation_with_every_check, .init = lab_init, .timeout = 120)
{
	lab_local(0, "10.1.0.0/16", XTR_LOCAL_F_EID, 7);
	differ(encaps, sizeof(encaps) / sizeof(encaps[0]), encap_hooks, judge_encap,
	       XTR_CFG_F_CHECK_ENCAP_SOURCE | XTR_CFG_F_ACCEPT_VERSIONS | XTR_CFG_F_ECN_COMPAT);
}
