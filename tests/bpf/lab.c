/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The bench of lab.h. Everything lives in the test's own process and network namespace and ends with it: nothing is
 * pinned, no name is visible outside.
 */
#include "bpf/lab.h"
#include "dp/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#define MAX_CPUS 1024

struct lab lab;
static int cpus;
static struct ring_buffer *ring;
static struct seen seen;

const char *const hook_name[H_MAX] = {
	"tc-eid", "xdp-eid", "tc-xtr0", "tc-peer", "inject", "inject-xtr0", "tc-under", "xdp-under", "slow",
};

#define must(cond, ...) do { if (!(cond)) { fprintf(stderr, "lab: " __VA_ARGS__); fprintf(stderr, ": %s\n", strerror(errno)); abort(); } } while (0)

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, fmt, ap) : 0;
}

static void shell(const char *cmd)
{
	must(system(cmd) == 0, "%s", cmd);
}

static void devices(void)
{
	must(unshare(CLONE_NEWNET) == 0, "network namespace (these tests need root)");
	/* no router solicitations or multicast reports among the frames that tests wait for */
	shell("ip link set lo up; sysctl -qw net.ipv6.conf.default.disable_ipv6=1;"
	      "ip link add under address 02:00:00:00:00:01 mtu 1600 type veth peer name underx;"
	      "ip link add xtr0 address 02:00:00:00:00:02 type veth peer name xtr0p address 02:00:00:00:00:03;"
	      "ip link add eid address 02:00:00:00:00:04 type veth peer name eidx address 02:00:00:00:00:40;"
	      "for d in under underx xtr0 xtr0p eid eidx; do ip link set $d addrgenmode none up; done");
	lab.under = if_nametoindex("under");
	lab.xtr0 = if_nametoindex("xtr0");
	lab.peer = if_nametoindex("xtr0p");
	lab.eid = if_nametoindex("eid");
}

/* Token buckets are per CPU: a test that moved from one to another would find more tokens than it counted. */
static void stay_on_one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	must(sched_setaffinity(0, sizeof(set), &set) == 0, "CPU affinity");
}

static int map_fd(const char *name)
{
	struct bpf_map *map = xtr_dp_obj_map(lab.skel->obj, name);

	must(map, "map %s", name);
	return bpf_map__fd(map);
}

/* As the daemon does after each change: nothing that was copied before may be used. */
static void bump(void)
{
	static __u32 gen;

	gen++;
	for (unsigned i = 0; i < XTR_GEN_SLOTS; i++)
		lab.skel->data_xtr_gen->xtr_gen[i] = i == XTR_GEN_BEAT ? (__u32)lab.now : gen;
}

/* By another object, loaded onto the maps of the first. */
int lab_prog(const struct bpf_program *wanted)
{
	static struct { const char *name; int fd; } loaded[16];
	const char *name = bpf_program__name(wanted);
	struct bpf_program *prog;
	struct bpf_map *map;
	struct xtr_bpf *skel;
	unsigned i = 0;

	for (; i < 16 && loaded[i].name; i++)
		if (!strcmp(loaded[i].name, name))
			return loaded[i].fd;
	must(i < 16, "more programs than expected, with %s", name);
	skel = xtr_bpf__open();
	must(skel, "open");
	bpf_object__for_each_map(map, skel->obj)
		must(bpf_map__reuse_fd(map, bpf_map__fd(bpf_object__find_map_by_name(lab.skel->obj, bpf_map__name(map)))) == 0,
		     "map %s", bpf_map__name(map));
	bpf_object__for_each_program(prog, skel->obj)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), name));
	must(xtr_bpf__load(skel) == 0, "load of %s", name);
	loaded[i].name = name;
	loaded[i].fd = bpf_program__fd(bpf_object__find_program_by_name(skel->obj, name));
	return loaded[i].fd;
}

static void put(const char *map, const void *key, const void *value)
{
	must(bpf_map_update_elem(map_fd(map), key, value, 0) == 0, "update of %s", map);
	bump();
}

static void get(const char *map, const void *key, void *value)
{
	must(bpf_map_lookup_elem(map_fd(map), key, value) == 0, "lookup in %s", map);
}

