// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Map-Server: registration. RFC 9301 5.6, 5.7, 8.2; security rules S-1 to S-7. One Map-Server
 * (192.0.2.9); the xTRs 192.0.2.1, .2, .3 exist only as far as a test plays them.
 */
#include "fake_world.h"

#include "codec/auth.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct fw *w;
static struct fw_node *ms;
static struct fw_conf conf;
static uint64_t nonce = 1000;

static void set_up(void)
{
	w = fw_new();
	fw_conf_init(&conf);
	fw_conf_rloc(&conf, "192.0.2.9");
	fw_conf_site(&conf, "a", "10.1.0.0/24", false);
	fw_conf_site_prefix(&conf, "10.16.0.0/12", true);
	fw_conf_site(&conf, "b", "10.2.0.0/24", false);
	conf.keys[1][0].key_id = 1;
	conf.keys[1][0].secret = (const uint8_t *)"other";
	conf.keys[1][0].secret_len = 5;
	ms = fw_start(w, "ms", &conf);
	fw_until(w, 0);
}

static void tear_down(void)
{
	fw_free(w);
}

TestSuite(ms, .init = set_up, .fini = tear_down);

static struct fw_rec site_a = FW_REC("10.1.0.0/24", 1440, "192.0.2.1");

/* Sends a Map-Register with a new nonce (unless one is given). */
static void send_from(const char *src, struct fw_reg reg, const struct fw_rec *recs, unsigned n)
{
	uint8_t buf[4096];

	reg.nonce = reg.nonce ? reg.nonce : ++nonce;
	fw_inject(ms, src, 4342, buf, fw_make_register(buf, sizeof(buf), &reg, recs, n));
}

static void send_one(const char *src, struct fw_reg reg, struct fw_rec rec)
{
	send_from(src, reg, &rec, 1);
}

#define REGISTER(src, rec, ...) send_one(src, (struct fw_reg){ __VA_ARGS__ }, rec)
#define REC(e, t, address) ((struct fw_rec)FW_REC(e, t, address))
#define NEG(e, t) ((struct fw_rec)FW_NEG(e, t, 0))
#define V(...) ((struct fw_rec){ __VA_ARGS__ }) /* any other record */

static struct xtr_site_info sites[64];
static unsigned site_count;

static int keep(void *arg, const struct xtr_site_info *i)
{
	if (site_count < 64)
		sites[site_count++] = *i;
	return 0;
}

/* The row of this prefix (the n-th, if several registered it). */
static const struct xtr_site_info *row_n(const char *eid, unsigned n)
{
	struct xtr_eid_prefix e = fw_eid(eid);

	site_count = 0;
	xtr_node_walk_sites(ms->n, w->now, keep, NULL);
	for (unsigned i = 0; i < site_count; i++)
		if (xtr_eid_equal(&sites[i].eid, &e) && !n--)
			return &sites[i];
	return NULL;
}

static const struct xtr_site_info *row(const char *eid)
{
	return row_n(eid, 0);
}
static bool registered(const char *eid)
{
	return row(eid) && row(eid)->registered;
}

static void refused(const char *text, enum xtr_node_counter c)
{
	const struct xtr_site_info *r = row("10.1.0.0/24");
	char s[64];

	cr_assert(!r->registered);
	cr_assert_eq(fw_counter(ms, c), 1);
	cr_assert_eq(r->refused, 1);
	cr_assert_not_null(strstr(r->last_refusal, text), "\"%s\" is not in \"%s\"", text,
			   r->last_refusal);
	cr_assert_str_eq(xtr_ip_str(&r->last_refusal_from, s), "192.0.2.1");
	cr_assert_eq(r->last_refusal_ms, 0);
	cr_assert_eq(fw_events(ms, XTR_EVENT_REGISTER_REFUSED), 1);
	cr_assert_eq(fw_sent_count(ms, XTR_MSG_MAP_NOTIFY), 0);
}

/* ---- acceptance */

