/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Egress tunnel router: registers our EID-prefixes with the Map-Servers and answers Map-Requests
 * for them. RFC 9301 5.4-5.7, 8.2. etr.c registers, etr_targets.c decides what where, etr_group.c
 * waits for each member of a group, etr_show.c shows, etr_reply.c answers, etr_record.c writes the
 * records of both, etr_smr.c tells others about changes.
 */
#ifndef XTR_ROLES_ETR_H
#define XTR_ROLES_ETR_H

#include "roles/role.h"

#define XTR_ETR_NONCES 8

struct xtr_etr_item { /* one EID-prefix of a Map-Register */
	struct xtr_eid_prefix eid;
	const struct xtr_mapping_config *map; /* NULL: withdrawn */
	bool refused;                         /* the last Map-Notify left it out */
	uint64_t print; /* of a membership: its memory is not ours to compare with later */
};
struct xtr_etr_server;
struct xtr_etr_batch { /* what goes into one Map-Register */
	struct xtr_etr_server *srv;
	struct xtr_etr_batch *next;
	struct xtr_timer timer; /* retransmission */
	struct xtr_etr_item *items;
	unsigned count;
	bool withdraw, acked, lost;
	unsigned tries;                  /* since the last acknowledgement */
	uint64_t nonces[XTR_ETR_NONCES]; /* outstanding, 0: free */
	unsigned nonce_at;
	uint64_t sent, notifies, last_sent, last_ack; /* last_*: XTR_NEVER */
	/* Map-Server that is a group: its members, each of which confirms (etr_group.c). */
	struct xtr_etr_wait *waits;
	unsigned wait_count;
	struct xtr_timer wait_timer;
};
struct xtr_etr_server {
	struct xtr_etr *etr;
	struct xtr_map_server_config cfg;
	struct xtr_timer timer; /* next registration of everything */
	uint64_t quick_until;
	struct xtr_etr_batch *batches;
	bool gone; /* no target of anything any more: only withdraws */
};
#define XTR_ETR_SMR_PEERS 1024
struct xtr_etr_changes {
	struct xtr_etr_change *first, *last;
};
struct xtr_etr_smr { /* what is still to be told to whom */
	struct xtr_timer timer;
	uint64_t sent, looked; /* the last turn; when peers were looked for, + 1 */
	struct xtr_eiddb changes; /* of both lists */
	struct xtr_etr_changes waiting, told;
	unsigned peer_count, peer_at; /* the next of them, for the first that waits */
	struct xtr_peer peers[XTR_ETR_SMR_PEERS];
};
struct xtr_etr {
	struct xtr_env *env;
	struct xtr_etr_smr smr;
	struct xtr_etr_server **servers;
	unsigned server_count;
	struct xtr_timer targets; /* they changed */
	bool had_ids;
	uint8_t ids[24]; /* xTR-ID and Site-ID of the last registration */
	struct xtr_etr_joined *joined; /* members that are to get everything */
	struct xtr_timer joined_timer;
};

int xtr_etr_new(struct xtr_env *env, struct xtr_etr **out);
void xtr_etr_free(struct xtr_etr *etr);
/* Takes up what env->cfg says now: withdraws what is gone, registers what changed. */
int xtr_etr_reconfigure(struct xtr_etr *etr);
void xtr_etr_rlocs_changed(struct xtr_etr *etr);
void xtr_etr_notify(struct xtr_etr *etr, const struct xtr_msg_meta *meta, const uint8_t *buf,
		    size_t len);
/* The mapping of ours that answers for eid: the longest that covers it, or else its first address. */
const struct xtr_mapping_config *xtr_etr_match(const struct xtr_env *env, const struct xtr_eid_prefix *eid);
/* Answers a Map-Request that matches our database. */
void xtr_etr_answer(struct xtr_etr *etr, const struct xtr_request *req);
int xtr_etr_walk_db(struct xtr_etr *etr, uint64_t skip, int (*fn)(void *, const struct xtr_db_info *), void *arg);

/* --- between the files of the role: etr.c */
/* Cuts n items into batches by size. */
int xtr_etr_make_batches(struct xtr_etr_server *srv, const struct xtr_etr_item *items, unsigned n,
			 bool withdraw);
void xtr_etr_batches_free(struct xtr_etr_server *srv);
/* To its Map-Server. */
void xtr_etr_send(struct xtr_etr_batch *b, bool want_notify);
void xtr_etr_arm_retry(struct xtr_etr_batch *b);
/* All of it now, and quickly for a while. */
void xtr_etr_restart(struct xtr_etr_server *srv);
void xtr_etr_server_free(struct xtr_etr_server *srv);
/* Sends the batch's Map-Register there with a new nonce, which is returned; 0: not sent. */
uint64_t xtr_etr_batch_send(struct xtr_etr_batch *b, const struct xtr_ip *to, bool want_notify);
void xtr_etr_batch_done(struct xtr_etr_batch *b); /* frees it */

/* --- etr_targets.c */
/* Brings servers and batches to what is to be registered where now. force: all of it is new. */
int xtr_etr_apply(struct xtr_etr *etr, bool force);
void xtr_etr_retarget(void *ctx); /* as env->retarget */
void xtr_etr_targets_timer(void *ctx, struct xtr_timer *t);

/* --- etr_group.c: a Map-Server address that is a multicast group (RFC 9962 4) */
bool xtr_etr_is_group(const struct xtr_etr_server *srv);
bool xtr_etr_group_has(const struct xtr_etr_server *srv, const struct xtr_ip *ip); /* or it is us */
void xtr_etr_group_init(struct xtr_etr *etr);
void xtr_etr_group_free(struct xtr_etr *etr);
/* The batch was sent and a Map-Notify asked for; nothing happens if it is no group. */
void xtr_etr_group_sent(struct xtr_etr_batch *b);
void xtr_etr_group_forget(struct xtr_etr_batch *b);
/* Some member is still to confirm. */
bool xtr_etr_group_waits(const struct xtr_etr_batch *b);
/* The batch that went with this nonce to this member alone. */
struct xtr_etr_batch *xtr_etr_group_nonce(const struct xtr_etr *etr, uint64_t nonce,
					  const struct xtr_ip *from);
/* The group that a Map-Notify is from a member of, with the key it is sent with. */
struct xtr_etr_server *xtr_etr_group_of(const struct xtr_etr *etr, const struct xtr_ip *from,
					const struct xtr_register *m);
/* Notes that `from` confirmed. False: it is nobody whose word counts for the batch. True for
 * servers that are no groups. */
bool xtr_etr_group_confirms(struct xtr_etr_batch *b, uint64_t nonce, const struct xtr_ip *from);

/* --- etr_smr.c */
/* The mapping of this EID-prefix changed: tells the sites we sent data to lately (RFC 9301 6.1). */
void xtr_etr_smr(struct xtr_etr *etr, const struct xtr_eid_prefix *changed);
void xtr_etr_smr_timer(void *ctx, struct xtr_timer *t);
void xtr_etr_smr_free(struct xtr_etr *etr);

/* --- etr_record.c */
struct xtr_etr_record {
	const struct xtr_eid_prefix *eid;
	const struct xtr_mapping_config *map;
	uint32_t ttl_min;
	const struct xtr_ip *probed; /* sets the p bit of this locator; NULL: none */
	size_t room; /* octets left: locators of the worst priorities are left out beyond */
};
void xtr_etr_put_record(const struct xtr_env *env, struct xtr_wr *w,
			const struct xtr_etr_record *r);
unsigned xtr_etr_show(const struct xtr_env *env, const struct xtr_mapping_config *map,
		      struct xtr_cache_locator out[32]);

#endif
