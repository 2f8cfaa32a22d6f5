/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Replication (RFC 8378 5.2, RFC 9962 4.1): the programs attached to real devices, because the copies are sent while the
 * program runs. Every copy is compared octet for octet with one from the packet builder.
 *
 *	socket --- xtr0 ( TC ) --redirect--> xtr0p ( TC inject )---clones---> under [veth] underx --- wire
 *	socket (the daemon's place) -------> xtr0p ( TC inject )
 *	host --- eidx [veth] eid ( TC ) --clone--> xtr0p
 *
 * Members of the lists are 198.51.100.N and 2001:db8:100::N; templates have the ids 100 + N and 300 + N.
 */
#include "bpf/wire_lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIST    7
#define GROUP4  "233.252.1.1"
#define GROUP6  "ff0e::db8:1"
#define M4(n)   (100u + (n))
#define M6(n)   (300u + (n))
#define MEMBERS 150

#define FRAME    ETH(MAC_PEER, MAC_XTR0)
#define TAIL     UDP(4342, 4342, .csum = true), DATA(40)

static char member4[MEMBERS][20], member6[MEMBERS][28];

/* ---- ports; mark: of what is sent */

static int open_marked(const char *name, __u32 mark)
{
	int fd = open_port(name), size = 8 << 20;

	cr_assert(!setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) &&
		  !setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)), "packet socket on %s: %s", name, strerror(errno));
	return fd;
}

/* 0, or the error: ENOBUFS when the program dropped it. */
static int put(int fd, const struct virtio_net_hdr *v, const struct pkt *p)
{
	return write_frame(fd, v, p) < 0 ? errno : 0;
}

static int wire, inject, overlay;

static void mcast_init(void)
{
	lab_init();
	attach_tc(lab.skel->progs.xtr_tc_inject, lab.peer, BPF_TC_EGRESS);
	attach_tc(lab.skel->progs.xtr_tc_encap, lab.peer, BPF_TC_INGRESS);
	attach_tc(lab.skel->progs.xtr_tc_encap, lab.xtr0, BPF_TC_EGRESS);
	attach_tc(lab.skel->progs.xtr_tc_encap, lab.eid, BPF_TC_INGRESS);
	/* the XDP test-run aid of the lab is in the way of frames from eidx */
	bpf_xdp_detach(lab.eid, 0, NULL);
	for (unsigned i = 0; i < MEMBERS; i++) {
		snprintf(member4[i], sizeof(member4[i]), "198.51.100.%u", i);
		snprintf(member6[i], sizeof(member6[i]), "2001:db8:100::%x", i);
		lab_rloc(M4(i), lab_template(AF_INET, "192.0.2.1", member4[i], M4(i)));
		lab_rloc(M6(i), lab_template(AF_INET6, "2001:db8::1", member6[i], M6(i)));
	}
	wire = open_marked("underx", 0);
	inject = open_marked("xtr0p", XTR_MARK_CONTROL);
	overlay = open_marked("xtr0", 0);
}

TestSuite(mcast, .init = mcast_init, .timeout = 60);

/* A list under (iid, group), of these templates. */
static void list_of(__u32 iid, const __u32 *ids, unsigned n)
{
	struct xtr_repl v = { .n = n };

	memcpy(v.rloc, ids, n * sizeof(*ids));
	lab_repl(LIST, 0, v);
	lab_mcast(iid, GROUP4 "/32", NULL, (struct xtr_mcast){ .repl = LIST, .parts = 1 });
	lab_mcast(iid, GROUP6 "/128", NULL, (struct xtr_mcast){ .repl = LIST, .parts = 1 });
}
#define LIST_OF(iid, ...) list_of(iid, (const __u32[]){ __VA_ARGS__ }, sizeof((const __u32[]){ __VA_ARGS__ }) / 4)

/* The copy to the member with this template id. in: the inner layers as they leave, TTL included. */
static struct pkt copy_for(__u32 id, __u32 iid, const struct layer *in)
{
	struct layer l[MAX_LAYERS] = { ETH(MAC_NEXT, MAC_UNDER) };
	unsigned n = 4;

	if (id < M6(0))
		l[1] = (struct layer)IP4("192.0.2.1", member4[id - M4(0)], .ttl = in->ttl, .tos = in->tos);
	else
		l[1] = (struct layer)IP6("2001:db8::1", member6[id - M6(0)], .ttl = in->ttl, .tos = in->tos);
	l[2] = (struct layer)UDP(0, 4341);
	l[3] = (struct layer)LISP(iid ? 0x08000000 : 0, iid << 8);
	while (in->type)
		l[n++] = *in++;
	return pkt_build(l);
}

/* The next frames on the wire are the copies to these members, in this order, and there is no other. Their source port is
 * that of the flow. */
