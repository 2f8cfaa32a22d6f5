// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ITR: asking. RFC 9301 5.3, 6.1, 8.1. One ITR alone in the world (192.0.2.1, 2001:db8::1); its
 * Map-Resolvers 192.0.2.8 and 192.0.2.7 exist only as far as a test plays them.
 */
#include "itr_lab.h"

#include "xtr/abi.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void with_two_resolvers(void)
{
	itr_conf();
	fw_conf_resolver(&conf, "192.0.2.7");
	itr_go();
}

static const char *times(void)
{
	static char buf[4096];

	return fw_sent_times(itr, XTR_MSG_MAP_REQUEST, buf, sizeof(buf));
}

static struct xtr_map_request request(unsigned i)
{
	struct fw_packet *p = fw_sent(itr, XTR_MSG_MAP_REQUEST, i);
	struct xtr_map_request m;
	const uint8_t *buf;
	size_t len;

	cr_assert_not_null(p, "Map-Request %u was not sent", i);
	buf = fw_message(p, &len);
	cr_assert_eq(xtr_map_request_decode(buf, len, &m), 0);
	return m;
}

static struct xtr_eid_prefix asked(unsigned i)
{
	struct xtr_map_request m = request(i);
	struct xtr_mreq_record rec;
	struct xtr_rd it = { 0 };
	struct xtr_eid_prefix e;

	cr_assert(xtr_mreq_record_next(&m, &it, &rec));
	cr_assert_eq(xtr_eid_from_addr(&rec.eid, rec.mask_len, &e, NULL), 0);
	return e;
}

static void answer(unsigned i, const struct fw_rec *recs, unsigned n)
{
	uint8_t buf[2048];
	size_t len = fw_make_reply(buf, sizeof(buf), request(i).nonce, recs, n);

	fw_inject(itr, "192.0.2.2", 4342, buf, len);
}

static const struct fw_rec site_b[] = { FW_REC("10.2.0.0/24", 1440, "192.0.2.2") };

TestSuite(itr, .init = itr_up, .fini = world_down);
TestSuite(itr2, .init = with_two_resolvers, .fini = world_down);

/* ---- the request */

Test(itr, MS_12_a_miss_becomes_an_encapsulated_map_request)
{
	struct xtr_map_request m;
	struct xtr_eid_prefix e, want = fw_eid("10.2.0.5");
	struct fw_packet *p;
	struct xtr_ip ip;
	struct xtr_ecm ecm;
	char s[64];

	fw_miss(itr, "10.2.0.5", "10.1.0.3");
	p = fw_sent(itr, XTR_MSG_MAP_REQUEST, 0);
	cr_assert_not_null(p);
	cr_assert_str_eq(xtr_ip_str(&p->dst, s), "192.0.2.8");
	cr_assert_str_eq(xtr_ip_str(&p->src, s), "192.0.2.1");
	cr_assert_eq(p->dport, 4342);
	cr_assert_eq(xtr_ecm_decode(p->buf, p->len, &ecm), 0);
	cr_assert_str_eq(xtr_ip_str(&ecm.inner_src, s), "192.0.2.1");
	cr_assert_str_eq(xtr_ip_str(&ecm.inner_dst, s), "10.2.0.5");
	cr_assert_eq(ecm.inner_sport, 4342);
	cr_assert_eq(ecm.inner_dport, 4342);
	m = request(0);
	cr_assert_eq(m.flags, 0);
	cr_assert_neq(m.nonce, 0);
	cr_assert_eq(m.record_count, 1);
	e = asked(0);
	cr_assert(xtr_eid_equal(&e, &want));
	cr_assert_eq(xtr_eid_from_addr(&m.source_eid, 32, &e, NULL), 0);
	want = fw_eid("10.1.0.3");
	cr_assert(xtr_eid_equal(&e, &want), "source EID");
	cr_assert_eq(m.itr_rloc_count, 2, "all our RLOCs, both families");
	cr_assert(xtr_addr_ip(&m.itr_rlocs[1], &ip));
	cr_assert_str_eq(xtr_ip_str(&ip, s), "2001:db8::1");
}

