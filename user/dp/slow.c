// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The slow path of decapsulation (RFC 9300 16). LISP packets that come in fragments, with IPv4 options or with IPv6 extension
 * headers pass the programs untouched; the kernel puts them together, and a raw socket brings them here. They become a
 * plain frame, which goes out of the peer end of an overlay device with a mark that says where it came in: the program
 * there checks it like any other packet and decapsulates. So nothing is decided here but whether it can be such a
 * packet at all; and how many of them there may be.
 *
 * Memory: the reassembly is the kernel's, the sockets have their bounds, and a packet is built where it was received.
 */
#include "dp/internal.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "net/raw.h"

#define XTR_DP_SLOW_TURN 64 /* packets of one socket in one turn of the loop */
#define IP4_LEN 20u
#define IP6_LEN 40u
#define UDP_LEN 8u
#define LISP_LEN 8u

static void be16_put(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}
static unsigned be16_get(const uint8_t *p) { return (unsigned)p[0] << 8 | p[1]; }

/*
 * Makes a frame of a packet whose UDP header is at `at`, with at least XTR_DP_SLOW_HEAD octets of room before it. Returns
 * where it begins and its length, or NULL: it is no whole LISP packet, or its checksum is wrong (one that is not 0 has to
 * be right; 0 is allowed with IPv6 too: RFC 9300 5.3, RFC 6935). It stays: of LISP-GPE the program has to know.
 */
uint8_t *xtr_dp_slow_frame(uint8_t *at, const struct xtr_raw_packet *p, const uint8_t mac[6], unsigned *len)
{
	bool four = p->src.family == 4;
	unsigned udp = p->len >= UDP_LEN ? be16_get(at + 4) : 0, l3 = four ? IP4_LEN : IP6_LEN;
	uint8_t *ip = at - l3, *eth = ip - ETH_HLEN;
	uint32_t sum;

	if (udp < UDP_LEN + LISP_LEN || udp > p->len || udp + IP4_LEN > 65535)
		return NULL;
	if (be16_get(at + 6)) {
		sum = xtr_dp_sum(p->src.a, four ? 4 : 16, IPPROTO_UDP + udp);
		sum = xtr_dp_sum(p->dst.a, four ? 4 : 16, sum);
		if (xtr_dp_fold(xtr_dp_sum(at, udp, sum)) != 0xffff)
			return NULL;
	}
	memset(eth, 0, ETH_HLEN + l3);
	memcpy(eth, mac, 6);
	be16_put(eth + 12, four ? ETH_P_IP : ETH_P_IPV6);
	if (four) {
		ip[0] = 0x45;
		ip[1] = p->tos;
		be16_put(ip + 2, l3 + udp);
		be16_put(ip + 6, 0x4000);
		ip[8] = p->ttl;
		ip[9] = IPPROTO_UDP;
		memcpy(ip + 12, p->src.a, 4);
		memcpy(ip + 16, p->dst.a, 4);
		be16_put(ip + 10, (uint16_t)~xtr_dp_fold(xtr_dp_sum(ip, IP4_LEN, 0)));
	} else {
		be16_put(ip, 0x6000u | (unsigned)p->tos << 4);
		be16_put(ip + 4, udp);
		ip[6] = IPPROTO_UDP;
		ip[7] = p->ttl;
		memcpy(ip + 8, p->src.a, 16);
		memcpy(ip + 24, p->dst.a, 16);
	}
	*len = ETH_HLEN + l3 + udp;
	return eth;
}

/* rate per second, burst at once. */
bool xtr_dp_bucket_take(struct xtr_dp_bucket *b, uint64_t now, uint32_t rate, uint32_t burst)
{
	uint64_t full = (uint64_t)burst * 1000, add = now > b->at ? (now - b->at) * rate : 0;

	if (!b->at)
		b->tokens = full;
	b->at = now ? now : 1;
	b->tokens = b->tokens + add < full ? b->tokens + add : full;
	if (b->tokens < 1000)
		return false;
	b->tokens -= 1000;
	return true;
}