static void expect_copies(const char *what, __u32 iid, const struct layer *in, const __u32 *ids, unsigned n)
{
	struct pkt got, want;
	unsigned flow = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned udp = ids[i] < M6(0) ? 34 : 54;

		want = copy_for(ids[i], iid, in);
		got = take_frame(wire, NULL, COMES);
		cr_assert(got.len, "%s: copy %u of %u did not come", what, i, n);
		take_entropy(&got, &want);
		expect_pkt(what, &got, &want);
		cr_expect(!flow || flow == (unsigned)(got.b[udp] << 8 | got.b[udp + 1]), "%s: one flow, one port", what);
		flow = got.b[udp] << 8 | got.b[udp + 1];
	}
	got = take_frame(wire, NULL, NOTHING);
	cr_expect_eq(got.len, 0, "%s: a frame too much%s", what, pkt_dump(&got, NULL));
}

/* Packets met a list, copies left, nothing else moved but these. */
static void expect_counts(const char *what, const struct ran *r, unsigned packets, unsigned copies, int drop, unsigned drops)
{
	cr_expect_eq(r->stats[XTR_STAT_REPL].packets, packets, "%s: %llu replicated", what, r->stats[XTR_STAT_REPL].packets);
	cr_expect_eq(r->stats[XTR_STAT_REPL_COPY].packets, copies, "%s: %llu copies", what, r->stats[XTR_STAT_REPL_COPY].packets);
	cr_expect_eq(r->stats[XTR_STAT_ENCAP].packets, copies, "%s: %llu encapsulated", what, r->stats[XTR_STAT_ENCAP].packets);
	for (int i = 1; i < XTR_DROP_MAX; i++)
		cr_expect_eq(r->drops[i], i == drop ? drops : 0, "%s: drop %d moved by %llu", what, i, r->drops[i]);
}

/* ---- copies */

static void check_forms(unsigned n, const __u32 *ids, const char *what)
{
	const struct layer in4[] = { FRAME, IP4("192.0.2.1", GROUP4, .ttl = 64, .tos = 0xb9), TAIL, {} };
	const struct layer out4[] = { IP4("192.0.2.1", GROUP4, .ttl = 63, .tos = 0xb9), TAIL, {} };
	const struct layer in6[] = { FRAME, IP6("2001:db8::1", GROUP6, .ttl = 9, .flow = 0x12345), TAIL, {} };
	const struct layer out6[] = { IP6("2001:db8::1", GROUP6, .ttl = 8, .flow = 0x12345), TAIL, {} };

	for (int six = 0; six < 2; six++) {
		struct pkt p = pkt_build(six ? in6 : in4);
		struct ran r = lab_count_start();
		char text[64];

		snprintf(text, sizeof(text), "%s, IPv%c inside, %u members", what, six ? '6' : '4', n);
		list_of(XTR_IID_MAX, ids, n);
		cr_assert_eq(put(inject, NULL, &p), 0, "%s: sent", text);
		expect_copies(text, XTR_IID_MAX, six ? out6 : out4, ids, n);
		lab_count_end(&r);
		expect_counts(text, &r, 1, n, 0, 0);
	}
}

Test(mcast, D_13_one_encapsulated_copy_for_each_member)
{
	static const unsigned sizes[] = { 1, 2, 3, 63, 64 };
	__u32 ids[XTR_REPL_MAX];

	for (unsigned k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		unsigned n = sizes[k];

		for (unsigned i = 0; i < n; i++)
			ids[i] = M4(i);
		check_forms(n, ids, "IPv4");
		for (unsigned i = 0; i < n; i++)
			ids[i] = M6(i);
		check_forms(n, ids, "IPv6");
		for (unsigned i = 0; i < n; i++)
			ids[i] = i < n / 2 ? M4(i) : M6(i);
		check_forms(n, ids, "both");
		for (unsigned i = 0; i < n; i++)
			ids[i] = i & 1 ? M4(i) : M6(i);
		check_forms(n, ids, "alternating");
	}
	for (unsigned i = 0; i < 64; i++)
		cr_expect_gt(lab_rlstat(M4(i)).packets, 0, "member %u has its own counter", i);
}

Test(mcast, the_empty_list_uses_the_packet_up)
{
	struct pkt p = PKT(FRAME, IP4("192.0.2.1", GROUP4), TAIL);
	struct ran r = lab_count_start();

	list_of(XTR_IID_MAX, NULL, 0);
	cr_assert_eq(put(inject, NULL, &p), 0);
	cr_expect_eq(take_frame(wire, NULL, NOTHING).len, 0);
	lab_count_end(&r);
	expect_counts("empty", &r, 1, 0, 0, 0);
}