Test(itr, RFC9301_5_8_inner_addresses_are_of_the_family_of_the_eid)
{
	struct xtr_ecm ecm;
	struct fw_packet *p;
	char s[64];

	fw_miss(itr, "2001:db8:2::5", NULL);
	p = fw_sent(itr, XTR_MSG_MAP_REQUEST, 0);
	cr_assert_eq(xtr_ecm_decode(p->buf, p->len, &ecm), 0);
	cr_assert_str_eq(xtr_ip_str(&ecm.inner_src, s), "2001:db8::1");
	cr_assert_str_eq(xtr_ip_str(&ecm.inner_dst, s), "2001:db8:2::5");
	cr_assert_str_eq(xtr_ip_str(&p->dst, s), "192.0.2.8");
}

Test(itr, an_ipv6_eid_with_ipv4_rlocs_only)
{
	const struct xtr_ip v4 = fw_ip("192.0.2.1");
	struct xtr_ecm ecm;
	char s[64];

	xtr_node_rlocs_up(itr->n, &v4, 1, w->now);
	fw_tick(itr);
	fw_miss(itr, "2001:db8:2::5", "2001:db8:1::5");
	cr_assert_eq(xtr_ecm_decode(fw_sent(itr, 1, 0)->buf, fw_sent(itr, 1, 0)->len, &ecm), 0);
	cr_assert_str_eq(xtr_ip_str(&ecm.inner_src, s), "2001:db8:1::5",
			 "the packet's source stands in");
	fw_miss(itr, "2001:db8:3::5", NULL);
	cr_assert_eq(xtr_ecm_decode(fw_sent(itr, 1, 1)->buf, fw_sent(itr, 1, 1)->len, &ecm), 0);
	cr_assert_str_eq(xtr_ip_str(&ecm.inner_src, s), "192.0.2.1");
	cr_assert_eq(ecm.inner_dst.family, 4);
	cr_assert_eq(request(1).itr_rloc_count, 1);
}

Test(itr, our_own_eids_are_not_asked_for)
{
	fw_miss(itr, "10.1.0.9", NULL);
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 0);
	cr_assert(fw_failed(itr, "10.1.0.9"));
	cr_assert_eq(fw_dp_size(itr), 0);
	fw_miss(itr, "[5]10.1.0.9", NULL); /* another instance is not ours */
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 1);
}

/* ---- repetition */

Test(itr, RFC9301_5_3_ten_tries_with_doubling_delays_then_a_hold_off_of_30_s)
{
	fw_miss(itr, "10.2.0.5", NULL);
	fw_until(w, 190999);
	cr_assert_str_eq(times(), "0 1000 3000 7000 15000 31000 63000 95000 127000 159000");
	cr_assert(!fw_failed(itr, "10.2.0.5"));
	cr_assert_eq(fw_counter(itr, XTR_NODE_REQUEST_TIMEOUT), 0);
	fw_until(w, 191000);
	cr_assert(fw_failed(itr, "10.2.0.5"));
	cr_assert_eq(fw_counter(itr, XTR_NODE_REQUEST_TIMEOUT), 1);
	cr_assert_eq(fw_events(itr, XTR_EVENT_REQUEST_TIMEOUT), 1);
	/* quiet for 30 s, whatever comes */
	itr->failed_count = 0;
	fw_until(w, 220999);
	fw_miss(itr, "10.2.0.5", NULL);
	cr_assert(fw_failed(itr, "10.2.0.5"));
	cr_assert_eq(fw_counter(itr, XTR_NODE_MISS_LIMITED), 1);
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 10);
	fw_until(w, 221000);
	fw_miss(itr, "10.2.0.5", NULL);
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 11);
}

Test(itr, RFC9301_5_2_the_nonce_stays_over_retransmissions_and_changes_with_each_request)
{
	uint64_t first;

	fw_miss(itr, "10.2.0.5", NULL);
	fw_miss(itr, "10.3.0.5", NULL);
	fw_until(w, 3000);
	first = request(0).nonce;
	cr_assert_neq(first, request(1).nonce);
	cr_assert_eq(request(2).nonce == first || request(3).nonce == first, 1);
	cr_assert_eq(request(4).nonce == first || request(5).nonce == first, 1);
}

Test(itr, a_miss_while_a_request_is_out_sends_nothing)
{
	fw_miss(itr, "10.2.0.5", NULL);
	fw_until(w, 500);
	fw_miss(itr, "10.2.0.5", NULL);
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 1);
	cr_assert(!fw_failed(itr, "10.2.0.5"));
}

