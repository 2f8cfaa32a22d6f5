// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The control sockets in a network namespace of the test: addresses both ways, checksum 0 refused
 * (RFC 9301 5), nothing cut, nothing that is not unicast unless its group was joined. Needs root for
 * the namespaces and for raw datagrams. Groups are tested between two of them:
 *
 *   [ here ] a0 198.51.100.1 2001:db8:a::1 ---veth--- b0 198.51.100.2 2001:db8:a::2 [ there ]
 *            a1 203.0.113.1  2001:db8:b::1 ---veth--- b1 203.0.113.2  2001:db8:b::2
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "net/udp.h"

#define PORT 4342
#define MARK 0x4c495350

static void namespace(void)
{
	struct ifreq r = { .ifr_name = "lo" };
	int fd;

	if (geteuid())
		cr_skip("needs root for a network namespace");
	cr_assert_eq(unshare(CLONE_NEWNET), 0, "%s", strerror(errno));
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	cr_assert_eq(ioctl(fd, SIOCSIFFLAGS, &r), 0);
	close(fd);
}

TestSuite(udp, .init = namespace, .timeout = 30);
TestSuite(udp_later, .init = namespace, .timeout = 30);

static struct xtr_udp *open_udp(void)
{
	struct xtr_err err;
	struct xtr_udp *u;

	cr_assert_eq(xtr_udp_open(PORT, MARK, &u, &err), 0, "%s", err.text);
	return u;
}

struct got { unsigned n; struct xtr_udp_packet last; uint8_t first[64]; };

static void on_packet(void *ctx, const struct xtr_udp_packet *p)
{
	struct got *g = ctx;

	g->n++;
	g->last = *p;
	memcpy(g->first, p->buf, p->len < sizeof(g->first) ? p->len : sizeof(g->first));
}

/* What arrives within 200 ms. */
static struct got receive(struct xtr_udp *u)
{
	struct got g = { 0 };
	int fds[2], end = 0;
	unsigned n = xtr_udp_fds(u, fds);

	while (!end) {
		struct pollfd p[2] = { { fds[0], POLLIN, 0 }, { fds[1], POLLIN, 0 } };

		end = poll(p, n, 200) <= 0;
		for (unsigned i = 0; i < n; i++)
			if (p[i].revents)
				xtr_udp_recv(u, fds[i], on_packet, &g);
	}
	return g;
}

static struct xtr_ip ip(const char *s)
{
	struct xtr_ip a;

	cr_assert_eq(xtr_ip_parse(s, &a), 0);
	return a;
}

static const struct xtr_ip any;

Test(udp, the_source_asked_for_and_the_destination_reported)
{
	static const char *const pairs[][2] = { { "127.0.0.7", "127.0.0.9" }, { "::1", "::1" } };
	struct xtr_udp *u = open_udp();

	for (int i = 0; i < 2; i++) {
		struct xtr_ip src = ip(pairs[i][0]), dst = ip(pairs[i][1]);
		struct got g;

		cr_assert_eq(xtr_udp_send(u, &src, &dst, PORT, "hello", 5), 0);
		g = receive(u);
		cr_assert_eq(g.n, 1);
		cr_assert_eq(xtr_ip_cmp(&g.last.src, &src), 0);
		cr_assert_eq(xtr_ip_cmp(&g.last.dst, &dst), 0);
		cr_assert_eq(g.last.sport, PORT);
		cr_assert_eq(g.last.len, 5);
		cr_assert_arr_eq(g.first, "hello", 5);
	}
	xtr_udp_close(u);
}

Test(udp, source_left_to_the_kernel)
{
	struct xtr_udp *u = open_udp();
	struct xtr_ip dst = ip("127.0.0.1");
	struct got g;

	cr_assert_eq(xtr_udp_send(u, &any, &dst, PORT, "x", 1), 0);
	g = receive(u);
	cr_assert_eq(xtr_ip_cmp(&g.last.src, &dst), 0);
	xtr_udp_close(u);
}

Test(udp, families_do_not_mix)
{
	struct xtr_udp *u = open_udp();
	struct xtr_ip v4 = ip("127.0.0.1"), v6 = ip("::1");

	cr_assert_eq(xtr_udp_send(u, &v4, &v6, PORT, "x", 1), -EAFNOSUPPORT);
	cr_assert_eq(xtr_udp_send(u, &any, &any, PORT, "x", 1), -EAFNOSUPPORT);
	xtr_udp_close(u);
}

