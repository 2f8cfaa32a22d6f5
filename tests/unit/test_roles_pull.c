// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * LISP-Decent, pull. RFC 9962 5, draft-farinacci-lisp-decent-10 5 (D-40 to D-58), and where the
 * text leaves a choice (X9 to X14). One router, 192.0.2.1, whose Map-Servers exist only in DNS and
 * as far as a test plays them; and systems of routers that are each other's Map-Servers.
 */
#include "fake_dns.h"

#include "codec/auth.h"
#include "xtr/abi.h"

#include "roles/role.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EID "10.1.1.0/24"
#define FAR "10.2.2.0/24"

static struct fw *w;
static struct fw_node *n;
static struct fw_conf conf;

static void set_up(void)
{
	w = fw_new();
	fw_conf_init(&conf);
	fw_conf_rloc(&conf, "192.0.2.1");
	fw_conf_rloc(&conf, "2001:db8::1");
	fw_conf_mapping(&conf, EID, "192.0.2.1");
	fw_conf_pull(&conf, 8);
	fw_conf_lookup(&conf, "10.0.0.0/8", 24);
	conf.c.itr = true;
}

static void tear_down(void)
{
	fw_free(w);
}

TestSuite(pull, .init = set_up, .fini = tear_down);

static void go(void)
{
	n = fw_start(w, "n", &conf);
}

static uint32_t index_by(const struct fw_conf *c, const char *eid)
{
	struct xtr_decent_hash h = c->pull.hash;
	struct xtr_eid_prefix e = fw_eid(eid);
	int64_t i;

	h.lookups = c->lookups;
	i = xtr_decent_index(&h, &e);
	cr_assert(i >= 0);
	return (uint32_t)i;
}

static const char *name_by(const struct fw_conf *c, const char *eid)
{
	static char buf[4][XTR_DECENT_NAME_MAX];
	static unsigned at;
	char *s = buf[at++ % 4];

	snprintf(s, sizeof(buf[0]), "%u.%s", index_by(c, eid), c->pull.suffix);
	return s;
}

static const char *name_of(const char *eid)
{
	return name_by(&conf, eid);
}

/* Packets of a type to an address since a time. */
static unsigned sent_to(int type, const char *ip, uint64_t since)
{
	struct xtr_ip to = fw_ip(ip);
	unsigned count = 0;

	for (unsigned i = 0; i < w->packet_count; i++) {
		const struct fw_packet *p = &w->packets[i];

		count += p->from == n && p->sent >= since && fw_type(p) == type &&
			 !xtr_ip_cmp(&p->dst, &to);
	}
	return count;
}

static const struct fw_packet *last_to(int type, const char *ip)
{
	struct xtr_ip to = fw_ip(ip);

	for (unsigned i = w->packet_count; i-- > 0;) {
		const struct fw_packet *p = &w->packets[i];

		if (p->from == n && fw_type(p) == type && !xtr_ip_cmp(&p->dst, &to))
			return p;
	}
	return NULL;
}

static const struct fw_packet *last(int type)
{
	for (unsigned i = w->packet_count; i-- > 0;)
		if (w->packets[i].from == n && fw_type(&w->packets[i]) == type)
			return &w->packets[i];
	return NULL;
}

static struct xtr_register read_register(const struct fw_packet *p)
{
	struct xtr_register m;

	cr_assert_not_null(p, "no Map-Register");
	cr_assert_eq(xtr_register_decode_head(p->buf, p->len, &m), 0);
	cr_assert_eq(xtr_register_decode_body(&m), 0);
	return m;
}

/* TTL of the first record: 0 is a withdrawal. */
static uint32_t ttl_of(const struct fw_packet *p)
{
	struct xtr_register m = read_register(p);
	struct xtr_record rec;

	cr_assert(xtr_record_next(&m.records, &rec));
	return rec.ttl;
}

/* The Map-Server at this address confirms everything that was sent to it last. */
static void confirm(const char *ip)
{
	const struct fw_packet *p = last_to(XTR_MSG_MAP_REGISTER, ip);
	struct xtr_register m = read_register(p);
	uint8_t buf[2048];

	memcpy(buf, p->buf, p->len);
	buf[0] = XTR_MSG_MAP_NOTIFY << 4;
	buf[1] = buf[2] = 0;
	xtr_auth_sign(buf, p->len, 16, 32, XTR_MSG_MAP_NOTIFY, fw_key.alg_id, m.nonce,
		      fw_key.secret, fw_key.secret_len);
	fw_inject(n, ip, 4342, buf, p->len);
}

static struct xtr_map_request read_request(const struct fw_packet *p)
{
	static struct xtr_map_request m;
	const uint8_t *msg;
	size_t len;

	cr_assert_not_null(p, "no Map-Request");
	msg = fw_message(p, &len);
	cr_assert_eq(xtr_map_request_decode(msg, len, &m), 0);
	return m;
}

static void answer(const char *from, const struct fw_rec *rec)
{
	uint8_t buf[1024];
	size_t len = fw_make_reply(buf, sizeof(buf), read_request(last(XTR_MSG_MAP_REQUEST)).nonce,
				   rec, 1);

	fw_inject(n, from, 4342, buf, len);
}

static const char *asked_at(void)
{
	static char buf[XTR_IP_STRLEN];
	const struct fw_packet *p = last(XTR_MSG_MAP_REQUEST);

	return p ? xtr_ip_str(&p->dst, buf) : "nobody";
}

struct names {
	struct xtr_name_info list[64];
	char text[64][300], problem[64][128];
	unsigned count;
};
static struct names names;

static int keep_name(void *arg, const struct xtr_name_info *i)
{
	if (names.count == 64)
		return 1;
	names.list[names.count] = *i;
	snprintf(names.text[names.count], sizeof(names.text[0]), "%s", i->name);
	snprintf(names.problem[names.count], sizeof(names.problem[0]), "%s",
		 i->problem ? i->problem : "");
	names.count++;
	return 0;
}

static const struct xtr_name_info *name_info(const char *name)
{
	names.count = 0;
	xtr_node_walk_names(n->n, w->now, keep_name, NULL);
	for (unsigned i = 0; i < names.count; i++)
		if (!strcmp(names.text[i], name))
			return &names.list[i];
	return NULL;
}

static struct xtr_db_info db[32];
static char db_problem[32][300];
static unsigned db_count;

