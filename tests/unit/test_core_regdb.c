// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Registration database by itself: registrants and how long their nonces are remembered. Sites a, 10/8, and b, 11/8. */
#include "core/regdb.h"
#include "fake_world.h"

#include <criterion/criterion.h>
#include <string.h>

static struct xtr_regdb db;
static struct xtr_timers timers;

static void no_timer(void *ctx, struct xtr_timer *t)
{
}

static void gone(void *ctx, const struct xtr_eid_prefix *eid)
{
}

static void set_up(void)
{
	static struct xtr_site_prefix_config prefixes[2];
	static struct xtr_site_config sites[2] = { { .name = "a", .prefix_count = 1 }, { .name = "b", .prefix_count = 1 } };

	for (unsigned i = 0; i < 2; i++) {
		prefixes[i].eid = fw_eid(i ? "11.0.0.0/8" : "10.0.0.0/8");
		prefixes[i].accept_more_specifics = true;
		sites[i].prefixes = &prefixes[i];
	}
	xtr_timers_init(&timers);
	xtr_timers_kind(&timers, 5, no_timer, NULL);
	xtr_regdb_init(&db, &timers, 5);
	db.registrant_limit = 4;
	cr_assert_eq(xtr_regdb_configure(&db, sites, 2, gone, NULL), 0);
}

static void tear_down(void)
{
	xtr_regdb_free(&db);
	cr_assert_eq(timers.n, 0, "a timer is left");
	xtr_timers_free(&timers);
}

TestSuite(regdb, .init = set_up, .fini = tear_down);

static struct xtr_registrant_key key_of(unsigned site, uint8_t id)
{
	struct xtr_registrant_key key;

	memset(&key, 0, sizeof(key));
	key.site = db.sites[site]->uid;
	key.by_id = 1;
	key.id[0] = id;
	return key;
}

static struct xtr_registrant *who_of(unsigned site, uint8_t id, uint64_t now)
{
	struct xtr_registrant_key key = key_of(site, id);
	struct xtr_registrant *r = xtr_registrant_make(&db, &key, now);

	if (r)
		xtr_registrant_seen(&db, r, 100u + id, now);
	return r;
}

static struct xtr_registrant *who(uint8_t id, uint64_t now)
{
	return who_of(0, id, now);
}

static bool known(unsigned site, uint8_t id)
{
	struct xtr_registrant_key key = key_of(site, id);

	return xtr_registrant_find(&db, &key);
}

static int put(struct xtr_registrant *r, const char *eid, uint64_t now)
{
	static const uint8_t loc[] = { 1, 1, 255, 0, 0, 1, 0, 1, 192, 0, 2, 1 };
	const struct xtr_locset set = { .octets = loc, .len = sizeof(loc), .count = 1 };
	struct xtr_eid_prefix e = fw_eid(eid);
	const struct xtr_registration_new n = {
		.eid = &e,
		.locators = &set,
		.who = r,
		.now = now,
		.expires = now + 180000,
		.flags = XTR_REGN_MERGE,
	};

	return xtr_regdb_put(&db, &n);
}

/* Who has its key could otherwise fill the table with xTR-IDs that it thinks of. */
Test(regdb, a_full_table_forgets_who_is_idle_of_the_site_that_has_most_of_them)
{
	struct xtr_eid_prefix e = fw_eid("10.1.0.0/24");

	who_of(1, 50, 1000);
	for (uint8_t i = 0; i < 3; i++)
		cr_assert_not_null(who(i, 2000));
	cr_assert_not_null(who_of(1, 51, 3000), "at once, not after a day");
	cr_expect(!known(0, 0), "the oldest of site a");
	cr_assert_eq(put(who(1, 4000), "10.1.0.0/24", 4000), XTR_PUT_NEW);
	cr_assert_not_null(who(9, 5000), "now b has most");
	cr_expect(!known(1, 50));
	cr_expect(known(0, 1) && known(0, 2) && known(1, 51), "what has something registered does not count");
	xtr_regdb_del(&db, xtr_regdb_get(&db, &e), 6000);
	cr_assert_not_null(who_of(1, 52, 7000));
	cr_expect(!known(0, 2), "heard of longest ago");
	cr_expect(known(0, 1) && known(0, 9) && known(1, 51));
	cr_assert_eq(db.registrant_count, 4);
}