/* A list of more than 64 comes in parts, one injection each; a part never exceeds 64, whatever the map says. */
Test(mcast, the_fan_out_of_one_run_is_bounded)
{
	const struct layer out[] = { IP4("192.0.2.1", GROUP4, .ttl = 63), TAIL, {} };
	struct pkt p = PKT(FRAME, IP4("192.0.2.1", GROUP4), TAIL);
	struct xtr_repl first = { .n = 0xffffffff }, second = { .n = 1, .rloc = { M4(64) } };
	int part1 = open_marked("xtr0p", XTR_MARK_CONTROL | 1), part2 = open_marked("xtr0p", XTR_MARK_CONTROL | 2);
	__u32 ids[65];
	struct ran r;

	for (unsigned i = 0; i < 65; i++)
		ids[i] = M4(i);
	memcpy(first.rloc, ids, sizeof(first.rloc));
	lab_repl(LIST, 0, first);
	lab_repl(LIST, 1, second);
	lab_mcast(XTR_IID_MAX, GROUP4 "/32", NULL, (struct xtr_mcast){ .repl = LIST, .parts = 2 });
	r = lab_count_start();
	cr_assert_eq(put(inject, NULL, &p), 0);
	expect_copies("part 0", XTR_IID_MAX, out, ids, 64);
	cr_assert_eq(put(part1, NULL, &p), 0);
	expect_copies("part 1", XTR_IID_MAX, out, ids + 64, 1);
	lab_count_end(&r);
	expect_counts("two parts", &r, 2, 65, 0, 0);
	r = lab_count_start();
	cr_expect_eq(put(part2, NULL, &p), ENOBUFS);
	cr_expect_eq(take_frame(wire, NULL, NOTHING).len, 0);
	lab_count_end(&r);
	expect_counts("part 2", &r, 0, 0, XTR_DROP_REPL_NO_LIST, 1);
	/* counters of the group: packets in, copies out */
	cr_expect_eq(lab_mcast_get(XTR_IID_MAX, GROUP4).packets, 2);
	cr_expect_eq(lab_mcast_get(XTR_IID_MAX, GROUP4).copies, 65);
}

Test(mcast, the_ttl_goes_down_once_and_1_ends_here)
{
	const struct layer out[] = { IP4("192.0.2.1", GROUP4, .ttl = 1), TAIL, {} };
	struct pkt p = PKT(FRAME, IP4("192.0.2.1", GROUP4, .ttl = 2), TAIL);
	const __u32 ids[] = { M4(1), M4(2), M6(1) };
	struct ran r;

	list_of(XTR_IID_MAX, ids, 3);
	cr_assert_eq(put(inject, NULL, &p), 0);
	expect_copies("TTL 2", XTR_IID_MAX, out, ids, 3);
	for (int ttl = 0; ttl < 2; ttl++) {
		p = PKT(FRAME, IP4("192.0.2.1", GROUP4, .ttl = ttl, .ttl0 = !ttl), TAIL);
		r = lab_count_start();
		cr_expect_eq(put(inject, NULL, &p), ENOBUFS);
		cr_expect_eq(take_frame(wire, NULL, NOTHING).len, 0);
		lab_count_end(&r);
		expect_counts("TTL 1 and 0", &r, 0, 0, XTR_DROP_ENCAP_TTL, 1);
	}
}

/* RFC 8378: never a copy to ourselves. And who cannot be reached does not keep the others from theirs. */
Test(mcast, M_27_members_that_get_no_copy)
{
	const struct layer out[] = { IP4("192.0.2.1", GROUP4, .ttl = 63), TAIL, {} };
	struct pkt p = PKT(FRAME, IP4("192.0.2.1", GROUP4), TAIL);
	struct xtr_rloc down = lab_rloc_get(M4(3));
	const __u32 alive[] = { M4(1), M4(4), M6(2) };
	struct ran r;

	lab_rloc(900, lab_template(AF_INET, "192.0.2.1", "192.0.2.1", 900));
	lab_rloc(901, lab_template(AF_INET6, "2001:db8::1", "2001:db8::1", 901));
	down.flags &= ~XTR_RLOC_F_UP;
	lab_rloc(M4(3), down);
	lab_rloc_del(M4(5));
	LIST_OF(XTR_IID_MAX, 900, M4(1), M4(3), M4(4), M4(5), 901, M6(2));
	r = lab_count_start();
	cr_assert_eq(put(inject, NULL, &p), 0);
	expect_copies("own, down, gone", XTR_IID_MAX, out, alive, 3);
	lab_count_end(&r);
	expect_counts("own, down, gone", &r, 1, 3, XTR_DROP_NO_LOCATOR, 2);
	/* a port that has gone: the kernel makes no copy */
	down.flags |= XTR_RLOC_F_UP;
	down.ifindex = 4711;
	lab_rloc(M4(3), down);
	LIST_OF(XTR_IID_MAX, M4(1), M4(3), M4(4), M6(2));
	r = lab_count_start();
	cr_assert_eq(put(inject, NULL, &p), 0);
	expect_copies("port gone", XTR_IID_MAX, out, alive, 3);
	lab_count_end(&r);
	expect_counts("port gone", &r, 1, 3, XTR_DROP_REPL_FAILED, 1);
}

