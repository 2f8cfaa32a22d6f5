// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The copies in front of the maps, while the maps change. One thread drives the data plane as the daemon does: mappings come,
 * change and go, longer prefixes appear inside shorter ones that are in use, locators lose their route or change their MAC
 * address, own EID-prefixes come and go, a port changes its instance. Others, one on each CPU, run packets through the
 * programs all the time. A packet that starts after a change has returned must not go by what was before: such stale hits
 * are counted, and there have to be none.
 *
 * What is right is computed from a model of few lines: longest prefix by comparing. Each destination ("cell") has a history
 * of its outcomes; the changing thread notes the new one (begun) before it makes a change, and that it is done after. A packet
 * may go by any outcome from the last one done before it started to the last one begun before it ended.
 *
 * That this finds something is tried, too: with the generations left alone, and with them bumped before the change instead of
 * after it.
 */
#include "bpf/xtr.skel.h"
#include "dp_lab.h"
#include "pkt.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOCATORS 16 /* 192.0.2.2 and up */
#define TAKEN	 (1u << 16)
#define SHOT	 (1u << 17)
#define PASSED	 (1u << 18)
#define HOME	 (1u << 19) /* decapsulated and delivered */
#define UNKNOWN	 (1u << 31) /* XDP left it to TC */

#define PAST   64
#define CELLS  96
#define MODELS 64

/* ---- what is right */

struct history {
	_Atomic uint64_t begun, done;
	_Atomic uint64_t was[PAST];
};

static struct cell {
	bool decap;
	unsigned port;	 /* 0: h0, instance 0; 1: k0, whose instance changes */
	uint32_t iid;	 /* of the packet, when it comes from outside */
	struct xtr_ip ip;
	unsigned random; /* so many of the last bits of the address are taken at random: they have no meaning here */
	struct pkt frame;
	struct history h;
} cells[CELLS];
static unsigned cell_count;
static struct history macs[LOCATORS];

static struct model {
	bool used;
	uint32_t iid;
	struct xtr_ippfx eid;
	uint8_t action;
	uint32_t locators;
} models[MODELS];
static unsigned model_count;
static uint32_t port_iid[2], locators_up;
static bool own_here;	   /* locals[2], locals[3] are configured */
static struct xtr_dp *dp;
static int port_index[2], under_index, dummy_gen = -1;

static void begin(struct history *h, uint64_t v)
{
	uint64_t n = h->begun + 1;

	h->was[n % PAST] = v;
	h->begun = n;
}

static bool own(uint32_t iid, const struct xtr_ip *a)
{
	for (unsigned i = 0; i < (own_here ? 4 : 2); i++)
		if (locals[i].iid == iid && xtr_ippfx_has(&locals[i].eid, a))
			return true;
	return false;
}

static uint32_t outcome(const struct cell *c)
{
	uint32_t iid = port_iid[c->port], up;
	const struct model *best = NULL;

	if (c->decap)
		return own(c->iid, &c->ip) ? HOME : SHOT;
	if (own(iid, &c->ip))
		return PASSED;
	for (unsigned i = 0; i < model_count; i++) {
		const struct model *m = &models[i];

		if (m->used && m->iid == iid && xtr_ippfx_has(&m->eid, &c->ip) && (!best || m->eid.len > best->eid.len))
			best = m;
	}
	if (!best)
		return TAKEN | SHOT; /* within the limit of misses, and above */
	if (best->action == XTR_ACT_NATIVE)
		return PASSED;
	up = best->locators & locators_up;
	return best->action == XTR_ACT_ENCAP && up ? up : SHOT;
}

/* ---- changes: the model first, then the real thing, then they are done */

static void all_begin(void)
{
	for (unsigned i = 0; i < cell_count; i++)
		begin(&cells[i].h, outcome(&cells[i]));
}

static void all_done(void)
{
	for (unsigned i = 0; i < cell_count; i++)
		cells[i].h.done = cells[i].h.begun;
}

static unsigned rnd(unsigned n)
{
	static uint64_t s = 88172645463325252ull; /* of the changing thread only; the same every time */

	s ^= s << 13;
	s ^= s >> 7;
	s ^= s << 17;
	return (unsigned)(s >> 33) % n;
}