Test(ms, MS_1_a_registration_is_stored_and_shown)
{
	char s[64];

	cr_assert_null(row("10.1.0.0/24")->last_refusal);
	cr_assert_eq(row("10.1.0.0/24")->ended_ms, UINT64_MAX, "there never was one");
	REGISTER("192.0.2.1", REC("10.1.0.0/24", 1440, "192.0.2.1"), .flags = XTR_REG_P);
	cr_assert(registered("10.1.0.0/24"));
	cr_assert_str_eq(row("10.1.0.0/24")->site, "a");
	cr_assert(row("10.1.0.0/24")->configured);
	cr_assert(row("10.1.0.0/24")->proxy);
	cr_assert_str_eq(xtr_ip_str(&row("10.1.0.0/24")->registrant, s), "192.0.2.1");
	cr_assert_eq(row("10.1.0.0/24")->expires_ms, 180000);
	cr_assert_eq(row("10.1.0.0/24")->locator_count, 1);
	cr_assert_null(row("10.1.0.0/24")->last_refusal);
	cr_assert_eq(fw_events(ms, XTR_EVENT_SITE_ADD), 1);
	cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTER_ACCEPTED), 1);
	REGISTER("192.0.2.1", REC("10.1.0.0/24", 1440, "192.0.2.1"), .flags = XTR_REG_P);
	cr_assert_eq(fw_events(ms, XTR_EVENT_SITE_ADD), 1);
	cr_assert_eq(fw_events(ms, XTR_EVENT_SITE_CHANGE), 0, "a refresh is no change");
	cr_assert_eq(row("10.1.0.0/24")->registers, 2);
	REGISTER("192.0.2.1", REC("10.1.0.0/24", 1440, "192.0.2.7"));
	cr_assert_eq(fw_events(ms, XTR_EVENT_SITE_CHANGE), 1);
	cr_assert_eq(row("10.1.0.0/24")->locator_count, 1, "replaced, not added");
	cr_assert(!row("10.1.0.0/24")->proxy);
}

Test(ms, MS_22_removed_180_s_after_the_last_valid_map_register)
{
	REGISTER("192.0.2.1", site_a);
	fw_until(w, 100000);
	REGISTER("192.0.2.1", site_a);
	fw_until(w, 279999);
	cr_assert(registered("10.1.0.0/24"));
	fw_until(w, 280000);
	cr_assert(!registered("10.1.0.0/24"));
	cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTRATION_EXPIRED), 1);
	cr_assert_eq(fw_events(ms, XTR_EVENT_SITE_EXPIRE), 1);
	cr_assert_null(row("10.1.0.0/24")->last_refusal);
	fw_until(w, 287000);
	cr_assert_eq(row("10.1.0.0/24")->ended_ms, 7000);
	cr_assert(!row("10.1.0.0/24")->withdrawn);
}

Test(ms, an_invalid_map_register_does_not_keep_a_registration_alive)
{
	static const struct xtr_key wrong = { 1, XTR_AUTH_SHA256, (const uint8_t *)"wrong", 5 };

	REGISTER("192.0.2.1", site_a);
	fw_until(w, 100000);
	REGISTER("192.0.2.1", site_a, .key = &wrong);
	fw_until(w, 180000);
	cr_assert(!registered("10.1.0.0/24"));
}

Test(ms, RFC9301_5_6_with_T_the_record_ttl_is_the_timeout)
{
	REGISTER("192.0.2.1", REC("10.1.0.0/24", 10, "192.0.2.1"), .flags = XTR_REG_T);
	fw_until(w, 599999);
	cr_assert(registered("10.1.0.0/24"));
	fw_until(w, 600000);
	cr_assert(!registered("10.1.0.0/24"));
	/* a shorter one counts at once, too */
	REGISTER("192.0.2.1", REC("10.1.0.0/24", 10, "192.0.2.1"), .flags = XTR_REG_T);
	REGISTER("192.0.2.1", REC("10.1.0.0/24", 1, "192.0.2.1"), .flags = XTR_REG_T);
	fw_run(w, 60000);
	cr_assert(!registered("10.1.0.0/24"));
}

Test(ms, T_24_the_timeout_by_ttl_is_capped)
{
	REGISTER("192.0.2.1", REC("10.1.0.0/24", 0xfffffffe, "192.0.2.1"), .flags = XTR_REG_T);
	cr_assert_eq(row("10.1.0.0/24")->expires_ms, 10080 * 60000ull);
}

Test(ms, withdrawn_by_locator_count_0_or_ttl_0)
{
	REGISTER("192.0.2.1", site_a);
	REGISTER("192.0.2.1", NEG("10.1.0.0/24", 1440));
	cr_assert(!registered("10.1.0.0/24"));
	cr_assert_eq(row("10.1.0.0/24")->ended_ms, 0);
	cr_assert(row("10.1.0.0/24")->withdrawn);
	REGISTER("192.0.2.1", site_a);
	REGISTER("192.0.2.1", REC("10.1.0.0/24", 0, "192.0.2.1"));
	cr_assert(!registered("10.1.0.0/24"));
	cr_assert_eq(fw_events(ms, XTR_EVENT_SITE_EXPIRE), 2);
}

Test(ms, a_withdrawal_by_another_xtr_takes_nothing_of_the_first)
{
	static const uint8_t x1[16] = { 1 }, x2[16] = { 2 };

	REGISTER("192.0.2.1", site_a, .xtr_id = x1);
	REGISTER("192.0.2.2", NEG("10.1.0.0/24", 0), .xtr_id = x2);
	cr_assert(registered("10.1.0.0/24"));
}

/* ---- Map-Notify */