static int keep_db(void *arg, const struct xtr_db_info *i)
{
	if (db_count == 32)
		return 1;
	snprintf(db_problem[db_count], sizeof(db_problem[0]), "%s", i->problem ? i->problem : "");
	db[db_count++] = *i;
	return 0;
}

static unsigned show_db(void)
{
	db_count = 0;
	xtr_node_walk_db(n->n, w->now, keep_db, NULL);
	return db_count;
}

static int count_name(void *arg, const struct xtr_name_info *i)
{
	++*(unsigned *)arg;
	return 0;
}

static void dns_all(const char *suffix, uint32_t modulus, const char *addrs)
{
	for (unsigned i = 0; i < modulus; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%u.%s", i, suffix);
		fw_dns(w, name, addrs)->ttl = 30;
	}
}

/* ---- registering */

Test(pull, D_40_D_45_D_46_one_hash_says_where_to_register_and_where_to_ask)
{
	fw_dns(w, name_of(EID), "192.0.2.9");
	fw_dns(w, name_of(FAR), "192.0.2.8");
	go();
	fw_run(w, 100);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", 0), 1);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REGISTER), 1);
	fw_miss(n, "10.2.2.7", "10.1.1.1");
	fw_run(w, 100);
	cr_assert_str_eq(asked_at(), "192.0.2.8");
	cr_assert_eq(fw_dns_lookups(w), 2, "each name once, when it is needed");
}

Test(pull, D_51_all_addresses_of_both_families_are_registered_at)
{
	fw_dns(w, name_of(EID), "192.0.2.9 2001:db8::9 192.0.2.7");
	go();
	fw_run(w, 100);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", 0), 1);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.7", 0), 1);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "2001:db8::9", 0), 1);
	confirm("192.0.2.9");
	cr_assert_eq(show_db(), 3);
	cr_assert_eq(db[0].acked + db[1].acked + db[2].acked, 1);
}

Test(pull, D_57_the_map_register_is_an_ordinary_one)
{
	struct xtr_register m;

	fw_dns(w, name_of(EID), "192.0.2.9");
	go();
	fw_run(w, 100);
	m = read_register(last(XTR_MSG_MAP_REGISTER));
	cr_assert_eq(m.flags, XTR_REG_M | XTR_REG_P);
	cr_assert_eq(m.record_count, 1);
	cr_assert_eq(xtr_auth_verify(m.msg, m.msg_len, m.auth_off, m.auth_len, m.type, m.alg_id,
				     m.nonce, fw_key.secret, fw_key.secret_len),
		     0);
}

/* At the start the names are answered one after the other. */
Test(pull, a_map_server_of_many_names_gets_everything_once)
{
	char eid[32];

	for (unsigned i = 2; i < 10; i++) {
		snprintf(eid, sizeof(eid), "10.%u.0.0/24", i);
		fw_conf_mapping(&conf, eid, "192.0.2.1");
	}
	for (unsigned i = 0; i < 8; i++) {
		snprintf(eid, sizeof(eid), "%u.%s", i, conf.pull.suffix);
		fw_dns(w, eid, "192.0.2.9")->delay = 10 + 4 * i;
	}
	go();
	fw_run(w, 500);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", 0), 1);
}

Test(pull, D_55_added_addresses_get_all_at_once_and_removed_ones_are_told)
{
	struct fw_dns_name *d = fw_dns(w, name_of(EID), "192.0.2.7 192.0.2.8");
	uint64_t asked;

	d->ttl = 60;
	go();
	fw_run(w, 100);
	confirm("192.0.2.7");
	confirm("192.0.2.8");
	fw_dns(w, d->name, "192.0.2.8 192.0.2.9");
	while (d->asked == 1)
		fw_run(w, 1);
	asked = d->last_asked;
	cr_assert(asked >= 60000 - 9000 && asked < 60000, "before the TTL ends: %u",
		  (unsigned)asked);
	fw_run(w, 61);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", asked), 1);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.7", asked), 1);
	cr_assert_eq(ttl_of(last_to(XTR_MSG_MAP_REGISTER, "192.0.2.7")), 0, "withdrawn");
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.8", asked), 0, "keeps its state");
	cr_assert_eq(show_db(), 2);
	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(db[i].notifies, db[i].map_server.a[3] == 8);
	/* quick registration at the new one (RFC 9301 8.2) */
	fw_run(w, 65000);
	cr_assert(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", asked) > 3);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.7", asked), 1, "and that was all");
	cr_assert_eq(fw_events(n, XTR_EVENT_DNS_CHANGE), 2);
}

Test(pull, D_55_answers_are_sets_their_order_is_no_change)
{
	struct fw_dns_name *d = fw_dns(w, name_of(EID), "192.0.2.7 192.0.2.8");

	d->ttl = 30;
	go();
	fw_run(w, 100);
	fw_dns(w, d->name, "192.0.2.8 192.0.2.7 192.0.2.8");
	fw_run(w, 40000);
	cr_assert(d->asked >= 2);
	cr_assert_eq(fw_events(n, XTR_EVENT_DNS_CHANGE), 1);
}

Test(pull, D_55_ttl_within_the_configured_bounds)
{
	struct fw_dns_name *d = fw_dns(w, name_of(EID), "192.0.2.9");

	conf.pull.ttl_min = 40000;
	conf.pull.ttl_max = 80000;
	d->ttl = 1;
	go();
	fw_run(w, 33000);
	cr_assert_eq(d->asked, 1);
	fw_run(w, 7000);
	cr_assert_eq(d->asked, 2);
	d->ttl = 1000000;
	fw_run(w, 40000);
	cr_assert_eq(d->asked, 3);
	fw_run(w, 66000);
	cr_assert_eq(d->asked, 3);
	fw_run(w, 15000);
	cr_assert_eq(d->asked, 4);
}

/* ---- answers that are no good (draft 8, case 7) */

