// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * LISP-GPE said and understood (RFC 9305 5; how, is in user/roles/etr_record.c): by one more locator that nobody sends to.
 *
 *   site A 192.0.2.1, 2001:db8::1  10.1.0.0/24 ┐                    ┌ 192.0.2.8 Map-Resolver
 *   site B 192.0.2.2, 2001:db8::2  10.2.0.0/24 ┴── 10 ms each way ──┴ 192.0.2.9 Map-Server
 */
#include "role_lab.h"

#include "xtr/abi.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct fw_node *a, *b, *ms;
static struct fw_conf conf_a, conf_b;

static void site_conf(struct fw_conf *c, const char *rlocs, const char *eid, uint8_t gpe)
{
	mapping_system_site(c, rlocs, eid);
	c->mappings[0].gpe = gpe;
}

static void set_up(void)
{
	world_up();
	ms = mapping_system_start().ms;
}

static void go(uint8_t gpe, bool proxy)
{
	site_conf(&conf_a, "192.0.2.1 2001:db8::1", "10.1.0.0/24", 0);
	a = fw_start(w, "a", &conf_a);
	site_conf(&conf_b, "192.0.2.2 2001:db8::2", "10.2.0.0/24", gpe);
	conf_b.servers[0].proxy_reply = proxy;
	b = fw_start(w, "b", &conf_b);
	fw_until(w, 1000);
}

TestSuite(gpe, .init = set_up, .fini = world_down);

/* "192.0.2.2g 2001:db8::2": the forwarding set, and who of it takes LISP-GPE. */
static const char *fwd(struct fw_node *f, const char *prefix)
{
	static char buf[256];
	const struct fw_dp *d = fw_dp_get(f, prefix);
	size_t at = 0;
	char s[64];

	buf[0] = '\0';
	for (unsigned i = 0; d && i < d->fwd.n; i++)
		at += (size_t)snprintf(buf + at, sizeof(buf) - at, "%s%s%s", i ? " " : "", xtr_ip_str(&d->fwd.locators[i].ip, s),
				       d->fwd.locators[i].gpe ? "g" : "");
	return buf;
}

/* The locators of the last Map-Register, in order: "192.0.2.2/1LR lcaf-16(...)/255LR". */
static const char *registered(struct fw_node *f)
{
	static char buf[512];
	struct xtr_register m;
	struct xtr_record rec;
	struct xtr_rd it = { 0 };
	struct xtr_locator l;
	const uint8_t *msg;
	size_t at = 0, len;
	char s[128];

	cr_assert_gt(fw_sent_count(f, XTR_MSG_MAP_REGISTER), 0);
	msg = fw_message(fw_sent(f, XTR_MSG_MAP_REGISTER, fw_sent_count(f, XTR_MSG_MAP_REGISTER) - 1), &len);
	cr_assert(!xtr_register_decode_head(msg, len, &m) && !xtr_register_decode_body(&m) && xtr_record_next(&m.records, &rec));
	buf[0] = '\0';
	while (xtr_locator_next(&rec, &it, &l))
		at += (size_t)snprintf(buf + at, sizeof(buf) - at, "%s%s/%u%s%s", at ? " " : "", xtr_addr_str(&l.addr, s, sizeof(s)),
				       l.priority, l.local ? "L" : "", l.reachable ? "R" : "");
	return buf;
}

static struct xtr_cache_info info;

static int first(void *arg, const struct xtr_cache_info *i)
{
	info = *i;
	return 1;
}

Test(gpe, RFC9305_5_nobody_says_it_unasked)
{
	go(0, false);
	fw_miss(a, "10.2.0.5", NULL);
	fw_run(w, 1000);
	cr_assert_str_eq(fwd(a, "10.2.0.0/24"), "192.0.2.2 2001:db8::2");
	cr_assert_str_eq(registered(b), "192.0.2.2/1LR 2001:db8::2/1LR");
}

