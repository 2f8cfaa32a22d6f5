// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Overlay devices: a veth pair each. What is routed into xtr0 is encapsulated on its egress; what
 * is decapsulated arrives on its ingress. The peer end segments UDP super-packets (its ingress) and
 * takes what the daemon injects (its egress). A device of ours is known by its alias, and xtr_made
 * lists it; a foreign device of the same name is never touched.
 *
 * The device may be in another network namespace: then only the peer end is with us, encapsulation and delivery happen
 * there, and everything about the device itself is asked and set through the sockets of its namespace (netns.c). Or it
 * belongs to a VRF. Frames between the two ends are addressed to nobody (XTR_NOBODY_MAC): the programs do not mind, and
 * without them what a tenant sends dies at the peer end instead of being routed by the host.
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

/* Without these on the peer end, what comes out of it goes through the NAPI of the overlay device, which has GRO (bpf/gro.h). */
static const char *const xtr_dp_tso[] = {
	"tx-tcp-segmentation", "tx-tcp6-segmentation", "tx-tcp-ecn-segmentation", "tx-tcp-mangleid-segmentation",
	"tx-tcp-accecn-segmentation",
};

void xtr_dp_peer_name(char out[16], const char *name) { snprintf(out, 16, "%.14sp", name); }

const struct xtr_dp_ov *xtr_dp_overlay_of(const struct xtr_dp *dp, uint32_t iid)
{
	for (unsigned i = 0; i < dp->ov_count; i++)
		if (dp->ovs[i].iid == iid)
			return &dp->ovs[i];
	return NULL;
}

const struct xtr_dp_ov *xtr_dp_overlay_by_index(const struct xtr_dp *dp, int ifindex)
{
	for (unsigned i = 0; i < dp->ov_count; i++)
		if (ifindex && (dp->ovs[i].ifindex == ifindex || dp->ovs[i].peer == ifindex))
			return &dp->ovs[i];
	return NULL;
}

struct xtr_nl *xtr_dp_overlay_nl(const struct xtr_dp *dp, const struct xtr_dp_ov *ov)
{
	return !ov->elsewhere ? dp->nl : ov->ns ? ov->ns->nl : NULL;
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
struct xtr_dp_sysctl { const char *family, *name, *key, *value; };

static int xtr_dp_sysctl_here(void *arg)
{
	const struct xtr_dp_sysctl *s = arg;
	char path[128], is = 0;
	int fd, r = 0;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", s->family, s->name, s->key);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno; /* a kernel without IPv6 */
	if (read(fd, &is, 1) != 1)
		is = 0;
	close(fd);
	if (is == *s->value)
		return 0;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, s->value, 1) != 1)
		r = -errno;
	close(fd);
	return r;
}

int xtr_dp_sysctl(int nsfd, const char *family, const char *name, const char *key, const char *value)
{
	struct xtr_dp_sysctl s = { family, name, key, value };

	return xtr_nl_at(nsfd, xtr_dp_sysctl_here, &s);
}

static int xtr_dp_ov_nsfd(const struct xtr_dp_ov *ov) { return ov->elsewhere ? ov->ns->fd : -1; }

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

/* ---- the pair */

/* Is the other end of peer p the device that is wanted, where it is wanted? */
static bool xtr_dp_overlay_placed(struct xtr_dp *dp, const struct xtr_dp_ov *ov, const struct xtr_nl_link *p,
				  struct xtr_nl_link *l, const char *alias)
{
	/* indexes of each other: enough to tell it from any other pair of ours, which has another peer */
	return !xtr_nl_link_get(xtr_dp_overlay_nl(dp, ov), 0, ov->name, l) && !strcmp(l->kind, "veth") &&
	       !strcmp(l->alias, alias) && l->other == p->ifindex && p->other == l->ifindex &&
	       ov->elsewhere == (p->peer == 0);
}

/* One end of a pair as a start leaves it that was killed before both were named ours. */
static bool xtr_dp_overlay_raw(const struct xtr_nl_link *l, const char *alias)
{
	return !strcmp(l->kind, "veth") && !(l->flags & IFF_UP) && (!l->alias[0] || !strcmp(l->alias, alias));
}

