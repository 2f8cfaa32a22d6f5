// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * LISP-Decent, pull: asking. What both sides hash, whose answer counts, which key goes where; where the text leaves a
 * choice, X9 to X14. RFC 9962 5, draft-farinacci-lisp-decent-10 5.
 */
#include "pull_lab.h"

#include "codec/auth.h"
#include "xtr/abi.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(pull, .init = pull_up, .fini = world_down);

/* ---- asking */

Test(pull, a_question_whose_name_is_being_looked_up_goes_out_with_the_answer)
{
	fw_dns(w, name_of(FAR), "192.0.2.8")->delay = 4321;
	go();
	fw_run(w, 50);
	fw_miss(n, "10.2.2.7", NULL);
	fw_run(w, 4320);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REQUEST), 0);
	fw_run(w, 1);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REQUEST), 1);
	cr_assert_not(fw_failed(n, "10.2.2.7/32"));
	answer("192.0.2.8", &(struct fw_rec)FW_REC(FAR, 60, "192.0.2.2"));
	cr_assert_not_null(fw_dp_get(n, FAR));
}

Test(pull, a_question_whose_name_cannot_be_found_fails_after_the_retries)
{
	go();
	fw_run(w, 50);
	fw_miss(n, "10.2.2.7", NULL);
	fw_run(w, 60000);
	cr_assert_not(fw_failed(n, "10.2.2.7/32"));
	fw_run(w, 300000);
	cr_assert(fw_failed(n, "10.2.2.7/32"));
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REQUEST), 0);
}

Test(pull, D_52_questions_take_turns_over_the_addresses)
{
	unsigned got[3] = { 0 };

	conf.pull.hash.modulus = 1;
	fw_dns(w, "0.ms.example", "192.0.2.7 192.0.2.8 192.0.2.9");
	go();
	fw_run(w, 50);
	for (unsigned i = 0; i < 30; i++) {
		char eid[32];

		snprintf(eid, sizeof(eid), "10.9.%u.1", i);
		fw_miss(n, eid, NULL);
		got[last(XTR_MSG_MAP_REQUEST)->dst.a[3] - 7]++;
	}
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(got[i], 10);
}

Test(pull, X12_a_silent_address_is_followed_by_the_next_and_rests)
{
	const char *first;
	char was[XTR_IP_STRLEN];

	conf.pull.hash.modulus = 1;
	fw_dns(w, "0.ms.example", "192.0.2.7 192.0.2.8");
	go();
	fw_run(w, 50);
	fw_miss(n, "10.2.2.7", NULL);
	first = asked_at();
	snprintf(was, sizeof(was), "%s", first);
	fw_run(w, 1001);
	cr_assert_str_neq(asked_at(), was);
	answer(asked_at(), &(struct fw_rec)FW_REC(FAR, 60, "192.0.2.2"));
	cr_assert_not_null(fw_dp_get(n, FAR));
	for (unsigned i = 0; i < 8; i++) {
		char eid[32];

		snprintf(eid, sizeof(eid), "10.9.%u.1", i);
		fw_miss(n, eid, NULL);
		cr_assert_str_neq(asked_at(), was, "it rests");
	}
	name_info("0.ms.example");
	cr_assert_eq(names.list[0].resting[0] + names.list[0].resting[1], 1);
}

Test(pull, X12_all_are_asked_before_a_no_is_believed)
{
	conf.pull.hash.modulus = 1;
	fw_dns(w, "0.ms.example", "192.0.2.7 192.0.2.8 192.0.2.9");
	go();
	fw_run(w, 50);
	fw_miss(n, "10.2.2.7", NULL);
	for (unsigned i = 1; i < 3; i++) {
		answer(asked_at(), &(struct fw_rec)FW_NEG(FAR, 15, XTR_ACT_NATIVE));
		cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REQUEST), i + 1, "at once");
		cr_assert_null(fw_dp_get(n, FAR));
	}
	for (unsigned i = 1; i < 3; i++)
		for (unsigned j = 0; j < i; j++)
			cr_assert(xtr_ip_cmp(&fw_sent(n, XTR_MSG_MAP_REQUEST, i)->dst,
					     &fw_sent(n, XTR_MSG_MAP_REQUEST, j)->dst));
	answer(asked_at(), &(struct fw_rec)FW_NEG("10.2.2.0/25", 1, XTR_ACT_NATIVE));
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REQUEST), 3);
	cr_assert_not_null(fw_dp_get(n, "10.2.2.0/25"), "the narrowest of all");
	fw_run(w, 61000);
	cr_assert_null(fw_dp_get(n, "10.2.2.0/25"), "for as long as the shortest");
}

