// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Life of the data plane on the real kernel: what it makes, keeps true, hands over to the next
 * daemon, and removes.
 */
#include "dp_lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(dp_live, .init = dp_setup, .fini = dp_teardown);

static void leaves_nothing(uint8_t mode)
{
	char *before = snapshot(), *after;
	struct xtr_dp_mapping m = mapping("192.0.2.2", 1, "2001:db8::2", 1);
	struct xtr_dp *dp;

	config(mode);
	dp = open_dp();
	cr_expect_eq(put(dp, "10.2.0.0/24", &m), 0);
	cr_expect_eq(put(dp, "fd02::/64", &m), 0);
	serve(dp, 100);
	xtr_dp_close(dp);
	dp = open_dp();
	cr_expect_eq(seen.adopt, 2);
	xtr_dp_close(dp);
	detach();
	detach(); /* safe to repeat */
	after = snapshot();
	expect_same(before, after);
	free(before);
	free(after);
}

Test(dp_live, detach_leaves_nothing_tc) { leaves_nothing(XTR_MODE_TC); }
Test(dp_live, detach_leaves_nothing_auto) { leaves_nothing(XTR_MODE_AUTO); }
Test(dp_live, detach_leaves_nothing_xdp) { leaves_nothing(XTR_MODE_XDP); }
Test(dp_live, detach_leaves_nothing_xdp_generic) { leaves_nothing(XTR_MODE_XDP_GENERIC); }
Test(dp_live, detach_leaves_nothing_clsact)
{
	xtr_dp_no_tcx = true;
	leaves_nothing(XTR_MODE_TC);
}

/* ---- life */

Test(dp_live, second_open_is_refused_while_the_first_runs)
{
	struct xtr_err err = { "" };
	struct xtr_dp *dp, *second = NULL;

	config(XTR_MODE_AUTO);
	dp = open_dp();
	cr_expect_eq(xtr_dp_open(&cfg, &cb, &second, &err), -EBUSY);
	cr_expect(strstr(err.text, "another xtrd"), "%s", err.text);
	cr_expect_eq(xtr_dp_detach(bpffs, false, NULL, NULL, &err), -EBUSY);
	cr_expect(strstr(err.text, "running xtrd"), "%s", err.text);
	cr_expect_eq(xtr_dp_detach(bpffs, true, NULL, NULL, &err), 0, "%s", err.text);
	serve(dp, 300);
	cr_expect_eq(if_nametoindex("xtr0"), 0, "what was removed by force is not made again");
	cr_expect_eq(xtr_dp_reconfigure(dp, &cfg, &err), -ESTALE);
	xtr_dp_close(dp);
}

Test(dp_live, failed_start_leaves_nothing)
{
	struct xtr_err err = { "" };
	struct xtr_dp *dp = NULL;
	char *before, *after;

	config(XTR_MODE_AUTO);
	sh("ip link add xtr0 type veth peer name other; ip link set xtr0 up");
	before = snapshot();
	cr_expect_eq(xtr_dp_open(&cfg, &cb, &dp, &err), -EEXIST);
	cr_expect(strstr(err.text, "xtr0") && strstr(err.text, "not ours"), "%s", err.text);
	after = snapshot();
	expect_same(before, after);
	snprintf(ports[0].name, sizeof(ports[0].name), "nosuch0");
	cr_expect_eq(xtr_dp_open(&cfg, &cb, &dp, &err), -ENODEV);
	cr_expect(strstr(err.text, "nosuch0"), "%s", err.text);
	free(after);
	after = snapshot();
	expect_same(before, after);
	free(before);
	free(after);
}

