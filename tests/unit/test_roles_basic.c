// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two sites, a Map-Resolver and a Map-Server, end to end in virtual time:
 *
 *   site A 192.0.2.1  10.1.0.0/24        192.0.2.8 Map-Resolver
 *   site B 192.0.2.2  10.2.0.0/24        192.0.2.9 Map-Server
 */
#include "role_lab.h"

#include "xtr/abi.h"

#include <criterion/criterion.h>

static struct fw_node *a, *b, *ms;

static struct fw_node *site(const char *name, const char *rloc, const char *eid)
{
	mapping_system_site(&conf, rloc, eid);
	return fw_start(w, name, &conf);
}

static void set_up(void)
{
	world_up();
	ms = mapping_system_start().ms;
	a = site("a", "192.0.2.1", "10.1.0.0/24");
	b = site("b", "192.0.2.2", "10.2.0.0/24");
}

TestSuite(basic, .init = set_up, .fini = world_down);

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
