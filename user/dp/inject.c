// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sends captured packets on their way: by a packet socket out of the peer end of an overlay device,
 * whose TC egress program encapsulates them. The mark of each packet is the interface where it was
 * captured, so that it is treated by the rules of that port. Never PACKET_QDISC_BYPASS: it would
 * skip TC.
 *
 * A packet of a local sender is captured with an unfinished ("partial") checksum: the field holds
 * the folded sum of the pseudo-header. A single packet is completed here; a super-packet keeps it
 * and its segment size in a virtio-net header.
 */
#include "dp/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define XTR_DP_EXT_MAX 8 /* IPv6 extension headers looked through */

int xtr_dp_inject_open(struct xtr_dp *dp)
{
	int one = 1, size = 8 << 20;

	/* protocol 0: receives nothing */
	dp->inject_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (dp->inject_fd < 0)
		return -errno;
	if (setsockopt(dp->inject_fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)))
		return -errno;
	setsockopt(dp->inject_fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	return 0;
}

/* ---- checksums that are left to the device */

static unsigned xtr_dp_csum_at(uint8_t proto)
{
	return proto == IPPROTO_TCP	 ? 16
	       : proto == IPPROTO_UDP	 ? 6
	       : proto == IPPROTO_ICMPV6 ? 2
					 : 0;
}

/* The layer-4 header of an IPv6 packet behind extension headers; 0: none, or a fragment. */
static unsigned xtr_dp_l4_find6(const uint8_t *frame, unsigned end, uint8_t *proto)
{
	unsigned at = ETH_HLEN + 40;

	*proto = frame[ETH_HLEN + 6];
	for (int i = 0; i < XTR_DP_EXT_MAX; i++) {
		if (*proto != IPPROTO_HOPOPTS && *proto != IPPROTO_ROUTING &&
		    *proto != IPPROTO_DSTOPTS)
			return *proto == IPPROTO_FRAGMENT ? 0 : at;
		if (at + 8 > end)
			return 0;
		*proto = frame[at];
		at += 8u + 8u * frame[at + 1];
	}
	return 0;
}

void xtr_dp_l4_find(const uint8_t *frame, uint32_t len, struct xtr_dp_l4 *out)
{
	unsigned end, at, addrs, addr_len;
	uint32_t pseudo;

	memset(out, 0, sizeof(*out));
	out->l3 = ETH_HLEN;
	if (len < ETH_HLEN + 20)
		return;
	if (frame[12] == 0x08 && frame[13] == 0x00) {
		end = ETH_HLEN + ((unsigned)frame[16] << 8 | frame[17]);
		at = ETH_HLEN + (frame[14] & 15u) * 4u;
		if ((frame[20] & 0x3f) || frame[21]) /* a fragment, or the first of several */
			return;
		out->proto = frame[23];
		addrs = ETH_HLEN + 12;
		addr_len = 8;
		if (out->proto == IPPROTO_ICMPV6)
			return;
	} else if (frame[12] == 0x86 && frame[13] == 0xdd && len >= ETH_HLEN + 40) {
		end = ETH_HLEN + 40 + ((unsigned)frame[18] << 8 | frame[19]);
		if (end == ETH_HLEN + 40) /* a super-packet beyond 64 KiB */
			end = len;
		at = xtr_dp_l4_find6(frame, end < len ? end : len, &out->proto);
		addrs = ETH_HLEN + 8;
		addr_len = 32;
	} else {
		return;
	}
	if (end > len || !at || at + 8 > end || !xtr_dp_csum_at(out->proto))
		return;
	if (out->proto == IPPROTO_TCP && at + 20 > end)
		return;
	out->l4 = at;
	out->l4_len = end - at;
	out->csum = at + xtr_dp_csum_at(out->proto);
	pseudo = xtr_dp_sum(frame + addrs, addr_len,
			    (uint32_t)out->proto + (out->l4_len & 0xffff) + (out->l4_len >> 16));
	out->partial =
		((unsigned)frame[out->csum] << 8 | frame[out->csum + 1]) == xtr_dp_fold(pseudo);
}

