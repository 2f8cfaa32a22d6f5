// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Decent-Push (RFC 9962 4, draft-farinacci-lisp-decent-10 4): one group, and the failures it has to survive. Names cite
 * the rules D-10 to D-38 and the draft's cases. The overlay, layers: test_roles_push_*.c.
 */
#include "group_lab.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(push, .init = world_up, .fini = world_down);

/* ---- one group over underlay multicast */

Test(push, D_11_D_18_D_19_every_member_has_what_one_registers_the_sender_too)
{
	struct fw_node *n[3];

	start_members(n, 3, false);
	fw_run(w, 3000);
	for (unsigned i = 0; i < 3; i++) {
		cr_expect_str_eq(registered(n[i], "10.1.0.0/16"), "192.0.2.1");
		cr_expect_str_eq(registered(n[i], "10.2.0.0/16"), "192.0.2.2");
		cr_expect_str_eq(registered(n[i], "10.3.0.0/16"), "192.0.2.3");
		cr_expect_str_eq(registered(n[i], "(*," G ")"), "192.0.2.1 192.0.2.2 192.0.2.3");
		cr_expect_eq(fw_counter(n[i], XTR_NODE_DROP_AUTH), 0);
		cr_expect_eq(fw_counter(n[i], XTR_NODE_DROP_PREFIX), 0);
		cr_expect_eq(fw_counter(n[i], XTR_NODE_DROP_NONCE), 0);
		cr_expect_eq(fw_counter(n[i], XTR_NODE_DROP_REPLAY), 0);
		cr_expect(fw_counter(n[i], XTR_NODE_TX_GROUP) > 0);
		cr_expect(fw_counter(n[i], XTR_NODE_RX_GROUP) > 0);
	}
	cr_expect_str_eq(groups(n[0]), G ": 192.0.2.1 self, 192.0.2.2 live+, 192.0.2.3 live+");
}

Test(push, D_28_a_membership_is_a_group_with_one_RLE_level_128)
{
	struct fw_node *n = NULL;
	struct xtr_register m;
	struct xtr_record rec;
	struct xtr_locator l;
	struct xtr_rd it = { 0 }, rle = { 0 };
	struct xtr_rle_entry e;
	struct xtr_eid_prefix eid;
	struct fw_packet *p;
	struct xtr_ip ip;
	bool seen = false;

	n = start_member(1, G, false);
	start_member(2, G, false);
	fw_run(w, 100);
	for (unsigned i = 0; (p = fw_sent(n, XTR_MSG_MAP_REGISTER, i)) && !seen; i++) {
		cr_assert_eq(xtr_register_decode_head(p->buf, p->len, &m), 0);
		cr_assert_eq(xtr_register_decode_body(&m), 0);
		cr_assert(xtr_record_next(&m.records, &rec));
		cr_assert_eq(xtr_eid_from_addr(&rec.eid, rec.mask_len, &eid, NULL), 0);
		seen = eid.group_len;
	}
	cr_assert(seen);
	cr_expect_eq(m.record_count, 1);
	cr_expect(m.flags & XTR_REG_MERGE && m.flags & XTR_REG_P && m.flags & XTR_REG_I);
	cr_expect_eq(rec.locator_count, 1);
	cr_assert(xtr_locator_next(&rec, &it, &l));
	cr_expect(l.priority == 255 && !l.weight && l.mpriority == 1 && l.mweight == 100);
	cr_expect(l.local && l.reachable);
	cr_assert(xtr_lcaf_rle_next(&l.addr, &rle, &e));
	cr_expect_eq(e.level, 128);
	cr_assert(xtr_addr_ip(&e.addr, &ip));
	cr_expect_eq(ip.a[3], 1);
	cr_expect_not(xtr_lcaf_rle_next(&l.addr, &rle, &e));
}