static struct xtr_ip locator(unsigned i)
{
	char text[32];

	snprintf(text, sizeof(text), "192.0.2.%u", i + 2);
	return ip(text);
}

static void put_or_del(struct model *m)
{
	static const uint8_t actions[] = { XTR_ACT_ENCAP, XTR_ACT_ENCAP, XTR_ACT_ENCAP, XTR_ACT_DROP, XTR_ACT_NATIVE, XTR_ACT_SEND_REQUEST };
	struct xtr_dp_mapping to = { .action = actions[rnd(6)], .weight = { 1, 1 } };

	if (m->used && !rnd(3)) {
		m->used = false;
		all_begin();
		cr_assert_eq(xtr_dp_cache_del(dp, m->iid, &m->eid), 0);
		all_done();
		return;
	}
	m->used = true;
	m->action = to.action;
	m->locators = 0;
	if (to.action == XTR_ACT_ENCAP) {
		unsigned a = rnd(LOCATORS);

		to.n = (uint8_t)(1 + !rnd(3));
		for (unsigned i = 0; i < to.n; i++, a = (a + 1) % LOCATORS) {
			to.rloc[i] = locator(a);
			m->locators |= 1u << a;
		}
	}
	all_begin();
	cr_assert_eq(xtr_dp_cache_put(dp, m->iid, &m->eid, &to, now_ms()), 0);
	all_done();
}

static void reconfigure(void)
{
	struct xtr_err err = { "" };

	if (rnd(2))
		own_here = !own_here;
	else
		port_iid[1] = port_iid[1] == 5 ? 6 : 5;
	cfg.local_count = own_here ? 4 : 2;
	ports[2].iid = port_iid[1];
	all_begin();
	cr_assert_eq(xtr_dp_reconfigure(dp, &cfg, &err), 0, "%s", err.text);
	all_done();
}

static struct xtr_rloc template_of(unsigned i)
{
	struct xtr_ip a = locator(i);
	struct xtr_rloc t = { 0 };

	for (uint32_t id = 1; id < dp->rl_ids.top; id++)
		if (dp->rl_by_id[id] && !memcmp(&dp->rl_by_id[id]->dst, &a, sizeof(a)))
			bpf_map_lookup_elem(dp->map[XTR_M_RLOC], &id, &t);
	return t;
}

/* The kernel tells the daemon, and that is when the change counts. */
static void route_or_mac(void)
{
	static unsigned serial;
	unsigned i = rnd(LOCATORS);
	bool mac = rnd(2), was_up = locators_up >> i & 1, seen_it = false;
	struct xtr_rloc t = template_of(i);

	if (!t.ifindex && was_up)
		return; /* nobody uses it */
	if (mac) {
		begin(&macs[i], ++serial + 1);
		sh("ip neigh replace 192.0.2.%u lladdr 02:00:00:02:%02x:%02x dev u0 nud permanent", i + 2, serial >> 8, serial & 0xff);
	} else {
		locators_up ^= 1u << i;
		all_begin();
		sh("ip route %s blackhole 192.0.2.%u", was_up ? "add" : "del", i + 2);
	}
	for (uint64_t end = now_ms() + 2000; !seen_it && now_ms() < end;) {
		serve(dp, 5);
		t = template_of(i);
		seen_it = mac ? (t.dmac[4] << 8 | t.dmac[5]) == (int)serial || !(t.flags & XTR_RLOC_F_UP) :
				!(t.flags & XTR_RLOC_F_UP) == was_up;
	}
	cr_assert(seen_it, "the template of 192.0.2.%u did not follow its %s", i + 2, mac ? "neighbour" : "route");
	macs[i].done = macs[i].begun;
	all_done();
}

/* ---- packets */

static atomic_bool stop;

struct reader {
	pthread_t thread;
	unsigned cpu;
	int encap, underlay, xdp; /* programs */
	uint64_t runs, encaps, encaps_xdp, unknown, unresolved, stale, stale_mac;
	char first[160];
};

