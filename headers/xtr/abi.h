/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the BPF programs and user space share: map names, keys, values, ring-buffer
 * events and XDP metadata. Included by both, so: only <linux/types.h>, fixed widths,
 * __be for wire order (all else host order), explicit padding, no packed, no bitfields,
 * append-only enums. A change of any layout here raises XTR_ABI_VERSION, which is part of
 * the pin path, so programs and daemons of different ABI never meet on one map.
 */
#ifndef XTR_ABI_H
#define XTR_ABI_H

#include <linux/types.h>
#include "reasons.h"

#ifndef XTR_ABI_VERSION /* tests of upgrades build a second one */
#define XTR_ABI_VERSION 4
#endif

#define XTR_PORT_DATA    4341
#define XTR_PORT_CONTROL 4342

#define XTR_IID_MAX      0xffffffu /* reserved: control message in a data packet (RFC 9962) */
#define XTR_MAX_LOCATORS 8
#define XTR_BUCKETS      256       /* weighted slots of a locator-set, indexed by flow hash */
#define XTR_MAX_PORTS    64        /* interfaces with a role on one node */
#define XTR_GEN_SHARDS   256
#define XTR_HOLD_SLOTS   1024
#define XTR_MISS_SLOTS   262144
#define XTR_SOURCE_SLOTS 256       /* buckets that senders share by a keyed hash */
#define XTR_REPL_MAX     64        /* copies of one packet by one program run */
#define XTR_FANS         512       /* xtr_fan: replication lists that XDP works by, and those that were until just now */
#define XTR_FAN_PORTS    4         /* underlay ports of one of them */
#define XTR_FAN_SHAPES   256

/* Map names (at most 15 characters); pinned under <bpffs>/xtr/v<ABI>-<geometry>/<name>. */
#define XTR_MAP_CFG      "xtr_cfg"
#define XTR_MAP_IFACES   "xtr_ifaces"
#define XTR_MAP_INST     "xtr_inst"
#define XTR_MAP_SELF     "xtr_self"
#define XTR_MAP_LOCAL4   "xtr_local4"
#define XTR_MAP_LOCAL6   "xtr_local6"
#define XTR_MAP_EID4     "xtr_eid4"
#define XTR_MAP_EID6     "xtr_eid6"
#define XTR_MAP_RSET     "xtr_rset"
#define XTR_MAP_RLOC     "xtr_rloc"
#define XTR_MAP_RLSTAT   "xtr_rlstat"
#define XTR_MAP_DROPS    "xtr_drops"
#define XTR_MAP_STATS    "xtr_stats"
#define XTR_MAP_EVENTS   "xtr_events"
#define XTR_MAP_MISSTB   "xtr_misstb"
#define XTR_MAP_MISSSL   "xtr_misssl"
#define XTR_MAP_MISSSRC  "xtr_misssrc"
#define XTR_MAP_HOLD     "xtr_hold"
#define XTR_MAP_GEN      "xtr_gen"
#define XTR_MAP_MCAST4   "xtr_mcast4"
#define XTR_MAP_MCAST6   "xtr_mcast6"
#define XTR_MAP_REPL     "xtr_repl"
#define XTR_MAP_CTLSRC   "xtr_ctlsrc"
#define XTR_MAP_FANOF    "xtr_fanof"
#define XTR_MAP_FAN      "xtr_fan"
#define XTR_MAP_FANDEV   "xtr_fandev"
#define XTR_MAP_FANOUT   "xtr_fanout"
#define XTR_MAP_FANCPU   "xtr_fancpu"

/* Program names; pinned likewise, as are their links (link_<prog>_<ifindex>). */
#define XTR_PROG_ENCAP     "xtr_tc_encap"     /* TC: egress of xtr0, ingress of its peer (UDP GSO), ingress of EID ports */
#define XTR_PROG_INJECT    "xtr_tc_inject"    /* TC egress of xtr0's peer: packets the daemon injects; skb->mark: see XTR_MARK_CONTROL */
#define XTR_PROG_UNDERLAY  "xtr_tc_underlay"  /* TC ingress of underlay ports: decapsulate, or finish what XDP decapsulated */
#define XTR_PROG_XDP_EID   "xtr_xdp_eid"      /* XDP on EID ports: encapsulate what it can finish alone */
#define XTR_PROG_XDP_UNDER "xtr_xdp_under"    /* XDP on underlay ports: decapsulate what it can finish alone */
#define XTR_PROG_XDP_COPY  "xtr_xdp_copy"     /* XDP, entries of device maps: one copy of a replicated packet leaves */
#define XTR_PROG_FENCE     "xtr_tc_fence"     /* TC ingress of the helper device for LISP-GPE: nothing comes in there */
#define XTR_PROG_GUARD     "xtr_tc_guard"     /* TC egress of EID ports where there is more than one instance: nothing crosses */
#define XTR_PROG_CLOCK     "xtr_clock"        /* run by BPF_PROG_TEST_RUN only: writes jiffies and CONFIG_HZ into xtr_cfg */

