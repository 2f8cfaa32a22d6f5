// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What an attacker may send: damaged copies of real messages, floods, forged answers. Nothing may
 * crash (ASan, UBSan), nothing may grow, nothing may change that is not authenticated. One node
 * that is everything (192.0.2.1), which a site 192.0.2.77 registers with.
 */
#include "fake_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fw *w;
static struct fw_node *n;
static struct fw_conf conf;

static void set_up(void)
{
	w = fw_new();
	fw_conf_init(&conf);
	fw_conf_rloc(&conf, "192.0.2.1");
	fw_conf_mapping(&conf, "10.1.0.0/24", "192.0.2.1");
	fw_conf_server(&conf, "192.0.2.9"); /* silent */
	fw_conf_site(&conf, "a", "10.2.0.0/16", true);
	fw_conf_resolver(&conf, "192.0.2.8"); /* silent */
	conf.c.mr = true;
	n = fw_start(w, "n", &conf);
	fw_until(w, 0);
}

static void tear_down(void)
{
	fw_free(w);
}

TestSuite(hostile, .init = set_up, .fini = tear_down);

static unsigned rows;

static int count_site(void *arg, const struct xtr_site_info *i)
{
	rows += i->registered;
	return 0;
}

static unsigned registrations(void)
{
	rows = 0;
	xtr_node_walk_sites(n->n, w->now, count_site, NULL);
	return rows;
}

static int count_one(void *arg, const struct xtr_pending_info *i)
{
	rows++;
	return 0;
}

static unsigned pending(void)
{
	rows = 0;
	xtr_node_walk_pending(n->n, w->now, count_one, NULL);
	return rows;
}

/* One good message of each kind. */
static size_t sample(unsigned which, uint8_t *buf, size_t size)
{
	const struct fw_rec recs[] = {
		{ .eid = "10.2.7.0/24",
		  .ttl = 60,
		  .locs = { FW_LOC("192.0.2.77"), FW_LOC("2001:db8::77") } },
		FW_REC("10.2.8.0/24", 60, "192.0.2.77"),
	};
	const struct fw_reg reg = { .nonce = 1000,
				    .flags = XTR_REG_M | XTR_REG_P,
				    .xtr_id = (const uint8_t *)"0123456789abcdef" };
	const struct fw_req req = { .nonce = 7,
				    .eid = "10.2.7.9",
				    .itr_rloc = "192.0.2.50",
				    .itr_rloc2 = "2001:db8::50",
				    .source = "10.9.0.1" };
	const struct fw_req plain = { .nonce = 7,
				      .eid = "10.1.0.0/24",
				      .flags = XTR_MREQ_P,
				      .itr_rloc = "192.0.2.50",
				      .plain = true };
	size_t len;

	switch (which) {
	case 0: return fw_make_register(buf, size, &reg, recs, 2);
	case 1: return fw_make_request(buf, size, &req);
	case 2: return fw_make_request(buf, size, &plain);
	case 3: return fw_make_reply(buf, size, 7, recs, 2);
	default:
		len = fw_make_register(buf, size, &reg, recs, 2);
		buf[0] = (uint8_t)((which == 4 ? XTR_MSG_MAP_NOTIFY : XTR_MSG_MAP_NOTIFY_ACK) << 4 |
				   8);
		return len;
	}
}

Test(hostile, every_message_cut_at_every_octet)
{
	uint8_t buf[1024];

	for (unsigned which = 0; which < 6; which++) {
		size_t len = sample(which, buf, sizeof(buf));

		for (size_t cut = 0; cut < len; cut++)
			fw_inject(n, "192.0.2.66", 4342, buf, cut);
	}
	cr_assert_eq(registrations(), 0);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REPLY), 0);
	cr_assert_eq(fw_counter(n, XTR_NODE_REGISTER_ACCEPTED), 0);
	cr_assert_gt(fw_counter(n, XTR_NODE_DROP_MALFORMED), 100);
}

