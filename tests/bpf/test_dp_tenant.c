// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tenants: overlay devices in network namespaces of their own, on the real kernel. Besides the laboratory of dp_lab.h there are
 * the namespaces red and blue, known to `ip netns` (in a /run/netns that only this test sees). All three instances have the same
 * EIDs:
 *
 *   instance 0   xtr0                     instance 10  xtr-red in red          instance 20  xtr-blue in blue
 */
#include "dp_lab.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static struct xtr_dp_overlay tenants[3];
static struct xtr_dp_local tenant_locals[6];
static struct xtr_ippfx one_route[1];

static void setup(void)
{
	dp_setup();
	sh("mkdir -p /run/netns");
	cr_assert_eq(mount("tmpfs", "/run/netns", "tmpfs", 0, "mode=755"), 0);
	sh("ip netns add red; ip netns add blue; ip -n red link set lo up; ip -n blue link set lo up");
}

static void teardown(void)
{
	if (system("ip netns del red 2>/dev/null; ip netns del blue 2>/dev/null"))
		cr_log_info("already gone");
	umount2("/run/netns", MNT_DETACH);
	dp_teardown();
}

TestSuite(dp_tenant, .init = setup, .fini = teardown);

static void config_tenants(void)
{
	static const uint32_t iid[] = { 0, 10, 20 };
	static const char *const name[] = { "xtr0", "xtr-red", "xtr-blue" };
	static const char *const where[] = { NULL, "red", "/run/netns/blue" };

	config(XTR_MODE_TC);
	ports[1].name[0] = '\0'; /* h0 has no role here */
	cfg.port_count = 1;
	for (unsigned i = 0; i < 3; i++) {
		tenants[i] = overlay[0];
		snprintf(tenants[i].name, sizeof(tenants[i].name), "%s", name[i]);
		tenants[i].iid = iid[i];
		tenants[i].netns = where[i];
		tenant_locals[2 * i] = locals[0];
		tenant_locals[2 * i + 1] = locals[1];
		tenant_locals[2 * i].iid = tenant_locals[2 * i + 1].iid = iid[i];
	}
	cfg.overlays = tenants;
	cfg.overlay_count = 3;
	cfg.locals = tenant_locals;
	cfg.local_count = 6;
	cfg.native_routes = 0;
}

