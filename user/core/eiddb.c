// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tables of tries. Owns tries and tables, never the values. Invariant: a table exists exactly as
 * long as its trie holds a value, so instance IDs that come from the network cannot make tables
 * pile up.
 *
 * A group (S,G) is packed as group octets, then source octets, so that longest match prefers (S,G)
 * over (*,G) over a group range. A group range together with a source would not be a prefix in this
 * order and is refused.
 */
#define HASH_NONFATAL_OOM 1
#include "util/hash.h"
#include "core/eiddb.h"
#include "util/trie.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct xtr_eidtab {
	uint64_t key; /* iid, afi, group */
	struct xtr_trie *trie;
	UT_hash_handle hh;
};

static uint64_t tab_key(const struct xtr_eid_prefix *e)
{
	return (uint64_t)e->iid << 32 | (uint64_t)e->afi << 1 | (e->group_len != 0);
}

static unsigned afi_bits(uint16_t afi)
{
	switch (afi) {
	case XTR_AFI_IP4: return 32;
	case XTR_AFI_IP6: return 128;
	case XTR_AFI_MAC_OLD:
	case XTR_AFI_MAC: return 48;
	case XTR_AFI_MAC64: return 64;
	default: return 0;
	}
}

unsigned xtr_eid_width(const struct xtr_eid_prefix *eid)
{
	unsigned w = afi_bits(eid->afi);

	if (eid->group_len)
		return 2 * w;
	return w ? w : eid->len;
}

int xtr_eid_pack(const struct xtr_eid_prefix *eid, uint8_t out[XTR_EID_PACKED_MAX])
{
	unsigned w = afi_bits(eid->afi);

	memset(out, 0, XTR_EID_PACKED_MAX);
	if (!eid->group_len) {
		memcpy(out, eid->a, XTR_EID_PACKED_MAX);
		return eid->len;
	}
	if (w > 128 || eid->group_len > w || eid->len > w || (eid->len && eid->group_len != w))
		return -EPROTONOSUPPORT;
	memcpy(out, eid->g, w / 8);
	memcpy(out + w / 8, eid->a, w / 8);
	return eid->group_len + eid->len;
}

static void unpack(uint64_t key, const uint8_t *octets, unsigned bits, struct xtr_eid_prefix *out)
{
	unsigned w, n = (unsigned)xtr_eid_packed_octets(bits);

	memset(out, 0, sizeof(*out));
	out->iid = (uint32_t)(key >> 32);
	out->afi = (uint16_t)(key >> 1);
	if (!(key & 1)) {
		out->len = (uint8_t)bits;
		memcpy(out->a, octets, n);
		return;
	}
	w = afi_bits(out->afi);
	out->group_len = (uint8_t)(bits < w ? bits : w);
	out->len = (uint8_t)(bits - out->group_len);
	memcpy(out->g, octets, n < w / 8 ? n : w / 8);
	if (n > w / 8)
		memcpy(out->a, octets + w / 8, n - w / 8);
}

void xtr_eid_unpack(const struct xtr_eidtab *tab, const uint8_t *octets, unsigned bits,
		    struct xtr_eid_prefix *out)
{
	unpack(tab->key, octets, bits, out);
}

struct xtr_eid_prefix xtr_eid_host(const struct xtr_eid_prefix *eid)
{
	struct xtr_eid_prefix h = *eid;

	if (!h.group_len && afi_bits(h.afi))
		h.len = (uint8_t)afi_bits(h.afi);
	return h;
}

struct xtr_eid_prefix xtr_eid_cut(const struct xtr_eid_prefix *eid, unsigned n)
{
	struct xtr_eid_prefix out;
	uint8_t key[XTR_EID_PACKED_MAX];
	int bits = xtr_eid_pack(eid, key);

	/* A group range shorter than one bit cannot be told from a unicast prefix. */
	if (bits < 0 || n >= (unsigned)bits || (eid->group_len && !n))
		return *eid;
	memset(key + (n + 7) / 8, 0, sizeof(key) - (n + 7) / 8);
	if (n % 8)
		key[n / 8] &= (uint8_t)(0xff00 >> (n % 8));
	unpack(tab_key(eid), key, n, &out);
	return out;
}

