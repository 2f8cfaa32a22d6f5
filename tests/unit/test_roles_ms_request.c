// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Map-Server: the decision table for Map-Requests, RFC 9301 8.3, row by row, and the least-specific
 * negative prefixes of 8.4. One Map-Server (192.0.2.9, 2001:db8::9); ETRs 192.0.2.1, .2 and the ITR
 * 192.0.2.50 exist only as far as a test plays them.
 */
#include "fake_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct fw *w;
static struct fw_node *ms;
static struct fw_conf conf;
static uint64_t nonce = 1000;

static void world(void)
{
	w = fw_new();
	fw_conf_init(&conf);
	fw_conf_rloc(&conf, "192.0.2.9");
	fw_conf_rloc(&conf, "2001:db8::9");
	conf.c.ms = true;
}

static void go(void)
{
	ms = fw_start(w, "ms", &conf);
	fw_until(w, 0);
}

static void with_sites(void)
{
	world();
	fw_conf_site(&conf, "a", "10.1.0.0/16", true);
	fw_conf_site(&conf, "b", "10.2.0.0/24", false);
	go();
}

static void tear_down(void)
{
	fw_free(w);
}

TestSuite(table, .init = with_sites, .fini = tear_down);
TestSuite(hole, .init = world, .fini = tear_down);

static void reg(const char *src, uint32_t flags, const struct fw_rec *recs, unsigned n,
		const uint8_t *xtr_id)
{
	const struct fw_reg r = { .nonce = ++nonce, .flags = flags, .xtr_id = xtr_id };
	uint8_t buf[4096];
	uint64_t before = fw_counter(ms, XTR_NODE_REGISTER_ACCEPTED);

	fw_inject(ms, src, 4342, buf, fw_make_register(buf, sizeof(buf), &r, recs, n));
	cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTER_ACCEPTED), before + 1,
		     "registration not accepted");
}

#define REG(flags, ...) do { \
		const struct fw_rec recs_[] = { __VA_ARGS__ }; \
		reg("192.0.2.1", flags, recs_, sizeof(recs_) / sizeof(recs_[0]), NULL); \
	} while (0)

static void ask_with(struct fw_req q)
{
	uint8_t buf[1024];

	q.nonce = 0x1122334455667788;
	q.itr_rloc = q.itr_rloc ? q.itr_rloc : "192.0.2.50";
	fw_inject(ms, q.plain ? "192.0.2.50" : "192.0.2.8", 4342, buf,
		  fw_make_request(buf, sizeof(buf), &q));
}

#define ASK(e, ...) ask_with((struct fw_req){ .eid = (e), __VA_ARGS__ })

/* The last Map-Reply: "10.2.0.0/24 15 act1" or "10.1.0.0/16 1440 192.0.2.1/1R"; and how many there
 * are. */
static const char *reply(void)
{
	static char out[8192];
	unsigned n = fw_sent_count(ms, XTR_MSG_MAP_REPLY);
	struct fw_packet *p = n ? fw_sent(ms, XTR_MSG_MAP_REPLY, n - 1) : NULL;
	struct xtr_map_reply m;
	struct xtr_record rec;
	struct xtr_locator l;
	size_t at = 0;

	if (!p)
		return "";
	out[0] = '\0';
	cr_assert_eq(xtr_map_reply_decode(p->buf, p->len, &m), 0);
	cr_assert_eq(m.nonce, 0x1122334455667788);
	while (xtr_record_next(&m.records, &rec)) {
		struct xtr_eid_prefix e;
		struct xtr_rd it = { 0 };
		char s[XTR_EID_STRLEN], a[128];

		cr_assert(!rec.authoritative, "RFC 9301 8.3: only an ETR sets A");
		cr_assert_eq(xtr_eid_from_addr(&rec.eid, rec.mask_len, &e, NULL), 0);
		at += (size_t)snprintf(out + at, sizeof(out) - at, "%s%s %u", at ? "; " : "",
				       xtr_eid_str(&e, s) + 3, rec.ttl);
		if (!rec.locator_count)
			at += (size_t)snprintf(out + at, sizeof(out) - at, " act%u", rec.act);
		while (xtr_locator_next(&rec, &it, &l)) {
			cr_assert(!l.local, "RFC 9301 5.4: L is 0 in a proxy reply");
			at += (size_t)snprintf(out + at, sizeof(out) - at, " %s/%u%s",
					       xtr_addr_str(&l.addr, a, sizeof(a)), l.priority,
					       l.reachable ? "R" : "");
		}
	}
	return out;
}

