// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Next hops of the underlay. The kernel keeps each one resolved for us (a managed neighbour): XDP
 * bypasses the stack, so an ordinary neighbour would go stale and never be confirmed. It believes in
 * what it resolved for up to 45 seconds; so that a next hop that changed its address without a word is
 * found out sooner, it is told to ask each one again every few seconds (RFC 1122 2.3.2.1: unicast
 * poll). What others look after is used as it is, and left as it is: what the administrator made permanent or managed, what a
 * routing daemon has learned elsewhere (EVPN). Counted references from templates; the table owns the entries.
 */
#include "dp/internal.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <stdlib.h>
#include <string.h>

#define XTR_NUD_VALID                                                                              \
	(NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY)

#define XTR_DP_PROBE_MS   5000 /* three questions a second apart follow, then it is looked for anew: 9 s at most */
#define XTR_DP_PROBE_TURN 64   /* of a second */

/* Takes over what the kernel says. True: something that templates hold changed. */
static bool xtr_dp_nb_update(struct xtr_dp_nb *nb, const struct xtr_nl_neigh *n)
{
	bool valid = n && n->has_mac && n->state & XTR_NUD_VALID;

	if (valid == nb->valid && (!valid || !memcmp(nb->mac, n->mac, 6)))
		return false;
	nb->valid = valid;
	if (valid)
		memcpy(nb->mac, n->mac, 6);
	return true;
}

/* Does somebody else look after it? */
static bool xtr_dp_nb_others(const struct xtr_nl_neigh *n)
{
	return n->state & (NUD_PERMANENT | NUD_NOARP) || n->flags & NTF_EXT_LEARNED ||
	       (n->managed && n->protocol != XTR_DP_PROTO);
}

/* Makes the kernel resolve it, unless somebody has fixed it. */
static void xtr_dp_nb_ask(struct xtr_dp *dp, struct xtr_dp_nb *nb)
{
	struct xtr_nl_neigh n, want = { .ifindex = nb->key.ifindex,
					.ip = nb->key.ip,
					.managed = true,
					.protocol = XTR_DP_PROTO };
	int r = xtr_nl_neigh_get(dp->nl, nb->key.ifindex, &nb->key.ip, &n);

	nb->lost = false;
	if (!r && xtr_dp_nb_others(&n)) {
		nb->ours = false;
		xtr_dp_nb_update(nb, &n);
		return;
	}
	r = xtr_nl_neigh_put(dp->nl, &want);
	nb->ours = !r;
	if (r)
		xtr_debug("neighbour on interface %d: the kernel does not manage it: %s",
			  nb->key.ifindex, strerror(-r));
	xtr_dp_nb_update(nb,
			 xtr_nl_neigh_get(dp->nl, nb->key.ifindex, &nb->key.ip, &n) ? NULL : &n);
}

static struct xtr_dp_nb *xtr_dp_nb_find(struct xtr_dp *dp, int ifindex, const struct xtr_ip *ip)
{
	struct xtr_dp_nbkey key;
	struct xtr_dp_nb *nb;

	memset(&key, 0, sizeof(key));
	key.ifindex = ifindex;
	key.ip = *ip;
	HASH_FIND(hh, dp->nbs, &key, sizeof(key), nb);
	return nb;
}

struct xtr_dp_nb *xtr_dp_nb_get(struct xtr_dp *dp, int ifindex, const struct xtr_ip *ip)
{
	struct xtr_dp_nb *nb = xtr_dp_nb_find(dp, ifindex, ip);

	if (!nb) {
		nb = calloc(1, sizeof(*nb));
		if (!nb)
			return NULL;
		nb->key.ifindex = ifindex;
		nb->key.ip = *ip;
		nb->lost = true;
		nb->probed = dp->now;
		HASH_ADD(hh, dp->nbs, key, sizeof(nb->key), nb);
	}
	if (nb->lost)
		xtr_dp_nb_ask(dp, nb);
	nb->refs++;
	return nb;
}

