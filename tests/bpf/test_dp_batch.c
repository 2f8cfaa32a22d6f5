// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The map-cache of the kernel written by batches: what is in it afterwards is what single writes would have left, with a kernel that
 * has batches and with one that has not; readers are told after, never before; a full map refuses before anything is changed;
 * what goes to make room takes along what covers it.
 */
#include "bpf/dp_lab.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

TestSuite(dp_batch, .init = dp_setup, .fini = dp_teardown, .timeout = 120);

static struct xtr_ippfx nth_eid(unsigned i)
{
	char s[64];

	if (i % 5 == 4)
		snprintf(s, sizeof(s), "fd02:%x::/48", i);
	else
		snprintf(s, sizeof(s), "10.%u.%u.0/%u", 2 + i / 200, i % 200, i % 7 ? 24 : 23 + i % 2);
	return pfx(s);
}

static bool in_kernel(const struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid, struct xtr_eid *v)
{
	union xtr_dp_key k, next, *at = NULL;
	int fd = dp->map[eid->ip.family == 4 ? XTR_M_EID4 : XTR_M_EID6];
	size_t size = eid->ip.family == 4 ? sizeof(k.k4) : sizeof(k.k6);
	struct xtr_ippfx p = *eid;

	xtr_ippfx_mask(&p);
	xtr_dp_key(&k, iid, &p);
	while (!bpf_map_get_next_key(fd, at, &next)) { /* a lookup would find shorter ones, too */
		static union xtr_dp_key copy;

		if (!memcmp(&next, &k, size))
			return !bpf_map_lookup_elem(fd, &k, v);
		copy = next;
		at = &copy;
	}
	return false;
}

static int count_key(void *arg, const void *key)
{
	++*(unsigned *)arg;
	return 0;
}

static unsigned in_maps(const struct xtr_dp *dp)
{
	unsigned n = 0;

	xtr_dp_each_key(dp->map[XTR_M_EID4], sizeof(struct xtr_lpm4), count_key, &n);
	xtr_dp_each_key(dp->map[XTR_M_EID6], sizeof(struct xtr_lpm6), count_key, &n);
	return n;
}

static uint32_t gen_of(const struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *p)
{
	uint32_t w;
	__u32 shard;

	memcpy(&w, p->ip.a, 4);
	shard = xtr_gen_shard4(iid, __builtin_bswap32(w));
	return dp->gen_at[shard];
}

Test(dp_batch, a_prefix_that_lies_in_every_shard_moves_the_generations_and_nothing_else)
{
	struct xtr_dp_mapping a = mapping("192.0.2.2", 1, NULL, 0);
	struct xtr_ippfx half = pfx("0.0.0.0/1"), far = pfx("10.2.1.0/24");
	uint32_t beat, before;
	struct xtr_dp *dp;

	config(XTR_MODE_TC);
	dp = open_dp();
	cr_expect_neq(dp->gen_at[XTR_GEN_BEAT], 0, "from the start on");
	beat = dp->gen_at[XTR_GEN_BEAT] = 77;
	before = gen_of(dp, 0, &far);
	xtr_dp_batch_begin(dp);
	cr_assert_eq(xtr_dp_cache_put(dp, 0, &half, &a, now_ms()), 0);
	xtr_dp_batch_end(dp);
	cr_expect_neq(gen_of(dp, 0, &far), before);
	cr_expect_eq(dp->gen_at[XTR_GEN_BEAT], beat);
	xtr_dp_close(dp);
	detach();
}

/* Puts, replaces, deletes, puts again, in one batch that is longer than one turn of it. */
static void run(bool no_batch)
{
	struct xtr_dp_mapping a = mapping("192.0.2.2", 1, NULL, 0), b = mapping("192.0.2.3", 1, NULL, 0);
	struct xtr_ippfx first = pfx("10.2.1.0/24"), eid;
	struct xtr_dp *dp;
	struct xtr_eid v;
	uint32_t before, set_b;

	config(XTR_MODE_TC);
	cfg.cache_entries = 4096;
	xtr_dp_no_batch = no_batch;
	dp = open_dp();
	cr_assert_eq(put(dp, "10.250.0.0/24", &b), 0);
	eid = pfx("10.250.0.0/24");
	cr_assert(in_kernel(dp, 0, &eid, &v));
	set_b = v.rset;
	before = gen_of(dp, 0, &first);
	xtr_dp_batch_begin(dp);
	for (unsigned i = 0; i < 1500; i++) {
		eid = nth_eid(i);
		cr_assert_eq(xtr_dp_cache_put(dp, i % 3, &eid, i % 2 ? &a : &b, now_ms()), 0);
		if (i == 20) {
			cr_expect_eq(gen_of(dp, 0, &first), before, "readers are not told before it is there");
			cr_expect(no_batch || in_maps(dp) < 5, "they come together");
		}
	}
	for (unsigned i = 0; i < 1500; i += 10) {
		eid = nth_eid(i);
		cr_assert_eq(xtr_dp_cache_del(dp, i % 3, &eid), 0);
	}
	for (unsigned i = 0; i < 1500; i += 30) {
		eid = nth_eid(i);
		cr_assert_eq(xtr_dp_cache_put(dp, i % 3, &eid, &b, now_ms()), 0);
	}
	xtr_dp_batch_end(dp);
	cr_expect_neq(gen_of(dp, 0, &first), before);
	cr_expect_eq(in_maps(dp), 1 + 1500 - 150 + 50);
	for (unsigned i = 0; i < 60; i++) {
		bool there;

		eid = nth_eid(i);
		there = in_kernel(dp, i % 3, &eid, &v);
		cr_expect_eq(there, i % 10 || !(i % 30), "entry %u", i);
		cr_expect(!there || (v.rset == set_b) == (!(i % 2) || !(i % 30)), "entry %u has the right locators", i);
	}
	xtr_dp_close(dp);
	dp = open_dp();
	cr_expect_eq(seen.adopt, 1401, "and all of it is read by the next daemon");
	xtr_dp_close(dp);
	detach();
}