Test(udp, a_source_that_is_not_ours_is_an_error)
{
	struct xtr_udp *u = open_udp();
	struct xtr_ip src = ip("192.0.2.1"), dst = ip("127.0.0.1");

	cr_assert_lt(xtr_udp_send(u, &src, &dst, PORT, "x", 1), 0);
	xtr_udp_close(u);
}

/* UDP over a raw socket: the checksum is what we say. */
static void send_raw(const char *to, uint16_t check, const void *data, size_t len)
{
	struct sockaddr_in dst = { .sin_family = AF_INET };
	uint8_t buf[256];
	struct udphdr *u = (struct udphdr *)buf;
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);

	cr_assert_geq(fd, 0, "%s", strerror(errno));
	*u = (struct udphdr){ .source = htons(5555),
			      .dest = htons(PORT),
			      .len = htons((uint16_t)(8 + len)),
			      .check = check };
	memcpy(buf + 8, data, len);
	inet_pton(AF_INET, to, &dst.sin_addr);
	cr_assert_eq(sendto(fd, buf, 8 + len, 0, (struct sockaddr *)&dst, sizeof(dst)),
		     (ssize_t)(8 + len), "%s", strerror(errno));
	close(fd);
}

/* Of a datagram 127.0.0.1 -> 127.0.0.1, port 5555 -> 4342. */
static uint16_t right_checksum(const uint8_t *data, size_t len)
{
	uint32_t sum = 0x7f00 + 0x0001 + 0x7f00 + 0x0001 + IPPROTO_UDP + 2 * (uint32_t)(8 + len) +
		       5555 + PORT;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

Test(udp, RFC9301_5_checksum_zero_counts_as_bad)
{
	struct xtr_udp *u = open_udp();
	struct got g;

	send_raw("127.0.0.1", 0, "none", 4);
	g = receive(u);
	cr_assert_eq(g.n, 0, "a datagram without checksum was taken");
	/* The same with its checksum does come: it was the checksum and nothing else. */
	send_raw("127.0.0.1", right_checksum((const uint8_t *)"good", 4), "good", 4);
	g = receive(u);
	cr_assert_eq(g.n, 1);
	cr_assert_arr_eq(g.first, "good", 4);
	cr_assert_eq(g.last.sport, 5555);
	/* A wrong one is the kernel's to drop, and it does. */
	send_raw("127.0.0.1", (uint16_t)(right_checksum((const uint8_t *)"wrong", 5) ^ htons(1)),
		 "wrong", 5);
	g = receive(u);
	cr_assert_eq(g.n, 0);
	xtr_udp_close(u);
}

/* What our own sockets send has a checksum, or the filter above would eat it: over loopback the
 * field holds the sum of the pseudo-header, which is never 0. */
Test(udp, our_own_messages_pass_our_own_filter)
{
	struct xtr_udp *u = open_udp();
	struct xtr_ip dst = ip("127.0.0.1");
	unsigned n = 0;

	for (unsigned len = 0; len < 1000; len++) {
		uint8_t buf[1000];
		struct got g = { 0 };
		int fds[2];

		memset(buf, (int)len, sizeof(buf));
		cr_assert_eq(xtr_udp_send(u, &any, &dst, PORT, buf, len), 0);
		xtr_udp_fds(u, fds);
		xtr_udp_recv(u, fds[0], on_packet, &g);
		n += g.n;
	}
	cr_assert_eq(n, 1000);
	xtr_udp_close(u);
}

Test(udp, the_largest_datagram_is_not_cut)
{
	struct xtr_udp *u = open_udp();
	struct xtr_ip d4 = ip("127.0.0.1"), d6 = ip("::1");
	uint8_t *buf = calloc(1, 65507);
	struct got g;

	cr_assert_eq(xtr_udp_send(u, &any, &d4, PORT, buf, 65507), 0);
	g = receive(u);
	cr_assert_eq(g.n, 1);
	cr_assert_eq(g.last.len, 65507);
	cr_assert_eq(xtr_udp_send(u, &any, &d6, PORT, buf, 65507), 0);
	g = receive(u);
	cr_assert_eq(g.n, 1);
	cr_assert_eq(g.last.len, 65507);
	cr_assert_eq(xtr_udp_counts(u)->cut, 0);
	free(buf);
	xtr_udp_close(u);
}

Test(udp, broadcast_is_not_for_us)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
	struct sockaddr_in dst = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct xtr_udp *u = open_udp();
	struct got g;

	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	inet_pton(AF_INET, "127.255.255.255", &dst.sin_addr);
	cr_assert_eq(sendto(fd, "x", 1, 0, (struct sockaddr *)&dst, sizeof(dst)), 1, "%s",
		     strerror(errno));
	g = receive(u);
	cr_assert_eq(g.n, 0);
	cr_assert_eq(xtr_udp_counts(u)->not_ours, 1);
	close(fd);
	xtr_udp_close(u);
}

