/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The programs attached to real devices: what test runs cannot show. Metadata on its way from XDP to TC, delivery on the
 * overlay device, failing closed, super-packets, and the same through generic XDP.
 *
 *	wire --- underx [veth] under ( XDP | TC ) ---redirect---> xtr0 [veth] xtr0p
 *	host --- eidx   [veth] eid   ( XDP | TC ) ---redirect---> under [veth] underx --- wire
 */
#include "bpf/wire_lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WIRE ETH(MAC_UNDER, MAC_NEXT)
#define I4(...) IP4("10.2.0.20", "10.1.0.10", ##__VA_ARGS__)
#define TAIL UDP(53, 5000, .csum = true), DATA(20)

/* A frame into underx; counters as in lab_run. */
static struct ran on_the_wire(int wire, const struct pkt *p, int overlay, struct pkt *delivered)
{
	struct ran r = lab_count_start();

	put_frame(wire, NULL, p);
	*delivered = take_frame(overlay, NULL, COMES);
	lab_count_end(&r);
	return r;
}

static void wire_init(void)
{
	lab_init();
	attach_tc(lab.skel->progs.xtr_tc_underlay, lab.under, BPF_TC_INGRESS);
}

static void check_delivery(const char *what, __u32 xdp_flags, bool with_xdp)
{
	const struct layer forms[][9] = {
		{ WIRE, IP4("192.0.2.2", "192.0.2.1"), UDP(1, 4341), LISP(0x08000000, 5 << 8), I4(), TAIL, {} },
		{ WIRE, IP4("192.0.2.2", "192.0.2.1"), UDP(1, 4341), LISP(0x08000000, 5 << 8), IP6("fd02::20", "fd01::10"), TAIL, {} },
		{ WIRE, IP6("2001:db8::2", "2001:db8::1"), UDP(1, 4341), LISP(0x08000000, 5 << 8), I4(), TAIL, {} },
		{ WIRE, IP6("2001:db8::2", "2001:db8::1"), UDP(1, 4341), LISP(0, 0), IP6("fd02::20", "fd01::10"), TAIL, {} },
	};
	int wire = open_port("underx"), overlay = open_port("xtr0");

	attach_xdp(lab.under, with_xdp ? lab.skel->progs.xtr_xdp_under : NULL, xdp_flags);
	for (unsigned i = 0; i < 4; i++) {
		struct layer out[] = { ETH(MAC_XTR0, MAC_NEXT), forms[i][4], TAIL, {} };
		struct pkt p = pkt_build(forms[i]), want = pkt_build(out), got;
		struct ran r = on_the_wire(wire, &p, overlay, &got);

		expect_pkt(what, &got, &want);
		if (with_xdp)
			expect_moved(&r, what, 0, XTR_STAT_DECAP, XTR_STAT_DECAP_XDP);
		else
			expect_moved(&r, what, 0, XTR_STAT_DECAP);
	}
	close(wire);
	close(overlay);
}

Test(wire, decapsulated_packets_arrive_on_the_overlay_device, .init = wire_init)
{
	check_delivery("TC alone", 0, false);
	check_delivery("native XDP, TC finishes", XDP_FLAGS_DRV_MODE, true);
	check_delivery("generic XDP, TC finishes", XDP_FLAGS_SKB_MODE, true);
}

/* Generic XDP copies a packet without room in front; TC has to find the Ethernet header of the copy again. */
Test(wire, other_traffic_passes_generic_xdp_and_tc_untouched, .init = wire_init)
{
	struct pkt p = PKT(WIRE, IP4("192.0.2.2", "192.0.2.1"), UDP(1, 4340), DATA(40)), got;
	int wire = open_port("underx"), under;
	struct ran r;

	attach_xdp(lab.under, lab.skel->progs.xtr_xdp_under, XDP_FLAGS_SKB_MODE);
	under = open_port("under");
	r = on_the_wire(wire, &p, under, &got);
	expect_pkt("not LISP", &got, &p);
	expect_moved(&r, "not LISP", 0);
}

