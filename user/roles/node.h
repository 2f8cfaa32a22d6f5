/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A LISP node: the roles that are switched on (ITR, ETR, Map-Server, Map-Resolver), driven as
 * input(message, now) and tick(now) -> next deadline, with all output through struct xtr_ops.
 * Messages between roles of one node are direct calls. Nothing here blocks or allocates per packet
 * without a bound.
 */
#ifndef XTR_ROLES_NODE_H
#define XTR_ROLES_NODE_H

#include "core/config.h"
#include "core/ops.h"

struct xtr_node;

/* cfg and ops are copied shallowly; what cfg points to must outlive the node. *out owned by the
 * caller. 0, -ENOMEM. */
int xtr_node_new(const struct xtr_node_config *cfg, const struct xtr_ops *ops, uint64_t now,
		 struct xtr_node **out);
/* Applies the difference: unchanged mappings, sites and cache entries keep their state. The old
 * cfg's memory may be freed after it. */
int xtr_node_reconfigure(struct xtr_node *n, const struct xtr_node_config *cfg, uint64_t now);
/* Saves what must survive (nonces, registrations) and frees. The data plane is left as it is. */
void xtr_node_free(struct xtr_node *n);

struct xtr_msg_meta {
	/* Outer addresses; dst is an address of ours, or a group we are a member of. */
	struct xtr_ip src, dst;
	uint16_t sport, dport;
	bool overlay; /* came data-encapsulated (instance 0xffffff): src and dst are those of the
			 inner header */
};
/* One UDP payload received on port 4342. Hostile input is counted and dropped. */
void xtr_node_input(struct xtr_node *n, const struct xtr_msg_meta *meta, const uint8_t *buf,
		    size_t len, uint64_t now);
/* Messages that are about to come in, in this order: what the Map-Server will look up for them is fetched from memory at once.
 * Nothing else happens, whatever is in them. */
struct xtr_node_next {
	const uint8_t *buf;
	size_t len;
};
void xtr_node_ahead(const struct xtr_node *n, const struct xtr_node_next *next, unsigned count);
/* An answer that ops.answer took could not be sent after all: counted, and tried with the next address if there is one. */
void xtr_node_unsent(struct xtr_node *n, uint16_t dport, const void *buf, size_t len, const void *note);
/* Runs due timers; returns the next deadline (ms, same clock), UINT64_MAX if none. At most a
 * bounded amount of work. Every other entry point can bring the deadline forward: call this after
 * each of them. */
uint64_t xtr_node_tick(struct xtr_node *n, uint64_t now);
/* Data plane: a packet to this host EID found no entry (or a send-map-request entry). src: its
 * source EID, may be NULL. False: the EID is not being asked for (it is ours, too many are asked for,
 * nobody answered lately, there is nobody to ask). */
bool xtr_node_miss(struct xtr_node *n, const struct xtr_eid_prefix *eid,
		   const struct xtr_eid_prefix *src, uint64_t now);
/* The same for an EID that packets came for in the last seconds too, be it that it was not asked for
 * then: it goes before those that are new. */
bool xtr_node_miss_again(struct xtr_node *n, const struct xtr_eid_prefix *eid,
			 const struct xtr_eid_prefix *src, uint64_t now);
/* At start, when the data plane is there: static entries of before. 0, -EBADMSG: their file is not whole, or of another version;
 * -ENOSPC: there was not place for all. */
int xtr_node_restore(struct xtr_node *n, uint64_t now);
/* Data plane at start, after that: an entry found in the kernel. Kept for adopt_lifetime and refreshed when in
 * use. */
void xtr_node_adopt(struct xtr_node *n, const struct xtr_eid_prefix *eid, const struct xtr_fwd *fwd,
		    uint64_t now);
/* The set of our RLOCs that are up changed (link or address gone): registers at once, rebuilds
 * forwarding. */
void xtr_node_rlocs_up(struct xtr_node *n, const struct xtr_ip *up, unsigned count, uint64_t now);

/* Answer to ops.resolve. An unknown id is ignored. */
void xtr_node_resolved(struct xtr_node *n, uint32_t id, const struct xtr_dns_answer *answer,
		       uint64_t now);

/* --- what xtrctl shows. Walkers stop when fn returns non-zero and return that. Pointers are valid
 * during the call. */
