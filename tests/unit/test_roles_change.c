// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Mappings that change while others use them, in a whole system: SMR, Map-Request, answer. RFC 9301 6.1.
 *
 *   a 192.0.2.1             10.1.0.0/24 ┐
 *   b 192.0.2.2, 192.0.2.3  10.2....    ┴── 192.0.2.9 Map-Server and -Resolver of 10.0.0.0/8
 */
#include "role_lab.h"

#include "xtr/abi.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct fw_node *a, *b;

static void site(struct fw_conf *c, const char *rlocs, const char *eid, bool proxy)
{
	mapping_system_site(c, rlocs, eid);
	c->resolvers[0] = fw_ip("192.0.2.9");
	c->servers[0].proxy_reply = proxy;
}

static void start(const char *eid, bool proxy)
{
	static struct fw_conf c;

	world_up();
	fw_conf_init(&c);
	fw_conf_rloc(&c, "192.0.2.9");
	fw_conf_site(&c, "all", "10.0.0.0/8", true);
	fw_start(w, "ms", &c);
	site(&c, "192.0.2.1", "10.1.0.0/24", proxy);
	a = fw_start(w, "a", &c);
	site(&conf, "192.0.2.2", eid, proxy);
	b = fw_start(w, "b", &conf);
	fw_until(w, 5000);
}

TestSuite(change, .fini = world_down);

/* Both sites talk to each other: with 10.2.200.1 of b. */
static void talk(void)
{
	fw_miss(a, "10.2.200.1", "10.1.0.1");
	fw_miss(b, "10.1.0.1", "10.2.200.1");
	fw_run(w, 2000);
	fw_use(b, "10.1.0.1");
	cr_assert_eq(fw_dp_match(a, "10.2.200.1")->fwd.n, 1);
}

/* Where a sends packets to this host: by which prefix, after a miss if there is none. */
static const char *at(const char *host)
{
	static char out[128];
	struct fw_dp *d = fw_dp_match(a, host);
	char s[64];

	if (!d) {
		fw_miss(a, host, "10.1.0.1");
		fw_run(w, 2000);
		d = fw_dp_match(a, host);
	}
	if (!d)
		return "no answer";
	if (d->fwd.n)
		snprintf(out, sizeof(out), "%s /%u", xtr_ip_str(&d->fwd.locators[0].ip, s), d->eid.len);
	else
		snprintf(out, sizeof(out), "action %u", d->fwd.action);
	return out;
}

static void becomes(const char *eid)
{
	static struct fw_conf c;

	site(&c, "192.0.2.2", eid, conf.servers[0].proxy_reply);
	fw_reconfigure(b, &c);
	fw_run(w, 5000);
}

static void removed(bool proxy)
{
	start("10.2.0.0/16", proxy);
	talk();
	becomes("10.77.0.0/16");
	cr_assert_str_eq(at("10.2.200.1"), "action 1");
	cr_assert_leq(fw_sent_count(a, XTR_MSG_MAP_REQUEST), 2);
}

Test(change, RFC9301_6_1_a_prefix_that_was_removed_is_not_used_any_more_proxied)
{
	removed(true);
}

Test(change, RFC9301_6_1_a_prefix_that_was_removed_is_not_used_any_more_forwarded)
{
	removed(false);
}

static void grown(bool proxy)
{
	start("10.2.200.0/24", proxy);
	talk();
	becomes("10.2.0.0/16");
	cr_assert_str_eq(at("10.2.200.1"), "192.0.2.2 /16");
}

Test(change, RFC9301_6_1_a_prefix_that_became_part_of_a_larger_one_proxied)
{
	grown(true);
}

Test(change, RFC9301_6_1_a_prefix_that_became_part_of_a_larger_one_forwarded)
{
	grown(false);
}

/* The ITR asks for the prefix it has, which nobody has any more. */
static void split(bool proxy)
{
	start("10.2.0.0/16", proxy);
	talk();
	becomes("10.2.0.0/17");
	cr_assert_str_eq(at("10.2.1.1"), "192.0.2.2 /17");
	cr_assert_str_eq(at("10.2.200.1"), "action 1");
	cr_assert_leq(fw_sent_count(a, XTR_MSG_MAP_REQUEST), 3, "answered, not repeated: %s",
		       fw_sent_times(a, XTR_MSG_MAP_REQUEST, (char[256]){ 0 }, 256));
	cr_assert_eq(fw_counter(b, XTR_NODE_DROP_NOT_OURS), 0);
}

Test(change, RFC9301_5_5_a_prefix_that_was_split_proxied)
{
	split(true);
}

Test(change, RFC9301_5_5_a_prefix_that_was_split_forwarded)
{
	split(false);
}