Test(udp, a_turn_is_bounded_and_nothing_is_left_out)
{
	struct xtr_udp *u = open_udp();
	struct xtr_ip dst = ip("127.0.0.1");
	struct got g = { 0 };
	int fds[2];

	for (int i = 0; i < 200; i++)
		cr_assert_eq(xtr_udp_send(u, &any, &dst, PORT, &i, sizeof(i)), 0);
	xtr_udp_fds(u, fds);
	cr_assert_eq(xtr_udp_recv(u, fds[0], on_packet, &g), XTR_UDP_TURN);
	cr_assert_eq(g.n, XTR_UDP_TURN);
	g = receive(u);
	cr_assert_eq(g.n, 200 - XTR_UDP_TURN);
	xtr_udp_close(u);
}

Test(udp, a_port_that_is_taken)
{
	struct xtr_udp *u = open_udp(), *other;
	struct xtr_err err;

	cr_assert_eq(xtr_udp_open(PORT, 0, &other, &err), -EADDRINUSE);
	cr_assert_str_eq(
		err.text,
		"IPv4 control socket, UDP port 4342: bind: Address already in use; another LISP daemon runs here: stop it");
	xtr_udp_close(u);
}

Test(udp, everything_sent_has_the_mark)
{
	struct xtr_udp *u = open_udp();
	int fds[2];

	cr_assert_eq(xtr_udp_fds(u, fds), 2);
	for (int i = 0; i < 2; i++) {
		uint32_t mark = 0;
		socklen_t len = sizeof(mark);

		cr_assert_eq(getsockopt(fds[i], SOL_SOCKET, SO_MARK, &mark, &len), 0);
		cr_assert_eq(mark, MARK);
	}
	xtr_udp_close(u);
}

/* ---- groups (RFC 9962 4: underlay multicast) */

struct two {
	int here, there;               /* network namespaces */
	unsigned a0, a1, b0, b1;
	struct xtr_udp *a, *b;         /* sockets here and there */
};

static void enter(int ns) { cr_assert_eq(setns(ns, CLONE_NEWNET), 0, "%s", strerror(errno)); }

static int here(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	cr_assert_geq(fd, 0);
	return fd;
}

static struct two two(void)
{
	struct two t = { .here = here() };
	char cmd[512];

	namespace();
	t.there = here();
	snprintf(cmd, sizeof(cmd),
		 "set -e; ip link set lo up;"
		 "for i in 0 1; do ip link add b$i type veth peer name a$i; ip link set a$i netns /proc/%d/fd/%d;"
		 "ip link set b$i up; done;"
		 "ip addr add 198.51.100.2/24 dev b0; ip addr add 203.0.113.2/24 dev b1;"
		 "ip addr add 2001:db8:a::2/64 dev b0 nodad; ip addr add 2001:db8:b::2/64 dev b1 nodad",
		 getpid(), t.here);
	cr_assert_eq(system(cmd), 0);
	t.b0 = if_nametoindex("b0");
	t.b1 = if_nametoindex("b1");
	t.b = open_udp();
	enter(t.here);
	cr_assert_eq(system("set -e; for i in 0 1; do ip link set a$i up; done;"
			    "ip addr add 198.51.100.1/24 dev a0; ip addr add 203.0.113.1/24 dev a1;"
			    "ip addr add 2001:db8:a::1/64 dev a0 nodad; ip addr add 2001:db8:b::1/64 dev a1 nodad"),
		     0);
	t.a0 = if_nametoindex("a0");
	t.a1 = if_nametoindex("a1");
	t.a = open_udp();
	return t;
}