Test(push, D_20_lookups_of_a_member_are_local)
{
	struct fw_node *n[3];
	struct fw_dp *d;
	unsigned before;

	start_members(n, 3, false);
	fw_run(w, 3000);
	before = fw_sent_count(n[0], XTR_MSG_MAP_REQUEST);
	fw_miss(n[0], "10.3.1.1/32", NULL);
	fw_run(w, 50);
	d = fw_dp_match(n[0], "10.3.1.1");
	cr_assert(d);
	cr_expect_eq(d->fwd.n, 1);
	cr_expect_eq(d->fwd.locators[0].ip.a[3], 3);
	cr_expect_eq(fw_sent_count(n[0], XTR_MSG_MAP_REQUEST), before);
	fw_miss(n[0], "10.9.1.1/32", NULL); /* nobody's */
	fw_run(w, 50);
	d = fw_dp_match(n[0], "10.9.1.1");
	cr_assert(d);
	cr_expect_eq(d->fwd.n, 0);
}

Test(push, D_21_any_member_is_the_resolver_of_an_external_router)
{
	struct fw_node *n[3], *x;
	struct fw_conf c;

	start_members(n, 3, false);
	fw_run(w, 3000);
	fw_conf_init(&c);
	fw_conf_rloc(&c, "198.51.100.1");
	fw_conf_resolver(&c, "192.0.2.2");
	x = fw_start(w, "external", &c);
	cr_expect_str_eq(lig(x, "10.3.1.1/32"), "192.0.2.3");
	cr_expect_str_eq(lig(x, "(*," G ")"), "192.0.2.1 192.0.2.2 192.0.2.3");
}

Test(push, D_22_a_request_to_the_group_is_answered_by_each_from_its_own_address)
{
	struct fw_node *n[2];
	struct xtr_msg_meta meta = { .src = fw_ip("198.51.100.1"),
				     .dst = fw_ip(G),
				     .sport = 4342,
				     .dport = 4342 };
	const struct fw_req req = { .nonce = 77,
				    .eid = "10.2.1.1/32",
				    .itr_rloc = "198.51.100.1",
				    .plain = true };
	struct fw_packet *p;
	uint8_t buf[512];
	size_t len;

	start_members(n, 2, false);
	fw_run(w, 3000);
	len = fw_make_request(buf, sizeof(buf), &req);
	xtr_node_input(n[0]->n, &meta, buf, len, w->now);
	fw_tick(n[0]);
	p = fw_sent(n[0], XTR_MSG_MAP_REPLY, fw_sent_count(n[0], XTR_MSG_MAP_REPLY) - 1);
	cr_assert(p);
	cr_expect_eq(p->dst.a[0], 198);
	cr_expect_eq(xtr_ip_cmp(&p->src, &n[0]->ips[0]), 0, "never from a group");
}

Test(push, probes_and_SMRs_to_the_group_are_dropped)
{
	struct fw_node *n[2];
	struct xtr_msg_meta meta = { .src = fw_ip("198.51.100.1"),
				     .dst = fw_ip(G),
				     .sport = 4342,
				     .dport = 4342 };
	struct fw_req req = { .nonce = 77,
			      .eid = "10.1.1.1/32",
			      .source = "10.2.1.1",
			      .itr_rloc = "198.51.100.1",
			      .plain = true };
	unsigned replies;
	uint8_t buf[512];

	start_members(n, 2, false);
	fw_run(w, 10000);
	replies = fw_sent_count(n[0], XTR_MSG_MAP_REPLY);
	for (unsigned i = 0; i < 2; i++) {
		req.flags = i ? XTR_MREQ_P : XTR_MREQ_S;
		xtr_node_input(n[0]->n, &meta, buf, fw_make_request(buf, sizeof(buf), &req),
			       w->now);
		fw_run(w, 5000);
	}
	cr_expect_eq(fw_counter(n[0], XTR_NODE_DROP_GROUP), 2);
	for (unsigned i = replies; i < fw_sent_count(n[0], XTR_MSG_MAP_REPLY); i++)
		cr_expect_neq(fw_sent(n[0], XTR_MSG_MAP_REPLY, i)->dst.a[0], 198);
}

