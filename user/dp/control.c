// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Control messages in data packets (RFC 9962 4.1: instance XTR_IID_MAX). Out: an IP packet from our
 * RLOC to the group, UDP 4342 to 4342, injected once for each part of the group's replication list.
 * In: whole frames from the ring, of sources the programs know; everything inside the frame is read
 * here for the first time, so nothing of it is believed: lengths, versions, checksums.
 */
#include "dp/internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define ETH_LEN      14
#define IP4_LEN      20
#define IP6_LEN      40
#define UDP_LEN      8
#define LISP_LEN     8
/* Replication is a router hop of its own and takes one off, so that a copy arrives with "one less",
 * as the author's implementation sends it. */
#define XTR_DP_CONTROL_TTL 64

static unsigned be16(const uint8_t *p) { return (unsigned)p[0] << 8 | p[1]; }
static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* ---- out */

/* The largest inner packet that every member can be sent; what is longer would die in silence. */
static unsigned xtr_dp_list_room(struct xtr_dp *dp, const struct xtr_dp_list *l)
{
	unsigned least = 65535 - IP6_LEN - UDP_LEN - LISP_LEN;

	for (unsigned i = 0; i < l->n; i++) {
		const struct xtr_rloc *t = &l->rl[i]->t;
		unsigned over = (t->family == XTR_FAMILY_IP4 ? IP4_LEN : IP6_LEN) + UDP_LEN + LISP_LEN;
		unsigned mtu = t->mtu;

		if (!(t->flags & XTR_RLOC_F_UP))
			continue;
		if (!mtu) {
			const struct xtr_dp_if *f = xtr_dp_if_by_index(dp, (int)t->ifindex);
			struct xtr_nl_link link;

			mtu = f ? f->mtu
			      : !xtr_nl_link_get(dp->nl, (int)t->ifindex, NULL, &link) ? link.mtu : 0;
		}
		if (mtu && mtu < 65536 && mtu - over < least)
			least = mtu > over ? mtu - over : 0;
	}
	return least;
}

/* Headers and payload into frame; returns its length. */
static unsigned xtr_dp_control_build(uint8_t *frame, const struct xtr_ip *src,
				     const struct xtr_ip *group, const void *buf, size_t len)
{
	bool four = group->family == 4;
	unsigned ip_len = four ? IP4_LEN : IP6_LEN, udp_len = UDP_LEN + (unsigned)len;
	unsigned addr = four ? 4 : 16;
	uint8_t *ip = frame + ETH_LEN, *udp = ip + ip_len, *at = ip + (four ? 12 : 8);
	uint16_t sum;

	memset(frame, 0, ETH_LEN + ip_len + UDP_LEN);
	frame[0] = frame[6] = 0x02; /* the programs write the real ones */
	put16(frame + 12, four ? 0x0800 : 0x86dd);
	memcpy(at, src->a, addr);
	memcpy(at + addr, group->a, addr);
	if (four) {
		ip[0] = 0x45;
		put16(ip + 2, ip_len + udp_len);
		put16(ip + 6, 0x4000);
		ip[8] = XTR_DP_CONTROL_TTL;
		ip[9] = IPPROTO_UDP;
		put16(ip + 10, (uint16_t)~xtr_dp_fold(xtr_dp_sum(ip, IP4_LEN, 0)));
	} else {
		ip[0] = 0x60;
		put16(ip + 4, udp_len);
		ip[6] = IPPROTO_UDP;
		ip[7] = XTR_DP_CONTROL_TTL;
	}
	put16(udp, XTR_PORT_CONTROL);
	put16(udp + 2, XTR_PORT_CONTROL);
	put16(udp + 4, udp_len);
	memcpy(udp + UDP_LEN, buf, len);
	sum = (uint16_t)~xtr_dp_fold(
		xtr_dp_sum(udp, udp_len, xtr_dp_sum(at, 2 * addr, IPPROTO_UDP + udp_len)));
	put16(udp + 6, sum ? sum : 0xffff);
	return ETH_LEN + ip_len + udp_len;
}

int xtr_dp_send_overlay(struct xtr_dp *dp, const struct xtr_ip *src, const struct xtr_ip *group,
			const void *buf, size_t len)
{
	const struct xtr_dp_list *l;
	unsigned head, room, n, parts;
	int peer = 0, r = 0;

	if (!xtr_ip_is_multicast(group) || src->family != group->family)
		return -EINVAL;
	l = xtr_dp_list_match(dp, XTR_IID_MAX, src, group);
	if (!l)
		return -ENOENT;
	for (unsigned i = 0; i < dp->ov_count && !peer; i++) /* any: its program goes by the mark alone */
		peer = dp->ovs[i].peer;
	if (!peer)
		return -ENODEV;
	head = (group->family == 4 ? IP4_LEN : IP6_LEN) + UDP_LEN;
	room = xtr_dp_list_room(dp, l);
	if (len > room || len + head > room)
		return -EMSGSIZE;
	n = xtr_dp_control_build(dp->scratch, src, group, buf, len);
	parts = (l->n + XTR_REPL_MAX - 1) / XTR_REPL_MAX;
	for (unsigned part = 0; part < parts; part++) {
		int one = xtr_dp_inject_frame(dp, peer, dp->scratch, n, XTR_MARK_CONTROL | part);

		/* ENOBUFS: our own program refused it and has counted why; the others still get theirs */
		if (one && !r)
			r = one;
	}
	return r;
}

/* ---- in */

struct xtr_dp_control_msg {
	struct xtr_ip via, src, dst;
	uint16_t sport;
	const uint8_t *buf;
	unsigned len;
};

