// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* EID databases: instances and families do not meet; groups; holes; tables that go when they are
 * empty. */
#include "core/eiddb.h"
#include "fake_world.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static struct xtr_eiddb db;

static void set(const char *eid, void *value)
{
	struct xtr_eid_prefix e = fw_eid(eid);

	cr_assert_eq(xtr_eiddb_set(&db, &e, value, NULL, NULL), 0);
}

static const char *match(const char *eid)
{
	struct xtr_eid_prefix e = fw_eid(eid);

	return xtr_eiddb_match(&db, &e, NULL);
}

static struct xtr_eid_prefix group(const char *source, const char *g, uint8_t group_len)
{
	struct xtr_eid_prefix e = { .iid = 3, .afi = XTR_AFI_IP4, .group_len = group_len };
	struct xtr_ip ip = fw_ip(g);

	memcpy(e.g, ip.a, 16);
	if (source) {
		ip = fw_ip(source);
		memcpy(e.a, ip.a, 16);
		e.len = 32;
	}
	return e;
}

Test(eiddb, longest_match_within_the_instance_and_family)
{
	xtr_eiddb_init(&db);
	set("10.0.0.0/8", "eight");
	set("10.1.0.0/16", "sixteen");
	set("[7]10.1.1.0/24", "seven");
	set("::/0", "six");
	cr_assert_str_eq(match("10.1.1.1"), "sixteen");
	cr_assert_str_eq(match("10.2.1.1"), "eight");
	cr_assert_str_eq(match("10.1.0.0/16"), "sixteen");
	cr_assert_str_eq(match("10.0.0.0/9"), "eight");
	cr_assert_str_eq(match("[7]10.1.1.1"), "seven");
	cr_assert_null(match("[7]10.1.2.1"));
	cr_assert_null(match("11.1.1.1"));
	cr_assert_str_eq(match("2001:db8::1"), "six");
	cr_assert_eq(db.count, 4);
	xtr_eiddb_free(&db, NULL);
	cr_assert_eq(db.count, 0);
}

Test(eiddb, a_table_lives_as_long_as_it_holds_something)
{
	struct xtr_eid_prefix e = fw_eid("[9]10.0.0.0/8");
	struct xtr_eidtab *tab = NULL;

	xtr_eiddb_init(&db);
	cr_assert_eq(xtr_eiddb_set(&db, &e, "x", NULL, &tab), 0);
	cr_assert_not_null(tab);
	cr_assert_not_null(db.tabs);
	cr_assert_str_eq(xtr_eiddb_del(&db, &e), "x");
	cr_assert_null(db.tabs);
	cr_assert_null(xtr_eiddb_del(&db, &e));
	/* A look-up makes none. */
	cr_assert_null(match("[9]10.0.0.1"));
	cr_assert_null(db.tabs);
}

Test(eiddb, set_replaces_and_says_what_was_there)
{
	struct xtr_eid_prefix e = fw_eid("10.0.0.0/8");
	void *old = &e;

	xtr_eiddb_init(&db);
	cr_assert_eq(xtr_eiddb_set(&db, &e, "a", &old, NULL), 0);
	cr_assert_null(old);
	cr_assert_eq(xtr_eiddb_set(&db, &e, "b", &old, NULL), 0);
	cr_assert_str_eq(old, "a");
	cr_assert_eq(db.count, 1);
	xtr_eiddb_free(&db, NULL);
}