Test(itr, RFC9301_5_3_one_request_a_second_per_eid_prefix_and_no_miss_is_forgotten)
{
	fw_miss(itr, "10.2.0.5", NULL);
	fw_until(w, 100);
	answer(0, site_b, 1);
	cr_assert_not_null(fw_dp_get(itr, "10.2.0.0/24"));
	/* The cache is cleared, the next packet comes at once. */
	cr_assert_eq(xtr_node_cache_clear(itr->n, NULL, UINT32_MAX, w->now), 1);
	fw_until(w, 200);
	fw_miss(itr, "10.2.0.5", NULL);
	fw_until(w, 999);
	cr_assert_str_eq(times(), "0");
	fw_until(w, 1000);
	cr_assert_str_eq(times(), "0 1000");
	cr_assert_neq(request(0).nonce, request(1).nonce);
	answer(1, site_b, 1);
	cr_assert_not_null(fw_dp_get(itr, "10.2.0.0/24"));
	cr_assert(!fw_failed(itr, "10.2.0.5"));
}

Test(itr, an_answer_for_a_neighbour_ends_the_request_without_another)
{
	fw_miss(itr, "10.2.0.5", NULL);
	fw_miss(itr, "10.2.0.6", NULL);
	answer(0, site_b, 1);
	fw_until(w, 5000);
	cr_assert_str_eq(times(), "0 0");
	cr_assert_eq(fw_counter(itr, XTR_NODE_REQUEST_TIMEOUT), 0);
}

Test(itr, a_miss_that_the_answer_overtook_releases_the_packets)
{
	struct fw_dp *d;

	fw_miss(itr, "10.2.0.5", NULL);
	answer(0, site_b, 1);
	d = fw_dp_get(itr, "10.2.0.0/24");
	cr_assert_eq(d->puts, 1);
	fw_miss(itr, "10.2.0.6", NULL);
	cr_assert_eq(d->puts, 2);
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 1);
}

Test(itr, the_pending_table_is_bounded_and_drops_the_oldest)
{
	char eid[32];

	conf.c.limits.pending_requests = 100;
	conf.c.limits.requests_per_second = 1000000;
	fw_reconfigure(itr, &conf);
	for (unsigned i = 0; i < 150; i++) {
		snprintf(eid, sizeof(eid), "10.9.0.%u", i);
		fw_miss(itr, eid, NULL);
	}
	cr_assert_eq(fw_counter(itr, XTR_NODE_DROP_LIMIT), 50);
	cr_assert(fw_failed(itr, "10.9.0.0"));
	cr_assert(fw_failed(itr, "10.9.0.49"));
	cr_assert(!fw_failed(itr, "10.9.0.50"));
	cr_assert(!fw_failed(itr, "10.9.0.149"));
}

Test(itr, T_6_a_scan_is_held_at_the_global_rate)
{
	char eid[32];

	conf.c.limits.requests_per_second = 20;
	fw_reconfigure(itr, &conf);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(eid, sizeof(eid), "10.9.0.%u", i);
		fw_miss(itr, eid, NULL);
	}
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 20);
	cr_assert_eq(fw_counter(itr, XTR_NODE_MISS_LIMITED), 180);
	cr_assert(fw_failed(itr, "10.9.0.100"), "the packets of what is not asked for are dropped");
	fw_until(w, 999);
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 20);
	fw_until(w, 2500); /* retransmissions come out of the same bucket */
	cr_assert_leq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 20 + 50);
}

Test(itr, no_map_resolver)
{
	conf.c.map_resolver_count = 0;
	fw_reconfigure(itr, &conf);
	fw_miss(itr, "10.2.0.5", NULL);
	cr_assert(fw_failed(itr, "10.2.0.5"));
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 0);
}

static int count_pending(void *arg, const struct xtr_pending_info *p)
{
	++*(unsigned *)arg;
	cr_assert_eq(p->tries, 2);
	cr_assert_eq(p->age_ms, 1500);
	cr_assert_eq(p->next_ms, 1500);
	cr_assert_eq(p->nonce, request(0).nonce);
	return 0;
}

Test(itr, pending_requests_are_shown)
{
	unsigned n = 0;

	fw_miss(itr, "10.2.0.5", NULL);
	fw_until(w, 1500);
	cr_assert_eq(xtr_node_walk_pending(itr->n, w->now, count_pending, &n), 0);
	cr_assert_eq(n, 1);
	answer(0, site_b, 1);
	n = 0;
	xtr_node_walk_pending(itr->n, w->now, count_pending, &n);
	cr_assert_eq(n, 0);
}