Test(pull, case_7_dns_returns_nothing_the_last_good_set_stays_and_is_told)
{
	struct fw_dns_name *d = fw_dns(w, name_of(EID), "192.0.2.9");
	const struct xtr_name_info *i;
	uint64_t at;

	d->ttl = 30;
	go();
	fw_run(w, 100);
	confirm("192.0.2.9");
	fw_dns(w, d->name, "");
	fw_run(w, 32000);
	i = name_info(d->name);
	cr_assert(i && i->stale && i->count == 1 && i->failures >= 1);
	cr_assert_not_null(strstr(names.problem[0], "no such name"));
	cr_assert_eq(fw_events(n, XTR_EVENT_DNS_STALE), 1);
	cr_assert(fw_events(n, XTR_EVENT_DNS_FAIL) >= 1);
	at = w->now;
	fw_run(w, 120000);
	cr_assert(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", at) > 0, "still registered there");
	cr_assert_eq(ttl_of(last_to(XTR_MSG_MAP_REGISTER, "192.0.2.9")), 1440);
	fw_dns(w, d->name, "192.0.2.9");
	fw_run(w, 330000);
	i = name_info(d->name);
	cr_assert(!i->stale && !i->failures);
	cr_assert_eq(fw_events(n, XTR_EVENT_DNS_STALE), 1, "once");
}

Test(pull, case_7_failures_are_asked_again_with_doubling_distance)
{
	struct fw_dns_name *d = fw_dns_name(w, name_of(EID));
	uint64_t wait = 5000, was, expect = 5000;

	d->status = -EIO;
	d->why = "server failure";
	go();
	for (unsigned i = 1; i < 10; i++) {
		was = d->last_asked;
		while (d->asked == i)
			fw_run(w, 10);
		wait = d->last_asked - was;
		cr_assert(wait >= expect && wait <= expect + expect / 10 + 40, "%u: %u", i,
			  (unsigned)wait);
		expect = expect * 2 < 300000 ? expect * 2 : 300000;
	}
	cr_assert_eq(fw_counter(n, XTR_NODE_DNS_FAILURES), 9);
	cr_assert_eq(show_db(), 1);
	cr_assert_not_null(strstr(db_problem[0], "server failure"), "%s", db_problem[0]);
	d->status = 0;
	fw_dns(w, d->name, "192.0.2.9");
	fw_run(w, 331000);
	cr_assert(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", 0) >= 1);
}

Test(pull, case_7_too_many_addresses_the_numerically_first_count)
{
	struct fw_dns_name *d = fw_dns(w, name_of(EID), "");
	const struct xtr_name_info *i;

	for (unsigned k = 0; k < 40; k++) {
		char ip[32];

		snprintf(ip, sizeof(ip), "198.51.100.%u", 200 - k * 3);
		d->addrs[d->count++] = fw_ip(ip);
	}
	go();
	fw_run(w, 100);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REGISTER), 16);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "198.51.100.83", 0), 1);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "198.51.100.200", 0), 0);
	i = name_info(d->name);
	cr_assert_eq(i->count, 16);
	cr_assert_eq(i->ignored, 24);
}

Test(pull, case_7_addresses_that_cannot_be_map_servers_are_left_out)
{
	struct fw_dns_name *d = fw_dns(w, name_of(EID),
				       "224.0.0.5 0.0.0.0 255.255.255.255 127.0.0.1 :: ff02::1 ::1 "
				       "fe80::1 192.0.2.9");
	go();
	fw_run(w, 100);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REGISTER), 1);
	cr_assert_eq(name_info(d->name)->ignored, 8);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", 0), 1);
}

Test(pull, case_7_private_and_loopback_addresses_as_configured)
{
	struct fw_dns_name *d = fw_dns(w, name_of(EID), "10.0.0.9 172.16.3.4 192.168.1.1 fd00::9 "
							"100.64.0.1 127.0.0.2");

	conf.pull.allow_private = false;
	go();
	fw_run(w, 100);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REGISTER), 0);
	cr_assert_eq(name_info(d->name)->count, 0);
	cr_assert_not_null(strstr(names.problem[0], "may be used"), "%s", names.problem[0]);
	conf.pull.allow_private = conf.pull.allow_loopback = true;
	fw_reconfigure(n, &conf);
	fw_run(w, 100);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REGISTER), 6, "asked again at once");
}

Test(pull, one_family_alone_can_be_chosen)
{
	fw_dns(w, name_of(EID), "192.0.2.9 2001:db8::9");
	conf.pull.family = 6;
	go();
	fw_run(w, 100);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REGISTER), 1);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "2001:db8::9", 0), 1);
}

Test(pull, half_an_answer_takes_nothing_away)
{
	struct fw_dns_name *d = fw_dns(w, name_of(EID), "192.0.2.9 2001:db8::9");
	const struct xtr_name_info *i;

	d->ttl = 30;
	go();
	fw_run(w, 100);
	fw_dns(w, d->name, "192.0.2.7")->partial = true;
	fw_run(w, 31000);
	i = name_info(d->name);
	cr_assert_eq(i->count, 2, "192.0.2.9 is gone, 2001:db8::9 may still be there");
	cr_assert_not(i->stale);
	cr_assert_neq(names.problem[0][0], '\0');
	cr_assert(i->next_ms < 25000, "the other half is asked for soon");
	fw_dns(w, d->name, "192.0.2.7")->partial = false;
	fw_run(w, 31000);
	cr_assert_eq(name_info(d->name)->count, 1);
}

Test(pull, R_6_dnssec_can_be_required_and_is_shown)
{
	struct fw_dns_name *d = fw_dns(w, name_of(EID), "192.0.2.9");

	conf.pull.require_dnssec = true;
	go();
	fw_run(w, 1000);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REGISTER), 0);
	cr_assert(name_info(d->name)->failures);
	cr_assert_not_null(strstr(names.problem[0], "DNSSEC"));
	d->authenticated = true;
	fw_run(w, 20000);
	cr_assert(fw_sent_count(n, XTR_MSG_MAP_REGISTER) >= 1);
	cr_assert(name_info(d->name)->authenticated);
}

Test(pull, the_network_comes_back_the_names_are_looked_up_at_once)
{
	struct xtr_ip up[2] = { fw_ip("192.0.2.1"), fw_ip("2001:db8::1") };
	struct fw_dns_name *d = fw_dns(w, name_of(EID), "192.0.2.9");

	fw_dns_down(w, true);
	go();
	xtr_node_rlocs_up(n->n, NULL, 0, w->now);
	fw_run(w, 1000000);
	for (unsigned fails = fw_events(n, XTR_EVENT_DNS_FAIL);
	     fails == fw_events(n, XTR_EVENT_DNS_FAIL);)
		fw_run(w, 100);
	fw_dns_down(w, false);
	d->asked = 0;
	xtr_node_rlocs_up(n->n, up, 2, w->now);
	fw_tick(n);
	fw_run(w, 70);
	cr_assert_eq(d->asked, 1);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", 0), 1);
}