/* The same site, Map-Server and ETR in one. */
Test(change, RFC9301_5_5_a_prefix_that_was_split_answered_by_the_only_node)
{
	static struct fw_conf c;
	const struct fw_req q = { .nonce = 5, .eid = "10.2.0.0/16", .itr_rloc = "192.0.2.50" };
	struct xtr_map_reply m;
	uint8_t buf[512];

	world_of("192.0.2.9");
	mapping_system_site(&c, "192.0.2.9", "10.2.0.0/17");
	fw_conf_mapping(&c, "10.2.128.0/17", "192.0.2.9");
	fw_conf_site(&c, "all", "10.0.0.0/8", true);
	c.servers[0].proxy_reply = false;
	b = fw_start(w, "all", &c);
	fw_until(w, 1000);
	fw_inject(b, "192.0.2.50", 4342, buf, fw_make_request(buf, sizeof(buf), &q));
	cr_assert_eq(fw_sent_count(b, XTR_MSG_MAP_REPLY), 1);
	cr_assert_eq(xtr_map_reply_decode(fw_sent(b, 2, 0)->buf, fw_sent(b, 2, 0)->len, &m), 0);
	cr_assert_eq(m.records.left, 2);
}

/* ---- many changes at once: one of the two RLOCs of b goes down */

/* Sites of 10.3.0.0/16 that use all the EID-prefixes of b, 10.2.0.0/24 and on. */
static struct fw_node *users[8];

static void start_many(unsigned prefixes, unsigned sites)
{
	static struct fw_conf c;
	char eid[32], rloc[32], host[32];

	start("10.9.0.0/24", true);
	fw_stop(b);
	site(&conf, "192.0.2.2 192.0.2.3", "10.2.0.0/24", true);
	for (unsigned i = 1; i < prefixes; i++) {
		snprintf(eid, sizeof(eid), "10.2.%u.0/24", i);
		fw_conf_mapping(&conf, eid, "192.0.2.2 192.0.2.3");
	}
	b = fw_start(w, "b2", &conf);
	for (unsigned k = 0; k < sites; k++) {
		snprintf(eid, sizeof(eid), "10.3.%u.0/24", k);
		snprintf(rloc, sizeof(rloc), "192.0.2.%u", 100 + k);
		site(&c, rloc, eid, true);
		users[k] = fw_start(w, eid, &c);
	}
	fw_run(w, 5000);
	for (unsigned k = 0; k < sites; k++) {
		snprintf(host, sizeof(host), "10.3.%u.1", k);
		fw_miss(b, host, "10.2.0.1");
		for (unsigned i = 0; i < prefixes; i++) {
			snprintf(eid, sizeof(eid), "10.2.%u.1", i);
			fw_miss(users[k], eid, host);
			fw_run(w, 5);
		}
	}
	fw_run(w, 3000);
	for (unsigned k = 0; k < sites; k++) {
		snprintf(host, sizeof(host), "10.3.%u.1", k);
		fw_use(b, host);
	}
}

static void only_rloc(const char *ip)
{
	struct xtr_ip up = fw_ip(ip);

	xtr_node_rlocs_up(b->n, &up, 1, w->now);
	fw_tick(b);
}

/* How many of b's EID-prefixes this site still sends to the RLOC that is down. */
static unsigned stale(struct fw_node *user, unsigned prefixes, const char *down)
{
	struct xtr_ip ip = fw_ip(down);
	unsigned n = 0;
	char host[32];

	for (unsigned i = 0; i < prefixes; i++) {
		const struct fw_dp *d;

		snprintf(host, sizeof(host), "10.2.%u.1", i);
		d = fw_dp_match(user, host);
		for (unsigned j = 0; d && j < d->fwd.n; j++)
			n += !xtr_ip_cmp(&d->fwd.locators[j].ip, &ip);
	}
	return n;
}

/* The most SMRs of b within so many ms: to this site, or to all (NULL). */
static unsigned most_smrs(const char *to, uint64_t within, uint64_t since)
{
	struct xtr_ip ip = fw_ip(to ? to : "0.0.0.0");
	unsigned most = 0, n = 0, first = 0;

	for (unsigned i = 0; i < w->packet_count; i++) {
		const struct fw_packet *p = &w->packets[i];

#define IS_SMR(p) ((p)->from == b && (p)->sent >= since && fw_type(p) == XTR_MSG_MAP_REQUEST && \
		   (!to || !xtr_ip_cmp(&(p)->dst, &ip)))
		if (!IS_SMR(p))
			continue;
		n++;
		for (; w->packets[first].sent + within <= p->sent; first++)
			n -= IS_SMR(&w->packets[first]);
		most = n > most ? n : most;
	}
	return most;
}

