/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the control plane is configured with: plain values, already validated by daemon/config.
 * Arrays are owned by the caller and outlive the node, or until the next xtr_node_reconfigure().
 * Durations are in milliseconds unless the name says otherwise. Defaults are the RFC's values
 * (XTR_NODE_TIMERS_DEFAULT).
 */
#ifndef XTR_CORE_CONFIG_H
#define XTR_CORE_CONFIG_H

#include "codec/decent.h"
#include "codec/eid.h"

struct xtr_key {
	uint8_t key_id;
	uint8_t alg_id;        /* enum xtr_auth_alg */
	const uint8_t *secret; /* NULL with XTR_AUTH_NONE */
	size_t secret_len;
};

struct xtr_rloc_config { /* one of our own RLOCs, or a static locator of a mapping */
	struct xtr_ip ip;
	uint8_t priority, weight, mpriority, mweight;
};

enum { XTR_GPE_IP4 = 1, XTR_GPE_IP6 = 2 };
struct xtr_mapping_config { /* etr.database: what we are authoritative for */
	struct xtr_eid_prefix eid;
	uint32_t ttl_min;                    /* record TTL, minutes; default 1440 */
	uint16_t map_version;                /* 0 none */
	const struct xtr_rloc_config *rlocs; /* locator-set; sorted by the roles before use */
	uint8_t rloc_count;
	uint8_t gpe; /* XTR_GPE_*: the record says that our RLOCs of these families take LISP-GPE (RFC 9305 5) */
};

struct xtr_map_server_config { /* etr.map-servers */
	struct xtr_ip address;
	struct xtr_key key;
	bool proxy_reply; /* P */
	bool want_notify; /* M in quick registration and now and then later */
	bool merge;       /* a */
	bool use_ttl;     /* T */
};

struct xtr_site_prefix_config {
	struct xtr_eid_prefix eid;
	bool accept_more_specifics;
};
struct xtr_site_config { /* map-server.sites */
	const char *name;
	const struct xtr_key *keys;
	unsigned key_count;
	const struct xtr_site_prefix_config *prefixes;
	unsigned prefix_count;
	bool replay_off;            /* accept nonces that do not grow; strict by default */
	bool force_proxy;           /* answer for the ETR whatever its P bit says */
	unsigned max_registrations; /* bound with accept-more-specifics; default 10000 */
};

struct xtr_node_timers {
	uint32_t register_interval;    /* 60000; 9301 8.2 */
	uint32_t quick_interval;       /* 20000; 9301 8.2 */
	uint32_t quick_duration;       /* 300000; 9301 8.2 */
	uint32_t registration_timeout; /* 180000; 9301 8.2 */
	uint32_t notify_retry_first;   /* 1000; Map-Register retransmission, doubling (9301 5.7) */
	uint32_t notify_retry_max;     /* 60000 */
	uint32_t request_interval;     /* 1000: Map-Request per EID-prefix (9301 5.3) */
	uint32_t request_retry_first;  /* 1000: first retransmission; then doubling */
	uint32_t request_retry_max;    /* 32000 */
	uint32_t request_retries;      /* 10 (9301 5.3) */
	uint32_t request_holdoff;      /* 30000 after the retries (9301 5.3) */
	uint32_t resolver_rest; /* 30000: an unresponsive Map-Resolver is tried last for so long */
	uint32_t negative_ttl_min;     /* 15; 9301 8.1 */
	uint32_t unregistered_ttl_min; /* 1; 9301 8.3 */
	uint32_t reply_interval;       /* 3000: same (EID-prefix, P) to one RLOC (9301 5.4) */
	uint32_t max_ttl_min; /* 10080: cap on received TTLs, so that no mapping stays for ever */
	uint32_t refresh_percent; /* 90: an entry in use is asked for again at so much of its TTL */
	uint32_t adopt_lifetime;  /* 300000: entries found in the kernel at start */
	uint32_t ms_request_interval; /* notify, unsolicited: 3000 */
};
#define XTR_NODE_TIMERS_DEFAULT \
	{ \
		.register_interval = 60000, .quick_interval = 20000, .quick_duration = 300000, \
		.registration_timeout = 180000, .notify_retry_first = 1000, \
		.notify_retry_max = 60000, \
		.request_interval = 1000, .request_retry_first = 1000, .request_retry_max = 32000, \
		.request_retries = 10, .request_holdoff = 30000, .resolver_rest = 30000, \
		.negative_ttl_min = 15, .unregistered_ttl_min = 1, .reply_interval = 3000, \
		.max_ttl_min = 10080, .refresh_percent = 90, .adopt_lifetime = 300000, \
		.ms_request_interval = 3000 \
	}