/* ---- the state directory */

Test(pull, a_start_without_dns_uses_what_was_known)
{
	const struct xtr_name_info *i;

	fw_dns(w, name_of(EID), "192.0.2.9 2001:db8::9");
	go();
	fw_run(w, 10000);
	fw_kill(n);
	fw_dns_down(w, true);
	fw_run(w, 1000);
	fw_restart(n);
	fw_run(w, 1);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", 11000), 1, "at once");
	i = name_info(name_of(EID));
	cr_assert(i && i->saved && i->count == 2 && i->age_ms == UINT64_MAX);
	fw_run(w, 6000);
	i = name_info(name_of(EID));
	cr_assert(i->stale && i->saved);
	fw_dns_down(w, false);
	fw_run(w, 20000);
	i = name_info(name_of(EID));
	cr_assert(!i->stale && !i->saved);
}

Test(pull, what_is_in_the_state_directory_is_checked)
{
	struct fw_dns_name *d = fw_dns(w, name_of(EID), "192.0.2.9");

	go();
	fw_run(w, 10000);
	for (unsigned cut = 0; cut < 40; cut++) {
		fw_kill(n);
		for (unsigned b = 0; b < 8; b++) {
			struct fw_blob *blob = &n->blobs[b];

			if (blob->buf && strstr(blob->name, "decent") && blob->len) {
				blob->len--;
				blob->buf[(cut * 7) % (blob->len + 1)] ^= (uint8_t)(cut + 1);
			}
		}
		fw_restart(n);
		fw_run(w, 6000);
	}
	cr_assert_eq(name_info(d->name)->count, 1, "DNS is right again");
	cr_assert_eq(names.count, 1, "and nothing else came out of the damaged files");
}

Test(pull, saved_addresses_pass_the_rules_of_now)
{
	fw_dns(w, name_of(EID), "10.0.0.9");
	go();
	fw_run(w, 10000);
	fw_kill(n);
	fw_dns_down(w, true);
	n->conf.pull.allow_private = false;
	fw_restart(n);
	fw_run(w, 1);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "10.0.0.9", w->now - 1), 0);
}

/* ---- asking */

Test(pull, a_question_whose_name_is_being_looked_up_goes_out_with_the_answer)
{
	fw_dns(w, name_of(FAR), "192.0.2.8")->delay = 4321;
	go();
	fw_run(w, 50);
	fw_miss(n, "10.2.2.7", NULL);
	fw_run(w, 4320);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REQUEST), 0);
	fw_run(w, 1);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REQUEST), 1);
	cr_assert_not(fw_failed(n, "10.2.2.7/32"));
	answer("192.0.2.8", &(struct fw_rec)FW_REC(FAR, 60, "192.0.2.2"));
	cr_assert_not_null(fw_dp_get(n, FAR));
}

Test(pull, a_question_whose_name_cannot_be_found_fails_after_the_retries)
{
	go();
	fw_run(w, 50);
	fw_miss(n, "10.2.2.7", NULL);
	fw_run(w, 60000);
	cr_assert_not(fw_failed(n, "10.2.2.7/32"));
	fw_run(w, 300000);
	cr_assert(fw_failed(n, "10.2.2.7/32"));
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REQUEST), 0);
}

Test(pull, D_52_questions_take_turns_over_the_addresses)
{
	unsigned got[3] = { 0 };

	conf.pull.hash.modulus = 1;
	fw_dns(w, "0.ms.example", "192.0.2.7 192.0.2.8 192.0.2.9");
	go();
	fw_run(w, 50);
	for (unsigned i = 0; i < 30; i++) {
		char eid[32];

		snprintf(eid, sizeof(eid), "10.9.%u.1", i);
		fw_miss(n, eid, NULL);
		got[last(XTR_MSG_MAP_REQUEST)->dst.a[3] - 7]++;
	}
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(got[i], 10);
}

Test(pull, X12_a_silent_address_is_followed_by_the_next_and_rests)
{
	const char *first;
	char was[XTR_IP_STRLEN];

	conf.pull.hash.modulus = 1;
	fw_dns(w, "0.ms.example", "192.0.2.7 192.0.2.8");
	go();
	fw_run(w, 50);
	fw_miss(n, "10.2.2.7", NULL);
	first = asked_at();
	snprintf(was, sizeof(was), "%s", first);
	fw_run(w, 1001);
	cr_assert_str_neq(asked_at(), was);
	answer(asked_at(), &(struct fw_rec)FW_REC(FAR, 60, "192.0.2.2"));
	cr_assert_not_null(fw_dp_get(n, FAR));
	for (unsigned i = 0; i < 8; i++) {
		char eid[32];

		snprintf(eid, sizeof(eid), "10.9.%u.1", i);
		fw_miss(n, eid, NULL);
		cr_assert_str_neq(asked_at(), was, "it rests");
	}
	name_info("0.ms.example");
	cr_assert_eq(names.list[0].resting[0] + names.list[0].resting[1], 1);
}

Test(pull, X12_all_are_asked_before_a_no_is_believed)
{
	conf.pull.hash.modulus = 1;
	fw_dns(w, "0.ms.example", "192.0.2.7 192.0.2.8 192.0.2.9");
	go();
	fw_run(w, 50);
	fw_miss(n, "10.2.2.7", NULL);
	for (unsigned i = 1; i < 3; i++) {
		answer(asked_at(), &(struct fw_rec)FW_NEG(FAR, 15, XTR_ACT_NATIVE));
		cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REQUEST), i + 1, "at once");
		cr_assert_null(fw_dp_get(n, FAR));
	}
	for (unsigned i = 1; i < 3; i++)
		for (unsigned j = 0; j < i; j++)
			cr_assert(xtr_ip_cmp(&fw_sent(n, XTR_MSG_MAP_REQUEST, i)->dst,
					     &fw_sent(n, XTR_MSG_MAP_REQUEST, j)->dst));
	answer(asked_at(), &(struct fw_rec)FW_NEG("10.2.2.0/25", 1, XTR_ACT_NATIVE));
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REQUEST), 3);
	cr_assert_not_null(fw_dp_get(n, "10.2.2.0/25"), "the narrowest of all");
	fw_run(w, 61000);
	cr_assert_null(fw_dp_get(n, "10.2.2.0/25"), "for as long as the shortest");
}

