// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Decent-Push, how groups are found (draft-farinacci-lisp-decent-10 4.3, 4.4): by a core of which they are layers, or by
 * the pull system; and subscriptions there (RFC 9437).
 */
#include "fake_dns.h"
#include "group_lab.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(push, .init = world_up, .fini = world_down);

Test(push, D_33_D_36_D_37_a_layer_starts_from_one_address_of_the_core)
{
	struct fw_node *a, *b, *i, *j, *k;

	a = start_core(1, true);
	b = start_core(2, true);
	fw_run(w, 5000);
	i = start_layer(11, L1);
	fw_run(w, 3000);
	j = start_layer(12, L1);
	k = start_layer(13, L1);
	fw_run(w, 5000);
	cr_expect_str_eq(registered(a, "(*," L1 ")"), "192.0.2.11 192.0.2.12 192.0.2.13");
	cr_expect_str_eq(registered(b, "(*," L1 ")"), "192.0.2.11 192.0.2.12 192.0.2.13");
	cr_expect_str_eq(registered(i, "10.13.0.0/16"), "192.0.2.13");
	cr_expect_str_eq(registered(j, "10.11.0.0/16"), "192.0.2.11");
	cr_expect_str_eq(registered(k, "10.12.0.0/16"), "192.0.2.12");
	cr_expect_str_eq(registered(a, "10.11.0.0/16"), "", "D-35: only groups by default");
	cr_expect_str_eq(list(i, L1), "192.0.2.12 192.0.2.13");
	cr_expect_str_eq(list(i, CORE), "192.0.2.1 192.0.2.2");
}

Test(push, a_layer_outlives_its_core_and_joins_again)
{
	struct fw_node *a, *i, *j, *k;

	a = start_core(1, true);
	i = start_layer(11, L1);
	j = start_layer(12, L1);
	fw_run(w, 10000);
	cr_assert_str_eq(registered(i, "10.12.0.0/16"), "192.0.2.12");
	fw_kill(a);
	fw_run(w, 600000);
	cr_expect_str_eq(registered(i, "10.12.0.0/16"), "192.0.2.12");
	cr_expect_str_eq(registered(j, "10.11.0.0/16"), "192.0.2.11");
	cr_expect(group_problem(i), "the loss is shown");
	k = start_layer(13, L1); /* has to wait for the core */
	fw_run(w, 10000);
	cr_expect_str_eq(registered(k, "10.11.0.0/16"), "");
	fw_restart(a);
	fw_run(w, 70000);
	cr_expect_str_eq(registered(a, "(*," L1 ")"), "192.0.2.11 192.0.2.12 192.0.2.13");
	cr_expect_str_eq(registered(k, "10.11.0.0/16"), "192.0.2.11");
	cr_expect_str_eq(registered(i, "10.13.0.0/16"), "192.0.2.13");
}

Test(push, start_order_does_not_matter_the_core_may_be_last)
{
	struct fw_node *a, *i, *j;

	i = start_layer(11, L1);
	j = start_layer(12, L1);
	fw_run(w, 100000);
	cr_expect_str_eq(registered(i, "10.12.0.0/16"), "");
	a = start_core(1, true);
	fw_run(w, 62000);
	cr_expect_str_eq(registered(a, "(*," L1 ")"), "192.0.2.11 192.0.2.12");
	cr_expect_str_eq(registered(i, "10.12.0.0/16"), "192.0.2.12");
	cr_expect_str_eq(registered(j, "10.11.0.0/16"), "192.0.2.11");
}

Test(push, D_34_each_layer_has_its_own_keys)
{
	struct fw_node *a, *n[2];

	a = start_core(1, true);
	for (unsigned i = 0; i < 2; i++) {
		struct fw_conf c;

		conf_layer(&c, 11 + i, L1);
		c.groups[0].server.key = other_key;
		c.keys[0][0] = c.keys[1][0] = other_key;
		n[i] = fw_start(w, "layer", &c);
	}
	fw_run(w, 10000);
	cr_expect_str_eq(registered(a, "(*," L1 ")"), "192.0.2.11 192.0.2.12");
	cr_expect_str_eq(registered(n[0], "10.12.0.0/16"), "192.0.2.12");
	cr_expect_str_eq(registered(n[1], "10.11.0.0/16"), "192.0.2.11");
	cr_expect_eq(fw_counter(a, XTR_NODE_DROP_AUTH), 0);
	cr_expect_eq(fw_counter(n[0], XTR_NODE_DROP_AUTH), 0);
}

