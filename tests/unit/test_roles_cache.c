// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ITR: what becomes of answers. RFC 9301 5.4, 5.5, 8.1; lifetimes to the millisecond. One ITR,
 * 192.0.2.1 and 2001:db8::1.
 */
#include "itr_lab.h"

#include "xtr/abi.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define MIN 60000ull

TestSuite(cache, .init = itr_up, .fini = world_down);

/* "192.0.2.2/100 192.0.2.3/50": the forwarding set; "none" for no entry, "action 3" for a negative
 * one. */
static const char *fwd(const char *prefix)
{
	static char buf[512];
	const struct fw_dp *d = fw_dp_get(itr, prefix);
	size_t at = 0;
	char s[64];

	if (!d)
		return "none";
	if (d->fwd.action != XTR_ACT_ENCAP) {
		snprintf(buf, sizeof(buf), "action %u", d->fwd.action);
		return buf;
	}
	buf[0] = '\0';
	for (unsigned i = 0; i < d->fwd.n; i++)
		at += (size_t)snprintf(buf + at, sizeof(buf) - at, "%s%s/%u", i ? " " : "",
				       xtr_ip_str(&d->fwd.locators[i].ip, s),
				       d->fwd.locators[i].weight);
	return buf;
}

/* ---- which answers count */

Test(cache, T_3_an_answer_needs_an_outstanding_nonce)
{
	const struct fw_rec rec = FW_REC("10.2.0.0/24", 60, "192.0.2.2");
	uint8_t buf[512];
	size_t len;

	fw_miss(itr, "10.2.0.5", NULL);
	len = fw_make_reply(buf, sizeof(buf), nonce_of_last() + 1, &rec, 1);
	fw_inject(itr, "192.0.2.2", 4342, buf, len);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "none");
	cr_assert_eq(fw_counter(itr, XTR_NODE_DROP_NONCE), 1);
	reply(&rec, 1);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "192.0.2.2/100");
	reply(&rec, 1);
	cr_assert_eq(fw_counter(itr, XTR_NODE_DROP_NONCE), 2, "a nonce can be used once");
}

Test(cache, RFC9301_5_4_a_record_has_to_cover_the_eid_and_a_bad_answer_does_not_cancel_the_request)
{
	RESOLVE("10.2.0.5", FW_REC("10.3.0.0/24", 60, "192.0.2.2"));
	cr_assert_eq(fw_counter(itr, XTR_NODE_DROP_MISMATCH), 1);
	cr_assert_eq(fw_dp_size(itr), 0);
	reply(&(struct fw_rec)FW_REC("[5]10.2.0.0/24", 60, "192.0.2.2"), 1);
	cr_assert_eq(fw_counter(itr, XTR_NODE_DROP_MISMATCH), 2, "another instance");
	reply(NULL, 0);
	cr_assert_eq(fw_counter(itr, XTR_NODE_DROP_MISMATCH), 3, "no record at all");
	reply(&(struct fw_rec)FW_REC("10.2.0.0/24", 60, "192.0.2.2"), 1);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "192.0.2.2/100");
}

Test(cache, RFC9301_5_5_more_specific_records_are_cached_others_are_not)
{
	RESOLVE("10.2.5.5", FW_REC("10.2.0.0/16", 60, "192.0.2.2"),
		FW_REC("10.2.1.0/24", 60, "192.0.2.3"), FW_REC("10.9.0.0/16", 60, "192.0.2.4"),
		FW_REC("10.0.0.0/8", 60, "192.0.2.5"));
	cr_assert_str_eq(fwd("10.2.0.0/16"), "192.0.2.2/100",
			 "the longest that covers is the match");
	cr_assert_str_eq(fwd("10.2.1.0/24"), "192.0.2.3/100");
	cr_assert_str_eq(fwd("10.9.0.0/16"), "none");
	cr_assert_str_eq(fwd("10.0.0.0/8"), "none");
}