Test(regdb, who_has_something_registered_is_not_forgotten)
{
	for (uint8_t i = 0; i < 4; i++)
		cr_assert_eq(put(who(i, 1000), "10.1.0.0/24", 1000 + i), i ? XTR_PUT_CHANGED : XTR_PUT_NEW);
	cr_assert_null(who(9, UINT32_MAX));
}

Test(regdb, the_nonces_of_a_site_that_is_gone_are_kept_as_long_as_there_is_room)
{
	const struct xtr_site_config *b = db.sites[1]->cfg;

	for (uint8_t i = 0; i < 3; i++)
		who(i, 1000);
	cr_assert_eq(xtr_regdb_configure(&db, b, 1, gone, NULL), 0);
	cr_assert_eq(db.registrant_count, 3);
	for (uint8_t i = 0; i < 2; i++)
		cr_assert_not_null(who_of(0, i, 2000), "of b");
	cr_assert_eq(db.registrant_count, 4);
}

Test(regdb, registrants_are_found_by_their_ID_in_every_site)
{
	struct xtr_registrant *a = who_of(0, 7, 0), *b = who_of(1, 7, 0), *first = xtr_registrant_by_id(&db, a->key.id);
	uint8_t id[24];

	memcpy(id, a->key.id, sizeof(id));
	cr_assert(first == a ? a->same_id == b && !b->same_id : first == b && b->same_id == a && !a->same_id);
	for (uint8_t i = 0; i < 3; i++) /* one of the two is forgotten, then the other one as well */
		who_of(0, 20 + i, 1000);
	first = xtr_registrant_by_id(&db, id);
	cr_assert(first && !first->same_id);
	cr_assert_eq(memcmp(first->key.id, id, sizeof(id)), 0);
	put(who_of(0, 20, 2000), "10.1.0.0/24", 2000);
	put(who_of(0, 21, 2000), "10.1.0.0/24", 2000);
	put(who_of(0, 22, 2000), "10.1.0.0/24", 2000);
	who_of(0, 30, 3000);
	cr_assert_null(xtr_registrant_by_id(&db, id));
}

Test(regdb, equal_values_refresh_others_replace)
{
	struct xtr_registrant *a = who(1, 0), *b = who(2, 0);
	struct xtr_eid_prefix e = fw_eid("10.1.0.0/24");

	cr_assert_eq(put(a, "10.1.0.0/24", 0), XTR_PUT_NEW);
	cr_assert_eq(put(a, "10.1.0.0/24", 60000), XTR_PUT_SAME);
	cr_assert_eq(xtr_regdb_get(&db, &e)->expires, 240000);
	cr_assert_eq(put(b, "10.1.0.0/24", 60000), XTR_PUT_CHANGED);
	cr_assert_eq(db.count, 2);
	cr_assert_eq(db.sites[0]->registrations, 2);
	cr_assert(!xtr_regdb_del(&db, xtr_regdb_get(&db, &e), 70000));
	cr_assert(xtr_regdb_del(&db, xtr_regdb_get(&db, &e), 70000), "the last one");
	cr_assert_null(xtr_regdb_get(&db, &e));
	cr_assert_eq(db.sites[0]->registrations, 0);
	cr_assert_eq(a->registrations + b->registrations, 0);
}

Test(regdb, any_of_several_can_go)
{
	struct xtr_eid_prefix e = fw_eid("10.1.0.0/24");
	struct xtr_registration *r;

	for (uint8_t i = 0; i < 4; i++)
		put(who(i, 0), "10.1.0.0/24", i);
	r = xtr_regdb_get(&db, &e)->next->next; /* in the middle */
	cr_assert(!xtr_regdb_del(&db, r, 0));
	r = xtr_regdb_get(&db, &e)->next->next; /* at the end */
	cr_assert(!xtr_regdb_del(&db, r, 0));
	r = xtr_regdb_get(&db, &e); /* at the head */
	cr_assert(!xtr_regdb_del(&db, r, 0));
	cr_assert_eq(db.count, 1);
	cr_assert_null(xtr_regdb_get(&db, &e)->next);
}