enum xtr_cache_source { XTR_CACHE_REPLY, XTR_CACHE_ADOPTED, XTR_CACHE_STATIC, XTR_CACHE_LOCAL };
struct xtr_cache_locator {
	struct xtr_ip ip; /* family 0: not an IP locator */
	uint8_t priority, weight, mpriority, mweight;
	bool reachable, local, usable; /* R and L as received; usable: in the forwarding set now */
	bool gpe;                      /* it says that it takes LISP-GPE */
};
struct xtr_cache_info {
	struct xtr_eid_prefix eid;
	enum xtr_cache_source source;
	uint8_t act; /* with no locators */
	bool authoritative;
	uint16_t map_version;
	uint64_t age_ms, ttl_left_ms; /* UINT64_MAX: does not expire */
	struct xtr_ip from;           /* who answered */
	unsigned locator_count;
	struct xtr_cache_locator locators[32];
};
/* In the order of instance, family, prefix, shorter before longer. part NULL: all; else: */
struct xtr_cache_part {
	const struct xtr_eid_prefix *eid;   /* what covers it, then what is inside; NULL: any */
	const uint32_t *iid;                /* of this instance; NULL: any */
	const struct xtr_eid_prefix *after; /* go on behind this one; NULL: from the beginning */
};
int xtr_node_walk_cache(struct xtr_node *n, const struct xtr_cache_part *part, uint64_t now,
			int (*fn)(void *, const struct xtr_cache_info *), void *arg);
struct xtr_pending_info {
	struct xtr_eid_prefix eid;
	uint64_t nonce, age_ms, next_ms;
	unsigned tries;
	struct xtr_ip resolver;
};
int xtr_node_walk_pending(struct xtr_node *n, uint64_t now,
			  int (*fn)(void *, const struct xtr_pending_info *), void *arg);
/* Deletes entries inside the prefix (NULL: all), at most max; returns how many. The data plane follows. */
unsigned xtr_node_cache_clear(struct xtr_node *n, const struct xtr_eid_prefix *inside, unsigned max,
			      uint64_t now);
/* Around many of these at once. */
void xtr_node_batch(struct xtr_node *n, bool begin);
/* The data plane could not keep an entry that it had taken. */
void xtr_node_refused(struct xtr_node *n, const struct xtr_eid_prefix *eid, uint64_t now);
/* The data plane needs the place of an entry that was idle for long. 1: deleted, with those that cover it; 0: it stays;
 * -ENOENT: not known here. */
int xtr_node_evict(struct xtr_node *n, const struct xtr_eid_prefix *eid, uint64_t now);
/* How full the tables of the control plane are. */
struct xtr_table_info {
	const char *name, *key; /* of the limit, as in the configuration */
	uint64_t entries, max;
};
#define XTR_TABLES_MAX 4
#define XTR_MAPPING_OCTETS 300 /* what an entry of the map-cache takes here, with its place in the data plane's mirror */
unsigned xtr_node_tables(const struct xtr_node *n, struct xtr_table_info out[XTR_TABLES_MAX]);
/* Static entry (xtrctl cache add). */
int xtr_node_cache_add(struct xtr_node *n, const struct xtr_eid_prefix *eid,
		       const struct xtr_fwd *fwd, uint64_t now);

struct xtr_db_info { /* one of our mappings at one Map-Server */
	struct xtr_eid_prefix eid;
	uint32_t ttl_min;
	struct xtr_ip map_server; /* family 0: no Map-Server configured */
	uint8_t key_id, alg_id;
	bool unasked; /* Map-Notifies are not asked for */
	bool acked; /* the last Map-Register that asked for a Map-Notify got one */
	uint64_t registers_sent, notifies;
	uint64_t last_sent_ms, last_ack_ms; /* ago; UINT64_MAX: never */
	const char *problem;                /* NULL, or why it is not registered, for people */
	unsigned locator_count;
	struct xtr_cache_locator locators[32];
};
int xtr_node_walk_db(struct xtr_node *n, uint64_t now,
		     int (*fn)(void *, const struct xtr_db_info *), void *arg);
