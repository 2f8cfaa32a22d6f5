// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Registration database by itself: registrants and how long their nonces are remembered. */
#include "core/regdb.h"
#include "fake_world.h"

#include <criterion/criterion.h>
#include <string.h>

#define DAY (24 * 3600 * 1000ull)

static struct xtr_regdb db;
static struct xtr_timers timers;

static void no_timer(void *ctx, struct xtr_timer *t)
{
}

static void gone(void *ctx, const struct xtr_registration *r)
{
}

static void set_up(void)
{
	static const struct xtr_site_prefix_config prefix = { .accept_more_specifics = true };
	static struct xtr_site_prefix_config prefixes[1];
	static struct xtr_site_config site = { .name = "a", .key_count = 0, .prefix_count = 1 };

	prefixes[0] = prefix;
	prefixes[0].eid = fw_eid("10.0.0.0/8");
	site.prefixes = prefixes;
	xtr_timers_init(&timers);
	xtr_timers_kind(&timers, 5, no_timer, NULL);
	xtr_regdb_init(&db, &timers, 5);
	db.registrant_limit = 4;
	cr_assert_eq(xtr_regdb_configure(&db, &site, 1, gone, NULL), 0);
}

static void tear_down(void)
{
	xtr_regdb_free(&db);
	cr_assert_eq(timers.n, 0, "a timer is left");
	xtr_timers_free(&timers);
}

TestSuite(regdb, .init = set_up, .fini = tear_down);

static struct xtr_registrant *who(uint8_t id, uint64_t now)
{
	struct xtr_registrant_key key;
	struct xtr_registrant *r;

	memset(&key, 0, sizeof(key));
	key.site = db.sites[0]->uid;
	key.by_id = 1;
	key.id[0] = id;
	r = xtr_registrant_make(&db, &key, now);
	if (r)
		xtr_registrant_seen(&db, r, 100u + id, now);
	return r;
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

Test(regdb, a_full_table_forgets_only_who_was_not_seen_for_a_day_and_has_nothing_registered)
{
	for (uint8_t i = 0; i < 4; i++)
		cr_assert_not_null(who(i, 1000));
	cr_assert_null(who(9, 2000), "nobody has to go for a newcomer");
	cr_assert_eq(put(who(0, 3000), "10.1.0.0/24", 3000), XTR_PUT_NEW);
	cr_assert_eq(who(2, 4000)->nonce, 102);
	/* seen in this order now: 1, 3, 0, 2 */
	cr_assert_not_null(who(9, DAY + 5000));
	cr_assert_eq(db.registrant_count, 4);
	cr_assert_not_null(who(10, DAY + 5000), "3 went");
	cr_assert_null(who(11, 2 * DAY), "0 has a registration");
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
