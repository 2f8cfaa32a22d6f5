// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How full the maps are and what they cost. The number of elements comes from whoever knows it: the daemon
 * its own tables, the view by reading the keys. What an element takes is more than its key and value, and
 * more than the kernel says in fdinfo: the head of the element, the inner nodes of tries (nearly one for each
 * prefix), and the size classes of the kernel's allocator. The figures here were compared with what the
 * memory of a machine really loses to a million entries.
 */
#include "dp/internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define XTR_DP_TRIE_HEAD 40 /* struct lpm_trie_node; newer kernels have less */
#define XTR_DP_HASH_HEAD 48 /* struct htab_elem */

static const char cache_key[] = "data-plane.cache-entries", rloc_key[] = "data-plane.rloc-entries";

const char *xtr_dp_map_key(unsigned map)
{
	switch (map) {
	case XTR_M_EID4:
	case XTR_M_EID6: return cache_key;
	case XTR_M_RLOC:
	case XTR_M_RLSTAT:
	case XTR_M_RSET: return rloc_key;
	default: return NULL;
	}
}

unsigned xtr_dp_counts(const struct xtr_dp *dp, struct xtr_dp_table out[XTR_DP_COUNTS])
{
	const uint32_t cache = dp->cfg.cache_entries, rloc = dp->cfg.rloc_entries - 1;

	out[0] = (struct xtr_dp_table){ XTR_MAP_EID4, cache_key, xtr_trie_count(dp->eid4), cache };
	out[1] = (struct xtr_dp_table){ XTR_MAP_EID6, cache_key, xtr_trie_count(dp->eid6), cache };
	out[2] = (struct xtr_dp_table){ XTR_MAP_RSET, rloc_key, dp->set_count, rloc };
	out[3] = (struct xtr_dp_table){ XTR_MAP_RLOC, rloc_key, HASH_COUNT(dp->rls), rloc };
	return XTR_DP_COUNTS;
}

uint64_t xtr_dp_refused(const struct xtr_dp *dp) { return dp->full; }

/* The allocator of BPF maps keeps a word in front of each piece and has these sizes. */
static uint64_t xtr_dp_class(uint64_t octets)
{
	static const uint16_t sizes[] = { 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096 };

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (octets + 8 <= sizes[i])
			return sizes[i];
	return octets + 8;
}

static uint64_t xtr_dp_round8(uint64_t n) { return (n + 7) / 8 * 8; }

void xtr_dp_usage_memory(struct xtr_dp_usage *u, unsigned cpus)
{
	uint64_t value = xtr_dp_round8(u->bytes_value), buckets = 1;

	while (buckets < u->max)
		buckets *= 2;
	switch (u->type) {
	case BPF_MAP_TYPE_LPM_TRIE:
		u->bytes_entry = 2 * xtr_dp_class(XTR_DP_TRIE_HEAD - 16 + u->bytes_key - 4 + u->bytes_value);
		u->bytes = u->entries * u->bytes_entry;
		u->bytes_full = u->max * u->bytes_entry;
		return;
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
		u->bytes_entry = XTR_DP_HASH_HEAD + xtr_dp_round8(u->bytes_key) + value;
		if (u->flags & BPF_F_NO_PREALLOC)
			u->bytes_entry = xtr_dp_class(u->bytes_entry);
		u->bytes_full = u->max * u->bytes_entry + buckets * 16;
		u->bytes = u->flags & BPF_F_NO_PREALLOC ? u->entries * u->bytes_entry + buckets * 16 : u->bytes_full;
		return;
	case BPF_MAP_TYPE_RINGBUF: u->bytes_entry = 1; break;
	case BPF_MAP_TYPE_PERCPU_ARRAY: u->bytes_entry = value * cpus; break;
	default: u->bytes_entry = value;
	}
	u->fixed = true;
	u->entries = u->max;
	u->bytes = u->bytes_full = u->max * u->bytes_entry;
}

uint64_t xtr_dp_memory_full(const struct xtr_dp *dp, uint64_t cache_entries)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < XTR_M_MAX; i++) {
		struct bpf_map_info info;
		struct xtr_dp_usage u;

		if (xtr_dp_map_info(dp->map[i], &info))
			continue;
		u = (struct xtr_dp_usage){ .type = info.type, .flags = info.map_flags, .max = info.max_entries,
					   .bytes_key = info.key_size, .bytes_value = info.value_size };
		xtr_dp_usage_memory(&u, dp->cpus);
		if (i == XTR_M_EID4 || i == XTR_M_EID6) /* the larger one counts for both */
			u.bytes_full = i == XTR_M_EID4 ? 0 :
				       (cache_entries < 2 * u.max ? cache_entries : 2 * u.max) * u.bytes_entry;
		sum += u.bytes_full;
	}
	return sum;
}

static int xtr_dp_usage_count(void *arg, const void *key)
{
	++*(uint64_t *)arg;
	return 0;
}

static int xtr_dp_usage_count_elem(void *arg, const void *key, const void *value)
{
	++*(uint64_t *)arg;
	return 0;
}

/* Tries by batches: the largest of them hold millions. */
uint64_t xtr_dp_usage_entries(int fd, const struct bpf_map_info *i)
{
	uint64_t n = 0;

	if (i->type == BPF_MAP_TYPE_LPM_TRIE && i->value_size % 8 == 0)
		xtr_dp_each_elem(fd, i->key_size, i->value_size, xtr_dp_usage_count_elem, &n);
	else if (i->type == BPF_MAP_TYPE_HASH || i->type == BPF_MAP_TYPE_LRU_HASH ||
		 i->type == BPF_MAP_TYPE_LPM_TRIE)
		xtr_dp_each_key(fd, i->key_size, xtr_dp_usage_count, &n);
	return n;
}