/* The daemon is dead, its heartbeats are old: the kernel resolves, copy by copy. */
Test(mcast, a_template_nobody_vouches_for_is_resolved_by_the_kernel)
{
	struct pkt p = PKT(FRAME, IP4("192.0.2.1", GROUP4), TAIL);
	struct layer in[] = { IP4("192.0.2.1", GROUP4, .ttl = 63), TAIL, {} };
	const __u32 ids[] = { M4(1), M4(2), M4(3), M6(1) };
	struct xtr_rloc old;
	struct ran r;

	cr_assert_eq(system("ip addr add 192.0.2.1/24 dev under; ip route add 198.51.100.0/24 dev under;"
			    "ip neigh add 198.51.100.2 lladdr 02:00:00:00:00:52 dev under nud permanent;"
			    "ip neigh add 198.51.100.3 lladdr 02:00:00:00:00:53 dev under nud permanent"), 0);
	for (unsigned i = 2; i < 4; i++) {
		old = lab_rloc_get(M4(i));
		if (i == 2)
			old.heartbeat = lab.now - lab.cfg.heartbeat_max - 1000000;
		else
			old.flags &= ~XTR_RLOC_F_L2;
		lab_rloc(M4(i), old);
	}
	list_of(XTR_IID_MAX, ids, 4);
	r = lab_count_start();
	cr_assert_eq(put(inject, NULL, &p), 0);
	for (unsigned i = 0; i < 4; i++) {
		struct pkt want = copy_for(ids[i], XTR_IID_MAX, in), got = take_frame(wire, NULL, COMES);

		if (i == 1 || i == 2) { /* the neighbour's address, and that of the port */
			want.b[5] = 0x51 + i;
			want.b[11] = MAC_UNDER;
		}
		take_entropy(&got, &want);
		expect_pkt("resolved", &got, &want);
	}
	lab_count_end(&r);
	expect_counts("resolved", &r, 1, 4, 0, 0);
	cr_expect_eq(r.stats[XTR_STAT_FALLBACK].packets, 2);
}

Test(mcast, a_copy_that_does_not_fit_is_counted_and_the_others_go)
{
	/* MTU 1600: 1564 fits with an IPv4 header in front, 1544 with an IPv6 one */
	static const struct { unsigned inner, copies; } sizes[] = { { 1544, 4 }, { 1545, 2 }, { 1564, 2 }, { 1565, 0 } };
	const __u32 ids[] = { M4(1), M4(2), M6(1), M6(2) };

	list_of(XTR_IID_MAX, ids, 4);
	for (unsigned i = 0; i < 4; i++) {
		unsigned n = sizes[i].inner - 28;
		const struct layer out[] = { IP4("192.0.2.1", GROUP4, .ttl = 63), UDP(4342, 4342, .csum = true), DATA(n), {} };
		struct pkt p = PKT(FRAME, IP4("192.0.2.1", GROUP4), UDP(4342, 4342, .csum = true), DATA(n));
		struct ran r;

		cr_assert_eq(system("ip link set xtr0p mtu 9000; ip link set underx mtu 1600"), 0);
		r = lab_count_start();
		cr_assert_eq(put(inject, NULL, &p), 0);
		expect_copies("large", XTR_IID_MAX, out, ids, sizes[i].copies);
		lab_count_end(&r);
		expect_counts("large", &r, 1, sizes[i].copies, XTR_DROP_REPL_TOO_BIG, 4 - sizes[i].copies);
	}
}

/* Ethernet padding does not travel. */
Test(mcast, padding_is_not_copied)
{
	const struct layer out[] = { IP4("192.0.2.1", GROUP4, .ttl = 63), UDP(4342, 4342, .csum = true), DATA(4), {} };
	struct pkt p = PKT(FRAME, IP4("192.0.2.1", GROUP4), UDP(4342, 4342, .csum = true), DATA(4), PAD(14));
	const __u32 ids[] = { M4(1), M6(2) };

	list_of(XTR_IID_MAX, ids, 2);
	cr_assert_eq(put(inject, NULL, &p), 0);
	expect_copies("padded", XTR_IID_MAX, out, ids, 2);
}

/* ---- which list */

static void one_member(__u32 list, __u32 id)
{
	lab_repl(list, 0, (struct xtr_repl){ .n = 1, .rloc = { id } });
}

