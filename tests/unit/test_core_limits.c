// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Token buckets, the limit of Map-Replies (RFC 9301 5.4), and the nonce sequence (RFC 9301 5.6,
 * security rule S-8). */
#include "core/nonce.h"
#include "core/ratelimit.h"
#include "fake_world.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

Test(bucket, gives_its_burst_then_its_rate)
{
	struct xtr_bucket b = { 0 };
	unsigned n = 0;

	while (xtr_bucket_take(&b, 10, 5, 0))
		n++;
	cr_assert_eq(n, 5);
	cr_assert(!xtr_bucket_take(&b, 10, 5, 99));
	cr_assert(xtr_bucket_take(&b, 10, 5, 100));
	cr_assert(!xtr_bucket_take(&b, 10, 5, 199));
	cr_assert(xtr_bucket_take(&b, 10, 5, 200));
	for (n = 0; xtr_bucket_take(&b, 10, 5, 1000000000); n++)
		;
	cr_assert_eq(n, 5, "a long pause gives more than the burst");
}

Test(bucket, what_is_kept_is_there_for_those_that_matter_more)
{
	struct xtr_bucket b = { 0 };
	unsigned n = 0;

	while (xtr_bucket_take_above(&b, 10, 15, 5, 0))
		n++;
	cr_assert_eq(n, 10);
	for (n = 0; xtr_bucket_take_above(&b, 10, 15, 2, 0); n++)
		;
	cr_assert_eq(n, 3);
	for (n = 0; xtr_bucket_take(&b, 10, 15, 0); n++)
		;
	cr_assert_eq(n, 2);
	/* it fills from the bottom */
	cr_assert(!xtr_bucket_take_above(&b, 10, 15, 2, 200));
	cr_assert(xtr_bucket_take_above(&b, 10, 15, 2, 300));
}

static struct xtr_reply_limit l;
static const struct xtr_reply_rates rates = { .per_second = 100000,
					      .per_rloc = 50,
					      .interval = 3000 };

static bool take(const char *to, const char *eid, const char *probed, uint64_t now)
{
	struct xtr_ip ip = fw_ip(to), own = fw_ip(probed ? probed : "0.0.0.0");
	struct xtr_eid_prefix e = fw_eid(eid);

	return xtr_reply_limit_take(&l, &rates, &ip, &e, probed ? &own : NULL, now);
}

Test(reply_limit, RFC9301_5_4_equal_answers_are_three_seconds_apart)
{
	cr_assert_eq(xtr_reply_limit_init(&l, 100000), 0);
	cr_assert(take("192.0.2.1", "10.1.0.0/24", NULL, 0));
	cr_assert(!take("192.0.2.1", "10.1.0.0/24", NULL, 2999));
	cr_assert(take("192.0.2.1", "10.2.0.0/24", NULL, 10), "another EID-prefix");
	cr_assert(take("192.0.2.1", "10.1.0.0/24", "192.0.2.7", 10), "a probe");
	cr_assert(take("192.0.2.1", "10.1.0.0/24", "192.0.2.8", 10), "a probe of another RLOC of ours");
	cr_assert(!take("192.0.2.1", "10.1.0.0/24", "192.0.2.7", 20), "the same probe");
	cr_assert(take("192.0.2.2", "10.1.0.0/24", NULL, 10), "another RLOC");
	cr_assert(take("192.0.2.1", "10.1.0.0/24", NULL, 3000));
	xtr_reply_limit_free(&l);
}

Test(reply_limit, one_receiver_gets_no_more_than_its_share)
{
	unsigned n = 0;
	char eid[32];

	cr_assert_eq(xtr_reply_limit_init(&l, 100000), 0);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(eid, sizeof(eid), "10.0.%u.0/24", i);
		n += take("192.0.2.1", eid, NULL, 1000);
	}
	cr_assert_eq(n, 50);
	cr_assert(take("192.0.2.2", "10.0.0.0/24", NULL, 1000), "others are not affected");
	xtr_reply_limit_free(&l);
}