Test(wire, without_tc_what_xdp_decapsulated_dies, .init = lab_init)
{
	struct pkt p = PKT(WIRE, IP4("192.0.2.2", "192.0.2.1"), UDP(1, 4341), LISP(0x08000000, 5 << 8), I4(), TAIL);
	int wire = open_port("underx"), app = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(5000), .sin_addr.s_addr = inet_addr("10.1.0.10") };
	struct ran r = lab_count_start();
	char buf[100];

	attach_xdp(lab.under, lab.skel->progs.xtr_xdp_under, 0);
	/* the inner destination is an address of this very host: everything invites the packet in */
	cr_assert_eq(system("ip addr add 10.1.0.10/32 dev lo; for d in all under; do "
			    "sysctl -qw net.ipv4.conf.$d.rp_filter=0; done"), 0);
	cr_assert_eq(bind(app, (struct sockaddr *)&a, sizeof(a)), 0);
	put_frame(wire, NULL, &p);
	usleep(200000);
	lab_count_end(&r);
	expect_moved(&r, "decapsulated", 0, XTR_STAT_DECAP, XTR_STAT_DECAP_XDP);
	cr_expect(recv(app, buf, sizeof(buf), MSG_DONTWAIT) < 0 && errno == EAGAIN, "delivered into the wrong instance");
	/* and the same frame to its own MAC is received, so the above proves something */
	p = PKT(WIRE, I4(), TAIL);
	put_frame(wire, NULL, &p);
	usleep(200000);
	cr_expect_eq(recv(app, buf, sizeof(buf), MSG_DONTWAIT), 20);
}

/* A frame with metadata in front, as if XDP had left them, into the stack at `under`. */
static struct ran with_metadata(const struct xtr_meta *meta, unsigned len, const struct pkt *p, int overlay, struct pkt *delivered, int ms)
{
	__u8 in[PKT_MAX + 64];
	struct xdp_md ctx = { .data = len, .data_end = len + p->len, .ingress_ifindex = lab.under };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = in, .data_size_in = len + p->len, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx),
		    .repeat = 1, .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
	struct ran r = lab_count_start();

	memcpy(in, meta, len);
	memcpy(in + len, p->b, p->len);
	/* not LISP in itself: xtr_xdp_under passes it as it is */
	cr_assert_eq(bpf_prog_test_run_opts(lab_prog(lab.skel->progs.xtr_xdp_under), &run), 0, "%s", strerror(errno));
	*delivered = take_frame(overlay, NULL, ms);
	lab_count_end(&r);
	return r;
}

Test(wire, metadata_of_xdp, .init = wire_init)
{
	struct xtr_meta m = { .magic = XTR_META_MAGIC, .version = XTR_META_VERSION, .iid = IID_A };
	struct pkt p = PKT(ETH(0x99, MAC_NEXT), I4(), TAIL), want = PKT(ETH(MAC_XTR0, MAC_NEXT), I4(), TAIL), got;
	int overlay = open_port("xtr0");
	struct ran r;

	r = with_metadata(&m, sizeof(m), &p, overlay, &got, COMES);
	expect_pkt("version 1", &got, &want);
	expect_moved(&r, "version 1", 0);
	m.version = 2;
	r = with_metadata(&m, sizeof(m), &p, overlay, &got, NOTHING);
	cr_expect_eq(got.len, 0, "a version that is not known is delivered");
	expect_moved(&r, "version 2", XTR_DROP_META_VERSION);
	m.version = XTR_META_VERSION;
	r = with_metadata(&m, 8, &p, overlay, &got, NOTHING);
	cr_expect_eq(got.len, 0);
	expect_moved(&r, "cut short", XTR_DROP_META_VERSION);
	m.iid = 6;
	r = with_metadata(&m, sizeof(m), &p, overlay, &got, NOTHING);
	cr_expect_eq(got.len, 0);
	expect_moved(&r, "instance that is gone", XTR_DROP_DECAP_IID);
	m.iid = IID_B;
	lab_inst(IID_B, (struct xtr_inst){ .overlay = 0 });
	r = with_metadata(&m, sizeof(m), &p, overlay, &got, NOTHING);
	cr_expect_eq(got.len, 0);
	expect_moved(&r, "instance without a device", XTR_DROP_DECAP_NO_OVERLAY);
	m.magic++;
	r = with_metadata(&m, sizeof(m), &p, overlay, &got, NOTHING);
	cr_expect_eq(got.len, 0);
	expect_moved(&r, "metadata of another program", 0);
}

/* ---- encapsulation */

#define TCP_GSO(n, h) ((struct virtio_net_hdr){ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, \
	.gso_size = n, .hdr_len = (h) + 20, .csum_start = h, .csum_offset = 16 })

