// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Path MTU to the locators, learned from ICMP errors of the underlay (RFC 9300 7.2, RFC 1191, RFC 8201). Such a message comes
 * from anybody, so it is believed only where the packet it quotes is one of ours (RFC 9300 7.2, RFC 8201 6): between our RLOC and
 * that of a template, with the ports of the template, longer than the MTU it claims; and where the quote goes on
 * into the inner packet, its flow hash has to give the outer source port, and its destination an EID behind that
 * locator. A quote that ends before can be made up more easily: of those only a few a second are looked at. A message
 * can only lower an MTU, never below XTR_DP_MTU_MIN4 and 1280.
 *
 * What is learned belongs to the address of the locator, holds for its template (xtr_rloc.mtu: the programs of attached
 * ports answer what is longer) and for the routes of the EIDs behind it (eidroute.c), and is forgotten after a while,
 * when the path may have become better (RFC 1191 6.3, RFC 8201 4). The table is bounded: what was heard of longest ago goes.
 */
#include "dp/internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "net/raw.h"

#define XTR_DP_PMTU_TURN  64
#define XTR_DP_SHORT_RATE 10   /* messages a second whose quote does not reach the inner packet */
#define IP4_LEN 20u
#define IP6_LEN 40u
#define HEAD_LEN 8u            /* ICMP, UDP, LISP */

static unsigned be16(const uint8_t *p) { return (unsigned)p[0] << 8 | p[1]; }
static uint32_t be32(const uint8_t *p) { return (uint32_t)be16(p) << 16 | be16(p + 2); }

/* As the programs have it: words as they lie in memory. */
uint32_t xtr_dp_flow_hash(const struct xtr_ip *src, const struct xtr_ip *dst, uint8_t proto, const uint8_t ports[4])
{
	struct xtr_abi_ip s = { 0 }, d = { 0 };
	uint32_t l4;

	memcpy(s.w, src->a, src->family == 4 ? 4 : 16);
	memcpy(d.w, dst->a, dst->family == 4 ? 4 : 16);
	memcpy(&l4, ports, sizeof(l4));
	return xtr_flow_hash_of(s.w, d.w, l4, proto);
}

/* ---- the message */

/* The inner packet, as far as it was quoted: enough for the flow hash, or nothing of it counts. */
static void xtr_dp_quote_inner(const uint8_t *ip, unsigned n, struct xtr_dp_quote *q)
{
	static const uint8_t none[4];
	unsigned l3, len, need;
	const uint8_t *ports = none;
	bool whole = true;
	uint8_t proto;

	if (n < IP4_LEN)
		return;
	if (ip[0] >> 4 == 4) {
		l3 = (ip[0] & 15u) * 4;
		len = be16(ip + 2);
		proto = ip[9];
		whole = !(be16(ip + 6) & 0x3fff);
		q->inner_src.family = q->inner_dst.family = 4;
		memcpy(q->inner_src.a, ip + 12, 4);
		memcpy(q->inner_dst.a, ip + 16, 4);
	} else if (ip[0] >> 4 == 6 && n >= IP6_LEN) {
		l3 = IP6_LEN;
		len = IP6_LEN + be16(ip + 4);
		proto = ip[6];
		q->inner_src.family = q->inner_dst.family = 6;
		memcpy(q->inner_src.a, ip + 8, 16);
		memcpy(q->inner_dst.a, ip + 24, 16);
	} else {
		return;
	}
	need = proto == IPPROTO_TCP ? 20 : 8;
	if (whole && (proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP) && len >= l3 + need) {
		if (n < l3 + 4 || l3 < IP4_LEN)
			return;
		ports = ip + l3;
	}
	q->has_inner = true;
	q->hash = xtr_dp_flow_hash(&q->inner_src, &q->inner_dst, proto, ports);
}