Test(reply_limit, a_flood_of_receivers_stays_in_fixed_memory_and_under_the_total)
{
	const struct xtr_reply_rates few = { .per_second = 100, .per_rloc = 50, .interval = 3000 };
	struct xtr_eid_prefix e = fw_eid("10.1.0.0/24");
	unsigned n = 0;

	cr_assert_eq(xtr_reply_limit_init(&l, 100), 0);
	for (unsigned i = 0; i < 100000; i++) {
		struct xtr_ip ip = {
			.family = 4, .a = { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i }
		};

		n += xtr_reply_limit_take(&l, &few, &ip, &e, NULL, 1000);
	}
	cr_assert_eq(n, 100);
	xtr_reply_limit_free(&l);
}

/* ---- nonces */

static uint8_t disk[64];
static int disk_len;
static unsigned saves;
static uint64_t wall;
static bool broken;

static int save(void *ctx, const char *name, const void *buf, size_t len)
{
	if (broken)
		return -ENOSPC;
	memcpy(disk, buf, len);
	disk_len = (int)len;
	saves++;
	return 0;
}

static int load(void *ctx, const char *name, void *buf, size_t size)
{
	if (!disk_len)
		return -ENOENT;
	memcpy(buf, disk, (size_t)disk_len);
	return disk_len;
}

static uint64_t clock_now(void *ctx)
{
	return wall;
}

static const struct xtr_ops ops = { .save = save, .load = load, .wall_seconds = clock_now };

Test(nonce, S_8_starts_at_the_clock_and_grows)
{
	struct xtr_nonce_seq s;

	wall = 1700000000;
	xtr_nonce_open(&s, &ops);
	cr_assert_eq(xtr_nonce_next(&s, &ops), 1700000000ull << 32 | 1);
	cr_assert_eq(xtr_nonce_next(&s, &ops), 1700000000ull << 32 | 2);
}

Test(nonce, S_2_grows_over_a_crash_with_a_clock_that_went_back)
{
	struct xtr_nonce_seq s, t;
	uint64_t last = 0;

	wall = 1700000000;
	xtr_nonce_open(&s, &ops);
	for (unsigned i = 0; i < 1000; i++)
		last = xtr_nonce_next(&s, &ops);
	wall = 0; /* no battery; and no xtr_nonce_close() */
	xtr_nonce_open(&t, &ops);
	cr_assert_gt(xtr_nonce_next(&t, &ops), last);
}

Test(nonce, S_8_grows_without_storage_if_the_clock_is_right)
{
	struct xtr_nonce_seq s, t;
	uint64_t last = 0;

	broken = true;
	wall = 1700000000;
	xtr_nonce_open(&s, &ops);
	for (unsigned i = 0; i < 1000; i++)
		last = xtr_nonce_next(&s, &ops);
	wall++;
	xtr_nonce_open(&t, &ops);
	cr_assert_gt(xtr_nonce_next(&t, &ops), last);
}

Test(nonce, S_2_grows_over_a_crash_with_nonces_left_out)
{
	struct xtr_nonce_seq s, t;
	uint64_t last = 0;

	wall = 1700000000;
	xtr_nonce_open(&s, &ops);
	for (unsigned i = 0; i < 1000; i++) {
		xtr_nonce_skip(&s, &ops, 0xffffffff);
		last = xtr_nonce_next(&s, &ops);
		wall = 0;
		xtr_nonce_open(&t, &(const struct xtr_ops){ .load = load });
		cr_assert_gt(xtr_nonce_next(&t, &ops), last);
		wall = 1700000000;
	}
	cr_assert_lt(last, (wall + 1000 / 16 + 1) << 32, "the clock is faster");
	cr_assert_leq(saves, 50);
}

Test(nonce, storage_is_written_once_for_many_nonces)
{
	struct xtr_nonce_seq s;

	wall = 1700000000;
	xtr_nonce_open(&s, &ops);
	for (unsigned i = 0; i < 100000; i++)
		xtr_nonce_next(&s, &ops);
	cr_assert_eq(saves, 1);
	for (unsigned i = 0; i < 2000000; i++)
		xtr_nonce_next(&s, &ops);
	cr_assert_eq(saves, 3);
	xtr_nonce_close(&s, &ops);
	cr_assert_eq(saves, 4);
}
