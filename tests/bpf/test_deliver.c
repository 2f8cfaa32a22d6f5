/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where decapsulated packets end up, on real devices: the overlay device here, or one in the namespace of a tenant, and
 * nowhere else, whatever is detached. And the way back out of such a namespace.
 *
 *	wire --- underx [veth] under ( XDP | TC ) --+-> xtr0  [veth] xtr0p            instances 0 and 0xfffffe: here
 *	                                            +-> ten0p [veth] ten0             instance 5: the tenant's namespace
 *	                                                                10.1.0.10 fd01::10
 */
#include "bpf/wire_lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAC_TEN  5
#define MAC_TENP 6
#define WIRE ETH(MAC_UNDER, MAC_NEXT)
#define O4   IP4("192.0.2.2", "192.0.2.1")
#define O6   IP6("2001:db8::2", "2001:db8::1")
#define LU   UDP(0xc123, 4341)
#define L5   LISP(0x08000000, 5 << 8)
#define I4   IP4("10.2.0.20", "10.1.0.10")
#define I6   IP6("fd02::20", "fd01::10")
#define TAIL UDP(53, 5000, .csum = true), DATA(20)

static int home, far, ten, tenp;

static void shell(const char *cmd)
{
	cr_assert_eq(system(cmd), 0, "%s", cmd);
}

static void enter(int ns)
{
	cr_assert_eq(setns(ns, CLONE_NEWNET), 0, "setns: %s", strerror(errno));
}

static void shell_far(const char *cmd)
{
	enter(far);
	shell(cmd);
	enter(home);
}

/* A UDP socket for what the tenant's, or the host's, applications would get. */
static int app(int ns, int family)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(5000) };
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(5000) };
	int fd;

	enter(ns);
	fd = socket(family, SOCK_DGRAM, 0);
	inet_pton(AF_INET, "10.1.0.10", &a4.sin_addr);
	inet_pton(AF_INET6, "fd01::10", &a6.sin6_addr);
	cr_assert_eq(family == AF_INET ? bind(fd, (struct sockaddr *)&a4, sizeof(a4)) : bind(fd, (struct sockaddr *)&a6, sizeof(a6)), 0,
		     "bind: %s", strerror(errno));
	enter(home);
	return fd;
}

static ssize_t got(int fd, int ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	char buf[4000];

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	return recv(fd, buf, sizeof(buf), 0);
}

static void make_tenant(void)
{
	char cmd[200];

	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	far = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	shell("ip link set lo up; sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.router_solicitations=0 net.ipv4.conf.all.rp_filter=0");
	enter(home);
	shell("ip link add ten0 address 02:00:00:00:00:05 type veth peer name ten0p address 02:00:00:00:00:06;"
	      "ip link set ten0 addrgenmode none; ip link set ten0p addrgenmode none mtu 65535 up; ip link set xtr0p mtu 65535");
	tenp = if_nametoindex("ten0p");
	snprintf(cmd, sizeof(cmd), "ip link set ten0 netns /proc/%d/fd/%d", (int)getpid(), far);
	shell(cmd);
	shell_far("ip link set ten0 up; ip addr add 10.1.0.10/32 dev ten0; sysctl -qw net.ipv6.conf.ten0.disable_ipv6=0;"
		  "ip addr add fd01::10/128 dev ten0 nodad; ip route add default via 169.254.0.1 dev ten0 onlink;"
		  "ip -6 route add default via fe80::1 dev ten0 onlink;"
		  "for a in 169.254.0.1 fe80::1; do ip neigh add $a lladdr 02:4c:49:53:50:00 dev ten0; done;"
		  "ethtool -K ten0 tx-udp-segmentation off >/dev/null");
	enter(far);
	ten = open_port("ten0");
	enter(home);
	lab_iface(tenp, (struct xtr_iface){ .role = XTR_ROLE_PEER, .iid = IID_A, .slot = 5, .mac = MAC_BYTES(MAC_TENP) });
	/* its index is that of a device here: the worst that can be */
	lab_inst(IID_A, (struct xtr_inst){ .overlay = lab.xtr0, .flags = XTR_INST_F_ELSEWHERE | XTR_INST_F_APART, .peer = tenp,
					   .mac = MAC_BYTES(MAC_TEN) });
	/* and the tenant's addresses are the host's, too: everything invites the packet in */
	shell("sysctl -qw net.ipv6.conf.lo.disable_ipv6=0 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.under.rp_filter=0 net.ipv4.ip_forward=1;"
	      "ip addr add 10.1.0.10/32 dev lo; ip addr add fd01::10/128 dev lo nodad");
}

