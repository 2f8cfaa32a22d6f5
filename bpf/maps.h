/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The maps of headers/xtr/abi.h. Sizes here are defaults; the loader sets what the configuration says before it loads.
 * Everything small and hot is preallocated; what grows with the map-cache is not.
 */
#ifndef XTR_BPF_MAPS_H
#define XTR_BPF_MAPS_H

#include "kernel.h"

/*
 * Arrays of one element, which programs reach without a lookup: variables in sections of their own, which the loader pins as
 * xtr_cfg and xtr_gen.
 */
struct xtr_cfg xtr_cfg SEC(".data.xtr_cfg");
__u32 xtr_gen[XTR_GEN_SLOTS] SEC(".data.xtr_gen");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct xtr_port_key);
	__type(value, struct xtr_iface);
} xtr_ifaces SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct xtr_inst);
} xtr_inst SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct xtr_self_key);
	__type(value, __u32);
} xtr_self SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct xtr_lpm4);
	__type(value, struct xtr_local);
} xtr_local4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct xtr_lpm6);
	__type(value, struct xtr_local);
} xtr_local6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1048576);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct xtr_lpm4);
	__type(value, struct xtr_eid);
} xtr_eid4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1048576);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct xtr_lpm6);
	__type(value, struct xtr_eid);
} xtr_eid6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct xtr_rset);
} xtr_rset SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct xtr_rloc);
} xtr_rloc SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct xtr_count);
} xtr_rlstat SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, XTR_DROP_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} xtr_drops SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, XTR_STAT_SLOTS);
	__type(key, __u32);
	__type(value, struct xtr_count);
} xtr_stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} xtr_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, XTR_BUCKETS_TB);
	__type(key, __u32);
	__type(value, struct xtr_misstb);
} xtr_misstb SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, XTR_SOURCE_SLOTS);
	__type(key, __u32);
	__type(value, struct xtr_misstb);
} xtr_misssrc SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, XTR_MISS_SLOTS);
	__type(key, __u32);
	__type(value, struct xtr_missslot);
} xtr_misssl SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, XTR_HOLD_SLOTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct xtr_hold);
} xtr_hold SEC(".maps");

/* Groups and their lists; members are few beside the map-cache, so the sizes are fixed and nothing is preallocated. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct xtr_mc4);
	__type(value, struct xtr_mcast);
} xtr_mcast4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct xtr_mc6);
	__type(value, struct xtr_mcast);
} xtr_mcast6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct xtr_repl_key);
	__type(value, struct xtr_repl);
} xtr_repl SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct xtr_ctlsrc);
	__type(value, __u32);
} xtr_ctlsrc SEC(".maps");

/* Replication by XDP: see abi.h. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, XTR_FANS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct xtr_fanof);
} xtr_fanof SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, XTR_FANS);
	__type(key, __u32);
	__type(value, struct xtr_fan);
} xtr_fan SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, XTR_FAN_SHAPES);
	__type(key, __u32);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_DEVMAP);
		__uint(max_entries, XTR_REPL_MAX);
		__uint(key_size, sizeof(__u32));
		__uint(value_size, 8);
	});
} xtr_fandev SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, XTR_MAX_PORTS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 8);
} xtr_fanout SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, XTR_MAX_PORTS + 1);
	__type(key, __u32);
	__type(value, struct xtr_fancpu);
} xtr_fancpu SEC(".maps");

/* Switches: constants to the verifier, so what is off costs nothing (see abi.h). */
const volatile __u32 xtr_hz = 250;
const volatile __u8 feat_decap_l3 = 0;
const volatile __u8 feat_meta = 1;
const volatile __u16 meta_version = XTR_META_VERSION;

XTR_INLINE void xtr_stat(__u32 stat, __u32 octets)
{
	struct xtr_count *n = bpf_map_lookup_elem(&xtr_stats, &stat);

	if (n) {
		n->packets++;
		n->octets += octets;
	}
}

XTR_INLINE void xtr_stat_many(__u32 stat, int many, __u32 octets)
{
	struct xtr_count *n = bpf_map_lookup_elem(&xtr_stats, &stat);

	if (n) {
		n->packets += many;
		n->octets += (__s64)many * octets;
	}
}

XTR_INLINE void xtr_count_drop(__u32 reason)
{
	__u64 *n = bpf_map_lookup_elem(&xtr_drops, &reason);

	if (n)
		(*n)++;
}

#endif
