// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ETR: answers. RFC 9301 5.4, 5.5, 7.1. One ETR, 192.0.2.1 and 2001:db8::1; requests come from
 * 192.0.2.8 (in an ECM, as from a Map-Server) or directly.
 */
#include "role_lab.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct fw_node *etr;

static void set_up(void)
{
	world_of("192.0.2.1 2001:db8::1");
	conf.c.etr = true;
}

static void go(void)
{
	etr = fw_start(w, "etr", &conf);
	fw_until(w, 0);
}

TestSuite(reply, .init = set_up, .fini = world_down);

static void ask_with(struct fw_req q)
{
	uint8_t buf[1024];

	q.nonce = q.nonce ? q.nonce : 0x1122334455667788;
	q.itr_rloc = q.itr_rloc ? q.itr_rloc : "192.0.2.2";
	fw_inject(etr, "192.0.2.8", q.plain && q.sport ? q.sport : 4342, buf,
		  fw_make_request(buf, sizeof(buf), &q));
}

#define ASK(...) ask_with((struct fw_req){ __VA_ARGS__ })

static struct fw_packet *last(void)
{
	unsigned n = fw_sent_count(etr, XTR_MSG_MAP_REPLY);

	return n ? fw_sent(etr, XTR_MSG_MAP_REPLY, n - 1) : NULL;
}

/* "10.1.0.0/24 1440 A 192.0.2.1/1 L R;" per record */
static const char *text(void)
{
	static char out[8192];
	struct xtr_map_reply m;
	struct xtr_record rec;
	struct xtr_locator l;
	size_t at = 0;

	if (!last())
		return "";
	out[0] = '\0';
	cr_assert_eq(xtr_map_reply_decode(last()->buf, last()->len, &m), 0);
	cr_assert_eq(m.nonce, 0x1122334455667788);
	while (xtr_record_next(&m.records, &rec)) {
		struct xtr_eid_prefix e;
		struct xtr_rd it = { 0 };
		char s[XTR_EID_STRLEN], a[128];

		cr_assert_eq(xtr_eid_from_addr(&rec.eid, rec.mask_len, &e, NULL), 0);
		at += (size_t)snprintf(out + at, sizeof(out) - at, "%s%s %u%s", at ? "; " : "",
				       xtr_eid_str(&e, s) + 3, rec.ttl,
				       rec.authoritative ? " A" : "");
		while (xtr_locator_next(&rec, &it, &l))
			at += (size_t)snprintf(out + at, sizeof(out) - at, " %s/%u%s%s%s",
					       xtr_addr_str(&l.addr, a, sizeof(a)), l.priority,
					       l.local ? "L" : "", l.probed ? "p" : "",
					       l.reachable ? "R" : "");
	}
	return out;
}

Test(reply, MS_34_the_answer_goes_to_the_itr_not_through_the_map_server)
{
	char s[64];

	fw_conf_mapping(&conf, "10.1.0.0/24", "192.0.2.3 192.0.2.1");
	go();
	ASK(.eid = "10.1.0.7", .sport = 61000);
	cr_assert_str_eq(text(), "10.1.0.0/24 1440 A 192.0.2.1/1LR 192.0.2.3/1R");
	cr_assert_str_eq(xtr_ip_str(&last()->dst, s), "192.0.2.2");
	cr_assert_str_eq(xtr_ip_str(&last()->src, s), "192.0.2.1");
	cr_assert_eq(last()->dport, 61000, "the inner source port (RFC 9301 5.8)");
}

Test(reply, RFC9301_5_3_no_match_no_answer)
{
	fw_conf_mapping(&conf, "10.1.0.0/24", "192.0.2.1");
	go();
	ASK(.eid = "10.2.0.7");
	ASK(.eid = "[1]10.1.0.7");
	cr_assert_eq(fw_sent_count(etr, XTR_MSG_MAP_REPLY), 0);
	cr_assert_eq(fw_counter(etr, XTR_NODE_DROP_NOT_OURS), 2);
}

/* The example of RFC 9301 5.5. */
static void overlap(void)
{
	fw_conf_mapping(&conf, "2001:db8::/32", "192.0.2.1");
	fw_conf_mapping(&conf, "2001:db8:1::/48", "192.0.2.1")->ttl_min = 60;
	fw_conf_mapping(&conf, "2001:db8:1:1::/64", "192.0.2.1")->ttl_min = 100;
	fw_conf_mapping(&conf, "2001:db8:1:2::/64", "192.0.2.1");
	go();
}

