// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Path-compressed binary trie of prefixes (Patricia). Owns its nodes, never the values.
 *
 * Invariants: a node's key is masked to its bits and zero beyond; a child's key starts with its
 * parent's key and is longer; child[b] has bit b after the parent's key; a node without a value is
 * an inner node with two children. So a trie of n values has at most 2n - 1 nodes and every
 * operation takes at most one step per key bit.
 */
#include "util/trie.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEY_OCTETS (XTR_TRIE_MAX_BITS / 8)

struct node {
	struct node *child[2], *up;
	void *value; /* NULL: inner node */
	uint16_t bits;
	uint8_t key[]; /* as many octets as bits need: a node of an IPv4 prefix takes 40 */
};

struct xtr_trie {
	struct node *root;
	size_t count;
};

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

static struct node *node_new(const uint8_t *key, unsigned bits, void *value)
{
	struct node *n = calloc(1, offsetof(struct node, key) + (bits + 7) / 8);

	if (!n)
		return NULL;
	n->bits = (uint16_t)bits;
	n->value = value;
	if (bits)
		memcpy(n->key, key, (bits + 7) / 8);
	if (bits % 8)
		n->key[bits / 8] &= (uint8_t)(0xff00 >> (bits % 8));
	return n;
}

static struct node **link_of(struct xtr_trie *t, const struct node *n)
{
	if (!n->up)
		return &t->root;
	return &n->up->child[n->up->child[1] == n];
}

static void adopt(struct node *parent, struct node *child)
{
	parent->child[bit_at(child->key, parent->bits)] = child;
	child->up = parent;
}

struct xtr_trie *xtr_trie_new(void)
{
	return calloc(1, sizeof(struct xtr_trie));
}

void xtr_trie_free(struct xtr_trie *t, void (*free_value)(void *))
{
	struct node *n;

	if (!t)
		return;
	/* Post-order without recursion: go down while there are children, cut off the leaf, go up. */
	n = t->root;
	while (n) {
		struct node *up = n->up, *down = n->child[0] ? n->child[0] : n->child[1];

		if (down) {
			n = down;
			continue;
		}
		if (n->value && free_value)
			free_value(n->value);
		if (up)
			up->child[up->child[1] == n] = NULL;
		free(n);
		n = up;
	}
	free(t);
}

size_t xtr_trie_count(const struct xtr_trie *t)
{
	return t->count;
}

/* Puts a new value node in the place of *link, above or beside what is there. common: bits it
 * shares with that. */
static int insert_at(struct xtr_trie *t, struct node **link, struct node *up, unsigned common,
		     struct node *leaf)
{
	struct node *old = *link, *inner;

	if (!old) {
		leaf->up = up;
		*link = leaf;
	} else if (common == leaf->bits) {
		leaf->up = up;
		adopt(leaf, old);
		*link = leaf;
	} else {
		inner = node_new(leaf->key, common, NULL);
		if (!inner)
			return -ENOMEM;
		inner->up = up;
		adopt(inner, old);
		adopt(inner, leaf);
		*link = inner;
	}
	t->count++;
	return 0;
}

int xtr_trie_set(struct xtr_trie *t, const uint8_t *key, unsigned bits, void *value, void **old)
{
	struct node **link = &t->root, *up = NULL, *leaf;
	unsigned common = 0;

	if (old)
		*old = NULL;
	if (bits > XTR_TRIE_MAX_BITS || !value)
		return -EINVAL;
	while (*link) {
		struct node *n = *link;

		common = common_bits(n->key, key, common, min_u(n->bits, bits));
		if (common < n->bits)
			break;
		if (n->bits == bits) {
			if (old)
				*old = n->value;
			t->count += !n->value;
			n->value = value;
			return 0;
		}
		up = n;
		link = &n->child[bit_at(key, n->bits)];
	}
	leaf = node_new(key, bits, value);
	if (!leaf)
		return -ENOMEM;
	if (insert_at(t, link, up, common, leaf)) {
		free(leaf);
		return -ENOMEM;
	}
	return 0;
}