Test(cache, T_5_an_answer_may_not_claim_more_than_was_asked_for)
{
	RESOLVE("10.2.0.5", FW_REC("0.0.0.0/0", 60, "192.0.2.2"));
	cr_assert_eq(fw_dp_size(itr), 0);
	cr_assert_eq(fw_counter(itr, XTR_NODE_DROP_OVERCLAIM), 1);
	reply(&(struct fw_rec)FW_REC("10.0.0.0/7", 60, "192.0.2.2"), 1);
	cr_assert_eq(fw_counter(itr, XTR_NODE_DROP_OVERCLAIM), 2);
	reply(&(struct fw_rec)FW_REC("10.0.0.0/8", 60, "192.0.2.2"), 1);
	cr_assert_str_eq(fwd("10.0.0.0/8"), "192.0.2.2/100");
	RESOLVE("2001:db8::5", FW_REC("2000::/3", 60, "192.0.2.2"));
	cr_assert_eq(fw_counter(itr, XTR_NODE_DROP_OVERCLAIM), 3);
}

Test(cache, shortest_prefix_0_allows_default_routes)
{
	conf.c.limits.shortest_ip4 = 0;
	fw_reconfigure(itr, &conf);
	RESOLVE("10.2.0.5", FW_REC("0.0.0.0/0", 60, "192.0.2.2"));
	cr_assert_str_eq(fwd("0.0.0.0/0"), "192.0.2.2/100");
}

Test(cache, records_about_our_own_eids_are_not_cached)
{
	conf.mappings[0].eid = fw_eid("10.2.7.0/24");
	fw_reconfigure(itr, &conf);
	RESOLVE("10.2.5.5", FW_REC("10.2.0.0/16", 60, "192.0.2.2"),
		FW_REC("10.2.7.0/25", 60, "192.0.2.66"));
	cr_assert_str_eq(fwd("10.2.0.0/16"), "192.0.2.2/100");
	cr_assert_str_eq(fwd("10.2.7.0/25"), "none");
}

Test(cache, a_probe_answer_nobody_asked_for_is_counted)
{
	const struct fw_rec rec = FW_REC("10.2.0.0/24", 60, "192.0.2.2");
	uint8_t buf[512];
	size_t len;

	fw_miss(itr, "10.2.0.5", NULL);
	len = fw_make_reply(buf, sizeof(buf), nonce_of_last(), &rec, 1);
	buf[0] |= 8; /* P */
	fw_inject(itr, "192.0.2.2", 4342, buf, len);
	cr_assert_eq(fw_dp_size(itr), 0);
	cr_assert_eq(fw_counter(itr, XTR_NODE_DROP_MISMATCH), 1);
}

Test(cache, RFC9301_5_1_an_unknown_afi_drops_the_message)
{
	const struct fw_rec rec = FW_REC("10.2.0.0/24", 60, "192.0.2.2");
	uint8_t buf[512];
	size_t len;

	fw_miss(itr, "10.2.0.5", NULL);
	len = fw_make_reply(buf, sizeof(buf), nonce_of_last(), &rec, 1);
	buf[len - 5] = 99; /* AFI of the locator */
	fw_inject(itr, "192.0.2.2", 4342, buf, len);
	cr_assert_eq(fw_counter(itr, XTR_NODE_DROP_UNKNOWN_AFI), 1);
	cr_assert_eq(fw_dp_size(itr), 0);
}

/* ---- the forwarding set */

#define LOCS(...) \
	{ \
		.eid = "10.2.0.0/24", .ttl = 60, .locs = { __VA_ARGS__ } \
	}

Test(cache, the_best_priority_only_in_order_with_weights)
{
	RESOLVE("10.2.0.5",
		LOCS(FW_LOC("192.0.2.9", .priority = 2), FW_LOC("192.0.2.4", .weight = 25),
		     FW_LOC("192.0.2.3", .weight = 75)));
	cr_assert_str_eq(fwd("10.2.0.0/24"), "192.0.2.3/75 192.0.2.4/25");
}

Test(cache, RFC9301_5_4_unreachable_locators_and_priority_255_are_not_used)
{
	RESOLVE("10.2.0.5",
		LOCS(FW_LOC("192.0.2.3", .down = true), FW_LOC("192.0.2.4", .priority = 255),
		     FW_LOC("192.0.2.5", .priority = 200)));
	cr_assert_str_eq(fwd("10.2.0.0/24"), "192.0.2.5/100");
}