/* "10.0.0.0/8" to a key; returns which of the two maps. */
static int lpm(struct xtr_lpm6 *k, __u32 iid, const char *prefix)
{
	char text[64];
	char *slash;
	int six;

	snprintf(text, sizeof(text), "%s", prefix);
	slash = strchr(text, '/');
	must(slash, "prefix %s", prefix);
	*slash = 0;
	*k = (struct xtr_lpm6){ .prefixlen = 32 + atoi(slash + 1), .iid = htonl(iid) };
	six = strchr(text, ':') != NULL;
	must(inet_pton(six ? AF_INET6 : AF_INET, text, k->addr) == 1, "prefix %s", prefix);
	return six;
}

void lab_iid(__u32 iid)
{
	const int ports[] = { lab.eid, lab.xtr0, lab.peer };

	for (unsigned i = 0; i < 3; i++) {
		struct xtr_iface v = lab_iface_get(ports[i]);

		v.iid = iid;
		lab_iface(ports[i], v);
	}
}

void lab_local(__u32 iid, const char *prefix, __u32 flags, __u16 version)
{
	struct xtr_local v = { .flags = flags, .map_version = version, .generation = 1 };
	struct xtr_lpm6 k;

	put(lpm(&k, iid, prefix) ? XTR_MAP_LOCAL6 : XTR_MAP_LOCAL4, &k, &v);
}

void lab_eid(__u32 iid, const char *prefix, struct xtr_eid v)
{
	struct xtr_lpm6 k;

	put(lpm(&k, iid, prefix) ? XTR_MAP_EID6 : XTR_MAP_EID4, &k, &v);
}

struct xtr_eid lab_eid_get(__u32 iid, const char *prefix)
{
	struct xtr_lpm6 k;
	struct xtr_eid v;
	int six = lpm(&k, iid, prefix);

	get(six ? XTR_MAP_EID6 : XTR_MAP_EID4, &k, &v);
	return v;
}

void lab_iface(int ifindex, struct xtr_iface v)
{
	put(XTR_MAP_IFACES, &(struct xtr_port_key){ .ifindex = (__u32)ifindex }, &v);
}

struct xtr_iface lab_iface_get(int ifindex)
{
	struct xtr_iface v;

	get(XTR_MAP_IFACES, &(struct xtr_port_key){ .ifindex = (__u32)ifindex }, &v);
	return v;
}

void lab_rset(__u32 id, struct xtr_rset v)
{
	put(XTR_MAP_RSET, &id, &v);
}

struct xtr_rloc lab_rloc_get(__u32 id)
{
	struct xtr_rloc v;

	get(XTR_MAP_RLOC, &id, &v);
	return v;
}

void lab_rloc_del(__u32 id)
{
	must(bpf_map_delete_elem(map_fd(XTR_MAP_RLOC), &id) == 0, "delete template %u", id);
	bump();
}

/* "233.252.1.1/32" or "233.252.0.0/16"; source NULL: of all. Both make one key, as dp does. */
void lab_mcast(__u32 iid, const char *group, const char *source, struct xtr_mcast v)
{
	struct xtr_lpm6 g;
	int six = lpm(&g, iid, group);
	struct xtr_mc6 k6 = { .prefixlen = g.prefixlen, .iid = g.iid };
	struct xtr_mc4 k4 = { .prefixlen = g.prefixlen, .iid = g.iid, .group = g.addr[0] };

	memcpy(k6.group, g.addr, sizeof(k6.group));
	if (source) {
		must(inet_pton(six ? AF_INET6 : AF_INET, source, six ? (void *)k6.source : &k4.source) == 1, "source %s", source);
		k6.prefixlen += 128;
		k4.prefixlen += 32;
	}
	put(six ? XTR_MAP_MCAST6 : XTR_MAP_MCAST4, six ? (void *)&k6 : &k4, &v);
}

struct xtr_mcast lab_mcast_get(__u32 iid, const char *group)
{
	struct xtr_mc4 k = { .prefixlen = 64, .iid = htonl(iid) };
	struct xtr_mcast v;

	must(inet_pton(AF_INET, group, &k.group) == 1, "group %s", group);
	get(XTR_MAP_MCAST4, &k, &v);
	return v;
}

void lab_repl(__u32 id, __u32 part, struct xtr_repl v)
{
	struct xtr_repl_key k = { id, part };

	put(XTR_MAP_REPL, &k, &v);
}