Test(dp_live, programs_know_own_prefixes_addresses_and_ports)
{
	const struct xtr_dp_iface_row *f;
	struct xtr_dp *dp;

	config(XTR_MODE_AUTO);
	dp = open_dp();
	cr_expect_eq(seen.up, 2);
	look();
	cr_assert(local_row("10.1.0.0/24"));
	cr_expect_eq(local_row("10.1.0.0/24")->l.flags, XTR_LOCAL_F_EID);
	cr_expect_eq(local_row("10.1.0.0/24")->l.map_version, 7);
	/* an address of a port inside the EID-prefix must not hide it */
	cr_assert(local_row("10.1.0.254/32"));
	cr_expect_eq(local_row("10.1.0.254/32")->l.flags, XTR_LOCAL_F_EID | XTR_LOCAL_F_SELF);
	cr_expect_eq(local_row("10.1.0.254/32")->l.map_version, 7);
	cr_assert(local_row("fd01::1/128"));
	cr_expect_eq(local_row("fd01::1/128")->l.flags, XTR_LOCAL_F_EID | XTR_LOCAL_F_SELF);
	cr_assert(local_row("192.0.2.1/32"));
	cr_expect_eq(local_row("192.0.2.1/32")->l.flags, XTR_LOCAL_F_SELF);
	cr_expect_not(local_row("127.0.0.1/32"));
	cr_expect_eq(found.ifaces, 4);
	f = iface_row("u0");
	cr_assert(f);
	cr_expect(f->i.role == XTR_ROLE_UNDERLAY && f->i.mode == XTR_MODE_TC && f->tc && !f->xdp);
	cr_expect_str_eq(f->tc_kind, "tcx");
	f = iface_row("xtr0");
	cr_assert(f && iface_row("xtr0p"));
	cr_expect(f->i.role == XTR_ROLE_OVERLAY && f->i.peer == iface_row("xtr0p")->ifindex);
	cr_expect_eq(f->i.mtu, 1500 - 56); /* there is an IPv6 RLOC */
	cr_expect_eq(iface_row("h0")->i.flags, XTR_IF_F_ROUTER_HOP | XTR_IF_F_CSUM_PARTIAL);
	xtr_dp_close(dp);
	detach();
}

Test(dp_live, xdp_is_attached_with_tc_behind_it)
{
	struct xtr_err err = { "" };
	struct xtr_dp *dp;

	config(XTR_MODE_XDP);
	dp = open_dp();
	look();
	cr_expect(iface_row("u0")->xdp && iface_row("u0")->tc && iface_row("h0")->xdp &&
		  iface_row("h0")->tc);
	cr_expect_eq(iface_row("u0")->i.mode, XTR_MODE_XDP);
	cr_expect_not(iface_row("u0")->i.flags & XTR_IF_F_XDP_TX,
		      "u1 has neither GRO nor XDP, so it takes no XDP redirects");
	ports[0].mode = ports[1].mode = XTR_MODE_XDP_GENERIC;
	cr_expect_eq(xtr_dp_reconfigure(dp, &cfg, &err), 0, "%s", err.text);
	look();
	cr_expect(iface_row("u0")->xdp && iface_row("u0")->i.mode == XTR_MODE_XDP_GENERIC);
	cr_expect(iface_row("u0")->i.flags & XTR_IF_F_XDP_TX,
		  "generic XDP redirects out of anything");
	ports[0].mode = ports[1].mode = XTR_MODE_TC;
	cr_expect_eq(xtr_dp_reconfigure(dp, &cfg, &err), 0, "%s", err.text);
	look();
	cr_expect(!iface_row("u0")->xdp && iface_row("u0")->tc && !iface_row("h0")->xdp &&
		  iface_row("h0")->tc);
	xtr_dp_close(dp);
	detach();
}

static void bridged_is(const char *what, bool xdp)
{
	look();
	cr_expect_eq(iface_row("u0")->xdp, xdp, "%s", what);
	cr_expect_eq(iface_row("u0")->i.mode, xdp ? ports[0].mode : XTR_MODE_TC, "%s", what);
	cr_expect_eq(!!(iface_row("u0")->i.flags & XTR_IF_F_FALLBACK), !xdp, "%s", what);
	cr_expect_eq(iface_row("u0")->i.why, xdp ? XTR_WHY_NONE : XTR_WHY_BRIDGE, "%s", what);
	cr_expect(iface_row("u0")->tc && iface_row("h0")->xdp, "%s", what);
}