Test(cache, our_own_locators_and_impossible_ones_are_not_used)
{
	RESOLVE("10.2.0.5", LOCS(FW_LOC("192.0.2.1"), FW_LOC("127.0.0.1"), FW_LOC("224.0.0.1"),
				 FW_LOC("0.0.0.0"), FW_LOC("192.0.2.5")));
	cr_assert_str_eq(fwd("10.2.0.0/24"), "192.0.2.5/100");
	RESOLVE("10.3.0.5", { .eid = "10.3.0.0/24", .ttl = 60,
			      .locs = { FW_LOC("fe80::1"), FW_LOC("::ffff:192.0.2.7"), FW_LOC("::1"),
					FW_LOC("ff02::1"), FW_LOC("::"), FW_LOC("2001:db8::5") } });
	cr_assert_str_eq(fwd("10.3.0.0/24"), "2001:db8::5/100");
}

Test(cache, a_mapping_without_usable_locator_is_known_all_the_same)
{
	RESOLVE("10.2.0.5", LOCS(FW_LOC("192.0.2.1")));
	cr_assert_str_eq(fwd("10.2.0.0/24"), "");
	cr_assert_eq(fw_dp_get(itr, "10.2.0.0/24")->fwd.action, XTR_ACT_ENCAP);
}

Test(cache, the_set_follows_our_own_rlocs)
{
	const struct xtr_ip v4 = fw_ip("192.0.2.1"), v6 = fw_ip("2001:db8::1"), both[] = { v4, v6 };

	RESOLVE("10.2.0.5", LOCS(FW_LOC("2001:db8::2"), FW_LOC("192.0.2.5", .priority = 2)));
	cr_assert_str_eq(fwd("10.2.0.0/24"), "2001:db8::2/100");
	xtr_node_rlocs_up(itr->n, &v4, 1, w->now);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "192.0.2.5/100", "no IPv6 RLOC");
	xtr_node_rlocs_up(itr->n, &v6, 1, w->now);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "2001:db8::2/100");
	xtr_node_rlocs_up(itr->n, NULL, 0, w->now);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "");
	xtr_node_rlocs_up(itr->n, both, 2, w->now);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "2001:db8::2/100");
	cr_assert_eq(fw_dp_get(itr, "10.2.0.0/24")->puts, 5);
	xtr_node_rlocs_up(itr->n, both, 2, w->now);
	cr_assert_eq(fw_dp_get(itr, "10.2.0.0/24")->puts, 5, "nothing changed, nothing written");
	fw_tick(itr);
}

/* An answer with one locator: a path of these hops; bits 4 lookup, 1 strict. In a list behind a name if listed. */
static const char *path(const char *const *hops, const uint8_t *bits, unsigned n, bool listed)
{
	uint8_t buf[1024], lcaf[512];
	struct xtr_wr wr = xtr_wr_init(buf, sizeof(buf)), a = xtr_wr_init(lcaf, sizeof(lcaf));
	const struct xtr_record_head h = { .ttl = 1 };
	struct xtr_eid_prefix e = fw_eid("10.2.0.0/24");
	struct xtr_locator l = { .priority = 1, .weight = 100, .reachable = true };
	struct xtr_ip ips[8];
	size_t mark, list = 0;

	for (unsigned i = 0; i < n; i++)
		ips[i] = fw_ip(hops[i]);
	if (listed) {
		list = xtr_put_lcaf_begin(&a, XTR_LCAF_LIST, 0);
		xtr_put_none(&a);
		xtr_put_name(&a, "te", 2);
	}
	xtr_put_elp(&a, ips, bits, n);
	if (listed)
		xtr_put_lcaf_end(&a, list);
	l.addr.wire = lcaf;
	l.addr.wire_len = (uint16_t)xtr_wr_len(&a);
	fw_run(w, 2 * MIN);
	fw_miss(itr, "10.2.0.5", NULL);
	xtr_map_reply_begin(&wr, false, false, 1, nonce_of_last());
	mark = xtr_put_record_begin(&wr, &h, &e);
	xtr_put_locator_raw(&wr, &l);
	xtr_put_record_end(&wr, mark, 1);
	fw_inject(itr, "192.0.2.2", 4342, buf, xtr_wr_len(&wr));
	return fwd("10.2.0.0/24");
}

