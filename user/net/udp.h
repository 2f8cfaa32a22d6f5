/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The control sockets: UDP port 4342 of IPv4 and IPv6, with the addresses of each datagram known
 * and chosen.
 */
#ifndef XTR_NET_UDP_H
#define XTR_NET_UDP_H

#include "util/err.h"
#include "util/ip.h"

#define XTR_UDP_TURN 64              /* datagrams of one socket in one call of recv; messages collected */

struct xtr_udp;
struct xtr_udp_packet {
	struct xtr_ip src, dst;      /* dst: the address of ours it was sent to */
	uint16_t sport;
	const uint8_t *buf; size_t len;
};
/* A message of xtr_udp_send_later() that the kernel did not take. Valid during the call. */
struct xtr_udp_unsent {
	struct xtr_ip src, dst;
	uint16_t dport;
	const void *buf, *note; size_t len;
	int err;                     /* -errno */
};
struct xtr_udp_counts {
	uint64_t cut;                /* longer than our buffer, dropped */
	uint64_t not_ours; /* sent to a multicast or broadcast address, or link-local, dropped */
};

/* Opens both families on port; a kernel without IPv6 gives IPv4 only. mark: SO_MARK of everything
 * sent (0: none). Datagrams with UDP checksum 0 never arrive (RFC 9301 5: the checksum must be
 * there). */
int xtr_udp_open(uint16_t port, uint32_t mark, struct xtr_udp **out, struct xtr_err *err);
void xtr_udp_close(struct xtr_udp *u);
/* Sockets to poll for reading: 1 or 2. */
unsigned xtr_udp_fds(const struct xtr_udp *u, int fds[2]);
/* Takes at most XTR_UDP_TURN datagrams of one of the sockets; call again while it stays readable.
 * Returns how many. */
unsigned xtr_udp_recv(struct xtr_udp *u, int fd,
		      void (*fn)(void *ctx, const struct xtr_udp_packet *p), void *ctx);
/* fn is told of datagrams that are about to be handed on by xtr_udp_recv, 1 to XTR_UDP_TURN of them, in this order. */
void xtr_udp_on_batch(struct xtr_udp *u, void (*fn)(void *ctx, const struct xtr_udp_packet *p, unsigned n), void *ctx);
/* src family 0: the kernel chooses. 0 or -errno (-EAGAIN: the socket is full; -EAFNOSUPPORT: no
 * such socket). */
int xtr_udp_send(struct xtr_udp *u, const struct xtr_ip *src, const struct xtr_ip *dst,
		 uint16_t dport, const void *buf, size_t len);
/* Between hold and flush what is sent later is collected, at most XTR_UDP_TURN messages of a family, and goes out with one
 * system call when the room is used up, before anything that is sent at once, and with flush. Outside it is sent at
 * once. Messages leave in the order in which they were given, each on its own: one that fails does not stop the others. */
void xtr_udp_hold(struct xtr_udp *u);
void xtr_udp_flush(struct xtr_udp *u);
/* As xtr_udp_send(), for messages of which nobody waits to hear: what was collected and then fails is handed to the function
 * of xtr_udp_on_unsent(), with a copy of the note (octets of the caller's, may be NULL). */
int xtr_udp_send_later(struct xtr_udp *u, const struct xtr_ip *src, const struct xtr_ip *dst, uint16_t dport,
		       const void *buf, size_t len, const void *note, size_t note_len);
/* fn may send at once, and nothing later. */
void xtr_udp_on_unsent(struct xtr_udp *u, void (*fn)(void *ctx, const struct xtr_udp_unsent *m), void *ctx);
/* Underlay multicast. Joins group on the interface (IGMPv3, MLDv2 are the kernel's); datagrams to a joined group are
 * received with dst = group, others stay not_ours. on false: leaves. 0 or -errno; joining twice is 0. */
int xtr_udp_join(struct xtr_udp *u, const struct xtr_ip *group, unsigned ifindex, bool on);
/* To group out of ifindex with this TTL or hop limit; not looped back to this host's sockets. src as in xtr_udp_send. */
int xtr_udp_send_group(struct xtr_udp *u, const struct xtr_ip *src, const struct xtr_ip *group, unsigned ifindex,
		       uint8_t ttl, uint16_t dport, const void *buf, size_t len);
const struct xtr_udp_counts *xtr_udp_counts(const struct xtr_udp *u);

#endif
