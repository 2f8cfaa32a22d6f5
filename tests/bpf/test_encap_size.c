/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Encapsulation and the sizes of packets: path MTU, super-packets, checksums that are still to be done. What the programs
 * cannot finish themselves goes on untouched to those who can.
 */
#include "bpf/lab.h"

#define IN ETH(MAC_EID, MAC_HOST)
#define FLOW(...) ((const struct layer[]){ IN, __VA_ARGS__, {} })

Test(encap, too_big_for_the_path_goes_to_the_stack_that_answers, .init = lab_init)
{
	struct xtr_rloc t = lab_rloc_get(RLOC4);

	for (unsigned more = 0; more < 2; more++) {
		/* 20 + 8 + 1464 + 36 = 1528 */
		struct pkt p = pkt_build(FLOW(IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(1464 + more)));
		struct ran r;

		t.mtu = 1528;
		lab_rloc(RLOC4, t);
		r = lab_run(H_TC_EID, &p, NULL);
		cr_expect_eq(r.ret, more ? TC_UNSPEC : TC_REDIRECT, "%u octets too many: action %d", more, r.ret);
		if (more) {
			expect_pkt("too big", &r.out, &p);
			expect_moved(&r, "too big", 0, XTR_STAT_PASS);
			expect_left("too big", &p);
		} else {
			cr_expect_eq(lab_run(H_XDP_EID, &p, NULL).ret, XDP_REDIRECT);
		}
	}
}

Test(encap, unknown_path_mtu_is_that_of_the_interface, .init = lab_init)
{
	struct xtr_rloc t = lab_rloc_get(RLOC6);
	/* under has 1600: 40 + 8 + 1496 + 56 fits */
	struct pkt fits = pkt_build(FLOW(IP6("fd01::1", "fd06::2"), UDP(1, 2), DATA(1496)));
	struct pkt big = pkt_build(FLOW(IP6("fd01::1", "fd06::2"), UDP(1, 2), DATA(1497)));

	t.mtu = 0;
	lab_rloc(RLOC6, t);
	cr_expect_eq(lab_run(H_TC_EID, &fits, NULL).ret, TC_REDIRECT);
	cr_expect_eq(lab_run(H_XDP_EID, &fits, NULL).ret, XDP_REDIRECT);
	cr_expect_eq(lab_run(H_TC_EID, &big, NULL).ret, TC_UNSPEC);
	expect_left("too big", &big);
}

Test(encap, super_packets, .init = lab_init)
{
	const struct run_opt gso = { .gso_size = 1448, .gso_segs = 3 }, udp_gso = { .gso_size = 1400, .gso_segs = 3 };
	struct pkt tcp = pkt_build(FLOW(IP4("10.1.0.10", "10.2.0.20"), TCP(1, 2, .partial = true), DATA(3000)));
	struct pkt udp = pkt_build(FLOW(IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2, .partial = true), DATA(3000)));
	struct xtr_iface ov = lab_iface_get(lab.xtr0);
	struct xtr_rloc t = lab_rloc_get(RLOC4);
	struct ran r;

	ov.mtu = 1464;
	lab_iface(lab.xtr0, ov);
	r = lab_run(H_TC_XTR0, &udp, &gso);
	cr_expect_eq(r.ret, TC_OK, "UDP: to the peer end, where the kernel has segmented it");
	expect_pkt("UDP GSO", &r.out, &udp);
	expect_moved(&r, "UDP GSO", 0, XTR_STAT_GSO_PEER);
	r = lab_run(H_TC_EID, &udp, &udp_gso);
	cr_expect_eq(r.ret, TC_REDIRECT, "UDP on a port: to the overlay device, action %d", r.ret);
	expect_moved(&r, "UDP GSO on a port", 0, XTR_STAT_GSO_PEER);
	r = lab_run(H_TC_EID, &udp, &gso);
	cr_expect_eq(r.ret, TC_UNSPEC, "segments that do not fit, without DF: the stack fragments, action %d", r.ret);
	expect_moved(&r, "UDP GSO without DF", 0, XTR_STAT_PASS);
	/* Test runs cannot make a TCP super-packet, only a size: the kernel refuses room to it, which is the drop to see. */
	expect_dropped("no room", H_TC_XTR0, &tcp, &gso, XTR_DROP_ENCAP_ROOM);
	expect_dropped("no room", H_INJECT, &tcp, &gso, XTR_DROP_ENCAP_ROOM);
	expect_dropped("UDP cannot be injected whole", H_INJECT_XTR0, &udp, &gso, XTR_DROP_ENCAP_ROOM);
	/* segments count for the path MTU, not the whole */
	expect_dropped("segments fit", H_TC_EID, &tcp, &gso, XTR_DROP_ENCAP_ROOM);
	t.mtu = 36 + 40 + 1448 - 1;
	lab_rloc(RLOC4, t);
	r = lab_run(H_TC_EID, &tcp, &gso);
	cr_expect_eq(r.ret, TC_UNSPEC, "segments do not fit: action %d", r.ret);
}

Test(encap, unfinished_checksums_are_left_to_tc, .init = lab_init)
{
	const struct layer part[][5] = {
		{ IN, IP4("10.1.0.10", "10.2.0.20"), TCP(1, 2, .partial = true), DATA(9), {} },
		{ IN, IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2, .partial = true), DATA(9), {} },
		{ IN, IP6("fd01::10", "fd02::20"), TCP(1, 2, .partial = true), DATA(9), {} },
		{ IN, IP6("fd01::10", "fd02::20"), UDP(1, 2, .partial = true), DATA(9), {} },
		/* nobody can tell */
		{ IN, IP4("10.1.0.10", "10.2.0.20"), SCTP(1, 2), DATA(9), {} },
		{ IN, IP6("fd01::10", "fd02::20", .proto = 60), DATA(24), {} },
	};
	struct pkt whole = pkt_build(FLOW(IP6("fd01::10", "fd02::20"), TCP(1, 2), DATA(9)));
	struct pkt echo = pkt_build(FLOW(IP4("10.1.0.10", "10.2.0.20", .proto = 1), DATA(9)));
	const __u16 flags[] = { XTR_IF_F_CSUM_PARTIAL, XTR_IF_F_XDP_GENERIC };
	struct xtr_iface v = lab_iface_get(lab.eid);

	for (unsigned f = 0; f < 2; f++) {
		v.flags = XTR_IF_F_ROUTER_HOP | flags[f];
		lab_iface(lab.eid, v);
		for (unsigned i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
			struct pkt p = pkt_build(part[i]);

			expect_left("partial", &p);
			cr_expect_eq(lab_run(H_TC_EID, &p, NULL).ret, TC_REDIRECT);
		}
		cr_expect_eq(lab_run(H_XDP_EID, &whole, NULL).ret, XDP_REDIRECT, "complete checksums are XDP's");
		cr_expect_eq(lab_run(H_XDP_EID, &echo, NULL).ret, XDP_REDIRECT, "so is ICMP");
	}
	v.flags = XTR_IF_F_ROUTER_HOP;
	lab_iface(lab.eid, v);
	for (unsigned i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		struct pkt p = pkt_build(part[i]);

		cr_expect_eq(lab_run(H_XDP_EID, &p, NULL).ret, XDP_REDIRECT, "a NIC delivers only complete ones");
	}
}