/* A forged source address would make every member send and repeat Map-Notifies to it. */
Test(push, a_request_to_the_group_subscribes_nobody)
{
	static const uint8_t id[16] = { 9 }, site[8];
	const struct xtr_ip from = fw_ip("198.51.100.1");
	const struct xtr_msg_meta meta = {
		.src = from, .dst = fw_ip(G), .sport = 4342, .dport = 4342
	};
	const struct xtr_eid_prefix eid = fw_eid("(*," G ")");
	const struct xtr_mreq_out m = { .flags = XTR_MREQ_I,
					.nonce = 700,
					.itr_rlocs = &from,
					.itr_rloc_count = 1,
					.eid = &eid,
					.subscribe = true,
					.xtr_id = id,
					.site_id = site };
	uint8_t buf[512];
	struct xtr_wr r = xtr_wr_init(buf, sizeof(buf));
	struct fw_node *n[2];

	start_members(n, 2, false);
	fw_run(w, 3000);
	xtr_map_request_encode(&r, &m);
	xtr_node_input(n[0]->n, &meta, buf, xtr_wr_len(&r), w->now);
	fw_tick(n[0]);
	cr_expect_eq(fw_counter(n[0], XTR_NODE_SUBSCRIPTIONS), 0);
}

Test(push, what_comes_to_a_group_that_is_not_ours_is_dropped)
{
	struct fw_node *n;
	struct xtr_msg_meta meta = { .src = fw_ip("192.0.2.9"), .sport = 4342, .dport = 4342 };
	const struct fw_rec rec = FW_REC("10.9.0.0/16", 1440, "192.0.2.9");
	uint8_t id[16] = { 9 }, buf[512], reply[512];
	const struct fw_reg reg = { .nonce = 1, .xtr_id = id };
	size_t len = fw_make_register(buf, sizeof(buf), &reg, &rec, 1);
	size_t reply_len = fw_make_reply(reply, sizeof(reply), 1, &rec, 1);

	n = start_member(1, G, false);
	fw_run(w, 100);
	meta.dst = fw_ip("224.1.1.2");
	xtr_node_input(n->n, &meta, buf, len, w->now);
	cr_expect_eq(fw_counter(n, XTR_NODE_DROP_GROUP), 1);
	meta.overlay = true; /* no group at all */
	meta.dst = fw_ip("192.0.2.1");
	xtr_node_input(n->n, &meta, buf, len, w->now);
	cr_expect_eq(fw_counter(n, XTR_NODE_DROP_GROUP), 2);
	meta.dst = fw_ip(G); /* ours, but what does a Map-Reply want there? */
	xtr_node_input(n->n, &meta, reply, reply_len, w->now);
	cr_expect_eq(fw_counter(n, XTR_NODE_DROP_GROUP), 3);
	cr_expect_str_eq(registered(n, "10.9.0.0/16"), "");
	xtr_node_input(n->n, &meta, buf, len, w->now);
	cr_expect_str_eq(registered(n, "10.9.0.0/16"), "192.0.2.9");
}

Test(push, own_messages_that_come_back_are_no_replays)
{
	struct fw_node *n;
	struct fw_packet *p;
	struct xtr_msg_meta meta = { .dst = fw_ip(G), .sport = 4342, .dport = 4342 };

	n = start_member(1, G, false);
	start_member(2, G, false);
	fw_run(w, 100);
	p = fw_sent(n, XTR_MSG_MAP_REGISTER, 0);
	cr_assert(p && xtr_ip_is_multicast(&p->dst));
	meta.src = p->src;
	xtr_node_input(n->n, &meta, p->buf, p->len, w->now);
	meta.src = fw_ip("203.0.113.7"); /* translated on the way */
	xtr_node_input(n->n, &meta, p->buf, p->len, w->now);
	cr_expect_eq(fw_counter(n, XTR_NODE_DROP_REPLAY), 0);
	cr_expect_eq(fw_events(n, XTR_EVENT_REGISTER_REFUSED), 0);
}

Test(push, D_24_membership_is_looked_up_periodically)
{
	struct fw_node *n[3];
	unsigned before;

	start_members(n, 3, false);
	fw_run(w, 70000);
	before = fw_sent_count(n[0], XTR_MSG_MAP_REQUEST);
	fw_run(w, 600000);
	cr_expect(fw_sent_count(n[0], XTR_MSG_MAP_REQUEST) - before >= 8);
	cr_expect(fw_sent_count(n[0], XTR_MSG_MAP_REQUEST) - before <= 12);
}

/* ---- failure cases */

