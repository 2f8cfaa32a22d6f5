/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Templates that nobody vouches for any more, because the daemon is dead: the packet goes by the routes of the host as they
 * are now, which may lead out of another port than the template says.
 *
 *	xtr0, eid --->  under [veth] underx   192.0.2.0/24, 2001:db8::/64     the template's port
 *	           \->  back  [veth] backx    198.51.100.0/24, 2001:db8:1::/64 where the routes lead afterwards
 */
#include "bpf/wire_lab.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAC_BACK   7
#define MAC_ROUTER 0x51 /* next hop behind the other port */
#define TAIL UDP(1, 2, .csum = true), DATA(9)

static int wire, other;

static void shell(const char *cmd)
{
	cr_assert_eq(system(cmd), 0, "%s", cmd);
}

static void stale(__u32 id)
{
	struct xtr_rloc t = lab_rloc_get(id);

	memset(t.dmac, 0xee, 6); /* must not be used */
	t.heartbeat = 0;
	lab_rloc(id, t);
}

static void fallback_init(void)
{
	lab_init();
	shell("ip link add back address 02:00:00:00:00:07 mtu 1600 type veth peer name backx; ip link set back addrgenmode none up;"
	      "ip link set backx addrgenmode none up;"
	      "for d in all under back lo xtr0p; do sysctl -qw net.ipv6.conf.$d.disable_ipv6=0; done;"
	      "sysctl -qw net.ipv6.conf.all.router_solicitations=0 net.ipv6.conf.under.accept_dad=0 net.ipv6.conf.back.accept_dad=0;"
	      "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1;"
	      "ip addr add 192.0.2.1/24 dev under; ip addr add 2001:db8::1/64 dev under nodad;"
	      "ip addr add 198.51.100.1/24 dev back; ip addr add 2001:db8:1::1/64 dev back nodad;"
	      "for a in 192.0.2.2 2001:db8::2; do ip neigh replace $a lladdr 02:00:00:00:00:41 dev under; done;"
	      "for a in 198.51.100.254 2001:db8:1::fe; do ip neigh replace $a lladdr 02:00:00:00:00:51 dev back; done;"
	      /* as the daemon leaves them: EIDs, and it might be everything, lead into the overlay device */
	      "ip rule add priority 4346 nop; ip -6 rule add priority 4346 nop;"
	      "ip rule add priority 4341 fwmark 0x4c495350 goto 4346; ip -6 rule add priority 4341 fwmark 0x4c495350 goto 4346;"
	      "ip rule add priority 4342 from 192.0.2.1 goto 4346; ip -6 rule add priority 4342 from 2001:db8::1 goto 4346;"
	      "ip rule add priority 4343 lookup 4341; ip -6 rule add priority 4343 lookup 4341;"
	      "ip route add default via 169.254.0.1 dev xtr0 onlink table 4341;"
	      "sysctl -qw net.ipv6.conf.xtr0.disable_ipv6=0; ip -6 route add default via fe80::1 dev xtr0 onlink table 4341");
	lab.cfg.heartbeat_max = 10;
	lab.cfg.mark = 0x4c495350;
	lab_cfg();
	stale(RLOC4);
	stale(RLOC6);
	attach_xdp(lab.under, NULL, 0);
	attach_tc(lab.skel->progs.xtr_tc_encap, lab.xtr0, BPF_TC_EGRESS);
	attach_tc(lab.skel->progs.xtr_tc_inject, lab.peer, BPF_TC_EGRESS);
	attach_tc(lab.skel->progs.xtr_tc_encap, lab.eid, BPF_TC_INGRESS);
	wire = open_port("underx");
	other = open_port("backx");
}

static void move_routes(void)
{
	shell("ip route add 192.0.2.2/32 via 198.51.100.254; ip -6 route add 2001:db8::2/128 via 2001:db8:1::fe");
}

