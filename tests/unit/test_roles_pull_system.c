// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * LISP-Decent, pull: systems of routers that are each other's Map-Servers (D-1, D-2), and that each know an index or all.
 *
 *   router i   RLOC 192.0.2.(i+1), EIDs 10.(i+1).1.0/24, all roles
 */
#include "pull_lab.h"

#include "xtr/abi.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define ROUTERS 4

static struct fw_node *r[ROUTERS];
static struct fw_conf rc[ROUTERS];

static void router_conf(unsigned i, uint32_t modulus)
{
	struct fw_conf *c = &rc[i];
	char ip[32], eid[32];

	snprintf(ip, sizeof(ip), "192.0.2.%u", i + 1);
	snprintf(eid, sizeof(eid), "10.%u.1.0/24", i + 1);
	fw_conf_init(c);
	fw_conf_rloc(c, ip);
	fw_conf_mapping(c, eid, ip);
	fw_conf_site(c, "all", "10.0.0.0/8", true);
	fw_conf_pull(c, modulus);
	fw_conf_lookup(c, "10.0.0.0/8", 24);
	c->c.itr = c->c.mr = true;
}

static void system_up(void)
{
	world_up();
	for (unsigned i = 0; i < ROUTERS; i++)
		router_conf(i, 4);
}

TestSuite(routers, .init = system_up, .fini = world_down);

static void start(unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		r[i] = fw_start(w, "r", &rc[i]);
}

/* Packets of all kinds that crossed the network since. */
static unsigned on_wire(uint64_t since)
{
	unsigned count = 0;

	for (unsigned i = 0; i < w->packet_count; i++)
		count += w->packets[i].sent >= since;
	return count;
}

/* Does i reach an EID of j, by asking? */
static bool reaches(unsigned i, unsigned j)
{
	char eid[32];
	struct fw_dp *d;

	snprintf(eid, sizeof(eid), "10.%u.1.9", j + 1);
	xtr_node_cache_clear(r[i]->n, NULL, UINT32_MAX, w->now);
	fw_tick(r[i]);
	fw_run(w, 3001); /* one answer in three seconds about an EID (RFC 9301 5.4) */
	fw_miss(r[i], eid, NULL);
	fw_run(w, 100);
	d = fw_dp_match(r[i], eid);
	return d && d->fwd.action == XTR_ACT_ENCAP && d->fwd.n == 1 &&
	       d->fwd.locators[0].ip.a[3] == j + 1;
}

Test(routers, D_1_D_2_three_routers_and_no_map_server_box)
{
	dns_all("ms.example", 4, "192.0.2.1 192.0.2.2 192.0.2.3");
	start(0, 3);
	fw_run(w, 1000);
	for (unsigned i = 0; i < 3; i++)
		for (unsigned j = 0; j < 3; j++)
			cr_assert(i == j || reaches(i, j), "%u to %u", i, j);
}

Test(routers, a_node_that_serves_the_index_asks_itself_without_a_packet)
{
	uint64_t at;

	dns_all("ms.example", 4, "192.0.2.1 192.0.2.2 192.0.2.3");
	start(0, 3);
	fw_run(w, 400000); /* quick registration is over */
	at = w->now;
	fw_miss(r[0], "10.2.1.9", NULL);
	cr_assert_not_null(fw_dp_match(r[0], "10.2.1.9"), "answered before anything else happens");
	cr_assert_eq(fw_dp_match(r[0], "10.2.1.9")->fwd.action, XTR_ACT_ENCAP);
	cr_assert_eq(on_wire(at), 0);
}

Test(routers, a_router_joins_while_running_and_leaves)
{
	dns_all("ms.example", 4, "192.0.2.1 192.0.2.2 192.0.2.3");
	start(0, 3);
	fw_run(w, 60000);
	start(3, 4);
	dns_all("ms.example", 4, "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4");
	/* It knows nothing yet, and others may ask it already. */
	for (unsigned k = 0; k < 12; k++) {
		for (unsigned i = 0; i < 3; i++)
			cr_assert(reaches(i, (i + 1) % 3), "round %u", k);
		cr_assert(reaches(3, k % 3));
	}
	cr_assert(reaches(0, 3));
	/* One TTL later all have registered there. */
	fw_run(w, 31000);
	for (unsigned j = 0; j < 3; j++)
		cr_assert(reaches(3, j));
	dns_all("ms.example", 4, "192.0.2.1 192.0.2.2 192.0.2.3");
	fw_run(w, 31000);
	fw_stop(r[3]);
	fw_run(w, 1000);
	for (unsigned i = 0; i < 3; i++)
		cr_assert(reaches(i, (i + 1) % 3));
	fw_run(w, 200000);
	cr_assert_not(reaches(0, 3), "its registration ended");
}

