/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which decapsulated packets are handed to the GRO of the overlay device: TCP, after a run of full packets without a super-packet
 * in between, where the device does it. Everything else takes the way it always took.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "bpf/lab.h"

#include <sched.h>

#define RUN 256 /* as bpf/gro.h has it */
#define OUTER ETH(MAC_UNDER, MAC_NEXT), IP4("192.0.2.2", "192.0.2.1"), UDP(0xc123, 4341), LISP(0x08000000, IID_A << 8)
#define INNER IP4("10.2.0.20", "10.1.0.10")

static void on_one_cpu(void)
{
	cpu_set_t one;

	lab_init();
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	cr_assert_eq(sched_setaffinity(0, sizeof(one), &one), 0); /* runs are counted for each CPU */
}
TestSuite(gro, .init = on_one_cpu);

static void overlay(unsigned mtu)
{
	lab_inst(IID_A, (struct xtr_inst){ .overlay = lab.xtr0, .peer = lab.peer, .mac = MAC_BYTES(MAC_XTR0), .mtu = (__u16)mtu });
}

/* 1: to GRO; 0: delivered as ever. */
static int to_gro(const char *what, const struct pkt *p)
{
	struct ran r = lab_run(H_TC_UNDER, p, NULL);

	cr_expect_eq(r.ret, TC_REDIRECT, "%s: action %d", what, r.ret);
	cr_expect_eq(r.stats[XTR_STAT_DECAP].packets, 1, "%s: decapsulated", what);
	cr_expect(!ran_dropped(&r), "%s: %s", what, ran_dropped(&r) ? ran_dropped(&r) : "");
	return (int)r.stats[XTR_STAT_GRO].packets;
}

static int many(const char *what, const struct pkt *p, unsigned n)
{
	int sum = 0;

	while (n--)
		sum += to_gro(what, p);
	return sum;
}

Test(gro, a_run_of_single_packets_of_tcp)
{
	struct pkt full = pkt_build((struct layer[MAX_LAYERS]){ OUTER, INNER, TCP(80, 5000), DATA(1200) });
	struct pkt ack = pkt_build((struct layer[MAX_LAYERS]){ OUTER, INNER, TCP(80, 5000) });
	struct pkt udp = pkt_build((struct layer[MAX_LAYERS]){ OUTER, INNER, UDP(80, 5000, .csum = true), DATA(1200) });
	struct pkt want = pkt_build((struct layer[MAX_LAYERS]){ ETH(MAC_XTR0, MAC_NEXT), INNER, TCP(80, 5000), DATA(1200) });
	struct ran r;

	overlay(1400);
	cr_expect_eq(many("small ones make no run", &ack, RUN + 4), 0);
	cr_expect_eq(many("datagrams make no run", &udp, RUN + 4), 0);
	cr_expect_eq(many("not before the run is complete", &full, RUN), 0);
	cr_expect_eq(to_gro("then it is", &full), 1);
	r = lab_run(H_TC_UNDER, &full, NULL);
	expect_pkt("as for the overlay device", &r.out, &want);
	expect_moved(&r, "counted", 0, XTR_STAT_DECAP, XTR_STAT_GRO);
	cr_expect_eq(to_gro("small ones go with their flow", &ack), 1);
	cr_expect_eq(to_gro("datagrams do not", &udp), 0);
	/* (of what protocol it is the kernel is not told here, so the program cannot cut it: tests/e2e/70 has real ones) */
	r = lab_run(H_TC_UNDER, &full, &(struct run_opt){ .gso_size = 600, .gso_segs = 2 });
	cr_expect_eq(r.stats[XTR_STAT_GRO].packets, 0);
	cr_expect_eq(many("a super-packet ends the run", &full, RUN), 0);
	cr_expect_eq(to_gro("until there is another", &full), 1);
}

Test(gro, only_what_the_overlay_device_takes)
{
	struct pkt full = pkt_build((struct layer[MAX_LAYERS]){ OUTER, INNER, TCP(80, 5000), DATA(1200) });
	struct xtr_iface end = lab_iface_get(lab.peer);
	struct ran r;

	overlay(0);
	cr_expect_eq(many("no GRO there", &full, RUN + 4), 0);
	overlay(1239);
	cr_expect_eq(to_gro("larger than its MTU", &full), 0);
	overlay(1240);
	cr_expect_eq(to_gro("as large as its MTU", &full), 1);
	end.role = XTR_ROLE_UNDERLAY;
	lab_iface(lab.peer, end);
	r = lab_run(H_TC_UNDER, &full, NULL);
	cr_expect_eq(r.ret, TC_SHOT);
	expect_moved(&r, "what has the number of the peer end and is another device gets nothing", XTR_DROP_OVERLAY_GONE);
}

/* On its way out of the peer end it is neither the daemon's nor to be encapsulated. */
Test(gro, passes_the_program_at_the_peer_end)
{
	struct pkt p = pkt_build((struct layer[MAX_LAYERS]){ ETH(MAC_XTR0, MAC_NEXT), INNER, TCP(80, 5000), DATA(1200) });
	struct run_opt opt = { .mark = XTR_MARK_GRO };
	struct ran r = lab_run(H_INJECT, &p, &opt);

	cr_expect_eq(r.ret, TC_OK);
	expect_pkt("untouched", &r.out, &p);
	expect_moved(&r, "nothing is counted", 0);
}