Test(mcast, the_longest_match_is_on_the_group_first_then_on_the_source)
{
	static const struct { const char *src, *group; __u32 id; } cases[] = {
		{ "10.1.0.10", "233.252.1.1", M4(4) },  /* (S,G) */
		{ "10.1.0.11", "233.252.1.1", M4(3) },  /* (*,G) */
		{ "10.1.0.10", "233.252.1.2", M4(2) },  /* /24 */
		{ "10.1.0.10", "233.252.2.1", M4(1) },  /* /8 */
		{ "fd01::10", "ff0e::1:1", M4(7) },
		{ "fd01::11", "ff0e::1:1", M4(6) },
		{ "fd01::10", "ff0e::2:1", M4(5) },
	};
	int from = open_marked("xtr0", 0);

	lab_mcast(IID_A, "233.0.0.0/8", NULL, (struct xtr_mcast){ .repl = 21, .parts = 1 });
	lab_mcast(IID_A, "233.252.1.0/24", NULL, (struct xtr_mcast){ .repl = 22, .parts = 1 });
	lab_mcast(IID_A, "233.252.1.1/32", NULL, (struct xtr_mcast){ .repl = 23, .parts = 1 });
	lab_mcast(IID_A, "233.252.1.1/32", "10.1.0.10", (struct xtr_mcast){ .repl = 24, .parts = 1 });
	lab_mcast(IID_A, "ff0e::/16", NULL, (struct xtr_mcast){ .repl = 25, .parts = 1 });
	lab_mcast(IID_A, "ff0e::1:1/128", NULL, (struct xtr_mcast){ .repl = 26, .parts = 1 });
	lab_mcast(IID_A, "ff0e::1:1/128", "fd01::10", (struct xtr_mcast){ .repl = 27, .parts = 1 });
	for (unsigned i = 1; i < 8; i++)
		one_member(20 + i, M4(i));
	lab_iface(lab.xtr0, (struct xtr_iface){ .role = XTR_ROLE_OVERLAY, .slot = 1, .peer = lab.peer, .iid = IID_A, .mac = MAC_BYTES(MAC_XTR0) });
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct layer ip = IP4(cases[i].src, cases[i].group, .ttl = 8), udp = UDP(9, 9, .csum = true), data = DATA(10);

		if (strchr(cases[i].src, ':'))
			ip = (struct layer)IP6(cases[i].src, cases[i].group, .ttl = 8);
		{
			struct pkt p = PKT(ETH(MAC_PEER, MAC_XTR0), ip, udp, data);
			struct layer out[] = { ip, udp, data, {} };

			out[0].ttl = 7;
			cr_assert_eq(put(from, NULL, &p), 0);
			expect_copies(cases[i].group, IID_A, out, &cases[i].id, 1);
		}
	}
}

/* The same group in another instance is another group; without a list everything is as ever. */
Test(mcast, instances_do_not_meet)
{
	struct pkt p = PKT(ETH(MAC_PEER, MAC_XTR0), IP4("10.1.0.10", GROUP4), TAIL);
	const __u32 ids[] = { M4(1) };
	struct ran r;

	list_of(IID_A, ids, 1);
	list_of(XTR_IID_MAX, ids, 1); /* xtr0 is of instance 0 */
	r = lab_count_start();
	put(overlay, NULL, &p);
	cr_expect_eq(take_frame(wire, NULL, NOTHING).len, 0);
	lab_count_end(&r);
	expect_counts("other instance", &r, 0, 0, XTR_DROP_ENCAP_SCOPE, 1);
}

Test(mcast, groups_of_the_link_are_never_replicated)
{
	static const char *const groups[] = { "224.0.0.5", "224.0.0.251", "ff01::5", "ff02::5", "ff12::5" };

	one_member(LIST, M4(1));
	lab_mcast(0, "224.0.0.0/4", NULL, (struct xtr_mcast){ .repl = LIST, .parts = 1 });
	lab_mcast(0, "ff00::/8", NULL, (struct xtr_mcast){ .repl = LIST, .parts = 1 });
	for (unsigned i = 0; i < 5; i++) {
		struct layer ip = IP4("10.1.0.10", groups[i]);
		struct pkt p;
		struct ran r;

		if (i >= 2)
			ip = (struct layer)IP6("fd01::10", groups[i]);
		p = PKT(ETH(MAC_PEER, MAC_XTR0), ip, TAIL);
		r = lab_count_start();
		put(overlay, NULL, &p);
		cr_expect_eq(take_frame(wire, NULL, NOTHING).len, 0, "%s left", groups[i]);
		lab_count_end(&r);
		expect_counts(groups[i], &r, 0, 0, XTR_DROP_ENCAP_SCOPE, 1);
	}
}

/* ---- where packets come from */