Test(reply, RFC9301_5_5_longest_match_with_all_more_specifics_and_one_ttl)
{
	overlap();
	ASK(.eid = "2001:db8:1:5::5");
	cr_assert_str_eq(
		text(), "2001:db8:1::/48 60 A 192.0.2.1/1LR; 2001:db8:1:1::/64 60 A 192.0.2.1/1LR; "
			"2001:db8:1:2::/64 60 A 192.0.2.1/1LR");
}

/* As a Map-Server forwards a question about a prefix that was split since. */
Test(reply, RFC9301_5_5_a_prefix_that_is_none_any_more_is_answered_by_what_is_inside)
{
	fw_conf_mapping(&conf, "10.1.0.0/17", "192.0.2.1")->ttl_min = 60;
	fw_conf_mapping(&conf, "10.1.128.0/17", "192.0.2.1");
	fw_conf_mapping(&conf, "10.1.3.0/24", "192.0.2.1");
	fw_conf_mapping(&conf, "10.2.0.0/24", "192.0.2.1");
	go();
	ASK(.eid = "10.1.0.0/16");
	cr_assert_str_eq(text(), "10.1.0.0/17 60 A 192.0.2.1/1LR; 10.1.3.0/24 60 A 192.0.2.1/1LR; "
				 "10.1.128.0/17 60 A 192.0.2.1/1LR");
	ASK(.eid = "10.2.0.0/16");
	cr_assert_str_eq(text(), "10.2.0.0/24 1440 A 192.0.2.1/1LR");
	/* Its first address is somebody else's: this is none of our questions. */
	ASK(.eid = "10.0.0.0/8");
	cr_assert_eq(fw_sent_count(etr, XTR_MSG_MAP_REPLY), 2);
	cr_assert_eq(fw_counter(etr, XTR_NODE_DROP_NOT_OURS), 1);
}

Test(reply, RFC9301_7_1_a_probe_of_a_prefix_that_was_split_is_answered)
{
	fw_conf_mapping(&conf, "10.1.0.0/17", "192.0.2.1");
	go();
	ASK(.eid = "10.1.0.0/16", .flags = XTR_MREQ_P, .plain = true);
	cr_assert_str_eq(text(), "10.1.0.0/17 1440 A 192.0.2.1/1LpR");
}

Test(reply, what_is_inside_and_does_not_fit_is_answered_by_the_part_of_the_first_address)
{
	char eid[32];

	for (unsigned i = 0; i < 256; i++) {
		snprintf(eid, sizeof(eid), "10.1.%u.0/24", i);
		fw_conf_mapping(&conf, eid, "192.0.2.1");
	}
	go();
	ASK(.eid = "10.1.0.0/16");
	cr_assert_str_eq(text(), "10.1.0.0/24 1440 A 192.0.2.1/1LR");
	cr_assert_leq(last()->len, 548);
}

Test(reply, RFC9301_5_5_the_longest_match_alone_when_nothing_is_below)
{
	overlap();
	ASK(.eid = "2001:db8:1:1::1");
	cr_assert_str_eq(text(), "2001:db8:1:1::/64 100 A 192.0.2.1/1LR");
}

Test(reply, what_does_not_fit_is_answered_by_the_hole_around_the_eid)
{
	char eid[32];

	fw_conf_mapping(&conf, "10.0.0.0/8", "192.0.2.1");
	for (unsigned i = 0; i < 100; i++) {
		snprintf(eid, sizeof(eid), "10.1.%u.0/24", i);
		fw_conf_mapping(&conf, eid, "192.0.2.1");
	}
	go();
	ASK(.eid = "10.1.200.7");
	cr_assert_str_eq(text(), "10.1.128.0/17 1440 A 192.0.2.1/1LR");
	ASK(.eid = "10.200.0.7");
	cr_assert_str_eq(text(), "10.128.0.0/9 1440 A 192.0.2.1/1LR",
			 "another part of the match: not held back by the rate limit");
	cr_assert_leq(last()->len, XTR_MSG_SAFE4);
}

