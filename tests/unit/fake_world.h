/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A world for control-plane tests: virtual time, a network between the nodes of one process, a data
 * plane that only remembers what it was told, and a state directory in memory. Everything that was
 * sent is kept in a log with its time.
 */
#ifndef XTR_TESTS_FAKE_WORLD_H
#define XTR_TESTS_FAKE_WORLD_H

#include "codec/msg.h"
#include "roles/node.h"

#define FW_NODES 12
#define FW_PACKETS 200000
#define FW_DP 4096
#define FW_EVENTS 20000

struct fw;

/* Configuration with room for what it points to. */
struct fw_conf {
	struct xtr_node_config c;
	struct xtr_rloc_config rlocs[8];
	struct xtr_ip resolvers[4], mr_servers[4];
	struct xtr_mapping_config mappings[300];
	struct xtr_rloc_config locs[300][32];
	struct xtr_map_server_config servers[4];
	struct xtr_site_config sites[8];
	struct xtr_key keys[8][2];
	struct xtr_site_prefix_config prefixes[8][8];
	struct xtr_eid_prefix aggregates[4];
	/* seed-groups */
	struct xtr_group_config groups[XTR_GROUPS_MAX];
	struct xtr_ip peers[XTR_GROUPS_MAX][8], unauthenticated[XTR_GROUPS_MAX][4];
	struct xtr_ippfx accept_from[4];
	/* pull (fake_dns.h) */
	bool has_pull;
	struct xtr_pull_config pull;
	struct xtr_decent_lookup lookups[8];
	struct xtr_index_key index_keys[4];
};

struct fw_dp {
	struct xtr_eid_prefix eid;
	struct xtr_fwd fwd;
	uint64_t used;
	bool there;
	unsigned puts;
};
struct fw_event {
	uint64_t at;
	enum xtr_event_kind kind;
	struct xtr_eid_prefix eid;
	bool has_eid;
	char text[256];
};
struct fw_blob {
	char name[64];
	uint8_t *buf;
	size_t len;
};

/* Replication list of a group, as the data plane was told. */
struct fw_list {
	struct xtr_eid_prefix group;
	struct xtr_ip ips[64];
	unsigned n;
};

struct fw_node {
	struct fw *w;
	const char *name;
	struct xtr_node *n;
	struct fw_conf conf;
	struct xtr_ip ips[8];
	unsigned ip_count; /* addresses at which packets reach it */
	struct fw_dp *dp;
	unsigned dp_count;
	unsigned dp_max; /* of a family: more are refused; 0: no such limit */
	struct xtr_eid_prefix failed[256];
	unsigned failed_count;
	struct fw_event *events;
	unsigned event_count;
	struct fw_blob blobs[8];
	struct fw_list lists[4];
	struct xtr_ip control[64]; /* overlay frames are let in from these */
	unsigned control_count, control_dropped;
	bool save_fails, dead;
	int restored; /* what xtr_node_restore() said */
	int64_t clock_shift; /* seconds its wall clock is wrong */
	uint64_t deadline;
};

struct fw_packet {
	uint64_t sent, arrives;
	struct xtr_ip src, dst;
	uint16_t sport, dport;
	struct fw_node *from;
	/* One copy to one receiver of what was sent to a group. */
	struct fw_node *to;  /* NULL: unicast */
	struct xtr_ip group; /* overlay: destination of the inner header; dst is that of the outer */
	bool overlay;
	bool delivered, lost;
	size_t len;
	uint8_t *buf;
};

struct fw {
	uint64_t now;
	uint64_t seed;
	uint32_t latency; /* ms, one way */
	struct fw_node *nodes[FW_NODES];
	unsigned node_count;
	struct fw_packet *packets;
	unsigned packet_count, first_waiting;
	bool (*lose)(struct fw *w, const struct fw_packet *p); /* true: the packet is lost */
	void *lose_arg;
	bool no_multicast; /* the underlay carries none */
	struct fw_dns_state *dns; /* fake_dns.h */
	bool split;        /* nodes with an odd and with an even number do not reach each other */
};

struct xtr_ip fw_ip(const char *s);
struct xtr_eid_prefix fw_eid(const char *s);

/* --- configuration */
extern const struct xtr_key fw_key; /* key 1, algorithm 2, "secret" */
void fw_conf_init(struct fw_conf *c);
void fw_conf_rloc(struct fw_conf *c, const char *ip);
/* locators: "192.0.2.1 192.0.2.2 2001:db8::1", priority 1, weight 100 each */
struct xtr_mapping_config *fw_conf_mapping(struct fw_conf *c, const char *eid,
					   const char *locators);
struct xtr_map_server_config *fw_conf_server(struct fw_conf *c, const char *ip);
struct xtr_site_config *fw_conf_site(struct fw_conf *c, const char *name, const char *prefix,
				     bool more);