static unsigned forwarded(void)
{
	return fw_sent_count(ms, XTR_MSG_MAP_REQUEST);
}

/* A Map-Request with these records in an ECM. */
static void ask_all(const char *const *eids, unsigned n, uint32_t flags)
{
	const struct xtr_ip itr = fw_ip("192.0.2.50"), dst = fw_ip("10.1.0.1");
	const uint8_t ids[24] = { 7 };
	struct xtr_mreq_out m = { .flags = flags, .nonce = 0x1122334455667788, .itr_rlocs = &itr, .itr_rloc_count = 1,
				  .xtr_id = ids, .site_id = ids + 16 };
	uint8_t msg[4096], buf[4096];
	struct xtr_wr wr = xtr_wr_init(msg, sizeof(msg)), e = xtr_wr_init(buf, sizeof(buf));
	struct xtr_eid_prefix eid = fw_eid(eids[0]);

	m.flags &= ~(uint32_t)XTR_MREQ_I;
	m.eid = &eid;
	xtr_map_request_encode(&wr, &m);
	for (unsigned i = 1; i < n; i++) {
		uint8_t *head = xtr_wr_reserve(&wr, 2);

		eid = fw_eid(eids[i]);
		head[1] = xtr_eid_put(&wr, &eid);
	}
	if (flags & XTR_MREQ_I) {
		msg[1] |= 0x10;
		xtr_put_ids(&wr, ids, ids + 16);
	}
	msg[3] = (uint8_t)n;
	xtr_ecm_encode(&e, &itr, 4342, &dst, 4342, msg, xtr_wr_len(&wr));
	cr_assert_eq(e.err, 0);
	fw_inject(ms, "192.0.2.8", 4342, buf, xtr_wr_len(&e));
}

/* ---- the rows */

/* "A receiver MUST accept and process Map-Requests that contain one or more records." */
/* Anycast: an answer has the locators of all that merge, as many as a record holds; one more is refused, not left out. */
Test(table, RFC9301_5_6_all_that_merge_are_in_the_answer)
{
	char last[40] = "";
	uint8_t id[16] = { 7 };

	for (unsigned i = 0; i < 256; i++) {
		char rloc[32];
		const struct fw_rec rec = FW_REC("10.1.9.1/32", 1440, rloc);
		const struct fw_reg r = { .nonce = ++nonce, .flags = XTR_REG_P | XTR_REG_MERGE, .xtr_id = id };
		uint8_t buf[1024];

		snprintf(rloc, sizeof(rloc), "192.0.%u.%u", 3 + i / 200, 1 + i % 200);
		id[1] = (uint8_t)i;
		if (i == 255)
			snprintf(last, sizeof(last), " %s/", rloc);
		fw_inject(ms, rloc, 4342, buf, fw_make_register(buf, sizeof(buf), &r, &rec, 1));
	}
	cr_expect_eq(fw_counter(ms, XTR_NODE_REGISTER_ACCEPTED), 255);
	cr_expect_eq(fw_counter(ms, XTR_NODE_DROP_LIMIT), 1);
	ASK("10.1.9.1/32");
	cr_expect(strstr(reply(), " 192.0.3.1/"));
	cr_expect(strstr(reply(), " 192.0.4.55/"));
	cr_expect_not(strstr(reply(), last));
}

