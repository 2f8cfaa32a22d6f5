/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Ingress tunnel router: the map-cache and the Map-Requests that fill it. RFC
 * 9301 5.3, 5.4, 6.1, 8.1. itr.c asks, itr_cache.c keeps; the rest of the node uses the functions
 * below.
 */
#ifndef XTR_ROLES_ITR_H
#define XTR_ROLES_ITR_H

#include "core/mapcache.h"
#include "core/pending.h"
#include "roles/resolver.h"
#include "roles/role.h"

struct xtr_itr {
	struct xtr_env *env;
	struct xtr_mapcache cache;
	struct xtr_pendings pending;
	struct xtr_resolvers resolvers;
	struct xtr_bucket requests, share[XTR_PENDING_SHARES]; /* of all; of each instance */
	struct xtr_bucket smrs; /* because of SMRs */
	struct xtr_timer save;             /* static entries changed: itr_static.c */
	bool batch;
	uint32_t give_left;                /* entries that a change of RLOCs still has to be told about */
	const struct xtr_mapping *giving;  /* being written: must not go */
	bool giving_over;                  /* what the one being written covers found no place: it must not stay */
	bool parked; /* some questions wait until it is known whom to ask */
};

int xtr_itr_new(struct xtr_env *env, struct xtr_itr **out);
/* drop: also takes the entries out of the data plane (the role was switched off). */
void xtr_itr_free(struct xtr_itr *itr, bool drop);
/* Takes up what env->cfg says now. */
int xtr_itr_reconfigure(struct xtr_itr *itr);
/* again: not the first packet to that EID lately. False: it is not asked for. */
bool xtr_itr_miss(struct xtr_itr *itr, const struct xtr_eid_prefix *eid,
		  const struct xtr_eid_prefix *src, bool again);
/* False: the nonce is not one of ours. */
bool xtr_itr_reply(struct xtr_itr *itr, const struct xtr_msg_meta *meta,
		   const struct xtr_map_reply *m);
/* A received SMR. */
void xtr_itr_smr(struct xtr_itr *itr, const struct xtr_request *req);
/* A part of it now, the rest in xtr_itr_work(). */
void xtr_itr_rlocs_changed(struct xtr_itr *itr);
/* A bounded part of what is left to do; true: there is more. */
bool xtr_itr_work(struct xtr_itr *itr);
/* Something became known about whom to ask: questions that wait for it go out. */
void xtr_itr_found(struct xtr_itr *itr);

/* --- itr_cache.c */
/* As env->recent_peers; looks at a bounded number of entries, the youngest first. */
unsigned xtr_itr_recent_peers(void *ctx, struct xtr_peer *out, unsigned n, unsigned max);
void xtr_itr_cache_timer(void *ctx, struct xtr_timer *t);
/* Stores one record of an answer to the question about asked. Returns the entry, or NULL if it removed one or there was
 * no room. */
struct xtr_mapping *xtr_itr_store(struct xtr_itr *itr, const struct xtr_eid_prefix *eid,
				  const struct xtr_record *rec, const struct xtr_eid_prefix *asked,
				  const struct xtr_ip *from);
/* The answer about asked is stored: its record for it was that of match; NULL: it has only records inside. What it says is
 * not there any more, goes. */
void xtr_itr_outdated(struct xtr_itr *itr, const struct xtr_eid_prefix *asked, const struct xtr_eid_prefix *match);
int xtr_itr_set(struct xtr_itr *itr, const struct xtr_eid_prefix *eid, const struct xtr_fwd *fwd,
		uint8_t source);
/* Tells the data plane, unless it has the same already. */
void xtr_itr_give(struct xtr_itr *itr, struct xtr_mapping *m, bool anyway);
void xtr_itr_remove(struct xtr_itr *itr, struct xtr_mapping *m, const char *why);
/* eid is registered at our own Map-Server from now on: entries that say there is nothing are wrong,
 * and go, or the EID would be out of reach until their TTL ends. */
void xtr_itr_appeared(void *ctx, const struct xtr_eid_prefix *eid);
/* The live entry that covers eid, or NULL. */
struct xtr_mapping *xtr_itr_lookup(struct xtr_itr *itr, const struct xtr_eid_prefix *eid);
/* At most max of them. */
unsigned xtr_itr_clear(struct xtr_itr *itr, const struct xtr_eid_prefix *inside, unsigned max, const char *why);
/* The data plane has no place for this entry, or needs that of one that was idle for long. As xtr_node_evict(). */
void xtr_itr_refused(struct xtr_itr *itr, const struct xtr_eid_prefix *eid);
int xtr_itr_evict(struct xtr_itr *itr, const struct xtr_eid_prefix *eid);
int xtr_itr_walk_cache(struct xtr_itr *itr, const struct xtr_cache_part *part,
		       int (*fn)(void *, const struct xtr_cache_info *), void *arg);
size_t xtr_itr_count(const struct xtr_itr *itr);
int xtr_itr_walk_pending(struct xtr_itr *itr, int (*fn)(void *, const struct xtr_pending_info *),
			 void *arg);

/* --- itr_static.c */
/* A static entry. -E2BIG: the data plane has no place for it; it is not there then. */
int xtr_itr_add(struct xtr_itr *itr, const struct xtr_eid_prefix *eid, const struct xtr_fwd *fwd);
/* Removes by hand, static or not: as xtr_itr_clear(). */
unsigned xtr_itr_unset(struct xtr_itr *itr, const struct xtr_eid_prefix *inside, unsigned max);
/* Around many of these: written when it ends. */
void xtr_itr_batch(struct xtr_itr *itr, bool begin);
/* Those of the state directory. -EBADMSG: the file is not whole, or of another version; what could be read is there. -ENOSPC:
 * not all found a place. */
int xtr_itr_restore(struct xtr_itr *itr);
void xtr_itr_static_changed(struct xtr_itr *itr);
void xtr_itr_save_timer(void *ctx, struct xtr_timer *t);
void xtr_itr_save_now(struct xtr_itr *itr); /* if something changed */

/* --- itr.c, for itr_cache.c */
/* Asks for the EID-prefix (why: XTR_WHY_*) as far as the limits allow. False: not asked. */
bool xtr_itr_ask(struct xtr_itr *itr, const struct xtr_eid_prefix *eid,
		 const struct xtr_eid_prefix *src, uint8_t why);

#endif
