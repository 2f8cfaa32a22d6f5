// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Replication by XDP, by user/dp on the real kernel: what a host sends to a group leaves as the same octets whether XDP or TC makes
 * the copies, by two underlay ports, in both families.
 *
 *	h1 --veth-- h0 [ us ] u0 --veth-- u1 192.0.2.N/24 2001:db8::N/64  (N from 10: members)
 *	                      v0 --veth-- v1 198.51.100.N/24
 */
#include "dp_lab.h"
#include "pkt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define GROUP4 "233.252.1.1"
#define GROUP6 "ff0e::db8:1"
#define IN_CHILD "nsenter --net=/proc/%d/ns/net "
#define FRAMES 512

static int home;

static void into(bool there)
{
	char path[64];
	int ns;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)child);
	ns = there ? open(path, O_RDONLY) : home;
	cr_assert_eq(setns(ns, CLONE_NEWNET), 0);
	if (there)
		close(ns);
}

static int port(const char *name, bool there, bool vnet)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd, one = 1, size = 16 << 20;

	if (there)
		into(true);
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	a.sll_ifindex = (int)if_nametoindex(name);
	cr_assert(fd >= 0 && !bind(fd, (struct sockaddr *)&a, sizeof(a)), "%s: %s", name, strerror(errno));
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (vnet)
		cr_assert_eq(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)), 0);
	if (there)
		into(false);
	return fd;
}

static int wire[2], host;

static void fan_init(void)
{
	dp_setup();
	home = open("/proc/self/ns/net", O_RDONLY);
	sh("ip link add v0 type veth peer name v1 && ip link set v1 netns %d; ip link set v0 address 02:00:00:00:00:03 up;"
	   "ip addr add 198.51.100.1/24 dev v0; ip link set h0 address 02:00:00:00:00:04",
	   (int)child);
	/* frames from XDP are taken by a veth whose other end has GRO or XDP */
	sh(IN_CHILD "sh -c 'ip link set v1 address 02:00:00:00:00:05 up; ethtool -K u1 gro on; ethtool -K v1 gro on;"
		    "for i in $(seq 10 80); do echo addr add 192.0.2.$i/24 dev u1; echo addr add 198.51.100.$i/24 dev v1;"
		    "echo addr add 2001:db8::$i/64 dev u1 nodad; done | ip -batch -'",
	   (int)child);
	wire[0] = port("u1", true, false);
	wire[1] = port("v1", true, false);
	host = port("h1", false, true);
}

static void fan_fini(void)
{
	dp_teardown();
}

TestSuite(dp_fan, .init = fan_init, .fini = fan_fini, .timeout = 400);

static struct xtr_dp *open_ports(uint8_t mode)
{
	config(mode);
	ports[2] = (struct xtr_dp_port){ .name = "v0", .role = XTR_ROLE_UNDERLAY, .mode = mode };
	cfg.port_count = 3;
	return open_dp();
}

/* ---- members: the i-th of a list of n; how: which addresses */
enum how { PLAIN4, PLAIN6, BOTH, TWO_PORTS, ALL, HOWS };
static const char *const how_name[] = { "IPv4", "IPv6", "both families", "two ports", "two ports, both families" };

static struct xtr_ip member(enum how how, unsigned i)
{
	static const char *const form[] = { "192.0.2.%u", "2001:db8::%u", "198.51.100.%u" };
	static const unsigned turn[HOWS][4] = { { 0 }, { 1, 1, 1, 1 }, { 0, 1, 0, 1 }, { 0, 2, 2, 0 }, { 0, 1, 2, 2 } };
	char text[40];

	snprintf(text, sizeof(text), form[turn[how][i % 4]], 10 + i);
	return ip(text);
}

static int members(struct xtr_dp *dp, const char *group, enum how how, unsigned n)
{
	struct xtr_ip v[128], g = ip(group);

	for (unsigned i = 0; i < n; i++)
		v[i] = member(how, i);
	return xtr_dp_replicate(dp, 0, NULL, &g, v, n);
}

/* ---- frames */

