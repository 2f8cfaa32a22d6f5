// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Replication lists and control messages in data packets, by user/dp on the real kernel: what is sent
 * arrives at real sockets of the other namespace, what that sends comes up by the callback.
 */
#include "dp_lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(dp_mcast, .init = dp_setup, .fini = dp_teardown, .timeout = 60);

#define GROUP4 "233.252.1.1"
#define GROUP6 "ff0e::db8:1"

/* A UDP socket in the other namespace. */
static int there(const char *addr, uint16_t port)
{
	int home = open("/proc/self/ns/net", O_RDONLY), ns, fd, size = 4 << 20;
	struct timeval tv = { .tv_usec = 300000 };
	struct sockaddr_storage ss;
	struct xtr_ip a = ip(addr);
	socklen_t n = xtr_ip_to_sockaddr(&a, port, &ss);
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)child);
	ns = open(path, O_RDONLY);
	cr_assert_eq(setns(ns, CLONE_NEWNET), 0);
	fd = socket(ss.ss_family, SOCK_DGRAM, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&ss, n), 0, "%s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (a.family == 6)
		cr_assert_eq(setsockopt(fd, IPPROTO_UDP, 102 /* UDP_NO_CHECK6_RX */, &(int){ 1 },
					sizeof(int)),
			     0);
	else
		cr_assert_eq(setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &(int){ 1 }, sizeof(int)), 0);
	cr_assert_eq(setns(home, CLONE_NEWNET), 0);
	close(home);
	close(ns);
	return fd;
}

static uint16_t udp_sum(const uint8_t *ips, unsigned addr_len, const uint8_t *udp, unsigned len)
{
	return xtr_dp_fold(xtr_dp_sum(udp, len, xtr_dp_sum(ips, addr_len, IPPROTO_UDP + len)));
}

/* LISP payload as it has to arrive: instance 0xffffff, inner packet of one less TTL, right checksums. */
static void expect_message(const uint8_t *p, ssize_t n, const char *src, const char *group, const void *body,
			   size_t len)
{
	static const uint8_t lisp[8] = { 0x08, 0, 0, 0, 0xff, 0xff, 0xff, 0 };
	struct xtr_ip s = ip(src), g = ip(group);
	unsigned head = s.family == 4 ? 20 : 40, a = s.family == 4 ? 4 : 16;
	const uint8_t *in = p + 8, *udp = in + head;
	const uint8_t *ips = in + (s.family == 4 ? 12 : 8);

	cr_assert_eq(n, (ssize_t)(8 + head + 8 + len), "%zd octets", n);
	cr_expect_arr_eq(p, lisp, 8);
	cr_expect_arr_eq(ips, s.a, a);
	cr_expect_arr_eq(ips + a, g.a, a);
	if (s.family == 4) {
		cr_expect_eq(in[0], 0x45);
		cr_expect_eq(in[2] << 8 | in[3], (int)(28 + len));
		cr_expect_eq(in[8], 63, "TTL %u", in[8]);
		cr_expect_eq(in[9], 17);
		cr_expect_eq(xtr_dp_fold(xtr_dp_sum(in, 20, 0)), 0xffff);
	} else {
		cr_expect_eq(in[0], 0x60);
		cr_expect_eq(in[4] << 8 | in[5], (int)(8 + len));
		cr_expect_eq(in[6], 17);
		cr_expect_eq(in[7], 63);
	}
	cr_expect_eq(udp[0] << 8 | udp[1], 4342);
	cr_expect_eq(udp[2] << 8 | udp[3], 4342);
	cr_expect_eq(udp[4] << 8 | udp[5], (int)(8 + len));
	cr_expect_neq(udp[6] << 8 | udp[7], 0);
	cr_expect_eq(udp_sum(ips, 2 * a, udp, 8 + (unsigned)len), 0xffff);
	cr_expect_arr_eq(udp + 8, body, len);
}

/* ---- what came up */

static struct {
	unsigned n;
	struct xtr_ip via, src, dst;
	uint16_t sport;
	size_t len;
	uint8_t buf[8192];
} got;

static void on_control(void *ctx, const struct xtr_ip *via, const struct xtr_ip *src, const struct xtr_ip *dst,
		       uint16_t sport, const uint8_t *buf, size_t len)
{
	got.n++;
	got.via = *via;
	got.src = *src;
	got.dst = *dst;
	got.sport = sport;
	got.len = len;
	memcpy(got.buf, buf, len < sizeof(got.buf) ? len : sizeof(got.buf));
}