Test(cache, RFC8060_4_6_an_explicit_locator_path_leads_to_its_first_hop)
{
	static const struct {
		const char *hops[3];
		uint8_t bits[3];
		const char *want;
	} t[] = {
		{ { "192.0.2.3", "192.0.2.4", "192.0.2.5" }, { 0, 0, 1 }, "192.0.2.3/100" },
		{ { "2001:db8::3", "192.0.2.4", "192.0.2.5" }, { 1, 1, 1 }, "2001:db8::3/100" },
		/* loose ones that cannot be sent to are passed over, a strict one ends it */
		{ { "192.0.2.3", "127.0.0.1", "192.0.2.5" }, { 4, 0, 1 }, "192.0.2.5/100" },
		{ { "192.0.2.3", "192.0.2.4", "192.0.2.5" }, { 5, 0, 0 }, "" },
		/* after ourselves; we are no router of our own */
		{ { "192.0.2.3", "192.0.2.1", "192.0.2.5" }, { 1, 1, 1 }, "192.0.2.5/100" },
		{ { "192.0.2.3", "192.0.2.4", "192.0.2.1" }, { 0, 0, 0 }, "" },
	};

	for (unsigned i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		for (unsigned listed = 0; listed < 2; listed++)
			cr_assert_str_eq(path(t[i].hops, t[i].bits, 3, listed), t[i].want, "%u", i);
}

Test(cache, at_most_eight_locators)
{
	uint8_t buf[1024];
	struct xtr_wr wr = xtr_wr_init(buf, sizeof(buf));
	const struct xtr_record_head h = { .ttl = 60 };
	struct xtr_eid_prefix e = fw_eid("10.2.0.0/24");
	size_t mark;

	fw_miss(itr, "10.2.0.5", NULL);
	xtr_map_reply_begin(&wr, false, false, 1, nonce_of_last());
	mark = xtr_put_record_begin(&wr, &h, &e);
	for (unsigned i = 0; i < 40; i++) {
		const struct xtr_ip ip = { .family = 4, .a = { 10, 9, 9, (uint8_t)(i + 1) } };

		xtr_put_locator(&wr, 1, 1, 255, 0, false, false, true, &ip);
	}
	xtr_put_record_end(&wr, mark, 40);
	fw_inject(itr, "192.0.2.2", 4342, buf, xtr_wr_len(&wr));
	cr_assert_eq(fw_dp_get(itr, "10.2.0.0/24")->fwd.n, 8);
}

Test(cache, RFC9301_5_4_negative_actions)
{
	static const uint8_t want[8] = { XTR_ACT_NO_ACTION,    XTR_ACT_NATIVE,
					 XTR_ACT_SEND_REQUEST, XTR_ACT_DROP,
					 XTR_ACT_DROP_POLICY,  XTR_ACT_DROP_AUTH,
					 XTR_ACT_NO_ACTION,    XTR_ACT_NO_ACTION };
	char eid[32], prefix[32], text[32];

	for (unsigned act = 0; act < 8; act++) {
		snprintf(eid, sizeof(eid), "10.%u.0.5", act + 10);
		snprintf(prefix, sizeof(prefix), "10.%u.0.0/16", act + 10);
		RESOLVE(eid, FW_NEG(prefix, 15, (uint8_t)act));
		snprintf(text, sizeof(text), "action %u", want[act]);
		cr_assert_str_eq(fwd(prefix), text);
	}
}

Test(cache, ACT_is_ignored_with_locators)
{
	RESOLVE("10.2.0.5",
		{ .eid = "10.2.0.0/24", .ttl = 60, .act = 3, .locs = { FW_LOC("192.0.2.2") } });
	cr_assert_str_eq(fwd("10.2.0.0/24"), "192.0.2.2/100");
}

/* ---- lifetime */

Test(cache, MS_13_a_negative_answer_is_kept_15_minutes_with_exactly_its_prefix)
{
	RESOLVE("11.1.1.1", FW_NEG("11.0.0.0/8", 15, 1));
	fw_until(w, 15 * MIN - 1);
	cr_assert_str_eq(fwd("11.0.0.0/8"), "action 1");
	cr_assert_eq(fw_dp_size(itr), 1);
	fw_until(w, 15 * MIN);
	cr_assert_str_eq(fwd("11.0.0.0/8"), "none");
}

Test(cache, MS_14_or_one_minute)
{
	RESOLVE("10.2.0.5", FW_NEG("10.2.0.0/24", 1, 1));
	fw_until(w, MIN - 1);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "action 1");
	fw_until(w, MIN);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "none");
}

