// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * LISP-Decent, pull: registering, what becomes of DNS answers, and limits. RFC 9962 5, draft-farinacci-lisp-decent-10 5
 * (D-40 to D-58). Asking, a change of the parameters, and whole systems: test_roles_pull_*.c.
 */
#include "pull_lab.h"

#include "codec/auth.h"
#include "roles/role.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(pull, .init = pull_up, .fini = world_down);

/* ---- registering */

Test(pull, D_40_D_45_D_46_one_hash_says_where_to_register_and_where_to_ask)
{
	fw_dns(w, name_of(EID), "192.0.2.9");
	fw_dns(w, name_of(FAR), "192.0.2.8");
	go();
	fw_run(w, 100);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", 0), 1);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REGISTER), 1);
	fw_miss(n, "10.2.2.7", "10.1.1.1");
	fw_run(w, 100);
	cr_assert_str_eq(asked_at(), "192.0.2.8");
	cr_assert_eq(fw_dns_lookups(w), 2, "each name once, when it is needed");
}

Test(pull, D_51_all_addresses_of_both_families_are_registered_at)
{
	fw_dns(w, name_of(EID), "192.0.2.9 2001:db8::9 192.0.2.7");
	go();
	fw_run(w, 100);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", 0), 1);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.7", 0), 1);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "2001:db8::9", 0), 1);
	confirm("192.0.2.9");
	cr_assert_eq(show_db(), 3);
	cr_assert_eq(db[0].acked + db[1].acked + db[2].acked, 1);
}

Test(pull, D_57_the_map_register_is_an_ordinary_one)
{
	struct xtr_register m;

	fw_dns(w, name_of(EID), "192.0.2.9");
	go();
	fw_run(w, 100);
	m = read_register(last(XTR_MSG_MAP_REGISTER));
	cr_assert_eq(m.flags, XTR_REG_M | XTR_REG_P);
	cr_assert_eq(m.record_count, 1);
	cr_assert_eq(xtr_auth_verify(m.msg, m.msg_len, m.auth_off, m.auth_len, m.type, m.alg_id,
				     m.nonce, fw_key.secret, fw_key.secret_len),
		     0);
}

/* At the start the names are answered one after the other. */
Test(pull, a_map_server_of_many_names_gets_everything_once)
{
	char eid[32];

	for (unsigned i = 2; i < 10; i++) {
		snprintf(eid, sizeof(eid), "10.%u.0.0/24", i);
		fw_conf_mapping(&conf, eid, "192.0.2.1");
	}
	for (unsigned i = 0; i < 8; i++) {
		snprintf(eid, sizeof(eid), "%u.%s", i, conf.pull.suffix);
		fw_dns(w, eid, "192.0.2.9")->delay = 10 + 4 * i;
	}
	go();
	fw_run(w, 500);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", 0), 1);
}

Test(pull, D_55_added_addresses_get_all_at_once_and_removed_ones_are_told)
{
	struct fw_dns_name *d = fw_dns(w, name_of(EID), "192.0.2.7 192.0.2.8");
	uint64_t asked;

	d->ttl = 60;
	go();
	fw_run(w, 100);
	confirm("192.0.2.7");
	confirm("192.0.2.8");
	fw_dns(w, d->name, "192.0.2.8 192.0.2.9");
	while (d->asked == 1)
		fw_run(w, 1);
	asked = d->last_asked;
	cr_assert(asked >= 60000 - 9000 && asked < 60000, "before the TTL ends: %u",
		  (unsigned)asked);
	fw_run(w, 61);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", asked), 1);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.7", asked), 1);
	cr_assert_eq(ttl_of(last_to(XTR_MSG_MAP_REGISTER, "192.0.2.7")), 0, "withdrawn");
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.8", asked), 0, "keeps its state");
	cr_assert_eq(show_db(), 2);
	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(db[i].notifies, db[i].map_server.a[3] == 8);
	/* quick registration at the new one (RFC 9301 8.2) */
	fw_run(w, 65000);
	cr_assert(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", asked) > 3);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.7", asked), 1, "and that was all");
	cr_assert_eq(fw_events(n, XTR_EVENT_DNS_CHANGE), 2);
}

Test(pull, D_55_answers_are_sets_their_order_is_no_change)
{
	struct fw_dns_name *d = fw_dns(w, name_of(EID), "192.0.2.7 192.0.2.8");

	d->ttl = 30;
	go();
	fw_run(w, 100);
	fw_dns(w, d->name, "192.0.2.8 192.0.2.7 192.0.2.8");
	fw_run(w, 40000);
	cr_assert(d->asked >= 2);
	cr_assert_eq(fw_events(n, XTR_EVENT_DNS_CHANGE), 1);
}