struct frames {
	unsigned n;
	struct pkt p[FRAMES];
};

static int by_octets(const void *a_, const void *b_)
{
	const struct pkt *a = a_, *b = b_;

	return a->len != b->len ? (a->len < b->len ? -1 : 1) : memcmp(a->b, b->b, a->len);
}

/* LISP data on both wires until nothing comes for a while; sorted. */
static struct frames *gather(struct xtr_dp *dp, unsigned want)
{
	struct frames *f = calloc(1, sizeof(*f));

	struct pollfd p[2] = { { .fd = wire[0], .events = POLLIN }, { .fd = wire[1], .events = POLLIN } };

	serve(dp, 1);
	while (poll(p, 2, f->n < want ? 1000 : 60) > 0)
			for (unsigned k = 0; k < 2; k++) {
				struct pkt *at = &f->p[f->n];
				ssize_t n = p[k].revents ? recv(wire[k], at->b, PKT_MAX, 0) : -1;
				bool six = n > 56 && at->b[12] == 0x86;

				if (n < 50 || f->n == FRAMES - 1 || (at->b[12] != 0x08 && !six) || (at->b[12] == 8 && at->b[13]) ||
				    (six ? at->b[56] << 8 | at->b[57] : at->b[36] << 8 | at->b[37]) != 4341)
					continue;
				at->len = (unsigned)n;
				f->n++;
			}
	qsort(f->p, f->n, sizeof(f->p[0]), by_octets);
	return f;
}

static void drain(struct xtr_dp *dp)
{
	free(gather(dp, 0));
}

static void put_frame(const struct pkt *p, const struct virtio_net_hdr *v)
{
	static const struct virtio_net_hdr none;
	struct iovec io[] = { { (void *)(v ? v : &none), sizeof(*v) }, { (void *)p->b, p->len } };

	cr_assert_gt(writev(host, io, 2), 0, "%s", strerror(errno));
}

static struct pkt group_frame(bool six, const struct layer *rest, const struct layer *ipl)
{
	struct layer l[MAX_LAYERS] = { ETH(0, 0x40) };
	unsigned n = 2;

	memcpy(l[0].dmac, six ? (uint8_t[]){ 0x33, 0x33, 0x0d, 0xb8, 0, 1 } : (uint8_t[]){ 1, 0, 0x5e, 0x7c, 1, 1 }, 6);
	l[1] = *ipl;
	while (rest->type)
		l[n++] = *rest++;
	return pkt_build(l);
}

/* ---- the same octets, whoever makes the copies */

static const struct {
	const char *name;
	struct layer ip, next[4];
	bool six, tc, lost; /* XDP leaves it to TC; nobody gets a copy */
	bool partial;
} forms[] = {
	{ .name = "UDP", .ip = IP4("10.1.0.10", GROUP4, .ttl = 17, .tos = 0xb9), .next = { UDP(9, 7777, .csum = true), DATA(100) } },
	{ .name = "IPv6", .six = true, .ip = IP6("fd01::10", GROUP6, .ttl = 9, .tos = 0x2e, .flow = 0x12345),
	  .next = { UDP(9, 7777, .csum = true), DATA(31) } },
	{ .name = "padding", .ip = IP4("10.1.0.10", GROUP4, .ttl = 3), .next = { UDP(1, 2, .csum = true), DATA(1), PAD(17) } },
	{ .name = "fragment", .ip = IP4("10.1.0.10", GROUP4, .frag = 0x2000, .proto = 17), .next = { UDP(1, 2, .csum = true), DATA(64) } },
	{ .name = "TTL 2", .ip = IP4("10.1.0.10", GROUP4, .ttl = 2), .next = { UDP(1, 2, .csum = true), DATA(64) } },
	{ .name = "TTL 1", .ip = IP4("10.1.0.10", GROUP4, .ttl = 1), .next = { UDP(1, 2, .csum = true), DATA(64) }, .lost = true },
	{ .name = "options", .ip = IP4("10.1.0.10", GROUP4, .options = 2), .next = { UDP(1, 2, .csum = true), DATA(64) }, .tc = true },
	{ .name = "checksum to be done", .ip = IP4("10.1.0.10", GROUP4), .next = { UDP(9, 9, .partial = true), DATA(64) }, .tc = true,
	  .partial = true },
	{ .name = "too big", .ip = IP4("10.1.0.10", GROUP4), .next = { UDP(9, 9, .csum = true), DATA(1460) }, .tc = true, .lost = true },
	{ .name = "bad header checksum", .ip = IP4("10.1.0.10", GROUP4, .check_xor = 1), .next = { UDP(9, 9, .csum = true), DATA(64) },
	  .lost = true },
	{ .name = "truncated", .ip = IP4("10.1.0.10", GROUP4, .len_add = 1), .next = { UDP(9, 9), DATA(64) }, .lost = true },
	{ .name = "group of the link", .ip = IP4("10.1.0.10", "224.0.0.77"), .next = { UDP(9, 9, .csum = true), DATA(64) }, .lost = true },
	{ .name = "another group", .ip = IP4("10.1.0.10", "233.252.1.2"), .next = { UDP(9, 9, .csum = true), DATA(64) }, .lost = true },
	{ .name = "source that is none", .ip = IP4("127.0.0.1", GROUP4), .next = { UDP(9, 9, .csum = true), DATA(64) }, .lost = true },
};
#define FORMS (sizeof(forms) / sizeof(forms[0]))

