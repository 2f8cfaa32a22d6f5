// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ETR: registration. RFC 9301 5.6, 5.7, 8.2, to the millisecond. One ETR (192.0.2.1); its
 * Map-Server 192.0.2.9 exists only as far as a test plays it.
 */
#include "fake_world.h"

#include "codec/auth.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct fw *w;
static struct fw_node *etr;
static struct fw_conf conf;

static void set_up(void)
{
	w = fw_new();
	fw_conf_init(&conf);
	fw_conf_rloc(&conf, "192.0.2.1");
	fw_conf_mapping(&conf, "10.1.0.0/24", "192.0.2.1");
	fw_conf_server(&conf, "192.0.2.9");
}

static void go(void)
{
	etr = fw_start(w, "etr", &conf);
}

static void tear_down(void)
{
	fw_free(w);
}

TestSuite(etr, .init = set_up, .fini = tear_down);

static const char *times(void)
{
	static char buf[4096];

	return fw_sent_times(etr, XTR_MSG_MAP_REGISTER, buf, sizeof(buf));
}

static struct xtr_register reg(unsigned i)
{
	struct fw_packet *p = fw_sent(etr, XTR_MSG_MAP_REGISTER, i);
	struct xtr_register m;

	cr_assert_not_null(p, "Map-Register %u was not sent", i);
	cr_assert_eq(xtr_register_decode_head(p->buf, p->len, &m), 0);
	cr_assert_eq(xtr_auth_verify(p->buf, p->len, m.auth_off, m.auth_len, m.type, m.alg_id,
				     m.nonce, fw_key.secret, fw_key.secret_len),
		     0, "MAC of Map-Register %u", i);
	cr_assert_eq(xtr_register_decode_body(&m), 0);
	return m;
}

/* Answers Map-Register i as a Map-Server would: same records, other type. */
static size_t notify(uint8_t *buf, unsigned i, const struct xtr_key *key)
{
	struct fw_packet *p = fw_sent(etr, XTR_MSG_MAP_REGISTER, i);

	memcpy(buf, p->buf, p->len);
	buf[0] = (uint8_t)(XTR_MSG_MAP_NOTIFY << 4 | (p->buf[0] & 2 ? 8 : 0)); /* I */
	buf[1] = buf[2] = 0;
	cr_assert_eq(xtr_auth_sign(buf, p->len, 16, 32, XTR_MSG_MAP_NOTIFY, key->alg_id,
				   reg(i).nonce, key->secret, key->secret_len),
		     0);
	return p->len;
}

static void ack(unsigned i)
{
	uint8_t buf[2048];

	fw_inject(etr, "192.0.2.9", 4342, buf, notify(buf, i, &fw_key));
}

static struct xtr_db_info db[8];
static unsigned db_count;

static int keep(void *arg, const struct xtr_db_info *i)
{
	if (db_count < 8)
		db[db_count++] = *i;
	return 0;
}

static const struct xtr_db_info *show(void)
{
	db_count = 0;
	xtr_node_walk_db(etr->n, w->now, keep, NULL);
	return db;
}

/* ---- the message */

