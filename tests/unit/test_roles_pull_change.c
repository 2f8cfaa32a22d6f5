// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * LISP-Decent, pull: the parameters change while others still have the old ones (D-53, D-54; draft 8, case 8). For a
 * window the old and the new hold.
 */
#include "pull_lab.h"

#include "xtr/abi.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(pull, .init = pull_up, .fini = world_down);

static void two_systems(void)
{
	fw_dns(w, name_of(EID), "192.0.2.9");
	fw_dns(w, name_of(FAR), "192.0.2.8");
	go();
	fw_run(w, 1000);
	confirm("192.0.2.9");
	conf.pull.suffix = "new.example";
	conf.pull.hash.modulus = 3;
	fw_dns(w, name_of(EID), "198.51.100.9");
	fw_dns(w, name_of(FAR), "198.51.100.8");
}

Test(pull, case_8_both_are_registered_during_the_window)
{
	uint64_t at;

	conf.pull.change_window = 600000;
	two_systems();
	fw_reconfigure(n, &conf);
	at = w->now;
	fw_run(w, 100);
	cr_assert_geq(sent_to(XTR_MSG_MAP_REGISTER, "198.51.100.9", at), 1, "new, at once");
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", at), 0, "old, as before");
	fw_run(w, 599000);
	cr_assert(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", at) > 8);
	cr_assert_eq(ttl_of(last_to(XTR_MSG_MAP_REGISTER, "192.0.2.9")), 1440);
	at = w->now;
	fw_run(w, 2000);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", at), 1);
	cr_assert_eq(ttl_of(last_to(XTR_MSG_MAP_REGISTER, "192.0.2.9")), 0, "then withdrawn");
	cr_assert_eq(show_db(), 1);
	name_info("");
	for (unsigned i = 0; i < names.count; i++)
		cr_assert_not_null(strstr(names.text[i], "new.example"));
}

Test(pull, case_8_questions_go_to_the_new_set_and_then_to_the_old)
{
	two_systems();
	fw_reconfigure(n, &conf);
	fw_run(w, 100);
	fw_miss(n, "10.2.2.7", NULL);
	fw_run(w, 20);
	cr_assert_str_eq(asked_at(), "198.51.100.8");
	answer("198.51.100.8", &(struct fw_rec)FW_NEG(FAR, 1, XTR_ACT_NATIVE));
	fw_run(w, 20);
	cr_assert_str_eq(asked_at(), "192.0.2.8");
	cr_assert_null(fw_dp_get(n, FAR));
	answer("192.0.2.8", &(struct fw_rec)FW_REC(FAR, 60, "192.0.2.2"));
	cr_assert_eq(fw_dp_get(n, FAR)->fwd.action, XTR_ACT_ENCAP);
	cr_assert(name_info("2.ms.example") == NULL || name_info("2.ms.example")->old);
}

Test(pull, case_8_silence_of_the_new_set_leads_to_the_old)
{
	two_systems();
	fw_reconfigure(n, &conf);
	fw_run(w, 100);
	fw_miss(n, "10.2.2.7", NULL);
	fw_run(w, 1100);
	cr_assert_str_eq(asked_at(), "192.0.2.8");
	fw_run(w, 2000);
	cr_assert_str_eq(asked_at(), "198.51.100.8", "and all over again");
}

Test(pull, case_8_a_restart_does_not_end_the_window)
{
	const struct xtr_pull_config *old;
	uint64_t left;

	conf.pull.change_window = 600000;
	two_systems();
	fw_reconfigure(n, &conf);
	fw_run(w, 200000);
	fw_kill(n);
	fw_run(w, 100000);
	fw_restart(n);
	fw_run(w, 100);
	cr_assert_eq(xtr_node_pull(n->n, w->now, &old, &left)->hash.modulus, 3);
	cr_assert_not_null(old);
	cr_assert_eq(old->hash.modulus, 8);
	cr_assert_str_eq(old->suffix, "ms.example");
	cr_assert(left > 295000 && left <= 300000, "%u", (unsigned)left);
	cr_assert_eq(show_db(), 2, "both registered");
	fw_run(w, 301000);
	xtr_node_pull(n->n, w->now, &old, &left);
	cr_assert_null(old);
	cr_assert_eq(show_db(), 1);
}

Test(pull, case_8_a_change_while_it_did_not_run_opens_the_window_too)
{
	const struct xtr_pull_config *old;
	uint64_t left;

	two_systems();
	fw_stop(n);
	n->conf.pull.suffix = conf.pull.suffix;
	n->conf.pull.hash.modulus = conf.pull.hash.modulus;
	fw_restart(n);
	fw_run(w, 100);
	xtr_node_pull(n->n, w->now, &old, &left);
	cr_assert_not_null(old);
	cr_assert_eq(old->hash.modulus, 8);
	cr_assert_eq(show_db(), 2);
}

Test(pull, case_8_a_second_change_keeps_only_what_it_replaces)
{
	const struct xtr_pull_config *old;
	uint64_t left;

	two_systems();
	fw_reconfigure(n, &conf);
	fw_run(w, 61000);
	conf.pull.suffix = "third.example";
	fw_dns(w, name_of(EID), "203.0.113.9");
	fw_reconfigure(n, &conf);
	fw_run(w, 100);
	xtr_node_pull(n->n, w->now, &old, &left);
	cr_assert_eq(old->hash.modulus, 3);
	cr_assert_eq(ttl_of(last_to(XTR_MSG_MAP_REGISTER, "192.0.2.9")), 0);
	cr_assert_geq(sent_to(XTR_MSG_MAP_REGISTER, "203.0.113.9", 0), 1);
}

Test(pull, case_8_nothing_but_hash_and_suffix_opens_a_window)
{
	const struct xtr_pull_config *old;
	uint64_t left;

	fw_dns(w, name_of(EID), "192.0.2.9");
	go();
	fw_run(w, 100);
	conf.pull.ttl_max = 50000;
	conf.pull.server.want_notify = false;
	conf.pull.suffix = "ms.example.";
	fw_reconfigure(n, &conf);
	fw_run(w, 100);
	xtr_node_pull(n->n, w->now, &old, &left);
	cr_assert_null(old);
	cr_assert_eq(show_db(), 1);
}

/* New parameters that come in two steps (of a configuration, and then of the file it names) must
 * not make us forget those that everybody else still has. */
Test(pull, case_8_what_was_in_use_for_a_moment_only_is_not_the_old_one)
{
	const struct xtr_pull_config *old;
	uint64_t left;

	conf.pull.change_window = 600000;
	go();
	fw_run(w, 100000);
	cr_assert_eq(xtr_node_pull(n->n, w->now, &old, &left)->hash.modulus, 8);
	conf.pull.hash.modulus = 16;
	fw_reconfigure(n, &conf);
	fw_run(w, 5000);
	conf.pull.hash.modulus = 32;
	fw_reconfigure(n, &conf);
	cr_assert_eq(xtr_node_pull(n->n, w->now, &old, &left)->hash.modulus, 32);
	cr_assert_not_null(old);
	cr_assert_eq(old->hash.modulus, 8);
	cr_assert_eq(left, 600000);
	/* Back to the first: those between are the old ones then. */
	conf.pull.hash.modulus = 8;
	fw_reconfigure(n, &conf);
	xtr_node_pull(n->n, w->now, &old, &left);
	cr_assert_eq(old->hash.modulus, 32);
	/* And what was in use for long is kept. */
	fw_run(w, 100000);
	conf.pull.hash.modulus = 64;
	fw_reconfigure(n, &conf);
	xtr_node_pull(n->n, w->now, &old, &left);
	cr_assert_eq(old->hash.modulus, 8);
}

Test(pull, names_of_now_are_not_shown_as_old_ones_after_a_reload)
{
	const struct xtr_name_info *i;

	fw_dns(w, name_of("10.77.0.1/32"), "192.0.2.9");
	go();
	fw_miss(n, "10.77.0.1", NULL);
	fw_run(w, 1000);
	i = name_info(name_of("10.77.0.1/32"));
	cr_assert_not_null(i);
	cr_assert_not(i->old);
	fw_reconfigure(n, &conf);
	fw_run(w, 1000);
	cr_assert_not(name_info(name_of("10.77.0.1/32"))->old);
}

Test(pull, without_a_window_the_old_is_left_at_once)
{
	conf.pull.change_window = 0;
	two_systems();
	fw_reconfigure(n, &conf);
	fw_run(w, 100);
	cr_assert_eq(ttl_of(last_to(XTR_MSG_MAP_REGISTER, "192.0.2.9")), 0);
	cr_assert_eq(show_db(), 1);
}

Test(pull, switched_off_and_on_again)
{
	fw_dns(w, name_of(EID), "192.0.2.9");
	go();
	fw_run(w, 100);
	conf.has_pull = false;
	fw_reconfigure(n, &conf);
	fw_run(w, 100);
	cr_assert_eq(ttl_of(last_to(XTR_MSG_MAP_REGISTER, "192.0.2.9")), 0);
	cr_assert_eq(show_db(), 1);
	cr_assert_not_null(strstr(db_problem[0], "no Map-Server"));
	fw_miss(n, "10.2.2.7", NULL);
	cr_assert(fw_failed(n, "10.2.2.7/32"));
	conf.has_pull = true;
	fw_reconfigure(n, &conf);
	fw_run(w, 100);
	cr_assert_eq(ttl_of(last_to(XTR_MSG_MAP_REGISTER, "192.0.2.9")), 1440);
}