/*
 * skb->mark at the egress of an overlay device's peer end (xtr_tc_inject), where packets come from the daemon by a packet
 * socket and from our own programs. An interface index is below 2^30, so:
 *   0                          nobody's: dropped
 *   ifindex                    a packet captured there: by the rules of that port. Of a VLAN of that port: the frame has
 *                              its 802.1Q tag behind the addresses
 *   XTR_MARK_DECAP | ifindex   a whole LISP data packet that reached that underlay port in pieces or with options: to be
 *                              checked and decapsulated like any other. With the ifindex of the peer end itself, at its
 *                              ingress: a decapsulated packet for the overlay device behind it, in another namespace
 *   XTR_MARK_GRO               a decapsulated packet for the overlay device, by its GRO (bpf/gro.h)
 *   XTR_MARK_CONTROL | part    a control message to a group of instance XTR_IID_MAX: to this part of its list
 *   XTR_MARK_RESOLVE | rloc    encapsulated already with this template: the kernel resolves layer 2 and sends
 */
#define XTR_MARK_GRO     0x20000000u
#define XTR_MARK_DECAP   0x40000000u
#define XTR_MARK_CONTROL 0x80000000u
#define XTR_MARK_RESOLVE 0xc0000000u
#define XTR_MARK_KIND    0xc0000000u

/* An IP address of either family. IPv4 in the first word, the rest 0. */
struct xtr_abi_ip {
	__be32 w[4];
};

enum xtr_family { XTR_FAMILY_NONE = 0, XTR_FAMILY_IP4 = 4, XTR_FAMILY_IP6 = 6 };

/* ---- xtr_cfg: ARRAY(1). Live values; written by the daemon only, except jiffies/hz (xtr_clock). */
enum {
	XTR_CFG_F_CHECK_DECAP_SOURCE = 1 << 0, /* outer source must be a locator of the inner source (uRPF) */
	XTR_CFG_F_CHECK_ENCAP_SOURCE = 1 << 1, /* inner source must be one of our EID-prefixes */
	XTR_CFG_F_TRACE_DROPS        = 1 << 2, /* send sampled XTR_EV_DROP events (xtrctl monitor) */
	XTR_CFG_F_KEEP_INNER_DSCP    = 1 << 3, /* do not replace the inner DSCP by the outer one */
	XTR_CFG_F_ECN_COMPAT         = 1 << 4, /* encapsulate with Not-ECT (RFC 6040 4.1 compatibility mode) */
	XTR_CFG_F_ACCEPT_VERSIONS    = 1 << 5, /* map-versioning is in use with peers (off on the public Internet) */
	XTR_CFG_F_DIRECT             = 1 << 7, /* decapsulated packets go straight to hosts at EID ports, past the host's stack */
	XTR_CFG_F_MSS_CLAMP          = 1 << 6, /* lower the MSS option of TCP SYNs to what fits the path (both directions) */
	XTR_CFG_F_GPE                = 1 << 8, /* RFC 9305 is in use: bit P of what comes in means something */
	XTR_CFG_F_GPE_ZERO6          = 1 << 9, /* then also without UDP checksum over IPv6 (RFC 9305 4.3.1) */
};
struct xtr_cfg {
	__u32 abi_version;
	__u32 flags;
	__u32 miss_rate;       /* miss events per second, per CPU and port */
	__u32 miss_burst;      /* for destinations seen for the first time; a quarter more is kept for those that come again */
	__u32 miss_eid_burst;  /* packets per EID and second through the ring */
	__u32 hash_seed;       /* keyed fingerprint of the miss slots; random per start */
	__u32 hz;              /* written by xtr_clock */
	__u32 native_ifindex;  /* underlay port for natively forwarded packets from xtr0; 0 none */
	__u64 jiffies;         /* written by xtr_clock */
	__u64 heartbeat_max;   /* jiffies after which a template no longer counts as fresh */
	__u32 mark;            /* of packets the kernel shall route past the EID routes (ip rule to main) */
	__u32 control_rate;    /* control messages per second, per CPU and port */
	__u32 control_burst;
	__u32 miss_source_rate; /* of miss_rate, what one source address may use, and so its burst of miss_burst */
	__u64 generation;      /* of the daemon's last complete reconciliation */
	__u32 icmp_rate;       /* ICMP errors the programs send per second and CPU (RFC 1812 4.3.2.8, RFC 4443 2.4 f) */
	__u32 icmp_burst;
	__u32 large_rate;      /* misses of more than XTR_EV_MEDIUM octets per second, per CPU */
	__u32 large_burst;
};