/* Forwarded it would have no answer either: ETRs keep to it as well. */
Test(table, RFC9301_5_2_a_request_that_wants_no_Map_Reply_gets_none)
{
	REG(XTR_REG_P, FW_REC("10.1.0.0/24", 1440, "192.0.2.1"));
	REG(0, FW_REC("10.1.1.0/24", 1440, "192.0.2.1"));
	ASK("10.1.0.7/32", .flags = XTR_MREQ_D);
	ASK("10.1.1.7/32", .flags = XTR_MREQ_D);
	ASK("10.1.2.7/32", .flags = XTR_MREQ_D);
	cr_expect_eq(fw_sent_count(ms, XTR_MSG_MAP_REPLY), 0);
	cr_expect_eq(fw_sent_count(ms, XTR_MSG_ECM), 0);
	ASK("10.1.0.7/32", .flags = 0);
	cr_expect_eq(fw_sent_count(ms, XTR_MSG_MAP_REPLY), 1);
}

Test(table, RFC9301_5_2_each_of_several_records_gets_what_it_would_get_alone)
{
	static const char *const eids[] = { "10.1.0.5", "11.1.1.1", "10.2.0.7", "10.1.128.1" };
	struct xtr_map_request m;
	struct xtr_mreq_record rec;
	struct xtr_rd it = { 0 };
	struct xtr_eid_prefix e, want = fw_eid("10.1.128.1");
	const uint8_t *buf;
	size_t len;

	REG(XTR_REG_P, FW_REC("10.1.0.0/17", 1440, "192.0.2.1"));
	REG(0, FW_REC("10.1.128.0/17", 1440, "192.0.2.1"));
	ask_all(eids, 4, XTR_MREQ_I);
	cr_assert_eq(fw_sent_count(ms, XTR_MSG_MAP_REPLY), 3);
	cr_assert_str_eq(reply(), "10.2.0.0/24 1 act1", "the last of them");
	cr_assert_eq(fw_counter(ms, XTR_NODE_NEGATIVE_SENT), 2);
	/* The ETR gets the record that is its own, and the rest of the message unaltered. */
	cr_assert_eq(forwarded(), 1);
	buf = fw_message(fw_sent(ms, XTR_MSG_MAP_REQUEST, 0), &len);
	cr_assert_eq(xtr_map_request_decode(buf, len, &m), 0);
	cr_assert(m.record_count == 1 && m.nonce == 0x1122334455667788 && m.flags == XTR_MREQ_I && m.xtr_id[0] == 7);
	cr_assert(xtr_mreq_record_next(&m, &it, &rec) && !xtr_eid_from_addr(&rec.eid, rec.mask_len, &e, NULL));
	cr_assert(xtr_eid_equal(&e, &want));
}

Test(table, the_records_of_one_request_are_bounded)
{
	const char *eids[255];
	char text[255][16];

	for (unsigned i = 0; i < 255; i++) {
		snprintf(text[i], sizeof(text[i]), "10.3.%u.1", i);
		eids[i] = text[i];
	}
	REG(0, FW_REC("10.1.0.0/16", 1440, "192.0.2.1"));
	ask_all(eids, 255, 0);
	cr_assert_leq(fw_sent_count(ms, XTR_MSG_MAP_REPLY), 32);
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_LIMIT), 1);
}

Test(table, RFC9301_5_8_no_answer_goes_to_the_data_port)
{
	REG(XTR_REG_P, FW_REC("10.1.0.0/16", 1440, "192.0.2.1"));
	const struct fw_req q = { .nonce = 0x1122334455667788, .eid = "10.1.0.5", .itr_rloc = "192.0.2.50", .plain = true };
	uint8_t buf[1024];
	size_t len = fw_make_request(buf, sizeof(buf), &q);

	fw_inject(ms, "192.0.2.50", 4341, buf, len);
	cr_assert_str_eq(reply(), "");
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_PORT), 1);
	fw_inject(ms, "192.0.2.50", 4340, buf, len);
	cr_assert_str_eq(reply(), "10.1.0.0/16 1440 192.0.2.1/1R");
}

