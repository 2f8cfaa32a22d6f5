// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Map-Server: groups (RFC 8378 5; M-n are its rules, one by one) and subscriptions (RFC 9437).
 *
 *   Map-Server 192.0.2.100; receivers 192.0.2.1 .., each with an xTR-ID of its own
 */
#include "fake_world.h"
#include "push_help.h"
#include "xtr/abi.h"

#include "codec/auth.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define G "233.252.0.1"
#define STAR "(*," G ")"

static struct fw *w;
static struct fw_node *ms;
static uint8_t buf[65536];
static uint64_t nonce;

static void conf_ms(struct fw_conf *c)
{
	fw_conf_init(c);
	fw_conf_rloc(c, "192.0.2.100");
	fw_conf_site(c, "groups", "(*,224.0.0.0/4)", true);
	fw_conf_site(c, "eids", "10.0.0.0/8", true);
}

static void up(void)
{
	struct fw_conf c;

	w = fw_new();
	conf_ms(&c);
	ms = fw_start(w, "ms", &c);
	nonce = 1000;
}

static void down(void)
{
	fw_free(w);
}

static const uint8_t *id_of(unsigned i)
{
	static uint8_t ids[4][16];
	uint8_t *id = ids[i % 4];

	memset(id, 0, 16);
	id[14] = (uint8_t)(i >> 8);
	id[15] = (uint8_t)i;
	return id;
}

static const char *rloc_of(unsigned i)
{
	static char text[4][32];

	snprintf(text[i % 4], sizeof(text[0]), "192.0.%u.%u", 2 + i / 200, 1 + i % 200);
	return text[i % 4];
}

static void reg_more(unsigned i, const char *eid, const char *rlocs, struct group_reg r)
{
	r.nonce = ++nonce;
	r.flags |= XTR_REG_MERGE | XTR_REG_P;
	r.xtr_id = r.xtr_id ? r.xtr_id : id_of(i);
	fw_inject(ms, rloc_of(i), 4342, buf,
		  make_group_register(buf, sizeof(buf), eid, rlocs, &r));
}

static void reg(unsigned i, const char *eid)
{
	reg_more(i, eid, rloc_of(i), (struct group_reg){ 0 });
}

static void withdraw(unsigned i, const char *eid)
{
	reg_more(i, eid, "", (struct group_reg){ .withdraw = true });
}

static struct fw_packet *last(int type)
{
	unsigned n = fw_sent_count(ms, type);

	return n ? fw_sent(ms, type, n - 1) : NULL;
}

/* The record of the answer to a Map-Request; the world waits so long that it is not limited. */
static struct xtr_record ask(const char *eid)
{
	static struct xtr_map_reply m;
	const struct fw_req req = { .nonce = ++nonce, .eid = eid, .itr_rloc = "198.51.100.1" };
	struct xtr_record rec;
	struct fw_packet *p;

