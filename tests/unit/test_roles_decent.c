// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * LISP-Decent, rules of the system as a whole (RFC 9962, draft-farinacci-lisp-decent-10 3, 4, 5): what it takes over from
 * the ordinary control plane, how seed-groups form, and what the data plane is asked for. Names cite the rules; above
 * each test stands what breaks it. Keys, the core and its layers: test_roles_decent_core.c.
 */
#include "codec/auth.h"
#include "fake_dns.h"
#include "group_lab.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(decent_roles, .init = world_up, .fini = world_down);

/* ---- the ordinary control plane under it */

/* Breaks if members want anything of LISP-Decent from who registers or asks by unicast. */
Test(decent_roles, D_3_a_classic_router_registers_and_asks_at_a_member)
{
	struct fw_node *n[2], *x;
	struct fw_conf c;
	struct fw_dp *d;

	start_members(n, 2, false);
	fw_run(w, 3000);
	fw_conf_init(&c);
	fw_conf_rloc(&c, "198.51.100.1");
	fw_conf_mapping(&c, "10.50.0.0/16", "198.51.100.1");
	fw_conf_server(&c, "192.0.2.1")->proxy_reply = true;
	fw_conf_resolver(&c, "192.0.2.1");
	c.c.itr = true;
	x = fw_start(w, "classic", &c);
	fw_run(w, 1000);
	cr_expect_str_eq(registered(n[0], "10.50.0.0/16"), "198.51.100.1");
	cr_expect_str_eq(registered(n[1], "10.50.0.0/16"), "", "it went to one member only");
	cr_expect(fw_counter(x, XTR_NODE_RX_MAP_NOTIFY) > 0);
	cr_expect_eq(fw_counter(x, XTR_NODE_DROP_AUTH), 0);
	fw_miss(x, "10.2.1.1/32", NULL);
	fw_run(w, 100);
	d = fw_dp_match(x, "10.2.1.1");
	cr_assert(d);
	cr_expect_eq(d->fwd.n, 1);
	cr_expect_eq(d->fwd.locators[0].ip.a[3], 2);
}

/* Breaks if a Map-Register that came to the group is checked less than one that came by unicast:
 * each of the refused ones is there in the end. */
Test(decent_roles, D_3_a_group_is_no_way_around_authentication)
{
	const struct xtr_key none = { .key_id = 1, .alg_id = XTR_AUTH_NONE };
	struct xtr_key wrong = fw_key, weak = fw_key, unknown = fw_key;
	struct fw_node *n[2];

	wrong.secret = (const uint8_t *)"guess";
	wrong.secret_len = 5;
	weak.alg_id = XTR_AUTH_SHA1;
	unknown.key_id = 9;
	start_members(n, 2, false);
	fw_run(w, 3000);
	offer(n[0], G, "10.90.0.0/16", &wrong);
	offer(n[0], G, "10.90.0.0/16", &unknown);
	cr_expect_eq(fw_counter(n[0], XTR_NODE_DROP_AUTH), 2);
	offer(n[0], G, "10.90.0.0/16", &weak);
	cr_expect_eq(fw_counter(n[0], XTR_NODE_DROP_ALGORITHM), 1);
	offer(n[0], G, "(*," G ")", &none);
	cr_expect_eq(fw_counter(n[0], XTR_NODE_DROP_ALGORITHM), 2);
	offer(n[0], G, "172.16.0.0/16", &fw_key);
	cr_expect_eq(fw_counter(n[0], XTR_NODE_DROP_NO_SITE), 1);
	cr_expect_str_eq(registered(n[0], "10.90.0.0/16"), "");
	cr_expect_str_eq(registered(n[0], "(*," G ")"), "192.0.2.1 192.0.2.2");
	offer(n[0], G, "10.90.0.0/16", &fw_key);
	cr_expect_str_eq(registered(n[0], "10.90.0.0/16"), "192.0.2.99");
}

/* Breaks if a request that wants LISP-SEC (RFC 9303) gets an answer without it: whoever asked would
 * have to take that for an attack. */
