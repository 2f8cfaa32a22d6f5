// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See udp_lab.h. */
#include "udp_lab.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

const struct xtr_ip udp_any;

void udp_namespace(void)
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

struct xtr_udp *udp_open(void)
{
	struct xtr_err err;
	struct xtr_udp *u;

	cr_assert_eq(xtr_udp_open(PORT, MARK, &u, &err), 0, "%s", err.text);
	return u;
}

void udp_on_packet(void *ctx, const struct xtr_udp_packet *p)
{
	struct udp_got *g = ctx;

	g->n++;
	g->last = *p;
	memcpy(g->first, p->buf, p->len < sizeof(g->first) ? p->len : sizeof(g->first));
}

/* What arrives within 200 ms. */
struct udp_got udp_receive(struct xtr_udp *u)
{
	struct udp_got g = { 0 };
	int fds[2], end = 0;
	unsigned n = xtr_udp_fds(u, fds);

	while (!end) {
		struct pollfd p[2] = { { fds[0], POLLIN, 0 }, { fds[1], POLLIN, 0 } };

		end = poll(p, n, 200) <= 0;
		for (unsigned i = 0; i < n; i++)
			if (p[i].revents)
				xtr_udp_recv(u, fds[i], udp_on_packet, &g);
	}
	return g;
}

struct xtr_ip udp_ip(const char *s)
{
	struct xtr_ip a;

	cr_assert_eq(xtr_ip_parse(s, &a), 0);
	return a;
}

void udp_enter(int ns) { cr_assert_eq(setns(ns, CLONE_NEWNET), 0, "%s", strerror(errno)); }

int udp_here(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	cr_assert_geq(fd, 0);
	return fd;
}

struct udp_two udp_two(void)
{
	struct udp_two t = { .here = udp_here() };
	char cmd[512];

	udp_namespace();
	t.there = udp_here();
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
	t.b = udp_open();
	udp_enter(t.here);
	cr_assert_eq(system("set -e; for i in 0 1; do ip link set a$i up; done;"
			    "ip addr add 198.51.100.1/24 dev a0; ip addr add 203.0.113.1/24 dev a1;"
			    "ip addr add 2001:db8:a::1/64 dev a0 nodad; ip addr add 2001:db8:b::1/64 dev a1 nodad"),
		     0);
	t.a0 = if_nametoindex("a0");
	t.a1 = if_nametoindex("a1");
	t.a = udp_open();
	return t;
}

void udp_two_end(struct udp_two *t)
{
	xtr_udp_close(t->a);
	xtr_udp_close(t->b);
	close(t->here);
	close(t->there);
}
