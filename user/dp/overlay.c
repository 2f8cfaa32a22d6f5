// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Overlay devices: a veth pair each. What is routed into xtr0 is encapsulated on its egress; what
 * is decapsulated arrives on its ingress. The peer end segments UDP super-packets (its ingress) and
 * takes what the daemon injects (its egress). A device of ours is known by its alias, and xtr_made
 * lists it; a foreign device of the same name is never touched.
 *
 * xtr0 gets no addresses but ours: no link-local (addrgenmode none), no ARP. The peer has IPv6 off
 * and the largest MTU, because a packet socket refuses what is longer than the device's MTU and
 * attached ports may have a larger one than xtr0.
 */
#include "dp/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XTR_DP_OVERHEAD4 36
#define XTR_DP_OVERHEAD6 56
/* What the kernel has to segment on its way to the peer end, where the segments are encapsulated: UDP
 * super-packets, and tunnels inside the overlay (VXLAN, GRE, IPIP over xtr0), which refuse a second
 * encapsulation while they are whole. */
static const char *const xtr_dp_offloads_off[] = {
	"tx-udp-segmentation", "tx-udp_tnl-segmentation", "tx-udp_tnl-csum-segmentation",
	"tx-gre-segmentation", "tx-gre-csum-segmentation", "tx-ipxip4-segmentation",
	"tx-ipxip6-segmentation",
};

void xtr_dp_peer_name(char out[16], const char *name) { snprintf(out, 16, "%.14sp", name); }

const struct xtr_dp_ov *xtr_dp_overlay_of(const struct xtr_dp *dp, uint32_t iid)
{
	for (unsigned i = 0; i < dp->ov_count; i++)
		if (dp->ovs[i].iid == iid)
			return &dp->ovs[i];
	return dp->ov_count ? &dp->ovs[0] : NULL;
}

/* The folder of pins names the owner: two routers in one namespace would fight. A long path is cut
 * from the left. */
void xtr_dp_alias(char out[64], const char *root)
{
	size_t n = strlen(root), most = 63 - strlen(XTR_DP_ALIAS);

	snprintf(out, 64, "%s%.*s", XTR_DP_ALIAS, (int)most, n > most ? root + n - most : root);
}

/* /proc/sys/net shows the namespace of the thread that opens it; it may be read-only, so it is
 * written only to change it. */
static int xtr_dp_ip6_off(const char *name, const char *value)
{
	char path[128], is = 0;
	int fd, r = 0;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno; /* a kernel without IPv6 */
	if (read(fd, &is, 1) != 1)
		is = 0;
	close(fd);
	if (is == *value)
		return 0;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, 1) != 1)
		r = -errno;
	close(fd);
	return r;
}

static uint32_t xtr_dp_overlay_mtu(const struct xtr_dp *dp, const struct xtr_dp_overlay *o)
{
	uint32_t mtu = 0, over = XTR_DP_OVERHEAD4;

	if (o->mtu)
		return o->mtu;
	for (unsigned i = 0; i < dp->cfg.rloc_count; i++)
		if (dp->cfg.rlocs[i].family == 6)
			over = XTR_DP_OVERHEAD6;
	for (unsigned i = 0; i < dp->if_count; i++)
		if (dp->ifs[i].role == XTR_ROLE_UNDERLAY && dp->ifs[i].ifindex &&
		    (!mtu || dp->ifs[i].mtu < mtu))
			mtu = dp->ifs[i].mtu;
	if (!mtu)
		mtu = 1500;
	if (mtu > 65535)
		mtu = 65535;
	return mtu > over + 576 ? mtu - over : 576;
}

static bool xtr_dp_overlay_wants6(const struct xtr_dp_overlay *o)
{
	for (unsigned i = 0; i < o->address_count; i++)
		if (o->addresses[i].ip.family == 6)
			return true;
	for (unsigned i = 0; i < o->route_count; i++)
		if (o->routes[i].ip.family == 6)
			return true;
	return false;
}

/* Finds the pair or makes it. */
static int xtr_dp_overlay_pair(struct xtr_dp *dp, struct xtr_dp_ov *ov, struct xtr_nl_link *l,
			       struct xtr_nl_link *p, struct xtr_err *err)
{
	char alias[64];
	struct xtr_nl_link_set quiet = { .alias = alias, .no_ip6_autogen = true };
	struct xtr_dp_made_dev *made;
	bool created = false;
	int r = xtr_nl_link_get(dp->nl, 0, ov->name, l);