static void two_end(struct two *t)
{
	xtr_udp_close(t->a);
	xtr_udp_close(t->b);
	close(t->here);
	close(t->there);
}

static const struct group_case {
	const char *group, *other, *src0, *src1;
} group_cases[] = {
	{ "233.252.1.1", "233.252.1.2", "198.51.100.1", "203.0.113.1" },
	{ "ff0e::db8:1", "ff0e::db8:2", "2001:db8:a::1", "2001:db8:b::1" },
};

Test(udp, D_11_a_joined_group_is_received_and_reported_as_the_destination)
{
	struct two t = two();

	for (int i = 0; i < 2; i++) {
		const struct group_case *c = &group_cases[i];
		struct xtr_ip group = ip(c->group), src = ip(c->src0);
		struct got g;

		cr_assert_eq(xtr_udp_join(t.b, &group, t.b0, true), 0);
		cr_assert_eq(xtr_udp_join(t.b, &group, t.b0, true), 0, "joining twice is no error");
		cr_assert_eq(xtr_udp_send_group(t.a, &src, &group, t.a0, 5, PORT, "join", 4), 0);
		g = receive(t.b);
		cr_assert_eq(g.n, 1, "%s: %u datagrams", c->group, g.n);
		cr_assert_eq(xtr_ip_cmp(&g.last.src, &src), 0);
		cr_assert_eq(xtr_ip_cmp(&g.last.dst, &group), 0);
		cr_assert_eq(g.last.sport, PORT);
		cr_assert_arr_eq(g.first, "join", 4);

		/* left: not heard any more */
		cr_assert_eq(xtr_udp_join(t.b, &group, t.b0, false), 0);
		cr_assert_eq(xtr_udp_join(t.b, &group, t.b0, false), 0);
		cr_assert_eq(xtr_udp_send_group(t.a, &src, &group, t.a0, 5, PORT, "left", 4), 0);
		cr_assert_eq(receive(t.b).n, 0);
	}
	two_end(&t);
}

/* Somebody else on the host has joined the group: that does not make it ours. */
Test(udp, D_11_groups_of_others_are_not_received)
{
	struct two t = two();

	for (int i = 0; i < 2; i++) {
		const struct group_case *c = &group_cases[i];
		struct xtr_ip group = ip(c->group), other = ip(c->other), src = ip(c->src0);
		struct group_req req = { .gr_interface = t.b0 };
		int family = i ? AF_INET6 : AF_INET, level = i ? IPPROTO_IPV6 : IPPROTO_IP, fd;

		enter(t.there);
		fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		enter(t.here);
		xtr_ip_to_sockaddr(&other, 0, &req.gr_group);
		cr_assert_eq(setsockopt(fd, level, MCAST_JOIN_GROUP, &req, sizeof(req)), 0);
		cr_assert_eq(xtr_udp_send_group(t.a, &src, &other, t.a0, 5, PORT, "x", 1), 0);
		cr_assert_eq(receive(t.b).n, 0);
		/* on the interface where it was joined, and nowhere else */
		cr_assert_eq(xtr_udp_join(t.b, &group, t.b1, true), 0);
		cr_assert_eq(xtr_udp_send_group(t.a, &src, &group, t.a0, 5, PORT, "x", 1), 0);
		cr_assert_eq(receive(t.b).n, 0);
		close(fd);
	}
	two_end(&t);
}

