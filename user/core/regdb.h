/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a Map-Server knows: the configured sites with their EID-prefixes, who registers (with the
 * last nonce of each, RFC 9301 5.6), and the registrations. Knows nothing of messages, keys are
 * looked at by the role.
 */
#ifndef XTR_CORE_REGDB_H
#define XTR_CORE_REGDB_H

#include "util/hash.h"
#include "core/config.h"
#include "core/eiddb.h"
#include "core/locset.h"
#include "core/timer.h"

#define XTR_REFUSAL_TEXT 200

/* The registrants of a site that have nothing registered: only their nonces are kept. In the order in which they came to
 * that, or were heard of since. */
struct xtr_idle {
	struct xtr_registrant *oldest, *newest;
	uint32_t count;
	struct xtr_idle *prev, *next; /* of about as many: xtr_regdb.idle */
};
struct xtr_site {
	const struct xtr_site_config *cfg;
	uint64_t uid; /* hash of the name, the same in every process */
	char *name;
	uint32_t registrations;
	struct xtr_idle idle;
	uint64_t refused, refused_at;
	struct xtr_ip refused_from;
	char refusal[XTR_REFUSAL_TEXT];
};
struct xtr_site_prefix { /* a configured EID-prefix */
	struct xtr_site *site;
	struct xtr_eid_prefix eid;
	bool more;        /* accept more-specifics */
	uint64_t lost_at; /* when the last registration of exactly it ended; XTR_NEVER */
	bool withdrawn;   /* it ended before its time was over */
};

/* One that registers: (Site-ID, xTR-ID), or the source address, with the key; RFC 9301 5.6. */
struct xtr_registrant_key {
	uint64_t site; /* uid */
	uint8_t by_id, key_id;
	uint8_t id[24]; /* xTR-ID and Site-ID; or family and address */
	uint8_t pad[6];
};
struct xtr_registrant {
	struct xtr_registrant_key key;
	struct xtr_site *site; /* NULL: not configured any more; only its nonce is kept */
	uint64_t nonce;        /* last accepted */
	uint64_t seen;
	struct xtr_ip source, local; /* of the last Map-Register: its sender, our address */
	uint8_t auth_len;            /* of its last Map-Register; 0: not known since a restart */
	uint32_t registrations;
	struct xtr_registrant *newer, *older; /* by seen */
	struct xtr_registrant *idle_newer, *idle_older;
	struct xtr_registrant *same_id; /* another site or key: xtr_registrant_by_id() */
	UT_hash_handle hh, hh_id;
};

enum {
	XTR_REGN_PROXY = 1 << 0,
	XTR_REGN_NOTIFY = 1 << 1,
	XTR_REGN_MERGE = 1 << 2,
	XTR_REGN_TTL = 1 << 3
};
struct xtr_registration {              /* of one EID-prefix by one registrant */
	struct xtr_registration *next; /* same EID-prefix, other registrant */
	struct xtr_eidtab *tab;
	struct xtr_registrant *who;
	struct xtr_timer timer;
	uint64_t last, expires;
	uint32_t registers, ttl_min;
	uint16_t bits, map_version, locs_len;
	uint8_t locs_count, flags; /* XTR_REGN_* */
	uint8_t data[];            /* packed EID, then locators */
};

struct xtr_regdb {
	struct xtr_site **sites;
	unsigned site_count;
	struct xtr_eiddb configured; /* struct xtr_site_prefix */
	struct xtr_eiddb registered; /* struct xtr_registration, head of the list */
	struct xtr_registrant *registrants, *newest, *oldest, *ids;
	struct xtr_idle *idle[33]; /* [n]: sites with less than 2^n idle registrants, but not less than half that */
	struct xtr_idle nobody;    /* idle ones of sites that are not configured any more */
	uint32_t registrant_count, count, registrant_limit;
	struct xtr_timers *timers;
	uint8_t kind;
};

