/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Why a packet was dropped, and what was counted: one list each, from which come
 * the enums of both sides, the names xtrctl prints, and the documentation.
 * Append only: the numbers are part of the ABI (xtr_drops and xtr_stats maps).
 *
 *   X(symbol, "name", "what it means and what to do about it")
 */
#ifndef XTR_REASONS_H
#define XTR_REASONS_H

#define XTR_DROP_REASONS(X) \
	X(NONE,            "none",              "not a drop") \
	X(ENCAP_MALFORMED, "encap-malformed",   "inner packet to encapsulate is truncated or its lengths disagree") \
	X(ENCAP_TTL,       "encap-ttl",         "inner TTL or hop limit reached 0 at this router") \
	X(ENCAP_SOURCE,    "encap-source",      "inner source is not one of our EID-prefixes of the instance (add it to etr.database)") \
	X(ENCAP_SCOPE,     "encap-scope",       "link-local, loopback or multicast address that is never tunnelled") \
	X(ENCAP_NO_IFACE,  "encap-no-iface",    "packet on an interface that has no role (see xtrctl iface)") \
	X(ENCAP_LOOP,      "encap-loop",        "packet is already LISP encapsulated to one of our locators, or was looped back") \
	X(NEG_NO_ACTION,   "negative-no-action","negative map-cache entry, action no-action (RFC 9301 5.4)") \
	X(NEG_DROP,        "negative-drop",     "negative map-cache entry, action drop (RFC 9301 5.4)") \
	X(NEG_POLICY,      "negative-policy",   "negative map-cache entry, action drop: policy denied by the mapping system") \
	X(NEG_AUTH,        "negative-auth",     "negative map-cache entry, action drop: authentication failed at the mapping system") \
	X(NATIVE_NO_ROUTE, "native-no-route",   "natively-forward, but there is no underlay interface to forward on") \
	X(NO_LOCATOR,      "no-locator",        "the locator-set has no usable locator (down, R bit 0, family without own RLOC, or no route to it: ip route get RLOC; see xtrctl cache show)") \
	X(NO_RSET,         "no-rset",           "map-cache entry names a locator-set that is not there (map in change)") \
	X(MISS_LIMITED,    "miss-limited",      "map-cache miss above the rate limit of the port or instance") \
	X(MISS_EID_LIMITED,"miss-eid-limited",  "too many packets of one EID while its mapping is being resolved") \
	X(MISS_RING_FULL,  "miss-ring-full",    "map-cache miss, the ring buffer to the daemon is full (is xtrd running?)") \
	X(MISS_TOO_BIG,    "miss-too-big",      "map-cache miss of a packet larger than any size class") \
	X(MISS_INJECTED,   "miss-injected",     "an injected packet found no map-cache entry again") \
	X(ENCAP_ROOM,      "encap-room",        "the kernel gave no room for the outer header") \
	X(ENCAP_TOO_BIG,   "encap-too-big",     "encapsulated packet exceeds 65535 octets") \
	X(DECAP_TRUNCATED, "decap-truncated",   "LISP packet shorter than its headers, or UDP length wrong") \
	X(DECAP_INNER,     "decap-inner",       "inner packet is not a complete IPv4 or IPv6 packet") \
	X(DECAP_IID,       "decap-iid",         "instance ID is not configured here") \
	X(DECAP_NOT_LOCAL, "decap-not-local",   "inner destination is none of our EID-prefixes of the instance") \
	X(DECAP_SOURCE,    "decap-source",      "outer source is no locator of the mapping of the inner source") \
	X(DECAP_ADDRESS,   "decap-address",     "inner source is multicast, or an inner address is loopback or link-local") \
	X(DECAP_ECN,       "decap-ecn",         "congestion was marked on a packet that does not do ECN (RFC 6040 4.2)") \
	X(DECAP_TTL,       "decap-ttl",         "outer TTL is 0") \
	X(DECAP_KEY,       "decap-key",         "KK bits set: encrypted with a key we do not have") \
	X(DECAP_VERSION,   "decap-map-version", "map-version present but our mapping has none, or it is newer than ours (RFC 9302 7.1)") \
	X(DECAP_CONTROL,   "decap-control",     "control message in a data packet (instance ID 0xffffff) from a source that is neither a member of our group nor in decent.push.accept-from or peers") \
	X(DECAP_ROOM,      "decap-room",        "the kernel refused to remove the outer header") \
	X(DECAP_NESTED,    "decap-nested",      "more than two LISP headers") \
	X(DECAP_NO_OVERLAY,"decap-no-overlay",  "no overlay device for the instance to deliver on") \
	X(META_VERSION,    "meta-version",      "XDP metadata of an unknown version") \
	X(INJECT_MARK,     "inject-mark",       "injected packet without the interface it came from") \
	X(QUEUE_EID_FULL,  "queue-eid-full",    "daemon: queue of an EID being resolved is full") \
	X(QUEUE_FULL,      "queue-full",        "daemon: queue of all EIDs being resolved is full") \
	X(QUEUE_TIMEOUT,   "queue-timeout",     "daemon: the mapping system did not answer in time") \
	X(QUEUE_NEGATIVE,  "queue-negative",    "daemon: the mapping turned out negative") \
	X(INJECT_FAILED,   "inject-failed",     "daemon: the kernel refused an injected packet") \
	X(NEG_REQUEST,     "negative-request",  "negative map-cache entry, action send-map-request: asked for, the packet is not queued") \
	X(ENCAP_CROSS,     "encap-cross",       "came in from another instance: the host's routes lead from one overlay or EID port into another") \
	X(CONTROL_LIMITED, "control-limited",   "control message in a data packet above the rate limit of the port") \
	X(CONTROL_LOST,    "control-lost",      "control message in a data packet, the ring buffer to the daemon is full (is xtrd running?)") \
	X(REPL_NO_LIST,    "replicate-no-list", "control message to a group that has no replication list (any more)") \
	X(REPL_TOO_BIG,    "replicate-too-big", "copy of a multicast packet that does not fit the path to its locator") \
	X(REPL_FAILED,     "replicate-failed",  "copy of a multicast packet that the kernel did not make or send") \
	X(CONTROL_BAD,     "control-malformed", "daemon: what came as control message is no whole IP packet with UDP to port 4342, or its checksum is wrong") \
	X(ENCAP_MTU,       "encap-mtu",         "larger than the path to the locator; the sender is told by ICMP where it may not be fragmented") \
	X(ENCAP_NESTED,    "encap-nested",      "packet to encapsulate has two LISP headers already") \
	X(MISS_SOURCE,     "miss-source-limited", "map-cache miss above what one source may cause (data-plane.miss-source-rate)") \
	X(MISS_LARGE,      "miss-large-limited", "map-cache miss of a large packet above the rate limit of those") \
	X(SLOW_LIMITED,    "slow-limited",      "daemon: LISP packet in fragments or with IP options above data-plane.slow-rate") \
	X(SLOW_BAD,        "slow-malformed",    "daemon: reassembled LISP packet that is truncated or does not fit a frame") \
	X(OVERLAY_GONE,    "overlay-gone",      "overlay device or its network namespace is gone") \
	X(NOT_ASKED,       "not-asked",         "daemon: the EID is not asked for: more new ones than limits.requests-per-second, or unanswered lately") \
	X(DECAP_PROTOCOL,  "decap-next-protocol", "LISP-GPE with a next protocol other than IPv4 and IPv6 (RFC 9305 3)") \
	X(DECAP_CHECKSUM,  "decap-gpe-checksum", "LISP-GPE over IPv6 without UDP checksum, which is not configured here (RFC 9305 4.3.1)")

