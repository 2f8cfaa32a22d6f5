// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See dp_lab.h. Namespaces are left to the kernel: they go with the process of the test.
 */
#include "dp_lab.h"

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

static char base[64];
char bpffs[96];
pid_t child;

void sh(const char *fmt, ...)
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

uint64_t now_ms(void)
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

void dp_setup(void)
{
	xtr_log_max = XTR_LOG_WARN;
	cr_assert_eq(unshare(CLONE_NEWNET | CLONE_NEWNS), 0, "needs root");
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	snprintf(base, sizeof(base), "/tmp/xtr-dp-XXXXXX");
	cr_assert_not_null(mkdtemp(base));
	snprintf(bpffs, sizeof(bpffs), "%s/bpf", base);
	cr_assert_eq(mkdir(bpffs, 0700), 0);
	cr_assert_eq(mount("bpf", bpffs, "bpf", 0, "mode=0700"), 0);
	start_child();
	sh("ip link set lo up; sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.accept_dad=0");
	sh("ip link add u0 type veth peer name u1 && ip link set u1 netns %d && ip link add h0 type veth peer name h1",
	   (int)child);
	sh("ip link set u0 address 02:00:00:00:00:01 up; ip link set h0 up; ip link set h1 up");
	sh("ip addr add 192.0.2.1/24 dev u0; ip addr add 2001:db8::1/64 dev u0 nodad; ip addr add 10.1.0.254/24 dev h0");
	sh("nsenter --net=/proc/%d/ns/net sh -c 'ip link set lo up; ip link set u1 address 02:00:00:00:00:02 up; ip addr add 192.0.2.2/24 "
	   "dev u1; ip addr add 192.0.2.3/24 dev u1; ip addr add 2001:db8::2/64 dev u1 nodad'",
	   (int)child);
	for (int i = 0; i < 200; i++) { /* both ends up, all addresses settled */
		if (!system("ip -o link show u0 | grep -q 'state UP' && ! ip -6 addr | grep -q tentative"))
			return;
		usleep(50000);
	}
	cr_assert_fail("u0 does not get ready");
}

void dp_teardown(void)
{
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	umount2(bpffs, MNT_DETACH);
	rmdir(bpffs);
	rmdir(base);
}

/* ---- a data plane to test */

struct xtr_dp_port ports[4];
struct xtr_dp_overlay overlay[2];
struct xtr_dp_local locals[4];
struct xtr_ip rlocs[2];
struct xtr_ippfx addrs[2], routes[4];
struct xtr_dp_config cfg;
struct dp_seen seen;

struct xtr_ip ip(const char *s)
{
	struct xtr_ip v;

	cr_assert_eq(xtr_ip_parse(s, &v), 0);
	return v;
}

struct xtr_ippfx pfx(const char *s)
{
	struct xtr_ippfx v;

	cr_assert_eq(xtr_ippfx_parse(s, &v), 0);
	return v;
}

static bool on_miss(void *ctx, uint32_t iid, const struct xtr_ip *dst, const struct xtr_ip *src,
		    unsigned how)
{
	seen.miss++;
	seen.request += how & XTR_DP_MISS_REQUEST_ONLY;
	seen.again += !!(how & XTR_DP_MISS_AGAIN);
	seen.dst = *dst;
	return !seen.refuse;
}
static void on_adopt(void *ctx, uint32_t iid, const struct xtr_ippfx *eid,
		     const struct xtr_dp_mapping *m)
{
	seen.adopt++;
	seen.adopted = *m;
	seen.eid = *eid;
}
static void on_up(void *ctx, const struct xtr_ip *up, unsigned n) { seen.up = n; }

const struct xtr_dp_callbacks cb = { .miss = on_miss, .adopt = on_adopt, .rlocs_up = on_up };

void config(uint8_t mode)
{
	ports[0] = (struct xtr_dp_port){ .name = "u0", .role = XTR_ROLE_UNDERLAY, .mode = mode };
	ports[1] = (struct xtr_dp_port){ .name = "h0", .role = XTR_ROLE_EID, .mode = mode, .untagged = true };
	addrs[0] = pfx("10.1.0.1/32");
	addrs[1] = pfx("fd01::1/128");
	routes[0] = pfx("10.0.0.0/8");
	routes[1] = pfx("fd00::/8");
	overlay[0] = (struct xtr_dp_overlay){ .name = "xtr0",
					      .addresses = addrs,
					      .address_count = 2,
					      .routes = routes,
					      .route_count = 2 };
	locals[0] = (struct xtr_dp_local){ .eid = pfx("10.1.0.0/24"), .map_version = 7 };
	locals[1] = (struct xtr_dp_local){ .eid = pfx("fd01::/64") };
	rlocs[0] = ip("192.0.2.1");
	rlocs[1] = ip("2001:db8::1");
	cfg = (struct xtr_dp_config){ .bpffs = bpffs,
				      .ports = ports,
				      .port_count = 2,
				      .overlays = overlay,
				      .overlay_count = 1,
				      .locals = locals,
				      .local_count = 2,
				      .rlocs = rlocs,
				      .rloc_count = 2,
				      .cache_entries = 1024,
				      .rloc_entries = 256,
				      .miss_rate = 20000,
				      .miss_burst = 1000,
				      .miss_eid_burst = 256,
				      .queue_eid_packets = 4,
				      .queue_packets = 6,
				      .queue_octets = 1 << 20,
				      .queue_timeout_ms = 5000,
				      .route_table = 4341,
				      .rule_priority = 4341,
				      .mark = 0x4c495350 };
	memset(&seen, 0, sizeof(seen));
}