Test(push, case_1_a_member_that_dies_is_out_within_its_registration_timeout)
{
	struct fw_node *n[3];
	uint64_t died;

	start_members(n, 3, true);
	fw_run(w, 400000);
	cr_assert_str_eq(list(n[0], G), "192.0.2.2 192.0.2.3");
	fw_kill(n[2]);
	died = w->now;
	fw_run(w, 100000);
	cr_expect_str_eq(list(n[0], G), "192.0.2.2 192.0.2.3");
	fw_until(w, died + 181000);
	for (unsigned i = 0; i < 2; i++) {
		cr_expect_str_eq(registered(n[i], "(*," G ")"), "192.0.2.1 192.0.2.2");
		cr_expect_str_eq(registered(n[i], "10.3.0.0/16"), "");
		cr_expect_str_eq(list(n[i], G), i ? "192.0.2.1" : "192.0.2.2");
	}
	cr_expect_str_eq(groups(n[0]), G ": 192.0.2.1 self, 192.0.2.2 live+, 192.0.2.3 former");
	fw_run(w, 120000); /* and no answer of another brings it back */
	cr_expect_str_eq(list(n[0], G), "192.0.2.2");
}

static void split_heals(bool overlay)
{
	struct fw_node *n[4];

	start_members(n, 4, overlay);
	fw_run(w, 400000);
	w->split = true;
	fw_run(w, 300000);
	cr_expect_str_eq(registered(n[0], "(*," G ")"), "192.0.2.1 192.0.2.3");
	cr_expect_str_eq(registered(n[1], "(*," G ")"), "192.0.2.2 192.0.2.4");
	cr_expect_str_eq(registered(n[0], "10.3.0.0/16"), "192.0.2.3");
	cr_expect_str_eq(registered(n[0], "10.2.0.0/16"), "");
	w->split = false;
	fw_run(w, 62000);
	for (unsigned i = 0; i < 4; i++) {
		cr_expect_str_eq(registered(n[i], "(*," G ")"),
				 "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4");
		for (unsigned e = 1; e <= 4; e++) {
			char eid[32], rloc[32];

			snprintf(eid, sizeof(eid), "10.%u.0.0/16", e);
			snprintf(rloc, sizeof(rloc), "192.0.2.%u", e);
			cr_expect_str_eq(registered(n[i], eid), rloc, "%u: %s", i + 1, eid);
		}
	}
}

Test(push, case_2_a_split_keeps_both_halves_and_heals_underlay)
{
	split_heals(false);
}

Test(push, case_2_a_split_keeps_both_halves_and_heals_overlay)
{
	split_heals(true);
}

static void new_member(bool overlay)
{
	struct fw_node *n[4];

	start_members(n, 3, overlay);
	fw_run(w, 400000); /* in the steady state: a Map-Register a minute */
	n[3] = start_member(4, G, overlay);
	fw_run(w, 2000);
	for (unsigned e = 1; e <= 4; e++) {
		char eid[32], rloc[32];

		snprintf(eid, sizeof(eid), "10.%u.0.0/16", e);
		snprintf(rloc, sizeof(rloc), "192.0.2.%u", e);
		cr_expect_str_eq(registered(n[3], eid), rloc, "new member: %s", eid);
	}
	for (unsigned i = 0; i < 3; i++)
		cr_expect_str_eq(registered(n[i], "10.4.0.0/16"), "192.0.2.4");
	cr_expect_str_eq(registered(n[3], "(*," G ")"), "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4");
}

Test(push, case_3_a_new_member_has_everything_within_2_seconds_underlay)
{
	new_member(false);
}

Test(push, case_3_a_new_member_has_everything_within_2_seconds_overlay)
{
	new_member(true);
}

Test(push, case_4_a_second_copy_of_a_register_is_dropped_by_its_nonce)
{
	struct fw_node *n[2];
	struct fw_packet *p = NULL;
	struct xtr_msg_meta meta = { .dst = fw_ip(G), .sport = 4342, .dport = 4342 };

	start_members(n, 2, false);
	fw_run(w, 100);
	for (unsigned i = 0; !p; i++) {
		p = fw_sent(n[0], XTR_MSG_MAP_REGISTER, i);
		p = p->to ? p : NULL;
	}
	meta.src = p->src;
	xtr_node_input(n[1]->n, &meta, p->buf, p->len, w->now);
	cr_expect_eq(fw_counter(n[1], XTR_NODE_DROP_REPLAY), 1);
}

static bool lose_notify_of_3(struct fw *fw, const struct fw_packet *p)
{
	return fw_type(p) == XTR_MSG_MAP_NOTIFY && p->src.a[3] == 3;
}

