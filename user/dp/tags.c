// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * VLAN tags and XDP. A card that takes tags out of frames (rx-vlan-offload), or a virtual device whose other end never put them in
 * (tx-vlan-offload), shows XDP a frame without its tag: a tenant's packet would be taken for that of another. So XDP takes an EID
 * port only when tags are known to be in the frames, or somebody has vouched that none come in. TC sees both. What is switched off
 * here is noted in xtr_made before, and switched on again when XDP has gone from the device, by the daemon or by detach.
 */
#include "dp/internal.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *feature;
	uint32_t made;
} xtr_dp_tag_offloads[] = {
	{ "rx-vlan-hw-parse", XTR_MADE_RXVLAN },
	{ "rx-vlan-stag-hw-parse", XTR_MADE_RXSTAG },
};

/* Does the configuration say that no frame with a tag comes in? Not where it has VLANs on the device. */
static bool xtr_dp_tags_none(const struct xtr_dp *dp, const struct xtr_dp_if *f)
{
	bool none = false;

	for (unsigned i = 0; i < dp->if_count; i++) {
		if (dp->ifs[i].ifindex != f->ifindex)
			continue;
		if (dp->ifs[i].vlan)
			return false;
		none |= dp->cfg.ports[i].untagged;
	}
	return none;
}

/* The other end of a veth decides; in another network namespace it can not be asked. */
static bool xtr_dp_tags_by_peer(struct xtr_dp *dp, const struct xtr_nl_link *l)
{
	static const char *const inserts[] = { "tx-vlan-hw-insert", "tx-vlan-stag-hw-insert" };
	struct xtr_nl_link peer;
	bool on = false;

	if (!l->peer || xtr_nl_link_get(dp->nl, l->peer, NULL, &peer))
		return false;
	for (unsigned i = 0; i < 2; i++)
		if (xtr_nl_offload_get(peer.name, inserts[i], &on) || on)
			return false;
	return true;
}

/* Switches off what is on, and looks whether it is. */
static bool xtr_dp_tags_off(struct xtr_dp *dp, const struct xtr_dp_if *f)
{
	bool done = true;

	for (unsigned i = 0; i < sizeof(xtr_dp_tag_offloads) / sizeof(*xtr_dp_tag_offloads); i++) {
		const char *feature = xtr_dp_tag_offloads[i].feature;
		struct xtr_dp_made_dev *made;
		bool on = false, fixed = false;

		if (xtr_nl_offload_look(f->name, feature, &on, &fixed) || !on)
			continue;
		made = fixed ? NULL : xtr_dp_made_dev(&dp->made, f->ifindex, f->name, true);
		if (!made) {
			done = false;
			continue;
		}
		snprintf(made->name, sizeof(made->name), "%s", f->name); /* it may have another one by now */
		made->flags |= xtr_dp_tag_offloads[i].made;
		if (xtr_dp_made_save(dp) || xtr_nl_offload_set(f->name, feature, false) ||
		    xtr_nl_offload_get(f->name, feature, &on) || on)
			done = false;
	}
	return done;
}

bool xtr_dp_tags_ready(struct xtr_dp *dp, const struct xtr_dp_if *f)
{
	struct xtr_dp_made_dev *made;
	struct xtr_nl_link l;

	if (f->role != XTR_ROLE_EID || xtr_dp_tags_none(dp, f))
		return true;
	if (xtr_nl_link_get(dp->nl, f->ifindex, NULL, &l))
		return false;
	if (!strcmp(l.kind, "tun"))
		return true; /* frames are as somebody wrote them */
	if (l.kind[0] && (strcmp(l.kind, "veth") || !xtr_dp_tags_by_peer(dp, &l))) /* without a kind: a card */
		return false;
	if (xtr_dp_tags_off(dp, f))
		return true;
	made = xtr_dp_made_dev(&dp->made, f->ifindex, f->name, false);
	if (made)
		xtr_dp_tags_restore(made);
	xtr_dp_made_save(dp);
	return false;
}

void xtr_dp_tags_restore(struct xtr_dp_made_dev *d)
{
	for (unsigned i = 0; i < sizeof(xtr_dp_tag_offloads) / sizeof(*xtr_dp_tag_offloads); i++)
		if (d->flags & xtr_dp_tag_offloads[i].made) {
			if (if_nametoindex(d->name) == d->ifindex)
				xtr_nl_offload_set(d->name, xtr_dp_tag_offloads[i].feature, true);
			d->flags &= ~xtr_dp_tag_offloads[i].made;
		}
}