static bool xtr_dp_slow_ours(const struct xtr_dp *dp, const struct xtr_ip *dst)
{
	for (unsigned i = 0; i < dp->cfg.rloc_count; i++)
		if (!memcmp(&dp->cfg.rlocs[i], dst, sizeof(*dst)))
			return true;
	return false;
}

/* Any overlay device will do: the program finds the right one by the instance ID. */
static int xtr_dp_slow_way(const struct xtr_dp *dp)
{
	for (unsigned i = 0; i < dp->ov_count; i++)
		if (dp->ovs[i].peer)
			return dp->ovs[i].peer;
	return 0;
}

static void xtr_dp_slow_one(struct xtr_dp *dp, uint8_t *at, const struct xtr_raw_packet *p)
{
	const struct xtr_dp_if *f = p->ifindex ? xtr_dp_if_by_index(dp, p->ifindex) : NULL;
	uint8_t *frame;
	unsigned len;
	int out;

	if (!f || f->role != XTR_ROLE_UNDERLAY || !xtr_dp_slow_ours(dp, &p->dst))
		return; /* not by the way LISP comes to us: nobody's, as it was before */
	if (!xtr_dp_bucket_take(&dp->slow_bucket, dp->now, dp->cfg.slow_rate, dp->cfg.slow_burst)) {
		xtr_dp_drop(dp, XTR_DROP_SLOW_LIMITED, 1);
		return;
	}
	frame = xtr_dp_slow_frame(at, p, f->mac, &len);
	if (!frame) {
		dp->slow_bad++;
		return;
	}
	out = xtr_dp_slow_way(dp);
	if (!out || xtr_dp_inject_frame(dp, out, frame, len, XTR_MARK_DECAP | (uint32_t)p->ifindex))
		xtr_dp_drop(dp, XTR_DROP_INJECT_FAILED, 1);
}

/* One turn of one family. */
static void xtr_dp_slow_read(struct xtr_dp *dp, unsigned k)
{
	uint8_t family = k ? 6 : 4, *buf = dp->scratch + XTR_DP_SLOW_HEAD;
	struct xtr_raw_packet p;
	int r = 0;

	for (unsigned i = 0; i < XTR_DP_SLOW_TURN && r != -EAGAIN; i++) {
		r = xtr_raw_recv(dp->slow_fd[k], family, buf, sizeof(dp->scratch) - XTR_DP_SLOW_HEAD, &p);
		if (r != -EAGAIN && p.lost != dp->slow_lost[k]) {
			xtr_dp_drop(dp, XTR_DROP_SLOW_LIMITED, p.lost - dp->slow_lost[k]);
			dp->slow_lost[k] = p.lost;
		}
		if (!r)
			xtr_dp_slow_one(dp, buf + p.at, &p);
		else if (r != -EAGAIN)
			dp->slow_bad += r == -EMSGSIZE;
	}
}

static int xtr_dp_slow_open_one(struct xtr_dp *dp, uint8_t family, enum xtr_raw_kind kind, int *out, struct xtr_err *err)
{
	struct epoll_event e = { .events = EPOLLIN };
	int fd = *out = xtr_raw_open(family, kind);

	if (fd == -EAFNOSUPPORT && family == 6)
		return 0;
	if (fd == -EADDRINUSE && kind == XTR_RAW_NONE)
		return 0;
	if (fd >= 0 && kind != XTR_RAW_NONE && epoll_ctl(dp->slow_poll, EPOLL_CTL_ADD, fd, &e))
		return xtr_fail(err, -errno, "epoll: %s", strerror(errno));
	return fd >= 0 ? 0 : xtr_fail(err, fd, "IPv%u socket for %s: %s (needs CAP_NET_RAW)", family,
				      kind == XTR_RAW_TOO_BIG ? "messages about the path MTU" : "fragments to UDP port 4341",
				      strerror(-fd));
}