Test(pull, X12_one_that_knows_more_wins_over_one_that_has_just_joined)
{
	conf.pull.hash.modulus = 1;
	fw_dns(w, "0.ms.example", "192.0.2.7 192.0.2.8");
	go();
	fw_run(w, 50);
	fw_miss(n, "10.2.2.7", NULL);
	answer(asked_at(), &(struct fw_rec)FW_NEG(FAR, 15, XTR_ACT_NATIVE));
	answer(asked_at(), &(struct fw_rec)FW_REC(FAR, 60, "192.0.2.2"));
	cr_assert_eq(fw_dp_get(n, FAR)->fwd.action, XTR_ACT_ENCAP);
}

Test(pull, X12_a_no_is_believed_when_the_others_stay_silent)
{
	conf.pull.hash.modulus = 1;
	fw_dns(w, "0.ms.example", "192.0.2.7 192.0.2.8");
	go();
	fw_run(w, 50);
	fw_miss(n, "10.2.2.7", NULL);
	answer(asked_at(), &(struct fw_rec)FW_NEG(FAR, 15, XTR_ACT_NATIVE));
	fw_run(w, 60000);
	cr_assert_not_null(fw_dp_get(n, FAR));
	cr_assert_eq(fw_dp_get(n, FAR)->fwd.action, XTR_ACT_NATIVE);
}

Test(pull, RFC9301_6_1_a_no_that_is_believed_ends_what_was_known_of_the_eid)
{
	conf.pull.hash.modulus = 1;
	fw_dns(w, "0.ms.example", "192.0.2.7 192.0.2.8");
	go();
	fw_run(w, 50);
	fw_miss(n, "10.2.2.7", NULL);
	answer(asked_at(), &(struct fw_rec)FW_REC(FAR, 10, "192.0.2.2"));
	for (unsigned i = 0; i < 600 && fw_sent_count(n, XTR_MSG_MAP_REQUEST) < 2; i++) { /* until its refresh */
		fw_run(w, 1000);
		fw_use(n, "10.2.2.7");
	}
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REQUEST), 2);
	answer(asked_at(), &(struct fw_rec)FW_NEG("10.2.0.0/16", 15, XTR_ACT_NATIVE));
	cr_assert_not_null(fw_dp_get(n, FAR), "not before the other was asked");
	answer(asked_at(), &(struct fw_rec)FW_NEG("10.2.0.0/16", 15, XTR_ACT_NATIVE));
	cr_assert_null(fw_dp_get(n, FAR));
	cr_assert_eq(fw_dp_match(n, "10.2.2.7")->fwd.action, XTR_ACT_NATIVE);
}

Test(pull, X11_a_negative_answer_is_cut_to_what_one_set_can_see)
{
	fw_dns(w, name_of(FAR), "192.0.2.8");
	go();
	fw_run(w, 50);
	fw_miss(n, "10.2.2.7", NULL);
	fw_run(w, 20);
	answer("192.0.2.8", &(struct fw_rec)FW_NEG("10.0.0.0/8", 15, XTR_ACT_NATIVE));
	cr_assert_null(fw_dp_get(n, "10.0.0.0/8"));
	cr_assert_not_null(fw_dp_get(n, FAR));
	cr_assert_eq(fw_dp_get(n, FAR)->fwd.action, XTR_ACT_NATIVE);
}

Test(pull, X14_a_less_specific_answer_does_not_speak_for_other_sets)
{
	fw_dns(w, name_of(FAR), "192.0.2.8");
	go();
	fw_run(w, 50);
	fw_miss(n, "10.2.2.7", NULL);
	fw_run(w, 20);
	answer("192.0.2.8", &(struct fw_rec)FW_REC("10.2.0.0/16", 60, "192.0.2.2"));
	cr_assert_null(fw_dp_get(n, "10.2.0.0/16"));
	cr_assert_eq(fw_dp_get(n, FAR)->fwd.action, XTR_ACT_ENCAP);
}