Test(gpe, RFC9305_5_said_in_a_locator_of_its_own_that_is_not_sent_to)
{
	go(XTR_GPE_IP4, false);
	cr_assert_str_eq(registered(b), "192.0.2.2/1LR 2001:db8::2/1LR lcaf-16(formats 0x81,192.0.2.2)/255LR",
			 "behind the others, whose ordinals stay (RFC 8060 3)");
	fw_miss(a, "10.2.0.5", NULL);
	fw_run(w, 1000);
	cr_assert_str_eq(fwd(a, "10.2.0.0/24"), "192.0.2.2g 2001:db8::2", "of IPv6 nothing was said");
	xtr_node_walk_cache(a->n, NULL, w->now, first, NULL);
	cr_assert_eq(info.locator_count, 2, "what only says something is shown where it belongs");
	cr_assert(info.locators[0].gpe && !info.locators[1].gpe);
}

Test(gpe, both_families_and_through_a_map_server_that_answers_for_the_etr)
{
	go(XTR_GPE_IP4 | XTR_GPE_IP6, true);
	fw_miss(a, "10.2.0.5", NULL);
	fw_run(w, 1000);
	xtr_node_walk_cache(a->n, NULL, w->now, first, NULL);
	cr_assert(!info.authoritative);
	cr_assert_str_eq(fwd(a, "10.2.0.0/24"), "192.0.2.2g 2001:db8::2g");
}

Test(gpe, a_change_of_mind_is_told_to_those_who_send_to_us)
{
	go(XTR_GPE_IP4, false);
	fw_miss(a, "10.2.0.5", NULL);
	fw_miss(b, "10.1.0.5", NULL);
	fw_run(w, 1000);
	fw_use(b, "10.1.0.5");
	fw_use(a, "10.2.0.5");
	conf_b.mappings[0].gpe = 0;
	fw_reconfigure(b, &conf_b);
	fw_run(w, 5000);
	cr_assert_str_eq(registered(b), "192.0.2.2/1LR 2001:db8::2/1LR");
	cr_assert_str_eq(fwd(a, "10.2.0.0/24"), "192.0.2.2 2001:db8::2", "RFC 9301 6.1: SMR");
	fw_run(w, 10000); /* the pause between two SMRs about one EID-prefix */
	fw_use(b, "10.1.0.5");
	conf_b.mappings[0].gpe = XTR_GPE_IP4;
	fw_reconfigure(b, &conf_b);
	fw_run(w, 5000);
	cr_assert_str_eq(fwd(a, "10.2.0.0/24"), "192.0.2.2g 2001:db8::2");
}

/* Only the router itself knows what it takes: the record names all of its site. */
Test(gpe, nothing_is_said_of_other_routers_of_the_site)
{
	site_conf(&conf_a, "192.0.2.1", "10.1.0.0/24", 0);
	a = fw_start(w, "a", &conf_a);
	site_conf(&conf_b, "192.0.2.2", "10.2.0.0/24", XTR_GPE_IP4 | XTR_GPE_IP6);
	conf_b.locs[0][1] = (struct xtr_rloc_config){ fw_ip("192.0.2.3"), 1, 100, 255, 0 };
	conf_b.mappings[0].rloc_count = 2;
	b = fw_start(w, "b", &conf_b);
	fw_until(w, 1000);
	fw_miss(a, "10.2.0.5", NULL);
	fw_run(w, 1000);
	cr_assert_str_eq(fwd(a, "10.2.0.0/24"), "192.0.2.2g 192.0.2.3");
}

/* The restart of an ITR: what it finds in the kernel is not told of it again, nor contradicted. */
Test(gpe, adopted_entries_are_left_alone_until_they_are_refreshed)
{
	struct xtr_eid_prefix eid = fw_eid("10.2.0.0/24");
	struct xtr_fwd found = { .action = XTR_ACT_ENCAP, .n = 1, .locators = { { .ip = fw_ip("192.0.2.2"), .weight = 100 } } };
	const struct fw_dp *d;

	go(XTR_GPE_IP4, false);
	xtr_node_adopt(a->n, &eid, &found, w->now);
	d = fw_dp_get(a, "10.2.0.0/24");
	cr_assert(!d || !d->puts, "as it is");
}
