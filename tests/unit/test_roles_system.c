// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Whole systems in virtual time: several nodes that only know each other by messages, and one node
 * that is everything at once.
 *
 *   site A 192.0.2.1  10.1.0.0/24 ┐                    ┌ 192.0.2.8 Map-Resolver
 *   site B 192.0.2.2  10.2.0.0/24 ┴── 10 ms each way ──┴ 192.0.2.9 Map-Server
 */
#include "role_lab.h"

#include "codec/auth.h"
#include "xtr/abi.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fw_node *a, *b, *mr, *ms;
static struct fw_conf conf_b;

static void start(bool proxy)
{
	struct mapping_system m;

	world_up();
	m = mapping_system_start();
	mr = m.mr;
	ms = m.ms;
	mapping_system_site(&conf, "192.0.2.1", "10.1.0.0/24");
	conf.servers[0].proxy_reply = proxy;
	a = fw_start(w, "a", &conf);
	mapping_system_site(&conf_b, "192.0.2.2", "10.2.0.0/24");
	conf_b.servers[0].proxy_reply = proxy;
	b = fw_start(w, "b", &conf_b);
}

static void plain(void)
{
	start(false);
}
static void with_proxy(void)
{
	start(true);
}

TestSuite(net, .init = plain, .fini = world_down);
TestSuite(proxy, .init = with_proxy, .fini = world_down);

static struct xtr_cache_info info;

static int first(void *arg, const struct xtr_cache_info *i)
{
	info = *i;
	return 1;
}

Test(net, MS_33_MS_34_the_etr_answers_the_itr_itself)
{
	char s[64];

	fw_until(w, 1000);
	fw_miss(a, "10.2.0.5", "10.1.0.3");
	fw_until(w, 1039);
	cr_assert_eq(fw_dp_size(a), 0);
	fw_until(w, 1040); /* ITR, MR, MS, ETR, ITR */
	cr_assert_not_null(fw_dp_get(a, "10.2.0.0/24"));
	xtr_node_walk_cache(a->n, NULL, w->now, first, NULL);
	cr_assert(info.authoritative);
	cr_assert_str_eq(xtr_ip_str(&info.from, s), "192.0.2.2");
	cr_assert(info.locators[0].local);
}

Test(proxy, MS_26_MS_15_the_map_server_answers_for_the_etr)
{
	char s[64];

	fw_until(w, 1000);
	fw_miss(a, "10.2.0.5", "10.1.0.3");
	fw_until(w, 1030);
	cr_assert_not_null(fw_dp_get(a, "10.2.0.0/24"));
	xtr_node_walk_cache(a->n, NULL, w->now, first, NULL);
	cr_assert(!info.authoritative);
	cr_assert_str_eq(xtr_ip_str(&info.from, s), "192.0.2.9");
	cr_assert(!info.locators[0].local);
	cr_assert_eq(fw_counter(b, XTR_NODE_RX_MAP_REQUEST), 0);
}

Test(net, MS_8_MS_29_registrations_go_on_and_nothing_else_is_needed)
{
	fw_until(w, 3600000);
	/* 16 quick ones (0..300 s) and one a minute after, from each of the two, none lost */
	cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTER_ACCEPTED), 2 * (16 + 55) - 2, "%llu",
		     (unsigned long long)fw_counter(ms, XTR_NODE_REGISTER_ACCEPTED));
	cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTRATION_EXPIRED), 0);
	cr_assert_eq(fw_counter(a, XTR_NODE_DROP_AUTH) + fw_counter(a, XTR_NODE_DROP_NONCE), 0);
}

Test(net, MS_22_a_site_that_dies_is_forgotten_and_then_negative)
{
	fw_until(w, 1000);
	fw_kill(b);
	fw_until(w, 180010);
	fw_miss(a, "10.2.0.5", NULL);
	fw_run(w, 100);
	cr_assert_eq(fw_dp_get(a, "10.2.0.0/24")->fwd.action, XTR_ACT_NATIVE);
	fw_restart(b);
	fw_run(w, 61000); /* the negative entry ends after a minute */
	cr_assert_null(fw_dp_get(a, "10.2.0.0/24"));
	fw_miss(a, "10.2.0.5", NULL);
	fw_run(w, 100);
	cr_assert_eq(fw_dp_get(a, "10.2.0.0/24")->fwd.action, XTR_ACT_ENCAP);
}

Test(net, a_restarted_map_server_answers_at_once)
{
	fw_until(w, 1000);
	fw_stop(ms);
	fw_restart(ms);
	fw_miss(a, "10.2.0.5", NULL);
	fw_run(w, 100);
	cr_assert_eq(fw_dp_get(a, "10.2.0.0/24")->fwd.action, XTR_ACT_ENCAP);
}