Test(pull, D_55_ttl_within_the_configured_bounds)
{
	struct fw_dns_name *d = fw_dns(w, name_of(EID), "192.0.2.9");

	conf.pull.ttl_min = 40000;
	conf.pull.ttl_max = 80000;
	d->ttl = 1;
	go();
	fw_run(w, 33000);
	cr_assert_eq(d->asked, 1);
	fw_run(w, 7000);
	cr_assert_eq(d->asked, 2);
	d->ttl = 1000000;
	fw_run(w, 40000);
	cr_assert_eq(d->asked, 3);
	fw_run(w, 66000);
	cr_assert_eq(d->asked, 3);
	fw_run(w, 15000);
	cr_assert_eq(d->asked, 4);
}

/* ---- answers that are no good (draft 8, case 7) */

Test(pull, case_7_dns_returns_nothing_the_last_good_set_stays_and_is_told)
{
	struct fw_dns_name *d = fw_dns(w, name_of(EID), "192.0.2.9");
	const struct xtr_name_info *i;
	uint64_t at;

	d->ttl = 30;
	go();
	fw_run(w, 100);
	confirm("192.0.2.9");
	fw_dns(w, d->name, "");
	fw_run(w, 32000);
	i = name_info(d->name);
	cr_assert(i && i->stale && i->count == 1 && i->failures >= 1);
	cr_assert_not_null(strstr(names.problem[0], "no such name"));
	cr_assert_eq(fw_events(n, XTR_EVENT_DNS_STALE), 1);
	cr_assert(fw_events(n, XTR_EVENT_DNS_FAIL) >= 1);
	at = w->now;
	fw_run(w, 120000);
	cr_assert(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", at) > 0, "still registered there");
	cr_assert_eq(ttl_of(last_to(XTR_MSG_MAP_REGISTER, "192.0.2.9")), 1440);
	fw_dns(w, d->name, "192.0.2.9");
	fw_run(w, 330000);
	i = name_info(d->name);
	cr_assert(!i->stale && !i->failures);
	cr_assert_eq(fw_events(n, XTR_EVENT_DNS_STALE), 1, "once");
}

Test(pull, case_7_failures_are_asked_again_with_doubling_distance)
{
	struct fw_dns_name *d = fw_dns_name(w, name_of(EID));
	uint64_t wait = 5000, was, expect = 5000;

	d->status = -EIO;
	d->why = "server failure";
	go();
	for (unsigned i = 1; i < 10; i++) {
		was = d->last_asked;
		while (d->asked == i)
			fw_run(w, 10);
		wait = d->last_asked - was;
		cr_assert(wait >= expect && wait <= expect + expect / 10 + 40, "%u: %u", i,
			  (unsigned)wait);
		expect = expect * 2 < 300000 ? expect * 2 : 300000;
	}
	cr_assert_eq(fw_counter(n, XTR_NODE_DNS_FAILURES), 9);
	cr_assert_eq(show_db(), 1);
	cr_assert_not_null(strstr(db_problem[0], "server failure"), "%s", db_problem[0]);
	d->status = 0;
	fw_dns(w, d->name, "192.0.2.9");
	fw_run(w, 331000);
	cr_assert(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", 0) >= 1);
}

Test(pull, case_7_too_many_addresses_the_numerically_first_count)
{
	struct fw_dns_name *d = fw_dns(w, name_of(EID), "");
	const struct xtr_name_info *i;

	for (unsigned k = 0; k < 40; k++) {
		char ip[32];

		snprintf(ip, sizeof(ip), "198.51.100.%u", 200 - k * 3);
		d->addrs[d->count++] = fw_ip(ip);
	}
	go();
	fw_run(w, 100);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REGISTER), 16);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "198.51.100.83", 0), 1);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "198.51.100.200", 0), 0);
	i = name_info(d->name);
	cr_assert_eq(i->count, 16);
	cr_assert_eq(i->ignored, 24);
}

Test(pull, case_7_addresses_that_cannot_be_map_servers_are_left_out)
{
	struct fw_dns_name *d = fw_dns(w, name_of(EID),
				       "224.0.0.5 0.0.0.0 255.255.255.255 127.0.0.1 :: ff02::1 ::1 "
				       "fe80::1 192.0.2.9");
	go();
	fw_run(w, 100);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REGISTER), 1);
	cr_assert_eq(name_info(d->name)->ignored, 8);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", 0), 1);
}