Test(etr, MS_5_a_map_register_carries_the_prefix_and_its_locators)
{
	struct xtr_register m;
	struct xtr_record rec;
	struct xtr_locator l;
	struct xtr_rd it = { 0 };
	struct xtr_eid_prefix e, want = fw_eid("10.1.0.0/24");
	struct xtr_ip ip;
	char s[64];

	conf.locs[0][0].priority = 3;
	conf.locs[0][0].weight = 70;
	conf.locs[0][1] = (struct xtr_rloc_config){ fw_ip("10.255.0.1"), 4, 30, 255,
						    0 }; /* another xTR of the site */
	conf.mappings[0].rloc_count = 2;
	go();
	fw_until(w, 0);
	m = reg(0);
	cr_assert_eq(m.flags, XTR_REG_M);
	cr_assert_eq(m.record_count, 1);
	cr_assert_eq(m.key_id, 1);
	cr_assert_eq(m.alg_id, XTR_AUTH_SHA256);
	cr_assert(xtr_record_next(&m.records, &rec));
	cr_assert_eq(xtr_eid_from_addr(&rec.eid, rec.mask_len, &e, NULL), 0);
	cr_assert(xtr_eid_equal(&e, &want));
	cr_assert_eq(rec.ttl, 1440);
	cr_assert_eq(rec.locator_count, 2);
	cr_assert(xtr_locator_next(&rec, &it, &l));
	xtr_addr_ip(&l.addr, &ip);
	cr_assert_str_eq(xtr_ip_str(&ip, s), "10.255.0.1", "sorted");
	cr_assert(!l.local && l.reachable && l.priority == 4 && l.weight == 30);
	cr_assert(xtr_locator_next(&rec, &it, &l));
	cr_assert(l.local && l.reachable && !l.probed && l.priority == 3 && l.weight == 70);
	cr_assert_str_eq(xtr_ip_str(&fw_sent(etr, 3, 0)->dst, s), "192.0.2.9");
	cr_assert_eq(fw_sent(etr, 3, 0)->dport, 4342);
}

Test(etr, RFC9301_5_6_flags_and_ids)
{
	struct xtr_register m;

	conf.servers[0].proxy_reply = conf.servers[0].merge = conf.servers[0].use_ttl = true;
	conf.servers[0].want_notify = false;
	conf.c.has_ids = true;
	memset(conf.c.xtr_id, 0xab, 16);
	memset(conf.c.site_id, 0xcd, 8);
	go();
	fw_until(w, 0);
	m = reg(0);
	cr_assert_eq(m.flags, XTR_REG_P | XTR_REG_MERGE | XTR_REG_T | XTR_REG_I);
	cr_assert(m.has_ids);
	cr_assert_eq(memcmp(m.xtr_id, conf.c.xtr_id, 16), 0);
	cr_assert_eq(memcmp(m.site_id, conf.c.site_id, 8), 0);
}

Test(etr, RFC9301_5_records_are_split_over_messages_of_at_most_576_octets)
{
	unsigned n, records = 0;
	char eid[32];

	for (unsigned i = 0; i < 200; i++) {
		snprintf(eid, sizeof(eid), "10.2.%u.0/24", i);
		fw_conf_mapping(&conf, eid, "192.0.2.1 192.0.2.2 192.0.2.3");
	}
	conf.c.has_ids = true;
	go();
	fw_until(w, 0);
	n = fw_sent_count(etr, XTR_MSG_MAP_REGISTER);
	for (unsigned i = 0; i < n; i++) {
		cr_assert_leq(fw_sent(etr, 3, i)->len + 28, 576);
		records += reg(i).record_count;
	}
	cr_assert_eq(records, 201);
	cr_assert_leq(n, 25, "messages are not filled: %u", n);
	for (unsigned i = 0; i < n; i++)
		ack(i);
	fw_until(w, 19999);
	cr_assert_eq(fw_sent_count(etr, XTR_MSG_MAP_REGISTER), n, "each is acknowledged by itself");
}

/* ---- the schedule */

Test(etr, MS_23_quick_registration_every_20_s_for_five_minutes_then_MS_21_every_60)
{
	conf.servers[0].want_notify = false;
	go();
	fw_until(w, 540000);
	cr_assert_str_eq(times(), "0 20000 40000 60000 80000 100000 120000 140000 160000 180000 "
				  "200000 220000 240000 260000 280000 "
				  "300000 360000 420000 480000 540000");
}

Test(etr, MS_24_M_in_quick_registration_and_then_now_and_then)
{
	unsigned n, m = 0;

	go();
	for (n = 0; n < 40; n++) {
		fw_until(w, n < 16 ? n * 20000ull : 300000 + (n - 15) * 60000ull);
		cr_assert_eq(fw_sent_count(etr, 3), n + 1);
		if (reg(n).flags & XTR_REG_M)
			ack(n);
		if (n < 15)
			cr_assert(reg(n).flags & XTR_REG_M, "%u", n);
		else
			m += (reg(n).flags & XTR_REG_M) != 0;
	}
	cr_assert_geq(m, 2);
	cr_assert_leq(m, 3, "every tenth");
}