Test(routers, a_dead_member_of_the_sets_costs_a_retry_and_no_more)
{
	dns_all("ms.example", 4, "192.0.2.1 192.0.2.2 192.0.2.3");
	start(0, 3);
	fw_run(w, 60000);
	fw_kill(r[2]);
	for (unsigned k = 0; k < 5; k++) {
		cr_assert(reaches(0, 1));
		cr_assert(reaches(1, 0));
	}
}

Test(routers, X12_a_client_outside_the_sets_gets_past_the_dead_member)
{
	unsigned slow = 0;

	dns_all("ms.example", 4, "192.0.2.1 192.0.2.2 192.0.2.3");
	start(0, 4);
	fw_run(w, 60000);
	fw_kill(r[2]);
	for (unsigned k = 0; k < 10; k++)
		if (!reaches(3, 0)) {
			fw_run(w, 1000);
			cr_assert_not_null(fw_dp_match(r[3], "10.1.1.9"));
			slow++;
		}
	cr_assert_leq(slow, 1, "it rests after that");
}

static struct xtr_map_reply reply_to(uint64_t nonce, struct xtr_eid_prefix *eid)
{
	struct xtr_map_reply m = { .record_count = 0 };

	for (unsigned i = 0; i < w->packet_count; i++) {
		const struct fw_packet *p = &w->packets[i];
		struct xtr_record rec;

		if (fw_type(p) != XTR_MSG_MAP_REPLY ||
		    xtr_map_reply_decode(p->buf, p->len, &m) || m.nonce != nonce)
			continue;
		cr_assert(xtr_record_next(&m.records, &rec));
		xtr_eid_from_addr(&rec.eid, rec.mask_len, eid, NULL);
		return m;
	}
	m.nonce = 0;
	return m;
}

static void ask(unsigned who, const char *from, const char *eid, uint64_t nonce)
{
	const struct fw_req q = { .nonce = nonce, .eid = eid, .itr_rloc = "203.0.113.7" };
	uint8_t buf[1024];

	fw_inject(r[who], from, 4342, buf, fw_make_request(buf, sizeof(buf), &q));
}

/* Each index on a router of its own. */
static void one_each(void)
{
	for (unsigned i = 0; i < 4; i++) {
		char name[64], ip[32];

		snprintf(name, sizeof(name), "%u.ms.example", i);
		snprintf(ip, sizeof(ip), "192.0.2.%u", i + 1);
		fw_dns(w, name, ip);
	}
}

Test(routers, the_map_resolver_of_any_router_forwards_by_hash)
{
	struct xtr_eid_prefix eid, want = fw_eid("10.2.1.0/24");
	unsigned at = index_by(&rc[0], "10.2.1.0/24"), other = (at + 1) % 4;

	one_each();
	start(0, 4);
	fw_run(w, 1000);
	if (other == 1) /* the ETR itself would answer */
		other = (at + 2) % 4;
	ask(other, "203.0.113.7", "10.2.1.9", 77); /* its name is not known there yet */
	fw_run(w, 100);
	cr_assert_eq(reply_to(77, &eid).nonce, 77);
	cr_assert(xtr_eid_equal(&eid, &want));
	cr_assert_eq(fw_counter(r[other], XTR_NODE_TX_FORWARDED), 1);
}

/* Who has reloaded registers by both moduli, who has not by the old one only. A Map-Resolver that
 * passes on asks once: so first where all are, later where all are then. */
Test(routers, case_8_the_map_resolver_forwards_to_the_old_set_first)
{
	unsigned at = index_by(&rc[0], "10.2.1.0/24"), new_at, other = at == 3 ? 0 : 3;
	struct xtr_eid_prefix eid, want = fw_eid("10.2.1.0/24");
	uint32_t modulus = 5;

	one_each();
	for (unsigned i = 0; i < 4; i++)
		rc[i].pull.change_window = 100000;
	start(0, 4);
	fw_run(w, 1000);
	/* a modulus that brings it to another index */
	do
		rc[other].pull.hash.modulus = modulus++;
	while ((new_at = index_by(&rc[other], "10.2.1.0/24")) == at);
	dns_all("ms.example", modulus, "192.0.2.250"); /* of nobody: it would be silence */
	one_each();
	if (new_at < 4) {
		char name[64];

		snprintf(name, sizeof(name), "%u.ms.example", new_at);
		fw_dns(w, name, "192.0.2.250");
	}
	fw_reconfigure(r[other], &rc[other]);
	fw_run(w, 1000);
	ask(other, "203.0.113.7", "10.2.1.9", 77);
	fw_run(w, 4000);
	cr_assert_eq(reply_to(77, &eid).nonce, 77, "the old set answers");
	cr_assert(xtr_eid_equal(&eid, &want));
	fw_run(w, 60000);
	ask(other, "203.0.113.7", "10.2.1.9", 78);
	fw_run(w, 4000);
	cr_assert_neq(reply_to(78, &eid).nonce, 78, "the new set is asked");
}

