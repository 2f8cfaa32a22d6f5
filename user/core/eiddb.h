/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * EID-prefixes to values: one prefix trie per (instance ID, address family, unicast or group). The
 * map-cache, the EID-to-RLOC database, the configured sites and the registrations are all such
 * databases.
 *
 * An object in a database keeps its own key in short form, struct xtr_eidtab plus xtr_eid_pack()
 * octets: an IPv4 /24 takes 3 octets instead of the 56 of struct xtr_eid_prefix.
 */
#ifndef XTR_CORE_EIDDB_H
#define XTR_CORE_EIDDB_H

#include "codec/eid.h"

#define XTR_EID_PACKED_MAX 32

struct xtr_eidtab;
struct xtr_eiddb {
	struct xtr_eidtab *tabs; /* hash by (iid, afi, group) */
	size_t count;
};

void xtr_eiddb_init(struct xtr_eiddb *db);
/* The tables; free_value, if not NULL, for each value. */
void xtr_eiddb_free(struct xtr_eiddb *db, void (*free_value)(void *));
/* *tab (may be NULL) gets the table the value is in; valid as long as the table holds a value. *old
 * as in xtr_trie_set(). 0, -ENOMEM, -EPROTONOSUPPORT (a group range with a source). */
int xtr_eiddb_set(struct xtr_eiddb *db, const struct xtr_eid_prefix *eid, void *value, void **old,
		  struct xtr_eidtab **tab);
void *xtr_eiddb_get(const struct xtr_eiddb *db, const struct xtr_eid_prefix *eid); /* exact */
void *xtr_eiddb_del(struct xtr_eiddb *db,
		    const struct xtr_eid_prefix *eid); /* exact; returns the value */
/* Value of the longest prefix that covers eid, or NULL. *found (may be NULL) gets its length in
 * bits of the packed form. */
void *xtr_eiddb_match(const struct xtr_eiddb *db, const struct xtr_eid_prefix *eid,
		      unsigned *found);
/* These are about to be looked up: see xtr_trie_ahead(), XTR_TRIE_AHEAD at most. */
void xtr_eiddb_ahead(const struct xtr_eiddb *db, const struct xtr_eid_prefix *eids, unsigned n);
/* Everything inside (NULL: everything), shorter before longer; stops when fn returns non-zero, and
 * returns that. */
int xtr_eiddb_walk(const struct xtr_eiddb *db, const struct xtr_eid_prefix *inside,
		   int (*fn)(void *ctx, const struct xtr_eid_prefix *eid, void *value), void *ctx);
/* Everything after this EID-prefix (NULL: from the beginning) in the order of instance, family,
 * prefix, shorter before longer, whether it is in here or not: so a long walk can be made in parts,
 * whatever changes between them. Stops and returns as above. */
int xtr_eiddb_walk_after(const struct xtr_eiddb *db, const struct xtr_eid_prefix *after,
			 int (*fn)(void *ctx, const struct xtr_eid_prefix *eid, void *value),
			 void *ctx);
/* xtr_trie_hole() of eid taken as a host, in whole characters of a name; 0 when the table is empty. */
unsigned xtr_eiddb_hole(const struct xtr_eiddb *db, const struct xtr_eid_prefix *host);
/* True if a prefix longer than eid itself lies inside eid. */
bool xtr_eiddb_has_longer(const struct xtr_eiddb *db, const struct xtr_eid_prefix *eid);

/* Short form: octets (zero beyond bits). Returns bits, or -EPROTONOSUPPORT. */
int xtr_eid_pack(const struct xtr_eid_prefix *eid, uint8_t out[XTR_EID_PACKED_MAX]);
void xtr_eid_unpack(const struct xtr_eidtab *tab, const uint8_t *octets, unsigned bits,
		    struct xtr_eid_prefix *out);
static inline size_t xtr_eid_packed_octets(unsigned bits)
{
	return (bits + 7) / 8;
}

/* Width of the family in bits (group: of group and source together). */
unsigned xtr_eid_width(const struct xtr_eid_prefix *eid);
/* The first host of the prefix. Names and groups stay as they are. */
struct xtr_eid_prefix xtr_eid_host(const struct xtr_eid_prefix *eid);
/* eid cut to n bits. */
struct xtr_eid_prefix xtr_eid_cut(const struct xtr_eid_prefix *eid, unsigned n);

#endif