Test(udp, D_12_source_interface_and_ttl_are_those_asked_for)
{
	struct two t = two();

	for (int i = 0; i < 2; i++) {
		const struct group_case *c = &group_cases[i];
		struct xtr_ip group = ip(c->group), src0 = ip(c->src0), src1 = ip(c->src1);
		int family = i ? AF_INET6 : AF_INET, level = i ? IPPROTO_IPV6 : IPPROTO_IP, fd, on = 1;
		static const uint8_t ttls[] = { 1, 17, 255 };

		enter(t.there);
		fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		enter(t.here);
		for (unsigned k = 0; k < 2; k++) {
			struct group_req req = { .gr_interface = k ? t.b1 : t.b0 };

			xtr_ip_to_sockaddr(&group, 0, &req.gr_group);
			cr_assert_eq(setsockopt(fd, level, MCAST_JOIN_GROUP, &req, sizeof(req)), 0);
		}
		cr_assert_eq(setsockopt(fd, level, i ? IPV6_RECVHOPLIMIT : IP_RECVTTL, &on, sizeof(on)), 0);
		{
			struct sockaddr_storage ss;
			struct xtr_ip wild = { .family = i ? 6 : 4 };
			socklen_t len = xtr_ip_to_sockaddr(&wild, 7777, &ss);

			cr_assert_eq(bind(fd, (struct sockaddr *)&ss, len), 0);
		}
		for (unsigned k = 0; k < 6; k++) {
			const struct xtr_ip *src = k & 1 ? &src1 : &src0;
			char body[8], control[128];
			struct iovec iov = { body, sizeof(body) };
			struct sockaddr_storage from;
			struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov,
					    .msg_iovlen = 1, .msg_control = control,
					    .msg_controllen = sizeof(control) };
			struct pollfd p = { fd, POLLIN, 0 };
			struct xtr_ip got;
			uint16_t port;
			int ttl = -1;

			cr_assert_eq(xtr_udp_send_group(t.a, src, &group, k & 1 ? t.a1 : t.a0, ttls[k / 2], 7777,
							"ttl", 3), 0);
			cr_assert_eq(poll(&p, 1, 2000), 1);
			cr_assert_eq(recvmsg(fd, &m, 0), 3);
			cr_assert_eq(xtr_ip_from_sockaddr((struct sockaddr *)&from, &got, &port), 0);
			cr_assert_eq(xtr_ip_cmp(&got, src), 0);
			cr_assert_eq(port, PORT);
			memcpy(&ttl, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(ttl));
			cr_assert_eq(ttl, ttls[k / 2]);
		}
		close(fd);
	}
	two_end(&t);
}

/* D-19: the sender gets its own message by a direct call, never from the network. */
Test(udp, D_19_what_is_sent_is_not_looped_back)
{
	struct two t = two();

	for (int i = 0; i < 2; i++) {
		struct xtr_ip group = ip(group_cases[i].group), src = ip(group_cases[i].src0);
		struct got g;

		cr_assert_eq(xtr_udp_join(t.a, &group, t.a0, true), 0);
		cr_assert_eq(xtr_udp_join(t.b, &group, t.b0, true), 0);
		cr_assert_eq(xtr_udp_send_group(t.a, &src, &group, t.a0, 5, PORT, "x", 1), 0);
		g = receive(t.a);
		cr_assert_eq(g.n, 0);
		g = receive(t.b);
		cr_assert_eq(g.n, 1);
		/* source left to the kernel: an address of the interface, or none that fits */
		cr_assert_eq(xtr_udp_send_group(t.a, &any, &group, t.a0, 5, PORT, "x", 1), 0);
		g = receive(t.b);
		cr_assert_eq(g.n, 1);
		cr_assert_eq(xtr_ip_cmp(&g.last.src, &src), 0);
	}
	two_end(&t);
}

Test(udp, groups_that_make_no_sense_are_refused)
{
	struct xtr_udp *u = open_udp();
	struct xtr_ip group = ip("233.252.1.1"), six = ip("ff0e::db8:1"), host = ip("192.0.2.1");
	unsigned lo = if_nametoindex("lo"), n = 0;

	cr_assert_eq(xtr_udp_join(u, &host, lo, true), -EINVAL);
	cr_assert_eq(xtr_udp_join(u, &group, 0, true), -EINVAL);
	cr_assert_eq(xtr_udp_join(u, &group, 4711, true), -ENODEV);
	cr_assert_eq(xtr_udp_send_group(u, &any, &host, lo, 5, PORT, "x", 1), -EINVAL);
	cr_assert_eq(xtr_udp_send_group(u, &any, &group, 0, 5, PORT, "x", 1), -EINVAL);
	cr_assert_eq(xtr_udp_send_group(u, &any, &group, lo, 0, PORT, "x", 1), -EINVAL);
	cr_assert_eq(xtr_udp_send_group(u, &host, &six, lo, 5, PORT, "x", 1), -EAFNOSUPPORT);
	/* the list of memberships is bounded */
	for (unsigned i = 0; i < 100; i++) {
		six.a[15] = (uint8_t)i;
		if (!xtr_udp_join(u, &six, lo, true))
			n++;
	}
	cr_assert_eq(n, 64);
	cr_assert_eq(xtr_udp_join(u, &six, lo, true), -ENOSPC);
	xtr_udp_close(u);
}