Test(reply, RFC9301_5_locators_that_do_not_fit_are_left_out_worst_priority_first)
{
	struct xtr_map_reply m;
	struct xtr_record rec;

	fw_conf_mapping(&conf, "10.1.0.0/24", "");
	for (unsigned i = 0; i < 32; i++) {
		struct xtr_ip ip = fw_ip("2001:db8::100");

		ip.a[15] = (uint8_t)i;
		conf.locs[0][i] = (struct xtr_rloc_config){ ip, (uint8_t)(i == 31 ? 0 : 1), 1, 255,
							    0 };
	}
	conf.mappings[0].rloc_count = 32;
	go();
	ASK(.eid = "10.1.0.7");
	cr_assert_leq(last()->len, XTR_MSG_SAFE4);
	cr_assert_eq(xtr_map_reply_decode(last()->buf, last()->len, &m), 0);
	xtr_record_next(&m.records, &rec);
	cr_assert_eq(rec.locator_count, 21);
	cr_assert_not_null(strstr(text(), "2001:db8::11f/0"), "the best is in: %s", text());
	ASK(.eid = "10.1.0.7", .itr_rloc = "2001:db8::2");
	xtr_map_reply_decode(last()->buf, last()->len, &m);
	xtr_record_next(&m.records, &rec);
	cr_assert_eq(rec.locator_count, 32, "there is more room in IPv6");
}

Test(reply, an_itr_rloc_of_a_family_we_have)
{
	const struct xtr_ip v6 = fw_ip("2001:db8::1");
	char s[64];

	fw_conf_mapping(&conf, "10.1.0.0/24", "192.0.2.1 2001:db8::1");
	go();
	xtr_node_rlocs_up(etr->n, &v6, 1, w->now);
	ASK(.eid = "10.1.0.7", .itr_rloc = "192.0.2.2", .itr_rloc2 = "2001:db8::2");
	cr_assert_str_eq(xtr_ip_str(&last()->dst, s), "2001:db8::2");
	cr_assert_str_eq(xtr_ip_str(&last()->src, s), "2001:db8::1");
	cr_assert_str_eq(text(), "10.1.0.0/24 1440 A 192.0.2.1/1L 2001:db8::1/1LR",
			 "R by what is up");
	ASK(.eid = "10.1.0.7", .itr_rloc = "192.0.2.2");
	cr_assert_eq(fw_sent_count(etr, XTR_MSG_MAP_REPLY), 1);
	cr_assert_eq(fw_counter(etr, XTR_NODE_DROP_NO_RLOC), 1);
}

Test(reply, T_7_impossible_itr_rlocs_get_nothing)
{
	static const char *const bad[] = { "127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0" };

	fw_conf_mapping(&conf, "10.1.0.0/24", "192.0.2.1");
	go();
	for (unsigned i = 0; i < 4; i++)
		ASK(.eid = "10.1.0.7", .itr_rloc = bad[i], .plain = true);
	cr_assert_eq(fw_sent_count(etr, XTR_MSG_MAP_REPLY), 0);
	cr_assert_eq(fw_counter(etr, XTR_NODE_DROP_NO_RLOC), 4);
}

Test(reply, RFC9301_5_4_equal_answers_to_one_rloc_are_three_seconds_apart)
{
	fw_conf_mapping(&conf, "10.1.0.0/24", "192.0.2.1");
	go();
	ASK(.eid = "10.1.0.7");
	fw_until(w, 2999);
	ASK(.eid = "10.1.0.8");
	cr_assert_eq(fw_sent_count(etr, XTR_MSG_MAP_REPLY), 1);
	cr_assert_eq(fw_counter(etr, XTR_NODE_DROP_RATE), 1);
	fw_until(w, 3000);
	ASK(.eid = "10.1.0.8");
	cr_assert_eq(fw_sent_count(etr, XTR_MSG_MAP_REPLY), 2);
}

/* ---- probes (RFC 9301 7.1) */

Test(reply, RFC9301_7_1_a_probe_is_answered_with_P_A_nonce_and_the_probed_locator)
{
	fw_conf_mapping(&conf, "10.1.0.0/24", "192.0.2.1 2001:db8::1");
	go();
	ASK(.eid = "10.1.0.0/24", .flags = XTR_MREQ_P, .plain = true);
	cr_assert_str_eq(text(), "10.1.0.0/24 1440 A 192.0.2.1/1LpR 2001:db8::1/1LR");
	cr_assert_eq(last()->buf[0] & 8, 8);
	/* a probe and a request do not count as the same answer */
	ASK(.eid = "10.1.0.7", .plain = true);
	cr_assert_eq(fw_sent_count(etr, XTR_MSG_MAP_REPLY), 2);
}

