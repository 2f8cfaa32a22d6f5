/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets that go to the daemon: misses with their packet, limits, packets held back to keep the order, injection, and
 * reports of drops.
 */
#include "bpf/lab.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define IN ETH(MAC_EID, MAC_HOST)
#define UNKNOWN "10.99.0.20"
#define PKT(...) pkt_build((const struct layer[]){ IN, __VA_ARGS__, {} })

/* A small packet; overwritten by the next call. */
static const struct pkt *packet_to(const char *dst)
{
	static struct pkt p;

	p = PKT(IP4("10.1.0.10", dst), UDP(1, 2), DATA(9));
	return &p;
}

static const enum hook tc_hooks[] = { H_TC_EID, H_TC_XTR0, H_TC_PEER };

/* The bucket of a port as it is now on every CPU. */
static void set_tokens(__u32 slot, __u64 jiffies, __u64 tokens)
{
	struct xtr_misstb v[1024];

	for (unsigned i = 0; i < 1024; i++)
		v[i] = (struct xtr_misstb){ .jiffies = jiffies, .tokens = tokens };
	cr_assert_eq(bpf_map_update_elem(bpf_map__fd(lab.skel->maps.xtr_misstb), &slot, v, 0), 0);
}

/* Time stands still for the limits: no refill, and no new second. */
static void freeze(void)
{
	lab.cfg.miss_rate = 0;
	lab.cfg.hz = 1u << 31;
	lab_cfg();
}

static void expect_counted(enum hook h, const struct pkt *p, int reason, const char *what)
{
	struct ran r = lab_run(h, p, NULL);
	char text[128];

	snprintf(text, sizeof(text), "%s on %s", what, hook_name[h]);
	cr_expect_eq(r.ret, reason ? TC_SHOT : TC_REDIRECT, "%s: action %d", text, r.ret);
	if (reason)
		expect_moved(&r, text, reason, XTR_STAT_MISS);
	else
		expect_moved(&r, text, 0, XTR_STAT_MISS, XTR_STAT_MISS_EVENT);
}

Test(miss, the_event_carries_the_packet, .init = lab_init)
{
	/* one of each size class, and their edges; 42 octets of headers */
	static const unsigned sizes[] = { 0, 1, 256 - 42, 257 - 42, 1458, 2048 - 42, 2049 - 42, 3200 };

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (unsigned k = 0; k < 3; k++) {
			struct pkt p = PKT(IP4("10.1.0.10", UNKNOWN, .ttl = 33), UDP(1, 2), DATA(sizes[i]));
			int dev[] = { lab.eid, lab.xtr0, lab.peer };
			struct seen s;

			expect_counted(tc_hooks[k], &p, 0, "miss");
			s = lab_events();
			cr_assert_eq(s.n, 1, "%u events", s.n);
			cr_expect_eq(s.ev.type, XTR_EV_MISS);
			cr_expect_eq(s.ev.family, XTR_FAMILY_IP4);
			cr_expect_eq(s.ev.reason, 0);
			cr_expect_eq(s.ev.ifindex, (__u32)dev[k]);
			cr_expect_eq(s.ev.iid, 0);
			cr_expect_eq(s.ev.len, p.len);
			cr_expect_eq(s.ev.caplen, p.len);
			cr_expect_eq(s.ev.gso_size, 0);
			cr_expect_eq(s.ev.hold, 0);
			cr_expect_eq(s.ev.dst.w[0], inet_addr(UNKNOWN));
			cr_expect_eq(s.ev.src.w[0], inet_addr("10.1.0.10"));
			cr_expect(!(s.ev.dst.w[1] | s.ev.dst.w[2] | s.ev.dst.w[3]), "IPv4 in the first word alone");
			/* as it entered: the router hop's decrement is for when it leaves */
			expect_pkt("captured", &s.frame, &p);
		}
}