Test(pull, one_set_can_say_everything)
{
	conf.pull.hash.modulus = 1;
	fw_dns(w, "0.ms.example", "192.0.2.8");
	go();
	fw_run(w, 50);
	fw_miss(n, "10.2.2.7", NULL);
	fw_run(w, 20);
	answer("192.0.2.8", &(struct fw_rec)FW_REC("10.2.0.0/16", 60, "192.0.2.2"));
	cr_assert_not_null(fw_dp_get(n, "10.2.0.0/16"));
}

/* ---- what both sides hash */

/* The name that was looked up last. */
static bool same_name(const char *registered, const char *asked)
{
	unsigned before;

	conf.mappings[0].eid = fw_eid(registered);
	go();
	fw_run(w, 100);
	before = fw_dns_lookups(w);
	fw_miss(n, asked, NULL);
	fw_run(w, 100);
	return fw_dns_lookups(w) == before;
}

Test(pull, R_2_R_4_X10_both_sides_cut_to_the_lookup_length_of_the_longest_match)
{
	conf.pull.hash.modulus = 65536;
	fw_conf_lookup(&conf, "10.5.0.0/16", 28);
	cr_assert(same_name("10.5.1.16/28", "10.5.1.17"));
	fw_miss(n, "10.5.1.33", NULL);
	cr_assert_eq(fw_dns_lookups(w), 2, "the next 16 addresses are another index");
	fw_miss(n, "10.6.1.1", NULL);
	fw_miss(n, "10.6.1.254", NULL);
	cr_assert_eq(fw_dns_lookups(w), 3, "24 bits elsewhere");
}

Test(pull, R_2_a_prefix_longer_than_its_lookup_length_is_found_too)
{
	conf.pull.hash.modulus = 65536;
	cr_assert(same_name("10.1.1.128/25", "10.1.1.200"));
}

Test(pull, D_48_D_49_the_hash_mask_lets_them_meet_and_a_no_is_for_one_eid)
{
	conf.pull.hash = (struct xtr_decent_hash){ .profile = XTR_DECENT_DRAFT10,
						   .hash_mask = 8,
						   .modulus = 65536 };
	cr_assert(same_name("240.0.1.0/24", "240.0.1.1"));
	conf.pull.hash.modulus = 4;
	fw_dns(w, name_of("240.0.9.9/32"), "192.0.2.8");
	fw_reconfigure(n, &conf);
	fw_run(w, 100);
	fw_miss(n, "240.0.9.9", NULL);
	fw_run(w, 20);
	cr_assert_str_eq(asked_at(), "192.0.2.8");
	answer("192.0.2.8", &(struct fw_rec)FW_NEG("240.0.0.0/16", 15, XTR_ACT_NATIVE));
	while (strcmp(asked_at(), "192.0.2.8")) /* the old parameters have no addresses */
		fw_run(w, 1000);
	fw_run(w, 600000);
	cr_assert_null(fw_dp_get(n, "240.0.0.0/16"), "X11");
	cr_assert_null(fw_dp_match(n, "240.0.9.8"));
}

Test(pull, D_56_as_many_names_as_sets)
{
	conf.pull.hash.modulus = 4;
	dns_all("ms.example", 4, "192.0.2.8");
	go();
	for (unsigned i = 0; i < 200; i++) {
		char eid[32];

		snprintf(eid, sizeof(eid), "10.9.%u.1", i);
		fw_miss(n, eid, NULL);
	}
	fw_run(w, 100);
	cr_assert_eq(show_names(), 4);
	cr_assert_eq(fw_dns_lookups(w), 4);
}

/* ---- prefixes that are too short */

Test(pull, R_8_a_prefix_shorter_than_its_lookup_length_is_refused)
{
	fw_conf_mapping(&conf, "10.4.0.0/16", "192.0.2.1");
	for (unsigned i = 0; i < 8; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%u.ms.example", i);
		fw_dns(w, name, "192.0.2.9");
	}
	go();
	fw_run(w, 100);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REGISTER), 1);
	cr_assert_eq(show_db(), 2);
	cr_assert_eq(db[1].map_server.family, 0);
	cr_assert_not_null(strstr(db_problem[1], "lookup-length"), "%s", db_problem[1]);
}

Test(pull, X9_or_registered_at_every_index)
{
	conf.pull.short_everywhere = true;
	fw_conf_mapping(&conf, "10.4.0.0/16", "192.0.2.1");
	for (unsigned i = 0; i < 8; i++) {
		char name[32], ip[32];

		snprintf(name, sizeof(name), "%u.ms.example", i);
		snprintf(ip, sizeof(ip), "192.0.2.%u", 10 + i);
		fw_dns(w, name, ip);
	}
	go();
	fw_run(w, 100);
	for (unsigned i = 0; i < 8; i++) {
		char ip[32];

		snprintf(ip, sizeof(ip), "192.0.2.%u", 10 + i);
		cr_assert_geq(sent_to(XTR_MSG_MAP_REGISTER, ip, 0), 1);
	}
	cr_assert_eq(show_db(), 9);
}