/* The node (inner ones too) that is exactly key/bits. */
static struct node *find_exact(const struct xtr_trie *t, const uint8_t *key, unsigned bits)
{
	unsigned common = 0;

	if (bits > XTR_TRIE_MAX_BITS)
		return NULL;
	for (struct node *n = t->root; n && n->bits <= bits; n = n->child[bit_at(key, n->bits)]) {
		common = common_bits(n->key, key, common, n->bits);
		if (common < n->bits)
			return NULL;
		if (n->bits == bits)
			return n;
	}
	return NULL;
}

void *xtr_trie_get(const struct xtr_trie *t, const uint8_t *key, unsigned bits)
{
	struct node *n = find_exact(t, key, bits);

	return n ? n->value : NULL;
}

/* Takes a node without value and with less than two children out of the tree. */
static struct node *splice(struct xtr_trie *t, struct node *n)
{
	struct node *up = n->up, *child = n->child[0] ? n->child[0] : n->child[1];

	*link_of(t, n) = child;
	if (child)
		child->up = up;
	free(n);
	return up;
}

void *xtr_trie_del(struct xtr_trie *t, const uint8_t *key, unsigned bits)
{
	struct node *n = find_exact(t, key, bits);
	void *value;

	if (!n || !n->value)
		return NULL;
	value = n->value;
	n->value = NULL;
	t->count--;
	/* Removing a leaf can leave its parent, an inner node, with one child. */
	while (n && !n->value && !(n->child[0] && n->child[1]))
		n = splice(t, n);
	return value;
}

static void *longest(const struct xtr_trie *t, const uint8_t *key, unsigned bits, unsigned limit,
		     unsigned *found)
{
	const struct node *best = NULL;
	unsigned common = 0;

	if (bits > XTR_TRIE_MAX_BITS)
		return NULL;
	for (const struct node *n = t->root; n && n->bits < limit;
	     n = n->child[bit_at(key, n->bits)]) {
		common = common_bits(n->key, key, common, n->bits);
		if (common < n->bits)
			break;
		if (n->value)
			best = n;
		if (n->bits == bits)
			break;
	}
	if (!best)
		return NULL;
	if (found)
		*found = best->bits;
	return best->value;
}

void *xtr_trie_match(const struct xtr_trie *t, const uint8_t *key, unsigned bits, unsigned *found)
{
	return longest(t, key, bits, bits + 1, found);
}

void *xtr_trie_parent(const struct xtr_trie *t, const uint8_t *key, unsigned bits, unsigned *found)
{
	return longest(t, key, bits, bits, found);
}

/* The next node in pre-order, not leaving the subtree of top. */
static const struct node *next_node(const struct node *n, const struct node *top)
{
	if (n->child[0])
		return n->child[0];
	if (n->child[1])
		return n->child[1];
	while (n != top) {
		const struct node *up = n->up;

		if (up->child[0] == n && up->child[1])
			return up->child[1];
		n = up;
	}
	return NULL;
}

int xtr_trie_walk(const struct xtr_trie *t, const uint8_t *key, unsigned bits,
		  int (*fn)(void *ctx, const uint8_t *key, unsigned bits, void *value), void *ctx)
{
	const struct node *top = t->root;
	uint8_t whole[KEY_OCTETS];
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
		top = top->child[bit_at(key, top->bits)];
	}
	for (const struct node *n = top; n; n = next_node(n, top)) {
		int r;

		if (!n->value)
			continue;
		memset(whole, 0, sizeof(whole));
		memcpy(whole, n->key, (n->bits + 7u) / 8);
		r = fn(ctx, whole, n->bits, n->value);
		if (r)
			return r;
	}
	return 0;
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
		n = n->child[bit_at(key, n->bits)];
	}
	return common + 1;
}