/* ---- xtr_ifaces: HASH, xtr_port_key -> xtr_iface. A device may have one role untagged and others for some of its VLANs. */
struct xtr_port_key {
	__u32 ifindex;
	__u32 vlan;            /* 0: frames without a tag; else 1-4094: with this 802.1Q tag (EID ports) */
};
enum xtr_role { XTR_ROLE_NONE, XTR_ROLE_UNDERLAY, XTR_ROLE_EID, XTR_ROLE_OVERLAY, XTR_ROLE_PEER,
		XTR_ROLE_HELPER /* of LISP-GPE; or above an EID port, so that what came in by it is known to be of its instance */ };
enum {
	XTR_IF_F_ROUTER_HOP   = 1 << 0, /* we are the router hop: decrement the inner TTL (EID ports, not xtr0) */
	XTR_IF_F_CSUM_PARTIAL = 1 << 1, /* veth, tap: local senders leave checksums to us; XDP leaves such packets to TC */
	XTR_IF_F_XDP_TX       = 1 << 2, /* frames may be XDP-redirected to this interface (ndo_xdp_xmit usable) */
	XTR_IF_F_XDP_GENERIC  = 1 << 3, /* XDP runs in generic mode here */
	XTR_IF_F_PEER         = 1 << 5, /* EID port: its other end is in another network namespace, and bpf_redirect_peer may
					 * be used: nothing would look at the packet on its way there */
	XTR_IF_F_PART         = 1 << 6, /* part of a bridge, bond or VRF: what the stack has of it came in by that one. What another
					 * port sends that came in here was switched */
	XTR_IF_F_FALLBACK     = 1 << 4, /* mode is slower than the one asked for (auto: than the one the driver promises) */
};
struct xtr_iface {
	__u8  role;            /* enum xtr_role */
	__u8  mode;            /* enum xtr_mode in effect */
	__u16 flags;
	__u32 iid;             /* instance of packets entering here (EID port, overlay, peer) */
	__u32 slot;            /* 0..XTR_MAX_PORTS-1: index of xtr_misstb */
	__u32 peer;            /* overlay: ifindex of the peer end; peer: of the overlay device */
	__u8  mac[6];          /* own address: frames to others on an EID port are not ours */
	__u16 mtu;
	__be32 addr4;          /* EID ports: our address in that network, source of ICMP errors; 0: none, the stack answers */
	__be32 addr6[4];       /* the same for IPv6 (a global one rather than a link-local one) */
	__u16 vlan;            /* as in the key */
	__u8  wanted;          /* enum xtr_mode of the configuration */
	__u8  why;             /* enum xtr_mode_why: of a mode that is not XDP */
};
/* For a person: no program looks at it. */
enum xtr_mode_why {
	XTR_WHY_NONE,
	XTR_WHY_SOFT,          /* virtual device: TC keeps super-packets whole, which is worth more there */
	XTR_WHY_DRIVER,        /* the driver has no native XDP, or is no Ethernet device's */
	XTR_WHY_BRIDGE,        /* port of a bridge, which would flood what XDP marks for TC if our TC program went */
	XTR_WHY_REFUSED,       /* the driver refused XDP as the device is set up */
	XTR_WHY_BUSY,          /* another XDP program is on the device */
	XTR_WHY_TAGS,          /* VLAN tags are kept outside of the frames, where XDP does not see them */
};
enum xtr_mode { XTR_MODE_NONE, XTR_MODE_AUTO, XTR_MODE_XDP, XTR_MODE_XDP_GENERIC, XTR_MODE_TC };