/* Without the first rows: a part of a long list. They are the same ones as before while the configuration is. */
int xtr_node_walk_db_from(struct xtr_node *n, uint64_t skip, uint64_t now,
			  int (*fn)(void *, const struct xtr_db_info *), void *arg);

struct xtr_site_info { /* Map-Server: a configured prefix, or a registration below it */
	const char *site;
	struct xtr_eid_prefix eid;
	bool configured; /* the configured prefix itself; else a more-specific registration */
	bool registered;
	bool proxy;
	struct xtr_ip registrant;
	uint8_t xtr_id[16];
	bool has_xtr_id;
	uint64_t age_ms, expires_ms; /* since the last valid Map-Register; until expiry */
	uint64_t ended_ms;           /* not registered: since when the last one ended; UINT64_MAX: there was none */
	bool withdrawn;              /* it was withdrawn; else it expired */
	unsigned more_specifics;     /* not registered: registrations of its site inside it, 100 at most */
	uint64_t registers;          /* accepted */
	uint64_t refused;            /* refused for this site */
	const char *last_refusal;    /* NULL or why (bad key, replayed nonce, prefix outside ...) */
	uint64_t last_refusal_ms;    /* ago */
	struct xtr_ip last_refusal_from;
	unsigned locator_count;
	struct xtr_cache_locator locators[32];
};
int xtr_node_walk_sites(struct xtr_node *n, uint64_t now,
			int (*fn)(void *, const struct xtr_site_info *), void *arg);
/* A part of them, in the order of the map-cache; those of one EID-prefix follow each other. */
int xtr_node_walk_site_part(struct xtr_node *n, const struct xtr_cache_part *part, uint64_t now,
			    int (*fn)(void *, const struct xtr_site_info *), void *arg);

/* LISP-Decent: one DNS name of a Map-Server set that is in use. */
struct xtr_name_info {
	const char *name;
	uint32_t index;
	bool old;   /* of the parameters before the last change */
	bool self;  /* one of its addresses is ours */
	bool stale; /* the last lookup failed; the addresses are those of an earlier one */
	bool saved; /* never answered since start: from the state directory */
	bool authenticated;
	unsigned count, ignored; /* addresses in use; answered, but filtered out */
	struct xtr_ip addrs[16];
	bool resting[16];             /* did not answer Map-Requests lately */
	uint32_t ttl;                 /* seconds, as answered */
	uint64_t age_ms, next_ms;     /* since the last good answer (UINT64_MAX: none); to the next */
	unsigned failures;            /* in a row */
	unsigned registered;          /* EID-prefixes of ours registered there */
	const char *problem;          /* NULL, or for people */
};
int xtr_node_walk_names(struct xtr_node *n, uint64_t now,
			int (*fn)(void *, const struct xtr_name_info *), void *arg);
enum xtr_member_state { XTR_MEMBER_SELF, XTR_MEMBER_LIVE, XTR_MEMBER_PEER /* configured, not seen */,
			XTR_MEMBER_FORMER /* registration expired; still tried */ };
struct xtr_member_info {
	struct xtr_ip rloc;
	uint8_t state; /* enum xtr_member_state */
	bool acked;    /* confirmed our last Map-Register to the group */
	uint64_t since_ms, last_ack_ms; /* ago; UINT64_MAX never */
};
struct xtr_group_info {
	const struct xtr_group_config *cfg;
	const char *problem; /* NULL, or for people */
	bool known;          /* its membership was looked up or is held here */
	bool subscribed;     /* PubSub */
	uint64_t next_lookup_ms;
	unsigned count;
	const struct xtr_member_info *members;
};
int xtr_node_walk_groups(struct xtr_node *n, uint64_t now,
			 int (*fn)(void *, const struct xtr_group_info *), void *arg);
/* Parameters of the pull system in use; *old NULL, or the ones before, and for how long yet. */
const struct xtr_pull_config *xtr_node_pull(const struct xtr_node *n, uint64_t now,
					    const struct xtr_pull_config **old, uint64_t *left_ms);

/* Counters of the control plane: every way a message can be dropped has one. RX and TX are UDP
 * messages; those that roles of one node pass to each other directly only count by type. A
 * Map-Request in an ECM counts as both on receipt. */
