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

/*
 * Time stands still for the limits: no refill, and no new second until next_second(). A second has as many jiffies as
 * make this the thousandth since the clock began.
 */
static unsigned second;

static void next_second(unsigned n)
{
	second += n;
	lab.cfg.hz = lab_jiffies() / second;
	lab_cfg();
}

static void freeze(void)
{
	lab.cfg.miss_rate = 0;
	lab.cfg.miss_source_rate = 1; /* so that the first use of a bucket fills it */
	lab.cfg.large_rate = 0;
	second = 1000;
	next_second(0);
}

/* The bucket of a port has so many tokens for newcomers, and what is kept for those that come again. */
static void set_newcomers(__u32 slot, unsigned n)
{
	set_tokens(slot, lab_jiffies(), (n + lab.cfg.miss_burst / 4) * (__u64)lab.cfg.hz);
}

/* XDP in front of TC knows in advance: what would be refused ends there, the rest goes up as it is, and is charged by TC. */
static void expect_asked(const struct pkt *p, int reason, const char *what)
{
	struct ran r = lab_run(H_XDP_EID, p, NULL);
	char text[128];

	snprintf(text, sizeof(text), "%s by XDP", what);
	cr_expect_eq(r.ret, reason ? XDP_DROP : XDP_PASS, "%s: action %d", text, r.ret);
	if (reason) {
		expect_moved(&r, text, reason, XTR_STAT_MISS);
	} else {
		expect_pkt(text, &r.out, p);
		expect_moved(&r, text, 0, XTR_STAT_XDP_TO_TC);
	}
}

