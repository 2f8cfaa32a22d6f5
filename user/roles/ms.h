/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Map-Server: accepts registrations of sites and answers or forwards Map-Requests. RFC
 * 9301 5.6, 5.7, 8.2, 8.3. ms.c registers, ms_request.c answers, ms_notify.c notifies, ms_state.c
 * keeps nonces over a restart and shows, ms_checkpoint.c keeps registrations over a restart,
 * ms_pubsub.c publishes changes to who subscribed (RFC 9437).
 */
#ifndef XTR_ROLES_MS_H
#define XTR_ROLES_MS_H

#include "core/regdb.h"
#include "roles/role.h"

#define XTR_MS_NOTIFIES_MAX 1024

#define XTR_MS_NOTIFY_OCTETS (XTR_LOCSET_OCTETS + 512)

struct xtr_ms_notify;
struct xtr_ms_sub;
struct xtr_ms {
	struct xtr_env *env;
	struct xtr_regdb db;
	struct xtr_eiddb aggregates;
	struct xtr_ms_notify *notifies; /* unsolicited, waiting for a Map-Notify-Ack */
	unsigned notify_count;
	struct xtr_ms_sub *oldest_sub, *newest_sub;
	unsigned sub_count, change_count; /* changes: that no subscriber acknowledged yet */
	unsigned turn; /* which ETR gets the next forwarded Map-Request */
	struct xtr_timer save, checkpoint;
	int64_t wall_offset;      /* ms from env->now to the wall clock */
	bool loaded, dirty;       /* dirty: nonces or registrations not saved yet */
	uint64_t refused_unknown; /* Map-Registers for no site of ours */
	uint64_t said_until;      /* that a member has another key is in the log so long */
};

int xtr_ms_new(struct xtr_env *env, struct xtr_ms **out);
void xtr_ms_free(struct xtr_ms *ms); /* saves */
int xtr_ms_reconfigure(struct xtr_ms *ms);
void xtr_ms_register(struct xtr_ms *ms, const struct xtr_msg_meta *meta, const uint8_t *buf,
		     size_t len);
void xtr_ms_notify_ack(struct xtr_ms *ms, const struct xtr_msg_meta *meta, const uint8_t *buf,
		       size_t len);
/* Is the EID inside a configured EID-prefix or aggregate: do we decide about it? */
bool xtr_ms_responsible(const struct xtr_ms *ms, const struct xtr_eid_prefix *eid);
/* Length of the longest registration or configured EID-prefix that covers eid; -1 if none. */
int xtr_ms_match_len(const struct xtr_ms *ms, const struct xtr_eid_prefix *eid);
/* The same of registrations alone. */
int xtr_ms_known_len(const struct xtr_ms *ms, const struct xtr_eid_prefix *eid);
void xtr_ms_request(struct xtr_ms *ms, const struct xtr_request *req);
/* part NULL: all of them. */
int xtr_ms_walk_sites(struct xtr_ms *ms, const struct xtr_cache_part *part,
		      int (*fn)(void *, const struct xtr_site_info *), void *arg);

/* --- between the files of the role */
/* All that is registered for exactly this EID-prefix, merged. *out views buf or the
 * registration. */
bool xtr_ms_registered(const struct xtr_ms *ms, const struct xtr_eid_prefix *eid, uint8_t *buf,
		       size_t size, struct xtr_locset *out);
/* The registration that answers for eid, in the configured EID-prefix p (may be NULL): not shorter
 * than that, or it is another site's. */
struct xtr_registration *xtr_ms_match(const struct xtr_ms *ms, const struct xtr_eid_prefix *eid,
				      const struct xtr_site_prefix *p);
/* What an answer about a registered EID-prefix says: its locators; for (S,G) those of (*,G),
 * too. */
void xtr_ms_locators(const struct xtr_ms *ms, const struct xtr_eid_prefix *eid,
		     const struct xtr_registration *head, uint8_t *buf, size_t size,
		     struct xtr_locset *out);
const struct xtr_key *xtr_ms_key(const struct xtr_site *site, uint8_t key_id);
/* Map-Notify record with these locators. */
void xtr_ms_put_locators(struct xtr_wr *w, const struct xtr_locset *set, bool keep_local,
			 uint8_t *count);
/* The set of the EID-prefix changed: tell the registrants that merge and want to know, but not
 * `not_to`. */
void xtr_ms_notify_change(struct xtr_ms *ms, const struct xtr_registration *head,
			  const struct xtr_registrant *not_to);
void xtr_ms_notify_timer(void *ctx, struct xtr_timer *t);
void xtr_ms_notify_free_all(struct xtr_ms *ms);
void xtr_ms_dirty(struct xtr_ms *ms);
void xtr_ms_save_timer(void *ctx, struct xtr_timer *t);
void xtr_ms_save(struct xtr_ms *ms);
void xtr_ms_load(struct xtr_ms *ms);
/* --- ms_pubsub.c */
/* A Map-Request that wants to subscribe, or to end that. True: it is dealt with; false: it is to be
 * answered like any other (RFC 9437 5). */
bool xtr_ms_subscribe(struct xtr_ms *ms, const struct xtr_request *req);
/* What is registered for this EID-prefix changed: tells the subscribers. */
void xtr_ms_publish(struct xtr_ms *ms, const struct xtr_eid_prefix *changed);
void xtr_ms_publish_timer(void *ctx, struct xtr_timer *t);
/* A Map-Notify-Ack. True: it is for a publication. */
bool xtr_ms_publish_acked(struct xtr_ms *ms, const struct xtr_msg_meta *meta,
			  struct xtr_register *m);
void xtr_ms_pubsub_reconfigure(struct xtr_ms *ms);
void xtr_ms_pubsub_free(struct xtr_ms *ms);
/* --- ms_checkpoint.c */
void xtr_ms_checkpoint(struct xtr_ms *ms);
void xtr_ms_checkpoint_later(struct xtr_ms *ms);
void xtr_ms_checkpoint_timer(void *ctx, struct xtr_timer *t);
void xtr_ms_restore(struct xtr_ms *ms);

/* ms_ahead.c: xtr_node_ahead(). */
void xtr_ms_ahead(const struct xtr_ms *ms, const struct xtr_node_next *next, unsigned n);

#endif