Test(wire, tcp_super_packets_stay_whole, .init = lab_init)
{
	struct pkt p = PKT(ETH(MAC_XTR0, MAC_XTR0), IP4("10.1.0.10", "10.2.0.20", .ttl = 64), TCP(1, 2, .partial = true), DATA(3000));
	struct pkt want = PKT(ETH(MAC_NEXT, MAC_UNDER), IP4("192.0.2.1", "192.0.2.2", .ttl = 64), UDP(0, 4341), LISP(0, 0),
			      IP4("10.1.0.10", "10.2.0.20", .ttl = 64), TCP(1, 2, .partial = true), DATA(3000)), got;
	struct pkt want6 = PKT(ETH(MAC_NEXT, MAC_UNDER), IP6("2001:db8::1", "2001:db8::2", .ttl = 64), UDP(0, 4341), LISP(0, 0),
			       IP4("10.1.0.10", "10.6.0.20", .ttl = 64), TCP(1, 2, .partial = true), DATA(3000));
	int xtr0 = open_port("xtr0"), wire = open_port("underx");
	struct virtio_net_hdr v = TCP_GSO(1000, 34);
	struct ran r;

	attach_xdp(lab.under, NULL, 0);
	attach_tc(lab.skel->progs.xtr_tc_encap, lab.xtr0, BPF_TC_EGRESS);
	r = lab_count_start();
	put_frame(xtr0, &v, &p);
	got = take_frame(wire, &v, COMES);
	lab_count_end(&r);
	expect_moved(&r, "TCP", 0, XTR_STAT_ENCAP);
	take_entropy(&got, &want);
	expect_pkt("TCP", &got, &want);
	/* packet sockets cannot name a tunnel's super-packet, but its segment size they show */
	cr_expect_eq(v.gso_size, 1000, "gso_size %u", v.gso_size);
	/* IPv4 in IPv6 */
	v = TCP_GSO(1000, 34);
	p = PKT(ETH(MAC_XTR0, MAC_XTR0), IP4("10.1.0.10", "10.6.0.20", .ttl = 64), TCP(1, 2, .partial = true), DATA(3000));
	put_frame(xtr0, &v, &p);
	got = take_frame(wire, &v, COMES);
	take_entropy(&got, &want6);
	expect_pkt("TCP in IPv6", &got, &want6);
	cr_expect_eq(v.gso_size, 1000, "gso_size %u", v.gso_size);
}

Test(wire, udp_super_packets_are_segmented_at_the_peer_end, .init = lab_init)
{
	struct pkt p = PKT(ETH(MAC_XTR0, MAC_XTR0), IP4("10.1.0.10", "10.2.0.20", .ttl = 64), UDP(1, 2, .partial = true), DATA(2500)), got;
	struct virtio_net_hdr v = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = 5 /* UDP_L4 */, .gso_size = 1000,
				    .hdr_len = 42, .csum_start = 34, .csum_offset = 6 };
	int xtr0 = open_port("xtr0"), wire = open_port("underx");
	struct ran r;

	cr_assert_eq(system("ethtool -K xtr0 tx-udp-segmentation off"), 0);
	attach_xdp(lab.under, NULL, 0);
	attach_tc(lab.skel->progs.xtr_tc_encap, lab.xtr0, BPF_TC_EGRESS);
	attach_tc(lab.skel->progs.xtr_tc_encap, lab.peer, BPF_TC_INGRESS);
	r = lab_count_start();
	if (write_frame(xtr0, &v, &p) < 0 && errno == EINVAL)
		cr_skip_test("this kernel's packet sockets have no UDP segmentation (6.2)");
	for (unsigned i = 0; i < 3; i++) {
		got = take_frame(wire, NULL, COMES);
		cr_expect_eq(got.len, 14 + 36 + 28 + (i < 2 ? 1000 : 500), "segment %u has %u octets", i, got.len);
	}
	cr_expect_eq(take_frame(wire, NULL, NOTHING).len, 0);
	lab_count_end(&r);
	cr_expect_eq(r.stats[XTR_STAT_GSO_PEER].packets, 1);
	cr_expect_eq(r.stats[XTR_STAT_ENCAP].packets, 3);
	cr_expect_eq(r.drops[XTR_DROP_ENCAP_ROOM], 0);
}

Test(wire, stale_template_is_resolved_by_the_kernel, .init = lab_init)
{
	struct pkt p = PKT(ETH(MAC_XTR0, MAC_XTR0), IP4("10.1.0.10", "10.2.0.20", .ttl = 64), UDP(1, 2, .csum = true), DATA(9)), got;
	struct pkt want = PKT(ETH(MAC_NEXT, MAC_UNDER), IP4("192.0.2.1", "192.0.2.2", .ttl = 64), UDP(0, 4341), LISP(0, 0),
			      IP4("10.1.0.10", "10.2.0.20", .ttl = 64), UDP(1, 2, .csum = true), DATA(9));
	int xtr0 = open_port("xtr0"), wire = open_port("underx");
	struct xtr_rloc t = lab_rloc_get(RLOC4);

	attach_xdp(lab.under, NULL, 0);
	attach_tc(lab.skel->progs.xtr_tc_encap, lab.xtr0, BPF_TC_EGRESS);
	/* the kernel knows the neighbour; the template's own addresses are wrong and must not be used */
	cr_assert_eq(system("ip addr add 192.0.2.1/24 dev under; ip neigh replace 192.0.2.2 lladdr 02:00:00:00:00:41 dev under"), 0);
	memset(t.dmac, 0xee, 6);
	t.heartbeat = 0;
	lab_rloc(RLOC4, t);
	lab.cfg.heartbeat_max = 10;
	lab_cfg();
	put_frame(xtr0, NULL, &p);
	got = take_frame(wire, NULL, COMES);
	take_entropy(&got, &want);
	expect_pkt("resolved by the kernel", &got, &want);
}