Test(cache, a_mapping_nobody_uses_ends_with_its_ttl)
{
	RESOLVE("10.2.0.5", FW_REC("10.2.0.0/24", 60, "192.0.2.2"));
	fw_until(w, 60 * MIN - 1);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "192.0.2.2/100");
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 1);
	fw_until(w, 60 * MIN);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "none");
	cr_assert_eq(fw_events(itr, XTR_EVENT_CACHE_DEL), 1);
}

Test(cache, RFC9301_5_4_ttl_0_removes_at_once)
{
	RESOLVE("10.2.0.5", FW_REC("10.2.0.0/24", 60, "192.0.2.2"));
	fw_until(w, 54 * MIN - 1000);
	fw_use(itr, "10.2.0.5");
	fw_until(w, 54 * MIN); /* refresh */
	reply(&(struct fw_rec)FW_REC("10.2.0.0/24", 0, "192.0.2.2"), 1);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "none");
	RESOLVE("10.3.0.5", FW_REC("10.3.0.0/24", 0, "192.0.2.2"));
	cr_assert_str_eq(fwd("10.3.0.0/24"), "none");
	cr_assert(fw_failed(itr, "10.3.0.5"), "the packet waits for nothing");
}

Test(cache, T_24_ttls_are_capped_at_a_week_and_ffffffff_means_a_day)
{
	RESOLVE("10.2.0.5", FW_REC("10.2.0.0/24", 0xfffffffe, "192.0.2.2"));
	RESOLVE("10.3.0.5", FW_REC("10.3.0.0/24", 0xffffffff, "192.0.2.2"));
	fw_until(w, 1440 * MIN - 1);
	cr_assert_str_eq(fwd("10.3.0.0/24"), "192.0.2.2/100");
	fw_until(w, 1440 * MIN);
	cr_assert_str_eq(fwd("10.3.0.0/24"), "none");
	fw_until(w, 10080 * MIN - 1);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "192.0.2.2/100");
	fw_until(w, 10080 * MIN);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "none");
}

/* lispers.net ("force-ttl"): read as minutes it would be a week. */
Test(cache, a_ttl_with_the_highest_bit_set_is_seconds)
{
	RESOLVE("10.2.0.5", FW_REC("10.2.0.0/24", 0x80000000 | 90, "192.0.2.2"));
	RESOLVE("10.3.0.5", FW_REC("10.3.0.0/24", 0x80000000, "192.0.2.2"));
	fw_until(w, MIN - 1);
	cr_assert_str_eq(fwd("10.3.0.0/24"), "192.0.2.2/100", "no TTL of 0, which would mean: remove");
	fw_until(w, 90000 - 1);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "192.0.2.2/100");
	cr_assert_str_eq(fwd("10.3.0.0/24"), "none");
	fw_until(w, 90000);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "none");
}

Test(cache, an_entry_in_use_is_refreshed_at_90_percent_without_a_gap)
{
	struct xtr_map_request m;
	const uint8_t *buf;
	size_t len;

	RESOLVE("10.2.0.5", FW_REC("10.2.0.0/24", 60, "192.0.2.2"));
	for (uint64_t t = 0; t < 54 * MIN; t += 1000) {
		fw_until(w, t);
		fw_use(itr, "10.2.0.5");
	}
	fw_until(w, 54 * MIN - 1);
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 1);
	fw_until(w, 54 * MIN);
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 2);
	buf = fw_message(fw_sent(itr, XTR_MSG_MAP_REQUEST, 1), &len);
	cr_assert_eq(xtr_map_request_decode(buf, len, &m), 0);
	cr_assert_eq(m.source_eid.afi, XTR_AFI_NONE, "RFC 9301 5.2: no source EID in a refresh");
	fw_run(w, 50);
	reply(&(struct fw_rec)FW_REC("10.2.0.0/24", 60, "192.0.2.3"), 1);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "192.0.2.3/100");
	fw_until(w, 60 * MIN + 1);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "192.0.2.3/100", "the new lifetime counts");
	fw_until(w, 114 * MIN + 50);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "none");
}