/* From the host by the overlay device, and from the peer end (what the kernel has segmented). */
Test(mcast, the_overlay_device_replicates)
{
	const struct layer out[] = { IP4("10.1.0.10", GROUP4, .ttl = 63), TAIL, {} };
	struct pkt p = PKT(ETH(MAC_PEER, MAC_XTR0), IP4("10.1.0.10", GROUP4), TAIL), q;
	const __u32 ids[] = { M4(1), M6(1), M4(2) };
	struct ran r;

	list_of(0, ids, 3);
	r = lab_count_start();
	cr_assert_eq(put(overlay, NULL, &p), 0);
	expect_copies("xtr0", 0, out, ids, 3);
	lab_count_end(&r);
	expect_counts("xtr0", &r, 1, 3, 0, 0);
	/* a TTL of 1, the default of multicast sockets, stays here */
	q = PKT(ETH(MAC_PEER, MAC_XTR0), IP4("10.1.0.10", GROUP4, .ttl = 1), TAIL);
	r = lab_count_start();
	put(overlay, NULL, &q);
	cr_expect_eq(take_frame(wire, NULL, NOTHING).len, 0);
	lab_count_end(&r);
	expect_counts("xtr0, TTL 1", &r, 0, 0, XTR_DROP_ENCAP_TTL, 1);
	/* source rules are those of unicast */
	lab_flags(XTR_CFG_F_CHECK_ENCAP_SOURCE);
	cr_assert_eq(put(overlay, NULL, &p), 0);
	expect_copies("own source", 0, out, ids, 3);
	q = PKT(ETH(MAC_PEER, MAC_XTR0), IP4("10.99.0.10", GROUP4), TAIL);
	r = lab_count_start();
	put(overlay, NULL, &q);
	cr_expect_eq(take_frame(wire, NULL, NOTHING).len, 0);
	lab_count_end(&r);
	expect_counts("foreign source", &r, 0, 0, XTR_DROP_ENCAP_SOURCE, 1);
	/* not for control messages: their source is an RLOC */
	list_of(XTR_IID_MAX, ids, 3);
	q = PKT(FRAME, IP4("192.0.2.1", GROUP4), TAIL);
	cr_assert_eq(put(inject, NULL, &q), 0);
	expect_copies("control", XTR_IID_MAX, (const struct layer[]){ IP4("192.0.2.1", GROUP4, .ttl = 63), TAIL, {} }, ids, 3);
}

Test(mcast, hosts_beside_us_get_theirs_natively)
{
	const struct layer out[] = { IP4("10.1.0.10", GROUP4, .ttl = 7), UDP(9, 7777, .csum = true), DATA(5), {} };
	struct layer in[] = { ETH(0, MAC_HOST), IP4("10.1.0.10", GROUP4, .ttl = 8), UDP(9, 7777, .csum = true), DATA(5), {} };
	int host = open_marked("eidx", 0), sock = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(7777) };
	struct ip_mreqn m = { .imr_ifindex = lab.eid };
	struct timeval tv = { .tv_usec = 300000 };
	const __u8 mac[] = { 0x01, 0x00, 0x5e, 0x7c, 0x01, 0x01 };
	const __u32 ids[] = { M4(1), M6(1) };
	struct ran r;
	struct pkt p;
	char buf[64];

	cr_assert_eq(system("ip addr add 10.1.0.254/16 dev eid; sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eid.rp_filter=0"), 0);
	memcpy(in[0].dmac, mac, 6);
	inet_pton(AF_INET, GROUP4, &m.imr_multiaddr);
	cr_assert(!bind(sock, (struct sockaddr *)&a, sizeof(a)) && !setsockopt(sock, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)) &&
		  !setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), "%s", strerror(errno));
	p = pkt_build(in);
	/* no list: untouched */
	r = lab_count_start();
	cr_assert_eq(put(host, NULL, &p), 0);
	cr_expect_eq(recv(sock, buf, sizeof(buf), 0), 5);
	cr_expect_eq(take_frame(wire, NULL, NOTHING).len, 0);
	lab_count_end(&r);
	expect_counts("no list", &r, 0, 0, 0, 0);
	/* a list: copies, and still delivered here */
	list_of(0, ids, 2);
	r = lab_count_start();
	cr_assert_eq(put(host, NULL, &p), 0);
	expect_copies("port", 0, out, ids, 2);
	cr_expect_eq(recv(sock, buf, sizeof(buf), 0), 5);
	lab_count_end(&r);
	expect_counts("port", &r, 1, 2, 0, 0);
	/* TTL 1: here only */
	in[1].ttl = 1;
	p = pkt_build(in);
	r = lab_count_start();
	cr_assert_eq(put(host, NULL, &p), 0);
	cr_expect_eq(recv(sock, buf, sizeof(buf), 0), 5);
	cr_expect_eq(take_frame(wire, NULL, NOTHING).len, 0);
	lab_count_end(&r);
	expect_counts("port, TTL 1", &r, 0, 0, 0, 0);
	/* a unicast packet in a frame for many is nobody's business of ours */
	in[1] = (struct layer)IP4("10.1.0.10", "10.2.0.20", .ttl = 8);
	p = pkt_build(in);
	r = lab_count_start();
	cr_assert_eq(put(host, NULL, &p), 0);
	cr_expect_eq(take_frame(wire, NULL, NOTHING).len, 0);
	lab_count_end(&r);
	expect_counts("unicast to many", &r, 0, 0, 0, 0);
	cr_expect_eq(r.stats[XTR_STAT_PASS].packets, 1);
}