/* As an ITR probes that has both families, too: each RLOC every 10 s, all at one time. */
Test(reply, RFC9301_7_1_each_rloc_of_a_router_answers_its_probes)
{
	static const char *const rlocs[] = { "192.0.2.1", "192.0.2.3", "2001:db8::1" };
	const struct fw_req q = { .nonce = 1, .flags = XTR_MREQ_P, .eid = "10.1.0.0/24", .itr_rloc = "192.0.2.2",
				  .itr_rloc2 = "2001:db8::2", .plain = true };
	uint8_t buf[1024];
	size_t len = fw_make_request(buf, sizeof(buf), &q);
	struct xtr_map_reply m;

	fw_conf_rloc(&conf, "192.0.2.3");
	fw_conf_mapping(&conf, "10.1.0.0/24", "192.0.2.1 192.0.2.3 2001:db8::1");
	go();
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 3; i++) {
			const struct xtr_msg_meta meta = { .src = fw_ip(i < 2 ? "192.0.2.2" : "2001:db8::2"),
							   .dst = fw_ip(rlocs[i]), .sport = 4342, .dport = 4342 };

			xtr_node_input(etr->n, &meta, buf, len, w->now);
			cr_assert_eq(fw_sent_count(etr, XTR_MSG_MAP_REPLY), round * 3 + i + 1, "round %u: %s", round,
				     rlocs[i]);
			cr_assert_eq(xtr_map_reply_decode(last()->buf, last()->len, &m), 0);
			cr_assert(m.probe);
			xtr_node_input(etr->n, &meta, buf, len, w->now); /* 3 s for each of them all the same */
			cr_assert_eq(fw_sent_count(etr, XTR_MSG_MAP_REPLY), round * 3 + i + 1);
		}
		fw_run(w, 10000);
	}
	cr_assert_eq(fw_counter(etr, XTR_NODE_DROP_RATE), 9);
}

Test(reply, RFC9301_5_8_a_probe_in_an_ecm_is_dropped)
{
	fw_conf_mapping(&conf, "10.1.0.0/24", "192.0.2.1");
	go();
	ASK(.eid = "10.1.0.0/24", .flags = XTR_MREQ_P);
	cr_assert_eq(fw_sent_count(etr, XTR_MSG_MAP_REPLY), 0);
	cr_assert_eq(fw_counter(etr, XTR_NODE_DROP_PROBE), 1);
}

Test(reply, a_probe_for_foreign_eids_is_dropped)
{
	fw_conf_mapping(&conf, "10.1.0.0/24", "192.0.2.1");
	go();
	ASK(.eid = "10.2.0.0/24", .flags = XTR_MREQ_P, .plain = true);
	cr_assert_eq(fw_counter(etr, XTR_NODE_DROP_NOT_OURS), 1);
}

/* ---- flags */

Test(reply, RFC9301_5_2_D_wants_no_answer)
{
	fw_conf_mapping(&conf, "10.1.0.0/24", "192.0.2.1");
	go();
	ASK(.eid = "10.1.0.7", .flags = XTR_MREQ_D, .plain = true);
	cr_assert_eq(fw_sent_count(etr, XTR_MSG_MAP_REPLY), 0);
}

Test(reply, T_8_a_piggybacked_mapping_is_not_believed)
{
	uint8_t buf[1024];
	struct fw_req q = { .nonce = 0x1122334455667788,
			    .eid = "10.1.0.7",
			    .itr_rloc = "192.0.2.2",
			    .plain = true };
	struct xtr_wr wr;
	const struct xtr_record_head h = { .ttl = 60, .authoritative = true };
	struct xtr_eid_prefix e = fw_eid("10.9.0.0/16");
	struct xtr_ip evil = fw_ip("192.0.2.66");
	size_t len, mark;

	fw_conf_mapping(&conf, "10.1.0.0/24", "192.0.2.1");
	fw_conf_resolver(&conf, "192.0.2.8");
	go();
	len = fw_make_request(buf, sizeof(buf), &q);
	buf[0] |= 4; /* M */
	wr = xtr_wr_init(buf + len, sizeof(buf) - len);
	mark = xtr_put_record_begin(&wr, &h, &e);
	xtr_put_locator(&wr, 1, 1, 255, 0, true, false, true, &evil);
	xtr_put_record_end(&wr, mark, 1);
	fw_inject(etr, "192.0.2.66", 4342, buf, len + xtr_wr_len(&wr));
	cr_assert_eq(fw_sent_count(etr, XTR_MSG_MAP_REPLY), 1, "the question itself is answered");
	cr_assert_eq(fw_dp_size(etr), 0);
}

