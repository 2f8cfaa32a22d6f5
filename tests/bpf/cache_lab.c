// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A data plane that changes under the packets; see cache_lab.h. */
#include "cache_lab.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

struct cell cells[CELLS];
unsigned cell_count;
struct history macs[LOCATORS];

struct model models[MODELS];
unsigned model_count;
static uint32_t port_iid[2], locators_up;
static bool own_here;	   /* locals[2], locals[3] are configured */
struct xtr_dp *dp;
static int port_index[2], under_index;

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

void all_begin(void)
{
	for (unsigned i = 0; i < cell_count; i++)
		begin(&cells[i].h, outcome(&cells[i]));
}

void all_done(void)
{
	for (unsigned i = 0; i < cell_count; i++)
		cells[i].h.done = cells[i].h.begun;
}

unsigned rnd(unsigned n)
{
	static uint64_t s = 88172645463325252ull;

	s ^= s << 13;
	s ^= s >> 7;
	s ^= s << 17;
	return (unsigned)(s >> 33) % n;
}

struct xtr_ip locator(unsigned i)
{
	char text[32];

	snprintf(text, sizeof(text), "192.0.2.%u", i + 2);
	return ip(text);
}

void put_or_del(struct model *m)
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

void reconfigure(void)
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
void route_or_mac(void)
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

uint32_t of_tc(const struct cell *c, const struct pkt *in, uint8_t *out, unsigned *len)
{
	struct __sk_buff ctx = { .ifindex = (__u32)(c->decap ? under_index : port_index[c->port]) };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = in->b, .data_size_in = in->len, .data_out = out, .data_size_out = 2048,
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = 1);

	ctx.ingress_ifindex = ctx.ifindex;
	if (bpf_prog_test_run_opts(dp->prog[c->decap ? XTR_P_UNDERLAY : XTR_P_ENCAP], &run))
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

uint32_t of_xdp(const struct cell *c, const struct pkt *in, uint8_t *out, unsigned *len)
{
	struct xdp_md ctx = { .data_end = in->len, .ingress_ifindex = (__u32)port_index[c->port] };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = in->b, .data_size_in = in->len, .data_out = out, .data_size_out = 2048,
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = 1);

	if (bpf_prog_test_run_opts(dp->prog[XTR_P_XDP_EID], &run))
		return 0;
	*len = run.data_size_out;
	return run.retval == 4 /* XDP_REDIRECT */ ? UNKNOWN : run.retval == 1 ? SHOT : PASSED;
}

void vary(struct pkt *p, const struct cell *c, uint32_t by)
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

/* ---- the data plane, its destinations and mappings */

void cell(bool decap, unsigned port, uint32_t iid, const char *to, unsigned random)
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

void model(uint32_t iid, const char *prefix)
{
	models[model_count++] = (struct model){ .iid = iid, .eid = pfx(prefix) };
	cr_assert_leq(model_count, MODELS);
}

void cache_up(void)
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

void housekeeping(void)
{
	xtr_dp_events(dp, now_ms());
	xtr_dp_netlink(dp, now_ms());
	xtr_dp_tick(dp, now_ms());
}

void cache_down(void)
{
	xtr_dp_close(dp);
	detach();
}
