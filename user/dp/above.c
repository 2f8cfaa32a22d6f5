// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Devices above EID ports. What the programs leave to the stack at a port comes in, for the stack, by the device above it: the VLAN
 * device of a tag, or the bridge or bond the port is part of. The host's routing may lead it into the overlay device of another
 * instance, and what tells the program there (xtr_tc_crosses) is the device a packet came in by. So those are in xtr_ifaces too, as
 * helpers with the instance of the port below. One with ports of several instances below it belongs to nobody.
 *
 * Nothing is kept: they are looked at with everything else, where there is more than one instance.
 */
#include "dp/internal.h"

#include <string.h>

struct xtr_dp_aboves {
	struct xtr_dp *dp;
	struct xtr_dp_above *out;
	unsigned n;
};

/* Of frames with this tag (0: without) on a device: one of ours, or a bridge or bond of ours. False: nobody's. */
static bool xtr_dp_iid_at(const struct xtr_dp *dp, int ifindex, uint16_t vlan, uint32_t *iid)
{
	bool found = false;

	for (unsigned i = 0; i < dp->if_count; i++) {
		const struct xtr_dp_if *f = &dp->ifs[i];

		if (!f->ifindex || f->role != XTR_ROLE_EID || f->vlan != vlan || (f->ifindex != ifindex && f->master != ifindex))
			continue;
		if (found && *iid != f->iid)
			return false;
		*iid = f->iid;
		found = true;
	}
	return found;
}

static bool xtr_dp_is_above(const struct xtr_dp *dp, const struct xtr_nl_link *l, uint32_t *iid)
{
	if (!strcmp(l->kind, "vlan"))
		return l->vlan && l->peer && xtr_dp_iid_at(dp, l->peer, l->vlan, iid);
	if (strcmp(l->kind, "bridge") && strcmp(l->kind, "bond") && strcmp(l->kind, "team"))
		return false; /* a VRF has routes of its own */
	return xtr_dp_iid_at(dp, l->ifindex, 0, iid);
}

bool xtr_dp_above(const struct xtr_dp *dp, const struct xtr_nl_link *l)
{
	uint32_t iid;

	return dp->ov_count > 1 && xtr_dp_is_above(dp, l, &iid);
}

static int xtr_dp_aboves_one(void *arg, const struct xtr_nl_link *l)
{
	struct xtr_dp_aboves *a = arg;
	uint32_t iid;

	if (a->n == XTR_DP_ABOVES || xtr_dp_if_by_index(a->dp, l->ifindex) || xtr_dp_overlay_by_index(a->dp, l->ifindex) ||
	    !xtr_dp_is_above(a->dp, l, &iid))
		return 0;
	a->out[a->n++] = (struct xtr_dp_above){ l->ifindex, iid };
	return 0;
}

unsigned xtr_dp_aboves(struct xtr_dp *dp, struct xtr_dp_above out[XTR_DP_ABOVES])
{
	struct xtr_dp_aboves a = { dp, out, 0 };

	if (dp->ov_count > 1)
		xtr_nl_links(dp->nl, xtr_dp_aboves_one, &a);
	return a.n;
}
