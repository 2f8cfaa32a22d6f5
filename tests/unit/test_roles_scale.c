// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ITR: a map-cache that is large, or full. Whatever has to go or finds no place, no less-specific mapping takes its
 * traffic (RFC 9301 5.5); and long work is done in parts.
 */
#include "itr_lab.h"

#include "xtr/abi.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static void set_up(void)
{
	itr_conf();
	conf.c.limits.requests_per_second = 1000000;
	itr_go();
}

TestSuite(scale, .init = set_up, .fini = world_down);

static int add(const char *prefix, const char *rloc)
{
	const struct xtr_fwd f = { .action = XTR_ACT_ENCAP, .n = 1, .locators = { { fw_ip(rloc), 1 } } };
	struct xtr_eid_prefix e = fw_eid(prefix);

	return xtr_node_cache_add(itr->n, &e, &f, w->now);
}

static bool has(const char *prefix)
{
	const struct fw_dp *d = fw_dp_get(itr, prefix);

	return d && d->there;
}

/* ---- full */

Test(scale, an_entry_that_is_evicted_takes_those_that_cover_it_along)
{
	char eid[32], prefix[32];

	conf.c.limits.cache_entries = 16;
	fw_reconfigure(itr, &conf);
	RESOLVE("10.2.9.9", FW_REC("10.2.0.0/16", 60, "192.0.2.2"), FW_REC("10.2.1.0/24", 60, "192.0.2.3"));
	cr_assert(has("10.2.0.0/16") && has("10.2.1.0/24"));
	for (unsigned i = 0; i < 40; i++) {
		fw_run(w, 1000);
		fw_use(itr, "10.2.9.9"); /* the covering one is in use all the time, the one inside is not */
		snprintf(eid, sizeof(eid), "10.9.%u.5", i);
		snprintf(prefix, sizeof(prefix), "10.9.%u.0/24", i);
		RESOLVE(eid, FW_REC(prefix, 60, "192.0.2.2"));
		cr_assert(has("10.2.1.0/24") || !has("10.2.0.0/16"), "round %u: traffic of 10.2.1.0/24 goes to the wrong place", i);
	}
	cr_expect(!has("10.2.1.0/24"));
}

Test(scale, the_kernel_is_full_and_the_idle_one_of_the_same_family_gives_way)
{
	char eid[32], prefix[32];

	itr->dp_max = 8;
	RESOLVE("fd02::1", FW_REC("fd02::/64", 60, "192.0.2.2"));
	for (unsigned i = 0; i < 20; i++) {
		fw_run(w, 1000);
		fw_use(itr, "10.9.3.5");
		snprintf(eid, sizeof(eid), "10.9.%u.5", i);
		snprintf(prefix, sizeof(prefix), "10.9.%u.0/24", i);
		RESOLVE(eid, FW_REC(prefix, 60, "192.0.2.2"));
		cr_assert(has(prefix), "the newest is in");
	}
	cr_expect(has("10.9.3.0/24"), "the one in use stays");
	cr_expect(has("fd02::/64"), "the other family has its own places");
	cr_expect_eq(fw_counter(itr, XTR_NODE_CACHE_EVICTED), 12);
	cr_expect_eq(fw_counter(itr, XTR_NODE_CACHE_REFUSED), 0);
}

Test(scale, what_the_kernel_has_no_place_for_is_not_sent_by_a_less_specific_entry)
{
	itr->dp_max = 3;
	cr_assert_eq(add("10.5.0.0/24", "192.0.2.9"), 0);
	cr_assert_eq(add("10.6.0.0/24", "192.0.2.9"), 0);
	RESOLVE("10.2.7.5", FW_REC("10.2.0.0/16", 60, "192.0.2.2"));
	cr_assert(has("10.2.0.0/16"));
	/* a more-specific one appears; nothing may go for it but what covers it */
	fw_run(w, 5000);
	RESOLVE("10.3.0.5", FW_REC("10.2.0.0/15", 60, "192.0.2.2"), FW_REC("10.2.1.0/24", 60, "192.0.2.3"));
	cr_expect(has("10.2.1.0/24") || (!has("10.2.0.0/16") && !has("10.2.0.0/15")));
	cr_expect(has("10.5.0.0/24") && has("10.6.0.0/24"), "what was set by hand stays");
	fw_run(w, 5000);
}