static void xtr_dp_ip_at(struct xtr_ip *out, unsigned family, const uint8_t *at)
{
	memset(out, 0, sizeof(*out));
	out->family = (uint8_t)family;
	memcpy(out->a, at, family == 4 ? 4 : 16);
}

/* IP header at p, of at most n octets: addresses, and UDP behind it. No fragments, no options, no
 * extension headers: nobody has a reason to send such. */
static const uint8_t *xtr_dp_read_ip(const uint8_t *p, unsigned n, bool verify, struct xtr_ip *src,
				     struct xtr_ip *dst, unsigned *udp_room)
{
	unsigned total;

	if (n >= IP4_LEN && p[0] == 0x45) {
		total = be16(p + 2);
		if (total < IP4_LEN + UDP_LEN || total > n || p[9] != IPPROTO_UDP ||
		    be16(p + 6) & 0x3fff)
			return NULL;
		if (verify && xtr_dp_fold(xtr_dp_sum(p, IP4_LEN, 0)) != 0xffff)
			return NULL;
		xtr_dp_ip_at(src, 4, p + 12);
		xtr_dp_ip_at(dst, 4, p + 16);
		*udp_room = total - IP4_LEN;
		return p + IP4_LEN;
	}
	if (n >= IP6_LEN + UDP_LEN && p[0] >> 4 == 6) {
		total = be16(p + 4);
		if (total < UDP_LEN || total > n - IP6_LEN || p[6] != IPPROTO_UDP)
			return NULL;
		xtr_dp_ip_at(src, 6, p + 8);
		xtr_dp_ip_at(dst, 6, p + 24);
		*udp_room = total;
		return p + IP6_LEN;
	}
	return NULL;
}

/* One LISP packet, LISP header first, that is exactly n octets long. */
static bool xtr_dp_control_read(struct xtr_dp_control_msg *m, const uint8_t *p, unsigned n)
{
	unsigned room, len, addr;
	const uint8_t *ip = p + LISP_LEN, *udp;
	uint32_t sum;

	/* each of several in one frame is looked at: I bit, no key, instance 0xffffff */
	if (n < LISP_LEN + IP4_LEN || !(p[0] & 0x08) || p[0] & 0x03 || p[4] != 0xff || p[5] != 0xff ||
	    p[6] != 0xff)
		return false;
	n -= LISP_LEN;
	udp = xtr_dp_read_ip(ip, n, true, &m->src, &m->dst, &room);
	/* RFC 9300 5.3: the outer length is the inner one and the headers */
	if (!udp || (unsigned)(udp - ip) + room != n)
		return false;
	len = be16(udp + 4);
	if (be16(udp + 2) != XTR_PORT_CONTROL || len < UDP_LEN || len != room)
		return false;
	if (xtr_ip_is_multicast(&m->src) || xtr_ip_is_unspecified(&m->src) || xtr_ip_is_loopback(&m->src) ||
	    xtr_ip_is_loopback(&m->dst))
		return false;
	addr = m->src.family == 4 ? 4 : 16;
	if (!be16(udp + 6) && addr == 16)
		return false;
	if (be16(udp + 6)) {
		sum = xtr_dp_sum(udp - 2 * addr, 2 * addr, IPPROTO_UDP + len);
		if (xtr_dp_fold(xtr_dp_sum(udp, len, sum)) != 0xffff)
			return false;
	}
	m->sport = (uint16_t)be16(udp);
	m->buf = udp + UDP_LEN;
	m->len = len - UDP_LEN;
	return true;
}

/* The kernel may have put several datagrams of one sender into a frame (GRO): the payload is then cut
 * at every gso_size octets, and lengths of the outer headers are those of the whole. */
static unsigned xtr_dp_control_outer(const struct xtr_event *ev, const uint8_t *frame,
				     struct xtr_ip *via, const uint8_t **payload)
{
	unsigned n = ev->caplen, off, room;
	const uint8_t *udp;
	struct xtr_ip dst;

	if (n != ev->len || n < ETH_LEN + IP4_LEN + UDP_LEN + LISP_LEN)
		return 0;
	if (be16(frame + 12) != (frame[ETH_LEN] >> 4 == 6 ? 0x86dd : 0x0800))
		return 0;
	udp = xtr_dp_read_ip(frame + ETH_LEN, n - ETH_LEN, false, via, &dst, &room);
	if (!udp)
		return 0;
	off = (unsigned)(udp - frame);
	if (be16(udp + 2) != XTR_PORT_DATA || be16(udp + 4) < UDP_LEN || be16(udp + 4) > room ||
	    off + be16(udp + 4) > n)
		return 0;
	*payload = udp + UDP_LEN;
	return be16(udp + 4) - UDP_LEN;
}

void xtr_dp_control(struct xtr_dp *dp, const struct xtr_event *ev, const uint8_t *frame)
{
	const uint8_t *at = NULL;
	struct xtr_dp_control_msg m = { .len = 0 };
	unsigned left = xtr_dp_control_outer(ev, frame, &m.via, &at);

	if (!left) {
		xtr_dp_drop(dp, XTR_DROP_CONTROL_BAD, 1);
		return;
	}
	while (left) {
		unsigned n = ev->gso_size && ev->gso_size < left ? ev->gso_size : left;

		if (!xtr_dp_control_read(&m, at, n))
			xtr_dp_drop(dp, XTR_DROP_CONTROL_BAD, 1);
		else if (dp->cb.control)
			dp->cb.control(dp->cb.ctx, &m.via, &m.src, &m.dst, m.sport, m.buf, m.len);
		at += n;
		left -= n;
	}
}