/* The note of a pair that was to be made: is the device of that name the beginning of it? */
bool xtr_dp_overlay_begun(struct xtr_nl *nl, const struct xtr_dp_made_dev *d, const char *alias, struct xtr_nl_link *l)
{
	return d->flags & XTR_MADE_OVERLAY && (int)d->ifindex == XTR_DP_MADE_SOON && !xtr_nl_link_get(nl, 0, d->name, l) &&
	       xtr_dp_overlay_raw(l, alias);
}

/* Both names, each the other's end, never up: nobody else has that. It is removed, and made from the beginning. */
static int xtr_dp_overlay_clear(struct xtr_dp *dp, const struct xtr_dp_ov *ov, const struct xtr_nl_link *p, const char *alias)
{
	struct xtr_nl_link l;

	if (xtr_nl_link_get(xtr_dp_overlay_nl(dp, ov), 0, ov->name, &l) || !xtr_dp_overlay_raw(&l, alias) ||
	    !xtr_dp_overlay_raw(p, alias) || l.other != p->ifindex || p->other != l.ifindex || ov->elsewhere != (p->peer == 0))
		return -ENODEV;
	return xtr_nl_link_del(dp->nl, p->ifindex);
}

/* 0: the pair is there, as it should be. -ENODEV: nothing is in the way of making it (any more). */
static int xtr_dp_overlay_find(struct xtr_dp *dp, const struct xtr_dp_ov *ov, struct xtr_nl_link *l,
			       struct xtr_nl_link *p, const char *alias, struct xtr_err *err)
{
	int have = xtr_nl_link_get(dp->nl, 0, ov->peer_name, p), r;

	if (!have && xtr_dp_overlay_placed(dp, ov, p, l, alias))
		return 0;
	if (!have && !xtr_dp_overlay_clear(dp, ov, p, alias))
		return -ENODEV;
	if (!have && !strcmp(p->kind, "veth") && !strcmp(p->alias, alias) &&
	    (ov->elsewhere || !p->peer)) { /* of ours, but the device has to be somewhere else */
		xtr_info("overlay %s: moves to %s%s", ov->name, ov->elsewhere ? "network namespace " : "the network namespace of xtrd",
			 ov->elsewhere ? ov->ns->where : "");
		r = xtr_nl_link_del(dp->nl, p->ifindex);
		if (r)
			return xtr_fail(err, r, "overlay %s: cannot remove it from where it was: %s", ov->name, strerror(-r));
		have = -ENODEV;
	}
	r = xtr_nl_link_get(xtr_dp_overlay_nl(dp, ov), 0, ov->name, l);
	if (!r && !ov->elsewhere && !strcmp(l->kind, "veth") && !strcmp(l->alias, alias))
		return xtr_fail(err, -EEXIST, "overlay %s: %s is not its peer end; remove both: ip link del %s", ov->name,
				ov->peer_name, ov->name);
	if (!r)
		return xtr_fail(
			err, -EEXIST,
			"overlay %s: a device of that name exists%s%s and is not ours; choose another name (key "
			"overlay[].device) or remove it: ip %s%s%slink del %s",
			ov->name, ov->elsewhere ? " in network namespace " : "", ov->elsewhere ? ov->ns->where : "",
			ov->elsewhere ? "-n " : "", ov->elsewhere ? ov->ns->where : "", ov->elsewhere ? " " : "", ov->name);
	if (r == -ENODEV && !have)
		return xtr_fail(
			err, -EEXIST,
			"overlay %s: a device %s exists, the name of its peer end, and is not ours; choose another name (key "
			"overlay[].device) or remove it: ip link del %s",
			ov->name, ov->peer_name, ov->peer_name);
	return r == -ENODEV ? r : xtr_fail(err, r, "overlay %s: %s", ov->name, strerror(-r));
}

/* In xtr_made, the end that is with us: with it both go. */
static void xtr_dp_overlay_note(struct xtr_dp *dp, const struct xtr_dp_ov *ov, int ifindex)
{
	const char *name = ov->elsewhere ? ov->peer_name : ov->name;
	struct xtr_dp_made_dev *made = xtr_dp_made_dev(&dp->made, ifindex, name, true);
	struct xtr_dp_made_dev *begun = ifindex == XTR_DP_MADE_SOON ? NULL :
				    xtr_dp_made_dev(&dp->made, XTR_DP_MADE_SOON, name, false);

	if (!begun && (!made || made->flags & XTR_MADE_OVERLAY))
		return;
	if (made)
		made->flags |= XTR_MADE_OVERLAY;
	if (begun)
		begun->flags = 0;
	xtr_dp_made_save(dp);
}