Test(push, case_5_each_member_confirms_a_silent_one_is_asked_by_unicast)
{
	struct fw_node *n[3];
	unsigned unicast = 0, late = 0;

	w->lose = lose_notify_of_3;
	start_members(n, 3, false);
	fw_run(w, 30000);
	for (unsigned i = 0; i < w->packet_count; i++) {
		const struct fw_packet *p = &w->packets[i];

		if (p->from != n[0] || p->to || fw_type(p) != XTR_MSG_MAP_REGISTER)
			continue;
		unicast += p->dst.a[3] == 3;
		late += p->dst.a[3] == 2 && p->sent > 3000;
	}
	cr_expect(unicast >= 8, "%u", unicast);
	cr_expect_eq(late, 0, "who confirmed is left alone");
	cr_expect_eq(fw_events(n[0], XTR_EVENT_REGISTER_LOST), 0, "not before the last try");
	cr_expect_str_eq(groups(n[0]), G ": 192.0.2.1 self, 192.0.2.2 live+, 192.0.2.3 live");
	fw_run(w, 120000);
	cr_expect(fw_events(n[0], XTR_EVENT_REGISTER_LOST) > 0);
	w->lose = NULL;
	fw_run(w, 700000);
	cr_expect_str_eq(groups(n[0]), G ": 192.0.2.1 self, 192.0.2.2 live+, 192.0.2.3 live+");
}

Test(push, case_5_a_member_that_leaves_is_waited_for_no_more)
{
	struct fw_node *n[3];
	uint64_t gone;

	start_members(n, 3, false);
	fw_run(w, 400000);
	fw_kill(n[2]);
	fw_run(w, 200000);
	gone = w->now;
	fw_run(w, 700000);
	for (unsigned i = 0; i < w->packet_count; i++) {
		const struct fw_packet *p = &w->packets[i];
		struct xtr_eid_prefix eid;
		struct xtr_register m;

		if (p->sent < gone || p->to || p->dst.a[3] != 3 ||
		    fw_type(p) != XTR_MSG_MAP_REGISTER)
			continue;
		/* Only our membership still tries to reach it. */
		cr_assert_eq(xtr_register_decode_head(p->buf, p->len, &m), 0);
		cr_assert_eq(xtr_register_peek_eid(&m, &eid), 0);
		cr_expect(eid.group_len);
	}
}

Test(push, D_26_case_6_another_key_is_seen_on_both_sides)
{
	static const struct xtr_key other = { .key_id = 1,
					      .alg_id = XTR_AUTH_SHA256,
					      .secret = (const uint8_t *)"another",
					      .secret_len = 7 };
	struct fw_node *n[2];
	struct fw_conf c;

	n[0] = start_member(1, G, false);
	conf_member(&c, 2, G, false);
	c.groups[0].server.key = other;
	c.keys[0][0] = c.keys[1][0] = other;
	n[1] = fw_start(w, "other key", &c);
	fw_run(w, 5000);
	cr_expect(fw_counter(n[0], XTR_NODE_DROP_AUTH) > 0);
	cr_expect(fw_events(n[0], XTR_EVENT_REGISTER_REFUSED) > 0);
	cr_expect_eq(fw_events(n[0], XTR_EVENT_KEY_DIFFERS), 1, "once for the log, not for each");
	cr_expect(strstr(group_problem(n[0]), "192.0.2.2 are refused"), "%s", group_problem(n[0]));
	cr_expect(strstr(group_problem(n[1]), "192.0.2.1 are refused"), "%s", group_problem(n[1]));
	cr_expect_str_eq(registered(n[0], "10.2.0.0/16"), "");
	/* That member answers lookups negatively for a minute, the others positively. */
	cr_expect_str_eq(lig(n[1], "10.1.0.1/32"), "");
	cr_expect_str_eq(lig(n[0], "10.1.0.1/32"), "192.0.2.1");
}