static struct xtr_dp *open_listening(void)
{
	static const struct xtr_dp_callbacks listening = { .control = on_control };
	struct xtr_err err = { "" };
	struct xtr_dp *dp = NULL;
	int r = xtr_dp_open(&cfg, &listening, &dp, &err);

	cr_assert_eq(r, 0, "%d %s", r, err.text);
	memset(&got, 0, sizeof(got));
	return dp;
}

static int members(struct xtr_dp *dp, const char *group, const char *const *m, unsigned n)
{
	struct xtr_ip v[256], g = ip(group);

	for (unsigned i = 0; i < n; i++)
		v[i] = ip(m[i]);
	return xtr_dp_replicate(dp, XTR_IID_MAX, NULL, &g, v, n);
}
#define MEMBERS(dp, group, ...) \
	members(dp, group, (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static int send_group(struct xtr_dp *dp, const char *src, const char *group, const void *buf, size_t len)
{
	struct xtr_ip s = ip(src), g = ip(group);

	return xtr_dp_send_overlay(dp, &s, &g, buf, len);
}

static unsigned count_files(void)
{
	char cmd[256], *out;
	unsigned n;

	snprintf(cmd, sizeof(cmd), "ls %s/xtr/v*-*/ | grep -cE '^xtr_(mcast4|mcast6|repl|ctlsrc)$'", bpffs);
	out = capture(cmd);
	n = (unsigned)atoi(out);
	free(out);
	return n;
}

/* ---- out */

Test(dp_mcast, D_13_a_message_reaches_every_member_and_not_ourselves)
{
	uint8_t body[601], buf[2048];
	struct xtr_dp *dp;
	int a, b, c;

	for (unsigned i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 7);
	config(XTR_MODE_AUTO);
	dp = open_listening();
	a = there("192.0.2.2", 4341);
	b = there("192.0.2.3", 4341);
	c = there("2001:db8::2", 4341);
	cr_expect_eq(send_group(dp, "192.0.2.1", GROUP4, body, 10), -ENOENT);
	cr_assert_eq(MEMBERS(dp, GROUP4, "2001:db8::2", "192.0.2.3", "192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1"), 0);
	cr_assert_eq(MEMBERS(dp, GROUP6, "192.0.2.2", "2001:db8::2"), 0);
	serve(dp, 300); /* neighbours */
	for (unsigned len = 0; len < sizeof(body); len += 100) {
		cr_assert_eq(send_group(dp, "192.0.2.1", GROUP4, body, len), 0);
		expect_message(buf, recv(a, buf, sizeof(buf), 0), "192.0.2.1", GROUP4, body, len);
		expect_message(buf, recv(b, buf, sizeof(buf), 0), "192.0.2.1", GROUP4, body, len);
		expect_message(buf, recv(c, buf, sizeof(buf), 0), "192.0.2.1", GROUP4, body, len);
	}
	cr_assert_eq(send_group(dp, "2001:db8::1", GROUP6, body, 99), 0);
	expect_message(buf, recv(a, buf, sizeof(buf), 0), "2001:db8::1", GROUP6, body, 99);
	expect_message(buf, recv(c, buf, sizeof(buf), 0), "2001:db8::1", GROUP6, body, 99);
	cr_expect_lt(recv(a, buf, sizeof(buf), 0), 0, "one copy each");
	cr_expect_lt(recv(b, buf, sizeof(buf), 0), 0);
	look();
	cr_expect_eq(found.stats[XTR_STAT_REPL].packets, 8);
	cr_expect_eq(found.stats[XTR_STAT_REPL_COPY].packets, 7 * 3 + 2);
	for (int i = XTR_DROP_CONTROL_LIMITED; i < XTR_DROP_MAX; i++)
		cr_expect_eq(found.drops[i], 0, "%s", xtr_drop_name((unsigned)i));
	cr_expect_eq(found.rlocs, 3, "one template for each member: %u", found.rlocs);
	cr_expect_eq(count_files(), 4, "the maps are pinned");
	/* one leaves, all leave */
	cr_assert_eq(MEMBERS(dp, GROUP4, "192.0.2.3"), 0);
	cr_assert_eq(send_group(dp, "192.0.2.1", GROUP4, body, 9), 0);
	expect_message(buf, recv(b, buf, sizeof(buf), 0), "192.0.2.1", GROUP4, body, 9);
	cr_expect_lt(recv(a, buf, sizeof(buf), 0), 0);
	cr_assert_eq(members(dp, GROUP4, NULL, 0), 0);
	cr_expect_eq(send_group(dp, "192.0.2.1", GROUP4, body, 10), -ENOENT);
	cr_assert_eq(MEMBERS(dp, GROUP6, "2001:db8::1"), 0);
	cr_expect_eq(send_group(dp, "2001:db8::1", GROUP6, body, 10), -ENOENT, "nobody but us");
	cr_expect_null(dp->lists);
	serve(dp, XTR_DP_GRACE_MS + 1500);
	look();
	cr_expect_eq(found.rlocs, 0, "templates go after their grace period");
	xtr_dp_close(dp);
	detach();
	close(a);
	close(b);
	close(c);
}

/* section 8 of the rules on fan-out: 64 a run; longer lists of control messages in parts, others refused */
Test(dp_mcast, more_members_than_one_run_serves)
{
	static const unsigned sizes[] = { 64, 65, 128, 129, 150, 65, 1 };
	struct xtr_ip v[256], g = ip(GROUP4);
	struct xtr_dp *dp;
	uint8_t buf[256];
	int fd;

	config(XTR_MODE_AUTO);
	sh("nsenter --net=/proc/%d/ns/net sh -c 'for i in $(seq 150); do echo addr add 198.51.100.$i/32 dev lo; done | ip -batch -'",
	   (int)child);
	sh("ip route add 198.51.100.0/24 via 192.0.2.2");
	dp = open_listening();
	fd = there("0.0.0.0", 4341);
	for (unsigned i = 0; i < 150; i++) {
		char text[32];

		snprintf(text, sizeof(text), "198.51.100.%u", i + 1);
		v[i] = ip(text);
	}
	for (unsigned k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		bool seen_it[256] = { false };
		unsigned n = 0;

		cr_assert_eq(xtr_dp_replicate(dp, XTR_IID_MAX, NULL, &g, v, sizes[k]), 0);
		serve(dp, 300);
		cr_assert_eq(send_group(dp, "192.0.2.1", GROUP4, "hello", 5), 0);
		for (;;) {
			char control[128];
			struct iovec iov = { buf, sizeof(buf) };
			struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
					    .msg_controllen = sizeof(control) };
			struct in_pktinfo info;

			if (recvmsg(fd, &m, 0) < 0)
				break;
			memcpy(&info, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(info));
			cr_expect_not(seen_it[ntohl(info.ipi_addr.s_addr) & 255], "one copy each");
			seen_it[ntohl(info.ipi_addr.s_addr) & 255] = true;
			n++;
		}
		cr_expect_eq(n, sizes[k], "%u members, %u copies", sizes[k], n);
	}
	/* parts of longer lists are gone from the map */
	{
		struct xtr_repl_key key;
		unsigned n = 0;
		void *last = NULL;

		while (!bpf_map_get_next_key(dp->map[XTR_M_REPL], last, &key)) {
			last = &key;
			n++;
		}
		cr_expect_eq(n, 1, "%u parts", n);
	}
	cr_expect_eq(xtr_dp_replicate(dp, 5, NULL, &g, v, 64), 0);
	cr_expect_eq(xtr_dp_replicate(dp, 5, NULL, &g, v, 65), -E2BIG);
	cr_expect_eq(xtr_dp_replicate(dp, XTR_IID_MAX, NULL, &g, v, 150), 0);
	/* the map of templates is full: nothing is half done */
	for (unsigned i = 0; i < 256; i++)
		v[i] = (struct xtr_ip){ .family = 4, .a = { 203, 0, 113, (uint8_t)i } };
	cr_expect_eq(xtr_dp_replicate(dp, XTR_IID_MAX, NULL, &g, v, 256), -ENOSPC);
	cr_assert_eq(send_group(dp, "192.0.2.1", GROUP4, "hello", 5), 0);
	cr_expect_gt(recv(fd, buf, sizeof(buf), 0), 0);
	xtr_dp_close(dp);
	detach();
	close(fd);
}

Test(dp_mcast, what_cannot_be_a_list_is_refused)
{
	struct xtr_ip g = ip(GROUP4), g6 = ip(GROUP6), host = ip("192.0.2.2"), host6 = ip("2001:db8::2");
	const struct { uint32_t iid; const char *group; } bad[] = {
		{ 0x1000000, GROUP4 }, { 0, "192.0.2.1" }, { 0, "2001:db8::1" }, { 0, "224.0.0.5" }, { 0, "ff02::5" }, { 0, "ff01::5" },
	};
	struct xtr_dp_mc prefix = { .iid = 5, .group = { .ip = ip("233.252.0.0"), .len = 16 } };
	union xtr_dp_mckey k;
	struct xtr_dp *dp;

	config(XTR_MODE_TC);
	dp = open_listening();
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct xtr_ip b = ip(bad[i].group);

		cr_expect_eq(xtr_dp_replicate(dp, bad[i].iid, NULL, &b, &host, 1), -EINVAL, "%s", bad[i].group);
	}
	cr_expect_eq(xtr_dp_replicate(dp, 0, &host6, &g, &host, 1), -EINVAL, "source and group of two families");
	cr_expect_eq(xtr_dp_replicate(dp, 0, &g, &g, &host, 1), -EINVAL, "a group is no source");
	cr_expect_eq(xtr_dp_replicate(dp, 0, &host6, &g6, &host, 1), 0);
	/* a group prefix is a key, with a source it is none */
	cr_expect_eq(xtr_dp_mc_key(&k, &prefix), 0);
	cr_expect_eq(k.k4.prefixlen, 48);
	prefix.source = host;
	cr_expect_eq(xtr_dp_mc_key(&k, &prefix), -EINVAL);
	prefix.group.len = 32;
	cr_expect_eq(xtr_dp_mc_key(&k, &prefix), 0);
	cr_expect_eq(k.k4.prefixlen, 96);

	cr_expect_eq(MEMBERS(dp, GROUP4, "192.0.2.2"), 0);
	cr_expect_eq(send_group(dp, "2001:db8::1", GROUP4, "x", 1), -EINVAL);
	cr_expect_eq(send_group(dp, "192.0.2.1", "192.0.2.2", "x", 1), -EINVAL);
	/* underlay 1500, headers 36 and 28 */
	{
		uint8_t *big = calloc(1, 70000);

		cr_expect_eq(send_group(dp, "192.0.2.1", GROUP4, big, 1436), 0);
		cr_expect_eq(send_group(dp, "192.0.2.1", GROUP4, big, 1437), -EMSGSIZE);
		cr_expect_eq(send_group(dp, "192.0.2.1", GROUP4, big, 70000), -EMSGSIZE);
		free(big);
	}
	xtr_dp_close(dp);
	detach();
}

