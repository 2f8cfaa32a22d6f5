// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Decent-Push over the overlay (draft-farinacci-lisp-decent-10 4): peers, Map-Notify about memberships, and what a router
 * that leaves, or changes the transport, takes out of its data plane.
 */
#include "group_lab.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(push, .init = world_up, .fini = world_down);

Test(push, D_13_D_15_R_1_X1_one_copy_per_member_with_the_group_as_inner_destination)
{
	struct fw_node *n[3];
	unsigned copies = 0;

	start_members(n, 3, true);
	fw_run(w, 400000);
	for (unsigned i = 0; i < w->packet_count; i++) {
		const struct fw_packet *p = &w->packets[i];

		if (p->from != n[0] || p->sent < 340000 || !p->to)
			continue;
		cr_assert(p->overlay);
		cr_expect_eq(p->group.a[0], 224);
		cr_expect(p->dst.a[3] == 2 || p->dst.a[3] == 3);
		copies++;
	}
	cr_expect_eq(copies, 4, "a membership and an EID-prefix, to two members each: %u", copies);
	for (unsigned i = 0; i < 3; i++)
		cr_expect_eq(n[i]->control_count, 2);
}

Test(push, D_38_one_peer_is_enough_to_find_all_others)
{
	struct fw_node *n[5];

	w->no_multicast = true;
	start_members(n, 5, true);
	fw_run(w, 3000);
	for (unsigned i = 0; i < 5; i++) {
		cr_expect_str_eq(registered(n[i], "(*," G ")"),
				 "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5");
		cr_expect_str_eq(registered(n[i], "10.5.0.0/16"), "192.0.2.5");
		cr_expect_str_eq(registered(n[i], "10.2.0.0/16"), "192.0.2.2");
	}
}

Test(push, D_38_the_peer_may_start_last)
{
	struct fw_node *n[3];

	n[1] = start_member(2, G, true);
	n[2] = start_member(3, G, true);
	fw_run(w, 30000);
	cr_expect_str_eq(registered(n[1], "(*," G ")"), "192.0.2.2");
	n[0] = start_member(1, G, true);
	fw_run(w, 62000);
	for (unsigned i = 0; i < 3; i++)
		cr_expect_str_eq(registered(n[i], "(*," G ")"), "192.0.2.1 192.0.2.2 192.0.2.3");
}

Test(push, frames_of_strangers_are_not_let_in)
{
	struct fw_node *n[2];
	struct fw_conf c;

	n[0] = start_member(1, G, true);
	conf_router(&c, 2);
	fw_conf_group(&c, G, true); /* knows nobody and is known to nobody */
	n[1] = fw_start(w, "stranger", &c);
	fw_run(w, 120000);
	cr_expect_str_eq(groups(n[0]), G ": 192.0.2.1 self");
	cr_expect_eq(n[0]->control_count, 0);
}

Test(push, a_restart_of_a_member_is_no_change_for_the_others)
{
	struct fw_node *n[3];

	start_members(n, 3, true);
	fw_run(w, 400000);
	fw_stop(n[1]);
	fw_run(w, 5000);
	fw_restart(n[1]);
	fw_run(w, 3000);
	for (unsigned i = 0; i < 3; i++) {
		cr_expect_str_eq(registered(n[i], "(*," G ")"), "192.0.2.1 192.0.2.2 192.0.2.3");
		cr_expect_str_eq(registered(n[i], "10.2.0.0/16"), "192.0.2.2");
	}
	cr_expect_eq(fw_events(n[0], XTR_EVENT_MEMBER_DEL), 0);
	fw_kill(n[1]); /* without its state */
	fw_run(w, 5000);
	fw_restart(n[1]);
	fw_run(w, 62000);
	for (unsigned i = 0; i < 3; i++)
		cr_expect_str_eq(registered(n[1], "10.3.0.0/16"), "192.0.2.3");
}

/* ---- Map-Notify about memberships */

