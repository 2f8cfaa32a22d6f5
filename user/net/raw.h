/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Raw sockets for what TC and XDP leave to the stack: LISP data packets that came in fragments or with IP options or extension
 * headers (the kernel has put them together), and ICMP errors that say a packet was too big. A classic BPF filter in the
 * kernel lets nothing else in, and no receive buffer grows beyond its bound.
 */
#ifndef XTR_NET_RAW_H
#define XTR_NET_RAW_H

#include "util/ip.h"

enum xtr_raw_kind {
	XTR_RAW_LISP,    /* UDP to port 4341 */
	XTR_RAW_TOO_BIG, /* ICMP type 3 code 4, ICMPv6 type 2, about a UDP packet */
	XTR_RAW_NONE,    /* a UDP socket on port 4341 that takes nothing: while it is there, the kernel does not answer such
			  * packets with "port unreachable". -EADDRINUSE: somebody else has the port, who does the same */
};
/* family: 4 or 6. The fd, or -errno; -EAFNOSUPPORT: the kernel has no IPv6. */
int xtr_raw_open(uint8_t family, enum xtr_raw_kind kind);

struct xtr_raw_packet {
	struct xtr_ip src, dst;
	uint8_t tos, ttl;       /* of the IP header; ECN as the kernel has made it of that of the fragments (RFC 3168 5.3) */
	int ifindex;            /* where it came in */
	uint32_t lost;          /* by this socket since it was opened, for want of room */
	unsigned at, len;       /* where behind the IP header in the buffer, and how much: UDP or ICMP header first */
};
/* One packet. 0; -EAGAIN: there is none; -EMSGSIZE: it did not fit and is gone; -EBADMSG: it makes no sense and is gone. */
int xtr_raw_recv(int fd, uint8_t family, uint8_t *buf, unsigned size, struct xtr_raw_packet *out);

#endif