Test(pull, case_7_private_and_loopback_addresses_as_configured)
{
	struct fw_dns_name *d = fw_dns(w, name_of(EID), "10.0.0.9 172.16.3.4 192.168.1.1 fd00::9 "
							"100.64.0.1 127.0.0.2");

	conf.pull.allow_private = false;
	go();
	fw_run(w, 100);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REGISTER), 0);
	cr_assert_eq(name_info(d->name)->count, 0);
	cr_assert_not_null(strstr(names.problem[0], "may be used"), "%s", names.problem[0]);
	conf.pull.allow_private = conf.pull.allow_loopback = true;
	fw_reconfigure(n, &conf);
	fw_run(w, 100);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REGISTER), 6, "asked again at once");
}

Test(pull, one_family_alone_can_be_chosen)
{
	fw_dns(w, name_of(EID), "192.0.2.9 2001:db8::9");
	conf.pull.family = 6;
	go();
	fw_run(w, 100);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REGISTER), 1);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "2001:db8::9", 0), 1);
}

Test(pull, half_an_answer_takes_nothing_away)
{
	struct fw_dns_name *d = fw_dns(w, name_of(EID), "192.0.2.9 2001:db8::9");
	const struct xtr_name_info *i;

	d->ttl = 30;
	go();
	fw_run(w, 100);
	fw_dns(w, d->name, "192.0.2.7")->partial = true;
	fw_run(w, 31000);
	i = name_info(d->name);
	cr_assert_eq(i->count, 2, "192.0.2.9 is gone, 2001:db8::9 may still be there");
	cr_assert_not(i->stale);
	cr_assert_neq(names.problem[0][0], '\0');
	cr_assert(i->next_ms < 25000, "the other half is asked for soon");
	fw_dns(w, d->name, "192.0.2.7")->partial = false;
	fw_run(w, 31000);
	cr_assert_eq(name_info(d->name)->count, 1);
}

Test(pull, R_6_dnssec_can_be_required_and_is_shown)
{
	struct fw_dns_name *d = fw_dns(w, name_of(EID), "192.0.2.9");

	conf.pull.require_dnssec = true;
	go();
	fw_run(w, 1000);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REGISTER), 0);
	cr_assert(name_info(d->name)->failures);
	cr_assert_not_null(strstr(names.problem[0], "DNSSEC"));
	d->authenticated = true;
	fw_run(w, 20000);
	cr_assert(fw_sent_count(n, XTR_MSG_MAP_REGISTER) >= 1);
	cr_assert(name_info(d->name)->authenticated);
}

Test(pull, the_network_comes_back_the_names_are_looked_up_at_once)
{
	struct xtr_ip up[2] = { fw_ip("192.0.2.1"), fw_ip("2001:db8::1") };
	struct fw_dns_name *d = fw_dns(w, name_of(EID), "192.0.2.9");

	fw_dns_down(w, true);
	go();
	xtr_node_rlocs_up(n->n, NULL, 0, w->now);
	fw_run(w, 1000000);
	for (unsigned fails = fw_events(n, XTR_EVENT_DNS_FAIL);
	     fails == fw_events(n, XTR_EVENT_DNS_FAIL);)
		fw_run(w, 100);
	fw_dns_down(w, false);
	d->asked = 0;
	xtr_node_rlocs_up(n->n, up, 2, w->now);
	fw_tick(n);
	fw_run(w, 70);
	cr_assert_eq(d->asked, 1);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", 0), 1);
}

/* ---- the state directory */

Test(pull, a_start_without_dns_uses_what_was_known)
{
	const struct xtr_name_info *i;

	fw_dns(w, name_of(EID), "192.0.2.9 2001:db8::9");
	go();
	fw_run(w, 10000);
	fw_kill(n);
	fw_dns_down(w, true);
	fw_run(w, 1000);
	fw_restart(n);
	fw_run(w, 1);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", 11000), 1, "at once");
	i = name_info(name_of(EID));
	cr_assert(i && i->saved && i->count == 2 && i->age_ms == UINT64_MAX);
	fw_run(w, 6000);
	i = name_info(name_of(EID));
	cr_assert(i->stale && i->saved);
	fw_dns_down(w, false);
	fw_run(w, 20000);
	i = name_info(name_of(EID));
	cr_assert(!i->stale && !i->saved);
}