Test(table, row_1_T_18_a_probe_is_dropped)
{
	REG(XTR_REG_P, FW_REC("10.1.0.0/16", 1440, "192.0.2.1"));
	ASK("10.1.0.5", .flags = XTR_MREQ_P);
	ASK("10.1.0.5", .flags = XTR_MREQ_P, .plain = true);
	cr_assert_str_eq(reply(), "");
	cr_assert_eq(forwarded(), 0);
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_PROBE), 1);
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_NOT_OURS), 1);
}

Test(table, row_2_MS_30_outside_all_sites_15_minutes)
{
	ASK("11.1.1.1");
	cr_assert_str_eq(reply(), "11.0.0.0/8 15 act1");
	cr_assert_eq(fw_counter(ms, XTR_NODE_NEGATIVE_SENT), 1);
}

Test(table, row_2_only_in_an_aggregate)
{
	fw_conf_aggregate(&conf, "10.0.0.0/8");
	fw_reconfigure(ms, &conf);
	ASK("10.128.0.1");
	cr_assert_str_eq(reply(), "10.128.0.0/9 15 act1");
}

Test(table, row_5_MS_31_configured_but_nobody_registered_1_minute)
{
	ASK("10.2.0.5");
	cr_assert_str_eq(reply(), "10.2.0.0/24 1 act1");
}

Test(table, row_5_a_hole_between_the_registrations_of_a_site)
{
	REG(0, FW_REC("10.1.1.0/24", 1440, "192.0.2.1"));
	ASK("10.1.128.5");
	cr_assert_str_eq(reply(), "10.1.128.0/17 1 act1");
	ASK("10.1.0.5");
	cr_assert_str_eq(reply(), "10.1.0.0/24 1 act1");
}

Test(table, row_5_after_the_registration_expired)
{
	REG(XTR_REG_P, FW_REC("10.2.0.0/24", 1440, "192.0.2.1"));
	ASK("10.2.0.5");
	cr_assert_str_eq(reply(), "10.2.0.0/24 1440 192.0.2.1/1R");
	fw_until(w, 180000);
	ASK("10.2.0.5");
	cr_assert_str_eq(reply(), "10.2.0.0/24 1 act1");
}

Test(table, row_5_another_sites_wider_registration_does_not_answer)
{
	fw_conf_site(&conf, "c", "10.1.7.0/24", false);
	fw_reconfigure(ms, &conf);
	REG(XTR_REG_P, FW_REC("10.1.0.0/16", 1440, "192.0.2.1"));
	ASK("10.1.7.5");
	cr_assert_str_eq(reply(), "10.1.7.0/24 1 act1");
}

Test(table, row_6_MS_32_MS_27_an_etr_asked_for_proxy)
{
	REG(XTR_REG_P,
	    { .eid = "10.1.0.0/16",
	      .ttl = 60,
	      .locs = { FW_LOC("192.0.2.2", .priority = 2, .down = true), FW_LOC("192.0.2.1") } });
	ASK("10.1.0.5");
	cr_assert_str_eq(reply(), "10.1.0.0/16 60 192.0.2.1/1R 192.0.2.2/2");
	cr_assert_eq(forwarded(), 0);
}

Test(table, row_6_MS_32_any_etr)
{
	static const uint8_t x1[16] = { 1 }, x2[16] = { 2 };
	const struct fw_rec a = FW_REC("10.1.0.0/16", 60, "192.0.2.1"),
			    b = FW_REC("10.1.0.0/16", 90, "192.0.2.2");

	reg("192.0.2.1", XTR_REG_MERGE | XTR_REG_P, &a, 1, x1);
	reg("192.0.2.2", XTR_REG_MERGE, &b, 1, x2);
	ASK("10.1.0.5");
	cr_assert_str_eq(reply(), "10.1.0.0/16 60 192.0.2.1/1R 192.0.2.2/1R",
			 "the union, the shorter TTL");
}