/* ---- xtr_inst: HASH, __u32 iid -> xtr_inst. The instances we decapsulate for. */
struct xtr_inst {
	__u32 overlay;         /* ifindex of the overlay device to deliver on; 0: none. With F_ELSEWHERE an index of another
				* network namespace */
	__u32 flags;
	__u8  mac[6];          /* of the overlay device */
	__u16 mtu;             /* of packets that its GRO may be given (through the peer end); 0: it has none */
	__u32 peer;            /* ifindex of its peer end, always here */
};
enum {
	XTR_INST_F_ELSEWHERE = 1 << 0, /* the overlay device is in another network namespace: reached through its peer end only */
	XTR_INST_F_APART     = 1 << 1, /* so, or in a VRF: the host's routes are not for it, natively forwarded packets are dropped */
};

/* ---- xtr_self: HASH, xtr_self_key -> __u32 flags. Our RLOCs. */
struct xtr_self_key {
	struct xtr_abi_ip ip;
	__u32 family;          /* enum xtr_family */
};

/* ---- xtr_local4/6: LPM_TRIE. Our EID-prefixes and own addresses. prefixlen = 32 (iid) + bits. */
struct xtr_lpm4 {
	__u32  prefixlen;
	__be32 iid;
	__be32 addr;
};
struct xtr_lpm6 {
	__u32  prefixlen;
	__be32 iid;
	__be32 addr[4];
};
enum {
	XTR_LOCAL_F_EID  = 1 << 0, /* one of our EID-prefixes: decapsulate for it, accept it as inner source */
	XTR_LOCAL_F_SELF = 1 << 1, /* an address of this host: never encapsulate to it. Longest match decides alone: an own
				    * address inside an EID-prefix carries F_EID and the map_version of the prefix too */
	XTR_LOCAL_F_GROUP = 1 << 2, /* a group whose packets are taken in from other routers */
};
struct xtr_local {
	__u32 flags;
	__u32 oif;             /* reserved for direct delivery to a port; 0: by the overlay device */
	__u16 map_version;     /* of our mapping; 0 none (RFC 9302) */
	__u16 pad;
	__u32 generation;      /* reconciliation that wrote it; older ones are swept */
};

/* ---- xtr_eid4/6: LPM_TRIE, same keys. The map-cache. */
enum xtr_action {              /* 0-5 as on the wire (RFC 9301 5.4) for negative entries */
	XTR_ACT_NO_ACTION = 0,
	XTR_ACT_NATIVE = 1,
	XTR_ACT_SEND_REQUEST = 2,
	XTR_ACT_DROP = 3,
	XTR_ACT_DROP_POLICY = 4,
	XTR_ACT_DROP_AUTH = 5,
	XTR_ACT_ENCAP = 8,     /* positive: use rset */
};
struct xtr_eid {
	__u8  action;          /* enum xtr_action */
	__u8  flags;
	__u16 map_version;     /* destination map-version; 0 none */
	__u32 rset;            /* locator-set id; valid with XTR_ACT_ENCAP */
	__u32 hold;            /* 0, or 1 + index into xtr_hold: keep order behind queued packets */
	__u32 generation;
	__u64 used;            /* jiffies of last use, written by the programs at most once a second */
};

/* ---- xtr_rset: HASH, __u32 id -> xtr_rset. Replaced as one element. */
struct xtr_rset {
	__u8  n;               /* locators, 0..8; 0: nothing usable */
	__u8  flags;
	__u16 pad;
	__u32 version;
	__u32 rloc[XTR_MAX_LOCATORS]; /* ids in xtr_rloc; order of the mapping (LSB ordinal) */
	__u8  bucket[XTR_BUCKETS];    /* index into rloc[] by flow hash */
};

/* ---- xtr_rloc: HASH, __u32 id -> xtr_rloc. Header template of one (own RLOC, peer RLOC) pair. */
enum {
	XTR_RLOC_F_UP     = 1 << 0,
	XTR_RLOC_F_L2     = 1 << 1, /* dmac/smac are resolved; still subject to the heartbeat */
	XTR_RLOC_F_XDP_TX = 1 << 2, /* XDP may redirect out of ifindex */
	XTR_RLOC_F_GPE    = 1 << 3, /* peer speaks RFC 9305 */
	XTR_RLOC_F_NAT    = 1 << 4, /* fixed source port sport */
	XTR_RLOC_F_CSUM   = 1 << 5, /* non-zero UDP checksum wanted */
	XTR_RLOC_F_PMTU   = 1 << 6, /* mtu was learned from ICMP (for those who look, not for the programs) */
};
struct xtr_rloc {
	struct xtr_abi_ip src; /* our RLOC */
	struct xtr_abi_ip dst; /* theirs */
	__u8   family;         /* enum xtr_family of the outer header */
	__u8   flags2;
	__u16  flags;
	__u32  ifindex;        /* underlay port */
	__u64  heartbeat;      /* jiffies when the daemon last vouched for dmac; stale: the kernel resolves */
	__u8   dmac[6];
	__u8   smac[6];
	__be16 dport;          /* 4341, or the NAT-translated port */
	__be16 sport;          /* with XTR_RLOC_F_NAT */
	__u32  csum;           /* IPv4: sum, not folded, of the header's ten 16-bit words as they lie in memory (each loaded as
				* a native __u16), with tos, length, id, TTL and checksum as 0, DF set, protocol UDP */
	__u16  mtu;            /* path MTU of the underlay to dst; 0: of the interface */
	__u16  map_version;
	__u32  generation;
	__u32  stat;           /* index of its counters in xtr_rlstat */
};

