// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Instances that share one host do not meet in its stack, on the real kernel. Besides the laboratory of dp_lab.h there are hosts in
 * namespaces of their own, and two instances:
 *
 *   p5 10.5.0.10 -- e5 10.5.0.254  instance 5, xtr5        p6 10.6.0.10 -- e6 10.6.0.254  instance 6, xtr6
 *   tenant       -- xtr6 is there instead, its peer end with us
 */
#include "dp_lab.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

static struct xtr_ippfx route_of[2][1];

static void setup(void)
{
	dp_setup();
	sh("mkdir -p /run/netns");
	cr_assert_eq(mount("tmpfs", "/run/netns", "tmpfs", 0, "mode=755"), 0);
	sh("sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0");
	for (int i = 5; i <= 6; i++) {
		sh("ip netns add p%d; ip link add e%d type veth peer name eth0 netns p%d; ip -n p%d link set lo up", i, i, i, i);
		sh("ip link set e%d up; ip addr add 10.%d.0.254/24 dev e%d; ip -n p%d link set eth0 up", i, i, i, i);
		sh("ip -n p%d addr add 10.%d.0.10/24 dev eth0; ip -n p%d route add default via 10.%d.0.254", i, i, i, i);
	}
	sh("ip netns add tenant; ip -n tenant link set lo up");
}

static void teardown(void)
{
	if (system("ip netns del p5; ip netns del p6; ip netns del tenant"))
		cr_log_info("already gone");
	umount2("/run/netns", MNT_DETACH);
	dp_teardown();
}

TestSuite(dp_cross, .init = setup, .fini = teardown);

static void config_two(void)
{
	config(XTR_MODE_TC);
	for (int i = 0; i < 2; i++) {
		char at[16];

		ports[1 + i] = (struct xtr_dp_port){ .role = XTR_ROLE_EID, .mode = XTR_MODE_TC, .untagged = true, .iid = 5u + i };
		snprintf(ports[1 + i].name, sizeof(ports[1 + i].name), "e%d", 5 + i);
		overlay[i] = (struct xtr_dp_overlay){ .iid = 5u + i, .routes = route_of[i], .route_count = 1 };
		snprintf(overlay[i].name, sizeof(overlay[i].name), "xtr%d", 5 + i);
		route_of[i][0] = pfx(i ? "10.3.0.0/16" : "10.2.0.0/16");
		snprintf(at, sizeof(at), "10.%d.0.0/24", 5 + i);
		locals[i] = (struct xtr_dp_local){ .iid = 5u + i, .eid = pfx(at) };
	}
	cfg.port_count = 3;
	cfg.overlay_count = 2;
}

static unsigned number(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static unsigned number(const char *fmt, ...)
{
	char cmd[512], *out;
	unsigned n;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	out = capture(cmd);
	n = (unsigned)atoi(out);
	free(out);
	return n;
}

/* A counter of the stack there ("": here). */
static unsigned stack_of(const char *ns, const char *what)
{
	return number("%s%s nstat -asz %s | awk 'END { print $2 }'", *ns ? "ip netns exec " : "", ns, what);
}

/* What a child does in that namespace. */
static void in_ns(const char *ns, void (*fn)(void *), void *arg)
{
	char path[64];
	pid_t pid;
	int st;

	snprintf(path, sizeof(path), "/run/netns/%s", ns);
	pid = fork();
	if (!pid) {
		int fd = open(path, O_RDONLY);

		if (fd < 0 || setns(fd, CLONE_NEWNET))
			_exit(1);
		fn(arg);
		_exit(0);
	}
	cr_assert_eq(waitpid(pid, &st, 0), pid);
	cr_assert_eq(st, 0, "in namespace %s", ns);
}

/* 10 datagrams of 100 octets in one super-packet, to port 9 of an address. */
static void send_super(void *to)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), seg = 100;
	char data[1000] = "";

	if (inet_pton(AF_INET, to, &a.sin_addr) != 1 || setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &seg, sizeof(seg)))
		_exit(2);
	if (sendto(fd, data, sizeof(data), 0, (void *)&a, sizeof(a)) != sizeof(data))
		_exit(3);
	close(fd);
}

static void supers(const char *ns, const char *to)
{
	char addr[32];

	snprintf(addr, sizeof(addr), "%s", to);
	in_ns(ns, send_super, addr);
}

static void ping(const char *ns, const char *opt, const char *to)
{
	char *out, cmd[256];

	snprintf(cmd, sizeof(cmd), "ip netns exec %s ping -q -c 3 -i 0.05 -W 0.3 %s %s 2>&1", ns, opt, to);
	out = capture(cmd);
	free(out);
}

/* ---- from port to port */

