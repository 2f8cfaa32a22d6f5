// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Path-compressed binary trie of prefixes (Patricia). Owns its nodes, never the values.
 *
 * Invariants: a node's key is masked to its bits and zero beyond; a child's key starts with its
 * parent's key and is longer; child[b] has bit b after the parent's key; a node without a value is
 * an inner node with two children. So a trie of n values has at most 2n - 1 nodes and every
 * operation takes at most one step per key bit.
 *
 * A million prefixes make two million nodes, so a node has only what it needs: no way up, children
 * only where there were some, a value only where there was one, as many octets of the key as it has
 * bits. What it has lies in front of it. An IPv4 prefix takes 64 octets, its inner node included.
 */
#include "util/trie.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEY_OCTETS (XTR_TRIE_MAX_BITS / 8)

enum { KIDS = 1, VALUE = 2 };

struct node { /* in memory: [value] [child 0, child 1] node */
	uint16_t bits;
	uint8_t has; /* KIDS, VALUE: there is room for them */
	uint8_t key[];
};

struct xtr_trie {
	struct node *root;
	size_t count;
};

/* Nodes still to be visited, the next one last: of each step down at most one is left behind. */
struct todo {
	struct node *at[XTR_TRIE_MAX_BITS + 4];
	unsigned n;
};

static inline size_t front(uint8_t has)
{
	return (has & KIDS ? 2 * sizeof(void *) : 0) + (has & VALUE ? sizeof(void *) : 0);
}

static inline struct node **kids(const struct node *n)
{
	return (struct node **)n - 2;
}

static inline struct node *child(const struct node *n, unsigned b)
{
	return n->has & KIDS ? kids(n)[b] : NULL;
}

static inline void **value_of(const struct node *n)
{
	return (void **)(void *)((char *)n - front(n->has));
}

static inline void *value(const struct node *n)
{
	return n->has & VALUE ? *value_of(n) : NULL;
}

static inline unsigned bit_at(const uint8_t *key, unsigned i)
{
	return key[i / 8] >> (7 - i % 8) & 1;
}

/* Number of equal leading bits, at most max; the first `from` bits are known to be equal. */
static unsigned common_bits(const uint8_t *a, const uint8_t *b, unsigned from, unsigned max)
{
	for (unsigned i = from / 8; i < (max + 7) / 8; i++) {
		unsigned diff = a[i] ^ b[i];

		if (diff) {
			unsigned n = i * 8 + (unsigned)__builtin_clz(diff) - 24;

			return n < max ? n : max;
		}
	}
	return max;
}