/*
 * ---- xtr_mcast4/6: LPM_TRIE. Which list a multicast packet is replicated by. prefixlen = 32 (iid) + bits of the group + bits
 * of the source, so that one lookup is the longest match, on the group first: (S,G) has all bits, (*,G) ends after the group,
 * a group prefix within it. The group prefix of one source cannot be said so and is refused.
 */
struct xtr_mc4 {
	__u32  prefixlen;
	__be32 iid;
	__be32 group;
	__be32 source;
};
struct xtr_mc6 {
	__u32  prefixlen;
	__be32 iid;
	__be32 group[4];
	__be32 source[4];
};
struct xtr_mcast {
	__u32 repl;            /* id of the list */
	__u32 parts;           /* of XTR_REPL_MAX members each; more than one only for XTR_IID_MAX */
	__u32 generation;
	__u32 pad;
	__u64 packets;         /* replicated; copies that were sent; both counted by the programs */
	__u64 copies;
};

/* ---- xtr_repl: HASH, xtr_repl_key -> xtr_repl. One part of a list, replaced as one element. */
struct xtr_repl_key {
	__u32 id;
	__u32 part;
};
struct xtr_repl {
	__u32 n;               /* members, 0..XTR_REPL_MAX */
	__u32 flags;
	__u32 generation;
	__u32 pad;
	__u32 rloc[XTR_REPL_MAX]; /* ids in xtr_rloc; those of one family together, or room is made anew at each change */
};

/*
 * ---- Replication by XDP (bpf/fan.h): a list whose copies XDP can send itself. These maps belong to the programs that were loaded with
 * them, and are never taken over by others: until the next daemon has filled its own, TC replicates.
 * xtr_fanof: HASH, __u32 list -> xtr_fanof. xtr_fan: ARRAY(XTR_FANS), written before xtr_fanof names it, and not again until no packet
 * can be on its way by it. xtr_fandev: ARRAY_OF_MAPS(XTR_FAN_SHAPES) of DEVMAP, one entry for each copy; lists whose copies leave by
 * the same ports share one. xtr_fanout: DEVMAP_HASH, ifindex -> the port, for all frames of XDP. xtr_fancpu: PERCPU_ARRAY(XTR_MAX_PORTS + 1), slot of the
 * port -> which copy is next; the last one: number of the packet replicated last.
 */
struct xtr_fanof {
	__u64 heartbeat;       /* jiffies when the daemon last vouched for the whole of it */
	__u32 fan;             /* index in xtr_fan */
	__u32 pad;
};
struct xtr_fan_port {
	__u32 ifindex;
	__u16 slot;            /* as in xtr_iface */
	__u8  from, n;         /* its copies: to[from] and so on */
};
struct xtr_fan {
	__u32 n;               /* copies, 1..XTR_REPL_MAX, those of one port together */
	__u32 shape;           /* index in xtr_fandev */
	__u32 mtu;             /* largest inner packet that fits the path of every copy */
	__u32 room;            /* octets of the longest outer headers among them */
	struct xtr_fan_port port[XTR_FAN_PORTS];
	struct xtr_rloc to[XTR_REPL_MAX];
};
struct xtr_fancpu {
	__u32 packet;
	__u32 next;
};
/* XDP metadata of a packet on its way from xtr_xdp_eid to xtr_xdp_copy: nobody else sees them. */
#define XTR_FAN_MAGIC 0x66616e31u /* "fan1" */
struct xtr_fan_meta {
	__u32 magic;
	__u32 packet;          /* number on this CPU */
	__u32 fan;
	__u32 hash;            /* of the flow */
	__u32 iid;
	__u16 len;             /* of the inner packet; its family, traffic class and TTL as it leaves: */
	__u8  family, tos;
	__u8  ttl, pad[3];
};