void lab_ctlsrc(const char *prefix)
{
	struct xtr_lpm6 p;
	int six = lpm(&p, 0, prefix);
	struct xtr_ctlsrc k = { .prefixlen = p.prefixlen, .family = htonl(six ? XTR_FAMILY_IP6 : XTR_FAMILY_IP4) };
	__u32 flags = 0;

	memcpy(k.addr, p.addr, sizeof(k.addr));
	put(XTR_MAP_CTLSRC, &k, &flags);
}

void lab_rloc(__u32 id, struct xtr_rloc v)
{
	put(XTR_MAP_RLOC, &id, &v);
}

void lab_inst(__u32 iid, struct xtr_inst v)
{
	put(XTR_MAP_INST, &iid, &v);
}

void lab_inst_del(__u32 iid)
{
	must(bpf_map_delete_elem(map_fd(XTR_MAP_INST), &iid) == 0, "delete instance %u", iid);
	bump();
}

struct xtr_count lab_rlstat(__u32 index)
{
	struct xtr_count v[MAX_CPUS], total = {};

	get(XTR_MAP_RLSTAT, &index, v);
	for (int i = 0; i < cpus; i++) {
		total.packets += v[i].packets;
		total.octets += v[i].octets;
	}
	return total;
}

void lab_cfg(void)
{
	__u32 zero = 0;

	put(XTR_MAP_CFG, &zero, &lab.cfg);
}

void lab_flags(__u32 flags)
{
	lab.cfg.flags = flags;
	lab_cfg();
}

__u64 lab_jiffies(void)
{
	__u8 frame[64] = { [12] = 0x08 };
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = sizeof(frame));
	struct xtr_cfg cfg;
	__u32 zero = 0;

	must(bpf_prog_test_run_opts(lab_prog(lab.skel->progs.xtr_clock), &o) == 0, "xtr_clock");
	get(XTR_MAP_CFG, &zero, &cfg);
	lab_cfg(); /* hz is the test's to choose */
	return cfg.jiffies;
}

static void self(int family, const char *text)
{
	struct xtr_self_key k = { .family = family == AF_INET ? XTR_FAMILY_IP4 : XTR_FAMILY_IP6 };
	__u32 flags = 1;

	inet_pton(family, text, &k.ip);
	put(XTR_MAP_SELF, &k, &flags);
}

struct xtr_rloc lab_template(int family, const char *src, const char *dst, __u32 stat)
{
	struct xtr_rloc t = {
		.family = family == AF_INET ? XTR_FAMILY_IP4 : XTR_FAMILY_IP6,
		.flags = XTR_RLOC_F_UP | XTR_RLOC_F_L2 | XTR_RLOC_F_XDP_TX,
		.ifindex = lab.under, .heartbeat = lab.now, .dport = htons(XTR_PORT_DATA), .mtu = 1600, .stat = stat,
		.dmac = MAC_BYTES(MAC_NEXT), .smac = MAC_BYTES(MAC_UNDER),
	};
	__u16 w[10] = { htons(0x4500), 0, 0, htons(0x4000), htons(17) };

	inet_pton(family, src, &t.src);
	inet_pton(family, dst, &t.dst);
	if (family == AF_INET) {
		memcpy(w + 6, &t.src, 4);
		memcpy(w + 8, &t.dst, 4);
		for (int i = 0; i < 10; i++)
			t.csum += w[i];
	}
	return t;
}

