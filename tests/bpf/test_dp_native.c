// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Throw routes of natively forwarded EID-prefixes on the real kernel: only for what is in use, never hiding what is not native,
 * bounded, and gone in time.
 */
#include "dp_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(dp_native, .init = dp_setup, .fini = dp_teardown);

static const struct xtr_dp_mapping native = { .action = XTR_ACT_NATIVE }, drop = { .action = XTR_ACT_DROP };

static bool thrown(const char *prefix)
{
	char cmd[256], *out;
	bool r;

	snprintf(cmd, sizeof(cmd), "(ip route show table 4341; ip -6 route show table 4341) | grep '^throw %s '", prefix);
	out = capture(cmd);
	r = *out;
	free(out);
	return r;
}

/* What the programs write when a packet meets the entry. */
static void use(struct xtr_dp *dp, const char *eid)
{
	struct xtr_ippfx p = pfx(eid);
	union xtr_dp_key k;
	struct xtr_eid v;
	int fd = dp->map[p.ip.family == 4 ? XTR_M_EID4 : XTR_M_EID6];

	xtr_dp_key(&k, 0, &p);
	cr_assert_eq(bpf_map_lookup_elem(fd, &k, &v), 0);
	v.used = xtr_dp_jiffies(dp);
	cr_assert_eq(bpf_map_update_elem(fd, &k, &v, BPF_EXIST), 0);
}

static struct xtr_dp *start(unsigned most)
{
	config(XTR_MODE_TC);
	cfg.native_routes = most;
	return open_dp();
}

/* Puts them, and uses them a second later. */
static void in_use(struct xtr_dp *dp, const char *const *eids, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		cr_assert_eq(put(dp, eids[i], &native), 0);
	serve(dp, 800);
	for (unsigned i = 0; i < n; i++)
		use(dp, eids[i]);
	serve(dp, 700);
}

Test(dp_native, only_what_is_used_again_has_a_route)
{
	static const char *const eids[] = { "10.9.0.0/16", "fd09::/32" };
	char *before = snapshot(), *after;
	struct xtr_dp *dp = start(16);

	cr_assert_eq(put(dp, "10.8.0.0/16", &native), 0);
	in_use(dp, eids, 2);
	cr_expect(thrown("10.9.0.0/16") && thrown("fd09::/32"));
	cr_expect_not(thrown("10.8.0.0/16"), "met once, as by a scan");
	sh("ip link set xtr0 down; ip link set xtr0 up");
	serve(dp, 500);
	cr_expect(thrown("10.9.0.0/16") && thrown("fd09::/32"), "after a link flap");
	sh("ip route del throw 10.9.0.0/16 table 4341");
	serve(dp, 500);
	cr_expect(thrown("10.9.0.0/16"), "somebody took it away");
	xtr_dp_close(dp);
	cr_expect(thrown("10.9.0.0/16"), "traffic goes on without xtrd");
	dp = start(16);
	cr_expect(thrown("10.9.0.0/16") && thrown("fd09::/32"), "taken over");
	cr_assert_eq(put(dp, "10.9.0.0/16", &drop), 0);
	cr_expect_not(thrown("10.9.0.0/16"), "another action: at once");
	cr_expect_eq(xtr_dp_cache_del(dp, 0, &(struct xtr_ippfx){ ip("fd09::"), 32 }), 0);
	cr_expect_not(thrown("fd09::/32"), "no entry: at once");
	/* it expired and was asked for again */
	cr_assert_eq(put(dp, "fd09::/32", &native), 0);
	cr_expect(thrown("fd09::/32"), "what was in use a moment ago needs no proof");
	xtr_dp_close(dp);
	detach();
	after = snapshot();
	expect_same(before, after);
	free(before);
	free(after);
}

Test(dp_native, never_hides_what_is_not_native)
{
	static const char *const eids[] = { "10.8.0.0/13", "10.0.0.0/8", "8.0.0.0/5", "0.0.0.0/0", "10.1.0.0/28", "11.0.0.0/8" };
	struct xtr_dp_mapping m = mapping("192.0.2.2", 1, NULL, 0);
	struct xtr_dp *dp = start(16);

	cr_assert_eq(put(dp, "10.9.0.0/24", &m), 0);
	in_use(dp, eids, 6);
	cr_expect_not(thrown("10.8.0.0/13"), "an encapsulated prefix is inside");
	cr_expect_not(thrown("10.0.0.0/8"), "the EID route itself");
	cr_expect(!thrown("8.0.0.0/5") && !thrown("default"), "an EID route is inside");
	cr_expect_not(thrown("10.1.0.0/28"), "local: thrown already");
	cr_expect_not(thrown("11.0.0.0/8"), "no EID route leads into the overlay");
	cr_expect_eq(xtr_dp_cache_del(dp, 0, &(struct xtr_ippfx){ ip("10.9.0.0"), 24 }), 0);
	use(dp, "10.8.0.0/13");
	serve(dp, 700);
	cr_expect(thrown("10.8.0.0/13"), "nothing is hidden any more");
	cr_assert_eq(put(dp, "10.9.0.0/24", &m), 0);
	cr_expect_not(thrown("10.8.0.0/13"), "gone before the entry inside is there");
	xtr_dp_close(dp);
	detach();
}

Test(dp_native, bounded_and_a_scan_gets_nothing)
{
	static const char *const eids[] = { "10.9.0.0/24", "10.9.1.0/24", "10.9.2.0/24" };
	struct xtr_dp *dp = start(2);
	char eid[32], *out;

	for (int i = 0; i < 900; i++) {
		snprintf(eid, sizeof(eid), "10.%d.%d.0/24", 16 + i / 256, i % 256);
		cr_assert_eq(put(dp, eid, &native), 0);
	}
	in_use(dp, eids, 3);
	out = capture("ip route show table 4341 | grep -c '^throw 10\\.9\\.'");
	cr_expect_eq(atoi(out), 2, "%s", out);
	free(out);
	out = capture("ip route show table 4341 | grep -cE '^throw 10\\.(1[6-9])\\.'");
	cr_expect_eq(atoi(out), 0, "%s", out);
	free(out);
	xtr_dp_close(dp);
	detach();
}