Test(dp_batch, a_batch_leaves_what_single_writes_would)
{
	run(false);
	cr_expect(!xtr_dp_no_batch, "this kernel has them");
}

Test(dp_batch, without_batches_in_the_kernel_it_is_the_same)
{
	run(true);
}

Test(dp_batch, a_full_map_refuses_and_nothing_changes)
{
	struct xtr_dp_mapping a = mapping("192.0.2.2", 1, NULL, 0), b = mapping("192.0.2.3", 1, NULL, 0);
	struct xtr_dp_table t[XTR_DP_COUNTS];
	struct xtr_ippfx eid;
	struct xtr_dp *dp;
	char s[32];

	config(XTR_MODE_TC);
	cfg.cache_entries = 64;
	dp = open_dp();
	for (unsigned batch = 0; batch < 2; batch++) {
		if (batch)
			xtr_dp_batch_begin(dp);
		for (unsigned i = 0; i < 80; i++) {
			snprintf(s, sizeof(s), "10.2.%u.0/24", i);
			cr_expect_eq(put(dp, s, &a), i < 64 ? 0 : -E2BIG, "entry %u", i);
		}
		if (batch)
			xtr_dp_batch_end(dp);
		cr_expect_eq(in_maps(dp), 64);
		cr_expect_eq(xtr_dp_refused(dp), 16);
		cr_expect_eq(put(dp, "10.2.5.0/24", &b), 0, "what is there can change");
		cr_expect_eq(put(dp, "fd02::/64", &b), 0, "the other family has its own places");
		xtr_dp_counts(dp, t);
		cr_expect(t[0].entries == 64 && t[0].max == 64 && t[1].entries == 1);
		if (batch)
			break;
		/* in a batch a place that becomes free is free at once */
		xtr_dp_batch_begin(dp);
		for (unsigned i = 0; i < 64; i++) {
			snprintf(s, sizeof(s), "10.2.%u.0/24", i);
			eid = pfx(s);
			cr_expect_eq(xtr_dp_cache_del(dp, 0, &eid), 0);
		}
		eid = pfx("fd02::/64");
		cr_expect_eq(xtr_dp_cache_del(dp, 0, &eid), 0);
		xtr_dp_batch_end(dp);
		cr_expect_eq(in_maps(dp), 0);
		dp->full = 0;
	}
	xtr_dp_close(dp);
	detach();
}

Test(dp_batch, what_goes_to_make_room_takes_along_what_covers_it)
{
	struct xtr_dp_mapping a = mapping("192.0.2.2", 1, NULL, 0), b = mapping("192.0.2.3", 1, NULL, 0);
	struct xtr_ippfx in = pfx("10.2.1.0/24"), over = pfx("10.2.0.0/16"), other = pfx("10.3.0.0/16");
	struct xtr_dp *dp;
	union xtr_dp_key k;
	struct xtr_eid v;

	config(XTR_MODE_TC);
	dp = open_dp();
	cr_assert_eq(put(dp, "10.2.0.0/16", &a), 0);
	cr_assert_eq(put(dp, "10.2.1.0/24", &b), 0);
	cr_assert_eq(put(dp, "10.3.0.0/16", &a), 0);
	xtr_dp_key(&k, 0, &over); /* all are in use but the one inside */
	bpf_map_lookup_elem(dp->map[XTR_M_EID4], &k, &v);
	v.used = xtr_dp_jiffies(dp);
	bpf_map_update_elem(dp->map[XTR_M_EID4], &k, &v, BPF_ANY);
	xtr_dp_key(&k, 0, &other);
	bpf_map_update_elem(dp->map[XTR_M_EID4], &k, &v, BPF_ANY);
	cr_expect_eq(xtr_dp_cache_evict(dp, 1), 1);
	cr_expect(!in_kernel(dp, 0, &in, &v));
	cr_expect(!in_kernel(dp, 0, &over, &v), "its packets must not go where 10.2.0.0/16 goes");
	cr_expect(in_kernel(dp, 0, &other, &v));
	xtr_dp_close(dp);
	detach();
}