Test(pull, X12_one_that_knows_more_wins_over_one_that_has_just_joined)
{
	conf.pull.hash.modulus = 1;
	fw_dns(w, "0.ms.example", "192.0.2.7 192.0.2.8");
	go();
	fw_run(w, 50);
	fw_miss(n, "10.2.2.7", NULL);
	answer(asked_at(), &(struct fw_rec)FW_NEG(FAR, 15, XTR_ACT_NATIVE));
	answer(asked_at(), &(struct fw_rec)FW_REC(FAR, 60, "192.0.2.2"));
	cr_assert_eq(fw_dp_get(n, FAR)->fwd.action, XTR_ACT_ENCAP);
}

Test(pull, X12_a_no_is_believed_when_the_others_stay_silent)
{
	conf.pull.hash.modulus = 1;
	fw_dns(w, "0.ms.example", "192.0.2.7 192.0.2.8");
	go();
	fw_run(w, 50);
	fw_miss(n, "10.2.2.7", NULL);
	answer(asked_at(), &(struct fw_rec)FW_NEG(FAR, 15, XTR_ACT_NATIVE));
	fw_run(w, 60000);
	cr_assert_not_null(fw_dp_get(n, FAR));
	cr_assert_eq(fw_dp_get(n, FAR)->fwd.action, XTR_ACT_NATIVE);
}

Test(pull, X11_a_negative_answer_is_cut_to_what_one_set_can_see)
{
	fw_dns(w, name_of(FAR), "192.0.2.8");
	go();
	fw_run(w, 50);
	fw_miss(n, "10.2.2.7", NULL);
	fw_run(w, 20);
	answer("192.0.2.8", &(struct fw_rec)FW_NEG("10.0.0.0/8", 15, XTR_ACT_NATIVE));
	cr_assert_null(fw_dp_get(n, "10.0.0.0/8"));
	cr_assert_not_null(fw_dp_get(n, FAR));
	cr_assert_eq(fw_dp_get(n, FAR)->fwd.action, XTR_ACT_NATIVE);
}

Test(pull, X14_a_less_specific_answer_does_not_speak_for_other_sets)
{
	fw_dns(w, name_of(FAR), "192.0.2.8");
	go();
	fw_run(w, 50);
	fw_miss(n, "10.2.2.7", NULL);
	fw_run(w, 20);
	answer("192.0.2.8", &(struct fw_rec)FW_REC("10.2.0.0/16", 60, "192.0.2.2"));
	cr_assert_null(fw_dp_get(n, "10.2.0.0/16"));
	cr_assert_eq(fw_dp_get(n, FAR)->fwd.action, XTR_ACT_ENCAP);
}

Test(pull, one_set_can_say_everything)
{
	conf.pull.hash.modulus = 1;
	fw_dns(w, "0.ms.example", "192.0.2.8");
	go();
	fw_run(w, 50);
	fw_miss(n, "10.2.2.7", NULL);
	fw_run(w, 20);
	answer("192.0.2.8", &(struct fw_rec)FW_REC("10.2.0.0/16", 60, "192.0.2.2"));
	cr_assert_not_null(fw_dp_get(n, "10.2.0.0/16"));
}

/* ---- what both sides hash */

/* The name that was looked up last. */
static bool same_name(const char *registered, const char *asked)
{
	unsigned before;

	conf.mappings[0].eid = fw_eid(registered);
	go();
	fw_run(w, 100);
	before = fw_dns_lookups(w);
	fw_miss(n, asked, NULL);
	fw_run(w, 100);
	return fw_dns_lookups(w) == before;
}

Test(pull, R_2_R_4_X10_both_sides_cut_to_the_lookup_length_of_the_longest_match)
{
	conf.pull.hash.modulus = 65536;
	fw_conf_lookup(&conf, "10.5.0.0/16", 28);
	cr_assert(same_name("10.5.1.16/28", "10.5.1.17"));
	fw_miss(n, "10.5.1.33", NULL);
	cr_assert_eq(fw_dns_lookups(w), 2, "the next 16 addresses are another index");
	fw_miss(n, "10.6.1.1", NULL);
	fw_miss(n, "10.6.1.254", NULL);
	cr_assert_eq(fw_dns_lookups(w), 3, "24 bits elsewhere");
}

Test(pull, R_2_a_prefix_longer_than_its_lookup_length_is_found_too)
{
	conf.pull.hash.modulus = 65536;
	cr_assert(same_name("10.1.1.128/25", "10.1.1.200"));
}

Test(pull, D_48_D_49_the_hash_mask_lets_them_meet_and_a_no_is_for_one_eid)
{
	conf.pull.hash = (struct xtr_decent_hash){ .profile = XTR_DECENT_DRAFT10,
						   .hash_mask = 8,
						   .modulus = 65536 };
	cr_assert(same_name("240.0.1.0/24", "240.0.1.1"));
	conf.pull.hash.modulus = 4;
	fw_dns(w, name_of("240.0.9.9/32"), "192.0.2.8");
	fw_reconfigure(n, &conf);
	fw_run(w, 100);
	fw_miss(n, "240.0.9.9", NULL);
	fw_run(w, 20);
	cr_assert_str_eq(asked_at(), "192.0.2.8");
	answer("192.0.2.8", &(struct fw_rec)FW_NEG("240.0.0.0/16", 15, XTR_ACT_NATIVE));
	while (strcmp(asked_at(), "192.0.2.8")) /* the old parameters have no addresses */
		fw_run(w, 1000);
	fw_run(w, 600000);
	cr_assert_null(fw_dp_get(n, "240.0.0.0/16"), "X11");
	cr_assert_null(fw_dp_match(n, "240.0.9.8"));
}

Test(pull, D_56_as_many_names_as_sets)
{
	unsigned count = 0;

	conf.pull.hash.modulus = 4;
	dns_all("ms.example", 4, "192.0.2.8");
	go();
	for (unsigned i = 0; i < 200; i++) {
		char eid[32];

		snprintf(eid, sizeof(eid), "10.9.%u.1", i);
		fw_miss(n, eid, NULL);
	}
	fw_run(w, 100);
	xtr_node_walk_names(n->n, w->now, count_name, &count);
	cr_assert_eq(count, 4);
	cr_assert_eq(fw_dns_lookups(w), 4);
}

