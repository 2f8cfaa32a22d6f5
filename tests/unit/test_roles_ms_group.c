// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Map-Server: groups (RFC 8378 5; M-n are its rules, one by one).
 *
 *   Map-Server 192.0.2.100; receivers 192.0.2.1 .., each with an xTR-ID of its own
 */
#include "ms_lab.h"
#include "xtr/abi.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t buf[65536];

/* The record of the answer to a Map-Request; the world waits so long that it is not limited. */
static struct xtr_record ask(const char *eid)
{
	static struct xtr_map_reply m;
	const struct fw_req req = { .nonce = ++nonce, .eid = eid, .itr_rloc = "198.51.100.1" };
	struct xtr_record rec;
	struct fw_packet *p;

	fw_run(w, 4000);
	fw_inject(ms, "198.51.100.1", 4342, buf, fw_make_request(buf, sizeof(buf), &req));
	p = last_sent(XTR_MSG_MAP_REPLY);
	cr_assert(p);
	cr_assert_eq(xtr_map_reply_decode(p->buf, p->len, &m), 0);
	cr_assert_eq(m.nonce, nonce);
	cr_assert(xtr_record_next(&m.records, &rec));
	return rec;
}

static const char *receivers(const char *eid)
{
	struct xtr_record rec = ask(eid);

	return rle_of(&rec);
}

/* ---- RFC 8378 */

Test(ms_group, RFC8378_5_1_3_registrations_of_all_ETRs_are_one_list, .init = ms_up, .fini = ms_down)
{
	struct xtr_record rec;

	reg(2, STAR);
	reg(0, STAR);
	reg(1, STAR);
	rec = ask(STAR);
	cr_expect_eq(rec.locator_count, 1);
	cr_expect_not(rec.authoritative);
	cr_expect_str_eq(rle_of(&rec), "192.0.2.1@128 192.0.2.2@128 192.0.2.3@128");
}

Test(ms_group, RFC8378_5_1_3_an_ETR_controls_its_own_entries_only, .init = ms_up, .fini = ms_down)
{
	reg(0, STAR);
	reg(1, STAR);
	reg_more(0, STAR, "192.0.2.77", (struct group_reg){ 0 }); /* moved */
	cr_expect_str_eq(receivers(STAR), "192.0.2.2@128 192.0.2.77@128");
	withdraw(0, STAR);
	cr_expect_str_eq(receivers(STAR), "192.0.2.2@128");
	withdraw(2, STAR); /* of one that was not there */
	cr_expect_str_eq(receivers(STAR), "192.0.2.2@128");
}

Test(ms_group, RFC8378_5_1_3_an_RLOC_is_once_per_level, .init = ms_up, .fini = ms_down)
{
	reg_more(0, STAR, "192.0.2.9", (struct group_reg){ 0 });
	reg_more(1, STAR, "192.0.2.9 192.0.2.8", (struct group_reg){ 0 });
	reg_more(2, STAR, "192.0.2.9", (struct group_reg){ .level = 1 });
	cr_expect_str_eq(receivers(STAR), "192.0.2.9@1 192.0.2.8@128 192.0.2.9@128");
	withdraw(1, STAR);
	cr_expect_str_eq(receivers(STAR), "192.0.2.9@1 192.0.2.9@128");
}

Test(ms_group, M6_M7_an_entry_leaves_with_its_registration, .init = ms_up, .fini = ms_down)
{
	struct xtr_record rec;

	reg(0, STAR);
	fw_run(w, 100000);
	reg(1, STAR);
	fw_run(w, 70000);
	cr_expect_str_eq(receivers(STAR), "192.0.2.1@128 192.0.2.2@128");
	fw_run(w, 10000);
	cr_expect_str_eq(receivers(STAR), "192.0.2.2@128");
	fw_run(w, 100000);
	rec = ask(STAR);
	cr_expect_eq(rec.locator_count, 0);
}

Test(ms_group, RFC8378_5_1_3_an_empty_list_is_no_registration, .init = ms_up, .fini = ms_down)
{
	reg(0, STAR);
	reg_more(0, STAR, "", (struct group_reg){ 0 });
	cr_expect_str_eq(registered(ms, STAR), "");
	cr_expect_eq(ask(STAR).locator_count, 0);
}

Test(ms_group, M25_without_receivers_the_answer_is_drop_for_a_minute, .init = ms_up, .fini = ms_down)
{
	struct xtr_record rec = ask(STAR);

	cr_expect_eq(rec.act, XTR_ACT_DROP);
	cr_expect_eq(rec.ttl, 1);
	cr_expect_eq(rec.locator_count, 0);
	rec = ask("(2001:db8::1,ff05::1)"); /* in nobody's site */
	cr_expect_eq(rec.act, XTR_ACT_DROP);
}

Test(ms_group, M22_SG_gets_the_receivers_of_any_source_too, .init = ms_up, .fini = ms_down)
{
	struct xtr_record rec;

	reg(0, STAR);
	rec = ask("(10.1.1.1," G ")");
	cr_expect_str_eq(eid_of(&rec), "[0](0.0.0.0/0,233.252.0.1/32)");
	cr_expect_str_eq(rle_of(&rec), "192.0.2.1@128");
	reg(1, "(10.1.1.1," G ")");
	rec = ask("(10.1.1.1," G ")");
	cr_expect_str_eq(eid_of(&rec), "[0](10.1.1.1/32,233.252.0.1/32)");
	cr_expect_str_eq(rle_of(&rec), "192.0.2.1@128 192.0.2.2@128");
	reg(1, STAR); /* in both: once */
	cr_expect_str_eq(receivers("(10.1.1.1," G ")"), "192.0.2.1@128 192.0.2.2@128");
	cr_expect_str_eq(receivers("(10.1.1.2," G ")"), "192.0.2.1@128 192.0.2.2@128");
	withdraw(0, STAR);
	withdraw(1, STAR);
	cr_expect_str_eq(receivers("(10.1.1.1," G ")"), "192.0.2.2@128");
}

