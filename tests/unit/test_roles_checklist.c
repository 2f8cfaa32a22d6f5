// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The checklist of the Map-Server interface (draft-ietf-lisp-ms, RFC 9301): most numbers MS-n are
 * in the names of tests in test_roles_*.c; what is about the system as a whole is here.
 *
 * Not tested because not built: MS-36, MS-37, MS-45, MS-51 (LISP-SEC), MS-43, MS-44 (caching Map-Resolver; MS-10 makes
 * non-caching the default, RFC 9301 removed the other).
 */
#include "fake_world.h"

#include <criterion/criterion.h>
#include <string.h>

static struct fw *w;
static struct fw_node *itr, *mr, *ms, *etr;
static struct fw_conf c_itr, c_mr, c_ms, c_etr;

static void confs(void)
{
	w = fw_new();
	fw_conf_init(&c_itr);
	fw_conf_rloc(&c_itr, "192.0.2.1");
	fw_conf_resolver(&c_itr, "192.0.2.8");
	fw_conf_init(&c_mr);
	fw_conf_rloc(&c_mr, "192.0.2.8");
	fw_conf_mr_server(&c_mr, "192.0.2.9");
	fw_conf_init(&c_ms);
	fw_conf_rloc(&c_ms, "192.0.2.9");
	fw_conf_site(&c_ms, "b", "10.2.0.0/24", false);
	fw_conf_init(&c_etr);
	fw_conf_rloc(&c_etr, "192.0.2.2");
	fw_conf_mapping(&c_etr, "10.2.0.0/24", "192.0.2.2");
	fw_conf_server(&c_etr, "192.0.2.9");
}

static void go(void)
{
	ms = fw_start(w, "ms", &c_ms);
	mr = fw_start(w, "mr", &c_mr);
	etr = fw_start(w, "etr", &c_etr);
	itr = fw_start(w, "itr", &c_itr);
	fw_until(w, 1000);
}

static void tear_down(void)
{
	fw_free(w);
}

TestSuite(checklist, .init = confs, .fini = tear_down);

Test(checklist, MS_3_encapsulated_map_requests_go_to_port_4342_between_rlocs)
{
	unsigned ecms = 0;

	go();
	fw_miss(itr, "10.2.0.5", NULL);
	fw_run(w, 1000);
	for (unsigned i = 0; i < w->packet_count; i++) {
		const struct fw_packet *p = &w->packets[i];

		if (xtr_msg_type(p->buf, p->len) != XTR_MSG_ECM)
			continue;
		ecms++;
		cr_assert_eq(p->dport, 4342);
		cr_assert(p->src.a[0] == 192 && p->dst.a[0] == 192, "outer addresses are RLOCs");
	}
	cr_assert_eq(ecms, 3, "ITR to MR, MR to MS, MS to ETR");
}

/* The only other mapping database an ITR has here is what the operator has set. */
Test(checklist, MS_16_what_another_database_knows_is_not_asked_for)
{
	const struct xtr_fwd f = { .action = 8, .n = 1, .locators = { { fw_ip("192.0.2.77"), 100 } } };
	struct xtr_eid_prefix e = fw_eid("10.2.0.0/25");
	char s[64];

	go();
	cr_assert_eq(xtr_node_cache_add(itr->n, &e, &f, w->now), 0);
	fw_tick(itr);
	fw_miss(itr, "10.2.0.5", NULL);
	fw_run(w, 1000);
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 0);
	cr_assert_str_eq(xtr_ip_str(&fw_dp_match(itr, "10.2.0.5")->fwd.locators[0].ip, s), "192.0.2.77");
	/* Outside it the mapping system is asked; its answer does not replace what was set. */
	fw_miss(itr, "10.2.0.205", NULL);
	fw_run(w, 1000);
	cr_assert_eq(fw_sent_count(itr, XTR_MSG_MAP_REQUEST), 1);
	cr_assert_str_eq(xtr_ip_str(&fw_dp_match(itr, "10.2.0.205")->fwd.locators[0].ip, s), "192.0.2.2");
	cr_assert_str_eq(xtr_ip_str(&fw_dp_match(itr, "10.2.0.5")->fwd.locators[0].ip, s), "192.0.2.77");
}

