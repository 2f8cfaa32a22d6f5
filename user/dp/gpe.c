// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * LISP-GPE (RFC 9305): which peers it is spoken with, and the helper device. With the bits I and P set and N, L, E, V, KK
 * clear a LISP-GPE header is a VXLAN-GPE header, so a VXLAN device in GPE mode on UDP port 4341 makes the kernel's GRO put
 * frames together before our TC program sees them. The device is for its socket alone: what the stack would
 * take in through it, with whatever instance ID, must never arrive. So, in this order:
 *
 *   - it is made down, without addresses and without IPv6 (its MTU is below the least of IPv6: the kernel has none on it);
 *   - our program xtr_tc_fence, which drops everything, is on its ingress before it is up, by a pinned link as all of ours;
 *   - that, and strict reverse-path filtering with no route ever through it, are the same fence once more, of the stack
 *     itself: for whoever removes the program.
 *
 * It is known by name and alias like the overlay devices, stays when the daemon goes, and goes before its fence does. Its
 * socket has UDP port 4341: the one that keeps the port otherwise (slow.c) gives way to it.
 */
#include "dp/internal.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define XTR_DP_GPE_MTU 576 /* nothing is sent through it; below 1280 it has no IPv6 */

/* What the configuration asks for, as far as this kernel has a use for it: flags of struct xtr_cfg. */
uint32_t xtr_dp_gpe_flags(const struct xtr_dp_config *c)
{
	char release[80] = "?";

	if (!c->gpe)
		return 0;
	if (!xtr_dp_gpe_kernel(release)) {
		xtr_warn("data-plane.gpe: kernel %s does not put LISP-GPE frames together (6.5 or later does): classic LISP with everybody",
			 release);
		return 0;
	}
	return XTR_CFG_F_GPE | (c->gpe_zero_checksum6 ? XTR_CFG_F_GPE_ZERO6 : 0);
}

/* Is it spoken with this RLOC? said: by a mapping. RFC 9305 4.3.1: without UDP checksum, which we never make, over IPv6 only
 * where that is configured; 5: never to a router that is not known to take it. */
bool xtr_dp_gpe_peer(const struct xtr_dp *dp, const struct xtr_ip *dst, bool said)
{
	if (!(dp->cfg.flags & XTR_CFG_F_GPE) || (dst->family == 6 && !(dp->cfg.flags & XTR_CFG_F_GPE_ZERO6)))
		return false;
	for (unsigned i = 0; i < dp->cfg.gpe_peer_count && !said; i++)
		said = xtr_ippfx_has(&dp->cfg.gpe_peers[i], dst);
	return said;
}

/* ---- the device */

static bool xtr_dp_gpe_wanted(const struct xtr_dp *dp)
{
	for (unsigned i = 0; i < dp->if_count; i++)
		if (dp->ifs[i].role == XTR_ROLE_UNDERLAY)
			return dp->cfg.flags & XTR_CFG_F_GPE;
	return false;
}

/* Ours, or the beginning of ours: a start that was killed before it could say whose it is. */
bool xtr_dp_gpe_is(const struct xtr_nl_link *l, const char *alias)
{
	return !strcmp(l->kind, "vxlan") && !strcmp(l->name, XTR_DP_GPE) &&
	       (!strcmp(l->alias, alias) || (!l->alias[0] && !(l->flags & IFF_UP)));
}