Test(ms_group, M4_groups_are_answered_without_the_P_bit_and_whatever_A_says, .init = ms_up,
     .fini = ms_down)
{
	const struct fw_req req = { .nonce = 5, .eid = STAR, .itr_rloc = "198.51.100.1",
				    .flags = XTR_MREQ_A };

	fw_inject(ms, "192.0.2.1", 4342, buf,
		  make_group_register(buf, sizeof(buf), STAR, "192.0.2.1",
				      &(struct group_reg){ .nonce = 1, .xtr_id = id_of(0) }));
	fw_inject(ms, "198.51.100.1", 4342, buf, fw_make_request(buf, sizeof(buf), &req));
	cr_expect(last_sent(XTR_MSG_MAP_REPLY));
	cr_expect_eq(fw_counter(ms, XTR_NODE_TX_FORWARDED), 0);
}

/* A list is one locator record: it cannot be split as RFC 9301 5 wants of messages above 576
 * octets, and is sent whole. */
Test(ms_group, a_large_group_is_answered_whole, .init = ms_up, .fini = ms_down)
{
	struct xtr_record rec;
	struct xtr_rd it = { 0 }, rle = { 0 };
	struct xtr_rle_entry e;
	struct xtr_locator l;
	unsigned n = 0;

	for (unsigned i = 0; i < 400; i++)
		reg(i, STAR);
	rec = ask(STAR);
	cr_expect_eq(rec.locator_count, 1);
	cr_assert(xtr_locator_next(&rec, &it, &l));
	while (xtr_lcaf_rle_next(&l.addr, &rle, &e))
		n++;
	cr_expect_eq(n, 400);
	for (unsigned i = 400; i < 600; i++) /* more than a list may have */
		reg(i, STAR);
	rec = ask(STAR);
	it = (struct xtr_rd){ 0 };
	rle = (struct xtr_rd){ 0 };
	cr_assert(xtr_locator_next(&rec, &it, &l));
	for (n = 0; xtr_lcaf_rle_next(&l.addr, &rle, &e);)
		n++;
	cr_expect_eq(n, XTR_LCAF_MAX_RLE);
}

Test(ms_group, a_large_group_of_IPv6_receivers, .init = ms_up, .fini = ms_down)
{
	static char rlocs[32768];
	struct xtr_locator l;
	struct xtr_rd it = { 0 };
	struct xtr_record rec;
	size_t at = 0;

	for (unsigned i = 1; i <= 512; i++)
		at += (size_t)snprintf(rlocs + at, sizeof(rlocs) - at, "2001:db8::%x ", i);
	reg_more(0, STAR, rlocs, (struct group_reg){ 0 });
	rec = ask(STAR);
	cr_assert(xtr_locator_next(&rec, &it, &l));
	cr_expect_eq(l.addr.wire_len, 8 + 512 * 22);
}

Test(ms_group, a_notify_confirms_with_the_whole_list, .init = ms_up, .fini = ms_down)
{
	struct xtr_register m;
	struct xtr_record rec;
	struct fw_packet *p;

	for (unsigned i = 0; i < 100; i++)
		reg(i, STAR);
	reg_more(7, STAR, rloc_of(7), (struct group_reg){ .flags = XTR_REG_M });
	p = last_sent(XTR_MSG_MAP_NOTIFY);
	cr_assert(p);
	cr_assert_eq(xtr_register_decode_head(p->buf, p->len, &m), 0);
	cr_assert_eq(xtr_register_decode_body(&m), 0);
	cr_assert(xtr_record_next(&m.records, &rec));
	cr_expect_eq(rec.locator_count, 1);
	cr_expect(rec.wire_len > 1000);
}

Test(ms_group, groups_survive_a_restart, .init = ms_up, .fini = ms_down)
{
	reg(0, STAR);
	reg(1, STAR);
	reg_more(2, STAR, "192.0.2.3 192.0.2.4", (struct group_reg){ .level = 3 });
	fw_stop(ms);
	fw_run(w, 30000);
	fw_restart(ms);
	fw_run(w, 100);
	cr_expect_str_eq(receivers(STAR), "192.0.2.3@3 192.0.2.4@3 192.0.2.1@128 192.0.2.2@128");
	fw_run(w, 120000);
	reg(0, STAR);
	fw_run(w, 30000);
	cr_expect_str_eq(receivers(STAR), "192.0.2.1@128");
}

Test(ms_group, receivers_of_one_IP_without_merge_bit_do_not_push_others_out, .init = ms_up,
     .fini = ms_down)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct group_reg r = { .nonce = ++nonce };

		fw_inject(ms, rloc_of(i), 4342, buf,
			  make_group_register(buf, sizeof(buf), STAR, rloc_of(i), &r));
	}
	cr_expect_str_eq(receivers(STAR), "192.0.2.1@128 192.0.2.2@128");
}