Test(scale, a_static_entry_without_a_place_is_refused_and_said_so)
{
	itr->dp_max = 2;
	cr_expect_eq(add("10.5.0.0/24", "192.0.2.9"), 0);
	cr_expect_eq(add("10.6.0.0/24", "192.0.2.9"), 0);
	cr_expect_eq(add("10.7.0.0/24", "192.0.2.9"), -E2BIG);
	cr_expect(!has("10.7.0.0/24"));
	cr_expect_eq(fw_counter(itr, XTR_NODE_CACHE_REFUSED), 1);
	itr->dp_max = 0;
	conf.c.limits.cache_entries = 2;
	fw_reconfigure(itr, &conf);
	cr_expect_eq(add("10.7.0.0/24", "192.0.2.9"), -ENOSPC);
	cr_expect_eq(fw_counter(itr, XTR_NODE_DROP_LIMIT), 1);
}

Test(scale, an_entry_the_kernel_lost_later_is_not_covered_either)
{
	struct xtr_eid_prefix e = fw_eid("10.2.1.0/24");

	RESOLVE("10.2.9.9", FW_REC("10.2.0.0/16", 60, "192.0.2.2"), FW_REC("10.2.1.0/24", 60, "192.0.2.3"));
	cr_assert(has("10.2.0.0/16") && has("10.2.1.0/24"));
	xtr_node_refused(itr->n, &e, w->now);
	cr_expect(!has("10.2.0.0/16"));
	cr_expect_eq(fw_counter(itr, XTR_NODE_CACHE_REFUSED), 1);
	/* the next packet puts it there again */
	fw_miss(itr, "10.2.1.5", NULL);
	cr_expect(has("10.2.1.0/24"));
}

Test(scale, places_for_locators_are_not_taken_from_what_was_set_by_hand)
{
	struct xtr_eid_prefix in = fw_eid("10.2.1.0/24"), hand = fw_eid("10.5.0.0/24"),
			      other = fw_eid("10.77.0.0/16");

	cr_assert_eq(add("10.5.0.0/24", "192.0.2.9"), 0);
	RESOLVE("10.2.9.9", FW_REC("10.2.0.0/16", 60, "192.0.2.2"), FW_REC("10.2.1.0/24", 60, "192.0.2.3"));
	cr_assert(has("10.2.0.0/16") && has("10.2.1.0/24"));
	cr_expect_eq(xtr_node_evict(itr->n, &hand, w->now), 0);
	cr_expect_eq(xtr_node_evict(itr->n, &other, w->now), -ENOENT);
	cr_expect_eq(xtr_node_evict(itr->n, &in, w->now), 1);
	cr_expect(!has("10.2.1.0/24") && !has("10.2.0.0/16"));
	cr_expect(has("10.5.0.0/24"));
}

/* ---- in parts */

struct seen {
	struct xtr_eid_prefix eid[600];
	unsigned n, limit;
};

static int see(void *arg, const struct xtr_cache_info *c)
{
	struct seen *s = arg;

	if (s->n == s->limit)
		return 1;
	s->eid[s->n++] = c->eid;
	return 0;
}

static void fill(void)
{
	char p[48];

	for (unsigned i = 0; i < 60; i++)
		for (unsigned iid = 0; iid < 3; iid++) {
			snprintf(p, sizeof(p), "[%u]10.%u.%u.0/%u", iid * 7, 2 + i % 5, i, 24 + i % 3);
			cr_assert_eq(add(p, "192.0.2.9"), 0);
			snprintf(p, sizeof(p), "[%u]fd%02x:%x::/48", iid * 7, i % 5, i);
			cr_assert_eq(add(p, "192.0.2.9"), 0);
		}
}