static uint32_t of_tc(const struct reader *r, const struct cell *c, const struct pkt *in, uint8_t *out, unsigned *len)
{
	struct __sk_buff ctx = { .ifindex = (__u32)(c->decap ? under_index : port_index[c->port]) };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = in->b, .data_size_in = in->len, .data_out = out, .data_size_out = 2048,
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = 1);

	ctx.ingress_ifindex = ctx.ifindex;
	if (bpf_prog_test_run_opts(c->decap ? r->underlay : r->encap, &run))
		return 0;
	*len = run.data_size_out;
	switch ((int)run.retval) {
	case 7: /* TC_ACT_REDIRECT */
		return c->decap ? HOME : *len > in->len ? UNKNOWN : TAKEN;
	case 2: /* TC_ACT_SHOT */
		return SHOT;
	default:
		return PASSED;
	}
}

static uint32_t of_xdp(const struct reader *r, const struct cell *c, const struct pkt *in, uint8_t *out, unsigned *len)
{
	struct xdp_md ctx = { .data_end = in->len, .ingress_ifindex = (__u32)port_index[c->port] };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = in->b, .data_size_in = in->len, .data_out = out, .data_size_out = 2048,
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = 1);

	if (bpf_prog_test_run_opts(r->xdp, &run))
		return 0;
	*len = run.data_size_out;
	return run.retval == 4 /* XDP_REDIRECT */ ? UNKNOWN : run.retval == 1 ? SHOT : PASSED;
}

static uint32_t next(uint32_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 17;
	*s ^= *s << 5;
	return *s;
}