static struct xtr_register notify(unsigned i)
{
	struct fw_packet *p = fw_sent(ms, XTR_MSG_MAP_NOTIFY, i);
	struct xtr_register m;

	cr_assert_not_null(p, "Map-Notify %u was not sent", i);
	cr_assert_eq(xtr_register_decode_head(p->buf, p->len, &m), 0);
	cr_assert_eq(xtr_auth_verify(p->buf, p->len, m.auth_off, m.auth_len, m.type, m.alg_id,
				     m.nonce, fw_key.secret, fw_key.secret_len),
		     0);
	cr_assert_eq(xtr_register_decode_body(&m), 0);
	return m;
}

/* "10.1.0.0/24: 192.0.2.1/1R" */
static const char *notified(unsigned i)
{
	static char out[2048];
	struct xtr_register m = notify(i);
	struct xtr_record rec;
	struct xtr_locator l;
	size_t at = 0;

	out[0] = '\0';
	while (xtr_record_next(&m.records, &rec)) {
		struct xtr_eid_prefix e;
		struct xtr_rd it = { 0 };
		char s[XTR_EID_STRLEN], a[128];

		cr_assert_eq(xtr_eid_from_addr(&rec.eid, rec.mask_len, &e, NULL), 0);
		at += (size_t)snprintf(out + at, sizeof(out) - at, "%s%s:", at ? "; " : "",
				       xtr_eid_str(&e, s) + 3);
		while (xtr_locator_next(&rec, &it, &l))
			at += (size_t)snprintf(out + at, sizeof(out) - at, " %s/%u%s",
					       xtr_addr_str(&l.addr, a, sizeof(a)), l.priority,
					       l.reachable ? "R" : "");
	}
	return out;
}

Test(ms, MS_6_M_is_answered_with_a_map_notify_with_its_nonce_and_key)
{
	char s[64];

	REGISTER("192.0.2.1", site_a);
	cr_assert_eq(fw_sent_count(ms, XTR_MSG_MAP_NOTIFY), 0);
	REGISTER("192.0.2.1", site_a, .flags = XTR_REG_M, .nonce = 0xabcdef);
	cr_assert_eq(notify(0).nonce, 0xabcdef);
	cr_assert_str_eq(notified(0), "10.1.0.0/24: 192.0.2.1/1R");
	cr_assert_str_eq(xtr_ip_str(&fw_sent(ms, 4, 0)->dst, s), "192.0.2.1");
	cr_assert_str_eq(xtr_ip_str(&fw_sent(ms, 4, 0)->src, s), "192.0.2.9");
	fw_run(w, 100000);
	cr_assert_eq(fw_sent_count(ms, XTR_MSG_MAP_NOTIFY), 1, "never repeated");
}

Test(ms, MS_25_map_notify_goes_to_port_4342_whatever_the_source_port_was)
{
	uint8_t buf[1024];
	struct fw_reg r = { .nonce = 5000, .flags = XTR_REG_M };

	fw_inject(ms, "192.0.2.1", 51234, buf, fw_make_register(buf, sizeof(buf), &r, &site_a, 1));
	cr_assert_eq(fw_sent(ms, XTR_MSG_MAP_NOTIFY, 0)->dport, 4342);
}

/* ---- refusals: order of checks, counted, shown */

Test(ms, MS_17_wrong_secret)
{
	static const struct xtr_key wrong = { 1, XTR_AUTH_SHA256, (const uint8_t *)"wrong", 5 };

	REGISTER("192.0.2.1", site_a, .key = &wrong, .flags = XTR_REG_M);
	refused("authentication failed", XTR_NODE_DROP_AUTH);
}

Test(ms, MS_17_unknown_key_id)
{
	static const struct xtr_key other = { 9, XTR_AUTH_SHA256, (const uint8_t *)"secret", 6 };

	REGISTER("192.0.2.1", site_a, .key = &other, .flags = XTR_REG_M);
	refused("key ID 9", XTR_NODE_DROP_AUTH);
}

Test(ms, no_downgrade_to_another_algorithm)
{
	static const struct xtr_key weak = { 1, XTR_AUTH_SHA1, (const uint8_t *)"secret", 6 };

	REGISTER("192.0.2.1", site_a, .key = &weak, .flags = XTR_REG_M);
	refused("algorithm 1", XTR_NODE_DROP_ALGORITHM);
}

Test(ms, no_authentication_unless_configured)
{
	static const struct xtr_key none = { .key_id = 1, .alg_id = XTR_AUTH_NONE };

	REGISTER("192.0.2.1", site_a, .key = &none, .flags = XTR_REG_M);
	refused("algorithm 0", XTR_NODE_DROP_ALGORITHM);
	conf.keys[0][0] = none;
	fw_reconfigure(ms, &conf);
	REGISTER("192.0.2.1", site_a, .key = &none);
	cr_assert(registered("10.1.0.0/24"));
}