static int xtr_dp_overlay_make(struct xtr_dp *dp, const struct xtr_dp_ov *ov, struct xtr_nl_link *l,
			       struct xtr_nl_link *p, const char *alias, struct xtr_err *err)
{
	struct xtr_nl_link_set quiet = { .alias = alias, .no_ip6_autogen = true };
	struct xtr_nl *nl = xtr_dp_overlay_nl(dp, ov), *said = dp->nl;
	unsigned queues = dp->cpus < XTR_DP_QUEUES ? dp->cpus : XTR_DP_QUEUES;
	int r;

	xtr_dp_overlay_note(dp, ov, XTR_DP_MADE_SOON);
	r = xtr_nl_veth_add(dp->nl, ov->name, ov->peer_name, xtr_dp_ov_nsfd(ov), queues ? queues : 1);

	if (r)
		return xtr_fail(err, r, "overlay %s: cannot create the veth pair %s/%s: %s%s%s", ov->name, ov->name,
				ov->peer_name, strerror(-r), *xtr_nl_error(dp->nl) ? ": " : "", xtr_nl_error(dp->nl));
	xtr_dp_at("pair");
	/* Before the devices are up for the first time, or they talk. The peer end first: its alias says whose the pair is. */
	r = xtr_nl_link_get(dp->nl, 0, ov->peer_name, p);
	if (!r)
		r = xtr_nl_link_change(dp->nl, p->ifindex, &quiet);
	xtr_dp_at("half a pair");
	if (!r)
		r = xtr_nl_link_get(said = nl, 0, ov->name, l);
	if (!r)
		r = xtr_nl_link_change(nl, l->ifindex, &quiet);
	if (r)
		return xtr_fail(err, r, "overlay %s: %s%s%s", ov->name, strerror(-r), *xtr_nl_error(said) ? ": " : "",
				xtr_nl_error(said));
	return 0;
}

/* Finds the pair or makes it. */
static int xtr_dp_overlay_pair(struct xtr_dp *dp, struct xtr_dp_ov *ov, struct xtr_nl_link *l,
			       struct xtr_nl_link *p, struct xtr_err *err)
{
	char alias[64];
	int r;

	xtr_dp_alias(alias, dp->root);
	r = xtr_dp_overlay_find(dp, ov, l, p, alias, err);
	if (r == -ENODEV)
		r = xtr_dp_overlay_make(dp, ov, l, p, alias, err);
	if (r)
		return r;
	xtr_dp_overlay_note(dp, ov, ov->elsewhere ? p->ifindex : l->ifindex);
	ov->ifindex = ov->elsewhere ? 0 : l->ifindex;
	ov->far = ov->elsewhere ? l->ifindex : 0;
	ov->peer = p->ifindex;
	memcpy(ov->mac, l->mac, 6);
	memcpy(ov->peer_mac, p->mac, 6);
	return 0;
}

/* ---- its settings */

static int xtr_dp_offloads_here(void *arg)
{
	const char *name = arg;

	for (unsigned i = 0; i < sizeof(xtr_dp_offloads_off) / sizeof(*xtr_dp_offloads_off); i++) {
		bool on = false;
		int r;

		/* a kernel without the offload has nothing to switch off */
		if (xtr_nl_offload_get(name, xtr_dp_offloads_off[i], &on) || !on)
			continue;
		r = xtr_nl_offload_set(name, xtr_dp_offloads_off[i], false);
		if (r)
			return r;
	}
	return 0;
}

static int xtr_dp_gro_here(void *arg)
{
	const char *name = arg;
	bool on = false;
	int r = xtr_nl_offload_get(name, "rx-gro", &on);

	if (!r && !on)
		r = xtr_nl_offload_set(name, "rx-gro", true);
	if (!r)
		r = xtr_nl_offload_get(name, "rx-gro", &on);
	return r ? r : on ? 0 : -EOPNOTSUPP;
}