/* UDP super-packets to a group: the kernel segments them on the way to the peer end, each segment is replicated. */
Test(mcast, super_packets_are_segmented_first)
{
	struct pkt p = PKT(ETH(MAC_PEER, MAC_XTR0), IP4("10.1.0.10", GROUP4), UDP(9, 9, .partial = true), DATA(300));
	struct virtio_net_hdr v = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = 5 /* UDP_L4 */, .gso_size = 100,
				    .hdr_len = 42, .csum_start = 34, .csum_offset = 6 };
	const __u32 ids[] = { M4(1), M6(1) };
	struct ran r;

	cr_assert_eq(system("ethtool -K xtr0 tx-udp-segmentation off 2>/dev/null"), 0);
	list_of(0, ids, 2);
	r = lab_count_start();
	if (put(overlay, &v, &p))
		cr_skip("a kernel before 6.2 takes no UDP super-packet from a packet socket");
	for (unsigned seg = 0; seg < 3; seg++)
		for (unsigned i = 0; i < 2; i++) {
			struct pkt got = take_frame(wire, NULL, COMES);
			unsigned at = i ? 14 + 56 : 14 + 36;

			cr_expect_eq(got.len, at + 28 + 100, "segment %u, copy %u: %u octets", seg, i, got.len);
			cr_expect_eq(got.b[at + 28], (__u8)(seg * 100 + 1), "segment %u, copy %u", seg, i);
			cr_expect_eq(got.b[at + 8], 63);
		}
	cr_expect_eq(take_frame(wire, NULL, NOTHING).len, 0);
	lab_count_end(&r);
	expect_counts("segments", &r, 3, 6, 0, 0);
	cr_expect_eq(r.stats[XTR_STAT_GSO_PEER].packets, 1);
	/* one that comes whole to the place of replication is refused: its copies would be lost without a trace */
	{
		struct run_opt o = { .gso_size = 100, .gso_segs = 3, .mark = XTR_MARK_CONTROL };
		struct pkt q = PKT(FRAME, IP4("192.0.2.1", GROUP4), UDP(4342, 4342), DATA(300));

		list_of(XTR_IID_MAX, ids, 2);
		r = lab_run(H_INJECT, &q, &o);
		cr_expect_eq(r.ret, TC_SHOT);
		expect_counts("whole", &r, 0, 0, XTR_DROP_REPL_NO_LIST, 1);
	}
}

static void overlay_mtu(__u16 mtu)
{
	struct xtr_iface v = lab_iface_get(lab.xtr0);

	v.mtu = mtu;
	lab_iface(lab.xtr0, v);
}