Test(table, row_6_overlap_all_more_specifics_with_one_ttl)
{
	REG(XTR_REG_P, FW_REC("10.1.0.0/16", 1440, "192.0.2.1"),
	    FW_REC("10.1.1.0/24", 60, "192.0.2.2"), FW_REC("10.1.2.0/24", 70, "192.0.2.3"));
	ASK("10.1.5.5");
	cr_assert_str_eq(reply(), "10.1.0.0/16 60 192.0.2.1/1R; 10.1.1.0/24 60 192.0.2.2/1R; "
				  "10.1.2.0/24 60 192.0.2.3/1R");
	ASK("10.1.1.5");
	cr_assert_str_eq(reply(), "10.1.1.0/24 60 192.0.2.2/1R");
}

Test(table, row_6_MS_28_a_more_specific_one_without_proxy_is_not_told)
{
	REG(XTR_REG_P, FW_REC("10.1.0.0/16", 1440, "192.0.2.1"));
	REG(0, FW_REC("10.1.1.0/24", 60, "192.0.2.2"));
	ASK("10.1.128.5");
	cr_assert_str_eq(reply(), "10.1.128.0/17 1440 192.0.2.1/1R");
	ASK("10.1.1.5");
	cr_assert_eq(forwarded(), 1);
}

Test(table, row_6_what_does_not_fit)
{
	char eid[32];

	REG(XTR_REG_P, FW_REC("10.1.0.0/16", 1440, "192.0.2.1"));
	for (unsigned i = 0; i < 100; i++) {
		snprintf(eid, sizeof(eid), "10.1.%u.0/24", i);
		REG(XTR_REG_P, FW_REC(eid, 60, "192.0.2.2"));
	}
	ASK("10.1.200.5");
	cr_assert_str_eq(reply(), "10.1.128.0/17 1440 192.0.2.1/1R");
}

Test(table, row_6_A_wants_the_etr_unless_proxying_is_forced)
{
	REG(XTR_REG_P, FW_REC("10.1.0.0/16", 1440, "192.0.2.1"));
	ASK("10.1.0.5", .flags = XTR_MREQ_A);
	cr_assert_eq(forwarded(), 1);
	cr_assert_str_eq(reply(), "");
	conf.sites[0].force_proxy = true;
	fw_reconfigure(ms, &conf);
	ASK("10.1.0.5", .flags = XTR_MREQ_A);
	cr_assert_str_eq(reply(), "10.1.0.0/16 1440 192.0.2.1/1R");
}

Test(table, row_6_forced_by_configuration)
{
	conf.sites[0].force_proxy = true;
	fw_reconfigure(ms, &conf);
	REG(0, FW_REC("10.1.0.0/16", 1440, "192.0.2.1"));
	ASK("10.1.0.5");
	cr_assert_str_eq(reply(), "10.1.0.0/16 1440 192.0.2.1/1R");
}