/* ---- xtr_ctlsrc: LPM_TRIE -> __u32 flags. Outer sources that control messages (instance XTR_IID_MAX) are taken from. */
struct xtr_ctlsrc {
	__u32  prefixlen;      /* 32 (family) + bits */
	__be32 family;         /* enum xtr_family */
	__be32 addr[4];
};

/* Room for reasons and counters to come: a new one must not change the size of a pinned map. */
#define XTR_DROP_SLOTS 128
#define XTR_STAT_SLOTS 64

/* ---- xtr_rlstat, xtr_stats: PERCPU_ARRAY -> xtr_count (its last slots are parts of others: enum xtr_stat_part). xtr_drops: PERCPU_ARRAY, reason -> __u64. */
struct xtr_count {
	__u64 packets;
	__u64 octets;          /* of inner packets */
};
/* What was counted under a part (enum xtr_stat_part) belongs to these. */
static inline void xtr_stat_add_part(struct xtr_count all[XTR_STAT_MAX], unsigned part, __u64 packets, __u64 octets)
{
	static const __u8 of[][3] = {
		[XTR_STAT_BY_XDP_ENCAP - XTR_STAT_PARTS_FROM] = { XTR_STAT_ENCAP, XTR_STAT_ENCAP_XDP, XTR_STAT_MAX },
		[XTR_STAT_BY_XDP_DECAP - XTR_STAT_PARTS_FROM] = { XTR_STAT_DECAP, XTR_STAT_DECAP_XDP, XTR_STAT_MAX },
		[XTR_STAT_BY_XDP_DIRECT - XTR_STAT_PARTS_FROM] = { XTR_STAT_DECAP, XTR_STAT_DECAP_XDP, XTR_STAT_DIRECT },
	};

	for (unsigned i = 0; i < 3; i++) {
		unsigned stat = of[part - XTR_STAT_PARTS_FROM][i];

		if (stat < XTR_STAT_MAX) {
			all[stat].packets += packets;
			all[stat].octets += octets;
		}
	}
}

/* ---- xtr_misstb: PERCPU_ARRAY(XTR_BUCKETS_TB), slot -> token bucket; those after the ports': events XTR_EV_DROP, ICMP errors,
 * large misses. That of an underlay port is for XTR_EV_CONTROL, in units of control_rate and control_burst */
#define XTR_TRACE_SLOT XTR_MAX_PORTS
#define XTR_ICMP_SLOT  (XTR_MAX_PORTS + 1)
#define XTR_LARGE_SLOT (XTR_MAX_PORTS + 2)
#define XTR_BUCKETS_TB (XTR_MAX_PORTS + 8)
struct xtr_misstb {
	__u64 jiffies;
	__u64 tokens;          /* in units of 1/hz event */
};
/* ---- xtr_misssrc: PERCPU_ARRAY(XTR_SOURCE_SLOTS), keyed hash of (port, iid, source) mod slots -> token bucket */
/* ---- xtr_misssl: ARRAY(XTR_MISS_SLOTS), keyed hash of (iid, destination) mod slots; the fingerprint is what is left of the hash */
struct xtr_missslot {
	__u16 fingerprint;     /* of the destination whose packets went up last */
	__u16 window;          /* when: jiffies / hz */
	__u16 count;           /* how many in that window */
	__u16 refused;         /* 13 bits of the window in which one was refused last, 3 bits: how many newcomers in it */
	__u64 seen;            /* the last four refused, the latest lowest: 2 bits of the window, 14 of the fingerprint each */
};
/* ---- xtr_hold: ARRAY(XTR_HOLD_SLOTS), mmapable. One writer per counter. */
struct xtr_hold {
	__u32 queued;          /* BPF: packets of this EID submitted while held */
	__u32 drained;         /* daemon: of these, injected or dropped */
	__u64 deadline;        /* jiffies; after it packets go direct whatever the counts say */
};
/* ---- xtr_gen: ARRAY(1) of __u32[XTR_GEN_SLOTS], mapped by the daemon, starting at 1 (0: nothing may be cached). The programs keep copies of what they
 * have looked up, each with the generation that was read before the lookup; the daemon writes first and bumps then.
 * Below XTR_GEN_SHARDS: by instance and address, bumped after every change of xtr_eid, xtr_rset and xtr_local below the shard.
 * A prefix shorter than XTR_GEN_BITS4/6 lies in several shards: then all of them are bumped. Addresses in host order. */
