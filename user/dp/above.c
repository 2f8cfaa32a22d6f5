// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Devices above EID ports. What the programs leave to the stack at a port comes in, for the stack, by the topmost device above it:
 * the VLAN device of a tag, the bridge or bond that the port or that device is part of, and so on. The host's routing may lead it
 * into the overlay device of another instance, and what tells the program there (xtr_tc_crosses) is the device a packet came in
 * by. So those are in xtr_ifaces too, as helpers with the instance of the port below. One with ports of several instances below it
 * belongs to nobody.
 *
 * They are looked at with everything else, where there is more than one instance; dp->above is what was found last.
 */
#include "dp/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A device that is part of another one, or stands on one. */
struct xtr_dp_step {
	int ifindex, master, below; /* below: of a VLAN device */
	uint16_t vlan;
	bool above;                 /* of a kind that may be above a port */
};

struct xtr_dp_steps {
	struct xtr_dp *dp;
	struct xtr_dp_step *at;
	size_t n, room;
};

static bool xtr_dp_is_relay(const struct xtr_nl_link *l)
{
	return !strcmp(l->kind, "bridge") || !strcmp(l->kind, "bond") || !strcmp(l->kind, "team"); /* a VRF has routes of its own */
}

static bool xtr_dp_is_vlan(const struct xtr_nl_link *l)
{
	return !strcmp(l->kind, "vlan") && l->vlan && l->peer;
}

static int xtr_dp_step_add(void *arg, const struct xtr_nl_link *l)
{
	struct xtr_dp_steps *s = arg;
	bool vlan = xtr_dp_is_vlan(l), above = vlan || xtr_dp_is_relay(l);

	if (!above && !l->master)
		return 0;
	if (s->n == s->room) {
		size_t room = s->room ? 2 * s->room : 64;
		struct xtr_dp_step *more = realloc(s->at, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->at = more;
		s->room = room;
	}
	s->at[s->n++] = (struct xtr_dp_step){ l->ifindex, l->master, vlan ? l->peer : 0, vlan ? l->vlan : 0, above };
	return 0;
}

/* Whose are frames with this tag (0: without) that come in at a device? Adds up: found counts instances, 2 are too many. */
static void xtr_dp_iid_at(const struct xtr_dp_steps *s, int ifindex, uint16_t vlan, unsigned depth, uint32_t *iid, unsigned *found)
{
	const struct xtr_dp *dp = s->dp;

	if (depth > XTR_DP_STACKED)
		return;
	for (unsigned i = 0; i < dp->if_count; i++) {
		const struct xtr_dp_if *f = &dp->ifs[i];

		if (f->ifindex != ifindex || f->role != XTR_ROLE_EID || f->vlan != vlan || (*found && *iid == f->iid))
			continue;
		*iid = f->iid;
		++*found;
	}
	for (size_t i = 0; i < s->n; i++) {
		if (s->at[i].master == ifindex)
			xtr_dp_iid_at(s, s->at[i].ifindex, vlan, depth + 1, iid, found);
		if (s->at[i].ifindex == ifindex && s->at[i].below && !vlan)
			xtr_dp_iid_at(s, s->at[i].below, s->at[i].vlan, depth + 1, iid, found);
	}
}

static bool xtr_dp_above_known(const struct xtr_dp *dp, int ifindex)
{
	for (unsigned i = 0; i < dp->above_count; i++)
		if (ifindex && dp->above[i].ifindex == ifindex)
			return true;
	return false;
}

bool xtr_dp_above(const struct xtr_dp *dp, const struct xtr_nl_link *l)
{
	bool vlan = xtr_dp_is_vlan(l);

	if (dp->ov_count < 2)
		return false;
	if (xtr_dp_above_known(dp, l->ifindex) || xtr_dp_above_known(dp, l->master) || (vlan && xtr_dp_above_known(dp, l->peer)))
		return true;
	for (unsigned i = 0; i < dp->if_count; i++)
		if (dp->ifs[i].ifindex && dp->ifs[i].role == XTR_ROLE_EID &&
		    ((vlan && dp->ifs[i].ifindex == l->peer) || (xtr_dp_is_relay(l) && dp->ifs[i].master == l->ifindex)))
			return true;
	return false;
}

void xtr_dp_aboves(struct xtr_dp *dp)
{
	struct xtr_dp_steps s = { .dp = dp };
	unsigned n = 0;
	bool all;

	dp->above_count = 0;
	if (dp->ov_count < 2)
		return;
	all = !xtr_nl_links(dp->nl, xtr_dp_step_add, &s);
	for (size_t i = 0; i < s.n; i++) {
		uint32_t iid = 0;
		unsigned found = 0;

		if (!s.at[i].above || xtr_dp_if_by_index(dp, s.at[i].ifindex) || xtr_dp_overlay_by_index(dp, s.at[i].ifindex))
			continue;
		xtr_dp_iid_at(&s, s.at[i].ifindex, 0, 0, &iid, &found);
		if (found != 1)
			continue;
		if (n == XTR_DP_ABOVES) {
			all = false;
			break;
		}
		dp->above[n++] = (struct xtr_dp_above){ s.at[i].ifindex, iid };
	}
	dp->above_count = n;
	free(s.at);
	if (!all && !dp->above_said)
		xtr_warn("not all VLAN devices, bridges and bonds above EID ports can be told apart (%u can): what the programs leave to the "
			 "stack there is not kept from overlay devices of other instances; keep it apart by routes",
			 XTR_DP_ABOVES);
	dp->above_said = !all;
}