Test(ms, MS_49_all_algorithms)
{
	for (uint8_t alg = XTR_AUTH_SHA1; alg <= XTR_AUTH_SHA256_HKDF; alg++) {
		conf.keys[0][0].alg_id = alg;
		fw_reconfigure(ms, &conf);
		REGISTER("192.0.2.1", site_a, .key = &conf.keys[0][0]);
		cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTER_ACCEPTED), alg);
	}
}

Test(ms, two_keys_of_a_site_for_roll_over)
{
	conf.keys[0][1] = (struct xtr_key){ 2, XTR_AUTH_SHA256_HKDF, (const uint8_t *)"new", 3 };
	conf.sites[0].key_count = 2;
	fw_reconfigure(ms, &conf);
	REGISTER("192.0.2.1", site_a);
	REGISTER("192.0.2.1", site_a, .key = &conf.keys[0][1]);
	cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTER_ACCEPTED), 2);
}

Test(ms, MS_18_the_key_of_one_site_is_no_key_of_another)
{
	REGISTER("192.0.2.1", REC("10.2.0.0/24", 1440, "192.0.2.1"));
	cr_assert(!registered("10.2.0.0/24"));
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_AUTH), 1);
	cr_assert_eq(row("10.2.0.0/24")->refused, 1);
}

Test(ms, T_1_MS_19_MS_50_a_prefix_outside_the_configuration_is_refused)
{
	/* Authentic, and its first record is the site's own: the second is another site's, the
	 * third nobody's. */
	const struct fw_rec recs[] = {
		site_a,
		FW_REC("10.2.0.0/24", 1440, "192.0.2.1"),
		FW_REC("10.99.0.0/24", 1440, "192.0.2.1"),
	};

	send_from("192.0.2.1", (struct fw_reg){ .flags = XTR_REG_M }, recs, 3);
	cr_assert(registered("10.1.0.0/24"));
	cr_assert(!registered("10.2.0.0/24"));
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_PREFIX), 2);
	cr_assert_not_null(strstr(row("10.1.0.0/24")->last_refusal, "10.99.0.0/24"));
	cr_assert_str_eq(notified(0), "10.1.0.0/24: 192.0.2.1/1R; 10.2.0.0/24:; 10.99.0.0/24:",
			 "refused ones without locators");
}

Test(ms, no_site_for_the_first_record)
{
	REGISTER("192.0.2.1", REC("10.99.0.0/24", 1440, "192.0.2.1"), .flags = XTR_REG_M);
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_NO_SITE), 1);
	cr_assert_eq(fw_sent_count(ms, XTR_MSG_MAP_NOTIFY), 0);
	REGISTER("192.0.2.1", REC("10.0.0.0/8", 1440, "192.0.2.1"));
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_NO_SITE), 2, "wider than anything configured");
	REGISTER("192.0.2.1", REC("[3]10.1.0.0/24", 1440, "192.0.2.1"));
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_NO_SITE), 3, "T-13: another instance");
}

Test(ms, more_specifics_only_where_they_are_accepted)
{
	REGISTER("192.0.2.1", REC("10.1.0.128/25", 1440, "192.0.2.1"));
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_PREFIX), 1);
	cr_assert_not_null(strstr(row("10.1.0.0/24")->last_refusal, "more specific"));
	REGISTER("192.0.2.1", REC("10.17.3.0/24", 1440, "192.0.2.1"));
	cr_assert(registered("10.17.3.0/24"));
	cr_assert(!row("10.17.3.0/24")->configured);
	cr_assert(!registered("10.16.0.0/12"));
}

Test(ms, registrations_of_a_site_and_in_all_are_bounded)
{
	char eid[32];

	conf.sites[0].max_registrations = 10;
	fw_reconfigure(ms, &conf);
	for (unsigned i = 0; i < 20; i++) {
		snprintf(eid, sizeof(eid), "10.17.%u.0/24", i);
		REGISTER("192.0.2.1", REC(eid, 1440, "192.0.2.1"));
	}
	cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTER_ACCEPTED), 10);
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_LIMIT), 10);
	REGISTER("192.0.2.1", REC("10.17.3.0/24", 1440, "192.0.2.1"));
	cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTER_ACCEPTED), 11,
		     "a refresh is always accepted");
	conf.sites[0].max_registrations = 100;
	conf.c.limits.registrations = 12;
	fw_reconfigure(ms, &conf);
	for (unsigned i = 30; i < 40; i++) {
		snprintf(eid, sizeof(eid), "10.17.%u.0/24", i);
		REGISTER("192.0.2.1", REC(eid, 1440, "192.0.2.1"));
	}
	cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTER_ACCEPTED), 13);
}