/* icmp: ICMP header and what follows. 0, or -EBADMSG: it does not quote the beginning of a UDP packet. */
int xtr_dp_quote_read(uint8_t family, const uint8_t *icmp, unsigned n, struct xtr_dp_quote *q)
{
	const uint8_t *ip = icmp + HEAD_LEN, *udp;
	unsigned l3 = IP6_LEN, left;

	memset(q, 0, sizeof(*q));
	if (n < HEAD_LEN + (family == 4 ? IP4_LEN : IP6_LEN) + HEAD_LEN)
		return -EBADMSG;
	q->src.family = q->dst.family = family;
	if (family == 4) {
		/* ours have neither options nor other pieces */
		if (icmp[0] != 3 || icmp[1] != 4 || ip[0] != 0x45 || ip[9] != IPPROTO_UDP || be16(ip + 6) & 0x3fff)
			return -EBADMSG;
		l3 = IP4_LEN;
		q->mtu = be16(icmp + 6);
		q->len = be16(ip + 2);
		memcpy(q->src.a, ip + 12, 4);
		memcpy(q->dst.a, ip + 16, 4);
	} else {
		if (icmp[0] != 2 || ip[0] >> 4 != 6 || ip[6] != IPPROTO_UDP)
			return -EBADMSG;
		q->mtu = be32(icmp + 4);
		q->len = IP6_LEN + be16(ip + 4);
		memcpy(q->src.a, ip + 8, 16);
		memcpy(q->dst.a, ip + 24, 16);
	}
	udp = ip + l3;
	left = n - HEAD_LEN - l3;
	q->sport = (uint16_t)be16(udp);
	q->dport = (uint16_t)be16(udp + 2);
	/* we set both lengths, and a checksum of 0 */
	if (be16(udp + 4) != q->len - l3 || be16(udp + 6))
		return -EBADMSG;
	if (left < 2 * HEAD_LEN)
		return 0;
	if (udp[HEAD_LEN] & 0x08)
		q->iid = be32(udp + HEAD_LEN + 4) >> 8;
	xtr_dp_quote_inner(udp + 2 * HEAD_LEN, left - 2 * HEAD_LEN, q);
	return 0;
}

uint16_t xtr_dp_quote_mtu(uint8_t family, uint32_t len, uint32_t mtu)
{
	/* RFC 1191 7.1: for routers that do not say it, the next of the usual ones */
	static const uint16_t plateau[] = { 32000, 17914, 8166, 4352, 2002, 1492, 1006, XTR_DP_MTU_MIN4 };

	if (family == 4 && !mtu)
		for (unsigned i = 0; !mtu && i < sizeof(plateau) / sizeof(plateau[0]); i++)
			mtu = plateau[i] < len ? plateau[i] : 0;
	if (family == 6 && mtu < XTR_DP_MTU_MIN6) /* RFC 8201 4: discarded */
		return 0;
	if (family == 4 && mtu && mtu < XTR_DP_MTU_MIN4)
		mtu = XTR_DP_MTU_MIN4;
	return mtu < len && mtu <= UINT16_MAX ? (uint16_t)mtu : 0;
}

/* Is the destination of the inner packet an EID behind this locator? Groups: their lists are too long to look through. */
static bool xtr_dp_quote_known(struct xtr_dp *dp, const struct xtr_dp_quote *q, uint32_t rloc)
{
	const struct xtr_dp_entry *e = xtr_dp_cache_match(dp, q->iid, &q->inner_dst, NULL);

	for (unsigned i = 0; e && e->is.set && i < e->is.set->key.n; i++)
		if (e->is.set->key.rl[i] == rloc)
			return true;
	return false;
}

static struct xtr_dp_rl *xtr_dp_quote_check(struct xtr_dp *dp, const struct xtr_dp_quote *q)
{
	struct xtr_dp_rl *rl;
	struct xtr_ip src;
	bool weak;

	HASH_FIND(hh, dp->rls, &q->dst, sizeof(q->dst), rl);
	if (!rl || !(rl->t.flags & XTR_RLOC_F_UP) || q->dport != ntohs(rl->t.dport))
		return NULL;
	xtr_dp_from_abi(&src, &rl->t.src, rl->t.family);
	if (memcmp(&src, &q->src, sizeof(src)))
		return NULL;
	if (rl->t.flags & XTR_RLOC_F_NAT ? q->sport != ntohs(rl->t.sport) : (q->sport & 0xc000) != 0xc000)
		return NULL;
	weak = !q->has_inner || xtr_ip_is_multicast(&q->inner_dst);
	if (q->has_inner && !(rl->t.flags & XTR_RLOC_F_NAT) && xtr_flow_port(q->hash) != q->sport)
		return NULL;
	if (!weak && !xtr_dp_quote_known(dp, q, rl->id))
		return NULL;
	if (weak && !xtr_dp_bucket_take(&dp->pmtu_bucket, dp->now, XTR_DP_SHORT_RATE, XTR_DP_SHORT_RATE))
		return NULL;
	return rl;
}

/* ---- what was learned */

uint16_t xtr_dp_pmtu_of(struct xtr_dp *dp, const struct xtr_ip *dst)
{
	struct xtr_dp_pm *pm;

	HASH_FIND(hh, dp->pms, dst, sizeof(*dst), pm);
	return pm ? pm->mtu : 0;
}

static void xtr_dp_pmtu_changed(struct xtr_dp *dp, const struct xtr_ip *dst)
{
	struct xtr_dp_rl *rl;

	HASH_FIND(hh, dp->rls, dst, sizeof(*dst), rl);
	if (rl)
		rl->stale = dp->rl_stale = true;
}