/* A VXLAN packet with a checksum yet to be done is marked as encapsulated, and for those the kernel refuses room with
 * encapsulation flags. In all four family pairs. */
Test(wire, nested_tunnels, .init = lab_init)
{
	static const struct { const char *local, *remote; unsigned outer, inner; } forms[] = {
		{ "10.1.0.10", "10.2.0.20", 36, 20 }, { "fd01::10", "fd02::20", 36, 40 },
		{ "10.1.0.10", "10.6.0.20", 56, 20 }, { "fd01::10", "fd06::20", 56, 40 },
	};
	int wire = open_port("underx");

	attach_xdp(lab.under, NULL, 0);
	attach_tc(lab.skel->progs.xtr_tc_encap, lab.xtr0, BPF_TC_EGRESS);
	cr_assert_eq(system("sysctl -qw net.ipv6.conf.all.disable_ipv6=0; ip addr add 10.1.0.10/32 dev xtr0;"
			    "ip addr add fd01::10/128 dev xtr0 nodad"), 0);
	for (unsigned i = 0; i < 4; i++) {
		unsigned udp = 14 + forms[i].outer + forms[i].inner, inner = udp + 8 + 8 + 14;
		char cmd[800];
		struct pkt got = {};
		struct ran r;

		snprintf(cmd, sizeof(cmd), "ip route replace %1$s dev xtr0; ip neigh replace %1$s lladdr 02:00:00:00:00:03 dev xtr0;"
			 "ip link add vx address 02:00:00:00:00:55 type vxlan id 9 local %2$s remote %1$s dstport 4789 udp6zerocsumtx;"
			 "sysctl -qw net.ipv6.conf.vx.disable_ipv6=1; ip link set vx up; ip addr add 172.31.0.1/24 dev vx;"
			 "ip neigh replace 172.31.0.2 lladdr 02:00:00:00:00:56 dev vx", forms[i].remote, forms[i].local);
		cr_assert_eq(system(cmd), 0);
		r = lab_count_start();
		cr_assert_eq(system("bash -c 'echo 1234567 >/dev/udp/172.31.0.2/9'"), 0);
		for (unsigned n = 0; n < 5; n++) {
			got = take_frame(wire, NULL, COMES);
			if (!got.len || (got.b[udp + 2] << 8 | got.b[udp + 3]) == 4789)
				break;
		}
		lab_count_end(&r);
		cr_expect_eq(got.len, inner + 28 + 8, "form %u: %u octets", i, got.len);
		cr_expect(!memcmp(got.b + inner + 28, "1234567\n", 8), "form %u: payload", i);
		cr_expect_eq(got.b[12], forms[i].outer == 36 ? 0x08 : 0x86, "form %u: outer type", i);
		cr_expect_eq(got.b[14 + forms[i].outer] >> 4, forms[i].inner == 20 ? 4 : 6, "form %u: inner version", i);
		cr_expect_eq(r.drops[XTR_DROP_ENCAP_ROOM], 0, "form %u: refused", i);
		cr_assert_eq(system("ip link del vx"), 0);
	}
}

Test(wire, xdp_port_to_underlay, .init = lab_init)
{
	struct pkt p = PKT(ETH(MAC_EID, MAC_HOST), IP4("10.1.0.10", "10.2.0.20", .ttl = 64), UDP(1, 2, .csum = true), DATA(9), PAD(5)), got;
	struct pkt want = PKT(ETH(MAC_NEXT, MAC_UNDER), IP4("192.0.2.1", "192.0.2.2", .ttl = 63), UDP(0, 4341), LISP(0, 0),
			      IP4("10.1.0.10", "10.2.0.20", .ttl = 63), UDP(1, 2, .csum = true), DATA(9));
	int host = open_port("eidx"), wire = open_port("underx");
	const __u32 modes[] = { XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE };

	/* frames redirected out of a veth need its other end to take XDP frames */
	cr_assert_eq(system("ethtool -K underx gro on"), 0);
	attach_xdp(lab.under, NULL, 0);
	for (unsigned i = 0; i < 2; i++) {
		struct ran r = lab_count_start();

		attach_xdp(lab.eid, lab.skel->progs.xtr_xdp_eid, modes[i]);
		put_frame(host, NULL, &p);
		got = take_frame(wire, NULL, COMES);
		lab_count_end(&r);
		take_entropy(&got, &want);
		expect_pkt(i ? "generic" : "native", &got, &want);
		expect_moved(&r, i ? "generic" : "native", 0, XTR_STAT_ENCAP, XTR_STAT_ENCAP_XDP);
	}
}