Test(ms, RFC9302_6_an_older_map_version_is_dropped)
{
	REGISTER("192.0.2.1", V(.eid = "10.1.0.0/24", .ttl = 60, .version = 4000,
				.locs = { FW_LOC("192.0.2.1") }));
	REGISTER("192.0.2.1", V(.eid = "10.1.0.0/24", .ttl = 60, .version = 3999,
				.locs = { FW_LOC("192.0.2.66") }));
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_REPLAY), 1);
	REGISTER("192.0.2.1", V(.eid = "10.1.0.0/24", .ttl = 60, .version = 3,
				.locs = { FW_LOC("192.0.2.2") })); /* wrapped */
	cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTER_ACCEPTED), 2);
}

Test(ms, records_of_a_message_with_a_bad_mac_are_not_looked_at)
{
	const struct fw_reg r = { .nonce = 5000 };
	uint8_t buf[1024];
	size_t len = fw_make_register(buf, sizeof(buf), &r, &site_a, 1);

	/* Garbage after the first EID: with a good MAC that is "malformed", with a bad one nobody
	 * knows. */
	memset(buf + len - 8, 0xff, 8);
	fw_inject(ms, "192.0.2.1", 4342, buf, len);
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_AUTH), 1);
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_MALFORMED), 0);
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_UNKNOWN_AFI), 0);
	memset(buf + 16, 0, 32);
	xtr_auth_sign(buf, len, 16, 32, XTR_MSG_MAP_REGISTER, 2, 5000, fw_key.secret,
		      fw_key.secret_len);
	fw_inject(ms, "192.0.2.1", 4342, buf, len);
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_MALFORMED) +
			     fw_counter(ms, XTR_NODE_DROP_UNKNOWN_AFI),
		     1);
	cr_assert(!registered("10.1.0.0/24"));
}

/* ---- replay */

Test(ms, T_2_S_3_a_nonce_that_is_not_greater_is_dropped)
{
	uint8_t buf[1024];
	const struct fw_reg r = { .nonce = 5000, .flags = XTR_REG_M };
	size_t len = fw_make_register(buf, sizeof(buf), &r, &site_a, 1);

	fw_inject(ms, "192.0.2.1", 4342, buf, len);
	cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTER_ACCEPTED), 1);
	fw_inject(ms, "192.0.2.1", 4342, buf, len);
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_REPLAY), 1);
	cr_assert_eq(fw_sent_count(ms, XTR_MSG_MAP_NOTIFY), 1);
	cr_assert_not_null(strstr(row("10.1.0.0/24")->last_refusal, "nonce"));
	cr_assert_not_null(strstr(row("10.1.0.0/24")->last_refusal, "replay: off"), "what to do");
	REGISTER("192.0.2.1", site_a, .nonce = 4999);
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_REPLAY), 2);
	REGISTER("192.0.2.1", site_a, .nonce = 5001);
	cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTER_ACCEPTED), 2);
}

Test(ms, S_5_a_message_that_is_refused_does_not_use_up_nonces)
{
	static const struct xtr_key wrong = { 1, XTR_AUTH_SHA256, (const uint8_t *)"wrong", 5 };

	REGISTER("192.0.2.1", site_a, .nonce = 5000);
	REGISTER("192.0.2.1", site_a, .nonce = 0xffffffffffffffff, .key = &wrong);
	REGISTER("192.0.2.1", REC("10.1.0.128/25", 60, "192.0.2.1"), .nonce = 0xfffffffffffffff0);
	REGISTER("192.0.2.1", site_a, .nonce = 5001);
	cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTER_ACCEPTED), 2);
}

Test(ms, S_3_S_6_nonces_are_kept_per_xtr_id_or_source_and_key)
{
	static const uint8_t x1[16] = { 1 }, x2[16] = { 2 };

	REGISTER("192.0.2.1", site_a, .nonce = 5000);
	REGISTER("192.0.2.2", REC("10.1.0.0/24", 60, "192.0.2.2"), .nonce = 100);
	REGISTER("192.0.2.1", site_a, .nonce = 100, .xtr_id = x1);
	REGISTER("192.0.2.1", site_a, .nonce = 100, .xtr_id = x2);
	cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTER_ACCEPTED), 4);
	REGISTER("192.0.2.66", site_a, .nonce = 100, .xtr_id = x1);
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_REPLAY), 1, "the xTR-ID counts, not the address");
}

Test(ms, S_4_replay_is_noticed_over_a_restart_and_a_crash)
{
	REGISTER("192.0.2.1", site_a, .nonce = 5000);
	fw_stop(ms);
	fw_restart(ms);
	fw_run(w, 1);
	REGISTER("192.0.2.1", site_a, .nonce = 5000);
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_REPLAY), 1);
	REGISTER("192.0.2.1", site_a, .nonce = 6000);
	fw_run(w, 1100); /* saved about a second later */
	fw_kill(ms);
	fw_restart(ms);
	REGISTER("192.0.2.1", site_a, .nonce = 6000);
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_REPLAY), 1);
	REGISTER("192.0.2.1", site_a, .nonce = 6001);
	cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTER_ACCEPTED), 1);
}