void fw_conf_site_prefix(struct fw_conf *c, const char *prefix, bool more); /* to the last site */
void fw_conf_resolver(struct fw_conf *c, const char *ip);
void fw_conf_mr_server(struct fw_conf *c, const char *ip);
void fw_conf_aggregate(struct fw_conf *c, const char *eid);

/* A seed-group of which the node is a member and where it registers, with fw_key; and the
 * Map-Server's site for its memberships, as xtrd makes it. */
struct xtr_group_config *fw_conf_group(struct fw_conf *c, const char *group, bool overlay);
/* The group at which `via: core` memberships are registered; not a member of it. */
struct xtr_group_config *fw_conf_core(struct fw_conf *c, const char *group, bool overlay);
void fw_conf_peer(struct fw_conf *c, const char *ip); /* of the last group */
/* The pointers of the copy point into the copy. */
void fw_conf_copy(struct fw_conf *to, const struct fw_conf *from);

/* --- the world */
struct fw *fw_new(void);
void fw_free(struct fw *w);
/* Starts a node; conf is copied. */
struct fw_node *fw_start(struct fw *w, const char *name, const struct fw_conf *conf);
void fw_stop(struct fw_node *f);    /* as on SIGTERM: state is saved */
void fw_kill(struct fw_node *f);    /* as on SIGKILL: what was saved before stays, nothing more */
void fw_restart(struct fw_node *f); /* after stop or kill: same configuration and state directory */
void fw_reconfigure(struct fw_node *f, const struct fw_conf *conf);
void fw_until(struct fw *w,
	      uint64_t ms); /* runs to this time, everything that is due then included */
void fw_run(struct fw *w, uint64_t ms); /* so much longer */
/* To be called after a test called the node itself: its deadline may have changed. */
void fw_tick(struct fw_node *f);
/* A message that comes from outside. */
void fw_inject(struct fw_node *f, const char *src, uint16_t sport, const void *buf, size_t len);

/* --- data plane of a node */
void fw_miss(struct fw_node *f, const char *eid, const char *src);
void fw_use(struct fw_node *f, const char *eid);                /* a packet to it: entry used now */
struct fw_dp *fw_dp_get(struct fw_node *f, const char *prefix); /* exact; NULL if not there */
struct fw_dp *fw_dp_match(struct fw_node *f, const char *host);
bool fw_failed(const struct fw_node *f, const char *eid);
unsigned fw_dp_size(const struct fw_node *f);

/* Replication list of control messages to this group; NULL if there is none. */
const struct fw_list *fw_list(struct fw_node *f, const char *group);

/* --- what was said */
uint64_t fw_counter(const struct fw_node *f, enum xtr_node_counter c);
unsigned fw_events(const struct fw_node *f, enum xtr_event_kind kind);
/* The i-th packet of this type sent by the node (type of the message inside, for an ECM), from
 * packet number `from` on; NULL. */
struct fw_packet *fw_sent(struct fw_node *f, int type, unsigned i);
unsigned fw_sent_count(struct fw_node *f, int type);
/* Number of packets sent at or after since. */
unsigned fw_sent_since(struct fw_node *f, int type, uint64_t since);
/* "0 1000 3000": when they were sent. */
const char *fw_sent_times(struct fw_node *f, int type, char *buf, size_t size);
int fw_type(const struct fw_packet *p);
/* The control message, out of its ECM if it is in one. */
const uint8_t *fw_message(const struct fw_packet *p, size_t *len);

/* --- making messages */
struct fw_loc {
	const char *ip;
	uint8_t priority, weight;
	bool down;
};
struct fw_rec {
	const char *eid;
	uint32_t ttl;
	uint8_t act;
	bool not_authoritative;
	uint16_t version;
	struct fw_loc locs[8];
};
#define FW_LOC(...) \
	{ \
		.ip = __VA_ARGS__ \
	} /* "192.0.2.1", .priority = 2 */
#define FW_REC(e, t, address) \
	{ \
		.eid = (e), .ttl = (t), .locs = { FW_LOC(address) } \
	}
#define FW_NEG(e, t, a) \
	{ \
		.eid = (e), .ttl = (t), .act = (a) \
	}
size_t fw_make_reply(uint8_t *buf, size_t size, uint64_t nonce, const struct fw_rec *recs,
		     unsigned n);
struct fw_reg {
	uint64_t nonce;
	uint32_t flags;
	const struct xtr_key *key; /* NULL: fw_key */
	const uint8_t *xtr_id;     /* NULL: none; site id 0 */
};
size_t fw_make_register(uint8_t *buf, size_t size, const struct fw_reg *reg,
			const struct fw_rec *recs, unsigned n);
struct fw_req {
	uint64_t nonce;
	uint32_t flags;
	const char *eid, *source, *itr_rloc, *itr_rloc2;
	bool plain;
	uint16_t sport;
};
/* In an ECM unless plain. */
size_t fw_make_request(uint8_t *buf, size_t size, const struct fw_req *req);

#endif
