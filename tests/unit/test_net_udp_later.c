// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What one turn of the loop sends leaves together: in order, each with its own addresses, bounded, and a failure is that of one
 * message alone.
 */
#include "udp_lab.h"

#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(udp_later, .init = udp_namespace, .timeout = 30);

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
	struct xtr_ip dst = udp_ip("127.0.0.1");

	t->n++;
	t->last = *m;
	if (m->note)
		memcpy(t->note, m->note, sizeof(t->note));
	if (t->instead)
		cr_assert_eq(xtr_udp_send(t->u, &udp_any, &dst, PORT, t->instead, strlen(t->instead)), 0);
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
	struct xtr_ip s = src ? udp_ip(src) : udp_any, d = udp_ip(dst);

	cr_assert_eq(xtr_udp_send_later(u, &s, &d, PORT, text, strlen(text), NULL, 0), 0);
}

Test(udp_later, waits_for_the_end_of_the_turn_and_keeps_its_order)
{
	struct xtr_udp *u = udp_open();

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
	struct xtr_udp *u = udp_open();
	struct xtr_ip dst = udp_ip("127.0.0.1");

	xtr_udp_hold(u);
	later(u, NULL, "127.0.0.1", "1");
	later(u, NULL, "127.0.0.1", "2");
	cr_assert_eq(xtr_udp_send(u, &udp_any, &dst, PORT, "3", 1), 0);
	later(u, NULL, "127.0.0.1", "4");
	cr_assert_str_eq(arrived(u), "123");
	xtr_udp_flush(u);
	cr_assert_str_eq(arrived(u), "4");
	xtr_udp_close(u);
}

/* What the caller gave is copied; each datagram has an address of its own, of either family. */
Test(udp_later, each_has_its_own_source_and_destination)
{
	struct xtr_udp *u = udp_open();
	struct xtr_ip six = udp_ip("::1");
	char text[2] = "";
	struct udp_got g;

	xtr_udp_hold(u);
	for (unsigned i = 1; i <= 40; i++) {
		struct xtr_ip src = udp_ip("127.0.0.1"), dst = src;

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
	g = udp_receive(u);
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
	struct xtr_udp *u = udp_open();
	uint8_t buf[2 * XTR_UDP_TURN];
	unsigned n = 0;
	int fds[2];

	for (unsigned i = 1; i <= XTR_UDP_TURN; i++) {
		struct xtr_ip src = udp_ip("127.0.0.1"), dst = src;

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
	struct xtr_ip foreign = udp_ip("192.0.2.1"), dst = udp_ip("127.0.0.1"), far = udp_ip("198.51.100.77");
	static uint8_t too_long[65508];
	struct xtr_udp *u = udp_open();
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
	cr_assert_eq(xtr_udp_send_later(u, &udp_any, &dst, PORT, too_long, sizeof(too_long), "note 02", 8), 0);
	later(u, NULL, "127.0.0.1", "d");
	cr_assert_eq(xtr_udp_send_later(u, &udp_any, &far, PORT, "far", 3, "note 03", 8), 0);
	xtr_udp_flush(u);
	cr_assert_str_eq(arrived(u), "d");
	cr_assert_eq(t.n, 3);
	cr_assert_eq(t.last.err, -ENETUNREACH);
	cr_assert_str_eq(t.note, "note 03");
	xtr_udp_close(u);
}

Test(udp_later, what_is_sent_in_the_place_of_a_failure_keeps_that_place)
{
	struct xtr_ip foreign = udp_ip("192.0.2.1"), dst = udp_ip("127.0.0.1");
	struct xtr_udp *u = udp_open();
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
	struct xtr_udp *u = udp_open();
	struct xtr_ip dst = udp_ip("127.0.0.1");
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
		cr_assert_eq(xtr_udp_send_later(u, &udp_any, &dst, PORT, big, sizeof(big), NULL, 0), 0);
	}
	xtr_udp_flush(u);
	cr_assert_str_eq(arrived(u), wanted);
	xtr_udp_close(u);
}

/* A neighbour that does not answer: what is sent to it waits in the kernel and fills the socket. */
Test(udp_later, a_full_socket_is_a_counted_loss_and_no_wait)
{
	struct udp_two t = udp_two();
	struct told told = { .u = t.a };
	int fds[2], size = 8192;
	struct xtr_ip there = udp_ip("198.51.100.2");
	struct udp_got g;

	xtr_udp_fds(t.a, fds);
	cr_assert_eq(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)), 0);
	cr_assert_eq(xtr_udp_send(t.a, &udp_any, &there, PORT, "neighbour known", 15), 0);
	udp_receive(t.b);
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
	g = udp_receive(t.b);
	cr_assert_eq(g.n, 1);
	cr_assert_arr_eq(g.first, "first", 5);
	udp_two_end(&t);
}

Test(udp_later, closing_sends_what_is_left)
{
	struct xtr_udp *u = udp_open();
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in me = { .sin_family = AF_INET, .sin_port = htons(5555) };
	struct xtr_ip dst = udp_ip("127.0.0.1");
	char buf[8];

	cr_assert_eq(bind(fd, (struct sockaddr *)&me, sizeof(me)), 0);
	xtr_udp_hold(u);
	cr_assert_eq(xtr_udp_send_later(u, &udp_any, &dst, 5555, "bye", 3, NULL, 0), 0);
	xtr_udp_close(u);
	cr_assert_eq(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), 3);
	close(fd);
}

Test(udp_later, families_do_not_mix)
{
	struct xtr_udp *u = udp_open();
	struct xtr_ip v4 = udp_ip("127.0.0.1"), v6 = udp_ip("::1");

	xtr_udp_hold(u);
	cr_assert_eq(xtr_udp_send_later(u, &v4, &v6, PORT, "x", 1, NULL, 0), -EAFNOSUPPORT);
	cr_assert_eq(xtr_udp_send_later(u, &udp_any, &udp_any, PORT, "x", 1, NULL, 0), -EAFNOSUPPORT);
	xtr_udp_close(u);
}

/* What is told of a batch is what is then handed on, in this order; what is dropped is in neither. */
static void on_batch(void *ctx, const struct xtr_udp_packet *p, unsigned n)
{
	char *to = ctx;

	to += strlen(to);
	*to++ = '[';
	for (unsigned i = 0; i < n; i++)
		*to++ = (char)p[i].buf[0];
	*to = ']';
}

Test(udp_later, a_batch_is_told_before_it_is_handed_on)
{
	struct xtr_udp *u = udp_open();
	int fd = socket(AF_INET, SOCK_DGRAM, 0), fds[2], on = 1;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	char text[64] = "";

	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	for (unsigned i = 0; i < 3; i++) {
		inet_pton(AF_INET, i == 1 ? "127.255.255.255" : "127.0.0.1", &to.sin_addr);
		cr_assert_eq(sendto(fd, &"abc"[i], 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	}
	xtr_udp_on_batch(u, on_batch, text);
	xtr_udp_fds(u, fds);
	cr_assert_eq(xtr_udp_recv(u, fds[0], on_first, text), 3);
	cr_assert_str_eq(text, "[ac]ac");
	cr_assert_eq(xtr_udp_recv(u, fds[0], on_first, text), 0);
	cr_assert_str_eq(text, "[ac]ac");
	close(fd);
	xtr_udp_close(u);
}
