/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Control messages in data packets (RFC 9962 4.1, instance 0xffffff): who may send them, that they leave the fast path before
 * any instance is looked up, how many get through, that the daemon gets the whole frame; on both hooks by one table.
 */
#include "bpf/lab.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define IN    ETH(MAC_UNDER, MAC_NEXT)
#define O4(...) IP4("192.0.2.2", "192.0.2.1", ##__VA_ARGS__)
#define O6(...) IP6("2001:db8::2", "2001:db8::1", ##__VA_ARGS__)
#define LU    UDP(0xc123, 4341)
#define LC    LISP(0x08000000, 0xffffff00)
#define I4    IP4("192.0.2.2", "233.252.1.1", .ttl = 63)
#define I6    IP6("2001:db8::2", "ff0e::db8:1", .ttl = 63)
#define TAIL  UDP(4342, 4342, .csum = true), DATA(48)
#define PKT(...) pkt_build((const struct layer[]){ __VA_ARGS__, {} })

static const enum hook hooks[] = { H_TC_UNDER, H_XDP_UNDER };
#define EACH_HOOK(h) (const enum hook *h = hooks; h < hooks + 2; h++)
#define XDP_DROP 1
#define XDP_PASS 2

TestSuite(control, .init = lab_init, .timeout = 60);

static const struct refused_case {
	const char *name;
	struct layer in[MAX_LAYERS];
	int drop;     /* 0: passed on untouched */
} refused_cases[] = {
	{ "unknown source", { IN, IP4("192.0.2.3", "192.0.2.1"), LU, LC, I4, TAIL }, XTR_DROP_DECAP_CONTROL },
	{ "unknown IPv6 source", { IN, IP6("2001:db8::3", "2001:db8::1"), LU, LC, I4, TAIL }, XTR_DROP_DECAP_CONTROL },
	{ "beside the prefix", { IN, IP4("198.51.101.1", "192.0.2.1"), LU, LC, I4, TAIL }, XTR_DROP_DECAP_CONTROL },
	{ "the inner source is known, the outer is not", { IN, IP4("192.0.2.3", "192.0.2.1"), LU, LC, I4, TAIL }, XTR_DROP_DECAP_CONTROL },
	{ "encrypted", { IN, O4(), LU, LISP(0x09000000, 0xffffff00), I4, TAIL }, XTR_DROP_DECAP_KEY },
	{ "no I bit: instance 0", { IN, O4(), LU, LISP(0, 0xffffff00), I4, TAIL }, XTR_DROP_DECAP_ADDRESS },
	{ "instance 0xfffffe", { IN, O4(), LU, LISP(0x08000000, 0xfffffe00), I4, TAIL }, XTR_DROP_DECAP_ADDRESS },
	{ "UDP length too long", { IN, O4(), UDP(1, 4341, .len_add = 1), LC, I4, TAIL }, XTR_DROP_DECAP_TRUNCATED },
	{ "not to an RLOC of ours", { IN, IP4("192.0.2.2", "192.0.2.9"), LU, LC, I4, TAIL }, 0 },
	{ "another port", { IN, O4(), UDP(0xc123, 4342), LC, I4, TAIL }, 0 },
	{ "a fragment", { IN, O4(.frag = 0x2000), LU, LC, I4, TAIL }, 0 },
	{ "header checksum wrong", { IN, O4(.check_xor = 1), LU, LC, I4, TAIL }, 0 },
};

Test(control, refused_on_both_hooks_alike)
{
	lab_ctlsrc("192.0.2.2/32");
	lab_ctlsrc("2001:db8::2/128");
	lab_ctlsrc("198.51.100.0/24");
	for (unsigned i = 0; i < sizeof(refused_cases) / sizeof(refused_cases[0]); i++)
		for EACH_HOOK (h) {
			const struct refused_case *t = &refused_cases[i];
			struct pkt p = pkt_build(t->in);
			struct ran r = lab_run(*h, &p, NULL);
			char what[128];

			snprintf(what, sizeof(what), "%s: %s", hook_name[*h], t->name);
			if (t->drop)
				cr_expect_eq(r.ret, *h == H_XDP_UNDER ? XDP_DROP : TC_SHOT, "%s: %d", what, r.ret);
			else
				cr_expect_eq(r.ret, *h == H_XDP_UNDER ? XDP_PASS : TC_UNSPEC, "%s: %d", what, r.ret);
			expect_moved(&r, what, t->drop);
			expect_pkt(what, &r.out, &p);
			cr_expect_eq(lab_events().n, 0, "%s: the daemon was told", what);
		}
}

