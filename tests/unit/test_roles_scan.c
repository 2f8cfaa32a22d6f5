// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * More EIDs than may be asked for: who goes first, and who gives way. One ITR alone (192.0.2.1); its Map-Resolver
 * 192.0.2.8 answers only what a test plays.
 */
#include "core/pending.h"
#include "itr_lab.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void begin(void)
{
	itr_conf();
	conf.c.limits.requests_per_second = 40;
	itr_go();
}

TestSuite(scan, .init = begin, .fini = world_down);

static unsigned sent(void)
{
	return fw_sent_count(itr, XTR_MSG_MAP_REQUEST);
}
static void scan(unsigned first, unsigned n, const char *instance)
{
	char eid[48];

	for (unsigned i = first; i < first + n; i++) {
		snprintf(eid, sizeof(eid), "%s10.9.%u.%u", instance, i / 256, i % 256);
		fw_miss(itr, eid, NULL);
	}
}
static bool again(const char *eid)
{
	struct xtr_eid_prefix e = fw_eid(eid);
	bool asked = xtr_node_miss_again(itr->n, &e, NULL, w->now);

	fw_tick(itr);
	return asked;
}
struct find {
	struct xtr_eid_prefix want;
	bool found;
};
static int look(void *arg, const struct xtr_pending_info *p)
{
	struct find *f = arg;

	f->found |= xtr_eid_equal(&p->eid, &f->want);
	return 0;
}
static bool pending(const char *eid)
{
	struct find f = { .want = fw_eid(eid) };

	xtr_node_walk_pending(itr->n, w->now, look, &f);
	return f.found;
}

Test(scan, newcomers_get_the_rate_and_who_comes_again_some_more)
{
	unsigned n = 0, before;

	scan(0, 500, "");
	cr_assert_eq(sent(), 40);
	cr_assert_eq(fw_counter(itr, XTR_NODE_MISS_LIMITED), 460);
	/* a quarter of the rate besides is for those that come again */
	for (char eid[32]; n < 100; n++) {
		snprintf(eid, sizeof(eid), "10.9.1.%u", n);
		if (!again(eid))
			break;
	}
	cr_assert_eq(n, 10);
	cr_assert_eq(sent(), 50);
	/* and as time goes by they go first */
	fw_until(w, 100);
	scan(600, 50, "");
	before = sent();
	cr_assert_leq(before, 51, "of the quarter that each instance has");
	cr_assert(again("10.9.1.60"));
	cr_assert_eq(sent(), before + 1);
}

Test(scan, another_instance_has_a_quarter_come_what_may)
{
	unsigned before;

	scan(0, 500, "");
	for (unsigned i = 0; i < 50; i++) { /* and an instance that comes again and again */
		char eid[32];

		snprintf(eid, sizeof(eid), "10.9.1.%u", i);
		again(eid);
	}
	cr_assert_eq(sent(), 50);
	scan(0, 100, "[7]");
	cr_assert_eq(sent(), 60);
	/* the first scans on, and the other has its share again, once its own questions have been repeated */
	for (unsigned t = 50; t <= 1400; t += 50) {
		fw_until(w, t);
		scan(1000 + t, 50, "");
	}
	before = sent();
	fw_miss(itr, "[7]10.9.100.1", NULL);
	cr_assert_eq(sent(), before + 1);
}