Test(decent_roles, D_3_who_wants_LISP_SEC_gets_no_answer_without_it)
{
	const struct fw_req req = { .nonce = 5, .eid = "10.2.1.1/32", .itr_rloc = "198.51.100.1" };
	static const uint8_t ad[8] = { 2 }; /* authentication data: type 2, key 0, no octets */
	struct fw_node *n[2];
	uint8_t buf[600];
	size_t len;

	start_members(n, 2, false);
	fw_run(w, 3000);
	len = fw_make_request(buf, sizeof(buf) - sizeof(ad), &req);
	memmove(buf + 4 + sizeof(ad), buf + 4, len - 4);
	memcpy(buf + 4, ad, sizeof(ad));
	buf[0] |= 0x08; /* S */
	fw_inject(n[0], "198.51.100.1", 4342, buf, len + sizeof(ad));
	cr_expect_eq(fw_counter(n[0], XTR_NODE_DROP_SECURITY), 1);
	cr_expect_eq(fw_sent_count(n[0], XTR_MSG_MAP_REPLY), 0);
	len = fw_make_request(buf, sizeof(buf), &req);
	fw_inject(n[0], "198.51.100.1", 4342, buf, len);
	cr_expect_eq(fw_sent_count(n[0], XTR_MSG_MAP_REPLY), 1);
}

/* Only messages of RFC 9301, and none that a mapping transport would send: no Map-Referral, nothing
 * passed from one Map-Resolver to another. */
static void no_transport(struct fw_node **n, unsigned count)
{
	for (unsigned i = 0; i < w->packet_count; i++) {
		int type = fw_type(&w->packets[i]);

		cr_assert(type == XTR_MSG_MAP_REQUEST || type == XTR_MSG_MAP_REPLY ||
				  type == XTR_MSG_MAP_REGISTER || type == XTR_MSG_MAP_NOTIFY ||
				  type == XTR_MSG_MAP_NOTIFY_ACK,
			  "type %d", type);
	}
	for (unsigned i = 0; i < count; i++)
		cr_expect_eq(fw_counter(n[i], XTR_NODE_TX_FORWARDED), 0);
}

/* Breaks if a member asks or tells others about the questions it gets. */
Test(decent_roles, D_4_push_needs_no_mapping_transport)
{
	struct fw_node *n[4], *x;
	struct fw_conf c;

	start_members(n, 3, false);
	fw_run(w, 3000);
	fw_conf_init(&c);
	fw_conf_rloc(&c, "198.51.100.1");
	fw_conf_resolver(&c, "192.0.2.1");
	x = fw_start(w, "external", &c);
	n[3] = x;
	cr_expect_str_eq(lig(x, "10.3.1.1/32"), "192.0.2.3");
	cr_expect_str_eq(lig(x, "10.9.1.1/32"), "");
	for (unsigned i = 0; i < 3; i++)
		fw_miss(n[i], "10.9.1.1/32", NULL); /* nobody's */
	fw_run(w, 200000);
	no_transport(n, 4);
	for (unsigned i = 0; i < w->packet_count; i++)
		if (w->packets[i].from != x && fw_type(&w->packets[i]) == XTR_MSG_MAP_REQUEST)
			cr_expect(asked_eid(&w->packets[i]).group_len, "of memberships only");
}

/* Breaks if a question goes through a Map-Resolver although its set is known, or a set asks the
 * next one. */
Test(decent_roles, D_4_pull_needs_no_mapping_transport)
{
	struct fw_node *n[3];
	struct fw_dp *d;

	fw_dns(w, "0.ms.example", "192.0.2.1");
	fw_dns(w, "1.ms.example", "192.0.2.2");
	fw_dns(w, "2.ms.example", "192.0.2.3");
	fw_dns(w, "3.ms.example", "192.0.2.1 192.0.2.3");
	for (unsigned i = 0; i < 3; i++) {
		struct fw_conf c;

		conf_router(&c, i + 1);
		fw_conf_pull(&c, 4);
		fw_conf_lookup(&c, "10.0.0.0/8", 16);
		n[i] = fw_start(w, "by name", &c);
	}
	fw_run(w, 3000);
	for (unsigned i = 0; i < 3; i++)
		for (unsigned j = 1; j <= 4; j++) {
			char eid[32];

			snprintf(eid, sizeof(eid), "10.%u.1.1", j);
			if (j == i + 1)
				continue;
			fw_miss(n[i], eid, NULL);
			fw_run(w, 4000);
			d = fw_dp_match(n[i], eid);
			cr_assert(d, "%u: %s", i + 1, eid);
			cr_expect_eq(d->fwd.n, j <= 3, "%u: %s", i + 1, eid);
		}
	no_transport(n, 3);
}

/* ---- seed-groups */