/*
 * Completes a partial checksum in place. A finished checksum that happens to look partial is
 * computed again, with the same result, so a wrong guess changes nothing.
 */
bool xtr_dp_csum_complete(uint8_t *frame, uint32_t len)
{
	struct xtr_dp_l4 l;
	uint16_t c;

	xtr_dp_l4_find(frame, len, &l);
	if (!l.l4 || !l.partial)
		return false;
	/* the field holds the pseudo-header's sum already */
	c = (uint16_t)~xtr_dp_fold(xtr_dp_sum(frame + l.l4, l.l4_len, 0));
	if (!c && l.proto == IPPROTO_UDP)
		c = 0xffff;
	frame[l.csum] = (uint8_t)(c >> 8);
	frame[l.csum + 1] = (uint8_t)c;
	return true;
}

/* ---- sending */

/* Where a frame goes: out of this device, with this mark, and with this VLAN's tag where it is not 0. */
struct xtr_dp_out {
	int ifindex;
	uint32_t mark, vlan;
};

#define XTR_DP_MACS (2 * ETH_ALEN) /* octets in front of a tag */

static int xtr_dp_send(struct xtr_dp *dp, const struct xtr_dp_out *to, struct virtio_net_hdr v,
		       const uint8_t *frame, uint32_t len)
{
	const uint8_t tag[4] = { ETH_P_8021Q >> 8, ETH_P_8021Q & 0xff, (uint8_t)(to->vlan >> 8),
				 (uint8_t)to->vlan };
	struct sockaddr_ll sl = { .sll_family = AF_PACKET,
				  .sll_ifindex = to->ifindex,
				  .sll_halen = ETH_ALEN };
	struct iovec io[4] = { { &v, sizeof(v) },
			       { (void *)frame, XTR_DP_MACS },
			       { (void *)tag, to->vlan ? sizeof(tag) : 0 },
			       { (void *)(frame + XTR_DP_MACS), len - XTR_DP_MACS } };
	union {
		struct cmsghdr h;
		char buf[CMSG_SPACE(sizeof(uint32_t))];
	} c = { 0 };
	struct msghdr m = { .msg_name = &sl,
			    .msg_namelen = sizeof(sl),
			    .msg_iov = io,
			    .msg_iovlen = 4,
			    .msg_control = &c,
			    .msg_controllen = sizeof(c) };

	if (to->vlan && v.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		v.csum_start += sizeof(tag);
		v.hdr_len += sizeof(tag);
	}
	memcpy(&sl.sll_protocol, to->vlan ? tag : frame + XTR_DP_MACS, 2);
	c.h.cmsg_level = SOL_SOCKET;
	c.h.cmsg_type = SO_MARK;
	c.h.cmsg_len = CMSG_LEN(sizeof(to->mark));
	memcpy(CMSG_DATA(&c.h), &to->mark, sizeof(to->mark));
	return sendmsg(dp->inject_fd, &m, MSG_DONTWAIT) < 0 ? -errno : 0;
}

/*
 * A UDP super-packet as single datagrams, each exactly as the kernel would cut it off. Not whole:
 * nothing segments it behind the hook it is sent to, and segments that outlive encapsulation are
 * lost where TC decapsulates them (see xtr_tc_encap).
 */