/* ---- what one turn sends leaves together */

struct told {
	struct xtr_udp *u;
	unsigned n;
	struct xtr_udp_unsent last;
	char note[8];
	const char *instead; /* sent at once in its place */
};

static void on_unsent(void *ctx, const struct xtr_udp_unsent *m)
{
	struct told *t = ctx;
	struct xtr_ip dst = ip("127.0.0.1");

	t->n++;
	t->last = *m;
	if (m->note)
		memcpy(t->note, m->note, sizeof(t->note));
	if (t->instead)
		cr_assert_eq(xtr_udp_send(t->u, &any, &dst, PORT, t->instead, strlen(t->instead)), 0);
}

/* First octets of all that arrives, in order. */
static void on_first(void *ctx, const struct xtr_udp_packet *p)
{
	char *to = ctx;

	to[strlen(to)] = p->len ? (char)p->buf[0] : '-';
}

static const char *arrived(struct xtr_udp *u)
{
	static char text[1024];
	int fds[2];

	memset(text, 0, sizeof(text));
	xtr_udp_fds(u, fds);
	while (xtr_udp_recv(u, fds[0], on_first, text))
		;
	return text;
}

static void later(struct xtr_udp *u, const char *src, const char *dst, const char *text)
{
	struct xtr_ip s = src ? ip(src) : any, d = ip(dst);

	cr_assert_eq(xtr_udp_send_later(u, &s, &d, PORT, text, strlen(text), NULL, 0), 0);
}

Test(udp_later, waits_for_the_end_of_the_turn_and_keeps_its_order)
{
	struct xtr_udp *u = open_udp();

	later(u, NULL, "127.0.0.1", "0");
	cr_assert_str_eq(arrived(u), "0", "no turn: it does not wait");
	xtr_udp_hold(u);
	for (unsigned i = 0; i < 10; i++)
		later(u, NULL, "127.0.0.1", &"a\0b\0c\0d\0e\0f\0g\0h\0i\0j"[2 * i]);
	cr_assert_str_eq(arrived(u), "");
	xtr_udp_flush(u);
	cr_assert_str_eq(arrived(u), "abcdefghij");
	later(u, NULL, "127.0.0.1", "k");
	cr_assert_str_eq(arrived(u), "k", "the turn is over");
	xtr_udp_close(u);
}

Test(udp_later, what_is_sent_at_once_goes_behind_what_was_collected)
{
	struct xtr_udp *u = open_udp();
	struct xtr_ip dst = ip("127.0.0.1");

	xtr_udp_hold(u);
	later(u, NULL, "127.0.0.1", "1");
	later(u, NULL, "127.0.0.1", "2");
	cr_assert_eq(xtr_udp_send(u, &any, &dst, PORT, "3", 1), 0);
	later(u, NULL, "127.0.0.1", "4");
	cr_assert_str_eq(arrived(u), "123");
	xtr_udp_flush(u);
	cr_assert_str_eq(arrived(u), "4");
	xtr_udp_close(u);
}

/* What the caller gave is copied; each datagram has an address of its own, of either family. */
Test(udp_later, each_has_its_own_source_and_destination)
{
	struct xtr_udp *u = open_udp();
	struct xtr_ip six = ip("::1");
	char text[2] = "";
	struct got g;

	xtr_udp_hold(u);
	for (unsigned i = 1; i <= 40; i++) {
		struct xtr_ip src = ip("127.0.0.1"), dst = src;

		src.a[3] = (uint8_t)(100 + i);
		dst.a[3] = (uint8_t)i;
		text[0] = (char)i;
		cr_assert_eq(xtr_udp_send_later(u, &src, &dst, PORT, text, 1, NULL, 0), 0);
	}
	cr_assert_eq(xtr_udp_send_later(u, &six, &six, PORT, "six", 3, NULL, 0), 0);
	text[0] = 0;
	xtr_udp_flush(u);
	for (unsigned i = 1; i <= 40; i++) {
		struct pollfd p = { .events = POLLIN };
		struct sockaddr_in from;
		struct in_pktinfo info;
		char control[64];
		struct iovec iov = { text, 1 };
		struct msghdr m = { &from, sizeof(from), &iov, 1, control, sizeof(control), 0 };
		int fds[2];

		xtr_udp_fds(u, fds);
		p.fd = fds[0];
		cr_assert_eq(poll(&p, 1, 2000), 1);
		cr_assert_eq(recvmsg(fds[0], &m, 0), 1);
		memcpy(&info, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(info));
		cr_assert_eq(text[0], (char)i);
		cr_assert_eq(ntohl(from.sin_addr.s_addr), INADDR_LOOPBACK + 99 + i);
		cr_assert_eq(ntohl(info.ipi_addr.s_addr), INADDR_LOOPBACK - 1 + i);
	}
	g = receive(u);
	cr_assert_eq(g.n, 1);
	cr_assert_arr_eq(g.first, "six", 3);
	xtr_udp_close(u);
}