Test(checklist, MS_4_a_negative_map_reply_has_an_empty_locator_set)
{
	struct xtr_map_reply m;
	struct xtr_record rec;

	go();
	fw_miss(itr, "10.9.0.5", NULL);
	fw_run(w, 1000);
	cr_assert_eq(xtr_map_reply_decode(fw_sent(ms, 2, 0)->buf, fw_sent(ms, 2, 0)->len, &m), 0);
	cr_assert(xtr_record_next(&m.records, &rec));
	cr_assert_eq(rec.locator_count, 0);
}

Test(checklist, MS_7_map_notify_has_4342_on_both_sides)
{
	go();
	cr_assert_eq(fw_sent(ms, XTR_MSG_MAP_NOTIFY, 0)->sport, 4342);
	cr_assert_eq(fw_sent(ms, XTR_MSG_MAP_NOTIFY, 0)->dport, 4342);
	cr_assert_eq(fw_sent(etr, XTR_MSG_MAP_REGISTER, 0)->sport, 4342);
}

static struct xtr_map_reply reply_of(struct fw_node *f, struct xtr_record *rec)
{
	struct xtr_map_reply m;
	struct fw_packet *p = fw_sent(f, XTR_MSG_MAP_REPLY, 0);

	cr_assert_not_null(p);
	cr_assert_eq(xtr_map_reply_decode(p->buf, p->len, &m), 0);
	cr_assert(xtr_record_next(&m.records, rec));
	return m;
}

Test(checklist,
     MS_46_any_of_several_map_resolvers_gives_the_same_answer_and_keeps_nothing_of_the_client)
{
	/* Two nodes with one configuration, as behind one anycast address; the request goes to one,
	 * its repetition to the other. */
	const struct fw_req q = { .nonce = 77, .eid = "10.2.0.5", .itr_rloc = "192.0.2.1" };
	struct fw_node *other;
	uint8_t buf[512];
	size_t len = fw_make_request(buf, sizeof(buf), &q);

	go();
	other = fw_start(w, "mr2", &c_mr);
	fw_inject(mr, "192.0.2.1", 4342, buf, len);
	fw_inject(other, "192.0.2.1", 4342, buf, len);
	cr_assert_eq(fw_sent_count(mr, XTR_MSG_MAP_REQUEST), 1);
	cr_assert_eq(fw_sent_count(other, XTR_MSG_MAP_REQUEST), 1);
	cr_assert_eq(fw_sent(mr, 1, 0)->len, fw_sent(other, 1, 0)->len);
	cr_assert_eq(
		memcmp(fw_sent(mr, 1, 0)->buf, fw_sent(other, 1, 0)->buf, fw_sent(mr, 1, 0)->len),
		0);
}

Test(checklist, MS_47_etrs_that_share_an_rloc_are_told_apart_by_their_xtr_id)
{
	static const uint8_t x1[16] = { 1 }, x2[16] = { 2 };
	const struct fw_rec rec = FW_REC("10.2.0.0/24", 60, "192.0.2.66");
	const struct fw_reg r1 = { .nonce = 500, .xtr_id = x1 },
			    r2 = { .nonce = 100, .xtr_id = x2 };
	uint8_t buf[512];

	go();
	fw_inject(ms, "192.0.2.66", 4342, buf, fw_make_register(buf, sizeof(buf), &r1, &rec, 1));
	fw_inject(ms, "192.0.2.66", 4342, buf, fw_make_register(buf, sizeof(buf), &r2, &rec, 1));
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_REPLAY), 0);
	cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTER_ACCEPTED), 3);
}

Test(checklist, MS_48_the_constants_are_configurable)
{
	struct xtr_record rec;

	c_etr.c.timers.quick_interval = 5000;
	c_etr.c.timers.quick_duration = 10000;
	c_etr.c.timers.register_interval = 30000;
	c_etr.servers[0].want_notify = false;
	c_ms.c.timers.registration_timeout = 90000;
	c_ms.c.timers.negative_ttl_min = 7;
	c_ms.c.timers.unregistered_ttl_min = 3;
	go();
	fw_until(w, 70000);
	cr_assert_eq(fw_sent_count(etr, XTR_MSG_MAP_REGISTER), 5); /* 0 5 10 40 70 */
	fw_kill(etr);
	fw_until(w, 160009);
	cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTRATION_EXPIRED), 0);
	fw_until(w, 160010);
	cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTRATION_EXPIRED), 1);
	fw_miss(itr, "10.2.0.5", NULL);
	fw_run(w, 1000);
	reply_of(ms, &rec);
	cr_assert_eq(rec.ttl, 3);
}