/* Sets both ends up for GRO. Without it packets take the way they always took. */
static bool xtr_dp_overlay_gro(struct xtr_dp *dp, struct xtr_dp_ov *ov)
{
	bool on = false;

	if (!dp->cfg.gro)
		return false;
	for (unsigned i = 0; i < sizeof(xtr_dp_tso) / sizeof(*xtr_dp_tso); i++) {
		if (xtr_nl_offload_get(ov->peer_name, xtr_dp_tso[i], &on) || !on)
			continue;
		if (xtr_nl_offload_set(ov->peer_name, xtr_dp_tso[i], false) ||
		    xtr_nl_offload_get(ov->peer_name, xtr_dp_tso[i], &on) || on)
			return false;
	}
	return !xtr_nl_at(xtr_dp_ov_nsfd(ov), xtr_dp_gro_here, ov->name);
}

static int xtr_dp_overlay_links(struct xtr_dp *dp, struct xtr_dp_ov *ov,
				const struct xtr_nl_link *l, const struct xtr_nl_link *p)
{
	struct xtr_nl_link_set set = { .flags = IFF_UP | IFF_NOARP, .mask = IFF_UP | IFF_NOARP };
	struct xtr_nl_link_set peer = { .flags = IFF_UP, .mask = IFF_UP };
	int r = xtr_nl_at(xtr_dp_ov_nsfd(ov), xtr_dp_offloads_here, ov->name);

	if (r)
		return r;
	ov->gro = xtr_dp_overlay_gro(dp, ov);
	if (!l->no_ip6_autogen || (l->flags & (IFF_UP | IFF_NOARP)) != (IFF_UP | IFF_NOARP) ||
	    l->mtu != ov->mtu) {
		set.no_ip6_autogen = !l->no_ip6_autogen;
		set.mtu = l->mtu != ov->mtu ? ov->mtu : 0;
		r = xtr_nl_link_change(xtr_dp_overlay_nl(dp, ov), l->ifindex, &set);
		if (r)
			return r;
	}
	if (!p->no_ip6_autogen || !(p->flags & IFF_UP) || p->mtu != 65535) {
		r = xtr_dp_sysctl(-1, "ipv6", ov->peer_name, "disable_ipv6", "1");
		if (r)
			xtr_warn("overlay %s: cannot switch IPv6 off on its peer end %s: %s",
				 ov->name, ov->peer_name, strerror(-r));
		peer.no_ip6_autogen = !p->no_ip6_autogen;
		peer.mtu = 65535;
		return xtr_nl_link_change(dp->nl, p->ifindex, &peer);
	}
	return 0;
}

/* Puts the device into its VRF, or out of one that is not configured any more. Before addresses and routes: the kernel moves
 * or drops those it has. */
static int xtr_dp_overlay_vrf(struct xtr_dp *dp, const struct xtr_dp_overlay *o, struct xtr_dp_ov *ov,
			      const struct xtr_nl_link *l, struct xtr_err *err)
{
	struct xtr_nl_link_set set = { .has_master = true };
	struct xtr_nl *nl = xtr_dp_overlay_nl(dp, ov);
	struct xtr_nl_link v;
	int r;

	ov->vrf = 0;
	ov->vrf_table = 0;
	if (!o->vrf) {
		if (!l->master || xtr_nl_link_get(nl, l->master, NULL, &v) || strcmp(v.kind, "vrf"))
			return 0;
		r = xtr_nl_link_change(nl, l->ifindex, &set);
		return r ? xtr_fail(err, r, "overlay %s: cannot take it out of VRF %s: %s", ov->name, v.name, strerror(-r)) : 0;
	}
	r = xtr_nl_link_get(nl, 0, o->vrf, &v);
	if (r || strcmp(v.kind, "vrf") || !v.vrf_table)
		return xtr_fail(err, r ? r : -EINVAL,
				"overlay %s: %s %s%s%s%s (key overlay[].vrf); make it first: ip link add %s type vrf table TABLE; ip link set "
				"%s up",
				ov->name, r ? "there is no VRF device" : "no VRF device is", o->vrf,
				ov->elsewhere ? " in network namespace " : "", ov->elsewhere ? ov->ns->where : "",
				!r || r == -ENODEV ? "" : strerror(-r), o->vrf, o->vrf);
	ov->vrf = v.ifindex;
	ov->vrf_table = v.vrf_table;
	if (l->master == v.ifindex)
		return 0;
	set.master = v.ifindex;
	r = xtr_nl_link_change(nl, l->ifindex, &set);
	if (!r)
		r = xtr_dp_addrs_read(dp);
	return r ? xtr_fail(err, r, "overlay %s: cannot put it into VRF %s: %s%s%s", ov->name, o->vrf, strerror(-r),
			    *xtr_nl_error(nl) ? ": " : "", xtr_nl_error(nl))
		 : 0;
}

