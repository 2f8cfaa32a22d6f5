/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From addresses to what the control plane has put into the maps: own prefixes, map-cache, locator-set, template.
 */
#ifndef XTR_BPF_LOOKUP_H
#define XTR_BPF_LOOKUP_H

#include "maps.h"
#include "parse.h"

/* One key for the tries of both families: those of IPv4 read its first 12 octets (struct xtr_lpm4). */
XTR_INLINE void xtr_key(struct xtr_lpm6 *k, __u32 iid, __u8 family, const struct xtr_abi_ip *a)
{
	k->prefixlen = family == XTR_FAMILY_IP4 ? 64 : 160;
	k->iid = bpf_htonl(iid);
	__builtin_memcpy(k->addr, a->w, sizeof(k->addr));
}

/*
 * The barriers keep the compiler from making one call of the two: only where the map is known does the kernel turn the
 * helper into a direct call of the trie.
 */
XTR_INLINE struct xtr_local *xtr_local_get(const struct xtr_lpm6 *k)
{
	struct xtr_local *v;

	if (k->prefixlen == 64) {
		v = bpf_map_lookup_elem(&xtr_local4, k);
		barrier_var(v);
	} else {
		v = bpf_map_lookup_elem(&xtr_local6, k);
	}
	return v;
}

XTR_INLINE struct xtr_eid *xtr_eid_get(const struct xtr_lpm6 *k)
{
	struct xtr_eid *v;

	if (k->prefixlen == 64) {
		v = bpf_map_lookup_elem(&xtr_eid4, k);
		barrier_var(v);
	} else {
		v = bpf_map_lookup_elem(&xtr_eid6, k);
	}
	return v;
}

XTR_INLINE bool xtr_is_self(__u8 family, const struct xtr_abi_ip *a)
{
	struct xtr_self_key k = { .ip = *a, .family = family };

	return bpf_map_lookup_elem(&xtr_self, &k) != NULL;
}

/* Which list a packet to a group goes by (RFC 8378 5.2): the longest match, on the group first. */
XTR_INLINE struct xtr_mcast *xtr_mcast_get(__u32 iid, const struct xtr_inner *p)
{
	if (p->family == XTR_FAMILY_IP4) {
		struct xtr_mc4 k = { .prefixlen = 96, .iid = bpf_htonl(iid), .group = p->dst.w[0], .source = p->src.w[0] };

		return bpf_map_lookup_elem(&xtr_mcast4, &k);
	} else {
		struct xtr_mc6 k = { .prefixlen = 288, .iid = bpf_htonl(iid) };

		__builtin_memcpy(k.group, &p->dst, sizeof(k.group));
		__builtin_memcpy(k.source, &p->src, sizeof(k.source));
		return bpf_map_lookup_elem(&xtr_mcast6, &k);
	}
}

/* Is this a source of control messages that we know? */
XTR_INLINE bool xtr_ctlsrc_has(__u8 family, const struct xtr_abi_ip *a)
{
	struct xtr_ctlsrc k = { .prefixlen = family == XTR_FAMILY_IP4 ? 64 : 160, .family = bpf_htonl(family) };

	__builtin_memcpy(k.addr, a->w, sizeof(k.addr));
	return bpf_map_lookup_elem(&xtr_ctlsrc, &k) != NULL;
}

/* The role of an interface for frames without a tag (vlan 0) or with this one. */
XTR_INLINE struct xtr_iface *xtr_iface_get(__u32 ifindex, __u32 vlan)
{
	struct xtr_port_key k = { .ifindex = ifindex, .vlan = vlan };

	return bpf_map_lookup_elem(&xtr_ifaces, &k);
}

XTR_INLINE struct xtr_rset *xtr_rset_get(__u32 id)
{
	return bpf_map_lookup_elem(&xtr_rset, &id);
}

XTR_INLINE struct xtr_rloc *xtr_rloc_get(__u32 id)
{
	return bpf_map_lookup_elem(&xtr_rloc, &id);
}

XTR_INLINE __u32 xtr_mix(__u32 h, __u32 v)
{
	v *= 0xcc9e2d51;
	v = v << 15 | v >> 17;
	v *= 0x1b873593;
	h ^= v;
	h = h << 13 | h >> 19;
	return h * 5 + 0xe6546b64;
}

XTR_INLINE __u32 xtr_mix_ip(__u32 h, __u8 family, const struct xtr_abi_ip *a)
{
	h = xtr_mix(h, a->w[0]);
	if (family == XTR_FAMILY_IP4)
		return h;
	h = xtr_mix(h, a->w[1]);
	h = xtr_mix(h, a->w[2]);
	return xtr_mix(h, a->w[3]);
}

XTR_INLINE __u32 xtr_mix_end(__u32 h)
{
	h ^= h >> 16;
	h *= 0x85ebca6b;
	h ^= h >> 13;
	h *= 0xc2b2ae35;
	return h ^ h >> 16;
}

/* Ports of TCP, UDP and SCTP unless it is a fragment: as parse.h has it. */
XTR_INLINE __u32 xtr_flow_hash(const struct xtr_inner *p)
{
	return xtr_flow_hash_of(p->src.w, p->dst.w, p->ports, p->proto);
}

/* last-used stamp: one write a second and entry, so that busy entries do not bounce between CPUs. */
XTR_INLINE void xtr_eid_touch(struct xtr_eid *e, const struct xtr_cfg *cfg, __u64 now)
{
	if (now - e->used >= cfg->hz)
		e->used = now;
}

/* May the layer-2 header of the template be used? Only while the daemon vouches for it. */
XTR_INLINE bool xtr_fresh(const struct xtr_rloc *t, const struct xtr_cfg *cfg, __u64 now)
{
	return (t->flags & XTR_RLOC_F_L2) && (__s64)(now - t->heartbeat) <= (__s64)cfg->heartbeat_max;
}

#endif