/* ---- several resolvers */

static const char *to(unsigned i)
{
	static char s[64];

	return xtr_ip_str(&fw_sent(itr, XTR_MSG_MAP_REQUEST, i)->dst, s);
}

Test(itr2, MS_11_the_next_try_goes_to_the_next_resolver)
{
	fw_miss(itr, "10.2.0.5", NULL);
	fw_until(w, 3000);
	cr_assert_str_eq(times(), "0 1000 3000");
	cr_assert_str_eq(to(0), "192.0.2.8");
	cr_assert_str_eq(to(1), "192.0.2.7");
	cr_assert_str_eq(to(2), "192.0.2.8");
}

Test(itr2, a_silent_resolver_rests_for_30_s)
{
	fw_miss(itr, "10.2.0.5", NULL);
	fw_until(w, 1000); /* .8 was silent */
	answer(1, site_b, 1);
	fw_miss(itr, "10.3.0.5", NULL);
	cr_assert_str_eq(to(2), "192.0.2.7");
	answer(2, (struct fw_rec[]){ FW_REC("10.3.0.0/24", 60, "192.0.2.2") }, 1);
	fw_until(w, 30999);
	fw_miss(itr, "10.4.0.5", NULL);
	cr_assert_str_eq(to(3), "192.0.2.7");
	answer(3, (struct fw_rec[]){ FW_REC("10.4.0.0/24", 60, "192.0.2.2") }, 1);
	fw_until(w, 31000);
	fw_miss(itr, "10.5.0.5", NULL);
	cr_assert_str_eq(to(4), "192.0.2.8");
}

Test(itr2, a_resolver_that_answers_others_does_not_rest)
{
	fw_miss(itr, "10.2.0.5", NULL);
	fw_miss(itr, "10.3.0.5", NULL); /* this one's ETR is dead, say */
	fw_until(w, 500);
	answer(0, site_b, 1);
	fw_until(w, 1000);
	fw_miss(itr, "10.4.0.5", NULL);
	cr_assert_str_eq(to(3), "192.0.2.8");
}

Test(itr2, a_resolver_of_a_family_without_rloc_is_not_used)
{
	const struct xtr_ip v6 = fw_ip("2001:db8::1");

	conf.resolvers[1] = fw_ip("2001:db8::7");
	fw_reconfigure(itr, &conf);
	xtr_node_rlocs_up(itr->n, &v6, 1, w->now);
	fw_miss(itr, "10.2.0.5", NULL);
	fw_until(w, 3000);
	cr_assert_str_eq(to(0), "2001:db8::7");
	cr_assert_str_eq(to(1), "2001:db8::7");
	xtr_node_rlocs_up(itr->n, NULL, 0, w->now);
	fw_until(w, 100000);
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 3, "sent without any RLOC");
}

/* ---- SMR (RFC 9301 6.1) */

static void smr(const char *source, const char *rec)
{
	struct fw_req q = {
		.nonce = 99,
		.flags = XTR_MREQ_S | XTR_MREQ_D,
		.eid = rec,
		.source = source,
		.itr_rloc = "192.0.2.2",
		.plain = true,
	};
	uint8_t buf[512];

	fw_inject(itr, "192.0.2.2", 4342, buf, fw_make_request(buf, sizeof(buf), &q));
}