/* LISP from xtr0 over IPv4 and IPv6 outer headers leaves there, to that next hop. */
static void expect_out(const char *what, int at, unsigned dmac, unsigned smac, bool rerouted)
{
	int xtr0 = open_port("xtr0");

	for (unsigned i = 0; i < 4; i++) {
		struct layer in[] = { ETH(MAC_XTR0, MAC_XTR0), IP4("10.1.0.10", "10.2.0.20"), TAIL, {} };
		struct layer out[] = { ETH(dmac, smac), IP4("192.0.2.1", "192.0.2.2"), UDP(0, 4341), LISP(0, 0), {}, TAIL, {} };
		struct pkt p, want, got = {};
		struct ran r;

		if (i & 1)
			in[1] = (struct layer)IP6("fd01::10", i & 2 ? "fd06::20" : "fd02::20");
		else if (i & 2)
			in[1] = (struct layer)IP4("10.1.0.10", "10.6.0.20");
		if (i & 2)
			out[1] = (struct layer)IP6("2001:db8::1", "2001:db8::2");
		out[4] = in[1];
		p = pkt_build(in);
		want = pkt_build(out);
		r = lab_count_start();
		put_frame(xtr0, NULL, &p);
		for (int n = 0; n < 10; n++) { /* devices with addresses have chatter of their own */
			got = take_frame(at, NULL, COMES);
			if (!got.len || got.len == want.len)
				break;
		}
		lab_count_end(&r);
		take_entropy(&got, &want);
		expect_pkt(what, &got, &want);
		cr_expect_eq(r.stats[XTR_STAT_FALLBACK].packets, 1, "%s, form %u", what, i);
		cr_expect_eq(r.stats[XTR_STAT_REROUTED].packets, (__u64)rerouted, "%s, form %u", what, i);
		cr_expect_eq(r.stats[XTR_STAT_REROUTED].octets, rerouted ? p.len - 14 : 0, "%s, form %u", what, i);
	}
	close(xtr0);
}

Test(fallback, by_the_same_port_while_routes_are_as_they_were, .init = fallback_init)
{
	expect_out("as it was", wire, MAC_NEXT, MAC_UNDER, false);
}

Test(fallback, by_another_port_when_the_route_has_moved, .init = fallback_init)
{
	move_routes();
	expect_out("moved", other, MAC_ROUTER, MAC_BACK, true);
	shell("ip route del 192.0.2.2/32; ip -6 route del 2001:db8::2/128");
	expect_out("moved back", wire, MAC_NEXT, MAC_UNDER, false);
}

Test(fallback, by_another_port_when_the_port_is_down, .init = fallback_init)
{
	move_routes();
	shell("ip link set under down; ip addr add 192.0.2.1/32 dev lo; ip addr add 2001:db8::1/128 dev lo nodad;"
	      "ip route replace 192.0.2.2/32 via 198.51.100.254; ip -6 route replace 2001:db8::2/128 via 2001:db8:1::fe");
	expect_out("port down", other, MAC_ROUTER, MAC_BACK, true);
}

/* An IPv4 route may have an IPv6 next hop (RFC 8950). */
Test(fallback, IPv4_by_an_IPv6_next_hop, .init = fallback_init)
{
	shell("ip route add 192.0.2.2/32 via inet6 2001:db8:1::fe dev back; ip -6 route add 2001:db8::2/128 via 2001:db8:1::fe");
	expect_out("next hop of the other family", other, MAC_ROUTER, MAC_BACK, true);
}

/* Where nothing is forwarded the kernel does not say how it would: the port of the template it is. */
Test(fallback, hosts_that_do_not_forward_keep_to_the_port, .init = fallback_init)
{
	shell("sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0");
	expect_out("not forwarding", wire, MAC_NEXT, MAC_UNDER, false);
}