	xtr_dp_alias(alias, dp->root);
	if (r == -ENODEV) {
		r = xtr_nl_veth_add(dp->nl, ov->name, ov->peer_name);
		if (r)
			return xtr_fail(err, r,
					"overlay %s: cannot create the veth pair %s/%s: %s%s%s",
					ov->name, ov->name, ov->peer_name, strerror(-r),
					*xtr_nl_error(dp->nl) ? ": " : "", xtr_nl_error(dp->nl));
		created = true;
		r = xtr_nl_link_get(dp->nl, 0, ov->name, l);
	}
	if (!r && !created && (strcmp(l->kind, "veth") || strcmp(l->alias, alias)))
		return xtr_fail(
			err, -EEXIST,
			"overlay %s: a device of that name exists and is not ours; choose another name (key "
			"overlay[].device) or remove it: ip link del %s",
			ov->name, ov->name);
	if (!r)
		r = xtr_nl_link_get(dp->nl, 0, ov->peer_name, p);
	if (!r && p->ifindex != l->peer)
		return xtr_fail(err, -EEXIST,
				"overlay %s: %s is not its peer end; remove both: ip link del %s",
				ov->name, ov->peer_name, ov->name);
	if (r)
		return xtr_fail(err, r, "overlay %s: %s", ov->name, strerror(-r));
	made = xtr_dp_made_dev(&dp->made, l->ifindex, ov->name, true);
	if (made && !(made->flags & XTR_MADE_OVERLAY)) {
		made->flags |= XTR_MADE_OVERLAY;
		xtr_dp_made_save(dp);
	}
	/* Before the devices are up for the first time, or they talk. */
	if (created && ((r = xtr_nl_link_change(dp->nl, l->ifindex, &quiet)) ||
			(r = xtr_nl_link_change(dp->nl, p->ifindex, &quiet))))
		return xtr_fail(err, r, "overlay %s: %s%s%s", ov->name, strerror(-r),
				*xtr_nl_error(dp->nl) ? ": " : "", xtr_nl_error(dp->nl));
	return 0;
}

static int xtr_dp_overlay_links(struct xtr_dp *dp, struct xtr_dp_ov *ov,
				const struct xtr_nl_link *l, const struct xtr_nl_link *p)
{
	struct xtr_nl_link_set set = { .flags = IFF_UP | IFF_NOARP, .mask = IFF_UP | IFF_NOARP };
	struct xtr_nl_link_set peer = { .flags = IFF_UP, .mask = IFF_UP };
	int r;

	for (unsigned i = 0; i < sizeof(xtr_dp_offloads_off) / sizeof(*xtr_dp_offloads_off); i++) {
		bool on = false;

		/* a kernel without the offload has nothing to switch off */
		if (xtr_nl_offload_get(ov->name, xtr_dp_offloads_off[i], &on) || !on)
			continue;
		r = xtr_nl_offload_set(ov->name, xtr_dp_offloads_off[i], false);
		if (r)
			return r;
	}
	if (!l->no_ip6_autogen || (l->flags & (IFF_UP | IFF_NOARP)) != (IFF_UP | IFF_NOARP) ||
	    l->mtu != ov->mtu) {
		set.no_ip6_autogen = !l->no_ip6_autogen;
		set.mtu = l->mtu != ov->mtu ? ov->mtu : 0;
		r = xtr_nl_link_change(dp->nl, l->ifindex, &set);
		if (r)
			return r;
	}
	if (!p->no_ip6_autogen || !(p->flags & IFF_UP) || p->mtu != 65535) {
		r = xtr_dp_ip6_off(ov->peer_name, "1");
		if (r)
			xtr_warn("overlay %s: cannot switch IPv6 off on its peer end %s: %s",
				 ov->name, ov->peer_name, strerror(-r));
		peer.no_ip6_autogen = !p->no_ip6_autogen;
		peer.mtu = 65535;
		return xtr_nl_link_change(dp->nl, p->ifindex, &peer);
	}
	return 0;
}

