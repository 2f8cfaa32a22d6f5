// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ITR: what an answer says is not there any more. An entry is asked about anew, because of an SMR or because its TTL ends,
 * and the mapping system names another EID-prefix: the old entry is longer, and would win over the new one. RFC
 * 9301 5.5, 6.1.
 */
#include "itr_lab.h"

#include "xtr/abi.h"

#include <criterion/criterion.h>
#include <stdio.h>

TestSuite(outdated, .init = itr_up, .fini = world_down);

/* "192.0.2.2 /24", "action 1 /16", or "miss": where packets to this host go, and by which prefix. */
static const char *at(const char *host)
{
	const struct fw_dp *d = fw_dp_match(itr, host);
	static char out[128];
	char s[64];

	if (!d)
		return "miss";
	if (d->fwd.n)
		snprintf(out, sizeof(out), "%s /%u", xtr_ip_str(&d->fwd.locators[0].ip, s), d->eid.len);
	else
		snprintf(out, sizeof(out), "action %u /%u", d->fwd.action, d->eid.len);
	return out;
}

/* The site of this EID says that its mapping changed: the ITR asks. */
static void smr(const char *eid)
{
	const struct fw_req q = { .nonce = 99, .flags = XTR_MREQ_S | XTR_MREQ_D, .eid = "10.1.0.0/24", .source = eid,
				  .itr_rloc = "192.0.2.2", .plain = true };
	unsigned before = fw_sent_count(itr, XTR_MSG_MAP_REQUEST);
	uint8_t buf[512];

	fw_until(w, w->now + 10000);
	fw_inject(itr, "192.0.2.2", 4342, buf, fw_make_request(buf, sizeof(buf), &q));
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), before + 1);
}

#define REPLY(...) do { \
		const struct fw_rec recs_[] = { __VA_ARGS__ }; \
		reply(recs_, sizeof(recs_) / sizeof(recs_[0])); \
	} while (0)

/* Number of the event, or -1. */
static int event_of(enum xtr_event_kind kind, const char *prefix)
{
	struct xtr_eid_prefix e = fw_eid(prefix);

	for (unsigned i = 0; i < itr->event_count; i++)
		if (itr->events[i].kind == kind && xtr_eid_equal(&itr->events[i].eid, &e))
			return (int)i;
	return -1;
}

Test(outdated, RFC9301_6_1_a_prefix_that_was_removed_is_not_used_any_more)
{
	RESOLVE("10.2.3.4", FW_REC("10.2.3.0/24", 1440, "192.0.2.2"));
	smr("10.2.3.0/32");
	REPLY(FW_NEG("10.2.0.0/16", 15, 1));
	cr_assert_str_eq(at("10.2.3.4"), "action 1 /16");
}

Test(outdated, RFC9301_6_1_a_host_that_moved_home_is_reached_there)
{
	RESOLVE("10.2.3.4", FW_REC("10.2.3.4/32", 1440, "192.0.2.2"));
	smr("10.2.3.4/32");
	REPLY(FW_REC("10.2.0.0/16", 1440, "192.0.2.7"));
	cr_assert_str_eq(at("10.2.3.4"), "192.0.2.7 /16");
	/* Never without: the new one is there before the old one goes. */
	cr_assert_geq(event_of(XTR_EVENT_CACHE_ADD, "10.2.0.0/16"), 0);
	cr_assert_gt(event_of(XTR_EVENT_CACHE_DEL, "10.2.3.4/32"), event_of(XTR_EVENT_CACHE_ADD, "10.2.0.0/16"));
	cr_assert_eq(itr->failed_count, 0);
}

Test(outdated, a_prefix_that_was_split_is_none_itself)
{
	RESOLVE("10.2.3.4", FW_REC("10.2.0.0/16", 1440, "192.0.2.2"));
	smr("10.2.0.0/32");
	REPLY(FW_REC("10.2.0.0/17", 1440, "192.0.2.3"));
	cr_assert_str_eq(at("10.2.3.4"), "192.0.2.3 /17");
	cr_assert_str_eq(at("10.2.200.1"), "miss");
	RESOLVE("10.2.200.1", FW_NEG("10.2.128.0/17", 1, 1));
	cr_assert_str_eq(at("10.2.200.1"), "action 1 /17");
}

Test(outdated, a_prefix_that_is_among_the_records_stays)
{
	RESOLVE("10.2.3.4", FW_REC("10.2.3.0/24", 1440, "192.0.2.2"));
	smr("10.2.3.0/32");
	REPLY(FW_REC("10.2.0.0/16", 1440, "192.0.2.7"), FW_REC("10.2.3.0/24", 1440, "192.0.2.3"));
	cr_assert_str_eq(at("10.2.3.4"), "192.0.2.3 /24");
	/* split, with itself */
	smr("10.2.3.0/32");
	REPLY(FW_REC("10.2.3.0/24", 1440, "192.0.2.4"), FW_REC("10.2.3.128/25", 1440, "192.0.2.5"));
	cr_assert_str_eq(at("10.2.3.4"), "192.0.2.4 /24");
	cr_assert_str_eq(at("10.2.3.200"), "192.0.2.5 /25");
}

