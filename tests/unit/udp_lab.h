/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The control sockets in network namespaces of a test. Needs root for them.
 *
 *   [ here ] a0 198.51.100.1 2001:db8:a::1 ---veth--- b0 198.51.100.2 2001:db8:a::2 [ there ]
 *            a1 203.0.113.1  2001:db8:b::1 ---veth--- b1 203.0.113.2  2001:db8:b::2
 */
#ifndef XTR_TESTS_UDP_LAB_H
#define XTR_TESTS_UDP_LAB_H

#include "net/udp.h"

#define PORT 4342
#define MARK 0x4c495350

extern const struct xtr_ip udp_any;

/* A namespace of its own with loopback; skips the test without root. */
void udp_namespace(void);
void udp_enter(int ns);
int udp_here(void); /* the namespace we are in */
struct xtr_udp *udp_open(void);
struct xtr_ip udp_ip(const char *s);

struct udp_got { unsigned n; struct xtr_udp_packet last; uint8_t first[64]; };
void udp_on_packet(void *ctx, const struct xtr_udp_packet *p); /* ctx: struct udp_got */
struct udp_got udp_receive(struct xtr_udp *u); /* what arrives within 200 ms */

struct udp_two {
	int here, there;               /* network namespaces */
	unsigned a0, a1, b0, b1;
	struct xtr_udp *a, *b;         /* sockets here and there */
};
struct udp_two udp_two(void);
void udp_two_end(struct udp_two *t);

#endif