struct xtr_node_limits {
	uint32_t cache_entries;       /* 100000 positive and negative; LRU eviction */
	uint32_t pending_requests;    /* 10000; oldest dropped */
	uint32_t registrations;       /* 1000000 */
	uint32_t requests_per_second; /* 1000: global token bucket of Map-Requests we originate */
	uint32_t replies_per_second;  /* 100000: global */
	uint32_t replies_per_rloc;    /* 1000: of different EID-prefixes, to one ITR-RLOC */
	/* 8, 16: shortest prefix accepted in a positive Map-Reply unless it was asked for: a forged
	 * or wrong answer must not draw all traffic. 0 allows default routes. */
	uint8_t shortest_ip4, shortest_ip6;
	uint8_t hole_ip4, hole_ip6; /* 0, 0: shortest negative prefix we hand out */
};
#define XTR_NODE_LIMITS_DEFAULT \
	{ \
		.cache_entries = 100000, .pending_requests = 10000, .registrations = 1000000, \
		.requests_per_second = 1000, .replies_per_second = 100000, \
		.replies_per_rloc = 1000, \
		.shortest_ip4 = 8, .shortest_ip6 = 16 \
	}

/* --- LISP-Decent */
struct xtr_index_key { /* X13: a key of its own for one index */
	uint32_t index;
	struct xtr_key key;
};
/* Decent-Pull (RFC 9962 5): Map-Servers are found by DNS. */
struct xtr_pull_config {
	struct xtr_decent_hash hash;
	const char *suffix; /* names are "<index>.<suffix>" */
	/* How to register there: key and flags; the address is not used. */
	struct xtr_map_server_config server;
	const struct xtr_index_key *keys;
	unsigned key_count;
	bool short_everywhere; /* R-8, X9: too short prefixes are registered at every index; else not at
				  all, shown as a problem */
	bool require_dnssec; /* answers without AD are not used */
	bool allow_loopback; /* of addresses in answers; multicast, unspecified, broadcast never are */
	bool allow_private;
	uint8_t family;         /* 4, 6; 0: both */
	uint8_t max_addresses;  /* of one name, 1..16; the numerically first ones */
	uint32_t ttl_min, ttl_max;     /* of DNS answers, ms: 30 s, 3600 s */
	uint32_t retry_min, retry_max; /* after a failure, doubling: 5 s, 300 s */
	/* After a change of hash or suffix: so long both are registered and old is asked after new,
	 * ms; 24 h. */
	uint32_t change_window;
};
enum xtr_group_transport { XTR_GROUP_UNDERLAY, XTR_GROUP_OVERLAY };
/* Where a group's (*,G) memberships are registered and looked up. */
enum xtr_group_via { XTR_VIA_SELF, XTR_VIA_CORE /* groups[] with core set */, XTR_VIA_PULL };
/* A seed-group of Decent-Push (RFC 9962 4). */
struct xtr_group_config {
	struct xtr_ip group;
	bool member; /* we are in it: receive, store */
	bool own;    /* our EID-prefixes are registered here; exactly one group has it */
	bool core;   /* other groups' memberships are registered here */
	bool all_eids; /* core, D-35: our EID-prefixes too, besides those of the own group */
	uint8_t transport; /* enum xtr_group_transport */
	uint8_t via;       /* enum xtr_group_via */
	/* How to register there; address = group. */
	struct xtr_map_server_config server;
	const struct xtr_ip *peers; /* members known from the start (D-38) */
	unsigned peer_count;
	/* Map-Notifies about memberships without authentication are believed from these (they can
	 * rewrite the group). */
	const struct xtr_ip *unauthenticated;
	unsigned unauthenticated_count;
	uint32_t lookup_interval; /* D-24: 60 s; ms */
	bool subscribe;           /* D-25: PubSub besides, RFC 9437 */
};
struct xtr_decent_config {
	const struct xtr_pull_config *pull; /* NULL: none */
	const struct xtr_group_config *groups;
	unsigned group_count;
	/* Overlay control frames (instance 0xffffff) are accepted from these, besides peers and known
	 * members. */
	const struct xtr_ippfx *accept_from;
	unsigned accept_from_count;
};
#define XTR_GROUPS_MAX 4

struct xtr_node_config {
	struct xtr_decent_config decent;
	struct xtr_node_timers timers;
	struct xtr_node_limits limits;
	bool has_ids;
	uint8_t xtr_id[16], site_id[8]; /* always sent when set (I bit) */
	const struct xtr_rloc_config *rlocs;
	unsigned rloc_count; /* our own, sorted or not */
	/* ITR */
	bool itr;
	const struct xtr_ip *map_resolvers;
	unsigned map_resolver_count; /* one that is an own address: direct call */
	/* ETR */
	bool etr;
	const struct xtr_mapping_config *mappings;
	unsigned mapping_count;
	const struct xtr_map_server_config *map_servers;
	unsigned map_server_count;
	/* Map-Server */
	bool ms;
	const struct xtr_site_config *sites;
	unsigned site_count;
	const struct xtr_eid_prefix *aggregates;
	unsigned aggregate_count; /* our part of the EID space */
	/* Map-Resolver */
	bool mr;
	const struct xtr_ip *mr_map_servers;
	unsigned mr_map_server_count; /* where requests go that are not answered here */
};

#endif