	fw_run(w, 4000);
	fw_inject(ms, "198.51.100.1", 4342, buf, fw_make_request(buf, sizeof(buf), &req));
	p = last(XTR_MSG_MAP_REPLY);
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

static const char *eid_of(const struct xtr_record *rec)
{
	static char text[XTR_EID_STRLEN];
	struct xtr_eid_prefix e;

	cr_assert_eq(xtr_eid_from_addr(&rec->eid, rec->mask_len, &e, NULL), 0);
	return xtr_eid_str(&e, text);
}

/* ---- RFC 8378 */

Test(ms_group, RFC8378_5_1_3_registrations_of_all_ETRs_are_one_list, .init = up, .fini = down)
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

Test(ms_group, RFC8378_5_1_3_an_ETR_controls_its_own_entries_only, .init = up, .fini = down)
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

Test(ms_group, RFC8378_5_1_3_an_RLOC_is_once_per_level, .init = up, .fini = down)
{
	reg_more(0, STAR, "192.0.2.9", (struct group_reg){ 0 });
	reg_more(1, STAR, "192.0.2.9 192.0.2.8", (struct group_reg){ 0 });
	reg_more(2, STAR, "192.0.2.9", (struct group_reg){ .level = 1 });
	cr_expect_str_eq(receivers(STAR), "192.0.2.9@1 192.0.2.8@128 192.0.2.9@128");
	withdraw(1, STAR);
	cr_expect_str_eq(receivers(STAR), "192.0.2.9@1 192.0.2.9@128");
}

Test(ms_group, M6_M7_an_entry_leaves_with_its_registration, .init = up, .fini = down)
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

Test(ms_group, RFC8378_5_1_3_an_empty_list_is_no_registration, .init = up, .fini = down)
{
	reg(0, STAR);
	reg_more(0, STAR, "", (struct group_reg){ 0 });
	cr_expect_str_eq(registered(ms, STAR), "");
	cr_expect_eq(ask(STAR).locator_count, 0);
}

Test(ms_group, M25_without_receivers_the_answer_is_drop_for_a_minute, .init = up, .fini = down)
{
	struct xtr_record rec = ask(STAR);

	cr_expect_eq(rec.act, XTR_ACT_DROP);
	cr_expect_eq(rec.ttl, 1);
	cr_expect_eq(rec.locator_count, 0);
	rec = ask("(2001:db8::1,ff05::1)"); /* in nobody's site */
	cr_expect_eq(rec.act, XTR_ACT_DROP);
}

Test(ms_group, M22_SG_gets_the_receivers_of_any_source_too, .init = up, .fini = down)
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

Test(ms_group, M4_groups_are_answered_without_the_P_bit_and_whatever_A_says, .init = up,
     .fini = down)
{
	const struct fw_req req = { .nonce = 5, .eid = STAR, .itr_rloc = "198.51.100.1",
				    .flags = XTR_MREQ_A };

	fw_inject(ms, "192.0.2.1", 4342, buf,
		  make_group_register(buf, sizeof(buf), STAR, "192.0.2.1",
				      &(struct group_reg){ .nonce = 1, .xtr_id = id_of(0) }));
	fw_inject(ms, "198.51.100.1", 4342, buf, fw_make_request(buf, sizeof(buf), &req));
	cr_expect(last(XTR_MSG_MAP_REPLY));
	cr_expect_eq(fw_counter(ms, XTR_NODE_TX_FORWARDED), 0);
}

/* A list is one locator record: it cannot be split as RFC 9301 5 wants of messages above 576
 * octets, and is sent whole. */
Test(ms_group, a_large_group_is_answered_whole, .init = up, .fini = down)
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

Test(ms_group, a_large_group_of_IPv6_receivers, .init = up, .fini = down)
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

Test(ms_group, a_notify_confirms_with_the_whole_list, .init = up, .fini = down)
{
	struct xtr_register m;
	struct xtr_record rec;
	struct fw_packet *p;

	for (unsigned i = 0; i < 100; i++)
		reg(i, STAR);
	reg_more(7, STAR, rloc_of(7), (struct group_reg){ .flags = XTR_REG_M });
	p = last(XTR_MSG_MAP_NOTIFY);
	cr_assert(p);
	cr_assert_eq(xtr_register_decode_head(p->buf, p->len, &m), 0);
	cr_assert_eq(xtr_register_decode_body(&m), 0);
	cr_assert(xtr_record_next(&m.records, &rec));
	cr_expect_eq(rec.locator_count, 1);
	cr_expect(rec.wire_len > 1000);
}

Test(ms_group, groups_survive_a_restart, .init = up, .fini = down)
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

Test(ms_group, receivers_of_one_IP_without_merge_bit_do_not_push_others_out, .init = up,
     .fini = down)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct group_reg r = { .nonce = ++nonce };

		fw_inject(ms, rloc_of(i), 4342, buf,
			  make_group_register(buf, sizeof(buf), STAR, rloc_of(i), &r));
	}
	cr_expect_str_eq(receivers(STAR), "192.0.2.1@128 192.0.2.2@128");
}

/* ---- RFC 9437 */

static void subscribe(unsigned i, const char *from, const char *itr_rloc, const char *eid,
		      uint64_t n)
{
	const struct xtr_ip rloc = itr_rloc ? fw_ip(itr_rloc) : (struct xtr_ip){ 0 };
	const struct xtr_ip src = fw_ip(from), to = fw_ip("192.0.2.100");
	const struct xtr_eid_prefix e = fw_eid(eid);
	static const uint8_t site[8];
	const struct xtr_mreq_out m = { .flags = XTR_MREQ_I,
					.nonce = n,
					.itr_rlocs = &rloc,
					.itr_rloc_count = 1,
					.eid = &e,
					.subscribe = true,
					.xtr_id = id_of(i),
					.site_id = site };
	uint8_t msg[512];
	struct xtr_wr r = xtr_wr_init(msg, sizeof(msg)), o = xtr_wr_init(buf, sizeof(buf));

	xtr_map_request_encode(&r, &m);
	xtr_ecm_encode(&o, &src, 4342, &to, 4342, msg, xtr_wr_len(&r));
	cr_assert(!r.err && !o.err);
	fw_inject(ms, from, 4342, buf, xtr_wr_len(&o));
}

