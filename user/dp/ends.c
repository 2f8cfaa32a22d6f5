// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The other end of an EID port. Where it is a veth that leads into another network namespace (a container), the programs
 * may put a packet there at once (bpf_redirect_peer), as if it had just been received: no queue of the port, no softirq of its
 * own. What would have looked at the packet on its way does not see it then. So not where something would: a qdisc of the port,
 * filters at its egress, or an XDP program at the other end (which shows here: the kernel takes segmentation away from a veth
 * whose other end has one).
 *
 * Links and offloads tell when they change; qdiscs and filters are looked at again with everything else (XTR_DP_LOOK_MS).
 */
#include "dp/internal.h"

#include <errno.h>
#include <string.h>

/* A program of somebody else at the egress of the device. Before 6.6 there are none. */
static bool xtr_dp_tcx_egress(const struct xtr_dp *dp, int ifindex)
{
	__u32 ids[8], flags, n = sizeof(ids) / sizeof(*ids);
	int r = bpf_prog_query(ifindex, (enum bpf_attach_type)XTR_DP_TCX_EGRESS, 0, &flags, ids, &n);

	if (r)
		return errno != EINVAL;
	/* ours is for what the host's routes lead here, not for what the programs put here */
	return n > 1 || (n && ids[0] != xtr_dp_guard_id(dp, ifindex));
}

bool xtr_dp_other_end(struct xtr_dp *dp, const struct xtr_nl_link *l)
{
	unsigned in = 0, out = 0;
	bool qdisc = false, tso = false;

	if (strcmp(l->kind, "veth") || l->peer || !l->other || l->master || strcmp(l->qdisc, "noqueue"))
		return false;
	if (xtr_nl_offload_get(l->name, "tx-tcp-segmentation", &tso) || !tso)
		return false;
	if (xtr_nl_clsact_sides(dp->nl, l->ifindex, &qdisc, &in, &out) || out)
		return false;
	return !xtr_dp_tcx_egress(dp, l->ifindex);
}