Test(net, a_restarted_etr_is_not_taken_for_a_replay)
{
	fw_until(w, 100000);
	fw_kill(a);
	a->clock_shift = -100000000;
	fw_restart(a);
	fw_run(w, 1000);
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_REPLAY), 0);
	cr_assert_eq(fw_events(a, XTR_EVENT_REGISTER_LOST), 0);
}

static unsigned lost;

static bool one_in_six(struct fw *world, const struct fw_packet *p)
{
	static unsigned seed = 42;
	bool yes = rand_r(&seed) % 6 == 0;

	lost += yes;
	return yes;
}

Test(net, a_lossy_network_only_costs_time)
{
	w->lose = one_in_six;
	fw_until(w, 10000);
	fw_miss(a, "10.2.0.5", NULL);
	fw_miss(b, "10.1.0.5", NULL);
	fw_until(w, 40000);
	cr_assert_not_null(fw_dp_get(a, "10.2.0.0/24"));
	cr_assert_not_null(fw_dp_get(b, "10.1.0.0/24"));
	fw_until(w, 3600000);
	cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTRATION_EXPIRED), 0);
	cr_assert_gt(lost, 20);
}

static struct xtr_lig_result lig;
static char lig_from[64];

static void on_lig(void *arg, const struct xtr_lig_result *r)
{
	lig = *r;
	xtr_ip_str(&r->from, lig_from);
}

Test(net, lig_through_the_mapping_system)
{
	struct xtr_eid_prefix e = fw_eid("10.2.0.5");

	fw_until(w, 1000);
	cr_assert_eq(xtr_node_lig(a->n, &e, NULL, on_lig, NULL, w->now), 0);
	fw_tick(a);
	fw_run(w, 1000);
	cr_assert_eq(lig.count, 1);
	cr_assert_eq(lig.rtt_ms, 40);
	cr_assert_eq(lig.tries, 1);
	cr_assert_str_eq(lig_from, "192.0.2.2");
	cr_assert_eq(fw_dp_size(a), 0);
}

Test(net, every_message_fits_and_has_one_port_4342)
{
	fw_until(w, 1000);
	fw_miss(a, "10.2.0.5", NULL);
	fw_miss(a, "11.1.1.1", NULL);
	fw_until(w, 100000);
	for (unsigned i = 0; i < w->packet_count; i++) {
		cr_assert_leq(w->packets[i].len, XTR_MSG_SAFE4);
		cr_assert(w->packets[i].sport == 4342 || w->packets[i].dport == 4342);
	}
	/* RX and TX count packets, exactly */
	cr_assert_eq(fw_counter(a, XTR_NODE_TX) + fw_counter(b, XTR_NODE_TX) +
			     fw_counter(mr, XTR_NODE_TX) + fw_counter(ms, XTR_NODE_TX),
		     w->packet_count);
}

/* ---- one node that is everything */

static void alone(void)
{
	world_up();
	fw_conf_init(&conf);
	fw_conf_rloc(&conf, "192.0.2.1");
	fw_conf_mapping(&conf, "10.1.0.0/24", "192.0.2.1");
	fw_conf_server(&conf, "192.0.2.1");
	fw_conf_site(&conf, "a", "10.1.0.0/24", false);
	fw_conf_site(&conf, "b", "10.2.0.0/16", true);
	fw_conf_resolver(&conf, "192.0.2.1");
	conf.c.mr = true;
	a = fw_start(w, "all", &conf);
}

TestSuite(all_in_one, .init = alone, .fini = world_down);

static bool is_registered;

static int find_a(void *arg, const struct xtr_site_info *i)
{
	if (!strcmp(i->site, "a"))
		is_registered = i->registered;
	return 0;
}

Test(all_in_one, MS_9_registers_with_itself_by_direct_calls_with_real_authentication)
{
	fw_until(w, 0);
	xtr_node_walk_sites(a->n, w->now, find_a, NULL);
	cr_assert(is_registered);
	cr_assert_eq(fw_events(a, XTR_EVENT_REGISTER_ACKED), 1);
	cr_assert_eq(w->packet_count, 0, "no packet left the node");
	cr_assert_eq(fw_counter(a, XTR_NODE_TX), 0);
	cr_assert_eq(fw_counter(a, XTR_NODE_RX), 0);
	cr_assert_eq(fw_counter(a, XTR_NODE_RX_MAP_REGISTER), 1);
	/* with a wrong key it is refused like anybody */
	conf.keys[0][0].secret = (const uint8_t *)"other!";
	fw_reconfigure(a, &conf);
	fw_until(w, 200000);
	xtr_node_walk_sites(a->n, w->now, find_a, NULL);
	cr_assert(!is_registered);
	cr_assert_gt(fw_counter(a, XTR_NODE_DROP_AUTH), 0);
}