/* The last Map-Notify: its nonce; *rec its first record. */
static uint64_t published(struct xtr_record *rec)
{
	static struct xtr_register m;
	struct fw_packet *p = last(XTR_MSG_MAP_NOTIFY);

	cr_assert(p);
	cr_assert_eq(xtr_register_decode_head(p->buf, p->len, &m), 0);
	cr_assert_eq(xtr_auth_verify(p->buf, p->len, m.auth_off, m.auth_len, m.type, m.alg_id,
				     m.nonce, fw_key.secret, fw_key.secret_len),
		     0);
	cr_assert_eq(xtr_register_decode_body(&m), 0);
	cr_assert(xtr_record_next(&m.records, rec));
	return m.nonce;
}

static void ack(const char *from)
{
	struct fw_packet *p = last(XTR_MSG_MAP_NOTIFY);
	struct xtr_register m;
	struct xtr_wr r = xtr_wr_init(buf, sizeof(buf));

	cr_assert_eq(xtr_register_decode_head(p->buf, p->len, &m), 0);
	cr_assert_eq(xtr_register_decode_body(&m), 0);
	m.type = XTR_MSG_MAP_NOTIFY_ACK;
	xtr_register_reencode(&r, &m);
	cr_assert_eq(xtr_auth_sign(buf, xtr_wr_len(&r), m.auth_off, m.auth_len, m.type, m.alg_id,
				   m.nonce, fw_key.secret, fw_key.secret_len),
		     0);
	fw_inject(ms, from, 4342, buf, xtr_wr_len(&r));
}

static unsigned notifies(void)
{
	return fw_sent_count(ms, XTR_MSG_MAP_NOTIFY);
}

#define SUB "198.51.100.1" /* the subscriber */

Test(pubsub, RFC9437_5_a_subscription_is_acknowledged_with_its_nonce_and_the_mapping, .init = up,
     .fini = down)
{
	struct xtr_record rec;

	reg(0, STAR);
	subscribe(50, SUB, SUB, STAR, 700);
	cr_expect_eq(published(&rec), 700);
	cr_expect_str_eq(rle_of(&rec), "192.0.2.1@128");
	cr_expect_eq(fw_sent_count(ms, XTR_MSG_MAP_REPLY), 0);
	cr_expect_eq(fw_counter(ms, XTR_NODE_SUBSCRIPTIONS), 1);
	ack(SUB);
	fw_run(w, 60000);
	cr_expect_eq(notifies(), 1, "acknowledged: not repeated");
	cr_expect_eq(fw_counter(ms, XTR_NODE_DROP_NONCE), 0);
}

Test(pubsub, RFC9437_6_every_change_is_published_with_the_next_nonce, .init = up, .fini = down)
{
	struct xtr_record rec;

	reg(0, STAR);
	subscribe(50, SUB, SUB, STAR, 700);
	ack(SUB);
	reg(1, STAR);
	cr_expect_eq(published(&rec), 701);
	cr_expect_str_eq(rle_of(&rec), "192.0.2.1@128 192.0.2.2@128");
	ack(SUB);
	reg(1, STAR); /* a refresh is no change */
	cr_expect_eq(notifies(), 2);
	withdraw(0, STAR);
	cr_expect_eq(published(&rec), 702);
	cr_expect_str_eq(rle_of(&rec), "192.0.2.2@128");
	ack(SUB);
	withdraw(1, STAR);
	cr_expect_eq(published(&rec), 703);
	cr_expect_eq(rec.ttl, 0, "the prefix is gone");
	cr_expect_eq(rec.locator_count, 0);
}