Test(scan, what_is_in_use_is_refreshed_before_anything_else)
{
	static const struct fw_rec rec[] = { FW_REC("10.2.0.0/24", 2, "192.0.2.2") };
	struct fw_packet *p;
	uint8_t buf[512];
	size_t len;
	struct xtr_map_request m;
	const uint8_t *msg;

	fw_miss(itr, "10.2.0.5", NULL);
	p = fw_sent(itr, XTR_MSG_MAP_REQUEST, 0);
	msg = fw_message(p, &len);
	cr_assert_eq(xtr_map_request_decode(msg, len, &m), 0);
	fw_inject(itr, "192.0.2.2", 4342, buf, fw_make_reply(buf, sizeof(buf), m.nonce, rec, 1));
	cr_assert_not_null(fw_dp_get(itr, "10.2.0.0/24"));
	/* two minutes: it is refreshed at 90 % of them, in the middle of a scan */
	for (unsigned t = 100; t < 115000; t += 100) {
		fw_until(w, t);
		if (t > 100000)
			scan(t / 100 * 20 % 60000, 20, "");
		fw_dp_get(itr, "10.2.0.0/24")->used = w->now;
	}
	for (unsigned i = 1; (p = fw_sent(itr, XTR_MSG_MAP_REQUEST, i)); i++) {
		struct xtr_mreq_record r;
		struct xtr_rd it = { 0 };
		struct xtr_eid_prefix e;

		msg = fw_message(p, &len);
		cr_assert_eq(xtr_map_request_decode(msg, len, &m), 0);
		cr_assert(xtr_mreq_record_next(&m, &it, &r));
		cr_assert_eq(xtr_eid_from_addr(&r.eid, r.mask_len, &e, NULL), 0);
		if (e.len == 24)
			return;
	}
	cr_assert(false, "no refresh was sent");
}

Test(scan, a_question_nobody_repeats_gives_way_and_one_that_is_repeated_stays)
{
	fw_miss(itr, "10.2.0.5", NULL);
	fw_until(w, 500);
	cr_assert(again("10.2.0.5"), "a second packet");
	for (unsigned t = 500; t < 5000; t += 10) { /* 5000 newcomers a second, nobody answers */
		fw_until(w, t);
		scan(t, 50, "");
	}
	cr_assert(pending("10.2.0.5"));
	cr_assert(!fw_failed(itr, "10.2.0.5"));
	cr_assert_gt(fw_counter(itr, XTR_NODE_REQUEST_YIELDED), 20);
	cr_assert_leq(sent(), 40 * 5 + 60);
}

/* ---- room */

static struct xtr_timers timers;
static struct xtr_pendings ps;

static struct xtr_pending *add(const char *eid)
{
	struct xtr_eid_prefix e = fw_eid(eid);

	return xtr_pending_add(&ps, &e);
}

Test(pending, the_instance_that_has_most_gives_way)
{
	unsigned from[2] = { 0 };
	char eid[48];

	xtr_timers_init(&timers);
	xtr_pendings_init(&ps, &timers, 0, 100);
	cr_assert_null(xtr_pending_victim(&ps));
	for (unsigned i = 0; i < 20; i++) {
		snprintf(eid, sizeof(eid), "[7]10.1.0.%u", i);
		add(eid);
	}
	for (unsigned i = 0; i < 21; i++) {
		snprintf(eid, sizeof(eid), "10.1.0.%u", i);
		add(eid);
	}
	for (unsigned i = 0; i < 11; i++) { /* in turn, the oldest each time */
		struct xtr_pending *p = xtr_pending_victim(&ps);

		from[p->eid.iid == 7]++;
		cr_assert_eq(p->eid.a[3], from[p->eid.iid == 7] - 1);
		xtr_pending_del(&ps, p);
	}
	cr_assert_eq(from[0], 6);
	cr_assert_eq(from[1], 5);
	xtr_pendings_free(&ps);
	cr_assert_eq(ps.count, 0);
	cr_assert_eq(ps.share[xtr_pending_share(7)].count, 0);
	cr_assert_null(ps.share[xtr_pending_share(7)].oldest);
	xtr_timers_free(&timers);
}

Test(pending, what_was_asked_for_again_stays_longer)
{
	char eid[48];

	xtr_timers_init(&timers);
	xtr_pendings_init(&ps, &timers, 0, 100);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(eid, sizeof(eid), "10.1.0.%u", i);
		add(eid)->wanted = i < 40 && i != 17;
	}
	cr_assert_eq(xtr_pending_victim(&ps)->eid.a[3], 17);
	xtr_pending_del(&ps, xtr_pending_victim(&ps));
	cr_assert_eq(xtr_pending_victim(&ps)->eid.a[3], 40);
	while (ps.count > 39)
		xtr_pending_del(&ps, xtr_pending_victim(&ps));
	cr_assert_eq(xtr_pending_victim(&ps)->eid.a[3], 0, "all of them: the oldest");
	xtr_pendings_free(&ps);
	xtr_timers_free(&timers);
}