Test(miss, ipv6_and_instance_in_the_event, .init = lab_init)
{
	struct pkt p = PKT(IP6("fd01::10", "fd99::20"), TCP(1, 2), DATA(100));
	struct xtr_iface v = lab_iface_get(lab.eid);
	struct in6_addr a;
	struct seen s;

	v.iid = IID_B;
	lab_iface(lab.eid, v);
	expect_counted(H_TC_EID, &p, 0, "miss");
	s = lab_events();
	cr_assert_eq(s.n, 1);
	cr_expect_eq(s.ev.family, XTR_FAMILY_IP6);
	cr_expect_eq(s.ev.iid, IID_B);
	inet_pton(AF_INET6, "fd99::20", &a);
	cr_expect(!memcmp(&s.ev.dst, &a, 16), "destination");
	inet_pton(AF_INET6, "fd01::10", &a);
	cr_expect(!memcmp(&s.ev.src, &a, 16), "source");
	expect_pkt("captured", &s.frame, &p);
}

Test(miss, super_packets_are_captured_whole, .init = lab_init)
{
	struct pkt p = PKT(IP4("10.1.0.10", UNKNOWN), TCP(1, 2, .partial = true), DATA(3000));
	struct ran r = lab_run(H_TC_XTR0, &p, &(struct run_opt){ .gso_size = 1448, .gso_segs = 3 });
	struct seen s = lab_events();

	cr_expect_eq(r.ret, TC_REDIRECT);
	cr_assert_eq(s.n, 1);
	cr_expect_eq(s.ev.gso_size, 1448);
	cr_expect_eq(s.ev.gso_segs, 3);
	expect_pkt("captured", &s.frame, &p);
}

Test(miss, xdp_leaves_misses_to_tc, .init = lab_init)
{
	struct pkt p = PKT(IP4("10.1.0.10", UNKNOWN), UDP(1, 2), DATA(9));
	struct ran r = lab_run(H_XDP_EID, &p, NULL);

	cr_expect_eq(r.ret, XDP_PASS);
	expect_pkt("miss", &r.out, &p);
	expect_moved(&r, "miss", 0, XTR_STAT_XDP_TO_TC);
	cr_expect_eq(lab_events().n, 0);
}

/* ---- limits */

Test(miss, tokens_of_a_port_run_out_and_other_ports_have_their_own, .init = lab_init)
{
	struct xtr_iface v = lab_iface_get(lab.eid);

	freeze();
	lab.cfg.miss_burst = 5;
	lab_cfg();
	set_tokens(v.slot, lab_jiffies(), 5ull * lab.cfg.hz);
	for (unsigned i = 0; i < 12; i++) {
		char dst[32];
		struct pkt p;

		snprintf(dst, sizeof(dst), "10.99.1.%u", i);
		p = PKT(IP4("10.1.0.10", dst), UDP(1, 2), DATA(9));
		expect_counted(H_TC_EID, &p, i < 5 ? 0 : XTR_DROP_MISS_LIMITED, dst);
	}
	cr_expect_eq(lab_events().n, 5);
	set_tokens(lab_iface_get(lab.xtr0).slot, lab_jiffies(), 5ull * lab.cfg.hz);
	expect_counted(H_TC_XTR0, packet_to(UNKNOWN), 0, "another port");
}

Test(miss, tokens_come_back_with_time_up_to_the_burst, .init = lab_init)
{
	__u32 slot = lab_iface_get(lab.eid).slot;
	__u64 now = lab_jiffies();

	/* 250 a second at 250 Hz: one a jiffy. Empty 3.4 jiffies ago: at least 3 now, and no more than the burst of 4. */
	lab.cfg.miss_rate = 250;
	lab.cfg.hz = 250;
	lab.cfg.miss_burst = 4;
	lab_cfg();
	set_tokens(slot, now - 1000000, 0);
	for (unsigned i = 0; i < 4; i++)
		expect_counted(H_TC_EID, packet_to(UNKNOWN), 0, "full again");
	freeze();
	set_tokens(slot, lab_jiffies(), 0);
	expect_counted(H_TC_EID, packet_to(UNKNOWN), XTR_DROP_MISS_LIMITED, "rate 0");
}

Test(miss, first_use_of_a_port_finds_a_full_bucket, .init = lab_init)
{
	lab.cfg.miss_rate = 1;
	lab.cfg.miss_burst = 1000000000;
	lab_cfg();
	expect_counted(H_TC_EID, packet_to(UNKNOWN), 0, "first");
}

