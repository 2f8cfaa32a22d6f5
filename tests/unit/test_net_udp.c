// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The control sockets in a network namespace of the test: addresses both ways, checksum 0 refused
 * (RFC 9301 5), nothing cut, nothing that is not unicast. Needs root for the namespace and for raw
 * datagrams.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
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
