// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Map-Server: subscriptions (RFC 9437). */
#include "ms_lab.h"
#include "xtr/abi.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static uint8_t buf[65536];

TestSuite(pubsub, .init = ms_up, .fini = ms_down);

Test(pubsub, RFC9437_5_a_subscription_is_acknowledged_with_its_nonce_and_the_mapping)
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

Test(pubsub, RFC9437_6_every_change_is_published_with_the_next_nonce)
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

Test(pubsub, RFC9437_6_changes_of_more_specifics_too)
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

Test(pubsub, RFC9437_5_nonces_have_to_grow)
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

Test(pubsub, RFC9437_6_without_acknowledgement_the_subscription_ends)
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
Test(pubsub, RFC9301_5_7_a_confirmed_subscriber_is_told_seven_times)
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

Test(pubsub, RFC9437_7_forged_subscriptions_do_not_keep_others_out)
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
Test(pubsub, RFC9437_7_a_forged_nonce_does_not_lock_the_subscriber_out)
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

Test(pubsub, RFC9437_7_nobody_unsubscribes_another)
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

Test(pubsub, RFC9437_5_unsubscribing_is_confirmed_to_the_source)
{
	struct xtr_record rec;

	reg(0, STAR);
	subscribe(50, SUB, SUB, STAR, 700);
	ack(SUB);
	subscribe(50, SUB, NULL, STAR, 701);
	cr_expect_eq(published(&rec), 701);
	cr_expect_eq(last_sent(XTR_MSG_MAP_NOTIFY)->dst.a[0], 198);
	reg(1, STAR);
	cr_expect_eq(notifies(), 2);
	fw_run(w, 5000);
	subscribe(50, SUB, SUB, STAR, 701); /* its nonce is not forgotten */
	cr_expect_eq(notifies(), 2);
}