/* A Map-Reply that says who is in the group has no other proof than the nonce. */
Test(push, T_3_nonces_of_subscriptions_are_not_guessed_from_each_other)
{
	struct xtr_map_request m;
	struct fw_node *a;
	uint64_t last = 0;
	unsigned seen = 0;

	start_core(1, true);
	fw_run(w, 1000);
	a = start_subscriber(11, L1);
	fw_run(w, 300000);
	for (unsigned i = 0; i < fw_sent_count(a, XTR_MSG_MAP_REQUEST); i++) {
		const uint8_t *msg;
		size_t len;

		msg = fw_message(fw_sent(a, XTR_MSG_MAP_REQUEST, i), &len);
		if (xtr_map_request_decode(msg, len, &m) || !(m.flags & XTR_MREQ_I))
			continue;
		cr_assert(!last || m.nonce - last > 65536);
		last = m.nonce;
		seen++;
	}
	cr_expect_gt(seen, 3);
}

/* The core goes on from a request that somebody forged in our name. */
Test(push, RFC9437_7_a_publication_far_ahead_is_not_taken_up)
{
	struct xtr_map_request m = { .nonce = 0 };
	const uint8_t *msg;
	uint8_t buf[512];
	struct fw_node *i;
	uint64_t before;
	size_t len;

	start_core(1, true);
	fw_run(w, 1000);
	i = start_subscriber(11, L1);
	fw_run(w, 300000);
	cr_assert(subscribed(i));
	for (unsigned k = 0; k < fw_sent_count(i, XTR_MSG_MAP_REQUEST); k++) {
		struct xtr_map_request r;

		msg = fw_message(fw_sent(i, XTR_MSG_MAP_REQUEST, k), &len);
		if (!xtr_map_request_decode(msg, len, &r) && r.flags & XTR_MREQ_I)
			m = r;
	}
	before = fw_counter(i, XTR_NODE_DROP_REPLAY);
	len = make_notify(buf, sizeof(buf), L1, "192.0.2.99", &fw_key,
			  m.nonce + (1ull << 40));
	fw_inject(i, "192.0.2.1", 4342, buf, len);
	cr_expect_eq(fw_counter(i, XTR_NODE_DROP_REPLAY), before + 1);
	cr_expect_str_eq(list(i, L1), "");
	/* of the next ones it takes */
	len = make_notify(buf, sizeof(buf), L1, "192.0.2.99", &fw_key, m.nonce + 2);
	fw_inject(i, "192.0.2.1", 4342, buf, len);
	cr_expect_str_eq(list(i, L1), "192.0.2.99");
}

Test(push, D_25_joins_and_leaves_are_published_to_who_subscribed)
{
	struct fw_node *a, *i, *j;

	a = start_core(1, true);
	fw_run(w, 1000);
	i = start_subscriber(11, L1);
	fw_run(w, 400000);
	cr_expect(fw_counter(a, XTR_NODE_SUBSCRIPTIONS) > 0);
	cr_expect(subscribed(i));
	j = start_subscriber(12, L1);
	fw_run(w, 3000);
	cr_expect(fw_counter(a, XTR_NODE_PUBLICATIONS) > 0);
	cr_expect_str_eq(list(i, L1), "192.0.2.12");
	cr_expect(subscribed(j));
	fw_kill(j);
	fw_run(w, 182000);
	cr_expect_str_eq(list(i, L1), "");
	cr_expect_eq(fw_counter(i, XTR_NODE_DROP_REPLAY), 0);
}

Test(push, D_35_any_EID_may_be_registered_in_the_core)
{
	struct fw_node *a, *n;
	struct fw_conf c;

	a = start_core(1, true);
	conf_layer(&c, 11, L1);
	c.groups[1].all_eids = true;
	n = fw_start(w, "layer", &c);
	fw_run(w, 10000);
	cr_expect_str_eq(registered(a, "10.11.0.0/16"), "192.0.2.11");
	cr_expect_str_eq(registered(a, "(*," L1 ")"), "192.0.2.11");
	/* And what is only in the core is found there. */
	cr_expect_str_eq(lig(n, "10.1.0.1/32"), "192.0.2.1");
}