static inline unsigned min_u(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static struct node *node_new(const uint8_t *key, unsigned bits, uint8_t has)
{
	char *p = calloc(1, front(has) + offsetof(struct node, key) + (bits + 7) / 8);
	struct node *n;

	if (!p)
		return NULL;
	n = (struct node *)(void *)(p + front(has));
	n->has = has;
	n->bits = (uint16_t)bits;
	if (bits)
		memcpy(n->key, key, (bits + 7) / 8);
	if (bits % 8)
		n->key[bits / 8] &= (uint8_t)(0xff00 >> (bits % 8));
	return n;
}

static void node_free(struct node *n)
{
	free((char *)n - front(n->has));
}

/* Makes room in a node for what it has none for. */
static int node_grow(struct node **link, uint8_t has)
{
	struct node *old = *link, *n;

	if ((old->has & has) == has)
		return 0;
	n = node_new(old->key, old->bits, old->has | has);
	if (!n)
		return -ENOMEM;
	if (old->has & KIDS)
		memcpy(kids(n), kids(old), 2 * sizeof(*kids(n)));
	if (old->has & VALUE)
		*value_of(n) = *value_of(old);
	*link = n;
	node_free(old);
	return 0;
}

static void adopt(struct node *parent, struct node *c)
{
	kids(parent)[bit_at(c->key, parent->bits)] = c;
}

static void later(struct todo *t, struct node *n)
{
	if (n)
		t->at[t->n++] = n;
}

/* The next node in pre-order; its children come after it. */
static struct node *next_node(struct todo *t)
{
	struct node *n;

	if (!t->n)
		return NULL;
	n = t->at[--t->n];
	later(t, child(n, 1));
	later(t, child(n, 0));
	return n;
}

struct xtr_trie *xtr_trie_new(void)
{
	return calloc(1, sizeof(struct xtr_trie));
}

void xtr_trie_free(struct xtr_trie *t, void (*free_value)(void *))
{
	struct todo todo = { .n = 0 };
	struct node *n;

	if (!t)
		return;
	later(&todo, t->root);
	while ((n = next_node(&todo))) {
		if (value(n) && free_value)
			free_value(value(n));
		node_free(n);
	}
	free(t);
}

size_t xtr_trie_count(const struct xtr_trie *t)
{
	return t->count;
}

/* Puts a new value in the place of *link, above or beside what is there. common: bits it shares
 * with that. */
static int insert_at(struct node **link, unsigned common, const uint8_t *key, unsigned bits,
		     void *v)
{
	struct node *old = *link, *inner, *leaf;

	leaf = node_new(key, bits, old && common == bits ? VALUE | KIDS : VALUE);
	if (!leaf)
		return -ENOMEM;
	*value_of(leaf) = v;
	if (!old) {
		*link = leaf;
	} else if (common == bits) {
		adopt(leaf, old);
		*link = leaf;
	} else {
		inner = node_new(key, common, KIDS);
		if (!inner) {
			node_free(leaf);
			return -ENOMEM;
		}
		adopt(inner, old);
		adopt(inner, leaf);
		*link = inner;
	}
	return 0;
}

int xtr_trie_set(struct xtr_trie *t, const uint8_t *key, unsigned bits, void *v, void **old)
{
	struct node **link = &t->root;
	unsigned common = 0;
	int r;

	if (old)
		*old = NULL;
	if (bits > XTR_TRIE_MAX_BITS || !v)
		return -EINVAL;
	while (*link) {
		struct node *n = *link;

		common = common_bits(n->key, key, common, min_u(n->bits, bits));
		if (common < n->bits)
			break;
		if (n->bits == bits) {
			if (old)
				*old = value(n);
			if (node_grow(link, VALUE))
				return -ENOMEM;
			t->count += !value(*link);
			*value_of(*link) = v;
			return 0;
		}
		if (node_grow(link, KIDS))
			return -ENOMEM;
		link = &kids(*link)[bit_at(key, (*link)->bits)];
	}
	r = insert_at(link, common, key, bits, v);
	t->count += !r;
	return r;
}

/* The place of the node (inner ones too) that is exactly key/bits, and that of its parent. */
static struct node **find_exact(struct xtr_trie *t, const uint8_t *key, unsigned bits,
				struct node ***up)
{
	struct node **link = &t->root;
	unsigned common = 0;

	*up = NULL;
	if (bits > XTR_TRIE_MAX_BITS)
		return NULL;
	while (*link && (*link)->bits <= bits) {
		struct node *n = *link;

		common = common_bits(n->key, key, common, n->bits);
		if (common < n->bits)
			return NULL;
		if (n->bits == bits)
			return link;
		if (!(n->has & KIDS))
			return NULL;
		*up = link;
		link = &kids(n)[bit_at(key, n->bits)];
	}
	return NULL;
}

void *xtr_trie_get(const struct xtr_trie *t, const uint8_t *key, unsigned bits)
{
	struct node **up, **n = find_exact((struct xtr_trie *)t, key, bits, &up);

	return n ? value(*n) : NULL;
}

/* Takes a node without value out of the tree if it has less than two children. True: it had none. */
static bool splice(struct node **link)
{
	struct node *n = *link, *a = child(n, 0), *b = child(n, 1);

	if (value(n) || (a && b))
		return false;
	*link = a ? a : b;
	node_free(n);
	return !a && !b;
}

void *xtr_trie_del(struct xtr_trie *t, const uint8_t *key, unsigned bits)
{
	struct node **up, **link = find_exact(t, key, bits, &up);
	void *v = link ? value(*link) : NULL;

	if (!v)
		return NULL;
	*value_of(*link) = NULL;
	t->count--;
	/* Removing a leaf can leave its parent, an inner node, with one child. */
	if (splice(link) && up)
		splice(up);
	return v;
}

static void *longest(const struct xtr_trie *t, const uint8_t *key, unsigned bits, unsigned limit,
		     unsigned *found)
{
	const struct node *best = NULL;
	unsigned common = 0;

	if (bits > XTR_TRIE_MAX_BITS)
		return NULL;
	for (const struct node *n = t->root; n && n->bits < limit;
	     n = child(n, bit_at(key, n->bits))) {
		common = common_bits(n->key, key, common, n->bits);
		if (common < n->bits)
			break;
		if (value(n))
			best = n;
		if (n->bits == bits)
			break;
	}
	if (!best)
		return NULL;
	if (found)
		*found = best->bits;
	return value(best);
}

void *xtr_trie_match(const struct xtr_trie *t, const uint8_t *key, unsigned bits, unsigned *found)
{
	return longest(t, key, bits, bits + 1, found);
}

void *xtr_trie_parent(const struct xtr_trie *t, const uint8_t *key, unsigned bits, unsigned *found)
{
	return longest(t, key, bits, bits, found);
}

static int visit(struct todo *todo,
		 int (*fn)(void *ctx, const uint8_t *key, unsigned bits, void *value), void *ctx)
{
	uint8_t whole[KEY_OCTETS];
	const struct node *n;

	while ((n = next_node(todo))) {
		int r;

		if (!value(n))
			continue;
		memset(whole, 0, sizeof(whole));
		memcpy(whole, n->key, (n->bits + 7u) / 8);
		r = fn(ctx, whole, n->bits, value(n));
		if (r)
			return r;
	}
	return 0;
}

int xtr_trie_walk(const struct xtr_trie *t, const uint8_t *key, unsigned bits,
		  int (*fn)(void *ctx, const uint8_t *key, unsigned bits, void *value), void *ctx)
{
	struct todo todo = { .n = 0 };
	struct node *top = t->root;
	unsigned common = 0;

	if (bits > XTR_TRIE_MAX_BITS)
		return 0;
	while (top) {
		unsigned want = min_u(top->bits, bits);

		common = common_bits(top->key, key, common, want);
		if (common < want)
			return 0;
		if (top->bits >= bits)
			break;
		top = child(top, bit_at(key, top->bits));
	}
	later(&todo, top);
	return visit(&todo, fn, ctx);
}

int xtr_trie_walk_after(const struct xtr_trie *t, const uint8_t *key, unsigned bits,
			int (*fn)(void *ctx, const uint8_t *key, unsigned bits, void *value),
			void *ctx)
{
	struct todo todo = { .n = 0 };
	struct node *n = t->root;
	unsigned common = 0;

	if (bits > XTR_TRIE_MAX_BITS)
		return 0;
	while (n) {
		unsigned want = min_u(n->bits, bits);

		common = common_bits(n->key, key, common, want);
		if (common < want) {
			if (bit_at(n->key, common))
				later(&todo, n);
			break;
		}
		if (n->bits >= bits) {
			later(&todo, n);
			if (n->bits == bits) /* itself is not after itself */
				next_node(&todo);
			break;
		}
		if (!bit_at(key, n->bits))
			later(&todo, child(n, 1));
		n = child(n, bit_at(key, n->bits));
	}
	return visit(&todo, fn, ctx);
}

/* Without looking at the keys of nodes: a way that ends elsewhere only costs time. A step of each in turn: what is asked for has
 * the time of all others to come. */
void xtr_trie_ahead(const struct xtr_trie_key *keys, unsigned n)
{
	const struct node *at[XTR_TRIE_AHEAD];
	bool more = true;

	n = min_u(n, XTR_TRIE_AHEAD);
	for (unsigned i = 0; i < n; i++)
		at[i] = keys[i].t ? keys[i].t->root : NULL;
	while (more) {
		more = false;
		for (unsigned i = 0; i < n; i++) {
			if (!at[i] || at[i]->bits >= keys[i].bits || !(at[i]->has & KIDS))
				continue;
			at[i] = kids(at[i])[bit_at(keys[i].key, at[i]->bits)];
			if (!at[i])
				continue;
			__builtin_prefetch((const char *)at[i] - front(KIDS | VALUE));
			__builtin_prefetch((const char *)at[i] + offsetof(struct node, key));
			more = true;
		}
	}
	for (unsigned i = 0; i < n; i++)
		if (at[i] && value(at[i])) {
			__builtin_prefetch(value(at[i]));
			__builtin_prefetch((const char *)value(at[i]) + 64);
		}
}

unsigned xtr_trie_hole(const struct xtr_trie *t, const uint8_t *key, unsigned bits)
{
	const struct node *n = t->root;
	unsigned common = 0;

	if (!n || bits > XTR_TRIE_MAX_BITS)
		return 0;
	while (n) {
		common = common_bits(n->key, key, common, min_u(n->bits, bits));
		if (common < n->bits || n->bits == bits)
			break;
		n = child(n, bit_at(key, n->bits));
	}
	return common + 1;
}