/* Breaks if who has not joined takes what comes, or who joined does not. */
Test(decent_roles, D_6_a_seed_group_is_who_joined_the_group)
{
	struct fw_node *n[3], *x;

	start_members(n, 3, false);
	x = start_member(4, "224.1.1.9", false);
	fw_run(w, 3000);
	for (unsigned i = 0; i < 3; i++) {
		cr_expect_str_eq(registered(n[i], "10.2.0.0/16"), "192.0.2.2");
		cr_expect_str_eq(registered(n[i], "10.4.0.0/16"), "");
		cr_expect_str_eq(registered(n[i], "(*," G ")"), "192.0.2.1 192.0.2.2 192.0.2.3");
	}
	cr_expect_str_eq(registered(x, "10.4.0.0/16"), "192.0.2.4");
	cr_expect_str_eq(registered(x, "10.2.0.0/16"), "");
	cr_expect_str_eq(groups(x), "224.1.1.9: 192.0.2.4 self");
	offer(x, G, "10.9.0.0/16", &fw_key); /* a switch that floods */
	cr_expect_str_eq(registered(x, "10.9.0.0/16"), "");
	offer(n[0], G, "10.9.0.0/16", &fw_key);
	cr_expect_str_eq(registered(n[0], "10.9.0.0/16"), "192.0.2.99");
}

/* Breaks if anything but DNS decides who is in the set. */
Test(decent_roles, D_6_or_the_addresses_of_a_name)
{
	struct fw_node *n[3];

	fw_dns(w, "0.ms.example", "192.0.2.1 192.0.2.2");
	for (unsigned i = 0; i < 3; i++) {
		struct fw_conf c;

		conf_router(&c, i + 1);
		fw_conf_pull(&c, 1);
		n[i] = fw_start(w, "by name", &c);
	}
	fw_run(w, 3000);
	for (unsigned i = 0; i < 3; i++) {
		cr_expect_str_eq(registered(n[i], "10.1.0.0/16"), i < 2 ? "192.0.2.1" : "");
		cr_expect_str_eq(registered(n[i], "10.3.0.0/16"), i < 2 ? "192.0.2.3" : "");
	}
	cr_expect_str_eq(lig(n[2], "10.1.0.1/32"), "192.0.2.1");
}

/* Breaks if the transport makes a difference to what members know. */
Test(decent_roles, D_12_both_transports_give_the_same)
{
	for (unsigned overlay = 0; overlay < 2; overlay++) {
		struct fw_node *n[3];
		unsigned wrong_way = 0;

		world_down();
		world_up();
		w->no_multicast = overlay;
		start_members(n, 3, overlay);
		fw_run(w, 3000);
		for (unsigned i = 0; i < 3; i++) {
			cr_expect_str_eq(registered(n[i], "10.1.0.0/16"), "192.0.2.1");
			cr_expect_str_eq(registered(n[i], "10.2.0.0/16"), "192.0.2.2");
			cr_expect_str_eq(registered(n[i], "10.3.0.0/16"), "192.0.2.3");
			cr_expect_str_eq(registered(n[i], "(*," G ")"),
					 "192.0.2.1 192.0.2.2 192.0.2.3");
		}
		for (unsigned i = 0; i < w->packet_count; i++)
			wrong_way += w->packets[i].to && w->packets[i].overlay != overlay;
		cr_expect_eq(wrong_way, 0);
	}
}

/* Breaks if the list of the data plane is not what is registered, or holds ourselves. */
Test(decent_roles, D_16_the_data_plane_has_the_members_as_they_come_and_go)
{
	struct fw_node *n[4];

	start_members(n, 3, true);
	fw_run(w, 3000);
	cr_expect_str_eq(list(n[0], G), "192.0.2.2 192.0.2.3");
	cr_expect_str_eq(list(n[1], G), "192.0.2.1 192.0.2.3");
	n[3] = start_member(4, G, true);
	fw_run(w, 2000);
	for (unsigned i = 0; i < 3; i++)
		cr_expect(strstr(list(n[i], G), "192.0.2.4"), "%s", list(n[i], G));
	cr_expect_str_eq(list(n[3], G), "192.0.2.1 192.0.2.2 192.0.2.3");
	fw_kill(n[2]);
	fw_run(w, 182000);
	cr_expect_str_eq(list(n[0], G), "192.0.2.2 192.0.2.4");
	cr_expect_str_eq(list(n[3], G), "192.0.2.1 192.0.2.2");
}