struct result {
	struct frames *f;
	uint64_t repl, xdp, copies, encap, too_big;
	uint64_t drops[XTR_DROP_MAX];
};

static struct result run(struct xtr_dp *dp, unsigned form, unsigned n)
{
	struct virtio_net_hdr v = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 6 };
	struct pkt p = group_frame(forms[form].six, forms[form].next, &forms[form].ip);
	struct dp_found was;
	struct result r;

	look();
	was = found;
	put_frame(&p, forms[form].partial ? &v : NULL);
	r.f = gather(dp, forms[form].lost ? 0 : n);
	look();
	r.repl = found.stats[XTR_STAT_REPL].packets - was.stats[XTR_STAT_REPL].packets;
	r.xdp = found.stats[XTR_STAT_REPL_XDP].packets - was.stats[XTR_STAT_REPL_XDP].packets;
	r.copies = found.stats[XTR_STAT_REPL_COPY].packets - was.stats[XTR_STAT_REPL_COPY].packets;
	r.encap = found.stats[XTR_STAT_ENCAP].packets - was.stats[XTR_STAT_ENCAP].packets;
	r.too_big = found.drops[XTR_DROP_REPL_TOO_BIG] - was.drops[XTR_DROP_REPL_TOO_BIG];
	for (int i = 1; i < XTR_DROP_MAX; i++)
		r.drops[i] = found.drops[i] - was.drops[i];
	return r;
}

static void check_run(const char *what, const struct result *x, const struct result *t, unsigned form, unsigned n)
{
	bool lost = forms[form].lost;

	cr_expect_eq(x->f->n, lost ? 0 : n, "%s: %u copies by XDP", what, x->f->n);
	cr_expect_eq(t->f->n, lost ? 0 : n, "%s: %u copies by TC", what, t->f->n);
	for (unsigned i = 0; i < x->f->n && i < t->f->n; i++)
		if (by_octets(&x->f->p[i], &t->f->p[i])) {
			cr_expect(false, "%s: copy %u\nXDP%s\nTC%s", what, i, pkt_dump(&x->f->p[i], &t->f->p[i]),
				  pkt_dump(&t->f->p[i], NULL));
			break;
		}
	for (unsigned i = 1; i < x->f->n; i++)
		cr_expect(by_octets(&x->f->p[i - 1], &x->f->p[i]), "%s: copy %u is there twice", what, i);
	cr_expect_eq(x->xdp, !lost && !forms[form].tc, "%s: %llu by XDP", what, (unsigned long long)x->xdp);
	cr_expect_eq(t->xdp, 0);
	cr_expect_eq(x->repl, t->repl, "%s", what);
	cr_expect_eq(x->copies, t->copies, "%s: %llu copies counted, %llu by TC", what, (unsigned long long)x->copies,
		     (unsigned long long)t->copies);
	cr_expect_eq(x->copies, lost ? 0 : n, "%s", what);
	cr_expect_eq(x->encap, t->encap, "%s", what);
	for (unsigned i = 1; i < XTR_DROP_MAX; i++)
		if (i != XTR_DROP_INJECT_MARK && i != XTR_DROP_ENCAP_SCOPE) /* the kernel's own chatter on the overlay device */
			cr_expect_eq(x->drops[i], t->drops[i], "%s: %s %llu, by TC %llu", what, xtr_drop_name(i),
				     (unsigned long long)x->drops[i], (unsigned long long)t->drops[i]);
	cr_expect_eq(x->too_big, t->too_big, "%s", what);
}