Test(pubsub, RFC9437_6_changes_of_more_specifics_too, .init = up, .fini = down)
{
	const struct fw_rec less = FW_REC("10.1.0.0/16", 1440, "192.0.2.1");
	const struct fw_rec more = FW_REC("10.1.2.0/24", 1440, "192.0.2.2");
	const struct fw_rec other = FW_REC("10.2.0.0/16", 1440, "192.0.2.3");
	struct fw_reg r = { .nonce = 1, .flags = XTR_REG_P, .xtr_id = id_of(1) };
	struct xtr_record rec;

	fw_inject(ms, "192.0.2.1", 4342, buf, fw_make_register(buf, sizeof(buf), &r, &less, 1));
	subscribe(50, SUB, SUB, "10.1.0.0/16", 700);
	ack(SUB);
	r.nonce++;
	fw_inject(ms, "192.0.2.1", 4342, buf, fw_make_register(buf, sizeof(buf), &r, &more, 1));
	cr_expect_eq(published(&rec), 701);
	cr_expect_str_eq(eid_of(&rec), "[0]10.1.2.0/24");
	ack(SUB);
	r.nonce++;
	fw_inject(ms, "192.0.2.1", 4342, buf, fw_make_register(buf, sizeof(buf), &r, &other, 1));
	cr_expect_eq(notifies(), 2);
}

Test(pubsub, RFC9437_5_nonces_have_to_grow, .init = up, .fini = down)
{
	struct xtr_record rec;

	reg(0, STAR);
	subscribe(50, SUB, SUB, STAR, 700);
	ack(SUB);
	subscribe(50, SUB, SUB, STAR, 700);
	subscribe(50, SUB, SUB, STAR, 600);
	cr_expect_eq(notifies(), 1, "silently");
	cr_expect_eq(fw_counter(ms, XTR_NODE_DROP_REPLAY), 2);
	fw_run(w, 5000);
	subscribe(50, SUB, SUB, STAR, 701);
	cr_expect_eq(published(&rec), 701);
}

Test(pubsub, RFC9437_6_without_acknowledgement_the_subscription_ends, .init = up, .fini = down)
{
	char times[256];
	struct xtr_record rec;

	reg(0, STAR);
	subscribe(50, SUB, SUB, STAR, 700);
	fw_run(w, 200000);
	cr_expect_str_eq(fw_sent_times(ms, XTR_MSG_MAP_NOTIFY, times, sizeof(times)),
			 "0 3000 6000 9000");
	cr_expect_eq(published(&rec), 700);
	cr_expect_eq(rec.act, XTR_ACT_DROP_AUTH, "ACT 5, no locators, the same nonce");
	cr_expect_eq(rec.locator_count, 0);
	reg(0, STAR);
	reg(1, STAR);
	cr_expect_eq(notifies(), 4);
}

/* Who has shown the key is worth more tries than an address that may be forged. */
Test(pubsub, RFC9301_5_7_a_confirmed_subscriber_is_told_seven_times, .init = up, .fini = down)
{
	char times[256];

	reg(0, STAR);
	subscribe(50, SUB, SUB, STAR, 700);
	ack(SUB);
	fw_run(w, 1000);
	reg(1, STAR);
	fw_run(w, 170000);
	cr_expect_str_eq(fw_sent_times(ms, XTR_MSG_MAP_NOTIFY, times, sizeof(times)),
			 "0 1000 4000 7000 10000 13000 19000 31000 55000");
}

Test(pubsub, RFC9437_7_forged_subscriptions_do_not_keep_others_out, .init = up, .fini = down)
{
	struct xtr_record rec;
	unsigned told = 0;

	reg(0, STAR);
	for (unsigned i = 0; i < 5000; i++) {
		char from[32];

		snprintf(from, sizeof(from), "10.%u.%u.1", i >> 8, i & 255);
		subscribe(10000 + i, from, from, STAR, 700);
	}
	subscribe(50, SUB, SUB, STAR, 800);
	cr_expect_eq(published(&rec), 800);
	ack(SUB);
	reg(1, STAR);
	for (unsigned i = 0; i < notifies(); i++) {
		const struct xtr_ip dst = fw_sent(ms, XTR_MSG_MAP_NOTIFY, i)->dst, sub = fw_ip(SUB);

		told += !xtr_ip_cmp(&dst, &sub);
	}
	cr_expect_eq(told, 2);
}

/* With the address and the xTR-ID of the subscriber, but not its key. */
Test(pubsub, RFC9437_7_a_forged_nonce_does_not_lock_the_subscriber_out, .init = up, .fini = down)
{
	struct xtr_record rec;

	reg(0, STAR);
	subscribe(50, SUB, SUB, STAR, 700);
	ack(SUB);
	fw_run(w, 5000);
	subscribe(50, SUB, SUB, STAR, UINT64_MAX - 5);
	fw_run(w, 200000); /* nobody acknowledges that */
	reg(0, STAR);
	subscribe(50, SUB, SUB, STAR, 701);
	cr_expect_eq(published(&rec), 701);
	ack(SUB);
	reg(1, STAR);
	cr_expect_eq(published(&rec), 702);
}