Test(table, row_7_MS_33_forwarded_to_an_etr_unaltered)
{
	const struct fw_req q = { .nonce = 0x1122334455667788,
				  .eid = "10.1.0.5",
				  .itr_rloc = "192.0.2.50",
				  .sport = 61000,
				  .source = "10.9.0.1" };
	struct xtr_ecm in, out;
	struct fw_packet *p;
	uint8_t buf[1024];
	size_t len = fw_make_request(buf, sizeof(buf), &q);
	char s[64];

	REG(0, { .eid = "10.1.0.0/16",
		 .ttl = 60,
		 .locs = { FW_LOC("192.0.2.1"), FW_LOC("192.0.2.2", .down = true) } });
	fw_inject(ms, "192.0.2.8", 4342, buf, len);
	cr_assert_eq(forwarded(), 1);
	cr_assert_str_eq(reply(), "", "the ETR answers");
	p = fw_sent(ms, XTR_MSG_MAP_REQUEST, 0);
	cr_assert_str_eq(xtr_ip_str(&p->dst, s), "192.0.2.1", "the reachable one");
	cr_assert_str_eq(xtr_ip_str(&p->src, s), "192.0.2.9");
	cr_assert_eq(p->dport, 4342);
	cr_assert_eq(xtr_ecm_decode(buf, len, &in), 0);
	cr_assert_eq(xtr_ecm_decode(p->buf, p->len, &out), 0);
	cr_assert_eq(out.msg_len, in.msg_len);
	cr_assert_eq(memcmp(out.msg, in.msg, in.msg_len), 0);
	cr_assert_eq(out.inner_sport, 61000, "the inner header stays");
	cr_assert_eq(xtr_ip_cmp(&out.inner_src, &in.inner_src), 0);
	cr_assert_eq(xtr_ip_cmp(&out.inner_dst, &in.inner_dst), 0);
	cr_assert_eq(out.inner_ttl, in.inner_ttl - 1);
	cr_assert_eq(fw_counter(ms, XTR_NODE_TX_FORWARDED), 1);
}

Test(table, row_7_one_etr_after_the_other)
{
	unsigned to[2] = { 0 };

	REG(0, { .eid = "10.1.0.0/16",
		 .ttl = 60,
		 .locs = { FW_LOC("192.0.2.1"), FW_LOC("192.0.2.2") } });
	for (unsigned i = 0; i < 10; i++) {
		ASK("10.1.0.5");
		to[fw_sent(ms, XTR_MSG_MAP_REQUEST, i)->dst.a[3] - 1]++;
	}
	cr_assert(to[0] == 5 && to[1] == 5);
}

Test(table, row_7_where_the_registration_came_from_if_no_locator_can_be_used)
{
	char s[64];

	REG(0, { .eid = "10.1.0.0/16", .ttl = 60, .locs = { FW_LOC("127.0.0.1") } });
	ASK("10.1.0.5");
	cr_assert_str_eq(xtr_ip_str(&fw_sent(ms, XTR_MSG_MAP_REQUEST, 0)->dst, s), "192.0.2.1");
}

Test(table, row_7_never_to_ourselves)
{
	REG(0, FW_REC("10.1.0.0/16", 1440, "192.0.2.9"));
	ASK("10.1.0.5");
	cr_assert_eq(fw_sent(ms, XTR_MSG_MAP_REQUEST, 0)->dst.a[3], 1,
		     "to the sender of the registration");
	cr_assert_eq(forwarded(), 1);
}

Test(table, a_forwarding_loop_ends)
{
	const struct fw_req q = { .nonce = 5, .eid = "10.1.0.5", .itr_rloc = "192.0.2.50" };
	struct xtr_ecm ecm;
	uint8_t buf[1024], again[1024];
	struct xtr_wr wr = xtr_wr_init(again, sizeof(again));
	size_t len = fw_make_request(buf, sizeof(buf), &q);

	REG(0, FW_REC("10.1.0.0/16", 1440, "192.0.2.1"));
	cr_assert_eq(xtr_ecm_decode(buf, len, &ecm), 0);
	ecm.inner_ttl = 1;
	xtr_ecm_reencode(&wr, &ecm);
	fw_inject(ms, "192.0.2.8", 4342, again, xtr_wr_len(&wr));
	cr_assert_eq(forwarded(), 0);
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_LOOP), 1);
}

Test(table, MS_42_an_unencapsulated_map_request_is_taken_too)
{
	struct xtr_ecm ecm;
	char s[64];

	REG(0, FW_REC("10.1.0.0/16", 1440, "192.0.2.1"));
	ASK("10.1.0.5", .plain = true);
	cr_assert_eq(forwarded(), 1);
	cr_assert_eq(xtr_ecm_decode(fw_sent(ms, 1, 0)->buf, fw_sent(ms, 1, 0)->len, &ecm), 0);
	cr_assert_str_eq(xtr_ip_str(&ecm.inner_src, s), "192.0.2.50",
			 "the ITR's RLOC was its source");
	cr_assert_str_eq(xtr_ip_str(&ecm.inner_dst, s), "10.1.0.5");
	ASK("10.2.0.5", .plain = true);
	cr_assert_str_eq(reply(), "10.2.0.0/24 1 act1");
}