static void expect_counted(enum hook h, const struct pkt *p, int reason, const char *what)
{
	struct ran r;
	char text[128];

	if (h == H_TC_EID)
		expect_asked(p, reason, what);
	r = lab_run(h, p, NULL);
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

/* Generic XDP runs on an skb: there is nothing to save, and super-packets cannot be told from others. */
Test(miss, generic_xdp_refuses_nothing, .init = lab_init)
{
	struct pkt p = PKT(IP4("10.1.0.10", UNKNOWN), UDP(1, 2), DATA(9));
	struct xtr_iface v = lab_iface_get(lab.eid);
	struct ran r;

	freeze();
	set_tokens(v.slot, lab_jiffies(), 0);
	expect_counted(H_TC_EID, &p, XTR_DROP_MISS_LIMITED, "no token");
	v.flags |= XTR_IF_F_XDP_GENERIC;
	lab_iface(lab.eid, v);
	r = lab_run(H_XDP_EID, &p, NULL);
	cr_expect_eq(r.ret, XDP_PASS);
	expect_moved(&r, "generic", 0, XTR_STAT_XDP_TO_TC);
}

/* ---- limits */

Test(miss, tokens_of_a_port_run_out_and_other_ports_have_their_own, .init = lab_init)
{
	struct xtr_iface v = lab_iface_get(lab.eid);

	freeze();
	lab.cfg.miss_burst = 5;
	lab_cfg();
	set_newcomers(v.slot, 5);
	for (unsigned i = 0; i < 12; i++) {
		char dst[32];
		struct pkt p;

		snprintf(dst, sizeof(dst), "10.99.1.%u", i);
		p = PKT(IP4("10.1.0.10", dst), UDP(1, 2), DATA(9));
		expect_counted(H_TC_EID, &p, i < 5 ? 0 : XTR_DROP_MISS_LIMITED, dst);
	}
	cr_expect_eq(lab_events().n, 5);
	set_newcomers(lab_iface_get(lab.xtr0).slot, 5);
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
	set_newcomers(slot, 10);
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
	set_newcomers(v.slot, 10);
	expect_counted(H_TC_EID, &p, 0, "instance 0");
	expect_counted(H_TC_EID, &p, XTR_DROP_MISS_EID_LIMITED, "instance 0");
	v.iid = IID_A;
	lab_iface(lab.eid, v);
	expect_counted(H_TC_EID, &p, 0, "instance 5");
}

Test(miss, one_source_takes_only_its_share_of_the_tokens_of_a_port, .init = lab_init)
{
	static const char *const from[] = { "10.1.0.10", "10.1.0.11", "10.1.0.12" };
	static const unsigned captured[] = { 16, 16, 8 };

	freeze();
	/* one of a million: nothing comes back while this runs */
	lab.cfg.miss_rate = 5;
	lab.cfg.miss_source_rate = 2;
	lab.cfg.miss_burst = 40;
	lab_cfg();
	set_newcomers(lab_iface_get(lab.eid).slot, 40);
	for (unsigned h = 0; h < 3; h++)
		for (unsigned i = 0; i < 30; i++) {
			char dst[32];
			struct pkt p;

			snprintf(dst, sizeof(dst), "10.99.%u.%u", h, i);
			p = PKT(IP4(from[h], dst), UDP(1, 2), DATA(9));
			expect_counted(H_TC_EID, &p, i < captured[h] ? 0 : h < 2 ? XTR_DROP_MISS_SOURCE : XTR_DROP_MISS_LIMITED, dst);
		}
	cr_expect_eq(lab_events().n, 40);
}

/* What is refused may come again, and then goes before those that come for the first time. */
static void again_goes_first(int reason)
{
	struct seen s;

	expect_counted(H_TC_EID, packet_to(UNKNOWN), reason, "first time");
	expect_counted(H_TC_EID, packet_to(UNKNOWN), reason, "again, but in the same second");
	next_second(1);
	expect_counted(H_TC_EID, packet_to("10.99.0.21"), reason, "another, for the first time");
	expect_counted(H_TC_EID, packet_to(UNKNOWN), 0, "again");
	s = lab_events();
	cr_assert_eq(s.n, 1);
	cr_expect_eq(s.ev.flags & ~XTR_EV_TIME(~0ull), XTR_EV_F_AGAIN | XTR_EV_F_TIMED);
	cr_expect_lt((s.ev.flags - XTR_EV_TIME(lab.now)) >> (32 - XTR_EV_TIME_BITS), 60 * lab.cfg.hz / XTR_EV_TIME_TICK, "just now");
	expect_counted(H_TC_EID, packet_to(UNKNOWN), reason, "more of the same second");
	next_second(2);
	expect_counted(H_TC_EID, packet_to(UNKNOWN), 0, "its packets went up two seconds ago");
	expect_counted(H_TC_EID, packet_to("10.99.0.21"), 0, "refused two seconds ago");
	next_second(3);
	expect_counted(H_TC_EID, packet_to(UNKNOWN), reason, "too long ago");
	next_second(1);
	expect_counted(H_TC_EID, packet_to(UNKNOWN), 0, "again at last");
	cr_expect_eq(lab_events().n, 3);
}

Test(miss, who_comes_again_goes_before_newcomers_of_the_port, .init = lab_init)
{
	freeze();
	set_newcomers(lab_iface_get(lab.eid).slot, 0);
	again_goes_first(XTR_DROP_MISS_LIMITED);
}

Test(miss, who_comes_again_goes_before_newcomers_of_the_source, .init = lab_init)
{
	struct xtr_misstb kept[1024];
	unsigned spent = 0;

	freeze();
	lab.cfg.miss_rate = 200;
	lab.cfg.miss_source_rate = 100;
	lab.cfg.miss_burst = 200;
	lab_cfg();
	set_newcomers(lab_iface_get(lab.eid).slot, 200);
	for (unsigned i = 0; i < 100; i++) {
		char dst[32];

		snprintf(dst, sizeof(dst), "10.99.7.%u", i);
		expect_counted(H_TC_EID, packet_to(dst), 0, "the share of the source");
	}
	lab_events();
	again_goes_first(XTR_DROP_MISS_SOURCE);
	/* 100 newcomers and 4 that came again, out of one bucket */
	for (__u32 i = 0; i < XTR_SOURCE_SLOTS; i++) {
		bpf_map_lookup_elem(bpf_map__fd(lab.skel->maps.xtr_misssrc), &i, kept);
		for (int c = 0; c < libbpf_num_possible_cpus(); c++)
			spent += kept[c].jiffies && kept[c].tokens / lab.cfg.hz <= 125 - 104;
	}
	cr_expect_eq(spent, 1);
}

/*
 * A scan that nothing is left for, at so many newcomers a second that each slot sees two: of those that were there a
 * second ago most are still known, whatever came between.
 */
Test(miss, marks_outlive_a_scan, .init = lab_init)
{
	unsigned through = 0, stray = 0;
	struct pkt p = PKT(IP4("10.1.0.10", "10.64.0.0"), UDP(1, 2), DATA(9));
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = p.b, .data_size_in = p.len);
	struct __sk_buff skb = { .ifindex = (__u32)lab.eid, .ingress_ifindex = (__u32)lab.eid };
	int fd = lab_prog(lab.skel->progs.xtr_tc_encap);

	freeze();
	set_newcomers(lab_iface_get(lab.eid).slot, 0);
	o.ctx_in = &skb;
	o.ctx_size_in = sizeof(skb);
	for (unsigned i = 0; i < 100; i++) {
		char dst[32];

		snprintf(dst, sizeof(dst), "10.99.8.%u", i);
		expect_counted(H_TC_EID, packet_to(dst), XTR_DROP_MISS_LIMITED, dst);
	}
	for (__u32 i = 0; i < 2 * XTR_MISS_SLOTS; i++) {
		__be32 dst = htonl(0x0a400000 + i);
		__u32 sum = 0;

		if (i == XTR_MISS_SLOTS)
			next_second(1);
		memcpy(p.b + 30, &dst, 4);
		p.b[24] = p.b[25] = 0;
		for (unsigned k = 14; k < 34; k += 2)
			sum += (__u32)p.b[k] << 8 | p.b[k + 1];
		sum = (sum & 0xffff) + (sum >> 16);
		sum = ~(sum + (sum >> 16)) & 0xffff;
		p.b[24] = sum >> 8;
		p.b[25] = sum;
		cr_assert_eq(bpf_prog_test_run_opts(fd, &o), 0);
		stray += o.retval != TC_SHOT;
	}
	/* 14 bits of fingerprint, up to four marks to compare with: one in 4096 is mistaken for one that comes again */
	cr_expect(stray < XTR_MISS_SLOTS / 2048, "%u newcomers got through", stray);
	cr_expect_eq(lab_events().n, stray);
	for (unsigned i = 0; i < 100; i++) {
		char dst[32];

		snprintf(dst, sizeof(dst), "10.99.8.%u", i);
		through += lab_run(H_TC_EID, packet_to(dst), NULL).ret == TC_REDIRECT;
	}
	cr_expect(through > 70, "%u of 100 that came again got through", through);
	cr_log_info("%u of 100 that came again, and %u of %u newcomers got through", through, stray, 2 * XTR_MISS_SLOTS);
}

