/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The map-cache: mappings learned, adopted or set by hand, by EID-prefix, with their lifetimes and
 * an order of use for eviction. Knows nothing of messages and nothing of the data plane; who puts
 * an entry tells the data plane.
 */
#ifndef XTR_CORE_MAPCACHE_H
#define XTR_CORE_MAPCACHE_H

#include "core/eiddb.h"
#include "core/locset.h"
#include "core/timer.h"

struct xtr_mapping {
	struct xtr_eidtab *tab;
	struct xtr_mapping *newer, *older; /* order of touch */
	struct xtr_timer timer;            /* refresh check, then expiry */
	uint64_t created, expires;         /* ms; expires XTR_NEVER: static */
	uint32_t fwd_print;
	uint16_t map_version, bits, locs_len;
	uint8_t locs_count;
	uint8_t source; /* enum xtr_cache_source of roles/node.h */
	uint8_t act;    /* 0..5, with no locators */
	bool positive : 1, authoritative : 1;
	bool given : 1; /* the data plane has it, as fwd_print */
	uint8_t from;   /* family of who answered */
	uint8_t data[]; /* address of who answered, packed EID, locators */
};

struct xtr_mapcache {
	struct xtr_eiddb db;
	struct xtr_mapping *newest, *oldest;
	struct xtr_mapping *cursor; /* of a walk from the oldest on, which goes on when entries go or move */
	struct xtr_timers *timers;
	uint8_t kind;
};

struct xtr_mapping_new {
	const struct xtr_eid_prefix *eid;
	const struct xtr_locset *locators;
	struct xtr_ip from;
	uint8_t source, act;
	bool positive, authoritative;
	uint16_t map_version;
	uint64_t now, expires, timer; /* timer: first deadline; XTR_NEVER: none */
};

/* kind: of the entries' timers. */
void xtr_mapcache_init(struct xtr_mapcache *c, struct xtr_timers *timers, uint8_t kind);
void xtr_mapcache_free(struct xtr_mapcache *c); /* and all entries */
static inline size_t xtr_mapcache_count(const struct xtr_mapcache *c)
{
	return c->db.count;
}
/* Adds or replaces; *out is the entry. 0, -ENOMEM, -EPROTONOSUPPORT. */
int xtr_mapcache_put(struct xtr_mapcache *c, const struct xtr_mapping_new *n,
		     struct xtr_mapping **out);
/* The entry of exactly this EID-prefix; the longest that covers it; NULL. The cache owns entries. */
struct xtr_mapping *xtr_mapcache_get(const struct xtr_mapcache *c,
				     const struct xtr_eid_prefix *eid);
struct xtr_mapping *xtr_mapcache_match(const struct xtr_mapcache *c,
				       const struct xtr_eid_prefix *eid);
/* Takes it out, its timer too, and frees it. */
void xtr_mapcache_del(struct xtr_mapcache *c, struct xtr_mapping *m);
/* The next one of the walk, or NULL at its end. Entries that are touched meanwhile come again. */
struct xtr_mapping *xtr_mapcache_next(struct xtr_mapcache *c);
/* Moves to the young end. */
void xtr_mapcache_touch(struct xtr_mapcache *c, struct xtr_mapping *m);

/* What is packed in an entry: its EID-prefix, who answered (family 0: nobody), its locators (a view, as long as the
 * entry is there). */
void xtr_mapping_eid(const struct xtr_mapping *m, struct xtr_eid_prefix *out);
void xtr_mapping_from(const struct xtr_mapping *m, struct xtr_ip *out);
struct xtr_locset xtr_mapping_locators(const struct xtr_mapping *m);

#endif