static void expect_apart(struct xtr_dp *dp)
{
	struct xtr_dp_mapping native = { .action = XTR_ACT_NATIVE };
	struct xtr_ippfx eid = pfx("10.6.0.0/16"), back = pfx("10.5.0.0/16");

	/* a source that is never tunnelled */
	sh("ip -n p5 addr add 169.254.7.7/32 dev eth0");
	ping("p5", "-I 169.254.7.7", "10.6.0.10");
	cr_expect_eq(stack_of("p6", "IcmpInEchos"), 0, "link-local source");
	look();
	cr_expect_eq(found.drops[XTR_DROP_ENCAP_CROSS], 3);
	/* natively, both ways */
	cr_assert_eq(xtr_dp_cache_put(dp, 5, &eid, &native, now_ms()), 0);
	cr_assert_eq(xtr_dp_cache_put(dp, 6, &back, &native, now_ms()), 0);
	ping("p5", "", "10.6.0.10");
	cr_expect_eq(stack_of("p6", "IcmpInEchos"), 0, "natively");
	supers("p5", "10.6.0.10");
	cr_expect_eq(stack_of("p6", "UdpNoPorts"), 0, "a super-packet natively");
	look();
	cr_expect_eq(found.drops[XTR_DROP_ENCAP_CROSS], 7);
	/* what is its own, and what the host itself sends, goes on */
	ping("p5", "", "10.5.0.254");
	cr_expect_eq(stack_of("p5", "IcmpInEchoReps"), 3);
	sh("ping -q -c 1 -W 1 10.6.0.10 >/dev/null && ping -q -c 1 -W 1 10.5.0.10 >/dev/null");
	look();
	cr_expect_eq(found.drops[XTR_DROP_ENCAP_CROSS], 7);
}

Test(dp_cross, what_a_port_leaves_to_the_stack_does_not_reach_the_port_of_another_instance)
{
	char *before = snapshot(), *after;
	struct xtr_dp *dp;

	config_two();
	dp = open_dp();
	expect_apart(dp);
	xtr_dp_close(dp);
	cr_expect_eq(number("ls %s/xtr/v*/ | grep -c link_xtr_tc_guard_", bpffs), 2, "pinned, and works without xtrd");
	dp = open_dp();
	cr_expect_eq(number("ls %s/xtr/v*/ | grep -c link_xtr_tc_guard_", bpffs), 2, "taken over");
	/* nobody to meet any more */
	cfg.port_count = 2;
	cfg.overlay_count = 1;
	cfg.local_count = 1;
	cr_assert_eq(xtr_dp_reconfigure(dp, &cfg, &(struct xtr_err){ "" }), 0);
	cr_expect_eq(number("ls %s/xtr/v*/ | grep -c link_xtr_tc_guard_", bpffs), 0, "one instance pays nothing");
	xtr_dp_close(dp);
	detach();
	after = snapshot();
	expect_same(before, after);
	free(before);
	free(after);
}

Test(dp_cross, the_same_with_clsact)
{
	char *before = snapshot(), *after;
	struct xtr_dp *dp;

	xtr_dp_no_tcx = true;
	config_two();
	dp = open_dp();
	expect_apart(dp);
	cr_expect_eq(number("tc filter show dev e5 egress | grep -c xtr_tc_guard"), 1);
	cfg.port_count = 2;
	cfg.overlay_count = 1;
	cfg.local_count = 1;
	cr_assert_eq(xtr_dp_reconfigure(dp, &cfg, &(struct xtr_err){ "" }), 0);
	cr_expect_eq(number("tc filter show dev e5 egress | grep -c xtr_tc_guard"), 0);
	cr_expect_eq(number("tc filter show dev e5 ingress | grep -c xtr_tc_encap"), 1);
	xtr_dp_close(dp);
	detach();
	after = snapshot();
	expect_same(before, after);
	free(before);
	free(after);
}

/* What a bridge switches is not routed by this host: ports of several instances may be in one. */
Test(dp_cross, a_bridge_goes_on_switching)
{
	struct xtr_dp *dp;

	sh("ip link add br9 type bridge mcast_snooping 0 && ip link set e5 master br9 && ip link set e6 master br9 && ip link set br9 up");
	sh("ip -n p5 addr add 10.9.0.5/24 dev eth0; ip -n p6 addr add 10.9.0.6/24 dev eth0");
	config_two();
	dp = open_dp();
	for (int i = 0; i < 100 && system("ip netns exec p5 ping -q -c 1 -W 1 10.9.0.6 >/dev/null"); i++)
		serve(dp, 50);
	sh("ip netns exec p5 ping -q -c 1 -W 1 10.9.0.6 >/dev/null");
	look();
	cr_expect_eq(found.drops[XTR_DROP_ENCAP_CROSS], 0);
	xtr_dp_close(dp);
	detach();
}

/* ---- UDP super-packets of a port: by the overlay device of its instance, wherever the host's routes lead */