Test(push, D_10_a_group_over_IPv6)
{
	struct fw_node *n[2];

	for (unsigned i = 0; i < 2; i++) {
		struct fw_conf c;
		char rloc[32], eid[32];

		snprintf(rloc, sizeof(rloc), "2001:db8::%u", i + 1);
		snprintf(eid, sizeof(eid), "10.%u.0.0/16", i + 1);
		fw_conf_init(&c);
		fw_conf_rloc(&c, rloc);
		fw_conf_mapping(&c, eid, rloc);
		fw_conf_site(&c, "all", "10.0.0.0/8", true);
		fw_conf_group(&c, "ff05::1:1", false);
		c.c.itr = c.c.mr = c.c.has_ids = true;
		c.c.xtr_id[15] = (uint8_t)i;
		n[i] = fw_start(w, "v6", &c);
	}
	fw_run(w, 3000);
	cr_expect_str_eq(registered(n[0], "(*,ff05::1:1)"), "2001:db8::1 2001:db8::2");
	cr_expect_str_eq(registered(n[1], "10.1.0.0/16"), "2001:db8::1");
}

static bool lose_some(struct fw *fw, const struct fw_packet *p)
{
	fw->seed = fw->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (fw->seed >> 33) % 100 < 20;
}

Test(push, a_fifth_of_all_packets_lost)
{
	struct fw_node *n[5];

	w->lose = lose_some;
	start_members(n, 5, true);
	fw_run(w, 60000);
	for (unsigned i = 0; i < 5; i++)
		for (unsigned e = 1; e <= 5; e++) {
			char eid[32], rloc[32];

			snprintf(eid, sizeof(eid), "10.%u.0.0/16", e);
			snprintf(rloc, sizeof(rloc), "192.0.2.%u", e);
			cr_expect_str_eq(registered(n[i], eid), rloc);
		}
}

/* ---- variants */

Test(push, an_RLOC_that_comes_up_late_is_registered_at_once)
{
	struct fw_node *n[2];
	struct xtr_ip ip = fw_ip("192.0.2.2");

	n[0] = start_member(1, G, true);
	n[1] = start_member(2, G, true);
	xtr_node_rlocs_up(n[1]->n, NULL, 0, w->now);
	fw_tick(n[1]);
	fw_run(w, 100000);
	cr_expect_str_eq(groups(n[0]), G ": 192.0.2.1 self");
	cr_expect_str_eq(group_problem(n[1]), "no RLOC is up");
	xtr_node_rlocs_up(n[1]->n, &ip, 1, w->now);
	fw_tick(n[1]);
	fw_run(w, 2000);
	cr_expect_str_eq(registered(n[0], "10.2.0.0/16"), "192.0.2.2");
	cr_expect_str_eq(registered(n[1], "10.1.0.0/16"), "192.0.2.1");
}

Test(push, a_second_RLOC_takes_over_in_the_list_never_both)
{
	struct xtr_ip both[2] = { fw_ip("192.0.2.1"), fw_ip("192.0.2.101") };
	struct fw_node *n[2];
	struct fw_conf c;

	conf_member(&c, 1, G, true);
	fw_conf_rloc(&c, "192.0.2.101");
	c.rlocs[1].priority = 2;
	n[0] = fw_start(w, "two RLOCs", &c);
	n[1] = start_member(2, G, true);
	fw_run(w, 5000);
	cr_expect_str_eq(registered(n[1], "(*," G ")"), "192.0.2.1 192.0.2.2");
	xtr_node_rlocs_up(n[0]->n, &both[1], 1, w->now);
	fw_tick(n[0]);
	fw_run(w, 5000);
	cr_expect_str_eq(registered(n[1], "(*," G ")"), "192.0.2.2 192.0.2.101");
	cr_expect_str_eq(list(n[1], G), "192.0.2.101");
	xtr_node_rlocs_up(n[0]->n, both, 2, w->now);
	fw_tick(n[0]);
	fw_run(w, 5000);
	cr_expect_str_eq(registered(n[1], "(*," G ")"), "192.0.2.1 192.0.2.2");
}

Test(push, D_24_the_steady_state_is_quiet)
{
	struct fw_node *n[5];
	unsigned before, per_minute;

	start_members(n, 5, true);
	fw_run(w, 700000);
	before = w->packet_count;
	fw_run(w, 600000);
	per_minute = (w->packet_count - before) / 10 / 5;
	/* A member and minute: membership and EIDs to four others, one of ten confirmed; a lookup
	 * and its answer. */
	cr_expect(per_minute <= 12, "%u", per_minute);
	cr_expect(per_minute >= 8, "%u", per_minute);
}