void xtr_eiddb_init(struct xtr_eiddb *db)
{
	memset(db, 0, sizeof(*db));
}

void xtr_eiddb_free(struct xtr_eiddb *db, void (*free_value)(void *))
{
	struct xtr_eidtab *t, *tmp;

	HASH_ITER(hh, db->tabs, t, tmp) {
		HASH_DEL(db->tabs, t);
		xtr_trie_free(t->trie, free_value);
		free(t);
	}
	db->count = 0;
}

static struct xtr_eidtab *find(const struct xtr_eiddb *db, const struct xtr_eid_prefix *eid)
{
	uint64_t key = tab_key(eid);
	struct xtr_eidtab *t;

	HASH_FIND(hh, db->tabs, &key, sizeof(key), t);
	return t;
}

static struct xtr_eidtab *make(struct xtr_eiddb *db, const struct xtr_eid_prefix *eid)
{
	struct xtr_eidtab *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->key = tab_key(eid);
	t->trie = xtr_trie_new();
	if (t->trie)
		HASH_ADD(hh, db->tabs, key, sizeof(t->key), t);
	if (!t->trie || !t->hh.tbl) {
		xtr_trie_free(t->trie, NULL);
		free(t);
		return NULL;
	}
	return t;
}

static void drop_if_empty(struct xtr_eiddb *db, struct xtr_eidtab *t)
{
	if (xtr_trie_count(t->trie))
		return;
	HASH_DEL(db->tabs, t);
	xtr_trie_free(t->trie, NULL);
	free(t);
}

int xtr_eiddb_set(struct xtr_eiddb *db, const struct xtr_eid_prefix *eid, void *value, void **old,
		  struct xtr_eidtab **tab)
{
	uint8_t key[XTR_EID_PACKED_MAX];
	int bits = xtr_eid_pack(eid, key), r;
	struct xtr_eidtab *t;
	void *was = NULL;

	if (old)
		*old = NULL;
	if (bits < 0)
		return bits;
	t = find(db, eid);
	if (!t)
		t = make(db, eid);
	if (!t)
		return -ENOMEM;
	r = xtr_trie_set(t->trie, key, (unsigned)bits, value, &was);
	if (r) {
		drop_if_empty(db, t);
		return r;
	}
	if (!was)
		db->count++;
	if (old)
		*old = was;
	if (tab)
		*tab = t;
	return 0;
}

void *xtr_eiddb_get(const struct xtr_eiddb *db, const struct xtr_eid_prefix *eid)
{
	const struct xtr_eidtab *t = find(db, eid);
	uint8_t key[XTR_EID_PACKED_MAX];
	int bits = xtr_eid_pack(eid, key);

	return t && bits >= 0 ? xtr_trie_get(t->trie, key, (unsigned)bits) : NULL;
}

void *xtr_eiddb_del(struct xtr_eiddb *db, const struct xtr_eid_prefix *eid)
{
	struct xtr_eidtab *t = find(db, eid);
	uint8_t key[XTR_EID_PACKED_MAX];
	int bits = xtr_eid_pack(eid, key);
	void *value;

	if (!t || bits < 0)
		return NULL;
	value = xtr_trie_del(t->trie, key, (unsigned)bits);
	if (value) {
		db->count--;
		drop_if_empty(db, t);
	}
	return value;
}

void *xtr_eiddb_match(const struct xtr_eiddb *db, const struct xtr_eid_prefix *eid, unsigned *found)
{
	const struct xtr_eidtab *t = find(db, eid);
	uint8_t key[XTR_EID_PACKED_MAX];
	int bits = xtr_eid_pack(eid, key);

	return t && bits >= 0 ? xtr_trie_match(t->trie, key, (unsigned)bits, found) : NULL;
}

