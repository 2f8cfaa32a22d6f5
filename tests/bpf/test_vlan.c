/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Roles by VLAN: the same device is instance 0 without a tag, instance 5 with tag 7, instance 0xfffffe with tag 4094, and
 * nothing with any other. (At TC test runs have the tag in the frame; beside it, as the kernel puts it, is seen end to end.)
 */
#include "bpf/lab.h"

#include <stdio.h>
#include <string.h>

#define IN  ETH(MAC_EID, MAC_HOST)
#define OUT ETH(MAC_NEXT, MAC_UNDER)

static void port(unsigned vlan, __u32 iid, unsigned slot)
{
	struct xtr_port_key k = { .ifindex = lab.eid, .vlan = vlan };
	struct xtr_iface v = lab_iface_get(lab.eid);

	v.vlan = vlan;
	v.iid = iid;
	v.slot = slot;
	cr_assert_eq(bpf_map_update_elem(bpf_map__fd(lab.skel->maps.xtr_ifaces), &k, &v, 0), 0);
}

static void vlan_init(void)
{
	lab_init();
	port(7, IID_A, 4);
	port(4094, IID_B, 5);
}

/* The frame with tags put in behind its addresses; type: of the first. */
static struct pkt tag(struct pkt p, unsigned type, unsigned tci)
{
	memmove(p.b + 16, p.b + 12, p.len - 12);
	p.b[12] = type >> 8;
	p.b[13] = type;
	p.b[14] = tci >> 8;
	p.b[15] = tci;
	p.len += 4;
	return p;
}

#define INNER(...) pkt_build((struct layer[]){ IN, __VA_ARGS__, {} })

static const struct { const char *name; unsigned tci; __u32 iid; } tags[] = {
	{ "VLAN 7", 7, IID_A }, { "VLAN 7 with priority 5", 0xa007, IID_A }, { "VLAN 7, drop eligible", 0x1007, IID_A },
	{ "VLAN 4094", 4094, IID_B },
};
static const enum hook hooks[] = { H_TC_EID, H_XDP_EID, H_INJECT };