/* Nanoseconds for the program as a whole, one of its runs; the least of several measurements. */
static unsigned cost(const struct pkt *p)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = p->b, .data_size_in = p->len, .repeat = 20000);
	struct __sk_buff skb = { .ifindex = (__u32)lab.eid, .ingress_ifindex = (__u32)lab.eid };
	unsigned least = ~0u;

	o.ctx_in = &skb;
	o.ctx_size_in = sizeof(skb);
	for (unsigned i = 0; i < 10; i++) {
		cr_assert_eq(bpf_prog_test_run_opts(lab_prog(lab.skel->progs.xtr_tc_encap), &o), 0);
		cr_assert_eq(o.retval, TC_SHOT);
		least = o.duration < least ? o.duration : least;
	}
	return least;
}

Test(miss, what_is_refused_costs_little, .init = lab_init)
{
	__u32 slot;
	unsigned dropped, none, newcomer;

	freeze();
	slot = lab_iface_get(lab.eid).slot;
	lab_eid(0, "10.98.0.0/16", (struct xtr_eid){ .action = XTR_ACT_DROP });
	dropped = cost(packet_to("10.98.0.1")); /* all that comes before the limits */
	set_tokens(slot, lab_jiffies(), 0);
	none = cost(packet_to(UNKNOWN));
	set_newcomers(slot, 0);
	newcomer = cost(packet_to(UNKNOWN));
	cr_log_info("a packet that an entry drops: %u ns; a miss without a token: %u ns; a newcomer when there is none for those: %u ns",
		    dropped, none, newcomer);
	cr_expect_lt(newcomer, dropped + 2000);
}

Test(miss, large_packets_have_a_limit_of_their_own, .init = lab_init)
{
	struct pkt p = PKT(IP4("10.1.0.10", UNKNOWN), UDP(1, 2), DATA(XTR_EV_MEDIUM + 1 - 42));

	freeze();
	set_tokens(XTR_LARGE_SLOT, lab_jiffies(), 3ull * lab.cfg.hz);
	for (unsigned i = 0; i < 6; i++)
		expect_counted(H_TC_EID, &p, i < 3 ? 0 : XTR_DROP_MISS_LARGE, "large");
	p = PKT(IP4("10.1.0.10", UNKNOWN), UDP(1, 2), DATA(XTR_EV_MEDIUM - 42));
	for (unsigned i = 0; i < 6; i++)
		expect_counted(H_TC_EID, &p, 0, "of the class below");
	cr_expect_eq(lab_events().n, 9);
}

