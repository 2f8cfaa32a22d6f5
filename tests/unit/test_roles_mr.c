// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Map-Resolver. RFC 9301 8.4. One Map-Resolver (192.0.2.8); its Map-Servers 192.0.2.9 and .10 exist
 * only as far as a test plays them.
 */
#include "fake_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct fw *w;
static struct fw_node *mr;
static struct fw_conf conf;

static void set_up(void)
{
	w = fw_new();
	fw_conf_init(&conf);
	fw_conf_rloc(&conf, "192.0.2.8");
	conf.c.mr = true;
}

static void go(void)
{
	mr = fw_start(w, "mr", &conf);
	fw_until(w, 0);
}

static void tear_down(void)
{
	fw_free(w);
}

TestSuite(mr, .init = set_up, .fini = tear_down);

static void ask_with(struct fw_req q)
{
	uint8_t buf[1024];

	q.nonce = q.nonce ? q.nonce : 0x1122334455667788;
	q.itr_rloc = "192.0.2.50";
	fw_inject(mr, "192.0.2.50", 4342, buf, fw_make_request(buf, sizeof(buf), &q));
}

#define ASK(e, ...) ask_with((struct fw_req){ .eid = (e), __VA_ARGS__ })

static const char *negative(void)
{
	static char out[XTR_EID_STRLEN + 32];
	struct fw_packet *p = fw_sent(mr, XTR_MSG_MAP_REPLY, 0);
	struct xtr_map_reply m;
	struct xtr_record rec;
	struct xtr_eid_prefix e;
	char s[XTR_EID_STRLEN];

	if (!p)
		return "";
	cr_assert_eq(xtr_map_reply_decode(p->buf, p->len, &m), 0);
	cr_assert(xtr_record_next(&m.records, &rec));
	cr_assert_eq(rec.locator_count, 0);
	cr_assert_eq(xtr_eid_from_addr(&rec.eid, rec.mask_len, &e, NULL), 0);
	snprintf(out, sizeof(out), "%s %u act%u", xtr_eid_str(&e, s) + 3, rec.ttl, rec.act);
	return out;
}

Test(mr, MS_41_forwards_to_a_map_server_and_MS_42_says_nothing_to_the_itr)
{
	struct xtr_ecm ecm;
	struct xtr_map_request m;
	char s[64];

	fw_conf_mr_server(&conf, "192.0.2.9");
	go();
	ASK("10.1.0.5", .source = "10.9.0.1", .sport = 61000);
	cr_assert_eq(fw_sent_count(mr, XTR_MSG_MAP_REQUEST), 1);
	cr_assert_eq(fw_sent_count(mr, XTR_MSG_MAP_REPLY), 0);
	cr_assert_str_eq(xtr_ip_str(&fw_sent(mr, 1, 0)->dst, s), "192.0.2.9");
	cr_assert_eq(xtr_ecm_decode(fw_sent(mr, 1, 0)->buf, fw_sent(mr, 1, 0)->len, &ecm), 0);
	cr_assert_str_eq(xtr_ip_str(&ecm.inner_src, s), "192.0.2.50");
	cr_assert_eq(ecm.inner_sport, 61000, "so that the answer bypasses us");
	cr_assert_eq(xtr_map_request_decode(ecm.msg, ecm.msg_len, &m), 0);
	cr_assert_eq(m.nonce, 0x1122334455667788, "MS-10: not caching: the ITR's nonce");
}

Test(mr, MS_2_MS_39_without_map_servers_everything_is_negative_15_minutes)
{
	go();
	ASK("10.1.0.5");
	cr_assert_str_eq(negative(), "0.0.0.0/0 15 act1");
}

Test(mr, the_hole_is_capped_as_configured)
{
	conf.c.limits.hole_ip4 = 8;
	go();
	ASK("10.1.0.5");
	cr_assert_str_eq(negative(), "10.0.0.0/8 15 act1");
}

Test(mr, one_of_several_map_servers_by_the_eid_the_next_on_a_repetition)
{
	unsigned first[2] = { 0 };
	char eid[32];

	fw_conf_mr_server(&conf, "192.0.2.9");
	fw_conf_mr_server(&conf, "192.0.2.10");
	go();
	for (unsigned i = 0; i < 64; i++) {
		unsigned a, b, c;

		snprintf(eid, sizeof(eid), "10.1.%u.5", i);
		ASK(eid, .nonce = 1000 + i);
		ASK(eid, .nonce = 1000 + i);
		ASK(eid, .nonce = 5000 + i);
		a = fw_sent(mr, 1, 3 * i)->dst.a[3];
		b = fw_sent(mr, 1, 3 * i + 1)->dst.a[3];
		c = fw_sent(mr, 1, 3 * i + 2)->dst.a[3];
		cr_assert_neq(a, b, "a repetition goes elsewhere");
		cr_assert_eq(a, c, "a new request starts where the EID says");
		first[a - 9]++;
	}
	cr_assert_gt(first[0], 10);
	cr_assert_gt(first[1], 10);
}