struct xtr_dp *open_dp(void)
{
	struct xtr_dp *dp = NULL;
	struct xtr_err err = { "" };
	int r = xtr_dp_open(&cfg, &cb, &dp, &err);

	cr_assert_eq(r, 0, "xtr_dp_open: %d %s", r, err.text);
	return dp;
}

void detach(void)
{
	struct xtr_err err = { "" };
	int r = xtr_dp_detach(bpffs, false, NULL, NULL, &err);

	cr_assert_eq(r, 0, "xtr_dp_detach: %d %s", r, err.text);
}

/* Serves the data plane for a while, as the daemon's loop does. */
void serve(struct xtr_dp *dp, unsigned ms)
{
	uint64_t end = now_ms() + ms, next = 0, now;

	while ((now = now_ms()) < end) {
		struct pollfd p[3] = { { .fd = xtr_dp_event_fd(dp), .events = POLLIN },
				       { .fd = xtr_dp_netlink_fd(dp), .events = POLLIN },
				       { .fd = xtr_dp_slow_fd(dp), .events = POLLIN } };
		uint64_t wait = next > now ? next - now : 0;

		poll(p, 3, (int)(wait > end - now ? end - now : wait));
		if (p[0].revents)
			xtr_dp_events(dp, now_ms());
		if (p[1].revents)
			xtr_dp_netlink(dp, now_ms());
		if (p[2].revents)
			xtr_dp_slow(dp, now_ms());
		next = xtr_dp_tick(dp, now_ms());
	}
}

char *capture(const char *cmd)
{
	static char out[65536];
	FILE *f = popen(cmd, "r");
	size_t n = fread(out, 1, sizeof(out) - 1, f);

	out[n] = '\0';
	pclose(f);
	return strdup(out);
}

/* Everything in the namespace that could be left behind. */
char *snapshot(void)
{
	char cmd[1024];

	snprintf(
		cmd, sizeof(cmd),
		"ip -o link 2>/dev/null | sed 's/ qdisc [a-z]*//; s/state [A-Z]*//'; ip -o addr 2>/dev/null; ip rule; ip -6 rule; ip route show table all; "
		"ip -6 route show table all | sed 's/ pref medium//' | sort; tc qdisc | grep -v noqueue; ip -d neigh | grep -E 'managed|PERMANENT'; ls -R %s; sysctl -a 2>/dev/null | grep -E "
		"'net.ipv[46].conf.(all|default|u0|h0|h1)' | sort",
		bpffs);
	return capture(cmd);
}

void expect_same(const char *before, const char *after)
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

struct xtr_dp_mapping mapping(const char *a, uint8_t wa, const char *b, uint8_t wb)
{
	struct xtr_dp_mapping m = { .action = XTR_ACT_ENCAP,
				    .n = (uint8_t)(b ? 2 : 1),
				    .weight = { wa, wb } };

	m.rloc[0] = ip(a);
	if (b)
		m.rloc[1] = ip(b);
	return m;
}

int put(struct xtr_dp *dp, const char *eid, const struct xtr_dp_mapping *m)
{
	struct xtr_ippfx p = pfx(eid);

	return xtr_dp_cache_put(dp, 0, &p, m, now_ms());
}

struct dp_found found;

static int see_rloc(void *arg, const struct xtr_dp_rloc_row *r)
{
	found.rloc[found.rlocs++ % 8] = *r;
	return 0;
}
static void see_map_cache(struct xtr_dp_view *v)
{
	struct xtr_dp_view_list *l = NULL;
	uint32_t iid;
	struct xtr_ippfx eid;

	cr_assert_eq(xtr_dp_view_list(v, NULL, NULL, &l), 0);
	for (size_t i = 0; xtr_dp_view_list_at(l, i, &iid, &eid); i++) {
		struct xtr_dp_cache_row *row = &found.cache[found.caches++ % 8];

		xtr_dp_view_list_row(v, l, i, row);
		xtr_dp_view_list_set(v, row);
	}
	xtr_dp_view_list_free(l);
}
static int see_local(void *arg, const struct xtr_dp_local_row *r)
{
	found.local[found.locals++ % 64] = *r;
	return 0;
}
static int see_iface(void *arg, const struct xtr_dp_iface_row *r)
{
	found.iface[found.ifaces++ % 8] = *r;
	return 0;
}

void look(void)
{
	struct xtr_err err = { "" };
	struct xtr_dp_view *v = NULL;
	int r = xtr_dp_view_open(bpffs, &v, &err);

	cr_assert_eq(r, 0, "%d %s", r, err.text);
	memset(&found, 0, sizeof(found));
	cr_expect_eq(xtr_dp_view_rloc(v, see_rloc, NULL), 0);
	see_map_cache(v);
	cr_expect_eq(xtr_dp_view_local(v, see_local, NULL), 0);
	cr_expect_eq(xtr_dp_view_iface(v, see_iface, NULL), 0);
	cr_expect_eq(xtr_dp_view_drops(v, found.drops), 0);
	cr_expect_eq(xtr_dp_view_stats(v, found.stats), 0);
	xtr_dp_view_close(v);
}

const struct xtr_dp_local_row *local_row(const char *eid)
{
	struct xtr_ippfx p = pfx(eid);

	for (unsigned i = 0; i < found.locals; i++)
		if (!memcmp(&found.local[i].eid, &p, sizeof(p)))
			return &found.local[i];
	return NULL;
}

const struct xtr_dp_iface_row *iface_row(const char *name)
{
	for (unsigned i = 0; i < found.ifaces; i++)
		if (!strcmp(found.iface[i].name, name))
			return &found.iface[i];
	return NULL;
}