Test(dp_cross, super_packets_go_by_the_own_instance)
{
	struct xtr_dp_mapping m = mapping("192.0.2.2", 1, NULL, 0);
	struct xtr_ippfx eid = pfx("10.6.0.0/16");
	struct xtr_dp *dp;

	config_two();
	dp = open_dp();
	serve(dp, 100);
	supers("p5", "10.6.0.10");
	serve(dp, 200);
	cr_expect_eq(stack_of("p6", "UdpNoPorts"), 0, "not in the other instance");
	look();
	cr_expect_eq(found.stats[XTR_STAT_MISS].packets, 10, "each datagram by itself");
	cr_expect_eq(found.stats[XTR_STAT_GSO_PEER].packets, 2, "at the port, and at the overlay device");
	cr_assert_eq(xtr_dp_cache_put(dp, 5, &eid, &m, now_ms()), 0);
	serve(dp, 200);
	supers("p5", "10.6.0.10");
	look();
	cr_expect_eq(found.stats[XTR_STAT_ENCAP].packets - found.stats[XTR_STAT_INJECT].packets, 10);
	cr_expect_eq(found.stats[XTR_STAT_GSO_PEER].packets, 4);
	/* to this host, and at home: the stack's */
	supers("p5", "10.5.0.254");
	cr_expect_geq(stack_of("", "UdpNoPorts"), 1, "to this host");
	xtr_dp_close(dp);
	detach();
}

/* ---- tags of a tenant */


struct tagged {
	const char *name;
	unsigned char mac[6];
	unsigned len, tag[4]; /* type and TCI of each */
};

/* A UDP datagram from the tenant to port 9 of the underlay address of this host, to the MAC address of the peer end, with tags. */
static void send_tagged(void *arg)
{
	static const unsigned char packet[] = { 0x45, 0, 0, 30, 0, 0, 0, 0, 64, 17, 0xae, 0xc7, 10, 6, 0, 1, 192, 0, 2, 1,
						0, 9, 0, 9, 0, 10, 0, 0, 1, 2 };
	const struct tagged *t = arg;
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex("xtr6") };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	unsigned char f[96] = "", *at = f + 12;

	memcpy(f, t->mac, 6);
	for (unsigned i = 0; i < t->len; i++) {
		*at++ = (unsigned char)(t->tag[i] >> 8);
		*at++ = (unsigned char)t->tag[i];
	}
	*at++ = ETH_P_IP >> 8;
	*at++ = ETH_P_IP & 0xff;
	memcpy(at, packet, sizeof(packet));
	if (fd < 0 || bind(fd, (void *)&a, sizeof(a)) || send(fd, f, (size_t)(at - f) + sizeof(packet), 0) < 0)
		_exit(1);
	close(fd);
}

/* The stack takes a priority tag off and goes on as if it had never been: a tenant must not get into the stack of the host with one. */
Test(dp_cross, no_tag_leads_a_tenant_into_the_stack_of_the_host)
{
	struct tagged all[] = {
		{ .name = "a priority tag", .len = 2, .tag = { 0x8100, 0 } },
		{ .name = "a priority tag with priority", .len = 2, .tag = { 0x8100, 0xe000 } },
		{ .name = "802.1ad, VLAN 0", .len = 2, .tag = { 0x88a8, 0 } },
		{ .name = "two priority tags", .len = 4, .tag = { 0x8100, 0, 0x8100, 0 } },
		{ .name = "802.1ad and a priority tag", .len = 4, .tag = { 0x88a8, 0, 0x8100, 0 } },
		{ .name = "a priority tag and a VLAN", .len = 4, .tag = { 0x8100, 0, 0x8100, 7 } },
		{ .name = "VLAN 7", .len = 2, .tag = { 0x8100, 7 } },
		{ .name = "VLAN 4095", .len = 2, .tag = { 0x8100, 4095 } },
		{ .name = "802.1ad, VLAN 7", .len = 2, .tag = { 0x88a8, 7 } },
	};
	struct xtr_dp *dp;

	config_two();
	ports[2].name[0] = '\0';
	cfg.port_count = 2;
	overlay[1].netns = "tenant";
	dp = open_dp();
	serve(dp, 100);
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		unsigned before = stack_of("", "IpInReceives");
		uint64_t dropped;
		char *mac = capture("ip link show xtr6p | awk '/ether/ { print $2 }'");

		look();
		dropped = found.drops[XTR_DROP_ENCAP_SCOPE];
		cr_assert_eq(sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &all[i].mac[0], &all[i].mac[1], &all[i].mac[2], &all[i].mac[3],
				    &all[i].mac[4], &all[i].mac[5]), 6);
		free(mac);
		in_ns("tenant", send_tagged, &all[i]);
		for (int turn = 0; turn < 40; turn++) {
			look();
			if (found.drops[XTR_DROP_ENCAP_SCOPE] != dropped)
				break;
			usleep(25000);
		}
		cr_expect_gt(found.drops[XTR_DROP_ENCAP_SCOPE], dropped, "%s: not counted", all[i].name);
		cr_expect_eq(stack_of("", "IpInReceives"), before, "%s: came in", all[i].name);
	}
	xtr_dp_close(dp);
	detach();
}