/* (S,G) goes before (*,G), as in the programs. */
Test(dp_mcast, a_list_of_one_source)
{
	struct xtr_ip g = ip(GROUP4), s = ip("192.0.2.1"), m2 = ip("192.0.2.2"), m3 = ip("192.0.2.3");
	struct xtr_dp *dp;
	uint8_t buf[256];
	int a, b;

	config(XTR_MODE_TC);
	dp = open_listening();
	a = there("192.0.2.2", 4341);
	b = there("192.0.2.3", 4341);
	cr_assert_eq(xtr_dp_replicate(dp, XTR_IID_MAX, NULL, &g, &m2, 1), 0);
	cr_assert_eq(xtr_dp_replicate(dp, XTR_IID_MAX, &s, &g, &m3, 1), 0);
	serve(dp, 300);
	cr_assert_eq(send_group(dp, "192.0.2.1", GROUP4, "one", 3), 0);
	expect_message(buf, recv(b, buf, sizeof(buf), 0), "192.0.2.1", GROUP4, "one", 3);
	cr_expect_lt(recv(a, buf, sizeof(buf), 0), 0);
	cr_assert_eq(xtr_dp_replicate(dp, XTR_IID_MAX, &s, &g, NULL, 0), 0);
	cr_assert_eq(send_group(dp, "192.0.2.1", GROUP4, "all", 3), 0);
	expect_message(buf, recv(a, buf, sizeof(buf), 0), "192.0.2.1", GROUP4, "all", 3);
	cr_expect_lt(recv(b, buf, sizeof(buf), 0), 0);
	xtr_dp_close(dp);
	detach();
	close(a);
	close(b);
}