Test(change, RFC9301_6_1_a_hundred_changes_are_told_to_all_within_ten_seconds)
{
	uint64_t since;

	start_many(100, 4);
	cr_assert_eq(stale(users[3], 100, "192.0.2.2"), 100);
	since = w->now;
	only_rloc("192.0.2.3");
	fw_run(w, 10000);
	for (unsigned k = 0; k < 4; k++)
		cr_assert_eq(stale(users[k], 100, "192.0.2.2"), 0, "site %u", k);
	cr_assert_eq(fw_counter(b, XTR_NODE_TX_SMR), 400, "each once");
	cr_assert_leq(most_smrs("192.0.2.100", 1000, since), 20);
	cr_assert_leq(most_smrs(NULL, 1000, since), 80);
	cr_assert_eq(fw_counter(b, XTR_NODE_SMR_GIVEN_UP), 0);
	fw_run(w, 60000);
	cr_assert_eq(fw_counter(b, XTR_NODE_TX_SMR), 400, "not repeated");
}

Test(change, RFC9301_6_1_one_that_changes_again_is_told_again_three_seconds_later)
{
	start_many(3, 2);
	only_rloc("192.0.2.3");
	fw_run(w, 1000);
	cr_assert_eq(fw_counter(b, XTR_NODE_TX_SMR), 6);
	only_rloc("192.0.2.2");
	only_rloc("192.0.2.3");
	only_rloc("192.0.2.2");
	fw_run(w, 2200);
	cr_assert_eq(fw_counter(b, XTR_NODE_TX_SMR), 6);
	fw_run(w, 1000);
	cr_assert_eq(fw_counter(b, XTR_NODE_TX_SMR), 12);
	cr_assert_eq(stale(users[1], 3, "192.0.2.3"), 0);
	fw_run(w, 60000);
	cr_assert_eq(fw_counter(b, XTR_NODE_TX_SMR), 12);
}

/* b talks to so many RLOCs, eight of a site. */
static void start_peers(unsigned rlocs)
{
	start_many(1, 0);
	for (unsigned i = 0; i < rlocs / 8; i++) {
		struct xtr_fwd fwd = { .action = XTR_ACT_ENCAP, .n = 8 };
		struct xtr_eid_prefix e;
		char text[32];

		for (unsigned j = 0; j < 8; j++) {
			snprintf(text, sizeof(text), "198.51.%u.%u", i / 16, 1 + i % 16 * 8 + j);
			fwd.locators[j].ip = fw_ip(text);
			fwd.locators[j].weight = 1;
		}
		snprintf(text, sizeof(text), "10.4.%u.0/24", i);
		e = fw_eid(text);
		cr_assert_eq(xtr_node_cache_add(b->n, &e, &fwd, w->now), 0);
		snprintf(text, sizeof(text), "10.4.%u.1", i);
		fw_use(b, text);
	}
}

Test(change, RFC9301_6_1_many_sites_are_told_in_turns)
{
	uint64_t since;

	start_peers(80);
	since = w->now;
	only_rloc("192.0.2.3");
	fw_run(w, 1000);
	cr_assert_eq(fw_counter(b, XTR_NODE_TX_SMR), 80);
	cr_assert_eq(most_smrs(NULL, 50, since), 32);
	cr_assert_eq(most_smrs("198.51.0.80", 1000, since), 1);
	cr_assert_eq(fw_counter(b, XTR_NODE_SMR_GIVEN_UP), 0);
}

Test(change, RFC9301_6_1_a_change_while_only_some_were_told_is_told_to_all_again)
{
	start_peers(40);
	only_rloc("192.0.2.3");
	fw_run(w, 260);
	cr_assert_eq(fw_counter(b, XTR_NODE_TX_SMR), 32);
	only_rloc("192.0.2.2");
	fw_run(w, 1000);
	cr_assert_eq(fw_counter(b, XTR_NODE_TX_SMR), 40);
	fw_run(w, 3000);
	cr_assert_eq(fw_counter(b, XTR_NODE_TX_SMR), 80);
	fw_run(w, 60000);
	cr_assert_eq(fw_counter(b, XTR_NODE_TX_SMR), 80);
}

Test(change, more_sites_than_there_is_room_for_are_counted)
{
	uint64_t since;

	start_peers(1032);
	since = w->now;
	only_rloc("192.0.2.3");
	fw_run(w, 3000);
	cr_assert_eq(fw_counter(b, XTR_NODE_TX_SMR), 1024);
	cr_assert_eq(fw_counter(b, XTR_NODE_SMR_GIVEN_UP), 1);
	cr_assert_leq(most_smrs(NULL, 1000, since), 640);
}

Test(change, what_is_still_to_be_told_ends_with_the_node)
{
	start_many(50, 1);
	only_rloc("192.0.2.3");
	fw_run(w, 1000);
	cr_assert_gt(fw_counter(b, XTR_NODE_TX_SMR), 5);
	cr_assert_lt(fw_counter(b, XTR_NODE_TX_SMR), 50);
	/* the sanitizers see what is left behind */
}