void xtr_eiddb_ahead(const struct xtr_eiddb *db, const struct xtr_eid_prefix *eids, unsigned n)
{
	struct xtr_trie_key keys[XTR_TRIE_AHEAD];
	unsigned m = 0;

	for (unsigned i = 0; i < n && m < XTR_TRIE_AHEAD; i++) {
		const struct xtr_eidtab *t = find(db, &eids[i]);
		int bits = t ? xtr_eid_pack(&eids[i], keys[m].key) : -1;

		if (bits < 0)
			continue;
		keys[m].t = t->trie;
		keys[m++].bits = (unsigned)bits;
	}
	xtr_trie_ahead(keys, m);
}

struct walk {
	const struct xtr_eidtab *tab;
	int (*fn)(void *ctx, const struct xtr_eid_prefix *eid, void *value);
	void *ctx;
};

static int walk_one(void *ctx, const uint8_t *key, unsigned bits, void *value)
{
	struct walk *w = ctx;
	struct xtr_eid_prefix eid;

	unpack(w->tab->key, key, bits, &eid);
	return w->fn(w->ctx, &eid, value);
}

int xtr_eiddb_walk(const struct xtr_eiddb *db, const struct xtr_eid_prefix *inside,
		   int (*fn)(void *ctx, const struct xtr_eid_prefix *eid, void *value), void *ctx)
{
	struct walk w = { .fn = fn, .ctx = ctx };
	uint8_t key[XTR_EID_PACKED_MAX] = { 0 };
	struct xtr_eidtab *t, *tmp;
	int bits, r = 0;

	if (inside) {
		w.tab = find(db, inside);
		bits = xtr_eid_pack(inside, key);
		return w.tab && bits >= 0
			       ? xtr_trie_walk(w.tab->trie, key, (unsigned)bits, walk_one, &w)
			       : 0;
	}
	HASH_ITER(hh, db->tabs, t, tmp) {
		w.tab = t;
		r = xtr_trie_walk(t->trie, key, 0, walk_one, &w);
		if (r)
			break;
	}
	return r;
}

/* The table with the lowest key that is not below this one. */
static struct xtr_eidtab *table_from(const struct xtr_eiddb *db, uint64_t key)
{
	struct xtr_eidtab *t, *tmp, *best = NULL;

	HASH_ITER(hh, db->tabs, t, tmp)
		if (t->key >= key && (!best || t->key < best->key))
			best = t;
	return best;
}

int xtr_eiddb_walk_after(const struct xtr_eiddb *db, const struct xtr_eid_prefix *after,
			 int (*fn)(void *ctx, const struct xtr_eid_prefix *eid, void *value),
			 void *ctx)
{
	struct walk w = { .fn = fn, .ctx = ctx };
	uint8_t key[XTR_EID_PACKED_MAX] = { 0 };
	uint64_t from = after ? tab_key(after) : 0;
	int bits = after ? xtr_eid_pack(after, key) : 0, r = 0;
	const struct xtr_eidtab *t;

	if (bits < 0)
		return bits;
	for (t = table_from(db, from); t && !r; t = t->key == UINT64_MAX ? NULL : table_from(db, t->key + 1)) {
		w.tab = t;
		if (after && t->key == from)
			r = xtr_trie_walk_after(t->trie, key, (unsigned)bits, walk_one, &w);
		else
			r = xtr_trie_walk(t->trie, key, 0, walk_one, &w);
	}
	return r;
}

unsigned xtr_eiddb_hole(const struct xtr_eiddb *db, const struct xtr_eid_prefix *host)
{
	const struct xtr_eidtab *t = find(db, host);
	uint8_t key[XTR_EID_PACKED_MAX];
	int bits = xtr_eid_pack(host, key);
	unsigned n = t && bits >= 0 ? xtr_trie_hole(t->trie, key, (unsigned)bits) : 0;

	/* A name ends between characters, whatever the mask-len counts (RFC 9735 3). */
	return host->afi == XTR_AFI_NAME ? (n + 7) / 8 * 8 : n;
}

static int is_longer(void *ctx, const struct xtr_eid_prefix *eid, void *value)
{
	return !xtr_eid_equal(ctx, eid);
}

bool xtr_eiddb_has_longer(const struct xtr_eiddb *db, const struct xtr_eid_prefix *eid)
{
	struct xtr_eid_prefix self = *eid;

	return xtr_eiddb_walk(db, eid, is_longer, &self) != 0;
}