Test(pull, what_is_in_the_state_directory_is_checked)
{
	struct fw_dns_name *d = fw_dns(w, name_of(EID), "192.0.2.9");

	go();
	fw_run(w, 10000);
	for (unsigned cut = 0; cut < 40; cut++) {
		fw_kill(n);
		for (unsigned b = 0; b < 8; b++) {
			struct fw_blob *blob = &n->blobs[b];

			if (blob->buf && strstr(blob->name, "decent") && blob->len) {
				blob->len--;
				blob->buf[(cut * 7) % (blob->len + 1)] ^= (uint8_t)(cut + 1);
			}
		}
		fw_restart(n);
		fw_run(w, 6000);
	}
	cr_assert_eq(name_info(d->name)->count, 1, "DNS is right again");
	cr_assert_eq(names.count, 1, "and nothing else came out of the damaged files");
}

Test(pull, saved_addresses_pass_the_rules_of_now)
{
	fw_dns(w, name_of(EID), "10.0.0.9");
	go();
	fw_run(w, 10000);
	fw_kill(n);
	fw_dns_down(w, true);
	n->conf.pull.allow_private = false;
	fw_restart(n);
	fw_run(w, 1);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "10.0.0.9", w->now - 1), 0);
}

/* DNS names us as Map-Server of an index, and we are none. */
Test(pull, an_own_address_in_DNS_without_a_map_server_is_said)
{
	const struct xtr_name_info *i;

	fw_dns(w, name_of(EID), "192.0.2.1 192.0.2.9");
	conf.c.ms = false;
	go();
	fw_run(w, 3000);
	i = name_info(name_of(EID));
	cr_assert_not(i->self);
	cr_assert_not_null(strstr(names.problem[0], "no map-server"));
	cr_assert_eq(show_db(), 2);
	cr_assert(strstr(db_problem[0], "ourselves") || strstr(db_problem[1], "ourselves"));
}

/* ---- limits */

Test(pull, the_network_cannot_make_us_keep_names_without_bound)
{
	conf.pull.hash.modulus = 65536;
	fw_dns_name(w, name_of(EID));
	n = fw_start(w, "n", &conf);
	for (unsigned i = 0; i < 60; i++) {
		char eid[32];

		snprintf(eid, sizeof(eid), "10.9.%u.1", i);
		fw_miss(n, eid, NULL);
	}
	cr_assert_eq(show_names(), 61);
	fw_run(w, 7200000);
	cr_assert_eq(show_names(), 1, "names nobody needs are forgotten");
}

Test(pull, an_answer_nobody_asked_for_is_ignored)
{
	const struct xtr_dns_answer a = { .status = 0, .count = 0 };

	fw_dns(w, name_of(EID), "192.0.2.9");
	go();
	for (uint32_t id = 0; id < 100; id++)
		if (id != 1)
			xtr_node_resolved(n->n, id, &a, w->now);
	fw_run(w, 100);
	cr_assert_eq(fw_counter(n, XTR_NODE_DNS_FAILURES), 0);
	cr_assert_eq(name_info(name_of(EID))->count, 1);
}

/* Each EID of a scan is a new name when there are many indexes. */
Test(pull, T_6_a_scan_does_not_become_a_flood_of_dns)
{
	char eid[32];

	conf.pull.hash.modulus = 65536;
	conf.c.mr = true;
	go();
	fw_run(w, 1000);
	for (unsigned i = 0; i < 4000; i++) {
		const struct fw_req req = { .nonce = 1 + i, .eid = eid, .itr_rloc = "198.51.100.1" };
		uint8_t buf[512];

		snprintf(eid, sizeof(eid), "11.%u.%u.1/32", i >> 8, i & 255);
		fw_inject(n, "198.51.100.1", 4342, buf, fw_make_request(buf, sizeof(buf), &req));
		if (i % 50 == 0)
			fw_run(w, 11);
	}
	cr_assert_leq(fw_counter(n, XTR_NODE_DNS_LOOKUPS), 1100);
}

/* ---- what is said */

static unsigned told;

static void count_event(void *ctx, enum xtr_event_kind kind, const struct xtr_eid_prefix *eid,
			const char *text)
{
	told++;
}

static bool nobody(void *ctx)
{
	return false;
}

/* The log has them: routers with other parameters are silent on the wire. */
Test(pull_events, parameters_are_said_even_if_nobody_listens)
{
	static struct xtr_env env;

	env.ops.event = count_event;
	env.ops.listening = nobody;
	xtr_env_event(&env, XTR_EVENT_MISS, NULL, "of interest to who listens");
	cr_assert_eq(told, 0);
	xtr_env_event(&env, XTR_EVENT_PARAMS, NULL, "profile and modulus");
	cr_assert_eq(told, 1);
}