/* Though it was asked for: the bridge would flood what XDP has decapsulated, if our TC program went. */
Test(dp_live, no_xdp_on_an_underlay_port_of_a_bridge)
{
	static const uint8_t modes[] = { XTR_MODE_XDP, XTR_MODE_XDP_GENERIC };
	struct xtr_err err = { "" };
	struct xtr_dp *dp;

	config(XTR_MODE_XDP);
	sh("ip link add br9 type bridge; ip link set br9 up; ip link set u0 master br9; ip addr add 192.0.2.1/24 dev br9");
	dp = open_dp();
	for (unsigned i = 0; i < 2; i++) {
		ports[0].mode = ports[1].mode = modes[i];
		cr_expect_eq(xtr_dp_reconfigure(dp, &cfg, &err), 0, "%s", err.text);
		sh("ip link set u0 master br9");
		serve(dp, 300);
		bridged_is("port of a bridge", false);
		for (unsigned j = 0; j < dp->if_count; j++) /* as when all ports are looked at again, before they are attached */
			dp->ifs[j].mode = dp->ifs[j].planned;
		cr_expect_eq(xtr_dp_ifaces(dp, false, &err), 0);
		bridged_is("what is planned is not shown as what is", false);
		sh("ip link set u0 nomaster");
		serve(dp, 300);
		bridged_is("no more", true);
	}
	xtr_dp_close(dp);
	detach();
}

/* A bond has no other way for a frame that is nobody's; what is above it may have. */
Test(dp_live, no_xdp_below_a_bond_in_a_bridge)
{
	struct xtr_dp *dp;

	config(XTR_MODE_XDP_GENERIC);
	if (system("ip link add bond9 type bond mode active-backup 2>/dev/null"))
		cr_skip_test("this kernel has no bonds");
	sh("ip link set bond9 up; ip link set u0 down; ip link set u0 master bond9; ip link set u0 up; ip addr add 192.0.2.1/24 dev bond9; "
	   "ip link add br9 type bridge; ip link set br9 up");
	dp = open_dp();
	serve(dp, 300);
	bridged_is("in a bond", true);
	sh("ip link set bond9 master br9");
	serve(dp, 300);
	bridged_is("in a bond that is a port of a bridge", false);
	sh("ip link set bond9 nomaster");
	serve(dp, 300);
	bridged_is("the bond alone again", true);
	xtr_dp_close(dp);
	detach();
}

Test(dp_live, xdp_refused_says_why)
{
	struct xtr_err err = { "" };
	struct xtr_dp *dp = NULL;

	config(XTR_MODE_XDP);
	sh("ip link add br9 type bridge; ip link set br9 up");
	snprintf(ports[1].name, sizeof(ports[1].name), "br9");
	cr_expect_eq(xtr_dp_open(&cfg, &cb, &dp, &err), -EOPNOTSUPP);
	cr_expect(strstr(err.text, "br9") && strstr(err.text, "mode"), "%s", err.text);
}

