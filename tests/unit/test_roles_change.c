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
