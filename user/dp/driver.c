// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What drivers want before they take an XDP program, and how to give it to them. Pure: from facts about an interface to advice
 * for a person, so that every driver is tested without its hardware. The daemon itself just tries; this says beforehand, or after
 * a refusal, what stands in the way. Each row names where in the sources of Linux it is from. Read in the sources (6.6 to 6.18, or the
 * version named) means that the check is there; no line was tried on the hardware, except veth.
 */
#include "dp/internal.h"

#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

enum {
	XTR_DRV_LRO    = 1 << 0,  /* refuses XDP while large-receive-offload is on */
	XTR_DRV_GRO_HW = 1 << 1,  /* the same with rx-gro-hw */
	XTR_DRV_HALF   = 1 << 2,  /* refuses XDP unless half of its combined channels are free */
	XTR_DRV_PAIRS  = 1 << 3,  /* the same with separate receive and transmit channels, of which there must be equally many */
	XTR_DRV_SPARE  = 1 << 4,  /* takes XDP, but sends slowly unless there is a free channel for each CPU */
};
struct xtr_dp_driver {
	const char *name;
	uint32_t mtu;             /* largest for a program that gets each frame in one buffer */
	unsigned needs;
	const char *hint;
};
static const struct xtr_dp_driver xtr_dp_drivers[] = {
	/* ena_xdp.h: ena_xdp_legal_queue_count (2 * queues <= max_num_io_queues); ENA_XDP_MAX_MTU = page of 4096 - Ethernet header,
	 * FCS and VLAN (22) - headroom (256) - skb_shared_info (320). No RX_SG, no VLAN offload. Read. */
	{ "ena", 3498, XTR_DRV_HALF, "" },
	/* gve_main.c, verify_xdp_configuration: LRO off; queues rx == tx, 2 * tx <= max; MTU up to the buffer of 2048 - Ethernet header
	 * - GVE_RX_PAD. The queue format must be GQI-QPL in older kernels (6.4 to 6.13); newer ones name more. Read. */
	{ "gve", 2032, XTR_DRV_LRO | XTR_DRV_PAIRS,
	  "machine types with the DQO queue format need a newer kernel for XDP; header split has to be off (ethtool -G NAME tcp-data-split off)" },
	/* virtio_net.c, virtnet_xdp_set: refused when the host has GUEST_TSO* (rx-gro-hw, formerly LRO) without
	 * CTRL_GUEST_OFFLOADS: then the feature is fixed, and only the hypervisor can take it away. Otherwise the driver
	 * switches it off itself. curr_queue_pairs + CPUs <= max_queue_pairs, or XDP_TX and redirects go by a locked queue.
	 * One buffer: page - (headroom 256 + skb_shared_info 320) - Ethernet header; RX_SG from 6.3. Read. */
	{ "virtio_net", 3506, XTR_DRV_GRO_HW | XTR_DRV_SPARE, "" },
	/* netvsc_bpf.c, netvsc_xdp_set: LRO off; 256 + align(MTU + Ethernet header) + skb_shared_info <= page. No RX_SG. The virtual
	 * function below it (accelerated networking) gets the same program. Read. */
	{ "hv_netvsc", 3506, XTR_DRV_LRO, "with accelerated networking, the virtual function's driver has to take it too" },
	/* en_main.c, mlx5e_xdp_allowed and mlx5e_params_validate_xdp: LRO and hardware GRO off; a frame above one page only where
	 * the receive queue has fragments: RX_SG is declared without striding RQ, from 6.3, and with it from 6.17 or so (not
	 * verified). 3498: SKB_MAX_HEAD(256) - 22. Read. */
	{ "mlx5_core", 3498, XTR_DRV_LRO | XTR_DRV_GRO_HW, "" },
	/* ixgbe_main.c, ixgbe_xdp_setup: no SR-IOV, no DCB, no RSC (LRO), the frame in one receive buffer. That this is 3072 octets is from
	 * ixgbe_rx_bufsz; which buffer a ring has depends on its settings (not verified). */
	{ "ixgbe", 3050, XTR_DRV_LRO, "SR-IOV (echo 0 >/sys/class/net/NAME/device/sriov_numvfs) and DCB have to be off" },
	/* i40e_main.c, i40e_xdp_setup: the frame in one buffer (3072 - 26, not verified), RX_SG from 6.4. Read. */
	{ "i40e", 3046, 0, "" },
	/* ice_main.c, ice_xdp_setup_prog: likewise, RX_SG from 6.3; "Not enough Tx resources for XDP" without a free transmit queue for each
	 * CPU (6.18: shares them). Read. */
	{ "ice", 3046, XTR_DRV_SPARE, "" },
	/* veth.c, veth_xdp_set: as many receive queues as the peer has transmit queues; frags from 5.18: no limit worth
	 * a word. Redirects into it need XDP or GRO on the peer (veth_xdp_xmit). Tried. */
	{ "veth", 0, 0, "" },
};