static void world(void)
{
	static const __u32 iids[] = { 0, IID_A, IID_B };
	const struct xtr_eid by4 = { .action = XTR_ACT_ENCAP, .rset = RSET4 }, by6 = { .action = XTR_ACT_ENCAP, .rset = RSET6 };
	struct xtr_iface port = { .role = XTR_ROLE_UNDERLAY, .mac = MAC_BYTES(MAC_UNDER), .mtu = 1600 };

	lab.cfg = (struct xtr_cfg){
		.abi_version = XTR_ABI_VERSION, .miss_rate = 1000, .miss_burst = 1000, .miss_eid_burst = 64, .miss_source_rate = 1000,
		.large_rate = 1000, .large_burst = 1000, .icmp_rate = 1000, .icmp_burst = 1000,
		.hash_seed = 0x5eed, .control_rate = 1000, .control_burst = 1000, .hz = 250, .native_ifindex = lab.under, .heartbeat_max = 250 * 3600,
	};
	lab_cfg();
	lab.now = lab_jiffies();
	lab_iface(lab.under, port);
	port = (struct xtr_iface){ .role = XTR_ROLE_OVERLAY, .slot = 1, .peer = lab.peer, .mac = MAC_BYTES(MAC_XTR0) };
	lab_iface(lab.xtr0, port);
	port = (struct xtr_iface){ .role = XTR_ROLE_PEER, .slot = 2, .peer = lab.xtr0, .mac = MAC_BYTES(MAC_PEER) };
	lab_iface(lab.peer, port);
	port = (struct xtr_iface){ .role = XTR_ROLE_EID, .slot = 3, .flags = XTR_IF_F_ROUTER_HOP, .mac = MAC_BYTES(MAC_EID) };
	lab_iface(lab.eid, port);
	self(AF_INET, "192.0.2.1");
	self(AF_INET6, "2001:db8::1");
	for (unsigned i = 0; i < sizeof(iids) / sizeof(iids[0]); i++) {
		lab_inst(iids[i], (struct xtr_inst){ .overlay = lab.xtr0, .peer = lab.peer, .mac = MAC_BYTES(MAC_XTR0) });
		lab_local(iids[i], "10.1.0.0/16", XTR_LOCAL_F_EID, 0);
		lab_local(iids[i], "fd01::/48", XTR_LOCAL_F_EID, 0);
		lab_local(iids[i], "10.1.0.1/32", XTR_LOCAL_F_EID | XTR_LOCAL_F_SELF, 0);
		lab_eid(iids[i], "10.2.0.0/16", by4);
		lab_eid(iids[i], "fd02::/48", by4);
		lab_eid(iids[i], "10.6.0.0/16", by6);
		lab_eid(iids[i], "fd06::/48", by6);
	}
	lab_rset(RSET4, (struct xtr_rset){ .n = 1, .rloc = { RLOC4 } });
	lab_rset(RSET6, (struct xtr_rset){ .n = 1, .rloc = { RLOC6 } });
	lab_rloc(RLOC4, lab_template(AF_INET, "192.0.2.1", "192.0.2.2", 1));
	lab_rloc(RLOC6, lab_template(AF_INET6, "2001:db8::1", "2001:db8::2", 2));
}

static int on_event(void *ctx, void *data, size_t size)
{
	const struct xtr_event *ev = data;

	must(size >= sizeof(*ev) + ev->caplen, "event of %zu octets says %u", size, ev->caplen);
	seen.n++;
	seen.ev = *ev;
	seen.frame.len = ev->caplen < PKT_MAX ? ev->caplen : PKT_MAX;
	memcpy(seen.frame.b, ev + 1, seen.frame.len);
	return 0;
}

struct seen lab_events(void)
{
	memset(&seen, 0, sizeof(seen));
	must(ring_buffer__consume(ring) >= 0, "ring buffer");
	return seen;
}

void lab_init_with(bool decap_l3, bool meta)
{
	struct bpf_program *prog;
	struct timespec tick;

	libbpf_set_print(quiet);
	stay_on_one_cpu();
	devices();
	cpus = libbpf_num_possible_cpus();
	must(cpus > 0 && cpus <= MAX_CPUS, "%d CPUs", cpus);
	lab.skel = xtr_bpf__open();
	must(lab.skel, "open");
	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	lab.skel->rodata->xtr_hz = 1000000000 / tick.tv_nsec;
	lab.decap_l3 = decap_l3;
	lab.skel->rodata->feat_decap_l3 = decap_l3;
	lab.skel->rodata->feat_meta = meta;
	xtr_dp_copies_size(lab.skel->obj, (uint8_t *)&lab.skel->rodata->copy_bits);
	bpf_object__for_each_program(prog, lab.skel->obj) /* lab_prog does, if a test needs it */
		bpf_program__set_autoload(prog, false);
	must(xtr_bpf__load(lab.skel) == 0, "load");
	ring = ring_buffer__new(map_fd(XTR_MAP_EVENTS), on_event, NULL, NULL);
	must(ring, "ring buffer");
	/* a veth has receive queues for XDP test runs only while a program is attached: any, this one is small */
	must(bpf_xdp_attach(lab.eid, lab_prog(lab.skel->progs.xtr_xdp_eid), 0, NULL) == 0, "XDP on eid");
	must(bpf_xdp_attach(lab.under, lab_prog(lab.skel->progs.xtr_xdp_eid), 0, NULL) == 0, "XDP on under");
	world();
}