Test(dp_fan, the_same_octets_from_XDP_and_TC)
{
	static const unsigned sizes[HOWS] = { 64, 63, 6, 64, 17 };
	struct result *got = calloc(2 * HOWS * FORMS, sizeof(*got));

	for (unsigned tc = 0; tc < 2; tc++) {
		struct xtr_dp *dp = open_ports(tc ? XTR_MODE_TC : XTR_MODE_XDP);

		for (unsigned how = 0; how < HOWS; how++) { /* all forms by the last, which has everything */
			cr_assert_eq(members(dp, GROUP4, how, sizes[how]), 0);
			cr_assert_eq(members(dp, GROUP6, how, sizes[how]), 0);
			serve(dp, how == 0 || how == 1 || how == 3 ? 700 : 200); /* neighbours */
			drain(dp);
			for (unsigned form = 0; form < (how == ALL ? FORMS : 3); form++)
				got[(tc * HOWS + how) * FORMS + form] = run(dp, form, sizes[how]);
		}
		xtr_dp_close(dp);
		detach();
	}
	for (unsigned how = 0; how < HOWS; how++)
		for (unsigned form = 0; form < (how == ALL ? FORMS : 3); form++) {
			char what[96];

			snprintf(what, sizeof(what), "%s, %u members, %s", forms[form].name, sizes[how], how_name[how]);
			check_run(what, &got[how * FORMS + form], &got[(HOWS + how) * FORMS + form], form, sizes[how]);
		}
	for (unsigned i = 0; i < 2 * HOWS * FORMS; i++)
		free(got[i].f);
	free(got);
}

/* ---- several packets in one driver's round: to hosts and to groups, as it comes. The program of a device's queue is that of its
 * first frame, so whoever sends a frame alone has to name it too. */

#define INSN(c, d, s_, o, i) { .code = c, .dst_reg = d, .src_reg = s_, .off = o, .imm = i }
#define STORE(size, off, imm) INSN(BPF_ST | BPF_MEM | size, 6, 0, off, imm)

static uint16_t ip_sum(const uint8_t *h)
{
	return htons((uint16_t)~xtr_dp_fold(xtr_dp_sum(h, 10, xtr_dp_sum(h + 12, 8, 0))));
}