Test(all_in_one, a_miss_is_resolved_without_a_packet)
{
	const struct fw_rec rec = FW_REC("10.2.7.0/24", 60, "192.0.2.77");
	const struct fw_reg r = { .nonce = 9, .flags = XTR_REG_P };
	uint8_t buf[512];

	fw_until(w, 0);
	fw_inject(a, "192.0.2.77", 4342, buf, fw_make_register(buf, sizeof(buf), &r, &rec, 1));
	fw_miss(a, "10.2.7.5", "10.1.0.3");
	cr_assert_eq(fw_dp_get(a, "10.2.7.0/24")->fwd.action, XTR_ACT_ENCAP);
	fw_miss(a, "10.2.8.5", "10.1.0.3");
	cr_assert_eq(fw_dp_get(a, "10.2.8.0/21")->fwd.action, XTR_ACT_NATIVE);
	fw_miss(a, "10.9.9.9", "10.1.0.3");
	cr_assert_eq(fw_dp_match(a, "10.9.9.9")->fwd.action, XTR_ACT_NATIVE);
	cr_assert_eq(w->packet_count, 0);
}

Test(all_in_one, RFC9301_5_4_its_own_questions_are_not_limited)
{
	const struct fw_rec rec = FW_REC("10.2.7.0/24", 60, "192.0.2.77");
	const struct fw_reg r = { .nonce = 9, .flags = XTR_REG_P };
	uint8_t buf[512];

	fw_until(w, 0);
	fw_inject(a, "192.0.2.77", 4342, buf, fw_make_register(buf, sizeof(buf), &r, &rec, 1));
	fw_miss(a, "10.2.7.5", "10.1.0.3");
	cr_assert_not_null(fw_dp_get(a, "10.2.7.0/24"));
	xtr_node_cache_clear(a->n, NULL, UINT32_MAX, w->now);
	fw_until(w, w->now + 1100); /* the request interval, but not the reply interval */
	cr_assert_null(fw_dp_get(a, "10.2.7.0/24"));
	fw_miss(a, "10.2.7.5", "10.1.0.3");
	cr_assert_not_null(fw_dp_get(a, "10.2.7.0/24"));
	cr_assert_eq(fw_counter(a, XTR_NODE_DROP_RATE), 0);
}

/* What its own Map-Server learns, its ITR must not deny for the minute of a negative entry. */
Test(all_in_one, what_is_registered_here_ends_negative_entries)
{
	const struct fw_rec rec = FW_REC("10.2.8.0/24", 60, "192.0.2.77");
	const struct fw_reg r = { .nonce = 9, .flags = XTR_REG_P };
	const struct xtr_fwd drop = { .action = XTR_ACT_DROP };
	const struct xtr_eid_prefix by_hand = fw_eid("10.2.8.128/25");
	uint8_t buf[512];

	fw_until(w, 0);
	fw_miss(a, "10.2.8.5", "10.1.0.3");
	cr_assert_eq(fw_dp_match(a, "10.2.8.5")->fwd.action, XTR_ACT_NATIVE);
	fw_miss(a, "10.9.9.9", "10.1.0.3");
	cr_assert_eq(xtr_node_cache_add(a->n, &by_hand, &drop, w->now), 0);
	fw_inject(a, "192.0.2.77", 4342, buf, fw_make_register(buf, sizeof(buf), &r, &rec, 1));
	cr_assert_null(fw_dp_match(a, "10.2.8.5"));
	cr_assert_not_null(fw_dp_match(a, "10.2.8.129"), "that of the operator stays");
	cr_assert_eq(fw_dp_match(a, "10.9.9.9")->fwd.action, XTR_ACT_NATIVE, "others, too");
	fw_until(w, w->now + 1100);
	fw_miss(a, "10.2.8.5", "10.1.0.3");
	cr_assert_eq(fw_dp_get(a, "10.2.8.0/24")->fwd.action, XTR_ACT_ENCAP);
}