static int xtr_dp_overlay_addrs(struct xtr_dp *dp, const struct xtr_dp_overlay *o,
				const struct xtr_dp_ov *ov, struct xtr_err *err)
{
	const struct xtr_nl_addr *have = ov->elsewhere ? ov->ns->addrs : dp->addrs;
	unsigned count = ov->elsewhere ? ov->ns->addr_count : dp->addr_count;
	int ifindex = ov->elsewhere ? ov->far : ov->ifindex;
	struct xtr_nl *nl = xtr_dp_overlay_nl(dp, ov);
	char text[XTR_IPPFX_STRLEN];

	for (unsigned i = 0; i < o->address_count; i++) {
		bool there = false;
		int r;

		for (unsigned j = 0; j < count && !there; j++)
			there = have[j].ifindex == ifindex &&
				!memcmp(&have[j].pfx, &o->addresses[i], sizeof(o->addresses[i]));
		if (there)
			continue;
		r = xtr_nl_addr_add(nl, ifindex, &o->addresses[i]);
		if (r)
			return xtr_fail(err, r, "overlay %s: cannot add address %s: %s%s%s",
					ov->name, xtr_ippfx_str(&o->addresses[i], text),
					strerror(-r), *xtr_nl_error(nl) ? ": " : "", xtr_nl_error(nl));
	}
	for (unsigned j = 0; j < count; j++) {
		bool want = have[j].ifindex != ifindex || xtr_ip_is_linklocal(&have[j].pfx.ip);

		for (unsigned i = 0; i < o->address_count && !want; i++)
			want = !memcmp(&have[j].pfx, &o->addresses[i], sizeof(o->addresses[i]));
		if (!want)
			xtr_nl_addr_del(nl, ifindex, &have[j].pfx);
	}
	return 0;
}

/* Brings one device into the state it should have; does nothing where it has it. */
static int xtr_dp_overlay_one(struct xtr_dp *dp, const struct xtr_dp_overlay *o, struct xtr_dp_ov *ov,
			      struct xtr_err *err)
{
	static const struct xtr_nl_link_set down = { .mask = IFF_UP };
	struct xtr_nl_link l, p;
	int r;

	ov->ready = false;
	if (ov->elsewhere && ov->ns->error)
		return xtr_fail(err, ov->ns->error, "overlay %s: %s", ov->name, ov->ns->why.text);
	if (xtr_dp_overlay_wants6(o) && ov->mtu < 1280)
		return xtr_fail(err, -EINVAL,
				"overlay %s: its MTU of %u is below 1280, the least for IPv6; raise the MTU of the underlay "
				"(%u), or set overlay[].mtu",
				ov->name, ov->mtu, 1280 + XTR_DP_OVERHEAD6);
	r = xtr_dp_overlay_pair(dp, ov, &l, &p, err);
	if (r) {
		ov->ifindex = ov->peer = ov->far = 0;
		return r;
	}
	r = xtr_dp_overlay_vrf(dp, o, ov, &l, err);
	if (r) { /* it must not stand among the devices of others meanwhile, nor its addresses among theirs */
		for (unsigned i = 0; i < o->address_count; i++)
			xtr_nl_addr_del(xtr_dp_overlay_nl(dp, ov), l.ifindex, &o->addresses[i]);
		xtr_nl_link_change(xtr_dp_overlay_nl(dp, ov), l.ifindex, &down);
		return r;
	}
	ov->ready = true;
	if (xtr_dp_overlay_wants6(o) && (r = xtr_dp_sysctl(xtr_dp_ov_nsfd(ov), "ipv6", ov->name, "disable_ipv6", "0")))
		return xtr_fail(err, r, "overlay %s: cannot switch IPv6 on: %s", ov->name, strerror(-r));
	r = xtr_dp_overlay_links(dp, ov, &l, &p);
	if (r)
		return xtr_fail(err, r, "overlay %s: cannot set it up (MTU %u): %s%s%s",
				ov->name, ov->mtu, strerror(-r), *xtr_nl_error(dp->nl) ? ": " : "", xtr_nl_error(dp->nl));
	return xtr_dp_overlay_addrs(dp, o, ov, err);
}