static void tenant_init_with(bool decap_l3)
{
	lab_init_with(decap_l3, true);
	make_tenant();
	attach_tc(lab.skel->progs.xtr_tc_underlay, lab.under, BPF_TC_INGRESS);
	attach_tc(lab.skel->progs.xtr_tc_encap, tenp, BPF_TC_INGRESS);
	attach_tc(lab.skel->progs.xtr_tc_inject, tenp, BPF_TC_EGRESS);
	attach_tc(lab.skel->progs.xtr_tc_inject, lab.peer, BPF_TC_EGRESS);
}
static void tenant_init(void)
{
	tenant_init_with(lab_kernel_has_decap_l3());
}
static void tenant_init_old(void)
{
	tenant_init_with(false);
}

static const struct layer forms[][9] = {
	{ WIRE, O4, LU, L5, I4, TAIL, {} }, { WIRE, O4, LU, L5, I6, TAIL, {} },
	{ WIRE, O6, LU, L5, I4, TAIL, {} }, { WIRE, O6, LU, L5, I6, TAIL, {} },
};

/* One of each form arrives in the tenant's namespace, at its application, and nowhere here. */
static void check_tenant(const char *what, int from, int mark)
{
	int here = open_port("xtr0");

	for (unsigned i = 0; i < 4; i++) {
		struct pkt p = pkt_build(forms[i]), out = pkt_build((struct layer[]){ ETH(MAC_TEN, MAC_NEXT), forms[i][4], TAIL, {} }), f;
		int there = app(far, i & 1 ? AF_INET6 : AF_INET), wrong = app(home, i & 1 ? AF_INET6 : AF_INET);
		struct ran r = lab_count_start();

		setsockopt(from, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
		put_frame(from, NULL, &p);
		f = take_frame(ten, NULL, COMES);
		lab_count_end(&r);
		expect_pkt(what, &f, &out);
		cr_expect_eq(got(there, COMES), 20, "%s, form %u: not at the application", what, i);
		cr_expect_eq(take_frame(here, NULL, 20).len, 0, "%s, form %u: on another instance's device", what, i);
		cr_expect(got(wrong, 20) < 0, "%s, form %u: the host took it", what, i);
		cr_expect_eq(r.stats[XTR_STAT_DECAP].packets, 1, "%s, form %u", what, i);
		cr_expect_eq(r.stats[XTR_STAT_SLOW].packets, (__u64)!!mark, "%s, form %u", what, i);
		cr_expect(!ran_dropped(&r), "%s, form %u: %s", what, i, ran_dropped(&r));
		close(there);
		close(wrong);
	}
	close(here);
}

static void check_all_ways(void)
{
	int wire = open_port("underx"), peer = open_port("xtr0p"), own = open_port("ten0p");

	attach_xdp(lab.under, NULL, 0);
	check_tenant("TC alone", wire, 0);
	attach_xdp(lab.under, lab.skel->progs.xtr_xdp_under, XDP_FLAGS_DRV_MODE);
	check_tenant("native XDP, TC finishes", wire, 0);
	attach_xdp(lab.under, lab.skel->progs.xtr_xdp_under, XDP_FLAGS_SKB_MODE);
	check_tenant("generic XDP, TC finishes", wire, 0);
	check_tenant("by the daemon, out of the first overlay device", peer, XTR_MARK_DECAP | lab.under);
	check_tenant("by the daemon, out of its own", own, XTR_MARK_DECAP | lab.under);
}

Test(deliver, into_another_namespace, .init = tenant_init)
{
	check_all_ways();
}

Test(deliver, into_another_namespace_without_the_flags_of_6_3, .init = tenant_init_old)
{
	check_all_ways();
}

/* Reassembled packets may be larger than any MTU here: the sender's site had more room than our overlay device. */
Test(deliver, from_the_daemon_larger_than_the_overlay_device, .init = tenant_init)
{
	int mark = XTR_MARK_DECAP | lab.under, peer = open_port("xtr0p"), here = open_port("xtr0");

	setsockopt(peer, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
	for (unsigned i = 0; i < 8; i++) {
		struct layer in[] = { WIRE, O4, LU, L5, I4, UDP(53, 5000, .csum = true), DATA(3000), {} };
		struct layer out[] = { ETH(MAC_TEN, MAC_NEXT), I4, UDP(53, 5000, .csum = true), DATA(3000), {} };
		struct pkt p, want, f;
		int there;

		if (i & 1)
			in[4] = out[1] = (struct layer)I6;
		if (i & 2)
			in[1] = (struct layer)O6;
		if (i & 4) { /* instance 0: here */
			in[3] = (struct layer)LISP(0, 0);
			out[0] = (struct layer)ETH(MAC_XTR0, MAC_NEXT);
		}
		p = pkt_build(in);
		want = pkt_build(out);
		there = app(i & 4 ? home : far, i & 1 ? AF_INET6 : AF_INET);
		put_frame(peer, NULL, &p);
		f = take_frame(i & 4 ? here : ten, NULL, COMES);
		expect_pkt("3000 octets", &f, &want);
		if (!(i & 4))
			cr_expect_eq(got(there, COMES), 3000, "form %u", i);
		close(there);
	}
}

/* A control message in fragments goes to the daemon, as from the port where it came in. */
Test(deliver, control_message_from_the_daemon_itself, .init = lab_init)
{
	struct pkt p = PKT(WIRE, O4, LU, LISP(0x08000000, 0xffffff00), IP4("192.0.2.2", "224.0.0.21"), UDP(4342, 4342), DATA(60));
	struct ran r;
	struct seen s;

	r = lab_run(H_SLOW, &p, NULL);
	expect_moved(&r, "a stranger's", XTR_DROP_DECAP_CONTROL);
	lab_ctlsrc("192.0.2.2/32");
	r = lab_run(H_SLOW, &p, NULL);
	cr_expect_eq(r.ret, TC_REDIRECT); /* taken */
	expect_moved(&r, "a member's", 0, XTR_STAT_CONTROL, XTR_STAT_SLOW);
	s = lab_events();
	cr_expect_eq(s.n, 1);
	cr_expect_eq(s.ev.type, XTR_EV_CONTROL);
	cr_expect_eq(s.ev.ifindex, (__u32)lab.under, "event of interface %u", s.ev.ifindex);
	expect_pkt("the frame as it is", &s.frame, &p);
}

Test(deliver, a_peer_end_that_is_gone_is_a_counted_drop, .init = tenant_init)
{
	struct pkt p = pkt_build(forms[0]);
	int wire = open_port("underx");
	const enum hook at[] = { H_TC_UNDER, H_SLOW };
	struct ran r;

	lab_iface(tenp, (struct xtr_iface){ .role = XTR_ROLE_NONE });
	for (unsigned i = 0; i < 2; i++) {
		r = lab_run(at[i], &p, NULL);
		cr_expect_eq(r.ret, TC_SHOT);
		expect_moved(&r, hook_name[at[i]], XTR_DROP_OVERLAY_GONE);
	}
	attach_xdp(lab.under, lab.skel->progs.xtr_xdp_under, XDP_FLAGS_DRV_MODE);
	r = lab_count_start();
	put_frame(wire, NULL, &p);
	cr_expect_eq(take_frame(ten, NULL, NOTHING).len, 0);
	lab_count_end(&r);
	cr_expect_eq(r.drops[XTR_DROP_OVERLAY_GONE], 1);
	cr_expect_eq(r.stats[XTR_STAT_DECAP_XDP].packets, 1);
}

/* The device of an instance is not elsewhere any more, or never was: the kernel refuses, and nothing is delivered at all. */
Test(deliver, a_map_that_is_wrong_about_the_namespace_delivers_nothing, .init = tenant_init)
{
	struct pkt p = pkt_build(forms[0]);
	int wire = open_port("underx"), here = open_port("xtr0"), a = app(home, AF_INET);

	attach_xdp(lab.under, NULL, 0);
	lab_inst(IID_A, (struct xtr_inst){ .overlay = lab.xtr0, .flags = XTR_INST_F_ELSEWHERE, .peer = lab.peer, .mac = MAC_BYTES(MAC_XTR0) });
	put_frame(wire, NULL, &p);
	cr_expect_eq(take_frame(here, NULL, NOTHING).len, 0);
	cr_expect_eq(take_frame(ten, NULL, 20).len, 0);
	cr_expect(got(a, 20) < 0);
}

/* The next frame that carries UDP to port 5000: a device with addresses has chatter of its own. */
static bool took_ours(int fd, int ms)
{
	for (int n = 0; n < 20; n++) {
		struct pkt f = take_frame(fd, NULL, ms);
		unsigned l4 = f.b[12] == 0x08 ? 34 : 54;

		if (!f.len)
			return false;
		if (f.len > l4 + 4 && (f.b[l4 + 2] << 8 | f.b[l4 + 3]) == 5000)
			return true;
	}
	return false;
}

/* ---- fail closed: one program less, and nothing goes astray */

static void expect_nowhere(const char *what, int wire, int neighbour)
{
	int here = open_port("xtr0");

	for (unsigned i = 0; i < 4; i++) {
		struct pkt p = pkt_build(forms[i]);
		int there = app(far, i & 1 ? AF_INET6 : AF_INET), wrong = app(home, i & 1 ? AF_INET6 : AF_INET);

		put_frame(wire, NULL, &p);
		cr_expect_eq(take_frame(ten, NULL, 60).len, 0, "%s, form %u: reached the tenant without a program", what, i);
		cr_expect_eq(take_frame(here, NULL, 10).len, 0, "%s, form %u: reached another instance", what, i);
		cr_expect(!took_ours(neighbour, 10), "%s, form %u: was forwarded", what, i);
		cr_expect(got(wrong, 10) < 0, "%s, form %u: reached the host", what, i);
		cr_expect(got(there, 10) < 0, "%s, form %u", what, i);
		close(there);
		close(wrong);
	}
	close(here);
}

Test(deliver, without_tc_on_the_underlay_what_xdp_decapsulated_dies, .init = tenant_init)
{
	const __u32 modes[] = { XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE };
	int wire = open_port("underx"), neighbour = open_port("eidx");
	struct pkt native;
	struct ran r;

	/* were it not for the MAC, the host would even forward it */
	shell("tc qdisc del dev under clsact; ip addr del 10.1.0.10/32 dev lo; ip addr del fd01::10/128 dev lo; ip route add 10.1.0.0/16 dev eid;"
	      "sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv6.conf.under.disable_ipv6=0 net.ipv6.conf.eid.disable_ipv6=0;"
	      "ip -6 route add fd01::/64 dev eid; ip neigh add 10.1.0.10 lladdr 02:00:00:00:00:40 dev eid;"
	      "ip neigh add fd01::10 lladdr 02:00:00:00:00:40 dev eid; sysctl -qw net.ipv4.ip_nonlocal_bind=1 net.ipv6.ip_nonlocal_bind=1");
	for (unsigned i = 0; i < 2; i++) {
		attach_xdp(lab.under, lab.skel->progs.xtr_xdp_under, modes[i]);
		r = lab_count_start();
		expect_nowhere(i ? "generic XDP" : "native XDP", wire, neighbour);
		lab_count_end(&r);
		cr_expect_eq(r.stats[XTR_STAT_DECAP_XDP].packets, 4);
	}
	/* and the same packet to the port's own MAC is forwarded, so the above proves something */
	native = PKT(WIRE, I4, TAIL);
	put_frame(wire, NULL, &native);
	cr_expect(took_ours(neighbour, COMES), "not forwarded");
}

Test(deliver, without_our_program_at_its_peer_end_nothing_leaves_a_tenant, .init = tenant_init)
{
	int s, wire = open_port("underx"), neighbour = open_port("eidx"), a = app(home, AF_INET);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(5000) };

	shell("tc qdisc del dev ten0p clsact; ip route add 10.2.0.0/16 dev eid; ip neigh add 10.2.0.20 lladdr 02:00:00:00:00:40 dev eid;"
	      "ip addr add 10.1.0.11/32 dev lo");
	enter(far);
	s = socket(AF_INET, SOCK_DGRAM, 0);
	enter(home);
	inet_pton(AF_INET, "10.2.0.20", &to.sin_addr); /* the host would forward it */
	cr_expect_eq(sendto(s, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	inet_pton(AF_INET, "10.1.0.11", &to.sin_addr); /* the host itself */
	cr_expect_eq(sendto(s, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	cr_expect(!took_ours(neighbour, NOTHING), "forwarded by the host");
	cr_expect_eq(take_frame(wire, NULL, 20).len, 0);
	cr_expect(got(a, 20) < 0, "taken by the host");
	attach_tc(lab.skel->progs.xtr_tc_encap, tenp, BPF_TC_INGRESS);
	inet_pton(AF_INET, "10.2.0.20", &to.sin_addr);
	cr_expect_eq(sendto(s, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	cr_expect_eq(take_frame(wire, NULL, COMES).len, 14 + 36 + 28 + 1, "with the program it is encapsulated");
}

/* ---- the way out of a tenant's namespace */

Test(deliver, out_of_another_namespace_by_the_peer_end, .init = tenant_init)
{
	struct pkt p = PKT(ETH(0x99, MAC_TEN), IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2, .csum = true), DATA(30)), f;
	struct pkt want = PKT(ETH(MAC_NEXT, MAC_UNDER), IP4("192.0.2.1", "192.0.2.2"), UDP(0, 4341), L5,
			      IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2, .csum = true), DATA(30));
	struct pkt miss = PKT(ETH(0x99, MAC_TEN), IP4("10.1.0.10", "10.99.0.1"), UDP(1, 2, .csum = true), DATA(30));
	int wire = open_port("underx"), own = open_port("ten0p"), mark = tenp;
	struct ran r;
	struct seen s;

	attach_xdp(lab.under, NULL, 0);
	r = lab_count_start();
	put_frame(ten, NULL, &p);
	f = take_frame(wire, NULL, COMES);
	lab_count_end(&r);
	take_entropy(&f, &want);
	expect_pkt("encapsulated", &f, &want);
	expect_moved(&r, "encapsulated", 0, XTR_STAT_ENCAP);
	/* a miss: captured at the peer end, and injected with its index as mark */
	put_frame(ten, NULL, &miss);
	usleep(100000);
	s = lab_events();
	cr_expect_eq(s.n, 1);
	cr_expect(s.ev.type == XTR_EV_MISS && s.ev.ifindex == (__u32)tenp && s.ev.iid == IID_A, "event of %u, instance %u", s.ev.ifindex, s.ev.iid);
	expect_pkt("captured", &s.frame, &miss);
	setsockopt(own, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
	put_frame(own, NULL, &p);
	f = take_frame(wire, NULL, COMES);
	take_entropy(&f, &want);
	expect_pkt("injected", &f, &want);
	/* a tenant's packet is not for the underlay */
	lab_eid(IID_A, "10.98.0.0/16", (struct xtr_eid){ .action = XTR_ACT_NATIVE });
	miss = PKT(ETH(0x99, MAC_TEN), IP4("10.1.0.10", "10.98.0.1"), UDP(1, 2, .csum = true), DATA(30));
	r = lab_count_start();
	put_frame(ten, NULL, &miss);
	cr_expect_eq(take_frame(wire, NULL, NOTHING).len, 0);
	lab_count_end(&r);
	r.drops[XTR_DROP_ENCAP_SCOPE] = 0; /* what the tenant's stack says of its own accord: it joins groups */
	expect_moved(&r, "natively forward", XTR_DROP_NATIVE_NO_ROUTE);
}

/* What its applications send with segmentation left to the device: TCP stays whole, UDP comes as segments. */
Test(deliver, segmentation_offload_in_another_namespace, .init = tenant_init)
{
	struct pkt p = PKT(ETH(0x99, MAC_TEN), IP4("10.1.0.10", "10.2.0.20"), TCP(1, 2, .partial = true), DATA(3000)), f;
	struct pkt want = PKT(ETH(MAC_NEXT, MAC_UNDER), IP4("192.0.2.1", "192.0.2.2"), UDP(0, 4341), L5,
			      IP4("10.1.0.10", "10.2.0.20"), TCP(1, 2, .partial = true), DATA(3000));
	struct virtio_net_hdr v = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1000,
				    .hdr_len = 54, .csum_start = 34, .csum_offset = 16 };
	int wire = open_port("underx");

	attach_xdp(lab.under, NULL, 0);
	put_frame(ten, &v, &p);
	f = take_frame(wire, &v, COMES);
	take_entropy(&f, &want);
	expect_pkt("TCP", &f, &want);
	cr_expect_eq(v.gso_size, 1000);
	p = PKT(ETH(0x99, MAC_TEN), IP4("10.1.0.10", "10.2.0.20"), UDP(1, 2, .partial = true), DATA(2500));
	v = (struct virtio_net_hdr){ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = 5 /* UDP_L4 */, .gso_size = 1000,
				     .hdr_len = 42, .csum_start = 34, .csum_offset = 6 };
	if (write_frame(ten, &v, &p) < 0 && errno == EINVAL)
		cr_skip_test("this kernel's packet sockets have no UDP segmentation (6.2)");
	for (unsigned i = 0; i < 3; i++) {
		f = take_frame(wire, NULL, COMES);
		cr_expect_eq(f.len, 14 + 36 + 28 + (i < 2 ? 1000 : 500), "segment %u has %u octets", i, f.len);
	}
	cr_expect_eq(take_frame(wire, NULL, NOTHING).len, 0);
}