#define XTR_GEN_PORTS (XTR_GEN_SHARDS + 0) /* xtr_ifaces, xtr_self, xtr_inst */
#define XTR_GEN_RLOCS (XTR_GEN_SHARDS + 1) /* xtr_rloc, but for the heartbeat */
#define XTR_GEN_WAYS  (XTR_GEN_SHARDS + 2) /* routes, rules, neighbours of hosts at EID ports */
#define XTR_GEN_BEAT  (XTR_GEN_SHARDS + 3) /* no generation: jiffies, cut to 32 bits, when the daemon last looked after this host */
#define XTR_GEN_SLOTS (XTR_GEN_SHARDS + 8)
#define XTR_GEN_BITS4 16
#define XTR_GEN_BITS6 48
static inline __u32 xtr_gen_shard4(__u32 iid, __u32 addr)
{
	return (iid * 0x9e3779b1u ^ (addr >> 16) * 0x85ebca6bu) >> 24;
}
static inline __u32 xtr_gen_shard6(__u32 iid, __u32 word0, __u32 word1)
{
	return (iid * 0x9e3779b1u ^ word0 * 0x85ebca6bu ^ (word1 >> 16) * 0xc2b2ae35u) >> 24;
}

/*
 * The flow hash, which chooses the locator and the outer source port (RFC 9300 12): addresses (those of IPv4 end in zeros), ports
 * as they lie in memory (0 where there are none to be seen), protocol. Not the kernel's skb hash: both hooks, and a packet before and
 * after its way through the daemon, must get the same value. Products that do not wait for each other, then all bits mixed.
 */
static inline __u64 xtr_flow_pair(__u32 low, __u32 high)
{
	/* The last octets differ most, and lie on top of little-endian words, where a product would not spread them. */
	return __builtin_bswap64(low | (__u64)high << 32);
}
static inline __u32 xtr_flow_hash_of(const __u32 *src, const __u32 *dst, __u32 ports, __u32 proto)
{
	__u64 h = xtr_flow_pair(src[0], src[1]) * 0x9e3779b97f4a7c15ull + xtr_flow_pair(src[2], src[3]) * 0xc2b2ae3d27d4eb4full +
		  xtr_flow_pair(dst[0], dst[1]) * 0x165667b19e3779f9ull + xtr_flow_pair(dst[2], dst[3]) * 0xd6e8feb86659fd93ull +
		  xtr_flow_pair(ports, proto) * 0xff51afd7ed558ccdull;

	h = (h ^ h >> 32) * 0xe7037ed1a0b428dbull;
	h = (h ^ h >> 32) * 0x8ebc6af09c88c6e3ull;
	return h >> 32;
}
/*
 * Outer source port of a flow, by its hash. Not of the lowest 8 bits, which choose the locator (xtr_rset.bucket): or all flows to
 * one of two locators would have even ports, and of two equal paths on the way there one would be idle.
 */
static inline __u16 xtr_flow_port(__u32 hash)
{
	return 0xc000 | (hash >> 8 & 0x3fff);
}

/* ---- xtr_events: RINGBUF */
enum xtr_ev_type { XTR_EV_MISS = 1, XTR_EV_DROP = 2, XTR_EV_CONTROL = 3, XTR_EV_REQUEST = 4 };
#define XTR_EV_SMALL  256
#define XTR_EV_MEDIUM 2048
#define XTR_EV_LARGE  66000
struct xtr_event {             /* followed by caplen octets of the frame, Ethernet header first */
	__u8  type;            /* enum xtr_ev_type. MISS: packet captured, to be queued and injected.
				* REQUEST: ask the mapping system, packet is not queued (act 2): the program
				* has dropped it (XTR_DROP_NEG_REQUEST), the frame is cut to XTR_EV_SMALL.
				* CONTROL: the whole frame of a control message from one of xtr_ctlsrc, outer
				* headers and all; family, src: of the outer header */
	__u8  family;          /* of the EID */
	__u16 reason;          /* XTR_EV_DROP: enum xtr_drop_reason */
	__u32 ifindex;         /* where the packet entered (xtr0, its peer, or EID port) */
	__u32 iid;
	__u32 len;             /* of the frame */
	__u32 caplen;
	__u32 gso_size;
	__u32 gso_segs;
	__u32 hold;            /* xtr_eid.hold when captured to keep order, else 0 */
	struct xtr_abi_ip dst; /* destination EID */
	struct xtr_abi_ip src;
	__u32 vlan;            /* as in xtr_port_key; the frame comes without its tag */
	__u32 flags;           /* XTR_EV_F_*, and XTR_EV_TIME() */
};
enum {
	XTR_EV_F_AGAIN = 1 << 0, /* this destination was refused, or asked for, in one of the two seconds before: not a passer-by */
	XTR_EV_F_TIMED = 1 << 1, /* the highest 24 bits say when, in 64 jiffies: a packet must not come out of the ring of a daemon that
				  * was stopped days after it was sent. Programs of before leave them 0 */
};
#define XTR_EV_TIME_BITS 24
#define XTR_EV_TIME_TICK 64
#define XTR_EV_TIME(jiffies) ((__u32)((jiffies) / XTR_EV_TIME_TICK) << (32 - XTR_EV_TIME_BITS))