Test(pubsub, RFC9437_7_nobody_subscribes_a_third_party)
{
	struct xtr_map_reply m;
	struct xtr_record rec;
	struct fw_packet *p;

	reg(0, STAR);
	subscribe(50, SUB, "203.0.113.9", STAR, 700);
	cr_expect_eq(notifies(), 0);
	p = last_sent(XTR_MSG_MAP_REPLY);
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

Test(pubsub, RFC9437_5_what_is_not_registered_is_answered_negatively)
{
	subscribe(50, SUB, SUB, STAR, 700);
	cr_expect_eq(notifies(), 0);
	cr_expect_eq(fw_sent_count(ms, XTR_MSG_MAP_REPLY), 1);
}

Test(pubsub, RFC9437_7_subscriptions_of_one_xTR_are_bounded)
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

Test(pubsub, RFC9437_7_an_acknowledgement_needs_the_key)
{
	struct fw_packet *p;

	reg(0, STAR);
	subscribe(50, SUB, SUB, STAR, 700);
	p = last_sent(XTR_MSG_MAP_NOTIFY);
	memcpy(buf, p->buf, p->len); /* its own MAC, but another type: forged */
	buf[0] = (uint8_t)(XTR_MSG_MAP_NOTIFY_ACK << 4 | (buf[0] & 15));
	fw_inject(ms, SUB, 4342, buf, p->len);
	fw_run(w, 4000);
	cr_expect_eq(notifies(), 2, "still waiting");
}

Test(pubsub, subscriptions_follow_the_configuration)
{
	static struct fw_conf c;

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

/* ---- what a publication says: "10.1.2.0/24 gone, 10.1.0.0/16 192.0.2.1" */

static const char *told(unsigned i)
{
	static char out[4096];
	struct fw_packet *p = fw_sent(ms, XTR_MSG_MAP_NOTIFY, i);
	struct xtr_register m;
	struct xtr_locator l;
	struct xtr_record rec;
	size_t at = 0;

	cr_assert(p);
	cr_assert_eq(xtr_register_decode_head(p->buf, p->len, &m), 0);
	cr_assert_eq(xtr_register_decode_body(&m), 0);
	out[0] = 0;
	while (xtr_record_next(&m.records, &rec)) {
		struct xtr_rd it = { 0 };
		char s[128];

		at += (size_t)snprintf(out + at, sizeof(out) - at, "%s%s%s", at ? ", " : "", eid_of(&rec) + strlen("[0]"),
				       rec.ttl ? "" : " gone");
		while (xtr_locator_next(&rec, &it, &l))
			at += (size_t)snprintf(out + at, sizeof(out) - at, " %s", xtr_addr_str(&l.addr, s, sizeof(s)));
	}
	return out;
}

static const char *told_last(void)
{
	cr_assert(notifies());
	return told(notifies() - 1);
}

/* xTR i registers, or (ttl 0) withdraws, these. */
static void put(unsigned i, const struct fw_rec *recs, unsigned n)
{
	struct fw_reg r = { .nonce = ++nonce, .flags = XTR_REG_P, .xtr_id = id_of(i) };

	fw_inject(ms, rloc_of(i), 4342, buf, fw_make_register(buf, sizeof(buf), &r, recs, n));
}

static const struct fw_rec less = FW_REC("10.1.0.0/16", 1440, "192.0.2.1");
static const struct fw_rec more = FW_REC("10.1.2.0/24", 1440, "192.0.2.2");
static const struct fw_rec more_gone = { .eid = "10.1.2.0/24" };

/* It would send to the locators of the one that is gone until the TTL ends. */
Test(pubsub, RFC9437_6_a_more_specific_that_is_gone_is_said_to_be_gone)
{
	put(0, &less, 1);
	put(1, &more, 1);
	subscribe(50, SUB, SUB, "10.1.2.0/24", 700);
	cr_expect_str_eq(told_last(), "10.1.2.0/24 192.0.2.2");
	ack(SUB);
	put(1, &more_gone, 1);
	cr_expect_str_eq(told_last(), "10.1.2.0/24 gone, 10.1.0.0/16 192.0.2.1");
}

Test(pubsub, RFC9437_6_who_subscribed_to_the_less_specific_hears_of_that_too)
{
	put(0, &less, 1);
	subscribe(50, SUB, SUB, "10.1.0.0/16", 700);
	ack(SUB);
	put(1, &more, 1);
	cr_expect_str_eq(told_last(), "10.1.2.0/24 192.0.2.2");
	ack(SUB);
	put(1, &more_gone, 1);
	cr_expect_str_eq(told_last(), "10.1.2.0/24 gone, 10.1.0.0/16 192.0.2.1");
}

/* What is gone is what the subscriber was told of, not what it had asked for. */
Test(pubsub, RFC9437_6_what_covers_the_EID_and_is_gone_is_said_to_be_gone)
{
	const struct fw_rec wide = FW_REC("10.0.0.0/8", 1440, "192.0.2.3");
	const struct fw_rec gone = { .eid = "10.1.0.0/16" };

	put(0, &less, 1);
	subscribe(50, SUB, SUB, "10.1.2.3/32", 700);
	cr_expect_str_eq(told_last(), "10.1.0.0/16 192.0.2.1");
	ack(SUB);
	put(2, &wide, 1);
	cr_expect_eq(notifies(), 1, "the longer one still answers");
	put(0, &gone, 1);
	cr_expect_str_eq(told_last(), "10.1.0.0/16 gone, 10.0.0.0/8 192.0.2.3");
}

Test(pubsub, RFC9437_6_SG_is_told_of_the_receivers_of_any_source)
{
	struct xtr_record rec;

	reg(0, "(198.51.100.7," G ")");
	subscribe(50, SUB, SUB, "(198.51.100.7," G ")", 700);
	ack(SUB);
	reg(1, STAR);
	published(&rec);
	cr_expect_str_eq(eid_of(&rec), "[0](198.51.100.7/32," G "/32)");
	cr_expect_str_eq(rle_of(&rec), "192.0.2.1@128 192.0.2.2@128");
}

/* Site b has a key of its own, and nothing registered. */
static void two_sites(void)
{
	static struct fw_conf c;

	fw_conf_init(&c);
	fw_conf_rloc(&c, "192.0.2.100");
	fw_conf_site(&c, "a", "10.0.0.0/8", true);
	fw_conf_site(&c, "b", "10.1.0.0/16", false);
	fw_reconfigure(ms, &c);
}

Test(pubsub, RFC9301_8_3_a_site_is_not_answered_for_by_the_one_around_it)
{
	const struct fw_rec wide = FW_REC("10.0.0.0/8", 1440, "192.0.2.3");
	const struct fw_rec wide_gone = { .eid = "10.0.0.0/8" };

	two_sites();
	put(2, &wide, 1);
	subscribe(50, SUB, SUB, "10.1.0.0/16", 700);
	cr_expect_eq(notifies(), 0);
	cr_expect_eq(fw_sent_count(ms, XTR_MSG_MAP_REPLY), 1, "negative, as for any Map-Request");
	put(0, &less, 1);
	fw_run(w, 5000);
	subscribe(50, SUB, SUB, "10.1.0.0/16", 701);
	ack(SUB);
	put(2, &wide_gone, 1);
	put(2, &wide, 1);
	cr_expect_eq(notifies(), 1);
}

Test(pubsub, RFC9437_6_what_a_reload_removes_is_published)
{
	static struct fw_conf c;

	put(0, &less, 1);
	put(1, &more, 1);
	subscribe(50, SUB, SUB, "10.1.2.0/24", 700);
	ack(SUB);
	fw_conf_init(&c);
	fw_conf_rloc(&c, "192.0.2.100");
	fw_conf_site(&c, "eids", "10.1.0.0/16", false);
	fw_reconfigure(ms, &c);
	cr_expect_str_eq(told_last(), "10.1.2.0/24 gone, 10.1.0.0/16 192.0.2.1");
}

/* ---- many changes */

static const char *third(unsigned i)
{
	static char eid[200][24];

	snprintf(eid[i % 200], sizeof(eid[0]), "10.%u.%u.0/24", 1 + i / 200, i % 200);
	return eid[i % 200];
}

static bool heard_of(unsigned from, const char *eid)
{
	for (unsigned i = from; i < notifies(); i++)
		if (strstr(told(i), eid))
			return true;
	return false;
}

/* One Map-Register of six: no message for each. */
Test(pubsub, RFC9437_6_each_of_many_changes_is_told_in_few_messages)
{
	const struct fw_rec wide = FW_REC("10.0.0.0/8", 1440, "192.0.2.1");
	struct fw_rec six[6];
	unsigned from;

	put(0, &wide, 1);
	subscribe(50, SUB, SUB, "10.0.0.0/8", 700);
	ack(SUB);
	from = notifies();
	for (unsigned i = 0; i < 6; i++)
		six[i] = (struct fw_rec)FW_REC(third(i), 1440, "192.0.2.2");
	put(1, six, 6);
	fw_run(w, 30);
	ack(SUB);
	ack(SUB);
	fw_run(w, 100000);
	for (unsigned i = 0; i < 6; i++)
		cr_expect(heard_of(from, third(i)), "%s", third(i));
	cr_expect_eq(notifies() - from, 2);
}

/* 150 records do not fit into a packet. */
Test(pubsub, RFC9437_6_more_than_one_message_holds_is_told_in_several)
{
	const struct fw_rec wide = FW_REC("10.0.0.0/8", 1440, "192.0.2.1");
	struct fw_rec one;
	unsigned from;

	put(0, &wide, 1);
	subscribe(50, SUB, SUB, "10.0.0.0/8", 700);
	ack(SUB);
	from = notifies();
	for (unsigned i = 0; i < 150; i++) {
		one = (struct fw_rec)FW_REC(third(i), 1440, "192.0.2.2");
		put(1, &one, 1);
	}
	cr_expect_eq(notifies() - from, 1, "one at a time is on its way");
	for (unsigned i = 0; i < 12; i++) {
		cr_expect_leq(last_sent(XTR_MSG_MAP_NOTIFY)->len, 576 - 28);
		ack(SUB);
	}
	for (unsigned i = 0; i < 150; i++)
		cr_expect(heard_of(from, third(i)), "%s", third(i));
	cr_expect_eq(notifies() - from, 10, "of 576 octets at most");
	fw_run(w, 100000);
	cr_expect_eq(notifies() - from, 10, "all is acknowledged");
}

/* The message about the first state is acknowledged after the second one came to be. */
Test(pubsub, RFC9437_6_what_changes_again_on_the_way_is_told_again)
{
	const struct fw_rec moved = FW_REC("10.1.0.0/16", 1440, "192.0.2.7");
	const struct fw_rec back = FW_REC("10.1.0.0/16", 1440, "192.0.2.8");

	put(0, &less, 1);
	subscribe(50, SUB, SUB, "10.1.0.0/16", 700);
	ack(SUB);
	put(0, &moved, 1);
	put(0, &back, 1);
	cr_expect_str_eq(told_last(), "10.1.0.0/16 192.0.2.7");
	ack(SUB);
	cr_expect_str_eq(told_last(), "10.1.0.0/16 192.0.2.8");
}

/* Whose address may be forged is sent no more than the repetitions, and keeps little here. */
Test(pubsub, RFC9437_7_who_never_acknowledged_gets_no_message_per_change)
{
	struct fw_rec one;

	put(0, &less, 1);
	subscribe(50, SUB, SUB, "10.1.0.0/16", 700);
	for (unsigned i = 0; i < 5; i++) {
		one = (struct fw_rec)FW_REC(third(i), 1440, "192.0.2.2");
		put(1, &one, 1);
	}
	cr_expect_eq(notifies(), 1);
	for (unsigned i = 5; i < 50; i++) {
		one = (struct fw_rec)FW_REC(third(i), 1440, "192.0.2.2");
		put(1, &one, 1);
	}
	fw_run(w, 100000);
	cr_expect_eq(notifies(), 2, "too many: ended, and told so");
}

/* ---- how it ends */

Test(pubsub, RFC9437_5_unsubscribing_is_confirmed_as_often_as_it_is_asked)
{
	struct xtr_record rec;

	put(0, &less, 1);
	subscribe(50, SUB, SUB, "10.1.0.0/16", 700);
	ack(SUB);
	subscribe(50, SUB, NULL, "10.1.0.0/16", 701);
	cr_expect_eq(notifies(), 2);
	fw_run(w, 4000);
	subscribe(50, SUB, NULL, "10.1.0.0/16", 701); /* the confirmation was lost */
	cr_expect_eq(notifies(), 3);
	cr_expect_eq(published(&rec), 701);
	fw_run(w, 4000);
	subscribe(51, SUB, NULL, "10.1.0.0/16", 5); /* not known (any more) */
	cr_expect_eq(notifies(), 4);
	cr_expect_eq(published(&rec), 5);
	for (unsigned i = 0; i < 1000; i++)
		subscribe(52, SUB, NULL, "10.1.0.0/16", 5);
	cr_expect_lt(notifies(), 100, "at the rate of Map-Replies");
}

/* The next publications would start at 0 again: replays, for the subscriber. */
Test(pubsub, RFC9437_7_a_nonce_that_has_no_successors_is_refused)
{
	struct xtr_record rec;

	put(0, &less, 1);
	subscribe(50, SUB, SUB, "10.1.0.0/16", 700);
	ack(SUB);
	fw_run(w, 5000);
	subscribe(50, SUB, SUB, "10.1.0.0/16", UINT64_MAX);
	cr_expect_eq(notifies(), 1);
	put(1, &more, 1);
	cr_expect_eq(published(&rec), 701);
}

/* ---- what a request costs that anybody can send */

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Whether the ITR-RLOC is the subscriber's is looked up, not searched for: 20000 xTRs have registered. */
Test(pubsub, RFC9437_7_a_forged_request_costs_little)
{
	double t0;

	put(0, &less, 1);
	for (unsigned i = 1; i <= 20000; i++) {
		struct fw_rec one = FW_REC(third(i), 1440, "192.0.2.2");

		put(i, &one, 1);
		one = (struct fw_rec){ .eid = third(i) };
		put(i, &one, 1);
	}
	t0 = cpu_ms();
	for (unsigned i = 0; i < 500; i++)
		subscribe(30000 + i, SUB, "203.0.113.9", "10.1.0.0/16", 700);
	cr_expect_lt(cpu_ms() - t0, 100);
}