bool lab_kernel_has_decap_l3(void)
{
	struct utsname u;
	unsigned major = 0, minor = 0;

	uname(&u);
	sscanf(u.release, "%u.%u", &major, &minor);
	return major > 6 || (major == 6 && minor >= 3);
}

void lab_init(void)
{
	lab_init_with(lab_kernel_has_decap_l3(), true);
}

/* --- running */

static void counters(struct ran *r, int sign)
{
	static struct xtr_count s[MAX_CPUS];
	static __u64 d[MAX_CPUS];

	for (__u32 i = 0; i < XTR_DROP_MAX; i++) {
		get(XTR_MAP_DROPS, &i, d);
		for (int c = 0; c < cpus; c++)
			r->drops[i] += sign * d[c];
	}
	for (__u32 i = 0; i < XTR_STAT_SLOTS; i++) {
		get(XTR_MAP_STATS, &i, s);
		for (int c = 0; c < cpus; c++) {
			if (i >= XTR_STAT_PARTS_FROM) {
				xtr_stat_add_part(r->stats, i, sign * s[c].packets, sign * s[c].octets);
			} else if (i < XTR_STAT_MAX) {
				r->stats[i].packets += sign * s[c].packets;
				r->stats[i].octets += sign * s[c].octets;
			}
		}
	}
}

struct ran lab_count_start(void)
{
	struct ran r = {};

	counters(&r, -1);
	return r;
}

void lab_count_end(struct ran *r)
{
	counters(r, 1);
}

static void run_tc(struct ran *r, enum hook h, const struct pkt *p, const struct run_opt *o)
{
	const struct bpf_program *prog = h == H_TC_UNDER ? lab.skel->progs.xtr_tc_underlay :
		h == H_INJECT || h == H_INJECT_XTR0 || h == H_SLOW ? lab.skel->progs.xtr_tc_inject : lab.skel->progs.xtr_tc_encap;
	int dev[H_MAX] = { [H_TC_EID] = lab.eid, [H_TC_XTR0] = lab.xtr0, [H_TC_PEER] = lab.peer, [H_INJECT] = lab.peer,
			   [H_INJECT_XTR0] = lab.peer, [H_TC_UNDER] = lab.under, [H_SLOW] = lab.peer };
	struct __sk_buff ctx = { .ifindex = o->ifindex ?: dev[h], .gso_size = o->gso_size, .gso_segs = o->gso_segs };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = p->b, .data_size_in = p->len, .data_out = r->out.b,
		    .data_size_out = PKT_MAX, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = 1);

	if (h == H_INJECT || h == H_INJECT_XTR0)
		ctx.mark = o->mark ?: (__u32)(h == H_INJECT ? lab.eid : lab.xtr0);
	if (h == H_SLOW)
		ctx.mark = o->mark ?: XTR_MARK_DECAP | (__u32)lab.under;
	if (o->mark == ~0u)
		ctx.mark = 0;
	if (o->ingress || h == H_TC_EID || h == H_TC_PEER || h == H_TC_UNDER)
		ctx.ingress_ifindex = o->ingress ?: (int)ctx.ifindex;
	must(bpf_prog_test_run_opts(lab_prog(prog), &run) == 0, "run on %s", hook_name[h]);
	r->ret = (int)run.retval;
	r->out.len = run.data_size_out;
}