Test(all_in_one, without_proxy_the_request_goes_out_to_the_etr)
{
	const struct fw_rec rec = FW_REC("10.2.7.0/24", 60, "192.0.2.77");
	const struct fw_reg r = { .nonce = 9 };
	uint8_t buf[512];

	fw_until(w, 0);
	fw_inject(a, "192.0.2.77", 4342, buf, fw_make_register(buf, sizeof(buf), &r, &rec, 1));
	fw_miss(a, "10.2.7.5", "10.1.0.3");
	cr_assert_eq(fw_sent_count(a, XTR_MSG_MAP_REQUEST), 1);
	cr_assert_eq(w->packets[0].dst.a[3], 77);
}

Test(all_in_one, lig_to_itself)
{
	struct xtr_eid_prefix e = fw_eid("10.1.0.5");

	fw_until(w, 0);
	cr_assert_eq(xtr_node_lig(a->n, &e, NULL, on_lig, NULL, w->now), 0);
	cr_assert_eq(lig.count, 0, "not before it returned");
	fw_tick(a);
	cr_assert_eq(lig.count, 1);
	cr_assert_str_eq(lig_from, "192.0.2.1");
	cr_assert_eq(w->packet_count, 0);
}

Test(all_in_one, others_ask_it_and_its_own_etr_answers)
{
	const struct fw_req q = { .nonce = 5, .eid = "10.1.0.9", .itr_rloc = "192.0.2.50" };
	struct xtr_map_reply m;
	struct xtr_record rec;
	uint8_t buf[512];

	fw_until(w, 0);
	fw_inject(a, "192.0.2.50", 4342, buf, fw_make_request(buf, sizeof(buf), &q));
	cr_assert_eq(fw_sent_count(a, XTR_MSG_MAP_REPLY), 1);
	cr_assert_eq(xtr_map_reply_decode(fw_sent(a, 2, 0)->buf, fw_sent(a, 2, 0)->len, &m), 0);
	xtr_record_next(&m.records, &rec);
	cr_assert(rec.authoritative);
}

Test(all_in_one, a_longer_registration_of_another_wins_over_our_own_database)
{
	const struct fw_rec rec = FW_REC("10.1.0.128/25", 60, "192.0.2.77");
	const struct fw_reg r = { .nonce = 9, .flags = XTR_REG_P };
	const struct fw_req q = { .nonce = 5, .eid = "10.1.0.200", .itr_rloc = "192.0.2.50" };
	struct xtr_map_reply m;
	struct xtr_record got;
	uint8_t buf[512];

	conf.prefixes[0][0].accept_more_specifics = true;
	fw_reconfigure(a, &conf);
	fw_until(w, 0);
	fw_inject(a, "192.0.2.77", 4342, buf, fw_make_register(buf, sizeof(buf), &r, &rec, 1));
	fw_inject(a, "192.0.2.50", 4342, buf, fw_make_request(buf, sizeof(buf), &q));
	cr_assert_eq(xtr_map_reply_decode(fw_sent(a, 2, 0)->buf, fw_sent(a, 2, 0)->len, &m), 0);
	xtr_record_next(&m.records, &got);
	cr_assert_eq(got.mask_len, 25);
	cr_assert(!got.authoritative);
}

Test(all_in_one, two_map_servers_that_name_each_other_do_not_play_for_ever)
{
	/* each has a registration that points at the other one */
	const struct fw_rec to_b = FW_REC("10.2.7.0/24", 60, "192.0.2.2"),
			    to_a = FW_REC("10.2.7.0/24", 60, "192.0.2.1");
	const struct fw_reg r = { .nonce = 9 };
	const struct fw_req q = { .nonce = 5, .eid = "10.2.7.9", .itr_rloc = "192.0.2.50" };
	struct fw_conf c;
	uint8_t buf[512];

	fw_conf_init(&c);
	fw_conf_rloc(&c, "192.0.2.2");
	fw_conf_site(&c, "b", "10.2.0.0/16", true);
	b = fw_start(w, "b", &c);
	fw_until(w, 0);
	fw_inject(a, "192.0.2.77", 4342, buf, fw_make_register(buf, sizeof(buf), &r, &to_b, 1));
	fw_inject(b, "192.0.2.77", 4342, buf, fw_make_register(buf, sizeof(buf), &r, &to_a, 1));
	fw_inject(a, "192.0.2.50", 4342, buf, fw_make_request(buf, sizeof(buf), &q));
	fw_run(w, 100000);
	cr_assert_leq(w->packet_count, 256);
	cr_assert_eq(fw_counter(a, XTR_NODE_DROP_LOOP) + fw_counter(b, XTR_NODE_DROP_LOOP), 1);
}

/* ---- merge between two xTRs of one site (RFC 9301 5.6) */