Test(table, MS_35_map_replies_are_discarded)
{
	const struct fw_rec rec = FW_REC("10.1.0.0/16", 60, "192.0.2.1");
	uint8_t buf[512];

	fw_inject(ms, "192.0.2.1", 4342, buf, fw_make_reply(buf, sizeof(buf), 7, &rec, 1));
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_NONCE), 1);
	cr_assert_eq(fw_sent_count(ms, XTR_MSG_MAP_REPLY), 0);
}

Test(table, negative_answers_are_rate_limited_too)
{
	for (unsigned i = 0; i < 10; i++)
		ASK("10.2.0.5");
	cr_assert_eq(fw_sent_count(ms, XTR_MSG_MAP_REPLY), 1);
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_RATE), 9);
}

Test(table, a_prefix_that_has_been_split_is_answered_for_its_first_address)
{
	REG(XTR_REG_P, FW_REC("10.1.0.0/17", 1440, "192.0.2.1"),
	    FW_REC("10.1.128.0/17", 1440, "192.0.2.1"));
	ASK("10.1.0.0/16");
	cr_assert_str_eq(reply(), "10.1.0.0/17 1440 192.0.2.1/1R");
}

Test(table, instances_do_not_meet)
{
	REG(XTR_REG_P, FW_REC("10.1.0.0/16", 1440, "192.0.2.1"));
	ASK("[5]10.1.0.5");
	cr_assert_str_eq(reply(), "0.0.0.0/0 15 act1", "nothing is known of instance 5");
}

/* ---- least-specific negative prefix: the examples */

Test(hole, MS_40_next_to_10_8)
{
	fw_conf_site(&conf, "a", "10.0.0.0/8", true);
	go();
	ASK("11.1.1.1");
	cr_assert_str_eq(reply(), "11.0.0.0/8 15 act1");
}

Test(hole, MS_40_next_to_10_1_16)
{
	fw_conf_site(&conf, "a", "10.1.0.0/16", true);
	go();
	ASK("10.2.3.4");
	cr_assert_str_eq(reply(), "10.2.0.0/15 15 act1");
}

Test(hole, MS_40_nothing_known)
{
	go();
	ASK("1.2.3.4");
	cr_assert_str_eq(reply(), "0.0.0.0/0 15 act1");
}

Test(hole, MS_20_inside_an_aggregate_with_a_site)
{
	fw_conf_aggregate(&conf, "10.0.0.0/8");
	fw_conf_site(&conf, "a", "10.1.0.0/16", true);
	go();
	ASK("10.128.0.1");
	cr_assert_str_eq(reply(), "10.128.0.0/9 15 act1");
}

Test(hole, MS_20_inside_an_aggregate_with_nothing)
{
	fw_conf_aggregate(&conf, "10.0.0.0/8");
	go();
	ASK("10.3.3.3");
	cr_assert_str_eq(reply(), "10.0.0.0/8 15 act1");
}

Test(hole, capped_as_configured)
{
	conf.c.limits.hole_ip4 = 8;
	conf.c.limits.hole_ip6 = 16;
	go();
	ASK("1.2.3.4");
	cr_assert_str_eq(reply(), "1.0.0.0/8 15 act1");
	ASK("2001:db8::1");
	cr_assert_str_eq(reply(), "2001::/16 15 act1");
}