static int xtr_dp_overlay_addrs(struct xtr_dp *dp, const struct xtr_dp_overlay *o,
				const struct xtr_dp_ov *ov, struct xtr_err *err)
{
	char text[XTR_IPPFX_STRLEN];

	for (unsigned i = 0; i < o->address_count; i++) {
		bool have = false;
		int r;

		for (unsigned j = 0; j < dp->addr_count && !have; j++)
			have = dp->addrs[j].ifindex == ov->ifindex &&
			       !memcmp(&dp->addrs[j].pfx, &o->addresses[i],
				       sizeof(o->addresses[i]));
		if (have)
			continue;
		r = xtr_nl_addr_add(dp->nl, ov->ifindex, &o->addresses[i]);
		if (r)
			return xtr_fail(err, r, "overlay %s: cannot add address %s: %s%s%s",
					ov->name, xtr_ippfx_str(&o->addresses[i], text),
					strerror(-r), *xtr_nl_error(dp->nl) ? ": " : "",
					xtr_nl_error(dp->nl));
	}
	for (unsigned j = 0; j < dp->addr_count; j++) {
		bool want = dp->addrs[j].ifindex != ov->ifindex ||
			    xtr_ip_is_linklocal(&dp->addrs[j].pfx.ip);

		for (unsigned i = 0; i < o->address_count && !want; i++)
			want = !memcmp(&dp->addrs[j].pfx, &o->addresses[i],
				       sizeof(o->addresses[i]));
		if (!want)
			xtr_nl_addr_del(dp->nl, ov->ifindex, &dp->addrs[j].pfx);
	}
	return 0;
}

/* Brings every configured device into the state it should have; does nothing where it has it. */
int xtr_dp_overlays(struct xtr_dp *dp, struct xtr_err *err)
{
	for (unsigned i = 0; i < dp->cfg.overlay_count; i++) {
		const struct xtr_dp_overlay *o = &dp->cfg.overlays[i];
		struct xtr_dp_ov *ov = &dp->ovs[i];
		struct xtr_nl_link l, p;
		int r;

		snprintf(ov->name, sizeof(ov->name), "%s", o->name);
		xtr_dp_peer_name(ov->peer_name, o->name);
		ov->iid = o->iid;
		ov->mtu = xtr_dp_overlay_mtu(dp, o);
		if (xtr_dp_overlay_wants6(o) && ov->mtu < 1280)
			return xtr_fail(
				err, -EINVAL,
				"overlay %s: its MTU of %u is below 1280, the least for IPv6; raise the MTU of the underlay "
				"(%u), or set overlay[].mtu",
				ov->name, ov->mtu, 1280 + XTR_DP_OVERHEAD6);
		r = xtr_dp_overlay_pair(dp, ov, &l, &p, err);
		if (r)
			return r;
		if (xtr_dp_overlay_wants6(o) && (r = xtr_dp_ip6_off(ov->name, "0")))
			return xtr_fail(err, r, "overlay %s: cannot switch IPv6 on: %s", ov->name,
					strerror(-r));
		r = xtr_dp_overlay_links(dp, ov, &l, &p);
		if (r)
			return xtr_fail(err, r, "overlay %s: cannot set it up (MTU %u): %s%s%s",
					ov->name, ov->mtu, strerror(-r),
					*xtr_nl_error(dp->nl) ? ": " : "", xtr_nl_error(dp->nl));
		ov->ifindex = l.ifindex;
		ov->peer = p.ifindex;
		memcpy(ov->mac, l.mac, 6);
		memcpy(ov->peer_mac, p.mac, 6);
		r = xtr_dp_overlay_addrs(dp, o, ov, err);
		if (r)
			return r;
	}
	return 0;
}

/* Removes devices of ours that the configuration no longer has. */
void xtr_dp_overlays_sweep(struct xtr_dp *dp)
{
	for (unsigned i = 0; i < dp->made.count; i++) {
		struct xtr_dp_made_dev *d = &dp->made.dev[i];
		bool want = !(d->flags & XTR_MADE_OVERLAY);
		struct xtr_nl_link l;
		char alias[64];

		for (unsigned j = 0; j < dp->ov_count && !want; j++)
			want = dp->ovs[j].ifindex == (int)d->ifindex;
		if (want)
			continue;
		xtr_dp_alias(alias, dp->root);
		if (!xtr_nl_link_get(dp->nl, (int)d->ifindex, NULL, &l) &&
		    !strcmp(l.alias, alias) && !strcmp(l.name, d->name))
			xtr_nl_link_del(dp->nl, (int)d->ifindex);
		d->flags = 0;
	}
	xtr_dp_made_save(dp);
}