/* Breaks if what came to the group is kept with other timers than a Map-Server has. */
Test(decent_roles, D_17_registrations_end_at_all_members_as_at_any_map_server)
{
	struct fw_node *n[3];

	start_members(n, 3, false);
	fw_run(w, 400000);
	for (unsigned i = 0; i < 3; i++) {
		cr_expect_str_eq(registered(n[i], "10.3.0.0/16"), "192.0.2.3");
		cr_expect_eq(fw_counter(n[i], XTR_NODE_REGISTRATION_EXPIRED), 0);
	}
	fw_kill(n[2]);
	fw_run(w, 119000); /* what it sent last is at most 60 s old */
	for (unsigned i = 0; i < 2; i++)
		cr_expect_str_eq(registered(n[i], "10.3.0.0/16"), "192.0.2.3");
	fw_run(w, 62000);
	for (unsigned i = 0; i < 2; i++) {
		cr_expect_str_eq(registered(n[i], "10.3.0.0/16"), "");
		cr_expect_str_eq(registered(n[i], "10.1.0.0/16"), "192.0.2.1");
		cr_expect(fw_counter(n[i], XTR_NODE_REGISTRATION_EXPIRED) > 0);
	}
}

/* ---- a Map-Request to the group */

/* Puts the node's last Map-Request, out of its ECM, to the group. */
static void ask_the_group(struct fw_node *x, struct fw_node **n, unsigned count)
{
	struct fw_packet *p = fw_sent(x, XTR_MSG_MAP_REQUEST,
				      fw_sent_count(x, XTR_MSG_MAP_REQUEST) - 1);
	const struct xtr_msg_meta meta = {
		.src = p->src, .dst = fw_ip(G), .sport = 4342, .dport = 4342
	};
	size_t len;
	const uint8_t *msg = fw_message(p, &len);

	for (unsigned i = 0; i < count; i++) {
		xtr_node_input(n[i]->n, &meta, msg, len, w->now);
		fw_tick(n[i]);
	}
}

/* Breaks if a member keeps silent, if the second and third answer count once more or undo the
 * first, or if an answer with a made-up nonce is believed. */
Test(decent_roles, D_22_of_several_replies_the_first_valid_one_counts)
{
	const struct fw_rec forged = FW_REC("10.2.0.0/16", 1440, "203.0.113.66");
	struct fw_node *n[3], *x;
	struct fw_conf c;
	struct fw_dp *d;
	uint8_t buf[512];
	unsigned puts;
	size_t len;

	start_members(n, 3, false);
	fw_run(w, 3000);
	fw_conf_init(&c);
	fw_conf_rloc(&c, "198.51.100.1");
	fw_conf_resolver(&c, "192.0.2.250"); /* nobody */
	c.c.itr = true;
	x = fw_start(w, "external", &c);
	fw_miss(x, "10.2.1.1/32", NULL);
	len = fw_make_reply(buf, sizeof(buf), 4711, &forged, 1);
	fw_inject(x, "192.0.2.1", 4342, buf, len);
	cr_expect_eq(fw_counter(x, XTR_NODE_DROP_NONCE), 1);
	cr_expect_not(fw_dp_get(x, "10.2.0.0/16"));
	ask_the_group(x, n, 3);
	fw_run(w, 100);
	for (unsigned i = 0; i < 3; i++)
		cr_expect_eq(fw_sent_count(n[i], XTR_MSG_MAP_REPLY), 1, "member %u", i + 1);
	cr_expect_eq(fw_counter(x, XTR_NODE_RX_MAP_REPLY), 4);
	cr_expect_eq(fw_counter(x, XTR_NODE_DROP_NONCE), 3, "the rest");
	d = fw_dp_match(x, "10.2.1.1");
	cr_assert(d);
	cr_expect_eq(d->fwd.n, 1);
	cr_expect_eq(d->fwd.locators[0].ip.a[3], 2);
	puts = d->puts;
	fw_inject(x, "192.0.2.1", 4342, buf, len);
	fw_run(w, 30000);
	cr_expect_eq(d->puts, puts);
	cr_expect_eq(fw_counter(x, XTR_NODE_REQUEST_TIMEOUT), 0);
}

/* ---- sending to a group */

/* Breaks if the control plane sends copies by itself or to the group address: then it would not
 * matter what list the data plane has. */
Test(decent_roles, D_23_the_data_plane_makes_the_copies)
{
	struct fw_node *n[3];
	unsigned to_2 = 0, to_3 = 0;
	uint64_t at;

	start_members(n, 3, true);
	fw_run(w, 400000);
	at = w->now;
	for (unsigned i = 0; i < 4; i++) /* the data plane loses its second entry */
		if (n[0]->lists[i].n)
			n[0]->lists[i].n = 1;
	fw_run(w, 59000);
	for (unsigned i = 0; i < w->packet_count; i++) {
		const struct fw_packet *p = &w->packets[i];

		if (p->from != n[0] || p->sent < at || fw_type(p) != XTR_MSG_MAP_REGISTER)
			continue;
		cr_expect_not(xtr_ip_is_multicast(&p->dst), "not natively");
		cr_expect(p->overlay && p->group.a[0] == 224, "no unicast Map-Register");
		to_2 += p->dst.a[3] == 2;
		to_3 += p->dst.a[3] == 3;
	}
	cr_expect_eq(to_2, 2, "membership and EIDs: %u", to_2);
	cr_expect_eq(to_3, 0);
}