Test(miss, packets_of_one_eid_are_few_and_leave_tokens_to_others, .init = lab_init)
{
	struct pkt p = PKT(IP4("10.1.0.10", UNKNOWN), UDP(1, 2), DATA(9));
	__u32 slot = lab_iface_get(lab.eid).slot;

	freeze();
	lab.cfg.miss_eid_burst = 3;
	lab_cfg();
	set_tokens(slot, lab_jiffies(), 10ull * lab.cfg.hz);
	for (unsigned i = 0; i < 100; i++)
		expect_counted(H_TC_EID, &p, i < 3 ? 0 : XTR_DROP_MISS_EID_LIMITED, "one EID");
	cr_expect_eq(lab_events().n, 3);
	/* seven tokens are left, although a hundred packets came */
	for (unsigned i = 0; i < 8; i++) {
		char dst[32];

		snprintf(dst, sizeof(dst), "10.99.2.%u", i);
		p = PKT(IP4("10.1.0.10", dst), UDP(1, 2), DATA(9));
		expect_counted(H_TC_EID, &p, i < 7 ? 0 : XTR_DROP_MISS_LIMITED, dst);
	}
}

Test(miss, the_same_eid_in_another_instance_is_another, .init = lab_init)
{
	struct pkt p = PKT(IP4("10.1.0.10", UNKNOWN), UDP(1, 2), DATA(9));
	struct xtr_iface v = lab_iface_get(lab.eid);

	freeze();
	lab.cfg.miss_eid_burst = 1;
	lab_cfg();
	set_tokens(v.slot, lab_jiffies(), 10ull * lab.cfg.hz);
	expect_counted(H_TC_EID, &p, 0, "instance 0");
	expect_counted(H_TC_EID, &p, XTR_DROP_MISS_EID_LIMITED, "instance 0");
	v.iid = IID_A;
	lab_iface(lab.eid, v);
	expect_counted(H_TC_EID, &p, 0, "instance 5");
}

Test(miss, full_ring, .init = lab_init)
{
	struct pkt p = PKT(IP4("10.1.0.10", UNKNOWN), UDP(1, 2), DATA(3000)); /* the large class */
	unsigned i, room = bpf_map__max_entries(lab.skel->maps.xtr_events) / (XTR_EV_LARGE + sizeof(struct xtr_event));

	lab.cfg.miss_eid_burst = lab.cfg.miss_burst = 1 << 20;
	lab_cfg();
	for (i = 0; i < 2 * room; i++) {
		struct ran r = lab_run(H_TC_EID, &p, NULL);

		if (r.drops[XTR_DROP_MISS_RING_FULL]) {
			expect_moved(&r, "full", XTR_DROP_MISS_RING_FULL, XTR_STAT_MISS);
			break;
		}
	}
	cr_expect(i > room / 2 && i < 2 * room, "full after %u", i);
	cr_expect_eq(lab_events().n, i, "everything captured is read");
	expect_counted(H_TC_EID, &p, 0, "room again");
}

/* ---- send-map-request (RFC 9301 5.4, action 2) */

Test(miss, RFC9301_5_4_send_map_request, .init = lab_init)
{
	struct pkt p = PKT(IP4("10.1.0.10", "10.2.7.7"), UDP(1, 2), DATA(1000));
	struct seen s;

	lab_eid(0, "10.2.7.0/24", (struct xtr_eid){ .action = XTR_ACT_SEND_REQUEST });
	for (unsigned k = 0; k < 3; k++) {
		struct ran r = lab_run(tc_hooks[k], &p, NULL);

		cr_expect_eq(r.ret, TC_SHOT);
		expect_moved(&r, "asked for, not queued", XTR_DROP_NEG_REQUEST);
		s = lab_events();
		cr_assert_eq(s.n, 1);
		cr_expect_eq(s.ev.type, XTR_EV_REQUEST);
		cr_expect_eq(s.ev.len, p.len);
		cr_expect_eq(s.ev.caplen, XTR_EV_SMALL);
		cr_expect_eq(s.ev.dst.w[0], inet_addr("10.2.7.7"));
		p.len = XTR_EV_SMALL;
		expect_pkt("headers", &s.frame, &p);
		p.len = 42 + 1000;
	}
	lab.cfg.miss_eid_burst = 3;
	freeze();
	set_tokens(lab_iface_get(lab.eid).slot, lab_jiffies(), 100ull * lab.cfg.hz);
	for (unsigned i = 0; i < 50; i++) {
		struct ran r = lab_run(H_TC_EID, &p, NULL);

		expect_moved(&r, "limited", XTR_DROP_NEG_REQUEST);
	}
	s = lab_events();
	cr_expect(s.n >= 1 && s.n <= 3, "%u requests for 50 packets", s.n);
}