/* The same of what is received: one call of the kernel, every datagram with its own addresses. */
static void check_addresses(void *ctx, const struct xtr_udp_packet *p)
{
	unsigned *n = ctx, i = ++*n;

	cr_assert_eq(p->len, 2 * i);
	cr_assert_eq(p->buf[0], i);
	cr_assert_eq(p->src.a[3], 100 + i);
	cr_assert_eq(p->dst.a[3], i);
}

Test(udp_later, more_than_one_batch_is_received_each_with_its_addresses)
{
	struct xtr_udp *u = open_udp();
	uint8_t buf[2 * XTR_UDP_TURN];
	unsigned n = 0;
	int fds[2];

	for (unsigned i = 1; i <= XTR_UDP_TURN; i++) {
		struct xtr_ip src = ip("127.0.0.1"), dst = src;

		src.a[3] = (uint8_t)(100 + i);
		dst.a[3] = (uint8_t)i;
		memset(buf, (int)i, sizeof(buf));
		cr_assert_eq(xtr_udp_send(u, &src, &dst, PORT, buf, 2 * i), 0);
	}
	xtr_udp_fds(u, fds);
	cr_assert_eq(xtr_udp_recv(u, fds[0], check_addresses, &n), XTR_UDP_TURN);
	cr_assert_eq(n, XTR_UDP_TURN);
	xtr_udp_close(u);
}

/* The kernel stops at the first that it does not take; those after it are sent all the same. */
Test(udp_later, one_that_fails_stops_no_other_and_is_told)
{
	struct xtr_ip foreign = ip("192.0.2.1"), dst = ip("127.0.0.1"), far = ip("198.51.100.77");
	static uint8_t too_long[65508];
	struct xtr_udp *u = open_udp();
	struct told t = { .u = u };
	int wrong = xtr_udp_send(u, &foreign, &dst, PORT, "not our source", 14);

	cr_assert_lt(wrong, 0);
	xtr_udp_on_unsent(u, on_unsent, &t);
	xtr_udp_hold(u);
	later(u, NULL, "127.0.0.1", "a");
	cr_assert_eq(xtr_udp_send_later(u, &foreign, &dst, PORT, "not our source", 14, "note 01", 8), 0);
	later(u, NULL, "127.0.0.1", "b");
	later(u, NULL, "127.0.0.1", "c");
	xtr_udp_flush(u);
	cr_assert_str_eq(arrived(u), "abc");
	cr_assert_eq(t.n, 1);
	cr_assert_eq(t.last.err, wrong);
	cr_assert_eq(t.last.len, 14);
	cr_assert_arr_eq(t.last.buf, "not our source", 14);
	cr_assert_str_eq(t.note, "note 01");
	cr_assert_eq(t.last.dport, PORT);
	cr_assert_eq(xtr_ip_cmp(&t.last.src, &foreign), 0);
	cr_assert_eq(xtr_ip_cmp(&t.last.dst, &dst), 0);

	xtr_udp_hold(u);
	cr_assert_eq(xtr_udp_send_later(u, &any, &dst, PORT, too_long, sizeof(too_long), "note 02", 8), 0);
	later(u, NULL, "127.0.0.1", "d");
	cr_assert_eq(xtr_udp_send_later(u, &any, &far, PORT, "far", 3, "note 03", 8), 0);
	xtr_udp_flush(u);
	cr_assert_str_eq(arrived(u), "d");
	cr_assert_eq(t.n, 3);
	cr_assert_eq(t.last.err, -ENETUNREACH);
	cr_assert_str_eq(t.note, "note 03");
	xtr_udp_close(u);
}