Test(itr, RFC9301_6_1_an_smr_makes_the_itr_ask_the_mapping_system)
{
	struct xtr_eid_prefix e, want = fw_eid("10.2.0.0/24");
	char s[64];

	fw_miss(itr, "10.2.0.5", NULL);
	answer(0, site_b, 1);
	fw_until(w, 10000);
	smr("10.2.0.0/32", "10.1.0.0/24");
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 2);
	cr_assert_eq(request(1).flags, XTR_MREQ_SMR_INVOKED);
	cr_assert_neq(request(1).nonce, 99);
	cr_assert_str_eq(to(1), "192.0.2.8", "not to the sender");
	e = asked(1);
	cr_assert(xtr_eid_equal(&e, &want));
	cr_assert_str_eq(xtr_ip_str(&fw_dp_get(itr, "10.2.0.0/24")->fwd.locators[0].ip, s),
			 "192.0.2.2");
	/* once per 3 s */
	fw_until(w, 10500);
	answer(1, (struct fw_rec[]){ FW_REC("10.2.0.0/24", 60, "192.0.2.3") }, 1);
	cr_assert_str_eq(xtr_ip_str(&fw_dp_get(itr, "10.2.0.0/24")->fwd.locators[0].ip, s),
			 "192.0.2.3");
	fw_until(w, 12999);
	smr("10.2.0.0/32", "10.1.0.0/24");
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 2);
	fw_until(w, 13000);
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 3, "put off, not forgotten: the answer before may be older");
	cr_assert_eq(request(2).flags, XTR_MREQ_SMR_INVOKED);
	smr("10.2.0.0/32", "10.1.0.0/24");
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 3, "one is on its way");
	cr_assert_eq(fw_counter(itr, XTR_NODE_DROP_RATE), 1);
}

Test(itr, A4_the_record_names_the_eid_when_the_source_eid_is_not_cached)
{
	fw_miss(itr, "10.2.0.5", NULL);
	answer(0, site_b, 1);
	fw_until(w, 10000);
	smr(NULL, "10.2.0.0/24");
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 2);
}

Test(itr, RFC9301_6_1_an_smr_for_what_is_not_cached_does_nothing)
{
	smr("10.2.0.0/32", "10.1.0.0/24");
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 0);
	cr_assert_eq(fw_counter(itr, XTR_NODE_DROP_SMR), 1);
	cr_assert_eq(fw_counter(itr, XTR_NODE_RX_SMR), 1);
}

Test(itr, an_unanswered_smr_request_leaves_the_entry_alone)
{
	fw_miss(itr, "10.2.0.5", NULL);
	answer(0, site_b, 1);
	fw_until(w, 10000);
	smr("10.2.0.0/32", "10.1.0.0/24");
	fw_until(w, 300000);
	cr_assert_not_null(fw_dp_get(itr, "10.2.0.0/24"));
	cr_assert_eq(itr->failed_count, 0);
}

/* ---- send-map-request */

Test(itr, RFC9301_5_4_act_2_asks_again_when_a_packet_hits)
{
	fw_miss(itr, "10.2.0.5", NULL);
	answer(0, (struct fw_rec[]){ FW_NEG("10.2.0.0/24", 1, 2) }, 1);
	cr_assert_eq(fw_dp_get(itr, "10.2.0.0/24")->fwd.action, XTR_ACT_SEND_REQUEST);
	fw_until(w, 5000);
	for (unsigned i = 0; i < 100; i++)
		fw_miss(itr, "10.2.0.5", NULL);
	cr_assert_str_eq(times(), "0 5000");
	answer(1, (struct fw_rec[]){ FW_NEG("10.2.0.0/24", 1, 2) }, 1);
	for (unsigned i = 0; i < 100; i++)
		fw_miss(itr, "10.2.0.5", NULL);
	fw_until(w, 5999);
	cr_assert_str_eq(times(), "0 5000");
	fw_until(w, 6000);
	cr_assert_str_eq(times(), "0 5000 6000", "one a second");
	answer(2, site_b, 1);
	cr_assert_eq(fw_dp_get(itr, "10.2.0.0/24")->fwd.action, XTR_ACT_ENCAP);
}

/* ---- lig */

static struct xtr_lig_result lig_res;
static struct xtr_record lig_rec;
static unsigned lig_calls;

static void on_lig(void *arg, const struct xtr_lig_result *res)
{
	lig_calls++;
	lig_res = *res;
	if (res->count)
		lig_rec = res->records[0];
}

Test(itr, lig_asks_without_touching_the_cache)
{
	struct xtr_eid_prefix e = fw_eid("10.2.0.5");

	cr_assert_eq(xtr_node_lig(itr->n, &e, NULL, on_lig, NULL, w->now), 0);
	fw_until(w, 250);
	answer(0, site_b, 1);
	cr_assert_eq(lig_calls, 1);
	cr_assert_eq(lig_res.count, 1);
	cr_assert_eq(lig_res.rtt_ms, 250);
	cr_assert_eq(lig_rec.ttl, 1440);
	cr_assert_eq(fw_dp_size(itr), 0);
	answer(0, site_b, 1);
	cr_assert_eq(lig_calls, 1);
	cr_assert_eq(fw_counter(itr, XTR_NODE_DROP_NONCE), 1, "an answer counts once");
}