Test(hole, RFC9735_a_name_is_cut_between_characters)
{
	fw_conf_site(&conf, "a", "'ietf.lisp'", true);
	go();
	ASK("'ietf.bgp'");
	cr_assert_str_eq(reply(), "'ietf.b' 15 act1");
	ASK("'xtr'");
	cr_assert_str_eq(reply(), "'x' 15 act1");
	ASK("'iet'");
	cr_assert_str_eq(reply(), "'iet' 15 act1");
	/* in a site, beside what is registered there */
	REG(0, FW_REC("'ietf.lisp.a1'", 60, "192.0.2.1"));
	ASK("'ietf.lisp.a2b'");
	cr_assert_str_eq(reply(), "'ietf.lisp.a2' 1 act1");
}

Test(hole, a_site_inside_a_site)
{
	fw_conf_site(&conf, "a", "10.0.0.0/8", true);
	fw_conf_site(&conf, "b", "10.1.0.0/16", true);
	go();
	ASK("10.2.3.4");
	cr_assert_str_eq(reply(), "10.2.0.0/15 1 act1");
	REG(0, FW_REC("10.3.0.0/16", 60, "192.0.2.1"));
	ASK("10.2.3.4", .itr_rloc = "192.0.2.51");
	cr_assert_str_eq(reply(), "10.2.0.0/16 1 act1");
}

Test(hole, a_negative_prefix_never_covers_what_exists)
{
	/* Every answer about a random EID is checked against everything configured and registered.
	 */
	struct xtr_eid_prefix known[64];
	char eid[64];
	unsigned seed = 3, n = 0, negative = 0;

	conf.c.limits.replies_per_rloc = 1000000;
	conf.c.timers.reply_interval = 1;
	fw_conf_aggregate(&conf, "10.0.0.0/9");
	fw_conf_site(&conf, "a", "10.32.0.0/11", true);
	fw_conf_site(&conf, "b", "10.33.0.0/16", true);
	fw_conf_site(&conf, "c", "10.200.7.0/24", false);
	go();
	for (unsigned i = 0; i < 40; i++) {
		snprintf(eid, sizeof(eid), "10.%u.%u.0/%u", 32 + rand_r(&seed) % 32,
			 rand_r(&seed) % 256, 20 + rand_r(&seed) % 5);
		if (!strncmp(eid, "10.33.", 6)) /* another site's */
			continue;
		known[n++] = fw_eid(eid);
		REG(XTR_REG_P, FW_REC(eid, 60, "192.0.2.1"));
	}
	for (unsigned i = 0; i < 2000; i++) {
		struct xtr_eid_prefix host, got;
		struct xtr_map_reply m;
		struct xtr_record rec;
		struct fw_packet *p;
		unsigned before = fw_sent_count(ms, XTR_MSG_MAP_REPLY);

		if (i % 100 == 0)
			fw_run(w, 10);
		snprintf(eid, sizeof(eid), "10.%u.%u.%u", rand_r(&seed) % 256, rand_r(&seed) % 256,
			 rand_r(&seed) % 256);
		host = fw_eid(eid);
		ASK(eid);
		if (fw_sent_count(ms, XTR_MSG_MAP_REPLY) == before)
			continue;
		p = fw_sent(ms, XTR_MSG_MAP_REPLY, before);
		cr_assert_eq(xtr_map_reply_decode(p->buf, p->len, &m), 0);
		xtr_record_next(&m.records, &rec);
		xtr_eid_from_addr(&rec.eid, rec.mask_len, &got, NULL);
		cr_assert(xtr_eid_covers(&got, &host), "%s", eid);
		if (rec.locator_count)
			continue;
		negative++;
		for (unsigned k = 0; k < n; k++)
			cr_assert(!xtr_eid_covers(&got, &known[k]), "%s is registered", eid);
		for (unsigned s = 0; s < conf.c.site_count; s++)
			cr_assert(!xtr_eid_covers(&got, &conf.prefixes[s][0].eid) ||
				  xtr_eid_equal(&got, &conf.prefixes[s][0].eid));
	}
	cr_assert_gt(negative, 100);
}