static void run_xdp(struct ran *r, enum hook h, const struct pkt *p, const struct run_opt *o)
{
	const struct bpf_program *prog = h == H_XDP_UNDER ? lab.skel->progs.xtr_xdp_under : lab.skel->progs.xtr_xdp_eid;
	/* Metadata in front of the frame stand for the 0xff headroom: encapsulation moves them forward and leaves a
	 * copy where its headers go. Decapsulation adds metadata of its own and has no use for more. */
	unsigned sentinel = h == H_XDP_EID && !o->no_sentinel ? 32 : 0;
	__u8 in[PKT_MAX + 64], out[PKT_MAX + 256];
	struct xdp_md ctx = { .data = sentinel, .data_end = sentinel + p->len,
			      .ingress_ifindex = o->ifindex ?: h == H_XDP_UNDER ? lab.under : lab.eid };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = in, .data_size_in = sentinel + p->len, .data_out = out,
		    .data_size_out = sizeof(out), .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .ctx_out = &ctx,
		    .ctx_size_out = sizeof(ctx), .repeat = 1);

	memset(in, 0xff, sentinel);
	memcpy(in + sentinel, p->b, p->len);
	must(bpf_prog_test_run_opts(lab_prog(prog), &run) == 0, "run on %s", hook_name[h]);
	r->ret = run.retval;
	r->meta_len = ctx.data - ctx.data_meta;
	must(r->meta_len <= sizeof(r->meta), "metadata of %u octets", r->meta_len);
	memcpy(r->meta, out, r->meta_len);
	r->out.len = run.data_size_out - r->meta_len;
	memcpy(r->out.b, out + r->meta_len, r->out.len);
}

struct ran lab_run(enum hook h, const struct pkt *p, const struct run_opt *opt)
{
	static const struct run_opt none;
	struct ran r = lab_count_start();

	if (h == H_XDP_EID || h == H_XDP_UNDER)
		run_xdp(&r, h, p, opt ?: &none);
	else
		run_tc(&r, h, p, opt ?: &none);
	lab_count_end(&r);
	return r;
}

/* --- judging */

static const char *const drop_name[] = {
#define X(sym, name, text) name,
	XTR_DROP_REASONS(X)
#undef X
};

const char *ran_dropped(const struct ran *r)
{
	for (int i = 0; i < XTR_DROP_MAX; i++)
		if (r->drops[i])
			return drop_name[i];
	return NULL;
}

const char *ran_counters(const struct ran *r, int drop, const int *stats)
{
	static const char *const stat_name[] = {
#define X(sym, name, text) name,
		XTR_STATS(X)
#undef X
	};
	static char text[96];
	int want[XTR_STAT_MAX] = {};

	for (int i = 0; i < XTR_DROP_MAX; i++)
		if (r->drops[i] != (i && i == drop)) {
			snprintf(text, sizeof(text), "drop %s moved by %lld", drop_name[i], (long long)r->drops[i]);
			return text;
		}
	for (; *stats >= 0; stats++)
		want[*stats] = 1;
	for (int i = 0; i < XTR_STAT_MAX; i++)
		if (r->stats[i].packets != (__u64)want[i]) {
			snprintf(text, sizeof(text), "%s moved by %lld", stat_name[i], (long long)r->stats[i].packets);
			return text;
		}
	return NULL;
}

void take_entropy(const struct pkt *got, struct pkt *want)
{
	unsigned udp = want->b[12] == 0x08 ? 34 : 54;
	unsigned port;

	if (got->len < udp + 8)
		return;
	port = got->b[udp] << 8 | got->b[udp + 1];
	cr_expect(port >= 0xc000, "outer source port %u is not dynamic", port);
	want->b[udp] = port >> 8;
	want->b[udp + 1] = port;
	if (udp == 54) { /* flow label: its low bits are those of the port */
		cr_expect_eq((got->b[16] << 8 | got->b[17]) & 0x3fff, port & 0x3fff, "flow label and port disagree");
		want->b[15] = (want->b[15] & 0xf0) | (got->b[15] & 0x0f);
		want->b[16] = got->b[16];
		want->b[17] = got->b[17];
	}
}

/* ---- what is often expected */

void expect_dropped(const char *what, enum hook h, const struct pkt *p, const struct run_opt *o, int reason)
{
	struct ran r = lab_run(h, p, o);

	cr_expect_eq(r.ret, TC_SHOT, "%s on %s: action %d", what, hook_name[h], r.ret);
	expect_moved(&r, what, reason);
}

void expect_left(const char *what, const struct pkt *p)
{
	struct ran r = lab_run(H_XDP_EID, p, NULL);

	cr_expect_eq(r.ret, XDP_PASS, "%s: action %d", what, r.ret);
	expect_pkt(what, &r.out, p);
	expect_moved(&r, what, 0, XTR_STAT_XDP_TO_TC);
}