/* ---- keys */

static const struct xtr_key other_key = {
	.key_id = 7, .alg_id = XTR_AUTH_SHA256, .secret = (const uint8_t *)"other", .secret_len = 5
};

Test(pull, X13_a_key_of_its_own_for_one_index)
{
	struct xtr_register m;

	fw_conf_index_key(&conf, index_by(&conf, EID), &other_key);
	fw_dns(w, name_of(EID), "192.0.2.9");
	go();
	fw_run(w, 100);
	m = read_register(last(XTR_MSG_MAP_REGISTER));
	cr_assert_eq(m.key_id, 7);
	cr_assert_eq(xtr_auth_verify(m.msg, m.msg_len, m.auth_off, m.auth_len, m.type, m.alg_id,
				     m.nonce, other_key.secret, other_key.secret_len),
		     0);
}

Test(pull, X13_one_address_with_two_keys_is_two_map_servers)
{
	unsigned with[8] = { 0 };

	fw_conf_mapping(&conf, FAR, "192.0.2.1");
	cr_assert_neq(index_by(&conf, EID), index_by(&conf, FAR));
	fw_conf_index_key(&conf, index_by(&conf, EID), &other_key);
	fw_dns(w, name_of(EID), "192.0.2.9");
	fw_dns(w, name_of(FAR), "192.0.2.9");
	go();
	fw_run(w, 100);
	for (unsigned i = 0; i < 2; i++)
		with[read_register(fw_sent(n, XTR_MSG_MAP_REGISTER, i)).key_id]++;
	cr_assert_eq(with[1], 1);
	cr_assert_eq(with[7], 1);
	/* one key for all again: nothing is withdrawn */
	conf.pull.key_count = 0;
	fw_reconfigure(n, &conf);
	fw_run(w, 100);
	for (unsigned i = 2; i < fw_sent_count(n, XTR_MSG_MAP_REGISTER); i++)
		cr_assert_eq(ttl_of(fw_sent(n, XTR_MSG_MAP_REGISTER, i)), 1440);
	cr_assert_eq(show_db(), 2);
}

/* ---- lig */

static struct xtr_lig_result lig;
static unsigned lig_count, lig_locators;

static void lig_done(void *arg, const struct xtr_lig_result *res)
{
	lig = *res;
	lig_locators = res->count ? res->records[0].locator_count : 0;
	lig_count++;
}

Test(pull, lig_goes_the_same_way)
{
	struct xtr_eid_prefix eid = fw_eid("10.2.2.7");

	fw_dns(w, name_of(FAR), "192.0.2.7 192.0.2.8")->delay = 700;
	go();
	fw_run(w, 50);
	cr_assert_eq(xtr_node_lig(n->n, &eid, NULL, lig_done, NULL, w->now), 0);
	fw_tick(n);
	fw_run(w, 701);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REQUEST), 1);
	answer(asked_at(), &(struct fw_rec)FW_NEG(FAR, 15, XTR_ACT_NATIVE));
	cr_assert_eq(lig_count, 0, "another one is asked");
	answer(asked_at(), &(struct fw_rec)FW_REC(FAR, 60, "192.0.2.2"));
	cr_assert_eq(lig_count, 1);
	cr_assert_eq(lig_locators, 1);
	cr_assert_eq(lig.tries, 2);
}

Test(pull, lig_tells_the_no_when_the_others_are_silent)
{
	struct xtr_eid_prefix eid = fw_eid("10.2.2.7");

	fw_dns(w, name_of(FAR), "192.0.2.7 192.0.2.8");
	go();
	fw_run(w, 50);
	xtr_node_lig(n->n, &eid, NULL, lig_done, NULL, w->now);
	fw_tick(n);
	fw_run(w, 20);
	answer(asked_at(), &(struct fw_rec)FW_NEG(FAR, 15, XTR_ACT_NATIVE));
	fw_run(w, 60000);
	cr_assert_eq(lig_count, 1);
	cr_assert_eq(lig.count, 1);
	cr_assert_eq(lig_locators, 0);
}