/* ---- prefixes that are too short */

Test(pull, R_8_a_prefix_shorter_than_its_lookup_length_is_refused)
{
	fw_conf_mapping(&conf, "10.4.0.0/16", "192.0.2.1");
	for (unsigned i = 0; i < 8; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%u.ms.example", i);
		fw_dns(w, name, "192.0.2.9");
	}
	go();
	fw_run(w, 100);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REGISTER), 1);
	cr_assert_eq(show_db(), 2);
	cr_assert_eq(db[1].map_server.family, 0);
	cr_assert_not_null(strstr(db_problem[1], "lookup-length"), "%s", db_problem[1]);
}

Test(pull, X9_or_registered_at_every_index)
{
	conf.pull.short_everywhere = true;
	fw_conf_mapping(&conf, "10.4.0.0/16", "192.0.2.1");
	for (unsigned i = 0; i < 8; i++) {
		char name[32], ip[32];

		snprintf(name, sizeof(name), "%u.ms.example", i);
		snprintf(ip, sizeof(ip), "192.0.2.%u", 10 + i);
		fw_dns(w, name, ip);
	}
	go();
	fw_run(w, 100);
	for (unsigned i = 0; i < 8; i++) {
		char ip[32];

		snprintf(ip, sizeof(ip), "192.0.2.%u", 10 + i);
		cr_assert_geq(sent_to(XTR_MSG_MAP_REGISTER, ip, 0), 1);
	}
	cr_assert_eq(show_db(), 9);
}

/* ---- keys */

static const struct xtr_key other_key = {
	.key_id = 7, .alg_id = XTR_AUTH_SHA256, .secret = (const uint8_t *)"other", .secret_len = 5
};

Test(pull, X13_a_key_of_its_own_for_one_index)
{
	struct xtr_register m;

	fw_conf_index_key(&conf, index_by(&conf, EID), &other_key);
	fw_dns(w, name_of(EID), "192.0.2.9");
	go();
	fw_run(w, 100);
	m = read_register(last(XTR_MSG_MAP_REGISTER));
	cr_assert_eq(m.key_id, 7);
	cr_assert_eq(xtr_auth_verify(m.msg, m.msg_len, m.auth_off, m.auth_len, m.type, m.alg_id,
				     m.nonce, other_key.secret, other_key.secret_len),
		     0);
}

Test(pull, X13_one_address_with_two_keys_is_two_map_servers)
{
	unsigned with[8] = { 0 };

	fw_conf_mapping(&conf, FAR, "192.0.2.1");
	cr_assert_neq(index_by(&conf, EID), index_by(&conf, FAR));
	fw_conf_index_key(&conf, index_by(&conf, EID), &other_key);
	fw_dns(w, name_of(EID), "192.0.2.9");
	fw_dns(w, name_of(FAR), "192.0.2.9");
	go();
	fw_run(w, 100);
	for (unsigned i = 0; i < 2; i++)
		with[read_register(fw_sent(n, XTR_MSG_MAP_REGISTER, i)).key_id]++;
	cr_assert_eq(with[1], 1);
	cr_assert_eq(with[7], 1);
	/* one key for all again: nothing is withdrawn */
	conf.pull.key_count = 0;
	fw_reconfigure(n, &conf);
	fw_run(w, 100);
	for (unsigned i = 2; i < fw_sent_count(n, XTR_MSG_MAP_REGISTER); i++)
		cr_assert_eq(ttl_of(fw_sent(n, XTR_MSG_MAP_REGISTER, i)), 1440);
	cr_assert_eq(show_db(), 2);
}

/* ---- change of the parameters (D-53, D-54; draft 8, case 8) */

static void two_systems(void)
{
	fw_dns(w, name_of(EID), "192.0.2.9");
	fw_dns(w, name_of(FAR), "192.0.2.8");
	go();
	fw_run(w, 1000);
	confirm("192.0.2.9");
	conf.pull.suffix = "new.example";
	conf.pull.hash.modulus = 3;
	fw_dns(w, name_of(EID), "198.51.100.9");
	fw_dns(w, name_of(FAR), "198.51.100.8");
}