Test(etr, RFC9301_5_7_without_map_notify_again_after_1_2_4_up_to_60_s)
{
	conf.c.timers.quick_interval = conf.c.timers.register_interval =
		100000000; /* only the repetition */
	go();
	fw_until(w, 250000);
	cr_assert_str_eq(times(), "0 1000 3000 7000 15000 31000 63000 123000 183000 243000");
	cr_assert_eq(fw_events(etr, XTR_EVENT_REGISTER_LOST), 1);
	cr_assert_not_null(show()[0].problem);
	cr_assert(!show()[0].acked);
}

Test(etr, A3_each_repetition_has_a_greater_nonce_and_any_of_them_is_confirmed)
{
	conf.c.timers.quick_interval = conf.c.timers.register_interval = 100000000;
	go();
	fw_until(w, 7000);
	for (unsigned i = 1; i < 4; i++)
		cr_assert_gt(reg(i).nonce, reg(i - 1).nonce);
	ack(1);
	cr_assert_eq(fw_events(etr, XTR_EVENT_REGISTER_ACKED), 1);
	cr_assert(show()[0].acked);
	cr_assert_null(show()[0].problem);
	cr_assert_eq(show()[0].notifies, 1);
	cr_assert_eq(show()[0].last_ack_ms, 0);
	fw_until(w, 100000);
	cr_assert_eq(fw_sent_count(etr, 3), 4, "confirmed: no more repetitions");
}

Test(etr, the_60_s_rhythm_goes_on_besides_the_repetitions)
{
	go();
	fw_until(w, 41000);
	cr_assert_str_eq(times(), "0 1000 3000 7000 15000 20000 31000 40000");
}

/* ---- Map-Notify */

Test(etr, T_16_a_map_notify_needs_the_key)
{
	static const struct xtr_key wrong = { 1, XTR_AUTH_SHA256, (const uint8_t *)"wrong!", 6 };
	uint8_t buf[2048];
	size_t len;

	go();
	fw_until(w, 0);
	len = notify(buf, 0, &wrong);
	fw_inject(etr, "192.0.2.9", 4342, buf, len);
	cr_assert_eq(fw_counter(etr, XTR_NODE_DROP_AUTH), 1);
	len = notify(buf, 0, &fw_key);
	buf[len - 1] ^= 1;
	fw_inject(etr, "192.0.2.9", 4342, buf, len);
	cr_assert_eq(fw_counter(etr, XTR_NODE_DROP_AUTH), 2);
	len = notify(buf, 0, &fw_key);
	buf[13] = XTR_AUTH_NONE; /* no downgrade */
	fw_inject(etr, "192.0.2.9", 4342, buf, len);
	cr_assert_eq(fw_counter(etr, XTR_NODE_DROP_AUTH), 3);
	cr_assert_eq(fw_events(etr, XTR_EVENT_REGISTER_ACKED), 0);
	ack(0);
	cr_assert_eq(fw_events(etr, XTR_EVENT_REGISTER_ACKED), 1);
}

Test(etr, S_9_a_map_notify_from_elsewhere_with_a_strange_nonce_is_dropped)
{
	uint8_t buf[2048];
	size_t len;

	go();
	fw_until(w, 0);
	len = notify(buf, 0, &fw_key);
	buf[4] ^= 0x40;
	fw_inject(etr, "192.0.2.66", 4342, buf, len);
	cr_assert_eq(fw_counter(etr, XTR_NODE_DROP_NONCE), 1);
}