/* The same from a port: each segment is replicated, with one router hop, and who is a member here gets the packet as it came. */
Test(mcast, super_packets_of_a_port_are_replicated_and_delivered_here)
{
	struct layer in[] = { ETH(0, MAC_HOST), IP4("10.1.0.10", GROUP4, .ttl = 8), UDP(9, 7777, .partial = true), DATA(300), {} };
	struct virtio_net_hdr v = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = 5 /* UDP_L4 */, .gso_size = 100,
				    .hdr_len = 42, .csum_start = 34, .csum_offset = 6 };
	int host = open_marked("eidx", 0), sock = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(7777) };
	struct ip_mreqn m = { .imr_ifindex = lab.eid };
	struct timeval tv = { .tv_usec = 300000 };
	const __u32 ids[] = { M4(1), M6(1) };
	char buf[512];
	struct pkt p;
	struct ran r;

	cr_assert_eq(system("ip addr add 10.1.0.254/16 dev eid; sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eid.rp_filter=0; "
			    "ethtool -K xtr0 tx-udp-segmentation off 2>/dev/null"), 0);
	memcpy(in[0].dmac, (__u8[]){ 0x01, 0x00, 0x5e, 0x7c, 0x01, 0x01 }, 6);
	inet_pton(AF_INET, GROUP4, &m.imr_multiaddr);
	cr_assert(!bind(sock, (struct sockaddr *)&a, sizeof(a)) && !setsockopt(sock, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)) &&
		  !setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), "%s", strerror(errno));
	p = pkt_build(in);
	list_of(0, ids, 2);
	overlay_mtu(1500);
	r = lab_count_start();
	if (put(host, &v, &p))
		cr_skip("a kernel before 6.2 takes no UDP super-packet from a packet socket");
	for (unsigned seg = 0; seg < 3; seg++)
		for (unsigned i = 0; i < 2; i++) {
			struct pkt got = take_frame(wire, NULL, COMES);
			unsigned at = i ? 14 + 56 : 14 + 36;

			cr_expect_eq(got.len, at + 28 + 100, "segment %u, copy %u: %u octets", seg, i, got.len);
			cr_expect_eq(got.b[at + 28], (__u8)(seg * 100 + 1), "segment %u, copy %u", seg, i);
			cr_expect_eq(got.b[at + 8], 7);
		}
	cr_expect_eq(take_frame(wire, NULL, NOTHING).len, 0);
	for (unsigned seg = 0; seg < 3; seg++)
		cr_expect_eq(recv(sock, buf, sizeof(buf), 0), 100, "segment %u for the member here", seg);
	lab_count_end(&r);
	expect_counts("segments", &r, 3, 6, 0, 0);
	/* what does not fit the overlay device is said to be lost */
	overlay_mtu(120);
	r = lab_count_start();
	cr_assert_eq(put(host, &v, &p), 0);
	cr_expect_eq(take_frame(wire, NULL, NOTHING).len, 0);
	lab_count_end(&r);
	expect_counts("too big", &r, 0, 0, XTR_DROP_REPL_TOO_BIG, 1);
	cr_expect_eq(recv(sock, buf, sizeof(buf), 0), 100);
}

/* What else may be put at that place with our marks. */
Test(mcast, marks_are_not_trusted_further_than_they_reach)
{
	struct layer group = IP4("192.0.2.1", GROUP4), host = IP4("192.0.2.1", "10.2.0.20"), tail = UDP(4342, 4342, .csum = true);
	const struct { const char *name; __u32 mark; struct layer ip; int drop; } cases[] = {
		{ "control, no list", XTR_MARK_CONTROL, group, XTR_DROP_REPL_NO_LIST },
		{ "control, to a host", XTR_MARK_CONTROL, host, XTR_DROP_REPL_NO_LIST },
		{ "control, part far away", XTR_MARK_CONTROL | 0x3fffffff, group, XTR_DROP_REPL_NO_LIST },
		{ "resolve, no template", XTR_MARK_RESOLVE | 0x3ffffffe, group, XTR_DROP_NO_LOCATOR },
		{ "bit 30 alone is an interface that is none", 0x40000001, group, XTR_DROP_INJECT_MARK },
		{ "no mark", ~0u, group, XTR_DROP_INJECT_MARK },
		{ "truncated", XTR_MARK_CONTROL, IP4("192.0.2.1", GROUP4, .len_add = 1), XTR_DROP_ENCAP_MALFORMED },
		{ "source that is no source", XTR_MARK_CONTROL, IP4("127.0.0.1", GROUP4), XTR_DROP_REPL_NO_LIST },
	};

	/* instance 0xffffff has a map-cache entry, even: it is never looked up */
	lab_eid(XTR_IID_MAX, "0.0.0.0/0", (struct xtr_eid){ .action = XTR_ACT_ENCAP, .rset = RSET4 });
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run_opt o = { .mark = cases[i].mark };
		struct pkt p = PKT(FRAME, cases[i].ip, tail, DATA(8));
		struct ran r = lab_run(H_INJECT, &p, &o);

		cr_expect_eq(r.ret, TC_SHOT, "%s: %d", cases[i].name, r.ret);
		expect_counts(cases[i].name, &r, 0, 0, cases[i].drop, 1);
	}
	cr_expect_eq(take_frame(wire, NULL, NOTHING).len, 0);
}

/* XDP sends a packet once: multicast is TC's. */
Test(mcast, xdp_leaves_groups_to_tc)
{
	struct layer in[] = { ETH(MAC_EID, MAC_HOST), IP4("10.1.0.10", GROUP4, .ttl = 8), TAIL, {} };
	struct pkt p = pkt_build(in);
	const __u32 ids[] = { M4(1) };
	struct ran r;

	cr_assert_eq(bpf_xdp_attach(lab.eid, lab_prog(lab.skel->progs.xtr_xdp_eid), 0, NULL), 0);
	list_of(0, ids, 1);
	r = lab_run(H_XDP_EID, &p, NULL);
	cr_expect_eq(r.ret, 2 /* XDP_PASS */);
	expect_pkt("untouched", &r.out, &p);
	expect_moved(&r, "xdp", 0, XTR_STAT_XDP_TO_TC);
}