/* Frames for h0: each, at random, `one` or `two`, which differ in destination (MAC, IPv4) only. */
static int mixer(const struct pkt *one, const struct pkt *two)
{
	const struct pkt *p[2] = { one, two };
	struct bpf_insn prog[40];
	unsigned n = 0;
	int fd;
#define ADD(...) prog[n++] = (struct bpf_insn)__VA_ARGS__

	ADD(INSN(BPF_LDX | BPF_MEM | BPF_W, 6, 1, 0, 0)); /* data */
	ADD(INSN(BPF_LDX | BPF_MEM | BPF_W, 7, 1, 4, 0)); /* data_end */
	ADD(INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 6, 0, 0));
	ADD(INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, 60));
	ADD(INSN(BPF_JMP | BPF_JLE | BPF_X, 2, 7, 2, 0));
	ADD(INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0));
	ADD(INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
	ADD(INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_prandom_u32));
	ADD(INSN(BPF_ALU64 | BPF_AND | BPF_K, 0, 0, 0, 1));
	ADD(INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 7, 0));
	for (unsigned k = 0; k < 2; k++) {
		uint16_t w[3], check = ip_sum(p[!k]->b + 14), ttl;
		uint32_t dst;

		memcpy(w, p[!k]->b, 6);
		memcpy(&dst, p[!k]->b + 30, 4);
		memcpy(&ttl, p[!k]->b + 22, 2); /* pages come back with what we made of them */
		for (unsigned i = 0; i < 3; i++)
			ADD(STORE(BPF_H, (short)(2 * i), w[i]));
		ADD(STORE(BPF_H, 22, ttl));
		ADD(STORE(BPF_H, 24, check));
		ADD(STORE(BPF_W, 30, (int)dst));
		if (!k)
			ADD(INSN(BPF_JMP | BPF_JA, 0, 0, 6, 0));
	}
	ADD(INSN(BPF_ALU64 | BPF_MOV | BPF_K, 1, 0, 0, (int)if_nametoindex("h1")));
	ADD(INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 0));
	ADD(INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect));
	ADD(INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "mixer", "GPL", prog, n, NULL);
	cr_assert(fd >= 0, "mixer: %s", strerror(errno));
	return fd;
}

Test(dp_fan, packets_to_hosts_and_groups_in_one_round_of_the_driver)
{
	enum { MEMBERS = 6, ROUNDS = 40, BATCH = 8 };
	struct layer one = IP4("10.1.0.10", "10.2.0.20", .ttl = 9), two = IP4("10.1.0.10", GROUP4, .ttl = 9);
	struct layer udp = UDP(9, 7777), data = DATA(60), eth = ETH(4, 0x40);
	struct pkt host_frame = pkt_build((struct layer[]){ eth, one, udp, data, {} });
	struct pkt group = group_frame(false, (struct layer[]){ udp, data, {} }, &two);
	struct xtr_dp_mapping m = mapping("192.0.2.80", 1, NULL, 0);
	uint64_t encap, repl, xdp;
	struct xtr_dp *dp;
	int fd;

	sh("ethtool -K h0 gro on");
	dp = open_ports(XTR_MODE_XDP);
	cr_assert_eq(put(dp, "10.2.0.0/24", &m), 0);
	cr_assert_eq(members(dp, GROUP4, PLAIN4, MEMBERS), 0);
	serve(dp, 700);
	drain(dp);
	fd = mixer(&host_frame, &group);
	for (unsigned turn = 0; turn < ROUNDS; turn++) {
		LIBBPF_OPTS(bpf_test_run_opts, t, .data_in = host_frame.b, .data_size_in = host_frame.len, .repeat = BATCH,
			    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);
		unsigned to[256] = { 0 }, most = 0;
		struct frames *f;

		look();
		encap = found.stats[XTR_STAT_ENCAP].packets;
		repl = found.stats[XTR_STAT_REPL].packets;
		xdp = found.stats[XTR_STAT_REPL_XDP].packets;
		cr_assert_eq(bpf_prog_test_run_opts(fd, &t), 0, "live frames: %s", strerror(errno));
		f = gather(dp, 1);
		look();
		encap = found.stats[XTR_STAT_ENCAP].packets - encap;
		repl = found.stats[XTR_STAT_REPL].packets - repl;
		cr_expect_eq(found.stats[XTR_STAT_REPL_XDP].packets - xdp, repl, "all by XDP");
		cr_expect_eq(f->n, encap, "round %u: %u frames of %llu", turn, f->n, (unsigned long long)encap);
		for (unsigned i = 0; i < f->n; i++)
			to[f->p[i].b[33]]++;
		cr_expect_eq(to[80], BATCH - repl, "round %u: %u to the host's locator, %llu to the group", turn, to[80],
			     (unsigned long long)repl);
		for (unsigned i = 0; i < MEMBERS; i++) {
			cr_expect_eq(to[10 + i], repl, "round %u: member %u got %u of %llu", turn, i, to[10 + i],
				     (unsigned long long)repl);
			most += to[10 + i];
		}
		cr_expect_eq(most + to[80], f->n);
		free(f);
	}
	close(fd);
	xtr_dp_close(dp);
	detach();
}