/* A Map-Notify of the Map-Server's own: nonce, one record. */
static void unsolicited(uint64_t nonce)
{
	const struct fw_rec rec = FW_REC("10.1.0.0/24", 60, "192.0.2.1");
	const struct fw_reg r = { .nonce = nonce };
	uint8_t buf[1024];
	size_t len = fw_make_register(buf, sizeof(buf), &r, &rec, 1);

	buf[0] = XTR_MSG_MAP_NOTIFY << 4;
	buf[1] = buf[2] = 0;
	xtr_auth_sign(buf, len, 16, 32, XTR_MSG_MAP_NOTIFY, 2, nonce, fw_key.secret,
		      fw_key.secret_len);
	fw_inject(etr, "192.0.2.9", 4342, buf, len);
}

Test(etr, RFC9301_5_7_an_unsolicited_map_notify_is_acknowledged_with_the_same_contents)
{
	struct fw_packet *p;
	struct xtr_register m;

	go();
	fw_until(w, 0);
	ack(0);
	unsolicited(1000);
	cr_assert_eq(fw_sent_count(etr, XTR_MSG_MAP_NOTIFY_ACK), 1);
	p = fw_sent(etr, XTR_MSG_MAP_NOTIFY_ACK, 0);
	cr_assert_eq(xtr_register_decode_head(p->buf, p->len, &m), 0);
	cr_assert_eq(m.nonce, 1000);
	cr_assert_eq(xtr_auth_verify(p->buf, p->len, m.auth_off, m.auth_len, m.type, m.alg_id,
				     m.nonce, fw_key.secret, fw_key.secret_len),
		     0);
	cr_assert_eq(xtr_register_decode_body(&m), 0);
	cr_assert_eq(m.record_count, 1);
	unsolicited(1000); /* our acknowledgement was lost */
	cr_assert_eq(fw_sent_count(etr, XTR_MSG_MAP_NOTIFY_ACK), 2);
}

/* lispers.net and others draw them at random; RFC 9301 5.7 has no order of them. */
Test(etr, RFC9301_5_7_an_unsolicited_map_notify_is_acknowledged_whatever_its_nonce)
{
	static const uint64_t nonces[] = { 0xfedcba9876543210, 999, 0x8000000000000000, 1 };

	go();
	fw_until(w, 0);
	ack(0);
	for (unsigned i = 0; i < 4; i++) {
		struct xtr_register m;
		struct fw_packet *p;

		unsolicited(nonces[i]);
		p = fw_sent(etr, XTR_MSG_MAP_NOTIFY_ACK, i);
		cr_assert_not_null(p);
		cr_assert_eq(xtr_register_decode_head(p->buf, p->len, &m), 0);
		cr_assert_eq(m.nonce, nonces[i]);
	}
	cr_assert_eq(fw_counter(etr, XTR_NODE_DROP_REPLAY), 0);
}

Test(etr, an_acknowledgement_that_comes_twice_says_nothing_about_the_map_servers_nonces)
{
	go();
	fw_until(w, 0);
	ack(0);
	ack(0);
	/* It may as well be a Map-Notify of the Map-Server's own that happens to have this nonce. */
	cr_assert_eq(fw_sent_count(etr, XTR_MSG_MAP_NOTIFY_ACK), 1);
	/* Our nonces are above this one; the Map-Server's own may be anywhere. */
	unsolicited(5);
	cr_assert_eq(fw_sent_count(etr, XTR_MSG_MAP_NOTIFY_ACK), 2);
	cr_assert_eq(fw_counter(etr, XTR_NODE_DROP_REPLAY), 0);
}