Test(pubsub, RFC9437_7_nobody_unsubscribes_another, .init = up, .fini = down)
{
	struct xtr_record rec;

	reg(0, STAR);
	subscribe(50, SUB, SUB, STAR, 700);
	ack(SUB);
	subscribe(50, "203.0.113.9", NULL, STAR, 701);
	cr_expect_eq(notifies(), 1);
	reg(1, STAR);
	cr_expect_eq(published(&rec), 701, "still subscribed");
}

Test(pubsub, RFC9437_5_unsubscribing_is_confirmed_to_the_source, .init = up, .fini = down)
{
	struct xtr_record rec;

	reg(0, STAR);
	subscribe(50, SUB, SUB, STAR, 700);
	ack(SUB);
	subscribe(50, SUB, NULL, STAR, 701);
	cr_expect_eq(published(&rec), 701);
	cr_expect_eq(last(XTR_MSG_MAP_NOTIFY)->dst.a[0], 198);
	reg(1, STAR);
	cr_expect_eq(notifies(), 2);
	fw_run(w, 5000);
	subscribe(50, SUB, SUB, STAR, 701); /* its nonce is not forgotten */
	cr_expect_eq(notifies(), 2);
}

Test(pubsub, RFC9437_7_nobody_subscribes_a_third_party, .init = up, .fini = down)
{
	struct xtr_map_reply m;
	struct xtr_record rec;
	struct fw_packet *p;

	reg(0, STAR);
	subscribe(50, SUB, "203.0.113.9", STAR, 700);
	cr_expect_eq(notifies(), 0);
	p = last(XTR_MSG_MAP_REPLY);
	cr_assert(p);
	cr_assert_eq(xtr_map_reply_decode(p->buf, p->len, &m), 0);
	cr_assert(xtr_record_next(&m.records, &rec));
	cr_expect_eq(rec.act, XTR_ACT_DROP_POLICY);
	/* An RLOC that this very xTR registered from, authenticated, is its own, though the request
	 * comes by way of another Map-Resolver. */
	reg(7, "(*,233.252.0.7)");
	subscribe(7, SUB, rloc_of(7), STAR, 800);
	cr_expect_eq(published(&rec), 800);
}

Test(pubsub, RFC9437_5_what_is_not_registered_is_answered_negatively, .init = up, .fini = down)
{
	subscribe(50, SUB, SUB, STAR, 700);
	cr_expect_eq(notifies(), 0);
	cr_expect_eq(fw_sent_count(ms, XTR_MSG_MAP_REPLY), 1);
}

Test(pubsub, RFC9437_7_subscriptions_of_one_xTR_are_bounded, .init = up, .fini = down)
{
	char eid[64];

	for (unsigned i = 0; i < 100; i++) {
		snprintf(eid, sizeof(eid), "(*,233.252.1.%u)", i);
		reg(0, eid);
		subscribe(50, SUB, SUB, eid, 700 + i);
		fw_run(w, 10);
		if (i < 64)
			ack(SUB);
	}
	cr_expect_eq(fw_counter(ms, XTR_NODE_SUBSCRIPTIONS), 64);
	cr_expect_eq(fw_sent_count(ms, XTR_MSG_MAP_REPLY), 36, "ACT 4");
}

Test(pubsub, RFC9437_7_an_acknowledgement_needs_the_key, .init = up, .fini = down)
{
	struct fw_packet *p;

	reg(0, STAR);
	subscribe(50, SUB, SUB, STAR, 700);
	p = last(XTR_MSG_MAP_NOTIFY);
	memcpy(buf, p->buf, p->len); /* its own MAC, but another type: forged */
	buf[0] = (uint8_t)(XTR_MSG_MAP_NOTIFY_ACK << 4 | (buf[0] & 15));
	fw_inject(ms, SUB, 4342, buf, p->len);
	fw_run(w, 4000);
	cr_expect_eq(notifies(), 2, "still waiting");
}

Test(pubsub, subscriptions_follow_the_configuration, .init = up, .fini = down)
{
	struct fw_conf c;

	reg(0, STAR);
	subscribe(50, SUB, SUB, STAR, 700);
	ack(SUB);
	fw_conf_init(&c);
	fw_conf_rloc(&c, "192.0.2.100");
	fw_conf_site(&c, "eids", "10.0.0.0/8", true);
	fw_reconfigure(ms, &c);
	fw_run(w, 200000);
	cr_expect_eq(notifies(), 1);
}
