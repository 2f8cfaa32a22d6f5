/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * LISP-Decent (RFC 9962): who the Map-Servers and Map-Resolvers are. decent_pull.c finds them by
 * DNS and a hash of the EID, decent_push.c is in seed-groups. The other roles see it through
 * struct xtr_finder in struct xtr_env only, and work without it (static lists of addresses).
 */
#ifndef XTR_ROLES_DECENT_H
#define XTR_ROLES_DECENT_H

#include "roles/role.h"

struct xtr_pull; /* decent_pull.c */
struct xtr_push; /* decent_push.c */

/* --- decent.c: both together, as struct xtr_finder wants them */
struct xtr_decent {
	struct xtr_env *env;
	struct xtr_pull *pull; /* NULL where it is not configured */
	struct xtr_push *push;
};
/* Makes, changes or frees the two parts as env->cfg.decent says now, and fills in env->find. */
int xtr_decent_configure(struct xtr_decent *d);
void xtr_decent_free(struct xtr_decent *d);

/* --- decent_pull.c */
int xtr_pull_new(struct xtr_env *env, struct xtr_pull **out);
void xtr_pull_free(struct xtr_pull *p);
/* Takes up env->cfg.decent.pull. A change of hash or suffix opens the window in which both count. */
int xtr_pull_reconfigure(struct xtr_pull *p);
void xtr_pull_resolved(struct xtr_pull *p, uint32_t id, const struct xtr_dns_answer *answer);
/* As in struct xtr_finder. */
unsigned xtr_pull_targets(struct xtr_pull *p, const struct xtr_eid_prefix *eid,
			  struct xtr_map_server_config *out, unsigned max);
unsigned xtr_pull_resolvers(struct xtr_pull *p, const struct xtr_eid_prefix *eid, unsigned stage,
			    struct xtr_ip *out, unsigned max);
unsigned xtr_pull_floor(const struct xtr_pull *p, const struct xtr_eid_prefix *eid);
const char *xtr_pull_problem(struct xtr_pull *p, const struct xtr_eid_prefix *eid);
/* The EID-prefixes that are registered by way of this: their names are always looked up. */
void xtr_pull_pin(struct xtr_pull *p, const struct xtr_eid_prefix *const *eids, unsigned n);
/* The network may be back: what failed is looked up again now. */
void xtr_pull_retry(struct xtr_pull *p);
/* As find.waiting. */
bool xtr_pull_waiting(struct xtr_pull *p, const struct xtr_eid_prefix *eid, unsigned stage);
unsigned xtr_pull_best_stage(const struct xtr_pull *p);
/* Parameters in use; *old gets those before, or NULL, and *left_ms how long they count
 * yet. */
const struct xtr_pull_config *xtr_pull_params(const struct xtr_pull *p, uint64_t now,
					      const struct xtr_pull_config **old,
					      uint64_t *left_ms);
int xtr_pull_walk(struct xtr_pull *p, int (*fn)(void *, const struct xtr_name_info *), void *arg);

/* --- decent_push.c */
int xtr_push_new(struct xtr_env *env, struct xtr_push **out);
void xtr_push_free(struct xtr_push *p);
int xtr_push_reconfigure(struct xtr_push *p);
/* Other RLOCs of ours are up. */
void xtr_push_rlocs_changed(struct xtr_push *p);
/* The registered locator-set of this EID-prefix changed at our own Map-Server (node.c tells). */
void xtr_push_registered(struct xtr_push *p, const struct xtr_eid_prefix *eid);
/* A Map-Notify that may be about a membership. True: it was taken. */
bool xtr_push_notify(struct xtr_push *p, const struct xtr_msg_meta *meta, const uint8_t *buf,
		     size_t len);
/* A Map-Reply to a membership lookup of ours. False: not our nonce. */
bool xtr_push_reply(struct xtr_push *p, const struct xtr_msg_meta *meta,
		    const struct xtr_map_reply *m);
/* A message with a group as destination came: may it be looked at (a group we are a member of; a
 * Map-Register or a Map-Request)? Counts it, either way. */
bool xtr_push_accepts(struct xtr_push *p, const struct xtr_msg_meta *meta, const uint8_t *buf,
		      size_t len);
/* This EID-prefix is registered and looked up in the pull system: the membership of a group whose
 * `via` says so. Targets and resolvers of it are those of the pull role, and besides those of
 * xtr_push_targets(). */
bool xtr_push_via_pull(const struct xtr_push *p, const struct xtr_eid_prefix *eid);
/* As in struct xtr_finder. A membership's rlocs are our own RLOCs, best first: the record has one
 * locator, an RLE with the first that is up (xtr_etr_put_record() does that for group EIDs). */
unsigned xtr_push_targets(struct xtr_push *p, const struct xtr_eid_prefix *eid,
			  struct xtr_map_server_config *out, unsigned max);
unsigned xtr_push_resolvers(struct xtr_push *p, const struct xtr_eid_prefix *eid, unsigned stage,
			    struct xtr_ip *out, unsigned max);
unsigned xtr_push_memberships(struct xtr_push *p, const struct xtr_mapping_config **out);
unsigned xtr_push_members(struct xtr_push *p, const struct xtr_ip *group, struct xtr_ip *out,
			  unsigned max);
int xtr_push_send_group(struct xtr_push *p, const struct xtr_ip *group, const void *buf,
			size_t len, enum xtr_node_counter counter);
/* As find.confirmed. */
void xtr_push_confirmed(struct xtr_push *p, const struct xtr_ip *group, const struct xtr_ip *member,
			bool acked);
const char *xtr_push_problem(struct xtr_push *p, const struct xtr_eid_prefix *eid);
int xtr_push_walk(struct xtr_push *p, int (*fn)(void *, const struct xtr_group_info *), void *arg);

#endif