Test(cache, use_that_begins_late_is_noticed_before_the_end)
{
	RESOLVE("10.2.0.5", FW_REC("10.2.0.0/24", 60, "192.0.2.2"));
	fw_until(w, 55 * MIN); /* the check at 54 saw nothing */
	fw_use(itr, "10.2.0.5");
	fw_until(w, 57 * MIN); /* half of what was left */
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 2);
}

Test(cache, an_unanswered_refresh_lets_the_entry_end_and_fails_nothing)
{
	RESOLVE("10.2.0.5", FW_REC("10.2.0.0/24", 10, "192.0.2.2"));
	fw_until(w, 9 * MIN - 10);
	fw_use(itr, "10.2.0.5");
	fw_until(w, 10 * MIN - 1);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "192.0.2.2/100");
	fw_until(w, 20 * MIN);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "none");
	cr_assert_eq(itr->failed_count, 0);
}

Test(cache, a_refresh_may_find_the_prefix_split)
{
	RESOLVE("10.2.0.5", FW_NEG("10.2.0.0/15", 15, 1));
	fw_until(w, 13 * MIN + 30 * 1000 - 10);
	fw_use(itr, "10.2.0.5");
	fw_until(w, 13 * MIN + 30 * 1000);
	reply(&(struct fw_rec)FW_NEG("10.2.0.0/16", 15, 1), 1);
	cr_assert_str_eq(fwd("10.2.0.0/16"), "action 1");
	cr_assert_eq(fw_counter(itr, XTR_NODE_DROP_MISMATCH), 0);
}

Test(cache, RFC9301_5_5_a_less_specific_mapping_does_not_outlive_the_more_specific)
{
	RESOLVE("10.2.1.5", FW_REC("10.2.1.0/24", 5, "192.0.2.3"));
	fw_until(w, MIN);
	RESOLVE("10.2.0.5", FW_REC("10.2.0.0/16", 60, "192.0.2.2"));
	fw_until(w, 5 * MIN - 1);
	cr_assert_str_eq(fwd("10.2.0.0/16"), "192.0.2.2/100");
	fw_until(w, 5 * MIN);
	cr_assert_str_eq(fwd("10.2.0.0/16"), "none");
}

/* ---- bounds */

Test(cache, the_cache_is_bounded_and_keeps_what_is_used)
{
	char eid[32], prefix[32];

	conf.c.limits.cache_entries = 64;
	conf.c.limits.requests_per_second = 100000;
	fw_reconfigure(itr, &conf);
	for (unsigned i = 0; i < 200; i++) {
		fw_run(w, 1000);
		fw_use(itr, "10.9.3.5");
		snprintf(eid, sizeof(eid), "10.9.%u.5", i);
		snprintf(prefix, sizeof(prefix), "10.9.%u.0/24", i);
		RESOLVE(eid, FW_REC(prefix, 60, "192.0.2.2"));
		cr_assert_leq(fw_dp_size(itr), 64);
	}
	cr_assert_eq(fw_counter(itr, XTR_NODE_CACHE_EVICTED), 136);
	cr_assert_str_eq(fwd("10.9.3.0/24"), "192.0.2.2/100", "the one in use was evicted");
	cr_assert_str_eq(fwd("10.9.4.0/24"), "none");
	cr_assert_str_eq(fwd("10.9.199.0/24"), "192.0.2.2/100");
}

/* ---- by hand and at start */

static struct xtr_cache_info info;

static int first_info(void *arg, const struct xtr_cache_info *i)
{
	info = *i;
	return 7;
}