/* Nobody vouches for layer 2: the kernel resolves, with its own ARP and neighbour discovery. */
Test(dp_mcast, copies_go_on_when_templates_are_stale)
{
	struct xtr_dp *dp;
	struct xtr_cfg c;
	uint8_t buf[256];
	__u32 zero = 0;
	int a, b, v6;

	config(XTR_MODE_TC);
	dp = open_listening();
	a = there("192.0.2.2", 4341);
	b = there("192.0.2.3", 4341);
	v6 = there("2001:db8::2", 4341);
	cr_assert_eq(MEMBERS(dp, GROUP4, "192.0.2.2", "192.0.2.3", "2001:db8::2"), 0);
	serve(dp, 300);
	cr_assert_eq(bpf_map_lookup_elem(dp->map[XTR_M_CFG], &zero, &c), 0);
	c.heartbeat_max = 0;
	c.jiffies = 0;
	cr_assert_eq(bpf_map_update_elem(dp->map[XTR_M_CFG], &zero, &c, 0), 0);
	usleep(20000);
	cr_assert_eq(send_group(dp, "192.0.2.1", GROUP4, "stale", 5), 0);
	expect_message(buf, recv(a, buf, sizeof(buf), 0), "192.0.2.1", GROUP4, "stale", 5);
	expect_message(buf, recv(b, buf, sizeof(buf), 0), "192.0.2.1", GROUP4, "stale", 5);
	expect_message(buf, recv(v6, buf, sizeof(buf), 0), "192.0.2.1", GROUP4, "stale", 5);
	look();
	cr_expect_eq(found.stats[XTR_STAT_FALLBACK].packets, 3);
	cr_expect_eq(found.stats[XTR_STAT_REPL_COPY].packets, 3);
	xtr_dp_close(dp);
	detach();
	close(a);
	close(b);
	close(v6);
}