Test(net, two_xtrs_of_a_site_merge_and_learn_of_each_other)
{
	static const char *const rlocs[] = { "192.0.2.11", "192.0.2.12" };
	struct fw_node *x[2];
	struct fw_dp *d;
	struct fw_conf c;

	fw_stop(b);
	for (unsigned i = 0; i < 2; i++) {
		mapping_system_site(&c, rlocs[i], "10.2.0.0/24");
		c.servers[0].merge = c.servers[0].proxy_reply = true;
		c.c.has_ids = true;
		c.c.xtr_id[0] = (uint8_t)(i + 1);
		x[i] = fw_start(w, rlocs[i], &c);
		fw_until(w, 1000 * (i + 1));
	}
	cr_assert_eq(fw_sent_count(x[0], XTR_MSG_MAP_NOTIFY_ACK), 1,
		     "the change was told and acknowledged");
	fw_until(w, 10000);
	cr_assert_eq(fw_sent_count(x[0], XTR_MSG_MAP_NOTIFY_ACK), 1, "and not repeated");
	fw_until(w, 200000); /* b's old registration is gone */
	fw_miss(a, "10.2.0.5", NULL);
	fw_run(w, 1000);
	d = fw_dp_get(a, "10.2.0.0/24");
	cr_assert_not_null(d);
	cr_assert_eq(d->fwd.n, 2);
	fw_kill(x[1]);
	fw_run(w, 180000);
	xtr_node_cache_clear(a->n, NULL, UINT32_MAX, w->now);
	fw_miss(a, "10.2.0.5", NULL);
	fw_run(w, 2000);
	cr_assert_eq(fw_dp_get(a, "10.2.0.0/24")->fwd.n, 1);
}

/* ---- SMR (RFC 9301 6.1) */

Test(net, RFC9301_6_1_a_changed_mapping_reaches_the_peers_before_its_ttl_ends)
{
	struct xtr_map_request m;
	struct fw_packet *p = NULL;

	fw_until(w, 1000);
	fw_miss(a, "10.2.0.5", "10.1.0.3");
	fw_miss(b, "10.1.0.3", "10.2.0.5");
	fw_until(w, 20000);
	fw_use(a, "10.2.0.5");
	fw_use(b, "10.1.0.3");
	cr_assert_eq(fw_dp_get(a, "10.2.0.0/24")->fwd.locators[0].weight, 100);
	conf_b.locs[0][0].weight = 33;
	fw_reconfigure(b, &conf_b);
	fw_run(w, 100);
	cr_assert_eq(fw_counter(b, XTR_NODE_TX_SMR), 1);
	for (unsigned i = 0; i < w->packet_count; i++)
		if (w->packets[i].from == b && w->packets[i].sent == 20000 &&
		    fw_type(&w->packets[i]) == XTR_MSG_MAP_REQUEST)
			p = &w->packets[i];
	cr_assert_not_null(p);
	cr_assert_eq(xtr_map_request_decode(p->buf, p->len, &m), 0, "not encapsulated");
	cr_assert_eq(m.flags, XTR_MREQ_S | XTR_MREQ_D);
	cr_assert_eq(p->dst.a[3], 1);
	cr_assert_eq(fw_dp_get(a, "10.2.0.0/24")->fwd.locators[0].weight, 33,
		     "the peer asked and knows");
	cr_assert_eq(fw_counter(a, XTR_NODE_RX_SMR), 1);
	/* at most one in 3 s to one RLOC */
	conf_b.locs[0][0].weight = 34;
	fw_reconfigure(b, &conf_b);
	fw_until(w, 22999);
	cr_assert_eq(fw_counter(b, XTR_NODE_TX_SMR), 1);
	fw_until(w, 23500);
	cr_assert_eq(fw_counter(b, XTR_NODE_TX_SMR), 2);
	cr_assert_eq(fw_dp_get(a, "10.2.0.0/24")->fwd.locators[0].weight, 34);
	fw_run(w, 100000);
	cr_assert_eq(fw_counter(b, XTR_NODE_TX_SMR), 2, "not repeated");
}

Test(net, RFC9301_6_1_only_sites_that_were_sent_to_within_the_last_minute_are_told)
{
	fw_until(w, 1000);
	fw_miss(b, "10.1.0.3", "10.2.0.5");
	fw_until(w, 2000);
	fw_use(b, "10.1.0.3");
	fw_until(w, 70000);
	conf_b.locs[0][0].weight = 33;
	fw_reconfigure(b, &conf_b);
	fw_run(w, 10000);
	cr_assert_eq(fw_counter(b, XTR_NODE_TX_SMR), 0);
}