Test(cache, static_entries_do_not_expire_and_answers_do_not_replace_them)
{
	const struct xtr_fwd f = { .action = XTR_ACT_ENCAP,
				   .n = 1,
				   .locators = { { fw_ip("192.0.2.77"), 1 } } };
	struct xtr_eid_prefix e = fw_eid("10.2.0.0/24");

	cr_assert_eq(xtr_node_cache_add(itr->n, &e, &f, w->now), 0);
	fw_tick(itr);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "192.0.2.77/1");
	fw_until(w, 100000 * MIN);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "192.0.2.77/1");
	RESOLVE("10.3.0.5", FW_REC("10.2.0.0/15", 60, "192.0.2.2"),
		FW_REC("10.2.0.0/24", 60, "192.0.2.3"));
	cr_assert_str_eq(fwd("10.2.0.0/24"), "192.0.2.77/1");
	cr_assert_str_eq(fwd("10.2.0.0/15"), "192.0.2.2/100");
	cr_assert_eq(xtr_node_cache_clear(itr->n, &e, UINT32_MAX, w->now), 1);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "none");
	cr_assert_str_eq(fwd("10.2.0.0/15"), "192.0.2.2/100");
}

Test(cache, adopted_entries_are_left_alone_then_end_or_are_refreshed)
{
	const struct xtr_fwd f = {
		.action = XTR_ACT_ENCAP,
		.n = 2,
		.locators = { { fw_ip("192.0.2.78"), 60 }, { fw_ip("192.0.2.77"), 40 } },
	};
	struct xtr_eid_prefix e = fw_eid("10.2.0.0/24"), e2 = fw_eid("10.3.0.0/24");

	/* as the data plane found them */
	for (unsigned i = 0; i < 2; i++) {
		itr->dp[i] = (struct fw_dp){
			.eid = i ? e2 : e, .fwd = f, .used = UINT64_MAX, .there = true
		};
		itr->dp_count++;
		xtr_node_adopt(itr->n, i ? &e2 : &e, &f, w->now);
	}
	fw_tick(itr);
	cr_assert_eq(itr->dp[0].puts, 0, "nothing changed: not written");
	cr_assert_eq(xtr_node_walk_cache(itr->n, NULL, w->now, first_info, NULL), 7);
	cr_assert_eq(info.source, XTR_CACHE_ADOPTED);
	cr_assert_eq(info.ttl_left_ms, 300000);
	for (uint64_t t = 0; t < 270000; t += 1000) {
		fw_until(w, t);
		fw_use(itr, "10.2.0.5");
	}
	fw_until(w, 270000);
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 1,
		     "only the one in use is asked for");
	reply(&(struct fw_rec)FW_REC("10.2.0.0/24", 60, "192.0.2.2"), 1);
	fw_until(w, 299999);
	cr_assert_str_eq(fwd("10.3.0.0/24"), "192.0.2.78/60 192.0.2.77/40");
	fw_until(w, 300000);
	cr_assert_str_eq(fwd("10.3.0.0/24"), "none");
	cr_assert_str_eq(fwd("10.2.0.0/24"), "192.0.2.2/100");
}

Test(cache, adopting_what_is_ours_now_removes_it)
{
	const struct xtr_fwd f = { .action = XTR_ACT_ENCAP,
				   .n = 1,
				   .locators = { { fw_ip("192.0.2.77"), 1 } } };
	struct xtr_eid_prefix e = fw_eid("10.1.0.0/25");

	itr->dp[itr->dp_count++] = (struct fw_dp){ .eid = e, .fwd = f, .there = true };
	xtr_node_adopt(itr->n, &e, &f, w->now);
	cr_assert_str_eq(fwd("10.1.0.0/25"), "none");
}