/* Once a second. While it is asked the kernel goes on using what it has. A request that makes a neighbour a managed one
 * does not change its state, and one that changes its state ends that: so it takes two. */
void xtr_dp_nb_probe(struct xtr_dp *dp)
{
	unsigned left = XTR_DP_PROBE_TURN;
	struct xtr_dp_nb *nb, *next;

	HASH_ITER(hh, dp->nbs, nb, next) {
		struct xtr_nl_neigh n = { .ifindex = nb->key.ifindex,
					  .ip = nb->key.ip,
					  .state = NUD_PROBE,
					  .protocol = XTR_DP_PROTO };

		if (!nb->ours || !nb->valid || dp->now - nb->probed < XTR_DP_PROBE_MS)
			continue;
		nb->probed = dp->now;
		HASH_DEL(dp->nbs, nb); /* to the end of the line: uthash keeps the order of addition */
		HASH_ADD(hh, dp->nbs, key, sizeof(nb->key), nb);
		xtr_nl_neigh_put(dp->nl, &n);
		n.managed = true;
		xtr_nl_neigh_put(dp->nl, &n);
		if (!--left)
			return;
	}
}

void xtr_dp_nb_put(struct xtr_dp *dp, struct xtr_dp_nb *nb)
{
	if (!nb || --nb->refs)
		return;
	if (nb->ours)
		xtr_nl_neigh_del(dp->nl, nb->key.ifindex, &nb->key.ip);
	HASH_DEL(dp->nbs, nb);
	free(nb);
}

bool xtr_dp_nb_event(struct xtr_dp *dp, bool gone, const struct xtr_nl_neigh *n)
{
	struct xtr_dp_nb *nb = xtr_dp_nb_find(dp, n->ifindex, &n->ip);

	if (!nb)
		return false;
	nb->ours &= gone || !xtr_dp_nb_others(n); /* taken from us: not to be deleted */
	if (gone) {
		nb->lost = true;
		nb->valid = false;
	} else if (!xtr_dp_nb_update(nb, n)) {
		return false;
	}
	xtr_dp_rl_nb_changed(dp, nb);
	return true;
}

void xtr_dp_nb_refresh(struct xtr_dp *dp)
{
	struct xtr_dp_nb *nb, *next;
	struct xtr_nl_neigh n;

	HASH_ITER(hh, dp->nbs, nb, next) {
		int r = xtr_nl_neigh_get(dp->nl, nb->key.ifindex, &nb->key.ip, &n);

		nb->lost = r == -ENOENT;
		if (xtr_dp_nb_update(nb, r ? NULL : &n) || nb->lost)
			xtr_dp_rl_nb_changed(dp, nb);
	}
}

struct xtr_dp_nb_left {
	struct xtr_dp *dp;
	struct xtr_nl_neigh at[64];
	unsigned n;
};

static int xtr_dp_nb_leftover(void *arg, const struct xtr_nl_neigh *n)
{
	struct xtr_dp_nb_left *l = arg;

	if (n->protocol == XTR_DP_PROTO && !xtr_dp_nb_others(n) && !xtr_dp_nb_find(l->dp, n->ifindex, &n->ip) && l->n < 64)
		l->at[l->n++] = *n;
	return 0;
}

void xtr_dp_nb_sweep(struct xtr_dp *dp)
{
	struct xtr_dp_nb_left l;

	do {
		l = (struct xtr_dp_nb_left){ .dp = dp };
		if (xtr_nl_neighs(dp->nl, xtr_dp_nb_leftover, &l))
			return;
		for (unsigned i = 0; i < l.n; i++)
			if (xtr_nl_neigh_del(dp->nl, l.at[i].ifindex, &l.at[i].ip))
				return;
	} while (l.n == 64);
}

void xtr_dp_nb_free(struct xtr_dp *dp)
{
	struct xtr_dp_nb *nb, *next;

	HASH_ITER(hh, dp->nbs, nb, next) {
		HASH_DEL(dp->nbs, nb);
		free(nb);
	}
}