static const struct xtr_dp_driver *xtr_dp_driver_find(const char *name)
{
	static const struct xtr_dp_driver unknown = { "", 0, XTR_DRV_LRO, "" };

	for (size_t i = 0; i < sizeof(xtr_dp_drivers) / sizeof(*xtr_dp_drivers); i++)
		if (!strcmp(xtr_dp_drivers[i].name, name))
			return &xtr_dp_drivers[i];
	return &unknown;
}

/* Appends a sentence or a command to a text. */
static void xtr_dp_add(char *to, size_t size, const char *sep, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static void xtr_dp_add(char *to, size_t size, const char *sep, const char *fmt, ...)
{
	size_t n = strlen(to);
	va_list ap;

	if (n)
		n += (size_t)snprintf(to + n, size - n, "%s", sep);
	if (n >= size)
		return;
	va_start(ap, fmt);
	vsnprintf(to + n, size - n, fmt, ap);
	va_end(ap);
}
#define WHY(...)  xtr_dp_add(out->reason, sizeof(out->reason), "; ", __VA_ARGS__)
#define DO(...)   xtr_dp_add(out->unlock, sizeof(out->unlock), " && ", __VA_ARGS__)
#define HINT(...) xtr_dp_add(out->hint, sizeof(out->hint), "; ", __VA_ARGS__)

static void xtr_dp_advise_offloads(const struct xtr_dp_facts *f, const struct xtr_dp_driver *d, struct xtr_dp_probe *out)
{
	if (d->needs & XTR_DRV_LRO && f->lro.on) {
		WHY("it refuses XDP while large-receive-offload is on%s", f->lro.fixed ? ", which is fixed here" : "");
		if (!f->lro.fixed)
			DO("ethtool -K %s lro off", f->name);
	}
	if (!(d->needs & XTR_DRV_GRO_HW) || !f->gro_hw.on)
		return;
	if (!strcmp(d->name, "virtio_net")) {
		/* what can be changed, the driver changes itself for the time */
		if (f->gro_hw.fixed) {
			WHY("it refuses XDP while the host hands over super-packets (rx-gro-hw), which is fixed here");
			HINT("the hypervisor has to offer ctrl_guest_offloads, or take guest_tso4, guest_tso6, guest_ecn and guest_ufo away");
		}
		return;
	}
	WHY("it refuses XDP while rx-gro-hw is on%s", f->gro_hw.fixed ? ", which is fixed here" : "");
	if (!f->gro_hw.fixed)
		DO("ethtool -K %s rx-gro-hw off", f->name);
}

static void xtr_dp_advise_mtu(const struct xtr_dp_facts *f, const struct xtr_dp_driver *d, struct xtr_dp_probe *out)
{
	if (!d->mtu || f->mtu <= d->mtu || f->xdp & XTR_NL_XDP_RX_SG)
		return;
	WHY("an MTU of %u is above the %u it takes with XDP", f->mtu, d->mtu);
	if (!strcmp(d->name, "mlx5_core"))
		DO("ethtool --set-priv-flags %s rx_striding_rq off", f->name);
	else
		DO("ip link set %s mtu %u", f->name, d->mtu);
}

static void xtr_dp_advise_channels(const struct xtr_dp_facts *f, const struct xtr_dp_driver *d, struct xtr_dp_probe *out)
{
	const struct xtr_nl_channels *c = &f->channels;
	uint32_t few;

	if (d->needs & XTR_DRV_HALF && c->combined_max && 2 * c->combined > c->combined_max) {
		if (c->combined_max < 2) {
			WHY("it has a single channel, and XDP would need a second one");
		} else {
			WHY("%u of %u channels are in use, and XDP needs as many again", c->combined, c->combined_max);
			DO("ethtool -L %s combined %u", f->name, c->combined_max / 2);
		}
	}
	if (d->needs & XTR_DRV_PAIRS && c->tx_max && (c->rx != c->tx || 2 * c->tx > c->tx_max)) {
		few = c->tx < c->tx_max / 2 ? c->tx : c->tx_max / 2;
		if (c->rx_max && few > c->rx_max)
			few = c->rx_max;
		WHY("%u receive and %u transmit channels (of %u) are in use, and XDP needs equally many, and as many transmit channels again",
		    c->rx, c->tx, c->tx_max);
		if (few)
			DO("ethtool -L %s rx %u tx %u", f->name, few, few);
	}
	if (d->needs & XTR_DRV_SPARE && c->combined_max && c->combined + f->cpus > c->combined_max) {
		if (c->combined_max > f->cpus)
			HINT("without a free channel for each of %u CPUs redirects take turns: ethtool -L %s combined %u", f->cpus,
			     f->name, c->combined_max - f->cpus);
		else
			HINT("it has too few channels (%u) for one for each of %u CPUs: redirects take turns", c->combined_max,
			     f->cpus);
	}
}

/* EID ports: XDP has to see the tags of frames (tags.c). */
static void xtr_dp_advise_tags(const struct xtr_dp_facts *f, bool soft, struct xtr_dp_probe *out)
{
	if (f->role != XTR_ROLE_EID)
		return;
	if (!strcmp(f->kind, "veth"))
		HINT("XDP only with the other end in this network namespace and its tx-vlan-offload off (ethtool -K PEER txvlan off "
		     "tx-vlan-stag-hw-insert off), or untagged-only: true, else TC");
	else if (!soft && f->rx_vlan.on && !f->rx_vlan.fixed)
		HINT("with XDP, rx-vlan-offload is switched off by xtrd and on again at detach");
}

static void xtr_dp_advise_redirect(const struct xtr_dp_facts *f, bool soft, struct xtr_dp_probe *out)
{
	if (f->role != XTR_ROLE_UNDERLAY || !f->xdp_known || f->xdp & XTR_NL_XDP_NDO_XMIT)
		return;
	if (!strcmp(f->kind, "veth"))
		HINT("XDP redirects out of it need GRO on its other end: ethtool -K PEER gro on");
	else if (!soft)
		HINT("the driver declares no XDP redirects out of it now; some do so when XDP is attached");
}

/* What `auto` takes, and what it would take to make that XDP. */
void xtr_dp_advise(const struct xtr_dp_facts *f, struct xtr_dp_probe *out)
{
	struct xtr_nl_link l = { .type = f->type, .master = f->master };
	struct xtr_dp_port auto_mode = { .role = f->role, .mode = XTR_MODE_AUTO };
	const struct xtr_dp_driver *d = xtr_dp_driver_find(f->driver);
	bool soft = xtr_dp_is_soft(f->kind, f->driver), relayed = f->relay.bridge[0] && f->role == XTR_ROLE_UNDERLAY;

	snprintf(l.name, sizeof(l.name), "%s", f->name);
	snprintf(l.kind, sizeof(l.kind), "%s", f->kind);
	snprintf(out->driver, sizeof(out->driver), "%s", f->driver);
	out->mtu = f->mtu;
	out->native_xdp = f->xdp_known && f->xdp & XTR_NL_XDP_BASIC;
	out->ndo_xmit = f->xdp_known && f->xdp & XTR_NL_XDP_NDO_XMIT;
	out->reason[0] = out->unlock[0] = out->hint[0] = '\0';
	out->mode = xtr_dp_mode(&auto_mode, &l, soft, f->xdp_known, f->xdp);
	if (f->type != ARPHRD_ETHER) {
		WHY("not an Ethernet device: TC%s", f->role == XTR_ROLE_UNDERLAY ? "; " XTR_DP_NO_ETHER : "");
		return;
	}
	if (soft) {
		WHY("%s is a virtual device: TC keeps super-packets whole, and the overlay device puts single packets of TCP together, which is "
		    "faster there than XDP", f->driver);
		if (!relayed)
			HINT("mode: xdp forces it");
	} else if (out->mode == XTR_MODE_XDP && relayed) {
		out->mode = XTR_MODE_TC;
		WHY("port of a bridge: TC, or the bridge would flood what XDP decapsulated if our TC program went");
		DO("ip link set %s nomaster", f->relay.port);
	} else if (out->mode == XTR_MODE_XDP && f->role == XTR_ROLE_EID && (f->kind[0] || (f->rx_vlan.on && f->rx_vlan.fixed))) {
		out->mode = XTR_MODE_TC;
		WHY("%s: TC, as XDP might not see the tags of frames", f->kind[0] ? "it is above other devices" : "rx-vlan-offload is fixed");
		HINT("where no tagged frames come in, say so (interfaces[].untagged-only: true), and it is XDP");
	} else if (out->mode == XTR_MODE_XDP) {
		xtr_dp_advise_offloads(f, d, out);
		xtr_dp_advise_mtu(f, d, out);
		xtr_dp_advise_channels(f, d, out);
		if (out->reason[0]) {
			char why[sizeof(out->reason)];

			memcpy(why, out->reason, sizeof(why));
			out->mode = XTR_MODE_TC;
			snprintf(out->reason, sizeof(out->reason), "driver %s has native XDP, but %.400s: TC", f->driver, why);
		} else {
			WHY(f->xdp_known ? "driver %s has native XDP: XDP with TC behind it" : "driver %s is tried with XDP, then TC",
			    f->driver);
		}
		if (d->hint[0])
			HINT("%s", d->hint);
	} else {
		WHY("driver %s declares no native XDP: TC", f->driver);
		if (!relayed)
			HINT("mode: xdp-generic works on every device, but is seldom faster than TC");
		if (!strcmp(f->driver, "gve"))
			HINT("%s", d->hint);
	}
	if (relayed)
		HINT("as long as it is a port of %s, mode: xdp and xdp-generic mean TC, too: ip link set %s nomaster", f->relay.bridge,
		     f->relay.port);
	xtr_dp_advise_redirect(f, soft, out);
	xtr_dp_advise_tags(f, soft, out);
}