Test(hostile, every_message_with_every_bit_turned_over)
{
	uint8_t buf[1024];

	for (unsigned which = 0; which < 6; which++) {
		size_t len = sample(which, buf, sizeof(buf));

		for (size_t bit = 0; bit < len * 8; bit++) {
			buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
			fw_inject(n, "192.0.2.66", 4342, buf, len);
			buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
	cr_assert_eq(registrations(), 0, "the MAC covers every bit");
	cr_assert_eq(fw_counter(n, XTR_NODE_REGISTER_ACCEPTED), 0);
	cr_assert_eq(fw_dp_size(n), 0);
}

Test(hostile, random_octets)
{
	uint8_t buf[600];
	unsigned seed = 11;

	for (unsigned i = 0; i < 200000; i++) {
		size_t len = (size_t)rand_r(&seed) % sizeof(buf);

		for (size_t j = 0; j < len && j < 40; j++)
			buf[j] = (uint8_t)rand_r(&seed);
		fw_inject(n, "192.0.2.66", (uint16_t)(rand_r(&seed) % 2 ? 4342 : 4341), buf, len);
	}
	cr_assert_eq(fw_counter(n, XTR_NODE_RX), 200000);
	cr_assert_eq(registrations(), 0);
}

/* Every message is counted exactly once under what became of it: nothing is dropped in silence. */
Test(hostile, every_dropped_message_has_a_reason)
{
	uint8_t buf[600];
	unsigned seed = 12;

	for (unsigned i = 0; i < 20000; i++) {
		unsigned events = i < 1000 ? fw_events(n, XTR_EVENT_MESSAGE_DROPPED) : 0;
		uint64_t before = 0, after = 0;
		size_t len = (size_t)rand_r(&seed) % sizeof(buf);

		for (size_t j = 0; j < len; j++)
			buf[j] = (uint8_t)rand_r(&seed);
		for (unsigned c = XTR_NODE_DROP_MALFORMED; c <= XTR_NODE_DROP_PORT; c++)
			before += fw_counter(n, c);
		fw_inject(n, "192.0.2.66", 4342, buf, len);
		for (unsigned c = XTR_NODE_DROP_MALFORMED; c <= XTR_NODE_DROP_PORT; c++)
			after += fw_counter(n, c);
		cr_assert_eq(after, before + 1, "message %u", i);
		if (i < 1000)
			cr_assert_eq(fw_events(n, XTR_EVENT_MESSAGE_DROPPED), events + 1);
	}
}

Test(hostile, T_1_a_flood_of_forged_map_registers_leaves_nothing_behind)
{
	static const struct xtr_key wrong = { 1, XTR_AUTH_SHA256, (const uint8_t *)"guess", 5 };
	const struct fw_rec rec = FW_REC("10.2.7.0/24", 60, "192.0.2.66");
	char src[32];
	uint8_t buf[512];

	for (unsigned i = 0; i < 20000; i++) {
		const struct fw_reg r = { .nonce = i + 1, .key = &wrong, .flags = XTR_REG_M };

		snprintf(src, sizeof(src), "198.51.%u.%u", i / 256 % 256, i % 256);
		fw_inject(n, src, 4342, buf, fw_make_register(buf, sizeof(buf), &r, &rec, 1));
	}
	cr_assert_eq(fw_counter(n, XTR_NODE_DROP_AUTH), 20000);
	cr_assert_eq(registrations(), 0);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_NOTIFY), 0);
	fw_run(w, 2000);
	for (unsigned b = 0; b < 8; b++)
		cr_assert(!n->blobs[b].buf || n->blobs[b].len < 100,
			  "state of forged senders is kept");
}

Test(hostile, a_site_with_a_good_key_cannot_fill_the_map_server)
{
	uint8_t buf[512], id[16] = { 0 };
	char eid[32];

	conf.sites[0].max_registrations = 100;
	fw_reconfigure(n, &conf);
	for (unsigned i = 0; i < 20000; i++) {
		const struct fw_reg r = { .nonce = i + 1, .xtr_id = id };

		memcpy(id, &i, sizeof(i));
		snprintf(eid, sizeof(eid), "10.2.%u.0/24", i % 200);
		fw_inject(n, "192.0.2.77", 4342, buf,
			  fw_make_register(buf, sizeof(buf), &r,
					   &(struct fw_rec)FW_REC(eid, 60, "192.0.2.77"), 1));
	}
	cr_assert_eq(registrations(), 100);
	cr_assert_eq(fw_counter(n, XTR_NODE_DROP_LIMIT), 20000 - 100);
}

Test(hostile, T_6_a_scan_fills_the_pending_table_no_further_than_its_bound)
{
	char eid[32];

	conf.c.limits.pending_requests = 200;
	conf.c.limits.requests_per_second = 1000000;
	fw_reconfigure(n, &conf);
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(eid, sizeof(eid), "10.77.%u.%u", i / 256, i % 256);
		fw_miss(n, eid, NULL);
	}
	cr_assert_eq(pending(), 200);
	fw_run(w, 600000);
	cr_assert_eq(pending(), 0, "everything ends some time");
}