/* Newcomers leave a quarter of the ring to those that come again and to what is held to keep the order. */
Test(miss, the_last_quarter_of_the_ring_is_not_for_newcomers, .init = lab_init)
{
	unsigned i, room = bpf_map__max_entries(lab.skel->maps.xtr_events) / (XTR_EV_MEDIUM + sizeof(struct xtr_event) + 8);
	struct xtr_hold h = { .queued = 1, .deadline = lab_jiffies() + 1000000 };
	struct pkt p;
	struct ran r;
	__u32 slot = 6;

	lab.cfg.miss_burst = 1 << 20;
	freeze();
	set_newcomers(lab_iface_get(lab.eid).slot, 1);
	expect_counted(H_TC_EID, packet_to(UNKNOWN), 0, "asked for");
	lab_events();
	set_newcomers(lab_iface_get(lab.eid).slot, 1 << 20);
	next_second(1);
	for (i = 0; i < room; i++) {
		char dst[32];

		snprintf(dst, sizeof(dst), "10.98.%u.%u", i / 256, i % 256);
		p = PKT(IP4("10.1.0.10", dst), UDP(1, 2), DATA(1400));
		r = lab_run(H_TC_EID, &p, NULL);
		if (r.ret != TC_REDIRECT)
			break;
	}
	expect_moved(&r, "newcomer", XTR_DROP_MISS_RING_FULL, XTR_STAT_MISS);
	cr_expect(i > room * 3 / 4 - 4 && i < room * 3 / 4 + 4, "%u of %u", i, room);
	expect_counted(H_TC_EID, packet_to(UNKNOWN), 0, "comes again");
	lab_eid(0, "10.2.0.0/16", (struct xtr_eid){ .action = XTR_ACT_ENCAP, .rset = RSET4, .hold = 7 });
	cr_assert_eq(bpf_map_update_elem(bpf_map__fd(lab.skel->maps.xtr_hold), &slot, &h, 0), 0);
	r = lab_run(H_TC_EID, packet_to("10.2.0.20"), NULL);
	expect_moved(&r, "held", 0, XTR_STAT_HELD);
	cr_expect_eq(lab_events().n, i + 2);
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

	freeze();
	lab_eid(0, "10.2.7.0/24", (struct xtr_eid){ .action = XTR_ACT_SEND_REQUEST });
	for (unsigned k = 0; k < 3; k++) {
		struct ran r;

		set_newcomers(lab_iface_get(k == 0 ? lab.eid : k == 1 ? lab.xtr0 : lab.peer).slot, 100);
		r = lab_run(tc_hooks[k], &p, NULL);

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
	lab.cfg.miss_eid_burst = 6;
	lab_cfg();
	for (unsigned i = 0; i < 50; i++) {
		struct ran r = lab_run(H_TC_EID, &p, NULL);

		expect_moved(&r, "limited", XTR_DROP_NEG_REQUEST);
	}
	s = lab_events();
	cr_expect_eq(s.n, 3, "%u requests for 50 packets, after three before", s.n);
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
	cr_expect_eq(lab_run(H_XDP_EID, &p, NULL).ret, XDP_PASS, "XDP waits until TC has sent all it was left");
	set_hold(6, 5, lab_jiffies() - 1);
	r = lab_run(H_TC_EID, &p, NULL);
	expect_moved(&r, "past the deadline", 0, XTR_STAT_ENCAP);
	cr_expect_eq(lab_run(H_XDP_EID, &p, NULL).ret, XDP_PASS);
	set_hold(6, 5, lab_jiffies() - lab.cfg.hz / 4 - 2);
	cr_expect_eq(lab_run(H_XDP_EID, &p, NULL).ret, XDP_REDIRECT, "even if nobody takes the slot away");
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
	set_newcomers(lab_iface_get(lab.eid).slot, 4);
	for (unsigned i = 0; i < 100; i++) {
		struct ran r = lab_run(H_TC_EID, &p, NULL);

		expect_moved(&r, "counted whether reported or not", XTR_DROP_NEG_POLICY);
	}
	n = lab_events().n;
	cr_expect_eq(n, 4, "%u reports", n);
	expect_counted(H_TC_EID, packet_to(UNKNOWN), 0, "a miss after a hundred drops");
}