static int xtr_dp_gpe_find(struct xtr_dp *dp, const char *alias, struct xtr_nl_link *l, struct xtr_err *err)
{
	int r = xtr_nl_link_get(dp->nl, 0, XTR_DP_GPE, l);

	if (!r && !xtr_dp_gpe_is(l, alias))
		return xtr_fail(err, -EEXIST,
				"data-plane.gpe: a device " XTR_DP_GPE " exists and is not ours; remove it (ip link del " XTR_DP_GPE
				"), or set data-plane.gpe: false");
	if (r != -ENODEV)
		return r ? xtr_fail(err, r, XTR_DP_GPE ": %s", strerror(-r)) : 0;
	r = xtr_nl_gpe_add(dp->nl, XTR_DP_GPE, XTR_PORT_DATA, XTR_DP_GPE_MTU);
	if (!r)
		r = xtr_nl_link_get(dp->nl, 0, XTR_DP_GPE, l);
	return r ? xtr_fail(err, r, "data-plane.gpe: cannot create the helper device " XTR_DP_GPE ": %s%s%s%s", strerror(-r),
			    *xtr_nl_error(dp->nl) ? ": " : "", xtr_nl_error(dp->nl),
			    r == -EOPNOTSUPP ? " (kernel module vxlan)" : "")
		 : 0;
}

/* The fence of the stack itself. It is the second one, so what can not be set (a read-only /proc/sys) is only said. */
static void xtr_dp_gpe_second_fence(struct xtr_dp *dp)
{
	int r = xtr_dp_sysctl(-1, "ipv4", XTR_DP_GPE, "rp_filter", "1"), r6 = xtr_dp_sysctl(-1, "ipv6", XTR_DP_GPE, "disable_ipv6", "1");

	if ((r || r6) && !dp->gpe_told)
		xtr_warn(XTR_DP_GPE ": cannot set rp_filter and disable_ipv6 of it: %s; its fence is the program " XTR_PROG_FENCE " alone",
			 strerror(r ? -r : -r6));
	dp->gpe_told = r || r6;
}

static int xtr_dp_gpe_up(struct xtr_dp *dp, const struct xtr_nl_link *l, struct xtr_err *err)
{
	struct xtr_nl_link_set up = { .flags = IFF_UP, .mask = IFF_UP };
	int r;

	if (l->flags & IFF_UP)
		return 0;
	xtr_dp_port_release(dp);
	r = xtr_nl_link_change(dp->nl, l->ifindex, &up);
	if (!r)
		return 0;
	xtr_dp_port_hold(dp, NULL);
	return xtr_fail(err, r, XTR_DP_GPE ": cannot switch it on: %s%s%s%s", strerror(-r), *xtr_nl_error(dp->nl) ? ": " : "",
			xtr_nl_error(dp->nl),
			r == -EADDRINUSE ? "; another program has UDP port 4341 (ss -ulnp 'sport = 4341')" : "");
}

/* Made if it is wanted, or put right; after the ports are attached. */
int xtr_dp_gpe(struct xtr_dp *dp, struct xtr_err *err)
{
	char alias[64];
	struct xtr_nl_link_set ours = { .alias = alias, .mtu = XTR_DP_GPE_MTU };
	struct xtr_nl_link l;
	int r;

	dp->gpe = 0;
	if (!xtr_dp_gpe_wanted(dp))
		return 0;
	xtr_dp_alias(alias, dp->root);
	r = xtr_dp_gpe_find(dp, alias, &l, err);
	if (r)
		return r;
	if (strcmp(l.alias, alias) || l.mtu != XTR_DP_GPE_MTU) {
		r = xtr_nl_link_change(dp->nl, l.ifindex, &ours);
		if (r)
			return xtr_fail(err, r, XTR_DP_GPE ": cannot set it up: %s", strerror(-r));
	}
	r = xtr_dp_attach_fence(dp, l.ifindex, XTR_DP_GPE, err);
	if (r)
		return r;
	xtr_dp_gpe_second_fence(dp);
	dp->gpe = l.ifindex;
	return xtr_dp_gpe_up(dp, &l, err);
}

/* Removed if it is not wanted any more: before its fence. */
void xtr_dp_gpe_sweep(struct xtr_dp *dp)
{
	struct xtr_nl_link l;
	char alias[64];

	if (dp->gpe)
		return;
	xtr_dp_alias(alias, dp->root);
	if (!xtr_nl_link_get(dp->nl, 0, XTR_DP_GPE, &l) && xtr_dp_gpe_is(&l, alias))
		xtr_nl_link_del(dp->nl, l.ifindex);
	xtr_dp_port_hold(dp, NULL);
}