/* XDP does not change it and TC hands it to the daemon: outer headers and all. */
static void check_taken(const char *what, const struct pkt *p, __u8 family, const char *src)
{
	struct ran r = lab_run(H_XDP_UNDER, p, NULL);
	struct seen s;

	cr_expect_eq(r.ret, XDP_PASS, "%s: XDP says %d", what, r.ret);
	expect_pkt(what, &r.out, p);
	expect_moved(&r, what, 0, XTR_STAT_XDP_TO_TC);
	cr_expect_eq(lab_events().n, 0);
	r = lab_run(H_TC_UNDER, p, NULL);
	cr_expect_eq(r.ret, TC_REDIRECT, "%s: TC says %d", what, r.ret); /* to nowhere: it is used up */
	expect_moved(&r, what, 0, XTR_STAT_CONTROL);
	s = lab_events();
	cr_assert_eq(s.n, 1, "%s: %u events", what, s.n);
	cr_expect_eq(s.ev.type, XTR_EV_CONTROL);
	cr_expect_eq(s.ev.iid, XTR_IID_MAX);
	cr_expect_eq(s.ev.ifindex, lab.under);
	cr_expect_eq(s.ev.len, p->len);
	cr_expect_eq(s.ev.caplen, p->len);
	cr_expect_eq(s.ev.family, family);
	{
		struct xtr_abi_ip a = {};

		inet_pton(family == 4 ? AF_INET : AF_INET6, src, &a);
		cr_expect_arr_eq(&s.ev.src, &a, sizeof(a), "%s: source", what);
	}
	expect_pkt(what, &s.frame, p);
}

Test(control, taken_from_known_sources)
{
	const struct { const char *name, *src; struct layer in[MAX_LAYERS]; } cases[] = {
		{ "member, IPv4", "192.0.2.2", { IN, O4(), LU, LC, I4, TAIL } },
		{ "member, IPv6", "2001:db8::2", { IN, O6(), LU, LC, I6, TAIL } },
		{ "IPv6 inside IPv4", "192.0.2.2", { IN, O4(), LU, LC, I6, TAIL } },
		{ "IPv4 inside IPv6", "2001:db8::2", { IN, O6(), LU, LC, I4, TAIL } },
		{ "of a configured prefix", "198.51.100.77", { IN, IP4("198.51.100.77", "192.0.2.1"), LU, LC, I4, TAIL } },
		{ "N and L bits", "192.0.2.2", { IN, O4(), LU, LISP(0xc8abcdef, 0xffffff03), I4, TAIL } },
		{ "to a host's address inside", "192.0.2.2", { IN, O4(), LU, LC, IP4("192.0.2.2", "192.0.2.1"), TAIL } },
		/* what is inside is the daemon's to judge */
		{ "no IP inside", "192.0.2.2", { IN, O4(), LU, LC, DATA(30) } },
		{ "nothing inside", "192.0.2.2", { IN, O4(), LU, LC } },
		{ "padded", "192.0.2.2", { IN, O4(), LU, LC, DATA(1), PAD(9) } },
		/* every size class of the ring */
		{ "256 octets", "192.0.2.2", { IN, O4(), LU, LC, DATA(256 - 50) } },
		{ "257 octets", "192.0.2.2", { IN, O4(), LU, LC, DATA(257 - 50) } },
		{ "2048 octets", "192.0.2.2", { IN, O4(), LU, LC, DATA(2048 - 50) } },
		{ "2049 octets", "192.0.2.2", { IN, O4(), LU, LC, DATA(2049 - 50) } },
		{ "3200 octets", "192.0.2.2", { IN, O4(), LU, LC, DATA(3200 - 50) } },
	};

	lab_ctlsrc("192.0.2.2/32");
	lab_ctlsrc("2001:db8::2/128");
	lab_ctlsrc("198.51.100.0/24");
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pkt p = pkt_build(cases[i].in);

		check_taken(cases[i].name, &p, strchr(cases[i].src, ':') ? 6 : 4, cases[i].src);
	}
}

/* An address of one family never matches a prefix of the other, however short. */
Test(control, families_of_sources_do_not_mix)
{
	struct pkt four = PKT(IN, O4(), LU, LC, I4, TAIL), six = PKT(IN, O6(), LU, LC, I4, TAIL);
	struct ran r;

	lab_ctlsrc("0.0.0.0/0");
	check_taken("IPv4", &four, 4, "192.0.2.2");
	r = lab_run(H_TC_UNDER, &six, NULL);
	expect_moved(&r, "IPv6", XTR_DROP_DECAP_CONTROL);
}

/* decent.md 9: the frame leaves the fast path before any instance lookup, even if somebody had set such an instance up. */
Test(control, D_14_R_1_instance_ffffff_is_never_an_instance)
{
	struct pkt control = PKT(IN, O4(), LU, LC, I4, TAIL);
	struct pkt tenant = PKT(IN, O4(), LU, LC, IP4("10.2.0.20", "10.1.0.10"), UDP(53, 5000), DATA(20));
	struct pkt other = PKT(IN, O4(), LU, LISP(0x08000000, 0xfffffe00), IP4("10.2.0.20", "10.1.0.10"), UDP(53, 5000), DATA(20));
	struct ran r;

	lab_inst(XTR_IID_MAX, (struct xtr_inst){ .overlay = lab.xtr0, .mac = MAC_BYTES(MAC_XTR0) });
	lab_local(XTR_IID_MAX, "0.0.0.0/0", XTR_LOCAL_F_EID, 0);
	for EACH_HOOK (h) {
		r = lab_run(*h, &tenant, NULL);
		cr_expect_eq(r.ret, *h == H_XDP_UNDER ? XDP_DROP : TC_SHOT);
		expect_moved(&r, hook_name[*h], XTR_DROP_DECAP_CONTROL);
		expect_pkt("untouched", &r.out, &tenant);
	}
	lab_ctlsrc("192.0.2.2/32");
	check_taken("tenant's packet from a member", &tenant, 4, "192.0.2.2");
	check_taken("control", &control, 4, "192.0.2.2");
	/* the one below is an instance as any */
	r = lab_run(H_TC_UNDER, &other, NULL);
	expect_moved(&r, "0xfffffe", 0, XTR_STAT_DECAP);
}