Test(ms, replay_off_accepts_random_nonces)
{
	conf.sites[0].replay_off = true;
	fw_reconfigure(ms, &conf);
	REGISTER("192.0.2.1", site_a, .nonce = 5000);
	REGISTER("192.0.2.1", site_a, .nonce = 17);
	cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTER_ACCEPTED), 2);
}

/* ---- restart, reconfiguration */

Test(ms, registrations_survive_a_restart_with_what_is_left_of_their_time)
{
	static const uint8_t x1[16] = { 7 };

	REGISTER("192.0.2.1",
		 V(.eid = "10.1.0.0/24", .ttl = 77, .version = 5,
		   .locs = { FW_LOC("192.0.2.1", .weight = 30), FW_LOC("2001:db8::1") }),
		 .xtr_id = x1, .flags = XTR_REG_P);
	REGISTER("192.0.2.2", REC("10.17.3.0/24", 1440, "192.0.2.2"));
	fw_run(w, 60000);
	fw_stop(ms);
	fw_run(w, 20000);
	fw_restart(ms);
	fw_run(w, 0);
	cr_assert(registered("10.1.0.0/24"));
	cr_assert(registered("10.17.3.0/24"));
	cr_assert_eq(row("10.1.0.0/24")->expires_ms, 100000, "%llu",
		     (unsigned long long)row("10.1.0.0/24")->expires_ms);
	cr_assert(row("10.1.0.0/24")->proxy);
	cr_assert(row("10.1.0.0/24")->has_xtr_id);
	cr_assert_eq(row("10.1.0.0/24")->locator_count, 2);
	cr_assert_eq(row("10.1.0.0/24")->locators[0].weight, 30);
	fw_run(w, 99999);
	cr_assert(registered("10.1.0.0/24"));
	fw_run(w, 1);
	cr_assert(!registered("10.1.0.0/24"));
}

Test(ms, registrations_survive_a_crash_from_the_last_checkpoint)
{
	for (unsigned i = 0; i < 3; i++) {
		REGISTER("192.0.2.1", site_a);
		fw_run(w, 60000);
	}
	fw_kill(ms);
	fw_restart(ms);
	cr_assert(registered("10.1.0.0/24"));
	cr_assert_geq(row("10.1.0.0/24")->expires_ms, 60000);
	fw_kill(ms);
	fw_run(w, 200000); /* away for too long */
	fw_restart(ms);
	cr_assert(!registered("10.1.0.0/24"));
}

Test(ms, a_damaged_state_directory_is_no_reason_to_fail)
{
	REGISTER("192.0.2.1", site_a);
	REGISTER("192.0.2.2", REC("10.17.3.0/24", 1440, "192.0.2.2"));
	fw_stop(ms);
	for (unsigned b = 0; b < 8 && ms->blobs[b].buf; b++) {
		struct fw_blob *blob = &ms->blobs[b];
		size_t len = blob->len;

		for (size_t cut = 0; cut <= len; cut++) {
			blob->len = cut;
			fw_restart(ms);
			fw_kill(ms);
		}
		for (size_t i = 0; i < len; i++) {
			blob->len = len;
			blob->buf[i] ^= 0xff;
			fw_restart(ms);
			fw_kill(ms);
			blob->buf[i] ^= 0xff;
		}
	}
	fw_restart(ms);
	cr_assert(registered("10.1.0.0/24"));
}

Test(ms, reconfigure_keeps_what_is_still_allowed)
{
	REGISTER("192.0.2.1", site_a);
	REGISTER("192.0.2.1", REC("10.17.3.0/24", 1440, "192.0.2.1"));
	REGISTER("192.0.2.1", REC("10.17.4.0/24", 1440, "192.0.2.1"));
	fw_reconfigure(ms, &conf);
	cr_assert(registered("10.1.0.0/24"));
	cr_assert(registered("10.17.3.0/24"));
	conf.prefixes[0][1].accept_more_specifics = false;
	fw_reconfigure(ms, &conf);
	cr_assert(registered("10.1.0.0/24"));
	cr_assert_null(row("10.17.3.0/24"));
	cr_assert_eq(fw_events(ms, XTR_EVENT_SITE_EXPIRE), 2);
	conf.sites[0].name = "renamed";
	fw_reconfigure(ms, &conf);
	cr_assert(!registered("10.1.0.0/24"), "another site");
	REGISTER("192.0.2.1", site_a);
	cr_assert(registered("10.1.0.0/24"));
	fw_run(w, 180000);
	cr_assert(!registered("10.1.0.0/24"));
}