Test(pull, case_8_both_are_registered_during_the_window)
{
	uint64_t at;

	conf.pull.change_window = 600000;
	two_systems();
	fw_reconfigure(n, &conf);
	at = w->now;
	fw_run(w, 100);
	cr_assert_geq(sent_to(XTR_MSG_MAP_REGISTER, "198.51.100.9", at), 1, "new, at once");
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", at), 0, "old, as before");
	fw_run(w, 599000);
	cr_assert(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", at) > 8);
	cr_assert_eq(ttl_of(last_to(XTR_MSG_MAP_REGISTER, "192.0.2.9")), 1440);
	at = w->now;
	fw_run(w, 2000);
	cr_assert_eq(sent_to(XTR_MSG_MAP_REGISTER, "192.0.2.9", at), 1);
	cr_assert_eq(ttl_of(last_to(XTR_MSG_MAP_REGISTER, "192.0.2.9")), 0, "then withdrawn");
	cr_assert_eq(show_db(), 1);
	name_info("");
	for (unsigned i = 0; i < names.count; i++)
		cr_assert_not_null(strstr(names.text[i], "new.example"));
}

Test(pull, case_8_questions_go_to_the_new_set_and_then_to_the_old)
{
	two_systems();
	fw_reconfigure(n, &conf);
	fw_run(w, 100);
	fw_miss(n, "10.2.2.7", NULL);
	fw_run(w, 20);
	cr_assert_str_eq(asked_at(), "198.51.100.8");
	answer("198.51.100.8", &(struct fw_rec)FW_NEG(FAR, 1, XTR_ACT_NATIVE));
	fw_run(w, 20);
	cr_assert_str_eq(asked_at(), "192.0.2.8");
	cr_assert_null(fw_dp_get(n, FAR));
	answer("192.0.2.8", &(struct fw_rec)FW_REC(FAR, 60, "192.0.2.2"));
	cr_assert_eq(fw_dp_get(n, FAR)->fwd.action, XTR_ACT_ENCAP);
	cr_assert(name_info("2.ms.example") == NULL || name_info("2.ms.example")->old);
}

Test(pull, case_8_silence_of_the_new_set_leads_to_the_old)
{
	two_systems();
	fw_reconfigure(n, &conf);
	fw_run(w, 100);
	fw_miss(n, "10.2.2.7", NULL);
	fw_run(w, 1100);
	cr_assert_str_eq(asked_at(), "192.0.2.8");
	fw_run(w, 2000);
	cr_assert_str_eq(asked_at(), "198.51.100.8", "and all over again");
}

Test(pull, case_8_a_restart_does_not_end_the_window)
{
	const struct xtr_pull_config *old;
	uint64_t left;

	conf.pull.change_window = 600000;
	two_systems();
	fw_reconfigure(n, &conf);
	fw_run(w, 200000);
	fw_kill(n);
	fw_run(w, 100000);
	fw_restart(n);
	fw_run(w, 100);
	cr_assert_eq(xtr_node_pull(n->n, w->now, &old, &left)->hash.modulus, 3);
	cr_assert_not_null(old);
	cr_assert_eq(old->hash.modulus, 8);
	cr_assert_str_eq(old->suffix, "ms.example");
	cr_assert(left > 295000 && left <= 300000, "%u", (unsigned)left);
	cr_assert_eq(show_db(), 2, "both registered");
	fw_run(w, 301000);
	xtr_node_pull(n->n, w->now, &old, &left);
	cr_assert_null(old);
	cr_assert_eq(show_db(), 1);
}

Test(pull, case_8_a_change_while_it_did_not_run_opens_the_window_too)
{
	const struct xtr_pull_config *old;
	uint64_t left;

	two_systems();
	fw_stop(n);
	n->conf.pull.suffix = conf.pull.suffix;
	n->conf.pull.hash.modulus = conf.pull.hash.modulus;
	fw_restart(n);
	fw_run(w, 100);
	xtr_node_pull(n->n, w->now, &old, &left);
	cr_assert_not_null(old);
	cr_assert_eq(old->hash.modulus, 8);
	cr_assert_eq(show_db(), 2);
}

Test(pull, case_8_a_second_change_keeps_only_what_it_replaces)
{
	const struct xtr_pull_config *old;
	uint64_t left;

	two_systems();
	fw_reconfigure(n, &conf);
	fw_run(w, 61000);
	conf.pull.suffix = "third.example";
	fw_dns(w, name_of(EID), "203.0.113.9");
	fw_reconfigure(n, &conf);
	fw_run(w, 100);
	xtr_node_pull(n->n, w->now, &old, &left);
	cr_assert_eq(old->hash.modulus, 3);
	cr_assert_eq(ttl_of(last_to(XTR_MSG_MAP_REGISTER, "192.0.2.9")), 0);
	cr_assert_geq(sent_to(XTR_MSG_MAP_REGISTER, "203.0.113.9", 0), 1);
}

Test(pull, case_8_nothing_but_hash_and_suffix_opens_a_window)
{
	const struct xtr_pull_config *old;
	uint64_t left;

	fw_dns(w, name_of(EID), "192.0.2.9");
	go();
	fw_run(w, 100);
	conf.pull.ttl_max = 50000;
	conf.pull.server.want_notify = false;
	conf.pull.suffix = "ms.example.";
	fw_reconfigure(n, &conf);
	fw_run(w, 100);
	xtr_node_pull(n->n, w->now, &old, &left);
	cr_assert_null(old);
	cr_assert_eq(show_db(), 1);
}

/* New parameters that come in two steps (of a configuration, and then of the file it names) must
 * not make us forget those that everybody else still has. */
Test(pull, case_8_what_was_in_use_for_a_moment_only_is_not_the_old_one)
{
	const struct xtr_pull_config *old;
	uint64_t left;

	conf.pull.change_window = 600000;
	go();
	fw_run(w, 100000);
	cr_assert_eq(xtr_node_pull(n->n, w->now, &old, &left)->hash.modulus, 8);
	conf.pull.hash.modulus = 16;
	fw_reconfigure(n, &conf);
	fw_run(w, 5000);
	conf.pull.hash.modulus = 32;
	fw_reconfigure(n, &conf);
	cr_assert_eq(xtr_node_pull(n->n, w->now, &old, &left)->hash.modulus, 32);
	cr_assert_not_null(old);
	cr_assert_eq(old->hash.modulus, 8);
	cr_assert_eq(left, 600000);
	/* Back to the first: those between are the old ones then. */
	conf.pull.hash.modulus = 8;
	fw_reconfigure(n, &conf);
	xtr_node_pull(n->n, w->now, &old, &left);
	cr_assert_eq(old->hash.modulus, 32);
	/* And what was in use for long is kept. */
	fw_run(w, 100000);
	conf.pull.hash.modulus = 64;
	fw_reconfigure(n, &conf);
	xtr_node_pull(n->n, w->now, &old, &left);
	cr_assert_eq(old->hash.modulus, 8);
}

/* Each EID of a scan is a new name when there are many indexes. */
Test(pull, T_6_a_scan_does_not_become_a_flood_of_dns)
{
	char eid[32];

	conf.pull.hash.modulus = 65536;
	conf.c.mr = true;
	go();
	fw_run(w, 1000);
	for (unsigned i = 0; i < 4000; i++) {
		const struct fw_req req = { .nonce = 1 + i, .eid = eid, .itr_rloc = "198.51.100.1" };
		uint8_t buf[512];

		snprintf(eid, sizeof(eid), "11.%u.%u.1/32", i >> 8, i & 255);
		fw_inject(n, "198.51.100.1", 4342, buf, fw_make_request(buf, sizeof(buf), &req));
		if (i % 50 == 0)
			fw_run(w, 11);
	}
	cr_assert_leq(fw_counter(n, XTR_NODE_DNS_LOOKUPS), 1100);
}

Test(pull, names_of_now_are_not_shown_as_old_ones_after_a_reload)
{
	const struct xtr_name_info *i;

	fw_dns(w, name_of("10.77.0.1/32"), "192.0.2.9");
	go();
	fw_miss(n, "10.77.0.1", NULL);
	fw_run(w, 1000);
	i = name_info(name_of("10.77.0.1/32"));
	cr_assert_not_null(i);
	cr_assert_not(i->old);
	fw_reconfigure(n, &conf);
	fw_run(w, 1000);
	cr_assert_not(name_info(name_of("10.77.0.1/32"))->old);
}

Test(pull, without_a_window_the_old_is_left_at_once)
{
	conf.pull.change_window = 0;
	two_systems();
	fw_reconfigure(n, &conf);
	fw_run(w, 100);
	cr_assert_eq(ttl_of(last_to(XTR_MSG_MAP_REGISTER, "192.0.2.9")), 0);
	cr_assert_eq(show_db(), 1);
}

Test(pull, switched_off_and_on_again)
{
	fw_dns(w, name_of(EID), "192.0.2.9");
	go();
	fw_run(w, 100);
	conf.has_pull = false;
	fw_reconfigure(n, &conf);
	fw_run(w, 100);
	cr_assert_eq(ttl_of(last_to(XTR_MSG_MAP_REGISTER, "192.0.2.9")), 0);
	cr_assert_eq(show_db(), 1);
	cr_assert_not_null(strstr(db_problem[0], "no Map-Server"));
	fw_miss(n, "10.2.2.7", NULL);
	cr_assert(fw_failed(n, "10.2.2.7/32"));
	conf.has_pull = true;
	fw_reconfigure(n, &conf);
	fw_run(w, 100);
	cr_assert_eq(ttl_of(last_to(XTR_MSG_MAP_REGISTER, "192.0.2.9")), 1440);
}

/* ---- limits */

Test(pull, the_network_cannot_make_us_keep_names_without_bound)
{
	unsigned count = 0;

	conf.pull.hash.modulus = 65536;
	fw_dns_name(w, name_of(EID));
	n = fw_start(w, "n", &conf);
	for (unsigned i = 0; i < 60; i++) {
		char eid[32];

		snprintf(eid, sizeof(eid), "10.9.%u.1", i);
		fw_miss(n, eid, NULL);
	}
	xtr_node_walk_names(n->n, w->now, count_name, &count);
	cr_assert_eq(count, 61);
	fw_run(w, 7200000);
	count = 0;
	xtr_node_walk_names(n->n, w->now, count_name, &count);
	cr_assert_eq(count, 1, "names nobody needs are forgotten");
}

Test(pull, an_answer_nobody_asked_for_is_ignored)
{
	const struct xtr_dns_answer a = { .status = 0, .count = 0 };

	fw_dns(w, name_of(EID), "192.0.2.9");
	go();
	for (uint32_t id = 0; id < 100; id++)
		if (id != 1)
			xtr_node_resolved(n->n, id, &a, w->now);
	fw_run(w, 100);
	cr_assert_eq(fw_counter(n, XTR_NODE_DNS_FAILURES), 0);
	cr_assert_eq(name_info(name_of(EID))->count, 1);
}

/* ---- lig */

static struct xtr_lig_result lig;
static unsigned lig_count, lig_locators;

static void lig_done(void *arg, const struct xtr_lig_result *res)
{
	lig = *res;
	lig_locators = res->count ? res->records[0].locator_count : 0;
	lig_count++;
}

Test(pull, lig_goes_the_same_way)
{
	struct xtr_eid_prefix eid = fw_eid("10.2.2.7");

	fw_dns(w, name_of(FAR), "192.0.2.7 192.0.2.8")->delay = 700;
	go();
	fw_run(w, 50);
	cr_assert_eq(xtr_node_lig(n->n, &eid, NULL, lig_done, NULL, w->now), 0);
	fw_tick(n);
	fw_run(w, 701);
	cr_assert_eq(fw_sent_count(n, XTR_MSG_MAP_REQUEST), 1);
	answer(asked_at(), &(struct fw_rec)FW_NEG(FAR, 15, XTR_ACT_NATIVE));
	cr_assert_eq(lig_count, 0, "another one is asked");
	answer(asked_at(), &(struct fw_rec)FW_REC(FAR, 60, "192.0.2.2"));
	cr_assert_eq(lig_count, 1);
	cr_assert_eq(lig_locators, 1);
	cr_assert_eq(lig.tries, 2);
}

Test(pull, lig_tells_the_no_when_the_others_are_silent)
{
	struct xtr_eid_prefix eid = fw_eid("10.2.2.7");

	fw_dns(w, name_of(FAR), "192.0.2.7 192.0.2.8");
	go();
	fw_run(w, 50);
	xtr_node_lig(n->n, &eid, NULL, lig_done, NULL, w->now);
	fw_tick(n);
	fw_run(w, 20);
	answer(asked_at(), &(struct fw_rec)FW_NEG(FAR, 15, XTR_ACT_NATIVE));
	fw_run(w, 60000);
	cr_assert_eq(lig_count, 1);
	cr_assert_eq(lig.count, 1);
	cr_assert_eq(lig_locators, 0);
}

/* ---- routers that are each other's Map-Servers (D-1, D-2) */

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
	w = fw_new();
	for (unsigned i = 0; i < ROUTERS; i++)
		router_conf(i, 4);
}