Test(itr, lig_gives_up_after_four_tries)
{
	struct xtr_eid_prefix e = fw_eid("10.2.0.5");
	struct xtr_ip other = fw_ip("192.0.2.66");

	cr_assert_eq(xtr_node_lig(itr->n, &e, &other, on_lig, NULL, w->now), 0);
	fw_tick(itr);
	fw_until(w, 14999);
	cr_assert_eq(lig_calls, 0);
	cr_assert_str_eq(times(), "0 1000 3000 7000");
	cr_assert_str_eq(to(3), "192.0.2.66");
	fw_until(w, 15000);
	cr_assert_eq(lig_calls, 1);
	cr_assert_null(lig_res.records);
	cr_assert_eq(lig_res.tries, 4);
}

Test(itr, lig_questions_are_bounded_and_end_with_the_node)
{
	struct xtr_eid_prefix e = fw_eid("10.2.0.5");
	unsigned ok = 0;

	for (unsigned i = 0; i < 100; i++)
		ok += !xtr_node_lig(itr->n, &e, NULL, on_lig, NULL, w->now);
	cr_assert_eq(ok, 64);
	fw_stop(itr);
	cr_assert_eq(lig_calls, 64);
	fw_restart(itr);
}

Test(itr, an_smr_for_a_shorter_prefix_is_about_the_entries_in_it)
{
	struct xtr_eid_prefix e, want = fw_eid("10.0.0.0/8");

	fw_miss(itr, "10.2.0.5", NULL);
	answer(0, site_b, 1);
	fw_until(w, 10000);
	smr(NULL, "10.0.0.0/8");
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 2);
	e = asked(1);
	cr_assert(xtr_eid_equal(&e, &want));
	answer(1, (struct fw_rec[]){ FW_REC("10.2.0.0/24", 60, "192.0.2.3") }, 1);
	cr_assert_eq(fw_dp_get(itr, "10.2.0.0/24")->fwd.locators[0].ip.a[3], 3);
}

Test(itr, a_remembered_miss_that_finds_no_token_fails)
{
	conf.c.limits.requests_per_second = 1;
	fw_reconfigure(itr, &conf);
	fw_miss(itr, "10.2.0.5", NULL);
	answer(0, site_b, 1);
	xtr_node_cache_clear(itr->n, NULL, UINT32_MAX, w->now);
	fw_miss(itr, "10.2.0.5", NULL); /* waits for its second to pass */
	fw_until(w, 999);
	conf.c.limits.requests_per_second = 1;
	fw_miss(itr, "10.3.0.5", NULL);
	cr_assert(fw_failed(itr, "10.3.0.5"));
	cr_assert(!fw_failed(itr, "10.2.0.5"));
	fw_until(w, 1000);
	cr_assert_str_eq(times(), "0 1000");
}

Test(itr, lig_says_at_once_when_it_cannot_ask)
{
	struct xtr_eid_prefix e = fw_eid("10.2.0.5");

	xtr_node_rlocs_up(itr->n, NULL, 0, w->now);
	cr_assert_lt(xtr_node_lig(itr->n, &e, NULL, on_lig, NULL, w->now), 0);
	conf.c.map_resolver_count = 0;
	fw_reconfigure(itr, &conf);
	cr_assert_lt(xtr_node_lig(itr->n, &e, NULL, on_lig, NULL, w->now), 0);
	cr_assert_eq(lig_calls, 0);
}

Test(itr, lig_wants_an_answer_about_its_eid)
{
	struct xtr_eid_prefix e = fw_eid("10.2.0.5"), f = fw_eid("10.3.0.5");

	cr_assert_eq(xtr_node_lig(itr->n, &e, NULL, on_lig, NULL, w->now), 0);
	cr_assert_eq(xtr_node_lig(itr->n, &f, NULL, on_lig, NULL, w->now), 0);
	fw_tick(itr);
	answer(1, site_b, 1); /* the answer to the other question */
	cr_assert_eq(lig_calls, 0);
	cr_assert_eq(fw_counter(itr, XTR_NODE_DROP_MISMATCH), 1);
	answer(0, site_b, 1);
	cr_assert_eq(lig_calls, 1);
}
