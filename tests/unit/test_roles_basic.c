// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two sites, a Map-Resolver and a Map-Server, end to end in virtual time:
 *
 *   site A 192.0.2.1  10.1.0.0/24        192.0.2.8 Map-Resolver
 *   site B 192.0.2.2  10.2.0.0/24        192.0.2.9 Map-Server
 */
#include "fake_world.h"

#include "xtr/abi.h"

#include <criterion/criterion.h>

static struct fw *w;
static struct fw_node *a, *b, *mr, *ms;

static void xtr_site(const char *name, const char *rloc, const char *eid, struct fw_node **out)
{
	static struct fw_conf c;

	fw_conf_init(&c);
	fw_conf_rloc(&c, rloc);
	fw_conf_mapping(&c, eid, rloc);
	fw_conf_server(&c, "192.0.2.9");
	fw_conf_resolver(&c, "192.0.2.8");
	*out = fw_start(w, name, &c);
}

static void set_up(void)
{
	static struct fw_conf c;

	w = fw_new();
	fw_conf_init(&c);
	fw_conf_rloc(&c, "192.0.2.9");
	fw_conf_site(&c, "a", "10.1.0.0/24", false);
	fw_conf_site(&c, "b", "10.2.0.0/24", false);
	ms = fw_start(w, "ms", &c);
	fw_conf_init(&c);
	fw_conf_rloc(&c, "192.0.2.8");
	fw_conf_mr_server(&c, "192.0.2.9");
	mr = fw_start(w, "mr", &c);
	xtr_site("a", "192.0.2.1", "10.1.0.0/24", &a);
	xtr_site("b", "192.0.2.2", "10.2.0.0/24", &b);
}

static void tear_down(void)
{
	fw_free(w);
}

TestSuite(basic, .init = set_up, .fini = tear_down);

Test(basic, registers_requests_and_replies)
{
	struct fw_dp *d;

	fw_run(w, 1000);
	cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTER_ACCEPTED), 2);
	cr_assert_eq(fw_events(a, XTR_EVENT_REGISTER_ACKED), 1);
	fw_miss(a, "10.2.0.5", "10.1.0.3");
	fw_run(w, 1000);
	d = fw_dp_get(a, "10.2.0.0/24");
	cr_assert_not_null(d, "no map-cache entry");
	cr_assert_eq(d->fwd.action, XTR_ACT_ENCAP);
	cr_assert_eq(d->fwd.n, 1);
	cr_assert_eq(d->fwd.locators[0].weight, 100);
	/* ITR -> MR -> MS -> ETR -> ITR, 10 ms each */
	cr_assert_eq(fw_sent(b, XTR_MSG_MAP_REPLY, 0)->sent, 1030);
}