Test(vlan, the_tag_chooses_the_instance_and_ends_here, .init = vlan_init)
{
	for (unsigned i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		for (unsigned k = 0; k < 3; k++)
			for (unsigned six = 0; six < 2; six++) {
				struct pkt p = six ? INNER(IP6("fd01::10", "fd02::20"), TCP(1, 2), DATA(33)) :
						     INNER(IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(33), PAD(6));
				struct layer lisp = LISP(0x08000000, tags[i].iid << 8);
				struct pkt want = six ? pkt_build((struct layer[]){ OUT, IP4("192.0.2.1", "192.0.2.2", .ttl = 63), UDP(0, 4341), lisp,
							  IP6("fd01::10", "fd02::20", .ttl = 63), TCP(1, 2), DATA(33), {} }) :
							pkt_build((struct layer[]){ OUT, IP4("192.0.2.1", "192.0.2.2", .ttl = 63), UDP(0, 4341), lisp,
							  IP4("10.1.0.10", "10.2.0.20", .ttl = 63), UDP(1, 2), DATA(33), {} });
				char what[96];
				struct ran r;

				p = tag(p, 0x8100, tags[i].tci);
				r = lab_run(hooks[k], &p, NULL);
				snprintf(what, sizeof(what), "%s, IPv%c on %s", tags[i].name, six ? '6' : '4', hook_name[hooks[k]]);
				cr_expect_eq(r.ret, hooks[k] == H_XDP_EID ? (int)XDP_REDIRECT : TC_REDIRECT, "%s: action %d", what, r.ret);
				take_entropy(&r.out, &want);
				expect_pkt(what, &r.out, &want);
				cr_expect_eq(r.stats[XTR_STAT_ENCAP].packets, 1, "%s: counter", what);
			}
}

Test(vlan, other_tags_are_not_ours, .init = vlan_init)
{
	struct pkt inner = INNER(IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(33));
	const struct { const char *name; struct pkt p; } cases[] = {
		{ "VLAN 8", tag(inner, 0x8100, 8) }, { "VLAN 4095", tag(inner, 0x8100, 4095) },
		{ "a priority tag", tag(inner, 0x8100, 0xa000) }, { "802.1ad", tag(inner, 0x88a8, 7) },
		{ "802.1ad and a tag", tag(tag(inner, 0x8100, 7), 0x88a8, 9) },
		{ "two tags", tag(tag(inner, 0x8100, 7), 0x8100, 7) }, { "two tags, the second unknown", tag(tag(inner, 0x8100, 8), 0x8100, 7) },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ran r = lab_run(H_XDP_EID, &cases[i].p, NULL);

		cr_expect_eq(r.ret, XDP_PASS, "%s: action %d", cases[i].name, r.ret);
		expect_pkt(cases[i].name, &r.out, &cases[i].p);
		r = lab_run(H_TC_EID, &cases[i].p, NULL);
		cr_expect_eq(r.ret, TC_UNSPEC, "%s: action %d", cases[i].name, r.ret);
		expect_moved(&r, cases[i].name, 0, XTR_STAT_PASS);
		if (i < 5) /* else its own tag is beside the frame now, where test runs do not show it */
			expect_pkt(cases[i].name, &r.out, &cases[i].p);
	}
}

Test(vlan, xdp_changes_nothing_that_it_does_not_send, .init = vlan_init)
{
	const struct pkt in[] = {
		tag(INNER(IP4("10.1.0.10", "10.99.0.20"), UDP(1, 2), DATA(33)), 0x8100, 7),           /* a miss */
		tag(INNER(IP4("10.1.0.10", "10.2.0.20", .ttl = 1), UDP(1, 2), DATA(33)), 0x8100, 7),  /* the stack's */
		tag(INNER(IP4("10.1.0.10", "10.2.0.20", .options = 1), UDP(1, 2), DATA(33)), 0x8100, 7), /* TC's */
		tag(INNER(IP4("10.1.0.10", "10.1.0.77"), UDP(1, 2), DATA(33)), 0x8100, 7),            /* at home */
		tag(INNER(IP4("10.1.0.10", "10.2.0.20", .len_add = 1), UDP(1, 2), DATA(33)), 0x8100, 7), /* truncated */
	};
	struct pkt cut = in[0];

	for (unsigned i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
		struct ran r = lab_run(H_XDP_EID, &in[i], NULL);

		cr_expect_eq(r.ret, XDP_PASS, "case %u", i);
		expect_pkt("untouched", &r.out, &in[i]);
		expect_moved(&r, "untouched", 0, XTR_STAT_XDP_TO_TC);
	}
	for (cut.len = 14; cut.len < 40; cut.len++) {
		struct ran r = lab_run(H_XDP_EID, &cut, NULL);

		cr_expect_eq(r.ret, XDP_PASS, "%u octets", cut.len);
		expect_pkt("truncated", &r.out, &cut);
	}
}

Test(vlan, misses_say_the_vlan_and_carry_the_frame_without_its_tag, .init = vlan_init)
{
	struct pkt inner = INNER(IP6("fd01::10", "fd99::20"), TCP(1, 2), DATA(50)), p = tag(inner, 0x8100, 0x6007);
	struct ran r = lab_run(H_TC_EID, &p, NULL);
	struct seen s = lab_events();

	expect_moved(&r, "miss", 0, XTR_STAT_MISS, XTR_STAT_MISS_EVENT);
	cr_assert_eq(s.n, 1);
	cr_expect_eq(s.ev.vlan, 7);
	cr_expect_eq(s.ev.iid, IID_A);
	cr_expect_eq(s.ev.ifindex, (__u32)lab.eid);
	expect_pkt("captured", &s.frame, &inner);
	r = lab_run(H_TC_EID, &inner, NULL);
	s = lab_events();
	cr_assert_eq(s.n, 1);
	cr_expect_eq(s.ev.vlan, 0);
	cr_expect_eq(s.ev.iid, 0);
}

/* To the port's stack with the tag beside it; without the tag in the frame, which test runs do show. */
Test(vlan, injected_packets_that_are_the_stacks, .init = vlan_init)
{
	struct pkt ttl = INNER(IP4("10.1.0.10", "10.2.0.20", .ttl = 1), UDP(1, 2), DATA(9));
	struct pkt native = INNER(IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(9));
	struct pkt p = tag(ttl, 0x8100, 7);
	struct ran r = lab_run(H_INJECT, &p, NULL);

	cr_expect_eq(r.ret, TC_REDIRECT);
	expect_pkt("to the stack", &r.out, &ttl);
	expect_moved(&r, "to the stack", 0);
	lab_eid(IID_A, "10.2.0.20/32", (struct xtr_eid){ .action = XTR_ACT_NATIVE });
	p = tag(native, 0x8100, 7);
	r = lab_run(H_INJECT, &p, NULL);
	cr_expect_eq(r.ret, TC_REDIRECT);
	expect_pkt("natively", &r.out, &native);
	p = tag(native, 0x8100, 8);
	r = lab_run(H_INJECT, &p, NULL);
	cr_expect_eq(r.ret, TC_SHOT);
	expect_moved(&r, "VLAN that is gone", XTR_DROP_INJECT_MARK);
}

/* A tag is not an IP packet: of the overlay device there are no VLANs. */
Test(vlan, none_on_the_overlay_device, .init = vlan_init)
{
	struct pkt p = tag(INNER(IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2), DATA(9)), 0x8100, 7);
	struct ran r = lab_run(H_TC_XTR0, &p, NULL);

	cr_expect_eq(r.ret, TC_SHOT);
	expect_moved(&r, "tag", XTR_DROP_ENCAP_SCOPE);
}