Test(dp_live, template_has_source_next_hop_and_checksum)
{
	struct xtr_dp_mapping m = mapping("192.0.2.2", 3, "2001:db8::2", 1);
	struct xtr_ip a;
	struct xtr_dp *dp;
	uint8_t h[20] = { 0x45, 0, 0, 0, 0, 0, 0x40, 0, 0, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2 };
	uint32_t sum = 0;

	config(XTR_MODE_AUTO);
	dp = open_dp();
	cr_expect_eq(put(dp, "10.2.0.0/24", &m), 0);
	serve(dp, 300);
	look();
	cr_assert_eq(found.caches, 1);
	cr_assert_eq(found.cache[0].n, 2);
	cr_expect_eq(found.cache[0].share[0], 192);
	cr_expect_eq(found.cache[0].share[1], 64);
	for (unsigned i = 0; i < 2; i++) {
		const struct xtr_rloc *t = &found.cache[0].rloc[i];

		cr_expect_eq(t->flags, XTR_RLOC_F_UP | XTR_RLOC_F_L2, "locator %u: flags %x", i,
			     t->flags);
		xtr_dp_from_abi(&a, &t->src, t->family);
		cr_expect_arr_eq(&a, &rlocs[i], sizeof(a));
		cr_expect_arr_eq(t->smac, "\2\0\0\0\0\1", 6);
		cr_expect_arr_eq(t->dmac, "\2\0\0\0\0\2", 6);
		cr_expect_eq(t->ifindex, if_nametoindex("u0"));
		cr_expect_eq(t->dport, htons(4341));
	}
	for (unsigned i = 0; i < 20; i += 2) {
		uint16_t w;

		memcpy(&w, h + i, 2);
		sum += w;
	}
	cr_expect_eq(found.cache[0].rloc[0].csum, sum);
	cr_expect_eq(found.rlocs, 2);
	cr_expect(found.rloc[0].fresh && found.rloc[1].fresh);
	/* a changed MAC is followed */
	sh("nsenter --net=/proc/%d/ns/net ip link set u1 address 02:00:00:00:00:99; ip neigh replace 192.0.2.2 lladdr 02:00:00:00:00:99 dev u0 nud reachable",
	   (int)child);
	serve(dp, 200);
	look();
	cr_expect_arr_eq(found.cache[0].rloc[0].dmac, "\2\0\0\0\0\x99", 6);
	/* and so is a link that goes: the other locator is not affected by IPv4 alone, both are by
	 * the link */
	sh("ip link set u0 down");
	serve(dp, 200);
	look();
	cr_expect_not(found.cache[0].rloc[0].flags & XTR_RLOC_F_UP);
	cr_expect_eq(seen.up, 0);
	sh("ip link set u0 up; ip addr add 2001:db8::1/64 dev u0 nodad");
	serve(dp, 1500);
	look();
	cr_expect_eq(found.cache[0].rloc[0].flags, XTR_RLOC_F_UP | XTR_RLOC_F_L2);
	cr_expect_eq(found.cache[0].share[0], 192);
	cr_expect_eq(seen.up, 2);
	xtr_dp_close(dp);
	detach();
}

Test(dp_live, own_address_and_overlay_are_no_locators)
{
	struct xtr_dp_mapping m = mapping("192.0.2.1", 1, "192.0.2.2", 1);
	struct xtr_dp *dp;

	config(XTR_MODE_AUTO);
	dp = open_dp();
	cr_expect_eq(put(dp, "10.2.0.0/24", &m), 0);
	look();
	cr_expect_not(found.cache[0].rloc[0].flags & XTR_RLOC_F_UP);
	cr_expect_eq(found.cache[0].share[0], 0);
	cr_expect_eq(found.cache[0].share[1], 256);
	xtr_dp_close(dp);
	detach();
}

Test(dp_live, sets_and_templates_are_shared_and_given_back)
{
	struct xtr_dp_mapping m = mapping("192.0.2.2", 1, NULL, 0),
			      other = mapping("192.0.2.3", 1, NULL, 0),
			      neg = { .action = XTR_ACT_DROP };
	struct xtr_ippfx e;
	struct xtr_dp *dp;
	char eid[32];

	config(XTR_MODE_AUTO);
	dp = open_dp();
	for (int i = 0; i < 600; i++) { /* more than there are sets and templates */
		snprintf(eid, sizeof(eid), "10.2.%d.%d/32", i / 256, i % 256);
		cr_assert_eq(put(dp, eid, i % 2 ? &m : &other), 0);
	}
	look();
	cr_expect_eq(found.rlocs, 2);
	for (int i = 0; i < 600; i++) {
		snprintf(eid, sizeof(eid), "10.2.%d.%d/32", i / 256, i % 256);
		e = pfx(eid);
		cr_assert_eq(i % 3 ? xtr_dp_cache_del(dp, 0, &e) : put(dp, eid, &neg), 0);
	}
	cr_expect_eq(xtr_dp_cache_del(dp, 0, &e), -ENOENT);
	serve(dp, 2 * XTR_DP_GRACE_MS + 1200);
	look();
	cr_expect_eq(found.rlocs, 0);
	cr_expect_eq(found.caches, 200);
	for (int i = 0; i < 1000; i++) { /* ids are used again */
		snprintf(eid, sizeof(eid), "192.0.2.%d", 2 + i % 200);
		m = mapping(eid, 1, NULL, 0);
		cr_assert_eq(put(dp, "10.3.0.0/16", &m), 0, "round %d", i);
	}
	xtr_dp_close(dp);
	detach();
}