/* ---- order: packets behind queued ones */

static void set_hold(__u32 queued, __u32 drained, __u64 deadline)
{
	struct xtr_hold h = { .queued = queued, .drained = drained, .deadline = deadline };
	__u32 i = 6;

	cr_assert_eq(bpf_map_update_elem(bpf_map__fd(lab.skel->maps.xtr_hold), &i, &h, 0), 0);
}

static __u32 queued(void)
{
	struct xtr_hold h;
	__u32 i = 6;

	bpf_map_lookup_elem(bpf_map__fd(lab.skel->maps.xtr_hold), &i, &h);
	return h.queued;
}

Test(miss, packets_go_behind_those_that_still_wait, .init = lab_init)
{
	struct pkt p = PKT(IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(9));
	struct ran r;
	struct seen s;

	lab_eid(0, "10.2.0.0/16", (struct xtr_eid){ .action = XTR_ACT_ENCAP, .rset = RSET4, .hold = 7 });
	set_hold(3, 1, lab_jiffies() + 1000000);
	for (unsigned k = 0; k < 3; k++) {
		r = lab_run(tc_hooks[k], &p, NULL);
		cr_expect_eq(r.ret, TC_REDIRECT);
		expect_moved(&r, "held", 0, XTR_STAT_HELD);
		cr_expect_eq(queued(), 4 + k, "counted after it was submitted");
		s = lab_events();
		cr_assert_eq(s.n, 1);
		cr_expect_eq(s.ev.type, XTR_EV_MISS);
		cr_expect_eq(s.ev.hold, 7);
		expect_pkt("captured", &s.frame, &p);
	}
	r = lab_run(H_XDP_EID, &p, NULL);
	cr_expect_eq(r.ret, XDP_PASS, "XDP leaves it to TC");
	expect_pkt("held", &r.out, &p);
	r = lab_run(H_INJECT, &p, NULL);
	cr_expect_eq(r.ret, TC_REDIRECT, "those that waited go out");
	expect_moved(&r, "injected", 0, XTR_STAT_ENCAP, XTR_STAT_INJECT);
	set_hold(6, 6, lab_jiffies() + 1000000);
	r = lab_run(H_TC_EID, &p, NULL);
	expect_moved(&r, "drained", 0, XTR_STAT_ENCAP);
	cr_expect_eq(lab_run(H_XDP_EID, &p, NULL).ret, XDP_REDIRECT);
	set_hold(6, 5, lab_jiffies() - 1);
	r = lab_run(H_TC_EID, &p, NULL);
	expect_moved(&r, "past the deadline", 0, XTR_STAT_ENCAP);
	set_hold(6, 5, lab_jiffies() + 1000000);
	lab_eid(0, "10.2.0.0/16", (struct xtr_eid){ .action = XTR_ACT_ENCAP, .rset = RSET4, .hold = XTR_HOLD_SLOTS + 1 });
	lab_cfg();
	r = lab_run(H_TC_EID, &p, NULL);
	expect_moved(&r, "a slot that does not exist", 0, XTR_STAT_ENCAP);
}

Test(miss, held_packets_are_not_limited_and_go_direct_when_the_ring_is_full, .init = lab_init)
{
	struct pkt p = PKT(IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(1400));
	unsigned direct = 0;

	lab.cfg.miss_burst = 0;
	lab.cfg.miss_eid_burst = 0;
	lab_eid(0, "10.2.0.0/16", (struct xtr_eid){ .action = XTR_ACT_ENCAP, .rset = RSET4, .hold = 7 });
	set_hold(1, 0, lab_jiffies() + 1000000);
	for (unsigned i = 0; i < 4000 && direct < 3; i++) {
		struct ran r = lab_run(H_TC_XTR0, &p, NULL);

		if (r.stats[XTR_STAT_ENCAP].packets) {
			expect_moved(&r, "direct", 0, XTR_STAT_ENCAP);
			direct++;
		} else {
			expect_moved(&r, "held", 0, XTR_STAT_HELD);
		}
	}
	cr_expect_eq(direct, 3, "the ring never filled");
	cr_expect_eq(queued(), 1 + lab_events().n, "queued counts what was submitted, and nothing else");
}