enum xtr_drop_reason {
#define X(sym, name, text) XTR_DROP_##sym,
	XTR_DROP_REASONS(X)
#undef X
	XTR_DROP_MAX,
};

/* Counters that are not drops; each counts packets and inner octets. */
#define XTR_STATS(X) \
	X(ENCAP,        "encap",         "packets encapsulated") \
	X(DECAP,        "decap",         "packets decapsulated") \
	X(ENCAP_XDP,    "encap-xdp",     "of these, encapsulated by XDP") \
	X(DECAP_XDP,    "decap-xdp",     "of these, decapsulated by XDP") \
	X(MISS,         "miss",          "map-cache misses") \
	X(MISS_EVENT,   "miss-event",    "misses handed to the daemon with their packet") \
	X(NATIVE,       "native",        "packets forwarded natively") \
	X(INJECT,       "inject",        "packets injected by the daemon and encapsulated") \
	X(PASS,         "pass",          "packets on attached ports that were not ours, untouched") \
	X(FALLBACK,     "fallback",      "encapsulated with the kernel resolving layer 2 (template expired or incomplete)") \
	X(GSO_PEER,     "gso-peer",      "UDP GSO packets passed to the peer end for segmentation") \
	X(ECN_ODD,      "ecn-odd",       "decapsulated with an ECN combination that RFC 6040 says to log") \
	X(HELD,         "held",          "packets sent through the daemon to keep the order behind queued ones") \
	X(XDP_TO_TC,    "xdp-to-tc",     "packets XDP left to TC") \
	X(REPL,         "replicate",     "multicast packets that met a replication list") \
	X(REPL_COPY,    "replicate-copy","copies of these that were sent") \
	X(CONTROL,      "control",       "control messages in data packets (instance ID 0xffffff) handed to the daemon") \
	X(ICMP_TOO_BIG, "icmp-too-big",  "packets too big for their path, answered with ICMP by the programs") \
	X(ICMP_LIMITED, "icmp-limited",  "packets too big for their path, not answered: above the rate limit of ICMP errors") \
	X(MSS_CLAMPED,  "mss-clamped",   "TCP SYNs whose MSS option was lowered") \
	X(SLOW,         "slow-path",     "LISP packets in fragments or with IP options, reassembled by the kernel, decapsulated by way of the daemon") \
	X(REROUTED,     "rerouted",      "of `fallback`: sent another way than the template says, by the routes of the host") \
	X(PATH_MTU,     "path-mtu",      "messages about the path MTU to a locator that were believed") \
	X(PATH_MTU_BAD, "path-mtu-bad",  "such messages that were not: not about a packet of ours") \
	X(MODE_FALLBACK, "mode-fallback", "interfaces that run in a slower mode than asked for or promised by their driver") \
	X(DIRECT,       "direct",        "of `decap`: handed straight to the EID port of the host") \
	X(REPL_XDP,     "replicate-xdp", "of `replicate`: copied by XDP") \
	X(GRO,          "decap-gro",     "of `decap`: TCP in single packets, handed to the GRO of the overlay device")

enum xtr_stat {
#define X(sym, name, text) XTR_STAT_##sym,
	XTR_STATS(X)
#undef X
	XTR_STAT_MAX,
};

/*
 * What XDP does with most packets is counted in one place for each packet, and belongs to several of the counters above: the last
 * slots of xtr_stats. Whoever reads adds them up (xtr_stat_add_part).
 */
enum xtr_stat_part {
	XTR_STAT_BY_XDP_ENCAP  = 63, /* of XTR_STAT_ENCAP and _ENCAP_XDP */
	XTR_STAT_BY_XDP_DECAP  = 62, /* of XTR_STAT_DECAP and _DECAP_XDP */
	XTR_STAT_BY_XDP_DIRECT = 61, /* of those and XTR_STAT_DIRECT */
	XTR_STAT_PARTS_FROM    = 61,
};

#endif
