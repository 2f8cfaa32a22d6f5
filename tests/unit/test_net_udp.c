// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The control sockets in a network namespace of the test: addresses both ways, checksum 0 refused
 * (RFC 9301 5), nothing cut, nothing that is not unicast unless its group was joined. Needs root for
 * the namespaces and for raw datagrams. Groups are tested between two of them.
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

#include "udp_lab.h"

TestSuite(udp, .init = udp_namespace, .timeout = 30);

Test(udp, the_source_asked_for_and_the_destination_reported)
{
	static const char *const pairs[][2] = { { "127.0.0.7", "127.0.0.9" }, { "::1", "::1" } };
	struct xtr_udp *u = udp_open();

	for (int i = 0; i < 2; i++) {
		struct xtr_ip src = udp_ip(pairs[i][0]), dst = udp_ip(pairs[i][1]);
		struct udp_got g;

		cr_assert_eq(xtr_udp_send(u, &src, &dst, PORT, "hello", 5), 0);
		g = udp_receive(u);
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
	struct xtr_udp *u = udp_open();
	struct xtr_ip dst = udp_ip("127.0.0.1");
	struct udp_got g;

	cr_assert_eq(xtr_udp_send(u, &udp_any, &dst, PORT, "x", 1), 0);
	g = udp_receive(u);
	cr_assert_eq(xtr_ip_cmp(&g.last.src, &dst), 0);
	xtr_udp_close(u);
}

Test(udp, families_do_not_mix)
{
	struct xtr_udp *u = udp_open();
	struct xtr_ip v4 = udp_ip("127.0.0.1"), v6 = udp_ip("::1");

	cr_assert_eq(xtr_udp_send(u, &v4, &v6, PORT, "x", 1), -EAFNOSUPPORT);
	cr_assert_eq(xtr_udp_send(u, &udp_any, &udp_any, PORT, "x", 1), -EAFNOSUPPORT);
	xtr_udp_close(u);
}

Test(udp, a_source_that_is_not_ours_is_an_error)
{
	struct xtr_udp *u = udp_open();
	struct xtr_ip src = udp_ip("192.0.2.1"), dst = udp_ip("127.0.0.1");

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
	struct xtr_udp *u = udp_open();
	struct udp_got g;

	send_raw("127.0.0.1", 0, "none", 4);
	g = udp_receive(u);
	cr_assert_eq(g.n, 0, "a datagram without checksum was taken");
	/* The same with its checksum does come: it was the checksum and nothing else. */
	send_raw("127.0.0.1", right_checksum((const uint8_t *)"good", 4), "good", 4);
	g = udp_receive(u);
	cr_assert_eq(g.n, 1);
	cr_assert_arr_eq(g.first, "good", 4);
	cr_assert_eq(g.last.sport, 5555);
	/* A wrong one is the kernel's to drop, and it does. */
	send_raw("127.0.0.1", (uint16_t)(right_checksum((const uint8_t *)"wrong", 5) ^ htons(1)),
		 "wrong", 5);
	g = udp_receive(u);
	cr_assert_eq(g.n, 0);
	xtr_udp_close(u);
}

/* What our own sockets send has a checksum, or the filter above would eat it: over loopback the
 * field holds the sum of the pseudo-header, which is never 0. */
Test(udp, our_own_messages_pass_our_own_filter)
{
	struct xtr_udp *u = udp_open();
	struct xtr_ip dst = udp_ip("127.0.0.1");
	unsigned n = 0;

	for (unsigned len = 0; len < 1000; len++) {
		uint8_t buf[1000];
		struct udp_got g = { 0 };
		int fds[2];

		memset(buf, (int)len, sizeof(buf));
		cr_assert_eq(xtr_udp_send(u, &udp_any, &dst, PORT, buf, len), 0);
		xtr_udp_fds(u, fds);
		xtr_udp_recv(u, fds[0], udp_on_packet, &g);
		n += g.n;
	}
	cr_assert_eq(n, 1000);
	xtr_udp_close(u);
}

Test(udp, the_largest_datagram_is_not_cut)
{
	struct xtr_udp *u = udp_open();
	struct xtr_ip d4 = udp_ip("127.0.0.1"), d6 = udp_ip("::1");
	uint8_t *buf = calloc(1, 65507);
	struct udp_got g;

	cr_assert_eq(xtr_udp_send(u, &udp_any, &d4, PORT, buf, 65507), 0);
	g = udp_receive(u);
	cr_assert_eq(g.n, 1);
	cr_assert_eq(g.last.len, 65507);
	cr_assert_eq(xtr_udp_send(u, &udp_any, &d6, PORT, buf, 65507), 0);
	g = udp_receive(u);
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
	struct xtr_udp *u = udp_open();
	struct udp_got g;

	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	inet_pton(AF_INET, "127.255.255.255", &dst.sin_addr);
	cr_assert_eq(sendto(fd, "x", 1, 0, (struct sockaddr *)&dst, sizeof(dst)), 1, "%s",
		     strerror(errno));
	g = udp_receive(u);
	cr_assert_eq(g.n, 0);
	cr_assert_eq(xtr_udp_counts(u)->not_ours, 1);
	close(fd);
	xtr_udp_close(u);
}

Test(udp, a_turn_is_bounded_and_nothing_is_left_out)
{
	struct xtr_udp *u = udp_open();
	struct xtr_ip dst = udp_ip("127.0.0.1");
	struct udp_got g = { 0 };
	int fds[2];

	for (int i = 0; i < 200; i++)
		cr_assert_eq(xtr_udp_send(u, &udp_any, &dst, PORT, &i, sizeof(i)), 0);
	xtr_udp_fds(u, fds);
	cr_assert_eq(xtr_udp_recv(u, fds[0], udp_on_packet, &g), XTR_UDP_TURN);
	cr_assert_eq(g.n, XTR_UDP_TURN);
	g = udp_receive(u);
	cr_assert_eq(g.n, 200 - XTR_UDP_TURN);
	xtr_udp_close(u);
}

Test(udp, a_port_that_is_taken)
{
	struct xtr_udp *u = udp_open(), *other;
	struct xtr_err err;

	cr_assert_eq(xtr_udp_open(PORT, 0, &other, &err), -EADDRINUSE);
	cr_assert_str_eq(
		err.text,
		"IPv4 control socket, UDP port 4342: bind: Address already in use; another LISP daemon runs here: stop it");
	xtr_udp_close(u);
}

Test(udp, everything_sent_has_the_mark)
{
	struct xtr_udp *u = udp_open();
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

static const struct group_case {
	const char *group, *other, *src0, *src1;
} group_cases[] = {
	{ "233.252.1.1", "233.252.1.2", "198.51.100.1", "203.0.113.1" },
	{ "ff0e::db8:1", "ff0e::db8:2", "2001:db8:a::1", "2001:db8:b::1" },
};

Test(udp, D_11_a_joined_group_is_received_and_reported_as_the_destination)
{
	struct udp_two t = udp_two();

	for (int i = 0; i < 2; i++) {
		const struct group_case *c = &group_cases[i];
		struct xtr_ip group = udp_ip(c->group), src = udp_ip(c->src0);
		struct udp_got g;

		cr_assert_eq(xtr_udp_join(t.b, &group, t.b0, true), 0);
		cr_assert_eq(xtr_udp_join(t.b, &group, t.b0, true), 0, "joining twice is no error");
		cr_assert_eq(xtr_udp_send_group(t.a, &src, &group, t.a0, 5, PORT, "join", 4), 0);
		g = udp_receive(t.b);
		cr_assert_eq(g.n, 1, "%s: %u datagrams", c->group, g.n);
		cr_assert_eq(xtr_ip_cmp(&g.last.src, &src), 0);
		cr_assert_eq(xtr_ip_cmp(&g.last.dst, &group), 0);
		cr_assert_eq(g.last.sport, PORT);
		cr_assert_arr_eq(g.first, "join", 4);

		/* left: not heard any more */
		cr_assert_eq(xtr_udp_join(t.b, &group, t.b0, false), 0);
		cr_assert_eq(xtr_udp_join(t.b, &group, t.b0, false), 0);
		cr_assert_eq(xtr_udp_send_group(t.a, &src, &group, t.a0, 5, PORT, "left", 4), 0);
		cr_assert_eq(udp_receive(t.b).n, 0);
	}
	udp_two_end(&t);
}

/* Somebody else on the host has joined the group: that does not make it ours. */
Test(udp, D_11_groups_of_others_are_not_received)
{
	struct udp_two t = udp_two();

	for (int i = 0; i < 2; i++) {
		const struct group_case *c = &group_cases[i];
		struct xtr_ip group = udp_ip(c->group), other = udp_ip(c->other), src = udp_ip(c->src0);
		struct group_req req = { .gr_interface = t.b0 };
		int family = i ? AF_INET6 : AF_INET, level = i ? IPPROTO_IPV6 : IPPROTO_IP, fd;

		udp_enter(t.there);
		fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		udp_enter(t.here);
		xtr_ip_to_sockaddr(&other, 0, &req.gr_group);
		cr_assert_eq(setsockopt(fd, level, MCAST_JOIN_GROUP, &req, sizeof(req)), 0);
		cr_assert_eq(xtr_udp_send_group(t.a, &src, &other, t.a0, 5, PORT, "x", 1), 0);
		cr_assert_eq(udp_receive(t.b).n, 0);
		/* on the interface where it was joined, and nowhere else */
		cr_assert_eq(xtr_udp_join(t.b, &group, t.b1, true), 0);
		cr_assert_eq(xtr_udp_send_group(t.a, &src, &group, t.a0, 5, PORT, "x", 1), 0);
		cr_assert_eq(udp_receive(t.b).n, 0);
		close(fd);
	}
	udp_two_end(&t);
}

Test(udp, D_12_source_interface_and_ttl_are_those_asked_for)
{
	struct udp_two t = udp_two();

	for (int i = 0; i < 2; i++) {
		const struct group_case *c = &group_cases[i];
		struct xtr_ip group = udp_ip(c->group), src0 = udp_ip(c->src0), src1 = udp_ip(c->src1);
		int family = i ? AF_INET6 : AF_INET, level = i ? IPPROTO_IPV6 : IPPROTO_IP, fd, on = 1;
		static const uint8_t ttls[] = { 1, 17, 255 };

		udp_enter(t.there);
		fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		udp_enter(t.here);
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
	udp_two_end(&t);
}

/* D-19: the sender gets its own message by a direct call, never from the network. */
Test(udp, D_19_what_is_sent_is_not_looped_back)
{
	struct udp_two t = udp_two();

	for (int i = 0; i < 2; i++) {
		struct xtr_ip group = udp_ip(group_cases[i].group), src = udp_ip(group_cases[i].src0);
		struct udp_got g;

		cr_assert_eq(xtr_udp_join(t.a, &group, t.a0, true), 0);
		cr_assert_eq(xtr_udp_join(t.b, &group, t.b0, true), 0);
		cr_assert_eq(xtr_udp_send_group(t.a, &src, &group, t.a0, 5, PORT, "x", 1), 0);
		g = udp_receive(t.a);
		cr_assert_eq(g.n, 0);
		g = udp_receive(t.b);
		cr_assert_eq(g.n, 1);
		/* source left to the kernel: an address of the interface, or none that fits */
		cr_assert_eq(xtr_udp_send_group(t.a, &udp_any, &group, t.a0, 5, PORT, "x", 1), 0);
		g = udp_receive(t.b);
		cr_assert_eq(g.n, 1);
		cr_assert_eq(xtr_ip_cmp(&g.last.src, &src), 0);
	}
	udp_two_end(&t);
}

Test(udp, groups_that_make_no_sense_are_refused)
{
	struct xtr_udp *u = udp_open();
	struct xtr_ip group = udp_ip("233.252.1.1"), six = udp_ip("ff0e::db8:1"), host = udp_ip("192.0.2.1");
	unsigned lo = if_nametoindex("lo"), n = 0;

	cr_assert_eq(xtr_udp_join(u, &host, lo, true), -EINVAL);
	cr_assert_eq(xtr_udp_join(u, &group, 0, true), -EINVAL);
	cr_assert_eq(xtr_udp_join(u, &group, 4711, true), -ENODEV);
	cr_assert_eq(xtr_udp_send_group(u, &udp_any, &host, lo, 5, PORT, "x", 1), -EINVAL);
	cr_assert_eq(xtr_udp_send_group(u, &udp_any, &group, 0, 5, PORT, "x", 1), -EINVAL);
	cr_assert_eq(xtr_udp_send_group(u, &udp_any, &group, lo, 0, PORT, "x", 1), -EINVAL);
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