/* Other last bits of the inner destination; nobody looks at the inner checksums on the way out. */
static void vary(struct pkt *p, const struct cell *c, uint32_t by)
{
	unsigned at = c->ip.family == 4 ? 30 : 50, sum;
	uint32_t w, mask = (1u << c->random) - 1;

	memcpy(&w, p->b + at, 4);
	w = htonl((ntohl(w) & ~mask) | (by & mask));
	memcpy(p->b + at, &w, 4);
	if (c->ip.family == 6)
		return;
	p->b[24] = p->b[25] = 0;
	sum = 0;
	for (unsigned i = 14; i < 34; i += 2)
		sum += (unsigned)p->b[i] << 8 | p->b[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	p->b[24] = (uint8_t)(sum >> 8);
	p->b[25] = (uint8_t)sum;
}

/* Everything from `from` to the last one that had begun; false: so much that the history has forgotten some. */
static bool allowed(struct history *h, uint64_t from, uint64_t *mask, uint64_t one)
{
	uint64_t to = h->begun;

	*mask = 0;
	for (uint64_t v = from; v <= to; v++)
		*mask |= one ? h->was[v % PAST] == one : h->was[v % PAST];
	return h->begun - from < PAST - 2;
}

static void check_mac(struct reader *r, unsigned loc, uint64_t from, const uint8_t *out, const uint8_t *in)
{
	uint64_t serial = ((uint64_t)out[4] << 8 | out[5]) + 1, ok; /* 0 is no entry of a history */

	if (!memcmp(out, in, 6)) { /* the kernel is to resolve */
		r->unresolved++;
		return;
	}
	if (allowed(&macs[loc], from, &ok, serial) && !ok)
		r->stale_mac++;
}

static void one_packet(struct reader *r, struct cell *c, uint32_t random)
{
	bool xdp = !c->decap && random & 1u << 31;
	uint64_t from, mac_from[LOCATORS], mask = 0;
	struct pkt p;
	uint8_t out[2048];
	unsigned len = 0, loc;
	uint32_t got;

	p.len = c->frame.len;
	memcpy(p.b, c->frame.b, p.len);
	if (c->random)
		vary(&p, c, random);
	for (unsigned i = 0; i < LOCATORS; i++)
		mac_from[i] = macs[i].done;
	from = c->h.done;
	got = xdp ? of_xdp(r, c, &p, out, &len) : of_tc(r, c, &p, out, &len);
	r->runs++;
	if (got & UNKNOWN) { /* encapsulated: to whom? */
		loc = (unsigned)out[33] - 2;
		got = len > 34 && loc < LOCATORS ? 1u << loc : 0;
		r->encaps++;
		r->encaps_xdp += xdp;
		if (got)
			check_mac(r, loc, mac_from[loc], out, p.b);
	} else if (xdp && got == PASSED) { /* anything but an encapsulated packet is TC's */
		r->unknown++;
		return;
	}
	if (allowed(&c->h, from, &mask, 0) && !(got & mask) && !r->stale++)
		snprintf(r->first, sizeof(r->first), "cell %u%s: %08x, allowed %08llx", (unsigned)(c - cells), xdp ? " by XDP" : "", got,
			 (unsigned long long)mask);
}

static void *reader(void *arg)
{
	struct reader *r = arg;
	uint32_t s = 0x9e3779b9u * (r->cpu + 1);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(r->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	while (!stop) {
		uint32_t x = next(&s);

		/* some more often than others: copies that are made again and again, and such that rest */
		one_packet(r, &cells[(x >> 8) % (x & 1 ? cell_count : 4)], next(&s));
	}
	return NULL;
}

/* ---- the stage */

static void cell(bool decap, unsigned port, uint32_t iid, const char *to, unsigned random)
{
	struct cell *c = &cells[cell_count++];
	bool six = strchr(to, ':');
	struct layer ip6 = IP6("fd01::10", to), ip4 = IP4("10.1.0.10", to), udp = UDP(5000, 53, .csum = six);
	struct layer l[9] = { ETH(1, 9) };
	unsigned n = 1;
	char mac[32] = "";
	FILE *f;

	cr_assert_leq(cell_count, CELLS);
	*c = (struct cell){ .decap = decap, .port = port, .iid = iid, .ip = ip(to), .random = random };
	if (decap) {
		l[n++] = (struct layer)IP4("192.0.2.2", "192.0.2.1");
		l[n++] = (struct layer)UDP(0xc001, 4341);
		l[n++] = (struct layer)LISP(iid ? 0x08000000 : 0, iid << 8);
	}
	l[n++] = six ? ip6 : ip4;
	l[n++] = udp;
	l[n++] = (struct layer)DATA(30);
	c->frame = pkt_build(l);
	snprintf(mac, sizeof(mac), "ip -br link show %s", decap ? "u0" : port ? "k0" : "h0");
	f = popen(mac, "r");
	cr_assert_eq(fscanf(f, "%*s %*s %hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &c->frame.b[0], &c->frame.b[1], &c->frame.b[2], &c->frame.b[3],
			    &c->frame.b[4], &c->frame.b[5]),
		     6);
	pclose(f);
}

static void model(uint32_t iid, const char *prefix)
{
	models[model_count++] = (struct model){ .iid = iid, .eid = pfx(prefix) };
	cr_assert_leq(model_count, MODELS);
}

static void stage(void)
{
	sh("nsenter --net=/proc/%d/ns/net ethtool -K u1 gro on", (int)child); /* or XDP cannot send out of u0 */
	sh("ip link add k0 type veth peer name k1; ip link set k0 up; ip link set k1 up; ethtool -K h0 gro on; ethtool -K u0 gro on; ethtool -K k0 gro on");
	for (unsigned i = 0; i < LOCATORS; i++) {
		sh("ip neigh replace 192.0.2.%u lladdr 02:00:00:02:00:00 dev u0 nud permanent", i + 2);
		begin(&macs[i], 1);
		macs[i].done = 1;
	}
	config(XTR_MODE_XDP);
	ports[2] = (struct xtr_dp_port){ .name = "k0", .role = XTR_ROLE_EID, .mode = XTR_MODE_XDP, .iid = 5 };
	cfg.port_count = 3;
	overlay[1] = (struct xtr_dp_overlay){ .name = "xtr5", .iid = 5 };
	cfg.overlay_count = 2;
	locals[2] = (struct xtr_dp_local){ .eid = pfx("10.66.7.0/25") };
	locals[3] = (struct xtr_dp_local){ .iid = 5, .eid = pfx("fd10:0:1:2::/80") };
	port_iid[0] = 0;
	port_iid[1] = 5;
	locators_up = (1u << LOCATORS) - 1;
	dp = open_dp();
	seen.refuse = true; /* nothing is queued: what misses is gone */
	port_index[0] = (int)if_nametoindex("h0");
	port_index[1] = (int)if_nametoindex("k0");
	under_index = (int)if_nametoindex("u0");
}

static void fuzzy_world(void)
{
	static const char *const prefixes[] = { "10.0.0.0/8", "10.64.0.0/10", "10.66.0.0/16", "10.66.7.0/24", "10.66.7.200/32", "10.66.8.0/24",
						"10.70.0.0/17", "0.0.0.0/1", "fd00::/8", "fd10::/32", "fd10:0:1::/48", "fd10:0:1:2::/64",
						"fd10:0:1:2::9/128" };
	static const char *const to[] = { "10.66.7.200", "10.66.7.9", "fd10:0:1:2::9", "10.66.8.1", "10.66.99.1", "10.70.1.1", "10.70.200.1",
					  "10.99.0.1", "100.1.2.3", "fd10:0:1:3::1", "fd10:0:2::1", "fd20::1", "fd10:0:1:2:3::1" };

	for (unsigned i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		for (unsigned j = 0; j < 3; j++)
			model(j ? 4 + j : 0, prefixes[i]);
	for (unsigned i = 0; i < sizeof(to) / sizeof(*to); i++)
		for (unsigned port = 0; port < 2; port++)
			cell(false, port, 0, to[i], 0);
	cell(true, 0, 0, "10.66.7.9", 0);
	cell(true, 0, 0, "10.1.0.77", 0);
	cell(true, 0, 5, "fd10:0:1:2::9", 0);
	all_begin();
	all_done();
}

static struct reader readers[4];
static unsigned reader_count;

static void readers_start(void)
{
	unsigned cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);

	stop = false;
	reader_count = cpus < 2 ? 2 : cpus > 4 ? 4 : cpus;
	for (unsigned i = 0; i < reader_count; i++) {
		readers[i] = (struct reader){ .cpu = i % cpus,
					      .encap = dp->prog[XTR_P_ENCAP],
					      .underlay = dp->prog[XTR_P_UNDERLAY],
					      .xdp = dp->prog[XTR_P_XDP_EID] };
		cr_assert_eq(pthread_create(&readers[i].thread, NULL, reader, &readers[i]), 0);
	}
}

static struct reader readers_end(void)
{
	struct reader all = { 0 };

	stop = true;
	for (unsigned i = 0; i < reader_count; i++) {
		const struct reader *r = &readers[i];

		pthread_join(r->thread, NULL);
		all.runs += r->runs;
		all.encaps += r->encaps;
		all.encaps_xdp += r->encaps_xdp;
		all.unknown += r->unknown;
		all.unresolved += r->unresolved;
		all.stale += r->stale;
		all.stale_mac += r->stale_mac;
		if (r->first[0] && !all.first[0])
			memcpy(all.first, r->first, sizeof(all.first));
	}
	return all;
}

static void housekeeping(void)
{
	xtr_dp_events(dp, now_ms());
	xtr_dp_netlink(dp, now_ms());
	xtr_dp_tick(dp, now_ms());
}

/* Changes for so long; others: besides mappings. Returns how many. */
static unsigned change(unsigned ms, bool others)
{
	uint64_t end = now_ms() + ms;
	unsigned n = 0;

	for (; now_ms() < end; n++) {
		unsigned what = rnd(400);

		if (others && what == 0)
			reconfigure();
		else if (others && what == 1)
			route_or_mac();
		else
			put_or_del(&models[rnd(model_count)]);
		if (n % 16 == 0)
			housekeeping();
	}
	return n;
}

static void told(const char *what, const struct reader *r, unsigned changes)
{
	printf("%s: %u changes, %llu packets, %llu encapsulated (%llu by XDP), %llu left to TC, %llu for the kernel to resolve; stale: %llu, by MAC %llu\n",
	       what, changes, (unsigned long long)r->runs, (unsigned long long)r->encaps, (unsigned long long)r->encaps_xdp,
	       (unsigned long long)r->unknown,
	       (unsigned long long)r->unresolved, (unsigned long long)r->stale, (unsigned long long)r->stale_mac);
}

/* Bumps go where no program looks; returns where they went. */
static int generations_rest(void)
{
	int was = dp->map[XTR_M_GEN];
	struct bpf_map_info info;

	cr_assert_eq(xtr_dp_map_info(was, &info), 0);
	if (dummy_gen < 0)
		dummy_gen = bpf_map_create(BPF_MAP_TYPE_ARRAY, "no_gen", 4, 4, info.max_entries, NULL);
	cr_assert_geq(dummy_gen, 0);
	dp->map[XTR_M_GEN] = dummy_gen;
	return was;
}

static void curtain(void)
{
	xtr_dp_close(dp);
	detach();
}

TestSuite(cache_hammer, .init = dp_setup, .fini = dp_teardown, .timeout = 120);

/* What a writer would do that bumps before it writes: a copy made between the two lives on. */
static unsigned change_too_late(unsigned ms)
{
	uint64_t end = now_ms() + ms;
	unsigned n = 0;

	for (; now_ms() < end; n++) {
		struct model *m = &models[rnd(model_count)];
		int gen = dp->map[XTR_M_GEN];

		xtr_dp_gen_bump(dp, m->iid, &m->eid);
		usleep(100);
		generations_rest();
		put_or_del(m);
		dp->map[XTR_M_GEN] = gen;
		if (n % 16 == 0)
			housekeeping();
	}
	return n;
}

Test(cache_hammer, no_packet_goes_by_what_was_changed_before_it_started)
{
	struct reader r;
	unsigned changes;

	stage();
	fuzzy_world();
	readers_start();
	changes = change(2000, true);
	r = readers_end();
	told("changes", &r, changes);
	cr_expect_eq(r.stale, 0, "%llu stale hits; the first: %s", (unsigned long long)r.stale, r.first);
	cr_expect_eq(r.stale_mac, 0);
	cr_expect_gt(r.encaps, r.runs / 20);
	cr_expect_gt(r.encaps_xdp, 0);
	cr_expect_gt(changes, 100);
	cr_expect_lt(r.unresolved, r.encaps / 4);

	readers_start();
	changes = change_too_late(500);
	r = readers_end();
	told("generations first", &r, changes);
	cr_expect_gt(r.stale, 0, "stale hits would be found");

	generations_rest();
	readers_start();
	changes = change(400, false);
	r = readers_end();
	told("generations at rest", &r, changes);
	cr_expect_gt(r.stale, 0, "stale hits would be found");
	curtain();
}

static int lru(const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(dp->skel->obj, name);

	cr_assert_geq(fd, 0, "no map %s", name);
	return fd;
}

static int count_one(void *arg, const void *key)
{
	++*(unsigned *)arg;
	return 0;
}

/* More destinations than the shared hash holds: its elements are used for others all the time, while they are read. */
Test(cache_hammer, recycled_elements_are_nobodys)
{
	uint64_t end;
	unsigned changes = 0, n = 0;
	struct bpf_map_info info;
	struct reader r;
	char text[64];

	xtr_dp_copies = 2048;
	stage();
	for (unsigned i = 0; i < 48; i++) {
		snprintf(text, sizeof(text), "10.%u.0.0/16", 64 + i);
		model(0, text);
		snprintf(text, sizeof(text), "10.%u.0.0", 64 + i);
		cell(false, 0, 0, text, 7);
	}
	for (unsigned i = 0; i < 16; i++) {
		snprintf(text, sizeof(text), "fd40:%u::/32", i);
		model(0, text);
		snprintf(text, sizeof(text), "fd40:%u::", i);
		cell(false, 0, 0, text, 8);
	}
	for (unsigned i = 0; i < model_count; i++)
		put_or_del(&models[i]);
	all_begin();
	all_done();
	readers_start();
	for (end = now_ms() + 2500; now_ms() < end; changes++) {
		put_or_del(&models[rnd(model_count)]);
		housekeeping();
		usleep(5000); /* so that copies get old enough to be found again */
	}
	r = readers_end();
	told("recycling", &r, changes);
	cr_expect_eq(r.stale, 0, "%llu; the first: %s", (unsigned long long)r.stale, r.first);
	cr_assert_eq(xtr_dp_map_info(lru("xtr_dlru"), &info), 0);
	xtr_dp_each_key(lru("xtr_dlru"), info.key_size, count_one, &n);
	cr_expect_gt(n, info.max_entries * 3 / 4, "%u elements of %u", n, info.max_entries);
	printf("recycling: %u elements of %u in the shared hash\n", n, info.max_entries);
	curtain();
}

/* ---- how long, and how many */

static void put_to(const char *eid, unsigned loc)
{
	struct xtr_dp_mapping to = { .action = XTR_ACT_ENCAP, .n = 1, .weight = { 1 }, .rloc = { locator(loc) } };

	cr_assert_eq(put(dp, eid, &to), 0);
}

/* Behind the back of everybody: no bump. The sets exist, as entries of their own. */
static void turn_to(const char *eid, unsigned loc)
{
	struct xtr_ippfx p = pfx(eid), from;
	char text[32];
	union xtr_dp_key k;
	struct xtr_eid v;

	snprintf(text, sizeof(text), "172.20.%u.0/24", loc);
	from = pfx(text);
	xtr_dp_key(&k, 0, &from);
	cr_assert_eq(bpf_map_lookup_elem(dp->map[XTR_M_EID4], &k, &v), 0);
	xtr_dp_key(&k, 0, &p);
	cr_assert_eq(bpf_map_update_elem(dp->map[XTR_M_EID4], &k, &v, BPF_EXIST), 0);
}

static void all_sets(void)
{
	char text[32];

	for (unsigned i = 0; i < LOCATORS; i++) {
		snprintf(text, sizeof(text), "172.20.%u.0/24", i);
		put_to(text, i);
	}
}

static void on_cpu(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Where a packet of this cell goes; -1: nowhere. */
static int asked(const struct reader *r, const struct cell *c, uint32_t random)
{
	struct pkt p = { .len = c->frame.len };
	uint8_t out[2048];
	unsigned len = 0;

	memcpy(p.b, c->frame.b, p.len);
	if (c->random)
		vary(&p, c, random);
	return of_tc(r, c, &p, out, &len) & UNKNOWN ? out[33] - 2 : -1;
}

/* A copy is asked for four seconds, then the entry gets its stamp of use. On each CPU, and by the hash they share. */
static void copies_live_for_seconds(const struct reader *r)
{
	uint64_t start, gone[2] = { 0 };
	struct xtr_ippfx eid = pfx("10.66.0.0/16");
	unsigned cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN), kept = 0;

	put_to("10.66.0.0/16", 3);
	cell_count = 0;
	cell(false, 0, 0, "10.66.7.9", 0);
	for (unsigned i = 0; i < 2 * cpus; i++) {
		on_cpu(i % cpus);
		cr_expect_eq(asked(r, cells, 0), 3);
	}
	turn_to("10.66.0.0/16", 4);
	start = now_ms();
	while (now_ms() - start < 4400)
		for (unsigned i = 0; i < 2; i++) {
			int to;

			on_cpu(i % cpus);
			to = asked(r, cells, 0);
			cr_assert(to == 3 || to == 4, "%d", to);
			kept += to == 3;
			if (to == 4 && !gone[i])
				gone[i] = now_ms() - start;
			cr_assert(to == 4 || !gone[i], "CPU %u went back", i);
			usleep(2000);
		}
	cr_expect_gt(kept, 0, "there are copies");
	cr_expect(gone[0] && gone[0] < 4300 && gone[1] && gone[1] < 4300, "%llu, %llu ms", (unsigned long long)gone[0],
		  (unsigned long long)gone[1]);
	cr_expect_lt(xtr_dp_cache_idle(dp, 0, &eid, now_ms()), 4400);
}

/*
 * 8,192 destinations in use, and one after the other of a great many more that are met once. Each round the mapping of those in
 * use is another one, without a bump: who still goes by an older one was found in a copy, who goes by the new one was not.
 */
static void a_scan_does_not_push_out_what_is_in_use(const struct reader *r)
{
	enum { HOT = 8192, ROUNDS = 12, WARM = 4, SCAN = 2 };
	unsigned missed[ROUNDS] = { 0 }, scanned = 0;
	struct xtr_cfg c;
	__u32 zero = 0;

	put_to("10.66.0.0/16", 0);
	put_to("10.128.0.0/9", 1);
	cell_count = 0;
	cell(false, 0, 0, "10.66.0.0", 13);
	cell(false, 0, 0, "10.128.0.0", 23);
	cr_assert_eq(bpf_map_lookup_elem(dp->map[XTR_M_CFG], &zero, &c), 0);
	c.hz *= 1000; /* no copy ends by its age */
	cr_assert_eq(bpf_map_update_elem(dp->map[XTR_M_CFG], &zero, &c, 0), 0);
	on_cpu(0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		turn_to("10.66.0.0/16", round + 2);
		for (unsigned i = 0; i < HOT; i++) {
			missed[round] += asked(r, &cells[0], i * 2654435761u >> 7) == (int)round + 2;
			for (unsigned k = 0; k < SCAN && round >= WARM; k++)
				cr_assert_eq(asked(r, &cells[1], scanned++ * 2654435761u), 1);
		}
	}
	cr_expect_lt(missed[ROUNDS - 1], HOT * 15 / 100, "%u", missed[ROUNDS - 1]);
	for (unsigned round = WARM; round < ROUNDS; round++)
		cr_expect_lt(missed[round], HOT * 45 / 100, "round %u: %u", round, missed[round]);
	printf("not found in a copy, of %u, in each round (a scan from the %uth on, %u in all):", HOT, WARM + 1, scanned);
	for (unsigned round = 0; round < ROUNDS; round++)
		printf(" %u", missed[round]);
	printf("\n");
	c.hz /= 1000;
	bpf_map_update_elem(dp->map[XTR_M_CFG], &zero, &c, 0);
}

/* ---- hosts at EID ports */

#define BY_OVERLAY (-1)

/* To which MAC address (its last octet) a packet for the host is sent straight. */
static int home_of(const struct reader *r, const struct cell *c)
{
	uint8_t out[2048];
	unsigned len = 0;

	cr_assert_eq(of_tc(r, c, &c->frame, out, &len), HOME);
	return memcmp(out, "\x02\x00\x00\x03\x00", 5) ? BY_OVERLAY : out[5];
}

static int settles(const struct reader *r, const struct cell *c)
{
	int to = BY_OVERLAY;

	for (unsigned i = 0; i < 5; i++)
		to = home_of(r, c);
	return to;
}

/*
 * The kernel's answer where a host is, is used again for seconds. A host that has moved says so (gratuitous ARP), and the kernel
 * knows at once: so must the programs, as soon as the daemon has heard of it.
 */
static void a_host_that_moves_is_followed(const struct reader *r)
{
	int to;

	cfg.flags |= XTR_CFG_F_DIRECT;
	cr_assert_eq(xtr_dp_reconfigure(dp, &cfg, &(struct xtr_err){ "" }), 0);
	cell_count = 0;
	cell(true, 0, 0, "10.1.0.77", 0);
	sh("ip neigh replace 10.1.0.77 lladdr 02:00:00:03:00:01 dev h0 nud permanent");
	serve(dp, 50);
	cr_expect_eq(settles(r, cells), 1, "straight to the host");
	sh("ip neigh replace 10.1.0.77 lladdr 02:00:00:03:00:02 dev h0 nud permanent");
	serve(dp, 50);
	to = home_of(r, cells);
	cr_expect(to == 2 || to == BY_OVERLAY, "its new address: %d", to);
	cr_expect_eq(settles(r, cells), 2);
	sh("ip addr add 10.1.0.253/24 dev k0; ip neigh replace 10.1.0.77 lladdr 02:00:00:03:00:03 dev k0 nud permanent; "
	   "ip route add 10.1.0.77/32 dev k0");
	serve(dp, 50);
	cr_expect_eq(home_of(r, cells), BY_OVERLAY, "a port of another instance: the kernel's business");
	sh("ip route del 10.1.0.77/32 dev k0; ip neigh del 10.1.0.77 dev h0");
	serve(dp, 50);
	cr_expect_eq(home_of(r, cells), BY_OVERLAY, "nobody knows where it is");
}

Test(cache_hammer, copies_end_in_time_and_stay_as_long)
{
	struct reader r = { 0 };

	stage();
	r.encap = dp->prog[XTR_P_ENCAP];
	r.underlay = dp->prog[XTR_P_UNDERLAY];
	all_sets();
	copies_live_for_seconds(&r);
	on_cpu(0);
	a_scan_does_not_push_out_what_is_in_use(&r);
	a_host_that_moves_is_followed(&r);
	curtain();
}
