/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TCP that the underlay brings in single packets. The kernel's GRO sees LISP packets before they are decapsulated, and lets
 * them be; behind it each packet costs a walk through the stack. So they go to the overlay device as if they came out of a
 * wire: through its peer end, which the daemon keeps without TSO, and so by the NAPI of the overlay device, which it keeps
 * with GRO. There the kernel puts them together, checksums looked at and all.
 *
 * Where the underlay carries super-packets (veth, a card with LRO, a hypervisor) that would be a detour. What it carries is
 * seen from the packets: a run of full ones without a super-packet in between. Counted for each CPU, as the packets of a
 * flow mostly come to one; and the way changes only after such a run, so that a flow keeps its order.
 */
#ifndef XTR_BPF_GRO_H
#define XTR_BPF_GRO_H

#include "decap.h"

#define XTR_GRO_RUN  256  /* packets */
#define XTR_GRO_FULL 1000 /* octets of one that was as full as its path allows */

/* Is this one to be put together with others? ifc: the underlay port, from xtr_port_get: the count lies beside it. */
XTR_INLINE bool xtr_gro_wants(const struct __sk_buff *skb, const struct xtr_inst *inst, const struct xtr_inner *in,
			      struct xtr_iface *ifc)
{
	struct xtr_cport *port = (void *)ifc - offsetof(struct xtr_cport, i);

	if (in->proto != IPPROTO_TCP)
		return false;
	if (skb->gso_size) {
		if (port->singles)
			port->singles = 0;
		return false;
	}
	if (port->singles < XTR_GRO_RUN) {
		if (in->len >= XTR_GRO_FULL)
			port->singles++;
		return false;
	}
	return in->len <= inst->mtu; /* 0: the device does not do it */
}

/* The frame is as for the overlay device. Returns a TC action, or -reason. */
XTR_INLINE int xtr_gro_send(struct __sk_buff *skb, const struct xtr_inst *inst, const struct xtr_inner *in)
{
	struct xtr_iface *end = xtr_port_get(inst->peer, 0);

	if (!end || end->role != XTR_ROLE_PEER)
		return -XTR_DROP_OVERLAY_GONE;
	xtr_stat(XTR_STAT_GRO, in->len);
	skb->mark = XTR_MARK_GRO; /* or the program there would take it for one of the daemon's */
	skb->queue_mapping = bpf_get_smp_processor_id() + 1; /* one for each CPU, where there are so many */
	return bpf_redirect(inst->peer, 0);
}

#endif
