/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * 802.1Q tags of EID ports. A tag chooses the role of a frame and ends where the frame is encapsulated; frames that go on
 * keep theirs. The kernel takes a tag out of the frame and puts it beside the packet before any TC ingress program runs,
 * whatever the NIC offloads (skb_vlan_untag), so at TC there is nothing to look for in the frame; what the daemon sends, and
 * what XDP sees, has it in the frame. The service tag of 802.1ad and a second tag are another network's. Priority tags
 * (VLAN 0) too: the stack takes such a frame for an untagged one, and routes it to the overlay device.
 */
#ifndef XTR_BPF_VLAN_H
#define XTR_BPF_VLAN_H

#include "cache.h"

#define XTR_VLAN_NOBODYS 0xfff /* reserved by 802.1Q: no port is configured for it */

/* Beside the packet. 0: no tag. */
XTR_INLINE __u32 xtr_vlan_beside(const struct __sk_buff *skb)
{
	__u32 vlan;

	if (!skb->vlan_present)
		return 0;
	vlan = skb->vlan_tci & 0xfff;
	return skb->vlan_proto == bpf_htons(ETH_P_8021Q) && vlan ? vlan : XTR_VLAN_NOBODYS;
}

/* The tag of the frame at TC, wherever it is, as it lies on the wire; 0: none that is ours to look at. */
XTR_INLINE __u32 xtr_vlan_tci(const struct __sk_buff *skb)
{
	__be16 tci;

	if (skb->vlan_present)
		return xtr_vlan_beside(skb) == XTR_VLAN_NOBODYS ? 0 : skb->vlan_tci;
	if (skb->protocol != bpf_htons(ETH_P_8021Q) || bpf_skb_load_bytes(skb, ETH_HLEN, &tci, sizeof(tci)))
		return 0;
	tci = bpf_ntohs(tci);
	return tci & 0xfff ? tci : 0;
}

/* The frame of a port of ours with its tag in it: beside it, as the kernel would have put it. */
XTR_INLINE struct xtr_iface *xtr_vlan_aside(struct __sk_buff *skb)
{
	__u32 tci = xtr_vlan_tci(skb);
	struct xtr_iface *ifc = tci ? xtr_iface_get(skb->ifindex, tci & 0xfff) : NULL;

	if (!ifc || ifc->role != XTR_ROLE_EID || bpf_skb_vlan_pop(skb) || bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), tci))
		return NULL;
	return ifc;
}

/* Its role at an ingress or egress with TC. */
XTR_INLINE struct xtr_iface *xtr_vlan_role(struct __sk_buff *skb)
{
	struct xtr_iface *ifc = NULL;

	if (skb->protocol == bpf_htons(ETH_P_8021Q) && !skb->vlan_present && skb->ingress_ifindex == skb->ifindex)
		ifc = xtr_vlan_aside(skb);
	return ifc ?: xtr_port_get(skb->ifindex, xtr_vlan_beside(skb));
}

/* XDP: the tag is in the frame, whose type says so. */
XTR_INLINE __u32 xtr_vlan_xdp(const struct xtr_ctx *c)
{
	__be16 *tci = xtr_data(c) + ETH_HLEN;

	if ((void *)(tci + 2) > xtr_data_end(c))
		return XTR_VLAN_NOBODYS;
	return bpf_ntohs(*tci) & 0xfff ?: XTR_VLAN_NOBODYS;
}

#endif