/* Nothing of member 12 reaches member 11. */
static bool lose_12_to_11(struct fw *fw, const struct fw_packet *p)
{
	return p->from->ips[0].a[3] == 12 && p->dst.a[3] == 11;
}

/* Breaks if a publication (RFC 9437) of the core does not change the members, or only because of
 * lookups: there are none in that time. */
static const char *after_a_join(bool subscribe)
{
	struct fw_node *i, *j;
	struct fw_conf c;
	uint64_t at;

	world_down();
	world_up();
	start_core(1, true);
	fw_run(w, 1000);
	conf_layer(&c, 11, L1);
	c.groups[0].subscribe = subscribe;
	c.groups[0].lookup_interval = 300000;
	i = fw_start(w, "layer", &c);
	fw_run(w, 400000); /* the next lookup is not due yet */
	at = w->now;
	w->lose = lose_12_to_11; /* it is not told by the new member itself either */
	conf_layer(&c, 12, L1);
	j = fw_start(w, "layer", &c);
	fw_run(w, 5000);
	for (unsigned k = 0; k < w->packet_count; k++)
		cr_expect(w->packets[k].from != i || w->packets[k].sent < at ||
				  fw_type(&w->packets[k]) != XTR_MSG_MAP_REQUEST,
			  "a lookup");
	cr_expect_str_eq(list(j, L1), "192.0.2.11");
	cr_expect_eq(subscribed(i), subscribe);
	return list(i, L1);
}

Test(decent_roles, D_25_who_subscribed_is_told_of_a_join_without_asking)
{
	cr_expect_str_eq(after_a_join(true), "192.0.2.12");
	cr_expect_str_eq(after_a_join(false), "");
}

/* ---- pull */

/* Breaks if one of the two kinds of records is not used, or any other address is. */
Test(decent_roles, D_41_map_servers_and_resolvers_are_the_A_and_AAAA_records)
{
	const struct xtr_ip a4 = fw_ip("192.0.2.9"), a6 = fw_ip("2001:db8::9");
	unsigned registers[2] = { 0 }, requests[2] = { 0 };
	struct fw_node *n;
	struct fw_conf c;

	fw_conf_init(&c);
	fw_conf_rloc(&c, "192.0.2.1");
	fw_conf_rloc(&c, "2001:db8::1");
	fw_conf_mapping(&c, "10.1.0.0/16", "192.0.2.1");
	fw_conf_pull(&c, 1);
	c.c.itr = true;
	cr_assert(!c.c.map_server_count && !c.c.map_resolver_count);
	fw_dns(w, "0.ms.example", "192.0.2.9 2001:db8::9");
	n = fw_start(w, "n", &c);
	fw_run(w, 1000);
	fw_miss(n, "10.2.0.1", NULL);
	fw_miss(n, "10.3.0.1", NULL);
	fw_run(w, 5000);
	for (unsigned i = 0; i < w->packet_count; i++) {
		const struct fw_packet *p = &w->packets[i];
		bool v6 = !xtr_ip_cmp(&p->dst, &a6);

		cr_expect(v6 || !xtr_ip_cmp(&p->dst, &a4));
		registers[v6] += fw_type(p) == XTR_MSG_MAP_REGISTER;
		requests[v6] += fw_type(p) == XTR_MSG_MAP_REQUEST;
	}
	cr_expect(registers[0] && registers[1], "%u %u", registers[0], registers[1]);
	cr_expect(requests[0] && requests[1], "%u %u", requests[0], requests[1]);
}

/* ---- the overlay's instance */

/* Breaks if the list of the data plane is in another instance than RFC 9962 4 says, or if that
 * instance leaks into the EIDs that are registered. */
Test(decent_roles, R_1_X1_groups_are_replicated_in_instance_ffffff_and_registered_in_none)
{
	struct fw_node *n[2];
	unsigned seen = 0;

	start_members(n, 2, true);
	fw_run(w, 3000);
	cr_assert(fw_list(n[0], G));
	cr_expect_eq(fw_list(n[0], G)->group.iid, 0xffffff);
	for (unsigned i = 0; i < w->packet_count; i++)
		if (fw_type(&w->packets[i]) == XTR_MSG_MAP_REGISTER) {
			cr_expect_eq(registered_eid(&w->packets[i]).iid, 0);
			seen++;
		}
	cr_expect(seen > 0);
}