Test(push, an_unauthenticated_notify_is_believed_only_from_configured_peers)
{
	static const struct xtr_key none = { .alg_id = XTR_AUTH_NONE };
	struct fw_node *n[2];
	struct fw_conf c;
	uint8_t buf[512];
	size_t len = make_notify(buf, sizeof(buf), G, "192.0.2.77", &none, 5);

	n[0] = start_member(1, G, true);
	conf_router(&c, 2);
	fw_conf_group(&c, G, true);
	c.unauthenticated[0][0] = fw_ip("192.0.2.66");
	c.groups[0].unauthenticated_count = 1;
	n[1] = fw_start(w, "believes", &c);
	fw_run(w, 100);
	fw_inject(n[0], "192.0.2.66", 4342, buf, len);
	cr_expect_eq(fw_counter(n[0], XTR_NODE_DROP_AUTH), 1);
	cr_expect_str_eq(list(n[0], G), "");
	fw_inject(n[1], "192.0.2.67", 4342, buf, len);
	cr_expect_eq(fw_counter(n[1], XTR_NODE_DROP_AUTH), 1);
	fw_inject(n[1], "192.0.2.66", 4342, buf, len);
	cr_expect_str_eq(list(n[1], G), "192.0.2.77");
}

Test(push, an_authentic_notify_that_was_not_subscribed_to_only_makes_us_ask)
{
	struct fw_node *n[2];
	uint8_t buf[512];
	uint64_t before;

	start_members(n, 2, true);
	fw_run(w, 400000);
	before = w->now;
	fw_inject(n[0], "192.0.2.2", 4342, buf,
		  make_notify(buf, sizeof(buf), G, "192.0.2.77", &fw_key, 5));
	fw_run(w, 3000);
	cr_expect_str_eq(list(n[0], G), "192.0.2.2");
	cr_expect(fw_sent_since(n[0], XTR_MSG_MAP_REQUEST, before) > 0);
}

/* ---- configuration */

Test(push, leaving_a_group_withdraws_and_clears_the_data_plane)
{
	struct fw_node *n[3];
	struct fw_conf c;

	start_members(n, 3, true);
	fw_run(w, 400000);
	conf_member(&c, 3, "224.1.1.9", true);
	fw_reconfigure(n[2], &c);
	fw_run(w, 5000);
	cr_expect_str_eq(list(n[2], G), "");
	fw_run(w, 182000);
	cr_expect_str_eq(registered(n[0], "(*," G ")"), "192.0.2.1 192.0.2.2");
}

/* A router that is stopped leaves the data plane as it is, one without push does not. */
Test(push, without_push_nothing_of_it_stays_in_the_data_plane)
{
	struct fw_node *n[3];
	struct fw_conf c;

	start_members(n, 3, true);
	fw_run(w, 5000);
	cr_expect_str_eq(list(n[2], G), "192.0.2.1 192.0.2.2");
	cr_expect_eq(n[2]->control_count, 2);
	conf_member(&c, 3, G, true);
	c.c.decent.group_count = 0;
	fw_reconfigure(n[2], &c);
	fw_run(w, 1000);
	cr_expect_str_eq(list(n[2], G), "");
	cr_expect_eq(n[2]->control_count, 0);
}

Test(push, in_the_underlay_nothing_of_the_overlay_stays_in_the_data_plane)
{
	struct fw_node *n[2];
	struct fw_conf c;

	start_members(n, 2, true);
	fw_run(w, 5000);
	cr_expect_eq(n[1]->control_count, 1);
	conf_member(&c, 2, G, false);
	fw_conf_peer(&c, "192.0.2.1");
	fw_reconfigure(n[1], &c);
	fw_run(w, 1000);
	cr_expect_str_eq(list(n[1], G), "");
	cr_expect_eq(n[1]->control_count, 0);
}

Test(push, without_map_notify_a_group_works_as_well)
{
	struct fw_node *n[3];

	for (unsigned i = 0; i < 3; i++) {
		struct fw_conf c;

		conf_member(&c, i + 1, G, true);
		c.groups[0].server.want_notify = false;
		n[i] = fw_start(w, "no notify", &c);
	}
	fw_run(w, 3000);
	cr_expect_str_eq(registered(n[2], "10.2.0.0/16"), "192.0.2.2");
	fw_run(w, 900000);
	cr_expect_str_eq(registered(n[2], "10.2.0.0/16"), "192.0.2.2");
	cr_expect_eq(fw_sent_count(n[0], XTR_MSG_MAP_NOTIFY), 0);
	cr_expect_str_eq(groups(n[0]), G ": 192.0.2.1 self, 192.0.2.2 live, 192.0.2.3 live");
	cr_expect_str_eq(group_problem(n[0]), "");
}