Test(etr, RFC9301_5_a_map_notify_ack_has_reserved_bits_0_whatever_the_map_notify_had)
{
	const struct fw_rec rec = FW_REC("10.1.0.0/24", 60, "192.0.2.1");
	const struct fw_reg r = { .nonce = 1000 };
	struct fw_packet *p;
	uint8_t buf[1024];
	size_t len = fw_make_register(buf, sizeof(buf), &r, &rec, 1);

	go();
	fw_until(w, 0);
	ack(0);
	buf[0] = XTR_MSG_MAP_NOTIFY << 4 | 3;
	buf[1] = buf[2] = 0xff;
	xtr_auth_sign(buf, len, 16, 32, XTR_MSG_MAP_NOTIFY, 2, 1000, fw_key.secret,
		      fw_key.secret_len);
	fw_inject(etr, "192.0.2.9", 4342, buf, len);
	p = fw_sent(etr, XTR_MSG_MAP_NOTIFY_ACK, 0);
	cr_assert_not_null(p);
	cr_assert_eq(p->buf[0], XTR_MSG_MAP_NOTIFY_ACK << 4);
	cr_assert_eq(p->buf[1] | p->buf[2], 0);
	cr_assert_eq(p->len, len);
	cr_assert_eq(memcmp(p->buf + 48, buf + 48, len - 48), 0, "the same records");
	cr_assert_eq(xtr_auth_verify(p->buf, p->len, 16, 32, XTR_MSG_MAP_NOTIFY_ACK, 2, 1000,
				     fw_key.secret, fw_key.secret_len),
		     0);
}

Test(etr, RFC9301_5_7_a_record_missing_or_without_locators_is_not_accepted)
{
	const struct fw_rec recs[] = { FW_REC("10.1.0.0/24", 1440, "192.0.2.1"),
				       FW_NEG("10.2.0.0/24", 0, 0) };
	struct fw_reg r;
	uint8_t buf[1024];
	size_t len;

	fw_conf_mapping(&conf, "10.2.0.0/24", "192.0.2.1");
	fw_conf_mapping(&conf, "10.3.0.0/24", "192.0.2.1");
	go();
	fw_until(w, 0);
	r = (struct fw_reg){ .nonce = reg(0).nonce };
	len = fw_make_register(buf, sizeof(buf), &r, recs, 2);
	buf[0] = XTR_MSG_MAP_NOTIFY << 4;
	xtr_auth_sign(buf, len, 16, 32, XTR_MSG_MAP_NOTIFY, 2, r.nonce, fw_key.secret,
		      fw_key.secret_len);
	fw_inject(etr, "192.0.2.9", 4342, buf, len);
	show();
	cr_assert_eq(db_count, 3);
	cr_assert(db[0].acked);
	cr_assert_null(db[0].problem);
	for (unsigned i = 1; i < 3; i++) {
		cr_assert(!db[i].acked);
		cr_assert_not_null(strstr(db[i].problem, "not configured"), "%s", db[i].problem);
	}
}

/* ---- change */

Test(etr, a_changed_mapping_registers_at_once_and_quickly_for_five_minutes)
{
	conf.servers[0].want_notify = false;
	go();
	fw_until(w, 425000);
	conf.locs[0][0].priority = 9;
	fw_reconfigure(etr, &conf);
	fw_until(w, 466000);
	cr_assert_not_null(strstr(times(), " 360000 420000 425000 445000 465000"), "%s", times());
}

Test(etr, nothing_changed_nothing_sent)
{
	conf.servers[0].want_notify = false;
	go();
	fw_until(w, 425000);
	fw_reconfigure(etr, &conf);
	fw_until(w, 541000);
	cr_assert_not_null(strstr(times(), " 360000 420000 480000 540000"), "%s", times());
	cr_assert_eq(show()[0].registers_sent, 20, "the state is kept");
}