Test(cache, what_xtrctl_shows)
{
	char s[64];

	RESOLVE("10.2.0.5", { .eid = "10.2.0.0/24",
			      .ttl = 60,
			      .version = 7,
			      .locs = { FW_LOC("192.0.2.3", .priority = 2), FW_LOC("192.0.2.2"),
					FW_LOC("192.0.2.4", .down = true) } });
	fw_run(w, 5000);
	cr_assert_eq(xtr_node_walk_cache(itr->n, NULL, w->now, first_info, NULL), 7);
	cr_assert_eq(info.source, XTR_CACHE_REPLY);
	cr_assert(info.authoritative);
	cr_assert_eq(info.map_version, 7);
	cr_assert_eq(info.age_ms, 5000);
	cr_assert_eq(info.ttl_left_ms, 60 * MIN - 5000);
	cr_assert_str_eq(xtr_ip_str(&info.from, s), "192.0.2.2");
	cr_assert_eq(info.locator_count, 3);
	cr_assert(info.locators[0].usable && info.locators[0].reachable && info.locators[0].local);
	cr_assert(!info.locators[1].usable && info.locators[1].priority == 2);
	cr_assert(!info.locators[2].reachable);
}

Test(cache, an_entry_for_what_becomes_ours_goes)
{
	RESOLVE("10.2.0.5", FW_REC("10.2.0.0/24", 60, "192.0.2.2"));
	fw_conf_mapping(&conf, "10.2.0.0/16", "192.0.2.1");
	conf.c.etr = false;
	fw_reconfigure(itr, &conf);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "none");
}

Test(cache, reconfigure_keeps_the_cache_and_switching_off_clears_the_data_plane)
{
	RESOLVE("10.2.0.5", FW_REC("10.2.0.0/24", 60, "192.0.2.2"));
	fw_reconfigure(itr, &conf);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "192.0.2.2/100");
	cr_assert_eq(fw_dp_get(itr, "10.2.0.0/24")->puts, 1);
	conf.c.itr = false;
	fw_reconfigure(itr, &conf);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "none");
	fw_miss(itr, "10.3.0.5", NULL);
	cr_assert(fw_failed(itr, "10.3.0.5"));
}

Test(cache, stopping_the_daemon_leaves_the_data_plane_alone)
{
	RESOLVE("10.2.0.5", FW_REC("10.2.0.0/24", 60, "192.0.2.2"));
	fw_stop(itr);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "192.0.2.2/100");
}

Test(cache, a_cache_full_of_static_entries_takes_no_more)
{
	const struct xtr_fwd f = { .action = XTR_ACT_DROP };
	struct xtr_eid_prefix e;
	char eid[32];

	conf.c.limits.cache_entries = 10;
	fw_reconfigure(itr, &conf);
	for (unsigned i = 0; i < 12; i++) {
		snprintf(eid, sizeof(eid), "10.9.%u.0/24", i);
		e = fw_eid(eid);
		cr_assert_eq(xtr_node_cache_add(itr->n, &e, &f, w->now) == 0, i < 10);
	}
	RESOLVE("10.2.0.5", FW_REC("10.2.0.0/24", 60, "192.0.2.2"));
	cr_assert_str_eq(fwd("10.2.0.0/24"), "none");
	cr_assert(fw_failed(itr, "10.2.0.5"));
	cr_assert_gt(fw_counter(itr, XTR_NODE_DROP_LIMIT), 0);
}

Test(cache, impossible_static_entries_are_refused)
{
	struct xtr_fwd f = { .action = 7 };
	struct xtr_eid_prefix e = fw_eid("10.2.0.0/24");

	cr_assert_lt(xtr_node_cache_add(itr->n, &e, &f, w->now), 0);
	f = (struct xtr_fwd){ .action = XTR_ACT_ENCAP, .n = 9 };
	cr_assert_lt(xtr_node_cache_add(itr->n, &e, &f, w->now), 0);
	cr_assert_eq(fw_dp_size(itr), 0);
}

Test(cache, what_has_expired_is_not_used_even_if_its_timer_is_late)
{
	struct xtr_eid_prefix e = fw_eid("10.2.0.5");

	RESOLVE("10.2.0.5", FW_REC("10.2.0.0/24", 1, "192.0.2.2"));
	/* no tick in between */
	xtr_node_miss(itr->n, &e, NULL, w->now + MIN);
	cr_assert_str_eq(fwd("10.2.0.0/24"), "none");
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 1, "within the second: later");
	w->now += MIN;
	fw_tick(itr);
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 2);
}