/* ---- life */

Test(dp_mcast, lists_and_sources_outlive_the_daemon_until_they_are_renewed_or_grow_old)
{
	struct xtr_ip peer = ip("192.0.2.2");
	struct xtr_ippfx from[] = { pfx("203.0.113.0/24") };
	struct xtr_dp *dp;
	uint8_t buf[256];
	uint32_t key4[6] = { 64, htonl(4), htonl(0xc0000202) }, other[6] = { 64, htonl(4), htonl(0xcb007105) }, flags;
	int a, rc;

	config(XTR_MODE_TC);
	dp = open_listening();
	a = there("192.0.2.2", 4341);
	cr_assert_eq(MEMBERS(dp, GROUP4, "192.0.2.2", "2001:db8::2"), 0);
	cr_assert_eq(xtr_dp_control_peers(dp, &peer, 1), 0);
	xtr_dp_close(dp);

	/* another geometry: templates are copied, lists stay with them */
	cfg.rloc_entries = 300;
	cfg.control_from = from;
	cfg.control_from_count = 1;
	dp = open_listening();
	cr_assert_not_null(dp->lists);
	cr_expect(dp->lists->adopted);
	cr_expect_eq(dp->lists->n, 2);
	serve(dp, XTR_DP_GRACE_MS + 1200); /* templates would be gone if the list did not hold them */
	cr_assert_eq(send_group(dp, "192.0.2.1", GROUP4, "again", 5), 0);
	expect_message(buf, recv(a, buf, sizeof(buf), 0), "192.0.2.1", GROUP4, "again", 5);
	cr_expect_eq(bpf_map_lookup_elem(dp->map[XTR_M_CTLSRC], key4, &flags), 0, "peer of the daemon before");
	cr_expect_eq(bpf_map_lookup_elem(dp->map[XTR_M_CTLSRC], other, &flags), 0, "configured prefix");
	/* renewed: no longer of the daemon before */
	cr_assert_eq(MEMBERS(dp, GROUP6, "192.0.2.3"), 0);
	cr_assert_eq(MEMBERS(dp, GROUP4, "192.0.2.2"), 0);
	dp->adopted_until = 1;
	serve(dp, 50);
	cr_assert_eq(send_group(dp, "192.0.2.1", GROUP4, "renewed", 7), 0);
	expect_message(buf, recv(a, buf, sizeof(buf), 0), "192.0.2.1", GROUP4, "renewed", 7);
	rc = bpf_map_lookup_elem(dp->map[XTR_M_CTLSRC], key4, &flags);
	cr_expect_lt(rc, 0, "nobody renewed the peer");
	cr_expect_eq(bpf_map_lookup_elem(dp->map[XTR_M_CTLSRC], other, &flags), 0);
	xtr_dp_close(dp);

	/* nobody renews anything */
	dp = open_listening();
	cr_expect_eq(HASH_COUNT(dp->lists), 2);
	dp->adopted_until = 1;
	serve(dp, 50);
	cr_expect_null(dp->lists);
	cr_expect_eq(send_group(dp, "192.0.2.1", GROUP4, "x", 1), -ENOENT);
	cr_expect_lt(bpf_map_get_next_key(dp->map[XTR_M_REPL], NULL, buf), 0, "no part is left");
	cr_expect_lt(bpf_map_get_next_key(dp->map[XTR_M_MCAST4], NULL, buf), 0);
	/* peers are a whole set: the new one replaces the old; the configuration may change meanwhile */
	cr_assert_eq(xtr_dp_control_peers(dp, &peer, 1), 0);
	{
		struct xtr_err err = { "" };

		cfg.control_from_count = 0;
		cr_assert_eq(xtr_dp_reconfigure(dp, &cfg, &err), 0, "%s", err.text);
	}
	cr_expect_eq(bpf_map_lookup_elem(dp->map[XTR_M_CTLSRC], key4, &flags), 0);
	cr_expect_lt(bpf_map_lookup_elem(dp->map[XTR_M_CTLSRC], other, &flags), 0);
	cr_assert_eq(xtr_dp_control_peers(dp, NULL, 0), 0);
	cr_expect_lt(bpf_map_lookup_elem(dp->map[XTR_M_CTLSRC], key4, &flags), 0);
	xtr_dp_close(dp);
	detach();
	close(a);
}