Test(reply, LISP_SEC_is_not_pretended)
{
	uint8_t buf[1024];
	struct fw_req q = { .nonce = 1, .eid = "10.1.0.7", .itr_rloc = "192.0.2.2" };
	uint8_t sec[1024];
	size_t len;

	fw_conf_mapping(&conf, "10.1.0.0/24", "192.0.2.1");
	go();
	len = fw_make_request(buf, sizeof(buf), &q);
	/* S = 1: 36 octets of authentication data between the ECM word and the inner header (RFC
	 * 9303 6.1) */
	memcpy(sec, buf, 4);
	sec[0] |= 8;
	memset(sec + 4, 0, 36);
	sec[4] = 1;
	sec[9] = 24;
	sec[4 + 8 + 24 + 1] = 4;
	memcpy(sec + 40, buf + 4, len - 4);
	fw_inject(etr, "192.0.2.8", 4342, sec, len + 36);
	cr_assert_eq(fw_counter(etr, XTR_NODE_DROP_SECURITY), 1);
	cr_assert_eq(fw_sent_count(etr, XTR_MSG_MAP_REPLY), 0);
}

Test(reply, several_records_in_one_request)
{
	uint8_t buf[1024];
	struct fw_req q = { .nonce = 0x1122334455667788,
			    .eid = "10.1.0.7",
			    .itr_rloc = "192.0.2.2",
			    .plain = true };
	struct xtr_eid_prefix e = fw_eid("10.2.0.9");
	struct xtr_wr wr;
	size_t len;

	fw_conf_mapping(&conf, "10.1.0.0/24", "192.0.2.1");
	fw_conf_mapping(&conf, "10.2.0.0/24", "192.0.2.3");
	go();
	len = fw_make_request(buf, sizeof(buf), &q);
	buf[3] = 2;
	buf[len] = 0;
	wr = xtr_wr_init(buf + len + 2, sizeof(buf) - len - 2);
	buf[len + 1] = xtr_eid_put(&wr, &e);
	fw_inject(etr, "192.0.2.8", 4342, buf, len + 2 + xtr_wr_len(&wr));
	cr_assert_str_eq(text(),
			 "10.1.0.0/24 1440 A 192.0.2.1/1LR; 10.2.0.0/24 1440 A 192.0.2.3/1R");
}

Test(reply, RFC9301_5_2_a_record_that_is_ours_behind_one_that_is_not)
{
	uint8_t buf[1024];
	struct fw_req q = { .nonce = 0x1122334455667788,
			    .eid = "10.77.0.7",
			    .itr_rloc = "192.0.2.2",
			    .plain = true };
	struct xtr_eid_prefix e = fw_eid("10.2.0.9");
	struct xtr_wr wr;
	size_t len;

	conf.c.timers.reply_interval = 0;
	fw_conf_mapping(&conf, "10.2.0.0/24", "192.0.2.3");
	go();
	for (unsigned probe = 0; probe < 2; probe++) {
		q.flags = probe ? XTR_MREQ_P : 0;
		len = fw_make_request(buf, sizeof(buf), &q);
		buf[3] = 2;
		buf[len] = 0;
		wr = xtr_wr_init(buf + len + 2, sizeof(buf) - len - 2);
		buf[len + 1] = xtr_eid_put(&wr, &e);
		fw_inject(etr, "192.0.2.8", 4342, buf, len + 2 + xtr_wr_len(&wr));
		cr_assert_eq(fw_sent_count(etr, XTR_MSG_MAP_REPLY), probe + 1);
		cr_assert_str_eq(text(), "10.2.0.0/24 1440 A 192.0.2.3/1R");
	}
	cr_assert_eq(fw_counter(etr, XTR_NODE_DROP_NOT_OURS), 1);
}

Test(reply, RFC9301_5_neither_port_4342)
{
	struct xtr_msg_meta meta = { fw_ip("192.0.2.8"), fw_ip("192.0.2.1"), 5000, 5001, false };
	uint8_t buf[1024];
	struct fw_req q = { .nonce = 1, .eid = "10.1.0.7", .itr_rloc = "192.0.2.2" };

	fw_conf_mapping(&conf, "10.1.0.0/24", "192.0.2.1");
	go();
	xtr_node_input(etr->n, &meta, buf, fw_make_request(buf, sizeof(buf), &q), w->now);
	cr_assert_eq(fw_counter(etr, XTR_NODE_DROP_PORT), 1);
	cr_assert_eq(fw_sent_count(etr, XTR_MSG_MAP_REPLY), 0);
}