/* ---- injection */

Test(miss, an_injected_packet_that_misses_again_is_dropped_without_an_event, .init = lab_init)
{
	struct pkt p = PKT(IP4("10.1.0.10", UNKNOWN), UDP(1, 2), DATA(9));
	const enum hook hooks[] = { H_INJECT, H_INJECT_XTR0 };

	for (unsigned i = 0; i < 2; i++) {
		struct ran r = lab_run(hooks[i], &p, NULL);

		cr_expect_eq(r.ret, TC_SHOT);
		expect_moved(&r, "missed again", XTR_DROP_MISS_INJECTED);
	}
	cr_expect_eq(lab_events().n, 0);
	lab_eid(0, "10.99.0.0/16", (struct xtr_eid){ .action = XTR_ACT_SEND_REQUEST });
	struct ran r = lab_run(H_INJECT, &p, NULL);

	expect_moved(&r, "request on injection", XTR_DROP_NEG_REQUEST);
	cr_expect_eq(lab_events().n, 0);
}

/* ---- reports of drops */

Test(miss, drops_are_reported_while_somebody_watches_and_starve_no_miss, .init = lab_init)
{
	struct pkt p = PKT(IP4("10.1.0.10", "10.2.7.7"), UDP(1, 2), DATA(1000));
	struct pkt lisp = pkt_build((struct layer[]){ ETH(MAC_UNDER, MAC_NEXT), IP4("192.0.2.2", "192.0.2.1"), UDP(1, 4341),
		LISP(0x08000000, 5 << 8), IP4("10.2.0.20", "10.9.0.1"), UDP(1, 2), DATA(4), {} });
	const enum hook hooks[] = { H_TC_UNDER, H_XDP_UNDER };
	struct seen s;
	unsigned n;

	lab_eid(0, "10.2.7.0/24", (struct xtr_eid){ .action = XTR_ACT_DROP_POLICY });
	lab_flags(XTR_CFG_F_TRACE_DROPS);
	lab_run(H_TC_EID, &p, NULL);
	s = lab_events();
	cr_assert_eq(s.n, 1);
	cr_expect_eq(s.ev.type, XTR_EV_DROP);
	cr_expect_eq(s.ev.reason, XTR_DROP_NEG_POLICY);
	cr_expect_eq(s.ev.ifindex, (__u32)lab.eid);
	cr_expect_eq(s.ev.caplen, XTR_EV_SMALL);
	cr_expect_eq(s.ev.dst.w[0], inet_addr("10.2.7.7"));
	for (unsigned i = 0; i < 2; i++) {
		lab_run(hooks[i], &lisp, NULL);
		s = lab_events();
		cr_assert_eq(s.n, 1, "%s", hook_name[hooks[i]]);
		cr_expect_eq(s.ev.reason, XTR_DROP_DECAP_NOT_LOCAL);
		cr_expect_eq(s.ev.iid, IID_A);
		cr_expect_eq(s.ev.dst.w[0], inet_addr("10.9.0.1"), "the inner destination");
		cr_expect_eq(s.ev.len, lisp.len);
		expect_pkt("reported", &s.frame, &lisp);
	}
	/* its own bucket, which runs out */
	freeze();
	lab.cfg.miss_burst = 4;
	lab_cfg();
	set_tokens(XTR_TRACE_SLOT, lab_jiffies(), 4ull * lab.cfg.hz);
	set_tokens(lab_iface_get(lab.eid).slot, lab_jiffies(), 4ull * lab.cfg.hz);
	for (unsigned i = 0; i < 100; i++) {
		struct ran r = lab_run(H_TC_EID, &p, NULL);

		expect_moved(&r, "counted whether reported or not", XTR_DROP_NEG_POLICY);
	}
	n = lab_events().n;
	cr_expect_eq(n, 4, "%u reports", n);
	expect_counted(H_TC_EID, packet_to(UNKNOWN), 0, "a miss after a hundred drops");
}