Test(hostile, T_3_guessed_nonces)
{
	const struct fw_rec rec = FW_REC("10.3.0.0/24", 60, "192.0.2.66");
	uint8_t buf[512];

	fw_miss(n, "10.3.0.5", NULL);
	for (unsigned i = 0; i < 50000; i++)
		fw_inject(n, "192.0.2.66", 4342, buf,
			  fw_make_reply(buf, sizeof(buf), i * 0x9e3779b97f4a7c15ull, &rec, 1));
	cr_assert_eq(fw_dp_size(n), 0);
	cr_assert_eq(fw_counter(n, XTR_NODE_DROP_NONCE), 50000);
	cr_assert_eq(pending(), 1);
}

Test(hostile, T_7_a_flood_of_requests_for_a_victim_is_not_amplified)
{
	const struct fw_req q = { .nonce = 7, .eid = "10.1.0.9", .itr_rloc = "203.0.113.5" };
	uint8_t buf[512];
	size_t len = fw_make_request(buf, sizeof(buf), &q);

	for (unsigned t = 0; t < 60; t++) {
		fw_until(w, t * 1000);
		for (unsigned i = 0; i < 1000; i++)
			fw_inject(n, "198.51.100.1", 4342, buf, len);
	}
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REPLY), 20, "one per 3 s to one RLOC");
}

Test(hostile, T_9_an_smr_storm_makes_one_request)
{
	const struct fw_req q = {
		.nonce = 1,
		.flags = XTR_MREQ_S,
		.eid = "10.3.0.0/24",
		.source = "10.3.0.1",
		.itr_rloc = "192.0.2.66",
		.plain = true,
	};
	const struct xtr_fwd f = { .action = 8,
				   .n = 1,
				   .locators = { { fw_ip("192.0.2.77"), 1 } } };
	struct xtr_eid_prefix e = fw_eid("10.3.0.0/24");
	uint8_t buf[512];
	size_t len = fw_make_request(buf, sizeof(buf), &q);

	xtr_node_adopt(n->n, &e, &f, w->now);
	fw_tick(n);
	for (unsigned i = 0; i < 1000; i++)
		fw_inject(n, "192.0.2.66", 4342, buf, len);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REQUEST), 1);
	cr_assert_eq(fw_counter(n, XTR_NODE_DROP_RATE), 999);
}

/* Who knows the EID-prefixes of a full map-cache can have one Map-Request of each every three seconds. That must not be all
 * that we send. */
Test(hostile, T_9_an_smr_storm_for_the_whole_cache_leaves_room_for_hosts)
{
	const struct xtr_fwd f = { .action = 8, .n = 1, .locators = { { fw_ip("192.0.2.77"), 1 } } };
	struct fw_req q = { .nonce = 1, .flags = XTR_MREQ_S, .itr_rloc = "192.0.2.66", .plain = true };
	char eid[32], src[32];
	unsigned misses = 0;
	uint8_t buf[512];

	conf.c.limits.requests_per_second = 40;
	fw_reconfigure(n, &conf);
	for (unsigned i = 0; i < 1000; i++) {
		struct xtr_eid_prefix e;

		snprintf(eid, sizeof(eid), "10.%u.%u.0/24", 30 + i / 250, i % 250);
		e = fw_eid(eid);
		xtr_node_adopt(n->n, &e, &f, w->now);
	}
	fw_tick(n);
	for (unsigned t = 1; t <= 200; t++) {
		fw_until(w, t * 50);
		for (unsigned i = 0; i < 1000; i++) {
			snprintf(eid, sizeof(eid), "10.%u.%u.0/24", 30 + i / 250, i % 250);
			snprintf(src, sizeof(src), "10.%u.%u.1", 30 + i / 250, i % 250);
			q.eid = eid;
			q.source = src;
			fw_inject(n, "192.0.2.66", 4342, buf, fw_make_request(buf, sizeof(buf), &q));
		}
		if (t % 4)
			continue;
		snprintf(eid, sizeof(eid), "10.%u.%u.9", 60, t);
		fw_miss(n, eid, NULL);
		misses++;
	}
	cr_assert_eq(misses, 50);
	cr_assert_eq(fw_counter(n, XTR_NODE_MISS_LIMITED), 0, "%lu of 50 hosts were not served",
		     (unsigned long)fw_counter(n, XTR_NODE_MISS_LIMITED));
	cr_assert_gt(fw_counter(n, XTR_NODE_DROP_RATE), 100000);
}