int xtr_dp_port_hold(struct xtr_dp *dp, struct xtr_err *err)
{
	int r = 0;

	for (unsigned k = 0; k < 2 && !r; k++)
		if (dp->port_fd[k] < 0)
			r = xtr_dp_slow_open_one(dp, k ? 6 : 4, XTR_RAW_NONE, &dp->port_fd[k], err);
	return r;
}

void xtr_dp_port_release(struct xtr_dp *dp)
{
	for (unsigned k = 0; k < 2; k++) {
		if (dp->port_fd[k] >= 0)
			close(dp->port_fd[k]);
		dp->port_fd[k] = -1;
	}
}

int xtr_dp_slow_open(struct xtr_dp *dp, struct xtr_err *err)
{
	int r = 0;

	dp->slow_poll = epoll_create1(EPOLL_CLOEXEC);
	if (dp->slow_poll < 0)
		return xtr_fail(err, -errno, "epoll: %s", strerror(errno));
	r = xtr_dp_port_hold(dp, err);
	for (unsigned k = 0; k < 2 && !r; k++) {
		uint8_t family = k ? 6 : 4;

		r = xtr_dp_slow_open_one(dp, family, XTR_RAW_LISP, &dp->slow_fd[k], err);
		if (!r)
			r = xtr_dp_slow_open_one(dp, family, XTR_RAW_TOO_BIG, &dp->pmtu_fd[k], err);
	}
	return r;
}

void xtr_dp_slow_close(struct xtr_dp *dp)
{
	for (unsigned k = 0; k < 2; k++) {
		if (dp->slow_fd[k] >= 0)
			close(dp->slow_fd[k]);
		if (dp->pmtu_fd[k] >= 0)
			close(dp->pmtu_fd[k]);
	}
	xtr_dp_port_release(dp);
	if (dp->slow_poll >= 0)
		close(dp->slow_poll);
}

/*
 * What is counted here and nowhere else, and a drop that the program we inject to counts too: it runs while we send, in
 * this very thread, so reading, adding and writing loses none of its counts.
 */
static void xtr_dp_slow_count(struct xtr_dp *dp)
{
	const struct { enum xtr_stat stat; unsigned *n; } stats[] = { { XTR_STAT_PATH_MTU, &dp->pm_good },
								     { XTR_STAT_PATH_MTU_BAD, &dp->pm_bad } };
	struct xtr_count *all;
	uint64_t *drops;
	__u32 key = XTR_DROP_SLOW_BAD;

	if (!dp->slow_bad && !dp->pm_good && !dp->pm_bad)
		return;
	all = calloc(dp->cpus, sizeof(*all));
	drops = (uint64_t *)all; /* the smaller of the two */
	if (!all)
		return;
	if (dp->slow_bad && !bpf_map_lookup_elem(dp->map[XTR_M_DROPS], &key, drops)) {
		drops[0] += dp->slow_bad;
		bpf_map_update_elem(dp->map[XTR_M_DROPS], &key, drops, BPF_ANY);
		dp->slow_bad = 0;
	}
	for (unsigned i = 0; i < 2; i++) {
		key = stats[i].stat;
		if (!*stats[i].n || bpf_map_lookup_elem(dp->map[XTR_M_STATS], &key, all))
			continue;
		all[0].packets += *stats[i].n;
		bpf_map_update_elem(dp->map[XTR_M_STATS], &key, all, BPF_ANY);
		*stats[i].n = 0;
	}
	free(all);
}

int xtr_dp_slow_fd(const struct xtr_dp *dp) { return dp->slow_poll; }

void xtr_dp_slow(struct xtr_dp *dp, uint64_t now)
{
	dp->now = now;
	for (unsigned k = 0; k < 2; k++) {
		if (dp->pmtu_fd[k] >= 0)
			xtr_dp_pmtu_read(dp, k);
		if (dp->slow_fd[k] >= 0)
			xtr_dp_slow_read(dp, k);
	}
	xtr_dp_slow_count(dp);
	xtr_dp_drops_flush(dp);
}