/* ---- in */

struct shape {
	const char *name;
	bool six;                 /* inner IPv6 */
	unsigned at; uint8_t x;   /* this octet of the LISP payload is changed by exclusive or */
	int cut;                  /* octets more or fewer than there should be */
	bool zero_sum;            /* inner UDP checksum 0 */
	bool keep_sum;            /* do not make checksums right again after the change */
	bool good;
};

static unsigned inner(uint8_t *p, const struct shape *s)
{
	static const uint8_t lisp[8] = { 0x08, 0, 0, 0, 0xff, 0xff, 0xff, 0 };
	struct xtr_ip src = ip(s->six ? "2001:db8::2" : "192.0.2.2"), dst = ip(s->six ? GROUP6 : GROUP4);
	unsigned head = s->six ? 40 : 20, a = s->six ? 16 : 4, len = 24;
	uint8_t *in = p + 8, *udp = in + head, *ips = in + (s->six ? 8 : 12);
	uint16_t c;

	memset(p, 0, 256);
	memcpy(p, lisp, 8);
	in[0] = s->six ? 0x60 : 0x45;
	in[s->six ? 5 : 3] = (uint8_t)(s->six ? 8 + len : 28 + len);
	in[s->six ? 7 : 8] = 63;
	in[s->six ? 6 : 9] = 17;
	memcpy(ips, src.a, a);
	memcpy(ips + a, dst.a, a);
	udp[0] = 0x12;
	udp[1] = 0x34;
	udp[2] = 4342 >> 8;
	udp[3] = 4342 & 255;
	udp[5] = (uint8_t)(8 + len);
	for (unsigned i = 0; i < len; i++)
		udp[8 + i] = (uint8_t)(i + 1);
	for (int turn = 0; turn < 2; turn++) {
		if (!turn || !s->keep_sum) {
			if (!s->six) {
				in[10] = in[11] = 0;
				c = (uint16_t)~xtr_dp_fold(xtr_dp_sum(in, 20, 0));
				in[10] = (uint8_t)(c >> 8);
				in[11] = (uint8_t)c;
			}
			udp[6] = udp[7] = 0;
			c = (uint16_t)~udp_sum(ips, 2 * a, udp, 8 + len);
			udp[6] = (uint8_t)(s->zero_sum ? 0 : c >> 8);
			udp[7] = (uint8_t)(s->zero_sum ? 0 : c);
		}
		if (!turn)
			p[s->at] ^= s->x;
	}
	return 8 + head + 8 + len + (unsigned)s->cut;
}