Test(scale, a_walk_in_parts_sees_what_one_walk_sees_in_one_order)
{
	static struct seen all, one;
	struct xtr_cache_part part = { .eid = NULL };
	struct xtr_eid_prefix last;
	unsigned n = 0;

	fill();
	all.limit = 600;
	cr_assert_eq(xtr_node_walk_cache(itr->n, NULL, w->now, see, &all), 0);
	cr_assert_eq(all.n, 360);
	for (unsigned i = 1; i < all.n; i++)
		cr_assert(all.eid[i - 1].iid < all.eid[i].iid ||
			  (all.eid[i - 1].iid == all.eid[i].iid && all.eid[i - 1].afi <= all.eid[i].afi));
	do {
		one = (struct seen){ .limit = 7 };
		part.after = n ? &last : NULL;
		xtr_node_walk_cache(itr->n, &part, w->now, see, &one);
		for (unsigned i = 0; i < one.n; i++)
			cr_assert(xtr_eid_equal(&one.eid[i], &all.eid[n + i]), "row %u", n + i);
		n += one.n;
		if (one.n)
			last = one.eid[one.n - 1];
		if (n == 21) { /* what goes or comes meanwhile disturbs nothing */
			xtr_node_cache_clear(itr->n, &last, UINT32_MAX, w->now);
			cr_assert_eq(add("[0]10.0.0.0/24", "192.0.2.9"), 0);
		}
	} while (one.n);
	cr_expect_eq(n, 360);
}

Test(scale, a_part_is_what_it_says)
{
	static struct seen s;
	struct xtr_eid_prefix e = fw_eid("[7]10.2.0.0/16"), host = fw_eid("[7]10.2.0.9/32"), after = fw_eid("[7]10.2.5.0/26");
	uint32_t iid = 7;
	struct xtr_cache_part part = { .iid = &iid };

	fill();
	cr_assert_eq(add("[7]10.0.0.0/8", "192.0.2.9"), 0);
	cr_assert_eq(add("[7]10.2.0.0/16", "192.0.2.9"), 0);
	s.limit = 600;
	cr_expect_eq(xtr_node_walk_cache(itr->n, &part, w->now, see, &s), 0);
	cr_expect_eq(s.n, 122);
	part = (struct xtr_cache_part){ .eid = &e };
	s.n = 0;
	xtr_node_walk_cache(itr->n, &part, w->now, see, &s);
	cr_assert_eq(s.n, 14); /* what covers it, itself, 12 inside */
	cr_expect(s.eid[0].len == 8 && s.eid[1].len == 16 && s.eid[2].len >= 24);
	part.after = &after;
	s.n = 0;
	xtr_node_walk_cache(itr->n, &part, w->now, see, &s);
	cr_expect_eq(s.n, 10);
	part = (struct xtr_cache_part){ .eid = &host };
	s.n = 0;
	xtr_node_walk_cache(itr->n, &part, w->now, see, &s);
	cr_expect_eq(s.n, 3, "%u", s.n); /* /8, /16, /24 */
}

Test(scale, clearing_is_bounded)
{
	fill();
	cr_expect_eq(xtr_node_cache_clear(itr->n, NULL, 100, w->now), 100);
	cr_expect_eq(fw_dp_size(itr), 260);
	cr_expect_eq(xtr_node_cache_clear(itr->n, NULL, UINT32_MAX, w->now), 260);
	cr_expect_eq(fw_dp_size(itr), 0);
}

/* More entries than one turn looks at: those of a family that can not be reached any more are all told, in the end. */
Test(scale, a_change_of_rlocs_reaches_every_entry)
{
	const struct xtr_ip four = fw_ip("192.0.2.1");
	unsigned without = 0;
	char p[48];

	for (unsigned i = 0; i < 3000; i++) {
		snprintf(p, sizeof(p), "10.%u.%u.0/24", 2 + i / 250, i % 250);
		cr_assert_eq(add(p, i % 2 ? "2001:db8::9" : "192.0.2.9"), 0);
	}
	xtr_node_rlocs_up(itr->n, &four, 1, w->now);
	for (unsigned i = 0; i < 3; i++) {
		RESOLVE("10.200.0.5", FW_REC("10.200.0.0/24", 60, "192.0.2.2"));
		fw_run(w, 10);
		xtr_node_tick(itr->n, w->now);
	}
	for (unsigned i = 0; i < itr->dp_count; i++)
		without += itr->dp[i].there && !itr->dp[i].fwd.n;
	cr_expect_eq(without, 1500);
}