/* kind: of the registrations' timers. */
void xtr_regdb_init(struct xtr_regdb *db, struct xtr_timers *timers, uint8_t kind);
void xtr_regdb_free(struct xtr_regdb *db); /* sites, registrants, registrations */
/* Takes the configured sites; registrations that are not allowed any more are removed, and gone() is
 * told of each then. Site state is kept by name. 0, -ENOMEM (then nothing is configured). */
int xtr_regdb_configure(struct xtr_regdb *db, const struct xtr_site_config *sites, unsigned n,
			void (*gone)(void *ctx, const struct xtr_eid_prefix *eid), void *ctx);
/* Longest configured EID-prefix that covers eid. */
struct xtr_site_prefix *xtr_regdb_site(const struct xtr_regdb *db,
				       const struct xtr_eid_prefix *eid);
/* May this EID-prefix be registered below the configured one? */
bool xtr_site_prefix_allows(const struct xtr_site_prefix *p, const struct xtr_eid_prefix *eid);

/* NULL: it has not registered, or is forgotten. */
struct xtr_registrant *xtr_registrant_find(const struct xtr_regdb *db,
					   const struct xtr_registrant_key *key);
/* The first of those with this xTR-ID and Site-ID; the others by same_id. */
struct xtr_registrant *xtr_registrant_by_id(const struct xtr_regdb *db, const uint8_t id[24]);
/* Finds or makes one; in a full table one that has nothing registered is forgotten, of the site that has most of them.
 * NULL: out of memory, or all have something registered. */
struct xtr_registrant *xtr_registrant_make(struct xtr_regdb *db,
					   const struct xtr_registrant_key *key, uint64_t now);
/* Notes a Map-Register that was accepted. */
void xtr_registrant_seen(struct xtr_regdb *db, struct xtr_registrant *who, uint64_t nonce,
			 uint64_t now);

/* Longest registered EID-prefix that covers eid: head of its list; exact. */
struct xtr_registration *xtr_regdb_match(const struct xtr_regdb *db,
					 const struct xtr_eid_prefix *eid);
struct xtr_registration *xtr_regdb_get(const struct xtr_regdb *db,
				       const struct xtr_eid_prefix *eid);

struct xtr_registration_new {
	const struct xtr_eid_prefix *eid;
	const struct xtr_locset *locators;
	struct xtr_registrant *who;
	uint64_t now, expires;
	uint32_t ttl_min;
	uint16_t map_version;
	uint8_t flags;
};
enum xtr_put_result { XTR_PUT_SAME, XTR_PUT_CHANGED, XTR_PUT_NEW };
/* Adds or refreshes the registration of this registrant. enum xtr_put_result, or -ENOMEM,
 * -EPROTONOSUPPORT. NEW: the EID-prefix was not registered at all before. */
int xtr_regdb_put(struct xtr_regdb *db, const struct xtr_registration_new *n);
/* Removes; returns true if it was the last one of the EID-prefix. */
bool xtr_regdb_del(struct xtr_regdb *db, struct xtr_registration *r, uint64_t now);

/* What is packed in a registration; the locators are a view, as long as it is there. */
void xtr_registration_eid(const struct xtr_registration *r, struct xtr_eid_prefix *out);
struct xtr_locset xtr_registration_locators(const struct xtr_registration *r);
/* The union for an answer about (S,G): what is registered for (*,G) counts too. Either may be
 * NULL. */
void xtr_registration_union_group(const struct xtr_registration *head,
				  const struct xtr_registration *more, uint8_t *buf, size_t size,
				  struct xtr_locset *out);
/* Union of all registrants' locators (RFC 9301 5.6; of a group one replication list, RFC 8378
 * 5.1.3). *out views buf or the registration. */
void xtr_registration_union(const struct xtr_registration *head, uint8_t *buf, size_t size,
			    struct xtr_locset *out);

#endif