Test(dp_live, a_new_geometry_takes_the_map_cache_over)
{
	struct xtr_dp_mapping m = mapping("192.0.2.2", 1, "2001:db8::2", 1);
	char *names;
	char cmd[160];
	struct xtr_dp *dp;

	config(XTR_MODE_AUTO);
	dp = open_dp();
	cr_expect_eq(put(dp, "10.2.0.0/24", &m), 0);
	cr_expect_eq(put(dp, "fd02::/64", &m), 0);
	xtr_dp_close(dp);
	cfg.cache_entries = 2048;
	cfg.rloc_entries = 512;
	dp = open_dp();
	cr_expect_eq(seen.adopt, 2);
	cr_expect_eq(seen.adopted.n, 2);
	look();
	cr_expect_eq(found.caches, 2);
	cr_expect(iface_row("u0")->tc && iface_row("xtr0")->tc && iface_row("xtr0p")->tc);
	snprintf(cmd, sizeof(cmd), "ls %s/xtr", bpffs);
	names = capture(cmd);
	snprintf(cmd, sizeof(cmd), "v%d-2048-512\n", XTR_ABI_VERSION);
	cr_expect_str_eq(names, cmd);
	free(names);
	xtr_dp_close(dp);
	detach();
}

Test(dp_live, routes_and_addresses_come_back_after_a_link_flap)
{
	char *before, *after;
	struct xtr_dp *dp;
	const char *what =
		"ip rule; ip -6 rule; ip route show table 4341; ip -6 route show table 4341; ip -o addr show xtr0; ip neigh show nud permanent";

	config(XTR_MODE_AUTO);
	dp = open_dp();
	serve(dp, 100);
	before = capture(what);
	cr_expect(strstr(before, "via inet 169.254.0.1") ||
			  strstr(before, "via 169.254.0.1 dev xtr0"),
		  "%s", before);
	cr_expect(strstr(before, "throw 10.1.0.0/24") && strstr(before, "throw 192.0.2.0/24"), "%s",
		  before);
	sh("ip link set xtr0 down; ip link set xtr0 up");
	serve(dp, 500);
	after = capture(what);
	expect_same(before, after);
	free(after);
	sh("ip link del xtr0");
	serve(dp, 500);
	cr_expect(if_nametoindex("xtr0"), "a deleted overlay device is made again");
	sh("ip rule del priority 4343; ip route flush table 4341");
	serve(dp, 500);
	after = capture(what);
	cr_expect(strstr(after, "lookup 4341") && strstr(after, "throw 10.1.0.0/24"), "%s", after);
	free(before);
	free(after);
	xtr_dp_close(dp);
	detach();
}

Test(dp_live, a_default_eid_route_catches_eids_only)
{
	char *out;
	struct xtr_dp *dp;

	config(XTR_MODE_AUTO);
	routes[0] = pfx("0.0.0.0/0");
	routes[1] = pfx("::/0");
	sh("ip route add default via 192.0.2.2; ip -6 route add default via 2001:db8::2");
	dp = open_dp();
	out = capture(
		"ip route get 203.0.113.9; ip route get 203.0.113.9 from 192.0.2.1; ip route get 203.0.113.9 mark 0x4c495350; "
		"ip -6 route get 2001:db8:9::9; ip route get 192.0.2.2; ip route get 192.0.2.2 from 10.1.0.1");
	cr_expect_not(strstr(out, "xtr0"), "%s", out);
	free(out);
	out = capture(
		"ip route get 203.0.113.9 from 10.1.0.1; ip -6 route get 2001:db8:9::9 from fd01::1; ip route get 203.0.113.9 from 10.1.0.7 iif h0");
	cr_expect(strstr(out, "203.0.113.9 from 10.1.0.1 via 169.254.0.1 dev xtr0"), "%s", out);
	cr_expect(strstr(out, "2001:db8:9::9 from fd01::1 via fe80::1 dev xtr0"), "%s", out);
	cr_expect(strstr(out, "203.0.113.9 from 10.1.0.7 via 169.254.0.1 dev xtr0"), "%s", out);
	free(out);
	xtr_dp_close(dp);
	detach();
}