/* What a command prints, for the next call. */
static const char *out(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static const char *out(const char *fmt, ...)
{
	static char *last;
	char cmd[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	free(last);
	last = capture(cmd);
	return last;
}

static int number(const char *text) { return atoi(text); }
static int index_in(const char *ns, const char *dev) { return number(out("ip -n %s -o link show %s 2>/dev/null | cut -d: -f1", ns, dev)); }

static struct xtr_inst inst_of(struct xtr_dp *dp, uint32_t iid)
{
	struct xtr_inst v = { 0 };

	cr_expect_eq(bpf_map_lookup_elem(dp->map[XTR_M_INST], &iid, &v), 0);
	return v;
}

/* Everything of ours that could be left behind in a namespace. */
static char *snapshot_in(const char *ns)
{
	char cmd[512];

	snprintf(cmd, sizeof(cmd),
		 "ip -n %s -o link | sed 's/qdisc [a-z]*//'; ip -n %s -o addr; ip -n %s rule; ip -n %s -6 rule; ip -n %s route show table all; "
		 "ip -n %s -6 route show table all | sort; ip -n %s neigh show | grep PERMANENT; ip netns exec %s sysctl -a 2>/dev/null | grep net.ipv",
		 ns, ns, ns, ns, ns, ns, ns, ns);
	return capture(cmd);
}

/* ---- made, and found again */

Test(dp_tenant, device_is_made_in_its_namespace_with_all_that_belongs_to_it)
{
	struct xtr_dp *dp;
	struct xtr_inst v;

	config_tenants();
	dp = open_dp();
	cr_expect_eq(if_nametoindex("xtr-red"), 0, "it is not with us");
	cr_expect_neq(if_nametoindex("xtr-redp"), 0, "but its peer end is");
	cr_expect_gt(index_in("red", "xtr-red"), 0);
	cr_expect_gt(index_in("blue", "xtr-blue"), 0);
	cr_expect(strstr(out("ip -n red -o link show xtr-red"), "NOARP") && strstr(out("ip -n red -o link show xtr-red"), "mtu 1444"));
	cr_expect(strstr(out("ip -n red -o addr show xtr-red"), "10.1.0.1/32"));
	cr_expect(strstr(out("ip -n red -o addr show xtr-red"), "fd01::1/128"));
	cr_expect_not(strstr(out("ip -n red -o addr show xtr-red"), "fe80"));
	cr_expect(strstr(out("ip -n red route show table 4341"), "10.0.0.0/8 via 169.254.0.1 dev xtr-red"));
	cr_expect(strstr(out("ip -n red route show table 4341"), "throw 10.1.0.0/24"));
	cr_expect_not(strstr(out("ip -n red route show table 4341"), "192.0.2"), "the underlay is not there");
	cr_expect(strstr(out("ip -n red -6 route show table 4341"), "fd00::/8 via fe80::1 dev xtr-red"));
	cr_expect(strstr(out("ip -n red rule"), "4343:	from all lookup 4341"));
	cr_expect_not(strstr(out("ip -n red rule"), "fwmark"));
	/* frames to the other end are addressed to nobody, here and there */
	cr_expect(strstr(out("ip -n red neigh show 169.254.0.1"), "02:4c:49:53:50:00"));
	cr_expect(strstr(out("ip neigh show dev xtr0"), "02:4c:49:53:50:00"));
	cr_expect(strstr(out("ip netns exec red ethtool -k xtr-red"), "tx-udp-segmentation: off"));
	cr_expect(strstr(out("ip route show table 4341"), "dev xtr0"));
	cr_expect_not(strstr(out("ip route show table 4341"), "xtr-red"));

	v = inst_of(dp, 10);
	cr_expect_eq(v.flags, XTR_INST_F_ELSEWHERE | XTR_INST_F_APART);
	cr_expect_eq((int)v.overlay, index_in("red", "xtr-red"));
	cr_expect_eq(v.peer, if_nametoindex("xtr-redp"));
	v = inst_of(dp, 0);
	cr_expect_eq(v.flags, 0);
	cr_expect_eq(v.overlay, if_nametoindex("xtr0"));
	xtr_dp_close(dp);
	detach();
}

/* Numbers of interfaces mean something else in each namespace. */
Test(dp_tenant, programs_never_take_an_index_of_elsewhere_for_one_of_here)
{
	struct xtr_dp *dp;
	int far;

	sh("for i in $(seq 20); do ip -n red link add type veth; done"); /* so that indexes there and here overlap, and some are free here */
	config_tenants();
	dp = open_dp();
	far = index_in("red", "xtr-red");
	cr_expect_gt(far, 40);
	look();
	cr_expect_eq(found.ifaces, 2 + 3 + 2, "u0, xtr0, three peers; and two rows for what is elsewhere");
	for (unsigned i = 0; i < found.ifaces; i++) {
		const struct xtr_dp_iface_row *f = &found.iface[i];

		if ((int)f->ifindex == far)
			cr_expect_str_eq(f->netns, "red");
		if (!strcmp(f->name, "xtr-redp")) {
			cr_expect(f->i.role == XTR_ROLE_PEER && f->i.iid == 10 && f->tc && !f->i.peer);
			cr_expect_str_empty(f->netns);
		}
	}
	cr_expect(!xtr_dp_overlay_by_index(dp, far));
	cr_expect_str_eq(iface_row("xtr-blue")->netns, "/run/netns/blue");
	xtr_dp_close(dp);
	detach();
}

Test(dp_tenant, the_next_daemon_takes_the_pair_as_it_is)
{
	char before[4096], links[4096];
	struct xtr_dp *dp;

	config_tenants();
	dp = open_dp();
	xtr_dp_close(dp);
	snprintf(before, sizeof(before), "%s", out("ip -n red -o link; ip -o link"));
	snprintf(links, sizeof(links), "%s", out("ip -n red route show table all; ip -n red -6 route show table all; ip -n red rule"));
	/* anything that is taken away, even for a moment, is seen */
	sh("(ip netns exec red timeout 3 ip monitor link route address rule >/tmp/xtr-mon.$$ 2>&1; grep -ci deleted /tmp/xtr-mon.$$ >%s/seen; rm /tmp/xtr-mon.$$) & "
	   "sleep 0.3",
	   "/run/netns");
	dp = open_dp();
	serve(dp, 200);
	xtr_dp_close(dp);
	cr_expect_str_eq(before, out("ip -n red -o link; ip -o link"));
	cr_expect_str_eq(links, out("ip -n red route show table all; ip -n red -6 route show table all; ip -n red rule"));
	sleep(3);
	cr_expect_eq(number(out("cat /run/netns/seen")), 0, "something was taken away in between");
	sh("rm /run/netns/seen");
	detach();
}

static void leaves_nothing(void)
{
	char *here = snapshot(), *red = snapshot_in("red"), *blue = snapshot_in("blue"), *after;
	struct xtr_dp *dp;

	config_tenants();
	dp = open_dp();
	serve(dp, 100);
	xtr_dp_close(dp);
	detach();
	after = snapshot();
	expect_same(here, after);
	free(after);
	after = snapshot_in("red");
	expect_same(red, after);
	free(after);
	after = snapshot_in("blue");
	expect_same(blue, after);
	free(after);
	free(here);
	free(red);
	free(blue);
	detach();
}

Test(dp_tenant, detach_leaves_nothing_in_any_namespace) { leaves_nothing(); }
Test(dp_tenant, detach_leaves_nothing_in_any_namespace_clsact)
{
	xtr_dp_no_tcx = true;
	leaves_nothing();
}

/* ---- what happens there is put right there */

static bool becomes(struct xtr_dp *dp, const char *cmd, const char *text, bool there)
{
	for (int i = 0; i < 60; i++) {
		serve(dp, 50);
		if (!strstr(out("%s", cmd), text) != there)
			return true;
	}
	return false;
}

Test(dp_tenant, link_flap_and_lost_routes_are_repaired_there)
{
	struct xtr_dp *dp;
	unsigned peer;

	config_tenants();
	dp = open_dp();
	peer = if_nametoindex("xtr-redp");
	sh("ip -n red link set xtr-red down");
	cr_expect(becomes(dp, "ip -n red -o link show xtr-red", ",UP", true), "up again");
	cr_expect(becomes(dp, "ip -n red route show table 4341", "10.0.0.0/8", true), "with its routes");
	cr_expect(becomes(dp, "ip -n red -6 route show table 4341", "fd00::/8", true));
	cr_expect(becomes(dp, "ip -n red -6 addr show xtr-red", "fd01::1/128", true), "and addresses");
	sh("ip -n red rule del priority 4343; ip -n red route flush table 4341; ip -n red addr del 10.1.0.1/32 dev xtr-red");
	cr_expect(becomes(dp, "ip -n red rule", "lookup 4341", true));
	cr_expect(becomes(dp, "ip -n red route show table 4341", "10.0.0.0/8", true));
	cr_expect(becomes(dp, "ip -n red addr show xtr-red", "10.1.0.1/32", true));
	sh("ip -n red neigh del 169.254.0.1 dev xtr-red");
	cr_expect(becomes(dp, "ip -n red neigh show 169.254.0.1", "02:4c:49:53:50:00", true));
	cr_expect_eq(if_nametoindex("xtr-redp"), peer, "nothing of it needed a new device");
	sh("ip -n red link del xtr-red");
	cr_expect(becomes(dp, "ip -n red route show table 4341", "dev xtr-red", true), "a device that was deleted is made again");
	cr_expect_neq(if_nametoindex("xtr-redp"), peer);
	cr_expect_eq(inst_of(dp, 10).peer, if_nametoindex("xtr-redp"));
	/* a network of the tenant's own inside the EID space stays its own */
	sh("ip -n red link add lan type bridge; ip -n red link set lan up; ip -n red addr add 10.77.0.1/24 dev lan");
	cr_expect(becomes(dp, "ip -n red route show table 4341", "throw 10.77.0.0/24", true));
	cr_expect_not(strstr(out("ip route show table 4341; ip -n blue route show table 4341"), "10.77"), "and nobody else's");
	xtr_dp_close(dp);
	detach();
}

Test(dp_tenant, a_namespace_goes_and_comes_back_and_the_others_do_not_notice)
{
	unsigned blue, far;
	struct xtr_dp *dp;
	char others[4096];

	config_tenants();
	dp = open_dp();
	blue = if_nametoindex("xtr-bluep");
	far = (unsigned)index_in("blue", "xtr-blue");
	snprintf(others, sizeof(others), "%s", out("ip -n blue -o link; ip -n blue route show table all; ip rule; ip route show table all"));
	sh("ip netns del red");
	cr_expect(becomes(dp, "ip -o link", "xtr-redp", false), "the pair goes with the namespace, though xtrd had sockets there");
	serve(dp, 100);
	cr_expect_eq(inst_of(dp, 10).overlay, 0, "nothing is delivered any more");
	cr_expect_eq(inst_of(dp, 10).flags, XTR_INST_F_ELSEWHERE | XTR_INST_F_APART);
	xtr_dp_inject(dp, 10, (uint8_t[64]){ 0 }, 64, &(struct xtr_dp_origin){ .ifindex = 0 });
	xtr_dp_drops_flush(dp);
	look();
	cr_expect_eq(found.drops[XTR_DROP_INJECT_FAILED], 1, "there is no other way for its packets");
	cr_expect_eq(if_nametoindex("xtr-bluep"), blue);
	cr_expect_eq((unsigned)index_in("blue", "xtr-blue"), far);
	cr_expect_str_eq(others, out("ip -n blue -o link; ip -n blue route show table all; ip rule; ip route show table all"));
	sh("ip netns add red");
	cr_expect(becomes(dp, "ip -n red route show table 4341 2>&1", "dev xtr-red", true), "and is back with a namespace of that name");
	cr_expect_eq((int)inst_of(dp, 10).overlay, index_in("red", "xtr-red"));
	/* gone and back between two looks: another namespace all the same */
	sh("ip netns del red; ip netns add red");
	cr_expect(becomes(dp, "ip -n red route show table 4341 2>&1", "dev xtr-red", true));
	cr_expect_eq(if_nametoindex("xtr-bluep"), blue);
	xtr_dp_close(dp);
	detach();
}

Test(dp_tenant, a_namespace_that_is_not_there_yet_keeps_nobody_from_starting)
{
	struct xtr_dp *dp;

	sh("ip netns del red; touch /run/netns/red"); /* what `ip netns` leaves in between */
	config_tenants();
	dp = open_dp();
	cr_expect_eq(inst_of(dp, 10).overlay, 0);
	cr_expect_neq(inst_of(dp, 20).overlay, 0);
	cr_expect_neq(inst_of(dp, 0).overlay, 0);
	sh("rm /run/netns/red; ip netns add red");
	cr_expect(becomes(dp, "ip -n red route show table 4341 2>&1", "dev xtr-red", true));
	xtr_dp_close(dp);
	detach();
}

Test(dp_tenant, a_device_of_somebody_else_there_is_left_alone)
{
	struct xtr_dp *dp;

	sh("ip -n red link add xtr-red type bridge");
	config_tenants();
	dp = open_dp();
	cr_expect_eq(inst_of(dp, 10).overlay, 0);
	cr_expect_neq(inst_of(dp, 20).overlay, 0, "the others start");
	cr_expect(strstr(out("ip -n red -d link show xtr-red"), "bridge"));
	sh("ip -n red link del xtr-red");
	cr_expect(becomes(dp, "ip -n red route show table 4341", "dev xtr-red", true));
	xtr_dp_close(dp);
	detach();
}

/* A namespace without a name: that of a process. */
Test(dp_tenant, the_namespace_of_a_process_ends_with_it)
{
	static char path[64];
	struct xtr_dp *dp;
	int holder;

	holder = number(out("unshare -n sleep 60 >/dev/null 2>&1 & echo $!"));
	cr_assert_gt(holder, 0);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", holder);
	while (!strcmp(out("readlink %s", path), "") || !system(out("echo -n '[ $(readlink %s) = $(readlink /proc/self/ns/net) ]'", path)))
		usleep(10000);
	config_tenants();
	tenants[1].netns = path;
	dp = open_dp();
	cr_expect_neq(inst_of(dp, 10).overlay, 0);
	cr_expect(strstr(out("nsenter --net=%s ip route show table 4341", path), "dev xtr-red"));
	xtr_dp_close(dp); /* another daemon, the same process */
	dp = open_dp();
	cr_expect_neq(inst_of(dp, 10).overlay, 0);
	sh("kill %d", holder);
	cr_expect(becomes(dp, "ip -o link", "xtr-redp", false));
	cr_expect_neq(inst_of(dp, 20).overlay, 0);
	xtr_dp_close(dp);
	detach();
}

/* ---- placed somewhere else */

static void reconfigure(struct xtr_dp *dp)
{
	struct xtr_err err = { "" };

	cr_assert_eq(xtr_dp_reconfigure(dp, &cfg, &err), 0, "%s", err.text);
}

/* Until the reload has succeeded, those of before are held as well. */
Test(dp_tenant, a_reload_renames_the_namespaces_of_all)
{
	enum { MANY = XTR_DP_NAMESPACES - 1 };
	static struct xtr_dp_overlay many[MANY + 1];
	static char names[2][MANY][8];
	struct xtr_dp *dp;

	config_tenants();
	many[0] = tenants[0];
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(names[0][i], sizeof(names[0][i]), "a%u", i);
		snprintf(names[1][i], sizeof(names[1][i]), "b%u", i);
		many[i + 1] = tenants[1];
		snprintf(many[i + 1].name, sizeof(many[0].name), "xt%u", i);
		many[i + 1].iid = 100 + i;
		many[i + 1].netns = names[0][i]; /* not there: they wait */
	}
	cfg.overlays = many;
	cfg.overlay_count = MANY + 1;
	dp = open_dp();
	for (unsigned i = 0; i < MANY; i++)
		many[i + 1].netns = names[1][i];
	reconfigure(dp);
	cr_expect_eq(dp->ns_count, MANY);
	xtr_dp_close(dp);
	detach();
}

Test(dp_tenant, a_reload_moves_a_device_and_leaves_nothing_where_it_was)
{
	char *red = snapshot_in("red"), *after;
	struct xtr_dp *dp;

	sh("ip netns add green");
	config_tenants();
	one_route[0] = pfx("10.2.0.0/16");
	tenants[1].routes = one_route;
	tenants[1].route_count = 1;
	dp = open_dp();
	tenants[1].netns = "green";
	reconfigure(dp);
	cr_expect_gt(index_in("green", "xtr-red"), 0);
	cr_expect(strstr(out("ip -n green route show table 4341"), "10.2.0.0/16 via 169.254.0.1 dev xtr-red"));
	after = snapshot_in("red");
	expect_same(red, after);
	free(after);
	tenants[1].netns = NULL;
	tenants[1].routes = routes + 1; /* not those of instance 0 */
	tenants[0].route_count = 1;
	reconfigure(dp);
	cr_expect_neq(if_nametoindex("xtr-red"), 0);
	cr_expect(strstr(out("ip -6 route show table 4341"), "dev xtr-red"));
	cr_expect_str_empty(out("ip -n green rule | grep 4341; ip -n green -o link | grep xtr"));
	cr_expect_eq(inst_of(dp, 10).flags, 0);
	tenants[1].netns = "red";
	reconfigure(dp);
	cr_expect_gt(index_in("red", "xtr-red"), 0);
	cr_expect_eq(if_nametoindex("xtr-red"), 0);
	cr_expect_eq(inst_of(dp, 10).flags, XTR_INST_F_ELSEWHERE | XTR_INST_F_APART);
	/* the daemon's configuration changes while it does not run */
	xtr_dp_close(dp);
	tenants[1].netns = "green";
	dp = open_dp();
	cr_expect_gt(index_in("green", "xtr-red"), 0);
	after = snapshot_in("red");
	expect_same(red, after);
	free(after);
	xtr_dp_close(dp);
	detach();
	cr_expect_str_empty(out("ip -n green rule | grep 4341; ip -n green -o link | grep xtr"));
	sh("ip netns del green");
	free(red);
}

Test(dp_tenant, the_namespace_of_xtrd_itself_and_that_of_another_xtrd_are_refused)
{
	struct xtr_err err = { "" };
	struct xtr_dp *dp = NULL;

	config_tenants();
	tenants[1].netns = "/proc/self/ns/net";
	cr_expect_eq(xtr_dp_open(&cfg, &cb, &dp, &err), -EINVAL);
	cr_expect(strstr(err.text, "xtr-red") && strstr(err.text, "the one xtrd runs in"), "%s", err.text);
	config_tenants();
	sh("ip -n red link add other0 type veth peer name other0p; ip -n red link set other0 alias 'xtr /sys/fs/bpf/other'");
	cr_expect_str_empty(out("ip -o link | grep xtr"), "a refused start leaves nothing");
	/* what a tenant does in its namespace keeps nobody else from starting */
	dp = open_dp();
	cr_expect_eq(inst_of(dp, 10).overlay, 0);
	cr_expect_neq(inst_of(dp, 20).overlay, 0);
	cr_expect_str_empty(out("ip -n red rule | grep 4341"));
	sh("ip -n red link del other0");
	cr_expect(becomes(dp, "ip -n red route show table 4341", "dev xtr-red", true));
	xtr_dp_close(dp);
	detach();
	config_tenants();
	tenants[1].netns = "/etc/passwd"; /* no namespace: like one that is not there */
	dp = open_dp();
	cr_expect_eq(inst_of(dp, 10).overlay, 0);
	xtr_dp_close(dp);
	detach();
}

/* ---- VRF */

Test(dp_tenant, a_vrf_that_is_not_there_is_named_with_the_way_out)
{
	struct xtr_err err = { "" };
	struct xtr_dp *dp = NULL;

	config_tenants();
	cfg.overlay_count = 1;
	cfg.local_count = 2;
	tenants[0].vrf = "nosuch";
	cr_expect_eq(xtr_dp_open(&cfg, &cb, &dp, &err), -ENODEV);
	cr_expect(strstr(err.text, "there is no VRF device nosuch (key overlay[].vrf)") &&
			  strstr(err.text, "ip link add nosuch type vrf table"),
		  "%s", err.text);
	tenants[0].vrf = "h0";
	cr_expect_eq(xtr_dp_open(&cfg, &cb, &dp, &err), -EINVAL);
	cr_expect(strstr(err.text, "no VRF device is h0"), "%s", err.text);
	cr_expect_str_empty(out("ip -o link | grep xtr"), "a refused start leaves nothing");
}

/* ---- packets */

static void say(const char *ns, const char *to)
{
	out("ip netns exec %s ping -q -c 1 -W 1 %s", ns, to); /* one packet; nobody answers */
}

Test(dp_tenant, a_miss_of_a_tenant_is_its_own_and_goes_out_by_its_own_peer)
{
	struct xtr_dp_mapping red = mapping("192.0.2.2", 1, NULL, 0), blue = mapping("192.0.2.3", 1, NULL, 0);
	struct xtr_ippfx eid = pfx("10.2.0.0/16");
	struct xtr_dp *dp;
	char *caught;

	config_tenants();
	dp = open_dp();
	serve(dp, 100);
	sh("nsenter --net=/proc/%d/ns/net timeout 6 tcpdump -Z root -n -U --immediate-mode -i u1 -w /run/netns/cap udp port 4341 2>/dev/null & sleep 1", (int)child);
	say("red", "10.2.0.9");
	serve(dp, 100);
	cr_expect_eq(seen.miss, 1);
	say("blue", "10.2.0.9");
	serve(dp, 100);
	cr_expect_eq(seen.miss, 2);
	cr_expect_eq(xtr_dp_cache_put(dp, 10, &eid, &red, now_ms()), 0);
	cr_expect_eq(xtr_dp_cache_put(dp, 20, &eid, &blue, now_ms()), 0);
	serve(dp, 100);
	say("red", "10.2.0.9");
	say("blue", "10.2.0.9");
	serve(dp, 100);
	look();
	cr_expect_eq(found.stats[XTR_STAT_INJECT].packets, 2);
	cr_expect_eq(found.stats[XTR_STAT_ENCAP].packets, 4);
	sleep(2);
	caught = capture("tshark -n -r /run/netns/cap -T fields -e ip.dst -e lisp-data.iid 2>/dev/null | awk '{ print $1, $2 }' | sed 's/,.* / /' | sort | uniq -c | sed 's/^ *//'");
	cr_expect_str_eq(caught, "2 192.0.2.2 10\n2 192.0.2.3 20\n");
	free(caught);
	/* what the mapping system does not have is not for the underlay: the addresses of a tenant may be anybody's */
	red.action = XTR_ACT_NATIVE;
	red.n = 0;
	cr_expect_eq(xtr_dp_cache_put(dp, 10, &eid, &red, now_ms()), 0);
	say("red", "10.2.0.9");
	serve(dp, 50);
	look();
	cr_expect_eq(found.drops[XTR_DROP_NATIVE_NO_ROUTE], 1);
	cr_expect_eq(found.stats[XTR_STAT_NATIVE].packets, 0);
	sh("rm -f /run/netns/cap");
	xtr_dp_close(dp);
	detach();
}

/* Whoever may do so in a namespace can call any number of routes ours: that costs the others nothing. */
Test(dp_tenant, routes_of_a_tenant_without_end_do_not_keep_the_others_waiting)
{
	static const char many[] = "awk -v n=%u -v t='%s' 'BEGIN { for (i = 0; i < n; i++) print \"route add \" t \" 11.\" "
				   "int(i / 65536) \".\" int(i / 256) %% 256 \".\" i %% 256 \"/32 proto 76 table 4341\" }' | ip -n red -batch -";
	struct xtr_err err = { "" };
	struct xtr_dp_ns *red = NULL;
	struct xtr_dp *dp;

	config_tenants();
	sh(many, 12000u, "blackhole");
	dp = open_dp();
	for (unsigned i = 0; i < dp->ns_count; i++)
		if (!strcmp(dp->nss[i]->where, "red"))
			red = dp->nss[i];
	cr_assert(red);
	cr_expect(red->trouble, "said once, and looked at again every second");
	cr_expect(strstr(out("ip -n red route show table 4341 10.0.0.0/8"), "dev xtr-red"), "what it needs is there all the same");
	cr_expect(strstr(out("ip -n blue route show table 4341"), "dev xtr-blue"));
	cr_expect_eq(number(out("ip -n red route show table 4341 type blackhole | wc -l")), 12000, "none that we can have made");
	sh("ip -n red route flush table 4341 type blackhole");
	serve(dp, 1500);
	cr_expect_not(red->trouble);
	sh(many, 600u, "throw"); /* as ours are */
	cr_assert_eq(xtr_dp_routes(dp, &err), 0);
	cr_expect_eq(number(out("ip -n red route show table 4341 | grep -c '^throw 11'")), 600 - 256, "so many in one turn");
	serve(dp, 3500);
	cr_expect_eq(number(out("ip -n red route show table 4341 | grep -c '^throw 11'")), 0);
	cr_expect(strstr(out("ip -n red route show table 4341 10.0.0.0/8"), "dev xtr-red"));
	xtr_dp_close(dp);
	detach();
}