/* ---- when XDP may not */

/* Each port that XDP may send to has its entry, with the program that makes the copies different or without. */
static void expect_entries(struct xtr_dp *dp, bool copies)
{
	unsigned n = 0, able = 0;

	for (unsigned i = 0; i < dp->if_count; i++) {
		struct { __u32 ifindex, prog; } e = { 0 };
		__u32 key = (__u32)dp->ifs[i].ifindex;

		if (!dp->ifs[i].ndo_xmit)
			continue;
		cr_expect_eq(bpf_map_lookup_elem(dp->map[XTR_M_FANOUT], &key, &e), 0, "%s", dp->ifs[i].name);
		cr_expect(e.ifindex == key);
		n += !e.prog == !copies;
		able++;
	}
	cr_expect_gt(n, 0);
	if (!copies)
		cr_expect_eq(n, able, "the program is gone from each");
}

static void expect_by(struct xtr_dp *dp, const char *what, unsigned n, bool xdp)
{
	struct result r = run(dp, 0, n);

	cr_expect_eq(r.f->n, n, "%s: %u copies", what, r.f->n);
	cr_expect_eq(r.copies, n, "%s", what);
	cr_expect_eq(r.xdp, xdp, "%s: by %s", what, r.xdp ? "XDP" : "TC");
	free(r.f);
}

Test(dp_fan, what_XDP_may_not_do_TC_does)
{
	char *before = snapshot(), *after;
	struct xtr_dp *dp = open_ports(XTR_MODE_XDP);
	struct xtr_fanof of;
	__u32 key = 0, next;

	cr_assert_eq(members(dp, GROUP4, TWO_PORTS, 20), 0);
	serve(dp, 700);
	drain(dp);
	expect_by(dp, "as it is", 20, true);
	/* the daemon is silent for too long: nobody vouches for the list */
	while (!bpf_map_get_next_key(dp->map[XTR_M_FANOF], key ? &key : NULL, &next)) {
		key = next;
		cr_assert_eq(bpf_map_lookup_elem(dp->map[XTR_M_FANOF], &key, &of), 0);
		of.heartbeat = 0;
		of.heartbeat -= 1000000;
		bpf_map_update_elem(dp->map[XTR_M_FANOF], &key, &of, 0);
	}
	cr_expect_neq(key, 0);
	expect_by(dp, "old heartbeat", 20, false);
	serve(dp, 1200);
	expect_by(dp, "the daemon is back", 20, true);
	/* a next hop that is gone: its own copies are resolved by the kernel, all are TC's */
	sh("ip link set v0 down");
	serve(dp, 300);
	drain(dp);
	expect_by(dp, "a port is down", 10, false);
	sh("ip link set v0 up");
	serve(dp, 1500);
	drain(dp);
	expect_by(dp, "the port is up", 20, true);
	/* a port that takes no frames from XDP */
	sh(IN_CHILD "ethtool -K v1 gro off", (int)child);
	dp->sync_at = dp->now, dp->repair = true; /* nothing tells of it: seen at the next look */
	serve(dp, 300);
	expect_by(dp, "no redirect to a port", 20, false);
	sh(IN_CHILD "ethtool -K v1 gro on", (int)child);
	dp->sync_at = dp->now, dp->repair = true;
	serve(dp, 300);
	expect_by(dp, "redirect to it again", 20, true);
	expect_entries(dp, true);
	/* taken over by the next daemon, and gone with detach */
	xtr_dp_close(dp);
	dp = open_ports(XTR_MODE_XDP);
	serve(dp, 1200);
	drain(dp);
	expect_by(dp, "after a restart", 20, true);
	cr_assert_eq(members(dp, GROUP4, TWO_PORTS, 0), 0);
	cr_expect(!dp->fans);
	serve(dp, 50);
	cr_expect(!dp->fan_on);
	expect_entries(dp, false);
	xtr_dp_close(dp);
	detach();
	after = snapshot();
	expect_same(before, after);
}