Test(ms, switched_off_it_refuses_everything)
{
	REGISTER("192.0.2.1", site_a);
	conf.c.ms = false;
	fw_reconfigure(ms, &conf);
	REGISTER("192.0.2.1", site_a);
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_ROLE), 1);
	fw_run(w, 500000);
	conf.c.ms = true;
	fw_reconfigure(ms, &conf);
	cr_assert(!registered("10.1.0.0/24"));
	REGISTER("192.0.2.1", site_a, .nonce = 1);
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_REPLAY), 1, "the nonces were kept");
}

/* ---- several registrants, merge */

static const uint8_t x1[16] = { 1 }, x2[16] = { 2 }, x3[16] = { 3 };
#define MERGE(src, id, ip, ...) \
	REGISTER(src, REC("10.1.0.0/24", 1440, ip), .xtr_id = id, \
		 .flags = XTR_REG_MERGE | XTR_REG_M, __VA_ARGS__)

Test(ms, without_merge_and_ids_the_last_one_replaces_the_set)
{
	REGISTER("192.0.2.1", REC("10.1.0.0/24", 1440, "192.0.2.1"));
	REGISTER("192.0.2.2", REC("10.1.0.0/24", 1440, "192.0.2.2"));
	cr_assert_not_null(row_n("10.1.0.0/24", 0));
	cr_assert_null(row_n("10.1.0.0/24", 1));
	cr_assert_eq(row("10.1.0.0/24")->locators[0].ip.a[3], 2);
}

Test(ms, RFC9301_5_6_merged_registrations_are_confirmed_with_the_union)
{
	MERGE("192.0.2.2", x2, "192.0.2.2");
	cr_assert_str_eq(notified(0), "10.1.0.0/24: 192.0.2.2/1R");
	MERGE("192.0.2.1", x1, "192.0.2.1", .nonce = 77);
	/* the other one is told first, unasked; then the confirmation */
	cr_assert_eq(fw_sent_count(ms, XTR_MSG_MAP_NOTIFY), 3);
	cr_assert_str_eq(notified(1), "10.1.0.0/24: 192.0.2.1/1R 192.0.2.2/1R");
	cr_assert_str_eq(notified(2), "10.1.0.0/24: 192.0.2.1/1R 192.0.2.2/1R");
	cr_assert_eq(notify(2).nonce, 77);
	cr_assert_neq(notify(1).nonce, 77);
	cr_assert_eq(fw_sent(ms, 4, 1)->dst.a[3], 2);
	cr_assert_not_null(row_n("10.1.0.0/24", 1), "two registrants");
	MERGE("192.0.2.1", x1, "192.0.2.1");
	cr_assert_eq(fw_sent_count(ms, XTR_MSG_MAP_NOTIFY), 4, "no change: only the confirmation");
}

Test(ms, each_registrant_has_its_own_timer_and_the_rest_is_told)
{
	MERGE("192.0.2.1", x1, "192.0.2.1");
	fw_until(w, 100000);
	MERGE("192.0.2.2", x2, "192.0.2.2");
	fw_until(w, 179999);
	cr_assert_not_null(row_n("10.1.0.0/24", 1));
	fw_until(w, 180000);
	cr_assert_null(row_n("10.1.0.0/24", 1));
	cr_assert(registered("10.1.0.0/24"));
	cr_assert_str_eq(notified(fw_sent_count(ms, 4) - 1), "10.1.0.0/24: 192.0.2.2/1R");
	cr_assert_eq(fw_sent(ms, 4, fw_sent_count(ms, 4) - 1)->dst.a[3], 2);
	cr_assert_eq(fw_events(ms, XTR_EVENT_SITE_EXPIRE), 0);
}

Test(ms, a_part_that_is_withdrawn_is_told_to_the_rest)
{
	MERGE("192.0.2.1", x1, "192.0.2.1");
	MERGE("192.0.2.2", x2, "192.0.2.2");
	fw_run(w, 100);
	REGISTER("192.0.2.1", NEG("10.1.0.0/24", 0), .xtr_id = x1,
		 .flags = XTR_REG_MERGE | XTR_REG_M);
	cr_assert_str_eq(notified(fw_sent_count(ms, 4) - 2), "10.1.0.0/24: 192.0.2.2/1R");
	cr_assert_str_eq(notified(fw_sent_count(ms, 4) - 1),
			 "10.1.0.0/24:", "to the one that withdrew");
}