Test(mr, T_18_probes_are_dropped)
{
	fw_conf_mr_server(&conf, "192.0.2.9");
	go();
	ASK("10.1.0.5", .flags = XTR_MREQ_P);
	cr_assert_eq(fw_sent_count(mr, XTR_MSG_MAP_REQUEST), 0);
	cr_assert_eq(fw_counter(mr, XTR_NODE_DROP_PROBE), 1);
}

Test(mr, an_smr_does_not_pass)
{
	fw_conf_mr_server(&conf, "192.0.2.9");
	go();
	ASK("10.1.0.5", .flags = XTR_MREQ_S);
	cr_assert_eq(fw_sent_count(mr, XTR_MSG_MAP_REQUEST), 0);
	cr_assert_eq(fw_counter(mr, XTR_NODE_DROP_SMR), 1);
}

Test(mr, only_encapsulated_requests)
{
	fw_conf_mr_server(&conf, "192.0.2.9");
	go();
	ASK("10.1.0.5", .plain = true);
	cr_assert_eq(fw_sent_count(mr, XTR_MSG_MAP_REQUEST), 0);
	cr_assert_eq(fw_counter(mr, XTR_NODE_DROP_NOT_OURS), 1);
}

Test(mr, unreachable_map_servers_are_no_negative_answer)
{
	fw_conf_mr_server(&conf, "2001:db8::9"); /* we have no IPv6 RLOC */
	go();
	ASK("10.1.0.5");
	cr_assert_eq(fw_sent_count(mr, XTR_MSG_MAP_REPLY), 0);
	cr_assert_eq(fw_counter(mr, XTR_NODE_DROP_NO_RLOC), 1);
}

Test(mr, registrations_are_refused)
{
	const struct fw_rec rec = FW_REC("10.1.0.0/24", 60, "192.0.2.1");
	const struct fw_reg r = { .nonce = 1 };
	uint8_t buf[512];

	go();
	fw_inject(mr, "192.0.2.1", 4342, buf, fw_make_register(buf, sizeof(buf), &r, &rec, 1));
	cr_assert_eq(fw_counter(mr, XTR_NODE_DROP_ROLE), 1);
}

/* ---- Map-Resolver and Map-Server on one node (MS-9, MS-38) */

Test(mr, MS_38_with_a_map_server_here_what_it_knows_is_answered_here)
{
	const struct fw_rec rec = FW_REC("10.1.0.0/24", 60, "192.0.2.1");
	const struct fw_reg r = { .nonce = 1, .flags = XTR_REG_P };
	struct xtr_map_reply m;
	uint8_t buf[512];

	fw_conf_site(&conf, "a", "10.1.0.0/24", false);
	fw_conf_mr_server(&conf, "192.0.2.9");
	go();
	fw_inject(mr, "192.0.2.1", 4342, buf, fw_make_register(buf, sizeof(buf), &r, &rec, 1));
	ASK("10.1.0.5");
	cr_assert_eq(fw_sent_count(mr, XTR_MSG_MAP_REPLY), 1);
	cr_assert_eq(xtr_map_reply_decode(fw_sent(mr, 2, 0)->buf, fw_sent(mr, 2, 0)->len, &m), 0);
	ASK("10.7.0.5");
	cr_assert_eq(fw_sent_count(mr, XTR_MSG_MAP_REQUEST), 1,
		     "what it does not know goes to the other Map-Server");
}

Test(mr, MS_9_with_only_the_map_server_here_it_decides_everything)
{
	fw_conf_site(&conf, "a", "10.1.0.0/24", false);
	conf.c.mr_map_server_count = 0;
	go();
	ASK("10.2.0.5");
	cr_assert_str_eq(negative(), "10.2.0.0/15 15 act1");
}

Test(mr, its_own_address_as_map_server_is_not_asked_by_packet)
{
	fw_conf_site(&conf, "a", "10.1.0.0/24", false);
	fw_conf_mr_server(&conf, "192.0.2.8");
	go();
	ASK("10.2.0.5");
	cr_assert_eq(fw_sent_count(mr, XTR_MSG_MAP_REQUEST), 0);
	cr_assert_str_eq(negative(), "10.2.0.0/15 15 act1");
}