Test(routers, requests_do_not_pile_up_while_names_are_looked_up)
{
	start(0, 1);
	fw_dns_down(w, true);
	for (unsigned i = 0; i < 1000; i++) {
		char eid[32];

		snprintf(eid, sizeof(eid), "10.9.%u.%u", i / 250, i % 250);
		ask(0, "203.0.113.7", eid, i + 1);
	}
	cr_assert_eq(fw_counter(r[0], XTR_NODE_DROP_NO_RLOC), 1000 - 64);
	fw_run(w, 6000);
	cr_assert_eq(fw_counter(r[0], XTR_NODE_DROP_NO_RLOC), 1000, "too old by now");
	cr_assert_eq(fw_counter(r[0], XTR_NODE_NEGATIVE_SENT), 0);
}

Test(routers, X11_the_negative_prefix_of_a_set_is_not_shorter_than_its_share)
{
	unsigned at = index_by(&rc[0], "10.77.3.0/24");
	struct xtr_eid_prefix eid, want = fw_eid("10.77.3.0/24");

	one_each();
	start(0, 4);
	fw_run(w, 1000);
	ask(at, "203.0.113.7", "10.77.3.3", 5);
	fw_run(w, 1000);
	ask(at, "203.0.113.7", "10.77.3.3", 6);
	fw_run(w, 100);
	if (reply_to(5, &eid).nonce != 5)
		cr_assert_eq(reply_to(6, &eid).nonce, 6);
	cr_assert(xtr_eid_equal(&eid, &want));
}

Test(routers, two_views_of_the_dns_do_not_play_with_a_request)
{
	uint64_t before;

	one_each();
	start(0, 4);
	fw_run(w, 1000);
	/* 0 thinks that it is 1, 1 thinks that it is 0. */
	for (unsigned i = 0; i < 2; i++) {
		rc[i].pull.suffix = i ? "b.example" : "a.example";
		rc[i].pull.change_window = 0;
		fw_reconfigure(r[i], &rc[i]);
	}
	dns_all("a.example", 4, "192.0.2.2");
	dns_all("b.example", 4, "192.0.2.1");
	fw_run(w, 1000);
	ask(0, "203.0.113.7", "10.77.3.3", 5);
	fw_run(w, 1000);
	before = fw_counter(r[0], XTR_NODE_TX_FORWARDED) + fw_counter(r[1], XTR_NODE_TX_FORWARDED);
	ask(0, "203.0.113.7", "10.77.3.3", 6);
	fw_run(w, 1000);
	cr_assert_eq(fw_counter(r[0], XTR_NODE_TX_FORWARDED) +
			     fw_counter(r[1], XTR_NODE_TX_FORWARDED) - before,
		     1);
}

/* The modulus changes on one router after the other, under traffic; nobody is out of reach at any
 * time. */
Test(routers, D_53_D_54_case_8_the_modulus_of_a_running_system_is_changed)
{
	dns_all("ms.example", 8, "192.0.2.1 192.0.2.2 192.0.2.3");
	for (unsigned i = 0; i < 8; i++) {
		char name[64], ip[32];

		snprintf(name, sizeof(name), "%u.ms.example", i);
		snprintf(ip, sizeof(ip), "192.0.2.%u", i % 3 + 1);
		fw_dns(w, name, ip);
	}
	for (unsigned i = 0; i < 3; i++)
		rc[i].pull.change_window = 120000;
	start(0, 3);
	fw_run(w, 30000);
	for (unsigned k = 0; k < 3; k++) {
		rc[k].pull.hash.modulus = 7;
		fw_reconfigure(r[k], &rc[k]);
		for (unsigned i = 0; i < 3; i++)
			for (unsigned j = 0; j < 3; j++)
				cr_assert(i == j || reaches(i, j), "%u changed, %u to %u", k, i, j);
		fw_run(w, 10000);
	}
	for (unsigned k = 0; k < 40; k++) {
		for (unsigned i = 0; i < 3; i++)
			cr_assert(reaches(i, (i + 1) % 3), "%u", k);
		fw_run(w, 2000);
	}
	for (unsigned i = 0; i < 3; i++) {
		const struct xtr_pull_config *old;
		uint64_t left;

		xtr_node_pull(r[i]->n, w->now, &old, &left);
		cr_assert_null(old);
	}
}