static void xtr_dp_pmtu_forget(struct xtr_dp *dp, struct xtr_dp_pm *pm)
{
	struct xtr_ip dst = pm->dst;

	HASH_DEL(dp->pms, pm);
	free(pm);
	xtr_dp_pmtu_changed(dp, &dst);
}

static struct xtr_dp_pm *xtr_dp_pmtu_add(struct xtr_dp *dp, const struct xtr_ip *dst, uint16_t mtu)
{
	struct xtr_dp_pm *pm;

	HASH_FIND(hh, dp->pms, dst, sizeof(*dst), pm);
	if (pm) {
		HASH_DEL(dp->pms, pm); /* uthash keeps the order of addition */
	} else {
		if (dp->pms && HASH_COUNT(dp->pms) >= dp->cfg.path_mtus)
			xtr_dp_pmtu_forget(dp, dp->pms);
		pm = calloc(1, sizeof(*pm));
		if (!pm)
			return NULL;
		pm->dst = *dst;
	}
	if (pm->mtu != mtu)
		pm->since = dp->now;
	pm->mtu = mtu;
	pm->until = dp->now + dp->cfg.path_mtu_ms;
	HASH_ADD(hh, dp->pms, dst, sizeof(pm->dst), pm);
	return pm;
}

static void xtr_dp_pmtu_learn(struct xtr_dp *dp, const struct xtr_dp_rl *rl, uint16_t mtu, const struct xtr_dp_quote *q,
			      const struct xtr_ip *by)
{
	const struct xtr_dp_if *f = xtr_dp_if_by_index(dp, (int)rl->t.ifindex);
	uint32_t was = rl->t.mtu ? rl->t.mtu : f ? f->mtu : UINT16_MAX;
	uint16_t known = xtr_dp_pmtu_of(dp, &rl->dst);
	char a[XTR_IP_STRLEN], b[XTR_IP_STRLEN];

	if (!dp->cfg.path_mtus || mtu > was || (known && mtu > known) || (mtu == was && !known))
		return; /* no news */
	if (!xtr_dp_pmtu_add(dp, &rl->dst, mtu))
		return;
	if (mtu == known) { /* still so; but who sends such packets does not know it */
		if (q->has_inner)
			xtr_dp_er_wanted(dp, q->iid, &q->inner_dst);
		return;
	}
	xtr_log_limited(XTR_LOG_INFO, dp->now / 1000, "path to locator %s: MTU %u (was %u), said by %s; believed for %u s",
			xtr_ip_str(&rl->dst, a), mtu, was, xtr_ip_str(by, b), dp->cfg.path_mtu_ms / 1000);
	xtr_dp_pmtu_changed(dp, &rl->dst);
}

/* Of a daemon before, found in a template. */
void xtr_dp_pmtu_adopt(struct xtr_dp *dp, const struct xtr_ip *dst, uint16_t mtu)
{
	if (mtu && dp->cfg.path_mtus)
		xtr_dp_pmtu_add(dp, dst, mtu);
}

void xtr_dp_pmtu_read(struct xtr_dp *dp, unsigned k)
{
	uint8_t family = k ? 6 : 4, *buf = dp->scratch;
	struct xtr_raw_packet p;
	int r = 0;

	for (unsigned i = 0; i < XTR_DP_PMTU_TURN; i++) {
		struct xtr_dp_rl *rl = NULL;
		struct xtr_dp_quote q;
		uint16_t mtu = 0;

		r = xtr_raw_recv(dp->pmtu_fd[k], family, buf, sizeof(dp->scratch), &p);
		if (r == -EAGAIN)
			return;
		/* the kernel has verified the checksum of ICMPv6 only (RFC 792, RFC 4443 2.3) */
		if (!r && (family == 6 || xtr_dp_fold(xtr_dp_sum(buf + p.at, p.len, 0)) == 0xffff))
			r = xtr_dp_quote_read(family, buf + p.at, p.len, &q);
		else
			r = -EBADMSG;
		if (!r && (mtu = xtr_dp_quote_mtu(family, q.len, q.mtu)))
			rl = xtr_dp_quote_check(dp, &q);
		dp->pm_good += rl != NULL;
		dp->pm_bad += !rl;
		if (rl)
			xtr_dp_pmtu_learn(dp, rl, mtu, &q, &p.src);
	}
}

/* The order of the table is that of their ends. */
uint64_t xtr_dp_pmtu_tick(struct xtr_dp *dp)
{
	while (dp->pms && dp->pms->until <= dp->now)
		xtr_dp_pmtu_forget(dp, dp->pms);
	return dp->pms ? dp->pms->until : UINT64_MAX;
}

void xtr_dp_pmtu_free(struct xtr_dp *dp)
{
	struct xtr_dp_pm *pm, *tmp;

	HASH_ITER(hh, dp->pms, pm, tmp) {
		HASH_DEL(dp->pms, pm);
		free(pm);
	}
}
