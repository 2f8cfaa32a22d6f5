/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Between the files of the push role: decent_push.c keeps the groups and their members and sends to
 * them, decent_lookup.c asks who is in a group, or subscribes to it.
 */
#ifndef XTR_ROLES_DECENT_PUSH_H
#define XTR_ROLES_DECENT_PUSH_H

#include "roles/decent.h"

#define XTR_PUSH_MEMBERS_MAX XTR_LCAF_MAX_RLE
#define XTR_PUSH_GUESTS_MAX  4096
#define XTR_PUSH_TTL         1440 /* minutes, of the record of a membership */
#define XTR_PUSH_ASKED_MAX   64 /* whom a membership is asked of, in turn */

struct xtr_push_member {
	struct xtr_ip rloc;
	bool registered; /* in the group's list at our own Map-Server */
	bool looked_up;  /* in the last answer of somebody else */
	bool configured; /* a peer of the configuration */
	bool live;       /* it counts as a member: registered or looked up */
	bool was_live;
	bool acked;
	uint64_t since;    /* live or not live since then */
	uint64_t left;     /* its registration here ended; XTR_NEVER: none ever did */
	uint64_t last_ack; /* XTR_NEVER */
	uint64_t hello_at; /* next Map-Register of our membership to it alone; XTR_NEVER: none */
	unsigned hellos;
};

struct xtr_push_lookup {
	uint64_t nonce;   /* of the request that is out; 0: none */
	uint64_t earlier; /* the one before: its answer may be late */
	struct xtr_ip to;
	unsigned tries, turn;
	uint64_t next; /* what is due then: another try, or the next lookup */
	bool failed;   /* the last one got no answer */
	bool negative; /* the last answer: nobody is registered */
};
struct xtr_push_sub { /* RFC 9437, the subscriber's side */
	bool active;
	struct xtr_ip from; /* the Map-Server */
	uint64_t nonce;     /* greatest one of a publication, or of what we sent */
};

struct xtr_push_group {
	struct xtr_push *push;
	const struct xtr_group_config *cfg;
	struct xtr_ip addr; /* as in cfg, which changes */
	struct xtr_eid_prefix eid; /* (0/0, group) */
	struct xtr_timer timer;    /* lookups, and what changed */
	struct xtr_timer hello;
	uint64_t sent;             /* to the group, last */
	bool dirty; /* the list at our own Map-Server may have changed */
	bool known; /* looked up, or held here */
	struct xtr_push_member *members;
	unsigned count, size;
	struct xtr_push_lookup lookup;
	struct xtr_push_sub sub;
	/* What the data plane has. */
	struct xtr_ip *list;
	unsigned list_count;
	char text[160], shown[160]; /* problem with the data plane; of others, as shown */
};

/* Registrants of other groups at our Map-Server: their overlay frames have to be let in. */
struct xtr_push_guest {
	struct xtr_eid_prefix eid;
	struct xtr_ip *ips;
	unsigned count;
	bool dirty;
};

struct xtr_push {
	struct xtr_env *env;
	struct xtr_push_group *groups[XTR_GROUPS_MAX];
	unsigned group_count;
	struct xtr_mapping_config memberships[XTR_GROUPS_MAX];
	struct xtr_rloc_config rlocs[XTR_GROUPS_MAX][XTR_UP_MAX];
	unsigned membership_count;
	struct xtr_push_guest *guests;
	unsigned guest_count, guest_size;
	uint64_t guests_at; /* some are dirty: looked at then; XTR_NEVER */
	struct xtr_ip *peers; /* the data plane has these as control peers */
	unsigned peer_count;
	bool peers_set;
};

/* --- decent_push.c */
struct xtr_push_group *xtr_push_core(const struct xtr_push *p);
/* Runs the group's timer again at the right time. */
void xtr_push_arm(struct xtr_push_group *g);

/* --- decent_members.c */
/* NULL: unknown; *at (may be NULL) gets its place then. */
struct xtr_push_member *xtr_push_member(const struct xtr_push_group *g, const struct xtr_ip *ip,
					unsigned *at);
/* Finds or adds. NULL: ourselves, no RLOC, or too many. Adding moves the others. */
struct xtr_push_member *xtr_push_member_get(struct xtr_push_group *g, const struct xtr_ip *ip);
/* Members that are live, sorted. */
unsigned xtr_push_live(const struct xtr_push_group *g, struct xtr_ip *out, unsigned max);
/* The live ones and then the peers, without ourselves; returns how many. */
unsigned xtr_push_reachable(const struct xtr_push_group *g, struct xtr_ip *out, unsigned max);
/* The list at our own Map-Server. */
void xtr_push_refresh(struct xtr_push_group *g);
/* Somebody else says who is in the group. */
void xtr_push_take(struct xtr_push_group *g, const struct xtr_locset *set);
/* Takes up what is noted with the members: who joined, who left, lists of the data plane. */
void xtr_push_apply(struct xtr_push_group *g);
void xtr_push_replicate(struct xtr_push_group *g, bool gone);
void xtr_push_control_peers(struct xtr_push *p);
/* The RLOC of our membership: the best that is up; NULL. */
const struct xtr_ip *xtr_push_self(const struct xtr_push_group *g);
void xtr_push_hello_timer(void *ctx, struct xtr_timer *t);
void xtr_push_hello_again(struct xtr_push_group *g);

/* --- decent_lookup.c */
void xtr_push_lookup_run(struct xtr_push_group *g);
/* Now, unless it was just done. */
void xtr_push_lookup_soon(struct xtr_push_group *g);
void xtr_push_unsubscribe(struct xtr_push_group *g);

#endif