Test(dp_live, generations_move_with_every_change_below_their_shard)
{
	struct xtr_dp_mapping m = mapping("192.0.2.2", 1, NULL, 0);
	uint32_t before[XTR_GEN_SHARDS], after[XTR_GEN_SHARDS], shard, moved = 0;
	struct xtr_dp *dp;

	config(XTR_MODE_TC);
	dp = open_dp();
	for (uint32_t i = 0; i < XTR_GEN_SHARDS; i++) {
		before[i] = dp->gen_at[i];
		cr_expect_geq(before[i], 1);
	}
	shard = xtr_gen_shard4(0, 0x0a020000);
	cr_expect_eq(put(dp, "10.2.7.0/24", &m), 0);
	for (uint32_t i = 0; i < XTR_GEN_SHARDS; i++) {
		after[i] = dp->gen_at[i];
		moved += after[i] != before[i];
	}
	cr_expect(moved == 1 && after[shard] == before[shard] + 1);
	cr_expect_eq(put(dp, "10.0.0.0/8", &m), 0);
	for (uint32_t i = 0; i < XTR_GEN_SHARDS; i++) {
		before[i] = dp->gen_at[i];
		cr_expect_eq(before[i], after[i] + 1, "a prefix of 8 bits lies in every shard");
	}
	xtr_dp_close(dp);
	detach();
}

Test(dp_live, a_bpf_file_system_is_mounted_where_there_is_none)
{
	char plain[128];
	struct xtr_err err = { "" };
	struct xtr_dp_view *v = NULL;
	struct xtr_dp *dp;

	config(XTR_MODE_TC);
	snprintf(plain, sizeof(plain), "/tmp/xtr-plain-%d", (int)getpid());
	cr_assert_eq(mkdir(plain, 0700), 0);
	cr_expect_eq(xtr_dp_view_open(plain, &v, &err), -ENOENT);
	cr_expect_eq(xtr_dp_detach(plain, false, NULL, NULL, &err), 0, "%s", err.text);
	cfg.bpffs = plain;
	dp = open_dp();
	cr_expect_eq(xtr_dp_view_open(plain, &v, &err), 0, "%s", err.text);
	cr_expect(strstr(xtr_dp_view_path(v), plain));
	xtr_dp_view_close(v);
	xtr_dp_close(dp);
	cr_expect_eq(xtr_dp_detach(plain, false, NULL, NULL, &err), 0, "%s", err.text);
	umount2(plain, MNT_DETACH);
	rmdir(plain);
}

Test(dp_live, one_namespace_has_one_data_plane)
{
	char second[128];
	struct xtr_err err = { "" };
	struct xtr_dp *dp, *other = NULL;
	char *before, *after;

	config(XTR_MODE_TC);
	dp = open_dp();
	snprintf(second, sizeof(second), "%s/second", bpffs);
	cr_assert_eq(mkdir(second, 0700), 0);
	before = snapshot();
	cfg.bpffs = second;
	cr_expect_eq(xtr_dp_open(&cfg, &cb, &other, &err), -EBUSY);
	cr_expect(strstr(err.text, "another xtrd") && strstr(err.text, bpffs), "%s", err.text);
	rmdir(strcat(second, "/xtr"));
	after = snapshot();
	expect_same(before, after);
	free(before);
	free(after);
	xtr_dp_close(dp);
	detach();
}