TestSuite(routers, .init = system_up, .fini = tear_down);

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

/* DNS names us as Map-Server of an index, and we are none. */
Test(pull, an_own_address_in_DNS_without_a_map_server_is_said)
{
	const struct xtr_name_info *i;

	fw_dns(w, name_of(EID), "192.0.2.1 192.0.2.9");
	conf.c.ms = false;
	go();
	fw_run(w, 3000);
	i = name_info(name_of(EID));
	cr_assert_not(i->self);
	cr_assert_not_null(strstr(names.problem[0], "no map-server"));
	cr_assert_eq(show_db(), 2);
	cr_assert(strstr(db_problem[0], "ourselves") || strstr(db_problem[1], "ourselves"));
}

/* ---- what is said */

static unsigned told;

static void count_event(void *ctx, enum xtr_event_kind kind, const struct xtr_eid_prefix *eid,
			const char *text)
{
	told++;
}

static bool nobody(void *ctx)
{
	return false;
}

/* The log has them: routers with other parameters are silent on the wire. */
Test(pull_events, parameters_are_said_even_if_nobody_listens)
{
	static struct xtr_env env;

	env.ops.event = count_event;
	env.ops.listening = nobody;
	xtr_env_event(&env, XTR_EVENT_MISS, NULL, "of interest to who listens");
	cr_assert_eq(told, 0);
	xtr_env_event(&env, XTR_EVENT_PARAMS, NULL, "profile and modulus");
	cr_assert_eq(told, 1);
}