Test(etr, an_rloc_that_goes_down_registers_at_once_with_its_R_bit_off)
{
	struct xtr_ip up = fw_ip("192.0.2.1");
	struct xtr_record rec;
	struct xtr_locator l;
	struct xtr_register m;
	struct xtr_rd it = { 0 };

	fw_conf_rloc(&conf, "192.0.2.5");
	conf.locs[0][conf.mappings[0].rloc_count++] = (struct xtr_rloc_config){ fw_ip("192.0.2.5"),
										1, 100, 255, 0 };
	conf.servers[0].want_notify = false;
	go();
	fw_until(w, 425000);
	xtr_node_rlocs_up(etr->n, &up, 1, w->now);
	fw_tick(etr);
	m = reg(fw_sent_count(etr, 3) - 1);
	cr_assert_eq(fw_sent(etr, 3, fw_sent_count(etr, 3) - 1)->sent, 425000);
	cr_assert(xtr_record_next(&m.records, &rec));
	xtr_locator_next(&rec, &it, &l);
	cr_assert(l.reachable);
	xtr_locator_next(&rec, &it, &l);
	cr_assert(!l.reachable && l.local);
	xtr_node_rlocs_up(etr->n, &up, 1, w->now);
	fw_tick(etr);
	cr_assert_eq(fw_sent_since(etr, 3, 425000), 1, "no change, no message");
	xtr_node_rlocs_up(etr->n, NULL, 0, w->now);
	fw_run(w, 1000000);
	cr_assert_eq(fw_sent_since(etr, 3, 425000), 1, "nothing is sent without an RLOC");
	cr_assert_not_null(strstr(show()[0].problem, "no RLOC"));
}

/* A reload that gives the router another RLOC: the data plane knows first that it is up. */
Test(etr, a_new_rloc_is_up_when_it_was_before_the_reload)
{
	struct xtr_ip up = fw_ip("192.0.2.5");
	struct xtr_record rec;
	struct xtr_locator l;
	struct xtr_register m;
	struct xtr_rd it = { 0 };

	conf.servers[0].want_notify = false;
	go();
	fw_until(w, 10000);
	xtr_node_rlocs_up(etr->n, &up, 1, w->now);
	conf.rlocs[0].ip = conf.locs[0][0].ip = up;
	fw_reconfigure(etr, &conf);
	fw_until(w, 10000);
	cr_assert_eq(fw_sent_since(etr, 3, 10000), 1, "registered at once: %s", times());
	m = reg(fw_sent_count(etr, 3) - 1);
	cr_assert(xtr_record_next(&m.records, &rec));
	cr_assert(xtr_locator_next(&rec, &it, &l));
	cr_assert(l.reachable && l.local);
}

Test(etr, without_quick_registration_when_its_duration_is_0)
{
	conf.c.timers.quick_duration = 0;
	conf.servers[0].want_notify = false;
	go();
	fw_until(w, 59999);
	cr_assert_eq(fw_sent_count(etr, 3), 1, "%s", times());
	fw_until(w, 60000);
	cr_assert_eq(fw_sent_count(etr, 3), 2, "%s", times());
}

Test(etr, a_removed_mapping_is_withdrawn)
{
	struct xtr_record rec;
	struct xtr_register m;
	unsigned n;

	fw_conf_mapping(&conf, "10.2.0.0/24", "192.0.2.1");
	go();
	fw_until(w, 0);
	ack(0);
	fw_until(w, 10000);
	conf.c.mapping_count = 1;
	fw_reconfigure(etr, &conf);
	n = fw_sent_count(etr, 3);
	cr_assert_eq(n, 3, "the withdrawal and what remains");
	m = reg(1);
	cr_assert(xtr_record_next(&m.records, &rec));
	cr_assert_eq(rec.ttl, 0);
	cr_assert_eq(rec.locator_count, 0);
	cr_assert_gt(reg(2).nonce, m.nonce);
	ack(1);
	ack(2);
	fw_until(w, 29999);
	cr_assert_eq(fw_sent_count(etr, 3), n, "confirmed");
	fw_until(w, 30000);
	cr_assert_eq(reg(n).record_count, 1);
}