Test(eiddb, groups_prefer_the_source_then_the_group_then_the_range)
{
	struct xtr_eid_prefix sg = group("10.1.1.1", "233.252.0.1", 32),
			      star = group(NULL, "233.252.0.1", 32),
			      range = group(NULL, "233.252.0.0", 24),
			      bad = group("10.1.1.1", "233.252.0.0", 24),
			      other = group("10.9.9.9", "233.252.0.1", 32),
			      any = group("10.1.1.1", "233.252.0.77", 32);

	xtr_eiddb_init(&db);
	cr_assert_eq(xtr_eiddb_set(&db, &sg, "sg", NULL, NULL), 0);
	cr_assert_eq(xtr_eiddb_set(&db, &star, "star", NULL, NULL), 0);
	cr_assert_eq(xtr_eiddb_set(&db, &range, "range", NULL, NULL), 0);
	cr_assert_eq(xtr_eiddb_set(&db, &bad, "bad", NULL, NULL), -EPROTONOSUPPORT);
	cr_assert_str_eq(xtr_eiddb_match(&db, &sg, NULL), "sg");
	cr_assert_str_eq(xtr_eiddb_match(&db, &other, NULL), "star");
	cr_assert_str_eq(xtr_eiddb_match(&db, &any, NULL), "range");
	cr_assert_null(match("[3]10.1.1.1"), "a group is no unicast prefix");
	xtr_eiddb_free(&db, NULL);
}

static int same(void *ctx, const struct xtr_eid_prefix *eid, void *value)
{
	cr_assert(xtr_eid_equal(eid, value), "the walk gives another key than was set");
	++*(unsigned *)ctx;
	return 0;
}

Test(eiddb, keys_survive_packing)
{
	struct xtr_eid_prefix list[] = {
		fw_eid("0.0.0.0/0"),
		fw_eid("10.1.2.3"),
		fw_eid("[4294967295]10.128.0.0/9"),
		fw_eid("::/0"),
		fw_eid("2001:db8::/33"),
		fw_eid("[1]2001:db8::1"),
		group("10.1.1.1", "233.252.0.1", 32),
		group(NULL, "233.252.0.0", 24),
		{ .afi = XTR_AFI_MAC, .len = 48, .a = { 2, 0, 0, 0, 0, 1 } },
		{ .afi = XTR_AFI_NAME, .len = 24, .a = "abc" },
	};
	unsigned n = 0;

	xtr_eiddb_init(&db);
	for (unsigned i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		cr_assert_eq(xtr_eiddb_set(&db, &list[i], &list[i], NULL, NULL), 0);
	cr_assert_eq(xtr_eiddb_walk(&db, NULL, same, &n), 0);
	cr_assert_eq(n, sizeof(list) / sizeof(list[0]));
	xtr_eiddb_free(&db, NULL);
}

Test(eiddb, cut_and_host)
{
	struct xtr_eid_prefix e = fw_eid("10.255.0.0/16"), h = xtr_eid_host(&e),
			      c = xtr_eid_cut(&h, 9), want;

	want = fw_eid("10.255.0.0/32");
	cr_assert(xtr_eid_equal(&h, &want));
	want = fw_eid("10.128.0.0/9");
	cr_assert(xtr_eid_equal(&c, &want));
	c = xtr_eid_cut(&h, 0);
	want = fw_eid("0.0.0.0/0");
	cr_assert(xtr_eid_equal(&c, &want));
	c = xtr_eid_cut(&e, 20); /* never longer */
	cr_assert(xtr_eid_equal(&c, &e));
}

Test(eiddb, RFC9735_a_hole_between_names_is_of_whole_characters)
{
	struct xtr_eid_prefix e = fw_eid("'ietf.bgp'"), c, want = fw_eid("'ietf.b'");

	xtr_eiddb_init(&db);
	set("'ietf.lisp'", "a");
	c = xtr_eid_cut(&e, xtr_eiddb_hole(&db, &e));
	cr_assert(xtr_eid_equal(&c, &want));
	e = fw_eid("'iet'");
	c = xtr_eid_cut(&e, xtr_eiddb_hole(&db, &e));
	cr_assert(xtr_eid_equal(&c, &e), "a name that others begin with: itself");
	xtr_eiddb_free(&db, NULL);
}

Test(eiddb, has_longer)
{
	struct xtr_eid_prefix e = fw_eid("10.0.0.0/8");

	xtr_eiddb_init(&db);
	set("10.0.0.0/8", "a");
	cr_assert(!xtr_eiddb_has_longer(&db, &e));
	set("10.1.0.0/16", "b");
	cr_assert(xtr_eiddb_has_longer(&db, &e));
	xtr_eiddb_free(&db, NULL);
}
