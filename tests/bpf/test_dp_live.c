// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * user/dp on the real kernel. Each test has a network and a mount namespace of its own (they go with the process) and a BPF
 * file system of its own:
 *
 *   [ test process ]                        [ child ]
 *   xtr0 10.1.0.1 fd01::1
 *   u0 192.0.2.1/24 2001:db8::1/64 ──veth── u1 192.0.2.2 .3 2001:db8::2
 *   h0 10.1.0.254/24 (EID port)    ──veth── h1 (in the test's namespace, no addresses)
 */
#include "dp/internal.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char base[64], bpffs[96];
static pid_t child;

static void sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void sh(const char *fmt, ...)
{
	char cmd[512];
	va_list ap;
	int r;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	r = system(cmd);
	cr_assert_eq(r, 0, "command failed: %s", cmd);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* The other router: a namespace held by a process that dies with us. */
static void start_child(void)
{
	int p[2];
	char c;

	cr_assert_eq(pipe(p), 0);
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) || write(p[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	cr_assert_eq(read(p[0], &c, 1), 1);
	close(p[0]);
	close(p[1]);
}

static void setup(void)
{
	xtr_log_max = XTR_LOG_WARN;
	cr_assert_eq(unshare(CLONE_NEWNET | CLONE_NEWNS), 0, "needs root");
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	snprintf(base, sizeof(base), "/tmp/xtr-dp-%d", (int)getpid());
	cr_assert_eq(mkdir(base, 0700), 0);
	snprintf(bpffs, sizeof(bpffs), "%s/bpf", base);
	cr_assert_eq(mkdir(bpffs, 0700), 0);
	cr_assert_eq(mount("bpf", bpffs, "bpf", 0, "mode=0700"), 0);
	start_child();
	sh("ip link set lo up; sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.accept_dad=0");
	sh("ip link add u0 type veth peer name u1 && ip link set u1 netns %d && ip link add h0 type veth peer name h1", (int)child);
	sh("ip link set u0 address 02:00:00:00:00:01 up; ip link set h0 up; ip link set h1 up");
	sh("ip addr add 192.0.2.1/24 dev u0; ip addr add 2001:db8::1/64 dev u0 nodad; ip addr add 10.1.0.254/24 dev h0");
	sh("nsenter --net=/proc/%d/ns/net sh -c 'ip link set lo up; ip link set u1 address 02:00:00:00:00:02 up; ip addr add 192.0.2.2/24 "
	   "dev u1; ip addr add 192.0.2.3/24 dev u1; ip addr add 2001:db8::2/64 dev u1 nodad'", (int)child);
	for (int i = 0; i < 200; i++) /* both ends up, all addresses settled */
		if (system("ip -o link show u0 | grep -q 'state UP' && ! ip -6 addr | grep -q tentative"))
			usleep(50000);
}

static void teardown(void)
{
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	umount2(bpffs, MNT_DETACH);
	rmdir(bpffs);
	rmdir(base);
}

TestSuite(dp_live, .init = setup, .fini = teardown);

/* ---- a data plane to test */

static struct xtr_dp_port ports[4];
static struct xtr_dp_overlay overlay[2];
static struct xtr_dp_local locals[4];
static struct xtr_ip rlocs[2];
static struct xtr_ippfx addrs[2], routes[4];
static struct xtr_dp_config cfg;
static struct { unsigned miss, request, adopt, up; struct xtr_ip dst; struct xtr_dp_mapping adopted; struct xtr_ippfx eid; } seen;

static struct xtr_ip ip(const char *s)
{
	struct xtr_ip v;

	cr_assert_eq(xtr_ip_parse(s, &v), 0);
	return v;
}

static struct xtr_ippfx pfx(const char *s)
{
	struct xtr_ippfx v;

	cr_assert_eq(xtr_ippfx_parse(s, &v), 0);
	return v;
}

static void on_miss(void *ctx, uint32_t iid, const struct xtr_ip *dst, const struct xtr_ip *src, bool request_only)
{
	seen.miss++;
	seen.request += request_only;
	seen.dst = *dst;
}
static void on_adopt(void *ctx, uint32_t iid, const struct xtr_ippfx *eid, const struct xtr_dp_mapping *m)
{
	seen.adopt++;
	seen.adopted = *m;
	seen.eid = *eid;
}
static void on_up(void *ctx, const struct xtr_ip *up, unsigned n) { seen.up = n; }

static const struct xtr_dp_callbacks cb = { .miss = on_miss, .adopt = on_adopt, .rlocs_up = on_up };

static void config(uint8_t mode)
{
	ports[0] = (struct xtr_dp_port){ .name = "u0", .role = XTR_ROLE_UNDERLAY, .mode = mode };
	ports[1] = (struct xtr_dp_port){ .name = "h0", .role = XTR_ROLE_EID, .mode = mode };
	addrs[0] = pfx("10.1.0.1/32");
	addrs[1] = pfx("fd01::1/128");
	routes[0] = pfx("10.0.0.0/8");
	routes[1] = pfx("fd00::/8");
	overlay[0] = (struct xtr_dp_overlay){ .name = "xtr0", .addresses = addrs, .address_count = 2, .routes = routes, .route_count = 2 };
	locals[0] = (struct xtr_dp_local){ .eid = pfx("10.1.0.0/24"), .map_version = 7 };
	locals[1] = (struct xtr_dp_local){ .eid = pfx("fd01::/64") };
	rlocs[0] = ip("192.0.2.1");
	rlocs[1] = ip("2001:db8::1");
	cfg = (struct xtr_dp_config){ .bpffs = bpffs, .ports = ports, .port_count = 2, .overlays = overlay, .overlay_count = 1, .locals = locals,
		.local_count = 2, .rlocs = rlocs, .rloc_count = 2, .cache_entries = 1024, .rloc_entries = 256, .miss_rate = 20000, .miss_burst = 1000,
		.miss_eid_burst = 256, .queue_eid_packets = 4, .queue_packets = 6, .queue_octets = 1 << 20, .queue_timeout_ms = 5000,
		.route_table = 4341, .rule_priority = 4341, .mark = 0x4c495350 };
	memset(&seen, 0, sizeof(seen));
}

static struct xtr_dp *open_dp(void)
{
	struct xtr_dp *dp = NULL;
	struct xtr_err err = { "" };
	int r = xtr_dp_open(&cfg, &cb, &dp, &err);

	cr_assert_eq(r, 0, "xtr_dp_open: %d %s", r, err.text);
	return dp;
}

static void detach(void)
{
	struct xtr_err err = { "" };
	int r = xtr_dp_detach(bpffs, false, NULL, NULL, &err);

	cr_assert_eq(r, 0, "xtr_dp_detach: %d %s", r, err.text);
}

/* Serves the data plane for a while, as the daemon's loop does. */
static void serve(struct xtr_dp *dp, unsigned ms)
{
	uint64_t end = now_ms() + ms, next = 0, now;

	while ((now = now_ms()) < end) {
		struct pollfd p[2] = { { .fd = xtr_dp_event_fd(dp), .events = POLLIN }, { .fd = xtr_dp_netlink_fd(dp), .events = POLLIN } };
		uint64_t wait = next > now ? next - now : 0;

		poll(p, 2, (int)(wait > end - now ? end - now : wait));
		if (p[0].revents)
			xtr_dp_events(dp, now_ms());
		if (p[1].revents)
			xtr_dp_netlink(dp, now_ms());
		next = xtr_dp_tick(dp, now_ms());
	}
}

static char *capture(const char *cmd)
{
	static char out[65536];
	FILE *f = popen(cmd, "r");
	size_t n = fread(out, 1, sizeof(out) - 1, f);

	out[n] = '\0';
	pclose(f);
	return strdup(out);
}

/* Everything in the namespace that could be left behind. */
static char *snapshot(void)
{
	char cmd[1024];

	snprintf(cmd, sizeof(cmd), "ip -o link | sed 's/ qdisc [a-z]*//; s/state [A-Z]*//'; ip -o addr; ip rule; ip -6 rule; ip route show table all; "
		 "ip -6 route show table all | sed 's/ pref medium//' | sort; tc qdisc | grep -v noqueue; ip -d neigh | grep -E 'managed|PERMANENT'; ls -R %s; sysctl -a 2>/dev/null | grep -E "
		 "'net.ipv[46].conf.(all|default|u0|h0|h1)' | sort", bpffs);
	return capture(cmd);
}

static void expect_same(const char *before, const char *after)
{
	char path[2][96], cmd[256], *diff;

	for (int i = 0; i < 2; i++) {
		FILE *f;

		snprintf(path[i], sizeof(path[i]), "%s/%s", base, i ? "after" : "before");
		f = fopen(path[i], "w");
		fputs(i ? after : before, f);
		fclose(f);
	}
	snprintf(cmd, sizeof(cmd), "diff %s %s", path[0], path[1]);
	diff = capture(cmd);
	unlink(path[0]);
	unlink(path[1]);
	cr_expect_str_empty(diff, "left behind: %s", diff);
	free(diff);
}

static struct xtr_dp_mapping mapping(const char *a, uint8_t wa, const char *b, uint8_t wb)
{
	struct xtr_dp_mapping m = { .action = XTR_ACT_ENCAP, .n = (uint8_t)(b ? 2 : 1), .weight = { wa, wb } };

	m.rloc[0] = ip(a);
	if (b)
		m.rloc[1] = ip(b);
	return m;
}

static int put(struct xtr_dp *dp, const char *eid, const struct xtr_dp_mapping *m)
{
	struct xtr_ippfx p = pfx(eid);

	return xtr_dp_cache_put(dp, 0, &p, m, now_ms());
}

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

struct found { struct xtr_dp_rloc_row rloc[8]; unsigned rlocs; struct xtr_dp_cache_row cache[8]; unsigned caches; struct xtr_dp_local_row local[64]; unsigned locals;
	struct xtr_dp_iface_row iface[8]; unsigned ifaces; uint64_t drops[XTR_DROP_MAX]; struct xtr_count stats[XTR_STAT_MAX]; };
static struct found found;

static int see_rloc(void *arg, const struct xtr_dp_rloc_row *r) { found.rloc[found.rlocs++ % 8] = *r; return 0; }
static int see_cache(void *arg, const struct xtr_dp_cache_row *r) { found.cache[found.caches++ % 8] = *r; return 0; }
static int see_local(void *arg, const struct xtr_dp_local_row *r) { found.local[found.locals++ % 64] = *r; return 0; }
static int see_iface(void *arg, const struct xtr_dp_iface_row *r) { found.iface[found.ifaces++ % 8] = *r; return 0; }

static void look(void)
{
	struct xtr_err err = { "" };
	struct xtr_dp_view *v = NULL;
	int r = xtr_dp_view_open(bpffs, &v, &err);

	cr_assert_eq(r, 0, "%d %s", r, err.text);
	memset(&found, 0, sizeof(found));
	cr_expect_eq(xtr_dp_view_rloc(v, see_rloc, NULL), 0);
	cr_expect_eq(xtr_dp_view_cache(v, see_cache, NULL), 0);
	cr_expect_eq(xtr_dp_view_local(v, see_local, NULL), 0);
	cr_expect_eq(xtr_dp_view_iface(v, see_iface, NULL), 0);
	cr_expect_eq(xtr_dp_view_drops(v, found.drops), 0);
	cr_expect_eq(xtr_dp_view_stats(v, found.stats), 0);
	xtr_dp_view_close(v);
}

static const struct xtr_dp_local_row *local_row(const char *eid)
{
	struct xtr_ippfx p = pfx(eid);

	for (unsigned i = 0; i < found.locals; i++)
		if (!memcmp(&found.local[i].eid, &p, sizeof(p)))
			return &found.local[i];
	return NULL;
}

static const struct xtr_dp_iface_row *iface_row(const char *name)
{
	for (unsigned i = 0; i < found.ifaces; i++)
		if (!strcmp(found.iface[i].name, name))
			return &found.iface[i];
	return NULL;
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
	cr_assert(local_row("10.1.0.254/32")); /* an address of a port inside the EID-prefix must not hide it */
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
	cr_expect(iface_row("u0")->xdp && iface_row("u0")->tc && iface_row("h0")->xdp && iface_row("h0")->tc);
	cr_expect_eq(iface_row("u0")->i.mode, XTR_MODE_XDP);
	cr_expect_not(iface_row("u0")->i.flags & XTR_IF_F_XDP_TX, "u1 has neither GRO nor XDP, so it takes no XDP redirects");
	ports[0].mode = ports[1].mode = XTR_MODE_XDP_GENERIC;
	cr_expect_eq(xtr_dp_reconfigure(dp, &cfg, &err), 0, "%s", err.text);
	look();
	cr_expect(iface_row("u0")->xdp && iface_row("u0")->i.mode == XTR_MODE_XDP_GENERIC);
	cr_expect(iface_row("u0")->i.flags & XTR_IF_F_XDP_TX, "generic XDP redirects out of anything");
	ports[0].mode = ports[1].mode = XTR_MODE_TC;
	cr_expect_eq(xtr_dp_reconfigure(dp, &cfg, &err), 0, "%s", err.text);
	look();
	cr_expect(!iface_row("u0")->xdp && iface_row("u0")->tc && !iface_row("h0")->xdp && iface_row("h0")->tc);
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

		cr_expect_eq(t->flags, XTR_RLOC_F_UP | XTR_RLOC_F_L2, "locator %u: flags %x", i, t->flags);
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
	/* and so is a link that goes: the other locator is not affected by IPv4 alone, both are by the link */
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
	struct xtr_dp_mapping m = mapping("192.0.2.2", 1, NULL, 0), other = mapping("192.0.2.3", 1, NULL, 0), neg = { .action = XTR_ACT_DROP };
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
	cr_expect_str_eq(names, "v1-2048-512\n");
	free(names);
	xtr_dp_close(dp);
	detach();
}

Test(dp_live, routes_and_addresses_come_back_after_a_link_flap)
{
	char *before, *after;
	struct xtr_dp *dp;
	const char *what = "ip rule; ip -6 rule; ip route show table 4341; ip -6 route show table 4341; ip -o addr show xtr0; ip neigh show nud permanent";

	config(XTR_MODE_AUTO);
	dp = open_dp();
	serve(dp, 100);
	before = capture(what);
	cr_expect(strstr(before, "via inet 169.254.0.1") || strstr(before, "via 169.254.0.1 dev xtr0"), "%s", before);
	cr_expect(strstr(before, "throw 10.1.0.0/24") && strstr(before, "throw 192.0.2.0/24"), "%s", before);
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
	out = capture("ip route get 203.0.113.9; ip route get 203.0.113.9 from 192.0.2.1; ip route get 203.0.113.9 mark 0x4c495350; "
		      "ip -6 route get 2001:db8:9::9; ip route get 192.0.2.2; ip route get 192.0.2.2 from 10.1.0.1");
	cr_expect_not(strstr(out, "xtr0"), "%s", out);
	free(out);
	out = capture("ip route get 203.0.113.9 from 10.1.0.1; ip -6 route get 2001:db8:9::9 from fd01::1; ip route get 203.0.113.9 from 10.1.0.7 iif h0");
	cr_expect(strstr(out, "203.0.113.9 from 10.1.0.1 via 169.254.0.1 dev xtr0"), "%s", out);
	cr_expect(strstr(out, "2001:db8:9::9 from fd01::1 via fe80::1 dev xtr0"), "%s", out);
	cr_expect(strstr(out, "203.0.113.9 from 10.1.0.7 via 169.254.0.1 dev xtr0"), "%s", out);
	free(out);
	xtr_dp_close(dp);
	detach();
}

/* ---- packets */

static int in_child(int type, const char *addr, uint16_t port)
{
	int home = open("/proc/self/ns/net", O_RDONLY), there, fd;
	char path[64];
	struct sockaddr_storage ss;
	struct xtr_ip a = ip(addr);
	struct timeval tv = { .tv_usec = 300000 };
	socklen_t n = xtr_ip_to_sockaddr(&a, port, &ss);

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)child);
	there = open(path, O_RDONLY);
	cr_assert_eq(setns(there, CLONE_NEWNET), 0);
	fd = socket(ss.ss_family, type, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&ss, n), 0, "%s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	cr_assert_eq(setns(home, CLONE_NEWNET), 0);
	close(home);
	close(there);
	return fd;
}

static int sender(const char *dst, struct sockaddr_storage *ss, socklen_t *len)
{
	struct xtr_ip a = ip(dst);

	*len = xtr_ip_to_sockaddr(&a, 9999, ss);
	return socket(ss->ss_family, SOCK_DGRAM, 0);
}

/* Internet checksum over pseudo-header and UDP of an inner IPv4 packet: 0 when right. */
static uint16_t inner_udp_sum(const uint8_t *p, size_t n)
{
	uint32_t sum = 17 + (uint32_t)n - 20;

	for (size_t i = 12; i < n; i += 2)
		sum += (uint32_t)p[i] << 8 | (i + 1 < n ? p[i + 1] : 0);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

Test(dp_live, first_packets_wait_and_arrive_in_order_with_finished_checksums)
{
	struct xtr_dp_mapping m = mapping("192.0.2.2", 1, NULL, 0);
	struct sockaddr_storage to;
	struct xtr_ip want = ip("10.2.0.5");
	uint8_t buf[2048];
	socklen_t len;
	struct xtr_dp *dp;
	int tx, rx;

	config(XTR_MODE_AUTO);
	dp = open_dp();
	rx = in_child(SOCK_DGRAM, "192.0.2.2", 4341);
	tx = sender("10.2.0.5", &to, &len);
	for (uint8_t i = 0; i < 3; i++)
		cr_assert_eq(sendto(tx, &i, 1, 0, (struct sockaddr *)&to, len), 1, "%s", strerror(errno));
	serve(dp, 50);
	cr_expect_eq(seen.miss, 1, "miss() is called once, not per packet");
	cr_expect_arr_eq(&seen.dst, &want, sizeof(want));
	cr_expect_eq(dp->q_packets, 3);
	cr_expect_eq(put(dp, "10.2.0.0/24", &m), 0);
	cr_expect_eq(dp->q_packets, 0);
	serve(dp, 100);
	cr_expect_eq(dp->hold_active, 0, "order is kept for a moment only");
	for (uint8_t i = 3; i < 6; i++)
		cr_assert_eq(sendto(tx, &i, 1, 0, (struct sockaddr *)&to, len), 1);
	for (uint8_t i = 0; i < 6; i++) {
		ssize_t n = recv(rx, buf, sizeof(buf), 0);

		cr_assert_eq(n, 8 + 20 + 8 + 1, "packet %u: %zd", i, n);
		cr_expect_eq(buf[8 + 28], i);
		if (i < 3)
			cr_expect_eq(inner_udp_sum(buf + 8, (size_t)n - 8), 0, "packet %u has a wrong checksum", i);
	}
	look();
	cr_expect_eq(found.stats[XTR_STAT_INJECT].packets, 3);
	cr_expect_eq(found.stats[XTR_STAT_ENCAP].packets, 6);
	cr_expect_lt(found.cache[0].idle_ms, 3000);
	cr_expect_lt(xtr_dp_cache_idle(dp, 0, &found.cache[0].eid, now_ms()), 3000);
	/* without the daemon traffic goes on; a new one adopts the entry */
	xtr_dp_close(dp);
	buf[0] = 77;
	cr_assert_eq(sendto(tx, buf, 1, 0, (struct sockaddr *)&to, len), 1);
	cr_assert_eq(recv(rx, buf, sizeof(buf), 0), 37);
	cr_expect_eq(buf[36], 77);
	memset(&seen, 0, sizeof(seen));
	dp = open_dp();
	cr_expect_eq(seen.adopt, 1);
	cr_expect_eq(seen.adopted.n, 1);
	cr_expect_arr_eq(&seen.adopted.rloc[0], &m.rloc[0], sizeof(struct xtr_ip));
	xtr_dp_close(dp);
	detach();
	close(tx);
	close(rx);
}

Test(dp_live, queue_is_bounded_and_every_drop_is_counted)
{
	struct xtr_dp_mapping neg = { .action = XTR_ACT_DROP };
	struct sockaddr_storage to;
	socklen_t len;
	struct xtr_ip dst;
	struct xtr_dp *dp;
	int tx;

	config(XTR_MODE_AUTO);
	cfg.queue_timeout_ms = 400;
	dp = open_dp();
	tx = sender("10.2.0.5", &to, &len);
	for (int i = 0; i < 7; i++) /* bound per EID: 4 */
		sendto(tx, "x", 1, 0, (struct sockaddr *)&to, len);
	close(tx);
	tx = sender("10.3.0.5", &to, &len);
	for (int i = 0; i < 4; i++) /* in total: 6 */
		sendto(tx, "x", 1, 0, (struct sockaddr *)&to, len);
	close(tx);
	serve(dp, 50);
	cr_expect_eq(seen.miss, 2);
	cr_expect_eq(dp->q_packets, 6);
	cr_expect_eq(put(dp, "10.2.0.0/24", &neg), 0);
	dst = ip("10.9.9.9");
	xtr_dp_miss_failed(dp, 0, &dst); /* of nobody: nothing happens */
	look();
	cr_expect_eq(found.drops[XTR_DROP_QUEUE_EID_FULL], 3);
	cr_expect_eq(found.drops[XTR_DROP_QUEUE_FULL], 2);
	cr_expect_eq(found.drops[XTR_DROP_QUEUE_NEGATIVE], 4);
	cr_expect_eq(dp->q_packets, 2);
	serve(dp, 900);
	look();
	cr_expect_eq(found.drops[XTR_DROP_QUEUE_TIMEOUT], 2);
	cr_expect_eq(dp->q_packets, 0);
	cr_expect_null(dp->queues);
	cr_expect_eq(dp->q_octets, 0);
	/* the counters survive a restart */
	xtr_dp_close(dp);
	dp = open_dp();
	tx = sender("10.4.0.5", &to, &len);
	sendto(tx, "x", 1, 0, (struct sockaddr *)&to, len);
	close(tx);
	serve(dp, 50);
	dst = ip("10.4.0.5");
	xtr_dp_miss_failed(dp, 0, &dst);
	look();
	cr_expect_eq(found.drops[XTR_DROP_QUEUE_TIMEOUT], 3);
	xtr_dp_close(dp);
	detach();
}

Test(dp_live, an_entry_removed_behind_our_back_is_repaired_by_the_next_packet)
{
	struct xtr_dp_mapping m = mapping("192.0.2.2", 1, NULL, 0);
	struct sockaddr_storage to;
	socklen_t len;
	union xtr_dp_key k;
	struct xtr_ippfx p = pfx("10.2.0.0/24");
	struct xtr_dp *dp;
	uint8_t buf[256];
	int tx, rx;

	config(XTR_MODE_AUTO);
	dp = open_dp();
	rx = in_child(SOCK_DGRAM, "192.0.2.2", 4341);
	cr_expect_eq(put(dp, "10.2.0.0/24", &m), 0);
	xtr_dp_key(&k, 0, &p);
	cr_assert_eq(bpf_map_delete_elem(dp->map[XTR_M_EID4], &k), 0);
	tx = sender("10.2.0.5", &to, &len);
	for (int i = 0; i < 2; i++) {
		sendto(tx, "x", 1, 0, (struct sockaddr *)&to, len);
		serve(dp, 50);
		cr_expect_eq(recv(rx, buf, sizeof(buf), 0), 37);
	}
	cr_expect_eq(seen.miss, 0);
	look();
	cr_expect_eq(found.caches, 1);
	cr_expect_eq(found.stats[XTR_STAT_MISS].packets, 1);
	xtr_dp_close(dp);
	detach();
	close(tx);
	close(rx);
}

Test(dp_live, send_map_request_entries_ask_once_a_second)
{
	struct xtr_dp_mapping m = { .action = XTR_ACT_SEND_REQUEST };
	struct sockaddr_storage to;
	socklen_t len;
	struct xtr_dp *dp;
	int tx;

	config(XTR_MODE_AUTO);
	dp = open_dp();
	cr_expect_eq(put(dp, "10.2.0.0/24", &m), 0);
	tx = sender("10.2.0.5", &to, &len);
	for (int i = 0; i < 5; i++)
		sendto(tx, "x", 1, 0, (struct sockaddr *)&to, len);
	serve(dp, 50);
	cr_expect_eq(seen.request, 1);
	cr_expect_eq(dp->q_packets, 0);
	close(tx);
	xtr_dp_close(dp);
	detach();
}

/* A stream that never stops while its mapping is resolved: nothing lost, nothing overtaken. */
Test(dp_live, order_is_kept_while_an_entry_is_installed, .timeout = 30)
{
	struct xtr_dp_mapping m = mapping("192.0.2.2", 1, NULL, 0);
	struct sockaddr_storage to;
	socklen_t len;
	struct xtr_dp *dp;
	uint8_t buf[256];
	uint32_t expect = 0, got, late = 0, total = 3000;
	int rx, tx, big = 8 << 20;
	pid_t stream;

	config(XTR_MODE_AUTO);
	cfg.queue_eid_packets = cfg.queue_packets = 4000;
	cfg.miss_eid_burst = 100000;
	cfg.miss_burst = 100000;
	dp = open_dp();
	rx = in_child(SOCK_DGRAM, "192.0.2.2", 4341);
	setsockopt(rx, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
	tx = sender("10.2.0.5", &to, &len);
	stream = fork();
	if (!stream) {
		for (uint32_t i = 0; i < total; i++) {
			if (sendto(tx, &i, sizeof(i), 0, (struct sockaddr *)&to, len) != sizeof(i))
				_exit(1);
			usleep(20);
		}
		_exit(0);
	}
	serve(dp, 60);
	cr_expect_eq(seen.miss, 1);
	cr_expect_gt(dp->q_packets, 10);
	cr_expect_eq(put(dp, "10.2.0.0/24", &m), 0);
	cr_expect_eq(dp->hold_active, 1);
	serve(dp, 1000);
	waitpid(stream, NULL, 0);
	serve(dp, 50);
	for (uint32_t i = 0; i < total; i++) {
		if (recv(rx, buf, sizeof(buf), 0) != 40)
			break;
		memcpy(&got, buf + 36, 4);
		late += got != expect;
		expect = got + 1;
	}
	look();
	cr_expect_eq(expect, total, "lost: last seen %u", expect);
	cr_expect_eq(late, 0);
	cr_expect_gt(found.stats[XTR_STAT_HELD].packets, 0, "some packets have to be held, or this shows nothing");
	cr_expect_eq(dp->hold_active, 0);
	close(tx);
	close(rx);
	xtr_dp_close(dp);
	detach();
}

/* A TCP super-packet with a partial checksum from an attached port, captured whole and injected whole. */
Test(dp_live, super_packets_survive_the_queue)
{
	struct { uint8_t v[10]; uint8_t f[14 + 40 + 6000]; } __attribute__((packed)) p;
	struct xtr_dp_mapping m = mapping("192.0.2.2", 1, NULL, 0);
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex("h1"), .sll_halen = 6 };
	static uint8_t buf[70000];
	struct xtr_nl_link l;
	struct xtr_dp_l4 l4;
	struct xtr_dp *dp;
	uint32_t sum = 0, octets = 0;
	uint16_t tot = 40 + 6000, mss = 1000;
	int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1, rx;
	ssize_t n;

	config(XTR_MODE_AUTO);
	dp = open_dp();
	rx = in_child(SOCK_DGRAM, "192.0.2.2", 4341);
	cr_assert_eq(xtr_nl_link_get(dp->nl, 0, "h0", &l), 0);
	memset(&p, 0, sizeof(p));
	memcpy(p.f, l.mac, 6);
	memcpy(p.f + 6, "\2\0\0\0\0\7\x08\x00\x45\0", 10);
	p.f[16] = (uint8_t)(tot >> 8);
	p.f[17] = (uint8_t)tot;
	memcpy(p.f + 22, "\x40\x06\0\0\x0a\1\0\x0a\x0a\2\0\5", 12);
	for (int i = 14; i < 34; i += 2)
		sum += (uint32_t)p.f[i] << 8 | p.f[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	p.f[24] = (uint8_t)(~sum >> 8);
	p.f[25] = (uint8_t)~sum;
	memcpy(p.f + 34, "\x12\x34\x00\x50", 4);
	p.f[46] = 0x50;
	p.f[47] = 0x10;
	sum = 0x0a01 + 0x000a + 0x0a02 + 0x0005 + 6 + 6020; /* pseudo-header */
	sum = (sum & 0xffff) + (sum >> 16);
	p.f[50] = (uint8_t)(sum >> 8);
	p.f[51] = (uint8_t)sum;
	p.v[0] = 1; /* NEEDS_CSUM */
	p.v[1] = 1; /* TCPV4 */
	p.v[2] = 54;
	memcpy(p.v + 4, &mss, 2);
	p.v[6] = 34;
	p.v[8] = 16;
	cr_assert_eq(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)), 0);
	cr_assert_eq(sendto(fd, &p, sizeof(p), 0, (struct sockaddr *)&ll, sizeof(ll)), (ssize_t)sizeof(p), "%s", strerror(errno));
	serve(dp, 100);
	cr_assert_eq(dp->q_packets, 1);
	cr_expect_eq(dp->queues->head->gso_size, 1000);
	xtr_dp_l4_find(dp->queues->head->frame, dp->queues->head->len, &l4);
	cr_expect(l4.partial && l4.l4 == 34 && l4.proto == 6);
	cr_expect_eq(put(dp, "10.2.0.0/24", &m), 0);
	while ((n = recv(rx, buf, sizeof(buf), 0)) > 0)
		octets += (uint32_t)n - 8 - 40;
	cr_expect_eq(octets, 6000);
	look();
	cr_expect_eq(found.drops[XTR_DROP_INJECT_FAILED], 0);
	xtr_dp_close(dp);
	detach();
	close(fd);
	close(rx);
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