Test(etr, an_unconfirmed_withdrawal_is_repeated_a_few_times)
{
	unsigned gone = 0;

	conf.c.timers.quick_interval = conf.c.timers.register_interval = 100000000;
	fw_conf_mapping(&conf, "10.2.0.0/24", "192.0.2.1");
	go();
	fw_until(w, 0);
	ack(0);
	conf.c.mapping_count = 1;
	fw_reconfigure(etr, &conf);
	fw_until(w, 200000);
	for (unsigned i = 1; i < fw_sent_count(etr, 3); i++) {
		struct xtr_register m = reg(i);
		struct xtr_record rec;

		xtr_record_next(&m.records, &rec);
		gone += !rec.ttl;
	}
	cr_assert_eq(gone, 5);
}

Test(etr, a_mapping_that_comes_back_is_not_taken_away_by_a_late_repetition)
{
	struct fw_conf with;

	fw_conf_mapping(&conf, "10.2.0.0/24", "192.0.2.1");
	with = conf;
	go();
	fw_until(w, 0);
	ack(0);
	conf.c.mapping_count = 1;
	fw_reconfigure(etr, &conf); /* withdrawn, not confirmed */
	fw_until(w, 500);
	fw_reconfigure(etr, &with);
	fw_until(w, 100000);
	for (unsigned i = 0; i < fw_sent_count(etr, 3); i++) {
		struct xtr_register m = reg(i);
		struct xtr_record rec;

		while (xtr_record_next(&m.records, &rec))
			cr_assert(rec.ttl || fw_sent(etr, 3, i)->sent < 500, "withdrawn at %llu",
				  (unsigned long long)fw_sent(etr, 3, i)->sent);
	}
}

Test(etr, a_removed_map_server_is_told)
{
	struct xtr_record rec;
	struct xtr_register m;

	fw_conf_server(&conf, "192.0.2.10");
	go();
	fw_until(w, 0);
	cr_assert_eq(fw_sent_count(etr, 3), 2, "several Map-Servers");
	ack(0);
	conf.c.map_server_count = 1;
	fw_reconfigure(etr, &conf);
	fw_until(w, 19999);
	cr_assert_eq(fw_sent_count(etr, 3), 3);
	m = reg(2);
	xtr_record_next(&m.records, &rec);
	cr_assert_eq(rec.locator_count, 0);
	cr_assert_eq(show()[0].map_server.a[3], 9);
	cr_assert_eq(db_count, 1);
}

Test(etr, switched_off_everything_is_withdrawn)
{
	struct xtr_record rec;
	struct xtr_register m;

	go();
	fw_until(w, 0);
	ack(0);
	conf.c.etr = false;
	fw_reconfigure(etr, &conf);
	fw_until(w, 1000000);
	cr_assert_eq(fw_sent_count(etr, 3), 2);
	m = reg(1);
	xtr_record_next(&m.records, &rec);
	cr_assert_eq(rec.locator_count, 0);
}

Test(etr, stopping_does_not_withdraw)
{
	go();
	fw_until(w, 0);
	fw_stop(etr);
	cr_assert_eq(fw_sent_count(etr, 3), 1);
	fw_restart(etr);
}

/* ---- nonces over restarts (RFC 9301 5.6; S-1, S-2, S-8) */

Test(etr, S_2_the_nonce_grows_over_stop_kill_and_a_clock_set_back)
{
	uint64_t last;

	go();
	fw_until(w, 50000);
	last = reg(fw_sent_count(etr, 3) - 1).nonce;
	fw_stop(etr);
	fw_restart(etr);
	fw_run(w, 1000);
	cr_assert_gt(reg(fw_sent_count(etr, 3) - 1).nonce, last);
	last = reg(fw_sent_count(etr, 3) - 1).nonce;
	fw_kill(etr);
	etr->clock_shift = -1000000;
	fw_restart(etr);
	fw_run(w, 1000);
	cr_assert_gt(reg(fw_sent_count(etr, 3) - 1).nonce, last);
}

Test(etr, no_map_server_is_a_problem_that_is_shown)
{
	conf.c.map_server_count = 0;
	go();
	fw_until(w, 1000);
	cr_assert_not_null(strstr(show()[0].problem, "no Map-Server"));
	cr_assert_eq(show()[0].map_server.family, 0);
}