#define IP(n)  (8 + (n))
#define UDP4(n) (28 + (n))
#define UDP6(n) (48 + (n))
static const struct shape shapes[] = {
	{ "as it should be", .good = true },
	{ "IPv6 as it should be", .six = true, .good = true },
	{ "IPv4 without UDP checksum", .zero_sum = true, .good = true },
	{ "another source port", .at = UDP4(0), .x = 0xff, .good = true },
	{ "options of the LISP header", .at = 0, .x = 0xc0, .good = true },
	{ "to an address of ours", .at = IP(16), .x = 233 ^ 192, .good = true },
	{ "IPv6 without UDP checksum", .six = true, .zero_sum = true },
	{ "UDP checksum wrong", .at = UDP4(8), .x = 1, .keep_sum = true },
	{ "UDP checksum wrong, IPv6", .six = true, .at = UDP6(31), .x = 0x80, .keep_sum = true },
	{ "IPv4 header checksum wrong", .at = IP(8), .x = 1, .keep_sum = true },
	{ "not to port 4342", .at = UDP4(3), .x = 1 },
	{ "not UDP", .at = IP(9), .x = 17 ^ 6 },
	{ "next header not UDP", .six = true, .at = IP(6), .x = 17 ^ 44 },
	{ "version 5", .at = IP(0), .x = 0x10 },
	{ "version 0", .at = IP(0), .x = 0x40 },
	{ "options", .at = IP(0), .x = 0x45 ^ 0x46 },
	{ "more fragments", .at = IP(6), .x = 0x20 },
	{ "a later fragment", .at = IP(7), .x = 0x01 },
	{ "total length too long", .at = IP(3), .x = 0x40 },
	{ "total length too short", .at = IP(3), .x = 0x10 },
	{ "payload length too long", .six = true, .at = IP(5), .x = 0x80 },
	{ "payload length too short", .six = true, .at = IP(5), .x = 0x20 },
	{ "UDP length too long", .at = UDP4(5), .x = 0x40 },
	{ "UDP length too short", .at = UDP4(5), .x = 0x20 },
	{ "octets behind", .cut = 1 },
	{ "octets missing", .cut = -1 },
	{ "nothing but LISP", .cut = -52 },
	{ "half an IP header", .cut = -40 },
	{ "multicast source", .at = IP(12), .x = 192 ^ 233 },
	{ "loopback source", .at = IP(12), .x = 192 ^ 127 },
	{ "loopback destination", .at = IP(16), .x = 233 ^ 127 },
	{ "IPv6 multicast source", .six = true, .at = IP(8), .x = 0xdf },
};

Test(dp_mcast, only_whole_messages_come_up)
{
	struct xtr_ip via = ip("192.0.2.2");
	struct sockaddr_storage to;
	struct xtr_ip us = ip("192.0.2.1");
	socklen_t to_len = xtr_ip_to_sockaddr(&us, 4341, &to);
	struct xtr_dp *dp;
	uint64_t bad = 0;
	uint8_t p[512];
	int fd;

	config(XTR_MODE_AUTO);
	dp = open_listening();
	cr_assert_eq(xtr_dp_control_peers(dp, &via, 1), 0);
	fd = there("192.0.2.2", 40000);
	for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		const struct shape *s = &shapes[i];
		unsigned n = inner(p, s);
		struct xtr_ip src = ip(s->six ? "2001:db8::2" : "192.0.2.2");

		memset(&got, 0, sizeof(got));
		cr_assert_eq(sendto(fd, p, n, 0, (struct sockaddr *)&to, to_len), (ssize_t)n);
		serve(dp, 20);
		cr_expect_eq(got.n, s->good, "%s: came up %u times", s->name, got.n);
		look();
		bad += !s->good;
		cr_expect_eq(found.drops[XTR_DROP_CONTROL_BAD], bad, "%s: %lu counted", s->name,
			     (unsigned long)found.drops[XTR_DROP_CONTROL_BAD]);
		if (!s->good)
			continue;
		cr_expect_eq(xtr_ip_cmp(&got.via, &via), 0);
		cr_expect_eq(xtr_ip_cmp(&got.src, &src), 0);
		cr_expect_eq(got.len, 24);
		cr_expect_eq(got.buf[0], 1);
		cr_expect_eq(got.buf[23], 24);
		if (!i) {
			struct xtr_ip g = ip(GROUP4);

			cr_expect_eq(xtr_ip_cmp(&got.dst, &g), 0);
			cr_expect_eq(got.sport, 0x1234);
		}
	}
	/* from somebody else: not even to the ring */
	close(fd);
	fd = there("192.0.2.3", 40000);
	memset(&got, 0, sizeof(got));
	sendto(fd, p, inner(p, &shapes[0]), 0, (struct sockaddr *)&to, to_len);
	serve(dp, 20);
	cr_expect_eq(got.n, 0);
	look();
	cr_expect_eq(found.drops[XTR_DROP_DECAP_CONTROL], 1);
	/* until the configuration names it */
	{
		struct xtr_ippfx from = pfx("192.0.2.0/24");
		struct xtr_err err = { "" };

		cfg.control_from = &from;
		cfg.control_from_count = 1;
		cr_assert_eq(xtr_dp_reconfigure(dp, &cfg, &err), 0, "%s", err.text);
		sendto(fd, p, inner(p, &shapes[0]), 0, (struct sockaddr *)&to, to_len);
		serve(dp, 20);
		cr_expect_eq(got.n, 1);
	}
	xtr_dp_close(dp);
	detach();
	close(fd);
}

