/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What all roles of a node share: configuration, the world (struct xtr_ops), timers, counters,
 * which RLOCs are up, and the way out for messages. Roles see this and nothing of each other;
 * node.c hands messages to them and wires them.
 */
#ifndef XTR_ROLES_ROLE_H
#define XTR_ROLES_ROLE_H

#include "core/eiddb.h"
#include "core/key.h"
#include "core/locset.h"
#include "core/nonce.h"
#include "core/ratelimit.h"
#include "core/timer.h"
#include "roles/node.h"

#define XTR_PORT 4342
#define XTR_UP_MAX 64
#define XTR_DIRECT_MAX 256 /* messages waiting between roles of this node */

enum xtr_timer_kind {
	XTR_TIMER_MAPPING,
	XTR_TIMER_PENDING,
	XTR_TIMER_LIG,
	XTR_TIMER_ETR_SERVER,
	XTR_TIMER_ETR_BATCH,
	XTR_TIMER_ETR_SMR,
	XTR_TIMER_REGISTRATION,
	XTR_TIMER_MS_NOTIFY,
	XTR_TIMER_MS_SAVE,
	XTR_TIMER_MS_CHECKPOINT,
	XTR_TIMER_MS_PUBLISH,
	XTR_TIMER_PULL_NAME,
	XTR_TIMER_PULL_WINDOW,
	XTR_TIMER_PUSH,
	XTR_TIMER_PUSH_MEMBER,
	XTR_TIMER_ETR_MEMBER,
	XTR_TIMER_ETR_JOINED,
	XTR_TIMER_ETR_TARGETS,
	XTR_TIMER_PULL_SAVE,
	XTR_TIMER_ITR_SAVE,
};

struct xtr_peer { /* a site we send to: one of its RLOCs and EID-prefixes */
	struct xtr_ip rloc;
	struct xtr_eid_prefix eid;
};
/*
 * Where mappings are registered and EIDs looked up, when that depends on the EID: filled in by the
 * decent role. ctx NULL: no such role; only the addresses of the configuration count.
 */