/* Map-Notify-Ack for Map-Notify i. */
static void ack(unsigned i, const struct xtr_key *key)
{
	struct fw_packet *p = fw_sent(ms, XTR_MSG_MAP_NOTIFY, i);
	uint8_t buf[2048];

	memcpy(buf, p->buf, p->len);
	buf[0] = XTR_MSG_MAP_NOTIFY_ACK << 4;
	xtr_auth_sign(buf, p->len, 16, 32, XTR_MSG_MAP_NOTIFY_ACK, 2, notify(i).nonce, key->secret,
		      key->secret_len);
	fw_inject(ms, "192.0.2.2", 4342, buf, p->len);
}

static const char *notify_times(void)
{
	static char buf[1024];

	return fw_sent_times(ms, XTR_MSG_MAP_NOTIFY, buf, sizeof(buf));
}

Test(ms, RFC9301_5_7_unsolicited_map_notify_3_times_at_3_s_then_3_times_doubling)
{
	MERGE("192.0.2.2", x2, "192.0.2.2");
	fw_until(w, 1000);
	MERGE("192.0.2.1", x1, "192.0.2.1");
	fw_until(w, 170000);
	cr_assert_str_eq(notify_times(), "0 1000 1000 4000 7000 10000 13000 19000 31000");
	for (unsigned i = 3; i < 9; i++)
		cr_assert_eq(notify(i).nonce, notify(1).nonce);
}

Test(ms, RFC9301_5_7_until_acknowledged)
{
	static const struct xtr_key wrong = { 1, XTR_AUTH_SHA256, (const uint8_t *)"wrong", 5 };

	MERGE("192.0.2.2", x2, "192.0.2.2");
	fw_until(w, 1000);
	MERGE("192.0.2.1", x1, "192.0.2.1");
	fw_until(w, 5000);
	ack(1, &wrong);
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_AUTH), 1);
	fw_until(w, 7000);
	cr_assert_str_eq(notify_times(), "0 1000 1000 4000 7000");
	ack(1, &fw_key);
	fw_until(w, 100000);
	cr_assert_str_eq(notify_times(), "0 1000 1000 4000 7000");
	ack(1, &fw_key);
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_NONCE), 1, "nobody waits for it any more");
}

Test(ms, a_newer_set_replaces_the_map_notify_that_waits)
{
	MERGE("192.0.2.2", x2, "192.0.2.2");
	MERGE("192.0.2.1", x1, "192.0.2.1");
	fw_until(w, 1000);
	MERGE("192.0.2.3", x3, "192.0.2.3");
	fw_until(w, 4500);
	for (unsigned i = 0; i < fw_sent_count(ms, 4); i++)
		if (fw_sent(ms, 4, i)->sent >= 1000)
			cr_assert_str_eq(notified(i),
					 "10.1.0.0/24: 192.0.2.1/1R 192.0.2.2/1R 192.0.2.3/1R");
}

Test(ms, a_merged_set_that_does_not_fit_is_confirmed_with_the_own_part)
{
	struct fw_rec rec = { .eid = "10.1.0.0/24", .ttl = 60 };
	static char ips[3][8][48];
	uint8_t id[16] = { 0 };

	/* 3 registrants with 8 IPv6 locators of 24 octets each: more than 576 octets */
	for (unsigned x = 0; x < 3; x++) {
		id[0] = (uint8_t)(x + 1);
		for (unsigned i = 0; i < 8; i++) {
			snprintf(ips[x][i], sizeof(ips[x][i]), "2001:db8:%u::%u", x + 1, i + 1);
			rec.locs[i].ip = ips[x][i];
		}
		fw_run(w, 100);
		send_one("192.0.2.1",
			 (struct fw_reg){ .xtr_id = id, .flags = XTR_REG_MERGE | XTR_REG_M }, rec);
	}
	for (unsigned i = 0; i < fw_sent_count(ms, 4); i++)
		cr_assert_leq(fw_sent(ms, 4, i)->len, XTR_MSG_SAFE4);
	cr_assert_not_null(strstr(notified(fw_sent_count(ms, 4) - 1), "2001:db8:3::8"));
	cr_assert_null(strstr(notified(fw_sent_count(ms, 4) - 1), "2001:db8:1::1"));
}

Test(ms, unsolicited_map_notifies_that_wait_are_bounded)
{
	char eid[32];

	for (unsigned i = 0; i < 1100; i++) {
		snprintf(eid, sizeof(eid), "10.%u.%u.0/24", 16 + i / 256, i % 256);
		REGISTER("192.0.2.1", REC(eid, 60, "192.0.2.1"), .xtr_id = x1,
			 .flags = XTR_REG_MERGE | XTR_REG_M);
		REGISTER("192.0.2.2", REC(eid, 60, "192.0.2.2"), .xtr_id = x2,
			 .flags = XTR_REG_MERGE | XTR_REG_M);
	}
	cr_assert_eq(fw_sent_since(ms, 4, 0), 3300);
	fw_until(w, 3000);
	cr_assert_eq(fw_sent_since(ms, 4, 3000), 1024, "repeated: as many as may wait");
}