Test(udp_later, what_is_sent_in_the_place_of_a_failure_keeps_that_place)
{
	struct xtr_ip foreign = ip("192.0.2.1"), dst = ip("127.0.0.1");
	struct xtr_udp *u = open_udp();
	struct told t = { .u = u, .instead = "2" };

	xtr_udp_on_unsent(u, on_unsent, &t);
	xtr_udp_hold(u);
	later(u, NULL, "127.0.0.1", "1");
	cr_assert_eq(xtr_udp_send_later(u, &foreign, &dst, PORT, "x", 1, NULL, 0), 0);
	later(u, NULL, "127.0.0.1", "3");
	xtr_udp_flush(u);
	cr_assert_str_eq(arrived(u), "123");
	cr_assert_eq(t.n, 1);
	xtr_udp_close(u);
}

Test(udp_later, the_room_is_bounded_and_nothing_is_lost_when_it_is_full)
{
	static char big[30000];
	struct xtr_udp *u = open_udp();
	struct xtr_ip dst = ip("127.0.0.1");
	char wanted[9] = "";

	xtr_udp_hold(u);
	for (unsigned i = 0; i <= 2 * XTR_UDP_TURN; i++)
		later(u, NULL, "127.0.0.1", "x");
	cr_assert_eq(strlen(arrived(u)), 2 * XTR_UDP_TURN, "messages are collected without end");
	xtr_udp_flush(u);
	cr_assert_eq(strlen(arrived(u)), 1);
	/* octets, too */
	xtr_udp_hold(u);
	for (unsigned i = 0; i < 8; i++) {
		big[0] = wanted[i] = (char)('a' + i);
		cr_assert_eq(xtr_udp_send_later(u, &any, &dst, PORT, big, sizeof(big), NULL, 0), 0);
	}
	xtr_udp_flush(u);
	cr_assert_str_eq(arrived(u), wanted);
	xtr_udp_close(u);
}

/* A neighbour that does not answer: what is sent to it waits in the kernel and fills the socket. */
Test(udp_later, a_full_socket_is_a_counted_loss_and_no_wait)
{
	struct two t = two();
	struct told told = { .u = t.a };
	int fds[2], size = 8192;
	struct xtr_ip there = ip("198.51.100.2");
	struct got g;

	xtr_udp_fds(t.a, fds);
	cr_assert_eq(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)), 0);
	cr_assert_eq(xtr_udp_send(t.a, &any, &there, PORT, "neighbour known", 15), 0);
	receive(t.b);
	xtr_udp_on_unsent(t.a, on_unsent, &told);
	xtr_udp_hold(t.a);
	later(t.a, NULL, "198.51.100.2", "first");
	for (unsigned i = 0; i < 50; i++)
		later(t.a, NULL, "198.51.100.9", "nobody is there");
	later(t.a, NULL, "203.0.113.9", "last");
	xtr_udp_flush(t.a);
	cr_assert_gt(told.n, 0);
	cr_assert_lt(told.n, 51);
	cr_assert_eq(told.last.err, -EAGAIN);
	g = receive(t.b);
	cr_assert_eq(g.n, 1);
	cr_assert_arr_eq(g.first, "first", 5);
	two_end(&t);
}

Test(udp_later, closing_sends_what_is_left)
{
	struct xtr_udp *u = open_udp();
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in me = { .sin_family = AF_INET, .sin_port = htons(5555) };
	struct xtr_ip dst = ip("127.0.0.1");
	char buf[8];

	cr_assert_eq(bind(fd, (struct sockaddr *)&me, sizeof(me)), 0);
	xtr_udp_hold(u);
	cr_assert_eq(xtr_udp_send_later(u, &any, &dst, 5555, "bye", 3, NULL, 0), 0);
	xtr_udp_close(u);
	cr_assert_eq(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), 3);
	close(fd);
}

Test(udp_later, families_do_not_mix)
{
	struct xtr_udp *u = open_udp();
	struct xtr_ip v4 = ip("127.0.0.1"), v6 = ip("::1");

	xtr_udp_hold(u);
	cr_assert_eq(xtr_udp_send_later(u, &v4, &v6, PORT, "x", 1, NULL, 0), -EAFNOSUPPORT);
	cr_assert_eq(xtr_udp_send_later(u, &any, &any, PORT, "x", 1, NULL, 0), -EAFNOSUPPORT);
	xtr_udp_close(u);
}