struct xtr_finder {
	void *ctx;
	/* Map-Servers (or groups: multicast address) at which eid is registered now; out gets up to
	 * max. */
	unsigned (*targets)(void *ctx, const struct xtr_eid_prefix *eid,
			    struct xtr_map_server_config *out, unsigned max);
	/* Map-Resolvers for eid, best first, our own address possibly among them. Stage 0 first; a
	 * negative answer or silence of all leads to the next; 0 addresses: no such stage. */
	unsigned (*resolvers)(void *ctx, const struct xtr_eid_prefix *eid, unsigned stage,
			      struct xtr_ip *out, unsigned max);
	/* Shortest negative prefix (bits, as xtr_eid_cut() counts) that one set may answer about eid
	 * (X11). */
	unsigned (*floor)(void *ctx, const struct xtr_eid_prefix *eid);
	/* Mappings of ours besides the configured ones: group memberships ((*,G), own RLOC as RLE). */
	unsigned (*memberships)(void *ctx, const struct xtr_mapping_config **out);
	/* Members of a seed-group we register at, without ourselves: who has to confirm a Map-Register
	 * to it. */
	unsigned (*members)(void *ctx, const struct xtr_ip *group, struct xtr_ip *out, unsigned max);
	/* A member confirmed our Map-Register to the group, or does not any more. */
	void (*confirmed)(void *ctx, const struct xtr_ip *group, const struct xtr_ip *member,
			  bool acked);
	/* Sends a control message to a group and to ourselves (D-19). */
	int (*send_group)(void *ctx, const struct xtr_ip *group, const void *buf, size_t len,
			  enum xtr_node_counter counter);
	/* Why eid is registered nowhere, or NULL. */
	const char *(*problem)(void *ctx, const struct xtr_eid_prefix *eid);
	/* Nothing is known yet about the resolvers of this stage, but an answer is on its way: the
	 * question waits for it. */
	bool (*waiting)(void *ctx, const struct xtr_eid_prefix *eid, unsigned stage);
	/* The one stage for who can ask only once: a Map-Resolver that passes a request on never sees
	 * the answer. */
	unsigned (*best_stage)(void *ctx);
};
struct xtr_direct;
struct xtr_env {
	struct xtr_node_config cfg;
	struct xtr_ops ops;
	uint64_t now;
	struct xtr_timers timers;
	struct xtr_nonce_seq nonces;
	struct xtr_reply_limit replies;
	struct xtr_eiddb own; /* EID-prefix -> const struct xtr_mapping_config: our database */
	struct xtr_ip up[XTR_UP_MAX]; /* our RLOCs that are up, best first */
	unsigned up_count;
	/* RLOCs that data was sent to within the last minute, each once, after the first n of out;
	 * returns how many these are all together. From the ITR, where there is one. */
	unsigned (*recent_peers)(void *ctx, struct xtr_peer *out, unsigned n, unsigned max);
	void *recent_ctx;
	struct xtr_finder find;
	/* The targets of some mapping changed: the ETR compares (NULL: no ETR). */
	void (*retarget)(void *ctx);
	/* A member joined the group: register everything there now (unicast, within a second). */
	void (*joined)(void *ctx, const struct xtr_ip *group, const struct xtr_ip *member);
	void *etr_ctx;
	/* The Map-Server tells: what is registered for this group changed (NULL: nobody wants to
	 * know). */
	void (*registered)(void *ctx, const struct xtr_eid_prefix *group);
	void *registered_ctx;
	/* The Map-Server tells: this EID-prefix is registered now and was not before (NULL: no ITR). */
	void (*appeared)(void *ctx, const struct xtr_eid_prefix *eid);
	void *appeared_ctx;
	/* All that is registered for exactly this EID-prefix at our own Map-Server, merged; false:
	 * nothing. NULL: no Map-Server here. *out views buf or the registration. */
	bool (*registration)(void *ctx, const struct xtr_eid_prefix *eid, uint8_t *buf,
			     size_t size, struct xtr_locset *out);
	void *ms_ctx;
	/* Last Map-Register about a group, or sent to one, that was not authentic (D-26). */
	struct {
		bool any;
		uint64_t at;
		struct xtr_ip from;
	} refused;
	struct xtr_direct *direct, **direct_end;
	unsigned direct_count;
	enum xtr_node_counter dropped; /* why the message in hand was dropped; 0: was not */
	uint64_t counters[XTR_NODE_COUNTER_MAX];
};
struct xtr_direct {
	struct xtr_direct *next;
	struct xtr_msg_meta meta;
	size_t len;
	uint8_t buf[];
};

static inline void xtr_env_count(struct xtr_env *env, enum xtr_node_counter c)
{
	env->counters[c]++;
	if ((c >= XTR_NODE_DROP_MALFORMED && c <= XTR_NODE_DROP_PORT) || c == XTR_NODE_DROP_LOOP ||
	    c == XTR_NODE_DROP_SMR || c == XTR_NODE_DROP_GROUP)
		env->dropped = c;
}
#define xtr_count(env, sym) xtr_env_count((env), XTR_NODE_##sym)

/* A Map-Request on its way through the roles. */
struct xtr_request {
	const struct xtr_msg_meta *meta;
	const struct xtr_ecm *ecm; /* NULL: came without encapsulation */
	const struct xtr_map_request *m;
	const uint8_t *msg;
	size_t len;                /* the Map-Request itself */
	uint16_t reply_port;       /* inner source port, or that of the packet */
	struct xtr_eid_prefix eid; /* of the first record */
};

/* One of our configured RLOCs, up or not. */
bool xtr_env_own_rloc(const struct xtr_env *env, const struct xtr_ip *ip);
bool xtr_env_rloc_up(const struct xtr_env *env, const struct xtr_ip *ip);
/* Which of our RLOCs are up, best priority first. list NULL: all. True if that changed. */
bool xtr_env_set_up(struct xtr_env *env, const struct xtr_ip *list, unsigned count);
/* Our best RLOC of the family that is up, or NULL. */
const struct xtr_ip *xtr_env_rloc(const struct xtr_env *env, uint8_t family);
/* We can send to this family. A pure Map-Server or Map-Resolver has no RLOCs configured: there the
 * kernel chooses the source. */
bool xtr_env_reaches(const struct xtr_env *env, uint8_t family);
/* Where a packet for this locator goes: its address; for an explicit locator path the first hop that can be sent to, or the
 * one after ourselves (RFC 8060 4.6). False: nowhere. */