/* Several datagrams that the kernel has put together (UDP_SEGMENT at the sender, no segmentation on the
 * way over a veth), and one of 4,000 octets. */
Test(dp_mcast, super_packets_are_taken_apart)
{
	struct xtr_ip via = ip("192.0.2.2"), us = ip("192.0.2.1");
	struct sockaddr_storage to;
	socklen_t to_len = xtr_ip_to_sockaddr(&us, 4341, &to);
	struct shape good = { .good = true };
	uint8_t p[4096];
	struct xtr_dp *dp;
	unsigned n = 0;
	int fd;

	config(XTR_MODE_TC);
	dp = open_listening();
	cr_assert_eq(xtr_dp_control_peers(dp, &via, 1), 0);
	fd = there("192.0.2.2", 40000);
	for (unsigned i = 0; i < 10; i++)
		n += inner(p + n, &good);
	cr_assert_eq(setsockopt(fd, IPPROTO_UDP, 103 /* UDP_SEGMENT */, &(int){ (int)(n / 10) }, sizeof(int)), 0);
	cr_assert_eq(sendto(fd, p, n, 0, (struct sockaddr *)&to, to_len), (ssize_t)n);
	serve(dp, 50);
	cr_expect_eq(got.n, 10, "%u came up", got.n);
	look();
	cr_expect_eq(found.drops[XTR_DROP_CONTROL_BAD], 0);
	cr_expect_leq(found.stats[XTR_STAT_CONTROL].packets, 10);
	xtr_dp_close(dp);
	detach();
	close(fd);
}

/* What one data plane sends another takes: the whole way. */
Test(dp_mcast, what_is_sent_is_what_comes_up)
{
	struct xtr_ip via = ip("192.0.2.2"), us = ip("192.0.2.1");
	struct sockaddr_storage to;
	socklen_t to_len = xtr_ip_to_sockaddr(&us, 4341, &to);
	struct xtr_ip g = ip(GROUP4);
	uint8_t body[1400], buf[2048];
	struct xtr_dp *dp;
	ssize_t n;
	int a;

	for (unsigned i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i ^ 0x5a);
	config(XTR_MODE_AUTO);
	dp = open_listening();
	cr_assert_eq(xtr_dp_control_peers(dp, &via, 1), 0);
	cr_assert_eq(MEMBERS(dp, GROUP4, "192.0.2.2"), 0);
	a = there("192.0.2.2", 4341);
	serve(dp, 200);
	for (unsigned len = 0; len <= sizeof(body); len += 175) {
		memset(&got, 0, sizeof(got));
		cr_assert_eq(send_group(dp, "192.0.2.1", GROUP4, body, len), 0);
		n = recv(a, buf, sizeof(buf), 0);
		cr_assert_gt(n, 0);
		/* the member sends the very same back */
		cr_assert_eq(sendto(a, buf, (size_t)n, 0, (struct sockaddr *)&to, to_len), n);
		serve(dp, 20);
		cr_assert_eq(got.n, 1, "%u octets", len);
		cr_expect_eq(xtr_ip_cmp(&got.src, &us), 0);
		cr_expect_eq(xtr_ip_cmp(&got.dst, &g), 0);
		cr_expect_eq(got.sport, 4342);
		cr_expect_eq(got.len, len);
		cr_expect_arr_eq(got.buf, body, len);
	}
	xtr_dp_close(dp);
	detach();
	close(a);
}
