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
int xtr_pull_walk(struct xtr_pull *p, int (*fn)(void *, const struct xtr_name_info *), void *arg);

/* --- decent_push.c */
int xtr_push_new(struct xtr_env *env, struct xtr_push **out);
void xtr_push_free(struct xtr_push *p);
int xtr_push_reconfigure(struct xtr_push *p);
/* The registered locator-set of this EID-prefix changed at our own Map-Server (node.c tells). */
void xtr_push_registered(struct xtr_push *p, const struct xtr_eid_prefix *eid);
/* A Map-Notify that may be about a membership. True: it was taken. */
bool xtr_push_notify(struct xtr_push *p, const struct xtr_msg_meta *meta, const uint8_t *buf,
		     size_t len);
/* A Map-Reply to a membership lookup of ours. False: not our nonce. */
bool xtr_push_reply(struct xtr_push *p, const struct xtr_msg_meta *meta,
		    const struct xtr_map_reply *m);
int xtr_push_walk(struct xtr_push *p, int (*fn)(void *, const struct xtr_group_info *), void *arg);

#endif