Test(control, above_the_rate_it_is_counted_and_dropped)
{
	struct pkt p = PKT(IN, O4(), LU, LC, I4, TAIL), miss = PKT(ETH(MAC_PEER, MAC_XTR0), IP4("10.1.0.10", "10.7.0.1"), UDP(1, 2), DATA(9));
	struct pkt stranger = PKT(IN, IP4("192.0.2.3", "192.0.2.1"), LU, LC, I4, TAIL);
	static struct xtr_misstb full[1024];
	unsigned taken = 0, dropped = 0;
	__u32 slot = 0; /* of the underlay port */
	struct ran r;

	lab_ctlsrc("192.0.2.2/32");
	lab.cfg.control_rate = 0;
	lab.cfg.control_burst = 5;
	lab_cfg();
	for (int i = 0; i < 1024; i++)
		full[i] = (struct xtr_misstb){ .jiffies = lab.now, .tokens = 5ull * lab.cfg.hz };
	cr_assert_eq(bpf_map_update_elem(bpf_map__fd(lab.skel->maps.xtr_misstb), &slot, full, 0), 0);
	for (unsigned i = 0; i < 20; i++) { /* takes no token */
		r = lab_run(H_TC_UNDER, &stranger, NULL);
		expect_moved(&r, "stranger", XTR_DROP_DECAP_CONTROL);
	}
	for (unsigned i = 0; i < 20; i++) {
		r = lab_run(H_TC_UNDER, &p, NULL);
		taken += r.stats[XTR_STAT_CONTROL].packets;
		dropped += r.drops[XTR_DROP_CONTROL_LIMITED];
		cr_expect_eq(r.ret, r.stats[XTR_STAT_CONTROL].packets ? TC_REDIRECT : TC_SHOT);
	}
	cr_expect_eq(taken, 5, "%u taken", taken);
	cr_expect_eq(dropped, 15);
	cr_expect_eq(lab_events().n, 5);
	/* a flood of them does not starve the first packets of hosts */
	r = lab_run(H_TC_XTR0, &miss, NULL);
	expect_moved(&r, "miss", 0, XTR_STAT_MISS, XTR_STAT_MISS_EVENT);
}

Test(control, a_full_ring_is_counted)
{
	struct pkt p = PKT(IN, O4(), LU, LC, DATA(3000));
	struct ran r = lab_count_start();
	unsigned lost = 0;

	lab_ctlsrc("192.0.2.2/32");
	/* each takes the largest class, 66000 octets of 4 MiB */
	for (unsigned i = 0; i < 100; i++) {
		struct ran one = lab_run(H_TC_UNDER, &p, NULL);

		lost += one.drops[XTR_DROP_CONTROL_LOST];
		cr_expect(one.drops[XTR_DROP_CONTROL_LOST] == 1 || one.stats[XTR_STAT_CONTROL].packets == 1);
	}
	cr_expect_gt(lost, 10);
	cr_expect_lt(lost, 60);
	cr_expect_eq(lab_events().n, 100 - lost);
	lab_count_end(&r);
	cr_expect_eq(r.stats[XTR_STAT_CONTROL].packets, 100 - lost);
}

/* Several datagrams of one sender that the kernel has put together: the daemon takes them apart. */
Test(control, super_packets_go_to_the_daemon_with_their_segment_size)
{
	struct pkt p = PKT(IN, O4(), LU, LC, DATA(92), LC, DATA(92), LC, DATA(50));
	struct run_opt o = { .gso_size = 100, .gso_segs = 3 };
	struct ran r;
	struct seen s;

	lab_ctlsrc("192.0.2.2/32");
	r = lab_run(H_TC_UNDER, &p, &o);
	cr_expect_eq(r.ret, TC_REDIRECT);
	expect_moved(&r, "super-packet", 0, XTR_STAT_CONTROL);
	s = lab_events();
	cr_assert_eq(s.n, 1);
	cr_expect_eq(s.ev.gso_size, 100);
	expect_pkt("super-packet", &s.frame, &p);
}

/* On a port that is no underlay port the frame is not ours. */
Test(control, only_on_underlay_ports)
{
	struct pkt p = PKT(IN, O4(), LU, LC, I4, TAIL);
	struct run_opt o = { .ifindex = lab.eid };
	struct ran r;

	lab_ctlsrc("192.0.2.2/32");
	r = lab_run(H_TC_UNDER, &p, &o);
	cr_expect_eq(r.ret, TC_UNSPEC);
	expect_moved(&r, "EID port", 0);
	cr_expect_eq(lab_events().n, 0);
}