static int xtr_dp_send_udp(struct xtr_dp *dp, const struct xtr_dp_out *to, uint8_t *frame,
			   const struct xtr_dp_l4 *l, uint32_t gso_size)
{
	const struct virtio_net_hdr none = { 0 };
	bool four = frame[12] == 0x08 && frame[13] == 0x00;
	unsigned head = l->l4 + 8, left = l->l4_len - 8, done = 0, addrs = l->l3 + (four ? 12 : 8);
	uint8_t one[XTR_EV_MEDIUM * 8];
	int r = 0;

	while (left && !r) {
		unsigned n = left < gso_size ? left : gso_size, udp = n + 8, ip = head - l->l3 + n;
		uint16_t c;

		if (head + n > sizeof(one))
			return -EMSGSIZE;
		memcpy(one, frame, head);
		memcpy(one + head, frame + head + done, n);
		if (four) {
			one[l->l3 + 2] = (uint8_t)(ip >> 8);
			one[l->l3 + 3] = (uint8_t)ip;
			one[l->l3 + 10] = one[l->l3 + 11] = 0;
			c = (uint16_t)~xtr_dp_fold(
				xtr_dp_sum(one + l->l3, (one[l->l3] & 15u) * 4u, 0));
			one[l->l3 + 10] = (uint8_t)(c >> 8);
			one[l->l3 + 11] = (uint8_t)c;
		} else {
			one[l->l3 + 4] = (uint8_t)((ip - 40) >> 8);
			one[l->l3 + 5] = (uint8_t)(ip - 40);
		}
		one[l->l4 + 4] = (uint8_t)(udp >> 8);
		one[l->l4 + 5] = (uint8_t)udp;
		c = xtr_dp_fold(xtr_dp_sum(one + addrs, four ? 8 : 32, IPPROTO_UDP + udp));
		one[l->csum] = (uint8_t)(c >> 8);
		one[l->csum + 1] = (uint8_t)c;
		xtr_dp_csum_complete(one, head + n);
		r = xtr_dp_send(dp, to, none, one, head + n);
		done += n;
		left -= n;
	}
	return r;
}

static int xtr_dp_send_gso(struct xtr_dp *dp, const struct xtr_dp_out *to, uint8_t *frame,
			   uint32_t len, uint32_t gso_size)
{
	bool four = frame[12] == 0x08 && frame[13] == 0x00;
	struct virtio_net_hdr v = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				    .gso_size = (uint16_t)gso_size };
	struct xtr_dp_l4 l;

	xtr_dp_l4_find(frame, len, &l);
	if (!l.l4 || gso_size > 65535)
		return -EINVAL;
	if (l.proto == IPPROTO_UDP)
		return xtr_dp_send_udp(dp, to, frame, &l, gso_size);
	if (l.proto != IPPROTO_TCP)
		return -EINVAL;
	v.gso_type = four ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
	if (frame[l.l4 + 13] & 0x80) /* CWR: on the first segment only */
		v.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	v.csum_start = (uint16_t)l.l4;
	v.csum_offset = (uint16_t)(l.csum - l.l4);
	v.hdr_len = (uint16_t)(l.l4 + (frame[l.l4 + 12] >> 4) * 4u);
	return xtr_dp_send(dp, to, v, frame, len);
}

int xtr_dp_inject_frame(struct xtr_dp *dp, int ifindex, const uint8_t *frame, uint32_t len, uint32_t mark)
{
	const struct virtio_net_hdr none = { 0 };
	const struct xtr_dp_out to = { .ifindex = ifindex, .mark = mark };

	return len < ETH_HLEN ? -EINVAL : xtr_dp_send(dp, &to, none, frame, len);
}

void xtr_dp_inject(struct xtr_dp *dp, uint32_t iid, uint8_t *frame, uint32_t len,
		   const struct xtr_dp_origin *from)
{
	const struct xtr_dp_ov *ov = xtr_dp_overlay_of(dp, iid);
	const struct virtio_net_hdr none = { 0 };
	struct xtr_dp_out to = { .mark = from->ifindex, .vlan = from->vlan };
	int r;

	/* out of the peer end of its own instance: of no other's, whatever else is there */
	if (!ov || !ov->peer || len < ETH_HLEN) {
		xtr_dp_drop(dp, XTR_DROP_INJECT_FAILED, 1);
		return;
	}
	to.ifindex = ov->peer;
	if (from->gso_size) {
		r = xtr_dp_send_gso(dp, &to, frame, len, from->gso_size);
	} else {
		xtr_dp_csum_complete(frame, len);
		r = xtr_dp_send(dp, &to, none, frame, len);
	}
	/* ENOBUFS: our own program on that hook refused it and has counted why. */
	if (r && r != -ENOBUFS) {
		xtr_dp_drop(dp, XTR_DROP_INJECT_FAILED, 1);
		xtr_log_limited(XTR_LOG_WARN, dp->now / 1000,
				"overlay %s: the kernel refused a packet of %u octets: %s",
				ov->name, len, strerror(-r));
	}
}
