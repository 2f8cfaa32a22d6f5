// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Encapsulated Control Message, RFC 9301 5.8: a control message with IP and UDP headers of its own.
 * The inner headers are checked as the host's stack would, since this packet never passes it;
 * wrong checksums are reported, and the roles drop.
 * LISP-SEC and MS-RTR data are opaque octets.
 */
#include "codec/msg_int.h"

#include <errno.h>
#include <string.h>

#define ECM_S 0x08000000u
#define ECM_D 0x04000000u
#define ECM_E 0x02000000u
#define ECM_M 0x01000000u

#define PROTO_UDP   17
#define CONTROL     4342
#define DATA        4341
#define IP4_HEAD    20
#define IP6_HEAD    40
#define UDP_HEAD    8
#define DONT_FRAG   0x4000
#define TTL_NEW     64

/* RFC 1071 sum in 32 bits, to be folded; an odd last octet is padded, so only the last part may be
 * odd. */
static uint32_t sum_octets(uint32_t sum, const uint8_t *p, size_t n)
{
	for (; n > 1; p += 2, n -= 2)
		sum += (uint32_t)(p[0] << 8 | p[1]);
	if (n)
		sum += (uint32_t)(p[0] << 8);
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Sum over pseudo-header and UDP packet; at most 65535 octets, so 32 bits suffice. 0xffff if the
 * checksum is right. */
static uint16_t udp_sum(const struct xtr_ip *src, const struct xtr_ip *dst, const uint8_t *udp,
			size_t len)
{
	uint32_t sum = PROTO_UDP + (uint32_t)len;

	sum = sum_octets(sum, src->a, sizeof(src->a)); /* unused octets are 0 */
	sum = sum_octets(sum, dst->a, sizeof(dst->a));
	return fold(sum_octets(sum, udp, len));
}

/* AD between the ECM word and the inner header: RFC 9303 6.1 (type 1), or MS-RTR data of the NAT
 * draft (type 2). */
static void auth_decode(struct xtr_rd *r, struct xtr_ecm *out)
{
	const uint8_t *start = r->p;
	uint8_t type = xtr_rd_u8(r);
	uint16_t len;

	xtr_rd_bytes(r, 3); /* unassigned, Requested HMAC ID; reserved */
	len = xtr_rd_u16(r);
	if (type == 1) {
		/* OTK Length is 24 by its definition, 28 by the figure; the layout is the same. */
		if (len != 24 && len != 28)
			xtr_rd_fail(r, -EBADMSG);
		xtr_rd_bytes(r, 2 + 24); /* Key ID, Wrapping ID, preamble, OTK */
		len = xtr_rd_u16(r);     /* EID-AD Length, which counts itself */
		if (len < 4)
			xtr_rd_fail(r, -EBADMSG);
		else
			xtr_rd_bytes(r, len - 2u);
	} else if (type == 2) {
		uint16_t data_len = xtr_rd_u16(r); /* what was read as len is the Key ID here */

		if (data_len > XTR_AUTH_MAX)
			xtr_rd_fail(r, -E2BIG);
		xtr_rd_bytes(r, data_len);
	} else {
		xtr_rd_fail(r, r->err ? r->err : -EPROTONOSUPPORT);
	}
	out->auth = start;
	out->auth_len = (size_t)(r->p - start);
}

static void ip4_decode(struct xtr_rd *r, struct xtr_ecm *out)
{
	const uint8_t *h = r->p;
	size_t left = xtr_rd_left(r), head = (h[0] & 15) * 4u;

	if (head < IP4_HEAD || head > left ||
	    (size_t)(h[2] << 8 | h[3]) != left || (h[6] << 8 | h[7]) & 0x3fff ||
	    h[9] != PROTO_UDP) {
		/* also: a fragment carries no whole message */
		xtr_rd_fail(r, -EBADMSG);
		return;
	}
	out->checksum_bad = fold(sum_octets(0, h, head)) != 0xffff;
	out->inner_ttl = h[8];
	out->inner_src.family = out->inner_dst.family = 4;
	memcpy(out->inner_src.a, h + 12, 4);
	memcpy(out->inner_dst.a, h + 16, 4);
	xtr_rd_bytes(r, head);
}

static void ip6_decode(struct xtr_rd *r, struct xtr_ecm *out)
{
	const uint8_t *h = r->p;
	size_t left = xtr_rd_left(r);

	if (left < IP6_HEAD || (size_t)(h[4] << 8 | h[5]) != left - IP6_HEAD || h[6] != PROTO_UDP) {
		xtr_rd_fail(r, -EBADMSG);
		return;
	}
	out->inner_ttl = h[7];
	out->inner_src.family = out->inner_dst.family = 6;
	memcpy(out->inner_src.a, h + 8, 16);
	memcpy(out->inner_dst.a, h + 24, 16);
	xtr_rd_bytes(r, IP6_HEAD);
}

static void udp_decode(struct xtr_rd *r, struct xtr_ecm *out)
{
	const uint8_t *udp = r->p;
	size_t left = xtr_rd_left(r);
	uint16_t len, checksum;

	out->inner_sport = xtr_rd_u16(r);
	out->inner_dport = xtr_rd_u16(r);
	len = xtr_rd_u16(r);
	checksum = xtr_rd_u16(r);
	if (r->err)
		return;
	/* RFC 9301 5.8: never the data port; RFC 9301 5: a control message has 4342 on one side. */
	if (len != left || out->inner_sport == DATA || out->inner_dport == DATA ||
	    (out->inner_sport != CONTROL && out->inner_dport != CONTROL))
		xtr_rd_fail(r, -EBADMSG);
	/* Zero is accepted: the outer checksum covers every octet. */
	else if (checksum && udp_sum(&out->inner_src, &out->inner_dst, udp, left) != 0xffff)
		out->checksum_bad = true;
}

int xtr_ecm_decode(const uint8_t *buf, size_t len, struct xtr_ecm *out)
{
	struct xtr_rd r;
	uint32_t word;

	memset(out, 0, sizeof(*out));
	word = xtr_msg_open(&r, buf, len, XTR_MSG_ECM);
	out->security = word & ECM_S;
	out->ddt = word & ECM_D;
	out->to_etr = word & ECM_E;
	out->to_ms = word & ECM_M;
	if (out->security)
		auth_decode(&r, out);
	if (xtr_rd_left(&r) < IP4_HEAD + UDP_HEAD)
		xtr_rd_fail(&r, -EBADMSG);
	else if (r.p[0] >> 4 == 4)
		ip4_decode(&r, out);
	else if (r.p[0] >> 4 == 6)
		ip6_decode(&r, out);
	else
		xtr_rd_fail(&r, -EBADMSG);
	udp_decode(&r, out);
	if (r.err)
		return r.err;
	out->msg = r.p;
	out->msg_len = xtr_rd_left(&r);
	/* One level only; and a message has a type. */
	if (!out->msg_len || xtr_msg_type(out->msg, out->msg_len) == XTR_MSG_ECM)
		return -EBADMSG;
	return 0;
}

static void put_ip_head(struct xtr_wr *w, const struct xtr_ecm *m)
{
	size_t udp_len = UDP_HEAD + m->msg_len, start = xtr_wr_len(w);

	if (m->inner_src.family == 4) {
		uint16_t checksum;

		xtr_wr_u16(w, 0x4500);
		xtr_wr_u16(w, (uint16_t)(IP4_HEAD + udp_len));
		xtr_wr_u32(w, DONT_FRAG); /* identification 0 is allowed with it (RFC 6864 4.1) */
		xtr_wr_u8(w, m->inner_ttl);
		xtr_wr_u8(w, PROTO_UDP);
		xtr_wr_u16(w, 0);
		xtr_wr_bytes(w, m->inner_src.a, 4);
		xtr_wr_bytes(w, m->inner_dst.a, 4);
		if (w->err)
			return;
		checksum = (uint16_t)~fold(sum_octets(0, w->start + start, IP4_HEAD));
		w->start[start + 10] = (uint8_t)(checksum >> 8);
		w->start[start + 11] = (uint8_t)checksum;
	} else {
		xtr_wr_u32(w, 0x60000000);
		xtr_wr_u16(w, (uint16_t)udp_len);
		xtr_wr_u8(w, PROTO_UDP);
		xtr_wr_u8(w, m->inner_ttl);
		xtr_wr_bytes(w, m->inner_src.a, 16);
		xtr_wr_bytes(w, m->inner_dst.a, 16);
	}
}

void xtr_ecm_reencode(struct xtr_wr *w, const struct xtr_ecm *m)
{
	size_t udp_len = UDP_HEAD + m->msg_len, udp;
	uint16_t checksum;

	if (m->inner_src.family != m->inner_dst.family ||
	    (m->inner_src.family != 4 && m->inner_src.family != 6))
		xtr_wr_fail(w, -EINVAL);
	if (m->msg_len > XTR_MSG_MAX - IP6_HEAD - UDP_HEAD - 4)
		xtr_wr_fail(w, -E2BIG);
	xtr_wr_u32(w, (uint32_t)XTR_MSG_ECM << 28 | (m->security ? ECM_S : 0) |
			      (m->ddt ? ECM_D : 0) | (m->to_etr ? ECM_E : 0) |
			      (m->to_ms ? ECM_M : 0));
	if (m->security)
		xtr_wr_bytes(w, m->auth, m->auth_len);
	put_ip_head(w, m);
	udp = xtr_wr_len(w);
	xtr_wr_u16(w, m->inner_sport);
	xtr_wr_u16(w, m->inner_dport);
	xtr_wr_u16(w, (uint16_t)udp_len);
	xtr_wr_u16(w, 0);
	xtr_wr_bytes(w, m->msg, m->msg_len);
	if (w->err)
		return;
	/* RFC 9301 5.8: non-zero; 0 is sent as all ones (RFC 768). */
	checksum = (uint16_t)~udp_sum(&m->inner_src, &m->inner_dst, w->start + udp, udp_len);
	if (!checksum)
		checksum = 0xffff;
	w->start[udp + 6] = (uint8_t)(checksum >> 8);
	w->start[udp + 7] = (uint8_t)checksum;
}

void xtr_ecm_encode(struct xtr_wr *w, const struct xtr_ip *inner_src, uint16_t inner_sport,
		    const struct xtr_ip *inner_dst, uint16_t inner_dport, const uint8_t *msg,
		    size_t msg_len)
{
	const struct xtr_ecm m = {
		.inner_src = *inner_src,
		.inner_dst = *inner_dst,
		.inner_sport = inner_sport,
		.inner_dport = inner_dport,
		.inner_ttl = TTL_NEW,
		.msg = msg,
		.msg_len = msg_len,
	};

	xtr_ecm_reencode(w, &m);
}