/* What came in at an EID port, and what the daemon injects for it. */
Test(fallback, from_a_port_and_from_the_daemon, .init = fallback_init)
{
	struct pkt p = PKT(ETH(MAC_EID, MAC_HOST), IP4("10.1.0.10", "10.2.0.20", .ttl = 64), TAIL), got;
	struct pkt want = PKT(ETH(MAC_ROUTER, MAC_BACK), IP4("192.0.2.1", "192.0.2.2", .ttl = 63), UDP(0, 4341), LISP(0, 0),
			      IP4("10.1.0.10", "10.2.0.20", .ttl = 63), TAIL);
	int host = open_port("eidx"), peer = open_port("xtr0p"), mark = lab.eid;
	struct ran r = lab_count_start();

	move_routes();
	put_frame(host, NULL, &p);
	got = take_frame(other, NULL, COMES);
	take_entropy(&got, &want);
	expect_pkt("EID port", &got, &want);
	setsockopt(peer, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
	put_frame(peer, NULL, &p);
	got = take_frame(other, NULL, COMES);
	expect_pkt("injected", &got, &want);
	lab_count_end(&r);
	cr_expect_eq(r.stats[XTR_STAT_REROUTED].packets, 2);
	/* XDP leaves such packets to TC */
	attach_xdp(lab.eid, lab.skel->progs.xtr_xdp_eid, XDP_FLAGS_DRV_MODE);
	put_frame(host, NULL, &p);
	got = take_frame(other, NULL, COMES);
	expect_pkt("XDP", &got, &want);
}

/* Copies to the members of a group: the mark names the template. */
Test(fallback, copies_too, .init = fallback_init)
{
	struct pkt p = PKT(ETH(MAC_XTR0, MAC_XTR0), IP4("10.1.0.10", "233.252.1.1", .ttl = 64), TAIL), got;
	struct pkt want = PKT(ETH(MAC_ROUTER, MAC_BACK), IP4("192.0.2.1", "192.0.2.2", .ttl = 63), UDP(0, 4341), LISP(0, 0),
			      IP4("10.1.0.10", "233.252.1.1", .ttl = 63), TAIL);
	int xtr0 = open_port("xtr0");
	struct ran r = lab_count_start();

	move_routes();
	lab_mcast(0, "233.252.1.1/32", NULL, (struct xtr_mcast){ .repl = 7, .parts = 1 });
	lab_repl(7, 0, (struct xtr_repl){ .n = 2, .rloc = { RLOC4, RLOC6 } });
	put_frame(xtr0, NULL, &p);
	got = take_frame(other, NULL, COMES);
	take_entropy(&got, &want);
	expect_pkt("copy to the IPv4 locator", &got, &want);
	got = take_frame(other, NULL, COMES);
	cr_expect(got.b[12] == 0x86 && got.b[20] == 17, "copy to the IPv6 locator");
	lab_count_end(&r);
	cr_expect_eq(r.stats[XTR_STAT_REPL_COPY].packets, 2);
	cr_expect_eq(r.stats[XTR_STAT_REROUTED].packets, 2);
}

/* Natively forwarded packets go by the main table, past the EID routes, out of whatever port it names. */
Test(fallback, natively_forwarded_by_the_routes_of_the_host, .init = fallback_init)
{
	const struct layer forms[] = { IP4("10.1.0.10", "203.0.113.9", .ttl = 63), IP6("fd01::10", "2001:db8:9::9", .ttl = 63) };
	int xtr0 = open_port("xtr0");

	shell("ip route add default via 198.51.100.254; ip -6 route add default via 2001:db8:1::fe");
	lab_eid(0, "203.0.113.0/24", (struct xtr_eid){ .action = XTR_ACT_NATIVE });
	lab_eid(0, "2001:db8:9::/48", (struct xtr_eid){ .action = XTR_ACT_NATIVE });
	for (unsigned i = 0; i < 2; i++) {
		struct pkt p = PKT(ETH(MAC_XTR0, MAC_XTR0), forms[i], TAIL), want = PKT(ETH(MAC_ROUTER, MAC_BACK), forms[i], TAIL), got = {};
		struct ran r = lab_count_start();

		put_frame(xtr0, NULL, &p);
		for (int n = 0; n < 10; n++) {
			got = take_frame(other, NULL, COMES);
			if (!got.len || got.len == want.len)
				break;
		}
		lab_count_end(&r);
		expect_pkt("native", &got, &want);
		cr_expect_eq(r.stats[XTR_STAT_NATIVE].packets, 1);
		cr_expect_eq(r.stats[XTR_STAT_REROUTED].packets, 0);
	}
}