bool xtr_env_hop(const struct xtr_env *env, const struct xtr_addr *a, struct xtr_ip *ip);
uint64_t xtr_env_random(struct xtr_env *env); /* never 0 */
/* Sends, or passes to the node's own input if dst is one of our RLOCs. src may be NULL: chosen.
 * counter: what to count (TX_...). 0 or -errno. */
int xtr_env_send(struct xtr_env *env, const struct xtr_ip *src, const struct xtr_ip *dst,
		 uint16_t dport, const void *buf, size_t len, enum xtr_node_counter counter);
/* The same for an answer: it may leave with others, at the end of the turn. What can not be sent then is tried with the
 * others (n of them, at most XTR_ITR_RLOCS_MAX) in turn. src NULL only with them. */
int xtr_env_answer(struct xtr_env *env, const struct xtr_ip *src, const struct xtr_ip *dst, uint16_t dport,
		   const void *buf, size_t len, enum xtr_node_counter counter, const struct xtr_ip *others,
		   unsigned n);
void xtr_env_unsent(struct xtr_env *env, uint16_t dport, const void *buf, size_t len, const void *note);
/* Map-Notify-Ack: the same contents, signed with key (NULL: as it came, without authentication). RFC 9301 5.7. */
void xtr_env_ack(struct xtr_env *env, const struct xtr_msg_meta *meta, const struct xtr_register *m,
		 const struct xtr_key *key);
/* A message that was put aside comes in again as soon as the role that runs has returned. 0 or
 * -errno. */
int xtr_env_again(struct xtr_env *env, const struct xtr_msg_meta *meta, const void *buf,
		  size_t len);
/* Reads a blob of unknown size. *out is the caller's. 0, or -errno. */
int xtr_env_load(struct xtr_env *env, const char *name, uint8_t **out, size_t *len);
static inline void xtr_env_batch(struct xtr_env *env, bool begin)
{
	if (env->ops.cache_batch)
		env->ops.cache_batch(env->ops.ctx, begin);
}
void xtr_env_event(struct xtr_env *env, enum xtr_event_kind kind, const struct xtr_eid_prefix *eid,
		   const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The event of a message that was dropped, if it was. */
void xtr_env_tell_drop(struct xtr_env *env, const struct xtr_msg_meta *meta, const uint8_t *buf, size_t len);
/* Counts a decoding error under the right name. */
void xtr_env_bad(struct xtr_env *env, int err);
/* Octets of a control message to this family with unknown path MTU (RFC 9301 5). */
static inline size_t xtr_env_room(uint8_t family)
{
	return family == 4 ? XTR_MSG_SAFE4 : XTR_MSG_SAFE6;
}

/* --- answers to Map-Requests (reply.c) */
/* Where to send the Map-Reply: an ITR-RLOC of a family we have an RLOC of. Counts and returns false
 * if there is none. */
bool xtr_reply_target(struct xtr_env *env, const struct xtr_request *req, struct xtr_ip *to);
/* May an answer about this EID-prefix go there now (RFC 9301 5.4)? Counts it, either way. */
bool xtr_reply_allowed(struct xtr_env *env, const struct xtr_request *req, const struct xtr_ip *to,
		       const struct xtr_eid_prefix *eid);
void xtr_reply_send(struct xtr_env *env, const struct xtr_request *req, const struct xtr_ip *to,
		    const void *buf, size_t len);
/* Negative Map-Reply (RFC 9301 8.3): count, limit, send. */
void xtr_reply_negative(struct xtr_env *env, const struct xtr_request *req,
			const struct xtr_eid_prefix *eid, uint8_t act, uint32_t ttl_min);
/* The Map-Request unaltered in a new ECM to dst; the inner header stays, but for one hop less.
 * -errno if it cannot be sent there; what can be sent nowhere is counted and done with: 0. */
int xtr_forward_request(struct xtr_env *env, const struct xtr_request *req,
			const struct xtr_ip *dst);
/* Least-specific negative prefix for a host EID (control-plane rules of RFC 9301 8.4), capped as
 * configured. n: bits found so far. */
struct xtr_eid_prefix xtr_hole(const struct xtr_env *env, const struct xtr_eid_prefix *host,
			       unsigned n);
/* Locators of a record as xtrctl shows them; returns how many were stored. */
unsigned xtr_show_locators(const struct xtr_env *env, const struct xtr_locset *set,
			   struct xtr_cache_locator *out, unsigned max);

#endif