#define XTR_NODE_COUNTERS(X) \
	X(RX, "rx") X(TX, "tx") X(TX_FAILED, "tx-failed") X(RX_MAP_REQUEST, "rx-map-request") \
	X(RX_MAP_REPLY, "rx-map-reply") X(RX_MAP_REGISTER, "rx-map-register") \
	X(RX_MAP_NOTIFY, "rx-map-notify") X(RX_MAP_NOTIFY_ACK, "rx-map-notify-ack") \
	X(RX_ECM, "rx-ecm") X(RX_INFO, "rx-info") X(TX_MAP_REQUEST, "tx-map-request") \
	X(TX_MAP_REPLY, "tx-map-reply") X(TX_MAP_REGISTER, "tx-map-register") \
	X(TX_MAP_NOTIFY, "tx-map-notify") X(TX_MAP_NOTIFY_ACK, "tx-map-notify-ack") \
	X(TX_FORWARDED, "tx-forwarded-request") X(DROP_MALFORMED, "drop-malformed") \
	X(DROP_UNKNOWN_TYPE, "drop-unknown-type") X(DROP_UNKNOWN_AFI, "drop-unknown-afi") \
	X(DROP_ROLE, "drop-role-off") X(DROP_AUTH, "drop-authentication") \
	X(DROP_REPLAY, "drop-replayed-nonce") X(DROP_NO_SITE, "drop-no-site") \
	X(DROP_PREFIX, "drop-prefix-outside-site") X(DROP_ALGORITHM, "drop-algorithm") \
	X(DROP_NONCE, "drop-unknown-nonce") X(DROP_MISMATCH, "drop-reply-does-not-match") \
	X(DROP_OVERCLAIM, "drop-reply-overclaims") X(DROP_PROBE, "drop-probe-in-mapping-system") \
	X(DROP_RATE, "drop-rate-limit") X(DROP_LIMIT, "drop-table-full") \
	X(DROP_NO_RLOC, "drop-no-usable-itr-rloc") X(DROP_NOT_OURS, "drop-eid-not-ours") \
	X(DROP_SECURITY, "drop-lisp-sec-wanted") X(DROP_PORT, "drop-port") X(MISS, "miss") \
	X(MISS_LIMITED, "miss-limited") X(REQUEST_TIMEOUT, "request-timeout") \
	X(CACHE_EVICTED, "cache-evicted") X(REGISTER_ACCEPTED, "register-accepted") \
	X(REGISTRATION_EXPIRED, "registration-expired") X(NEGATIVE_SENT, "negative-sent") \
	X(DROP_LOOP, "drop-forwarding-loop") X(DROP_SMR, "drop-smr") X(RX_SMR, "rx-smr") \
	X(TX_SMR, "tx-smr") X(TX_GROUP, "tx-group") X(RX_GROUP, "rx-group") \
	X(DNS_LOOKUPS, "dns-lookups") X(DNS_FAILURES, "dns-failures") \
	X(DROP_GROUP, "drop-not-our-group") X(SUBSCRIPTIONS, "subscriptions") \
	X(PUBLICATIONS, "publications") X(REQUEST_YIELDED, "request-yielded") \
	X(CACHE_REFUSED, "cache-refused") X(SMR_GIVEN_UP, "smr-given-up")
enum xtr_node_counter {
#define X(sym, name) XTR_NODE_##sym,
	XTR_NODE_COUNTERS(X)
#undef X
		XTR_NODE_COUNTER_MAX,
};
const uint64_t *xtr_node_counters(const struct xtr_node *n); /* XTR_NODE_COUNTER_MAX values */
extern const char *const xtr_node_counter_names[XTR_NODE_COUNTER_MAX];

/* lig: ask the mapping system for an EID without touching the map-cache. done is called once, from
 * input or tick: rec is NULL on time-out. to: a Map-Resolver, or NULL for the configured ones. 0,
 * or -errno (no resolver, too many at once). */
struct xtr_lig_result {
	const struct xtr_record *records;
	unsigned count;
	struct xtr_ip from;
	uint64_t rtt_ms;
	unsigned tries;
};
int xtr_node_lig(struct xtr_node *n, const struct xtr_eid_prefix *eid, const struct xtr_ip *to,
		 void (*done)(void *arg, const struct xtr_lig_result *res), void *arg,
		 uint64_t now);

#endif