static size_t register_from(uint8_t *buf, size_t size, uint64_t nonce, const char *locator, const char *id)
{
	const struct fw_rec rec = FW_REC("10.2.7.0/24", 60, locator);
	const struct fw_reg r = { .nonce = nonce, .flags = XTR_REG_M, .xtr_id = (const uint8_t *)id };

	return fw_make_register(buf, size, &r, &rec, 1);
}

/* Without an xTR-ID a sender is known by its address, which no MAC covers. */
Test(hostile, T_2_a_copy_of_a_map_register_sent_from_another_address_is_no_new_xtr)
{
	uint8_t copy[512], buf[512];
	size_t len = register_from(copy, sizeof(copy), 5000, "192.0.2.77", NULL);

	fw_inject(n, "192.0.2.77", 4342, copy, len);
	fw_inject(n, "192.0.2.77", 4342, buf, register_from(buf, sizeof(buf), 5001, "192.0.2.78", NULL));
	fw_inject(n, "192.0.2.66", 4342, copy, len);
	cr_assert_eq(fw_counter(n, XTR_NODE_DROP_REPLAY), 1);
	cr_assert_eq(fw_counter(n, XTR_NODE_REGISTER_ACCEPTED), 2);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_NOTIFY), 2, "nor is it confirmed to whoever sent it");
	/* A second ETR of the site registers its own locators; one with an xTR-ID comes from anywhere. */
	fw_inject(n, "192.0.2.79", 4342, buf, register_from(buf, sizeof(buf), 1, "192.0.2.79", NULL));
	fw_inject(n, "192.0.2.67", 4342, buf, register_from(buf, sizeof(buf), 1, "192.0.2.77", "0123456789abcdef"));
	cr_assert_eq(fw_counter(n, XTR_NODE_REGISTER_ACCEPTED), 4);
	conf.sites[0].replay_off = true;
	fw_reconfigure(n, &conf);
	fw_inject(n, "192.0.2.66", 4342, copy, len);
	cr_assert_eq(fw_counter(n, XTR_NODE_REGISTER_ACCEPTED), 5, "replay: off");
}

Test(hostile, T_16_forged_map_notifies_and_acks)
{
	uint8_t buf[1024];
	size_t len = sample(4, buf, sizeof(buf));

	for (unsigned i = 0; i < 1000; i++)
		fw_inject(n, i % 2 ? "192.0.2.9" : "192.0.2.66", 4342, buf, len);
	len = sample(5, buf, sizeof(buf));
	for (unsigned i = 0; i < 1000; i++)
		fw_inject(n, "192.0.2.77", 4342, buf, len);
	cr_assert_eq(fw_counter(n, XTR_NODE_DROP_AUTH) + fw_counter(n, XTR_NODE_DROP_NONCE), 2000);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_NOTIFY_ACK), 0);
}

Test(hostile, T_19_an_ecm_in_an_ecm)
{
	struct xtr_ip src = fw_ip("192.0.2.66"), dst = fw_ip("10.1.0.9");
	uint8_t in[1024], out[2048];
	struct xtr_wr wr = xtr_wr_init(out, sizeof(out));
	size_t len = sample(1, in, sizeof(in));

	xtr_ecm_encode(&wr, &src, 4342, &dst, 4342, in, len);
	fw_inject(n, "192.0.2.66", 4342, out, xtr_wr_len(&wr));
	cr_assert_eq(fw_counter(n, XTR_NODE_DROP_MALFORMED), 1);
}

Test(hostile, messages_for_roles_that_are_off)
{
	uint8_t buf[1024];

	conf.c.ms = conf.c.etr = conf.c.itr = conf.c.mr = false;
	fw_reconfigure(n, &conf);
	for (unsigned which = 0; which < 6; which++)
		fw_inject(n, "192.0.2.66", 4342, buf, sample(which, buf, sizeof(buf)));
	cr_assert_eq(fw_counter(n, XTR_NODE_DROP_ROLE), 5);
	cr_assert_eq(fw_counter(n, XTR_NODE_DROP_NONCE),
		     1); /* the Map-Reply: lig works without roles */
	buf[0] = XTR_MSG_INFO << 4;
	fw_inject(n, "192.0.2.66", 4342, buf, 40);
	cr_assert_eq(fw_counter(n, XTR_NODE_DROP_ROLE), 6);
	buf[0] = 0xd0;
	fw_inject(n, "192.0.2.66", 4342, buf, 40);
	cr_assert_eq(fw_counter(n, XTR_NODE_DROP_UNKNOWN_TYPE), 1);
}