Test(dp_live, ports_come_and_go)
{
	struct xtr_dp_overlay two[2];
	struct xtr_err err = { "" };
	struct xtr_dp *dp;
	char *out;
	uint32_t was;

	config(XTR_MODE_TC);
	dp = open_dp();
	serve(dp, 50);
	/* the underlay's MTU changes: xtr0 follows */
	sh("ip link set u0 mtu 1400");
	serve(dp, 200);
	look();
	cr_expect_eq(iface_row("xtr0")->i.mtu, 1400 - 56);
	sh("ip link set u0 mtu 1500");
	/* an attached port is made anew: the programs are put back */
	was = if_nametoindex("h0");
	sh("ip link del h0");
	serve(dp, 200);
	look();
	cr_expect_not(iface_row("h0"));
	sh("ip link add h0 type veth peer name h1; ip link set h0 up; ip link set h1 up; ip addr add 10.1.0.254/24 dev h0");
	cr_assert_neq(was, if_nametoindex("h0"));
	serve(dp, 300);
	look();
	cr_assert(iface_row("h0"));
	cr_expect(iface_row("h0")->tc);
	cr_expect(local_row("10.1.0.254/32"));
	/* a second overlay device for another instance, and away again */
	two[0] = overlay[0];
	two[1] = (struct xtr_dp_overlay){ .name = "xtr7", .iid = 7, .mtu = 1400 };
	cfg.overlays = two;
	cfg.overlay_count = 2;
	cfg.port_count = 1;
	cr_expect_eq(xtr_dp_reconfigure(dp, &cfg, &err), 0, "%s", err.text);
	look();
	cr_expect(iface_row("xtr7") && iface_row("xtr7p") && iface_row("xtr7")->i.iid == 7 &&
		  iface_row("xtr7")->tc);
	cr_expect_not(iface_row("h0"));
	out = capture("ip -o link show");
	cr_expect(strstr(out, "xtr7p@xtr7"), "%s", out);
	free(out);
	cfg.overlay_count = 1;
	cfg.port_count = 2;
	cr_expect_eq(xtr_dp_reconfigure(dp, &cfg, &err), 0, "%s", err.text);
	cr_expect_eq(if_nametoindex("xtr7"), 0);
	/* a refused change leaves what was */
	snprintf(ports[1].name, sizeof(ports[1].name), "nosuch0");
	cr_expect_eq(xtr_dp_reconfigure(dp, &cfg, &err), -ENODEV);
	look();
	cr_expect(iface_row("h0") && iface_row("h0")->tc);
	cfg.cache_entries = 4096;
	cr_expect_eq(xtr_dp_reconfigure(dp, &cfg, &err), -EBUSY);
	xtr_dp_close(dp);
	detach();
}

/* ---- probe */

static unsigned features_seen;
static int see_feature(void *arg, const struct xtr_dp_feature *f)
{
	features_seen++;
	cr_expect(f->name[0]);
	if (!strcmp(f->name, "ringbuf") || !strcmp(f->name, "tc") || !strcmp(f->name, "lpm-trie"))
		cr_expect(f->have, "%s", f->name);
	return 0;
}

Test(dp_live, probe_explains_the_mode_it_takes)
{
	struct xtr_dp_probe p;
	struct xtr_err err = { "" };

	cr_expect_eq(xtr_dp_probe_kernel(see_feature, NULL), 0);
	cr_expect_geq(features_seen, 8);
	cr_expect_eq(xtr_dp_probe_iface("u0", XTR_ROLE_UNDERLAY, &p, &err), 0);
	cr_expect_str_eq(p.driver, "veth");
	cr_expect(p.mode == XTR_MODE_TC && p.reason[0] && p.mtu == 1500);
	cr_expect_eq(xtr_dp_probe_iface("nosuch0", XTR_ROLE_UNDERLAY, &p, &err), -ENODEV);
	cr_expect(strstr(err.text, "nosuch0"));
}