Test(outdated, RFC9301_5_5_all_that_is_longer_than_the_match_goes_but_only_around_the_eid)
{
	RESOLVE("10.2.9.9", FW_REC("10.2.9.0/24", 1440, "192.0.2.4"));
	RESOLVE("10.2.3.9", FW_REC("10.2.3.0/24", 1440, "192.0.2.2"));
	smr("10.2.3.0/32");
	REPLY(FW_REC("10.2.3.0/24", 1440, "192.0.2.2"), FW_REC("10.2.3.4/32", 1440, "192.0.2.3"));
	smr("10.2.3.4/32");
	REPLY(FW_REC("10.2.0.0/16", 1440, "192.0.2.7"));
	cr_assert_str_eq(at("10.2.3.4"), "192.0.2.7 /16");
	cr_assert_str_eq(at("10.2.3.5"), "192.0.2.7 /16");
	cr_assert_str_eq(at("10.2.9.9"), "192.0.2.4 /24", "another site's, which nobody asked about");
}

Test(outdated, what_is_shorter_than_the_match_stays)
{
	RESOLVE("10.2.3.4", FW_REC("10.2.0.0/16", 1440, "192.0.2.7"));
	RESOLVE("10.3.3.4", FW_NEG("10.3.0.0/16", 15, 1));
	smr("10.2.3.4/32");
	REPLY(FW_REC("10.2.3.0/24", 1440, "192.0.2.2"), FW_REC("10.2.3.4/32", 1440, "192.0.2.3"));
	cr_assert_str_eq(at("10.2.3.4"), "192.0.2.3 /32");
	smr("10.2.3.4/32");
	REPLY(FW_REC("10.2.3.0/24", 1440, "192.0.2.2"));
	cr_assert_str_eq(at("10.2.3.4"), "192.0.2.2 /24");
	cr_assert_str_eq(at("10.2.4.4"), "miss", "it was asked about, and split");
	cr_assert_str_eq(at("10.3.3.4"), "action 1 /16");
}

Test(outdated, what_the_operator_has_set_stays)
{
	const struct xtr_fwd fwd = { .action = XTR_ACT_ENCAP, .n = 1, .locators = { { .ip = fw_ip("192.0.2.5"), .weight = 1 } } };
	struct xtr_eid_prefix e = fw_eid("10.2.3.0/24");

	RESOLVE("10.2.3.4", FW_REC("10.2.3.4/32", 1440, "192.0.2.2"));
	cr_assert_eq(xtr_node_cache_add(itr->n, &e, &fwd, w->now), 0);
	smr("10.2.3.4/32");
	REPLY(FW_REC("10.2.0.0/16", 1440, "192.0.2.7"));
	cr_assert_str_eq(at("10.2.3.4"), "192.0.2.5 /24");
	cr_assert_str_eq(at("10.2.4.4"), "192.0.2.7 /16");
}

Test(outdated, RFC9301_5_5_the_new_entry_lives_as_long_as_its_own_ttl)
{
	RESOLVE("10.2.3.4", FW_REC("10.2.3.0/24", 10, "192.0.2.2"));
	smr("10.2.3.0/32");
	REPLY(FW_REC("10.2.0.0/16", 1440, "192.0.2.7"));
	fw_run(w, 20 * 60000);
	cr_assert_str_eq(at("10.2.3.4"), "192.0.2.7 /16");
}

Test(outdated, a_refresh_finds_it_too)
{
	RESOLVE("10.2.3.4", FW_NEG("10.2.3.0/24", 15, 1));
	for (unsigned i = 0; i < 14 * 60; i++) {
		fw_use(itr, "10.2.3.4");
		fw_run(w, 1000);
	}
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST) > 1, 1);
	REPLY(FW_REC("10.2.0.0/16", 1440, "192.0.2.7"));
	cr_assert_str_eq(at("10.2.3.4"), "192.0.2.7 /16");
}

Test(outdated, RFC9301_5_4_act_2_ends_with_the_answer_and_the_packets_are_let_go)
{
	RESOLVE("10.2.3.4", FW_NEG("10.2.3.0/24", 15, 2));
	cr_assert_str_eq(at("10.2.3.4"), "action 2 /24");
	fw_until(w, 10000);
	RESOLVE("10.2.3.4", FW_REC("10.2.0.0/16", 1440, "192.0.2.7"));
	cr_assert_str_eq(at("10.2.3.4"), "192.0.2.7 /16");
	cr_assert_eq(fw_dp_get(itr, "10.2.0.0/16")->puts, 2, "told again when the old one was gone");
	cr_assert_eq(itr->failed_count, 0);
}

Test(outdated, ttl_0_of_what_covers_it_removes_it)
{
	RESOLVE("10.2.3.4", FW_REC("10.2.3.0/24", 1440, "192.0.2.2"));
	smr("10.2.3.0/32");
	REPLY(FW_NEG("10.2.0.0/16", 0, 1));
	cr_assert_str_eq(at("10.2.3.4"), "miss");
}

Test(outdated, an_answer_that_is_not_taken_removes_nothing)
{
	RESOLVE("10.2.3.4", FW_REC("10.2.3.0/24", 1440, "192.0.2.2"));
	smr("10.2.3.0/32");
	REPLY(FW_REC("10.0.0.0/7", 1440, "192.0.2.7")); /* claims too much */
	REPLY(FW_REC("10.9.0.0/16", 1440, "192.0.2.7")); /* about something else */
	cr_assert_str_eq(at("10.2.3.4"), "192.0.2.2 /24");
}