/* One tenant's device is not as it should be. The others go on; said once, tried again. */
static void xtr_dp_overlay_trouble(struct xtr_dp *dp, struct xtr_dp_ov *ov, int r, const struct xtr_err *why)
{
	bool waits = ov->elsewhere && ov->ns->error == -ENOENT;

	if (waits)
		ov->peer = ov->far = 0; /* gone with the namespace */
	if (!ov->trouble && waits)
		xtr_warn("%s; instance %u has no device until it is there, other instances go on", why->text, ov->iid);
	else if (!ov->trouble)
		xtr_warn("%s; instance %u waits, trying again every second", why->text, ov->iid);
	ov->trouble = true;
	dp->trouble |= !waits;
}

/* What the programs leave to the stack (answers with ICMP, natively forwarded packets) has to meet the routes of the same
 * tenant. */
static int xtr_dp_overlay_ports(struct xtr_dp *dp, struct xtr_err *err)
{
	for (unsigned i = 0; i < dp->if_count; i++) {
		const struct xtr_dp_if *f = &dp->ifs[i];
		const struct xtr_dp_ov *ov = f->role == XTR_ROLE_EID ? xtr_dp_overlay_of(dp, f->iid) : NULL;

		if (ov && ov->elsewhere)
			return xtr_fail(err, -EINVAL,
					"interface %s: its instance %u has the overlay device %s in a network namespace, where the "
					"interface is not; give it another instance, or use overlay[].vrf instead of namespace",
					f->name, f->iid, ov->name);
		if (ov && ov->vrf && f->ifindex && !f->vlan && f->master != ov->vrf) /* of a VLAN port another device is in it */
			return xtr_fail(err, -EINVAL,
					"interface %s: its instance %u has the overlay device %s in a VRF, where the interface is not; "
					"put it there: ip link set %s master <VRF>",
					f->name, f->iid, ov->name, f->name);
	}
	return 0;
}

/* Brings every configured device into the state it should have. */
int xtr_dp_overlays(struct xtr_dp *dp, bool strict, struct xtr_err *err)
{
	dp->trouble = false;
	for (unsigned i = 0; i < dp->cfg.overlay_count; i++) {
		const struct xtr_dp_overlay *o = &dp->cfg.overlays[i];
		struct xtr_dp_ov *ov = &dp->ovs[i];
		struct xtr_err why = { "" };
		int r;

		snprintf(ov->name, sizeof(ov->name), "%s", o->name);
		xtr_dp_peer_name(ov->peer_name, o->name);
		ov->iid = o->iid;
		ov->apart = o->netns || o->vrf;
		ov->mtu = xtr_dp_overlay_mtu(dp, o);
		r = xtr_dp_overlay_one(dp, o, ov, &why);
		if (r && !ov->elsewhere && (strict || !o->vrf))
			return xtr_fail(err, r, "%s", why.text);
		if (r)
			xtr_dp_overlay_trouble(dp, ov, r, &why);
		else if (ov->trouble)
			xtr_info("overlay %s: in its place again (instance %u)", ov->name, ov->iid);
		if (!r)
			ov->trouble = false;
	}
	return strict ? xtr_dp_overlay_ports(dp, err) : 0;
}

static bool xtr_dp_overlay_made(const struct xtr_dp_ov *ov, const struct xtr_dp_made_dev *d)
{
	int is = ov->elsewhere ? ov->peer : ov->ifindex;

	if (is)
		return is == (int)d->ifindex;
	/* what could not be looked at just now is not removed for that */
	return ov->trouble && !(ov->elsewhere && ov->ns->error == -ENOENT) &&
	       !strcmp(d->name, ov->elsewhere ? ov->peer_name : ov->name);
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
			want = xtr_dp_overlay_made(&dp->ovs[j], d);
		if (want)
			continue;
		xtr_dp_alias(alias, dp->root);
		if (xtr_dp_overlay_begun(dp->nl, d, alias, &l) ||
		    (!xtr_nl_link_get(dp->nl, (int)d->ifindex, NULL, &l) && !strcmp(l.alias, alias) &&
		     !strcmp(l.name, d->name)))
			xtr_nl_link_del(dp->nl, l.ifindex);
		d->flags = 0;
	}
	xtr_dp_made_save(dp);
}