Test(push, a_core_keeps_memberships_that_come_by_overlay_alone)
{
	struct fw_node *a, *b;

	a = start_core(1, true);
	b = start_core(2, true);
	for (unsigned i = 0; i < 2; i++) {
		struct fw_conf c;

		conf_layer(&c, 11 + i, L1);
		c.groups[0].server.want_notify = c.groups[1].server.want_notify = false;
		fw_start(w, "layer", &c);
	}
	fw_run(w, 1000000);
	cr_expect_str_eq(registered(a, "(*," L1 ")"), "192.0.2.11 192.0.2.12");
	cr_expect_str_eq(registered(b, "(*," L1 ")"), "192.0.2.11 192.0.2.12");
	cr_expect_eq(a->control_count, 3, "the other of the core, and two guests");
	fw_kill(b);
	fw_run(w, 1000);
	fw_restart(b); /* knows its guests no more */
	fw_run(w, 62000);
	cr_expect_str_eq(registered(b, "(*," L1 ")"), "192.0.2.11 192.0.2.12");
}

/* ---- by the pull system */

static struct fw_node *start_by_pull(unsigned i, bool subscribe)
{
	struct fw_conf c;

	conf_router(&c, i);
	fw_conf_group(&c, L1, true);
	c.groups[0].via = XTR_VIA_PULL;
	c.groups[0].subscribe = subscribe;
	fw_conf_pull(&c, 1);
	return fw_start(w, "by pull", &c);
}

static struct fw_node *start_pull_server(void)
{
	struct fw_conf c;

	fw_conf_init(&c);
	fw_conf_rloc(&c, "192.0.2.100");
	fw_conf_site(&c, "groups", "(*,224.0.0.0/4)", true);
	fw_conf_pull(&c, 1);
	c.c.mr = true;
	return fw_start(w, "pull", &c);
}

static void by_pull(bool subscribe)
{
	struct fw_node *s, *n[3];

	fw_dns(w, "0.ms.example", "192.0.2.100");
	s = start_pull_server();
	for (unsigned i = 0; i < 3; i++)
		n[i] = start_by_pull(11 + i, subscribe);
	fw_run(w, 15000);
	cr_expect_str_eq(registered(s, "(*," L1 ")"), "192.0.2.11 192.0.2.12 192.0.2.13");
	cr_expect_str_eq(registered(s, "10.11.0.0/16"), "", "R-7: pull holds memberships only");
	for (unsigned i = 0; i < 3; i++) {
		cr_expect_str_eq(registered(n[i], "10.11.0.0/16"), "192.0.2.11");
		cr_expect_str_eq(registered(n[i], "10.12.0.0/16"), "192.0.2.12");
		cr_expect_str_eq(registered(n[i], "10.13.0.0/16"), "192.0.2.13");
		cr_expect_eq(subscribed(n[i]), subscribe);
		cr_expect_eq(fw_counter(n[i], XTR_NODE_DROP_AUTH), 0);
	}
	cr_expect_str_eq(lig(n[0], "10.13.0.1/32"), "192.0.2.13");
}

Test(push, D_7_D_58_the_pull_system_holds_the_memberships)
{
	by_pull(false);
}

Test(push, D_7_D_25_membership_subscribed_to_at_the_pull_system)
{
	by_pull(true);
}

Test(push, D_7_DNS_that_comes_up_late)
{
	struct fw_node *n[2];

	fw_dns_down(w, true);
	n[0] = start_by_pull(11, false);
	n[1] = start_by_pull(12, false);
	fw_run(w, 60000);
	cr_expect_str_eq(registered(n[0], "10.12.0.0/16"), "");
	start_pull_server();
	fw_dns(w, "0.ms.example", "192.0.2.100");
	fw_dns_down(w, false);
	fw_run(w, 400000);
	cr_expect_str_eq(registered(n[0], "10.12.0.0/16"), "192.0.2.12");
	cr_expect_str_eq(registered(n[1], "10.11.0.0/16"), "192.0.2.11");
}