/*
 * ---- XDP metadata: instance ID of a decapsulated packet on its way to TC. During an upgrade the programs are replaced one by
 * one: TC takes every version from XTR_META_OLDEST to its own, and TC is replaced before XDP, so none is unknown. A new version
 * keeps magic and version where they are, and raises XTR_META_OLDEST to the one before it at most.
 */
#define XTR_META_MAGIC   0x4c495350u /* "LISP" */
#define XTR_META_VERSION 1
#define XTR_META_OLDEST  1
enum {
	XTR_META_F_GENERIC = 1 << 0, /* from generic XDP: a checksum over the whole packet is wrong now */
};
struct xtr_meta {
	__u32 magic;
	__u16 version;
	__u16 flags;           /* those that are not known are ignored */
	__u32 iid;
	__u32 pad;
};
/* Destination MAC of a frame XDP has decapsulated: nobody owns it, so without our TC program it dies. */
#define XTR_NOBODY_MAC { 0x02, 0x4c, 0x49, 0x53, 0x50, 0x00 }

/*
 * Switches in .rodata, set by the loader between open and load (skel->rodata->...):
 *   xtr_hz          __u32, CONFIG_HZ = 1e9 / clock_getres(CLOCK_MONOTONIC_COARSE) in ns (default 250); xtr_clock copies it
 *                   to xtr_cfg.hz. Not an extern __kconfig: loading would fail where no kernel configuration can be read.
 *   feat_decap_l3   __u8, kernel has BPF_F_ADJ_ROOM_DECAP_L3_* (6.3); default 0: works everywhere
 *   feat_meta       __u8, XDP metadata usable; default 1; 0: xtr_xdp_under leaves everything to TC
 *   meta_version    __u16, XTR_META_VERSION; tests of upgrades load programs of other versions
 */

#define XTR_ABI_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type " changed: raise XTR_ABI_VERSION")
XTR_ABI_SIZE(struct xtr_cfg, 88);
XTR_ABI_SIZE(struct xtr_iface, 48);
XTR_ABI_SIZE(struct xtr_port_key, 8);
XTR_ABI_SIZE(struct xtr_inst, 20);
XTR_ABI_SIZE(struct xtr_self_key, 20);
XTR_ABI_SIZE(struct xtr_lpm4, 12);
XTR_ABI_SIZE(struct xtr_lpm6, 24);
XTR_ABI_SIZE(struct xtr_local, 16);
XTR_ABI_SIZE(struct xtr_eid, 24);
XTR_ABI_SIZE(struct xtr_rset, 296);
XTR_ABI_SIZE(struct xtr_rloc, 80);
XTR_ABI_SIZE(struct xtr_event, 72);
XTR_ABI_SIZE(struct xtr_meta, 16);
XTR_ABI_SIZE(struct xtr_hold, 16);
XTR_ABI_SIZE(struct xtr_missslot, 16);
XTR_ABI_SIZE(struct xtr_mc4, 16);
XTR_ABI_SIZE(struct xtr_mc6, 40);
XTR_ABI_SIZE(struct xtr_mcast, 32);
XTR_ABI_SIZE(struct xtr_repl_key, 8);
XTR_ABI_SIZE(struct xtr_repl, 272);
XTR_ABI_SIZE(struct xtr_ctlsrc, 24);
XTR_ABI_SIZE(struct xtr_fanof, 16);
XTR_ABI_SIZE(struct xtr_fan, 5168);
XTR_ABI_SIZE(struct xtr_fancpu, 8);
XTR_ABI_SIZE(struct xtr_fan_meta, 28);
_Static_assert(XTR_DROP_MAX <= XTR_DROP_SLOTS && (int)XTR_STAT_MAX <= (int)XTR_STAT_PARTS_FROM, "more counters than slots");

#endif
